"""Demand that is generated, and the defects that are put into it."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.response.demand import LOCAL_WEEKS, PACKS, Defects, book, generate_demand

CLEAN = Defects()


def test_a_generated_market_is_the_same_for_a_seed_and_has_what_it_says():
    one = generate_demand(5)
    np.testing.assert_array_equal(one.sales, generate_demand(5).sales)
    assert (one.sales != generate_demand(6).sales).any()
    ratio = [s[p > 0].mean() / s[p == 0].mean() for s, p in zip(one.sales.T, one.promotion.T, strict=True)]
    assert np.median(ratio) > 1.3  # promotions sell
    idle = (one.sales == 0).mean(axis=0)
    assert 0.1 < (idle > 0.2).mean() < 0.4 and np.median(idle) < 0.05  # and some items are not asked for every week
    brand = np.stack([one.sales[:, one.brand == b].sum(axis=1) for b in range(4)])
    year = np.array([np.corrcoef(b[:-52], b[52:])[0, 1] for b in brand])
    half = np.array([np.corrcoef(b[:-26], b[26:])[0, 1] for b in brand])
    assert year.mean() > half.mean() + 0.2  # a season of a year


def test_no_defects_leave_the_demand_as_it_is(market):
    booked = book(market, CLEAN, 1)
    for name in ("sales", "promotion", "brand"):
        np.testing.assert_array_equal(getattr(booked, name), getattr(market, name))


def test_defects_are_as_many_as_asked_and_nested(market):
    some, more = (book(market, Defects(missing=m, mapping=m, promotions=m, late=2), 1) for m in (0.2, 0.6))
    assert np.isnan(some.sales).mean() == pytest.approx(0.2, abs=0.03)
    for name in ("sales", "promotion"):
        assert (np.isnan(getattr(more, name)) >= np.isnan(getattr(some, name))).all()
    wrong = [b.brand != market.brand for b in (some, more)]
    assert [w.sum() for w in wrong] == [3, 9] and (wrong[1] >= wrong[0]).all() and (some.brand[wrong[0]] == more.brand[wrong[0]]).all()
    assert np.isnan(some.promotion).all(axis=0).sum() == 3 and some.late == 2
    assert (np.isnan(book(market, Defects(missing=0.2), 2).sales) != np.isnan(some.sales)).any()  # another seed, other weeks


def test_local_units_are_half_a_year_times_a_pack(market):
    booked = book(market, Defects(units=0.2), 1)
    factor = booked.sales / np.where(market.sales == 0, np.nan, market.sales)
    touched = np.flatnonzero((np.nan_to_num(factor, nan=1) != 1).any(axis=0))
    assert len(touched) == 3
    for i in touched:
        weeks = np.flatnonzero(np.nan_to_num(factor[:, i], nan=1) != 1)
        assert weeks[-1] - weeks[0] < LOCAL_WEEKS and min(abs(factor[weeks[0], i] / pack - 1) for pack in PACKS) < 1e-12
        assert np.ptp(factor[weeks, i]) < 1e-9
