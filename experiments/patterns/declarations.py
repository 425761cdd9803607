"""The patterns that a credible model shows without being told to: what is claimed, where, how it is tested, what must remove it.

All of it is data and stated before it is run. Nothing here depends on the values of parameters but what it names: where it must, it
takes multiples of them (:class:`experiments.patterns.pattern.Times`).
"""

from __future__ import annotations

import numpy as np

from experiments.patterns.effects import (
    CHAMPIONS,
    INTEGRATION_LEVELS,
    WAY,
    crossover,
    lag,
    loop,
    rise_inside,
    spearman,
    steepest,
    valley,
    worth_of_accuracy,
)
from experiments.patterns.pattern import Arm, Pattern, Test, Times, each
from experiments.patterns.portfolios import PORTFOLIOS
from experiments.patterns.readings import (
    HOLD,
    read_curve,
    read_cycle,
    read_decay,
    read_followers,
    read_net,
    read_pilot,
    read_plateau,
    read_retrofit,
    read_spread,
    read_support,
    read_teams,
    read_trap,
    read_trough,
    read_value,
)
from sim.parameters import BUCKETS

#: The pilot passes at the end of its time, whatever came out: no selection by the gate.
OPEN = {"strategy.gate_improvement": -1.0, "strategy.gate_reliance": 0.0}
#: Management neither retires a unit nor stops the initiative: what falls, falls by the planners' choice.
PATIENT = {"strategy.unit_reviews": 1000, "strategy.initiative_reviews": 1000}
#: All units at once.
TOGETHER = {"strategy.wave": 1.0, "strategy.cadence": 1, "strategy.readiness_gate": 0.0, "strategy.approval": 0.0}
#: Support that costs the central team nothing and is never short.
FREE_SUPPORT = {name: Times(name, 0.001) for name in ("support.need", "support.carrying", "support.minimum")}
#: A forecast that does not age, nor learn.
NO_DRIFT = {"forecast.drift": 0.0, "disturbance.shift": 0.0}
NO_PEERS = {"utility.peer": 0.0, "utility.norm": 0.0, "trust.peer": 0.0}


def effort(phases: str, **shares: float) -> dict[str, float]:
    """Changes that set the shares of effort in some phases, of 100."""
    return {f"strategy.effort.{phase}.{bucket}": shares.get(bucket, 0) / 100 for phase in phases.split() for bucket in BUCKETS}


BUILDING = {"model": 15, "pipelines": 25, "integration": 30, "monitoring": 10, "governance": 10, "workflow": 10}
TRAINING = {"model": 60, "workflow": 40}

