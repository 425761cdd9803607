"""Strategies against each other on the same enterprises, people, shocks and noise.

``python -m experiments.compare`` compares integration-first and model-first at low and high
maturity; ``strategies=[…] maturities=[…] replications=N`` compare others.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from experiments.lab.designs import Factor, Points, RECORDS
from experiments.lab.config import main, take
from experiments.lab.executors import Workers, from_settings
from experiments.lab.output import Output, folder_name, input_files, shown, wide_console
from experiments.lab.runner import Keeper, Plan, Stopped, execute, sample
from experiments.lab.statistics import mean, median, share
from experiments.lab.storage import HELD, RUNS, UNITS, WEEKS, read_shards
from sim import RolloutModel
from sim.measures import CLASSES
from sim.measures import MEASURES as RECORDED
from sim.model import ENGINES
from sim.presets import load
from sim.schema import InvalidInput, nearest, to_mapping
from sim.views.figures import compare_figure
from sim.views.report import write_report
from sim.views.words import CLASS_LABELS, millions, strategy_label

#: Measures compared: name, and whether more is better.
MEASURES = {"net_104": True, "net": True, "final_reliance": True, "final_teams_trust_and_use": True, "weeks_to_50": False}
MOST_RUNS = 100_000
#: Replications of which is kept what held them back; more would cost time and show the same.
LOOKED_INTO = 25


def compare(values: dict[str, Any]) -> int:
    """Run all strategies with common random numbers, print the comparison, write the results folder."""
    engine, seed, output = values.pop("engine"), take(values, "seed", "seed"), take(values, "output", "text")
    strategies, maturities = take(values, "strategies", "names"), take(values, "maturities", "names")
    replications = take(values, "replications", "count", 2, MOST_RUNS)
    workers, changes = from_settings(values.pop("executor")), values.pop("changes") or {}
    if not isinstance(changes, Mapping):
        raise InvalidInput("changes", changes, "a mapping of parameters to values, such as {maturity.budget: 2}")
    for key, value in changes.items():
        if key not in RECORDS:
            raise InvalidInput(f"changes.{key}", value, nearest(str(key), list(RECORDS)))
    if engine not in ENGINES:
        raise InvalidInput("engine", engine, "one of " + ", ".join(ENGINES))
    if len(strategies) * len(maturities) * replications > MOST_RUNS:
        raise InvalidInput("replications", replications, f"at most {MOST_RUNS:,} runs in all; experiments.sweep takes more")
    plan = Plan(values, pairs(maturities, strategies, changes), replications, seed, engine, weekly=1, inside=LOOKED_INTO)
    cells = [
        (point["maturity"], point["strategy"], plan.parameters(i)) for i, point in enumerate(map(plan.points.at, range(len(plan.points))))
    ]
    configuration = {
        "cells": [{"maturity": m, "strategy": s, "parameters": to_mapping(p)} for m, s, p in cells],
        "replications": replications,
        "seed": seed,
        "input_files": input_files(cells[0][2]),
    }
    first = cells[0][2]
    name = folder_name(["+".join(strategies), "+".join(maturities), f"{first.weeks}w", f"{replications}x", f"seed{seed}"], configuration)
    with Output("compare", name, output) as folder:
        for _, _, parameters in cells:
            RolloutModel(parameters=parameters, rng=seed, engine=engine)  # what cannot be used is said now, in one line
        clock = time.perf_counter()
        sample(plan, [0])  # compiles, once
        compiled = time.perf_counter() - clock
        try:
            runs, speed = run_all(plan, folder.folder, workers)
        except Stopped:
            raise KeyboardInterrupt from None
        if (runs["error"] != "").all():
            raise InvalidInput("compare", runs["error"].iloc[0], "at least one run that does not fail; nothing was written")
        good = runs[runs["error"] == ""]
        failed = runs[runs["error"] != ""]
        summary, paired = summarise(good, maturities, strategies), pair(good, maturities, strategies)
        folder.parquet("runs.parquet", runs)
        folder.csv("summary.csv", summary)
        folder.csv("paired.csv", paired)
        compare_figure(folder.folder)
        folder.manifest(configuration, engine=engine, seeds=[seed, seed + replications - 1], runs=len(runs), failed=len(failed))
        try:
            write_report(folder.folder)
            no_report = ""
        except InvalidInput as error:  # the runs are kept all the same
            no_report = str(error)
    console = wide_console()
    _print(console, summary, paired, maturities, strategies, replications, first.weeks)
    console.print(
        f"{len(runs)} runs ({speed['weeks']:,.0f} weeks) in {speed['elapsed']:.1f} s on {workers.count} workers, {speed['share']:.0%} of ideal "
        f"{workers.count}-core speed; loading the engine and starting workers took {compiled + speed['start']:.1f} s before.",
        highlight=False,
    )
    console.print(
        f"Written to {shown(folder.final)}: {'' if no_report else 'report.html, '}figure.png, runs.parquet, weekly.parquet, units.parquet, held.parquet, "
        "summary.csv, paired.csv, manifest.json",
        highlight=False,
        soft_wrap=True,
    )
    if no_report:
        print(f"error: no report was written: {no_report}", file=sys.stderr)
    if len(failed):
        print(
            f"error: {len(failed)} of {len(runs)} runs failed and are left out; first: seed {failed['seed'].iloc[0]}, {failed['error'].iloc[0]}",
            file=sys.stderr,
        )
    return 1 if no_report or len(failed) else 0


def pairs(maturities: list[str], strategies: list[str], changes: Mapping[str, Any]) -> Points:
    """Every strategy at every maturity, with the same changes of parameters."""
    for group, names in (("maturity", maturities), ("strategy", strategies)):
        for name in names:
            load(group, name)  # an unknown name is an error already here
    axes = np.meshgrid(np.arange(len(maturities)), np.arange(len(strategies)), indexing="ij")
    made: tuple[Factor, ...] = (
        Factor("maturity", "choice", choices=tuple(maturities)),
        Factor("strategy", "choice", choices=tuple(strategies)),
    )
    columns = [axis.ravel() for axis in axes]
    for name, given in changes.items():
        record = RECORDS[name]
        value = record.check(name, given)
        number = record.kind in ("number", "count")
        made += (Factor(name, record.kind, value, value) if number else Factor(name, "choice", choices=(value,)),)
        columns.append(np.full(len(columns[0]), value if number else 0))
    return Points(made, tuple(columns))


def run_all(plan: Plan, folder: Path, workers: Workers) -> tuple[pd.DataFrame, dict[str, float]]:
    """All runs; records of their weeks, their units and of what held them back go into a file each.

    Returns:
        The runs by maturity, strategy and replication; weeks simulated, seconds of starting workers and of running, and the
        share of the workers' time that went into runs.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        keeper = Keeper(Path(scratch))
        before = time.perf_counter()
        with workers:
            workers.prime()
            clock = time.perf_counter()
            execute(plan, keeper, workers)
            elapsed = time.perf_counter() - clock
        runs = pa.concat_tables(read_shards(keeper.folder, RUNS)).to_pandas()
        weeks, *_ = (join(keeper.folder, dataset, folder / f"{dataset}.parquet") for dataset in (WEEKS, UNITS, HELD))
    for column, measure in RECORDED.items():
        if measure.kind in ("count", "flag"):
            runs[column] = runs[column].astype("Int64" if measure.kind == "count" else "boolean")
    runs = runs.sort_values(["maturity", "strategy", "replication"], ignore_index=True, kind="stable")
    return runs, {
        "weeks": weeks,
        "start": clock - before,
        "elapsed": elapsed,
        "share": keeper.totals()["seconds"] / (workers.count * elapsed),
    }


