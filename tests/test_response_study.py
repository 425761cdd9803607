"""The command that measures the response."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import as_csv, contents, only, plain
from scipy.optimize import nnls

from experiments.response import forecasters, measure
from experiments.response.demand import Defects, generate_demand
from experiments.response.forecasters import FORECASTERS
from experiments.response.measure import measured_at
from sim import presets
from sim.configuration import from_mapping
from sim.presets import read_yaml

#: One level of each defect and a short test: what the command needs least of.
QUICK = ["missing=[0.3]", "late=[2]", "mapping=[0.3]", "units=[0.2]", "promotions=[0.5]", "weeks_tested=13", "replications=3", "held_out=1",
         "executor=serial"]  # fmt: skip


def test_the_command_measures_a_file_and_writes_all_it_names(call, tmp_path, weekly_file, market, monkeypatch):
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
    fitted = read_yaml(folder / "forecast.yaml")
    assert set(fitted) == {"missing", "late", "mapping"}
    cells = errors.query("kind in ('single', 'pair') and units == 0 and promotions == 0 and replication < 2 and level == 'item'")
    mean = cells[cells["forecaster"] == "boosting"].groupby("setting")[[*fitted, "relative"]].mean()
    by_hand, _ = nnls(mean[list(fitted)].to_numpy(), mean["relative"].to_numpy())
    assert list(fitted.values()) == pytest.approx(by_hand, abs=0.0005)
    assert from_mapping({"forecast": fitted}).forecast.late == fitted["late"]
    same_from_a_long_file_and_saved(call, tmp_path, market, folder, monkeypatch)


def same_from_a_long_file_and_saved(call, tmp_path, market, folder, monkeypatch):
    """The same demand with a row per week and item gives the same bytes; its preset is saved by name and replaces no other."""
    shutil.copytree(presets.CONFIGS, tmp_path / "configs")
    monkeypatch.setattr(presets, "CONFIGS", tmp_path / "configs")
    names = [market.brands[b] for b in market.brand]
    (tmp_path / "long").mkdir()
    (tmp_path / "long" / "weekly.csv").write_text(
        "date,item,brand,quantity,promotion\n"
        + "".join(
            f"{day},{item},{brand},{sold:g},{share:g}\n"
            for day, sales, promotion in zip(market.monday, market.sales, market.promotion, strict=True)
            for item, brand, sold, share in zip(market.items, names, sales, promotion, strict=True)
        )
    )
    given = [*QUICK, "demand=long/weekly.csv", "years=last", "save_as=mine"]
    assert call("response", *given, "output=one")[0] == 0
    for name in ("figure.png", "errors.csv", "summary.csv", "response.csv", "checks.csv", "joint.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (folder / name).read_bytes(), name
    saved = tmp_path / "configs" / "forecast" / "mine.yaml"
    assert saved.read_text() == (tmp_path / "one" / "forecast.yaml").read_text() and str(tmp_path) not in saved.read_text()
    code, _, err = call("response", *given, "output=two", "seed=9")
    assert code == 2 and "no other forecast has" in err and not (tmp_path / "two").exists()


@pytest.mark.fault(
    "files", "demand of one brand, and a forecaster that is not finite on it", "left out of fit, tables and preset, and said"
)
def test_one_brand_has_no_mapping_and_a_forecaster_that_is_not_finite_is_left_out(call, tmp_path, market, monkeypatch):
    one = replace(market, brands=("B",), brand=np.zeros(15, int), items=tuple(f"B_{k}" for k in range(15)))
    (tmp_path / "one.csv").write_text(as_csv(one))
    smoothing = FORECASTERS["smoothing"]

    def sometimes(booked, *given):
        return smoothing(booked, *given) * (np.inf if booked.late else 1)

    monkeypatch.setitem(FORECASTERS, "boosting", sometimes)  # finite without lateness
    code, out, err = call("response", *QUICK, "demand=one.csv", "output=one")
    assert (code, err) == (0, "") and "forecast.mapping is not measured" in plain(out)
    said = "boosted trees left out: forecasts that are not finite in 9 of 21 measurements"
    preset = (tmp_path / "one" / "forecast.yaml").read_text(encoding="utf-8")
    assert said in plain(out) and said in preset and "mapping is left as it is: not measured" in preset
    assert set(read_yaml(tmp_path / "one" / "forecast.yaml")) == {"missing", "late"} and "inf" not in preset and "nan" not in preset
    tables = {name: pd.read_parquet(tmp_path / "one" / f"{name}.parquet") for name in ("errors", "response", "checks", "joint")}
    for name, table in tables.items():
        assert table.select_dtypes("number").notna().all(axis=None), name
    assert set(tables["errors"]["forecaster"]) == set(FORECASTERS) - {"boosting"} and "mapping" not in set(
        tables["response"]["coefficient"]
    )
    monkeypatch.setattr("experiments.response.fit.MODELS", ("boosting",))
    code, _, err = call("response", *QUICK, "demand=one.csv", "output=none", "late=[1]")
    assert code == 2 and "no finite forecast of boosting" in err


@pytest.mark.slow
def test_generated_demand_gives_the_same_bytes_on_any_number_of_workers(call, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "generate_demand", lambda seed: generate_demand(seed, items=8, brands=2, weeks=120))
    whole = forecasters.HistGradientBoostingRegressor
    monkeypatch.setattr(forecasters, "HistGradientBoostingRegressor", lambda **given: whole(**{**given, "max_iter": 5}))
    for name, *executor in (("one", "executor=serial"), ("two", "executor=processes", "executor.workers=2")):
        code, _, err = call("response", *QUICK, *executor, f"output={name}")
        assert (code, err) == (0, "")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


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
