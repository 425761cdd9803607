"""The picture of the baselines: their adoption beside the model's, and both beside the published numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save
from sim.views.words import MODEL_LABELS, strategy_label

LOOKS: dict[str, dict[str, Any]] = {
    "model": {"color": COLOURS[0], "ls": "-", "marker": "o"},
    "bass": {"color": COLOURS[1], "ls": "--", "marker": "s"},
    "success": {"color": COLOURS[2], "ls": "-.", "marker": "^"},
    "mixed": {"color": COLOURS[3], "ls": ":", "marker": "v"},
}


def baselines_figure(folder: Path) -> Path:
    """Adoption by strategy, the model's and each baseline's; below, the published numbers where they were taken. Writes ``figure.png``."""
    observed = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["observed"]
    adoption = pd.read_parquet(folder / "adoption.parquet")
    strategies = list(dict.fromkeys(adoption["strategy"]))
    targets = pd.read_parquet(folder / "targets.parquet") if (folder / "targets.parquet").is_file() else None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(7.0, 3.4 * len(strategies)), 3.6 if targets is None else 6.8), layout="constrained")
        parts: Any = [figure] if targets is None else figure.subfigures(2, 1, height_ratios=(1, 0.95))
        upper = parts[0]
        for axis, strategy in zip(np.ravel(upper.subplots(1, len(strategies), sharey=True, squeeze=False)), strategies, strict=True):
            for source in MODEL_LABELS:
                rows = adoption[(adoption["source"] == source) & (adoption["strategy"] == strategy)]
                week = rows["week"] + 1
                look = LOOKS[source]
                if source == "model":
                    axis.fill_between(week, rows["p10"], rows["p90"], color=look["color"], alpha=0.13, lw=0)
                axis.fill_between(week, rows["mean_low"], rows["mean_high"], color=look["color"], alpha=0.3, lw=0)
                axis.plot(week, rows["mean"], color=look["color"], ls=look["ls"], lw=1.7)
            axis.axvline(observed, color="#555555", lw=1)
            axis.set(title=strategy_label(strategy), xlabel="week", ylim=(0, 1))
            axis.annotate(" asked for", (observed, 0.97), fontsize=7.5, color="#444444", va="top")
            axis.yaxis.set_major_formatter(PercentFormatter(1))
        upper.axes[0].set_ylabel("planners relying on it")
        if targets is not None:
            _published(parts[1].subplots(), targets)
        handles: list[Any] = [
            Line2D(
                [],
                [],
                color=look["color"],
                ls=look["ls"],
                marker=look["marker"] if targets is not None else "",
                ms=5,
                lw=1.7,
                label=MODEL_LABELS[source],
            )
            for source, look in LOOKS.items()
        ]
        handles.append(Patch(color=COLOURS[0], alpha=0.13, label="middle 80% of its runs"))
        if targets is not None:
            handles.append(Line2D([], [], marker="D", ls="", color="#000000", mfc="none", mew=1.6, ms=7, label="published"))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
        figure.suptitle(
            f"Seen for {observed} weeks, asked for the rest: three simpler models and the full one (means with 95% intervals)",
            x=0.01, ha="left", fontsize=10,
        )  # fmt: skip
        return save(figure, folder / "figure.png")


def _published(axis: Any, targets: pd.DataFrame) -> None:
    """Every published number, and what each model gives with its interval."""
    names = list(dict.fromkeys(targets["target"]))
    for k, (source, look) in enumerate(LOOKS.items()):
        rows = targets[targets["source"] == source].set_index("target").loc[names]
        at = np.arange(len(names)) + (k - 1.5) * 0.18
        axis.hlines(at, rows["value_low"], rows["value_high"], color=look["color"], lw=1.6)
        axis.plot(rows["value"], at, look["marker"], color=look["color"], ms=5)
    first = targets.drop_duplicates("target")
    for k, value in enumerate(first["published"]):
        axis.plot([value, value], [k - 0.42, k + 0.42], color="#000000", lw=1)
        axis.plot(value, k, "D", color="#000000", mfc="none", mew=1.6, ms=7)
    axis.set_yticks(range(len(names)), list(first["words"]), fontsize=8)
    axis.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 1), title="Published numbers, and what a population of organisations gives")
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.grid(axis="y", visible=False)
