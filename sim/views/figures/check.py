"""The picture of a check: targets of one's own beside what the model says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, broken, save
from sim.views.words import of_target


def check_figure(folder: Path) -> Path:
    """Every target with its tolerance beside what the model says, in tolerances off the published value. Writes ``figure.png``."""
    rows = pd.read_parquet(folder / "targets.parquet")
    at = np.arange(len(rows))
    unit = rows["tolerance"].where(rows["tolerance"] > 0, rows["value"].abs().clip(lower=1e-9))
    with matplotlib.rc_context(STYLE):
        labels = [f"{broken(name)}\n{broken(asked)}" for name, asked in zip(rows["name"], rows["asked"], strict=True)]
        lines = sum(label.count("\n") + 1 for label in labels)
        figure = Figure(figsize=(8.2, 1.8 + 0.17 * lines), layout="constrained")
        axis = figure.subplots()
        axis.axvspan(-1, 1, color="#e4e4e4")
        axis.axvline(0, color=COLOURS[1], lw=1.4)
        for k in range(len(rows)):
            row: Any = rows.iloc[k]
            low, middle, high = ((row[name] - row["value"]) / unit.iloc[k] for name in ("model_low", "model", "model_high"))
            axis.plot([low, high], [k, k], color=COLOURS[0], lw=1.6)
            axis.plot(middle, k, "o" if row["within"] else "X", color=COLOURS[0], ms=6)
            said = f"{of_target(row, row['value'])}; {of_target(row, row['model'])}"
            axis.text(1.01, k, said, transform=axis.get_yaxis_transform(), va="center", fontsize=8)
        axis.set_yticks(at, labels, fontsize=8)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.text(1.01, -0.6, "published; model", transform=axis.get_yaxis_transform(), va="bottom", fontsize=8, color="#555555")
        axis.set_xlabel("off the published value, in tolerances")
        figure.legend(
            handles=[
                Line2D([], [], color=COLOURS[1], lw=1.4, label="published"),
                Patch(color="#e4e4e4", label="tolerance"),
                Line2D([], [], color=COLOURS[0], marker="o", lw=1.6, ms=6, label="model, 95% interval"),
                Line2D([], [], color=COLOURS[0], marker="X", ls="", ms=6, label="outside"),
            ],
            loc="outside lower center", ncols=4, fontsize=8,
        )  # fmt: skip
        figure.suptitle(f"{rows['within'].sum()} of {len(rows)} targets within their tolerance", x=0.01, ha="left", fontsize=10)
        return save(figure, folder / "figure.png")
