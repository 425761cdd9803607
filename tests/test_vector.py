"""What makes a vector loop of rules: which fields they touch, and that LLVM does make one."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys

import pytest
from llvmlite.binding import get_host_cpu_features
from test_engines import with_classes

from sim import InvalidInput, rule
from sim.agents import Team, User
from sim.arithmetic import where
from sim.engine import loops
from sim.state import OWN, TEAM, USER
from sim.vector import touched


def helper(user):
    user.threshold = 1.0


def example(user, team, unit, seen, z, p):
    user.trust += team.norm
    team.share = user.reliance
    helper(user)


def test_the_fields_that_rules_touch_are_found():
    assert touched([example], 0, USER) == ("trust", "reliance", "threshold")
    assert set(touched([example], 0, USER, write=True)) == {"trust", "threshold"}
    assert "norm" in touched([example], 1, TEAM) and "share" in touched([example], 1, TEAM, write=True)
    assert touched([User.decide], 1, TEAM) == ("channel_fit", "norm", "load")


class Practised(User):
    @rule
    def practise(user, team, unit, p):
        used = where(user.choice != OWN, 1.0, 0.0)
        user.reliance += p.habit.pace * (used - user.reliance)


def wide() -> bool:
    """Whether LLVM has vectors of four or eight here, with whole numbers too."""
    return "+avx2" in get_host_cpu_features().flatten()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of instructions are those of x86-64")
def test_the_hot_loops_are_vector_loops_with_a_rule_of_ones_own_too():
    """Draws and rules are in vector instructions (102 multiplications); scalar ones only finish what is left of a block."""
    with_classes(user=Practised)(weeks=1).run()
    (code,) = loops((("User.practise", Practised.practise),), False).decide_and_learn.inspect_asm().values()
    for operation, least in ({"sqrt": 1, "div": 5, "mul": 90} if wide() else {"sqrt": 1, "div": 1}).items():
        assert len(re.findall(rf"\bv?{operation}pd\b", code)) >= least, operation


ELSEWHERE = """
import hashlib
import numpy as np
from numba import njit
from sim.arithmetic import exp
from sim.streams import keys, planners_week

drawn = planners_week(np.array([0]), np.array([1003]), 5, keys(1, ["Brazil"]))
@njit(error_model="numpy")
def powers(x):
    for i in range(len(x)):
        x[i] = exp(x[i])
x = drawn[1].copy()
powers(x)
print(hashlib.sha256(np.concatenate([*drawn, x]).tobytes()).hexdigest())
"""


def test_other_processors_give_the_same_bits(tmp_path):
    """With vectors of two, of four, and as wide as they come here."""
    found = set()
    for processor in ("x86-64", "haswell", "") if platform.machine() == "x86_64" else ("", ""):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / f"as-{processor}")}
        if processor:
            environment |= {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": "+avx2" if processor == "haswell" else ""}
        done = subprocess.run([sys.executable, "-c", ELSEWHERE], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


class TeamWriter(User):
    @rule
    def learn(user, team, unit, seen, z, p):
        team.norm = 0.3


class TallyReader(User):
    @rule
    def decide(user, team, unit, seen, chance, p):
        user.choice = 1 if team.using < 2.0 else 0


class UnitWriter(User):
    @rule
    def practise(user, team, unit, p):
        unit.sponsorship = 0.999 * unit.sponsorship


shipped = User.accumulate


class Adder(User):
    @rule
    def accumulate(user, team, p):
        shipped(user, team, p)
        added = team
        added.norm += 0.1 * (user.trust - added.norm)


class Shower(User):
    @rule
    def abstain(user, p):
        user.used = 0


def test_what_peers_see_is_kept_by_the_model():
    with pytest.raises(InvalidInput, match=r"Shower\.abstain.*user\.used"):
        with_classes(user=Shower)()


class Greedy(User):
    @rule
    def practise(user, team, unit, p):
        p.trust.loss = 0.9


class Greedier(User):
    @rule
    def practise(user, team, unit, p):
        trust = p.trust
        trust.loss += 0.1


class GreedyTeam(Team):
    @rule
    def meet(team, p):
        p.platform.core_effort[0] = 1.0


def test_parameters_are_read_only_in_a_team_s_rules():
    with pytest.raises(InvalidInput, match=r"Team\.meet.*readonly"):
        with_classes(team=GreedyTeam)(weeks=1).run()


class Subtracter(User):
    @rule
    def abstain(user, p):
        user.choice = OWN
        user.threshold += 0.001 * (user.champion - 1)


def test_small_whole_numbers_have_signs():
    a, b = (with_classes(user=Subtracter)(engine=engine).run() for engine in ("compiled", "textbook"))
    assert (a.columns()["users"]["threshold"] == b.columns()["users"]["threshold"]).all()


@pytest.mark.parametrize("cls", [Greedy, Greedier])
def test_parameters_are_read_only_in_rules(cls):
    with pytest.raises(InvalidInput, match=r"User\.practise.*loss is only read"):
        with_classes(user=cls)(weeks=1).run()


@pytest.mark.parametrize("cls", [TeamWriter, TallyReader, UnitWriter, Adder])
def test_rules_that_touch_more_than_a_planner_run_one_planner_at_a_time_and_say_so(cls):
    compiled, textbook = (with_classes(user=cls)(engine=engine).run() for engine in ("compiled", "textbook"))
    assert compiled.weekly.equals(textbook.weekly) and compiled.units.equals(textbook.units)
    assert [note for note in compiled.state.notes if "one at a time" in note] and not textbook.state.notes
