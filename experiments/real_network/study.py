"""The study of a real network: the same departments, teams, people and luck on it and on generated ones with as many people and ties;
then on the real one with champions placed by ties, by paths, in clusters and at random, on which research on diffusion disagrees
(Kempe, Kleinberg & Tardos 2003; Watts & Dodds 2007; Centola 2018; Guilbeault & Centola 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from rich.console import Console

import sim
from experiments.lab.config import refuse_several, take
from experiments.lab.output import input_files
from experiments.lab.plan import preset_digests
from experiments.lab.records import parameters_at
from experiments.lab.storage import RUNS, Store
from experiments.lab.study import Study, carry_out, digest_of_code, take_settings
from experiments.lab.tables import write_tables
from experiments.lab.work import Trials
from experiments.patterns.arms import network_alone, rewired
from experiments.real_network.analysis import compare
from experiments.real_network.networks import describe, drawn, graph_of
from experiments.real_network.printing import show
from experiments.real_network.readings import READ, read_clusters, read_run
from sim.configuration import from_mapping, vary
from sim.measures import CLASSES
from sim.parameters import Parameters
from sim.presets import load
from sim.schema import InvalidInput, nearest, to_mapping
from sim.sources import SOURCES
from sim.views.words import CLASS_LABELS, NETWORK_LABELS, PLACEMENT_LABELS

SHARD = 5  # seeds; all arms of a seed share its networks
SCHEMA = pa.schema(
    [("maturity", pa.string()), ("network", pa.string()), ("placement", pa.string()), ("champions", pa.float64()), ("seed", pa.uint64()),
     *[(name, pa.float64()) for name in READ], ("error", pa.string())]
)  # fmt: skip
MEANINGS = {
    "maturity": "maturity", "network": "network: real, or generated with as many people and ties",
    "placement": "where champions sit; none: no champions", "champions": "champions, share of every department",
    "seed": "seed of the run", "final_reliance": "mean reliance at the end", "error": "empty, or why the run failed",
    **{name: f"1 where the run ends in: {CLASS_LABELS[name]}" for name in CLASSES},
    "assortativity": "correlation of reliance over ties", "beyond": "the same of what departs from the department's mean",
    "between": "share of the variance of reliance between departments",
    "modularity": "of adopters against others, at the outcome's threshold of reliance",
    "use": "share of planners using it, mean of all weeks", "followers": "reliance at the end of those who are no champions",
    "people": "planners", "ties": "ties", "most_ties": "ties of the best connected",
    "spread_of_ties": "standard deviation of ties between planners",
    "below": "share of planners with fewer ties than reinforcement needs (utility.min_peers)",
    "in_departments": "share of ties inside departments", "in_teams": "share of ties inside teams",
    "transitivity": "share of open triads that close",
    "measure": "what is compared", "pairs": "seeds in which both are defined", "against": "what it is compared with",
    "reference": "mean of what it is compared with", "difference": "mean of the differences with the same luck",
}  # fmt: skip


# --------------------------------------------------------------------------- running


class ArmRun(NamedTuple):
    """One run: maturity, network, placement and share of champions, and seed."""

    maturity: str
    network: str
    placement: str
    champions: float
    seed: int


def arms_of(networks: list[str], placements: list[str], shares: list[float]) -> list[tuple[str, str, float]]:
    """Network, placement and share of champions of every arm; the real network without champions is the first."""
    placed = [("real", placement, share) for share in shares for placement in ("random", *placements)]
    return [("real", "none", 0.0), *((network, "none", 0.0) for network in networks), *placed]


def run_arm(network: str, placement: str, share: float, p: Parameters, seed: int) -> sim.RolloutModel:
    """One run of an arm, finished. Without champions asked for, a strategy's own are left out, so that all arms start alike."""
    p = vary(p, {"strategy.champions": share, "strategy.placement": placement if share else p.strategy.placement})
    if network == "real":
        return sim.RolloutModel(parameters=p, rng=seed).run()
    graph = graph_of(network, network_alone(p), seed)
    return sim.RolloutModel(parameters=vary(p, {"network.kind": "graph"}), network=graph, rng=seed).run()


