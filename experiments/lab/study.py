"""How a study goes, whatever it runs: its settings, its folder, its runs, its tables, and its last lines."""

from __future__ import annotations

import hashlib
import inspect
import io
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from experiments.lab import executors
from experiments.lab.config import chosen_presets, take
from experiments.lab.designs import Points
from experiments.lab.executors import Workers
from experiments.lab.organisations import command, take_population, who, with_given
from experiments.lab.output import folder_name, results_folder, shown, wide_console
from experiments.lab.plan import Plan
from experiments.lab.progress import duration
from experiments.lab.runner import execute, sample
from experiments.lab.storage import RUNS, Store, read_shards
from experiments.lab.work import Work
from sim import ENGINES
from sim.names import over_use_cases
from sim.parameters import Parameters
from sim.population import Population
from sim.schema import InvalidInput

#: More runs than this must be confirmed.
UNCONFIRMED = 1_000_000


@dataclass(frozen=True)
class Settings:
    """What all studies can be told.

    Attributes:
        seed: the first seed.
        engine: ``compiled`` or ``textbook``.
        weekly: weekly records are kept of every so many weeks; 0: none.
        limit: seconds after which a run counts as hanging; 0: none.
        confirm: whether very many runs were confirmed.
        dry_run: whether only the size is asked for.
        output: the folder; empty: named after the configuration.
        workers: where runs are computed.
        population: organisations that are drawn; None: all runs are of the one that is configured.
    """

    seed: int
    engine: str
    weekly: int
    limit: float
    confirm: bool
    dry_run: bool
    output: str
    workers: Workers
    population: Population | None = None

    def plan(self, base: Parameters, points: Points, replications: int, **more: Any) -> Plan:
        """The plan of a design on a base configuration."""
        own = {"seed": self.seed, "engine": self.engine, "weekly": self.weekly, "limit": self.limit}
        alike = points.factors if points.given is None else ()  # where points say what each gives, another may have the same by chance
        held = [f.name for f in alike if f.kind != "choice" and f.low == f.high]
        return Plan(base, points, replications, **{**own, "population": with_given(self.population, base, held), **more})


def take_settings(values: dict[str, Any], usecases: bool = True) -> Settings:
    """Take the settings that studies share out of a configuration; one without ``engine`` or ``weekly`` has no use for them.

    ``usecases``: whether the use cases of a population become the configured ones.
    """
    settings = Settings(
        seed=take(values, "seed", "seed"),
        engine=take(values, "engine", "text") if "engine" in values else "compiled",
        weekly=take(values, "weekly", "count", 0, 5200) if "weekly" in values else 0,
        limit=take(values, "limit", "number", 0, 1e6),
        confirm=take(values, "confirm", "flag"),
        dry_run=take(values, "dry_run", "flag"),
        output=take(values, "output", "text"),
        workers=executors.from_settings(values.pop("executor")),
        population=take_population(values, usecases),
    )
    if settings.engine not in ENGINES:
        raise InvalidInput("engine", settings.engine, "one of " + ", ".join(ENGINES))
    if settings.limit and settings.workers.kind in ("serial", "mpi"):
        raise InvalidInput("limit", settings.limit, "0 with this executor: only a process of its own can be ended")
    return settings


def run_all[W: Work](work: W, store: Store, workers: Workers) -> W:
    """All runs."""
    execute(work, store, workers)
    return work


@dataclass(frozen=True)
class Study[W: Work]:
    """A study.

    Attributes:
        experiment: name of the experiment, the folder below ``results/``.
        parts: readable parts of the folder's name.
        work: what is run.
        configuration: everything that decides the results, as plain values.
        conclude: writes tables and picture from the runs in the store; called once, where some run did not fail.
        show: prints what was found, from the tables, and names the files; those that are there are listed.
        run: runs the work, if not simply all of it; returns the work as it was run.
        close: does what needs the manifest; returns what went wrong with it, in a line, or nothing.
    """

    experiment: str
    parts: Sequence[str]
    work: W
    configuration: dict[str, Any]
    conclude: Callable[[Store, W], None]
    show: Callable[[Console, Store], list[str]]
    run: Callable[[W, Store, Workers], W] = run_all
    close: Callable[[Store], str] = lambda _: ""


