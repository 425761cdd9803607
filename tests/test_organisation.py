"""Reading an organisation: what is read is what was written, and what cannot be used is refused by file and line."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sim import RolloutModel
from sim.configuration import resolve
from sim.layout import Layout
from sim.network import adjacency
from sim.organisation import files, layout
from sim.organisation.files import COLUMNS
from sim.organisation.template import template
from sim.parameters import CAPABILITIES
from sim.schema import InvalidInput

ROOT = Path(__file__).resolve().parent.parent

FILES = {
    "units.csv": "unit,completeness,readiness_monitoring\nNorth,0.8,0.25\nÖst,,\n",
    "teams.csv": "team,unit,fit\ns1,Öst,0.9\nn2,North,\nn1,North,0.1\n",
    "users.csv": "user,team,trust,experience\nzoe,n2,0.3,12\nadam,s1,,\nbea,n1,0.7,\ncarl,n1,0.2,3\n",
    "ties.csv": "source,target\nzoe,bea\nbea,carl\n",
}


def write(folder: Path, **changed: str | bytes | None) -> Path:
    """A small organisation in ``folder``; ``users="…"`` replaces users.csv, None leaves it out."""
    folder.mkdir(exist_ok=True)
    for name, text in FILES.items():
        content = changed.get(name.removesuffix(".csv"), text)
        if content is not None:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def from_folder(folder: Path) -> dict[str, str]:
    return {"source": "files", "folder": str(folder)}


def read(folder: Path) -> Layout:
    return layout(resolve({"enterprise": from_folder(folder)}, {}))


def textbook(weeks: int = 3, rng: int = 1, **more: object) -> RolloutModel:
    return RolloutModel(rng=rng, engine="textbook", weeks=weeks, **more)


def tied(result: Layout) -> set[frozenset[str]]:
    """Ties by planners' names."""
    assert result.ties is not None and result.user_names is not None
    return {frozenset((result.user_names[i], result.user_names[j])) for i, j in zip(*result.ties, strict=True)}


def unit_of(result: Layout) -> dict[str, str]:
    assert result.user_names is not None
    return {name: result.unit_names[unit] for name, unit in zip(result.user_names, result.unit_of_user, strict=True)}


@pytest.mark.fault("configuration", "a folder of one's own that would not be read", "one line with key, value and what is allowed")
def test_a_folder_that_would_not_be_read_is_refused(tmp_path, call):
    folder = write(tmp_path / "mine")
    code, _, err = call("compare", f"enterprise.folder={folder}")
    assert code == 2 and err.startswith(f"error: enterprise.folder: '{folder}' is not allowed; expected enterprise=from_files")
    with pytest.raises(InvalidInput, match=r"enterprise\.folder"):
        textbook(enterprise={"folder": str(folder)})


def test_given_values_are_in_the_state(tmp_path: Path) -> None:
    model = textbook(enterprise=from_folder(write(tmp_path)))
    state = model.state
    drawn = textbook(
        enterprise=from_folder(
            write(
                tmp_path / "bare",
                units="unit\nNorth\nÖst\n",
                teams="team,unit\ns1,Öst\nn2,North\nn1,North\n",
                users="user,team\nzoe,n2\nadam,s1\nbea,n1\ncarl,n1\n",
            )
        )
    ).state
    assert state.unit_names == ["North", "Öst"]
    assert state.team_names == ["n1", "n2", "s1"] and state.user_names == ["bea", "carl", "zoe", "adam"]
    assert state.units["first"].tolist() == [0, 2] and state.units["last"].tolist() == [2, 3]
    assert state.units["completeness"].tolist() == [0.8, drawn.units["completeness"][1]]
    monitoring = CAPABILITIES.index("monitoring")
    assert state.units["readiness"][0, monitoring] == 0.25
    others = [k for k in range(len(CAPABILITIES)) if k != monitoring]
    assert state.units["readiness"][0, others].tolist() == drawn.units["readiness"][0, others].tolist()
    assert state.teams["fit"].tolist() == [0.1, drawn.teams["fit"][1], 0.9]
    assert state.users["trust"].tolist() == [0.7, 0.2, 0.3, drawn.users["trust"][3]]
    assert state.users["experience"].tolist() == [drawn.users["experience"][0], 3, 12, drawn.users["experience"][3]]
    assert state.users["threshold"].tolist() == drawn.users["threshold"].tolist()
    assert tied(read(tmp_path)) == {frozenset(("zoe", "bea")), frozenset(("bea", "carl"))}
    model.run()


