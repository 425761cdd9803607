"""The week, compiled: the same rules as the textbook engine, looped over rows of the state, and over blocks of planners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.core import config
from numba.core.errors import NumbaError

from sim._numba import njit
from sim.agents import BusinessUnit, Team, User
from sim.agents.user import social_influence
from sim.arithmetic import normal
from sim.forecasting import WEEKS_PER_YEAR
from sim.outcomes import log_disturbances, record_unit, record_week, update_memory
from sim.platform import build, idle, support, upkeep
from sim.portfolio import divide, left_over, load_teams, meet_new, next_to_begin, share_convinced, share_platform, take_up_again
from sim.rules import has_forecast
from sim.state import OWN, TEAM, USER, States
from sim.strategy import allocate, review, roll_out, succeed_executive, update_executive
from sim.streams import CUT_OFF, EFFORT, EXECUTIVE, SHOCK, management_uniforms, planner_uniforms, unit_shocks, weekly_uniform
from sim.vector import BLOCK, STRIDE, place_of, private, touched

disturb, contribute, forecast = BusinessUnit.disturb, BusinessUnit.contribute, BusinessUnit.forecast
aggregate, correct, account = BusinessUnit.aggregate, BusinessUnit.correct, BusinessUnit.account
update_sponsorship, passes_review = BusinessUnit.update_sponsorship, BusinessUnit.passes_review
consider, redesign, prepare, meet, hand_over = Team.consider, Team.redesign, Team.prepare, Team.meet, Team.hand_over
join, decide, learn, practise, abstain, accumulate = User.join, User.decide, User.learn, User.practise, User.abstain, User.accumulate

#: How the loops are compiled.
COMPILE: dict[str, Any] = {"error_model": "numpy", "nogil": True}


class Columns(NamedTuple):
    """What the loops read and write: the arrays of :class:`sim.state.States`, and who switched; or those of one use case (:func:`case`).

    ``using`` counts each planner's peers who planned on the forecast last week; ``switched`` lists, from each thread's first planner
    on, those who do otherwise this week: their rows, or ~row of those who left it.
    """

    turn: np.ndarray
    common: np.ndarray
    overlap: np.ndarray
    firm: np.ndarray
    units: np.ndarray
    teams: np.ndarray
    users: np.ndarray
    order: np.ndarray
    keys: np.ndarray
    shocks: np.ndarray
    peers_first: np.ndarray
    peers: np.ndarray
    left: np.ndarray
    weekly: np.ndarray
    unit_weekly: np.ndarray
    convinced: np.ndarray
    events: np.ndarray
    using: np.ndarray
    switched: np.ndarray

    @classmethod
    def of(cls, states: States) -> Columns:
        """The arrays of all use cases, and room to count in."""
        kept = [getattr(states, name) for name in cls._fields[:-2]]
        return cls(*kept, *(np.empty(states.users.shape, np.int32) for _ in range(2)))


def case_of(s, u):
    """The arrays of use case ``u``."""
    return Columns(
        s.turn, s.common, s.overlap, s.firm[u], s.units[u], s.teams[u], s.users[u], s.order[u], s.keys[u], s.shocks,
        s.peers_first, s.peers, s.left, s.weekly[u], s.unit_weekly[u], s.convinced, s.events[u], s.using[u], s.switched[u],
    )  # fmt: skip


#: The same for the loops; from Python it is not worth compiling.
case = njit(cache=True, **COMPILE)(case_of)


#: The first columns of a block's table: the week's uniform and normal of each planner, peers using the forecast, and peers.
CHANCE, NOISE, USING, PEERS = range(4)


class Places(NamedTuple):
    """Planners and their teams as places in a block's table, which has so many ``columns`` (see :func:`sim.vector.place_of`)."""

    user_at: Callable
    load_user: Callable
    store_user: Callable
    team_at: Callable
    load_team: Callable
    columns: int


