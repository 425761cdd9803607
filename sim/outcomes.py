"""What is recorded every week, and what a run came to.

The functions at the top serve both engines and fill one row each; :func:`outcome` reads the
records of a finished run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sim.parameters import CAPABILITIES, Parameters
from sim.platform import effort_spent
from sim.rules import rule
from sim.schema import InvalidInput
from sim.state import (
    DEMAND_SHIFT,
    EVENTS,
    EXECUTIVE_LEFT,
    GATE_FAILED,
    GATE_PASSED,
    GOVERNANCE,
    INTEGRATION,
    LEADER_LEFT,
    LIVE,
    MODEL,
    MONITORING,
    ONBOARDED,
    PILOT_STARTED,
    PIPELINES,
    PRIORITY_SHOCK,
    RELAUNCHED,
    RETIRED,
    REVIEW_FAILED,
    STAGES,
    STOPPED,
    SUPPORT,
    UNIT_RELAUNCHED,
    UNIT_RETIRED,
    WENT_LIVE,
    WORKFLOW,
    State,
)
from sim.strategy import log_event

#: The event that is no line of the log: a parameter changed on the way.
CHANGED = "changed"

# --------------------------------------------------------------------------- every week, both engines


@rule
def log_disturbances(events, firm, week, unit, happened):
    """Write what :meth:`BusinessUnit.disturb` reports as bits."""
    if happened != 0:
        for kind in (PRIORITY_SHOCK, LEADER_LEFT, DEMAND_SHIFT):
            if happened & (1 << kind):
                log_event(events, firm, week, kind, unit, 0.0)


@rule
def record_unit(unit, teams, b, week, row):
    """Fill a unit's row of the weekly records."""
    reliance = 0.0
    trust = 0.0
    fit = 0.0
    load = 0.0
    using = 0
    for t in range(unit.first, unit.last):
        team = teams[t]
        if team.uses == 0:
            continue
        using += 1
        planners = team.last - team.first
        reliance += team.reliance * planners
        trust += team.trust * planners
        fit += team.fit
        load += team.load
    row.week = week
    row.unit = b
    row.stage = unit.stage
    row.on_time = unit.on_time
    row.users_using = unit.share
    row.reliance = reliance / unit.users
    row.trust = trust / unit.users
    row.improvement = unit.improvement
    row.freshness = unit.freshness
    row.clean = unit.clean
    row.support = unit.support
    row.sponsorship = unit.sponsorship
    row.visible = unit.visible
    row.fit = fit / using
    row.load = load / using
    row.readiness_pipelines = unit.readiness[PIPELINES]
    row.readiness_integration = unit.readiness[INTEGRATION]
    row.readiness_monitoring = unit.readiness[MONITORING]
    row.readiness_governance = unit.readiness[GOVERNANCE]
    row.own_effort = unit.own_effort
    row.value = unit.value
    row.friction = unit.friction
    row.running_cost = unit.running
    row.own_cost = unit.own_cost
    row.net = unit.value - unit.friction - unit.running - unit.own_cost


@rule
def sum_units(units, unit_rows, row):
    """Fill what the enterprise's row takes from its units: means over planners, or over units where said, and sums."""
    planners = 0.0
    using = 0.0
    reliance = 0.0
    trust = 0.0
    row.units_live = 0
    row.units_retired = 0
    row.improvement = 0.0
    row.freshness = 0.0
    row.sponsorship = 0.0
    row.readiness_pipelines = 0.0
    row.readiness_integration = 0.0
    row.readiness_monitoring = 0.0
    row.readiness_governance = 0.0
    row.own_effort = 0.0
    row.value = 0.0
    row.friction = 0.0
    row.running_cost = 0.0
    row.own_cost = 0.0
    n = len(units)
    for b in range(n):
        unit = units[b]
        written = unit_rows[b]
        if unit.stage == LIVE:
            row.units_live += 1
        elif unit.stage == RETIRED:
            row.units_retired += 1
        planners += unit.users
        using += written.users_using * unit.users
        reliance += written.reliance * unit.users
        trust += written.trust * unit.users
        row.improvement += unit.improvement / n
        row.freshness += unit.freshness / n
        row.sponsorship += unit.sponsorship / n
        row.readiness_pipelines += unit.readiness[PIPELINES] / n
        row.readiness_integration += unit.readiness[INTEGRATION] / n
        row.readiness_monitoring += unit.readiness[MONITORING] / n
        row.readiness_governance += unit.readiness[GOVERNANCE] / n
        row.own_effort += unit.own_effort
        row.value += unit.value
        row.friction += unit.friction
        row.running_cost += unit.running
        row.own_cost += unit.own_cost
    row.users_using = using / planners
    row.reliance = reliance / planners
    row.trust = trust / planners


