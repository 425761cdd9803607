"""A plan: a design times replications, on one base configuration, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import sim
from experiments.lab.designs import Points
from experiments.lab.organisations import population_record
from experiments.lab.output import digest, input_files
from experiments.lab.records import Run, RunRecorder, parameters_at
from experiments.lab.work import Shard, cut
from sim.parameters import Parameters
from sim.population import Population
from sim.presets import GROUPS, load
from sim.schema import to_mapping
from sim.sources import SOURCES

#: What a run is taken to cost when shards are cut, before any is measured: seconds per run, and per planner and week.
SECONDS_PER_RUN, SECONDS_PER_PLANNER_WEEK = 2e-3, 70e-9


@dataclass(frozen=True)
class Plan:
    """A design times replications, on one base configuration.

    Runs are numbered replication by replication, so that more replications add runs at the end.

    Attributes:
        base: the complete base configuration.
        points: the design.
        replications: runs of each point; replication r has seed ``seed`` + r at every point, plus the point's offset.
        seed: first seed, 0 to 2^63.
        engine: ``compiled`` or ``textbook``.
        weekly: weekly records are kept of every so many weeks; 0: none.
        limit: seconds after which a run counts as hanging; 0: none.
        chunk: runs per shard; 0: from the enterprise's size.
        inside: units at the end are kept of every run, and what holds the rollout back of the first so many replications;
            0: neither.
        offsets: added to the seeds of each point [points], where points are not to share their luck; None: 0.
        population: organisations of which the runs are, each that of its seed; None: all are the one that is configured.
        luck: added to the seed of what happens to an organisation, and not to that of who it is.
    """

    base: Parameters
    points: Points
    replications: int
    seed: int = 1
    engine: str = "compiled"
    weekly: int = 0
    limit: float = 0.0
    chunk: int = 0
    inside: int = 0
    offsets: np.ndarray | None = None
    population: Population | None = None
    luck: int = 0

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.points) * self.replications

    @property
    def seeds(self) -> tuple[int, int]:
        """The lowest and the highest seed of a run."""
        return self.seed, self.seed + self.replications - 1 + (0 if self.offsets is None else int(self.offsets.max()))

    def words(self) -> str:
        """How many there are, and of what."""
        return f"{self.runs:,} runs, {len(self.points):,} points × {self.replications:,} replications"

    def parameters(self, point: int) -> Parameters:
        """The complete parameters of a point."""
        return parameters_at(self.base, self.points.at(point))

    @cached_property
    def recorder(self) -> RunRecorder:
        """What runs them."""
        return RunRecorder.of(self.base, self.points, self.engine, self.weekly, self.inside, self.population, self.luck)

    @cached_property
    def shard_size(self) -> int:
        """Runs per shard: a second's worth, or less where there are few."""
        if self.chunk:
            return self.chunk
        some = np.unique(np.linspace(0, len(self.points) - 1, 50).astype(int))
        costs = []
        for point in some:
            p = self.parameters(int(point))
            users = p.enterprise.units * p.enterprise.teams * p.enterprise.users if p.enterprise.source == "generated" else 1000
            users *= len(p.usecases)
            costs.append(SECONDS_PER_RUN + SECONDS_PER_PLANNER_WEEK * users * p.weeks)  # whatever the engine: both write the same files
        cost = float(np.mean(costs))
        return max(1, round(min(1.2, max(0.1, cost * self.runs / 24)) / cost))

    def shards(self, start: int = 0, number: int = 0) -> list[Shard]:
        """The shards from run ``start`` on, which begins shard ``number``."""
        return cut(self.runs, self.shard_size, start, number)

    def items(self, shard: Shard) -> list[Run]:
        """The runs of a shard."""
        return [self.run(index) for index in range(shard.first, shard.first + shard.runs)]

    def run(self, index: int) -> Run:
        """The run of a number."""
        replication, point = divmod(index, len(self.points))
        offset = 0 if self.offsets is None else int(self.offsets[point])
        given = self.points.given[point] if self.points.given else None
        return Run(index, point, replication, self.seed + replication + offset, self.points.at(point), given)


def plan_record(plan: Plan, design: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Everything that decides the results of a plan, as plain values."""
    return {
        "parameters": to_mapping(plan.base),
        "design": dict(design),
        "replications": plan.replications,
        "seed": plan.seed,
        "engine": plan.engine,
        "weekly": plan.weekly,
        "limit": plan.limit,
        "input_files": input_files(plan.base),
        "population": population_record(plan.population),
        "presets": {f.name: preset_digests(f.name, f.choices) for f in plan.points.factors if f.name in GROUPS},
        "model": SOURCES,
        **more,
    }


def preset_digests(group: str, names: Iterable[str]) -> dict[str, str]:
    """What presets say, by name, so that a changed file is another configuration."""
    return {name: digest(load(group, name))[:16] for name in names}


def check_points(plan: Plan, most: int = 5000) -> None:
    """Refuse a design with points whose parameters do not go together (the first thousands are looked at)."""
    for point in range(min(most, len(plan.points))):
        parameters = plan.parameters(point)
        if point == 0:
            sim.RolloutModel(
                parameters=parameters, rng=plan.seed, engine=plan.engine
            )  # an organisation that cannot be read is an error now
