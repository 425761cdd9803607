"""Mesa users find what they know: agents, agent sets, data collectors, batch runs."""

from __future__ import annotations

import copy
import pickle

import mesa
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from sim import InvalidInput, RolloutModel, rule
from sim.agents import BusinessUnit, Team, User

ENGINES = ["compiled", "textbook"]


@pytest.fixture(params=ENGINES)
def model(request, tiny):
    return tiny(engine=request.param)


def test_agents_are_mesa_agents_of_their_classes(model):
    assert isinstance(model, mesa.Model)
    assert {cls: len(agents) for cls, agents in model.agents_by_type.items()} == {BusinessUnit: 3, Team: 6, User: 24}
    assert len(model.agents) == 33
    assert sorted(a.unique_id for a in model.agents) == list(range(1, 34))
    assert all(isinstance(a, User) for a in model.agents_by_type[User])
    assert model.agent_types == [BusinessUnit, Team, User]


def test_agents_know_each_other(model):
    for user in model.agents_by_type[User]:
        assert user in user.team.users
        assert user.team in user.unit.teams
        assert all(user in peer.peers for peer in user.peers)


def test_agent_sets_select_aggregate_get_set_and_do(model):
    users = model.agents_by_type[User]
    assert len(model.agents.select(agent_type=Team)) == 6
    trusting = users.select(lambda u: u.trust > 0.5)
    assert 0 < len(trusting) < len(users)
    assert users.agg("trust", np.mean) == pytest.approx(model.columns()["users"]["trust"].mean())
    users.set("trust", 0.25)
    assert set(users.get("trust")) == {0.25}
    assert (model.columns()["users"]["trust"] == 0.25).all()
    users.do(lambda u: setattr(u, "trust", u.trust + 0.5))
    assert (model.columns()["users"]["trust"] == 0.75).all()


def test_agents_follow_the_model_as_it_runs(model):
    user = model.agents_by_type[User].to_list()[0]
    unit = model.agents_by_type[BusinessUnit].to_list()[0]
    before = user.trust, unit.clean
    for _ in range(60):
        model.step()
    assert (user.trust, unit.clean) != before
    assert user.trust == model.columns()["users"]["trust"][0]


def test_what_is_set_between_steps_counts(tiny):
    runs = []
    for engine in ENGINES:
        model = tiny(engine=engine)
        for week in range(40):
            if week == 20:
                for unit in model.agents_by_type[BusinessUnit]:
                    unit.readiness[1] = 1.0
                    unit.sponsorship = 1.0
                model.agents_by_type[User].set("used", 1)
            model.step()
        runs.append(model.state.weekly.tobytes())
    assert runs[0] == runs[1] != tiny(weeks=40).run().state.weekly.tobytes()


def test_agents_are_not_removed(model):
    with pytest.raises(InvalidInput, match="replaced"):
        model.agents_by_type[User].to_list()[0].remove()


