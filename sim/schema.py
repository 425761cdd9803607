"""What a number of the model is: records of parameters and measures, how groups of them are checked, and what a user is told.

A group of parameters is a frozen dataclass whose fields carry a :class:`Record`; groups may hold groups. The functions here know the
shape of such a tree and none of its numbers, which stand in :mod:`sim.parameters`; those of measures stand in :mod:`sim.measures`.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import numbers
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, dataclass_transform

import numpy as np

#: Names that changed, and what they are called now: parameters, and columns of an organisation's files.
RENAMED = {
    "forecast.category_spread": "forecast.difficulty_spread",
    "forecast.stale": "forecast.min_freshness",
    "platform.tail_spread": "platform.overrun_spread",
    "utility.enough": "utility.saturation",
    "utility.reinforce": "utility.min_peers",
    "sponsor.follow": "sponsor.rate",
    "forecast.sudden": "disturbance.shift",
    "forecast.sudden_size": "disturbance.shift_size",
    "sponsor.blind": "sponsor.visible_unmonitored",
    "category": "difficulty",
    "skill": "own_error",
}
#: Names that are gone, and why.
GONE = dict.fromkeys(("sponsor.technical", "sponsor.shared", "platform.crew", "forecast.variance"), "it changed next to nothing")


class InvalidInput(ValueError):
    """Something the user wrote cannot be used.

    Attributes:
        key: dotted name of the parameter, or file and line.
        value: what was given.
        allowed: what would be accepted, in words.
    """

    def __init__(self, key: str, value: Any, allowed: str) -> None:
        self.key, self.value, self.allowed = key, value, allowed
        super().__init__(f"{_line(key)}: {_shorten(value)} is not allowed; expected {_line(allowed)}")

    def __reduce__(self):
        return type(self), (self.key, self.value, self.allowed)


def _line(text: str, most: int = 400) -> str:
    """One line of ``most`` characters; what is left out is the middle: a path says most at its end."""
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[: most * 2 // 3] + "…" + text[len(text) - most // 3 + 1 :]


def _shorten(value: Any) -> str:
    try:
        return _line(repr(value), 80)
    except ValueError:  # a whole number of more digits than Python prints
        return "a number of very many digits"


def nearest(name: str, known: Iterable[str]) -> str:
    """Known names, the likeliest first, or the new name of one that changed: the hint of every «unknown …» message."""
    known = sorted(known)
    if str(name) in GONE:
        return f"nothing: it is gone, as {GONE[str(name)]}"
    now = RENAMED.get(str(name), "")
    if now in known or "." in now:
        return f"{now}, as it is called now"
    if (without := "".join(str(name).split())) in known and without != str(name):
        return f"{without}, without the blanks in {str(name)!r}"
    close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    if close:
        return f"one of the known names; did you mean {' or '.join(close)}?"
    return "one of " + ", ".join(known)


#: What is allowed where a written number :func:`vanishes`.
NOT_ZERO = "0, or a number of at least 2.3e-308 in size; a computer would take this one for 0, or lose its digits"


def vanishes(text: str) -> bool:
    """Whether a text is a number other than zero that a float takes for zero, or holds with fewer digits only."""
    with suppress(ValueError):
        return abs(float(text)) < sys.float_info.min and re.search("[1-9]", text.lower().partition("e")[0]) is not None
    return False


#: Characters that show nothing although Unicode counts them among letters, marks and symbols: fillers and the empty Braille cell.
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")


def hidden(text: str) -> str:
    """The first character of a text that nobody sees or that turns the direction of text, or nothing.

    These are the controls, format characters, line and paragraph separators and lone surrogates of Unicode (Cc, Cf, Zl, Zp, Cs), and
    fillers. A joiner (U+200C, U+200D) is none directly after a letter, mark or symbol that is not Latin, Greek or Cyrillic: Persian,
    the scripts of India and emoji are written with it.
    """
    for i, c in enumerate(text):
        if c in _EMPTY or unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            before = text[i - 1] if i else " "
            joins = unicodedata.category(before)[0] in "LMS" and not unicodedata.name(before, "").startswith(("LATIN", "GREEK", "CYRILLIC"))
            if not (c in _JOINERS and joins and not before.isascii()):
                return c
    return ""


def refuse_hidden(key: str, value: Any) -> None:
    """Refuse a text, or texts within lists, that hold a :func:`hidden` character; a text may have lines and tabs."""
    if isinstance(value, str):
        found = hidden(re.sub("[\n\t]", " ", value))
        if found:
            raise InvalidInput(
                key, value, f"a text without characters that nobody sees or that turn the direction of text, here U+{ord(found):04X}"
            )
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            refuse_hidden(key, each)


# --------------------------------------------------------------------------- records


@dataclass(frozen=True)
class Record:
    """What is known about one parameter besides its value.

    Attributes:
        kind: ``number``, ``count`` (a whole number), ``choice``, ``text``, ``names``, ``columns`` (what a file calls its columns) or
            ``groups`` (a list of groups of parameters, each with a name).
        unit: in words.
        low, high: the allowed range, both ends included.
        source: ``documented``, ``measured``, ``calibrated`` or ``judged``.
        note: what it rests on.
        choices: the alternatives of a choice, in the order of their numbers; the names of ``columns``.
        studied: the range that its source gives, where it gives one.
        default: the value where nobody says another.
    """

    kind: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    source: str = "judged"
    note: str = ""
    choices: tuple[str, ...] = ()
    studied: tuple[float, float] | None = None
    default: Any = None

    @property
    def allowed(self) -> str:
        """The accepted values in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "text":
            return "a text"
        if self.kind == "names":
            return "a list of names without repetition"
        if self.kind == "groups":
            return "a list of names of presets, or of mappings with a name"
        if self.kind == "columns":
            return "the file's own titles by name, such as {" + ", ".join(f"{name}: …" for name in self.choices) + "}"
        what = "a whole number" if self.kind == "count" else "a number"
        return f"{what} from {self.low:g} to {self.high:g}" + (f" [{self.unit}]" if self.unit else "")

    @property
    def is_list(self) -> bool:
        """Whether its value is a list, which no factor of a design and no cell of a table holds."""
        return self.kind in ("names", "columns", "groups")

    def check(self, key: str, value: Any) -> Any:
        """Return ``value`` in its plain Python type, or raise :class:`InvalidInput`."""
        if not self._takes(value):
            raise InvalidInput(key, value, self.allowed)
        if self.kind in ("text", "names", "columns"):
            refuse_hidden(key, value)
        if self.kind in ("names", "groups"):
            return tuple(value)
        if self.kind == "columns":
            return tuple(sorted(dict(value or ()).items()))
        return int(value) if self.kind == "count" else float(value) if self.kind == "number" else value

    def _takes(self, value: Any) -> bool:
        if self.kind == "choice":
            return isinstance(value, str) and value in self.choices
        if self.kind == "text":
            return isinstance(value, str) and len(value) <= 4096 and "\0" not in value
        if self.kind == "groups":
            return isinstance(value, list | tuple)  # what is in it is checked with its group
        if self.kind == "names":
            return isinstance(value, list | tuple) and all(isinstance(v, str) for v in value) and len(set(value)) == len(value)
        if self.kind == "columns":
            pairs = [] if value is None else list(value.items()) if isinstance(value, Mapping) else value
            return (
                isinstance(pairs, list | tuple)
                and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
                and all(name in self.choices and isinstance(title, str) and title for name, title in pairs)
            )
        kind: Any = numbers.Integral if self.kind == "count" else numbers.Real
        if isinstance(value, bool | np.bool_) or not isinstance(value, kind):
            return False
        return self.low <= value <= self.high  # false for NaN too; whole numbers may be larger than a float holds


