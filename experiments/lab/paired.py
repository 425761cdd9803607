"""Strategies at the same points of a design with the same luck: what is varied, who is compared, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.lab import designs
from experiments.lab.designs import Factor, Points
from experiments.lab.plan import Plan
from experiments.lab.runner import sample
from experiments.lab.storage import RUNS, Store
from experiments.lab.study import good_runs
from sim.configuration import from_mapping
from sim.measures import COMPLETE, MEASURES, MORE_IS_BETTER
from sim.parameters import RECORDS, Parameters
from sim.presets import load
from sim.schema import InvalidInput, nearest

SOURCES = ("judged", "calibrated", "measured", "documented")
#: Groups that ``over=all`` leaves alone: what management chooses, the enterprise itself, and where outcome classes end.
LEFT_ALONE = ("strategy", "enterprise", "weeks", "network", "outcomes")


# --------------------------------------------------------------------------- before


def numeric_factors(over: Any, ranges: Any, base: Parameters, both: bool) -> tuple[Factor, ...]:
    """The parameters varied, all of them numbers.

    Args:
        over: a list of dotted names, or ``all``: every number that is not in a group of :data:`LEFT_ALONE`; ``judged``,
            ``calibrated``, ``measured`` or ``documented``: those of them with that source.
        ranges: a mapping of names to ``[low, high]``, or None: around the values in ``base``.
        base: the configured values.
        both: whether strategies are compared, whose parameters then cannot be varied.
    """
    known = {n: r for n, r in RECORDS.items() if r.kind in ("number", "count") and n.split(".")[0] not in LEFT_ALONE}
    by_source = {"all": list(known)} | {source: [n for n, r in known.items() if r.source == source] for source in SOURCES}
    if isinstance(over, str) and by_source.get(over):
        over = by_source[over]
    elif not isinstance(over, list):
        words = ", ".join(name for name, names in by_source.items() if names)
        raise InvalidInput("over", over, f"{words}, or a list of parameters such as [trust.loss,forecast.late]")
    try:
        made = designs.factors(over, ranges, base)
    except InvalidInput as error:
        raise InvalidInput(error.key.removeprefix("design."), error.value, error.allowed.replace("design.", "")) from None
    for f in made:
        if f.kind == "choice":
            raise InvalidInput("over", f.name, "parameters that are numbers: positions of a choice have no order")
        if both and f.name.startswith("strategy."):
            raise InvalidInput("over", f.name, "no parameter of the strategy, because strategies are compared as they are")
    return made


def rivals(strategies: list[str]) -> tuple[str, ...]:
    """Names of two strategies or more, each of them there."""
    for name in strategies:
        load("strategy", name)
    if len(strategies) < 2:
        raise InvalidInput("strategies", strategies, "two strategies or more")
    return tuple(strategies)


def as_preset(base: Parameters, values: Mapping[str, Any]) -> str:
    """Name of the configured strategy.

    Raises:
        InvalidInput: where it has other settings than its file says, which a design over strategies would replace.
    """
    name = base.strategy.name
    if from_mapping({**values, "strategy": load("strategy", name)}).strategy != base.strategy:
        raise InvalidInput(
            "strategy", f"{name} with changes", "a strategy as its file in configs/strategy says; write the changes into a new file there"
        )
    return name


def rival(base: Parameters, values: Mapping[str, Any], versus: str) -> tuple[str, str]:
    """The configured strategy and the one it is compared with, both as their files say."""
    if versus == base.strategy.name:
        raise InvalidInput("versus", versus, f"another strategy than {versus}")
    load("strategy", versus)
    return as_preset(base, values), versus


def crossed(points: Points, strategies: tuple[str, ...]) -> Points:
    """Every point under each of S strategies, one after the other: points S i to S i + S - 1."""
    columns = [np.repeat(column, len(strategies)) for column in points.columns]
    choice = np.tile(np.arange(len(strategies)), len(points))
    return Points((*points.factors, Factor("strategy", "choice", choices=strategies)), (*columns, choice))


def check_outcome(outcome: str, plan: Plan, wins: bool = False) -> None:
    """Refuse an outcome that a run may lack, or of which more is not better where somebody is to win."""
    if outcome not in (MORE_IS_BETTER if wins else COMPLETE):
        raise InvalidInput("outcome", outcome, nearest(outcome, list(MORE_IS_BETTER if wins else COMPLETE)))
    if MEASURES[outcome].missing and sample(plan, [0])[RUNS].column(outcome)[0].as_py() is None:
        raise InvalidInput("outcome", outcome, f"an outcome that a run of {plan.base.weeks} weeks has")


# --------------------------------------------------------------------------- after


def measured(store: Store, plan: Plan, outcome: str, strategies: int) -> np.ndarray:
    """The outcome of :func:`crossed` points, [points, strategies, replications]; failed runs: NaN."""
    runs = good_runs(store, [outcome])
    result = np.full((len(plan.points), plan.replications), np.nan)
    result[runs["point"], runs["replication"]] = runs[outcome].astype("Float64").to_numpy(float, na_value=np.nan)
    return result.reshape(-1, strategies, plan.replications)


def difference(store: Store, plan: Plan, outcome: str, both: bool) -> np.ndarray:
    """The outcome, or with ``both`` the first of two strategies less the second, [points, replications]."""
    values = measured(store, plan, outcome, 2 if both else 1)
    return values[:, 0] - values[:, 1] if both else values[:, 0]
