"""The search over a strategy's levers: on known numbers, and from the command line."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import contents, made, only, plain

from experiments.lab import worker
from experiments.lab.storage import read
from experiments.optimise.levers import LEVERS, hundredths, levers_of, own_levers, preset, start_of, suggested
from experiments.optimise.objectives import Objective, best_of
from experiments.optimise.study import new_study, tell
from sim import RolloutModel
from sim.parameters import BUCKETS
from sim.presets import available, read_yaml

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
SEARCH = [*SMALL, "generations=2", "trials=3", "replications=2", "test_replications=10"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A small search, which is only read: its folder and what was printed."""
    folder = tmp_path_factory.mktemp("made") / "optimise"
    return folder, made("optimise", folder, *SEARCH)


# --------------------------------------------------------------------------- on known numbers


def test_cvar_is_the_mean_of_the_worst_and_regret_of_what_is_missing():
    values = np.arange(20.0).reshape(1, 2, 10)
    assert Objective("net", "mean").of(values) == pytest.approx([9.5])
    assert Objective("net", "cvar", 0.1).of(values) == pytest.approx([0.5])
    assert Objective("net", "cvar", 0.01).of(values) == pytest.approx([0.0])
    assert Objective("net", "regret").of(values, np.array([5.5, 10.0])) == pytest.approx([0.5])
    values[0, 1, 9] = np.nan
    assert all(np.isnan(Objective("net", kind).of(values, np.zeros(2))[0]) for kind in ("mean", "cvar"))


@pytest.mark.parametrize("shares", [[1, 0, 0, 0, 0, 0], [1 / 6] * 6, [0.333, 0.333, 0.334, 0, 0, 0], [0.005, 0.995, 0, 0, 0, 0]])
def test_hundredths_add_up_and_stay_near(shares):
    parts = hundredths(np.array(shares))
    assert sum(round(100 * p) for p in parts) == 100 and np.abs(np.array(parts) - shares).max() < 0.01


@pytest.mark.parametrize("name", available("strategy"))
def test_a_search_can_begin_with_every_strategy(name):
    """The first trial is the strategy itself: what it proposes are the file's own values."""
    strategy = preset(name)
    levers = levers_of([lever for lever in LEVERS if lever not in ("allocation", "champions")], {"gate_weeks": [0, 104]}, strategy)
    start = start_of(strategy, levers)

    class Trial:
        def suggest_float(self, key, low, high):
            return start[key]

        suggest_int = suggest_float

        def suggest_categorical(self, key, choices):
            return start[key]

    assert suggested(Trial(), levers) == pytest.approx(own_levers(strategy, levers))


def test_the_search_finds_the_best_of_a_known_function():
    """Without a model: the value falls with the distance from one set of shares and one cadence."""
    levers = {"effort": (), "cadence": (1, 26, 1)}
    wanted = np.array([0.1, 0.3, 0.3, 0.1, 0.1, 0.1])
    study = new_study([Objective("net", "mean")], 1, 16)
    values = []
    for _ in range(12):
        for trial in [study.ask() for _ in range(16)]:
            changes = suggested(trial, levers)
            shares = [changes[f"strategy.effort.rollout.{bucket}"] for bucket in BUCKETS]
            values.append(-np.abs(np.array(shares) - wanted).sum() - abs(changes["strategy.cadence"] - 6) / 26)
            tell(study, trial, (values[-1],))
    assert max(values[:16]) < -0.35 and max(values) > -0.2


