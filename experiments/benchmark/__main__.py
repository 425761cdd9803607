"""What a simulated planner's week costs, measured in this run: ``python -m experiments.benchmark``.

``--quick`` leaves out the largest enterprise, ``--scale`` measures many runs instead, ``--peers`` other ways of computing a week.
"""

from __future__ import annotations

import argparse

from experiments.benchmark.many_runs import many_runs
from experiments.benchmark.peers import peers
from experiments.benchmark.planner_week import benchmark
from experiments.lab.output import wide_console
from sim.process import command


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out a million planners")
    parser.add_argument("--scale", action="store_true", help="measure many runs: executors, memory, resuming (about ten minutes)")
    parser.add_argument("--peers", action="store_true", help="the same simplified week by NumPy, Mesa and, where installed, Starsim")
    given = parser.parse_args()
    console = wide_console()
    if given.scale:
        many_runs(console)
    elif given.peers:
        peers(console, given.quick)
    else:
        benchmark(console, given.quick)


if __name__ == "__main__":  # workers that are started afresh import this file
    command(main)
