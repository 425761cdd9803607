"""Which parameters decide by how much a strategy is ahead, and which conclusions rest on judged ones.

``python -m experiments.sensitivity`` screens all numbers of the model (Morris); ``method=sobol 'over=[…]'`` divides the variance
between a dozen of them. What is analysed is the difference between two strategies with the same luck, ``strategy`` − ``versus``.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import special

from experiments.lab import designs
from experiments.lab.config import main, take
from experiments.lab.designs import Factor
from experiments.lab.paired import check_outcome, crossed, difference, numeric_factors, rival
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.statistics import RESAMPLES, half_width, resampled, share
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.measures import MORE_IS_BETTER
from sim.parameters import RECORDS, Parameters
from sim.schema import InvalidInput
from sim.views.words import amount, outcome_words, strategy_label

METHODS = ("morris", "sobol")
#: From where on a parameter matters. Morris: the whole range moves the outcome by a tenth of its mean size. Sobol: a twentieth of
#: the variance (total index). The lower end of the interval has to be above, and above what luck alone would give.
MATTERS = {"morris": 0.1, "sobol": 0.05}
FEWEST_BLOCKS = 4
SEEDS = designs.SEEDS
SHOWN = 20
MEANINGS = {
    "parameter": "parameter",
    "unit": "unit of the parameter",
    "source": "documented, measured, calibrated or judged: what its value rests on",
    "configured": "its configured value, in its unit",
    "range_low": "lowest value tried, in its unit",
    "range_high": "highest value tried, in its unit",
    "mu_star": "Morris: mean size of the elementary effect, over the whole range, in the outcome's unit",
    "mu": "Morris: mean elementary effect, with its sign",
    "sigma": "Morris: standard deviation of the elementary effects: interactions and curvature",
    "S1": "Sobol: share of the variance that it explains alone",
    "ST": "Sobol: share of the variance with all its interactions",
    "matters": "lower end of the interval of mu_star or ST above the threshold",
    "turns": "share of its moves, all else equal, across which the sign of the difference changes",
    "flipped_low_half": "share of points in the lower half of its range where the strategy that mostly leads is behind",
    "flipped_high_half": "the same in the upper half",
    "concentrates": "those two differ by more than chance (Student, error from a bootstrap over blocks, 5% divided by the number of parameters)",
    "point": "point of the design, both strategies together",
    "value": "what is analysed: the outcome, or the difference between two strategies with the same luck; mean over replications",
    "standard_error": "of that mean",
    "method": "morris or sobol",
    "outcome": "outcome that is analysed",
    "points": "points without a failed run",
    "left_out": "points left out, because one of their block has a failed run",
    "blocks": "trajectories, or base samples with their mixtures, without a failed run",
    "mean": "mean of what is analysed over points",
    "mean_size": "mean of its size",
    "luck": "standard error of a point's mean",
    "threshold": "from here on a parameter matters",
    "ahead": "share of points where the strategy is ahead",
    "behind": "share of points where it is behind",
    "undecided": "share of points where the runs do not decide who is ahead",
}


def sensitivity(values: dict[str, Any]) -> int:
    """Run the design, analyse it, print what decides, write the results folder."""
    settings = take_settings(values)
    method, outcome = take(values, "method", "text"), take(values, "outcome", "text")
    sizes = {
        "trajectories": take(values, "trajectories", "count", FEWEST_BLOCKS, 100_000),
        "levels": take(values, "levels", "count", 2, 1000),
        "samples": take(values, "samples", "count", FEWEST_BLOCKS, 1 << 20),
    }
    replications = take(values, "replications", "count", 1, 1_000_000)
    over, ranges, versus = values.pop("over"), values.pop("ranges"), take(values, "versus", "text")
    if method not in METHODS:
        raise InvalidInput("method", method, "one of " + ", ".join(METHODS))
    base = from_mapping(values)
    made = numeric_factors(over, ranges, base, bool(versus))
    unit = unit_points(method, made, settings.seed, 2 if versus else 1, **sizes)
    points = designs.at_unit(made, unit)
    if versus:
        points = crossed(points, rival(base, values, versus))
    plan = settings.plan(base, points, replications)
    check_points(plan)
    check_outcome(outcome, plan)
    asked = {"kind": method, "ranges": {f.name: [f.low, f.high] for f in made}}
    asked |= {"samples": sizes["samples"]} if method == "sobol" else {key: sizes[key] for key in ("trajectories", "levels")}
    configuration = plan_record(plan, asked, outcome=outcome, versus=versus)
    against = f"{base.strategy.name}{'-' + versus if versus else ''}"
    parts = [method, f"{len(made)}parameters", against, f"{len(unit)}points", f"{replications}x", f"{base.weeks}w"]

    def write(store: Store, plan: Plan) -> None:
        conclude(store, plan, Screening(method, made, unit, sizes["levels"]), base, outcome, bool(versus))

    def report(console: Console, store: Store) -> list[str]:
        if not (store.folder / "figure.png").is_file():
            console.print("Too many points have failed runs: nothing can be said about the parameters.", highlight=False)
            return []
        show(console, store, base.strategy.name, versus, outcome)
        return ["figure.png", "importance.csv", "summary.csv", "points.parquet"]

    return carry_out(Study("sensitivity", parts, plan, configuration, write, report), settings)


# --------------------------------------------------------------------------- design and analysis, in the unit cube


def unit_points(method: str, made: tuple[Factor, ...], seed: int, runs: int, trajectories: int, levels: int, samples: int) -> np.ndarray:
    """Morris trajectories or Saltelli's points in the unit cube, [blocks × (d + 1 or d + 2), d]."""
    if method == "morris" and levels % 2:
        raise InvalidInput("levels", levels, "an even number: Morris' step is half the grid")
    if method == "sobol" and samples & (samples - 1):
        raise InvalidInput("samples", samples, "a power of two, such as 256: a Sobol sequence is balanced only then")
    key, blocks = ("trajectories", trajectories) if method == "morris" else ("samples", samples)
    if (size := blocks * block_size(method, len(made)) * runs) > designs.MOST_POINTS:
        raise InvalidInput(key, blocks, f"at most {designs.MOST_POINTS:,} points, not {size:,}")
    problem = designs.unit_problem(made)
    if method == "morris":
        from SALib.sample import morris

        return morris.sample(problem, trajectories, num_levels=levels, seed=seed % SEEDS)
    from SALib.sample import sobol

    return sobol.sample(problem, samples, calc_second_order=False, seed=seed % SEEDS)


