"""Weekly demand read from a file of one's own."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import numpy as np

from experiments.response.demand import Demand
from sim.schema import InvalidInput, Record, nearest
from sim.tables import Table, read_table

MOST_ITEMS = 5000
#: A daily file may lack so many days in a row, on which the shop was closed; more is a gap.
MOST_CLOSED = 3
QUANTITY = Record("number", "quantity sold", 0, 1e12)
SHARE = Record("number", "share of days on promotion", 0, 1)
_COLUMN = re.compile(r"(QTY|PROMO)_([^_]+)_(.+)")


def read_demand(path: Path, weeks_needed: int) -> Demand:
    """Demand from a CSV file with one line per day or week.

    Columns: ``DATE`` (year-month-day, ascending), ``QTY_<brand>_<item>`` (quantity sold, 0 or more) for two brands or more, and
    where promotions are known ``PROMO_<brand>_<item>`` (1 on promotion, else 0, or a share). Days are summed to weeks from Monday; a
    week that the file does not cover from its first to its last day is left out. A day that a daily file lacks counts as closed.

    Raises:
        InvalidInput: naming file, line and column of what cannot be used.
    """
    table = read_table(path, required=["DATE"], others="keep")
    quantity, promoted = _columns(path, list(table.titles))
    brands = tuple(dict.fromkeys(brand for brand, _ in quantity))
    days: list[datetime.date] = []
    for row, text in enumerate(table.frame["DATE"]):
        days.append(_day(table.at(row, "DATE"), text, days[-1] if days else None))
    lines = table.lines.tolist()
    values = np.column_stack([_numbers(table, name) for name in list(table.titles)[1:]])
    step = 7 if len(days) > 1 and (days[1] - days[0]).days == 7 else 1
    closed = _gaps(path, days, lines, step)
    week, keep = _weeks(days, step)
    covered = int(keep.sum())
    if covered < weeks_needed:
        raise InvalidInput(str(path), f"{covered} whole weeks", f"{weeks_needed} whole weeks or more")
    sums, counts = np.zeros((len(keep), values.shape[1])), np.zeros(len(keep))
    np.add.at(sums, week, values)
    np.add.at(counts, week, 1)
    order = list(quantity)
    sales = sums[keep][:, [quantity[item] - 1 for item in order]]
    shares = (sums / np.maximum(counts, 1)[:, None])[keep]
    promotion = np.column_stack([shares[:, promoted[item] - 1] if item in promoted else np.zeros(covered) for item in order])
    first = np.datetime64(days[0] - datetime.timedelta(days[0].weekday()), "D")
    notes = [*table.notes, *([] if promoted else ["the file has no promotions"])]
    if closed:
        notes.append(f"{closed} days are not in the file and count as closed")
    return Demand(
        (first + 7 * np.arange(len(keep)))[keep],
        tuple("_".join(item) for item in order),
        brands,
        np.array([brands.index(brand) for brand, _ in order]),
        sales,
        promotion,
        tuple(notes),
    )


def _columns(path: Path, header: list[str]) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """Places of the quantities and of the promotions in a line, by brand and item."""
    where = f"{path}, line 1"
    quantity: dict[tuple[str, str], int] = {}
    promoted: dict[tuple[str, str], int] = {}
    for at, name in enumerate(header[1:], 1):
        match = _COLUMN.fullmatch(name)
        if not match:
            raise InvalidInput(f"{where}, column {at + 1}", name, "QTY_<brand>_<item> or PROMO_<brand>_<item>")
        (quantity if match[1] == "QTY" else promoted)[match[2], match[3]] = at
    for item, at in promoted.items():
        if item not in quantity:
            known = ["QTY_" + "_".join(known) for known in quantity]
            raise InvalidInput(f"{where}, column {at + 1}", header[at], "a promotion of an item sold here; " + nearest(header[at], known))
    brands = {brand for brand, _ in quantity}
    if len(brands) < 2 or not len(brands) < len(quantity) <= MOST_ITEMS:
        raise InvalidInput(
            where,
            f"{len(quantity)} items of {len(brands)} brands",
            f"two brands or more, one of them with two items or more, and at most {MOST_ITEMS:,} items",
        )
    return quantity, promoted


def _day(key: str, text: str, before: datetime.date | None) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(text if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else "")
    except ValueError:
        raise InvalidInput(key, text, "a date such as 2018-12-31") from None
    if before is not None and day <= before:
        raise InvalidInput(key, text, f"a date after {before}, the line before: each date once, in ascending order")
    return day


def _numbers(table: Table, name: str) -> np.ndarray:
    record, allowed = (QUANTITY, "a quantity from 0 to 1e12; 0 where nothing was sold")
    if name.startswith("PROMO"):
        record, allowed = (SHARE, "1 on promotion, 0 else, or a share")
    values = table.numbers(name, record, allowed)
    if np.isnan(values).any():
        raise InvalidInput(table.at(int(np.argmax(np.isnan(values))), name), "", allowed)
    return values


def _gaps(path: Path, days: list[datetime.date], lines: list[int], step: int) -> int:
    """Days that a daily file lacks; refuses gaps."""
    closed = 0
    for before, day, line in zip(days, days[1:], lines[1:], strict=False):
        lacking = (day - before).days - step
        if lacking and (step == 7 or lacking > MOST_CLOSED):
            allowed = "a line every 7 days, as at its beginning" if step == 7 else f"no more than {MOST_CLOSED} days missing in a row"
            raise InvalidInput(f"{path}, line {line}, column DATE", f"{day}, {(day - before).days} days after {before}", allowed)
        closed += lacking
    return closed


def _weeks(days: list[datetime.date], step: int) -> tuple[np.ndarray, np.ndarray]:
    """Week of each line, counted from the first, and which weeks the file covers whole."""
    if not days:
        return np.zeros(0, int), np.zeros(0, bool)
    monday = days[0] - datetime.timedelta(days[0].weekday())
    week = np.array([(day - monday).days // 7 for day in days])
    keep = np.ones(int(week[-1]) + 1, bool)
    if step == 1:
        keep[0] = days[0].weekday() <= MOST_CLOSED  # the days before were closed at most
        keep[-1] = keep[-1] and days[-1].weekday() >= 6 - MOST_CLOSED
    return week, keep
