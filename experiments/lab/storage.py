"""Results that survive: one folder, one writer, immutable Parquet shards, and a ledger of what is done.

The parent alone owns the ledger. Workers write shards beside their place and rename them. What the ledger does not know, or whose
checksum is another, is set aside, where nobody who reads a dataset finds it, and what is missing then is done again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import filelock
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.lab.ledger import LEDGER, Ledger, Receipt
from experiments.lab.output import ASIDE, Folder, shown
from experiments.lab.work import Shard
from sim.process import Stopped, code_of
from sim.schema import InvalidInput

#: Datasets of a results folder: one row per run; per run and week; per run and unit; per run and look at what holds it back.
RUNS, WEEKS, UNITS, HELD = "runs", "weekly", "units", "held"
DATASETS = (RUNS, WEEKS, UNITS, HELD)
UNFINISHED = ".unfinished"
PLAN = "plan.json"


def shard_name(shard: int) -> str:
    """File name of a shard; names sort as the runs do."""
    return f"part-{shard:06d}.parquet"


def set_aside(folder: Path, path: Path) -> Path:
    """Move a file or folder of a results folder out of the way, over nothing that is there already; returns its new path."""
    wanted = folder / ASIDE / path.relative_to(folder)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    place = next(p for n in itertools.count(1) if not os.path.lexists(p := wanted.with_name(wanted.name + (f".{n}" if n > 1 else ""))))
    path.rename(place)
    return place


def write_shard(folder: Path, dataset: str, shard: int, table: pa.Table) -> tuple[str, str]:
    """Write one immutable shard so that it is there whole or not at all; returns its path below the folder, and SHA-256 (hex).

    Of what has its name already, the same bytes are left by a start that was killed; anything else is set aside.
    """
    place = folder / dataset
    place.mkdir(exist_ok=True)
    # not in the dataset's own folder: a worker that is killed, or outlives its parent, leaves nothing there
    name, beside = shard_name(shard), folder / UNFINISHED / f"{dataset}-{shard}.{os.getpid()}"
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if os.path.lexists(place / name) and digest_of(place / name) != digest:
            set_aside(folder, place / name)
        beside.replace(place / name)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    directory = os.open(place, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return f"{dataset}/{name}", digest


def digest_of(path: Path) -> str:
    """SHA-256 (hex) of a file; empty for a folder, a link and what cannot be read."""
    try:
        return "" if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


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
        self._there: dict[str, str] = {}  # files with the name of a shard that is still to be done, and their SHA-256
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
            self._sweep_up()
            new = not (path / LEDGER).exists() or (path / LEDGER).stat().st_size == 0
            self._ledger = Ledger(path, self._set_aside)
            if self._ledger.note:
                self.repaired.append(self._ledger.note)
            elif new and any(path.glob(f"{RUNS}/*")):
                self.repaired.append(f"{shown(path / LEDGER)} is missing or empty; its runs are done again")
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

    def __enter__(self) -> Store:
        return self

    def _sweep_up(self) -> None:
        """Remove what killed workers left half written."""
        for left in (self.folder / UNFINISHED).glob("*-*.*"):
            if left.is_file():
                left.unlink(missing_ok=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        done = int(self.totals()["runs"]) if isinstance(error, KeyboardInterrupt) and not str(error) else 0
        self._ledger.close()
        self._sweep_up()
        self._lock.release()
        for note in self.repaired:
            print(f"note: {note}", file=sys.stderr)
        if done:  # before or after the runs themselves, which say so otherwise
            raise Stopped(f"interrupted after {done:,} runs, which are kept; the same command goes on", code_of(error)) from None
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            raise InvalidInput("output", str(self.folder / LEDGER), f"a ledger that stays whole ({error}); start again to go on") from None
        if isinstance(error, (OSError, sqlite3.OperationalError)):
            raise InvalidInput(
                "output",
                str(self.folder),
                f"a folder with room to write ({getattr(error, 'strerror', None) or error}); what is finished is kept",
            ) from None

    def _set_aside(self, path: Path) -> str:
        """Move a file or folder out of the way; returns its new path as people type it."""
        return shown(set_aside(self.folder, path))

    def set_aside_unknown(self, wanted: Sequence[Shard] = ()) -> None:
        """Move out of the datasets what the ledger does not know, and what is no shard that is ``wanted``: it would be read with them."""
        known = {name for receipt in self._ledger.receipts() for name in receipt.files}
        known |= {f"{dataset}/{shard_name(shard.number)}" for dataset in DATASETS for shard in wanted}
        unknown = []
        for dataset in DATASETS:
            place = self.folder / dataset
            inside = sorted(place.iterdir()) if place.is_dir() else [place] if os.path.lexists(place) else []
            unknown += [
                path
                for path in inside
                if (str(path.relative_to(self.folder)) not in known or not path.is_file())
                and (path.suffix == ".parquet" or not path.name.startswith((".", "_")))  # others are read by nobody
            ]
        if unknown:
            names = ", ".join(f"{shown(path.parent)}/{path.name}" for path in unknown[:3]) + (
                f" and {len(unknown) - 3:,} more" if len(unknown) > 3 else ""
            )
            for path in unknown:
                self._set_aside(path)
            whose = f"not in {LEDGER}, so another study's or left by a start that was killed"
            self.repaired.append(f"{whose}, and set aside in {shown(self.folder / ASIDE)}: {names}")

    # ------------------------------------------------------------------ shards

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """Those of the shards that are not here, whole and as they were written."""
        self.set_aside_unknown(shards)
        done = {receipt.shard: receipt for receipt in self._ledger.receipts()}
        named = [f"{dataset}/{shard_name(shard.number)}" for dataset in DATASETS for shard in shards if shard.number not in done]
        self._there = {name: digest_of(self.folder / name) for name in named if os.path.lexists(self.folder / name)}
        left = []
        for shard in shards:
            receipt = done.get(shard.number)
            problems = []
            if receipt and (receipt.first, receipt.runs) != shard[1:]:
                problems.append(f"{shown(self.folder / RUNS / shard_name(shard.number))} holds other runs")
            elif receipt:
                for name, checksum in receipt.files.items():
                    place = self.folder / name
                    if not place.is_file():
                        problems.append(f"{shown(place)} is missing")
                    elif hashlib.sha256(place.read_bytes()).hexdigest() != checksum:
                        problems.append(f"{shown(place)} is damaged or altered, and set aside as {self._set_aside(place)}")
            if problems:
                self.repaired.append(f"{'; '.join(problems)}; its {shard.runs} runs are done again")
                self._ledger.forget(shard.number)
            if problems or not receipt:
                left.append(shard)
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
                if self._there.pop(name, checksum) != checksum:
                    self.repaired.append(f"{shown(self.folder / name)} was another file, set aside in {shown(self.folder / ASIDE)}")
        self._ledger.record(receipts)

    def totals(self) -> dict[str, float]:
        """Shards, runs and failed runs that are done, and the processor seconds they took."""
        return self._ledger.totals()

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
