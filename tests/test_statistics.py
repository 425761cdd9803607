"""Intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.lab.statistics import mean, median, share


def test_intervals_hold_what_they_promise():
    """Coverage of the 95% intervals on known distributions, within four standard errors."""
    generator = np.random.Generator(np.random.PCG64(1))
    trials, hits = 600, {"mean": 0, "share": 0, "median": 0}
    for _ in range(trials):
        x = generator.normal(3, 2, 30)
        low, high = mean(x)[1:]
        hits["mean"] += low <= 3 <= high
        low, high = share(float((generator.random(40) < 0.3).sum()), 40)[1:]
        hits["share"] += low <= 0.3 <= high
        low, high = median(generator.exponential(1, 51))[1:]
        hits["median"] += low <= np.log(2) <= high
    for name, count in hits.items():
        assert abs(count / trials - 0.95) < 4 * np.sqrt(0.95 * 0.05 / trials), name


def test_weeks_never_reached_stay_never():
    assert median(np.array([5.0, 7.0, np.inf, np.inf, np.inf]))[0] == np.inf
    assert share(0.0, 10)[1] == pytest.approx(0, abs=1e-12) and share(0.0, 10)[2] > 0.2
