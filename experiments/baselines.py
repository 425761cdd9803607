"""Three simpler models, asked what the full model is asked: what would they have got wrong?

``python -m experiments.baselines`` runs organisations under several strategies, shows their first weeks to three baselines, and
compares what these say of the rest with what the full model does. The full model stands for what «would happen»: a difference says
what a baseline leaves out, not that the full model is right. The published figures are the only yardstick from outside.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from scipy.optimize import OptimizeWarning, curve_fit

from experiments.calibrate import FIGURES, MATURITIES, RANGES, Population, figures_of, population_figures, population_of
from experiments.lab import executors
from experiments.lab.config import main, read_experiment, take
from experiments.lab.output import digest
from experiments.lab.runner import parameters_at
from experiments.lab.statistics import RESAMPLES, mean, share
from experiments.lab.storage import RUNS, Store, write_shard
from experiments.lab.study import carry_out_jobs, describe_tables, digest_of_code
from sim import RolloutModel
from sim._numba import SOURCES
from sim.configuration import from_mapping, vary
from sim.parameters import CAPABILITIES, PHASES, Parameters
from sim.presets import load
from sim.schema import InvalidInput
from sim.views.figures.baselines import LABELS, baselines_figure
from sim.views.words import bounded, strategy_label

BASELINES = ("bass", "success", "mixed")
BLOCK = 10  # seeds, or organisations, a shard
EVERY = 4  # weeks of the population that are kept, as the calibration takes them
#: Reliance that ends at this share of its highest or below has decayed; a highest below the least counts as nothing to lose.
DECAYED, LEAST = 0.8, 0.02
SERIES = ("reliance", "teams", "net", "units_live", "units_retired")


# --------------------------------------------------------------------------- the baselines


def bass(t: np.ndarray, m: float, p: float, q: float) -> np.ndarray:
    """Adoption after t weeks (Bass 1969): of a share m that will ever adopt, by innovation p and imitation q a week."""
    decay = np.exp(-(p + q) * t)
    return m * (1 - decay) / (1 + q / p * decay)


def bass_fitted(seen: np.ndarray) -> tuple[float, float, float]:
    """m, p and q of the least-squares fit to adoption seen week by week [weeks], the best of some starts; m is at most 1."""
    t = np.arange(1.0, len(seen) + 1)
    top = float(np.clip(seen.max(), 1e-3, 1.0))
    best, found = np.inf, (0.0, 1e-6, 0.0)
    for start in ((top, 0.05, 0.1), (min(1.0, 2 * top), 0.01, 0.3), (1.0, 0.005, 0.05)):
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.simplefilter("ignore", OptimizeWarning)
            try:
                fitted, _ = curve_fit(bass, t, seen, start, bounds=((0, 1e-6, 0), (1, 1, 2)), max_nfev=500)
            except RuntimeError:
                continue
        off = float(((bass(t, *fitted) - seen) ** 2).sum())
        if off < best:
            best, found = off, (float(fitted[0]), float(fitted[1]), float(fitted[2]))
    return found


def bass_series(weekly: np.ndarray, observed: int, units: int) -> tuple[dict[str, np.ndarray], float]:
    """What a Bass curve says of a run seen for some weeks: the series of a run, as seen and then as extrapolated, and m.

    A curve of adoption knows nothing else. Teams and value less planners' time are taken in proportion to adoption, at the ratio of
    their sums over the weeks seen; all other costs as the mean of these weeks. More adopters than one unit has planners count as
    roll-out: two units live, else one.

    Args:
        weekly: records of the run (:data:`sim.state.WEEK`).
        observed: weeks that are seen.
        units: business units of the organisation.
    """
    seen = weekly[:observed]
    m, p, q = bass_fitted(seen["reliance"])
    curve = bass(np.arange(observed + 1.0, len(weekly) + 1), m, p, q)
    adopted = float(seen["reliance"].sum())
    teams, value = (
        (float(total) / adopted if adopted > 0 else 0.0)
        for total in (seen["teams_trust_and_use"].sum(), (seen["value"] - seen["friction"]).sum())
    )
    fixed = float((seen["central_cost"] + seen["running_cost"] + seen["own_cost"]).mean())
    said = {
        "reliance": curve,
        "teams": np.minimum(1.0, teams * curve),
        "net": value * curve - fixed,
        "units_live": np.where(curve > 1.0 / units, 2.0, 1.0),
        "units_retired": np.zeros(len(curve)),
    }
    known = series_of(weekly)
    return {name: np.concatenate([known[name][:observed], said[name]]) for name in SERIES}, m


def success_alone(p: Parameters) -> Parameters:
    """«Success breeds commitment», and nothing else: planners use what their leader backs, and the leader backs visible success.

    The whole weight of the decision (trust, fit, peers, norm, habit, sponsor) is the sponsor's; thresholds and the freedom to adjust
    stay. All success is visible. There is no platform: what a strategy would spend on it goes to the model, no unit waits for it, and
    it relieves, carries, repairs, refreshes and explains nothing. Data are as bad as they are, support by hand helps as it does.
    Trust is no part of the story: a team that uses the forecast counts as one that trusts it, too.
    """
    weight = sum(getattr(p.utility, name) for name in ("trust", "fit", "peer", "norm", "habit", "sponsor"))
    changes: dict[str, Any] = {f"utility.{name}": 0.0 for name in ("trust", "fit", "peer", "norm", "habit")}
    changes |= {"utility.sponsor": min(50.0, weight), "sponsor.visible_unmonitored": 1.0, "platform.relief": 0.0, "platform.dashboard": 1.0}
    changes |= dict.fromkeys(("support.carrying", "support.channel", "correction.repair", "correction.refresh"), 0.0)
    changes |= dict.fromkeys(("trust.governance", "trust.unused", "trust.peer", "habit.explained", "strategy.readiness_gate"), 0.0)
    changes |= {"strategy.allocation": "fixed", "outcomes.trust": 0.0}
    for phase in PHASES:
        shares = getattr(p.strategy.effort, phase)
        changes |= {f"strategy.effort.{phase}.{name}": 0.0 for name in CAPABILITIES}
        changes[f"strategy.effort.{phase}.model"] = 1.0 - shares.workflow
    return vary(p, changes)


def well_mixed(p: Parameters) -> Parameters:
    """The mean field: one population in which all are alike and everyone sees everyone.

    It runs the model's own rules in its own engine, rather than as equations of the mean, for gates, waves and reviews act on units,
    which stay. Units, products and planners have no differences but the shocks they meet; a unit is one team; a planner's peers are
    the whole enterprise, or 1,000 drawn from it where it is larger. The mean effort of black swans is kept.
    """
    size = p.enterprise
    everyone = size.units * size.teams * size.users <= 1001
    changes: dict[str, Any] = {"enterprise.teams": 1, "enterprise.users": size.teams * size.users, "enterprise.spend_spread": 0.0}
    changes |= {f"maturity.{name}_spread": 0.0 for name in ("unit", "team", "user")}
    changes |= dict.fromkeys(("forecast.difficulty_spread", "forecast.planner_spread", "platform.overrun_spread", "platform.swan"), 0.0)
    changes |= {"utility.threshold_spread": 0.0, "utility.experience": 0.0}
    changes |= {
        f"platform.local_{k}": getattr(p.platform, f"local_{k}") * (1 + p.platform.swan * p.platform.swan_size) for k in CAPABILITIES
    }
    changes |= {"network.kind": "small_world", "network.ties": 1000, "network.rewired": 0.0 if everyone else 1.0}
    return vary(p, changes)


def series_of(weekly: np.ndarray) -> dict[str, np.ndarray]:
    """The series that are compared, of a run's weekly records; each [weeks]."""
    named = {name: name for name in SERIES} | {"teams": "teams_trust_and_use"}
    return {name: weekly[column].astype(float) for name, column in named.items()}


