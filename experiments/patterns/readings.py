"""What is read off a finished run to test a pattern: names and numbers."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

import sim
from experiments.lab.curves import bass, best_fit, logistic
from sim.parameters import BUCKETS, CAPABILITIES
from sim.state import LIVE, PILOT

#: Weeks a level of reliability is held, long after trust and sponsorship have settled; weeks that are read at its end; and weeks
#: after which it is read a first time, when they have not: what differs then and no longer at the end is lag, and no hysteresis.
HOLD, SETTLED, SOON = 260, 26, 78


def weeks_live(model: sim.RolloutModel) -> np.ndarray:
    """Weeks since each unit went live, or began to pilot, [weeks, units]; -1 where it is not."""
    stage = model.state.unit_weekly["stage"]
    live = (stage == LIVE) | (stage == PILOT)
    return np.where(live, np.cumsum(live, axis=0) - 1, -1)


def over(values: np.ndarray, chosen: np.ndarray) -> float:
    """Mean of the chosen values; NaN where there are none."""
    return float(values[chosen].mean()) if chosen.any() else np.nan


def read_pilot(model: sim.RolloutModel) -> dict[str, float]:
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


def read_support(model: sim.RolloutModel) -> dict[str, float]:
    """Support that units after the pilot got in their first half year live, and the trust they gained in it."""
    rows, age = model.state.unit_weekly, weeks_live(model)
    age[:, int(model.state.firm["pilot"][0])] = -1
    gained = over(rows["trust"], age == 25) - over(rows["trust"], age == 0)
    return {"support": over(rows["support"], (age >= 0) & (age < 26)), "gained": gained}


def read_value(model: sim.RolloutModel) -> dict[str, float]:
    """Value of the last year, before costs [EUR]."""
    return {"value": float(model.state.weekly["value"][-52:].sum())}


def read_plateau(model: sim.RolloutModel) -> dict[str, float]:
    """By how much the end is a plateau half-way: the least of the distances from .1, from .9 and from a drift of .05 in half a year."""
    reliance = model.state.weekly["reliance"]
    end = float(reliance[-1])
    return {"end": end, "margin": min(end - 0.1, 0.9 - end, 0.05 - abs(end - float(reliance[-27])))}


def read_trough(model: sim.RolloutModel) -> dict[str, float]:
    """Depth below 0 of the trough of cumulative net value [EUR], its week, and the net value at the end [EUR]."""
    record = model.outcome
    week = record["trough_week"]
    return {"depth": -record["trough"], "week": np.nan if week is None else float(week), "end": record["net"]}


def read_curve(model: sim.RolloutModel) -> dict[str, float]:
    """How much better a logistic or Bass curve fits reliance than a line (AICc), and its inflections, from the gate on."""
    gate = int(model.state.firm["gate_week"][0])
    curve = model.state.weekly["reliance"][gate:] if gate >= 0 else np.zeros(0)
    if len(curve) < 52:
        return {"better": np.nan, "inflections": np.nan}
    y = curve[::4]
    t = np.linspace(0, 1, len(y))
    top = max(float(y.max()), 1e-6)
    line = aicc(y, np.polyval(np.polyfit(t, y, 1), t), 2)
    fits = (
        best_fit(logistic, t, y, ((top, 10, 0.3), (top, 30, 0.1)), ((0, 0, -5), (2, 500, 5)), 2000),
        best_fit(bass, t, y, ((top, 0.5, 5), (top, 5, 0.5)), ((0, 1e-4, 0), (2, 500, 500)), 2000),
    )
    curved = min(np.inf if fit is None else aicc(y, fit.values, 3) for fit in fits)
    return {"better": line - curved, "inflections": float(inflections(curve))}


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


def read_teams(model: sim.RolloutModel) -> dict[str, float]:
    """Shares of the live units' teams whose reliance at the end is in the lower, middle and upper third."""
    state = model.state
    live = np.repeat(state.units["stage"] == LIVE, state.units["last"] - state.units["first"])
    reliance = state.teams["reliance"][live]
    if not len(reliance):
        return dict.fromkeys(("low", "middle", "high"), np.nan)
    parts = np.histogram(reliance, (0, 1 / 3, 2 / 3, 1.0001))[0] / len(reliance)
    return dict(zip(("low", "middle", "high"), parts.tolist(), strict=True))


def read_cycle(model: sim.RolloutModel) -> dict[str, float]:
    """Reliance at each step of reliability down and up again: at its end (``step0``, …) and soon after its start (``soon0``, …)."""
    reliance = model.state.weekly["reliance"]
    starts = range(0, len(reliance) - HOLD + 1, HOLD)
    ends = {f"step{k}": start + HOLD for k, start in enumerate(starts)} | {f"soon{k}": start + SOON for k, start in enumerate(starts)}
    return {name: float(reliance[end - SETTLED : end].mean()) for name, end in ends.items()}


def read_spread(model: sim.RolloutModel) -> dict[str, float]:
    """Mean use over the whole run: more where use spreads sooner or further."""
    return {"use": float(model.state.weekly["users_using"].mean())}


def read_retrofit(model: sim.RolloutModel) -> dict[str, float]:
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


def read_decay(model: sim.RolloutModel) -> dict[str, float]:
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


def read_trap(model: sim.RolloutModel) -> dict[str, float]:
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


def read_followers(model: sim.RolloutModel) -> dict[str, float]:
    """Reliance at the end of the planners who are no champions."""
    users = model.state.users
    return {"followers": over(users["reliance"], users["champion"] == 0)}


def read_net(model: sim.RolloutModel) -> dict[str, float]:
    """Cumulative net value [EUR]."""
    return {"net": float(model.state.weekly["cumulative_net"][-1])}


def read_portfolio(model: sim.RolloutModel) -> dict[str, float]:
    """Of all use cases: net value [EUR], those in production for three years, use in the first and the last year; and use in the first
    three years of the one that began last."""
    rows = model.records
    begun = list(model.use_cases.values())
    last = max(begun, key=lambda case: case.firm.begun)
    start = int(last.firm.begun)
    return {
        "net": float(rows["cumulative_net"][-1]),
        "survived": float(model.outcome["use_cases_survived"]),
        "early": float(rows["users_using"][:52].mean()),
        "late": float(rows["users_using"][-52:].mean()),
        "next": float(last.state.weekly["users_using"][start : start + 156].mean()),
    }
