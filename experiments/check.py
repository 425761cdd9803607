"""Figures published elsewhere against the model as it is configured: what it says to each, with nothing changed or fitted.

``python -m experiments.check targets.yaml``. The defaults are calibrated (``configs/experiment/calibrated.yaml``). A target has a
population, a measure, a value and a tolerance; a blind test is one whose file was written before the model was asked.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.lab.config import main, take
from experiments.lab.designs import RECORDS, Factor, Points
from experiments.lab.runner import Plan
from experiments.lab.statistics import mean, median, share
from experiments.lab.storage import Store
from experiments.lab.study import also_describe, carry_out, check_points, common_settings, good_runs, plan_of, plan_record, write_dictionary
from sim.configuration import from_mapping
from sim.measures import CLASSES, MEASURES, NUMERIC
from sim.presets import GROUPS, available, read_yaml
from sim.schema import InvalidInput, nearest
from sim.views.figures.check import check_figure
from sim.views.words import amount, bounded, written

STATISTICS = ("mean", "median", "share")
KEYS = ("name", "source", "population", "measure", "statistic", "at_least", "value", "tolerance")
#: Characters of a name or source: what still fits beside a picture.
LONGEST = 200
MEANINGS = {
    "name": "what the figure is", "source": "where it was published", "measure": "entry of the outcome record, or an ending",
    "statistic": "mean, median, or share of runs", "value": "published value", "tolerance": "how far off is near enough", "runs": "runs of the population",
    "defined": "of these, runs in which the measure is defined",
    "model": "what the model says", "off": "model less published value", "within": "the model's value lies within the tolerance",
    "interval_within": "so does its whole 95% interval",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A published figure.

    Attributes:
        name, source: what it is and where it stands.
        population: presets and dotted parameters that make the population.
        measure: entry of the outcome record, or one of the endings (a share of runs then).
        statistic: ``mean``, ``median``, or ``share`` of runs with ``at_least`` so much.
        at_least: threshold of a share.
        value, tolerance: in the measure's unit, or a share from 0 to 1.
    """

    name: str
    source: str
    population: tuple[tuple[str, Any], ...]
    measure: str
    statistic: str
    at_least: float
    value: float
    tolerance: float

    def of(self, runs: pd.DataFrame) -> tuple[float, float, float]:
        """What runs of the population say, with the 95% interval; a run in which the measure is undefined is left out."""
        if self.measure in CLASSES:
            return share(float((runs["outcome"] == self.measure).sum()), len(runs))
        values = runs[self.measure].astype("Float64").to_numpy(float, na_value=np.nan)
        if self.statistic == "share":  # a week never reached is not at least anything, and counts
            return share(float((values >= self.at_least).sum()), len(values))
        values = values[np.isfinite(values)]
        if not len(values):
            return np.nan, np.nan, np.nan
        return mean(values) if self.statistic == "mean" else median(values)

    def defined(self, runs: pd.DataFrame) -> int:
        """Runs that the statistic rests on: a share counts all, a mean or median those that have a value."""
        return len(runs) if self.measure in CLASSES or self.statistic == "share" else int(runs[self.measure].notna().sum())


def check(values: dict[str, Any]) -> int:
    """Run each target's population and print figure by figure what the model says; exit code 0 whatever it is."""
    settings = common_settings(values)
    path, replications = take(values, "targets", "text"), take(values, "replications", "count", 10, 1_000_000)
    targets = read_targets(Path(path))
    base = from_mapping(values)
    names = list(dict.fromkeys(name for target in targets for name, _ in target.population))
    populations = list(dict.fromkeys(target.population for target in targets))
    plan = plan_of(base, points_of(populations, names, base, values), replications, settings)
    check_points(plan)
    record = [
        {key: getattr(target, key) for key in KEYS if key != "population"} | {"population": dict(target.population)} for target in targets
    ]
    configuration = plan_record(plan, {"kind": "targets"}, targets=record)

    def finish(console: Console, store: Store, plan: Plan) -> list[str]:
        if not store.concluded(configuration):
            conclude(store, plan, targets, populations)
        show(console, store)
        return ["figure.png", "targets.csv"]

    parts = [Path(path).stem, f"{len(targets)}figures", f"{replications}x", f"{base.weeks}w"]
    return carry_out("check", parts, plan, configuration, settings, finish)


# --------------------------------------------------------------------------- the file


def read_targets(path: Path) -> list[Target]:
    """The targets of a file; :class:`InvalidInput` names the figure and what is wrong with it."""
    if not str(path) or str(path) == ".":
        raise InvalidInput("targets", "", "a file with published figures: python -m experiments.check targets.yaml")
    rows = read_yaml(path)
    if not isinstance(rows, list) or not rows:
        raise InvalidInput(str(path), rows, "a list of figures, each with " + ", ".join(KEYS))
    return [_target(f"{path}, figure {number}", row) for number, row in enumerate(rows, 1)]


