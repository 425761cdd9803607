"""Functions in plain arithmetic: the same bits in Python and compiled, one number at a time or eight, on every machine.

A library's ``exp`` is called once a number; written out, a loop over planners runs in vector instructions. Every step is an IEEE
addition, multiplication, division or square root, and none is contracted, so nothing depends on who computes it.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload, register_jitable

LOG2 = 0.6931471805599453
#: ln 2 in two parts, of which a whole number times the first is exact (Cody & Waite 1980).
LOG2_HIGH, LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
#: Added to a number of moderate size, it rounds it to a whole one and leaves that in the lowest bits.
TO_WHOLE = 6755399441055744.0
#: Beyond, exp(x) would leave the normal numbers.
LARGEST = 708.0


def jitable(function: Any) -> Any:
    """A function that compiled code inlines."""
    return register_jitable(error_model="numpy", forceinline=True)(function)


@jitable
def exp(x):
    """e to the power of ``x``, relative error below 4e-16; beyond ±708 that of ±708.

    x = k ln 2 + r with whole k and |r| <= ln(2) / 2; the series of exp(r) to its 13th power (Cody & Waite 1980).
    """
    x = where(x > LARGEST, LARGEST, where(x < -LARGEST, -LARGEST, x))
    shifted = x * 1.4426950408889634 + TO_WHOLE
    k = shifted - TO_WHOLE
    r = (x - k * LOG2_HIGH) - k * LOG2_LOW
    y = (
        (((1.0 / 6227020800.0 * r + 1.0 / 479001600.0) * r + 1.0 / 39916800.0) * r + 1.0 / 3628800.0) * r + 1.0 / 362880.0
    ) * r + 1.0 / 40320.0
    y = (((((y * r + 1.0 / 5040.0) * r + 1.0 / 720.0) * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0) * r + 0.5
    y = (y * r + 1.0) * r + 1.0
    return y * power_of_two(shifted)


@jitable
def log(x):
    """Natural logarithm of a positive normal number, absolute error below 4e-16 near 1 and relative elsewhere.

    x = 2^k m with m between sqrt(1/2) and sqrt(2); ln m = 2 artanh((m - 1) / (m + 1)), as a series.
    """
    m, k = mantissa(x), exponent(x)
    large = m > 1.4142135623730951
    k = where(large, k + 1.0, k)
    m = where(large, 0.5 * m, m)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    y = 1.0 / 23.0
    y = y * z + 1.0 / 21.0
    y = y * z + 1.0 / 19.0
    y = y * z + 1.0 / 17.0
    y = y * z + 1.0 / 15.0
    y = y * z + 1.0 / 13.0
    y = y * z + 1.0 / 11.0
    y = y * z + 1.0 / 9.0
    y = y * z + 1.0 / 7.0
    y = y * z + 1.0 / 5.0
    y = y * z + 1.0 / 3.0
    return k * LOG2 + (2.0 * s) * (1.0 + z * y)


@jitable
def _central(r):
    top = (
        (
            (
                (((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r + 45921.953931549871457) * r
                + 13731.693765509461125
            )
            * r
            + 1971.5909503065514427
        )
        * r
        + 133.14166789178437745
    ) * r + 3.387132872796366608
    bottom = (
        (
            (
                (((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r + 21213.794301586595867) * r
                + 5394.1960214247511077
            )
            * r
            + 687.1870074920579083
        )
        * r
        + 42.313330701600911252
    ) * r + 1.0
    return top, bottom


@jitable
def _tail(r):
    top = (
        (
            (
                (((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r + 1.27045825245236838258) * r
                + 3.64784832476320460504
            )
            * r
            + 5.7694972214606914055
        )
        * r
        + 4.6303378461565452959
    ) * r + 1.42343711074968357734
    bottom = (
        (
            (
                (((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r + 0.14810397642748007459)
                * r
                + 0.68976733498510000455
            )
            * r
            + 1.6763848301838038494
        )
        * r
        + 2.05319162663775882187
    ) * r + 1.0
    return top, bottom


@jitable
def normal(u):
    """The standard normal quantile of ``u`` (0 < u < 1), relative error below 4e-15: algorithm AS 241 (Wichura 1988).

    Two of its formulas are computed and one is taken, which is quicker than asking first. The third, for the outermost 1e-11, is left
    out: there the error grows to 1e-12.
    """
    q = u - 0.5
    top, bottom = _central(0.180625 - q * q)
    tail, under = _tail(math.sqrt(-log(where(u < 0.5, u, 1.0 - u))) - 1.6)
    central = abs(q) <= 0.425
    value = where(central, top, tail) / where(central, bottom, under)
    return where(central, q * value, where(q < 0.0, -value, value))


# --------------------------------------------------------------------------- the parts of a number


@intrinsic
def _as_float(context, bits):
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), code


def _selecting(kind):
    @intrinsic
    def select(context: Any, condition: Any, this: Any, other: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.select(arguments[0], arguments[1], arguments[2])

        return kind(types.boolean, kind, kind), code

    return select


_select, _select_whole = _selecting(types.float64), _selecting(types.int64)


@intrinsic
def _as_bits(context, number):
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), code


def where(condition, this, other):
    """``this`` where ``condition`` holds, else ``other``; both are computed first, so that no branch stands in a vector's way."""
    return this if condition else other


@overload(where, jit_options={"forceinline": True})
def _where(condition, this, other):
    if all(isinstance(value, types.Integer | types.IntegerLiteral) for value in (this, other)):
        return lambda condition, this, other: _select_whole(condition, this, other)
    return lambda condition, this, other: _select(condition, this, other)


def power_of_two(shifted):
    """2^k of ``shifted = k + TO_WHOLE``."""
    return math.ldexp(1.0, int(shifted - TO_WHOLE)) if shifted == shifted else shifted


@overload(power_of_two, jit_options={"forceinline": True})
def _power_of_two(shifted):
    return lambda shifted: _as_float((_as_bits(shifted) + 1023) << 52)  # type: ignore[call-arg]


def mantissa(x):
    """The m of x = 2^k m, from 1 to below 2."""
    return 2.0 * math.frexp(x)[0]


@overload(mantissa, jit_options={"forceinline": True})
def _mantissa(x):
    return lambda x: _as_float((_as_bits(x) & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)  # type: ignore[call-arg]


def exponent(x):
    """The k of x = 2^k m, as a float."""
    return float(math.frexp(x)[1] - 1)


@overload(exponent, jit_options={"forceinline": True})
def _exponent(x):
    return lambda x: _as_float(((_as_bits(x) >> 52) - 1023) + 0x4338000000000000) - TO_WHOLE  # type: ignore[call-arg]


def uniform(high, low):
    """A number from 0 to below 1 with 52 bits: the 32 of ``high`` and the upper 20 of ``low``."""
    return ((high << 20) | (low >> 12)) * 2.0**-52


@overload(uniform, jit_options={"forceinline": True})
def _uniform(high, low):
    return lambda high, low: _as_float((high << 20) | (low >> 12) | 0x3FF0000000000000) - 1.0  # type: ignore[call-arg]
