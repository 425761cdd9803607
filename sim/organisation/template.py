"""The four files of an organisation, written: an example to fill in, or what one table of staff says."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.configuration import resolve
from sim.enterprise import create
from sim.layout import MOST_USERS, generated_layout
from sim.names import look_alikes, named, neutral
from sim.organisation.files import COLUMNS, OPTIONAL
from sim.organisation.teams import NOBODY, managers_of, place, teams_by_manager
from sim.parameters import CAPABILITIES
from sim.schema import InvalidInput, Record
from sim.tables import Table, read_table


def columns_table() -> str:
    """All columns with unit and range, as a Markdown table."""
    rows = ["| file | column | unit | from | to | meaning |", "|---|---|---|---|---|---|"]
    for table, columns in COLUMNS.items():
        for name, record in columns.items():
            low, high = ("", "") if record.kind == "text" else (f"{record.low:g}", f"{record.high:,.10g}")
            needed = "**required**; " if record.kind == "text" and name not in OPTIONAL else ""
            rows.append(f"| {table}.csv | `{name}` | {record.unit} | {low} | {high} | {needed}{record.note} |")
    return "\n".join(rows) + "\n"


_README = """# An organisation for the simulation

Four CSV files describe one enterprise: replace the example with your own.

- Text as UTF-8, or as Excel writes it; columns separated by commas, semicolons or tabs; numbers with a
  decimal point, or a decimal comma where commas do not separate columns.
- An empty cell, or a numeric column that is left out, is drawn from the maturity level.
- Without ties.csv the ties are drawn as `network` says. Ties have no direction; self-loops and
  repeated ties are dropped and counted.
- Rows may come in any order. Units appear in the results in the order of units.csv.

"""


def template(folder: Path) -> list[Path]:
    """Write a filled example, a small enterprise, into ``folder``, which is made if need be.

    Returns:
        The paths of the four CSV files and the README.md.

    Raises:
        InvalidInput: one of the files exists, or cannot be written. Then nothing is left behind.
    """
    return write_new(folder, {**_example(), "README.md": _README + columns_table()})


def write_new(folder: Path, contents: Mapping[str, str]) -> list[Path]:
    """Write texts by file name into a folder, which is made if need be: all of them, or nothing, and over nothing."""
    paths = [folder / name for name in contents]
    opened: list[Path] = []
    missing: list[Path] = []
    try:
        for path in paths:
            if os.path.lexists(path):
                allowed = f"a folder without {path.name}, which is there: nothing is overwritten, and nothing was written"
                raise InvalidInput("folder", str(folder), allowed)
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, contents.values(), strict=True):
            with path.open("x", encoding="utf-8", newline="") as file:
                opened.append(path)
                file.write(content)
    except BaseException as error:
        for path in opened:
            path.unlink(missing_ok=True)
        for place in missing:
            if place.is_dir():
                place.rmdir()
        if isinstance(error, OSError):
            raise InvalidInput("folder", str(folder), f"a folder that can be written ({error.strerror or error})") from None
        raise
    return paths


def _example() -> dict[str, str]:
    """Contents of the CSV files: four units of the article's size, as they are drawn with seed 1."""
    p = resolve({}, {"enterprise.units": 4})
    drawn = generated_layout(p)
    state = create(p, drawn, 1).of(0)
    teams = [
        f"{neutral(unit)} {t - first + 1}"
        for unit, first, last in zip(drawn.unit_names, drawn.team_first, drawn.team_last, strict=True)
        for t in range(first, last)
    ]
    users = [
        f"{team}.{i - first + 1}"
        for team, first, last in zip(teams, drawn.user_first, drawn.user_last, strict=True)
        for i in range(first, last)
    ]
    source = np.repeat(np.arange(len(users)), np.diff(state.peers_first))
    once = source < state.peers
    units = [neutral(unit) for unit in drawn.unit_names]
    names = {
        "units": {"unit": units},
        "teams": {
            "team": teams,
            "unit": np.repeat(units, drawn.team_last - drawn.team_first).tolist(),
            "hands_to": [teams[t] if t >= 0 else "" for t in state.teams["downstream"].tolist()],
        },
        "users": {"user": users, "team": [teams[t] for t in drawn.team_of_user]},
        "ties": {"source": [users[i] for i in source[once]], "target": [users[i] for i in state.peers[once]]},
    }
    ready = {f"readiness_{capability}": state.units["readiness"][:, k] for k, capability in enumerate(CAPABILITIES)}
    result = {}
    for table, columns in COLUMNS.items():
        cells = []
        for name in columns:
            if name in names[table]:
                cells.append(names[table][name])
            else:
                values = ready[name] if name in ready else getattr(state, table)[name]
                cells.append([f"{value:.{7 if name == 'spend' else 4}g}" for value in values])
        result[f"{table}.csv"] = _csv([tuple(columns), *zip(*cells, strict=True)])
    return result


# --------------------------------------------------------------------------- from a table of staff

#: What a table of staff may say, and what it is.
STAFF = {
    "employee": "name or number, once in the table",
    "department": "becomes the business unit",
    "manager": "the employee that they report to: a team per manager within a department",
    "status": "tells who has left",
    "years": "years of experience in planning",
}
_YEARS = Record("number", "years", 0, 60)