def test_every_number_in_the_table_reaches_its_column(tmp_path: Path) -> None:
    """No column is read and then forgotten: the middle of each range arrives in the state."""
    given = {
        name: {c: (0.5 * (r.low + r.high) if r.kind == "number" else None) for c, r in COLUMNS[name].items()}
        for name in ("units", "teams", "users")
    }
    names = {"unit": "U", "team": "T", "user": "P"}
    files = {
        table: ",".join(columns) + "\n" + ",".join(names.get(c, "") if v is None else repr(v) for c, v in columns.items()) + "\n"
        for table, columns in given.items()
    }
    state = textbook(enterprise=from_folder(write(tmp_path, ties="source,target\n", **files))).state
    for table, columns in given.items():
        for column, value in columns.items():
            if value is not None and not column.startswith("readiness_"):
                assert getattr(state, table)[column].tolist() == [value], column
    assert state.units["readiness"].tolist() == [[0.5] * 4]


def test_what_there_is_to_gain_is_drawn_but_where_the_files_say_it(tmp_path: Path) -> None:
    """An error that planners gave is theirs: how much use cases turn out to differ moves the other use cases only."""
    users = "user,team,own_error\nzoe,n2,0.4\nadam,s1,0.5\nbea,n1,0.3\ncarl,n1,0.6\n"
    given, drawn = write(tmp_path / "given", users=users), write(tmp_path / "drawn")
    more = {"usecases": ["demand", "returns"], "strategy.portfolio.start": "place", "strategy.portfolio.at_once": 2}

    def errors(folder: Path, spread: float) -> np.ndarray:
        model = textbook(20, enterprise=from_folder(folder), **more, **{"forecast.usecase_spread": spread})
        return np.array([[user.own_error for user in model.run().use_cases[name].users] for name in more["usecases"]])

    assert errors(given, 0.5)[0].tolist() == [0.3, 0.6, 0.4, 0.5]
    apart = np.log(errors(given, 0.5) / errors(given, 0.0))
    assert (apart[0] == 0).all() and np.ptp(apart[1]) < 1e-12 < abs(apart[1, 0])
    assert (np.log(errors(drawn, 0.5) / errors(drawn, 0.0))[0] != 0).all()


def test_a_column_without_gaps_stands_in_the_place_of_its_parameter(tmp_path: Path) -> None:
    whole = write(tmp_path, users="user,team,trust,own_error\nzoe,n2,0.3,0.4\nadam,s1,0.5,\nbea,n1,0.7,0.3\ncarl,n1,0.5,0.6\n")
    assert read(whole).decided == {"maturity.trust": 0.5}  # completeness, fit and own errors have gaps


def test_files_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    """Byte-order mark, Windows line ends, quotes, blanks around cells, blank lines, rows of commas, order of columns."""
    users = '\ufefftrust , team,user\r\n0.3,n2, "zoe"\r\n\r\n ,s1,adam\r\n,,\r\n7e-1,n1,"bea, dr."\r\n.2,n1,carl\r\n'
    result = read(write(tmp_path, users=users, ties=None))
    assert result.user_names == ["bea, dr.", "carl", "zoe", "adam"]
    np.testing.assert_array_equal(result.known["users"]["trust"], [0.7, 0.2, 0.3, np.nan])


@pytest.mark.parametrize("encoding, separator", [("cp1252", ","), ("utf-16", "\t"), ("utf-8", ";")])
def test_files_of_another_encoding_or_separator_are_read_and_noted(tmp_path: Path, encoding: str, separator: str) -> None:
    plain = read(write(tmp_path / "plain"))
    given = {name.removesuffix(".csv"): text.replace(",", separator) for name, text in FILES.items()}
    if separator == ";":
        given["users"] = given["users"].replace(".", ",")
    other = read(write(tmp_path / "other", **{name: text.encode(encoding) for name, text in given.items()}))
    assert other.unit_names == plain.unit_names and tied(other) == tied(plain) and plain.notes != other.notes
    np.testing.assert_array_equal(other.known["users"]["trust"], plain.known["users"]["trust"])
    assert any(note.startswith("units.csv: 2 rows") for note in other.notes)
    assert any("decimal comma" in note for note in other.notes) == (separator == ";")