@rule
def record_week(firm, units, teams, unit_rows, week, row, p):
    """Fill the enterprise's row of the weekly records, and add the week to its ledger."""
    row.week = week
    sum_units(units, unit_rows, row)
    convinced = 0
    using = 0
    for t in range(len(teams)):
        if teams[t].uses == 1:
            using += 1
            if teams[t].trust >= p.outcomes.trust and teams[t].reliance >= p.outcomes.reliance:
                convinced += 1
    row.teams_trust_and_use = convinced / using
    row.quality = firm.quality
    row.support_ratio = firm.support_ratio
    row.effort_model = firm.effort[MODEL]
    row.effort_pipelines = firm.effort[1 + PIPELINES]
    row.effort_integration = firm.effort[1 + INTEGRATION]
    row.effort_monitoring = firm.effort[1 + MONITORING]
    row.effort_governance = firm.effort[1 + GOVERNANCE]
    row.effort_workflow = firm.effort[WORKFLOW]
    row.effort_support = firm.effort[SUPPORT]
    row.core_pipelines = firm.core[PIPELINES]
    row.core_integration = firm.core[INTEGRATION]
    row.core_monitoring = firm.core[MONITORING]
    row.core_governance = firm.core[GOVERNANCE]
    row.central_cost = firm.central_cost
    row.net = row.value - row.friction - row.running_cost - row.own_cost - firm.central_cost
    firm.net += row.net
    row.cumulative_net = firm.net


@rule
def update_memory(firm, units, p):
    """The central cost of the week [EUR], and what is remembered of the pilot (over some ten weeks)."""
    firm.central_cost = effort_spent(firm) * p.value.person_week
    pilot = units[firm.pilot]
    firm.pilot_improvement += 0.1 * (pilot.improvement - firm.pilot_improvement)
    firm.pilot_use += 0.1 * (pilot.share - firm.pilot_use)


# --------------------------------------------------------------------------- a finished run


def weekly_frame(rows: np.ndarray) -> pd.DataFrame:
    """The enterprise week by week, from its weekly records. A use case that began later has weeks of zeros before."""
    return pd.DataFrame({**{name: rows[name] for name in rows.dtype.names or ()}, "week": np.arange(len(rows))})


def unit_frame(state: State, weeks: int) -> pd.DataFrame:
    """The units week by week, with their names and stages in words."""
    rows = state.unit_weekly[:weeks].reshape(-1)
    frame = pd.DataFrame({name: rows[name] for name in rows.dtype.names or ()})
    units = len(state.unit_names)
    frame["week"] = np.repeat(np.arange(weeks), units)  # of weeks before a use case began nothing is recorded, not even this
    frame["unit"] = pd.Categorical.from_codes(np.tile(np.arange(units), weeks), categories=pd.Index(state.unit_names))
    frame["stage"] = pd.Categorical.from_codes(frame["stage"].to_numpy(), categories=pd.Index(STAGES))
    return frame


def event_frame(state: State) -> pd.DataFrame:
    """What happened and was changed, in order: week, kind, unit (empty for the whole enterprise), value, and words."""
    rows = state.events[: int(state.firm["events"][0])]
    units = [state.unit_names[u] if u >= 0 else "" for u in rows["unit"]]
    kinds = [EVENTS[k] for k in rows["kind"]]
    words = [_in_words(int(k), unit, float(v)) for k, unit, v in zip(rows["kind"], units, rows["value"], strict=True)]
    happened = pd.DataFrame({"week": rows["week"], "event": kinds, "unit": units, "value": rows["value"], "words": words})
    changes = pd.DataFrame([{"week": week, "event": CHANGED, **told} for week, told in _changes(state)])
    if changes.empty:
        return happened
    # a change comes before what happens in its first week
    return pd.concat([changes, happened], ignore_index=True).sort_values("week", kind="stable", ignore_index=True)