def from_staff(path: Path, columns: Mapping[str, str], leavers: Collection[str] | None = None, drop: bool = False) -> Organised:
    """Units, teams and planners from a table with a row per employee.

    Args:
        path: the table (:func:`sim.tables.read_table`).
        columns: what it calls the columns of :data:`STAFF`; employees and departments are needed.
        leavers: statuses of people who have left and are dropped; needed where there is a status, and may be empty.
        drop: whether to drop people without a department rather than refuse them.

    Raises:
        InvalidInput: naming file and line, or the setting, of what cannot be used.
    """
    table = read_table(path, columns, required=["employee", "department"], optional=["manager", "status", "years"], most=MOST_USERS)
    notes = [table.said]
    everybody, homes = table.names("employee"), table.names("department", gaps=True)
    first: dict[str, int] = {}
    for row, name in enumerate(everybody):
        if first.setdefault(name, row) != row:
            raise InvalidInput(table.at(row, "employee"), name, f"each employee once; in line {table.lines[first[name]]} already")
    stay = _staying(table, leavers, notes)
    kept = stay[place([homes[row] for row in stay], drop, lambda row: table.at(stay[row], "department"), "unplaced=drop", path.name, notes)]
    users, units = [everybody[row] for row in kept], [homes[row] for row in kept]
    look_alikes(users, f"employees of {path.name}", notes, lambda row: table.at(kept[row], "employee"))
    look_alikes(units, f"departments of {path.name}", notes, lambda row: table.at(kept[row], "department"))
    teams = [f"{unit} / all" for unit in units]
    reports: list[tuple[str, str]] = []
    if "manager" in table:
        managers = table.names("manager", gaps=True)
        manager = managers_of(users, [managers[row] for row in kept], path.name, notes)
        unit_rows = {unit: row for row, unit in enumerate(dict.fromkeys(units))}
        leader = teams_by_manager(np.array([unit_rows[unit] for unit in units]), manager)
        teams = [f"{unit} / {users[row] if row != NOBODY else 'no manager'}" for unit, row in zip(units, leader.tolist(), strict=True)]
        reports = [(users[row], user) for row, user in zip(manager.tolist(), users, strict=True) if row != NOBODY]
    for row, team in enumerate(teams):
        named(table.at(kept[row], "department"), team)
    years = table.numbers("years", _YEARS)[kept] if "years" in table else None
    notes += [note for note in table.notes if note not in notes]
    return Organised(users, units, teams, years, reports, notes)


@dataclass(frozen=True)
class Organised:
    """Planners with their units and teams.

    Attributes:
        users, units, teams: of each planner.
        years: experience of each, NaN where not known; None: of nobody.
        reports: manager and who reports to them.
        notes: what was understood, dropped and counted.
    """

    users: list[str]
    units: list[str]
    teams: list[str]
    years: np.ndarray | None
    reports: list[tuple[str, str]]
    notes: list[str]

    def files(self, ties: bool = False) -> dict[str, str]:
        """Contents of the CSV files and the README.md by name; with ``ties`` who reports to whom is tied, else ties are drawn."""
        users, teams, units = (list(map(neutral, names)) for names in (self.users, self.teams, self.units))
        experience = [] if self.years is None else [["" if math.isnan(years) else f"{years:.10g}" for years in self.years.tolist()]]
        rows: dict[str, list[Sequence[str]]] = {
            "units": [("unit",), *((unit,) for unit in dict.fromkeys(units))],
            "teams": [("team", "unit"), *dict.fromkeys(zip(teams, units, strict=True))],
            "users": [("user", "team", "experience")[: 2 + len(experience)], *zip(users, teams, *experience, strict=True)],
        }
        if ties:
            rows["ties"] = [("source", "target"), *((neutral(manager), neutral(user)) for manager, user in self.reports)]
        made = "".join(f"- {note}\n" for note in self.notes)
        return {
            **{f"{name}.csv": _csv(cells) for name, cells in rows.items()},
            "README.md": f"{_README}How it was made:\n\n{made}\n{columns_table()}",
        }


def _staying(table: Table, leavers: Collection[str] | None, notes: list[str]) -> np.ndarray:
    """Rows of the people who have not left."""
    if "status" not in table:
        if leavers:
            raise InvalidInput("leavers", list(leavers), "no leavers, or a column of statuses: columns={status: …}")
        return np.arange(len(table))
    statuses = table.names("status", gaps=True)
    counts = Counter(statuses)
    known = ", ".join(f"{status or 'empty'} ({count})" for status, count in counts.most_common(20))
    if leavers is None:
        raise InvalidInput(
            "leavers", "nothing", f"those statuses of people who have left, such as leavers=[Left], or leavers=[]: there are {known}"
        )
    for status in leavers:
        if status not in counts:
            raise InvalidInput("leavers", status, f"statuses of {table.path.name}: {known}")
    stay = np.array([row for row, status in enumerate(statuses) if status not in leavers], np.int64)
    gone = ", ".join(f"{status} {counts[status]}" for status in leavers)
    notes.append(f"{table.path.name}: dropped {len(statuses) - len(stay)} of {len(statuses)} people, who have left ({gone or 'none'})")
    return stay


def _csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()