def number(default: float, unit: str, low: float, high: float, source: str, note: str, studied: tuple[float, float] | None = None) -> Any:
    """A real-valued parameter; ``studied`` is the range that its source gives, where it gives one."""
    return _field(Record("number", unit, low, high, source, note, studied=studied, default=float(default)))


def count(default: int, unit: str, low: int, high: int, source: str, note: str) -> Any:
    """A whole-numbered parameter."""
    return _field(Record("count", unit, low, high, source, note, default=default))


def choice(default: str, choices: tuple[str, ...], note: str) -> Any:
    """A parameter with named alternatives."""
    return _field(Record("choice", choices=choices, note=note, default=default))


def text(default: str, note: str) -> Any:
    """A free text: a path or a name."""
    return _field(Record("text", note=note, default=default))


def names(note: str) -> Any:
    """A list of names."""
    return _field(Record("names", note=note, default=()))


def titles(names: tuple[str, ...], note: str) -> Any:
    """What a file calls its columns, by the names they have here; kept as sorted pairs."""
    return _field(Record("columns", choices=names, note=note, default=()))


def groups(default: Any, note: str) -> Any:
    """A list of groups of one kind, told apart by their names; ``default`` is the only one where nobody names others."""
    return field(default=(default,), metadata={"record": Record("groups", note=note, default=(default,)), "group": type(default)})


