"""The patterns of organisations with several use cases. As :mod:`experiments.patterns.declarations`: data, stated before it is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.patterns.pattern import Arm, Pattern, Readings, Test, Times, each
from experiments.patterns.readings import read_portfolio
from sim.configuration import from_mapping
from sim.presets import load

#: The use cases in the order in which they are added.
CASES = ("demand", "replenishment", "promotion", "capacity", "price", "returns")
ONE_BY_ONE = {"strategy.portfolio.order": "listed", "strategy.portfolio.at_once": 1, "strategy.portfolio.start": "rolled_out"}
ALL_AT_ONCE = {"strategy.portfolio.order": "listed", "strategy.portfolio.at_once": 6, "strategy.portfolio.start": "place"}
#: Each use case builds pipes of its own, and nothing central.
OWN_PIPES = {"strategy.portfolio.platform": "isolated", "strategy.core_first": 0.0}


def portfolio(*names: str, **changes: Any) -> dict[str, Any]:
    """Use cases by name, all with the same changes."""
    return {"usecases": from_mapping({"usecases": [{**load("usecase", name), "name": name, **changes} for name in names]}).usecases}


def _grown(changes: dict[str, Any]) -> dict[str, Arm]:
    """Portfolios of one to four use cases, on a platform and without."""
    easy = Arm("integration_first", "high", {"enterprise.units": 4} | ONE_BY_ONE)
    return {
        f"{n}, {way}": easy.but(portfolio(*CASES[:n]) | pipes | changes)
        for n in range(1, 5)
        for way, pipes in (("platform", {}), ("own pipes", OWN_PIPES))
    }


def _ahead(r: Readings, n: int) -> np.ndarray:
    """By how much the platform is ahead with ``n`` use cases [EUR]."""
    return r[f"{n}, platform.net"] - r[f"{n}, own pipes.net"]


def crossing(r: Readings) -> str:
    """From which number of use cases on the platform is ahead, in the mean over seeds."""
    ahead = [float(np.nanmean(_ahead(r, n))) for n in range(1, 5)]
    said = ", ".join(f"€{x / 1e6:.2f}M with {n}".replace("€-", "−€") for n, x in enumerate(ahead, 1))
    first = next((n for n in range(1, 5) if all(x > 0 for x in ahead[n - 1 :])), None)
    return f"The platform is ahead by {said}: " + (f"from {first} use cases on." if first else "with none of these.")


_three = portfolio(*CASES[:3])
_experiments = {
    "experiments": Arm("model_first", "middle", _three | ALL_AT_ONCE | OWN_PIPES),
    "capability": Arm("integration_first", "middle", _three | ONE_BY_ONE),
}
_choosing = {
    order: Arm(
        "integration_first", "middle",
        portfolio(*CASES) | {
            "weeks": 364, "strategy.portfolio.order": order, "strategy.portfolio.stop": "failing", "strategy.portfolio.at_once": 2,
            "strategy.portfolio.start": "gate",
        },
    )
    for order in ("value", "feasibility", "value_feasibility")
}  # fmt: skip
_alike = portfolio(*CASES, value=1.0, quality=1.0, own_error=1.0, work=1.0, teams=1.0, common=0.6, needs={})
_starting = {
    "all at once": Arm("integration_first", "middle", _three | ALL_AT_ONCE),
    "one by one": Arm("integration_first", "middle", _three | ONE_BY_ONE),
}
_bad = {"value": 0.5, "own_error": 0.6, "quality": 0.6}
_open = {
    "strategy.gate_weeks": 52, "strategy.gate_improvement": -1.0, "strategy.gate_reliance": 0.0, "strategy.wave": 1.0, "strategy.readiness_gate": 0.0,
    "strategy.approval": 0.0, "strategy.portfolio.order": "listed", "strategy.portfolio.start": "gate", "strategy.portfolio.at_once": 2,
}  # fmt: skip


def _after(first: dict[str, Any]) -> Arm:
    """Demand forecasting after another use case that everybody meets."""
    cases = from_mapping({"usecases": [{"name": "first", **first}, "demand"]}).usecases
    return Arm("integration_first", "middle", {"usecases": cases} | _open)


_failing = {"failure": _after(_bad), "success": _after({"value": 0.5, "own_error": 1.5})}
_unconnected = {"sharing.trust": 0.0, "sharing.backing": 0.0}

PORTFOLIOS: tuple[Pattern, ...] = (
    Pattern(
        "a platform pays with the next use case",
        "building a shared platform earns less than own pipes with one use case in an easy organisation, and more with three",
        "high maturity, four units, integration-first, one to four use cases one after the other; own pipes: no central core",
        read_portfolio,
        _grown({}),
        (
            Test("loses with one", "platform − own pipes, net value, one use case", "EUR", -1, lambda r: _ahead(r, 1)),
            Test("wins with three", "platform − own pipes, net value, three use cases", "EUR", +1, lambda r: _ahead(r, 3)),
        ),
        "the core is built, and no use case finds it",
        _grown({"strategy.portfolio.platform": "isolated"}),
        {"a core that spares no local effort": _grown({"platform.reuse": 0.0})},
        crossing,
    ),
    Pattern(
        "isolated experiments stall",
        "experiments that start at once, each with pipes of its own, are used more in the first year and less in the last",
        "middle maturity, three use cases: model-first at once with own pipes, or integration-first on a platform, one after the other",
        read_portfolio,
        _experiments,
        (
            Test("lead early", "experiments − capability, use in the first year", "share", +1,
                 lambda r: r["experiments.early"] - r["capability.early"]),
            Test("stall", "experiments − capability, use in the last year", "share", -1,
                 lambda r: r["experiments.late"] - r["capability.late"]),
        ),
        "a platform that is there, everywhere, and does not wear",
        each(_experiments, {"maturity.readiness": 1.0, "maturity.core": 1.0, "platform.decay": 0.0}),
    ),
    Pattern(
        "value times feasibility",
        "choosing by value × feasibility keeps more use cases in production for three years than by either alone",
        "middle maturity, integration-first, all six use cases, two at a time, seven years; who fails makes room",
        read_portfolio,
        _choosing,
        (
            Test("than by value", "value × feasibility − value", "use cases", +1,
                 lambda r: r["value_feasibility.survived"] - r["value.survived"]),
            Test("than by feasibility", "value × feasibility − feasibility", "use cases", +1,
                 lambda r: r["value_feasibility.survived"] - r["feasibility.survived"]),
        ),
        "use cases that are alike",
        each(_choosing, _alike),
    ),
    Pattern(
        "starting at once crowds out",
        "use cases that all start at once earn less than the same one after the other",
        "middle maturity, integration-first, three use cases",
        read_portfolio,
        _starting,
        (Test("net value", "all at once − one by one", "EUR", -1, lambda r: r["all at once.net"] - r["one by one.net"]),),
        "leaders whose attention is not divided",
        each(_starting, {"sharing.attention": 0.0}),
        {
            "a central team three times as large": each(_starting, {"maturity.budget": Times("maturity.budget", 3.0)}),
            "planners who mind no change": each(_starting, {"utility.load": 0.0}),
        },
    ),
    Pattern(
        "a visible failure slows the next",
        "after a use case that disappoints, demand forecasting is used less in its first three years than after one that convinces",
        "middle maturity, integration-first, all units at once after a year's pilot, one use case after the other's gate; forecasts worse "
        "than planners', or much better",
        read_portfolio,
        _failing,
        (Test("use", "after a failure − after a success, use in the first three years", "share", -1,
              lambda r: r["failure.next"] - r["success.next"]),),
        "neither trust nor backing carries over",
        each(_failing, _unconnected),
        {
            "trust does not carry over": each(_failing, {"sharing.trust": 0.0}),
            "backing does not carry over": each(_failing, {"sharing.backing": 0.0}),
        },
    ),
)  # fmt: skip
