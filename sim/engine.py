"""The compiled engine: which rules its weeks run, and how many threads.

A subclass that overrides a rule gets loops of its own, in which the rule's name stands for the new function.
"""

from __future__ import annotations

import dis
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba.core import config
from numba.core.errors import NumbaError

from sim import weeks
from sim._numba import njit
from sim.agents import User
from sim.agents.base import PlanningAgent
from sim.schema import InvalidInput
from sim.state import USER, States
from sim.vector import touched
from sim.weeks import COMPILE, Columns, places

OF_PLANNERS = ("decide", "learn", "practise", "accumulate")
#: Parts that are inlined with a rule of one's own as well: called by themselves they are no vector loops, where vectors are four wide.
INLINED = ("decide_block",)
#: What an override of disturb, the one rule that returns something, has to return.
RETURNED = "a rule that returns a whole number: 0, or 1 << PRIORITY_SHOCK and the like (sim.state) for each thing that happened"
#: Overridden rules: names such as ``User.learn``, and the functions.
type Rules = tuple[tuple[str, Callable], ...]


def check_rules(classes: Mapping[type[PlanningAgent], type[PlanningAgent]]) -> Rules:
    """Overridden rules as (name, function); refuses one without the decorator."""
    changed = []
    for base, cls in classes.items():
        for name in base.rules:
            function = getattr(cls, name)
            if function is getattr(base, name):
                continue
            if not getattr(function, "is_rule", False):
                raise InvalidInput(
                    f"{cls.__name__}.{name}", "an override without @rule", 'the decorator sim.rule above it, or engine="textbook"'
                )
            wanted, given = (list(inspect.signature(f).parameters) for f in (getattr(base, name), function))
            if len(wanted) != len(given):
                raise InvalidInput(
                    f"{cls.__name__}.{name}", f"({', '.join(given)})", f"the arguments of the rule it replaces, ({', '.join(wanted)})"
                )
            if ends_without_value(function) and not ends_without_value(getattr(base, name)):
                raise InvalidInput(f"{cls.__name__}.{name}", "an end without a value", RETURNED)
            if base is User and "used" in touched([function], 0, USER, write=True):
                raise InvalidInput(
                    f"{cls.__name__}.{name}", "a rule that writes user.used", "one that leaves it: the model keeps what peers see"
                )
            changed.append((f"{base.__name__}.{name}", function))
        if cls.step is not base.step:
            raise InvalidInput(f"{cls.__name__}.step", "an override", 'engine="textbook": the compiled engine calls the rules, not step()')
    return tuple(changed)


def ends_without_value(function: Callable) -> bool:
    """Whether a function returns None anywhere, or ends without returning."""
    steps = [*dis.get_instructions(function)]
    ends = [(before if step.opname == "RETURN_VALUE" else step) for before, step in pairwise(steps) if step.opname.startswith("RETURN_")]
    return any(step.opname.endswith("_CONST") and step.argval is None for step in ends)


class Loops(NamedTuple):
    """The compiled weeks of a set of rules, of one use case and of several; what is never called is never compiled."""

    before_planners: Callable[..., None]
    decide_and_learn: Callable[..., int]
    after_planners: Callable[..., None]
    many_weeks: Callable[..., None]
    before_planners_of_all: Callable[..., None]
    after_planners_of_all: Callable[..., int]
    many_weeks_of_all: Callable[..., int]


@lru_cache(maxsize=16)
def loops(rules: Rules, singly: bool = False) -> Loops:
    """The compiled weeks with some rules replaced; ``singly``: planners one at a time. What calls none of them stays as it is."""
    replaced: dict[str, Any] = {name.split(".")[1]: function for name, function in rules}
    of_planners = [replaced.get(name, getattr(User, name)) for name in OF_PLANNERS]
    if not singly and replaced.keys() & set(OF_PLANNERS):
        replaced.update(places(*of_planners)._asdict())

    def part(name: str, code: str = "") -> Any:
        function = getattr(weeks, code or name)
        function = getattr(function, "py_func", function)
        if replaced.keys() & set(function.__code__.co_names) or code:
            made = FunctionType(function.__code__, {**function.__globals__, **replaced}, function.__name__)
            replaced[name] = njit(**COMPILE, forceinline=name in INLINED)(made)
        return replaced.get(name, getattr(weeks, name))

    before = part("before_planners")
    part("decide_block")
    planners = part("decide_and_learn", "decide_and_learn_singly" if singly else "")
    after = part("after_planners")
    return Loops(before, planners, after, *map(part, ("many_weeks", *Loops._fields[4:])))


