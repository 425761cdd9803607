"""Bad data and forecasts: files read, defects put in, forecasters, the fitted response, and the command."""

from __future__ import annotations

import datetime
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import contents, only, plain
from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from experiments.response import fit, forecasters, measure
from experiments.response.demand import LOCAL_WEEKS, PACKS, Booked, Defects, book, generate_demand, read_demand
from experiments.response.fit import fit_response
from experiments.response.forecasters import FORECASTERS, recent
from experiments.response.measure import LEVELS, Measured, measured_at, settings_of, until
from experiments.response.tables import as_preset, checks, joint
from sim import presets
from sim.configuration import from_mapping
from sim.parameters import Parameters
from sim.presets import load, read_yaml
from sim.schema import InvalidInput

CLEAN = Defects()
#: One level of each defect and a short test: what the command needs least of.
QUICK = ["missing=[0.3]", "late=[2]", "mapping=[0.3]", "units=[0.2]", "promotions=[0.5]", "weeks_tested=13", "replications=3", "held_out=1",
         "executor=serial"]  # fmt: skip


@pytest.fixture(scope="module")
def market():
    """A small market."""
    return generate_demand(3, brands=3, items=15, weeks=140)


@pytest.fixture
def weekly_file(tmp_path, market):
    """The small market as a file with a line a week."""
    path = tmp_path / "weekly.csv"
    path.write_text(as_csv(market))
    return path


def as_csv(demand, promotions=True):
    names = [f"QTY_{item}" for item in demand.items] + [f"PROMO_{item}" for item in demand.items] * promotions
    values = np.hstack([demand.sales, demand.promotion]) if promotions else demand.sales
    lines = [f"{day}," + ",".join(f"{v:g}" for v in row) for day, row in zip(demand.monday, values, strict=True)]
    return "\n".join(["DATE," + ",".join(names), *lines]) + "\n"


# --------------------------------------------------------------------------- demand


def test_a_weekly_file_gives_back_what_was_written(weekly_file, market):
    found = read_demand(weekly_file, 117)
    assert (found.items, found.brands, found.notes) == (market.items, market.brands, ())
    np.testing.assert_array_equal(found.sales, market.sales)
    np.testing.assert_array_equal(found.promotion, market.promotion)
    np.testing.assert_array_equal(found.brand, market.brand)
    np.testing.assert_array_equal(found.monday, market.monday)


def daily(first: str, days: int, leave_out: tuple[int, ...] = ()) -> str:
    """Two items of two brands, one sold every day, the other three times; promoted on Mondays; some days left out."""
    start = datetime.date.fromisoformat(first)
    rows = [start + datetime.timedelta(k) for k in range(days) if k not in leave_out]
    return "DATE,QTY_A_x,QTY_A_y,QTY_B_x,PROMO_B_x\n" + "".join(f"{d},1,0.5,3,{int(d.weekday() == 0)}\n" for d in rows)


def test_days_are_summed_to_whole_weeks_and_closed_days_are_told(tmp_path):
    path = tmp_path / "daily.csv"
    path.write_text(daily("2020-01-01", 5 + 10 * 7 + 2, leave_out=(20, 21)))  # from a Wednesday, to a Tuesday
    found = read_demand(path, 10)
    assert (
        str(found.monday[0]) == "2019-12-30" and len(found.sales) == 11
    )  # Monday and Tuesday may have been closed, Wednesday to Sunday not
    assert found.sales[0].tolist() == [5, 2.5, 15] and found.sales[1].tolist() == [7, 3.5, 21]
    assert sorted(found.sales[:, 0]) == [5, 5, *[7] * 9] and "2 days are not in the file" in found.notes[0]
    assert found.promotion[1].tolist() == pytest.approx([0, 0, 1 / 7])


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("", "bad.csv", "a first line with the columns DATE"),
        ("DAY,QTY_A_x\n", "line 1", "DATE"),
        ("DATE,QTY_A_x,QTY_B_x,PRICE_A_x\n", "line 1, column 4", "QTY_<brand>_<item> or PROMO_"),
        ("DATE,QTY_A_x,QTY_B_x,QTY_A_x\n", "line 1, column 4", "each column once"),
        ("DATE,QTY_A_x,QTY_B_x,QTY_B_y,PROMO_B_z\n", "line 1, column 5", "QTY_B_"),
        ("DATE,QTY_A_x,QTY_A_y\n", "line 1", "two brands"),
        (daily("2020-01-01", 3).replace("01-02", "01-01"), "line 3, column DATE", "each date once"),
        (daily("2020-01-01", 3).replace("01-03", "01-01"), "line 4, column DATE", "ascending"),
        (daily("2020-01-01", 3).replace("2020-01-02", "2.1.2020"), "line 3, column DATE", "2018-12-31"),
        (daily("2020-01-01", 3).replace("2020-01-02", "2020-02-30"), "line 3, column DATE", "2018-12-31"),
        (daily("2020-01-01", 9, (2, 3, 4, 5)), "line 4, column DATE", "no more than 3 days missing"),
        (daily("2020-01-01", 3).replace("0.5", "-1", 1), "line 2, column QTY_A_y", "a quantity from 0"),
        (daily("2020-01-01", 3).replace("0.5", "", 1), "line 2, column QTY_A_y", "0 where nothing was sold"),
        (daily("2020-01-01", 3).replace("0.5", "nan", 1), "line 2, column QTY_A_y", "a quantity"),
        (daily("2020-01-01", 3).replace("0.5", "1e999", 1), "line 2, column QTY_A_y", "a quantity"),
        (daily("2020-01-01", 3).replace("0.5", "=1+1", 1), "line 2, column QTY_A_y", "a quantity"),
        (daily("2020-01-01", 3).replace(",3,0", ",3,2", 1), "line 2, column PROMO_B_x", "1 on promotion"),
        (daily("2020-01-01", 3).replace(",3,0", ",3", 1), "line 2", "5 cells"),
        (daily("2020-01-01", 70), "bad.csv", "20 whole weeks or more"),
        ("DATE,QTY_A_x,QTY_A_y,QTY_B_x\n", "bad.csv", "20 whole weeks or more"),
        ("DATE,QTY_A_x,QTY_A_y,QTY_B_x\n2020-01-06,1,1,1\n2020-01-13,1,1,1\n2020-01-21,1,1,1\n", "line 4, column DATE", "every 7 days"),
    ],
)
@pytest.mark.fault(
    "files", "demand files: gaps, duplicates, negative or no numbers, unknown columns, too short", "refused with file and line"
)
def test_demand_files_that_are_refused(text, where, hint, tmp_path):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(InvalidInput) as error:
        read_demand(tmp_path / "bad.csv", 20)
    assert where in error.value.key and hint in error.value.allowed


