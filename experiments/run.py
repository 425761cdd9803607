"""One run: what happens in one enterprise under one strategy.

``python -m experiments.run strategy=model_first maturity=low seed=7``
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import sim
from experiments.lab.config import main, take
from experiments.lab.output import Output, folder_name, input_files, shown, wide_console
from experiments.lab.progress import load_model, weeks_bar
from sim.configuration import from_mapping
from sim.measures import MEASURES
from sim.schema import to_mapping
from sim.views.words import in_words


def run(values: dict[str, Any]) -> None:
    """Simulate, print, and write the results folder."""
    engine, seed, output = take(values, "engine", "text"), take(values, "seed", "seed"), take(values, "output", "text")
    parameters = from_mapping(values)
    model = sim.RolloutModel(parameters=parameters, rng=seed, engine=engine)
    configuration = {**to_mapping(parameters), "seed": seed, "input_files": input_files(parameters)}
    p = parameters
    name = folder_name([p.strategy.name, f"{len(model.state.unit_names)}units", f"{p.weeks}w", f"seed{seed}"], configuration)
    console = wide_console()
    if engine == "compiled":
        load_model()
    with Output("run", name, output) as folder:
        with weeks_bar(p.weeks) as progress:
            model.run(progress=progress)
        outcome = model.outcome
        folder.parquet("weekly.parquet", model.weekly)
        folder.parquet("units.parquet", model.units)
        folder.csv("events.csv", model.events)
        folder.text("outcome.json", json.dumps(outcome, indent=1) + "\n")
        from sim.views.figures.run import run_figure

        run_figure(folder.folder)
        folder.manifest(configuration, engine=engine, seed=seed, notes=model.state.notes)
    report(console, model, outcome, folder.final)


def report(console: Console, model: sim.RolloutModel, outcome: dict[str, Any], folder: Path) -> None:
    """Print the outcome, the event log in words and where the files are."""
    for note in model.state.notes:
        console.print(f"note: {note}")
    table = Table(title=f"{model.parameters.strategy.name}, seed {model.seed_used}", title_justify="left")
    table.add_column("outcome")
    table.add_column("", justify="right")
    for key in ("outcome", *(name for name in MEASURES if name != "outcome")):  # the class first
        if MEASURES[key].label:
            table.add_row(MEASURES[key].label, in_words(key, outcome[key]))
    console.print(table)
    events = model.events
    told = events[~events["event"].isin(["onboarding", "priority shock", "demand shift", "leader left"])]
    console.print(f"\nEvents (shocks and all others in events.csv; {len(told)} of {len(events)} shown):")
    for week, words in zip(told["week"], told["words"], strict=True):
        console.print(f"  week {week:3d}: {words}", highlight=False, soft_wrap=True)
    console.print(f"\n{outcome['outcome'].replace('_', ' ').capitalize()}: {outcome['reason']}.", highlight=False)
    console.print(
        f"Written to {shown(folder)}: figure.png, weekly.parquet, units.parquet, events.csv, outcome.json, manifest.json",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    main("run", run)
