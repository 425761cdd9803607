"""What is kept of a plan's runs: one row per run, and where asked for its weeks, its units at the end, and what held it back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

import sim
from experiments.lab.designs import Points
from experiments.lab.storage import HELD, RUNS, UNITS, WEEKS
from sim.bottleneck import CONSTRAINTS
from sim.configuration import fingerprint, vary, with_presets
from sim.measures import MEASURES, UNIT_ENDS, WEEKLY
from sim.parameters import RECORDS, Parameters
from sim.population import Population
from sim.presets import GROUPS
from sim.sources import SOURCES
from sim.state import LIVE, STAGES

#: Weeks between two looks at what holds a rollout back.
LOOK = 13
TYPES = {"count": pa.int64(), "number": pa.float64(), "flag": pa.bool_(), "text": pa.string()}
#: Which run a row is of.
KEYS = [("run", pa.int64()), ("point", pa.int64()), ("replication", pa.int64()), ("seed", pa.uint64())]
UNIT_COLUMNS = {"unit": pa.string(), "planners": pa.int64(), "stage": pa.string(), "went_live": pa.int64(),
                **dict.fromkeys(UNIT_ENDS, pa.float64()), "net": pa.float64()}  # fmt: skip
HELD_COLUMNS = {"week": pa.int64(), "binds": pa.string(), "using": pa.float64(), **dict.fromkeys(CONSTRAINTS, pa.float64())}


class Run(NamedTuple):
    """One run of a plan: its number, its point of the design with the point's values, its replication, and its seed.

    ``given``: which of these values are not drawn, where there is a population; None: all.
    """

    run: int
    point: int
    replication: int
    seed: int
    values: dict[str, Any]
    given: frozenset[str] | None = None


class Result(NamedTuple):
    """What a run leaves: its record, and where asked for its weekly rows, its units, and what held it back, column by column."""

    record: dict[str, Any]
    weekly: np.ndarray | None = None
    units: dict[str, Any] | None = None
    held: dict[str, Any] | None = None


@dataclass(frozen=True)
class RunRecorder:
    """How the runs of a plan are run, and what is kept of them.

    Attributes:
        base: the complete base configuration.
        factors: type of each factor's column, by name.
        engine, weekly, inside: as a plan has them.
        population, luck: as a plan has them.
    """

    base: Parameters
    factors: tuple[tuple[str, pa.DataType], ...]
    engine: str
    weekly: int
    inside: int
    population: Population | None = None
    luck: int = 0

    @classmethod
    def of(cls, base: Parameters, points: Points, engine: str, *more: Any) -> RunRecorder:
        """That of a design; ``more``: weekly, inside, population and luck."""
        factors = tuple((f.name, TYPES["text" if f.kind == "choice" else f.kind]) for f in points.factors)
        return cls(base, factors, engine, *more)

    @property
    def drawn(self) -> tuple[tuple[str, pa.DataType], ...]:
        """Type of the column of each parameter that the population draws, by name."""
        varied = {name for name, _ in self.factors}
        return tuple((n, TYPES[RECORDS[n].kind]) for n in (self.population.drawn if self.population else ()) if n not in varied)

    def organisation(self, item: Run) -> tuple[Parameters, dict[str, Any]]:
        """The complete parameters of a run, and what of them its organisation has of its own."""
        parameters = parameters_at(self.base, item.values)
        if self.population is None:
            return parameters, {}
        own = self.population.organisation(
            item.seed, parameters, item.values.get("maturity", ""), item.values if item.given is None else item.given
        )
        return vary(parameters, own), own

    def run(self, item: Run) -> Result:
        """Run one run."""
        parameters, own = self.organisation(item)
        model = sim.RolloutModel(parameters=parameters, rng=item.seed + self.luck, engine=self.engine).run()
        weekly = model.records[:: self.weekly] if self.weekly else None
        units, held = (units_of(model), held_back(model, item.replication < self.inside)) if self.inside else (None, None)
        return Result(
            {**self._start(item), **own, "run_key": run_key(parameters, item.seed + self.luck), **model.outcome}, weekly, units, held
        )

    def failed(self, item: Run, error: str) -> Result:
        """A run that failed, with its identity where it has one."""
        own: dict[str, Any] = {}
        try:
            parameters, own = self.organisation(item)
            key = run_key(parameters, item.seed + self.luck)
        except Exception:  # parameters that do not go together
            key = ""
        return Result({**self._start(item), **own, "run_key": key, "error": error})

    def _start(self, item: Run) -> dict[str, Any]:
        return {"run": item.run, "point": item.point, "replication": item.replication, "seed": item.seed, "error": "", **item.values}

    def tables(self, results: Sequence[Result]) -> dict[str, pa.Table]:
        """Runs, and what else is kept."""
        made = {RUNS: self._runs([result.record for result in results])}
        if self.weekly:
            made[WEEKS] = self._weeks(results)
        if self.inside:
            kept = [(r.record, r.units, r.held) for r in results if r.units is not None and r.held is not None]
            made[UNITS] = self._inside([(record, units) for record, units, _ in kept], UNIT_COLUMNS)
            made[HELD] = self._inside([(record, held) for record, _, held in kept], HELD_COLUMNS)
        return made

    def schema(self) -> pa.Schema:
        """Columns of the runs, whatever came out."""
        columns = [*KEYS, *((name, kind) for name, kind in (*self.factors, *self.drawn) if name not in MEASURES)]
        columns += [(name, TYPES[measure.kind]) for name, measure in MEASURES.items()]
        return pa.schema([*columns, ("error", pa.string()), ("run_key", pa.string())])

    def _runs(self, records: Sequence[Mapping[str, Any]]) -> pa.Table:
        fields = self.schema()
        columns = [pa.array([record.get(field.name) for record in records], field.type) for field in fields]
        return pa.table(columns, schema=fields.with_metadata({"model": SOURCES}))

    def _keys(self, records: Sequence[Mapping[str, Any]], lengths: Sequence[int]) -> tuple[list[tuple[str, pa.DataType]], list[Any]]:
        """Which run a row is of: fields, and columns that repeat each record as often as said."""
        fields = [*KEYS, *self.factors]
        rows = pa.array(np.repeat(np.arange(len(records)), lengths))
        return fields, [pa.array([record[name] for record in records], kind).take(rows) for name, kind in fields]

    def _weeks(self, results: Sequence[Result]) -> pa.Table:
        kept = [(result.record, result.weekly) for result in results if result.weekly is not None]
        fields, columns = self._keys([record for record, _ in kept], [len(weekly) for _, weekly in kept])
        types = {"week": pa.int64(), **{name: TYPES[measure.kind] for name, measure in WEEKLY.items()}}
        for name, kind in types.items():
            values = np.concatenate([weekly[name] for _, weekly in kept]) if kept else np.array([])
            fields.append((name, kind))
            columns.append(pa.array(values, kind))
        return pa.table(columns, schema=pa.schema(fields))

    def _inside(self, kept: Sequence[tuple[Mapping[str, Any], dict[str, Any]]], types: Mapping[str, pa.DataType]) -> pa.Table:
        fields, columns = self._keys([record for record, _ in kept], [len(next(iter(table.values()))) for _, table in kept])
        for name, kind in types.items():
            fields.append((name, kind))
            columns.append(pa.array([value for _, table in kept for value in table[name]], kind))
        return pa.table(columns, schema=pa.schema(fields))


def parameters_at(base: Parameters, point: dict[str, Any]) -> Parameters:
    """A base configuration with the presets that a point names, then with its parameters."""
    presets = tuple((name, value) for name, value in point.items() if name in GROUPS)
    changes = {name: value for name, value in point.items() if name not in GROUPS}
    base = _with_presets(base, presets) if presets else base
    return vary(base, changes) if changes else base


@lru_cache(maxsize=256)
def _with_presets(base: Parameters, presets: tuple[tuple[str, str], ...]) -> Parameters:
    return with_presets(base, dict(presets))


def run_key(parameters: Parameters, seed: int) -> str:
    """Identity of a run (hex): what of the model, its parameters and the seed decides its results."""
    return hashlib.sha256(f"{SOURCES} {fingerprint(parameters)} {seed}".encode()).hexdigest()[:32]


def units_of(model: sim.RolloutModel) -> dict[str, Any]:
    """How each unit ended, column by column; ``went_live`` is the first week live, counted from 0, or None.

    Over several use cases: means over the planners of those that have begun, the sum of what they brought, and the stage of the one that
    came furthest; ``planners`` are those whom the widest of them concerns.
    """
    states = [case.state for case in model.use_cases.values()]
    rows = np.stack([state.unit_weekly for state in states])
    last, live = rows[:, -1], (rows["stage"] == LIVE).any(axis=0)
    first, planners = live.argmax(axis=0), np.stack([state.units["users"] for state in states])
    furthest = np.where(live[-1], LIVE, last["stage"].max(axis=0))
    return {
        "unit": list(states[0].unit_names),
        "planners": planners.max(axis=0).astype(int),
        "stage": [STAGES[stage] for stage in furthest],
        "went_live": [int(week) if ever else None for week, ever in zip(first, live.any(axis=0), strict=True)],
        **{name: np.average(last[name], axis=0, weights=planners) if len(states) > 1 else last[name][0] for name in UNIT_ENDS},
        "net": rows["net"].sum(axis=(0, 1)),
    }


def held_back(model: sim.RolloutModel, asked: bool) -> dict[str, Any]:
    """What held the rollout back, every :data:`LOOK` weeks and at the end, column by column; nothing unless asked."""
    p = model.parameters
    weeks = sorted({*range(LOOK, p.weeks + 1, LOOK), p.weeks}) if asked else []
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [model.bottleneck(week) for week in weeks]
    return {
        "week": weeks,
        "binds": [b.constraint for b in found],
        "using": [b.using for b in found],
        **{name: [b.held[name] for b in found] for name in CONSTRAINTS},
    }
