"""The experiments: what they write, print and refuse."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import made, only
from scipy import stats

from experiments import compare, output, parameters, run, runner
from experiments.lab import config as entry
from experiments.lab.statistics import mean, median, share
from sim import InvalidInput, RolloutModel, presets
from sim.parameters import RECORDS

TASKS = {"run": run.run, "compare": compare.compare}
SMALL = ["enterprise=small", "weeks=40"]


def test_run_writes_what_it_says(call, tmp_path):
    code, out, _ = call("run", *SMALL, "strategy=model_first", "seed=7")
    assert code == 0 and "Written to results/run/model_first-4units-40w-seed7-" in out
    folder = only(tmp_path / "results" / "run")
    assert {p.name for p in folder.iterdir()} == {
        "figure.png",
        "weekly.parquet",
        "units.parquet",
        "events.csv",
        "outcome.json",
        "manifest.json",
    }
    model = RolloutModel(strategy="model_first", enterprise="small", weeks=40, rng=7).run()
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "weekly.parquet"), model.weekly)
    assert len(pd.read_parquet(folder / "units.parquet")) == 160
    assert json.loads((folder / "outcome.json").read_text()) == model.outcome
    assert pd.read_csv(folder / "events.csv")["words"].tolist() == model.events["words"].tolist()


def test_a_manifest_says_what_made_the_numbers(call, tmp_path):
    call("run", *SMALL, "trust.loss=0.2")
    folder = only(tmp_path / "results" / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["configuration"]["trust"]["loss"] == 0.2 and manifest["configuration"]["strategy"]["name"] == "integration_first"
    assert manifest["seed"] == 1 and manifest["versions"]["numpy"] == np.__version__
    assert set(manifest["files_sha256"]) == {p.name for p in folder.iterdir()} - {"manifest.json"}
    assert manifest["configuration_sha256"] == output.digest(manifest["configuration"])
    values = {k: v for k, v in manifest["configuration"].items() if k not in ("seed", "input_files")}
    from sim.configuration import from_mapping

    again = RolloutModel(parameters=from_mapping(values), rng=manifest["seed"]).run()
    assert again.outcome == json.loads((folder / "outcome.json").read_text())


def test_the_same_run_again_gives_the_same_bytes(call, tmp_path):
    def contents():
        folder = only(tmp_path / "results" / "run")
        return {p.name: p.read_bytes() for p in folder.iterdir()}

    call("run", *SMALL)
    first = contents()
    call("run", *SMALL)
    assert contents() == first


COMPARE = ["maturities=[low,high]", "enterprise=small", "weeks=110", "replications=6"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison that is only read: its folder and what was printed."""
    folder = tmp_path_factory.mktemp("made") / "compared"
    return folder, made("compare", folder, *COMPARE, "executor=serial")


def test_compare_writes_what_it_says(compared):
    folder, out = compared
    assert "of ideal" in out and "Same luck" in out
    assert {p.name for p in folder.iterdir()} == {
        "report.html",
        "figure.png",
        "runs.parquet",
        "weekly.parquet",
        "units.parquet",
        "held.parquet",
        "summary.csv",
        "paired.csv",
        "manifest.json",
    }
    runs = pd.read_parquet(folder / "runs.parquet")
    assert len(runs) == 2 * 2 * 6 and (runs["error"] == "").all()
    weekly = pq.ParquetFile(folder / "weekly.parquet", page_checksum_verification=True).read().to_pandas()
    assert len(weekly) == 24 * 110
    one = runs[(runs["maturity"] == "high") & (runs["strategy"] == "model_first") & (runs["replication"] == 3)].iloc[0]
    model = RolloutModel(strategy="model_first", maturity="high", enterprise="small", weeks=110, rng=4).run()
    assert one["net"] == model.outcome["net"] and one["seed"] == 4 and one["outcome"] == model.outcome["outcome"]
    keys = ["maturity", "strategy", "replication"]
    last = weekly[weekly["week"] == 109].astype({"maturity": str, "strategy": str}).sort_values(keys)
    assert last["cumulative_net"].tolist() == runs.sort_values(keys)["net"].tolist()


def test_comparisons_are_paired_and_their_statistics_are_right(compared):
    folder, _ = compared
    runs, paired = pd.read_parquet(folder / "runs.parquet"), pd.read_csv(folder / "paired.csv")
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


