"""The week, compiled: the same rules as the textbook engine, looped over rows of the state.

Nothing else is compiled here. A subclass that overrides a rule gets loops of its own, in which the
rule's name stands for the new function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numba.core import config
from numba.core.errors import NumbaError

from sim._numba import njit
from sim.agents import BusinessUnit, Team, User
from sim.agents.base import PlanningAgent
from sim.agents.user import social_influence
from sim.forecasting import WEEKS_PER_YEAR
from sim.outcomes import log_disturbances, record_unit, record_week, update_memory
from sim.platform import build, idle, support, upkeep
from sim.rules import has_forecast
from sim.schema import InvalidInput
from sim.state import OWN, State
from sim.strategy import allocate, review, roll_out

disturb, contribute, forecast = BusinessUnit.disturb, BusinessUnit.contribute, BusinessUnit.forecast
aggregate, correct, account = BusinessUnit.aggregate, BusinessUnit.correct, BusinessUnit.account
update_sponsorship, passes_review = BusinessUnit.update_sponsorship, BusinessUnit.passes_review
redesign, prepare, meet = Team.redesign, Team.prepare, Team.meet
join, decide, learn, practise, abstain, accumulate = User.join, User.decide, User.learn, User.practise, User.abstain, User.accumulate

COMPILE: dict[str, Any] = {"error_model": "numpy", "nogil": True}


class Columns(NamedTuple):
    """What the loops read and write: the arrays of :class:`sim.state.State`, and whether each planner used the forecast last week."""

    firms: np.ndarray
    units: np.ndarray
    teams: np.ndarray
    users: np.ndarray
    order: np.ndarray
    peers_first: np.ndarray
    peers: np.ndarray
    events: np.ndarray
    weekly: np.ndarray
    unit_weekly: np.ndarray
    used: np.ndarray


class Chance(NamedTuple):
    """The variates of a block of weeks: the arrays of :class:`sim.streams.Draws`."""

    choice: np.ndarray
    error: np.ndarray
    shocks: np.ndarray
    management: np.ndarray


@njit(cache=True, **COMPILE)
def decide_and_learn(c, chance, noise, p):
    """What ``User.step`` does, for everybody."""
    leaving = p.people.turnover / WEEKS_PER_YEAR
    for b in range(len(c.units)):
        unit = c.units[b]
        served = has_forecast(unit)
        for t in range(unit.first, unit.last):
            team = c.teams[t]
            for i in range(team.first, team.last):
                user = c.users[i]
                if chance[i] < leaving:
                    join(user, chance[i] / leaving, noise[i], p)
                elif served:
                    using = 0
                    for j in range(c.peers_first[i], c.peers_first[i + 1]):
                        using += c.used[c.peers[j]]
                    seen = social_influence(using, c.peers_first[i + 1] - c.peers_first[i], p)
                    decide(user, team, unit, seen, (chance[i] - leaving) / (1.0 - leaving), p)
                    learn(user, team, unit, seen, noise[i], p)
                    practise(user, unit, p)
                else:
                    abstain(user, p)
                accumulate(user, team, p)
    for i in range(len(c.users)):
        c.used[i] = c.users[i].choice != OWN


@njit(cache=True, **COMPILE)
def one_week(c, chance, row, week, p):
    """One week of the enterprise; the numbers are those of the table at ``RolloutModel.step``."""
    firm, units, teams, order, events = c.firms[0], c.units, c.teams, c.order, c.events
    shocks, unit_weekly = chance.shocks[row], c.unit_weekly[week]
    for b in range(len(units)):
        log_disturbances(events, firm, week, b, disturb(units[b], shocks[b], week, p))  # 1 disturb
    if firm.active == 1:
        support(firm, units, p)  # 2 support
        allocate(firm, units, teams, chance.management[row], week, p)  # 3 build
        for b in range(len(units)):
            contribute(units[b], week, p)
        build(firm, units, order, p)
        for b in range(len(units)):
            unit = units[b]
            if unit.workflow > 0.0:
                for t in range(unit.first, unit.last):
                    redesign(teams[t], unit.workflow, p)
        roll_out(firm, units, order, events, week, p)  # 4 roll out
    else:
        idle(firm, units)
    upkeep(firm, units, p)  # 5 wear
    for b in range(len(units)):
        unit = units[b]
        forecast(unit, shocks[b, 4], p)  # 6 forecast
        for t in range(unit.first, unit.last):
            prepare(teams[t], unit, firm.quality, p)
    decide_and_learn(c, chance.choice[row], chance.error[row], p)  # 7 decide and learn
    for b in range(len(units)):
        unit = units[b]
        for t in range(unit.first, unit.last):
            meet(teams[t], p)  # 8 meet
        aggregate(unit, teams, p)
        correct(unit, p)  # 9 correct
        account(unit, p)  # 10 account
        update_sponsorship(unit, p)  # 11 sponsor
        record_unit(unit, teams, b, week, unit_weekly[b])
    update_memory(firm, units, p)
    record_week(firm, units, teams, unit_weekly, week, c.weekly[week], p)  # 12 record
    if firm.active == 1:
        for b in range(len(units)):
            passes_review(units[b], week, p)
        review(firm, units, events, week, p)  # 13 review


@njit(cache=True, **COMPILE)
def many_weeks(c, chance, row, week, weeks, ps):
    """``weeks`` weeks from ``week`` on, with the variates from ``row`` on; ``ps`` holds the parameters in one row."""
    for i in range(len(c.users)):
        c.used[i] = c.users[i].used
    for w in range(weeks):
        one_week(c, chance, row + w, week + w, ps[0])
    for i in range(len(c.users)):
        c.users[i].used = c.used[i]


def check_rules(classes: Mapping[type[PlanningAgent], type[PlanningAgent]]) -> tuple[tuple[str, Callable], ...]:
    """Overridden rules as (name, function); refuses one without the decorator."""
    changed = []
    for base, cls in classes.items():
        for name in base.rules:
            function = getattr(cls, name)
            if function is getattr(base, name):
                continue
            if not getattr(function, "is_rule", False):
                raise InvalidInput(
                    f"{cls.__name__}.{name}", "an override without @rule", 'the decorator sim.rule above it, or engine="textbook"'
                )
            wanted, given = (list(inspect.signature(f).parameters) for f in (getattr(base, name), function))
            if len(wanted) != len(given):
                raise InvalidInput(
                    f"{cls.__name__}.{name}", f"({', '.join(given)})", f"the arguments of the rule it replaces, ({', '.join(wanted)})"
                )
            changed.append((f"{base.__name__}.{name}", function))
        if cls.step is not base.step:
            raise InvalidInput(f"{cls.__name__}.step", "an override", 'engine="textbook": the compiled engine calls the rules, not step()')
    return tuple(changed)


@lru_cache(maxsize=16)
def loops(changed: tuple[tuple[str, Callable], ...]) -> Callable[..., None]:
    """The compiled weeks, with some rules replaced."""
    if not changed:
        return many_weeks
    replaced = SimpleNamespace(**{name.split(".")[1]: function for name, function in changed})

    def rebound(dispatcher: Any) -> FunctionType:
        function = getattr(dispatcher, "py_func", dispatcher)
        return FunctionType(function.__code__, {**function.__globals__, **vars(replaced)}, function.__name__)

    for dispatcher in (decide_and_learn, one_week):
        setattr(replaced, dispatcher.__name__, njit(**COMPILE)(rebound(dispatcher)))
    return njit(**COMPILE)(rebound(many_weeks))


def advance(state: State, run: Callable[..., None], week: int, most: int, p: np.ndarray, changed: Sequence[str] = ()) -> int:
    """Run as many weeks from ``week`` on as are drawn ahead, at most ``most``; returns how many.

    ``changed`` names the overridden rules, for the message where Numba cannot compile them.
    """
    draws = state.draws
    weeks = min(most, draws.ahead())
    state.room_for_events(int(state.firm["events"][0]), weeks)
    columns = Columns(
        state.firm, state.units, state.teams, state.users, state.order, state.peers_first, state.peers, state.events, state.weekly,
        state.unit_weekly, np.empty(len(state.users), np.uint8),
    )  # fmt: skip
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        # for debugging and tests: the same loops in plain Python, on rows with attributes
        columns, p = Columns(*(a.view(np.recarray) if a.dtype.names else a for a in columns)), p.view(np.recarray)
    try:
        run(columns, Chance(draws.choice, draws.error, draws.shocks, draws.management), draws.row, week, weeks, p)
    except (NumbaError, KeyError) as error:  # KeyError: an attribute that no row has
        raise InvalidInput(" or ".join(changed) or "engine", "compiled", _uncompiled(error)) from None
    draws.row += weeks
    return weeks


def _uncompiled(error: Exception) -> str:
    """What to write instead of a rule that cannot be compiled: Numba's message runs to pages, the last lines about the source say it."""
    if isinstance(error, KeyError):
        return f"rules that read and write fields of the state only, not {error}"
    reasons = [line.strip() for line in str(error).splitlines() if line.strip() and "Record" not in line]
    said = "; ".join(reasons[-4:])[:250]
    return f"rules that Numba can compile (the rule replaced is called by a name of its own, base = User.learn); it says: {said}"
