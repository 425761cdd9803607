"""The study of the baselines: organisations under several strategies, run by the full model and by simpler ones.

Their first weeks are shown to the baselines; what these say of the rest is compared with what the full model does. The full model
stands for what «would happen»: a difference says what a baseline leaves out, not that the full model is right. The published numbers
are the only yardstick from outside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console

import sim
from experiments.baselines.analysis import adoption, arrays, errors, published, ranking, shows
from experiments.baselines.models import SERIES, bass_fitted, bass_series, series_of, success_alone, well_mixed
from experiments.baselines.printing import show
from experiments.calibrate.surveyed import Surveyed, surveyed_of
from experiments.lab.config import read_experiment, refuse_several, take
from experiments.lab.curves import bass, best_fit
from experiments.lab.organisations import population_record, with_given
from experiments.lab.plan import preset_digests
from experiments.lab.records import parameters_at
from experiments.lab.storage import RUNS, Store
from experiments.lab.study import Study, carry_out, digest_of_code, take_settings
from experiments.lab.tables import write_tables
from experiments.lab.work import Trials
from sim.configuration import from_mapping, vary
from sim.parameters import Parameters
from sim.population import MATURITIES, Population
from sim.presets import load
from sim.schema import InvalidInput, to_mapping
from sim.sources import SOURCES

SHARD = 30  # runs
EVERY = 4  # weeks of the population that are kept, as the calibration takes them
#: What is simulated: the model, and the baselines that are simulated; the Bass curve follows from the model's first weeks.
SIMULATED = {"model": lambda p: p, "success": success_alone, "mixed": well_mixed}
SCHEMA = pa.schema(
    [("part", pa.string()), ("source", pa.string()), ("strategy", pa.string()), ("number", pa.int64()), ("seed", pa.uint64()),
     ("week", pa.int64()), *[(name, pa.float64()) for name in SERIES], ("market", pa.float64()), ("survived", pa.float64()),
     ("error", pa.string())]
)  # fmt: skip
MEANINGS = {
    "part": "strategies: every strategy with every seed; population: the organisations of the published numbers",
    "source": "model, or a baseline: bass, success, mixed",
    "baseline": "bass: curve fitted to the weeks seen; success: success breeds commitment alone; mixed: mean field",
    "strategy": "strategy", "number": "number of the organisation", "seed": "seed of the run", "week": "week, from 0",
    "reliance": "share of planners relying", "teams": "share of teams that trust and use", "net": "cumulative net value [EUR]",
    "units_live": "units live; of bass: 2 where more rely than one unit has planners", "units_retired": "units retired",
    "market": "of bass: share that will ever adopt, as fitted", "survived": "three years in production, 1 or 0",
    "error": "empty, or why the run failed", "measure": "reliance, teams or net at the end; by_week: adoption over the weeks asked for",
    "model": "the full model's mean", "off": "baseline less model, mean over seeds",
    "spread": "standard deviation between runs, baseline's over the model's",
    "behaviour": "partial adoption, plateau, decay or retirement", "runs": "number of runs", "share": "share of runs that show it",
    "order": "strategies from best to worst by the mean", "as_model": "the same order as the model's",
    "agreed": "share of pairs of strategies, over seeds, in the model's order", "target": "published number", "words": "what it is",
    "published": "its value", "value": "what the source gives", "away": "that less the published value", "absolute": "mean absolute error",
    "distance": "mean absolute distance from the published numbers", "more": "that less the model's", "mean": "mean over runs",
    "p10": "lowest tenth of runs ends here", "p90": "highest tenth begins here",
}  # fmt: skip


# --------------------------------------------------------------------------- running


class SourceRun(NamedTuple):
    """One run: part of the study, source, number and seed of the organisation, and its parameters with ``strategy``."""

    part: str
    source: str
    number: int
    seed: int
    point: dict[str, Any]


def run_source(p: Parameters, source: str, seed: int, observed: int) -> dict[str, tuple[dict[str, np.ndarray], float, float]]:
    """Series, m (Bass's) and three years in production (0 or 1), by source: of one of :data:`SIMULATED`; with ``model`` also ``bass``."""
    run = sim.RolloutModel(parameters=SIMULATED[source](p), rng=seed).run()
    survived = run.outcome["survived_three_years"]
    found = {source: (series_of(run.state.weekly), np.nan, np.nan if survived is None else float(survived))}
    if source == "model":
        said, m = bass_series(run.state.weekly, observed, p.enterprise.units)
        out = np.nonzero(said["units_live"] >= 2)[0]
        lasted = len(out) > 0 and out[-1] - out[0] + 1 >= p.outcomes.survival
        found["bass"] = (said, m, float(lasted))
    return found


@dataclass(frozen=True)
class SourceRecorder:
    """Runs sources on organisations, and keeps their series.

    Attributes:
        base: the base configuration.
        observed: weeks that are seen.
        population: organisations that are drawn, by seed; None: all are as configured.
    """

    base: Parameters
    observed: int
    population: Population | None = None

    def run(self, item: SourceRun) -> pd.DataFrame:
        """One row per source and week that is kept; net value is cumulative."""
        p = parameters_at(self.base, item.point)
        if self.population:
            p = vary(p, self.population.organisation(item.seed, p, item.point.get("maturity", "")))
        found = run_source(p, item.source, item.seed, self.observed)
        tables = []
        for source, (series, m, survived) in found.items():
            week = np.arange(0, len(series["net"]), EVERY if item.part == "population" else 1)
            columns = {name: values[week] for name, values in (series | {"net": np.cumsum(series["net"])}).items()}
            same = {**labels(item), "source": source, "market": m, "survived": survived, "error": ""}
            tables.append(pd.DataFrame({**same, "week": week, **columns}))
        return pd.concat(tables)

    def failed(self, item: SourceRun, error: str) -> pd.DataFrame:
        """A row without series."""
        return pd.DataFrame([{**labels(item), "source": item.source, "error": error}])

    def tables(self, results: Sequence[pd.DataFrame]) -> dict[str, pa.Table]:
        """The rows of all runs."""
        frame = pd.concat([result.reindex(columns=SCHEMA.names) for result in results], ignore_index=True)
        return {RUNS: pa.Table.from_pandas(frame, SCHEMA, preserve_index=False)}


def labels(item: SourceRun) -> dict[str, Any]:
    """Which organisation a row is of."""
    return {"part": item.part, "strategy": item.point["strategy"], "number": item.number, "seed": item.seed}


def items_of(strategies: list[str], seed: int, seeds: int, population: Surveyed | None) -> list[SourceRun]:
    """Every strategy with every seed, then the population of the published numbers; each by all of :data:`SIMULATED`."""
    points: list[tuple[str, int, dict[str, Any]]] = [("strategies", k, {"strategy": s}) for k in range(seeds) for s in strategies]
    if population:
        seeds_of_all = seed + np.arange(len(MATURITIES) * population.organisations)
        members: list[Any] = population.kinds(population.organisations, seeds_of_all).to_dict("records")
        points += [("population", k, member) for k, member in enumerate(members)]
    return [SourceRun(part, source, k, seed + k, point) for part, k, point in points for source in SIMULATED]


# --------------------------------------------------------------------------- the command


def baselines(values: dict[str, Any]) -> int:
    """Run model and baselines, print what each gets wrong, write the results folder."""
    settings = take_settings(values, usecases=False)
    seeds, strategies = take(values, "seeds", "count", 2, 10_000), take(values, "strategies", "names")
    observed, organisations = take(values, "observed", "count", 4, 5199), take(values, "organisations", "count", 0, 10_000)
    for name in strategies:
        load("strategy", name)
    base = from_mapping(values)
    drawn = with_given(settings.population, base)
    if observed >= base.weeks:
        raise InvalidInput("observed", observed, f"fewer weeks than the horizon, {base.weeks}")
    if base.enterprise.source != "generated" or base.network.kind in ("edges", "graph"):
        raise InvalidInput("enterprise.source", base.enterprise.source, "a generated enterprise and network: the mean field changes both")
    refuse_several(base, "the baselines explain one curve of adoption")
    if base.usecases[0].teams < 1:
        raise InvalidInput("usecases", base.usecases[0].name, "a use case of all teams: the mean field makes one team of each unit")
    population = asked_population(organisations, base) if organisations else None
    for name in strategies:  # what cannot be used is said now, in one line
        for simplified in SIMULATED.values():
            sim.RolloutModel(parameters=simplified(parameters_at(base, {"strategy": name})), rng=settings.seed)
    configuration = {
        "parameters": to_mapping(base), "strategies": preset_digests("strategy", strategies), "observed": observed,
        "seeds": seeds, "seed": settings.seed, "limit": settings.limit, "model": SOURCES,
        "population": population_record(drawn), "surveyed": dataclasses.asdict(population) if population else None,
        "code": digest_of_code(bass, best_fit, bass_fitted, bass_series, success_alone, well_mixed, run_source, SourceRecorder, Surveyed),
    }  # fmt: skip
    items = items_of(strategies, settings.seed, seeds, population)
    ends = min(item.seed for item in items), max(item.seed for item in items)
    work = Trials(SourceRecorder(base, observed, drawn), items, SHARD, ends, settings.limit)

    def conclude(store: Store, work: Trials) -> None:
        runs = store.runs()
        found, kept = arrays(runs, strategies)
        if len(kept) < 2:
            return
        tables = {"errors": errors(found, strategies, observed), "shows": shows(found, strategies, base)}
        tables |= {"ranking": ranking(found, strategies, observed), "adoption": adoption(found, strategies)}
        if population:
            tables["targets"], tables["distances"] = published(runs, population, settings.seed)
        write_tables(store, work, tables, MEANINGS)
        from sim.views.figures.baselines import baselines_figure

        baselines_figure(store.folder)

    def told(console: Console, store: Store) -> list[str]:
        if not (store.folder / "errors.parquet").is_file():
            console.print("Fewer than two seeds are without a failed run: there is nothing to compare.", highlight=False)
            return []
        show(console, store.folder, strategies, observed, base.weeks)
        names = ["errors", "shows", "ranking", "adoption", *(["targets", "distances"] if population else [])]
        return ["figure.png", *(f"{name}.csv" for name in names)]

    parts = ["+".join(strategies), f"{observed}of{base.weeks}w", f"{seeds}x"]
    return carry_out(Study("baselines", parts, work, configuration, conclude, told), settings)


def asked_population(organisations: int, base: Parameters) -> Surveyed:
    """The population of the published numbers, mixed as the calibration's.

    Raises:
        InvalidInput: where there are too few organisations, or weeks.
    """
    if organisations < 10:
        raise InvalidInput("organisations", organisations, "0, or a whole number from 10 to 10000")
    population = surveyed_of({**read_experiment("calibrate")[0]["surveyed"], "organisations": organisations})
    needed = max(population.oldest, base.outcomes.survival)
    if base.weeks < needed:
        raise InvalidInput("weeks", base.weeks, f"at least {needed}, for the published numbers, or organisations=0")
    return population