def test_more_replications_never_change_old_ones_nor_do_threads(call, tmp_path, compared):
    few_folder, _ = compared
    call("compare", *COMPARE[:3], "replications=9", "executor.workers=3", "output=many")
    call("compare", *COMPARE, "executor.workers=3", "output=threads")
    few, many, threads = (pd.read_parquet(folder / "runs.parquet") for folder in (few_folder, tmp_path / "many", tmp_path / "threads"))
    pd.testing.assert_frame_equal(many[many["replication"] < 6].reset_index(drop=True), few)
    pd.testing.assert_frame_equal(threads, few)
    for name in (
        "weekly.parquet",
        "runs.parquet",
        "units.parquet",
        "held.parquet",
        "summary.csv",
        "paired.csv",
        "figure.png",
        "report.html",
    ):
        assert (few_folder / name).read_bytes() == (tmp_path / "threads" / name).read_bytes()


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


def test_measures_a_short_horizon_cannot_have_are_left_out(call, tmp_path):
    assert call("compare", "enterprise=small", "weeks=30", "replications=2", "maturities=[low]")[0] == 0
    summary = pd.read_csv(only(tmp_path / "results" / "compare") / "summary.csv")
    assert "net" in set(summary["measure"]) and "net_104" not in set(summary["measure"])


def test_a_failed_run_is_recorded_and_never_a_value(call, tmp_path, monkeypatch):
    class Failing(RolloutModel):
        def run(self, progress=None):
            if self.seed_used == 3 and self.parameters.strategy.name == "model_first":
                raise FloatingPointError("deliberately")
            return super().run(progress)

    monkeypatch.setattr(runner, "RolloutModel", Failing)
    code, _, err = call("compare", *COMPARE, "maturities=[low]")
    assert code == 1 and "1 of 12 runs failed" in err and "seed 3" in err and "deliberately" in err
    folder = only(tmp_path / "results" / "compare")
    runs = pd.read_parquet(folder / "runs.parquet")
    failed = runs[runs["error"] != ""]
    assert len(runs) == 12 and len(failed) == 1 and failed["net"].isna().all()
    assert json.loads((folder / "manifest.json").read_text())["failed"] == 1
    assert pd.read_csv(folder / "paired.csv")["pairs"].max() == 5


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

    monkeypatch.setattr(runner, "RolloutModel", Deadly)
    code, _, err = call("compare", *COMPARE, "executor.workers=2", "output=deadly")
    runs = pd.read_parquet(tmp_path / "deadly" / "runs.parquet")
    assert len(runs) == 24
    lost = runs[runs["error"] != ""]
    if deaths == 1:
        assert code == 0 and len(lost) == 0
    else:
        assert code == 1 and "4 of 24 runs failed" in err and set(lost["seed"]) == {5}
    calm = pd.read_parquet(compared[0] / "runs.parquet")
    kept = runs["error"] == ""
    pd.testing.assert_frame_equal(runs[kept], calm[kept], check_dtype=False)


def test_intervals_hold_what_they_promise():
    """Coverage of the 95% intervals on known distributions, within four standard errors."""
    generator = np.random.Generator(np.random.PCG64(1))
    trials, hits = 600, {"mean": 0, "share": 0, "median": 0}
    for _ in range(trials):
        x = generator.normal(3, 2, 30)
        low, high = mean(x)[1:]
        hits["mean"] += low <= 3 <= high
        low, high = share(float((generator.random(40) < 0.3).sum()), 40)[1:]
        hits["share"] += low <= 0.3 <= high
        low, high = median(generator.exponential(1, 51))[1:]
        hits["median"] += low <= np.log(2) <= high
    for name, count in hits.items():
        assert abs(count / trials - 0.95) < 4 * np.sqrt(0.95 * 0.05 / trials), name


def test_weeks_never_reached_stay_never():
    assert median(np.array([5.0, 7.0, np.inf, np.inf, np.inf]))[0] == np.inf
    assert share(0.0, 10)[1] == pytest.approx(0, abs=1e-12) and share(0.0, 10)[2] > 0.2


