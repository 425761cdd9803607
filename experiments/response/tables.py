"""Tables of what was measured and fitted, each a function of the fitted response; and the preset that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.lab.config import read_experiment
from experiments.lab.presets import mark
from experiments.lab.statistics import mean
from experiments.response.fit import Response
from experiments.response.measure import FITTED, LEVELS
from sim.parameters import RECORDS
from sim.views.words import FORECASTER_LABELS

#: Columns of the tables, but the ends of intervals.
MEANINGS = {
    "setting": "the defects put in, by name",
    "kind": "clean, single, pair, triple (of the response's three defects) or all five",
    "missing": "share of the item-weeks of history that are not there",
    "late": "the newest so many weeks that are not there",
    "mapping": "share of items booked under a wrong brand",
    "units": "share of items with half a year of history in a local unit of measure",
    "promotions": "share of items whose promotions are not known",
    "replication": "number of the replication",
    "data": "what was measured on",
    "replications": "how many replications",
    "held_out": "the fit has not seen it",
    "forecaster": "method",
    "level": "item, brand or total; in runs also sales",
    "wape": "sum of absolute errors ÷ sum of sales; in summary the mean over replications",
    "relative": "wape ÷ wape of the same forecaster and replication on clean data, − 1; in summary the mean",
    "coefficient": "the defect that adds error",
    "in_the_response": "fitted with the other two of the model's response; else alone",
    "best": "the best forecaster on clean data at item level",
    "estimate": "share of error added per unit of the defect (least squares through the origin; may be below 0)",
    "cells_are": "which settings and replications the fitted response is held against",
    "cells": "settings × replications",
    "seed_spread": "standard deviation between replications of one setting, pooled over settings in which there is one",
    "ratio": "error ÷ seed_spread",
    "bias": "mean of measured less fitted relative error",
    "measured": "relative error of the best forecaster at item level with the defects together, mean",
    "added": "sum of the relative errors of the same defects alone, mean",
    "difference": "measured − added, paired by replication: above 0 the defects make each other worse",
    "fitted": "the fitted response, none of whose coefficients is below 0; the two defects that it has not count 0",
    "low": "lower end of its 95% interval",
    "high": "upper end of its 95% interval",
    "seed": "seed of the replication",
    "unit": "item or brand, by its place; 0 in total",
    "value": "sum of absolute errors over the weeks tested; at level sales, the sum of sales",
    "error": "empty, or why the measurement failed; in checks: root mean square of measured less fitted relative error",
}


#: The largest share of error that the model lets a defect add.
MOST_ADDED = RECORDS["forecast.missing"].high


def tables_of(fit: Response, data: str) -> dict[str, pd.DataFrame]:
    """Every table by name; ``data`` says what was measured on."""
    return {
        "errors": errors(fit), "summary": summary(fit).assign(data=data), "response": responses(fit), "checks": checks(fit), "joint": joint(fit),
    }  # fmt: skip


def errors(fit: Response) -> pd.DataFrame:
    """One row per setting, replication, forecaster and level."""
    shape = (len(fit.measured.names), fit.measured.replications, len(fit.measured.methods), len(LEVELS))
    s, r, f, n = (axis.ravel() for axis in np.indices(shape))
    wape, relative = (np.stack([table[level] for level in LEVELS], axis=3).ravel() for table in (fit.measured.wape, fit.measured.relative))
    return pd.DataFrame(
        {
            "setting": np.array(fit.measured.names)[s], "kind": fit.measured.kinds[s],
            **{c: fit.measured.defects[c].to_numpy()[s] for c in fit.measured.defects},
            "replication": r, "held_out": (r >= fit.fitted) | (fit.measured.kinds[s] == "triple"), "forecaster": np.array(fit.measured.methods)[f],
            "level": np.array(LEVELS)[n], "wape": wape, "relative": relative,
        }
    )  # fmt: skip


def summary(fit: Response) -> pd.DataFrame:
    """One row per setting, forecaster and level: means over replications with their intervals (Student)."""
    rows = [
        (name, fit.measured.kinds[s], *fit.measured.defects.iloc[s], method, level, fit.measured.replications,
         *mean(fit.measured.wape[level][s, :, f]), *mean(fit.measured.relative[level][s, :, f]))
        for s, name in enumerate(fit.measured.names) for f, method in enumerate(fit.measured.methods) for level in LEVELS
    ]  # fmt: skip
    estimates = [f"{what}{end}" for what in ("wape", "relative") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["setting", "kind", *fit.measured.defects, "forecaster", "level", "replications", *estimates])


def responses(fit: Response) -> pd.DataFrame:
    """One row per forecaster, level and coefficient."""
    rows = [
        (name, level, defect, True, name == fit.best, *estimate)
        for (name, level), fitted in fit.coefficients.items() for defect, estimate in zip(fit.measured.in_response, fitted, strict=True)
    ]  # fmt: skip
    rows += [(name, level, defect, False, name == fit.best, *fitted[0]) for (name, level, defect), fitted in fit.alone.items()]
    return pd.DataFrame(rows, columns=["forecaster", "level", "coefficient", "in_the_response", "best", "estimate", "low", "high"])


def checks(fit: Response) -> pd.DataFrame:
    """Fitted response against what it has not seen: one row per forecaster and set of cells, at item level."""
    kept = slice(fit.fitted, fit.measured.replications)
    rows = []
    for f, name in enumerate(fit.measured.methods):
        relative, expected = fit.measured.relative["item"][:, :, f], fit.predicted(name)
        spread = seed_spread(relative[fit.used | (fit.measured.kinds == "triple")])
        for label, chosen, which in (
            ("fitted", fit.used, slice(0, fit.fitted)),
            ("replications held out", fit.used, kept),
            ("triples held out", fit.measured.kinds == "triple", slice(0, fit.fitted)),
            ("both held out", fit.measured.kinds == "triple", kept),
            ("all that was held out", fit.used | (fit.measured.kinds == "triple"), kept),
        ):
            if not chosen.any():  # of one brand no setting has all three defects
                continue
            miss = (relative[chosen] - expected[chosen, None])[:, which]
            error = float(np.sqrt(np.mean(miss**2)))
            rows.append((name, label, miss.size, error, spread, error / spread if spread > 0 else np.nan, float(miss.mean())))
    return pd.DataFrame(rows, columns=["forecaster", "cells_are", "cells", "error", "seed_spread", "ratio", "bias"])


def joint(fit: Response) -> pd.DataFrame:
    """Joint defects against the sum of the same defects alone, best forecaster, item level: one row per joint setting."""
    relative = fit.measured.relative["item"][:, :, fit.measured.methods.index(fit.best)]
    rows = []
    for s in np.flatnonzero(np.isin(fit.measured.kinds, ("pair", "triple", "all"))):
        parts = [
            int(np.flatnonzero((fit.measured.kinds == "single") & (fit.measured.defects[c] == v).to_numpy())[0])
            for c, v in fit.measured.defects.iloc[s].items()
            if v > 0
        ]
        rows.append((fit.measured.names[s], fit.measured.kinds[s], *mean(relative[s]), *mean(relative[parts].sum(axis=0)),
                     *mean(relative[s] - relative[parts].sum(axis=0)), fit.predicted(fit.best)[s]))  # fmt: skip
    estimates = [f"{what}{end}" for what in ("measured", "added", "difference") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["setting", "kind", *estimates, "fitted"])


def seed_spread(relative: np.ndarray) -> float:
    """Standard deviation between replications, pooled over the settings in which there is one, [settings, replications]."""
    variance = relative.var(axis=1, ddof=1)
    variance = variance[variance > 1e-20]
    return float(np.sqrt(variance.mean())) if len(variance) else 0.0


def as_preset(fit: Response, configuration: Mapping[str, Any], file: str) -> str:
    """The fitted response as a preset of the group ``forecast``; says what was not measured, and which coefficient its bound holds at 0.

    Empty where a value is not finite, or a coefficient beyond what the model takes: a clipped value would be nobody's.
    """
    data = f"{Path(file).name} (SHA-256 {configuration['demand']['sha256'][:12]})" if file else "generated demand"
    lines = [
        mark("response", configuration),
        f"# python -m experiments.response{f' demand={Path(file).name}' if file else ''}{command(configuration)}",
        f"# {data}: error share added by each defect, {FORECASTER_LABELS[fit.best]}, weekly items, 95% interval",
    ]
    lines += [f"# {note}" for note in left_out(fit)]
    for defect, estimate, at_bound in zip(fit.measured.in_response, fit.bounded, fit.at_bound, strict=True):
        alone = fit.alone[fit.best, "item", defect][0]
        if not np.isfinite([*estimate, *alone]).all() or estimate[0] > MOST_ADDED:
            return ""
        note = f"{interval(estimate)}{', at its bound of 0' if at_bound else ''}, fitted alone {interval(alone)}"
        lines.append(f"{FITTED[defect]}: {estimate[0]:.3f}  # {note}")
    lines += [
        f"# {parameter} is left as it is: not measured, as there is one brand"
        for name, parameter in FITTED.items()
        if name not in fit.measured.in_response
    ]
    lines.append(f"# clean WAPE {compared(fit)}best and planner are left as they are")
    return "\n".join(lines) + "\n"


def compared(fit: Response) -> str:
    """The clean error of the best and, where it is measured, of the planner, for the preset."""
    clean = dict(zip(fit.measured.methods, fit.measured.wape["item"][0, : fit.fitted].mean(axis=0), strict=True))
    if "planner" not in clean:
        return f"{clean[fit.best]:.3f}; "
    ratio = fit.ratio("planner")
    return f"{clean[fit.best]:.3f}, planner's spreadsheet {clean['planner']:.3f}, ratio {ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]; "


def left_out(fit: Response) -> list[str]:
    """Which forecasters were left out and why, a line each."""
    made = len(fit.measured.settings) * fit.measured.replications
    return [
        f"{FORECASTER_LABELS[name]} left out: forecasts that are not finite in {count} of {made} measurements"
        for name, count in fit.measured.left_out.items()
    ]


def command(configuration: Mapping[str, Any]) -> str:
    """The settings that differ from the shipped ones, as typed."""
    shipped, _ = read_experiment("response")
    changed = {key: value for key, value in configuration.items() if key in shipped and key != "demand" and shipped[key] != value}
    named = changed.pop("columns", {})
    mapped = f" 'columns={{{', '.join(f'{name}: {title}' for name, title in named.items())}}}'" if named else ""
    return mapped + "".join(f" {key}={value}".replace(", ", ",") for key, value in changed.items())


def interval(estimate: Sequence[float], digits: int = 3) -> str:
    """An estimate with its interval."""
    return "{} [{}, {}]".format(*(f"{value:.{digits}f}".replace("-", "−") for value in estimate))
