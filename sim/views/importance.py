"""Pictures of what decides: ranked importance of parameters, and boxes of scenario discovery. Each takes a results folder."""

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

from sim.views.colours import COLOURS
from sim.views.figures import STYLE, save, value_formatter
from sim.views.words import CLASS_LABELS, outcome_words, strategy_label

SOURCE_COLOURS = {"documented": COLOURS[0], "measured": COLOURS[4], "calibrated": COLOURS[2], "judged": COLOURS[1]}
SOURCE_MARKS = {"documented": "s", "measured": "^", "calibrated": "D", "judged": "o"}
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


def discover_figure(folder: Path) -> Path:
    """How coverage is traded for density while peeling, and each box's limits within the ranges tried. Writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    boxes, peeling, scores = (pd.read_parquet(folder / f"{name}.parquet") for name in ("boxes", "peeling", "scores"))
    with matplotlib.rc_context(STYLE):
        rows = len(boxes) + boxes["box"].nunique()
        figure = Figure(figsize=(10.2, max(3.9, 1.6 + 0.27 * rows)), layout="constrained")
        trade, limits = figure.subplots(1, 2, width_ratios=(1, 1.15))
        for number, steps in peeling.groupby("box"):
            _trade_off(trade, int(str(number)), steps, scores)
        everything = scores[(scores["box"] == 0) & (scores["set"] == "fitted")].iloc[0]
        share = everything["cases"] / max(1, everything["points"])
        trade.axhline(share, color="#888888", ls="--", lw=0.9)
        trade.annotate(
            f"all fitted points: {share:.0%}", (0, share), xytext=(0, 3), textcoords="offset points", fontsize=8, color="#444444"
        )
        trade.set(title="Coverage and density", xlabel="coverage: share of the cases", ylabel="density: share of cases in the box")
        trade.set(xlim=(-0.03, 1.05), ylim=(-0.03, 1.05))
        for axis in (trade.xaxis, trade.yaxis):
            axis.set_major_formatter(PercentFormatter(1))
        _limits(limits, boxes)
        handles = [
            Line2D([], [], color="#444444", marker=".", lw=1, label="steps of peeling (fitted)"),
            Line2D([], [], color="#444444", marker="o", ls="", mfc="white", ms=7, label="the box, fitted"),
            Line2D([], [], color="#444444", marker="s", ls="", ms=6, label="the box on points held out, 95% interval"),
        ]
        if len(boxes):
            figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
        figure.suptitle(_asked(plan), x=0.01, ha="left", fontsize=10)
        return save(figure, folder / "figure.png")


def _asked(plan: dict[str, Any]) -> str:
    strategy = strategy_label(plan["parameters"]["strategy"]["name"])
    if plan["question"] == "loses":
        return f"Where {strategy} loses to {strategy_label(plan['versus'])} on {outcome_words(plan['outcome'])}"
    return f"Where {strategy} ends as «{CLASS_LABELS[plan['question']]}»"


def _trade_off(axis: Any, number: int, steps: pd.DataFrame, scores: pd.DataFrame) -> None:
    colour = COLOURS[(number - 1) % len(COLOURS)]
    axis.plot(steps["coverage"], steps["density"], ".-", color=colour, lw=0.8, ms=4, alpha=0.6)
    fit, held = (scores[(scores["box"] == number) & (scores["set"] == s)].iloc[0] for s in ("fitted", "held out"))
    axis.plot(fit["coverage"], fit["density"], "o", color=colour, mfc="white", ms=8, mew=1.6, zorder=4)
    axis.annotate(str(number), (fit["coverage"], fit["density"]), ha="center", va="center", fontsize=6, zorder=5)
    if held["density"] == held["density"] and held["coverage"] == held["coverage"]:
        spread = [[[held[m] - held[f"{m}_low"]], [held[f"{m}_high"] - held[m]]] for m in ("coverage", "density")]
        axis.errorbar(held["coverage"], held["density"], xerr=spread[0], yerr=spread[1], fmt="s", color=colour, ms=5, lw=1, zorder=3)


def _limits(axis: Any, boxes: pd.DataFrame) -> None:
    """A bar a restricted parameter: the part of its range that the box keeps, with the limit in its unit."""
    axis.set_title("Limits of the boxes")
    if boxes.empty:
        axis.text(0.5, 0.5, "no box", ha="center", va="center", color="#444444")
        axis.set(xticks=[], yticks=[])
        return
    at, ticks, labels = 0.0, [], []
    for number, rows in boxes.groupby("box"):
        colour = COLOURS[(int(str(number)) - 1) % len(COLOURS)]
        for _, row in rows.iterrows():
            width = row["range_high"] - row["range_low"]
            low, high = ((v - row["range_low"]) / width for v in (row["low"], row["high"]))
            left, right = (0.0 if low != low else low), (1.0 if high != high else high)
            axis.barh(at, 1, color="#eeeeee", height=0.62)
            axis.barh(at, right - left, left=left, color=colour, height=0.62)
            inner = right - left > 0.3
            text = " to ".join(f"{v:.3g}" for v in (row["low"], row["high"]) if v == v)
            text = text if " to " in text else ("> " if low == low else "< ") + text
            if inner:
                axis.text((left + right) / 2, at, text, ha="center", va="center", fontsize=7.5, color="white")
            else:
                axis.text(
                    right + 0.02 if right < 0.7 else left - 0.02, at, text, ha="left" if right < 0.7 else "right", va="center", fontsize=7.5
                )
            ticks.append(at)
            labels.append(row["parameter"])
            at += 1
        at += 0.6
    axis.set_yticks(ticks, labels, fontsize=8)
    axis.set(xlim=(0, 1), ylim=(max(at, 6.0) - 0.9, -0.7), xlabel="range tried, from lowest to highest")
    axis.set_xticks([0, 0.5, 1], ["lowest", "middle", "highest"])
    axis.grid(False)
