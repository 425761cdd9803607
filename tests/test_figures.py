"""Figures for papers: any results folder, one or two columns, the same bytes."""

from __future__ import annotations

import json
import re

import matplotlib.image
import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments import figures
from sim.views.figures.papers import FIGURES, NARROW, WIDTHS
from sim.views.figures.portfolio import colours_of, phases, spans
from sim.views.figures.style import handed_to, save
from sim.views.figures.sweep import _each

SMALL = ["enterprise=small", "weeks=30", "executor=serial"]
#: A small results folder of each kind of picture that takes seconds to make.
MADE = {
    "run": ["run", "enterprise=small", "weeks=30"],
    "portfolio": ["run", "enterprise=small", "weeks=30", "usecases=[demand,promotion]", "strategy=big_bang"],
    "compare": ["compare", *SMALL, "replications=3", "maturities=[low,high]"],
    "sweep": ["sweep", *SMALL, "design.over=[trust.loss,strategy]", "design.ranges={strategy: [integration_first, model_first]}",
              "design.samples=8", "replications=2"],
    "phase": ["phase", *SMALL, "x=trust.loss", "y=value.worth", "levels=3", "replications=2"],
    "robust": ["robust", *SMALL, "futures=10", "replications=2", "over=[value.worth,trust.loss]"],
    "optimise": ["optimise", *SMALL, "generations=2", "trials=3", "replications=2", "test_replications=10"],
    "baselines": ["baselines", "enterprise=small", "weeks=110", "executor=serial", "seeds=3", "organisations=0"],
}  # fmt: skip


@pytest.mark.parametrize("kind", MADE)
def test_every_picture_is_set_for_a_paper(kind, call, tmp_path, capsys):
    code, _, err = call(*MADE[kind], "output=made")
    assert code == 0, err
    kind = MADE[kind][0]
    before = (tmp_path / "made" / "figure.png").read_bytes()
    for columns in (1, 2):
        code = figures.main([str(tmp_path / "made"), f"columns={columns}"])
        out, err = capsys.readouterr()
        if columns == 1 and kind not in NARROW:
            assert code == 2 and err == f"error: columns: '1' is not allowed; expected 2: the figure of {kind} is too wide for one column\n"
            assert not (tmp_path / "made" / "figures").exists()
            continue
        assert code == 0, err
        pdf, png = (tmp_path / "made" / "figures" / f"{kind}_{columns}.{suffix}" for suffix in ("pdf", "png"))
        pixels = matplotlib.image.imread(png).shape[1]
        wide = float(re.search(r"([0-9.]+) inches wide", out)[1])
        assert abs(pixels - 300 * wide) < 20 and (kind == "optimise" or wide == WIDTHS[columns])
        assert b"/FontFile2" in pdf.read_bytes() and b"CreationDate" not in pdf.read_bytes()  # letters are letters; no date
        if columns == 1 or kind not in ("run", "sweep"):  # one saves them all; that the drawing is the same again is seen where it is made
            continue
        first = [path.read_bytes() for path in (pdf, png)]
        assert figures.main([str(tmp_path / "made"), f"columns={columns}", f"output={tmp_path / 'again'}"]) == 0
        capsys.readouterr()
        assert [(tmp_path / "again" / path.name).read_bytes() for path in (pdf, png)] == first
    assert (tmp_path / "made" / "figure.png").read_bytes() == before  # the folder's own picture stays


def test_there_is_a_figure_for_every_experiment_that_makes_one():
    import experiments
    from sim.views.report import pictures

    makers = set()
    for path in (*figures.Path(experiments.__file__).parent.rglob("*.py"), figures.Path(pictures.__file__)):
        makers |= set(re.findall(r"(\w+_figure)\(", path.read_text()))
    assert makers == {figure.__name__ for figure in FIGURES.values()}


@pytest.mark.fault("files", "folders that figures cannot be made of", "one line, exit code 2, nothing written")
@pytest.mark.parametrize("what", ["nothing there", "no manifest", "not json", "a list", "unknown kind", "kind is a list", "tables missing"])
def test_other_folders_are_refused_in_one_line(what, tmp_path, capsys):
    folder = tmp_path / "made"
    if what != "nothing there":
        folder.mkdir()
    texts = {"not json": "{", "a list": "[]", "unknown kind": '{"experiment": "astrology"}', "kind is a list": '{"experiment": ["run"]}',
             "tables missing": json.dumps({"experiment": "compare"})}  # fmt: skip
    if what in texts:
        (folder / "manifest.json").write_text(texts[what])
    assert figures.main([str(folder), f"output={tmp_path / 'out'}"]) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith("error: results: ") and len(err.splitlines()) == 1
    assert not list(tmp_path.rglob("*.pdf"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["columns=3"], "columns: '3'"),
        (["columns=1", "columns=2"], "columns: '2'"),
        (["width=3"], "width: '3'"),
        (["columns"], "columns: 'columns'"),
    ],
)
def test_settings_are_checked(words, said, tmp_path, capsys):
    (tmp_path / "manifest.json").write_text('{"experiment": "run"}')
    assert figures.main([str(tmp_path), *words]) == 2
    assert capsys.readouterr().err.startswith(f"error: {said} is not allowed")


def test_the_way_of_a_use_case_is_read_off_its_units_and_events():
    stages = [
        ["waiting", "waiting"],
        ["pilot", "waiting"],
        ["live", "waiting"],
        ["live", "onboarding"],
        ["live", "live"],
        ["retired", "retired"],
    ]
    stages.append(["pilot", "waiting"])  # taken up again
    rows = [{"week": week, "stage": stage} for week, at in enumerate(stages) for stage in at]
    events = pd.DataFrame({"week": [5, 6], "event": ["stopped", "relaunched"]})
    way = phases(pd.DataFrame(rows), events)
    assert way == ["", "pilot", "roll-out", "roll-out", "rolled out", "stopped", "pilot"]
    assert list(spans(way)) == [("pilot", 1, 1), ("roll-out", 2, 2), ("rolled out", 4, 1), ("stopped", 5, 1), ("pilot", 6, 1)]
    assert phases(pd.DataFrame(rows[:0]), events) == []


def test_a_sweep_says_how_sure_the_mean_of_its_organisations_is():
    runs = pd.DataFrame({"point": [0, 0, 1, 1], "net": [0.0, 2e6, 4e6, 6e6]}).groupby("point")["net"]
    assert _each(runs, "net", "organisations") == ", each of the same 2 organisations, whose mean is sure to ±€2.0M"  # 1.96 √2 / √2
    assert _each(pd.Series([1.0, 2.0]).groupby([0, 1]), "net", "runs") == ""


def test_a_use_case_has_its_colour_whatever_stands_beside_it():
    assert colours_of(["promotion", "mine"])["promotion"] == colours_of(["demand", "promotion"])["promotion"]
    mixed = colours_of(["mine", "demand", "yours", "price", "ours", "returns"])
    assert len(set(mixed.values())) == 6 and "#000000" not in mixed.values()  # which is that of all


def test_the_picture_of_a_study_says_which_use_cases_it_is_over(tmp_path):
    taken = []
    for names in (["demand"], ["demand", "promotion"]):
        (tmp_path / "plan.json").write_text(json.dumps({"parameters": {"usecases": [{"name": name} for name in names]}}))
        figure = Figure()
        figure.suptitle("What it says")
        with handed_to(taken.append):
            save(figure, tmp_path / "figure.png")
    assert [f.get_suptitle() for f in taken] == ["What it says", "What it says\nOver 2 use cases together: demand and promotion"]
