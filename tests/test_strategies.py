"""Every strategy file keeps one contract, and management's choices do what they say."""

from __future__ import annotations

import shutil

import networkx as nx
import numpy as np
import pytest
from conftest import ALL_LIVE

from sim import InvalidInput, RolloutModel, configuration, presets
from sim.measures import CLASSES
from sim.state import WENT_LIVE

NAMED = (
    "integration_first",
    "model_first",
    "big_bang",
    "governance_first",
    "business_led",
    "balanced",
    "adaptive",
    "representative_pilot",
    "random_allocation",
    "no_platform",
)


def test_the_ten_named_strategies_are_there():
    assert set(NAMED) <= set(presets.available("strategy"))


@pytest.mark.parametrize("name", presets.available("strategy"))
class TestContract:
    def test_it_says_who_it_is(self, name):
        strategy = configuration.resolve({"strategy": name}, {}).strategy
        assert strategy.name == name and strategy.description.endswith(".")

    def test_it_runs_to_the_end_on_the_article_s_enterprise(self, name):
        model = RolloutModel(strategy=name, rng=1).run()
        assert model.outcome["outcome"] in CLASSES and len(model.weekly) == 260

    def test_it_gets_the_same_budget_as_every_other_and_returns_what_nobody_can_use(self, name):
        model, other = (RolloutModel(strategy=s, rng=1).run() for s in (name, "balanced"))
        budget = model.columns()["firm"]["budget"][0]
        assert budget == other.columns()["firm"]["budget"][0] and 0 < model.outcome["effort"] < 260 * budget

    def test_it_starts_with_one_pilot_in_the_first_week(self, name):
        events = RolloutModel(strategy=name, rng=1, weeks=3).run().events
        assert (events["event"] == "pilot started").sum() == 1 and events.iloc[0]["week"] == 0


def test_a_new_file_is_a_new_strategy(tmp_path, monkeypatch):
    shutil.copytree(presets.CONFIGS, tmp_path / "configs")
    monkeypatch.setattr(presets, "CONFIGS", tmp_path / "configs")
    text = (tmp_path / "configs/strategy/balanced.yaml").read_text()
    (tmp_path / "configs/strategy/ours.yaml").write_text(text.replace("cadence: 8", "cadence: 20"))
    assert "ours" in presets.available("strategy")
    strategy = RolloutModel(strategy="ours", enterprise="small", rng=1).parameters.strategy
    assert (strategy.name, strategy.cadence) == ("ours", 20)
    (tmp_path / "configs/strategy/ours.yaml").write_text(text.replace("cadence: 8", "cadence: 30"))
    assert RolloutModel(strategy="ours", enterprise="small", rng=1).parameters.strategy.cadence == 30
    (tmp_path / "configs/strategy/wrong.yaml").write_text(text.replace("cadence: 8", "cadense: 8"))
    with pytest.raises(InvalidInput, match=r"strategy.cadense.*strategy.cadence"):
        RolloutModel(strategy="wrong")


def test_fixed_shares_are_what_is_spent_of_what_support_leaves():
    model = RolloutModel(strategy="balanced", rng=1, weeks=10).run()
    weekly, p = model.weekly, model.parameters
    left = weekly["effort_support"].rsub(model.state.firm["budget"][0])
    np.testing.assert_allclose(weekly["effort_model"], p.strategy.effort.pilot.model * left)


def go_live_weeks(**given):
    model = RolloutModel(rng=2, **{"maturity": "high", **given}).run()
    events = model.state.events[: int(model.state.firm["events"][0])]
    return events["week"][events["kind"] == WENT_LIVE], model


def test_cadence_and_wave_pace_the_go_lives():
    weeks, _ = go_live_weeks(
        strategy="model_first",
        **{"strategy.cadence": 10, "strategy.wave": 0.09, "strategy.unit_reviews": 1000, "strategy.initiative_reviews": 1000},
    )
    assert set(np.diff(weeks)) == {10} and len(weeks) == 11
    weeks, _ = go_live_weeks(strategy="big_bang")
    assert set(np.diff(weeks)) == {0} and len(weeks) == 11


