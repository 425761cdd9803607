"""Names of units, teams and planners: what may be one, which ones look alike, and how one, and several, are written."""

from __future__ import annotations

import numbers
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sim.presets import NAME
from sim.schema import InvalidInput, hidden, refuse_hidden

LONGEST_NAME = 200
#: How software writes that there is nothing; «NA» is none of them, because it is also North America.
MISSING = frozenset({"", "nan", "NaN", "None", "null", "NULL", "<NA>", "NaT", "#N/A"})


def named(key: str, text: str) -> str:
    """The text itself, if it can be a name.

    Raises:
        InvalidInput: it is empty or too long, stands for a missing value, or holds a character that nobody sees
            (:func:`sim.schema.hidden`); names ``key``.
    """
    found = hidden(text)
    if not text or len(text) > LONGEST_NAME or (found and unicodedata.category(found) == "Cc"):
        raise InvalidInput(key, text, f"a name of 1 to {LONGEST_NAME} characters without control characters")
    refuse_hidden(key, text)
    if text in MISSING:
        raise InvalidInput(key, text, "a name; this is how software writes that there is none")
    return text


def label(value: Any) -> str:
    """A value as a name, empty where it is missing: None, NaN and NaT are, and 1.0 is «1» (a column with gaps turns 1 into 1.0)."""
    if value is None or str(value) in MISSING:
        return ""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if number.is_integer() and not isinstance(value, numbers.Integral):
            return f"{number:.0f}"
    return str(value)


#: Cyrillic and Greek letters that are drawn as Latin ones (Unicode Technical Standard 39), by their code points.
CYRILLIC, CYRILLIC_AS = (
    "0410 0412 0415 041a 041c 041d 041e 0420 0421 0422 0425 0405 0406 0408 0430 0435 043e 0440 0441 0443 0445 0455 0456 0458",
    "ABEKMHOPCTXSIJaeopcyxsij",
)
GREEK, GREEK_AS = "0391 0392 0395 0396 0397 0399 039a 039c 039d 039f 03a1 03a4 03a5 03a7 03bf", "ABEZHIKMNOPTYXo"
_AS_LATIN = {
    int(code, 16): latin
    for codes, drawn in ((CYRILLIC, CYRILLIC_AS), (GREEK, GREEK_AS))
    for code, latin in zip(codes.split(), drawn, strict=True)
}


def looks(name: str) -> str:
    """What people see of a name: composed characters, each gap one blank, no invisible characters, letters of like shape as Latin ones."""
    visible = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) != "Cf")
    return " ".join(visible.translate(_AS_LATIN).split())


def _roughly(name: str) -> str:
    return re.sub(r"(?<![0-9.])0+(?=[0-9])", "", looks(name).casefold())


def look_alikes(names: Sequence[str], where: str, notes: list[str], at: Callable[[int], str] | None = None) -> None:
    """Refuse names that are written differently and look the same; note those that differ in capitals or leading zeros only.

    Args:
        names: each may occur more than once.
        where: what they name and the file, for the note.
        notes: takes the note.
        at: place of the name with an index, for the message.

    Raises:
        InvalidInput: naming the later one.
    """
    seen: dict[str, str] = {}
    rough: dict[str, str] = {}
    alike: list[str] = []
    for row, name in enumerate(names):
        first = seen.setdefault(looks(name), name)
        if first != name:
            allowed = f"one way of writing it; {first!a} looks the same and is written differently from {name!a}"
            raise InvalidInput(at(row) if at else where, name, allowed)
        other = rough.setdefault(_roughly(name), name)
        if other != name:
            alike.append(f"«{other}» and «{name}»")
    if alike:
        shown = ", ".join(list(dict.fromkeys(alike))[:3])
        notes.append(f"{where}: {shown} differ in capitals or leading zeros only, and were taken as different")


def hint(name: str, known: Iterable[str]) -> str:
    """What to add to a message about a name that is not known: the one that it looks like, or nothing."""
    alike = next((other for other in known if _roughly(other) == _roughly(name)), None)
    return "" if alike is None else f"; {alike!a} is there, which looks like it"


def neutral(name: str) -> str:
    """A name that no spreadsheet takes for a formula: a leading ``= + - @``, tab or return gets an apostrophe."""
    return "'" + name if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def listed(words: Sequence[str], last: str = "and") -> str:
    """One, two and three."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def override(name: str, value: Any) -> str:
    """``name=value`` as a word of a command line, as a shell and Hydra read it back."""
    return shlex.quote(f"{name}={_as_hydra(value)}")


def _as_hydra(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_as_hydra(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_as_hydra, value)) + "]"
    if isinstance(value, str) and not NAME.fullmatch(value):
        return "'" + re.sub(r"(\\*)('|$)", lambda end: 2 * end[1] + ("\\'" if end[2] else ""), value) + "'"
    return str(value).lower() if isinstance(value, bool) else str(value)


def over_use_cases(names: Sequence[str]) -> str:
    """What figures are over, where there are several use cases; empty for one, of which nothing need be said."""
    return f"over {len(names)} use cases together: {listed(names)}" if len(names) > 1 else ""
