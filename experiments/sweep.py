"""A design over any parameters of the model, on any executor; started again, it does what is missing.

``python -m experiments.sweep design=lhs design.samples=1000 replications=20 'design.over=[trust.loss,forecast.late,strategy]'``
"""

from __future__ import annotations

import io
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from experiments import designs
from experiments.entry import main, take
from experiments.executors import Workers
from experiments.output import folder_name, results_folder, shown, wide_console
from experiments.runner import Plan, duration, execute, sample
from experiments.statistics import half_widths, mean, replications_needed, share
from experiments.storage import RUNS, Store
from experiments.study import (
    NUMERIC,
    check_points,
    close,
    common_settings,
    digest_of,
    good_runs,
    needs_confirming,
    plan_record,
    refuse_inside,
    write_dictionary,
)
from sim.outcomes import CLASSES
from sim.parameters import InvalidInput, from_mapping, nearest, to_mapping
from sim.views.studies import sweep_figure

FIRST_REPLICATIONS = 10
POINT_MEASURES = ("net", "net_104", "final_reliance", "final_teams_trust_and_use")


def sweep(values: dict[str, Any]) -> int:
    """Run the design, print what it was, write the results folder."""
    settings = common_settings(values)
    design, dry_run = values.pop("design"), take(values, "dry_run", "flag")
    replications, precision = values.pop("replications"), take(values, "precision", "number", 1e-9, 1e12)
    outcome, most = take(values, "outcome", "text"), take(values, "most_replications", "count", 2, 1_000_000)
    auto = replications == "auto"
    if not auto and (isinstance(replications, bool) or not isinstance(replications, int) or not 1 <= replications <= 1_000_000):
        raise InvalidInput("replications", replications, "a whole number from 1 to 1000000, or auto")
    if outcome not in NUMERIC:
        raise InvalidInput("outcome", outcome, nearest(outcome, NUMERIC))
    base = from_mapping(values)
    points, asked = points_of(design, base, settings["seed"])
    plan = Plan(
        to_mapping(base),
        points,
        FIRST_REPLICATIONS if auto else replications,
        **{k: settings[k] for k in ("seed", "engine", "weekly", "limit")},
    )
    check_points(plan)
    needs_confirming(plan, settings["confirm"])
    configuration = plan_record(
        plan, asked, **({"replications": "auto", "precision": precision, "most_replications": most} if auto else {}), outcome=outcome
    )
    name = folder_name(
        [asked["kind"], f"{len(points)}points", "autox" if auto else f"{replications}x", f"{base.weeks}w", f"seed{settings['seed']}"],
        configuration,
    )
    folder = results_folder("sweep", name, settings["output"])
    console = wide_console()
    if dry_run:
        return describe(console, plan, folder, settings["workers"])
    clock = time.perf_counter()
    with settings["workers"] as workers, Store("sweep", folder, configuration) as store:
        plan = run_auto(plan, store, workers, outcome, precision, most) if auto else run_fixed(plan, store, workers)
        return conclude(console, store, plan, configuration, outcome, clock)


def points_of(design: Any, base: Any, seed: int) -> tuple[designs.Points, dict[str, Any]]:
    """The points of the configuration's design, and the design as it is recorded."""
    design = dict(design)
    kind = design.get("kind")
    if kind == "file":
        path = take(design, "file", "text")
        points = designs.from_file(path)
        return points, {"kind": "file", "points_sha256": digest_of(points), "over": list(points.names)}
    made = designs.factors(design.pop("over"), design.pop("ranges"), base)
    for f in made:
        refuse_inside(f.name)
    samples = take(design, "samples", "count", 1, designs.MOST_POINTS) if "samples" in design else 0
    levels = take(design, "levels", "count", 2, 10_000) if "levels" in design else 0
    points = designs.make(str(kind), made, samples, levels, seed)
    ranges = {f.name: list(f.choices) if f.kind == "choice" else [f.low, f.high] for f in made}
    return points, {"kind": kind, "samples": samples, "levels": levels, "ranges": ranges}


# --------------------------------------------------------------------------- running


def run_fixed(plan: Plan, store: Store, workers: Workers) -> Plan:
    """All replications of all points."""
    execute(plan, store, workers)
    return plan


def run_auto(plan: Plan, store: Store, workers: Workers, outcome: str, precision: float, most: int) -> Plan:
    """Replications, the same number for every point, until all intervals of the outcome's means are narrow enough."""
    plan = replace(plan, chunk=plan.shard_size)
    shards = plan.shards()
    while True:
        execute(plan, store, workers, shards)
        runs = store.runs(["error", outcome])
        values = (
            runs[outcome].astype("Float64").to_numpy(float, na_value=np.nan)[: plan.runs].reshape(plan.replications, len(plan.points)).T
        )
        width = float(np.max(half_widths(values)))
        needed = replications_needed(width, precision, plan.replications, most)
        if needed == plan.replications:
            if width > precision:
                print(f"note: after {most} replications the widest interval is still ±{width:,.4g}", file=sys.stderr)
            return plan
        start, plan = plan.runs, replace(plan, replications=needed)
        shards = shards + plan.shards(start, len(shards))


# --------------------------------------------------------------------------- describing


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
        console.print(f"  {f.words()}", highlight=False, markup=False)
    console.print(
        f"{len(plan.points):,} points × {plan.replications:,} replications = {plan.runs:,} runs in {shards:,} shards; "
        f"about {duration(plan.runs * seconds / workers.count)} on {workers.count} workers ({workers.kind}), "
        f"{plan.runs * size / 1e6:,.0f} MB on disk ({shutil.disk_usage(_existing(folder)).free / 1e9:,.0f} GB free)",
        highlight=False,
    )
    console.print(f"Nothing was written. Would go to {shown(folder)}", highlight=False, soft_wrap=True, markup=False)
    return 0


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.absolute().parents) if p.exists())


def conclude(console: Console, store: Store, plan: Plan, configuration: dict[str, Any], outcome: str, clock: float) -> int:
    """Tables by point, the picture, the data dictionary and the manifest; prints what there is."""
    if not store.concluded(configuration) and store.totals()["failed"] < plan.runs:
        table = points_table(store, plan)
        store.parquet("points.parquet", table)
        store.csv("points.csv", table)
        write_dictionary(store, plan)
        sweep_figure(store.folder, outcome)
    return close(console, store, plan, configuration, clock, ["figure.png", "points.csv", f"{RUNS}/"])


def points_table(store: Store, plan: Plan) -> pd.DataFrame:
    """One row a point: its values; runs; means with 95% intervals; shares of the outcome classes."""
    runs = good_runs(store, [*POINT_MEASURES, "outcome"])
    rows = []
    for point, cell in runs.groupby("point", sort=True):
        row: dict[str, Any] = {"point": point, **plan.points.at(int(str(point))), "runs": len(cell)}
        for measure in POINT_MEASURES:
            x = cell[measure].to_numpy(float)
            if not np.isnan(x).any():
                row[measure], row[f"{measure}_low"], row[f"{measure}_high"] = mean(x)
        for label in CLASSES:
            row[f"share_{label}"] = share(float((cell["outcome"] == label).sum()), len(cell))[0]
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main("sweep", sweep)
