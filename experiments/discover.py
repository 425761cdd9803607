"""Where a strategy fails: boxes of parameters, found by PRIM and checked on points held out (Friedman & Fisher 1999; Bryant & Lempert 2010).

``python -m experiments.discover`` asks where a strategy loses; ``question=purgatory`` (or another ending) where it ends so.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.lab import designs
from experiments.lab.config import main, take
from experiments.lab.designs import Factor
from experiments.lab.paired import check_outcome, crossed, difference, numeric_factors, rival
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.statistics import share
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, good_runs, take_settings
from experiments.lab.tables import write_tables
from sim.configuration import from_mapping
from sim.measures import CLASSES
from sim.parameters import RECORDS
from sim.schema import InvalidInput
from sim.views.words import CLASS_LABELS, outcome_words, strategy_label

QUESTIONS = ("loses", "purgatory", *CLASSES)
FEWEST_CASES = 5
#: A restriction stays where its quasi-p-value is below this, divided by the number of parameters that were searched.
SIGNIFICANT = 0.05
BOXES = ["box", "parameter", "unit", "source", "kind", "range_low", "range_high", "low", "high", "quasi_p_low", "quasi_p_high"]
PEELING = ["box", "step", "points", "cases", "mass", "coverage", "density", "restricted", "chosen"]
SCORES = [
    *("box", "set", "points", "cases", "inside", "hits", "mass"),
    *(f"{name}{end}" for name in ("coverage", "density") for end in ("", "_low", "_high")),
]
MEANINGS = {
    "box": "number of the box, in the order found; 0: all boxes together",
    "parameter": "restricted parameter",
    "unit": "its unit",
    "source": "documented, measured, calibrated or judged: what its value rests on",
    "kind": "number or count",
    "range_low": "lowest value tried",
    "range_high": "highest value tried",
    "low": "the box lies above this; empty: not restricted",
    "high": "the box lies below this; empty: not restricted",
    "quasi_p_low": "quasi-p-value of the lower limit: chance of so dense a box without it, searching left out of account",
    "quasi_p_high": "the same of the upper limit",
    "step": "step of peeling and pasting, within the parameters that stayed",
    "peeling.points": "fitted points in the box that no earlier box holds",
    "peeling.cases": "cases of interest among them",
    "peeling.mass": "share of the fitted points",
    "peeling.coverage": "share of the fitted cases",
    "peeling.density": "share of cases among the points",
    "restricted": "restricted parameters",
    "chosen": "the step that was taken, before restrictions that are not significant were dropped",
    "set": "fitted, or held out",
    "points": "points of the set",
    "cases": "cases of interest in the set",
    "scores.inside": "points in the box that no earlier box holds",
    "hits": "cases among them",
    "mass": "inside / points",
    "coverage": "hits / cases",
    "density": "hits / inside",
    "point": "point of the design, both strategies together",
    "score": "what speaks for a case: minus the mean difference, or a share of runs",
    "case": "whether it is one",
    "fitted": "whether boxes were fitted to it, or checked on it",
    "points.inside": "whether a box holds it",
}


def discover(values: dict[str, Any]) -> int:
    """Run a Latin hypercube, find the boxes, print them in words, write the results folder."""
    settings = take_settings(values)
    question, by, outcome = take(values, "question", "text"), take(values, "by", "text"), take(values, "outcome", "text")
    versus = take(values, "versus", "text")
    samples, replications = (
        take(values, "samples", "count", 30, designs.MOST_POINTS // 2),
        take(values, "replications", "count", 1, 1_000_000),
    )
    search = {
        "density": take(values, "density", "number", 0.01, 1),
        "mass": take(values, "mass", "number", 0.001, 0.5),
        "boxes": take(values, "boxes", "count", 1, 20),
    }
    over, ranges = values.pop("over"), values.pop("ranges")
    if question not in QUESTIONS:
        raise InvalidInput("question", question, "one of " + ", ".join(QUESTIONS))
    if by not in ("mean", "share"):
        raise InvalidInput("by", by, "one of mean, share")
    question = "pilot_purgatory" if question == "purgatory" else question
    base = from_mapping(values)
    both = question == "loses"
    if both and not versus:
        raise InvalidInput("versus", versus, "a strategy to lose against")
    made = numeric_factors(over, ranges, base, both)
    points = designs.make("lhs", made, samples, 0, settings.seed)
    if both:
        points = crossed(points, rival(base, values, versus))
    plan = settings.plan(base, points, replications)
    check_points(plan)
    if both:
        check_outcome(outcome, plan)
    asked = {"kind": "lhs", "samples": samples, "ranges": {f.name: [f.low, f.high] for f in made}}
    about = {"outcome": outcome, "versus": versus, "by": by} if both else {"versus": ""}
    configuration = plan_record(plan, asked, question=question, **about, search=search)
    against = f"{base.strategy.name}{'-' + versus if both else ''}"
    parts = [question, f"{len(made)}parameters", against, f"{samples}points", f"{replications}x", f"{base.weeks}w"]

    def write(store: Store, plan: Plan) -> None:
        score = loses(store, plan, outcome, by) if both else ends(store, plan, question)
        if np.isfinite(score).any():
            conclude(store, plan, made, score, 0.0 if both and by == "mean" else 0.5, search)

    def report(console: Console, store: Store) -> list[str]:
        if not (store.folder / "figure.png").is_file():
            console.print("Every point has a failed run: there is nothing to search.", highlight=False)
            return []
        show(console, store, happening(base.strategy.name, versus, question, outcome if both else "", by))
        return ["figure.png", "boxes.csv", "scores.csv", "peeling.csv", "points.parquet"]

    return carry_out(Study("discover", parts, plan, configuration, write, report), settings)


def loses(store: Store, plan: Plan, outcome: str, by: str) -> np.ndarray:
    """What speaks for a case, [points]: minus the mean difference, or the share of replications lost. NaN with a failed run."""
    ahead = difference(store, plan, outcome, True)
    if by == "mean":
        return -ahead.mean(axis=1)
    return np.where(np.isnan(ahead).any(axis=1), np.nan, np.where(ahead == 0, 0.5, ahead < 0).mean(axis=1))


def ends(store: Store, plan: Plan, label: str) -> np.ndarray:
    """Share of replications that end in a class, [points]; NaN where a run failed."""
    runs = good_runs(store, ["outcome"])
    result = np.full((len(plan.points), plan.replications), np.nan)
    result[runs["point"], runs["replication"]] = runs["outcome"] == label
    return result.mean(axis=1)


def happening(strategy: str, versus: str, question: str, outcome: str, by: str) -> str:
    """The question's answer in words: what happens at a point that is a case."""
    if question != "loses":
        return f"{strategy_label(strategy)} ends as «{CLASS_LABELS[question]}» in at least half of the runs"
    how = "(mean of the runs)" if by == "mean" else "(in more than half of the runs)"
    return f"{strategy_label(strategy)} loses to {strategy_label(versus)} on {outcome_words(outcome)} {how}"


