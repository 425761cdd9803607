"""The columns: what the enterprise, its units, teams and planners carry, as structured arrays.

One row is one agent. The compiled engine works on these rows; the agents of a compiled model are
windows on them; the textbook engine's agents hold the same fields as ordinary attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.parameters import BUCKETS, CAPABILITIES

if TYPE_CHECKING:
    from sim.streams import Draws

# Stages of a unit
WAITING, PILOT, ONBOARDING, LIVE, RETIRED = range(5)
STAGES = ("waiting", "pilot", "onboarding", "live", "retired")
# Choices of a planner in one week
OWN, RELIED, ADJUSTED = range(3)
# Kinds of event
(PILOT_STARTED, GATE_PASSED, GATE_FAILED, ONBOARDED, WENT_LIVE, PRIORITY_SHOCK, LEADER_LEFT,
 DEMAND_SHIFT, SUDDEN_DRIFT, REVIEW_FAILED, UNIT_RETIRED, STOPPED) = range(12)
EVENTS = ("pilot started", "gate passed", "gate failed", "onboarding", "went live", "priority shock",
          "leader left", "demand shift", "sudden drift", "review failed", "retired", "stopped")
# Positions in BUCKETS and CAPABILITIES
MODEL, WORKFLOW, SUPPORT = 0, len(BUCKETS) - 1, len(BUCKETS)
PIPELINES, INTEGRATION, MONITORING, GOVERNANCE = range(len(CAPABILITIES))
K = len(CAPABILITIES)

USER = np.dtype([
    ("trust", "f8"),  # 0 to 1
    ("reliance", "f8"),  # habit, 0 to 1
    ("understanding", "f8"),  # 0 to 1
    ("skill", "f8"),  # WAPE of the planner's own method
    ("log_skill", "f8"),
    ("threshold", "f8"),  # logits
    ("disposition", "f8"),  # the personal part of it
    ("experience", "f8"),  # years
    ("choice", "u1"),  # OWN, RELIED or ADJUSTED this week
    ("used", "u1"),  # planned on the forecast last week: what peers see
    ("champion", "u1"),
], align=True)

TEAM = np.dtype([
    ("fit", "f8"),  # of the forecast to the workflow, 0 to 1
    ("channel_fit", "f8"),  # the same, through the channel it comes by
    ("redesigned", "f8"),  # person-weeks spent on it
    ("norm", "f8"),  # share of the plan that rests on the forecast, remembered
    ("share", "f8"),  # the same, this week
    ("category", "f8"),  # factor on everybody's error: how hard the team's products are
    ("defect", "f8"),  # factor on the unit's data defects
    ("error", "f8"),  # WAPE of the forecast this week
    ("log_error", "f8"),
    ("noise", "f8"),  # sd of the log ratio of the two errors its planners see
    ("using", "f8"),  # planners who planned on it this week
    ("saved", "f8"),  # sum over them of own error - error used
    ("own", "f8"),  # sum over all of own error
    ("learning", "f8"),  # planner-weeks lost to learning
    ("champions", "f8"),  # champions in the team
    ("reconciling", "f8"),  # planner-weeks lost to two sets of numbers
    ("trust", "f8"),  # mean over planners
    ("reliance", "f8"),  # mean over planners
    ("first", "i8"), ("last", "i8"),  # rows of its planners
], align=True)

UNIT = np.dtype([
    ("completeness", "f8"), ("lateness", "f8"), ("mismatch", "f8"),  # data: share, weeks, share
    ("fragmentation", "f8"),  # extra effort share
    ("sponsorship", "f8"), ("spend", "f8"),  # 0 to 1; EUR per planner-week
    ("readiness", "f8", (K,)), ("debt", "f8", (K,)), ("tail", "f8", (K,)),
    ("crew", "f8", (K,)),  # person-weeks that can still usefully work on it this week
    ("freshness", "f8"), ("clean", "f8"), ("support", "f8"), ("need", "f8"),
    ("late", "f8"), ("defects", "f8"), ("channel", "f8"),  # weeks late after relief; error share from defects; 0 to 1
    ("visible", "f8"),  # visible success, 0 to 1, remembered
    ("own_effort", "f8"), ("workflow", "f8"),  # person-weeks this week: the unit's own; per team, for redesign
    ("saved", "f8"), ("lost", "f8"),  # error saved [WAPE, summed over planners]; planner-weeks lost
    ("value", "f8"), ("friction", "f8"), ("running", "f8"), ("own_cost", "f8"),  # EUR this week
    ("net", "f8"),  # EUR, cumulative
    ("improvement", "f8"), ("share", "f8"),  # error cut offered; planners using, this week
    ("quarter_saved", "f8"), ("quarter_own", "f8"),  # since the last review
    ("stage", "i8"), ("live_week", "i8"), ("on_time", "i8"), ("passed", "i8"), ("failed", "i8"),
    ("busy_until", "i8"), ("users", "i8"), ("first", "i8"), ("last", "i8"),  # planners; rows of its teams
], align=True)

FIRM = np.dtype([
    ("budget", "f8"), ("quality", "f8"), ("core", "f8", (K,)),
    ("shares", "f8", (len(BUCKETS),)),  # of the effort left after support
    ("effort", "f8", (len(BUCKETS) + 1,)),  # person-weeks this week; the last is support
    ("support_ratio", "f8"), ("need", "f8"), ("retrofit", "f8"), ("platform", "f8"),  # the last two: person-weeks, cumulative
    ("pilot_improvement", "f8"), ("pilot_use", "f8"),  # remembered over some ten weeks
    ("central_cost", "f8"), ("net", "f8"),  # EUR this week; cumulative
    ("pilot", "i8"), ("active", "i8"), ("gate_week", "i8"), ("stopped_week", "i8"),
    ("next_wave", "i8"), ("entered", "i8"), ("failed", "i8"), ("events", "i8"),
], align=True)

EVENT = np.dtype([("week", "i8"), ("kind", "i8"), ("unit", "i8"), ("value", "f8")], align=True)

WEEK = np.dtype([
    ("week", "i8"), ("users_using", "f8"), ("reliance", "f8"), ("trust", "f8"), ("teams_trust_and_use", "f8"),
    ("units_live", "i8"), ("units_retired", "i8"), ("improvement", "f8"), ("quality", "f8"), ("freshness", "f8"),
    ("sponsorship", "f8"), ("support_ratio", "f8"),
    *[(f"effort_{name}", "f8") for name in (*BUCKETS, "support")],
    *[(f"readiness_{name}", "f8") for name in CAPABILITIES],
    *[(f"core_{name}", "f8") for name in CAPABILITIES],
    ("own_effort", "f8"), ("value", "f8"), ("friction", "f8"), ("running_cost", "f8"), ("own_cost", "f8"),
    ("central_cost", "f8"), ("net", "f8"), ("cumulative_net", "f8"),
], align=True)

UNIT_WEEK = np.dtype([
    ("week", "i8"), ("unit", "i8"), ("stage", "i8"), ("on_time", "i8"), ("users_using", "f8"), ("reliance", "f8"),
    ("trust", "f8"), ("improvement", "f8"), ("freshness", "f8"), ("clean", "f8"), ("support", "f8"),
    ("sponsorship", "f8"), ("visible", "f8"), ("fit", "f8"),
    *[(f"readiness_{name}", "f8") for name in CAPABILITIES],
    ("own_effort", "f8"), ("value", "f8"), ("friction", "f8"), ("running_cost", "f8"), ("own_cost", "f8"), ("net", "f8"),
], align=True)


@dataclass
class State:
    """Everything that changes during a run, and the network, which does not.

    Attributes:
        firm: one row. units, teams, users: a row per agent, in the order unit, team, planner.
        order: units in wave order, the pilot unit first.
        peers: rows of the peers of planner i are ``peers[peers_first[i]:peers_first[i + 1]]``.
        weekly, unit_weekly: what was recorded, one row per week (and unit).
        events: what happened; ``firm.events`` of the rows are filled.
    """

    firm: np.ndarray
    units: np.ndarray
    teams: np.ndarray
    users: np.ndarray
    order: np.ndarray
    peers_first: np.ndarray
    peers: np.ndarray
    unit_names: list[str]
    team_names: list[str] | None
    user_names: list[str] | None
    weekly: np.ndarray
    unit_weekly: np.ndarray
    draws: Draws
    notes: list[str] = field(default_factory=list)
    events: np.ndarray = field(default_factory=lambda: np.zeros(64, EVENT))

    def room_for_events(self, used: int, weeks: int) -> None:
        """Make room for all that can happen in ``weeks``: seven events per unit and week, three central."""
        wanted = used + weeks * (7 * len(self.units) + 3)
        if wanted > len(self.events):
            grown = np.zeros(max(wanted, 2 * len(self.events)), EVENT)
            grown[: len(self.events)] = self.events
            self.events = grown
