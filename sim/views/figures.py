"""Pictures of results: every figure takes a results folder and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import Formatter, FuncFormatter, PercentFormatter, ScalarFormatter

from sim.parameters import BUCKETS
from sim.state import STAGES
from sim.views.colours import CLASS_COLOURS, COLOURS, LINES, STAGE_COLOURS
from sim.views.words import CLASS_LABELS, cut, millions, strategy_label, written

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "svg.hashsalt": "enterprise-ai-rollout",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}
_EUR = FuncFormatter(lambda value, _: millions(value).replace(".0M", "M"))


def value_formatter(measure: str) -> Formatter:
    """How an axis writes the values of a measure."""
    if written(measure) == "money":
        return _EUR
    return PercentFormatter(1) if written(measure) == "share" else ScalarFormatter()


#: Takes a finished figure instead of its file, while :func:`printed` makes one for a paper.
_PRINTER: ContextVar[Callable[[Figure], None] | None] = ContextVar("printer", default=None)


def save(figure: Figure, path: Path) -> Path:
    """Write a picture; returns its path."""
    printer = _PRINTER.get()
    if printer is not None:
        printer(figure)
        return path
    figure.savefig(path, metadata={"Software": None})  # no date, no version: same bytes for the same numbers
    return path


def run_figure(folder: Path) -> Path:
    """Adoption, value, effort and the units' way, of one run; writes ``figure.png``."""
    weekly, units = pd.read_parquet(folder / "weekly.parquet"), pd.read_parquet(folder / "units.parquet")
    outcome = json.loads((folder / "outcome.json").read_text())
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 7), layout="constrained")
        (adoption, value), (effort, way) = figure.subplots(2, 2)
        week = weekly["week"] + 1

        adoption.plot(week, weekly["reliance"], color=COLOURS[0], label="planners\nrelying on it")
        adoption.plot(week, weekly["trust"], color=COLOURS[1], ls="--", label="mean trust")
        adoption.plot(week, weekly["teams_trust_and_use"], color=COLOURS[2], ls="-.", label="teams that\ntrust and use it")
        adoption.plot(week, weekly["units_live"] / outcome["units"], color="#888888", ls=":", label="units live")
        adoption.set(title="Adoption", ylim=(0, 1.02), xlabel="week", ylabel="share")
        adoption.yaxis.set_major_formatter(PercentFormatter(1))
        adoption.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)

        value.axhline(0, color="#888888", lw=0.8)
        value.plot(week, weekly["cumulative_net"], color=COLOURS[0])
        if outcome["trough_week"] is not None:
            value.plot(outcome["trough_week"] + 1, outcome["trough"], "v", color=COLOURS[1])
            value.annotate(
                f"trough {millions(outcome['trough'])}",
                (outcome["trough_week"] + 1, outcome["trough"]),
                xytext=(0, -14),
                textcoords="offset points",
                ha="right" if outcome["trough_week"] > 0.8 * len(week) else "center",
                fontsize=8,
                color=COLOURS[1],
            )
            value.margins(y=0.15)
        value.set(title="Cumulative net value", xlabel="week", ylabel="EUR")
        value.yaxis.set_major_formatter(_EUR)

        names = ["support", *BUCKETS]
        colours = ("#6b6b6b", COLOURS[1], COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[3], COLOURS[4])
        effort.stackplot(week, [weekly[f"effort_{name}"] for name in names], colors=colours, labels=names, lw=0)
        effort.set(title="Where the central team's effort goes", xlabel="week", ylabel="person-weeks per week")
        handles, labels = effort.get_legend_handles_labels()
        effort.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)

        _way(way, units)
        figure.suptitle(f"{CLASS_LABELS[outcome['outcome']].capitalize()}: {outcome['reason']}", x=0.01, ha="left", fontweight="bold")
        return save(figure, folder / "figure.png")


def _way(axes: Any, units: pd.DataFrame) -> None:
    """Each unit's stage over the weeks, by when it went live; too many units are shown as shares."""
    wide = units.pivot(index="unit", columns="week", values="stage").apply(lambda c: c.cat.codes)
    codes = wide.to_numpy()
    colours = [STAGE_COLOURS[name] for name in STAGES]
    if len(wide) <= 40:
        live = np.where((codes == 3).any(axis=1), (codes == 3).argmax(axis=1), codes.shape[1])
        order = np.lexsort((np.arange(len(live)), live))
        axes.imshow(
            codes[order],
            aspect="auto",
            interpolation="nearest",
            cmap=matplotlib.colors.ListedColormap(colours),
            vmin=-0.5,
            vmax=len(STAGES) - 0.5,
            extent=(0.5, codes.shape[1] + 0.5, len(wide) - 0.5, -0.5),
        )
        axes.set_yticks(range(len(wide)), [cut(str(name), 18) for name in wide.index[order]], fontsize=7 if len(wide) <= 16 else 5)
        axes.grid(False)
    else:
        shares = [(codes == k).mean(axis=0) for k in range(len(STAGES))]
        axes.stackplot(np.arange(codes.shape[1]) + 1, shares, colors=colours, lw=0)
        axes.set_ylabel(f"share of {len(wide)} units")
    axes.set(title="The units' way", xlabel="week")
    axes.legend(
        handles=[Patch(color=c, label=n) for n, c in STAGE_COLOURS.items()], loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8
    )


