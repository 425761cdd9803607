"""Pictures of the product itself, drawn from its code: the week as a flow chart, and which module uses which."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import re
import textwrap
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from sim import RolloutModel, textbook
from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE

ROOT = Path(__file__).resolve().parent.parent
WHO = {"enterprise": COLOURS[4], "units": COLOURS[0], "teams": COLOURS[2], "users": COLOURS[3]}
GREY = "#555555"


def week_rows() -> list[list[str]]:
    """The week's steps as the docstring of ``RolloutModel.step`` has them: number, phase, who, what happens."""
    lines = [line.strip() for line in (RolloutModel.step.__doc__ or "").splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def while_active() -> set[str]:
    """Numbers of the steps that the textbook week takes only while the initiative goes on."""
    numbers, inside = set(), False
    for line in inspect.getsource(textbook).splitlines():
        if line.strip() == "if firm.active:" or line.strip().startswith("if firm.active:  #"):
            inside = True
        elif line.startswith("    ") and not line.startswith("        "):
            inside = False
        number = re.search(r"# (\d+) [a-z ]+$", line)
        if inside and number:
            numbers.add(number[1])
    return numbers


def week_picture(path: Path) -> None:
    """The week as a flow chart."""
    rows, active = week_rows(), while_active()
    half = (len(rows) + 1) // 2
    wide, high, gap = 1.72, 1.35, 0.22
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(half * (wide + gap) + 0.1, 2 * high + 1.8))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-gap / 2, half * (wide + gap) - gap / 2), ylim=(-0.7, 2 * high + 1.1))
        axes.axis("off")
        centres = []
        for k, (number, phase, who, what) in enumerate(rows):
            column, top = (k, True) if k < half else (2 * half - 1 - k, False)
            x, y = column * (wide + gap), high + 0.55 if top else 0.0
            centres.append((x + wide / 2, y + high / 2))
            names = [name.strip() for name in who.split(",")]
            style = "--" if number in active else "-"
            axes.add_patch(
                FancyBboxPatch((x, y), wide, high, boxstyle="round,pad=0,rounding_size=0.07", fc="white", ec=GREY, ls=style, lw=1.2)
            )
            for part, name in enumerate(names):  # one strip for each kind of agent that acts
                axes.add_patch(
                    FancyBboxPatch((x + 0.07, y + 0.07 + part * (high - 0.14) / len(names)), 0.09, (high - 0.14) / len(names), boxstyle="square,pad=0", fc=WHO[name], lw=0)
                )  # fmt: skip
            axes.text(x + 0.25, y + high - 0.12, f"{number}  {phase}", va="top", weight="bold", fontsize=9.2)
            axes.text(x + 0.25, y + high - 0.37, textwrap.fill(what, 22), va="top", fontsize=7.8, linespacing=1.25)
        for k, (here, there) in enumerate(itertools.pairwise(centres)):
            dx, dy = (wide / 2 if k < half - 1 else -wide / 2, 0) if k != half - 1 else (0, -high / 2)
            _arrow(axes, (here[0] + dx, here[1] + dy), (there[0] - dx, there[1] - dy))
        last, first = centres[-1], centres[0]
        _arrow(axes, (last[0], last[1] + high / 2), (first[0], first[1] - high / 2))
        axes.text(first[0] + 0.08, high + 0.275, "next week", va="center", fontsize=8, color=GREY)
        axes.text(0, 2 * high + 0.88, "One week", weight="bold", fontsize=12, va="center")
        handles = [Patch(color=colour, label=name) for name, colour in WHO.items()]
        handles.append(Patch(fc="white", ec=GREY, ls="--", label="only while the initiative goes on"))
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 0.01), ncols=5, fontsize=8)
        figure.savefig(path, metadata={"Date": None})


def _arrow(axes, start: tuple[float, float], end: tuple[float, float], **style) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, shrinkA=1, shrinkB=1, **{"color": GREY, "lw": 1.2, **style})
    )


# --------------------------------------------------------------------------- the architecture


