"""Several use cases in one enterprise: what they share, what each has of its own, and what of it is over all of them."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from conftest import ALL_LIVE

from sim import RolloutModel, engine, rule
from sim.agents import User
from sim.parameters import RECORDS
from sim.presets import available
from sim.state import LIVE, WAITING

ENGINES = ("compiled", "textbook")
ONE, TWO, THREE = ["demand"], ["demand", "promotion"], ["demand", "promotion", "replenishment"]
ALL = [*THREE, "price", "returns", "capacity"]
SMALL = {"units": 3, "teams": 2, "users": 4}
#: What the parameters say where no strategy says another.
PLAIN = {
    f"strategy.portfolio.{name}": RECORDS[f"strategy.portfolio.{name}"].default
    for name in ("at_once", "order", "start", "platform", "stop")
}
#: All begin in week 0.
AT_ONCE = {"strategy.portfolio.start": "place", "strategy.portfolio.at_once": 6}
#: The second begins once the first has passed an open gate, in week 8.
LATER = {"strategy.gate_weeks": 8, "strategy.gate_improvement": -1, "strategy.gate_reliance": 0, "strategy.portfolio.at_once": 2}
QUIET = {"disturbance.priority": 0, "disturbance.leader": 0, "disturbance.shift": 0, "people.turnover": 0}
TABLES = ("firm", "units", "teams", "users", "weekly", "unit_weekly")


def portfolio(usecases=THREE, /, cls=RolloutModel, **given):
    return cls(**{"usecases": usecases, "enterprise": SMALL, "weeks": 60, "rng": 1, **PLAIN, **given})


def bits(model):
    """What a model holds and says, of every use case: equal where two models are, bit for bit."""
    found = {}
    for name, case in model.use_cases.items():
        state = case.state
        for table in TABLES:
            rows = getattr(state, table)
            found |= {f"{name} {table} {field}": rows[field].tobytes() for field in rows.dtype.names}
    found |= {f"all {field}": model.records[field].tobytes() for field in model.records.dtype.names}
    return found | {"events": model.events.to_csv(), "outcome": model.outcome if model.week else None}


def assert_same(*models):
    first, *others = map(bits, models)
    for other in others:
        assert first.keys() == other.keys() and [name for name in first if first[name] != other[name]] == []


def begun(model):
    """Week in which each use case began, those that did, in their order."""
    weeks = {name: int(case.state.firm["begun"][0]) for name, case in model.use_cases.items()}
    return {name: week for name, week in sorted(weeks.items(), key=lambda item: item[1]) if week >= 0}


def column(model, name, table, field):
    return getattr(model.use_cases[name].state, table)[field].copy()


# --------------------------------------------------------------------------- the two engines


@pytest.mark.parametrize("strategy", available("strategy"))
@pytest.mark.parametrize("usecases", [TWO, ["promotion", "demand", "price"]], ids=len)
def test_every_strategy_gives_the_same_bits(strategy, usecases):
    """Two begin together; of three, the one that comes first is not named first, and stands on pipes of its own."""
    own = {"strategy.portfolio.order": "value_feasibility", "strategy.portfolio.platform": "isolated"}
    given = {
        **(AT_ONCE if len(usecases) == 2 else own),
        "strategy": strategy,
        "maturity": "high",
        "strategy.portfolio.stop": "failing",
        "people.turnover": 1.0,
        "weeks": 60,
    }
    assert_same(*(portfolio(usecases, engine=engine, **given).run() for engine in ENGINES))


def test_use_cases_that_follow_each_other_give_the_same_bits():
    runs = [portfolio(THREE, engine=engine, **LATER | {"people.turnover": 3.0}).run() for engine in ENGINES]
    assert_same(*runs)
    assert list(begun(runs[0]).values()) == [0, 9] and "replenishment" not in begun(runs[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_week_by_week_in_one_go_copied_and_pickled(engine):
    """The third begins after the copies were made."""
    given = {"engine": engine, **LATER, "strategy.portfolio.at_once": 3, "strategy.gate_weeks": 14}
    model = portfolio(**given)
    for _ in range(20):
        model.step()
    assert list(begun(model).values()) == [0, 15]
    twin, kept = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    while model.running:
        model.step()
    assert len(begun(model)) == 3
    assert_same(model, twin.run(), kept.run(), portfolio(**given).run())


def test_threads_give_the_same_bits(monkeypatch):
    given = {**LATER, "people.turnover": 3.0}
    alone = portfolio(**given).run()
    monkeypatch.setattr(engine, "SHARED", 0)
    for cores in (2, 3):
        monkeypatch.setattr(engine.os, "cpu_count", lambda cores=cores: cores)
        assert_same(alone, portfolio(**given).run())


def test_a_run_may_be_watched_in_pieces(monkeypatch):
    monkeypatch.setattr(engine, "AT_ONCE", 24 * 7)
    watched: list[int] = []
    model = portfolio(**LATER).run(watched.append)
    assert watched == sorted(set(watched)) and watched[-1] == 60 and len(watched) > 8
    monkeypatch.undo()
    assert_same(model, portfolio(**LATER).run())


@pytest.mark.parametrize("engine", ENGINES)
def test_one_week(engine):
    model = portfolio(weeks=1, engine=engine, **AT_ONCE).run()
    assert model.outcome["use_cases_begun"] == 3 and not model.running and len(model.records) == 1


class Stubborn(User):
    """Somebody whose trust never moves."""

    @rule
    def learn(user, team, unit, seen, z, p):
        pass


class OfStubborn(RolloutModel):
    agent_classes = {**RolloutModel.agent_classes, User: Stubborn}


def test_a_rule_overridden_is_overridden_in_every_use_case():
    runs = [portfolio(TWO, cls=OfStubborn, engine=engine, weeks=20, **AT_ONCE | QUIET | {"sharing.trust": 0}).run() for engine in ENGINES]
    assert_same(*runs)
    start = portfolio(TWO, **AT_ONCE | QUIET)
    for name in TWO:
        assert column(runs[0], name, "users", "trust").tobytes() == column(start, name, "users", "trust").tobytes()
    plain = portfolio(TWO, weeks=20, **AT_ONCE | QUIET | {"sharing.trust": 0}).run()
    assert column(plain, "promotion", "users", "trust").tobytes() != column(start, "promotion", "users", "trust").tobytes()


# --------------------------------------------------------------------------- with one use case


def test_with_one_use_case_nothing_of_a_portfolio_acts():
    plain = RolloutModel(enterprise=SMALL, weeks=110, rng=1, maturity="high").run()
    assert "usecase" not in plain.events and "usecase" not in plain.units
    others = {
        "sharing.attention": 1, "sharing.trust": 1, "sharing.backing": 1, "strategy.portfolio.at_once": 1, "strategy.portfolio.order": "random",
        "strategy.portfolio.start": "rolled_out", "strategy.portfolio.platform": "isolated", "strategy.portfolio.stop": "failing",
    }  # fmt: skip
    for given in ({}, others):
        assert_same(plain, portfolio(ONE, weeks=110, maturity="high", **given).run())
    assert (plain.records == plain.state.weekly).all()


# --------------------------------------------------------------------------- what is shared


def test_the_core_and_what_is_common_are_there_for_who_comes_next_and_not_where_each_builds_its_own():
    """Returns need less than promotions, so that their full readiness covers a part only."""
    given = {**LATER, "strategy.gate_weeks": 30, "weeks": 32, "maturity.readiness": 0.4}
    shared, own = (portfolio(["returns", "promotion"], **given | {"strategy.portfolio.platform": p}) for p in ("shared", "isolated"))
    for model in (shared, own):
        model.run_for(31)
        assert begun(model) == {"returns": 0, "promotion": 31}
    core = column(shared, "returns", "firm", "core")
    assert (core > shared.parameters.maturity.core).any()
    assert (column(shared, "promotion", "firm", "core") == core).all()
    assert (column(own, "promotion", "firm", "core") == own.parameters.maturity.core).all()
    covers = np.array([0.6, 0.4, 0.4, 0.3]) / [1.0, 0.8, 1.0, 0.8]
    found = np.minimum(0.5, column(shared, "returns", "units", "readiness") * covers)  # half of what promotions need is common
    assert (found > 0.4).any() and (found < 0.4).any()
    assert (column(shared, "promotion", "units", "readiness") == np.maximum(0.4, found)).all()
    assert (column(own, "promotion", "units", "readiness") == 0.4).all()


def test_both_build_one_core_or_two():
    shared, own = (portfolio(TWO, **AT_ONCE | {"strategy.portfolio.platform": p}).run() for p in ("shared", "isolated"))
    assert (column(shared, "promotion", "firm", "core") == column(shared, "demand", "firm", "core")).all()
    assert (column(own, "promotion", "firm", "core") != column(own, "demand", "firm", "core")).any()
    for name in TWO:
        assert column(shared, name, "firm", "core").sum() > column(own, name, "firm", "core").sum()


def test_the_central_team_is_divided_and_what_one_leaves_goes_to_the_next():
    spared = 0.0
    model = portfolio(**AT_ONCE | ALL_LIVE | {"maturity.readiness": 1, "maturity.core": 1, "maturity.budget": 20, "forecast.start": 1})
    for _ in range(30):
        model.step()
        firms = [model.use_cases[name].firm for name in THREE]
        spent = [sum(firm.effort) for firm in firms]
        assert sum(firm.portion for firm in firms) == pytest.approx(1)
        assert sum(spent) <= firms[0].budget + 1e-9
        assert firms[0].spare == 0
        for before, after, effort in zip(firms, firms[1:], spent, strict=False):
            assert after.spare == pytest.approx(max(0.0, before.capacity - effort))
            spared = max(spared, after.spare)
    assert spared > 1  # the platform stands: there is something to leave
    assert model.records["central_cost"][-1] == pytest.approx(sum(spent) * model.parameters.value.person_week)


def test_a_use_case_with_more_units_at_work_gets_more_of_the_team():
    model = portfolio(TWO, **LATER | {"strategy.wave": 1}).run()
    early, late = (model.use_cases[name].firm.portion for name in TWO)
    stages = [column(model, name, "units", "stage") for name in TWO]
    at_work = [int(((stage != WAITING) & (stage <= LIVE)).sum()) for stage in stages]
    assert [early, late] == [count / sum(at_work) for count in at_work]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_new_at_the_same_time_divides_the_leaders_attention(engine):
    divided, whole = (portfolio(TWO, engine=engine, **AT_ONCE | QUIET | {"sharing.attention": a}) for a in (0.5, 0))
    for model in (divided, whole):
        model.run_for(10)
    pilot = int(column(divided, "demand", "firm", "pilot")[0])
    for name in TWO:
        assert column(divided, name, "units", "attention")[pilot] == 0.75 and column(whole, name, "units", "attention")[pilot] == 1
        assert column(divided, name, "units", "attention").sum() == 0.75 + 2  # who waits has nothing to divide
        assert column(divided, name, "units", "sponsorship")[pilot] < column(whole, name, "units", "sponsorship")[pilot]
        assert divided.use_cases[name].firm.attention == 0.75 and divided.use_cases[name].firm.sponsorship < whole.firm.sponsorship


def test_what_a_team_changes_for_one_use_case_is_load_in_the_others():
    model = portfolio(**AT_ONCE | QUIET | {"team.hurdle": 0, "strategy.wave": 1} | ALL_LIVE)
    model.run_for(5)
    for _ in range(5):
        changing = {name: column(model, name, "teams", "own_load") for name in THREE}
        model.step()
        for name in THREE:
            elsewhere = sum(load for other, load in changing.items() if other != name)
            load = column(model, name, "teams", "load")
            np.testing.assert_allclose(load, elsewhere + column(model, name, "teams", "own_load"), atol=1e-12)
            assert (elsewhere > 0).any()
    alone = portfolio(ONE, **QUIET | {"team.hurdle": 0, "strategy.wave": 1} | ALL_LIVE)
    alone.run_for(5)
    assert (column(alone, "demand", "teams", "elsewhere") == 0).all()


def met(engine, sharing, trust, known=1.0):
    """Trust of the pilot's planners in promotions a week after they met it, where they think so of demand forecasting."""
    model = portfolio(TWO, engine=engine, **LATER | QUIET | {"sharing.trust": sharing})
    model.run_for(9)
    assert begun(model) == {"demand": 0, "promotion": 9}
    for user in model.agents_by_type[User]:
        user.trust, user.understanding = trust, known
    before = column(model, "promotion", "users", "trust")
    model.step()
    state = model.use_cases["promotion"].state
    pilot = state.units[int(state.firm["pilot"][0])]
    planners = slice(int(state.teams["first"][pilot["first"]]), int(state.teams["last"][pilot["last"] - 1]))
    untouched = np.ones(len(before), bool)
    untouched[planners] = False
    assert (state.users["trust"][untouched] == before[untouched]).all()  # who has not met it thinks what he thought
    return state.users["trust"][planners]


