"""Calibration: the outputs of a population, history matching and the posterior on known functions, and the whole study in small."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import contents, made, plain

from experiments.calibrate import emulators
from experiments.calibrate.emulators import Emulators, candidates, mode, plausible, posterior
from experiments.calibrate.study import FITTED as FIT
from experiments.calibrate.surveyed import Surveyed, surveyed_of
from experiments.calibrate.tables import KEPT, targets_table
from experiments.calibrate.targets import BOUND, PUBLISHED, TARGETS, outputs_of, population_outputs
from experiments.lab import worker
from sim import RolloutModel, population
from sim.parameters import RECORDS
from sim.population import HYPER, MATURITIES, VARIED
from sim.presets import load, read_yaml
from sim.schema import InvalidInput

SURVEYED = Surveyed(
    10,
    10,
    (0.5, 0.5),
    (0.4, 0.4),
    (40, 40),
    0.5,
    0.25,
    0.25,
    {"low": (1, 2), "middle": (2, 4), "high": (3, 6)},
    (52, 260),
    (0, 78),
    (0, 156),
    156,
    {"model_first": 0.4, "adaptive": 0.6},
)
#: A portfolio of which few organisations take on more than the first.
TWO = ["demand", "promotion"]
SMALL = [
    f"usecases=[{','.join(TWO)}]",
    "surveyed.use_cases={low: [1, 1], middle: [1, 1], high: [1, 2]}",
    "enterprise=small",
    "executor=serial",
    "surveyed.organisations=10",
    "surveyed.asked=10",
    "waves=1",
    "points=20",
    "draws=20",
]
FITTED = "fitted={utility.threshold: [0, 3]}"


# --------------------------------------------------------------------------- the population


def test_a_population_holds_the_stated_mix_around_the_presets():
    members = SURVEYED.members(500, 0.6, 0.4, 40, np.arange(1500))
    assert members.groupby("maturity")["strategy"].agg(lambda s: (s == "model_first").mean()).tolist() == pytest.approx([0.4] * 3)
    assert set(members["strategy.gate_weeks"]) == set(range(13, 41))
    high = members[members["maturity"] == "high"]
    preset = load("maturity", "high")
    for name, sign in VARIED.items():
        values = high[f"maturity.{name}"]
        assert values.median() == pytest.approx(preset[name], rel=0.1)
        assert np.corrcoef(values, sign * high["maturity.budget"])[0, 1] > 0.25  # well run in one respect, well run in others
    assert members["strategy.initiative_floor"].between(0, 0.4).all() and members["strategy.initiative_floor"].mean() == pytest.approx(
        0.2, abs=0.02
    )
    assert members["maturity.readiness"][members["maturity"] == "low"].eq(0).all()  # nothing stays nothing


def test_no_spread_gives_the_presets():
    members = SURVEYED.members(10, 0.0, 0.4, 40, np.arange(30))
    assert members[members["maturity"] == "low"]["maturity.trust"].unique() == pytest.approx([load("maturity", "low")["trust"]])


def test_outputs_are_what_a_survey_would_find():
    week = np.arange(0, 260, 4)
    n = len(week)
    teams = np.tile(np.where(week < 156, 0.0, 1.0), (3, 1))
    live = np.stack([np.where(week < 40, 1, 2), np.full(n, 1), np.where(week < 20, 0, 5)])
    net = np.stack([-week, np.where(week < 100, -week, week), np.zeros(n)]).astype(float)
    each = outputs_of(
        {"teams_trust_and_use": teams, "units_live": live, "cumulative_net": net},
        week,
        np.array([1.0, 0, 0]),
        np.array([1.0, 0, np.nan]),
        np.array([0, 1, 2]),
        SURVEYED,
    )
    of = dict(zip([target.name for target in TARGETS], each.T, strict=True))
    assert of["teams_low"][0] == of["teams_high"][2] == pytest.approx(0.5)  # weeks 52 to 260, the second half of them at 1
    assert np.isnan(of["teams_high"][:2]).all() and np.isnan(of["teams_low"][1:]).all()
    assert (of["production_low"][0], of["production_high"][2]) == (1, 0)
    assert (of["partial_low"][0], of["partial_middle"][1]) == (1, 0) and np.isnan(of["partial_low"][1:]).all()
    assert of["not_scaling"].tolist() == pytest.approx([10 / 20, 1, 5 / 20])
    assert of["ebit"].tolist() == pytest.approx([0, (156 - 100) / 4 / 39, 0])


def test_mixed_outputs_weigh_the_maturities_and_know_their_error():
    maturity = np.repeat([0, 1, 2], 10)
    each = np.full((1, 30, len(TARGETS)), np.nan)
    each[0, :, 4] = np.where(maturity == 0, 1.0, 0.0)
    each[0, maturity == 2, 0] = np.tile([0.0, 1.0], 5)
    found, errors = population_outputs(each, maturity, SURVEYED)
    assert found[0, 4] == pytest.approx(0.5) and errors[0, 4] == 0
    assert found[0, 0] == pytest.approx(0.5) and errors[0, 0] == pytest.approx(np.std([0, 1] * 5, ddof=1) / np.sqrt(10))


# --------------------------------------------------------------------------- emulators and posterior


def known(unit: np.ndarray) -> np.ndarray:
    """All outputs right at (0.3, 0.7), whatever the third parameter."""
    return PUBLISHED + np.column_stack([unit[:, 0] - 0.3, unit[:, 1] - 0.7] * 3 + [np.full(len(unit), 0.2)] * 2)


def test_history_matching_keeps_what_agrees_and_the_posterior_finds_it():
    rng = np.random.default_rng(1)
    unit = rng.random((80, 3))
    emulator = Emulators.fit(unit, known(unit) + rng.normal(0, 0.005, (80, 8)), PUBLISHED, BOUND, 0.03, 1)
    tests = rng.random((2000, 3))
    kept = plausible([emulator], tests)
    off = np.abs(known(tests) - PUBLISHED)[:, ~BOUND].max(axis=1)
    assert (emulator.distance(tests)[:, BOUND] == 0).all()  # above a bound is as good as at it
    assert (emulator.again(known(unit) - 0.5 * BOUND).distance(tests)[:, BOUND] < 0).all()  # and below it is not
    assert kept[off < 0.05].all() and not kept[off > 0.15].any()
    some, share = candidates([emulator], 3, 40, 1)
    assert some.shape == (40, 3) and plausible([emulator], some).all() and share == pytest.approx(kept.mean(), abs=0.03)
    draws = posterior(emulator, tests[kept], 1)
    assert draws[:, :2].mean(axis=0) == pytest.approx([0.3, 0.7], abs=0.02)
    assert draws[:, 0].std() == pytest.approx(0.03 / np.sqrt(3), rel=0.35)  # three targets speak about each
    assert draws[:, 2].std() == pytest.approx(1 / np.sqrt(12), rel=0.15)  # none about the third
    assert mode(emulator, draws) == pytest.approx([0.3, 0.7, 0.5], abs=0.02)


def test_a_target_is_inside_where_the_draws_and_the_discrepancy_reach_it():
    outputs = PUBLISHED + np.array([0.0, 0.04, 0.2, 0.0, 0.0, 0.0, 0.3, -0.3])  # the last two are lower bounds
    table = targets_table(np.tile(outputs, (20, 1)), outputs, 0.05, 1).set_index("target")
    assert table["inside"].tolist() == [True, True, False, True, True, True, True, False]
    assert (table["model_high"] - table["model_low"]).tolist() == pytest.approx([2 * 1.645 * 0.05] * 8, rel=0.05)


# --------------------------------------------------------------------------- the study

#: Where the draws end does not matter to what is written of them.
SHORT_CHAINS = emulators, "STEPS", 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small study that is only read: its folder and what was printed."""
    folder = tmp_path_factory.mktemp("made") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*SHORT_CHAINS)
        return folder, made("calibrate", folder, *SMALL, FITTED)


