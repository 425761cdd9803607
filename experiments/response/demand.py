"""Weekly demand of items in brands: read from a file of one's own, or generated; and the defects that are put into it."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.schema import InvalidInput, Record, nearest
from sim.streams import stream
from sim.tables import Table, read_table

#: Purposes of the random streams here; those of :mod:`sim.streams` are below 100.
MARKET, DEFECTS = 100, 101
MOST_ITEMS = 5000
#: A daily file may lack so many days in a row, on which the shop was closed; more is a gap.
MOST_CLOSED = 3
YEAR = 52
#: What a booked quantity is multiplied by while an item is in a local unit of measure: pieces for cases, or cases for pieces.
PACKS = (1 / 12, 1 / 6, 6.0, 12.0)
#: Weeks that an item stays in its local unit of measure, anywhere in history, the newest weeks included.
LOCAL_WEEKS = 26


@dataclass(frozen=True)
class Demand:
    """Clean weekly demand of I items over W weeks.

    Attributes:
        monday: first day of each week, [W].
        items, brands: names; ``brand`` is the place of each item's brand in ``brands``, [I].
        sales: quantity sold, at least 0, [W, I].
        promotion: share of the week's days on which the item was on promotion, [W, I].
        notes: what was done to the file, in words.
    """

    monday: np.ndarray
    items: tuple[str, ...]
    brands: tuple[str, ...]
    brand: np.ndarray
    sales: np.ndarray
    promotion: np.ndarray
    notes: tuple[str, ...] = ()


# --------------------------------------------------------------------------- from a file


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


# --------------------------------------------------------------------------- generated


def generate_demand(seed: int, brands: int = 4, items: int = 96, weeks: int = 208) -> Demand:
    """Hierarchical weekly demand with season, trend, promotions and intermittent items.

    Sales are Poisson draws around a mean that is gamma distributed (negative binomial: overdispersed counts). Its logarithm adds an
    item's level (lognormal between items), a yearly season of the brand and a weaker
    one of the item, a random walk of the item (trend), a persistent shock of the brand (autoregressive), and the lift of the
    promotion. A fifth of the items is asked for in some weeks only. All sizes are judged; the same seed gives the same market.
    """
    rng = stream(seed, MARKET, "demand")
    brand = np.arange(items) * brands // items
    week = np.arange(weeks)[:, None]

    def season(n: int, size: float) -> np.ndarray:
        phase, height = rng.uniform(0, 2 * np.pi, (2, n)), size * rng.gamma(2, 0.5, (2, n))
        return sum(height[k] / (k + 1) * np.sin(2 * np.pi * (k + 1) * week / (365.25 / 7) + phase[k]) for k in (0, 1))

    shock = np.zeros((weeks, brands))
    for t in range(1, weeks):
        shock[t] = 0.8 * shock[t - 1] + 0.06 * rng.standard_normal(brands)
    level = np.log(20) + rng.normal(0, 0.9, items)
    trend = np.cumsum(rng.normal(0, 0.02, (weeks, items)), axis=0)
    start = rng.random((weeks, items)) < rng.uniform(0.03, 0.12, items)
    longer = rng.random((weeks, items)) < 0.5  # every other promotion takes a second week
    promotion = (start | (np.roll(start & longer, 1, axis=0) & (week > 0))).astype(float)
    lift = np.log(1 + rng.gamma(3, 0.3, items))
    size = level + season(brands, 0.25)[:, brand] + season(items, 0.08) + trend + shock[:, brand] + lift * promotion
    spread = rng.uniform(2, 8, items)
    chance = np.where(rng.random(items) < 0.2, rng.uniform(0.3, 0.8, items), 1.0)
    asked = rng.random((weeks, items)) < chance
    sales = asked * rng.poisson(np.exp(size) * rng.gamma(spread, 1 / spread, (weeks, items))).astype(float)
    return Demand(
        np.datetime64("2020-01-06", "D") + 7 * np.arange(weeks),
        tuple(f"B{b + 1}_{i + 1}" for i, b in enumerate(brand)),
        tuple(f"B{b + 1}" for b in range(brands)),
        brand,
        sales,
        promotion,
    )


# --------------------------------------------------------------------------- defects


@dataclass(frozen=True)
class Defects:
    """What is wrong with the data.

    Attributes:
        missing: share of the item-weeks of history that are not there.
        late: the newest so many weeks are not there when the forecast is made.
        mapping: share of items booked under a wrong brand.
        units: share of items of which half a year of history is in a local unit of measure.
        promotions: share of items whose promotions are not known, neither past nor planned.
    """

    missing: float = 0.0
    late: int = 0
    mapping: float = 0.0
    units: float = 0.0
    promotions: float = 0.0


@dataclass(frozen=True)
class Booked:
    """Demand as it stands in the books: what forecasters see.

    Attributes:
        sales: NaN where missing, [W, I].
        promotion: NaN where not known, [W, I].
        brand: place of the brand that each item is booked under, [I], out of ``brands``.
        late: newest weeks that are not there yet when a forecast is made.
    """

    sales: np.ndarray
    promotion: np.ndarray
    brand: np.ndarray
    brands: int
    late: int


def book(demand: Demand, defects: Defects, seed: int) -> Booked:
    """Put defects in.

    Each has a random stream of its own and is nested: what is missing at 10% is missing at 30% too, and the same luck meets
    every combination (common random numbers). The shares of items are met to the nearest item.
    """
    weeks, items = demand.sales.shape
    sales, promotion = demand.sales.copy(), demand.promotion.copy()

    def first(share: float, name: str) -> np.ndarray:
        return stream(seed, DEFECTS, name).permutation(items)[: round(share * items)]

    rng = stream(seed, DEFECTS, "half a year and pack")
    begin, pack = rng.integers(0, weeks - LOCAL_WEEKS + 1, items), rng.choice(PACKS, items)
    for i in first(defects.units, "units"):
        sales[begin[i] : begin[i] + LOCAL_WEEKS, i] *= pack[i]
    sales[stream(seed, DEFECTS, "missing").random((weeks, items)) < defects.missing] = np.nan
    brand, brands = demand.brand.copy(), len(demand.brands)
    away = np.asarray(stream(seed, DEFECTS, "wrong brand").integers(1, brands, items))
    wrong = first(defects.mapping, "mapping")
    brand[wrong] = (brand[wrong] + away[wrong]) % brands
    promotion[:, first(defects.promotions, "promotions")] = np.nan
    return Booked(sales, promotion, brand, brands, defects.late)