class Watched(RolloutModel):
    """Collects with agent reporters, as a Mesa user writes it."""

    def __init__(self, **given):
        super().__init__(**given)
        self.datacollector = mesa.DataCollector(
            model_reporters={"mean trust": lambda m: float(np.mean(m.agents_by_type[User].get("trust"))), "week": "week"},
            agent_reporters={"kind": lambda a: type(a).__name__},
            agenttype_reporters={User: {"trust": "trust"}, BusinessUnit: {"sponsorship": "sponsorship"}},
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_data_collector_with_all_kinds_of_reporters(engine, tiny):
    model = Watched(enterprise={"units": 2, "teams": 2, "users": 3}, weeks=12, rng=1, engine=engine).run()
    collector = model.datacollector
    frame = collector.get_model_vars_dataframe()
    assert frame["week"].tolist() == list(range(1, 13))
    np.testing.assert_allclose(frame["mean trust"], model.weekly["trust"])
    assert len(collector.get_agent_vars_dataframe()) == 12 * (2 + 4 + 12)
    assert len(collector.get_agenttype_vars_dataframe(User)) == 12 * 12


def test_the_default_collector_fills_in_what_came_before(model):
    for _ in range(5):
        model.step()
    model.datacollector  # noqa: B018  (asked for, late)
    for _ in range(5):
        model.step()
    frame = model.datacollector.get_model_vars_dataframe()
    pd.testing.assert_series_equal(frame["trust"], model.weekly["trust"])
    assert len(frame) == 10


def test_batch_run():
    rows = mesa.batch_run(
        RolloutModel,
        {"strategy": ["integration_first", "model_first"], "maturity": ["low", "high"], "enterprise": "small", "weeks": 20},
        rng=[1, 2],
        number_processes=1,
        display_progress=False,
    )
    frame = pd.DataFrame(rows)
    assert len(frame) == 8
    assert set(frame["strategy"]) == {"integration_first", "model_first"}
    one = RolloutModel(strategy="model_first", maturity="high", enterprise="small", weeks=20, rng=2).run()
    row = frame[(frame["strategy"] == "model_first") & (frame["maturity"] == "high") & (frame["rng"] == 2)].iloc[0]
    assert row["cumulative_net"] == one.outcome["net"]


def test_scheduled_events_see_every_week(tiny):
    model = tiny(weeks=10)
    seen = []

    def look():
        seen.append(model.week)

    model.schedule_event(look, at=4.5)
    model.run()
    assert seen == [4] and model.week == 10


def test_after_the_last_week_nothing_more_happens(model):
    model.run()
    weekly = model.state.weekly.tobytes()
    model.step()
    assert (model.week, model.steps, model.running, model.state.weekly.tobytes()) == (80, 80, False, weekly)


def test_the_network_is_a_networkx_graph_with_units_and_teams(model):
    graph = model.network
    assert isinstance(graph, nx.Graph) and graph.number_of_nodes() == 24
    assert nx.number_of_selfloops(graph) == 0
    users = model.agents_by_type[User].to_list()
    for node, attributes in graph.nodes(data=True):
        assert attributes["unit"] == users[node].unit.name
        assert sorted(graph.neighbors(node)) == sorted(peer.row for peer in users[node].peers)
    assert len({(a["unit"], a["team"]) for _, a in graph.nodes(data=True)}) == 6


def test_progress_and_frames(tiny):
    told = []
    model = tiny().run(progress=told.append)
    assert told[-1] == 80 and told == sorted(told)
    assert len(model.weekly) == 80 and len(model.units) == 240
    assert set(model.units["stage"].cat.categories) >= {"waiting", "live"}
    assert model.events.iloc[0]["event"] == "pilot started"
    assert model.events["words"].str.len().min() > 5


def test_an_outcome_needs_a_week(tiny):
    with pytest.raises(InvalidInput, match="outcome"):
        tiny().outcome  # noqa: B018


def test_parameters_go_alone(tiny):
    done = tiny()
    again = RolloutModel(parameters=done.parameters, rng=1)
    assert again.run().outcome == done.run().outcome
    with pytest.raises(InvalidInput, match="parameters"):
        RolloutModel(parameters=done.parameters, strategy="model_first")


def test_a_seed_is_drawn_and_kept_where_none_is_given(tiny):
    first = tiny(rng=None)
    assert tiny(rng=first.seed_used).run().outcome == first.run().outcome
    assert tiny(rng=None).seed_used != first.seed_used


def test_a_subclass_may_read_its_fields_as_it_is_made(tiny):
    class Remembering(User):
        def __init__(self, model, row):
            super().__init__(model, row)
            self.trust_at_first = self.trust

    class Model(RolloutModel):
        agent_classes = {**RolloutModel.agent_classes, User: Remembering}

    for engine in ("compiled", "textbook"):
        model = Model(enterprise="small", weeks=30, rng=1, engine=engine)
        first = model.agents_by_type[Remembering].get("trust_at_first")
        assert first == model.columns()["users"]["trust"].tolist()


@pytest.mark.parametrize("engine", ["compiled", "textbook"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
def test_a_model_whose_agents_were_looked_at_can_be_copied(engine, copied):
    model = RolloutModel(enterprise="small", weeks=30, rng=1, engine=engine)
    for _ in range(10):
        model.step()
    model.agents_by_type[User].set("trust", 0.9)
    other = copied(model)
    assert other.agents_by_type[User].get("trust") == model.agents_by_type[User].get("trust")
    assert other.run().outcome == model.run().outcome
    assert other.agents_by_type[User].get("trust") == other.columns()["users"]["trust"].tolist()


@pytest.mark.parametrize("engine", ["compiled", "textbook"])
def test_the_population_is_fixed(engine):
    model = RolloutModel(enterprise="small", weeks=30, rng=1, engine=engine)
    for action in (model.remove_all_agents, next(iter(model.agents)).remove, lambda: User.create_agents(model, 2)):
        with pytest.raises(InvalidInput, match="fixed population"):
            action()


def test_classes_of_agents_that_cannot_be_are_refused():
    for classes in ({User: User}, {**RolloutModel.agent_classes, User: Team}):
        model = type("Odd", (RolloutModel,), {"agent_classes": classes})
        for engine in ("compiled", "textbook"):
            with pytest.raises(InvalidInput, match="agent_classes"):
                model(enterprise="small", engine=engine)


def test_the_seed_is_called_rng_and_the_message_says_so():
    with pytest.raises(InvalidInput, match="rng=3"):
        RolloutModel(seed=3)


def test_a_run_that_is_over_ends_at_once_when_it_is_run_again(model):
    weekly = model.run().state.weekly.tobytes()
    model.running = True
    assert (model.run().week, model.state.weekly.tobytes()) == (80, weekly)


def test_a_model_that_was_stopped_stays_stopped_until_it_is_told_to_go_on(tiny):
    runs = [tiny(engine=engine) for engine in ENGINES]
    for model in runs:
        model.step()
        model.running = False
        assert model.run().week == 1
        model.running = True
        assert model.run().week == 80
    assert runs[0].state.weekly.tobytes() == runs[1].state.weekly.tobytes()


def test_parameters_and_the_week_are_read_only(model):
    for change in (lambda: setattr(model.p.trust, "loss", 0.0), lambda: setattr(model.p, "trust", None), lambda: setattr(model, "week", 0)):
        with pytest.raises(InvalidInput, match=r"model\.change|a new model"):
            change()


def test_agents_do_not_step_between_weeks(model):
    for _ in range(2):
        for cls in (User, Team, BusinessUnit):
            with pytest.raises(InvalidInput, match=r"model\.step\(\)"):
                model.agents_by_type[cls].shuffle_do("step")
        model.step()


def test_a_shallow_copy_shares_nothing(model):
    model.step()
    other = copy.copy(model)
    before = model.state.weekly.tobytes()
    other.run()
    assert model.week == 1 and model.state.weekly.tobytes() == before


def test_a_run_that_is_not_finite_has_no_outcome():
    class Lost(User):
        def step(self):
            super().step()
            self.trust = float("nan")  # a rule of one's own may do what a script may not

    model = type("Model", (RolloutModel,), {"agent_classes": {**RolloutModel.agent_classes, User: Lost}})
    done = model(enterprise="small", weeks=5, rng=1, engine="textbook").run()
    with pytest.raises(InvalidInput, match=r"weekly\.trust, week 1"):
        done.outcome  # noqa: B018


@pytest.mark.fault("configuration", "rules of one's own that write what no column holds", "refused: variable, value, what it holds")
@pytest.mark.parametrize(
    ("base", "name", "value", "holds"),
    [
        (User, "choice", 256, "a whole number from -128 to 127 [0 own method, 1 relied, 2 adjusted]"),
        (User, "choice", -300, "a whole number from -128 to 127"),
        (User, "champion", 0.5, "a whole number from -128 to 127 [0 or 1]"),
        (User, "experience", "long", "a number [years]"),
        (BusinessUnit, "live_week", 2.5, "a whole number [week]"),
        (BusinessUnit, "live_week", 1 << 70, "a whole number [week]"),
        (BusinessUnit, "live_week", None, "a whole number [week]"),
        (BusinessUnit, "readiness", [0.1, 0.2], "4 times a number"),
    ],
)
def test_what_no_column_holds_is_refused_by_its_name(base, name, value, holds):
    class Own(base):
        def step(user):
            User.step(user)
            setattr(user, name, value)

        def passes_review(unit, week, p):
            BusinessUnit.passes_review(unit, week, p)
            setattr(unit, name, value)

    model = type("Model", (RolloutModel,), {"agent_classes": {**RolloutModel.agent_classes, base: Own}})
    done = model(enterprise="small", weeks=1, rng=1, engine="textbook").run()
    for look in (lambda: done.outcome, lambda: done.state, done.columns):
        with pytest.raises(InvalidInput) as refused:
            look()
        said = str(refused.value)
        assert said.startswith(f"Own.{name}: {value!r} is not allowed") and holds in said and "\n" not in said


@pytest.mark.fault("configuration", "an override of disturb that returns no whole number", "refused: the rule, what it must return")
@pytest.mark.parametrize("engine", ENGINES)
def test_disturb_returns_what_happened(engine):
    class Own(BusinessUnit):
        pass

    class Model(RolloutModel):
        agent_classes = {**RolloutModel.agent_classes, BusinessUnit: Own}

    def nothing(unit, shocks, week, p):
        pass

    def sometimes(unit, shocks, week, p):
        return 1 if shocks[0] < 0.01 else None

    def half(unit, shocks, week, p):
        return 0.5

    for function in (nothing, sometimes, half) if engine == "textbook" else (nothing, sometimes):
        Own.disturb = rule(function)
        with pytest.raises(InvalidInput, match=r"^Own\.disturb: .*returns a whole number: 0, or 1 << PRIORITY_SHOCK"):
            Model(enterprise="small", weeks=2, rng=1, engine=engine).run()
    if engine == "textbook":  # compiled: in test_engines.py, together with other rules
        Own.disturb = rule(lambda unit, shocks, week, p: 0)
        quiet = Model(enterprise="small", weeks=30, rng=1, engine=engine).run()
        assert not {"priority shock", "leader left", "demand shift"} & set(quiet.events["event"])


def test_columns_are_read_only_copies(model):
    model.step()
    columns = model.columns()
    before = columns["users"].tobytes()
    for rows in columns.values():
        for name in rows.dtype.names:
            with pytest.raises(ValueError, match="read-only"):
                rows[name] *= 2
    model.step()
    assert columns["users"].tobytes() == before != model.columns()["users"].tobytes()


@pytest.mark.fault("configuration", "agents discarded, removed, added, selected or sorted in place", "refused in one line")
@pytest.mark.parametrize("whose", ["agents", "planners"])
def test_nobody_comes_or_goes(model, whose):
    agents = model.agents if whose == "agents" else model.agents_by_type[User]
    someone, before = next(iter(agents)), agents.to_list()
    for action in (
        lambda: agents.discard(someone),
        lambda: agents.remove(someone),
        lambda: agents.add(someone),
        agents.clear,
        agents.pop,
        lambda: agents.__ior__([someone]),
        lambda: agents.__isub__([someone]),
        lambda: agents.select(lambda agent: False, inplace=True),
        lambda: agents.shuffle(inplace=True),
        lambda: agents.sort("unique_id", inplace=True),
        someone.remove,
        lambda: model.deregister_agent(someone),
        lambda: User(model, 0),
    ):
        with pytest.raises(InvalidInput, match="fixed population"):
            action()
    assert agents.to_list() == before
    with pytest.raises(TypeError):
        model.agents_by_type[User] = []
    with pytest.raises(InvalidInput, match=r"model\.agents"):
        model.agents = []
    own = model.agents.select(agent_type=User)
    own.discard(own.to_list()[0])
    assert len(own) == 23 and len(own.shuffle(inplace=True).sort("unique_id", inplace=True)) == 23 and len(model.agents) == 33


@pytest.mark.fault("configuration", "state written to, attributes and lists of the model rebound or edited", "refused; read-only")
def test_what_a_model_is_made_of_is_read_only(model, tiny):
    model.step()
    columns, other = {name: rows.tobytes() for name, rows in model.columns().items()}, tiny(weeks=200)
    for name in ("parameters", "p", "state", "firm", "engine", "week", "seed_used", "events", "weekly", "units", "network"):
        with pytest.raises(InvalidInput, match=rf"^model\.{name}: "):
            setattr(model, name, getattr(other, name))
    for name in ("outcome", "agent_types"):
        with pytest.raises(InvalidInput, match=rf"^model\.{name}: 1 "):
            setattr(model, name, 1)
    with pytest.raises(InvalidInput, match="loss"):
        del model.p.trust.loss
    for lists in (model.p.strategy.effort, model.p.strategy.effort[1], model.p.platform.core_effort):
        with pytest.raises(TypeError):
            lists[0] = 9.0
    for name, rows in vars(model.state).items():
        if isinstance(rows, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                rows[...] = 0
            with pytest.raises(ValueError, match="WRITEABLE"):
                rows.flags.writeable = True
            assert rows.size, name
    model.state.unit_names.append("Atlantis")
    assert "Atlantis" not in model.state.unit_names and isinstance(model.state.changes, tuple)
    with pytest.raises(InvalidInput, match=r"model\.state\.users"):
        model.state.users = model.columns()["users"]
    with pytest.raises(InvalidInput, match=r"model\.parameters: 'del'"):
        del model.parameters
    assert {name: rows.tobytes() for name, rows in model.columns().items()} == columns


def test_the_state_is_as_it_is_now_on_both_engines(tiny):
    states = []
    for engine in ENGINES:
        model = tiny(engine=engine)
        for _ in range(10):
            model.step()
        model.firm.quality = 0.5
        states.append(model.state)
    for name in ("firm", "units", "teams", "users", "weekly", "unit_weekly"):
        assert getattr(states[0], name).tobytes() == getattr(states[1], name).tobytes()
