"""Parameters that are changed on the way: which may be, checked before they act, and what is written down of it; and what stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sim.configuration import vary
from sim.parameters import RECORDS, Parameters
from sim.schema import InvalidInput, nearest
from sim.state import Change

#: What stands once a model is made, and what to do instead of setting it.
STANDING = {
    "week": "a new model with the same rng, which starts in week 0",
    "engine": "a new model with the other engine",
    "seed_used": "a new model with another rng",
    **dict.fromkeys(("parameters", "p"), "model.change({name: value}), which acts from the next week on"),
    **dict.fromkeys(("state", "firm", "agents", "agents_by_type"), "variables of model.firm or of the agents, set one by one"),
    **dict.fromkeys(("weekly", "units", "events", "outcome"), "nothing: it is what happened so far, read from the records"),
    "agent_types": "agent_classes in a subclass of the model",
    "network": "a new model with network=...",
}
#: Read before the first week and never again: parameters, and whole groups with a dot at the end; with what acts instead.
WEEK_0 = {
    "weeks": "",
    "enterprise.": "",
    "network.": "",
    "maturity.": "variables of the agents",
    "maturity.budget": "model.firm.budget",
    "maturity.core": "model.firm.core",
    "usecases": "",
    "usecases.": "",
    "strategy.portfolio.order": "",
    "strategy.portfolio.listed": "",
    "strategy.name": "",
    "strategy.description": "",
    "strategy.pilot": "",
    "strategy.pilot_unit": "",
    "strategy.order": "",
    "strategy.listed": "",
    "strategy.champions": "champion and trust of planners",
    "strategy.placement": "champion and trust of planners",
    "forecast.planner": "own_error of planners",
    "forecast.planner_spread": "own_error of planners",
    "forecast.usecase_spread": "own_error of planners",
    "forecast.difficulty_spread": "difficulty of teams",
    "forecast.start": "model.firm.quality",
    "platform.overrun_spread": "overrun of units",
    "platform.swan": "overrun of units",
    "platform.swan_size": "overrun of units",
    "people.champion_trust": "trust of planners",
    "people.champion_threshold": "threshold of planners",
}
#: Of their groups, read in every week all the same: the backing that a new leader brings.
EVERY_WEEK = ("maturity.sponsorship",)
#: Read at the end, for all weeks at once.
AT_THE_END = ("value.discount", "outcomes.purgatory", "outcomes.scaled", "outcomes.scaled_units", "outcomes.survival")


def why_not(name: str) -> str:
    """Why a parameter cannot change on the way, as what is expected instead; empty where it can."""
    if name in AT_THE_END:
        return "no change on the way: it is applied to the whole run at its end, so a new model takes it"
    found = WEEK_0.get(name, WEEK_0.get(name.split(".")[0] + "."))
    if found is None or name in EVERY_WEEK:
        return ""
    return "no change on the way: it is read in week 0 only, so a new model takes it" + (f"; between weeks, set {found}" if found else "")


def _unknown(name: Any) -> str:
    """What may be changed instead of something that is no parameter: of a group, what is in it."""
    free = [known for known in RECORDS if not why_not(known)]
    inside = [known for known in RECORDS if known.startswith(f"{name}.")]
    if not inside:
        return nearest(name, free)
    inside = [known for known in inside if known in free]
    if not inside:
        return "no change on the way: all that is in it is read in week 0 only"
    return f"what is in it, one by one: {', '.join(inside[:6])}{' and so on' if len(inside) > 6 else ''}"


def changed(parameters: Parameters, changes: Any) -> Parameters:
    """Checked parameters with other values for some dotted names, all of which may change on the way.

    Raises:
        InvalidInput: naming the first that may not, or what :func:`sim.configuration.vary` refuses.
    """
    if not isinstance(changes, Mapping):
        raise InvalidInput("model.change", changes, 'dotted parameters and their values, {"trust.loss": 0.2}')
    for name, value in changes.items():
        if name not in RECORDS and not str(name).startswith("usecases."):
            raise InvalidInput(str(name), value, _unknown(name))
        if refused := why_not(name):
            raise InvalidInput(name, value, refused)
    return vary(parameters, changes)


def as_of(parameters: Parameters, changes: Sequence[Change], week: int) -> Parameters:
    """The parameters that were in force in a week of a run, counted from 0.

    Args:
        parameters: those in force now, ``model.parameters``.
        changes: what was changed on the way, ``model.state.changes``.
        week: from 0.
    """
    later = {change.name: change.before for change in reversed(changes) if change.week > week}
    return vary(parameters, later) if later else parameters


def differences(week: int, before: Parameters, after: Parameters, names: Mapping[str, Any]) -> list[Change]:
    """What differs from ``week`` on, in the order of the definitions."""
    pairs = [(name, attrgetter(name)(before), attrgetter(name)(after)) for name in RECORDS if name in names]
    return [Change(week, name, old, new) for name, old, new in pairs if old != new]
