"""The charts of a report: each comes as an SVG that stands inside a page, its text as text."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.bottleneck import CONSTRAINTS
from sim.views.colours import CLASS_COLOURS, COLOURS, CONSTRAINT_COLOURS, SOURCE_COLOURS, SOURCE_MARKS, USING
from sim.views.figures.compare import draw_endings, value_over_time
from sim.views.figures.style import STYLE, value_formatter
from sim.views.report.read import Tables
from sim.views.report.tables import listed_units
from sim.views.words import CLASS_LABELS, cut, strategy_label

#: As wide as the text of an A4 page [inches].
WIDTH = 7.2
#: Strategies in one chart of what binds; more get a chart of their own.
ROWS = 5
#: Weeks in which the dip is looked for.
DIP = 104
#: Names come from users: no formulas in them, and letters stay letters.
INLINE: Any = STYLE | {"svg.fonttype": "none", "font.size": 8.5, "axes.titlesize": 9}


def _title(maturity: str, maturities: Sequence[str]) -> str:
    """A panel's title, short enough for narrow ones."""
    return f"{maturity} maturity" if len(maturities) < 4 else maturity


def worth_chart(found: Tables) -> Markup:
    """Net value at the end of each strategy, a panel a maturity, with 95% intervals."""
    summary = found.summary
    maturities, strategies = found.maturities, found.strategies
    with matplotlib.rc_context(INLINE):
        figure = Figure(figsize=(WIDTH, 0.8 + 0.26 * len(strategies)), layout="constrained")
        panels = figure.subplots(1, len(maturities), squeeze=False, sharey=True)[0]
        for axis, maturity in zip(panels, maturities, strict=True):
            net = summary[(summary["maturity"] == maturity) & (summary["measure"] == "net")].set_index("strategy")
            axis.axvline(0, color="#888888", lw=0.8)
            for row, strategy in enumerate(strategies):
                if strategy in net.index:
                    estimate, low, high = net.loc[strategy, ["estimate", "low", "high"]].astype(float)
                    colour = COLOURS[row % len(COLOURS)]
                    axis.plot([low, high], [row, row], color=colour, lw=2.2, solid_capstyle="butt")
                    axis.plot(estimate, row, "o", color=colour, ms=5)
            axis.set_title(_title(maturity, maturities))
            axis.set_yticks(range(len(strategies)), [strategy_label(s) for s in strategies])
            axis.set_ylim(len(strategies) - 0.4, -0.6)
            axis.margins(x=0.12)
            axis.xaxis.set_major_formatter(value_formatter("net"))
            axis.xaxis.set_major_locator(MaxNLocator({1: 6, 2: 5, 3: 3}.get(len(maturities), 2)))
        return inline(figure, "worth", "Net value at the end of each strategy with 95% intervals, by maturity")


