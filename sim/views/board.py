"""What a visitor of the live page sees: widgets and figures on one side, their session on the other.

Each visitor has models of their own (:mod:`sim.views.session`), made when the page is opened. What a browser sends is
checked there; there is no console, and no file of this machine is read or written for a visitor.
"""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

os.environ["BOKEH_RESOURCES"] = "server"  # scripts come from this server, never from elsewhere

import numpy as np
from bokeh.core.properties import value as constant
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import (
    Button,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    Div,
    FixedTicker,
    HelpButton,
    HoverTool,
    LinearColorMapper,
    MultiChoice,
    NumeralTickFormatter,
    RadioButtonGroup,
    Range1d,
    Select,
    Slider,
    Span,
    Spinner,
    TapTool,
    Tooltip,
)
from bokeh.models.dom import HTML
from bokeh.plotting import figure
from bokeh.server.server import Server
from tornado.web import RequestHandler

from sim.presets import available
from sim.schema import InvalidInput
from sim.state import EVENTS
from sim.views.apart import Apart, Models
from sim.views.colours import COLOURS, STAGE_COLOURS
from sim.views.levers import FILES, GROUPS, LEVERS, MOST_STRATEGIES, networks
from sim.views.map import MOST_NAMED
from sim.views.session import EFFORT, Scenario, Session
from sim.views.words import cut, millions, strategy_label

MOST_SESSIONS = 20
#: Bytes of one message from a browser; the largest honest one is a choice of strategies.
LARGEST_MESSAGE = 256 * 1024
#: Weeks a tick of «play» takes, by the name of the speed; ticks come every TICK milliseconds.
SPEEDS = {"1 week a tick": 1, "4 weeks a tick": 4, "13 weeks a tick": 13}
TICK = 250
#: Rows of the heat map that have room for a name each; the pointer shows all.
MOST_LABELS = 20
EFFORT_COLOURS = ("#8a8f96", COLOURS[1], COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[3], COLOURS[4])
DASHES = ("solid", "dashed", "dotdash", "dotted")
STROKES = ("", "9 5", "2 4 9 4", "2 4")  # the same, as the cards draw them
FONT = "Inter, Segoe UI, Helvetica Neue, DejaVu Sans, sans-serif"
#: Those of the figures, but for waiting units, which are too pale for a thin ring.
STAGES = {**STAGE_COLOURS, "waiting": "#b9c1c9"}
INK, QUIET, LINE = "#16202c", "#5c6875", "#dfe4ea"
#: The capabilities in columns too narrow for their names.
HYPHENATED = ("pipe-\nlines", "inte-\ngration", "moni-\ntoring", "gover-\nnance")
#: Events that come from outside; the log shows them lighter.
SHOCKS = EVENTS[5:9]
EUROS = "const m = Math.abs(tick) / 1e6; return (tick < 0 ? '−€' : '€') + (m >= 10 || m === 0 ? m.toFixed(0) : m.toFixed(1)) + 'M'"

