"""The figures of the live page: each is made once, empty, and brought to what a session's view holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.core.properties import value as constant
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    NumeralTickFormatter,
    Range1d,
    Span,
    TapTool,
)
from bokeh.plotting import figure

from sim.play.levers import MOST_STRATEGIES
from sim.play.session import EFFORT
from sim.views.colours import COLOURS
from sim.views.map import MOST_NAMED, Organisation
from sim.views.page.style import DASHES, EFFORT_COLOURS, FONT, INK, LINE, QUIET, STAGES, in_lines, ramp, shortened
from sim.views.words import millions

#: Rows of the heat map that have room for a name each; the pointer shows all.
MOST_LABELS = 20
#: The capabilities in columns too narrow for their names.
HYPHENATED = ("pipe-\nlines", "inte-\ngration", "moni-\ntoring", "gover-\nnance")
EUROS = "const m = Math.abs(tick) / 1e6; return (tick < 0 ? '−€' : '€') + (m >= 10 || m === 0 ? m.toFixed(0) : m.toFixed(1)) + 'M'"


def blank(name: str, **more: Any) -> Any:
    """A figure without anything in it, in the page's style."""
    made = figure(name=name, sizing_mode="stretch_both", toolbar_location=None, background_fill_color=None, tools="", **more)
    made.outline_line_color = None
    made.min_border_right, made.min_border_top = 14, 8
    made.grid.grid_line_color = "#edf0f3"
    for axis in made.axis:
        axis.update(axis_line_color=LINE, major_tick_line_color=None, minor_tick_line_color=None)
        axis.update(major_label_text_font=FONT, major_label_text_font_size="13px", major_label_text_color=QUIET)
        axis.update(axis_label_text_font=FONT, axis_label_text_font_size="13px", axis_label_text_color=QUIET)
        axis.axis_label_text_font_style = "normal"
    return made


def empty(*columns: str) -> Any:
    """A source of columns without rows."""
    return ColumnDataSource({name: [] for name in columns})


class Curves:
    """Reliance, net value and effort over the weeks."""

    def __init__(self, weeks: int) -> None:
        self.weeks = Range1d(0, weeks)
        # one source per strategy, in the order of their colours
        self.curves = [empty("week", "reliance", "cumulative_net") for _ in range(MOST_STRATEGIES)]
        self.troughs = [empty("week", "value", "words", "align") for _ in range(MOST_STRATEGIES)]
        tips = [("week", "@week"), ("relying", "@reliance{0%}"), ("net value", "@cumulative_net{0.0a}")]
        self.adoption = blank("adoption", x_range=self.weeks, y_range=Range1d(0, 1))
        self.value = blank("value", x_range=self.weeks, y_range=Range1d(-1e6, 1e6))
        self.adoption.yaxis.formatter = NumeralTickFormatter(format="0%")
        self.value.yaxis.formatter = CustomJSTickFormatter(code=EUROS)
        self.value.add_layout(Span(location=0, dimension="width", line_color=QUIET, line_width=1))
        for k in range(MOST_STRATEGIES):
            for plot, y in ((self.adoption, "reliance"), (self.value, "cumulative_net")):
                line = plot.line("week", y, source=self.curves[k], color=COLOURS[k], line_width=3.5, line_dash=DASHES[k])
                plot.add_tools(HoverTool(renderers=[line], tooltips=tips, mode="vline"))
            self.value.scatter("week", "value", source=self.troughs[k], marker="inverted_triangle", size=12, color=COLOURS[k])
            self.value.text(
                "week", "value", text="words", source=self.troughs[k], text_color=COLOURS[k], text_font=constant(FONT),
                text_font_size="13px", text_align="align", text_baseline="top", y_offset=9, x_offset=-4,
            )  # fmt: skip
        self.efforts = empty("week", *EFFORT)
        self.effort = blank("effort", x_range=self.weeks)
        self.effort.varea_stack(list(EFFORT), x="week", color=list(EFFORT_COLOURS), source=self.efforts)
        self.effort.y_range.start = 0
        for plot in (self.adoption, self.value, self.effort):
            plot.xaxis.axis_label = "week"

    def show(self, view: dict[str, Any]) -> None:
        """Bring them to a view."""
        weeks, week, shown = view["scenario"].weeks, np.arange(1, view["week"] + 1), view["strategies"]
        nets = np.concatenate([[-1e6, 1e6], *(strategy["curves"]["cumulative_net"] for strategy in shown)])
        span = float(np.ptp(nets))
        low, high = float(nets.min()) - 0.22 * span, float(nets.max()) + 0.06 * span  # the trough's number has room
        self.value.y_range.update(start=low, end=high)
        for k, (curves, troughs) in enumerate(zip(self.curves, self.troughs, strict=True)):
            if k >= len(shown):
                for source in (curves, troughs):
                    source.data = {name: [] for name in source.data}
                continue
            net = shown[k]["curves"]["cumulative_net"]
            curves.data = {"week": week, "reliance": shown[k]["curves"]["reliance"], "cumulative_net": net}
            lowest = int(np.argmin(net)) if len(net) else 0
            over = len(net) > 0 and net[lowest] < 0 and lowest < len(net) - 1  # only once it is behind us
            words = millions(net[lowest]) if over and shown[k]["name"] == view["shown"] else ""  # of all strategies they would overlap
            align = "center" if lowest > 0.13 * weeks else "left"  # else it would begin left of the axis
            trough = ([lowest + 1], [net[lowest]], [words], [align]) if over else ([], [], [], [])
            troughs.data = dict(zip(("week", "value", "words", "align"), trough, strict=True))
        self.efforts.data = {"week": week, **view["effort"]}
        self.weeks.end = weeks


