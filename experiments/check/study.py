"""Published numbers against the model as it is configured: what it says to each, with nothing changed or fitted.

A target has a population, a measure, a value and a tolerance; a blind test is one whose file was written before the model was asked.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.check.reading import read_targets
from experiments.check.seen import OF_WEEK, Seen
from experiments.check.targets import BINDS, Population, Target
from experiments.lab.config import chosen_presets, overrides, read_experiment, take
from experiments.lab.designs import Factor, Points
from experiments.lab.organisations import names_in_experiment
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.records import parameters_at
from experiments.lab.storage import HELD, WEEKS, Store, read
from experiments.lab.study import Study, carry_out, good_runs, take_settings, with_draws
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping, with_presets
from sim.measures import MEASURES, NUMERIC
from sim.parameters import RECORDS, Parameters
from sim.presets import GROUPS
from sim.schema import InvalidInput, walk
from sim.views.words import bounded, of_target

MEANINGS = {
    "name": "what the target is", "source": "where it was published", "measure": "entry of the outcome record, or what an organisation is",
    "statistic": "mean, median, or share of organisations", "asked": "the same in words, with all that the target says of it",
    "value": "published value", "tolerance": "how far off is near enough", "unit": "of value and model: share, EUR, ratio, or in words",
    "runs": "organisations that were asked: runs that did not fail",
    "defined": "of these, those that the statistic rests on: without those that lack the measure, or in a mean never got there",
    "model": "what the model says; inf: most organisations never get there", "off": "model less published value",
    "within": "the model's value rests on all organisations and lies within the tolerance", "interval_within": "so does its whole 95% interval",
}  # fmt: skip
WHY = "because a target's population names a preset of"
#: Weeks between weekly records where a target needs them and nobody says another number: as the calibration takes them.
EVERY = 4


def check(values: dict[str, Any]) -> int:
    """Run each target's population and print target by target what the model says; exit code 0 whatever it is."""
    settings = take_settings(values)
    path, replications = take(values, "targets", "text"), take(values, "replications", "count", 10, 1_000_000)
    targets = read_targets(Path(path))
    base = from_mapping(values)
    populations = list(dict.fromkeys(population for target in targets for population in populations_of(target)))
    kept: dict[str, int] = {}
    if any(isinstance(target.at_week, tuple) for target in targets):
        kept["weekly"] = weekly_of(settings.weekly)
    if any({*BINDS} & target.columns for target in targets):
        kept["inside"] = replications
    plan = settings.plan(base, points_of(populations, base, chosen_presets()), replications, **kept)
    check_points(plan)
    check_weeks(path, targets, {population: plan.parameters(point).weeks for point, population in enumerate(populations)})

    def conclude(store: Store, plan: Plan) -> None:
        write_tables(store, plan, {"targets": targets_table(targets, seen_of(store, plan, populations))}, MEANINGS)
        from sim.views.figures.check import check_figure

        check_figure(store.folder)

    def report(console: Console, store: Store) -> list[str]:
        show(console, pd.read_parquet(store.folder / "targets.parquet"))
        return ["figure.png", "targets.csv"]

    parts = [Path(path).stem, f"{len(targets)}targets", f"{replications}x", f"{base.weeks}w"]
    record = plan_record(plan, {"kind": "targets"}, targets=[record_of(target) for target in targets])
    return carry_out(Study("check", parts, plan, record, conclude, report), settings)


def populations_of(target: Target) -> list[Population]:
    """All members of its mix, and of the one that its ratio is to."""
    return [population for _, population in (*target.population, *target.ratio_to)]


def record_of(target: Target) -> dict[str, Any]:
    """All that a target says, as plain values."""
    mixes = {key: [[share, dict(members)] for share, members in getattr(target, key)] for key in ("population", "ratio_to")}
    ages = list(target.at_week) if isinstance(target.at_week, tuple) else target.at_week
    ends = {key: None if np.isinf(getattr(target, key)) else getattr(target, key) for key in ("at_least", "at_most")}
    return {**vars(target), **mixes, **ends, "at_week": ages}


def weekly_of(weekly: int) -> int:
    """Weeks between weekly records, from which those of a year are counted."""
    if weekly and EVERY % weekly:
        raise InvalidInput("weekly", weekly, "0, 1, 2 or 4, where a target is asked in a random week")
    return weekly or EVERY


def seen_of(store: Store, plan: Plan, populations: Sequence[Population]) -> Seen:
    """What the targets are asked of."""
    runs = with_draws(good_runs(store, ["seed", *NUMERIC, "outcome"]), plan)
    if plan.inside:
        held = read(store.folder, HELD, ["run", "binds"]).drop_duplicates("run", keep="last")
        runs = runs.merge(held, on="run", how="left")
    weekly = read(store.folder, WEEKS, ["run", "week", *OF_WEEK.values()]) if plan.weekly else pd.DataFrame()
    points = {population: point for point, population in enumerate(populations)}
    return Seen(runs, weekly, points, [plan.parameters(point).outcomes for point in range(len(populations))], plan.weekly or 1)


def targets_table(targets: Sequence[Target], seen: Seen) -> pd.DataFrame:
    """One row per target."""
    rows = []
    for target in targets:
        other = seen.of(target.ratio_to, target.at_week) if target.ratio_to else None
        rows.append(target.row(seen.of(target.population, target.at_week), other) | {"unit": unit_of(target)})
    return pd.DataFrame(rows)


