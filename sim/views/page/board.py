"""What a visitor of the live page sees: widgets and figures on one side, their session on the other.

Each visitor has models of their own (:mod:`sim.play.session`), made when the page is opened. What a browser sends is
checked there; there is no console, and no file of this machine is read or written for a visitor.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import (
    Button,
    ColumnDataSource,
    CustomJS,
    Div,
    HelpButton,
    MultiChoice,
    RadioButtonGroup,
    Select,
    Slider,
    Spinner,
    Tooltip,
)
from bokeh.models.dom import HTML

from sim.play.levers import FILES, GROUPS, LEVERS, MOST_STRATEGIES, networks
from sim.play.session import EFFORT, Session
from sim.population import population_label
from sim.presets import available
from sim.schema import InvalidInput
from sim.state import EVENTS
from sim.views.map import organisation
from sim.views.page.figures import Curves, Map, Readiness
from sim.views.page.remote import RemoteSession
from sim.views.page.style import CARDS, CHIPS, EFFORT_COLOURS, FONT, HINT, INK, LOG, QUIET, STAGES, STATUS, WHO, WIDGETS, card
from sim.views.words import strategy_label

#: Weeks a tick of «play» takes, by the name of the speed; ticks come every TICK milliseconds.
SPEEDS = {"1 week a tick": 1, "4 weeks a tick": 4, "13 weeks a tick": 13}
TICK = 250
#: Events that come from outside; the log shows them lighter.
SHOCKS = EVENTS[5:9]
DOWNLOAD = """
if (!box.data.name.length) return;
const bytes = Uint8Array.from(atob(box.data.content[0]), c => c.charCodeAt(0));
const link = document.createElement("a");
link.href = URL.createObjectURL(new Blob([bytes]));
link.download = box.data.name[0];
link.click();
URL.revokeObjectURL(link.href);
"""


class Board:
    """The board of one visitor: widgets and figures on one side, their session on the other."""

    def __init__(self, doc: Document, session: Session | RemoteSession) -> None:
        self.doc, self.session = doc, session
        self.ticking: Any = None
        self.quiet = False  # true while the page itself moves its widgets
        self._controls()
        self._commands()
        self.curves, self.map, self.readiness = Curves(session.scenario.weeks), Map(), Readiness()
        self.map.units.selected.on_change("indices", lambda _a, _o, new: self.attempt(lambda: self._open(new)))
        self._place()
        self.show()

    # ------------------------------------------------------------------ what is there

    def _controls(self) -> None:
        """What sets the scenario."""
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
        self.enterprise = self._choice("enterprise", "Enterprise", scenario.enterprises(), scenario.enterprise)
        self.maturity = self._choice("maturity", "Maturity", available("maturity"), scenario.maturity)
        self.network = self._choice("network", "Network", networks(), scenario.network)
        self.population = self._choice("population", "Organisation", scenario.populations(), scenario.population)
        self.seed = Spinner(title="Organisation and luck (seed)", value=scenario.seed, low=0, step=1, name="seed", stylesheets=[WIDGETS])
        self.seed.sizing_mode = "stretch_width"
        self.seed.on_change("value", lambda _a, _o, new: self.attempt(lambda: self.session.change(seed=new)))
        self.levers: dict[str, Slider] = {}
        for lever in LEVERS.values():
            slider = Slider(start=lever.low, end=lever.high, step=lever.step, value=lever.low, title=lever.label, name=lever.name)
            slider.update(stylesheets=[WIDGETS], sizing_mode="stretch_width", bar_color=INK)
            slider.on_change("value_throttled", partial(self._moved, lever.name))
            self.levers[lever.name] = slider

    def _commands(self) -> None:
        """What acts on the run, and where it is said what came of it."""
        scenario = self.session.scenario
        self.undo = self._button("Levers as configured", "undo", lambda: self.session.change(levers={}))
        self.reset = self._button("Reset", "reset", self._reset)
        self.play = self._button("Play", "play", self._play, "primary")
        self.step = self._button("Step", "step", lambda: self.session.step(1))
        self.speed = Select(options=list(SPEEDS), value="1 week a tick", name="speed", width=130, stylesheets=[WIDGETS])
        self.week = Slider(start=0, end=scenario.weeks, value=0, step=1, title="Week", name="week", stylesheets=[WIDGETS], bar_color=INK)
        self.week.sizing_mode = "stretch_width"
        self.week.on_change("value_throttled", lambda _a, _o, new: self.attempt(lambda: self.session.go(new)))
        self.shown = RadioButtonGroup(labels=[], active=0, name="shown", stylesheets=[WIDGETS])
        self.shown.on_change("active", lambda _a, _o, new: self.attempt(lambda: self._look(new)))
        self.close = self._button("Show all units", "close", lambda: self.session.look(opened=None))
        self.close.visible = False
        self.save = self._button("Save scenario", "save", lambda: self._send("scenario.yaml", self.session.scenario.as_yaml().encode()))
        self.export = self._button("Export run", "export", lambda: self._send("run.zip", self.session.export()))
        self.box = ColumnDataSource({"name": [], "content": []}, name="box")
        self.box.js_on_change("data", CustomJS(args={"box": self.box}, code=DOWNLOAD))
        self.save.js_on_click(CustomJS(args={"box": self.box}, code="// keeps the box in the page"))
        self.who = Div(name="who", disable_math=True, sizing_mode="stretch_width", margin=0, stylesheets=[WHO])
        self.verdicts = Div(name="verdicts", disable_math=True, sizing_mode="stretch_width", margin=0, stylesheets=[CARDS])
        self.events = Div(name="events", disable_math=True, sizing_mode="stretch_both", stylesheets=[LOG])
        self.status = Div(name="status", disable_math=True, stylesheets=[STATUS])

    def _choice(self, name: str, title: str, options: list[str], value: str) -> Select:
        """A list to choose from, for one entry of the scenario."""
        folder = self.session.scenario.folder
        label = population_label if name == "population" else strategy_label
        names = [(o, Path(folder).resolve().name or folder if o == FILES else label(o)) for o in options]
        made = Select(title=title, options=names, value=value, name=name, stylesheets=[WIDGETS], sizing_mode="stretch_width")
        made.on_change("value", lambda _a, _o, new: self.attempt(partial(self.session.change, **{name: new})))
        return made

    def _button(self, label: str, name: str, act: Callable[[], Any], kind: Any = "default") -> Button:
        made = Button(label=label, name=name, button_type=kind, stylesheets=[WIDGETS])
        made.on_click(lambda: self.attempt(act))
        return made

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
            "scenario": column(
                self.strategies, self.enterprise, self.maturity, self.network, self.population, self.seed, sizing_mode="stretch_width"
            ),
            "levers": column(*levers, self.undo, sizing_mode="stretch_width"),
        }
        for name, root in roots.items():
            root.name = name
        with doc.models.freeze():  # else all that is there is gone through again for every root
            for root in (*roots.values(), self.reset, self.play, self.step, self.speed, self.week, self.save, self.export, self.who, self.verdicts,
                         self.shown, self.status, self.close, self.map.plot, self.curves.adoption, self.curves.value, self.curves.effort,
                         self.readiness.plot, self.events):  # fmt: skip
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
            self.curves.show(view)
            self.map.show(view, organisation(self.session.sizes))
            self.readiness.show(view, self.session.sizes.names)
            self._show_words(view)
            self._show_controls(view)  # last: where the slider shows a week, all else does
        finally:
            self.quiet = False

    def _show_controls(self, view: dict[str, Any]) -> None:
        scenario = view["scenario"]
        self.strategies.value = list(scenario.strategies)
        self.enterprise.value, self.maturity.value, self.network.value = scenario.enterprise, scenario.maturity, scenario.network
        self.population.value, self.seed.value = scenario.population, scenario.seed
        configured, given = self.session.configured(), view["given"]
        for name, slider in self.levers.items():
            lever, value = LEVERS[name], given.get(name, configured[name])
            slider.update(disabled=name in given, start=min(lever.low, value), end=max(lever.high, value), value=value)
            slider.title = lever.label + (" (files)" if name in given else " (moved)" if name in scenario.levers else "")
        self.network.update(disabled="network" in given, title="Network (files)" if "network" in given else "Network")
        self.undo.disabled = not scenario.levers
        self.week.update(end=scenario.weeks, value=view["week"], title=f"Week, of {scenario.weeks}")
        self.play.label = "Pause" if self.ticking is not None else "Play"
        self.play.disabled = self.ticking is None and view["week"] >= scenario.weeks
        self.step.disabled = view["week"] >= scenario.weeks
        labels = [strategy_label(name) for name in scenario.strategies]
        self.shown.update(labels=labels, active=scenario.strategies.index(view["shown"]))
        self.close.visible = view["opened"] is not None

    def _show_words(self, view: dict[str, Any]) -> None:
        """Whose runs these are, a card for each strategy, and the events of the one that is shown."""
        whose, apart = (html.escape(text) for text in view["organisation"])
        self.who.text = f"<b>{whose}</b>{': ' * bool(apart)}{apart}"
        cards = [card(k, strategy) for k, strategy in enumerate(view["strategies"])]
        self.verdicts.text = f"<div class='cards' style='grid-template-columns:repeat({len(cards)},minmax(0,1fr))'>{''.join(cards)}</div>"
        lines = [
            f"<p class='{'outside' if kind in SHOCKS else ''}'><b>week {week}</b><span>{html.escape(words)}</span></p>"
            for week, kind, words in view["events"]
        ]
        self.events.text = "".join(lines) or "<p>Nothing yet. Press Play or Step.</p>"
