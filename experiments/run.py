"""One run: what happens in one enterprise under one strategy.

``python -m experiments.run strategy=model_first maturity=low seed=7``; with ``population=calibrated`` the enterprise is the organisation of
seed 7 of that population, as ``compare`` runs it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

import sim
from experiments.lab.config import main, take
from experiments.lab.organisations import organisation, population_record, take_population, with_given
from experiments.lab.output import Output, folder_name, input_files, shown, wide_console
from experiments.lab.progress import load_model, weeks_bar
from sim.configuration import from_mapping
from sim.measures import MEASURES, PORTFOLIO
from sim.schema import to_mapping
from sim.views.words import in_words


def run(values: dict[str, Any]) -> None:
    """Simulate, print, and write the results folder."""
    engine, seed, output = take(values, "engine", "text"), take(values, "seed", "seed"), take(values, "output", "text")
    population = take_population(values)
    base = from_mapping(values)
    drawn = with_given(population, base)
    parameters, who = organisation(drawn, base, seed)
    model = sim.RolloutModel(parameters=parameters, rng=seed, engine=engine)
    configuration = {**to_mapping(parameters), "seed": seed, "input_files": input_files(parameters)}
    configuration |= {"population": population_record(drawn)} if drawn else {}
    p, of = parameters, ([drawn.name] if drawn else [])
    name = folder_name([p.strategy.name, f"{len(model.state.unit_names)}units", f"{p.weeks}w", *of, f"seed{seed}"], configuration)
    console = wide_console()
    if engine == "compiled":
        load_model()
    with Output("run", name, output) as folder:
        console.print(who, highlight=False)
        with weeks_bar(p.weeks) as progress:
            model.run(progress=progress)
        outcome = record_of(model)
        folder.parquet("weekly.parquet", model.weekly)
        if len(p.usecases) > 1:
            folder.parquet("usecases.parquet", week_by_week(model))
        folder.parquet("units.parquet", model.units)
        folder.csv("events.csv", model.events)
        folder.text("outcome.json", json.dumps(outcome, indent=1) + "\n")
        from sim.views.figures.run import run_figure

        run_figure(folder.folder)
        folder.manifest(configuration, engine=engine, seed=seed, organisation=who, notes=model.state.notes)
    report(console, model, outcome, folder.final)


def record_of(model: sim.RolloutModel) -> dict[str, Any]:
    """The record of the run; with several use cases also each one's own, null for one whose turn never came."""
    names = [case.name for case in model.parameters.usecases]
    if len(names) == 1:
        return model.outcome
    own = {name: case.outcome for name, case in model.use_cases.items()}
    return {**model.outcome, "usecases": {name: own.get(name) for name in names}}


def week_by_week(model: sim.RolloutModel) -> pd.DataFrame:
    """The use cases that have begun, week by week, one under the other; zeros before a use case began."""
    tables = [case.weekly for case in model.use_cases.values()]
    for name, table in zip(model.use_cases, tables, strict=True):
        table.insert(0, "usecase", name)
    return pd.concat(tables, ignore_index=True)


def report(console: Console, model: sim.RolloutModel, outcome: dict[str, Any], folder: Path) -> None:
    """Print the outcome, the event log in words and where the files are."""
    for note in model.state.notes:
        console.print(f"note: {note}")
    for table in outcome_tables(console, f"{model.parameters.strategy.name}, seed {model.seed_used}", outcome):
        console.print(table)
    events, own = model.events, outcome.get("usecases", {})
    left = [
        "onboarding",
        "priority shock",
        "demand shift",
        "leader left",
        *(["went live"] if own else []),
    ]  # units times use cases are many
    told = events[~events["event"].isin(left)]
    console.print(f"\nEvents (shocks and all others in events.csv; {len(told)} of {len(events)} shown):")
    said = told["usecase"] + ": " + told["words"] if own else told["words"]
    for week, words in zip(told["week"], said, strict=True):
        console.print(f"  week {week:3d}: {words}", highlight=False, soft_wrap=True)
    over = f"Over {len(own)} use cases: " if own else ""
    console.print(f"\n{over}{outcome['outcome'].replace('_', ' ').capitalize()}: {outcome['reason']}.", highlight=False)
    for name, record in own.items():
        how = f"{in_words('outcome', record['outcome'])}: {record['reason']}" if record else "its turn never came"
        console.print(f"  {name}: {how}", highlight=False)
    files = ["figure.png", "weekly.parquet", *(["usecases.parquet"] if own else []), "units.parquet", "events.csv", "outcome.json"]
    console.print(f"Written to {shown(folder)}: {', '.join([*files, 'manifest.json'])}", highlight=False, soft_wrap=True)


def outcome_tables(console: Console, title: str, outcome: dict[str, Any]) -> list[Table]:
    """A run's record in words; with several use cases a column for each, and one for all, in as many tables as the console needs."""
    own = list(outcome.get("usecases", {}))
    for most in range(max(1, len(own)), 0, -1):
        parts = [own[k : k + most] for k in range(0, max(1, len(own)), most)]
        tables = [_outcome_table(title, outcome, part, k == len(parts) - 1) for k, part in enumerate(parts)]
        if all(console.measure(table, options=console.options.update_width(1000)).maximum <= console.width for table in tables):
            break
    return tables


def _outcome_table(title: str, outcome: dict[str, Any], names: Sequence[str], last: bool) -> Table:
    """The record of some use cases, in the last table with that of all."""
    own = outcome.get("usecases", {})
    table = Table(title=title, title_justify="left")
    table.add_column("outcome")
    for heading in [*names, *([("all" if own else "")] if last else [])]:
        table.add_column(heading, justify="right")
    for key in ("outcome", *(name for name in MEASURES if name != "outcome")):  # the class first
        if MEASURES[key].label and (key not in PORTFOLIO or (own and last)):
            table.add_row(
                MEASURES[key].label, *_cells(key, [own[name] for name in names]), *([in_words(key, outcome[key])] if last else [])
            )
    return table


def _cells(key: str, records: Sequence[dict[str, Any] | None]) -> list[str]:
    """A measure of each use case: nothing where it is one of all, a dash where the use case never began."""
    return ["" if key in PORTFOLIO else in_words(key, record[key]) if record else "–" for record in records]


if __name__ == "__main__":
    main("run", run)
