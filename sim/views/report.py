"""A comparison as one page for a manager: an answer with its uncertainty first, then all that it rests on.

The page is made from a results folder of ``compare`` alone, whose bytes decide its bytes. It loads nothing, runs nothing (no
script; a content policy forbids both) and prints on A4. Every name comes from users and is escaped by the template.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from sim.bottleneck import CONSTRAINTS
from sim.parameters import RECORDS
from sim.presets import GROUPS
from sim.schema import InvalidInput
from sim.views import charts
from sim.views.words import CLASS_LABELS, millions, strategy_label

FILES = ("manifest.json", "summary.csv", "paired.csv", "runs", "weekly", "units", "held")
NAME = "report.html"
#: Units listed one by one; of more, the best and the worst half of so many.
MOST_UNITS = 24
#: Strategies drawn unit by unit; of more, the best of each maturity.
MOST_DRAWN = 4
#: What the values of parameters rest on (docs/validation.md).
SOURCES = {
    "documented": "rests on a published figure, named beside it",
    "measured": "found by an experiment on data",
    "calibrated": "fitted to published figures",
    "judged": "a modelling judgement, to be varied",
    "choice": "chosen by whoever set up the runs",
}


#: An estimate and its 95% interval.
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Sensitivity:
    """What a sensitivity analysis of the same base adds: its folder, its findings in sentences, and what was analysed."""

    folder: Path
    compared: str
    findings: Sequence[str]


@dataclass(frozen=True)
class Lead:
    """Who earns most at a maturity, and by how much more than the next [EUR, with 95% interval]; ``rival`` is empty for one strategy."""

    maturity: str
    best: str
    worth: Three
    rival: str = ""
    difference: Three = (0.0, 0.0, 0.0)
    wins: Three = (0.0, 0.0, 0.0)
    same: bool = False

    @property
    def decided(self) -> bool:
        """Whether the interval of the difference excludes nought."""
        return bool(self.rival) and self.difference[1] > 0


def report(folder: Path, sensitivity: Sensitivity | None = None) -> str:
    """The page of a results folder of ``compare``, as HTML.

    Raises:
        InvalidInput: where the folder is not one of ``compare``, or something in it cannot be read.
    """
    manifest = read_manifest(folder, "compare")
    missing = [name for name in FILES if not (folder / name).exists()]
    if missing:
        raise InvalidInput("results", str(folder), f"a whole results folder of compare; {missing[0]} is missing: run the comparison again")
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["whole"] = whole
    try:
        return pages.get_template("report.html.j2").render(_context(folder, manifest, sensitivity))
    except InvalidInput:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, jinja2.UndefinedError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidInput("results", str(folder), f"a results folder of compare as it was written; reading it failed ({said})") from None


def write_report(folder: Path) -> Path:
    """Write ``report.html`` into a results folder of ``compare``; returns its path."""
    path = folder / NAME
    path.write_text(report(folder), encoding="utf-8")
    return path


def read_manifest(folder: Path, experiment: str) -> dict[str, Any]:
    """The manifest of a results folder of an experiment; :class:`InvalidInput` where it is another thing."""
    wanted = f"a results folder of {experiment}, with its manifest.json"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        kind = manifest["experiment"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput("results", str(folder), wanted) from None
    if kind != experiment:
        raise InvalidInput("results", str(folder), f"{wanted}, not one of {kind}")
    return dict(manifest)


# --------------------------------------------------------------------------- what the page says


def _context(folder: Path, manifest: dict[str, Any], sensitivity: Sensitivity | None) -> dict[str, Any]:
    summary, paired = _table(folder / "summary.csv"), _table(folder / "paired.csv")
    runs, units = pd.read_parquet(folder / "runs"), pd.read_parquet(folder / "units")
    held = pd.read_parquet(folder / "held")
    good = runs[runs["error"] == ""]
    maturities, strategies = charts.names(folder)
    weeks = int(good["weeks"].iloc[0])
    leads = [leader(summary, paired, maturity, strategies) for maturity in maturities]
    size = good.iloc[0]
    endings, returns = _endings(summary, maturities, strategies), _returns(good, maturities, strategies)
    spans = {(m, s): binding(held[(held["maturity"] == m) & (held["strategy"] == s)]) for m in maturities for s in strategies}
    assumed = _assumptions(manifest["configuration"]["cells"])
    shown, left_out = _shown(units, leads)
    drawn = strategies if len(strategies) <= MOST_DRAWN else list(dict.fromkeys(lead.best for lead in leads))[:MOST_DRAWN]
    return {
        "question": question(strategies, maturities, weeks),
        "answer": answer(leads, weeks, len(strategies)),
        "setting": f"{size['units']:,.0f} business units, {size['teams']:,.0f} teams and {size['users']:,.0f} planners, followed for {weeks} weeks",
        "glance": _glance(leads, endings, returns, spans),
        "trust": _trust(assumed["counts"], len(strategies), sensitivity),
        "maturities": maturities,
        "strategies": [(s, strategy_label(s)) for s in strategies],
        "replications": manifest["configuration"]["replications"],
        "runs": manifest["runs"],
        "failed": manifest["failed"],
        "absent": _absent(manifest["configuration"]["cells"], good),
        "weeks": weeks,
        "measures": _measures(summary, maturities, strategies, weeks),
        "pairs": _pairs(paired, leads),
        "descriptions": _descriptions(manifest["configuration"]["cells"]),
        "endings": endings,
        "returns": returns,
        "units": _unit_rows(units, shown, maturities, strategies),
        "units_left_out": left_out,
        "units_drawn": [strategy_label(s) for s in drawn],
        "unit_count": int(units["unit"].nunique()),
        "spans": spans,
        "looked_into": int(held["replication"].nunique()),
        "charts": {
            "worth": charts.worth_chart(folder),
            "value": charts.value_chart(folder),
            "endings": charts.endings_chart(folder),
            "units": charts.units_chart(folder, shown, drawn),
            "binding": charts.binding_charts(folder),
            "deciding": charts.deciding_chart(sensitivity.folder) if sensitivity else None,
        },
        "sensitivity": sensitivity,
        "first_pair": (strategies[0], strategies[1] if len(strategies) > 1 else ""),
        "assumed": assumed,
        "sources": SOURCES,
        "manifest": manifest,
        "files": _files(folder, manifest),
        "percent": _percent,
        "class_labels": CLASS_LABELS,
    }


def _table(path: Path) -> pd.DataFrame:
    names = dict.fromkeys(("maturity", "strategy", "a", "b", "measure", "kind"), str)
    return pd.read_csv(path, dtype=names, na_values=[""], keep_default_na=False)  # a strategy may be called «nan»


def leader(summary: pd.DataFrame, paired: pd.DataFrame, maturity: str, strategies: Sequence[str]) -> Lead:
    """Who has the best mean net value at a maturity, and how it compares with the next best in runs of the same luck."""
    net = summary[(summary["maturity"] == maturity) & (summary["measure"] == "net")].set_index("strategy")
    ranked = [str(name) for name in net["estimate"].sort_values(ascending=False, kind="stable").index]
    if not ranked:
        raise InvalidInput("results", maturity, "a comparison with a run that did not fail at every maturity")
    best, worth = ranked[0], _three(net.loc[ranked[0]], "estimate", "low", "high")
    if len(ranked) < 2:
        return Lead(maturity, best, worth)
    rows = paired[
        (paired["maturity"] == maturity) & (paired["measure"] == "net") & paired["a"].isin(ranked[:2]) & paired["b"].isin(ranked[:2])
    ]
    row = rows.iloc[0]
    difference, wins = _three(row, "difference", "low", "high"), _three(row, "a_wins", "a_wins_low", "a_wins_high")
    if row["a"] != best:
        difference, wins = _turned(difference, wins)
    return Lead(maturity, best, worth, ranked[1], difference, wins, bool(row["ties"] == row["pairs"]))


def _three(row: Any, *columns: str) -> Three:
    a, b, c = (float(row[column]) for column in columns)
    return a, b, c


def question(strategies: Sequence[str], maturities: Sequence[str], weeks: int) -> str:
    """What was asked, in a sentence."""
    at = f"at {listed(maturities)} maturity"
    if len(strategies) == 1:
        return f"What does {strategy_label(strategies[0])} come to {at} over {weeks} weeks?"
    named = listed([strategy_label(s) for s in strategies], "or") if len(strategies) <= 4 else f"Which of {len(strategies)} strategies"
    return (
        f"{named[0].upper() + named[1:]}: which earns more {at} over {weeks} weeks?"
        if len(strategies) <= 4
        else f"{named} earns most {at} over {weeks} weeks?"
    )


def answer(leads: Sequence[Lead], weeks: int, strategies: int) -> str:
    """The finding in one sentence, with 95% intervals."""
    if strategies == 1:
        parts = [f"{_interval(lead.worth, millions)} at {lead.maturity} maturity" for lead in leads]
        return f"{_capital(leads[0].best)} comes to {listed(parts)}, after {weeks} weeks."
    one_best = len({lead.best for lead in leads}) == 1 and all(lead.decided for lead in leads)
    earns = {lead.worth[0] >= 0 for lead in leads}
    if one_best and strategies == 2 and len(leads) > 1 and len(earns) == 1:
        rival = strategy_label(leads[0].rival)
        parts = [f"by {_interval(lead.difference, millions)} at {lead.maturity} maturity" for lead in leads]
        verb = "earns more" if earns == {True} else "loses less"
        return f"{_capital(leads[0].best)} {verb} than {rival} at every maturity compared: {listed(parts)}, over {weeks} weeks."
    parts = [_one_lead(lead) for lead in leads]
    if len(leads) == 1:
        return f"{parts[0][0].upper()}{parts[0][1:]}, over {weeks} weeks."
    start = f"{_capital(leads[0].best)} is ahead at every maturity compared" if one_best else "It depends on maturity"
    if not any(lead.decided for lead in leads):
        start = "These runs do not decide it"
    return f"{start}: {'; '.join(parts)}, over {weeks} weeks."


def _one_lead(lead: Lead) -> str:
    where, best, rival = f"at {lead.maturity} maturity", strategy_label(lead.best), strategy_label(lead.rival)
    if lead.same:
        return f"{where} {best} and {rival} came to the same"
    gap = _interval(lead.difference, millions)
    if not lead.decided:
        return f"{where} these runs do not tell {best} and {rival} apart (difference {gap})"
    verb = f"earns {gap} more" if lead.worth[0] >= 0 else f"loses {gap} less"
    return f"{where} {best} {verb} than {rival}"


def _glance(
    leads: Sequence[Lead],
    endings: dict[tuple[str, str], dict[str, Any]],
    returns: dict[tuple[str, str], dict[str, Any]],
    spans: dict[tuple[str, str], list[dict[str, Any]]],
) -> list[tuple[str, list[str]]]:
    """What a manager asks next: each question with an answer a maturity."""
    rows: list[tuple[str, list[str]]] = []
    if leads[0].rival:
        ahead = ["nobody" if lead.same else strategy_label(lead.best) if lead.decided else "not decided" for lead in leads]
        rows.append(("Who earns more?", ahead))
        rows.append(("By how much?", [_interval(lead.difference, millions) for lead in leads]))
        rows.append(("In how many pairs of runs?", [_interval(lead.wins, _percent) for lead in leads]))
    best = strategy_label(leads[0].best) if len({lead.best for lead in leads}) == 1 else "the best"
    rows.append((f"What does {best} come to?", [_interval(lead.worth, millions) for lead in leads]))
    paid = [returns[lead.maturity, lead.best] for lead in leads]
    rows.append(("When has it paid back?", [_paid(row) for row in paid]))
    for strategy in dict.fromkeys(name for lead in leads for name in (lead.best, lead.rival) if name):
        label = strategy_label(strategy)
        rows.append((f"How does {label} end?", [endings[lead.maturity, strategy]["most"] for lead in leads]))
    for strategy in dict.fromkeys(name for lead in leads for name in (lead.best, lead.rival) if name):
        label = strategy_label(strategy)
        rows.append((f"What holds {label} back longest?", [_longest(spans[lead.maturity, strategy]) for lead in leads]))
    return rows


def _paid(row: dict[str, Any]) -> str:
    (week, spread), paid = row["payback"], row["paid"]
    if week == "never":
        return "never" if paid == "0%" else f"never in most runs; in {paid} of runs it has"
    return f"week {week} ({spread}), in {paid} of runs"


def whole(text: str) -> Markup:
    """A text as HTML, escaped, whose intervals in square brackets are not broken over lines."""
    return Markup(re.sub(r"\[[^\[\]]{1,40}\]", r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704


def _longest(spans: Sequence[dict[str, Any]]) -> str:
    """The constraint that binds for most weeks, once the gate is passed, and when."""
    real = [span for span in spans if span["key"] not in ("none", "gate")] or [span for span in spans if span["key"] != "none"]
    if not real:
        return "nothing"
    longest = max(real, key=lambda span: span["to"] - span["from"])
    return f"{longest['what']}, weeks {longest['from']}–{longest['to']} ({longest['share']:.0%} of runs)"


def _trust(counts: dict[str, int], strategies: int, sensitivity: Sensitivity | None) -> list[tuple[str, str]]:
    """What the answer rests on, and what would change it."""
    said = []
    if sensitivity:
        said.append(("What would change it?", sensitivity.findings[0]))
    total = sum(counts.values()) - counts["choice"]
    flattered = " The leader was picked by these very runs, which flatters it a little." if strategies > 2 else ""
    said.append(
        (
            "How far to trust it?",
            f"{counts['judged']} of the model's {total} numbers are judged, {counts['documented']} documented, {counts['calibrated']} calibrated "
            f"and {counts['measured']} measured. Read who leads, and why, before you read euros.{flattered}",
        )
    )
    return said


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
    return [
        {**span, "share": float(np.mean(span["shares"])), "colour": charts.CONSTRAINT_COLOURS.get(span["key"], charts.USING)}
        for span in spans
    ]


# --------------------------------------------------------------------------- tables


def _measures(summary: pd.DataFrame, maturities: Sequence[str], strategies: Sequence[str], weeks: int) -> list[dict[str, Any]]:
    """A row a maturity and strategy: each measure as estimate and interval, in words."""
    labels = {
        "net_104": "net value, 104 weeks",
        "net": f"net value, {weeks} weeks",
        "final_reliance": "planners relying, end",
        "final_teams_trust_and_use": "teams that trust and use it",
        "weeks_to_50": "weeks to 50% reliance (median)",
    }
    at: Any = summary.set_index(["maturity", "strategy", "measure"])
    used = {name: label for name, label in labels.items() if (summary["measure"] == name).any()}
    rows = []
    for maturity in maturities:
        net = summary[(summary["maturity"] == maturity) & (summary["measure"] == "net")].set_index("strategy")["estimate"]
        for strategy in strategies:
            cells = []
            for name in used:
                key = (maturity, strategy, name)
                cells.append(_words(name, _three(at.loc[key], "estimate", "low", "high")) if key in at.index else ("–", ""))
            rows.append({"maturity": maturity, "strategy": strategy_label(strategy), "cells": cells, "leads": strategy == net.idxmax()})
    return [{"head": list(used.values()), "rows": rows}]


def _words(measure: str, values: Three) -> tuple[str, str]:
    """An estimate, and its interval, in words."""

    def one(value: float) -> str:
        if np.isnan(value):
            return "–"
        if measure.startswith("weeks_to"):
            return "never" if np.isinf(value) else f"{value:.0f}"
        return millions(value) if measure.startswith("net") else f"{value:.0%}"

    return one(values[0]), _range(one(values[1]), one(values[2]))


def _pairs(paired: pd.DataFrame, leads: Sequence[Lead], most: int = 15) -> list[dict[str, Any]]:
    """Differences in net value of pairs of runs with the same luck; of many pairs those with the leader, who then comes first."""
    net = paired[paired["measure"] == "net"]
    rows = []
    for lead in leads:
        for _, row in net[net["maturity"] == lead.maturity].iterrows():
            if len(net) > most and lead.best not in (row["a"], row["b"]):
                continue
            difference, wins = _three(row, "difference", "low", "high"), _three(row, "a_wins", "a_wins_low", "a_wins_high")
            first, second = row["a"], row["b"]
            if len(net) > most and second == lead.best:
                first, second, difference, wins = second, first, *_turned(difference, wins)
            rows.append(
                {
                    "maturity": lead.maturity,
                    "who": f"{strategy_label(first)} − {strategy_label(second)}",
                    "difference": _words("net", difference),
                    "wins": _words("share", wins),
                    "decided": "the first" if difference[1] > 0 else "the second" if difference[2] < 0 else "not decided",
                    "pairs": int(row["pairs"]),
                }
            )
    return rows


def _turned(difference: Three, wins: Three) -> tuple[Three, Three]:
    """The same comparison from the other side."""
    return (-difference[0], -difference[2], -difference[1]), (1 - wins[0], 1 - wins[2], 1 - wins[1])


def _endings(summary: pd.DataFrame, maturities: Sequence[str], strategies: Sequence[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Per maturity and strategy: each class as share and interval, and the commonest in words."""
    at: Any = summary.set_index(["maturity", "strategy", "measure"])
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for maturity in maturities:
        for strategy in strategies:
            keys = {name: (maturity, strategy, f"outcome_{name}") for name in CLASS_LABELS}
            shares = {name: _three(at.loc[key], "estimate", "low", "high") for name, key in keys.items() if key in at.index}
            if not shares:
                found[maturity, strategy] = {"classes": {}, "most": "no run that did not fail"}
                continue
            most = max(shares, key=lambda name: shares[name][0])
            classes = {name: _words("share", value) for name, value in shares.items()}
            found[maturity, strategy] = {"classes": classes, "most": f"{CLASS_LABELS[most]}, {_interval(shares[most], _percent)} of runs"}
    return found


