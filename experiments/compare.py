"""Strategies against each other on the same organisations, people, shocks and noise.

``python -m experiments.compare`` compares integration-first and model-first at low, middle and high maturity, on organisations of the
population that was calibrated; ``strategies=[…] maturities=[…] replications=N`` compare others, ``population=article`` compares them on one
exact organisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

import sim
from experiments.lab.compared import COMPARED, OF_SEVERAL, best_of, pair, shares_of_variance, summarise
from experiments.lab.config import main, take
from experiments.lab.designs import Factor, Points
from experiments.lab.executors import Workers
from experiments.lab.organisations import population_record
from experiments.lab.output import input_files
from experiments.lab.plan import Plan, plan_record
from experiments.lab.runner import execute
from experiments.lab.storage import Store
from experiments.lab.study import Settings, Study, carry_out, take_settings, with_draws
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.measures import CLASSES, MEASURES, PORTFOLIO
from sim.parameters import RECORDS
from sim.presets import load
from sim.schema import InvalidInput, nearest, to_mapping
from sim.sources import SOURCES
from sim.views.report import pictures
from sim.views.report.read import Tables
from sim.views.words import CLASS_LABELS, millions, strategy_label, written

MOST_RUNS = 100_000
#: Replications of which is kept what held them back; more would cost time and show the same.
LOOKED_INTO = 25
#: Organisations to which everything happens once more with other luck, for the share of luck in what differs; and that luck's seed.
TWINS, OTHER_LUCK = 60, 1 << 40
MEANINGS = {
    "measure": "what is compared; outcome_…: runs that end so",
    "kind": "mean, median, or share of runs",
    "runs": "runs that did not fail",
    "estimate": "of the strategy, in the measure's unit",
    "low": "lower end of its 95% interval",
    "high": "upper end of its 95% interval",
    "spread_low": "where one organisation ends: 5% of them end below",
    "spread_high": "where one organisation ends: 5% of them end above",
    "best.best": "probability that it is best of those compared: share of organisations in which its net value is highest; ties are shared",
    "best.best_low": "lower end of its 95% interval",
    "best.best_high": "upper end of its 95% interval",
    "best.regret": "mean of what an organisation loses with it against its own best [EUR]",
    "best.regret_high": "what 5% of organisations lose with it at least [EUR]",
    "variance.of": "net value of a strategy, or of the first less it",
    "variance.variance": "variance between organisations [EUR^2]",
    "variance.parameters": "share of it that lies between draws of the parameters",
    "variance.organisation": "share that lies between organisations of the same draw",
    "variance.luck": "share that is left where draw and organisation are the same",
    "a": "strategy",
    "b": "strategy it is compared with",
    "pairs": "pairs of runs with the same luck",
    "ties": "pairs in which both came to the same",
    "difference": "mean of a − b; empty where a week was never reached",
    "difference_low": "5% of organisations gain less",
    "difference_high": "5% of organisations gain more",
    "a_wins": "share of pairs in which a does better; ties count half",
    "variance_ratio": "variance of an unpaired comparison over that of the paired one: how many times as many runs it would need",
}


def compare(values: dict[str, Any]) -> int:
    """Run all strategies with common random numbers, print the comparison, write the results folder."""
    settings = take_settings(values)
    strategies, maturities = take(values, "strategies", "names"), take(values, "maturities", "names")
    replications, changes = take(values, "replications", "count", 2, MOST_RUNS), changes_of(values.pop("changes"))
    if len(strategies) * len(maturities) * replications > MOST_RUNS:
        raise InvalidInput("replications", replications, f"at most {MOST_RUNS:,} runs in all; experiments.sweep takes more")
    points = pairs(maturities, strategies, changes)
    plan = settings.plan(from_mapping(values), points, replications, weekly=1, inside=LOOKED_INTO)
    configuration = record_of(plan, settings)
    weeks = plan.parameters(0).weeks
    measures = OF_SEVERAL if len(plan.base.usecases) > 1 else COMPARED
    charts: dict[str, Callable[[], Any]] = {}

    def conclude(store: Store, plan: Plan) -> None:
        good = good_of(store, plan)
        tables = {"summary": summarise(good, maturities, strategies, measures), "paired": pair(good, maturities, strategies, measures)}
        tables["best"] = best_of(good, maturities, strategies)
        if plan.population:
            with twins_of(plan, store)[1] as place:
                tables["variance"] = shares_of_variance(good, good_of(place, plan), maturities, strategies)
        write_tables(store, plan, tables, MEANINGS)
        figure = settings.workers.draw(pictures.figure, store.folder)
        charts.update({name: settings.workers.draw(pictures.chart, name, Tables(store.folder)) for name in pictures.CHARTS})
        figure()  # the manifest names it; the report waits for its charts itself

    def show(console: Console, store: Store) -> list[str]:
        names = ("summary", "paired", "best", "variance") if plan.population else ("summary", "paired", "best")
        tables = {name: pd.read_parquet(store.folder / f"{name}.parquet") for name in names}
        print_comparison(console, tables, maturities, strategies, replications, weeks)
        return ["report.html", "figure.png", *(f"{name}.csv" for name in names), "weekly/", "units/", "held/"]

    parts = ["+".join(strategies), "+".join(maturities), f"{weeks}w", f"{replications}x"]
    study = Study("compare", parts, plan, configuration, conclude, show, run_with_twins, lambda store: report_of(store, charts))
    return carry_out(study, settings)


def run_with_twins(plan: Plan, store: Store, workers: Workers) -> Plan:
    """All runs, and of a population's first organisations the same once more with other luck."""
    execute(plan, store, workers)
    if plan.population:
        again, folder = twins_of(plan, store)
        with folder as place:
            execute(again, place, workers, what="runs with other luck")
    return plan


