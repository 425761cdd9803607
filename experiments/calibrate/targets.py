"""The published numbers that the model is fitted to, and what each of them is in the model.

The model's counterpart of a target is called an output, as in the literature on history matching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.calibrate.surveyed import Surveyed
from sim.parameters import Outcomes


@dataclass(frozen=True)
class Target:
    """A published number, and what it is in the model.

    Attributes:
        name, words, source: what it is and where it stands.
        published: its value, a share.
        bound: whether anything above is as good: what is published is an order, and no value.
    """

    name: str
    published: float
    words: str
    source: str
    bound: bool = False


TARGETS = (
    Target("teams_high", 0.57, "teams of high-maturity organisations that trust and use some AI", "Gartner 2025"),
    Target("teams_low", 0.14, "teams of low-maturity organisations that trust and use some AI", "Gartner 2025"),
    Target("production_high", 0.45, "use cases that high-maturity organisations keep for three years", "Gartner 2025"),
    Target("production_low", 0.20, "use cases that low-maturity organisations keep for three years", "Gartner 2025"),
    Target("not_scaling", 0.65, "organisations that have not begun scaling", "McKinsey 2025"),
    Target("ebit", 0.39, "organisations with positive net value in the past year", "McKinsey 2025"),
    Target(
        "partial_low", 0.5, "partial adoption or purgatory, of low-maturity organisations past the pilot at three years", "article", True
    ),
    Target("partial_middle", 0.5, "the same of middle-maturity organisations", "article", True),
)
#: Their values, [targets].
PUBLISHED = np.array([target.published for target in TARGETS])
#: Which of them are lower bounds, [targets].
BOUND = np.array([target.bound for target in TARGETS])


def outputs_of(
    weekly: Mapping[str, np.ndarray], week: np.ndarray, kept: np.ndarray, partial: np.ndarray, maturity: np.ndarray, p: Surveyed
) -> np.ndarray:
    """What each organisation adds to each output, [organisations, targets]; NaN where it is not asked of it.

    An organisation is seen at a random week of its initiative, all weeks of the stated ages alike: the mean over these weeks.

    Args:
        weekly: ``teams_trust_and_use``, ``units_live`` and ``cumulative_net``, [organisations, weeks recorded].
        week: the recorded weeks.
        kept: share of its use cases, of those begun early enough, that were in production for three years, [organisations].
        partial: what :func:`partial_at` says, [organisations].
        maturity: index into :data:`sim.population.MATURITIES`, [organisations].
        p: whom the surveys asked.
    """
    teams_seen, scaling_seen, ebit_seen = ((week >= low) & (week < high) for low, high in (p.team_weeks, p.scaling_weeks, p.ebit_weeks))
    scaling = np.maximum.accumulate(weekly["units_live"] >= 2, axis=1)  # a unit beyond the pilot has gone live
    a_year = max(1, int(np.searchsorted(week, week[0] + 52)))
    earlier = np.concatenate([np.zeros((len(maturity), a_year)), weekly["cumulative_net"][:, :-a_year]], axis=1)
    teams = weekly["teams_trust_and_use"][:, teams_seen].mean(axis=1)
    columns = {
        "teams_high": np.where(maturity == 2, teams, np.nan),
        "teams_low": np.where(maturity == 0, teams, np.nan),
        "production_high": np.where(maturity == 2, kept, np.nan),
        "production_low": np.where(maturity == 0, kept, np.nan),
        "partial_low": np.where(maturity == 0, partial, np.nan),
        "partial_middle": np.where(maturity == 1, partial, np.nan),
        "not_scaling": 1.0 - scaling[:, scaling_seen].mean(axis=1),
        "ebit": (weekly["cumulative_net"] - earlier > 0)[:, ebit_seen].mean(axis=1),
    }
    return np.column_stack([columns[target.name] for target in TARGETS])


def partial_at(weekly: Mapping[str, np.ndarray], week: np.ndarray, runs: pd.DataFrame, asked: int, outcomes: Outcomes) -> np.ndarray:
    """Whether organisations that are past a pilot are alive and not scaled, 0 or 1, in the week ``asked``; NaN before, [organisations].

    Args:
        weekly: ``reliance`` and ``units_live``, [organisations, weeks recorded].
        week: the recorded weeks.
        runs: ``units`` and ``gate_week``, a row per organisation.
        asked: the week.
        outcomes: where scaled begins.
    """
    at = int(np.searchsorted(week, asked))
    reliance, live = weekly["reliance"][:, at], weekly["units_live"][:, at] / runs["units"].to_numpy(float)
    scaled = (reliance >= outcomes.scaled) & (live >= outcomes.scaled_units)
    past = runs["gate_week"].to_numpy(float) <= asked  # NaN: none was passed
    return np.where(past, (live > 0) & ~scaled, np.nan).astype(float)


def population_outputs(each: np.ndarray, maturity: np.ndarray, p: Surveyed) -> tuple[np.ndarray, np.ndarray]:
    """The outputs of populations [sets, targets] from :func:`outputs_of` [sets, organisations, targets], and their standard errors."""
    share = np.array([p.low, p.middle, p.high])
    of = [each[:, maturity == m] for m in range(3)]
    asked = np.stack([np.isfinite(values).sum(axis=1) for values in of])
    sums = np.stack([np.nansum(values, axis=1) for values in of])
    means = sums / np.maximum(1, asked)
    squares = np.stack([np.nansum((values - mean[:, None]) ** 2, axis=1) for values, mean in zip(of, means, strict=True)])
    errors = squares / np.maximum(1, asked - 1) / np.maximum(1, asked)
    weight = share[:, None, None] * (asked > 0)
    total = weight.sum(axis=0)
    weight = weight / np.where(total > 0, total, np.nan)
    return (means * weight).sum(axis=0), np.sqrt((errors * weight**2).sum(axis=0))