def _returns(runs: pd.DataFrame, maturities: Sequence[str], strategies: Sequence[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Per maturity and strategy: depth and week of the trough and the week of payback: the median, and the middle 80% of runs."""
    found = {}
    for maturity in maturities:
        for strategy in strategies:
            rows = runs[(runs["maturity"] == maturity) & (runs["strategy"] == strategy)]
            back = rows["payback_week"].astype("Float64").to_numpy(float, na_value=np.inf)
            found[maturity, strategy] = {
                "trough": _spread(rows["trough"].to_numpy(float), millions),
                "trough_week": _spread(rows["trough_week"].astype("Float64").to_numpy(float, na_value=np.inf) + 1, _week),
                "payback": _spread(back + 1, _week),
                "paid": f"{np.isfinite(back).mean():.0%}" if len(back) else "none",
            }
    return found


def _week(value: float) -> str:
    return "never" if np.isinf(value) else f"{value:.0f}"


def _spread(values: np.ndarray, write: Any) -> tuple[str, str]:
    """The median, and from the 10th to the 90th percentile, of values some of which may be infinite."""
    if not len(values):
        return "–", ""
    low, middle, high = (float(v) for v in np.quantile(values, (0.1, 0.5, 0.9), method="inverted_cdf"))
    return write(middle), _range(write(low), write(high))


def _range(low: str, high: str) -> str:
    return "" if low == high and low in ("never", "–") else f"{low} to {high}"


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _shown(units: pd.DataFrame, leads: Sequence[Lead]) -> tuple[list[str], int]:
    """Units from the one that relies most to the one that relies least, over all that was compared; and how many are left out."""
    order = units.groupby("unit", observed=True)["reliance"].mean().sort_values(ascending=False, kind="stable")
    ranked = [str(name) for name in order.index]
    if len(ranked) <= MOST_UNITS:
        return ranked, 0
    half = MOST_UNITS // 2
    return [*ranked[:half], *ranked[-half:]], len(ranked) - MOST_UNITS


def _unit_rows(units: pd.DataFrame, shown: Sequence[str], maturities: Sequence[str], strategies: Sequence[str]) -> list[dict[str, Any]]:
    """Per maturity a row a unit: its planners, and under each strategy who relies, in how many runs it is live, and since when."""
    found = units.groupby(["maturity", "strategy", "unit"], observed=True)
    table: Any = pd.DataFrame(
        {
            "reliance": found["reliance"].mean(),
            "low": found["reliance"].quantile(0.1),
            "high": found["reliance"].quantile(0.9),
            "live": (units["stage"] == "live").groupby([units["maturity"], units["strategy"], units["unit"]], observed=True).mean(),
            "gave_up": (units["stage"] == "retired").groupby([units["maturity"], units["strategy"], units["unit"]], observed=True).mean(),
            "planners": found["planners"].mean(),
        }
    )
    tables = []
    for maturity in maturities:
        rows = []
        for unit in shown:
            cells: list[dict[str, Any] | None] = []
            for strategy in strategies:
                key = (maturity, strategy, unit)
                if key not in table.index:
                    cells.append(None)
                    continue
                row = table.loc[key]
                rely = float(row["reliance"])
                cells.append(
                    {
                        "rely": f"{rely:.0%}",
                        "range": f"{row['low']:.0%} to {row['high']:.0%}",
                        "live": f"{row['live']:.0%}",
                        "gave_up": f"{row['gave_up']:.0%}",
                        "shade": round(rely, 2),
                        "dark": rely > 0.88,
                    }
                )
            people = table.xs(unit, level="unit")["planners"].mean()
            rows.append({"unit": unit, "planners": f"{people:,.0f}", "cells": cells})
        tables.append({"maturity": maturity, "rows": rows})
    return tables


# --------------------------------------------------------------------------- what it rests on


def _assumptions(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Every parameter with its value, unit and source, group by group; and how many rest on what."""
    flat = [_flat(cell["parameters"]) for cell in cells]
    counts = dict.fromkeys(SOURCES, 0)
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, record in RECORDS.items():
        values: dict[str, list[str]] = {}
        for cell, parameters in zip(cells, flat, strict=True):
            if name in parameters:
                group = name.split(".")[0]
                whose = cell[group] if group in ("maturity", "strategy") and group in GROUPS else ""
                values.setdefault(_value(parameters[name]), []).append(strategy_label(str(whose)))
        if not values:
            continue
        source = record.source if record.kind in ("number", "count") else "choice"
        counts[source] += 1
        said = [(value, listed(list(dict.fromkeys(whose))) if len(values) > 1 else "") for value, whose in values.items()]
        group = name.split(".")[0] if "." in name else "run"
        managed = group in ("maturity", "strategy", "run")
        changed = not managed and any(value != _value(record.default) for value in values)
        row = {"name": name, "values": said, "unit": record.unit, "source": source, "note": record.note, "changed": changed}
        row["default"] = _value(record.default)
        groups.setdefault(group, []).append(row)
    return {"groups": groups, "counts": counts, "changed": [row for rows in groups.values() for row in rows if row["changed"]]}


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


def _absent(cells: Sequence[dict[str, Any]], good: pd.DataFrame) -> list[str]:
    """What was asked for and has no run that did not fail."""
    there = set(zip(good["maturity"], good["strategy"], strict=True))
    return [f"{strategy_label(c['strategy'])} at {c['maturity']} maturity" for c in cells if (c["maturity"], c["strategy"]) not in there]


def _descriptions(cells: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Every strategy compared, in its own words."""
    said = {cell["strategy"]: cell["parameters"]["strategy"].get("description", "") for cell in cells}
    return [(strategy_label(name), text) for name, text in said.items()]


def _files(folder: Path, manifest: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """The folder's files with their checksums, and whether they are as they were written."""
    rows = []
    for name, checksum in manifest["files_sha256"].items():
        path = folder / Path(name).name
        same = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == checksum
        rows.append((str(name), str(checksum), same))
    return rows


# --------------------------------------------------------------------------- sentences


def listed(words: Sequence[str], last: str = "and") -> str:
    """One, two and three."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _interval(values: Three, write: Any) -> str:
    return f"{write(values[0])} [{write(values[1])}, {write(values[2])}]"


def _capital(strategy: str) -> str:
    label = strategy_label(strategy)
    return label[:1].upper() + label[1:]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
