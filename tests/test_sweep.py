"""The sweep as it is called from the command line."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pandas as pd
import polars
import pytest
from conftest import only, plain

from experiments.lab.statistics import half_widths, replications_needed
from experiments.lab.storage import read
from sim import RolloutModel
from sim.measures import MEASURES

SMALL = ["enterprise=small", "weeks=30", "executor=serial"]
DESIGN = [
    *SMALL,
    "design.over=[trust.loss,strategy]",
    "design.ranges={strategy:[integration_first,model_first]}",
    "design.samples=8",
    "replications=3",
]


def test_a_sweep_writes_what_it_says(call, tmp_path):
    code, out, err = call("sweep", *DESIGN, "weekly=5")
    assert code == 0 and "24 runs, 8 points × 3 replications" in plain(out) and err == ""
    folder = only(tmp_path / "results" / "sweep")
    names = {p.name for p in folder.iterdir() if not p.name.startswith(".")}
    assert names == {
        "data_dictionary.csv", "figure.png", "ledger.sqlite", "manifest.json", "plan.json", "points.csv", "points.parquet", "runs", "weekly",
    }  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["runs"] == 24 and manifest["failed"] == 0 and manifest["seeds"] == [1, 3]
    assert manifest["configuration"]["design"]["kind"] == "lhs" and "runs/part-000000.parquet" in manifest["files_sha256"]
    table, runs = pd.read_csv(folder / "points.csv"), read(folder, "runs")
    np.testing.assert_allclose(table["net"], runs.groupby("point")["net"].mean())
    for end, of_three in (("below", "min"), ("above", "max")):
        np.testing.assert_allclose(table[f"net_{end}"], runs.groupby("point")["net"].agg(of_three))
    assert set(table["strategy"]) == {"integration_first", "model_first"}


def test_started_again_it_ends_with_the_same_bytes(call, tmp_path):
    call("sweep", *DESIGN)
    before = {p: p.read_bytes() for p in only(tmp_path / "results" / "sweep").rglob("*") if p.is_file() and "ledger" not in p.name}
    assert call("sweep", *DESIGN)[0] == 0
    assert {p: p.read_bytes() for p in only(tmp_path / "results" / "sweep").rglob("*") if p.is_file() and "ledger" not in p.name} == before


def test_other_tools_read_it(call, tmp_path):
    call("sweep", *DESIGN)
    runs = only(tmp_path / "results" / "sweep") / "runs"
    by_pandas = pd.read_parquet(runs).sort_values("run")
    by_polars = polars.read_parquet(f"{runs}/*.parquet").sort("run")
    by_duckdb = duckdb.sql(f"SELECT * FROM '{runs}/*.parquet' ORDER BY run").df()
    for name in ("run", "net", "final_reliance", "trust.loss"):
        assert by_pandas[name].tolist() == by_polars[name].to_list() == by_duckdb[name].tolist()
    assert by_pandas["strategy"].tolist() == by_polars["strategy"].to_list() == by_duckdb["strategy"].tolist()


def test_every_column_is_in_the_dictionary(call, tmp_path):
    call("sweep", *DESIGN, "weekly=5")
    words = pd.read_csv(only(tmp_path / "results" / "sweep") / "data_dictionary.csv", keep_default_na=False)
    described = set(words.loc[words["dataset"] == "runs", "column"])
    assert set(read(only(tmp_path / "results" / "sweep"), "runs").columns) == described
    assert (words["meaning"] != "").all()
    outcome = RolloutModel(enterprise="small", weeks=5, rng=1).run().outcome
    assert set(outcome) == set(MEASURES)
    for name, value in outcome.items():
        kinds = {"count": int, "number": float, "flag": bool, "text": str}
        assert value is None or type(value) is kinds[MEASURES[name].kind], name


def test_a_dry_run_says_what_would_be_and_writes_nothing(call, tmp_path):
    code, out, _ = call("sweep", *DESIGN, "dry_run=true")
    assert code == 0 and "24 runs, 8 points × 3 replications in" in plain(out) and "on disk" in out and "Nothing was written" in out
    assert not (tmp_path / "results").exists()


def test_auto_adds_replications_until_the_intervals_are_narrow(call, tmp_path):
    arguments = [
        *SMALL,
        "design=grid",
        "design.levels=2",
        "design.over=[trust.loss]",
        "replications=auto",
        "outcome=final_trust",
        "precision=0.004",
    ]
    assert call("sweep", *arguments)[0] == 0
    runs = read(only(tmp_path / "results" / "sweep"), "runs")
    n = runs["replication"].max() + 1
    assert n > 10
    values = runs["final_trust"].to_numpy().reshape(n, 2).T
    assert half_widths(values).max() <= 0.004
    assert half_widths(values[:, :10]).max() > 0.004
    assert (runs["run"] == runs["replication"] * 2 + runs["point"]).all()


def test_auto_stops_where_it_is_told_to(call, tmp_path):
    arguments = [*SMALL, "design=grid", "design.levels=2", "design.over=[trust.loss]", "replications=auto", "outcome=net", "precision=1e-6"]
    code, _, err = call("sweep", *arguments, "most_replications=12")
    assert code == 0 and "after 12 replications the widest interval is still" in err
    assert len(read(only(tmp_path / "results" / "sweep"), "runs")) == 24


def test_the_number_of_replications_wanted():
    assert replications_needed(1.0, 2.0, 10, 100) == 10
    assert replications_needed(1.1, 1.0, 10, 100) == 13
    assert replications_needed(9.0, 1.0, 10, 100) == 20  # at most doubled at a time
    assert replications_needed(9.0, 1.0, 10, 15) == 15


@pytest.mark.fault("process", "runs that raise (sweep)", "recorded with the command that repeats them; exit code 1")
def test_failed_runs_are_counted_named_and_repeatable(call, tmp_path, monkeypatch):
    class Failing(RolloutModel):
        def run(self, progress=None):
            if self.seed_used == 2 and self.parameters.strategy.name == "model_first":
                raise FloatingPointError("deliberately")
            return super().run(progress)

    monkeypatch.setattr("sim.RolloutModel", Failing)
    code, _, err = call("sweep", *DESIGN)
    assert code == 1 and "of 24 runs failed" in err and "deliberately" in err and err.count("\n") == 1
    failures = pd.read_csv(only(tmp_path / "results" / "sweep") / "failures.csv")
    assert set(failures["seed"]) == {2} and failures["command"].str.contains("strategy=model_first seed=2").all()
    table = pd.read_csv(only(tmp_path / "results" / "sweep") / "points.csv")
    assert (table.loc[table["strategy"] == "model_first", "runs"] == 2).all()


REFUSED = {
    "an unknown parameter": (["design.over=[trust.los]"], ["design.over", "trust.los", "trust.loss"]),
    "no parameter": ([], ["design.over"]),
    "a range of one point": (
        ["design.over=[trust.loss]", "design.ranges={trust.loss:[0.1,0.1]}"],
        ["design.ranges.trust.loss", "low below high"],
    ),
    "an empty range": (["design.over=[trust.loss]", "design.ranges={trust.loss:[]}"], ["design.ranges.trust.loss", "a range"]),
    "too many runs, not confirmed": (["design.over=[trust.loss]", "design.samples=1001", "replications=1000"], ["confirm", "1,001,000"]),
    "no replications": (["design.over=[trust.loss]", "replications=0"], ["replications", "0", "1 to"]),
    "replications in words": (["design.over=[trust.loss]", "replications=many"], ["replications", "many", "auto"]),
    "an unknown outcome": (["design.over=[trust.loss]", "outcome=nett"], ["outcome", "nett", "net"]),
    "an outcome that is no number": (["design.over=[trust.loss]", "outcome=reason"], ["outcome", "reason"]),
    "an unknown design": (["design=lsh"], ["design", "lsh", "lhs"]),
    "an unknown executor": (["executor=threads"], ["executor", "threads"]),
    "a key of another design": (["design.levels=4", "design.over=[trust.loss]"], ["levels"]),
    "an address of nobody": (["executor=dask", "executor.address=nonsense", "design.over=[trust.loss]"], ["executor.address", "nonsense"]),
    "half a sequence": (["design=sobol", "design.samples=100", "design.over=[trust.loss]"], ["design.samples", "power of two"]),
    "shares that cannot vary alone": (["design.over=[strategy.effort.pilot.model]"], ["strategy.effort.pilot", "add up to 1"]),
    "a setting inside what is varied": (["design.over=[strategy]", "strategy.cadence=4"], ["strategy.cadence", "varies strategy"]),
    "a limit where none can be kept": (["design.over=[trust.loss]", "limit=5", "executor=serial"], ["limit", "5"]),
    "a design file that is not there": (["design=file", "design.file=none.csv"], ["design.file", "none.csv"]),
    "a folder of something else": (["design.over=[trust.loss]", "output=."], ["output", "a new folder"]),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.fault(
    "configuration",
    "sweeps: unknown names, no replications, a million runs not confirmed, unknown executors",
    "refused in one line, exit code 2, nothing written",
)
def test_refused_in_one_line_with_nothing_written(case, call, tmp_path):
    arguments, words = REFUSED[case]
    (tmp_path / "other.txt").write_text("")
    code, _, err = call("sweep", "enterprise=small", "weeks=30", *arguments)
    assert code == 2 and err.count("\n") == 1 and err.startswith("error: "), err
    for word in words:
        assert word in err
    assert [p.name for p in tmp_path.iterdir()] == ["other.txt"]


@pytest.mark.fault("process", "the same folder with another configuration", "refused with the difference")
def test_the_same_folder_with_another_configuration_is_refused(call, tmp_path):
    call("sweep", *DESIGN, "output=out")
    code, _, err = call("sweep", *DESIGN, "output=out", "trust.gain=0.07")
    assert code == 2 and "parameters.trust.gain" in err and "0.07" in err and "0.06" in err and err.count("\n") == 1


def test_points_of_a_file_are_run_as_they_are(call, tmp_path):
    (tmp_path / "mine.csv").write_text("trust.loss,strategy\n0.05,balanced\n0.2,adaptive\n")
    code, _, _ = call("sweep", "enterprise=small", "weeks=30", "executor=serial", "design=file", "design.file=mine.csv", "replications=2")
    assert code == 0
    runs = read(only(tmp_path / "results" / "sweep"), "runs")
    assert runs["trust.loss"].tolist() == [0.05, 0.2] * 2 and runs["strategy"].tolist() == ["balanced", "adaptive"] * 2
    model = RolloutModel(strategy="balanced", enterprise="small", weeks=30, rng=2, **{"trust.loss": 0.05}).run()
    assert runs["net"][2] == model.outcome["net"]
