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
    ("trust", "f8"),  # 0 to 1; in the forecast
    ("reliance", "f8"),  # 0 to 1; habit of planning on it
    ("understanding", "f8"),  # 0 to 1; knows how to apply the output
    ("own_error", "f8"),  # WAPE; error of the planner's own method
    ("log_own_error", "f8"),  # its natural logarithm
    ("threshold", "f8"),  # logits; what must be overcome to leave the spreadsheet
    ("disposition", "f8"),  # standard normal; the personal part of the threshold
    ("experience", "f8"),  # years; in planning
    ("choice", "u1"),  # 0 own method, 1 relied, 2 adjusted; this week
    ("used", "u1"),  # 0 or 1; planned on the forecast last week: what peers see
    ("champion", "u1"),  # 0 or 1; recruited to promote it
], align=True)

TEAM = np.dtype([
    ("fit", "f8"),  # 0 to 1; of the forecast to the workflow
    ("channel_fit", "f8"),  # 0 to 1; the same, through the channel it comes by
    ("redesigned", "f8"),  # person-weeks; spent on the workflow so far
    ("norm", "f8"),  # 0 to 1; share of the plan that rests on the forecast, remembered
    ("share", "f8"),  # 0 to 1; the same, this week
    ("difficulty", "f8"),  # factor on everybody's error; how hard the team's products are
    ("defect", "f8"),  # factor; the team's data defects, compared with its unit's
    ("error", "f8"),  # WAPE; of the forecast this week
    ("log_error", "f8"),  # its natural logarithm
    ("noise", "f8"),  # sd of the log ratio of the two errors that planners see
    ("using", "f8"),  # planners; who planned on it this week
    ("saved", "f8"),  # WAPE; sum over them of own error less error used
    ("own", "f8"),  # WAPE; sum over all planners of own error
    ("learning", "f8"),  # planner-weeks; lost to learning, before habit.dip
    ("champions", "f8"),  # planners; champions in the team
    ("reconciling", "f8"),  # planner-weeks; lost to two sets of numbers
    ("trust", "f8"),  # 0 to 1; mean over planners
    ("reliance", "f8"),  # 0 to 1; mean over planners
    ("first", "i8"),  # row of its first planner
    ("last", "i8"),  # row after its last planner
], align=True)

UNIT = np.dtype([
    ("completeness", "f8"),  # 0 to 1; inputs that are there at the planning cut-off
    ("lateness", "f8"),  # weeks; age of the inputs at the cut-off
    ("mismatch", "f8"),  # 0 to 1; items whose hierarchy differs from the pilot's
    ("fragmentation", "f8"),  # extra effort share; to connect its systems
    ("sponsorship", "f8"),  # 0 to 1; backing by the unit's leader
    ("spend", "f8"),  # EUR per planner and week; that is planned
    ("readiness", "f8", (K,)),  # 0 to 1; local, per capability
    ("debt", "f8", (K,)),  # 0 to 1; retrofit debt, per capability
    ("overrun", "f8", (K,)),  # factor; how much longer than planned a capability takes here
    ("crew", "f8", (K,)),  # person-weeks; that can still usefully work on a capability this week
    ("freshness", "f8"),  # 0 to 1; of the unit's forecast, 1: not stale
    ("clean", "f8"),  # 0 to 1; cleanliness of the data, after what pipelines relieve
    ("support", "f8"),  # 0 to 1; support given over support needed
    ("need", "f8"),  # person-weeks per week; support needed
    ("late", "f8"),  # weeks; lateness after relief
    ("defects", "f8"),  # extra error share; from data defects
    ("channel", "f8"),  # 0 to 1; how well output reaches planners
    ("visible", "f8"),  # 0 to 1; visible success, remembered
    ("own_effort", "f8"),  # person-weeks; the unit's own, this week
    ("workflow", "f8"),  # person-weeks per team; for redesign, this week
    ("saved", "f8"),  # WAPE; error saved this week, summed over planners
    ("lost", "f8"),  # planner-weeks; lost this week
    ("value", "f8"),  # EUR; of the error saved, this week
    ("friction", "f8"),  # EUR; planners' time lost, this week
    ("running", "f8"),  # EUR; running cost, this week
    ("own_cost", "f8"),  # EUR; of the unit's own effort, this week
    ("net", "f8"),  # EUR; cumulative, without central cost
    ("improvement", "f8"),  # share; of own error that the forecast would cut, this week
    ("share", "f8"),  # 0 to 1; planners using it, this week
    ("quarter_saved", "f8"),  # WAPE; error saved since the last review
    ("quarter_own", "f8"),  # WAPE; own error since the last review
    ("stage", "i8"),  # 0 waiting, 1 pilot, 2 onboarding, 3 live, 4 retired
    ("live_week", "i8"),  # week; it went live
    ("on_time", "i8"),  # 0 or 1; this week's forecast met the cut-off
    ("passed", "i8"),  # 0 or 1; what a review would say this week
    ("failed", "i8"),  # reviews; failed in a row
    ("busy_until", "i8"),  # week; other priorities have the unit until then
    ("users", "i8"),  # planners; in the unit
    ("first", "i8"),  # row of its first team
    ("last", "i8"),  # row after its last team
], align=True)

