"""An organisation of one's own: read from CSV files, an edge list with departments, or a NetworkX graph.

What is not given is drawn from the maturity level. Nothing is guessed: a cell, a line or a tie that
cannot be used raises :class:`sim.schema.InvalidInput`, which names file and line; what is dropped
is counted in :attr:`sim.enterprise.Layout.notes`.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from sim.enterprise import create
from sim.layout import MOST_USERS, Layout, Ties, generated_layout
from sim.network import adjacency
from sim.parameters import CAPABILITIES, Parameters
from sim.presets import resolve
from sim.schema import InvalidInput, Record, nearest

LARGEST_FILE = 2 << 30
LONGEST_NAME = 200


def _name(note: str) -> Record:
    return Record("text", f"text of 1 to {LONGEST_NAME} characters", note=note)


def _number(unit: str, low: float, high: float, note: str) -> Record:
    return Record("number", unit, low, high, note=note)


#: Every column of every file. Texts are required; numbers may be left out, as a column or in a cell.
COLUMNS: dict[str, dict[str, Record]] = {
    "units": {
        "unit": _name("name of the business unit; once in the file"),
        "completeness": _number("share of item-weeks", 0, 1, "inputs that are there at the planning cut-off"),
        "lateness": _number("weeks", 0, 26, "age of the inputs at the planning cut-off"),
        "mismatch": _number("share of items", 0, 1, "items whose hierarchy differs from the pilot's"),
        "fragmentation": _number("extra effort share", 0, 10, "0: one system; 1: twice the effort to connect"),
        "sponsorship": _number("index", 0, 1, "backing by the unit's leader at the start"),
        "spend": _number("EUR per planner and week", 0, 1e9, "spend that is planned"),
        **{
            f"readiness_{capability}": _number("index", 0, 1, f"{capability} that the unit has at the start") for capability in CAPABILITIES
        },
    },
    "teams": {
        "team": _name("name of the planning team; once in the file"),
        "unit": _name("its business unit, as in units.csv"),
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


def layout(p: Parameters, graph: nx.Graph | None = None) -> Layout:
    """The layout of an enterprise that is read rather than generated.

    ``enterprise.source: files`` reads the folder; ``network.kind: edges`` reads the edge list and its
    departments; ``network.kind: graph`` takes ``graph``. Files are read once per change of a file.

    Raises:
        InvalidInput: naming the parameter, or file, line and column.
    """
    kind = p.network.kind
    if graph is not None and kind != "graph":
        raise InvalidInput("network.kind", kind, "graph, because a NetworkX graph is given")
    if p.enterprise.source == "files":
        if kind in ("edges", "graph"):
            raise InvalidInput("network.kind", kind, "ties.csv or a generated network, because enterprise.source is files")
        if not p.enterprise.folder:
            raise InvalidInput("enterprise.folder", "", "the folder with units.csv, teams.csv and users.csv")
        folder = Path(p.enterprise.folder)
        return _from_files(folder, tuple(_changed(folder / f"{table}.csv") for table in COLUMNS))
    if kind == "edges":
        for name in ("edges", "labels"):
            if not getattr(p.network, name):
                raise InvalidInput(f"network.{name}", "", "the path of a file, because network.kind is edges")
        edges, labels = Path(p.network.edges), Path(p.network.labels)
        return _from_edges(edges, labels, p.network.team_size, (_changed(edges), _changed(labels)))
    if graph is None:
        raise InvalidInput("network", graph, "a NetworkX graph given as network=...")
    return _from_graph(graph, p)


def _changed(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


# --------------------------------------------------------------------------- reading text


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a folder, or a device that never ends
            raise InvalidInput(str(path), "not a file", "a readable file")
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidInput(str(path), path.stat().st_size, f"a file of at most {LARGEST_FILE} bytes")
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput(str(path), error.strerror or str(error), "a readable file") from None
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}, line {line}, byte {error.start}", raw[error.start : error.start + 4], "UTF-8 text") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidInput(f"{path}, line {line}", "\0", "text without NUL bytes")
    return text


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells, without blanks around them, of every row that has something in it."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InvalidInput(f"{path}, line {line}", str(error), "comma-separated cells, quoted in pairs") from None
        if cells is None:
            return
        cells = [cell.strip(" ") for cell in cells]
        if any(cells):
            yield line, cells


def _words(path: Path) -> tuple[list[int], list[str], list[str]]:
    """Line numbers, first and second word of a file with two words a line; ``#`` starts a comment."""
    lines, left, right = [], [], []
    for line, text in enumerate(io.StringIO(_text(path), newline=None), 1):
        words = text.partition("#")[0].split()
        if len(words) not in (0, 2):
            raise InvalidInput(f"{path}, line {line}", text.strip(), "two words, with blanks between them")
        if words:
            lines.append(line)
            left.append(_named(f"{path}, line {line}", words[0]))
            right.append(_named(f"{path}, line {line}", words[1]))
    return lines, left, right


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def _named(key: str, text: str) -> str:
    if not text or len(text) > LONGEST_NAME or _CONTROL.search(text):
        raise InvalidInput(key, text, f"a name of 1 to {LONGEST_NAME} characters without control characters")
    return text


