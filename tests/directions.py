"""What the rows of ``test_parameters.py`` are made of: contexts that let a parameter act, and measures of a finished run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx
import numpy as np
from conftest import ALL_LIVE

from sim import RolloutModel
from sim.parameters import PHASES
from sim.state import LIVE, PILOT_STARTED
from sim.strategy import phase_of

# --------------------------------------------------------------------------- contexts: what lets a parameter act

#: The gate opens at once and one unit follows the pilot; the others wait for ever.
FEW_LIVE = {**ALL_LIVE, "strategy.wave": 1e-6, "strategy.cadence": 5200}
#: The pilot never ends.
PILOT_ONLY = {"strategy.gate_weeks": 5200, "strategy.gate_deadline": 5200}
#: The forecast beats every spreadsheet clearly, or loses to it clearly.
GOOD, BAD = {"forecast.best": 0.1}, {"forecast.best": 1.0}
#: Everybody plans on every forecast that arrives, or nobody does: nothing feeds back through use.
ALWAYS, NEVER = {"utility.threshold": -20}, {"utility.threshold": 20}
#: Nothing happens from outside, and no model ages.
QUIET = {"disturbance.priority": 0, "disturbance.leader": 0, "disturbance.shift": 0, "forecast.drift": 0}
#: The platform stands everywhere.
READY = {"maturity.readiness": 1, "maturity.core": 1}
#: No review passes: a live unit is retired after its third.
FAILING = {
    **ALL_LIVE, **QUIET, "review.passing": 1, "review.floor": 1, "review.grace": 0, "strategy.unit_reviews": 3, "strategy.initiative_floor": 0,
}  # fmt: skip
#: The class of an outcome hangs on its thresholds alone.
CLASSED = {**FEW_LIVE, "outcomes.purgatory": 0, "outcomes.scaled": 0, "outcomes.scaled_units": 0}

#: Two use cases side by side, and two of which one follows the other; a single unit, which pilots both.
SEVERAL = {
    "usecases": ["demand", "promotion"], "strategy.portfolio.at_once": 2, "strategy.portfolio.order": "listed", "strategy.portfolio.start": "gate",
    "strategy.portfolio.platform": "shared",
}  # fmt: skip
PAIR = {**SEVERAL, "strategy.portfolio.start": "place"}
NEXT = {**SEVERAL, **READY, "enterprise.units": 1, "strategy.gate_weeks": 30, "strategy.gate_improvement": -1,
        "strategy.gate_reliance": 0}  # fmt: skip
#: Two of which one waits for the other, which is never rolled out and fails its reviews.
WAITS = {**SEVERAL, **FEW_LIVE, **QUIET, "review.grace": 0, "strategy.initiative_floor": 1,
         "strategy.initiative_reviews": 6, "strategy.portfolio.at_once": 1}  # fmt: skip

# --------------------------------------------------------------------------- measures

Measure = Callable[[RolloutModel], float]


def mean(*names: str) -> Measure:
    """Mean over the weeks of a weekly record, or of the sum of several."""
    return lambda m: float(sum(m.state.weekly[name].mean() for name in names))


def unit_mean(name: str) -> Measure:
    """Mean over units and weeks of a weekly record of the units."""
    return lambda m: float(m.state.unit_weekly[name].mean())


def final(table: str, column: str) -> Measure:
    """Mean of an attribute over agents at the end."""
    return lambda m: float(m.columns()[table][column].mean())


def spread(table: str, column: str) -> Measure:
    """Standard deviation of an attribute between agents at the end."""
    return lambda m: float(m.columns()[table][column].std())


def number(table: str) -> Measure:
    """How many agents there are."""
    return lambda m: len(m.columns()[table])


def outcome(name: str, never: float = math.nan) -> Measure:
    """A measure of the finished run; ``never`` stands for None."""
    return lambda m: never if m.outcome[name] is None else float(m.outcome[name])


def classed(name: str) -> Measure:
    """1 if the run ends in this class."""
    return lambda m: float(m.outcome["outcome"] == name)


def gate_week(m: RolloutModel) -> float:
    """Week of the gate; the horizon where it never opens."""
    return outcome("gate_week", never=m.week)(m)


def stop_week(m: RolloutModel) -> float:
    """Week of the stop; the horizon where the initiative goes on."""
    stopped = int(m.state.firm["stopped_week"][0])
    return stopped if stopped >= 0 else m.week


def degree(m: RolloutModel) -> float:
    return len(m.state.peers) / len(m.state.users)


def largest_degree(m: RolloutModel) -> float:
    return float(np.diff(m.state.peers_first).max())


def ties_between_units(m: RolloutModel) -> float:
    """Share of the ties that join two units."""
    users = m.state.teams["last"] - m.state.teams["first"]
    unit_of_team = np.repeat(np.arange(len(m.state.units)), m.state.units["last"] - m.state.units["first"])
    unit = np.repeat(unit_of_team, users)
    return float((np.repeat(unit, np.diff(m.state.peers_first)) != unit[m.state.peers]).mean())


def on_time(m: RolloutModel) -> float:
    """Share of the weeks of live units in which the forecast arrived."""
    rows = m.state.unit_weekly
    return float(rows["on_time"][rows["stage"] == LIVE].mean())


def pilot_clean(m: RolloutModel) -> float:
    """Cleanliness of the pilot's data, as the log tells it."""
    (value,) = m.state.events["value"][m.state.events["kind"] == PILOT_STARTED][:1]
    return float(value)


def next_clean(m: RolloutModel) -> float:
    """Cleanliness of the data of the first unit after the pilot."""
    return float(m.state.unit_weekly["clean"][0, m.state.order[1]])


def moved_shares(m: RolloutModel) -> float:
    """How far the shares of effort are from what the strategy says for the phase."""
    p = m.parameters.strategy.effort
    said = dataclasses.astuple(getattr(p, PHASES[phase_of(m.state.firm.view(np.recarray)[0], m.state.units.view(np.recarray))]))
    return float(np.abs(m.state.firm["shares"][0] - said).sum())


def champions_together(m: RolloutModel) -> float:
    """Spread between teams of the number of champions."""
    return float(np.add.reduceat(m.state.users["champion"].astype(float), m.state.teams["first"]).std())


def promotion(name: str) -> Measure:
    """Mean over the weeks of a weekly record of the second use case."""
    return lambda m: float(m.use_cases["promotion"].weekly[name].mean())


def first_value(m: RolloutModel) -> float:
    """What the use case is worth that begins first."""
    return m.parameters.usecases[int(np.argmax(m._states.firm["begun"]))].value


def spread_of_use_cases(m: RolloutModel) -> float:
    """How far planners' mean error in the first use case and in the second lie apart, in logs."""
    return float(np.ptp(np.log(m._states.users["own_error"]).mean(axis=1)))


def use_by_experience(m: RolloutModel) -> float:
    """Covariance of experience and reliance."""
    return float(np.cov(m.state.users["experience"], m.state.users["reliance"])[0, 1])


# --------------------------------------------------------------------------- rows


@dataclasses.dataclass(frozen=True)
class Row:
    """From ``low`` to ``high`` the measure moves in the direction of ``sign``, because ``why``."""

    name: str
    low: Any
    high: Any
    measure: Measure
    sign: int
    why: str
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weeks: int = 52


UP, DOWN = +1, -1
#: A network of which ten people have no unit.
PARTLY = nx.path_graph(40)
nx.set_node_attributes(PARTLY, {i: "ab"[i % 2] for i in range(30)}, "unit")
STARTS: dict[str, Any] = {"weeks": 1}  # rows on the state the enterprise starts from
