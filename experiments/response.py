"""What bad data do to forecasts, measured: real forecasters on weekly demand with defects put in.

``python -m experiments.response`` measures it on generated demand, ``demand=FILE`` on a file of one's own, and fits the response
that the model uses, ``e = e_best (1 + a_missing missing + a_late late + a_map mismatch)``.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import special

from experiments.demand import YEAR, Defects, Demand, book, generate_demand, read_demand
from experiments.forecasters import FORECASTERS, MODELS
from experiments.lab.config import main, read_experiment, take
from experiments.lab.executors import Workers, from_settings
from experiments.lab.output import Output, folder_name, shown, wide_console
from experiments.lab.presets import check_name, mark, save
from experiments.lab.runner import ProgressReport, duration
from experiments.lab.statistics import RESAMPLES, mean
from sim.presets import available, load
from sim.schema import InvalidInput
from sim.streams import stream
from sim.views.figures.response import FORECASTER_LABELS, response_figure

BOOTSTRAP, YEARS = 103, 104  # purposes of random streams, see experiments.demand
LEVELS = ("item", "brand", "total")
#: The defects that the model's response has, with the parameter ``forecast.<coefficient>`` of each; and two that it has not.
FITTED = {"missing": "missing", "late": "late", "mapping": "mapping"}
ALSO = ("units", "promotions")
#: Columns of the tables, but the ends of intervals.
COLUMNS = {
    "setting": "the defects put in, by name",
    "kind": "clean, single, pair, triple (of the response's three defects) or all five",
    "missing": "share of the item-weeks of history that are not there",
    "late": "the newest so many weeks that are not there",
    "mapping": "share of items booked under a wrong brand",
    "units": "share of items with half a year of history in a local unit of measure",
    "promotions": "share of items whose promotions are not known",
    "replication": "number of the replication",
    "data": "what was measured on",
    "replications": "how many replications",
    "held_out": "the fit has not seen it",
    "forecaster": "method",
    "level": "item, brand or total",
    "wape": "sum of absolute errors ÷ sum of sales; in summary the mean over replications",
    "relative": "wape ÷ wape of the same forecaster and replication on clean data, − 1; in summary the mean",
    "coefficient": "the defect that adds error",
    "in_the_response": "fitted with the other two of the model's response; else alone",
    "best": "the best forecaster on clean data at item level",
    "estimate": "share of error added per unit of the defect (least squares through the origin)",
    "cells_are": "which settings and replications the fitted response is held against",
    "cells": "settings × replications",
    "error": "root mean square of measured less fitted relative error",
    "seed_spread": "standard deviation between replications of one setting, pooled over settings in which there is one",
    "ratio": "error ÷ seed_spread",
    "bias": "mean of measured less fitted relative error",
    "measured": "relative error of the best forecaster at item level with the defects together, mean",
    "added": "sum of the relative errors of the same defects alone, mean",
    "difference": "measured − added, paired by replication: above 0 the defects make each other worse",
    "fitted": "the fitted response; the two defects that it has not count 0",
}


def response(values: dict[str, Any]) -> None:
    """Measure, fit, test on what was held out, print, and write the results folder."""
    seed, output, save_as = take(values, "seed", "seed"), take(values, "output", "text"), take(values, "save_as", "text")
    file = take(values, "demand", "text")
    replications = take(values, "replications", "count", 3, 1000)
    held_out = take(values, "held_out", "count", 1, replications - 2)
    tested, refit = take(values, "weeks_tested", "count", 13, 520), take(values, "refit", "count", 1, 520)
    years = take(values, "years", "text")
    if years not in ("drawn", "last"):
        raise InvalidInput("years", years, "drawn or last")
    workers = from_settings(values.pop("executor"))
    levels = {name: defect_levels(name, values.pop(name)) for name in (*FITTED, *ALSO)}
    needed = 2 * YEAR + tested
    demand = read_demand(Path(file).expanduser(), needed) if file else None
    if demand is not None:
        check_sold(file, demand, tested)
    elif needed > 208:
        raise InvalidInput("weeks_tested", tested, f"a whole number from 13 to {208 - 2 * YEAR} where demand is generated")
    settings = settings_of(levels)
    configuration = {
        "demand": {"file": Path(file).name, "sha256": hashlib.sha256(Path(file).expanduser().read_bytes()).hexdigest()} if file else "generated",
        **levels, "replications": replications, "held_out": held_out, "weeks_tested": tested, "refit": refit, "years": years, "seed": seed, "save_as": save_as,
    }  # fmt: skip
    check_name("forecast", save_as, mark("response", configuration))
    name = folder_name([Path(file).stem if file else "generated", f"{replications}x", f"{tested}w", f"seed{seed}"], configuration)
    clock = time.perf_counter()
    with Output("response", name, output) as folder:
        absolute, sales = measure(demand, settings, replications, tested, refit, seed, workers, years == "drawn")
        check_missed(file, absolute, sales)
        found = Found(settings, absolute, sales, replications - held_out, seed, nested=demand is None)
        tables = found.tables()
        tables["summary"]["data"] = Path(file).name or "generated demand"
        for table, frame in tables.items():
            folder.parquet(f"{table}.parquet", frame)
            folder.csv(f"{table}.csv", frame)
        folder.csv("data_dictionary.csv", dictionary(tables))
        text = as_preset(found, configuration, file)
        folder.text("forecast.yaml", text)
        response_figure(folder.folder)
        folder.manifest(configuration, seeds=[seed, seed + replications - 1])
        if save_as:
            save("forecast", save_as, text)
    console = wide_console()
    show(console, found, demand, levels, file)
    say(
        console,
        f"{len(settings)} settings × {replications} replications × {len(FORECASTERS)} forecasters in "
        f"{duration(time.perf_counter() - clock)} on {workers.count} workers.",
    )
    files = "figure.png, errors.csv, summary.csv, response.csv, checks.csv, joint.csv, forecast.yaml, manifest.json"
    console.print(f"Written to {shown(folder.final)}: {files}", highlight=False, soft_wrap=True)
    if save_as:
        say(console, f"The fitted response is forecast={save_as} for all experiments: configs/forecast/{save_as}.yaml")


# --------------------------------------------------------------------------- what is asked


def defect_levels(name: str, given: Any) -> list[float]:
    """One to six ascending levels of a defect."""
    whole, high = name == "late", 26 if name == "late" else 0.9 if name == "missing" else 1
    kinds: Any = int if whole else (int, float)
    allowed = f"one to six ascending {'whole numbers' if whole else 'shares'} above 0, at most {high}, such as " + (
        "[1,2,4]" if whole else "[0.1,0.3]"
    )
    if not isinstance(given, list) or not 1 <= len(given) <= 6:
        raise InvalidInput(name, given, allowed)
    if any(isinstance(v, bool) or not isinstance(v, kinds) or not 0 < v <= high for v in given) or sorted(set(given)) != given:
        raise InvalidInput(name, given, allowed)
    return given


def settings_of(levels: Mapping[str, Sequence[float]]) -> list[tuple[str, str, Defects]]:
    """Name, kind and defects of every setting: clean; each defect alone; joint ones.

    Of the three defects of the response, every pair at the middle level, and all three at the lowest, middle and highest; all
    five together at the middle.
    """
    middle = {name: given[len(given) // 2] for name, given in levels.items()}
    some: list[tuple[str, dict[str, float]]] = [("clean", {})]
    some += [("single", {name: level}) for name, given in levels.items() for level in given]
    fitted = list(FITTED)
    some += [("pair", {a: middle[a], b: middle[b]}) for i, a in enumerate(fitted) for b in fitted[i + 1 :]]
    triples = [{name: pick(levels[name]) for name in fitted} for pick in (min, lambda given: given[len(given) // 2], max)]
    some += [("triple", triple) for i, triple in enumerate(triples) if triple not in triples[:i]]
    some.append(("all", dict(middle)))
    made = []
    for kind, defects in some:
        name = "+".join(f"{key}{value:g}" for key, value in defects.items()) or "clean"
        made.append((name, kind, Defects(**defects)))  # type: ignore[arg-type]
    return made


def check_sold(file: str, demand: Demand, tested: int) -> None:
    """Refuse a file in which a brand sells nothing for as long as is tested: its error would have no size."""
    for b, name in enumerate(demand.brands):
        weekly = demand.sales[2 * YEAR :, demand.brand == b].sum(axis=1)
        if (np.convolve(weekly, np.ones(tested), "valid") <= 0).any():
            raise InvalidInput(file, f"brand {name} sells nothing for {tested} weeks", f"brands with sales within any {tested} weeks")


# --------------------------------------------------------------------------- measuring


def measure(
    demand: Demand | None,
    settings: Sequence[tuple[str, str, Defects]],
    replications: int,
    tested: int,
    refit: int,
    seed: int,
    workers: Workers,
    drawn: bool,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All forecasters in all settings.

    Returns:
        Sums of absolute errors over the weeks tested, [settings, replications, forecasters, items (or brands, or 1)] by level;
        and the sales of the items in them, [replications, items].
    """
    jobs = [(s, r) for r in range(replications) for s in range(len(settings))]
    results: list[tuple[np.ndarray, ...]] = []
    with workers, ProgressReport("measurements", len(jobs), 0) as progress:
        workers.start()
        flying: list[Future] = []
        for k in range(len(jobs)):
            while len(flying) < len(jobs) and len(flying) - k < 4 * workers.count:
                t, u = jobs[len(flying)]
                flying.append(workers.submit(work, demand, settings[t][2], seed + u, tested, refit, drawn))
            results.append(flying[k].result())
            progress.advance(1, 0)
    absolute = {
        level: np.stack([result[n] for result in results]).reshape(replications, len(settings), len(FORECASTERS), -1).swapaxes(0, 1)
        for n, level in enumerate(LEVELS)
    }
    return absolute, np.stack([result[3] for result in results]).reshape(replications, len(settings), -1)[:, 0]


