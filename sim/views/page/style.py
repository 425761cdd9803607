"""How the live page looks: style sheets of its widgets, colours, lines and labels."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np

from sim.views.colours import COLOURS, STAGE_COLOURS
from sim.views.words import cut, millions, strategy_label

EFFORT_COLOURS = ("#8a8f96", COLOURS[1], COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[3], COLOURS[4])
DASHES = ("solid", "dashed", "dotdash", "dotted")
STROKES = ("", "9 5", "2 4 9 4", "2 4")  # the same, as the cards draw them
FONT = "Inter, Segoe UI, Helvetica Neue, DejaVu Sans, sans-serif"
#: Those of the pictures, but for waiting units, which are too pale for a thin ring.
STAGES = {**STAGE_COLOURS, "waiting": "#b9c1c9"}
INK, QUIET, LINE = "#16202c", "#5c6875", "#dfe4ea"

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
WHO = f"""
:host {{ font: 14px/1.35 {FONT}; color: {QUIET}; }} b {{ color: {INK}; font-weight: 650; }}
.bk-clearfix {{ display: block; width: 100%; padding: 0 2px 6px; }}
@media (min-width: 1700px) {{ :host {{ font-size: 17px; }} }}
"""
CARDS = f"""
:host {{ font: 15px/1.35 {FONT}; color: {INK}; }}
.bk-clearfix {{ display: block; width: 100%; }}
.cards {{ display: grid; gap: 9px; }}
.card {{ background: #fff; border: 1px solid {LINE}; border-top: 5px solid; border-radius: 8px; padding: 5px 14px 7px; min-height: 97px; }}
.top {{ display: flex; align-items: center; gap: 9px; font-weight: 650; font-size: 17px; flex-wrap: wrap; row-gap: 0; }}
.top svg {{ flex: none; }}
.figures {{ margin-left: auto; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; font-size: 16px; }}
.card p {{ margin: 2px 0 0; }}
@media (min-width: 1700px) {{ .card {{ min-height: 122px; padding: 8px 18px 10px; }}
  :host {{ font-size: 18.5px; }} .top {{ font-size: 22px; }} .figures {{ font-size: 21px; }} }}
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


def ramp(colour: str) -> list[str]:
    """256 shades from nearly white to a strategy's colour and on towards black, for reliance from 0 to 1."""
    stops = np.array([(238, 241, 244), *(tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)),)], float)
    stops = np.vstack([stops, stops[1] * 0.45])
    at = np.linspace(0, 2, 256)
    channels = [np.interp(at, [0, 1.25, 2], stops[:, c]).round().astype(int) for c in range(3)]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*channels, strict=True)]


def shortened(name: str, most: int) -> str:
    """A name in as much room as there is; none is taken for a formula, which Bokeh would set."""
    return re.sub(r"\$\$|\\[(\[]", lambda found: "\u200b".join(found[0]), cut(name, most))


def in_lines(name: str, most: int) -> str:
    """A name in one line, or in two."""
    first, blank, rest = name.partition(" ") if len(name) > most else (name, "", "")
    return shortened(first, most + 2) + ("\n" + shortened(rest, most + 2) if blank else "")


def card(k: int, strategy: dict[str, Any]) -> str:
    """A strategy's name, where it stands, and what holds it back."""
    reliance, net = strategy["curves"]["reliance"], strategy["curves"]["cumulative_net"]
    figures = f"{reliance[-1]:.0%} rely · {millions(net[-1])}" if len(net) else ""
    line = f"<svg width='40' height='6'><path d='M0 3H40' stroke='{COLOURS[k]}' stroke-width='5' stroke-dasharray='{STROKES[k]}'/></svg>"
    first, colon, rest = html.escape(strategy["sentence"], quote=False).partition(": ")
    said = f"<b>{first}:</b> {rest}" if colon and strategy["constraint"] else first + colon + rest
    return (
        f"<div class='card' style='border-top-color:{COLOURS[k]}'><div class='top'>{line}<span>{html.escape(strategy_label(strategy['name']))}</span>"
        f"<span class='figures'>{figures}</span></div><p>{said}</p></div>"
    )
