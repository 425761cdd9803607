"""The map of who wins: by how much and how often, over two parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import outcome_words, strategy_label

#: Orange to purple: two directions that people with colour-blindness can tell apart.
DIRECTIONS = "PuOr_r"
HATCH = "////"


def phase_figure(folder: Path) -> Path:
    """By how much and how often who wins over two parameters, with the boundary. Writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    cells, each = pd.read_parquet(folder / "cells.parquet"), pd.read_parquet(folder / "strategies.parquet")
    axes_of, strategies, outcome = [plan["design"][a] for a in ("x", "y")], plan["strategies"], plan["outcome"]
    names = [axis["parameter"] for axis in axes_of]
    xs, ys = (np.unique(cells[name]) for name in names)

    def grid(column: pd.Series) -> np.ndarray:
        return column.to_numpy().reshape(len(xs), len(ys)).T  # the design runs through y first

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 4.9), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        means = each["mean"].to_numpy().reshape(len(xs), len(ys), len(strategies)).transpose(1, 0, 2)
        if len(strategies) == 2:
            _two(figure, panels, grid, cells, strategies, outcome, xs, ys)
        else:
            _many(figure, panels, grid, cells, strategies, outcome, xs, ys)
        for panel in panels:
            panel.set_facecolor("#d0d0d0")
            _hatch(panel, grid(cells["decided"] | (cells["winner"] == "")), xs, ys)
            _boundary(panel, means, xs, ys)
            panel.plot(axes_of[0]["configured"], axes_of[1]["configured"], "*", ms=14, mfc="white", mec="black", mew=1.2, zorder=6)
            panel.set_xlim(_edges(xs)[[0, -1]])
            panel.set_ylim(_edges(ys)[[0, -1]])
            panel.set_xlabel(_axis_label(folder, names[0]))
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(6))
            panel.grid(False)
        panels[0].set_ylabel(_axis_label(folder, names[1]))
        inside = all(axis["low"] <= axis["configured"] <= axis["high"] for axis in axes_of)
        handles: list[Any] = [
            Line2D([], [], color="black", lw=1.6, label="boundary between winners"),
            Patch(facecolor="white", edgecolor="#555555", hatch=HATCH, lw=0, label="95% interval of the lead includes 0"),
        ]
        if inside:
            handles.append(
                Line2D([], [], marker="*", ls="", ms=12, mfc="white", mec="black", label=f"enterprise as configured ({_base(plan)})")
            )
        if (cells["winner"] == "").any():
            handles.append(Patch(color="#d0d0d0", label="a run failed"))
        if len(strategies) > 2:
            won = [s for s in strategies if s in set(cells["winner"])]
            handles = [Patch(color=COLOURS[strategies.index(s) % len(COLOURS)], label=strategy_label(s)) for s in won] + handles
        figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), fontsize=8)
        who = " against ".join(map(strategy_label, strategies)) if len(strategies) < 4 else f"{len(strategies)} strategies"
        figure.suptitle(
            f"Who wins on {outcome_words(outcome)}: {who}\n{plan['replications']} runs a cell and strategy, with the same luck",
            x=0.01, ha="left", fontsize=10,
        )  # fmt: skip
        return save(figure, folder / "figure.png")


def _base(plan: dict[str, Any]) -> str:
    return ", ".join(f"{plan['design'][a]['configured']:.3g}" for a in ("x", "y"))


def _axis_label(folder: Path, name: str) -> str:
    rows = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False).set_index("column")
    unit = rows.loc[[name], "unit"].iloc[0]
    return f"{name} ({unit})" if unit else name


def _edges(centres: np.ndarray) -> np.ndarray:
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def _two(figure: Figure, panels: Any, grid: Any, cells: pd.DataFrame, strategies: Sequence[str], outcome: str, xs: Any, ys: Any) -> None:
    first = np.where(cells["winner"] == strategies[0], 1.0, -1.0)
    ahead = grid(pd.Series(first * cells["lead"]))
    often = grid(pd.Series(np.where(first > 0, cells["best_of_all"], 1 - cells["best_of_all"])))
    most = float(np.nanmax(np.abs(ahead))) or 1.0
    a, b = map(strategy_label, strategies)
    for panel, values, norm, title, form in (
        (panels[0], ahead, TwoSlopeNorm(0, -most, most), "By how much", value_formatter(outcome)),
        (panels[1], often, TwoSlopeNorm(0.5, 0, 1), "How often", PercentFormatter(1)),
    ):
        shown = panel.pcolormesh(_edges(xs), _edges(ys), np.ma.masked_invalid(values), cmap=DIRECTIONS, norm=norm, rasterized=True)
        bar = figure.colorbar(shown, ax=panel, format=form, pad=0.02)
        bar.set_label(f"{a} − {b}, mean" if title == "By how much" else f"runs in which {a} is ahead", fontsize=8)
        panel.set_title(title)


def _many(figure: Figure, panels: Any, grid: Any, cells: pd.DataFrame, strategies: Sequence[str], outcome: str, xs: Any, ys: Any) -> None:
    number = cells["winner"].map({name: float(i) for i, name in enumerate(strategies)}).astype(float)
    colours = ListedColormap([COLOURS[i % len(COLOURS)] for i in range(len(strategies))])
    panels[0].pcolormesh(
        _edges(xs), _edges(ys), np.ma.masked_invalid(grid(number)), cmap=colours, vmin=-0.5, vmax=len(strategies) - 0.5, rasterized=True
    )
    panels[0].set_title("Who has the best mean")
    shown = panels[1].pcolormesh(_edges(xs), _edges(ys), np.ma.masked_invalid(grid(cells["lead"])), cmap="cividis", rasterized=True)
    figure.colorbar(shown, ax=panels[1], format=value_formatter(outcome), pad=0.02).set_label("lead over the second, mean", fontsize=8)
    panels[1].set_title("By how much")


def _hatch(panel: Any, clear: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> None:
    """Hatch the cells that are not clear, whole cells."""
    x, y = _edges(xs), _edges(ys)
    for j, i in zip(*np.nonzero(~clear.astype(bool)), strict=True):
        panel.fill_between([x[i], x[i + 1]], y[j], y[j + 1], facecolor="none", edgecolor="#555555", hatch=HATCH, lw=0)


def _boundary(panel: Any, means: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> None:
    """Lines along which a strategy's lead over the best of the others is 0, between the cells' centres."""
    if len(xs) < 2 or len(ys) < 2:
        return
    count = means.shape[2]
    for s in range(count if count > 2 else 1):
        lead = means[:, :, s] - np.delete(means, s, axis=2).max(axis=2)
        if np.nanmin(lead) < 0 < np.nanmax(lead):
            panel.contour(xs, ys, np.ma.masked_invalid(lead), levels=[0.0], colors="black", linewidths=1.6, zorder=5)