def until(demand: Demand, tested: int, seed: int | None) -> Demand:
    """The file's demand until the end of the weeks tested, drawn with the seed: history, at least two years, and then those weeks."""
    if seed is None:
        return demand
    end = int(stream(seed, YEARS, "end").integers(2 * YEAR + tested, len(demand.sales) + 1))
    return replace(demand, monday=demand.monday[:end], sales=demand.sales[:end], promotion=demand.promotion[:end])


def work(demand: Demand | None, defects: Defects, seed: int, tested: int, refit: int, drawn: bool) -> tuple[np.ndarray, ...]:
    """One setting of one replication: sums of absolute errors by forecaster and item, brand and in total; sales by item.

    A brand's forecast is the sum over the items booked under it, and is held against the sales of the items that are its own.
    """
    truth = until(demand, tested, seed if drawn else None) if demand else generate_demand(seed)
    booked = book(truth, defects, seed)
    first = len(truth.sales) - tested
    sales, own, theirs = truth.sales[first:], np.eye(len(truth.brands))[truth.brand], np.eye(len(truth.brands))[booked.brand]
    sums: list[list[np.ndarray]] = [[], [], []]
    for forecast in (method(booked, first, refit, seed) for method in FORECASTERS.values()):
        sums[0].append(np.abs(forecast - sales).sum(axis=0))
        sums[1].append(np.abs(forecast @ theirs - sales @ own).sum(axis=0))
        sums[2].append(np.abs(forecast.sum(axis=1) - sales.sum(axis=1)).sum(axis=0, keepdims=True))
    return (*map(np.stack, sums), sales.sum(axis=0))