def test_a_search_writes_a_strategy_that_the_others_use(found):
    folder, out = found
    assert "6 trials" in plain(out)
    trials, tested = pd.read_csv(folder / "trials.csv"), pd.read_csv(folder / "test.csv").set_index("candidate")
    best = trials.loc[trials["net.mean"].idxmax()]
    assert best["found"] == "optimised" and len(trials) == 6
    values = read_yaml(folder / "optimised.yaml")
    model = [RolloutModel(strategy=values, enterprise="small", weeks=50, rng=seed).run().outcome["net"] for seed in (1, 2)]
    assert np.mean(model) == pytest.approx(best["net.mean"])  # the file is the trial
    fresh = [RolloutModel(strategy=values, enterprise="small", weeks=50, rng=seed).run().outcome["net"] for seed in range(3, 13)]
    assert tested["test"]["optimised"] == pytest.approx(np.mean(fresh))  # tested on seeds that come after the search's
    start = [RolloutModel(enterprise="small", weeks=50, rng=seed).run().outcome["net"] for seed in range(1, 13)]
    assert tested["search"]["integration_first"] == pytest.approx(np.mean(start[:2]))
    gains = np.mean(model) - np.mean(start[:2]), np.mean(fresh) - np.mean(start[2:])
    assert tested.loc["optimised", ["gain_search", "gain_test"]].tolist() == pytest.approx(gains)
    assert tested["optimism"]["optimised"] == pytest.approx(gains[0] - gains[1])


def test_a_found_strategy_is_saved_once_and_compared(call, tmp_path, configs):
    code, out, _ = call("optimise", *SEARCH, "save_as=found_by_a_test")
    place = configs / "strategy" / "found_by_a_test.yaml"
    assert code == 0 and "found_by_a_test]" in plain(out) and place.read_bytes() == (only(tmp_path / "results" / "optimise") / "optimised.yaml").read_bytes()  # fmt: skip
    assert call("optimise", *SEARCH, "save_as=found_by_a_test")[0] == 0  # the same search may be started again
    code, _, err = call("optimise", *SEARCH, "save_as=found_by_a_test", "seed=5")
    assert code == 2 and "save_as: 'found_by_a_test' is not allowed" in err
    code, out, _ = call("compare", *SMALL, "strategies=[integration_first,found_by_a_test]", "replications=3", "maturities=[middle]")
    assert code == 0 and "found-by-a-test" in out


def test_a_search_may_begin_beside_what_an_earlier_one_found_and_with_any_seed(call, tmp_path, configs):
    (configs / "strategy" / "optimised.yaml").write_bytes((configs / "strategy" / "adaptive.yaml").read_bytes())
    code, out, err = call("optimise", *SEARCH, "seed=5000000000")
    assert (code, err) == (0, "") and "optimised2" in out and (only(tmp_path / "results" / "optimise") / "optimised2.yaml").is_file()


def test_several_objectives_keep_what_no_other_trial_beats(call, tmp_path):
    code, _out, err = call("optimise", *SEARCH, "trials=6", "objectives=[mean,final_reliance.mean]")
    assert (code, err) == (0, "")
    folder = only(tmp_path / "results" / "optimise")
    trials = pd.read_csv(folder / "trials.csv")
    scores = trials[["net.mean", "final_reliance.mean"]].to_numpy()
    for k, trial in trials.iterrows():
        beaten = ((scores >= scores[k]).all(axis=1) & (scores > scores[k]).any(axis=1)).any()
        twin = (scores[:k] == scores[k]).all(axis=1).any()
        assert (trial["found"] == trial["found"]) == (not beaten and not twin)
    assert sorted(p.stem for p in folder.glob("optimised*.yaml")) == sorted(trials["found"].dropna())


def test_regret_over_futures_is_searched_and_tested_on_others(call, tmp_path):
    code, _, _ = call("optimise", *SEARCH, "objectives=[regret]", "futures=3", "over=[value.worth]", "levers=[cadence]")
    folder = only(tmp_path / "results" / "optimise")
    tested, trials = pd.read_csv(folder / "test.csv"), pd.read_csv(folder / "trials.csv")
    assert (
        code == 0
        and (tested["test"] >= 0).all()
        and trials.loc[trials["found"].notna(), "net.regret"].iloc[0] == trials["net.regret"].min()
    )
    searched = read(folder / "generations" / "000", "runs")["value.worth"].unique()
    assert len(searched) == 3 and not set(searched) & set(read(folder, "runs")["value.worth"])


