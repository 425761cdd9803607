"""The model's own functions: as exact as they say, and the same bits in Python and compiled."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from scipy import special

from sim import arithmetic
from sim.arithmetic import exp, log, normal, where

CHANCE = np.random.default_rng(1)
#: (function, what it should give, where it is asked, relative error allowed).
FUNCTIONS = [
    (exp, np.exp, np.concatenate([CHANCE.uniform(-700, 700, 500), CHANCE.uniform(-2, 2, 500), [0.0, -1e-300, 707.9, -707.9]]), 4e-16),
    (log, np.log, np.concatenate([10.0 ** CHANCE.uniform(-300, 300, 500), CHANCE.uniform(0.3, 3, 500)]), 1e-15),
    (normal, special.ndtri, np.concatenate([CHANCE.random(800), 2.0 ** -CHANCE.uniform(1, 36, 200), [0.5]]), 4e-15),
    (normal, special.ndtri, np.array([2.0**-53, 2.0**-45, 1 - 2.0**-52]), 1e-12),
]


@pytest.mark.parametrize(("function", "exact", "points", "allowed"), FUNCTIONS, ids=["exp", "log", "normal", "its ends"])
def test_it_is_as_exact_as_it_says_and_compiled_code_gives_the_same_bits(function, exact, points, allowed):
    compiled = njit(error_model="numpy")(lambda x: function(x))
    plain = np.array([function(float(x)) for x in points])
    wanted = exact(points)
    assert np.max(np.abs(plain - wanted) / np.maximum(np.abs(wanted), 1e-2)) < allowed
    assert plain.tobytes() == np.array([compiled(x) for x in points]).tobytes()


def test_beyond_what_numbers_hold_exp_stays_finite():
    assert exp(1e9) == exp(708.0) < math.inf and exp(-math.inf) == exp(-708.0) > 0


def test_where_chooses_numbers_and_whole_numbers():
    chosen = njit(lambda c: (where(c, 1.5, 2.5), where(c, 1, 2)))
    assert chosen(True) == (where(True, 1.5, 2.5), where(True, 1, 2)) == (1.5, 1)
    assert chosen(False) == (2.5, 2)
    assert njit(lambda c: where(c, 0, 2.5))(False) == where(False, 0, 2.5) == 2.5


def test_a_uniform_has_52_bits():
    assert arithmetic.uniform(0, 0) == 0.0 and arithmetic.uniform(2**32 - 1, 2**32 - 1) == 1 - 2.0**-52


#: What own-rule.md excepts, and the functions of ``math`` that it does not.
ROUNDED = ("hypot", "gamma", "lgamma")
OF_ONE = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "degrees",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "fabs",
    "floor",
    "log",
    "log10",
    "log1p",
    "log2",
    "radians",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]


def test_what_the_page_does_not_except_gives_the_same_bits():
    calls = [f"math.{name}(x / 5.0 + {float(name == 'acosh')})" for name in OF_ONE]
    calls += [
        "math.atan2(x, y)",
        "math.copysign(x, y)",
        "math.pow(x, y)",
        "x + y",
        "x - y",
        "x * y",
        "x / y",
        "x % y",
        "-x // y",
        "x ** y",
        "abs(x)",
        "min(x, y)",
        "round(x, 2)",
    ]
    scope = {"math": math}
    exec(f"def function(x, y): return {', '.join(calls)}", scope)
    function, compiled = scope["function"], njit(error_model="numpy")(scope["function"])
    for x, y in CHANCE.uniform(0.01, 4.99, (5000, 2)).tolist():
        differ = [call for call, a, b in zip(calls, function(x, y), compiled(x, y), strict=True) if a != b]
        assert not differ, (x, y)
    page = (Path(__file__).parents[1] / "docs" / "own-rule.md").read_text(encoding="utf-8")
    assert all(f"`math.{name}`" in page for name in ROUNDED)
