"""Emulators of the model's outputs, history matching with them, and a posterior: functions of arrays over the unit cube.

Craig et al. 1997; Vernon, Goldstein & Bower 2010.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.lab import designs

#: A parameter set is left out where one output is further off than so many standard deviations (Pukelsheim 1994).
IMPLAUSIBLE = 3.0
CHAINS, STEPS = 240, 600
#: Points of the prior at which a posterior is weighed, and draws from them by their weights.
WEIGHED, DRAWN = 1 << 15, 20_000


@dataclass(frozen=True)
class Emulators:
    """A Gaussian process per target, over the unit cube of the fitted parameters.

    Attributes:
        processes: fitted regressors, one per target.
        targets: published values, [targets].
        bound: which of them are lower bounds, [targets].
        discrepancy: standard deviation of what the model cannot be expected to get right, in the targets' unit.
    """

    processes: tuple[Any, ...]
    targets: np.ndarray
    bound: np.ndarray
    discrepancy: float

    @classmethod
    def fit(cls, unit: np.ndarray, outputs: np.ndarray, targets: np.ndarray, bound: np.ndarray, discrepancy: float, seed: int) -> Emulators:
        """Emulators from parameter sets [sets, d] and their outputs [sets, targets]."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        d, processes = unit.shape[1], []
        for j in range(outputs.shape[1]):
            kernel = ConstantKernel(1.0, (0.01, 100)) * Matern(np.full(d, 1.0), (0.2, 20), nu=2.5) + WhiteKernel(0.05, (1e-4, 1))
            process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed % designs.SEEDS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound: a parameter without effect
                processes.append(process.fit(unit, outputs[:, j]))
        return cls(tuple(processes), targets, bound, discrepancy)

    def predict(self, unit: np.ndarray, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each output, [sets, targets]; the deviation holds the noise of a population, too.

        ``noise`` is the share of that noise's variance: organisations of a population over those of the one asked about.
        """
        found = [process.predict(unit, return_std=True) for process in self.processes]
        less = [(1 - noise) * process.kernel_.k2.noise_level * process._y_train_std**2 for process in self.processes]
        return (
            np.column_stack([mean for mean, _ in found]),
            np.column_stack([np.sqrt(np.maximum(spread**2 - v, 1e-12)) for (_, spread), v in zip(found, less, strict=True)]),
        )

    def distance(self, unit: np.ndarray, noise: float = 1.0) -> np.ndarray:
        """How far each output is off its target, in standard deviations of emulator and discrepancy; of a bound, below it, [sets, targets]."""
        mean, spread = self.predict(unit, noise)
        off = (mean - self.targets) / np.sqrt(spread**2 + self.discrepancy**2)
        return np.where(self.bound, np.minimum(off, 0.0), off)

    def again(self, outputs: np.ndarray) -> Emulators:
        """Emulators with the same kernels, of other outputs of the same sets, [sets, targets]."""
        from sklearn.gaussian_process import GaussianProcessRegressor

        made = [
            GaussianProcessRegressor(process.kernel_, optimizer=None, normalize_y=True).fit(process.X_train_, outputs[:, j])
            for j, process in enumerate(self.processes)
        ]
        return replace(self, processes=tuple(made))

    def scores(self, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Logarithm of the likelihood of each target, up to a constant, from predicted outputs and their deviations, [sets, targets]."""
        from scipy.special import log_ndtr

        variance = spread**2 + self.discrepancy**2
        off = mean - self.targets
        return np.where(self.bound, log_ndtr(off / np.sqrt(variance)), -0.5 * (off**2 / variance + np.log(variance)))

    def log_likelihood(self, unit: np.ndarray, noise: float = 1.0) -> np.ndarray:
        """Logarithm of the likelihood of parameter sets, up to a constant, [sets]."""
        return np.asarray(self.scores(*self.predict(unit, noise)).sum(axis=1))


def plausible(emulators: Sequence[Emulators], unit: np.ndarray) -> np.ndarray:
    """Which parameter sets no wave leaves out, [sets]."""
    kept = np.ones(len(unit), bool)
    for emulator in emulators:
        if not kept.any():
            break
        kept[kept] = (np.abs(emulator.distance(unit[kept])) < IMPLAUSIBLE).all(axis=1)
    return kept


def candidates(emulators: Sequence[Emulators], d: int, sets: int, seed: int) -> tuple[np.ndarray, float]:
    """Parameter sets for the next wave among those no wave leaves out, [sets, d], and the share of the prior that these are."""
    from scipy.stats import qmc

    rng = np.random.Generator(np.random.SFC64(seed))
    some = qmc.Sobol(d, rng=rng).random(1 << 14)
    kept = some[plausible(emulators, some)]
    share = len(kept) / len(some)
    if len(kept) < sets:  # little is left: the least implausible, by the latest emulators
        order = np.argsort(np.abs(emulators[-1].distance(some)).max(axis=1), kind="stable")
        kept = some[order[: 2 * sets]]
    return kept[rng.permutation(len(kept))[:sets]], share


def posterior(emulator: Emulators, start: np.ndarray, seed: int, noise: float = 1.0) -> np.ndarray:
    """Draws from the posterior over the unit cube, [CHAINS, d]: the end of as many Metropolis chains, with a uniform prior."""
    rng = np.random.Generator(np.random.SFC64(seed))
    at = start[rng.integers(0, len(start), CHAINS)].copy()
    now = emulator.log_likelihood(at, noise)
    for _ in range(STEPS):
        a, b = rng.integers(0, CHAINS, (2, CHAINS))  # differential evolution: steps as long as the chains lie apart (ter Braak 2006)
        step = (at[a] - at[b]) * 2.38 / np.sqrt(2 * at.shape[1]) * rng.choice([1.0, 0.3], (CHAINS, 1))
        to = at + step + rng.normal(0, 0.005, at.shape)
        inside = ((to > 0) & (to < 1)).all(axis=1)
        then = np.where(inside, emulator.log_likelihood(np.clip(to, 0, 1), noise), -np.inf)
        taken = np.log(rng.random(CHAINS)) < then - now
        at[taken], now[taken] = to[taken], then[taken]
    return at


def mode(emulator: Emulators, draws: np.ndarray, noise: float = 1.0) -> np.ndarray:
    """The mode of a posterior of which draws [draws, d] are given, with a preference for the middle of the prior, [d].

    Of values that the targets do not tell apart the middle one is chosen: the density is multiplied by a normal one around the
    middle, with the standard deviation of the uniform prior.
    """
    from scipy.optimize import minimize

    def cost(unit: np.ndarray) -> float:
        return 0.5 * float((emulator.distance(unit[None], noise) ** 2).sum() + 12 * ((unit - 0.5) ** 2).sum())

    start = min(draws, key=cost)
    return np.asarray(minimize(cost, start, method="L-BFGS-B", bounds=[(0, 1)] * len(start)).x)


def predictive(outputs: np.ndarray, discrepancy: float, seed: int) -> np.ndarray:
    """What the surveys could have said: the posterior's outputs [draws, targets] with the discrepancy that the fit allows, too.

    What the likelihood lets the model be off by is part of what it predicts (Kennedy & O'Hagan 2001): [draws × 1000, targets].
    """
    rng = np.random.Generator(np.random.SFC64(seed))
    return np.asarray((outputs + discrepancy * rng.standard_normal((1000, *outputs.shape))).reshape(-1, outputs.shape[1]))


def prior_points(d: int, seed: int) -> np.ndarray:
    """Points of the prior at which posteriors are weighed, [:data:`WEIGHED`, d]."""
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(d, rng=np.random.Generator(np.random.SFC64(seed))).random(WEIGHED))


