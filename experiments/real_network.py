"""The model on a real network: do generated ones stand in for it, and where on it should champions sit?

``python -m experiments.real_network edges=PATH labels=PATH`` runs the same departments, teams, people and luck on the network of
the files and on generated ones with as many people and ties; then on the real one with champions placed by ties, by paths, in
clusters and by lot, on which research on diffusion disagrees (Kempe, Kleinberg & Tardos 2003; Watts & Dodds 2007; Centola 2018;
Guilbeault & Centola 2021).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from experiments.claims import read_followers, read_spread
from experiments.lab import executors
from experiments.lab.config import main, take
from experiments.lab.output import digest, input_files
from experiments.lab.runner import parameters_at
from experiments.lab.statistics import mean
from experiments.lab.storage import RUNS, Store, write_shard
from experiments.lab.study import carry_out_jobs, describe_tables, digest_of_code
from experiments.patterns import rewired
from sim import RolloutModel
from sim._numba import SOURCES
from sim.configuration import from_mapping, vary
from sim.layout import Layout, Ties
from sim.measures import CLASSES
from sim.network import draw_ties
from sim.organisation import layout
from sim.parameters import Network, Parameters
from sim.presets import load
from sim.schema import InvalidInput, nearest
from sim.views.figures.real_network import NETWORKS, PLACEMENTS, real_network_figure
from sim.views.words import CLASS_LABELS, bounded

BLOCK = 5  # seeds a shard
TRIES = 60  # at drawing a network of so many ties, each with more than the last
OUTCOMES = ("final_reliance", *CLASSES)
CLUSTERING = ("assortativity", "beyond", "between", "modularity")
SPREAD = ("use", "followers")


# --------------------------------------------------------------------------- networks of the same people


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

    The product's generators are asked for more ties until there are enough, and what is too many is left out by lot. The block
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
def graph_of(kind: str, values: str, seed: int) -> nx.Graph:
    """A network of the organisation with departments and teams on its nodes: ``real``, ``rewired``, or one of :func:`drawn`."""
    p = from_mapping(json.loads(values))
    place, real = organisation(p)
    if kind == "rewired":  # each planner keeps as many ties, and nothing else is kept
        try:
            return rewired(json.dumps({"network": asdict(p.network), "weeks": 1}, sort_keys=True), seed)
        except nx.NetworkXException:
            raise too_dense(kind, place, real) from None
    graph: nx.Graph = nx.Graph()
    names = [place.unit_names[b] for b in place.unit_of_user]
    graph.add_nodes_from((i, {"unit": names[i], "team": str(t)}) for i, t in enumerate(place.team_of_user.tolist()))
    graph.add_edges_from((real if kind == "real" else drawn(kind, p, seed)).T.tolist())
    return graph


# --------------------------------------------------------------------------- what is read off a run


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's; NaN where one of the two does not vary."""
    return float(np.corrcoef(x, y)[0, 1]) if len(x) > 1 and np.ptp(x) > 1e-12 and np.ptp(y) > 1e-12 else np.nan


def read_clusters(reliance: np.ndarray, unit: np.ndarray, first: np.ndarray, peers: np.ndarray, adopter: float) -> dict[str, float]:
    """How reliance at the end is clustered on the network.

    Args:
        reliance, unit: of each planner; its department's row.
        first, peers: adjacency (:func:`sim.network.adjacency`).
        adopter: reliance from which a planner counts as an adopter.

    Returns:
        ``assortativity``: correlation of reliance over ties (Newman 2003). ``beyond``: the same of what departs from the mean of the
        department. ``between``: share of the variance that lies between departments. ``modularity``: of the network's division
        into adopters and others (Newman & Girvan 2004). NaN where there is no variance, or all or none are adopters.
    """
    source, target = np.repeat(np.arange(len(reliance)), np.diff(first)), peers.astype(np.int64)
    size = np.bincount(unit)
    level = (np.bincount(unit, reliance) / np.maximum(size, 1))[unit]
    rest = reliance - level
    side = reliance >= adopter
    ends, inside = len(source), side[source] == side[target]
    share = float(side[source].mean()) if ends else np.nan
    return {
        "assortativity": correlation(reliance[source], reliance[target]),
        "beyond": correlation(rest[source], rest[target]),
        "between": float(level.var() / reliance.var()) if np.ptp(reliance) > 1e-12 else np.nan,
        "modularity": float(inside.mean() - share**2 - (1 - share) ** 2) if 0 < side.mean() < 1 and ends else np.nan,
    }


