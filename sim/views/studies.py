"""Pictures of studies of many runs: each takes a results folder and nothing else but what to show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.outcomes import MEASURES
from sim.views.figures import COLOURS, STYLE, save, value_formatter
from sim.views.words import strategy_label

MOST_PANELS = 8


def sweep_figure(folder: Path, outcome: str) -> Path:
    """The outcome over each factor: points' means, and the mean of all runs in each tenth of the range; writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    factors = list(plan["design"].get("ranges", plan["design"].get("over")))
    runs = pd.read_parquet(folder / "runs", columns=list(dict.fromkeys([*factors, "point", outcome, "error"])))
    runs = runs[runs["error"] == ""]
    runs[outcome] = runs[outcome].astype("Float64").astype(float)
    points = runs.groupby("point")[[outcome]].mean().join(runs.groupby("point")[factors].first())
    effects = {name: _by_level(runs, points, name, outcome) for name in factors}
    ranked = sorted(factors, key=lambda name: -float(np.nanstd(effects[name]["mean"])))[:MOST_PANELS]
    columns = min(4, len(ranked))
    rows = -(-len(ranked) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(4.5, 3.1 * columns), 2.7 * rows + 0.7), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axis, name in zip(axes, ranked, strict=False):
            _effect(axis, points, effects[name], name, outcome)
        for axis in axes[len(ranked) :]:
            axis.set_visible(False)
        measure = MEASURES[outcome]
        figure.supylabel(f"{outcome} ({measure.unit})" if measure.unit else outcome, fontsize=9)
        left = f"; the {len(ranked)} factors that move it most" if len(ranked) < len(factors) else ""
        figure.suptitle(
            f"{measure.meaning[0].upper()}{measure.meaning[1:].split(';')[0]}\ndots: points; line: mean with 95% interval{left}",
            x=0.01, ha="left", fontsize=10,
        )  # fmt: skip
        return save(figure, folder / "figure.png")


def _by_level(runs: pd.DataFrame, points: pd.DataFrame, name: str, outcome: str) -> pd.DataFrame:
    """Mean and interval of points' means at each value, or in each tenth of the range."""
    x = points[name]
    if not pd.api.types.is_numeric_dtype(x) or pd.api.types.is_bool_dtype(x) or x.nunique() <= 12:
        level = x
    else:
        level = pd.cut(x, 10).map(lambda interval: interval.mid).astype(float)
    grouped = points[outcome].groupby(level, observed=True)
    n = grouped.count()
    return pd.DataFrame({"mean": grouped.mean(), "half": 1.96 * grouped.std() / np.sqrt(n.where(n > 1))})


def _effect(axis: Any, points: pd.DataFrame, effect: pd.DataFrame, name: str, outcome: str) -> None:
    numeric = pd.api.types.is_numeric_dtype(points[name]) and not pd.api.types.is_bool_dtype(points[name])
    x = points[name] if numeric else points[name].map({level: k for k, level in enumerate(effect.index)})
    at = effect.index.to_numpy(float) if numeric else np.arange(len(effect))
    spread = 0 if numeric else (np.random.Generator(np.random.SFC64(1)).random(len(x)) - 0.5) * 0.5
    axis.plot(x + spread, points[outcome], ".", ms=3, color="#9a9a9a", alpha=min(1.0, max(0.05, 200 / len(points))), rasterized=True)
    axis.errorbar(at, effect["mean"], yerr=effect["half"], color=COLOURS[0], lw=1.6, ls="-" if numeric else "", marker="o", ms=4, capsize=2)
    if not numeric:
        axis.set_xticks(
            at,
            [strategy_label(str(level)) for level in effect.index],
            rotation=20 if len(at) > 2 else 0,
            ha="right" if len(at) > 2 else "center",
        )
        axis.set_xlim(-0.6, len(at) - 0.4)
    axis.set_xlabel(name)
    axis.yaxis.set_major_formatter(value_formatter(outcome))
