"""A published number, and what organisations say to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.statistics import clustered, clustered_median, clustered_share, ratio, values_of
from sim.bottleneck import CONSTRAINTS
from sim.measures import CLASSES, MEASURES
from sim.views.words import written

STATISTICS = ("mean", "median", "share")
#: How far an organisation has come, each a share of organisations.
STAGES = ("experimenting", "piloting", "scaling", "scaled")
PAST_PILOT = "past_pilot"
#: What holds the rollout back at the end, each a share of organisations.
BINDS = tuple(f"held_back_by_{name}" for name in (*CONSTRAINTS, "none"))
#: What an organisation is or is not: such a measure has a share, and no mean.
EITHER = tuple(dict.fromkeys((*CLASSES, *STAGES, PAST_PILOT, *BINDS)))
#: Units of measures that are shares.
SHARES = ("0 to 1", "share of planners", "share of teams")

Population = tuple[tuple[str, Any], ...]
#: Shares of populations, which add up to 1.
Mix = tuple[tuple[float, Population], ...]


@dataclass(frozen=True)
class Target:
    """A published number.

    Attributes:
        name, source: what it is and where it stands.
        population: presets and dotted parameters of each member of the mix, sorted by name, with the share of organisations that are so.
        measure: entry of the outcome record, or one of :data:`EITHER`.
        statistic: ``mean``, ``median``, or ``share`` of organisations with ``at_least`` and ``at_most`` so much.
        value, tolerance: in the measure's unit, or a share from 0 to 1; of a ratio, the ratio.
        at_least, at_most: thresholds of a share.
        of: measure that the measure is a part of.
        among: one of :data:`EITHER`; only organisations that are so are asked.
        weight: measure by which organisations count; empty: all alike.
        at_week: weeks after which they are asked, or a range of weeks, each organisation in a random one; None: at the end.
        ratio_to: the population whose statistic this one's is divided by; empty: none.
    """

    name: str
    source: str
    population: Mix
    measure: str
    statistic: str
    value: float
    tolerance: float
    at_least: float = -np.inf
    at_most: float = np.inf
    of: str = ""
    among: str = ""
    weight: str = ""
    at_week: int | tuple[int, int] | None = None
    ratio_to: Mix = ()

    @property
    def in_share(self) -> bool:
        """Whether the statistic is a share of organisations."""
        return self.measure in EITHER or self.statistic == "share"

    @property
    def per_cent(self) -> bool:
        """Whether its value lies from 0 to 1, and is written in per cent."""
        of_one = self.in_share or bool(self.of) or MEASURES[self.measure].unit in SHARES or MEASURES[self.measure].kind == "flag"
        return of_one and not self.ratio_to

    @property
    def money(self) -> bool:
        """Whether its value is in EUR."""
        return not self.per_cent and not self.ratio_to and written(self.measure) == "money"

    @property
    def columns(self) -> set[str]:
        """Measures that it rests on."""
        return {name for name in (self.measure, self.of, self.among, self.weight) if name}

    def asked(self) -> str:
        """What is asked, in words."""
        what = self.measure + (f" ÷ {self.of}" if self.of else "")
        ends = [f"≥ {self.at_least:g}"] if self.at_least > -np.inf else []
        ends += [f"≤ {self.at_most:g}"] if self.at_most < np.inf else []
        said = f"share of organisations, {what}" if self.in_share else f"{self.statistic} of {what}"
        said = " ".join([said, *ends])
        said += f", among {self.among}" if self.among else ""
        said += f", weighted by {self.weight}" if self.weight else ""
        if self.at_week is not None:
            said += f", week {self.at_week}" if isinstance(self.at_week, int) else f", weeks {self.at_week[0]} to {self.at_week[1]}"
        return said + (", ratio" if self.ratio_to else "")

    def values(self, seen: pd.DataFrame) -> np.ndarray:
        """What each row says, [rows]: infinite where a week was never reached, NaN where undefined."""
        if self.measure in EITHER:
            return seen[self.measure].to_numpy(float)
        x = values_of(seen, self.measure)
        if self.of:
            whole = values_of(seen, self.of)
            x = np.divide(x, whole, out=np.full(len(x), np.nan), where=whole > 0)
        if self.statistic == "share":
            x = np.where(np.isnan(x), np.nan, ((x >= self.at_least) & (x <= self.at_most)).astype(float))
        return x

    def known(self, seen: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
        """Values, clusters and weights [rows that have them], how many organisations were asked, and how many have it.

        An organisation that lacks the measure is left out. One that never got to a week got there late: that counts in a median and in
        a share and has no mean.
        """
        if self.among:
            seen = seen[seen[self.among].to_numpy(float) > 0]
        x, weight = self.values(seen), seen["share"].to_numpy(float)
        if self.weight:
            weight = weight * np.nan_to_num(values_of(seen, self.weight))
            x = np.where(weight > 0, x, np.nan)
        has = np.isfinite(x) if self.statistic == "mean" else ~np.isnan(x)
        runs = seen["run"].nunique()
        return x[has], seen["draw"].to_numpy()[has], weight[has], runs, runs - seen.loc[~has, "run"].nunique()

    def of_mix(self, seen: pd.DataFrame, other: pd.DataFrame | None = None) -> tuple[int, int, float, float, float]:
        """How many organisations were asked, how many have it, and the estimate with its 95% interval (NaN without any)."""
        *data, runs, defined = self.known(seen)
        x, draw, weight = data
        if other is not None:
            *others, more, more_defined = self.known(other)
            runs, defined = runs + more, defined + more_defined
            if not len(x) or not len(others[0]):
                return runs, 0, np.nan, np.nan, np.nan
            return runs, defined, *ratio((x, draw, weight), (others[0], others[1], others[2]))
        if not len(x):
            return runs, 0, np.nan, np.nan, np.nan
        if self.in_share:
            return runs, defined, *clustered_share(x, draw, weight)
        if self.statistic == "median":
            return runs, defined, *clustered_median(x, draw, weight)
        estimate, low, high = clustered(x, draw, weight)
        return runs, defined, estimate, *((max(0.0, low), min(1.0, high)) if self.per_cent else (low, high))

    def row(self, seen: pd.DataFrame, other: pd.DataFrame | None = None) -> dict[str, Any]:
        """The target beside what organisations say. What rests on a part of them is within no tolerance.

        Args:
            seen: a row per organisation, or per organisation and week: measures, ``share`` of its member of the mix, ``draw``, ``run``.
            other: the same of those that a ratio is to.
        """
        runs, defined, model, low, high = self.of_mix(seen, other)
        whole = defined == runs > 0
        return {
            "name": self.name, "source": self.source, "measure": self.measure,
            "statistic": "share" if self.in_share else self.statistic, "asked": self.asked(),
            "value": self.value, "tolerance": self.tolerance, "runs": runs, "defined": defined,
            "model": model, "model_low": low, "model_high": high, "off": model - self.value,
            "within": bool(whole and abs(model - self.value) <= self.tolerance),
            "interval_within": bool(whole and max(abs(low - self.value), abs(high - self.value)) <= self.tolerance),
        }  # fmt: skip
