"""AI rollout across an enterprise, as an agent-based model.

``RolloutModel`` is a Mesa model; ``rule`` marks a behaviour that the compiled engine may use. They are imported when they are first
asked for: Mesa and Numba take a second, which who only reads names and numbers, or is told of a typing error, need not wait.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sim import early  # noqa: F401 (what it does, it does as it is imported, before anything that takes time)
from sim.parameters import Parameters
from sim.schema import InvalidInput

if TYPE_CHECKING:
    from sim.model import RolloutModel
    from sim.rules import rule

__version__ = "0.1.0"

#: The engines, the fast one first; both give the same bits.
ENGINES = ("compiled", "textbook")

__all__ = ["ENGINES", "InvalidInput", "Parameters", "RolloutModel", "rule", "__version__"]

_LATE = {"RolloutModel": "sim.model", "rule": "sim.rules"}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