def test_a_readiness_gate_holds_units_back_until_they_are_ready():
    _, model = go_live_weeks(strategy="integration_first", **{"strategy.readiness_gate": 0.9})
    events = model.events[model.events["event"] == "went live"]
    assert len(events) and events["value"].min() >= 0.9


def test_a_listed_order_is_kept_and_unknown_names_are_refused():
    listed = ("Japan", "Brazil", "India")
    strategy = {**presets.load("strategy", "model_first"), "pilot": "named", "pilot_unit": "China", "order": "listed", "listed": listed}
    model = RolloutModel(strategy=strategy, rng=1)
    assert [model.state.unit_names[b] for b in model.state.order[:4]] == ["China", *listed]
    with pytest.raises(InvalidInput, match=r"strategy.listed.*Atlantis"):
        RolloutModel(strategy={**strategy, "listed": ["Atlantis"]}, rng=1)
    with pytest.raises(InvalidInput, match=r"strategy.pilot_unit.*Atlantis"):
        RolloutModel(strategy={**strategy, "pilot_unit": "Atlantis"}, rng=1)


def test_pilots_are_where_they_should_be():
    clean = {kind: RolloutModel(rng=1, **{"strategy.pilot": kind}) for kind in ("cleanest", "representative")}
    for kind, model in clean.items():
        values = model.state.units["clean"]
        rank = np.argsort(np.argsort(values))[int(model.state.firm["pilot"][0])]
        assert rank == {"cleanest": 11, "representative": 5}[kind]


@pytest.mark.parametrize("placement", ["random", "central", "clustered", "between"])
def test_champions_are_as_many_as_asked_and_where_asked(placement):
    model = RolloutModel(rng=1, **{"strategy.champions": 0.25, "strategy.placement": placement})
    champion = model.state.users["champion"].astype(bool)
    assert champion.reshape(12, 64).sum(axis=1).tolist() == [16] * 12
    assert (model.state.users["trust"][champion] >= model.parameters.people.champion_trust).all()
    degree = np.diff(model.state.peers_first)
    per_team = champion.reshape(96, 8).sum(axis=1)
    if placement == "central":
        assert degree[champion].mean() > degree[~champion].mean() + 1
    if placement == "between":
        paths = nx.betweenness_centrality(model.network, normalized=False)
        by_unit = np.array([paths[row] for row in range(768)]).reshape(12, 64)
        for chosen, through in zip(champion.reshape(12, 64), by_unit, strict=True):
            assert through[chosen].min() >= through[~chosen].max() * (1 - 1e-9)
    if placement == "clustered":
        assert (per_team >= 7).sum() >= 12
    else:
        assert (per_team >= 7).sum() <= 2


def test_an_adaptive_strategy_puts_effort_where_the_gap_is():
    given = {"strategy": "adaptive", "weeks": 13, "rng": 1}
    done = RolloutModel(**given, **{"maturity.readiness": 0.0}).run().state.firm["shares"][0]
    assert done.sum() == pytest.approx(1)
    assert done[1:5].min() > 0.1 > done[0]


def test_the_named_unit_pilots():
    for unit in ("China", "Nordics"):
        events = RolloutModel(rng=1, weeks=1, **{"strategy.pilot": "named", "strategy.pilot_unit": unit}).run().events
        assert events["unit"][events["event"] == "pilot started"].tolist() == [unit]


def test_listed_units_go_first_in_their_order():
    given = {**ALL_LIVE, "strategy.wave": 0.1, "strategy.pilot": "named", "strategy.pilot_unit": "Brazil", "strategy.order": "listed"}
    events = RolloutModel(rng=1, weeks=30, **given, **{"strategy.listed": ["Japan", "Canada"]}).run().events
    assert events["unit"][events["event"] == "onboarding"].tolist()[:3] == ["Japan", "Canada", "Mexico"]


def test_a_strategy_s_words_are_kept_and_change_nothing():
    a, b = (RolloutModel(rng=1, weeks=30, **{"strategy.name": text, "strategy.description": text}).run() for text in ("ours", "=1+1 é"))
    assert (b.parameters.strategy.name, b.parameters.strategy.description) == ("=1+1 é", "=1+1 é")
    assert a.outcome == b.outcome
