"""The patterns that a credible model shows without being told to: what is claimed, where, how it is tested, what must remove it.

All of it is data and stated before it is run; :mod:`experiments.patterns` runs and judges it. Nothing here depends on the values of
parameters but what it names: where it must, it takes multiples of them (:class:`Times`).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.stats import rankdata

from experiments.lab.statistics import mean
from sim import RolloutModel
from sim.parameters import BUCKETS, CAPABILITIES
from sim.state import LIVE, PILOT
from sim.views.words import interval

Readings = Mapping[str, np.ndarray]

# --------------------------------------------------------------------------- what a declaration is made of


@dataclass(frozen=True)
class Times:
    """A value that is a multiple of a configured one."""

    name: str
    factor: float = 1.0


@dataclass(frozen=True)
class Arm:
    """One configuration of the model.

    Attributes:
        strategy, maturity: presets.
        changes: dotted parameters and their values, or :class:`Times` of one of them as it is configured in this arm.
        rewired: ties are swapped at random between planners, each of whom keeps as many (Maslov & Sneppen 2002).
        integration: readiness of integration in all units at week 0; None: as drawn.
        reliability: levels of the forecast's quality, each held for :data:`HOLD` weeks, over the quality at which its error
            is the planners' own; empty: as the model has it.
    """

    strategy: str
    maturity: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    rewired: bool = False
    integration: float | None = None
    reliability: tuple[float, ...] = ()

    def but(self, changes: Mapping[str, Any] | None = None, **more: Any) -> Arm:
        """The same arm with other changes."""
        return Arm(**{**self.__dict__, "changes": {**self.changes, **(changes or {})}, **more})


@dataclass(frozen=True)
class Test:
    """One test on the output.

    Attributes:
        name: in a few words.
        effect: what is measured, in words.
        unit: of the effect.
        direction: +1 where the claim is an effect above 0, -1 below.
        statistic: from the readings of all arms, as ``arm.reading`` [seeds], to the effect of each seed [seeds].
        across: the statistic is one number of all seeds together; its interval is then a bootstrap's, and no seed fails.
    """

    name: str
    effect: str
    unit: str
    direction: int
    statistic: Callable[[Readings], Any]
    across: bool = False


@dataclass(frozen=True)
class Pattern:
    """A pattern, stated before it is run.

    Attributes:
        name: how it is called.
        claim: what should be seen.
        where: in which enterprise, and why there.
        read: what is read off a finished run: name and value.
        arms: configurations by name.
        tests: on the readings of these arms.
        ablation: what must remove it, in words.
        ablated: the same arms with it, or those of them that the tests read.
        probes: further ablations, in words, that look into why a test fails or an ablation leaves it. They were added after a
            first look and enter no verdict.
        finding: from the readings of the arms to one more number worth printing, in words; None: nothing.
    """

    name: str
    claim: str
    where: str
    read: Callable[[RolloutModel], dict[str, float]]
    arms: Mapping[str, Arm]
    tests: tuple[Test, ...]
    ablation: str
    ablated: Mapping[str, Arm]
    probes: Mapping[str, Mapping[str, Arm]] = field(default_factory=dict)
    finding: Callable[[Readings], str] | None = None


def each(arms: Mapping[str, Arm], changes: Mapping[str, Any] | None = None, only: tuple[str, ...] = (), **more: Any) -> dict[str, Arm]:
    """All arms, or only some, with the same changes."""
    return {name: arm.but(changes, **more) for name, arm in arms.items() if not only or name in only}


# --------------------------------------------------------------------------- what is read off a run

#: Weeks a level of reliability is held, long after trust and sponsorship have settled; weeks that are read at its end; and weeks
#: after which it is read a first time, when they have not: what differs then and no longer at the end is lag, and no hysteresis.
HOLD, SETTLED, SOON = 260, 26, 78


def weeks_live(model: RolloutModel) -> np.ndarray:
    """Weeks since each unit went live, or began to pilot, [weeks, units]; -1 where it is not."""
    stage = model.state.unit_weekly["stage"]
    live = (stage == LIVE) | (stage == PILOT)
    return np.where(live, np.cumsum(live, axis=0) - 1, -1)


def over(values: np.ndarray, chosen: np.ndarray) -> float:
    """Mean of the chosen values; NaN where there are none."""
    return float(values[chosen].mean()) if chosen.any() else np.nan


def read_pilot(model: RolloutModel) -> dict[str, float]:
    """Use and error cut of the pilot and of the other units, each in its weeks 14 to 26; and the others' use in the last year."""
    rows, age = model.state.unit_weekly, weeks_live(model)
    pilot = np.zeros(age.shape, bool)
    pilot[:, int(model.state.firm["pilot"][0])] = True
    young, late = (age >= 13) & (age < 26), np.arange(len(age))[:, None] >= len(age) - 52
    return {
        "pilot_use": over(rows["users_using"], pilot & young),
        "pilot_cut": over(rows["improvement"], pilot & young),
        "rollout_use": over(rows["users_using"], ~pilot & young),
        "rollout_cut": over(rows["improvement"], ~pilot & young),
        "later_use": over(rows["users_using"], ~pilot & late),
    }


