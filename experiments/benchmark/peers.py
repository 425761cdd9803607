"""The same simplified week in other ways of computing agents: the part of ``python -m experiments.benchmark --peers``.

A planner has trust, habit, a threshold and an own error, sees which share of their peers planned on the forecast last week, plans on it
with a logistic probability, and learns from how clearly it won. Everybody starts from the same people on the same network, in units that all
have the forecast. Chance is each one's own, so they agree in how many use it, not planner by planner.

The product runs these rules in the place of its own and does all else besides: teams, units, the ledger, the records.
"""

from __future__ import annotations

import importlib.util
import math
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import mesa
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array

import sim
from experiments.benchmark.planner_week import BUSY, SIZES, timed
from sim.agents import User
from sim.arithmetic import exp, where
from sim.state import OWN, RELIED

OURS = "this product"
TRUST, HABIT, PEER, PACE, GAIN, LOSS, FORECAST, NOISE = 4.0, 2.0, 1.5, 0.1, 0.1, 0.2, math.log(0.3), 0.5


class SimpleUser(User):
    """A planner with the simplified rules."""

    @sim.rule
    def decide(user, team, unit, seen, chance, p):
        """Plan on the forecast where ``chance`` is below the logistic function of the utility."""
        v = TRUST * (user.trust - 0.5) + HABIT * (user.reliance - 0.5) + PEER * (max(seen, 0.0) - 0.5) - user.threshold
        user.choice = RELIED if chance * (1.0 + exp(-v)) < 1.0 else OWN

    @sim.rule
    def learn(user, team, unit, seen, z, p):
        """Those who used it learn from how clearly it won, failures more than successes."""
        used = where(user.choice != OWN, 1.0, 0.0)
        x = 1.0 - 2.0 / (1.0 + exp(user.log_own_error - FORECAST + NOISE * z))
        user.trust += used * x * where(x > 0.0, GAIN * (1.0 - user.trust), LOSS * user.trust)

    @sim.rule
    def practise(user, team, unit, p):
        """What was done becomes habit."""
        used = where(user.choice != OWN, 1.0, 0.0)
        user.reliance += PACE * (used - user.reliance)


class SimpleModel(sim.RolloutModel):
    """The product with the simplified rules."""

    agent_classes: ClassVar[dict] = {**sim.RolloutModel.agent_classes, User: SimpleUser}


class Start(NamedTuple):
    """Everybody at week 0, [planners] each, and who sees whom, [planners, planners]."""

    trust: np.ndarray
    reliance: np.ndarray
    threshold: np.ndarray
    log_own_error: np.ndarray
    sees: csr_array


COLUMNS = Start._fields[:-1]


#: What runs so many weeks from a start: made outside the clock, called inside; returns the share using the forecast in the last week.
type Run = Callable[[], float]


def product(users: int, weeks: int) -> sim.RolloutModel:
    """The product with the simplified rules; nobody leaves, and a single peer counts."""
    units, teams, per_team = SIZES[users]
    size = {"units": units, "teams": teams, "users": per_team}
    rules: dict[str, Any] = {"people.turnover": 0.0, "utility.min_peers": 1, "utility.saturation": 1.0}
    return SimpleModel(strategy=BUSY, maturity="high", enterprise=size, weeks=weeks, rng=1, **rules)


def start_of(model: sim.RolloutModel) -> Start:
    """The same people and ties for everybody else."""
    state = model.state
    columns = {name: state.users[name].copy() for name in COLUMNS}
    sees = csr_array((np.ones(len(state.peers)), state.peers.astype(np.int32), state.peers_first.astype(np.int32)))
    sees.resize(len(state.users), len(state.users))
    return Start(**columns, sees=sees)


def columns_week(trust: Any, reliance: Any, threshold: Any, log_own_error: Any, seen: Any, chance: Any, z: Any) -> tuple[Any, Any, Any]:
    """A week on whole columns: who uses the forecast, and everybody's trust and habit after it."""
    v = TRUST * (trust - 0.5) + HABIT * (reliance - 0.5) + PEER * (seen - 0.5) - threshold
    used = chance * (1.0 + np.exp(-v)) < 1.0
    x = 1.0 - 2.0 / (1.0 + np.exp(log_own_error - FORECAST + NOISE * z))
    return used, trust + used * x * np.where(x > 0.0, GAIN * (1.0 - trust), LOSS * trust), reliance + PACE * (used - reliance)


def using_peers(start: Start, sparse: bool) -> Callable[[np.ndarray], np.ndarray]:
    """What says of everybody which share of their peers used the forecast: by a gather and sums, or SciPy's sparse product."""
    sees, count = start.sees, np.diff(start.sees.indptr)
    some, peers = count > 0, np.maximum(count, 1)
    if sparse:
        return lambda used: (sees @ used) / peers
    first = np.minimum(sees.indptr[:-1], len(sees.indices) - 1)
    return lambda used: np.add.reduceat(used[sees.indices], first, dtype=float) * some / peers


def numpy_columns(start: Start, weeks: int, sparse: bool = False) -> Run:
    """Columns of NumPy, whole ones at a time."""
    generator = np.random.Generator(np.random.SFC64(1))
    n, seen_by = len(start.trust), using_peers(start, sparse)

    def run() -> float:
        trust, reliance, used = start.trust, start.reliance, np.zeros(n, bool)
        for _ in range(weeks):
            seen, chance, z = seen_by(used), generator.random(n), generator.standard_normal(n)
            used, trust, reliance = columns_week(trust, reliance, start.threshold, start.log_own_error, seen, chance, z)
        return float(used.mean())

    return run


