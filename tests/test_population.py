"""Populations: who the organisation of a seed is, what is drawn and what is given, and how commands draw from them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import plain

from experiments.lab.compared import best_of, shares_of_variance
from experiments.lab.statistics import clustered, clustered_share, mean, share, within
from sim import RolloutModel, population
from sim.configuration import resolve, vary
from sim.parameters import RECORDS
from sim.population import CHOSEN, FLOOR, GATE_WEEKS, HYPER, MOST, PILOT, SPREAD, STRICTNESS, VARIED, Population, given_in
from sim.presets import load
from sim.schema import InvalidInput

SIZES = {"low": (1, 2), "middle": (2, 3), "high": (3, 3)}
DRAWS = {"trust.noise": (0.3, 0.5), SPREAD: (0.0, 1.0), STRICTNESS: (0.4, 0.4), PILOT: (30.0, 40.0)}
SOME = Population("some", ("demand", "promotion", "price"), SIZES, DRAWS)
MIDDLE = resolve({"maturity": "middle"}, {"usecases": ["demand", "promotion", "price"]})


# --------------------------------------------------------------------------- the organisation of a seed


def test_an_organisation_is_a_function_of_its_seed_and_departs_from_what_it_is_given():
    one, again, other = (SOME.organisation(seed, MIDDLE) for seed in (7, 7, 9))
    assert one == again and one != other and set(one) == set(SOME.drawn)
    assert one["trust.noise"] == 0.5 and SOME.organisation(8, MIDDLE)["trust.noise"] == 0.3  # seed 7 has the second draw, 8 the first
    preset = load("maturity", "middle")
    still = SOME.organisation(8, MIDDLE)  # its draw has no spread
    assert [still[f"maturity.{name}"] for name in VARIED] == pytest.approx([preset[name] for name in VARIED])
    richer = SOME.organisation(7, vary(MIDDLE, {"maturity.budget": 2 * MIDDLE.maturity.budget}))
    assert richer["maturity.budget"] == pytest.approx(2 * one["maturity.budget"])


def test_managements_pilot_and_give_up_within_the_stated_ranges():
    drawn = [SOME.organisation(seed, MIDDLE) for seed in range(1, 801, 2)]  # all of the second draw
    assert {each[GATE_WEEKS] for each in drawn} == set(range(13, 41))
    floors = [each[FLOOR] for each in drawn]
    assert min(floors) >= 0 and max(floors) < 0.4 and np.mean(floors) == pytest.approx(0.2, abs=0.02)
    for maturity, (least, most) in SIZES.items():
        assert {SOME.organisation(seed, MIDDLE, maturity)[MOST] for seed in range(60)} == set(range(least, most + 1))


def test_well_run_in_one_respect_is_well_run_in_others():
    drawn = pd.DataFrame([SOME.organisation(seed, MIDDLE) for seed in range(1, 1201, 2)])
    together = drawn.corr("spearman")["maturity.budget"]
    for name, better in VARIED.items():
        if drawn[f"maturity.{name}"].nunique() > 1:
            assert better * together[f"maturity.{name}"] > 0.25, name


def test_what_is_given_is_not_drawn():
    own = SOME.organisation(7, MIDDLE, given={"trust.noise", "maturity.trust", MOST})
    assert set(SOME.drawn) - set(own) == {"trust.noise", "maturity.trust", MOST}


def test_no_more_use_cases_are_taken_on_than_there_are():
    assert {SOME.organisation(seed, resolve({}, {}), "high")[MOST] for seed in range(20)} == {1}


# --------------------------------------------------------------------------- what is given


def test_what_departs_from_presets_or_was_written_down_is_given():
    groups = {"maturity": "middle", "strategy": "integration_first"}
    assert given_in(resolve({}, {}), groups, []) == frozenset()
    changed = resolve({}, {"trust.noise": 0.9, "maturity.budget": 9.0, "strategy.gate_weeks": 40})
    assert given_in(changed, groups, []) == {"trust.noise", "maturity.budget", "strategy.gate_weeks"}
    assert "trust.noise" in given_in(resolve({}, {}), groups, ["trust.noise"]) and "trust.loss" not in given_in(
        resolve({}, {}), groups, ["trust.noise"]
    )
    assert not given_in(resolve({"maturity": "low"}, {}), {"maturity": "low"}, ["maturity"])  # a preset gives no value of its own


def test_what_files_give_for_all_is_given(tmp_path):
    (tmp_path / "units.csv").write_text("unit,completeness\nNorth,0.8\n")
    (tmp_path / "teams.csv").write_text("team,unit,fit\na,North,0.4\nb,North,\n")
    (tmp_path / "users.csv").write_text("user,team,trust\nzoe,a,0.5\nbea,b,0.6\n")
    files = resolve({"enterprise": "from_files"}, {"enterprise.folder": str(tmp_path)})
    given = given_in(files, {"enterprise": "from_files"}, [])
    assert {"maturity.completeness", "maturity.trust"} <= given and not {"maturity.fit", "maturity.lateness"} & given


# --------------------------------------------------------------------------- its file


def test_the_shipped_populations_are_read():
    kept = population.read("calibrated", load("population", "calibrated"))
    assert kept.size == 120 and set(HYPER) < set(kept.draws) and len(kept.usecases) == 6
    assert population.read("article", load("population", "article")) is None
    mine = population.read("mine", load("population", "mine"))
    assert mine.draws == kept.draws and not mine.use_cases and not {MOST, GATE_WEEKS} & {*mine.drawn}
    assert not {MOST, GATE_WEEKS} & {*mine.organisation(3, resolve({}, {}))}


@pytest.mark.fault("configuration", "populations that cannot be used", "one line with key, value and what is allowed")
@pytest.mark.parametrize(
    ("given", "table", "said"),
    [
        ({"drawn": "x"}, None, "population.drawn: 'x'"),
        ({"usecases": ["demnd"]}, None, "population.usecases: 'demnd'"),
        ({"usecases": 3}, None, "population.usecases: 3"),
        ({"use_cases": {"low": [1, 2]}}, None, "population.use_cases"),
        ({"use_cases": {"low": [1, 2], "middle": [3, 2], "high": [1, 1]}}, None, "population.use_cases.middle"),
        ({}, None, "population.draws: 'bad'"),
        ({}, "trust.noise\n0.3\n", "bad.csv"),
        ({}, ",".join(HYPER) + "\n", "bad.csv"),
        ({}, ",".join(HYPER) + "\n1,0.5,many\n", "bad.csv, draw 1, population.pilot: 'many'"),
        ({}, ",".join(HYPER) + "\n1,0.5\n", "bad.csv, draw 1, population.pilot: ''"),
        ({}, ",".join(HYPER) + "\n9,0.5,30\n", "bad.csv, draw 1, population.spread: 9.0"),
        ({}, ",".join([*HYPER, "trust.los"]) + "\n1,0.5,30,0.1\n", "bad.csv, draw 1, trust.los: 0.1"),
        ({}, ",".join([*HYPER, "trust.noise"]) + "\n1,0.5,30,nan\n", "bad.csv, draw 1, trust.noise: nan"),
        ({"draws": "../secret"}, None, "population.draws: '../secret'"),
    ],
)
def test_a_population_that_cannot_be_used_is_refused(given, table, said, configs):
    if table is not None:
        (configs / "population" / "bad.csv").write_text(table)
    with pytest.raises(InvalidInput) as refused:
        population.read("bad", given)
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)


# --------------------------------------------------------------------------- commands

SHORT = ["enterprise=small", "weeks=30", "executor=serial"]


def test_a_comparison_is_of_the_organisations_of_its_seeds(call, tmp_path, undrawn):
    code, out, _ = call("compare", *SHORT, "population=calibrated", "maturities=[middle]", "replications=4", "output=out")
    assert code == 0 and "Each run is of another organisation of the population «calibrated», with one of 120 draws" in plain(out)
    runs = pd.read_parquet(tmp_path / "out" / "runs")
    kept = population.read("calibrated", load("population", "calibrated"))
    base = resolve({"enterprise": "small", "maturity": "middle"}, {"weeks": 30, "usecases": list(kept.usecases)})
    for row in runs.to_dict("records"):
        own = kept.organisation(row["seed"], base, "middle")
        assert {name: row[name] for name in own} == pytest.approx(own)
    row = runs[(runs["strategy"] == "model_first") & (runs["seed"] == 2)].iloc[0]
    own = kept.organisation(2, base, "middle")
    alone = RolloutModel(
        enterprise="small", strategy="model_first", maturity="middle", rng=2, weeks=30, usecases=list(kept.usecases), **own
    )
    assert alone.run().outcome["net"] == row["net"]
    twins = pd.read_parquet(tmp_path / "out" / "twins" / "runs")
    pairs = runs.merge(twins, on=["point", "replication"])
    assert (pairs["trust.noise_x"] == pairs["trust.noise_y"]).all() and (pairs["net_x"] != pairs["net_y"]).all()  # other luck


def test_one_exact_organisation_is_said_to_be_one(call, tmp_path, undrawn):
    code, out, _ = call("compare", *SHORT, "population=article", "maturities=[middle]", "replications=2", "output=out")
    assert code == 0 and "All runs are of one exact organisation" in plain(out)
    assert "maturity.budget" not in pd.read_parquet(tmp_path / "out" / "runs") and not (tmp_path / "out" / "twins").exists()


def test_what_the_command_line_gives_is_the_same_in_every_organisation(call, tmp_path, undrawn):
    given = ["trust.noise=0.41", "changes={maturity.budget: 2}", "usecases=[demand]"]  # the first is what the default is, too
    code, out, _ = call("compare", *SHORT, *given, "population=calibrated", "maturities=[low]", "replications=3", "output=out")
    runs = pd.read_parquet(tmp_path / "out" / "runs")
    assert code == 0 and "given, and not drawn: maturity.budget and trust.noise." in plain(out)
    assert "trust.noise" not in runs and set(runs["maturity.budget"]) == {2} and set(runs[MOST]) == {1}
    record = json.loads((tmp_path / "out" / "manifest.json").read_text())["configuration"]["population"]
    assert record["name"] == "calibrated" and record["fixed"] == ["maturity.budget", "trust.noise"]


def test_what_files_of_presets_and_experiments_give_is_not_drawn(call, tmp_path, undrawn, configs):
    """Also where it is what the default is, and whatever use cases the file names."""
    (configs / "experiment" / "own.yaml").write_text("# @package _global_\nusecases: [demand, promotion]\nvalue: {realised: 0.45}\n")
    (configs / "forecast" / "own.yaml").write_text("planner: 0.5\n")
    given = ["experiment=own", "forecast=own", "population=calibrated"]
    code, out, err = call("compare", *SHORT, *given, "maturities=[low]", "replications=2", "output=out")
    assert code == 0, err
    assert "given, and not drawn: forecast.planner and value.realised." in plain(out) and "over 2 use cases together" in plain(out)
    assert {"forecast.planner", "value.realised"}.isdisjoint(pd.read_parquet(tmp_path / "out" / "runs").columns)


def test_a_strategy_may_list_use_cases_that_are_not_the_default(call, configs):
    (configs / "strategy" / "listing.yaml").write_text("portfolio: {order: listed, listed: [promotion, demand]}\n")
    given = ["strategy=listing", "usecases=[demand,promotion]", "population=calibrated", "design.over=[trust.loss]", "design.samples=2"]
    assert call("sweep", *SHORT, *given, "replications=1", "dry_run=true")[0] == 0


def test_a_design_varies_what_it_names_and_the_rest_is_drawn(call, tmp_path):
    design = ["design=lhs", "design.samples=3", "design.over=[trust.noise,maturity.trust]", "replications=2"]
    assert call("sweep", *SHORT, *design, "population=calibrated", "output=out")[0] == 0
    runs = pd.read_parquet(tmp_path / "out" / "runs")
    assert runs.groupby("point")["trust.noise"].nunique().eq(1).all() and runs.groupby("point")["maturity.trust"].nunique().eq(1).all()
    assert runs.groupby("replication")["utility.threshold"].nunique().eq(1).all()  # the same organisations at every point
    assert runs["utility.threshold"].nunique() == 2


def test_a_target_draws_the_same_organisations_whatever_others_ask(call, tmp_path):
    one = "- {name: B, population: {maturity: high}, measure: net, value: 0, tolerance: 1}\n"
    other = "- {name: A, population: {maturity: high, enterprise.spend: 500000}, measure: net, value: 0, tolerance: 1}\n"
    for name, text in (("alone", one), ("both", one + other)):
        (tmp_path / f"{name}.yaml").write_text(text)
        assert call("check", *SHORT, f"targets={name}.yaml", "population=calibrated", "replications=10", f"output={name}")[0] == 0
    alone, both = (pd.read_csv(tmp_path / name / "targets.csv").set_index("name") for name in ("alone", "both"))
    assert alone.loc["B", "model"] == both.loc["B", "model"] != both.loc["A", "model"]
    assert set(pd.read_parquet(tmp_path / "both" / "runs").query("point == 1")["enterprise.spend"]) == {500_000}


def test_an_unknown_population_is_refused_with_the_nearest_named(call, tmp_path):
    code, _, err = call("compare", "population=calibrate")
    assert code == 2 and err.startswith("error: population: 'calibrate'") and "calibrated" in err and not list(tmp_path.iterdir())


# --------------------------------------------------------------------------- statistics


def test_the_mean_of_clusters_is_as_sure_as_its_clusters():
    rng = np.random.default_rng(1)
    covered, naive = 0, 0
    for _ in range(400):
        cluster = np.repeat(np.arange(20), 5)
        x = rng.normal(0, 1, 20)[cluster] + rng.normal(0, 0.3, 100)
        low, high = clustered(x, cluster)[1:]
        covered += low <= 0 <= high
        naive += mean(x)[1] <= 0 <= mean(x)[2]
    assert 0.92 <= covered / 400 <= 0.98 and naive / 400 < 0.75
    x = rng.normal(size=30)
    assert clustered(x, np.arange(30)) == mean(x)


def test_nine_of_ten_are_values_that_occur():
    assert within(np.arange(1.0, 101.0)) == (5.0, 95.0)


def frame(values: dict[str, np.ndarray]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"maturity": "low", "strategy": s, "net": y, "replication": np.arange(len(y)), "draw": np.arange(len(y))})
        for s, y in values.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_the_probability_to_be_best_and_the_regret():
    found = best_of(frame({"a": np.array([3.0, 1, 2, 5]), "b": np.array([1.0, 2, 2, 1])}), ["low"], ["a", "b"]).set_index("strategy")
    assert found["best"].tolist() == [0.625, 0.375] and found["regret"].tolist() == [0.25, 1.5] and found["regret_high"]["b"] == 4


def test_a_strategy_without_a_run_takes_no_other_with_it():
    found = best_of(frame({"a": np.array([3.0, 1]), "b": np.array([1.0, 2])}), ["low"], ["a", "b", "c"])
    assert found["strategy"].tolist() == ["a", "b"] and found["best"].tolist() == [0.5, 0.5]
    runs = frame({"a": np.array([3.0, 1, 2]), "b": np.array([1.0, 2, 3])})
    twins = runs[runs["strategy"] == "b"]
    assert shares_of_variance(runs, twins, ["low"], ["a", "b"])["of"].tolist() == ["b"]


def test_a_share_of_clusters_is_as_sure_as_its_clusters():
    rng = np.random.default_rng(3)
    cluster, covered = np.repeat(np.arange(30), 10), 0
    for _ in range(300):
        _, low, high = clustered_share((rng.random(30) < 0.6).astype(float)[cluster], cluster)
        covered += low <= 0.6 <= high
    assert 0.91 <= covered / 300 <= 0.99
    x = (rng.random(40) < 0.5).astype(float)
    assert clustered_share(x, np.arange(40)) == share(x.sum(), 40)


def test_the_shares_of_variance_are_those_that_were_put_in():
    rng = np.random.default_rng(2)
    draws, each = 200, 4
    draw = np.repeat(np.arange(draws), each)
    parameters, organisation = rng.normal(0, 2, draws)[draw], rng.normal(0, 3, draws * each)
    runs = frame({"a": parameters + organisation + rng.normal(0, 1, draws * each), "b": np.zeros(draws * each)})
    runs["draw"] = np.tile(draw, 2)
    twins = frame({"a": parameters + organisation + rng.normal(0, 1, draws * each), "b": np.zeros(draws * each)})
    found = shares_of_variance(runs, twins[twins["replication"] < 300], ["low"], ["a", "b"]).set_index("of")
    assert found.loc["a", ["parameters", "organisation", "luck"]].tolist() == pytest.approx([4 / 14, 9 / 14, 1 / 14], abs=0.06)
    assert found.loc["a - b", "variance"] == pytest.approx(found.loc["a", "variance"])
    assert found.loc["b", "variance"] == 0


def test_the_organisations_and_their_choices_are_known_parameters():
    assert set(CHOSEN) | {f"maturity.{name}" for name in VARIED} <= set(RECORDS)
