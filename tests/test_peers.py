"""The benchmark's other ways of computing a week: the same rules, and the same people come to the same."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.benchmark import peers
from sim.state import OWN


@pytest.fixture(scope="module")
def start():
    return peers.start_of(peers.product(768, 1))


def test_the_rules_on_columns_are_the_product_s_planner_by_planner():
    generator = np.random.default_rng(1)
    trust, reliance, seen, chance = generator.random((4, 200))
    threshold, log_own_error, z = generator.standard_normal((3, 200))
    together = peers.columns_week(trust, reliance, threshold, log_own_error, seen, chance, z)
    for i in range(200):
        user = SimpleNamespace(trust=trust[i], reliance=reliance[i], threshold=threshold[i], log_own_error=log_own_error[i])
        peers.SimpleUser.decide(user, None, None, seen[i], chance[i], None)
        peers.SimpleUser.learn(user, None, None, seen[i], z[i], None)
        peers.SimpleUser.practise(user, None, None, None)
        assert [user.choice != OWN, user.trust, user.reliance] == pytest.approx([column[i] for column in together], rel=1e-12)


def test_peers_are_counted_alike(start):
    used = np.random.default_rng(2).random(len(start.trust)) < 0.3
    mean = [used[start.sees.indices[i:j]].mean() for i, j in zip(start.sees.indptr, start.sees.indptr[1:], strict=False)]
    for sparse in (False, True):
        np.testing.assert_allclose(peers.using_peers(start, sparse)(used), mean, rtol=1e-12)


def test_as_many_use_it_whoever_computes(start):
    weeks = 15
    columns = [peers.numpy_columns(start, weeks, sparse)() for sparse in (False, True)]
    assert columns[0] == columns[1]
    rise = peers.numpy_columns(start, 1)()
    assert columns[0] > rise + 0.05  # there is something to agree on
    assert peers.mesa_agents(start, weeks)() == pytest.approx(columns[0], abs=0.09)  # five standard deviations of 768 planners' difference