def read_run(model: RolloutModel) -> dict[str, float]:
    """What is compared of a finished run, by name."""
    state, outcome = model.state, model.outcome
    unit = np.repeat(np.arange(len(state.units)), state.units["users"])
    found = {name: float(outcome["outcome"] == name) for name in CLASSES} | {"final_reliance": outcome["final_reliance"]}
    clusters = read_clusters(state.users["reliance"], unit, state.peers_first, state.peers, model.parameters.outcomes.reliance)
    return {**found, **clusters, **read_spread(model), **read_followers(model)}


# --------------------------------------------------------------------------- running


def arms_of(networks: list[str], placements: list[str], shares: list[float]) -> list[tuple[str, str, float]]:
    """Network, placement and share of champions of every arm; the real network without champions is the first."""
    placed = [("real", placement, share) for share in shares for placement in ("random", *placements)]
    return [("real", "none", 0.0), *((network, "none", 0.0) for network in networks), *placed]


def run_arm(network: str, placement: str, share: float, p: Parameters, seed: int) -> RolloutModel:
    """One run of an arm, finished. Without champions asked for, a strategy's own are left out, so that all arms start alike."""
    p = vary(p, {"strategy.champions": share, "strategy.placement": placement if share else p.strategy.placement})
    if network == "real":
        return RolloutModel(parameters=p, rng=seed).run()
    values = json.dumps({"network": asdict(p.network)}, sort_keys=True)
    graph = graph_of(network, values, seed)
    return RolloutModel(parameters=vary(p, {"network.kind": "graph"}), network=graph, rng=seed).run()


READ = (*OUTCOMES, *CLUSTERING, *SPREAD)
SCHEMA = pa.schema(
    [("maturity", pa.string()), ("network", pa.string()), ("placement", pa.string()), ("champions", pa.float64()), ("seed", pa.uint64()),
     *[(name, pa.float64()) for name in READ], ("error", pa.string())]
)  # fmt: skip