WIDGETS = f"""
:host {{ font-family: {FONT}; font-size: 14px; color: {INK}; }}
.bk-btn {{ font-family: inherit; font-size: 14px; border-radius: 6px; border: 1px solid #c9d0d8; background: #fff; color: {INK}; padding: 5px 12px; }}
.bk-btn:hover {{ background: #eef2f5; }}
.bk-btn.bk-active {{ background: {INK}; color: #fff; border-color: {INK}; }}
.bk-btn-primary {{ background: {INK}; color: #fff; border-color: {INK}; min-width: 76px; }}
.bk-btn-primary:hover {{ background: #34404d; }}
.bk-input, .bk-input-group, .choices__inner {{ font-family: inherit; font-size: 14px; }}
.bk-slider-title, label {{ font-size: 13.5px; color: {INK}; }}
.noUi-connect {{ background: {INK}; }}
"""
CHIPS = f"""
.choices__inner {{ min-height: 0; padding: 4px 4px 2px; }}
.choices__input {{ margin: 0; }}
.choices__list--multiple .choices__item.choices__item {{ background: {QUIET}; border-color: {QUIET}; font-size: 13.5px; }}
"""
HINT = ".bk-btn { border: none; background: none; padding: 2px; min-width: 0; opacity: 0.55; } .bk-btn:hover { opacity: 1; }"
CARDS = f"""
:host {{ font: 15px/1.35 {FONT}; color: {INK}; }}
.bk-clearfix {{ display: block; width: 100%; }}
.cards {{ display: grid; gap: 9px; }}
.card {{ background: #fff; border: 1px solid {LINE}; border-top: 5px solid; border-radius: 8px; padding: 5px 14px 7px; min-height: 97px; }}
.top {{ display: flex; align-items: center; gap: 9px; font-weight: 650; font-size: 17px; flex-wrap: wrap; row-gap: 0; }}
.top svg {{ flex: none; }}
.figures {{ margin-left: auto; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; font-size: 16px; }}
.card p {{ margin: 2px 0 0; }}
@media (min-width: 1700px) {{ .card {{ min-height: 122px; padding: 8px 18px 10px; }} :host {{ font-size: 18.5px; }} .top {{ font-size: 22px; }} .figures {{ font-size: 21px; }} }}
"""
LOG = f"""
:host {{ font: 14px/1.35 {FONT}; color: {INK}; overflow-y: auto; }}
.bk-clearfix {{ width: 100%; }}
p {{ margin: 0; padding: 4px 0; border-bottom: 1px solid #eef1f4; display: flex; gap: 9px; }}
b {{ flex: none; width: 70px; white-space: nowrap; font-weight: 600; color: {QUIET}; font-variant-numeric: tabular-nums; }}
p.outside {{ color: {QUIET}; }}
@media (min-width: 1700px) {{ :host {{ font-size: 16.5px; }} b {{ width: 84px; }} }}
"""
STATUS = f":host {{ font: 14px {FONT}; }} .error {{ color: #b3261e; font-weight: 600; }} .said {{ color: {QUIET}; }}"

DOWNLOAD = """
if (!box.data.name.length) return;
const bytes = Uint8Array.from(atob(box.data.content[0]), c => c.charCodeAt(0));
const link = document.createElement("a");
link.href = URL.createObjectURL(new Blob([bytes]));
link.download = box.data.name[0];
link.click();
URL.revokeObjectURL(link.href);
"""


def ramp(colour: str) -> list[str]:
    """256 shades from nearly white to a strategy's colour and on towards black, for reliance from 0 to 1."""
    stops = np.array([(238, 241, 244), *(tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)),)], float)
    stops = np.vstack([stops, stops[1] * 0.45])
    at = np.linspace(0, 2, 256)
    channels = [np.interp(at, [0, 1.25, 2], stops[:, c]).round().astype(int) for c in range(3)]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*channels, strict=True)]


