"""What the tests share."""

from __future__ import annotations

import pytest

from sim import RolloutModel

#: Three units with two or three teams: every strategy reaches every phase on it within two years.
TINY = {"units": 3, "teams": 2, "users": 4}


@pytest.fixture
def tiny():
    """Make a small model: ``tiny(strategy=…, rng=…, **{"trust.loss": …})``."""

    def make(**given):
        return RolloutModel(**{"enterprise": TINY, "weeks": 80, "rng": 1, **given})

    return make
