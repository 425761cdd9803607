"""What a simulated planner's week costs, measured in this run, and what surrounds it: building, start-up, a comparison, size.

What is compared is measured side by side, best of several rounds, so that ratios hold on a busy machine too.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from rich.console import Console
from rich.table import Table

import sim
from experiments.lab.designs import factors, make
from experiments.lab.executors import Workers
from experiments.lab.plan import Plan
from experiments.lab.runner import execute
from experiments.lab.storage import Store
from sim.arithmetic import exp
from sim.enterprise import create
from sim.layout import generated_layout
from sim.parameters import Parameters
from sim.presets import load
from sim.vector import BLOCK, STRIDE
from sim.weeks import CHANCE, NOISE, Columns, draw_block

#: All units live from the first weeks to the end, so that nothing is skipped.
BUSY = {
    **load("strategy", "big_bang"),
    "gate_weeks": 0,
    "gate_improvement": -1.0,
    "gate_reliance": 0.0,
    "unit_reviews": 1000,
    "initiative_reviews": 1000,
}
SIZES = {768: (12, 8, 8), 1_000: (5, 25, 8), 10_000: (40, 25, 10), 100_000: (100, 100, 10), 1_000_000: (1000, 100, 10)}


@njit(error_model="numpy", nogil=True)
def floor_weeks(trust, used, using, peers_first, peers, keys, weeks):
    """Draws, peers gathered, two exps, on separate columns and in vector loops: no rules, teams or units, and nothing recorded."""
    table = np.empty((4, STRIDE))
    left = np.empty(BLOCK, np.int8)
    for week in range(weeks):
        for i in range(len(trust)):
            using[i] = 0
            for j in range(peers_first[i], peers_first[i + 1]):
                using[i] += used[peers[j]]
        for low in range(0, len(trust), BLOCK):
            n = min(BLOCK, len(trust) - low)
            draw_block(table, n, low, week, keys[0], keys[0], left, 0.0, 0, True)
            table[2, :n] = trust[low : low + n]
            table[3, :n] = using[low : low + n]
            for i in range(n):
                table[3, i] = table[CHANCE, i] * (1.0 + exp(2.0 - 4.0 * table[2, i] - 0.2 * table[3, i]))
                table[2, i] = 0.5 * table[2, i] + 0.5 / (1.0 + exp(table[NOISE, i]))
            trust[low : low + n] = table[2, :n]
            for i in range(n):
                used[low + i] = table[3, i] < 1.0


def model(users: int, weeks: int, engine: str = "compiled", strategy: Any = None) -> sim.RolloutModel:
    """A busy enterprise of so many planners."""
    units, teams, per_team = SIZES[users]
    size = {"units": units, "teams": teams, "users": per_team}
    return sim.RolloutModel(strategy=strategy or BUSY, maturity="high", enterprise=size, weeks=weeks, rng=1, engine=engine)


def timed(action: Callable[[], Any]) -> float:
    """Seconds an action takes."""
    clock = time.perf_counter()
    action()
    return time.perf_counter() - clock


def run_floor(users: int, weeks: int) -> float:
    """Seconds the floor takes for as many draws and the same network."""
    m = model(users, 1)
    state = create(m.parameters, generated_layout(m.parameters), m.seed_used).of(0)  # one's own, to write to
    trust, used, using = state.users["trust"].copy(), np.zeros(users, np.uint8), np.zeros(users, np.uint8)
    return timed(lambda: floor_weeks(trust, used, using, state.peers_first, state.peers, state.keys, weeks))


def bytes_per_user(m: sim.RolloutModel) -> tuple[float, float, float]:
    """Bytes per planner of state, of the network and of what is counted while it runs."""
    s, n = m.state, len(m.state.users)
    state = s.users.nbytes + s.teams.nbytes + s.units.nbytes + s.order.nbytes + s.firm.nbytes
    counted = Columns.of(create(m.parameters, generated_layout(m.parameters), m.seed_used))
    return state / n, (s.peers.nbytes + s.peers_first.nbytes) / n, (counted.using.nbytes + counted.switched.nbytes) / n


def benchmark(console: Console, quick: bool, weeks: int = 260, rounds: int = 7, replications: int = 100) -> None:
    """Measure and print; fewer weeks, rounds and replications show that it works, not how fast."""
    planner_week(console, weeks, rounds)
    building(console)
    start_up(console, min(rounds, 3))
    comparison(console, replications)
    sizes(console, quick, weeks, rounds)


def planner_week(console: Console, weeks: int, rounds: int) -> None:
    """Cost of one planner's week in both engines, against the vectorised floor."""
    model(768, 60).run()
    run_floor(768, 60)
    per_week: dict[tuple[str, int], float] = {}
    with console.status("measuring") as status:
        for users in (768, 10_000):
            plain_weeks = weeks if users == 768 else min(weeks, 26)
            for engine in ("compiled", "floor", "textbook"):
                per_week[engine, users] = math.inf
            for r in range(rounds):
                status.update(f"{users:,} planners, round {r + 1} of {rounds}")
                per_week["compiled", users] = min(per_week["compiled", users], timed(model(users, weeks).run) / (users * weeks))
                per_week["floor", users] = min(per_week["floor", users], run_floor(users, weeks) / (users * weeks))
                if r < 3:
                    plain = timed(model(users, plain_weeks, "textbook").run) / (users * plain_weeks)
                    per_week["textbook", users] = min(per_week["textbook", users], plain)
    table = Table(title="Cost of one planner's week, all units live", title_justify="left")
    for head in ("planners", "compiled", "textbook", "textbook ÷ compiled", "vectorised floor", "compiled ÷ floor"):
        table.add_column(head, justify="right")
    for users in (768, 10_000):
        compiled, textbook, floor = (per_week[engine, users] for engine in ("compiled", "textbook", "floor"))
        table.add_row(
            f"{users:,}",
            f"{compiled * 1e9:.1f} ns",
            f"{textbook * 1e9:,.0f} ns",
            f"{textbook / compiled:.0f}",
            f"{floor * 1e9:.1f} ns",
            f"{compiled / floor:.2f}",
        )
    console.print(table)


