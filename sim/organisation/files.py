"""The four CSV files of an organisation: their columns, and how they are read."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sim.layout import MOST_USERS, Layout
from sim.names import LONGEST_NAME, hint, look_alikes
from sim.network import simple_ties
from sim.organisation.teams import inverse
from sim.parameters import CAPABILITIES
from sim.schema import InvalidInput, Record
from sim.tables import read_table


def _name(note: str) -> Record:
    return Record("text", f"text of 1 to {LONGEST_NAME} characters", note=note)


def _number(unit: str, low: float, high: float, note: str) -> Record:
    return Record("number", unit, low, high, note=note)


#: Texts that may be left out, as a column or in a cell.
OPTIONAL = ("hands_to",)
#: Every column of every file. Other texts are required; numbers may be left out, as a column or in a cell.
COLUMNS: dict[str, dict[str, Record]] = {
    "units": {
        "unit": _name("name of the business unit; once in the file"),
        "completeness": _number("share of item-weeks", 0, 1, "inputs that are there at the planning cut-off"),
        "lateness": _number("weeks", 0, 26, "age of the inputs at the planning cut-off"),
        "mismatch": _number("share of items", 0, 1, "items whose hierarchy differs from the pilot's"),
        "fragmentation": _number("extra effort share", 0, 10, "0: one system; 1: twice the effort to connect"),
        "variants": _number("extra effort share", 0, 10, "local ways of planning that a new workflow must match or change"),
        "sponsorship": _number("index", 0, 1, "backing by the unit's leader at the start"),
        "spend": _number("EUR per planner and week", 0, 1e9, "spend that is planned"),
        **{
            f"readiness_{capability}": _number("index", 0, 1, f"{capability} that the unit has at the start") for capability in CAPABILITIES
        },
    },
    "teams": {
        "team": _name("name of the planning team; once in the file"),
        "unit": _name("its business unit, as in units.csv"),
        "hands_to": _name("the team that plans on its numbers, as in this file; empty: none; left out: the unit's last team"),
        "fit": _number("index", 0, 1, "how far the forecast fits the team's planning workflow as it is"),
        "difficulty": _number("factor", 0.01, 100, "how hard the team's products are to forecast; 1: average"),
        "defect": _number("factor", 0, 100, "the team's data defects, compared with its unit's; 1: average"),
    },
    "users": {
        "user": _name("name or number of the planner; once in the file"),
        "team": _name("the planner's team, as in teams.csv"),
        "trust": _number("index", 0, 1, "trust in the forecast at the start"),
        "reliance": _number("index", 0, 1, "habit of planning on the forecast at the start"),
        "understanding": _number("index", 0, 1, "knows how to apply the output"),
        "own_error": _number("WAPE", 0.01, 2, "error of the planner's own spreadsheet method"),
        "threshold": _number("logits", -20, 20, "what must be overcome to leave the spreadsheet"),
        "experience": _number("years", 0, 60, "in planning"),
    },
    "ties": {"source": _name("a planner, as in users.csv"), "target": _name("another one, who sees the first plan and is seen")},
}


class _File:
    """One of the four files, and what its names stand for."""

    def __init__(self, folder: Path, name: str, notes: list[str]) -> None:
        records = COLUMNS[name]
        texts = [column for column, record in records.items() if record.kind == "text" and column not in OPTIONAL]
        others = [column for column in records if column not in texts]
        most = None if name == "ties" else MOST_USERS
        self.path = folder / f"{name}.csv"
        self.table = read_table(self.path, required=texts, optional=others, others="refuse", most=most)
        self.texts = {column: self.table.names(column) for column in texts}
        given = [column for column in others if column in self.table]
        self.texts |= {column: self.table.names(column, gaps=True) for column in given if column in OPTIONAL}
        self.values = {column: self.table.numbers(column, records[column]) for column in given if column not in OPTIONAL}
        notes.extend(self.table.notes)

    def index(self, column: str, notes: list[str]) -> dict[str, int]:
        """Row of each name, which may occur once."""
        rows: dict[str, int] = {}
        for row, name in enumerate(self.texts[column]):
            first = rows.setdefault(name, row)
            if first != row:
                allowed = f"each name once; it is in line {self.table.lines[first]} already"
                raise InvalidInput(self.table.at(row, column), name, allowed)
        if not rows:
            raise InvalidInput(str(self.path), "no rows", "at least one row below the column names")
        look_alikes(self.texts[column], self.path.name, notes, lambda row: self.table.at(row, column))
        return rows

    def refer(self, column: str, index: dict[str, int], where: str) -> np.ndarray:
        """Rows of another file that the names of a column stand for, -1 where an optional one is empty; shape (rows,)."""
        result = np.empty(len(self.table), np.int64)
        for row, name in enumerate(self.texts[column]):
            target = index.get(name) if name else -1
            if target is None:
                raise InvalidInput(self.table.at(row, column), name, f"a name that is in {where}{hint(name, index)}")
            result[row] = target
        return result

    def inhabited(self, column: str, members: np.ndarray, what: str) -> None:
        """Refuse the first row that has no members."""
        if not members.all():
            row = int(np.argmin(members))
            raise InvalidInput(self.table.at(row, column), self.texts[column][row], f"a name with at least one row in {what}")


@lru_cache(maxsize=4)
def from_files(folder: Path, _changes: tuple) -> Layout:
    """The layout of the files in a folder, read once per change of a file.

    Raises:
        InvalidInput: naming file, line and column of what cannot be used.
    """
    notes: list[str] = []
    units, teams, users = (_File(folder, name, notes) for name in ("units", "teams", "users"))
    unit_rows, team_rows, user_rows = units.index("unit", notes), teams.index("team", notes), users.index("user", notes)
    unit_of = teams.refer("unit", unit_rows, "units.csv")
    team_of = users.refer("team", team_rows, "teams.csv")
    team_count = np.bincount(unit_of, minlength=len(unit_rows))
    units.inhabited("unit", team_count, "teams.csv")
    teams.inhabited("team", np.bincount(team_of, minlength=len(team_rows)), "users.csv")

    # Draws inside a unit go by position: teams and planners are put in the order of their names, so
    # that the order of the rows in the files changes nothing.
    team_order = np.array(sorted(range(len(team_rows)), key=lambda row: (unit_of[row], teams.texts["team"][row])))
    team_place = inverse(team_order)[team_of]
    user_order = np.array(sorted(range(len(user_rows)), key=lambda row: (team_place[row], users.texts["user"][row])))

    ties = None
    if os.path.lexists(folder / "ties.csv"):
        listed = _File(folder, "ties", notes)
        place = inverse(user_order)
        source, target = (place[listed.refer(column, user_rows, "users.csv")] for column in ("source", "target"))
        ties = simple_ties(len(user_rows), (source, target), "ties.csv", notes)
    known = {
        "units": dict(units.values),
        "teams": {name: values[team_order] for name, values in teams.values.items()},
        "users": {name: values[user_order] for name, values in users.values.items()},
    }
    downstream = None
    if "hands_to" in teams.texts:
        downstream = _chain(teams.refer("hands_to", team_rows, "teams.csv")[team_order], inverse(team_order), notes)
    ready = {c: known["units"].pop(f"readiness_{c}") for c in CAPABILITIES if f"readiness_{c}" in known["units"]}
    if ready:
        nothing = np.full(len(unit_rows), np.nan)
        known["units"]["readiness"] = np.stack([ready.get(c, nothing) for c in CAPABILITIES], axis=1)
    return Layout.of_sizes(
        list(unit_rows),
        team_count,
        np.bincount(team_place),
        known=known,
        ties=ties,
        team_names=[teams.texts["team"][row] for row in team_order],
        user_names=[users.texts["user"][row] for row in user_order],
        downstream=downstream,
        notes=notes,
    )


def _chain(hands_to: np.ndarray, place: np.ndarray, notes: list[str]) -> np.ndarray:
    """Rows of the teams downstream, -1 for none, once teams are in their places; numbers that come back to where they began are noted."""
    downstream = np.where(hands_to < 0, -1, place[hands_to])
    n = len(downstream)
    links = coo_array((np.ones(n), (np.arange(n), np.where(downstream < 0, np.arange(n), downstream))), shape=(n, n))
    _, circle = connected_components(links, connection="strong")
    own = downstream == np.arange(n)
    inside = int(((np.bincount(circle)[circle] > 1) | own).sum())
    if inside:
        notes.append(f"teams.csv: the planning chain has a cycle: numbers come back to where they began in {inside} of {n} teams")
    return downstream
