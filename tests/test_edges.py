"""Edge lists and what is known of their people: files of two words a line, and tables as other software writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_organisation import ROOT, textbook, tied, unit_of

from sim import RolloutModel
from sim.configuration import resolve
from sim.layout import Layout
from sim.organisation import layout
from sim.schema import InvalidInput

EMAIL = ROOT.parent / "shared" / "data" / "email-Eu-core.txt"
EMAIL_LABELS = EMAIL.with_name("email-Eu-core-department-labels.txt")
LABELS = "# node department\nann 2\nbob 2\ncid 10\ndan 10\n\neve Sales\nfay 2 # alone\n"
EDGES = "ann bob\nbob\tann  # and back\n# a comment\ncid dan\r\nbob cid\neve eve\n"


def edge_list(folder: Path, edges: str = EDGES, labels: str = LABELS, **more: object) -> dict[str, object]:
    folder.mkdir(exist_ok=True)
    (folder / "edges.txt").write_text(edges, encoding="utf-8", newline="")
    (folder / "labels.txt").write_text(labels, encoding="utf-8", newline="")
    return {"kind": "edges", "edges": str(folder / "edges.txt"), "labels": str(folder / "labels.txt"), **more}


def test_departments_become_units(tmp_path: Path) -> None:
    network = edge_list(tmp_path, team_size=2)
    result = layout(resolve({"network": network}, {}))
    assert result.unit_names == ["Department 2", "Department 10", "Sales"]
    homes = {"ann": 2, "bob": 2, "fay": 2, "cid": 10, "dan": 10}
    assert unit_of(result) == {**{name: f"Department {d}" for name, d in homes.items()}, "eve": "Sales"}
    assert tied(result) == {frozenset(pair) for pair in (("ann", "bob"), ("cid", "dan"), ("bob", "cid"))}
    loops, duplicates, parts = result.notes
    assert "1 self-loops" in loops and "1 duplicates" in duplicates and "3 connected components" in parts
    model = textbook(network=network).run()
    assert model.week == 3 and model.state.user_names == result.user_names and model.state.notes == result.notes
    assert sorted(d for _, d in model.network.degree()) == [0, 0, 1, 1, 2, 2]


def test_people_who_may_have_left_are_told_of(tmp_path: Path) -> None:
    labels = "employee;department;Employment status;Age\nann;2;Active;30\nbob;2;Left;40\ncid;2;Left;50\n"
    (tmp_path / "staff.csv").write_text(labels, encoding="utf-8")
    network = {**edge_list(tmp_path, "ann bob\nbob cid\n"), "labels": str(tmp_path / "staff.csv")}
    notes = layout(resolve({"network": network}, {})).notes
    assert [note for note in notes if "left by «Employment status»" in note and "from=staff.csv drops leavers" in note]
    assert not [note for note in notes if "«Age»" in note]


def test_teams_are_people_who_are_tied(tmp_path: Path) -> None:
    """Cliques of four, listed in mixed order inside one department, become its teams."""
    people = [f"p{i}" for i in np.random.Generator(np.random.PCG64(5)).permutation(24)]
    edges = "".join(f"p{i} p{j}\n" for i in range(24) for j in range(i) if i // 4 == j // 4)
    network = edge_list(tmp_path, edges, "".join(f"{name} 7\n" for name in people), team_size=4)
    result = layout(resolve({"network": network}, {}))
    assert result.user_names is not None
    teams = [result.user_names[i:j] for i, j in zip(result.user_first, result.user_last, strict=True)]
    assert sorted(len(team) for team in teams) == [4] * 6
    assert all(len({int(name[1:]) // 4 for name in team}) == 1 for team in teams)


@pytest.mark.parametrize(
    "edges, labels, words",
    [
        (EDGES, LABELS + "gus nan\n", ("labels.txt, line 9", "network.unplaced=drop")),
        (EDGES, LABELS + "e\u0301 1\n\u00e9 1\n", ("labels.txt, line 10", "looks the same")),
        (EDGES, LABELS + "gus S\u00e0\ntim Sa\u0300\n", ("labels.txt, line 10", "looks the same")),
        (EDGES, LABELS + "g\u202es 1\n", ("labels.txt, line 9", "direction")),
        (EDGES + "Ann bob\n", LABELS, ("edges.txt, line 7: 'Ann'", "'ann' is there")),
        (EDGES + "ann zed\n", LABELS, ("edges.txt, line 7: 'zed'", "labels.txt")),
        (EDGES + "ann bob 3\n", LABELS, ("edges.txt, line 7: 'ann bob 3'", "two words")),
        (EDGES + "ann\n", LABELS, ("edges.txt, line 7: 'ann'",)),
        ("", LABELS, ("edges.txt: 'no ties'",)),
        (EDGES, "# nothing\n", ("labels.txt: 'no labels'",)),
        (EDGES, LABELS + "ann 3\n", ("labels.txt, line 9: 'ann'", "line 2")),
        (EDGES, LABELS + "gus\n", ("labels.txt, line 9: 'gus'",)),
        (EDGES, LABELS + "g\0s 1\n", ("labels.txt, line 9", "NUL")),
        (EDGES, LABELS + "g\x07s 1\n", ("labels.txt, line 9", "control")),
    ],
)
@pytest.mark.fault("files", "edge lists and labels: nodes without a label, wrong lines", "refused with file and line")
def test_bad_edge_lists_are_refused_by_file_and_line(tmp_path: Path, edges: str, labels: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        layout(resolve({"network": edge_list(tmp_path, edges, labels)}, {}))
    for word in words:
        assert word in str(refused.value)


def test_missing_and_wrongly_encoded_edge_lists(tmp_path: Path) -> None:
    network = edge_list(tmp_path)
    (tmp_path / "edges.txt").write_bytes(b"ann b\xc3\xb6b\n\xff\n")
    with pytest.raises(InvalidInput, match=r"edges\.txt, line 2, byte 9.*UTF-8"):
        layout(resolve({"network": network}, {}))
    (tmp_path / "edges.txt").unlink()
    with pytest.raises(InvalidInput, match=r"edges\.txt.*No such file"):
        layout(resolve({"network": network}, {}))


def test_one_node_with_a_department_is_an_enterprise(tmp_path: Path) -> None:
    assert len(textbook(network=edge_list(tmp_path, "", "only 1\n")).run().state.users) == 1


@pytest.mark.skipif(not (EMAIL.is_file() and EMAIL_LABELS.is_file()), reason="the email network is not beside the checkout")
def test_the_email_network() -> None:
    """1005 people of 42 departments; 16,064 undirected ties and a largest component of 986, as published."""
    network = {"kind": "edges", "edges": str(EMAIL), "labels": str(EMAIL_LABELS)}
    result = layout(resolve({"network": network}, {}))
    assert result.n_users == 1005 and len(result.unit_names) == 42
    assert result.unit_names[0] == "Department 0" and result.unit_names[-1] == "Department 41"
    assert result.ties is not None and len(result.ties[0]) == 16064
    assert any("642 self-loops" in note for note in result.notes)
    assert any("20 connected components" in note and "986" in note for note in result.notes)
    departments = dict(line.split() for line in EMAIL_LABELS.read_text().splitlines() if line.strip())
    assert unit_of(result) == {node: f"Department {d}" for node, d in departments.items()}
    sizes = result.user_last - result.user_first
    assert sizes.max() <= 11 and abs(sizes.mean() - 8) < 1
    # teams are tied more than teams drawn at random from the same departments, where 18.5% of a department's ties fall
    a, b = result.ties
    inside = result.unit_of_user[a] == result.unit_of_user[b]
    assert (result.team_of_user[a] == result.team_of_user[b])[inside].mean() > 0.22
    assert textbook(2, network=network).run().week == 2


# --------------------------------------------------------------------------- tables

LOG = "Sender;Recipient;EventDate;Size\n" + "".join(
    f"{a};{b};2010-01-{day:02} 13:28:23;1,5\n"
    for day in range(1, 21)
    for a, b in ((1, 2), (2, 1), (2, 3), (4, 5), (5, 6), (3, 9))
    if (a + b) % 2 or day < 3
)
PEOPLE = "ID;Dept;ReportsToID\n1;Sales;\n2;Sales;1\n3;Sales;1\n4;Plant;1\n5;Plant;4\n6;Plant;4\n"
TITLES = {"source": "Sender", "target": "Recipient", "employee": "ID", "department": "Dept", "manager": "ReportsToID"}


def tables(folder: Path, edges: str = LOG, labels: str = PEOPLE, columns: dict | None = None, **more: object) -> dict[str, object]:
    (folder / "log.csv").write_text(edges, encoding="utf-8")
    (folder / "people.csv").write_text(labels, encoding="utf-8")
    paths = {"edges": str(folder / "log.csv"), "labels": str(folder / "people.csv")}
    return {"kind": "edges", **paths, "columns": TITLES if columns is None else columns, "unplaced": "drop", **more}


def of(network: dict[str, object]) -> Layout:
    return layout(resolve({"network": network}, {}))


def team_of(result: Layout) -> dict[str, str]:
    assert result.user_names is not None and result.team_names is not None
    return {name: result.team_names[team] for name, team in zip(result.user_names, result.team_of_user, strict=True)}


@pytest.mark.fault("files", "a log of messages with dates, other columns and strangers", "read; what is dropped is counted")
def test_a_log_of_messages_is_a_network(tmp_path: Path) -> None:
    network = tables(tmp_path)
    result = of(network)
    assert tied(result) == {frozenset(pair) for pair in (("1", "2"), ("2", "3"), ("4", "5"), ("5", "6"))}
    assert unit_of(result) == {**dict.fromkeys("123", "Sales"), **dict.fromkeys("456", "Plant")}
    assert team_of(result) == {"1": "1", "2": "1", "3": "1", "4": "4", "5": "4", "6": "4"}
    words = " | ".join(result.notes)
    assert "log.csv: 102 rows, UTF-8, columns separated by semicolons" in words and "not used: EventDate, Size" in words
    assert "dropped 2 of 102 ties, of 1 people without a department" in words and "96 duplicates" in words
    assert textbook(network=network).run().state.notes == result.notes


def test_a_tie_may_need_some_messages_or_weight(tmp_path: Path) -> None:
    (tmp_path / "heavy").mkdir()
    labels = "employee,department\na,X\nb,X\nc,X\n"
    few = tables(tmp_path, "source,target\n" + "a,b\n" * 2 + "b,a\n" + "b,c\n" * 2, labels, {}, min_weight=3)
    assert tied(of(few)) == {frozenset("ab")} and any("dropped 1 of 2 ties, of a weight below 3" in note for note in of(few).notes)
    heavy = tables(tmp_path / "heavy", "source,target,n\na,b,1.5\nb,a,1\nb,c,4\n", labels, {"weight": "n"}, min_weight=3)
    assert tied(of(heavy)) == {frozenset("bc")}
    for weight, words in (("", "a weight"), ("-1", "weight of a tie"), ("x", "weight of a tie")):
        bad = tables(tmp_path, f"source,target,weight\na,b,1\nb,c,{weight}\n", labels, {})
        with pytest.raises(InvalidInput, match=rf"log\.csv, line 3, column weight.*{words}"):
            of(bad)


def test_managers_alone_make_units_and_teams(tmp_path: Path) -> None:
    """Under one head those who lead head a unit each; the head and his own staff are one more. Accounts without a person are dropped."""
    labels = "ID;ReportsToID\n1;1\n2;1\n3;1\n4;2.0\n5;2\n6;3\n7;6\n8;1\n9;technical account\n"
    titles = {name: title for name, title in TITLES.items() if name != "department"}
    network = tables(tmp_path, labels=labels, columns=titles)
    result = of(network)
    homes = {"1": "Unit of 1", "8": "Unit of 1", "2": "Unit of 2", "5": "Unit of 2", "3": "Unit of 3", "6": "Unit of 3", "7": "Unit of 3"}
    assert unit_of(result) == homes  # 4 reports to «2.0», which is nobody where others report to «2»
    assert team_of(result) == {"1": "1", "8": "1", "2": "2", "5": "2", "3": "3", "6": "3", "7": "6"}
    words = " | ".join(result.notes)
    assert "people.csv: 2 people report to someone who is not among them" in words
    assert "dropped 2 of 9 people: without a manager or reports" in words
    with pytest.raises(InvalidInput, match=r"people\.csv, line 5.*a manager or reports; network\.unplaced=drop"):
        of({**network, "unplaced": "refuse"})
    forest = tables(tmp_path, labels=labels.replace("3;1\n", "3;\n"), columns=titles)
    assert set(unit_of(of(forest)).values()) == {"Unit of 1", "Unit of 3"}


def test_managers_in_a_circle_are_refused(tmp_path: Path) -> None:
    titles = {name: title for name, title in TITLES.items() if name != "department"}
    with pytest.raises(InvalidInput, match=r"people\.csv, line 3: 'a circle'"):
        of(tables(tmp_path, labels="ID;ReportsToID\n1;\n2;4\n3;2\n4;3\n5;1\n", columns=titles))


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "None", "<NA>"])
@pytest.mark.fault("files", "people whose department is missing, as software writes it", "refused, or dropped and counted on request")
def test_a_missing_department_is_no_unit(tmp_path: Path, missing: str) -> None:
    labels = f"employee,department\n1,1.0\n2,1.0\n3,{missing}\n4,2.0\n"
    network = tables(tmp_path, "source,target\n1,2\n2,3\n1,4\n", labels, {})
    result = of(network)
    assert result.unit_names == ["Department 1", "Department 2"] and tied(result) == {frozenset("12"), frozenset("14")}
    assert any("dropped 1 of 4 people: without a department" in note for note in result.notes)
    assert any("dropped 1 of 3 ties, of 1 people" in note for note in result.notes)
    with pytest.raises(InvalidInput, match=r"people\.csv, line 4.*a department; network\.unplaced=drop"):
        of({**network, "unplaced": "refuse"})


@pytest.mark.parametrize(
    "edges, labels, columns, words",
    [
        (LOG, PEOPLE, {**TITLES, "source": "From"}, ("network.columns.source: 'From'",)),
        (LOG, PEOPLE, {**TITLES, "manager": "Boss"}, ("network.columns.manager: 'Boss'",)),
        (LOG, PEOPLE, {"employee": "ID", "department": "Dept"}, ("log.csv, line 1", "network.columns={source: …}")),
        (LOG, "employee,rank\n1,2\n", {}, ("people.csv, line 1", "departments or managers")),
        (LOG, PEOPLE + "1;Sales;\n", TITLES, ("people.csv, line 8: '1'", "line 2")),
        (LOG, PEOPLE + ";Sales;\n", TITLES, ("people.csv, line 8, column ID",)),
        ("582 364 0\n168 472 2797\n", "employee,department\n582,X\n", {}, ("log.csv, line 1", "a column «source»")),
        (LOG, PEOPLE + "01;Sales;\n1\u200b;Plant;\n", TITLES, ("people.csv, line 9", "nobody sees")),
    ],
)
@pytest.mark.fault("files", "tables of ties and people that cannot be used", "refused with file and line, or the setting")
def test_tables_that_cannot_be_used(tmp_path: Path, edges: str, labels: str, columns: dict, words: tuple) -> None:
    with pytest.raises(InvalidInput) as refused:
        of(tables(tmp_path, edges, labels, columns))
    assert all(word in str(refused.value) for word in words), refused.value


def test_columns_are_a_mapping_of_known_names(tmp_path: Path) -> None:
    for columns in ({"sender": "Sender"}, {"source": 3}, {"source": ""}, "source", ["source"]):
        with pytest.raises(InvalidInput, match=r"network\.columns.*titles by name"):
            of(tables(tmp_path, columns=columns))  # type: ignore[arg-type]
    model = RolloutModel(network=tables(tmp_path), weeks=2, rng=1)
    assert resolve({"network": {"columns": list(model.parameters.network.columns)}}, {}).network.columns == tuple(sorted(TITLES.items()))


def test_a_log_of_eighty_thousand_messages(tmp_path: Path) -> None:
    """Every pair that wrote, once, at the size of a company's year of mail."""
    generator = np.random.Generator(np.random.PCG64(8))
    ends = generator.integers(1, 301, (80_000, 2))
    log = "Sender,Recipient,At\n" + "".join(f"{a},{b},2010-05-{1 + k % 28:02}\n" for k, (a, b) in enumerate(ends.tolist()))
    people = "ID,Dept\n" + "".join(f"{i},D{i % 9}\n" for i in range(1, 301))
    titles = {name: title for name, title in TITLES.items() if name != "manager"}
    assert tied(of(tables(tmp_path, log, people, titles))) == {frozenset(map(str, pair)) for pair in ends.tolist() if pair[0] != pair[1]}
