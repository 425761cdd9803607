"""Tables of other people: every encoding, separator and way of writing numbers and dates, said in one line or refused by file and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.schema import InvalidInput, Record
from sim.tables import Table, read_table

UNITS = Record("number", "pieces", 0, 1e9)
ROWS = [["Week", "Store", "Units"], ["2021-01-04", "Köln", "1.5"], ["2021-01-11", "Łódź", ""], ["2021-01-18", "Köln", "12"]]


def read(folder: Path, content: str | bytes, **more: object) -> Table:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    columns = {"date": "Week", "quantity": "Units", **({"store": "Store"} if b"S" in path.read_bytes() else {})}
    given = {"columns": columns, "required": ["date", "quantity"], "optional": ["store"]}
    return read_table(path, **{**given, **more})  # type: ignore[arg-type]


def test_a_table_without_rows_has_columns_without_values(tmp_path: Path) -> None:
    table = read(tmp_path, "Week,Units\n")
    assert table.numbers("quantity", UNITS).shape == table.dates("date").shape == (0,) and table.names("date") == []


def written(separator: str, comma: bool = False) -> str:
    return "".join(separator.join(cell.replace(".", ",") if comma else cell for cell in row) + "\r\n" for row in ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "separator, comma", [(",", False), (";", False), (";", True), ("\t", False), ("\t", True), ("|", True), (" ", True)]
)
@pytest.mark.fault("files", "tables of other encodings and separators, with a decimal comma", "read, and said in the notes")
def test_what_people_have_is_read_and_said(tmp_path: Path, encoding: str, separator: str, comma: bool) -> None:
    text = written(separator, comma)
    table = read(tmp_path, (text.replace("Łódź", "Málaga") if encoding == "cp1252" else text).encode(encoding))
    assert table.names("store")[::2] == ["Köln", "Köln"] and table.names("store")[1] in ("Łódź", "Málaga")
    np.testing.assert_array_equal(table.numbers("quantity", UNITS), [1.5, np.nan, 12])
    assert table.dates("date").astype(str).tolist() == ["2021-01-04", "2021-01-11", "2021-01-18"]
    words = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}[encoding]
    assert words in table.said and "quantity is «Units»" in table.said and "3 rows" in table.said and "\n" not in table.said
    assert {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}[separator] in table.said
    assert any("decimal comma" in note for note in table.notes) == comma
    assert bool(table.notes) == (words != "UTF-8" or separator != ",")
    assert table.at(1, "quantity") == f"{tmp_path / 'table.csv'}, line 3, column Units"


@pytest.mark.parametrize(
    "cells, order, days",
    [
        (["2021-01-04 00:00:00", "2021-01-05T13:05", "2021-02-03T10:00Z"], "", ["2021-01-04", "2021-01-05", "2021-02-03"]),
        (["04.01.2021", "5.1.2021", "03/02/2021 00:00"], "day_first", ["2021-01-04", "2021-01-05", "2021-02-03"]),
        (["01/04/2021", "1/5/2021", "2021-02-03"], "month_first", ["2021-01-04", "2021-01-05", "2021-02-03"]),
        (["04.01.2021"], "", None),
        (["13/13/2021"], "day_first", None),
        (["2021-02-30"], "", None),
        ([""], "", None),
        (["٢٠٢١-٠١-٠٤"], "", None),
    ],
)
def test_dates(tmp_path: Path, cells: list[str], order: str, days: list[str] | None) -> None:
    table = read(tmp_path, "Week,Units\n" + "".join(f"{cell},1\n" for cell in cells))
    if days is not None:
        assert table.dates("date", order).astype(str).tolist() == days
    else:
        with pytest.raises(InvalidInput, match=r"table\.csv, line 2, column Week.*a date such as 2018-12-31"):
            table.dates("date", order)


def test_whole_numbers_of_a_column_with_gaps_are_whole(tmp_path: Path) -> None:
    """Pandas writes 17 as 17.0 where another row of the column is empty."""
    table = read(tmp_path, "Week,Store,Units\n1,17.0,1\n2,,1\n3,4.0,1\n")
    assert table.names("store", gaps=True) == ["17", "", "4"] and any("«.0»" in note for note in table.notes)
    assert read(tmp_path, "Week;Store;Units\n1;17,0;1\n2;;1\n").names("store", gaps=True) == ["17", ""]
    assert read(tmp_path, "Week,Store,Units\n1,17.0,1\n2,2.1,1\n").names("store") == ["17.0", "2.1"]


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "None", "<NA>", "null"])
def test_what_software_writes_for_nothing_is_no_name(tmp_path: Path, cell: str) -> None:
    table = read(tmp_path, f"Week,Store,Units\n1,A,1\n2,{cell},1\n")
    assert table.names("store", gaps=True) == ["A", ""]
    with pytest.raises(InvalidInput, match="line 3, column Store"):
        table.names("store")


def test_other_columns_are_ignored_kept_or_refused(tmp_path: Path) -> None:
    text = ",Week,Units,Price,Price\n0,2021-01-04,3,1,2\n"
    table = read(tmp_path, text)
    assert list(table.frame) == ["date", "quantity"] and "not used: Price, Price" in table.notes[0]
    for others, word in (("keep", "each column once"), ("refuse", "Week")):
        with pytest.raises(InvalidInput, match=word):
            read(tmp_path, text, others=others)
    assert list(read(tmp_path, "Week,Units,Price\n1,2,3\n", others="keep").frame) == ["date", "quantity", "Price"]


def test_a_sheet_may_say_its_separator_by_what_it_finds(tmp_path: Path) -> None:
    """Commas inside quotes, in titles and in numbers do not make columns."""
    table = read(
        tmp_path, 'Week;"Units, sold";Store\n2021-01-04;1,5;"a, b"\n2021-01-11;2,5;c\n', columns={"date": "Week", "quantity": "Units, sold"}
    )
    assert table.numbers("quantity", UNITS).tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"Week,Units\n1,\xc3\xa9\n2,\xff\n", ("line 3, byte 18", "UTF-8")),
        (b"Week,Units\n1,\x81\n", ("line 2, byte 13", "Windows-1252")),
        (b"PK\x03\x04rest", ("a workbook", "saved as CSV")),
        ("Week,Units\n1,2\n1,2,3\n", ("line 3: '3 cells'", "2 cells")),
        ("Week,Units\n1\n", ("line 2: '1 cells'",)),
        ('Week,Units\n"1,2\n', ("line 2", "quoted in pairs")),
        ("W,Units\n1,2\n", ("columns.date: 'Week'",)),
        ("Week,Units,Units\n1,2,3\n", ("line 1, column 3: 'Units'", "once")),
        ("", ("an empty file", "Week, Units")),
    ],
)
@pytest.mark.fault(
    "files", "tables: damaged text, workbooks, short and long rows, columns that are not there", "refused with file and line"
)
def test_what_cannot_be_read_is_refused_by_file_and_line(tmp_path: Path, content: str | bytes, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, content)
    assert all(word in str(refused.value) for word in words), refused.value


def test_columns_that_the_reader_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"columns\.quantitty.*did you mean quantity"):
        read(tmp_path, "Week,Units\n1,2\n", columns={"quantitty": "Units"})
    with pytest.raises(InvalidInput, match=r"line 1.*columns=\{quantity: …\}"):
        read(tmp_path, "Week,Units\n1,2\n", columns={"date": "Week"})


@pytest.mark.parametrize(
    "cell, separator", [("1,234", "\t"), ("1,234,567", ";"), ("1.234,5", ";"), ("0,5", ","), ("nan", ";"), ("1e999", ","), ("-1", ";")]
)
@pytest.mark.fault("files", "numbers with separators of thousands, or of either meaning", "refused with file and line")
def test_numbers_that_could_mean_two_things_are_refused(tmp_path: Path, cell: str, separator: str) -> None:
    table = read(tmp_path, f'Week{separator}Units\n1{separator}"{cell}"\n')
    with pytest.raises(InvalidInput, match=r"line 2, column Units.*decimal point"):
        table.numbers("quantity", UNITS)


def test_decimal_comma_and_point_in_one_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="line 2, column Units: '0,5'"):
        read(tmp_path, "Week;Units\n1;0,5\n2;0.5\n").numbers("quantity", UNITS)


@pytest.mark.parametrize("cell", ["1e-400", "-12.5E-330", "1.2345678e-320"])
@pytest.mark.fault("files", "numbers that a computer takes for 0, or without their digits", "refused with line and column")
def test_numbers_that_would_be_lost_are_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(InvalidInput, match=r"line 3, column Units.*0, or a number") as refused:
        read(tmp_path, f"Week,Units\n1,0e-400\n2,{cell}\n").numbers("quantity", Record("number", low=-10, high=10))
    assert refused.value.value == cell
