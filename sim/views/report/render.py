"""A comparison as one page for a manager: an answer with its uncertainty first, then all that it rests on.

The page is made from a results folder of ``compare`` alone, whose bytes decide its bytes. It loads nothing, runs nothing (no
script; a content policy forbids both) and prints on A4. Every name comes from users and is escaped by the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from sim.names import over_use_cases
from sim.schema import InvalidInput
from sim.views.report import pictures, say, tables
from sim.views.report.read import Comparison, Sensitivity
from sim.views.words import CLASS_LABELS, percent, strategy_label

NAME = "report.html"
#: Charts that are being drawn elsewhere, by name: each waits for one.
type Charts = Mapping[str, Callable[[], Any]]


def report(folder: Path, sensitivity: Sensitivity | None = None, charts: Charts | None = None) -> str:
    """The page of a results folder of ``compare``, as HTML; those of ``charts`` are not drawn here.

    Raises:
        InvalidInput: where the folder is not one of ``compare``, or something in it cannot be read.
    """
    found = Comparison(folder)
    try:
        return _template().render(_context(found, sensitivity, charts or {}))
    except InvalidInput:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, jinja2.UndefinedError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidInput("results", str(folder), f"a results folder of compare as it was written; reading it failed ({said})") from None


@cache
def _template() -> jinja2.Template:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["whole"] = whole
    return pages.get_template("report.html.j2")


def write_report(folder: Path, charts: Charts | None = None) -> Path:
    """Write ``report.html`` into a results folder of ``compare``; returns its path."""
    path = folder / NAME
    path.write_text(report(folder, charts=charts), encoding="utf-8")
    return path


def whole(text: str) -> Markup:
    """A text as HTML, escaped, whose intervals in square brackets are not broken over lines."""
    return Markup(re.sub(r"\[[^\[\]]{1,40}\]", r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704


def _context(found: Comparison, sensitivity: Sensitivity | None, charts: Charts) -> dict[str, Any]:
    """Everything that the template names."""
    manifest, maturities, strategies, leads = found.manifest, found.maturities, found.strategies, found.leads
    size = found.runs.iloc[0]
    weeks = int(size["weeks"])
    endings, returns = tables.endings(found), tables.returns(found)
    spans = {(m, s): tables.binding(found.of(found.held, m, s)) for m in maturities for s in strategies}
    assumed = tables.assumptions(found)
    shown, left_out = tables.listed_units(found.units)
    setting = (
        f"{size['units']:,.0f} business units, {size['teams']:,.0f} teams and {size['users']:,.0f} planners, followed for {weeks} weeks"
    )
    return {
        "use_cases": [case["name"] for case in found.use_cases],
        "over": over_use_cases([case["name"] for case in found.use_cases]),
        "question": say.question(strategies, maturities, weeks),
        "answer": say.answer(leads, weeks, len(strategies)),
        "setting": setting,
        "glance": [*say.glance(leads, endings, returns, spans), *say.whence(found.variance, leads)],
        "drawn": any(lead.drawn for lead in leads),
        "nine": tables.nine_of_ten(found),
        "trust": say.trust(
            assumed["counts"], len(strategies), sensitivity, len((manifest["configuration"].get("population") or {}).get("fitted", []))
        ),
        "maturities": maturities,
        "strategies": [(s, strategy_label(s)) for s in strategies],
        "replications": manifest["configuration"]["replications"],
        "runs": manifest["runs"],
        "failed": manifest["failed"],
        "absent": found.absent(),
        "weeks": weeks,
        "measures": tables.measures(found, weeks),
        "pairs": tables.pairs(found.paired, leads),
        "descriptions": tables.descriptions(found.cells),
        "use_case_descriptions": [(case["name"], case.get("description", "")) for case in found.use_cases],
        "endings": endings,
        "returns": returns,
        "units": tables.unit_rows(found, shown),
        "units_left_out": left_out,
        "units_drawn": [strategy_label(s) for s in found.drawn],
        "unit_count": int(found.units["unit"].nunique()),
        "spans": spans,
        "looked_into": int(found.held["replication"].nunique()),
        "charts": {
            **{name: charts[name]() if name in charts else pictures.chart(name, found) for name in pictures.CHARTS},
            "deciding": pictures.deciding(sensitivity.folder) if sensitivity else None,
        },
        "sensitivity": sensitivity,
        "first_pair": (strategies[0], strategies[1] if len(strategies) > 1 else ""),
        "assumed": assumed,
        "sources": tables.SOURCES,
        "manifest": manifest,
        "files": found.files(),
        "percent": percent,
        "class_labels": CLASS_LABELS,
    }
