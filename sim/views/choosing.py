"""Pictures of choosing among strategies: the map of who wins, regret over futures, and a search. Each takes a results folder and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.parameters import BUCKETS, PHASES
from sim.views.colours import COLOURS
from sim.views.figures import STYLE, save, value_formatter
from sim.views.words import in_words, outcome_words, strategy_label

#: Orange to purple: two directions that people with colour-blindness can tell apart.
DIRECTIONS = "PuOr_r"
HATCH = "////"


# --------------------------------------------------------------------------- the map of who wins


def phase_figure(folder: Path) -> Path:
    """By how much and how often who wins over two parameters, with the boundary. Writes ``figure.png``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    cells, each = pd.read_parquet(folder / "cells.parquet"), pd.read_parquet(folder / "strategies.parquet")
    axes_of, strategies, outcome = [plan["design"][a] for a in ("x", "y")], plan["strategies"], plan["outcome"]
    names = [axis["parameter"] for axis in axes_of]
    xs, ys = (np.unique(cells[name]) for name in names)

    def grid(column: pd.Series) -> np.ndarray:
        return column.to_numpy().reshape(len(xs), len(ys)).T  # the design runs through y first

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 4.9), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        means = each["mean"].to_numpy().reshape(len(xs), len(ys), len(strategies)).transpose(1, 0, 2)
        if len(strategies) == 2:
            _two(figure, panels, grid, cells, strategies, outcome, xs, ys)
        else:
            _many(figure, panels, grid, cells, strategies, outcome, xs, ys)
        for panel in panels:
            panel.set_facecolor("#d0d0d0")
            _hatch(panel, grid(cells["decided"] | (cells["winner"] == "")), xs, ys)
            _boundary(panel, means, xs, ys)
            panel.plot(axes_of[0]["configured"], axes_of[1]["configured"], "*", ms=14, mfc="white", mec="black", mew=1.2, zorder=6)
            panel.set_xlim(_edges(xs)[[0, -1]])
            panel.set_ylim(_edges(ys)[[0, -1]])
            panel.set_xlabel(_axis_label(folder, names[0]))
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(6))
            panel.grid(False)
        panels[0].set_ylabel(_axis_label(folder, names[1]))
        inside = all(axis["low"] <= axis["configured"] <= axis["high"] for axis in axes_of)
        handles: list[Any] = [
            Line2D([], [], color="black", lw=1.6, label="boundary between winners"),
            Patch(facecolor="white", edgecolor="#555555", hatch=HATCH, lw=0, label="95% interval of the lead includes 0"),
        ]
        if inside:
            handles.append(
                Line2D([], [], marker="*", ls="", ms=12, mfc="white", mec="black", label=f"enterprise as configured ({_base(plan)})")
            )
        if (cells["winner"] == "").any():
            handles.append(Patch(color="#d0d0d0", label="a run failed"))
        if len(strategies) > 2:
            won = [s for s in strategies if s in set(cells["winner"])]
            handles = [Patch(color=COLOURS[strategies.index(s) % len(COLOURS)], label=strategy_label(s)) for s in won] + handles
        figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), fontsize=8)
        who = " against ".join(map(strategy_label, strategies)) if len(strategies) < 4 else f"{len(strategies)} strategies"
        figure.suptitle(
            f"Who wins on {outcome_words(outcome)}: {who}\n{plan['replications']} runs a cell and strategy, with the same luck",
            x=0.01, ha="left", fontsize=10,
        )  # fmt: skip
        return save(figure, folder / "figure.png")


def _base(plan: dict[str, Any]) -> str:
    return ", ".join(f"{plan['design'][a]['configured']:.3g}" for a in ("x", "y"))


def _axis_label(folder: Path, name: str) -> str:
    rows = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False).set_index("column")
    unit = rows.loc[[name], "unit"].iloc[0]
    return f"{name} ({unit})" if unit else name


