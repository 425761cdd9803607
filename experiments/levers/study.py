"""What each of the article's sentences does in the model: with it and without it, with the same luck.

``python -m experiments.levers`` runs every lever of :mod:`experiments.levers.declarations` with and without what it says, and splits
the difference between two strategies among the settings they differ in (Shapley 1953). It is a report: a lever that does not act is
said not to, and the exit code is 0 all the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

import sim
from experiments.lab.config import refuse_several, take
from experiments.lab.records import parameters_at
from experiments.lab.statistics import mean
from experiments.lab.storage import RUNS, Store
from experiments.lab.study import Study, carry_out, digest_of_code, take_settings
from experiments.lab.tables import write_tables
from experiments.lab.work import Trials
from experiments.levers import declarations
from experiments.levers.declarations import GROUPS, LEVERS, THREE, Lever
from sim.configuration import from_mapping, vary
from sim.measures import MEASURES
from sim.parameters import Parameters
from sim.schema import to_mapping
from sim.sources import SOURCES
from sim.views.words import interval, millions, outcome_words

SHARD = 100  # runs
WITH, WITHOUT, SPLIT = "with", "without", "split"
#: The strategies whose difference is split, from the second to the first, and where.
BETTER, WORSE, WHERE, OF = "integration_first", "model_first", "middle", "net"
SCHEMA = pa.schema(
    [("kind", pa.string()), ("arm", pa.string()), ("seed", pa.uint64()), ("value", pa.float64()), ("error", pa.string())]
)  # fmt: skip
MEANINGS = {
    "kind": "with or without the lever; split: of the difference between two strategies", "seed": "seed of the run",
    "arm": "lever; of the split, the groups of settings that are the better strategy's", "value": "its measure in this run",
    "error": "empty, or why the run failed", "lever": "what acts", "sentence": "what the article says, in short", "rule": "where it acts",
    "parameters": "what it hangs on", "without": "what is changed, in words", "where": "strategy and maturity",
    "measure": "outcome", "unit": "its unit", "expected": "1 where it should rise without the lever, -1 where it should fall",
    "base": "mean with the lever", "effect": "without less with it, mean over seeds", "acts": "whether the interval is off 0 on the expected side",
    "group": "settings in which the strategies differ", "part": "their part of the difference, Shapley's value", "share": "the same as a share",
    "alone": "difference of these settings alone, from the worse strategy",
}  # fmt: skip


class LeverRun(NamedTuple):
    """One run: with or without a lever, or of the split with some groups of settings from the better strategy."""

    kind: str
    arm: str
    seed: int


def plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as plain values, for the manifest."""
    return {name: [to_mapping(case) for case in value] if name == "usecases" else value for name, value in changes.items()}


def settings_of(strategy: Any, group: str) -> dict[str, Any]:
    """A strategy's settings of a group."""
    mapping = to_mapping(strategy)
    effort = {f"strategy.effort.{phase}.{bucket}": s for phase, shares in mapping["effort"].items() for bucket, s in shares.items()}
    portfolio = {f"strategy.portfolio.{name}": value for name, value in mapping["portfolio"].items()}
    known = effort | portfolio | {f"strategy.{name}": value for name, value in mapping.items() if not isinstance(value, dict)}
    return {name: value for name, value in known.items() if name.startswith(GROUPS[group])}


@lru_cache(maxsize=128)
def configured(base: Parameters, kind: str, arm: str) -> tuple[Parameters, str]:
    """Parameters of an arm, and its measure."""
    if kind == SPLIT:
        other = parameters_at(base, {"strategy": BETTER, "maturity": WHERE})
        given = {name: value for group in arm.split("+") if group for name, value in settings_of(other.strategy, group).items()}
        return vary(parameters_at(base, {"strategy": WORSE, "maturity": WHERE}), given | THREE), OF
    lever = next(lever for lever in LEVERS if lever.name == arm)
    changes = {**lever.given, **(lever.without if kind == WITHOUT else {})}
    return vary(parameters_at(base, {"strategy": lever.strategy, "maturity": lever.maturity}), changes), lever.measure


@dataclass(frozen=True)
class LeverRecorder:
    """Runs arms on a base configuration, and keeps the measure of each."""

    base: Parameters

    def run(self, item: LeverRun) -> tuple:
        """One row; what was never reached counts as the horizon."""
        parameters, measure = configured(self.base, item.kind, item.arm)
        value = sim.RolloutModel(parameters=parameters, rng=item.seed).run().outcome[measure]
        return (*item, float(parameters.weeks if value is None else value), "")

    def failed(self, item: LeverRun, error: str) -> tuple:
        """A row without a value."""
        return (*item, np.nan, error)

    def tables(self, results: Sequence[tuple]) -> dict[str, pa.Table]:
        """The rows of all runs."""
        return {RUNS: pa.table({name: [row[k] for row in results] for k, name in enumerate(SCHEMA.names)}, schema=SCHEMA)}


def coalitions() -> list[tuple[str, ...]]:
    """All sets of groups."""
    return [found for size in range(len(GROUPS) + 1) for found in itertools.combinations(GROUPS, size)]


def shapley(value: dict[tuple[str, ...], np.ndarray]) -> dict[str, np.ndarray]:
    """Each group's part of the difference between no group and all, from the values [seeds] of all sets of them (Shapley 1953)."""
    n, parts = len(GROUPS), {}
    for group in GROUPS:
        total: Any = 0.0
        for found in (c for c in value if group not in c):
            joined = tuple(g for g in GROUPS if g in found or g == group)
            weight = math.factorial(len(found)) * math.factorial(n - len(found) - 1) / math.factorial(n)
            total = total + weight * (value[joined] - value[found])
        parts[group] = total
    return parts


