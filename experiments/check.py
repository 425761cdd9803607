"""Published numbers against the model as it is configured: what it says to each, with nothing changed or fitted.

``python -m experiments.check targets.yaml``. A target has a
population, a measure, a value and a tolerance; a blind test is one whose file was written before the model was asked.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.lab.config import chosen_presets, main, read_experiment, take
from experiments.lab.designs import Factor, Points
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.records import parameters_at
from experiments.lab.statistics import mean, median, share, values_of
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, good_runs, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping, with_presets
from sim.measures import CLASSES, MEASURES, NUMERIC
from sim.parameters import RECORDS, Parameters
from sim.presets import GROUPS, available, read_yaml
from sim.schema import InvalidInput, nearest, walk
from sim.views.words import amount, bounded, written

STATISTICS = ("mean", "median", "share")
KEYS = ("name", "source", "population", "measure", "statistic", "at_least", "value", "tolerance")
#: Characters of a name or source: what still fits beside a picture.
LONGEST = 200
MEANINGS = {
    "name": "what the target is", "source": "where it was published", "measure": "entry of the outcome record, or an ending",
    "statistic": "mean, median, or share of runs", "value": "published value", "tolerance": "how far off is near enough",
    "runs": "runs of the population that did not fail",
    "defined": "of these, runs that the statistic rests on: without those that lack the measure, or in a mean never got there",
    "model": "what the model says; inf: most runs never get there", "off": "model less published value",
    "within": "the model's value rests on all runs and lies within the tolerance", "interval_within": "so does its whole 95% interval",
}  # fmt: skip

Population = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Target:
    """A published number.

    Attributes:
        name, source: what it is and where it stands.
        population: presets and dotted parameters that make the population, sorted by name.
        measure: entry of the outcome record, or one of the endings (a share of runs then).
        statistic: ``mean``, ``median``, or ``share`` of runs with ``at_least`` so much.
        at_least: threshold of a share.
        value, tolerance: in the measure's unit, or a share from 0 to 1.
    """

    name: str
    source: str
    population: Population
    measure: str
    statistic: str
    at_least: float
    value: float
    tolerance: float

    @property
    def is_share(self) -> bool:
        """Whether it is a share of runs."""
        return self.measure in CLASSES or self.statistic == "share"

    def of(self, runs: pd.DataFrame) -> tuple[int, float, float, float]:
        """What runs of the population say: how many the statistic rests on, and the estimate with its 95% interval (NaN without runs).

        A run that lacks the measure is left out. One that never got to a week got there late: that counts in a median and in a
        share, where it is not left out, and has no mean.
        """
        if self.measure in CLASSES:
            values = (runs["outcome"] == self.measure).to_numpy(float)
        else:
            values = values_of(runs, self.measure)
            values = values[np.isfinite(values) if self.statistic == "mean" else ~np.isnan(values)]
            if self.statistic == "share":
                values = (values >= self.at_least).astype(float)
        if not len(values):
            return 0, np.nan, np.nan, np.nan
        estimate = (
            share(float(values.sum()), len(values)) if self.is_share else mean(values) if self.statistic == "mean" else median(values)
        )
        return len(values), *estimate

    def row(self, runs: pd.DataFrame) -> dict[str, Any]:
        """The target beside what runs of its population say. What rests on a part of the runs is within no tolerance."""
        defined, model, low, high = self.of(runs)
        whole = defined == len(runs) > 0
        return {
            "name": self.name, "source": self.source, "measure": self.measure, "statistic": self.statistic,
            "value": self.value, "tolerance": self.tolerance, "runs": len(runs), "defined": defined,
            "model": model, "model_low": low, "model_high": high, "off": model - self.value,
            "within": bool(whole and abs(model - self.value) <= self.tolerance),
            "interval_within": bool(whole and max(abs(low - self.value), abs(high - self.value)) <= self.tolerance),
        }  # fmt: skip


def check(values: dict[str, Any]) -> int:
    """Run each target's population and print target by target what the model says; exit code 0 whatever it is."""
    settings = take_settings(values)
    path, replications = take(values, "targets", "text"), take(values, "replications", "count", 10, 1_000_000)
    targets = read_targets(Path(path))
    base = from_mapping(values)
    populations = list(dict.fromkeys(target.population for target in targets))
    plan = settings.plan(base, points_of(populations, base, chosen_presets()), replications)
    check_points(plan)
    check_thresholds(path, targets, [plan.parameters(populations.index(target.population)).weeks for target in targets])
    record = [
        {key: getattr(target, key) for key in KEYS if key != "population"} | {"population": dict(target.population)} for target in targets
    ]

    def conclude(store: Store, plan: Plan) -> None:
        write_tables(store, plan, {"targets": targets_table(good_runs(store, [*NUMERIC, "outcome"]), targets, populations)}, MEANINGS)
        from sim.views.figures.check import check_figure

        check_figure(store.folder)

    def report(console: Console, store: Store) -> list[str]:
        show(console, pd.read_parquet(store.folder / "targets.parquet"))
        return ["figure.png", "targets.csv"]

    parts = [Path(path).stem, f"{len(targets)}targets", f"{replications}x", f"{base.weeks}w"]
    return carry_out(Study("check", parts, plan, plan_record(plan, {"kind": "targets"}, targets=record), conclude, report), settings)


