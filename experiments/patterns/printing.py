"""What was found about the patterns, for people: a table, and a sentence per pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.patterns.pattern import Pattern
from sim.views.words import emerging, interval


def with_interval(row: Any, of: str) -> str:
    """An effect with its interval, in its unit."""
    return interval(row["unit"], row[of], row[f"{of}_low"], row[f"{of}_high"])


def show(
    console: Console, tests: pd.DataFrame, probes: pd.DataFrame, chosen: tuple[Pattern, ...], findings: Mapping[str, str], seeds: int
) -> None:
    """Print the table, and a sentence per pattern."""
    table = Table(title=f"{len(chosen)} patterns, {seeds} seeds: effect [95% interval], and seeds in which it fails", title_justify="left")
    for heading in ("pattern, test", "as claimed", "fails", "ablated", "fails"):
        table.add_column(heading, justify="left" if heading == "pattern, test" else "right")
    for pattern in chosen:
        rows = tests[tests["pattern"] == pattern.name]
        table.add_row(pattern.name, *[""] * 4)
        for _, row in rows.iterrows():
            cells = (with_interval(row, "effect"), share_of(row["fails"]), with_interval(row, "ablated"), share_of(row["ablated_fails"]))
            table.add_row(f"  {row['test']} {'>' if row['direction'] > 0 else '<'} 0", *cells)
    console.print(table, highlight=False)
    for pattern in chosen:
        rows = tests[tests["pattern"] == pattern.name]
        said = [sentence(pattern, rows), findings.get(pattern.name, "")]
        for probe, left in probes[probes["pattern"] == pattern.name].groupby("probe", sort=False):
            effects = [f"{row['test']} {with_interval(row, 'effect')}, fails {share_of(row['fails'])}" for _, row in left.iterrows()]
            said.append(f"Looked into, with {probe}: {'; '.join(effects)}.")
        console.print(" ".join(text for text in said if text), highlight=False)
    console.print(f"{emerging(tests)}.", highlight=False)


def share_of(value: float) -> str:
    """A share of seeds; a dash where no seed can fail."""
    return "–" if np.isnan(value) else f"{value:.0%}"


def sentence(pattern: Pattern, rows: pd.DataFrame) -> str:
    """The verdict on a pattern with its reasons, in a sentence."""
    under_ablation = {"yes": ", gone under the ablation", "no": ", and stays under the ablation", "": ""}
    said = [f"{row['test']} {'holds' if row['emerges'] else 'does not hold'}{under_ablation[row['removed']]}" for _, row in rows.iterrows()]
    return f"{pattern.name[0].upper()}{pattern.name[1:]}: {rows['verdict'].iloc[0]} (ablation: {pattern.ablation}): {'; '.join(said)}."
