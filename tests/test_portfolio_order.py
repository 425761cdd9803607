"""Which use case begins when, what is told of them, what they come to together, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ALL_LIVE
from test_portfolio import ALL, AT_ONCE, ENGINES, LATER, QUIET, TWO, assert_same, begun, bits, column, portfolio

from sim import InvalidInput, RolloutModel
from sim.agents import User
from sim.outcomes import CHANGED
from sim.state import LIVE, ONBOARDING, WAITING

#: One after the other.
ALONE = {"strategy.portfolio.at_once": 1}


#: Price response is worth most, and replenishment most for how hard it is.
WORTH = {"usecases.price.value": 2.4, "usecases.replenishment.value": 1.5}


def changes(model):
    """What events tell of parameters changed and variables set."""
    return model.events[model.events["event"] == CHANGED]


def first(order, usecases=ALL, **given):
    (name,) = begun(portfolio(usecases, **ALONE, **given | {"strategy.portfolio.order": order}))
    return name


# --------------------------------------------------------------------------- order


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("order", "name"), [("listed", "demand"), ("value", "price"), ("feasibility", "returns"), ("value_feasibility", "replenishment")]
)
def test_the_order_follows_what_the_strategy_says(engine, order, name):
    assert first(order, engine=engine, **WORTH) == name
    assert first(order, ALL[::-1], engine=engine, **WORTH) == (name if order != "listed" else ALL[-1])


def test_who_is_listed_comes_before_the_others():
    listed = {"strategy.portfolio.listed": ["returns", "price"]}
    assert [portfolio(ALL, **listed)._states.names[u] for u in portfolio(ALL, **listed)._states.turn] == [
        "returns", "price", "demand", "promotion", "replenishment", "capacity",
    ]  # fmt: skip
    assert first("value", **listed | WORTH) == "price"  # the list counts where the order is listed


def test_the_loudest_sponsor_comes_first():
    chosen = set()
    for seed in range(1, 7):
        side_by_side = portfolio(ALL, rng=seed, **AT_ONCE | {"sharing.backing": 0})
        loudest = max(ALL, key=lambda name: column(side_by_side, name, "units", "sponsorship").max())
        assert first("sponsor", rng=seed) == loudest
        chosen.add(loudest)
    assert len(chosen) > 1


def test_a_random_order_is_the_seeds():
    drawn = [first("random", rng=seed) for seed in range(1, 9)]
    assert len(set(drawn)) > 2 and drawn == [first("random", rng=seed) for seed in range(1, 9)]


# --------------------------------------------------------------------------- start, places, stop

WAVES = {**ALL_LIVE, "strategy.gate_weeks": 8, "strategy.wave": 0.1, "strategy.cadence": 6}


def weeks_of(model, name):
    """Weeks of the gate and of the end of the roll-out, and those in which it was rolled out, of a use case."""
    case = model.use_cases[name]
    stages = case.state.unit_weekly["stage"]
    gate = int(case.state.firm["gate_week"][0])
    done = ~((stages == WAITING) | (stages == ONBOARDING)).any(axis=1) & (np.arange(len(stages)) >= gate)
    return gate, int(np.argmax(done))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_next_one_starts_at_a_place_after_the_gate_or_after_the_roll_out(engine):
    when = {
        start: portfolio(TWO, engine=engine, **WAVES | {"strategy.portfolio.start": start}).run()
        for start in ("place", "gate", "rolled_out")
    }
    assert begun(when["place"])["promotion"] == 0
    gate, _ = weeks_of(when["gate"], "demand")
    assert begun(when["gate"])["promotion"] == gate + 1
    gate, done = weeks_of(when["rolled_out"], "demand")
    assert done > gate and begun(when["rolled_out"])["promotion"] == done + 1


def test_no_more_are_rolled_out_at_once_than_there_are_places():
    for places in (1, 2, 3):
        model = portfolio(ALL, weeks=150, **WAVES | {"strategy.portfolio.start": "place", "strategy.portfolio.at_once": places}).run()
        busy = np.zeros(150, int)
        for name, week in begun(model).items():
            _, done = weeks_of(model, name)
            busy[week : done + 1 if done else None] += 1
        assert busy.max() == places and len(begun(model)) > places


def test_the_first_few_are_begun_where_the_strategy_takes_on_no_more():
    few = {"strategy.portfolio.most": 2, "strategy.portfolio.order": "feasibility", "strategy.portfolio.stop": "failing"}
    runs = [portfolio(engine=engine, weeks=100, **WAVES | AT_ONCE | few).run() for engine in ENGINES]
    assert_same(*runs)
    assert set(begun(runs[0])) == {"demand", "replenishment"}
    both = [runs[0].use_cases[name] for name in ("demand", "replenishment")]
    planners = [int(case.state.units["users"].sum()) for case in both]
    mean = sum(n * case.weekly["reliance"].to_numpy() for n, case in zip(planners, both, strict=True)) / sum(planners)
    np.testing.assert_allclose(runs[0].records["reliance"], mean, atol=1e-12)  # who is never to have one does not count
    assert not any(case.firm.waiting for case in both)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_fails_makes_room_for_what_waits(engine):
    """It fails its reviews: with nobody to wait for, it has six of them."""
    given = {
        **WAVES | QUIET,
        "strategy.cadence": 5200,
        "review.grace": 0,
        "strategy.initiative_floor": 1,
        "strategy.initiative_reviews": 6,
        **ALONE,
    }
    given |= {"engine": engine, "weeks": 100}
    patient, strict = (portfolio(TWO, **given | {"strategy.portfolio.stop": stop}).run() for stop in ("nobody", "failing"))
    stopped = [int(column(model, "demand", "firm", "stopped_week")[0]) for model in (patient, strict)]
    assert 0 <= stopped[1] < stopped[0]
    assert begun(strict)["promotion"] == stopped[1] + 1 and begun(patient)["promotion"] == stopped[0] + 1
    last = int(column(strict, "promotion", "firm", "stopped_week")[0])
    assert last < 0 or last - begun(strict)["promotion"] > 6 * 13 - 13  # nobody waits for the last one's place


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_stopped_is_taken_up_again_when_another_one_succeeds(engine):
    """No new executive comes: demand forecasting does well, and the poor one, stopped in week 64, begins again half a year later."""
    poor = {"name": "poor", "own_error": 0.6, "value": 0.3}
    hasty = {"strategy.initiative_floor": 1.0, "strategy.initiative_reviews": 1, "strategy.ownership": "technical"}
    given = {**AT_ONCE, **hasty, "strategy.gate_improvement": -1.0, "strategy.gate_reliance": 0.0, "disturbance.leader": 0.0}

    def relaunches(**more):
        model = RolloutModel(
            maturity="high", usecases=["demand", poor], rng=4, weeks=100, engine=engine, **{**given, "enterprise.units": 3, **more}
        )
        events = model.run().events
        return events[events["event"] == "relaunched"]

    told = relaunches()
    assert told[["week", "usecase"]].to_numpy().tolist() == [[90, "poor"]] and told["words"].str.contains("taken up again").all()
    assert relaunches(**{"review.relaunch": 1.0}).empty and relaunches(**{"review.grace": 40}).empty


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_budget_nothing_begins(engine):
    model = portfolio(engine=engine, weeks=20, **AT_ONCE | {"maturity.budget": 0}).run()
    assert model.outcome["use_cases_begun"] == 0 and model.outcome["outcome"] == "never_launched"
    assert not model.records["effort_model"].any() and not model.records["users_using"].any()
    model = portfolio(engine=engine, weeks=20, **LATER)
    model.run_for(5)
    model.firm.budget = 0
    assert list(begun(model.run())) == ["demand"]


@pytest.mark.parametrize("engine", ENGINES)
def test_budget_and_shared_core_are_one_for_all(engine):
    model = portfolio(TWO, engine=engine, **AT_ONCE)
    model.run_for(5)
    other = model.use_cases["promotion"].firm
    other.core[1], other.budget = 0.9, 2.0
    assert model.firm.core[1] == 0.9 and model.firm.budget == 2
    model.step()
    assert model.firm.core[1] >= 0.9 and other.core[1] == model.firm.core[1]
    assert sum(case.firm.capacity - case.firm.spare for case in model.use_cases.values()) == pytest.approx(2)
    assert len(changes(model)) == 2
    apart = portfolio(TWO, engine=engine, **AT_ONCE | {"strategy.portfolio.platform": "isolated"})
    apart.use_cases["promotion"].firm.core[1] = 0.9
    assert apart.firm.core[1] == apart.parameters.maturity.core


# --------------------------------------------------------------------------- what is told, and what it comes to


def test_events_name_the_use_case():
    model = portfolio(**LATER, weeks=110).run()
    events = model.events
    assert set(events["usecase"]) == set(begun(model)) and events["week"].is_monotonic_increasing
    for name, case in model.use_cases.items():
        own = events[events["usecase"] == name].drop(columns="usecase").reset_index(drop=True)
        assert own.to_csv() == case.events.to_csv()
    started = events[events["event"] == "pilot started"].drop_duplicates("usecase")
    assert dict(zip(started["usecase"], started["week"], strict=True)) == begun(model)
    assert set(model.units["usecase"]) == set(begun(model))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_use_cases_come_to_together(engine):
    model = portfolio(engine=engine, weeks=130, maturity="high", **AT_ONCE).run()
    cases, records = list(model.use_cases.values()), model.records
    for name in (
        "value",
        "friction",
        "running_cost",
        "own_cost",
        "central_cost",
        "net",
        "cumulative_net",
        "effort_model",
        "effort_support",
    ):
        np.testing.assert_allclose(records[name], sum(case.weekly[name].to_numpy() for case in cases), atol=1e-6)
    np.testing.assert_allclose(records["net"].cumsum(), records["cumulative_net"], rtol=1e-9)
    planners = np.array([case.state.units["users"].sum() for case in cases])
    assert planners.tolist() == [24, 12, 24]
    for name in ("users_using", "reliance"):
        mean = sum(n * case.weekly[name].to_numpy() for n, case in zip(planners, cases, strict=True)) / planners.sum()
        np.testing.assert_allclose(records[name], mean, atol=1e-12)
    outcome = model.outcome
    assert outcome["net"] == pytest.approx(sum(case.outcome["net"] for case in cases))
    assert outcome["gate_week"] == min(week for case in cases if (week := case.outcome["gate_week"]) is not None)
    alive = [case.outcome["outcome"] in ("pilot_purgatory", "partial_adoption", "scaled") for case in cases]
    assert (outcome["use_cases_begun"], outcome["use_cases_live"], outcome["use_cases_survived"]) == (3, sum(alive), None)


def test_means_are_over_the_use_cases_that_have_begun_whichever_is_named_first():
    model = portfolio(TWO, **WAVES, **{"strategy.portfolio.listed": ["promotion"]})
    model.run_for(6)
    before = model.records.copy()
    assert begun(model) == {"promotion": 0}
    model.run()
    assert begun(model)["demand"] > 6
    for name in ("trust", "sponsorship", "freshness", "quality"):
        assert (model.records[name][:6] == before[name]).all() and (before[name] > 0).all()
        np.testing.assert_allclose(before[name], model.use_cases["promotion"].weekly[name][:6], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_team_counts_that_trusts_and_uses_any(engine):
    model = portfolio(TWO, engine=engine, weeks=60, **ALL_LIVE | AT_ONCE | {"forecast.best": 0.2, "utility.threshold": -20}).run()
    convinced = [
        (t["uses"] == 1) & (t["trust"] >= model.parameters.outcomes.trust) & (t["reliance"] >= model.parameters.outcomes.reliance)
        for t in (case.state.teams for case in model.use_cases.values())
    ]
    assert model.records["teams_trust_and_use"][-1] == (convinced[0] | convinced[1]).mean() > 0
    assert model.outcome["final_teams_trust_and_use"] == model.records["teams_trust_and_use"][-1]
    live = [case.state.units["stage"] == LIVE for case in model.use_cases.values()]
    assert model.records["units_live"][-1] == (live[0] | live[1]).sum() > 0


def test_what_survived_is_counted():
    model = portfolio(TWO, weeks=60, **ALL_LIVE | AT_ONCE | {"outcomes.survival": 40, "strategy.initiative_floor": 0}).run()
    assert model.outcome["use_cases_survived"] == sum(case.outcome["survived_three_years"] for case in model.use_cases.values()) == 2
    assert model.outcome["survived_three_years"] is True


# --------------------------------------------------------------------------- between weeks


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_changed_between_weeks_acts_and_is_told(engine):
    def run(change):
        model = portfolio(TWO, engine=engine, **AT_ONCE | ALL_LIVE)
        model.run_for(20)
        change(model)
        return model.run()

    def trusting(model):
        for user in model.agents_by_type[User]:
            user.use_cases["promotion"].trust = 0.9

    plain = run(lambda model: None)
    told = run(lambda model: model.change({"sharing.attention": 1.0, "strategy.portfolio.at_once": 1}))
    words = changes(told)["words"]
    assert len(words) == 2 and set(changes(told)["usecase"]) == {""} and told.events["week"].is_monotonic_increasing
    assert len(told.use_cases["promotion"].events.query("event == 'changed'")) == 2
    assert {text.split()[0] for text in words} == {"sharing.attention", "strategy.portfolio.at_once"}
    assert bits(told)["promotion units sponsorship"] != bits(plain)["promotion units sponsorship"]
    trusted = run(trusting)
    assert changes(trusted)["usecase"].unique().tolist() == ["promotion"]
    assert (
        column(trusted, "promotion", "unit_weekly", "trust")[20].mean()
        > column(plain, "promotion", "unit_weekly", "trust")[20].mean() + 0.2
    )
    demand = [column(model, "demand", "unit_weekly", "trust")[:21].tobytes() for model in (trusted, plain)]
    assert demand[0] == demand[1]  # later, teams that trust redesign their workflow, which is load for all


def test_changes_are_alike_on_both_engines():
    runs = []
    for engine in ENGINES:
        model = portfolio(engine=engine, **LATER)
        for week in (5, 15, 25):
            model.run_for(week - model.week)
            model.change({"strategy.portfolio.at_once": week // 5, "sharing.trust": week / 30})
            for user in list(model.agents_by_type[User])[:5]:
                for seen in user.use_cases.values():
                    seen.trust = 1 / week
            model.use_cases[list(model.use_cases)[-1]].firm.core[0] = week / 40
        runs.append(model.run())
    assert_same(*runs)


# --------------------------------------------------------------------------- memory, and plain Python


def in_a_process(script, **environment):
    """What a script prints that may import the tests."""
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    given = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run([sys.executable, "-c", script], env=given, capture_output=True, text=True, check=True, timeout=300).stdout


RESIDENT = """
import gc
from pathlib import Path
from sim import RolloutModel
from test_portfolio import ALL, AT_ONCE
def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])
RolloutModel(usecases=ALL, weeks=3, rng=1, enterprise="small", **AT_ONCE).run()
gc.collect()
before = pages()
size = {"enterprise.units": 50, "enterprise.teams": 100, "enterprise.users": 40}
model = RolloutModel(rng=1, weeks=3, **size, **GIVEN).run()
gc.collect()
print(len(model.state.users), sum(model._states.firm["begun"][:, 0] >= 0), pages() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not say what memory a process holds")
def test_use_cases_that_have_not_begun_take_no_memory():
    pages = []
    for given, progress in (("{'usecases': ['demand']}", 1), ("{'usecases': ALL}", 1), ("{'usecases': ALL, **AT_ONCE}", 6)):
        planners, begun, taken = map(int, in_a_process(RESIDENT.replace("GIVEN", given), NUMPY_MADVISE_HUGEPAGE="0").split())
        assert (planners, begun) == (200_000, progress)
        pages.append(taken)
    one, waiting, progress = pages
    assert waiting - one < 0.25 * (progress - one), pages  # what the allocator takes from freed memory differs by up to one of five
    assert progress < 6.5 * one, pages  # linear in use cases in progress


SCRIPT = """
import hashlib
from test_portfolio import bits, portfolio, LATER
done = hashlib.sha256(repr(sorted(bits(portfolio(weeks=14, **LATER | {"people.turnover": 2.0}).run()).items(), key=str)).encode()).hexdigest()
print(done)
"""


@pytest.mark.slow
def test_uncompiled_code_gives_the_same_bytes():
    here = {}
    exec(SCRIPT, here)
    assert in_a_process(SCRIPT, NUMBA_DISABLE_JIT="1").strip() == here["done"]


# --------------------------------------------------------------------------- what is refused

WRONG = {
    "an unknown use case": ({"usecases": ["demand", "promotoin"]}, "usecases: 'promotoin'.*promotion"),
    "a use case that nobody uses": ({"usecases": ["demand", {"name": "tea", "teams": 0}]}, r"usecases\.tea\.teams: 0.*somebody"),
    "needs above 1": ({"usecases": [{"name": "tea", "needs": {"pipelines": 1.5}}]}, r"usecases\.tea\.needs\.pipelines: 1\.5"),
    "a portfolio of none": ({"usecases": []}, "usecases: .*1 to 6"),
    "a portfolio of seven": ({"usecases": [*ALL, {"name": "tea"}]}, "usecases: .*1 to 6"),
    "one of them twice": ({"usecases": ["demand", "demand"]}, "usecases: .*each once"),
    "an order of use cases that are not there": (
        {"usecases": TWO, "strategy.portfolio.listed": ["promotion", "prize"]},
        r"strategy\.portfolio\.listed: 'prize'",
    ),
    "another value for a use case that is not there": ({"usecases": TWO, "usecases.price.value": 2.0}, r"usecases\.price"),
    "another value out of range": ({"usecases": TWO, "usecases.promotion.teams": 1.1}, r"usecases\.promotion\.teams: 1\.1"),
    "a field that no use case has": ({"usecases": TWO, "usecases.promotion.valu": 1}, r"usecases\.promotion\.valu.*\.value"),
    "a use case without a name": ({"usecases": [{"name": ""}]}, r"usecases\.0\.name"),
    "places for none": ({"usecases": TWO, "strategy.portfolio.at_once": 0}, r"strategy\.portfolio\.at_once: 0"),
}


def written(value):
    """A value as the command line has it."""
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}: {written(each)}" for key, each in value.items()) + "}"
    return str(value) or "''"


