"""The state variables: what the enterprise, its units, teams and planners carry, as structured arrays.

One row is one agent. The compiled engine works on these rows; the agents of a compiled model are
windows on them; the textbook engine's agents hold the same fields as ordinary attributes. A variable
with a range is one that lasts, and may be set between weeks; the others the model keeps itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from sim.parameters import BUCKETS, CAPABILITIES
from sim.schema import InvalidInput, Record

# Stages of a unit
WAITING, PILOT, ONBOARDING, LIVE, RETIRED = range(5)
STAGES = ("waiting", "pilot", "onboarding", "live", "retired")
# Choices of a planner in one week
OWN, RELIED, ADJUSTED = range(3)
# Kinds of event
(PILOT_STARTED, GATE_PASSED, GATE_FAILED, ONBOARDED, WENT_LIVE, PRIORITY_SHOCK, LEADER_LEFT,
 DEMAND_SHIFT, REVIEW_FAILED, UNIT_RETIRED, STOPPED, EXECUTIVE_LEFT, UNIT_RELAUNCHED, RELAUNCHED) = range(14)
EVENTS = ("pilot started", "gate passed", "gate failed", "onboarding", "went live", "priority shock",
          "leader left", "demand shift", "review failed", "retired", "stopped", "executive left", "taken up again", "relaunched")
# Positions in BUCKETS and CAPABILITIES
MODEL, WORKFLOW, SUPPORT = 0, len(BUCKETS) - 1, len(BUCKETS)
PIPELINES, INTEGRATION, MONITORING, GOVERNANCE = range(len(CAPABILITIES))
K = len(CAPABILITIES)


@dataclass(frozen=True)
class Variable:
    """What is known about one state variable.

    Attributes:
        type: of its column, as NumPy writes it.
        record: its unit and meaning, and the range that it may be set to.
        size: how many numbers it holds; 0: one alone.
        settable: whether it may be set between weeks; the others are computed every week, counted, or fixed from the start.
        log: the variable that holds its natural logarithm.
    """

    type: str
    record: Record
    size: int = 0
    settable: bool = True
    log: str = ""

    def check(self, key: str, value: Any) -> Any:
        """Return ``value`` in its plain Python type, a list where it holds several, or raise :class:`InvalidInput`."""
        if not self.settable:
            raise InvalidInput(key, value, "nothing: the model keeps it itself")
        if not self.size:
            return self.record.check(key, value)
        values: list[Any] = list(value) if _in_order(value) else []
        if len(values) != self.size:
            raise InvalidInput(key, value, f"{self.size} times {self.record.allowed}, in a list, tuple or array")
        return [self.record.check(f"{key}[{k}]", number) for k, number in enumerate(values)]


def _in_order(value: Any) -> bool:
    """Whether it holds numbers in an order: a list or the like, or an array of one dimension, and no set, mapping, text or table."""
    if isinstance(value, Sequence):
        return not isinstance(value, str | bytes | bytearray | memoryview)
    return hasattr(value, "__array__") and np.ndim(value) == 1


def real(unit: str, note: str, low: float, high: float, size: int = 0, log: str = "") -> Variable:
    """A number of the state that may be set."""
    return Variable("f8", Record("number", unit, low, high, note=note), size, log=log)


def whole(unit: str, note: str, low: int, high: int, kind: str = "i8") -> Variable:
    """A whole number of the state that may be set."""
    return Variable(kind, Record("count", unit, low, high, note=note))


def kept(kind: str, unit: str, note: str, size: int = 0) -> Variable:
    """A variable that the model keeps itself."""
    return Variable(kind, Record("number" if kind == "f8" else "count", unit, note=note), size, settable=False)


class Change(NamedTuple):
    """A parameter changed on the way: the week from which on it acts, its dotted name, its value before and from then on."""

    week: int
    name: str
    before: Any
    after: Any


def columns(variables: Mapping[str, Variable]) -> np.dtype:
    """The structured type of the rows that carry these variables."""
    return np.dtype([(name, v.type, (v.size,)) if v.size else (name, v.type) for name, v in variables.items()], align=True)


USER_VARIABLES = {
    "trust": real("0 to 1", "in the forecast", 0, 1),
    "reliance": real("0 to 1", "habit of planning on it", 0, 1),
    "understanding": real("0 to 1", "knows how to apply the output", 0, 1),
    "own_error": real("WAPE", "error of the planner's own method", 0.001, 100, log="log_own_error"),
    "log_own_error": kept("f8", "", "its natural logarithm"),
    "threshold": real("logits", "what must be overcome to leave the spreadsheet", -200, 200),
    "disposition": kept("f8", "standard normal", "the personal part of the threshold"),
    "experience": kept("f8", "years", "in planning"),
    "choice": kept("i1", "0 own method, 1 relied, 2 adjusted", "this week"),
    "used": whole("0 or 1", "planned on the forecast last week: what peers see", 0, 1, kind="i1"),
    "champion": whole("0 or 1", "recruited to promote it", 0, 1, kind="i1"),
}
USER = columns(USER_VARIABLES)

TEAM_VARIABLES = {
    "fit": real("0 to 1", "of the forecast to the workflow", 0, 1),
    "channel_fit": kept("f8", "0 to 1", "the same, through the channel it comes by"),
    "redesigned": kept("f8", "person-weeks", "spent on the workflow so far"),
    "norm": real("0 to 1", "share of the plan that rests on the forecast, remembered", 0, 1),
    "share": kept("f8", "0 to 1", "the same, this week"),
    "difficulty": real("factor on everybody's error", "how hard the team's products are", 0.001, 1000),
    "defect": real("factor", "the team's data defects, compared with its unit's", 0, 1000),
    "error": kept("f8", "WAPE", "of the forecast this week"),
    "log_error": kept("f8", "", "its natural logarithm"),
    "using": kept("f8", "planners", "who planned on it this week"),
    "saved": kept("f8", "WAPE", "sum over them of own error less error used"),
    "own": kept("f8", "WAPE", "sum over all planners of own error"),
    "learning": kept("f8", "planner-weeks", "lost to learning, before habit.dip"),
    "adjusting": kept("f8", "planners", "who corrected it this week"),
    "champions": kept("f8", "planners", "champions in the team"),
    "aligned": kept("f8", "0 to 1", "share of its gain that the team downstream lets it realise"),
    "load": kept("f8", "", "change load: 1 for other priorities, 1 for a full workload of redesign, of whatever use case"),
    "own_load": kept("f8", "", "change load of this use case's redesign, this week"),
    "elsewhere": kept("f8", "", "change load of the other use cases, last week"),
    "uses": kept("i8", "0 or 1", "the use case concerns the team"),
    "willing": kept("i8", "0 or 1", "to redesign its workflow this week"),
    "downstream": kept("i8", "", "row of the team that plans on its numbers, -1: none"),
    "reconciling": kept("f8", "planner-weeks", "lost to two sets of numbers"),
    "trust": kept("f8", "0 to 1", "mean over planners"),
    "reliance": kept("f8", "0 to 1", "mean over planners"),
    "first": kept("i8", "", "row of its first planner"),
    "last": kept("i8", "", "row after its last planner"),
}
TEAM = columns(TEAM_VARIABLES)

UNIT_VARIABLES = {
    "completeness": real("0 to 1", "inputs that are there at the planning cut-off", 0, 1),
    "lateness": real("weeks", "age of the inputs at the cut-off", 0, 520),
    "mismatch": real("0 to 1", "items whose hierarchy differs from the pilot's", 0, 1),
    "fragmentation": real("extra effort share", "to connect its systems", 0, 1000),
    "variants": real("extra effort share", "to match or change its local ways of planning", 0, 1000),
    "sponsorship": real("0 to 1", "backing by the unit's leader", 0, 1),
    "commitment": real("0 to 1", "the leader's backing while there is nothing to see", 0, 1),
    "stake": real("0 to 1", "how far the leader answers for the rollout: 1 who began it", 0, 1),
    "spend": real("EUR per planner and week", "that is planned", 0, 1e12),
    "readiness": real("0 to 1", "local, per capability", 0, 1, size=K),
    "debt": real("0 to 1", "retrofit debt, per capability", 0, 1, size=K),
    "overrun": real("factor", "how much longer than planned a capability takes here", 0.001, 1000, size=K),
    "freshness": real("0 to 1", "of the unit's forecast, 1: not stale", 0.01, 1),
    "clean": kept("f8", "0 to 1", "cleanliness of the data, after what pipelines relieve"),
    "support": kept("f8", "0 to 1", "support given over support needed"),
    "need": kept("f8", "person-weeks per week", "support needed"),
    "late": kept("f8", "weeks", "lateness after relief"),
    "defects": kept("f8", "extra error share", "from data defects"),
    "channel": kept("f8", "0 to 1", "how well output reaches planners"),
    "success": real("0 to 1", "by the strategy's measure, remembered over some ten weeks", 0, 1),
    "visible": kept("f8", "0 to 1", "success as far as it is seen"),
    "attention": kept("f8", "0 to 1", "share of the leader's backing that other new use cases leave"),
    "own_effort": kept("f8", "person-weeks", "the unit's own, this week"),
    "workflow": kept("f8", "person-weeks per team", "for redesign, this week"),
    "work": kept("f8", "factor", "how much of a planner's week it concerns, compared with demand forecasting"),
    "saved": kept("f8", "WAPE", "error saved this week, summed over planners"),
    "lost": kept("f8", "planner-weeks", "lost this week"),
    "value": kept("f8", "EUR", "of the error saved, this week"),
    "friction": kept("f8", "EUR", "planners' time lost, this week"),
    "running": kept("f8", "EUR", "running cost, this week"),
    "own_cost": kept("f8", "EUR", "of the unit's own effort, this week"),
    "net": kept("f8", "EUR", "cumulative, without central cost"),
    "improvement": kept("f8", "share", "of own error that the forecast would cut, this week"),
    "share": kept("f8", "0 to 1", "planners using it, this week"),
    "adjusting": kept("f8", "0 to 1", "planners who correct it, this week"),
    "willing": kept("i8", "teams", "that would redesign their workflow this week"),
    "stage": whole("", "0 waiting, 1 pilot, 2 onboarding, 3 live, 4 retired", 0, 4),
    "live_week": whole("week", "it went live", -1, 5200),
    "on_time": kept("i8", "0 or 1", "this week's forecast met the cut-off"),
    "passed": kept("i8", "0 or 1", "what a review would say this week"),
    "failed": whole("reviews", "failed in a row", 0, 5200),
    "busy_until": whole("week", "other priorities have the unit until then", 0, 10_000),
    "users": kept("i8", "planners", "in the unit's teams that the use case concerns"),
    "first": kept("i8", "", "row of its first team"),
    "last": kept("i8", "", "row after its last team"),
}
UNIT = columns(UNIT_VARIABLES)

FIRM_VARIABLES = {
    "budget": real("person-weeks per week", "of the central team", 0, 1e9),
    "quality": real("0 to 1", "of the central model, 1: sound", 0.01, 1),
    "core": real("0 to 1", "shared platform core, per capability", 0, 1, size=K),
    "portion": kept("f8", "share of the budget", "that goes to this use case"),
    "spare": kept("f8", "person-weeks", "that use cases begun earlier leave, this week"),
    "capacity": kept("f8", "person-weeks", "of the central team for this use case, this week"),
    "shares": kept("f8", "0 to 1", "of the effort left after support, per purpose", size=len(BUCKETS)),
    "effort": kept("f8", "person-weeks", "this week, per purpose, support last", size=len(BUCKETS) + 1),
    "support_ratio": kept("f8", "0 to 1", "support given over support needed"),
    "need": kept("f8", "person-weeks", "support needed this week"),
    "retrofit": kept("f8", "person-weeks", "platform effort on units that are already live, cumulative"),
    "platform": kept("f8", "person-weeks", "platform effort, cumulative"),
    "sponsorship": real("0 to 1", "backing by the enterprise's executive", 0, 1),
    "commitment": real("0 to 1", "the executive's backing while there is nothing to see", 0, 1),
    "stake": real("0 to 1", "how far the executive answers for the initiative: 1 who began it", 0, 1),
    "visible": kept("f8", "0 to 1", "success seen in the live units"),
    "attention": kept("f8", "0 to 1", "share of the executive's backing that other new use cases leave"),
    "value_seen": real("EUR per week", "value seen, remembered over some ten weeks", -1e12, 1e12),
    "cost_seen": real("EUR per week", "cost, remembered over some ten weeks", 0, 1e12),
    "pilot_improvement": real("share", "error cut in the pilot, remembered over some ten weeks", -10, 1),
    "pilot_use": real("0 to 1", "planners using it in the pilot, remembered over some ten weeks", 0, 1),
    "central_cost": kept("f8", "EUR", "this week"),
    "net": kept("f8", "EUR", "cumulative"),
    "pilot": kept("i8", "", "row of the pilot unit"),
    "active": whole("0 or 1", "the initiative goes on", 0, 1),
    "begun": kept("i8", "week", "the use case began, -1: its turn has not come"),
    "waiting": kept("i8", "use cases", "that wait for this one to make room"),
    "launched": kept("i8", "week", "the initiative was launched, or taken up again"),
    "gate_week": kept("i8", "week", "the pilot passed its gate, -1: not yet"),
    "stopped_week": kept("i8", "week", "the initiative was stopped, -1: not"),
    "next_wave": whole("week", "of the next wave", 0, 10_000),
    "entered": kept("i8", "units", "that have left waiting"),
    "failed": whole("reviews", "failed in a row", 0, 5200),
    "events": kept("i8", "events", "logged so far"),
}
FIRM = columns(FIRM_VARIABLES)

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
    ("sponsorship", "f8"), ("visible", "f8"), ("fit", "f8"), ("load", "f8"),
    *[(f"readiness_{name}", "f8") for name in CAPABILITIES],
    ("own_effort", "f8"), ("value", "f8"), ("friction", "f8"), ("running_cost", "f8"), ("own_cost", "f8"), ("net", "f8"),
], align=True)


#: Variables set between weeks, by week, kind of agent, variable and unit (-1: none): rows, each with the value before and the one set.
Settings = dict[tuple[int, str, str, int], dict[int, tuple[Any, Any]]]


@dataclass
class State:
    """Everything that changes during a run, of one use case, and the network, which does not.

    Attributes:
        firm: one row. units, teams, users: a row per agent, in the order unit, team, planner.
        order: units in wave order, the pilot unit first.
        peers: rows of the peers of planner i are ``peers[peers_first[i]:peers_first[i + 1]]``.
        weekly, unit_weekly: what was recorded, one row per week (and unit).
        events: what happened; ``firm.events`` of the rows are filled.
        changes: parameters that were changed on the way.
        settings: variables set between weeks.
        keys: of the weekly draws (:func:`sim.streams.keys`).
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
    keys: np.ndarray
    notes: list[str]
    events: np.ndarray
    changes: Sequence[Change]
    settings: Settings

    def unit_users(self) -> tuple[np.ndarray, np.ndarray]:
        """Row of each unit's first planner, and the row after its last."""
        return self.teams["first"][self.units["first"]], self.teams["last"][self.units["last"] - 1]

    def read_only(self) -> State:
        """The same arrays as they are and will be, for whoever may not write to them."""
        shown: dict[str, Any] = {name: _for_reading(value) for name, value in vars(self).items()}
        state = object.__new__(ReadOnlyState)
        state.__dict__.update(shown)
        return state

    def log_setting(self, week: int, kind: str, name: str, unit: int, row: int, before: Any, after: Any) -> None:
        """Note that a variable of an agent, or of the enterprise, was set between weeks."""
        rows = self.settings.setdefault((week, kind, name, unit), {})
        rows[row] = (rows[row][0] if row in rows else before, after)