@functools.cache
def modules() -> dict[str, set[str]]:
    """Every module of ``sim`` and ``experiments``, and those of them that it imports."""
    files = [p for package in ("sim", "experiments") for p in sorted((ROOT / package).rglob("*.py")) if p.name != "__init__.py"]
    known = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in files}
    uses: dict[str, set[str]] = {}
    for name, path in known.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        uses[name] = {"sim.model" if f == "sim" else f for f in found if f in known or f == "sim"} - {name}
    return uses


#: What everything else stands on.
GROUND = tuple(
    f"sim.{name}"
    for name in ("schema", "parameters", "configuration", "measures", "presets", "layout", "state", "streams", "rules", "sources", "_numba", "tables")
)  # fmt: skip
#: Layer: heading, place (left, bottom, width), colour.
LAYERS = {
    "commands": ("experiments/  one question each", (0, 4.55, 10.4), COLOURS[1]),
    "lab": ("experiments/lab/  what they share", (0, 3.1, 6.5), COLOURS[1]),
    "views": ("sim/views/  pictures, report, page", (7.1, 3.1, 3.3), COLOURS[3]),
    "model": ("sim/  the model and its week", (0, 1.65, 6.5), COLOURS[0]),
    "agents": ("sim/agents/  who acts, by which rules", (7.1, 1.65, 3.3), COLOURS[0]),
    "ground": ("sim/  records, numbers, presets, columns, chance", (0, 0.2, 10.4), COLOURS[2]),
}
HIGH = 0.9
ARROWS = {
    ("commands", "lab"): ((3.0, 4.55), (3.0, 4.0)),
    ("commands", "views"): ((8.7, 4.55), (8.7, 4.0)),
    ("lab", "model"): ((3.0, 3.1), (3.0, 2.55)),
    ("views", "model"): ((7.4, 3.1), (6.2, 2.55)),
    ("model", "agents"): ((6.5, 2.2), (7.1, 2.2)),
    ("agents", "model"): ((7.1, 1.9), (6.5, 1.9)),
    ("model", "ground"): ((3.0, 1.65), (3.0, 1.1)),
    ("agents", "ground"): ((8.7, 1.65), (8.7, 1.1)),
}


def layer(name: str) -> str:
    """The layer of a module."""
    if name.startswith("experiments."):
        return "lab" if name.startswith("experiments.lab.") else "commands"
    if name.startswith(("sim.views.", "sim.agents.")):
        return name.split(".")[1]
    return "ground" if name in GROUND else "model"


def _shown(name: str) -> str:
    """A module by its own name; what stands in a package of commands or views, by the package's."""
    parts = name.split(".")
    inside = (
        parts[1:] if parts[0] == "experiments" and parts[1] != "lab" else parts[2:] if parts[1] in ("views", "agents", "lab") else parts[1:]
    )
    return inside[0] if inside else parts[-1]


def imports_between_layers() -> set[tuple[str, str]]:
    """Which layer imports which."""
    return {(layer(name), layer(other)) for name, used in modules().items() for other in used if layer(name) != layer(other)}


def architecture_picture(path: Path) -> None:
    """The layers, their modules, and which imports which."""
    used = imports_between_layers()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.6, 6.2))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.1, 10.5), ylim=(0.05, 6.1))
        axes.axis("off")
        axes.text(0, 5.87, "Who imports whom", weight="bold", fontsize=12, va="center")
        axes.text(0, 5.62, "as the code has it; imports that skip a layer are not drawn", fontsize=8, color=GREY, va="center")
        for key, (head, (x, y, w), colour) in LAYERS.items():
            fills: tuple[dict[str, Any], ...] = ({"fc": colour, "ec": "none", "alpha": 0.14}, {"fc": "none", "ec": colour, "lw": 1.2})
            for fill in fills:
                axes.add_patch(FancyBboxPatch((x, y), w, HIGH, boxstyle="round,pad=0,rounding_size=0.07", **fill))
            axes.text(x + 0.12, y + HIGH - 0.1, head, weight="bold", fontsize=9, va="top")
            names = ", ".join(dict.fromkeys(_shown(name) for name in modules() if layer(name) == key))
            axes.text(x + 0.12, y + HIGH - 0.34, textwrap.fill(names, int(w * 18)), fontsize=7.5, va="top", linespacing=1.2)
        for pair, (start, end) in ARROWS.items():
            if pair in used:
                _arrow(axes, start, end)
        figure.savefig(path, metadata={"Date": None})
