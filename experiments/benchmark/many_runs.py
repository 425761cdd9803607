"""What many runs cost beside the runs themselves: the part of ``python -m experiments.benchmark --scale``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import sim
from experiments.lab.designs import factors, make
from experiments.lab.executors import Workers
from experiments.lab.plan import Plan
from experiments.lab.runner import execute
from experiments.lab.storage import Store
from sim.parameters import Parameters

WORKERS = 2
BARE = 900  # runs that a bare engine's rate is measured on
#: Runs a sweep in a process of its own and says how long it took and how much memory its parent had at most.
ALONE = """
import json, sys, time
from pathlib import Path
clock = time.perf_counter()
from experiments import sweep
from experiments.lab.config import main
imported = time.perf_counter() - clock
sys.argv = ["sweep", *sys.argv[1:]]
try:
    main("sweep", sweep.sweep)
except SystemExit as done:
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))  # maxrss holds the starter's, too
    print(json.dumps([int(peak), time.perf_counter() - clock, imported, done.code]))
"""


def many_runs(console: Console, runs: int = 10_000, many: int = 100_000, plain: int = 200) -> None:
    """Measure and print: throughput of the executors, ``mesa.batch_run``, memory and resuming."""
    plan = Plan(Parameters(), make("lhs", factors(["trust.loss"], None), 100, 0, 1), runs // 100)
    table = Table(title=f"Sweep of {plan.runs:,} runs of the default enterprise", title_justify="left")
    for head in ("executor", "workers", "start", "runs a second", "÷ bare engine × workers", "÷ bare engines side by side"):
        table.add_column(head, justify="right" if head != "executor" else "left")
    rates = {}
    bare_rate(plan, 50)  # compiles
    bare = bare_rate(plan, BARE)
    for kind in ("serial", "processes", "dask"):
        with console.status(f"{kind}: {plan.runs:,} runs"):
            start, seconds = sweep_seconds(plan, Workers(kind, WORKERS))
            after = bare_rate(plan, BARE)
        count = 1 if kind == "serial" else WORKERS
        rates[kind] = plan.runs / seconds
        ideal, bare = 0.5 * (bare + after) * count, after
        together = bare if count == 1 else side_by_side(plan)
        table.add_row(
            kind, str(count), f"{start:.1f} s", f"{rates[kind]:.0f}", f"{rates[kind] / ideal:.2f}", f"{rates[kind] / together:.2f}"
        )
    console.print(table)

    with console.status(f"mesa.batch_run: {plain} runs on the textbook engine"):
        ours, theirs = against_batch_run(plain)
    console.print(
        f"The same {plain} runs of the default enterprise on {WORKERS} workers: mesa.batch_run on the textbook engine {theirs:.0f} s, "
        f"sweep {ours:.2f} s: {theirs / ours:.0f}×",
        highlight=False,
    )

    with console.status(f"memory and resuming: {many:,} runs"), tempfile.TemporaryDirectory() as folder:
        few = max(100, many // 100)
        few_memory, _, _ = alone(folder, few)
        most_memory, most_seconds, _ = alone(folder, many)
        _, again, imports = alone(folder, many)
    console.print(
        f"Memory of the parent: {few_memory / 1024:.0f} MB at {few:,} runs, {most_memory / 1024:.0f} MB at {many:,}: {most_memory / few_memory:.2f}×",
        highlight=False,
    )
    console.print(
        f"{many:,} runs of a small enterprise: {most_seconds:.0f} s; the same command again, where all is done: {again:.1f} s, "
        f"of which {imports:.1f} s imports",
        highlight=False,
    )


def bare_rate(plan: Plan, runs: int) -> float:
    """Runs a second of the engine alone, in this process: parameters ready, outcome recorded, nothing stored."""
    some = [plan.parameters(point) for point in range(min(100, len(plan.points)))]
    clock = time.perf_counter()
    for k in range(runs):
        _ = sim.RolloutModel(parameters=some[k % len(some)], rng=1 + k).run().outcome
    return runs / (time.perf_counter() - clock)


def side_by_side(plan: Plan) -> float:
    """Runs a second of bare engines in as many processes at once: what this machine's cores give together."""
    with Workers("processes", WORKERS) as workers:
        workers.prime()
        return sum(future.result() for future in [workers.submit(bare_rate, plan, BARE) for _ in range(WORKERS)])


def sweep_seconds(plan: Plan, workers: Workers) -> tuple[float, float]:
    """Seconds until the workers have run their first task, and seconds of the whole plan on them."""
    with tempfile.TemporaryDirectory() as folder:
        clock = time.perf_counter()
        with workers:
            warm = [workers.submit(_warm) for _ in range(2 * workers.count)]
            for future in warm:
                future.result()
            start = time.perf_counter() - clock
            clock = time.perf_counter()
            with Store("benchmark", Path(folder), {"plan": 1}) as store:
                execute(plan, store, workers)
            return start, time.perf_counter() - clock


def _warm() -> None:
    sim.RolloutModel(enterprise="small", weeks=5, rng=1).run()
    time.sleep(0.2)  # so that every worker gets one


def against_batch_run(runs: int) -> tuple[float, float]:
    """Seconds of the same runs in a sweep and in ``mesa.batch_run`` on the textbook engine, starting workers included."""
    import mesa

    plan = Plan(Parameters(), make("grid", factors(["override.share"], {"override.share": [0.2, 0.4]}), 0, 2, 1), runs // 2)
    clock = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Workers("processes", WORKERS) as workers, Store("benchmark", Path(folder), {}) as store:
        execute(plan, store, workers)
    ours = time.perf_counter() - clock
    clock = time.perf_counter()
    rows = mesa.batch_run(
        sim.RolloutModel,
        {"engine": ["textbook"], "override.share": [0.2, 0.4]},
        rng=list(range(1, runs // 2 + 1)),
        number_processes=WORKERS,
        max_steps=260,
        display_progress=False,
    )
    if len(rows) != runs:
        raise RuntimeError(f"mesa.batch_run made {len(rows)} rows of {runs} runs")
    return ours, time.perf_counter() - clock


def alone(folder: str, runs: int) -> tuple[float, float, float]:
    """Memory (kB), seconds, and seconds of importing, of a sweep of very small runs in a process of its own."""
    arguments = ["enterprise=small", "weeks=10", "design.over=[trust.loss]", "design.samples=100", f"replications={runs // 100}"]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *arguments, f"executor.workers={WORKERS}", f"output={folder}/{runs}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    answer: list[Any] = json.loads(done.stdout.splitlines()[-1])
    if answer[3] != 0:
        raise RuntimeError(done.stderr)
    return answer[0], answer[1], answer[2]
