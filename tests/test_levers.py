"""What the article's sentences do: the declarations are of this model, the split adds up, and the command's tables follow from its runs."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

import sim.forecasting
import sim.platform
import sim.portfolio
import sim.strategy
from experiments.lab.storage import read
from experiments.levers.declarations import GROUPS, LEVERS, spared
from experiments.levers.study import coalitions, configured, settings_of, shapley
from sim.agents import BusinessUnit, Team, User
from sim.agents.user import social_influence
from sim.configuration import resolve
from sim.measures import NUMERIC
from sim.parameters import RECORDS, Parameters

PLACES = (BusinessUnit, Team, User, sim.strategy, sim.platform, sim.portfolio, sim.forecasting, sim.rules)


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_names_rules_parameters_and_measures_of_the_model(lever):
    for rule in lever.rule.split(", "):
        assert any(hasattr(place, rule) for place in PLACES) or rule == social_influence.__name__, rule
    assert set(lever.without) | set(lever.given) <= set(RECORDS) and lever.measure in NUMERIC and lever.sign in (-1, 1)
    there, gone = (configured(Parameters(), kind, lever.name)[0] for kind in ("with", "without"))
    assert there != gone


def test_names_are_their_own():
    assert len({lever.name for lever in LEVERS}) == len(LEVERS)


def test_effort_that_is_spared_goes_to_the_others():
    changes = spared("workflow")
    for phase in ("pilot", "rollout", "run"):
        shares = {name.rsplit(".", 1)[1]: share for name, share in changes.items() if f".{phase}." in name}
        assert math.isclose(sum(shares.values()), 1) and shares["workflow"] == 0 and len(shares) == 6


def test_the_groups_are_all_that_the_two_strategies_differ_in():
    a, b = (resolve({"strategy": name}, {}).strategy for name in ("integration_first", "model_first"))
    grouped = {name for group in GROUPS for name in settings_of(a, group)}
    differing = {f"strategy.{name}" for name in vars(a) if getattr(a, name) != getattr(b, name)} - {"strategy.name", "strategy.description"}
    assert {".".join(name.split(".")[:2]) for name in grouped} >= differing


def test_parts_of_the_difference_add_up_to_it():
    """Shapley's value of a sum of the groups is each one's number, and of any game the whole."""
    worth = {group: float(k + 1) for k, group in enumerate(GROUPS)}
    additive = {found: np.array([sum(worth[group] for group in found)]) for found in coalitions()}
    assert {group: part[0] for group, part in shapley(additive).items()} == pytest.approx(worth)
    rng = np.random.default_rng(1)
    game = {found: rng.normal(size=3) for found in coalitions()}
    np.testing.assert_allclose(sum(shapley(game).values()), game[tuple(GROUPS)] - game[()])


def test_the_tables_follow_from_the_runs(call, tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.levers.study.LEVERS", LEVERS[:3])
    code, out, err = call("levers", "enterprise=small", "weeks=60", "seeds=3", "executor=serial")
    assert (code, err) == (0, ""), err
    assert re.search(r"\d of 3 act as the article says", plain(out)) and "the two largest carry" in plain(out)
    folder = only(tmp_path / "results" / "levers")
    assert (folder / "figure.png").stat().st_size > 10_000
    found, parts, runs = pd.read_csv(folder / "levers.csv"), pd.read_csv(folder / "split.csv"), read(folder, "runs")
    mean = runs.groupby(["arm", "kind"])["value"].mean().unstack()
    by_hand = (mean["without"] - mean["with"])[found["lever"]]
    np.testing.assert_allclose(found["effect"], by_hand)
    whole = mean["split"]["+".join(GROUPS)] - mean["split"][""]
    assert parts["part"].sum() == pytest.approx(whole) and parts["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("seeds=1", "seeds: 1 is not allowed"),
        ("levers=3", "levers"),
        ("strategy=model_first", "strategy"),
        ("usecases=[demand,price]", "one use case"),
    ],
)
def test_bad_input_is_one_line(call, given, said):
    code, _, err = call("levers", given)
    assert code == 2 and said in err and len(err.splitlines()) == 1, err