@pytest.mark.fault(
    "files",
    "demand files that are not there, a folder, not UTF-8, in which a brand stops selling, or all sell the same every week",
    "one line, exit code 2",
)
def test_files_that_cannot_be_used_are_refused_in_one_line(call, tmp_path, market):
    (tmp_path / "damaged.csv").write_bytes("DATE,QTY_A_ö\n".encode() + b"\xff\n")
    stopped = replace(market, sales=np.where((market.brand == 2) & (np.arange(140)[:, None] > 120), 0, market.sales))
    (tmp_path / "stopped.csv").write_text(as_csv(stopped))
    (tmp_path / "regular.csv").write_text(as_csv(replace(market, sales=np.full_like(market.sales, 7))))
    for name, hint in (
        ("regular.csv", "relative errors need errors without defects"),
        ("none.csv", "No such file"),
        (".", "not a file"),
        ("damaged.csv", "UTF-8"),
        ("stopped.csv", "B3 sells nothing for 13 weeks"),
    ):
        code, out, err = call("response", *QUICK, f"demand={name}")
        assert (code, out, err.count("\n")) == (2, "", 1) and hint in err and "Traceback" not in err
    assert not (tmp_path / "results").exists()


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


# --------------------------------------------------------------------------- defects


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


# --------------------------------------------------------------------------- forecasters


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


def test_a_wrong_brand_changes_items_for_the_global_model_only_and_no_total():
    demand = generate_demand(2, items=24)
    clean, wrong = (measured_at(demand, d, 1, 26, 26, False) for d in (CLEAN, Defects(mapping=0.5)))
    for k, name in enumerate(FORECASTERS):
        assert (clean[0][k] == wrong[0][k]).all() == (name != "boosting"), name
        assert wrong[1][k].sum() > clean[1][k].sum()
    own = [k for k, name in enumerate(FORECASTERS) if name != "boosting"]
    np.testing.assert_allclose(clean[2][own], wrong[2][own])


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


def test_a_response_that_the_model_cannot_take_makes_no_preset():
    strong = made_up(lambda d: 20 * d.missing)
    assert as_preset(strong, {"seed": 1}, "") == "" and "missing: 0.2" in as_preset(made_up(linear), {"seed": 1}, "")
    assert made_up(linear, noise=0.5).ratio("planner")[1] >= 0


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


# --------------------------------------------------------------------------- the fitted response


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


def test_settings_hold_each_defect_alone_pairs_triples_and_all():
    kinds = [kind for _, kind, _ in settings_of(LEVELS_TRIED)]
    assert {kind: kinds.count(kind) for kind in kinds} == {"clean": 1, "single": 11, "pair": 3, "triple": 3, "all": 1}
    names = [name for name, _, _ in settings_of(LEVELS_TRIED)]
    assert len(set(names)) == len(names) and "missing0.3+late2" in names


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


def test_a_curved_response_fails_on_what_was_held_out_and_says_the_defects_are_less_than_additive():
    found = made_up(lambda d: 0.3 * np.sqrt(linear(d)), noise=0.005)
    held = checks(found).set_index(["forecaster", "cells_are"])
    assert held.loc[("boosting", "all that was held out"), "ratio"] > 3
    together = joint(found)
    assert (together["difference_high"][together["kind"] != "all"] < 0).all()


