"""The organisations that surveys asked: how many of each kind there are, how old their initiatives are, and what they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.config import ages, take
from sim.parameters import Maturity
from sim.population import MATURITIES, RANGES, Luck, departed, managed, sizes
from sim.presets import available, load
from sim.schema import InvalidInput, nearest

#: What organisations do, an assumption: most perfect the model first.
STRATEGIES = {
    "model_first": 0.3,
    "big_bang": 0.15,
    "balanced": 0.2,
    "business_led": 0.1,
    "governance_first": 0.1,
    "integration_first": 0.15,
}


@dataclass(frozen=True)
class Surveyed:
    """Organisations that the targets are taken of: assumptions, for the sources publish none.

    Attributes:
        organisations: of each maturity, for a parameter set of a wave.
        asked: of each maturity, for a draw of the posterior: as many as were asked.
        spread: prior range of the sd of organisations of one maturity around its preset.
        strictness: prior range of the backing by the executive below which the strictest management stops an initiative; the others'
            floors are anything below that.
        pilot: prior range of the weeks that the slowest organisation pilots at least; the others take a quarter of a year or longer.
        low, middle, high: shares of the mixed population.
        use_cases: how many use cases an organisation of each maturity takes on, all numbers of the range alike.
        team_weeks, scaling_weeks, ebit_weeks: ages of the initiatives that a target was asked of, all alike.
        ending_week: age at which the article's commonest ending is looked for.
        strategies: shares of the organisations that follow them.
    """

    organisations: int
    asked: int
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
    ending_week: int
    strategies: Mapping[str, float]

    @property
    def hyper(self) -> tuple[tuple[float, float], ...]:
        """Prior ranges of :data:`sim.population.HYPER`."""
        return self.spread, self.strictness, self.pilot

    @property
    def oldest(self) -> int:
        """Weeks that must be run for all ages."""
        return max(self.team_weeks[1], self.scaling_weeks[1], self.ebit_weeks[1], self.ending_week + 1)

    def kinds(self, count: int, seeds: np.ndarray) -> pd.DataFrame:
        """Maturity and strategy of so many organisations of each maturity.

        ``seeds``: of their runs, [3 × count]. Strategies are dealt out so that each maturity has the stated mix.
        """
        names = sorted(self.strategies)
        ends = np.cumsum([self.strategies[name] for name in names])
        dealt = np.array([Luck.of(int(seed)).uniform[0] for seed in seeds]).reshape(len(MATURITIES), count)
        place = (np.argsort(np.argsort(dealt, axis=1), axis=1) + 0.5) / count
        strategies = np.array(names)[np.searchsorted(ends, place * ends[-1])].ravel()
        return pd.DataFrame({"maturity": np.repeat(MATURITIES, count), "strategy": strategies})

    def members(self, count: int, spread: float, strictness: float, pilot: float, seeds: np.ndarray) -> pd.DataFrame:
        """So many organisations of each maturity: what :meth:`kinds` says, :data:`CHOSEN`, and what of their maturity differs."""
        plain = dataclasses.asdict(Maturity())
        presets = {maturity: plain | load("maturity", maturity) for maturity in MATURITIES}
        rows = []
        kinds: list[Any] = self.kinds(count, seeds).to_dict("records")
        for kind, seed in zip(kinds, seeds, strict=True):
            luck = Luck.of(int(seed))
            chosen = managed(luck, strictness, pilot, self.use_cases[kind["maturity"]])
            rows.append({**kind, **chosen, **departed(presets[kind["maturity"]], luck, spread)})
        return pd.DataFrame(rows)


def surveyed_of(given: Any) -> Surveyed:
    """Whom the surveys asked, from its settings, checked."""
    if not isinstance(given, Mapping):
        raise InvalidInput("surveyed", given, "a mapping")
    given = dict(given)
    known = [f.name for f in dataclasses.fields(Surveyed)]
    for name in given:
        if name not in known:
            raise InvalidInput(f"surveyed.{name}", given[name], nearest(str(name), known))
    taken: dict[str, Any] = {}
    try:
        taken["organisations"] = take(given, "organisations", "count", 10, 10_000)
        taken["asked"] = take(given, "asked", "count", 10, 10_000)
        taken |= {key.split(".")[1]: range_of(given, key.split(".")[1], *ends) for key, ends in RANGES.items()}
        taken |= {key: take(given, key, "number", 0, 1) for key in MATURITIES}
        taken["use_cases"] = sizes("use_cases", given.pop("use_cases"))
        taken |= {key: ages(given, key) for key in ("team_weeks", "scaling_weeks", "ebit_weeks")}
        taken["ending_week"] = take(given, "ending_week", "count", 4, 5200)
    except InvalidInput as error:
        raise InvalidInput(f"surveyed.{error.key}", error.value, error.allowed) from None
    if abs(sum(taken[m] for m in MATURITIES) - 1) > 1e-9:
        raise InvalidInput("surveyed", [taken[m] for m in MATURITIES], "shares of low, middle and high that add up to 1")
    strategies = STRATEGIES if given["strategies"] is None else given["strategies"]
    if not isinstance(strategies, Mapping) or not strategies:
        raise InvalidInput("surveyed.strategies", strategies, "a mapping of strategies to their shares")
    for name, share in strategies.items():
        if name not in available("strategy"):
            raise InvalidInput("surveyed.strategies", name, nearest(str(name), available("strategy")))
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InvalidInput(f"surveyed.strategies.{name}", share, "a share above 0")
    if abs(sum(strategies.values()) - 1) > 1e-9:
        raise InvalidInput("surveyed.strategies", round(sum(strategies.values()), 9), "shares that add up to 1")
    return Surveyed(**taken, strategies={str(name): float(share) for name, share in strategies.items()})


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
