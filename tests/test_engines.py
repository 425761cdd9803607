"""The two engines give the same bits, and a rule overridden is a rule overridden in both."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from sim import InvalidInput, RolloutModel, engine, rule, textbook, weeks
from sim.agents import BusinessUnit, Team, User
from sim.presets import available


def assert_same(a: RolloutModel, b: RolloutModel) -> None:
    """Every column, weekly record, event and outcome equal, bit for bit."""
    for table, rows in a.columns().items():
        other = b.columns()[table]
        for name in rows.dtype.names:
            assert rows[name].tobytes() == other[name].tobytes(), f"{table}.{name}"
    assert a.state.weekly.tobytes() == b.state.weekly.tobytes()
    assert a.state.unit_weekly.tobytes() == b.state.unit_weekly.tobytes()
    happened = int(a.state.firm["events"][0])
    assert a.state.events[:happened].tobytes() == b.state.events[:happened].tobytes()
    assert a.outcome == b.outcome


@pytest.mark.parametrize("maturity", ["low", "middle", "high"])
@pytest.mark.parametrize("strategy", available("strategy"))
def test_every_strategy_and_maturity_gives_the_same_bits(tiny, strategy, maturity):
    for seed in (1, 2):
        runs = [tiny(strategy=strategy, maturity=maturity, rng=seed, weeks=100, engine=e).run() for e in ("compiled", "textbook")]
        assert_same(*runs)


@pytest.mark.parametrize("network", ["small_world", "scale_free"])
def test_other_networks_give_the_same_bits(tiny, network):
    assert_same(*(tiny(network=network, engine=e).run() for e in ("compiled", "textbook")))


def test_champions_on_most_paths_give_the_same_bits(tiny):
    given = {"strategy.champions": 0.25, "strategy.placement": "between"}
    assert_same(*(tiny(engine=e, **given).run() for e in ("compiled", "textbook")))


def test_the_default_enterprise_gives_the_same_bits():
    assert_same(RolloutModel(rng=4).run(), RolloutModel(rng=4, engine="textbook").run())


def test_odd_parameters_give_the_same_bits(tiny):
    odd = {
        "people.turnover": 20.0,
        "disturbance.priority": 40.0,
        "disturbance.leader": 30.0,
        "trust.noise": 5.0,
        "utility.min_peers": 1,
        "strategy.champions": 0.4,
        "strategy.override": "forbidden",
        "platform.swan": 1.0,
        "support.cap": 0.0,
        "outcomes.purgatory": 0.9,
    }
    assert_same(*(tiny(engine=e, **odd).run() for e in ("compiled", "textbook")))


def test_steps_and_a_run_in_one_go_agree(tiny):
    stepped = tiny()
    for _ in range(80):
        stepped.step()
    assert_same(stepped, tiny().run())
    assert stepped.steps == 80


def test_threads_give_the_same_bits(tiny, monkeypatch):
    alone = tiny(enterprise={"units": 5, "teams": 3, "users": 7}).run()
    monkeypatch.setattr(engine, "SHARED", 0)
    for cores in (2, 3, 8):
        monkeypatch.setattr(engine.os, "cpu_count", lambda cores=cores: cores)
        assert_same(alone, tiny(enterprise={"units": 5, "teams": 3, "users": 7}).run())


def test_a_run_may_be_stopped_and_changed_on_the_way(tiny, monkeypatch):
    monkeypatch.setattr("sim.engine.AT_ONCE", 24 * 10)  # ten weeks of the tiny enterprise
    model, other = tiny(), tiny(engine="textbook")
    model.run(lambda week: setattr(model, "running", week < 30))
    assert model.week == 30
    model.running = True
    model.run(lambda week: model.change({"trust.loss": 0.9}) if week == 40 else None)
    for _ in range(40):
        other.step()
    assert_same(model, other.change({"trust.loss": 0.9}).run())


base = User.learn


class StubbornUser(User):
    """Somebody whose trust never moves: what the rule that is replaced makes of it goes elsewhere."""

    @rule
    def learn(user, team, unit, seen, z, p):
        trust = user.trust
        base(user, team, unit, seen, 0.5 * z, p)
        user.understanding = user.trust
        user.trust = trust


class IdleUser(User):
    @rule
    def learn(user, team, unit, seen, z, p):
        pass


class UndecoratedUser(User):
    def learn(self, team, unit, seen, z, p):
        pass


class ForgetfulTeam(Team):
    @rule
    def meet(team, p):
        team.share = 0.0
        team.trust = team.trust / (team.last - team.first)
        team.reliance = team.reliance / (team.last - team.first)


class GenerousUnit(BusinessUnit):
    @rule
    def contribute(unit, week, p):
        unit.own_effort = 1.5

    @rule
    def disturb(unit, shocks, week, p):
        return 0


class BrokenUser(User):
    @rule
    def learn(user, team, unit, seen, z, p):
        user.no_such_field = str(z)


class MisspeltUser(User):
    @rule
    def learn(user, team, unit, seen, z, p):
        user.trst = 0.5


class ShortUser(User):
    @rule
    def learn(user, team, unit, p):
        pass


def with_classes(**classes):
    named = {"user": User, "team": Team, "unit": BusinessUnit}

    class Changed(RolloutModel):
        agent_classes = {**RolloutModel.agent_classes, **{named[key]: cls for key, cls in classes.items()}}

    return lambda **given: Changed(**{"enterprise": "small", "weeks": 40, "rng": 1, **given})


def test_an_overridden_rule_acts_on_both_engines():
    """One of a planner, which calls the one that it replaces, one of a team, and two of a unit: compiled together, which takes seconds."""
    make = with_classes(user=StubbornUser, team=ForgetfulTeam, unit=GenerousUnit)
    compiled, textbook = make().run(), make(engine="textbook").run()
    assert_same(compiled, textbook)
    start = make(engine="textbook").columns()["users"]["trust"].copy()
    stayed = compiled.columns()["users"]["disposition"] == make().columns()["users"]["disposition"]
    assert stayed.any() and not stayed.all()  # newcomers have the trust of newcomers
    np.testing.assert_array_equal(compiled.columns()["users"]["trust"][stayed], start[stayed])
    assert (compiled.columns()["users"]["understanding"][stayed] != start[stayed]).any()
    assert compiled.weekly["own_effort"].max() > 1.5 > RolloutModel(enterprise="small", weeks=40, rng=1).run().weekly["own_effort"].max()
    assert (compiled.columns()["teams"]["norm"] == 0).all()
    shocks = {"priority shock", "leader left", "demand shift"}
    assert not shocks & set(compiled.events["event"]) and shocks & set(
        RolloutModel(enterprise="small", weeks=40, rng=1).run().events["event"]
    )
    assert compiled.outcome != RolloutModel(enterprise="small", weeks=40, rng=1).run().outcome


def test_an_override_without_the_decorator_is_refused_by_the_compiled_engine_only():
    with pytest.raises(InvalidInput, match=r"UndecoratedUser.learn.*sim.rule.*textbook"):
        with_classes(user=UndecoratedUser)()
    plain = with_classes(user=UndecoratedUser)(engine="textbook").run()
    decorated = with_classes(user=IdleUser)(engine="textbook").run()
    assert plain.outcome == decorated.outcome


def test_a_rule_that_numba_cannot_compile_is_one_line():
    with pytest.raises(InvalidInput) as raised:
        with_classes(user=BrokenUser)().run()
    assert len(str(raised.value)) < 600
    with pytest.raises(InvalidInput, match=r"User\.learn.*'trst'"):
        with_classes(user=MisspeltUser)().run()
    with pytest.raises(InvalidInput, match=r"ShortUser\.learn.*user, team, unit, seen, z, p"):
        with_classes(user=ShortUser)()


SCRIPT = """
import hashlib
from sim import RolloutModel
m = RolloutModel(rng=5, enterprise="small", weeks=60, strategy="random_allocation").run()
done = hashlib.sha256(m.state.weekly.tobytes() + m.state.users.tobytes()).hexdigest()
print(done)
"""


@pytest.fixture(scope="module")
def here():
    """What the script says in this process, whose hash seed is none of those below."""
    names: dict[str, str] = {}
    exec(SCRIPT, names)
    return names["done"]


def run_script(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_bounds_checked_and_uncompiled_code_in_processes_with_two_hash_seeds_give_the_same_bytes(here, tmp_path):
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_OPT": "0", "NUMBA_CACHE_DIR": str(tmp_path / "checked")}
    assert run_script(PYTHONHASHSEED="1", **checked) == here
    assert run_script(PYTHONHASHSEED="2", NUMBA_DISABLE_JIT="1") == here


def test_no_field_hides_behind_an_attribute_of_numpy():
    from sim import state
    from sim.configuration import PARAMETER_DTYPE

    def names(dtype):
        for name in dtype.names:
            yield name
            if dtype[name].names:
                yield from names(dtype[name])

    tables = [PARAMETER_DTYPE, state.USER, state.TEAM, state.UNIT, state.FIRM, state.WEEK, state.UNIT_WEEK, state.EVENT]
    assert not {name for table in tables for name in names(table)} & set(dir(np.record))


def test_the_week_is_numbered_alike_in_the_table_and_in_both_engines():
    table = [line.split("|")[1:3] for line in (RolloutModel.step.__doc__ or "").splitlines() if re.match(r"\s*\| \d", line)]
    wanted = [f"{number.strip()} {phase.strip()}" for number, phase in table]
    assert len(wanted) == 13
    compiled = "".join(inspect.getsource(part.py_func) for part in (weeks.before_planners, weeks.many_weeks, weeks.after_planners))
    plain = "".join(inspect.getsource(part) for part in (textbook._before_planners, textbook._week, textbook._after_planners))
    for week in (plain, compiled):
        assert re.findall(r"# (\d+ [a-z ]+)$", week, re.M) == wanted
