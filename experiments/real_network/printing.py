"""What was found about networks and placements, for people: tables and sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.real_network.readings import SPREAD
from sim.views.words import NETWORK_LABELS, PLACEMENT_LABELS, bounded


def signed(value: float, places: int = 3) -> str:
    """A difference with its sign; a dash where there is none."""
    text = f"{value:+.{places}f}"
    return "–" if np.isnan(value) else f"{0:.{places}f}" if float(text) == 0 else text.replace("-", "−")


def in_points(value: float) -> str:
    """A difference of shares in points, to a tenth."""
    return signed(100 * value, 1)


def whole(value: float) -> str:
    """A difference of shares in points."""
    return signed(100 * value, 0)


#: Columns of a table: name, heading, and how a value is written.
Heads = tuple[tuple[str, str, Callable[[float], str]], ...]
#: Tables: columns with their headings, and how each is written.
HEADS: dict[str, Heads] = {
    "How runs end, points": (
        ("final_reliance", "relying", in_points), ("partial_adoption", "partial", whole), ("pilot_purgatory", "purgatory", whole),
        ("scaled", "scaled", whole),
    ),
    "How adopters cluster": (
        ("assortativity", "assortativity", signed), ("between", "between departments", signed), ("modularity", "modularity", signed)
    ),
}  # fmt: skip


def show(console: Console, folder: Path, seeds: int, notes: Sequence[str]) -> None:
    """Print the networks, what differs on them, what placement does, and the sentences."""
    described, networks, champions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("described", "networks", "champions"))
    for note in notes:
        console.print(f"note: {note}", highlight=False)
    console.print(table_of_networks(described), highlight=False)
    cells: Mapping[Any, Any] = networks.set_index(["maturity", "network", "measure"]).to_dict("index")
    maturities, kinds = (list(dict.fromkeys(networks[name])) for name in ("maturity", "network"))
    for title, heads in HEADS.items():
        console.print(
            table_of_differences(f"{title}: real, and the others less it, {seeds} seeds [95% interval]", heads, cells, maturities, kinds),
            highlight=False,
        )
    console.print(table_of_champions(champions), highlight=False)
    for text in (*network_sentences(cells, maturities, kinds), *champion_sentences(champions)):
        console.print(text, highlight=False)


def table_of_networks(described: pd.DataFrame) -> Table:
    """The networks in numbers."""
    people, ties = (f"{described[name].iloc[0]:,}" for name in ("people", "ties"))
    table = Table(title=f"The networks: {people} people and {ties} ties each", title_justify="left")
    for head in ("", "most of one", "sd of ties", "with too few", "in dep.", "in teams", "triads closed"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for row in described.to_dict("records"):
        table.add_row(
            NETWORK_LABELS[row["network"]], f"{row['most_ties']}", f"{row['spread_of_ties']:.1f}", f"{row['below']:.1%}",
            f"{row['in_departments']:.0%}", f"{row['in_teams']:.0%}", f"{row['transitivity']:.0%}",
        )  # fmt: skip
    return table


def table_of_differences(title: str, heads: Heads, cells: Mapping[Any, Any], maturities: list[str], kinds: list[str]) -> Table:
    """The real network, and what differs on the others."""
    table = Table(title=title, title_justify="left")
    for head in ("", *(head for _, head, _ in heads)):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for maturity in maturities:
        of_real = [write(cells[maturity, kinds[0], name]["reference"]).lstrip("+") for name, _, write in heads]
        table.add_row(f"{maturity}, real", *of_real)
        for kind in kinds:
            table.add_row(
                f"  {NETWORK_LABELS[kind]}", *(bounded(cells[maturity, kind, name], "difference", write) for name, _, write in heads)
            )
    return table


def table_of_champions(champions: pd.DataFrame) -> Table:
    """What each placement of champions brings."""
    title = "Champions on the real network, points: at random less none, and the others less as many at random"
    table = Table(title=title, title_justify="left")
    for head in ("", "champions", "use, all weeks", "followers relying, end", "all relying, end"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    wide: Mapping[Any, Any] = champions.set_index(["maturity", "champions", "placement", "measure"]).to_dict("index")
    for maturity, share, placement in dict.fromkeys((m, s, placed) for m, s, placed, _ in wide):
        found = [bounded(wide[maturity, share, placement, name], "difference", in_points) for name in (*SPREAD, "final_reliance")]
        first = placement == "random"
        name = f"{maturity}, {PLACEMENT_LABELS[placement]}" if first else f"  {PLACEMENT_LABELS[placement]}"
        table.add_row(name, f"{share:.0%}" if first else "", *found)
    return table


def clear(row: Mapping[str, Any]) -> bool:
    """Whether the interval of a difference leaves out 0."""
    return bool(row["difference_low"] > 0 or row["difference_high"] < 0)


def network_sentences(cells: Mapping[Any, Any], maturities: list[str], kinds: list[str]) -> list[str]:
    """How far each generated network is from the real one, worst case over maturities, and which is nearest."""
    told = (
        ("final_reliance", "reliance at the end", in_points), ("partial_adoption", "runs in partial adoption", whole),
        ("assortativity", "assortativity", signed), ("between", "variance between departments", signed),
    )  # fmt: skip
    said, furthest = [], {}
    for kind in kinds:
        parts = []
        for name, words, write in told:
            row = max((cells[m, kind, name] for m in maturities), key=lambda r: abs(np.nan_to_num(r["difference"])))
            unit = "" if write is signed else " points"
            parts.append(f"{words} {bounded(row, 'difference', write)}{unit}{'' if clear(row) else ', not clear'}")
        furthest[kind] = max(abs(np.nan_to_num(cells[m, kind, "final_reliance"]["difference"])) for m in maturities)
        name = NETWORK_LABELS[kind][0].upper() + NETWORK_LABELS[kind][1:]
        said.append(f"{name}, at the maturity where it is furthest from the real network: {'; '.join(parts)}.")
    best = min(furthest, key=lambda kind: furthest[kind])
    said.append(f"For reliance at the end the nearest stand-in is «{NETWORK_LABELS[best]}», {100 * furthest[best]:.1f} points off at most.")
    return said


def champion_sentences(champions: pd.DataFrame) -> list[str]:
    """At each maturity, what each placement brings against random ones, and at how many shares of champions that is clear."""
    said = []
    rows = champions[(champions["measure"] == "use") & (champions["placement"] != "random")]
    for maturity, cell in rows.groupby("maturity", sort=False):
        parts = []
        for placement, group in cell.groupby("placement", sort=False):
            found: Sequence[Mapping[Any, Any]] = group.to_dict("records")
            more, less = sum(row["difference_low"] > 0 for row in found), sum(row["difference_high"] < 0 for row in found)
            low, high = (in_points(edge(row["difference"] for row in found)) for edge in (min, max))
            clearly = f"clearly more at {more}" + (f", clearly less at {less}" if less else "")
            parts.append(f"{PLACEMENT_LABELS[str(placement)]} {low} to {high} points of use, {clearly} of {len(found)} shares")
        said.append(f"Champions at {maturity} maturity, against as many at random: {'; '.join(parts)}.")
    return said
