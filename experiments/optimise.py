"""A search over a strategy's own levers, at the same budget, and a test of what it found on luck it has not seen.

``python -m experiments.optimise`` starts from a strategy, moves its effort shares, cadence, gates and champions (Optuna), and
writes the best as a strategy file that every other experiment can use. ``objectives=[mean,cvar]`` looks for the best compromises.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import operator
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.lab import designs
from experiments.lab.config import main, take
from experiments.lab.designs import Factor, Points
from experiments.lab.executors import Workers
from experiments.lab.output import digest, shown
from experiments.lab.paired import as_preset, check_outcome, numeric_factors
from experiments.lab.presets import check_name, mark, save
from experiments.lab.runner import Plan, execute
from experiments.lab.statistics import RESAMPLES
from experiments.lab.storage import Store
from experiments.lab.study import also_describe, carry_out, check_points, common_settings, good_runs, plan_of, plan_record, write_dictionary
from sim.configuration import from_mapping
from sim.measures import MORE_IS_BETTER
from sim.parameters import BUCKETS, PHASES, RECORDS, Parameters, Strategy
from sim.presets import available, load
from sim.schema import InvalidInput, frozen, nearest, to_mapping
from sim.views.figures.optimise import optimise_figure
from sim.views.words import amount, outcome_words, strategy_label

#: What can be moved: the range of a number and its step, or the alternatives of a choice; the effort shares move by hundredths.
LEVERS: dict[str, tuple] = {
    "effort": (),
    "core_first": (0.0, 1.0, 0.01),
    "cadence": (1, 26, 1),
    "wave": (0.05, 1.0, 0.01),
    "readiness_gate": (0.0, 0.9, 0.01),
    "gate_weeks": (4, 78, 1),
    "gate_improvement": (0.0, 0.15, 0.005),
    "gate_reliance": (0.0, 0.6, 0.01),
    "champions": (0.0, 0.2, 0.01),
    "pilot": ("cleanest", "representative", "random"),
    "allocation": ("fixed", "adaptive"),
    "order": ("readiness", "size", "network", "random"),
    "ownership": ("technical", "shared", "business"),
    "override": ("forbidden", "justified", "free"),
    "placement": ("random", "central", "clustered"),
}
STATISTICS = ("mean", "cvar", "regret")
MOST_SHOWN = 8
MOST_TRIALS = 1_000_000
TRIALS = {
    "trial": "number of the trial",
    "generation": "generation it was part of",
    "failed": "failed runs among its runs; such a trial is left out",
    "found": "number of the strategy that was made of it; empty: none",
}
TESTED = {
    "candidate": "strategy found, or preset",
    "objective": "outcome and statistic",
    "search": "value on the luck of the search",
    "test": "value on luck that the search has not seen",
    "gain_search": "by how much it is better than the strategy the search began with, on the luck of the search",
    "gain_test": "the same in the test",
    "optimism": "gain_search less gain_test: what the search promised too much",
}


@dataclass(frozen=True)
class Objective:
    """A statistic of an outcome over futures and runs; regret is to be small, the others large."""

    outcome: str
    statistic: str
    tail: float = 0.1

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return f"{self.outcome}.{self.statistic}"

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return -1 if self.statistic == "regret" else 1

    def of(self, values: np.ndarray, best: np.ndarray | None = None) -> Any:
        """The statistic of runs [..., futures, replications].

        ``cvar`` is the mean of the worst ``tail`` share of runs (conditional value at risk, Rockafellar & Uryasev 2000);
        ``regret`` the mean over futures of what is missing to the best of the presets' means [futures] and its own.
        """
        if self.statistic == "regret":
            return np.maximum(np.asarray(best) - values.mean(axis=-1), 0.0).mean(axis=-1)
        flat = values.reshape(*values.shape[:-2], -1)
        if self.statistic == "cvar":
            worst = np.sort(flat, axis=-1)[..., : max(1, int(np.ceil(self.tail * flat.shape[-1] - 1e-9)))]
            return np.where(np.isnan(flat).any(axis=-1), np.nan, worst.mean(axis=-1))
        return flat.mean(axis=-1)

    def words(self) -> str:
        """The objective for people."""
        share = f"{self.tail:.0%}"
        kind = {"mean": "mean", "cvar": f"mean of the worst {share} of runs", "regret": "mean regret"}[self.statistic]
        return f"{outcome_words(self.outcome)}, {kind}"


def optimise(values: dict[str, Any]) -> int:
    """Search, test what was found, print what it is worth, write the results folder and the strategy files."""
    settings = common_settings(values)
    outcome, tail = take(values, "outcome", "text"), take(values, "tail", "number", 0.001, 0.5)
    sizes = {key: take(values, key, "count", 1, 100_000) for key in ("generations", "population")}
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
    presets = [base.strategy.name]
    presets += [
        name
        for name in available("strategy")
        if name not in presets and not (save_as and re.fullmatch(f"{re.escape(save_as)}(_[0-9]+)?", name))
    ]
    search = Search(presets, base, levers, objectives, varied, futures, replications, tests, **sizes)
    if sizes["generations"] * sizes["population"] * futures > MOST_TRIALS:
        raise InvalidInput("generations", sizes["generations"], f"at most {MOST_TRIALS:,} trials × futures in all")
    plan = search.sketch(settings)
    check_points(plan)
    for each in objectives:
        check_outcome(each.outcome, plan, wins=True)
    asked = {
        "kind": "search", "optuna": importlib.metadata.version("optuna"), **sizes, "futures": futures, "test_replications": tests, "tail": tail,
        "levers": {name: list(lever) for name, lever in levers.items()}, "ranges": {f.name: [f.low, f.high] for f in varied},
    }  # fmt: skip
    configuration = plan_record(plan, asked, objectives=[each.name for each in objectives], save_as=save_as)
    check_name("strategy", save_as, mark("optimise", configuration))
    parts = ["+".join(names), base.strategy.name, f"{len(levers)}levers", f"{sizes['generations']}x{sizes['population']}trials",
             f"{futures}futures", f"{replications}x", f"{base.weeks}w"]  # fmt: skip

    def run(plan: Plan, store: Store, workers: Workers) -> Plan:
        return search.run(plan, store, workers)

    def finish(console: Console, store: Store, plan: Plan) -> list[str]:
        files = [f"{name}.yaml" for name in search.found]
        if not store.concluded(configuration):
            conclude(store, plan, search, configuration, save_as)
        show(console, store, search, save_as)
        return ["figure.png", "test.csv", "trials.csv", *files]

    code = carry_out("optimise", parts, plan, configuration, settings, finish, run)
    if search.failed:
        runs = "1 run" if search.failed == 1 else f"{search.failed:,} runs"
        print(f"error: {runs} of the search failed; their trials are left out, see trials.csv and generations/", file=sys.stderr)
        return 1
    return code


# --------------------------------------------------------------------------- what is asked


def objective(name: str, outcome: str, tail: float, futures: int) -> Objective:
    """An objective from ``mean`` or ``final_reliance.mean``."""
    of, dot, statistic = name.rpartition(".")
    of = of if dot else outcome
    if statistic not in STATISTICS:
        raise InvalidInput("objectives", name, f"one of {', '.join(STATISTICS)}, or one of them of an outcome, as final_reliance.mean")
    if of not in MORE_IS_BETTER:
        raise InvalidInput("objectives", name, nearest(of, list(MORE_IS_BETTER)))
    if statistic == "regret" and futures < 2:
        raise InvalidInput("objectives", name, "futures=2 or more with it: regret is a matter of several futures")
    return Objective(of, statistic, tail)


def levers_of(names: list[str], ranges: Any, strategy: Strategy) -> dict[str, tuple]:
    """The levers with their ranges or alternatives."""
    if not isinstance(ranges, Mapping | None):
        raise InvalidInput("lever_ranges", ranges, "a mapping such as {cadence: [2, 12]}")
    ranges = dict(ranges or {})
    levers = {}
    for name in names:
        if name not in LEVERS:
            raise InvalidInput("levers", name, nearest(name, list(LEVERS)))
        record = None if name == "effort" else RECORDS[f"strategy.{name}"]
        lever, given = LEVERS[name], ranges.pop(name, None)
        if name == "gate_weeks":
            lever = (lever[0], min(lever[1], strategy.gate_deadline), lever[2])
        if given is not None:
            if record is None:
                raise InvalidInput("lever_ranges.effort", given, "no range: shares of effort add up to 1")
            try:
                made = designs.factor(f"strategy.{name}", given)
            except InvalidInput as error:
                raise InvalidInput(f"lever_ranges.{name}", error.value, error.allowed) from None
            lever = made.choices if made.kind == "choice" else (made.low, made.high, lever[2])
            if name == "gate_weeks" and made.high > strategy.gate_deadline:
                raise InvalidInput("lever_ranges.gate_weeks", given, f"at most the strategy's gate_deadline, {strategy.gate_deadline}")
        levers[name] = lever
    for name in ranges:
        raise InvalidInput(f"lever_ranges.{name}", ranges[name], nearest(str(name), names))
    return levers


# --------------------------------------------------------------------------- the search


@dataclass
class Tried:
    """A trial: its strategy's levers by dotted parameter, and what came out."""

    number: int
    generation: int
    changes: dict[str, Any]
    objectives: tuple[float, ...]
    failed: int