_perfect = {
    "maturity.completeness": 0.999, "maturity.lateness": 0.0, "maturity.mismatch": 0.001, "maturity.fit": 0.99, "team.decay": 0.0
}  # fmt: skip
_typical = Arm("representative_pilot", "middle", OPEN | {"support.cap": 0.0})
_diluting = Arm("no_platform", "middle", OPEN | PATIENT)
_held = Arm("no_platform", "middle", OPEN | PATIENT | TOGETHER | {"platform.decay": 0.0})
_bottleneck = {
    f"{level}%{', accurate' if cut < 1 else ''}": _held.but({"forecast.best": Times("forecast.best", cut)}, integration=level / 100)
    for level in INTEGRATION_LEVELS
    for cut in (1.0, 0.9)
}
_ends = ("0%", "0%, accurate", "100%", "100%, accurate")
_curves = {"integration-first": Arm("integration_first", "high"), "model-first": Arm("model_first", "high")}
_still = {"forecast.learning": 0.0, "platform.decay": 0.0, "team.decay": 0.0, "correction.repair": 0.0, "strategy.gate_weeks": 0}
_effortless = FREE_SUPPORT | {"habit.dip": 0.0, "habit.effort": 0.0, "team.reconciling": 0.0}
_bistable = {
    "all": Arm("big_bang", "middle", OPEN | PATIENT),
    "cycle": Arm(
        "no_platform", "high",
        OPEN | PATIENT | TOGETHER | NO_DRIFT | _still | effort("pilot rollout run", model=100)
        | {"weeks": len(WAY) * HOLD, "enterprise.units": 4},
        integration=1.0, reliability=WAY,
    ),
}  # fmt: skip
_spreading = Arm(
    "no_platform", "low", OPEN | PATIENT | TOGETHER | {"weeks": 104, "strategy.champions": 0.2, "strategy.placement": "clustered"}
)
_clustering = {"clustered": _spreading, "random": _spreading.but({"strategy.placement": "random"}), "rewired": _spreading.but(rewired=True)}
_shifted = Arm("balanced", "middle", OPEN | PATIENT | TOGETHER | {"strategy.gate_weeks": 52, "platform.debt": 0.0})
_retrofit = {
    "early": _shifted.but(effort("pilot rollout run", **BUILDING)),
    "late": _shifted.but(effort("pilot rollout", **TRAINING) | effort("run", **BUILDING)),
}
_unwatched = Arm(
    "integration_first", "high",
    PATIENT | {"platform.decay": 0.0}
    | effort("pilot", model=15, pipelines=25, integration=40, governance=10, workflow=10)
    | effort("rollout", model=5, pipelines=25, integration=42, governance=8, workflow=20)
    | effort("run", workflow=100),
)  # fmt: skip
_trap = {name: Arm("model_first", "middle", OPEN | PATIENT | {"support.cap": cap}) for name, cap in (("patching", 0.9), ("building", 0.1))}
_tipping = {
    f"{level}%": Arm(
        "business_led", "middle",
        OPEN | PATIENT | TOGETHER | {"weeks": 104, "strategy.champions": level / 100, "strategy.placement": "random"},
    )
    for level in CHAMPIONS
}  # fmt: skip
_bends = ("0%", "10%", "40%", "50%")
_flipping = {
    f"{place}, {strategy.replace('_', '-')}": Arm(strategy, maturity)
    for place, maturity in (("region", "homogeneous"), ("article", "middle"))
    for strategy in ("model_first", "integration_first")
}

