"""What is measured of a run, as records: the outcome of a run, its weeks, and its units at the end.

How each is computed stands in :mod:`sim.outcomes`; a measure is added there and here.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Why a measure may be missing where that is no property of the run: what was waited for did not happen within the horizon
#: (censored), or the horizon is too short to ask.
NEVER, SHORTER = "never", "shorter horizon"


@dataclass(frozen=True)
class Measure:
    """What is known about one measure of a run: the one place that says how it is read, shown and compared.

    Attributes:
        kind: ``number``, ``count``, ``flag`` or ``text``.
        unit: in words.
        note: what it is.
        label: for people, in the table of a run; empty: not shown there.
        written: as people read it: ``share``, ``money``, or empty for a plain number or text.
        better: 1 where more is better, -1 where less is, 0 where neither can be said.
        missing: why a run may lack it; empty: every run has it.
    """

    kind: str
    unit: str
    note: str
    label: str = ""
    written: str = ""
    better: int = 0
    missing: str = ""

    @property
    def meaning(self) -> str:
        """What it is, and why it may be missing."""
        return f"{self.note}; null: {self.missing}" if self.missing else self.note

    @property
    def censored(self) -> bool:
        """Whether it is a time that some runs do not live to see: such a run is late, and not without a value."""
        return self.missing == NEVER

    @property
    def complete(self) -> bool:
        """Whether every run of a sufficient horizon has it."""
        return self.missing in ("", SHORTER)

    @property
    def numeric(self) -> bool:
        """Whether it can be averaged."""
        return self.kind in ("number", "count", "flag")


#: How a run can end.
CLASSES = ("never_launched", "abandoned", "pilot_purgatory", "partial_adoption", "scaled")

#: The outcome record of a run, entry by entry.
MEASURES: dict[str, Measure] = {
    "weeks": Measure("count", "weeks", "horizon"),
    "users": Measure("count", "planners", "planners in the enterprise"),
    "units": Measure("count", "business units", "business units in the enterprise"),
    "teams": Measure("count", "teams", "teams in the enterprise"),
    "final_users_using": Measure(
        "number", "share of planners", "planned on the forecast in the last week, adjusted or not", written="share", better=1
    ),
    "final_reliance": Measure(
        "number", "0 to 1", "mean habit of relying on the forecast at the end", "reliance of planners at the end", "share", 1
    ),
    "final_teams_trust_and_use": Measure(
        "number", "share of teams", "teams that trust the forecast and use it at the end", "teams that trust and use it at the end", "share", 1
    ),
    "final_trust": Measure("number", "0 to 1", "mean trust at the end", "trust at the end (0 to 1)", better=1),
    "final_units_live": Measure("count", "business units", "units live at the end", "units live at the end", better=1),
    "units_retired": Measure(
        "count", "business units", "retired at the end: gave the forecast up, or lost it with the initiative", "units retired at the end"
    ),
    "gate_week": Measure("count", "week", "week the pilot passed its gate", "week the pilot passed its gate", missing=NEVER),
    "weeks_to_50": Measure(
        "count", "week", "first week with a reliance of 50%", "weeks to 50% reliance", better=-1, missing=NEVER
    ),
    "weeks_to_80": Measure(
        "count", "week", "first week with a reliance of 80%", "weeks to 80% reliance", better=-1, missing=NEVER
    ),
    "net_104": Measure(
        "number", "EUR", "cumulative net value after 104 weeks", "net value after 104 weeks", "money", 1, SHORTER
    ),
    "net": Measure("number", "EUR", "cumulative net value at the end", "net value at the end", "money", 1),
    "net_discounted": Measure(
        "number", "EUR", "cumulative net value at the end, discounted to the start", "net value, discounted", "money", 1
    ),
    "net_last_year": Measure("number", "EUR", "net value of the last 52 weeks", written="money", better=1),
    "trough": Measure("number", "EUR", "lowest cumulative net value, at most 0", "depth of the trough", "money", 1),
    "trough_week": Measure("count", "week", "week of the trough", "week of the trough", missing="never below 0"),
    "payback_week": Measure(
        "count", "week", "first week from which cumulative net value stays above 0", "payback week", missing=NEVER
    ),
    "retrofit_share": Measure(
        "number", "0 to 1", "share of platform effort that went into retrofit", "platform effort spent on retrofit", "share",
        missing="no platform effort",
    ),
    "effort": Measure("number", "person-weeks", "central effort spent"),
    "lowest_support_ratio": Measure(
        "number", "0 to 1", "support given over support needed, at its lowest", "support ratio at its lowest", "share", 1
    ),
    "weeks_to_production": Measure("count", "week", "first week in which a unit beyond the pilot was live", better=-1, missing=NEVER),
    "weeks_in_production": Measure(
        "count", "weeks", "weeks in which a unit beyond the pilot was live",
        "weeks in production beyond the pilot", better=1,
    ),
    "survived_three_years": Measure("flag", "", "in production that long", "three years in production", better=1, missing=SHORTER),
    "use_cases_begun": Measure("count", "use cases", "whose turn came", "use cases begun"),
    "use_cases_past_pilot": Measure("count", "use cases", "of which a unit beyond the pilot was ever live", better=1),
    "use_cases_ended": Measure("count", "use cases", "stopped, or given up by every unit, and not taken up again", better=-1),
    "use_cases_scrapped": Measure("count", "use cases", "of these, ended before a unit beyond the pilot was live", better=-1),
    "use_cases_live": Measure("count", "use cases", "in production beyond the pilot at the end", "use cases in production at the end", better=1),
    "use_cases_survived": Measure(
        "count", "use cases", "in production for three years", "use cases three years in production", better=1, missing=SHORTER
    ),
    "use_cases_kept": Measure(
        "number", "0 to 1", "share of the use cases begun early enough that were in production for three years",
        "use cases kept for three years", "share", 1, "none begun early enough",
    ),
    "outcome": Measure("text", "", "class: " + ", ".join(CLASSES), "outcome class"),
    "reason": Measure("text", "", "why this class"),
}  # fmt: skip
#: Measures of a portfolio that are shown: with one use case they say nothing that others do not, and are not.
PORTFOLIO = tuple(name for name, measure in MEASURES.items() if name.startswith("use_cases_") and measure.label)
#: Outcomes that are numbers, and those of them that every run of a sufficient horizon has.
NUMERIC = tuple(name for name, measure in MEASURES.items() if measure.numeric)
COMPLETE = tuple(name for name in NUMERIC if MEASURES[name].complete)
#: Complete outcomes of which more is better; of others a strategy is said to have more, not to win.
MORE_IS_BETTER = tuple(name for name in COMPLETE if MEASURES[name].better > 0)

#: Weekly measures that a study keeps where weekly records are asked for.
WEEKLY: dict[str, Measure] = {
    "users_using": Measure("number", "share of planners", "planned on the forecast this week, adjusted or not"),
    "reliance": Measure("number", "0 to 1", "mean habit of relying on the forecast"),
    "trust": Measure("number", "0 to 1", "mean trust"),
    "teams_trust_and_use": Measure("number", "share of teams", "teams that trust the forecast and use it"),
    "units_live": Measure("count", "business units", "units live"),
    "units_retired": Measure("count", "business units", "units retired: gave the forecast up, or lost it with the initiative"),
    "support_ratio": Measure("number", "0 to 1", "support given over support needed"),
    "quality": Measure("number", "0 to 1", "quality of the central model, 1: sound"),
    "net": Measure("number", "EUR", "net value of the week"),
    "cumulative_net": Measure("number", "EUR", "net value so far"),
}
#: Measures of a unit in the last week that a study keeps where units are asked for.
UNIT_ENDS: dict[str, Measure] = {
    "users_using": Measure("number", "share of planners", "planned on the forecast in the last week, adjusted or not"),
    "reliance": Measure("number", "0 to 1", "mean habit of relying on the forecast"),
    "trust": Measure("number", "0 to 1", "mean trust"),
    "clean": Measure("number", "0 to 1", "share of its data that is clean"),
    "readiness_integration": Measure("number", "0 to 1", "how far the forecast is in the planning system"),
    "fit": Measure("number", "0 to 1", "how far the forecast fits how teams plan"),
    "sponsorship": Measure("number", "0 to 1", "backing by the unit's leader"),
}
