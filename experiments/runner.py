"""Many runs, on any executor: what a run is, which runs share a shard, and what happens when one fails.

Runs are numbered replication by replication, so that more replications add runs at the end. A shard
is a fixed range of runs, whose size follows from the plan alone: the files do not depend on how
many workers there were, how fast they are, or how often they were killed. A task is as many shards
as take about two seconds, by measurement.

A run that raises is recorded as failed. Where a worker dies, the shards it may have been at are
tried again one by one; a shard that kills its worker again is halved until the runs that do it are
found. They are recorded as failed, and the others go on.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from experiments.designs import Points
from experiments.executors import Workers
from experiments.storage import HELD, RUNS, UNFINISHED, UNITS, WEEKS, Store, write_shard
from sim import RolloutModel
from sim._numba import SOURCES
from sim.bottleneck import CONSTRAINTS, bottleneck
from sim.configuration import fingerprint, from_mapping, vary
from sim.measures import MEASURES, UNIT_ENDS, WEEKLY
from sim.parameters import Parameters
from sim.presets import GROUPS, load
from sim.schema import InvalidInput
from sim.state import LIVE, STAGES

#: Weeks between two looks at what holds a rollout back.
LOOK = 13
SECONDS_PER_TASK = 2.0
#: What a run is reckoned to cost when shards are cut: seconds per run and per user-week.
RECKONED = (2e-3, 70e-9)
TYPES = {"count": pa.int64(), "number": pa.float64(), "flag": pa.bool_(), "text": pa.string(), "choice": pa.string()}
DIED = "WorkerDied: the run killed its process, or took longer than its limit"


# --------------------------------------------------------------------------- what is to be run


@dataclass(frozen=True)
class Plan:
    """A design times replications, on one base configuration.

    Attributes:
        values: the complete base configuration, nested and plain.
        points: the design.
        replications: runs of each point; replication r has seed ``seed`` + r at every point, plus the point's offset.
        seed: first seed, 0 to 2^63.
        engine: ``compiled`` or ``textbook``.
        weekly: weekly records are kept of every so many weeks; 0: none.
        limit: seconds after which a run counts as hanging; 0: none.
        chunk: runs per shard; 0: reckoned from the enterprise's size.
        inside: units at the end are kept of every run, and what holds the rollout back, every :data:`LOOK` weeks, of the first
            so many replications; 0: neither.
        offsets: added to the seeds of each point [points], where points are not to share their luck; None: 0.
    """

    values: Mapping[str, Any]
    points: Points
    replications: int
    seed: int = 1
    engine: str = "compiled"
    weekly: int = 0
    limit: float = 0.0
    chunk: int = 0
    inside: int = 0
    offsets: np.ndarray | None = None

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.points) * self.replications

    def parameters(self, point: int) -> Parameters:
        """The complete parameters of a point."""
        return parameters_at(self.text, self.points.at(point))

    @cached_property
    def text(self) -> str:
        """The base configuration as canonical JSON."""
        return json.dumps(self.values, sort_keys=True)

    @cached_property
    def shard_size(self) -> int:
        """Runs per shard: a second's worth, or less where there are few."""
        if self.chunk:
            return self.chunk
        per_run, per_week = RECKONED
        some = np.unique(np.linspace(0, len(self.points) - 1, 50).astype(int))
        costs = []
        for point in some:
            p = self.parameters(int(point))
            users = p.enterprise.units * p.enterprise.teams * p.enterprise.users if p.enterprise.source == "generated" else 1000
            costs.append(per_run + per_week * users * p.weeks)  # whatever the engine: both write the same files
        cost = float(np.mean(costs))
        return max(1, round(min(1.2, max(0.1, cost * self.runs / 24)) / cost))

    def shards(self, start: int = 0, number: int = 0) -> list[tuple[int, int, int]]:
        """Number, first run and runs of the shards from run ``start`` on, which begins shard ``number``."""
        size = self.shard_size
        return [(number + k, first, min(size, self.runs - first)) for k, first in enumerate(range(start, self.runs, size))]

    def job(
        self, folder: Path, attempts: int, shards: Sequence[tuple[int, int, int]], skip: frozenset[int] = frozenset(), durable: bool = True
    ) -> dict[str, Any]:
        """What a worker needs to run some shards."""
        n = len(self.points)

        def run(index: int) -> tuple[int, int, int, int, dict[str, Any]]:
            replication, point = divmod(index, n)
            offset = 0 if self.offsets is None else int(self.offsets[point])
            return index, point, replication, self.seed + replication + offset, self.points.at(point)

        return {
            "values": self.text,
            "names": self.points.names,
            "kinds": tuple("text" if f.kind == "choice" and isinstance(f.choices[0], str) else "flag" if f.kind == "choice" else f.kind for f in self.points.factors),
            "engine": self.engine,
            "weekly": self.weekly,
            "inside": self.inside,
            "limit": self.limit,
            "folder": str(folder),
            "attempts": attempts,
            "durable": durable,
            "model": SOURCES,
            "skip": skip,
            "shards": [(number, first, [run(first + i) for i in range(runs)]) for number, first, runs in shards],
        }  # fmt: skip


