"""What leaders, reviews and teams do: backing, ends and new beginnings, who redesigns, whose numbers count, what load costs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ALL_LIVE

from sim import InvalidInput, RolloutModel
from sim.agents import BusinessUnit, User
from sim.organisation.files import from_files
from sim.state import LIVE, OWN, RETIRED, WAITING

QUIET = {"disturbance.leader": 0.0, "disturbance.priority": 0.0, "disturbance.shift": 0.0}
SEEDS = range(6)


def runs(**given):
    return [RolloutModel(rng=seed, **given).run() for seed in SEEDS]


# --------------------------------------------------------------------------- backing


def test_backing_recovers_in_units_that_wait():
    """A shock takes it; where there is nothing to see, it goes back to what the leader thinks of it."""
    model = RolloutModel(rng=1, weeks=104, **{"strategy.gate_weeks": 104, "disturbance.leader": 0.0, "disturbance.priority": 0.0})
    for unit in model.agents_by_type[BusinessUnit]:
        unit.sponsorship = 0.1
    before = model.columns()["units"]["commitment"].copy()
    model.run()
    units = model.columns()["units"]
    waiting = units["stage"] == WAITING
    np.testing.assert_allclose(units["sponsorship"][waiting], before[waiting], atol=0.02)
    shocked = RolloutModel(rng=1, weeks=104, **{"strategy.gate_weeks": 104, "disturbance.leader": 0.0}).run()
    assert shocked.columns()["units"]["sponsorship"][waiting].mean() > 0.7 * before[waiting].mean()


@pytest.mark.parametrize(("ownership", "stake"), [("technical", 0.0), ("shared", 0.5), ("business", 1.0)])
def test_who_comes_after_a_leader_answers_for_it_as_far_as_the_business_owns_it(ownership, stake):
    model = RolloutModel(rng=1, weeks=26, **{"strategy.ownership": ownership, "disturbance.leader": 52.0}).run()
    assert (model.columns()["units"]["stake"] == stake).all() and model.columns()["firm"]["stake"][0] == stake


# --------------------------------------------------------------------------- ends, and new beginnings


def test_what_goes_well_is_not_stopped_however_strict_the_executive():
    """Before, a floor of backing ended good rollouts like bad ones."""
    for model in runs(strategy="integration_first", maturity="high", **{"strategy.initiative_floor": 1.0}):
        assert model.outcome["outcome"] == "scaled"


def test_what_performs_well_enough_stays_alive_where_reviews_look_at_accuracy_and_ends_where_they_look_at_value():
    given = {"strategy": "model_first", "maturity": "middle", "review.relaunch": 1.0, "enterprise.spend": 200_000}  # it does not pay
    alive = {m: sum(x.outcome["outcome"] != "abandoned" for x in runs(**given, **{"strategy.measure": m})) for m in ("accuracy", "value")}
    assert alive["accuracy"] == len(SEEDS) > alive["value"]


def test_a_loss_is_borne_while_an_executive_who_began_it_backs_it():
    """He defends what he began (escalation of commitment); one who comes later does not."""

    def stopped(**given):
        given = {**ALL_LIVE, **QUIET, "forecast.best": 1.0, "strategy.initiative_reviews": 1, "review.relaunch": 1.0, **given}
        events = RolloutModel(rng=1, **given).run().events
        return events["week"][events["event"] == "stopped"].tolist()

    assert min(stopped(**{"strategy.initiative_floor": 1.0})) >= 26 and not stopped(**{"strategy.initiative_floor": 0.1})
    assert stopped(**{"strategy.initiative_floor": 0.1, "strategy.ownership": "technical", "disturbance.leader": 2.0})


def test_a_new_leader_may_take_up_again_what_was_given_up():
    given = {**ALL_LIVE, "strategy.wave": 1e-6, "strategy.cadence": 5200, "disturbance.leader": 1.0}
    given |= {"review.passing": 1, "review.floor": 1, "review.grace": 0, "strategy.unit_reviews": 1}
    again = RolloutModel(rng=1, weeks=156, **given, **{"review.relaunch": 0.4}).run()
    never = RolloutModel(rng=1, weeks=156, **given, **{"review.relaunch": 1.0, "maturity.sponsorship": 0.45}).run()
    assert (again.events["event"] == "taken up again").any() and not (never.events["event"] == "taken up again").any()


def test_a_new_executive_may_relaunch_and_finds_what_is_left():
    given = {"strategy": "big_bang", "maturity": "low", "disturbance.leader": 1.0, "review.relaunch": 0.5}
    models = [m for m in runs(**given) if (m.events["event"] == "relaunched").any()]
    assert models
    for model in models:
        weekly, events = model.weekly, model.events
        week = int(events["week"][events["event"] == "relaunched"].iloc[0])
        assert weekly["central_cost"][week - 1] == 0 < weekly["central_cost"][week]
        assert weekly["core_pipelines"][week] >= weekly["core_pipelines"][week - 1] > 0
        assert model.columns()["firm"]["launched"][0] >= week


def test_both_engines_relaunch_alike():
    given = {"strategy": "big_bang", "maturity": "low", "disturbance.leader": 2.0, "review.relaunch": 0.4, "enterprise": "small"}
    a, b = (RolloutModel(rng=4, engine=engine, **given).run() for engine in ("compiled", "textbook"))
    assert (a.events["event"] == "relaunched").any() and a.events.equals(b.events) and a.units.equals(b.units)


# --------------------------------------------------------------------------- teams decide


def test_teams_redesign_more_where_the_business_owns_it():
    fit = {o: np.mean([m.units["fit"].mean() for m in runs(weeks=156, **{"strategy.ownership": o, "sponsor.own_effort": 0.0})])
           for o in ("technical", "shared", "business")}  # fmt: skip
    assert fit["technical"] < fit["shared"] < fit["business"]


def test_effort_that_nobody_can_use_is_not_spent():
    model = RolloutModel(
        strategy="integration_first", maturity="homogeneous", rng=1, **{"maturity.readiness": 1.0, "maturity.core": 1.0}
    ).run()
    spent, budget = model.weekly["central_cost"] / model.parameters.value.person_week, model.columns()["firm"]["budget"][0]
    assert spent.max() <= budget * (1 + 1e-9) and spent.mean() < 0.6 * budget


def test_gains_count_as_far_as_the_team_downstream_plans_on_the_same_numbers():
    model = RolloutModel(rng=2, weeks=104, **ALL_LIVE).run()
    teams, p = model.columns()["teams"], model.parameters
    below = teams["downstream"]
    assert (below >= 0).sum() == 12 * 7 and (teams["aligned"][below < 0] == 1).all()
    np.testing.assert_allclose(teams["aligned"][below >= 0], 1 - p.team.chain * (1 - teams["share"][below[below >= 0]]))
    alone = RolloutModel(rng=2, weeks=104, **ALL_LIVE, **{"team.chain": 0.0}).run()
    assert alone.weekly["value"].sum() > model.weekly["value"].sum()


def test_permission_to_adjust_counts_with_those_who_do_not_know_the_forecast_yet():
    """What was measured is a first choice; a permission that counted every week carried most of the value."""
    given = {"enterprise": "small", "rng": 1, "weeks": 5, "override.share": 0.0, **ALL_LIVE}
    free, forbidden = (RolloutModel(**given, **{"strategy.override": o}, engine="textbook") for o in ("free", "forbidden"))
    user = free.agents_by_type[User][0]

    def chooses(p, understanding):
        user.understanding = understanding
        weighed = SimpleNamespace(**{name: getattr(user, name) for name in User.variables})
        unit = SimpleNamespace(sponsorship=0.5, on_time=1)
        chosen = []
        for chance in np.linspace(0.005, 0.995, 100):
            User.decide(weighed, SimpleNamespace(channel_fit=0.4, norm=0.2, load=0.0), unit, 0.3, chance, p)
            chosen.append(int(weighed.choice))
        return sum(choice != OWN for choice in chosen)

    assert chooses(free.p, 0.0) > chooses(forbidden.p, 0.0) + 5
    assert chooses(free.p, 1.0) == chooses(forbidden.p, 1.0) > 0


def test_other_priorities_load_teams_and_slow_their_learning():
    def understanding(**given):
        given = {**ALL_LIVE, "utility.load": 0.0, "habit.explained": 0.0, "people.turnover": 0.0, "utility.threshold": -20, **given}
        return RolloutModel(rng=1, weeks=20, **given).run().columns()["users"]["understanding"].mean()

    assert understanding(**{"disturbance.priority": 30.0}) < understanding(**{"disturbance.priority": 0.0}) - 0.05


def test_approval_and_readiness_are_both_needed_to_go_live():
    model = RolloutModel(strategy="governance_first", maturity="high", rng=1).run()
    p = model.parameters.strategy
    units = model.units
    first = units[units["stage"] == "live"].groupby("unit", observed=True).first()
    pilot = model.state.unit_names[int(model.state.firm["pilot"][0])]
    others = first.drop(index=pilot)
    assert (others["readiness_governance"] >= p.approval * 0.99).all() and (
        others["readiness_integration"] >= p.readiness_gate * 0.99
    ).all()


def test_corrections_come_from_those_who_correct():
    given = {**ALL_LIVE, **QUIET, "utility.threshold": -20, "maturity.readiness": 1.0, "correction.repair": 0.1}
    repaired = {
        s: RolloutModel(rng=1, weeks=52, **given, **{"override.share": s}).run().columns()["units"]["completeness"].mean()
        for s in (0.0, 0.5)
    }
    start = RolloutModel(rng=1, weeks=52, **given).columns()["units"]["completeness"].mean()
    assert repaired[0.0] == start < repaired[0.5] - 0.05


# --------------------------------------------------------------------------- the chain, from files


FILES = {"units": "unit\na\nb\n", "users": "user,team\n1,t1\n2,t2\n3,t3\n"}


def chain(folder, teams):
    folder.mkdir(exist_ok=True)
    for name, text in {**FILES, "teams": teams}.items():
        (folder / f"{name}.csv").write_text(text)
    return from_files(folder, (teams,))


def test_the_chain_is_read_from_teams_csv(tmp_path):
    given = chain(tmp_path / "a", "team,unit,hands_to\nt2,a,t3\nt1,a,t2\nt3,b,\n")
    assert given.team_names == ["t1", "t2", "t3"] and given.downstream.tolist() == [1, 2, -1] and not given.notes
    assert chain(tmp_path / "b", "team,unit\nt1,a\nt2,a\nt3,b\n").downstream is None


def test_a_cycle_is_allowed_and_said(tmp_path):
    given = chain(tmp_path, "team,unit,hands_to\nt1,a,t2\nt2,a,t1\nt3,b,t1\n")
    assert given.downstream.tolist() == [1, 0, 0] and any("cycle" in note for note in given.notes)
    model = RolloutModel(enterprise={"source": "files", "folder": str(tmp_path)}, rng=1, weeks=5).run()
    assert model.state.teams["downstream"].tolist() == [1, 0, 0]


def test_an_unknown_team_downstream_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"teams\.csv, line 2, column hands_to.*'t22'.*teams\.csv"):
        chain(tmp_path, "team,unit,hands_to\nt1,a,t22\nt2,a,\nt3,b,\n")


def test_a_stopped_initiative_leaves_no_unit_live():
    given = {"strategy.initiative_reviews": 1, "strategy.initiative_floor": 1.0, "review.relaunch": 1.0}
    ended = [m for m in runs(strategy="big_bang", maturity="low", **given) if m.outcome["outcome"] == "abandoned"]
    assert ended
    for model in ended:
        stages = model.columns()["units"]["stage"]
        assert not (stages == LIVE).any() and (stages == RETIRED).any()


def test_a_strategy_says_what_its_reviews_look_at():
    with pytest.raises(InvalidInput, match=r"strategy.measure.*accuracy, use, value"):
        RolloutModel(rng=1, **{"strategy.measure": "fame"})


def test_a_parameter_that_moved_says_where_to():
    with pytest.raises(InvalidInput, match=r"forecast\.sudden.*disturbance\.shift, as it is called now"):
        RolloutModel(rng=1, **{"forecast.sudden": 0.1})
    with pytest.raises(InvalidInput, match=r"platform\.crew.*nothing: it is gone, as it changed next to nothing"):
        RolloutModel(rng=1, **{"platform.crew": 3})


def test_fit_and_load_hold_their_ranges_at_the_ends():
    wild = RolloutModel(rng=1, enterprise="small", weeks=120, **{"team.decay": 0.5, "maturity.variants": 10.0}).run()
    assert wild.columns()["teams"]["fit"].min() >= 0 and wild.columns()["teams"]["fit"].max() <= 1
    stopped = RolloutModel(rng=1, strategy="big_bang", maturity="low", **{"review.relaunch": 1.0, "strategy.initiative_reviews": 1}).run()
    week = int(stopped.events["week"][stopped.events["event"] == "stopped"].iloc[0])
    assert (stopped.units["load"][stopped.units["week"] > week] == 0).all()


def test_who_gave_it_up_does_not_take_it_up_again():
    given = {
        **ALL_LIVE,
        **QUIET,
        "strategy.wave": 1e-6,
        "strategy.cadence": 5200,
        "review.passing": 1,
        "review.floor": 1,
        "review.grace": 0,
    }
    model = RolloutModel(rng=1, weeks=104, **{**given, "strategy.unit_reviews": 1, "review.relaunch": 0.0}).run()
    assert (model.events["event"] == "retired").any() and not (model.events["event"] == "taken up again").any()


def test_a_long_chain_is_no_cycle_and_a_cycle_counts_who_is_in_it(tmp_path):
    given = chain(tmp_path / "a", "team,unit,hands_to\nt1,a,t2\nt2,a,t3\nt3,b,t2\n")
    assert any("2 of 3 teams" in note for note in given.notes)
