"""Networks of the same people: the one of the files, and generated ones with as many ties."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import networkx as nx
import numpy as np

from experiments.patterns.arms import rewired
from sim.layout import Layout, Ties
from sim.network import draw_ties
from sim.organisation import layout
from sim.parameters import Network, Parameters
from sim.schema import InvalidInput

TRIES = 60  # at drawing a network of so many ties, each with more than the last


def organisation(p: Parameters) -> tuple[Layout, np.ndarray]:
    """The layout of the organisation that the files describe, and its ties, [2, ties]."""
    place = layout(p)
    if place.ties is None:
        raise InvalidInput("network.kind", p.network.kind, "edges, a network read from files")
    return place, simple(place.ties)


def simple(ties: Ties) -> np.ndarray:
    """Ties once each, without self-loops, [2, ties], the lower row first and in order."""
    low, high = np.minimum(*ties), np.maximum(*ties)
    return np.unique(np.stack([low, high])[:, low != high], axis=1)


def classes_of(ties: np.ndarray, team: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """0 for ties inside a team, 1 inside a department, 2 across, [ties]."""
    a, b = ties
    return np.where(team[a] == team[b], 0, np.where(unit[a] == unit[b], 1, 2))


def drawn(kind: str, p: Parameters, seed: int) -> np.ndarray:
    """A generated network of the organisation's people with as many ties as the real one, [2, ties].

    The product's generators are asked for more ties until there are enough, and what is too many is left out at random. The block
    model has as many inside teams, inside departments and across as the real network each.

    Raises:
        InvalidInput: where a generator cannot give so many ties.
    """
    place, real = organisation(p)
    team, unit, n = place.team_of_user, place.unit_of_user, place.n_users
    of_blocks = kind == "blocks"
    wanted = np.bincount(classes_of(real, team, unit), minlength=3) if of_blocks else np.array([real.shape[1]])
    asked = 2.0 * wanted / n if of_blocks else np.array([2.0 * np.ceil(real.shape[1] / n)])
    for _ in range(TRIES):
        if of_blocks:
            network = Network("blocks", team_ties=float(asked[0]), unit_ties=float(asked[1]), cross_ties=float(asked[2]))
        else:
            network = Network(kind, ties=int(asked[0]), rewired=p.network.rewired)
        found = simple(draw_ties(network, place, seed))
        kinds = classes_of(found, team, unit) if of_blocks else np.zeros(found.shape[1], int)
        have = np.bincount(kinds, minlength=len(wanted))
        if (have >= wanted).all():
            order = np.random.Generator(np.random.SFC64([seed, 1])).permutation(found.shape[1])
            place_in_kind = np.empty(len(order), int)
            for k, most in enumerate(wanted):
                members = order[kinds[order] == k]
                place_in_kind[members] = np.arange(len(members)) - most
            return found[:, place_in_kind < 0]
        asked = np.where(have < wanted, asked * 1.1 * wanted / np.maximum(have, 1), asked) if of_blocks else asked + 2
    raise too_dense(kind, place, real)


def too_dense(kind: str, place: Layout, real: np.ndarray) -> InvalidInput:
    """What is said where a generator cannot give so many ties."""
    return InvalidInput(
        "networks", kind, f"networks that can have {real.shape[1]:,} ties among {place.n_users:,} people in these departments"
    )


@lru_cache(maxsize=8)
def graph_of(kind: str, p: Parameters, seed: int) -> nx.Graph:
    """A network of the organisation with departments and teams on its nodes: ``real``, ``rewired``, or one of :func:`drawn`.

    ``p`` holds nothing but the network (:func:`experiments.patterns.arms.network_alone`), so that arms which differ in the rest share it.

    Raises:
        InvalidInput: where a generator cannot give so many ties.
    """
    place, real = organisation(p)
    if kind == "rewired":  # each planner keeps as many ties, and nothing else is kept
        try:
            return rewired(p, seed)
        except nx.NetworkXException:
            raise too_dense(kind, place, real) from None
    graph: nx.Graph = nx.Graph()
    names = [place.unit_names[b] for b in place.unit_of_user]
    graph.add_nodes_from((i, {"unit": names[i], "team": str(t)}) for i, t in enumerate(place.team_of_user.tolist()))
    graph.add_edges_from((real if kind == "real" else drawn(kind, p, seed)).T.tolist())
    return graph


def describe(kind: str, graph: nx.Graph, reinforce: int) -> dict[str, Any]:
    """A network in numbers: what the generated ones share with the real one, and what they do not.

    ``reinforce`` is the number of peers below which nobody counts (``utility.min_peers``).
    """
    degree = np.array([d for _, d in graph.degree()])
    unit, team = nx.get_node_attributes(graph, "unit"), nx.get_node_attributes(graph, "team")
    return {
        "network": kind, "people": len(graph), "ties": graph.number_of_edges(), "most_ties": int(degree.max()),
        "spread_of_ties": float(degree.std()), "below": float((degree < reinforce).mean()),
        "in_departments": float(np.mean([unit[a] == unit[b] for a, b in graph.edges()])),
        "in_teams": float(np.mean([(unit[a], team[a]) == (unit[b], team[b]) for a, b in graph.edges()])),
        "transitivity": float(nx.transitivity(graph)),
    }  # fmt: skip