def places(decide: Callable, learn: Callable, practise: Callable, accumulate: Callable) -> Places:
    """Places with the fields that the rules of a planner's week touch.

    Raises:
        NumbaError: where they read of their team what its planners add to one after the other, or may do so.
    """
    if accumulate is not User.accumulate:
        raise NumbaError("what planners add to their team is no longer known")
    rules = (decide, learn, practise)
    added = set(touched(rules, 1, TEAM)) & set(touched([accumulate], 1, TEAM, write=True))
    if added:
        raise NumbaError(f"a planner's rule reads {', '.join(sorted(added))} of the team while it is added up")
    user, load_user, store_user, column = place_of("user", USER, touched(rules, 0, USER), PEERS + 1, touched(rules, 0, USER, write=True))
    team, load_team, _, columns = place_of("team", TEAM, touched(rules, 1, TEAM), column)
    return Places(user, load_user, store_user, team, load_team, columns)


user_at, load_user, store_user, team_at, load_team, columns = places(decide, learn, practise, accumulate)


@njit(cache=True, forceinline=True, **COMPILE)
def draw_block(table, n, position, week, key, shocks, left, leaving, u, normals):
    """The variates of ``n`` planners of a unit, from the one at ``position`` on; the second is a uniform where no normal is asked for.

    Use case 0 decides who leaves, and writes ``left``.
    """
    for i in range(n):
        table[CHANCE, i], table[NOISE, i] = planner_uniforms(position + i, week, key)
    if u == 0:
        for i in range(n):
            left[i] = table[CHANCE, i] < leaving
    else:
        for i in range(n):
            table[CHANCE, i] = leaving + (1.0 - leaving) * table[CHANCE, i]
        for i in range(n):
            if left[i] == 1:
                table[CHANCE, i], table[NOISE, i] = planner_uniforms(position + i, week, shocks)
    if normals:
        for i in range(n):
            table[NOISE, i] = normal(table[NOISE, i])


@njit(cache=True, forceinline=True, **COMPILE)
def decide_block(table, n, unit, leaving, p):
    """What stayers do in a unit with a forecast: this loop is what a simulated week costs, and LLVM makes it a vector loop."""
    for i in range(n):
        user, team = user_at(table, i), team_at(table, i)
        seen = social_influence(table[USING, i], table[PEERS, i], p)
        decide(user, team, unit, seen, (table[CHANCE, i] - leaving) / (1.0 - leaving), p)
        learn(user, team, unit, seen, table[NOISE, i], p)
        practise(user, team, unit, p)


@njit(cache=True, **COMPILE)
def decide_and_learn(c, u, first, last, week, ps):
    """What ``User.step`` does in use case ``u``, for everybody in units ``first`` to ``last``, in blocks; returns how many switched."""
    p = private(ps[0])
    leaving = p.people.turnover / WEEKS_PER_YEAR
    table = np.empty((columns, STRIDE))
    begin = c.teams[c.units[first].first].first
    switched = begin
    for b in range(first, last):
        unit = c.units[b]
        served = has_forecast(unit)
        start, stop = c.teams[unit.first].first, c.teams[unit.last - 1].last
        t = unit.first
        for low in range(start, stop, BLOCK):
            n = min(BLOCK, stop - low)
            draw_block(table, n, low - start, week, c.keys[b], c.shocks[b], c.left[low : low + n], leaving, u, served)
            if served:
                for i in range(n):
                    load_user(user_at(table, i), c.users[low + i])
                    table[USING, i] = c.using[low + i]
                    table[PEERS, i] = c.peers_first[low + i + 1] - c.peers_first[low + i]
                for s in range(t, unit.last):
                    team = c.teams[s]
                    for i in range(max(team.first - low, 0), min(team.last - low, n)):
                        load_team(team_at(table, i), team)
                    if team.last >= low + n:
                        break
                decide_block(table, n, private(unit), leaving, p)
            for s in range(t, unit.last):
                t, team = s, c.teams[s]
                for i in range(max(team.first - low, 0), min(team.last - low, n)):
                    user, chance = c.users[low + i], table[CHANCE, i]
                    if chance < leaving:
                        join(user, chance / leaving, table[NOISE, i] if served else normal(table[NOISE, i]), p)
                    elif served and team.uses == 1:
                        store_user(user_at(table, i), user)
                    else:
                        abstain(user, p)
                    accumulate(user, team, p)
                    used = 1 if user.choice != OWN else 0
                    c.switched[switched] = low + i if used == 1 else ~(low + i)
                    switched += user.used != used  # a branch would be guessed wrong for every fourth planner
                    user.used = used
                if team.last >= low + n:
                    break
    return switched - begin


