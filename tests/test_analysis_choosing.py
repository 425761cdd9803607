"""Who wins where, and regret over futures: on known numbers, and from the command line."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import contents, made, only, plain

from experiments.lab import runner
from experiments.lab.records import RunRecorder
from experiments.lab.statistics import mean
from experiments.lab.storage import read
from experiments.phase import crossings, winners
from experiments.robust import held_out_regrets, regrets
from sim import RolloutModel

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
PHASE = [*SMALL, "x=maturity.budget", "y=value.worth", "levels=4", "replications=3"]
ROBUST = [*SMALL, "over=[value.worth,trust.loss]", "futures=12", "replications=2", "strategies=[integration_first,model_first,adaptive]"]
EVERY = {"phase": PHASE, "robust": ROBUST}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study of an experiment, which is only read: its folder and what was printed."""
    place = tmp_path_factory.mktemp("made")

    @lru_cache
    def of(experiment):
        return place / experiment, made(experiment, place / experiment, *EVERY[experiment])

    return of


# --------------------------------------------------------------------------- who wins where


def test_the_winner_leads_by_the_paired_difference():
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 50, 20)
    values = np.stack([luck + 3 + rng.normal(0, 0.1, 20), luck, luck - 8])[None]
    row = winners(values).iloc[0]
    assert (row["winner"], row["second"], row["decided"]) == (0, 1, True)
    assert (row["lead"], row["lead_low"], row["lead_high"]) == pytest.approx(mean(values[0, 0] - values[0, 1]))
    assert row["lead_high"] - row["lead_low"] < 1  # the luck they share is gone, fifty times larger though it is
    assert row["best_of_all"] == 1 and row["best_of_all_low"] < 1


def test_ties_are_shared_and_decide_nothing():
    row = winners(np.ones((1, 2, 8))).iloc[0]
    assert (row["lead"], row["best_of_all"], row["decided"]) == (0, 0.5, False)


def test_a_cell_with_a_failed_run_has_no_winner():
    values = np.ones((2, 2, 4))
    values[1, 0, 2] = np.nan
    found = winners(values)
    assert list(found["winner"]) == [0, -1] and np.isnan(found["lead"][1]) and not found["decided"][1]


def test_crossings_are_where_the_line_meets_zero():
    assert crossings(np.array([0.0, 1, 2, 3]), np.array([-1.0, 1, 3, -3])) == pytest.approx([0.5, 2.5])
    assert crossings(np.array([0.0, 1, 2]), np.array([1.0, np.nan, -1])) == []


def test_a_map_holds_what_single_runs_give(study):
    folder, out = study("phase")
    assert "16 cells" in plain(out)
    cells, runs = pd.read_csv(folder / "cells.csv"), read(folder, "runs")
    cell = cells.iloc[6]
    given = {"maturity.budget": float(cell["maturity.budget"]), "value.worth": float(cell["value.worth"])}
    nets = {
        s: np.array([RolloutModel(strategy=s, enterprise="small", weeks=50, rng=1 + r, **given).run().outcome["net"] for r in range(3)])
        for s in ("integration_first", "model_first")
    }
    ahead = nets[cell["winner"]] - nets[cell["second"]]
    assert cell["lead"] == pytest.approx(ahead.mean()) and ahead.mean() >= 0
    assert len(runs) == 16 * 2 * 3 and (folder / "figure.png").stat().st_size > 10_000
    each = pd.read_csv(folder / "strategies.csv")
    assert each[(each["cell"] == 6) & (each["strategy"] == "model_first")]["mean"].iloc[0] == pytest.approx(nets["model_first"].mean())


def test_three_strategies_share_a_map(call, tmp_path):
    code, _out, _ = call("phase", *PHASE, "strategies=[integration_first,model_first,adaptive]", "x=enterprise.units", "x_range=[2,5]")
    folder = only(tmp_path / "results" / "phase")
    assert code == 0 and set(pd.read_csv(folder / "cells.csv")["winner"]) <= {"integration_first", "model_first", "adaptive"}


