"""Names and numbers for people: one place, so that tables, pictures and pages agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

OUTCOME_LABELS = {
    "outcome": "outcome class",
    "final_reliance": "reliance of planners at the end",
    "final_teams_trust_and_use": "teams that trust and use it at the end",
    "final_trust": "trust at the end (0 to 1)",
    "final_units_live": "units live at the end",
    "units_retired": "units that gave up",
    "gate_week": "week the pilot passed its gate",
    "weeks_to_50": "weeks to 50% reliance",
    "weeks_to_80": "weeks to 80% reliance",
    "net_104": "net value after 104 weeks",
    "net": "net value at the end",
    "net_discounted": "net value, discounted",
    "trough": "depth of the trough",
    "trough_week": "week of the trough",
    "payback_week": "payback week",
    "retrofit_share": "platform effort spent on retrofit",
    "lowest_support_ratio": "support ratio at its lowest",
    "weeks_in_production": "weeks in production beyond the pilot",
    "survived_three_years": "three years in production",
}
SHARES = {"final_reliance", "final_teams_trust_and_use", "retrofit_share", "lowest_support_ratio", "final_users_using"}
MONEY = {"net", "net_104", "net_discounted", "trough", "net_last_year"}
CLASS_LABELS = {
    "never_launched": "never launched",
    "abandoned": "abandoned",
    "pilot_purgatory": "pilot purgatory",
    "partial_adoption": "partial adoption",
    "scaled": "scaled",
}


def in_words(measure: str, value: Any) -> str:
    """One value of an outcome record, with its unit; «never» where a week was not reached."""
    if value is None or value != value:
        return "never" if measure.startswith(("weeks_to", "gate", "payback")) else "–"
    if measure == "outcome":
        return CLASS_LABELS[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if measure in SHARES:
        return f"{value:.0%}"
    if measure in MONEY:
        return millions(value)
    return f"{value:.2f}" if isinstance(value, float) and value != int(value) else f"{value:.0f}"


def millions(value: float) -> str:
    """EUR in millions, or thousands where they are few, with a proper minus."""
    if abs(value) < 500:
        return "€0"
    if 0 < abs(round(value, -3)) < 1e6:
        return f"€{value / 1e3:.0f}k".replace("€-", "−€")
    return f"€{value / 1e6:.1f}M".replace("€-", "−€")


def amount(outcome: str, value: float) -> str:
    """A value, or a difference, of an outcome in words."""
    if outcome in MONEY:
        if abs(value) >= 1e7:
            return millions(round(value, -6)).replace(".0M", "M")
        return millions(value)
    return f"{value:.3g}".replace("-", "−")


def bounded(row: Mapping[Any, Any], of: str, write: Callable[[float], str]) -> str:
    """An estimate of a table's row with its interval, ``of``, ``of_low`` and ``of_high``, each as ``write`` has it."""
    return f"{write(row[of])} [{write(row[f'{of}_low'])}, {write(row[f'{of}_high'])}]"


def outcome_words(outcome: str) -> str:
    """An outcome for people."""
    return OUTCOME_LABELS.get(outcome, outcome.replace("_", " "))


def strategy_label(name: str) -> str:
    """A strategy's name for people."""
    return name.replace("_", "-")


def cut(name: str, most: int) -> str:
    """A name in as many characters as there is room for."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
