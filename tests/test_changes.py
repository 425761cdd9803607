"""Parameters changed on the way: which may be, alike on both engines, and what is written down of it."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from operator import attrgetter

import numpy as np
import pytest
from conftest import TINY
from test_engines import assert_same
from test_parameters import ROWS, settings

from sim import InvalidInput, RolloutModel, forecasting, outcomes, platform, portfolio, strategy, weeks
from sim.agents import BusinessUnit, Team, User, user
from sim.changes import as_of, changed, why_not
from sim.parameters import CAPABILITIES, RECORDS

ENGINES = ("compiled", "textbook")
FREE = [row for row in ROWS if not why_not(row.name)]
#: Some act early in a rollout only, some where they let more happen than before, some need what happens by chance.
TRIES = [(week, seed, up) for seed in (1, 2, 3) for week in (5, 30) for up in (True, False)]
#: Many come anew, and units have waves to wait for.
BUSY = {"enterprise": {**TINY, "units": 4}, "weeks": 80}


def weekly_names():
    """Every parameter that the source of a rule, or of the week, reads."""
    sources = [inspect.getsource(weeks.decide_and_learn_singly.py_func), inspect.getsource(User.step)]
    for module in (platform, portfolio, forecasting, strategy, outcomes, user):
        sources += [inspect.getsource(f) for _, f in inspect.getmembers(module, inspect.isfunction) if getattr(f, "is_rule", False)]
    for cls in (BusinessUnit, Team, User):
        sources += [inspect.getsource(getattr(cls, name)) for name in cls.rules]
    read = set(re.findall(r"\bp\.((?:strategy\.portfolio\.)?[a-z_]+(?:\.[a-z_]+)?)\b", "\n".join(sources))) - {"strategy.portfolio"}
    vectors = {f"platform.{part}_effort": {f"platform.{part}_{name}" for name in CAPABILITIES} for part in ("core", "local")}
    vectors["strategy.effort"] = {name for name in RECORDS if name.startswith("strategy.effort.")}
    return {name for found in read for name in vectors.get(found, {found})}


def test_what_the_rules_read_may_change_and_nothing_else():
    assert weekly_names() == {name for name in RECORDS if not why_not(name)}


@pytest.mark.parametrize("row", FREE, ids=lambda row: row.name)
def test_a_change_acts_from_there_and_alike_on_both_engines(row):
    """As it does from there on both engines, and on no week before."""
    for week, seed, up in TRIES:
        first, then = (row.low, row.high) if up else (row.high, row.low)
        given = {**BUSY, **row.given, "people.turnover": 2.0, **settings(row.name, first)}
        runs = []
        for engine in ENGINES:
            model = RolloutModel(rng=seed, engine=engine, **given)
            model.run_for(week)
            runs.append(model.change(settings(row.name, then)).run())
        assert_same(*runs)
        events = runs[0].events
        told = events[events["event"] == "changed"]
        assert set(told["week"]) == {week} and row.name in {words.split()[0] for words in told["words"]}
        assert attrgetter(row.name)(runs[0].parameters) == then
        kept = RolloutModel(rng=seed, **given).run()
        assert kept.state.weekly[:week].tobytes() == runs[0].state.weekly[:week].tobytes()
        if kept.state.weekly[week:].tobytes() != runs[0].state.weekly[week:].tobytes() or kept.outcome != runs[0].outcome:
            return
        if kept.state.users.tobytes() != runs[0].state.users.tobytes():
            return
    raise AssertionError("it acts on nothing")


@pytest.mark.fault(
    "configuration", "a parameter changed on the way that is read in week 0, or at the end, only", "refused; says what acts instead"
)
@pytest.mark.parametrize("name", [name for name in RECORDS if why_not(name)])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_could_not_act_is_refused(tiny, engine, name):
    model = tiny(engine=engine)
    model.step()
    before = model.parameters
    value = attrgetter(name)(before)
    with pytest.raises(InvalidInput, match=re.escape(name) + ".*(read in week 0 only|applied to the whole run)"):
        model.change({"trust.loss": 0.5, name: value})
    assert model.parameters is before and "changed" not in set(model.events["event"])


WRONG = {
    "an unknown name": ({"trust.los": 0.2}, "trust.loss"),
    "a group": ({"trust": {"loss": 0.2}}, "what is in it, one by one: trust.gain, trust.loss"),
    "a strategy": ({"strategy": "model_first"}, "one by one: strategy.gate_weeks"),
    "sizes": ({"enterprise": "small"}, "all that is in it is read in week 0 only"),
    "blanks around a name": ({" trust.loss": 0.2}, "trust.loss, without the blanks in ' trust.loss'"),
    "no name": ({5: 0.2}, "one of"),
    "out of range": ({"trust.loss": 2}, "0 to 1"),
    "not a number": ({"trust.loss": float("nan")}, "0 to 1"),
    "a text": ({"trust.loss": "0.2"}, "0 to 1"),
    "half a week": ({"strategy.cadence": 1.5}, "whole number"),
    "an alternative": ({"strategy.ownership": "nobody"}, "business"),
    "shares": ({"strategy.effort.run.model": 0.9}, "add up to 1, all that change given together: model, pipelines"),
    "a contradiction": ({"strategy.gate_deadline": 3}, "at least gate_weeks"),
    "no mapping": ([("trust.loss", 0.2)], "dotted"),
}


@pytest.mark.fault("configuration", "changes on the way that no configuration could have", "refused in one line, nothing changed")
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("engine", ENGINES)
def test_all_is_checked_before_any_acts(tiny, engine, wrong):
    given, said = WRONG[wrong]
    model = tiny(engine=engine)
    model.step()
    if isinstance(given, dict):
        given = {"trust.gain": 0.5, **given}
    before, p = model.parameters, model.p
    with pytest.raises(InvalidInput, match=said) as raised:
        model.change(given)
    assert "\n" not in str(raised.value) and model.parameters is before and model.p is p
    assert model.run().outcome == tiny().run().outcome


@pytest.mark.fault("configuration", "a change within a week, or after the last", "refused in one line")
def test_a_change_has_its_time(tiny):
    class Meddler(User):
        def step(self):
            self.model.change({"trust.loss": 0.5})

    made = type("Model", (RolloutModel,), {"agent_classes": {**RolloutModel.agent_classes, User: Meddler}})
    with pytest.raises(InvalidInput, match="in the middle of week 0"):
        made(enterprise="small", weeks=5, rng=1, engine="textbook").run()
    for engine in ENGINES:
        with pytest.raises(InvalidInput, match="all 80 weeks are done"):
            tiny(engine=engine).run().change({"trust.loss": 0.5})


def test_what_differs_is_written_down_once_in_its_place(tiny):
    for engine in ENGINES:
        model = tiny(engine=engine)
        model.run_for(26)
        model.change({"strategy.ownership": "business", "trust.loss": 0.2, "trust.gain": model.parameters.trust.gain})
        model.run()
        events = model.events
        told = events[events["event"] == "changed"]
        assert told["week"].tolist() == [26, 26] and told["unit"].tolist() == ["", ""]
        assert told["words"].tolist() == ["strategy.ownership changes from shared to business", "trust.loss changes from 0.13 to 0.2"]
        assert np.isnan(told["value"].iloc[0]) and told["value"].iloc[1] == 0.2
        assert events["week"].is_monotonic_increasing and told.index[0] == (events["week"] < 26).sum()
        assert model.parameters.trust.loss == model.p.trust.loss == 0.2 and model.week == 80


def test_what_is_set_on_agents_is_told_too(tiny):
    """By variable and unit, once a week, with the first value before and the last one set; what comes back to its value is no change."""
    told = []
    for engine in ENGINES:
        model = tiny(engine=engine)
        model.run_for(26)
        unit, budget, quality = model.agents_by_type[BusinessUnit].to_list()[1], model.firm.budget, model.firm.quality
        model.firm.budget, model.firm.quality = budget + 1, 0.5
        model.firm.budget, model.firm.quality = budget + 2, quality
        unit.readiness, unit.sponsorship = [0.1, 0.2, 0.3, 0.4], unit.sponsorship
        model.agents_by_type[User].select(lambda user, unit=unit: user.unit is unit).set("trust", 0.5)
        unit.teams[0].fit = 0.25
        events = model.run().events
        told.append(events[events["event"] == "changed"])
        assert events["week"].is_monotonic_increasing and set(told[-1]["week"]) == {26}
    assert told[0].equals(told[1])
    assert told[0]["unit"].tolist() == ["", unit.name, unit.name, unit.name]
    assert told[0]["value"].tolist()[::2] == [budget + 2, 0.5] and np.isnan(told[0]["value"].iloc[1])
    words = told[0]["words"].tolist()
    assert words[0] == f"budget of the enterprise is set from {budget:.4g} to {budget + 2:.4g}"
    assert words[1].endswith("to [0.1, 0.2, 0.3, 0.4]") and words[2:] == [
        f"trust of 8 planners in {unit.name} is set",
        f"fit of 1 team in {unit.name} is set",
    ]


def test_the_parameters_of_an_earlier_week_are_found_again(tiny):
    model = tiny()
    first = model.parameters
    for week, loss in ((20, 0.2), (40, 0.3)):
        model.run_for(20)
        model.change({"trust.loss": loss, "trust.gain": 0.01} if week == 20 else {"trust.loss": loss})
    changes = model.state.changes
    assert as_of(model.parameters, changes, 19) == first and as_of(model.parameters, changes, 40) == model.parameters
    assert as_of(model.parameters, changes, 20).trust == as_of(model.parameters, changes, 39).trust
    assert (as_of(model.parameters, changes, 39).trust.loss, as_of(model.parameters, changes, 39).trust.gain) == (0.2, 0.01)


@pytest.mark.fault("configuration", "run_for of no week, of half a one, of a text", "refused in one line")
def test_weeks_are_run_whole(tiny):
    model = tiny()
    for count in (0, -1, 1.5, True, "3", None):
        with pytest.raises(InvalidInput, match=r"^run_for: .*a whole number of weeks, at least 1$"):
            model.run_for(count)
    model.run_for(np.int64(3))
    assert model.week == 3
    model.run_for(1000)
    assert model.week == 80 and not model.running


def test_before_the_first_week_a_change_is_a_setting(tiny):
    for engine in ENGINES:
        changed_first = tiny(engine=engine).change({"trust.loss": 0.3}).run()
        assert changed_first.state.weekly.tobytes() == tiny(**{"trust.loss": 0.3}).run().state.weekly.tobytes()


def test_a_change_at_a_date_and_back_again(tiny):
    """Scheduled as Mesa's events are, copied and pickled on the way, with the same bits everywhere."""
    runs = []
    for engine in ENGINES:
        model = tiny(engine=engine)

        def forgive_less(model=model):
            model.change({"trust.loss": 0.5})

        def forgive_again(model=model):
            model.change({"trust.loss": 0.13})

        model.schedule_event(forgive_less, at=20.5)
        model.schedule_event(forgive_again, at=40.5)
        runs.append(model.run())
        model = tiny(engine=engine)
        model.run_for(20)
        model = pickle.loads(pickle.dumps(model.change({"trust.loss": 0.5})))
        model.run_for(20)
        runs.append(copy.copy(model).change({"trust.loss": 0.13}).run())
    for other in runs[1:]:
        assert_same(runs[0], other)
        assert other.events.equals(runs[0].events)


def test_parameters_given_are_left_as_they_were(tiny):
    model = tiny()
    given = model.parameters
    assert changed(given, {}) == given
    model.change({"trust.loss": 0.2})
    assert (given.trust.loss, model.parameters.trust.loss) == (0.13, 0.2)
