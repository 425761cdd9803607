"""Weekly demand read from a file of one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.response.demand import YEAR, Demand
from sim.names import look_alikes, named
from sim.schema import InvalidInput, Record, nearest
from sim.tables import DATE_ORDERS, Table, read_table, read_text

MOST_ITEMS = 5000
#: A daily file may lack so many days in a row, on which the shop was closed; more is a gap, unless ``closed`` allows it.
MOST_CLOSED = 3
#: Fewest weeks that can be tested.
FEWEST_TESTED = 13
LONG, OPTIONAL = ("date", "item", "quantity"), ("brand", "promotion")
SHARE = Record("number", "share of days on promotion", 0, 1)
#: How a file may be read, by setting.
CHOICES = {"dates": ("iso", *DATE_ORDERS), "blanks": ("refuse", "zero"), "returns": ("refuse", "zero", "net")}
_COLUMN = re.compile(r"(QTY|PROMO)_([^_]+)_(.+)")


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes:
        columns: what a long file calls ``date``, ``item``, ``quantity``, ``brand`` and ``promotion``.
        dates: which number of a date comes first, where it is not the year.
        blanks: whether blanks, and items without a row on a date, are refused or count as 0.
        returns: whether quantities below 0 are refused, count as 0, or are netted within their week.
        closed: days in a row that the file may lack, from 3 to 366.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: str = "iso"
    blanks: str = "refuse"
    returns: str = "refuse"
    closed: int = MOST_CLOSED

    @property
    def order(self) -> str:
        """The order of dates for the reader of tables."""
        return "" if self.dates == "iso" else self.dates


@dataclass(frozen=True)
class Sheet:
    """What a file holds, in the order of its dates.

    Attributes:
        days: ascending, [T]; ``lines`` is the first line of each.
        column: title of the dates.
        brand: brand of each item by the item's name, in order of first appearance.
        quantity, promotion: [T, items]; ``promotion`` is 0 where not known.
        notes: what was understood.
    """

    days: np.ndarray
    lines: np.ndarray
    column: str
    brand: dict[str, str]
    quantity: np.ndarray
    promotion: np.ndarray
    notes: list[str]


def read_demand(path: Path, weeks_needed: int, reading: Reading | None = None) -> Demand:
    """Demand from a text file, wide or long.

    Wide: a line per day or week, ``DATE`` (ascending), ``QTY_<brand>_<item>`` (quantity sold) and where
    promotions are known ``PROMO_<brand>_<item>`` (1 on promotion, else 0, or a share). Long: a line per date and item, ``date``,
    ``item``, ``quantity``, ``brand`` and, where known, ``promotion``, in any order. Days are summed to weeks from Monday; a week
    that the file does not cover from its first to its last day is left out. A day that a daily file lacks counts as closed.

    Raises:
        InvalidInput: naming file, line and column of what cannot be used.
    """
    reading = reading or Reading()
    text = read_text(path)
    sheet = (_long if reading.columns or _is_long(text[0]) else _wide)(path, text, reading)
    step = 7 if len(sheet.days) > 1 and np.diff(sheet.days).min() >= np.timedelta64(7, "D") else 1
    closed = _gaps(path, sheet, step, reading.closed)
    first, week, keep = _weeks(sheet.days, step)
    if (covered := int(keep.sum())) < weeks_needed:
        possible = covered - 2 * YEAR
        remedy = f"; weeks_tested={possible} would do" if possible >= FEWEST_TESTED else ""
        raise InvalidInput(str(path), f"{covered} whole weeks", f"{weeks_needed} whole weeks or more{remedy}")
    sums = np.zeros((2, len(keep), len(sheet.brand)))
    for total, values in zip(sums, (sheet.quantity, sheet.promotion), strict=True):
        np.add.at(total, week, values)
    sales = sums[0][keep]
    notes = list(sheet.notes)
    if (sales < 0).any():
        notes.append(f"{int((sales < 0).sum())} item-weeks with more returned than sold count as 0")
    if closed:
        notes.append(f"{closed} days are not in the file and count as closed")
    brands = tuple(dict.fromkeys(sheet.brand.values()))
    if len(brands) == 1:
        notes.append("one brand, so that none can be wrong: mapping is not measured")
    days_known = np.maximum(np.bincount(week, minlength=len(keep)), 1)
    return Demand(
        (first + 7 * np.arange(len(keep)))[keep],
        tuple(sheet.brand),
        brands,
        np.array([brands.index(brand) for brand in sheet.brand.values()]),
        np.maximum(sales, 0.0),
        (sums[1] / days_known[:, None])[keep],
        tuple(notes),
    )


def _is_long(text: str) -> bool:
    titles = re.split(r"[,;\t| ]", text.lstrip().partition("\n")[0])
    return set(LONG) <= {title.strip('"\r ') for title in titles}


# --------------------------------------------------------------------------- a line per date


def _wide(path: Path, text: tuple[str, str], reading: Reading) -> Sheet:
    table = read_table(path, required=["DATE"], others="keep", text=text)
    quantity, promoted = _columns(path, list(table.titles))
    brand, places = {"_".join(item): item[0] for item in quantity}, list(quantity.values())
    for what, names in (("brands", list(brand.values())), ("items", list(brand))):
        look_alikes(names, f"{what} of {path.name}", table.notes, lambda at: f"{path}, line 1, column {places[at] + 1}")
    days = table.dates("DATE", reading.order)
    if (early := np.flatnonzero(np.diff(days) <= np.timedelta64(0, "D"))).size:
        row = int(early[0]) + 1
        allowed = f"a date after {days[row - 1]}, the line before: each date once, in ascending order"
        raise InvalidInput(table.at(row, "DATE"), table.frame["DATE"].iloc[row], allowed)
    titles = list(table.titles)
    filled, returned, columns = 0, 0, {}
    for title in titles[1:]:
        columns[title], blank, below = _numbers(table, title, title.startswith("PROMO"), reading)
        filled, returned = filled + blank, returned + below
    none = np.zeros(len(days))
    sold = np.column_stack([columns[titles[at]] for at in quantity.values()])
    shares = np.column_stack([columns[titles[promoted[item]]] if item in promoted else none for item in quantity])
    notes = [*table.notes, *([] if promoted else ["the file has no promotions"]), *_done(reading, filled, returned)]
    return Sheet(days, table.lines, "DATE", brand, sold, shares, notes)


def _columns(path: Path, header: list[str]) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """Places of the quantities and of the promotions in a line, by brand and item."""
    where = f"{path}, line 1"
    quantity: dict[tuple[str, str], int] = {}
    promoted: dict[tuple[str, str], int] = {}
    for at, name in enumerate(header[1:], 1):
        match = _COLUMN.fullmatch(name)
        if not match:
            allowed = "QTY_<brand>_<item> or PROMO_<brand>_<item>; for a line per date and item see columns={date: …}"
            raise InvalidInput(f"{where}, column {at + 1}", name, allowed)
        brand, item = (named(f"{where}, column {at + 1}", part) for part in (match[2], match[3]))
        (quantity if match[1] == "QTY" else promoted)[brand, item] = at
    for sold, at in promoted.items():
        if sold not in quantity:
            known = ["QTY_" + "_".join(known) for known in quantity]
            raise InvalidInput(f"{where}, column {at + 1}", header[at], "a promotion of an item sold here; " + nearest(header[at], known))
    _check_items(where, len(quantity), len({brand for brand, _ in quantity}))
    return quantity, promoted


def _check_items(where: str, items: int, brands: int) -> None:
    if not brands < items <= MOST_ITEMS:
        raise InvalidInput(where, f"{items} items of {brands} brands", f"a brand with two items or more, and at most {MOST_ITEMS:,} items")


def _numbers(table: Table, name: str, share: bool, reading: Reading) -> tuple[np.ndarray, int, int]:
    """A column's numbers, how many blanks were filled, and how many returns there are."""
    lowest = 0.0 if reading.returns == "refuse" else -1e12
    record, allowed = Record("number", "quantity sold", lowest, 1e12), f"a quantity from {lowest:g} to 1e12; 0 where nothing was sold"
    if share:
        record, allowed = (SHARE, "1 on promotion, 0 else, or a share")
    elif reading.returns == "refuse":
        allowed += "; quantities below 0 need returns=zero or returns=net"
    values = table.numbers(name, record, allowed)
    blank = np.isnan(values)
    if blank.any() and reading.blanks == "refuse":
        raise InvalidInput(table.at(int(np.argmax(blank)), name), "", f"{allowed}; blanks=zero takes blanks as 0")
    values = np.where(blank, 0.0, values)
    returned = int((values < 0).sum())
    return np.maximum(values, 0.0) if reading.returns == "zero" else values, int(blank.sum()), returned