def test_a_failed_run_leaves_its_cell_out(call, tmp_path, monkeypatch):
    break_run(monkeypatch, "broken")
    code, out, err = call("phase", *PHASE, "output=broken")
    cells = pd.read_csv(tmp_path / "broken" / "cells.csv")
    assert code == 1 and cells["winner"].isna().sum() == 1 and "1 cells are left out" in plain(out) and "planted" in err


def break_run(monkeypatch, place: str) -> None:
    """Let one run of the study in a folder of that name fail."""
    whole = RunRecorder.run

    def run(recorder, item):
        if item.run == 3 and Path.cwd().joinpath(place).exists():
            raise ArithmeticError("planted")
        return whole(recorder, item)

    monkeypatch.setattr(RunRecorder, "run", run)


# --------------------------------------------------------------------------- regret


def test_regret_is_the_distance_from_the_best_of_the_future():
    values = np.array([[[4.0, 6], [1, 1]], [[0, 0], [2, 4]]])
    assert regrets(values).tolist() == [[0, 4], [3, 0]]


def test_regret_against_the_best_of_noise_is_too_large_and_held_out_is_not():
    values = np.random.default_rng(2).normal(0, 1, (2000, 6, 4))  # six strategies, all alike
    assert regrets(values).mean() > 0.5
    assert abs(held_out_regrets(values).mean()) < 0.03


def test_futures_are_tabled_as_they_were_run(call, tmp_path):
    code, out, err = call("robust", *ROBUST, "satisficing={net: -1e9, final_reliance: 2}")
    assert (code, err) == (0, "") and "12 futures" in plain(out)
    folder = only(tmp_path / "results" / "robust")
    regret, enough, futures = (pd.read_csv(folder / f"{name}.csv") for name in ("regret", "satisficing", "futures"))
    by_hand = read(folder, "runs").groupby(["point", "strategy"])["net"].mean().to_numpy().reshape(12, 3)
    own = by_hand.max(axis=1, keepdims=True) - by_hand
    names = ["integration_first", "model_first", "adaptive"]
    table = regret.set_index("strategy").loc[names]
    np.testing.assert_allclose(table["regret_mean"], own.mean(axis=0))
    np.testing.assert_allclose(table["regret_max"], own.max(axis=0))
    np.testing.assert_allclose(table["worst"], by_hand.min(axis=0))
    assert table["best"].sum() == pytest.approx(1) and list(futures["best"]) == [names[i] for i in by_hand.argmax(axis=1)]
    met = enough.set_index(["criterion", "strategy"])["satisfied"].unstack()
    assert (met.loc["net ≥ -1e+09"] == 1).all() and (met.drop("net ≥ -1e+09") == 0).all(axis=None)


def test_futures_may_come_from_a_file(call, tmp_path):
    (tmp_path / "mine.csv").write_text("maturity,trust.loss\nlow,0.1\nhigh,0.2\n")
    code, out, _ = call("robust", *SMALL, "futures_file=mine.csv", "replications=2", "strategies=[integration_first,model_first]")
    futures = pd.read_csv(only(tmp_path / "results" / "robust") / "futures.csv")
    assert code == 0 and list(futures["maturity"]) == ["low", "high"] and "over 2 futures" in plain(out)
    (tmp_path / "mine.csv").write_text("strategy.cadence\n3\n")
    code, _, err = call("robust", *SMALL, "futures_file=mine.csv", "replications=2")
    assert code == 2 and err.startswith("error: mine.csv, line 1: 'strategy.cadence' is not allowed")


@pytest.mark.parametrize("experiment", ["phase", "robust"])
def test_where_every_run_fails_a_second_start_says_so_too(experiment, call, tmp_path, monkeypatch):
    def fail(self, progress=None):
        raise ArithmeticError("planted")

    monkeypatch.setattr(runner.RolloutModel, "run", fail)
    for _ in range(2):
        code, out, err = call(experiment, *EVERY[experiment], "output=out")
        assert code == 1 and "has a failed run" in plain(out) and "planted" in err and "Traceback" not in err


