"""How far long work is, and how much time is left: a bar on a terminal, elsewhere a line every half minute."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Seconds between two lines, and those before which no estimate is made.
EVERY, SURE = 30, 5


class ProgressReport:
    """Progress of so many things, as a context; workers are forked before, as the bar is a thread.

    Args:
        what: the things counted, in the plural.
        total: how many there are.
        done: how many an earlier start did.
    """

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self.what, self.total, self.before = what, total, done
        self.done, self.failed = 0, 0
        self.clock = self.told = time.monotonic()
        self.bar = Progress(
            TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}left"), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, refresh_per_second=4, disable=not sys.stderr.isatty(),
        )  # fmt: skip
        self.task = self.bar.add_task("", total=total, completed=done)

    def __enter__(self) -> ProgressReport:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, done: int, failed: int = 0) -> None:
        """Say that so many more are done, and how many of them failed."""
        self.done, self.failed = self.done + done, self.failed + failed
        self.bar.update(self.task, advance=done, description=f"{self.failed} failed, " if self.failed else "")
        if not sys.stderr.isatty() and self.done:
            self._tell(time.monotonic())

    def _tell(self, now: float) -> None:
        """A line where the last one is half a minute old; the first one as soon as it is known to take longer than that."""
        left = (self.total - self.before - self.done) * (now - self.clock) / self.done
        first = self.told == self.clock and now - self.clock > SURE and left > EVERY
        if first or now - self.told > EVERY:
            self.told = now
            failed = f", {self.failed:,} failed" if self.failed else ""
            print(f"{self.before + self.done:,} of {self.total:,} {self.what}{failed}, {duration(left)} left", file=sys.stderr, flush=True)


def load_model() -> None:
    """Load the compiled weeks, which workers inherit; the first start of a machine compiles them, and says so."""
    from sim import RolloutModel
    from sim.configuration import vary
    from sim.engine import compiled_before
    from sim.parameters import Parameters

    console = Console(stderr=True)
    said = "" if compiled_before() else "compiling the model, once on this machine: some 15 s"
    if said and not console.is_terminal:
        console.print(f"{said} …", highlight=False)
    with console.status(said) if said else nullcontext():
        RolloutModel(parameters=vary(Parameters(), {"weeks": 1}), rng=1).step()  # no presets: somebody may have changed them


@contextmanager
def weeks_bar(weeks: int) -> Iterator[Callable[[int], None]]:
    """Progress of the weeks of one run, or of several side by side; what it gives is told the weeks done."""
    with ProgressReport("weeks", weeks) as report:
        yield lambda week: report.advance(week - report.done)


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