def unit_of(target: Target) -> str:
    """How value and model are written."""
    return "ratio" if target.ratio_to else "share" if target.per_cent else "EUR" if target.money else MEASURES[target.measure].unit


def check_weeks(path: str, targets: Sequence[Target], horizons: Mapping[Population, int]) -> None:
    """Refuse what asks of weeks that are not run: of an organisation that never got there nobody knows."""
    for number, target in enumerate(targets, 1):
        weeks = min(horizons[population] for population in populations_of(target))
        if isinstance(target.at_week, tuple) and target.at_week[1] > weeks:
            raise InvalidInput(f"{path}, target {number}, at_week", list(target.at_week), f"at most the {weeks} weeks that are run")
        if target.statistic == "share" and target.measure in MEASURES and MEASURES[target.measure].censored:
            for key in ("at_least", "at_most"):
                end = getattr(target, key)
                if np.isfinite(end) and end > weeks:
                    raise InvalidInput(f"{path}, target {number}, {key}", end, f"at most the {weeks} weeks that are run")


# --------------------------------------------------------------------------- populations


def points_of(populations: Sequence[Population], base: Parameters, chosen: Mapping[str, str]) -> Points:
    """One point per population, each with the parameters that it would have without the others.

    Args:
        populations: presets and parameters of each.
        base: as configured.
        chosen: the presets that were chosen, by group.

    Raises:
        InvalidInput: where a preset that a population names would replace a configured setting.
    """
    names = sorted({name for population in populations for name, _ in population}, key=lambda name: (name not in GROUPS, name))
    for name in names:
        if name in GROUPS:
            refuse_replaced(name, base, chosen[name])
    alone = [parameters_at(base, dict(population)) for population in populations]
    made, columns = [], []
    for name in names:
        column: list[Any] = [
            dict(population).get(name, chosen[name]) if name in GROUPS else operator.attrgetter(name)(parameters)
            for population, parameters in zip(populations, alone, strict=True)
        ]
        if name not in GROUPS and RECORDS[name].kind in ("number", "count"):
            made.append(Factor(name, RECORDS[name].kind, min(column), max(column)))
            columns.append(np.array(column))
        else:
            choices = tuple(dict.fromkeys(column))
            made.append(Factor(name, "choice", choices=choices))
            columns.append(np.array([choices.index(value) for value in column]))
    if not made:  # all are as configured
        return Points((Factor("weeks", "count", base.weeks, base.weeks),), (np.array([base.weeks]),))
    return Points(tuple(made), tuple(columns), tuple(frozenset(dict(population)) for population in populations))


def refuse_replaced(group: str, base: Parameters, chosen: str) -> None:
    """Refuse settings inside a preset group that a population names: its preset would replace them, and nobody would draw them."""
    preset, configured = (getattr(p, group) for p in (with_presets(base, {group: chosen}), base))
    for name, _ in walk(type(configured), f"{group}."):
        of = operator.attrgetter(name.removeprefix(f"{group}."))
        if of(configured) != of(preset):
            raise InvalidInput(name, of(configured), f"no setting in {group}, {WHY} {group}")
    given = {name: chosen_presets()["experiment"] for name in names_in_experiment()}
    given |= {override.partition("=")[0]: override.partition("=")[2] for override in overrides()}
    for name, value in given.items():
        if name.startswith(f"{group}."):  # it is as the preset has it, and would not be drawn of any organisation
            raise InvalidInput(name, value, f"no setting in {group}, {WHY} {group}")


# --------------------------------------------------------------------------- printing


def show(console: Console, rows: pd.DataFrame) -> None:
    """Print the comparison, target by target."""
    table = Table(title="Targets and the model as configured [95% interval]", title_justify="left")
    for head in ("target", "published", "model", "within tolerance"):
        table.add_column(head, justify="left" if head == "target" else "right")
    for row in rows.to_dict("records"):
        write = partial(of_target, row)
        published = f"{write(row['value'])} ± {write(row['tolerance'])}"
        table.add_row(f"{row['name']}\n  {row['asked']}", published, bounded(row, "model", write), verdict(row))
    console.print(table)
    console.print(f"{rows['within'].sum()} of {len(rows)} targets lie within their tolerance.", highlight=False)


def verdict(row: Mapping[Any, Any]) -> str:
    """Whether a target is met: a plain yes only where all organisations say so."""
    if row["defined"] == 0:
        return "no organisation has it"
    if row["defined"] < row["runs"]:
        return f"only {row['defined']:,} of {row['runs']:,} organisations have it"
    return "yes" if row["interval_within"] else f"its {row['statistic']} only" if row["within"] else "no"


def with_targets(arguments: Sequence[str]) -> list[str]:
    """The command line with a file of targets as the setting ``targets``; a file may be called ``a=b.yaml``."""
    settings = read_experiment("check")[0]
    result = []
    for argument in arguments:
        is_file = argument.endswith((".yaml", ".yml")) and argument.split("=")[0] not in settings
        quoted = argument.replace("\\", "\\\\").replace("'", "\\'")
        result.append(f"targets='{quoted}'" if is_file and ("=" not in argument or Path(argument).is_file()) else argument)
    return result
