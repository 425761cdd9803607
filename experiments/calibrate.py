"""Which values of the judged parameters agree with the published figures: history matching, then a posterior.

``python -m experiments.calibrate`` runs a population of organisations at parameter sets of a Latin hypercube, emulates each
figure by a Gaussian process, leaves out what cannot be right (Craig et al. 1997; Vernon, Goldstein & Bower 2010), and goes on
with what is left. A posterior is then drawn from the emulators by Metropolis' method, run, and set against the figures.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.lab import designs
from experiments.lab.config import main, take
from experiments.lab.designs import Factor, Points
from experiments.lab.executors import Workers
from experiments.lab.output import digest
from experiments.lab.paired import numeric_factors
from experiments.lab.presets import check_name, mark, save
from experiments.lab.runner import Plan, execute
from experiments.lab.storage import WEEKS, Store, read_shards
from experiments.lab.study import also_describe, carry_out, check_points, common_settings, plan_of, plan_record, write_dictionary
from sim.configuration import from_mapping
from sim.parameters import RECORDS, Maturity, Parameters
from sim.presets import available, load
from sim.schema import InvalidInput, nearest
from sim.views.figures.calibrate import calibrate_figure

MATURITIES = ("low", "middle", "high")
#: Maturity parameters that differ between organisations of one maturity, and whether more of them is better.
VARIED = {"budget": 1, "completeness": 1, "lateness": -1, "mismatch": -1, "fragmentation": -1, "sponsorship": 1, "fit": 1, "trust": 1,
          "readiness": 1, "core": 1}  # fmt: skip
#: What is calibrated, and its prior ranges: what screening found to move the figures, and what decides whether an initiative lasts.
FITTED = {
    "utility.threshold": [-1.5, 2.5],
    "trust.noise": [0.2, 1.0],
    "forecast.planner": [0.38, 0.52],  # from a fifth above the sound model (M5) towards what experiments.response measured
    "disturbance.priority": [0.1, 2.0],
    "enterprise.spend": [80_000, 300_000],
}
#: How much organisations of one maturity differ, how strict and how slow their managements are: fitted along with the parameters.
SPREAD, STRICTNESS, PILOT = HYPER = ("population.spread", "population.strictness", "population.pilot")
#: What organisations do, an assumption: most perfect the model first.
STRATEGIES = {
    "model_first": 0.3,
    "big_bang": 0.15,
    "balanced": 0.2,
    "business_led": 0.1,
    "governance_first": 0.1,
    "integration_first": 0.15,
}
#: What is drawn for each organisation beside the states it starts from, and the shortest pilot [weeks].
CHOSEN, SHORTEST = ("strategy.initiative_floor", "strategy.gate_weeks"), 13
#: A parameter set is left out where one figure is further off than so many standard deviations (Pukelsheim 1994).
IMPLAUSIBLE = 3.0
CHAINS, STEPS = 240, 600


@dataclass(frozen=True)
class Figure:
    """A published figure, and what it is in the model."""

    name: str
    published: float
    words: str
    source: str


FIGURES = (
    Figure("teams_high", 0.57, "teams of high-maturity organisations that trust and use it", "Gartner 2025"),
    Figure("teams_low", 0.14, "teams of low-maturity organisations that trust and use it", "Gartner 2025"),
    Figure("production_high", 0.45, "high-maturity organisations with three years in production", "Gartner 2025"),
    Figure("production_low", 0.20, "low-maturity organisations with three years in production", "Gartner 2025"),
    Figure("not_scaling", 0.65, "organisations that have not begun scaling", "McKinsey 2025"),
    Figure("ebit", 0.39, "organisations with positive net value in the past year", "McKinsey 2025"),
)


@dataclass(frozen=True)
class Population:
    """Organisations that the figures are taken of: assumptions, for the sources publish none.

    Attributes:
        organisations: of each maturity, for a parameter set of a wave.
        surveyed: of each maturity, for a draw of the posterior: as many as were asked.
        spread: prior range of the sd of organisations of one maturity around its preset.
        strictness: prior range of the mean sponsorship below which the strictest management stops an initiative; the others'
            floors are anything below that.
        pilot: prior range of the weeks that the slowest organisation pilots at least; the others take a quarter of a year or longer.
        low, middle, high: shares of the mixed population.
        team_weeks, scaling_weeks, ebit_weeks: ages of the initiatives that a figure was asked of, all alike.
        strategies: shares of the organisations that follow them.
    """

    organisations: int
    surveyed: int
    spread: tuple[float, float]
    strictness: tuple[float, float]
    pilot: tuple[float, float]
    low: float
    middle: float
    high: float
    team_weeks: tuple[int, int]
    scaling_weeks: tuple[int, int]
    ebit_weeks: tuple[int, int]
    strategies: Mapping[str, float]

    @property
    def hyper(self) -> tuple[tuple[float, float], ...]:
        """Prior ranges of :data:`HYPER`."""
        return self.spread, self.strictness, self.pilot

    def one(self, seed: int) -> pd.DataFrame:
        """The organisations of a set, at the lowest values of what is fitted about the population: :data:`HYPER` as single values."""
        spread, strictness, pilot = (low for low, _ in self.hyper)
        return self.members(self.organisations, spread, strictness, pilot, (seed,))

    def members(self, count: int, spread: float, strictness: float, pilot: float, seed: tuple[int, ...]) -> pd.DataFrame:
        """So many organisations of each maturity: maturity, strategy, when they stop, how long they pilot, their values of :data:`VARIED`.

        An organisation departs from its maturity's preset by a common factor (well or badly run) and one of each parameter,
        which explain half of the variance each.
        """
        rows = []
        names = sorted(self.strategies)
        ends = np.cumsum([self.strategies[name] for name in names])
        for m, maturity in enumerate(MATURITIES):
            rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(m,))))
            place = (rng.permutation(count) + 0.5) / count
            common, own = rng.standard_normal((count, 1)), rng.standard_normal((count, len(VARIED)))
            factors = np.exp(np.array(list(VARIED.values())) * spread * (common + own) / np.sqrt(2))
            preset = {**dataclasses.asdict(Maturity()), **load("maturity", maturity)}
            table = pd.DataFrame({"maturity": maturity, "strategy": np.array(names)[np.searchsorted(ends, place * ends[-1])]})
            table["strategy.initiative_floor"] = rng.random(count) * strictness
            table["strategy.gate_weeks"] = np.floor(SHORTEST + rng.random(count) * (pilot - SHORTEST + 1)).astype(int)
            for j, name in enumerate(VARIED):
                record, value = RECORDS[f"maturity.{name}"], float(preset[name])
                values = value * factors[:, j] / (1 - value + value * factors[:, j]) if record.high <= 1 else value * factors[:, j]
                table[f"maturity.{name}"] = np.clip(values, record.low, record.high)
            rows.append(table)
        return pd.concat(rows, ignore_index=True)


# --------------------------------------------------------------------------- the figures of a population


def figures_of(weekly: Mapping[str, np.ndarray], week: np.ndarray, survived: np.ndarray, maturity: np.ndarray, p: Population) -> np.ndarray:
    """Each figure's contribution of each organisation, [organisations, figures]; NaN where it is not asked of it.

    An organisation is seen at a random week of its initiative, all weeks of the stated ages alike: the mean over these weeks.

    Args:
        weekly: ``teams_trust_and_use``, ``units_live`` and ``cumulative_net``, [organisations, weeks recorded].
        week: the recorded weeks.
        survived: three years in production, [organisations].
        maturity: index into :data:`MATURITIES`, [organisations].
        p: the population.
    """
    teams_seen, scaling_seen, ebit_seen = ((week >= low) & (week < high) for low, high in (p.team_weeks, p.scaling_weeks, p.ebit_weeks))
    scaling = np.maximum.accumulate(weekly["units_live"] >= 2, axis=1)  # a unit beyond the pilot has gone live
    a_year = max(1, int(np.searchsorted(week, week[0] + 52)))
    earlier = np.concatenate([np.zeros((len(maturity), a_year)), weekly["cumulative_net"][:, :-a_year]], axis=1)
    teams = weekly["teams_trust_and_use"][:, teams_seen].mean(axis=1)
    columns = {
        "teams_high": np.where(maturity == 2, teams, np.nan),
        "teams_low": np.where(maturity == 0, teams, np.nan),
        "production_high": np.where(maturity == 2, survived, np.nan),
        "production_low": np.where(maturity == 0, survived, np.nan),
        "not_scaling": 1.0 - scaling[:, scaling_seen].mean(axis=1),
        "ebit": (weekly["cumulative_net"] - earlier > 0)[:, ebit_seen].mean(axis=1),
    }
    return np.column_stack([columns[f.name] for f in FIGURES])


def population_figures(each: np.ndarray, maturity: np.ndarray, p: Population) -> tuple[np.ndarray, np.ndarray]:
    """The figures of populations [sets, figures] from :func:`figures_of` [sets, organisations, figures], and their errors."""
    share = np.array([p.low, p.middle, p.high])
    means = np.stack([each[:, maturity == m].mean(axis=1) for m in range(3)])
    errors = np.stack([each[:, maturity == m].var(axis=1, ddof=1) / (maturity == m).sum() for m in range(3)])
    asked = np.isfinite(means[:, :1])
    weight = np.where(asked, share[:, None, None], 0.0)
    weight = weight / np.maximum(weight.sum(axis=0), 1e-300)
    return ((np.nan_to_num(means) * weight).sum(axis=0), np.sqrt((np.nan_to_num(errors) * weight**2).sum(axis=0)))


# --------------------------------------------------------------------------- emulators


@dataclass
class Emulators:
    """A Gaussian process a figure, over the unit cube of the fitted parameters."""

    processes: list[Any]

    @classmethod
    def fit(cls, unit: np.ndarray, figures: np.ndarray, errors: np.ndarray, seed: int) -> Emulators:
        """Emulators from parameter sets [sets, d], their figures [sets, figures] and these figures' standard errors."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        d, processes = unit.shape[1], []
        for j in range(figures.shape[1]):
            kernel = ConstantKernel(1.0, (0.01, 100)) * Matern(np.full(d, 1.0), (0.2, 20), nu=2.5) + WhiteKernel(0.05, (1e-4, 1))
            process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed % designs.SEEDS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound: a parameter without effect
                processes.append(process.fit(unit, figures[:, j]))
        return cls(processes)

    def predict(self, unit: np.ndarray, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each figure, [sets, figures]; the deviation holds the noise of a population, too.

        ``noise`` is the share of that noise's variance: organisations of a population over those of the one asked about.
        """
        found = [process.predict(unit, return_std=True) for process in self.processes]
        less = [(1 - noise) * process.kernel_.k2.noise_level * process._y_train_std**2 for process in self.processes]
        return (
            np.column_stack([mean for mean, _ in found]),
            np.column_stack([np.sqrt(np.maximum(spread**2 - v, 1e-12)) for (_, spread), v in zip(found, less, strict=True)]),
        )

    def distance(self, unit: np.ndarray, discrepancy: float, noise: float = 1.0) -> np.ndarray:
        """How far each figure is off, in standard deviations of emulator and discrepancy, [sets, figures]."""
        mean, spread = self.predict(unit, noise)
        return (mean - TARGETS) / np.sqrt(spread**2 + discrepancy**2)


TARGETS = np.array([f.published for f in FIGURES])


def plausible(emulators: list[Emulators], unit: np.ndarray, discrepancy: float) -> np.ndarray:
    """Which parameter sets no wave leaves out, [sets]."""
    kept = np.ones(len(unit), bool)
    for emulator in emulators:
        kept[kept] = (np.abs(emulator.distance(unit[kept], discrepancy)) < IMPLAUSIBLE).all(axis=1)
    return kept


def posterior(emulator: Emulators, start: np.ndarray, discrepancy: float, seed: int, noise: float = 1.0) -> np.ndarray:
    """Draws from the posterior over the unit cube, [CHAINS, d]: the end of as many Metropolis chains, with a uniform prior."""
    rng = np.random.Generator(np.random.SFC64(seed))
    at = start[rng.integers(0, len(start), CHAINS)].copy()

    def fit(unit: np.ndarray) -> np.ndarray:
        mean, spread = emulator.predict(unit, noise)
        variance = spread**2 + discrepancy**2
        return -0.5 * ((mean - TARGETS) ** 2 / variance + np.log(variance)).sum(axis=1)

    now = fit(at)
    for _ in range(STEPS):
        a, b = rng.integers(0, CHAINS, (2, CHAINS))  # differential evolution: steps as long as the chains lie apart (ter Braak 2006)
        step = (at[a] - at[b]) * 2.38 / np.sqrt(2 * at.shape[1]) * rng.choice([1.0, 0.3], (CHAINS, 1))
        to = at + step + rng.normal(0, 0.005, at.shape)
        inside = ((to > 0) & (to < 1)).all(axis=1)
        then = np.where(inside, fit(np.clip(to, 0, 1)), -np.inf)
        taken = np.log(rng.random(CHAINS)) < then - now
        at[taken], now[taken] = to[taken], then[taken]
    return at


# --------------------------------------------------------------------------- the study


def calibrate(values: dict[str, Any]) -> int:
    """Run the waves, draw the posterior, run it, set it against the figures, write the results folder."""
    if values["weekly"] != 4:
        raise InvalidInput("weekly", values["weekly"], "4: the figures are taken every fourth week")
    settings = common_settings(values)
    waves, sets, draws = (take(values, key, "count", low, 10_000) for key, low in (("waves", 1), ("points", 20), ("draws", 20)))
    discrepancy, save_as = take(values, "discrepancy", "number", 0.001, 0.5), take(values, "save_as", "text")
    fitted, population = values.pop("fitted") or FITTED, population_of(values.pop("population"))
    base = from_mapping(values)
    needed = max(population.team_weeks[1], population.scaling_weeks[1], population.ebit_weeks[1], base.outcomes.survival)
    if base.weeks < needed:
        raise InvalidInput("weeks", base.weeks, f"at least {needed}, for the figures")
    if not isinstance(fitted, Mapping):
        raise InvalidInput("fitted", fitted, "a mapping of parameters to ranges, such as {trust.loss: [0.05, 0.3]}")
    made = fitted_factors(fitted, base)
    hyper = zip(HYPER, population.hyper, strict=True)
    made = (*made, *(Factor(name, "number", *ends) for name, ends in hyper if ends[0] < ends[1]))
    study = Calibration(base, made, population, waves, sets, draws, discrepancy, settings["seed"])
    most = -(-(sets * waves * population.organisations + (draws + 1) * population.surveyed) // population.organisations)
    plan = study.plan(plan_of(base, Points((), ()), 1, settings), np.tile(0.5, (most, len(made))), population.organisations, 0)
    check_points(plan, len(MATURITIES) * population.organisations)
    asked = {
        "kind": "waves", "waves": waves, "points": sets, "draws": draws, "discrepancy": discrepancy,
        "fitted": {f.name: [f.low, f.high] for f in made}, "population": dataclasses.asdict(population),
        "figures": {f.name: f.published for f in FIGURES},
        "maturities": {name: digest(load("maturity", name))[:16] for name in MATURITIES},
        "strategies": {name: digest(load("strategy", name))[:16] for name in population.strategies},
    }  # fmt: skip
    configuration = plan_record(plan, asked)
    marked = mark("calibrate", configuration)
    check_name("experiment", save_as, marked)
    parts = [
        f"{len(made)}parameters",
        f"{waves}x{sets}sets",
        f"{len(MATURITIES) * population.organisations}organisations",
        f"{base.weeks}w",
    ]

    def finish(console: Console, store: Store, plan: Plan) -> list[str]:
        if not store.concluded(configuration):
            conclude(store, plan, study, marked)
        show(console, store)
        if save_as:
            save("experiment", save_as, (store.folder / "calibrated.yaml").read_text(encoding="utf-8"))
            console.print(
                f"The chosen values are experiment={save_as} for all experiments: configs/experiment/{save_as}.yaml.", highlight=False
            )
        return ["figure.png", "figures.csv", "parameters.csv", "sets.csv", "posterior.csv", "calibrated.yaml"]

    return carry_out("calibrate", parts, plan, configuration, settings, finish, study.run)


def population_of(given: Any) -> Population:
    """The population from its settings, checked."""
    if not isinstance(given, Mapping):
        raise InvalidInput("population", given, "a mapping")
    given = dict(given)
    known = [f.name for f in dataclasses.fields(Population)]
    for name in given:
        if name not in known:
            raise InvalidInput(f"population.{name}", given[name], nearest(str(name), known))
    taken: dict[str, Any] = {}
    try:
        taken["organisations"] = take(given, "organisations", "count", 10, 10_000)
        taken["surveyed"] = take(given, "surveyed", "count", 10, 10_000)
        taken |= {key: range_of(given, key, *ends) for key, ends in RANGES.items()}
        taken |= {key: take(given, key, "number", 0, 1) for key in MATURITIES}
        taken |= {key: ages(given, key) for key in ("team_weeks", "scaling_weeks", "ebit_weeks")}
    except InvalidInput as error:
        raise InvalidInput(f"population.{error.key}", error.value, error.allowed) from None
    if abs(sum(taken[m] for m in MATURITIES) - 1) > 1e-9:
        raise InvalidInput("population", [taken[m] for m in MATURITIES], "shares of low, middle and high that add up to 1")
    strategies = STRATEGIES if given["strategies"] is None else given["strategies"]
    if not isinstance(strategies, Mapping) or not strategies:
        raise InvalidInput("population.strategies", strategies, "a mapping of strategies to their shares")
    for name, share in strategies.items():
        if name not in available("strategy"):
            raise InvalidInput("population.strategies", name, nearest(str(name), available("strategy")))
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InvalidInput(f"population.strategies.{name}", share, "a share above 0")
    if abs(sum(strategies.values()) - 1) > 1e-9:
        raise InvalidInput("population.strategies", round(sum(strategies.values()), 9), "shares that add up to 1")
    return Population(**taken, strategies={str(name): float(share) for name, share in strategies.items()})


RANGES = {"spread": (0, 3), "strictness": (0, 1), "pilot": (SHORTEST, 104)}


def range_of(given: Mapping[str, Any], key: str, least: float, most: float) -> tuple[float, float]:
    """A prior range of what the population is like: one number, or two."""
    value = given[key]
    ends = value if isinstance(value, list) else [value, value]
    if (
        len(ends) != 2
        or any(isinstance(v, bool) or not isinstance(v, int | float) for v in ends)
        or not least <= ends[0] <= ends[1] <= most
    ):
        raise InvalidInput(key, value, f"a number from {least} to {most}, or a range [low, high] of such numbers")
    return float(ends[0]), float(ends[1])


def ages(given: Mapping[str, Any], key: str) -> tuple[int, int]:
    """A range of ages [weeks]."""
    value = given[key]
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        or not 0 <= value[0] <= value[1] - 4
    ):
        raise InvalidInput(key, value, "a range of weeks [first, last], four weeks long or more")
    return value[0], value[1]


def fitted_factors(fitted: Mapping[str, Any], base: Parameters) -> tuple[Factor, ...]:
    """The fitted parameters, numbers with prior ranges."""
    try:
        made = numeric_factors(list(fitted), {n: r for n, r in fitted.items() if r is not None}, base, False)
    except InvalidInput as error:
        key = "fitted" if error.key == "over" else error.key.replace("ranges.", "fitted.")
        raise InvalidInput(key, error.value, error.allowed) from None
    for f in made:
        if f.kind != "number" or f.name.removeprefix("maturity.") in VARIED or f.name in CHOSEN:
            raise InvalidInput("fitted", f.name, "a number that is not what the organisations differ in")
    return made


@dataclass
class Calibration:
    """The waves, each a results folder of its own, and what was found."""

    base: Parameters
    made: tuple[Factor, ...]
    population: Population
    waves: int
    sets: int
    draws: int
    discrepancy: float
    seed: int
    tried: list[pd.DataFrame] = field(default_factory=list)
    emulators: list[Emulators] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    posterior: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    chosen: np.ndarray = field(default_factory=lambda: np.empty(0))

    def populations(self, unit: np.ndarray) -> np.ndarray:
        """The values of :data:`HYPER` at each parameter set, [sets, 3]."""
        fitted = {f.name: f.at(unit[:, j]) for j, f in enumerate(self.made)}
        fixed = dict(zip(HYPER, (ends[0] for ends in self.population.hyper), strict=True))
        return np.column_stack([np.broadcast_to(fitted.get(name, fixed[name]), len(unit)) for name in HYPER])

    def plan(self, plan: Plan, unit: np.ndarray, organisations: int, first: int) -> Plan:
        """Parameter sets (unit cube, [sets, d]) by organisation: set s, organisation o is point s O + o.

        Each set, numbered from ``first``, has organisations and luck of its own: an emulator that smooths over sets with the
        same luck would learn that luck (Chen, Ankenman & Nelson 2012).
        """
        count, size = len(unit), len(MATURITIES) * organisations
        members = pd.concat(
            [
                self.population.members(organisations, spread, strictness, pilot, (self.seed, first + k))
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
        offsets = np.arange(count * size) + first * 1_000_000
        return replace(plan, points=Points(tuple(factors), tuple(columns)), offsets=offsets)

    def run(self, plan: Plan, store: Store, workers: Workers) -> Plan:
        """All waves and the posterior; returns the plan of the posterior's runs."""
        from scipy.stats import qmc

        d, asked = len(self.made), self.population.organisations
        unit = qmc.LatinHypercube(d, rng=np.random.Generator(np.random.SFC64(self.seed))).random(self.sets)
        everything, figures, errors = np.empty((0, d)), np.empty((0, len(FIGURES))), np.empty((0, len(FIGURES)))
        for wave in range(self.waves):
            part = self.plan(plan, unit, asked, wave * self.sets)
            record = plan_record(part, {"kind": "wave", "sets": digest({"unit": unit.tolist()})})
            with Store("calibrate", store.folder / f"waves/{wave:02d}", record) as place:
                execute(part, place, workers, what=f"runs of wave {wave + 1} of {self.waves}")
                found, error = self.figures(place, len(unit), asked)
            whole = np.isfinite(found).all(axis=1)
            everything, figures, errors = (
                np.concatenate([a, b[whole]]) for a, b in ((everything, unit), (figures, found), (errors, error))
            )
            self.tried.append(self.table(unit, found).assign(wave=wave + 1))
            self.emulators.append(Emulators.fit(everything, figures, errors, self.seed))
            candidates = self.candidates(wave)
            self.left.append(candidates[1])
            unit = candidates[0]
        self.posterior = posterior(self.emulators[-1], unit, self.discrepancy, self.seed, asked / self.population.surveyed)
        self.chosen = self.likeliest()
        final = self.plan(plan, self.run_again(), self.population.surveyed, self.waves * self.sets)
        execute(final, store, workers, what="runs of the posterior")
        return final

    def candidates(self, wave: int) -> tuple[np.ndarray, float]:
        """Parameter sets for the next wave among those no wave leaves out, and the share of the prior that these are."""
        from scipy.stats import qmc

        rng = np.random.Generator(np.random.SFC64(self.seed + 1000 + wave))
        some = qmc.Sobol(len(self.made), rng=rng).random(1 << 14)
        kept = some[plausible(self.emulators, some, self.discrepancy)]
        share = len(kept) / len(some)
        if len(kept) < self.sets:  # little is left: the least implausible, by the latest emulators
            order = np.argsort(np.abs(self.emulators[-1].distance(some, self.discrepancy)).max(axis=1), kind="stable")
            kept = some[order[: 2 * self.sets]]
        return kept[rng.permutation(len(kept))[: self.sets]], share

    def run_again(self) -> np.ndarray:
        """The draws that are really run, and the chosen set as the last one, [draws + 1, d]."""
        return np.vstack([self.posterior[:: max(1, CHAINS // self.draws)][: self.draws], self.chosen])

    def likeliest(self) -> np.ndarray:
        """The posterior's mode with a preference for the middle of the prior, in the unit cube, [d].

        Of values that the figures do not tell apart the middle one is chosen: the density is multiplied by a normal
        one around the middle, with the standard deviation of the uniform prior.
        """
        from scipy.optimize import minimize

        emulator, noise = self.emulators[-1], self.population.organisations / self.population.surveyed

        def cost(unit: np.ndarray) -> float:
            return 0.5 * float((emulator.distance(unit[None], self.discrepancy, noise) ** 2).sum() + 12 * ((unit - 0.5) ** 2).sum())

        start = min(self.posterior, key=cost)
        return np.asarray(minimize(cost, start, method="L-BFGS-B", bounds=[(0, 1)] * len(self.made)).x)

    def figures(self, store: Store, sets: int, organisations: int) -> tuple[np.ndarray, np.ndarray]:
        """The figures of each parameter set's population [sets, figures], and their standard errors; NaN where a run failed."""
        size = len(MATURITIES) * organisations
        names = ["point", "week", "teams_trust_and_use", "units_live", "cumulative_net"]
        weekly = pd.concat([table.to_pandas() for table in read_shards(store.folder, WEEKS, names)]).sort_values(
            ["point", "week"], kind="stable"
        )
        runs = store.runs(["point", "maturity", "survived_three_years", "error"]).sort_values("point", kind="stable")
        week = np.sort(weekly["week"].unique())
        series = {name: np.full((sets * size, len(week)), np.nan) for name in names[2:]}
        row, column = weekly["point"].to_numpy(), np.searchsorted(week, weekly["week"].to_numpy())
        for name, table in series.items():
            table[row, column] = weekly[name].to_numpy(float)
        survived = runs["survived_three_years"].astype("Float64").to_numpy(float, na_value=np.nan)
        maturity = np.repeat(np.arange(len(MATURITIES)), organisations)
        each = figures_of(series, week, survived, np.tile(maturity, sets), self.population).reshape(sets, size, len(FIGURES))
        failed = np.isnan(series["cumulative_net"]).any(axis=1).reshape(sets, size).any(axis=1)
        found, errors = population_figures(each, maturity, self.population)
        found[failed] = np.nan
        return found, errors

    def table(self, unit: np.ndarray, found: np.ndarray) -> pd.DataFrame:
        """Parameter sets and their figures, a row a set."""
        frame = pd.DataFrame({f.name: f.at(unit[:, j]) for j, f in enumerate(self.made)})
        return frame.join(pd.DataFrame(found, columns=[f.name for f in FIGURES]))


# --------------------------------------------------------------------------- tables


PARAMETERS = {
    "parameter": "fitted parameter", "unit": "its unit", "default": "its default",
    "prior_low": "lowest value of the uniform prior", "prior_high": "highest value of the uniform prior",
    "calibrated": "its value in the chosen parameter set", "posterior_low": "5% quantile of the posterior", "posterior_high": "95% quantile of the posterior",
    "narrowed": "1 less posterior standard deviation over prior's: 0 where the figures say nothing about it",
}  # fmt: skip
COMPARED = {
    "figure": "published figure", "words": "what it is", "source": "who published it", "published": "its value",
    "model": "median of the posterior predictive distribution", "model_low": "5% quantile", "model_high": "95% quantile",
    "inside": "published value inside the 90% interval, at the whole per cents that were published", "chosen": "its value in the chosen parameter set",
}  # fmt: skip


UNITS = {SPREAD: "sd in logits and logs", STRICTNESS: "mean sponsorship", PILOT: "weeks"}


def conclude(store: Store, plan: Plan, study: Calibration, marked: str) -> None:
    """Write what was tried, the posterior, how it compares with the figures, the chosen values and the picture."""
    unit = study.run_again()
    found, _ = study.figures(store, len(unit), study.population.surveyed)
    whole = np.isfinite(found).all(axis=1)
    whole[-1] = False
    drawn = study.table(unit, found).assign(chosen=np.arange(len(unit)) == len(unit) - 1)
    low, middle, high = np.quantile(predictive(found[whole], study.discrepancy, study.seed), (0.05, 0.5, 0.95), axis=0)
    compared = pd.DataFrame(
        {
            "figure": [f.name for f in FIGURES], "words": [f.words for f in FIGURES], "source": [f.source for f in FIGURES],
            "published": TARGETS, "model": middle, "model_low": low, "model_high": high,
            "inside": (low.round(2) <= TARGETS) & (high.round(2) >= TARGETS),  # they are published as whole per cents
            "chosen": found[-1],
        }
    )  # fmt: skip
    prior = 1 / np.sqrt(12)
    parameters = pd.DataFrame(
        {
            "parameter": [f.name for f in study.made],
            "unit": [UNITS[f.name] if f.name in HYPER else RECORDS[f.name].unit for f in study.made],
            "default": [np.nan if f.name in HYPER else RECORDS[f.name].default for f in study.made],
            "prior_low": [f.low for f in study.made], "prior_high": [f.high for f in study.made],
            "calibrated": [float(drawn[f.name].iloc[-1]) for f in study.made],
            "posterior_low": [float(f.at(np.quantile(study.posterior[:, j], 0.05))) for j, f in enumerate(study.made)],
            "posterior_high": [float(f.at(np.quantile(study.posterior[:, j], 0.95))) for j, f in enumerate(study.made)],
            "narrowed": 1 - study.posterior.std(axis=0) / prior,
        }
    )  # fmt: skip
    tried = pd.concat(study.tried, ignore_index=True)
    posterior_table = pd.DataFrame({f.name: f.at(study.posterior[:, j]) for j, f in enumerate(study.made)})
    waves = pd.DataFrame({"wave": np.arange(1, study.waves + 1), "left": study.left})
    write_dictionary(store, plan)
    names = (
        {f.name: f.words for f in FIGURES}
        | {f.name: "fitted parameter" for f in study.made}
        | {"wave": "wave", "chosen": "whether these are the chosen values"}
    )
    for name, frame, meanings in (
        ("figures", compared, COMPARED),
        ("parameters", parameters, PARAMETERS),
        ("sets", tried, names),
        ("draws", drawn, names),
        ("posterior", posterior_table, names),
        ("waves", waves, {"wave": "wave", "left": "share of the prior that no wave so far leaves out"}),
    ):
        store.parquet(f"{name}.parquet", frame)
        store.csv(f"{name}.csv", frame)
        also_describe(store, name, frame, meanings)
    store.text("calibrated.yaml", preset_text(parameters, marked))
    calibrate_figure(store.folder)


def predictive(found: np.ndarray, discrepancy: float, seed: int) -> np.ndarray:
    """What the surveys could have said: the posterior's figures [draws, figures] with the discrepancy that the fit allows, too.

    What the likelihood lets the model be off by is part of what it predicts (Kennedy & O'Hagan 2001): [draws × 1000, figures].
    """
    rng = np.random.Generator(np.random.SFC64(seed))
    return np.asarray((found + discrepancy * rng.standard_normal((1000, *found.shape))).reshape(-1, found.shape[1]))


def preset_text(parameters: pd.DataFrame, marked: str) -> str:
    """The chosen values as a file of ``configs/experiment``, each with its posterior range."""
    lines = [
        "# @package _global_",
        marked,
        "# The likeliest values, near the middle of the prior where the figures do not say; the posterior from 5% to 95%.",
    ]
    open_groups: list[str] = []
    for _, row in parameters[~parameters["parameter"].isin(HYPER)].sort_values("parameter").iterrows():
        *groups, name = row["parameter"].split(".")
        for depth, group in enumerate(groups):
            if open_groups[: depth + 1] != groups[: depth + 1]:
                lines.append(f"{'  ' * depth}{group}:")
        open_groups = groups
        posterior = f"posterior {row['posterior_low']:.3g} to {row['posterior_high']:.3g}"
        lines.append(f"{'  ' * len(groups)}{name}: {float(row['calibrated']):.4g}  # {row['unit']}; {posterior}")
    return "\n".join(lines) + "\n"


def short(value: float) -> str:
    """A number in three digits that count, and none in powers of ten."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}"


def show(console: Console, store: Store) -> None:
    """Print the figures against the published ones, and what the figures say about the parameters."""
    figures, parameters, waves = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("figures", "parameters", "waves"))
    table = Table(title="Published figures and the calibrated model, 90% posterior predictive interval", title_justify="left")
    for head in ("figure", "published", "model", "inside", "width", "chosen"):
        table.add_column(head, justify="left" if head == "figure" else "right")
    for _, row in figures.iterrows():
        table.add_row(
            row["words"], f"{row['published']:.0%}", f"{row['model']:.0%} [{row['model_low']:.0%}, {row['model_high']:.0%}]",
            "yes" if row["inside"] else "no", f"{100 * (row['model_high'] - row['model_low']):.0f} points", f"{row['chosen']:.0%}",
        )  # fmt: skip
    console.print(table)
    table = Table(title="What the figures say about the parameters: posterior, 5% to 95%", title_justify="left")
    for head in ("parameter", "default", "prior", "posterior", "chosen", "narrowed by"):
        table.add_column(head, justify="left" if head == "parameter" else "right")
    for _, row in parameters.sort_values("narrowed", ascending=False).iterrows():
        table.add_row(
            row["parameter"], "–" if np.isnan(row["default"]) else short(row["default"]), f"{short(row['prior_low'])} to {short(row['prior_high'])}",
            f"{short(row['posterior_low'])} to {short(row['posterior_high'])}", short(row["calibrated"]), f"{max(0.0, row['narrowed']):.0%}",
        )  # fmt: skip
    console.print(table)
    left = ", ".join(f"{share:.2%}" for share in waves["left"])
    console.print(f"Share of the prior that is left after each wave: {left}.", highlight=False)


if __name__ == "__main__":
    main("calibrate", calibrate)