def _done(reading: Reading, filled: int, returned: int) -> list[str]:
    """What was done on request, in words."""
    became = "count as 0" if reading.returns == "zero" else "are netted within their week"
    return [
        *([f"dates {reading.dates.replace('_', ' ')}"] if reading.order else []),
        *([f"{filled:,} blanks count as 0"] if filled else []),
        *([f"{returned:,} returns {became}"] if returned else []),
    ]


# --------------------------------------------------------------------------- a line per date and item


def _long(path: Path, text: tuple[str, str], reading: Reading) -> Sheet:
    table = read_table(path, reading.columns, required=LONG, optional=OPTIONAL, text=text)
    if not len(table):
        raise InvalidInput(str(path), "no rows", "a row for each date and item")
    days, items = table.dates("date", reading.order), table.names("item")
    brands = table.names("brand") if "brand" in table else ["all"] * len(items)
    _check_names(table, "brand", brands)
    _check_names(table, "item", items)
    brand = _brand_of(table, items, brands)
    _check_items(str(path), len(brand), len(set(brand.values())))
    names = {item: at for at, item in enumerate(brand)}
    dates, lines, day = np.unique(days, return_index=True, return_inverse=True)
    item = np.array([names[name] for name in items])
    again = pd.Series(day * len(brand) + item).duplicated().to_numpy()
    if again.any():
        row = int(np.argmax(again))
        before = table.lines[np.flatnonzero((day == day[row]) & (item == item[row]))[0]]
        raise InvalidInput(table.at(row, "date"), f"{days[row]}, {items[row]}", f"each item once on a date; line {before} has it")
    sold, filled, returned = _numbers(table, "quantity", False, reading)
    absent = len(dates) * len(brand) - len(items)
    if absent and reading.blanks == "refuse":
        there = np.zeros((len(dates), len(brand)), bool)
        there[day, item] = True
        at, lacking = np.argwhere(~there)[0]
        where, allowed = f"{path}, {dates[at]}", "a row for every item on every date; blanks=zero takes what is absent as 0"
        raise InvalidInput(where, f"no row of {list(brand)[lacking]}", allowed)
    quantity, promotion = np.zeros((2, len(dates), len(brand)))
    quantity[day, item] = sold
    notes = [f"a row for each date and item: {len(items):,} rows, dates from {dates[0]} to {dates[-1]}"]
    if "promotion" in table:
        promotion[day, item], blank, _ = _numbers(table, "promotion", True, reading)
        filled += blank
    else:
        notes.append("the file has no promotions")
    notes = [*table.notes, *notes, *_done(reading, filled + absent, returned)]
    return Sheet(dates, table.lines[lines], table.titles["date"], brand, quantity, promotion, notes)