ONE_USE_CASE: tuple[Pattern, ...] = (
    Pattern(
        "pilot illusion",
        "use and accuracy in the pilot exceed those of the roll-out, and the pilot's success ranks later success weakly",
        "middle maturity, model-first, which pilots in the cleanest unit; the gate is open, so that selection adds nothing",
        read_pilot,
        {"pilot": Arm("model_first", "middle", OPEN)},
        (
            Test("use", "pilot − roll-out, share of planners using it at the same age", "share", +1,
                 lambda r: r["pilot.pilot_use"] - r["pilot.rollout_use"]),
            Test("accuracy", "pilot − roll-out, error cut offered at the same age", "share", +1,
                 lambda r: r["pilot.pilot_cut"] - r["pilot.rollout_cut"]),
            Test("ranking", "Spearman's ρ of the pilot's use and the others' in the last year, less ½", "ρ − ½", -1,
                 lambda r: spearman(r["pilot.pilot_use"], r["pilot.later_use"]) - 0.5, across=True),
        ),
        "a representative pilot without extra support",
        {"pilot": _typical},
        {
            "the ablation, no drift, and nothing built but the model":
                {"pilot": _typical.but(NO_DRIFT | effort("pilot rollout run", model=100))}
        },
    ),
    Pattern(
        "support dilution",
        "the faster the waves, the less support a unit gets in its first half year, and the less trust it gains in it",
        "middle maturity, no platform: support is all that helps; waves every 2 against every 26 weeks; reviews retire nobody",
        read_support,
        {"fast": _diluting.but({"strategy.cadence": 2}), "slow": _diluting.but({"strategy.cadence": 26})},
        (
            Test("support", "fast − slow, support given over needed", "share", -1, lambda r: r["fast.support"] - r["slow.support"]),
            Test("trust", "fast − slow, trust gained in the first half year", "trust", -1, lambda r: r["fast.gained"] - r["slow.gained"]),
        ),
        "support that grows with the units: never short",
        {"fast": _diluting.but({"strategy.cadence": 2} | FREE_SUPPORT), "slow": _diluting.but({"strategy.cadence": 26} | FREE_SUPPORT)},
    ),
    Pattern(
        "integration bottleneck",
        "without integration a more accurate forecast is worth next to nothing: less than a quarter of what it is worth with it",
        "middle maturity, no platform but the integration that is there, all units at once",
        read_value,
        _bottleneck,
        (
            Test("worth of accuracy", "a quarter of the worth of a tenth off the error at full integration, less its worth without",
                 "EUR a year", +1,
                 lambda r: worth_of_accuracy(r, 100) / 4 - worth_of_accuracy(r, 0)),
        ),
        "integration given everywhere",
        each(_bottleneck, only=_ends, integration=1.0),
        {"support that carries no output to planners": each(_bottleneck, {"support.channel": 0.0}, _ends)},
        crossover,
    ),
    Pattern(
        "partial-adoption plateau",
        "reliance stays strictly between .1 and .9, and moves by less than .05 in the last half year",
        "middle maturity, model-first: the pilot convinces, the platform comes later",
        read_plateau,
        {"end": Arm("model_first", "middle")},
        (Test("plateau", "least distance from .1, .9 and a drift of .05", "reliance", +1, lambda r: r["end.margin"]),),
        "perfect data and fit",
        {"end": Arm("model_first", "middle", _perfect)},
    ),
    Pattern(
        "value J-curve",
        "cumulative net value is below 0, then above; the trough is later under integration-first than under model-first",
        "high maturity, where both strategies can pay back within five years",
        read_trough,
        _curves,
        (
            Test("below, then above", "integration-first, the lesser of the trough's depth and the end's height", "EUR", +1,
                 lambda r: np.minimum(r["integration-first.depth"], r["integration-first.end"])),
            Test("later trough", "integration-first − model-first, week of the trough", "weeks", +1,
                 lambda r: r["integration-first.week"] - r["model-first.week"]),
        ),
        "no learning and support cost",
        each(_curves, _effortless),
        {
            "the ablation, and a central team and running that cost nothing":
                each(_curves, _effortless | {"value.person_week": 0.0, "value.running": 0.0})
        },
    ),
    Pattern(
        "S-curve",
        "from the gate on, a logistic or Bass curve fits reliance better than a line, and it has one inflection",
        "middle maturity, integration-first: adoption runs its whole course",
        read_curve,
        {"run": Arm("integration_first", "middle")},
        (
            Test("better than a line", "AICc of a line less that of the better curve", "AICc", +1, lambda r: r["run.better"]),
            Test("one inflection", "½ less the distance of their number from one", "inflections", +1,
                 lambda r: 0.5 - np.abs(r["run.inflections"] - 1)),
        ),
        "no peers, no waves",
        {"run": Arm("integration_first", "middle", NO_PEERS | TOGETHER)},
    ),
    Pattern(
        "team bistability",
        "teams settle on either set of numbers, few between; and reliance lost when reliability fell is not regained at the same level",
        "two modes: middle maturity, big bang; the loop: high maturity, integration given, nothing built, four units, five years a step",
        lambda model: read_teams(model) | read_cycle(model),
        _bistable,
        (
            Test("two modes", "lesser outer third of teams by reliance − middle third", "share of teams", +1, valley),
            Test("hysteresis", "reliance on the way down − on the way up, at the same reliability", "reliance", +1, loop),
        ),
        "symmetric trust, no peers",
        each(_bistable, NO_PEERS | {"trust.loss": Times("trust.gain")}),
        finding=lag,
    ),
    Pattern(
        "clustering helps",
        "use spreads further from clustered champions than from as many at random, and less far when ties are rewired",
        "low maturity, no platform, a fifth of champions, all units at once, two years: few would use it without colleagues who do",
        read_spread,
        _clustering,
        (
            Test("placement", "clustered − random champions, mean use", "share", +1, lambda r: r["clustered.use"] - r["random.use"]),
            Test("rewiring", "network as drawn − rewired, mean use", "share", +1, lambda r: r["clustered.use"] - r["rewired.use"]),
        ),
        "simple contagion: one peer counts as much as all",
        each(_clustering, {"utility.min_peers": 1, "utility.saturation": 0.001}),
        {"no peers": each(_clustering, NO_PEERS)},
    ),
    Pattern(
        "late retrofit costs more",
        "the later the platform is begun, the more central effort it takes until it stands, with debt set to 0",
        "middle maturity, all units live in week 52; the platform is begun at once, or after that",
        read_retrofit,
        _retrofit,
        (Test("effort", "late − early, central effort from its start until it stands", "person-weeks", +1,
              lambda r: r["late.cost"] - r["early.cost"]),),
        "no spill-overs: support takes nothing from building",
        each(_retrofit, FREE_SUPPORT),
    ),
    Pattern(
        "silent decay",
        "where nobody monitors, use outlives accuracy, then falls",
        "high maturity, integration-first without monitoring and, once rolled out, without retraining; the platform does not wear",
        read_decay,
        {"unwatched": _unwatched},
        (
            Test("outlives", "share of use left when half of the accuracy is gone, less ½", "share", +1,
                 lambda r: r["unwatched.left"] - 0.5),
            Test("then falls", "share of its best that use has lost at the end, less a tenth", "share", +1,
                 lambda r: 0.9 - r["unwatched.end"]),
        ),
        "no drift",
        {"unwatched": _unwatched.but(NO_DRIFT)},
        {"neither peers nor the anchor of governance": {"unwatched": _unwatched.but(NO_PEERS | {"trust.governance": 0.0})}},
    ),
    Pattern(
        "capability trap",
        "where support may take nearly all of the effort, it does; use is better in the first year after the gate and worse in the last",
        "middle maturity, model-first, which goes live before its platform stands; support may take nine tenths of the budget, or one",
        read_trap,
        _trap,
        (
            Test("support", "patching − building, support's share of effort", "share", +1,
                 lambda r: r["patching.support"] - r["building.support"]),
            Test("better early", "patching − building, use in the first year", "share", +1,
                 lambda r: r["patching.early"] - r["building.early"]),
            Test("worse late", "patching − building, use in the last year", "share", -1,
                 lambda r: r["patching.late"] - r["building.late"]),
        ),
        "support capacity unlimited",
        each(_trap, FREE_SUPPORT),
    ),
    Pattern(
        "tipping",
        "others' reliance rises more steeply with champions between 10 and 40% of planners than below and above",
        "middle maturity, business-led, all units at once, two years: champions at random",
        read_followers,
        _tipping,
        (Test("steeper inside", "rise per point of champions inside 10 to 40% − outside", "points", +1, rise_inside),),
        "no peers",
        each(_tipping, NO_PEERS, _bends),
        {"random rewiring": each(_tipping, only=_bends, rewired=True)},
        steepest,
    ),
    Pattern(
        "strategy ranking flips",
        "model-first earns more where units are alike and most of the platform is there, and less in the article's enterprise",
        "twelve homogeneous units with 70% of the platform; twelve units of middle maturity with 5%; five years",
        read_net,
        _flipping,
        (
            Test("wins there", "model-first − integration-first in the region, net value", "EUR", +1,
                 lambda r: r["region, model-first.net"] - r["region, integration-first.net"]),
            Test("loses here", "model-first − integration-first in the article's enterprise, net value", "EUR", -1,
                 lambda r: r["article, model-first.net"] - r["article, integration-first.net"]),
        ),
        "a platform that is there, everywhere, and does not wear",
        each(_flipping, {"maturity.readiness": 1.0, "maturity.core": 1.0, "platform.decay": 0.0}),
    ),
)  # fmt: skip
PATTERNS = (*ONE_USE_CASE, *PORTFOLIOS)
BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
