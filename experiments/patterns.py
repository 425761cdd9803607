"""The patterns that a credible model shows without being told to, each with the ablation that removes it.

``python -m experiments.patterns`` runs what :data:`experiments.claims.PATTERNS` declares, with the same luck in all arms, and
reports which patterns emerge, how often they fail, and whether their ablation removes them. It is a report: a pattern that
does not emerge is said not to, and the exit code is 0 all the same. Pattern-oriented modelling: Grimm et al. (2005, Science
310, 987-991).
"""

from __future__ import annotations

import hashlib
import inspect
import json
import operator
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from experiments import claims
from experiments.claims import BY_NAME, HOLD, PATTERNS, Arm, Pattern, Readings, Test, Times
from experiments.lab import executors
from experiments.lab.config import main, take
from experiments.lab.output import folder_name, results_folder, shown, wide_console
from experiments.lab.progress import duration, execute_jobs, parameters_at
from experiments.lab.statistics import RESAMPLES, mean, share
from experiments.lab.storage import RUNS, Store, write_shard
from sim import RolloutModel
from sim._numba import SOURCES
from sim.configuration import fingerprint, from_mapping, vary
from sim.parameters import Parameters
from sim.schema import InvalidInput, nearest
from sim.state import INTEGRATION
from sim.views.figures.patterns import headline, patterns_figure
from sim.views.words import interval

#: The rule for all patterns, stated once. A test emerges where the 95% interval of its mean effect lies on the claimed side
#: of 0 and fewer than this share of seeds fail, that is show no effect on that side, or none that is defined. A pattern
#: emerges where all of its tests do.
MOST_FAILS = 0.25
#: An ablation removes a test that emerged where the ablated effect's interval reaches 0 or the other side, where it fails in
#: this share of seeds or more, or where it keeps less than this share of the effect, with the interval of the difference
#: leaving out 0. A pattern is all of its tests together, so it is removed where one of them is.
REMOVED_FAILS, KEPT = 0.5, 0.5
BLOCK = 20  # seeds a shard
SHORTEST = 156  # weeks


# --------------------------------------------------------------------------- running


def parameters_of(values: str, arm: Arm) -> Parameters:
    """The complete parameters of an arm, on a base configuration as JSON.

    Raises:
        InvalidInput: naming the parameter that cannot have its value.
    """
    base = parameters_at(values, {"strategy": arm.strategy, "maturity": arm.maturity})
    plain = {name: value for name, value in arm.changes.items() if not isinstance(value, Times)}
    base = vary(base, plain)
    asked = {name: value for name, value in arm.changes.items() if isinstance(value, Times)}
    return vary(base, {name: value.factor * operator.attrgetter(value.name)(base) for name, value in asked.items()})


@lru_cache(maxsize=2)
def rewired(network: str, seed: int) -> nx.Graph:
    """The network that ``network`` (the parameters as JSON) draws with a seed, three swaps a tie: who knows whom is lost, degrees stay."""
    graph = RolloutModel(parameters=from_mapping(json.loads(network)), rng=seed).network.copy()
    nx.double_edge_swap(graph, 3 * graph.number_of_edges(), max_tries=100 * graph.number_of_edges(), seed=seed % (1 << 32))
    return graph


