"""Organisations that differ: what each starts with, what its management does, and which parameters it is run with.

A population says how far organisations depart from the preset of their maturity, how long they pilot, when their executives give up,
how many use cases they take on, and which values of the uncertain parameters agree with what is published: draws from a posterior. The
organisation of a seed is a function of that seed, the same under every strategy and at every maturity, so that pairs compare like with like.
Populations are files of ``configs/population``; ``python -m experiments.calibrate save_as=…`` writes one.
"""

from __future__ import annotations

import csv
import math
import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sim import presets
from sim.names import listed
from sim.parameters import RECORDS, Parameters
from sim.schema import InvalidInput, nearest

MATURITIES = ("low", "middle", "high")
#: Maturity parameters that differ between organisations of one maturity, and whether more of them is better.
VARIED = {"budget": 1, "completeness": 1, "lateness": -1, "mismatch": -1, "fragmentation": -1, "sponsorship": 1, "fit": 1, "trust": 1,
          "readiness": 1, "core": 1}  # fmt: skip
#: How much organisations of one maturity differ, how strict and how slow their managements are: fitted along with the parameters.
SPREAD, STRICTNESS, PILOT = HYPER = ("population.spread", "population.strictness", "population.pilot")
#: What management decides in each organisation, and the shortest pilot [weeks].
FLOOR, GATE_WEEKS, MOST = CHOSEN = ("strategy.initiative_floor", "strategy.gate_weeks", "strategy.portfolio.most")
SHORTEST = 13
#: Which organisation it is, by which goes how much its use cases have to gain.
NUMBER = "enterprise.number"
#: What the hyperparameters may be.
RANGES = {SPREAD: (0.0, 3.0), STRICTNESS: (0.0, 1.0), PILOT: (float(SHORTEST), 104.0)}


@dataclass(frozen=True)
class Luck:
    """What decides an organisation beside the population: standard normals [1 + varied parameters], and four uniforms from 0 to below 1.

    The uniforms say which strategy it follows, when its executive gives up, how long it pilots, and how many use cases it takes on.
    """

    normal: np.ndarray
    uniform: np.ndarray

    @classmethod
    def of(cls, seed: int) -> Luck:
        """That of the organisation of a seed, 0 to 2^64 - 1."""
        from sim.streams import ORGANISATION, stream  # which loads Numba: a study that only plans has no use for it

        generator = stream(seed, ORGANISATION)
        return cls(generator.standard_normal(1 + len(VARIED)), generator.random(4))


def departed(values: Mapping[str, float], luck: Luck, spread: float) -> dict[str, float]:
    """An organisation's maturity parameters: each ``values`` moved by a common factor (well or badly run) and one of its own.

    The two explain half of the variance each; ``spread`` is the sd of their sum, in logits of what lies between 0 and 1 and in logs of the rest.
    """
    made = {}
    for own, (name, better) in zip(luck.normal[1:], VARIED.items(), strict=True):
        record, value = RECORDS[f"maturity.{name}"], float(values[name])
        factor = float(np.exp(better * spread * (luck.normal[0] + own) / np.sqrt(2)))
        moved = value * factor / (1 - value + value * factor) if record.high <= 1 else value * factor
        made[f"maturity.{name}"] = min(max(moved, record.low), record.high)
    return made


def managed(luck: Luck, strictness: float, pilot: float, use_cases: tuple[int, int] | None) -> dict[str, Any]:
    """What an organisation's management decides: :data:`CHOSEN`.

    Args:
        luck: of the organisation.
        strictness: backing by the executive below which the strictest executive no longer defends an initiative; the others' are anything
            below.
        pilot: weeks that the slowest organisation pilots at least; the others take :data:`SHORTEST` or longer.
        use_cases: the fewest and most use cases taken on, all numbers alike; None: it plans pilot and portfolio as its strategy says.
    """
    made: dict[str, Any] = {FLOOR: float(luck.uniform[1] * strictness)}
    if use_cases:
        least, most = use_cases
        made[GATE_WEEKS] = int(SHORTEST + luck.uniform[2] * (pilot - SHORTEST + 1))
        made[MOST] = least + int(luck.uniform[3] * (most - least + 1))
    return made


