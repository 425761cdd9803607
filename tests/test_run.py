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


def test_of_several_use_cases_each_is_told_and_all_together(call, tmp_path):
    given = ["usecases=[demand,promotion,returns]", "enterprise=small", "weeks=80", "strategy=balanced"]
    code, out, _ = call("run", *given, "output=out")
    folder = tmp_path / "out"
    model = RolloutModel(usecases=["demand", "promotion", "returns"], enterprise="small", weeks=80, strategy="balanced", rng=1).run()
    demand, promotion = model.use_cases.values()
    assert code == 0 and (demand.name, promotion.name) == ("demand", "promotion")
    record = json.loads((folder / "outcome.json").read_text())
    assert record.pop("usecases") == {"demand": demand.outcome, "promotion": promotion.outcome, "returns": None}
    assert record == model.outcome
    weeks, units = pd.read_parquet(folder / "usecases.parquet"), pd.read_parquet(folder / "units.parquet")
    assert list(weeks["usecase"]) == ["demand"] * 80 + ["promotion"] * 80 and list(weeks["week"]) == [*range(80), *range(80)]
    assert weeks.groupby("week")["net"].sum().to_numpy() == pytest.approx(pd.read_parquet(folder / "weekly.parquet")["net"].to_numpy())
    assert units.groupby(["usecase", "week", "unit"], observed=True).size().eq(1).all() and len(units) == 2 * 80 * 4
    rows = [line for line in out.splitlines() if "reliance of planners at the end" in line]
    shown = [cell.strip() for row in rows for cell in row.split("│")[2:-1]]
    assert shown == [f"{r['final_reliance']:.0%}" for r in (demand.outcome, promotion.outcome)] + ["–", f"{record['final_reliance']:.0%}"]
    began = int(model.events.query("usecase == 'promotion' and event == 'pilot started'")["week"].iloc[0])
    assert f"week {began:3d}: promotion: " in out and "returns: its turn never came" in out
    assert "│ use cases begun " in out and (folder / "figure.png").stat().st_size > 10_000
    call("run", *given, "engine=textbook", "output=textbook")
    assert all((tmp_path / "textbook" / name).read_bytes() == (folder / name).read_bytes() for name in ("outcome.json", "figure.png"))


def test_with_one_use_case_nothing_is_said_of_use_cases(call, tmp_path):
    _, out, _ = call("run", *SMALL, "output=out")
    assert "use case" not in out and "usecases" not in json.loads((tmp_path / "out" / "outcome.json").read_text())
    assert "usecase" not in pd.read_parquet(tmp_path / "out" / "units.parquet") and not (tmp_path / "out" / "usecases.parquet").exists()


def test_many_use_cases_are_told_in_tables_that_fit(call):
    given = "usecases=[demand,promotion,replenishment,price,capacity,returns]"
    _, out, _ = call("run", *SMALL, given, "strategy=big_bang")
    heads = [line for line in out.splitlines() if line.startswith("┃ outcome ")]
    named = [cell.strip() for line in heads for cell in line.split("┃")[2:-1]]
    assert len(heads) > 1 and named == ["demand", "promotion", "replenishment", "price", "capacity", "returns", "all"]
    assert max(map(len, heads)) <= 100