# --------------------------------------------------------------------------- analysis


#: Items a forecaster must miss: with fewer, some bootstrap sample has none of them, and its relative error no meaning.
FEWEST_MISSED = 10


def check_missed(file: str, absolute: Mapping[str, np.ndarray], sales: np.ndarray) -> None:
    """Refuse demand that a forecaster hits exactly without any defect: relative to nothing, no error can be stated."""
    clean = absolute["item"][0] / sales.sum(axis=1)[:, None, None]  # [replications, forecasters, items]
    fewest = int((clean > 1e-9 / clean.shape[2]).sum(axis=2).min())
    if fewest < min(FEWEST_MISSED, clean.shape[2]) or any(
        (level[0].sum(axis=2) / sales.sum(axis=1)[:, None] < 1e-9).any() for level in absolute.values()
    ):
        raise InvalidInput(
            file or "demand", f"{fewest} of {clean.shape[2]} items that every forecaster misses",
            f"{FEWEST_MISSED} or more, or all where there are fewer: relative errors need errors without defects",
        )  # fmt: skip


class Found:
    """What was measured, and the response fitted to it.

    Args:
        settings: name, kind and defects; the first is clean.
        absolute: sums of absolute errors by level, [settings, replications, forecasters, units].
        sales: [replications, items].
        fitted: the first so many replications are fitted, the others held out.
        seed: of the bootstrap.
        nested: whether each replication has items of its own; else all have the same, and are resampled together.

    The three coefficients are fitted to single defects and pairs in the fitted replications; the settings with three defects are
    held out too. Intervals are 95% bootstrap intervals over replications and items.
    """

    def __init__(
        self,
        settings: Sequence[tuple[str, str, Defects]],
        absolute: Mapping[str, np.ndarray],
        sales: np.ndarray,
        fitted: int,
        seed: int,
        nested: bool,
    ) -> None:
        self.names, self.kinds = [name for name, _, _ in settings], np.array([kind for _, kind, _ in settings])
        self.defects = pd.DataFrame([vars(d) for _, _, d in settings])
        self.absolute, self.sales, self.fitted = absolute, sales, fitted
        self.replications = len(sales)
        total = sales.sum(axis=1)
        self.wape = {level: absolute[level].sum(axis=3) / total[None, :, None] for level in LEVELS}  # [settings, replications, forecasters]
        self.relative = {level: wape / wape[:1] - 1 for level, wape in self.wape.items()}
        clean = self.wape["item"][0, :fitted].mean(axis=0)
        self.methods = list(FORECASTERS)
        self.best = min(MODELS, key=lambda name: clean[self.methods.index(name)])
        self.draw(seed, nested)
        in_response = self.defects[list(ALSO)].to_numpy().sum(axis=1) == 0
        self.used = in_response & np.isin(self.kinds, ("single", "pair"))
        self.coefficients = {(name, level): self.fit(name, level, self.used, list(FITTED)) for name in self.methods for level in LEVELS}
        self.alone = {
            (name, level, defect): self.fit(name, level, (self.defects[defect] > 0).to_numpy() & (self.kinds == "single"), [defect])
            for name in self.methods for level in LEVELS for defect in (*FITTED, *ALSO)
        }  # fmt: skip

    def draw(self, seed: int, nested: bool) -> None:
        """Weights of the bootstrap: how often each fitted replication, and each item in it, is drawn."""
        rng = stream(seed, BOOTSTRAP, "resamples")
        items = self.absolute["item"].shape[3]
        self.often = rng.multinomial(self.fitted, np.full(self.fitted, 1 / self.fitted), RESAMPLES)  # [resamples, replications]
        shape = (RESAMPLES, self.fitted) if nested else (RESAMPLES, 1)
        self.weight = rng.multinomial(items, np.full(items, 1 / items), shape).astype(float)  # [resamples, replications or 1, items]

    def half_width(self, drawn: np.ndarray) -> np.ndarray:
        """Half width of 95% intervals from resamples, [resamples, …].

        Student's interval with the bootstrap's standard error, which is corrected for few replications: percentiles of eight
        would be too narrow (Hesterberg 2015).
        """
        n = self.fitted
        return special.stdtrit(n - 1, 0.975) * np.sqrt(n / (n - 1)) * drawn.std(axis=0)

    def resampled(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Absolute errors at item level with items resampled, [resamples, settings, fitted replications]."""
        errors = self.absolute["item"][rows, : self.fitted, self.methods.index(name)]
        weight = np.broadcast_to(self.weight, (RESAMPLES, self.fitted, errors.shape[2]))
        return np.stack([errors[:, r] @ weight[:, r].T for r in range(self.fitted)], axis=2).transpose(1, 0, 2)

    def fit(self, name: str, level: str, rows: np.ndarray, defects: list[str]) -> np.ndarray:
        """Least squares through the origin: estimate, lower and upper end of each coefficient, [defects, 3].

        At item level replications and items are resampled, at the others replications only.
        """
        x = np.linalg.pinv(self.defects.loc[rows, defects].to_numpy(float))  # [defects, settings]
        relative = self.relative[level][rows, : self.fitted, self.methods.index(name)]
        if level == "item":
            drawn = self.resampled(name, np.flatnonzero(rows)) / self.resampled(name, np.array([0])) - 1
        else:
            drawn = np.broadcast_to(relative, (RESAMPLES, *relative.shape))
        average = (drawn * self.often[:, None]).sum(axis=2) / self.fitted  # the same settings in each: coefficients of the mean
        estimate, half = x @ relative.mean(axis=1), self.half_width(average @ x.T)
        return np.column_stack([estimate, estimate - half, estimate + half])

    def predicted(self, name: str, level: str = "item") -> np.ndarray:
        """The fitted response in every setting, [settings]."""
        return self.defects[list(FITTED)].to_numpy(float) @ self.coefficients[name, level][:, 0]

    def ratio(self, name: str) -> tuple[float, float, float]:
        """Clean item-level error of the best forecaster over that of another, with its interval."""
        clean = np.array([0])
        best, other = (self.absolute["item"][0, : self.fitted, self.methods.index(n)].sum(axis=1) for n in (self.best, name))
        drawn = [(self.resampled(n, clean)[:, 0] * self.often).sum(axis=1) for n in (self.best, name)]
        estimate, half = float(best.sum() / other.sum()), float(self.half_width(drawn[0] / drawn[1]))
        return estimate, estimate - half, estimate + half

    def worst(self) -> tuple[str, float, float]:
        """The fitted setting that the response of the best misses by most: its name, what was measured and what is fitted."""
        measured = self.relative["item"][:, : self.fitted, self.methods.index(self.best)].mean(axis=1)
        expected = self.predicted(self.best)
        at = int(np.argmax(np.where(self.used, np.abs(measured - expected), -1.0)))
        return self.names[at], float(measured[at]), float(expected[at])

    # ------------------------------------------------------------------ tables

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by name."""
        return {
            "errors": self.errors(), "summary": self.summary(), "response": self.responses(), "checks": self.checks(), "joint": self.joint(),
        }  # fmt: skip

    def errors(self) -> pd.DataFrame:
        """A row a setting, replication, forecaster and level."""
        shape = (len(self.names), self.replications, len(self.methods), len(LEVELS))
        s, r, f, n = (axis.ravel() for axis in np.indices(shape))
        wape, relative = (np.stack([table[level] for level in LEVELS], axis=3).ravel() for table in (self.wape, self.relative))
        return pd.DataFrame(
            {
                "setting": np.array(self.names)[s], "kind": self.kinds[s], **{c: self.defects[c].to_numpy()[s] for c in self.defects},
                "replication": r, "held_out": (r >= self.fitted) | (self.kinds[s] == "triple"), "forecaster": np.array(self.methods)[f],
                "level": np.array(LEVELS)[n], "wape": wape, "relative": relative,
            }
        )  # fmt: skip

    def summary(self) -> pd.DataFrame:
        """A row a setting, forecaster and level: means over replications with their intervals (Student)."""
        rows = [
            (name, self.kinds[s], *self.defects.iloc[s], method, level, self.replications,
             *mean(self.wape[level][s, :, f]), *mean(self.relative[level][s, :, f]))
            for s, name in enumerate(self.names) for f, method in enumerate(self.methods) for level in LEVELS
        ]  # fmt: skip
        estimates = [f"{what}{end}" for what in ("wape", "relative") for end in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=["setting", "kind", *self.defects, "forecaster", "level", "replications", *estimates])

    def responses(self) -> pd.DataFrame:
        """A row a forecaster, level and coefficient."""
        rows = [
            (name, level, defect, True, name == self.best, *estimate)
            for (name, level), fitted in self.coefficients.items() for defect, estimate in zip(FITTED, fitted, strict=True)
        ]  # fmt: skip
        rows += [(name, level, defect, False, name == self.best, *fitted[0]) for (name, level, defect), fitted in self.alone.items()]
        return pd.DataFrame(rows, columns=["forecaster", "level", "coefficient", "in_the_response", "best", "estimate", "low", "high"])

    def checks(self) -> pd.DataFrame:
        """Fitted response against what it has not seen: a row a forecaster and set of cells, at item level."""
        kept = slice(self.fitted, self.replications)
        rows = []
        for f, name in enumerate(self.methods):
            relative, expected = self.relative["item"][:, :, f], self.predicted(name)
            spread = seed_spread(relative[self.used | (self.kinds == "triple")])
            for label, chosen, which in (
                ("fitted", self.used, slice(0, self.fitted)),
                ("replications held out", self.used, kept),
                ("triples held out", self.kinds == "triple", slice(0, self.fitted)),
                ("both held out", self.kinds == "triple", kept),
                ("all that was held out", self.used | (self.kinds == "triple"), kept),
            ):
                miss = (relative[chosen] - expected[chosen, None])[:, which]
                error = float(np.sqrt(np.mean(miss**2)))
                rows.append((name, label, miss.size, error, spread, error / spread if spread > 0 else np.nan, float(miss.mean())))
        return pd.DataFrame(rows, columns=["forecaster", "cells_are", "cells", "error", "seed_spread", "ratio", "bias"])

    def joint(self) -> pd.DataFrame:
        """Joint defects against the sum of the same defects alone, best forecaster, item level: a row a joint setting."""
        relative = self.relative["item"][:, :, self.methods.index(self.best)]
        rows = []
        for s in np.flatnonzero(np.isin(self.kinds, ("pair", "triple", "all"))):
            parts = [
                int(np.flatnonzero((self.kinds == "single") & (self.defects[c] == v).to_numpy())[0])
                for c, v in self.defects.iloc[s].items()
                if v > 0
            ]
            rows.append((self.names[s], self.kinds[s], *mean(relative[s]), *mean(relative[parts].sum(axis=0)),
                         *mean(relative[s] - relative[parts].sum(axis=0)), self.predicted(self.best)[s]))  # fmt: skip
        estimates = [f"{what}{end}" for what in ("measured", "added", "difference") for end in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=["setting", "kind", *estimates, "fitted"])


def seed_spread(relative: np.ndarray) -> float:
    """Standard deviation between replications, pooled over the settings in which there is one, [settings, replications]."""
    variance = relative.var(axis=1, ddof=1)
    variance = variance[variance > 1e-20]
    return float(np.sqrt(variance.mean())) if len(variance) else 0.0


def dictionary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every column of every table with type and meaning."""
    ends = {"low": "lower", "high": "upper"}
    rows = []
    for table, frame in tables.items():
        for column, kind in frame.dtypes.items():
            of, _, end = str(column).rpartition("_")
            meaning = COLUMNS.get(str(column)) or f"{ends[end]} end of the 95% interval of {of or 'estimate'}"
            rows.append((table, str(column), str(kind), meaning))
    return pd.DataFrame(rows, columns=["table", "column", "type", "meaning"])


def as_preset(found: Found, configuration: Mapping[str, Any], file: str) -> str:
    """The fitted response as a preset of the group ``forecast``: coefficients below 0 become 0, which is said."""
    fitted = found.coefficients[found.best, "item"]
    data = f"{Path(file).name} (SHA-256 {configuration['demand']['sha256'][:12]})" if file else "generated demand"
    best, other = (found.wape["item"][0, : found.fitted, found.methods.index(name)].mean() for name in (found.best, "planner"))
    ratio = found.ratio("planner")
    lines = [
        mark("response", configuration),
        f"# python -m experiments.response{f' demand={Path(file).name}' if file else ''}{command(configuration)}",
        f"# {data}: error share added by each defect, {FORECASTER_LABELS[found.best]}, weekly items, 95% interval",
    ]
    for (defect, parameter), estimate in zip(FITTED.items(), fitted, strict=True):
        note = f"{interval(estimate)}, fitted alone {interval(found.alone[found.best, 'item', defect][0])}"
        lines.append(
            f"{parameter}: {min(5.0, max(0.0, estimate[0])):.3f}  # {note}" + ("; the model knows none below 0" if estimate[0] < 0 else "")
        )
    lines.append(
        f"# clean WAPE {best:.3f}, planner's spreadsheet {other:.3f}, ratio {ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]; best and planner are left as they are"
    )
    return "\n".join(lines) + "\n"


def command(configuration: Mapping[str, Any]) -> str:
    """The settings that differ from the shipped ones, as typed."""
    shipped = read_experiment("response")
    changed = {key: value for key, value in configuration.items() if key in shipped and key != "demand" and shipped[key] != value}
    return "".join(f" {key}={value}".replace(", ", ",") for key, value in changed.items())


# --------------------------------------------------------------------------- printing


def say(console: Console, text: str) -> None:
    """Print a paragraph."""
    console.print(text, highlight=False)


def interval(estimate: Sequence[float], digits: int = 3) -> str:
    """An estimate with its interval."""
    return "{} [{}, {}]".format(*(f"{value:.{digits}f}".replace("-", "−") for value in estimate))


def percent(estimate: Sequence[float], digits: int = 1) -> str:
    """A relative change with its interval."""
    return "{}  [{}, {}]".format(*(f"{value:+.{digits}%}".replace("-", "−") for value in estimate))


def in_words(setting: str) -> str:
    """A setting's name for people: «missing 0.3, late 2»."""
    return re.sub(r"([a-z])([0-9])", r"\1 \2", setting).replace("+", ", ")


def show(console: Console, found: Found, demand: Demand | None, levels: Mapping[str, Sequence[float]], file: str) -> None:
    """Print clean errors, what each defect adds, the fitted response and how it holds."""
    weeks, items = (len(demand.sales), len(demand.items)) if demand else (208, found.sales.shape[1])
    where = Path(file).name if file else "Generated demand, another market in each replication"
    say(console, f"{where}: {items} items, {weeks} weeks" + "".join(f"; {note}" for note in (demand.notes if demand else ())))
    summary = found.summary().set_index(["setting", "forecaster", "level"])
    wape, relative = summary["wape"].to_dict(), summary["relative"].to_dict()
    middle = {name: given[len(given) // 2] for name, given in levels.items()}
    table = Table(title="WAPE on clean data, and what a defect adds to it at item level", title_justify="left")
    table.add_column("")
    for column in ("item", "brand", "total"):
        table.add_column(column, justify="right")
    for name, level in middle.items():
        table.add_column(f"{name}\n{level:g}", justify="right")
    for method in found.methods:
        clean = [f"{wape['clean', method, level]:.3f}" for level in LEVELS]
        added = [f"{relative[f'{n}{v:g}', method, 'item']:+.1%}".replace("-", "−") for n, v in middle.items()]
        table.add_row(FORECASTER_LABELS[method], *clean, *added)
    console.print(table)
    fitted = found.coefficients[found.best, "item"]
    say(console, f"Response of the best, {FORECASTER_LABELS[found.best]}, at item level: error share added [95% interval]")
    units = ("share of item-weeks", "week", "share of items")
    for defect, unit, estimate in zip(FITTED, units, fitted, strict=True):
        alone = interval(found.alone[found.best, "item", defect][0])
        say(console, f"  forecast.{FITTED[defect]:<8} {interval(estimate)} per {unit}; fitted alone {alone}")
    brand = found.coefficients[found.best, "brand"][2]
    say(console, f"  at brand level, where items are in a wrong brand's sum: mapping {interval(brand, 2)}")
    theirs = [f"{defect} {estimate:.3f}" for defect, (estimate, _, _) in zip(FITTED, found.coefficients["planner", "item"], strict=True)]
    say(console, f"  of the planner's spreadsheet: {', '.join(theirs)}".replace("-", "−"))
    for name in available("forecast"):
        preset = load("forecast", name)
        texts = [f"{defect} {preset[parameter]:g}" for defect, parameter in FITTED.items() if parameter in preset]
        say(console, f"  to compare, configs/forecast/{name}.yaml: {', '.join(texts)}")
    checks = found.checks().set_index(["forecaster", "cells_are"])
    for label in ("replications held out", "both held out", "all that was held out"):
        row: Any = checks.loc[(found.best, label)]
        say(console, f"  {label}: error {row['error']:.4f} ÷ spread between seeds {row['seed_spread']:.4f} = {row['ratio']:.2f}")
    off, measured, expected = found.worst()
    say(console, f"  fits worst at {in_words(off)}: measured {measured:+.1%}, fitted {expected:+.1%}".replace("-", "−"))
    joint = Table(title="Defects together and alone, item level [95% interval]", title_justify="left")
    for column in ("", "together", "sum of each alone", "together − sum"):
        joint.add_column(column, justify="right" if column else "left", no_wrap=True)
    for _, row in found.joint().iterrows():
        name = "all five" if row["kind"] == "all" else in_words(row["setting"])
        sizes = [f"{row[column]:+.1%}".replace("-", "−") for column in ("measured", "added")]
        joint.add_row(name, *sizes, percent((row["difference"], row["difference_low"], row["difference_high"])))
    console.print(joint)
    for other in ("planner", "moving_average"):
        say(console, f"Clean error, best ÷ {FORECASTER_LABELS[other]}: " + interval(found.ratio(other), 2))


if __name__ == "__main__":
    main("response", response)
