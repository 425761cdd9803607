"""The pictures of a comparison, each to be drawn where there is room: only there Matplotlib is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.views.report.read import Tables

#: The report's charts by what draws them, those that take longest first: so processes that draw side by side end together.
CHARTS = {"value": "value_chart", "binding": "binding_charts", "units": "units_chart", "endings": "endings_chart", "worth": "worth_chart"}


def figure(folder: Path) -> None:
    """Draw ``figure.png``."""
    from sim.views.figures.compare import compare_figure

    compare_figure(folder)


def chart(name: str, found: Tables) -> Any:
    """Draw a chart of the report; returns its SVG, or several."""
    from sim.views.report import charts

    return getattr(charts, CHARTS[name])(found)


def deciding(folder: Path) -> Any:
    """Draw the chart of a sensitivity analysis; returns its SVG."""
    from sim.views.report.charts import deciding_chart

    return deciding_chart(folder)
