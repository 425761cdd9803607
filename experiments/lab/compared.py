"""What a comparison of strategies comes to, from its runs: estimates, differences of pairs, who is best how often, and what makes them differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from experiments.lab.statistics import clustered, clustered_share, median, share, values_of, within
from sim.measures import CLASSES, MEASURES, PORTFOLIO

#: Measures compared; of several use cases also how many begin and last.
COMPARED = ("net_104", "net", "final_reliance", "final_teams_trust_and_use", "weeks_to_50")
OF_SEVERAL = (*COMPARED, *PORTFOLIO)


def summarise(runs: pd.DataFrame, maturities: list[str], strategies: list[str], measures: Sequence[str] = COMPARED) -> pd.DataFrame:
    """One row per maturity, strategy and measure: estimate with 95% interval, and of what kind it is."""
    rows = []
    for maturity in maturities:
        for strategy in strategies:
            cell = runs[(runs["maturity"] == maturity) & (runs["strategy"] == strategy)]
            for measure in measures:
                x = values_of(cell, measure)
                if len(x) == 0 or np.isnan(x).any():
                    continue  # net_104 of a shorter horizon is undefined, not 0
                kind, estimate = ("median", median(x)) if MEASURES[measure].censored else ("mean", clustered(x, cell["draw"].to_numpy()))
                if MEASURES[measure].written == "share":  # shares end at 0 and 1, and so do their intervals
                    estimate = (estimate[0], max(0.0, estimate[1]), min(1.0, estimate[2]))
                elif measure in PORTFOLIO:
                    estimate = (estimate[0], max(0.0, estimate[1]), estimate[2])
                rows.append((maturity, strategy, measure, kind, len(x), *estimate, *within(x)))
            n = len(cell)
            rows += [
                (maturity, strategy, f"outcome_{label}", "share", n, *share(float((cell["outcome"] == label).sum()), n), np.nan, np.nan)
                for label in (CLASSES if n else ())
            ]
    return pd.DataFrame(
        rows, columns=["maturity", "strategy", "measure", "kind", "runs", "estimate", "low", "high", "spread_low", "spread_high"]
    )


def pair(runs: pd.DataFrame, maturities: list[str], strategies: list[str], measures: Sequence[str] = COMPARED) -> pd.DataFrame:
    """One row per maturity, pair of strategies and measure.

    ``difference`` is the mean of a - b over runs with the same luck, with its 95% interval, and where it lies in nine of ten pairs; empty
    where a week was never reached. ``a_wins`` is the share of pairs in which a does better (``ties``
    count half). ``variance_ratio`` is the variance an unpaired comparison would have had over the
    paired one's: how many times more runs it would have needed.
    """
    rows = []
    for maturity in maturities:
        for a, b in combinations(strategies, 2):
            left, right = (runs[(runs["maturity"] == maturity) & (runs["strategy"] == s)].set_index("replication") for s in (a, b))
            common = left.index.intersection(right.index)
            for measure in measures:
                x, y = values_of(left.loc[common], measure), values_of(right.loc[common], measure)
                if len(x) == 0 or np.isnan(x).any() or np.isnan(y).any():
                    continue
                draw = left.loc[common, "draw"].to_numpy()
                wins = clustered_share(np.where(x == y, 0.5, x > y if MEASURES[measure].better > 0 else x < y).astype(float), draw)
                difference, ratio = (np.nan,) * 5, np.nan
                if np.isfinite(x).all() and np.isfinite(y).all():
                    difference = (*clustered(x - y, draw), *within(x - y))
                    spread = float(np.var(x - y, ddof=1)) if len(x) > 1 else 0.0
                    ratio = float((np.var(x, ddof=1) + np.var(y, ddof=1)) / spread) if spread > 0 else np.nan
                rows.append((maturity, a, b, measure, len(x), int(np.sum(x == y)), *difference, *wins, ratio))
    compared = ["maturity", "a", "b", "measure", "pairs", "ties"]
    return pd.DataFrame(
        rows,
        columns=[
            *compared,
            "difference",
            "low",
            "high",
            "difference_low",
            "difference_high",
            "a_wins",
            "a_wins_low",
            "a_wins_high",
            "variance_ratio",
        ],
    )


def best_of(runs: pd.DataFrame, maturities: list[str], strategies: list[str]) -> pd.DataFrame:
    """One row per maturity and strategy: how likely it is the best of them for an organisation, and what is lost where it is not."""
    rows = []
    for maturity in maturities:
        net = runs[runs["maturity"] == maturity].pivot(index="replication", columns="strategy", values="net")
        there = [strategy for strategy in strategies if strategy in net]
        net = net[there].dropna()
        if net.empty:
            continue
        draw = runs.drop_duplicates("replication").set_index("replication")["draw"][net.index].to_numpy()
        regret = net.max(axis=1).to_numpy()[:, None] - net.to_numpy()
        best = (regret == 0) / (regret == 0).sum(axis=1, keepdims=True)
        for j, strategy in enumerate(there):
            lost = (float(regret[:, j].mean()), within(regret[:, j])[1])
            rows.append((maturity, strategy, len(net), *clustered_share(best[:, j], draw), *lost))
    return pd.DataFrame(rows, columns=["maturity", "strategy", "runs", "best", "best_low", "best_high", "regret", "regret_high"])


def shares_of_variance(runs: pd.DataFrame, twins: pd.DataFrame, maturities: list[str], strategies: list[str]) -> pd.DataFrame:
    """One row per maturity and strategy, and per strategy that the first is compared with: what of the variance of net value comes whence.

    Components of variance of a nested design, organisations within draws of the parameters (Searle, Casella & McCulloch 1992), and luck from
    organisations to which everything happened twice.
    """
    rows = []
    for maturity in maturities:
        net, again = (r[r["maturity"] == maturity].pivot(index="replication", columns="strategy", values="net") for r in (runs, twins))
        if net.empty:
            continue
        draw = runs[runs["maturity"] == maturity].drop_duplicates("replication").set_index("replication")["draw"]
        of = [(s, net[s].dropna(), again[s].dropna()) for s in strategies if s in net and s in again]
        first = strategies[0]
        of += [
            (f"{first} - {s}", (net[first] - net[s]).dropna(), (again[first] - again[s]).dropna())
            for s, _, _ in of
            if s != first and first in net and first in again
        ]
        rows += [(maturity, name, *_components(y, other, draw)) for name, y, other in of if len(y) > 1]
    return pd.DataFrame(rows, columns=["maturity", "of", "variance", "parameters", "organisation", "luck"])


def _components(y: pd.Series, again: pd.Series, draw: pd.Series) -> tuple[float, float, float, float]:
    """Variance, and its shares of parameters, organisations and luck; NaN where no two organisations share a draw."""
    variance = float(y.var())
    common = y.index.intersection(again.index)
    luck = 0.5 * float(((y[common] - again[common]) ** 2).mean()) if len(common) else np.nan
    groups = y.groupby(draw[y.index].to_numpy())
    size, count = groups.size(), groups.ngroups
    if variance == 0 or count < 2 or len(y) - count < count / 2:  # too few organisations share a draw
        return variance, np.nan, np.nan, min(1.0, luck / variance) if variance else np.nan
    inside = float((groups.var() * (size - 1)).sum() / (len(y) - count))
    between = float((size * (groups.mean() - y.mean()) ** 2).sum() / (count - 1))
    parameters = max(0.0, (between - inside) / ((len(y) - (size**2).sum() / len(y)) / (count - 1)))
    luck = min(luck, inside)
    total = parameters + inside
    return variance, parameters / total, (inside - luck) / total, luck / total