def _changes(state: State) -> Iterator[tuple[int, dict[str, Any]]]:
    """Parameters changed on the way and variables set between weeks: the week, and unit, value (a mean, where several were set) and words."""
    for week, name, before, after in state.changes:
        value = np.nan if isinstance(after, str) else float(after)
        yield week, {"unit": "", "value": value, "words": f"{name} changes from {before} to {after}"}
    for (week, kind, name, row), settings in state.settings.items():
        pairs = [pair for pair in settings.values() if pair[0] != pair[1]]
        if pairs:
            after, unit = [after for _, after in pairs], state.unit_names[row] if row >= 0 else ""
            words = f"{name} of {unit or 'the enterprise'} is set from {_short(pairs[0][0])} to {_short(after[0])}"
            if kind in ("planner", "team"):
                words = f"{name} of {len(pairs)} {kind}{'s' if len(pairs) > 1 else ''} in {unit} is set"
            yield week, {"unit": unit, "value": np.nan if isinstance(after[0], list) else float(np.mean(after)), "words": words}


def _short(value: Any) -> str:
    return "[" + ", ".join(map(_short, value)) + "]" if isinstance(value, list) else f"{value:.4g}"


def _in_words(kind: int, unit: str, value: float) -> str:
    return {
        PILOT_STARTED: f"{unit} starts the pilot, with {value:.0%} of its data clean",
        GATE_PASSED: f"the pilot in {unit} passes its gate with {value:.0%} of its planners on the forecast",
        GATE_FAILED: f"the pilot in {unit} fails its gate with {value:.0%} of its planners on the forecast",
        ONBOARDED: f"{unit} starts onboarding, with {value:.0%} of its data clean",
        WENT_LIVE: f"{unit} goes live with {value:.0%} of its pipelines",
        PRIORITY_SHOCK: f"other priorities take over in {unit}",
        LEADER_LEFT: f"the leader of {unit} leaves",
        DEMAND_SHIFT: f"demand shifts in {unit}",
        REVIEW_FAILED: f"{unit} fails its quarterly review: no leader defends it, and {value:.0%} of the hoped-for success is visible",
        UNIT_RETIRED: f"{unit} gives the forecast up, with sponsorship at {value:.0%}",
        STOPPED: "the initiative is stopped",
        EXECUTIVE_LEFT: f"the executive who sponsors the initiative leaves; the next one's backing is {value:.0%}",
        UNIT_RELAUNCHED: f"{unit} takes the forecast up again, with sponsorship at {value:.0%}",
        RELAUNCHED: f"the initiative is taken up again, with a backing of {value:.0%}",
    }[kind]


def outcome(state: State, weeks: int, p: Parameters) -> dict[str, Any]:
    """The record of a use case after ``weeks`` weeks.

    Weeks to a level are None where it was never reached (censored), as are other undefined
    measures. Money is in EUR, shares are from 0 to 1.

    Raises:
        InvalidInput: where a weekly record is not finite, as after a NaN written into an agent: no class would be true.
    """
    sizes = {"users": len(state.users), "units": len(state.units), "teams": len(state.teams)}
    return record_of(state.weekly[:weeks], state.firm[0], in_production(state, weeks), sizes, p)


