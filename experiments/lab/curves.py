"""Curves of diffusion, and their fits by least squares."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize


class Fit(NamedTuple):
    """A fitted curve: its parameters, and its values at the times fitted to."""

    parameters: tuple[float, ...]
    values: np.ndarray


def bass(t: np.ndarray, m: float, p: float, q: float) -> np.ndarray:
    """Adoption at times t (Bass 1969): of a share m that will ever adopt, by innovation p and imitation q per unit of time."""
    decay = np.exp(-(p + q) * t)
    return m * (1 - decay) / (1 + q / p * decay)


def logistic(t: np.ndarray, m: float, r: float, c: float) -> np.ndarray:
    """Growth at times t towards a level m at rate r, half of it at time c."""
    return m / (1 + np.exp(-r * (t - c)))


def best_fit(
    curve: Callable[..., np.ndarray], t: np.ndarray, y: np.ndarray, starts: Sequence[Any], bounds: Any, evaluations: int
) -> Fit | None:
    """The least-squares fit of a curve to values y [t], the best of some starts; None where none converges.

    Args:
        curve: from times and parameters to values.
        t, y: times and values.
        starts: parameters to begin from.
        bounds: lowest and highest values of the parameters.
        evaluations: most evaluations of the curve per start.
    """
    best, found = np.inf, None
    for start in starts:
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.simplefilter("ignore", optimize.OptimizeWarning)
            try:
                fitted, _ = optimize.curve_fit(curve, t, y, start, bounds=bounds, max_nfev=evaluations)
            except RuntimeError:
                continue
            values = curve(t, *fitted)
        off = float(((values - y) ** 2).sum())
        if off < best:
            best, found = off, Fit(tuple(map(float, fitted)), values)
    return found
