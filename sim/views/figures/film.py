"""The film of an organisation: units and teams coloured by reliance, curves of adoption and value growing below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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

from sim.state import STAGES
from sim.views.colours import COLOURS, LINES
from sim.views.figures.style import STYLE, value_formatter
from sim.views.map import MOST_NAMED, Organisation
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


@dataclass(frozen=True)
class Frame:
    """What one picture shows of one strategy, after some weeks.

    Attributes:
        units, teams: mean reliance of the planners of each unit, and of each team [0 to 1].
        stages: stage of each unit, by its number in :data:`sim.state.STAGES`.
        reliance, net: share of planners relying [0 to 1], and cumulative net value [EUR], of each week so far.
    """

    units: np.ndarray
    teams: np.ndarray
    stages: np.ndarray
    reliance: np.ndarray
    net: np.ndarray


def film(frames: Iterable[tuple[int, Mapping[str, Frame]]], strategies: int, place: Organisation, weeks: int, path: Path, fps: int) -> int:
    """Draw a film of strategies side by side; GIF by Pillow, MP4 by ffmpeg. Returns the number of pictures.

    Args:
        frames: weeks done, and what to show of each strategy, picture by picture.
        strategies: how many stand side by side.
        place: where units and teams are drawn.
        weeks: the horizon.
        path: the film; its suffix says the format.
        fps: pictures per second.
    """
    writer: Any = PillowWriter(fps=fps) if path.suffix == ".gif" else FFMpegWriter(fps=fps, extra_args=["-pix_fmt", "yuv420p"])
    pictures = 0
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.0 * strategies if strategies > 1 else 7.0, 7.2), layout="constrained")
        writer.setup(figure, str(path), dpi=DPI)
        for week, shown in frames:
            _picture(figure, shown, place, week, weeks)
            writer.grab_frame()
            pictures += 1
        figure.set_layout_engine("none")  # as it is laid out: the very same picture is kept once, and shown longer
        for _ in range(fps * 2):  # the end stays for two seconds
            writer.grab_frame()
        writer.finish()
    return pictures


def _picture(figure: Figure, shown: Mapping[str, Frame], place: Organisation, week: int, weeks: int) -> None:
    figure.clear()
    grid = figure.add_gridspec(2, 2 * len(shown), height_ratios=(1.9, 1))
    for k, (name, frame) in enumerate(shown.items()):
        axes = figure.add_subplot(grid[0, 2 * k : 2 * k + 2])
        draw_organisation(axes, place, frame.units, frame.teams, frame.stages)
        axes.set_title(strategy_label(name), color=COLOURS[k], loc="center")
    adoption, value = figure.add_subplot(grid[1, : len(shown)]), figure.add_subplot(grid[1, len(shown) :])
    value.axhline(0, color="#888888", lw=0.8)
    for k, (name, frame) in enumerate(shown.items()):
        adoption.plot(np.arange(1, week + 1), frame.reliance, color=COLOURS[k], ls=LINES[k], lw=2, label=strategy_label(name))
        value.plot(np.arange(1, week + 1), frame.net, color=COLOURS[k], ls=LINES[k], lw=2)
    adoption.set(xlim=(0, weeks), ylim=(0, 1.02), xlabel="week", title="Planners relying on the forecast")
    adoption.yaxis.set_major_formatter(PercentFormatter(1))
    adoption.legend(loc="upper left", fontsize=8)
    value.set(xlim=(0, weeks), xlabel="week", title="Cumulative net value (EUR)")
    value.yaxis.set_major_formatter(value_formatter("net"))
    figure.suptitle(f"Week {week} of {weeks}", x=0.01, ha="left", fontweight="bold", fontsize=13)
