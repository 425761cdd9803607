"""What all studies of many runs share: their settings, what is recorded of them, how they go and how they end."""

from __future__ import annotations

import hashlib
import inspect
import io
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from experiments import designs, executors
from experiments.entry import take
from experiments.executors import Workers
from experiments.output import digest, folder_name, input_files, results_folder, shown, wide_console
from experiments.runner import Plan, duration, execute, execute_jobs, sample
from experiments.storage import RUNS, WEEKS, Store, read_shards
from sim import RolloutModel
from sim._numba import SOURCES
from sim.configuration import from_mapping
from sim.measures import MEASURES, WEEKLY
from sim.parameters import RECORDS, Parameters
from sim.presets import GROUPS, load
from sim.schema import InvalidInput, to_mapping

UNCONFIRMED = 1_000_000


def common_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Take the settings that all experiments on many runs share."""
    settings = {
        "seed": take(values, "seed", "seed"),
        "engine": take(values, "engine", "text"),
        "weekly": take(values, "weekly", "count", 0, 5200),
        "limit": take(values, "limit", "number", 0, 1e6),
        "confirm": take(values, "confirm", "flag"),
        "dry_run": take(values, "dry_run", "flag"),
        "output": take(values, "output", "text"),
        "workers": executors.from_settings(values.pop("executor")),
    }
    if settings["engine"] not in ("compiled", "textbook"):
        raise InvalidInput("engine", settings["engine"], "one of compiled, textbook")
    if settings["limit"] and settings["workers"].kind in ("serial", "mpi"):
        raise InvalidInput("limit", settings["limit"], "0 with this executor: only a process of its own can be ended")
    return settings


def plan_of(base: Parameters, points: designs.Points, replications: int, settings: Mapping[str, Any]) -> Plan:
    """The plan of a design on a base configuration, with the settings of :func:`common_settings`."""
    return Plan(to_mapping(base), points, replications, **{key: settings[key] for key in ("seed", "engine", "weekly", "limit")})


def plan_record(plan: Plan, design: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Everything that decides the results, as plain values."""
    return {
        "parameters": dict(plan.values),
        "design": dict(design),
        "replications": plan.replications,
        "seed": plan.seed,
        "engine": plan.engine,
        "weekly": plan.weekly,
        "limit": plan.limit,
        "input_files": input_files(from_mapping(plan.values)),
        "presets": {f.name: {name: digest(load(f.name, name))[:16] for name in f.choices} for f in plan.points.factors if f.name in GROUPS},
        "model": SOURCES,
        **more,
    }


def digest_of(points: designs.Points) -> str:
    """SHA-256 of the values of a design."""
    return hashlib.sha256(repr([(f, c.tolist()) for f, c in zip(points.factors, points.columns, strict=True)]).encode()).hexdigest()


def check_points(plan: Plan, most: int = 5000) -> None:
    """Refuse a design with points whose parameters do not go together (the first thousands are looked at)."""
    for point in range(min(most, len(plan.points))):
        parameters = plan.parameters(point)
        if point == 0:
            RolloutModel(parameters=parameters, rng=plan.seed, engine=plan.engine)  # an organisation that cannot be read is an error now


def needs_confirming(plan: Plan, confirmed: bool) -> None:
    """Refuse very many runs that nobody confirmed."""
    if plan.runs > UNCONFIRMED and not confirmed:
        raise InvalidInput("confirm", False, f"true for {plan.runs:,} runs: more than {UNCONFIRMED:,}")


def refuse_inside(group: str) -> None:
    """Refuse parameters set inside a preset group that is itself varied: the presets would replace them."""
    from hydra.core.hydra_config import HydraConfig

    if group in GROUPS and HydraConfig.initialized():
        for override in HydraConfig.get().overrides.task:
            if override.split("=")[0].startswith((f"{group}.", f"{group}=")):
                raise InvalidInput(
                    override.split("=")[0],
                    override.split("=", 1)[-1],
                    f"no setting in {group}, because the design varies {group} as a whole",
                )


# --------------------------------------------------------------------------- how it goes


def run_all(plan: Plan, store: Store, workers: Workers) -> Plan:
    """All replications of all points."""
    execute(plan, store, workers)
    return plan


def carry_out(
    experiment: str,
    parts: list[str],
    plan: Plan,
    configuration: dict[str, Any],
    settings: Mapping[str, Any],
    conclude: Callable[[Console, Store, Plan], list[str]],
    run: Callable[[Plan, Store, Workers], Plan] = run_all,
) -> int:
    """Run a plan in its folder, or describe it where a dry run is asked for; returns the exit code.

    Args:
        experiment: name of the experiment.
        parts: readable parts of the folder's name.
        plan: what is run.
        configuration: everything that decides the results.
        settings: of :func:`common_settings`.
        conclude: writes tables and picture where they are not there yet, prints what was found, and names the files.
        run: runs the plan; returns the plan as it was run.
    """
    needs_confirming(plan, settings["confirm"])
    folder = results_folder(experiment, folder_name([*parts, f"seed{plan.seed}"], configuration), settings["output"])
    console = wide_console()
    if settings["dry_run"]:
        return describe(console, plan, folder, settings["workers"])
    clock = time.perf_counter()
    with settings["workers"] as workers, Store(experiment, folder, configuration) as store:
        plan = run(plan, store, workers)
        files = conclude(console, store, plan)
        return close(console, store, plan, configuration, clock, files)


