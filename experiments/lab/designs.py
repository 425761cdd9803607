"""Designs of experiments: which values of which parameters are tried together.

A factor is a parameter by its dotted name, or a whole preset group (``strategy``, ``maturity``, …).
SciPy and SALib place the points in the unit cube; a factor says what a position means.
"""

from __future__ import annotations

import csv
import hashlib
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.configuration import studied_range
from sim.parameters import RECORDS, Parameters
from sim.presets import GROUPS, available
from sim.schema import NOT_ZERO, InvalidInput, nearest, vanishes

KINDS = ("grid", "lhs", "sobol", "morris", "file")
MOST_POINTS = 10_000_000
SEEDS = (1 << 32) - 1  # the libraries' own seeds are below this


@dataclass(frozen=True)
class Factor:
    """One thing that is varied, and over what.

    Attributes:
        name: dotted name of a parameter, or of a preset group.
        kind: ``number``, ``count`` or ``choice``.
        low, high: range of numbers, both ends included.
        choices: values of a choice: names of presets, or alternatives.
    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Any, ...] = ()

    def at(self, position: np.ndarray) -> np.ndarray:
        """Values at positions in [0, 1]; of a choice, the index."""
        if self.kind == "choice":
            return np.minimum((position * len(self.choices)).astype(np.int64), len(self.choices) - 1)
        if self.kind == "count":
            steps = self.high - self.low + 1
            return np.minimum(self.low + np.floor(position * steps), self.high).astype(np.int64)
        return self.low + position * (self.high - self.low)

    def levels(self, most: int) -> np.ndarray:
        """Values of a grid; of a choice, all of them (as indices)."""
        if self.kind == "choice":
            return np.arange(len(self.choices))
        if self.kind == "count":
            return np.unique(np.round(np.linspace(self.low, self.high, most)).astype(np.int64))
        return np.linspace(self.low, self.high, most)

    def words(self) -> str:
        """The factor and its values, for people."""
        values = ", ".join(map(str, self.choices)) if self.kind == "choice" else f"{self.low:g} to {self.high:g}"
        return f"{self.name}: {values}"


@dataclass(frozen=True)
class Points:
    """Points of a design: a column per factor, numbers as they are and choices as indices.

    ``given``: which names each point gives itself, where others merely have a column; None: all.
    """

    factors: tuple[Factor, ...]
    columns: tuple[np.ndarray, ...]
    given: tuple[frozenset[str], ...] | None = None

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(factor.name for factor in self.factors)

    def at(self, index: int) -> dict[str, Any]:
        """The plain values of one point by factor."""
        return {
            f.name: f.choices[int(column[index])] if f.kind == "choice" else column[index].item()
            for f, column in zip(self.factors, self.columns, strict=True)
        }


def factor(name: str, given: Any = None, base: Parameters | None = None) -> Factor:
    """A factor from its name and, where given, its range ``[low, high]`` or its list of values.

    Where no range is given it is the one :func:`sim.configuration.studied_range` puts around the value in ``base``.

    Raises:
        InvalidInput: for an unknown name, a range of one point or none, values a parameter does not take.
    """
    key = f"design.ranges.{name}"
    if name in GROUPS:
        choices = available(name) if given is None else given
        if not isinstance(choices, list) or not choices or len(set(map(str, choices))) < len(choices):
            raise InvalidInput(key, choices, f"a list of presets without repetition: {', '.join(available(name))}")
        for choice in choices:
            if choice not in available(name):
                raise InvalidInput(key, choice, nearest(str(choice), available(name)))
        return _at_least_two(Factor(name, "choice", choices=tuple(choices)), key)
    if name not in RECORDS:
        raise InvalidInput("design.over", name, nearest(name, [*RECORDS, *GROUPS]))
    record = RECORDS[name]
    if record.kind == "choice":
        choices = list(record.choices) if given is None else given
        if not isinstance(choices, list) or not choices or len(set(choices)) < len(choices):
            raise InvalidInput(key, choices, "a list of values without repetition: " + record.allowed)
        return _at_least_two(Factor(name, "choice", choices=tuple(record.check(key, choice) for choice in choices)), key)
    if record.kind not in ("number", "count"):
        raise InvalidInput("design.over", name, "a number, a choice or a preset; not a text")
    value = record.default if base is None else operator.attrgetter(name)(base)
    low, high = studied_range(record, value) if given is None else _pair(key, given)
    low, high = record.check(key, low), record.check(key, high)
    if not low < high:
        raise InvalidInput(key, [low, high], "a range [low, high] with low below high")
    return Factor(name, record.kind, low, high)


def _pair(key: str, given: Any) -> tuple[Any, Any]:
    if not isinstance(given, list) or len(given) != 2:
        raise InvalidInput(key, given, "a range [low, high]")
    return given[0], given[1]


def _at_least_two(factor: Factor, key: str) -> Factor:
    if len(factor.choices) < 2:
        raise InvalidInput(key, list(factor.choices), "two values or more; one value belongs in the configuration")
    return factor


def factors(over: Any, ranges: Any, base: Parameters | None = None) -> tuple[Factor, ...]:
    """The factors of a design from ``design.over`` and ``design.ranges`` (see :func:`factor`)."""
    ranges = {} if ranges is None else ranges
    if not isinstance(ranges, Mapping):
        raise InvalidInput("design.ranges", ranges, "a mapping such as {trust.loss: [0.05, 0.3]}")
    over = list(over or [])
    over += [name for name in ranges if name not in over]
    if not over or not all(isinstance(name, str) for name in over):
        raise InvalidInput("design.over", over, "a list of parameters or preset groups, such as [trust.loss,forecast.late,strategy]")
    if len(set(over)) < len(over):
        raise InvalidInput("design.over", over, "names without repetition")
    made = tuple(factor(str(name), ranges.get(name), base) for name in over)
    for f in made:
        if "." in f.name and f.name.split(".")[0] in over:
            raise InvalidInput(
                "design.over", f.name, f"either {f.name.split('.')[0]} or a parameter inside it: the preset would replace it"
            )
    return made


def make(kind: str, made: tuple[Factor, ...], samples: int, levels: int, seed: int) -> Points:
    """Points of a grid, a Latin hypercube, a scrambled Sobol sequence or Morris trajectories.

    Args:
        kind: one of :data:`KINDS` but ``file``.
        made: the factors.
        samples: points (``lhs``, ``sobol``: a power of two) or trajectories (``morris``).
        levels: values per number (``grid``), or of the Morris grid (even).
        seed: seed of the design.
    """
    d = len(made)
    if kind == "grid":
        axes = [f.levels(levels) for f in made]
        size = math.prod(len(axis) for axis in axes)
        if size > MOST_POINTS:
            raise InvalidInput("design.levels", levels, f"a grid of at most {MOST_POINTS:,} points, not {size:,}")
        return Points(made, tuple(mesh.ravel() for mesh in np.meshgrid(*axes, indexing="ij")))
    if samples * (d + 1 if kind == "morris" else 1) > MOST_POINTS:
        raise InvalidInput("design.samples", samples, f"at most {MOST_POINTS:,} points")
    rng = np.random.Generator(np.random.SFC64(seed))
    if kind in ("lhs", "sobol"):
        from scipy.stats import qmc  # takes seconds to import, and only designs need it

    if kind == "lhs":
        unit = qmc.LatinHypercube(d, rng=rng).random(samples)
    elif kind == "sobol":
        if samples & (samples - 1):
            raise InvalidInput("design.samples", samples, "a power of two, such as 1024: a Sobol sequence is balanced only then")
        unit = qmc.Sobol(d, rng=rng).random(samples)
    elif kind == "morris":
        if levels % 2:
            raise InvalidInput("design.levels", levels, "an even number: Morris' step is half the grid")
        from SALib.sample import morris

        unit = morris.sample(unit_problem(made), samples, num_levels=levels, seed=seed % SEEDS)
    else:
        raise InvalidInput("design.kind", kind, "one of " + ", ".join(KINDS))
    return at_unit(made, unit)


def at_unit(made: tuple[Factor, ...], unit: np.ndarray) -> Points:
    """The points at positions in the unit cube, [points, factors]."""
    return Points(made, tuple(f.at(unit[:, j]) for j, f in enumerate(made)))


def unit_problem(made: Sequence[Factor]) -> dict[str, Any]:
    """SALib's description of the unit cube of these factors."""
    return {"num_vars": len(made), "names": [f.name for f in made], "bounds": [[0.0, 1.0]] * len(made)}


