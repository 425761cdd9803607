"""Chance by counter: the published generator, the same however it is asked, and distributed as it claims."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.arithmetic import normal
from sim.streams import keys, management_uniforms, philox, planner_uniforms, planners_week, unit_shocks

#: Known answers of Random123's Philox 4x32-10: counter and key, and the four words.
KNOWN = [
    ((0,) * 6, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0), (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]
FIRST, LAST = np.array([0, 3000]), np.array([3000, 5000])
KEYS = keys(1, ["Brazil", "India"])


@pytest.mark.parametrize(("counter", "words"), KNOWN)
def test_the_generator_gives_the_published_words(counter, words):
    assert philox(*counter) == words


def test_any_planner_s_week_can_be_drawn_alone():
    chance, noise = planners_week(FIRST, LAST, 7, KEYS)
    for row in (4999, 0, 2999, 3000):
        unit = int(row >= 3000)
        alone, z = planner_uniforms(row - FIRST[unit], 7, KEYS[unit])
        assert (chance[row], noise[row]) == (alone, normal(z))


def test_keys_hang_on_seed_and_name_only():
    assert (keys(1, ["India"])[0] == KEYS[1]).all() and (keys(1, [])[-1] == KEYS[-1]).all()
    assert len({tuple(key) for seed in (1, 2) for key in keys(seed, ["Brazil", "India"]).tolist()}) == 6


def test_draws_have_the_distributions_they_claim():
    weeks = [planners_week(FIRST, LAST, week, KEYS) for week in range(60)]
    chance, noise = (np.array([week[k] for week in weeks]) for k in (0, 1))
    assert stats.kstest(chance.ravel(), "uniform").pvalue > 1e-4 and stats.kstest(noise.ravel(), "norm").pvalue > 1e-4
    n = chance.size
    for x in (chance, noise):
        for a, b in ((x[:, :-1], x[:, 1:]), (x[:-1], x[1:]), (x[:, :2000], x[:, 3000:])):  # neighbours, weeks, units
            assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / np.sqrt(a.size)
    assert abs(np.corrcoef(chance.ravel(), noise.ravel())[0, 1]) < 5 / np.sqrt(n)
    last_bits = (chance.ravel() * 2**52).astype(np.uint64) & 0xFF
    assert stats.chisquare(np.bincount(last_bits, minlength=256)).pvalue > 1e-4


def test_shocks_and_management_s_uniforms_are_their_own():
    drawn = [x for week in range(500) for x in (*unit_shocks(week, KEYS[0].tolist()), *management_uniforms(week, KEYS[-1].tolist()))]
    assert len(drawn) == len(set(drawn)) == 500 * 11
    assert stats.kstest(drawn, "uniform").pvalue > 1e-4
    assert not set(drawn) & set(planners_week(FIRST, LAST, 0, KEYS)[0])