def block_size(method: str, d: int) -> int:
    """Points of a trajectory, or of a base sample with its mixtures: blocks are complete or of no use, and independent."""
    return d + 1 if method == "morris" else d + 2


def analyse(method: str, unit: np.ndarray, y: np.ndarray, levels: int = 4, seed: int = 1) -> pd.DataFrame:
    """Importance of each parameter, with 95% bootstrap intervals.

    Args:
        method: one of :data:`METHODS`.
        unit: points of whole blocks in the unit cube, [points, d].
        y: the analysed quantity, [points].
        levels: of Morris' grid.
        seed: of the bootstrap.

    Returns:
        A row a parameter; Morris (1991; Campolongo et al. 2007): mu_star, mu, sigma; Sobol: S1, ST (Saltelli et al. 2010).
    """
    d = unit.shape[1]
    ends = ("", "_low", "_high")
    bounded = [f"{index}{end}" for index in (("mu_star",) if method == "morris" else ("S1", "ST")) for end in ends]
    names = [*bounded, *(("mu", "sigma") if method == "morris" else ())]
    if np.ptp(y) == 0:
        return pd.DataFrame(np.zeros((d, len(names))), columns=names)
    problem = {"num_vars": d, "names": [str(j) for j in range(d)], "bounds": [[0.0, 1.0]] * d}
    if method == "morris":
        from SALib.analyze import morris

        found = morris.analyze(problem, unit, y, num_resamples=RESAMPLES, num_levels=levels, seed=seed % SEEDS)
    else:
        from SALib.analyze import sobol

        found = sobol.analyze(problem, y, calc_second_order=False, num_resamples=RESAMPLES, seed=seed % SEEDS + 1)  # 0 would mean no seed
    table: dict[str, np.ndarray] = {}
    for index in ("mu_star",) if method == "morris" else ("S1", "ST"):
        estimate, half = np.asarray(found[index], float), np.asarray(found[index + "_conf"], float)
        low = estimate - half if index == "S1" else np.maximum(0.0, estimate - half)
        table |= {index: estimate, f"{index}_low": low, f"{index}_high": estimate + half}
    if method == "morris":
        table |= {index: np.asarray(found[index], float) for index in ("mu", "sigma")}
    return pd.DataFrame(table)


