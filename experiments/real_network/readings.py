"""What is read off a finished run on a network: how it ends, and how reliance is clustered on the ties."""

from __future__ import annotations

import numpy as np

import sim
from experiments.patterns.readings import read_followers, read_spread
from sim.measures import CLASSES

OUTCOMES = ("final_reliance", *CLASSES)
CLUSTERING = ("assortativity", "beyond", "between", "modularity")
SPREAD = ("use", "followers")
READ = (*OUTCOMES, *CLUSTERING, *SPREAD)


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


def read_run(model: sim.RolloutModel) -> dict[str, float]:
    """What is compared of a finished run, by name."""
    state, outcome = model.state, model.outcome
    unit = np.repeat(np.arange(len(state.units)), state.units["users"])
    found = {name: float(outcome["outcome"] == name) for name in CLASSES} | {"final_reliance": outcome["final_reliance"]}
    clusters = read_clusters(state.users["reliance"], unit, state.peers_first, state.peers, model.parameters.outcomes.reliance)
    return {**found, **clusters, **read_spread(model), **read_followers(model)}