def targets_table(runs: pd.DataFrame, targets: Sequence[Target], populations: Sequence[Population]) -> pd.DataFrame:
    """One row per target, from the runs of all populations: ``point`` is the population, and the measures are columns."""
    return pd.DataFrame([target.row(runs[runs["point"] == populations.index(target.population)]) for target in targets])


# --------------------------------------------------------------------------- the file


def read_targets(path: Path) -> list[Target]:
    """The targets of a file; :class:`InvalidInput` names the target and what is wrong with it."""
    if not str(path) or str(path) == ".":
        raise InvalidInput("targets", "", "a file with published numbers: python -m experiments.check targets.yaml")
    rows = read_yaml(path)
    if not isinstance(rows, list) or not rows:
        raise InvalidInput(str(path), rows, "a list of targets, each with " + ", ".join(KEYS))
    return [_target(f"{path}, target {number}", row) for number, row in enumerate(rows, 1)]


def _target(where: str, row: Any) -> Target:
    if not isinstance(row, Mapping):
        raise InvalidInput(where, row, "a mapping with " + ", ".join(KEYS))
    for key in row:
        if key not in KEYS:
            raise InvalidInput(f"{where}, {key}", row[key], nearest(str(key), list(KEYS)))
    measure, statistic = _statistic(where, row)
    numbers = _numbers(where, row, measure, statistic)
    texts = {"name": row.get("name", measure), "source": row.get("source", "")}
    for key, text in texts.items():
        if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
            raise InvalidInput(f"{where}, {key}", text, f"a text of one line, at most {LONGEST} characters")
    population = _population(where, row.get("population", {}))
    at_least = numbers.get("at_least", 0.0)
    return Target(texts["name"], texts["source"], population, measure, statistic, at_least, numbers["value"], numbers["tolerance"])


def _statistic(where: str, row: Mapping[str, Any]) -> tuple[str, str]:
    measure, statistic = row.get("measure"), row.get("statistic", "mean")
    if measure not in NUMERIC and measure not in CLASSES:
        raise InvalidInput(f"{where}, measure", measure, nearest(str(measure), [*NUMERIC, *CLASSES]))
    if statistic not in STATISTICS:
        raise InvalidInput(f"{where}, statistic", statistic, "one of " + ", ".join(STATISTICS))
    if measure in CLASSES and statistic == "median":
        raise InvalidInput(f"{where}, statistic", statistic, f"mean or share: {measure} is an ending, of which runs have a share")
    if "at_least" in row and (statistic != "share" or measure in CLASSES):
        raise InvalidInput(f"{where}, at_least", row["at_least"], "nothing, but where statistic is share and measure is no ending")
    return str(measure), statistic


