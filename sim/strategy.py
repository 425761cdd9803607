"""How management's choices act: who pilots, who follows, where effort goes, when it ends.

The choices themselves are data (:class:`sim.parameters.Strategy`, a YAML file each). Placement of
the pilot, the waves and the champions is decided before the start; the weekly functions serve both
engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from sim.forecasting import WEEKS_PER_YEAR
from sim.names import hint
from sim.parameters import Strategy, UseCase
from sim.rules import VALUE, business_share, has_forecast, new_commitment, rule, visibility
from sim.schema import InvalidInput
from sim.state import (
    EXECUTIVE_LEFT,
    GATE_FAILED,
    GATE_PASSED,
    GOVERNANCE,
    INTEGRATION,
    LIVE,
    MODEL,
    ONBOARDED,
    ONBOARDING,
    PILOT,
    PILOT_STARTED,
    PIPELINES,
    RELAUNCHED,
    RETIRED,
    REVIEW_FAILED,
    STOPPED,
    UNIT_RELAUNCHED,
    UNIT_RETIRED,
    WAITING,
    WENT_LIVE,
    WORKFLOW,
    K,
)
from sim.streams import CHAMPIONS, MANAGEMENT, stream

FIXED, ADAPTIVE, RANDOM = range(3)  # allocation, as numbered in the parameters
FAILING = 1  # portfolio.stop
N_BUCKETS = WORKFLOW + 1


# --------------------------------------------------------------------------- before the start


def choose_pilot(strategy: Strategy, names: list[str], clean: np.ndarray, seed: int) -> int:
    """Row of the pilot unit. ``clean``: cleanliness of each unit's data, 0 to 1."""
    _refuse_unknown("strategy.pilot_unit", [strategy.pilot_unit] if strategy.pilot_unit else [], names)
    if strategy.pilot == "named":
        return names.index(strategy.pilot_unit)
    if strategy.pilot == "cleanest":
        return int(np.argmax(clean))
    if strategy.pilot == "representative":
        return int(np.argsort(clean, kind="stable")[(len(clean) - 1) // 2])  # the (lower) median unit
    return int(np.argmax(_random_scores(names, seed, "pilot")))


def wave_order(
    strategy: Strategy, pilot: int, names: list[str], clean: np.ndarray, spend: np.ndarray, reach: np.ndarray, seed: int
) -> np.ndarray:
    """Rows of the units in wave order, the pilot first.

    ``spend`` is planned spend per unit, ``reach`` the number of ties that leave it.
    """
    _refuse_unknown("strategy.listed", strategy.listed, names)
    if strategy.order == "listed":
        place = {name: -float(i) for i, name in enumerate(strategy.listed)}
        score = np.array([place.get(name, -float(len(names) + i)) for i, name in enumerate(names)])
    else:
        known = {"readiness": clean, "size": spend, "network": reach}
        score = known[strategy.order] if strategy.order in known else _random_scores(names, seed, "order")
    order = np.argsort(-np.asarray(score, float), kind="stable")
    return np.concatenate([[pilot], order[order != pilot]]).astype(np.int64)


def _refuse_unknown(key: str, given: Sequence[str], names: list[str]) -> None:
    """Units are those of the enterprise, also where another choice leaves them unread."""
    for name in given:
        if name not in names:
            raise InvalidInput(key, name, "units of the enterprise: " + ", ".join(names[:20]) + hint(name, names))


def _random_scores(names: list[str], seed: int, purpose: str) -> np.ndarray:
    """One uniform per unit, drawn by name, so that the rows' order does not matter."""
    return np.array([stream(seed, MANAGEMENT, f"{purpose}:{name}").random() for name in names])


def order_of_use_cases(strategy: Strategy, usecases: Sequence[UseCase], loudest: np.ndarray, seed: int) -> np.ndarray:
    """Rows of the use cases in the order in which they begin; of equal ones, those named first.

    Management's estimate of value counts the share of teams that would use it; that of feasibility is the quality of the pilot's model
    over the mean of what the use case needs.
    ``loudest``: backing by the leader who backs each use case most, [use cases].
    """
    choices = strategy.portfolio
    names = [each.name for each in usecases]
    if choices.order == "listed":
        score = np.array([-float(choices.listed.index(name) if name in choices.listed else len(names)) for name in names])
    elif choices.order == "random":
        score = _random_scores(names, seed, "use case")
    else:
        value = np.array([each.value * each.teams for each in usecases])
        feasibility = np.array([each.quality / np.mean(astuple(each.needs)) for each in usecases])
        score = {"value": value, "feasibility": feasibility, "value_feasibility": value * feasibility, "sponsor": loudest}[choices.order]
    return np.argsort(-np.round(score, 12), kind="stable")  # 0.9 of a mean need of 0.9 is as feasible as 1 of 1


def choose_champions(
    strategy: Strategy, unit_names: list[str], first: np.ndarray, last: np.ndarray, centrality: np.ndarray, seed: int
) -> np.ndarray:
    """Rows of the champions: the same share of every unit's planners.

    ``random``; ``central``: those with most ties; ``between``: those on most shortest paths of the whole network;
    ``clustered``: neighbours, team by team. ``centrality`` is what the second and third go by, a number per planner; ties are
    broken at random.
    """
    chosen = []
    if strategy.champions > 0:
        for name, start, stop in zip(unit_names, first, last, strict=True):
            size = int(stop - start)
            wanted = round(strategy.champions * size)
            luck: np.ndarray = stream(seed, CHAMPIONS, name).random(size)
            score = centrality[start:stop] if strategy.placement in ("central", "between") else np.zeros(size)
            if strategy.placement == "clustered":
                luck = (np.arange(size) - int(luck[0] * size)) % size * -1.0
            chosen.append(start + np.lexsort((-luck, -score))[:wanted])
    return np.concatenate(chosen) if chosen else np.empty(0, np.int64)


# --------------------------------------------------------------------------- every week


@rule
def log_event(events, firm, week, kind, unit, value):
    """Write one line of the event log."""
    event = events[firm.events]
    event.week = week
    event.kind = kind
    event.unit = unit
    event.value = value
    firm.events += 1


@rule
def phase_of(firm, units):
    """0: pilot, 1: roll-out, 2: all units that will ever be live are."""
    if firm.gate_week < 0:
        return 0
    for b in range(len(units)):
        if units[b].stage == WAITING or units[b].stage == ONBOARDING:
            return 1
    return 2


@rule
def allocate(firm, units, teams, uniforms, week, p):
    """Set this week's shares of the effort left after support; they add up to 1."""
    phase = phase_of(firm, units)
    if p.strategy.allocation == FIXED:
        for k in range(N_BUCKETS):
            firm.shares[k] = p.strategy.effort[phase][k]
        return
    if week % p.review.every != 0:
        return
    if p.strategy.allocation == RANDOM:
        for k in range(N_BUCKETS):
            firm.shares[k] = uniforms[k]
    else:
        adaptive_shares(firm, units, teams, p)
    total = 0.0
    for k in range(N_BUCKETS):
        total += firm.shares[k]
    for k in range(N_BUCKETS):
        firm.shares[k] = firm.shares[k] / total if total > 0.0 else p.strategy.effort[phase][k]


@rule
def adaptive_shares(firm, units, teams, p):
    """Shares in proportion to the square of each constraint's gap, over the units whose turn it is.

    Counts units that pilot, onboard or are live; while none does, every gap counts as full. The model keeps a hundredth.
    """
    for k in range(N_BUCKETS):
        firm.shares[k] = 0.0
    counted = 0
    for b in range(len(units)):
        unit = units[b]
        if unit.stage != RETIRED and unit.stage != WAITING:
            counted += 1
            for k in range(K):
                firm.shares[1 + k] += 1.0 - unit.readiness[k]
            gap = 0.0
            using = 0
            for t in range(unit.first, unit.last):
                if teams[t].uses == 1:
                    gap += 1.0 - teams[t].fit
                    using += 1
            firm.shares[WORKFLOW] += gap / using
    for k in range(1, N_BUCKETS):
        gap = firm.shares[k] / counted if counted > 0 else 1.0
        firm.shares[k] = gap * gap
    firm.shares[MODEL] = (1.0 - firm.quality) * (1.0 - firm.quality) + 0.01


@rule
def roll_out(firm, units, order, events, week, p):
    """The pilot and its gate, the waves, approval and the readiness gate, going live; a unit that gave up begins again with a leader who backs it."""
    if week == firm.begun:
        pilot = units[firm.pilot]
        pilot.stage = PILOT
        pilot.live_week = week
        log_event(events, firm, week, PILOT_STARTED, firm.pilot, pilot.clean)
    if firm.gate_week < 0:
        if week - firm.launched >= p.strategy.gate_weeks:
            if firm.pilot_improvement >= p.strategy.gate_improvement and firm.pilot_use >= p.strategy.gate_reliance:
                firm.gate_week = week
                firm.next_wave = week
                units[firm.pilot].stage = LIVE
                log_event(events, firm, week, GATE_PASSED, firm.pilot, firm.pilot_use)
            elif week - firm.launched >= p.strategy.gate_deadline:
                log_event(events, firm, week, GATE_FAILED, firm.pilot, firm.pilot_use)
                stop(firm, units, events, week)
        if firm.gate_week < 0:
            return
    if week >= firm.next_wave and firm.entered < len(units):
        size = max(1, int(p.strategy.wave * len(units) + 0.5))
        for _ in range(size):
            if firm.entered < len(units):
                b = order[firm.entered]
                firm.entered += 1
                units[b].stage = ONBOARDING
                log_event(events, firm, week, ONBOARDED, b, units[b].clean)
        firm.next_wave = week + p.strategy.cadence
    for position in range(firm.entered):
        b = order[position]
        unit = units[b]
        if unit.stage == RETIRED and unit.commitment > 0.0 and unit.commitment >= p.review.relaunch:
            unit.stage = ONBOARDING
            unit.failed = 0
            unit.stake = 1.0
            log_event(events, firm, week, UNIT_RELAUNCHED, b, unit.sponsorship)
        if unit.stage == ONBOARDING:
            ready = min(unit.readiness[PIPELINES], unit.readiness[INTEGRATION])
            if ready >= p.strategy.readiness_gate and unit.readiness[GOVERNANCE] >= p.strategy.approval:
                unit.stage = LIVE
                unit.live_week = week
                log_event(events, firm, week, WENT_LIVE, b, unit.readiness[PIPELINES])


@rule
def stop(firm, units, events, week):
    """End the initiative: no unit keeps the forecast, no more effort is spent, and the executive who ends it will not take it up again."""
    firm.active = 0
    firm.stopped_week = week
    firm.commitment = 0.0
    for b in range(len(units)):
        if units[b].stage != WAITING:
            units[b].stage = RETIRED
    log_event(events, firm, week, STOPPED, -1, 0.0)


@rule
def succeed_executive(firm, units, events, chance, week, p):
    """The enterprise's executive leaves, and who comes may take up again what had been stopped.

    A new executive answers for the initiative as far as the business owns it, and for what he launches himself.
    """
    leaving = p.disturbance.leader / WEEKS_PER_YEAR
    if chance >= leaving:
        return
    firm.commitment = new_commitment(chance / leaving, p)
    firm.sponsorship = firm.commitment
    firm.stake = business_share(p)
    log_event(events, firm, week, EXECUTIVE_LEFT, -1, firm.commitment)
    if firm.stopped_week >= 0 and firm.commitment >= p.review.relaunch:
        relaunch(firm, units, events, week)


@rule
def relaunch(firm, units, events, week):
    """Take up again what had been stopped, by an executive who answers for it.

    What is left of platform, trust and debt is still there; units come in their old order, after a new pilot where the last one never
    passed.
    """
    firm.active = 1
    firm.stopped_week = -1
    firm.launched = week
    firm.failed = 0
    firm.stake = 1.0
    firm.entered = 0
    firm.next_wave = week
    for b in range(len(units)):
        units[b].stage = WAITING
        units[b].failed = 0
    if firm.gate_week < 0:
        firm.entered = 1
        units[firm.pilot].stage = PILOT
        units[firm.pilot].live_week = week
        log_event(events, firm, week, PILOT_STARTED, firm.pilot, units[firm.pilot].clean)
    log_event(events, firm, week, RELAUNCHED, -1, firm.commitment)


@rule
def update_executive(firm, units, p):
    """What the enterprise's executive sees of the live units, by the strategy's measure and in money; his backing follows it as leaders' does."""
    visible = 0.0
    value = 0.0
    cost = firm.central_cost
    planners = 0.0
    for b in range(len(units)):
        unit = units[b]
        value += unit.value * visibility(unit, p)
        cost += unit.friction + unit.running + unit.own_cost
        if has_forecast(unit):
            visible += unit.visible * unit.users
            planners += unit.users
    firm.visible = visible / planners if planners > 0.0 else 0.0
    firm.value_seen += 0.1 * (value - firm.value_seen)
    firm.cost_seen += 0.1 * (cost - firm.cost_seen)
    aim = firm.commitment
    if firm.active == 1 and firm.gate_week >= 0 and planners > 0.0:
        aim = max(firm.visible, firm.stake * firm.commitment)
    firm.sponsorship += p.sponsor.rate * (aim * firm.attention - firm.sponsorship)


@rule
def passes_review(firm, week, p):
    """Whether the initiative passes: it is young, what is looked at shows, or an executive who answers for it defends it.

    Where reviews look at value, it must be seen to bring in more than it costs.
    """
    if week - max(firm.gate_week, firm.launched) < p.review.grace:
        return True
    if firm.stake * firm.sponsorship >= p.strategy.initiative_floor:
        return True
    if p.strategy.measure == VALUE:
        return firm.value_seen >= firm.cost_seen
    return firm.visible >= p.review.passing


@rule
def review(firm, units, events, week, p):
    """Quarterly: a live unit that keeps failing is retired, with a leader who has had enough; so is an initiative that keeps failing.

    Where the strategy says so, one failure is enough to make room for a use case that waits.
    """
    if (week + 1) % p.review.every != 0:
        return
    left = 0
    for b in range(len(units)):
        unit = units[b]
        if unit.stage == LIVE:
            if unit.passed == 1:
                unit.failed = 0
            else:
                unit.failed += 1
                log_event(events, firm, week, REVIEW_FAILED, b, unit.visible)
                if unit.failed >= p.strategy.unit_reviews:
                    unit.stage = RETIRED
                    unit.commitment = 0.0
                    log_event(events, firm, week, UNIT_RETIRED, b, unit.sponsorship)
        if unit.stage != RETIRED:
            left += 1
    if firm.gate_week >= 0:
        firm.failed = 0 if left > 0 and passes_review(firm, week, p) else firm.failed + 1
        most = 1 if p.strategy.portfolio.stop == FAILING and firm.waiting > 0 else p.strategy.initiative_reviews
        if left == 0 or firm.failed >= most:
            stop(firm, units, events, week)
