"""The picture of a search: how it went, what the test says, and how what was found differs from the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.parameters import BUCKETS, PHASES
from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save, value_formatter
from sim.views.words import outcome_words, strategy_label


def optimise_figure(folder: Path) -> Path:
    """How the search went and what the test says, and how what was found differs from the start. Writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    trials, tested = pd.read_parquet(folder / "trials.parquet"), pd.read_parquet(folder / "test.parquet")
    start = plan["parameters"]["strategy"]
    found = trials[trials["found"] != ""].sort_values("found", kind="stable")
    names = [str(name) for name in trials]
    levers = [name for name in names if name.startswith("strategy.") and ".effort." not in name]
    efforts = [name for name in names if ".effort." in name]
    with matplotlib.rc_context(STYLE):
        widths = [1.5, *([1.25] if efforts else []), *([1.0] if levers else [])]
        figure = Figure(figsize=(4.0 + 2.6 * (len(widths) - 1) + 1.5, 4.6), layout="constrained")
        panels = list(figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0])
        (_progress if len(plan["objectives"]) == 1 else _compromises)(panels[0], trials, tested, plan)
        if efforts:
            _shares(panels[1], found, start)
        if levers:
            _levers(panels[-1], found, levers, plan)
        figure.suptitle(
            f"A search that began with {strategy_label(start['name'])}: {len(trials):,} trials, same budget", x=0.01, ha="left", fontsize=10
        )
        return save(figure, folder / "figure.png")


def _formatter(objective: str) -> Any:
    return value_formatter(objective.rpartition(".")[0])


def _statistic(objective: str) -> str:
    outcome, _, statistic = objective.rpartition(".")
    return f"{outcome_words(outcome)}\n({ {'cvar': 'mean of the worst runs', 'regret': 'mean regret'}.get(statistic, statistic) })"


def _progress(panel: Any, trials: pd.DataFrame, tested: pd.DataFrame, plan: dict[str, Any]) -> None:
    """Trials in the order they were made, the best so far, and what found strategy and start come to in the test."""
    name = plan["objectives"][0]
    good = trials[trials["failed"] == 0]
    worse = name.endswith(".regret")
    so_far = good[name].cummin() if worse else good[name].cummax()
    panel.plot(good["trial"], good[name], ".", ms=4, color="#8a8a8a", label="a trial, in the search")
    panel.step(good["trial"], so_far, where="post", color=COLOURS[0], lw=1.4, label="best so far, in the search")
    rows, found = tested.set_index("candidate"), trials.loc[trials["found"] != "", "found"].iloc[0]
    at = trials["trial"].max() * 1.06 + 1
    for candidate, colour, mark, label in (
        (plan["parameters"]["strategy"]["name"], COLOURS[1], "s", "{} in the test"),
        (found, COLOURS[0], "o", "found, in the test"),
    ):
        row = rows.loc[candidate]
        panel.errorbar(
            at, row["test"], yerr=[[row["test"] - row["test_low"]], [row["test_high"] - row["test"]]], fmt=mark, color=colour, ms=6, capsize=3,
            label=label.format(strategy_label(candidate)),
        )  # fmt: skip
        at += trials["trial"].max() * 0.04 + 1
    low, high = np.quantile(good[name], (0.1, 1.0) if not worse else (0.0, 0.9))
    ends = [*rows.loc[[found, plan["parameters"]["strategy"]["name"]], ["test_low", "test_high"]].to_numpy().ravel(), low, high]
    room = 0.05 * float(np.ptp(ends)) or 0.05 * abs(ends[0]) or 1.0
    panel.set_ylim(min(ends) - room, max(ends) + room)
    panel.yaxis.set_major_formatter(_formatter(name))
    panel.set(title="The search", xlabel="trial", ylabel=_statistic(name).replace("\n", " "))
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=8, ncols=2)