def parameters_at(values: str, point: Mapping[str, Any]) -> Parameters:
    """Base configuration (as JSON), then the presets a point names, then its parameters."""
    presets = tuple((name, value) for name, value in point.items() if name in GROUPS)
    rest = {name: value for name, value in point.items() if name not in GROUPS}
    base = _base(values, presets)
    return vary(base, rest) if rest else base


@lru_cache(maxsize=256)
def _base(values: str, presets: tuple[tuple[str, str], ...]) -> Parameters:
    return from_mapping({**json.loads(values), **{group: load(group, name) for group, name in presets}})


# --------------------------------------------------------------------------- in a worker


class _Limit:
    """Ends this process when a run takes too long; compiled code cannot be interrupted otherwise."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.timer: threading.Timer | None = None

    def __enter__(self) -> None:
        if self.seconds:
            self.timer = threading.Timer(self.seconds, os._exit, (70,))
            self.timer.daemon = True
            self.timer.start()

    def __exit__(self, *_: object) -> None:
        if self.timer:
            self.timer.cancel()


def work(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run some shards and write them; returns a receipt for each, and why it stopped where it could not write the rest."""
    if job["model"] != SOURCES:
        raise InvalidInput(
            "executor", f"a worker with model {SOURCES[:12]}", f"model {job['model'][:12]}, this project as it is here, on every worker"
        )
    receipts: list[dict[str, Any]] = []
    for number, first, runs in job["shards"]:
        try:
            receipts.append(_shard(job, number, first, runs))
        except OSError as error:
            return [*receipts, {"stopped": error.strerror or str(error)}]
    return receipts


def probe(job: Mapping[str, Any], first: int, last: int) -> None:
    """Run the runs of the only shard from ``first`` to before ``last``, and keep nothing: does the worker survive it?"""
    for run in job["shards"][0][2]:
        if first <= run[0] < last:
            _run(job, run)


def sample(plan: Plan, points: Sequence[int]) -> tuple[pa.Table, pa.Table]:
    """One run at each of some points, computed here and kept nowhere: the runs, and their weekly records."""
    job = plan.job(Path(), 1, [(0, point, 1) for point in points])
    results = [_run(job, runs[0]) for _, _, runs in job["shards"]]
    return _table(job, [record for record, *_ in results]), _weekly_table(job, results)


