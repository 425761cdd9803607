"""The picture of the levers: what each measure does without each, in the direction expected."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save
from sim.views.words import interval, outcome_words

ACTS, SILENT = COLOURS[0], COLOURS[1]


def levers_figure(folder: Path) -> Path:
    """One row per lever, on a scale of its own, and the parts of the strategies' difference. Writes ``figure.png``."""
    found, parts = (pd.read_parquet(folder / f"{name}.parquet") for name in ("levers", "split"))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 2.8 + 0.27 * len(found)), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=[len(found), len(parts)])
        above.axvline(0, color="#555555", lw=1)
        for y, (_, row) in enumerate(found.iterrows()):
            ends = np.array([row["effect_low"], row["effect"], row["effect_high"]]) * row["expected"]
            ends = ends / max(np.abs(ends).max(), 1e-300)
            colour = ACTS if row["acts"] else SILENT
            above.plot(sorted([ends[0], ends[2]]), [y, y], color=colour, lw=2.2, solid_capstyle="butt")
            above.plot(ends[1], y, "o" if row["acts"] else "s", color=colour, ms=6, mfc=colour if row["acts"] else "white")
            said = f"{outcome_words(row['measure'])} {interval(row['unit'], row['effect'], row['effect_low'], row['effect_high'])}"
            above.annotate(said, (1.08, y), fontsize=7.5, va="center", annotation_clip=False, color="#333333")
        above.set_yticks(range(len(found)), [f"{row['lever']}: {row['without']}" for _, row in found.iterrows()], fontsize=7.5)
        above.set(xlim=(-1.05, 1.05), ylim=(len(found) - 0.4, -0.6), xticks=[-1, 0, 1])
        above.set_xticklabels(["against what is said", "0", "as said"])
        above.set_xlabel("change without it, with 95% interval; each row has a scale of its own")
        above.grid(False)
        handles = [
            Line2D([], [], color=ACTS, marker="o", ms=6, label="acts"),
            Line2D([], [], color=SILENT, marker="s", ms=6, mfc="white", label="does not"),
        ]
        above.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=8)
        place = np.arange(len(parts))
        below.barh(place, parts["share"], color=COLOURS[2], height=0.6)
        below.set_yticks(place, parts["group"])
        below.invert_yaxis()
        below.axvline(0, color="#555555", lw=1)
        below.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1, decimals=0))
        below.set_xlabel("part of the difference between integration-first and model-first (Shapley's value)")
        figure.suptitle(f"{int(found['acts'].sum())} of {len(found)} levers act as the article says", x=0.01, ha="left", fontsize=10)
        return save(figure, folder / "figure.png")
