"""The real network against generated ones: as many ties, the same people; clustering that is known; champions; the command."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from conftest import contents, plain

from experiments.patterns.arms import network_alone
from experiments.real_network import study as command
from experiments.real_network.analysis import compare, paired
from experiments.real_network.networks import classes_of, drawn, graph_of, organisation
from experiments.real_network.readings import READ, read_clusters
from experiments.real_network.study import run_arm
from sim import RolloutModel
from sim.configuration import resolve, vary
from sim.network import adjacency
from sim.schema import InvalidInput
from sim.views.words import NETWORK_LABELS, PLACEMENT_LABELS

GENERATED = tuple(NETWORK_LABELS)[1:]
OPTIONS = ["edges=edges.txt", "labels=labels.txt", "weeks=60", "executor=serial"]


@pytest.fixture
def files(tmp_path):
    """A made-up network: 90 people in 6 departments, dense inside, with hubs, two without ties, and a department of one."""
    rng = np.random.default_rng(5)
    size = [30, 20, 15, 14, 10, 1]
    unit = np.repeat(np.arange(6), size)
    hub = rng.pareto(2.5, 90) + 0.5
    chance = np.where(unit[:, None] == unit[None], 0.3, 0.03) * np.sqrt(np.outer(hub, hub))
    ties = np.triu(rng.random((90, 90)) < chance, 1)
    ties[:, [7, 50]] = ties[[7, 50]] = False
    (tmp_path / "edges.txt").write_text("".join(f"{a} {b}\n" for a, b in np.argwhere(ties)))
    (tmp_path / "labels.txt").write_text("".join(f"{i} {u}\n" for i, u in enumerate(unit)))
    return tmp_path


@pytest.fixture
def of_files(files):
    network = {"kind": "edges", "edges": str(files / "edges.txt"), "labels": str(files / "labels.txt")}
    return resolve({"network": network}, {"weeks": 80})


# --------------------------------------------------------------------------- networks


@pytest.mark.parametrize("kind", GENERATED)
def test_a_generated_network_has_the_same_people_and_as_many_ties(of_files, kind):
    place, real = organisation(of_files)
    graphs = [graph_of(kind, network_alone(of_files), seed) for seed in (1, 2)]
    assert all(g.number_of_edges() == real.shape[1] == graph_of("real", network_alone(of_files), 1).number_of_edges() for g in graphs)
    assert set(map(frozenset, graphs[0].edges())) != set(map(frozenset, graphs[1].edges()))
    given = vary(of_files, {"network.kind": "graph"})
    real_graph = graph_of("real", network_alone(of_files), 1)
    model, other = (RolloutModel(parameters=given, network=graph, rng=3) for graph in (graphs[0], real_graph))
    for table in ("units", "teams", "users"):
        assert getattr(model.state, table).tobytes() == getattr(other.state, table).tobytes()
    assert model.state.unit_names == place.unit_names


def test_the_block_model_has_as_many_ties_inside_teams_departments_and_across(of_files):
    place, real = organisation(of_files)
    found = [np.bincount(classes_of(ties, place.team_of_user, place.unit_of_user)) for ties in (real, drawn("blocks", of_files, 4))]
    np.testing.assert_array_equal(*found)


def test_rewiring_keeps_everybody_s_number_of_ties(of_files):
    real, other = (graph_of(kind, network_alone(of_files), 2) for kind in ("real", "rewired"))
    assert dict(real.degree()) == dict(other.degree()) and set(real.edges()) != set(other.edges())


def test_the_real_network_as_a_graph_is_the_one_of_the_files(of_files):
    a = run_arm("real", "none", 0.0, of_files, 5)
    b = run_arm_as_graph(of_files, 5)
    assert a.state.weekly.tobytes() == b.state.weekly.tobytes() and a.state.users.tobytes() == b.state.users.tobytes()


def run_arm_as_graph(p, seed):
    graph = graph_of("real", network_alone(p), seed)
    return RolloutModel(parameters=vary(p, {"strategy.champions": 0.0, "network.kind": "graph"}), network=graph, rng=seed).run()


@pytest.mark.parametrize("kind", ["small_world", "rewired"])
def test_a_network_too_dense_for_a_generator_is_refused(tmp_path, kind):
    (tmp_path / "e.txt").write_text("".join(f"{a} {b}\n" for a in range(20) for b in range(a)))
    (tmp_path / "l.txt").write_text("".join(f"{a} {a % 2}\n" for a in range(20)))
    p = resolve({"network": {"kind": "edges", "edges": str(tmp_path / "e.txt"), "labels": str(tmp_path / "l.txt")}}, {})
    with pytest.raises(InvalidInput, match=rf"networks: '{kind}'.*190 ties among 20 people"):
        graph_of(kind, network_alone(p), 1)


# --------------------------------------------------------------------------- what is read and compared


def test_clustering_is_networkx_s_and_the_variance_analysis_s():
    rng = np.random.default_rng(2)
    graph = nx.planted_partition_graph(4, 15, 0.5, 0.05, seed=3)
    unit = np.repeat(np.arange(4), 15)
    reliance = np.clip(0.2 + 0.2 * unit + rng.normal(0, 0.15, 60), 0, 1)
    first, peers = adjacency(60, tuple(np.array(list(graph.edges())).T))
    found = read_clusters(reliance, unit, first, peers, 0.5)
    nx.set_node_attributes(graph, dict(enumerate(reliance.tolist())), "r")
    assert found["assortativity"] == pytest.approx(nx.numeric_assortativity_coefficient(graph, "r"))
    adopters = set(np.nonzero(reliance >= 0.5)[0].tolist())
    assert found["modularity"] == pytest.approx(nx.community.modularity(graph, [adopters, set(range(60)) - adopters]))
    means = np.array([reliance[unit == b].mean() for b in range(4)])[unit]
    assert found["between"] == pytest.approx(1 - np.var(reliance - means) / np.var(reliance))
    assert abs(found["beyond"]) < 0.15 < found["assortativity"]  # departments are all there is
    nobody = read_clusters(np.zeros(60), unit, first, peers, 0.5)
    assert all(np.isnan(value) for value in nobody.values())


def test_pairs_are_made_by_seed_and_what_is_undefined_is_left_out():
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 5, 40)
    a = pd.DataFrame({"seed": np.arange(40), "x": luck + 1 + rng.normal(0, 0.1, 40)})
    b = pd.DataFrame({"seed": np.arange(40), "x": luck}).sample(frac=1, random_state=1)
    b.loc[b["seed"] == 7, "x"] = np.nan
    (row,) = paired(a, b, ("x",))
    assert row["pairs"] == 39 and row["difference"] == pytest.approx(1, abs=0.06)
    assert row["difference_high"] - row["difference_low"] < 0.1 < row["reference_high"] - row["reference_low"]


def test_networks_are_compared_with_the_real_one_and_placements_with_random_ones():
    arms = command.arms_of(["blocks"], ["central"], [0.1])
    level = {arm: k / 10 for k, arm in enumerate(arms)}
    rows = [
        {"maturity": "low", "network": n, "placement": p, "champions": s, "seed": seed, "error": "", **dict.fromkeys(READ, value + seed)}
        for (n, p, s), value in level.items() for seed in range(5)
    ]  # fmt: skip
    networks, champions = compare(pd.DataFrame(rows), ["low"], arms)
    np.testing.assert_allclose(networks["difference"], level["blocks", "none", 0.0] - level["real", "none", 0.0])
    found = champions.groupby(["placement", "against"])["difference"].mean()
    assert found["random", "none"] == pytest.approx(level["real", "random", 0.1] - level["real", "none", 0.0])
    assert found["central", "random"] == pytest.approx(level["real", "central", 0.1] - level["real", "random", 0.1])


@pytest.mark.parametrize("placement", PLACEMENT_LABELS)
def test_champions_are_placed_as_the_arm_says(of_files, placement):
    model = run_arm("real", placement, 0.2, vary(of_files, {"people.turnover": 0.0, "weeks": 1}), 1)
    same = RolloutModel(parameters=vary(of_files, {"strategy.champions": 0.2, "strategy.placement": placement, "weeks": 1}), rng=1)
    np.testing.assert_array_equal(model.state.users["champion"], same.state.users["champion"])
    assert model.state.users["champion"].sum() == sum(round(0.2 * n) for n in (30, 20, 15, 14, 10, 1))


# --------------------------------------------------------------------------- the command


def test_the_command_compares_and_goes_on_with_the_same_bytes(call, files, monkeypatch):
    monkeypatch.setattr(command, "SHARD", 1)
    options = [*OPTIONS, "seeds=2", "maturities=[low,middle]", "shares=[0.1,0.3]", "output=out"]
    code, out, err = call("real_network", *options)
    assert code == 0, err
    folder = files / "out"
    assert "The networks: 90 people and" in out and "nearest stand-in" in plain(out) and str(files) not in out.replace(str(folder), "")
    first = contents(folder)
    assert call("real_network", *options)[0] == 0 and contents(folder) == first
    (folder / "runs/part-000001.parquet").unlink()
    code, _, err = call("real_network", *options)
    assert code == 0 and "done again" in err and contents(folder) == first
    networks, champions = (pd.read_csv(folder / f"{name}.csv") for name in ("networks", "champions"))
    assert set(networks["network"]) == set(GENERATED) and set(champions["placement"]) == set(PLACEMENT_LABELS)
    runs = pd.read_parquet(folder / "runs")
    assert len(runs) == 2 * 2 * (5 + 4 * 2) and (runs["error"] == "").all()
    listed = pd.read_csv(folder / "data_dictionary.csv")
    assert set(listed.loc[listed["dataset"] == "runs", "column"]) == set(runs.columns) and listed["meaning"].notna().all()
    recorded = json.loads((folder / "manifest.json").read_text())["configuration"]
    assert set(recorded["input_files"]) == {"network.edges", "network.labels"}
    assert (folder / "figure.png").stat().st_size > 20_000


def test_a_run_that_fails_is_left_out_and_said(call, files, monkeypatch):
    whole = command.run_arm

    def planted(network, placement, share, p, seed):
        if seed == 2 and network == "blocks":
            raise RuntimeError("planted")
        return whole(network, placement, share, p, seed)

    monkeypatch.setattr(command, "run_arm", planted)
    code, _, err = call(
        "real_network",
        *OPTIONS,
        "seeds=3",
        "maturities=[low]",
        "networks=[blocks,rewired]",
        "placements=[central]",
        "shares=[0.2]",
        "output=out",
    )
    assert code == 1 and "planted" in err
    pairs = pd.read_csv(files / "out/networks.csv").query("measure == 'final_reliance'").set_index("network")["pairs"]
    assert pairs["blocks"] == 2 and pairs["rewired"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "edges=PATH"),
        (["edges=edges.txt"], "labels=PATH"),
        (["edges=nonesuch.txt", "labels=labels.txt"], "nonesuch.txt"),
        ([*OPTIONS, "networks=[real]"], "real is always there"),
        ([*OPTIONS, "usecases=[demand,promotion]"], "one use case"),
        ([*OPTIONS, "networks=[block]"], "blocks"),
        ([*OPTIONS, "placements=[random]"], "placements"),
        ([*OPTIONS, "shares=[0]"], "shares"),
        ([*OPTIONS, "shares=[0.1,0.1]"], "shares"),
        ([*OPTIONS, "maturities=[nonesuch]"], "maturity"),
        ([*OPTIONS, "network=blocks"], "network.kind"),
        ([*OPTIONS, "seeds=1"], "seeds"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line_and_writes_nothing(call, files, arguments, words):
    code, out, err = call("real_network", *arguments)
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1 and out == ""
    assert not (files / "results").exists()


def test_parameters_reach_the_runs(call, files):
    asked = ["seeds=2", "maturities=[low]", "networks=[rewired]", "placements=[between]", "shares=[0.2]"]
    reliance = {}
    for out, threshold in {"as_is": [], "eager": ["utility.threshold=-20"]}.items():
        call("real_network", *OPTIONS, *asked, *threshold, f"output={out}")
        reliance[out] = pd.read_parquet(files / out / "runs")["final_reliance"].mean()
    assert reliance["eager"] > 1.5 * reliance["as_is"] > 0, reliance
