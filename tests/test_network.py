"""Networks have the ties they promise."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from sim import InvalidInput, RolloutModel, network
from sim.network import adjacency, betweenness, scale_free, small_world
from sim.streams import CROSS_TIES, stream


def mean_ties(model):
    """Mean ties of a planner inside the team, in the unit outside it, and beyond."""
    state, n = model.state, len(model.state.users)
    source = np.repeat(np.arange(n), np.diff(state.peers_first))
    team = np.repeat(np.arange(len(state.teams)), state.teams["last"] - state.teams["first"])
    unit = np.repeat(np.arange(len(state.units)), state.units["users"])
    same_team, same_unit = team[source] == team[state.peers], unit[source] == unit[state.peers]
    return same_team.sum() / n, (same_unit & ~same_team).sum() / n, (~same_unit).sum() / n


def test_blocks_have_the_mean_ties_of_their_parameters():
    rows = np.array([mean_ties(RolloutModel(rng=seed)) for seed in range(20)])
    np.testing.assert_allclose(rows.mean(axis=0), [5, 2, 0.3], rtol=0.06)


def test_blocks_with_teams_of_any_size(tmp_path):
    rows = np.array([mean_ties(RolloutModel(rng=s, enterprise={"units": 2, "teams": 5, "users": 20})) for s in range(20)])
    np.testing.assert_allclose(rows.mean(axis=0), [5, 2, 0.3], rtol=0.1)


def test_one_team_and_one_unit_have_no_ties_elsewhere():
    assert mean_ties(RolloutModel(rng=1, enterprise={"units": 1, "teams": 1, "users": 9}))[1:] == (0, 0)


def test_a_small_world_without_rewiring_is_a_ring():
    first, peers = adjacency(20, small_world(20, 4, 0.0, stream(1, CROSS_TIES)))
    for i in range(20):
        assert sorted(peers[first[i] : first[i + 1]]) == sorted((i + k) % 20 for k in (-2, -1, 1, 2))


def test_a_scale_free_network_grows_hubs_as_barabasi_and_albert_s_does():
    n, m = 4000, 4
    first, _ = adjacency(n, scale_free(n, 2 * m, stream(1, CROSS_TIES)))
    degree = np.diff(first)
    reference = np.array([d for _, d in nx.barabasi_albert_graph(n, m, seed=1).degree()])
    assert degree.min() >= 1 and degree.mean() == pytest.approx(reference.mean(), rel=0.05)
    assert 0.5 < degree.max() / reference.max() < 2
    for k in (8, 16, 32):  # the tail falls with the square of the degree, in both
        assert (degree >= k).mean() == pytest.approx((reference >= k).mean(), rel=0.25)


def test_adjacency_is_symmetric_and_simple():
    first, peers = adjacency(4, (np.array([0, 0, 1, 2, 1]), np.array([1, 1, 0, 2, 2])))
    assert first.tolist() == [0, 1, 3, 4, 4]
    assert peers.tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize("seed", range(4))
def test_betweenness_is_networkx_s(seed):
    """On networks with many parts, many equal paths, and planners without ties."""
    graph = nx.gnm_random_graph(60, 30 + 60 * seed, seed=seed)
    source, target = (np.array(ends, np.int64) for ends in zip(*graph.edges(), strict=True))
    found = betweenness(*adjacency(60, (source, target)))
    expected = nx.betweenness_centrality(graph, normalized=False)
    np.testing.assert_allclose(found, [expected[i] for i in range(60)], rtol=1e-9, atol=1e-9)


def test_betweenness_of_a_network_too_large_is_refused_before_it_begins(monkeypatch):
    monkeypatch.setattr(network, "MOST_PATHS", 768 * 100)
    with pytest.raises(InvalidInput, match=r"strategy.placement.*planners x ties"):
        RolloutModel(rng=1, **{"strategy.placement": "between", "strategy.champions": 0.1})
    RolloutModel(rng=1, **{"strategy.placement": "between"})  # nobody to place


def test_a_disconnected_network_runs_and_says_so():
    graph = nx.disjoint_union(nx.complete_graph(12), nx.complete_graph(12))
    model = RolloutModel(network=graph, rng=1, weeks=30, **{"enterprise.units": 2}).run()
    assert len(model.weekly) == 30
    assert any("component" in note for note in model.state.notes)
