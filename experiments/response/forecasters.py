"""Forecasters of weekly demand, one week ahead, on data as it is booked: three that compute and the planner's spreadsheet.

All see the same: for week t the sales booked up to week t - 1 - late, blanks where an item-week is missing, promotions
past and planned where they are known, and the brand an item is booked under. Blanks are left out, never taken for zeros.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from experiments.response.demand import YEAR, Booked
from sim.streams import stream

JUDGEMENT = 102  # purpose of the random stream, see experiments.response.demand
#: Smoothing weights tried for each item.
ALPHAS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9])
#: Weeks of history before an error counts for choosing the weight, or a week is learnt from.
WARM_UP = 13
#: Classes into which a feature of the boosted trees is divided.
CLASSES = 63
#: Sales over an item's own mean that the boosted trees learn at most: more is a launch, where the mean is of weeks before it.
MOST_TIMES = 100.0
#: The planner averages so many weeks. Of the forecasts a share is adjusted, by a lognormal factor with this spread and upward bias:
#: 34% to 75% are, upward ones too far, and small ones harm (Fildes et al. 2009); half is taken, and both sizes are judged.
PLANNER_WEEKS, ADJUSTED, ADJUSTMENT, UPWARD = 8, 0.5, 0.2, 0.05


def recent(values: np.ndarray, weeks: int, late: int) -> np.ndarray:
    """Mean of the ``weeks`` newest weeks known when week t is forecast, blanks left out; NaN without any, [W, I]."""
    known = ~np.isnan(values)
    sums, counts = (np.vstack([np.zeros((1, values.shape[1])), np.cumsum(a, axis=0)]) for a in (np.where(known, values, 0.0), known))
    end = np.maximum(0, np.arange(len(values)) - late)  # the newest week known is end - 1
    begin = np.maximum(0, end - weeks)
    with np.errstate(invalid="ignore"):
        return (sums[end] - sums[begin]) / (counts[end] - counts[begin])


def ago(values: np.ndarray, weeks: int) -> np.ndarray:
    """Values of so many weeks ago, NaN before the first, [W, I]."""
    return np.vstack([np.full((min(weeks, len(values)), values.shape[1]), np.nan), values[: max(0, len(values) - weeks)]])


def first_known(*choices: np.ndarray) -> np.ndarray:
    """The first of the values that is there, else 0."""
    result = np.zeros_like(choices[0])
    for values in reversed(choices):
        result = np.where(np.isnan(values), result, values)
    return result


# --------------------------------------------------------------------------- the methods


def seasonal_naive(booked: Booked, first: int, refit: int, seed: int) -> np.ndarray:
    """Sales of the same week a year ago; where that is blank, of the weeks beside it, else of the last quarter."""
    y = booked.sales
    beside = np.stack([ago(y, YEAR - 1), ago(y, YEAR + 1)])
    known = ~np.isnan(beside)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, beside, 0).sum(axis=0) / known.sum(axis=0)
    return first_known(ago(y, YEAR), mean, recent(y, 13, booked.late), recent(y, len(y), booked.late))[first:]


def smoothing(booked: Booked, first: int, refit: int, seed: int) -> np.ndarray:
    """Simple exponential smoothing (Brown 1959), each item's weight chosen by its squared errors so far and anew at every refit.

    A blank week leaves the level as it was. The level begins as the mean of the first quarter.
    """
    y, lag = booked.sales, 1 + booked.late
    weeks, items = y.shape
    levels = np.empty((weeks, len(ALPHAS), items))
    level = np.repeat(first_known(recent(y, WARM_UP, 0)[min(WARM_UP, weeks - 1)])[None], len(ALPHAS), axis=0)
    for t in range(weeks):
        level = np.where(np.isnan(y[t]), level, level + ALPHAS[:, None] * (y[t] - level))
        levels[t] = level
    known = np.cumsum(np.nan_to_num((y[lag:, None] - levels[:-lag]) ** 2)[WARM_UP:], axis=0)  # row t: up to week t + lag + WARM_UP
    forecast = np.empty((weeks - first, items))
    for origin in range(first, weeks, refit):
        best = known[origin - lag - lag - WARM_UP].argmin(axis=0)
        rows = np.arange(origin, min(weeks, origin + refit))
        forecast[rows - first] = levels[rows[:, None] - lag, best, np.arange(items)]
    return forecast


def boosting(booked: Booked, first: int, refit: int, seed: int) -> np.ndarray:
    """One gradient-boosted model of all items (histogram trees of scikit-learn), learnt anew at every refit.

    Learns sales relative to the item's own mean of half a year, weighted by it, with Poisson loss.
    """
    features, scale = inputs(booked)
    weeks, items = booked.sales.shape
    forecast = np.empty((weeks - first, items))
    for origin in range(first, weeks, refit):
        known, ahead = slice(WARM_UP + booked.late, origin - booked.late), slice(origin, min(weeks, origin + refit))
        coded = classes(features[known], features)
        x, y, weight = coded[known].reshape(-1, coded.shape[2]), booked.sales[known].ravel(), scale[known].ravel()
        there = ~np.isnan(y) & (weight > 0)
        model = HistGradientBoostingRegressor(
            loss="poisson", max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=40, l2_regularization=1.0,
            max_bins=CLASSES, early_stopping=False, random_state=0,
        )  # fmt: skip
        with threadpool_limits(1):  # the same sums in the same order, whatever the machine; and workers can be forked
            learnt = np.minimum(y[there] / weight[there], MOST_TIMES)
            model.fit(x[there], learnt, sample_weight=weight[there])
            relative = np.minimum(model.predict(coded[ahead].reshape(-1, coded.shape[2])), learnt.max())
        forecast[origin - first : ahead.stop - first] = relative.reshape(-1, items) * scale[ahead]
    return forecast


def classes(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Features as classes between quantiles of what is known, [W, I, features]; NaN stays, and a feature never known is left out.

    The trees would make such classes themselves, but with weights that takes ten times as long as the trees.
    """
    result = []
    for k in range(values.shape[2]):
        there = known[:, :, k][~np.isnan(known[:, :, k])]
        if len(there):
            cuts = np.unique(np.quantile(there[::5], np.linspace(0, 1, CLASSES + 1)[1:-1]))
            result.append(np.where(np.isnan(values[:, :, k]), np.nan, np.searchsorted(cuts, values[:, :, k])))
    return np.stack(result, axis=2)