def join(scratch: Path, dataset: str, path: Path) -> int:
    """Joins the shards of a dataset into one file, some hundred runs to a row group; returns the rows."""
    rows, waiting, writer = 0, [], None
    for table in (*read_shards(scratch, dataset), None):
        if table is not None:
            waiting.append(table)
            rows += len(table)
        if waiting and (table is None or sum(map(len, waiting)) > 100_000):
            joined = pa.concat_tables(waiting).combine_chunks()
            writer = writer or pq.ParquetWriter(path, joined.schema, compression="zstd", write_page_checksum=True)
            writer.write_table(joined)
            waiting = []
    if writer:
        writer.close()
    return rows


# --------------------------------------------------------------------------- statistics


def _values(runs: pd.DataFrame, measure: str) -> np.ndarray:
    """Values of a measure; weeks never reached are infinite."""
    column = runs[measure]
    return column.astype("Float64").to_numpy(float, na_value=np.inf if measure.startswith("weeks_to") else np.nan)


def summarise(runs: pd.DataFrame, maturities: list[str], strategies: list[str]) -> pd.DataFrame:
    """One row per maturity, strategy and measure: estimate with 95% interval, and of what kind it is."""
    rows = []
    for maturity in maturities:
        for strategy in strategies:
            cell = runs[(runs["maturity"] == maturity) & (runs["strategy"] == strategy)]
            for measure in MEASURES:
                x = _values(cell, measure)
                if len(x) == 0 or np.isnan(x).any():
                    continue  # net_104 of a shorter horizon is undefined, not 0
                kind, estimate = ("median", median(x)) if measure.startswith("weeks_to") else ("mean", mean(x))
                if measure.startswith("final_"):  # shares end at 0 and 1, and so do their intervals
                    estimate = (estimate[0], max(0.0, estimate[1]), min(1.0, estimate[2]))
                rows.append((maturity, strategy, measure, kind, len(x), *estimate))
            n = len(cell)
            rows += [
                (maturity, strategy, f"outcome_{label}", "share", n, *share(float((cell["outcome"] == label).sum()), n))
                for label in (CLASSES if n else ())
            ]
    return pd.DataFrame(rows, columns=["maturity", "strategy", "measure", "kind", "runs", "estimate", "low", "high"])


