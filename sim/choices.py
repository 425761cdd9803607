"""What management chooses: the strategy, as a record like the parameters (:mod:`sim.parameters`). A file in ``configs/strategy`` is one."""

from __future__ import annotations

import math
from dataclasses import astuple, field
from typing import ClassVar

from sim.names import named
from sim.schema import InvalidInput, choice, count, group, names, number, text

CAPABILITIES = ("pipelines", "integration", "monitoring", "governance")
BUCKETS = ("model", *CAPABILITIES, "workflow")
PHASES = ("pilot", "rollout", "run")


@group
class Shares:
    """Shares of the effort left after support. They add up to 1."""

    def validate(self, prefix: str) -> None:
        """Refuse shares of another sum."""
        total = math.fsum(astuple(self))
        if abs(total - 1) > 1e-9:
            raise InvalidInput(prefix.rstrip("."), round(total, 12), f"shares that add up to 1, all that change given together: {', '.join(BUCKETS)}")

    model: float = number(0.0, "share", 0, 1, "judged", "model quality and retraining")
    pipelines: float = number(0.0, "share", 0, 1, "judged", "inputs")
    integration: float = number(0.0, "share", 0, 1, "judged", "output inside the planning system")
    monitoring: float = number(0.0, "share", 0, 1, "judged", "outcomes seen")
    governance: float = number(0.0, "share", 0, 1, "judged", "accountability and explanation")
    workflow: float = number(0.0, "share", 0, 1, "judged", "redesign of the teams' planning")


def _even() -> Shares:
    return Shares(*([0.2] + [0.16] * 5))


@group
class Effort:
    """Shares by phase of the initiative."""

    matrix: ClassVar = True

    pilot: Shares = field(default_factory=_even)
    rollout: Shares = field(default_factory=_even)
    run: Shares = field(default_factory=_even)


@group
class Portfolio:
    """How several use cases are taken on. With one, none of this acts."""

    most: int = count(6, "use cases", 1, 6, "judged", "of the portfolio that are begun at most, the first in their order")
    at_once: int = count(2, "use cases", 1, 6, "judged", "that are rolled out at the same time at most")
    order: str = choice("listed", ("listed", "value", "feasibility", "value_feasibility", "sponsor", "random"),
        "which use case comes first: as listed, then as the portfolio names them; by what it is worth, by how good its model is for what it "
        "needs, by the product of both, by its loudest sponsor, or at random")
    listed: tuple[str, ...] = names("use cases that come first, in their order (order: listed)")
    start: str = choice("gate", ("place", "gate", "rolled_out"),
        "when the next use case starts: as soon as there is a place, once those before have passed their gate, or once they are rolled out")
    platform: str = choice("shared", ("isolated", "shared"),
        "whether each use case builds its own pipes, or finds what others have built of the platform")
    stop: str = choice("nobody", ("nobody", "failing"),
        "who makes room for use cases that wait: nobody, or whoever fails a single review")


@group
class Strategy:
    """What management chooses. A strategy is a YAML file in ``configs/strategy``; a new file is a new strategy."""

    def validate(self, prefix: str) -> None:
        """Refuse choices that do not go together, and a name that cannot be shown."""
        if self.name:
            named(prefix + "name", self.name)
        if self.pilot == "named" and not self.pilot_unit:
            raise InvalidInput(prefix + "pilot_unit", "", "the name of a unit, because pilot is «named»")
        if self.order == "listed" and not self.listed:
            raise InvalidInput(prefix + "listed", [], "unit names in wave order, because order is «listed»")
        if self.gate_deadline < self.gate_weeks:
            raise InvalidInput(prefix + "gate_deadline", self.gate_deadline, f"at least gate_weeks, {self.gate_weeks}")

    name: str = text("balanced", "name of the strategy, from its file")
    description: str = text("", "one sentence for people")
    pilot: str = choice("cleanest", ("cleanest", "representative", "random", "named"), "which unit pilots")
    pilot_unit: str = text("", "name of the pilot unit (pilot: named)")
    gate_weeks: int = count(26, "weeks", 0, 5200, "judged", "the pilot lasts at least this long")
    gate_deadline: int = count(104, "weeks", 1, 5200, "judged", "a pilot that has not passed by then ends the initiative")
    gate_improvement: float = number(0.03, "error cut, share of the planner's error", -1, 1, "judged",
        "the pilot's forecast must be this much better")
    gate_reliance: float = number(0.35, "share of the pilot's planners", 0, 1, "judged", "and used by this many")
    allocation: str = choice("fixed", ("fixed", "adaptive", "random"),
        "shares as given, moved each quarter to the binding constraint, or drawn each quarter")
    effort: Effort = field(default_factory=Effort)
    core_first: float = number(0.5, "share of a capability's effort", 0, 1, "judged", "goes to the shared core until that stands")
    order: str = choice("readiness", ("readiness", "size", "network", "random", "listed"), "which units come first")
    listed: tuple[str, ...] = names("units in wave order (order: listed)")
    cadence: int = count(8, "weeks", 1, 5200, "judged", "between waves")
    wave: float = number(0.17, "share of units", 0.000001, 1, "judged", "that start onboarding in a wave; at least one unit")
    readiness_gate: float = number(0.0, "readiness", 0, 1, "judged",
        "pipelines and integration a unit needs to go live; 0: goes live at once")
    approval: float = number(0.0, "governance", 0, 1, "judged",
        "that a unit needs to go live: who answers for it, how it is explained; 0: nobody asks")
    measure: str = choice("value", ("accuracy", "use", "value"),
        "what reviews and leaders look at: the error the forecast would cut, who uses it, or the error it did cut")
    ownership: str = choice("shared", ("technical", "shared", "business"), "who answers for the result")
    override: str = choice("free", ("forbidden", "justified", "free"), "may planners adjust the forecast?")
    champions: float = number(0.0, "share of planners", 0, 1, "judged", "recruited before the start")
    placement: str = choice("random", ("random", "central", "clustered", "between"), "where champions sit")
    unit_reviews: int = count(3, "failed reviews in a row", 1, 1000, "judged", "retire a unit")
    initiative_reviews: int = count(4, "failed reviews in a row", 1, 1000, "judged", "stop the initiative")
    initiative_floor: float = number(0.15, "backing by the enterprise's executive, 0 to 1", 0, 1, "judged",
        "an executive with more than this defends the initiative at its review, as leaders do their unit")
    portfolio: Portfolio = field(default_factory=Portfolio)
