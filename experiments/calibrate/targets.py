"""The published numbers that the model is fitted to, and what each of them is in the model.

The model's counterpart of a target is called an output, as in the literature on history matching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.calibrate.population import Population


@dataclass(frozen=True)
class Target:
    """A published number, and what it is in the model."""

    name: str
    published: float
    words: str
    source: str


TARGETS = (
    Target("teams_high", 0.57, "teams of high-maturity organisations that trust and use some AI", "Gartner 2025"),
    Target("teams_low", 0.14, "teams of low-maturity organisations that trust and use some AI", "Gartner 2025"),
    Target("production_high", 0.45, "use cases that high-maturity organisations keep for three years", "Gartner 2025"),
    Target("production_low", 0.20, "use cases that low-maturity organisations keep for three years", "Gartner 2025"),
    Target("not_scaling", 0.65, "organisations that have not begun scaling", "McKinsey 2025"),
    Target("ebit", 0.39, "organisations with positive net value in the past year", "McKinsey 2025"),
)
#: Their values, [targets].
PUBLISHED = np.array([target.published for target in TARGETS])


def outputs_of(weekly: Mapping[str, np.ndarray], week: np.ndarray, kept: np.ndarray, maturity: np.ndarray, p: Population) -> np.ndarray:
    """What each organisation adds to each output, [organisations, targets]; NaN where it is not asked of it.

    An organisation is seen at a random week of its initiative, all weeks of the stated ages alike: the mean over these weeks.

    Args:
        weekly: ``teams_trust_and_use``, ``units_live`` and ``cumulative_net``, [organisations, weeks recorded].
        week: the recorded weeks.
        kept: share of its use cases, of those begun early enough, that were in production for three years, [organisations].
        maturity: index into :data:`experiments.calibrate.population.MATURITIES`, [organisations].
        p: the population.
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
        "not_scaling": 1.0 - scaling[:, scaling_seen].mean(axis=1),
        "ebit": (weekly["cumulative_net"] - earlier > 0)[:, ebit_seen].mean(axis=1),
    }
    return np.column_stack([columns[target.name] for target in TARGETS])


def population_outputs(each: np.ndarray, maturity: np.ndarray, p: Population) -> tuple[np.ndarray, np.ndarray]:
    """The outputs of populations [sets, targets] from :func:`outputs_of` [sets, organisations, targets], and their standard errors."""
    share = np.array([p.low, p.middle, p.high])
    means = np.stack([each[:, maturity == m].mean(axis=1) for m in range(3)])
    errors = np.stack([each[:, maturity == m].var(axis=1, ddof=1) / (maturity == m).sum() for m in range(3)])
    asked = np.isfinite(means[:, :1])
    weight = np.where(asked, share[:, None, None], 0.0)
    weight = weight / np.maximum(weight.sum(axis=0), 1e-300)
    return ((np.nan_to_num(means) * weight).sum(axis=0), np.sqrt((np.nan_to_num(errors) * weight**2).sum(axis=0)))
