"""Each network and each placement of champions against what it is compared with, seed by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.statistics import mean
from experiments.real_network.readings import READ, SPREAD


def paired(a: pd.DataFrame, b: pd.DataFrame, measures: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row per measure: b's mean, and the mean of a − b, with 95% intervals (Student), over the seeds in which both are defined."""
    rows = []
    left, right = (cell.set_index("seed") for cell in (a, b))
    for name in measures:
        both = pd.concat({"a": left[name], "b": right[name]}, axis=1).dropna()
        x, y = both["a"].to_numpy(float), both["b"].to_numpy(float)
        difference = mean(x - y) if len(x) else (np.nan,) * 3
        reference = mean(y) if len(x) else (np.nan,) * 3
        values = zip(("reference", "difference"), (reference, difference), strict=True)
        named = {f"{what}{end}": v for what, triple in values for end, v in zip(("", "_low", "_high"), triple, strict=True)}
        rows.append({"measure": name, "pairs": len(x), **named})
    return rows


def compare(runs: pd.DataFrame, maturities: list[str], arms: list[tuple[str, str, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each generated network less the real one; and each placement less as many champions at random, and these less none."""
    good = runs[runs["error"] == ""]

    def cell(maturity: str, arm: tuple[str, str, float]) -> pd.DataFrame:
        chosen = (good["maturity"] == maturity) & (good["network"] == arm[0]) & (good["placement"] == arm[1])
        return good[chosen & (good["champions"] == arm[2])]

    networks, champions = [], []
    for maturity in maturities:
        plain = cell(maturity, arms[0])
        for arm in arms[1:]:
            network, placement, share = arm
            if network != "real":
                found = paired(cell(maturity, arm), plain, READ)
                networks += [{"maturity": maturity, "network": network, **row} for row in found]
            else:
                other = plain if placement == "random" else cell(maturity, ("real", "random", share))
                against = "none" if placement == "random" else "random"
                found = paired(cell(maturity, arm), other, ("final_reliance", *SPREAD))
                champions += [
                    {"maturity": maturity, "champions": share, "placement": placement, "against": against, **row} for row in found
                ]
    return pd.DataFrame(networks), pd.DataFrame(champions)