def read_support(model: RolloutModel) -> dict[str, float]:
    """Support that units after the pilot got in their first half year live, and the trust they gained in it."""
    rows, age = model.state.unit_weekly, weeks_live(model)
    age[:, int(model.state.firm["pilot"][0])] = -1
    gained = over(rows["trust"], age == 25) - over(rows["trust"], age == 0)
    return {"support": over(rows["support"], (age >= 0) & (age < 26)), "gained": gained}


def read_value(model: RolloutModel) -> dict[str, float]:
    """Value of the last year, before costs [EUR]."""
    return {"value": float(model.state.weekly["value"][-52:].sum())}


def read_plateau(model: RolloutModel) -> dict[str, float]:
    """By how much the end is a plateau half-way: the least of the distances from .1, from .9 and from a drift of .05 in half a year."""
    reliance = model.state.weekly["reliance"]
    end = float(reliance[-1])
    return {"end": end, "margin": min(end - 0.1, 0.9 - end, 0.05 - abs(end - float(reliance[-27])))}


def read_trough(model: RolloutModel) -> dict[str, float]:
    """Depth below 0 of the trough of cumulative net value [EUR], its week, and the net value at the end [EUR]."""
    record = model.outcome
    week = record["trough_week"]
    return {"depth": -record["trough"], "week": np.nan if week is None else float(week), "end": record["net"]}


def read_curve(model: RolloutModel) -> dict[str, float]:
    """How much better a logistic or Bass curve fits reliance than a line (AICc), and its inflections, from the gate on."""
    gate = int(model.state.firm["gate_week"][0])
    curve = model.state.weekly["reliance"][gate:] if gate >= 0 else np.zeros(0)
    if len(curve) < 52:
        return {"better": np.nan, "inflections": np.nan}
    y = curve[::4]
    t = np.linspace(0, 1, len(y))
    top = max(float(y.max()), 1e-6)
    line = aicc(y, np.polyval(np.polyfit(t, y, 1), t), 2)
    logistic = fitted(lambda t, m, r, c: m / (1 + np.exp(-r * (t - c))), t, y, ((top, 10, 0.3), (top, 30, 0.1)), ((0, 0, -5), (2, 500, 5)))
    bass = fitted(
        lambda t, m, p, q: m * (1 - np.exp(-(p + q) * t)) / (1 + q / p * np.exp(-(p + q) * t)),
        t, y, ((top, 0.5, 5), (top, 5, 0.5)), ((0, 1e-4, 0), (2, 500, 500)),
    )  # fmt: skip
    return {"better": line - min(logistic, bass), "inflections": float(inflections(curve))}