# --------------------------------------------------------------------------- PRIM


@dataclass(frozen=True)
class Box:
    """A box and how it was found.

    Attributes:
        limits: one row per restricted parameter: parameter, low, high (NaN: not restricted), quasi_p_low, quasi_p_high.
        peeling: one row per step, columns of :data:`PEELING` without the first.
    """

    limits: pd.DataFrame
    peeling: pd.DataFrame

    def holds(self, x: pd.DataFrame) -> np.ndarray:
        """Which points lie in the box, limits included, [points]."""
        inside = np.ones(len(x), bool)
        for _, row in self.limits.iterrows():
            column = x[row["parameter"]].to_numpy(float)
            inside &= ~(column < row["low"]) & ~(column > row["high"])
        return inside


def find_boxes(x: pd.DataFrame, cases: np.ndarray, density: float = 0.8, mass: float = 0.05, boxes: int = 3) -> list[Box]:
    """Boxes denser in cases than all points are, one after the other, each among the points that earlier boxes leave.

    PRIM runs twice for each: over all parameters, and again over those whose restrictions were significant.

    Args:
        x: parameters, a column each, [points].
        cases: whether a point is of interest, [points].
        density: share of cases wanted in a box.
        mass: least share of the points in a box.
        boxes: the most that are looked for.
    """
    found: list[Box] = []
    left = np.ones(len(x), bool)
    while len(found) < boxes and cases[left].sum() >= FEWEST_CASES and (~cases[left]).sum() >= FEWEST_CASES:
        part, y = x[left].reset_index(drop=True).astype(float), cases[left].astype(int)
        least = mass * len(x) / len(part)
        if least >= 1:
            break
        limits, _ = _prim(part, y, density, least, x.shape[1])
        if limits.empty:
            break
        limits, peeling = _prim(part[list(limits["parameter"])], y, density, least, x.shape[1])
        if limits.empty:
            break
        box = Box(limits, peeling)
        inside = box.holds(x) & left
        if cases[inside].mean() <= cases.mean():
            break
        peeling["mass"] *= len(part) / len(x)
        peeling["coverage"] *= y.sum() / cases.sum()
        found.append(box)
        left &= ~inside
    return found


