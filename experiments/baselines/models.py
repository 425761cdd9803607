"""The baselines: a curve of adoption, success breeding commitment alone, and a mean field."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.lab.curves import bass, best_fit
from sim.configuration import vary
from sim.parameters import CAPABILITIES, PHASES, Parameters

BASELINES = ("bass", "success", "mixed")
#: What is compared, by the column of the weekly records.
SERIES = {
    "reliance": "reliance",
    "teams": "teams_trust_and_use",
    "net": "net",
    "units_live": "units_live",
    "units_retired": "units_retired",
}


def bass_fitted(seen: np.ndarray) -> tuple[float, ...]:
    """m, p and q of the least-squares fit to adoption seen week by week [weeks], the best of some starts; m is at most 1."""
    t = np.arange(1.0, len(seen) + 1)
    top = float(np.clip(seen.max(), 1e-3, 1.0))
    starts = ((top, 0.05, 0.1), (min(1.0, 2 * top), 0.01, 0.3), (1.0, 0.005, 0.05))
    fit = best_fit(bass, t, seen, starts, ((0, 1e-6, 0), (1, 1, 2)), 500)
    return fit.parameters if fit else (0.0, 1e-6, 0.0)


def bass_series(weekly: np.ndarray, observed: int, units: int) -> tuple[dict[str, np.ndarray], float]:
    """What a Bass curve says of a run seen for some weeks: the series of a run, as seen and then as extrapolated, and m.

    A curve of adoption knows nothing else. Teams and value less planners' time are taken in proportion to adoption, at the ratio of
    their sums over the weeks seen; all other costs as the mean of these weeks. More adopters than one unit has planners count as
    roll-out: two units live, else one.

    Args:
        weekly: records of the run (:data:`sim.state.WEEK`).
        observed: weeks that are seen.
        units: business units of the organisation.
    """
    seen = weekly[:observed]
    m, p, q = bass_fitted(seen["reliance"])
    curve = bass(np.arange(observed + 1.0, len(weekly) + 1), m, p, q)
    adopted = float(seen["reliance"].sum())
    teams, value = (
        (float(total) / adopted if adopted > 0 else 0.0)
        for total in (seen["teams_trust_and_use"].sum(), (seen["value"] - seen["friction"]).sum())
    )
    fixed = float((seen["central_cost"] + seen["running_cost"] + seen["own_cost"]).mean())
    said = {
        "reliance": curve,
        "teams": np.minimum(1.0, teams * curve),
        "net": value * curve - fixed,
        "units_live": np.where(curve > 1.0 / units, 2.0, 1.0),
        "units_retired": np.zeros(len(curve)),
    }
    known = series_of(weekly)
    return {name: np.concatenate([known[name][:observed], said[name]]) for name in SERIES}, m


def success_alone(p: Parameters) -> Parameters:
    """«Success breeds commitment», and nothing else: planners use what their leader backs, and the leader backs visible success.

    The whole weight of the decision (trust, fit, peers, norm, habit, sponsor) is the sponsor's; thresholds and the freedom to adjust
    stay. All success is visible. There is no platform: what a strategy would spend on it goes to the model, no unit waits for it, and
    it relieves, carries, repairs, refreshes and explains nothing; nobody asks for approval, no team waits for another. Data are as bad
    as they are, support by hand helps as it does.
    Trust is no part of the story: a team that uses the forecast counts as one that trusts it, too.
    """
    weight = sum(getattr(p.utility, name) for name in ("trust", "fit", "peer", "norm", "habit", "sponsor"))
    changes: dict[str, Any] = {f"utility.{name}": 0.0 for name in ("trust", "fit", "peer", "norm", "habit")}
    changes |= {"utility.sponsor": min(50.0, weight), "sponsor.visible_unmonitored": 1.0, "platform.relief": 0.0, "platform.dashboard": 1.0}
    changes |= dict.fromkeys(("support.carrying", "support.channel", "correction.repair", "correction.refresh"), 0.0)
    changes |= dict.fromkeys(
        ("trust.governance", "trust.unused", "trust.peer", "trust.accountable", "habit.explained", "utility.load"), 0.0
    )
    changes |= dict.fromkeys(("strategy.readiness_gate", "strategy.approval", "team.chain"), 0.0) | {"team.capacity": 1e6}
    changes |= {"strategy.allocation": "fixed", "outcomes.trust": 0.0}
    for phase in PHASES:
        shares = getattr(p.strategy.effort, phase)
        changes |= {f"strategy.effort.{phase}.{name}": 0.0 for name in CAPABILITIES}
        changes[f"strategy.effort.{phase}.model"] = 1.0 - shares.workflow
    return vary(p, changes)


def well_mixed(p: Parameters) -> Parameters:
    """The mean field: one population in which all are alike and everyone sees everyone.

    It runs the model's own rules in its own engine, rather than as equations of the mean, for gates, waves and reviews act on units,
    which stay. Units, products and planners have no differences but the shocks they meet; a unit is one team; a planner's peers are
    the whole enterprise, or 1,000 drawn from it where it is larger. The mean effort of black swans is kept.
    """
    size = p.enterprise
    everyone = size.units * size.teams * size.users <= 1001
    changes: dict[str, Any] = {"enterprise.teams": 1, "enterprise.users": size.teams * size.users, "enterprise.spend_spread": 0.0}
    changes |= {f"maturity.{name}_spread": 0.0 for name in ("unit", "team", "user")}
    changes |= dict.fromkeys(("forecast.difficulty_spread", "forecast.planner_spread", "platform.overrun_spread", "platform.swan"), 0.0)
    changes |= {"utility.threshold_spread": 0.0, "utility.experience": 0.0}
    changes |= {
        f"platform.local_{k}": getattr(p.platform, f"local_{k}") * (1 + p.platform.swan * p.platform.swan_size) for k in CAPABILITIES
    }
    changes |= {"network.kind": "small_world", "network.ties": 1000, "network.rewired": 0.0 if everyone else 1.0}
    return vary(p, changes)


def series_of(weekly: np.ndarray) -> dict[str, np.ndarray]:
    """The series that are compared, of a run's weekly records; each [weeks]."""
    return {name: weekly[column].astype(float) for name, column in SERIES.items()}
