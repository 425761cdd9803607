"""The picture of the patterns: each test's effect beside what its ablation leaves of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save
from sim.views.words import emerging, interval

HERE, GONE = COLOURS[0], COLOURS[1]


def patterns_figure(folder: Path) -> Path:
    """One row per test, in the direction claimed: its effect and what the ablation leaves, on a scale of its own. Writes ``figure.png``."""
    tests = pd.read_parquet(folder / "tests.parquet")
    place = np.arange(len(tests)) + 0.55 * (tests["pattern"] != tests["pattern"].shift()).cumsum().to_numpy()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 1.9 + 0.31 * float(place[-1])), layout="constrained")
        panel = figure.subplots()
        panel.axvline(0, color="#555555", lw=1)
        panel.axvspan(-1.12, 0, color="#f3f3f3", lw=0, zorder=0)
        for y, (_, row) in zip(place, tests.iterrows(), strict=True):
            _row(panel, float(y), row)
        first = (tests["pattern"] != tests["pattern"].shift()).to_numpy()
        for y, (_, row) in zip(place[first], tests[first].iterrows(), strict=True):
            shown_up = str(row["verdict"]).startswith("emerges")
            panel.annotate(row["pattern"], (-1.12, y - 0.62), fontsize=8.5, fontweight="bold", va="center", annotation_clip=False)
            panel.annotate(
                row["verdict"], (1.12, y - 0.62), fontsize=8, ha="right", va="center", annotation_clip=False,
                color="#222222" if shown_up else GONE,
            )  # fmt: skip
        panel.set_yticks(place, [f"{row['test']}  " for _, row in tests.iterrows()])
        panel.tick_params(axis="y", length=0)
        panel.set(xlim=(-1.12, 1.12), ylim=(place[-1] + 0.7, place[0] - 1.1), xticks=[-1, 0, 1])
        panel.set_xticklabels(["against the claim", "0", "as claimed"])
        panel.set_xlabel("effect with 95% interval; each row has a scale of its own, up to its widest interval")
        panel.grid(False)
        panel.spines["left"].set_visible(False)
        handles = [
            Line2D([], [], color=HERE, marker="o", ms=6, label="the model"),
            Line2D([], [], color=HERE, marker="o", ms=6, mfc="white", label="the model, where the test does not hold"),
            Line2D([], [], color=GONE, marker="s", ms=5, label="its ablation"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
        figure.suptitle(emerging(tests), x=0.01, ha="left", fontsize=10)
        return save(figure, folder / "figure.png")


def _row(panel: Any, y: float, row: pd.Series) -> None:
    """Effect (dot) and ablated effect (square) with their intervals, turned so that what is claimed lies to the right, and in figures."""
    ends = np.abs(row[["effect", "effect_low", "effect_high", "ablated", "ablated_low", "ablated_high"]].to_numpy(float))
    scale = row["direction"] / (np.nanmax(ends) if np.nanmax(ends, initial=0) > 0 else 1.0)
    for name, colour, mark, shift in (("effect", HERE, "o", -0.13), ("ablated", GONE, "s", 0.15)):
        if np.isnan(row[name]):
            continue
        low, high = sorted((scale * row[f"{name}_low"], scale * row[f"{name}_high"]))
        panel.plot([low, high], [y + shift] * 2, color=colour, lw=2.2, solid_capstyle="butt")
        hollow = name == "effect" and not row["emerges"]
        panel.plot(scale * row[name], y + shift, mark, color=colour, ms=6 if mark == "o" else 5, mfc="white" if hollow else colour)
    figures = interval(row["unit"], row["effect"], row["effect_low"], row["effect_high"])
    panel.annotate(
        f"{figures} {row['unit'].removeprefix('EUR').strip()}", (1.15, y), fontsize=7.5, va="center", annotation_clip=False, color="#333333"
    )
