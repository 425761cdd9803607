"""The levers of a strategy: what can be moved, what a strategy has of it, and what Optuna proposes."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.lab import designs
from sim.configuration import from_mapping
from sim.parameters import BUCKETS, PHASES, RECORDS, Strategy
from sim.presets import load
from sim.schema import InvalidInput, nearest

#: What can be moved: the range of a number and its step, or the alternatives of a choice; the effort shares move by hundredths.
LEVERS: dict[str, tuple] = {
    "effort": (),
    "core_first": (0.0, 1.0, 0.01),
    "cadence": (1, 26, 1),
    "wave": (0.05, 1.0, 0.01),
    "readiness_gate": (0.0, 0.9, 0.01),
    "gate_weeks": (4, 78, 1),
    "gate_improvement": (0.0, 0.15, 0.005),
    "gate_reliance": (0.0, 0.6, 0.01),
    "champions": (0.0, 0.2, 0.01),
    "pilot": ("cleanest", "representative", "random"),
    "allocation": ("fixed", "adaptive"),
    "order": ("readiness", "size", "network", "random"),
    "ownership": ("technical", "shared", "business"),
    "override": ("forbidden", "justified", "free"),
    "placement": ("random", "central", "clustered"),
}


def levers_of(names: list[str], ranges: Any, strategy: Strategy) -> dict[str, tuple]:
    """The levers with their ranges or alternatives."""
    if not isinstance(ranges, Mapping | None):
        raise InvalidInput("lever_ranges", ranges, "a mapping such as {cadence: [2, 12]}")
    ranges = dict(ranges or {})
    levers = {}
    for name in names:
        if name not in LEVERS:
            raise InvalidInput("levers", name, nearest(name, list(LEVERS)))
        record = None if name == "effort" else RECORDS[f"strategy.{name}"]
        lever, given = LEVERS[name], ranges.pop(name, None)
        if name == "gate_weeks":
            lever = (lever[0], min(lever[1], strategy.gate_deadline), lever[2])
        if given is not None:
            if record is None:
                raise InvalidInput("lever_ranges.effort", given, "no range: shares of effort add up to 1")
            try:
                made = designs.factor(f"strategy.{name}", given)
            except InvalidInput as error:
                raise InvalidInput(f"lever_ranges.{name}", error.value, error.allowed) from None
            lever = made.choices if made.kind == "choice" else (made.low, made.high, lever[2])
            if name == "gate_weeks" and made.high > strategy.gate_deadline:
                raise InvalidInput("lever_ranges.gate_weeks", given, f"at most the strategy's gate_deadline, {strategy.gate_deadline}")
        levers[name] = lever
    for name in ranges:
        raise InvalidInput(f"lever_ranges.{name}", ranges[name], nearest(str(name), names))
    return levers


def preset(name: str) -> Strategy:
    """A strategy as its file says."""
    return from_mapping({"strategy": load("strategy", name)}).strategy


def own_levers(strategy: Strategy, levers: Mapping[str, tuple]) -> dict[str, Any]:
    """A strategy's own values of the levers, by dotted parameter."""
    return {name: operator.attrgetter(name.removeprefix("strategy."))(strategy) for name in parameters_of(levers)}


def parameters_of(levers: Mapping[str, tuple]) -> list[str]:
    """Dotted names of the parameters that levers move."""
    effort = [f"strategy.effort.{phase}.{bucket}" for phase in PHASES for bucket in BUCKETS]
    return [name for lever in levers for name in (effort if lever == "effort" else [f"strategy.{lever}"])]


def suggested(trial: Any, levers: Mapping[str, tuple]) -> dict[str, Any]:
    """The levers of a trial by dotted parameter; effort shares in hundredths, uniform on the simplex before that."""
    changes: dict[str, Any] = {}
    for name, lever in levers.items():
        if name == "effort":
            for phase in PHASES:
                u = np.array([trial.suggest_float(f"effort.{phase}.{bucket}", 0.0, 1.0) for bucket in BUCKETS])
                weights = -np.log(np.clip(u, 1e-12, 1 - 1e-12))
                shares = hundredths(weights / weights.sum())
                changes |= {f"strategy.effort.{phase}.{bucket}": share for bucket, share in zip(BUCKETS, shares, strict=True)}
        elif isinstance(lever[0], str):
            changes[f"strategy.{name}"] = trial.suggest_categorical(name, list(lever))
        elif isinstance(lever[0], int):
            changes[f"strategy.{name}"] = trial.suggest_int(name, lever[0], lever[1])
        else:
            low, high, step = lever
            changes[f"strategy.{name}"] = round(min(high, low + step * round((trial.suggest_float(name, low, high) - low) / step)), 6)
    return changes


def start_of(strategy: Strategy, levers: Mapping[str, tuple]) -> dict[str, Any]:
    """The strategy itself as a first trial, as far as the levers reach it."""
    start: dict[str, Any] = {}
    for name, lever in levers.items():
        if name == "effort":
            for phase in PHASES:
                shares = getattr(strategy.effort, phase)
                start |= {f"effort.{phase}.{bucket}": float(np.exp(-getattr(shares, bucket))) for bucket in BUCKETS}
        else:
            value = getattr(strategy, name)
            if isinstance(lever[0], str):
                start |= {name: value} if value in lever else {}
            else:
                start[name] = min(max(value, lever[0]), lever[1])
    return start


def hundredths(shares: np.ndarray) -> list[float]:
    """Shares in whole hundredths that add up to 1 (largest remainders)."""
    parts = np.floor(shares * 100)
    missing = round(100 - parts.sum())
    parts[np.argsort(-(shares * 100 - parts), kind="stable")[:missing]] += 1
    return [round(float(part) / 100, 2) for part in parts]
