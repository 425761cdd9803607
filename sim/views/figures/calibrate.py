"""The picture of a calibration: published figures beside the model's, prior and posterior of its parameters."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, broken, save


def calibrate_figure(folder: Path) -> Path:
    """Published figures with the posterior's intervals, and prior and posterior of the parameters. Writes ``figure.png``."""
    figures = pd.read_parquet(folder / "targets.parquet")
    parameters = pd.read_parquet(folder / "parameters.parquet").sort_values("narrowed", ascending=False, kind="stable", ignore_index=True)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.2, 1.9 + 0.3 * max(len(parameters), 10)), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
        at = np.arange(len(figures))
        left.hlines(at, figures["model_low"], figures["model_high"], color=COLOURS[0], lw=5, alpha=0.45)
        left.plot(figures["model"], at, "o", color=COLOURS[0], ms=6)
        for bound, marker in ((False, "D"), (True, ">")):
            of = (figures["bound"] == bound).to_numpy()
            left.plot(figures["published"][of], at[of], marker, color=COLOURS[1], ms=7, mfc="none", mew=1.8)
        left.set_yticks(at, [broken(words) for words in figures["words"]], fontsize=8)
        left.set_ylim(len(figures) - 0.5, -0.5)
        left.set_xlim(0, 1)
        left.xaxis.set_major_formatter(PercentFormatter(1))
        left.set_title("Targets")
        at = np.arange(len(parameters))
        width = parameters["prior_high"] - parameters["prior_low"]

        def place(values: pd.Series) -> np.ndarray:
            return ((values - parameters["prior_low"]) / width).to_numpy(float)

        right.barh(at, 1, color="#eeeeee", height=0.62)
        low, high = place(parameters["posterior_low"]), place(parameters["posterior_high"])
        right.barh(at, high - low, left=low, color=COLOURS[0], alpha=0.45, height=0.62)
        right.plot(place(parameters["calibrated"]), at, "o", color=COLOURS[0], ms=6)
        right.plot(place(parameters["default"]), at, "s", color="#444444", ms=5, mfc="none", mew=1.3)
        for k, row in parameters.iterrows():
            value = float(f"{row['calibrated']:.3g}")
            words, end = f"{value:,.0f} {row['unit']}" if value >= 1000 else f"{value:g} {row['unit']}", (1.02, float(str(k)))
            right.annotate(words, end, va="center", fontsize=7, annotation_clip=False)
        right.set_yticks(at, parameters["parameter"], fontsize=8)
        right.set(xlim=(-0.02, 1.02), ylim=(len(parameters) - 0.5, -0.5), xticks=[0, 1], title="Parameters, the best determined first")
        right.set_xticklabels(["lowest of\nthe prior", "highest"])
        right.grid(False)
        figure.legend(
            handles=[
                Line2D([], [], marker="D", ls="", color=COLOURS[1], mfc="none", mew=1.8, ms=7, label="published"),
                Line2D([], [], marker=">", ls="", color=COLOURS[1], mfc="none", mew=1.8, ms=7, label="at least"),
                Line2D([], [], marker="o", color=COLOURS[0], lw=5, alpha=0.7, ms=6, label="model: median, 90% interval"),
                Patch(color="#e4e4e4", label="prior"),
                Patch(color=COLOURS[0], alpha=0.45, label="posterior, 90%"),
                Line2D([], [], marker="o", ls="", color=COLOURS[0], ms=6, label="chosen"),
                Line2D([], [], marker="s", ls="", color="#444444", mfc="none", mew=1.3, ms=5, label="default"),
            ],
            loc="outside lower center", ncols=7, fontsize=8,
        )  # fmt: skip
        figure.suptitle("Targets, and what they say about the model's parameters", x=0.01, ha="left", fontsize=10)
        return save(figure, folder / "figure.png")
