"""The sessions of the live page, and the levers, without a browser."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import zipfile
from operator import attrgetter

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments.lab import config as entry
from sim import RolloutModel, presets
from sim import population as populations
from sim.configuration import resolve
from sim.play import session as sessions
from sim.play.levers import FILES, LEVERS, enterprises, networks
from sim.play.session import EFFORT, Scenario, Session, own
from sim.schema import InvalidInput

SMALL = Scenario(enterprise="small", weeks=60, population="article")


@pytest.fixture
def session():
    return Session(SMALL)


def fingerprint(session):
    """Everything that a visitor sees, as text."""
    view = session.view()
    return repr({k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in view.items() if k not in ("crowd", "strategies")}) + repr(
        [(s["sentence"], {k: v.tolist() for k, v in s["curves"].items()}) for s in view["strategies"]]
    )


def test_it_shows_the_very_runs_that_the_command_line_makes(session):
    session.go(60)
    for name, shown in zip(SMALL.strategies, session.view()["strategies"], strict=True):
        alone = RolloutModel(strategy=name, maturity="middle", enterprise="small", weeks=60, rng=SMALL.seed).run()
        np.testing.assert_array_equal(shown["curves"]["reliance"], alone.weekly["reliance"])
        np.testing.assert_array_equal(shown["curves"]["cumulative_net"], alone.weekly["cumulative_net"])
        assert session.models[SMALL.strategies.index(name)].outcome == alone.outcome


def test_going_back_shows_what_was_there(session):
    session.step(20)
    there = fingerprint(session)
    session.go(50)
    assert fingerprint(session) != there
    session.go(20)
    assert fingerprint(session) == there


def test_a_lever_keeps_week_and_luck_and_moves_only_its_own_model(session):
    session.go(40)
    before = fingerprint(session)
    session.change(levers={"trust.loss": 0.4})
    assert session.week == 40 and session.models[0].parameters.trust.loss == 0.4 and fingerprint(session) != before
    session.change(levers={})
    assert fingerprint(session) == before


def test_two_sessions_share_nothing(session):
    other = Session(SMALL)
    before = fingerprint(other)
    session.change(levers={"maturity.budget": 4.0}, seed=9)
    session.go(30)
    assert fingerprint(other) == before and other.week == 0


@pytest.mark.parametrize("strategies", [["balanced"], ["business_led", "big_bang", "adaptive", "model_first"]])
def test_one_to_four_strategies_stand_side_by_side(strategies):
    session = Session(Scenario(enterprise="small", weeks=30, strategies=tuple(strategies)))
    session.go(30)
    assert [s["name"] for s in session.view()["strategies"]] == strategies and session.shown == strategies[0]


HOSTILE = [
    ("change", {"strategies": []}),
    ("change", {"strategies": ["model_first"] * 2}),
    ("change", {"strategies": ["../../etc/passwd"]}),
    ("change", {"strategies": ["integration_first", "model_first", "balanced", "big_bang", "adaptive"]}),
    ("change", {"strategies": "model_first"}),
    ("change", {"strategies": [None]}),
    ("change", {"enterprise": "from_files"}),
    ("change", {"enterprise": "<script>alert(1)</script>"}),
    ("change", {"network": "edges"}),
    ("change", {"maturity": 3}),
    ("change", {"population": "mine"}),
    ("change", {"population": ["calibrated"]}),
    ("change", {"population": "../calibrated"}),
    ("change", {"maturity": ["low"]}),
    ("change", {"seed": -1}),
    ("change", {"seed": 2**70}),
    ("change", {"seed": float("nan")}),
    ("change", {"seed": True}),
    ("change", {"seed": "1"}),
    ("change", {"weeks": 10**9}),
    ("change", {"weeks": 0}),
    ("change", {"levers": {"trust.loss": float("nan")}}),
    ("change", {"levers": {"trust.loss": float("inf")}}),
    ("change", {"levers": {"trust.loss": "0.1"}}),
    ("change", {"levers": {"trust.loss": [0.1]}}),
    ("change", {"levers": {"trust.loss": 0.9}}),
    ("change", {"levers": {"enterprise.units": 10**7}}),
    ("change", {"levers": {"enterprise.units": 3.5}}),
    ("change", {"levers": {"network.edges": "/etc/passwd"}}),
    ("change", {"levers": {7: 1}}),
    ("change", {"levers": None}),
    ("change", {"models": []}),
    ("go", -1),
    ("go", 61),
    ("go", 3.5),
    ("go", None),
    ("step", 0),
    ("step", "5"),
    ("look", {"shown": "balanced"}),
    ("look", {"shown": ["model_first"]}),
    ("look", {"opened": 99}),
    ("look", {"opened": -2}),
    ("look", {"opened": "0"}),
]  # fmt: skip


@pytest.mark.fault("files", "what a browser sends to the live page", "one line in the page, nothing changes")
@pytest.mark.parametrize(("act", "given"), HOSTILE, ids=[f"{act} {str(given)[:40]}" for act, given in HOSTILE])
def test_what_a_browser_cannot_mean_is_refused_and_changes_nothing(session, act, given):
    session.go(10)
    before = fingerprint(session)
    with pytest.raises(InvalidInput) as refused:
        getattr(session, act)(**given) if isinstance(given, dict) else getattr(session, act)(given)
    assert len(str(refused.value).splitlines()) == 1 and len(str(refused.value)) < 600
    assert fingerprint(session) == before


def test_a_whole_number_of_a_browser_is_a_whole_number(session):
    session.change(seed=4.0, levers={"enterprise.units": 3.0, "strategy.cadence": 6.0})
    assert session.scenario.seed == 4 and len(session.view()["stage"]) == 3
    assert isinstance(session.scenario.seed, int) and isinstance(session.scenario.levers["enterprise.units"], int)


def test_levers_are_parameters_with_a_unit_and_a_source():
    session = Session(Scenario(population="article"))
    for name, lever in LEVERS.items():
        value = session.configured()[name]
        assert lever.low <= value <= lever.high, name
        assert lever.record.unit in lever.help and lever.record.source in lever.help.lower(), name
        assert lever.checked(lever.low) == lever.low and lever.checked(lever.high) == lever.high, name


def test_nothing_is_offered_that_reads_files():
    assert "from_files" not in enterprises() and not {"edges", "graph"} & set(networks())
    assert {"article", "small"} <= set(enterprises()) and "blocks" in networks()


def compared(call, monkeypatch, tmp_path, text):
    """Runs of a comparison of a scenario that was saved."""
    shutil.copytree(presets.CONFIGS, tmp_path / "configs")
    (tmp_path / "configs" / "experiment" / "mine.yaml").write_text(text)
    for module in (presets, entry):
        monkeypatch.setattr(module, "CONFIGS", tmp_path / "configs")
    monkeypatch.setattr("conftest.on_one", lambda _, arguments: [*arguments])  # the scenario names its population
    code, _, err = call("compare", "experiment=mine", "replications=2", "executor=serial", "output=compared")
    assert code == 0, err
    return pd.read_parquet(tmp_path / "compared" / "runs")


@pytest.mark.parametrize("population", ["article", "calibrated"])
def test_a_saved_scenario_is_the_same_run_and_a_comparison(call, tmp_path, monkeypatch, population):
    session = Session(
        Scenario(
            enterprise="small",
            weeks=60,
            strategies=("model_first", "balanced"),
            maturity="low",
            population=population,
            seed=3,
            levers={"maturity.budget": 2.5, "trust.loss": 0.2},
        )
    )
    session.go(60)
    text = session.scenario.as_yaml()
    assert yaml.safe_load(text)["usecases"] == ["demand"] and {"override /population": population} in yaml.safe_load(text)["defaults"]
    assert text == session.scenario.as_yaml() and yaml.safe_load(text)["changes"] == {"trust.loss": 0.2, "maturity.budget": 2.5}
    line = re.search(r"#   uv run python -m experiments\.run (.*)", text)[1]
    assert call("run", *shlex.split(line), "output=run")[0] == 0
    assert json.loads((tmp_path / "run" / "outcome.json").read_text())["net"] == session.models[0].outcome["net"]
    runs = compared(call, monkeypatch, tmp_path, text)
    assert runs[(runs["seed"] == 3) & (runs["strategy"] == "model_first")]["net"].item() == session.models[0].outcome["net"]


def test_an_organisation_of_the_population_is_the_same_under_every_strategy_and_keeps_what_was_moved():
    session = Session(Scenario(enterprise="small", weeks=40, seed=7))
    whose, apart = session.view()["organisation"]
    assert whose == "Organisation 7 of the calibrated population, middle maturity" and apart.endswith("weeks or longer")
    kept = populations.read("calibrated", presets.load("population", "calibrated"))
    own = kept.organisation(7, resolve({"enterprise": "small"}, {"weeks": 40}))
    for model in session.models:
        assert {name: attrgetter(name)(model.parameters) for name in own} == own
    assert session.configured()["maturity.budget"] == own["maturity.budget"]  # where the slider stands
    session.change(levers={"maturity.budget": 2.0})
    moved = [model.parameters for model in session.models]
    assert all(p.maturity.budget == 2 and p.maturity.fit == own["maturity.fit"] for p in moved)
    session.change(seed=8, levers={})
    assert (
        session.view()["organisation"][0].startswith("Organisation 8 ")
        and session.configured()["maturity.budget"] != own["maturity.budget"]
    )
    session.change(population="article")
    assert session.view()["organisation"] == ("One exact organisation, as configured", "")
    assert session.models[0].parameters == resolve({"enterprise": "small"}, {"weeks": 40})


# --------------------------------------------------------------------------- an organisation of one's own


def edit(path, was, becomes):
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes))


def test_an_organisation_of_ones_own_is_the_run_of_the_command_line_and_is_saved_so(call, company, tmp_path, monkeypatch):
    session = Session(own(company))
    session.change(levers={"maturity.budget": 2.5}, seed=3, weeks=60)
    session.go(60)
    assert session.view()["planners"] == 256 and "Mexico" in session.sizes.names
    whose, apart = session.view()["organisation"]
    assert whose == "Organisation 3 of the population «mine», middle maturity"
    assert apart == ""  # what its files give is not what is drawn, and it pilots as its strategy says
    text = session.scenario.as_yaml()
    assert call("run", *shlex.split(re.search(r"#   uv run python -m experiments\.run (.*)", text)[1]), "output=run")[0] == 0
    assert json.loads((tmp_path / "run" / "outcome.json").read_text())["net"] == session.models[0].outcome["net"]
    runs = compared(call, monkeypatch, tmp_path, text)
    assert runs[(runs["seed"] == 3) & (runs["strategy"] == "model_first")]["net"].item() == session.models[1].outcome["net"]


def test_what_the_files_give_is_shown_and_what_they_do_not_can_be_moved(company, tmp_path):
    session = Session(own(company))
    units = pd.read_csv(tmp_path / company / "units.csv")
    given = {"maturity.completeness": units["completeness"].mean(), "maturity.lateness": units["lateness"].mean()}
    given["maturity.fit"] = pd.read_csv(tmp_path / company / "teams.csv")["fit"].mean()
    assert session.view()["given"] == pytest.approx({"enterprise.units": 4, "network": 1, **given})
    session.go(30)
    before = fingerprint(session)
    with pytest.raises(InvalidInput, match="the units of the files"):
        session.change(levers={"enterprise.units": 20})
    assert fingerprint(session) == before
    session.change(enterprise="small")
    session.change(levers={"enterprise.units": 3, "trust.loss": 0.2})
    assert session.view()["given"] == {} and len(session.sizes.names) == 3
    session.change(enterprise=FILES)  # and back
    assert len(session.sizes.names) == 4 and dict(session.scenario.levers) == {"trust.loss": 0.2}
    (tmp_path / company / "ties.csv").unlink()
    units.assign(completeness=[None, *units["completeness"][1:]]).to_csv(tmp_path / company / "units.csv", index=False)
    session.change(seed=2)
    assert sorted(session.view()["given"]) == ["enterprise.units", "maturity.fit", "maturity.lateness"]


@pytest.mark.fault(
    "files", "a folder of a visitor's choice, or files that break while the page is open", "one line in the page, nothing changes"
)
def test_visitors_choose_no_folder_and_files_that_break_change_nothing(company, tmp_path, monkeypatch):
    session = Session(own(company))
    assert sessions.notes(session.scenario) == session.model.state.notes
    session.go(20)
    before = fingerprint(session)
    with pytest.raises(InvalidInput, match="folder: '/etc' is not allowed"):
        session.change(folder="/etc")
    edit(tmp_path / company / "teams.csv", "Brazil 1,Brazil,", "Brazil 1,Atlantis,")
    with pytest.raises(InvalidInput, match=r"teams.csv, line 2, column unit: 'Atlantis'"):
        session.change(seed=2)
    edit(tmp_path / company / "teams.csv", "Brazil 1,Atlantis,", "Brazil 1,Brazil,")
    monkeypatch.setattr(sessions, "MOST_PLANNERS", 255)
    for refused in (lambda: session.go(1), lambda: own(company)):
        with pytest.raises(InvalidInput, match="256 planners' is not allowed"):
            refused()
    assert fingerprint(session) == before


def test_an_export_holds_the_tables_and_is_the_same_bytes_again(session):
    with pytest.raises(InvalidInput):
        session.export()
    session.go(25)
    archive = zipfile.ZipFile(io.BytesIO(session.export()))
    weekly = pd.read_csv(archive.open("model_first/weekly.csv"))
    assert len(weekly) == 25 and weekly["reliance"].to_list() == session.models[1].weekly["reliance"].to_list()
    assert {f"{s}/{t}" for s in SMALL.strategies for t in ("weekly.csv", "units.csv", "events.csv", "outcome.json")} < set(
        archive.namelist()
    )
    again = Session(SMALL)
    again.go(25)
    assert again.export() == session.export()


def test_effort_and_readiness_are_those_of_the_strategy_shown(session):
    session.go(60)
    session.look(shown="model_first")
    view, model = session.view(), session.models[1]
    for name in EFFORT:
        np.testing.assert_array_equal(view["effort"][name], model.weekly[f"effort_{name}"])
    np.testing.assert_array_equal(view["readiness"], model.state.units["readiness"])
    weights = model.state.units["users"] / len(model.state.users)
    assert (view["reliance"] * weights).sum() == pytest.approx(model.weekly["reliance"].iloc[-1])