def _field(record: Record) -> Any:
    return field(default=record.default, metadata={"record": record})


# --------------------------------------------------------------------------- groups of parameters


@dataclass_transform(frozen_default=True)
def group(cls: Any) -> Any:
    """A frozen dataclass of parameters: who assigns to it is told what to do instead."""

    def refuse(self: Any, name: str, value: Any = "del") -> None:
        raise InvalidInput(f"{cls.__name__}.{name}", value, "model.change({name: value}), or sim.configuration.vary: parameters are frozen")

    made: Any = dataclass(frozen=True)(cls)
    made.__setattr__ = made.__delattr__ = refuse
    return made


@lru_cache(maxsize=64)
def fields_of(cls: Any) -> dict[str, Any]:
    """The fields of a group by name."""
    return {f.name: f for f in dataclasses.fields(cls)}


@lru_cache(maxsize=64)
def defaults_of(cls: Any) -> dict[str, Any]:
    """The default of every field of a group."""
    blank = cls()
    return {name: getattr(blank, name) for name in fields_of(cls)}


def group_of(cls: Any, name: str) -> Any:
    """The class of a field that is a group itself, or None."""
    default = defaults_of(cls)[name]
    return type(default) if dataclasses.is_dataclass(default) else None


def frozen(values: Any, cls: Any, prefix: str = "", base: Any = None) -> Any:
    """An instance of a group from a nested mapping, the other fields from ``base`` or the defaults.

    A group may have a method ``validate(prefix)``, which looks at its fields together.

    Raises:
        InvalidInput: for unknown keys, wrong types and values out of range; names the key.
    """
    if not isinstance(values, Mapping):
        raise InvalidInput(prefix.rstrip(".") or "configuration", values, "a mapping of names to values")
    fields = fields_of(cls)
    checked: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name not in fields:
            raise InvalidInput(key, value, nearest(key, [prefix + known for known in fields]))
        group = group_of(cls, name)
        if group is not None:
            checked[name] = frozen(value, group, key + ".", None if base is None else getattr(base, name))
        elif "group" in fields[name].metadata:
            checked[name] = _several(key, value, fields[name].metadata["group"], () if base is None else getattr(base, name))
        else:
            checked[name] = fields[name].metadata["record"].check(key, value)
    result = cls(**checked) if base is None else dataclasses.replace(base, **checked)
    if hasattr(result, "validate"):
        result.validate(prefix)
    return result


