"""One run of an arm: its parameters, its network, and what is done to the model as it runs."""

from __future__ import annotations

import operator
from dataclasses import replace
from functools import lru_cache

import networkx as nx

import sim
from experiments.lab.records import parameters_at
from experiments.patterns.pattern import Arm, Times
from experiments.patterns.readings import HOLD
from sim.agents import BusinessUnit
from sim.configuration import marked, vary
from sim.parameters import Parameters
from sim.state import INTEGRATION


def parameters_of(base: Parameters, arm: Arm) -> Parameters:
    """The complete parameters of an arm, on a base configuration.

    Raises:
        InvalidInput: naming the parameter that cannot have its value.
    """
    base = parameters_at(base, {"strategy": arm.strategy, "maturity": arm.maturity})
    plain = {name: value for name, value in arm.changes.items() if not isinstance(value, Times)}
    base = vary(base, plain)
    multiples = {name: value for name, value in arm.changes.items() if isinstance(value, Times)}
    return vary(base, {name: value.factor * operator.attrgetter(value.name)(base) for name, value in multiples.items()})


def network_alone(p: Parameters) -> Parameters:
    """Parameters with nothing but what decides the network, so that arms which differ in the rest share it."""
    return marked(replace(Parameters(), enterprise=p.enterprise, network=p.network, weeks=1))


@lru_cache(maxsize=2)
def rewired(p: Parameters, seed: int) -> nx.Graph:
    """The network of a model, three swaps per tie (Maslov & Sneppen 2002): who knows whom is lost, everybody's number of ties stays.

    Raises:
        networkx.NetworkXException: where the network is too dense for so many swaps.
    """
    graph = sim.RolloutModel(parameters=p, rng=seed).network.copy()
    nx.double_edge_swap(graph, 3 * graph.number_of_edges(), max_tries=100 * graph.number_of_edges(), seed=seed % (1 << 32))
    return graph


def run_arm(arm: Arm, parameters: Parameters, seed: int) -> sim.RolloutModel:
    """One run of an arm, finished."""
    graph = None
    if arm.rewired:
        graph = rewired(network_alone(parameters), seed)
        parameters = vary(parameters, {"network.kind": "graph"})
    model = sim.RolloutModel(parameters=parameters, network=graph, rng=seed)
    if arm.integration is not None:
        for unit in model.agents_by_type[BusinessUnit]:
            unit.readiness[INTEGRATION] = arm.integration
    if not arm.reliability:
        return model.run()
    even = parameters.forecast.best / parameters.forecast.planner  # quality with which the forecast errs as planners do
    while model.running:
        model.firm.quality = even * arm.reliability[min(model.week // HOLD, len(arm.reliability) - 1)]
        model.step()
    return model
