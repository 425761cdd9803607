"""One run: what it writes, and that the same run again gives the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from experiments.lab import output
from sim import RolloutModel

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


def test_names_with_markup_are_printed_as_they_are(call):
    code, out, _ = call("run", *SMALL, 'strategy.name="[/x] [red]"')
    assert code == 0 and "[/x] [red], seed 1" in out


def test_units_retired_are_those_at_the_end_with_a_stopped_initiative(call, tmp_path):
    code, out, _ = call("run", "strategy=model_first", "maturity=low", "enterprise=small", "output=out")
    events = pd.read_csv(tmp_path / "out" / "events.csv")["event"].tolist()
    stages = pd.read_parquet(tmp_path / "out" / "units.parquet").query("week == week.max()")["stage"].tolist()
    assert code == 0 and "stopped" in events and stages.count("retired") > events.count("retired")  # the pilot goes with the initiative
    assert f"units retired at the end │ {stages.count('retired')} │" in plain(out)


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
