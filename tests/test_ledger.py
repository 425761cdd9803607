"""The ledger: whatever becomes of its bytes, a row that is read is one that was written."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from experiments.lab.ledger import LEDGER, Ledger, Receipt
from experiments.lab.output import shown
from sim.schema import InvalidInput

RECEIPTS = [Receipt(k, 5 * k, 5, k % 2, 1, 0.25 * k, {f"runs/part-{k:06d}.parquet": f"{k:064x}"}) for k in range(60)]


def aside(path: Path) -> str:
    path.rename(place := path.with_name(f"aside-{path.name}"))
    return shown(place)


def made(folder: Path, receipts=RECEIPTS) -> bytes:
    """A ledger in a folder; returns its bytes."""
    ledger = Ledger(folder, aside)
    ledger.record(receipts)
    ledger.close()
    return (folder / LEDGER).read_bytes()


def opened(folder: Path) -> tuple[list[Receipt], str]:
    """What a ledger says and how it was found; it can be written and read again afterwards."""
    ledger = Ledger(folder, aside)
    found, note = ledger.receipts(), ledger.note
    ledger.record(RECEIPTS[-1:])
    ledger.totals()
    ledger.close()
    again = Ledger(folder, aside)
    assert again.note == "" and set(map(repr, again.receipts())) == {*map(repr, found), repr(RECEIPTS[-1])}
    again.close()
    return found, note


@pytest.mark.fault(
    "files", "a ledger with 30 random bytes changed, or one bit of a row, anywhere", "named, set aside; no wrong row is read"
)
def test_no_changed_byte_of_a_ledger_is_read_as_a_row(tmp_path, record_property):
    whole = made(tmp_path)
    found_damaged = 0
    record_property("injected", 120)
    for seed in range(120):
        chance, content = random.Random(seed), bytearray(whole)
        if seed % 3 == 2:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        else:
            start = chance.randrange(100 if seed % 3 else len(content))  # the header, or anywhere
            for k in range(30):
                content[(start + k if seed % 2 else chance.randrange(len(content))) % len(content)] = chance.randrange(256)
        for path in tmp_path.glob("*"):
            path.unlink()
        (tmp_path / LEDGER).write_bytes(content)
        receipts, note = opened(tmp_path)
        assert all(receipt in RECEIPTS for receipt in receipts), seed
        assert bool(note) == (tmp_path / f"aside-{LEDGER}").exists()
        assert note or receipts == RECEIPTS, seed  # unnamed: where no row lies
        found_damaged += bool(note)
    assert found_damaged > 60


@pytest.mark.fault(
    "files",
    "a ledger that is a folder, a link to itself or to nothing, cut short, of an earlier version, with a trigger",
    "named, set aside, done again",
)
@pytest.mark.parametrize(
    "kind",
    [
        "folder",
        "link to itself",
        "link to nothing",
        "log a folder",
        "cut short",
        "text",
        "earlier version",
        "trigger",
        "huge number",
        "null",
    ],
)
def test_what_is_no_ledger_is_named_and_set_aside(kind, tmp_path):
    whole, place = made(tmp_path), tmp_path / LEDGER
    changes = {
        "trigger": "CREATE TRIGGER t AFTER INSERT ON shards BEGIN DELETE FROM shards; END",
        "huge number": "UPDATE shards SET runs = 9223372036854775807 WHERE shard = 3",
        "null": "UPDATE shards SET checksum = NULL WHERE shard = 3",
        "earlier version": "ALTER TABLE shards DROP COLUMN checksum",
    }
    if kind in changes:
        with sqlite3.connect(place) as connection:
            connection.execute(changes[kind])
        connection.close()
    elif kind == "folder":
        place.unlink()
        (place / "inside").mkdir(parents=True)
    elif kind.startswith("link"):
        place.unlink()
        place.symlink_to(place if kind == "link to itself" else tmp_path / "gone" / LEDGER)
    elif kind == "log a folder":
        Path(f"{place}-wal").mkdir()
    else:
        place.write_bytes(whole[: len(whole) // 2] if kind == "cut short" else b"not a database" * 100)
    receipts, note = opened(tmp_path)
    assert note.startswith(f"{LEDGER} was damaged, or of an earlier version: set aside as ") and "\n" not in note
    assert all(receipt in RECEIPTS for receipt in receipts)
    assert list(tmp_path.glob("aside-*")) and "gone" not in note
    if kind in ("huge number", "null"):
        assert receipts == [r for r in RECEIPTS if r.shard != 3] and "59 shards in it were whole" in note


@pytest.mark.fault("process", "a ledger that another program has open", "refused in one line, left alone")
def test_a_ledger_that_another_program_holds_is_refused_and_left_alone(tmp_path, monkeypatch):
    made(tmp_path)
    other = sqlite3.connect(tmp_path / LEDGER, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda place, **given: connect(place, timeout=0.1, **given))
    with pytest.raises(InvalidInput, match="no other program has open"):
        Ledger(tmp_path, aside)
    other.close()
    assert opened(tmp_path) == (RECEIPTS, "")