@dataclass(frozen=True)
class Population:
    """Organisations of a posterior.

    Attributes:
        name: of its file.
        usecases: names of the use cases that organisations choose from, in place of the one that is the default; empty: as configured.
        use_cases: how many an organisation of each maturity takes on, all numbers of the range alike; empty: as its strategy says.
        draws: the posterior, draw by draw: values of parameters and of :data:`HYPER` by name, all of the same length.
        maturity: of an organisation of which nobody says another.
        fixed: names that are given, and therefore not drawn.
    """

    name: str
    usecases: tuple[str, ...]
    use_cases: Mapping[str, tuple[int, int]]
    draws: Mapping[str, tuple[float, ...]] = field(repr=False)
    maturity: str = "middle"
    fixed: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(next(iter(self.draws.values())))

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of what differs between organisations, sorted."""
        names = {*self.draws, NUMBER, *(f"maturity.{name}" for name in VARIED), FLOOR, *((GATE_WEEKS, MOST) if self.use_cases else ())}
        return tuple(sorted(names - {*HYPER} - self.fixed))

    @property
    def fitted(self) -> tuple[str, ...]:
        """Names of the parameters that are drawn from the posterior, sorted."""
        return tuple(sorted({*self.draws} - {*HYPER} - self.fixed))

    def draw_of(self, seed: int) -> int:
        """Which draw the organisation of a seed has."""
        return seed % self.size

    def organisation(self, seed: int, parameters: Parameters, maturity: str = "", given: Collection[str] = ()) -> dict[str, Any]:
        """What the organisation of a seed has of its own, as dotted parameters.

        Args:
            seed: of the run, 0 to 2^64 - 1; it decides the organisation, the draw and, in the run, the luck.
            parameters: what the organisation departs from.
            maturity: name of its preset; empty: :attr:`maturity`.
            given: names that are not drawn, beside :attr:`fixed`.
        """
        luck, draw = Luck.of(seed), self.draw_of(seed)
        at = {name: values[draw] for name, values in self.draws.items()}
        spread, strictness, pilot = (at.pop(name) for name in HYPER)
        values = {name: getattr(parameters.maturity, name) for name in VARIED}
        sizes = self.use_cases.get(maturity or self.maturity, self.use_cases.get("middle")) if self.use_cases else None
        most = len(parameters.usecases)
        sizes = (min(sizes[0], most), min(sizes[1], most)) if sizes else None
        made = {**at, NUMBER: seed % 2**31, **departed(values, luck, spread), **managed(luck, strictness, pilot, sizes)}
        return {name: value for name, value in made.items() if name not in self.fixed and name not in given}


# --------------------------------------------------------------------------- in words

#: What maturity parameters say of an organisation that has less of them, and more, than usual at its maturity.
DEPARTURES = {
    "budget": ("a smaller central team", "a larger central team"), "completeness": ("less complete data", "more complete data"),
    "lateness": ("fresher data", "later data"), "mismatch": ("fewer mismatched items", "more mismatched items"),
    "fragmentation": ("fewer local systems", "more local systems"), "sponsorship": ("less backing", "more backing"),
    "fit": ("a worse fit of workflow", "a better fit of workflow"), "trust": ("less trust", "more trust"),
    "readiness": ("less local platform", "more local platform"), "core": ("less shared platform", "more shared platform"),
}  # fmt: skip


def population_label(name: str) -> str:
    """A population's name for people; ``article`` is none."""
    if name == "article":
        return "one exact organisation"
    return f"the {name} population" if name == "calibrated" else f"the population «{name}»"


def whom(population: str, seed: int, maturity: str) -> str:
    """Whom a run is of; ``population`` is empty for one exact organisation."""
    if not population:
        return "One exact organisation, as configured"
    return f"Organisation {seed} of {population_label(population)}, {maturity} maturity"


def departures(own: Mapping[str, Any], usual: Parameters, most: int = 3) -> str:
    """What sets an organisation apart: where it departs furthest from what is usual at its maturity, and what its management does.

    Of an organisation that is read from files nothing is said of the first: its columns stand in the place of what is drawn.
    """
    moved = {}
    for name, said in DEPARTURES.items() if usual.enterprise.source == "generated" else ():
        value, middle = own.get(f"maturity.{name}"), getattr(usual.maturity, name)
        if value is not None and value != middle:
            high = RECORDS[f"maturity.{name}"].high
            logs = [math.log(max(x, 1e-9)) - (math.log(max(1 - x, 1e-9)) if high <= 1 else 0) for x in (middle, value)]
            moved[said[value > middle]] = abs(logs[1] - logs[0])
    furthest = [word for word in sorted(moved, key=lambda word: -moved[word])[:most] if moved[word] > 0.05]
    parts = [f"{listed(furthest)} than usual"] if furthest else []
    parts += [f"pilots {own[GATE_WEEKS]} weeks or longer"] if GATE_WEEKS in own else []
    several = len(usual.usecases)
    parts += [f"takes on {own[MOST]} of {several} use cases"] if several > 1 and MOST in own else []
    return "; ".join(parts)


# --------------------------------------------------------------------------- its file


