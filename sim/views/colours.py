"""Colours and lines of all pictures and pages, in one place that loads at once."""

from __future__ import annotations

#: Okabe & Ito's colours, which people with colour-blindness can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
LINES = ("-", "--", "-.", ":")
CLASS_COLOURS = {
    "never_launched": "#4d4d4d",
    "abandoned": "#8c510a",
    "pilot_purgatory": "#d8b365",
    "partial_adoption": "#9ecae1",
    "scaled": "#08519c",
}
STAGE_COLOURS = {"waiting": "#e8e8e8", "pilot": "#E69F00", "onboarding": "#9ecae1", "live": "#0072B2", "retired": "#6b6b6b"}
SOURCE_COLOURS = {"documented": COLOURS[0], "measured": COLOURS[4], "calibrated": COLOURS[2], "judged": COLOURS[1]}
SOURCE_MARKS = {"documented": "s", "measured": "^", "calibrated": "D", "judged": "o"}
#: Of the use cases that come with the product: each has its own in every picture.
USE_CASE_COLOURS = dict(zip(("demand", "promotion", "replenishment", "price", "capacity", "returns"), COLOURS[:6], strict=True))
#: What keeps planners off the forecast (:data:`sim.bottleneck.CONSTRAINTS`), and those who are on it.
CONSTRAINT_COLOURS = {
    "gate": "#4d4d4d",
    "waves": "#9a9a9a",
    "pipelines": COLOURS[0],
    "integration": COLOURS[5],
    "support": COLOURS[3],
    "approval": "#5e3c99",
    "workflow": COLOURS[7],
    "load": "#b2abd2",
    "trust": COLOURS[4],
    "model": "#000000",
    "ageing": "#8c510a",
    "backing": COLOURS[1],
}
USING = "#d9efe6"
