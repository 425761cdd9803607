"""What the baselines get wrong, from the series of all runs; runs by source (``model`` or a baseline) and strategy."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.baselines.models import BASELINES, SERIES
from experiments.calibrate.surveyed import Surveyed
from experiments.calibrate.targets import BOUND, PUBLISHED, TARGETS, outputs_of, population_outputs
from experiments.lab.statistics import RESAMPLES, mean, share
from sim.parameters import Parameters
from sim.population import MATURITIES

#: Reliance that ends at this share of its highest or below has decayed; a highest below the least counts as nothing to lose.
DECAYED, LEAST = 0.8, 0.02
#: Series by source and strategy, each [seeds, weeks].
Found = Mapping[tuple[str, str], dict[str, np.ndarray]]


def arrays(runs: pd.DataFrame, strategies: list[str]) -> tuple[Found, np.ndarray]:
    """Series by source and strategy, each [seeds, weeks], of the seeds of which no run failed; and these seeds."""
    rows = runs[runs["part"] == "strategies"]
    bad = set(rows.loc[rows["error"] != "", "seed"])
    rows = rows[~rows["seed"].isin(bad)].sort_values(["source", "strategy", "seed", "week"], kind="stable")
    weeks = rows["week"].nunique()
    found = {}
    for (source, strategy), cell in rows.groupby(["source", "strategy"], sort=False):
        found[str(source), str(strategy)] = {name: cell[name].to_numpy().reshape(-1, weeks) for name in SERIES}
    return {(s, k): found[s, k] for s in ("model", *BASELINES) for k in strategies if (s, k) in found}, np.sort(rows["seed"].unique())


def errors(found: Found, strategies: list[str], observed: int) -> pd.DataFrame:
    """One row per baseline, strategy and measure: off the model, with 95% intervals over seeds (Student).

    ``by_week`` is the mean absolute error of adoption over the weeks asked for, per seed. The other measures are of the last week:
    the model's mean, the baseline's less the model's with the same luck, and the mean of its size. Net value counts as seen for
    the weeks that were, and as the baseline has it from then on. ``spread`` is the standard deviation between runs over the
    model's, with a bootstrap interval over seeds; missing where the model's runs do not differ.
    """
    rows = []
    for baseline in BASELINES:
        for strategy in strategies:
            model, said = found["model", strategy], found[baseline, strategy]
            weekly = np.abs(said["reliance"] - model["reliance"])[:, observed:].mean(axis=1)
            rows.append((baseline, strategy, "by_week", *(np.nan,) * 4, *mean(weekly), *(np.nan,) * 3))
            ends = {name: (model[name][:, -1], said[name][:, -1]) for name in ("reliance", "teams")}
            ends["net"] = (model["net"][:, -1], model["net"][:, observed - 1] + said["net"][:, -1] - said["net"][:, observed - 1])
            for name, (a, b) in ends.items():
                rows.append((baseline, strategy, name, float(a.mean()), *mean(b - a), *mean(np.abs(b - a)), *spread_ratio(a, b)))
    columns = ["baseline", "strategy", "measure", "model"]
    columns += [f"{name}{end}" for name in ("off", "absolute", "spread") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def spread_ratio(model: np.ndarray, baseline: np.ndarray) -> tuple[float, float, float]:
    """Standard deviation of a baseline's values over the model's [seeds], with its 95% bootstrap interval; NaN where the model's is 0."""
    if model.std() <= 1e-12:
        return (np.nan,) * 3
    drawn = np.random.Generator(np.random.SFC64(1)).integers(0, len(model), (RESAMPLES, len(model)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = baseline[drawn].std(axis=1) / model[drawn].std(axis=1)
    low, high = np.quantile(ratios[np.isfinite(ratios)], (0.025, 0.975))
    return float(baseline.std() / model.std()), float(low), float(high)


def shows(found: Found, strategies: list[str], p: Parameters) -> pd.DataFrame:
    """Share of runs of each source and strategy that end in partial adoption, on a plateau, decayed, or with a unit retired (Wilson)."""
    rows = []
    for source in ("model", *BASELINES):
        for strategy in strategies:
            reliance, retired = found[source, strategy]["reliance"], found[source, strategy]["units_retired"][:, -1] > 0
            end, before = reliance[:, -1], reliance[:, max(0, reliance.shape[1] - 27)]
            seen = {
                "partial": (end >= p.outcomes.purgatory) & (end < p.outcomes.scaled),
                "plateau": (end > 0.1) & (end < 0.9) & (np.abs(end - before) < 0.05),  # as the pattern of that name
                "decay": (reliance.max(axis=1) >= LEAST) & (end <= DECAYED * reliance.max(axis=1)),
                "retirement": retired,
            }
            for behaviour, happened in seen.items():
                rows.append((source, strategy, behaviour, len(happened), *share(float(happened.sum()), len(happened))))
    return pd.DataFrame(rows, columns=["source", "strategy", "behaviour", "runs", "share", "share_low", "share_high"])


def ranking(found: Found, strategies: list[str], observed: int) -> pd.DataFrame:
    """One row per source and measure: strategies from best to worst by the mean, and in how many pairs and seeds it has the model's order.

    A pair in which the model has no difference is left out; one in which only the baseline has none counts half.
    """
    rows = []
    for measured in ("net", "reliance"):
        last = {}
        for source in ("model", *BASELINES):
            for s in strategies:
                values, model = found[source, s][measured], found["model", s][measured]
                known = model[:, observed - 1] - values[:, observed - 1] if measured == "net" else 0.0
                last[source, s] = values[:, -1] + known
        order = {source: sorted(strategies, key=lambda s: -float(last[source, s].mean())) for source in ("model", *BASELINES)}
        for source in ("model", *BASELINES):
            agreed = []
            for a, b in itertools.combinations(strategies, 2):
                wanted, got = (np.sign(last[of, a] - last[of, b]) for of in ("model", source))
                agreed.append(np.where(wanted == 0, np.nan, np.where(got == 0, 0.5, got == wanted)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a seed in which all strategies end alike
                by_seed = np.nanmean(np.array(agreed), axis=0) if agreed else np.array([np.nan])
            by_seed = by_seed[~np.isnan(by_seed)]
            low, middle, high = (np.nan,) * 3
            if len(by_seed):
                middle, low, high = mean(by_seed)
            as_model = order[source] == order["model"]
            rows.append((source, measured, " > ".join(order[source]), as_model, middle, max(0.0, low), min(1.0, high)))
    return pd.DataFrame(rows, columns=["source", "measure", "order", "as_model", "agreed", "agreed_low", "agreed_high"])


def published(runs: pd.DataFrame, population: Surveyed, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The published numbers as the population of the calibration gives them, with 95% intervals over organisations.

    Returns:
        One row per source and target; and one row per source: its mean distance from the targets, and that less the model's on the
        same organisations, with bootstrap intervals over organisations of each maturity.
    """
    rows = runs[runs["part"] == "population"]
    bad = set(rows.loc[rows["error"] != "", "number"])
    maturity = np.repeat(np.arange(len(MATURITIES)), population.organisations)
    kept = np.array([k for k in range(len(maturity)) if k not in bad])
    drawn = np.random.Generator(np.random.SFC64(seed)).random((RESAMPLES, len(kept)))
    for m in range(len(MATURITIES)):  # an organisation stands for one of its own maturity
        of = np.nonzero(maturity[kept] == m)[0]
        drawn[:, of] = of[(drawn[:, of] * len(of)).astype(int)]
    made, distances = [], {}
    for source in ("model", *BASELINES):
        cell = rows[(rows["source"] == source) & ~rows["number"].isin(bad)].sort_values(["number", "week"], kind="stable")
        week = np.sort(cell["week"].unique())
        named = {"teams_trust_and_use": "teams", "units_live": "units_live", "cumulative_net": "net"}
        weekly = {name: cell[column].to_numpy().reshape(-1, len(week)) for name, column in named.items()}
        survived = cell["survived"].to_numpy().reshape(-1, len(week))[:, 0]
        each = outputs_of(weekly, week, survived, np.full(len(kept), np.nan), maturity[kept], population)
        values, error = population_outputs(each[None], maturity[kept], population)
        off, _ = population_outputs(np.concatenate([each[None], each[drawn.astype(int)]]), maturity[kept], population)
        distances[source] = np.abs(off - PUBLISHED)[:, ~BOUND].mean(axis=1)
        for k, target in enumerate(TARGETS):
            if target.bound:  # of endings simpler models know nothing
                continue
            value, half = float(values[0, k]), 1.96 * float(error[0, k])
            bounds = (max(0.0, value - half), min(1.0, value + half))
            made.append((source, target.name, target.words, target.published, value, *bounds, value - target.published))
    away = []
    for source, values in distances.items():
        more = values - distances["model"]
        ends = [np.quantile(x[1:], (0.025, 0.975)) for x in (values, more)]
        away.append((source, float(values[0]), *map(float, ends[0]), float(more[0]), *map(float, ends[1])))
    columns = ["source", "distance", "distance_low", "distance_high", "more", "more_low", "more_high"]
    targets = pd.DataFrame(made, columns=["source", "target", "words", "published", "value", "value_low", "value_high", "away"])
    return targets, pd.DataFrame(away, columns=columns)


def adoption(found: Found, strategies: list[str]) -> pd.DataFrame:
    """Adoption by source, strategy and week: mean over runs with its 95% interval, and the middle 80% of runs."""
    tables = []
    for source in ("model", *BASELINES):
        for strategy in strategies:
            curves = found[source, strategy]["reliance"]
            middle, half = curves.mean(axis=0), 1.96 * curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
            low, high = np.quantile(curves, (0.1, 0.9), axis=0)
            bounds = {"mean": middle, "mean_low": middle - half, "mean_high": middle + half, "p10": low, "p90": high}
            tables.append(pd.DataFrame({"source": source, "strategy": strategy, "week": np.arange(len(middle)), **bounds}))
    return pd.concat(tables, ignore_index=True)
