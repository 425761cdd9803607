"""Many runs: the same bytes however they were computed, interrupted, killed or damaged."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from experiments.lab import runner, storage, worker
from experiments.lab.designs import factors, make
from experiments.lab.executors import Workers
from experiments.lab.plan import Plan
from experiments.lab.runner import execute
from experiments.lab.storage import RUNS, UNFINISHED, WEEKS, Store, read
from experiments.lab.worker import DIED, Task, work
from sim import InvalidInput, RolloutModel
from sim.configuration import resolve
from sim.process import Stopped
from sim.schema import to_mapping

BASE = resolve({"enterprise": "small", "maturity": "high"}, {"weeks": 30})
RECORD = {"parameters": to_mapping(BASE), "weekly": 10}


def plan(points=6, replications=8, **more):
    made = factors(["trust.loss", "strategy"], {"strategy": ["integration_first", "model_first"]})
    return Plan(BASE, make("lhs", made, points, 0, 1), replications, **{"weekly": 10, "chunk": 5, **more})


def run(folder: Path, which: Plan | None = None, workers: Workers | None = None) -> Path:
    with Store("sweep", folder, RECORD) as store, workers or Workers("serial") as some:
        execute(which or plan(), store, some)
        folder.joinpath("notes.json").write_text(json.dumps(store.repaired))
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for d in (RUNS, WEEKS)
        for p in sorted((folder / d).glob("*"))
    }


def notes(folder: Path) -> list[str]:
    return json.loads((folder / "notes.json").read_text())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return run(tmp_path_factory.mktemp("undisturbed") / "out")


def test_the_dataset_is_what_single_runs_give(undisturbed):
    runs, p = read(undisturbed, RUNS), plan()
    assert runs["run"].tolist() == list(range(48)) and (runs["error"] == "").all()
    assert (runs["point"] == runs["run"] % 6).all() and (runs["seed"] == 1 + runs["replication"]).all()
    for index in (0, 17, 47):
        row = runs.iloc[index]
        model = RolloutModel(parameters=p.parameters(index % 6), rng=1 + index // 6).run()
        assert row["trust.loss"] == model.parameters.trust.loss and row["strategy"] == model.parameters.strategy.name
        for name, value in model.outcome.items():
            assert (pd.isna(row[name]) and value is None) or row[name] == value, name
        weekly = read(undisturbed, WEEKS)
        weekly = weekly[weekly["run"] == index]
        assert weekly["week"].tolist() == [0, 10, 20]
        assert weekly["cumulative_net"].tolist() == model.weekly["cumulative_net"].iloc[::10].tolist()
    assert runs["run_key"].nunique() == 48


@pytest.mark.parametrize(
    "workers",
    [Workers("processes", 1), Workers("processes", 3), Workers(given=ThreadPoolExecutor(2))],
    ids=["one process", "three processes", "an executor of one's own"],
)
def test_the_same_bytes_on_every_executor(workers, undisturbed, tmp_path):
    assert contents(run(tmp_path / "out", workers=workers)) == contents(undisturbed)


def test_started_again_nothing_is_done_twice(undisturbed, tmp_path, monkeypatch):
    first = run(tmp_path / "out")
    before = {p: p.stat().st_mtime_ns for p in first.rglob("part-*")}

    def never(task):
        raise AssertionError("done again")

    monkeypatch.setattr(runner, "work", never)
    run(tmp_path / "out")
    assert {p: p.stat().st_mtime_ns for p in first.rglob("part-*")} == before and notes(first) == []


def test_more_replications_add_shards_and_change_none(undisturbed, tmp_path):
    more = run(tmp_path / "out", plan(replications=10))
    for name, checksum in contents(undisturbed).items():
        if name != f"{RUNS}/part-000009.parquet" and name != f"{WEEKS}/part-000009.parquet":  # the last one was not full
            assert contents(more)[name] == checksum
    pd.testing.assert_frame_equal(read(more, RUNS).iloc[:48], read(undisturbed, RUNS))


@pytest.mark.parametrize("damage", ["truncated", "bit flipped", "deleted", "emptied", "swapped"])
@pytest.mark.fault("files", "a shard truncated, emptied, deleted, swapped, one bit flipped", "named and done again, same bytes")
def test_a_damaged_shard_is_found_named_and_done_again(damage, undisturbed, tmp_path):
    folder = run(tmp_path / "out")
    shard = folder / RUNS / "part-000003.parquet"
    content = bytearray(shard.read_bytes())
    if damage == "truncated":
        shard.write_bytes(content[: len(content) // 2])
    elif damage == "bit flipped":
        content[len(content) // 3] ^= 4
        shard.write_bytes(content)
    elif damage == "deleted":
        shard.unlink()
    elif damage == "emptied":
        shard.write_bytes(b"")
    else:
        shard.write_bytes((folder / RUNS / "part-000004.parquet").read_bytes())
    run(folder)
    assert contents(folder) == contents(undisturbed)
    assert len(notes(folder)) == 1 and "part-000003.parquet" in notes(folder)[0]


@pytest.mark.fault("files", "one bit flipped, all over a shard", "reading fails, or the ledger's checksum differs")
def test_no_flipped_bit_of_a_shard_is_read_as_a_value(undisturbed, tmp_path, record_property):
    """Every 97th byte, one bit: either reading fails, or what is read is what was written."""
    shard = undisturbed / RUNS / "part-000000.parquet"
    content, true = shard.read_bytes(), read(undisturbed, RUNS).iloc[:5]
    place = tmp_path / RUNS / "part-000000.parquet"
    place.parent.mkdir()
    found = 0
    record_property("injected", len(range(0, len(content), 97)))
    for k in range(0, len(content), 97):
        damaged = bytearray(content)
        damaged[k] ^= 1 << (k % 8)
        place.write_bytes(damaged)
        try:
            got = read(tmp_path, RUNS)
        except (InvalidInput, Exception):
            found += 1
            continue
        same = got.shape == true.shape and all(list(got[c].astype(str)) == list(true[c].astype(str)) for c in true if c in got)
        checksum = hashlib.sha256(damaged).hexdigest() != hashlib.sha256(content).hexdigest()
        assert same or checksum  # what pages do not cover (the footer), the ledger's checksum does
    assert found > len(content) / 97 / 2


@pytest.mark.fault("files", "a ledger overwritten with rubbish", "set aside, done again, same bytes")
def test_a_damaged_ledger_is_set_aside_and_the_runs_are_done_again(undisturbed, tmp_path):
    folder = run(tmp_path / "out")
    for path in folder.glob("ledger.sqlite*"):
        path.write_bytes(b"not a database" * 100)
    run(folder)
    assert contents(folder) == contents(undisturbed) and "ledger.sqlite was damaged" in notes(folder)[0]
    assert (folder / "set_aside" / "ledger.sqlite").is_file()


@pytest.mark.fault("process", "another plan, another experiment in the same folder", "refused with the difference")
def test_another_plan_in_the_same_folder_is_refused_with_the_difference(undisturbed):
    changed = json.loads(json.dumps(RECORD))
    changed["parameters"]["trust"]["loss"] = 0.5
    before = contents(undisturbed)
    with pytest.raises(InvalidInput) as error:
        Store("sweep", undisturbed, changed)
    assert error.value.key == "parameters.trust.loss" and error.value.value == 0.5 and "0.13" in error.value.allowed
    with pytest.raises(InvalidInput, match=r"experiment: 'phase'.*'sweep'"):
        Store("phase", undisturbed, RECORD)
    assert contents(undisturbed) == before
    run(undisturbed)  # and the lock was let go of


@pytest.mark.fault("process", "two writers in one folder", "the second refused")
def test_a_second_writer_is_refused(tmp_path):
    with Store("sweep", tmp_path / "out", RECORD), pytest.raises(InvalidInput, match="no other process"):
        Store("sweep", tmp_path / "out", RECORD)
    run(tmp_path / "out")


@pytest.mark.fault("process", "an output folder with somebody's files", "refused, left alone")
def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="a new folder"):
        Store("sweep", tmp_path / "out", RECORD)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.txt"]


@pytest.mark.fault("process", "half a shard left by a killed worker", "removed, same bytes")
def test_left_over_halves_are_swept_up(tmp_path, undisturbed):
    folder = run(tmp_path / "out")
    half = folder / UNFINISHED / "runs-1.4711"
    half.write_bytes(b"PAR1")
    run(folder)
    assert not half.exists() and contents(folder) == contents(undisturbed)


# --------------------------------------------------------------------------- runs that fail


class Troublesome(RolloutModel):
    """Raises, kills its process or hangs, at chosen seeds, under model-first."""

    trouble: dict[int, str] = {}

    def run(self, progress=None):
        what = self.trouble.get(self.seed_used, "") if self.parameters.strategy.name == "model_first" else ""
        if what == "raise":
            raise FloatingPointError("on\npurpose")
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hang":
            time.sleep(600)
        return super().run(progress)


@pytest.fixture
def trouble(monkeypatch):
    def make(**seeds):
        monkeypatch.setattr(Troublesome, "trouble", {seed: what for what, some in seeds.items() for seed in some})
        monkeypatch.setattr("sim.RolloutModel", Troublesome)

    return make


def check_failed(folder: Path, undisturbed: Path, seeds: set[int], words: str) -> None:
    runs, calm = read(folder, RUNS), read(undisturbed, RUNS)
    failed = (runs["strategy"] == "model_first") & runs["seed"].isin(seeds)
    assert failed.sum() == 3 * len(seeds)
    assert (runs.loc[failed, "error"].str.contains(words)).all() and runs.loc[failed, "net"].isna().all()
    pd.testing.assert_frame_equal(runs[~failed], calm[~failed], check_dtype=False)
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        assert ledger.execute("SELECT SUM(failed) FROM shards").fetchone()[0] == failed.sum()


@pytest.mark.parametrize("workers", ["serial", "processes"])
@pytest.mark.fault("process", "runs that raise", "recorded as failed; the others same bytes")
def test_a_run_that_raises_is_recorded_and_the_others_go_on(workers, trouble, undisturbed, tmp_path):
    trouble(**{"raise": [2, 7]})
    check_failed(run(tmp_path / "out", workers=Workers(workers, 2)), undisturbed, {2, 7}, "FloatingPointError: on purpose")


@pytest.mark.fault("process", "runs that kill their worker, each time", "found by halving, recorded; the others same bytes")
def test_a_run_that_kills_its_worker_is_found_by_halving(trouble, undisturbed, tmp_path):
    trouble(kill=[3])
    folders = [run(tmp_path / str(count), workers=Workers("processes", count)) for count in (1, 2)]
    for folder in folders:
        check_failed(folder, undisturbed, {3}, DIED.split(":")[0])
    assert contents(folders[0]) == contents(folders[1])


@pytest.mark.fault("process", "runs that hang", "ended, recorded; the others same bytes")
def test_a_run_that_hangs_is_ended_and_recorded(trouble, undisturbed, tmp_path):
    trouble(hang=[5])
    folder = run(tmp_path / "out", plan(limit=1.0), Workers("processes", 2))
    check_failed(folder, undisturbed, {5}, "longer than its limit")


def drawn_by_none_but(process: int) -> str:
    if os.getpid() != process:
        os.kill(os.getpid(), signal.SIGKILL)
    return "drawn"


def test_a_picture_whose_worker_is_killed_is_drawn_all_the_same():
    with Workers("processes", 1) as workers:
        first, second = (workers.draw(drawn_by_none_but, os.getpid()) for _ in range(2))
        assert first() == second() == "drawn"


@pytest.mark.fault("process", "a worker with another version of the model", "refused in one line")
def test_a_worker_with_another_model_is_refused(tmp_path):
    with pytest.raises(InvalidInput) as error:
        work(Task(tmp_path, plan().recorder, (), model="0" * 64))
    assert error.value.key == "executor" and "000000000000" in error.value.allowed


@pytest.mark.fault("process", "disk full in mid-sweep", "one line; what is finished is kept; goes on, same bytes")
def test_a_full_disk_stops_in_one_line_and_keeps_what_is_finished(monkeypatch, undisturbed, tmp_path):
    real, written = storage.write_shard, []

    def full(folder, dataset, shard, table):
        if len(written) >= 7:
            raise OSError(28, "No space left on device")
        written.append(shard)
        return real(folder, dataset, shard, table)

    monkeypatch.setattr(worker, "write_shard", full)
    with pytest.raises(InvalidInput, match=r"No space left on device.*finished is kept"):
        run(tmp_path / "out")
    monkeypatch.undo()
    with sqlite3.connect(tmp_path / "out" / "ledger.sqlite") as ledger:
        assert ledger.execute("SELECT COUNT(*) FROM shards").fetchone()[0] == 3
    assert contents(run(tmp_path / "out")) == contents(undisturbed)


@pytest.mark.fault("process", "an output folder that cannot be made", "refused before anything is computed")
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_computed(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidInput, match="output"):
            Store("sweep", path, RECORD)


# --------------------------------------------------------------------------- killed and interrupted


def start(folder: Path, which: Plan, workers: int) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=quietly, args=(folder, which, workers))
    process.start()
    return process


def quietly(folder: Path, which: Plan, workers: int) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which workers of pytest ignore
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        run(folder, which, Workers("processes", workers))
    except Stopped as stopped:
        folder.joinpath("stopped.txt").write_text(str(stopped))
        os._exit(130)
    os._exit(0)


SLOW = {"points": 8, "replications": 12}


@pytest.fixture(scope="module")
def slow_undisturbed(tmp_path_factory):
    clock = time.monotonic()
    folder = run(tmp_path_factory.mktemp("slow") / "out", plan(**SLOW), Workers("processes", 2))
    return contents(folder), time.monotonic() - clock


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(15))
@pytest.mark.fault("process", "SIGKILL to parent or worker at random moments", "goes on, same bytes")
def test_killed_at_random_moments_the_dataset_is_the_same(seed, slow_undisturbed, tmp_path):
    """SIGKILL to the parent (then started again) or to a worker, twice: thirty kills in all."""
    want, seconds = slow_undisturbed
    chance = random.Random(seed)
    kills = 2
    for _ in range(12):
        process = start(tmp_path / "out", plan(**SLOW), chance.choice([1, 2, 3]))
        if kills:
            kills -= 1
            time.sleep(chance.uniform(0.05, max(0.4, seconds)))
            victims = [process.pid] if chance.random() < 0.5 else [c.pid for c in _children(process.pid)]
            if victims:
                _kill(chance.choice(victims))
        process.join(120)
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert contents(tmp_path / "out") == want


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.fault("process", "Ctrl-C", "stops, keeps what is finished, says how to go on")
def test_interrupted_it_says_how_to_go_on_and_goes_on(tmp_path):
    folder, which = tmp_path / "out", plan(points=8, replications=4000)
    process = start(folder, which, 2)
    while not recorded(folder):
        time.sleep(0.02)
    workers = _children(process.pid)
    os.killpg(os.getpgid(process.pid), signal.SIGINT)  # as a terminal's Ctrl-C, to all of them
    process.join(60)
    assert process.exitcode == 130
    words = (folder / "stopped.txt").read_text()
    assert "interrupted after" in words and "the same command goes on" in words
    done = int(words.split("after ")[1].split(" of")[0].replace(",", ""))
    assert 0 < done < which.runs
    assert not any(w.is_running() and w.status() != psutil.STATUS_ZOMBIE for w in workers)
    assert recorded(folder) == done


def recorded(folder: Path) -> int:
    """Runs the ledger knows as done."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True)) as ledger:
            return ledger.execute("SELECT SUM(runs) FROM shards").fetchone()[0] or 0
    except sqlite3.OperationalError:  # not there yet
        return 0