def effects(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per lever: what the measure does without it, over the seeds in which both runs went well."""
    rows = []
    for lever in LEVERS:
        both = runs[(runs["arm"] == lever.name) & (runs["kind"] != SPLIT)].pivot(index="seed", columns="kind", values="value").dropna()
        there, gone = both[WITH].to_numpy(), both[WITHOUT].to_numpy()
        effect, low, high = mean(gone - there)
        rows.append({
            "lever": lever.name, "sentence": lever.sentence, "rule": lever.rule, "parameters": ", ".join(lever.parameters),
            "without": lever.words, "where": f"{lever.strategy}, {lever.maturity}", "measure": lever.measure,
            "unit": MEASURES[lever.measure].unit, "expected": lever.sign, "base": there.mean(),
            "effect": effect, "effect_low": low, "effect_high": high, "acts": bool(low > 0 if lever.sign > 0 else high < 0),
        })  # fmt: skip
    return pd.DataFrame(rows)


def split(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per group of settings: its part of the difference between the strategies."""
    wide = runs[runs["kind"] == SPLIT].pivot(index="seed", columns="arm", values="value").dropna()
    value = {found: wide["+".join(found)].to_numpy() for found in coalitions()}
    whole = float((value[tuple(GROUPS)] - value[()]).mean())
    rows = []
    for group, part in shapley(value).items():
        estimate, low, high = mean(part)
        alone = float((value[(group,)] - value[()]).mean())
        rows.append((group, estimate, low, high, estimate / whole if whole else np.nan, alone))
    return pd.DataFrame(rows, columns=["group", "part", "part_low", "part_high", "share", "alone"]).sort_values("part", ascending=False)


def levers(values: dict[str, Any]) -> int:
    """Run every lever with and without what it says, split the strategies' difference, print both, write the results folder."""
    settings = take_settings(values)
    replications = take(values, "seeds", "count", 2, 100_000)
    base = from_mapping(values)
    refuse_several(base, "levers between use cases bring three of their own")
    arms: list[tuple[str, str]] = [(kind, lever.name) for lever in LEVERS for kind in (WITH, WITHOUT)]
    arms += [(SPLIT, "+".join(found)) for found in coalitions()]
    for kind, arm in arms:  # what cannot be had on this configuration is said now, in one line
        configured(base, kind, arm)
    sim.RolloutModel(parameters=configured(base, *arms[0])[0], rng=settings.seed)
    configuration = {
        "parameters": to_mapping(base), "seeds": replications, "seed": settings.seed, "limit": settings.limit, "model": SOURCES,
        "levers": {lever.name: [dict(lever.without), lever.measure, lever.sign, lever.strategy, lever.maturity, plain(lever.given)]
                   for lever in LEVERS},
        "split in": plain(THREE),
        "groups": {name: list(keys) for name, keys in GROUPS.items()},
        "code": digest_of_code(declarations, effects, split, shapley, configured, LeverRecorder, Lever),
    }  # fmt: skip
    items = [LeverRun(kind, arm, settings.seed + k) for kind, arm in arms for k in range(replications)]
    work = Trials(LeverRecorder(base), items, SHARD, (settings.seed, settings.seed + replications - 1), settings.limit)

    def conclude(store: Store, work: Trials) -> None:
        runs = store.runs()
        write_tables(store, work, {"levers": effects(runs), "split": split(runs)}, MEANINGS)
        from sim.views.figures.levers import levers_figure

        levers_figure(store.folder)

    def told(console: Console, store: Store) -> list[str]:
        found, parts = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("levers", "split"))
        show(console, found, parts, replications)
        return ["figure.png", "levers.csv", "split.csv"]

    return carry_out(Study("levers", [f"{len(LEVERS)}levers", f"{replications}x"], work, configuration, conclude, told), settings)


def show(console: Console, found: pd.DataFrame, parts: pd.DataFrame, seeds: int) -> None:
    """Print both tables and a sentence on each."""
    table = Table(title=f"{len(found)} levers, {seeds} seeds: what happens without each [95% interval]", title_justify="left")
    for heading in ("the article, and rule: parameters", "without it", "measure, where", "changes by", "acts"):
        table.add_column(heading, justify="right" if heading == "changes by" else "left")
    for _, row in found.iterrows():
        changes = interval(row["unit"], row["effect"], row["effect_low"], row["effect_high"])
        hangs = f"{row['sentence']}\n{row['rule']}: {row['parameters']}"
        changes = changes.replace(" [", "\n[")
        table.add_row(hangs, row["without"], f"{outcome_words(row['measure'])}\n{row['where']}", changes, "yes" if row["acts"] else "no")
    console.print(table, highlight=False)
    silent = found[~found["acts"]]["lever"].tolist()
    console.print(
        f"{len(found) - len(silent)} of {len(found)} act as the article says{'; not: ' + ', '.join(silent) if silent else ''}.",
        highlight=False,
    )
    best = parts.loc[parts["part"].abs().sort_values(ascending=False).index[:2]]
    told = ", ".join(f"{row['group']} {row['share']:.0%}" for _, row in parts.iterrows())
    if parts["share"].isna().any():
        console.print(f"{BETTER} and {WORSE} do not differ in {MEASURES[OF].label}: there is nothing to split.", highlight=False)
        return
    console.print(
        f"Of the difference in {MEASURES[OF].label} between {BETTER} and {WORSE} with three use cases at {WHERE} maturity, "
        f"{millions(parts['part'].sum())}, the two largest carry {best['share'].sum():.0%}: {told}.",
        highlight=False,
    )
