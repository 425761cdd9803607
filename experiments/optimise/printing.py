"""What a search found, printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.optimise.objectives import Objective
from sim.views.words import amount, strategy_label


def show(console: Console, tested: pd.DataFrame, objectives: Sequence[Objective], presets: Sequence[str], found: Sequence[str]) -> None:
    """Print what was found and what it is worth on other luck: a table per objective, and what the search promised too much."""
    mine = presets[0]
    for each in objectives:
        rows = tested[tested["objective"] == each.name].set_index("candidate")
        rest = rows.loc[[name for name in presets if name != mine], "test"]
        rival = str((rest * each.sign).idxmax())
        table = Table(
            title=f"{each.words().capitalize()}: on the luck of the search, and on other luck [95% interval]", title_justify="left"
        )
        table.add_column("strategy")
        for head in ("search", "test", "gain in the search", "in the test"):
            table.add_column(head, justify="right", no_wrap=True)
        for name in (*found, mine, rival):
            row: Any = rows.loc[name]
            gains = ("–", "–") if name == mine else (amount(each.outcome, row["gain_search"]), _interval(each.outcome, row, "gain_test"))
            label = f"{strategy_label(name)}{' (best of the others)' if name == rival else ''}"
            table.add_row(label, amount(each.outcome, row["search"]), _interval(each.outcome, row, "test"), *gains)
        console.print(table)
        for name in found:
            much = float(rows["optimism"][name])
            promised = f"{amount(each.outcome, much)} more" if much > 0 else "no more"
            console.print(f"{strategy_label(name)}: the search promised {promised} than the test shows.", highlight=False, soft_wrap=True)


def _interval(outcome: str, row: pd.Series, name: str) -> str:
    return f"{amount(outcome, row[name])} [{amount(outcome, row[f'{name}_low'])}, {amount(outcome, row[f'{name}_high'])}]"
