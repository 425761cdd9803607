"""The week, compiled: the same rules as the textbook engine, looped over rows of the state.

Nothing else is compiled here. A subclass that overrides a rule gets loops of its own, in which the
rule's name stands for the new function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from numba.core import config
from numba.core.errors import NumbaError

from sim._numba import njit
from sim.agents import BusinessUnit, Team, User
from sim.agents.base import PlanningAgent
from sim.agents.user import heed
from sim.forecasting import WEEKS_PER_YEAR
from sim.outcomes import log_disturbances, record_unit, record_week, remember
from sim.parameters import InvalidInput
from sim.platform import build, rest, support, upkeep
from sim.state import LIVE, OWN, PILOT, State
from sim.strategy import allocate, review, roll_out

disturb, contribute, forecast = BusinessUnit.disturb, BusinessUnit.contribute, BusinessUnit.forecast
add_up, correct, account = BusinessUnit.add_up, BusinessUnit.correct, BusinessUnit.account
back, succeed = BusinessUnit.back, BusinessUnit.succeed
redesign, prepare, meet = Team.redesign, Team.prepare, Team.meet
join, decide, learn, practise, do_without, tally = User.join, User.decide, User.learn, User.practise, User.do_without, User.tally

COMPILE: dict[str, Any] = {"error_model": "numpy", "nogil": True}


@njit(cache=True, **COMPILE)
def plan_and_learn(units, teams, users, peers_first, peers, used, chance, noise, p):
    """Phases 6 and 7 (and the planners' part of 1): what ``User.step`` does, for everybody."""
    leaving = p.people.turnover / WEEKS_PER_YEAR
    for b in range(len(units)):
        unit = units[b]
        live = unit.stage == PILOT or unit.stage == LIVE
        for t in range(unit.first, unit.last):
            team = teams[t]
            for i in range(team.first, team.last):
                user = users[i]
                if chance[i] < leaving:
                    join(user, chance[i] / leaving, noise[i], p)
                elif live:
                    using = 0
                    for j in range(peers_first[i], peers_first[i + 1]):
                        using += used[peers[j]]
                    seen = heed(using, peers_first[i + 1] - peers_first[i], p)
                    decide(user, team, unit, seen, (chance[i] - leaving) / (1.0 - leaving), p)
                    learn(user, team, unit, seen, noise[i], p)
                    practise(user, unit, p)
                else:
                    do_without(user, p)
                tally(user, team, p)
    for i in range(len(users)):
        used[i] = users[i].choice != OWN


@njit(cache=True, **COMPILE)
def one_week(
    firm, units, teams, users, order, peers_first, peers, used, events, chance, noise, shocks, management, week, weekly, unit_weekly, p
):
    """One week of the enterprise; the table of phases is at ``RolloutModel.step``."""
    for b in range(len(units)):
        log_disturbances(events, firm, week, b, disturb(units[b], shocks[b], week, p))
    if firm.active == 1:
        support(firm, units, p)
        allocate(firm, units, teams, management, week, p)
        for b in range(len(units)):
            contribute(units[b], week, p)
        build(firm, units, order, p)
        for b in range(len(units)):
            unit = units[b]
            if unit.workflow > 0.0:
                for t in range(unit.first, unit.last):
                    redesign(teams[t], unit.workflow, p)
        roll_out(firm, units, order, events, week, p)
    else:
        rest(firm, units)
    upkeep(firm, units, p)
    for b in range(len(units)):
        unit = units[b]
        forecast(unit, shocks[b, 4], p)
        for t in range(unit.first, unit.last):
            prepare(teams[t], unit, firm.quality, p)
    plan_and_learn(units, teams, users, peers_first, peers, used, chance, noise, p)
    for b in range(len(units)):
        unit = units[b]
        for t in range(unit.first, unit.last):
            meet(teams[t], p)
        add_up(unit, teams, p)
        correct(unit, p)
        account(unit, p)
        back(unit, p)
        record_unit(unit, teams, b, week, unit_weekly[b])
    remember(firm, units, p)
    record_week(firm, units, teams, unit_weekly, week, weekly, p)
    if firm.active == 1:
        for b in range(len(units)):
            succeed(units[b], week, p)
        review(firm, units, events, week, p)


@njit(cache=True, **COMPILE)
def many_weeks(
    firms,
    units,
    teams,
    users,
    order,
    peers_first,
    peers,
    events,
    choice,
    error,
    shocks,
    management,
    row,
    weeks,
    week,
    weekly,
    unit_weekly,
    ps,
):
    """``weeks`` weeks from ``week`` on, with the draws from ``row`` on."""
    used = np.empty(len(users), np.uint8)
    for i in range(len(users)):
        used[i] = users[i].used
    for w in range(weeks):
        one_week(
            firms[0],
            units,
            teams,
            users,
            order,
            peers_first,
            peers,
            used,
            events,
            choice[row + w],
            error[row + w],
            shocks[row + w],
            management[row + w],
            week + w,
            weekly[week + w],
            unit_weekly[week + w],
            ps[0],
        )
    for i in range(len(users)):
        users[i].used = used[i]


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

    for dispatcher in (plan_and_learn, one_week):
        setattr(replaced, dispatcher.__name__, njit(**COMPILE)(rebound(dispatcher)))
    return njit(**COMPILE)(rebound(many_weeks))


def advance(state: State, run: Callable[..., None], week: int, most: int, p: np.ndarray, changed: Sequence[str] = ()) -> int:
    """Run as many weeks from ``week`` on as are drawn ahead, at most ``most``; returns how many.

    ``changed`` names the overridden rules, for the message where Numba cannot compile them.
    """
    draws = state.draws
    weeks = min(most, draws.ahead())
    state.room_for_events(int(state.firm["events"][0]), weeks)
    arguments: tuple[Any, ...] = (
        state.firm,
        state.units,
        state.teams,
        state.users,
        state.order,
        state.peers_first,
        state.peers,
        state.events,
        draws.choice,
        draws.error,
        draws.shocks,
        draws.management,
        draws.row,
        weeks,
        week,
        state.weekly,
        state.unit_weekly,
        p,
    )
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        # for debugging and tests: the same loops in plain Python, on rows with attributes
        arguments = tuple(a.view(np.recarray) if isinstance(a, np.ndarray) and a.dtype.names else a for a in arguments)
    try:
        run(*arguments)
    except (
        NumbaError,
        KeyError,
    ) as error:  # KeyError: an attribute that no row has. Numba's message runs to pages; the last line that speaks of the source says it
        reasons = [line.strip() for line in str(error).splitlines() if line.strip() and "Record" not in line]
        if isinstance(error, KeyError):
            wrong = f"rules that read and write fields of the state only, not {error}"
        else:
            wrong = f"rules that Numba can compile (the rule replaced is called by a name of its own, base = User.learn); it says: {'; '.join(reasons[-4:])[:250]}"
        raise InvalidInput(" or ".join(changed) or "engine", "compiled", wrong) from None
    draws.row += weeks
    return weeks