@dataclass
class States:
    """The states of all use cases: arrays [use cases, rows] where a :class:`State` has [rows]. The first carries who the planners are.

    Memory that no use case has begun to write to is not taken from the machine.

    Attributes:
        names: of the use cases.
        turn: their rows in the order in which they begin.
        common, overlap: share of each use case's local readiness that is common, [use cases]; and how much of it another one's covers,
            [use cases, others, capabilities].
        shocks: keys of what happens to the enterprise, whatever the use case (:func:`sim.streams.keys`).
        planners: how many each use case concerns, [use cases].
        left: 1 for planners who left this week, [planners].
        convinced: share of teams that trust and use some use case, [weeks].
        unit_names, team_names, user_names, peers_first, peers, notes, changes: as a state has them.
    """

    names: tuple[str, ...]
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
    planners: np.ndarray
    events: np.ndarray
    unit_names: list[str]
    team_names: list[str] | None
    user_names: list[str] | None
    notes: list[str]
    settings: tuple[Settings, ...]
    changes: Sequence[Change] = ()

    def of(self, u: int) -> State:
        """The state of one use case: the same memory."""
        own = {name: getattr(self, name)[u] for name in STACKED}
        shared = {name: getattr(self, name) for name in ("peers_first", "peers", "unit_names", "team_names", "user_names", "notes", "changes")}
        return State(**own, **shared)

    @property
    def begins(self) -> bool:
        """Whether some use case has yet to begin."""
        return bool((self.firm["begun"] < 0).any())

    @property
    def begun(self) -> list[int]:
        """Rows of the use cases that have begun."""
        return [u for u in range(len(self.names)) if self.firm[u, 0]["begun"] >= 0]

    @property
    def running(self) -> list[int]:
        """Rows whose weeks are run: of the use cases that have begun, and of the first, which carries who the planners are."""
        return sorted({0, *self.begun})

    def room_for_events(self, weeks: int) -> None:
        """Make room for all that can happen in ``weeks``: eight events per unit and week, eight central."""
        wanted = int(self.firm["events"].max()) + weeks * (8 * self.units.shape[1] + 8)
        if wanted > self.events.shape[1]:
            grown = np.zeros((len(self.names), max(wanted, 2 * self.events.shape[1])), EVENT)
            grown[:, : self.events.shape[1]] = self.events
            self.events = grown


#: What each use case has of its own.
STACKED = ("firm", "units", "teams", "users", "order", "keys", "weekly", "unit_weekly", "events", "settings")


class ReadOnlyState(State):
    """A state that is looked at."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise InvalidInput(f"model.state.{name}", value, "nothing: the state is read; variables are set on model.firm and the agents")


def _for_reading(value: Any) -> Any:
    """The same content, which nobody can write to: an array over memory that is given for reading only, a list of one's own, a view of a mapping."""
    if isinstance(value, np.ndarray):
        memory = memoryview(value.reshape(-1).view(np.uint8)).toreadonly()
        return np.frombuffer(memory, value.dtype).reshape(value.shape) if len(memory) else value.copy()
    return list(value) if isinstance(value, list) else MappingProxyType(value) if isinstance(value, dict) else value


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
