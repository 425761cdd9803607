"""Who leads in a comparison, by how much, and whether its runs decide it: said here once, for table, picture and report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.schema import InvalidInput
from sim.views.words import millions, strategy_label


class Estimate(NamedTuple):
    """An estimate and its 95% interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, row: Any, *columns: str) -> Estimate:
        """From three columns of a table's row; by default those of ``summary.csv``."""
        return cls(*(float(row[column]) for column in columns or ("estimate", "low", "high")))

    def written(self, write: Callable[[float], str]) -> str:
        """The estimate with its interval, each as ``write`` has it; a dash where it is undefined."""
        return "–" if self.value != self.value else f"{write(self.value)} [{write(self.low)}, {write(self.high)}]"


NOTHING = Estimate(0.0, 0.0, 0.0)
UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Lead:
    """Who leads at a maturity, and by how much more than its rival: of one organisation by mean net value, of a population by how often.

    Attributes:
        best, worth: who, and the mean net value [EUR].
        rival: the best of those that these runs do not tell from it; without any, the next best; empty where one strategy has runs.
        difference: best less rival in runs with the same luck [EUR]; undefined (NaN) where no two runs have the same.
        wins: share of those runs in which best is better.
        same: whether the two came to the same in every one of them.
        often: of a population: probability that it is the best of all compared for an organisation; undefined for one organisation.
        within: of a population: what one organisation gains, or loses, against the rival, in nine of ten [EUR].
    """

    maturity: str
    best: str
    worth: Estimate
    rival: str = ""
    difference: Estimate = NOTHING
    wins: Estimate = NOTHING
    same: bool = False
    often: Estimate = UNDEFINED
    within: tuple[float, float] = (float("nan"), float("nan"))

    @property
    def drawn(self) -> bool:
        """Whether each run is of another organisation."""
        return self.often.value == self.often.value

    @property
    def decided(self) -> bool:
        """Whether it leads beyond chance: the interval of the difference excludes zero, and of a population it is better in more than half."""
        return bool(self.rival) and self.difference.low > 0 and (not self.drawn or self.wins.low > 0.5)

    @property
    def sentence(self) -> str:
        """Who leads, in a line."""
        where, best, rival = f"{self.maturity.capitalize()} maturity", strategy_label(self.best), strategy_label(self.rival)
        if self.same:
            return f"{where}: {best} and {rival} came to the same"
        if self.rival and not self.decided:
            return f"{where}: not decided between {best} and {rival}"
        if self.drawn and self.rival:
            return f"{where}: {best} is best in {self.often.value:.0%} of organisations, by {millions(self.difference.value)} on average"
        earns, most = ("earns", "most") if self.worth.value >= 0 else ("loses", "least")
        return f"{where}: {best} {earns}{f' {most}' if self.rival else ''}, {millions(abs(self.worth.value))} on average"


def read_table(path: Path) -> pd.DataFrame:
    """``summary.csv`` or ``paired.csv`` of a comparison, names as text: a strategy may be called «nan»."""
    names = dict.fromkeys(("maturity", "strategy", "a", "b", "measure", "kind"), str)
    return pd.read_csv(path, dtype=names, na_values=[""], keep_default_na=False)


def leader(summary: pd.DataFrame, paired: pd.DataFrame, maturity: str, best: pd.DataFrame | None = None) -> Lead:
    """Who leads at a maturity, and how it compares with its rival in runs with the same luck.

    Args:
        summary: a row per maturity, strategy and measure, as in ``summary.csv``.
        paired: a row per maturity, pair of strategies and measure, as in ``paired.csv``.
        maturity: one of the maturities compared.
        best: of a population, a row per maturity and strategy, as in ``best.csv``: who is best most often leads then.

    Raises:
        InvalidInput: where no run of the maturity is left.
    """
    net = summary[(summary["maturity"] == maturity) & (summary["measure"] == "net")].set_index("strategy")
    ranked = [str(name) for name in net["estimate"].sort_values(ascending=False, kind="stable").index]
    if not ranked:
        raise InvalidInput("results", maturity, "a comparison with a run that did not fail at every maturity")
    often = UNDEFINED
    if best is not None:
        probable = best[best["maturity"] == maturity].set_index("strategy")
        ranked.sort(key=lambda name: -float(probable["best"].get(name, 0.0)))  # stable: those that are best as often stay by their means
        often = Estimate.of(probable.loc[ranked[0]], "best", "best_low", "best_high") if ranked[0] in probable.index else UNDEFINED
    first = Lead(maturity, ranked[0], Estimate.of(net.loc[ranked[0]]), often=often)
    if len(ranked) < 2:
        return first
    rows = paired[(paired["maturity"] == maturity) & (paired["measure"] == "net")]
    leads = [_against(rows, replace(first, rival=rival)) for rival in ranked[1:]]
    return next((lead for lead in leads if not lead.decided), leads[0])


def _against(rows: pd.DataFrame, lead: Lead) -> Lead:
    """The lead with its difference, from the rows of ``paired.csv`` of one maturity and measure."""
    both = (lead.best, lead.rival)
    of_both = rows[rows["a"].isin(both) & rows["b"].isin(both)]
    if of_both.empty:
        return replace(lead, difference=UNDEFINED, wins=UNDEFINED)
    row = of_both.iloc[0]
    difference, wins = seen_from(lead.best, row)
    ends = [float(row[name]) for name in ("difference_low", "difference_high")] if lead.drawn else [float("nan")] * 2
    within = (ends[0], ends[1]) if row["a"] == lead.best else (-ends[1], -ends[0])
    return replace(lead, difference=difference, wins=wins, same=bool(row["ties"] == row["pairs"]), within=within)


def leaders(summary: pd.DataFrame, paired: pd.DataFrame, maturities: Sequence[str], best: pd.DataFrame | None = None) -> list[Lead]:
    """:func:`leader` at each maturity."""
    return [leader(summary, paired, maturity, best) for maturity in maturities]


def best_of_population(folder: Path) -> pd.DataFrame | None:
    """``best.csv`` of a comparison of many organisations; None where all its runs are of one."""
    return read_table(folder / "best.csv") if (folder / "variance.csv").exists() else None


def seen_from(strategy: str, row: Any) -> tuple[Estimate, Estimate]:
    """Difference and share of wins of a row of ``paired.csv``, from the side of one of its two strategies."""
    difference, wins = Estimate.of(row, "difference", "low", "high"), Estimate.of(row, "a_wins", "a_wins_low", "a_wins_high")
    if row["a"] == strategy:
        return difference, wins
    return Estimate(-difference.value, -difference.high, -difference.low), Estimate(1 - wins.value, 1 - wins.high, 1 - wins.low)