# --------------------------------------------------------------------------- running


def all_four(p: Parameters, seed: int, observed: int) -> dict[str, tuple[dict[str, np.ndarray], float, float]]:
    """The model and the baselines on one organisation with the same luck: series, m (Bass), and three years in production (0 or 1)."""
    found = {}
    for name, parameters in (("model", p), ("success", success_alone(p)), ("mixed", well_mixed(p))):
        run = RolloutModel(parameters=parameters, rng=seed).run()
        survived = run.outcome["survived_three_years"]
        found[name] = (series_of(run.state.weekly), np.nan, np.nan if survived is None else float(survived))
        if name == "model":
            said, m = bass_series(run.state.weekly, observed, p.enterprise.units)
            out = np.nonzero(said["units_live"] >= 2)[0]
            lasted = len(out) > 0 and out[-1] - out[0] + 1 >= p.outcomes.survival
            found["bass"] = (said, m, float(lasted))
    return found


SCHEMA = pa.schema(
    [("part", pa.string()), ("source", pa.string()), ("strategy", pa.string()), ("number", pa.int64()), ("seed", pa.uint64()), ("week", pa.int64()),
     *[(name, pa.float64()) for name in SERIES], ("market", pa.float64()), ("survived", pa.float64()), ("error", pa.string())]
)  # fmt: skip


