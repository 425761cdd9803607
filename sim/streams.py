"""Named random streams: one per purpose and unit, derived from what they are for, never from when.

A stream's seed comes from the run's seed, the purpose and the unit's *name*, so that one more
unit, another strategy or another order of the rows leaves every other draw as it was. Every week
consumes the same number of variates whatever the state: two strategies with one seed meet the
same enterprise, people, shocks and noise (common random numbers).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.random.bit_generator import ISeedSequence

PEOPLE, TIES, SHOCKS, CHOICE, ERROR, CROSS_TIES, MANAGEMENT, CHAMPIONS = range(8)

#: Uniforms a unit consumes per week: priority shock, leader, demand shift, sudden drift, cut-off.
SHOCKS_PER_UNIT = 5
#: Uniforms management consumes per week (random allocation of effort to the six buckets).
MANAGEMENT_PER_WEEK = 6
#: Weeks are drawn ahead in blocks of at most this many planner-weeks (or one week).
BLOCK = 1 << 16


class _Identity(ISeedSequence):
    """Seed words of a stream: the SHAKE-128 hash of what the stream is for."""

    def __init__(self, identity: str) -> None:
        self.identity = identity.encode()

    def generate_state(self, n_words: int, dtype: type = np.uint32) -> np.ndarray:  # type: ignore[override]
        return np.frombuffer(hashlib.shake_128(self.identity).digest(n_words * np.dtype(dtype).itemsize), dtype)


def stream(seed: int, purpose: int, name: str = "") -> np.random.Generator:
    """The generator for one purpose and one unit (or the enterprise, with no name).

    SFC64 (Doty-Humphrey), seeded with a hash of seed, purpose and name: five times quicker to set up
    than a SeedSequence, and a run sets up five streams a unit.
    """
    return np.random.Generator(np.random.SFC64(_Identity(f"{seed}/{purpose}/{name}")))  # type: ignore[arg-type]


class Draws:
    """The weekly variates of a run, drawn ahead in blocks of weeks.

    Attributes:
        choice: uniforms, shape (weeks of the block, planners).
        error: standard normals, same shape.
        shocks: uniforms, shape (weeks, units, :data:`SHOCKS_PER_UNIT`).
        management: uniforms, shape (weeks, :data:`MANAGEMENT_PER_WEEK`).
    """

    def __init__(self, seed: int, units: Sequence[str], first: np.ndarray, last: np.ndarray) -> None:
        users = int(last[-1])
        self.weeks = max(1, min(52, BLOCK // max(1, users)))
        self._seed, self._units = seed, list(units)
        self._bounds = list(zip(first.tolist(), last.tolist(), strict=True))
        self._streams: list[tuple[np.random.Generator, ...]] = []
        self.choice = np.empty((self.weeks, users))
        self.error = np.empty((self.weeks, users))
        self.shocks = np.empty((self.weeks, len(units), SHOCKS_PER_UNIT))
        self.management = np.empty((self.weeks, MANAGEMENT_PER_WEEK))
        self.row = self.weeks  # nothing drawn yet

    def ahead(self) -> int:
        """Weeks drawn and not yet used; draws the next block when none is left."""
        if not self._streams:
            self._streams = [tuple(stream(self._seed, use, unit) for use in (CHOICE, ERROR, SHOCKS)) for unit in self._units]
            self._management = stream(self._seed, MANAGEMENT)
        if self.row == self.weeks:
            for b, (first, last) in enumerate(self._bounds):
                choice, error, shocks = self._streams[b]
                shape = (self.weeks, last - first)
                self.choice[:, first:last] = choice.random(shape)
                self.error[:, first:last] = error.standard_normal(shape)
                self.shocks[:, b] = shocks.random((self.weeks, SHOCKS_PER_UNIT))
            self._management.random(out=self.management)
            self.row = 0
        return self.weeks - self.row
