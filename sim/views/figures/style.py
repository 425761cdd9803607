"""What all pictures share: their style, how axes write values, and how a picture is written."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter, PercentFormatter, ScalarFormatter

from sim.names import over_use_cases
from sim.views.words import millions, written

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "svg.hashsalt": "enterprise-ai-rollout",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}
_EUR = FuncFormatter(lambda value, _: millions(value).replace(".0M", "M"))


def value_formatter(measure: str) -> Formatter:
    """How an axis writes the values of a measure."""
    if written(measure) == "money":
        return _EUR
    return PercentFormatter(1) if written(measure) == "share" else ScalarFormatter()


def broken(words: str) -> str:
    """A long label in at most three lines."""
    return textwrap.fill(words, 36, max_lines=3, placeholder=" …")


#: Takes a finished picture instead of its file, inside :func:`handed_to`.
_TAKER: ContextVar[Callable[[Figure], None] | None] = ContextVar("taker", default=None)


@contextmanager
def handed_to(take: Callable[[Figure], None]) -> Iterator[None]:
    """Inside, :func:`save` hands pictures to ``take`` and writes no file."""
    token = _TAKER.set(take)
    try:
        yield
    finally:
        _TAKER.reset(token)


def _use_cases(folder: Path) -> list[str]:
    """Names of the use cases that the study of a results folder is about; none where it is no study's."""
    try:
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    parameters: Any = plan.get("parameters") or next((cell["parameters"] for cell in plan.get("cells", ())), {})
    return [case["name"] for case in parameters.get("usecases", ())]


def save(figure: Figure, path: Path) -> Path:
    """Write a picture; returns its path. That of a study of several use cases says which ones its figures are over."""
    over = over_use_cases(_use_cases(path.parent))
    if over:
        title = next((text for text in figure.texts if text.get_text() == figure.get_suptitle()), None)
        title = title or figure.suptitle("", x=0.01, ha="left")
        title.set_text(
            "\n".join(filter(None, (title.get_text(), textwrap.fill(f"{over[0].upper()}{over[1:]}", int(10 * figure.get_figwidth())))))
        )
    take = _TAKER.get()
    if take is not None:
        take(figure)
    else:
        figure.savefig(path, metadata={"Software": None})  # no date, no version: same bytes for the same numbers
    return path