class Map:
    """The organisation: units and their teams, or one open unit and its planners."""

    def __init__(self) -> None:
        self.plot = blank("map", x_range=Range1d(-1, 1), y_range=Range1d(-1, 1), match_aspect=True)
        self.plot.axis.visible = self.plot.grid.visible = False
        self.plot.min_border_right = 4
        self.shades = LinearColorMapper(palette=ramp(COLOURS[0]), low=0, high=1)
        self.units = empty("x", "y", "r", "reliance", "name", "label", "edge", "people", "trust", "stage", "words", "under", "ink")
        self.teams = empty("x", "y", "r", "reliance")
        self.crowd = empty("x", "y", "reliance", "trust", "used", "edge")
        self.ties = empty("x0", "y0", "x1", "y1")
        self.rooms = empty("x", "y", "r")
        self._closed()
        self._open()

    def _closed(self) -> None:
        """Teams and units, with names and shares."""
        shade = {"field": "reliance", "transform": self.shades}
        small = self.plot.circle("x", "y", radius="r", source=self.teams, fill_color=shade, line_color="#aab3bd", line_width=1)
        large = self.plot.circle("x", "y", radius="r", source=self.units, fill_color=shade, line_color="edge", line_width=4)
        for glyph in (large.nonselection_glyph, small.nonselection_glyph):
            glyph.update(fill_alpha=1, line_alpha=1)
        share = self.plot.text("x", "y", text="words", source=self.units, text_color="ink", text_align="center", text_baseline="middle")
        name = self.plot.text(
            "x", "under", text="label", source=self.units, text_color=INK, text_align="center", text_baseline="top", text_line_height=0.95
        )
        for renderer in (share, name):
            renderer.glyph.update(text_font=constant(FONT))
            renderer.nonselection_glyph.text_alpha = 1
        self.large, self.share, self.name, self.texts = large.glyph, share.glyph, name.glyph, (share, name)
        self.outside = [small, large, share, name]
        numbers = [("planners", "@people"), ("relying", "@reliance{0%}"), ("trust", "@trust{0%}")]
        about = [("", "@name, @stage"), *numbers, ("", "click to open")]
        self.plot.add_tools(HoverTool(renderers=[large], tooltips=about), TapTool(renderers=[large]))

    def _open(self) -> None:
        """The planners of a unit in their teams, with their ties."""
        shade = {"field": "reliance", "transform": self.shades}
        room = self.plot.circle("x", "y", radius="r", source=self.rooms, fill_color="#f7f9fa", line_color=LINE)
        tie = self.plot.segment("x0", "y0", "x1", "y1", source=self.ties, line_color="#c3cad2", line_width=1, line_alpha=0.6)
        person = self.plot.circle("x", "y", radius=0.09, source=self.crowd, fill_color=shade, line_color="edge", line_width=1.5)
        self.inside = [room, tie, person]
        about = [("habit of relying", "@reliance{0%}"), ("trust", "@trust{0%}"), ("this week", "@used")]
        self.plot.add_tools(HoverTool(renderers=[person], tooltips=about))

    def show(self, view: dict[str, Any], place: Organisation) -> None:
        """Bring it to a view, on the map of its organisation."""
        opened = view["opened"]
        palette = ramp(COLOURS[view["scenario"].strategies.index(view["shown"])])
        if self.shades.palette != palette:
            self.shades.palette = palette
        self._show_units(view, place)
        for renderer in self.outside:
            renderer.visible = opened is None and (renderer not in self.texts or len(place.names) <= MOST_NAMED)
        for renderer in self.inside:
            renderer.visible = opened is not None
        half = place.half if opened is None else self._show_inside(view, place)
        for axis, most in zip((self.plot.x_range, self.plot.y_range), half, strict=True):
            axis.update(start=-most, end=most)

    def _show_units(self, view: dict[str, Any], place: Organisation) -> None:
        reliance = view["reliance"]
        size, under, longest = ("14px", "11px", 14) if len(place.names) <= 16 else ("10px", "10px", 8)
        self.units.data = {
            "x": place.units[:, 0],
            "y": place.units[:, 1],
            "r": place.unit_radius,
            "reliance": reliance,
            "name": list(place.names),
            "label": [in_lines(name, longest) for name in place.names],
            "edge": [STAGES[stage] for stage in view["stage"]],
            "people": place.people,
            "trust": view["trust"],
            "stage": view["stage"],
            "words": [f"{share:.0%}" for share in reliance],
            "under": place.units[:, 1] - 0.5,
            "ink": ["#ffffff" if share > 0.5 else INK for share in reliance],
        }
        self.teams.data = {"x": place.teams[:, 0], "y": place.teams[:, 1], "r": place.team_radius, "reliance": view["team_reliance"]}
        self.large.line_width = constant(4 if len(place.names) <= 16 else 2.5 if len(place.names) <= MOST_NAMED else 1)
        self.share.text_font_size, self.name.text_font_size = constant(size), constant(under)
        self.units.selected.indices = []

    def _show_inside(self, view: dict[str, Any], place: Organisation) -> tuple[float, float]:
        """The open unit; returns half the width and half the height of what is drawn."""
        crowd, people = place.crowd(view["opened"], view["ties"]), view["people"]
        x, y = crowd.planners.T
        self.crowd.data = {
            "x": x,
            "y": y,
            "reliance": people["reliance"],
            "trust": people["trust"],
            "used": ["planned on the forecast" if used else "own method" for used in people["used"]],
            "edge": [INK if champion else "#8f99a3" for champion in people["champion"]],
        }
        a, b = crowd.ties.T
        self.ties.data = {"x0": x[a], "y0": y[a], "x1": x[b], "y1": y[b]}
        self.rooms.data = {"x": crowd.teams[:, 0], "y": crowd.teams[:, 1], "r": np.full(len(crowd.teams), crowd.radius)}
        half = float(np.abs(crowd.teams).max()) + 1.1
        return half, half


