"""The picture of regret over futures."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import in_words, outcome_words, strategy_label


def robust_figure(folder: Path) -> Path:
    """Regret of each strategy over the futures, and in how many it is good enough. Writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    regret, satisficing, futures = (pd.read_parquet(folder / f"{name}.parquet") for name in ("regret", "satisficing", "futures"))
    outcome, strategies = plan["outcome"], list(regret["strategy"])
    criteria = list(dict.fromkeys(satisficing["criterion"]))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 2.1 + 0.36 * len(strategies)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.5, 1))
        for k, strategy in enumerate(strategies):
            row, values = regret.iloc[k], futures[f"regret_{strategy}"].to_numpy()
            spread = (np.random.Generator(np.random.SFC64(1)).random(len(values)) - 0.5) * 0.5
            fade = min(0.5, max(0.05, 60 / len(values)))
            left.plot(values, k + spread, ".", ms=5, color="#555555", alpha=fade, mew=0, rasterized=True)
            left.plot([row["regret_mean_low"], row["regret_mean_high"]], [k, k], color=COLOURS[0], lw=3, solid_capstyle="butt")
            left.plot(row["regret_mean"], k, "o", color=COLOURS[0], ms=6)
            left.plot([row["regret_p90"]] * 2, [k - 0.3, k + 0.3], color=COLOURS[1], lw=2)
        left.set_yticks(range(len(strategies)), [strategy_label(s) for s in strategies])
        left.set_ylim(len(strategies) - 0.4, -0.6)
        left.set_xlim(left=0)
        left.xaxis.set_major_formatter(value_formatter(outcome))
        left.xaxis.set_major_locator(MaxNLocator(6))
        left.set(title="Regret", xlabel=f"less {outcome_words(outcome)} than the best strategy of the same future")
        for c, criterion in enumerate(criteria):
            rows = satisficing[satisficing["criterion"] == criterion].set_index("strategy").loc[strategies]
            at = np.arange(len(strategies)) + (c - (len(criteria) - 1) / 2) * 0.2
            colour = COLOURS[(2 + c) % len(COLOURS)]
            right.hlines(at, rows["satisfied_low"], rows["satisfied_high"], color=colour, lw=1.2)
            right.plot(rows["satisfied"], at, "os^Dv"[c % 5], color=colour, ms=4.5, label=_criterion(criterion))
        right.set_xlim(-0.03, 1.03)
        right.xaxis.set_major_formatter(PercentFormatter(1))
        right.set(title="Good enough", xlabel="share of futures, with 95% interval")
        right.tick_params(axis="y", left=False)
        handles = [
            Line2D([], [], color="#777777", marker=".", ls="", label="a future"),
            Line2D([], [], color=COLOURS[0], marker="o", lw=3, ms=6, label="mean, 95% interval"),
            Line2D([], [], color=COLOURS[1], lw=2, label="nine futures in ten are below"),
            *right.get_legend_handles_labels()[0],
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
        figure.suptitle(
            f"Which strategy to choose when the future is not known: {len(futures):,} futures, "
            f"{plan['replications']} runs of each strategy in each", x=0.01, ha="left", fontsize=10,
        )  # fmt: skip
        return save(figure, folder / "figure.png")


def _criterion(text: str) -> str:
    name, _, least = text.partition(" ≥ ")
    return f"{outcome_words(name)} at least {in_words(name, float(least))}" if least else text
