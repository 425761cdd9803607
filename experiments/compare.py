"""Strategies against each other on the same enterprises, people, shocks and noise.

``python -m experiments.compare`` compares integration-first and model-first at low and high
maturity; ``strategies=[…] maturities=[…] replications=N`` compare others.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import stats

from experiments.entry import main, take
from experiments.output import Output, folder_name, input_files, shown, wide_console
from experiments.runs import run_all
from sim import RolloutModel
from sim.outcomes import CLASSES
from sim.parameters import InvalidInput, from_mapping, to_mapping
from sim.presets import load
from sim.views.figures import compare_figure
from sim.views.words import CLASS_LABELS, millions, strategy_label

#: Measures compared: name, and whether more is better.
MEASURES = {"net_104": True, "net": True, "final_reliance": True, "final_teams_trust_and_use": True, "weeks_to_50": False}
MOST_RUNS = 100_000


def compare(values: dict[str, Any]) -> int:
    """Run all strategies with common random numbers, print the comparison, write the results folder."""
    engine, seed, output = values.pop("engine"), values.pop("seed"), take(values, "output", "text")
    strategies, maturities = take(values, "strategies", "names"), take(values, "maturities", "names")
    replications = take(values, "replications", "count", 2, MOST_RUNS)
    workers = take(values, "workers", "count", 0, 1024) or os.cpu_count() or 1
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
        raise InvalidInput("seed", seed, "a whole number from 0 to 2^63 - 1")
    if len(strategies) * len(maturities) * replications > MOST_RUNS:
        raise InvalidInput("replications", replications, f"at most {MOST_RUNS:,} runs in all")
    cells = [
        (maturity, strategy, from_mapping({**values, "maturity": load("maturity", maturity), "strategy": load("strategy", strategy)}))
        for maturity in maturities
        for strategy in strategies
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
        clock = time.perf_counter()
        RolloutModel(parameters=first, rng=seed, engine=engine).run()  # compiles, once
        compiled = time.perf_counter() - clock
        runs, weekly_rows, busy, elapsed = run_all(cells, replications, seed, engine, workers, folder.folder)
        failed = [run for run in runs if run["error"]]
        frame = _frame(runs)
        good = frame[frame["error"] == ""]
        summary, paired = summarise(good, maturities, strategies), pair(good, maturities, strategies)
        folder.parquet("runs.parquet", frame)
        folder.csv("summary.csv", summary)
        folder.csv("paired.csv", paired)
        compare_figure(folder.folder)
        folder.manifest(configuration, engine=engine, seeds=[seed, seed + replications - 1], runs=len(runs), failed=len(failed))
    console = wide_console()
    _print(console, summary, paired, maturities, strategies, replications, first.weeks)
    share = busy / (workers * elapsed)
    console.print(
        f"{len(runs)} runs ({weekly_rows:,} weeks) in {elapsed:.1f} s on {workers} processes, {share:.0%} of ideal {workers}-core speed; "
        f"compiling or loading the engine took {compiled:.1f} s before.",
        highlight=False,
    )
    console.print(
        f"Written to {shown(folder.final)}: figure.png, runs.parquet, weekly.parquet, summary.csv, paired.csv, manifest.json",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    if failed:
        print(
            f"error: {len(failed)} of {len(runs)} runs failed and are left out; first: seed {failed[0]['seed']}, {failed[0]['error']}",
            file=sys.stderr,
        )
        return 1
    return 0


def _frame(runs: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(runs)
    for column in ("gate_week", "weeks_to_50", "weeks_to_80", "trough_week", "payback_week"):
        if column in frame:
            frame[column] = frame[column].astype("Int64")
    if "survived_three_years" in frame:
        frame["survived_three_years"] = frame["survived_three_years"].astype("boolean")
    return frame.sort_values(["maturity", "strategy", "replication"], ignore_index=True, kind="stable")


# --------------------------------------------------------------------------- statistics


def _mean(x: np.ndarray) -> tuple[float, float, float]:
    """Mean with its 95% interval (Student)."""
    mean = float(x.mean())
    if len(x) < 2 or x.std() == 0:
        return mean, mean, mean
    low, high = stats.t.interval(0.95, len(x) - 1, mean, stats.sem(x))
    return mean, float(low), float(high)


def _share(hits: float, n: int) -> tuple[float, float, float]:
    """Share with its 95% interval (Wilson); ties count half, so hits may end in .5."""
    z = stats.norm.ppf(0.975)
    p = hits / n
    centre, spread = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, float((centre - spread) / (1 + z * z / n)), float((centre + spread) / (1 + z * z / n))


def _median(x: np.ndarray) -> tuple[float, float, float]:
    """Median with its 95% interval from order statistics; infinite where most were never reached."""
    ordered, n = np.sort(x), len(x)
    low, high = stats.binom.ppf([0.025, 0.975], n, 0.5).astype(int)
    middle = float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)
    return middle, float(ordered[max(0, low - 1)]), float(ordered[min(n - 1, high)])


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
                kind, estimate = ("median", _median(x)) if measure.startswith("weeks_to") else ("mean", _mean(x))
                if measure.startswith("final_"):  # shares end at 0 and 1, and so do their intervals
                    estimate = (estimate[0], max(0.0, estimate[1]), min(1.0, estimate[2]))
                rows.append((maturity, strategy, measure, kind, len(x), *estimate))
            n = len(cell)
            rows += [
                (maturity, strategy, f"outcome_{label}", "share", n, *_share(float((cell["outcome"] == label).sum()), n))
                for label in (CLASSES if n else ())
            ]
    return pd.DataFrame(rows, columns=["maturity", "strategy", "measure", "kind", "runs", "estimate", "low", "high"])


def pair(runs: pd.DataFrame, maturities: list[str], strategies: list[str]) -> pd.DataFrame:
    """One row per maturity, pair of strategies and measure.

    ``difference`` is the mean of a - b over runs with the same luck, with its 95% interval; empty
    where a week was never reached. ``a_wins`` is the share of pairs in which a does better (ties
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
                    difference = _mean(x - y)
                    spread = float(np.var(x - y, ddof=1)) if len(x) > 1 else 0.0
                    ratio = float((np.var(x, ddof=1) + np.var(y, ddof=1)) / spread) if spread > 0 else np.nan
                rows.append((maturity, a, b, measure, len(x), *difference, *_share(wins, len(x)), ratio))
    return pd.DataFrame(
        rows,
        columns=[
            "maturity",
            "a",
            "b",
            "measure",
            "pairs",
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
        texts = ["never" if np.isinf(v) else f"{v:.0f}" for v in (estimate, low, high)]
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
            console.print(
                f"  Same luck, net value after {weeks} weeks: {strategy_label(row['a'])} − {strategy_label(row['b'])} = "
                f"{_cell('net', row['difference'], row['low'], row['high'])}; better in {row['a_wins']:.0%} "
                f"[{row['a_wins_low']:.0%}, {row['a_wins_high']:.0%}] of pairs."
                + (f" Unpaired runs would need {ratio:.1f}× as many." if ratio == ratio else ""),
                highlight=False,
                markup=False,
            )
        console.print()
    if len(strategies) > 2:
        console.print("Intervals are in summary.csv, all pairs and measures in paired.csv.\n", highlight=False)


def _estimate(part: pd.DataFrame, strategy: str, measure: str) -> tuple[float, float, float]:
    row: Any = part.loc[(strategy, measure)]
    return row["estimate"], row["low"], row["high"]


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
        if (strategies[0], measure) in part.index:
            table.add_row(label, *(_cell(measure, *_estimate(part, s, measure)) for s in strategies))
    endings = {s: _endings(part, s) for s in strategies}
    for label in CLASS_LABELS.values():
        if any(label in endings[s] for s in strategies):
            table.add_row("  " + label, *(f"{endings[s].get(label, 0.0):.0%}" for s in strategies))
    return table


def _list(title: str, part: pd.DataFrame, strategies: list[str], weeks: int) -> Table:
    """A row a strategy, estimates only: for many strategies."""
    labels = {"net_104": "104 w", "net": f"net, {weeks} w", "final_reliance": "relying", "weeks_to_50": "w to 50%"}
    measures = [measure for measure in labels if (strategies[0], measure) in part.index]
    table = Table(title=title, title_justify="left")
    table.add_column("strategy", no_wrap=True)
    for measure in measures:
        table.add_column(labels[measure], justify="right", no_wrap=True)
    table.add_column("runs end as")
    for strategy in strategies:
        cells = [_cell(m, *_estimate(part, strategy, m)).split("  ")[0] for m in measures]
        most = sorted(_endings(part, strategy).items(), key=lambda item: -item[1])
        table.add_row(strategy_label(strategy), *cells, ", ".join(f"{label} {share:.0%}" for label, share in most))
    return table


if __name__ == "__main__":
    main("compare", compare)
