"""The four files written: an example, and from a table of staff; what is written is read again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_organisation import ROOT, from_folder, read, textbook, tied, unit_of

from experiments import template as command
from sim.organisation.files import COLUMNS
from sim.organisation.template import columns_table, from_staff, template, write_new
from sim.schema import InvalidInput


def test_template_comes_back_as_the_enterprise_it_shows(tmp_path: Path) -> None:
    written = template(tmp_path / "new" / "company")
    assert [path.name for path in written] == ["units.csv", "teams.csv", "users.csv", "ties.csv", "README.md"]
    shown = textbook(strategy="model_first", **{"enterprise.units": 4}).state
    model = textbook(enterprise=from_folder(written[0].parent), strategy="model_first")
    for table in ("units", "teams", "users"):
        theirs, ours = getattr(shown, table), getattr(model.state, table)
        for column in theirs.dtype.names:
            # four digits are written; clean and log_own_error follow from what is written
            np.testing.assert_allclose(ours[column], theirs[column], rtol=2e-3, atol=1e-3, err_msg=f"{table}.{column}")
    assert model.state.unit_names == shown.unit_names
    np.testing.assert_array_equal(model.state.peers, shown.peers)
    np.testing.assert_array_equal(model.state.peers_first, shown.peers_first)
    model.run()
    assert model.week == 3 and model.state.notes == []


def test_template_documents_every_column(tmp_path: Path) -> None:
    readme = template(tmp_path)[-1].read_text(encoding="utf-8")
    for table, columns in COLUMNS.items():
        header = (tmp_path / f"{table}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == ",".join(columns)
        for name, record in columns.items():
            assert f"| {table}.csv | `{name}` | {record.unit} |" in readme
    assert columns_table() in (ROOT / "docs" / "organisation.md").read_text(encoding="utf-8")


def test_template_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "ties.csv").write_text("mine")
    with pytest.raises(InvalidInput, match=r"^folder: .*without ties\.csv, which is there: nothing is overwritten"):
        template(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["ties.csv"]
    assert (tmp_path / "ties.csv").read_text() == "mine"


def test_template_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Full", (), {"write": lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))})()
    opened = Path.open

    def third_fails(path: Path, *arguments: object, **more: object) -> object:
        file = opened(path, *arguments, **more)  # type: ignore[call-overload]
        if path.name == "users.csv":
            file.write = full.write
        return file

    monkeypatch.setattr(Path, "open", third_fails)
    with pytest.raises(InvalidInput, match="No space left"):
        template(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_refuses_and_says_what_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my company"
    assert command.main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert str(folder / "users.csv") in out
    assert f"uv run python -m experiments.run enterprise=from_files 'enterprise.folder={folder}'" in out
    done = subprocess.run(
        [sys.executable, "-m", "experiments.template", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and "units.csv" in done.stderr


# --------------------------------------------------------------------------- from a table of staff

HR = """Nr;Name;Dept;Boss;Status;Tenure
17.0;Ann;Sales;3.0;Active;4,5
4.0;Bob;Sales;17.0;Active;
9.0;Cid;Sales;17.0;Left;2
3.0;Dan;Board;;Active;20
8.0;Eve;;3.0;Active;1
12.0;Fay;Plant;3.0;On leave;7
6.0;Gus;Sales;4.0;Active;0,5
"""
TITLES = {"employee": "Nr", "department": "Dept", "manager": "Boss", "status": "Status", "years": "Tenure"}


def hr(folder: Path, text: str = HR) -> Path:
    (folder / "hr.csv").write_text(text, encoding="utf-8")
    return folder / "hr.csv"


@pytest.mark.fault("files", "a table of staff with gaps, leavers, decimal commas and 17.0 for 17", "read; what is dropped is counted")
def test_a_table_of_staff_becomes_the_four_files(tmp_path: Path) -> None:
    made = from_staff(hr(tmp_path), TITLES, ["Left"], drop=True)
    write_new(tmp_path / "company", made.files(ties=True))
    result = read(tmp_path / "company")
    assert unit_of(result) == {"17": "Sales", "4": "Sales", "6": "Sales", "3": "Board", "12": "Plant"}
    teams = dict(
        zip(result.user_names or [], [result.team_names[t] for t in result.team_of_user] if result.team_names else [], strict=True)
    )
    # Ann's manager is elsewhere: she is in the team that she leads; Gus reports to Bob, who reports to her
    assert teams == {"17": "Sales / 17", "4": "Sales / 17", "6": "Sales / 4", "3": "Board / no manager", "12": "Plant / no manager"}
    assert tied(result) == {frozenset(pair) for pair in (("17", "3"), ("4", "17"), ("12", "3"), ("6", "4"))}
    years = dict(zip(result.user_names or [], result.known["users"]["experience"].tolist(), strict=True))
    assert (years["17"], years["3"], years["6"]) == (4.5, 20, 0.5) and np.isnan(years["4"])
    words = " | ".join(made.notes)
    assert "separated by semicolons" in words and "employee is «Nr»" in words and "not used: Name" in words
    assert "dropped 1 of 7 people, who have left (Left 1)" in words and "dropped 1 of 6 people: without a department" in words
    assert "decimal comma" in words and "«.0»" in words
    readme = (tmp_path / "company" / "README.md").read_text(encoding="utf-8")
    assert all(f"- {note}\n" in readme for note in made.notes)
    assert textbook(enterprise=from_folder(tmp_path / "company")).run().week == 3


@pytest.mark.parametrize(
    "text, columns, leavers, drop, words",
    [
        (HR, TITLES, ["Left"], False, ("hr.csv, line 6, column Dept", "a department", "unplaced=drop")),
        (HR, TITLES, None, True, ("leavers: 'nothing'", "Active (5)", "Left (1)", "On leave (1)")),
        (HR, TITLES, ["Gone"], True, ("leavers: 'Gone'", "Left (1)")),
        (HR, {**TITLES, "boss": "Boss"}, ["Left"], True, ("columns.boss", "manager")),
        (HR, {**TITLES, "manager": "Bos"}, ["Left"], True, ("columns.manager: 'Bos'", "Boss")),
        (HR, {"department": "Dept"}, None, True, ("line 1", "columns={employee: …}")),
        (
            HR.replace("Status", "State"),
            {k: t for k, t in TITLES.items() if k != "status"},
            ["Left"],
            True,
            ("leavers", "a column of statuses"),
        ),
        (HR.replace("4.0;Bob", "17.0;Bob"), TITLES, ["Left"], True, ("hr.csv, line 3, column Nr: '17'", "line 2")),
        (HR.replace(";20", ";200"), TITLES, ["Left"], True, ("hr.csv, line 5, column Tenure: '200'", "0 to 60")),
        (HR.replace("Sales", ""), TITLES, ["Active", "On leave"], True, ("hr.csv: 'nobody is placed'",)),
        (HR.replace("Board", "S\u200bales"), TITLES, ["Left"], True, ("hr.csv, line 5, column Dept", "nobody sees")),
        (HR.replace("Board", "Sa\u202eles"), TITLES, ["Left"], True, ("hr.csv, line 5, column Dept", "direction")),
    ],
)
@pytest.mark.fault("files", "tables of staff that cannot be used", "refused with file and line, or the setting")
def test_tables_of_staff_that_cannot_be_used(
    tmp_path: Path, text: str, columns: dict, leavers: list | None, drop: bool, words: tuple
) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_staff(hr(tmp_path, text), columns, leavers, drop)
    assert all(word in str(refused.value) for word in words), refused.value


def test_names_of_staff_are_no_formulas(tmp_path: Path) -> None:
    made = from_staff(hr(tmp_path, "employee,department,manager\n=1+1,@sum,\n-2,@sum,=1+1\n"), {})
    write_new(tmp_path / "company", made.files(ties=True))
    assert unit_of(read(tmp_path / "company")) == {"'=1+1": "'@sum", "'-2": "'@sum"}
    for file in (tmp_path / "company").glob("*.csv"):
        assert not any(cell.startswith(("=", "@", "-")) for cell in file.read_text().replace("\n", ",").split(","))


def test_the_command_takes_a_table_of_staff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    columns = "columns={" + ", ".join(f"{name}: {title}" for name, title in TITLES.items()) + "}"
    hr(tmp_path)
    assert command.main(["from=hr.csv", columns, "leavers=[Left]", "unplaced=drop"]) == 0
    out = capsys.readouterr().out
    assert "made: 3 units, 4 teams and 5 planners" in out and "note: hr.csv: dropped 1 of 7 people" in out and "enterprise.folder=hr" in out
    assert sorted(path.name for path in Path("hr").iterdir()) == ["README.md", "teams.csv", "units.csv", "users.csv"]
    assert command.main(["mine", "from=hr.csv", columns, "leavers=[Left]", "unplaced=drop", "ties=reports"]) == 0
    assert Path("mine", "ties.csv").is_file()
    capsys.readouterr()
    for words, said in (
        (["mine", "from=hr.csv", columns, "leavers=[Left]", "unplaced=drop"], "nothing is overwritten"),
        (["from=hr.csv", columns, "leavers=Left"], "leavers: 'Left'"),
        (["from=hr.csv", columns, "unplaced=ignore"], "unplaced: 'ignore'"),
        (["from=hr.csv", "columns={employee: 3}"], "columns"),
        (["from=hr.csv", "columns={employee: Nr, employee: Name}"], "the key employee twice"),
        (["from=hr.csv", "column={employee: Nr}"], "did you mean columns"),
        (["from=hr.csv", "from=hr.csv"], "each setting once"),
        (["columns={employee: Nr}"], "from"),
        (["a", "b"], "one folder"),
    ):
        assert command.main(words) == 2
        err = capsys.readouterr().err
        assert err.startswith("error: ") and err.count("\n") == 1 and said in err, err
