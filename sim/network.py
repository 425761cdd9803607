"""Who sees whom plan: generators on arrays, and the NetworkX graph when somebody asks for it.

A network is undirected, without self-loops or parallel ties. Generators return tie lists; one
function turns them into adjacency arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from scipy.sparse import coo_array

from sim.parameters import Network
from sim.streams import CROSS_TIES, TIES, stream

if TYPE_CHECKING:
    from sim.enterprise import Layout
    from sim.state import State

Ties = tuple[np.ndarray, np.ndarray]


def draw_ties(network: Network, layout: Layout, seed: int) -> Ties:
    """Ties of a generated network, as two arrays of planner rows."""
    if network.kind == "small_world":
        return small_world(layout.n_users, network.ties, network.rewired, stream(seed, CROSS_TIES))
    if network.kind == "scale_free":
        return scale_free(layout.n_users, network.ties, stream(seed, CROSS_TIES))
    return blocks(network, layout, seed)


def blocks(network: Network, layout: Layout, seed: int) -> Ties:
    """Dense teams, sparse units, few ties across: a block model.

    Inside a team each pair is tied with the probability that gives ``team_ties`` on average. Ties to
    other teams of the unit, and to other units, join planners drawn at random.
    """
    first, last = layout.user_first, layout.user_last
    sources, targets = [], []
    pairs: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for b, name in enumerate(layout.unit_names):
        generator = stream(seed, TIES, name)
        teams = range(int(layout.team_first[b]), int(layout.team_last[b]))
        start, stop = int(first[teams[0]]), int(last[teams[-1]])
        sizes = (last[teams[0] : teams[-1] + 1] - first[teams[0] : teams[-1] + 1]).astype(np.int64)
        if np.all(sizes == sizes[0]):  # all teams in one go
            size = int(sizes[0])
            if size > 1:
                i, j = pairs.setdefault(size, np.triu_indices(size, 1))
                kept = generator.random((len(sizes), len(i))) < network.team_ties / (size - 1)
                team, pair = np.nonzero(kept)
                base = start + team * size
                sources.append(base + i[pair])
                targets.append(base + j[pair])
        else:
            for t in teams:
                size = int(last[t] - first[t])
                if size > 1:
                    i, j = pairs.setdefault(size, np.triu_indices(size, 1))
                    kept = generator.random(len(i)) < network.team_ties / (size - 1)
                    sources.append(first[t] + i[kept])
                    targets.append(first[t] + j[kept])
        members = stop - start
        if len(sizes) > 1:  # ties to other teams; pairs inside one team are dropped, so draw more
            outside = 1.0 - float(np.sum((sizes / members) ** 2))
            wanted = int(round(0.5 * network.unit_ties * members / outside))
            ends = (generator.random((2, wanted)) * members).astype(np.int64)
            team_of = np.repeat(np.arange(len(sizes)), sizes)
            apart = team_of[ends[0]] != team_of[ends[1]]
            sources.append(start + ends[0, apart])
            targets.append(start + ends[1, apart])
    if len(layout.unit_names) > 1:
        n = layout.n_users
        unit_of = layout.unit_of_user()
        outside = 1.0 - float(np.sum((np.bincount(unit_of) / n) ** 2))
        wanted = int(round(0.5 * network.cross_ties * n / outside))
        ends = (stream(seed, CROSS_TIES).random((2, wanted)) * n).astype(np.int64)
        apart = unit_of[ends[0]] != unit_of[ends[1]]
        sources.append(ends[0, apart])
        targets.append(ends[1, apart])
    if not sources:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(sources), np.concatenate(targets)


def small_world(n: int, ties: int, rewired: float, generator: np.random.Generator) -> Ties:
    """Planners in a ring, neighbours tied, a share of ties rewired at random (Watts & Strogatz 1998).

    Rows are in team order, so that the ring's neighbours are mostly team-mates.
    """
    reach = min(ties // 2, (n - 1) // 2)
    if reach < 1:
        return np.arange(n - 1), np.arange(1, n)
    source = np.tile(np.arange(n), reach)
    target = (source + np.repeat(np.arange(1, reach + 1), n)) % n
    moved = generator.random(len(source)) < rewired
    target[moved] = (generator.random(int(moved.sum())) * n).astype(np.int64)
    return source, target


def scale_free(n: int, ties: int, generator: np.random.Generator) -> Ties:
    """Preferential attachment (Barabási & Albert 1999): each newcomer ties itself to ``ties / 2`` others.

    Every end of a tie is written down; a newcomer picks earlier ends at random, so that it meets
    planners in proportion to their ties. Newcomers arrive in random order of rows.
    """
    m = max(1, min(ties // 2, n - 1))
    if n < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    seats = np.argsort(generator.random(n), kind="stable")
    picks = generator.random((n, m))
    ends = np.empty(2 * n * m, np.int64)
    filled = 0
    for new in range(1, n):
        for k in range(min(m, new)):
            target = new - 1 - k if new <= m else ends[int(picks[new, k] * filled)]
            ends[filled + 2 * k] = new
            ends[filled + 2 * k + 1] = target
        filled += 2 * min(m, new)
    return seats[ends[:filled:2]], seats[ends[1:filled:2]]


def adjacency(n: int, ties: Ties) -> tuple[np.ndarray, np.ndarray]:
    """Adjacency arrays of an undirected network: ``peers[first[i]:first[i + 1]]`` are the peers of i.

    Self-loops are dropped, parallel ties merged. Peers are in ascending order.
    """
    source, target = ties
    proper = source != target
    source, target = source[proper], target[proper]
    matrix = coo_array(
        (np.ones(2 * len(source), np.int8), (np.concatenate([source, target]), np.concatenate([target, source]))), shape=(n, n)
    ).tocsr()
    matrix.sum_duplicates()
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)


def as_graph(state: State) -> nx.Graph:
    """The network as a NetworkX graph; nodes carry ``unit``, ``team`` and, where given, ``name``."""
    graph = nx.Graph()
    for b, unit in enumerate(state.unit_names):
        for t in range(int(state.units["first"][b]), int(state.units["last"][b])):
            team = state.team_names[t] if state.team_names else f"{unit} {t - int(state.units['first'][b]) + 1}"
            for i in range(int(state.teams["first"][t]), int(state.teams["last"][t])):
                graph.add_node(i, unit=unit, team=team)
                if state.user_names:
                    graph.nodes[i]["name"] = state.user_names[i]
    source = np.repeat(np.arange(len(state.users)), np.diff(state.peers_first))
    once = source < state.peers
    graph.add_edges_from(zip(source[once].tolist(), state.peers[once].tolist(), strict=True))
    return graph
