"""Many runs on all cores: chunks of runs in worker processes, results in a fixed order.

A run that raises is recorded as failed. Where a worker dies, its runs are tried again, each in a
process of its own; a run that kills its process again is recorded as failed, and the others go on.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sim import RolloutModel
from sim.parameters import InvalidInput, Parameters

#: Weekly measures kept of every run.
WEEKLY = (
    "week",
    "users_using",
    "reliance",
    "trust",
    "teams_trust_and_use",
    "units_live",
    "units_retired",
    "support_ratio",
    "quality",
    "net",
    "cumulative_net",
)
#: Runs per chunk: some tenths of a second of work at the default size, a task's overhead a thousandth of it.
CHUNK = 20

Cell = tuple[str, str, Parameters]  # maturity, strategy, parameters
Job = tuple[Cell, int]  # and replication
Result = tuple[dict[str, Any], np.ndarray | None]  # record, weekly records


def run_all(
    cells: list[Cell], replications: int, seed: int, engine: str, workers: int, folder: Path
) -> tuple[list[dict[str, Any]], int, float, float]:
    """Run every cell with every seed, writing ``weekly.parquet`` into ``folder`` as results come.

    Results are taken in order, so that files do not depend on the number of workers.

    Returns:
        Records; weeks simulated; seconds of processor time in runs; seconds elapsed.
    """
    jobs = [(cell, replication) for replication in range(replications) for cell in cells]
    chunks = [jobs[i : i + CHUNK] for i in range(0, len(jobs), CHUNK)]
    runs: list[dict[str, Any]] = []
    rows, busy, clock = 0, 0.0, time.perf_counter()
    bar = Progress(
        TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True, refresh_per_second=4, disable=not sys.stderr.isatty(),
    )  # fmt: skip
    with _Weekly(folder / "weekly.parquet", max(200, len(cells))) as sink:
        results = _in_order(chunks, seed, engine, workers)
        first = next(results)  # workers are forked before the progress bar starts its thread
        with bar:
            task = bar.add_task("", total=len(jobs))
            for chunk, seconds in chain([first], results):
                busy += seconds
                for record, weekly in chunk:
                    runs.append(record)
                    if weekly is not None:
                        sink.add(record, weekly)
                        rows += len(weekly)
                bar.advance(task, len(chunk))
    return runs, rows, busy, time.perf_counter() - clock


def _in_order(chunks: list[list[Job]], seed: int, engine: str, workers: int) -> Iterator[tuple[list[Result], float]]:
    """Results of the chunks, in order; a few chunks are under way ahead of the one that is due."""
    if workers == 1:
        for chunk in chunks:
            yield _run_chunk(chunk, seed, engine)
        return
    pool = _pool(workers)
    waiting: deque[tuple[list[Job], Future]] = deque()
    more = iter(chunks)
    try:
        while True:
            for chunk in islice(more, 3 * workers - len(waiting)):
                waiting.append((chunk, pool.submit(_run_chunk, chunk, seed, engine)))
            if not waiting:
                return
            due, future = waiting.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:  # a worker died, and with it all that was under way
                results: list[Result] = []
                for job in due:  # each alone, to find the run that kills its worker, if it is here
                    pool.shutdown(cancel_futures=True)
                    pool = _pool(1)
                    try:
                        results += pool.submit(_run_chunk, [job], seed, engine).result()[0]
                    except BrokenProcessPool:
                        results.append(({**_identity(job, seed), "error": "WorkerDied: the run killed its process"}, None))
                pool.shutdown(cancel_futures=True)
                pool = _pool(workers)
                waiting = deque((c, f if _finished(f) else pool.submit(_run_chunk, c, seed, engine)) for c, f in waiting)
                yield results, 0.0
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _finished(future: Future) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _pool(workers: int) -> ProcessPoolExecutor:
    """Worker processes, forked where the system can: they inherit imports and compiled code."""
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() and sys.platform == "linux" else "spawn"
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method))


def _identity(job: Job, seed: int) -> dict[str, Any]:
    (maturity, strategy, _), replication = job
    return {"maturity": maturity, "strategy": strategy, "replication": replication, "seed": seed + replication}


def _run_chunk(jobs: list[Job], seed: int, engine: str) -> tuple[list[Result], float]:
    clock = time.process_time()
    return [_run_one(job, seed, engine) for job in jobs], time.process_time() - clock


def _run_one(job: Job, seed: int, engine: str) -> Result:
    identity = _identity(job, seed)
    try:
        model = RolloutModel(parameters=job[0][2], rng=identity["seed"], engine=engine).run()
        return {**identity, **model.outcome, "error": ""}, model.state.weekly[list(WEEKLY)]
    except InvalidInput:
        raise
    except Exception as error:  # a failed run is recorded as such, never as a value
        return {**identity, "error": f"{type(error).__name__}: {error}"}, None


class _Weekly:
    """Writes the weekly records of many runs, some hundred runs to a row group (each cell is in the first)."""

    def __init__(self, path: Path, runs_per_group: int) -> None:
        self.path, self.group, self.parts = path, runs_per_group, []  # type: ignore[var-annotated]
        self.writer: pq.ParquetWriter | None = None
        self.names: dict[str, list[str]] = {}

    def __enter__(self) -> _Weekly:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        if self.writer:
            self.writer.close()

    def add(self, record: dict[str, Any], weekly: np.ndarray) -> None:
        self.parts.append((record, weekly))
        if len(self.parts) == self.group:
            self.flush()

    def flush(self) -> None:
        if not self.parts:
            return
        lengths = [len(weekly) for _, weekly in self.parts]
        columns: dict[str, Any] = {}
        for key in ("maturity", "strategy"):
            names = self.names.setdefault(key, sorted({record[key] for record, _ in self.parts}))
            rows = np.repeat([names.index(record[key]) for record, _ in self.parts], lengths)
            columns[key] = pa.DictionaryArray.from_arrays(rows.astype(np.int32), names)
        for key in ("replication", "seed"):
            columns[key] = np.repeat([record[key] for record, _ in self.parts], lengths)
        for key in WEEKLY:
            columns[key] = np.concatenate([weekly[key] for _, weekly in self.parts])
        table = pa.table(columns)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema, compression="zstd", write_page_checksum=True)
        self.writer.write_table(table)
        self.parts = []