def twins_of(plan: Plan, store: Store) -> tuple[Plan, Store]:
    """The plan of the runs with other luck, and their folder."""
    again = replace(plan, replications=min(TWINS, plan.replications), weekly=0, inside=0, luck=OTHER_LUCK)
    return again, Store("compare", store.folder / "twins", plan_record(again, {"kind": "twins"}))


def good_of(store: Store, plan: Plan) -> pd.DataFrame:
    """The runs that did not fail, with their draws of the parameters."""
    runs = with_draws(store.runs(), plan)
    return runs[runs["error"] == ""]


def changes_of(given: Any) -> dict[str, Any]:
    """The changes that hold for all, checked."""
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInput("changes", given, "a mapping of parameters to values, such as {maturity.budget: 2}")
    checked = {}
    for key, value in (given or {}).items():
        if key not in RECORDS:
            raise InvalidInput(f"changes.{key}", value, nearest(str(key), RECORDS))
        if RECORDS[key].is_list:
            raise InvalidInput(f"changes.{key}", value, "no list: lists belong in a preset")
        checked[str(key)] = RECORDS[key].check(key, value)
    return checked


def pairs(maturities: list[str], strategies: list[str], changes: Mapping[str, Any]) -> Points:
    """Every strategy at every maturity, with the same changes of parameters."""
    for group, names in (("maturity", maturities), ("strategy", strategies)):
        for name in names:
            load(group, name)  # an unknown name is an error already here
    axes = np.meshgrid(np.arange(len(maturities)), np.arange(len(strategies)), indexing="ij")
    made: tuple[Factor, ...] = (
        Factor("maturity", "choice", choices=tuple(maturities)),
        Factor("strategy", "choice", choices=tuple(strategies)),
    )
    columns = [axis.ravel() for axis in axes]
    for name, value in changes.items():
        number = RECORDS[name].kind in ("number", "count")
        made += (Factor(name, RECORDS[name].kind, value, value) if number else Factor(name, "choice", choices=(value,)),)
        columns.append(np.full(len(columns[0]), value if number else 0))
    return Points(made, tuple(columns))


