"""The organisation in motion: units and teams coloured by reliance, curves of adoption and value growing below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import PercentFormatter

from sim.model import RolloutModel
from sim.state import STAGES
from sim.views.colours import COLOURS, LINES
from sim.views.figures import STYLE, value_formatter
from sim.views.map import MOST_NAMED, Organisation, organisation
from sim.views.words import cut, strategy_label

SHADES = LinearSegmentedColormap.from_list("reliance", ["#eef1f4", COLOURS[0], "#003350"])
DPI = 100


def draw_organisation(axes: Any, place: Organisation, units: np.ndarray, teams: np.ndarray, stages: np.ndarray) -> None:
    """Units and teams as circles, areas by planners, the darker the more their planners rely on the forecast (0 to 1)."""
    for centres, radii, shades in ((place.teams, place.team_radius, teams), (place.units, place.unit_radius, units)):
        circles = PatchCollection([Circle(at, radius) for at, radius in zip(centres, radii, strict=True)], cmap=SHADES, ec="#8f99a3")
        circles.set(array=shades, clim=(0, 1))
        axes.add_collection(circles)
    small = 7 if len(units) <= 16 else 4
    labelled = zip(place.units, place.names, units, stages, strict=True) if len(units) <= MOST_NAMED else ()
    for (x, y), name, share, stage in labelled:
        axes.text(x, y, f"{share:.0%}", ha="center", va="center", fontsize=small, color="white" if share > 0.5 else "#16202c")
        axes.text(x, y - 0.53, f"{cut(name, 16)}\n{STAGES[stage]}", ha="center", va="top", fontsize=small)
    axes.set(xlim=(-place.half[0], place.half[0]), ylim=(-place.half[1], place.half[1]), aspect="equal")
    axes.set_axis_off()


def reliance_of(model: RolloutModel) -> tuple[np.ndarray, np.ndarray]:
    """Mean reliance of the planners of each unit, and of each team."""
    state = model.state
    teams = np.add.reduceat(state.users["reliance"], state.teams["first"]) / (state.teams["last"] - state.teams["first"])
    starts = state.teams["first"][state.units["first"]]
    return np.add.reduceat(state.users["reliance"], starts) / state.units["users"], teams


def film(models: Mapping[str, RolloutModel], path: Path, every: int, fps: int, progress: Callable[[int], None]) -> int:
    """Run models of several strategies side by side and film them; GIF by Pillow, MP4 by ffmpeg. Returns the number of pictures.

    Args:
        models: a model a strategy, at week 0.
        path: the film; its suffix says the format.
        every: weeks from picture to picture.
        fps: pictures a second.
        progress: is told the weeks done.
    """
    first = next(iter(models.values()))
    place, weeks = organisation(first.state), first.parameters.weeks
    writer: Any = PillowWriter(fps=fps) if path.suffix == ".gif" else FFMpegWriter(fps=fps, extra_args=["-pix_fmt", "yuv420p"])
    pictures = 0
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.0 * len(models) if len(models) > 1 else 7.0, 7.2), layout="constrained")
        writer.setup(figure, str(path), dpi=DPI)
        for week in (*range(0, weeks, every), weeks):
            for model in models.values():
                while model.week < week:
                    model.step()
            _picture(figure, models, place, week, weeks)
            writer.grab_frame()
            pictures += 1
            progress(week)
        figure.set_layout_engine("none")  # as it is laid out: the very same picture is kept once, and shown longer
        for _ in range(fps * 2):  # the end stays for two seconds
            writer.grab_frame()
        writer.finish()
    return pictures


def _picture(figure: Figure, models: Mapping[str, RolloutModel], place: Organisation, week: int, weeks: int) -> None:
    figure.clear()
    grid = figure.add_gridspec(2, 2 * len(models), height_ratios=(1.9, 1))
    for k, (name, model) in enumerate(models.items()):
        axes = figure.add_subplot(grid[0, 2 * k : 2 * k + 2])
        draw_organisation(axes, place, *reliance_of(model), model.state.units["stage"])
        axes.set_title(strategy_label(name), color=COLOURS[k], loc="center")
    adoption, value = figure.add_subplot(grid[1, : len(models)]), figure.add_subplot(grid[1, len(models) :])
    value.axhline(0, color="#888888", lw=0.8)
    for k, (name, model) in enumerate(models.items()):
        rows = model.state.weekly[:week]
        adoption.plot(np.arange(1, week + 1), rows["reliance"], color=COLOURS[k], ls=LINES[k], lw=2, label=strategy_label(name))
        value.plot(np.arange(1, week + 1), rows["cumulative_net"], color=COLOURS[k], ls=LINES[k], lw=2)
    adoption.set(xlim=(0, weeks), ylim=(0, 1.02), xlabel="week", title="Planners relying on the forecast")
    adoption.yaxis.set_major_formatter(PercentFormatter(1))
    adoption.legend(loc="upper left", fontsize=8)
    value.set(xlim=(0, weeks), xlabel="week", title="Cumulative net value (EUR)")
    value.yaxis.set_major_formatter(value_formatter("net"))
    figure.suptitle(f"Week {week} of {weeks}", x=0.01, ha="left", fontweight="bold", fontsize=13)