#: Planners from which on a week's planners are shared out among threads: below, starting them costs more than they save.
SHARED = 100_000
#: Planner-weeks that are run before anybody can watch, stop or change something.
AT_ONCE = 16_000_000
_sharing = ContextVar("sharing", default=True)
#: Rules that are computed one planner at a time.
_singly: set[Rules] = set()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within: runs use one thread, as workers side by side have the cores between them. The bits are the same."""
    token = _sharing.set(False)
    try:
        yield
    finally:
        _sharing.reset(token)


def advance(states: States, rules: Rules, week: int, most: int, p: np.ndarray) -> int:
    """Run as many weeks from ``week`` on as :data:`AT_ONCE` allows, at most ``most``, or until a use case begins; returns how many.

    ``rules`` are those overridden.
    """
    n = states.users.shape[1]
    some = min(most, max(1, AT_ONCE // (n * len(states.running))))
    states.room_for_events(some)
    columns = Columns.of(states)
    p = p.view()
    p.flags.writeable = False  # that of a copied or pickled model may be written to: for Numba another type, and all is compiled anew
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        # for debugging and tests: the same loops in plain Python, on rows with attributes
        columns, p = Columns(*(a.view(np.recarray) if a.dtype.names else a for a in columns)), p.view(np.recarray)
    run = _ready(states, columns, rules, p)
    for u in states.running:
        weeks.count_using(weeks.case_of(columns, u))
    threads = min(os.cpu_count() or 1, states.units.shape[1]) if n >= SHARED and _sharing.get() else 1
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            for w in range(week, week + some):
                if _shared_week(run, columns, states.running, w, p, pool, threads) >= 0:
                    return w + 1 - week
        return some
    if len(states.names) > 1:
        return run.many_weeks_of_all(columns, week, some, p)
    run.many_weeks(weeks.case_of(columns, 0), week, some, p)
    return some


def compiled_before() -> bool:
    """Whether the weeks of the shipped rules are in the cache, and need not be compiled."""
    return any(Path(weeks.many_weeks.stats.cache_path).glob("weeks.many_weeks-*.nbi"))


def _shared_week(
    run: Loops, columns: Columns, begun: Sequence[int], week: int, p: np.ndarray, pool: ThreadPoolExecutor, threads: int
) -> int:
    """A week whose planners several threads deal with, each some units; returns the use case that begins next week, or -1."""
    cases = {u: weeks.case_of(columns, u) for u in begun}
    several = len(columns.turn) > 1
    run.before_planners_of_all(columns, week, p) if several else run.before_planners(cases[0], week, p)
    ends = columns.teams["last"][0][columns.units["last"][0] - 1]
    cuts = np.unique([0, *np.searchsorted(ends, ends[-1] * np.arange(1, threads) / threads), len(ends)]).tolist()
    spans = list(pairwise(cuts))
    for u, c in cases.items():
        counts = list(pool.map(lambda span, c=c, u=u: run.decide_and_learn(c, u, *span, week, p), spans))  # type: ignore[misc]
        for (first, _), count in zip(spans, counts, strict=True):
            weeks.switch(c, ends[first - 1] if first else 0, count)
    if several:
        return run.after_planners_of_all(columns, week, p)
    run.after_planners(cases[0], week, p)
    return -1


def _ready(states: States, columns: Columns, rules: Rules, p: np.ndarray) -> Loops:
    """The compiled weeks: in blocks of planners, or one planner at a time where the rules ask for it."""
    for singly in (False, True):
        if rules in _singly and not singly:
            continue
        try:
            run = loops(rules, singly)
            if len(states.names) > 1:  # compiles
                run.many_weeks_of_all(columns, 0, 0, p)
            else:
                run.many_weeks(weeks.case_of(columns, 0), 0, 0, p)
        except (NumbaError, KeyError) as error:  # KeyError: an attribute that no row has
            failed = error
            continue
        if singly:
            _singly.add(rules)
            note = (
                f"{' and '.join(name for name, _ in rules)}: planners are computed one at a time, as a rule touches more than its planner"
            )
            if note not in states.notes:
                states.notes.append(note)
        return run
    raise InvalidInput(" or ".join(name for name, _ in rules) or "engine", "compiled", _uncompiled(failed)) from None


#: Lines of Numba's messages that are about Numba.
ABOUT_NUMBA = r"No implementation|Record\(|Failed in|candidate|Of which|Overload|With argument|No match|Rejected|raised from|^\s*>>>"


def _uncompiled(error: Exception) -> str:
    """What to write instead of a rule that cannot be compiled: Numba's message runs to pages, the lines before the first step back say it."""
    if isinstance(error, KeyError):
        return f"rules that read and write fields of the state only, not {error}"
    innermost = re.sub(r"\x1b\[\d*m", "", str(error)).split("During:")[0]
    reasons = [line.strip() for line in innermost.splitlines() if line.strip() and not re.search(ABOUT_NUMBA, line)]
    said = "; ".join(reasons[-2:])[:250]
    return f"rules that Numba can compile (the rule replaced is called by a name of its own, base = User.learn); it says: {said}"