def carry_out(study: Study, settings: Settings) -> int:
    """Run a study in its folder, or say how large it is where a dry run is asked for; returns the exit code."""
    work, workers, configuration = study.work, settings.workers, study.configuration
    if work.runs > UNCONFIRMED and not settings.confirm:
        raise InvalidInput("confirm", False, f"true for {work.runs:,} runs: more than {UNCONFIRMED:,}")
    name = folder_name([*study.parts, f"seed{work.seeds[0]}"], configuration)
    folder = results_folder(study.experiment, name, settings.output)
    console = wide_console()
    if over := over_use_cases(use_cases_of(work)):
        console.print(f"All figures are {over}.", highlight=False)
    if "population" in chosen_presets():
        console.print(who(getattr(work.recorder, "population", None)), highlight=False)
    if settings.dry_run:
        return describe(console, work, folder, workers)
    clock = time.perf_counter()
    with workers, Store(study.experiment, folder, configuration) as store:
        before = store.totals()["seconds"]
        work = study.run(work, store, workers)
        totals = store.totals()
        if totals["failed"] < totals["runs"]:
            if not store.concluded(configuration):
                study.conclude(store, work)
            files = study.show(console, store)
        else:
            console.print("Every run failed: nothing can be said.", highlight=False)
            files = []
        failed = write_failures(store, work)
        if not store.concluded(configuration):  # else it keeps the commit and versions that made the results
            store.manifest(configuration, seeds=list(work.seeds), runs=int(totals["runs"]), failed=int(totals["failed"]))
        wrong = study.close(store) if totals["failed"] < totals["runs"] else ""
        console.print(
            f"{work.words()}; {speed(workers, totals['seconds'] - before)}this start took {duration(time.perf_counter() - clock)}.",
            highlight=False,
        )
        named = [name for name in (*files, f"{RUNS}/", "failures.csv", "manifest.json") if (store.folder / name).exists()]
        console.print(f"Written to {shown(store.folder)}: {', '.join(named)}", highlight=False, soft_wrap=True)
    if failed:
        print(
            f"error: {len(failed):,} of {work.runs:,} runs failed and are left out; see failures.csv; first: {failed[0]['error']}",
            file=sys.stderr,
        )
    if wrong:
        print(f"error: {wrong}", file=sys.stderr)
    return 1 if failed or wrong else 0


def use_cases_of(work: Work) -> list[str]:
    """Names of the use cases of the configuration that a study rests on; none where it rests on no configuration of the model."""
    base = getattr(work.recorder, "base", None)
    return [case.name for case in base.usecases] if isinstance(base, Parameters) else []


def speed(workers: Workers, seconds: float) -> str:
    """How long the runs of this start took, and how much of the workers' time went into them, which in a second says nothing yet."""
    if workers.seconds < 1:
        return f"{workers.seconds:.1f} s on {workers.count} workers; " if workers.seconds else ""
    ideal = seconds / (workers.count * workers.seconds)
    return f"{workers.seconds:.1f} s on {workers.count} workers, {ideal:.0%} of ideal {workers.count}-core speed; "


# --------------------------------------------------------------------------- before


def describe(console: Console, work: Work, folder: Path, workers: Workers) -> int:
    """A dry run: size, time and disk, from some runs made now and thrown away."""
    some = [int(i) for i in np.unique(np.linspace(0, work.runs - 1, 5).astype(int))]
    if isinstance(work, Plan):
        some = [int(i) for i in np.unique(np.linspace(0, len(work.points) - 1, 5).astype(int))]
        for f in work.points.factors:
            console.print(f"  {f.words()}", highlight=False)
    sample(work, some[:1])  # compiles
    clock = time.perf_counter()
    tables = sample(work, some)
    seconds, size = (time.perf_counter() - clock) / len(some), 0.0
    for table in tables.values():
        buffer = io.BytesIO()
        pq.write_table(pa.concat_tables([table] * 20), buffer, compression="zstd")
        size += buffer.tell() / (20 * len(some))
    free = shutil.disk_usage(next(p for p in (folder, *folder.absolute().parents) if p.exists())).free
    console.print(
        f"{work.words()} in {len(work.shards()):,} shards; "
        f"about {duration(work.runs * seconds / workers.count)} on {workers.count} workers ({workers.kind}), "
        f"{work.runs * size / 1e6:,.0f} MB on disk ({free / 1e9:,.0f} GB free)",
        highlight=False,
    )
    console.print(f"Nothing was written. Would go to {shown(folder)}", highlight=False, soft_wrap=True)
    return 0


def refuse_inside(group: str, overrides: Sequence[str]) -> None:
    """Refuse parameters set inside a preset group that is itself varied: the presets would replace them."""
    for override in overrides:
        key, _, value = override.partition("=")
        if key == group or key.startswith(f"{group}."):
            raise InvalidInput(key, value, f"no setting in {group}, because the design varies {group} as a whole")


# --------------------------------------------------------------------------- after


def good_runs(store: Store, columns: Iterable[str]) -> pd.DataFrame:
    """The runs of a plan that did not fail."""
    runs = store.runs(list(dict.fromkeys(["run", "point", "replication", *columns, "error"])))
    return runs[runs["error"] == ""].drop(columns="error")


def with_draws(runs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Runs of a plan with the draw of the parameters that each has (``draw``; its own, without a population)."""
    return runs.assign(draw=[plan.population.draw_of(int(seed)) for seed in runs["seed"]] if plan.population else runs["replication"])


def write_failures(store: Store, work: Work) -> list[dict[str, Any]]:
    """``failures.csv``: what failed, of a plan with the command that repeats it; returns its rows."""
    (store.folder / "failures.csv").unlink(missing_ok=True)
    if not store.totals()["failed"]:
        return []
    rows = []
    for table in read_shards(store.folder, RUNS, ["run", "point", "replication", "seed", "error"] if isinstance(work, Plan) else None):
        for record in table.filter(pc.not_equal(table["error"], "")).to_pylist():
            if isinstance(work, Plan):
                point = work.points.at(record["point"])
                record = {**record, **point, "command": command(work, record["run"])}
            rows.append(record)
    store.csv("failures.csv", pd.DataFrame(rows))
    return rows


def digest_of_code(*functions: Any) -> str:
    """SHA-256 of the sources of a study's own functions that decide what its runs are, which the model's version does not name."""
    return hashlib.sha256("".join(inspect.getsource(inspect.unwrap(function)) for function in functions).encode()).hexdigest()
