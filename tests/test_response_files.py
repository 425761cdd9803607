"""Demand read from files of one's own."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import as_csv
from test_response_study import QUICK

from experiments.response.files import Reading, read_demand
from sim.schema import InvalidInput


def test_a_weekly_file_gives_back_what_was_written(weekly_file, market):
    found = read_demand(weekly_file, 117)
    assert (found.items, found.brands, found.notes) == (market.items, market.brands, ())
    np.testing.assert_array_equal(found.sales, market.sales)
    np.testing.assert_array_equal(found.promotion, market.promotion)
    np.testing.assert_array_equal(found.brand, market.brand)
    np.testing.assert_array_equal(found.monday, market.monday)


def daily(first: str, days: int, leave_out: tuple[int, ...] = ()) -> str:
    """Two items of two brands, one sold every day, the other three times; promoted on Mondays; some days left out."""
    start = datetime.date.fromisoformat(first)
    rows = [start + datetime.timedelta(k) for k in range(days) if k not in leave_out]
    return "DATE,QTY_A_x,QTY_A_y,QTY_B_x,PROMO_B_x\n" + "".join(f"{d},1,0.5,3,{int(d.weekday() == 0)}\n" for d in rows)


def test_days_are_summed_to_whole_weeks_and_closed_days_are_told(tmp_path):
    path = tmp_path / "daily.csv"
    path.write_text(daily("2020-01-01", 5 + 10 * 7 + 2, leave_out=(20, 21)))  # from a Wednesday, to a Tuesday
    found = read_demand(path, 10)
    assert (
        str(found.monday[0]) == "2019-12-30" and len(found.sales) == 11
    )  # Monday and Tuesday may have been closed, Wednesday to Sunday not
    assert found.sales[0].tolist() == [5, 2.5, 15] and found.sales[1].tolist() == [7, 3.5, 21]
    assert sorted(found.sales[:, 0]) == [5, 5, *[7] * 9] and "2 days are not in the file" in found.notes[0]
    assert found.promotion[1].tolist() == pytest.approx([0, 0, 1 / 7])


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("", "bad.csv", "a first line with the columns DATE"),
        ("DAY,QTY_A_x\n", "line 1", "DATE"),
        ("DATE,QTY_A_x,QTY_B_x,PRICE_A_x\n", "line 1, column 4", "QTY_<brand>_<item> or PROMO_"),
        ("DATE,QTY_A_x,QTY_B_x,QTY_A_x\n", "line 1, column 4", "each column once"),
        ("DATE,QTY_A_x,QTY_B_x,QTY_B_y,PROMO_B_z\n", "line 1, column 5", "QTY_B_"),
        ("DATE,QTY_A_x\n", "line 1", "a brand with two items or more"),
        ("DATE,QTY_A_é,QTY_A_e\u0301\n", "line 1, column 3", "one way of writing it"),
        ("DATE,QTY_A b_x,QTY_A b_y,QTY_A\u00a0b_z\n", "line 1, column 4", "one way of writing it"),
        ("DATE,QTY_A_x\u202e,QTY_A_y\n", "line 1, column 2", "character"),
        ("date,item,quantity\n2021-01-04,é,1\n2021-01-04,x,1\n2021-01-05,e\u0301,1\n", "line 4, column item", "one way of writing it"),
        (daily("2020-01-01", 3).replace("01-02", "01-01"), "line 3, column DATE", "each date once"),
        (daily("2020-01-01", 3).replace("01-03", "01-01"), "line 4, column DATE", "ascending"),
        (daily("2020-01-01", 3).replace("2020-01-02", "2.1.2020"), "line 3, column DATE", "2018-12-31"),
        (daily("2020-01-01", 3).replace("2020-01-02", "2020-02-30"), "line 3, column DATE", "2018-12-31"),
        (daily("2020-01-01", 9, (2, 3, 4, 5)), "line 4, column DATE", "no more than 3 days missing"),
        (daily("2020-01-01", 3).replace("0.5", "-1", 1), "line 2, column QTY_A_y", "a quantity from 0"),
        (daily("2020-01-01", 3).replace("0.5", "", 1), "line 2, column QTY_A_y", "0 where nothing was sold"),
        (daily("2020-01-01", 3).replace("0.5", "nan", 1), "line 2, column QTY_A_y", "a quantity"),
        (daily("2020-01-01", 3).replace("0.5", "1e999", 1), "line 2, column QTY_A_y", "a quantity"),
        (daily("2020-01-01", 3).replace("0.5", "=1+1", 1), "line 2, column QTY_A_y", "a quantity"),
        (daily("2020-01-01", 3).replace(",3,0", ",3,2", 1), "line 2, column PROMO_B_x", "1 on promotion"),
        (daily("2020-01-01", 3).replace(",3,0", ",3", 1), "line 2", "5 cells"),
        (daily("2020-01-01", 70), "bad.csv", "20 whole weeks or more"),
        ("DATE,QTY_A_x,QTY_A_y,QTY_B_x\n", "bad.csv", "20 whole weeks or more"),
        ("DATE,QTY_A_x,QTY_A_y,QTY_B_x\n2020-01-06,1,1,1\n2020-01-13,1,1,1\n2020-01-21,1,1,1\n", "line 4, column DATE", "every 7 days"),
    ],
)
@pytest.mark.fault(
    "files", "demand files: gaps, duplicates, negative or no numbers, unknown columns, too short", "refused with file and line"
)
def test_demand_files_that_are_refused(text, where, hint, tmp_path):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(InvalidInput) as error:
        read_demand(tmp_path / "bad.csv", 20)
    assert where in error.value.key and hint in error.value.allowed


@pytest.mark.fault(
    "files",
    "demand files that are not there, a folder, not UTF-8, in which a brand stops selling, or all sell the same every week",
    "one line, exit code 2",
)
def test_files_that_cannot_be_used_are_refused_in_one_line(call, tmp_path, market):
    (tmp_path / "damaged.csv").write_bytes("DATE,QTY_A_ö\n".encode() + b"\xff\n")
    stopped = replace(market, sales=np.where((market.brand == 2) & (np.arange(140)[:, None] > 120), 0, market.sales))
    (tmp_path / "stopped.csv").write_text(as_csv(stopped))
    (tmp_path / "regular.csv").write_text(as_csv(replace(market, sales=np.full_like(market.sales, 7))))
    for name, hint in (
        ("regular.csv", "relative errors need errors without defects"),
        ("none.csv", "No such file"),
        (".", "no folder or device"),
        ("damaged.csv", "UTF-8"),
        ("stopped.csv", "B3 sells nothing for 13 weeks"),
    ):
        code, out, err = call("response", *QUICK, f"demand={name}")
        assert (code, out, err.count("\n")) == (2, "", 1) and hint in err and "Traceback" not in err
    assert not (tmp_path / "results").exists()


ROOT = Path(__file__).parents[1]
PASTA = ROOT.parent / "shared" / "data" / "pasta-daily-sales.csv"
LONG_COLUMNS = {"date": "Datum", "item": "Artikel", "brand": "Marke", "quantity": "Menge", "promotion": "Aktion"}


@pytest.mark.parametrize("source", ["generated", pytest.param("pasta", marks=pytest.mark.skipif(not PASTA.is_file(), reason="not there"))])
def test_the_long_file_of_the_page_gives_what_the_wide_one_does(source, tmp_path, market, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wide = Path("pasta-daily-sales.csv")
    wide.write_text(PASTA.read_text() if source == "pasta" else as_csv(market))
    page = (ROOT / "docs" / "response.md").read_text(encoding="utf-8")
    exec(compile(re.search(r"```python\n(# makes pasta-long.*?)```", page, re.S)[1], "docs/response.md", "exec"), {})
    expected, found = read_demand(wide, 117), read_demand(Path("pasta-long.csv"), 117, Reading(LONG_COLUMNS, "day_first"))
    assert (found.items, found.brands) == (expected.items, expected.brands)
    for name in ("sales", "promotion", "brand", "monday"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    said = "; ".join(found.notes)
    for part in ("columns separated by semicolons", "decimal comma", "dates day first", "dates from 20", "date is «Datum»"):
        assert part in said


def rows(*lines: str) -> str:
    return "date,item,brand,quantity\n" + "\n".join(lines) + "\n"


TWO_WEEKS = [
    f"2021-01-{d:02} 00:00:00,{item},{brand},{q}" for d in range(4, 18) for item, brand, q in (("x", "A", 2), ("y", "A", 3), ("z", "B", 4))
]


def test_blanks_returns_and_closures_are_taken_as_asked(tmp_path):
    path = tmp_path / "long.csv"
    lines = [*TWO_WEEKS[:1], *TWO_WEEKS[2:]]  # y is not there on the first day
    lines[0] = lines[0].replace(",2", ",-1")
    path.write_text(rows(*lines))
    for returns, expected in (("zero", 12), ("net", 11)):
        found = read_demand(path, 2, Reading(blanks="zero", returns=returns))
        assert found.items == ("x", "z", "y") and found.sales[:, [0, 2]].T.tolist() == [[expected, 14], [18, 21]]
        assert "1 blanks count as 0" in found.notes and any("1 returns" in note for note in found.notes)
    kept = [line for line in TWO_WEEKS if not "2021-01-08" <= line[:10] <= "2021-01-12"]
    path.write_text(rows(*kept))
    assert read_demand(path, 2, Reading(closed=5)).sales[:, 0].tolist() == [8, 10]


@pytest.mark.parametrize(
    ("lines", "where", "hint"),
    [
        ([*TWO_WEEKS, TWO_WEEKS[4]], "line 44", "line 6 has it"),
        ([*TWO_WEEKS[:4], TWO_WEEKS[4].replace(",A,", ",B,")], "line 6, column brand", "the brand of y"),
        (["04.01.2021,x,A,1"], "line 2, column date", "dates=day_first or dates=month_first"),
        ([TWO_WEEKS[0].replace(",2", ",-2"), *TWO_WEEKS[1:]], "line 2, column quantity", "returns=net"),
        ([*TWO_WEEKS[:4], *TWO_WEEKS[5:]], "2021-01-05", "blanks=zero"),
        ([TWO_WEEKS[0].replace(",2", ","), *TWO_WEEKS[1:]], "line 2, column quantity", "blanks=zero"),
        ([line for line in TWO_WEEKS if not "2021-01-08" <= line[:10] <= "2021-01-12"], "line 14, column date", "closed=5"),
    ],
)
@pytest.mark.fault(
    "files", "long demand files: duplicates, two brands, ambiguous dates, returns, blanks, closures", "refused; says the setting"
)
def test_long_files_that_are_refused(lines, where, hint, tmp_path):
    (tmp_path / "bad.csv").write_text(rows(*lines))
    with pytest.raises(InvalidInput) as error:
        read_demand(tmp_path / "bad.csv", 2)
    assert where in error.value.key and hint in error.value.allowed


def test_a_short_history_says_how_many_weeks_would_do(weekly_file):
    with pytest.raises(InvalidInput) as error:
        read_demand(weekly_file, 156)
    assert "weeks_tested=36 would do" in error.value.allowed


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (["dates=day_first"], "demand=FILE"),
        (["columns={date: Week}"], "demand=FILE"),
        (["demand=weekly.csv", "columns={dat: Week}"], "did you mean date"),
        (["demand=weekly.csv", "columns={date: DATES}"], "did you mean DATE"),
        (["demand=weekly.csv", "blanks=keep"], "refuse or zero"),
    ],
)
@pytest.mark.fault("configuration", "response: how a file is read, without a file, by unknown names or values", "refused in one line")
def test_settings_of_reading_that_are_refused(given, hint, call, weekly_file):
    code, out, err = call("response", *QUICK, *given)
    assert (code, out, err.count("\n")) == (2, "", 1) and hint in err
