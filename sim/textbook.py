"""The textbook engine: the week in plain Python, on Mesa agents with ordinary attributes; the compiled one (:mod:`sim.weeks`) follows it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import engine, outcomes
from sim.agents.base import BETWEEN_WEEKS
from sim.agents.population import Population
from sim.forecasting import WEEKS_PER_YEAR
from sim.platform import build, idle, support, upkeep
from sim.portfolio import divide, left_over, load_teams, meet_new, share_convinced, share_platform, take_up_again
from sim.schema import InvalidInput
from sim.state import State, States
from sim.strategy import allocate, review, roll_out, succeed_executive, update_executive
from sim.streams import CUT_OFF, EXECUTIVE, management_uniforms, planners_of_use_cases, unit_shocks

if TYPE_CHECKING:
    from sim.model import RolloutModel


def week(model: RolloutModel, states: States, everybody: Mapping[int, Population]) -> None:
    """One week of a model; ``everybody``: the agents as they are in each use case that has begun, by its row."""
    for people in everybody.values():
        people.open()
    try:
        _week(model, states, everybody)
    finally:
        model.chance = model.noise = BETWEEN_WEEKS
        for people in everybody.values():
            people.close()


def _week(model: RolloutModel, states: States, everybody: Mapping[int, Population]) -> None:
    now, p, several = model.week, model.p, len(states.names) > 1
    states.firm["events"][[*everybody], 0] = [people.firm.events for people in everybody.values()]
    states.room_for_events(1)
    firms, units, teams, users = _by_use_case(states, everybody)
    spare = 0.0
    for u in [u for u in states.turn.tolist() if u in everybody]:  # what one leaves of the central team goes to the next
        firms[u][0].spare = spare
        _before_planners(everybody[u], states.of(u), states.shocks.tolist(), now, p)
        if several and firms[u][0].begun >= 0:
            spare = left_over(firms[u][0])
            share_platform(firms, units, u, states.common.tolist(), states.overlap.tolist(), p)
    if several:
        meet_new(firms, units, teams, users, now, p)
    variates = planners_of_use_cases(states, [*everybody], now, p.people.turnover / WEEKS_PER_YEAR)
    for people, (chance, noise) in zip(everybody.values(), variates, strict=True):
        model.chance, model.noise = chance.tolist(), noise.tolist()
        for user in people.users:
            user.step()  # 7 decide and learn
        for user in people.users:
            user.used = 1 if user.choice else 0
    for u, people in everybody.items():
        _after_planners(people, states.of(u), now, p)
    if several:
        states.convinced[now] = share_convinced(firms, teams, p)
        take_up_again(firms, units, states.turn, [states.of(u).events.view(np.recarray) for u in range(len(firms))], now, p)
        divide(firms, units, states.turn, now, p)
        load_teams(firms, teams)


def _before_planners(people: Population, state: State, keys: list[list[int]], week: int, p: Any) -> None:
    firm, units, teams, order, events = people.firm, people.units, people.teams, people.order, state.events.view(np.recarray)
    shocks = [unit_shocks(week, key) for key in keys[:-1]]
    firm.capacity = firm.budget * firm.portion + firm.spare
    for unit in units:
        happened = unit.disturb(shocks[unit.row], week, p)  # 1 disturb
        if not isinstance(happened, Integral):
            raise InvalidInput(f"{type(unit).__name__}.disturb", happened, engine.RETURNED)
        outcomes.log_disturbances(events, firm, week, unit.row, happened)
    succeed_executive(firm, units, events, management_uniforms(week, keys[-1])[EXECUTIVE], week, p)
    if firm.active:
        support(firm, units, p)  # 2 support
        allocate(firm, units, teams, management_uniforms(week, state.keys[-1].tolist()), week, p)  # 3 build
        for unit in units:
            unit.contribute(week, p)
            for team in unit.teams:
                team.consider(unit, week, p)
            unit.willing = sum([team.willing for team in unit.teams])
        build(firm, units, order, p)
        for team in teams:
            if team.willing:
                team.redesign(team.unit, team.unit.workflow, p)
        roll_out(firm, units, order, events, week, p)  # 4 roll out
    else:
        idle(firm, units, teams)
    upkeep(firm, units, p)  # 5 wear
    for unit in units:
        unit.forecast(shocks[unit.row][CUT_OFF], p)  # 6 forecast
        for team in unit.teams:
            team.prepare(unit, firm.quality, p)


def _after_planners(people: Population, state: State, week: int, p: Any) -> None:
    firm, units, teams = people.firm, people.units, people.teams
    for team in teams:
        team.meet(p)  # 8 meet
    for team in teams:
        if team.downstream >= 0:
            team.hand_over(teams[team.downstream], p)
    unit_rows = state.unit_weekly[week].view(np.recarray)
    for unit in units:
        unit.aggregate(teams, p)
        unit.correct(p)  # 9 correct
        unit.account(p)  # 10 account
        unit.update_sponsorship(p)  # 11 sponsor
        outcomes.record_unit(unit, teams, unit.row, week, unit_rows[unit.row])
    outcomes.update_memory(firm, units, p)
    update_executive(firm, units, p)
    outcomes.record_week(firm, units, teams, unit_rows, week, state.weekly.view(np.recarray)[week], p)  # 12 record
    if firm.active:
        for unit in units:
            unit.passes_review(week, p)
        review(firm, units, state.events.view(np.recarray), week, p)  # 13 review


def _by_use_case(states: States, everybody: Mapping[int, Population]) -> tuple[list[Any], ...]:
    """The enterprise, units, teams and planners in each use case: agents, or rows of what has not begun."""
    found: tuple[list[Any], ...] = ([], [], [], [])
    for u in range(len(states.names)):
        people = everybody.get(u)
        rows = [getattr(states, name)[u].view(np.recarray) for name in ("firm", "units", "teams", "users")]
        mine = [[people.firm], people.units, people.teams, people.users] if people else rows
        for kind, carriers in zip(found, mine, strict=True):
            kind.append(carriers)
    return found
