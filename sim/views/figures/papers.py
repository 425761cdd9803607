"""Figures for papers: the picture of a results folder, set for one or two columns, as PDF and PNG."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.text import Text

from sim.views import figures
from sim.views.figures.style import handed_to

#: The figure of each experiment: ``<experiment>_figure`` in the file of this folder that has the experiment's name.
FIGURES: dict[str, Callable[[Path], Path]] = {
    name: getattr(import_module(f"{figures.__name__}.{name}"), f"{name}_figure")
    for _, name, _ in iter_modules(figures.__path__)
    if name not in ("film", "papers", "portfolio", "style")
}
#: Those whose panels can stand below each other; the others are too wide for one column.
NARROW = ("run", "compare", "sweep", "robust", "discover", "check")
#: Too many panels side by side for either: left as drawn, to be made smaller where it is placed.
AS_DRAWN = ("optimise",)
#: Width of a figure by columns [inches], as most journals set them.
WIDTHS = {1: 3.4, 2: 7.0}
SMALLEST, LARGEST, LEGEND = 5.5, 8.0, 6.4  # points
#: Letters of a label that one column holds.
LETTERS = 44
#: No dates and no versions: the same results, the same bytes.
METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None, "Creator": None, "Producer": None}, "png": {"Software": None}}


def printed(kind: str, folder: Path, columns: int, paths: list[Path]) -> tuple[str, float]:
    """Write the figure of a results folder into files, by their suffix.

    Returns:
        Its title, which belongs in the caption, and its width [inches].
    """
    made: list[tuple[str, float]] = []

    def write(figure: Figure) -> None:
        title = typeset(figure, columns) if kind not in AS_DRAWN else ""
        made.append((title, float(figure.get_size_inches()[0])))
        with matplotlib.rc_context({"pdf.fonttype": 42, "savefig.dpi": 300}):
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                figure.savefig(path, metadata=METADATA[path.suffix.removeprefix(".")])

    with handed_to(write):
        FIGURES[kind](folder)
    return made[0]


def typeset(figure: Figure, columns: int) -> str:
    """Give a figure the width of so many columns, with letters as papers have them; returns its title, which it takes away."""
    width, (was, height) = WIDTHS[columns], figure.get_size_inches()
    title = figure.get_suptitle()
    if title:
        figure.suptitle("")
    panels = [axes for axes in figure.axes if axes.get_subplotspec() is not None and axes.get_visible()]
    if columns == 1 and len(panels) > 1:
        _stack(figure, panels, width)
    else:
        figure.set_size_inches(width, height * max(width / was, 0.62))
    smaller = 0.8 if was > width else 1.0
    for text in figure.findobj(Text):
        text.set_fontsize(min(LARGEST, max(SMALLEST, float(text.get_fontsize()) * smaller)))
    if columns == 1:
        for axes in panels:
            axes.set_xlabel(textwrap.fill(axes.get_xlabel(), LETTERS))
        for legend in list(figure.legends):
            handles: Any = legend.legend_handles
            names = [text.get_text() for text in legend.get_texts()]
            legend.remove()
            figure.legend(
                handles, names, loc="outside lower center", ncols=2 if max(map(len, names)) <= LETTERS // 2 else 1, fontsize=LEGEND
            )
    return " ".join(title.split())


def _stack(figure: Figure, panels: list[Any], width: float) -> None:
    """All panels below each other, as high as they were in proportion."""
    rows: list[float] = []
    order = sorted(panels, key=lambda axes: (_place(axes).colspan.start, _place(axes).rowspan.start))
    for axes in order:
        shares: Any = _place(axes).get_gridspec().get_height_ratios()
        height = figure.get_size_inches()[1] * shares[_place(axes).rowspan.start] / sum(shares)
        rows.append(max(0.8, min(2.2, height * 0.72)))
    figure.set_size_inches(width, sum(rows) + 0.5)
    grid = GridSpec(len(rows), 1, figure=figure, height_ratios=rows)
    for k, axes in enumerate(order):
        axes.set_subplotspec(grid[k])
        axes.tick_params(labelleft=True)


def _place(axes: Any) -> SubplotSpec:
    return axes.get_subplotspec()
