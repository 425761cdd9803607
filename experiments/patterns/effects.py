"""Effects that take more than a difference of two readings, and findings in words; each from the readings of all arms."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.stats import rankdata

from experiments.lab.statistics import mean
from experiments.patterns.pattern import Readings
from experiments.patterns.readings import HOLD, SOON
from sim.views.words import interval


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation over the seeds where both are defined, NaN below three of them; 0 where one of the two does not vary."""
    defined = ~(np.isnan(a) | np.isnan(b))
    x, y = rankdata(a[defined]), rankdata(b[defined])
    if len(x) < 3:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def valley(r: Readings) -> np.ndarray:
    """By how much fewer teams are in the middle third of reliance than in either outer one."""
    return np.minimum(r["all.low"], r["all.high"]) - r["all.middle"]


#: Reliability down and up again: multiples of the quality at which the forecast errs as planners do.
WAY = (1.2, 1.0, 0.8, 0.6, 0.8, 1.0)


def loop(r: Readings, reading: str = "step") -> np.ndarray:
    """Reliance on the way down less on the way up, mean over the levels of :data:`WAY` that are met twice."""
    bottom = WAY.index(min(WAY))
    return np.mean([r[f"cycle.{reading}{bottom - k}"] - r[f"cycle.{reading}{bottom + k}"] for k in range(1, len(WAY) - bottom)], axis=0)


def lag(r: Readings) -> str:
    """How much of the loop is there before trust and sponsorship have settled."""
    soon, end = (mean(loop(r, reading)) for reading in ("soon", "step"))
    return f"The loop is {interval('', *soon)} {SOON} weeks after each step and {interval('', *end)} after {HOLD}."


CHAMPIONS = tuple(range(0, 55, 5))  # per cent of planners


def rise_inside(r: Readings) -> np.ndarray:
    """Rise of reliance per point of champions between 10 and 40%, less the rise outside, in points."""
    at = {level: r[f"{level}%.followers"] for level in (0, 10, 40, 50)}
    inside = (at[40] - at[10]) / 30
    outside = ((at[10] - at[0]) + (at[50] - at[40])) / 20
    return 100 * (inside - outside)


def steepest(r: Readings) -> str:
    """Where mean reliance rises most with the share of champions."""
    rises = [float(np.nanmean(r[f"{b}%.followers"] - r[f"{a}%.followers"])) for a, b in itertools.pairwise(CHAMPIONS)]
    k = int(np.argmax(rises))
    return (
        f"The steepest rise is between {CHAMPIONS[k]} and {CHAMPIONS[k + 1]}% champions ({100 * rises[k]:.1f} points of reliance; "
        f"{100 * float(np.mean(rises)):.1f} on average)."
    )


INTEGRATION_LEVELS = (0, 20, 40, 60, 80, 100)  # per cent


def worth_of_accuracy(r: Readings, level: int) -> np.ndarray:
    """Value of the last year that one tenth off the forecast's error brings at a level of integration [EUR]."""
    return r[f"{level}%, accurate.value"] - r[f"{level}%.value"]


def crossover(r: Readings) -> str:
    """Where, in the mean over seeds, a tenth of integration begins or ceases to bring less than a tenth off the error."""
    values = [float(np.nanmean(r[f"{level}%.value"])) for level in INTEGRATION_LEVELS]
    worths = [float(np.nanmean(worth_of_accuracy(r, level))) for level in INTEGRATION_LEVELS]
    said = (f"€{w / 1e6:.2f}M at {level}%" for level, w in zip(INTEGRATION_LEVELS, worths, strict=True))
    text = ", ".join(said).replace("€-", "−€")
    a, b = INTEGRATION_LEVELS[:-1], INTEGRATION_LEVELS[1:]
    tenth = [(v - u) * 10 / (y - x) for u, v, x, y in zip(values[:-1], values[1:], a, b, strict=True)]
    ahead = [(w + v) / 2 - t for w, v, t in zip(worths[:-1], worths[1:], tenth, strict=True)]  # at the middle of each interval
    turns = [
        (a[k] + b[k]) / 2 + (a[k + 1] - a[k]) * ahead[k] / (ahead[k] - ahead[k + 1])
        for k in range(len(ahead) - 1)
        if (ahead[k] < 0) != (ahead[k + 1] < 0)
    ]
    at = " and ".join(f"{turn:.0f}%" for turn in turns)
    crossing = (
        f"the means cross at {at}" if turns else f"{'accuracy' if ahead[0] >= 0 else 'integration'} brings more in the mean at each of them"
    )
    return f"A tenth off the error is worth {text} of integration, a year; against a tenth of integration, {crossing}."
