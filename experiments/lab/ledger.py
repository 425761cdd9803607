"""The ledger of a results folder: which shards are done, each row with a checksum, so that no damage passes for a row.

SQLite, on local disk, of one process. What is damaged is set aside; the rows that are whole by their checksum are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from sim.schema import InvalidInput

LEDGER = "ledger.sqlite"
#: As SQLite keeps it: another table, a view or a trigger is none of ours.
SCHEMA = (
    "CREATE TABLE shards (shard INTEGER PRIMARY KEY, first INTEGER, runs INTEGER, failed INTEGER, "
    "attempts INTEGER, seconds REAL, files TEXT, checksum TEXT)"
)
#: The machine's trouble, or another program's, not the ledger's.
TROUBLE = {
    sqlite3.SQLITE_FULL: "a folder with room to write",
    sqlite3.SQLITE_NOMEM: "a ledger that fits into memory",
    sqlite3.SQLITE_BUSY: "a ledger that no other program has open",
    sqlite3.SQLITE_LOCKED: "a ledger that no other program has open",
}


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


class Damaged(Exception):
    """A ledger that is not as it was written."""


class Ledger:
    """Receipts that outlive the process.

    Args:
        folder: the results folder.
        set_aside: moves a file of it out of the way.

    Attributes:
        note: what was wrong with it, in a line; empty where nothing was.

    Raises:
        InvalidInput: where it cannot be opened for a reason that is not its own.
    """

    def __init__(self, folder: Path, set_aside: Callable[[Path], str]) -> None:
        self.place, self.note = folder / LEDGER, ""
        try:
            self._connection = connect(self.place)
            return
        except Exception as error:  # damaged bytes make SQLite raise nearly anything
            self._refuse_trouble(error)
        kept = salvaged(self.place)
        aside = [set_aside(path) for end in ("", "-wal", "-shm", "-journal") if os.path.lexists(path := folder / f"{LEDGER}{end}")]
        try:
            self._connection = connect(self.place)
        except sqlite3.Error as error:
            self._refuse_trouble(error)
            raise InvalidInput("output", str(self.place), f"a ledger that SQLite can write ({error})") from None
        self.record(kept)
        self.note = f"{LEDGER} was damaged, or of an earlier version: set aside as {aside[0] if aside else self.place}; " + (
            f"{len(kept):,} shards in it were whole, all other runs are done again" if kept else "its runs are done again"
        )

    def _refuse_trouble(self, error: Exception) -> None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in TROUBLE:
            raise InvalidInput("output", str(self.place), f"{TROUBLE[code]} ({error})") from None

    def receipts(self) -> list[Receipt]:
        """What is done."""
        return [receipt for _, receipt in rows(self._connection) if receipt]

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Enter finished shards, all of them or none."""
        self._connection.execute("BEGIN")
        try:
            self._connection.executemany("INSERT OR REPLACE INTO shards VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, receipts))
            self._connection.execute("COMMIT")
        except BaseException:  # Ctrl-C among them
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def forget(self, shard: int) -> None:
        """Strike out a shard."""
        self._connection.execute("DELETE FROM shards WHERE shard = ?", (shard,))

    def totals(self) -> dict[str, float]:
        """Shards, runs and failed runs that are done, and the processor seconds they took."""
        row = self._connection.execute("SELECT COUNT(*), SUM(runs), SUM(failed), SUM(seconds) FROM shards").fetchone()
        return dict(zip(("shards", "runs", "failed", "seconds"), (value or 0 for value in row), strict=True))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def connect(place: Path) -> sqlite3.Connection:
    """A ledger that is whole and can be written, or a new one.

    Raises:
        Damaged, sqlite3.Error, ValueError: and what else damaged bytes bring about.
    """
    connection = sqlite3.connect(place, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        found = connection.execute("SELECT sql FROM sqlite_master").fetchall()
        if not found:
            connection.execute(SCHEMA)
        elif found != [(SCHEMA,)]:
            raise Damaged("another schema")
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Damaged("pages that do not fit together")
        if any(receipt is None for _, receipt in rows(connection)):
            raise Damaged("a row with another checksum")
        connection.execute("PRAGMA user_version=1")  # writes, so that a ledger that cannot be written is found before anything is run
        return connection
    except BaseException:
        connection.close()
        raise


def rows(connection: sqlite3.Connection) -> Iterator[tuple[int, Receipt | None]]:
    """Shards in order, each with its receipt, or None where the row has another checksum."""
    for *values, checksum in connection.execute("SELECT * FROM shards ORDER BY shard"):
        whole = checksum == _checksum(values)
        yield values[0], Receipt(*[*values[:6], json.loads(values[6])]) if whole else None


def salvaged(place: Path) -> list[Receipt]:
    """The receipts of a damaged ledger that are whole by their checksums, as far as it can be read."""
    kept: list[Receipt] = []
    if place.is_file():
        with contextlib.suppress(Exception), contextlib.closing(sqlite3.connect(place, isolation_level=None)) as connection:
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            for _, receipt in rows(connection):
                kept += [receipt] if receipt else []
    return kept


def _row(receipt: Receipt) -> tuple[Any, ...]:
    values = [*astuple(receipt)[:-1], json.dumps(receipt.files, sort_keys=True)]
    return (*values, _checksum(values))


def _checksum(values: Sequence[Any]) -> str:
    """SHA-256 of a row, types included."""
    return hashlib.sha256(repr(list(values)).encode(errors="replace")).hexdigest()
