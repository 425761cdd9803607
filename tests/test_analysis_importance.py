"""Which parameters decide, and where a strategy fails: on known functions, and from the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import contents, only, plain

from experiments import discover, sensitivity
from experiments.lab import paired, runner
from experiments.lab.designs import Factor, at_unit
from experiments.lab.storage import read
from experiments.sensitivity import analyse, block_size, halves, sampling_error, turning, unit_points
from sim import RolloutModel
from sim.parameters import RECORDS

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
OVER = "over=[forecast.planner,value.worth,utility.threshold]"
WIDE = "ranges={forecast.planner: [0.2, 0.8]}"
# An enterprise in which the forecast hardly pays, so that its quality decides who wins.
STEEP = ["forecast=probe", "trust.noise=0.6", "disturbance.priority=0.3", "enterprise.spend=150000", "utility.trust=5", "utility.threshold_spread=1.6", "ranges={forecast.planner: [0.2, 0.8], utility.threshold: [0.65, 1.95]}"]  # fmt: skip
MORRIS = [*SMALL, OVER, WIDE, "trajectories=6", "replications=2"]
SEARCH = [*SMALL, OVER, WIDE, "samples=60", "replications=1"]


def numbers(d: int) -> tuple[Factor, ...]:
    return tuple(Factor(f"x{j}", "number", 0, 1) for j in range(d))


def design(method: str, d: int, trajectories: int = 20, samples: int = 64) -> np.ndarray:
    return unit_points(method, numbers(d), 1, 1, trajectories=trajectories, levels=4, samples=samples)


def ishigami(unit: np.ndarray, a: float = 7.0, b: float = 0.1) -> np.ndarray:
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])


# --------------------------------------------------------------------------- analysis of known functions


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


def test_prim_finds_a_planted_box_and_nothing_in_noise():
    rng = np.random.Generator(np.random.SFC64(1))
    x = pd.DataFrame(rng.random((900, 8)), columns=[f"x{j}" for j in range(8)])
    x["x1"] = rng.integers(1, 6, 900)
    planted = ((x["x0"] < 0.4) & (x["x1"] >= 3)).to_numpy()
    (box,) = discover.find_boxes(x, planted, density=0.95)
    inside = box.holds(x)
    assert sorted(box.limits["parameter"]) == ["x0", "x1"]
    assert planted[inside].mean() >= 0.95 and planted[inside].sum() / planted.sum() > 0.9
    limits = box.limits.set_index("parameter")
    assert limits.loc["x0", "high"] == pytest.approx(0.4, abs=0.03) and np.isnan(limits.loc["x0", "low"])
    assert 2 <= limits.loc["x1", "low"] <= 3 and (limits.loc["x0", "quasi_p_high"], limits.loc["x1", "quasi_p_low"]) < (1e-6, 1e-6)
    assert box.peeling["chosen"].sum() == 1 and (np.diff(box.peeling["coverage"]) <= 0).any()
    assert discover.find_boxes(x, rng.random(900) < 0.3) == []


def test_the_second_box_holds_what_the_first_leaves():
    rng = np.random.Generator(np.random.SFC64(2))
    x = pd.DataFrame(rng.random((1200, 3)), columns=["a", "b", "c"])
    planted = ((x["a"] < 0.25) | (x["b"] > 0.8)).to_numpy()
    found = discover.find_boxes(x, planted)
    assert {tuple(box.limits["parameter"]) for box in found[:2]} == {("a",), ("b",)}
    assert planted[found[0].holds(x) | found[1].holds(x)].sum() / planted.sum() > 0.9


def test_boxes_in_words():
    rows = pd.DataFrame(
        [("maturity.budget", "person-weeks", "number", np.nan, 1.13), ("trust.loss", "0 to 1", "number", 0.09, np.nan),
         ("utility.min_peers", "peers", "count", 2.5, np.nan), ("x", "", "number", 0.1, 0.2)],
        columns=["parameter", "unit", "kind", "low", "high"],
    )  # fmt: skip
    assert discover.in_words(rows) == (
        "maturity.budget below 1.13 person-weeks and trust.loss above 0.09 and utility.min_peers at least 3 peers and x between 0.1 and 0.2"
    )


# --------------------------------------------------------------------------- from the command line


def test_all_numbers_but_choices_of_management_are_screened():
    base = RolloutModel(enterprise="small").parameters
    names = [f.name for f in paired.numeric_factors("all", None, base, True)]
    assert {"trust.loss", "maturity.budget", "utility.min_peers", "value.worth"} <= set(names)
    assert not any(name.split(".")[0] in ("strategy", "enterprise", "weeks", "network", "outcomes") for name in names)
    assert all(RECORDS[name].kind in ("number", "count") for name in names) and len(names) > 100
    judged = [f.name for f in paired.numeric_factors("judged", None, base, True)]
    assert judged == [name for name in names if RECORDS[name].source == "judged"] and 0 < len(judged) < len(names)


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
    assert set(table["source"]) == {"calibrated", "documented"} and (table["mu_star"] > 0).any()
    described = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False)
    assert set(described.loc[described["dataset"] == "importance", "column"]) == set(table) and (described["meaning"] != "").all()


def test_sobol_of_one_strategy_from_the_command_line(call, tmp_path):
    code, out, _ = call("sensitivity", *SMALL, OVER, "method=sobol", "samples=8", "replications=2", "versus=''", "outcome=final_reliance")
    assert code == 0 and "of the variance" in plain(out) and "beats" not in plain(out)
    table = pd.read_csv(only(tmp_path / "results" / "sensitivity") / "importance.csv")
    assert {"S1", "ST", "ST_low"} <= set(table) and "turns" not in table
    assert table.set_index("parameter").loc["value.worth", "ST"] == 0 < table["ST"].max()  # what it is worth, nobody sees


@pytest.mark.parametrize(("experiment", "arguments"), [("sensitivity", MORRIS), ("discover", SEARCH)])
def test_interrupted_and_started_again_it_ends_with_the_same_bytes(call, tmp_path, monkeypatch, experiment, arguments):
    call(experiment, *arguments)
    whole = contents(only(tmp_path / "results" / experiment))
    assert call(experiment, *arguments)[0] == 0
    assert contents(only(tmp_path / "results" / experiment)) == whole
    honest, made = runner.work, []

    def work(task):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(task)
        return honest(task)

    monkeypatch.setattr(runner, "work", work)
    assert call(experiment, *arguments, "output=again")[0] == 130
    assert not (tmp_path / "again" / "manifest.json").exists() and len(list((tmp_path / "again" / "runs").iterdir())) == 2
    monkeypatch.setattr(runner, "work", honest)
    assert call(experiment, *arguments, "output=again")[0] == 0
    assert contents(tmp_path / "again") == whole


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


def test_discover_from_the_command_line(call, tmp_path):
    code, out, err = call("discover", *SMALL, "weeks=80", OVER, *STEEP, "samples=240", "replications=2", "density=0.6", "mass=0.1")
    assert (code, err) == (0, "") and "loses to model-first" in plain(out)
    folder = only(tmp_path / "results" / "discover")
    points, scores = pd.read_csv(folder / "points.csv"), pd.read_csv(folder / "scores.csv")
    runs, boxes = read(folder, "runs"), pd.read_csv(folder / "boxes.csv")
    net = runs.sort_values("run")["net"].to_numpy().reshape(2, 240, 2).mean(axis=0)
    assert (points["case"] == (net[:, 0] < net[:, 1])).all() and points["fitted"].sum() == 160
    assert "Box 1: " in plain(out) and len(boxes) and "forecast.planner" in set(boxes["parameter"])
    first = boxes[boxes["box"] == 1]
    inside = np.ones(240, bool)
    for _, row in first.iterrows():
        inside &= ~(points[row["parameter"]] < row["low"]) & ~(points[row["parameter"]] > row["high"])
    held = ~points["fitted"]
    score = scores[(scores["box"] == 1) & (scores["set"] == "held out")].iloc[0]
    assert score["density"] == pytest.approx(points["case"][inside & held].mean())
    assert score["density"] > points["case"][held].mean()
    assert score["coverage"] == pytest.approx((points["case"] & inside & held).sum() / (points["case"] & held).sum())
    assert {"peeling.csv", "peeling.parquet", "figure.png", "data_dictionary.csv"} <= {p.name for p in folder.iterdir()}


def test_a_class_that_nearly_never_happens_is_said_to_be_empty(call, tmp_path):
    code, out, err = call("discover", *SEARCH, "question=scaled")
    assert (code, err) == (0, "") and "No box: only" in plain(out) and "in at least half of the runs" in plain(out)
    folder = only(tmp_path / "results" / "discover")
    assert pd.read_csv(folder / "boxes.csv").empty and len(pd.read_csv(folder / "points.csv")) == 60 and (folder / "figure.png").exists()
    assert set(read(folder, "runs").columns) & {"strategy"} == set()  # one strategy is enough to see how it ends


def test_a_dry_run_writes_nothing(call, tmp_path):
    for experiment, arguments in (("sensitivity", MORRIS), ("discover", SEARCH)):
        code, out, _ = call(experiment, *arguments, "dry_run=true")
        assert code == 0 and "Nothing was written" in plain(out) and not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("experiment", "arguments", "said"),
    [
        ("sensitivity", ["method=fast"], "method: 'fast' is not allowed; expected one of morris, sobol"),
        ("sensitivity", ["over=some"], "over: 'some' is not allowed; expected all, judged, calibrated, measured, documented, or a list"),
        ("sensitivity", ["over=[trust.lost]"], "over: 'trust.lost' is not allowed; expected one of the known names; did you mean trust.loss"),
        ("sensitivity", ["over=[maturity]"], "over: 'maturity' is not allowed; expected parameters that are numbers"),
        ("sensitivity", ["over=[strategy.champions]"], "over: 'strategy.champions' is not allowed; expected no parameter of the strategy"),
        ("sensitivity", ["ranges={trust.loss:[0.3,0.1]}"], "ranges.trust.loss: [0.3, 0.1] is not allowed"),
        ("sensitivity", ["versus=integration_first"], "versus: 'integration_first' is not allowed; expected another strategy"),
        ("sensitivity", ["versus=integration"], "strategy: 'integration' is not allowed; expected one of the known names"),
        ("sensitivity", ["strategy.champions=0.2"], "strategy: 'integration_first with changes' is not allowed"),
        ("sensitivity", ["outcome=payback_week"], "outcome: 'payback_week' is not allowed"),
        ("sensitivity", ["outcome=net_104"], "outcome: 'net_104' is not allowed; expected an outcome that a run of 50 weeks has"),
        ("sensitivity", ["trajectories=1"], "trajectories: 1 is not allowed"),
        ("sensitivity", ["levels=5"], "levels: 5 is not allowed; expected an even number"),
        ("sensitivity", ["method=sobol", "samples=100"], "samples: 100 is not allowed; expected a power of two"),
        ("sensitivity", ["trajectories=100000"], "trajectories: 100000 is not allowed; expected at most 10,000,000 points"),
        ("sensitivity", ["replications=auto"], "replications: 'auto' is not allowed"),
        ("discover", ["question=wins"], "question: 'wins' is not allowed; expected one of loses, purgatory"),
        ("discover", ["versus=''"], "versus: '' is not allowed; expected a strategy to lose against"),
        ("discover", ["by=chance"], "by: 'chance' is not allowed"),
        ("discover", ["samples=3"], "samples: 3 is not allowed"),
        ("discover", ["density=80"], "density: 80 is not allowed; expected a number from 0.01 to 1"),
        ("discover", ["over=[network]"], "over: 'network' is not allowed"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(call, tmp_path, experiment, arguments, said):
    code, out, err = call(experiment, *SMALL, *arguments)
    assert code == 2 and err.startswith(f"error: {said}") and err.count("\n") == 1 and out == ""
    assert not (tmp_path / "results").exists()


def test_points_of_a_pair_differ_in_nothing_but_the_strategy():
    points = paired.crossed(at_unit(numbers(2), np.array([[0.1, 0.2], [0.3, 0.4]])), ("a", "b"))
    assert [points.at(i) for i in range(4)] == [
        {"x0": x, "x1": y, "strategy": s} for x, y in ((0.1, 0.2), (0.3, 0.4)) for s in ("a", "b")
    ]  # fmt: skip
