"""Names and numbers for people: one place, so that tables, pictures and pages agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sim.measures import CLASSES, MEASURES

if TYPE_CHECKING:
    import pandas as pd

CLASS_LABELS = {name: name.replace("_", " ") for name in CLASSES}
FORECASTER_LABELS = {
    "seasonal_naive": "seasonal naive",
    "smoothing": "exponential smoothing",
    "boosting": "boosted trees",
    "moving_average": "moving average",
    "planner": "planner's spreadsheet",
}
#: The model, and what simpler explanations it is held against.
MODEL_LABELS = {"model": "full model", "bass": "Bass curve", "success": "success alone", "mixed": "mean field"}
#: The first of networks and of placements is what the others are compared with.
NETWORK_LABELS = {
    "real": "real network", "blocks": "block model", "small_world": "small world", "scale_free": "scale-free", "rewired": "rewired",
}  # fmt: skip
PLACEMENT_LABELS = {"random": "at random", "central": "most ties", "between": "most paths", "clustered": "in clusters"}


def written(measure: str) -> str:
    """How people read a measure: ``share``, ``money``, or empty."""
    return MEASURES[measure].written if measure in MEASURES else ""


def in_words(measure: str, value: Any) -> str:
    """One value of an outcome record, with its unit; «never» where a week was not reached."""
    if value is None or value != value:
        return "never" if MEASURES[measure].censored else "–"
    if measure == "outcome":
        return CLASS_LABELS[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if written(measure) == "share":
        return f"{value:.0%}"
    if written(measure) == "money":
        return millions(value)
    return f"{value:.2f}" if isinstance(value, float) and value != int(value) else f"{value:.0f}"


def millions(value: float) -> str:
    """EUR in millions, or thousands where they are few, with a proper minus."""
    if abs(value) < 500:
        return "€0"
    if 0 < abs(round(value, -3)) < 1e6:
        return f"€{value / 1e3:.0f}k".replace("€-", "−€")
    return f"€{value / 1e6:.1f}M".replace("€-", "−€")


def percent(value: float) -> str:
    """A share in whole per cent."""
    return f"{value:.0%}"


def amount(outcome: str, value: float) -> str:
    """A value, or a difference, of an outcome in words."""
    if written(outcome) == "money":
        if abs(value) >= 1e7:
            return millions(round(value, -6)).replace(".0M", "M")
        return millions(value)
    return f"{value:.3g}".replace("-", "−")


def of_target(row: Mapping[Any, Any], value: float) -> str:
    """A value of a published number, or of what a model says to it; «never» where most never got there."""
    if value != value:
        return "–"
    if abs(value) == float("inf"):
        return "never"
    return f"{value:.0%}" if row["unit"] == "share" else f"{value:.2g}×" if row["unit"] == "ratio" else amount(row["measure"], value)


def bounded(row: Mapping[Any, Any], of: str, write: Callable[[float], str]) -> str:
    """An estimate of a table's row with its interval, ``of``, ``of_low`` and ``of_high``, each as ``write`` has it."""
    return f"{write(row[of])} [{write(row[f'{of}_low'])}, {write(row[f'{of}_high'])}]"


def interval(unit: str, middle: float, low: float, high: float) -> str:
    """A value with its 95% interval for people: money in millions, shares in per cent points of 1, other numbers in three digits."""
    if middle != middle:
        return "not defined"

    def one(value: float) -> str:
        if unit.startswith("EUR"):
            return millions(value)
        return (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}").replace("-", "−")

    return f"{one(middle)} [{one(low)}, {one(high)}]"


def outcome_words(outcome: str) -> str:
    """An outcome for people."""
    return (MEASURES[outcome].label if outcome in MEASURES else "") or outcome.replace("_", " ")


def strategy_label(name: str) -> str:
    """A strategy's name for people."""
    return name.replace("_", "-")


def cut(name: str, most: int) -> str:
    """A name in as many characters as there is room for."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def emerging(tests: pd.DataFrame) -> str:
    """How many patterns emerge, and how many of these their ablation removes, in a line."""
    verdicts = tests.drop_duplicates("pattern")["verdict"]
    whole = verdicts[verdicts.str.match("emerges(?! in part)")]
    return (
        f"{len(whole)} of {len(verdicts)} patterns emerge ({whole.str.endswith(', removed').sum()} of them removed by their ablation, "
        f"{whole.str.endswith('not removed').sum()} not removed), {verdicts.str.startswith('emerges in part').sum()} in part, "
        f"{(verdicts == 'does not emerge').sum()} not at all"
    )
