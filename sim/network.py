"""Who sees whom plan: generators on arrays, and the NetworkX graph when somebody asks for it.

A network is undirected, without self-loops or parallel ties. Generators return tie lists; one
function turns them into adjacency arrays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from scipy.sparse import coo_array, csr_array

from sim._numba import njit
from sim.layout import Layout, Ties
from sim.parameters import Network
from sim.schema import InvalidInput
from sim.streams import CROSS_TIES, TIES, stream

if TYPE_CHECKING:
    from sim.state import State

#: Planners times ties beyond which shortest paths are not counted: some minutes of computing.
MOST_PATHS = 3 * 10**10


def draw_ties(network: Network, layout: Layout, seed: int) -> Ties:
    """Ties of a generated network, as two arrays of planner rows."""
    if network.kind == "blocks":
        return blocks(network, layout, seed)
    generator, rows = stream(seed, CROSS_TIES), layout.rows_by_unit_name  # by name: the order of units changes nothing
    if network.kind == "small_world":
        source, target = small_world(layout.n_users, network.ties, network.rewired, generator)
    else:
        source, target = scale_free(layout.n_users, network.ties, generator)
    return rows[source], rows[target]


def blocks(network: Network, layout: Layout, seed: int) -> Ties:
    """Dense teams, sparse units, few ties across: a block model.

    Inside a team each pair is tied with the probability that gives ``team_ties`` on average. Ties to
    other teams of the unit, and to other units, join planners drawn at random; a pair that falls into
    one team (or unit) is dropped, so that many more are drawn.
    """
    i, j, chance, pairs = layout.pairs
    first, last = layout.unit_users()
    members = last - first
    apart = layout.apart_in_unit
    wanted = np.where(apart > 0, np.rint(0.5 * network.unit_ties * members / np.maximum(apart, 1e-12)), 0).astype(np.int64)
    drawn = [stream(seed, TIES, name).random(k + 2 * n) for name, k, n in zip(layout.unit_names, pairs, wanted, strict=True)]

    kept = np.concatenate([u[:k] for u, k in zip(drawn, pairs, strict=True)]) < network.team_ties * chance
    base, span = np.repeat(first, wanted), np.repeat(members, wanted)
    ends = [
        base
        + (np.concatenate([u[k + s * n : k + (s + 1) * n] for u, k, n in zip(drawn, pairs, wanted, strict=True)]) * span).astype(np.int64)
        for s in (0, 1)
    ]
    proper = layout.team_of_user[ends[0]] != layout.team_of_user[ends[1]]
    sources, targets = [i[kept], ends[0][proper]], [j[kept], ends[1][proper]]

    apart_units = 1.0 - float(np.sum((members / layout.n_users) ** 2))
    if len(members) > 1:
        n = round(0.5 * network.cross_ties * layout.n_users / apart_units)
        across = layout.rows_by_unit_name[(stream(seed, CROSS_TIES).random((2, n)) * layout.n_users).astype(np.int64)]
        unit_of = layout.unit_of_user
        proper = unit_of[across[0]] != unit_of[across[1]]
        sources.append(across[0, proper])
        targets.append(across[1, proper])
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
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.uint32)


def matrix(n: int, ties: Ties) -> csr_array:
    """Adjacency as a sparse matrix of ones; shape (n, n)."""
    first, peers = adjacency(n, ties)
    return csr_array((np.ones(len(peers), np.int8), peers.astype(np.int32), first.astype(np.int32)), shape=(n, n))


def simple_ties(n: int, given: Ties, where: str, notes: list[str], weights: np.ndarray | None = None, least: float = 0.0) -> Ties:
    """Undirected ties, each once, no self-loops; what was dropped, and separate parts, are noted.

    Args:
        n: planners.
        given: planner rows, in either direction, repeated or not.
        where: what the ties were read from, for the notes.
        notes: takes the notes.
        weights: weight of each given tie; one each where it is None.
        least: a pair whose weights, both directions together, sum up to less is no tie.
    """
    low, high = np.minimum(*given), np.maximum(*given)
    proper = low != high
    once, pair = np.unique(low[proper] * n + high[proper], return_inverse=True)
    loops, repeated = len(low) - int(proper.sum()), int(proper.sum()) - len(once)
    if loops:
        notes.append(f"{where}: dropped {loops} self-loops (ties of a planner to itself)")
    if repeated:
        notes.append(f"{where}: dropped {repeated} duplicates (ties listed more than once, in either direction)")
    strong = np.bincount(pair, None if weights is None else weights[proper], minlength=len(once)) >= least
    if not strong.all():
        notes.append(f"{where}: dropped {int((~strong).sum())} of {len(once)} ties, of a weight below {least:g}")
    ties = once[strong] // n, once[strong] % n
    from scipy.sparse.csgraph import connected_components  # a drawn network needs none of it

    parts, part_of = connected_components(matrix(n, ties), directed=False)
    if parts > 1:
        largest = np.bincount(part_of).max()
        notes.append(f"{where}: the network has {parts} connected components; the largest has {largest} planners")
    return ties


def betweenness(first: np.ndarray, peers: np.ndarray) -> np.ndarray:
    """Betweenness of each planner (Freeman 1977): over all pairs of others, the share of their shortest paths that pass; shape (n,).

    Raises:
        InvalidInput: where planners times ties exceed :data:`MOST_PATHS`.
    """
    work = (len(first) - 1) * len(peers)
    if work > MOST_PATHS:
        raise InvalidInput("strategy.placement", "between", f"a network of at most {MOST_PATHS:.0e} planners x ties; this has {work:.0e}")
    return _betweenness(first.tobytes(), peers.tobytes()).copy()


@lru_cache(maxsize=8)  # a network from a file is the same in every run
def _betweenness(first: bytes, peers: bytes) -> np.ndarray:
    return _count_paths(np.frombuffer(first, np.int64), np.frombuffer(peers, np.uint32))


@njit(cache=True)
def _count_paths(first, peers):
    """Brandes' algorithm (2001): a breadth-first search from every planner, then dependencies summed on the way back.

    Compiled here, because NetworkX takes some ten seconds for a thousand planners of thirty ties, which a study of many
    drawn networks pays in every run.
    """
    n = len(first) - 1
    total, paths, depends = np.zeros(n), np.zeros(n), np.zeros(n)
    far, order = np.full(n, -1), np.empty(n, np.int64)
    for source in range(n):
        order[0], reached, at = source, 1, 0
        far[source], paths[source] = 0, 1.0
        while at < reached:
            i = order[at]
            at += 1
            for k in range(first[i], first[i + 1]):
                j = peers[k]
                if far[j] < 0:
                    far[j] = far[i] + 1
                    order[reached] = j
                    reached += 1
                if far[j] == far[i] + 1:
                    paths[j] += paths[i]
        for back in range(reached - 1, 0, -1):
            j = order[back]
            for k in range(first[j], first[j + 1]):
                i = peers[k]
                if far[i] == far[j] - 1:
                    depends[i] += paths[i] / paths[j] * (1.0 + depends[j])
            total[j] += depends[j] / 2.0  # each pair is met from both of its ends
        for k in range(reached):
            far[order[k]], paths[order[k]], depends[order[k]] = -1, 0.0, 0.0
    return total


def as_graph(state: State) -> nx.Graph:
    """The network as a NetworkX graph; nodes carry ``unit``, ``team`` and, where given, ``name``."""
    graph: nx.Graph = nx.Graph()
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