def _shard(job: Mapping[str, Any], number: int, first: int, runs: list[tuple]) -> dict[str, Any]:
    clock = time.process_time()
    results = [_run(job, run) for run in runs]
    seconds = time.process_time() - clock
    folder, files = Path(job["folder"]), {}
    records = [record for record, *_ in results]
    tables = {RUNS: _table(job, records)}
    if job["weekly"]:
        tables[WEEKS] = _weekly_table(job, results)
    if job["inside"]:
        tables |= {UNITS: _inside_table(job, results, 0, UNIT_COLUMNS), HELD: _inside_table(job, results, 1, HELD_COLUMNS)}
    for dataset, table in tables.items():
        files[f"{dataset}/part-{number:06d}.parquet"], _ = write_shard(folder, dataset, number, table, job["durable"])
    failed = sum(1 for record in records if record["error"])
    return {
        "shard": number, "first": first, "runs": len(runs), "failed": failed, "attempts": job["attempts"],
        "seconds": seconds, "files": files,
    }  # fmt: skip


Inside = tuple[dict[str, Any], dict[str, Any]]
Result = tuple[dict[str, Any], np.ndarray | None, Inside | None]


def _run(job: Mapping[str, Any], run: tuple[int, int, int, int, dict[str, Any]]) -> Result:
    index, point, replication, seed, values = run
    record: dict[str, Any] = {"run": index, "point": point, "replication": replication, "seed": seed, "run_key": "", "error": "", **values}
    if index in job["skip"]:
        record["error"] = DIED
        return record, None, None
    try:
        with _Limit(job["limit"]):
            parameters = parameters_at(job["values"], values)
            record["run_key"] = run_key(parameters, seed)
            model = RolloutModel(parameters=parameters, rng=seed, engine=job["engine"]).run()
            weekly = model.state.weekly[:: job["weekly"]] if job["weekly"] else None
            inside = (_units_of(model), _held_back(model, replication < job["inside"])) if job["inside"] else None
            return {**record, **model.outcome}, weekly, inside
    except Exception as error:  # recorded as failed, and never as a value
        record["error"] = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        return record, None, None


UNIT_COLUMNS = {"unit": pa.string(), "planners": pa.int64(), "stage": pa.string(), "went_live": pa.int64(),
                **dict.fromkeys(UNIT_ENDS, pa.float64()), "net": pa.float64()}  # fmt: skip
HELD_COLUMNS = {"week": pa.int64(), "binds": pa.string(), "using": pa.float64(), **dict.fromkeys(CONSTRAINTS, pa.float64())}


def _units_of(model: RolloutModel) -> dict[str, Any]:
    """How each unit ended, column by column; ``went_live`` is the first week live, counted from 0, or None."""
    state = model.state
    last, live = state.unit_weekly[-1], state.unit_weekly["stage"] == LIVE
    first = live.argmax(axis=0)
    return {
        "unit": list(state.unit_names),
        "planners": state.units["users"].astype(int),
        "stage": [STAGES[stage] for stage in last["stage"]],
        "went_live": [int(week) if ever else None for week, ever in zip(first, live.any(axis=0), strict=True)],
        **{name: last[name] for name in UNIT_ENDS},
        "net": state.unit_weekly["net"].sum(axis=0),
    }


def _held_back(model: RolloutModel, asked: bool) -> dict[str, Any]:
    """What held the rollout back, every :data:`LOOK` weeks and at the end, column by column; nothing unless asked."""
    state, p = model.state, model.parameters
    weeks = sorted({*range(LOOK, p.weeks + 1, LOOK), p.weeks}) if asked else []
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [bottleneck(state.weekly, state.unit_weekly, p, state.unit_names, state.units["users"], week) for week in weeks]
    return {
        "week": weeks,
        "binds": [v.constraint for v in found],
        "using": [v.using for v in found],
        **{name: [v.held[name] for v in found] for name in CONSTRAINTS},
    }


def run_key(parameters: Parameters, seed: int) -> str:
    """Identity of a run (hex): what of the model, its parameters and the seed decides its results."""
    return hashlib.sha256(f"{SOURCES} {fingerprint(parameters)} {seed}".encode()).hexdigest()[:32]


