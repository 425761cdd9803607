"""Estimates with their intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import special

from sim.measures import MEASURES

#: Samples of a bootstrap.
RESAMPLES = 1000


def values_of(runs: pd.DataFrame, measure: str) -> np.ndarray:
    """Values of a measure of runs, [runs]: infinite where a week was never reached, which is later than the horizon; NaN where undefined."""
    return runs[measure].astype("Float64").to_numpy(float, na_value=np.inf if MEASURES[measure].censored else np.nan)


def mean(x: np.ndarray) -> tuple[float, float, float]:
    """Mean with its 95% interval (Student)."""
    estimate = float(x.mean())
    if len(x) < 2 or x.std() == 0:
        return estimate, estimate, estimate
    half = float(half_width(x))
    return estimate, estimate - half, estimate + half


def clustered(x: np.ndarray, cluster: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float, float]:
    """Mean with its 95% interval where values of a cluster hang together: cluster-robust (Liang & Zeger 1986), Student.

    ``cluster``: which each value belongs to, [values], as organisations with the same draw of the parameters do; ``weight``: of each
    value, None: all alike.
    """
    _, of = np.unique(cluster, return_inverse=True)
    count = int(of.max()) + 1
    if weight is None or np.ptp(weight) == 0:
        if count == len(x) or count < 2:
            return mean(x)
        weight = np.ones(len(x))
    estimate, off = contributions(x, of, weight, count)
    return _robust(estimate, off, float(weight.sum()))


def contributions(x: np.ndarray, of: np.ndarray, weight: np.ndarray, count: int) -> tuple[float, np.ndarray]:
    """A weighted mean, and what each of ``count`` clusters adds to the error of the sum, [clusters]; ``of``: the cluster of each value."""
    estimate = float((weight * x).sum() / weight.sum())
    return estimate, np.bincount(of, weight * (x - estimate), count)


def _robust(estimate: float, off: np.ndarray, total: float) -> tuple[float, float, float]:
    count = len(off)
    if count < 2:
        return estimate, np.nan, np.nan
    half = float(special.stdtrit(count - 1, 0.975) * np.sqrt((off**2).sum() * count / (count - 1)) / abs(total))
    return estimate, estimate - half, estimate + half


def ratio(above: tuple[np.ndarray, np.ndarray, np.ndarray], below: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[float, float, float]:
    """A mean over another with its 95% interval, each from values, clusters and weights: clusters may be in both (delta method); NaN over 0."""
    names, of = np.unique(np.concatenate([above[1], below[1]]), return_inverse=True)
    n = len(above[0])
    a, a_off = contributions(above[0], of[:n], above[2], len(names))
    b, b_off = contributions(below[0], of[n:], below[2], len(names))
    if b == 0:
        return np.nan, np.nan, np.nan
    return _robust(a / b, a_off / above[2].sum() - a / b * b_off / below[2].sum(), b)


def clustered_share(x: np.ndarray, cluster: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float, float]:
    """A share with its 95% interval where values of a cluster hang together: Wilson's, of as many values as would be worth as much alone.

    ``x``: 0 to 1, [values]; ties count in parts. ``weight``: as :func:`clustered` has it; a weighted share of none, or of all, is worth no
    more than there are clusters.
    """
    alike = weight is None or np.ptp(weight) == 0
    clusters = len(np.unique(cluster))
    if alike and clusters == len(x):
        return share(float(x.sum()), len(x))
    p, low, _ = clustered(x, cluster, weight)
    none = len(x) if weight is None else clusters
    alone = float(special.ndtri(0.975)) ** 2 * p * (1 - p) / (p - low) ** 2 if p > low else none
    n = min(float(len(x)), max(1.0, alone))
    return share(p * n, n)


def clustered_median(x: np.ndarray, cluster: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """Median with its 95% interval where values of a cluster hang together, or count by weight (Woodruff 1952): where the interval of the
    share below the median ends."""
    clusters = len(np.unique(cluster))
    if np.ptp(weight) == 0 and clusters == len(x):
        return median(x)
    order = np.argsort(x, kind="stable")
    ordered, reached = x[order], np.cumsum(weight[order]) / weight.sum()

    def at(q: float) -> float:
        return float(ordered[min(int(np.searchsorted(reached, q - 1e-12)), len(x) - 1)])

    middle = at(0.5)
    ends = [clustered(below.astype(float), cluster, weight) for below in (x <= middle, x < middle)]  # many may be equal to it, or never
    half = max((high - low) / 2 for _, low, high in ends)
    return (middle, at(0.5 - half), at(0.5 + half)) if clusters >= 6 else (middle, np.nan, np.nan)


def within(x: np.ndarray) -> tuple[float, float]:
    """Between which values the middle nine tenths lie, each a value that occurs: where one organisation, or one run, ends."""
    low, high = np.quantile(x, (0.05, 0.95), method="inverted_cdf")
    return float(low), float(high)


def half_width(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Half width of the 95% interval (Student) of means along an axis of two values or more."""
    n = x.shape[axis]
    return special.stdtrit(n - 1, 0.975) * x.std(axis=axis, ddof=1) / np.sqrt(n)


def resampled(x: np.ndarray, statistic: Callable[..., np.ndarray], seed: int) -> tuple[float, float, float]:
    """A statistic of values, which takes ``axis``, with its 95% bootstrap interval (percentiles)."""
    drawn = np.random.Generator(np.random.SFC64(seed)).choice(x, (RESAMPLES, len(x)))
    low, high = np.quantile(statistic(drawn, axis=1), (0.025, 0.975))
    return float(statistic(x, axis=0)), float(low), float(high)


def share(hits: float, n: float) -> tuple[float, float, float]:
    """Share with its 95% interval (Wilson); ties count half, so hits may end in .5."""
    z = float(special.ndtri(0.975))
    p = hits / n
    centre, spread = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    return p, float(low) if hits > 0 else 0.0, float(high) if hits < n else 1.0


def median(x: np.ndarray) -> tuple[float, float, float]:
    """Median with its 95% interval from order statistics; infinite where most were never reached.

    Fewer than six values have no such interval (NaN): even from the least to the most it covers less.
    """
    ordered, n = np.sort(x), len(x)
    below = special.bdtr(np.arange(n + 1), n, 0.5)  # quantiles of the binomial: how many lie below the median
    low, high = (int(np.searchsorted(below, q)) for q in (0.025, 0.975))
    middle = float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)
    if n < 6:
        return middle, np.nan, np.nan
    return middle, float(ordered[max(0, low - 1)]), float(ordered[min(n - 1, high)])


def half_widths(values: np.ndarray) -> np.ndarray:
    """Half widths of the 95% intervals (Student) of the means of rows [groups, replications], NaN left out."""
    n = np.sum(~np.isnan(values), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.nanstd(values, axis=1, ddof=1) / np.sqrt(n)
        return np.where(n > 1, special.stdtrit(np.maximum(n - 1, 1), 0.975) * spread, np.inf)


def replications_needed(width: float, wanted: float, have: int, most: int) -> int:
    """Replications for an interval of a wanted half width, from the width that ``have`` gave; at most doubled at a time.

    The sequential procedure of Law (2015, Simulation Modeling and Analysis, section 9.4), after Chow
    and Robbins (1965): go on until the half width is what was wanted. As with all such rules the
    interval then covers slightly less often than stated, which the first ten replications keep small.
    """
    if width <= wanted:
        return have
    return min(most, max(have + 1, min(2 * have, int(np.ceil(have * (width / wanted) ** 2)))))