class Planner(mesa.Agent):
    """A planner as one writes it with Mesa."""

    peers: list[Planner]

    def __init__(self, model: mesa.Model, trust: float, reliance: float, threshold: float, log_own_error: float) -> None:
        super().__init__(model)
        self.trust, self.reliance, self.threshold, self.log_own_error = trust, reliance, threshold, log_own_error
        self.used = self.uses = False

    def step(self) -> None:
        """Decide and learn."""
        seen = sum([peer.used for peer in self.peers]) / max(len(self.peers), 1)
        v = TRUST * (self.trust - 0.5) + HABIT * (self.reliance - 0.5) + PEER * (seen - 0.5) - self.threshold
        self.uses = random.random() * (1.0 + math.exp(-v)) < 1.0
        if self.uses:
            x = 1.0 - 2.0 / (1.0 + math.exp(self.log_own_error - FORECAST + NOISE * random.gauss()))
            self.trust += x * (GAIN * (1.0 - self.trust) if x > 0.0 else LOSS * self.trust)
        self.reliance += PACE * (self.uses - self.reliance)

    def advance(self) -> None:
        """Let peers see it."""
        self.used = self.uses


def mesa_agents(start: Start, weeks: int) -> Run:
    """Agents of Mesa, one object each."""
    model = mesa.Model()
    planners = [Planner(model, *values) for values in zip(*(column.tolist() for column in start[:-1]), strict=True)]
    first, peers = start.sees.indptr.tolist(), start.sees.indices.tolist()
    for i, planner in enumerate(planners):
        planner.peers = [planners[j] for j in peers[first[i] : first[i + 1]]]

    def run() -> float:
        for _ in range(weeks):
            model.agents.do("step")
            model.agents.do("advance")
        return statistics.fmean(planner.used for planner in planners)

    return run


def starsim_module(start: Start, weeks: int) -> Run:
    """A module of Starsim, whose agents are columns too, with its own loop and random numbers."""
    import starsim

    n, seen_by = len(start.trust), using_peers(start, sparse=True)

    class Planning(starsim.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.chance, self.noise = starsim.random(), starsim.normal()
            self.define_states(*(starsim.FloatArr(name) for name in (*COLUMNS, "planned")))

        def init_post(self) -> None:
            super().init_post()
            for name in COLUMNS:
                self[name][:] = getattr(start, name)
            self.planned[:] = 0.0

        def step(self) -> None:
            everybody = self.sim.people.auids
            seen, chance, z = seen_by(self.planned.values), self.chance.rvs(everybody), self.noise.rvs(everybody)
            columns = {name: self[name].values for name in COLUMNS}
            self.planned[:], self.trust[:], self.reliance[:] = columns_week(**columns, seen=seen, chance=chance, z=z)

    model = starsim.Sim(n_agents=n, modules=Planning(), start=0, stop=weeks - 1, dt=1, verbose=0, copy_inputs=False)
    model.init()
    planning = next(iter(model.modules))

    def run() -> float:
        model.run()
        return float(planning.planned.values.mean())

    return run


#: Everybody else, and up to how many planners one waits for them. mesa-frames is not here: it asks for NumPy 1.
PEERS: dict[str, tuple[Callable[[Start, int], Run], int]] = {
    "NumPy columns": (numpy_columns, 1_000_000),
    "NumPy columns, SciPy's sparse product": (partial(numpy_columns, sparse=True), 1_000_000),
    "Mesa": (mesa_agents, 10_000),
    **({"Starsim": (starsim_module, 1_000_000)} if importlib.util.find_spec("starsim") else {}),
}


#: Planners of the largest enterprise.
MOST = 1_000_000


def peers(console: Console, quick: bool) -> None:
    """Measure everybody in turn and print medians; ``quick`` leaves out a million planners."""
    table = Table(title="One planner's week by the same simplified rules, medians", title_justify="left")
    for head in ("planners", "computed by", "per planner-week", "÷ this product", "using it in the end"):
        table.add_column(head, justify="left" if head == "computed by" else "right")
    for users in (768, 10_000, *(() if quick else (MOST,))):
        with console.status(f"{users:,} planners"):
            cost, share = measured(users)
        for name, seconds in cost.items():
            table.add_row(f"{users:,}", name, f"{seconds * 1e9:,.1f} ns", f"{seconds / cost[OURS]:.2f}", f"{share[name]:.1%}")
        table.add_section()
    console.print(table)


def measured(users: int, weeks: int = 52, rounds: int = 5) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds per planner-week of everybody (medians of rounds in which each has a turn), and how many used it in the end."""
    weeks = min(weeks, max(1, 13_000_000 // users))  # a quarter of a year is enough for the largest
    product(users, 1).run()  # compiles
    start = start_of(product(users, 1))
    taken: dict[str, list[float]] = {}
    share: dict[str, float] = {}
    for _ in range(rounds):
        model = product(users, weeks)
        taken.setdefault(OURS, []).append(timed(model.run) / (users * weeks))
        share[OURS] = float(model.weekly["users_using"].iloc[-1])
        for name, (make, most) in PEERS.items():
            if users <= most:
                run = make(start, weeks)
                clock = time.perf_counter()
                share[name] = run()
                taken.setdefault(name, []).append((time.perf_counter() - clock) / (users * weeks))
    return {name: statistics.median(each) for name, each in taken.items()}, share
