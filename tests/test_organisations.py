"""Whom runs are of: a run and a film of one organisation of a population, and the command that repeats a run that failed."""

from __future__ import annotations

import json
import shlex

import pandas as pd
import pytest
from conftest import only, plain

from experiments.lab.records import run_key
from sim import RolloutModel
from sim.configuration import from_mapping
from sim.measures import MEASURES

SHORT = ["enterprise=small", "weeks=30"]


def key_of(folder, values=None):
    """Identity of the run of a results folder."""
    configuration = json.loads((folder / "manifest.json").read_text())["configuration"]
    values = values or {k: v for k, v in configuration.items() if k not in ("seed", "input_files", "population")}
    return run_key(from_mapping(values), configuration["seed"])


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("given", [[], ["usecases=[demand,promotion]", "trust.noise=0.4"], ["population.use_cases=null"]])
def test_a_run_of_a_population_is_the_run_of_the_comparison(call, tmp_path, given):
    assert call("compare", *SHORT, *given, "population=calibrated", "maturities=[low]", "replications=2", "seed=6", "output=all")[0] == 0
    rows = pd.read_parquet(tmp_path / "all" / "runs").set_index(["strategy", "seed"])
    code, out, _ = call("run", *SHORT, *given, "population=calibrated", "maturity=low", "strategy=model_first", "seed=7")
    assert code == 0 and "Organisation 7 of the calibrated population, low maturity: " in plain(out)
    folder = only(tmp_path / "results" / "run")
    outcome, row = json.loads((folder / "outcome.json").read_text()), rows.loc[("model_first", 7)]
    assert key_of(folder) == row["run_key"]
    for name in set(MEASURES) & set(outcome):
        assert outcome[name] == row[name] or (outcome[name] is None and pd.isna(row[name])), name


def test_folder_and_manifest_name_the_organisation(call, tmp_path):
    _, out, _ = call("run", *SHORT, "population=mine", "seed=7", "trust.noise=0.4")
    folder = only(tmp_path / "results" / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert folder.name.startswith("integration_first-4units-30w-mine-seed7-") and manifest["organisation"] in plain(out)
    assert manifest["organisation"].endswith(" than usual. Given, and not drawn: trust.noise.")
    assert manifest["configuration"]["population"]["name"] == "mine"
    assert len(manifest["configuration"]["usecases"]) == 1  # those that are configured


def test_one_exact_organisation_is_said_to_be_one(call, tmp_path):
    _, out, _ = call("run", *SHORT, "output=out")
    assert "One exact organisation, as configured (population=article)." in out
    assert "population" not in json.loads((tmp_path / "out" / "manifest.json").read_text())["configuration"]
    assert call("run", "population=calibrate")[::2] == (2, call("compare", "population=calibrate")[2])


def test_a_film_is_of_the_same_organisation_with_one_use_case(call, tmp_path):
    given = [*SHORT, "population=calibrated", "seed=3"]
    code, out, err = call("animate", *given, "every=30", "format=gif", "output=film")
    assert code == 0 and "Organisation 3 of the calibrated population, middle maturity: " in out, err
    assert call("run", *given, "strategy=model_first", "usecases=[demand]", "output=run")[0] == 0
    cell = json.loads((tmp_path / "film" / "manifest.json").read_text())["configuration"]["cells"]["model_first"]
    again = RolloutModel(parameters=from_mapping(cell), rng=3).run().outcome
    assert again == json.loads((tmp_path / "run" / "outcome.json").read_text())


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "given",
    [
        ["population=calibrated", "trust.noise=0.4646", "changes={maturity.budget: 2}"],  # the first is given as it is by default
        ["population=calibrated", "usecases=[demand,promotion]", "network=small_world", "network.ties=6"],
        ["population=calibrated", "population.use_cases={low: [2, 3], middle: [1, 1], high: [1, 1]}"],
        ["population=mine", 'usecases=[{name: own, description: "it\'s {mine}", value: 2}]'],
        ["population=article", "experiment=own", "changes={strategy.pilot: random}"],
    ],
)
def test_the_command_of_a_failed_run_repeats_it(call, tmp_path, monkeypatch, configs, given):
    class Failing(RolloutModel):
        def run(self, progress=None):
            if self.seed_used == 2 and self.parameters.strategy.name == "model_first":
                raise FloatingPointError("deliberately")
            return super().run(progress)

    (configs / "experiment" / "own.yaml").write_text("# @package _global_\nstrategies: [model_first, balanced]\nvalue: {realised: 0.7}\n")
    with monkeypatch.context() as patch:
        patch.setattr("sim.RolloutModel", Failing)
        code, _, err = call("compare", *SHORT, *given, "maturities=[low]", "replications=2", "executor=serial", "output=all")
        assert code == 1, err
    failed = pd.read_parquet(tmp_path / "all" / "runs").query("error != ''")
    command = pd.read_csv(tmp_path / "all" / "failures.csv")["command"].item()
    assert len(command) < 300 or "own" in command
    assert command.startswith("python -m experiments.run ")
    code, _, err = call("run", *shlex.split(command)[3:], "output=again")
    assert code == 0, err
    assert key_of(tmp_path / "again") == failed["run_key"].item()
