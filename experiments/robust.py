"""Which strategy to choose when the future is not known: regret, and how often each is good enough, over a population of futures.

``python -m experiments.robust`` runs every strategy in every future with the same luck. A future is a point of a Latin hypercube
over the model's parameters, or a line of a CSV file (``futures_file=…``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.lab import designs
from experiments.lab.config import main, take
from experiments.lab.paired import check_outcome, crossed, measured, numeric_factors, rivals
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.statistics import half_width, resampled, share
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.measures import MORE_IS_BETTER
from sim.parameters import Parameters
from sim.presets import available
from sim.schema import InvalidInput, nearest
from sim.views.words import amount, in_words, outcome_words, strategy_label

GOOD_ENOUGH = {"net": 0.0, "final_reliance": 0.5}
TOGETHER = "all together"
MEANINGS = {
    "strategy": "strategy",
    "mean": "mean over futures of the outcome, each future's mean over its runs",
    "worst": "the outcome in the strategy's worst future",
    "regret_mean": "mean over futures of the regret: the best strategy's outcome in a future less this one's, means over runs",
    "regret_p90": "regret that nine futures in ten stay below",
    "regret_max": "largest regret of all futures",
    "regret_held_out": "mean regret where the best strategy is chosen by half of the runs and measured on the other half",
    "regret.best": "share of futures in which it is the best; ties are shared",
    "criterion": "outcome and the least that is good enough, or all of them together",
    "satisfied": "share of futures whose mean over runs is good enough",
    "futures": "futures without a failed run",
    "future": "number of the future",
    "futures.best": "strategy with the best mean",
    "lead": "its mean less the next best's",
    "decided": "the interval of its lead leaves out 0",
}


def robust(values: dict[str, Any]) -> int:
    """Run all strategies in all futures, print regret and satisficing, write the results folder."""
    settings = take_settings(values)
    outcome, futures = take(values, "outcome", "text"), take(values, "futures", "count", 10, 1_000_000)
    replications, path = take(values, "replications", "count", 2, 1_000_000), take(values, "futures_file", "text")
    over, ranges, strategies, enough = (values.pop(key) for key in ("over", "ranges", "strategies", "satisficing"))
    if strategies == "all":
        strategies = available("strategy")
    elif not isinstance(strategies, list):
        raise InvalidInput("strategies", strategies, "all, or a list of strategies such as [integration_first,model_first]")
    strategies = rivals(take({"strategies": strategies}, "strategies", "names"))
    criteria = criteria_of(enough)
    base = from_mapping(values)
    points, asked = futures_of(base, over, ranges, futures, path, settings.seed)
    plan = settings.plan(base, crossed(points, strategies), replications)
    check_points(plan)
    check_outcome(outcome, plan, wins=True)
    for name in criteria:
        check_outcome(name, plan, wins=True)
    configuration = plan_record(plan, asked, outcome=outcome, strategies=list(strategies), satisficing=criteria)
    parts = [f"{len(strategies)}strategies", f"{len(points)}futures", f"{replications}x", f"{base.weeks}w"]

    def write(store: Store, plan: Plan) -> None:
        conclude(store, plan, outcome, strategies, criteria)

    def report(console: Console, store: Store) -> list[str]:
        if not (store.folder / "figure.png").is_file():
            console.print("Every future has a failed run: nothing can be said.", highlight=False)
            return []
        show(console, store, outcome, criteria)
        return ["figure.png", "regret.csv", "satisficing.csv", "futures.csv"]

    return carry_out(Study("robust", parts, plan, configuration, write, report), settings)


def criteria_of(enough: Any) -> dict[str, float]:
    """The least of each outcome that is good enough."""
    enough = GOOD_ENOUGH if enough is None else enough
    if not isinstance(enough, Mapping) or not enough:
        raise InvalidInput("satisficing", enough, "a mapping such as {net: 0, final_reliance: 0.5}: at least so much is good enough")
    for name, least in enough.items():
        if name not in MORE_IS_BETTER:
            raise InvalidInput(f"satisficing.{name}", least, nearest(str(name), list(MORE_IS_BETTER)))
        if isinstance(least, bool) or not isinstance(least, int | float) or not -1e300 < least < 1e300:
            raise InvalidInput(f"satisficing.{name}", least, "a number: at least so much is good enough")
    return {str(name): float(least) for name, least in enough.items()}


def futures_of(base: Parameters, over: Any, ranges: Any, number: int, path: str, seed: int) -> tuple[designs.Points, dict[str, Any]]:
    """The futures, and how they are recorded."""
    if path:
        points = designs.from_file(path, "futures_file")
        for name in points.names:
            if name == "strategy" or name.startswith("strategy."):
                raise InvalidInput(f"{path}, line 1", name, "no column of the strategy: every strategy meets every future")
        return points, {"kind": "file", "points_sha256": designs.digest_of(points), "over": list(points.names)}
    made = numeric_factors(over, ranges, base, True)
    return designs.make("lhs", made, number, 0, seed), {"kind": "lhs", "samples": number, "ranges": {f.name: [f.low, f.high] for f in made}}


# --------------------------------------------------------------------------- analysis


def regrets(values: np.ndarray) -> np.ndarray:
    """Regret by future and strategy [futures, strategies]: the best mean of the future less the strategy's own.

    Args:
        values: outcomes of which more is better, [futures, strategies, replications].
    """
    means = values.mean(axis=2)
    return means.max(axis=1, keepdims=True) - means


def held_out_regrets(values: np.ndarray) -> np.ndarray:
    """Regret where the best is chosen by half of the replications and measured on the other, both ways, [futures, strategies].

    The best of noisy means looks better than it is; so regret against it is too large. This one is free of that, and may be
    below 0 where luck chose wrongly.
    """
    halves = [values[:, :, k::2].mean(axis=2) for k in (0, 1)]
    rows = np.arange(len(values))
    both = [other[rows, chosen.argmax(axis=1)][:, None] - other for chosen, other in ((halves[0], halves[1]), (halves[1], halves[0]))]
    return (both[0] + both[1]) / 2


def conclude(store: Store, plan: Plan, outcome: str, strategies: tuple[str, ...], criteria: dict[str, float]) -> None:
    """Write tables and picture; nothing where every future has a failed run."""
    values = measured(store, plan, outcome, len(strategies))
    good = ~np.isnan(values).any(axis=(1, 2))
    if not good.any():
        return
    whole = values[good]
    futures: Any = {"future": np.flatnonzero(good)}
    for f, column in zip(plan.points.factors[:-1], plan.points.columns[:-1], strict=True):
        kept = column[:: len(strategies)][good]
        futures[f.name] = [f.choices[int(i)] for i in kept] if f.kind == "choice" else kept
    futures = pd.concat([pd.DataFrame(futures), futures_table(whole, strategies, outcome)], axis=1)
    tables = {
        "regret": regret_table(whole, strategies, plan.seed),
        "satisficing": satisfied(store, plan, strategies, criteria, good),
        "futures": futures,
    }
    each = {f"{outcome}_{s}": f"mean of {outcome}" for s in strategies} | {f"regret_{s}": "regret" for s in strategies}
    write_tables(store, plan, tables, MEANINGS | each | {f"futures.{name}": "value of the parameter" for name in plan.points.names})
    from sim.views.figures.robust import robust_figure

    robust_figure(store.folder)


def regret_table(values: np.ndarray, strategies: tuple[str, ...], seed: int) -> pd.DataFrame:
    """One row per strategy, least mean regret first.

    Args:
        values: outcomes of which more is better, [futures, strategies, replications].
        strategies: their names.
        seed: of the bootstraps.
    """
    regret, held_out = regrets(values), held_out_regrets(values)
    best = regret == 0
    weights = best / best.sum(axis=1, keepdims=True)
    rows = []
    for s, strategy in enumerate(strategies):
        row: dict[str, Any] = {"strategy": strategy, "futures": len(values)}
        mine = values[:, s].mean(axis=1)
        for name, per_future, statistic in (
            ("mean", mine, np.mean),
            ("regret_mean", regret[:, s], np.mean),
            ("regret_p90", regret[:, s], lambda x, axis=-1: np.quantile(x, 0.9, axis=axis)),
            ("regret_held_out", held_out[:, s], np.mean),
        ):
            row[name], row[f"{name}_low"], row[f"{name}_high"] = resampled(per_future, statistic, seed)
        row |= {"worst": mine.min(), "regret_max": regret[:, s].max()}
        row["best"], row["best_low"], row["best_high"] = share(float(weights[:, s].sum()), len(values))
        rows.append(row)
    return pd.DataFrame(rows).sort_values("regret_mean", kind="stable", ignore_index=True)


def futures_table(values: np.ndarray, strategies: tuple[str, ...], outcome: str) -> pd.DataFrame:
    """One row per future: the best strategy, its lead over the next, and each strategy's mean and regret; ``values`` as above."""
    rows, order = np.arange(len(values)), np.argsort(-values.mean(axis=2), axis=1, kind="stable")
    ahead, regret = values[rows, order[:, 0]] - values[rows, order[:, 1]], regrets(values)
    return pd.DataFrame(
        {
            "best": [strategies[i] for i in order[:, 0]],
            "lead": ahead.mean(axis=1),
            "decided": ahead.mean(axis=1) > half_width(ahead),
            **{f"{outcome}_{strategy}": values[:, s].mean(axis=1) for s, strategy in enumerate(strategies)},
            **{f"regret_{strategy}": regret[:, s] for s, strategy in enumerate(strategies)},
        }
    )