def test_the_interval_covers_the_truth_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(fit, "RESAMPLES", 300)
    settings, truth, inside = settings_of(LEVELS_TRIED), np.array([0.2, 0.05, 0.1]), 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        item = np.array(
            [[1 + linear(d) + 0.02 * rng.standard_normal() * (k > 0) for _ in range(8)] for k, (_, _, d) in enumerate(settings)]
        )
        errors = np.broadcast_to(item[:, :, None, None], (len(settings), 8, 5, 4))
        found = fit_response(Measured(tuple(settings), dict.fromkeys(LEVELS, errors), np.full((8, 4), 2.0)), 5, seed, False)
        _, low, high = found.coefficients["boosting", "item"].T
        inside += int(((low <= truth) & (truth <= high)).sum())
    assert 162 <= inside <= 178  # 171 of 180 expected, give or take 3


# --------------------------------------------------------------------------- the command


def test_the_command_measures_a_file_and_writes_all_it_names(call, tmp_path, weekly_file, market):
    code, out, err = call("response", *QUICK, "demand=weekly.csv", "years=last")
    assert (code, err) == (0, "") and "weekly.csv: 15 items, 140 weeks" in plain(out)
    folder = only(tmp_path / "results" / "response")
    for name in ("figure.png", "errors.csv", "summary.csv", "response.csv", "checks.csv", "joint.csv", "forecast.yaml", "manifest.json"):
        assert name in plain(out) and (folder / name).stat().st_size > 100
    errors = pd.read_parquet(folder / "errors.parquet")
    assert len(errors) == 11 * 3 * 5 * 3 and errors["wape"].notna().all()
    by_hand = measured_at(market, Defects(missing=0.3), 2, 13, 26, False)  # replication 1
    row = errors[(errors["setting"] == "missing0.3") & (errors["replication"] == 1) & (errors["level"] == "item")].set_index("forecaster")
    np.testing.assert_allclose(row.loc[list(FORECASTERS), "wape"], by_hand[0].sum(axis=1) / by_hand[3].sum())
    described = pd.read_csv(folder / "data_dictionary.csv")
    assert described["meaning"].notna().all() and set(described["dataset"]) == {"runs", "errors", "summary", "response", "checks", "joint"}
    response_table = pd.read_csv(folder / "response.csv").query("best and level == 'item' and in_the_response").set_index("coefficient")
    fitted = read_yaml(folder / "forecast.yaml")
    assert set(fitted) == {"missing", "late", "mapping"}
    for name, value in fitted.items():
        assert value == pytest.approx(max(0, response_table.loc[name, "estimate"]), abs=0.0005)
    assert from_mapping({"forecast": fitted}).forecast.late == fitted["late"]


@pytest.mark.slow
def test_generated_demand_gives_the_same_bytes_on_any_number_of_workers(call, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "generate_demand", lambda seed: generate_demand(seed, items=8, brands=2, weeks=120))
    for name, *executor in (("one", "executor=serial"), ("two", "executor=processes", "executor.workers=2"), ("again", "executor=serial")):
        code, _, err = call("response", *QUICK, *executor, f"output={name}")
        assert (code, err) == (0, "")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "again")


def test_the_response_is_saved_as_a_preset_of_that_name_and_no_other_is_replaced(call, tmp_path, weekly_file, monkeypatch):
    shutil.copytree(presets.CONFIGS, tmp_path / "configs")
    monkeypatch.setattr(presets, "CONFIGS", tmp_path / "configs")
    saved = tmp_path / "configs" / "forecast" / "mine.yaml"
    assert call("response", *QUICK, "demand=weekly.csv", "save_as=mine", "output=one")[0] == 0
    assert saved.read_text() == (tmp_path / "one" / "forecast.yaml").read_text() and str(tmp_path) not in saved.read_text()
    code, _, err = call("response", *QUICK, "demand=weekly.csv", "save_as=mine", "output=two", "seed=9")
    assert code == 2 and "no other forecast has" in err and not (tmp_path / "two").exists()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("missing=[]", "one to six ascending shares"),
        ("missing=[0.3,0.1]", "ascending"),
        ("missing=[0.95]", "at most 0.9"),
        ("late=[1.5]", "whole numbers"),
        ("late=[27]", "at most 26"),
        ("mapping=some", "ascending shares"),
        ("replications=2", "from 3"),
        ("held_out=3", "from 1 to 1"),
        ("years=all", "drawn or last"),
        ("weeks_tested=200", "from 13 to 104"),
        ("save_as=../x", "small letters"),
        ("save_as=probe", "no other forecast has"),
        ("demnd=x.csv", "did you mean demand"),
        ("output=/dev/null/x", "a folder"),
    ],
)
@pytest.mark.fault("configuration", "response: levels, counts and names that cannot be used", "refused in one line")
def test_settings_that_are_refused(given, hint, call, tmp_path):
    code, out, err = call("response", *QUICK, given)
    assert (code, out, err.count("\n")) == (2, "", 1) and hint in err and list(tmp_path.iterdir()) == []


def test_the_measured_preset_is_one_that_the_model_takes():
    values = load("forecast", "measured")
    default = Parameters().forecast
    assert set(values) == {"missing", "late", "mapping"} and all(0 <= v <= 5 for v in values.values())
    assert from_mapping({"forecast": values}).forecast.best == default.best