# --------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("experiment", EVERY)
def test_started_again_or_interrupted_the_bytes_are_the_same(experiment, call, tmp_path, monkeypatch, study):
    shutil.copytree(study(experiment)[0], tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    assert call(experiment, *EVERY[experiment], "output=whole")[0] == 0
    assert contents(tmp_path / "whole") == whole
    shard, calls = runner._shard, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return shard(*given)

    monkeypatch.setattr(runner, "_shard", interrupted)
    code, _, err = call(experiment, *EVERY[experiment], "output=again")
    assert code == 130 and "the same command goes on" in err
    assert call(experiment, *EVERY[experiment], "output=again", "executor=processes")[0] == 0
    assert contents(tmp_path / "again") == whole


@pytest.mark.parametrize("experiment", EVERY)
def test_every_column_of_every_table_is_described(experiment, study):
    folder, _ = study(experiment)
    words = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False)
    known = set(zip(words["dataset"], words["column"], strict=True))
    for table in folder.glob("*.parquet"):
        for column in pd.read_parquet(table):
            assert (table.stem, column) in known
    assert (words["meaning"] != "").all()


@pytest.mark.parametrize("experiment", EVERY)
def test_a_dry_run_writes_nothing(experiment, call, tmp_path):
    code, out, _ = call(experiment, *EVERY[experiment], "dry_run=true")
    assert code == 0 and "Nothing was written" in plain(out) and list(tmp_path.iterdir()) == []


@pytest.mark.fault("configuration", "settings of phase and robust that cannot be used", "one line with key, value and what is allowed")
@pytest.mark.parametrize(
    ("experiment", "arguments", "said"),
    [
        ("phase", ["x=maturity.budgets"], "x: 'maturity.budgets'"),
        ("phase", ["x=strategy.cadence"], "x: 'strategy.cadence'"),
        ("phase", ["y=override.share", "y_range=[0.5,0.5]"], "y_range: [0.5, 0.5]"),
        ("phase", ["x=maturity.budget", "y=maturity.budget"], "y: 'maturity.budget'"),
        ("phase", ["levels=1"], "levels: 1"),
        ("phase", ["levels=201"], "levels: 201"),
        ("phase", ["strategies=[adaptive]"], "strategies: ['adaptive']"),
        ("phase", ["strategies=[adaptive,modelfirst]"], "strategy: 'modelfirst'"),
        ("phase", ["outcome=effort"], "outcome: 'effort'"),
        ("phase", ["outcome=net_104"], "outcome: 'net_104'"),
        ("phase", ["replications=1"], "replications: 1"),
        ("phase", ["strategy.cadence=3"], "strategy.cadence: '3'"),
        ("robust", ["strategies=adaptive"], "strategies: 'adaptive'"),
        ("robust", ["strategies=[adaptive]"], "strategies: ['adaptive']"),
        ("robust", ["futures=1"], "futures: 1"),
        ("robust", ["satisficing={nett: 0}"], "satisficing.nett: 0"),
        ("robust", ["satisficing={net: many}"], "satisficing.net: 'many'"),
        ("robust", ["satisficing={}"], "satisficing: {}"),
        ("robust", ["futures_file=nowhere.csv"], "futures_file: 'nowhere.csv'"),
        ("robust", ["over=[network.kind]"], "over: 'network.kind'"),
    ],
)
def test_refused_in_one_line_with_nothing_written(experiment, arguments, said, call, tmp_path):
    code, out, err = call(experiment, *SMALL, *arguments)
    assert code == 2 and err.startswith(f"error: {said}") and err.count("\n") == 1 and out == ""
    assert list(tmp_path.iterdir()) == []