class Readiness:
    """How ready each unit is, capability by capability, as a heat map."""

    def __init__(self) -> None:
        self.cells = empty("x", "y", "value", "words", "ink", "unit", "what")
        self.plot = blank("readiness", x_range=Range1d(-0.5, 3.5), y_range=Range1d(-0.5, 0.5))
        shade = {"field": "value", "transform": LinearColorMapper(palette=ramp("#4d7f78"), low=0, high=1)}
        cell = self.plot.rect("x", "y", 0.97, 0.93, source=self.cells, fill_color=shade, line_color=None)
        self.numbers = self.plot.text(
            "x", "y", text="words", source=self.cells, text_color="ink", text_align="center", text_baseline="middle"
        )
        self.numbers.glyph.update(text_font=constant(FONT), text_font_size="10.5px")
        self.plot.grid.visible = False
        self.plot.xaxis.ticker = FixedTicker(ticks=[0, 1, 2, 3])
        self.plot.xaxis.major_label_text_font_size = "10px"
        self.plot.add_tools(HoverTool(renderers=[cell], tooltips=[("", "@unit, @what"), ("ready", "@value{0%}")]))
        self.plot.add_layout(self.plot.xaxis[0], "above")

    def show(self, view: dict[str, Any], names: tuple[str, ...]) -> None:
        """Bring it to a view, of units with these names."""
        n, k = view["readiness"].shape
        value = view["readiness"].ravel()
        self.cells.data = {
            "x": np.tile(np.arange(k), n),
            "y": np.repeat(np.arange(n)[::-1], k),
            "value": value,
            "words": [f"{v:.0%}" for v in value],
            "ink": ["#ffffff" if v > 0.45 else INK for v in value],
            "unit": np.repeat(names, k).tolist(),
            "what": list(view["capabilities"]) * n,
        }
        self.plot.y_range.update(start=-0.5, end=n - 0.5)
        self.plot.yaxis.ticker = FixedTicker(ticks=list(range(n))[:: -max(1, -(-n // MOST_LABELS))])
        self.plot.yaxis.major_label_overrides = {n - 1 - b: shortened(name, 14) for b, name in enumerate(names)}
        self.plot.yaxis.major_label_text_font_size = "12px" if n <= 16 else "9px"
        self.plot.xaxis.major_label_overrides = dict(enumerate(HYPHENATED))
        self.numbers.visible = n <= 16
