"""Forecasters see what is booked and nothing later, and do what the field says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from experiments.response import forecasters
from experiments.response.demand import Booked, Defects, book, generate_demand
from experiments.response.forecasters import FORECASTERS, recent
from experiments.response.measure import measured_at

CLEAN = Defects()


def test_recent_means_are_those_of_a_plain_loop(market):
    y = book(market, Defects(missing=0.5), 1).sales[:60, :4]
    for weeks, late in ((4, 0), (13, 3)):
        fast = recent(y, weeks, late)
        for t in range(60):
            window = y[max(0, t - late - weeks) : max(0, t - late)]
            slow = [w[~np.isnan(w)].mean() if (~np.isnan(w)).any() else np.nan for w in window.T]
            np.testing.assert_allclose(fast[t], slow)


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("late", [0, 3])
def test_nothing_is_forecast_from_weeks_that_are_not_there_yet(name, late, market):
    booked = book(market, Defects(missing=0.1, late=late, mapping=0.2), 1)
    first, week = 110, 120
    before = FORECASTERS[name](booked, first, 10, 1)
    sales = booked.sales.copy()
    sales[week:] = 1e6
    after = FORECASTERS[name](replace(booked, sales=sales), first, 10, 1)
    assert before.shape == (30, 15) and np.isfinite(before).all() and (before >= 0).all()
    np.testing.assert_array_equal(before[: week - first + late + 1], after[: week - first + late + 1])
    if name != "seasonal_naive":
        assert (before[week - first + late + 1] != after[week - first + late + 1]).all()  # and the week after it is seen at once


def test_seasonal_naive_is_last_year(market):
    found = FORECASTERS["seasonal_naive"](book(market, CLEAN, 1), 110, 10, 1)
    np.testing.assert_array_equal(found, market.sales[58:88])
    sales = market.sales.copy()
    sales[58] = np.nan
    found = FORECASTERS["seasonal_naive"](replace(book(market, CLEAN, 1), sales=sales), 110, 10, 1)
    np.testing.assert_allclose(found[0], (market.sales[57] + market.sales[59]) / 2)


@pytest.mark.parametrize("late", [0, 2])
def test_smoothing_is_that_of_statsmodels(late, market, monkeypatch):
    monkeypatch.setattr(forecasters, "ALPHAS", np.array([0.3]))
    found = FORECASTERS["smoothing"](book(market, Defects(late=late), 1), 110, 10, 1)
    for i in (0, 7):
        y = market.sales[:, i]
        model = SimpleExpSmoothing(y, initialization_method="known", initial_level=y[:13].mean()).fit(smoothing_level=0.3, optimized=False)
        np.testing.assert_allclose(found[:, i], model.fittedvalues[110 - late : 140 - late])


def test_smoothing_chooses_the_weight_that_suits():
    rng = np.random.default_rng(1)
    walk, noise = 100 + np.cumsum(rng.normal(0, 3, 140)), 100 + rng.normal(0, 10, 140)
    booked = Booked(np.column_stack([walk, noise]), np.zeros((140, 2)), np.array([0, 1]), 2, 0)
    found = FORECASTERS["smoothing"](booked, 100, 10, 1)
    assert np.abs(np.diff(found[:, 0])).mean() > 5 * np.abs(np.diff(found[:, 1])).mean()


def test_boosting_learns_promotions_and_says_the_same_twice():
    rng = np.random.default_rng(1)
    promotion = (rng.random((140, 40)) < 0.2).astype(float)
    sales = rng.poisson(rng.uniform(20, 60, 40) * (1 + 2 * promotion)).astype(float)
    booked = Booked(sales, promotion, np.arange(40) % 2, 2, 0)
    found = FORECASTERS["boosting"](booked, 110, 15, 1)
    np.testing.assert_array_equal(found, FORECASTERS["boosting"](booked, 110, 15, 2))
    ratio = (found / sales[:110].mean(axis=0))[promotion[110:] == 1].mean() / (found / sales[:110].mean(axis=0))[
        promotion[110:] == 0
    ].mean()
    assert ratio == pytest.approx(3, rel=0.1)
    blind = FORECASTERS["boosting"](replace(booked, promotion=np.full_like(promotion, np.nan)), 110, 15, 1)
    assert np.abs(blind - sales[110:]).sum() > 1.5 * np.abs(found - sales[110:]).sum()


@pytest.mark.fault("files", "items launched late, with odd sales long before", "forecast like others, nothing infinite, none clipped")
def test_items_launched_late_are_no_harder_for_the_trees_than_for_a_planner():
    """Near-zero means of the weeks before a launch made sales thousands of times as large as what was learnt."""
    demand, rng = generate_demand(3, brands=2, items=24, weeks=208), np.random.default_rng(1)
    sales = demand.sales * 100
    for i in range(0, 24, 3):
        launch = int(rng.integers(60, 190))
        sales[:launch, i] = 0
        sales[max(0, launch - 40) : launch, i] = rng.random(min(40, launch)) < 0.05
    launched = replace(demand, sales=sales)
    for defects in (CLEAN, Defects(missing=0.3, late=2)):
        errors, *_, sold = measured_at(launched, defects, 1, 52, 26, False)
        wape = dict(zip(FORECASTERS, errors.sum(axis=1) / sold.sum(), strict=True))
        assert np.isfinite(errors).all() and wape["boosting"] < 1.2 * wape["moving_average"], wape
