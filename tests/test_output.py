"""Results folders: never half written, never over something else, harmless in a spreadsheet."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet
import pytest
from conftest import only

from experiments.lab import output

SMALL = ["enterprise=small", "weeks=40"]


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

    monkeypatch.setattr(pyarrow.parquet, "write_table", full)
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


def test_names_in_csv_are_harmless(tmp_path):
    with output.Output("test", "name", str(tmp_path / "out")) as folder:
        folder.csv("t.csv", pd.DataFrame({"unit": ["=cmd|' /C calc'!A0", "+1", "Brazil"], "x": [-1.0, 2.0, 3.0]}))
    assert pd.read_csv(tmp_path / "out" / "t.csv")["unit"].tolist() == ["'=cmd|' /C calc'!A0", "'+1", "Brazil"]
    assert pd.read_csv(tmp_path / "out" / "t.csv")["x"].tolist() == [-1, 2, 3]
