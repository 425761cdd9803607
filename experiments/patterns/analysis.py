"""Which tests emerge, and which of them their ablation removes: from the readings of the runs to one row per test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.statistics import RESAMPLES, mean, share
from experiments.patterns.pattern import Pattern, Readings, Test

#: The rule for all patterns, stated once. A test emerges where the 95% interval of its mean effect lies on the claimed side
#: of 0 and fewer than this share of seeds fail, that is show no effect on that side, or none that is defined. A pattern
#: emerges where all of its tests do.
MOST_FAILS = 0.25
#: An ablation removes a test that emerged where the ablated effect's interval reaches 0 or the other side, where it fails in
#: this share of seeds or more, or where it keeps less than this share of the effect, with the interval of the difference
#: leaving out 0. A pattern is all of its tests together, so it is removed where one of them is.
REMOVED_FAILS, KEPT = 0.5, 0.5


@dataclass(frozen=True)
class Estimate:
    """A mean effect with its 95% interval, the share of seeds that fail, and of those in which it is not defined."""

    effect: float
    low: float
    high: float
    fails: float = np.nan
    undefined: float = 0.0

    def beyond(self, direction: int) -> bool:
        """Whether the interval lies on that side of 0."""
        return self.low > 0 if direction > 0 else self.high < 0


def estimate(test: Test, readings: Readings, seed: int) -> tuple[Estimate, np.ndarray]:
    """Effect of a test and its value in each seed (of one across seeds: in each sample of the bootstrap).

    Seeds in which the effect is not defined are left out of the mean and count as fails.
    """
    if test.across:
        n = len(next(iter(readings.values())))
        drawn = np.random.Generator(np.random.SFC64(seed)).integers(0, n, (RESAMPLES, n))
        samples = np.array([test.statistic(Missing({name: values[chosen] for name, values in readings.items()})) for chosen in drawn])
        low, high = np.quantile(samples, (0.025, 0.975))
        return Estimate(float(test.statistic(readings)), float(low), float(high)), samples
    effects = np.asarray(test.statistic(readings), float)
    defined = effects[~np.isnan(effects)]
    fails = float(np.mean(~(test.direction * effects > 0)))
    undefined = 1 - len(defined) / len(effects)
    if len(defined) < 2:
        return Estimate(np.nan, np.nan, np.nan, fails, undefined), effects
    return Estimate(*mean(defined), fails, undefined), effects


def emerges(test: Test, found: Estimate) -> bool:
    """The rule at :data:`MOST_FAILS`."""
    return found.beyond(test.direction) and not found.fails >= MOST_FAILS


def removed(test: Test, effects: np.ndarray, ablated: Estimate, without: np.ndarray) -> bool:
    """The rule at :data:`KEPT`, for a test that emerged; effects and those without are of the same seeds."""
    if not ablated.beyond(test.direction) or ablated.fails >= REMOVED_FAILS:
        return True
    less = test.direction * (KEPT * effects - without)
    less = less[~np.isnan(less)]
    if test.across:
        return bool(len(less) > 1 and np.quantile(less, 0.025) > 0)
    return bool(len(less) > 1 and mean(less)[1] > 0)


class Missing(dict[str, np.ndarray]):
    """Readings of arms of which every run failed: not defined in any seed."""

    def __missing__(self, key: str) -> np.ndarray:
        return np.full(len(next(iter(self.values()))) if self else 1, np.nan)


def readings_of(runs: pd.DataFrame, pattern: Pattern, variant: str, seeds: np.ndarray) -> dict[str, np.ndarray]:
    """Readings of the arms by ``arm.reading`` [seeds], NaN where a run failed."""
    rows = runs[(runs["pattern"] == pattern.name) & (runs["variant"] == variant)]
    good = rows[rows["reading"] != ""]
    wide = good.assign(key=good["arm"] + "." + good["reading"]).pivot(index="seed", columns="key", values="value")
    found = {str(name): wide[name].reindex(seeds).to_numpy(float) for name in wide}
    return Missing(found or {"": np.full(len(seeds), np.nan)}) if (rows["error"] != "").any() else found


def judge(runs: pd.DataFrame, chosen: tuple[Pattern, ...], seeds: np.ndarray) -> pd.DataFrame:
    """One row per test, with the verdict on its pattern, from the readings of the runs (:data:`experiments.patterns.study.SCHEMA`)."""
    rows: list[dict[str, Any]] = []
    for pattern in chosen:
        claim, ablation = (readings_of(runs, pattern, variant, seeds) for variant in ("claim", "ablation"))
        made: list[dict[str, Any]] = []
        for test in pattern.tests:
            found, effects = estimate(test, claim, int(seeds[0]))
            ablated, without = estimate(test, ablation, int(seeds[0]))
            holds = emerges(test, found)
            often = (np.nan,) * 3 if test.across else share(found.fails * len(seeds), len(seeds))
            made.append({
                "pattern": pattern.name, "test": test.name, "claim": pattern.claim, "where": pattern.where, "effect_is": test.effect,
                "unit": test.unit, "direction": test.direction,
                "effect": found.effect, "effect_low": found.low, "effect_high": found.high, "fails": found.fails,
                "fails_low": often[1], "fails_high": often[2], "undefined": found.undefined,
                "ablation": pattern.ablation,
                "ablated": ablated.effect, "ablated_low": ablated.low, "ablated_high": ablated.high, "ablated_fails": ablated.fails,
                "emerges": holds,
                "removed": "" if not holds else "yes" if removed(test, effects, ablated, without) else "no",
            })  # fmt: skip
        verdict = verdict_of([row["emerges"] for row in made], [row["removed"] for row in made])
        rows += [{**row, "verdict": verdict} for row in made]
    return pd.DataFrame(rows)


def look_into(runs: pd.DataFrame, chosen: tuple[Pattern, ...], seeds: np.ndarray) -> pd.DataFrame:
    """One row per probe and test: the effect that is left."""
    columns = ["pattern", "probe", "test", "unit", "direction", "effect", "effect_low", "effect_high", "fails", "undefined"]
    rows = []
    for pattern in chosen:
        for probe in pattern.probes:
            readings = readings_of(runs, pattern, probe, seeds)
            for test in pattern.tests:
                found, _ = estimate(test, readings, int(seeds[0]))
                effect = (found.effect, found.low, found.high, found.fails, found.undefined)
                rows.append((pattern.name, probe, test.name, test.unit, test.direction, *effect))
    return pd.DataFrame(rows, columns=columns)


def findings_of(runs: pd.DataFrame, chosen: tuple[Pattern, ...], seeds: np.ndarray) -> dict[str, str]:
    """Further numbers worth printing, in words, by pattern."""
    return {pattern.name: pattern.finding(readings_of(runs, pattern, "claim", seeds)) for pattern in chosen if pattern.finding}


def verdict_of(holds: list[bool], gone: list[str]) -> str:
    """The verdict on a pattern, from those on its tests."""
    if not any(holds):
        return "does not emerge"
    return f"emerges{'' if all(holds) else ' in part'}, {'removed' if 'yes' in gone else 'not removed'}"