def satisfied(store: Store, plan: Plan, strategies: tuple[str, ...], criteria: dict[str, float], good: np.ndarray) -> pd.DataFrame:
    """Share of futures whose mean over runs meets each criterion, and all of them, by strategy."""
    meets = {}
    for name, least in criteria.items():
        meets[f"{name} ≥ {least:g}"] = measured(store, plan, name, len(strategies))[good].mean(axis=2) >= least
    if len(criteria) > 1:
        meets[TOGETHER] = np.logical_and.reduce(list(meets.values()))
    rows = [
        (strategy, criterion, len(met), *share(float(met[:, s].sum()), len(met)))
        for s, strategy in enumerate(strategies)
        for criterion, met in meets.items()
    ]
    return pd.DataFrame(rows, columns=["strategy", "criterion", "futures", "satisfied", "satisfied_low", "satisfied_high"])


# --------------------------------------------------------------------------- printing


def show(console: Console, store: Store, outcome: str, criteria: dict[str, float]) -> None:
    """Print regret and satisficing by strategy, least regret first, and what they come to."""
    regret, satisficing, futures = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("regret", "satisficing", "futures"))
    table = Table(title=f"Regret on {outcome_words(outcome)} over {len(futures):,} futures: estimate [95% interval]", title_justify="left")
    table.add_column("strategy", no_wrap=True)
    for head in ("mean", "9 in 10 below", "largest", "is best", "good enough"):
        table.add_column(head, justify="right", no_wrap=True)
    last = satisficing["criterion"].iloc[-1]
    for _, row in regret.iterrows():
        enough = satisficing[(satisficing["strategy"] == row["strategy"]) & (satisficing["criterion"] == last)].iloc[0]
        table.add_row(
            strategy_label(row["strategy"]),
            f"{amount(outcome, row['regret_mean'])} [{amount(outcome, row['regret_mean_low'])}, {amount(outcome, row['regret_mean_high'])}]",
            amount(outcome, row["regret_p90"]),
            amount(outcome, row["regret_max"]),
            f"{row['best']:.0%}",
            f"{enough['satisfied']:.0%}",
        )
    console.print(table)

    def say(text: str) -> None:
        console.print(text, highlight=False)

    say(
        "Good enough: " + ", and ".join(f"{outcome_words(name)} at least {in_words(name, least)}" for name, least in criteria.items()) + "."
    )
    first = regret.iloc[0]
    say(
        f"Least mean regret: {strategy_label(first['strategy'])}. Against the best of each future as half of the runs choose it and the "
        f"other half measure it, its regret is {amount(outcome, first['regret_held_out'])} "
        f"[{amount(outcome, first['regret_held_out_low'])}, {amount(outcome, first['regret_held_out_high'])}]."
    )
    say(f"In {1 - futures['decided'].mean():.0%} of the futures these runs do not decide which strategy is the best.")


if __name__ == "__main__":
    main("robust", robust)
