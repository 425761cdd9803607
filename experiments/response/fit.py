"""The response fitted to what was measured: coefficients with bootstrap intervals, and how they hold on what the fit has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize, special

from experiments.lab.statistics import RESAMPLES
from experiments.response.forecasters import MODELS
from experiments.response.measure import ALSO, LEVELS, Measured
from sim.schema import InvalidInput
from sim.streams import stream

BOOTSTRAP = 103  # purpose of the random stream, see experiments.response.demand
#: Items a forecaster must miss: with fewer, some bootstrap sample has none of them, and its relative error no meaning.
FEWEST_MISSED = 10


@dataclass(frozen=True)
class Resamples:
    """Weights of the bootstrap.

    Attributes:
        often: how often each fitted replication is drawn, [resamples, replications].
        weight: how often each item in it, [resamples, replications or 1, items].
    """

    often: np.ndarray
    weight: np.ndarray

    @classmethod
    def draw(cls, fitted: int, items: int, seed: int, nested: bool) -> Resamples:
        """Draw them; ``nested`` where each replication has items of its own, else all have the same, and are resampled together."""
        rng = stream(seed, BOOTSTRAP, "resamples")
        often = rng.multinomial(fitted, np.full(fitted, 1 / fitted), RESAMPLES)
        shape = (RESAMPLES, fitted) if nested else (RESAMPLES, 1)
        return cls(often, rng.multinomial(items, np.full(items, 1 / items), shape).astype(float))

    def half_width(self, drawn: np.ndarray) -> np.ndarray:
        """Half width of 95% intervals from resamples, [resamples, …].

        Student's interval with the bootstrap's standard error, which is corrected for few replications: percentiles of eight
        would be too narrow (Hesterberg 2015).
        """
        n = self.often.shape[1]
        return special.stdtrit(n - 1, 0.975) * np.sqrt(n / (n - 1)) * drawn.std(axis=0)

    def errors(self, absolute: np.ndarray) -> np.ndarray:
        """Absolute errors [settings, fitted replications, items] with items resampled, [resamples, settings, fitted replications]."""
        weight = np.broadcast_to(self.weight, (len(self.often), *absolute.shape[1:]))
        return np.stack([absolute[:, r] @ weight[:, r].T for r in range(absolute.shape[1])], axis=2).transpose(1, 0, 2)


@dataclass(frozen=True)
class Response:
    """The fitted response.

    Attributes:
        measured: what it is fitted to.
        fitted: the first so many replications are fitted, the others held out.
        best: the best forecaster on clean data at item level.
        used: settings that are fitted: single defects and pairs of the response's three; those with three are held out.
        resamples: of the bootstrap.
        coefficients: estimate, lower and upper end of each coefficient, [defects, 3], by forecaster and level, without any bound.
        alone: the same of each defect fitted alone, [1, 3], by forecaster, level and defect.
    """

    measured: Measured
    fitted: int
    best: str
    used: np.ndarray
    resamples: Resamples
    coefficients: dict[tuple[str, str], np.ndarray]
    alone: dict[tuple[str, str, str], np.ndarray]

    @cached_property
    def bounded(self) -> np.ndarray:
        """Coefficients of the best at item level where none is below 0, as the model's are: estimate and interval, [defects, 3].

        Least squares with that bound (Lawson and Hanson 1974) where the estimate without it breaks it. The interval is as wide as
        without the bound, and ends at 0.
        """
        free = self.coefficients[self.best, "item"]
        half, estimate = free[:, 2] - free[:, 0], free[:, 0]
        if not np.isfinite(free).all() or (estimate >= 0).all():
            return np.column_stack([estimate, np.maximum(0.0, free[:, 1]), free[:, 2]])
        relative = self.measured.relative["item"][self.used, : self.fitted, self.measured.methods.index(self.best)]
        estimate, _ = optimize.nnls(self.measured.defects.loc[self.used, self.measured.in_response].to_numpy(float), relative.mean(axis=1))
        return np.column_stack([estimate, np.maximum(0.0, estimate - half), estimate + half])

    @property
    def at_bound(self) -> np.ndarray:
        """Whether the bound holds each coefficient of the best at item level at 0, [defects]."""
        return (self.bounded[:, 0] == 0) & (np.abs(self.coefficients[self.best, "item"][:, 0]) > 1e-9)  # less is rounding

    def predicted(self, name: str) -> np.ndarray:
        """The response fitted at item level, of the best with its bound, in every setting, [settings]."""
        fitted = self.bounded if name == self.best else self.coefficients[name, "item"]
        return self.measured.defects[self.measured.in_response].to_numpy(float) @ fitted[:, 0]

    def ratio(self, name: str) -> tuple[float, float, float]:
        """Clean item-level error of the best forecaster over that of another, with its interval, which ends at 0."""
        clean = [self.measured.absolute["item"][:1, : self.fitted, self.measured.methods.index(n)] for n in (self.best, name)]
        drawn = [(self.resamples.errors(errors)[:, 0] * self.resamples.often).sum(axis=1) for errors in clean]
        estimate, half = float(clean[0].sum() / clean[1].sum()), float(self.resamples.half_width(drawn[0] / drawn[1]))
        return estimate, max(0.0, estimate - half), estimate + half

    def worst(self) -> tuple[str, float, float]:
        """The fitted setting that the response of the best misses by most: its name, what was measured and what is fitted."""
        measured = self.measured.relative["item"][:, : self.fitted, self.measured.methods.index(self.best)].mean(axis=1)
        expected = self.predicted(self.best)
        at = int(np.argmax(np.where(self.used, np.abs(measured - expected), -1.0)))
        return self.measured.names[at], float(measured[at]), float(expected[at])


def fit_response(measured: Measured, fitted: int, seed: int, nested: bool) -> Response:
    """Fit the coefficients to single defects and pairs in the first ``fitted`` replications.

    Intervals are 95% bootstrap intervals over replications and, at item level, items.

    Args:
        measured: what was measured.
        fitted: replications that are fitted; the others are held out.
        seed: of the bootstrap.
        nested: whether each replication has items of its own.
    """
    resamples = Resamples.draw(fitted, measured.absolute["item"].shape[3], seed, nested)
    clean = measured.wape["item"][0, :fitted].mean(axis=0)
    best = min((name for name in MODELS if name in measured.methods), key=lambda name: clean[measured.methods.index(name)])
    used = (measured.defects[list(ALSO)].to_numpy().sum(axis=1) == 0) & np.isin(measured.kinds, ("single", "pair"))
    single = measured.kinds == "single"
    return Response(
        measured, fitted, best, used, resamples,
        {(name, level): coefficients(measured, resamples, name, level, used, measured.in_response) for name in measured.methods for level in LEVELS},
        {
            (name, level, defect): coefficients(measured, resamples, name, level, (measured.defects[defect] > 0).to_numpy() & single, [defect])
            for name in measured.methods for level in LEVELS for defect in (*measured.in_response, *ALSO)
        },
    )  # fmt: skip


def coefficients(measured: Measured, resamples: Resamples, name: str, level: str, rows: np.ndarray, defects: list[str]) -> np.ndarray:
    """Least squares through the origin: estimate, lower and upper end of each coefficient, [defects, 3].

    At item level replications and items are resampled, at the others replications only.
    """
    fitted = resamples.often.shape[1]
    x = np.linalg.pinv(measured.defects.loc[rows, defects].to_numpy(float))  # [defects, settings]
    relative = measured.relative[level][rows, :fitted, measured.methods.index(name)]
    if level == "item":
        errors = measured.absolute["item"][:, :fitted, measured.methods.index(name)]
        drawn = resamples.errors(errors[rows]) / resamples.errors(errors[:1]) - 1
    else:
        drawn = np.broadcast_to(relative, (len(resamples.often), *relative.shape))
    average = (drawn * resamples.often[:, None]).sum(axis=2) / fitted  # the same settings in each: coefficients of the mean
    estimate, half = x @ relative.mean(axis=1), resamples.half_width(average @ x.T)
    return np.column_stack([estimate, estimate - half, estimate + half])


def check_missed(file: str, measured: Measured) -> None:
    """Refuse demand that a forecaster hits exactly without any defect: relative to nothing, no error can be stated.

    Forecasters that are left out are not looked at; where all that compute are, the demand is refused, too.
    """
    if not set(MODELS) & set(measured.methods):
        raise InvalidInput(file or "demand", "no finite forecast of " + ", ".join(MODELS), "demand that one of them can forecast")
    absolute, sales = measured.absolute, measured.sales
    clean = absolute["item"][0] / sales.sum(axis=1)[:, None, None]  # [replications, forecasters, items]
    fewest = int((clean > 1e-9 / clean.shape[2]).sum(axis=2).min())
    if fewest < min(FEWEST_MISSED, clean.shape[2]) or any(
        (level[0].sum(axis=2) / sales.sum(axis=1)[:, None] < 1e-9).any() for level in absolute.values()
    ):
        raise InvalidInput(
            file or "demand", f"{fewest} of {clean.shape[2]} items that every forecaster misses",
            f"{FEWEST_MISSED} or more, or all where there are fewer: relative errors need errors without defects",
        )  # fmt: skip
