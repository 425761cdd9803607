"""Results folders: what others read there is what the study wrote, and nothing that was found there is lost."""

from __future__ import annotations

import shutil

import duckdb
import pandas as pd
import polars
import pyarrow as pa
import pytest
from conftest import plain

from experiments import figures, report
from experiments.lab.ledger import Receipt
from experiments.lab.storage import DATASETS, RUNS, Store, write_shard
from experiments.lab.work import Shard

SHARDS = [Shard(k, 3 * k, 3) for k in range(4)]
PLAN = {"seed": 1}


def begun(folder, shards=SHARDS):
    """A study that wrote some of its shards, in every dataset."""
    with Store("study", folder, PLAN) as store:
        go_on(store, shards)
    return folder


def go_on(store, shards=SHARDS):
    for number, first, runs in store.missing(shards):
        table = pa.table({"run": list(range(first, first + runs))})
        store.record([Receipt(number, first, runs, 0, 1, 0.1, dict(write_shard(store.folder, d, number, table) for d in DATASETS))])
    store.set_aside_unknown()


def everyone_reads(folder):
    """The runs of each dataset, as pandas, Polars and DuckDB read them."""
    for dataset in DATASETS:
        place = folder / dataset
        by_pandas = sorted(pd.read_parquet(place)["run"])
        assert sorted(polars.read_parquet(place)["run"]) == by_pandas
        assert sorted(polars.read_parquet(f"{place}/*.parquet")["run"]) == by_pandas
        assert [run for (run,) in duckdb.sql(f"SELECT run FROM '{place}/*.parquet' ORDER BY run").fetchall()] == by_pandas
        yield by_pandas


@pytest.mark.fault("files", "a surplus shard, folder, link or file where a dataset is read", "named and set aside, nothing lost")
@pytest.mark.parametrize("kind", ["shard", "text", "folder", "link", "hidden shard"])
@pytest.mark.parametrize("done", [0, 2, 4], ids=["nothing done", "half done", "all done"])
def test_what_the_ledger_does_not_know_is_set_aside(kind, done, tmp_path, capsys):
    folder, elsewhere = begun(tmp_path / "out", SHARDS[:done]), begun(tmp_path / "else")
    for dataset in DATASETS:
        (place := folder / dataset).mkdir(exist_ok=True)
        theirs = elsewhere / dataset / "part-000001.parquet"
        if kind == "text":
            (place / "notes.txt").write_text("precious")
        elif kind == "folder":
            shutil.copytree(elsewhere / dataset, place / "more")
        elif kind == "link":
            (place / "part-000017.parquet").symlink_to(theirs)
        else:
            shutil.copy(theirs, place / ("part-000009.parquet" if kind == "shard" else ".part.parquet"))
    capsys.readouterr()
    with Store("study", folder, PLAN) as store:
        go_on(store)
    assert all(runs == list(range(12)) for runs in everyone_reads(folder))
    err = plain(capsys.readouterr().err)
    assert err.count("note: ") == 1 and "set aside in" in err and str(folder / RUNS) in err
    kept = sorted(p.relative_to(folder / "set_aside").parts[0] for p in (folder / "set_aside").glob("*/*"))
    assert kept == sorted(DATASETS)
    with Store("study", folder, PLAN) as store:
        go_on(store)
        assert store.repaired == []


@pytest.mark.fault("files", "a file or link of others with the name of a shard still to be done", "named and set aside, nothing lost")
@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_has_the_name_of_a_shard_to_come_is_not_overwritten(kind, tmp_path):
    folder, elsewhere = begun(tmp_path / "out", SHARDS[:1]), tmp_path / "theirs"
    elsewhere.write_text("precious")
    shard = folder / RUNS / "part-000002.parquet"
    shard.symlink_to(elsewhere) if kind == "link" else shutil.copy(elsewhere, shard)
    with Store("study", folder, PLAN) as store:
        go_on(store)
        assert len(store.repaired) == 1 and "runs/part-000002.parquet was another file, set aside in" in store.repaired[0]
    assert all(runs == list(range(12)) for runs in everyone_reads(folder))
    assert (folder / "set_aside" / RUNS / shard.name).read_text() == elsewhere.read_text() == "precious"


def test_a_shard_that_a_killed_start_left_is_written_again_without_a_word(tmp_path):
    folder = begun(tmp_path / "out")
    with Store("study", folder, PLAN) as store:
        store._ledger.forget(2)
        go_on(store)
        assert store.repaired == [] and not (folder / "set_aside").exists()


def test_files_that_nobody_reads_as_data_are_left_alone(tmp_path):
    folder = begun(tmp_path / "out")
    left = [folder / "notes.txt", folder / "mine.parquet", folder / "plots" / "a.png", folder / RUNS / ".DS_Store"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    with Store("study", folder, PLAN) as store:
        go_on(store)
        assert store.repaired == []
    assert all(path.read_text() == "mine" for path in left) and not (folder / "set_aside").exists()


@pytest.mark.fault("files", "a shard somebody altered, or a folder in a shard's place", "named, kept aside, done again")
def test_an_altered_shard_is_kept_aside_each_time(tmp_path):
    folder = begun(tmp_path / "out")
    shard = folder / RUNS / "part-000002.parquet"
    whole = shard.read_bytes()
    for text in ("first", "second"):
        shard.write_text(text)
        with Store("study", folder, PLAN) as store:
            go_on(store)
            assert len(store.repaired) == 1 and "part-000002.parquet is damaged or altered, and set aside as" in store.repaired[0]
        assert shard.read_bytes() == whole
    aside = folder / "set_aside" / RUNS
    assert {p.name: p.read_text() for p in aside.iterdir()} == {"part-000002.parquet": "first", "part-000002.parquet.2": "second"}
    shard.unlink()
    (shard / "inside").mkdir(parents=True)
    with Store("study", folder, PLAN) as store:
        go_on(store)
    assert shard.read_bytes() == whole and (aside / "part-000002.parquet.3" / "inside").is_dir()


@pytest.mark.fault("files", "a ledger that was deleted, or emptied", "named, done again, same bytes")
def test_a_missing_ledger_is_named(tmp_path):
    folder = begun(tmp_path / "out")
    for change in (lambda ledger: ledger.unlink(), lambda ledger: ledger.write_bytes(b"")):
        change(folder / "ledger.sqlite")
        with Store("study", folder, PLAN) as store:
            go_on(store)
            assert len(store.repaired) == 1 and "ledger.sqlite" in store.repaired[0] and "done again" in store.repaired[0]
            assert store.totals()["runs"] == 12


@pytest.mark.fault("files", "a surplus shard beside the runs that report and figures read", "refused in one line; compare sets it aside")
def test_a_comparison_never_counts_a_surplus_shard(call, tmp_path, capsys):
    small = ["compare", "enterprise=small", "weeks=8", "replications=2", "maturities=[low]", "executor=serial", "output=out"]
    assert call(*small)[0] == 0
    folder = tmp_path / "out"
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and "ledger" not in p.name}
    shutil.copy(folder / "units" / "part-000000.parquet", folder / "units" / "part-000077.parquet")
    for main in (report.main, figures.main):
        assert main([str(folder)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "part-000077.parquet" in err
    code, _, err = call(*small)
    assert code == 0 and "out/units/part-000077.parquet" in err and err.count("\n") == 1
    assert {p: p.read_bytes() for p in before} == before
    assert report.main([str(folder)]) == 0