def _check_names(table: Table, column: str, names: list[str]) -> None:
    """Refuse or note names that look alike, each looked at once."""
    once = list(dict.fromkeys(names))
    look_alikes(once, f"{column}s of {table.path.name}", table.notes, lambda at: table.at(names.index(once[at]), column))


def _brand_of(table: Table, items: list[str], brands: list[str]) -> dict[str, str]:
    """Brand of each item, in order of first appearance; refuses an item under two."""
    brand: dict[str, str] = {}
    for row, (item, name) in enumerate(zip(items, brands, strict=True)):
        if brand.setdefault(item, name) != name:
            raise InvalidInput(table.at(row, "brand"), name, f"{brand[item]}, the brand of {item} on the lines before")
    return brand


# --------------------------------------------------------------------------- weeks


def _gaps(path: Path, sheet: Sheet, step: int, most: int) -> int:
    """Days that a file lacks; refuses gaps."""
    gaps = np.diff(sheet.days).astype(int)
    lacking = gaps - step
    wrong = (lacking > most) | ((lacking % 7 > 0) if step == 7 else False)
    if wrong.any():
        at = int(np.argmax(wrong))
        allowed = "a line every 7 days" if step == 7 else f"no more than {most} days missing in a row"
        key = f"{path}, line {sheet.lines[at + 1]}, column {sheet.column}"
        remedy = f"; closed={lacking[at]} takes them as closed" if most < lacking[at] <= 366 and (step == 1 or lacking[at] % 7 == 0) else ""
        raise InvalidInput(key, f"{sheet.days[at + 1]}, {gaps[at]} days after {sheet.days[at]}", allowed + remedy)
    return int(lacking.sum())


def _weeks(days: np.ndarray, step: int) -> tuple[np.datetime64, np.ndarray, np.ndarray]:
    """The first Monday, the week of each line counted from it, and which weeks the file covers whole."""
    if not len(days):
        return np.datetime64("1970-01-05", "D"), np.zeros(0, int), np.zeros(0, bool)
    number = days.astype(int) + 3  # 1970-01-01 was a Thursday
    monday = days[0] - number[0] % 7
    week = (days - monday).astype(int) // 7
    keep = np.ones(int(week[-1]) + 1, bool)
    if step == 1:
        keep[0] = number[0] % 7 <= MOST_CLOSED  # the days before were closed at most
        keep[-1] = keep[-1] and number[-1] % 7 >= 6 - MOST_CLOSED
    return monday, week, keep