def _target(where: str, row: Any) -> Target:
    if not isinstance(row, Mapping):
        raise InvalidInput(where, row, "a mapping with " + ", ".join(KEYS))
    for key in row:
        if key not in KEYS:
            raise InvalidInput(f"{where}, {key}", row[key], nearest(str(key), list(KEYS)))
    measure, statistic = row.get("measure"), row.get("statistic", "mean")
    if measure not in NUMERIC and measure not in CLASSES:
        raise InvalidInput(f"{where}, measure", measure, nearest(str(measure), [*NUMERIC, *CLASSES]))
    if statistic not in STATISTICS:
        raise InvalidInput(f"{where}, statistic", statistic, "one of " + ", ".join(STATISTICS))
    if measure in CLASSES and statistic == "median":
        raise InvalidInput(f"{where}, statistic", statistic, f"mean or share: {measure} is an ending, of which runs have a share")
    if "at_least" in row and (statistic != "share" or measure in CLASSES):
        raise InvalidInput(f"{where}, at_least", row["at_least"], "nothing, but where statistic is share and measure is no ending")
    numbers = {}
    for key in ("value", "tolerance", *(["at_least"] if statistic == "share" and measure not in CLASSES else [])):
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
            raise InvalidInput(f"{where}, {key}", value, "a number")
        numbers[key] = float(value)
    if numbers["tolerance"] < 0:
        raise InvalidInput(f"{where}, tolerance", numbers["tolerance"], "0 or more")
    if (
        measure in CLASSES or statistic == "share" or MEASURES[measure].unit in ("0 to 1", "share of planners", "share of teams")
    ) and not 0 <= numbers["value"] <= 1:
        raise InvalidInput(f"{where}, value", numbers["value"], "a share from 0 to 1")
    population = row.get("population", {})
    if not isinstance(population, Mapping):
        raise InvalidInput(f"{where}, population", population, "a mapping such as {maturity: high, strategy: model_first}")
    for name, value in population.items():
        if name in GROUPS:
            if value not in available(name):
                raise InvalidInput(f"{where}, {name}", value, nearest(str(value), available(name)))
        elif name not in RECORDS:
            raise InvalidInput(f"{where}, population", name, nearest(str(name), [*RECORDS, *GROUPS]))
        else:
            RECORDS[name].check(f"{where}, {name}", value)
    made = tuple(sorted(population.items()))
    texts = {"name": row.get("name", measure), "source": row.get("source", "")}
    for key, text in texts.items():
        if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
            raise InvalidInput(f"{where}, {key}", text, f"a text of one line, at most {LONGEST} characters")
    return Target(texts["name"], texts["source"], made, measure, statistic, numbers.get("at_least", 0.0), numbers["value"], numbers["tolerance"])  # fmt: skip


def points_of(populations: list[tuple[tuple[str, Any], ...]], names: list[str], base: Any, values: Mapping[str, Any]) -> Points:
    """A point a population; what one of them leaves open is as configured."""
    import operator

    from hydra.core.hydra_config import HydraConfig

    chosen = dict(HydraConfig.get().runtime.choices) if HydraConfig.initialized() else {}
    made, columns = [], []
    for name in names:
        if name in GROUPS:
            column = [dict(p).get(name, chosen.get(name)) for p in populations]
        else:
            column = [dict(p).get(name, operator.attrgetter(name)(base)) for p in populations]
        record = RECORDS.get(name)
        if record is not None and record.kind in ("number", "count"):
            checked = [record.check(name, value) for value in column]
            made.append(Factor(name, record.kind, min(checked), max(checked)))
            columns.append(np.array(checked))
        else:
            choices = tuple(dict.fromkeys(column))
            made.append(Factor(name, "choice", choices=choices))
            columns.append(np.array([choices.index(value) for value in column]))
    return (
        Points(tuple(made), tuple(columns))
        if made
        else Points((Factor("weeks", "count", base.weeks, base.weeks),), (np.array([base.weeks]),))
    )


# --------------------------------------------------------------------------- tables


def conclude(store: Store, plan: Plan, targets: list[Target], populations: list[tuple[tuple[str, Any], ...]]) -> None:
    """Write the comparison and its picture."""
    runs = good_runs(store, [*{t.measure for t in targets if t.measure not in CLASSES}, "outcome"])
    rows = []
    for target in targets:
        cell = runs[runs["point"] == populations.index(target.population)]
        model, low, high = target.of(cell) if len(cell) else (np.nan,) * 3
        rows.append(
            {
                "name": target.name, "source": target.source, "measure": target.measure, "statistic": target.statistic,
                "value": target.value, "tolerance": target.tolerance, "runs": len(cell), "defined": target.defined(cell), "model": model, "model_low": low, "model_high": high,
                "off": model - target.value, "within": bool(abs(model - target.value) <= target.tolerance),
                "interval_within": bool(max(abs(low - target.value), abs(high - target.value)) <= target.tolerance),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    write_dictionary(store, plan)
    store.parquet("targets.parquet", table)
    store.csv("targets.csv", table)
    also_describe(store, "targets", table, MEANINGS)
    check_figure(store.folder)


def show(console: Console, store: Store) -> None:
    """Print the comparison, figure by figure."""
    rows = pd.read_parquet(store.folder / "targets.parquet")
    table = Table(title="Published figures and the model as configured [95% interval]", title_justify="left")
    for head in ("figure", "published", "model", "within tolerance"):
        table.add_column(head, justify="left" if head == "figure" else "right")
    for row in rows.to_dict("records"):
        share_of_runs = row["measure"] in CLASSES or row["statistic"] == "share" or written(row["measure"]) == "share"

        def write(value: float, per_cent: bool = share_of_runs, measure: str = row["measure"]) -> str:
            return "–" if value != value else f"{value:.0%}" if per_cent else amount(measure, value)

        verdict = "yes" if row["interval_within"] else "its mean only" if row["within"] else "no"
        table.add_row(row["name"], f"{write(row['value'])} ± {write(row['tolerance'])}", bounded(row, "model", write), verdict)
    console.print(table)
    console.print(f"{rows['within'].sum()} of {len(rows)} figures lie within their tolerance.", highlight=False)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].endswith((".yaml", ".yml")) and "=" not in sys.argv[1]:
        sys.argv[1] = f"targets='{sys.argv[1]}'"
    main("check", check)