def _edges(centres: np.ndarray) -> np.ndarray:
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def _two(figure: Figure, panels: Any, grid: Any, cells: pd.DataFrame, strategies: Sequence[str], outcome: str, xs: Any, ys: Any) -> None:
    first = np.where(cells["winner"] == strategies[0], 1.0, -1.0)
    ahead = grid(pd.Series(first * cells["lead"]))
    often = grid(pd.Series(np.where(first > 0, cells["best_of_all"], 1 - cells["best_of_all"])))
    most = float(np.nanmax(np.abs(ahead))) or 1.0
    a, b = map(strategy_label, strategies)
    for panel, values, norm, title, form in (
        (panels[0], ahead, TwoSlopeNorm(0, -most, most), "By how much", value_formatter(outcome)),
        (panels[1], often, TwoSlopeNorm(0.5, 0, 1), "How often", PercentFormatter(1)),
    ):
        shown = panel.pcolormesh(_edges(xs), _edges(ys), np.ma.masked_invalid(values), cmap=DIRECTIONS, norm=norm, rasterized=True)
        bar = figure.colorbar(shown, ax=panel, format=form, pad=0.02)
        bar.set_label(f"{a} − {b}, mean" if title == "By how much" else f"runs in which {a} is ahead", fontsize=8)
        panel.set_title(title)


def _many(figure: Figure, panels: Any, grid: Any, cells: pd.DataFrame, strategies: Sequence[str], outcome: str, xs: Any, ys: Any) -> None:
    number = cells["winner"].map({name: float(i) for i, name in enumerate(strategies)}).astype(float)
    colours = ListedColormap([COLOURS[i % len(COLOURS)] for i in range(len(strategies))])
    panels[0].pcolormesh(
        _edges(xs), _edges(ys), np.ma.masked_invalid(grid(number)), cmap=colours, vmin=-0.5, vmax=len(strategies) - 0.5, rasterized=True
    )
    panels[0].set_title("Who has the best mean")
    shown = panels[1].pcolormesh(_edges(xs), _edges(ys), np.ma.masked_invalid(grid(cells["lead"])), cmap="cividis", rasterized=True)
    figure.colorbar(shown, ax=panels[1], format=value_formatter(outcome), pad=0.02).set_label("lead over the second, mean", fontsize=8)
    panels[1].set_title("By how much")


def _hatch(panel: Any, clear: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> None:
    """Hatch the cells that are not clear, whole cells."""
    x, y = _edges(xs), _edges(ys)
    for j, i in zip(*np.nonzero(~clear.astype(bool)), strict=True):
        panel.fill_between([x[i], x[i + 1]], y[j], y[j + 1], facecolor="none", edgecolor="#555555", hatch=HATCH, lw=0)


def _boundary(panel: Any, means: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> None:
    """Lines along which a strategy's lead over the best of the others is 0, between the cells' centres."""
    if len(xs) < 2 or len(ys) < 2:
        return
    count = means.shape[2]
    for s in range(count if count > 2 else 1):
        lead = means[:, :, s] - np.delete(means, s, axis=2).max(axis=2)
        if np.nanmin(lead) < 0 < np.nanmax(lead):
            panel.contour(xs, ys, np.ma.masked_invalid(lead), levels=[0.0], colors="black", linewidths=1.6, zorder=5)


# --------------------------------------------------------------------------- regret over futures


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


# --------------------------------------------------------------------------- a search


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
        handles=[Line2D([], [], color=COLOURS[1], marker="s", ls="", ms=5, label="start"), Line2D([], [], color=COLOURS[0], marker="o", ls="", ms=5, label="found")],
        loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=8, ncols=2,
    )  # fmt: skip


def _place(value: Any, lever: list[Any]) -> float:
    if isinstance(lever[0], str):
        return lever.index(value) / max(1, len(lever) - 1) if value in lever else 0.5
    return min(1.0, max(0.0, (value - lever[0]) / (lever[1] - lever[0])))


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