def schema(names: Sequence[str], kinds: Sequence[str]) -> pa.Schema:
    """Columns of the runs, whatever came out."""
    columns: list[tuple[str, pa.DataType]] = [
        ("run", pa.int64()),
        ("point", pa.int64()),
        ("replication", pa.int64()),
        ("seed", pa.uint64()),
    ]
    columns += [(name, TYPES[kind]) for name, kind in zip(names, kinds, strict=True) if name not in MEASURES]
    columns += [(name, TYPES[measure.kind]) for name, measure in MEASURES.items()]
    return pa.schema([*columns, ("error", pa.string()), ("run_key", pa.string())])


def _table(job: Mapping[str, Any], records: list[dict[str, Any]]) -> pa.Table:
    fields = schema(job["names"], job["kinds"])
    columns = [pa.array([record.get(field.name) for record in records], field.type) for field in fields]
    return pa.table(columns, schema=fields.with_metadata({"model": job["model"]}))


def _keys(job: Mapping[str, Any], records: list[dict[str, Any]], lengths: Sequence[int]) -> tuple[list[tuple[str, pa.DataType]], list[Any]]:
    """Which run a row is of: fields, and columns that repeat each record as often as said."""
    fields: list[tuple[str, pa.DataType]] = [("run", pa.int64()), ("point", pa.int64()), ("replication", pa.int64()), ("seed", pa.uint64())]
    fields += [(name, TYPES[kind]) for name, kind in zip(job["names"], job["kinds"], strict=True)]
    rows = pa.array(np.repeat(np.arange(len(records)), lengths))
    return fields, [pa.array([record[name] for record in records], kind).take(rows) for name, kind in fields]


def _weekly_table(job: Mapping[str, Any], results: list[Result]) -> pa.Table:
    kept = [(record, weekly) for record, weekly, _ in results if weekly is not None]
    fields, columns = _keys(job, [record for record, _ in kept], [len(weekly) for _, weekly in kept])
    for name in ("week", *WEEKLY):
        values = np.concatenate([weekly[name] for _, weekly in kept]) if kept else np.array([])
        fields.append((name, pa.int64() if name in ("week", "units_live", "units_retired") else pa.float64()))
        columns.append(pa.array(values, fields[-1][1]))
    return pa.table(columns, schema=pa.schema(fields))


def _inside_table(job: Mapping[str, Any], results: list[Result], part: int, types: Mapping[str, pa.DataType]) -> pa.Table:
    kept = [(record, inside[part]) for record, _, inside in results if inside is not None]
    fields, columns = _keys(job, [record for record, _ in kept], [len(next(iter(table.values()))) for _, table in kept])
    for name, kind in types.items():
        fields.append((name, kind))
        columns.append(pa.array([value for _, table in kept for value in table[name]], kind))
    return pa.table(columns, schema=pa.schema(fields))


# --------------------------------------------------------------------------- in the parent