def value_chart(found: Tables) -> Markup:
    """Cumulative net value over the weeks, one column per maturity: over all weeks on one scale, and the dip each on its own."""
    maturities, strategies = found.maturities, found.strategies
    with matplotlib.rc_context(INLINE):
        figure = Figure(figsize=(WIDTH, 4.1 + 0.2 * -(-len(strategies) // 4)), layout="constrained")
        panels = figure.subplots(2, len(maturities), squeeze=False, sharey=False, height_ratios=(1.35, 1))
        for column, maturity in enumerate(maturities):
            rows = found.weekly[found.weekly["maturity"] == maturity]
            above, below = panels[:, column]
            value_over_time(above, rows, strategies)
            above.set(title=_title(maturity, maturities), xlabel="")
            value_over_time(below, rows[rows["week"] < DIP], strategies)
            _show_the_dip(below)
            for axis in (above, below):
                axis.xaxis.set_major_locator(MaxNLocator(4 if len(maturities) < 4 else 3))
                axis.yaxis.set_major_locator(MaxNLocator(5))
        low, high = (f(axis.get_ylim()[k] for axis in panels[0]) for k, f in enumerate((min, max)))
        for k, axis in enumerate(panels[0]):
            axis.set_ylim(low, high)
            axis.tick_params(labelleft=k == 0)
        panels[0, 0].set_ylabel("cumulative net value (EUR)")
        panels[1, 0].set_ylabel("the dip (EUR)")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(strategies)))
        return inline(figure, "value", "Cumulative net value over the weeks, by maturity and strategy")


def _show_the_dip(axis: Any) -> None:
    """Cut the scale at as much above nought as the deepest mean lies below it, so that the dip is seen."""
    lines = [line.get_ydata() for line in axis.lines[1:]]
    lowest = min((float(np.min(y)) for y in lines), default=0.0)
    if lowest < 0:
        axis.set_ylim(1.8 * lowest, -1.8 * lowest)


def endings_chart(found: Tables) -> Markup:
    """How runs end, a panel a maturity."""
    summary = found.summary
    maturities, strategies = found.maturities, found.strategies
    used = [name for name in CLASS_LABELS if summary.loc[summary["measure"] == f"outcome_{name}", "estimate"].max() > 0]
    with matplotlib.rc_context(INLINE):
        figure = Figure(figsize=(WIDTH, 1.0 + 0.27 * len(strategies)), layout="constrained")
        panels = figure.subplots(1, len(maturities), squeeze=False, sharey=True)[0]
        for axis, maturity in zip(panels, maturities, strict=True):
            draw_endings(axis, summary[summary["maturity"] == maturity], strategies)
            for text in list(axis.texts):  # what does not fit a narrow panel; the table has it
                if len(maturities) > 1 and float(text.get_text().rstrip("%")) < 5 * len(maturities):
                    text.remove()
            axis.set_title(_title(maturity, maturities))
            axis.set_xlabel("")
            axis.xaxis.set_major_locator(MaxNLocator(2))
        patches = [Patch(color=CLASS_COLOURS[name], label=CLASS_LABELS[name]) for name in used]
        figure.legend(handles=patches, loc="outside lower center", ncols=len(used))
        return inline(figure, "endings", "Share of runs that end in each class, by maturity and strategy")


def binding_charts(found: Tables) -> list[Markup]:
    """Planners on the forecast, and what keeps the others off it, over the weeks; a chart for every few strategies."""
    maturities, strategies = found.maturities, found.strategies
    means = found.held.groupby(["maturity", "strategy", "week"], observed=True)[["using", *CONSTRAINTS]].mean()
    used = [name for name in CONSTRAINTS if means[name].max() >= 0.02]
    charts = []
    for first in range(0, len(strategies), ROWS):
        part = strategies[first : first + ROWS]
        with matplotlib.rc_context(INLINE):
            figure = Figure(figsize=(WIDTH, 0.75 + 1.35 * len(part)), layout="constrained")
            panels = figure.subplots(len(part), len(maturities), squeeze=False, sharex=True, sharey=True)
            for row, strategy in enumerate(part):
                for column, maturity in enumerate(maturities):
                    _held(panels[row, column], means, maturity, strategy)
                    panels[row, column].set_title(f"{strategy_label(strategy)},\n{maturity} maturity", fontsize=8, fontweight="normal")
                panels[row, 0].set_ylabel("planners")
            for axis in panels[-1]:
                axis.set_xlabel("week")
            patches = [Patch(facecolor=USING, label="plan on the forecast")]
            patches += [Patch(facecolor=CONSTRAINT_COLOURS[name], label=CONSTRAINTS[name]) for name in used]
            figure.legend(handles=patches, loc="outside lower center", ncols=4)
            label = "Share of planners on the forecast, and what keeps the others off it, over the weeks"
            charts.append(inline(figure, f"binding{first}", label))
    return charts


def _held(axis: Any, means: Any, maturity: str, strategy: str) -> None:
    axis.set(ylim=(0, 1))
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.yaxis.set_major_locator(MaxNLocator(2))
    axis.grid(False)
    if (maturity, strategy) not in means.index.droplevel("week"):
        return
    rows: Any = means.loc[(maturity, strategy)]
    there = [name for name in CONSTRAINTS if rows[name].max() > 0.001]
    colours = [USING, *(CONSTRAINT_COLOURS[name] for name in there)]
    parts = rows[["using", *there]].to_numpy().T
    parts = np.hstack([parts[:, :1], parts])  # the first look stands for the weeks before it
    axis.stackplot([0, *rows.index], parts, colors=colours, lw=0)
    axis.set_xlim(0, rows.index.max())


def units_chart(found: Tables) -> Markup:
    """Reliance of each unit's planners at the end: mean, and the middle 80% of runs; who relies most comes first."""
    maturities, everyone, strategies = found.maturities, found.strategies, found.drawn
    shown, _ = listed_units(found.units)
    reliance = found.units.groupby(["maturity", "strategy", "unit"], observed=True)["reliance"]
    table = pd.DataFrame({"mean": reliance.mean(), "low": reliance.quantile(0.1), "high": reliance.quantile(0.9)})
    shift = 0.36 / max(1, len(strategies) - 1)
    with matplotlib.rc_context(INLINE):
        figure = Figure(figsize=(WIDTH, 0.85 + (0.16 + 0.035 * len(strategies)) * len(shown)), layout="constrained")
        panels = figure.subplots(1, len(maturities), squeeze=False, sharey=True)[0]
        for axis, maturity in zip(panels, maturities, strict=True):
            for k, strategy in enumerate(strategies):
                rows = table.reindex([(maturity, strategy, unit) for unit in shown])
                at = np.arange(len(shown)) + (k - (len(strategies) - 1) / 2) * shift
                colour = COLOURS[everyone.index(strategy) % len(COLOURS)]
                axis.hlines(at, rows["low"], rows["high"], color=colour, lw=1.3, alpha=0.6)
                axis.plot(rows["mean"], at, "osD^"[k % 4], color=colour, ms=3.6, clip_on=False)
            axis.set(xlim=(0, 1), ylim=(len(shown) - 0.4, -0.6), title=_title(maturity, maturities))
            axis.set_yticks(range(len(shown)), [cut(name, 28) for name in shown])
            axis.xaxis.set_major_formatter(PercentFormatter(1))
            axis.xaxis.set_major_locator(MaxNLocator(2))
        marks = [
            Line2D([], [], color=COLOURS[everyone.index(s) % len(COLOURS)], marker="osD^"[k % 4], ms=4, lw=1.3, label=strategy_label(s))
            for k, s in enumerate(strategies)
        ]
        figure.legend(handles=marks, loc="outside lower center", ncols=min(4, len(marks)))
        return inline(figure, "units", "Reliance of each unit's planners at the end, by maturity and strategy")


def deciding_chart(folder: Path, most: int = 10) -> Markup:
    """The leading parameters of a sensitivity analysis, with 95% intervals, coloured by what their value rests on."""
    importance, summary = pd.read_parquet(folder / "importance.parquet"), pd.read_parquet(folder / "summary.parquet").iloc[0]
    rows, morris = importance.head(most), summary["method"] == "morris"
    index = "mu_star" if morris else "ST"
    with matplotlib.rc_context(INLINE):
        figure = Figure(figsize=(WIDTH, 1.0 + 0.2 * len(rows)), layout="constrained")
        axis = figure.subplots()
        for k, (_, row) in enumerate(rows.iterrows()):
            colour = SOURCE_COLOURS[row["source"]]
            axis.plot([row[f"{index}_low"], row[f"{index}_high"]], [k, k], color=colour, lw=1.6, solid_capstyle="butt")
            axis.plot(row[index], k, SOURCE_MARKS[row["source"]], color=colour, ms=5, clip_on=False)
        axis.axvline(float(summary["threshold"]), color="#888888", ls="--", lw=0.9)
        axis.set_yticks(range(len(rows)), rows["parameter"])
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_xlim(left=0)
        if morris:
            axis.xaxis.set_major_formatter(value_formatter(str(summary["outcome"])))
        axis.set_xlabel(
            "mean size of the effect over the parameter's whole range" if morris else "share of the variance, interactions included"
        )
        handles = [
            Line2D([], [], color=SOURCE_COLOURS[s], marker=SOURCE_MARKS[s], ms=5, lw=1.6, label=s)
            for s in SOURCE_COLOURS
            if s in set(rows["source"])
        ]
        handles.append(Line2D([], [], color="#888888", ls="--", lw=0.9, label="matters from here"))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        return inline(figure, "deciding", "Parameters by how much they move the answer, with 95% intervals")


def inline(figure: Figure, name: str, label: str) -> Markup:
    """A figure as an SVG element for a page: no header, no date, ids of its own, a label for screen readers."""
    layout = figure.get_layout_engine()
    if layout:  # once, not at every draw, and with a bitmap's measures of letters, which are quicker than outlines
        layout.execute(figure)
        figure.set_layout_engine("none")
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.S)
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]+"', head)
    assert box  # noqa: S101  (matplotlib always writes one)
    # only inside tags: what stands between them is text, and may be anybody's
    body = re.sub(
        r"<[^<>]*>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", tag[0])), body
    )
    # Matplotlib has escaped every text in it
    drawn = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="img" aria-label="{escape(label)}">{body}'
    return Markup(drawn)  # noqa: S704
