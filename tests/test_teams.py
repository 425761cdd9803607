"""Units and teams by managers."""

from __future__ import annotations

import numpy as np
import pytest

from sim.organisation.teams import NOBODY, managers_of, place, teams_by_manager, units_by_manager
from sim.schema import InvalidInput


def test_managers_by_name() -> None:
    notes: list[str] = []
    assert managers_of(["a", "b", "c"], ["a", "a", "z"], "hr.csv", notes).tolist() == [NOBODY, 0, NOBODY]
    assert notes == ["hr.csv: 1 people report to someone who is not among them, and count as without a manager"]


def test_a_team_is_a_manager_s_people_of_one_unit() -> None:
    unit_of = np.array([0, 0, 0, 1, 1, 1, 1])
    manager = np.array([NOBODY, 0, 1, 0, 3, NOBODY, 1])
    # 0 and 1 with 0; 2 with 1; 3 leads 4, whose manager he is, and is in that team himself; 5 and 6 have nobody in their unit
    assert teams_by_manager(unit_of, manager).tolist() == [0, 0, 1, 3, 3, NOBODY, NOBODY]


def test_units_of_one_head_and_of_several() -> None:
    at = "person {}".format
    manager = np.array([NOBODY, 0, 0, 1, 3, 0, NOBODY])
    assert units_by_manager(manager, at).tolist() == [0, 1, 0, 1, 1, 0, NOBODY]
    assert units_by_manager(np.array([NOBODY, 0, NOBODY, 2, 3]), at).tolist() == [0, 0, 2, 2, 2]
    chain = np.arange(-1, 99)
    assert units_by_manager(chain, at).tolist() == [0, *[1] * 99]
    with pytest.raises(InvalidInput, match="person 1: 'a circle'"):
        units_by_manager(np.array([NOBODY, 2, 1, 0]), at)


def test_people_without_a_department_are_refused_or_counted() -> None:
    notes: list[str] = []
    assert place(["A", "", "B"], True, str, "drop", "hr.csv", notes).tolist() == [0, 2]
    assert notes == ["hr.csv: dropped 1 of 3 people: without a department"]
    for drop, homes, word in ((False, ["A", ""], "1: ''"), (True, ["", ""], "nobody is placed")):
        with pytest.raises(InvalidInput, match=word):
            place(homes, drop, str, "drop", "hr.csv", notes)