@dataclass(frozen=True)
class ArmRecorder:
    """Runs arms on a base configuration, and keeps one row per run."""

    base: Parameters

    def run(self, item: ArmRun) -> dict[str, Any]:
        """The readings of one run."""
        p = parameters_at(self.base, {"maturity": item.maturity})
        return {**item._asdict(), "error": "", **read_run(run_arm(item.network, item.placement, item.champions, p, item.seed))}

    def failed(self, item: ArmRun, error: str) -> dict[str, Any]:
        """A row without readings."""
        return {**item._asdict(), "error": error}

    def tables(self, results: Sequence[dict[str, Any]]) -> dict[str, pa.Table]:
        """The rows of all runs."""
        return {RUNS: pa.Table.from_pylist(list(results), SCHEMA)}


# --------------------------------------------------------------------------- the command


def real_network(values: dict[str, Any]) -> int:
    """Run all arms on the network of the files, print what differs, write the results folder."""
    settings = take_settings(values)
    seeds, maturities = take(values, "seeds", "count", 2, 10_000), take(values, "maturities", "names")
    networks, placements = (chosen(values, key, known) for key, known in (("networks", NETWORK_LABELS), ("placements", PLACEMENT_LABELS)))
    arms = arms_of(networks, placements, shares_of(values.pop("shares")))
    for name in maturities:
        load("maturity", name)
    base = on_files(values)
    refuse_several(base, "clusters and followers are those of one habit")
    for maturity in maturities:  # what cannot be used is said now, in one line
        model = sim.RolloutModel(parameters=parameters_at(base, {"maturity": maturity}), rng=settings.seed)
    graphs = {kind: graph_of(kind, network_alone(base), settings.seed) for kind in ("real", *networks)}
    configuration = {
        "parameters": to_mapping(base), "maturities": preset_digests("maturity", maturities), "arms": [list(arm) for arm in arms],
        "seeds": seeds, "seed": settings.seed, "limit": settings.limit, "model": SOURCES, "input_files": input_files(base),
        "code": digest_of_code(drawn, graph_of, rewired, run_arm, read_clusters, read_run),
    }  # fmt: skip
    ends = settings.seed, settings.seed + seeds - 1
    # maturities innermost: a drawn network serves them all
    items = [ArmRun(maturity, *arm, seed) for seed in range(ends[0], ends[1] + 1) for arm in arms for maturity in maturities]
    work = Trials(ArmRecorder(base), items, SHARD * len(arms) * len(maturities), ends, settings.limit)

    def conclude(store: Store, work: Trials) -> None:
        described = pd.DataFrame([describe(kind, graph, base.utility.min_peers) for kind, graph in graphs.items()])
        found, champions = compare(store.runs(), maturities, arms)
        write_tables(store, work, {"described": described, "networks": found, "champions": champions}, MEANINGS)
        from sim.views.figures.real_network import real_network_figure

        real_network_figure(store.folder)

    def told(console: Console, store: Store) -> list[str]:
        show(console, store.folder, seeds, model.state.notes)
        return ["figure.png", "described.csv", "networks.csv", "champions.csv"]

    parts = ["+".join(maturities), f"{len(networks)}networks", f"{len(placements)}placements", f"{base.weeks}w", f"{seeds}x"]
    return carry_out(Study("real_network", parts, work, configuration, conclude, told), settings)


def on_files(values: dict[str, Any]) -> Parameters:
    """The base configuration, on the network of the files that the configuration names.

    Raises:
        InvalidInput: where no files are named, or the network is not one of files.
    """
    files = {key: take(values, key, "text") for key in ("edges", "labels")}
    for key, path in files.items():
        if not path:
            raise InvalidInput(
                key, "", "the path of a file: edges=PATH («source target» per line) labels=PATH («node department» per line)"
            )
    if values["network"]["kind"] != "edges":
        raise InvalidInput(
            "network.kind", values["network"]["kind"], "edges, a network read from files; generated ones are in networks=[…]"
        )
    return from_mapping({**values, "network": {**values["network"], **files}})


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