class Page:
    """The page of one visitor: widgets and figures on one side, their session on the other."""

    def __init__(self, doc: Document, session: Session | Apart) -> None:
        self.doc, self.session = doc, session
        self.ticking: Any = None
        self.quiet = False  # true while the page itself moves its widgets
        self._controls()
        self._figures()
        self._place()
        self.show()

    # ------------------------------------------------------------------ what is there

    def _controls(self) -> None:
        def choice(name: str, title: str, options: list[str], value: str) -> Select:
            names = [(o, Path(scenario.folder).resolve().name or scenario.folder if o == FILES else strategy_label(o)) for o in options]
            made = Select(title=title, options=names, value=value, name=name, stylesheets=[WIDGETS])
            made.sizing_mode = "stretch_width"
            made.on_change("value", lambda _a, _o, new: self.attempt(partial(self.session.change, **{name: new})))
            return made

        def button(label: str, name: str, act: Callable[[], Any], kind: Any = "default") -> Button:
            made = Button(label=label, name=name, button_type=kind, stylesheets=[WIDGETS])
            made.on_click(lambda: self.attempt(act))
            return made

        scenario = self.session.scenario
        self.strategies = MultiChoice(
            title=f"Strategies, side by side (up to {MOST_STRATEGIES})",
            options=[(name, strategy_label(name)) for name in available("strategy")],
            value=list(scenario.strategies),
            max_items=MOST_STRATEGIES,
            name="strategies",
            sizing_mode="stretch_width",
            stylesheets=[WIDGETS, CHIPS],
        )
        self.strategies.on_change("value", lambda _a, _o, new: self.attempt(lambda: self.session.change(strategies=tuple(new))))
        self.enterprise = choice("enterprise", "Enterprise", scenario.enterprises(), scenario.enterprise)
        self.maturity = choice("maturity", "Maturity", available("maturity"), scenario.maturity)
        self.network = choice("network", "Network", networks(), scenario.network)
        self.seed = Spinner(title="Luck (seed)", value=scenario.seed, low=0, step=1, name="seed", stylesheets=[WIDGETS])
        self.seed.sizing_mode = "stretch_width"
        self.seed.on_change("value", lambda _a, _o, new: self.attempt(lambda: self.session.change(seed=new)))
        self.levers: dict[str, Slider] = {}
        for lever in LEVERS.values():
            slider = Slider(start=lever.low, end=lever.high, step=lever.step, value=lever.low, title=lever.label, name=lever.name)
            slider.update(stylesheets=[WIDGETS], sizing_mode="stretch_width", bar_color=INK)
            slider.on_change("value_throttled", partial(self._moved, lever.name))
            self.levers[lever.name] = slider
        self.undo = button("Levers as configured", "undo", lambda: self.session.change(levers={}))
        self.reset = button("Reset", "reset", self._reset)
        self.play = button("Play", "play", self._play, "primary")
        self.step = button("Step", "step", lambda: self.session.step(1))
        self.speed = Select(options=list(SPEEDS), value="1 week a tick", name="speed", width=130, stylesheets=[WIDGETS])
        self.week = Slider(start=0, end=scenario.weeks, value=0, step=1, title="Week", name="week", stylesheets=[WIDGETS], bar_color=INK)
        self.week.sizing_mode = "stretch_width"
        self.week.on_change("value_throttled", lambda _a, _o, new: self.attempt(lambda: self.session.go(new)))
        self.shown = RadioButtonGroup(labels=[], active=0, name="shown", stylesheets=[WIDGETS])
        self.shown.on_change("active", lambda _a, _o, new: self.attempt(lambda: self._look(new)))
        self.close = button("Show all units", "close", lambda: self.session.look(opened=None))
        self.close.visible = False
        self.save = button("Save scenario", "save", lambda: self._send("scenario.yaml", self.session.scenario.as_yaml().encode()))
        self.export = button("Export run", "export", lambda: self._send("run.zip", self.session.export()))
        self.box = ColumnDataSource({"name": [], "content": []}, name="box")
        self.box.js_on_change("data", CustomJS(args={"box": self.box}, code=DOWNLOAD))
        self.save.js_on_click(CustomJS(args={"box": self.box}, code="// keeps the box in the page"))
        self.verdicts = Div(name="verdicts", disable_math=True, sizing_mode="stretch_width", margin=0, stylesheets=[CARDS])
        self.events = Div(name="events", disable_math=True, sizing_mode="stretch_both", stylesheets=[LOG])
        self.status = Div(name="status", disable_math=True, stylesheets=[STATUS])

    def _figures(self) -> None:
        def blank(name: str, **more: Any) -> Any:
            made = figure(name=name, sizing_mode="stretch_both", toolbar_location=None, background_fill_color=None, **more)
            made.outline_line_color = None
            made.min_border_right, made.min_border_top = 14, 8
            made.grid.grid_line_color = "#edf0f3"
            for axis in made.axis:
                axis.update(axis_line_color=LINE, major_tick_line_color=None, minor_tick_line_color=None)
                axis.update(major_label_text_font=FONT, major_label_text_font_size="13px", major_label_text_color=QUIET)
                axis.update(axis_label_text_font=FONT, axis_label_text_font_size="13px", axis_label_text_color=QUIET)
                axis.axis_label_text_font_style = "normal"
            return made

        weeks = self.session.scenario.weeks
        self.weeks = Range1d(0, weeks)
        # a source a strategy, in the order of their colours
        self.curves = [ColumnDataSource({"week": [], "reliance": [], "cumulative_net": []}) for _ in range(MOST_STRATEGIES)]
        self.troughs = [ColumnDataSource({"week": [], "value": [], "words": [], "align": []}) for _ in range(MOST_STRATEGIES)]
        tips = [("week", "@week"), ("relying", "@reliance{0%}"), ("net value", "@cumulative_net{0.0a}")]
        self.adoption = blank("adoption", x_range=self.weeks, y_range=Range1d(0, 1), tools="")
        self.value = blank("value", x_range=self.weeks, y_range=Range1d(-1e6, 1e6), tools="")
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
        for plot in (self.adoption, self.value):
            plot.xaxis.axis_label = "week"
        self.efforts = ColumnDataSource({"week": [], **{name: [] for name in EFFORT}})
        self.effort = blank("effort", x_range=self.weeks, tools="")
        self.effort.varea_stack(list(EFFORT), x="week", color=list(EFFORT_COLOURS), source=self.efforts)
        self.effort.xaxis.axis_label = "week"
        self.effort.y_range.start = 0
        self._map(blank)
        self._heat(blank)

    def _map(self, blank: Callable[..., Any]) -> None:
        self.map = blank("map", x_range=Range1d(-1, 1), y_range=Range1d(-1, 1), tools="", match_aspect=True)
        self.map.axis.visible = self.map.grid.visible = False
        self.map.min_border_right = 4
        self.shades = LinearColorMapper(palette=ramp(COLOURS[0]), low=0, high=1)
        shade = {"field": "reliance", "transform": self.shades}
        self.units = ColumnDataSource(
            {k: [] for k in ("x", "y", "r", "reliance", "name", "label", "edge", "people", "trust", "stage", "words", "under", "ink")}
        )
        self.teams = ColumnDataSource({k: [] for k in ("x", "y", "r", "reliance")})
        self.crowd = ColumnDataSource({k: [] for k in ("x", "y", "reliance", "trust", "used", "edge")})
        self.ties = ColumnDataSource({k: [] for k in ("x0", "y0", "x1", "y1")})
        self.rooms = ColumnDataSource({k: [] for k in ("x", "y", "r")})
        small = self.map.circle("x", "y", radius="r", source=self.teams, fill_color=shade, line_color="#aab3bd", line_width=1)
        large = self.map.circle("x", "y", radius="r", source=self.units, fill_color=shade, line_color="edge", line_width=4)
        for glyph in (large.nonselection_glyph, small.nonselection_glyph):
            glyph.update(fill_alpha=1, line_alpha=1)
        share = self.map.text("x", "y", text="words", source=self.units, text_color="ink", text_align="center", text_baseline="middle")
        name = self.map.text(
            "x", "under", text="label", source=self.units, text_color=INK, text_align="center", text_baseline="top", text_line_height=0.95
        )
        for renderer in (share, name):
            renderer.glyph.update(text_font=constant(FONT))
            renderer.nonselection_glyph.text_alpha = 1
        self.share, self.name, self.texts = share.glyph, name.glyph, (share, name)
        room = self.map.circle("x", "y", radius="r", source=self.rooms, fill_color="#f7f9fa", line_color=LINE)
        tie = self.map.segment("x0", "y0", "x1", "y1", source=self.ties, line_color="#c3cad2", line_width=1, line_alpha=0.6)
        person = self.map.circle("x", "y", radius=0.09, source=self.crowd, fill_color=shade, line_color="edge", line_width=1.5)
        self.large = large.glyph
        self.outside, self.inside = [small, large, share, name], [room, tie, person]
        about = [
            ("", "@name, @stage"),
            ("planners", "@people"),
            ("relying", "@reliance{0%}"),
            ("trust", "@trust{0%}"),
            ("", "click to open"),
        ]
        self.map.add_tools(HoverTool(renderers=[large], tooltips=about), TapTool(renderers=[large]))
        self.map.add_tools(
            HoverTool(renderers=[person], tooltips=[("habit of relying", "@reliance{0%}"), ("trust", "@trust{0%}"), ("this week", "@used")])
        )
        self.units.selected.on_change("indices", lambda _a, _o, new: self.attempt(lambda: self._open(new)))

    def _heat(self, blank: Callable[..., Any]) -> None:
        self.cells = ColumnDataSource({k: [] for k in ("x", "y", "value", "words", "ink", "unit", "what")})
        self.readiness = blank("readiness", x_range=Range1d(-0.5, 3.5), y_range=Range1d(-0.5, 0.5), tools="")
        self.ready = LinearColorMapper(palette=ramp("#4d7f78"), low=0, high=1)
        cell = self.readiness.rect(
            "x", "y", 0.97, 0.93, source=self.cells, fill_color={"field": "value", "transform": self.ready}, line_color=None
        )
        self.figures_in = self.readiness.text(
            "x", "y", text="words", source=self.cells, text_color="ink", text_align="center", text_baseline="middle"
        )
        self.figures_in.glyph.update(text_font=constant(FONT), text_font_size="12px")
        self.readiness.grid.visible = False
        self.readiness.xaxis.ticker = FixedTicker(ticks=[0, 1, 2, 3])
        self.readiness.xaxis.major_label_text_font_size = "11px"
        self.readiness.add_tools(HoverTool(renderers=[cell], tooltips=[("", "@unit, @what"), ("ready", "@value{0%}")]))
        self.readiness.add_layout(self.readiness.xaxis[0], "above")

    def _place(self) -> None:
        doc = self.doc
        doc.title = "AI rollout, live"
        doc.template = (Path(__file__).parent / "board.html").read_text(encoding="utf-8")
        doc.template_variables.update(stages=list(STAGES.items()), efforts=list(zip(EFFORT, EFFORT_COLOURS, strict=True))[::-1])
        levers: list[Any] = []
        for title, group in GROUPS.items():
            levers.append(Div(text=f"<b style='font:650 13px {FONT};color:{QUIET}'>{title}</b>", margin=(12, 0, 0, 0)))
            for lever in group:
                hint = HelpButton(
                    width=26,
                    margin=(8, 0, 0, 0),
                    tooltip=Tooltip(
                        content=HTML(f"<div style='max-width:300px;font:14px/1.35 {FONT}'>{html.escape(lever.help)}</div>"),
                        position="right",
                    ),
                    stylesheets=[HINT],
                )
                levers.append(row(self.levers[lever.name], hint, sizing_mode="stretch_width"))
        roots = {
            "scenario": column(self.strategies, self.enterprise, self.maturity, self.network, self.seed, sizing_mode="stretch_width"),
            "levers": column(*levers, self.undo, sizing_mode="stretch_width"),
        }
        for name, root in roots.items():
            root.name = name
        with doc.models.freeze():  # else all that is there is gone through again for every root
            for root in (*roots.values(), self.reset, self.play, self.step, self.speed, self.week, self.save, self.export, self.verdicts,
                         self.shown, self.status, self.close, self.map, self.adoption, self.value, self.effort, self.readiness, self.events):  # fmt: skip
                doc.add_root(root)

    # ------------------------------------------------------------------ what visitors do

    def attempt(self, act: Callable[[], Any]) -> None:
        """Do what was asked and show it; what cannot be used is said in one line, and nothing changes."""
        if self.quiet:
            return
        try:
            said = act()
            self.status.text = f"<span class='said'>{said}</span>" if isinstance(said, str) else ""
        except InvalidInput as error:
            self.status.text = f"<span class='error'>error: {html.escape(str(error))}</span>"
        except BrokenProcessPool:
            self.status.text = "<span class='error'>error: the model broke down over this, and stands where it was</span>"
        self.show()

    def _moved(self, name: str, _attribute: str, _old: Any, new: Any) -> None:
        value = (
            round(new) if LEVERS[name].record.kind == "count" and isinstance(new, int | float) and new == new and abs(new) < 1e9 else new
        )
        self.attempt(lambda: self.session.change(levers={**self.session.scenario.levers, name: value}))

    def _look(self, active: Any) -> None:
        names = self.session.scenario.strategies
        if isinstance(active, bool) or not isinstance(active, int) or not 0 <= active < len(names):
            raise InvalidInput("shown", active, f"a whole number from 0 to {len(names) - 1}")
        self.session.look(shown=names[active])

    def _open(self, rows: Any) -> None:
        if rows and self.session.opened is None:
            self.session.look(opened=rows[0])

    def _play(self) -> None:
        if self.ticking is not None:
            self._stop()
        elif self.session.week < self.session.scenario.weeks:
            self.ticking = self.doc.add_periodic_callback(self._tick, TICK)

    def _tick(self) -> None:
        self.attempt(lambda: self.session.step(SPEEDS.get(self.speed.value, 1)))
        if self.session.week >= self.session.scenario.weeks:
            self._stop()
            self.show()

    def _reset(self) -> None:
        self._stop()
        self.session.go(0)

    def _stop(self) -> None:
        if self.ticking is not None:
            self.doc.remove_periodic_callback(self.ticking)
            self.ticking = None

    def _send(self, name: str, content: bytes) -> str:
        self.box.data = {"name": [name], "content": [base64.b64encode(content).decode()]}
        return f"{name} is in your downloads"

    # ------------------------------------------------------------------ what they see

    def show(self) -> None:
        """Bring the page to the session's state."""
        view = self.session.view()
        self.quiet = True
        try:
            self._show_strategies(view)
            self._show_map(view)
            self._show_shown(view)
            self._show_controls(view)  # last: where the slider shows a week, all else does
        finally:
            self.quiet = False

    def _show_controls(self, view: dict[str, Any]) -> None:
        scenario = view["scenario"]
        self.strategies.value = list(scenario.strategies)
        self.enterprise.value, self.maturity.value, self.network.value = scenario.enterprise, scenario.maturity, scenario.network
        self.seed.value = scenario.seed
        configured, given = self.session.configured(), view["given"]
        for name, slider in self.levers.items():
            lever, value = LEVERS[name], given.get(name, configured[name])
            slider.update(disabled=name in given, start=min(lever.low, value), end=max(lever.high, value), value=value)
            slider.title = lever.label + (" (files)" if name in given else " (moved)" if name in scenario.levers else "")
        self.network.update(disabled="network" in given, title="Network (files)" if "network" in given else "Network")
        self.undo.disabled = not scenario.levers
        self.week.update(end=scenario.weeks, value=view["week"], title=f"Week, of {scenario.weeks}")
        self.weeks.end = scenario.weeks
        self.play.label = "Pause" if self.ticking is not None else "Play"
        self.play.disabled = self.ticking is None and view["week"] >= scenario.weeks
        self.step.disabled = view["week"] >= scenario.weeks
        labels = [strategy_label(name) for name in scenario.strategies]
        self.shown.update(labels=labels, active=scenario.strategies.index(view["shown"]))
        self.close.visible = view["opened"] is not None

    def _show_strategies(self, view: dict[str, Any]) -> None:
        week = np.arange(1, view["week"] + 1)
        cards = []
        nets = np.concatenate([[-1e6, 1e6], *(strategy["curves"]["cumulative_net"] for strategy in view["strategies"])])
        span = float(np.ptp(nets))
        self.value.y_range.update(
            start=float(nets.min()) - 0.22 * span, end=float(nets.max()) + 0.06 * span
        )  # the trough's figure has room
        for k in range(MOST_STRATEGIES):
            if k >= len(view["strategies"]):
                self.curves[k].data = {"week": [], "reliance": [], "cumulative_net": []}
                self.troughs[k].data = {"week": [], "value": [], "words": [], "align": []}
                continue
            strategy = view["strategies"][k]
            reliance, net = strategy["curves"]["reliance"], strategy["curves"]["cumulative_net"]
            self.curves[k].data = {"week": week, "reliance": reliance, "cumulative_net": net}
            low = int(np.argmin(net)) if len(net) else 0
            over = len(net) > 0 and net[low] < 0 and low < len(net) - 1  # only once it is behind us
            words = millions(net[low]) if over and strategy["name"] == view["shown"] else ""  # of all strategies they would overlap
            align = "center" if low > 0.13 * view["scenario"].weeks else "left"  # else it would begin left of the axis
            trough = ([low + 1], [net[low]], [words], [align]) if over else ([], [], [], [])
            self.troughs[k].data = dict(zip(("week", "value", "words", "align"), trough, strict=True))
            cards.append(_card(k, strategy, reliance, net))
        self.verdicts.text = f"<div class='cards' style='grid-template-columns:repeat({len(cards)},minmax(0,1fr))'>{''.join(cards)}</div>"

    def _show_map(self, view: dict[str, Any]) -> None:
        place, opened = self.session.organisation, view["opened"]
        colour = COLOURS[view["scenario"].strategies.index(view["shown"])]
        palette = ramp(colour)
        if self.shades.palette != palette:
            self.shades.palette = palette
        reliance = view["reliance"]
        size, under, longest = ("14px", "11px", 14) if len(place.names) <= 16 else ("10px", "10px", 8)
        self.units.data = {
            "x": place.units[:, 0],
            "y": place.units[:, 1],
            "r": place.unit_radius,
            "reliance": reliance,
            "name": list(place.names),
            "label": [_in_lines(name, longest) for name in place.names],
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
        for renderer in self.outside:
            renderer.visible = opened is None and (renderer not in self.texts or len(place.names) <= MOST_NAMED)
        for renderer in self.inside:
            renderer.visible = opened is not None
        half = place.half
        if opened is not None:
            crowd, people = view["crowd"], view["people"]
            x, y = crowd.planners.T
            self.crowd.data = {
                "x": x,
                "y": y,
                "reliance": people["reliance"],
                "trust": people["trust"],
                "used": ["planned on the forecast" if used else "own method" for used in people["used"]],
                "edge": [INK if champion else "#8f99a3" for champion in people["champion"]],
            }
            a, b = crowd.ties.T if len(crowd.ties) else (np.zeros(0, int), np.zeros(0, int))
            self.ties.data = {"x0": x[a], "y0": y[a], "x1": x[b], "y1": y[b]}
            self.rooms.data = {"x": crowd.teams[:, 0], "y": crowd.teams[:, 1], "r": np.full(len(crowd.teams), crowd.radius)}
            half = (float(np.abs(crowd.teams).max()) + 1.1,) * 2
        for axis, most in zip((self.map.x_range, self.map.y_range), half, strict=True):
            axis.update(start=-most, end=most)

    def _show_shown(self, view: dict[str, Any]) -> None:
        self.efforts.data = {"week": np.arange(1, view["week"] + 1), **view["effort"]}
        names, ready = self.session.organisation.names, view["readiness"]
        n, k = ready.shape
        value = ready.ravel()
        self.cells.data = {
            "x": np.tile(np.arange(k), n),
            "y": np.repeat(np.arange(n)[::-1], k),
            "value": value,
            "words": [f"{v:.0%}" for v in value],
            "ink": ["#ffffff" if v > 0.45 else INK for v in value],
            "unit": np.repeat(names, k).tolist(),
            "what": list(view["capabilities"]) * n,
        }
        self.readiness.y_range.update(start=-0.5, end=n - 0.5)
        self.readiness.yaxis.ticker = FixedTicker(ticks=list(range(n))[:: -max(1, -(-n // MOST_LABELS))])
        self.readiness.yaxis.major_label_overrides = {n - 1 - b: _cut(name, 14) for b, name in enumerate(names)}
        self.readiness.yaxis.major_label_text_font_size = "12px" if n <= 16 else "9px"
        self.readiness.xaxis.major_label_overrides = dict(enumerate(HYPHENATED))
        self.figures_in.visible = n <= 16
        lines = [
            f"<p class='{'outside' if kind in SHOCKS else ''}'><b>week {week}</b><span>{html.escape(words)}</span></p>"
            for week, kind, words in view["events"]
        ]
        self.events.text = "".join(lines) or "<p>Nothing yet. Press Play or Step.</p>"


def _cut(name: str, most: int) -> str:
    """A name in as much room as there is; none is taken for a formula, which Bokeh would set."""
    return re.sub(r"\$\$|\\[(\[]", lambda found: "\u200b".join(found[0]), cut(name, most))


def _in_lines(name: str, most: int) -> str:
    """A name in one line, or in two."""
    first, blank, rest = name.partition(" ") if len(name) > most else (name, "", "")
    return _cut(first, most + 2) + ("\n" + _cut(rest, most + 2) if blank else "")


def _card(k: int, strategy: dict[str, Any], reliance: np.ndarray, net: np.ndarray) -> str:
    """A strategy's name, its figures and its verdict."""
    figures = f"{reliance[-1]:.0%} rely · {millions(net[-1])}" if len(net) else ""
    line = f"<svg width='40' height='6'><path d='M0 3H40' stroke='{COLOURS[k]}' stroke-width='5' stroke-dasharray='{STROKES[k]}'/></svg>"
    first, colon, rest = html.escape(strategy["sentence"], quote=False).partition(": ")
    said = f"<b>{first}:</b> {rest}" if colon and strategy["constraint"] else first + colon + rest
    return (
        f"<div class='card' style='border-top-color:{COLOURS[k]}'><div class='top'>{line}<span>{html.escape(strategy_label(strategy['name']))}</span>"
        f"<span class='figures'>{figures}</span></div><p>{said}</p></div>"
    )


# --------------------------------------------------------------------------- the server


class Start(RequestHandler):
    """Shown until the model is imported, and turns into the page then: the page's scripts are there already."""

    def initialize(self, models: Models) -> None:
        """What is waited for."""
        self.models = models

    def get(self) -> None:
        """The page itself where nothing is to be waited for."""
        if self.models.ready.done():
            self.redirect("./")
            return
        application: Any = self.application  # Bokeh's, which knows the very addresses that the page names
        scripts = "\n".join(f'<script src="{file}"></script>' for file in application.resources().js_files)
        self.write((Path(__file__).parent / "start.html").read_text(encoding="utf-8").replace("{scripts}", scripts))


def serve(models: Models, scenario: Scenario, address: str, port: int) -> Server:
    """A server of the page that begins with a scenario, not yet started; port 0 takes a free one."""
    open_now: dict[str, Apart] = {}

    def visit(doc: Document) -> None:
        visitor = doc.session_context.id if doc.session_context else ""
        if len(open_now) >= MOST_SESSIONS:
            doc.add_root(Div(text=f"This page has {MOST_SESSIONS} visitors already, and takes no more. Close one and reload."))
            return
        open_now[visitor] = Apart(models, visitor, scenario)
        doc.on_session_destroyed(lambda _context: open_now.pop(visitor).close())
        Page(doc, open_now[visitor])

    return Server(
        {"/": visit},
        address=address,
        port=port,
        websocket_max_message_size=LARGEST_MESSAGE,
        unused_session_lifetime_milliseconds=5000,
        extra_patterns=[("/start", Start, {"models": models})],
    )
