"""The organisations that the targets are taken of: how they differ, how old their initiatives are, and what they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.config import take
from sim.parameters import RECORDS, Maturity
from sim.presets import available, load
from sim.schema import InvalidInput, nearest

MATURITIES = ("low", "middle", "high")
#: Maturity parameters that differ between organisations of one maturity, and whether more of them is better.
VARIED = {"budget": 1, "completeness": 1, "lateness": -1, "mismatch": -1, "fragmentation": -1, "sponsorship": 1, "fit": 1, "trust": 1,
          "readiness": 1, "core": 1}  # fmt: skip
#: How much organisations of one maturity differ, how strict and how slow their managements are: fitted along with the parameters.
SPREAD, STRICTNESS, PILOT = HYPER = ("population.spread", "population.strictness", "population.pilot")
#: What organisations do, an assumption: most perfect the model first.
STRATEGIES = {
    "model_first": 0.3,
    "big_bang": 0.15,
    "balanced": 0.2,
    "business_led": 0.1,
    "governance_first": 0.1,
    "integration_first": 0.15,
}
#: What is drawn for each organisation beside the states it starts from, and the shortest pilot [weeks].
CHOSEN, SHORTEST = ("strategy.initiative_floor", "strategy.gate_weeks", "strategy.portfolio.most"), 13
#: What a population may be set to, where it is one number or a range.
RANGES = {"spread": (0, 3), "strictness": (0, 1), "pilot": (SHORTEST, 104)}


@dataclass(frozen=True)
class Population:
    """Organisations that the targets are taken of: assumptions, for the sources publish none.

    Attributes:
        organisations: of each maturity, for a parameter set of a wave.
        surveyed: of each maturity, for a draw of the posterior: as many as were asked.
        spread: prior range of the sd of organisations of one maturity around its preset.
        strictness: prior range of the backing by the executive below which the strictest management stops an initiative; the others'
            floors are anything below that.
        pilot: prior range of the weeks that the slowest organisation pilots at least; the others take a quarter of a year or longer.
        low, middle, high: shares of the mixed population.
        use_cases: how many use cases an organisation of each maturity takes on, all numbers of the range alike.
        team_weeks, scaling_weeks, ebit_weeks: ages of the initiatives that a target was asked of, all alike.
        strategies: shares of the organisations that follow them.
    """

    organisations: int
    surveyed: int
    spread: tuple[float, float]
    strictness: tuple[float, float]
    pilot: tuple[float, float]
    low: float
    middle: float
    high: float
    use_cases: Mapping[str, tuple[int, int]]
    team_weeks: tuple[int, int]
    scaling_weeks: tuple[int, int]
    ebit_weeks: tuple[int, int]
    strategies: Mapping[str, float]

    @property
    def hyper(self) -> tuple[tuple[float, float], ...]:
        """Prior ranges of :data:`HYPER`."""
        return self.spread, self.strictness, self.pilot

    def one(self, seed: int) -> pd.DataFrame:
        """The organisations of a set, at the lowest values of what is fitted about the population: :data:`HYPER` as single values."""
        spread, strictness, pilot = (low for low, _ in self.hyper)
        return self.members(self.organisations, spread, strictness, pilot, (seed,))

    def members(self, count: int, spread: float, strictness: float, pilot: float, seed: tuple[int, ...]) -> pd.DataFrame:
        """So many organisations of each maturity: maturity, strategy, when they stop, how long they pilot, their values of :data:`VARIED`.

        An organisation departs from its maturity's preset by a common factor (well or badly run) and one of each parameter,
        which explain half of the variance each.
        """
        rows = []
        names = sorted(self.strategies)
        ends = np.cumsum([self.strategies[name] for name in names])
        for m, maturity in enumerate(MATURITIES):
            rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(m,))))
            place = (rng.permutation(count) + 0.5) / count
            common, own = rng.standard_normal((count, 1)), rng.standard_normal((count, len(VARIED)))
            factors = np.exp(np.array(list(VARIED.values())) * spread * (common + own) / np.sqrt(2))
            preset = {**dataclasses.asdict(Maturity()), **load("maturity", maturity)}
            table = pd.DataFrame({"maturity": maturity, "strategy": np.array(names)[np.searchsorted(ends, place * ends[-1])]})
            table["strategy.initiative_floor"] = rng.random(count) * strictness
            table["strategy.gate_weeks"] = np.floor(SHORTEST + rng.random(count) * (pilot - SHORTEST + 1)).astype(int)
            least, most = self.use_cases[maturity]
            table["strategy.portfolio.most"] = rng.integers(least, most + 1, count)
            for j, name in enumerate(VARIED):
                record, value = RECORDS[f"maturity.{name}"], float(preset[name])
                values = value * factors[:, j] / (1 - value + value * factors[:, j]) if record.high <= 1 else value * factors[:, j]
                table[f"maturity.{name}"] = np.clip(values, record.low, record.high)
            rows.append(table)
        return pd.concat(rows, ignore_index=True)


def population_of(given: Any) -> Population:
    """The population from its settings, checked."""
    if not isinstance(given, Mapping):
        raise InvalidInput("population", given, "a mapping")
    given = dict(given)
    known = [f.name for f in dataclasses.fields(Population)]
    for name in given:
        if name not in known:
            raise InvalidInput(f"population.{name}", given[name], nearest(str(name), known))
    taken: dict[str, Any] = {}
    try:
        taken["organisations"] = take(given, "organisations", "count", 10, 10_000)
        taken["surveyed"] = take(given, "surveyed", "count", 10, 10_000)
        taken |= {key: range_of(given, key, *ends) for key, ends in RANGES.items()}
        taken |= {key: take(given, key, "number", 0, 1) for key in MATURITIES}
        taken["use_cases"] = sizes(given.pop("use_cases"))
        taken |= {key: ages(given, key) for key in ("team_weeks", "scaling_weeks", "ebit_weeks")}
    except InvalidInput as error:
        raise InvalidInput(f"population.{error.key}", error.value, error.allowed) from None
    if abs(sum(taken[m] for m in MATURITIES) - 1) > 1e-9:
        raise InvalidInput("population", [taken[m] for m in MATURITIES], "shares of low, middle and high that add up to 1")
    strategies = STRATEGIES if given["strategies"] is None else given["strategies"]
    if not isinstance(strategies, Mapping) or not strategies:
        raise InvalidInput("population.strategies", strategies, "a mapping of strategies to their shares")
    for name, share in strategies.items():
        if name not in available("strategy"):
            raise InvalidInput("population.strategies", name, nearest(str(name), available("strategy")))
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InvalidInput(f"population.strategies.{name}", share, "a share above 0")
    if abs(sum(strategies.values()) - 1) > 1e-9:
        raise InvalidInput("population.strategies", round(sum(strategies.values()), 9), "shares that add up to 1")
    return Population(**taken, strategies={str(name): float(share) for name, share in strategies.items()})


def range_of(given: Mapping[str, Any], key: str, least: float, most: float) -> tuple[float, float]:
    """A prior range of what the population is like: one number, or two."""
    value = given[key]
    ends = value if isinstance(value, list) else [value, value]
    if (
        len(ends) != 2
        or any(isinstance(v, bool) or not isinstance(v, int | float) for v in ends)
        or not least <= ends[0] <= ends[1] <= most
    ):
        raise InvalidInput(key, value, f"a number from {least} to {most}, or a range [low, high] of such numbers")
    return float(ends[0]), float(ends[1])


def sizes(given: Any) -> dict[str, tuple[int, int]]:
    """How many use cases organisations take on, by maturity."""
    most = RECORDS["strategy.portfolio.most"]
    if not isinstance(given, Mapping) or set(given) != set(MATURITIES):
        raise InvalidInput("use_cases", given, "a range [least, most] for each of low, middle and high")
    for key, value in given.items():
        if not isinstance(value, list) or len(value) != 2 or value[0] > value[1]:
            raise InvalidInput(f"use_cases.{key}", value, "a range [least, most]")
        for number in value:
            most.check(f"use_cases.{key}", number)
    return {str(key): (value[0], value[1]) for key, value in given.items()}


def ages(given: Mapping[str, Any], key: str) -> tuple[int, int]:
    """A range of ages [weeks]."""
    value = given[key]
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        or not 0 <= value[0] <= value[1] - 4
    ):
        raise InvalidInput(key, value, "a range of weeks [first, last], four weeks long or more")
    return value[0], value[1]