def from_file(path: str, key: str = "design.file") -> Points:
    """Points from a CSV file with a column per parameter or preset group; a message names file and line, or the setting ``key``."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            head, *below = list(csv.reader(file, strict=True)) or [[]]
    except UnicodeDecodeError as error:
        raise InvalidInput(path, f"byte {error.start}", "UTF-8 text") from None
    except csv.Error as error:
        raise InvalidInput(path, str(error), "a CSV file") from None
    except OSError as error:
        raise InvalidInput(key, path, f"a file that can be read ({error.strerror})") from None
    rows = [(line, row) for line, row in enumerate(below, 2) if row]
    if not head or not rows:
        raise InvalidInput(key, path, "a head line with names of parameters and a line per point")
    made, columns = [], []
    for j, name in enumerate(head):
        if head.count(name) > 1:
            raise InvalidInput(f"{path}, line 1", name, "a column once")
        if name not in RECORDS and name not in GROUPS:
            raise InvalidInput(f"{path}, line 1", name, nearest(name, [*RECORDS, *GROUPS]))
        kind = "choice" if name in GROUPS else RECORDS[name].kind
        if kind not in ("number", "count", "choice"):
            raise InvalidInput(f"{path}, line 1", name, "a number, a choice or a preset; not a text")
        values = []
        for line, row in rows:
            if len(row) != len(head):
                raise InvalidInput(f"{path}, line {line}", f"{len(row)} values", f"{len(head)}, one per column")
            values.append(_value(f"{path}, line {line}, {name}", name, row[j].strip()))
        if kind in ("number", "count"):
            made.append(Factor(name, kind, min(values), max(values)))
            columns.append(np.array(values, np.int64 if kind == "count" else np.float64))
        else:
            choices = tuple(dict.fromkeys(values))
            made.append(Factor(name, "choice", choices=choices))
            columns.append(np.array([choices.index(v) for v in values]))
    return Points(tuple(made), tuple(columns))


def _value(where: str, name: str, text: str) -> Any:
    if name in GROUPS:
        if text not in available(name):
            raise InvalidInput(where, text, nearest(text, available(name)))
        return text
    record = RECORDS[name]
    value: Any = text
    if vanishes(text):
        raise InvalidInput(where, text, NOT_ZERO)
    if record.kind in ("number", "count"):
        try:
            value = float(text)
            if record.kind == "count" and value.is_integer():  # 3.0 too, as software writes a column of whole numbers with gaps
                value = int(text) if "." not in text and "e" not in text.lower() else int(value)
        except ValueError:
            raise InvalidInput(where, text, record.allowed) from None
    return record.check(where, value)


def digest_of(points: Points) -> str:
    """SHA-256 of the values of a design."""
    return hashlib.sha256(repr([(f, c.tolist()) for f, c in zip(points.factors, points.columns, strict=True)]).encode()).hexdigest()