def _prim(x: pd.DataFrame, y: np.ndarray, density: float, mass: float, searched: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One run of PRIM: the limits of the chosen box without restrictions that are not significant, and the trajectory."""
    prim = _workbench()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        box = prim.Prim(x, y, mass_min=mass).find_box()
        steps = box.peeling_trajectory
        enough = steps[(steps["density"] >= density) & (steps["res_dim"] > 0)]
        chosen = int(enough["coverage"].idxmax() if len(enough) else steps["density"].idxmax())
        peeling = pd.DataFrame(
            {"step": np.arange(len(steps)), "points": steps["n"].astype(int), "cases": steps["k"].astype(int), "mass": steps["mass"].astype(float),
             "coverage": steps["coverage"].astype(float), "density": steps["density"].astype(float), "restricted": steps["res_dim"].astype(int),
             "chosen": np.arange(len(steps)) == chosen}
        )  # fmt: skip
        box.select(chosen)
        at = chosen
        while True:
            values = {name: [p for p in pair if p >= 0] for name, pair in box.p_values[at].items()}
            worst = max(values, key=lambda name: min(values[name]), default=None)
            if worst is None or min(values[worst]) < SIGNIFICANT / searched:
                break
            box.drop_restriction(worst, at)
            at = len(box.box_lims) - 1
    rows = []
    for name, pair in box.p_values[at].items():
        (low, high), (p_low, p_high) = box.box_lims[at][name], (np.nan if p < 0 else p for p in pair)
        low, high = (np.nan if np.isnan(p) else float(limit) for limit, p in ((low, p_low), (high, p_high)))
        rows.append((name, low, high, p_low, p_high))
    return pd.DataFrame(rows, columns=["parameter", "low", "high", "quasi_p_low", "quasi_p_high"]), peeling


def _workbench() -> Any:
    """The workbench's PRIM; imported only here, for it takes many seconds, announces itself and sets how pictures look."""
    with warnings.catch_warnings(), matplotlib.rc_context(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        from ema_workbench.analysis import prim
    return prim


# --------------------------------------------------------------------------- tables


def conclude(store: Store, plan: Plan, made: tuple[Factor, ...], score: np.ndarray, threshold: float, search: dict[str, Any]) -> None:
    """Find boxes in two thirds of the points, score them on both parts, write tables and picture."""
    both = plan.points.names[-1] == "strategy"
    columns = [column[::2] if both else column for column in plan.points.columns[: len(made)]]
    x = pd.DataFrame(dict(zip([f.name for f in made], columns, strict=True)))
    good = np.isfinite(score)
    case = score > threshold if both else score >= threshold
    order = np.random.Generator(np.random.SFC64(plan.seed)).permutation(len(x))
    fitted = np.zeros(len(x), bool)
    fitted[order[: 2 * len(x) // 3]] = True
    per_point = pd.DataFrame({"point": np.arange(len(x)), "score": score, "case": case & good, "fitted": fitted}).join(x)
    found = find_boxes(x[fitted & good], case[fitted & good], **search)
    scores, limits, peeling = [], [], []
    taken = np.zeros(len(x), bool)
    for number, box in enumerate(found, 1):
        inside = box.holds(x) & ~taken
        taken |= inside
        scores += [_score(number, part, case[at], inside[at]) for part, at in (("fitted", fitted & good), ("held out", ~fitted & good))]
        limits.append(box.limits.assign(box=number))
        peeling.append(box.peeling.assign(box=number))
    scores += [_score(0, part, case[at], taken[at]) for part, at in (("fitted", fitted & good), ("held out", ~fitted & good))]
    per_point["inside"] = taken
    known = {f.name: f for f in made}
    table = pd.concat(limits) if limits else pd.DataFrame(columns=["parameter", "box", "low", "high", "quasi_p_low", "quasi_p_high"])
    table["unit"] = [RECORDS[name].unit for name in table["parameter"]]
    table["source"] = [RECORDS[name].source for name in table["parameter"]]
    for column, field in (("kind", "kind"), ("range_low", "low"), ("range_high", "high")):
        table[column] = [getattr(known[name], field) for name in table["parameter"]]
    steps = pd.concat(peeling) if peeling else pd.DataFrame(columns=PEELING)
    frames = {"boxes": table[BOXES], "peeling": steps[PEELING], "scores": pd.DataFrame(scores, columns=SCORES), "points": per_point}
    write_tables(store, plan, frames, MEANINGS)
    from sim.views.figures.discover import discover_figure

    discover_figure(store.folder)


def _score(box: int, part: str, case: np.ndarray, inside: np.ndarray) -> tuple[Any, ...]:
    """A row of :data:`SCORES`; shares of nothing are NaN."""
    points, cases, within, hits = len(case), int(case.sum()), int(inside.sum()), int((case & inside).sum())
    nothing = (np.nan, np.nan, np.nan)
    coverage, density = share(hits, cases) if cases else nothing, share(hits, within) if within else nothing
    return box, part, points, cases, within, hits, within / points if points else np.nan, *coverage, *density


# --------------------------------------------------------------------------- printing


def in_words(rows: pd.DataFrame) -> str:
    """The limits of one box, with units: «maturity.budget below 1.1 person-weeks per week and unit and …»."""
    return " and ".join(_limit(row) for _, row in rows.iterrows())


def _limit(row: pd.Series) -> str:
    low, high = row["low"], row["high"]
    unit = "" if row["unit"] in ("", "0 to 1") else f" {row['unit']}"
    if row["kind"] == "count":
        low, high = np.ceil(low), np.floor(high)
    if np.isfinite(low) and np.isfinite(high):
        return f"{row['parameter']} between {low:.3g} and {high:.3g}{unit}"
    if row["kind"] == "count":
        return f"{row['parameter']} {'at least' if np.isfinite(low) else 'at most'} {low if np.isfinite(low) else high:.0f}{unit}"
    return f"{row['parameter']} {'above' if np.isfinite(low) else 'below'} {low if np.isfinite(low) else high:.3g}{unit}"


def show(console: Console, store: Store, what: str) -> None:
    """Print the boxes and how they do on points held out, from the tables in the folder."""
    boxes, scores, points = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("boxes", "scores", "points"))
    whole = points[np.isfinite(points["score"])]
    part, low, high = share(float(whole["case"].sum()), len(whole))

    def say(text: str) -> None:
        console.print(text, highlight=False)

    left = f" ({len(points) - len(whole):,} more are left out: a run failed)" if len(whole) < len(points) else ""
    say(f"{what[0].upper()}{what[1:]} at {whole['case'].sum():,} of {len(whole):,} points{left}: {part:.0%} [{low:.0%}, {high:.0%}].")
    if boxes.empty:
        fitted = whole[whole["fitted"]]
        rare = min(fitted["case"].sum(), (~fitted["case"]).sum())
        few = f"only {rare} {'cases' if fitted['case'].mean() < 0.5 else 'points that are none'} among the {len(fitted):,} fitted points"
        why = few if rare < FEWEST_CASES else "PRIM finds no restriction that chance does not explain"
        say(f"No box: {why}.")
        return
    table = Table(title="share of the cases that the box holds, and share of cases in it [95% interval]", title_justify="left")
    for head in ("box", "coverage fitted", "held out", "density fitted", "held out", "mass"):
        table.add_column(head, justify="right", no_wrap=True)
    for number in [*sorted(set(boxes["box"])), *([0] if boxes["box"].nunique() > 1 else [])]:
        fit, held = (scores[(scores["box"] == number) & (scores["set"] == s)].iloc[0] for s in ("fitted", "held out"))
        shares = [text for name in ("coverage", "density") for text in (f"{fit[name]:.0%}", _interval(held, name))]
        table.add_row(str(number) if number else "all", *shares, f"{held['mass']:.0%}")
    console.print(table)
    for _, rows in boxes.groupby("box"):
        judged = (rows["source"] == "judged").sum()
        say(f"Box {rows['box'].iloc[0]}: {in_words(rows)} ({judged} of {len(rows)} parameters judged).")


def _interval(row: pd.Series, name: str) -> str:
    return f"{row[name]:.0%} [{row[f'{name}_low']:.0%}, {row[f'{name}_high']:.0%}]" if row[name] == row[name] else "–"


if __name__ == "__main__":
    main("discover", discover)
