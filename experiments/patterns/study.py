"""The study of the patterns: every arm of every declaration with the same luck, and what emerges.

It is a report: a pattern that does not emerge is said not to, and the exit code is 0 all the same. Pattern-oriented modelling: Grimm
et al. (2005, Science 310, 987-991).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console

from experiments.lab.config import refuse_several, take
from experiments.lab.storage import RUNS, Store
from experiments.lab.study import Study, carry_out, digest_of_code, take_settings
from experiments.lab.tables import write_tables
from experiments.lab.work import Trials
from experiments.patterns import declarations, effects, readings
from experiments.patterns.analysis import KEPT, MOST_FAILS, REMOVED_FAILS, findings_of, judge, look_into
from experiments.patterns.arms import parameters_of, rewired, run_arm
from experiments.patterns.declarations import BY_NAME, ONE_USE_CASE, PATTERNS
from experiments.patterns.pattern import Arm, Pattern, arms_of
from experiments.patterns.portfolios import PORTFOLIOS
from experiments.patterns.printing import show
from sim.configuration import fingerprint, from_mapping
from sim.parameters import Parameters
from sim.schema import InvalidInput, nearest, to_mapping
from sim.sources import SOURCES

#: Patterns that may be asked for by one word.
SETS = {"one": ONE_USE_CASE, "several": PORTFOLIOS, "all": PATTERNS}
SHARD = 100  # runs
SHORTEST = 156  # weeks
SCHEMA = pa.schema(
    [("pattern", pa.string()), ("variant", pa.string()), ("arm", pa.string()), ("seed", pa.uint64()), ("reading", pa.string()),
     ("value", pa.float64()), ("error", pa.string())]
)  # fmt: skip
MEANINGS = {
    "pattern": "pattern", "variant": "claim, ablation, or the probe in its words", "arm": "configuration of the pattern, by name",
    "seed": "seed of the run", "reading": "what was read off the run", "value": "its value; missing: not defined in this run",
    "error": "empty, or why the run failed", "test": "test on the readings", "first_test": "the pattern's first test, which the row is of",
    "claim": "what should be seen", "where": "in which enterprise, and why there", "effect_is": "what is measured",
    "unit": "unit of the effect", "direction": "1 where an effect above 0 is claimed, -1 below",
    "effect": "mean effect over seeds, or over all seeds together", "fails": "share of seeds without an effect on the side claimed",
    "undefined": "share of seeds in which the effect is not defined", "ablation": "what must remove the pattern",
    "ablated": "the effect under the ablation", "ablated_fails": "share of seeds that fail under the ablation",
    "emerges": "whether the effect is clear and few seeds fail",
    "removed": "yes or no: whether the ablation removes it; empty where it does not emerge",
    "verdict": "on the pattern, from all of its tests", "probe": "a further ablation that looks into a failed test",
}  # fmt: skip


# --------------------------------------------------------------------------- running


class ArmRun(NamedTuple):
    """One run of an arm: pattern, variant (:func:`experiments.patterns.pattern.arms_of`) and arm by name, and seed."""

    pattern: str
    variant: str
    arm: str
    seed: int


@lru_cache(maxsize=64)
def configured(base: Parameters, pattern: str, variant: str, name: str) -> tuple[Arm, Parameters]:
    """An arm and its parameters on a base configuration."""
    arm = next(arm for of, called, arm in arms_of(BY_NAME[pattern]) if (of, called) == (variant, name))
    return arm, parameters_of(base, arm)


@dataclass(frozen=True)
class ArmRecorder:
    """Runs arms on a base configuration, and keeps one row per reading."""

    base: Parameters

    def run(self, item: ArmRun) -> list[tuple]:
        """The readings of one run."""
        arm, parameters = configured(self.base, item.pattern, item.variant, item.arm)
        found = BY_NAME[item.pattern].read(run_arm(arm, parameters, item.seed))
        return [(*item, reading, float(value), "") for reading, value in found.items()]

    def failed(self, item: ArmRun, error: str) -> list[tuple]:
        """A row without a reading."""
        return [(*item, "", np.nan, error)]

    def tables(self, results: Sequence[list[tuple]]) -> dict[str, pa.Table]:
        """The rows of all runs."""
        rows = [row for result in results for row in result]
        return {RUNS: pa.table({name: [row[k] for row in rows] for k, name in enumerate(SCHEMA.names)}, schema=SCHEMA)}


# --------------------------------------------------------------------------- the command


def patterns(values: dict[str, Any]) -> int:
    """Run the declared patterns and their ablations, print what emerges, write the results folder."""
    settings = take_settings(values)
    replications, chosen = take(values, "seeds", "count", 2, 100_000), choose(values.pop("patterns"))
    base = from_mapping(values)
    refuse_several(base, "each pattern says how many it is about")
    if base.weeks < SHORTEST:
        raise InvalidInput("weeks", base.weeks, f"a whole number from {SHORTEST}: the tests compare years")
    configuration = {
        "parameters": to_mapping(base), "seeds": replications, "seed": settings.seed, "limit": settings.limit, "model": SOURCES,
        "patterns": {pattern.name: declared(base, pattern) for pattern in chosen},
        "rule": {"most_fails": MOST_FAILS, "removed_fails": REMOVED_FAILS, "kept": KEPT},
        "code": digest_of_code(declarations, effects, readings, parameters_of, rewired, run_arm),
    }  # fmt: skip
    seeds = np.arange(settings.seed, settings.seed + replications, dtype=np.uint64)
    items = [
        ArmRun(pattern.name, variant, name, seed) for pattern in chosen for seed in seeds.tolist() for variant, name, _ in arms_of(pattern)
    ]
    work = Trials(ArmRecorder(base), items, SHARD, (settings.seed, settings.seed + replications - 1), settings.limit)

    def conclude(store: Store, work: Trials) -> None:
        runs = store.runs()
        tests = judge(runs, chosen, seeds)
        # a pattern's row is that of its first test, with the verdict over all
        first = tests.drop_duplicates("pattern").rename(columns={"test": "first_test"})
        write_tables(store, work, {"patterns": first, "tests": tests, "probes": look_into(runs, chosen, seeds)}, MEANINGS)
        from sim.views.figures.patterns import patterns_figure

        patterns_figure(store.folder)

    def told(console: Console, store: Store) -> list[str]:
        tests, probes = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("tests", "probes"))
        show(console, tests, probes, chosen, findings_of(store.runs(), chosen, seeds), len(seeds))
        return ["figure.png", "patterns.csv", "tests.csv", "probes.csv"]

    return carry_out(Study("patterns", [f"{len(chosen)}patterns", f"{replications}x"], work, configuration, conclude, told), settings)


def choose(names: Any) -> tuple[Pattern, ...]:
    """The patterns asked for: of ``one`` use case, of ``several``, ``all``, or a list of names."""
    if isinstance(names, str) and names in SETS:
        return SETS[names]
    if not isinstance(names, list) or not names or len(set(map(str, names))) < len(names):
        raise InvalidInput("patterns", names, f"{', '.join(SETS)}, or a list of patterns without repetition")
    for name in names:
        if name not in BY_NAME:
            raise InvalidInput("patterns", name, nearest(str(name), list(BY_NAME)))
    return tuple(BY_NAME[name] for name in names)


def declared(base: Parameters, pattern: Pattern) -> dict[str, Any]:
    """A declaration as plain values, for the manifest.

    Raises:
        InvalidInput: where an arm cannot be had on this base configuration.
    """
    arms: dict[str, Any] = {}
    for variant, name, arm in arms_of(pattern):
        p = parameters_of(base, arm)
        if p.enterprise.source != "generated" or p.network.kind in ("edges", "graph"):
            raise InvalidInput(
                "enterprise.source", p.enterprise.source, "a generated enterprise and network: the arms change their size and ties"
            )
        changed = {key: operator.attrgetter(key)(p) for key in arm.changes}
        if "usecases" in changed:
            changed["usecases"] = [to_mapping(case) for case in p.usecases]
        arms[f"{variant}: {name}"] = {
            **arm.__dict__,
            "reliability": list(arm.reliability),
            "changes": changed,
            "parameters": fingerprint(p),
        }
    tests = [{"name": t.name, "effect": t.effect, "unit": t.unit, "direction": t.direction} for t in pattern.tests]
    return {"claim": pattern.claim, "where": pattern.where, "tests": tests, "ablation": pattern.ablation, "arms": arms}