def _several(key: str, value: Any, cls: Any, base: tuple) -> tuple:
    """A list of groups from a list of mappings, or those of ``base`` with other values for some, by name."""
    if isinstance(value, Mapping) and base:
        for name, changes in value.items():
            if name not in [each.name for each in base]:
                raise InvalidInput(f"{key}.{name}", changes, nearest(str(name), [each.name for each in base]))
        return tuple(frozen(value[each.name], cls, f"{key}.{each.name}.", each) if each.name in value else each for each in base)
    if not isinstance(value, list | tuple):
        raise InvalidInput(key, value, "a list of names of presets, or of mappings with a name")
    return tuple(
        each
        if isinstance(each, cls)
        else frozen(each, cls, f"{key}.{each.get('name') or place}." if isinstance(each, Mapping) else f"{key}.")
        for place, each in enumerate(value)
    )


def to_mapping(group: Any) -> dict[str, Any]:
    """The nested mapping of a group, with plain lists; columns that nobody names are None, where a command line can put a mapping."""
    result: dict[str, Any] = {}
    cls: Any = type(group)
    for name in fields_of(cls):
        value = getattr(group, name)
        if dataclasses.is_dataclass(value):
            result[name] = to_mapping(value)
        elif fields_of(cls)[name].metadata["record"].kind == "groups":
            result[name] = [to_mapping(each) for each in value]
        elif fields_of(cls)[name].metadata["record"].kind == "columns":
            result[name] = dict(value) or None
        else:
            result[name] = list(value) if isinstance(value, tuple) else value
    return result


def walk(cls: Any, prefix: str = "") -> Iterator[tuple[str, Record]]:
    """Every parameter of a group and of those inside it by dotted name, in the order of the definition."""
    for name, f in fields_of(cls).items():
        group = group_of(cls, name)
        if group is not None:
            yield from walk(group, f"{prefix}{name}.")
        else:
            yield prefix + name, f.metadata["record"]


# --------------------------------------------------------------------------- what the engines read

#: Kinds that the engines read, and how: choices as their number. Texts and names are read before the first week.
ENGINE_TYPES = {"number": np.float64, "count": np.int64, "choice": np.int64}


def vectors_of(cls: Any) -> dict[str, tuple[str, ...]]:
    """Fields that the engines read as one array, by the name of that array (the group's class variable ``vectors``)."""
    return getattr(cls, "vectors", {})


def dtype_of(cls: Any) -> np.dtype:
    """The structured type of a group; a group of like groups of numbers (``matrix``) is one array [groups, numbers]."""
    columns: list[tuple] = []
    gathered = {name for names in vectors_of(cls).values() for name in names}
    for name, f in fields_of(cls).items():
        group = group_of(cls, name)
        if group is not None:
            inner = dtype_of(group) if not getattr(group, "matrix", False) else None
            columns.append((name, inner) if inner is not None else (name, np.float64, matrix_shape(group)))
        elif name not in gathered and f.metadata["record"].kind in ENGINE_TYPES:
            columns.append((name, ENGINE_TYPES[f.metadata["record"].kind]))
    columns += [(name, np.float64, (len(names),)) for name, names in vectors_of(cls).items()]
    return np.dtype(columns, align=True)


def matrix_shape(cls: Any) -> tuple[int, int]:
    """Groups, and numbers in each, of a group that is read as one array."""
    rows = list(fields_of(cls))
    inner = group_of(cls, rows[0])
    return len(rows), len(fields_of(inner)) if inner else 0


def row_of(group: Any) -> tuple:
    """The values of a group as a row of :func:`dtype_of`."""
    cls: Any = type(group)
    row: list[Any] = []
    gathered = {name for names in vectors_of(cls).values() for name in names}
    for name, f in fields_of(cls).items():
        value = getattr(group, name)
        if dataclasses.is_dataclass(value):
            inner: Any = type(value)
            matrix = getattr(inner, "matrix", False)
            row.append([dataclasses.astuple(getattr(value, part)) for part in fields_of(inner)] if matrix else row_of(value))
        elif name not in gathered:
            record = f.metadata["record"]
            if record.kind in ENGINE_TYPES:
                row.append(record.choices.index(value) if record.kind == "choice" else value)
    row += [[getattr(group, name) for name in names] for names in vectors_of(cls).values()]
    return tuple(row)
