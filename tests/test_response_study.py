"""The command that measures the response."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import contents, only, plain

from experiments.response import measure
from experiments.response.demand import Defects, generate_demand
from experiments.response.forecasters import FORECASTERS
from experiments.response.measure import measured_at
from sim import presets
from sim.configuration import from_mapping
from sim.presets import read_yaml

#: One level of each defect and a short test: what the command needs least of.
QUICK = ["missing=[0.3]", "late=[2]", "mapping=[0.3]", "units=[0.2]", "promotions=[0.5]", "weeks_tested=13", "replications=3", "held_out=1",
         "executor=serial"]  # fmt: skip


def test_the_command_measures_a_file_and_writes_all_it_names(call, tmp_path, weekly_file, market):
    code, out, err = call("response", *QUICK, "demand=weekly.csv", "years=last")
    assert (code, err) == (0, "") and "weekly.csv: 15 items, 140 weeks" in plain(out)
    folder = only(tmp_path / "results" / "response")
    for name in ("figure.png", "errors.csv", "summary.csv", "response.csv", "checks.csv", "joint.csv", "forecast.yaml", "manifest.json"):
        assert name in plain(out) and (folder / name).stat().st_size > 100
    errors = pd.read_parquet(folder / "errors.parquet")
    assert len(errors) == 11 * 3 * 5 * 3 and errors["wape"].notna().all()
    by_hand = measured_at(market, Defects(missing=0.3), 2, 13, 26, False)  # replication 1
    row = errors[(errors["setting"] == "missing0.3") & (errors["replication"] == 1) & (errors["level"] == "item")].set_index("forecaster")
    np.testing.assert_allclose(row.loc[list(FORECASTERS), "wape"], by_hand[0].sum(axis=1) / by_hand[3].sum())
    described = pd.read_csv(folder / "data_dictionary.csv")
    assert described["meaning"].notna().all() and set(described["dataset"]) == {"runs", "errors", "summary", "response", "checks", "joint"}
    response_table = pd.read_csv(folder / "response.csv").query("best and level == 'item' and in_the_response").set_index("coefficient")
    fitted = read_yaml(folder / "forecast.yaml")
    assert set(fitted) == {"missing", "late", "mapping"}
    for name, value in fitted.items():
        assert value == pytest.approx(max(0, response_table.loc[name, "estimate"]), abs=0.0005)
    assert from_mapping({"forecast": fitted}).forecast.late == fitted["late"]


@pytest.mark.slow
def test_generated_demand_gives_the_same_bytes_on_any_number_of_workers(call, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "generate_demand", lambda seed: generate_demand(seed, items=8, brands=2, weeks=120))
    for name, *executor in (("one", "executor=serial"), ("two", "executor=processes", "executor.workers=2")):
        code, _, err = call("response", *QUICK, *executor, f"output={name}")
        assert (code, err) == (0, "")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_response_is_saved_as_a_preset_of_that_name_and_no_other_is_replaced(call, tmp_path, weekly_file, monkeypatch):
    shutil.copytree(presets.CONFIGS, tmp_path / "configs")
    monkeypatch.setattr(presets, "CONFIGS", tmp_path / "configs")
    saved = tmp_path / "configs" / "forecast" / "mine.yaml"
    assert call("response", *QUICK, "demand=weekly.csv", "save_as=mine", "output=one")[0] == 0
    assert saved.read_text() == (tmp_path / "one" / "forecast.yaml").read_text() and str(tmp_path) not in saved.read_text()
    code, _, err = call("response", *QUICK, "demand=weekly.csv", "save_as=mine", "output=two", "seed=9")
    assert code == 2 and "no other forecast has" in err and not (tmp_path / "two").exists()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("missing=[]", "one to six ascending shares"),
        ("missing=[0.3,0.1]", "ascending"),
        ("missing=[0.95]", "at most 0.9"),
        ("late=[1.5]", "whole numbers"),
        ("late=[27]", "at most 26"),
        ("mapping=some", "ascending shares"),
        ("replications=2", "from 3"),
        ("held_out=3", "from 1 to 1"),
        ("years=all", "drawn or last"),
        ("weeks_tested=200", "from 13 to 104"),
        ("save_as=../x", "a letter first"),
        ("save_as=probe", "no other forecast has"),
        ("demnd=x.csv", "did you mean demand"),
        ("output=/dev/null/x", "a folder"),
    ],
)
@pytest.mark.fault("configuration", "response: levels, counts and names that cannot be used", "refused in one line")
def test_settings_that_are_refused(given, hint, call, tmp_path):
    code, out, err = call("response", *QUICK, given)
    assert (code, out, err.count("\n")) == (2, "", 1) and hint in err and list(tmp_path.iterdir()) == []
