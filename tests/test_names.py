"""Names: what may be one, what values become, and which ones look alike."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sim.names import label, look_alikes, looks, named, neutral
from sim.schema import InvalidInput


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@sum"])
@pytest.mark.fault("files", "names that a spreadsheet takes for a formula", "made harmless")
def test_names_are_no_formulas(name: str) -> None:
    assert neutral(name) == "'" + name
    assert neutral("a" + name) == "a" + name


@pytest.mark.parametrize(
    "value, name",
    [
        (1, "1"),
        (1.0, "1"),
        (np.float32(3), "3"),
        (np.int64(4), "4"),
        (1.5, "1.5"),
        ("1.0", "1.0"),
        (True, "True"),
        (" a", " a"),
        (1e300, f"{int(1e300)}"),
    ]
    + [
        (nothing, "")
        for nothing in (None, math.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT", "D"), "", "nan", "None", "#N/A")
    ],
    ids=str,
)
def test_values_become_names(value: object, name: str) -> None:
    assert label(value) == name


@pytest.mark.parametrize(
    "text", ["a\u200bb", "a\u00adb", "\ufeffa", "a\u2060", "a\u200db", "\u0436\u200c", "\u200d北", "क\u200d\u200d", "a\u3164", "a\u202eb", "\ud800"], ids=ascii
)  # fmt: skip
@pytest.mark.fault("files", "names with characters that nobody sees", "refused, the character named")
def test_names_hold_nothing_that_nobody_sees(text: str) -> None:
    with pytest.raises(InvalidInput, match="nobody sees or that turn the direction of text, here U\\+"):
        named("here", text)


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",
        "ന്\u200d",
        "👩\U0001f3fd\u200d💻",
        "❤\ufe0f\u200d🔥",
        "Null",
        "NA",
        "Nan",
        "Zoë",
        "محمد",
        "क्\u200dष",
        "北",
        "O'Brien, Dr.",
        "'=1",
    ],
)
def test_names_of_people_are_names(text: str) -> None:
    assert named("here", text) == text


def test_look_alikes_are_refused_or_noted_with_their_place() -> None:
    notes: list[str] = []
    look_alikes(["Store 1", "Store 01", "1.05", "1.5", "STORE 1", "Store 1"], "stores", notes)
    assert notes == [
        "stores: «Store 1» and «Store 01», «Store 1» and «STORE 1» differ in capitals or leading zeros only, and were taken as different"
    ]
    with pytest.raises(InvalidInput, match=r"row 2.*'\\xe9' looks the same") as refused:
        look_alikes(["\u00e9", "x", "e\u0301"], "stores", notes, lambda row: f"row {row}")
    assert refused.value.value == "e\u0301"
    assert looks(" a\u00a0\t b\u200b ") == "a b"


@pytest.mark.parametrize("other", ["\u0410cme", "\u0391cme", "A\u0441m\u0435"])
def test_letters_of_another_alphabet_that_are_drawn_alike_are_told_apart(other):
    with pytest.raises(InvalidInput, match="looks the same"):
        look_alikes(["Acme", other], "brands", [])
    look_alikes([other, "\u041c\u043e\u0441\u043a\u0432\u0430"], "brands", notes := [])  # alone it is a name as any other
    assert not notes
