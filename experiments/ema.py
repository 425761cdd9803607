"""The model for the EMA Workbench: uncertainties, levers and outcomes with their ranges, ready for its samplers and evaluators.

>>> from ema_workbench import perform_experiments
>>> from experiments.ema import ema_model
>>> experiments, outcomes = perform_experiments(ema_model(["trust.loss", "forecast.late"]), scenarios=100)
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

from experiments.lab import designs
from experiments.lab.designs import Factor
from sim import RolloutModel
from sim.measures import NUMERIC
from sim.parameters import Parameters
from sim.presets import GROUPS, available
from sim.schema import InvalidInput, nearest
from sim.state import WEEK

with warnings.catch_warnings(), matplotlib.rc_context(), contextlib.redirect_stderr(io.StringIO()):
    warnings.simplefilter("ignore")  # it announces what it has not found, and sets how pictures look
    import ema_workbench as workbench

if TYPE_CHECKING:
    from ema_workbench import ReplicatorModel

#: Outcomes that are numbers, by name.


def ema_model(
    over: Sequence[str] | Mapping[str, Any],
    strategies: Sequence[str] = ("integration_first", "model_first"),
    outcomes: Sequence[str] = ("net", "final_reliance"),
    weekly: Sequence[str] = (),
    replications: int = 10,
    seed: int = 1,
    name: str = "rollout",
    **given: Any,
) -> ReplicatorModel:
    """The rollout as a model of the EMA Workbench.

    Uncertainties are parameters, the lever is the strategy, and outcomes are means over replications with the seeds ``seed`` to
    ``seed`` + ``replications`` - 1, the same in every experiment (common random numbers). Names have two underscores for the
    dot: ``trust__loss``, for the workbench wants identifiers.

    Args:
        over: dotted parameters or preset groups that are uncertain, or a mapping of them to ranges ``[low, high]`` and lists of
            values; None: the parameter's own range.
        strategies: names of strategies, or of one, which then is no lever.
        outcomes: entries of the outcome record that are numbers; undefined ones (a week never reached) are left out of the mean.
        weekly: weekly measures, as time series of the means [weeks].
        replications: runs of each experiment.
        seed: first seed.
        name: name of the model in the workbench, an identifier.
        given: what :class:`sim.RolloutModel` takes besides: presets, ``weeks``, ``engine``, ``**{"trust.gain": 0.1}``.

    Raises:
        InvalidInput: a ValueError that names what cannot be used, and what is allowed.
    """
    ranges = dict(over) if isinstance(over, Mapping) else dict.fromkeys([over] if isinstance(over, str) else over)
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 1:
        raise InvalidInput("replications", replications, "a whole number from 1")
    strategies = [strategies] if isinstance(strategies, str) else list(strategies)
    if not strategies or "strategy" in ranges or "strategy" in given:
        raise InvalidInput("strategies", strategies, "one strategy or more, and the strategy nowhere else: it is the lever")
    base = RolloutModel(strategy=strategies[0], rng=seed, **given).parameters
    made = [_factor(key, value, base) for key, value in ranges.items()]
    for known, asked, key in ((NUMERIC, outcomes, "outcomes"), (list(WEEK.names or ()), weekly, "weekly")):
        for one in asked:
            if one not in known:
                raise InvalidInput(key, one, nearest(str(one), known))
    for strategy in strategies:
        if strategy not in available("strategy"):
            raise InvalidInput("strategies", strategy, nearest(str(strategy), available("strategy")))
    model = workbench.ReplicatorModel(name, function=_Run(tuple(outcomes), tuple(weekly), {"strategy": strategies[0], **given}))
    model.replications = [{"rng": seed + r} for r in range(replications)]
    model.uncertainties = [_parameter(f) for f in made]
    if len(strategies) > 1:
        model.levers = [workbench.CategoricalParameter("strategy", list(strategies))]
    series = [workbench.TimeSeriesOutcome(f"{one}_weekly", function=partial(np.mean, axis=0)) for one in weekly]
    model.outcomes = [workbench.ScalarOutcome(one, function=_mean) for one in outcomes] + series
    return model


def _factor(name: str, given: Any, base: Parameters) -> Factor:
    try:
        return designs.factor(name, given, base)
    except InvalidInput as error:
        key = "over" if error.key == "design.over" else f"over[{name!r}]"
        raise InvalidInput(key, error.value, error.allowed) from None


def _parameter(f: Factor) -> Any:
    name = f.name.replace(".", "__")
    if f.kind == "number":
        return workbench.RealParameter(name, f.low, f.high)
    if f.kind == "count":
        return workbench.IntegerParameter(name, f.low, f.high)
    if isinstance(f.choices[0], bool):
        return workbench.BooleanParameter(name)
    return workbench.CategoricalParameter(name, list(f.choices))


def _mean(values: Any) -> float:
    array = np.asarray(values, float)
    return float(np.nanmean(array)) if np.isfinite(array).any() else float("nan")


class _Run:
    """One run; a class, so that the workbench's processes can be handed it."""

    def __init__(self, outcomes: tuple[str, ...], weekly: tuple[str, ...], given: dict[str, Any]) -> None:
        self.outcomes, self.weekly, self.given = outcomes, weekly, given

    def __call__(self, rng: int, **values: Any) -> dict[str, Any]:
        dotted = {name.replace("__", "."): value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
        presets = {group: dotted.pop(group) for group in GROUPS if group in dotted}
        model = RolloutModel(rng=int(rng), **{**self.given, **presets, **dotted}).run()
        record = model.outcome
        result = {name: float("nan") if record[name] is None else float(record[name]) for name in self.outcomes}
        return {**result, **{f"{name}_weekly": model.records[name].astype(float) for name in self.weekly}}
