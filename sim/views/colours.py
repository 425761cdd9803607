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
