"""A design over any parameters of the model, on any executor; started again, it does what is missing.

``python -m experiments.sweep design=lhs design.samples=1000 replications=20 'design.over=[trust.loss,forecast.late,strategy]'``
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from experiments.lab import designs
from experiments.lab.config import main, overrides, take
from experiments.lab.executors import Workers
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.runner import execute
from experiments.lab.statistics import half_widths, mean, replications_needed, share, within
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, good_runs, refuse_inside, run_all, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.measures import CLASSES, NUMERIC
from sim.presets import GROUPS
from sim.schema import InvalidInput, nearest

FIRST_REPLICATIONS = 10
POINT_MEASURES = ("net", "net_104", "final_reliance", "final_teams_trust_and_use")
MEANINGS = {
    "points.point": "point of the design",
    "points.runs": "runs of the point that did not fail",
    **{f"points.{name}": "mean over the point's runs" for name in POINT_MEASURES},
    **{
        f"points.{name}_{end}": f"where one run ends: 5% of the point's runs end {end}"
        for name in POINT_MEASURES
        for end in ("below", "above")
    },
    **{f"points.share_{name}": f"share of the point's runs that end as «{name.replace('_', ' ')}»" for name in CLASSES},
}


def sweep(values: dict[str, Any]) -> int:
    """Run the design, print what it was, write the results folder."""
    settings = take_settings(values)
    design = values.pop("design")
    replications, precision = values.pop("replications"), take(values, "precision", "number", 1e-9, 1e12)
    outcome, most = take(values, "outcome", "text"), take(values, "most_replications", "count", 2, 1_000_000)
    auto = replications == "auto"
    if not auto and (isinstance(replications, bool) or not isinstance(replications, int) or not 1 <= replications <= 1_000_000):
        raise InvalidInput("replications", replications, "a whole number from 1 to 1000000, or auto")
    if outcome not in NUMERIC:
        raise InvalidInput("outcome", outcome, nearest(outcome, NUMERIC))
    base = from_mapping(values)
    points, asked = points_of(design, base, settings.seed)
    plan = settings.plan(base, points, FIRST_REPLICATIONS if auto else replications)
    check_points(plan)
    more = {"replications": "auto", "precision": precision, "most_replications": most} if auto else {}
    configuration = plan_record(plan, asked, **more, outcome=outcome)
    parts = [asked["kind"], f"{len(points)}points", "autox" if auto else f"{replications}x", f"{base.weeks}w"]

    def run(plan: Plan, store: Store, workers: Workers) -> Plan:
        return run_auto(plan, store, workers, outcome, precision, most) if auto else run_all(plan, store, workers)

    def show(console: Console, store: Store) -> list[str]:
        return ["figure.png", "points.csv"]

    return carry_out(Study("sweep", parts, plan, configuration, conclude, show, run), settings)


def points_of(design: Any, base: Any, seed: int) -> tuple[designs.Points, dict[str, Any]]:
    """The points of the configuration's design, and the design as it is recorded."""
    design = dict(design)
    kind = design.get("kind")
    if kind == "file":
        points = designs.from_file(take(design, "file", "text"))
        return points, {"kind": "file", "points_sha256": designs.digest_of(points), "over": list(points.names)}
    made = designs.factors(design.pop("over"), design.pop("ranges"), base)
    for f in made:
        if f.name in GROUPS:
            refuse_inside(f.name, overrides())
    samples = take(design, "samples", "count", 1, designs.MOST_POINTS) if "samples" in design else 0
    levels = take(design, "levels", "count", 2, 10_000) if "levels" in design else 0
    points = designs.make(str(kind), made, samples, levels, seed)
    ranges = {f.name: list(f.choices) if f.kind == "choice" else [f.low, f.high] for f in made}
    return points, {"kind": kind, "samples": samples, "levels": levels, "ranges": ranges}


def run_auto(plan: Plan, store: Store, workers: Workers, outcome: str, precision: float, most: int) -> Plan:
    """Replications, the same number for every point, until all intervals of the outcome's means are narrow enough."""
    plan = replace(plan, chunk=plan.shard_size)
    shards = plan.shards()
    while True:
        execute(plan, store, workers, shards)
        runs = store.runs(["error", outcome])
        values = runs[outcome].astype("Float64").to_numpy(float, na_value=np.nan)[: plan.runs]
        width = float(np.max(half_widths(values.reshape(plan.replications, len(plan.points)).T)))
        needed = replications_needed(width, precision, plan.replications, most)
        if needed == plan.replications:
            if width > precision:
                print(f"note: after {most} replications the widest interval is still ±{width:,.4g}", file=sys.stderr)
            return plan
        start, plan = plan.runs, replace(plan, replications=needed)
        shards = shards + plan.shards(start, len(shards))


def conclude(store: Store, plan: Plan) -> None:
    """Write the table of points, and the picture."""
    write_tables(store, plan, {"points": points_table(good_runs(store, [*POINT_MEASURES, "outcome"]), plan.points)}, MEANINGS)
    from sim.views.figures.sweep import sweep_figure

    sweep_figure(store.folder)


def points_table(runs: pd.DataFrame, points: designs.Points) -> pd.DataFrame:
    """One row per point: its values; runs; means with 95% intervals, and where nine of ten runs lie; shares of the outcome classes.

    ``runs`` has ``point``, ``outcome`` and :data:`POINT_MEASURES`.
    """
    rows = []
    for point, cell in runs.groupby("point", sort=True):
        row: dict[str, Any] = {"point": point, **points.at(int(str(point))), "runs": len(cell)}
        for measure in POINT_MEASURES:
            x = cell[measure].to_numpy(float)
            if not np.isnan(x).any():
                row[measure], row[f"{measure}_low"], row[f"{measure}_high"] = mean(x)
                row[f"{measure}_below"], row[f"{measure}_above"] = within(x)
        for label in CLASSES:
            row[f"share_{label}"] = share(float((cell["outcome"] == label).sum()), len(cell))[0]
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main("sweep", sweep)