def test_a_trial_with_a_failed_run_is_left_out(call, tmp_path, monkeypatch):
    honest = worker._one

    def planted(task, index, item):
        broken = index == 3 and task.folder.name == "001"
        return (task.recorder.failed(item, "planted"), True) if broken else honest(task, index, item)

    monkeypatch.setattr(worker, "_one", planted)
    code, _, err = call("optimise", *SEARCH)
    trials = pd.read_csv(only(tmp_path / "results" / "optimise") / "trials.csv")
    assert (
        code == 1 and err.splitlines()[-1].startswith("error: 1 run of the search failed") and list(trials["failed"]) == [0, 0, 0, 1, 0, 0]
    )
    assert trials["found"].notna().sum() == 1 and np.isnan(trials["net.mean"][3])


def test_the_best_compromises_are_those_that_none_beats():
    scores = np.array([[1.0, 5], [3, 3], [3, 3], [2, 2], [5, 1]])
    assert best_of(scores) == [4, 1, 0] and best_of(scores[:, :1]) == [4]
    assert len(best_of(np.column_stack([np.arange(50.0), -np.arange(50.0)]))) == 8


# --------------------------------------------------------------------------- the folder


def test_started_again_or_interrupted_the_bytes_are_the_same(call, tmp_path, monkeypatch, found):
    shutil.copytree(found[0], tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    assert call("optimise", *SEARCH, "output=whole")[0] == 0
    assert contents(tmp_path / "whole") == whole
    shard, calls = worker._shard, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return shard(*given)

    monkeypatch.setattr(worker, "_shard", interrupted)
    code, _, err = call("optimise", *SEARCH, "output=again")
    assert code == 130 and "the same command goes on" in err
    assert call("optimise", *SEARCH, "output=again", "executor=processes")[0] == 0
    assert contents(tmp_path / "again") == whole


def test_every_column_of_every_table_is_described(found):
    words = pd.read_csv(found[0] / "data_dictionary.csv", keep_default_na=False)
    known = set(zip(words["dataset"], words["column"], strict=True))
    for table in found[0].glob("*.parquet"):
        assert {(table.stem, column) for column in pd.read_parquet(table)} <= known
    assert (words["meaning"] != "").all()


def test_a_dry_run_writes_nothing(call, tmp_path):
    code, out, _ = call("optimise", *SEARCH, "dry_run=true")
    assert code == 0 and "Nothing was written" in plain(out) and list(tmp_path.iterdir()) == []


@pytest.mark.fault("configuration", "settings of optimise that cannot be used", "one line with key, value and what is allowed")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["objectives=[median]"], "objectives: 'median'"),
        (["objectives=[effort.mean]"], "objectives: 'effort.mean'"),
        (["objectives=[regret]"], "objectives: 'regret'"),
        (["objectives=[.mean]"], "objectives: '.mean'"),
        (["objectives=[mean,net.mean]"], "objectives: ['mean', 'net.mean']"),
        (["levers=[budget]"], "levers: 'budget'"),
        (["lever_ranges={cadence: [0, 4]}"], "lever_ranges.cadence: 0"),
        (["lever_ranges={effort: [0, 1]}"], "lever_ranges.effort: [0, 1]"),
        (["lever_ranges={gate_weeks: [10, 200]}"], "lever_ranges.gate_weeks: [10, 200]"),
        (["lever_ranges={order: [size, network]}"], "lever_ranges.order: ['size', 'network']"),
        (["save_as=../../evil"], "save_as: '../../evil'"),
        (["save_as=adaptive"], "save_as: 'adaptive'"),
        (["strategy.cadence=3"], "strategy: 'integration_first with changes'"),
        (["tail=0"], "tail: 0"),
        (["generations=20000", "trials=20000"], "generations: 20000"),
        (["trials=0"], "trials: 0"),
    ],
)
def test_refused_in_one_line_with_nothing_written(arguments, said, call, tmp_path):
    code, out, err = call("optimise", *SMALL, *arguments)
    assert code == 2 and err.startswith(f"error: {said}") and err.count("\n") == 1 and out == ""
    assert list(tmp_path.iterdir()) == []