def measure(job: Mapping[str, Any]) -> dict[str, Any]:
    """In a worker: run all arms on a block of seeds, write what was read as one shard; returns its receipt."""
    if job["model"] != SOURCES:
        raise InvalidInput("executor", f"a worker with model {job['model'][:12]}", "this project as it is here, on every worker")
    clock, rows = time.process_time(), []
    for seed in range(job["seed"], job["seed"] + job["seeds"]):
        for network, placement, share in job["arms"]:
            for maturity in job["maturities"]:  # innermost: a drawn network serves them all
                row = {"maturity": maturity, "network": network, "placement": placement, "champions": share, "seed": seed, "error": ""}
                try:
                    p = parameters_at(job["values"], {"maturity": maturity})
                    rows.append(row | read_run(run_arm(network, placement, share, p, seed)))
                except Exception as error:  # recorded as failed, and never as a value
                    rows.append(row | {"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]})
    table = pa.Table.from_pylist(rows, SCHEMA)
    checksum, _ = write_shard(Path(job["folder"]), RUNS, job["shard"], table)
    return {
        "shard": job["shard"], "first": job["first"], "runs": job["runs"], "failed": sum(bool(row["error"]) for row in rows), "attempts": 1,
        "seconds": time.process_time() - clock, "files": {f"{RUNS}/part-{job['shard']:06d}.parquet": checksum},
    }  # fmt: skip


# --------------------------------------------------------------------------- analysis


def describe(kind: str, values: str, seed: int, reinforce: int) -> dict[str, Any]:
    """A network in numbers: what the generated ones share with the real one, and what they do not.

    ``reinforce`` is the number of peers below which nobody counts (``utility.min_peers``).
    """
    graph = graph_of(kind, values, seed)
    degree = np.array([d for _, d in graph.degree()])
    unit, team = nx.get_node_attributes(graph, "unit"), nx.get_node_attributes(graph, "team")
    inside = np.mean([unit[a] == unit[b] for a, b in graph.edges()])
    return {
        "network": kind, "people": len(graph), "ties": graph.number_of_edges(), "most_ties": int(degree.max()), "spread_of_ties": float(degree.std()),
        "below": float((degree < reinforce).mean()),
        "in_departments": float(inside), "in_teams": float(np.mean([(unit[a], team[a]) == (unit[b], team[b]) for a, b in graph.edges()])),
        "transitivity": float(nx.transitivity(graph)),
    }  # fmt: skip


def paired(a: pd.DataFrame, b: pd.DataFrame, measures: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row a measure: b's mean, and a − b with the same luck, each with its 95% interval (Student), over seeds in which both are defined."""
    rows = []
    left, right = (cell.set_index("seed") for cell in (a, b))
    for name in measures:
        both = pd.concat({"a": left[name], "b": right[name]}, axis=1).dropna()
        x, y = both["a"].to_numpy(float), both["b"].to_numpy(float)
        difference = mean(x - y) if len(x) else (np.nan,) * 3
        reference = mean(y) if len(x) else (np.nan,) * 3
        values = zip(("reference", "difference"), (reference, difference), strict=True)
        named = {f"{what}{end}": v for what, triple in values for end, v in zip(("", "_low", "_high"), triple, strict=True)}
        rows.append({"measure": name, "pairs": len(x), **named})
    return rows


def compare(runs: pd.DataFrame, maturities: list[str], arms: list[tuple[str, str, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each generated network less the real one; and each placement less as many champions at random, and these less none."""
    good = runs[runs["error"] == ""]

    def cell(maturity: str, arm: tuple[str, str, float]) -> pd.DataFrame:
        chosen = (good["maturity"] == maturity) & (good["network"] == arm[0]) & (good["placement"] == arm[1])
        return good[chosen & (good["champions"] == arm[2])]

    networks, champions = [], []
    for maturity in maturities:
        plain = cell(maturity, arms[0])
        for arm in arms[1:]:
            network, placement, share = arm
            if network != "real":
                found = paired(cell(maturity, arm), plain, READ)
                networks += [{"maturity": maturity, "network": network, **row} for row in found]
            else:
                other = plain if placement == "random" else cell(maturity, ("real", "random", share))
                against = "none" if placement == "random" else "random"
                found = paired(cell(maturity, arm), other, ("final_reliance", *SPREAD))
                champions += [
                    {"maturity": maturity, "champions": share, "placement": placement, "against": against, **row} for row in found
                ]
    return pd.DataFrame(networks), pd.DataFrame(champions)


# --------------------------------------------------------------------------- the command


def real_network(values: dict[str, Any]) -> int:
    """Run all arms on the network of the files, print what differs, write the results folder."""
    seed, seeds = take(values, "seed", "seed"), take(values, "seeds", "count", 2, 10_000)
    edges, labels = take(values, "edges", "text"), take(values, "labels", "text")
    maturities, output = take(values, "maturities", "names"), take(values, "output", "text")
    networks, placements = (chosen(values, key, known) for key, known in (("networks", NETWORKS), ("placements", PLACEMENTS)))
    shares = shares_of(values.pop("shares"))
    settings = {"seed": seed, "seeds": seeds, "output": output, "workers": executors.from_settings(values.pop("executor"))}
    for name in maturities:
        load("maturity", name)
    for key, path in (("edges", edges), ("labels", labels)):
        if not path:
            raise InvalidInput(key, "", "the path of a file: edges=PATH («source target» a line) labels=PATH («node department» a line)")
    if values["network"]["kind"] != "edges":
        raise InvalidInput(
            "network.kind", values["network"]["kind"], "edges, a network read from files; generated ones are in networks=[…]"
        )
    values["network"] = {**values["network"], "kind": "edges", "edges": edges, "labels": labels}
    base = from_mapping(values)
    text = json.dumps(values, sort_keys=True)
    for maturity in maturities:  # what cannot be used is said now, in one line
        model = RolloutModel(parameters=parameters_at(text, {"maturity": maturity}), rng=seed)
    arms = arms_of(networks, placements, shares)
    drawing = json.dumps({"network": asdict(base.network)}, sort_keys=True)
    for network in networks:
        graph_of(network, drawing, seed)
    configuration = {
        "parameters": values, "maturities": {name: digest(load("maturity", name))[:16] for name in maturities}, "arms": [list(arm) for arm in arms],
        "seeds": seeds, "seed": seed, "model": SOURCES, "input_files": input_files(base),
        "code": digest_of_code(drawn, graph_of, rewired, run_arm, read_clusters, read_run, measure),
    }  # fmt: skip
    runs = len(arms) * len(maturities)
    jobs = [
        {
            "shard": k, "first": start * runs, "runs": min(BLOCK, seeds - start) * runs, "seed": seed + start, "seeds": min(BLOCK, seeds - start),
            "arms": arms, "maturities": maturities, "values": text, "model": SOURCES,
        }
        for k, start in enumerate(range(0, seeds, BLOCK))
    ]  # fmt: skip

    def finish(console: Console, store: Store, runs: pd.DataFrame) -> list[str]:
        if not store.concluded(configuration):
            described = pd.DataFrame([describe(kind, drawing, seed, base.utility.min_peers) for kind in ("real", *networks)])
            found, champions = compare(runs, maturities, arms)
            describe_tables(store, {"described": described, "networks": found, "champions": champions, RUNS: runs}, MEANINGS)
            real_network_figure(store.folder)
        show(console, store, seeds, model.state.notes)
        return ["figure.png", "described.csv", "networks.csv", "champions.csv"]

    parts = ["+".join(maturities), f"{len(networks)}networks", f"{len(placements)}placements", f"{base.weeks}w", f"{seeds}x"]
    return carry_out_jobs("real_network", parts, jobs, configuration, settings, finish)


def chosen(values: dict[str, Any], key: str, known: Mapping[str, str]) -> list[str]:
    """A list of names out of those there are, the first of which is what the others are compared with."""
    reference, *others = known
    names = take(values, key, "names")
    for name in names:
        if name not in others:
            raise InvalidInput(key, name, nearest(name, others) + (f"; {reference} is always there" if name == reference else ""))
    return names


def shares_of(given: Any) -> list[float]:
    """Shares of champions, ascending."""
    if not isinstance(given, list) or not given or len(set(map(str, given))) < len(given):
        raise InvalidInput("shares", given, "a list of shares without repetition, such as [0.05,0.2]")
    for share in given:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InvalidInput("shares", share, "shares of planners above 0, at most 1")
    return sorted(float(share) for share in given)


MEANINGS = {
    "maturity": "maturity", "network": "network: real, or generated with as many people and ties", "placement": "where champions sit; none: no champions",
    "champions": "champions, share of every department", "seed": "seed of the run", "final_reliance": "mean reliance at the end", "error": "empty, or why the run failed",
    **{name: f"1 where the run ends in: {CLASS_LABELS[name]}" for name in CLASSES},
    "assortativity": "correlation of reliance over ties", "beyond": "the same of what departs from the department's mean",
    "between": "share of the variance of reliance between departments", "modularity": "of adopters against others, at the outcome's threshold of reliance",
    "use": "share of planners using it, mean of all weeks", "followers": "reliance at the end of those who are no champions",
    "people": "planners", "ties": "ties", "most_ties": "ties of the best connected", "spread_of_ties": "standard deviation of ties between planners",
    "below": "share of planners with fewer ties than reinforcement needs (utility.min_peers)",
    "in_departments": "share of ties inside departments", "in_teams": "share of ties inside teams", "transitivity": "share of open triads that close",
    "measure": "what is compared", "pairs": "seeds in which both are defined", "against": "what it is compared with",
    "reference": "mean of what it is compared with", "difference": "mean of the differences with the same luck",
}  # fmt: skip


# --------------------------------------------------------------------------- printing


def signed(value: float, places: int = 3) -> str:
    """A difference with its sign; a dash where there is none."""
    text = f"{value:+.{places}f}"
    return "–" if np.isnan(value) else f"{0:.{places}f}" if float(text) == 0 else text.replace("-", "−")


def in_points(value: float) -> str:
    """A difference of shares in points, to a tenth."""
    return signed(100 * value, 1)


def whole(value: float) -> str:
    """A difference of shares in points."""
    return signed(100 * value, 0)


#: Tables: columns with their headings, and how each is written.
HEADS: dict[str, tuple[tuple[str, str, Callable[[float], str]], ...]] = {
    "How runs end, points": (
        ("final_reliance", "relying", in_points), ("partial_adoption", "partial", whole), ("pilot_purgatory", "purgatory", whole), ("scaled", "scaled", whole)
    ),
    "How adopters cluster": (
        ("assortativity", "assortativity", signed), ("between", "between departments", signed), ("modularity", "modularity", signed)
    ),
}  # fmt: skip


def show(console: Console, store: Store, seeds: int, notes: list[str]) -> None:
    """Print the networks, what differs on them, what placement does, and the sentences."""
    described, networks, champions = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("described", "networks", "champions"))
    for note in notes:
        console.print(f"note: {note}", highlight=False)
    people, ties = (f"{described[name].iloc[0]:,}" for name in ("people", "ties"))
    table = Table(title=f"The networks: {people} people and {ties} ties each", title_justify="left")
    for head in ("", "most of one", "sd of ties", "with too few", "in dep.", "in teams", "triads closed"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for row in described.to_dict("records"):
        table.add_row(
            NETWORKS[row["network"]], f"{row['most_ties']}", f"{row['spread_of_ties']:.1f}", f"{row['below']:.1%}",
            f"{row['in_departments']:.0%}", f"{row['in_teams']:.0%}", f"{row['transitivity']:.0%}",
        )  # fmt: skip
    console.print(table, highlight=False)
    cells: Mapping[Any, Any] = networks.set_index(["maturity", "network", "measure"]).to_dict("index")
    maturities, kinds = (list(dict.fromkeys(networks[name])) for name in ("maturity", "network"))
    for title, heads in HEADS.items():
        table = Table(title=f"{title}: real, and the others less it, {seeds} seeds [95% interval]", title_justify="left")
        for head in ("", *(head for _, head, _ in heads)):
            table.add_column(head, justify="right" if head else "left", no_wrap=True)
        for maturity in maturities:
            of_real = [write(cells[maturity, kinds[0], name]["reference"]).lstrip("+") for name, _, write in heads]
            table.add_row(f"{maturity}, real", *of_real)
            for kind in kinds:
                table.add_row(
                    f"  {NETWORKS[kind]}", *(bounded(cells[maturity, kind, name], "difference", write) for name, _, write in heads)
                )
        console.print(table, highlight=False)
    table = Table(title="Champions on the real network, points: at random less none, and the others less as many at random", title_justify="left")  # fmt: skip
    for head in ("", "champions", "use, all weeks", "followers relying, end", "all relying, end"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    wide: Mapping[Any, Any] = champions.set_index(["maturity", "champions", "placement", "measure"]).to_dict("index")
    for maturity, share, placement in dict.fromkeys(
        zip(champions["maturity"], champions["champions"], champions["placement"], strict=True)
    ):
        found = [bounded(wide[maturity, share, placement, name], "difference", in_points) for name in (*SPREAD, "final_reliance")]
        first = placement == "random"
        table.add_row(
            f"{maturity}, {PLACEMENTS[placement]}" if first else f"  {PLACEMENTS[placement]}", f"{share:.0%}" if first else "", *found
        )
    console.print(table, highlight=False)
    for text in (*network_sentences(cells, maturities, kinds), *champion_sentences(champions)):
        console.print(text, highlight=False)


def clear(row: Mapping[str, Any]) -> bool:
    """Whether the interval of a difference leaves out 0."""
    return bool(row["difference_low"] > 0 or row["difference_high"] < 0)


def network_sentences(cells: Mapping[Any, Any], maturities: list[str], kinds: list[str]) -> list[str]:
    """How far each generated network is from the real one, worst case over maturities, and which is nearest."""
    said, furthest = [], {}
    for kind in kinds:
        parts = []
        for name, words, write in (("final_reliance", "reliance at the end", in_points), ("partial_adoption", "runs in partial adoption", whole), ("assortativity", "assortativity", signed), ("between", "variance between departments", signed)):  # fmt: skip
            row = max((cells[m, kind, name] for m in maturities), key=lambda r: abs(np.nan_to_num(r["difference"])))
            unit = "" if write is signed else " points"
            parts.append(f"{words} {bounded(row, 'difference', write)}{unit}{'' if clear(row) else ', not clear'}")
        furthest[kind] = max(abs(np.nan_to_num(cells[m, kind, "final_reliance"]["difference"])) for m in maturities)
        said.append(
            f"{NETWORKS[kind][0].upper()}{NETWORKS[kind][1:]}, at the maturity where it is furthest from the real network: {'; '.join(parts)}."
        )
    best = min(furthest, key=lambda kind: furthest[kind])
    said.append(f"For reliance at the end the nearest stand-in is «{NETWORKS[best]}», {100 * furthest[best]:.1f} points off at most.")
    return said


def champion_sentences(champions: pd.DataFrame) -> list[str]:
    """At each maturity, what each placement brings against lot, and at how many shares of champions that is clear."""
    said = []
    rows = champions[(champions["measure"] == "use") & (champions["placement"] != "random")]
    for maturity, cell in rows.groupby("maturity", sort=False):
        parts = []
        for placement, group in cell.groupby("placement", sort=False):
            found: Sequence[Mapping[Any, Any]] = group.to_dict("records")
            more, less = sum(row["difference_low"] > 0 for row in found), sum(row["difference_high"] < 0 for row in found)
            low, high = (in_points(edge(row["difference"] for row in found)) for edge in (min, max))
            clearly = f"clearly more at {more}" + (f", clearly less at {less}" if less else "")
            parts.append(f"{PLACEMENTS[str(placement)]} {low} to {high} points of use, {clearly} of {len(found)} shares")
        said.append(f"Champions at {maturity} maturity, against as many at random: {'; '.join(parts)}.")
    return said


if __name__ == "__main__":
    main("real_network", real_network)