def inputs(booked: Booked) -> tuple[np.ndarray, np.ndarray]:
    """What the model learns from, [W, I, features], and each item's scale, [W, I]: lags, rolling means, brand, calendar, promotions."""
    y, late, promotion = booked.sales, booked.late, booked.promotion
    weeks, items = y.shape
    scale = first_known(recent(y, 26, late), recent(y, weeks, late))
    brand = np.eye(booked.brands)[booked.brand]  # [I, brands]

    def of_brand(values: np.ndarray) -> np.ndarray:
        """Brand's sum over the scale of those of its items that are there."""
        known = ~np.isnan(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return ((np.where(known, values, 0) @ brand) / (np.where(known, scale, 0) @ brand))[:, booked.brand]

    year_ago = np.arange(weeks)[:, None] * 2 * np.pi * 7 / 365.25
    promoted, base = (np.nan_to_num(a) for a in (promotion * y, promotion * np.where(np.isnan(y), np.nan, scale)))
    with np.errstate(invalid="ignore", divide="ignore"):
        lift = recent(promoted, weeks, late) / recent(base, weeks, late)
        relative = [
            *(ago(y, 1 + late + k) / scale for k in range(4)),
            *(recent(y, n, late) / scale for n in (4, 8, 13, YEAR)),
            *(ago(y, YEAR + k) / scale for k in (-1, 0, 1) if YEAR + k > late),
            recent(np.where(np.isnan(y), np.nan, y == 0), 13, late),
            np.log(np.maximum(scale, 1e-3)),
        ]
    everywhere = np.ones((1, items))
    calendar = [np.sin(year_ago) * everywhere, np.cos(year_ago) * everywhere, np.sin(2 * year_ago) * everywhere]
    brands = [of_brand(recent(y, 4, late)), of_brand(ago(y, 1 + late)), of_brand(ago(y, YEAR)), booked.brand * np.ones((weeks, 1))]
    promotions = [promotion, ago(promotion, 1), recent(promotion, 4, late), recent(promotion, 26, late), lift]
    features = np.stack([*relative, *calendar, *brands, *promotions], axis=2)
    return np.where(np.isfinite(features), features, np.nan), scale


def moving_average(booked: Booked, first: int, refit: int, seed: int) -> np.ndarray:
    """The planner's spreadsheet before any adjustment: the mean of the newest eight weeks."""
    y = booked.sales
    return first_known(recent(y, PLANNER_WEEKS, booked.late), recent(y, len(y), booked.late))[first:]


def planner(booked: Booked, first: int, refit: int, seed: int) -> np.ndarray:
    """The planner's spreadsheet: a moving average, of which a share is adjusted by judgement (Fildes et al. 2009)."""
    rng = stream(seed, JUDGEMENT, "adjustments")
    shape = booked.sales.shape
    adjusted, z = rng.random(shape) < ADJUSTED, rng.standard_normal(shape)
    factor = np.where(adjusted, np.exp(UPWARD + ADJUSTMENT * z), 1.0)
    return moving_average(booked, first, refit, seed) * factor[first:]


#: The methods by name; each takes what is booked, the first week forecast, weeks between refits and a seed, and gives [weeks, I].
FORECASTERS: dict[str, Callable[[Booked, int, int, int], np.ndarray]] = {
    "seasonal_naive": seasonal_naive,
    "smoothing": smoothing,
    "boosting": boosting,
    "moving_average": moving_average,
    "planner": planner,
}
#: Those among which the best is looked for.
MODELS = ("seasonal_naive", "smoothing", "boosting")
