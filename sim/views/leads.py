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
    """Who has the best mean net value at a maturity, and by how much more than its rival.

    Attributes:
        best, worth: who, and the mean net value [EUR].
        rival: the best of those that these runs do not tell from it; without any, the next best; empty where one strategy has runs.
        difference: best less rival in runs with the same luck [EUR]; undefined (NaN) where no two runs have the same.
        wins: share of those runs in which best is better.
        same: whether the two came to the same in every one of them.
    """

    maturity: str
    best: str
    worth: Estimate
    rival: str = ""
    difference: Estimate = NOTHING
    wins: Estimate = NOTHING
    same: bool = False

    @property
    def decided(self) -> bool:
        """Whether the interval of the difference excludes zero."""
        return bool(self.rival) and self.difference.low > 0

    @property
    def sentence(self) -> str:
        """Who leads, in a line."""
        where, best, rival = f"{self.maturity.capitalize()} maturity", strategy_label(self.best), strategy_label(self.rival)
        if self.same:
            return f"{where}: {best} and {rival} came to the same"
        if self.rival and not self.decided:
            return f"{where}: not decided between {best} and {rival}"
        earns, most = ("earns", "most") if self.worth.value >= 0 else ("loses", "least")
        return f"{where}: {best} {earns}{f' {most}' if self.rival else ''}, {millions(abs(self.worth.value))} on average"


def read_table(path: Path) -> pd.DataFrame:
    """``summary.csv`` or ``paired.csv`` of a comparison, names as text: a strategy may be called «nan»."""
    names = dict.fromkeys(("maturity", "strategy", "a", "b", "measure", "kind"), str)
    return pd.read_csv(path, dtype=names, na_values=[""], keep_default_na=False)


def leader(summary: pd.DataFrame, paired: pd.DataFrame, maturity: str) -> Lead:
    """Who has the best mean net value at a maturity, and how it compares with its rival in runs with the same luck.

    Args:
        summary: a row per maturity, strategy and measure, as in ``summary.csv``.
        paired: a row per maturity, pair of strategies and measure, as in ``paired.csv``.
        maturity: one of the maturities compared.

    Raises:
        InvalidInput: where no run of the maturity is left.
    """
    net = summary[(summary["maturity"] == maturity) & (summary["measure"] == "net")].set_index("strategy")
    ranked = [str(name) for name in net["estimate"].sort_values(ascending=False, kind="stable").index]
    if not ranked:
        raise InvalidInput("results", maturity, "a comparison with a run that did not fail at every maturity")
    best, worth = ranked[0], Estimate.of(net.loc[ranked[0]])
    if len(ranked) < 2:
        return Lead(maturity, best, worth)
    rows = paired[(paired["maturity"] == maturity) & (paired["measure"] == "net")]
    leads = [_against(rows, Lead(maturity, best, worth, rival)) for rival in ranked[1:]]
    return next((lead for lead in leads if not lead.decided), leads[0])


def _against(rows: pd.DataFrame, lead: Lead) -> Lead:
    """The lead with its difference, from the rows of ``paired.csv`` of one maturity and measure."""
    both = (lead.best, lead.rival)
    of_both = rows[rows["a"].isin(both) & rows["b"].isin(both)]
    if of_both.empty:
        return replace(lead, difference=UNDEFINED, wins=UNDEFINED)
    row = of_both.iloc[0]
    difference, wins = seen_from(lead.best, row)
    return replace(lead, difference=difference, wins=wins, same=bool(row["ties"] == row["pairs"]))


def leaders(summary: pd.DataFrame, paired: pd.DataFrame, maturities: Sequence[str]) -> list[Lead]:
    """:func:`leader` at each maturity."""
    return [leader(summary, paired, maturity) for maturity in maturities]


def seen_from(strategy: str, row: Any) -> tuple[Estimate, Estimate]:
    """Difference and share of wins of a row of ``paired.csv``, from the side of one of its two strategies."""
    difference, wins = Estimate.of(row, "difference", "low", "high"), Estimate.of(row, "a_wins", "a_wins_low", "a_wins_high")
    if row["a"] == strategy:
        return difference, wins
    return Estimate(-difference.value, -difference.high, -difference.low), Estimate(1 - wins.value, 1 - wins.high, 1 - wins.low)