# --------------------------------------------------------------------------- CSV files


class _Table:
    """One CSV file.

    Attributes:
        lines: line number of each row.
        texts: names by column.
        values: numbers by column that the file has; NaN in empty cells.
    """

    def __init__(self, folder: Path, table: str) -> None:
        self.path = folder / f"{table}.csv"
        known = COLUMNS[table]
        required = [name for name, record in known.items() if record.kind == "text"]
        rows = _rows(self.path)
        line, header = next(rows, (0, []))
        if not header:
            raise InvalidInput(str(self.path), "an empty file", "a first line with the columns " + ", ".join(required))
        if len(header) == 1 and ";" in header[0]:
            raise InvalidInput(f"{self.path}, line {line}", header[0], "columns separated by commas")
        for at, name in enumerate(header):
            if name not in known:
                raise InvalidInput(f"{self.path}, line {line}, column {at + 1}", name, nearest(name, list(known)))
            if name in header[:at]:
                raise InvalidInput(f"{self.path}, line {line}, column {at + 1}", name, "each column once")
        for name in required:
            if name not in header:
                raise InvalidInput(f"{self.path}, line {line}", ",".join(header), f"a column «{name}»")

        self.lines: list[int] = []
        kept: list[list[str]] = []
        for line, cells in rows:
            if len(cells) != len(header):
                raise InvalidInput(f"{self.path}, line {line}", f"{len(cells)} cells", f"{len(header)} cells, as in the header")
            if len(kept) == MOST_USERS and table != "ties":
                raise InvalidInput(f"{self.path}, line {line}", "one more row", f"at most {MOST_USERS:,} rows")
            self.lines.append(line)
            kept.append(cells)
        columns = dict(zip(header, zip(*kept, strict=True) if kept else [()] * len(header), strict=True))
        self.texts = {name: self._names(name, columns[name]) for name in required}
        self.values = {name: self._numbers(name, cells, known[name]) for name, cells in columns.items() if name not in required}

    def at(self, row: int, column: str) -> str:
        """File, line and column of a cell, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {column}"

    def _names(self, column: str, cells: tuple[str, ...]) -> list[str]:
        return [_named(self.at(row, column), cell) for row, cell in enumerate(cells)]

    def _numbers(self, column: str, cells: tuple[str, ...], record: Record) -> np.ndarray:
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            if cell:
                # float() alone would take nan, inf, 1_000 and digits of other scripts
                value = float(cell) if _PLAIN_NUMBER.fullmatch(cell) else np.nan
                if not record.low <= value <= record.high:
                    raise InvalidInput(self.at(row, column), cell, f"{record.allowed}, with a decimal point, or nothing")
                values[row] = value
        return values

    def index(self, column: str) -> dict[str, int]:
        """Row of each name, which may occur once."""
        rows: dict[str, int] = {}
        for row, name in enumerate(self.texts[column]):
            first = rows.setdefault(name, row)
            if first != row:
                raise InvalidInput(self.at(row, column), name, f"each name once; it is in line {self.lines[first]} already")
        if not rows:
            raise InvalidInput(str(self.path), "no rows", "at least one row below the column names")
        return rows

    def refer(self, column: str, index: dict[str, int], where: str) -> np.ndarray:
        """Rows of another file that the names of a column stand for; shape (rows,)."""
        result = np.empty(len(self.lines), np.int64)
        for row, name in enumerate(self.texts[column]):
            target = index.get(name)
            if target is None:
                raise InvalidInput(self.at(row, column), name, f"a name that is in {where}")
            result[row] = target
        return result

    def inhabited(self, column: str, members: np.ndarray, what: str) -> None:
        """Refuse the first row that has no members."""
        if not members.all():
            row = int(np.argmin(members))
            raise InvalidInput(self.at(row, column), self.texts[column][row], f"a name with at least one row in {what}")


@lru_cache(maxsize=4)
def _from_files(folder: Path, _changes: tuple) -> Layout:
    units, teams, users = (_Table(folder, table) for table in ("units", "teams", "users"))
    unit_rows, team_rows, user_rows = units.index("unit"), teams.index("team"), users.index("user")
    unit_of = teams.refer("unit", unit_rows, "units.csv")
    team_of = users.refer("team", team_rows, "teams.csv")
    team_count = np.bincount(unit_of, minlength=len(unit_rows))
    units.inhabited("unit", team_count, "teams.csv")
    teams.inhabited("team", np.bincount(team_of, minlength=len(team_rows)), "users.csv")

    # Draws inside a unit go by position: teams and planners are put in the order of their names, so
    # that the order of the rows in the files changes nothing.
    team_order = np.array(sorted(range(len(team_rows)), key=lambda row: (unit_of[row], teams.texts["team"][row])))
    team_place = _inverse(team_order)[team_of]
    user_order = np.array(sorted(range(len(user_rows)), key=lambda row: (team_place[row], users.texts["user"][row])))

    notes: list[str] = []
    ties = None
    if os.path.lexists(folder / "ties.csv"):
        table = _Table(folder, "ties")
        place = _inverse(user_order)
        source, target = (place[table.refer(column, user_rows, "users.csv")] for column in ("source", "target"))
        ties = _simple(len(user_rows), (source, target), "ties.csv", notes)
    known = {
        "units": dict(units.values),
        "teams": {name: values[team_order] for name, values in teams.values.items()},
        "users": {name: values[user_order] for name, values in users.values.items()},
    }
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
        notes=notes,
    )


# --------------------------------------------------------------------------- networks


@lru_cache(maxsize=4)
def _from_edges(edges: Path, labels: Path, team_size: int, _changes: tuple) -> Layout:
    lines, nodes, departments = _words(labels)
    rows: dict[str, int] = {}
    for line, node in zip(lines, nodes, strict=True):
        if node in rows:
            raise InvalidInput(f"{labels}, line {line}", node, f"each node once; it is in line {lines[rows[node]]} already")
        rows[node] = len(rows)
    if not rows:
        raise InvalidInput(str(labels), "no labels", "at least one line «node department»")
    _fits(len(rows))

    lines, *columns = _words(edges)
    if not lines and len(rows) > 1:
        raise InvalidInput(str(edges), "no ties", "at least one line «source target»")
    ends = np.empty((2, len(lines)), np.int64)
    for end, column in zip(ends, columns, strict=True):
        for at, node in enumerate(column):
            if node not in rows:
                raise InvalidInput(f"{edges}, line {lines[at]}", node, f"a node with a department in {labels.name}")
            end[at] = rows[node]
    notes: list[str] = []
    ties = _simple(len(rows), (ends[0], ends[1]), edges.name, notes)
    numbered = re.compile("[0-9]+").fullmatch
    ordered = sorted(set(departments), key=lambda name: (0, int(name), name) if numbered(name) else (1, 0, name))
    unit = {name: row for row, name in enumerate(ordered)}
    names = [f"Department {name}" if numbered(name) else name for name in ordered]
    return _with_teams(names, np.array([unit[name] for name in departments]), ties, team_size, list(rows), notes)


def _from_graph(graph: nx.Graph, p: Parameters) -> Layout:
    n = len(graph)
    if n == 0:
        raise InvalidInput("network", "an empty graph", "a graph with at least one node")
    _fits(n)
    rows = {node: row for row, node in enumerate(graph)}
    pairs = np.array([(rows[a], rows[b]) for a, b in graph.edges()], np.int64).reshape(-1, 2)
    notes: list[str] = []
    ties = _simple(n, (pairs[:, 0], pairs[:, 1]), "the graph", notes)
    units, teams, names = (_attribute(graph, name, notes) for name in ("unit", "team", "name"))
    user_names = names or [_named("network, a node", str(node)) for node in graph]
    if units is None:
        count = min(p.enterprise.units, n)
        if count < p.enterprise.units:
            notes.append(f"{p.enterprise.units} units were asked for; the graph has planners for {count}")
        unit_of = np.empty(n, np.int64)
        unit_of[_neighbours_together(n, ties)] = np.repeat(np.arange(count), _near_equal(n, count))
        return _with_teams([f"Unit {b + 1}" for b in range(count)], unit_of, ties, p.network.team_size, user_names, notes)
    first_of = {name: row for row, name in enumerate(dict.fromkeys(units))}
    unit_of = np.array([first_of[name] for name in units])
    if teams is None:
        return _with_teams(list(first_of), unit_of, ties, p.network.team_size, user_names, notes)

    pair_of = {pair: row for row, pair in enumerate(dict.fromkeys(zip(units, teams, strict=True)))}
    pair_rows = np.array([pair_of[pair] for pair in zip(units, teams, strict=True)])
    order = np.lexsort((pair_rows, unit_of))  # stable: planners of a team keep the order of the nodes
    seated = list(dict.fromkeys(pair_rows[order].tolist()))
    pairs_in_order = [list(pair_of)[row] for row in seated]
    place = _inverse(order)
    return Layout.of_sizes(
        list(first_of),
        np.bincount([first_of[unit] for unit, _ in pairs_in_order]),
        np.bincount(pair_rows)[seated],
        ties=(place[ties[0]], place[ties[1]]),
        team_names=[team for _, team in pairs_in_order],
        user_names=[user_names[row] for row in order],
        notes=notes,
    )


def _fits(users: int) -> None:
    if users > MOST_USERS:
        raise InvalidInput("network", users, f"at most {MOST_USERS:,} planners")


def _attribute(graph: nx.Graph, name: str, notes: list[str]) -> list[str] | None:
    """An attribute of all nodes as text, or None; one that some nodes lack is not used, which is noted."""
    values = [value for _, value in graph.nodes(data=name) if value is not None]
    if 0 < len(values) < len(graph):
        notes.append(f"«{name}» is on {len(values)} of {len(graph)} nodes of the graph only, and was not used")
    if len(values) < len(graph):
        return None
    return [_named(f"network, «{name}» of a node", str(value)) for value in values]


def _simple(n: int, given: Ties, where: str, notes: list[str]) -> Ties:
    """Undirected ties, each once, no self-loops; what was dropped, and separate parts, are noted."""
    low, high = np.minimum(*given), np.maximum(*given)
    proper = low != high
    once = np.unique(low[proper] * n + high[proper])
    loops, repeated = len(low) - int(proper.sum()), int(proper.sum()) - len(once)
    if loops:
        notes.append(f"{where}: dropped {loops} self-loops (ties of a planner to itself)")
    if repeated:
        notes.append(f"{where}: dropped {repeated} duplicates (ties listed more than once, in either direction)")
    ties = once // n, once % n
    parts, part_of = connected_components(_matrix(n, ties), directed=False)
    if parts > 1:
        largest = np.bincount(part_of).max()
        notes.append(f"{where}: the network has {parts} connected components; the largest has {largest} planners")
    return ties


def _matrix(n: int, ties: Ties) -> csr_array:
    first, peers = adjacency(n, ties)
    return csr_array((np.ones(len(peers), np.int8), peers.astype(np.int32), first.astype(np.int32)), shape=(n, n))


def _neighbours_together(n: int, ties: Ties) -> np.ndarray:
    """Planner rows in reverse Cuthill-McKee order, in which those who are tied stand close; shape (n,)."""
    return reverse_cuthill_mckee(_matrix(n, ties), symmetric_mode=True)


def _near_equal(total: int, parts: int) -> np.ndarray:
    """Sizes of ``parts`` parts that differ by at most one."""
    return total // parts + (np.arange(parts) < total % parts)


def _inverse(order: np.ndarray) -> np.ndarray:
    """Place of each row in an order."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def _with_teams(names: list[str], unit_of: np.ndarray, ties: Ties, team_size: int, user_names: list[str], notes: list[str]) -> Layout:
    """Form teams of about ``team_size`` in each unit, of planners who are tied to each other.

    A unit's planners are put in reverse Cuthill-McKee order of their own ties and cut into near-equal
    parts. All units are ordered at once: without the ties between units they are separate components.
    """
    inside = unit_of[ties[0]] == unit_of[ties[1]]
    order = _neighbours_together(len(unit_of), (ties[0][inside], ties[1][inside]))
    order = order[np.argsort(unit_of[order], kind="stable")]
    sizes = np.bincount(unit_of)
    teams = np.maximum(1, (sizes / team_size + 0.5).astype(np.int64))
    place = _inverse(order)
    return Layout.of_sizes(
        names,
        teams,
        np.concatenate([_near_equal(size, parts) for size, parts in zip(sizes.tolist(), teams.tolist(), strict=True)]),
        ties=(place[ties[0]], place[ties[1]]),
        user_names=[user_names[row] for row in order],
        notes=notes,
    )