def building(console: Console) -> None:
    """What it takes to build the default enterprise, beside running it."""
    for strategy in ("integration_first", "model_first"):
        build, run = math.inf, math.inf
        for seed in range(15):
            clock = time.perf_counter()
            m = sim.RolloutModel(strategy=strategy, rng=seed)
            middle = time.perf_counter()
            m.run()
            build, run = min(build, middle - clock), min(run, time.perf_counter() - middle)
        console.print(
            f"Default enterprise, {strategy}, 768 planners × 260 weeks: building {build * 1e3:.1f} ms, "
            f"running {run * 1e3:.1f} ms, building ÷ running {build / run:.2f}",
            highlight=False,
        )


def start_up(console: Console, rounds: int) -> None:
    """Seconds until Python has the model, and until it has run one."""
    starts = {
        "import sim": "import sim",
        "and one small run, compiled code cached": "import sim; sim.RolloutModel(enterprise='small', rng=1).run()",
    }
    for what, code in starts.items():
        seconds = min(timed(lambda c=code: subprocess.run([sys.executable, "-c", c], check=True)) for _ in range(rounds))  # type: ignore[misc]
        console.print(f"Start-up, {what}: {seconds:.1f} s", highlight=False)


def comparison(console: Console, replications: int, workers: int = 2) -> None:
    """The runs of the default ``compare`` in one process and in several, results written as it writes them."""
    compared = {"maturity": ["low", "middle", "high"], "strategy": ["integration_first", "model_first"]}
    plan = Plan(Parameters(), make("grid", factors(list(compared), compared), 0, 2, 1), replications, weekly=1, inside=25)
    times = {1: math.inf, workers: math.inf}
    for n in (1, workers, 1, workers):
        with (
            tempfile.TemporaryDirectory() as folder,
            Workers("serial") if n == 1 else Workers("processes", n) as executor,
            Store("benchmark", Path(folder), {"plan": 1}) as store,
        ):
            times[n] = min(times[n], timed(lambda s=store, e=executor: execute(plan, s, e)))  # type: ignore[misc]
    console.print(
        f"Default compare, {plan.runs} runs: {times[1]:.1f} s in one process, {times[workers]:.1f} s in {workers}, "
        f"{times[1] / (workers * times[workers]):.0%} of ideal {workers}-core speed",
        highlight=False,
    )


def sizes(console: Console, quick: bool, weeks: int, rounds: int) -> None:
    """Time and memory of larger enterprises; ``quick`` leaves out a million planners."""
    table = Table(title="Size (compiled engine, all units live)", title_justify="left")
    for head in ("planners", "weeks", "build", "per planner-week", "÷ that at 10,000", "state", "network", "counted"):
        table.add_column(head, justify="right")
    costs: dict[int, float] = {}
    for users in (10_000, 1_000, 100_000, *(() if quick else (1_000_000,))):
        some = min(weeks, {1_000: 260, 10_000: 260, 100_000: 104, 1_000_000: 26}[users])
        best, build = math.inf, math.inf
        with console.status(f"{users:,} planners"):
            for _ in range(min(rounds, 2 if users >= 1_000_000 else 4)):
                clock = time.perf_counter()
                m = model(users, some)
                build = min(build, time.perf_counter() - clock)
                best = min(best, timed(m.run))
        costs[users] = best / (users * some)
        state, network, draws = bytes_per_user(m)
        table.add_row(
            f"{users:,}",
            str(some),
            f"{build:.3f} s",
            f"{costs[users] * 1e9:.1f} ns",
            f"{costs[users] / costs[10_000]:.2f}",
            f"{state:.0f} B",
            f"{network:.0f} B",
            f"{draws:.0f} B",
        )
        del m
    console.print(table)
