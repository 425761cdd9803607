"""Strategies compared: what is written, printed and refused, and that it goes on where it was stopped."""

from __future__ import annotations

import json
import os
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import contents, made, only, plain
from scipy import stats

from experiments.lab.storage import read
from sim import RolloutModel, presets

COMPARE = ["maturities=[low,high]", "enterprise=small", "weeks=110", "replications=6"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison that is only read: its folder and what was printed."""
    folder = tmp_path_factory.mktemp("made") / "compared"
    return folder, made("compare", folder, *COMPARE, "executor=serial")


def test_compare_writes_what_it_says(compared):
    folder, out = compared
    assert " s on 1 workers" in plain(out) and "Same luck" in out
    assert {p.name for p in folder.iterdir() if not p.name.startswith(".")} == {
        "report.html", "figure.png", "runs", "weekly", "units", "held", "summary.csv", "summary.parquet", "paired.csv", "paired.parquet", "best.csv", "best.parquet",
        "data_dictionary.csv", "manifest.json", "plan.json", "ledger.sqlite",
    }  # fmt: skip
    runs = read(folder, "runs")
    assert len(runs) == 2 * 2 * 6 and (runs["error"] == "").all()
    weekly = read(folder, "weekly")
    assert len(weekly) == 24 * 110
    one = runs[(runs["maturity"] == "high") & (runs["strategy"] == "model_first") & (runs["replication"] == 3)].iloc[0]
    model = RolloutModel(strategy="model_first", maturity="high", enterprise="small", weeks=110, rng=4).run()
    assert one["net"] == model.outcome["net"] and one["seed"] == 4 and one["outcome"] == model.outcome["outcome"]
    keys = ["maturity", "strategy", "replication"]
    last = weekly[weekly["week"] == 109].astype({"maturity": str, "strategy": str}).sort_values(keys)
    assert last["cumulative_net"].tolist() == runs.sort_values(keys)["net"].tolist()


def test_comparisons_are_paired_and_their_statistics_are_right(compared):
    folder, _ = compared
    runs, paired = read(folder, "runs"), pd.read_csv(folder / "paired.csv")
    wide = runs[runs["maturity"] == "low"].pivot(index="replication", columns="strategy", values="net")
    difference = wide["integration_first"] - wide["model_first"]
    row = paired[(paired["maturity"] == "low") & (paired["measure"] == "net")].iloc[0]
    low, high = stats.ttest_rel(wide["integration_first"], wide["model_first"]).confidence_interval(0.95)
    assert row["difference"] == pytest.approx(difference.mean())
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert row["a_wins"] == pytest.approx(((difference > 0) + 0.5 * (difference == 0)).mean())
    assert row["variance_ratio"] == pytest.approx((wide.var().sum()) / difference.var())
    summary = pd.read_csv(folder / "summary.csv")
    classes = summary[summary["measure"].str.startswith("outcome_")].groupby(["maturity", "strategy"])["estimate"].sum()
    np.testing.assert_allclose(classes, 1)


def test_more_replications_never_change_old_ones_nor_do_threads(call, tmp_path, compared, request):
    few_folder, _ = compared
    call("compare", *COMPARE, "executor.workers=2", "output=threads")
    request.getfixturevalue("undrawn")
    call("compare", *COMPARE[:3], "replications=9", "executor=serial", "output=many")
    few, many, threads = (read(folder, "runs") for folder in (few_folder, tmp_path / "many", tmp_path / "threads"))
    pd.testing.assert_frame_equal(many[many["replication"] < 6], few)
    pd.testing.assert_frame_equal(threads, few)
    assert contents(few_folder) == contents(tmp_path / "threads")


@pytest.mark.usefixtures("undrawn")
def test_equal_strategies_are_called_equal(call, tmp_path, monkeypatch):
    copied = tmp_path / "configs"
    shutil.copytree(presets.CONFIGS, copied)
    shutil.copy(copied / "strategy" / "balanced.yaml", copied / "strategy" / "twin.yaml")
    monkeypatch.setattr(presets, "CONFIGS", copied)
    _, out, _ = call(
        "compare", "enterprise=small", "weeks=30", "replications=3", "maturities=[low]", "strategies=[balanced,twin]", "executor=serial"
    )
    assert "came to the same net value in all 3 pairs" in out and "better in" not in out
    assert (pd.read_csv(only(tmp_path / "results" / "compare") / "paired.csv")["ties"] == 3).all()


@pytest.mark.usefixtures("undrawn")
def test_measures_a_short_horizon_cannot_have_are_left_out(call, tmp_path):
    assert call("compare", "enterprise=small", "weeks=30", "replications=2", "maturities=[low]", "executor=serial")[0] == 0
    summary = pd.read_csv(only(tmp_path / "results" / "compare") / "summary.csv")
    assert "net" in set(summary["measure"]) and "net_104" not in set(summary["measure"])


@pytest.mark.usefixtures("undrawn")
def test_a_failed_run_is_recorded_and_never_a_value(call, tmp_path, monkeypatch):
    class Failing(RolloutModel):
        def run(self, progress=None):
            if self.seed_used == 3 and self.parameters.strategy.name == "model_first":
                raise FloatingPointError("deliberately")
            return super().run(progress)

    monkeypatch.setattr("sim.RolloutModel", Failing)
    code, _, err = call("compare", *COMPARE, "maturities=[low]", "executor=serial")
    assert code == 1 and "1 of 12 runs failed" in err and "deliberately" in err
    folder = only(tmp_path / "results" / "compare")
    runs = read(folder, "runs")
    failed = runs[runs["error"] != ""]
    assert len(runs) == 12 and len(failed) == 1 and failed["net"].isna().all()
    assert json.loads((folder / "manifest.json").read_text())["failed"] == 1
    assert pd.read_csv(folder / "paired.csv")["pairs"].max() == 5
    assert pd.read_csv(folder / "failures.csv")["seed"].tolist() == [3]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("deaths", [1, 2])
@pytest.mark.fault("process", "a worker killed once, and at every attempt (compare)", "redone; recorded as failed")
def test_a_worker_that_dies_loses_its_runs_only_when_it_dies_again(call, tmp_path, monkeypatch, deaths, compared):
    class Deadly(RolloutModel):
        def run(self, progress=None):
            died = tmp_path / "died"
            if self.seed_used == 5 and (deaths == 2 or not died.exists()):
                died.write_text("")
                os.kill(os.getpid(), 9)
            return super().run(progress)

    monkeypatch.setattr("sim.RolloutModel", Deadly)
    code, _, err = call("compare", *COMPARE, "executor.workers=2", "output=deadly")
    runs = read(tmp_path / "deadly", "runs")
    assert len(runs) == 24
    lost = runs[runs["error"] != ""]
    if deaths == 1:
        assert code == 0 and len(lost) == 0
    else:
        assert code == 1 and "4 of 24 runs failed" in err and set(lost["seed"]) == {5}
    calm = read(compared[0], "runs")
    kept = runs["error"] == ""
    pd.testing.assert_frame_equal(runs[kept], calm[kept], check_dtype=False)


@pytest.mark.usefixtures("undrawn")
def test_both_engines_write_the_same_runs(call, tmp_path):
    tiny = [
        "maturities=[low]",
        "enterprise.units=2",
        "enterprise.teams=1",
        "enterprise.users=2",
        "weeks=10",
        "replications=5",
        "executor=serial",
    ]
    for engine in ("compiled", "textbook"):
        call("compare", *tiny, f"engine={engine}", f"output={engine}")
    compiled, textbook = (contents(tmp_path / engine) for engine in ("compiled", "textbook"))
    saying = {"plan.json", "manifest.json", "report.html"}  # these say which engine it was
    assert compiled.keys() == textbook.keys() and all(compiled[name] == textbook[name] for name in compiled.keys() - saying)


def test_a_dry_run_of_a_comparison_writes_nothing(call, tmp_path):
    code, out, _ = call("compare", *COMPARE, "dry_run=true")
    assert code == 0 and "24 runs, 4 points × 6 replications in" in plain(out) and not (tmp_path / "results").exists()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("strategies", [2, 3])
def test_no_interval_is_broken_in_a_hundred_columns(strategies, call):
    named = ["integration_first", "model_first", "representative_pilot"][:strategies]
    code, out, _ = call("compare", "maturities=[high]", "replications=4", "weeks=110", "executor=serial", f"strategies=[{','.join(named)}]")
    rows = [line for line in out.splitlines() if line.startswith("│")]
    assert code == 0 and max(map(len, rows)) <= 100
    assert sum(line.count("[") for line in rows) == 5 * strategies
    assert all(cell.count("[") == cell.count("]") for line in rows for cell in line.split("│"))
    assert "teams that trust and use │" in plain(out) and "Intervals are in" not in out
    if strategies == 2:
        assert all(re.search(r"\S  \[", line) for line in rows if "[" in line)  # beside, where there is room


def test_a_comparison_of_portfolios_says_what_its_figures_are_over(call, tmp_path):
    asked = ["usecases=[demand,promotion]", "maturities=[middle]", "enterprise=small", "weeks=60", "replications=2", "executor=serial"]
    code, out, _ = call("compare", *asked, "strategies=[balanced,big_bang]", "output=out")
    over = "over 2 use cases together: demand and promotion"
    report = (tmp_path / "out" / "report.html").read_text()
    assert code == 0 and f"All figures are {over}." in out and f"all figures {over};" in report
    runs, summary = read(tmp_path / "out", "runs"), pd.read_csv(tmp_path / "out" / "summary.csv")
    begun = summary[summary["measure"] == "use_cases_begun"].set_index("strategy")["estimate"]
    assert begun.to_dict() == runs.groupby("strategy", observed=True)["use_cases_begun"].mean().to_dict() and begun["big_bang"] == 2
    assert (
        "use cases in production at the end" in out
        and "use cases in production at the end" in report
        and "usecases.promotion.value" in report
        and "sharing.trust" in report
    )
    model = RolloutModel(usecases=["demand", "promotion"], strategy="big_bang", enterprise="small", weeks=60, rng=1).run()
    ends = read(tmp_path / "out", "units").query("strategy == 'big_bang' and seed == 1").set_index("unit")
    last = pd.concat([case.unit_weekly.assign(planners=np.repeat([case.state.units["users"]], 60, axis=0).ravel())
                      for case in model.use_cases.values()])  # fmt: skip
    assert ends["net"].to_dict() == pytest.approx(last.groupby("unit", observed=True)["net"].sum().to_dict())
    last = last[last["week"] == 59]
    mean = (last["reliance"] * last["planners"]).groupby(last["unit"], observed=True).sum()
    mean /= last.groupby("unit", observed=True)["planners"].sum()
    assert ends["reliance"].to_dict() == pytest.approx(mean.to_dict())


def test_a_comparison_of_one_use_case_says_nothing_of_use_cases(compared):
    folder, out = compared
    report = (folder / "report.html").read_text()
    assert (
        "use case" not in out
        and "usecase" not in report.replace("forecast.usecase_spread", "")
        and "strategy.portfolio" not in report
        and "use_cases" in " ".join(read(folder, "runs"))
    )
