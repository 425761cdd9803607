"""The platform layer: four capabilities, the effort they take, the debt of having gone live without.

``firm``, ``units`` and ``teams`` are rows or agents; these functions serve both engines.
"""

from __future__ import annotations

import math

from sim.rules import clip, has_forecast, is_active, rule
from sim.state import INTEGRATION, LIVE, MODEL, PIPELINES, RETIRED, SUPPORT, WORKFLOW, K


@rule
def local_effort(unit, k, core, p):
    """Person-weeks to finish capability ``k`` in ``unit`` from nothing, given the shared core's state.

    ``effort x (1 + fragmentation) x (1 - reuse x core) x (1 + debt) x overrun``.
    """
    return (
        p.platform.local_effort[k]
        * (1.0 + unit.fragmentation)
        * (1.0 - p.platform.reuse * core)
        * (1.0 + p.platform.debt * unit.debt[k])
        * unit.overrun[k]
    )


@rule
def upkeep(firm, units, p):
    """Capabilities wear without upkeep, and debt grows where a unit is live without them."""
    for b in range(len(units)):
        unit = units[b]
        for k in range(K):
            unit.readiness[k] -= p.platform.decay * unit.readiness[k]
            if unit.stage == LIVE:
                unit.debt[k] += (1.0 - unit.readiness[k]) * (1.0 - unit.debt[k]) / p.platform.debt_weeks


@rule
def support(firm, units, p):
    """Patch by hand what live units lack, before all building and from the same budget.

    Beyond the cap every live unit gets its share only: support is diluted. In a pilot one unit gets
    all it needs, which is why a pilot looks better than the platform is.
    """
    need = 0.0
    for b in range(len(units)):
        unit = units[b]
        unit.need = 0.0
        if has_forecast(unit):
            unit.need = p.support.need * (1.0 - unit.clean) + p.support.carrying * (1.0 - unit.readiness[INTEGRATION]) + p.support.minimum
        need += unit.need
    capacity = p.support.cap * firm.capacity
    ratio = 1.0 if need <= capacity else capacity / need
    for b in range(len(units)):
        unit = units[b]
        unit.support = ratio if unit.need > 0.0 else 0.0
    firm.need = need
    firm.support_ratio = ratio
    firm.effort[SUPPORT] = need if need <= capacity else capacity


@rule
def idle(firm, units, teams):
    """A week without an initiative: nobody supports, builds, contributes or redesigns."""
    for k in range(SUPPORT + 1):
        firm.effort[k] = 0.0
    firm.need = 0.0
    firm.support_ratio = 1.0
    for b in range(len(units)):
        unit = units[b]
        unit.need = 0.0
        unit.support = 0.0
        unit.own_effort = 0.0
        unit.workflow = 0.0
        unit.willing = 0
    for t in range(len(teams)):
        teams[t].willing = 0
        teams[t].own_load = 0.0
        teams[t].load = 0.0


@rule
def effort_spent(firm):
    """Person-weeks of the central team this week, for all purposes."""
    spent = 0.0
    for k in range(SUPPORT + 1):
        spent += firm.effort[k]
    return spent


@rule
def build_core(firm, k, effort, p):
    """Spend up to ``effort`` person-weeks on the shared core of capability ``k``; returns what is left."""
    total = p.platform.core_effort[k]
    spent = min(effort, total * (1.0 - firm.core[k]))
    firm.core[k] = clip(firm.core[k] + spent / total, 0.0, 1.0)
    firm.effort[1 + k] += spent
    firm.platform += spent
    return effort - spent


@rule
def build_local(firm, units, order, k, effort, p):
    """Spend up to ``effort`` person-weeks on local readiness; returns what no unit needs.

    Units that onboard or are live come first, in wave order, then those whose turn is to come. What
    is spent on a unit that is already live is retrofit.
    """
    for turn in range(2):
        for position in range(len(order)):
            unit = units[order[position]]
            started = is_active(unit)
            if effort <= 0.0 or unit.stage == RETIRED or started != (turn == 0):
                continue
            total = local_effort(unit, k, firm.core[k], p)
            spent = min(effort, total * (1.0 - unit.readiness[k]))
            unit.readiness[k] = clip(unit.readiness[k] + spent / total, 0.0, 1.0)
            effort -= spent
            firm.effort[1 + k] += spent
            firm.platform += spent
            if unit.stage == LIVE:
                firm.retrofit += spent
    return max(0.0, effort)


@rule
def build(firm, units, order, p):
    """Spend the effort that support leaves in the strategy's shares; what one bucket cannot use goes on.

    Effort that no platform job and no team can use is not spent. Workflow effort goes to the teams that would redesign theirs, as
    much as they can take up. What a unit adds of its own goes half into its pipelines and half into the workflow of its teams.
    """
    for k in range(WORKFLOW + 1):
        firm.effort[k] = 0.0
    left = max(0.0, firm.capacity - firm.effort[SUPPORT])
    spill = 0.0
    for k in range(K):
        effort = left * firm.shares[1 + k]
        central = effort * p.strategy.core_first
        central = build_core(firm, k, central, p)
        spill += build_local(firm, units, order, k, effort * (1.0 - p.strategy.core_first) + central, p)
    for k in range(K):
        if spill > 0.0 and firm.shares[1 + k] > 0.0:
            spill = build_local(firm, units, order, k, build_core(firm, k, spill, p), p)

    workflow = left * firm.shares[WORKFLOW]
    willing = 0
    for b in range(len(units)):
        willing += units[b].willing
    each = min(workflow / willing, p.team.capacity) if willing > 0 else 0.0
    firm.effort[WORKFLOW] = each * willing
    for b in range(len(units)):
        unit = units[b]
        half = 0.5 * unit.own_effort
        total = local_effort(unit, PIPELINES, firm.core[PIPELINES], p)
        unit.own_effort = min(half, total * (1.0 - unit.readiness[PIPELINES]))
        unit.readiness[PIPELINES] = clip(unit.readiness[PIPELINES] + unit.own_effort / total, 0.0, 1.0)
        unit.workflow = 0.0
        if unit.willing > 0:
            added = min(half / unit.willing, p.team.capacity - each)
            unit.own_effort += added * unit.willing
            unit.workflow = each + added
    improve_model(firm, units, left * firm.shares[MODEL], p)


@rule
def improve_model(firm, units, effort, p):
    """Model work closes part of the gap to the sound model, and retrains what has aged."""
    firm.effort[MODEL] = effort
    firm.quality += (1.0 - firm.quality) * (1.0 - math.exp(-p.forecast.learning * effort))
    live = 0
    for b in range(len(units)):
        if has_forecast(units[b]):
            live += 1
    if live > 0:
        restored = 1.0 - math.exp(-p.forecast.retraining * effort / live)
        for b in range(len(units)):
            unit = units[b]
            if has_forecast(unit):
                unit.freshness += restored * (1.0 - unit.freshness)