def fitted(curve: Callable[..., np.ndarray], t: np.ndarray, y: np.ndarray, starts: Any, bounds: Any) -> float:
    """AICc of the least-squares fit of a curve of three parameters, the best of some starts; infinite where none converges."""
    best = np.inf
    for start in starts:
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.simplefilter("ignore", OptimizeWarning)
            try:
                found, _ = curve_fit(curve, t, y, start, bounds=bounds, max_nfev=2000)
            except RuntimeError:
                continue
            best = min(best, aicc(y, curve(t, *found), 3))
    return best


def aicc(y: np.ndarray, fit: np.ndarray, parameters: int) -> float:
    """Akaike's criterion, corrected for few values (Hurvich & Tsai 1989), of a least-squares fit; its variance is one more parameter."""
    n, k = len(y), parameters + 1
    return n * float(np.log(max(float(np.mean((y - fit) ** 2)), 1e-12))) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def inflections(curve: np.ndarray) -> int:
    """Changes of sign of a curve's curvature, where it bends by a tenth of its strongest bend or more.

    The curve is smoothed (Gaussian, sd half a year: longer than a few waves), and goes on beyond its ends as its mirror
    image through them, which adds no bend there.
    """
    y, reach = np.asarray(curve, float), min(78, len(curve) - 1)
    longer = np.pad(y, reach, mode="reflect", reflect_type="odd")
    bend = np.diff(gaussian_filter1d(longer, 26)[reach : len(longer) - reach], 2)
    strong = bend[np.abs(bend) > 0.1 * np.abs(bend).max()]
    return int(np.sum(np.diff(np.sign(strong)) != 0))


def read_teams(model: RolloutModel) -> dict[str, float]:
    """Shares of the live units' teams whose reliance at the end is in the lower, middle and upper third."""
    state = model.state
    live = np.repeat(state.units["stage"] == LIVE, state.units["last"] - state.units["first"])
    reliance = state.teams["reliance"][live]
    if not len(reliance):
        return dict.fromkeys(("low", "middle", "high"), np.nan)
    parts = np.histogram(reliance, (0, 1 / 3, 2 / 3, 1.0001))[0] / len(reliance)
    return dict(zip(("low", "middle", "high"), parts.tolist(), strict=True))


def read_cycle(model: RolloutModel) -> dict[str, float]:
    """Reliance at each step of the way of reliability down and up again: at its end (``step0``, …) and soon after its start (``soon0``, …)."""
    reliance = model.state.weekly["reliance"]
    starts = range(0, len(reliance) - HOLD + 1, HOLD)
    ends = {f"step{k}": start + HOLD for k, start in enumerate(starts)} | {f"soon{k}": start + SOON for k, start in enumerate(starts)}
    return {name: float(reliance[end - SETTLED : end].mean()) for name, end in ends.items()}


def read_spread(model: RolloutModel) -> dict[str, float]:
    """Mean use over the whole run: more where use spreads sooner or further."""
    return {"use": float(model.state.weekly["users_using"].mean())}


def read_retrofit(model: RolloutModel) -> dict[str, float]:
    """Central effort, support included, from the platform's start until pipelines and integration stand [person-weeks].

    They stand where their mean readiness reaches .7. Where it never does, what was spent by the end: less than it would have taken.
    """
    rows = model.state.weekly
    platform = np.sum([rows[f"effort_{name}"] for name in CAPABILITIES], axis=0)
    total = np.sum([rows[f"effort_{name}"] for name in (*BUCKETS, "support")], axis=0)
    if not platform.any():
        return {"cost": np.nan}
    start = int(np.argmax(platform > 0))
    stands = (rows["readiness_pipelines"] + rows["readiness_integration"]) / 2 >= 0.7
    end = int(np.argmax(stands)) if stands.any() else len(rows)
    return {"cost": float(total[start : end + 1].sum()), "stands": float(stands.any())}


