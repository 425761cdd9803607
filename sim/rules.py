"""What makes a function a rule: written once, run by both engines.

A rule is a short plain function of agents and parameters. The textbook engine calls it with Mesa
agents, in ordinary Python. The compiled engine calls the same function with rows of NumPy
structured arrays, compiled by Numba. Rules use :mod:`math` and plain arithmetic only, and of these
nothing that compiled code rounds differently (``docs/own-rule.md``): both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable

from sim._numba import register_jitable
from sim.state import LIVE, MONITORING, ONBOARDING, PILOT

ACCURACY, USE, VALUE = range(3)  # strategy.measure, as numbered in the parameters


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


@rule
def business_share(p):
    """How far the business owns the result, and not IT alone: 0 under technical ownership, 0.5 under shared, 1 under business ownership."""
    return 0.5 * p.strategy.ownership


@rule
def visibility(unit, p):
    """Share of what happens in a unit that its leader and the enterprise see: anecdotes, and what monitoring shows."""
    return p.sponsor.visible_unmonitored + (1.0 - p.sponsor.visible_unmonitored) * unit.readiness[MONITORING]


@rule
def new_commitment(chance, p):
    """The backing a new leader brings, from a uniform: twice the usual at most."""
    return clip(2.0 * p.maturity.sponsorship * chance, 0.0, 1.0)
