"""The picture of a sensitivity analysis: parameters by how much they decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.views.colours import SOURCE_COLOURS, SOURCE_MARKS
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import outcome_words, strategy_label

MOST_ROWS = 20


def compared(plan: dict[str, Any]) -> str:
    """What was analysed: one strategy, or one less another."""
    strategy = strategy_label(plan["parameters"]["strategy"]["name"])
    return f"{strategy} − {strategy_label(plan['versus'])}" if plan["versus"] else strategy


def sensitivity_figure(folder: Path) -> Path:
    """The leading parameters with intervals, coloured by source; and whose moves turn the ranking. Writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    table, summary = pd.read_parquet(folder / "importance.parquet"), pd.read_parquet(folder / "summary.parquet").iloc[0]
    rows, outcome, both = table.head(MOST_ROWS), str(summary["outcome"]), "turns" in table
    morris = summary["method"] == "morris"
    index, other = ("mu_star", "sigma") if morris else ("ST", "S1")
    at = np.arange(len(rows))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6 if both else 7.4, 1.9 + 0.23 * len(rows)), layout="constrained")
        axes = figure.subplots(1, 2 if both else 1, squeeze=False, sharey=True, width_ratios=(3, 1.3) if both else (1,))[0]
        _dots(axes[0], rows, index)
        below = at + (0 if morris else 0.24)
        axes[0].plot(rows[other], below, "|", color="#444444", ms=9 if morris else 6, mew=1.5)
        if not morris:
            axes[0].hlines(below, rows["S1_low"], rows["S1_high"], color="#444444", lw=0.6)
        axes[0].axvline(float(summary["threshold"]), color="#888888", ls="--", lw=0.9)
        axes[0].set_yticks(at, rows["parameter"])
        axes[0].set_ylim(len(rows) - 0.4, -0.6)
        if morris:
            axes[0].xaxis.set_major_formatter(value_formatter(outcome))
        axes[0].set_xlim(left=min(0.0, 1.1 * float(rows["S1_low"].min())) if not morris else 0.0)
        axes[0].xaxis.set_major_locator(MaxNLocator(6))
        axes[0].set_xlabel("mean size of the effect over the whole range (μ*)" if morris else "share of the variance")
        if both:
            _dots(axes[1], rows, "turns")
            axes[1].set_xlim(left=0)
            axes[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes[1].xaxis.set_major_locator(MaxNLocator(4))
            axes[1].set_xlabel("moves of it alone\nthat turn the ranking")
            axes[1].tick_params(axis="y", left=False)
        handles = [
            Line2D([], [], color=SOURCE_COLOURS[s], marker=SOURCE_MARKS[s], ms=5, lw=1.4, label=s)
            for s in SOURCE_COLOURS
            if s in set(rows["source"])
        ]
        second = "σ: interactions" if morris else "alone (S1); dot: with interactions (ST)"
        handles.append(Line2D([], [], color="#444444", marker="|", ms=9, mew=1.5, ls="", label=second))
        handles.append(Line2D([], [], color="#888888", ls="--", lw=0.9, label="matters from here"))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
        more = f"; {len(rows)} of {len(table)} parameters" if len(rows) < len(table) else ""
        figure.suptitle(
            f"What decides {outcome_words(outcome)}: {compared(plan)}\nestimate and 95% interval, by what the value rests on{more}",
            x=0.01, ha="left", fontsize=10,
        )  # fmt: skip
        return save(figure, folder / "figure.png")


def _dots(axis: Any, rows: pd.DataFrame, name: str) -> None:
    for k, (_, row) in enumerate(rows.iterrows()):
        colour = SOURCE_COLOURS[row["source"]]
        axis.plot([row[f"{name}_low"], row[f"{name}_high"]], [k, k], color=colour, lw=1.4, solid_capstyle="butt")
        axis.plot(row[name], k, SOURCE_MARKS[row["source"]], color=colour, ms=5, clip_on=False, zorder=3)
