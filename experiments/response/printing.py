"""What is printed of the response: clean errors, what each defect adds, the fit and how it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.response.demand import Demand
from experiments.response.fit import Response
from experiments.response.measure import FITTED, LEVELS
from experiments.response.tables import checks, interval, joint, left_out, summary
from sim.presets import available, load
from sim.views.words import FORECASTER_LABELS


def say(console: Console, text: str) -> None:
    """Print a paragraph."""
    console.print(text, highlight=False)


def percent(estimate: Sequence[float], digits: int = 1) -> str:
    """A relative change with its interval."""
    return "{}  [{}, {}]".format(*(f"{value:+.{digits}%}".replace("-", "−") for value in estimate))


def in_words(setting: str) -> str:
    """A setting's name for people: «missing 0.3, late 2»."""
    return re.sub(r"([a-z])([0-9])", r"\1 \2", setting).replace("+", ", ")


def show(console: Console, fit: Response, demand: Demand | None, levels: Mapping[str, Sequence[float]], file: str) -> None:
    """Print clean errors, what each defect adds, the fitted response and how it holds."""
    weeks, items = (len(demand.sales), len(demand.items)) if demand else (208, fit.measured.sales.shape[1])
    where = Path(file).name if file else "Generated demand, another market in each replication"
    say(console, f"{where}: {items} items, {weeks} weeks" + "".join(f"; {note}" for note in (demand.notes if demand else ())))
    for note in left_out(fit):
        say(console, note)
    means = summary(fit).set_index(["setting", "forecaster", "level"])
    wape, relative = means["wape"].to_dict(), means["relative"].to_dict()
    middle = {name: given[len(given) // 2] for name, given in levels.items()}
    table = Table(title="WAPE on clean data, and what a defect adds to it at item level", title_justify="left")
    table.add_column("")
    for column in ("item", "brand", "total"):
        table.add_column(column, justify="right")
    for name, level in middle.items():
        table.add_column(f"{name}\n{level:g}", justify="right")
    for method in fit.measured.methods:
        clean = [f"{wape['clean', method, level]:.3f}" for level in LEVELS]
        added = [f"{relative[f'{n}{v:g}', method, 'item']:+.1%}".replace("-", "−") for n, v in middle.items()]
        table.add_row(FORECASTER_LABELS[method], *clean, *added)
    console.print(table)
    show_fitted(console, fit)
    show_held(console, fit)
    for other in [name for name in ("planner", "moving_average") if name in fit.measured.methods]:
        say(console, f"Clean error, best ÷ {FORECASTER_LABELS[other]}: " + interval(fit.ratio(other), 2))


def show_fitted(console: Console, fit: Response) -> None:
    """Print the fitted response of the best, beside others."""
    say(console, f"Response of the best, {FORECASTER_LABELS[fit.best]}, at item level: error share added [95% interval]")
    units = {"missing": "share of item-weeks", "late": "week", "mapping": "share of items"}
    measured = fit.measured.in_response
    for defect, estimate, at_bound in zip(measured, fit.bounded, fit.at_bound, strict=True):
        alone = interval(fit.alone[fit.best, "item", defect][0])
        bound = ", at its bound of 0" if at_bound else ""
        say(console, f"  forecast.{FITTED[defect]:<8} {interval(estimate)} per {units[defect]}{bound}; fitted alone {alone}")
    if "mapping" in measured:
        brand = fit.coefficients[fit.best, "brand"][measured.index("mapping")]
        say(console, f"  at brand level, where items are in a wrong brand's sum: mapping {interval(brand, 2)}")
    else:
        say(console, "  forecast.mapping is not measured: with one brand, no item is under a wrong one")
    if "planner" in fit.measured.methods:
        theirs = [
            f"{defect} {estimate:.3f}" for defect, (estimate, _, _) in zip(measured, fit.coefficients["planner", "item"], strict=True)
        ]
        say(console, f"  of the planner's spreadsheet: {', '.join(theirs)}".replace("-", "−"))
    for name in available("forecast"):
        preset = load("forecast", name)
        texts = [f"{defect} {preset[parameter]:g}" for defect, parameter in FITTED.items() if parameter in preset]
        say(console, f"  to compare, configs/forecast/{name}.yaml: {', '.join(texts)}")


def show_held(console: Console, fit: Response) -> None:
    """Print how the fit holds on what it has not seen, and what defects do together."""
    held = checks(fit).set_index(["forecaster", "cells_are"])
    for label in ("replications held out", "both held out", "all that was held out"):
        if (fit.best, label) not in held.index:
            continue
        row: Any = held.loc[(fit.best, label)]
        say(console, f"  {label}: error {row['error']:.4f} ÷ spread between seeds {row['seed_spread']:.4f} = {row['ratio']:.2f}")
    off, measured, expected = fit.worst()
    say(console, f"  fits worst at {in_words(off)}: measured {measured:+.1%}, fitted {expected:+.1%}".replace("-", "−"))
    together = Table(title="Defects together and alone, item level [95% interval]", title_justify="left")
    for column in ("", "together", "sum of each alone", "together − sum"):
        together.add_column(column, justify="right" if column else "left", no_wrap=True)
    for _, row in joint(fit).iterrows():
        name = f"all {'five' if 'mapping' in fit.measured.in_response else 'four'}" if row["kind"] == "all" else in_words(row["setting"])
        sizes = [f"{row[column]:+.1%}".replace("-", "−") for column in ("measured", "added")]
        together.add_row(name, *sizes, percent((row["difference"], row["difference_low"], row["difference_high"])))
    console.print(together)