# --------------------------------------------------------------------------- the template


def neutral(name: str) -> str:
    """A name that no spreadsheet takes for a formula: a leading ``= + - @``, tab or return gets an apostrophe."""
    return "'" + name if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def columns_table() -> str:
    """All columns with unit and range, as a Markdown table."""
    rows = ["| file | column | unit | from | to | meaning |", "|---|---|---|---|---|---|"]
    for table, columns in COLUMNS.items():
        for name, record in columns.items():
            low, high = ("", "") if record.kind == "text" else (f"{record.low:g}", f"{record.high:,.10g}")
            needed = "**required**; " if record.kind == "text" else ""
            rows.append(f"| {table}.csv | `{name}` | {record.unit} | {low} | {high} | {needed}{record.note} |")
    return "\n".join(rows) + "\n"


_README = """# An organisation for the simulation

Four CSV files describe one enterprise: replace the example with your own.

- Plain UTF-8 text, columns separated by commas, numbers with a decimal point.
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
    contents = {**_example(), "README.md": _README + columns_table()}
    paths = [folder / name for name in contents]
    opened: list[Path] = []
    missing: list[Path] = []
    try:
        for path in paths:
            if os.path.lexists(path):
                raise InvalidInput(str(path), "a file that exists", "a folder without it: nothing is overwritten, and nothing was written")
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
            raise InvalidInput(str(folder), error.strerror or str(error), "a folder that can be written") from None
        raise
    return paths


def _example() -> dict[str, str]:
    """Contents of the CSV files: four units of the article's size, as they are drawn with seed 1."""
    p = resolve({}, {"enterprise.units": 4})
    drawn = generated_layout(p)
    state = create(p, drawn, 1)
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
        "teams": {"team": teams, "unit": np.repeat(units, drawn.team_last - drawn.team_first).tolist()},
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
        written = io.StringIO(newline="")
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*cells, strict=True))
        result[f"{table}.csv"] = written.getvalue()
    return result
