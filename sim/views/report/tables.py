"""The tables of a report: each takes a comparison, and gives rows of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.bottleneck import CONSTRAINTS
from sim.measures import MEASURES, PORTFOLIO
from sim.names import listed
from sim.parameters import RECORDS, UseCase
from sim.presets import GROUPS
from sim.schema import Record, walk
from sim.views.colours import CONSTRAINT_COLOURS, USING
from sim.views.leads import Estimate, Lead, seen_from
from sim.views.report.read import Comparison
from sim.views.words import CLASS_LABELS, millions, percent, strategy_label, written

#: Units listed one by one; of more, the best and the worst half of so many.
MOST_UNITS = 24
#: What the values of parameters rest on (docs/validation.md).
SOURCES = {
    "documented": "rests on a published figure, named beside it",
    "measured": "found by an experiment on data",
    "calibrated": "fitted to published figures",
    "judged": "a modelling judgement, to be varied",
    "choice": "chosen by whoever set up the runs",
}


def measures(found: Comparison, weeks: int) -> list[dict[str, Any]]:
    """One row per maturity and strategy: each measure as estimate and interval."""
    labels = {
        "net_104": "net value, 104 weeks",
        "net": f"net value, {weeks} weeks",
        "final_reliance": "planners relying, end",
        "final_teams_trust_and_use": "teams that trust and use it",
        "weeks_to_50": "weeks to 50% reliance (median)",
        **{measure: MEASURES[measure].label for measure in ("use_cases_live", "use_cases_kept")},  # the others are in summary.csv
    }
    at: Any = found.summary.set_index(["maturity", "strategy", "measure"])
    used = {name: label for name, label in labels.items() if (found.summary["measure"] == name).any()}
    best = {lead.maturity: lead.best for lead in found.leads}
    rows = []
    for maturity in found.maturities:
        for strategy in found.strategies:
            keys = [(maturity, strategy, name) for name in used]
            cells = [cell(key[2], Estimate.of(at.loc[key])) if key in at.index else ("–", "") for key in keys]
            rows.append({"maturity": maturity, "strategy": strategy_label(strategy), "cells": cells, "leads": strategy == best[maturity]})
    return [{"head": list(used.values()), "rows": rows}]


def nine_of_ten(found: Comparison) -> list[dict[str, Any]]:
    """One row per maturity and strategy: probability that it is best, regret, and between what its net value lies in nine of ten."""
    net = found.summary[found.summary["measure"] == "net"]
    rows = []
    for row in net.to_dict("records"):
        at = found.best[(found.best["maturity"] == row["maturity"]) & (found.best["strategy"] == row["strategy"])]
        best = at.iloc[0] if len(at) else None
        rows.append(
            {
                "maturity": row["maturity"],
                "strategy": strategy_label(row["strategy"]),
                "best": cell("share", Estimate.of(best, "best", "best_low", "best_high")) if best is not None else ("–", ""),
                "regret": (millions(best["regret"]), f"5% lose {millions(best['regret_high'])} or more") if best is not None else ("–", ""),
                "net": _range(millions(row["spread_low"]), millions(row["spread_high"])),
            }
        )
    return rows


def cell(measure: str, estimate: Estimate) -> tuple[str, str]:
    """An estimate, and its interval, in words; a measure that is not known is a share."""
    censored, money = measure in MEASURES and MEASURES[measure].censored, written(measure) == "money"

    def one(value: float) -> str:
        if value != value:
            return "–"
        if measure in PORTFOLIO and written(measure) != "share":
            return f"{value:.1f}"
        return _week(value) if censored else millions(value) if money else percent(value)

    return one(estimate.value), _range(one(estimate.low), one(estimate.high))


def pairs(paired: pd.DataFrame, leads: Sequence[Lead], most: int = 15) -> list[dict[str, Any]]:
    """Differences in net value of pairs of runs with the same luck; of many pairs those with the leader, who then comes first."""
    net = paired[paired["measure"] == "net"]
    rows = []
    for lead in leads:
        for _, row in net[net["maturity"] == lead.maturity].iterrows():
            if len(net) > most and lead.best not in (row["a"], row["b"]):
                continue
            first, second = row["a"], row["b"]
            if len(net) > most and second == lead.best:
                first, second = second, first
            difference, wins = seen_from(first, row)
            rows.append(
                {
                    "maturity": lead.maturity,
                    "who": f"{strategy_label(first)} − {strategy_label(second)}",
                    "difference": cell("net", difference),
                    "wins": cell("share", wins),
                    "decided": "the first" if difference.low > 0 else "the second" if difference.high < 0 else "not decided",
                    "pairs": int(row["pairs"]),
                }
            )
    return rows


def endings(found: Comparison) -> dict[tuple[str, str], dict[str, Any]]:
    """Per maturity and strategy: each class as share and interval, and the commonest in words."""
    at: Any = found.summary.set_index(["maturity", "strategy", "measure"])
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for place in ((m, s) for m in found.maturities for s in found.strategies):
        keys = {name: (*place, f"outcome_{name}") for name in CLASS_LABELS}
        shares = {name: Estimate.of(at.loc[key]) for name, key in keys.items() if key in at.index}
        if not shares:
            rows[place] = {"classes": {}, "most": "no run that did not fail"}
            continue
        most = max(shares, key=lambda name: shares[name].value)
        classes = {name: cell("share", share) for name, share in shares.items()}
        rows[place] = {"classes": classes, "most": f"{CLASS_LABELS[most]}, {shares[most].written(percent)} of runs"}
    return rows


def returns(found: Comparison) -> dict[tuple[str, str], dict[str, Any]]:
    """Per maturity and strategy: depth and week of the trough and the week of payback: the median, and the middle 80% of runs."""
    rows = {}
    for place in ((m, s) for m in found.maturities for s in found.strategies):
        runs = found.of(found.runs, *place)
        back = runs["payback_week"].astype("Float64").to_numpy(float, na_value=np.inf)
        rows[place] = {
            "trough": _spread(runs["trough"].to_numpy(float), millions),
            "trough_week": _spread(runs["trough_week"].astype("Float64").to_numpy(float, na_value=np.inf) + 1, _week),
            "payback": _spread(back + 1, _week),
            "paid": percent(np.isfinite(back).mean()) if len(back) else "none",
        }
    return rows


def _week(value: float) -> str:
    return "never" if np.isinf(value) else f"{value:.0f}"


def _spread(values: np.ndarray, write: Callable[[float], str]) -> tuple[str, str]:
    """The median, and from the 10th to the 90th percentile, of values some of which may be infinite."""
    if not len(values):
        return "–", ""
    low, middle, high = (float(v) for v in np.quantile(values, (0.1, 0.5, 0.9), method="inverted_cdf"))
    return write(middle), _range(write(low), write(high))


def _range(low: str, high: str) -> str:
    return "" if low == high and low in ("never", "–") else f"{low} to {high}"


def binding(held: pd.DataFrame) -> list[dict[str, Any]]:
    """Spans of weeks in which the same constraint binds in most runs: from, to, what, and in which share of runs.

    A look stands for the weeks since the one before it.
    """
    spans: list[dict[str, Any]] = []
    before = 0
    for week, rows in held.groupby("week"):
        counts = Counter(rows["binds"])
        most = max(sorted(counts), key=lambda name: counts[name])
        if not spans or spans[-1]["key"] != most:
            what = CONSTRAINTS.get(most, "nothing")
            spans.append({"key": most, "what": what, "from": before + 1, "shares": []})
        spans[-1]["to"] = int(str(week))
        spans[-1]["shares"].append(counts[most] / len(rows))
        before = int(str(week))
    return [{**span, "share": float(np.mean(span["shares"])), "colour": CONSTRAINT_COLOURS.get(span["key"], USING)} for span in spans]


def listed_units(units: pd.DataFrame) -> tuple[list[str], int]:
    """Units from the one that relies most to the one that relies least, over all that was compared; and how many are left out."""
    order = units.groupby("unit", observed=True)["reliance"].mean().sort_values(ascending=False, kind="stable")
    ranked = [str(name) for name in order.index]
    if len(ranked) <= MOST_UNITS:
        return ranked, 0
    half = MOST_UNITS // 2
    return [*ranked[:half], *ranked[-half:]], len(ranked) - MOST_UNITS


def unit_rows(found: Comparison, shown: Sequence[str]) -> list[dict[str, Any]]:
    """Per maturity one row per unit: its planners, and under each strategy who relies, and in how many runs it is live or retired."""
    units, keys = found.units, ["maturity", "strategy", "unit"]
    units = units.assign(live=units["stage"] == "live", retired=units["stage"] == "retired")
    grouped = units.groupby(keys, observed=True)
    table: Any = grouped[["reliance", "live", "retired", "planners"]].mean()
    table["low"], table["high"] = grouped["reliance"].quantile(0.1), grouped["reliance"].quantile(0.9)
    tables = []
    for maturity in found.maturities:
        rows = []
        for unit in shown:
            people = table.xs(unit, level="unit")["planners"].mean()
            places = [(maturity, strategy, unit) for strategy in found.strategies]
            cells = [_unit_cell(table.loc[place]) if place in table.index else None for place in places]
            rows.append({"unit": unit, "planners": f"{people:,.0f}", "cells": cells})
        tables.append({"maturity": maturity, "rows": rows})
    return tables


def _unit_cell(row: Any) -> dict[str, Any]:
    rely = float(row["reliance"])
    words = {name: percent(row[name]) for name in ("live", "retired")}
    between = f"{percent(row['low'])} to {percent(row['high'])}"
    return {"rely": percent(rely), "range": between, **words, "shade": round(rely, 2), "dark": rely > 0.88}


def assumptions(found: Comparison) -> dict[str, Any]:
    """Every parameter with its value, unit and source, group by group; and how many rest on what.

    Of what differs between organisations, between what values nine of ten of those that were run lie, instead of what they depart from.
    """
    cells, drawn = found.cells, found.differing
    flat = [_flat(_told(cell["parameters"])) for cell in cells]
    counts = dict.fromkeys(SOURCES, 0)
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, record in {**RECORDS, **_of_use_cases(cells[0]["parameters"])}.items():
        values: dict[str, list[str]] = {}
        for cell, parameters in zip(cells, flat, strict=True):
            if name in parameters:
                group = name.split(".")[0]
                whose = cell[group] if group in ("maturity", "strategy") and group in GROUPS else ""
                value = _value(parameters[name])
                if name in drawn:
                    whose, value = cell["maturity"], _drawn(found.of(found.runs, cell["maturity"], cell["strategy"])[name])
                values.setdefault(value, []).append(strategy_label(str(whose)))
        if not values:
            continue
        source = record.source if record.kind in ("number", "count") else "choice"
        counts[source] += 1
        said = [(value, listed(list(dict.fromkeys(whose))) if len(values) > 1 else "") for value, whose in values.items()]
        group = name.split(".")[0] if "." in name else "run"
        managed = group in ("maturity", "strategy", "run", "usecases")
        changed = not managed and name not in drawn and any(value != _value(record.default) for value in values)
        row = {"name": name, "values": said, "unit": record.unit, "source": source, "note": record.note, "changed": changed}
        row["default"] = _value(record.default)
        groups.setdefault(group, []).append(row)
    return {"groups": groups, "counts": counts, "changed": [row for rows in groups.values() for row in rows if row["changed"]]}


def _drawn(values: pd.Series) -> str:
    """Between what nine of ten lie, of what differs between organisations."""
    if not len(values):
        return "drawn"
    low, high = (_number(v) for v in np.quantile(values.astype(float), (0.05, 0.95), method="inverted_cdf"))
    return f"drawn, {low} to {high}" if low != high else f"drawn, {low}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _told(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What acts in these runs: use cases by their names, and of a portfolio's rules nothing where there is one use case."""
    told, cases = dict(parameters), parameters.get("usecases", [])
    told["usecases"] = {case["name"]: case for case in cases}
    if len(cases) <= 1:
        told.pop("sharing", None)
        told["strategy"] = {name: value for name, value in parameters["strategy"].items() if name != "portfolio"}
    return told


def _of_use_cases(parameters: Mapping[str, Any]) -> dict[str, Record]:
    """Records of the use cases' numbers; none for demand forecasting alone, which is what all others are compared with."""
    cases = parameters.get("usecases", [])
    if [case["name"] for case in cases] in ([], ["demand"]):
        return {}
    return {f"usecases.{case['name']}.{name}": record for case in cases for name, record in walk(UseCase) if record.kind != "text"}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(_value(v) for v in value) or "none"
    return str(value) or "none"


def descriptions(cells: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Every strategy compared, in its own words."""
    said = {cell["strategy"]: cell["parameters"]["strategy"].get("description", "") for cell in cells}
    return [(strategy_label(name), text) for name, text in said.items()]