def _numbers(where: str, row: Mapping[str, Any], measure: str, statistic: str) -> dict[str, float]:
    ending = measure in CLASSES
    numbers = {}
    for key in ("value", "tolerance", *(["at_least"] if statistic == "share" and not ending else [])):
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
            raise InvalidInput(f"{where}, {key}", value, "a number")
        numbers[key] = float(value)
    if numbers["tolerance"] < 0:
        raise InvalidInput(f"{where}, tolerance", numbers["tolerance"], "0 or more")
    of_one = ending or statistic == "share" or MEASURES[measure].unit in ("0 to 1", "share of planners", "share of teams")
    if of_one and not 0 <= numbers["value"] <= 1:
        raise InvalidInput(f"{where}, value", numbers["value"], "a share from 0 to 1")
    return numbers


def _population(where: str, given: Any) -> Population:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where}, population", given, "a mapping such as {maturity: high, strategy: model_first}")
    checked = {}
    for name, value in given.items():
        if name in GROUPS:
            if value not in available(name):
                raise InvalidInput(f"{where}, {name}", value, nearest(str(value), available(name)))
            checked[name] = value
        elif name not in RECORDS:
            raise InvalidInput(f"{where}, population", name, nearest(str(name), [*RECORDS, *GROUPS]))
        elif RECORDS[name].is_list:
            raise InvalidInput(f"{where}, {name}", value, "no list: lists belong in a preset")
        else:
            checked[name] = RECORDS[name].check(f"{where}, {name}", value)
    return tuple(sorted(checked.items()))


def check_thresholds(path: str, targets: Sequence[Target], weeks: Sequence[int]) -> None:
    """Refuse a share of runs that take at least so many weeks, where the runs end before: of a run that never got there nobody knows."""
    for number, (target, horizon) in enumerate(zip(targets, weeks, strict=True), 1):
        late = target.statistic == "share" and target.measure in MEASURES and MEASURES[target.measure].censored
        if late and target.at_least > horizon:
            raise InvalidInput(f"{path}, target {number}, at_least", target.at_least, f"at most the {horizon} weeks that are run")


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
    """Refuse settings inside a preset group that a population names: its preset would replace them."""
    preset, configured = (getattr(p, group) for p in (with_presets(base, {group: chosen}), base))
    for name, _ in walk(type(configured), f"{group}."):
        of = operator.attrgetter(name.removeprefix(f"{group}."))
        if of(configured) != of(preset):
            raise InvalidInput(name, of(configured), f"no setting in {group}, because a target's population names a preset of {group}")


# --------------------------------------------------------------------------- printing


def show(console: Console, rows: pd.DataFrame) -> None:
    """Print the comparison, target by target."""
    table = Table(title="Targets and the model as configured [95% interval]", title_justify="left")
    for head in ("target", "published", "model", "within tolerance"):
        table.add_column(head, justify="left" if head == "target" else "right")
    for row in rows.to_dict("records"):
        share_of_runs = row["measure"] in CLASSES or row["statistic"] == "share" or written(row["measure"]) == "share"

        def write(value: float, per_cent: bool = share_of_runs, measure: str = row["measure"]) -> str:
            if np.isnan(value):
                return "–"
            return "never" if np.isinf(value) else f"{value:.0%}" if per_cent else amount(measure, value)

        table.add_row(row["name"], f"{write(row['value'])} ± {write(row['tolerance'])}", bounded(row, "model", write), verdict(row))
    console.print(table)
    console.print(f"{rows['within'].sum()} of {len(rows)} targets lie within their tolerance.", highlight=False)


def verdict(row: Mapping[Any, Any]) -> str:
    """Whether a target is met: a plain yes only where all runs say so."""
    if row["defined"] == 0:
        return "no run has it"
    if row["defined"] < row["runs"]:
        return f"only {row['defined']:,} of {row['runs']:,} runs have it"
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


if __name__ == "__main__":
    sys.argv[1:] = with_targets(sys.argv[1:])
    main("check", check)