def record_of(plan: Plan, settings: Settings) -> dict[str, Any]:
    """Everything that decides the results; what cannot be used is said now, in one line."""
    cells = []
    for point in range(len(plan.points)):
        at, parameters = plan.points.at(point), plan.parameters(point)
        sim.RolloutModel(parameters=parameters, rng=plan.seed, engine=plan.engine)
        cells.append({"maturity": at["maturity"], "strategy": at["strategy"], "parameters": to_mapping(parameters)})
    return {
        "cells": cells,
        "replications": plan.replications,
        "seed": plan.seed,
        "engine": plan.engine,
        "limit": plan.limit,
        "input_files": input_files(plan.parameters(0)),
        "population": population_record(plan.population),
        "model": SOURCES,
    }


def report_of(store: Store, charts: Mapping[str, Callable[[], Any]]) -> str:
    """Write the report, which shows the manifest; returns why it could not, or nothing. The runs are kept all the same."""
    from sim.views.report.render import write_report

    try:
        write_report(store.folder, charts)
    except InvalidInput as error:
        return f"no report was written: {error}"
    return ""


# --------------------------------------------------------------------------- printing


def _cell(measure: str, estimate: float, low: float, high: float) -> str:
    if written(measure) == "money":
        texts = [millions(v) for v in (estimate, low, high)]
    elif MEASURES[measure].censored:
        texts = ["–" if np.isnan(v) else "never" if np.isinf(v) else f"{v:.0f}" for v in (estimate, low, high)]
    elif measure in PORTFOLIO and written(measure) != "share":
        texts = [f"{v:.1f}" for v in (estimate, low, high)]
    else:
        texts = [f"{v:.0%}" for v in (estimate, low, high)]
    return f"{texts[0]}  [{texts[1]}, {texts[2]}]"


def print_comparison(
    console: Console, tables: Mapping[str, pd.DataFrame], maturities: list[str], strategies: list[str], n: int, weeks: int
) -> None:
    """Print each maturity's table, and how far the first strategy is ahead of the others."""
    listed, drawn = len(strategies) > 3, "variance" in tables
    paired, best = tables["paired"], tables["best"]
    for maturity in maturities:
        part = tables["summary"][tables["summary"]["maturity"] == maturity].set_index(["strategy", "measure"])
        title = f"{maturity} maturity, {n} {'organisations' if drawn else 'runs a strategy'}: estimate"
        console.print(_list(title, part, strategies, weeks) if listed else _side_by_side(console, title, part, strategies, weeks))
        if len(strategies) > 1:
            console.print(_best(best[best["maturity"] == maturity], drawn), highlight=False)
        rows = paired[(paired["maturity"] == maturity) & (paired["measure"] == "net") & (paired["a"] == strategies[0])]
        for row in rows.to_dict("records"):
            console.print(_difference(row, weeks, drawn), highlight=False)
        for row in tables["variance"].to_dict("records") if drawn else []:
            if row["maturity"] == maturity and " - " in row["of"] and row["parameters"] == row["parameters"]:
                named = "that" if len(strategies) == 2 else " − ".join(strategy_label(name) for name in row["of"].split(" - "))
                console.print(
                    f"  What {named} differs by comes from the parameters' uncertainty ({row['parameters']:.0%}), from the organisation "
                    f"({row['organisation']:.0%}) and from luck ({row['luck']:.0%}).",
                    highlight=False,
                )
        console.print()
    if len(strategies) > 2:
        said = (
            "Intervals are in summary.csv, all pairs and measures in paired.csv." if listed else "All pairs and measures are in paired.csv."
        )
        console.print(f"{said}\n", highlight=False)


def _best(rows: pd.DataFrame, drawn: bool) -> str:
    """How likely each strategy is the best of those compared, and what is lost where it is not."""
    said = [
        f"{strategy_label(row['strategy'])} {row['best']:.0%} [{row['best_low']:.0%}, {row['best_high']:.0%}], regret {millions(row['regret'])}"
        for row in rows.to_dict("records")
    ]
    return f"  Best for so many {'organisations' if drawn else 'runs'}, and mean regret: {'; '.join(said)}."


