"""What a visitor of the live page may move, and how far: few of the model's parameters, with bounds of the page's own."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

from sim.parameters import RECORDS, Parameters
from sim.presets import available, load
from sim.schema import InvalidInput, Record

MOST_STRATEGIES = 4
#: The preset of an organisation that is read from files.
FILES = "from_files"
#: The population of such an organisation: what its files do not give is drawn.
MINE = "mine"
MOST_WEEKS = 520
#: A visitor waits for every one of them: a year of 20,000 planners takes about 0.1 s a strategy.
MOST_PLANNERS = 20_000


@dataclass(frozen=True)
class Lever:
    """A parameter on a slider: its name, what people call it, and the slider's ends and step."""

    name: str
    label: str
    low: float
    high: float
    step: float

    @property
    def record(self) -> Record:
        """Unit, allowed range and source of the parameter."""
        return RECORDS[self.name]

    @property
    def help(self) -> str:
        """Unit, source and note, for people."""
        record = self.record
        return f"{self.name} [{record.unit}]. {record.source.capitalize()}: {record.note}."

    def checked(self, value: Any) -> float:
        """A value in the parameter's own type, inside the slider's ends and the parameter's range."""
        record = self.record
        if record.kind == "count" and isinstance(value, float) and value == round(value, 9):
            value = round(value) if abs(value) < 1e9 and value == round(value) else value
        value = record.check(self.name, value)
        if not self.low <= value <= self.high:
            raise InvalidInput(self.name, value, f"a number from {self.low:g} to {self.high:g} on the page [{record.unit}]")
        return value

    def read(self, parameters: Parameters) -> float:
        """The parameter's value."""
        return operator.attrgetter(self.name)(parameters)


GROUPS: dict[str, tuple[Lever, ...]] = {
    "What management chooses": (
        Lever("maturity.budget", "Central team, per unit", 0, 6, 0.1),
        Lever("strategy.cadence", "Weeks between waves", 1, 26, 1),
        Lever("strategy.readiness_gate", "Readiness to go live", 0, 1, 0.05),
        Lever("strategy.champions", "Champions", 0, 0.3, 0.01),
    ),
    "What it starts from": (
        Lever("enterprise.units", "Business units", 2, 40, 1),
        Lever("maturity.completeness", "Complete data", 0.3, 0.99, 0.01),
        Lever("maturity.lateness", "Late data", 0, 6, 0.1),
        Lever("maturity.fit", "Workflow fit", 0.05, 0.95, 0.01),
    ),
    "People and forecasts": (
        Lever("forecast.best", "Error of a sound model", 0.2, 0.45, 0.005),
        Lever("trust.loss", "Trust lost by an error", 0, 0.5, 0.01),
        Lever("people.turnover", "Planners who leave", 0, 0.6, 0.01),
        Lever("disturbance.priority", "Priority shocks", 0, 3, 0.1),
    ),
}
LEVERS: dict[str, Lever] = {lever.name: lever for group in GROUPS.values() for lever in group}


def enterprises() -> list[str]:
    """Presets that are drawn, not read from files, and small enough for a page."""
    drawn = [name for name in available("enterprise") if load("enterprise", name).get("source", "generated") == "generated"]
    sizes = {name: load("enterprise", name) for name in drawn}
    return [n for n, size in sizes.items() if size.get("units", 12) * size.get("teams", 8) * size.get("users", 8) <= MOST_PLANNERS]


def networks() -> list[str]:
    """Presets that are drawn."""
    return [name for name in available("network") if load("network", name).get("kind") not in ("edges", "graph")]
