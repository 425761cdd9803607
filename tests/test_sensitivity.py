"""Which parameters decide: on known functions, and from the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from experiments import sensitivity
from experiments.lab import paired
from experiments.lab.designs import Factor
from experiments.lab.storage import read
from experiments.sensitivity import analyse, block_size, halves, sampling_error, turning, unit_points
from sim import RolloutModel

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
OVER = "over=[forecast.planner,value.worth,utility.threshold]"
WIDE = "ranges={forecast.planner: [0.2, 0.8]}"
MORRIS = [*SMALL, OVER, WIDE, "trajectories=6", "replications=2"]


def numbers(d: int) -> tuple[Factor, ...]:
    return tuple(Factor(f"x{j}", "number", 0, 1) for j in range(d))


def design(method: str, d: int, trajectories: int = 20, samples: int = 64) -> np.ndarray:
    return unit_points(method, numbers(d), 1, 1, trajectories=trajectories, levels=4, samples=samples)


def ishigami(unit: np.ndarray, a: float = 7.0, b: float = 0.1) -> np.ndarray:
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_are_those_of_ishigamis_function():
    unit = design("sobol", 3, samples=1024)
    table = analyse("sobol", unit, ishigami(unit))
    a, b, pi4 = 7.0, 0.1, np.pi**4
    variance = a**2 / 8 + b * pi4 / 5 + b**2 * pi4**2 / 18 + 0.5
    alone = np.array([0.5 * (1 + b * pi4 / 5) ** 2, a**2 / 8, 0.0]) / variance
    both = b**2 * pi4**2 * (1 / 18 - 1 / 50) / variance  # the first and the third together
    np.testing.assert_allclose(table["S1"], alone, atol=0.03)
    total = alone + np.array([both, 0, both])
    np.testing.assert_allclose(table["ST"], total, atol=0.03)
    assert ((table["ST_low"] < total) & (total < table["ST_high"])).all()


def test_morris_sees_slopes_and_nothing_where_nothing_is():
    unit = design("morris", 4)
    table = analyse("morris", unit, 3 * unit[:, 0] - 2 * unit[:, 1] + 4 * unit[:, 0] * unit[:, 2])
    assert table.loc[3, ["mu_star", "mu_star_low", "mu_star_high", "sigma"]].tolist() == [0, 0, 0, 0]
    assert table.loc[1, "mu"] == pytest.approx(-2) and table.loc[1, "sigma"] == pytest.approx(0, abs=1e-9)
    assert table.loc[0, "mu_star"] > 3 and table.loc[0, "sigma"] > 0.5  # its slope depends on the third


@pytest.mark.parametrize("method", sensitivity.METHODS)
def test_the_same_everywhere_is_important_nowhere(method):
    unit = design(method, 2)
    assert (analyse(method, unit, np.ones(len(unit))).to_numpy() == 0).all()


@pytest.mark.parametrize("method", sensitivity.METHODS)
def test_only_moves_of_what_sets_the_sign_turn_it(method):
    unit = design(method, 3)
    y = unit[:, 1] - 0.5 + 0.01 * unit[:, 0]
    turned = turning(method, unit, y)
    assert turned.shape == (len(unit) // block_size(method, 3), 3)
    assert turned[:, 1].mean() > 0.3 and turned[:, 2].sum() == 0
    by_hand = [abs(np.diff(np.sign(y[i : i + 4]))).sum() > 0 for i in range(0, len(unit), 4)] if method == "morris" else None
    assert by_hand is None or turned.any(axis=1).tolist() == by_hand


def test_flips_concentrate_in_the_half_where_they_were_put():
    unit = design("sobol", 4, samples=256)
    low, high, differs = halves(unit, unit[:, 2] > 0.7, 6, 1)
    assert differs.tolist() == [False, False, True, False]
    assert low[2] == 0 and high[2] == pytest.approx(0.6, abs=0.05)


def test_a_parameter_that_only_shuffles_luck_does_not_matter():
    """The threshold is above what the indices of pure noise come to; without replications nothing is known of luck."""
    rng = np.random.Generator(np.random.SFC64(3))
    for method, index in (("morris", "mu_star"), ("sobol", "ST")):
        unit = design(method, 3, 400, 1024)
        noise = rng.normal(size=(len(unit), 4))
        luck = sampling_error(method, noise, 4)
        assert luck.error == pytest.approx(0.5, rel=0.05)
        table = analyse(method, unit, noise.mean(axis=1))
        assert (table[f"{index}_low"] < luck.threshold).all() and luck.threshold == pytest.approx(table[index].mean(), rel=0.1)
        assert sampling_error(method, noise[:, :1], 4).error == 0


def test_morris_from_the_command_line(call, tmp_path):
    code, out, err = call("sensitivity", *MORRIS)
    assert (code, err) == (0, "") and "integration-first" in plain(out) and "3 parameters decide by how much" in plain(out)
    folder = only(tmp_path / "results" / "sensitivity")
    names = {p.name for p in folder.iterdir() if not p.name.startswith(".")}
    assert names == {
        "data_dictionary.csv", "figure.png", "importance.csv", "importance.parquet", "ledger.sqlite", "manifest.json", "plan.json",
        "points.csv", "points.parquet", "runs", "summary.csv", "summary.parquet",
    }  # fmt: skip
    table, points, runs = pd.read_csv(folder / "importance.csv"), pd.read_parquet(folder / "points.parquet"), read(folder, "runs")
    assert len(points) == 6 * 4 and len(runs) == 2 * 2 * 6 * 4 and set(runs["strategy"]) == {"integration_first", "model_first"}
    assert runs.groupby("replication")["seed"].nunique().eq(1).all()  # the same luck for both strategies, at every point
    wide = runs.pivot_table(index=list(OVER[6:-1].split(",")), columns="strategy", values="net")
    key = points.set_index(list(wide.index.names))["value"]
    np.testing.assert_allclose(key, (wide["integration_first"] - wide["model_first"]).loc[key.index])
    unit = unit_points("morris", paired.numeric_factors(list(wide.index.names), None, RolloutModel(enterprise="small").parameters, True), 1, 2, 6, 4, 256)  # fmt: skip
    again = analyse("morris", unit, points["value"].to_numpy(), 4, 1)
    np.testing.assert_allclose(np.sort(again["mu_star"])[::-1], table["mu_star"])
    assert set(table["source"]) == {"judged", "documented"} and (table["mu_star"] > 0).any()
    described = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False)
    assert set(described.loc[described["dataset"] == "importance", "column"]) == set(table) and (described["meaning"] != "").all()


def test_sobol_of_one_strategy_from_the_command_line(call, tmp_path):
    code, out, _ = call("sensitivity", *SMALL, OVER, "method=sobol", "samples=8", "replications=2", "versus=''", "outcome=final_reliance")
    assert code == 0 and "of the variance" in plain(out) and "beats" not in plain(out)
    table = pd.read_csv(only(tmp_path / "results" / "sensitivity") / "importance.csv")
    assert {"S1", "ST", "ST_low"} <= set(table) and "turns" not in table
    assert table.set_index("parameter").loc["value.worth", "ST"] == 0 < table["ST"].max()  # what it is worth, nobody sees


def test_points_with_failed_runs_are_left_out_with_their_trajectory(call, tmp_path, monkeypatch):
    honest = RolloutModel.run

    def run(self):
        if (
            self.parameters.strategy.name == "model_first"
            and self.parameters.value.worth < 0.05
            and self.parameters.utility.threshold > 0.4
        ):
            raise ArithmeticError("planted")
        return honest(self)

    monkeypatch.setattr(RolloutModel, "run", run)
    code, out, err = call("sensitivity", *MORRIS, "trajectories=12")
    folder = only(tmp_path / "results" / "sensitivity")
    points = pd.read_parquet(folder / "points.parquet")
    failed = points["value"].isna()
    assert failed.any() and (failed == ((points["value.worth"] < 0.05) & (points["utility.threshold"] > 0.4))).all()
    lost = failed.to_numpy().reshape(-1, 4).any(axis=1).sum() * 4
    assert code == 1 and f"{lost} points are left out" in plain(out) and "planted" in err and (folder / "failures.csv").exists()
    monkeypatch.setattr(RolloutModel, "run", lambda self: 1 / 0)
    code, out, err = call("sensitivity", *MORRIS, "output=none")
    assert (
        code == 1 and "nothing can be said" in plain(out) and "ZeroDivisionError" in err and not (tmp_path / "none" / "figure.png").exists()
    )
