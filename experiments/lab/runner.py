"""In the parent: shards go out to workers and their receipts come home; what kills a worker is found and left out.

A task is as many shards as take about two seconds, by measurement. Where a worker dies, the shards it may have been at are tried again
one by one; a shard that kills its worker again is halved until the runs that do it are found. They are recorded as failed, and the
others go on.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import Any

import pyarrow as pa

from experiments.lab.executors import Workers
from experiments.lab.progress import ProgressReport, load_model
from experiments.lab.storage import Store
from experiments.lab.work import Shard, Work
from experiments.lab.worker import Done, Task, probe, work
from sim.process import Stopped, code_of
from sim.schema import InvalidInput

SECONDS_PER_TASK = 2.0


def execute(study: Work, store: Store, workers: Workers, shards: Sequence[Shard] | None = None, what: str = "runs") -> None:
    """Do what is missing of a study's work; returns when all of it is in the store.

    Args:
        study: what is run.
        store: where it goes.
        workers: where it is computed.
        shards: those that are wanted; all where None.
        what: the runs' name in the progress report.

    Raises:
        InvalidInput: where a worker has another version of the model, or cannot write.
        Stopped: after Ctrl-C, SIGTERM or SIGHUP; what is finished stays.
    """
    shards = study.shards() if shards is None else shards
    missing = store.missing(shards)
    total, left = (sum(shard.runs for shard in some) for some in (shards, missing))
    if not missing:
        store.set_aside_unknown()
        return
    if "sim.engine" in sys.modules:  # a study of the model
        load_model()
    workers.prime()
    clock = time.perf_counter()
    with ProgressReport(what, total, total - left) as progress:
        try:
            _Queue(study, store, workers, missing, progress).run()
            workers.seconds += time.perf_counter() - clock
        except KeyboardInterrupt as asked:
            workers.stop(wait=False)
            done = int(store.totals()["runs"])
            raise Stopped(
                f"interrupted after {done:,} of {total:,} runs, which are kept; the same command goes on", code_of(asked)
            ) from None
    store.set_aside_unknown()


def sample(study: Work, indices: Sequence[int]) -> dict[str, pa.Table]:
    """Some runs, by number, computed here and kept nowhere: the tables of their shard.

    Raises:
        Exception: what a run raises.
    """
    recorder = study.recorder
    return recorder.tables([recorder.run(study.items(Shard(0, index, 1))[0]) for index in indices])


class _Queue:
    """Shards on their way through the workers."""

    def __init__(self, study: Work, store: Store, workers: Workers, missing: list[Shard], progress: ProgressReport) -> None:
        self.study, self.store, self.workers, self.progress = study, store, workers, progress
        self.waiting = deque(missing)
        self.flying: dict[Future, list[Shard]] = {}
        self.seconds, self.finished = 0.0, 0

    def run(self) -> None:
        while self.waiting or self.flying:
            while self.waiting and len(self.flying) < 2 * self.workers.count:
                shards = [self.waiting.popleft() for _ in range(min(self._task_size(), len(self.waiting)))]
                self.flying[self.workers.submit(work, self._task(1, shards))] = shards
                if self.workers.kind == "serial":
                    break
            self._collect(self.flying, self.workers.kind != "serial")

    def _task(self, attempts: int, shards: Sequence[Shard], skip: frozenset[int] = frozenset()) -> Task:
        with_items = tuple((shard, self.study.items(shard)) for shard in shards)
        return Task(self.store.folder, self.study.recorder, with_items, attempts, self.study.limit, skip)

    def _task_size(self) -> int:
        """Shards of about two seconds together; single ones at first, to measure, and at the end, to finish together."""
        if not self.finished:
            return 1
        by_time = int(SECONDS_PER_TASK * self.finished / max(self.seconds, 1e-9))
        return max(1, min(by_time, len(self.waiting) // (3 * self.workers.count)))

    def _collect(self, flying: dict[Future, list[Shard]], block: bool) -> None:
        while not (done := wait(flying, timeout=20 if block else 0, return_when=FIRST_COMPLETED).done) and block:
            self.workers.check()
        dead = [shards for shards in (self._take(future, flying.pop(future)) for future in list(done)) if shards]
        if dead:
            for future in list(flying):  # all others under way come home first, so that suspects can be tried alone
                shards = self._take(future, flying.pop(future))
                if shards:
                    dead.append(shards)
            for shards in dead:
                for shard in shards:
                    self._alone(shard)
            self.workers.restart()

    def _take(self, future: Future, shards: list[Shard]) -> list[Shard] | None:
        """Enter what a future brought into the store; returns its shards if its worker died."""
        try:
            done: Done = future.result()
        except Exception as error:
            if died(error):
                return shards
            raise
        self.store.record(done.receipts)
        for receipt in done.receipts:
            self.seconds += receipt.seconds
            self.finished += 1
            self.progress.advance(receipt.runs, receipt.failed)
        if done.stopped:
            raise InvalidInput("output", str(self.store.folder), f"a folder with room to write ({done.stopped}); what is finished is kept")
        return None

    def _alone(self, shard: Shard) -> None:
        """A shard whose worker died: again, alone; and if it dies again, without the runs that kill it."""
        if self._survives(work, self._task(2, [shard])):
            return
        first, last = shard.first, shard.first + shard.runs
        killers = frozenset(self._killers(self._task(2, [shard]), first, last))
        if not self._survives(work, self._task(3, [shard], killers)):
            raise InvalidInput("executor", self.workers.kind, f"workers that live: one died three times at runs {first} to {last - 1}")

    def _killers(self, task: Task, first: int, last: int) -> Iterator[int]:
        if self._survives(probe, task, first, last):
            return
        if last - first == 1:
            if not self._survives(probe, task, first, last):  # twice, for it may have been chance
                yield first
            return
        middle = (first + last) // 2
        yield from self._killers(task, first, middle)
        yield from self._killers(task, middle, last)

    def _survives(self, fn: Callable, task: Task, *limits: Any) -> bool:
        self.workers.restart(1)
        future = self.workers.submit(fn, task, *limits)
        while not wait([future], timeout=20).done:
            self.workers.check()
        if fn is work:
            return self._take(future, [shard for shard, _ in task.shards]) is None
        try:
            future.result()
        except Exception as error:
            if died(error):
                return False
            raise
        return True


def died(error: Exception) -> bool:
    """Whether an error says that a worker died, in the words of any executor."""
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ == "KilledWorker"