class Keeper:
    """Keeps nothing and misses everything: for results that are read once and thrown away."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._done = folder, {"shards": 0.0, "runs": 0.0, "failed": 0.0, "seconds": 0.0}
        for dataset in (UNFINISHED, RUNS, WEEKS, UNITS, HELD):
            (folder / dataset).mkdir(exist_ok=True)

    def missing(self, shards: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """All of them."""
        return list(shards)

    def record(self, receipts: Sequence[Mapping[str, Any]]) -> None:
        """Count what was done."""
        for receipt in receipts:
            self._done["shards"] += 1
            for key in ("runs", "failed", "seconds"):
                self._done[key] += receipt[key]

    def totals(self) -> dict[str, float]:
        """Shards, runs, failed runs and processor seconds."""
        return self._done


class Stopped(KeyboardInterrupt):
    """Ctrl-C: what is finished is kept."""


def execute(
    plan: Plan, store: Store | Keeper, workers: Workers, shards: Sequence[tuple[int, int, int]] | None = None, what: str = "runs"
) -> None:
    """Do what is missing of a plan; returns when all of it is in the store.

    Raises:
        InvalidInput: where a worker has another version of the model, or cannot write.
        Stopped: after Ctrl-C; what is finished stays.
    """
    shards = plan.shards() if shards is None else shards
    missing = store.missing(shards)
    total = sum(runs for _, _, runs in shards)
    left = sum(runs for _, _, runs in missing)
    if not missing:
        return
    workers.start()
    with ProgressReport(what, total, total - left) as progress:
        try:
            _Queue(plan, store, workers, missing, progress).work_off()
        except KeyboardInterrupt:
            workers.stop(wait=False)
            done = int(store.totals()["runs"])
            raise Stopped(f"interrupted after {done:,} of {total:,} runs, which are kept; the same command goes on") from None


def execute_jobs(jobs: Sequence[Mapping[str, Any]], store: Store, workers: Workers, module: str) -> None:
    """Do what is missing of jobs of a study's own, which are no plain points of a design.

    Args:
        jobs: each with its ``shard``, the ``first`` of its ``runs``, and what its worker needs.
        store: where a shard a job goes, whose ``folder`` is added to each job.
        workers: where they are computed.
        module: by name, where its function ``measure`` takes a job, writes its shard and returns its receipt.

    Raises:
        InvalidInput: where a worker died.
        Stopped: after Ctrl-C; what is finished stays.
    """
    by_shard = {job["shard"]: {**job, "folder": str(store.folder)} for job in jobs}
    missing = store.missing([(job["shard"], job["first"], job["runs"]) for job in jobs])
    total, left = sum(job["runs"] for job in jobs), sum(runs for _, _, runs in missing)
    if not missing:
        return
    here = importlib.import_module(module)  # and not __main__, of which workers elsewhere know nothing
    workers.start()
    with ProgressReport("runs", total, total - left) as progress:
        waiting = [by_shard[shard] for shard, _, _ in missing][::-1]
        flying: set[Future] = set()
        try:
            while waiting or flying:
                while waiting and len(flying) < (1 if workers.kind == "serial" else 2 * workers.count):
                    flying.add(workers.submit(here.measure, waiting.pop()))
                done, flying = wait(flying, return_when=FIRST_COMPLETED)
                receipts = [future.result() for future in done]
                store.record(receipts)
                for receipt in receipts:
                    progress.advance(receipt["runs"], receipt["failed"])
        except BrokenExecutor:
            raise InvalidInput(
                "executor", workers.kind, "workers that live: one died; the same command goes on with what is missing"
            ) from None
        except KeyboardInterrupt:
            workers.stop(wait=False)
            raise Stopped(
                f"interrupted after {int(store.totals()['runs']):,} of {total:,} runs, which are kept; the same command goes on"
            ) from None


class _Queue:
    """Shards on their way through the workers."""

    def __init__(
        self, plan: Plan, store: Store | Keeper, workers: Workers, missing: list[tuple[int, int, int]], progress: ProgressReport
    ) -> None:
        self.plan, self.store, self.workers, self.progress = plan, store, workers, progress
        self.waiting = deque(missing)
        self.flying: dict[Future, list[tuple[int, int, int]]] = {}
        self.seconds, self.finished = 0.0, 0

    def work_off(self) -> None:
        while self.waiting or self.flying:
            while self.waiting and len(self.flying) < 2 * self.workers.count:
                task = [self.waiting.popleft() for _ in range(min(self._task_size(), len(self.waiting)))]
                self.flying[self.workers.submit(work, self._job(1, task))] = task
                if self.workers.kind == "serial":
                    break
            self._collect(self.flying, self.workers.kind != "serial")

    def _job(self, attempts: int, shards: Sequence[tuple[int, int, int]], skip: frozenset[int] = frozenset()) -> dict[str, Any]:
        return self.plan.job(self.store.folder, attempts, shards, skip, isinstance(self.store, Store))

    def _task_size(self) -> int:
        """Shards of about two seconds together; single ones at first, to measure, and at the end, to finish together."""
        if not self.finished:
            return 1
        by_time = int(SECONDS_PER_TASK * self.finished / max(self.seconds, 1e-9))
        return max(1, min(by_time, len(self.waiting) // (3 * self.workers.count)))

    def _collect(self, flying: dict[Future, list[tuple[int, int, int]]], block: bool) -> None:
        while not (done := wait(flying, timeout=20 if block else 0, return_when=FIRST_COMPLETED).done) and block:
            self.workers.check()
        dead = [task for task in (self._take(future, flying.pop(future)) for future in list(done)) if task]
        if dead:
            for future in list(flying):  # all others under way come home first, so that suspects can be tried alone
                task = self._take(future, flying.pop(future))
                if task:
                    dead.append(task)
            for task in dead:
                for shard in task:
                    self._alone(shard)
            self.workers.restart()

    def _take(self, future: Future, task: list[tuple[int, int, int]]) -> list[tuple[int, int, int]] | None:
        """Enter what a future brought into the store; returns the task if its worker died."""
        try:
            receipts = future.result()
        except (BrokenExecutor, CancelledError):
            return task
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                return task
            raise
        stopped = receipts.pop()["stopped"] if receipts and "stopped" in receipts[-1] else ""
        self.store.record(receipts)
        for receipt in receipts:
            self.seconds += receipt["seconds"]
            self.finished += 1
            self.progress.advance(receipt["runs"], receipt["failed"])
        if stopped:
            raise InvalidInput("output", str(self.store.folder), f"a folder with room to write ({stopped}); what is finished is kept")
        return None

    def _alone(self, shard: tuple[int, int, int]) -> None:
        """A shard whose worker died: again, alone; and if it dies again, without the runs that kill it."""
        if self._survives(work, self._job(2, [shard])):
            return
        _, first, runs = shard
        killers = frozenset(self._killers(self._job(2, [shard]), first, first + runs))
        if not self._survives(work, self._job(3, [shard], killers)):
            raise InvalidInput(
                "executor", self.workers.kind, f"workers that live: one died three times at runs {first} to {first + runs - 1}"
            )

    def _killers(self, job: Mapping[str, Any], first: int, last: int) -> Iterator[int]:
        if self._survives(probe, job, first, last):
            return
        if last - first == 1:
            if not self._survives(probe, job, first, last):  # twice, for it may have been chance
                yield first
            return
        middle = (first + last) // 2
        yield from self._killers(job, first, middle)
        yield from self._killers(job, middle, last)

    def _survives(self, fn: Callable, *args: Any) -> bool:
        self.workers.restart(1)
        future = self.workers.submit(fn, *args)
        while not wait([future], timeout=20).done:
            self.workers.check()
        if fn is work:
            return self._take(future, args[0]["shards"]) is None
        try:
            future.result()
        except (BrokenExecutor, CancelledError):
            return False
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                return False
            raise
        return True


class ProgressReport:
    """A bar on a terminal; elsewhere a line every half minute."""

    def __init__(self, what: str, total: int, done: int) -> None:
        self.what, self.total, self.before = what, total, done
        self.done, self.failed = 0, 0
        self.clock = self.told = time.monotonic()
        self.bar = Progress(
            TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}left"), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, refresh_per_second=4, disable=not sys.stderr.isatty(),
        )  # fmt: skip
        self.task = self.bar.add_task("", total=total, completed=done)
        self.started = False

    def __enter__(self) -> ProgressReport:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, runs: int, failed: int) -> None:
        """Say that so many more runs are done, and how many of them failed."""
        self.done, self.failed = self.done + runs, self.failed + failed
        if not self.started:  # only now: workers are forked before the bar's thread is there
            self.started = True
            self.bar.start()
        self.bar.update(self.task, advance=runs, description=f"{self.failed} failed, " if self.failed else "")
        now = time.monotonic()
        if not sys.stderr.isatty() and now - self.told > 30:
            self.told = now
            left = (self.total - self.before - self.done) * (now - self.clock) / self.done
            print(
                f"{self.before + self.done:,} of {self.total:,} {self.what}, {self.failed:,} failed, {duration(left)} left",
                file=sys.stderr,
                flush=True,
            )


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
