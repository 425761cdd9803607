"""Measuring: one setting of one replication, by all forecasters; and all of them as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.lab.storage import RUNS
from experiments.response.demand import YEAR, Defects, Demand, book, generate_demand
from experiments.response.forecasters import FORECASTERS
from sim.streams import stream

YEARS = 104  # purpose of the random stream, see experiments.response.demand
LEVELS = ("item", "brand", "total")
SALES = "sales"
#: The defects that the model's response has, with the parameter ``forecast.<coefficient>`` of each; and two that it has not.
FITTED = {"missing": "missing", "late": "late", "mapping": "mapping"}
ALSO = ("units", "promotions")


class Setting(NamedTuple):
    """The defects put in together: name, kind (clean, single, pair, triple or all) and sizes."""

    name: str
    kind: str
    defects: Defects


def settings_of(levels: Mapping[str, Sequence[float]]) -> list[Setting]:
    """Name, kind and defects of every setting: clean; each defect alone; joint ones.

    Of the three defects of the response, every pair at the middle level, and all three at the lowest, middle and highest; all
    five together at the middle. A defect without levels is in none, and then none has all three.
    """
    middle = {name: given[len(given) // 2] for name, given in levels.items()}
    some: list[tuple[str, dict[str, float]]] = [("clean", {})]
    some += [("single", {name: level}) for name, given in levels.items() for level in given]
    fitted = [name for name in FITTED if name in levels]
    some += [("pair", {a: middle[a], b: middle[b]}) for i, a in enumerate(fitted) for b in fitted[i + 1 :]]
    triples = [{name: pick(levels[name]) for name in fitted} for pick in (min, lambda given: given[len(given) // 2], max)]
    some += [("triple", triple) for i, triple in enumerate(triples) if triple not in triples[:i] and len(triple) == len(FITTED)]
    some.append(("all", dict(middle)))
    made = []
    for kind, defects in some:
        name = "+".join(f"{key}{value:g}" for key, value in defects.items()) or "clean"
        made.append(Setting(name, kind, Defects(**defects)))  # type: ignore[arg-type]
    return made


def until(demand: Demand, tested: int, seed: int | None) -> Demand:
    """The file's demand until the end of the weeks tested, drawn with the seed: history, at least two years, and then those weeks."""
    if seed is None:
        return demand
    end = int(stream(seed, YEARS, "end").integers(2 * YEAR + tested, len(demand.sales) + 1))
    return replace(demand, monday=demand.monday[:end], sales=demand.sales[:end], promotion=demand.promotion[:end])


def measured_at(demand: Demand | None, defects: Defects, seed: int, tested: int, refit: int, drawn: bool) -> tuple[np.ndarray, ...]:
    """One setting of one replication: sums of absolute errors by forecaster and item, brand and in total; sales by item.

    A brand's forecast is the sum over the items booked under it, and is held against the sales of the items that are its own.
    The sums of a forecaster that gives a number that is not finite are NaN.
    """
    truth = until(demand, tested, seed if drawn else None) if demand else generate_demand(seed)
    booked = book(truth, defects, seed)
    first = len(truth.sales) - tested
    sales, own, theirs = truth.sales[first:], np.eye(len(truth.brands))[truth.brand], np.eye(len(truth.brands))[booked.brand]
    sums: list[list[np.ndarray]] = [[], [], []]
    for method in FORECASTERS.values():
        forecast = method(booked, first, refit, seed)
        if not np.isfinite(forecast).all():
            forecast = np.full_like(sales, np.nan)
        sums[0].append(np.abs(forecast - sales).sum(axis=0))
        sums[1].append(np.abs(forecast @ theirs - sales @ own).sum(axis=0))
        sums[2].append(np.abs(forecast.sum(axis=1) - sales.sum(axis=1)).sum(axis=0, keepdims=True))
    return (*map(np.stack, sums), sales.sum(axis=0))


class Measurement(NamedTuple):
    """A setting in a replication."""

    setting: Setting
    replication: int


SCHEMA = pa.schema(
    [("setting", pa.string()), ("replication", pa.int64()), ("seed", pa.uint64()), ("level", pa.string()), ("forecaster", pa.string()),
     ("unit", pa.int64()), ("value", pa.float64()), ("error", pa.string())]
)  # fmt: skip


