"""Organisations from NetworkX graphs: nodes and attributes as people make them, also from pandas."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from test_organisation import textbook, tied, unit_of

from sim import RolloutModel
from sim.configuration import resolve
from sim.organisation import layout
from sim.schema import InvalidInput


def test_a_graph_with_units_and_teams_keeps_them() -> None:
    graph = nx.Graph()
    for node, home in {"d": "B one", "a": "A two", "b": "A one", "c": "A two", "e": "B one", "f": "B three"}.items():
        unit, team = home.split()
        graph.add_node(node, unit=unit, team=team)
    graph.add_edges_from([("a", "b"), ("c", "d"), ("a", "a"), ("d", "e")])
    result = layout(resolve({"network": {"kind": "graph"}}, {}), graph)
    assert result.unit_names == ["B", "A"] and result.team_names == ["one", "three", "two", "one"]
    assert result.user_names == ["d", "e", "f", "a", "c", "b"]
    assert result.team_first.tolist() == [0, 2] and result.user_first.tolist() == [0, 2, 3, 5]
    assert tied(result) == {frozenset(pair) for pair in (("a", "b"), ("c", "d"), ("d", "e"))}
    assert any("1 self-loops" in note for note in result.notes)


def test_the_network_of_a_model_gives_the_same_model() -> None:
    first = textbook(10, enterprise="small").run()
    again = textbook(10, network=first.network).run()
    assert again.state.unit_names == first.state.unit_names
    assert again.weekly.equals(first.weekly)


def test_a_graph_without_units_is_cut_where_neighbours_stay_together() -> None:
    blocks = nx.disjoint_union_all([nx.complete_graph(10) for _ in range(4)])
    order = np.random.Generator(np.random.PCG64(2)).permutation(40).tolist()
    graph = nx.Graph()
    graph.add_nodes_from(order)
    graph.add_edges_from(blocks.edges)
    model = textbook(enterprise={"units": 4}, network=graph).run()
    result = layout(resolve({"network": {"kind": "graph", "team_size": 5}, "enterprise": {"units": 4}}, {}), graph)
    assert result.unit_names == ["Unit 1", "Unit 2", "Unit 3", "Unit 4"] == model.state.unit_names
    homes = unit_of(result)
    assert all(homes[str(i)] == homes[str(10 * (i // 10))] for i in range(40))
    assert (result.user_last - result.user_first).tolist() == [5] * 8
    assert any("4 connected components" in note for note in result.notes)


@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_graphs_become_simple_and_undirected(kind: type[nx.Graph]) -> None:
    graph = kind([(1, 2), (2, 1), (2, 3), (3, 3)])
    result = layout(resolve({"network": {"kind": "graph"}, "enterprise": {"units": 1}}, {}), graph)
    assert tied(result) == {frozenset("12"), frozenset("23")}
    assert any("1 self-loops" in note for note in result.notes) and any("1 duplicates" in note for note in result.notes)
    assert layout(resolve({"network": {"kind": "graph"}}, {}), nx.Graph([(1, 2)])).notes[0].startswith("12 units were asked for")


def test_attributes_on_some_nodes_only_are_noted() -> None:
    graph = nx.path_graph(6)
    graph.nodes[0]["unit"] = "A"
    result = layout(resolve({"network": {"kind": "graph"}, "enterprise": {"units": 2}}, {}), graph)
    assert result.unit_names == ["Unit 1", "Unit 2"] and "1 of 6 nodes" in result.notes[0]


NOTHING = [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT]


@pytest.mark.parametrize("nothing", NOTHING, ids=str)
@pytest.mark.parametrize("attribute", ["unit", "team", "name"])
@pytest.mark.fault("files", "what pandas makes of None, as an attribute of a node", "missing: noted, or dropped and counted on request")
def test_missing_values_of_pandas_are_missing(nothing: object, attribute: str) -> None:
    graph = nx.path_graph(6)
    nx.set_node_attributes(graph, {i: {"unit": "A", "team": f"t{i % 2}", "name": f"p{i}"} for i in graph})
    graph.nodes[5][attribute] = nothing
    result = layout(resolve({"network": {"kind": "graph"}, "enterprise": {"units": 2}}, {}), graph)
    assert any(f"«{attribute}» is on 5 of 6 nodes" in note for note in result.notes)
    assert "nan" not in " ".join([*result.unit_names, *(result.team_names or []), *(result.user_names or [])]).lower()
    dropped = layout(resolve({"network": {"kind": "graph", "unplaced": "drop"}}, {}), graph)
    assert dropped.n_users == (5 if attribute == "unit" else 6) and dropped.unit_names == ["A"]
    assert any("dropped 1 of 6 nodes, which have no unit" in note for note in dropped.notes) == (attribute == "unit")


def test_numbers_of_a_frame_with_gaps_are_whole() -> None:
    """Attributes from pandas: departments 1 and 2 come as 1.0 and 2.0, and as numpy's numbers."""
    frame = pd.DataFrame({"node": [1.0, 2.0, 3.0], "unit": [1, 2, None], "team": np.array([7, 8, 9], np.int64), "name": [1.5, 2, 3]})
    graph = nx.path_graph(frame["node"])
    nx.set_node_attributes(graph, frame.set_index("node").to_dict("index"))
    result = layout(resolve({"network": {"kind": "graph", "unplaced": "drop"}}, {}), graph)
    assert result.unit_names == ["1", "2"] and result.team_names == ["7", "8"] and result.user_names == ["1.5", "2"]
    assert layout(resolve({"network": {"kind": "graph"}}, {}), nx.path_graph([1.0, 2.0])).user_names == ["2", "1"]


@pytest.mark.parametrize("attribute", ["unit", "team", "name"])
def test_names_in_a_graph_that_look_alike(attribute: str) -> None:
    graph = nx.path_graph(2)
    nx.set_node_attributes(graph, {i: {"unit": "A", "team": "t", "name": f"p{i}"} for i in graph})
    for first, second, same in (("\u00e9", "e\u0301", True), ("a b", "a\u00a0b", True), ("North", "north", False), ("1", "001", False)):
        graph.nodes[0][attribute], graph.nodes[1][attribute] = first, second
        if same:
            with pytest.raises(InvalidInput, match="looks the same"):
                layout(resolve({"network": {"kind": "graph"}}, {}), graph)
        else:
            assert any("capitals or leading zeros" in note for note in layout(resolve({"network": {"kind": "graph"}}, {}), graph).notes)
    same_name = layout(resolve({"network": {"kind": "graph"}, "enterprise": {"units": 1}}, {}), nx.Graph([(1, "1")]))
    assert any("1 have the name of another one" in note for note in same_name.notes)


def test_graphs_that_cannot_be_used() -> None:
    p = resolve({"network": {"kind": "graph"}}, {})
    with pytest.raises(InvalidInput, match="an empty graph"):
        layout(p, nx.Graph())
    bad = nx.Graph()
    bad.add_node(0, unit="a\nb")
    with pytest.raises(InvalidInput, match="control characters"):
        layout(p, bad)
    bad.nodes[0]["unit"] = "a\u202eb"
    with pytest.raises(InvalidInput, match="turn the direction"):
        layout(p, bad)
    with pytest.raises(InvalidInput, match="an empty graph"):
        RolloutModel(network=nx.Graph(), rng=1)


def test_a_graph_of_one_node() -> None:
    assert len(textbook(network=nx.empty_graph(1)).run().state.users) == 1
