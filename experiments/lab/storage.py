"""Results that survive: one folder, one writer, immutable Parquet shards, and a ledger of what is done.

The parent alone owns the ledger (SQLite, on local disk). Workers write shards beside their place
and rename them; what the ledger does not know, or whose checksum is another, is done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import filelock
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.lab.output import Folder
from experiments.lab.work import Shard
from sim.schema import InvalidInput

#: Datasets of a results folder: one row per run; per run and week; per run and unit; per run and look at what holds it back.
RUNS, WEEKS, UNITS, HELD = "runs", "weekly", "units", "held"
UNFINISHED = ".unfinished"
PLAN, LEDGER = "plan.json", "ledger.sqlite"


@dataclass(frozen=True)
class Receipt:
    """A finished shard: what it holds, how many of its runs failed, at which attempt, in how many processor seconds, and where it is.

    ``files`` gives the SHA-256 (hex) of each file by its path below the results folder.
    """

    shard: int
    first: int
    runs: int
    failed: int
    attempts: int
    seconds: float
    files: dict[str, str]


def shard_name(shard: int) -> str:
    """File name of a shard; names sort as the runs do."""
    return f"part-{shard:06d}.parquet"


def write_shard(folder: Path, dataset: str, shard: int, table: pa.Table) -> tuple[str, str]:
    """Write one immutable shard so that it is there whole or not at all; returns its path below the folder, and SHA-256 (hex)."""
    place = folder / dataset
    place.mkdir(exist_ok=True)
    # not in the dataset's own folder: a worker that is killed, or outlives its parent, leaves nothing there
    name, beside = shard_name(shard), folder / UNFINISHED / f"{dataset}-{shard}.{os.getpid()}"
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    content = buffer.getvalue()
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place / name)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    directory = os.open(place, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return f"{dataset}/{name}", hashlib.sha256(content).hexdigest()


class Store(Folder):
    """A results folder that a later start goes on with, as a context.

    Args:
        experiment: name of the experiment.
        path: the folder.
        plan: everything that decides the results, as plain JSON values.

    Raises:
        InvalidInput: where the folder cannot be written, is being written by somebody else, holds
            something else, or the results of another plan.
    """

    def __init__(self, experiment: str, path: Path, plan: Mapping[str, Any]) -> None:
        self.experiment, self.folder = experiment, path
        self.plan: dict[str, Any] = json.loads(json.dumps({"experiment": experiment, **plan}))
        self.repaired: list[str] = []
        self.changed = False  # whether this start added anything
        try:
            known = path.is_dir() and any(path.iterdir())
            if path.exists() and not path.is_dir():
                raise InvalidInput("output", str(path), "a folder")
            if known and not (path / PLAN).is_file():
                raise InvalidInput("output", str(path), "a new folder, an empty one, or one of this experiment to go on with")
            (path / UNFINISHED).mkdir(parents=True, exist_ok=True)
            self._lock = filelock.FileLock(path / ".lock", timeout=0)
            self._lock.acquire()
        except filelock.Timeout:
            raise InvalidInput("output", str(path), "a folder that no other process is writing at the moment") from None
        except OSError as error:
            raise InvalidInput("output", str(path), f"a folder that can be written ({error.strerror})") from None
        try:
            self._same_plan()
            self._ledger = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _same_plan(self) -> None:
        place = self.folder / PLAN
        if not place.is_file():
            self.text(f".{PLAN}", json.dumps(self.plan, indent=1, ensure_ascii=False) + "\n")
            (self.folder / f".{PLAN}").replace(place)
            return
        try:
            before = json.loads(place.read_text(encoding="utf-8"))
        except ValueError:
            raise InvalidInput(str(place), "damaged", "the plan that this folder was begun with; start in another folder") from None
        for key, mine, theirs in differences(self.plan, before):
            raise InvalidInput(key, mine, f"{theirs!r}, with which {self.folder} was begun; use another output folder for another plan")

    def _open(self) -> sqlite3.Connection:
        self._sweep_up()
        place = self.folder / LEDGER
        for _ in range(2):
            ledger = sqlite3.connect(place, isolation_level=None)
            try:
                ledger.execute("PRAGMA journal_mode=WAL")
                ledger.execute("PRAGMA synchronous=FULL")
                ledger.execute(
                    "CREATE TABLE IF NOT EXISTS shards (shard INTEGER PRIMARY KEY, first INTEGER, runs INTEGER, failed INTEGER, "
                    "attempts INTEGER, seconds REAL, files TEXT)"
                )
                if ledger.execute("PRAGMA quick_check").fetchone() == ("ok",):
                    return ledger
            except sqlite3.DatabaseError:
                pass
            ledger.close()
            self.repaired.append(f"{LEDGER} was damaged; its runs are done again")
            for name in (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm"):
                with contextlib.suppress(FileNotFoundError):
                    (self.folder / name).replace(self.folder / f"{name}.damaged")
        raise InvalidInput(str(place), "damaged", "a ledger that SQLite can open")

    def __enter__(self) -> Store:
        return self

    def _sweep_up(self) -> None:
        """Remove what killed workers left half written."""
        for left in (self.folder / UNFINISHED).iterdir():
            left.unlink(missing_ok=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ledger.close()
        self._sweep_up()
        self._lock.release()
        if isinstance(error, (OSError, sqlite3.OperationalError)):
            raise InvalidInput(
                "output",
                str(self.folder),
                f"a folder with room to write ({getattr(error, 'strerror', None) or error}); what is finished is kept",
            ) from None

    # ------------------------------------------------------------------ shards

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """Those of the shards that are not here, whole and as they were written."""
        done = {row[0]: row[1:] for row in self._ledger.execute("SELECT shard, first, runs, files FROM shards")}
        left = []
        for shard in shards:
            number, first, runs = shard
            problem = None
            if number not in done:
                problem = ""
            elif done[number][:2] != (first, runs):
                problem = "holds other runs"
            else:
                for name, checksum in json.loads(done[number][2]).items():
                    place = self.folder / name
                    if not place.is_file():
                        problem = f"{name} is missing"
                    elif hashlib.sha256(place.read_bytes()).hexdigest() != checksum:
                        problem = f"{name} is damaged or altered"
            if problem is not None:
                left.append(shard)
            if problem:
                self.repaired.append(f"{problem}; its {runs} runs are done again")
                self._ledger.execute("DELETE FROM shards WHERE shard = ?", (number,))
        return left

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Enter finished shards into the ledger, in one transaction."""
        self.changed = True
        for receipt in receipts:
            for name, checksum in receipt.files.items():
                if not (self.folder / name).is_file():
                    raise InvalidInput(
                        "output", str(self.folder / name), f"a folder that workers share with this process (SHA-256 {checksum[:8]})"
                    )
        rows = [{**asdict(receipt), "files": json.dumps(receipt.files, sort_keys=True)} for receipt in receipts]
        self._ledger.execute("BEGIN")
        try:
            self._ledger.executemany(
                "INSERT OR REPLACE INTO shards VALUES (:shard, :first, :runs, :failed, :attempts, :seconds, :files)", rows
            )
            self._ledger.execute("COMMIT")
        except BaseException:  # Ctrl-C among them
            if self._ledger.in_transaction:
                self._ledger.execute("ROLLBACK")
            raise

    def totals(self) -> dict[str, float]:
        """Shards, runs and failed runs that are done, and the processor seconds they took."""
        row = self._ledger.execute("SELECT COUNT(*), SUM(runs), SUM(failed), SUM(seconds) FROM shards").fetchone()
        return dict(zip(("shards", "runs", "failed", "seconds"), (value or 0 for value in row), strict=True))

    # ------------------------------------------------------------------ reading

    def runs(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The finished runs, in order; every page is checked against its checksum."""
        return read(self.folder, RUNS, columns)

    def concluded(self, configuration: Mapping[str, Any]) -> bool:
        """Whether an earlier start wrote everything, and all of it is here as it was written."""
        try:
            manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
            same = manifest["configuration"] == json.loads(json.dumps(configuration))
            files = manifest["files_sha256"].items()
            return not self.changed and same and all(hashlib.sha256((self.folder / n).read_bytes()).hexdigest() == c for n, c in files)
        except (OSError, ValueError, KeyError, AttributeError):
            return False


def read(folder: Path, dataset: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A dataset of a results folder as one frame, in the order of the runs.

    Raises:
        InvalidInput: naming the file that is damaged.
    """
    return pa.concat_tables(read_shards(folder, dataset, columns)).to_pandas()


def read_shards(folder: Path, dataset: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The shards of a dataset one by one, in order, each page checked."""
    for path in sorted((folder / dataset).glob("part-*.parquet")):
        try:
            yield pq.ParquetFile(path, page_checksum_verification=True).read(columns=list(columns) if columns else None)
        except (OSError, pa.ArrowException) as error:
            raise InvalidInput(
                str(path), str(error).splitlines()[0], "a whole Parquet file; start the same command again to repair it"
            ) from None


def differences(mine: Any, theirs: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Leaves in which two nested plans differ: dotted key, this plan's value, the other's."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name in dict.fromkeys((*mine, *theirs)):
            yield from differences(mine.get(name, "nothing"), theirs.get(name, "nothing"), f"{key}.{name}" if key else name)
    elif mine != theirs:
        yield key, mine, theirs