def describe(console: Console, plan: Plan, folder: Path, workers: Workers) -> int:
    """A dry run: size, time and disk, from some runs made now and thrown away."""
    some = [int(i) for i in np.unique(np.linspace(0, len(plan.points) - 1, 5).astype(int))]
    sample(plan, some[:1])  # compiles
    clock = time.perf_counter()
    table, weekly = sample(plan, some)
    seconds = (time.perf_counter() - clock) / len(some)
    size = 0.0
    for part in (table, *([weekly] if plan.weekly else [])):
        buffer = io.BytesIO()
        pq.write_table(pa.concat_tables([part] * 20), buffer, compression="zstd")
        size += buffer.tell() / (20 * len(some))
    shards = len(plan.shards())
    for f in plan.points.factors:
        console.print(f"  {f.words()}", highlight=False)
    console.print(
        f"{len(plan.points):,} points × {plan.replications:,} replications = {plan.runs:,} runs in {shards:,} shards; "
        f"about {duration(plan.runs * seconds / workers.count)} on {workers.count} workers ({workers.kind}), "
        f"{plan.runs * size / 1e6:,.0f} MB on disk ({shutil.disk_usage(_existing(folder)).free / 1e9:,.0f} GB free)",
        highlight=False,
    )
    console.print(f"Nothing was written. Would go to {shown(folder)}", highlight=False, soft_wrap=True)
    return 0


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.absolute().parents) if p.exists())


# --------------------------------------------------------------------------- how it ends


def close(console: Console, store: Store, plan: Plan, configuration: dict[str, Any], clock: float, files: list[str]) -> int:
    """Failures, manifest and the last lines of every experiment on many runs; returns the exit code."""
    failed = write_failures(store, plan)
    totals = store.totals()
    if not store.concluded(configuration):  # else it keeps the commit and versions that made the results
        last = plan.seed + plan.replications - 1 + (0 if plan.offsets is None else int(plan.offsets.max()))
        store.manifest(configuration, seeds=[plan.seed, last], runs=int(totals["runs"]), failed=int(totals["failed"]))
    for note in store.repaired:
        print(f"note: {note}", file=sys.stderr)
    console.print(
        f"{plan.runs:,} runs, {len(plan.points):,} points × {plan.replications:,} replications; this start took {duration(time.perf_counter() - clock)}.",
        highlight=False,
    )
    console.print(f"Written to {shown(store.folder)}: {', '.join([*files, 'manifest.json'])}", highlight=False, soft_wrap=True)
    if failed:
        print(
            f"error: {len(failed):,} of {plan.runs:,} runs failed and are left out; see failures.csv; first: {failed[0]['error']}",
            file=sys.stderr,
        )
        return 1
    return 0


def good_runs(store: Store, columns: Iterable[str]) -> pd.DataFrame:
    """The runs that did not fail."""
    runs = store.runs(list(dict.fromkeys(["run", "point", "replication", *columns, "error"])))
    return runs[runs["error"] == ""].drop(columns="error")


def write_failures(store: Store, plan: Plan) -> list[dict[str, Any]]:
    """``failures.csv``: what failed, with the command that repeats it; returns its rows."""
    (store.folder / "failures.csv").unlink(missing_ok=True)
    if not store.totals()["failed"]:
        return []
    rows = []
    for table in read_shards(store.folder, RUNS, ["run", "point", "replication", "seed", "error"]):
        for record in table.filter(pc.not_equal(table["error"], "")).to_pylist():
            point = plan.points.at(record["point"])
            overrides = " ".join(f"{name}={value}" for name, value in point.items())
            rows.append({**record, **point, "command": f"python -m experiments.run {overrides} seed={record['seed']} engine={plan.engine}"})
    store.csv("failures.csv", pd.DataFrame(rows))
    return rows