@pytest.mark.parametrize("other", ["NORTH", "north"])
@pytest.mark.fault("files", "names that differ in capitals or leading zeros only", "taken as different, and noted")
def test_names_that_look_alike_are_noted(tmp_path: Path, other: str) -> None:
    files = {"units": f"unit\nNorth\n{other}\n", "teams": f"team,unit\n1,North\n01,{other}\n", "users": "user,team\na,1\nb,01\n"}
    result = read(write(tmp_path, ties=None, **files))
    assert result.unit_names == ["North", other] and len(result.notes) == 2
    assert f"«North» and «{other}»" in result.notes[0] and "«1» and «01»" in result.notes[1]


def test_ties_are_drawn_where_the_file_is_absent_only(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a", ties=None)).ties is None
    nobody = read(write(tmp_path / "b", ties="source,target\n"))
    assert nobody.ties is not None and len(nobody.ties[0]) == 0
    assert textbook(enterprise=from_folder(tmp_path / "b")).run().week == 3


@pytest.mark.fault("files", "self-loops, duplicate ties, a disconnected network", "dropped and counted; runs")
def test_self_loops_duplicates_and_parts_are_counted(tmp_path: Path) -> None:
    ties = "source,target\nzoe,bea\nbea,zoe\nzoe,bea\nadam,adam\ncarl,bea\n"
    result = read(write(tmp_path, ties=ties))
    assert tied(result) == {frozenset(("zoe", "bea")), frozenset(("bea", "carl"))}
    loops, duplicates, parts = result.notes
    assert "1 self-loops" in loops and "2 duplicates" in duplicates
    assert "2 connected components" in parts and "3 planners" in parts
    assert textbook(enterprise=from_folder(tmp_path)).state.notes == result.notes


def test_one_planner(tmp_path: Path) -> None:
    files = {"units": "unit\nU\n", "teams": "team,unit\nT,U\n", "users": "user,team\nP,T\n"}
    for ties in (None, "source,target\n"):
        model = textbook(30, enterprise=from_folder(write(tmp_path, ties=ties, **files))).run()
        assert model.week == 30 and len(model.state.users) == 1


def _shuffled(text: str, seed: int) -> str:
    header, *rows = text.splitlines()
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(rows))
    assert order.tolist() != sorted(order)
    return "\n".join([header, *(rows[i] for i in order)]) + "\n"


@pytest.mark.parametrize("shuffled", [("units",), ("teams", "users"), ("units", "teams", "users", "ties")])
def test_the_order_of_rows_changes_nothing(tmp_path: Path, shuffled: tuple[str, ...]) -> None:
    template(tmp_path / "a")
    (tmp_path / "b").mkdir()
    for table in COLUMNS:
        text = (tmp_path / "a" / f"{table}.csv").read_text(encoding="utf-8")
        if table == "users":  # part of it drawn: the draws must follow the names
            rows = [row.split(",") for row in text.splitlines()]
            kept = [row if i % 2 == 0 else [*row[:2], *[""] * len(row[2:])] for i, row in enumerate(rows)]
            text = "".join(",".join(row) + "\n" for row in kept)
        for folder in ("a", "b"):
            (tmp_path / folder / f"{table}.csv").write_text(
                _shuffled(text, 3) if folder == "b" and table in shuffled else text, encoding="utf-8"
            )
    # a gate that lets everybody through, so that all units go live whatever the parameters are
    gate = {"strategy.gate_weeks": 5, "strategy.gate_improvement": -1.0, "strategy.gate_reliance": 0.0}
    frames = []
    for folder in ("a", "b"):
        model = textbook(40, strategy="big_bang", enterprise=from_folder(tmp_path / folder), **gate).run()
        frame = model.units.astype({"unit": str, "stage": str}).sort_values(["unit", "week"], ignore_index=True)
        frames.append(frame)
        assert (frame.groupby("unit")["users_using"].sum() > 0).sum() >= 3, "too little happens for the test to mean anything"
    for column in frames[0].columns:
        a, b = frames[0][column], frames[1][column]
        assert a.equals(b) if column in ("unit", "stage") else np.allclose(a.astype(float), b.astype(float)), column


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    before = read(write(tmp_path))
    assert read(tmp_path) is before, "an unchanged folder is read once"
    write(tmp_path, users=FILES["users.csv"].replace("0.7", "0.75"))
    assert before.known["users"]["trust"][0] == 0.7 and read(tmp_path).known["users"]["trust"][0] == 0.75