@njit(cache=True, **COMPILE)
def decide_and_learn_singly(c, u, first, last, week, ps):
    """The same, one planner at a time on the rows themselves: for rules that touch more than a planner, and for plain Python."""
    p = private(ps[0])
    leaving = p.people.turnover / WEEKS_PER_YEAR
    begin = c.teams[c.units[first].first].first
    switched = begin
    for b in range(first, last):
        unit = c.units[b]
        served = has_forecast(unit)
        start = c.teams[unit.first].first
        for t in range(unit.first, unit.last):
            team = c.teams[t]
            for i in range(team.first, team.last):
                user = c.users[i]
                chance, noise = planner_uniforms(i - start, week, c.keys[b])
                if u == 0:
                    c.left[i] = chance < leaving
                elif c.left[i] == 1:
                    chance, noise = planner_uniforms(i - start, week, c.shocks[b])
                else:
                    chance = leaving + (1.0 - leaving) * chance
                if chance < leaving:
                    join(user, chance / leaving, normal(noise), p)
                elif served and team.uses == 1:
                    seen = social_influence(float(c.using[i]), float(c.peers_first[i + 1] - c.peers_first[i]), p)
                    decide(user, team, unit, seen, (chance - leaving) / (1.0 - leaving), p)
                    learn(user, team, unit, seen, normal(noise), p)
                    practise(user, team, unit, p)
                else:
                    abstain(user, p)
                accumulate(user, team, p)
                used = 1 if user.choice != OWN else 0
                if user.used != used:
                    user.used = used
                    c.switched[switched] = i if used == 1 else ~i
                    switched += 1
    return switched - begin


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # a place in a table is nothing that plain Python knows
    decide_and_learn = decide_and_learn_singly


@njit(cache=True, **COMPILE)
def count_using(c):
    """How many of each planner's peers planned on the forecast last week."""
    for i in range(len(c.users)):
        c.using[i] = 0
        for j in range(c.peers_first[i], c.peers_first[i + 1]):
            c.using[i] += c.users[c.peers[j]].used


@njit(cache=True, **COMPILE)
def switch(c, begin, count):
    """Let peers see who switched to the forecast, or (~row) from it; ties are mutual: a planner's peers are those who see them."""
    for k in range(begin, begin + count):
        i, change = c.switched[k], 1
        if i < 0:
            i, change = ~i, -1
        for j in range(c.peers_first[i], c.peers_first[i + 1]):
            c.using[c.peers[j]] += change


@njit(cache=True, **COMPILE)
def before_planners(c, week, ps):
    """The first six phases of a week; the numbers are those of the table at ``RolloutModel.step``."""
    p = private(ps[0])
    firm, units, teams, order, events = c.firm[0], c.units, c.teams, c.order, c.events
    central = len(units)
    firm.capacity = firm.budget * firm.portion + firm.spare
    for b in range(len(units)):
        log_disturbances(events, firm, week, b, disturb(units[b], unit_shocks(week, c.shocks[b]), week, p))  # 1 disturb
    succeed_executive(firm, units, events, weekly_uniform(EXECUTIVE, week, EFFORT, c.shocks[central]), week, p)
    if firm.active == 1:
        support(firm, units, p)  # 2 support
        allocate(firm, units, teams, management_uniforms(week, c.keys[central]), week, p)  # 3 build
        for b in range(len(units)):
            unit = units[b]
            contribute(unit, week, p)
            unit.willing = 0
            for t in range(unit.first, unit.last):
                consider(teams[t], unit, week, p)
                unit.willing += teams[t].willing
        build(firm, units, order, p)
        for b in range(len(units)):
            unit = units[b]
            for t in range(unit.first, unit.last):
                if teams[t].willing != 0:
                    redesign(teams[t], unit, unit.workflow, p)
        roll_out(firm, units, order, events, week, p)  # 4 roll out
    else:
        idle(firm, units, teams)
    upkeep(firm, units, p)  # 5 wear
    for b in range(len(units)):
        unit = units[b]
        forecast(unit, weekly_uniform(CUT_OFF, week, SHOCK, c.shocks[b]), p)  # 6 forecast
        for t in range(unit.first, unit.last):
            prepare(teams[t], unit, firm.quality, p)


