"""What holds a rollout back: every planner is accounted for, and what is blamed is what binds."""

from __future__ import annotations

import re

import pytest

from sim import RolloutModel
from sim.bottleneck import CONSTRAINTS, bottleneck
from sim.schema import InvalidInput


@pytest.mark.parametrize("maturity", ["low", "middle", "high", "homogeneous"])
@pytest.mark.parametrize("strategy", ["integration_first", "model_first", "big_bang", "governance_first"])
def test_every_planner_is_accounted_for_every_week(strategy, maturity):
    model = RolloutModel(strategy=strategy, maturity=maturity, enterprise="small", rng=2).run()
    s = model.state
    for week in range(1, 261, 13):
        found = bottleneck(s.weekly, s.unit_weekly, model.parameters, s.unit_names, s.units["users"], week)
        assert found.using + sum(found.held.values()) == pytest.approx(1, abs=1e-9)
        assert all(share >= -1e-12 for share in found.held.values()) and set(found.held) == set(CONSTRAINTS)
        assert found.constraint in {*CONSTRAINTS, "none"} and re.fullmatch(r"[A-Z][^\n]*\.", found.sentence)
        assert "nan" not in found.sentence
        framed = bottleneck(model.weekly, model.units, model.parameters, s.unit_names, s.units["users"], week)
        assert framed == found  # frames and arrays say the same


def test_what_is_taken_away_no_longer_binds():
    """It is an account; where it blames one thing clearly, giving that thing must move use."""

    def run(**given):
        model = RolloutModel(strategy="model_first", maturity="low", rng=1, **given)
        while model.week < 20:
            model.step()
        s = model.state
        return bottleneck(s.weekly, s.unit_weekly, model.parameters, s.unit_names, s.units["users"], 20)

    assert run().constraint == "gate"
    open_gate = {"strategy.gate_weeks": 1, "strategy.gate_reliance": 0.0, "strategy.gate_improvement": -1.0, "strategy.cadence": 1}
    assert run(**open_gate).held["gate"] < run().held["gate"]


def test_no_weeks_no_bottleneck():
    model = RolloutModel(enterprise="small", weeks=60, rng=1)
    s = model.state
    for week in (0, 61, -1):
        with pytest.raises(InvalidInput):
            bottleneck(s.weekly, s.unit_weekly, model.parameters, s.unit_names, s.units["users"], week)


def test_units_of_several_use_cases_in_one_table_are_refused():
    model = RolloutModel(usecases=["demand", "promotion"], strategy="big_bang", enterprise="small", weeks=5, rng=1).run()
    with pytest.raises(InvalidInput, match="those of one use case"):
        bottleneck(model.weekly, model.units, model.parameters, model.state.unit_names)
    case = model.use_cases["promotion"]
    assert bottleneck(case.weekly, case.unit_weekly, model.parameters, model.state.unit_names).week == 5
