"""What a study runs: items in shards, each shard a file of its own.

Items are numbered, and a shard is a fixed range of them, whose size follows from the study alone: the files do not depend on how many
workers there were, how fast they are, or how often they were killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import pyarrow as pa


class Shard(NamedTuple):
    """A range of runs whose records make one file of each dataset."""

    number: int
    first: int
    runs: int


class Recorder(Protocol):
    """How the items of a study are run, and what is kept of them. It goes to the workers, pickled."""

    def run(self, item: Any) -> Any:
        """Run one item. What it raises is recorded as the item's failure."""

    def failed(self, item: Any, error: str) -> Any:
        """What is kept of an item that failed."""

    def tables(self, results: Sequence[Any]) -> dict[str, pa.Table]:
        """Results of a shard, as one table per dataset."""


class Work(Protocol):
    """Runs in shards, whatever they are."""

    @property
    def runs(self) -> int:
        """Number of runs."""

    @property
    def seeds(self) -> tuple[int, int]:
        """The lowest and the highest seed of a run."""

    @property
    def limit(self) -> float:
        """Seconds after which a run counts as hanging; 0: none."""

    def words(self) -> str:
        """How much there is to do, for people."""

    @property
    def recorder(self) -> Recorder:
        """What runs them."""

    def shards(self) -> list[Shard]:
        """All shards, in order."""

    def items(self, shard: Shard) -> list[Any]:
        """The items of a shard, in order."""


def cut(runs: int, size: int, start: int = 0, number: int = 0) -> list[Shard]:
    """Shards of so many runs from run ``start`` on, which begins shard ``number``."""
    return [Shard(number + k, first, min(size, runs - first)) for k, first in enumerate(range(start, runs, size))]


@dataclass(frozen=True)
class Trials:
    """Items that a study lists itself, which are no points of a design.

    Attributes:
        recorder: what runs them.
        listed: the items.
        size: items per shard.
        seeds: the lowest and the highest seed.
        limit: seconds after which an item counts as hanging; 0: none.
        what: the items' name, in the plural.
    """

    recorder: Recorder
    listed: Sequence[Any]
    size: int
    seeds: tuple[int, int]
    limit: float = 0.0
    what: str = "runs"

    @property
    def runs(self) -> int:
        """Number of items."""
        return len(self.listed)

    def words(self) -> str:
        """How many there are."""
        return f"{self.runs:,} {self.what}"

    def shards(self) -> list[Shard]:
        """All shards, in order."""
        return cut(self.runs, self.size)

    def items(self, shard: Shard) -> list[Any]:
        """The items of a shard."""
        return list(self.listed[shard.first : shard.first + shard.runs])
