"""The file with published numbers: what a target may say, and what is wrong with one that says something else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.check.seen import ANY_WEEK
from experiments.check.targets import EITHER, STATISTICS, Mix, Target
from experiments.lab.config import ages
from sim.measures import MEASURES, NUMERIC
from sim.parameters import RECORDS
from sim.presets import GROUPS, available, read_yaml
from sim.schema import InvalidInput, nearest

KEYS = (
    "name", "source", "population", "measure", "of", "among", "weight", "statistic", "at_least", "at_most", "at_week", "ratio_to",
    "value", "tolerance",
)  # fmt: skip
#: Characters of a name or source: what still fits beside a picture.
LONGEST = 200
#: Members of a mix.
MOST_MEMBERS = 100
#: Measures that may be a part, or a whole, or count organisations.
COUNTS = tuple(name for name in NUMERIC if MEASURES[name].kind == "count" and "week" not in MEASURES[name].unit)


def read_targets(path: Path) -> list[Target]:
    """The targets of a file; :class:`InvalidInput` names the target and what is wrong with it."""
    if not str(path) or str(path) == ".":
        raise InvalidInput("targets", "", "a file with published numbers: python -m experiments.check targets.yaml")
    rows = read_yaml(path)
    if not isinstance(rows, list) or not rows:
        raise InvalidInput(str(path), rows, "a list of targets, each with " + ", ".join(KEYS))
    return [_target(f"{path}, target {number}", row) for number, row in enumerate(rows, 1)]


def _target(where: str, row: Any) -> Target:
    if not isinstance(row, Mapping):
        raise InvalidInput(where, row, "a mapping with " + ", ".join(KEYS))
    for key in row:
        if key not in KEYS:
            raise InvalidInput(f"{where}, {key}", row[key], nearest(str(key), list(KEYS)))
    measure, statistic = _statistic(where, row)
    more = _parts(where, row, measure)
    texts = {"name": row.get("name", measure), "source": row.get("source", "")}
    for key, text in texts.items():
        if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
            raise InvalidInput(f"{where}, {key}", text, f"a text of one line, at most {LONGEST} characters")
    at_week = _at_week(where, row, measure, more)
    if "ratio_to" in row and statistic == "median":
        raise InvalidInput(f"{where}, statistic", statistic, "mean or share, of which there is a ratio")
    mix, to = (_mix(where, key, row[key], at_week) if key in row else () for key in ("population", "ratio_to"))
    numbers = _numbers(where, row, [key for key in ("value", "tolerance", "at_least", "at_most") if key in row or key[:2] != "at"])
    given: dict[str, Any] = {**texts, **more, **numbers}
    made = Target(
        population=mix or _mix(where, "population", {}, at_week),
        ratio_to=to,
        measure=measure,
        statistic=statistic,
        at_week=at_week,
        **given,
    )
    if made.per_cent and not 0 <= made.value <= 1:
        raise InvalidInput(f"{where}, value", made.value, "a share from 0 to 1")
    return made


def _statistic(where: str, row: Mapping[str, Any]) -> tuple[str, str]:
    measure, statistic = row.get("measure"), row.get("statistic", "mean")
    known = [*NUMERIC, *EITHER]
    if measure not in known:
        raise InvalidInput(f"{where}, measure", measure, nearest(str(measure), known))
    if statistic not in STATISTICS:
        raise InvalidInput(f"{where}, statistic", statistic, "one of " + ", ".join(STATISTICS))
    if measure in EITHER and statistic == "median":
        raise InvalidInput(f"{where}, statistic", statistic, f"mean or share: {measure} is so or not, of which organisations have a share")
    ends = [key for key in ("at_least", "at_most") if key in row]
    thresholds = statistic == "share" and measure not in EITHER
    if ends and not thresholds:
        raise InvalidInput(f"{where}, {ends[0]}", row[ends[0]], "nothing, but where statistic is share and measure is a number")
    if thresholds and not ends:
        raise InvalidInput(f"{where}, at_least", None, "a number, or at_most, or both, where statistic is share")
    return str(measure), statistic


def _parts(where: str, row: Mapping[str, Any], measure: str) -> dict[str, str]:
    """Of what the measure is a part, who is asked, and by what they count."""
    made = {key: row[key] for key in ("of", "among", "weight") if key in row}
    for key, value in made.items():
        known = EITHER if key == "among" else COUNTS
        if value not in known:
            raise InvalidInput(f"{where}, {key}", value, nearest(str(value), list(known)))
    if "of" in made and measure not in COUNTS:
        raise InvalidInput(f"{where}, of", made["of"], f"nothing, because {measure} is no number of use cases, units, teams or planners")
    return made


def _numbers(where: str, row: Mapping[str, Any], keys: list[str]) -> dict[str, float]:
    numbers = {}
    for key in keys:
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
            raise InvalidInput(f"{where}, {key}", value, "a number")
        numbers[key] = float(value)
    if numbers["tolerance"] < 0:
        raise InvalidInput(f"{where}, tolerance", numbers["tolerance"], "0 or more")
    if numbers.get("at_least", -math.inf) > numbers.get("at_most", math.inf):
        raise InvalidInput(f"{where}, at_most", numbers["at_most"], f"at_least, {numbers['at_least']:g}, or more")
    return numbers


def _at_week(where: str, row: Mapping[str, Any], measure: str, more: Mapping[str, str]) -> int | tuple[int, int] | None:
    if "at_week" not in row:
        return None
    for key in ("population", "ratio_to"):
        if isinstance(row.get(key), Mapping) and "weeks" in row[key] and not isinstance(row["at_week"], list):
            raise InvalidInput(f"{where}, at_week", row["at_week"], f"nothing, because {key} says how many weeks are run")
    if not isinstance(row["at_week"], list):
        return RECORDS["weeks"].check(f"{where}, at_week", row["at_week"])
    for key, name in {"measure": measure, **more}.items():
        if name not in ANY_WEEK:
            raise InvalidInput(f"{where}, {key}", name, "what is known of every week: " + nearest(name, list(ANY_WEEK)))
    return ages({f"{where}, at_week": row["at_week"]}, f"{where}, at_week")


# --------------------------------------------------------------------------- populations


def _mix(where: str, key: str, given: Any, at_week: int | tuple[int, int] | None) -> Mix:
    """The members of a mix: all combinations of what it says of each name, with the products of their shares."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where}, {key}", given, "a mapping such as {maturity: high, strategy: {model_first: 0.5, balanced: 0.5}}")
    named: dict[str, list[tuple[float, Any]]] = {}
    for name, value in given.items():
        if name not in GROUPS and name not in RECORDS:
            raise InvalidInput(f"{where}, {key}", name, nearest(str(name), [*RECORDS, *GROUPS]))
        named[name] = _shares(f"{where}, {name}", name, value)
    if isinstance(at_week, int):
        named["weeks"] = [(1.0, at_week)]
    if math.prod(len(values) for values in named.values()) > MOST_MEMBERS:
        raise InvalidInput(f"{where}, {key}", {name: len(v) for name, v in named.items()}, f"at most {MOST_MEMBERS} combinations")
    names = sorted(named)
    return tuple(
        (math.prod(share for share, _ in values), tuple(zip(names, (value for _, value in values), strict=True)))
        for values in itertools.product(*(named[name] for name in names))
    )


def _shares(where: str, name: str, given: Any) -> list[tuple[float, Any]]:
    """What a mix says of one name: its values, each with its share."""
    if not isinstance(given, Mapping):
        return [(1.0, _value(where, name, given))]
    made = []
    for value, share in given.items():
        checked = _value(where, name, value)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InvalidInput(f"{where}, {value}", share, "a share above 0, at most 1")
        made.append((float(share), checked))
    total = sum(share for share, _ in made)
    if abs(total - 1) > 1e-9:
        raise InvalidInput(where, round(total, 9), "shares that add up to 1")
    return made


def _value(where: str, name: str, value: Any) -> Any:
    if name in GROUPS:
        if value not in available(name):
            raise InvalidInput(where, value, nearest(str(value), available(name)))
        return value
    if RECORDS[name].is_list:
        raise InvalidInput(where, value, "no list: lists belong in a preset")
    return RECORDS[name].check(where, value)
