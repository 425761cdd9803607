"""Where a strategy fails: boxes on known functions, and from the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from experiments import discover
from experiments.lab.storage import read

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
OVER = "over=[forecast.planner,value.worth,utility.threshold]"
WIDE = "ranges={forecast.planner: [0.2, 0.8]}"
# An enterprise in which the forecast hardly pays, so that its quality decides who wins.
STEEP = ["forecast=probe", "trust.noise=0.6", "disturbance.priority=0.3", "enterprise.spend=150000", "utility.trust=5", "utility.threshold_spread=1.6", "ranges={forecast.planner: [0.2, 0.8], utility.threshold: [0.65, 1.95]}"]  # fmt: skip
SEARCH = [*SMALL, OVER, WIDE, "samples=60", "replications=1"]


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