REFUSED = {
    "unknown key, the nearest named": ("run", ["trust.los=0.1"], ["trust.los", "0.1", "trust.loss"]),
    "unknown strategy, the nearest named": ("run", ["strategy=model_frist"], ["strategy", "model_frist", "model_first"]),
    "unknown strategy to compare": ("compare", ["strategies=[model_frist]"], ["model_frist", "model_first"]),
    "unknown maturity to compare": ("compare", ["maturities=[hihg]"], ["hihg", "high"]),
    "unknown experiment": ("run", ["experiment=foo"], ["experiment", "foo", "where_model_first_wins"]),
    "a key of another experiment": ("compare", ["strategy=model_first"], ["strategy", "strategies"]),
    "NaN": ("run", ["trust.loss=nan"], ["trust.loss", "nan", "0 to 1"]),
    "infinity": ("run", ["value.worth=inf"], ["value.worth", "inf"]),
    "negative": ("run", ["trust.loss=-1"], ["trust.loss", "-1", "0 to 1"]),
    "a probability of 1.2": ("run", ["platform.swan=1.2"], ["platform.swan", "1.2"]),
    "text for a number": ("run", ["trust.loss='0.1'"], ["trust.loss", "'0.1'"]),
    "true for a number": ("run", ["trust.loss=true"], ["trust.loss", "True"]),
    "octal": ("run", ["weeks=010"], ["weeks", "010"]),
    "base 60": ("run", ["weeks=12:30:45"], ["weeks", "12:30:45"]),
    "no": ("run", ["weeks=no"], ["weeks", "no"]),
    "null": ("run", ["trust.loss=null"], ["trust.loss", "None"]),
    "a fraction for a count": ("run", ["weeks=10.5"], ["weeks", "10.5"]),
    "a number for a group": ("run", ["trust=7"], ["trust", "7"]),
    "zero weeks": ("run", ["weeks=0"], ["weeks", "0"]),
    "zero units": ("run", ["enterprise.units=0"], ["enterprise.units", "0"]),
    "zero planners": ("run", ["enterprise.users=0"], ["enterprise.users", "0"]),
    "a billion planners": ("run", ["enterprise.units=10000", "enterprise.teams=1000", "enterprise.users=100"], ["1000000000", "GB"]),
    "shares over 1": ("run", ["strategy.effort.pilot.model=0.9"], ["strategy.effort.pilot", "add up to 1"]),
    "negative seed": ("run", ["seed=-1"], ["seed", "-1"]),
    "seed of text": ("compare", ["seed=abc"], ["seed", "abc"]),
    "one replication": ("compare", ["replications=1"], ["replications", "1", "2 to"]),
    "too many runs": ("compare", ["replications=100000"], ["replications", "100,000 runs"]),
    "a name where a list belongs": ("compare", ["maturities=low"], ["maturities", "low", "in brackets"]),
    "a name twice": ("compare", ["strategies=[balanced,balanced]"], ["strategies", "balanced"]),
    "an empty list": ("compare", ["strategies=[]"], ["strategies"]),
    "an unknown engine": ("run", ["engine=fast"], ["engine", "fast", "compiled"]),
    "an executable node": ("run", ["+trust._target_=os.system"], ["_target_"]),
    "an executable node in a mapping": ("run", ["trust={_target_:os.system}"], ["_target_"]),
    "interpolation of the environment": ("run", ["strategy.description=${oc.env:HOME}"], ["strategy.description", "plain values"]),
    "Hydra's own settings": ("run", ["hydra.run.dir=elsewhere"], ["hydra.run.dir"]),
    "Hydra's callbacks": ("run", ["+hydra.callbacks.x._target_=os.system"], ["hydra.callbacks"]),
    "another folder of configurations": ("run", ["--config-path=/tmp"], ["--config-path"]),
    "another folder, abbreviated": ("run", ["--config-p=/tmp"], ["--config-p"]),
    "another folder, in short": ("run", ["-cp", "/tmp"], ["-cp"]),
    "another folder, glued": ("run", ["-cd/tmp"], ["-cd"]),
    "another file, abbreviated": ("run", ["--config-n", "x"], ["--config-n"]),
    "a rerun": ("run", ["--experimental=x.pkl"], ["--experimental"]),
    "no seed": ("run", ["seed=null"], ["seed", "None"]),
    "an edge list that is not there (compare)": ("compare", ["network=edges", "replications=2"], ["network"]),
    "an organisation that is not there (compare)": ("compare", ["enterprise=from_files", "enterprise.folder=nowhere"], ["nowhere"]),
    "the folder one is in": ("run", ["output=others/.."], ["output"]),
    "a path too long": ("run", ["output=" + "a" * 300], ["output", "File name too long"]),
    "a home of nobody": ("run", ['output="~nouser/x"'], ["output", "home"]),
    "a folder with a manifest of something else": ("run", ["output=web"], ["output", "web"]),
    "deleting a key": ("run", ["~trust"], ["trust"]),
    "half a list": ("run", ["trust.loss=[1"], ["[1"]),
    "no key at all": ("run", ["nonsense"], ["nonsense"]),
    "a folder of CSV files that is not there": ("run", ["enterprise=from_files", "enterprise.folder=nowhere"], ["nowhere"]),
    "an output that is a file": ("run", ["output=a_file"], ["output", "a_file"]),
    "an output with other things in it": ("run", ["output=others"], ["output", "others"]),
}


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.fault(
    "configuration",
    "the command line: unknown keys, executable nodes, interpolation, Hydra's own settings, wrong types",
    "refused in one line, exit code 2, nothing written",
)
def test_bad_input_is_one_line_with_exit_code_2_and_writes_nothing(fault, call, tmp_path):
    (tmp_path / "a_file").write_text("mine")
    (tmp_path / "others").mkdir()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text("{}")
    (tmp_path / "web" / "index.html").write_text("precious")
    (tmp_path / "others" / "thesis.txt").write_text("mine")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    experiment, arguments, said = REFUSED[fault]
    code, out, err = call(experiment, *arguments)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1, err
    assert len(err) < 500 and "Traceback" not in err
    for text in said:
        assert text in err
    assert sorted(str(p) for p in tmp_path.rglob("*") if p.name not in ("results", "run", "compare")) == before
    assert (tmp_path / "a_file").read_text() == (tmp_path / "others" / "thesis.txt").read_text() == "mine"


