"""What a search is for: a statistic of an outcome over futures and runs, which candidates are best, and what a test says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.statistics import RESAMPLES
from sim.measures import MORE_IS_BETTER
from sim.schema import InvalidInput, nearest
from sim.views.words import outcome_words

STATISTICS = ("mean", "cvar", "regret")
#: Of the best compromises, how many are tested.
MOST_SHOWN = 8


@dataclass(frozen=True)
class Objective:
    """A statistic of an outcome over futures and runs; regret is to be small, the others large.

    Attributes:
        outcome: what it is a statistic of.
        statistic: one of :data:`STATISTICS`.
        tail: share of the worst runs that ``cvar`` is taken over.
        asked: how the user called it.
    """

    outcome: str
    statistic: str
    tail: float = 0.1
    asked: str = ""

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return f"{self.outcome}.{self.statistic}"

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return -1 if self.statistic == "regret" else 1

    def of(self, values: np.ndarray, best: np.ndarray | None = None) -> Any:
        """The statistic of runs [..., futures, replications].

        ``cvar`` is the mean of the worst ``tail`` share of runs (conditional value at risk, Rockafellar & Uryasev 2000);
        ``regret`` the mean over futures of what is missing to the best of the presets' means [futures] and its own.
        """
        if self.statistic == "regret":
            return np.maximum(np.asarray(best) - values.mean(axis=-1), 0.0).mean(axis=-1)
        flat = values.reshape(*values.shape[:-2], -1)
        if self.statistic == "cvar":
            worst = np.sort(flat, axis=-1)[..., : max(1, int(np.ceil(self.tail * flat.shape[-1] - 1e-9)))]
            return np.where(np.isnan(flat).any(axis=-1), np.nan, worst.mean(axis=-1))
        return flat.mean(axis=-1)

    def words(self) -> str:
        """The objective for people."""
        share = f"{self.tail:.0%}"
        kind = {"mean": "mean", "cvar": f"mean of the worst {share} of runs", "regret": "mean regret"}[self.statistic]
        return f"{outcome_words(self.outcome)}, {kind}"


def objective(name: str, outcome: str, tail: float, futures: int) -> Objective:
    """An objective from ``mean`` or ``final_reliance.mean``."""
    of, dot, statistic = name.rpartition(".")
    of = of if dot else outcome
    if statistic not in STATISTICS:
        raise InvalidInput("objectives", name, f"one of {', '.join(STATISTICS)}, or one of them of an outcome, as final_reliance.mean")
    if of not in MORE_IS_BETTER:
        raise InvalidInput("objectives", name, nearest(of, list(MORE_IS_BETTER)))
    if statistic == "regret" and futures < 2:
        raise InvalidInput("objectives", name, "futures=2 or more with it: regret is a matter of several futures")
    return Objective(of, statistic, tail, name)


def best_of(scores: np.ndarray) -> list[int]:
    """The best of candidates with scores [candidates, objectives] of which more is better: one, or compromises that none beats.

    Compromises come by their first score, the highest first; of alike ones the first counts, and of many, :data:`MOST_SHOWN`.
    """
    if scores.shape[1] == 1:
        return [int(np.argmax(scores[:, 0]))]
    beaten = [bool(((scores >= row).all(axis=1) & (scores > row).any(axis=1)).any()) for row in scores]
    front = sorted((k for k in range(len(scores)) if not beaten[k]), key=lambda k: -scores[k, 0])
    front = [k for i, k in enumerate(front) if not any((scores[k] == scores[j]).all() for j in front[:i])]
    return [front[i] for i in np.unique(np.linspace(0, len(front) - 1, MOST_SHOWN).round().astype(int))]


def test_table(
    objectives: Sequence[Objective], names: Sequence[str], presets: int, search: Mapping[str, np.ndarray],
    promised: np.ndarray, test: Mapping[str, np.ndarray], seed: int,
) -> pd.DataFrame:  # fmt: skip
    """What each candidate came to on luck of its own, with 95% bootstrap intervals over futures, or over runs of the only one.

    Args:
        objectives: what was searched for.
        names: candidates: presets, the one that the search began with first, then what was found.
        presets: how many of them are presets.
        search: outcomes of the presets on the luck of the search, [presets, futures, replications] by outcome.
        promised: objectives of what was found, on the luck of the search, [found, objectives].
        test: outcomes of all in the test, [candidates, futures, replications] by outcome.
        seed: of the bootstrap.
    """
    _, futures, replications = next(iter(test.values())).shape
    axis = 2 if futures == 1 else 1
    n = replications if axis == 2 else futures
    draws = np.random.Generator(np.random.SFC64(seed)).integers(0, n, (RESAMPLES, n))
    rows = []
    for index, each in enumerate(objectives):
        runs, before = test[each.outcome], search[each.outcome]
        best = best_means(runs[:presets])
        tested = np.asarray(each.of(runs, best))
        sampled = np.array([each.of(np.take(runs, d, axis=axis), best if axis == 2 else best[d]) for d in draws])  # [RESAMPLES, candidates]
        searched = np.append(each.of(before, best_means(before)), promised[:, index])
        gain_search, gain_test = (each.sign * (x - x[0]) for x in (searched, tested))
        low, high = np.quantile(sampled, (0.025, 0.975), axis=0)
        gain_low, gain_high = np.quantile(each.sign * (sampled - sampled[:, :1]), (0.025, 0.975), axis=0)
        rows += [
            {
                "candidate": name, "objective": each.name, "search": searched[k], "test": tested[k], "test_low": low[k], "test_high": high[k],
                "gain_search": gain_search[k], "gain_test": gain_test[k], "gain_test_low": gain_low[k], "gain_test_high": gain_high[k],
                "optimism": gain_search[k] - gain_test[k],
            }
            for k, name in enumerate(names)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def best_means(values: np.ndarray) -> np.ndarray:
    """The best mean in each future, [futures], of runs [candidates, futures, replications]; a candidate with a failed run is left out."""
    return np.asarray(np.nanmax(values.mean(axis=2), axis=0))
