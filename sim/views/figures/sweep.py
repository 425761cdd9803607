"""The picture of a sweep: the outcome over each factor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.measures import MEASURES
from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import amount, strategy_label

MOST_PANELS = 8


def sweep_figure(folder: Path) -> Path:
    """The outcome over each factor: points' means, and their mean along the range; writes ``figure.png``.

    Where a strategy (or another choice of two to four) is among the factors, the others are shown for each of its levels.
    """
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    outcome = plan["outcome"]
    factors = list(plan["design"].get("ranges", plan["design"].get("over")))
    runs = pd.read_parquet(folder / "runs", columns=list(dict.fromkeys([*factors, "point", outcome, "error"])))
    runs = runs[runs["error"] == ""].copy()
    runs[outcome] = runs[outcome].astype("Float64").astype(float)
    grouped = runs.groupby("point")
    points = pd.DataFrame({"outcome": grouped[outcome].mean()}).join(grouped[[name for name in factors if name != outcome]].first())
    given = plan["design"].get("ranges", {})
    levels = {n: [v for v in given.get(n, dict.fromkeys(points[n])) if v in set(points[n])] for n in factors if not _numeric(points[n])}
    split = next((name for name in factors if not _numeric(points[name]) and 2 <= points[name].nunique() <= 4), None)
    ranked = sorted(factors, key=lambda name: (name != split, -float(np.nanstd(_along(points, name)["mean"]))))[:MOST_PANELS]
    columns = len(ranked) if len(ranked) <= 4 else 3 if len(ranked) <= 6 else 4
    rows = -(-len(ranked) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(4.5, 3.1 * columns), 2.7 * rows + 0.7), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axis, name in zip(axes, ranked, strict=False):
            if split is None or len(ranked) == 1:
                _effect(axis, points, name, levels.get(name, []), COLOURS[0])
            else:
                for k, level in enumerate(levels[split]):
                    _effect(axis, points[points[split] == level], name, levels.get(name, []), COLOURS[k])
            axis.set_xlabel(name)
            axis.yaxis.set_major_formatter(value_formatter(outcome))
        for axis in axes[len(ranked) :]:
            axis.set_visible(False)
        measure = MEASURES[outcome]
        figure.supylabel(f"{outcome} ({measure.unit})" if measure.unit else outcome, fontsize=9)
        left = f"; the {len(ranked)} factors that move it most" if len(ranked) < len(factors) else ""
        meaning = measure.meaning.split(";")[0]
        each = _each(grouped[outcome], outcome, "organisations" if plan.get("population") else "runs")
        figure.suptitle(
            f"{meaning[0].upper()}{meaning[1:]}\ndots: points{each}; line: their mean with its 95% interval{left}",
            x=0.01,
            ha="left",
            fontsize=10,
        )
        return save(figure, folder / "figure.png")


def _each(grouped: Any, outcome: str, of: str) -> str:
    """What a point is the mean of, and how sure that mean is: all points share the runs' luck, which the line's interval leaves out."""
    n = int(grouped.count().max())
    half = float((1.96 * grouped.std() / np.sqrt(grouped.count())).mean())
    return f", each of the same {n} {of}, whose mean is sure to ±{amount(outcome, half)}" if n > 1 and half == half else ""


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _along(points: pd.DataFrame, name: str) -> pd.DataFrame:
    """Mean and half interval of points' means at each value, or in parts of the range with eight points or more each."""
    x: Any = points[name]
    if _numeric(x) and x.nunique() > 12:
        x = pd.cut(x, max(2, min(10, len(points) // 8))).map(lambda interval: interval.mid).astype(float)
    grouped = points["outcome"].groupby(x, observed=True)
    n = grouped.count()
    return pd.DataFrame({"mean": grouped.mean(), "half": 1.96 * grouped.std() / np.sqrt(n.where(n > 1))})


def _effect(axis: Any, points: pd.DataFrame, name: str, levels: list[Any], colour: str) -> None:
    numeric, along = _numeric(points[name]), _along(points, name)
    place = {level: float(k) for k, level in enumerate(levels)}
    x = points[name].to_numpy(float) if numeric else np.array([place[level] for level in points[name]])
    at = along.index.to_numpy(float) if numeric else np.array([place[level] for level in along.index])
    spread = 0 if numeric else (np.random.Generator(np.random.SFC64(1)).random(len(x)) - 0.5) * 0.5
    axis.plot(x + spread, points["outcome"], ".", ms=3, color=colour, alpha=min(0.5, max(0.12, 100 / len(points))), mew=0, rasterized=True)
    axis.errorbar(at, along["mean"], yerr=along["half"], color=colour, lw=1.6, ls="-" if numeric else "", marker="o", ms=4, capsize=2)
    if not numeric:
        turned = 0 if len(levels) <= 2 else 20 if len(levels) <= 5 else 90
        axis.set_xticks(
            range(len(levels)),
            [strategy_label(str(v)) for v in levels],
            rotation=turned,
            ha="right" if turned == 20 else "center",
            fontsize=8,
        )
        axis.set_xlim(-0.6, len(levels) - 0.4)