# --------------------------------------------------------------------------- CSV files that cannot be used

U, T, S, R = FILES["units.csv"], FILES["teams.csv"], FILES["users.csv"], FILES["ties.csv"]


def number(cell: str) -> str:
    return S.replace("carl,n1,0.2", f"carl,n1,{cell}")


BAD = {
    "units missing": ("units", None, "units.csv' is not allowed; expected a file that can be read (No such file"),
    "teams missing": ("teams", None, "teams.csv' is not allowed; expected a file that can be read (No such file"),
    "users missing": ("users", None, "users.csv' is not allowed; expected a file that can be read (No such file"),
    "empty": ("users", "", "users.csv: 'an empty file'", "user, team"),
    "blank lines only": ("users", "\n\n", "users.csv: 'an empty file'"),
    "header only": ("users", "user,team\n", "users.csv: 'no rows'"),
    "damaged UTF-8": ("units", U.encode() + b"\xff,,\n", "units.csv, line 4, byte 61", "UTF-8"),
    "NUL": ("users", S.replace("bea", "b\0a"), "users.csv, line 4", "NUL"),
    "open quote": ("users", S.replace("bea", '"bea'), "users.csv, line 4", "quoted in pairs"),
    "text after quote": ("users", S.replace("bea", '"b"ea'), "users.csv, line 4"),
    "huge cell": ("users", S.replace("bea", "b" * 200_000), "users.csv, line 4"),
    "semicolons in some lines": ("users", S.replace("bea,n1,0.7,", "bea;n1;0.7;"), "users.csv, line 4: '1 cells'", "4 cells"),
    "a workbook": ("users", b"PK\x03\x04", "users.csv: 'a workbook'", "saved as CSV"),
    "a former name of a column": (
        "users",
        S.replace("trust", "skill"),
        "users.csv, line 1, column 3: 'skill'",
        "own_error, as it is called now",
    ),
    "another former name": (
        "teams",
        T.replace("fit", "category"),
        "teams.csv, line 1, column 3: 'category'",
        "difficulty, as it is called now",
    ),
    "unknown column": ("users", S.replace("trust", "thrust"), "users.csv, line 1, column 3: 'thrust'", "did you mean trust"),
    "column twice": ("users", S.replace("experience", "trust"), "users.csv, line 1, column 4: 'trust'", "once"),
    "no user column": ("users", "team,trust\nn1,0.1\n", "users.csv, line 1", "a column «user»"),
    "no team column": ("users", "user,trust\na,0.1\n", "users.csv, line 1", "a column «team»"),
    "no unit column": ("teams", "team\nn1\n", "teams.csv, line 1", "a column «unit»"),
    "no target column": ("ties", "source\nzoe\n", "ties.csv, line 1", "a column «target»"),
    "short row": ("users", S.replace("bea,n1,0.7,", "bea,n1,0.7"), "users.csv, line 4: '3 cells'", "4 cells"),
    "long row": ("users", S.replace("bea,n1,0.7,", "bea,n1,0.7,1,2"), "users.csv, line 4: '5 cells'", "4 cells"),
    "long row after a cell of two lines": (
        "users",
        S.replace("zoe,n2", 'zoe,"n\n2"').replace("bea,", "bea,,"),
        "users.csv, line 5: '5 cells'",
    ),
    "unit twice": ("units", U + "North,,\n", "units.csv, line 4, column unit: 'North'", "line 2"),
    "team twice": ("teams", T + "s1,North,\n", "teams.csv, line 5, column team: 's1'", "line 2"),
    "user twice": ("users", S + "zoe,s1,,\n", "users.csv, line 6, column user: 'zoe'", "line 2"),
    "user twice but for a blank": ("users", S + " zoe,s1,,\n", "users.csv, line 6, column user: 'zoe'", "line 2"),
    "unknown unit": ("teams", T.replace("n2,North", "n2,north"), "teams.csv, line 3, column unit: 'north'", "units.csv"),
    "unknown team": ("users", S.replace("bea,n1", "bea,n9"), "users.csv, line 4, column team: 'n9'", "teams.csv"),
    "unknown source": ("ties", R + "eve,bea\n", "ties.csv, line 4, column source: 'eve'", "users.csv"),
    "unknown target": ("ties", R + "bea,eve\n", "ties.csv, line 4, column target: 'eve'", "users.csv"),
    "unit without teams": ("units", U + "West,,\n", "units.csv, line 4, column unit: 'West'", "teams.csv"),
    "team without users": ("teams", T + "n3,North,\n", "teams.csv, line 5, column team: 'n3'", "users.csv"),
    "no name": ("users", S.replace("bea", ""), "users.csv, line 4, column user: ''", "1 to 200"),
    "long name": ("users", S.replace("bea", "b" * 201), "users.csv, line 4, column user"),
    "control character": ("users", S.replace("bea", "b\x07a"), "users.csv, line 4, column user", "control"),
    **{
        f"direction {ord(c):x}": ("users", S.replace("bea", f"b{c}ea"), "users.csv, line 4, column user", "turn the direction")
        for c in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"
    },
    **{
        f"missing {cell}": ("teams", T.replace("s1,Öst", f"s1,{cell}"), "teams.csv, line 2, column unit", "there is none")
        for cell in ("nan", "None", "<NA>")
    },
    "the same look, decomposed": ("units", U + "O\u0308st,,\n", "units.csv, line 4, column unit", r"'\xd6st' looks the same"),
    "the same look, no-break": ("users", S + "be a,n1,,\nbe\u00a0a,n1,,\n", "users.csv, line 7, column user", "looks the same"),
    "the same look, invisible": ("users", S + "b\u200bea,n1,,\n", "users.csv, line 6, column user", "nobody sees"),
    "the same look, elsewhere": ("teams", T.replace("s1,Öst", "s1,O\u0308st"), "teams.csv, line 2, column unit", r"'\xd6st' is there"),
    "line break in a name": ("users", S.replace("bea", '"b\na"'), "users.csv, line 4, column user", "control"),
    **{
        f"number {cell!r}": ("users", number(cell), "users.csv, line 5, column trust", "a number from 0 to 1")
        for cell in (
            "nan",
            "NaN",
            "inf",
            "-inf",
            "1e999",
            "high",
            "1_000",
            "0_1",
            "0x1",
            "٠",
            "-0.01",
            "1.01",
            "1e",
            ".",
            "0.5 0.5",
            "50%",
            "0.5\t",
        )
    },
    "decimal comma": ("users", number('"0,5"'), "users.csv, line 5, column trust", "decimal point"),
    "blank before nan": ("users", number(" nan"), "users.csv, line 5, column trust"),
    "late": ("units", "unit,lateness\nNorth,27\nÖst,1\n", "units.csv, line 2, column lateness: '27'", "from 0 to 26 [weeks]"),
    "readiness": ("units", U.replace("0.25", "25"), "units.csv, line 2, column readiness_monitoring: '25'", "0 to 1"),
    "difficulty": (
        "teams",
        "team,unit,difficulty\ns1,Öst,0\nn2,North,\nn1,North,\n",
        "teams.csv, line 2, column difficulty",
        "from 0.01 to 100",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
@pytest.mark.fault(
    "files",
    "an organisation's CSV files: missing columns, wrong encoding, duplicate or unknown ids, bad numbers",
    "refused with file and line",
)
def test_bad_files_are_refused_by_file_and_line(tmp_path: Path, case: tuple) -> None:
    table, content, *words = case
    write(tmp_path, **{table: content})
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path)
    for word in words:
        assert word in str(refused.value)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    "column, low, high", [(c, r.low, r.high) for columns in COLUMNS.values() for c, r in columns.items() if r.kind == "number"]
)
def test_ranges_end_where_the_table_says(tmp_path: Path, column: str, low: float, high: float) -> None:
    table = next(t for t in COLUMNS if column in COLUMNS[t])
    base = {"units": "unit", "teams": "team,unit", "users": "user,team"}[table]
    row = {"units": "U", "teams": "T,U", "users": "P,T"}[table]
    files = {"units": "unit\nU\n", "teams": "team,unit\nT,U\n", "users": "user,team\nP,T\n", "ties": None}
    for value, fine in ((low, True), (high, True), (low - 0.001 * (1 + abs(low)), False), (high * 1.001, False)):
        write(tmp_path, **{**files, table: f"{base},{column}\n{row},{value!r}\n"})
        if fine:
            read(tmp_path)
        else:
            with pytest.raises(InvalidInput, match=rf"{table}\.csv, line 2, column {column}"):
                read(tmp_path)