def by_weight(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices of points drawn by their weights, from the logarithms of these, [:data:`DRAWN`]."""
    weight = np.exp(score - score.max())
    return rng.choice(len(weight), DRAWN, p=weight / weight.sum())


def left_out(emulator: Emulators, seed: int, noise: float = 1.0) -> np.ndarray:
    """Each target as the others predict it: draws of what a survey could have said, [targets, :data:`DRAWN`].

    The posterior of the other targets, the emulator's uncertainty about it, the survey's noise, and the discrepancy.
    """
    rng = np.random.Generator(np.random.SFC64(seed))
    mean, spread = emulator.predict(prior_points(emulator.processes[0].X_train_.shape[1], seed), noise)
    score = emulator.scores(mean, spread)
    found = []
    for target in range(len(emulator.targets)):
        drawn = by_weight(score.sum(axis=1) - score[:, target], rng)
        sd = np.sqrt(spread[drawn, target] ** 2 + emulator.discrepancy**2)
        found.append(mean[drawn, target] + sd * rng.standard_normal(len(drawn)))
    return np.array(found)


def weighed(emulator: Emulators, seed: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The posterior at points of the prior: draws from it [:data:`DRAWN`, d], and what each predicts of a survey, [:data:`DRAWN`, targets]."""
    rng = np.random.Generator(np.random.SFC64(seed))
    points = prior_points(emulator.processes[0].X_train_.shape[1], seed)
    mean, spread = emulator.predict(points, noise)
    drawn = by_weight(emulator.scores(mean, spread).sum(axis=1), rng)
    sd = np.sqrt(spread[drawn] ** 2 + emulator.discrepancy**2)
    return points[drawn], mean[drawn] + sd * rng.standard_normal(sd.shape)


def coverage(emulator: Emulators, unit: np.ndarray, outputs: np.ndarray, tests: int, seed: int) -> np.ndarray:
    """Simulation-based calibration (Talts et al. 2018): where the true values lie in the posteriors of synthetic populations, [tests, d].

    Each of the first sets, which are draws from the prior, is taken for the truth: what its population came to are the targets, every one of
    them a value, and the emulators are those of all other sets. Returns the share of the posterior below the true value.

    Args:
        emulator: of all sets.
        unit, outputs: all sets, [sets, d], and what they came to, [sets, targets].
        tests: how many of the first sets.
        seed: of the points at which the posterior is weighed.
    """
    points = prior_points(unit.shape[1], seed)
    score = np.zeros((tests, WEIGHED))
    for j in np.flatnonzero(~emulator.bound):
        process = emulator.processes[j]
        inverse = np.linalg.inv(process.kernel_(process.X_train_) + process.alpha * np.eye(len(unit)))
        gain = inverse @ process.kernel_(process.X_train_, points)
        mean, spread = process.predict(points, return_std=True)
        own = inverse.diagonal()[:tests, None]
        # without set k: what remains when its row and column are taken out of the inverse
        middle = mean - process._y_train_std * gain[:tests] * (inverse[:tests] @ process.y_train_)[:, None] / own
        variance = spread**2 + process._y_train_std**2 * gain[:tests] ** 2 / own
        score -= 0.5 * ((outputs[:tests, j, None] - middle) ** 2 / variance + np.log(variance))
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return np.column_stack([(weight * (points[:, d] < unit[:tests, d, None])).sum(axis=1) for d in range(unit.shape[1])])
