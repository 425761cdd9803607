"""The patterns: judging on constructed effects, measures on known curves, declarations that can be run, and the command."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from conftest import contents, plain

from experiments.lab.output import ROOT
from experiments.lab.statistics import share
from experiments.lab.storage import RUNS, read
from experiments.patterns import effects as named
from experiments.patterns import readings as measured
from experiments.patterns import study as command
from experiments.patterns.analysis import MOST_FAILS, emerges, estimate, readings_of, removed, verdict_of
from experiments.patterns.arms import parameters_of, rewired, run_arm
from experiments.patterns.declarations import BY_NAME, ONE_USE_CASE, PATTERNS
from experiments.patterns.effects import CHAMPIONS, INTEGRATION_LEVELS, WAY
from experiments.patterns.pattern import Arm, Pattern, Times, arms_of
from experiments.patterns.pattern import Test as PatternTest
from experiments.patterns.portfolios import PORTFOLIOS
from experiments.patterns.readings import HOLD
from sim import RolloutModel
from sim.configuration import from_mapping
from sim.parameters import BUCKETS, CAPABILITIES, Parameters
from sim.presets import CONFIGS, read_yaml
from sim.schema import InvalidInput, to_mapping
from sim.state import INTEGRATION

SMALL = {"units": 4, "teams": 2, "users": 4}
OPTIONS = ["enterprise.units=4", "enterprise.teams=2", "enterprise.users=4", "weeks=156", "executor=serial"]


def base(**more):
    return from_mapping({"enterprise": SMALL, "weeks": 156, **more})


BASE = base()


def judged(effects, ablated, direction=1, across=False):
    """What the rule says of effects by seed: (emerges, removed)."""
    test = PatternTest("a test", "", "", direction, lambda r: r["arm.x"].mean() if across else r["arm.x"], across)
    found, by_seed = estimate(test, {"arm.x": effects}, 1)
    without, gone = estimate(test, {"arm.x": ablated}, 1)
    return emerges(test, found), removed(test, by_seed, without, gone)


# --------------------------------------------------------------------------- the rule


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("across", [False, True])
def test_the_rule_on_known_effects(direction, across):
    rng = np.random.default_rng(1)
    clear, nothing = direction * rng.normal(1, 0.5, 200), rng.normal(0, 0.5, 200)
    nothing -= nothing.mean()
    assert judged(clear, nothing, direction, across) == (True, True)
    assert judged(clear, -clear, direction, across) == (True, True)
    assert judged(clear, 0.3 * clear, direction, across) == (True, True)  # a clear effect, less than half of it
    assert judged(clear, 0.8 * clear, direction, across) == (True, False)
    assert judged(nothing, clear, direction, across)[0] is False
    assert judged(-clear, clear, direction, across)[0] is False


def test_a_mean_does_not_emerge_where_many_seeds_fail():
    """Three seeds in ten go the other way by a little: the mean is clear, the pattern is not."""
    effects = np.where(np.arange(200) % 10 < 3, -0.1, 1.0) + np.random.default_rng(1).normal(0, 0.01, 200)
    found, _ = estimate(PatternTest("", "", "", 1, lambda r: r["x"]), {"x": effects}, 1)
    assert found.low > 0.5 and found.fails == 0.3
    assert judged(effects, 0 * effects) == (False, True)


def test_what_is_not_defined_fails_and_is_left_out_of_the_mean():
    effects = np.where(np.arange(100) < 20, np.nan, 1.0) + np.random.default_rng(1).normal(0, 0.1, 100)
    found, _ = estimate(PatternTest("", "", "", 1, lambda r: r["x"]), {"x": effects}, 1)
    assert found.effect == pytest.approx(np.nanmean(effects)) and found.fails == 0.2 and found.undefined == pytest.approx(0.2)
    assert judged(effects, np.full(100, np.nan)) == (True, True)  # where nothing can be measured, nothing is left
    assert judged(np.full(100, np.nan), effects)[0] is False


def test_intervals_hold_their_level():
    """Of intervals of a mean that is 0, one in forty lies above it."""
    rng, test = np.random.default_rng(3), PatternTest("", "", "", 1, lambda r: r["x"])
    above = sum(estimate(test, {"x": rng.normal(0, 1, 40)}, 1)[0].beyond(1) for _ in range(2000))
    assert abs(above / 2000 - 0.025) < 0.01


def test_verdicts_are_of_all_tests():
    assert verdict_of([True, True], ["yes", "yes"]) == "emerges, removed"
    assert verdict_of([True, True], ["yes", "no"]) == "emerges, removed"
    assert verdict_of([True, True], ["no", "no"]) == "emerges, not removed"
    assert verdict_of([True, False], ["no", ""]) == "emerges in part, not removed"
    assert verdict_of([False, False], ["", ""]) == "does not emerge"


def test_a_failed_run_leaves_its_seed_undefined():
    rows = [("p", "claim", arm, seed, "x", float(seed), "") for arm in "ab" for seed in (5, 6, 7) if (arm, seed) != ("b", 6)]
    rows.append(("p", "claim", "b", 6, "", np.nan, "planted"))
    runs = pd.DataFrame(rows, columns=["pattern", "variant", "arm", "seed", "reading", "value", "error"])
    pattern = Pattern("p", "", "", lambda model: {}, {}, (), "", {})
    found = readings_of(runs, pattern, "claim", np.array([5, 6, 7]))
    np.testing.assert_array_equal(found["a.x"], [5, 6, 7])
    np.testing.assert_array_equal(found["b.x"], [5, np.nan, 7])


# --------------------------------------------------------------------------- measures, on what is known

T = np.arange(235.0)
LOGISTIC = 0.9 / (1 + np.exp(-(T - 70) / 18))
SATURATING = 0.9 * (1 - np.exp(-T / 50))


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (LOGISTIC, 1),
        (SATURATING, 0),
        (LOGISTIC + 0.02 * np.sin(T * 2 * np.pi / 8), 1),  # waves every eight weeks are no inflections of the whole
        (0.5 + 0.4 * np.cos(T * 2 * np.pi / 150), 3),
    ],
)
def test_inflections_of_known_curves(curve, expected):
    assert measured.inflections(curve) == expected


def test_fits_prefer_the_curve_that_made_the_data():
    rng = np.random.default_rng(1)

    class Model:
        def __init__(self, curve):
            self.state = type("State", (), {"firm": {"gate_week": np.array([0])}, "weekly": {"reliance": curve}})

    noise = rng.normal(0, 0.01, len(T))
    line = measured.read_curve(Model(0.1 + 0.003 * T + noise))["better"]
    s_curve = measured.read_curve(Model(LOGISTIC + noise))["better"]
    assert line < 2 < 50 < s_curve
    assert np.isnan(measured.read_curve(Model(LOGISTIC[:30]))["better"])


def test_ranks_tips_and_loops_of_known_readings():
    a = np.random.default_rng(1).normal(size=30)
    assert named.spearman(a, np.exp(a)) == pytest.approx(1) and named.spearman(a, -a) == pytest.approx(-1)
    assert named.spearman(a, np.where(a > 0, a, np.nan)) == pytest.approx(1) and named.spearman(a, 0 * a) == 0
    assert np.isnan(named.spearman(a, np.full(30, np.nan)))
    step = {f"{level}%.followers": np.full(3, 0.1 if level < 25 else 0.9) for level in CHAMPIONS}
    assert named.rise_inside(step) == pytest.approx(100 * 0.8 / 30) and "between 20 and 25% champions" in named.steepest(step)
    straight = {f"{level}%.followers": np.full(3, 0.1 + 0.01 * level) for level in CHAMPIONS}
    assert named.rise_inside(straight) == pytest.approx(0)
    same = {f"cycle.step{k}": np.full(3, level) for k, level in enumerate(WAY)}
    assert named.loop(same) == pytest.approx(0)
    lost = {name: values - 0.2 * (int(name[-1]) > WAY.index(min(WAY))) for name, values in same.items()}
    assert named.loop(lost) == pytest.approx(0.2)


def test_the_crossover_of_known_worths():
    """Value i² of integration i, of which a tenth brings 0.2 i: always more than a worth of accuracy of 0.05 i; a constant one is crossed."""

    def readings(worth):
        made = {}
        for level in INTEGRATION_LEVELS:
            i = level / 100
            made[f"{level}%.value"] = np.full(3, 1e6 * i**2)
            made[f"{level}%, accurate.value"] = made[f"{level}%.value"] + 1e6 * worth(i)
        return made

    assert "the means cross at 50%" in named.crossover(readings(lambda i: 0.1))  # 0.2 i = 0.1
    assert "integration brings more in the mean at each of them" in named.crossover(readings(lambda i: 0.05 * i))
    assert named.worth_of_accuracy(readings(lambda i: 0.1), 40) == pytest.approx(1e5)


def test_readings_are_what_the_frames_say(tiny):
    model = tiny(strategy="model_first", weeks=156, rng=3, **{"strategy.gate_improvement": -1.0, "strategy.gate_reliance": 0.0}).run()
    units, weekly = model.units, model.weekly
    pilot = model.state.unit_names[int(model.state.firm["pilot"][0])]
    rows = units[units["stage"].isin(["pilot", "live"])].copy()
    rows["age"] = rows.groupby("unit", observed=True).cumcount()
    young, is_pilot = rows["age"].between(13, 25), rows["unit"] == pilot
    found = measured.read_pilot(model)
    assert found["pilot_use"] == pytest.approx(rows[young & is_pilot]["users_using"].mean())
    assert found["rollout_cut"] == pytest.approx(rows[young & ~is_pilot]["improvement"].mean())
    found = measured.read_support(model)
    others = rows[~is_pilot]
    assert found["support"] == pytest.approx(others[others["age"] < 26]["support"].mean())
    assert found["gained"] == pytest.approx(others[others["age"] == 25]["trust"].mean() - others[others["age"] == 0]["trust"].mean())
    stands = weekly[["readiness_pipelines", "readiness_integration"]].mean(axis=1) >= 0.7
    until = int(stands.idxmax()) if stands.any() else len(weekly) - 1
    started = int((weekly[[f"effort_{name}" for name in CAPABILITIES]].sum(axis=1) > 0).idxmax())
    spent = weekly[[f"effort_{name}" for name in (*BUCKETS, "support")]].sum(axis=1)
    assert measured.read_retrofit(model)["cost"] == pytest.approx(spent[started : until + 1].sum())


# --------------------------------------------------------------------------- the declarations


@pytest.mark.parametrize("name", BY_NAME)
def test_a_declaration_can_be_run(name):
    """Every arm is a valid configuration that runs, and every test finds the readings it asks for."""
    pattern = BY_NAME[name]
    assert pattern.claim and pattern.where and pattern.tests and all(t.direction in (-1, 1) and t.effect and t.unit for t in pattern.tests)
    assert pattern.ablation and pattern.ablated
    readings = {"claim": {}, "ablation": {}, **{probe: {} for probe in pattern.probes}}
    for variant, arm_name, arm in arms_of(pattern):
        read_off = pattern.read(run_arm(arm, parameters_of(BASE, arm), 1))
        readings[variant] |= {f"{arm_name}.{reading}": np.array([value] * 3) for reading, value in read_off.items()}
    for variant, found in readings.items():
        for test in pattern.tests if found else ():
            effect = test.statistic(found)
            assert np.shape(effect) == (() if test.across else (3,)), (variant, test.name)
    if pattern.finding:
        assert pattern.finding(readings["claim"]).endswith(".")


@pytest.mark.parametrize("name", BY_NAME)
def test_an_ablation_changes_the_same_arms(name):
    pattern = BY_NAME[name]
    for variant in (pattern.ablated, *pattern.probes.values()):
        assert set(variant) <= set(pattern.arms)
        assert 2 * sum(pattern.arms[arm] != variant[arm] for arm in variant) >= len(variant)  # half may be as they were


def test_thirteen_patterns_are_of_one_use_case_and_five_of_several():
    assert len(ONE_USE_CASE) == 13 and len(PORTFOLIOS) == 5 and len(BY_NAME) == len(PATTERNS) == 18


def test_the_region_is_that_of_the_shipped_experiment():
    given = read_yaml(CONFIGS / "experiment" / "where_model_first_wins.yaml")
    arm = BY_NAME["strategy ranking flips"].arms["region, model-first"]
    assert given.pop("defaults") == [{"override /population": "article"}]
    assert given == {"maturities": [arm.maturity]} and not arm.changes


def test_multiples_follow_the_configured_values():
    arm = Arm("balanced", "low", {"trust.loss": Times("trust.gain", 2.0), "support.need": Times("support.need", 0.5)})
    p = parameters_of(base(), arm)
    assert (p.trust.loss, p.support.need) == (2 * Parameters().trust.gain, 0.5 * Parameters().support.need)
    other = parameters_of(base(trust={**to_mapping(Parameters().trust), "gain": 0.01}), arm)
    assert (other.trust.loss, other.strategy.name, other.maturity.budget) == (0.02, "balanced", p.maturity.budget)
    with pytest.raises(InvalidInput, match=r"trust\.loss"):
        parameters_of(BASE, Arm("balanced", "low", {"trust.loss": Times("trust.gain", 100.0)}))


def test_a_rewired_network_keeps_degrees_and_people():
    arm = Arm("big_bang", "middle", {"strategy.gate_reliance": 0.0})
    p = parameters_of(BASE, arm)
    drawn, moved = run_arm(arm, p, 5), run_arm(arm.but(rewired=True), p, 5)
    ties = [{frozenset(tie) for tie in model.network.edges()} for model in (drawn, moved)]
    assert dict(drawn.network.degree()) == dict(moved.network.degree())
    assert len(ties[0] & ties[1]) < 0.6 * len(ties[0]) and len(ties[0]) == len(ties[1])
    for column in ("own_error", "difficulty", "spend"):
        rows = [next(t[column] for t in (m.state.users, m.state.teams, m.state.units) if column in t.dtype.names) for m in (drawn, moved)]
        np.testing.assert_array_equal(*rows)
    before = [{frozenset(tie) for tie in moved.network.edges()}]
    rewired.cache_clear()
    assert before == [{frozenset(tie) for tie in run_arm(arm.but(rewired=True), p, 5).network.edges()}]


def test_integration_and_reliability_are_what_the_arm_says():
    arm = Arm(
        "no_platform",
        "middle",
        {"platform.decay": 0.0, "forecast.learning": 0.0, "weeks": 2 * HOLD},
        integration=0.4,
        reliability=(1.2, 0.8),
    )
    p = parameters_of(BASE, arm)
    model = run_arm(arm, p, 1)
    np.testing.assert_allclose(model.state.units["readiness"][:, INTEGRATION], 0.4)
    even = p.forecast.best / p.forecast.planner
    np.testing.assert_allclose(model.weekly["quality"], np.repeat([1.2 * even, 0.8 * even], HOLD))


# --------------------------------------------------------------------------- the command

FLIPS = [*OPTIONS, "patterns=[strategy ranking flips]", "seeds=4"]


def test_the_table_holds_what_single_runs_give(call, tmp_path):
    code, out, err = call("patterns", *FLIPS, "seed=7", "output=here")
    assert (code, err) == (0, "") and "Strategy ranking flips: " in plain(out)
    tests = pd.read_csv(tmp_path / "here" / "tests.csv").set_index("test")
    given = {"maturity": "middle", "enterprise": SMALL, "weeks": 156}
    nets = [
        [RolloutModel(strategy=strategy, rng=seed, **given).run().outcome["net"] for seed in range(7, 11)]
        for strategy in ("model_first", "integration_first")
    ]
    differences = np.subtract(*nets)
    assert tests["effect"]["loses here"] == pytest.approx(differences.mean()) and tests["fails"]["loses here"] == (differences >= 0).mean()
    assert tests["effect_low"]["loses here"] < differences.mean() < tests["effect_high"]["loses here"]
    assert tests["claim"].nunique() == 1 and (tmp_path / "here" / "figure.png").stat().st_size > 10_000
    assert len(pd.read_csv(tmp_path / "here" / "patterns.csv")) == 1 and len(read(tmp_path / "here", "runs")) == 8 * 4


def test_it_goes_on_where_it_was_interrupted_with_the_same_bytes(call, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SHARD", 12)
    options = [*OPTIONS, "patterns=[strategy ranking flips,value J-curve]", "seeds=4"]
    assert call("patterns", *options, "output=whole")[0] == 0
    whole = contents(tmp_path / "whole")
    assert call("patterns", *options, "output=whole")[0] == 0 and contents(tmp_path / "whole") == whole
    run, calls = command.ArmRecorder.run, []

    def interrupted(recorder, item):
        calls.append(item)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return run(recorder, item)

    monkeypatch.setattr(command.ArmRecorder, "run", interrupted)
    code, _, err = call("patterns", *options, "output=again")
    assert code == 130 and "the same command goes on" in err
    assert call("patterns", *options, "output=again")[0] == 0 and len(calls) == 30 + (56 - 24)  # two shards of twelve were kept
    assert contents(tmp_path / "again") == whole


def test_a_failed_run_is_recorded_and_counts_as_a_fail(call, tmp_path, monkeypatch):
    whole, broken = command.run_arm, []

    def run(arm, parameters, seed):
        if seed == 2 and arm.strategy == "model_first" and not broken:
            broken.append(arm)
            raise ArithmeticError("planted")
        return whole(arm, parameters, seed)

    monkeypatch.setattr(command, "run_arm", run)
    code, _, err = call("patterns", *FLIPS, "output=broken")
    tests = pd.read_csv(tmp_path / "broken" / "tests.csv").set_index("test")
    assert code == 1 and "planted" in err and tests["undefined"]["wins there"] == 0.25 and tests["undefined"]["loses here"] == 0
    assert len(pd.read_csv(tmp_path / "broken" / "failures.csv")) == 1


def test_an_arm_that_always_fails_leaves_its_tests_undefined(call, tmp_path, monkeypatch):
    whole = command.run_arm

    def run(arm, parameters, seed):
        if arm.strategy == "model_first" and arm.maturity == "homogeneous":
            raise ArithmeticError("planted")
        return whole(arm, parameters, seed)

    monkeypatch.setattr(command, "run_arm", run)
    code, out, _ = call("patterns", *FLIPS, "output=broken")
    tests = pd.read_csv(tmp_path / "broken" / "tests.csv").set_index("test")
    assert code == 1 and "not defined" in out and (tests["undefined"]["wins there"], tests["fails"]["wins there"]) == (1, 1)
    assert not tests["emerges"]["wins there"] and np.isfinite(tests["effect"]["loses here"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("patterns=[tiping]", "error: patterns: 'tiping' is not allowed; expected one of the known names; did you mean tipping"),
        ("patterns=some", "error: patterns: 'some' is not allowed; expected one, several, all, or a list"),
        ("seeds=1", "error: seeds: 1 is not allowed; expected a whole number from 2"),
        ("weeks=60", "error: weeks: 60 is not allowed; expected a whole number from 156"),
        ("enterprise=from_files", "error: enterprise.source: 'files' is not allowed"),
        ("trust.gain=2", "error: trust.gain: 2 is not allowed"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(call, tmp_path, option, said):
    code, out, err = call("patterns", "executor=serial", option)
    assert code == 2 and out == "" and err.startswith(said) and err.count("\n") == 1 and not (tmp_path / "results").exists()


# --------------------------------------------------------------------------- what the page says


@pytest.mark.slow
def test_patterns_reported_as_emerging_still_do():
    """The claims alone: what an ablation removes is no part of it. More seeds only where eight leave a doubt."""
    page = (ROOT / "docs" / "patterns.md").read_text()
    shown = plain(re.search(r"<!-- output of: python -m experiments.patterns -->\n```\n(.*?)\n```", page, re.S)[1])
    names = [name for name in BY_NAME if re.search(rf"{re.escape(name[0].upper() + name[1:])}: emerges(?! in part)", shown)]
    recorder, lost = command.ArmRecorder(from_mapping({})), []

    def found(pattern, count):
        seeds = np.arange(1, count + 1)
        items = [command.ArmRun(pattern.name, "claim", arm, seed) for seed in seeds.tolist() for arm in pattern.arms]
        runs = recorder.tables([recorder.run(item) for item in items])[RUNS].to_pandas()
        return [(test, estimate(test, readings_of(runs, pattern, "claim", seeds), 1)[0]) for test in pattern.tests]

    for pattern in map(BY_NAME.__getitem__, names):
        if all(some.beyond(test.direction) and (test.across or some.fails < MOST_FAILS) for test, some in found(pattern, 8)):
            continue
        count = 80 if any(test.across for test in pattern.tests) else 20
        for test, all_of_them in found(pattern, count):
            # of few seeds, more may fail by chance
            clearly_often = not test.across and share(all_of_them.fails * count, count)[1] >= MOST_FAILS
            if clearly_often or not all_of_them.beyond(test.direction):
                lost.append((pattern.name, test.name))
    assert names and lost == []


def test_the_page_states_the_declarations():
    page = plain((ROOT / "docs" / "patterns.md").read_text())
    for pattern in PATTERNS:
        assert f"| **{pattern.name}** | {pattern.claim} | {pattern.where} |" in page
        assert f"| {pattern.ablation} |" in page and all(f"*{test.name}*: {test.effect}" in page for test in pattern.tests)