def test_too_many_planners_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_USERS", 3)
    with pytest.raises(InvalidInput, match=r"users\.csv, line 5.*at most 3 rows"):
        read(write(tmp_path))


@pytest.mark.fault("files", "devices, folders and broken links for files", "refused with the path")
def test_devices_folders_and_broken_links_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, users=None)
    (tmp_path / "users.csv").mkdir()
    with pytest.raises(InvalidInput, match=r"^file: .*users\.csv.*can be read"):
        read(tmp_path)
    (tmp_path / "users.csv").rmdir()
    (tmp_path / "users.csv").symlink_to(os.devnull)
    with pytest.raises(InvalidInput, match=r"^file: .*users\.csv.*can be read"):
        read(tmp_path)
    write(tmp_path / "linked", ties=None)
    (tmp_path / "linked" / "ties.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"ties\.csv.*No such file"):
        read(tmp_path / "linked")


def test_configurations_that_contradict_themselves(tmp_path: Path) -> None:
    files, edges = from_folder(write(tmp_path)), {"kind": "edges", "edges": "e", "labels": "l"}
    graph = nx.path_graph(3)
    for enterprise, network, given, key in (
        (files, edges, None, "network.kind"),
        (files, {"kind": "graph"}, graph, "network.kind"),
        (files, {}, graph, "network.kind"),
        ({}, edges, graph, "network.kind"),
        ({"source": "files"}, {}, None, "enterprise.folder"),
        ({}, {"kind": "edges", "labels": "l"}, None, "network.edges"),
        ({}, {"kind": "edges", "edges": "e"}, None, "network.labels"),
        ({}, {"kind": "graph"}, None, "network"),
    ):
        with pytest.raises(InvalidInput) as refused:
            layout(resolve({"enterprise": enterprise, "network": network}, {}), given)
        assert refused.value.key == key
    with pytest.raises(InvalidInput, match="a NetworkX graph given as network="):
        RolloutModel(network={"kind": "graph"}, rng=1)


def test_ten_thousand_planners_keep_their_values(tmp_path: Path) -> None:
    """The reader at the size it is meant for: every value at its planner, every tie."""
    generator = np.random.Generator(np.random.PCG64(8))
    n, teams, units = 10_000, 1000, 40
    trust, team = generator.random(n).round(4), generator.permutation(np.arange(n) % teams)
    ties = generator.integers(0, n, (2, 3 * n))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([["user", "trust", "team"], *([f"p{i}", trust[i], f"t{team[i]}"] for i in range(n))])
    result = read(
        write(
            tmp_path,
            users=text.getvalue(),
            units="unit\n" + "".join(f"u{i}\n" for i in range(units)),
            teams="team,unit\n" + "".join(f"t{i},u{i % units}\n" for i in range(teams)),
            ties="source,target\n" + "".join(f"p{a},p{b}\n" for a, b in ties.T),
        )
    )
    assert result.user_names is not None and result.ties is not None and result.team_names is not None
    rows = np.array([int(name[1:]) for name in result.user_names])
    np.testing.assert_array_equal(result.known["users"]["trust"], trust[rows])
    assert [result.team_names[t] for t in result.team_of_user] == [f"t{t}" for t in team[rows]]
    assert result.unit_of_user.tolist() == (team[rows] % units).tolist()
    place = np.empty(n, np.int64)
    place[rows] = np.arange(n)
    for ours, expected in zip(adjacency(n, result.ties), adjacency(n, (place[ties[0]], place[ties[1]])), strict=True):
        np.testing.assert_array_equal(ours, expected)
