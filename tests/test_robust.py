"""Regret over futures: on known numbers, and from the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from experiments.lab.storage import read
from experiments.robust import held_out_regrets, regrets

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
ROBUST = [*SMALL, "over=[value.worth,trust.loss]", "futures=12", "replications=2", "strategies=[integration_first,model_first,adaptive]"]


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