@pytest.mark.fault("configuration", "a portfolio of use cases that cannot be", "refused in one line that names it; exit code 2")
@pytest.mark.parametrize("wrong", WRONG)
def test_a_portfolio_that_cannot_be_is_refused_in_one_line(call, wrong):
    given, said = WRONG[wrong]
    with pytest.raises(InvalidInput, match=said):
        RolloutModel(**given)
    code, _, err = call("run", "enterprise=small", *(f"{key}={written(value)}" for key, value in given.items()))
    assert code == 2 and len(err.strip().splitlines()) == 1 and "Traceback" not in err, err


def test_what_stands_in_a_use_case_may_be_overridden():
    given = {"usecases": TWO, "usecases.promotion.value": 2.0, "usecases.promotion.needs.pipelines": 0.3, "usecases.demand.teams": 0.5}
    demand, promotion = RolloutModel(weeks=1, **given).parameters.usecases
    assert (promotion.value, promotion.needs.pipelines, demand.teams, promotion.teams) == (2.0, 0.3, 0.5, 0.5)
    assert RolloutModel(weeks=1, **{"usecases.demand.value": 2.0}).parameters.usecases[0].value == 2
    with pytest.raises(InvalidInput, match="read in week 0 only"):
        RolloutModel(weeks=2, usecases=TWO).change({"usecases.promotion.value": 3.0})


