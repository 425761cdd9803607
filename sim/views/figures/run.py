"""The picture of one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from sim.parameters import BUCKETS
from sim.state import STAGES
from sim.views.colours import COLOURS, STAGE_COLOURS
from sim.views.figures.portfolio import portfolio_figure
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import CLASS_LABELS, cut, millions


def run_figure(folder: Path) -> Path:
    """Adoption, value, effort and the units' way, of one run; writes ``figure.png``. Of several use cases: of each, and their way."""
    if (folder / "usecases.parquet").exists():
        return portfolio_figure(folder)
    weekly, units = pd.read_parquet(folder / "weekly.parquet"), pd.read_parquet(folder / "units.parquet")
    outcome = json.loads((folder / "outcome.json").read_text())
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 7), layout="constrained")
        (adoption, value), (effort, way) = figure.subplots(2, 2)
        week = weekly["week"] + 1

        adoption.plot(week, weekly["reliance"], color=COLOURS[0], label="planners\nrelying on it")
        adoption.plot(week, weekly["trust"], color=COLOURS[1], ls="--", label="mean trust")
        adoption.plot(week, weekly["teams_trust_and_use"], color=COLOURS[2], ls="-.", label="teams that\ntrust and use it")
        adoption.plot(week, weekly["units_live"] / outcome["units"], color="#888888", ls=":", label="units live")
        adoption.set(title="Adoption", ylim=(0, 1.02), xlabel="week", ylabel="share")
        adoption.yaxis.set_major_formatter(PercentFormatter(1))
        adoption.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)

        value.axhline(0, color="#888888", lw=0.8)
        value.plot(week, weekly["cumulative_net"], color=COLOURS[0])
        if outcome["trough_week"] is not None:
            value.plot(outcome["trough_week"] + 1, outcome["trough"], "v", color=COLOURS[1])
            value.annotate(
                f"trough {millions(outcome['trough'])}",
                (outcome["trough_week"] + 1, outcome["trough"]),
                xytext=(0, -14),
                textcoords="offset points",
                ha="right" if outcome["trough_week"] > 0.8 * len(week) else "center",
                fontsize=8,
                color=COLOURS[1],
            )
            value.margins(y=0.15)
        value.set(title="Cumulative net value", xlabel="week", ylabel="EUR")
        value.yaxis.set_major_formatter(value_formatter("net"))

        names = ["support", *BUCKETS]
        colours = ("#6b6b6b", COLOURS[1], COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[3], COLOURS[4])
        effort.stackplot(week, [weekly[f"effort_{name}"] for name in names], colors=colours, labels=names, lw=0)
        effort.set(title="Where the central team's effort goes", xlabel="week", ylabel="person-weeks per week")
        handles, labels = effort.get_legend_handles_labels()
        effort.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)

        _way(way, units)
        figure.suptitle(f"{CLASS_LABELS[outcome['outcome']].capitalize()}: {outcome['reason']}", x=0.01, ha="left", fontweight="bold")
        return save(figure, folder / "figure.png")


def _way(axes: Any, units: pd.DataFrame) -> None:
    """Each unit's stage over the weeks, by when it went live; too many units are shown as shares."""
    wide = units.pivot(index="unit", columns="week", values="stage").apply(lambda c: c.cat.codes)
    codes = wide.to_numpy()
    colours = [STAGE_COLOURS[name] for name in STAGES]
    if len(wide) <= 40:
        live = np.where((codes == 3).any(axis=1), (codes == 3).argmax(axis=1), codes.shape[1])
        order = np.lexsort((np.arange(len(live)), live))
        axes.imshow(
            codes[order],
            aspect="auto",
            interpolation="nearest",
            cmap=matplotlib.colors.ListedColormap(colours),
            vmin=-0.5,
            vmax=len(STAGES) - 0.5,
            extent=(0.5, codes.shape[1] + 0.5, len(wide) - 0.5, -0.5),
        )
        axes.set_yticks(range(len(wide)), [cut(str(name), 18) for name in wide.index[order]], fontsize=7 if len(wide) <= 16 else 5)
        axes.grid(False)
    else:
        shares = [(codes == k).mean(axis=0) for k in range(len(STAGES))]
        axes.stackplot(np.arange(codes.shape[1]) + 1, shares, colors=colours, lw=0)
        axes.set_ylabel(f"share of {len(wide)} units")
    axes.set(title="The units' way", xlabel="week")
    axes.legend(
        handles=[Patch(color=c, label=n) for n, c in STAGE_COLOURS.items()], loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8
    )