def read(name: str, given: Mapping[str, Any], **more: Any) -> Population | None:
    """The population that a file of ``configs/population`` describes, checked; None for one exact organisation.

    ``draws`` names a table beside it, by default its own; null: one exact organisation.

    Raises:
        InvalidInput: for an unknown key, a file of draws that is missing or holds what no parameter takes.
    """
    known = ("usecases", "use_cases", "draws")
    for key in given:
        if key not in known:
            raise InvalidInput(f"population.{key}", given[key], nearest(str(key), list(known)))
    draws = given.get("draws", name)
    if draws is None:
        return None
    cases = given.get("usecases") or []
    if not isinstance(cases, list):
        raise InvalidInput("population.usecases", cases, "a list of use cases, in brackets")
    for case in cases:
        if case not in presets.available("usecase"):
            raise InvalidInput("population.usecases", case, nearest(str(case), presets.available("usecase")))
    use_cases = sizes("population.use_cases", given["use_cases"]) if given.get("use_cases") else {}
    return Population(name, tuple(cases), use_cases, read_draws(str(draws)), **more)


def sizes(key: str, given: Any) -> dict[str, tuple[int, int]]:
    """How many use cases organisations take on, by maturity."""
    record = RECORDS[MOST]
    if not isinstance(given, Mapping) or set(given) != set(MATURITIES):
        raise InvalidInput(key, given, "a range [least, most] for each of low, middle and high")
    for maturity, value in given.items():
        if not isinstance(value, list) or len(value) != 2 or value[0] > value[1]:
            raise InvalidInput(f"{key}.{maturity}", value, "a range [least, most]")
        for number in value:
            record.check(f"{key}.{maturity}", number)
    return {str(maturity): (value[0], value[1]) for maturity, value in given.items()}


def read_draws(name: str) -> dict[str, tuple[float, ...]]:
    """A posterior's draws by parameter, from a CSV file of ``configs/population`` with a line per draw."""
    presets.check_name("population.draws", name)
    path = presets.CONFIGS / "population" / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader((line for line in file if not line.startswith("#")), strict=True)
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise InvalidInput("population.draws", name, f"a table of draws in configs/population/{name}.csv ({error})") from None
    if not rows or not set(HYPER) <= set(head) or len(set(head)) < len(head):
        raise InvalidInput(
            f"{path.name}", head, f"a head line with names of parameters, {', '.join(HYPER)} among them, and a line per draw"
        )
    columns: dict[str, tuple[float, ...]] = {}
    for j, key in enumerate(head):
        column = []
        for line, row in enumerate(rows, 2):
            try:
                value = float(row[j])
            except (ValueError, IndexError):
                raise InvalidInput(f"{path.name}, draw {line - 1}, {key}", row[j] if j < len(row) else "", "a number") from None
            column.append(_checked(f"{path.name}, draw {line - 1}, {key}", key, value))
        columns[key] = tuple(column)
    return columns


def _checked(where: str, key: str, value: float) -> float:
    if key in RANGES:
        low, high = RANGES[key]
        if not low <= value <= high:
            raise InvalidInput(where, value, f"a number from {low:g} to {high:g}")
        return value
    if key not in RECORDS or RECORDS[key].kind != "number":
        raise InvalidInput(where, value, "a column per parameter that is a number: " + nearest(key, list(RECORDS)))
    return float(RECORDS[key].check(where, value))


def given_in(base: Parameters, groups: Mapping[str, str], named: Collection[str]) -> frozenset[str]:
    """Names of parameters of a configuration that somebody gave: those ``named``, and what departs from presets and defaults.

    Args:
        base: the configuration.
        groups: the presets it rests on, by group: what a file of the enterprise, its network or its forecast says is given, too, as are
            columns without gaps of an organisation's own files.
        named: dotted names that were written down, on the command line say; of a group, all below it.
    """
    from sim.configuration import with_presets

    chosen = {group: name for group, name in groups.items() if group in presets.GROUPS}
    plain = with_presets(replace(Parameters(), usecases=base.usecases), chosen)
    own = {"maturity": [f"maturity.{name}" for name in VARIED], "strategy": CHOSEN}
    looked_at = [name for group, names in own.items() if group in groups for name in names]
    looked_at += [n for n, r in RECORDS.items() if r.kind == "number" and not r.is_list and n.split(".")[0] not in own]
    written = {f"{group}.{key}" for group, name in chosen.items() if group not in own for key in presets.load(group, name)}
    changed = written | {name for name in looked_at if (of := operator.attrgetter(name))(base) != of(plain)}
    if base.enterprise.source == "files":
        from sim.organisation import layout

        changed |= {*layout(base).decided}
    return frozenset(
        changed | {name for name in RECORDS if any(name == key or name.startswith(f"{key}.") for key in named if key not in groups)}
    )
