"""The picture of what bad data do to forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save
from sim.views.words import FORECASTER_LABELS

MARKS = ("s", "D", "o", "v", "^")
DEFECT_LABELS = {
    "missing": "share of item-weeks missing",
    "late": "weeks late",
    "mapping": "share of items under a wrong brand",
    "units": "share of items in local units for half a year",
    "promotions": "share of items with promotions unknown",
}
ROUND = [1, 2, 5, 10]
_SIGNED = FuncFormatter(lambda value, _: f"{value:+.0%}".replace("-", "−") if abs(value) > 1e-9 else "0%")


def response_figure(folder: Path) -> Path:
    """Relative error over each defect with the fitted response, brands, and defects together. Writes ``figure.png``."""
    summary, fitted, joint = (pd.read_parquet(folder / f"{name}.parquet") for name in ("summary", "response", "joint"))
    best = str(fitted.loc[fitted["best"], "forecaster"].iloc[0])
    plain = str(summary["data"].iloc[0])[:80]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13, 6.6), layout="constrained")
        panels = figure.subplots(2, 4)
        places: list[Any] = [*((panels[0, k], name, "item") for k, name in enumerate(("missing", "late", "mapping"))),
                       (panels[0, 3], "mapping", "brand"),
                  (panels[1, 0], "units", "item"), (panels[1, 1], "promotions", "item")]  # fmt: skip
        for panel, defect, level in list(places):
            if not summary[defect].any():  # not measured
                panel.set_axis_off()
                places.remove((panel, defect, level))
                continue
            _defect(panel, summary, fitted, defect, level, best)
        shared = [panel for panel, defect, level in places if defect in ("missing", "late", "mapping") and level == "item"]
        low, high = min(p.get_ylim()[0] for p in shared), max(p.get_ylim()[1] for p in shared)
        for panel in shared:
            panel.set_ylim(low, high)
        _joint(panels[1, 2], joint, best)
        _clean(panels[1, 3], summary)
        for panel in (panels[0, 0], panels[1, 0]):
            panel.set_ylabel("error added")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles), fontsize=8)
        figure.suptitle(
            f"What bad data add to the error of weekly forecasts: {plain}\nmean and 95% interval over {summary['replications'].iloc[0]} replications",
            x=0.01,
            ha="left",
            fontsize=10,
        )
        return save(figure, folder / "figure.png")


def _defect(panel: Any, summary: pd.DataFrame, fitted: pd.DataFrame, defect: str, level: str, best: str) -> None:
    rows = summary[(summary["kind"] == "single") & (summary["level"] == level) & (summary[defect] > 0)]
    values = np.unique(rows[defect])
    panel.axhline(0, color="#888888", lw=0.8)
    for k, name in _measured(summary):
        of = rows[rows["forecaster"] == name].sort_values(defect)
        at = of[defect] + (k - 2) * 0.012 * values[-1]  # side by side, so that intervals can be told apart
        spread = [of["relative"] - of["relative_low"], of["relative_high"] - of["relative"]]
        panel.errorbar(at, of["relative"], yerr=spread, fmt=MARKS[k] + "-", color=COLOURS[k], ms=4, lw=1, label=FORECASTER_LABELS[name])
    of_best = fitted[(fitted["forecaster"] == best) & (fitted["level"] == level) & (fitted["coefficient"] == defect)]
    row = of_best.sort_values("in_the_response").iloc[-1]  # the response's coefficient where it has the defect, else the one fitted alone
    x = np.array([0, values[-1]])
    panel.fill_between(x, row["low"] * x, row["high"] * x, color="black", alpha=0.12, lw=0)
    panel.plot(x, row["estimate"] * x, "--", color="black", lw=1.3, label=f"fitted to {FORECASTER_LABELS[best]}")
    panel.set(
        title=f"{'Wrong brand, brand level' if level == 'brand' else defect.capitalize()}", xlabel=DEFECT_LABELS[defect], xlim=(0, None)
    )
    panel.yaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    panel.yaxis.set_major_formatter(_SIGNED)


def _measured(summary: pd.DataFrame) -> list[tuple[int, str]]:
    """The forecasters that were not left out, each with the place that it always has."""
    return [(k, name) for k, name in enumerate(FORECASTER_LABELS) if (summary["forecaster"] == name).any()]


def _joint(panel: Any, joint: pd.DataFrame, best: str) -> None:
    """Measured together against the sum of the same alone; all five, which add far more, are in the tables only."""
    joint = joint[joint["kind"] != "all"]
    for kind, colour, mark in (("pair", COLOURS[5], "o"), ("triple", COLOURS[1], "s")):
        rows = joint[joint["kind"] == kind]
        x = [rows["added"] - rows["added_low"], rows["added_high"] - rows["added"]]
        y = [rows["measured"] - rows["measured_low"], rows["measured_high"] - rows["measured"]]
        label = {"pair": "two defects", "triple": "three defects"}[kind]
        panel.errorbar(rows["added"], rows["measured"], xerr=x, yerr=y, fmt=mark, color=colour, ms=4.5, lw=1, label=label)
    most = 1.08 * float(max(joint["added_high"].max(), joint["measured_high"].max()))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=ROUND))
    panel.plot([0, most], [0, most], color="#888888", lw=0.8)
    panel.set(
        title="Together",
        xlabel="sum of the same defects alone",
        ylabel=f"together, {FORECASTER_LABELS[best]}",
        xlim=(0, None),
        ylim=(0, None),
    )
    panel.xaxis.set_major_formatter(_SIGNED)
    panel.yaxis.set_major_formatter(_SIGNED)
    panel.legend(fontsize=8, loc="upper left")


def _clean(panel: Any, summary: pd.DataFrame) -> None:
    clean = summary[summary["setting"] == "clean"].set_index(["forecaster", "level"])
    for k, name in _measured(summary):
        for n, level in enumerate(("item", "brand", "total")):
            row: Any = clean.loc[(name, level)]
            spread = [[row["wape"] - row["wape_low"]], [row["wape_high"] - row["wape"]]]
            panel.bar(n + (k - 2) * 0.16, row["wape"], 0.15, color=COLOURS[k], yerr=spread, error_kw={"lw": 1})
    panel.set_xticks(range(3), ["item", "brand", "total"])
    panel.set(title="Clean data", ylabel="WAPE")
    panel.grid(axis="x", visible=False)
