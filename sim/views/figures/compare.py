"""The picture of a comparison: what each strategy is worth over time, and how runs end."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from sim.views.colours import CLASS_COLOURS, COLOURS, LINES
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.leads import best_of_population, leaders, read_table
from sim.views.words import CLASS_LABELS, strategy_label


def compare_figure(folder: Path) -> Path:
    """What each strategy is worth over time, and how runs end; writes ``figure.png``."""
    weekly = pd.read_parquet(folder / "weekly", columns=["maturity", "strategy", "week", "cumulative_net"])
    summary, paired = read_table(folder / "summary.csv"), read_table(folder / "paired.csv")
    maturities, strategies = list(dict.fromkeys(summary["maturity"])), list(dict.fromkeys(summary["strategy"]))
    with matplotlib.rc_context(STYLE):
        height = 3.3 + 0.5 + 0.34 * len(strategies)
        figure = Figure(figsize=(max(7.5, 4.6 * len(maturities)), height + 0.9), layout=ConstrainedLayoutEngine(wspace=0.06))
        axes = figure.subplots(2, len(maturities), squeeze=False, height_ratios=(3.3, 0.5 + 0.34 * len(strategies)), sharey="row")
        for column, maturity in enumerate(maturities):
            value_over_time(axes[0, column], weekly[weekly["maturity"] == maturity], strategies)
            axes[0, column].set_title(f"{maturity} maturity")
            draw_endings(axes[1, column], summary[summary["maturity"] == maturity], strategies)
        axes[0, 0].set_ylabel("cumulative net value (EUR)")
        leads = leaders(summary, paired, maturities, best_of_population(folder))
        of = "organisations" if any(lead.drawn for lead in leads) else "runs"
        bands = "bands: 95% interval of the mean" + (f" (dark),\nnine of ten {of} (light)" if len(strategies) <= 4 else "")
        if len(maturities) > 1 or len(strategies) == 1:
            axes[0, 0].text(0.02, 0.98, bands, transform=axes[0, 0].transAxes, va="top", fontsize=7.5, color="#444444")
        if len(strategies) > 1:
            alone = len(maturities) == 1  # then the note is the legend's title, beside the panel
            place: Any = (
                {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "title": bands, "title_fontsize": 7.5}
                if alone
                else {"loc": "upper left"}
            )
            axes[0, -1].legend(fontsize=8, alignment="left", **place)
        used = [name for name in CLASS_LABELS if summary.loc[summary["measure"] == f"outcome_{name}", "estimate"].max() > 0]
        figure.legend(
            handles=[Patch(color=CLASS_COLOURS[n], label=CLASS_LABELS[n]) for n in used],
            loc="outside lower center",
            ncols=len(used),
            fontsize=8,
        )
        wide = int(10 * figure.get_figwidth())  # letters of a line
        said = "\n".join(textwrap.fill(lead.sentence, wide) for lead in leads)
        figure.suptitle(said, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return save(figure, folder / "figure.png")


def value_over_time(axes: Any, weekly: pd.DataFrame, strategies: Sequence[str]) -> None:
    """Mean with its 95% interval (dark) and nine of ten runs (light)."""
    axes.axhline(0, color="#888888", lw=0.8)
    for k, strategy in enumerate(strategies):
        rows = weekly[weekly["strategy"] == strategy]
        runs = rows["cumulative_net"].to_numpy().reshape(-1, rows["week"].nunique())
        week, mean = np.arange(runs.shape[1]) + 1, runs.mean(axis=0)
        half = 1.96 * runs.std(axis=0, ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else 0 * mean
        low, high = np.percentile(runs, [5, 95], axis=0)
        colour, line = COLOURS[k % len(COLOURS)], LINES[k // len(COLOURS) if len(strategies) > 4 else k % len(LINES)]
        if len(strategies) <= 4:
            axes.fill_between(week, low, high, color=colour, alpha=0.13, lw=0)
        axes.fill_between(week, mean - half, mean + half, color=colour, alpha=0.35, lw=0)
        axes.plot(week, mean, color=colour, ls=line, lw=1.6, label=strategy_label(strategy))
    axes.set_xlabel("week")
    axes.yaxis.set_major_formatter(value_formatter("net"))


def draw_endings(axes: Any, summary: pd.DataFrame, strategies: Sequence[str]) -> None:
    """Share of runs that end in each class."""
    shares = summary[summary["measure"].str.startswith("outcome_")].set_index(["strategy", "measure"])["estimate"]
    for row, strategy in enumerate(strategies):
        left = 0.0
        for name in CLASS_LABELS:
            share = float(shares.get((strategy, f"outcome_{name}"), 0.0))
            axes.barh(row, share, left=left, color=CLASS_COLOURS[name], height=0.72)
            if share >= 0.08:
                dark = name in ("never_launched", "abandoned", "scaled")
                axes.text(left + share / 2, row, f"{share:.0%}", ha="center", va="center", fontsize=8, color="white" if dark else "black")
            left += share
    axes.set_yticks(range(len(strategies)), [strategy_label(s) for s in strategies])
    axes.set_ylim(len(strategies) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("runs that end as")
    axes.grid(False)