def test_memory_of_the_parent_does_not_grow_with_what_is_kept(tmp_path):
    """Receipts only: ten times the runs leave at most a tenth of a megabyte more in the ledger's owner."""
    import tracemalloc

    def peak(replications):
        p = plan(points=4, replications=replications, weekly=0)
        with Store("sweep", tmp_path / str(replications), {"x": replications}) as store, Workers("processes", 2) as workers:
            workers.prime()  # forked before, as nobody asks what they keep
            tracemalloc.start()
            try:
                execute(p, store, workers)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    peak(5)
    small, large = peak(10), peak(100)
    assert large < small + 150_000


# --------------------------------------------------------------------------- sizes


def test_the_cut_into_shards_follows_from_the_plan_alone():
    p = replace(plan(points=100, replications=50), chunk=0)
    shards = p.shards()
    assert [first for _, first, _ in shards] == list(np.cumsum([0, *(runs for *_, runs in shards)])[:-1])
    assert sum(runs for *_, runs in shards) == 5000 and 20 <= len(shards) <= 30
    textbook = replace(p, engine="textbook")
    assert textbook.shards() == shards  # both engines write the same files


def test_runs_are_the_same_however_the_preset_is_named():
    made = factors(["strategy", "trust.loss"], {"strategy": ["integration_first", "model_first"]})
    p = Plan(BASE, make("grid", made, 0, 2, 1), 1)
    for point in range(len(p.points)):
        values = p.points.at(point)
        direct = resolve(
            {"enterprise": "small", "maturity": "high", "strategy": values["strategy"]}, {"weeks": 30, "trust.loss": values["trust.loss"]}
        )
        assert p.parameters(point) == direct