@dataclass(frozen=True)
class ErrorRecorder:
    """How measurements are made, and what is kept: sums of absolute errors, and sales.

    Attributes:
        demand: of a file; None: generated, another market in each replication.
        seed: replication r has seed + r.
        tested: weeks that are forecast.
        refit: weeks between two fits.
        drawn: whether the weeks tested are drawn from the file.
    """

    demand: Demand | None
    seed: int
    tested: int
    refit: int
    drawn: bool

    def run(self, item: Measurement) -> pa.Table:
        """Measure."""
        *errors, sales = measured_at(self.demand, item.setting.defects, self.seed + item.replication, self.tested, self.refit, self.drawn)
        parts = [
            (level, method, row)
            for level, table in zip(LEVELS, errors, strict=True)
            for method, row in zip(FORECASTERS, table, strict=True)
        ]
        return pa.concat_tables([self._rows(item, level, method, row) for level, method, row in [*parts, (SALES, "", sales)]])

    def failed(self, item: Measurement, error: str) -> pa.Table:
        """A measurement that failed: one row without a value."""
        return self._rows(item, "", "", np.array([np.nan]), error)

    def _rows(self, item: Measurement, level: str, method: str, values: np.ndarray, error: str = "") -> pa.Table:
        n = len(values)
        same = [[item.setting.name] * n, [item.replication] * n, [self.seed + item.replication] * n, [level] * n, [method] * n]
        return pa.table([*same, np.arange(n), np.asarray(values, float), [error] * n], schema=SCHEMA)

    def tables(self, results: Sequence[pa.Table]) -> dict[str, pa.Table]:
        """One row per value."""
        return {RUNS: pa.concat_tables(results)}


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        settings: the first is clean.
        absolute: sums of absolute errors by level, [settings, replications, forecasters, items (or brands, or 1)].
        sales: of the items in the weeks tested, [replications, items].
        methods: the forecasters, those that gave finite forecasts in every measurement.
        left_out: in how many measurements each of the others did not.
    """

    settings: tuple[Setting, ...]
    absolute: Mapping[str, np.ndarray]
    sales: np.ndarray
    methods: Sequence[str] = tuple(FORECASTERS)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, runs: pd.DataFrame, settings: Sequence[Setting]) -> Measured:
        """From the rows of the measurements; replications in which one failed are left out, and forecasters that are not finite."""
        bad = set(runs.loc[runs["error"] != "", "replication"])
        rows = runs[~runs["replication"].isin(bad)]
        kept, names = rows["replication"].nunique(), {setting.name: k for k, setting in enumerate(settings)}
        rows = rows.assign(place=rows["setting"].map(names), method=rows["forecaster"].map({m: k for k, m in enumerate(FORECASTERS)}))
        absolute = {}
        for level in LEVELS:
            cell = rows[rows["level"] == level].sort_values(["place", "replication", "method", "unit"], kind="stable")
            absolute[level] = cell["value"].to_numpy().reshape(len(settings), kept, len(FORECASTERS), -1)
        finite = np.isfinite(absolute["total"][..., 0])  # [settings, replications, forecasters]
        good = finite.all(axis=(0, 1))
        left_out = {name: int((~finite[..., k]).sum()) for k, name in enumerate(FORECASTERS) if not good[k]}
        absolute = {level: table[:, :, good] for level, table in absolute.items()}
        sales = rows[(rows["level"] == SALES) & (rows["place"] == 0)].sort_values(["replication", "unit"], kind="stable")
        methods = tuple(name for name in FORECASTERS if name not in left_out)
        return cls(tuple(settings), absolute, sales["value"].to_numpy().reshape(kept, -1), methods, left_out)

    @property
    def names(self) -> list[str]:
        """Names of the settings."""
        return [setting.name for setting in self.settings]

    @property
    def kinds(self) -> np.ndarray:
        """Kinds of the settings."""
        return np.array([setting.kind for setting in self.settings])

    @property
    def replications(self) -> int:
        """Number of replications."""
        return len(self.sales)

    @cached_property
    def defects(self) -> pd.DataFrame:
        """One row per setting, one column per defect."""
        return pd.DataFrame([vars(setting.defects) for setting in self.settings])

    @cached_property
    def in_response(self) -> list[str]:
        """The defects of the response that were put in."""
        return [name for name in FITTED if self.defects[name].any()]

    @cached_property
    def wape(self) -> dict[str, np.ndarray]:
        """Sum of absolute errors ÷ sum of sales by level, [settings, replications, forecasters]."""
        total = self.sales.sum(axis=1)
        return {level: self.absolute[level].sum(axis=3) / total[None, :, None] for level in LEVELS}

    @cached_property
    def relative(self) -> dict[str, np.ndarray]:
        """WAPE ÷ that of the same forecaster and replication on clean data, less 1; same shape."""
        return {level: wape / wape[:1] - 1 for level, wape in self.wape.items()}