HOSTILE = {
    "a target": "_target_: os.system\n",
    "a target below": "effort:\n  pilot: {_target_: os.system}\n",
    "a package of Hydra's": "# @package hydra\nrun: {dir: elsewhere}\n",
    "a package of the whole": "# @package _global_\ntrust: {loss: 0.1}\n",
    "a Hydra node": "hydra:\n  callbacks: {x: {_target_: os.system}}\n",
    "a defaults list": "defaults: [balanced]\n",
    "interpolation": "description: ${oc.env:HOME}\n",
    "a Python tag": "description: !!python/object/apply:os.system [id]\n",
    "an alias bomb": "a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a key twice": "cadence: 4\ncadence: 5\n",
    "an unknown key": "cadense: 4\n",
    "half a file": "effort: {pilot: {model: 0.5\n",
    "a list": "- 1\n- 2\n",
    "bytes": b"description: \xff\xfe\n",
}


@pytest.mark.parametrize("fault", HOSTILE)
@pytest.mark.fault("files", "strategy files with code, defaults, interpolation", "refused, nothing executed")
def test_hostile_strategy_files_are_refused_and_nothing_runs(fault, call, tmp_path, monkeypatch):
    configs = tmp_path / "configs"
    shutil.copytree(presets.CONFIGS, configs)
    text = HOSTILE[fault]
    (configs / "strategy" / "hostile.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setattr(presets, "CONFIGS", configs)
    monkeypatch.setattr(entry, "CONFIGS", configs)
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("executed"))
    code, _, err = call("run", *SMALL, "strategy=hostile")
    assert (code == 2 and "hostile" in err) or "cadense" in err
    assert err.count("\n") == 1 and not (tmp_path / "results").exists()


@pytest.mark.fault("process", "output folder that cannot be written (run, compare)", "refused before anything runs")
def test_an_output_folder_that_cannot_be_written_is_refused_before_anything_runs(call, monkeypatch):
    def full(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(output.tempfile, "mkdtemp", full)
    code, out, err = call("run", *SMALL)
    assert code == 2 and out == "" and "output" in err and "Read-only file system" in err


@pytest.mark.fault("process", "disk full while writing (run, compare)", "one line; earlier results untouched")
def test_a_full_disk_leaves_no_half_result(call, tmp_path, monkeypatch):
    call("run", *SMALL)
    folder = only(tmp_path / "results" / "run")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.pq, "write_table", full)
    code, _, err = call("run", *SMALL)
    assert code == 2 and "No space left" in err and err.count("\n") == 1
    assert only(tmp_path / "results" / "run") == folder
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_of_two_writers_of_one_folder_the_last_one_stays_and_nothing_is_left_over(tmp_path):
    place = tmp_path / "results" / "run"
    with output.Output("run", "name", str(place)) as slow:
        slow.text("manifest.json", "slow")
        with output.Output("run", "name", str(place)) as quick:
            quick.text("manifest.json", "quick")
        assert (place / "manifest.json").read_text() == "quick"
    assert (place / "manifest.json").read_text() == "slow" and only(place.parent) == place