def measure(job: Mapping[str, Any]) -> dict[str, Any]:
    """In a worker: run model and baselines on a block of organisations, write their series as one shard; returns its receipt."""
    if job["model"] != SOURCES:
        raise InvalidInput("executor", f"a worker with model {job['model'][:12]}", "this project as it is here, on every worker")
    clock, failed, tables = time.process_time(), 0, []
    for item in job["items"]:
        labels = {"part": job["part"], "strategy": item["point"]["strategy"], "number": item["number"], "seed": item["seed"]}
        try:
            found = all_four(parameters_at(job["values"], item["point"]), item["seed"], job["observed"])
            for source, (series, m, survived) in found.items():
                week = np.arange(0, len(series["net"]), EVERY if job["part"] == "population" else 1)
                kept = series | {"net": np.cumsum(series["net"])}  # from here on: net value so far
                columns = {name: values[week] for name, values in kept.items()}
                same = {**labels, "source": source, "market": m, "survived": survived, "error": ""}
                tables.append(pd.DataFrame({**same, "week": week, **columns}))
        except Exception as error:  # recorded as failed, and never as a value
            failed += 1
            tables.append(pd.DataFrame([{**labels, "error": " ".join(f"{type(error).__name__}: {error}".split())[:500]}]))
    frame = pd.concat([table.reindex(columns=SCHEMA.names) for table in tables], ignore_index=True)
    checksum, _ = write_shard(Path(job["folder"]), RUNS, job["shard"], pa.Table.from_pandas(frame, SCHEMA, preserve_index=False))
    return {
        "shard": job["shard"], "first": job["first"], "runs": job["runs"], "failed": failed, "attempts": 1,
        "seconds": time.process_time() - clock, "files": {f"{RUNS}/part-{job['shard']:06d}.parquet": checksum},
    }  # fmt: skip


def jobs_of(
    values: str, strategies: list[str], seed: int, seeds: int, observed: int, population: Population | None
) -> list[dict[str, Any]]:
    """Blocks of organisations, numbered: every strategy with every seed, then the population of the published figures."""
    items = [("strategies", {"point": {"strategy": s}, "number": k, "seed": seed + k}) for k in range(seeds) for s in strategies]
    if population:
        members = population.one(seed).to_dict("records")
        items += [("population", {"point": dict(member), "number": k, "seed": seed + k}) for k, member in enumerate(members)]
    jobs: list[dict[str, Any]] = []
    first = 0
    for part, group in itertools.groupby(items, lambda item: item[0]):
        for block in itertools.batched((item for _, item in group), BLOCK):
            runs = 3 * len(block)
            jobs.append({"shard": len(jobs), "first": first, "runs": runs, "part": part, "items": block, "values": values, "observed": observed, "model": SOURCES})  # fmt: skip
            first += runs
    return jobs


# --------------------------------------------------------------------------- analysis


