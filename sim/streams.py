"""Named random streams: one per purpose and unit, derived from what they are for, never from when.

A stream's seed comes from the run's seed, the purpose and the unit's *name*, so that one more
unit, another strategy or another order of the rows leaves every other draw as it was. What happens in
a week is drawn by counter: a function of the stream, the week and the planner's place in the unit, so
that any planner's week can be drawn alone, in any order, by any number of threads. Two strategies with
one seed meet the same enterprise, people, shocks and noise (common random numbers).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numba.extending import register_jitable
from numpy.random.bit_generator import ISeedSequence

from sim._numba import njit
from sim.arithmetic import jitable, normal, uniform

if TYPE_CHECKING:
    from sim.state import States

PEOPLE, TIES, WEEKS, ORGANISATION, _, CROSS_TIES, MANAGEMENT, CHAMPIONS = range(8)  # another number would draw another week 0
#: What a counter of a unit's or the enterprise's weeks is for.
PLANNER, SHOCK, EFFORT = range(3)

#: Which of a unit's uniforms of a week says whether its forecast meets the cut-off.
CUT_OFF = 3
#: Which of the enterprise's says whether its executive leaves.
EXECUTIVE = 6
LOW_WORD = 0xFFFFFFFF


class _Identity(ISeedSequence):
    """Seed words of a stream: the SHAKE-128 hash of what the stream is for."""

    def __init__(self, identity: str) -> None:
        self.identity = identity.encode()

    def generate_state(self, n_words: int, dtype: type = np.uint32) -> np.ndarray:  # type: ignore[override]
        return np.frombuffer(hashlib.shake_128(self.identity).digest(n_words * np.dtype(dtype).itemsize), dtype)


def _identity(seed: int, purpose: int, name: str) -> _Identity:
    return _Identity(f"{seed}/{purpose}/{name}")


def stream(seed: int, purpose: int, name: str = "") -> np.random.Generator:
    """The generator for one purpose and one unit (or the enterprise, with no name), for what is drawn once.

    SFC64 (Doty-Humphrey), seeded with a hash of seed, purpose and name: five times quicker to set up
    than a SeedSequence.
    """
    return np.random.Generator(np.random.SFC64(_identity(seed, purpose, name)))  # type: ignore[arg-type]


def keys(seed: int, units: Sequence[str]) -> np.ndarray:
    """The keys of the weekly draws: two words of 32 bits for each unit, and the enterprise's in the last row, [units + 1, 2]."""
    words = [_identity(seed, WEEKS, name).generate_state(2) for name in (*units, "")]
    return np.array(words, np.int64)


# --------------------------------------------------------------------------- by counter


@jitable
def philox(a, b, c, d, k, m):
    """Four random words of 32 bits from a counter of four and a key of two: Philox 4x32-10 (Salmon et al. 2011)."""
    for _ in range(10):
        low, high = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = ((high >> 32) & LOW_WORD) ^ b ^ k, high & LOW_WORD, ((low >> 32) & LOW_WORD) ^ d ^ m, low & LOW_WORD
        k, m = (k + 0x9E3779B9) & LOW_WORD, (m + 0xBB67AE85) & LOW_WORD
    return a, b, c, d


@jitable
def planner_uniforms(position, week, key):
    """A planner's week: a uniform from 0 to below 1, and one between 0 and 1, of which a normal is made."""
    a, b, c, d = philox(int(position), int(week), PLANNER, 0, int(key[0]), int(key[1]))
    return uniform(a, b), uniform(c, d) + 2.0**-53


@register_jitable
def weekly_uniform(k, week, purpose, key):
    """The ``k``-th uniform of a unit's week, or of the enterprise's, for a purpose."""
    a, b, _, _ = philox(k, int(week), purpose, 0, int(key[0]), int(key[1]))
    return uniform(a, b)


@register_jitable
def unit_shocks(week, key):
    """A unit's uniforms of a week: priority shock, leader, demand shift, cut-off."""
    return (
        weekly_uniform(0, week, SHOCK, key), weekly_uniform(1, week, SHOCK, key), weekly_uniform(2, week, SHOCK, key),
        weekly_uniform(CUT_OFF, week, SHOCK, key),
    )  # fmt: skip


@register_jitable
def management_uniforms(week, key):
    """The enterprise's uniforms of a week: one for each bucket that effort is allocated to at random, and its executive's."""
    return (
        weekly_uniform(0, week, EFFORT, key), weekly_uniform(1, week, EFFORT, key), weekly_uniform(2, week, EFFORT, key),
        weekly_uniform(3, week, EFFORT, key), weekly_uniform(4, week, EFFORT, key), weekly_uniform(5, week, EFFORT, key),
        weekly_uniform(EXECUTIVE, week, EFFORT, key),
    )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(chance, noise, first, last, week, keys):
    for b in range(len(first)):
        for i in range(first[b], last[b]):
            chance[i], noise[i] = planner_uniforms(i - first[b], week, keys[b])
        for i in range(first[b], last[b]):
            noise[i] = normal(noise[i])


def planners_week(first: np.ndarray, last: np.ndarray, week: int, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Uniforms and standard normals of all planners in a week; ``first`` and ``last`` are the units' planners, [planners] each."""
    chance, noise = np.empty(last[-1]), np.empty(last[-1])
    _fill(chance, noise, first, last, week, keys)
    return chance, noise


def planners_of_use_cases(states: States, rows: Sequence[int], week: int, leaving: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same for each use case of ``rows``, the first before the others: who leaves in it, a share ``leaving``, leaves in all."""
    ends = states.of(0).unit_users()
    chance, noise = planners_week(*ends, week, states.keys[0])
    drawn = [(chance, noise)]
    for u in rows[1:]:
        own, seen = planners_week(*ends, week, states.keys[u])
        drawn.append((np.where(chance < leaving, chance, leaving + (1.0 - leaving) * own), np.where(chance < leaving, noise, seen)))
    return drawn
