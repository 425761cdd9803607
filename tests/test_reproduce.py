"""Published experiments again: the same bits are called identical, any other bit is found, and hash seeds change nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest
from conftest import contents

from experiments import reproduce
from experiments.lab.output import ROOT
from experiments.reproduce import PUBLISHED, REFERENCE, Table, compare, main, read


def figures(*values, row="a"):
    return pd.DataFrame([("t.csv", row, f"f{k}", value) for k, value in enumerate(values)], columns=reproduce.COLUMNS)


def test_figures_are_read_to_the_last_bit(tmp_path):
    pd.DataFrame({"key": ["x", "y"], "value": [0.1 + 0.2, 1e-300]}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "outcome.json").write_text('{"net": 0.30000000000000004, "never": null}')
    pd.DataFrame({"week": range(104), "trust": [0.1 * w for w in range(104)]}).to_parquet(tmp_path / "weekly.parquet")
    tables = [Table("t.csv", ("key",)), Table("outcome.json", ("entry",)), Table("weekly.parquet", ("week",), ("trust",))]
    found = read(tmp_path, tables)
    assert found["value"].tolist() == ["0.30000000000000004", "1e-300", "0.30000000000000004", "", "5.1000000000000005", "10.3"]
    assert found["row"].tolist() == ["x", "y", "net", "never", "51", "103"]
    pd.DataFrame({"key": ["x", "x"], "value": [1, 2]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(RuntimeError, match=r"two rows of t\.csv are called «x»"):
        read(tmp_path, tables)


def test_one_bit_is_found_and_said():
    was, now = figures("0.3", "b", "1"), figures("0.30000000000000004", "b", "1")
    assert [row[2] for row in compare(was, was)] == [True]
    ((table, row, same, how),) = compare(was, now)
    assert (table, row, same) == ("t.csv", "a", False)
    assert how == "1 of 3 figures differ, by up to 1.9e-16 of the value; f0: «0.3» before, «0.30000000000000004» now"


def test_rows_that_are_lost_or_new_differ():
    both = pd.concat([figures("1"), figures("2", row="b")])
    assert [(row, same) for _, row, same, _ in compare(both, figures("1"))] == [("a", True), ("b", False)]
    assert [(row, same) for _, row, same, _ in compare(figures("1"), both)] == [("a", True), ("b", False)]
    ((*_, how),) = compare(figures("", "scaled"), figures("1", "abandoned"))
    assert how == "2 of 2 figures differ; f0: «» before, «1» now"


def test_every_published_experiment_has_a_name_of_its_own_and_a_reference():
    names = [p.name for p in PUBLISHED]
    assert len(set(names)) == len(names)
    for published in PUBLISHED:
        path = REFERENCE / f"{published.name}.csv"
        assert path.is_file(), f"{published.name}: run python -m experiments.reproduce --write --only {published.name}"
        kept = pd.read_csv(path, dtype=str)
        assert set(kept["table"]) == {table.file for table in published.tables} and not kept.duplicated(["table", "row", "figure"]).any()
    assert {p.stem for p in REFERENCE.glob("*.csv")} <= set(names)


def test_a_run_that_differs_fails_and_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reproduce, "run", lambda published, keep: figures("1", "2"))
    given = ["--only", "run,compare", "--reference", str(tmp_path / "reference"), "--results", str(tmp_path / "results")]
    assert main([*given, "--write"]) == 0 and main(given) == 0
    out = capsys.readouterr().out
    assert "All 2 rows of 2 experiments are identical, bit for bit." in out
    monkeypatch.setattr(reproduce, "run", lambda published, keep: figures("1", "2" if published.name == "run" else "3"))
    assert main(given) == 1
    out = capsys.readouterr().out
    assert "1 of 2 rows differ; the first: compare, t.csv a: 1 of 2 figures differ, by up to 5.0e-01 of the value" in out
    assert "made with these very versions" in out
    assert pd.read_csv(tmp_path / "results" / "rows.csv")["identical"].tolist() == [True, False]
    versions = tmp_path / "reference" / reproduce.VERSIONS
    versions.write_text(versions.read_text().replace('"numba": "', '"numba": "0.'))
    assert main(given) == 1 and "numba: 0." in capsys.readouterr().out


def test_what_is_missing_or_does_not_run_fails(tmp_path, monkeypatch, capsys):
    given = ["--reference", str(tmp_path / "none"), "--results", str(tmp_path / "results")]
    assert main([*given, "--only", "run"]) == 1 and "none/run.csv is not there" in capsys.readouterr().out

    def broken(published, keep):
        raise RuntimeError("exit code 2: error: trust.loss")

    monkeypatch.setattr(reproduce, "run", broken)
    assert main([*given, "--only", "run", "--write"]) == 1
    assert "error: run: exit code 2: error: trust.loss; its reference is left as it was" in capsys.readouterr().err
    assert not (tmp_path / "none" / "run.csv").exists()


@pytest.mark.fault("configuration", "reproduce: unknown experiments, files in a folder's place", "one line, exit code 2")
def test_bad_input_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for given in (["--only", "rum"], ["--reference", str(tmp_path / "file")], ["--results", str(tmp_path / "file")]):
        assert main(given) == 2
        out, err = capsys.readouterr()
        assert (
            out == "" and ("phase_small" in err) == (given[1] == "rum") and err.startswith(f"error: {given[0]}: ") and err.count("\n") == 1
        )


#: Writes a reference of its own and compares with a given one: a small comparison in the place of the published one, in this process.
SMALL = """
import contextlib, io, subprocess, sys, types
from experiments import compare, reproduce
from experiments.lab import config as entry
from sim.views.report import render

render.write_report = lambda *_: None  # nobody looks at it

def here(command, **_):
    sys.argv = ["compare", *command[3:], "enterprise=small", "maturities=[low]", "weeks=110", "replications=4", "executor=serial"]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            entry.main("compare", compare.compare)
        except SystemExit as stopped:
            return subprocess.CompletedProcess(command, stopped.code, "", "")

reproduce.subprocess = types.SimpleNamespace(run=here)
mine, reference, results = sys.argv[1:]
for arguments in (["--write", "--reference", mine], ["--reference", reference, "--results", results]):
    if reproduce.main(["--only", "compare", *arguments]) != 0:
        sys.exit(1)
"""


def test_two_processes_with_two_hash_seeds_give_identical_bytes(tmp_path):
    said = []
    for seed in ("0", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", SMALL, f"references/{seed}", "references/0", f"results/{seed}"],
            cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout.replace(f"references/{seed}", "references"))
    assert said[0] == said[1] and "identical, bit for bit" in said[0]
    assert {p.name for p in (tmp_path / "references" / "0").iterdir()} == {"compare.csv", "versions.json"}
    assert {p.name for p in (tmp_path / "results" / "0").iterdir()} == {"compare.png", "rows.csv"}
    for place in ("references", "results"):
        assert contents(tmp_path / place / "0") == contents(tmp_path / place / "4711")