FIRM = np.dtype([
    ("budget", "f8"),  # person-weeks per week; of the central team
    ("quality", "f8"),  # 0 to 1; of the central model, 1: sound
    ("core", "f8", (K,)),  # 0 to 1; shared platform core, per capability
    ("shares", "f8", (len(BUCKETS),)),  # 0 to 1; of the effort left after support, per purpose
    ("effort", "f8", (len(BUCKETS) + 1,)),  # person-weeks; this week, per purpose, support last
    ("support_ratio", "f8"),  # 0 to 1; support given over support needed
    ("need", "f8"),  # person-weeks; support needed this week
    ("retrofit", "f8"),  # person-weeks; platform effort on units that are already live, cumulative
    ("platform", "f8"),  # person-weeks; platform effort, cumulative
    ("pilot_improvement", "f8"),  # share; error cut in the pilot, remembered over some ten weeks
    ("pilot_use", "f8"),  # 0 to 1; planners using it in the pilot, remembered over some ten weeks
    ("central_cost", "f8"),  # EUR; this week
    ("net", "f8"),  # EUR; cumulative
    ("pilot", "i8"),  # row of the pilot unit
    ("active", "i8"),  # 0 or 1; the initiative goes on
    ("gate_week", "i8"),  # week; the pilot passed its gate, -1: not yet
    ("stopped_week", "i8"),  # week; the initiative was stopped, -1: not
    ("next_wave", "i8"),  # week; of the next wave
    ("entered", "i8"),  # units; that have left waiting
    ("failed", "i8"),  # reviews; failed in a row
    ("events", "i8"),  # events; logged so far
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


def unit_means(state: State, column: str) -> np.ndarray:
    """Mean of a column over the planners of each unit."""
    starts = state.teams["first"][state.units["first"]]
    return np.add.reduceat(state.users[column], starts) / state.units["users"]


def team_means(state: State, column: str) -> np.ndarray:
    """Mean of a column over the planners of each team."""
    return np.add.reduceat(state.users[column], state.teams["first"]) / (state.teams["last"] - state.teams["first"])


@dataclass(frozen=True)
class Sizes:
    """How large an enterprise is: all that a map of it needs.

    Attributes:
        names: of the units.
        teams: teams of each unit.
        people: planners of each team, unit by unit.
    """

    names: tuple[str, ...]
    teams: tuple[int, ...]
    people: tuple[int, ...]

    @classmethod
    def of(cls, state: State) -> Sizes:
        """The sizes of a model's enterprise."""
        teams, people = state.units["last"] - state.units["first"], state.teams["last"] - state.teams["first"]
        return cls(tuple(state.unit_names), tuple(teams.tolist()), tuple(people.tolist()))


def ties_inside(state: State, unit: int) -> np.ndarray:
    """Ties between planners of a unit, each once: planners counted from the unit's first, [ties, 2]."""
    teams = state.units[unit]
    first, stop = int(state.teams["first"][teams["first"]]), int(state.teams["last"][teams["last"] - 1])
    start, end = int(state.peers_first[first]), int(state.peers_first[stop])
    source = np.repeat(np.arange(first, stop), np.diff(state.peers_first[first : stop + 1]))
    target = np.asarray(state.peers[start:end])
    keep = (target > source) & (target < stop)
    return np.stack([source[keep] - first, target[keep] - first], axis=1)
