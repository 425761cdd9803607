"""What makes a function a rule: written once, run by both engines.

A rule is a short plain function of agents and parameters. The textbook engine calls it with Mesa
agents, in ordinary Python. The compiled engine calls the same function with rows of NumPy
structured arrays, compiled by Numba. Rules use :mod:`math` and plain arithmetic only: with those,
both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable

from sim._numba import register_jitable
from sim.state import LIVE, ONBOARDING, PILOT


def rule[F: Callable](function: F) -> F:
    """Mark ``function`` as usable by the compiled engine; in Python it stays an ordinary function."""
    function.is_rule = True  # type: ignore[attr-defined]
    return register_jitable(error_model="numpy", forceinline=True)(function)


@rule
def clip(value, low, high):
    """``value``, but no less than ``low`` and no more than ``high``."""
    return low if value < low else (high if value > high else value)


@rule
def has_forecast(unit):
    """Whether the unit's planners get a forecast every week: it pilots, or is live."""
    return unit.stage == PILOT or unit.stage == LIVE


@rule
def is_active(unit):
    """Whether the unit has left waiting and has not given up: it pilots, onboards, or is live."""
    return unit.stage == PILOT or unit.stage == ONBOARDING or unit.stage == LIVE