def record_of(rows: np.ndarray, firm: Any, produced: np.ndarray, sizes: Mapping[str, int], p: Parameters) -> dict[str, Any]:
    """The record that weekly records come to; ``produced``: weeks in which a unit beyond a pilot was live, [weeks], true or false."""
    weeks = len(rows)
    for name in rows.dtype.names or ():
        finite = np.isfinite(rows[name])
        if not finite.all():
            week = int(np.argmin(finite))
            raise InvalidInput(f"weekly.{name}, week {week}", float(rows[name][week]), "finite numbers: such a run has no outcome")
    cumulative, net = rows["cumulative_net"], rows["net"]
    trough = int(np.argmin(cumulative))
    discounting = (1.0 + p.value.discount) ** (-(rows["week"] + 1) / 52.0)
    weeks_in_production = int(produced.sum())
    begun = min(max(0, int(firm["begun"])), weeks - 1)  # before that nothing asks for support
    effort = sum(float(rows[f"effort_{name}"].sum()) for name in CAPABILITIES)
    record: dict[str, Any] = {
        "weeks": weeks,
        **{name: sizes[name] for name in ("users", "units", "teams")},
        "final_users_using": float(rows["users_using"][-1]),
        "final_reliance": float(rows["reliance"][-1]),
        "final_teams_trust_and_use": float(rows["teams_trust_and_use"][-1]),
        "final_trust": float(rows["trust"][-1]),
        "final_units_live": int(rows["units_live"][-1]),
        "units_retired": int(rows["units_retired"][-1]),
        "gate_week": int(firm["gate_week"]) if firm["gate_week"] >= 0 else None,
        "weeks_to_50": _first(rows["reliance"] >= 0.5),
        "weeks_to_80": _first(rows["reliance"] >= 0.8),
        "net_104": float(cumulative[103]) if weeks >= 104 else None,
        "net": float(cumulative[-1]),
        "net_discounted": float(np.sum(net * discounting)),
        "net_last_year": float(net[-52:].sum()),
        "trough": float(min(0.0, cumulative[trough])),
        "trough_week": trough if cumulative[trough] < 0 else None,
        "payback_week": _payback(cumulative),
        "retrofit_share": float(firm["retrofit"]) / effort if effort > 0 else None,
        "effort": float(sum(rows[f"effort_{name}"].sum() for name in (*CAPABILITIES, "model", "workflow", "support"))),
        "lowest_support_ratio": float(rows["support_ratio"][begun:].min()),
        "weeks_to_production": _first(produced),
        "weeks_in_production": weeks_in_production,
        "survived_three_years": weeks_in_production >= p.outcomes.survival if weeks >= p.outcomes.survival else None,
    }
    record["outcome"], record["reason"] = classify(record, firm, p)
    return record


def classify(record: dict[str, Any], firm: Any, p: Parameters) -> tuple[str, str]:
    """The class of an outcome (see :data:`sim.measures.CLASSES`) and, in words, why."""
    if p.maturity.budget == 0:
        return "never_launched", "no budget: nothing was built and no forecast went live"
    if firm["begun"] < 0:
        return "never_launched", "its turn never came"
    if record["gate_week"] is None:
        if firm["stopped_week"] >= 0:
            return "never_launched", f"the pilot had not passed its gate by week {int(firm['stopped_week'])}"
        return "never_launched", "the pilot was still running at the end"
    if firm["stopped_week"] >= 0:
        return "abandoned", f"the initiative was stopped in week {int(firm['stopped_week'])}"
    if record["final_units_live"] == 0:
        return "abandoned", "every unit had given the forecast up"
    reliance, live = record["final_reliance"], record["final_units_live"] / record["units"]
    said = f"{reliance:.0%} reliance with {record['final_units_live']} of {record['units']} units live at the end"
    if reliance < p.outcomes.purgatory:
        return "pilot_purgatory", said
    if reliance >= p.outcomes.scaled and live >= p.outcomes.scaled_units:
        return "scaled", said
    return "partial_adoption", said


def _first(reached: np.ndarray) -> int | None:
    return int(np.argmax(reached)) if reached.any() else None


def _payback(cumulative: np.ndarray) -> int | None:
    """First week from which on cumulative net value stays positive."""
    below = np.nonzero(cumulative < 0)[0]
    if len(below) == 0:
        return 0 if cumulative[-1] > 0 else None
    return int(below[-1]) + 1 if below[-1] + 1 < len(cumulative) else None


def in_production(state: State, weeks: int) -> np.ndarray:
    """Whether a unit beyond the pilot unit was live, [weeks]."""
    stages = state.unit_weekly["stage"][:weeks]
    return (np.delete(stages, int(state.firm["pilot"][0]), axis=1) == LIVE).any(axis=1)