def write_dictionary(store: Store, plan: Plan) -> None:
    """``data_dictionary.csv``: every column of the datasets, with type, unit and meaning."""
    rows = [
        (RUNS, "run", "count", "", "number of the run: replication x points + point"),
        (RUNS, "point", "count", "", "point of the design"),
        (RUNS, "replication", "count", "", "runs of one replication share their luck, whatever the point"),
        (RUNS, "seed", "count", "", "seed of the run"),
    ]
    for f in plan.points.factors:
        record = RECORDS.get(f.name)
        rows.append((RUNS, f.name, f.kind, record.unit if record else "", f"factor: {record.note if record else 'preset'}"))
    rows += [(RUNS, name, m.kind, m.unit, m.meaning) for name, m in MEASURES.items() if name not in plan.points.names]
    rows += [
        (RUNS, "error", "text", "", "empty, or why the run failed"),
        (RUNS, "run_key", "text", "", "hash of model, parameters and seed"),
    ]
    if plan.weekly:
        rows += [(WEEKS, "week", "count", "weeks", "week, from 0")]
        rows += [(WEEKS, name, "number", measure.unit, measure.meaning) for name, measure in WEEKLY.items()]
    store.csv("data_dictionary.csv", pd.DataFrame(rows, columns=["dataset", "column", "type", "unit", "meaning"]))


def also_describe(store: Store, dataset: str, frame: pd.DataFrame, meanings: dict[str, str]) -> None:
    """Add a table's columns to ``data_dictionary.csv``; ``x_low`` and ``x_high`` are the 95% interval of ``x``."""
    rows = []
    for name, kind in frame.dtypes.items():
        column = str(name)
        ends = {"low": "lower", "high": "upper"}.get(column.rsplit("_", 1)[-1], "")
        of = column.rsplit("_", 1)[0]
        rows.append((dataset, column, str(kind), "", meanings.get(column) or f"{ends} end of the 95% interval of {of}"))
    before = pd.read_csv(store.folder / "data_dictionary.csv", keep_default_na=False)
    store.csv("data_dictionary.csv", pd.concat([before, pd.DataFrame(rows, columns=before.columns)]))


# --------------------------------------------------------------------------- studies that are no plain points of a design


def carry_out_jobs(
    experiment: str,
    parts: list[str],
    jobs: Sequence[Mapping[str, Any]],
    configuration: dict[str, Any],
    settings: Mapping[str, Any],
    conclude: Callable[[Console, Store, pd.DataFrame], list[str]],
) -> int:
    """Run jobs whose function is ``measure`` in ``experiments.<experiment>``, in the study's folder; returns the exit code.

    Args:
        experiment: name of the experiment.
        parts: readable parts of the folder's name.
        jobs: see :func:`experiments.runner.execute_jobs`.
        configuration: everything that decides the results.
        settings: ``seed``, ``seeds``, ``output`` and ``workers``.
        conclude: gets the rows of the runs; writes tables and picture where they are not there yet, prints what was found, and
            names the files. It is not called where every run failed.
    """
    folder = results_folder(experiment, folder_name([*parts, f"seed{settings['seed']}"], configuration), settings["output"])
    console, clock = wide_console(), time.perf_counter()
    with settings["workers"] as workers, Store(experiment, folder, configuration) as store:
        execute_jobs(jobs, store, workers, f"experiments.{experiment}")
        runs = store.runs()
        failed = runs[runs["error"] != ""]
        files = conclude(console, store, runs) if len(failed) < len(runs) else []
        if not store.concluded(configuration):
            (store.folder / "failures.csv").unlink(missing_ok=True)
            if len(failed):
                store.csv("failures.csv", failed)
            last = settings["seed"] + settings["seeds"] - 1
            store.manifest(configuration, seeds=[settings["seed"], last], runs=int(store.totals()["runs"]), failed=len(failed))
        for note in store.repaired:
            print(f"note: {note}", file=sys.stderr)
        console.print(f"{int(store.totals()['runs']):,} runs; this start took {duration(time.perf_counter() - clock)}.", highlight=False)
        named = [*files, f"{RUNS}/", *(["failures.csv"] if len(failed) else []), "manifest.json"]
        console.print(f"Written to {shown(store.folder)}: {', '.join(named)}", highlight=False, soft_wrap=True)
    if len(failed):
        print(f"error: {len(failed):,} runs failed and are left out; see failures.csv; first: {failed['error'].iloc[0]}", file=sys.stderr)
        return 1
    return 0


def digest_of_code(*functions: Callable) -> str:
    """SHA-256 of the sources of a study's own functions that decide what its runs are, which the model's version does not name."""
    return hashlib.sha256("".join(inspect.getsource(inspect.unwrap(function)) for function in functions).encode()).hexdigest()


def describe_tables(store: Store, tables: Mapping[str, pd.DataFrame], meanings: Mapping[str, str]) -> None:
    """Write tables as Parquet and CSV, and ``data_dictionary.csv`` with the meanings of their columns."""
    store.csv("data_dictionary.csv", pd.DataFrame(columns=["dataset", "column", "type", "unit", "meaning"]))
    for name, frame in tables.items():
        if name != RUNS:
            store.parquet(f"{name}.parquet", frame)
            store.csv(f"{name}.csv", frame)
        also_describe(store, name, frame, dict(meanings))