@pytest.mark.parametrize("engine", ENGINES)
def test_trust_carries_over_at_the_first_contact_good_and_bad(engine):
    none = met(engine, 0, 0.95)
    assert (none == met(engine, 0, 0.05)).all()
    good, bad = met(engine, 0.5, 0.95), met(engine, 0.5, 0.05)
    assert (good > none).all() and (bad < none).all()
    assert (met(engine, 0.9, 0.95) > good).all()
    assert (met(engine, 0.5, 0.95, known=0.0) == none).all()  # what nobody knows carries nothing


def backed(sharing, sponsorship):
    """Backing of promotions by leaders and executive as it begins, where they back demand forecasting so."""
    model = portfolio(TWO, **LATER | QUIET | {"sharing.backing": sharing})
    model.run_for(8)
    for carrier in (*model.use_cases["demand"].units, model.firm):
        carrier.sponsorship = carrier.commitment = sponsorship
    model.step()
    state = model.use_cases["promotion"].state
    assert state.firm["begun"][0] == 9 and (state.units["commitment"] == state.units["sponsorship"]).all()
    return np.append(state.units["commitment"], state.firm["commitment"])


def test_backing_carries_over_as_a_use_case_begins_good_and_bad():
    none = backed(0, 0.95)
    assert (none == backed(0, 0.05)).all()
    assert (backed(0.5, 0.95) > none).all() and (backed(0.5, 0.05) < none).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_who_leaves_one_use_case_leaves_all_and_the_same_newcomer_sits_in_all(engine):
    model = portfolio(engine=engine, weeks=40, **LATER | {"people.turnover": 10.0, "strategy.portfolio.at_once": 3})
    left = 0
    while model.running:
        before = column(model, "demand", "users", "disposition")
        model.step()
        new = column(model, "demand", "users", "disposition") != before
        left += new.sum()
        for case in model.use_cases.values():
            users = case.state.users
            assert (users["reliance"][new] == 0).all() and (users["understanding"][new] == 0).all()
            for field in ("disposition", "experience"):
                assert (users[field] == column(model, "demand", "users", field)).all()
    assert left > 100 and len(begun(model)) == 3