@njit(cache=True, **COMPILE)
def after_planners(c, week, ps):
    """The last six phases of a week."""
    p = private(ps[0])
    firm, units, teams, events = c.firm[0], c.units, c.teams, c.events
    unit_weekly = c.unit_weekly[week]
    for t in range(len(teams)):
        meet(teams[t], p)  # 8 meet
    for t in range(len(teams)):
        if teams[t].downstream >= 0:
            hand_over(teams[t], teams[teams[t].downstream], p)
    for b in range(len(units)):
        unit = units[b]
        aggregate(unit, teams, p)
        correct(unit, p)  # 9 correct
        account(unit, p)  # 10 account
        update_sponsorship(unit, p)  # 11 sponsor
        record_unit(unit, teams, b, week, unit_weekly[b])
    update_memory(firm, units, p)
    update_executive(firm, units, p)
    record_week(firm, units, teams, unit_weekly, week, c.weekly[week], p)  # 12 record
    if firm.active == 1:
        for b in range(len(units)):
            passes_review(units[b], week, p)
        review(firm, units, events, week, p)  # 13 review


@njit(cache=True, **COMPILE)
def many_weeks(c, week, weeks, ps):
    """``weeks`` weeks of the only use case, from ``week`` on; ``ps`` holds the parameters in one row."""
    for w in range(week, week + weeks):
        before_planners(c, w, ps)
        switch(c, 0, decide_and_learn(c, 0, 0, len(c.units), w, ps))  # 7 decide and learn
        after_planners(c, w, ps)


# --------------------------------------------------------------------------- several use cases


@njit(cache=True, **COMPILE)
def before_planners_of_all(s, week, ps):
    """The first six phases of a week, use case after use case in their turn: what one leaves of the central team goes to the next."""
    spare = 0.0
    for k in range(len(s.turn)):
        u = s.turn[k]
        firm = s.firm[u][0]
        if u == 0 or firm.begun >= 0:
            firm.spare = spare
            before_planners(case(s, u), week, ps)
            if firm.begun >= 0:
                spare = left_over(firm)
                share_platform(s.firm, s.units, u, s.common, s.overlap, ps[0])
    meet_new(s.firm, s.units, s.teams, s.users, week, ps[0])


@njit(cache=True, **COMPILE)
def after_planners_of_all(s, week, ps):
    """The last six phases of a week; returns the use case that begins next week, or -1."""
    for u in range(len(s.firm)):
        if u == 0 or s.firm[u][0].begun >= 0:
            after_planners(case(s, u), week, ps)
    s.convinced[week] = share_convinced(s.firm, s.teams, ps[0])
    take_up_again(s.firm, s.units, s.turn, s.events, week, ps[0])
    divide(s.firm, s.units, s.turn, week, ps[0])
    load_teams(s.firm, s.teams)
    return next_to_begin(s.firm, s.units, s.turn, ps[0])


@njit(cache=True, **COMPILE)
def many_weeks_of_all(s, week, weeks, ps):
    """``weeks`` weeks of all use cases that have begun, or until the next one begins; returns how many."""
    for w in range(week, week + weeks):
        before_planners_of_all(s, w, ps)
        for u in range(len(s.firm)):
            if u == 0 or s.firm[u][0].begun >= 0:
                c = case(s, u)
                switch(c, 0, decide_and_learn(c, u, 0, len(c.units), w, ps))
        if after_planners_of_all(s, w, ps) >= 0:
            return w + 1 - week
    return weeks