def _difference(row: Mapping[Any, Any], weeks: int, drawn: bool) -> str:
    """How far a strategy is ahead of another, in a sentence."""
    ratio, both = row["variance_ratio"], f"{strategy_label(row['a'])} and {strategy_label(row['b'])}"
    if row["ties"] == row["pairs"]:
        return f"  {both} came to the same net value in all {row['pairs']} pairs."
    one = "one organisation" if drawn else "one run"
    said = (
        f"  Same luck, net value after {weeks} weeks: {strategy_label(row['a'])} − {strategy_label(row['b'])} = "
        f"{_cell('net', row['difference'], row['low'], row['high'])} on average; {one} {millions(row['difference_low'])} to "
        f"{millions(row['difference_high'])} (nine of ten); better in {row['a_wins']:.0%} [{row['a_wins_low']:.0%}, {row['a_wins_high']:.0%}] "
        "of pairs."
    )
    return said + (f" Unpaired runs would need {ratio:.1f}× as many." if ratio == ratio and not drawn else "")


def _estimate(part: pd.DataFrame, strategy: str, measure: str) -> str:
    """A measure of a strategy in words; a dash where all its runs failed."""
    if (strategy, measure) not in part.index:
        return "–"
    row: Any = part.loc[(strategy, measure)]
    return _cell(measure, row["estimate"], row["low"], row["high"])


def _endings(part: pd.DataFrame, strategy: str) -> dict[str, float]:
    """Share of each outcome class that occurs, by its label."""
    shares = {CLASS_LABELS[name]: float(part["estimate"].get((strategy, f"outcome_{name}"), 0.0)) for name in CLASSES}
    return {label: share for label, share in shares.items() if share > 0}


def _side_by_side(console: Console, title: str, part: pd.DataFrame, strategies: list[str], weeks: int) -> Table:
    """One column per strategy, with intervals beside the estimates, or below them where the console is too narrow."""
    beside, below = (_columns(title, part, strategies, weeks, gap) for gap in ("  ", "\n"))
    return beside if console.measure(beside, options=console.options.update_width(1000)).maximum <= console.width else below


def _columns(title: str, part: pd.DataFrame, strategies: list[str], weeks: int, gap: str) -> Table:
    labels = {
        "net_104": "net value, 104 weeks",
        "net": f"net value, {weeks} weeks",
        "final_reliance": "planners relying, end",
        "final_teams_trust_and_use": "teams that trust and use",
        "weeks_to_50": "weeks to 50% (median)",
        **{measure: MEASURES[measure].label for measure in ("use_cases_live", "use_cases_kept")},  # the others are in summary.csv
    }
    table = Table(title=title + " [95% interval]", title_justify="left")
    table.add_column("", no_wrap=True)
    for strategy in strategies:
        table.add_column(strategy_label(strategy), justify="right")
    for measure, label in labels.items():
        if measure in part.index.get_level_values("measure"):
            table.add_row(label, *(_estimate(part, s, measure).replace("  ", gap) for s in strategies))
    endings = {s: _endings(part, s) for s in strategies}
    for label in CLASS_LABELS.values():
        if any(label in endings[s] for s in strategies):
            table.add_row("  " + label, *(f"{endings[s].get(label, 0.0):.0%}" for s in strategies))
    return table


def _list(title: str, part: pd.DataFrame, strategies: list[str], weeks: int) -> Table:
    """One row per strategy, estimates only: for many strategies."""
    labels = {
        "net_104": "104 w",
        "net": f"net, {weeks} w",
        "final_reliance": "relying",
        "weeks_to_50": "w to 50%",
        "use_cases_live": "in production",
    }
    measures = [measure for measure in labels if measure in part.index.get_level_values("measure")]
    table = Table(title=title, title_justify="left")
    table.add_column("strategy", no_wrap=True)
    for measure in measures:
        table.add_column(labels[measure], justify="right", no_wrap=True)
    table.add_column("runs end as")
    for strategy in strategies:
        cells = [_estimate(part, strategy, m).split("  ")[0] for m in measures]
        most = sorted(_endings(part, strategy).items(), key=lambda item: -item[1])
        table.add_row(strategy_label(strategy), *cells, ", ".join(f"{label} {share:.0%}" for label, share in most))
    return table


if __name__ == "__main__":
    main("compare", compare)
