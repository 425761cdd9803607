"""What must hold for every configuration: drawn at random, extremes included."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import RolloutModel
from sim.measures import CLASSES
from sim.parameters import BUCKETS, RECORDS
from sim.presets import available
from sim.state import LIVE, PILOT, RETIRED
from sim.streams import PEOPLE, TIES, planners_week, stream

#: Parameters that only size the enterprise, or that hang together with others.
LEFT_ALONE = ("weeks", "enterprise.", "strategy.effort", "strategy.gate_", "network.")
NUMBERS = {name: record for name, record in RECORDS.items() if record.kind in ("number", "count") and not name.startswith(LEFT_ALONE)}


@st.composite
def overrides(draw):
    """Up to a dozen parameters anywhere in their ranges, ends included."""
    chosen = draw(st.lists(st.sampled_from(sorted(NUMBERS)), max_size=12, unique=True))
    values = {}
    for name in chosen:
        record = NUMBERS[name]
        if record.kind == "count":
            values[name] = draw(st.integers(int(record.low), int(record.high)))
        else:
            values[name] = draw(st.floats(record.low, record.high, allow_subnormal=False))
    return values


@st.composite
def models(draw):
    size = {"units": draw(st.integers(1, 4)), "teams": draw(st.integers(1, 3)), "users": draw(st.integers(1, 5))}
    return RolloutModel(
        strategy=draw(st.sampled_from(available("strategy"))),
        maturity=draw(st.sampled_from(["low", "middle", "high"])),
        network=draw(st.sampled_from(["blocks", "small_world", "scale_free"])),
        enterprise=size,
        weeks=draw(st.integers(1, 120)),
        rng=draw(st.integers(0, 2**63)),
        **draw(overrides()),
    ).run()


def between(values, low=0.0, high=1.0):
    assert np.isfinite(values).all() and (values >= low).all() and (values <= high).all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(models())
def test_invariants(model):
    state, weekly, units = model.columns(), model.state.weekly, model.state.unit_weekly
    for table, names in {
        "users": ("trust", "reliance", "understanding"),
        "teams": ("fit", "norm", "share", "trust", "reliance"),
        "units": ("completeness", "mismatch", "sponsorship", "freshness", "clean", "support", "channel", "share", "visible"),
    }.items():
        for name in names:
            between(state[table][name])
    for name in ("readiness", "debt"):
        between(state["units"][name])
    between(state["firm"]["core"])
    between(state["firm"]["quality"])

    # the budget is never overspent, and nothing is spent while the initiative is stopped
    spent = sum(weekly[f"effort_{name}"] for name in (*BUCKETS, "support"))
    assert (spent <= float(state["firm"]["budget"][0]) * (1 + 1e-9)).all()
    events = model.events
    stopped = np.zeros(len(weekly) + 1, bool)
    for week, event in zip(events["week"], events["event"], strict=True):
        if event in ("stopped", "relaunched"):
            stopped[week + (event == "stopped") :] = event == "stopped"
    assert (spent[stopped[:-1]] == 0).all() and (weekly["own_effort"][stopped[:-1]] == 0).all()
    np.testing.assert_allclose(weekly["central_cost"], spent * model.parameters.value.person_week, rtol=1e-9)

    # the ledger adds up: units and centre to the week, weeks to the total
    parts = weekly["value"] - weekly["friction"] - weekly["running_cost"] - weekly["own_cost"] - weekly["central_cost"]
    np.testing.assert_allclose(weekly["net"], parts, rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(units["net"].sum(axis=1) - weekly["central_cost"], weekly["net"], rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(np.cumsum(weekly["net"]), weekly["cumulative_net"], rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(state["units"]["net"].sum() - weekly["central_cost"].sum(), model.outcome["net"], rtol=1e-9, atol=1e-3)

    # nobody plans on a forecast where none is live, or where it came too late
    dark = ~np.isin(units["stage"], (PILOT, LIVE)) | (units["on_time"] == 0)
    assert (units["users_using"][dark] == 0).all() and (units["value"][dark] == 0).all()

    # a unit that gave the forecast up takes it up again with a new leader only; one pilot at most
    retired = units["stage"] == RETIRED
    again = events["event"].isin(["taken up again", "relaunched"]).sum()
    assert (retired[:-1] & ~retired[1:]).any(axis=1).sum() <= again
    assert ((units["stage"] == PILOT).sum(axis=1) <= 1).all()

    outcome = model.outcome
    assert outcome["outcome"] in CLASSES and outcome["reason"]
    for key, value in outcome.items():
        assert value is None or isinstance(value, str | bool | int) or math.isfinite(value), key


def test_where_the_forecast_is_given_up_the_habit_fades():
    given = {"strategy.initiative_reviews": 1, "strategy.initiative_floor": 1, "review.relaunch": 1}
    model = RolloutModel(strategy="big_bang", maturity="low", rng=7, **given).run()
    assert model.outcome["outcome"] == "abandoned"
    weeks_since = 260 - int(model.columns()["firm"]["stopped_week"][0])
    assert weeks_since > 50 and model.outcome["final_reliance"] < (1 - model.parameters.habit.pace) ** weeks_since + 1e-12


def test_no_budget_means_that_nothing_happens_and_the_outcome_says_so(tiny):
    model = tiny(**{"maturity.budget": 0}).run()
    assert model.outcome["outcome"] == "never_launched" and "no budget" in model.outcome["reason"]
    assert (model.weekly["users_using"] == 0).all() and model.outcome["effort"] == 0 and model.outcome["net"] == 0
    assert not model.events["event"].isin(["pilot started", "went live", "stopped"]).any()


def test_one_planner_is_an_enterprise_too():
    model = RolloutModel(enterprise={"units": 1, "teams": 1, "users": 1}, weeks=60, rng=1).run()
    assert model.network.number_of_edges() == 0
    assert model.outcome["users"] == 1


def test_undefined_measures_are_none_not_zero(tiny):
    outcome = tiny(strategy="no_platform", weeks=20).run().outcome
    assert outcome["net_104"] is None and outcome["gate_week"] is None and outcome["weeks_to_50"] is None
    assert outcome["retrofit_share"] is None and outcome["survived_three_years"] is None


def test_a_strategy_changes_nobody_s_start_and_no_luck(tiny):
    a, b = tiny(strategy="integration_first"), tiny(strategy="model_first")
    for table in ("teams", "users"):
        assert a.columns()[table].tobytes() == b.columns()[table].tobytes()
    assert a.state.peers.tobytes() == b.state.peers.tobytes()
    assert a.state.keys.tobytes() == b.state.keys.tobytes()
    a.run(), b.run()
    assert a.outcome["net"] != b.outcome["net"]


def test_people_who_leave_are_the_same_under_every_strategy(tiny):
    a, b = (tiny(strategy=s, weeks=80).run().columns()["users"]["disposition"] for s in ("integration_first", "big_bang"))
    assert (a == b).all() and (a != tiny().columns()["users"]["disposition"]).any()


def test_one_more_unit_changes_no_other_unit():
    few, many = (RolloutModel(enterprise={"units": n, "teams": 3, "users": 4}, rng=3, weeks=4) for n in (4, 5))
    rows = slice(0, 4 * 3 * 4)
    assert few.columns()["users"].tobytes() == many.columns()["users"][rows].tobytes()
    for name in ("completeness", "lateness", "mismatch", "overrun", "spend"):
        assert (few.columns()["units"][name] == many.columns()["units"][name][:4]).all()
    for small, large in zip(*(planners_week(*m.state.unit_users(), 2, m.state.keys) for m in (few, many)), strict=True):
        assert (small == large[rows]).all()


def test_streams_hang_on_seed_purpose_and_name_only():
    def first(*key):
        return stream(*key).random()

    assert first(1, TIES, "Brazil") == first(1, TIES, "Brazil")
    others = {first(1, TIES, "Brazil"), first(2, TIES, "Brazil"), first(1, PEOPLE, "Brazil"), first(1, TIES, "India"), first(1, TIES)}
    assert len(others) == 5


@pytest.mark.parametrize("engine", ["compiled", "textbook"])
def test_staff_turnover_is_what_the_parameter_says(engine):
    """Newcomers per year against the Poisson expectation, within five standard deviations."""
    model = RolloutModel(enterprise="small", rng=2, weeks=260, engine=engine, **{"people.turnover": 0.5})
    start = model.columns()["users"]["disposition"].copy()
    model.run()
    stayed = (model.columns()["users"]["disposition"] == start).mean()
    expected = (1 - 0.5 / 52) ** 260
    assert abs(stayed - expected) < 5 * math.sqrt(expected * (1 - expected) / len(start))