def _compromises(panel: Any, trials: pd.DataFrame, tested: pd.DataFrame, plan: dict[str, Any]) -> None:
    """Trials by two objectives, and in the test those that no other one beats, with the start."""
    a, b = plan["objectives"][:2]
    good = trials[trials["failed"] == 0]
    panel.plot(good[a], good[b], ".", ms=4, color="#8a8a8a", label="a trial, in the search")
    table = {name: tested[tested["objective"] == name].set_index("candidate") for name in (a, b)}
    found = sorted(set(trials["found"]) - {""})
    for candidate in (plan["parameters"]["strategy"]["name"], *found):
        x, y = (table[name].loc[candidate] for name in (a, b))
        is_found = candidate in found
        spread = {axis: [[row["test"] - row["test_low"]], [row["test_high"] - row["test"]]] for axis, row in (("xerr", x), ("yerr", y))}
        label = "found, in the test" if candidate in found[:1] else "" if is_found else f"{strategy_label(candidate)} in the test"
        panel.errorbar(
            x["test"], y["test"], **spread, fmt="o" if is_found else "s", color=COLOURS[0] if is_found else COLOURS[1], ms=6, lw=0.8,
            label=label or None, zorder=4,
        )  # fmt: skip
        if is_found:
            number = candidate.rpartition("_")[2]
            panel.annotate(number, (x["test"], y["test"]), xytext=(5, 4), textcoords="offset points", fontsize=7.5, zorder=5)
    for axis, name in ((panel.xaxis, a), (panel.yaxis, b)):
        axis.set_major_formatter(_formatter(name))
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.set(title="Compromises", xlabel=_statistic(a).replace("\n", " "), ylabel=_statistic(b).replace("\n", " "))
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=8, ncols=2)


def _shares(panel: Any, found: pd.DataFrame, start: dict[str, Any]) -> None:
    """Effort shares by phase, of the start and of what was found; of several, while rolling out."""
    several = len(found) > 1
    rows: list[tuple[str, list[float]]] = []
    for phase in ("rollout",) if several else PHASES:
        rows.append((f"{phase}: start", [start["effort"][phase][bucket] for bucket in BUCKETS]))
        for _, trial in found.iterrows():
            label = trial["found"].rpartition("_")[2] if several else "found"
            rows.append((f"{phase}: {label}", [trial[f"strategy.effort.{phase}.{bucket}"] for bucket in BUCKETS]))
    at = np.array([k + (0 if several else 0.5 * (k // 2)) for k in range(len(rows))], float)
    left = np.zeros(len(rows))
    for k, bucket in enumerate(BUCKETS):
        values = np.array([shares[k] for _, shares in rows])
        panel.barh(at, values, left=left, height=0.78, color=COLOURS[k], label=bucket, edgecolor="white", lw=0.5)
        left += values
    panel.set_yticks(at, [label for label, _ in rows])
    panel.set_ylim(at[-1] + 0.6, -0.6)
    panel.set_xlim(0, 1)
    panel.xaxis.set_major_formatter(PercentFormatter(1))
    panel.grid(False)
    panel.set(title="Effort" + (" while rolling out" if several else ""), xlabel="share of effort left after support")
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=8, ncols=3)


def _levers(panel: Any, found: pd.DataFrame, levers: list[str], plan: dict[str, Any]) -> None:
    """The other levers within what was tried, of the start and of what was found, with their values."""
    start = plan["parameters"]["strategy"]
    for k, name in enumerate(levers):
        short = name.removeprefix("strategy.")
        lever = plan["design"]["levers"][short]
        panel.plot([0, 1], [k, k], color="#dddddd", lw=2, zorder=1)
        panel.plot(_place(start[short], lever), k - 0.16, "s", color=COLOURS[1], ms=5, zorder=3)
        for _, trial in found.iterrows():
            panel.plot(_place(trial[name], lever), k + 0.16, "o", color=COLOURS[0], ms=5, zorder=3)
        if len(found) == 1:
            panel.annotate(
                _short(found[name].iloc[0]), (1.04, k + 0.16), va="center", fontsize=7.5, color=COLOURS[0], annotation_clip=False
            )
        panel.annotate(_short(start[short]), (1.04, k - 0.22), va="center", fontsize=7.5, color=COLOURS[1], annotation_clip=False)
    panel.set_yticks(range(len(levers)), [name.removeprefix("strategy.") for name in levers])
    panel.set(xlim=(-0.05, 1.05), ylim=(len(levers) - 0.4, -0.6), xticks=[0, 1], title="Other levers")
    panel.set_xticklabels(["lowest", "highest"])
    panel.set_xlabel("within what was tried")
    panel.grid(False)
    panel.legend(
        handles=[
            Line2D([], [], color=COLOURS[1], marker="s", ls="", ms=5, label="start"),
            Line2D([], [], color=COLOURS[0], marker="o", ls="", ms=5, label="found"),
        ],
        loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=8, ncols=2,
    )  # fmt: skip


def _place(value: Any, lever: list[Any]) -> float:
    if isinstance(lever[0], str):
        return lever.index(value) / max(1, len(lever) - 1) if value in lever else 0.5
    return min(1.0, max(0.0, (value - lever[0]) / (lever[1] - lever[0])))


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