def turning(method: str, unit: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether moving one parameter alone changed the sign of ``y``, once a block: [blocks, d]."""
    d = unit.shape[1]
    x, sign = unit.reshape(-1, block_size(method, d), d), np.sign(y).reshape(-1, block_size(method, d))
    if method == "sobol":
        return sign[:, 1:-1] != sign[:, :1]
    turned = np.zeros((len(x), d), bool)
    moved = np.abs(np.diff(x, axis=1)).argmax(axis=2)
    np.put_along_axis(turned, moved, sign[:, 1:] != sign[:, :-1], axis=1)
    return turned


def halves(unit: np.ndarray, flipped: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of flipped points in the lower and in the upper half of each parameter's range, and whether they differ.

    Points of a block are alike; so blocks are resampled, not points.
    """
    d = unit.shape[1]
    upper = (unit > 0.5).reshape(-1, size, d).astype(float)
    bad = flipped.reshape(-1, size, 1).astype(float)
    sums = np.stack([(upper * bad).sum(1), upper.sum(1), ((1 - upper) * bad).sum(1), (1 - upper).sum(1)])  # [4, blocks, d]
    weights = np.random.Generator(np.random.SFC64(seed)).multinomial(sums.shape[1], np.full(sums.shape[1], 1 / sums.shape[1]), RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        high_bad, high, low_bad, low = sums.sum(axis=1)
        a, b, c, e = (weights @ part for part in sums)
        n = sums.shape[1]
        spread = np.nanstd(a / b - c / e, axis=0) * np.sqrt(n / (n - 1))
        low_share, high_share = low_bad / low, high_bad / high
        differs = np.abs(high_share - low_share) > special.stdtrit(n - 1, 1 - 0.025 / d) * spread
    return low_share, high_share, differs & np.isfinite(low_share) & np.isfinite(high_share)


@dataclass(frozen=True)
class SamplingError:
    """What chance does to a point's mean, and from where on a parameter matters more than that."""

    error: float
    threshold: float


def sampling_error(method: str, outcomes: np.ndarray, levels: int) -> SamplingError:
    """The standard error of points' means (root mean square over points), and the threshold of mattering.

    A parameter that did nothing but shuffle the luck would have elementary effects of two errors' difference, of mean size
    2 error / √π over the step, and a total index of error² / variance.
    """
    means, n = outcomes.mean(axis=1), outcomes.shape[1]
    error = float(np.sqrt(np.mean(outcomes.var(axis=1, ddof=1) / n))) if n > 1 else 0.0
    if method == "morris":
        step = levels / (2 * (levels - 1))
        return SamplingError(error, max(MATTERS[method] * float(np.abs(means).mean()), 2 * error / np.sqrt(np.pi) / step))
    spread = float(means.var())
    return SamplingError(error, max(MATTERS[method], error**2 / spread if spread else 0.0))


# --------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Screening:
    """What was asked: method, parameters, points of whole blocks in the unit cube [points, d], and the levels of Morris' grid."""

    method: str
    made: tuple[Factor, ...]
    unit: np.ndarray
    levels: int

    @property
    def size(self) -> int:
        """Points of a block."""
        return block_size(self.method, len(self.made))


def conclude(store: Store, plan: Plan, asked: Screening, base: Parameters, outcome: str, both: bool) -> None:
    """Write tables and picture; the points only where too few blocks have no failed run."""
    outcomes = difference(store, plan, outcome, both)
    tables = {"points": points_table(asked, outcomes)}
    whole = np.repeat(~np.isnan(outcomes).any(axis=1).reshape(-1, asked.size).any(axis=1), asked.size)
    if whole.sum() < FEWEST_BLOCKS * asked.size:
        write_tables(store, plan, tables, MEANINGS)
        return
    kept = replace(asked, unit=asked.unit[whole])
    importance, summary = importance_of(kept, outcomes[whole], base, both, plan.seed)
    summary |= {"outcome": outcome, "left_out": int((~whole).sum())}
    tables |= {"importance": importance, "summary": pd.DataFrame([summary])}
    write_tables(store, plan, tables, MEANINGS)
    from sim.views.figures.sensitivity import sensitivity_figure

    sensitivity_figure(store.folder)


def points_table(asked: Screening, outcomes: np.ndarray) -> pd.DataFrame:
    """One row per point: its parameters, the mean of what is analysed [points, replications], and its standard error."""
    columns = dict(zip([f.name for f in asked.made], designs.at_unit(asked.made, asked.unit).columns, strict=True))
    table = pd.DataFrame({"point": np.arange(len(asked.unit)), **columns, "value": outcomes.mean(axis=1)})
    if outcomes.shape[1] > 1:
        table["standard_error"] = outcomes.std(axis=1, ddof=1) / np.sqrt(outcomes.shape[1])
    return table


def importance_of(asked: Screening, outcomes: np.ndarray, base: Parameters, both: bool, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per parameter, the most important first; and what holds for all points.

    Args:
        asked: what was asked, with the points of whole blocks only.
        outcomes: what is analysed, [points, replications].
        base: the configured parameters.
        both: whether it is the difference between two strategies, whose sign then says who is ahead.
        seed: of the bootstraps.
    """
    method, made, unit, size = asked.method, asked.made, asked.unit, asked.size
    y, noise = outcomes.mean(axis=1), sampling_error(method, outcomes, asked.levels)
    records = [RECORDS[f.name] for f in made]
    importance = pd.DataFrame(
        {
            "parameter": [f.name for f in made],
            "unit": [record.unit for record in records],
            "source": [record.source for record in records],
            "configured": [float(operator.attrgetter(f.name)(base)) for f in made],
            "range_low": [float(f.low) for f in made],
            "range_high": [float(f.high) for f in made],
        }
    )
    importance = pd.concat([importance, analyse(method, unit, y, asked.levels, seed)], axis=1)
    main_index = "mu_star" if method == "morris" else "ST"
    importance["matters"] = importance[f"{main_index}_low"] > noise.threshold
    summary: dict[str, Any] = {"method": method, "points": len(y), "blocks": len(y) // size, "mean": y.mean(), "mean_size": np.abs(y).mean(),
                               "luck": noise.error, "threshold": noise.threshold}  # fmt: skip
    if both:
        turns = np.array([share(float(column.sum()), len(column)) for column in turning(method, unit, y).T])
        importance["turns"], importance["turns_low"], importance["turns_high"] = turns.T
        leads = float((y > 0).sum()) >= float((y < 0).sum())
        low, high, differs = halves(unit, y < 0 if leads else y > 0, size, seed)
        importance["flipped_low_half"], importance["flipped_high_half"], importance["concentrates"] = low, high, differs
        for key, hit in (("ahead", y > 0), ("behind", y < 0)):
            by_block = hit.reshape(-1, size).mean(axis=1)
            summary[key], summary[f"{key}_low"], summary[f"{key}_high"] = resampled(by_block, np.mean, seed)
        if outcomes.shape[1] > 1:
            summary["undecided"] = (np.abs(y) <= half_width(outcomes)).mean()
    return importance.sort_values(main_index, ascending=False, kind="stable", ignore_index=True), summary


# --------------------------------------------------------------------------- printing


def show(console: Console, store: Store, strategy: str, versus: str, outcome: str) -> None:
    """Print the leading parameters and the findings, from the tables in the folder."""
    importance, summary = pd.read_parquet(store.folder / "importance.parquet"), pd.read_parquet(store.folder / "summary.parquet").iloc[0]
    method = summary["method"]
    what = f"{strategy_label(strategy)} − {strategy_label(versus)}" if versus else strategy_label(strategy)
    table = Table(title=f"What decides {outcome_words(outcome)}, {what}: estimate [95% interval]", title_justify="left")
    table.add_column("parameter", no_wrap=True)
    table.add_column("source", no_wrap=True)
    heads = ("mu*, whole range", "sigma") if method == "morris" else ("total (ST)", "alone (S1)")
    for head in (*heads, *(["moves turn it"] if versus else [])):
        table.add_column(head, justify="right", no_wrap=True)
    for _, row in importance.head(SHOWN).iterrows():
        mark = "•" if row["matters"] else " "
        if method == "morris":
            numbers = [_interval(row, "mu_star", lambda v: amount(outcome, v)), amount(outcome, row["sigma"])]
        else:
            numbers = [_interval(row, index, lambda v: f"{v:.2f}".replace("-", "−")) for index in ("ST", "S1")]
        if versus:
            numbers.append(_interval(row, "turns", "{:.0%}".format))
        table.add_row(f"{mark} {row['parameter']}", row["source"], *numbers)
    console.print(table)
    for line in findings(importance, summary, strategy, versus, outcome):
        console.print(line, highlight=False)


def _interval(row: pd.Series, name: str, words: Any) -> str:
    return f"{words(row[name])} [{words(row[f'{name}_low'])}, {words(row[f'{name}_high'])}]"


def findings(importance: pd.DataFrame, summary: pd.Series, strategy: str, versus: str, outcome: str) -> list[str]:
    """What the tables say, in sentences: who is ahead where, on which parameters that rests, and where it turns."""
    matter = importance[importance["matters"]]
    judged = list(matter.loc[matter["source"] == "judged", "parameter"])
    lines = []
    if versus:
        leads = summary["ahead"] >= summary["behind"]
        first, second = (strategy_label(s) for s in ((strategy, versus) if leads else (versus, strategy)))
        key = "ahead" if leads else "behind"
        part, low, high = summary[key], summary[f"{key}_low"], summary[f"{key}_high"]
        verb = "beats" if outcome in MORE_IS_BETTER else "is above"
        lines.append(
            f"{first} {verb} {second} on {outcome_words(outcome)} in {part:.0%} [{low:.0%}, {high:.0%}] of {summary['points']:,.0f} points"
            + (f"; in {summary['undecided']:.0%} these runs do not decide it" if "undecided" in summary else "")
            + f". On average {strategy_label(strategy)} − {strategy_label(versus)} = {amount(outcome, summary['mean'])}."
        )
    threshold = amount(outcome, summary["threshold"]) if summary["method"] == "morris" else f"{summary['threshold']:.2f} of the variance"
    lines.append(
        f"{len(matter)} of {len(importance)} parameters decide by how much (•: interval above {threshold})"
        + (
            f"; {len(judged)} of them {'is' if len(judged) == 1 else 'are'} judged: {_listed(judged)}."
            if judged
            else "; none of them is judged."
            if len(matter)
            else "."
        )
        + (f" Luck alone moves a point's mean by ±{amount(outcome, summary['luck'])}." if summary["luck"] else "")
    )
    if versus:
        flips = importance[importance["concentrates"]].copy()
        flips["gap"] = (flips["flipped_high_half"] - flips["flipped_low_half"]).abs()
        flips = flips.sort_values("gap", ascending=False, kind="stable").head(6)
        where = [
            f"{row['parameter']} is {'high' if row['flipped_high_half'] > row['flipped_low_half'] else 'low'} "
            f"({max(row['flipped_low_half'], row['flipped_high_half']):.0%} of points there, "
            f"{min(row['flipped_low_half'], row['flipped_high_half']):.0%} in the other half; {row['source']})"
            for _, row in flips.iterrows()
        ]
        if where:
            lines.append(f"{second} is ahead most where {'; '.join(where)}.")
        often = importance[importance["turns"] > 0].sort_values("turns", ascending=False, kind="stable").head(4)
        if len(often):
            each = ", ".join(f"{row['parameter']} ({row['turns']:.0%})" for _, row in often.iterrows())
            lines.append(f"Moved alone, these turn the ranking most often: {each} of their moves.")
    if summary["left_out"]:
        lines.append(f"{summary['left_out']:,.0f} points are left out, because one of them or of their block has a failed run.")
    return lines


def _listed(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


if __name__ == "__main__":
    main("sensitivity", sensitivity)
