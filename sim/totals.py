"""The enterprise over all its use cases: records that are summed or averaged, and one outcome. With one use case they are its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sim.bottleneck import CONSTRAINTS, Bottleneck, bottleneck
from sim.outcomes import event_frame, in_production, outcome, record_of
from sim.parameters import Parameters
from sim.state import LIVE, RETIRED, WEEK, State, States

#: Weekly records that are sums over use cases. Shares of planners are means over planners of all use cases, in which one that has not
#: begun counts with nobody; the others are means over the use cases that have begun.
SUMMED = ("own_effort", "value", "friction", "running_cost", "own_cost", "central_cost", "net", "cumulative_net")
SHARES = ("users_using", "reliance")
#: Outcome classes of a use case that is in production beyond its pilot.
ALIVE = ("pilot_purgatory", "partial_adoption", "scaled")


def taken_on(states: States, p: Parameters) -> np.ndarray:
    """Planners whom each use case concerns that the enterprise has begun or will begin, 0 for the others, [use cases]."""
    among = np.zeros(len(states.names), bool)
    among[states.turn[: p.strategy.portfolio.most]] = True
    return np.where(among | (states.firm["begun"][:, 0] >= 0), states.planners, 0.0)


def together(states: States, weeks: int, p: Parameters) -> np.ndarray:
    """The enterprise week by week, [weeks]."""
    rows = states.weekly[:, :weeks]
    if len(rows) == 1:
        return rows[0]
    made = np.zeros(weeks, WEEK)
    begun = states.begun
    since = np.arange(weeks) >= states.firm["begun"][begun, 0][:, None]
    planners, of_all = states.planners[begun][:, None], taken_on(states, p).sum()
    for name in WEEK.names or ():
        values = rows[begun][name]
        if name in SUMMED or name.startswith("effort_"):
            made[name] = values.sum(axis=0)
        elif name in SHARES:
            made[name] = (values * planners).sum(axis=0) / of_all
        elif WEEK[name].kind == "f":
            made[name] = np.sum(values * since * planners, axis=0) / np.maximum(1.0, np.sum(since * planners, axis=0))
    made["week"] = np.arange(weeks)
    made["teams_trust_and_use"] = states.convinced[:weeks]
    stages = states.unit_weekly[begun, :weeks]["stage"]
    live = (stages == LIVE).any(axis=0)
    made["units_live"] = live.sum(axis=1)
    made["units_retired"] = ((stages == RETIRED).any(axis=0) & ~live).sum(axis=1)
    return made


def of_use_cases(states: States, frame: Callable[[State], pd.DataFrame], order: str = "") -> pd.DataFrame:
    """A table of each use case that has begun, one under the other, with a column that names it; with one, its own."""
    if len(states.names) == 1:
        return frame(states.of(0))
    made = pd.concat([frame(states.of(u)).assign(usecase=states.names[u]) for u in states.begun], ignore_index=True)
    return made.sort_values(order, kind="stable", ignore_index=True) if order else made


def events(states: States) -> pd.DataFrame:
    """What happened in all use cases, in order; a parameter that was changed is told once, and of no use case."""
    if len(states.names) == 1:
        return event_frame(states.of(0))
    changed = event_frame(replace(states.of(0), events=states.events[0][:0], settings={})).assign(usecase="")
    happened = of_use_cases(states, lambda state: event_frame(replace(state, changes=())), "week")
    if changed.empty:
        return happened
    return pd.concat([changed, happened], ignore_index=True).sort_values("week", kind="stable", ignore_index=True)


def overall(states: States, weeks: int, p: Parameters) -> dict[str, Any]:
    """The record of a run (see :func:`sim.outcomes.outcome`) over all use cases, and how many of them there are."""
    begun = [states.of(u) for u in states.begun]
    records = [outcome(state, weeks, p) for state in begun]
    made = records[0]
    if len(states.names) > 1:
        live = np.any([in_production(state, weeks) for state in begun], axis=0)
        made = record_of(together(states, weeks, p), _united(states.firm[states.begun, 0]), live, made, p)
    made["use_cases_begun"] = int((states.firm["begun"] >= 0).sum()) if p.maturity.budget > 0 else 0
    past = [record["weeks_to_production"] is not None for record in records]
    ended = [state.firm["stopped_week"][0] >= 0 or record["outcome"] == "abandoned" for state, record in zip(begun, records, strict=True)]
    made["use_cases_past_pilot"] = sum(past)
    made["use_cases_ended"] = sum(map(bool, ended))
    made["use_cases_scrapped"] = sum(gone and not was for gone, was in zip(ended, past, strict=True))
    made["use_cases_live"] = sum(record["outcome"] in ALIVE for record in records)
    survived = [record["survived_three_years"] for record in records]
    made["use_cases_survived"] = None if None in survived else sum(survived)
    since = states.firm["begun"][states.begun, 0]
    old = [bool(kept) for kept, week in zip(survived, since, strict=True) if week <= weeks - p.outcomes.survival]
    made["use_cases_kept"] = sum(old) / len(old) if old else None
    return made


def _united(firms: np.ndarray) -> dict[str, Any]:
    """What the class of an outcome looks at, over use cases: the first gate that was passed, and the end where all have ended."""
    passed, ended = firms["gate_week"][firms["gate_week"] >= 0], firms["stopped_week"]
    return {
        "begun": int(firms["begun"].min()),
        "gate_week": int(passed.min()) if len(passed) else -1,
        "stopped_week": int(ended.max()) if (ended >= 0).all() else -1,
        "retrofit": float(firms["retrofit"].sum()),
    }


def held_back(states: States, week: int, p: Parameters) -> Bottleneck:
    """What holds the rollouts back after ``week`` weeks (see :mod:`sim.bottleneck`), over all use cases, each by its planners.

    Of a use case whose turn has not come, all are put down to the waves. The sentence is about the use case that lacks most planners.
    """
    found = {
        u: bottleneck(states.weekly[u][begun:], states.unit_weekly[u][begun:], p, states.unit_names, states.units[u]["users"], week - begun)
        for u in states.begun
        if (begun := int(states.firm[u, 0]["begun"])) < week
    }
    if len(states.names) == 1:
        return found[0]
    weights = taken_on(states, p)
    weights = weights / weights.sum()
    held = {name: sum(float(weights[u]) * one.held[name] for u, one in found.items()) for name in CONSTRAINTS}
    held["waves"] += float(sum(weight for u, weight in enumerate(weights) if u not in found))
    using = sum(float(weights[u]) * one.using for u, one in found.items())
    worst = max(found, key=lambda u: weights[u] * (1.0 - found[u].using))
    constraint = "none" if all(one.constraint == "none" for one in found.values()) else max(held, key=lambda name: held[name])
    return Bottleneck(week, constraint, f"{states.names[worst]}: {found[worst].sentence}", using, held)