def read_decay(model: RolloutModel) -> dict[str, float]:
    """What is left of use when accuracy has fallen to half of its best, and what is left of it at the end; shares of its best."""
    rows = model.state.unit_weekly
    live = rows["stage"] == LIVE
    count = np.maximum(live.sum(axis=1), 1)
    quarter = np.ones(13) / 13
    cut = np.convolve(np.where(live, rows["improvement"], 0).sum(axis=1) / count, quarter, "valid")
    use = np.convolve(np.where(live, rows["users_using"], 0).sum(axis=1) / count, quarter, "valid")
    best = int(np.argmax(cut))
    gone = np.nonzero(cut[best:] <= 0.5 * cut[best])[0]
    if use.max() <= 0 or cut[best] <= 0 or not len(gone):
        return {"left": np.nan, "end": np.nan}
    half = best + int(gone[0])
    return {"left": float(use[half] / use.max()), "end": float(use[-1] / use.max()), "week": float(half)}


def read_trap(model: RolloutModel) -> dict[str, float]:
    """From the gate on: support's share of central effort, and use in the first and in the last year."""
    rows, gate = model.state.weekly, int(model.state.firm["gate_week"][0])
    if gate < 0:
        return dict.fromkeys(("support", "early", "late"), np.nan)
    total = sum(float(rows[f"effort_{name}"][gate:].sum()) for name in (*BUCKETS, "support"))
    return {
        "support": float(rows["effort_support"][gate:].sum()) / total if total else np.nan,
        "early": float(rows["users_using"][gate : gate + 52].mean()),
        "late": float(rows["users_using"][-52:].mean()),
    }


def read_followers(model: RolloutModel) -> dict[str, float]:
    """Reliance at the end of the planners who are no champions."""
    users = model.state.users
    return {"followers": over(users["reliance"], users["champion"] == 0)}


def read_net(model: RolloutModel) -> dict[str, float]:
    """Cumulative net value [EUR]."""
    return {"net": float(model.state.weekly["cumulative_net"][-1])}


# --------------------------------------------------------------------------- statistics with a name


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation over the seeds where both are defined, NaN below three of them; 0 where one of the two does not vary."""
    defined = ~(np.isnan(a) | np.isnan(b))
    x, y = rankdata(a[defined]), rankdata(b[defined])
    if len(x) < 3:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def valley(r: Readings) -> np.ndarray:
    """By how much fewer teams are in the middle third of reliance than in either outer one."""
    return np.minimum(r["all.low"], r["all.high"]) - r["all.middle"]


#: Reliability down and up again: multiples of the quality at which the forecast errs as planners do.
WAY = (1.2, 1.0, 0.8, 0.6, 0.8, 1.0)


def loop(r: Readings, reading: str = "step") -> np.ndarray:
    """Reliance on the way down less on the way up, mean over the levels of :data:`WAY` that are met twice."""
    bottom = WAY.index(min(WAY))
    return np.mean([r[f"cycle.{reading}{bottom - k}"] - r[f"cycle.{reading}{bottom + k}"] for k in range(1, len(WAY) - bottom)], axis=0)


def lag(r: Readings) -> str:
    """How much of the loop is there before trust and sponsorship have settled."""
    soon, end = (mean(loop(r, reading)) for reading in ("soon", "step"))
    return f"The loop is {interval('', *soon)} {SOON} weeks after each step and {interval('', *end)} after {HOLD}."


CHAMPIONS = tuple(range(0, 55, 5))  # per cent of planners


def rise_inside(r: Readings) -> np.ndarray:
    """Rise of reliance per point of champions between 10 and 40%, less the rise outside, in points."""
    at = {level: r[f"{level}%.followers"] for level in (0, 10, 40, 50)}
    inside = (at[40] - at[10]) / 30
    outside = ((at[10] - at[0]) + (at[50] - at[40])) / 20
    return 100 * (inside - outside)


def steepest(r: Readings) -> str:
    """Where mean reliance rises most with the share of champions."""
    rises = [float(np.nanmean(r[f"{b}%.followers"] - r[f"{a}%.followers"])) for a, b in itertools.pairwise(CHAMPIONS)]
    k = int(np.argmax(rises))
    return (
        f"The steepest rise is between {CHAMPIONS[k]} and {CHAMPIONS[k + 1]}% champions ({100 * rises[k]:.1f} points of reliance; "
        f"{100 * float(np.mean(rises)):.1f} on average)."
    )


INTEGRATION_LEVELS = (0, 20, 40, 60, 80, 100)  # per cent


def worth_of_accuracy(r: Readings, level: int) -> np.ndarray:
    """Value of the last year that one tenth off the forecast's error brings at a level of integration [EUR]."""
    return r[f"{level}%, accurate.value"] - r[f"{level}%.value"]