def arrays(runs: pd.DataFrame, strategies: list[str]) -> tuple[dict[tuple[str, str], dict[str, np.ndarray]], np.ndarray]:
    """Series by source and strategy, each [seeds, weeks], of the seeds of which no run failed; and these seeds."""
    rows = runs[runs["part"] == "strategies"]
    bad = set(rows.loc[rows["error"] != "", "seed"])
    rows = rows[~rows["seed"].isin(bad)].sort_values(["source", "strategy", "seed", "week"], kind="stable")
    weeks = rows["week"].nunique()
    found = {}
    for (source, strategy), cell in rows.groupby(["source", "strategy"], sort=False):
        found[str(source), str(strategy)] = {name: cell[name].to_numpy().reshape(-1, weeks) for name in SERIES}
    return {(s, k): found[s, k] for s in ("model", *BASELINES) for k in strategies if (s, k) in found}, np.sort(rows["seed"].unique())


def errors(found: Mapping[tuple[str, str], dict[str, np.ndarray]], strategies: list[str], observed: int) -> pd.DataFrame:
    """A row a baseline, strategy and measure: off the model, with 95% intervals over seeds (Student).

    ``by_week`` is the mean absolute error of adoption over the weeks asked for, per seed. The other measures are of the last week:
    the model's mean, the baseline's less the model's with the same luck, and the mean of its size. Net value counts as seen for
    the weeks that were, and as the baseline has it from then on. ``spread`` is the standard deviation between runs over the
    model's, with a bootstrap interval over seeds; missing where the model's runs do not differ.
    """
    rows = []
    for baseline in BASELINES:
        for strategy in strategies:
            model, said = found["model", strategy], found[baseline, strategy]
            n = len(model["net"])
            weekly = np.abs(said["reliance"] - model["reliance"])[:, observed:].mean(axis=1)
            rows.append((baseline, strategy, "by_week", np.nan, np.nan, np.nan, np.nan, *mean(weekly), np.nan, np.nan, np.nan))
            ends = {name: (model[name][:, -1], said[name][:, -1]) for name in ("reliance", "teams")}
            ends["net"] = (model["net"][:, -1], model["net"][:, observed - 1] + said["net"][:, -1] - said["net"][:, observed - 1])
            drawn = np.random.Generator(np.random.SFC64(1)).integers(0, n, (RESAMPLES, n))
            for name, (a, b) in ends.items():
                spread = (np.nan,) * 3
                if a.std() > 1e-12:
                    with np.errstate(divide="ignore", invalid="ignore"):
                        ratios = b[drawn].std(axis=1) / a[drawn].std(axis=1)
                    low, high = np.quantile(ratios[np.isfinite(ratios)], (0.025, 0.975))
                    spread = (float(b.std() / a.std()), float(low), float(high))
                rows.append((baseline, strategy, name, float(a.mean()), *mean(b - a), *mean(np.abs(b - a)), *spread))
    columns = ["baseline", "strategy", "measure", "model"]
    columns += [f"{name}{end}" for name in ("off", "absolute", "spread") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def shows(found: Mapping[tuple[str, str], dict[str, np.ndarray]], strategies: list[str], p: Parameters) -> pd.DataFrame:
    """Share of runs of each source and strategy that end in partial adoption, on a plateau, decayed, or with a unit retired (Wilson)."""
    rows = []
    for source in ("model", *BASELINES):
        for strategy in strategies:
            reliance, retired = found[source, strategy]["reliance"], found[source, strategy]["units_retired"][:, -1] > 0
            end, before = reliance[:, -1], reliance[:, max(0, reliance.shape[1] - 27)]
            seen = {
                "partial": (end >= p.outcomes.purgatory) & (end < p.outcomes.scaled),
                "plateau": (end > 0.1) & (end < 0.9) & (np.abs(end - before) < 0.05),  # as the pattern of that name
                "decay": (reliance.max(axis=1) >= LEAST) & (end <= DECAYED * reliance.max(axis=1)),
                "retirement": retired,
            }
            for behaviour, happened in seen.items():
                rows.append((source, strategy, behaviour, len(happened), *share(float(happened.sum()), len(happened))))
    return pd.DataFrame(rows, columns=["source", "strategy", "behaviour", "runs", "share", "share_low", "share_high"])


def ranking(found: Mapping[tuple[str, str], dict[str, np.ndarray]], strategies: list[str], observed: int) -> pd.DataFrame:
    """A row a source and measure: strategies from best to worst by the mean, and in how many pairs and seeds it has the model's order.

    A pair in which the model has no difference is left out; one in which only the baseline has none counts half.
    """
    rows = []
    for measured in ("net", "reliance"):
        last = {}
        for source in ("model", *BASELINES):
            for s in strategies:
                values, model = found[source, s][measured], found["model", s][measured]
                known = model[:, observed - 1] - values[:, observed - 1] if measured == "net" else 0.0
                last[source, s] = values[:, -1] + known
        order = {source: sorted(strategies, key=lambda s: -float(last[source, s].mean())) for source in ("model", *BASELINES)}
        for source in ("model", *BASELINES):
            agreed = []
            for a, b in itertools.combinations(strategies, 2):
                wanted, got = (np.sign(last[of, a] - last[of, b]) for of in ("model", source))
                agreed.append(np.where(wanted == 0, np.nan, np.where(got == 0, 0.5, got == wanted)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a seed in which all strategies end alike
                by_seed = np.nanmean(np.array(agreed), axis=0) if agreed else np.array([np.nan])
            by_seed = by_seed[~np.isnan(by_seed)]
            low, middle, high = (np.nan,) * 3
            if len(by_seed):
                middle, low, high = mean(by_seed)
            rows.append(
                (source, measured, " > ".join(order[source]), order[source] == order["model"], middle, max(0.0, low), min(1.0, high))
            )
    return pd.DataFrame(rows, columns=["source", "measure", "order", "as_model", "agreed", "agreed_low", "agreed_high"])


def published(runs: pd.DataFrame, population: Population, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The published figures as the population of the calibration gives them, with 95% intervals over organisations.

    Returns:
        A row a source and figure; and a row a source: its mean distance from the figures, and that less the model's on the same
        organisations, with bootstrap intervals over organisations of each maturity.
    """
    rows = runs[runs["part"] == "population"]
    bad = set(rows.loc[rows["error"] != "", "number"])
    maturity = np.array([MATURITIES.index(m) for m in population.one(seed)["maturity"]])
    kept = np.array([k for k in range(len(maturity)) if k not in bad])
    drawn = np.random.Generator(np.random.SFC64(seed)).random((RESAMPLES, len(kept)))
    for m in range(len(MATURITIES)):  # an organisation stands for one of its own maturity
        of = np.nonzero(maturity[kept] == m)[0]
        drawn[:, of] = of[(drawn[:, of] * len(of)).astype(int)]
    made, distances = [], {}
    for source in ("model", *BASELINES):
        cell = rows[(rows["source"] == source) & ~rows["number"].isin(bad)].sort_values(["number", "week"], kind="stable")
        week = np.sort(cell["week"].unique())
        named = {"teams_trust_and_use": "teams", "units_live": "units_live", "cumulative_net": "net"}
        weekly = {name: cell[column].to_numpy().reshape(-1, len(week)) for name, column in named.items()}
        survived = cell["survived"].to_numpy().reshape(-1, len(week))[:, 0]
        each = figures_of(weekly, week, survived, maturity[kept], population)
        values, error = population_figures(each[None], maturity[kept], population)
        off, _ = population_figures(np.concatenate([each[None], each[drawn.astype(int)]]), maturity[kept], population)
        distances[source] = np.abs(off - np.array([figure.published for figure in FIGURES])).mean(axis=1)
        for k, figure in enumerate(FIGURES):
            value, half = float(values[0, k]), 1.96 * float(error[0, k])
            made.append(
                (
                    source,
                    figure.name,
                    figure.words,
                    figure.published,
                    value,
                    max(0.0, value - half),
                    min(1.0, value + half),
                    value - figure.published,
                )
            )
    away = []
    for source, values in distances.items():
        more = values - distances["model"]
        ends = [np.quantile(x[1:], (0.025, 0.975)) for x in (values, more)]
        away.append((source, float(values[0]), *map(float, ends[0]), float(more[0]), *map(float, ends[1])))
    columns = ["source", "distance", "distance_low", "distance_high", "more", "more_low", "more_high"]
    figures = pd.DataFrame(made, columns=["source", "figure", "words", "published", "value", "value_low", "value_high", "away"])
    return figures, pd.DataFrame(away, columns=columns)


# --------------------------------------------------------------------------- the command


def baselines(values: dict[str, Any]) -> int:
    """Run model and baselines, print what each gets wrong, write the results folder."""
    seed, seeds = take(values, "seed", "seed"), take(values, "seeds", "count", 2, 10_000)
    strategies, observed = take(values, "strategies", "names"), take(values, "observed", "count", 4, 5199)
    organisations, output = take(values, "organisations", "count", 0, 10_000), take(values, "output", "text")
    like = {key: take(values, key, "number", *ends) for key, ends in RANGES.items()}
    settings = {"seed": seed, "seeds": seeds, "output": output, "workers": executors.from_settings(values.pop("executor"))}
    for name in strategies:
        load("strategy", name)
    base = from_mapping(values)
    if observed >= base.weeks:
        raise InvalidInput("observed", observed, f"fewer weeks than the horizon, {base.weeks}")
    if base.enterprise.source != "generated" or base.network.kind in ("edges", "graph"):
        raise InvalidInput("enterprise.source", base.enterprise.source, "a generated enterprise and network: the mean field changes both")
    population = None
    if organisations:
        if organisations < 10:
            raise InvalidInput("organisations", organisations, "0, or a whole number from 10 to 10000")
        population = population_of({**read_experiment("calibrate")["population"], **like, "organisations": organisations})
        needed = max(population.team_weeks[1], population.scaling_weeks[1], population.ebit_weeks[1], base.outcomes.survival)
        if base.weeks < needed:
            raise InvalidInput("weeks", base.weeks, f"at least {needed}, for the published figures, or organisations=0")
    text = json.dumps(values, sort_keys=True)
    for name in strategies:  # what cannot be used is said now, in one line
        p = parameters_at(text, {"strategy": name})
        for parameters in (p, success_alone(p), well_mixed(p)):
            RolloutModel(parameters=parameters, rng=seed)
    configuration = {
        "parameters": values, "strategies": {name: digest(load("strategy", name))[:16] for name in strategies}, "observed": observed,
        "seeds": seeds, "seed": seed, "model": SOURCES, "population": dataclasses.asdict(population) if population else None,
        "code": digest_of_code(bass, bass_fitted, bass_series, success_alone, well_mixed, all_four, measure, Population),
    }  # fmt: skip
    jobs = jobs_of(text, strategies, seed, seeds, observed, population)

    def finish(console: Console, store: Store, runs: pd.DataFrame) -> list[str]:
        found, kept = arrays(runs, strategies)
        if len(kept) < 2:
            console.print("Fewer than two seeds are without a failed run: there is nothing to compare.", highlight=False)
            return []
        if not store.concluded(configuration):
            tables = {"errors": errors(found, strategies, observed), "shows": shows(found, strategies, base), "ranking": ranking(found, strategies, observed)}  # fmt: skip
            tables["adoption"] = adoption(found, strategies)
            if population:
                tables["figures"], tables["distances"] = published(runs, population, seed)
            describe_tables(store, tables | {RUNS: runs}, MEANINGS)
            baselines_figure(store.folder)
        show(console, store, strategies, observed, len(kept), base.weeks)
        names = ["errors", "shows", "ranking", "adoption", *(["figures", "distances"] if population else [])]
        return ["figure.png", *(f"{name}.csv" for name in names)]

    parts = ["+".join(strategies), f"{observed}of{base.weeks}w", f"{seeds}x"]
    return carry_out_jobs("baselines", parts, jobs, configuration, settings, finish)


MEANINGS = {
    "part": "strategies: every strategy with every seed; population: the organisations of the published figures", "source": "model, or a baseline: bass, success, mixed",
    "baseline": "bass: curve fitted to the weeks seen; success: success breeds commitment alone; mixed: mean field", "strategy": "strategy",
    "number": "number of the organisation", "seed": "seed of the run", "week": "week, from 0", "reliance": "share of planners relying", "teams": "share of teams that trust and use",
    "net": "cumulative net value [EUR]", "units_live": "units live; of bass: 2 where more rely than one unit has planners", "units_retired": "units that gave up",
    "market": "of bass: share that will ever adopt, as fitted", "survived": "three years in production, 1 or 0", "error": "empty, or why the run failed",
    "measure": "reliance, teams or net at the end; by_week: adoption over the weeks asked for", "model": "the full model's mean", "off": "baseline less model, mean over seeds",
    "spread": "standard deviation between runs, baseline's over the model's", "behaviour": "partial adoption, plateau, decay or retirement",
    "runs": "number of runs", "share": "share of runs that show it", "order": "strategies from best to worst by the mean", "as_model": "the same order as the model's",
    "agreed": "share of pairs of strategies, over seeds, in the model's order", "figure": "published figure", "words": "what it is", "published": "its value",
    "value": "what the source gives", "away": "that less the published value", "absolute": "mean absolute error", "distance": "mean absolute distance from the published figures", "more": "that less the model's", "mean": "mean over runs", "p10": "lowest tenth of runs ends here", "p90": "highest tenth begins here",
}  # fmt: skip


def adoption(found: Mapping[tuple[str, str], dict[str, np.ndarray]], strategies: list[str]) -> pd.DataFrame:
    """Adoption by source, strategy and week: mean over runs with its 95% interval, and the middle 80% of runs."""
    tables = []
    for source in ("model", *BASELINES):
        for strategy in strategies:
            curves = found[source, strategy]["reliance"]
            middle, half = curves.mean(axis=0), 1.96 * curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
            low, high = np.quantile(curves, (0.1, 0.9), axis=0)
            tables.append(pd.DataFrame({"source": source, "strategy": strategy, "week": np.arange(len(middle)), "mean": middle, "mean_low": middle - half, "mean_high": middle + half, "p10": low, "p90": high}))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


# --------------------------------------------------------------------------- printing


def points(value: float) -> str:
    """A difference of shares in points, with its sign."""
    return f"{100 * value:+.0f}".replace("-", "−") if abs(value) >= 0.005 else "0"


def show(console: Console, store: Store, strategies: list[str], observed: int, seeds: int, weeks: int) -> None:
    """Print the tables, and a sentence a baseline."""
    off, behaviour, ranks = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("errors", "shows", "ranking"))
    rows: Mapping[Any, Any] = off.set_index(["strategy", "baseline", "measure"]).to_dict("index")
    table = Table(title=f"{seeds} organisations, seen for {observed} weeks, asked for the other {weeks - observed}: off the full model [95% interval]", title_justify="left")  # fmt: skip
    for head in ("", "by week", "relying, end", "teams, end", "net value, €M", "spread"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for strategy in strategies:
        of_model = {name: rows[strategy, BASELINES[0], name]["model"] for name in ("reliance", "teams", "net")}
        table.add_row(
            strategy_label(strategy),
            "",
            f"{of_model['reliance']:.0%}",
            f"{of_model['teams']:.0%}",
            of_millions(of_model["net"]).lstrip("+"),
            "",
        )
        for baseline in BASELINES:
            week, end, teams, net = (rows[strategy, baseline, name] for name in ("by_week", "reliance", "teams", "net"))
            table.add_row(
                f"  {LABELS[baseline]}", bounded(week, "absolute", lambda v: f"{100 * v:.0f}"), bounded(end, "off", points), bounded(teams, "off", points),
                bounded(net, "off", of_millions), "–" if np.isnan(end["spread"]) else f"{end['spread']:.1f}×",
            )  # fmt: skip
    console.print(table, highlight=False)
    console.print(
        "First the full model's own. By week: mean absolute error of adoption. By week, relying and teams are in points; spread is "
        "that of planners relying at the end between runs, over the model's.",
        highlight=False,
    )
    shown: Mapping[Any, Any] = behaviour.groupby(["source", "behaviour"])["share"].mean().to_dict()
    ranked: Mapping[Any, Any] = ranks.set_index(["source", "measure"]).to_dict("index")
    table = Table(title="Runs that show it at the end, and the ranking of strategies by net value", title_justify="left")
    for head in ("", *BEHAVIOURS.values(), "pairs as the model"):
        table.add_column(head, justify="right" if head else "left")
    for source in ("model", *BASELINES):
        cells = ["–" if (source, name) == ("bass", "retirement") else f"{shown[source, name]:.0%}" for name in BEHAVIOURS]
        row = ranked[source, "net"]
        agreed = "" if source == "model" else "–" if np.isnan(row["agreed"]) else bounded(row, "agreed", lambda v: f"{v:.0%}")
        table.add_row(LABELS[source], *cells, agreed)
    console.print(table, highlight=False)
    for source in ("model", *BASELINES):
        console.print(f"  {LABELS[source]}, best to worst: {strategy_label(ranked[source, 'net']['order'])}.", highlight=False)
    away: Mapping[Any, Any] = {}
    if (store.folder / "figures.parquet").is_file():
        away = pd.read_parquet(store.folder / "distances.parquet").set_index("source").to_dict("index")
        figures = pd.read_parquet(store.folder / "figures.parquet")
        value: Mapping[Any, Any] = figures.set_index(["source", "figure"])["value"].to_dict()
        table = Table(title="Published figures, and what a population of organisations gives", title_justify="left")
        for head in ("", "published", *(LABELS[s] for s in ("model", *BASELINES))):
            table.add_column(head, justify="right" if head else "left")
        for figure in FIGURES:
            table.add_row(figure.words, f"{figure.published:.0%}", *(f"{value[s, figure.name]:.0%}" for s in ("model", *BASELINES)))
        table.add_row("mean distance, points", "", *(f"{100 * away[s]['distance']:.0f}" for s in ("model", *BASELINES)))
        console.print(table, highlight=False)
    for baseline in BASELINES:
        console.print(sentence(baseline, off, shown, ranked, away), highlight=False)


BEHAVIOURS = {"partial": "partial adoption", "plateau": "a plateau", "decay": "decay", "retirement": "retirement"}


def of_millions(value: float) -> str:
    """EUR in millions, with its sign."""
    return f"{value / 1e6:+.{0 if abs(value) >= 1e7 else 1}f}".replace("-", "−")


def sentence(baseline: str, off: pd.DataFrame, shown: Mapping[Any, Any], ranked: Mapping[Any, Any], away: Mapping[Any, Any]) -> str:
    """What a baseline gets wrong, from its numbers."""
    rows = off[off["baseline"] == baseline]
    ends = rows[rows["measure"] == "reliance"].to_dict("records")
    worst: Mapping[Any, Any] = max(ends, key=lambda row: abs(row["off"]))
    by_week = rows.loc[rows["measure"] == "by_week", "absolute"].mean()
    direction = "high" if worst["off"] > 0 else "low"
    said = [
        f"{LABELS[baseline][0].upper()}{LABELS[baseline][1:]}: adoption is {100 * by_week:.0f} points off in a mean week, and at the end under "
        f"{strategy_label(worst['strategy'])}, where it errs most, {abs(100 * worst['off']):.0f} points too {direction}."
    ]
    net = ranked[baseline, "net"]
    order = "It ranks the strategies as the model does" if net["as_model"] else "It does not rank the strategies as the model does"
    said.append(f"{order}{'' if np.isnan(net['agreed']) else f'; run by run, {net["agreed"]:.0%} of the pairs go the same way'}.")
    can = [name for name in BEHAVIOURS if (baseline, name) != ("bass", "retirement")]
    apart = {name: shown[baseline, name] - shown["model", name] for name in can}
    told = []
    for sign, word in ((1, "more"), (-1, "fewer")):
        names = [f"{BEHAVIOURS[n]} ({shown[baseline, n]:.0%}, model {shown['model', n]:.0%})" for n in can if sign * apart[n] > 0.1]
        told += [f"{' and '.join(names)} in {word} runs"] if names else []
    said += [f"It shows {'; '.join(told)}."] if told else []
    spreads = [row["spread"] for row in ends if not np.isnan(row["spread"])]
    if spreads:
        said.append(f"Its runs differ {min(spreads):.1f} to {max(spreads):.1f} times as much as the model's, by strategy.")
    if away:
        mine = away[baseline]
        further = (
            "further off than" if mine["more_low"] > 0 else "nearer than" if mine["more_high"] < 0 else "not clearly nearer or further than"
        )
        less = bounded(mine, "more", points)
        said.append(f"It lies {100 * mine['distance']:.0f} points from the published figures, {further} the model (by {less}).")
    return " ".join(said)


if __name__ == "__main__":
    main("baselines", baselines)
