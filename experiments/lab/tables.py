"""Tables of a study, as Parquet for programs and as CSV for people, and ``data_dictionary.csv``, which says what each column is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.lab.plan import Plan
from experiments.lab.storage import RUNS, WEEKS, Store, read_shards
from experiments.lab.work import Work
from sim.measures import MEASURES, WEEKLY
from sim.parameters import RECORDS
from sim.presets import GROUPS

HEAD = ["dataset", "column", "type", "unit", "meaning"]


def write_tables(store: Store, work: Work, tables: Mapping[str, pd.DataFrame], meanings: Mapping[str, str]) -> None:
    """Write tables and the dictionary of all their columns, and of the runs'.

    Args:
        store: the results folder.
        work: what was run.
        tables: frames by name.
        meanings: what a column is, by its name, or by ``table.column`` where tables differ. A column ``x_low`` or ``x_high`` without
            one is an end of the 95% interval of ``x``; parameters and measures need none.
    """
    rows = _of_plan(work) if isinstance(work, Plan) else described(RUNS, next(read_shards(store.folder, RUNS)).to_pandas(), meanings)
    for name, frame in tables.items():
        store.parquet(f"{name}.parquet", frame.reset_index(drop=True))
        store.csv(f"{name}.csv", frame)
        rows += described(name, frame, meanings)
    store.csv("data_dictionary.csv", pd.DataFrame(rows, columns=HEAD))


def described(dataset: str, frame: pd.DataFrame, meanings: Mapping[str, str]) -> list[tuple[str, ...]]:
    """One row per column of a table: dataset, column, type, unit and meaning."""
    return [(dataset, str(name), _type(frame[name]), *_meaning(dataset, str(name), meanings)) for name in frame]


def _type(column: pd.Series) -> str:
    kinds = (("flag", pd.api.types.is_bool_dtype), ("count", pd.api.types.is_integer_dtype), ("number", pd.api.types.is_float_dtype))
    return next((kind for kind, holds in kinds if holds(column)), "text")


def _meaning(dataset: str, name: str, meanings: Mapping[str, str]) -> tuple[str, str]:
    said = meanings.get(f"{dataset}.{name}") or meanings.get(name)
    if said:
        return "", said
    if name in MEASURES:
        return MEASURES[name].unit, MEASURES[name].meaning
    if name in GROUPS:
        return "", "preset"
    if name in RECORDS:
        return RECORDS[name].unit, RECORDS[name].note
    of, _, end = name.rpartition("_")
    if end in ("low", "high"):
        return "", f"{'lower' if end == 'low' else 'upper'} end of the 95% interval of {of or 'the estimate'}"
    raise KeyError(f"{dataset}.{name} has no meaning in the data dictionary")


def _of_plan(plan: Plan) -> list[tuple[str, ...]]:
    """The columns of a plan's runs, and of its weekly records where there are any."""
    rows: list[tuple[Any, ...]] = [
        (RUNS, "run", "count", "", "number of the run: replication x points + point"),
        (RUNS, "point", "count", "", "point of the design"),
        (RUNS, "replication", "count", "", "runs of one replication share their luck, whatever the point"),
        (RUNS, "seed", "count", "", "seed of the run"),
    ]
    for f in plan.points.factors:
        record = RECORDS.get(f.name)
        rows.append((RUNS, f.name, f.kind, record.unit if record else "", f"factor: {record.note if record else 'preset'}"))
    for name, _ in plan.recorder.drawn:
        rows.append((RUNS, name, RECORDS[name].kind, RECORDS[name].unit, f"of the organisation, drawn: {RECORDS[name].note}"))
    rows += [(RUNS, name, m.kind, m.unit, m.meaning) for name, m in MEASURES.items() if name not in plan.points.names]
    rows += [
        (RUNS, "error", "text", "", "empty, or why the run failed"),
        (RUNS, "run_key", "text", "", "hash of model, parameters and seed"),
    ]
    if plan.weekly:
        rows.append((WEEKS, "week", "count", "weeks", "week, from 0"))
        rows += [(WEEKS, name, measure.kind, measure.unit, measure.meaning) for name, measure in WEEKLY.items()]
    return rows