def pair(runs: pd.DataFrame, maturities: list[str], strategies: list[str]) -> pd.DataFrame:
    """One row per maturity, pair of strategies and measure.

    ``difference`` is the mean of a - b over runs with the same luck, with its 95% interval; empty
    where a week was never reached. ``a_wins`` is the share of pairs in which a does better (``ties``
    count half). ``variance_ratio`` is the variance an unpaired comparison would have had over the
    paired one's: how many times more runs it would have needed.
    """
    rows = []
    for maturity in maturities:
        for a, b in combinations(strategies, 2):
            left, right = (runs[(runs["maturity"] == maturity) & (runs["strategy"] == s)].set_index("replication") for s in (a, b))
            common = left.index.intersection(right.index)
            for measure, more_is_better in MEASURES.items():
                x, y = _values(left.loc[common], measure), _values(right.loc[common], measure)
                if len(x) == 0 or np.isnan(x).any() or np.isnan(y).any():
                    continue
                sign = 1 if more_is_better else -1
                wins = float(np.sum(np.where(x == y, 0.5, (x > y) if sign > 0 else (x < y))))
                difference, ratio = (np.nan, np.nan, np.nan), np.nan
                if np.isfinite(x).all() and np.isfinite(y).all():
                    difference = mean(x - y)
                    spread = float(np.var(x - y, ddof=1)) if len(x) > 1 else 0.0
                    ratio = float((np.var(x, ddof=1) + np.var(y, ddof=1)) / spread) if spread > 0 else np.nan
                rows.append((maturity, a, b, measure, len(x), int(np.sum(x == y)), *difference, *share(wins, len(x)), ratio))
    return pd.DataFrame(
        rows,
        columns=[
            "maturity",
            "a",
            "b",
            "measure",
            "pairs",
            "ties",
            "difference",
            "low",
            "high",
            "a_wins",
            "a_wins_low",
            "a_wins_high",
            "variance_ratio",
        ],
    )


# --------------------------------------------------------------------------- printing


def _cell(measure: str, estimate: float, low: float, high: float) -> str:
    if measure.startswith("net"):
        texts = [millions(v) for v in (estimate, low, high)]
    elif measure.startswith("weeks_to"):
        texts = ["–" if np.isnan(v) else "never" if np.isinf(v) else f"{v:.0f}" for v in (estimate, low, high)]
    else:
        texts = [f"{v:.0%}" for v in (estimate, low, high)]
    return f"{texts[0]}  [{texts[1]}, {texts[2]}]"


