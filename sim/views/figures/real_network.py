"""The picture of the model on a real network: how far generated ones are from it, and what placing champions brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sim.views.colours import COLOURS
from sim.views.figures.style import STYLE, save
from sim.views.words import NETWORK_LABELS, PLACEMENT_LABELS

MARKERS = ("o", "s", "^", "v")
PANELS = {
    "final_reliance": ("Reliance at the end", "points", 100.0),
    "assortativity": ("Assortativity over ties", "correlation", 1.0),
    "between": ("Variance between departments", "share", 1.0),
    "modularity": ("Modularity of adopters", "modularity", 1.0),
}


def real_network_figure(folder: Path) -> Path:
    """Above, each generated network less the real one; below, each placement of champions less random ones. Writes ``figure.png``."""
    networks, champions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("networks", "champions"))
    maturities = list(dict.fromkeys(networks["maturity"]))
    kinds = list(dict.fromkeys(networks["network"]))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 3.1 + 0.42 * len(kinds) * max(1, len(maturities) / 2) + 2.7), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.15))
        upper, lower = parts
        panels: Any = upper.subplots(1, len(PANELS), sharey=True)
        for axis, (measure, (title, unit, scale)) in zip(panels, PANELS.items(), strict=True):
            axis.axvline(0, color="#555555", lw=1)
            for k, maturity in enumerate(maturities):
                rows = networks[(networks["maturity"] == maturity) & (networks["measure"] == measure)].set_index("network").loc[kinds]
                at = np.arange(len(kinds)) + (k - (len(maturities) - 1) / 2) * 0.3
                colour = COLOURS[k % len(COLOURS)]
                axis.hlines(at, scale * rows["difference_low"], scale * rows["difference_high"], color=colour, lw=2)
                axis.plot(scale * rows["difference"], at, MARKERS[k % len(MARKERS)], color=colour, ms=5)
            axis.set_title(title, fontsize=9)
            axis.set(xlabel=f"less the real network's, {unit}", ylim=(len(kinds) - 0.5, -0.5))
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.grid(axis="y", visible=False)
        panels[0].set_yticks(range(len(kinds)), [NETWORK_LABELS[kind] for kind in kinds])
        handles = [
            Line2D([], [], color=COLOURS[k % len(COLOURS)], marker=MARKERS[k % len(MARKERS)], lw=2, ms=5, label=f"{m} maturity")
            for k, m in enumerate(maturities)
        ]
        upper.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
        _champions(lower, champions, maturities)
        figure.suptitle(
            "The same people and luck on other networks, and with other champions (means with 95% intervals)",
            x=0.01,
            ha="left",
            fontsize=10,
        )
        return save(figure, folder / "figure.png")


def _champions(part: Any, champions: pd.DataFrame, maturities: list[str]) -> None:
    """Use and followers' reliance over the share of champions: each placement less as many at random."""
    measures = {"use": "use, all weeks", "followers": "followers relying, end"}
    panels = part.subplots(1, len(maturities) * len(measures), sharex=True, squeeze=False)[0]
    placements = [name for name in dict.fromkeys(champions["placement"]) if name != "random"]
    shares = list(dict.fromkeys(champions["champions"]))
    for axis, (maturity, measure) in zip(panels, ((m, name) for m in maturities for name in measures), strict=True):
        axis.axhline(0, color="#555555", lw=1)
        for k, placement in enumerate(placements):
            chosen = (champions["maturity"] == maturity) & (champions["measure"] == measure) & (champions["placement"] == placement)
            rows = champions[chosen].set_index("champions").loc[shares]
            at = np.arange(len(shares)) + (k - (len(placements) - 1) / 2) * 0.16
            colour = COLOURS[2 + k]
            axis.vlines(at, 100 * rows["difference_low"], 100 * rows["difference_high"], color=colour, lw=2)
            axis.plot(at, 100 * rows["difference"], color=colour, marker=MARKERS[k], ms=5, lw=1, ls=("-", "--", "-.", ":")[k])
        axis.set_title(f"{maturity}: {measures[measure]}", fontsize=9)
        axis.set_xticks(range(len(shares)), [f"{share:.0%}" for share in shares])
        axis.set_xlabel("champions in each department")
        axis.grid(axis="x", visible=False)
    panels[0].set_ylabel("less as many at random, points")
    looks = zip(placements, COLOURS[2:], MARKERS, ("-", "--", "-.", ":"), strict=False)
    words = {n: PLACEMENT_LABELS[n] if n == "clustered" else "with " + PLACEMENT_LABELS[n] for n, *_ in looks}
    handles = [Line2D([], [], color=c, marker=m, ls=ls, lw=1.6, ms=5, label=f"champions {words[n]}") for n, c, m, ls in looks]
    part.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
