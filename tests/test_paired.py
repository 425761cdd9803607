"""Strategies at the same points: what is varied, and who is compared."""

from __future__ import annotations

import numpy as np

from experiments.lab import paired
from experiments.lab.designs import Factor, at_unit
from sim import RolloutModel
from sim.parameters import RECORDS


def numbers(d: int) -> tuple[Factor, ...]:
    return tuple(Factor(f"x{j}", "number", 0, 1) for j in range(d))


def test_all_numbers_but_choices_of_management_are_screened():
    base = RolloutModel(enterprise="small").parameters
    names = [f.name for f in paired.numeric_factors("all", None, base, True)]
    assert {"trust.loss", "maturity.budget", "utility.min_peers", "value.worth"} <= set(names)
    assert not any(name.split(".")[0] in ("strategy", "enterprise", "weeks", "network", "outcomes") for name in names)
    assert all(RECORDS[name].kind in ("number", "count") for name in names) and len(names) > 100
    judged = [f.name for f in paired.numeric_factors("judged", None, base, True)]
    assert judged == [name for name in names if RECORDS[name].source == "judged"] and 0 < len(judged) < len(names)


def test_points_of_a_pair_differ_in_nothing_but_the_strategy():
    points = paired.crossed(at_unit(numbers(2), np.array([[0.1, 0.2], [0.3, 0.4]])), ("a", "b"))
    assert [points.at(i) for i in range(4)] == [
        {"x0": x, "x1": y, "strategy": s} for x, y in ((0.1, 0.2), (0.3, 0.4)) for s in ("a", "b")
    ]  # fmt: skip