def test_a_study_holds_what_single_organisations_give(whole):
    folder, out = whole
    assert "Targets and the calibrated model" in plain(out)
    sets = pd.read_csv(folder / "sets.csv")
    settings = {"low": 0.45, "middle": 0.4, "high": 0.15}
    plan = read_plan(folder)
    surveyed = surveyed_of(plan["design"]["surveyed"])
    assert {m: plan["design"]["surveyed"][m] for m in MATURITIES} == settings
    of_set = (sets[name][3] for name in HYPER)
    members = surveyed.members(10, *of_set, 1 + 3 * 30 + np.arange(30))
    kept = []
    for o in np.flatnonzero(members["maturity"] == "high"):
        row = members.iloc[o].to_dict()
        given = {name: value for name, value in row.items() if "." in name} | plan_fitted(sets.iloc[3])
        model = RolloutModel(strategy=row["strategy"], maturity="high", enterprise="small", usecases=TWO, rng=1 + 3 * 30 + int(o), **given)
        kept.append(model.run().outcome["use_cases_kept"])
    assert sets["production_high"][3] == pytest.approx(np.mean(kept))
    draws, posterior = pd.read_csv(folder / "population.csv", comment="#"), pd.read_csv(folder / "posterior.csv", comment="#")
    assert len(draws) == KEPT and draws["utility.threshold"].to_numpy() == pytest.approx(posterior["utility.threshold"][::2], rel=1e-3)
    targets = pd.read_csv(folder / "targets.csv")
    assert (targets["published"] == PUBLISHED).all() and list(targets["target"]) == [target.name for target in TARGETS]


