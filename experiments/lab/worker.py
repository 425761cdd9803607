"""In a worker: some shards are run, written, and a receipt is given for each. An item that raises is recorded as failed."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.lab.storage import Receipt, write_shard
from experiments.lab.work import Recorder, Shard
from sim.schema import InvalidInput
from sim.sources import SOURCES

DIED = "WorkerDied: the run killed its process, or took longer than its limit"


@dataclass(frozen=True)
class Task:
    """Some shards on their way to a worker.

    Attributes:
        folder: the results folder.
        recorder: what runs the items.
        shards: each with its items.
        attempts: how often this is tried by now.
        limit: seconds after which an item counts as hanging; 0: none.
        skip: items known to kill their worker, by number: recorded as failed, and not run.
        model: version of the model that the parent has.
    """

    folder: Path
    recorder: Recorder
    shards: tuple[tuple[Shard, list[Any]], ...]
    attempts: int = 1
    limit: float = 0.0
    skip: frozenset[int] = frozenset()
    model: str = field(default=SOURCES)


@dataclass(frozen=True)
class Done:
    """What a worker brings home: receipts, and why it stopped where it could not write the rest."""

    receipts: tuple[Receipt, ...]
    stopped: str = ""


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


def work(task: Task) -> Done:
    """Run the shards of a task and write them."""
    if task.model != SOURCES:
        raise InvalidInput(
            "executor", f"a worker with model {SOURCES[:12]}", f"model {task.model[:12]}, this project as it is here, on every worker"
        )
    from sim.engine import one_thread  # what only makes a plan of runs does without the model

    receipts: list[Receipt] = []
    with one_thread():
        for shard, items in task.shards:
            try:
                receipts.append(_shard(task, shard, items))
            except OSError as error:
                return Done(tuple(receipts), error.strerror or str(error))
    return Done(tuple(receipts))


def probe(task: Task, first: int, last: int) -> None:
    """Run the items of the only shard from ``first`` to before ``last``, and keep nothing: does the worker survive it?"""
    ((shard, items),) = task.shards
    for index, item in enumerate(items, shard.first):
        if first <= index < last:
            _one(task, index, item)


def _shard(task: Task, shard: Shard, items: list[Any]) -> Receipt:
    clock = time.process_time()
    outcomes = [_one(task, index, item) for index, item in enumerate(items, shard.first)]
    seconds = time.process_time() - clock
    tables = task.recorder.tables([result for result, _ in outcomes])
    gc.collect()  # models hold on to themselves in circles, and those of several use cases are large
    files = {}
    for dataset, table in tables.items():
        name, checksum = write_shard(task.folder, dataset, shard.number, table)
        files[name] = checksum
    failed = sum(bad for _, bad in outcomes)
    return Receipt(shard.number, shard.first, shard.runs, failed, task.attempts, seconds, files)


def _one(task: Task, index: int, item: Any) -> tuple[Any, bool]:
    """The result of an item, and whether it failed: a failure is recorded as one, and never as a value."""
    if index in task.skip:
        return task.recorder.failed(item, DIED), True
    try:
        with _Limit(task.limit):
            return task.recorder.run(item), False
    except Exception as error:
        return task.recorder.failed(item, " ".join(f"{type(error).__name__}: {error}".split())[:500]), True
