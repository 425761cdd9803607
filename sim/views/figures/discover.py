"""The picture of scenario discovery: how coverage is traded for density, and the boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save
from sim.views.words import CLASS_LABELS, outcome_words, strategy_label


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