def plan_fitted(row: pd.Series) -> dict[str, float]:
    return {name: float(row[name]) for name in row.index if "." in str(name) and name not in HYPER}


def read_plan(folder):
    return json.loads((folder / "plan.json").read_text())


def test_what_was_found_is_saved_as_a_population_for_every_experiment(call, tmp_path, monkeypatch, configs, whole):
    shutil.copytree(whole[0], tmp_path / "one")
    saved = configs / "population" / "found.yaml"
    monkeypatch.setattr(*SHORT_CHAINS)
    monkeypatch.setattr(worker, "_shard", None)  # nothing is run again
    code, _, err = call("calibrate", *SMALL, FITTED, "save_as=found", "output=one")
    assert code == 0, err
    assert saved.with_suffix(".csv").read_text() == (tmp_path / "one" / "population.csv").read_text()
    made = population.read("found", read_yaml(saved))
    assert made.usecases == tuple(TWO) and made.size == KEPT and {"utility.threshold", *HYPER} == {*made.draws}
    for name in ("found", "mine", "../x"):
        code, _, err = call("calibrate", *SMALL, FITTED, f"save_as={name}", "seed=9", "output=two")
        assert code == 2 and err.startswith(f"error: save_as: '{name}' is not allowed") and not (tmp_path / "two").exists()


def test_the_notes_of_fitted_parameters_say_what_the_kept_draws_leave_of_them():
    kept = population.read("calibrated", load("population", "calibrated"))
    fitted = {*kept.draws} - {*HYPER}
    assert fitted == {*FIT} and not [name for name, record in RECORDS.items() if record.source == "calibrated"]  # defaults come from no fit
    for name in fitted:
        low, high = (float(number) for number in re.search(r"posterior (\S+) to (\S+?)$", RECORDS[name].note).groups())
        assert np.quantile(kept.draws[name], (0.05, 0.95)) == pytest.approx((low, high), rel=0.005), name


def test_interrupted_it_goes_on_to_the_same_bytes(call, tmp_path, monkeypatch, whole):
    shard, calls = worker._shard, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return shard(*given)

    monkeypatch.setattr(*SHORT_CHAINS)
    monkeypatch.setattr(worker, "_shard", interrupted)
    code, _, err = call("calibrate", *SMALL, FITTED, "output=again")
    assert code == 130 and "the same command goes on" in err
    assert call("calibrate", *SMALL, FITTED, "output=again", "executor=processes")[0] == 0
    assert contents(tmp_path / "again") == contents(whole[0])


@pytest.mark.fault("configuration", "settings of calibrate that cannot be used", "one line with key, value and what is allowed")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fitted={trust.los: [0, 1]}"], "fitted: 'trust.los'"),
        (["fitted={trust.loss: [1, 0]}"], "fitted.trust.loss: [1.0, 0.0]"),
        (["fitted={maturity.trust: [0.2, 0.8]}"], "fitted: 'maturity.trust'"),
        (["surveyed.low=0.9"], "surveyed: [0.9, 0.4, 0.15]"),
        (["surveyed.organisations=2"], "surveyed.organisations: 2"),
        (["surveyed.spread=[1, 0.5]"], "surveyed.spread: [1, 0.5]"),
        (["surveyed.spread=wide"], "surveyed.spread: 'wide'"),
        (["surveyed={organisation: 20}"], "Could not override"),
        (["surveyed={strategies: {modelfirst: 1.0}}"], "surveyed.strategies: 'modelfirst'"),
        (["surveyed={strategies: {model_first: 0.9}}"], "surveyed.strategies: 0.9"),
        (["surveyed.ebit_weeks=[10]"], "surveyed.ebit_weeks: [10]"),
        (["weeks=100"], "weeks: 100"),
        (["weekly=1"], "weekly: 1"),
        (["points=3"], "points: 3"),
        (["discrepancy=0"], "discrepancy: 0"),
        (["surveyed.age=3"], "surveyed.age: '3'"),
    ],
)
def test_refused_in_one_line_with_nothing_written(arguments, said, call, tmp_path):
    code, out, err = call("calibrate", *SMALL, *arguments)
    assert code == 2 and err.startswith(f"error: {said}") and err.count("\n") == 1 and out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_population_that_is_no_mapping_is_refused():
    with pytest.raises(InvalidInput, match="surveyed"):
        surveyed_of([1])
