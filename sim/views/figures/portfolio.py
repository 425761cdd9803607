"""The picture of one run with several use cases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from sim.parameters import BUCKETS
from sim.views.colours import COLOURS, STAGE_COLOURS, USE_CASE_COLOURS
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import CLASS_LABELS, cut

#: What a use case is at in a week, and its colour; before it begins it is at nothing.
PHASES = {
    "pilot": STAGE_COLOURS["pilot"],
    "roll-out": STAGE_COLOURS["onboarding"],
    "rolled out": STAGE_COLOURS["live"],
    "stopped": STAGE_COLOURS["retired"],
}
ALL = "#000000"


def portfolio_figure(folder: Path) -> Path:
    """Adoption, value, effort and the way of each use case, and of all; writes ``figure.png``."""
    weekly, cases = pd.read_parquet(folder / "weekly.parquet"), pd.read_parquet(folder / "usecases.parquet")
    units, events = pd.read_parquet(folder / "units.parquet"), pd.read_csv(folder / "events.csv")
    outcome = json.loads((folder / "outcome.json").read_text())
    names = list(outcome["usecases"])
    colours = colours_of(names)
    way = {name: phases(units[units["usecase"] == name], events[events["usecase"] == name]) for name in names}
    began = {name: next((week for week, phase in enumerate(way[name]) if phase), len(weekly)) for name in names}
    own = {name: rows[rows["week"] >= began[name]] for name, rows in cases.groupby("usecase", sort=False)}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 7), layout="constrained")
        (adoption, value), (effort, gantt) = figure.subplots(2, 2)
        week = weekly["week"] + 1
        for name, rows in own.items():
            adoption.plot(rows["week"] + 1, rows["reliance"], color=colours[str(name)])
            value.plot(rows["week"] + 1, rows["cumulative_net"], color=colours[str(name)])
        adoption.plot(week, weekly["reliance"], color=ALL, ls="--")
        adoption.set(title="Adoption: planners relying on it", ylim=(0, 1.02), xlabel="week", ylabel="share of the planners it concerns")
        adoption.yaxis.set_major_formatter(PercentFormatter(1))
        value.axhline(0, color="#888888", lw=0.8)
        value.plot(week, weekly["cumulative_net"], color=ALL, ls="--")
        value.set(title="Cumulative net value", xlabel="week", ylabel="EUR")
        value.yaxis.set_major_formatter(value_formatter("net"))

        spent = cases.assign(effort=sum(cases[f"effort_{name}"] for name in ("support", *BUCKETS)))
        spent = spent.pivot(index="usecase", columns="week", values="effort").reindex(names, fill_value=0.0)
        effort.stackplot(week, spent.to_numpy(), colors=[colours[name] for name in names], lw=0)
        effort.set(title="Where the central team's effort goes", xlabel="week", ylabel="person-weeks per week")

        _gantt(gantt, way, colours, len(weekly))
        lines = [Line2D([], [], color=colours[name], lw=3, label=cut(name, 24)) for name in names]
        everything = Line2D([], [], color=ALL, ls="--", label="all")
        figure.legend(handles=[*lines, everything], loc="outside lower center", ncols=len(names) + 1)
        said = f"{len(names)} use cases, {CLASS_LABELS[outcome['outcome']]}: {outcome['reason']}"
        figure.suptitle(said, x=0.01, ha="left", fontweight="bold")
        return save(figure, folder / "figure.png")


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """Each use case's colour: its own where the product knows it, else one that is left."""
    free = [colour for colour in COLOURS if colour != ALL and colour not in {USE_CASE_COLOURS.get(name) for name in names}]
    return {name: USE_CASE_COLOURS[name] if name in USE_CASE_COLOURS else free.pop(0) for name in names}


def phases(units: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    """What a use case is at in each week, a key of :data:`PHASES`, empty before it begins."""
    if units.empty:
        return []
    weeks = units["week"].nunique()
    stage = units["stage"].astype(str).to_numpy().reshape(weeks, -1)
    piloting, behind = (stage == "pilot").any(axis=1), np.isin(stage, ("waiting", "onboarding")).any(axis=1)
    begun = np.cumsum((stage != "waiting").any(axis=1)) > 0
    stopped = np.zeros(weeks, bool)
    for _, event in events[events["event"].isin(["stopped", "relaunched"])].iterrows():  # in their order
        stopped[int(event["week"]) :] = event["event"] == "stopped"
    found = np.select([~begun, stopped, piloting, behind], ["", "stopped", "pilot", "roll-out"], "rolled out")
    return [str(phase) for phase in found]


def spans(way: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Weeks in a row at the same: the phase, the first week, and how many."""
    first = 0
    for phase, weeks in groupby(way):
        length = len(list(weeks))
        if phase:
            yield phase, first, length
        first += length


def _gantt(axes: Any, way: dict[str, list[str]], colours: dict[str, str], weeks: int) -> None:
    """When each use case began, passed its gate, was rolled out and stopped; the weeks of these stand in the bars."""
    for row, at in enumerate(way.values()):
        found = list(spans(at))
        for phase, first, length in found:
            axes.barh(row, length, left=first + 0.5, height=0.62, color=PHASES[phase], edgecolor="white", lw=0.6)
            dark = phase in ("rolled out", "stopped")
            if length >= 0.09 * weeks:
                axes.text(first + 2, row, str(first), va="center", fontsize=7, color="white" if dark else "black", clip_on=True)
        if not found:
            axes.text(weeks / 2, row, "its turn never came", ha="center", va="center", fontsize=8, color="#666666")
    axes.set_yticks(range(len(way)), [cut(name, 16) for name in way])
    for label, name in zip(axes.get_yticklabels(), way, strict=True):
        label.set(color=colours[name], fontweight="bold")
    axes.set(title="Their way (weeks as in events.csv)", xlabel="week", xlim=(0.5, weeks + 0.5), ylim=(len(way) - 0.5, -0.5))
    axes.grid(False, axis="y")
    axes.legend(handles=[Patch(color=c, label=n) for n, c in PHASES.items()], loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
