"""Whom runs are of: the organisations that a command draws, what of them is given, and the command that repeats one."""

from __future__ import annotations

import operator
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from experiments.lab.config import chosen_presets, overrides
from experiments.lab.output import digest
from sim import population as populations
from sim.configuration import from_mapping, vary, with_presets
from sim.names import listed, override
from sim.parameters import RECORDS, Parameters
from sim.population import Population, departures, whom
from sim.presets import DEFAULTS, GROUPS, available, load
from sim.schema import InvalidInput, to_mapping

if TYPE_CHECKING:
    from experiments.lab.plan import Plan


def take_population(values: dict[str, Any], usecases: bool = True) -> Population | None:
    """The population that was chosen, of an experiment that has one.

    The use cases it speaks of become the configured ones, unless others are given or ``usecases`` is false.
    """
    chosen = chosen_presets()
    if "population" not in chosen:
        return None
    made = populations.read(chosen["population"], values.pop("population"), maturity=chosen.get("maturity", "middle"))
    given = any(word.startswith("usecases") for word in overrides())
    if usecases and made and made.usecases and not given and values["usecases"] == to_mapping(Parameters())["usecases"]:
        values["usecases"] = list(made.usecases)
    return made


def with_given(population: Population | None, base: Parameters, held: Iterable[str] = ()) -> Population | None:
    """The population without what somebody gave: on the command line, in a preset, or as one of ``held``."""
    if population is None:
        return None
    given = [word.partition("=")[0] for word in overrides()] + names_in_experiment()
    return replace(population, fixed=(populations.given_in(base, chosen_presets(), given) | {*held}) & {*population.drawn})


def names_in_experiment() -> list[str]:
    """Dotted names of the parameters that the chosen file of ``configs/experiment`` gives."""
    chosen = chosen_presets().get("experiment")

    def leaves(values: Mapping[str, Any], prefix: str) -> list[str]:
        found = []
        for key, value in values.items():
            found += leaves(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [f"{prefix}{key}"]
        return found

    return leaves(load("experiment", chosen), "") if chosen else []


def organisation(population: Population | None, base: Parameters, seed: int) -> tuple[Parameters, str]:
    """The parameters of the organisation of a seed, and in a sentence who it is."""
    if population is None:
        return base, f"{whom('', seed, '')} (population=article)."
    own = population.organisation(seed, base)
    parts = [whom(population.name, seed, population.maturity), departures(own, base)]
    given = f" Given, and not drawn: {listed(sorted(population.fixed))}." if population.fixed else ""
    return vary(base, own), f"{': '.join(filter(None, parts))}.{given}"


def population_record(population: Population | None) -> dict[str, Any] | None:
    """What decides which organisations there are; None for one exact organisation."""
    if population is None:
        return None
    return {
        "name": population.name, "use_cases": {key: list(sizes) for key, sizes in population.use_cases.items()},
        "draws": population.size, "digest": digest({name: list(values) for name, values in population.draws.items()})[:16],
        "fitted": sorted(population.fitted), "fixed": sorted(population.fixed),
    }  # fmt: skip


def who(population: Population | None) -> str:
    """Whom the runs of a study are of, in a sentence."""
    if population is None:
        return (
            "All runs are of one exact organisation, as configured: how organisations differ is not in these figures (population=article)."
        )
    given = f"; given, and not drawn: {listed(sorted(population.fixed))}" if population.fixed else ""
    of = f"Each run is of another organisation of the population «{population.name}»"
    return f"{of}, with one of {population.size} draws of the parameters{given}."


def command(plan: Plan, number: int) -> str:
    """The command that repeats a run of a plan: what departs from presets, and what is given and therefore not drawn."""
    item, population = plan.run(number), plan.population
    try:
        parameters = plan.parameters(item.point)
    except InvalidInput:  # what does not go together: the command says so, too
        parameters = plan.base
    named = {**DEFAULTS, **chosen_presets(), **item.values}
    chosen = {group: str(named[group]) for group in GROUPS}
    flat, plain = (to_mapping(p) for p in (parameters, with_presets(replace(Parameters(), usecases=parameters.usecases), chosen)))
    words = {name: value for name in RECORDS if (value := _at(flat, name)) != _at(plain, name)}
    words |= {name: value for name, value in item.values.items() if name not in GROUPS}
    if population:
        own = population.organisation(item.seed, parameters, given=item.values if item.given is None else item.given)
        words |= {name: _at(flat, name) for name in replace(population, fixed=frozenset()).drawn}
        words = {name: value for name, value in words.items() if name not in own}
    cases, usual = [case.name for case in parameters.usecases], (population and population.usecases) or ("demand",)
    known = set(cases) <= set(available("usecase")) and from_mapping({"usecases": cases}).usecases
    if parameters.usecases not in (Parameters().usecases, known):
        words["usecases"] = flat["usecases"]
    elif cases != list(usual):
        words["usecases"] = cases
    drawn = [override("population", population.name)] if population else []
    drawn += [shlex.quote(word) for word in overrides() if population and word.startswith("population.")]
    groups = {group: name for group, name in chosen.items() if name != DEFAULTS[group] or group in ("maturity", "strategy")}
    last = {**words, **groups, "seed": item.seed, "engine": plan.engine}
    return " ".join(["python -m experiments.run", *drawn, *(override(name, value) for name, value in last.items())])


def _at(values: Mapping[str, Any], name: str) -> Any:
    return reduce(operator.getitem, name.split("."), values)
