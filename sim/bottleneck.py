"""Which constraint holds a rollout back now: read off its weekly records, and said in one plain sentence.

Every planner who does not plan on the forecast is put down to one of a few constraints, so that the shares of all
constraints and the share of planners using it add up to 1. The constraint that keeps back most planners is said to bind.

| where the planner sits | put down to |
|---|---|
| a unit that waits, before the pilot passed its gate | the gate |
| a unit that waits, afterwards | the waves |
| a unit that onboards | pipelines, integration or approval, whichever is further from what is asked |
| a unit that gave up, or an initiative that was stopped | backing |
| a live unit, in a week in which the forecast missed the cut-off | support and pipelines |
| a live unit, and does without a forecast that came | all that is missing in the decision, in proportion to its logits |

The last row weighs the shortfalls of trust, fit, channel and sponsorship, and change load, with the weights of ``User.decide``. Habit, peers
and norm are left out: they follow use and do not hold it back by themselves. What trust lacks is put down to the accuracy
of the forecast as far as that falls short of full success (``sponsor.target``), and accuracy to data, model and age by
their logarithms, as ``forecast_error`` multiplies them. It is an account of the records and not an experiment: it says
where planners are kept back, not what a change would bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.parameters import Parameters
from sim.schema import InvalidInput
from sim.state import LIVE, ONBOARDING, PILOT, RETIRED, STAGES, WAITING

#: What can hold a rollout back, and its name for people.
CONSTRAINTS = {
    "gate": "the pilot's gate",
    "waves": "the pace of the waves",
    "pipelines": "data pipelines",
    "integration": "integration",
    "support": "support spread thin",
    "approval": "approval",
    "workflow": "workflow fit",
    "load": "too much change at once",
    "trust": "trust",
    "model": "model quality",
    "ageing": "an ageing forecast",
    "backing": "backing by leaders",
}
#: Weeks that are looked at together: single weeks swing with forecasts that come late.
WINDOW = 4


@dataclass(frozen=True)
class Bottleneck:
    """What binds.

    Attributes:
        week: weeks of the record that were looked at, the last one included.
        constraint: a key of :data:`CONSTRAINTS`, or ``none`` where so many use it that nothing holds it back.
        sentence: the same in words, with the figures it rests on.
        using: share of planners planning on the forecast, 0 to 1, mean of the last :data:`WINDOW` weeks.
        held: share of planners each constraint keeps back; with ``using`` they add up to 1.
    """

    week: int
    constraint: str
    sentence: str
    using: float
    held: dict[str, float]


def bottleneck(
    weekly: Any,
    units: Any,
    p: Parameters,
    names: Sequence[str],
    planners: Sequence[float] | np.ndarray | None = None,
    week: int | None = None,
) -> Bottleneck:
    """The binding constraint after ``week`` weeks.

    Args:
        weekly: records of the enterprise, one row per week: ``model.weekly``, ``weekly.parquet`` or ``model.state.weekly``.
        units: records of the units, one row per unit and week, week by week: ``model.units``, ``units.parquet`` or
            ``model.state.unit_weekly``.
        p: the parameters in force in the last of these weeks: of a run whose parameters were changed on the way,
            ``sim.changes.as_of(model.parameters, model.state.changes, week - 1)``.
        names: names of the units, in their order.
        planners: planners of each unit; units count alike where it is not given.
        week: weeks to look back on, at least 1; all that are recorded where it is not given.

    Raises:
        InvalidInput: where fewer than ``week`` weeks are recorded, or none, and for units of several use cases in one table.
    """
    _refuse_several(units)
    recorded = len(weekly)
    week = recorded if week is None else week
    if not 1 <= week <= recorded:
        raise InvalidInput(
            "week", week, f"a whole number from 1 to {recorded}, the weeks recorded" if recorded else "a run with recorded weeks"
        )
    first = max(0, week - WINDOW)
    unit, firm = _Table(units, len(names), first, week), _Table(weekly, 1, first, week)
    size = np.ones(len(names)) if planners is None else np.asarray(planners, float)
    size = size / size.sum()
    stage = unit["stage"][-1]
    passed = bool((_Table(units, len(names), 0, week)["stage"] == LIVE).any())
    stopped = bool(((stage == WAITING) | (stage == RETIRED)).all() and (stage == RETIRED).any())
    held = dict.fromkeys(CONSTRAINTS, 0.0)

    def put(amounts: dict[str, Any]) -> None:
        for name, amount in amounts.items():
            held[name] += float((amount * size).sum())

    put({"gate" if not passed else "backing" if stopped else "waves": stage == WAITING})
    put({"backing" if passed else "gate": stage == RETIRED})
    ready = {name: unit[f"readiness_{capability}"][-1] - asked for name, (capability, asked) in _asked(p).items()}
    last = np.argmin(np.stack(list(ready.values())), axis=0)
    put({name: (stage == ONBOARDING) & (last == k) for k, name in enumerate(ready)})
    # units at work: the mean over those of the last weeks in which they had the forecast
    had = ((unit["stage"] == PILOT) | (unit["stage"] == LIVE)) & ((stage == PILOT) | (stage == LIVE))
    weight = had / np.maximum(had.sum(axis=0), 1)
    without, came = (1 - unit["users_using"]) * weight, unit["on_time"] == 1
    thin = _thin(unit["support"], p)
    put({"support": (without * ~came * thin).sum(axis=0), "pipelines": (without * ~came * (1 - thin)).sum(axis=0)})
    put({name: (without * came * part).sum(axis=0) for name, part in _shortfalls(unit, firm, p).items()})
    share = float(((unit["users_using"] * weight).sum(axis=0) * size).sum())
    found = _Found(week, names, unit, firm, stage, size, held, share, passed, stopped, p)
    constraint = _binding(found)
    return Bottleneck(week, constraint, _sentence(found, constraint), share, held)


def _refuse_several(units: Any) -> None:
    if "usecase" in getattr(units, "columns", ()):
        allowed = "those of one use case, as model.use_cases[…].unit_weekly; model.bottleneck() is over all"
        raise InvalidInput("units", list(dict.fromkeys(units["usecase"])), allowed)


def _asked(p: Parameters) -> dict[str, tuple[str, float]]:
    """The capability that each constraint on going live is about, and how much of it is asked for."""
    gate = p.strategy.readiness_gate
    return {"pipelines": ("pipelines", gate), "integration": ("integration", gate), "approval": ("governance", p.strategy.approval)}


class _Table:
    """Some weeks of a record as [weeks, units], whether it is a frame or a structured array; stages as their numbers."""

    def __init__(self, table: Any, units: int, first: int, last: int) -> None:
        flat = table if hasattr(table, "columns") else table.reshape(-1)
        self.rows, self.shape = flat[first * units : last * units], (last - first, units)

    def __getitem__(self, name: str) -> np.ndarray:
        column = self.rows[name]
        if name == "stage" and hasattr(column, "map"):
            column = column.astype(str).map({stage: k for k, stage in enumerate(STAGES)})
        return np.asarray(column, float).reshape(self.shape)


@dataclass(frozen=True)
class _Found:
    """What the sentences rest on."""

    week: int
    names: Sequence[str]
    unit: _Table
    firm: _Table
    stages: np.ndarray
    size: np.ndarray
    held: dict[str, float]
    using: float
    passed: bool
    stopped: bool
    p: Parameters

    def served(self, name: str) -> float:
        """Mean of a measure over the units that pilot or are live now, in the last week."""
        where = (self.stages == PILOT) | (self.stages == LIVE)
        return float(np.average(self.unit[name][-1][where], weights=self.size[where]))


def _thin(support: np.ndarray, p: Parameters) -> np.ndarray:
    """Share of the defects left that full support would have hidden."""
    left = 1 - p.support.relief * support
    return np.divide(p.support.relief * (1 - support), left, out=np.zeros_like(left), where=left > 0)


def _shortfalls(unit: _Table, firm: _Table, p: Parameters) -> dict[str, np.ndarray]:
    """Parts, adding up to 1, of what is missing for a planner of each unit to plan on a forecast that came."""
    support, integration, fit = unit["support"], unit["readiness_integration"], unit["fit"]
    bridge = 1 - p.platform.dashboard
    outside = (1 - integration) * bridge * (1 - p.support.channel * support)  # what the channel lacks
    undersupported = (1 - integration) * bridge * p.support.channel * (1 - support)  # of it, what full support would carry
    trust = p.utility.trust * (1 - unit["trust"])
    inaccurate = trust * (1 - np.clip(unit["improvement"] / p.sponsor.target, 0, 1))
    quality, fresh = -np.log(firm["quality"]), -np.log(unit["freshness"])
    offered = np.log(np.maximum(1 - unit["improvement"], 1e-6))  # ln of the forecast's error over the planners' own
    data = np.maximum(0.0, offered - np.log(p.forecast.best / p.forecast.planner) - quality - fresh)
    total = data + quality + fresh
    parts = [np.divide(x, total, out=np.zeros_like(total), where=total > 0) for x in np.broadcast_arrays(data, quality, fresh)]
    thin = _thin(support, p)
    logits = {
        "pipelines": inaccurate * parts[0] * (1 - thin),
        "support": inaccurate * parts[0] * thin + p.utility.fit * fit * undersupported,
        "model": inaccurate * parts[1],
        "ageing": inaccurate * parts[2],
        "trust": trust - inaccurate * sum(parts),
        "integration": p.utility.fit * fit * (outside - undersupported),
        "workflow": p.utility.fit * (1 - fit),
        "backing": p.utility.sponsor * (1 - unit["sponsorship"]),
        "load": p.utility.load * unit["load"],
    }
    missing = np.asarray(sum(logits.values()))
    return {name: np.divide(x, missing, out=np.full_like(missing, 1 / len(logits)), where=missing > 0) for name, x in logits.items()}


def _binding(found: _Found) -> str:
    if found.using >= found.p.outcomes.scaled and (found.stages == LIVE).mean() >= found.p.outcomes.scaled_units:
        return "none"
    if found.stopped:
        return "backing" if found.passed else "gate"
    return max(found.held, key=lambda name: found.held[name])


def _sentence(found: _Found, constraint: str) -> str:
    held, stages, p = found.held, found.stages, found.p
    live, n = int((stages == LIVE).sum()), len(stages)
    if constraint == "none":
        most = max(held, key=lambda name: held[name])
        return f"Nothing holds it back for now: {found.using:.0%} of all planners plan on the forecast. Most of the others lack {_lacks(most)}."
    if found.stopped:
        if not found.passed:
            return "It is over: the pilot never passed its gate, and the initiative was stopped."
        return "It is over: the initiative was stopped, or every unit gave the forecast up, as leaders no longer saw what they paid for."
    kept = f"{held[constraint]:.0%} of all planners"
    if constraint == "gate":
        return _at_the_gate(found)
    if constraint == "waves":
        waiting = int((stages == WAITING).sum())
        return (
            f"The pace of the waves holds it back: {waiting} of {n} units wait for their turn, a wave every {p.strategy.cadence} weeks, "
            f"and with them {kept}."
        )
    if constraint in _asked(p) and (stages == ONBOARDING).any():
        return f"{_at_go_live(found, constraint)} That keeps {kept} on their spreadsheets."
    where = f"in the {live} live unit{'s' if live != 1 else ''}" if live else "in the units at work"
    said = {
        "pipelines": lambda: (
            f"Data pipelines hold it back: {where} they stand at {found.served('readiness_pipelines'):.0%} and {found.served('clean'):.0%} of "
            f"the data are clean, so forecasts come late or no better than the spreadsheet"
        ),
        "integration": lambda: (
            f"Integration holds it back: {where} it stands at {found.served('readiness_integration'):.0%}, so the forecast reaches planners "
            f"outside the system they plan in"
        ),
        "support": lambda: (
            f"Support is spread too thin: {where} the central team gives {found.served('support'):.0%} of what they need, "
            f"{_share_of_effort(found):.0%} of its time"
        ),
        "workflow": lambda: f"Workflow holds it back: {where} the forecast fits {found.served('fit'):.0%} of how teams plan",
        "load": lambda: f"Too much change at once holds it back: {where} teams carry a load of {found.served('load'):.2f} beside it",
        "trust": lambda: (
            f"Trust holds it back: {where} planners' trust is {found.served('trust'):.0%}, though the forecast {_better(found)}"
        ),
        "model": lambda: (
            f"The model itself holds it back: its quality is {float(found.firm['quality'][-1, 0]):.0%}, and {where} it {_better(found)}"
        ),
        "ageing": lambda: (
            f"An ageing forecast holds it back: {where} it has {found.served('freshness'):.0%} of its freshness left, and {_better(found)}"
        ),
        "backing": lambda: f"Backing holds it back: {int((stages == RETIRED).sum())} of {n} units gave the forecast up",
    }[constraint]()
    if constraint == "backing" and not (stages == RETIRED).any():
        said = f"Backing holds it back: {where} sponsorship is down to {found.served('sponsorship'):.0%}"
    return f"{said}. That keeps {kept} on their spreadsheets."


def _at_go_live(found: _Found, constraint: str) -> str:
    """What the units that onboard lack of one capability."""
    capability, asked = _asked(found.p)[constraint]
    ready = found.unit[f"readiness_{capability}"][-1]
    short = (found.stages == ONBOARDING) & (ready < asked)
    holds = {"pipelines": "The data pipeline holds", "integration": "Integration holds", "approval": "Approval holds"}[constraint]
    if not short.any():
        return f"{holds} it back no longer: the next unit goes live."
    waiting = (
        f"{short.sum()} units wait to go live until theirs stands" if short.sum() > 1 else "a unit waits to go live until its own stands"
    )
    return f"{holds} it back: {waiting} at {asked:.0%}, but it is at {ready[short].mean():.0%}."


def _at_the_gate(found: _Found) -> str:
    p, pilot = found.p, np.nonzero(found.stages == PILOT)[0]
    if p.maturity.budget == 0:
        return "There is no budget: nothing is built and no forecast goes live."
    if not len(pilot):
        return "The pilot has not begun."
    name, b = found.names[pilot[0]], pilot[0]
    use, better = float(found.unit["users_using"][:, b].mean()), float(found.unit["improvement"][:, b].mean())
    state = f"{use:.0%} of its planners use the forecast, and it is {abs(better):.0%} {'better' if better >= 0 else 'worse'} than their own"
    if found.week <= p.strategy.gate_weeks:
        return f"The pilot in {name} runs until week {p.strategy.gate_weeks} at least: {state}."
    asked = f"asked are {p.strategy.gate_reliance:.0%}, and {p.strategy.gate_improvement:.0%} better"
    return f"The pilot's gate holds it back: in {name} {state} ({asked}); {1 - found.size[b]:.0%} of all planners wait behind it."


def _better(found: _Found) -> str:
    better = found.served("improvement")
    return f"is {abs(better):.0%} {'better' if better >= 0 else 'worse'} than their own method"


def _share_of_effort(found: _Found) -> float:
    names = ("model", "pipelines", "integration", "monitoring", "governance", "workflow", "support")
    spent = {name: float(found.firm[f"effort_{name}"][-1, 0]) for name in names}
    total = sum(spent.values())
    return spent["support"] / total if total > 0 else 0.0


def _lacks(constraint: str) -> str:
    return {
        "gate": "a pilot that passes",
        "waves": "their turn",
        "pipelines": "clean data in time",
        "integration": "the forecast inside their planning system",
        "support": "support",
        "approval": "somebody who answers for it",
        "workflow": "a workflow it fits",
        "load": "time for one more change",
        "trust": "trust",
        "model": "a better model",
        "ageing": "a fresh model",
        "backing": "a leader who backs it",
    }[constraint]
