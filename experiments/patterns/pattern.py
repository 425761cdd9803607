"""What the declaration of a pattern is made of: configurations by name, tests on their output, and an ablation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import sim

#: Readings of arms by ``arm.reading`` [seeds].
Readings = Mapping[str, np.ndarray]


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
    read: Callable[[sim.RolloutModel], dict[str, float]]
    arms: Mapping[str, Arm]
    tests: tuple[Test, ...]
    ablation: str
    ablated: Mapping[str, Arm]
    probes: Mapping[str, Mapping[str, Arm]] = field(default_factory=dict)
    finding: Callable[[Readings], str] | None = None


def each(arms: Mapping[str, Arm], changes: Mapping[str, Any] | None = None, only: tuple[str, ...] = (), **more: Any) -> dict[str, Arm]:
    """All arms, or only some, with the same changes."""
    return {name: arm.but(changes, **more) for name, arm in arms.items() if not only or name in only}


def arms_of(pattern: Pattern) -> list[tuple[str, str, Arm]]:
    """All arms of a pattern: variant (``claim``, ``ablation``, or a probe in its words), name, configuration."""
    variants = {"claim": pattern.arms, "ablation": pattern.ablated, **pattern.probes}
    return [(variant, name, arm) for variant, arms in variants.items() for name, arm in arms.items()]
