"""An organisation from an edge list and what is known of its people: departments, managers, or both.

Each is a file of two words a line, or a table with a line of titles (:mod:`sim.tables`), which may be a log of messages.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from sim.layout import MOST_USERS, Layout
from sim.names import MISSING, hint, look_alikes, named
from sim.network import simple_ties
from sim.organisation.teams import NOBODY, managers_of, place, seated, teams_by_manager, units_by_manager, with_teams
from sim.parameters import Network
from sim.schema import InvalidInput, Record
from sim.tables import read_table, read_text

TABLES = (".csv", ".tsv")
#: What titles of columns say who has left by.
LEAVING = ("status", "left", "leav", "exit", "terminat", "active")
WEIGHT = Record("number", "weight of a tie", 0, 1e12)


@dataclass(frozen=True)
class _People:
    """Who the nodes are.

    Attributes:
        names: each once.
        homes: department of each, empty where it is not given; None: no departments.
        managers: name of each one's manager, empty where it is not given; None: no managers.
        lines: line of each in the file.
    """

    path: Path
    names: list[str]
    homes: list[str] | None
    managers: list[str] | None
    lines: np.ndarray

    def at(self, row: int) -> str:
        return f"{self.path}, line {self.lines[row]}"


@lru_cache(maxsize=4)
def from_edges(network: Network, _changes: tuple) -> Layout:
    """The layout of ``network.edges`` and ``network.labels``.

    Departments are the units; without them, the units are formed by managers. Teams are formed by managers, where they are known,
    else of planners who are tied to each other.

    Raises:
        InvalidInput: naming file and line of what cannot be used.
    """
    notes: list[str] = []
    columns = dict(network.columns)
    people = _people(Path(network.labels), {n: t for n, t in columns.items() if n in ("employee", "department", "manager")}, notes)
    kept, unit_names, unit_of, leader = _units(people, network.unplaced == "drop", notes)
    names = [people.names[row] for row in kept]
    ends, weights = _ends(network, {n: t for n, t in columns.items() if n in ("source", "target", "weight")}, people, kept, notes)
    ties = simple_ties(len(names), (ends[0], ends[1]), Path(network.edges).name, notes, weights, network.min_weight)
    if leader is None:
        return with_teams(unit_names, unit_of, ties, network.team_size, names, notes)
    teams = [names[row] if row != NOBODY else "no manager" for row in leader.tolist()]
    return seated(unit_names, unit_of, teams, ties, names, notes)


# --------------------------------------------------------------------------- people


def _people(path: Path, columns: dict[str, str], notes: list[str]) -> _People:
    homes: list[str] | None
    managers: list[str] | None = None
    if columns or not _two_words(path):
        table = read_table(path, columns, required=["employee"], optional=["department", "manager"], key="network.columns", most=MOST_USERS)
        if "department" not in table and "manager" not in table:
            raise InvalidInput(f"{path}, line 1", table.said, "a column of departments or managers: network.columns={department: …}")
        names, lines = table.names("employee"), table.lines
        homes = table.names("department", gaps=True) if "department" in table else None
        managers = table.names("manager", gaps=True) if "manager" in table else None
        notes.extend(table.notes)
        notes.extend(
            f"{path.name}: whoever is in it plans, also who has left by «{title}»; experiments.template from={path.name} drops leavers"
            for title in table.unused
            if any(word in title.casefold() for word in LEAVING)
        )
    else:
        numbers, names, homes = _words(path, notes)
        homes, lines = ["" if home in MISSING else home for home in homes], np.array(numbers, np.int64)
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row:
            raise InvalidInput(f"{path}, line {lines[row]}", name, f"each node once; it is in line {lines[first[name]]} already")
    if not names:
        raise InvalidInput(str(path), "no labels", "at least one line «node department»")
    if len(names) > MOST_USERS:
        raise InvalidInput(str(path), len(names), f"at most {MOST_USERS:,} planners")
    people = _People(path, names, homes, managers, lines)
    look_alikes(names, f"people of {path.name}", notes, people.at)
    return people


def _units(people: _People, drop: bool, notes: list[str]) -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray | None]:
    """Rows of the people who are kept; the units' names; of each who is kept, the unit and, where managers are known, the team's."""
    where, how = people.path.name, "network.unplaced=drop"
    if people.homes is None:
        manager = managers_of(people.names, people.managers or [], where, notes)
        head = units_by_manager(manager, people.at)
        homes = [f"Unit of {people.names[row]}" if row != NOBODY else "" for row in head.tolist()]
        if len(homes) == 1:  # one person is an enterprise
            homes = [f"Unit of {people.names[0]}"]
    else:
        homes = people.homes
    what = "a manager or reports" if people.homes is None else "a department"
    kept = place(homes, drop, people.at, how, where, notes, what)
    homes = [homes[row] for row in kept]
    look_alikes(homes, f"departments of {where}", notes, lambda row: people.at(kept[row]))
    numbered = re.compile("[0-9]+").fullmatch
    ordered = sorted(set(homes), key=lambda name: (0, int(name), name) if numbered(name) else (1, 0, name))
    unit = {name: row for row, name in enumerate(ordered)}
    unit_of = np.array([unit[name] for name in homes])
    names = [f"Department {name}" if numbered(name) else name for name in ordered]
    if people.managers is None:
        return kept, names, unit_of, None
    silent: list[str] = [] if people.homes is None else notes  # unknown managers were noted already
    manager = managers_of([people.names[row] for row in kept], [people.managers[row] for row in kept], where, silent)
    return kept, names, unit_of, teams_by_manager(unit_of, manager)


# --------------------------------------------------------------------------- ties


def _ends(
    network: Network, columns: dict[str, str], people: _People, kept: np.ndarray, notes: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Places among those who are kept of both ends of every tie, [2, ties], and the ties' weights where the file has them."""
    path = Path(network.edges)
    weights = None
    if columns or not _two_words(path):
        table = read_table(path, columns, required=["source", "target"], optional=["weight"], key="network.columns")
        lines, pair = table.lines, [table.names(end) for end in ("source", "target")]
        if "weight" in table:
            weights = table.numbers("weight", WEIGHT)
            if np.isnan(weights).any():
                raise InvalidInput(table.at(int(np.argmax(np.isnan(weights))), "weight"), "", "a weight of every tie")
        notes.extend(table.notes)
    else:
        numbers, *pair = _words(path, notes)
        lines = np.array(numbers, np.int64)
    if not len(lines) and len(kept) > 1:
        raise InvalidInput(str(path), "no ties", "at least one line «source target»")
    known = pd.Index([people.names[row] for row in kept])
    ends = np.array([known.get_indexer(pd.Index(names, dtype=known.dtype)) for names in pair]).reshape(2, -1)
    lost = (ends < 0).any(axis=0)
    if lost.any() and network.unplaced == "refuse":
        row = int(np.argmax(lost))
        name = pair[int(ends[0, row] >= 0)][row]
        allowed = f"a node with a department in {people.path.name}{hint(name, people.names)}; network.unplaced=drop leaves such ties out"
        raise InvalidInput(f"{path}, line {lines[row]}", name, allowed)
    if lost.any():
        strangers = {name for column, end in zip(pair, ends, strict=True) for name, at in zip(column, end.tolist(), strict=True) if at < 0}
        notes.append(f"{path.name}: dropped {int(lost.sum())} of {len(lost)} ties, of {len(strangers)} people without a department")
    return ends[:, ~lost], None if weights is None else weights[~lost]


# --------------------------------------------------------------------------- files of two words a line


def _two_words(path: Path) -> bool:
    """Whether a file has two words a line rather than titles and columns: it is not named as a table, and begins with two words."""
    if path.suffix.lower() in TABLES:
        return False
    lines = (line.partition("#")[0].split() for line in io.StringIO(read_text(path)[0], newline=None))
    return len(next(filter(None, lines), ["", ""])) == 2


def _words(path: Path, notes: list[str]) -> tuple[list[int], list[str], list[str]]:
    """Line numbers, first and second word of a file with two words a line; ``#`` starts a comment."""
    lines, left, right = [], [], []
    content, encoding = read_text(path)
    if encoding != "UTF-8":
        notes.append(f"{path.name}: {encoding}")
    for line, text in enumerate(io.StringIO(content, newline=None), 1):
        words = text.partition("#")[0].split()
        if len(words) not in (0, 2):
            raise InvalidInput(f"{path}, line {line}", text.strip(), "two words, with blanks between them")
        if words:
            lines.append(line)
            left.append(named(f"{path}, line {line}", words[0]))
            right.append(words[1] if words[1] in MISSING else named(f"{path}, line {line}", words[1]))
    return lines, left, right