def _print(
    console: Console, summary: pd.DataFrame, paired: pd.DataFrame, maturities: list[str], strategies: list[str], n: int, weeks: int
) -> None:
    for maturity in maturities:
        part = summary[summary["maturity"] == maturity].set_index(["strategy", "measure"])
        title = f"{maturity} maturity, {n} runs a strategy: estimate"
        console.print(_side_by_side(title, part, strategies, weeks) if len(strategies) <= 3 else _list(title, part, strategies, weeks))
        for _, row in paired[(paired["maturity"] == maturity) & (paired["measure"] == "net") & (paired["a"] == strategies[0])].iterrows():
            ratio = row["variance_ratio"]
            if row["ties"] == row["pairs"]:
                same = (
                    f"  {strategy_label(row['a'])} and {strategy_label(row['b'])} came to the same net value in all {row['pairs']} pairs."
                )
                console.print(same, highlight=False)
                continue
            console.print(
                f"  Same luck, net value after {weeks} weeks: {strategy_label(row['a'])} − {strategy_label(row['b'])} = "
                f"{_cell('net', row['difference'], row['low'], row['high'])}; better in {row['a_wins']:.0%} "
                f"[{row['a_wins_low']:.0%}, {row['a_wins_high']:.0%}] of pairs."
                + (f" Unpaired runs would need {ratio:.1f}× as many." if ratio == ratio else ""),
                highlight=False,
            )
        console.print()
    if len(strategies) > 2:
        console.print("Intervals are in summary.csv, all pairs and measures in paired.csv.\n", highlight=False)


def _estimate(part: pd.DataFrame, strategy: str, measure: str) -> str:
    """A measure of a strategy in words; a dash where all its runs failed."""
    if (strategy, measure) not in part.index:
        return "–"
    row: Any = part.loc[(strategy, measure)]
    return _cell(measure, row["estimate"], row["low"], row["high"])


def _endings(part: pd.DataFrame, strategy: str) -> dict[str, float]:
    """Share of each outcome class that occurs, by its label."""
    shares = {CLASS_LABELS[name]: float(part["estimate"].get((strategy, f"outcome_{name}"), 0.0)) for name in CLASSES}
    return {label: share for label, share in shares.items() if share > 0}


def _side_by_side(title: str, part: pd.DataFrame, strategies: list[str], weeks: int) -> Table:
    """A column a strategy, with intervals."""
    labels = {
        "net_104": "net value, 104 weeks",
        "net": f"net value, {weeks} weeks",
        "final_reliance": "planners relying, end",
        "final_teams_trust_and_use": "teams that trust and use",
        "weeks_to_50": "weeks to 50% (median)",
    }
    table = Table(title=title + " [95% interval]", title_justify="left")
    table.add_column("")
    for strategy in strategies:
        table.add_column(strategy_label(strategy), justify="right")
    for measure, label in labels.items():
        if measure in part.index.get_level_values("measure"):
            table.add_row(label, *(_estimate(part, s, measure) for s in strategies))
    endings = {s: _endings(part, s) for s in strategies}
    for label in CLASS_LABELS.values():
        if any(label in endings[s] for s in strategies):
            table.add_row("  " + label, *(f"{endings[s].get(label, 0.0):.0%}" for s in strategies))
    return table


def _list(title: str, part: pd.DataFrame, strategies: list[str], weeks: int) -> Table:
    """A row a strategy, estimates only: for many strategies."""
    labels = {"net_104": "104 w", "net": f"net, {weeks} w", "final_reliance": "relying", "weeks_to_50": "w to 50%"}
    measures = [measure for measure in labels if measure in part.index.get_level_values("measure")]
    table = Table(title=title, title_justify="left")
    table.add_column("strategy", no_wrap=True)
    for measure in measures:
        table.add_column(labels[measure], justify="right", no_wrap=True)
    table.add_column("runs end as")
    for strategy in strategies:
        cells = [_estimate(part, strategy, m).split("  ")[0] for m in measures]
        most = sorted(_endings(part, strategy).items(), key=lambda item: -item[1])
        table.add_row(strategy_label(strategy), *cells, ", ".join(f"{label} {share:.0%}" for label, share in most))
    return table


if __name__ == "__main__":
    main("compare", compare)
