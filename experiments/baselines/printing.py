"""What was found about the baselines, for people: three tables, and a sentence per baseline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.baselines.models import BASELINES
from experiments.calibrate.targets import TARGETS
from sim.views.words import MODEL_LABELS, bounded, strategy_label


def points(value: float) -> str:
    """A difference of shares in points, with its sign."""
    return f"{100 * value:+.0f}".replace("-", "−") if abs(value) >= 0.005 else "0"


BEHAVIOURS = {"partial": "partial adoption", "plateau": "a plateau", "decay": "decay", "retirement": "retirement"}


def show(console: Console, folder: Path, strategies: list[str], observed: int, weeks: int) -> None:
    """Print the tables of a results folder, and a sentence per baseline."""
    off, behaviour, ranks = (pd.read_parquet(folder / f"{name}.parquet") for name in ("errors", "shows", "ranking"))
    shown: Mapping[Any, Any] = behaviour.groupby(["source", "behaviour"])["share"].mean().to_dict()
    ranked: Mapping[Any, Any] = ranks.set_index(["source", "measure"]).to_dict("index")
    title = f"{behaviour['runs'].iloc[0]} organisations, seen for {observed} weeks, asked for the other {weeks - observed}"
    console.print(table_of_errors(off, strategies, f"{title}: off the full model [95% interval]"), highlight=False)
    console.print(
        "First the full model's own. By week: mean absolute error of adoption. By week, relying and teams are in points; spread is "
        "that of planners relying at the end between runs, over the model's.",
        highlight=False,
    )
    console.print(table_of_behaviour(shown, ranked), highlight=False)
    for source in ("model", *BASELINES):
        console.print(f"  {MODEL_LABELS[source]}, best to worst: {strategy_label(ranked[source, 'net']['order'])}.", highlight=False)
    away: Mapping[Any, Any] = {}
    if (folder / "targets.parquet").is_file():
        away = pd.read_parquet(folder / "distances.parquet").set_index("source").to_dict("index")
        console.print(table_of_published(pd.read_parquet(folder / "targets.parquet"), away), highlight=False)
    for baseline in BASELINES:
        console.print(sentence(baseline, off, shown, ranked, away), highlight=False)


def table_of_errors(off: pd.DataFrame, strategies: list[str], title: str) -> Table:
    """How far each baseline is off, by strategy."""
    rows: Mapping[Any, Any] = off.set_index(["strategy", "baseline", "measure"]).to_dict("index")
    table = Table(title=title, title_justify="left")
    for head in ("", "by week", "relying, end", "teams, end", "net value, €M", "spread"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for strategy in strategies:
        reliance, teams, net = (rows[strategy, BASELINES[0], name]["model"] for name in ("reliance", "teams", "net"))
        table.add_row(strategy_label(strategy), "", f"{reliance:.0%}", f"{teams:.0%}", of_millions(net).lstrip("+"), "")
        for baseline in BASELINES:
            week, end, teams, net = (rows[strategy, baseline, name] for name in ("by_week", "reliance", "teams", "net"))
            table.add_row(
                f"  {MODEL_LABELS[baseline]}", bounded(week, "absolute", lambda v: f"{100 * v:.0f}"), bounded(end, "off", points),
                bounded(teams, "off", points), bounded(net, "off", of_millions),
                "–" if np.isnan(end["spread"]) else f"{end['spread']:.1f}×",
            )  # fmt: skip
    return table


def table_of_behaviour(shown: Mapping[Any, Any], ranked: Mapping[Any, Any]) -> Table:
    """How often each behaviour is seen, and how far the ranking agrees."""
    table = Table(title="Runs that show it at the end, and the ranking of strategies by net value", title_justify="left")
    for head in ("", *BEHAVIOURS.values(), "pairs as the model"):
        table.add_column(head, justify="right" if head else "left")
    for source in ("model", *BASELINES):
        cells = ["–" if (source, name) == ("bass", "retirement") else f"{shown[source, name]:.0%}" for name in BEHAVIOURS]
        row = ranked[source, "net"]
        agreed = "" if source == "model" else "–" if np.isnan(row["agreed"]) else bounded(row, "agreed", lambda v: f"{v:.0%}")
        table.add_row(MODEL_LABELS[source], *cells, agreed)
    return table


def table_of_published(targets: pd.DataFrame, away: Mapping[Any, Any]) -> Table:
    """The published numbers, and what each source gives."""
    value: Mapping[Any, Any] = targets.set_index(["source", "target"])["value"].to_dict()
    table = Table(title="Published numbers, and what a population of organisations gives", title_justify="left")
    for head in ("", "published", *(MODEL_LABELS[s] for s in ("model", *BASELINES))):
        table.add_column(head, justify="right" if head else "left")
    for target in (each for each in TARGETS if not each.bound):
        table.add_row(target.words, f"{target.published:.0%}", *(f"{value[s, target.name]:.0%}" for s in ("model", *BASELINES)))
    table.add_row("mean distance, points", "", *(f"{100 * away[s]['distance']:.0f}" for s in ("model", *BASELINES)))
    return table


def of_millions(value: float) -> str:
    """EUR in millions, with its sign."""
    return f"{value / 1e6:+.{0 if abs(value) >= 1e7 else 1}f}".replace("-", "−")


def sentence(baseline: str, off: pd.DataFrame, shown: Mapping[Any, Any], ranked: Mapping[Any, Any], away: Mapping[Any, Any]) -> str:
    """What a baseline gets wrong, from its numbers."""
    rows = off[off["baseline"] == baseline]
    ends = rows[rows["measure"] == "reliance"].to_dict("records")
    worst: Mapping[Any, Any] = max(ends, key=lambda row: abs(row["off"]))
    by_week = rows.loc[rows["measure"] == "by_week", "absolute"].mean()
    direction = "high" if worst["off"] > 0 else "low"
    said = [
        f"{MODEL_LABELS[baseline][0].upper()}{MODEL_LABELS[baseline][1:]}: adoption is {100 * by_week:.0f} points off in a mean week, and at the end "
        f"under {strategy_label(worst['strategy'])}, where it errs most, {abs(100 * worst['off']):.0f} points too {direction}."
    ]
    net = ranked[baseline, "net"]
    order = "It ranks the strategies as the model does" if net["as_model"] else "It does not rank the strategies as the model does"
    said.append(f"{order}{'' if np.isnan(net['agreed']) else f'; run by run, {net["agreed"]:.0%} of the pairs go the same way'}.")
    can = [name for name in BEHAVIOURS if (baseline, name) != ("bass", "retirement")]
    apart = {name: shown[baseline, name] - shown["model", name] for name in can}
    told = []
    for sign, word in ((1, "more"), (-1, "fewer")):
        names = [f"{BEHAVIOURS[n]} ({shown[baseline, n]:.0%}, model {shown['model', n]:.0%})" for n in can if sign * apart[n] > 0.1]
        told += [f"{' and '.join(names)} in {word} runs"] if names else []
    said += [f"It shows {'; '.join(told)}."] if told else []
    spreads = [row["spread"] for row in ends if not np.isnan(row["spread"])]
    if spreads:
        said.append(f"Its runs differ {min(spreads):.1f} to {max(spreads):.1f} times as much as the model's, by strategy.")
    if away:
        mine = away[baseline]
        further = (
            "further off than" if mine["more_low"] > 0 else "nearer than" if mine["more_high"] < 0 else "not clearly nearer or further than"
        )
        less = bounded(mine, "more", points)
        said.append(f"It lies {100 * mine['distance']:.0f} points from the published numbers, {further} the model (by {less}).")
    return " ".join(said)
