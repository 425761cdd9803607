"""The response fitted to what was measured: exact where it is linear, with intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.response import fit
from experiments.response.fit import fit_response
from experiments.response.measure import LEVELS, Measured, settings_of
from experiments.response.tables import checks, joint

LEVELS_TRIED = {"missing": [0.1, 0.3, 0.5], "late": [1, 2, 4], "mapping": [0.1, 0.3, 0.5], "units": [0.1], "promotions": [0.5]}


def made_up(effect, noise=0.0, replications=12, fitted=8, items=30):
    """Errors in which the share that ``effect(defects)`` says is added, with noise between settings and replications."""
    rng = np.random.default_rng(1)
    settings = settings_of(LEVELS_TRIED)
    sales = rng.uniform(50, 150, (replications, items))
    added = np.array(
        [[effect(d) + noise * rng.standard_normal() * (k > 0) for _ in range(replications)] for k, (_, _, d) in enumerate(settings)]
    )
    best = np.array([0.6, 0.5, 0.4, 0.55, 0.5])  # of the five methods
    item = (1 + added)[:, :, None, None] * best[:, None] * sales[:, None]
    total = {"item": item, "brand": item.reshape(*item.shape[:3], 2, -1).sum(axis=4), "total": item.sum(axis=3, keepdims=True)}
    return fit_response(Measured(tuple(settings), total, sales), fitted, 1, False)


def linear(d):
    return 0.2 * d.missing + 0.05 * d.late + 0.1 * d.mapping


def test_a_linear_response_is_found_exactly():
    found = made_up(linear)
    assert found.best == "boosting"
    for level in LEVELS:
        np.testing.assert_allclose(found.coefficients["boosting", level], np.repeat([[0.2], [0.05], [0.1]], 3, axis=1), atol=1e-9)
    assert found.ratio("planner") == pytest.approx((0.8, 0.8, 0.8))
    held = checks(found).set_index(["forecaster", "cells_are"])
    assert held.loc[("boosting", "both held out"), "error"] < 1e-12
    assert joint(found)["difference"].abs().max() < 1e-12


def test_noise_widens_the_intervals_and_leaves_the_held_out_error_near_the_spread():
    found = made_up(linear, noise=0.02)
    estimate, low, high = found.coefficients["boosting", "item"].T
    assert ((low < [0.2, 0.05, 0.1]) & (high > [0.2, 0.05, 0.1])).all() and (high - low > [0.02, 0.002, 0.02]).all()
    row = checks(found).set_index(["forecaster", "cells_are"]).loc[("boosting", "all that was held out")]
    assert row["seed_spread"] == pytest.approx(0.02, rel=0.15) and row["ratio"] == pytest.approx(1, abs=0.25)
    assert estimate[0] == pytest.approx(0.2, abs=0.03)


def test_the_interval_covers_the_truth_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(fit, "RESAMPLES", 300)
    settings, truth, inside = settings_of(LEVELS_TRIED), np.array([0.2, 0.05, 0.1]), 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        item = np.array(
            [[1 + linear(d) + 0.02 * rng.standard_normal() * (k > 0) for _ in range(8)] for k, (_, _, d) in enumerate(settings)]
        )
        errors = np.broadcast_to(item[:, :, None, None], (len(settings), 8, 5, 4))
        found = fit_response(Measured(tuple(settings), dict.fromkeys(LEVELS, errors), np.full((8, 4), 2.0)), 5, seed, False)
        _, low, high = found.coefficients["boosting", "item"].T
        inside += int(((low <= truth) & (truth <= high)).sum())
    assert 107 <= inside <= 119  # 114 of 120 expected, give or take 2.4


def test_the_interval_of_a_ratio_of_errors_ends_at_0():
    """One replication of eight has nearly all errors of the best: the half width is larger than the ratio."""
    settings = settings_of(LEVELS_TRIED)
    errors = np.full((len(settings), 8, 5, 4), 1000.0)
    errors[:, :, 2] = 1 + 99 * (np.arange(8) == 0)[:, None]
    found = fit_response(Measured(tuple(settings), dict.fromkeys(LEVELS, errors), np.full((8, 4), 2000.0)), 8, 1, False)
    ratio, low, high = found.ratio("planner")
    assert found.best == "boosting" and ratio == pytest.approx(107 / 8000) and low == 0 and high > 2 * ratio