def crossover(r: Readings) -> str:
    """Where, in the mean over seeds, a tenth of integration begins or ceases to bring less than a tenth off the error."""
    values = [float(np.nanmean(r[f"{level}%.value"])) for level in INTEGRATION_LEVELS]
    worths = [float(np.nanmean(worth_of_accuracy(r, level))) for level in INTEGRATION_LEVELS]
    text = ", ".join(f"€{w / 1e6:.2f}M at {level}%" for level, w in zip(INTEGRATION_LEVELS, worths, strict=True)).replace("€-", "−€")
    a, b = INTEGRATION_LEVELS[:-1], INTEGRATION_LEVELS[1:]
    tenth = [(v - u) * 10 / (y - x) for u, v, x, y in zip(values[:-1], values[1:], a, b, strict=True)]
    ahead = [(w + v) / 2 - t for w, v, t in zip(worths[:-1], worths[1:], tenth, strict=True)]  # at the middle of each interval
    turns = [
        (a[k] + b[k]) / 2 + (a[k + 1] - a[k]) * ahead[k] / (ahead[k] - ahead[k + 1])
        for k in range(len(ahead) - 1)
        if (ahead[k] < 0) != (ahead[k + 1] < 0)
    ]
    at = " and ".join(f"{turn:.0f}%" for turn in turns)
    crossing = (
        f"the means cross at {at}" if turns else f"{'accuracy' if ahead[0] >= 0 else 'integration'} brings more in the mean at each of them"
    )
    return f"A tenth off the error is worth {text} of integration, a year; against a tenth of integration, {crossing}."


# --------------------------------------------------------------------------- the declarations

#: The pilot passes at the end of its time, whatever came out: no selection by the gate.
OPEN = {"strategy.gate_improvement": -1.0, "strategy.gate_reliance": 0.0}
#: Management neither retires a unit nor stops the initiative: what falls, falls by the planners' choice.
PATIENT = {"strategy.unit_reviews": 1000, "strategy.initiative_reviews": 1000}
#: All units at once.
TOGETHER = {"strategy.wave": 1.0, "strategy.cadence": 1, "strategy.readiness_gate": 0.0}
#: Support that costs the central team nothing and is never short.
FREE_SUPPORT = {name: Times(name, 0.001) for name in ("support.need", "support.carrying", "support.minimum")}
#: A forecast that does not age, nor learn.
NO_DRIFT = {"forecast.drift": 0.0, "forecast.sudden": 0.0, "disturbance.shift": 0.0}
NO_PEERS = {"utility.peer": 0.0, "utility.norm": 0.0, "trust.peer": 0.0}


def effort(phases: str, **shares: float) -> dict[str, float]:
    """Changes that set the shares of effort in some phases, of 100."""
    return {f"strategy.effort.{phase}.{bucket}": shares.get(bucket, 0) / 100 for phase in phases.split() for bucket in BUCKETS}


BUILDING = {"model": 15, "pipelines": 25, "integration": 30, "monitoring": 10, "governance": 10, "workflow": 10}
TRAINING = {"model": 60, "workflow": 40}

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
        OPEN | PATIENT | TOGETHER | NO_DRIFT | _still | effort("pilot rollout run", model=100) | {"weeks": len(WAY) * HOLD, "enterprise.units": 4},
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

PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "pilot illusion",
        "use and accuracy in the pilot exceed those of the roll-out, and the pilot's success ranks later success weakly",
        "middle maturity, model-first, which pilots in the cleanest unit; the gate is open, so that selection adds nothing",
        read_pilot,
        {"pilot": Arm("model_first", "middle", OPEN)},
        (
            Test("use", "pilot − roll-out, share of planners using it at the same age", "share", +1, lambda r: r["pilot.pilot_use"] - r["pilot.rollout_use"]),
            Test("accuracy", "pilot − roll-out, error cut offered at the same age", "share", +1, lambda r: r["pilot.pilot_cut"] - r["pilot.rollout_cut"]),
            Test("ranking", "Spearman's ρ of the pilot's use and the others' in the last year, less ½", "ρ − ½", -1, lambda r: spearman(r["pilot.pilot_use"], r["pilot.later_use"]) - 0.5, across=True),
        ),
        "a representative pilot without extra support",
        {"pilot": _typical},
        {"the ablation, no drift, and nothing built but the model": {"pilot": _typical.but(NO_DRIFT | effort("pilot rollout run", model=100))}},
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
            Test("worth of accuracy", "a quarter of the worth of a tenth off the error at full integration, less its worth without", "EUR a year", +1,
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
        {"end": Arm("model_first", "middle", {"maturity.completeness": 0.999, "maturity.lateness": 0.0, "maturity.mismatch": 0.001, "maturity.fit": 0.99, "team.decay": 0.0})},
    ),
    Pattern(
        "value J-curve",
        "cumulative net value is below 0, then above; the trough is later under integration-first than under model-first",
        "high maturity, where both strategies can pay back within five years",
        read_trough,
        _curves,
        (
            Test("below, then above", "integration-first, the lesser of the trough's depth and the end's height", "EUR", +1, lambda r: np.minimum(r["integration-first.depth"], r["integration-first.end"])),
            Test("later trough", "integration-first − model-first, week of the trough", "weeks", +1, lambda r: r["integration-first.week"] - r["model-first.week"]),
        ),
        "no learning and support cost",
        each(_curves, _effortless),
        {"the ablation, and a central team and running that cost nothing": each(_curves, _effortless | {"value.person_week": 0.0, "value.running": 0.0})},
    ),
    Pattern(
        "S-curve",
        "from the gate on, a logistic or Bass curve fits reliance better than a line, and it has one inflection",
        "middle maturity, integration-first: adoption runs its whole course",
        read_curve,
        {"run": Arm("integration_first", "middle")},
        (
            Test("better than a line", "AICc of a line less that of the better curve", "AICc", +1, lambda r: r["run.better"]),
            Test("one inflection", "½ less the distance of their number from one", "inflections", +1, lambda r: 0.5 - np.abs(r["run.inflections"] - 1)),
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
        (Test("effort", "late − early, central effort from its start until it stands", "person-weeks", +1, lambda r: r["late.cost"] - r["early.cost"]),),
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
            Test("outlives", "share of use left when half of the accuracy is gone, less ½", "share", +1, lambda r: r["unwatched.left"] - 0.5),
            Test("then falls", "share of its best that use has lost at the end, less a tenth", "share", +1, lambda r: 0.9 - r["unwatched.end"]),
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
            Test("support", "patching − building, support's share of effort", "share", +1, lambda r: r["patching.support"] - r["building.support"]),
            Test("better early", "patching − building, use in the first year", "share", +1, lambda r: r["patching.early"] - r["building.early"]),
            Test("worse late", "patching − building, use in the last year", "share", -1, lambda r: r["patching.late"] - r["building.late"]),
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
            Test("wins there", "model-first − integration-first in the region, net value", "EUR", +1, lambda r: r["region, model-first.net"] - r["region, integration-first.net"]),
            Test("loses here", "model-first − integration-first in the article's enterprise, net value", "EUR", -1, lambda r: r["article, model-first.net"] - r["article, integration-first.net"]),
        ),
        "a platform that is there, everywhere, and does not wear",
        each(_flipping, {"maturity.readiness": 1.0, "maturity.core": 1.0, "platform.decay": 0.0}),
    ),
)  # fmt: skip
BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
