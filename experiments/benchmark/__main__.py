"""What a simulated planner's week costs, measured in this run: ``python -m experiments.benchmark``.

``--quick`` leaves out the largest enterprise, ``--scale`` measures many runs instead.
"""

from __future__ import annotations

import argparse

from experiments.benchmark.many_runs import many_runs
from experiments.benchmark.planner_week import benchmark
from experiments.lab.output import wide_console
from sim.process import command


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out a million planners")
    parser.add_argument("--scale", action="store_true", help="measure many runs: executors, memory, resuming (about ten minutes)")
    given = parser.parse_args()
    console = wide_console()
    if given.scale:
        many_runs(console)
    else:
        benchmark(console, given.quick)


if __name__ == "__main__":  # workers that are started afresh import this file
    command(main)
