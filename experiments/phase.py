"""The map of which strategy wins over two parameters: how often, by how much, and where it turns.

``python -m experiments.phase x=enterprise.units y=maturity.budget`` runs every strategy at every cell of a grid with the same luck.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from experiments.lab import designs
from experiments.lab.config import main, take
from experiments.lab.designs import Factor
from experiments.lab.paired import check_outcome, crossed, measured, numeric_factors, rivals
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.statistics import half_width, mean, share, within
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.parameters import Parameters
from sim.schema import InvalidInput
from sim.views.words import amount, outcome_words, strategy_label

MOST_LEVELS = 200
MEANINGS = {
    "cell": "cell of the map",
    "winner": "strategy with the best mean; empty where a run failed",
    "second": "strategy with the next best mean",
    "lead": "mean of the winner's outcome less the second's with the same luck, in the outcome's unit",
    "lead_below": "where one run's lead is: 5% of them are below",
    "lead_above": "where one run's lead is: 5% of them are above",
    "decided": "the interval of the lead leaves out 0",
    "best_of_all": "share of replications in which the winner is the best of all strategies; ties are shared",
}


def phase(values: dict[str, Any]) -> int:
    """Run the grid, find winner and lead of every cell, print where it turns, write the results folder."""
    settings = take_settings(values)
    outcome, levels = take(values, "outcome", "text"), take(values, "levels", "count", 3, MOST_LEVELS)
    replications = take(values, "replications", "count", 2, 1_000_000)
    strategies = rivals(take(values, "strategies", "names"))
    names = [take(values, axis, "text") for axis in ("x", "y")]
    ranges = [values.pop(f"{axis}_range") for axis in ("x", "y")]
    base = from_mapping(values)
    made = tuple(axis_of(axis, name, given, base) for axis, name, given in zip(("x", "y"), names, ranges, strict=True))
    if names[0] == names[1]:
        raise InvalidInput("y", names[1], f"another parameter than x, {names[0]}")
    points = crossed(designs.make("grid", made, 0, levels, settings.seed), strategies)
    plan = settings.plan(base, points, replications)
    check_points(plan)
    check_outcome(outcome, plan, wins=True)
    asked = {"kind": "grid", "levels": levels, "x": axis_record(made[0], base), "y": axis_record(made[1], base)}
    configuration = plan_record(plan, asked, outcome=outcome, strategies=list(strategies))
    parts = [*names, "+".join(strategies), f"{len(points) // len(strategies)}cells", f"{replications}x", f"{base.weeks}w"]

    def write(store: Store, plan: Plan) -> None:
        conclude(store, plan, outcome, strategies)

    def report(console: Console, store: Store) -> list[str]:
        if not (store.folder / "figure.png").is_file():
            console.print("Every cell has a failed run: there is nothing to map.", highlight=False)
            return []
        show(console, store, made, base, outcome, strategies)
        return ["figure.png", "cells.csv", "strategies.csv"]

    return carry_out(Study("phase", parts, plan, configuration, write, report), settings)


def axis_of(axis: str, name: str, given: Any, base: Parameters) -> Factor:
    """The parameter of an axis, a number with a range."""
    try:
        return numeric_factors([name], None if given is None else {name: given}, base, True)[0]
    except InvalidInput as error:
        key = axis if error.key == "over" else error.key.replace(f"ranges.{name}", f"{axis}_range")
        raise InvalidInput(key, name if error.key == "over" else error.value, error.allowed) from None


def axis_record(f: Factor, base: Parameters) -> dict[str, Any]:
    """An axis as it is recorded, and the value that the enterprise is configured with."""
    return {"parameter": f.name, "low": f.low, "high": f.high, "configured": operator.attrgetter(f.name)(base)}


# --------------------------------------------------------------------------- analysis


def winners(values: np.ndarray) -> pd.DataFrame:
    """Winner, second and the winner's lead, one row per cell.

    Args:
        values: outcomes of which more is better, [cells, strategies, replications]; NaN where a run failed.

    Returns:
        ``winner`` and ``second`` as indices (-1 where a run of the cell failed); the lead with its 95% interval (Student, paired
        by luck), and where it is in nine of ten replications; whether the interval leaves out 0; the share of replications in which the
        winner is best of all, with its interval (Wilson). Every interval is of its cell alone.
    """
    rows = []
    for cell in values:
        if np.isnan(cell).any():
            rows.append((-1, -1, *[np.nan] * 5, False, *[np.nan] * 3))
            continue
        first, second = np.argsort(-cell.mean(axis=1), kind="stable")[:2]
        leads = cell[first] - cell[second]
        lead = mean(leads)
        best = cell == cell.max(axis=0)
        wins = float((best[first] / best.sum(axis=0)).sum())
        rows.append((int(first), int(second), *lead, *within(leads), lead[1] > 0, *share(wins, cell.shape[1])))
    columns = [
        "winner",
        "second",
        "lead",
        "lead_low",
        "lead_high",
        "lead_below",
        "lead_above",
        "decided",
        "best_of_all",
        "best_of_all_low",
        "best_of_all_high",
    ]
    return pd.DataFrame(rows, columns=columns)


def crossings(x: np.ndarray, difference: np.ndarray) -> list[float]:
    """Where a line through the differences at ascending x changes sign."""
    found = []
    for i in range(len(x) - 1):
        a, b = difference[i], difference[i + 1]
        if np.isfinite(a) and np.isfinite(b) and (a < 0) != (b < 0):
            found.append(float(x[i] + (x[i + 1] - x[i]) * a / (a - b)))
    return found


def conclude(store: Store, plan: Plan, outcome: str, strategies: tuple[str, ...]) -> None:
    """Write tables and picture; no picture where every cell has a failed run."""
    values = measured(store, plan, outcome, len(strategies))
    found = winners(values)
    x, y = (column[:: len(strategies)] for column in plan.points.columns[:2])
    names = list(plan.points.names[:2])
    where = pd.DataFrame({"cell": np.arange(len(values)), names[0]: x, names[1]: y})
    for column in ("winner", "second"):
        found[column] = [strategies[i] if i >= 0 else "" for i in found[column]]
    cells = where.join(found)
    middle, half = values.mean(axis=2), half_width(values)
    each = pd.DataFrame(
        {
            **{name: np.repeat(where[name].to_numpy(), len(strategies)) for name in where},
            "strategy": np.tile(strategies, len(values)),
            "mean": middle.ravel(),
            "mean_low": (middle - half).ravel(),
            "mean_high": (middle + half).ravel(),
        }
    )
    meanings = MEANINGS | dict.fromkeys(names, "value of the parameter") | {"strategy": "strategy", "mean": f"mean of {outcome}"}
    write_tables(store, plan, {"cells": cells, "strategies": each}, meanings)
    if (cells["winner"] != "").any():
        from sim.views.figures.phase import phase_figure

        phase_figure(store.folder)


# --------------------------------------------------------------------------- printing


def show(console: Console, store: Store, made: tuple[Factor, ...], base: Parameters, outcome: str, strategies: tuple[str, ...]) -> None:
    """Print who wins how much of the map, at the configured enterprise, and where it turns."""
    cells, each = pd.read_parquet(store.folder / "cells.parquet"), pd.read_parquet(store.folder / "strategies.parquet")
    good = cells[cells["winner"] != ""]

    def say(text: str) -> None:
        console.print(text, highlight=False)

    say(f"{outcome_words(outcome).capitalize()} over {made[0].name} and {made[1].name}, {len(good):,} cells:")
    for strategy in strategies:
        won = good[good["winner"] == strategy]
        line = f"  {strategy_label(strategy)} has the best mean in {len(won) / len(good):.0%} of the cells"
        say(f"{line}, clearly so in {won['decided'].mean():.0%} of these." if len(won) else f"{line}.")
    if len(good) < len(cells):
        say(f"  {len(cells) - len(good):,} cells are left out, because one of their runs failed.")
    at = [float(operator.attrgetter(f.name)(base)) for f in made]
    if not all(f.low <= value <= f.high for f, value in zip(made, at, strict=True)):
        say("The configured enterprise lies outside the map.")
        return
    away = np.sum([((good[f.name] - v) / (f.high - f.low)) ** 2 for f, v in zip(made, at, strict=True)], axis=0)
    nearest_cell: Any = good.iloc[int(np.argmin(away))]
    say(
        f"At the cell nearest to the configured enterprise ({', '.join(f'{f.name} {nearest_cell[f.name]:.3g}' for f in made)}): "
        f"{strategy_label(nearest_cell['winner'])} ahead of {strategy_label(nearest_cell['second'])} by "
        f"{amount(outcome, nearest_cell['lead'])} [{amount(outcome, nearest_cell['lead_low'])}, {amount(outcome, nearest_cell['lead_high'])}] "
        f"on average, {amount(outcome, nearest_cell['lead_below'])} to {amount(outcome, nearest_cell['lead_above'])} in nine of ten runs; "
        f"best in {nearest_cell['best_of_all']:.0%} of them."
    )
    if len(strategies) > 2:
        return
    table = each.pivot(index="cell", columns="strategy", values="mean")
    ahead = (table[strategies[0]] - table[strategies[1]]).reindex(cells["cell"])
    for moving, still in ((0, 1), (1, 0)):
        row = cells[cells[made[still].name] == nearest_cell[made[still].name]]
        turns = crossings(row[made[moving].name].to_numpy(float), ahead.loc[row["cell"]].to_numpy(float))
        along = f"Along {made[moving].name}, with {made[still].name} at {nearest_cell[made[still].name]:.3g}"
        say(f"{along}, it turns at {', '.join(f'{t:.3g}' for t in turns)}." if turns else f"{along}, it does not turn.")


if __name__ == "__main__":
    main("phase", phase)