@dataclass
class Search:
    """The search in generations: each a results folder of its own, so that it goes on where it was stopped.

    The same seeds and trials are asked for in the same order again; what is done is read, and Optuna comes to the same proposals.
    All strategies there are, ``presets``, are run too, the one that the search begins with first: what was found is compared with
    them, and regret is measured against them.
    """

    presets: list[str]
    base: Parameters
    levers: dict[str, tuple]
    objectives: tuple[Objective, ...]
    varied: tuple[Factor, ...]
    futures: int
    replications: int
    tests: int
    generations: int
    population: int
    trials: list[Tried] = dataclasses.field(default_factory=list)
    found: dict[str, Tried] = dataclasses.field(default_factory=dict)
    reference: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    failed: int = 0

    @property
    def label(self) -> str:
        """Name of what is found, another than every preset has."""
        names = ("optimised", *(f"optimised{k}" for k in range(2, len(self.presets) + 3)))
        return next(name for name in names if not any(re.fullmatch(f"{name}(_[0-9]+)?", preset) for preset in self.presets))

    def sketch(self, settings: Mapping[str, Any]) -> Plan:
        """A plan of the size of search and test, for what has to be known before: every trial is the strategy it begins with."""
        references = [(name, own_levers(preset(name), self.levers)) for name in self.presets]
        one = references[0]
        tests = -(-(len(self.presets) + 1) * self.tests // self.replications)
        return plan_of(
            self.base,
            self.points([*references, *[one] * (self.population * self.generations + tests)], settings["seed"]),
            self.replications,
            settings,
        )

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

    def run(self, plan: Plan, store: Store, workers: Workers) -> Plan:
        """Search, choose, and test on other luck; returns the plan of the test."""
        presets = [(name, own_levers(preset(name), self.levers)) for name in self.presets]
        reference = replace(plan, points=self.points(presets, plan.seed))
        self.reference = self._values(reference, store, workers, "generations/presets", "runs of the presets")
        best = {name: np.nanmax(value.mean(axis=2), axis=0) for name, value in self.reference.items()}
        study = new_study(self.objectives, plan.seed, self.population)
        study.enqueue_trial(start_of(self.base.strategy, self.levers))
        self.trials.clear()
        for generation in range(self.generations):
            asked = [study.ask() for _ in range(self.population)]
            changes = [suggested(trial, self.levers) for trial in asked]
            part = replace(plan, points=self.points([(self.base.strategy.name, c) for c in changes], plan.seed))
            values = self._values(part, store, workers, f"generations/{generation:03d}", f"runs of generation {generation + 1} of {self.generations}")  # fmt: skip
            for k, trial in enumerate(asked):
                mine = {name: value[k] for name, value in values.items()}
                failed = int(max(np.isnan(value).sum() for value in mine.values()))
                results = tuple(float(o.of(mine[o.outcome], best.get(o.outcome))) for o in self.objectives)
                self.trials.append(Tried(trial.number, generation, changes[k], results, failed))
                tell(study, trial, None if failed else results)
        self.found = self._choose()
        if not self.found:
            raise InvalidInput("optimise", "every trial", "a trial without a failed run; see generations/")
        # luck of its own: seeds after the search's, and other futures
        points = self.points(presets + [(self.base.strategy.name, trial.changes) for trial in self.found.values()], plan.seed + 1)
        test = replace(plan, points=points, replications=self.tests, seed=plan.seed + plan.replications)
        execute(test, store, workers, what="runs of the test")
        return test

    def _values(self, plan: Plan, store: Store, workers: Workers, place: str, what: str) -> dict[str, np.ndarray]:
        """Outcomes of a plan in a folder of its own, [candidates, futures, replications] by outcome."""
        record = plan_record(plan, {"kind": "candidates", "points": digest({"points": [c.tolist() for c in plan.points.columns]})})
        with Store("optimise", store.folder / place, record) as part:
            execute(plan, part, workers, what=what)
            self.failed += int(part.totals()["failed"])
            return self.outcomes(part, plan)

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

    def _choose(self) -> dict[str, Tried]:
        """The best trial, or those no other one beats on all objectives, by name."""
        good = [trial for trial in self.trials if not trial.failed]
        signs = [o.sign for o in self.objectives]
        scores = np.array([[s * v for s, v in zip(signs, trial.objectives, strict=True)] for trial in good])
        if not len(good):
            return {}
        if len(signs) == 1:
            return {self.label: good[int(np.argmax(scores[:, 0]))]}
        beaten = [bool(((scores >= row).all(axis=1) & (scores > row).any(axis=1)).any()) for row in scores]
        front = sorted((k for k in range(len(good)) if not beaten[k]), key=lambda k: -scores[k, 0])
        front = [k for i, k in enumerate(front) if not any((scores[k] == scores[j]).all() for j in front[:i])]
        kept = [front[i] for i in np.unique(np.linspace(0, len(front) - 1, MOST_SHOWN).round().astype(int))]
        return {f"{self.label}_{i}": good[k] for i, k in enumerate(kept, 1)}


def preset(name: str) -> Strategy:
    """A strategy as its file says."""
    return from_mapping({"strategy": load("strategy", name)}).strategy


def own_levers(strategy: Strategy, levers: Mapping[str, tuple]) -> dict[str, Any]:
    """A strategy's own values of the levers, by dotted parameter."""
    return {name: operator.attrgetter(name.removeprefix("strategy."))(strategy) for name in parameters_of(levers)}


def parameters_of(levers: Mapping[str, tuple]) -> list[str]:
    """Dotted names of the parameters that levers move."""
    effort = [f"strategy.effort.{phase}.{bucket}" for phase in PHASES for bucket in BUCKETS]
    return [name for lever in levers for name in (effort if lever == "effort" else [f"strategy.{lever}"])]


# --------------------------------------------------------------------------- Optuna


def new_study(objectives: Sequence[Objective], seed: int, population: int) -> Any:
    """A study in memory, which proposes the same trials after the same results."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed % designs.SEEDS, multivariate=True, constant_liar=True, n_startup_trials=max(10, population)
        )
    return optuna.create_study(directions=["maximize" if o.sign > 0 else "minimize" for o in objectives], sampler=sampler)


def tell(study: Any, trial: Any, results: tuple[float, ...] | None) -> None:
    """Tell the study what came out; None: a run failed."""
    from optuna.trial import TrialState

    if results is None:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, list(results))


def suggested(trial: Any, levers: Mapping[str, tuple]) -> dict[str, Any]:
    """The levers of a trial by dotted parameter; effort shares in hundredths, uniform on the simplex before that."""
    changes: dict[str, Any] = {}
    for name, lever in levers.items():
        if name == "effort":
            for phase in PHASES:
                u = np.array([trial.suggest_float(f"effort.{phase}.{bucket}", 0.0, 1.0) for bucket in BUCKETS])
                weights = -np.log(np.clip(u, 1e-12, 1 - 1e-12))
                shares = hundredths(weights / weights.sum())
                changes |= {f"strategy.effort.{phase}.{bucket}": share for bucket, share in zip(BUCKETS, shares, strict=True)}
        elif isinstance(lever[0], str):
            changes[f"strategy.{name}"] = trial.suggest_categorical(name, list(lever))
        elif isinstance(lever[0], int):
            changes[f"strategy.{name}"] = trial.suggest_int(name, lever[0], lever[1])
        else:
            low, high, step = lever
            changes[f"strategy.{name}"] = round(min(high, low + step * round((trial.suggest_float(name, low, high) - low) / step)), 6)
    return changes


def start_of(strategy: Strategy, levers: Mapping[str, tuple]) -> dict[str, Any]:
    """The strategy itself as a first trial, as far as the levers reach it."""
    start: dict[str, Any] = {}
    for name, lever in levers.items():
        if name == "effort":
            for phase in PHASES:
                shares = getattr(strategy.effort, phase)
                start |= {f"effort.{phase}.{bucket}": float(np.exp(-getattr(shares, bucket))) for bucket in BUCKETS}
        else:
            value = getattr(strategy, name)
            if isinstance(lever[0], str):
                start |= {name: value} if value in lever else {}
            else:
                start[name] = min(max(value, lever[0]), lever[1])
    return start


def hundredths(shares: np.ndarray) -> list[float]:
    """Shares in whole hundredths that add up to 1 (largest remainders)."""
    parts = np.floor(shares * 100)
    missing = round(100 - parts.sum())
    parts[np.argsort(-(shares * 100 - parts), kind="stable")[:missing]] += 1
    return [round(float(part) / 100, 2) for part in parts]


# --------------------------------------------------------------------------- tables and files


def conclude(store: Store, plan: Plan, search: Search, configuration: Mapping[str, Any], save_as: str) -> None:
    """Write the trials, the test, the strategy files and the picture."""
    by_trial = {trial.number: name for name, trial in search.found.items()}
    trials = pd.DataFrame(
        [
            {
                "trial": t.number, "generation": t.generation, **dict(zip([o.name for o in search.objectives], t.objectives, strict=True)),
                "failed": t.failed, "found": by_trial.get(t.number, ""), **t.changes,
            }
            for t in search.trials
        ]
    )  # fmt: skip
    tested = test_table(store, plan, search)
    write_dictionary(store, plan)
    meanings = TRIALS | {o.name: o.words() for o in search.objectives} | dict.fromkeys(parameters_of(search.levers), "lever")
    for name, frame, means in (("trials", trials, meanings), ("test", tested, TESTED)):
        store.parquet(f"{name}.parquet", frame)
        store.csv(f"{name}.csv", frame)
        also_describe(store, name, frame, means)
    names = saved_names(search, save_as)
    for name, trial in search.found.items():
        text = strategy_file(search, trial, configuration)
        store.text(f"{name}.yaml", text)
        if save_as:
            save("strategy", names[name], text)
    optimise_figure(store.folder)


def saved_names(search: Search, save_as: str) -> dict[str, str]:
    """The names under which strategies that were found are saved among the others."""
    return {name: name.replace(search.label, save_as, 1) for name in search.found} if save_as else {}


def test_table(store: Store, plan: Plan, search: Search) -> pd.DataFrame:
    """What each candidate came to on luck of its own, with 95% bootstrap intervals over futures, or over runs of the only one."""
    values = search.outcomes(store, plan)
    names = [*search.presets, *search.found]
    axis = 2 if search.futures == 1 else 1
    n = plan.replications if axis == 2 else search.futures
    draws = np.random.Generator(np.random.SFC64(plan.seed)).integers(0, n, (RESAMPLES, n))
    rows = []
    for index, each in enumerate(search.objectives):
        runs = values[each.outcome]
        best = np.nanmax(runs[: len(search.presets)].mean(axis=2), axis=0)
        test = np.asarray(each.of(runs, best))
        sampled = np.array([each.of(np.take(runs, d, axis=axis), best if axis == 2 else best[d]) for d in draws])  # [RESAMPLES, candidates]
        before = search.reference[each.outcome]
        promised = np.append(each.of(before, np.nanmax(before.mean(axis=2), axis=0)), [t.objectives[index] for t in search.found.values()])
        gain_search, gain_test = (each.sign * (x - x[0]) for x in (promised, test))
        low, high = np.quantile(sampled, (0.025, 0.975), axis=0)
        gain_low, gain_high = np.quantile(each.sign * (sampled - sampled[:, :1]), (0.025, 0.975), axis=0)
        rows += [
            {
                "candidate": name, "objective": each.name, "search": promised[k], "test": test[k], "test_low": low[k], "test_high": high[k],
                "gain_search": gain_search[k], "gain_test": gain_test[k], "gain_test_low": gain_low[k], "gain_test_high": gain_high[k],
                "optimism": gain_search[k] - gain_test[k],
            }
            for k, name in enumerate(names)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def strategy_file(search: Search, trial: Tried, configuration: Mapping[str, Any]) -> str:
    """The strategy of a trial as a file of ``configs/strategy``."""
    made = frozen(to_mapping(search.base.strategy), Strategy)
    changed = dataclasses.replace(made, **{n.removeprefix("strategy."): v for n, v in trial.changes.items() if ".effort." not in n})
    values, blank = to_mapping(changed), to_mapping(Strategy())
    for name, value in trial.changes.items():
        if ".effort." in name:
            phase, bucket = name.split(".")[-2:]
            values["effort"][phase][bucket] = value
    of = " and ".join(o.words() for o in search.objectives)
    lines = [mark("optimise", configuration), f'description: "Found by a search that began with {search.base.strategy.name}: {of}."']
    for name, value in values.items():
        if name not in ("name", "description", "effort") and (value != blank[name] or f"strategy.{name}" in trial.changes):
            lines.append(f"{name}: {'[' + ', '.join(value) + ']' if isinstance(value, list) else value}")
    lines.append("effort:  # shares of what support leaves; each line adds up to 1")
    for phase in PHASES:
        shares = ", ".join(f"{bucket}: {share}" for bucket, share in values["effort"][phase].items())
        lines.append(f"  {phase}: {{{shares}}}")
    return "\n".join(lines) + "\n"


# --------------------------------------------------------------------------- printing


def show(console: Console, store: Store, search: Search, save_as: str) -> None:
    """Print what was found and what it is worth on other luck."""
    tested = pd.read_parquet(store.folder / "test.parquet")
    mine = search.base.strategy.name

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    for each in search.objectives:
        rows = tested[tested["objective"] == each.name].set_index("candidate")
        rest = rows.loc[[name for name in search.presets if name != mine], "test"]
        rival = str((rest * each.sign).idxmax())
        table = Table(
            title=f"{each.words().capitalize()}: on the luck of the search, and on other luck [95% interval]", title_justify="left"
        )
        table.add_column("strategy")
        for head in ("search", "test", "gain in the search", "in the test"):
            table.add_column(head, justify="right", no_wrap=True)
        for name in (*search.found, mine, rival):
            row: Any = rows.loc[name]
            gains = ("–", "–") if name == mine else (amount(each.outcome, row["gain_search"]), _interval(each.outcome, row, "gain_test"))
            label = f"{strategy_label(name)}{' (best of the others)' if name == rival else ''}"
            table.add_row(label, amount(each.outcome, row["search"]), _interval(each.outcome, row, "test"), *gains)
        console.print(table)
        for name in search.found:
            much = float(rows["optimism"][name])
            say(
                f"{strategy_label(name)}: the search promised {amount(each.outcome, much)} more than the test shows."
                if much > 0
                else f"{strategy_label(name)}: the search promised no more than the test shows."
            )
    say(
        f"{len(search.trials):,} trials of {search.replications * search.futures:,} runs; tested on {search.tests * search.futures:,} "
        "runs each, with seeds"
        + (" and futures" if search.futures > 1 else "")
        + " that the search has not seen. Same central budget for all."
    )
    names = saved_names(search, save_as)
    if names:
        say(f"Saved in configs/strategy; to compare: python -m experiments.compare 'strategies=[{mine},{','.join(names.values())}]'")
    else:
        say(
            f"To use it everywhere, copy {shown(store.folder)}/{next(iter(search.found))}.yaml into configs/strategy, or start with save_as=NAME."
        )


def _interval(outcome: str, row: pd.Series, name: str) -> str:
    return f"{amount(outcome, row[name])} [{amount(outcome, row[f'{name}_low'])}, {amount(outcome, row[f'{name}_high'])}]"


if __name__ == "__main__":
    main("optimise", optimise)
