"""An organisation from a NetworkX graph: nodes are planners, with ``unit``, ``team`` and ``name`` where they are known."""

from __future__ import annotations

import networkx as nx
import numpy as np

from sim.layout import MOST_USERS, Layout
from sim.names import label, look_alikes, named
from sim.network import simple_ties
from sim.organisation.teams import near_equal, neighbours_together, seated, with_teams
from sim.parameters import Parameters
from sim.schema import InvalidInput


def from_graph(graph: nx.Graph, p: Parameters) -> Layout:
    """The layout of a graph's nodes; what they do not say is formed of their ties.

    Raises:
        InvalidInput: the graph is empty or too large, or an attribute is no name.
    """
    notes: list[str] = []
    if p.network.unplaced == "drop":
        graph = _with_unit(graph, notes)
    n = len(graph)
    if n == 0:
        raise InvalidInput("network", "an empty graph", "a graph with at least one node")
    if n > MOST_USERS:
        raise InvalidInput("network", n, f"at most {MOST_USERS:,} planners")
    rows = {node: row for row, node in enumerate(graph)}
    pairs = np.array([(rows[a], rows[b]) for a, b in graph.edges()], np.int64).reshape(-1, 2)
    ties = simple_ties(n, (pairs[:, 0], pairs[:, 1]), "the graph", notes)
    units, teams, names = (_attribute(graph, name, notes) for name in ("unit", "team", "name"))
    user_names = names or [named("network, a node", label(node)) for node in graph]
    look_alikes(user_names, "the graph's nodes", notes)
    if len(set(user_names)) < n:
        notes.append(f"the graph's nodes: {n - len(set(user_names))} have the name of another one")
    if units is None:
        count = min(p.enterprise.units, n)
        if count < p.enterprise.units:
            notes.append(f"{p.enterprise.units} units were asked for; the graph has planners for {count}")
        unit_of = np.empty(n, np.int64)
        unit_of[neighbours_together(n, ties)] = np.repeat(np.arange(count), near_equal(n, count))
        return with_teams([f"Unit {b + 1}" for b in range(count)], unit_of, ties, p.network.team_size, user_names, notes)
    look_alikes(units, "the graph's units", notes)
    first_of = {name: row for row, name in enumerate(dict.fromkeys(units))}
    unit_of = np.array([first_of[name] for name in units])
    if teams is None:
        return with_teams(list(first_of), unit_of, ties, p.network.team_size, user_names, notes)
    look_alikes(teams, "the graph's teams", notes)
    return seated(list(first_of), unit_of, teams, ties, user_names, notes)


def _with_unit(graph: nx.Graph, notes: list[str]) -> nx.Graph:
    """The part of a graph whose nodes have a unit, if some have; the others are counted."""
    placed = [node for node, unit in graph.nodes(data="unit") if label(unit)]
    if not 0 < len(placed) < len(graph):
        return graph
    notes.append(f"the graph: dropped {len(graph) - len(placed)} of {len(graph)} nodes, which have no unit")
    return graph.subgraph(placed)


def _attribute(graph: nx.Graph, name: str, notes: list[str]) -> list[str] | None:
    """An attribute of all nodes as text, or None; one that some nodes lack is not used, which is noted."""
    values = [label(value) for _, value in graph.nodes(data=name)]
    has = sum(map(bool, values))
    if 0 < has < len(graph):
        rest = "; network.unplaced=drop leaves the others out" if name == "unit" else ""
        notes.append(f"«{name}» is on {has} of {len(graph)} nodes of the graph only, and was not used{rest}")
    if has < len(graph):
        return None
    return [named(f"network, «{name}» of a node", value) for value in values]
