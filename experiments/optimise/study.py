"""A search over a strategy's own levers, at the same budget, and a test of what it found on luck it has not seen.

``python -m experiments.optimise`` starts from a strategy, moves its effort shares, cadence, gates and champions (Optuna), and
writes the best as a strategy file that every other experiment can use. ``objectives=[mean,cvar]`` looks for the best compromises.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from experiments.lab import designs
from experiments.lab.config import take
from experiments.lab.designs import Factor, Points
from experiments.lab.executors import Workers
from experiments.lab.output import digest, shown
from experiments.lab.paired import as_preset, check_outcome, numeric_factors
from experiments.lab.plan import Plan, check_points, plan_record
from experiments.lab.presets import check_name, mark, save
from experiments.lab.runner import execute
from experiments.lab.storage import Store
from experiments.lab.study import Settings, Study, carry_out, good_runs, take_settings
from experiments.lab.tables import write_tables
from experiments.optimise.levers import levers_of, own_levers, parameters_of, preset, start_of, suggested
from experiments.optimise.objectives import Objective, best_means, best_of, objective, test_table
from experiments.optimise.printing import show
from sim.configuration import from_mapping
from sim.parameters import PHASES, RECORDS, Parameters, Strategy
from sim.presets import available
from sim.schema import InvalidInput, frozen, to_mapping

MOST_TRIALS = 1_000_000
MEANINGS = {
    "trials.trial": "number of the trial",
    "trials.generation": "generation it was part of",
    "trials.failed": "failed runs among its runs; such a trial is left out",
    "trials.found": "number of the strategy that was made of it; empty: none",
    "test.candidate": "strategy found, or preset",
    "test.objective": "outcome and statistic",
    "test.search": "value on the luck of the search",
    "test.test": "value on luck that the search has not seen",
    "test.gain_search": "by how much it is better than the strategy the search began with, on the luck of the search",
    "test.gain_test": "the same in the test",
    "test.optimism": "gain_search less gain_test: what the search promised too much",
}


def optimise(values: dict[str, Any]) -> int:
    """Search, test what was found, print what it is worth, write the results folder and the strategy files."""
    settings = take_settings(values)
    search, save_as, asked = search_of(values)
    plan = search.sketch(settings)
    check_points(plan)
    for each in search.objectives:
        check_outcome(each.outcome, plan, wins=True)
    configuration = plan_record(plan, asked, objectives=[each.name for each in search.objectives], save_as=save_as)
    marked = mark("optimise", configuration)
    check_name("strategy", save_as, marked)
    found: Found

    def run(plan: Plan, store: Store, workers: Workers) -> Plan:
        nonlocal found
        plan, found = search.run(plan, store, workers)
        return plan

    def conclude(store: Store, plan: Plan) -> None:
        write(store, plan, search, found, marked, save_as)

    def say(console: Console, store: Store) -> list[str]:
        show(console, pd.read_parquet(store.folder / "test.parquet"), search.objectives, search.presets, list(found.best))
        for line in last_words(store, search, found, save_as):
            console.print(line, highlight=False, soft_wrap=True)
        return ["figure.png", "test.csv", "trials.csv", *(f"{name}.yaml" for name in found.best)]

    code = carry_out(Study("optimise", search.parts(), plan, configuration, conclude, say, run), settings)
    if not settings.dry_run and found.failed:
        runs = "1 run" if found.failed == 1 else f"{found.failed:,} runs"
        print(f"error: {runs} of the search failed; their trials are left out, see trials.csv and generations/", file=sys.stderr)
        return 1
    return code


def search_of(values: dict[str, Any]) -> tuple[Search, str, dict[str, Any]]:
    """The search that a configuration asks for, the name to save under, and how it is recorded."""
    outcome, tail = take(values, "outcome", "text"), take(values, "tail", "number", 0.001, 0.5)
    sizes = {key: take(values, key, "count", 1, 100_000) for key in ("generations", "trials")}
    replications, futures = take(values, "replications", "count", 2, 1_000_000), take(values, "futures", "count", 1, 100_000)
    tests, save_as = take(values, "test_replications", "count", 10, 1_000_000), take(values, "save_as", "text")
    names, lever_names = take(values, "objectives", "names"), take(values, "levers", "names")
    lever_ranges, over, ranges = (values.pop(key) for key in ("lever_ranges", "over", "ranges"))
    base = from_mapping(values)
    as_preset(base, values)
    objectives = tuple(objective(name, outcome, tail, futures) for name in names)
    if len({each.name for each in objectives}) < len(objectives):
        raise InvalidInput("objectives", names, "objectives without repetition")
    levers = levers_of(lever_names, lever_ranges, base.strategy)
    varied = numeric_factors(over, ranges, base, True) if futures > 1 else ()
    if sizes["generations"] * sizes["trials"] * futures > MOST_TRIALS:
        raise InvalidInput("generations", sizes["generations"], f"at most {MOST_TRIALS:,} trials × futures in all")
    mine = base.strategy.name
    saved = f"{re.escape(save_as)}(_[0-9]+)?" if save_as else "(?!)"  # what this very search saved is no rival of its own
    others = [name for name in available("strategy") if name != mine and not re.fullmatch(saved, name)]
    search = Search((mine, *others), base, levers, objectives, varied, futures, replications, tests, **sizes)
    asked = {
        "kind": "search", "optuna": importlib.metadata.version("optuna"), **sizes, "futures": futures, "test_replications": tests, "tail": tail,
        "levers": {name: list(lever) for name, lever in levers.items()}, "ranges": {f.name: [f.low, f.high] for f in varied},
    }  # fmt: skip
    return search, save_as, asked


# --------------------------------------------------------------------------- the search


@dataclass(frozen=True)
class Tried:
    """A trial: its strategy's levers by dotted parameter, and what came out."""

    number: int
    generation: int
    changes: dict[str, Any]
    objectives: tuple[float, ...]
    failed: int


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        trials: all trials, in order.
        best: those that were chosen, by name.
        reference: outcomes of the presets on the luck of the search, [presets, futures, replications] by outcome.
        failed: failed runs of the search.
    """

    trials: list[Tried]
    best: dict[str, Tried]
    reference: dict[str, np.ndarray]
    failed: int


@dataclass(frozen=True)
class Search:
    """The search in generations: each a results folder of its own, so that it goes on where it was stopped.

    The same seeds and trials are asked for in the same order again; what is done is read, and Optuna comes to the same proposals.
    All strategies there are, ``presets``, are run too, the one that the search begins with first: what was found is compared with
    them, and regret is measured against them.
    """

    presets: tuple[str, ...]
    base: Parameters
    levers: dict[str, tuple]
    objectives: tuple[Objective, ...]
    varied: tuple[Factor, ...]
    futures: int
    replications: int
    tests: int
    generations: int
    trials: int

    @property
    def label(self) -> str:
        """Name of what is found, another than every preset has."""
        names = ("optimised", *(f"optimised{k}" for k in range(2, len(self.presets) + 3)))
        return next(name for name in names if not any(re.fullmatch(f"{name}(_[0-9]+)?", preset) for preset in self.presets))

    def parts(self) -> list[str]:
        """Readable parts of the folder's name."""
        shape = f"{self.generations}x{self.trials}trials"
        names = "+".join(each.asked for each in self.objectives)
        size = [f"{self.futures}futures", f"{self.replications}x", f"{self.base.weeks}w"]
        return [names, self.presets[0], f"{len(self.levers)}levers", shape, *size]

    def sketch(self, settings: Settings) -> Plan:
        """A plan of the size of search and test, for what has to be known before: every trial is the strategy it begins with."""
        references = self.candidates()
        tests = -(-(len(self.presets) + 1) * self.tests // self.replications)
        points = self.points([*references, *[references[0]] * (self.trials * self.generations + tests)], settings.seed)
        return settings.plan(self.base, points, self.replications)

    def candidates(self) -> list[tuple[str, dict[str, Any]]]:
        """The presets, each with its own levers."""
        return [(name, own_levers(preset(name), self.levers)) for name in self.presets]

    def points(self, candidates: Sequence[tuple[str, Mapping[str, Any]]], seed: int) -> Points:
        """Candidates (preset, and levers by dotted parameter) in every future: candidate c, future f is point c F + f."""
        count = self.futures
        presets = tuple(dict.fromkeys(name for name, _ in candidates))
        made = [Factor("strategy", "choice", choices=presets)]
        columns = [np.repeat([presets.index(name) for name, _ in candidates], count)]
        for name in candidates[0][1]:
            record, values = RECORDS[name], [changes[name] for _, changes in candidates]
            if record.kind == "choice":
                made.append(Factor(name, "choice", choices=record.choices))
                values = [record.choices.index(value) for value in values]
            else:
                made.append(Factor(name, record.kind, record.low, record.high))
            columns.append(np.repeat(values, count))
        if self.varied:
            sample = designs.make("lhs", self.varied, count, 0, seed)
            made += self.varied
            columns += [np.tile(column, len(candidates)) for column in sample.columns]
        return Points(tuple(made), tuple(columns))

    def run(self, plan: Plan, store: Store, workers: Workers) -> tuple[Plan, Found]:
        """Search, choose, and test on other luck; returns the plan of the test, and what was found."""
        presets = self.candidates()
        place = "generations/presets"
        reference, failed = self._values(
            replace(plan, points=self.points(presets, plan.seed)), store, workers, place, "runs of the presets"
        )
        best = {name: best_means(value) for name, value in reference.items()}
        study = new_study(self.objectives, plan.seed, self.trials)
        study.enqueue_trial(start_of(self.base.strategy, self.levers))
        trials: list[Tried] = []
        for generation in range(self.generations):
            asked = [study.ask() for _ in range(self.trials)]
            changes = [suggested(trial, self.levers) for trial in asked]
            part = replace(plan, points=self.points([(self.base.strategy.name, c) for c in changes], plan.seed))
            what = f"runs of generation {generation + 1} of {self.generations}"
            values, bad = self._values(part, store, workers, f"generations/{generation:03d}", what)
            failed += bad
            for k, trial in enumerate(asked):
                mine = {name: value[k] for name, value in values.items()}
                missing = int(max(np.isnan(value).sum() for value in mine.values()))
                results = tuple(float(o.of(mine[o.outcome], best.get(o.outcome))) for o in self.objectives)
                trials.append(Tried(trial.number, generation, changes[k], results, missing))
                tell(study, trial, None if missing else results)
        good = [trial for trial in trials if not trial.failed]
        if not good:
            raise InvalidInput("optimise", "every trial", "a trial without a failed run; see generations/")
        chosen = best_of(np.array([[o.sign * v for o, v in zip(self.objectives, trial.objectives, strict=True)] for trial in good]))
        names = [self.label] if len(self.objectives) == 1 else [f"{self.label}_{i}" for i in range(1, len(chosen) + 1)]
        found = Found(trials, dict(zip(names, (good[k] for k in chosen), strict=True)), reference, failed)
        # luck of its own: seeds after the search's, and other futures
        points = self.points(presets + [(self.base.strategy.name, trial.changes) for trial in found.best.values()], plan.seed + 1)
        test = replace(plan, points=points, replications=self.tests, seed=plan.seed + plan.replications)
        execute(test, store, workers, what="runs of the test")
        return test, found

    def _values(self, plan: Plan, store: Store, workers: Workers, place: str, what: str) -> tuple[dict[str, np.ndarray], int]:
        """Outcomes of a plan in a folder of its own, [candidates, futures, replications] by outcome, and how many runs failed."""
        record = plan_record(plan, {"kind": "candidates", "points": digest({"points": [c.tolist() for c in plan.points.columns]})})
        with Store("optimise", store.folder / place, record) as part:
            execute(plan, part, workers, what=what)
            return self.outcomes(part, plan), int(part.totals()["failed"])

    def outcomes(self, store: Store, plan: Plan) -> dict[str, np.ndarray]:
        """Outcomes of the runs in a store, [candidates, futures, replications] by outcome; failed runs: NaN."""
        names = list(dict.fromkeys(o.outcome for o in self.objectives))
        runs = good_runs(store, names)
        result = {}
        for name in names:
            table = np.full((len(plan.points), plan.replications), np.nan)
            table[runs["point"], runs["replication"]] = runs[name].astype("Float64").to_numpy(float, na_value=np.nan)
            result[name] = table.reshape(-1, self.futures, plan.replications)
        return result


def new_study(objectives: Sequence[Objective], seed: int, trials: int) -> Any:
    """A study in memory, which proposes the same trials after the same results."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed % designs.SEEDS, multivariate=True, constant_liar=True, n_startup_trials=max(10, trials)
        )
    return optuna.create_study(directions=["maximize" if o.sign > 0 else "minimize" for o in objectives], sampler=sampler)


def tell(study: Any, trial: Any, results: tuple[float, ...] | None) -> None:
    """Tell the study what came out; None: a run failed."""
    from optuna.trial import TrialState

    if results is None:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, list(results))


# --------------------------------------------------------------------------- tables and files


def write(store: Store, plan: Plan, search: Search, found: Found, marked: str, save_as: str) -> None:
    """Write the trials, the test, the strategy files and the picture."""
    by_trial = {trial.number: name for name, trial in found.best.items()}
    trials = pd.DataFrame(
        [
            {
                "trial": t.number, "generation": t.generation, **dict(zip([o.name for o in search.objectives], t.objectives, strict=True)),
                "failed": t.failed, "found": by_trial.get(t.number, ""), **t.changes,
            }
            for t in found.trials
        ]
    )  # fmt: skip
    promised = np.array([trial.objectives for trial in found.best.values()])
    names = [*search.presets, *found.best]
    values = search.outcomes(store, plan)
    tested = test_table(search.objectives, names, len(search.presets), found.reference, promised, values, plan.seed)
    meanings = MEANINGS | {f"trials.{o.name}": o.words() for o in search.objectives}
    meanings |= {f"trials.{name}": "lever" for name in parameters_of(search.levers)}
    write_tables(store, plan, {"trials": trials, "test": tested}, meanings)
    for name, trial in found.best.items():
        text = strategy_file(search, trial, marked)
        store.text(f"{name}.yaml", text)
        if save_as:
            save("strategy", saved_name(search, name, save_as), text)
    from sim.views.figures.optimise import optimise_figure

    optimise_figure(store.folder)


def saved_name(search: Search, name: str, save_as: str) -> str:
    """The name under which a strategy that was found is saved among the others."""
    return name.replace(search.label, save_as, 1)


def strategy_file(search: Search, trial: Tried, marked: str) -> str:
    """The strategy of a trial as a file of ``configs/strategy``."""
    made = frozen(to_mapping(search.base.strategy), Strategy)
    changed = dataclasses.replace(made, **{n.removeprefix("strategy."): v for n, v in trial.changes.items() if ".effort." not in n})
    values, blank = to_mapping(changed), to_mapping(Strategy())
    for name, value in trial.changes.items():
        if ".effort." in name:
            phase, bucket = name.split(".")[-2:]
            values["effort"][phase][bucket] = value
    of = " and ".join(o.words() for o in search.objectives)
    lines = [marked, f'description: "Found by a search that began with {search.base.strategy.name}: {of}."']
    for name, value in values.items():
        if name not in ("name", "description", "effort") and (value != blank[name] or f"strategy.{name}" in trial.changes):
            lines.append(f"{name}: {'[' + ', '.join(value) + ']' if isinstance(value, list) else value}")
    lines.append("effort:  # shares of what support leaves; each line adds up to 1")
    for phase in PHASES:
        shares = ", ".join(f"{bucket}: {share}" for bucket, share in values["effort"][phase].items())
        lines.append(f"  {phase}: {{{shares}}}")
    return "\n".join(lines) + "\n"


def last_words(store: Store, search: Search, found: Found, save_as: str) -> list[str]:
    """How large the search was, and how to use what it found."""
    size = (
        f"{len(found.trials):,} trials of {search.replications * search.futures:,} runs; tested on {search.tests * search.futures:,} "
        f"runs each, with seeds{' and futures' if search.futures > 1 else ''} that the search has not seen. Same central budget for all."
    )
    if save_as:
        names = ",".join(saved_name(search, name, save_as) for name in found.best)
        use = f"Saved in configs/strategy; to compare: python -m experiments.compare 'strategies=[{search.presets[0]},{names}]'"
    else:
        first = f"{shown(store.folder)}/{next(iter(found.best))}.yaml"
        use = f"To use it everywhere, copy {first} into configs/strategy, or start with save_as=NAME."
    return [size, use]
