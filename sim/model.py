"""The enterprise as a Mesa model: one step is one week."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Mapping
from functools import cached_property
from numbers import Integral
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

from sim import libraries  # noqa: F401 (it loads them, and quicker than the lines below would)

# isort: split
import mesa
import networkx as nx
import numpy as np
import pandas as pd
from mesa.agentset import _HardKeyAgentSet

from sim import ENGINES, outcomes, textbook, totals
from sim import engine as compiled
from sim import network as networks
from sim.agents.base import BETWEEN_WEEKS, Firm, PlanningAgent
from sim.agents.population import KINDS, Population
from sim.agents.windows import Window
from sim.bottleneck import Bottleneck
from sim.changes import STANDING, changed, differences
from sim.configuration import as_namespace, as_record, checked, resolve
from sim.enterprise import begin, create
from sim.layout import Layout, generated_layout
from sim.parameters import Parameters
from sim.schema import InvalidInput
from sim.state import State
from sim.use_case import UseCase


class RolloutModel(mesa.Model):
    """A demand-forecasting capability on its way from a pilot into an enterprise's planning.

    Args:
        strategy, maturity, enterprise, network, forecast: name of a preset in ``configs/``, or a
            mapping of values. ``network`` may be a NetworkX graph.
        weeks: horizon [weeks]; the default is the parameters'.
        rng: seed of the run, a whole number from 0; drawn and kept in ``seed_used`` if None.
        engine: ``compiled`` or ``textbook``; both give the same bits.
        parameters: a complete :class:`sim.parameters.Parameters` instead of presets.
        overrides: dotted parameters, ``**{"trust.loss": 0.1}``.

    Raises:
        InvalidInput: a ValueError with ``key``, ``value`` and ``allowed``.

    Attributes:
        weekly, units, events: pandas frames of what happened so far.
        outcome: the record of the run so far.
        parameters, p: what is in force, complete, and as the rules read it; both read-only (:meth:`change`).
        state: the columns and records, read-only.
        firm: the enterprise itself, whose variables may be set between weeks as those of the agents; events tell it.
        network: the NetworkX graph, with ``unit`` and ``team`` on its nodes.
        agents, agents_by_type, datacollector: as in every Mesa model.
    """

    #: The classes of the agents. A subclass of the model may put its own here.
    agent_classes: ClassVar[Mapping[type[PlanningAgent], type[PlanningAgent]]] = {cls: cls for cls in KINDS}
    #: The week's variates of each planner, while a textbook week runs.
    chance: Any = BETWEEN_WEEKS
    noise: Any = BETWEEN_WEEKS
    #: Weekly measures the default DataCollector reports.
    reporters: ClassVar[tuple[str, ...]] = (
        "users_using",
        "reliance",
        "trust",
        "teams_trust_and_use",
        "units_live",
        "support_ratio",
        "quality",
        "net",
        "cumulative_net",
    )

    def __init__(
        self,
        strategy: Any = None,
        maturity: Any = None,
        enterprise: Any = None,
        network: Any = None,
        forecast: Any = None,
        weeks: int | None = None,
        rng: Any = None,
        engine: str = "compiled",
        parameters: Parameters | None = None,
        **overrides: Any,
    ) -> None:
        if engine not in ENGINES:
            raise InvalidInput("engine", engine, "one of " + ", ".join(ENGINES))
        if "seed" in overrides:
            raise InvalidInput("seed", overrides["seed"], f"the seed as rng={overrides['seed']!r}, as Mesa's models have it")
        if set(self.agent_classes) != set(KINDS) or not all(issubclass(cls, base) for base, cls in self.agent_classes.items()):
            raise InvalidInput(
                f"{type(self).__name__}.agent_classes",
                [c.__name__ for c in self.agent_classes],
                "{**RolloutModel.agent_classes, User: YourUser}",
            )
        seed = _seed(rng)
        super().__init__(rng=seed)
        graph = network if isinstance(network, nx.Graph) else None
        if graph is not None:
            network = {"kind": "graph"}
        given = {"strategy": strategy, "maturity": maturity, "enterprise": enterprise, "network": network, "forecast": forecast}
        given = {group: value for group, value in given.items() if value is not None}
        if weeks is not None:
            overrides = {"weeks": weeks, **overrides}
        if parameters is None:
            parameters = resolve(given, overrides)
        elif {**given, **overrides}.keys() - ({"network"} if graph is not None else set()):
            raise InvalidInput("parameters", sorted({**given, **overrides}), "complete parameters, with nothing beside them")
        parameters = checked(parameters)
        self.__dict__.update(parameters=parameters, engine=engine, seed_used=seed)
        self._record = as_record(parameters)
        self._layout = _layout(parameters, graph)
        self._states = create(parameters, self._layout, seed)
        self._week = 0
        self._populations: dict[int, Population] = {}
        if engine == "textbook":
            self._everybody()
        else:
            self._rules = compiled.check_rules(self.agent_classes)

    # ------------------------------------------------------------------ the week

    def step(self) -> None:
        """One week, in this order.

        | # | phase | who | what happens |
        |---|---|---|---|
        | 1 | disturb | units, enterprise | priority shocks, demand shifts, leaders leave; a new executive may relaunch |
        | 2 | support | enterprise, units | live units are patched by hand, before anything is built |
        | 3 | build | enterprise, units, teams | what is left goes to model, platform and the workflow of teams that want it |
        | 4 | roll out | enterprise, units | gate, waves, approval and readiness gate, go-live |
        | 5 | wear | units | platform wears; debt grows where it is missing |
        | 6 | forecast | units, teams | this week's error, and whether it is on time |
        | 7 | decide and learn | users | some leave; the others plan on the forecast or not; errors move trust, choices habit |
        | 8 | meet | teams, units | two sets of numbers are reconciled, the norm follows; numbers go downstream |
        | 9 | correct | units | corrections repair data and refresh the model |
        | 10 | account | units | value, cost, ledger |
        | 11 | sponsor | units, enterprise | backing follows visible success |
        | 12 | record | enterprise, units | the week is written down, the pilot remembered |
        | 13 | review | units, enterprise | quarterly, retirement or the end |

        Both engines number their phases alike.
        """
        if self.week >= self.parameters.weeks:
            self.running = False
            return
        if self.engine == "compiled":
            compiled.advance(self._states, self._rules, self.week, 1, self._record)
        else:
            textbook.week(self, self._states, self._everybody())
        self._week += 1
        self._begin()
        if self.week == self.parameters.weeks:
            self.running = False
            self._default_schedule.stop()
        if "datacollector" in self.__dict__:
            self.datacollector.collect(self)

    def _begin(self) -> None:
        """Let the use cases begin whose turn it is."""
        if self.week == self.parameters.weeks or not self._states.begins:
            return
        self._gather()
        began = begin(self._states, self.week, self.parameters, self._layout, self.seed_used)
        if began and self.engine == "textbook":
            for u, people in self._everybody().items():
                people.scatter(self._states.of(u))

    def run(self, progress: Callable[[int], None] | None = None) -> RolloutModel:
        """Run to the horizon; returns the model. The compiled engine then takes many weeks at a time.

        ``progress`` is called now and then with the number of weeks done.

        It goes week by week where something watches single weeks: a data collector, scheduled
        events, or a subclass with a ``step`` of its own.
        """
        watched = "datacollector" in self.__dict__ or type(self).step is not RolloutModel.step or len(self._event_list) > 1
        if self.engine == "textbook" or watched:
            while self.running and self.week < self.parameters.weeks:
                self.step()
                if progress:
                    progress(self.week)
            return self
        if self.running and self.week < self.parameters.weeks:
            self._default_schedule.stop()
        while self.running and self.week < self.parameters.weeks:
            weeks = compiled.advance(self._states, self._rules, self.week, self.parameters.weeks - self.week, self._record)
            self._week += weeks
            self.steps += weeks
            self.time += float(weeks)
            self._begin()
            if progress:
                progress(self.week)
        self.running = False
        return self

    run_model = run

    def run_for(self, duration: float) -> None:
        """Run ``duration`` weeks, a whole number from 1, or those that are left."""
        if isinstance(duration, bool) or not isinstance(duration, Integral) or duration < 1:
            raise InvalidInput("run_for", duration, "a whole number of weeks, at least 1")
        super().run_for(int(duration))

    def change(self, changes: Mapping[str, Any]) -> RolloutModel:
        """Give parameters other values from the next week on: ``model.change({"trust.loss": 0.2})``; returns the model.

        All are checked before any acts. :attr:`events` say what was changed and when, :attr:`parameters` are those in force.

        Raises:
            InvalidInput: for what a configuration could not have either, for what only acts in week 0 or on the whole run, within a
                week, and after the last one.
        """
        if self.chance is not BETWEEN_WEEKS:
            raise InvalidInput("model.change", changes, f"a call between weeks, not in the middle of week {self.week}")
        if self.week >= self.parameters.weeks:
            raise InvalidInput("model.change", changes, f"a call before the end: all {self.week} weeks are done")
        parameters = changed(self.parameters, changes)
        self._states.changes = (*self._states.changes, *differences(self.week, self.parameters, parameters, changes))
        self.__dict__.update(parameters=parameters, _record=as_record(parameters))
        self.__dict__.pop("p", None)  # made anew
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if name in STANDING:
            raise InvalidInput(f"model.{name}", value, STANDING[name])
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in STANDING:
            raise InvalidInput(f"model.{name}", "del", STANDING[name])
        super().__delattr__(name)

    @property
    def week(self) -> int:
        """Weeks done."""
        return self._week

    @property
    def state(self) -> State:
        """The columns, the records and the network, of the first use case, whichever engine runs: read-only, and as they are now."""
        self._gather()
        return self._states.of(0).read_only()

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """The use cases that have begun, by name."""
        return {self._states.names[u]: UseCase(self, u) for u in self._states.begun}

    def __copy__(self) -> RolloutModel:
        """A model of its own: a shallow copy would run on the arrays of the first."""
        return copy.deepcopy(self)

    @cached_property
    def p(self) -> SimpleNamespace:
        """The parameters as the rules read them, ``p.trust.loss``. They are those in force, and read-only on both engines."""
        return as_namespace(self._record[0])

    # ------------------------------------------------------------------ agents, as Mesa knows them

    def _people(self, u: int = 0) -> Population:
        """The agents as they are in a use case, made when they are first asked for."""
        if u not in self._populations:
            self._populations[u] = population = object.__new__(Population)  # which an agent that is being made may ask for
            population.__init__(self, self._states.of(u), u)  # type: ignore[misc]
            if u == 0:
                self._all_agents, self._agents_by_type = population.everybody, population.by_type
        return self._populations[u]

    def _everybody(self) -> dict[int, Population]:
        """The agents as they are in each use case that has begun, and in the first."""
        return {u: self._people(u) for u in self._states.running}

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: the compiled engine's agents are windows, made anew when they are asked for."""
        state = self.__dict__.copy()
        if self.engine == "compiled":
            state.update(_populations={}, _agents_by_type={}, _all_agents=_HardKeyAgentSet([], random=self.random))
        return state

    def register_agent(self, agent: Any) -> None:
        """Take an agent in that this model makes; refused for any other."""
        if not isinstance(agent, Window):
            raise InvalidInput(type(agent).__name__, "a new agent", "a fixed population: its size is enterprise.units, teams and users")
        if agent.use_case == 0:  # in a further use case it is somebody whom Mesa knows
            super().register_agent(agent)

    def deregister_agent(self, agent: Any) -> None:
        """Refused, as :meth:`remove_all_agents`."""
        agent.remove()

    def remove_all_agents(self) -> None:
        """Refused: people leave by turnover, which fills their seat, and units by retirement."""
        raise InvalidInput("remove_all_agents", "all agents", "a fixed population: agents are replaced, not removed")

    def columns(self) -> dict[str, np.ndarray]:
        """The state now as structured arrays ``firm``, ``units``, ``teams`` and ``users``: read-only copies, whichever engine runs.

        With several use cases it is that of the first; the others' is in :attr:`use_cases`.
        What is to change between weeks is set on the agents.
        """
        self._gather()
        state = self._states.of(0)
        tables = {name: getattr(state, name).copy() for name in ("firm", "units", "teams", "users")}
        for rows in tables.values():
            rows.flags.writeable = False
        return tables

    def _gather(self) -> None:
        """Write what the textbook engine's agents carry into the columns."""
        if self.engine == "textbook" and self.chance is BETWEEN_WEEKS:
            for u, people in self._populations.items():
                people.gather(self._states.of(u))

    @property
    def firm(self) -> Firm:
        """The enterprise itself: budget, quality of the central model, shared core (see :data:`sim.state.FIRM_VARIABLES`)."""
        return self._people().firm

    @property
    def agents(self) -> Any:
        """All agents: units, teams, planners."""
        self._people()
        return self._all_agents

    @property
    def agents_by_type(self) -> Any:
        """Agents by class: ``model.agents_by_type[User]``; read-only."""
        self._people()
        return MappingProxyType(self._agents_by_type)

    @property
    def agent_types(self) -> list[type]:
        """The classes of the agents."""
        return list(self.agent_classes.values())

    @cached_property
    def datacollector(self) -> mesa.DataCollector:
        """A Mesa DataCollector of the weekly measures; what happened before it was asked for is filled in."""
        collector = mesa.DataCollector(model_reporters={name: [_latest, [self, name]] for name in self.reporters})
        for name in self.reporters:
            collector.model_vars[name] = self.records[name].tolist()
        collector._collection_steps = [float(week + 1) for week in range(self.week)]
        return collector

    # ------------------------------------------------------------------ results

    @property
    def records(self) -> np.ndarray:
        """The enterprise week by week over all use cases, as a structured array (see :func:`sim.totals.together`); with one, its own."""
        return totals.together(self._states, self.week, self.parameters)

    @property
    def weekly(self) -> pd.DataFrame:
        """The enterprise week by week (see :data:`sim.state.WEEK`)."""
        return outcomes.weekly_frame(self.records)

    @property
    def units(self) -> pd.DataFrame:
        """The units week by week (see :data:`sim.state.UNIT_WEEK`); with several use cases, of each that has begun."""
        return totals.of_use_cases(self._states, lambda state: outcomes.unit_frame(state, self.week))

    @property
    def events(self) -> pd.DataFrame:
        """What happened: week, event, unit, value, and words."""
        self._gather()
        return totals.events(self._states)

    @property
    def outcome(self) -> dict[str, Any]:
        """The record of the run so far (see :func:`sim.outcomes.outcome`), over all use cases."""
        if self.week == 0:
            raise InvalidInput("outcome", 0, "a model that has run for at least one week")
        self._gather()
        return totals.overall(self._states, self.week, self.parameters)

    def bottleneck(self, week: int | None = None) -> Bottleneck:
        """What holds the rollout back after ``week`` weeks, or now (see :mod:`sim.bottleneck`), over all use cases.

        Parameters count as they are in force now: of a run whose parameters were changed on the way, ask before they change.
        """
        return totals.held_back(self._states, self.week if week is None else week, self.parameters)

    @cached_property
    def network(self) -> nx.Graph:
        """Who sees whom: nodes are planners' rows, with ``unit`` and ``team``."""
        return networks.as_graph(self._states.of(0))


def _seed(rng: Any) -> int:
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0 or rng >= 1 << 64:
        raise InvalidInput("seed", rng, "a whole number from 0 to 2^64 - 1")
    return int(rng)


def _layout(p: Parameters, graph: nx.Graph | None) -> Layout:
    if p.enterprise.source == "files" or p.network.kind in ("edges", "graph"):
        from sim import organisation

        return organisation.layout(p, graph)
    return generated_layout(p)


def _latest(model: RolloutModel, name: str) -> Any:
    return model.records[name][-1].item() if model.week else None


__all__ = ["PlanningAgent", "RolloutModel"]
