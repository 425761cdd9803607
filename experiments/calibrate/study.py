"""Which values of the judged parameters agree with the published numbers: history matching, then a posterior.

``python -m experiments.calibrate`` runs a population of organisations at parameter sets of a Latin hypercube, emulates each
output by a Gaussian process, leaves out what cannot be right, and goes on with what is left. A posterior is then drawn from the
emulators by Metropolis' method, run, and set against the targets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from experiments.calibrate.emulators import CHAINS, Emulators, candidates, coverage, left_out, mode, posterior, weighed
from experiments.calibrate.surveyed import Surveyed, surveyed_of
from experiments.calibrate.tables import (
    MEANINGS,
    assumptions_table,
    coverage_table,
    draws_text,
    left_out_table,
    parameters_table,
    population_text,
    sets_table,
    show,
    targets_table,
    values_table,
)
from experiments.calibrate.targets import BOUND, PUBLISHED, TARGETS, outputs_of, partial_at, population_outputs
from experiments.lab.config import take
from experiments.lab.designs import Factor, Points
from experiments.lab.executors import Workers
from experiments.lab.output import digest
from experiments.lab.paired import numeric_factors
from experiments.lab.plan import Plan, check_points, plan_record, preset_digests
from experiments.lab.presets import check_name, mark, save
from experiments.lab.runner import execute
from experiments.lab.storage import WEEKS, Store, read_shards
from experiments.lab.study import Study, carry_out, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.parameters import RECORDS, Outcomes, Parameters
from sim.population import CHOSEN, HYPER, MATURITIES, VARIED
from sim.schema import InvalidInput

#: What is calibrated, and its prior ranges: what screening found to move the targets, and what decides whether an initiative lasts.
FITTED = {
    "utility.threshold": [-1.5, 2.5],
    "trust.noise": [0.2, 1.0],
    "forecast.planner": [0.38, 0.52],  # from a fifth above the sound model (M5) towards what experiments.response measured
    "forecast.usecase_spread": [0.0, 0.6],  # at a third, one use case in seven has nothing to gain
    "disturbance.priority": [0.1, 2.0],
    "disturbance.leader": [0.1, 1.0],
    "review.floor": [0.05, 0.9],
    "enterprise.spend": [200_000, 2_500_000],
    "value.realised": [0.3, 0.8],
}


def calibrate(values: dict[str, Any]) -> int:
    """Run the waves, draw the posterior, run it, set it against the targets, write the results folder."""
    if values["weekly"] != 4:
        raise InvalidInput("weekly", values["weekly"], "4: the targets are taken every fourth week")
    settings = take_settings(values)
    waves, sets, draws = (take(values, key, "count", low, 10_000) for key, low in (("waves", 1), ("points", 20), ("draws", 20)))
    discrepancy, save_as = take(values, "discrepancy", "number", 0.001, 0.5), take(values, "save_as", "text")
    fitted, surveyed = values.pop("fitted") or FITTED, surveyed_of(values.pop("surveyed"))
    base = from_mapping(values)
    needed = max(surveyed.oldest, base.outcomes.survival)
    if base.weeks < needed:
        raise InvalidInput("weeks", base.weeks, f"at least {needed}, for the targets")
    made = fitted_factors(fitted, base, surveyed)
    calibration = Calibration(made, surveyed, base.outcomes, waves, sets, draws, discrepancy, settings.seed)
    most = -(-(sets * waves * surveyed.organisations + (draws + 1) * surveyed.asked) // surveyed.organisations)
    whole = calibration.plan(settings.plan(base, Points((), ()), 1), np.tile(0.5, (most, len(made))), surveyed.organisations, 0)
    check_points(whole, len(MATURITIES) * surveyed.organisations)
    asked = {
        "kind": "waves", "waves": waves, "points": sets, "draws": draws, "discrepancy": discrepancy,
        "fitted": {f.name: [f.low, f.high] for f in made}, "surveyed": dataclasses.asdict(surveyed),
        "targets": {target.name: target.published for target in TARGETS},
        "maturities": preset_digests("maturity", MATURITIES), "strategies": preset_digests("strategy", surveyed.strategies),
    }  # fmt: skip
    configuration = plan_record(whole, asked)
    marked = mark("calibrate", configuration)
    check_name("population", save_as, marked)
    found: Found

    def run(plan: Plan, store: Store, workers: Workers) -> Plan:
        nonlocal found
        plan, found = calibration.run(plan, store, workers)
        return plan

    def conclude(store: Store, plan: Plan) -> None:
        write(store, plan, calibration, found, marked)
        names = [case.name for case in base.usecases]
        store.text("population.yaml", population_text(surveyed, names, marked))

    def say(console: Console, store: Store) -> list[str]:
        show(console, store)
        if save_as:
            for kind in ("yaml", "csv"):
                save("population", save_as, (store.folder / f"population.{kind}").read_text(encoding="utf-8"), kind)
            console.print(f"These organisations are population={save_as}: configs/population/{save_as}.yaml and .csv.", highlight=False)
        return [
            "figure.png",
            "targets.csv",
            "left_out.csv",
            "assumptions.csv",
            "coverage.csv",
            "parameters.csv",
            "sets.csv",
            "posterior.csv",
            "population.yaml",
            "population.csv",
        ]

    size = len(MATURITIES) * surveyed.organisations
    parts = [f"{len(made)}parameters", f"{waves}x{sets}sets", f"{size}organisations", f"{base.weeks}w"]
    return carry_out(Study("calibrate", parts, whole, configuration, conclude, say, run), settings)


def fitted_factors(fitted: Any, base: Parameters, surveyed: Surveyed) -> tuple[Factor, ...]:
    """What is fitted: numbers with prior ranges, and of the population what has a range."""
    if not isinstance(fitted, Mapping):
        raise InvalidInput("fitted", fitted, "a mapping of parameters to ranges, such as {trust.loss: [0.05, 0.3]}")
    try:
        made = numeric_factors(list(fitted), {n: r for n, r in fitted.items() if r is not None}, base, False)
    except InvalidInput as error:
        key = "fitted" if error.key == "over" else error.key.replace("ranges.", "fitted.")
        raise InvalidInput(key, error.value, error.allowed) from None
    for f in made:
        if f.kind != "number" or f.name.removeprefix("maturity.") in VARIED or f.name in CHOSEN:
            raise InvalidInput("fitted", f.name, "a number that is not what the organisations differ in")
    hyper = zip(HYPER, surveyed.hyper, strict=True)
    return (*made, *(Factor(name, "number", *ends) for name, ends in hyper if ends[0] < ends[1]))


#: What is assumed of whom the surveys asked, otherwise: how the fit moves with each.
ASSUMED: dict[str, dict[str, Any]] = {
    "as assumed": {},
    "teams asked from the first year on": {"team_weeks": (52, 260)},
    "scaling asked of the first two years": {"scaling_weeks": (0, 104)},
    "value asked after the first year": {"ebit_weeks": (52, 260)},
    "as many organisations of each maturity": {"low": 1 / 3, "middle": 1 / 3, "high": 1 / 3},
}


@dataclass(frozen=True)
class Found:
    """What the waves found.

    Attributes:
        tried: the parameter sets of all waves with their outputs, one row per set.
        left: share of the prior that is left after each wave.
        posterior: draws in the unit cube, [CHAINS, d].
        last: those draws that are run, and the chosen set at the end, [draws + 1, d].
        emulator: of all sets that hold no failed run.
        seen, outputs: these sets in the unit cube, [sets, d], and what they came to, [sets, targets].
        prior: how many of the first of them were drawn from the prior.
        otherwise: what they came to under each of :data:`ASSUMED`, [sets, targets] each.
    """

    tried: pd.DataFrame
    left: list[float]
    posterior: np.ndarray
    last: np.ndarray
    emulator: Emulators
    seen: np.ndarray
    outputs: np.ndarray
    prior: int
    otherwise: dict[str, np.ndarray]


@dataclass(frozen=True)
class Calibration:
    """The waves, each a results folder of its own, and the runs of the posterior."""

    made: tuple[Factor, ...]
    surveyed: Surveyed
    outcomes: Outcomes
    waves: int
    sets: int
    draws: int
    discrepancy: float
    seed: int

    def populations(self, unit: np.ndarray) -> np.ndarray:
        """The values of :data:`HYPER` at each parameter set, [sets, 3]."""
        fitted = {f.name: f.at(unit[:, j]) for j, f in enumerate(self.made)}
        fixed = dict(zip(HYPER, (ends[0] for ends in self.surveyed.hyper), strict=True))
        return np.column_stack([np.broadcast_to(fitted.get(name, fixed[name]), len(unit)) for name in HYPER])

    def plan(self, plan: Plan, unit: np.ndarray, organisations: int, first: int) -> Plan:
        """Parameter sets (unit cube, [sets, d]) by organisation: set s, organisation o is point s O + o.

        Each set, numbered from ``first``, has organisations and luck of its own: an emulator that smooths over sets with the
        same luck would learn that luck (Chen, Ankenman & Nelson 2012).
        """
        count, size = len(unit), len(MATURITIES) * organisations
        offsets = np.arange(count * size) + first * 1_000_000
        members = pd.concat(
            [
                self.surveyed.members(organisations, spread, strictness, pilot, self.seed + offsets[k * size : (k + 1) * size])
                for k, (spread, strictness, pilot) in enumerate(self.populations(unit))
            ],
            ignore_index=True,
        )
        own = [(j, f) for j, f in enumerate(self.made) if f.name not in HYPER]
        factors, columns = [f for _, f in own], [np.repeat(f.at(unit[:, j]), size) for j, f in own]
        for name in members:
            values = members[name]
            if name in ("maturity", "strategy"):
                choices = tuple(dict.fromkeys(values))
                factors.append(Factor(str(name), "choice", choices=choices))
                columns.append(np.array([choices.index(v) for v in values]))
            else:
                kind = RECORDS[str(name)].kind
                factors.append(Factor(str(name), kind, float(values.min()), float(values.max())))
                columns.append(values.to_numpy())
        return replace(plan, points=Points(tuple(factors), tuple(columns)), offsets=offsets)

    def run(self, plan: Plan, store: Store, workers: Workers) -> tuple[Plan, Found]:
        """All waves and the posterior; returns the plan of the posterior's runs, and what was found."""
        from scipy.stats import qmc

        d, few, many = len(self.made), self.surveyed.organisations, self.surveyed.asked
        unit = qmc.LatinHypercube(d, rng=np.random.Generator(np.random.SFC64(self.seed))).random(self.sets)
        seen, outputs = np.empty((0, d)), np.empty((0, len(TARGETS)))
        emulators: list[Emulators] = []
        tried, left, prior = [], [], 0
        asked_otherwise = {name: replace(self, surveyed=replace(self.surveyed, **changes)) for name, changes in ASSUMED.items()}
        otherwise = {name: np.empty((0, len(TARGETS))) for name in ASSUMED}
        for wave in range(self.waves):
            part = self.plan(plan, unit, few, wave * self.sets)
            record = plan_record(part, {"kind": "wave", "sets": digest({"unit": unit.tolist()})})
            with Store("calibrate", store.folder / f"waves/{wave:02d}", record) as place:
                execute(part, place, workers, what=f"runs of wave {wave + 1} of {self.waves}")
                found = self.outputs(place, len(unit), few)
                others = {name: each.outputs(place, len(unit), few) for name, each in asked_otherwise.items()}
            whole = np.isfinite(found).all(axis=1)
            otherwise = {name: np.concatenate([before, others[name][whole]]) for name, before in otherwise.items()}
            seen, outputs = np.concatenate([seen, unit[whole]]), np.concatenate([outputs, found[whole]])
            prior = prior or len(seen)
            if len(seen) < 2:
                raise InvalidInput("calibrate", "a failed run in nearly every parameter set", f"sets without one; see {place.folder}")
            tried.append(sets_table(self.made, unit, found).assign(wave=wave + 1))
            emulators.append(Emulators.fit(seen, outputs, PUBLISHED, BOUND, self.discrepancy, self.seed))
            unit, share = candidates(emulators, d, self.sets, self.seed + 1000 + wave)
            left.append(share)
        drawn = posterior(emulators[-1], unit, self.seed, few / many)
        chosen = mode(emulators[-1], drawn, few / many)
        last = np.vstack([drawn[:: max(1, CHAINS // self.draws)][: self.draws], chosen])
        final = self.plan(plan, last, many, self.waves * self.sets)
        execute(final, store, workers, what="runs of the posterior")
        return final, Found(pd.concat(tried, ignore_index=True), left, drawn, last, emulators[-1], seen, outputs, prior, otherwise)

    def outputs(self, store: Store, sets: int, organisations: int) -> np.ndarray:
        """The outputs of each parameter set's population, [sets, targets]; NaN where a run failed."""
        size = len(MATURITIES) * organisations
        names = ["point", "week", "teams_trust_and_use", "reliance", "units_live", "cumulative_net"]
        weekly = pd.concat([table.to_pandas() for table in read_shards(store.folder, WEEKS, names)]).sort_values(
            ["point", "week"], kind="stable"
        )
        runs = store.runs(["point", "units", "gate_week", "use_cases_kept", "error"]).sort_values("point", kind="stable")
        week = np.sort(weekly["week"].unique())
        series = {name: np.full((sets * size, len(week)), np.nan) for name in names[2:]}
        row, column = weekly["point"].to_numpy(), np.searchsorted(week, weekly["week"].to_numpy())
        for name, table in series.items():
            table[row, column] = weekly[name].to_numpy(float)
        kept = runs["use_cases_kept"].to_numpy(float)
        maturity = np.repeat(np.arange(len(MATURITIES)), organisations)
        partial = partial_at(series, week, runs, self.surveyed.ending_week, self.outcomes)
        each = outputs_of(series, week, kept, partial, np.tile(maturity, sets), self.surveyed).reshape(sets, size, len(TARGETS))
        failed = np.isnan(series["cumulative_net"]).any(axis=1).reshape(sets, size).any(axis=1)
        found, _ = population_outputs(each, maturity, self.surveyed)
        found[failed] = np.nan
        return found


def write(store: Store, plan: Plan, study: Calibration, found: Found, marked: str) -> None:
    """Write what was tried, the posterior, how it compares with the targets, the chosen values and the picture."""
    count = len(found.last)
    outputs = study.outputs(store, count, study.surveyed.asked)
    chosen = np.arange(count) == count - 1
    parameters = parameters_table(study.made, found.posterior, found.last[-1])
    noise = study.surveyed.organisations / study.surveyed.asked
    tables = {
        "targets": targets_table(outputs[np.isfinite(outputs).any(axis=1) & ~chosen], outputs[-1], study.discrepancy, study.seed),
        "parameters": parameters,
        "sets": found.tried,
        "draws": sets_table(study.made, found.last, outputs).assign(chosen=chosen),
        "posterior": values_table(study.made, found.posterior),
        "waves": pd.DataFrame({"wave": np.arange(1, study.waves + 1), "left": found.left}),
        "left_out": left_out_table(left_out(found.emulator, study.seed, noise)),
        "assumptions": assumptions_table(
            study.made, {name: weighed(found.emulator.again(outputs), study.seed, noise) for name, outputs in found.otherwise.items()}
        ),
        "coverage": coverage_table(study.made, coverage(found.emulator, found.seen, found.outputs, found.prior, study.seed)),
    }
    write_tables(store, plan, tables, MEANINGS | {f.name: "fitted parameter" for f in study.made})
    fitted = {f.name for f in study.made}
    fixed = {name: ends[0] for name, ends in zip(HYPER, study.surveyed.hyper, strict=True) if name not in fitted}
    store.text("population.csv", draws_text(tables["posterior"], fixed, marked))
    from sim.views.figures.calibrate import calibrate_figure

    calibrate_figure(store.folder)
