"""Which values of the judged parameters agree with the published figures: history matching, then a posterior.

``python -m experiments.calibrate`` runs a population of organisations at parameter sets of a Latin hypercube, emulates each
figure by a Gaussian process, leaves out what cannot be right (Craig et al. 1997; Vernon, Goldstein & Bower 2010), and goes on
with what is left. A posterior is then drawn from the emulators by Metropolis' method, run, and set against the figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments import designs
from experiments.designs import Factor, Points
from experiments.entry import main, take
from experiments.executors import Workers
from experiments.output import digest
from experiments.paired import numeric_factors
from experiments.runner import Plan, execute
from experiments.storage import WEEKS, Store, read_shards
from experiments.study import also_describe, carry_out, check_points, common_settings, plan_of, plan_record, write_dictionary
from sim.parameters import InvalidInput, Maturity, Parameters, from_mapping, nearest
from sim.presets import available, load

MATURITIES = ("low", "middle", "high")
#: Maturity parameters that differ between organisations of one maturity, and whether more of them is better.
VARIED = {"budget": 1, "completeness": 1, "lateness": -1, "mismatch": -1, "fragmentation": -1, "sponsorship": 1, "fit": 1, "trust": 1,
          "readiness": 1, "core": 1}  # fmt: skip
#: A parameter set is left out where one figure is further off than so many standard deviations (Pukelsheim 1994).
IMPLAUSIBLE = 3.0
CHAINS, STEPS = 240, 600


@dataclass(frozen=True)
class Figure:
    """A published figure, and what it is in the model."""

    name: str
    published: float
    words: str
    source: str


FIGURES = (
    Figure("teams_high", 0.57, "teams of high-maturity organisations that trust and use it", "Gartner 2025"),
    Figure("teams_low", 0.14, "teams of low-maturity organisations that trust and use it", "Gartner 2025"),
    Figure("production_high", 0.45, "high-maturity organisations with three years in production", "Gartner 2025"),
    Figure("production_low", 0.20, "low-maturity organisations with three years in production", "Gartner 2025"),
    Figure("not_scaling", 0.65, "organisations that have not begun scaling", "McKinsey 2025"),
    Figure("ebit", 0.39, "organisations with positive net value in the past year", "McKinsey 2025"),
)


@dataclass(frozen=True)
class Population:
    """Organisations that the figures are taken of: assumptions, for the sources publish none."""

    organisations: int
    spread: float
    low: float
    middle: float
    high: float
    mature_weeks: int
    young_weeks: int
    strategies: Mapping[str, float]

    @property
    def size(self) -> int:
        """Organisations in all."""
        return len(MATURITIES) * self.organisations

    def members(self, seed: int) -> pd.DataFrame:
        """The organisations: maturity, strategy, and their own values of :data:`VARIED`.

        An organisation departs from its maturity's preset by a common factor (well or badly run) and one of each parameter,
        which explain half of the variance each.
        """
        rows = []
        names = sorted(self.strategies)
        ends = np.cumsum([self.strategies[name] for name in names])
        for m, maturity in enumerate(MATURITIES):
            rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(m,))))
            place = (rng.permutation(self.organisations) + 0.5) / self.organisations
            common, own = rng.standard_normal(self.organisations), rng.standard_normal((self.organisations, len(VARIED)))
            preset = {**dataclasses.asdict(Maturity()), **load("maturity", maturity)}
            for k in range(self.organisations):
                row: dict[str, Any] = {"maturity": maturity, "strategy": names[int(np.searchsorted(ends, place[k] * ends[-1]))]}
                for j, (name, sign) in enumerate(VARIED.items()):
                    record = designs.RECORDS[f"maturity.{name}"][1]
                    factor = np.exp(sign * self.spread * (common[k] + own[k, j]) / np.sqrt(2))
                    value = float(preset[name])
                    value = value * factor / (1 - value + value * factor) if record.high <= 1 else value * factor
                    row[f"maturity.{name}"] = float(np.clip(value, record.low, record.high))
                rows.append(row)
        return pd.DataFrame(rows)


# --------------------------------------------------------------------------- the figures of a population


def figures_of(weekly: Mapping[str, np.ndarray], week: np.ndarray, survived: np.ndarray, maturity: np.ndarray, p: Population) -> np.ndarray:
    """Each figure's contribution of each organisation, [organisations, figures]; NaN where it is not asked of it.

    An organisation is seen at a random week of its initiative, all weeks up to the stated age alike: the mean over these weeks.

    Args:
        weekly: ``teams_trust_and_use``, ``units_live`` and ``cumulative_net``, [organisations, weeks recorded].
        week: the recorded weeks.
        survived: three years in production, [organisations].
        maturity: index into :data:`MATURITIES`, [organisations].
        p: the population.
    """
    mature, young = week < p.mature_weeks, week < p.young_weeks
    scaling = np.maximum.accumulate(weekly["units_live"] >= 2, axis=1)  # a unit beyond the pilot has gone live
    a_year = max(1, int(np.searchsorted(week, week[0] + 52)))
    earlier = np.concatenate([np.zeros((len(maturity), a_year)), weekly["cumulative_net"][:, :-a_year]], axis=1)
    teams = weekly["teams_trust_and_use"][:, mature].mean(axis=1)
    columns = {
        "teams_high": np.where(maturity == 2, teams, np.nan),
        "teams_low": np.where(maturity == 0, teams, np.nan),
        "production_high": np.where(maturity == 2, survived, np.nan),
        "production_low": np.where(maturity == 0, survived, np.nan),
        "not_scaling": 1.0 - scaling[:, young].mean(axis=1),
        "ebit": (weekly["cumulative_net"] - earlier > 0)[:, young].mean(axis=1),
    }
    return np.column_stack([columns[f.name] for f in FIGURES])


def population_figures(each: np.ndarray, maturity: np.ndarray, p: Population) -> tuple[np.ndarray, np.ndarray]:
    """The figures of populations [sets, figures] from :func:`figures_of` [sets, organisations, figures], and their errors."""
    share = np.array([p.low, p.middle, p.high])
    means = np.stack([each[:, maturity == m].mean(axis=1) for m in range(3)])
    errors = np.stack([each[:, maturity == m].var(axis=1, ddof=1) / (maturity == m).sum() for m in range(3)])
    asked = np.isfinite(means[:, :1])
    weight = np.where(asked, share[:, None, None], 0.0)
    weight = weight / weight.sum(axis=0)
    return (
        (np.nan_to_num(means) * weight).sum(axis=0),
        np.sqrt((np.nan_to_num(errors) * weight**2).sum(axis=0)),
    )


# --------------------------------------------------------------------------- emulators


@dataclass
class Emulators:
    """A Gaussian process a figure, over the unit cube of the fitted parameters."""

    processes: list[Any]

    @classmethod
    def fit(cls, unit: np.ndarray, figures: np.ndarray, errors: np.ndarray, seed: int) -> Emulators:
        """Emulators from parameter sets [sets, d], their figures [sets, figures] and these figures' standard errors."""
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        d, processes = unit.shape[1], []
        for j in range(figures.shape[1]):
            kernel = ConstantKernel(1.0, (0.01, 100)) * Matern(np.full(d, 1.0), (0.2, 20), nu=2.5) + WhiteKernel(0.05, (1e-4, 1))
            process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed)
            processes.append(process.fit(unit, figures[:, j]))
        return cls(processes)

    def predict(self, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each figure, [sets, figures]; the deviation holds the noise of a population, too."""
        found = [process.predict(unit, return_std=True) for process in self.processes]
        return np.column_stack([mean for mean, _ in found]), np.column_stack([spread for _, spread in found])

    def distance(self, unit: np.ndarray, discrepancy: float) -> np.ndarray:
        """How far each figure is off, in standard deviations of emulator and discrepancy, [sets, figures]."""
        mean, spread = self.predict(unit)
        return (mean - TARGETS) / np.sqrt(spread**2 + discrepancy**2)


TARGETS = np.array([f.published for f in FIGURES])


def plausible(emulators: list[Emulators], unit: np.ndarray, discrepancy: float) -> np.ndarray:
    """Which parameter sets no wave leaves out, [sets]."""
    kept = np.ones(len(unit), bool)
    for emulator in emulators:
        kept[kept] = (np.abs(emulator.distance(unit[kept], discrepancy)) < IMPLAUSIBLE).all(axis=1)
    return kept


def posterior(emulator: Emulators, start: np.ndarray, discrepancy: float, seed: int) -> np.ndarray:
    """Draws from the posterior over the unit cube, [CHAINS, d]: the end of as many Metropolis chains, with a uniform prior."""
    rng = np.random.Generator(np.random.SFC64(seed))
    at = start[rng.integers(0, len(start), CHAINS)].copy()

    def fit(unit: np.ndarray) -> np.ndarray:
        mean, spread = emulator.predict(unit)
        variance = spread**2 + discrepancy**2
        return -0.5 * ((mean - TARGETS) ** 2 / variance + np.log(variance)).sum(axis=1)

    now = fit(at)
    for _ in range(STEPS):
        a, b = rng.integers(0, CHAINS, (2, CHAINS))  # differential evolution: steps as long as the chains lie apart (ter Braak 2006)
        step = (at[a] - at[b]) * 2.38 / np.sqrt(2 * at.shape[1]) * rng.choice([1.0, 0.3], (CHAINS, 1))
        to = at + step + rng.normal(0, 0.005, at.shape)
        inside = ((to > 0) & (to < 1)).all(axis=1)
        then = np.where(inside, fit(np.clip(to, 0, 1)), -np.inf)
        taken = np.log(rng.random(CHAINS)) < then - now
        at[taken], now[taken] = to[taken], then[taken]
    return at