def test_files_beside_earlier_results_are_never_deleted(call, tmp_path):
    assert call("run", *SMALL, "output=mine")[0] == 0
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    code, _, err = call("run", *SMALL, "output=mine")
    assert code == 2 and "nothing but earlier results" in err and (tmp_path / "mine" / "notes.txt").read_text() == "precious"


def test_a_link_to_a_folder_stays_a_link(call, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert call("run", *SMALL, "output=link")[0] == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "manifest.json").is_file()


def test_names_with_markup_are_printed_as_they_are(call):
    code, out, _ = call("run", *SMALL, 'strategy.name="[/x] [red]"')
    assert code == 0 and "[/x] [red], seed 1" in out


def test_both_engines_write_the_same_runs(call, tmp_path):
    tiny = ["enterprise.units=2", "enterprise.teams=1", "enterprise.users=2", "weeks=10", "replications=5", "executor=serial"]
    for engine in ("compiled", "textbook"):
        call("compare", *tiny, f"engine={engine}", f"output={engine}")
    for name in ("runs.parquet", "weekly.parquet", "units.parquet", "held.parquet", "summary.csv", "paired.csv", "figure.png"):
        assert (tmp_path / "compiled" / name).read_bytes() == (tmp_path / "textbook" / name).read_bytes(), name


def test_an_interrupted_comparison_says_that_nothing_was_written(call, tmp_path, monkeypatch):
    def interrupted(*_):
        raise runner.Stopped("interrupted after 5 of 24 runs, which are kept; the same command goes on")

    monkeypatch.setattr(compare, "execute", interrupted)
    code, _, err = call("compare", *COMPARE)
    assert (code, err) == (130, "interrupted: nothing was written\n") and not list(tmp_path.iterdir())


def test_names_in_csv_are_harmless(tmp_path):
    with output.Output("test", "name", str(tmp_path / "out")) as folder:
        folder.csv("t.csv", pd.DataFrame({"unit": ["=cmd|' /C calc'!A0", "+1", "Brazil"], "x": [-1.0, 2.0, 3.0]}))
    assert pd.read_csv(tmp_path / "out" / "t.csv")["unit"].tolist() == ["'=cmd|' /C calc'!A0", "'+1", "Brazil"]
    assert pd.read_csv(tmp_path / "out" / "t.csv")["x"].tolist() == [-1, 2, 3]


def test_the_parameter_table_lists_everything(capsys):
    parameters.main("csv")
    table = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out), keep_default_na=False)
    assert table["parameter"].tolist() == list(RECORDS)
    assert set(table["source"]) <= {"documented", "measured", "calibrated", "judged", "choice"}
    parameters.main("markdown")
    assert capsys.readouterr().out.count("\n") == len(table) + 2


def test_a_file_with_a_taken_name_raises():
    with pytest.raises(InvalidInput, match="experiment"):
        presets.load("experiment", "nothing_like_it")


@pytest.mark.slow
def test_modules_run_as_commands(call, tmp_path):
    """The commands of the README, as a newcomer's shell would call them."""
    environment = {**os.environ, "PYTHONPATH": str(output.ROOT), "PYTHONHASHSEED": "5"}

    def shell(*arguments):
        return subprocess.run(
            [sys.executable, "-m", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )

    code, shown, _ = call("run", "--cfg", "job", "strategy=model_first")
    assert code == 0 and "strategy:" in shown and "loss: 0.13" in shown
    done = shell("experiments.run", "--multirun", "enterprise=small", "weeks=30", "seed=1,2")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "results" / "run").iterdir())) == 2
    wrong = shell("experiments.compare", "replications=0")
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1
