"""Measuring: sums of absolute errors of every forecaster, and the settings that are measured."""

from __future__ import annotations

import numpy as np
import pytest
from test_response_fit import LEVELS_TRIED

from experiments.response.demand import Defects, book, generate_demand
from experiments.response.forecasters import FORECASTERS
from experiments.response.measure import measured_at, settings_of, until

CLEAN = Defects()


def test_a_wrong_brand_changes_items_for_the_global_model_only_and_no_total():
    demand = generate_demand(2, items=24)
    clean, wrong = (measured_at(demand, d, 1, 26, 26, False) for d in (CLEAN, Defects(mapping=0.5)))
    for k, name in enumerate(FORECASTERS):
        assert (clean[0][k] == wrong[0][k]).all() == (name != "boosting"), name
        assert wrong[1][k].sum() > clean[1][k].sum()
    own = [k for k, name in enumerate(FORECASTERS) if name != "boosting"]
    np.testing.assert_allclose(clean[2][own], wrong[2][own])


def test_what_is_measured_is_the_sum_of_absolute_errors(market):
    found = measured_at(market, Defects(mapping=0.4), 7, 20, 10, False)
    booked = book(market, Defects(mapping=0.4), 7)
    forecast = FORECASTERS["planner"](booked, 120, 10, 7)
    errors = [sum(abs(forecast[t, i] - market.sales[120 + t, i]) for t in range(20)) for i in range(15)]
    np.testing.assert_allclose(found[0][4], errors)
    brand = sum(abs(forecast[t, booked.brand == 1].sum() - market.sales[120 + t, market.brand == 1].sum()) for t in range(20))
    assert found[1][4, 1] == pytest.approx(brand)
    np.testing.assert_allclose(found[3], market.sales[120:].sum(axis=0))


def test_the_weeks_tested_are_drawn_from_the_file(market):
    ends = [len(until(market, 20, seed).sales) for seed in range(200)]
    assert min(ends) == 124 and max(ends) == 140 and until(market, 20, None) is market
    part = until(market, 20, 3)
    np.testing.assert_array_equal(part.sales, market.sales[: len(part.sales)])


def test_settings_hold_each_defect_alone_pairs_triples_and_all():
    kinds = [kind for _, kind, _ in settings_of(LEVELS_TRIED)]
    assert {kind: kinds.count(kind) for kind in kinds} == {"clean": 1, "single": 11, "pair": 3, "triple": 3, "all": 1}
    names = [name for name, _, _ in settings_of(LEVELS_TRIED)]
    assert len(set(names)) == len(names) and "missing0.3+late2" in names