def run_arm(arm: Arm, parameters: Parameters, seed: int) -> RolloutModel:
    """One run of an arm, finished."""
    graph = None
    if arm.rewired:
        drawn = {"enterprise": asdict(parameters.enterprise), "network": asdict(parameters.network), "weeks": 1}
        graph = rewired(json.dumps(drawn, sort_keys=True), seed)
        parameters = vary(parameters, {"network.kind": "graph"})
    model = RolloutModel(parameters=parameters, network=graph, rng=seed)
    if arm.integration is not None:
        model.state.units["readiness"][:, INTEGRATION] = arm.integration
    if not arm.reliability:
        return model.run()
    even = parameters.forecast.best / parameters.forecast.planner  # quality with which the forecast errs as planners do
    while model.running:
        model.state.firm["quality"] = even * arm.reliability[min(model.week // HOLD, len(arm.reliability) - 1)]
        model.step()
    return model


def arms_of(pattern: Pattern) -> list[tuple[str, str, Arm]]:
    """All arms of a pattern: variant (``claim``, ``ablation``, or a probe in its words), name, configuration."""
    variants = {"claim": pattern.arms, "ablation": pattern.ablated, **pattern.probes}
    return [(variant, name, arm) for variant, arms in variants.items() for name, arm in arms.items()]


def measure(job: Mapping[str, Any]) -> dict[str, Any]:
    """In a worker: run all arms of a pattern on a block of seeds, write what was read as one shard; returns its receipt."""
    if job["model"] != SOURCES:
        raise InvalidInput("executor", f"a worker with model {job['model'][:12]}", "this project as it is here, on every worker")
    pattern, clock = BY_NAME[job["pattern"]], time.process_time()
    rows: list[tuple[str, str, str, int, str, float, str]] = []
    failed = 0
    arms = [(variant, name, arm, parameters_of(job["values"], arm)) for variant, name, arm in arms_of(pattern)]
    for seed in range(job["seed"], job["seed"] + job["seeds"]):
        for variant, name, arm, parameters in arms:
            at = (pattern.name, variant, name, seed)
            try:
                read = pattern.read(run_arm(arm, parameters, seed))
                rows += [(*at, reading, float(value), "") for reading, value in read.items()]
            except Exception as error:  # recorded as failed, and never as a value
                rows.append((*at, "", np.nan, " ".join(f"{type(error).__name__}: {error}".split())[:500]))
                failed += 1
    names = ("pattern", "variant", "arm", "seed", "reading", "value", "error")
    table = pa.table({name: [row[k] for row in rows] for k, name in enumerate(names)}, schema=SCHEMA)
    checksum, _ = write_shard(Path(job["folder"]), RUNS, job["shard"], table)
    return {
        "shard": job["shard"], "first": job["first"], "runs": job["runs"], "failed": failed, "attempts": 1,
        "seconds": time.process_time() - clock, "files": {f"{RUNS}/part-{job['shard']:06d}.parquet": checksum},
    }  # fmt: skip


SCHEMA = pa.schema(
    [("pattern", pa.string()), ("variant", pa.string()), ("arm", pa.string()), ("seed", pa.uint64()), ("reading", pa.string()),
     ("value", pa.float64()), ("error", pa.string())]
)  # fmt: skip


def jobs_of(chosen: tuple[Pattern, ...], values: str, seed: int, seeds: int) -> list[dict[str, Any]]:
    """Blocks of seeds of every pattern, numbered, each with the runs it holds."""
    jobs: list[dict[str, Any]] = []
    first = 0
    for pattern in chosen:
        for start in range(0, seeds, BLOCK):
            size = min(BLOCK, seeds - start)
            runs = size * len(arms_of(pattern))
            jobs.append({"shard": len(jobs), "first": first, "runs": runs, "pattern": pattern.name, "seed": seed + start, "seeds": size, "values": values, "model": SOURCES})  # fmt: skip
            first += runs
    return jobs


# --------------------------------------------------------------------------- verdicts


@dataclass(frozen=True)
class Estimate:
    """A mean effect with its 95% interval, the share of seeds that fail, and of those in which it is not defined."""

    effect: float
    low: float
    high: float
    fails: float = np.nan
    undefined: float = 0.0

    def beyond(self, direction: int) -> bool:
        """Whether the interval lies on that side of 0."""
        return self.low > 0 if direction > 0 else self.high < 0


def estimate(test: Test, readings: Readings, seed: int) -> tuple[Estimate, np.ndarray]:
    """Effect of a test and its value in each seed (of one across seeds: in each sample of the bootstrap).

    Seeds in which the effect is not defined are left out of the mean and count as fails.
    """
    if test.across:
        n = len(next(iter(readings.values())))
        drawn = np.random.Generator(np.random.SFC64(seed)).integers(0, n, (RESAMPLES, n))
        samples = np.array([test.statistic(Missing({name: values[chosen] for name, values in readings.items()})) for chosen in drawn])
        low, high = np.quantile(samples, (0.025, 0.975))
        return Estimate(float(test.statistic(readings)), float(low), float(high)), samples
    effects = np.asarray(test.statistic(readings), float)
    defined = effects[~np.isnan(effects)]
    fails = float(np.mean(~(test.direction * effects > 0)))
    undefined = 1 - len(defined) / len(effects)
    if len(defined) < 2:
        return Estimate(np.nan, np.nan, np.nan, fails, undefined), effects
    return Estimate(*mean(defined), fails, undefined), effects


def emerges(test: Test, found: Estimate) -> bool:
    """The rule at :data:`MOST_FAILS`."""
    return found.beyond(test.direction) and not found.fails >= MOST_FAILS


def removed(test: Test, effects: np.ndarray, ablated: Estimate, without: np.ndarray) -> bool:
    """The rule at :data:`KEPT`, for a test that emerged; effects and those without are of the same seeds."""
    if not ablated.beyond(test.direction) or ablated.fails >= REMOVED_FAILS:
        return True
    less = test.direction * (KEPT * effects - without)
    less = less[~np.isnan(less)]
    if test.across:
        return bool(len(less) > 1 and np.quantile(less, 0.025) > 0)
    return bool(len(less) > 1 and mean(less)[1] > 0)


class Missing(dict[str, np.ndarray]):
    """Readings of arms of which every run failed: not defined in any seed."""

    def __missing__(self, key: str) -> np.ndarray:
        return np.full(len(next(iter(self.values()))) if self else 1, np.nan)


def readings_of(runs: pd.DataFrame, pattern: Pattern, variant: str, seeds: np.ndarray) -> dict[str, np.ndarray]:
    """Readings of the arms by ``arm.reading`` [seeds], NaN where a run failed."""
    rows = runs[(runs["pattern"] == pattern.name) & (runs["variant"] == variant)]
    good = rows[rows["reading"] != ""]
    wide = good.assign(key=good["arm"] + "." + good["reading"]).pivot(index="seed", columns="key", values="value")
    found = {str(name): wide[name].reindex(seeds).to_numpy(float) for name in wide}
    return Missing(found or {"": np.full(len(seeds), np.nan)}) if (rows["error"] != "").any() else found


def judge(runs: pd.DataFrame, chosen: tuple[Pattern, ...], seed: int, seeds: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """A row a test, with the verdict of its pattern; and findings by pattern."""
    rows, findings = [], {}
    at = np.arange(seed, seed + seeds)
    for pattern in chosen:
        claim = readings_of(runs, pattern, "claim", at)
        ablation = readings_of(runs, pattern, "ablation", at)
        if pattern.finding:
            findings[pattern.name] = pattern.finding(claim)
        made: list[dict[str, Any]] = []
        for test in pattern.tests:
            found, effects = estimate(test, claim, seed)
            ablated, without = estimate(test, ablation, seed)
            shown_up = emerges(test, found)
            often = (np.nan,) * 3 if test.across else share(found.fails * seeds, seeds)
            row: dict[str, Any] = {
                "pattern": pattern.name, "test": test.name, "claim": pattern.claim, "where": pattern.where, "effect_is": test.effect,
                "unit": test.unit, "direction": test.direction,
                "effect": found.effect, "effect_low": found.low, "effect_high": found.high, "fails": found.fails,
                "fails_low": often[1], "fails_high": often[2], "undefined": found.undefined,
                "ablation": pattern.ablation,
                "ablated": ablated.effect, "ablated_low": ablated.low, "ablated_high": ablated.high, "ablated_fails": ablated.fails,
                "emerges": shown_up,
                "removed": "" if not shown_up else "yes" if removed(test, effects, ablated, without) else "no",
            }  # fmt: skip
            made.append(row)
        verdict = verdict_of([row["emerges"] for row in made], [row["removed"] for row in made])
        rows += [{**row, "verdict": verdict} for row in made]
    return pd.DataFrame(rows), findings


def look_into(runs: pd.DataFrame, chosen: tuple[Pattern, ...], seed: int, seeds: int) -> pd.DataFrame:
    """A row a probe and test: the effect that is left."""
    rows = []
    for pattern in chosen:
        for probe in pattern.probes:
            readings = readings_of(runs, pattern, probe, np.arange(seed, seed + seeds))
            for test in pattern.tests:
                found, _ = estimate(test, readings, seed)
                rows.append((pattern.name, probe, test.name, test.unit, test.direction, found.effect, found.low, found.high, found.fails, found.undefined))  # fmt: skip
    return pd.DataFrame(rows, columns=["pattern", "probe", "test", "unit", "direction", "effect", "effect_low", "effect_high", "fails", "undefined"])  # fmt: skip


def verdict_of(shown_up: list[bool], gone: list[str]) -> str:
    """The verdict on a pattern, from those on its tests."""
    if not any(shown_up):
        return "does not emerge"
    return f"emerges{'' if all(shown_up) else ' in part'}, {'removed' if 'yes' in gone else 'not removed'}"


# --------------------------------------------------------------------------- the command


def patterns(values: dict[str, Any]) -> int:
    """Run the declared patterns and their ablations, print what emerges, write the results folder."""
    seed, seeds = take(values, "seed", "seed"), take(values, "seeds", "count", 2, 100_000)
    names, output = values.pop("patterns"), take(values, "output", "text")
    workers = executors.from_settings(values.pop("executor"))
    chosen = choose(names)
    if from_mapping({**values}).weeks < SHORTEST:
        raise InvalidInput("weeks", values["weeks"], f"a whole number from {SHORTEST}: the tests compare years")
    base = json.dumps(values, sort_keys=True)
    for pattern in chosen:
        for _, _, arm in arms_of(pattern):
            p = parameters_of(base, arm)
            if p.enterprise.source != "generated" or p.network.kind in ("edges", "graph"):
                raise InvalidInput(
                    "enterprise.source", p.enterprise.source, "a generated enterprise and network: the arms change their size and ties"
                )
    configuration = {
        "parameters": values, "seeds": seeds, "seed": seed, "model": SOURCES,
        "patterns": {pattern.name: declared(base, pattern) for pattern in chosen},
        "rule": {"most_fails": MOST_FAILS, "removed_fails": REMOVED_FAILS, "kept": KEPT},
        "code": hashlib.sha256("".join(inspect.getsource(part) for part in (claims, parameters_of, rewired.__wrapped__, run_arm)).encode()).hexdigest(),
    }  # fmt: skip
    jobs = jobs_of(chosen, base, seed, seeds)
    folder = results_folder("patterns", folder_name([f"{len(chosen)}patterns", f"{seeds}x", f"seed{seed}"], configuration), output)
    console, clock = wide_console(), time.perf_counter()
    with workers, Store("patterns", folder, configuration) as store:
        execute_jobs(jobs, store, workers, "experiments.patterns")
        runs = store.runs()
        tests, findings = judge(runs, chosen, seed, seeds)
        probes = look_into(runs, chosen, seed, seeds)
        failed = runs[runs["error"] != ""]
        if not store.concluded(configuration):
            conclude(store, tests, probes, failed)
            store.manifest(configuration, seeds=[seed, seed + seeds - 1], runs=int(store.totals()["runs"]), failed=len(failed))
        for note in store.repaired:
            print(f"note: {note}", file=sys.stderr)
        show(console, tests, probes, chosen, findings, seeds)
        console.print(f"{int(store.totals()['runs']):,} runs; this start took {duration(time.perf_counter() - clock)}.", highlight=False)
        files = [
            "figure.png",
            "patterns.csv",
            "tests.csv",
            "probes.csv",
            f"{RUNS}/",
            *(["failures.csv"] if len(failed) else []),
            "manifest.json",
        ]
        console.print(f"Written to {shown(store.folder)}: {', '.join(files)}", highlight=False, soft_wrap=True)
    if len(failed):
        print(f"error: {len(failed):,} runs failed and count as such; see failures.csv; first: {failed['error'].iloc[0]}", file=sys.stderr)
        return 1
    return 0


def choose(names: Any) -> tuple[Pattern, ...]:
    """The patterns asked for: ``all``, or a list of names."""
    if names == "all":
        return PATTERNS
    if not isinstance(names, list) or not names or len(set(map(str, names))) < len(names):
        raise InvalidInput("patterns", names, "all, or a list of patterns without repetition")
    for name in names:
        if name not in BY_NAME:
            raise InvalidInput("patterns", name, nearest(str(name), list(BY_NAME)))
    return tuple(BY_NAME[name] for name in names)


def declared(values: str, pattern: Pattern) -> dict[str, Any]:
    """A declaration as plain values, for the manifest."""
    arms: dict[str, Any] = {}
    for variant, name, arm in arms_of(pattern):
        p = parameters_of(values, arm)
        changed = {key: operator.attrgetter(key)(p) for key in arm.changes}
        arms[f"{variant}: {name}"] = {
            **arm.__dict__,
            "reliability": list(arm.reliability),
            "changes": changed,
            "parameters": fingerprint(p),
        }
    tests = [{"name": t.name, "effect": t.effect, "unit": t.unit, "direction": t.direction} for t in pattern.tests]
    return {"claim": pattern.claim, "where": pattern.where, "tests": tests, "ablation": pattern.ablation, "arms": arms}


def conclude(store: Store, tests: pd.DataFrame, probes: pd.DataFrame, failed: pd.DataFrame) -> None:
    """Tables and picture. A pattern's row in ``patterns.csv`` is that of its first test, with the verdict over all."""
    first = tests.drop_duplicates("pattern").rename(columns={"test": "first_test"})
    for name, frame in (("patterns", first), ("tests", tests), ("probes", probes)):
        store.parquet(f"{name}.parquet", frame)
        store.csv(f"{name}.csv", frame)
    (store.folder / "failures.csv").unlink(missing_ok=True)
    if len(failed):
        store.csv("failures.csv", failed.drop(columns=["reading", "value"]))
    patterns_figure(store.folder)


# --------------------------------------------------------------------------- printing


def figures(row: Any, of: str) -> str:
    """An effect with its interval, in its unit."""
    return interval(row["unit"], row[of], row[f"{of}_low"], row[f"{of}_high"])


def show(
    console: Console, tests: pd.DataFrame, probes: pd.DataFrame, chosen: tuple[Pattern, ...], findings: Mapping[str, str], seeds: int
) -> None:
    """The table, and a sentence a pattern."""
    table = Table(title=f"{len(chosen)} patterns, {seeds} seeds: effect [95% interval], and seeds in which it fails", title_justify="left")
    for heading, justify in (
        ("pattern, test", "left"),
        ("as claimed", "right"),
        ("fails", "right"),
        ("ablated", "right"),
        ("fails", "right"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for pattern in chosen:
        rows = tests[tests["pattern"] == pattern.name]
        table.add_row(pattern.name, *[""] * 4)
        for _, row in rows.iterrows():
            without = (figures(row, "ablated"), share_of(row["ablated_fails"]))
            table.add_row(
                f"  {row['test']} {'>' if row['direction'] > 0 else '<'} 0", figures(row, "effect"), share_of(row["fails"]), *without
            )
    console.print(table, highlight=False)
    for pattern in chosen:
        rows = tests[tests["pattern"] == pattern.name]
        said = [sentence(pattern, rows), findings.get(pattern.name, "")]
        for probe, left in probes[probes["pattern"] == pattern.name].groupby("probe", sort=False):
            effects = [f"{row['test']} {figures(row, 'effect')}, fails {share_of(row['fails'])}" for _, row in left.iterrows()]
            said.append(f"Looked into, with {probe}: {'; '.join(effects)}.")
        console.print(" ".join(text for text in said if text), highlight=False)
    console.print(f"{headline(tests)}.", highlight=False)


def share_of(value: float) -> str:
    """A share of seeds; a dash where no seed can fail."""
    return "–" if np.isnan(value) else f"{value:.0%}"


def sentence(pattern: Pattern, rows: pd.DataFrame) -> str:
    """The verdict on a pattern with its reasons, in a sentence."""
    said = [f"{row['test']} {'holds' if row['emerges'] else 'does not hold'}" + {"yes": ", gone under the ablation", "no": ", and stays under the ablation", "": ""}[row["removed"]] for _, row in rows.iterrows()]  # fmt: skip
    return f"{pattern.name[0].upper()}{pattern.name[1:]}: {rows['verdict'].iloc[0]} (ablation: {pattern.ablation}): {'; '.join(said)}."


if __name__ == "__main__":
    main("patterns", patterns)