#: The second named begins first, in week 0.
SECOND_FIRST = {"strategy.portfolio.order": "value", "strategy.portfolio.start": "rolled_out", "strategy.portfolio.at_once": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_who_is_named_first_and_has_not_begun_takes_part_in_nothing(engine):
    model = portfolio(
        ["capacity", "demand"], engine=engine, **SECOND_FIRST, **{"strategy.gate_deadline": 30, "strategy.gate_reliance": 1.0}
    )
    model.run_for(10)
    assert list(model.use_cases) == ["demand"] and set(model.units["usecase"]) == set(model.events["usecase"]) == {"demand"}
    weights = model._states.planners / model._states.planners.sum()
    assert model.bottleneck().held["waves"] == pytest.approx(weights[0])
    assert model.run().outcome["reason"] != "its turn never came"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_budget_set_before_the_first_named_begins_stays(engine):
    model = portfolio(["capacity", "demand"], engine=engine, weeks=40, **LATER, **{"strategy.portfolio.order": "value"})
    model.firm.budget = 50
    assert model.run().firm.budget == 50 and list(begun(model)) == ["demand", "capacity"]


def test_what_blocks_the_next_makes_room_where_a_single_failure_ends_it_and_what_blocks_nothing_stays():
    """With two places, and the next to begin once those before are rolled out, the first alone is in the way until it is."""
    strict = {"strategy.portfolio.stop": "failing", "strategy.portfolio.start": "rolled_out", "strategy.portfolio.at_once": 2}
    strict |= {"review.passing": 1.0, "strategy.initiative_floor": 1.0, "review.grace": 13, "review.every": 4, "strategy.measure": "use"}
    strict |= {"strategy.unit_reviews": 1000, "strategy.initiative_reviews": 1000, "strategy.gate_weeks": 8}
    strict |= {"strategy.gate_improvement": -1, "strategy.gate_reliance": 0, "weeks": 80}
    slow, quick = (
        {"strategy.cadence": 100},
        {"strategy.wave": 1.0, "strategy.cadence": 1, "strategy.readiness_gate": 0.0, "strategy.approval": 0.0},
    )
    stopped = [portfolio(TWO, **strict | pace).run().use_cases["demand"].state.firm["stopped_week"][0] for pace in (slow, quick)]
    assert stopped[0] > 0 > stopped[1]


def test_what_holds_a_use_case_back_is_read_from_the_week_it_began():
    model = portfolio(TWO, **LATER)
    model.run_for(10)
    with np.errstate(all="raise"):
        assert sum(model.bottleneck().held.values()) + model.bottleneck().using == pytest.approx(1)
