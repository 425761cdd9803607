"""Weekly demand of items in brands: what it is, generated, and the defects that are put into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.streams import stream

#: Purposes of the random streams here; those of :mod:`sim.streams` are below 100.
MARKET, DEFECTS = 100, 101
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
    every combination (common random numbers). The shares of items are met to the nearest item. With one brand ``mapping`` must be 0.
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
    wrong = first(defects.mapping, "mapping")
    if len(wrong):  # which takes two brands
        away = np.asarray(stream(seed, DEFECTS, "wrong brand").integers(1, brands, items))
        brand[wrong] = (brand[wrong] + away[wrong]) % brands
    promotion[:, first(defects.promotions, "promotions")] = np.nan
    return Booked(sales, promotion, brand, brands, defects.late)