def compare_figure(folder: Path) -> Path:
    """What each strategy is worth over time, and how runs end; writes ``figure.png``."""
    weekly = pd.read_parquet(folder / "weekly", columns=["maturity", "strategy", "week", "cumulative_net"])
    summary = pd.read_csv(folder / "summary.csv")
    maturities, strategies = list(dict.fromkeys(summary["maturity"])), list(dict.fromkeys(summary["strategy"]))
    with matplotlib.rc_context(STYLE):
        height = 3.3 + 0.5 + 0.34 * len(strategies)
        figure = Figure(figsize=(max(7.5, 4.6 * len(maturities)), height + 0.9), layout=ConstrainedLayoutEngine(wspace=0.06))
        axes = figure.subplots(2, len(maturities), squeeze=False, height_ratios=(3.3, 0.5 + 0.34 * len(strategies)), sharey="row")
        for column, maturity in enumerate(maturities):
            _value_over_time(axes[0, column], weekly[weekly["maturity"] == maturity], strategies)
            axes[0, column].set_title(f"{maturity} maturity")
            _endings(axes[1, column], summary[summary["maturity"] == maturity], strategies)
        axes[0, 0].set_ylabel("cumulative net value (EUR)")
        bands = "bands: 95% interval of the mean" + (" (dark),\nmiddle 80% of runs (light)" if len(strategies) <= 4 else "")
        if len(maturities) > 1 or len(strategies) == 1:
            axes[0, 0].text(0.02, 0.98, bands, transform=axes[0, 0].transAxes, va="top", fontsize=7.5, color="#444444")
        if len(strategies) > 1:
            alone = len(maturities) == 1  # then the note is the legend's title, beside the panel
            place: Any = (
                {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "title": bands, "title_fontsize": 7.5}
                if alone
                else {"loc": "upper left"}
            )
            axes[0, -1].legend(fontsize=8, alignment="left", **place)
        used = [name for name in CLASS_LABELS if summary.loc[summary["measure"] == f"outcome_{name}", "estimate"].max() > 0]
        figure.legend(
            handles=[Patch(color=CLASS_COLOURS[n], label=CLASS_LABELS[n]) for n in used],
            loc="outside lower center",
            ncols=len(used),
            fontsize=8,
        )
        figure.suptitle(_headline(summary, maturities, strategies), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return save(figure, folder / "figure.png")


def _headline(summary: pd.DataFrame, maturities: Sequence[str], strategies: Sequence[str]) -> str:
    """The finding, a line per maturity: who earns most, or loses least, by the means."""
    best = []
    for maturity in maturities:
        net = summary[(summary["maturity"] == maturity) & (summary["measure"] == "net")].set_index("strategy")["estimate"]
        earns = "earns" if net.max() >= 0 else "loses"
        most = "" if len(strategies) == 1 else " most" if net.max() >= 0 else " least"
        best.append(
            f"{maturity.capitalize()} maturity: {strategy_label(str(net.idxmax()))} {earns}{most}, {millions(abs(net.max()))} on average"
        )
    return "\n".join(best)


def _value_over_time(axes: Any, weekly: pd.DataFrame, strategies: Sequence[str]) -> None:
    """Mean with its 95% interval (dark) and the middle 80% of runs (light)."""
    axes.axhline(0, color="#888888", lw=0.8)
    for k, strategy in enumerate(strategies):
        rows = weekly[weekly["strategy"] == strategy]
        runs = rows["cumulative_net"].to_numpy().reshape(-1, rows["week"].nunique())
        week, mean = np.arange(runs.shape[1]) + 1, runs.mean(axis=0)
        half = 1.96 * runs.std(axis=0, ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else 0 * mean
        low, high = np.percentile(runs, [10, 90], axis=0)
        colour, line = COLOURS[k % len(COLOURS)], LINES[k // len(COLOURS) if len(strategies) > 4 else k % len(LINES)]
        if len(strategies) <= 4:
            axes.fill_between(week, low, high, color=colour, alpha=0.13, lw=0)
        axes.fill_between(week, mean - half, mean + half, color=colour, alpha=0.35, lw=0)
        axes.plot(week, mean, color=colour, ls=line, lw=1.6, label=strategy_label(strategy))
    axes.set_xlabel("week")
    axes.yaxis.set_major_formatter(_EUR)


def _endings(axes: Any, summary: pd.DataFrame, strategies: Sequence[str]) -> None:
    """Share of runs that end in each class."""
    shares = summary[summary["measure"].str.startswith("outcome_")].set_index(["strategy", "measure"])["estimate"]
    for row, strategy in enumerate(strategies):
        left = 0.0
        for name in CLASS_LABELS:
            share = float(shares.get((strategy, f"outcome_{name}"), 0.0))
            axes.barh(row, share, left=left, color=CLASS_COLOURS[name], height=0.72)
            if share >= 0.08:
                dark = name in ("never_launched", "abandoned", "scaled")
                axes.text(left + share / 2, row, f"{share:.0%}", ha="center", va="center", fontsize=8, color="white" if dark else "black")
            left += share
    axes.set_yticks(range(len(strategies)), [strategy_label(s) for s in strategies])
    axes.set_ylim(len(strategies) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("runs that end as")
    axes.grid(False)
