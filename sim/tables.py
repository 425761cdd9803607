"""Tables that people have: any text file with a line of titles, read as it is, with what was understood said in one line.

The encoding is UTF-8 (with or without byte-order mark), UTF-16 with the mark, or else Windows-1252; columns are separated by commas,
semicolons, tabs, bars or blanks, and quoted as CSV is. Numbers have a decimal point, or a decimal comma where commas separate nothing.
Whoever reads names the columns: ``columns={"date": "Week", "quantity": "Units"}``. Every message names file and line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sim.names import MISSING, named
from sim.schema import NOT_ZERO, InvalidInput, Record, nearest, vanishes

LARGEST_FILE = 2 << 30
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
#: Rows from which the separator is told, and their characters at most.
SAMPLE, LONGEST_SAMPLE = 50, 1 << 20
#: How dates may be written whose first number is not the year.
DATE_ORDERS = ("day_first", "month_first")

_NUMBER = r"[-+]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][-+]?[0-9]+)?"
_COMMA_NUMBER = _NUMBER.replace("[.]", "[,]")
_THOUSANDS = r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+"
_TIME = r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]+)?)?Z?)?"
_ISO_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})" + _TIME
_LOCAL_DATE = r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})" + _TIME


@dataclass(frozen=True)
class Table:
    """What stands in a file.

    Attributes:
        path: the file.
        frame: text cells without blanks around them, one column per name asked for; an empty cell is an empty text.
        lines: line number of each row in the file; shape (rows,).
        titles: what the file calls each column of ``frame``.
        said: what was understood of the file, in one line.
        notes: what was understood beside plain UTF-8 with commas and decimal points, while reading and by the methods here.
        unused: titles of the columns that are not read.
    """

    path: Path
    frame: pd.DataFrame
    lines: np.ndarray
    titles: dict[str, str]
    said: str
    notes: list[str]
    separator: str = ","
    unused: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, column: str) -> bool:
        return column in self.frame.columns

    def at(self, row: int, column: str) -> str:
        """File, line and title of a cell, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {self.titles[column]}"

    def names(self, column: str, gaps: bool = False) -> list[str]:
        """The cells as names, checked by :func:`sim.names.named`; with ``gaps`` those of missing values are empty.

        A column of whole numbers all of which are written as ``17.0``, as software writes one with gaps, is read as ``17``.
        """
        cells = self.frame[column]
        filled = ~cells.isin(MISSING)
        if filled.any() and cells[filled].str.fullmatch(r"[0-9]+[.,]0").all():
            cells = cells.where(~filled, cells.str.slice(stop=-2))
            self._note(f"{self.path.name}, column {self.titles[column]}: whole numbers, without their «.0»")
        if gaps:
            cells = cells.where(filled, "")
        return [cell if gaps and not cell else named(self.at(row, column), cell) for row, cell in enumerate(cells.tolist())]

    def numbers(self, column: str, record: Record, allowed: str = "") -> np.ndarray:
        """The cells as numbers in the range of a record, NaN in empty ones; shape (rows,). ``allowed`` says it in other words.

        Raises:
            InvalidInput: naming the first cell that is no plain number in the range.
        """
        cells = self.frame[column]
        filled = cells != ""
        commas = self.separator != "," and bool(cells[filled].str.fullmatch(_COMMA_NUMBER).all()) and bool(cells.str.contains(",").any())
        if commas:
            if self.separator != ";" and cells[cells.str.contains(",")].str.fullmatch(_THOUSANDS).all():
                row = int(np.argmax(cells.str.contains(",")))
                raise InvalidInput(self.at(row, column), cells.iloc[row], "numbers without separators of thousands, with a decimal point")
            cells = cells.str.replace(",", ".")
            self._note(f"{self.path.name}, column {self.titles[column]}: numbers with a decimal comma")
        # to_numeric alone would take nan, inf, 1_000 and digits of other scripts
        plain = filled & cells.str.fullmatch(_NUMBER)
        values = pd.to_numeric(cells.where(plain), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        tiny = plain & (np.abs(values) < np.finfo(float).tiny)
        if (lost := tiny & cells.where(tiny, "").map(vanishes).astype(bool)).any():
            row = int(np.argmax(lost))
            raise InvalidInput(self.at(row, column), self.frame[column].iloc[row], NOT_ZERO)
        wrong = filled.to_numpy() & ~((record.low <= values) & (values <= record.high))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InvalidInput(
                self.at(row, column), self.frame[column].iloc[row], allowed or f"{record.allowed}, with a decimal point, or nothing"
            )
        return values

    def dates(self, column: str, order: str = "") -> np.ndarray:
        """The cells as days, the time of day left out; shape (rows,), datetime64[D].

        Args:
            column: name of the column.
            order: which number comes first where it is not the year, one of :data:`DATE_ORDERS`; empty: such dates are refused.

        Raises:
            InvalidInput: naming the first cell that is no date.
        """
        cells = self.frame[column]
        parts = cells.str.extract(f"^{_ISO_DATE}$")
        if order:
            local = cells.str.extract(f"^{_LOCAL_DATE}$")[[2, 1, 0] if order == "day_first" else [2, 0, 1]].set_axis([0, 1, 2], axis=1)
            parts = parts.fillna(local)
        written = parts[0] + "-" + parts[1].str.zfill(2) + "-" + parts[2].str.zfill(2)
        days = pd.to_datetime(written, format="%Y-%m-%d", errors="coerce")
        if days.isna().any():
            row = int(np.argmax(days.isna()))
            others = "" if order else "; dates such as 31.12.2018 or 12/31/2018 need dates=day_first or dates=month_first"
            raise InvalidInput(self.at(row, column), cells.iloc[row], "a date such as 2018-12-31" + others)
        return days.to_numpy("datetime64[D]")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def read_table(
    path: Path,
    columns: Mapping[str, str] | None = None,
    *,
    required: Collection[str] = (),
    optional: Collection[str] = (),
    others: str = "ignore",
    key: str = "columns",
    most: int | None = None,
    text: tuple[str, str] | None = None,
) -> Table:
    """Read a table, whatever its encoding and separator.

    Args:
        path: the file.
        columns: what the file calls a column, by the name it has here; a name that is left out is its own title.
        required, optional: the names of the columns.
        others: what becomes of the file's other columns: ``ignore`` (and say so), ``keep`` under their titles, or ``refuse``.
        key: name of the setting that ``columns`` comes from, for messages.
        most: rows that are read at most; one more is refused.
        text: what :func:`read_text` gave, where the file was read before.

    Raises:
        InvalidInput: naming file and line, or the setting.
    """
    known = [*required, *optional]
    columns = dict(columns or {})
    for name, title in columns.items():
        if name not in known:
            raise InvalidInput(f"{key}.{name}", title, nearest(name, known))
    content, encoding = text or read_text(path)
    wanted = {name: columns.get(name, name) for name in known}
    separator = _separator(content, set(wanted.values()))
    rows = _rows(path, content, separator)
    line, header = next(rows, (0, []))
    if not header:
        raise InvalidInput(str(path), "an empty file", "a first line with the columns " + ", ".join(wanted[name] for name in required))
    kept = _kept(f"{path}, line {line}", header, wanted, set(columns) | set(required), others, key)
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, row in rows:
        if len(row) != len(header):
            raise InvalidInput(f"{path}, line {line}", f"{len(row)} cells", f"{len(header)} cells, as in the header")
        if len(cells) == most:
            raise InvalidInput(f"{path}, line {line}", "one more row", f"at most {most:,} rows")
        lines.append(line)
        cells.append([row[at] for at in kept.values()])
    frame = pd.DataFrame(cells, columns=list(kept), dtype="str")
    titles = {name: header[at] for name, at in kept.items()}
    said = [f"{path.name}: {len(lines):,} rows, {encoding}, columns separated by {SEPARATORS[separator]}"]
    said += [", ".join(f"{name} is «{title}»" for name, title in titles.items() if name != title)]
    ignored = [title for at, title in enumerate(header) if title and at not in kept.values()]
    said += [f"not used: {', '.join(ignored[:5])}" + (f" and {len(ignored) - 5} more" if len(ignored) > 5 else "")] if ignored else []
    sentence = "; ".join(filter(None, said))
    plain = encoding == "UTF-8" and separator == "," and not ignored
    return Table(path, frame, np.array(lines, np.int64), titles, sentence, [] if plain else [sentence], separator, ignored)


def _kept(where: str, header: list[str], wanted: dict[str, str], needed: set[str], others: str, key: str) -> dict[str, int]:
    """Place in the file of each column that is read, by its name."""
    kept: dict[str, int] = {}
    for name, title in wanted.items():
        if title in header:
            kept[name] = header.index(title)
        elif name in needed and title != name:
            raise InvalidInput(f"{key}.{name}", title, nearest(title, header))
        elif name in needed and others == "refuse":
            raise InvalidInput(where, ",".join(header), f"a column «{name}»")
        elif name in needed:
            raise InvalidInput(where, ",".join(header), f"a column «{name}», or what it is called here: {key}={{{name}: …}}")
    for at, title in enumerate(header):
        used = title in (header[place] for place in kept.values())
        if title in header[:at] and (used or others != "ignore"):
            raise InvalidInput(f"{where}, column {at + 1}", title, "each column once")
        if not used and others == "refuse":
            raise InvalidInput(f"{where}, column {at + 1}", title, nearest(title, list(wanted.values())))
        if not used and others == "keep" and title and title not in kept:
            kept[title] = at
    return kept


def read_text(path: Path) -> tuple[str, str]:
    """The text of a file and the name of its encoding.

    Raises:
        InvalidInput: it is no file or no text; names the line.
    """
    try:
        if path.exists() and not path.is_file():  # a folder, or a device that never ends
            raise InvalidInput("file", str(path), "a file that can be read, and no folder or device")
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidInput(str(path), path.stat().st_size, f"a file of at most {LARGEST_FILE} bytes")
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput("file", str(path), f"a file that can be read ({error.strerror or error})") from None
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput(str(path), "a workbook", "its sheet saved as CSV")
    text, encoding = _decoded(path, raw)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidInput(f"{path}, line {line}", "\0", "text without NUL bytes")
    return text.removeprefix("\ufeff"), encoding


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    name, encoding = ("UTF-16", "utf-16") if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("UTF-8", "utf-8")
    try:
        return raw.decode(encoding), name
    except UnicodeDecodeError as first:
        error = first
        # In Windows-1252 no letters happen to be UTF-8: where some are, the file is UTF-8 and damaged.
        if name == "UTF-8" and raw.decode("utf-8", "ignore").isascii():
            try:
                return raw.decode("cp1252"), "Windows-1252"
            except UnicodeDecodeError as other:
                error = other
        line = raw.count(b"\n", 0, error.start) + 1
        expected = "UTF-8, UTF-16 or Windows-1252 text"
        raise InvalidInput(f"{path}, line {line}, byte {error.start}", raw[error.start : error.start + 4], expected) from None


def _separator(text: str, wanted: Collection[str]) -> str:
    """The one that finds most titles that are wanted, then most rows as long as the first, then most columns."""

    def quality(separator: str) -> tuple[int, float, int]:
        rows: list[list[str]] = []
        with suppress(csv.Error):  # another separator, another quoting: what was read until then is judged
            rows.extend(islice(filter(any, _reader(text[:LONGEST_SAMPLE], separator)), SAMPLE))
        if not rows:
            return 0, 0.0, 0
        titles = {title.strip(" ") for title in rows[0]}
        like_first = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        if separator == " " and not titles & set(wanted):  # blanks are in titles, too
            return 0, 0.0, 0
        return len(titles & set(wanted)), like_first if len(rows[0]) > 1 else 0.0, len(rows[0])

    return max(SEPARATORS, key=quality)


def _reader(text: str, separator: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells, without blanks around them, of every row that has something in it."""
    reader = _reader(text, separator)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InvalidInput(f"{path}, line {line}", str(error), f"cells separated by {SEPARATORS[separator]}, quoted in pairs") from None
        if cells is None:
            return
        cells = [cell.strip(" ") for cell in cells]
        if any(cells):
            yield line, cells
