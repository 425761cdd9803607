"""The agents of one model: made, tied to each other, opened for a week, and what Mesa knows of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from mesa.agentset import _HardKeyAgentSet

from sim.agents.base import Firm
from sim.agents.business_unit import BusinessUnit
from sim.agents.team import Team
from sim.agents.user import User
from sim.agents.windows import window
from sim.schema import InvalidInput
from sim.state import State, Variable

KINDS = (BusinessUnit, Team, User)


class Everybody(_HardKeyAgentSet):
    """All agents of a model or of a class. Nobody comes or goes; selections and copies are sets of one's own."""

    def _fixed(self, *_: Any, **__: Any) -> Any:
        raise InvalidInput("model.agents", "a change of who belongs to it", "a fixed population; agents.copy() may be changed")

    add = discard = remove = _update = clear = pop = _fixed  # type: ignore[assignment]

    def shuffle(self, inplace: bool = False) -> Any:
        """A shuffled copy."""
        return self._fixed() if inplace else super().shuffle()

    def sort(self, key: Any, ascending: bool = False, inplace: bool = False) -> Any:
        """A sorted copy."""
        return self._fixed() if inplace else super().sort(key, ascending)


class Population:
    """The enterprise and its agents, as windows.

    Attributes:
        use_case: row of the use case that the agents are seen in.
        firm: the enterprise itself, which is no Mesa agent.
        units, teams, users: agents in the order of their rows.
        everybody, by_type: the same as Mesa's sets; of the classes the model was given, and of those they stand for.
        order: rows of the units in wave order.
    """

    def __init__(self, model: Any, state: State, use_case: int = 0) -> None:
        self.on_columns = model.engine == "compiled"
        self.use_case = use_case
        self.firm = self._made(Firm, state.firm)[0]
        self.firm.__dict__["model"] = model
        kinds: dict[type, Any] = {base: model.agent_classes[base] for base in KINDS}
        tables: dict[type, np.ndarray] = {BusinessUnit: state.units, Team: state.teams, User: state.users}
        made: dict[type, list[Any]] = {}
        for base, cls in kinds.items():
            made[base] = self._made(cls, tables[base])
            for agent in made[base]:
                agent.__init__(model, agent.__dict__["row"])  # which may read variables
        self.units, self.teams, self.users = made[BusinessUnit], made[Team], made[User]
        self._tie(state)
        self.order = state.order.tolist()
        sets = {base: Everybody(agents, random=model.random) for base, agents in made.items()}
        self.everybody = Everybody([agent for agents in made.values() for agent in agents], random=model.random)
        self.by_type = {**sets, **{kinds[base]: agents for base, agents in sets.items()}}
        self._classes: list[tuple[list[Any], Any]] = [
            (self.units, kinds[BusinessUnit]),
            (self.teams, kinds[Team]),
            (self.users, kinds[User]),
            ([self.firm], Firm),
        ]

    def _made(self, cls: Any, rows: np.ndarray) -> list[Any]:
        """Windows of a class, with their values and not yet initialised."""
        made = [object.__new__(window(cls, self.on_columns)) for _ in range(len(rows))]
        if self.use_case:
            for agent in made:
                agent.__dict__["use_case"] = self.use_case
        if self.on_columns:
            columns = {name: rows[name] for name in cls.variables}
            for row, agent in enumerate(made):
                agent.__dict__.update(_columns=columns, row=row)
        else:
            for row, (agent, values) in enumerate(zip(made, map(_plain, rows.tolist()), strict=True)):
                agent.__dict__.update(zip(cls.variables, values, strict=True), row=row)
        return made

    def _tie(self, state: State) -> None:
        first, peers = state.peers_first.tolist(), state.peers.tolist()
        spans = list(zip(state.teams["first"].tolist(), state.teams["last"].tolist(), strict=True))
        units = zip(self.units, state.unit_names, state.units["first"].tolist(), state.units["last"].tolist(), strict=True)
        for unit, name, start, stop in units:
            unit.__dict__.update(name=name, teams=tuple(self.teams[start:stop]))
            for team, (i, j) in zip(unit.teams, spans[start:stop], strict=True):
                team.__dict__.update(unit=unit, users=tuple(self.users[i:j]))
                for row, user in enumerate(team.users, i):
                    seen = tuple([self.users[peer] for peer in peers[first[row] : first[row + 1]]])
                    user.__dict__.update(team=team, unit=unit, peers=seen)

    def open(self) -> None:
        """Put the windows off: a textbook week begins."""
        for agents, cls in self._classes:
            for agent in agents:
                object.__setattr__(agent, "__class__", cls)  # past the window's own, which checks what is set

    def close(self) -> None:
        """Put them on again."""
        for agents, cls in self._classes:
            shown = window(cls, False)
            for agent in agents:
                agent.__class__ = shown

    def scatter(self, state: State) -> None:
        """Read what the textbook engine's agents carry from the columns."""
        for rows, (agents, cls) in zip((state.units, state.teams, state.users, state.firm), self._classes, strict=True):
            for agent, values in zip(agents, map(_plain, rows.tolist()), strict=True):
                agent.__dict__.update(zip(cls.variables, values, strict=True))

    def gather(self, state: State) -> None:
        """Write what the textbook engine's agents carry into the columns."""
        for rows, (agents, cls) in zip((state.units, state.teams, state.users, state.firm), self._classes, strict=True):
            for name, variable in cls.variables.items():
                rows[name] = _column(f"{cls.__name__}.{name}", variable, [agent.__dict__[name] for agent in agents])


def _column(key: str, variable: Variable, values: list[Any]) -> np.ndarray:
    """Values as their column holds them.

    Raises:
        InvalidInput: naming the first that it cannot hold, which a rule of one's own wrote.
    """
    made = _held(variable, values)
    if made is None:
        wrong = next((value for value in values if _held(variable, [value]) is None), values)
        raise InvalidInput(key, wrong, f"rules that write {_holds(variable)}")
    return made


def _held(variable: Variable, values: list[Any]) -> np.ndarray | None:
    """Values as a column, or nothing where one would be lost or changed."""
    try:
        made = np.array(values, variable.type)
        exact = made.dtype.kind == "f" or bool((made == np.array(values)).all())
    except (OverflowError, TypeError, ValueError):
        return None
    return made if exact and made.shape[1:] == ((variable.size,) if variable.size else ()) else None


def _holds(variable: Variable) -> str:
    """What a column can hold, in words."""
    many, unit = f"{variable.size} times " if variable.size else "", f" [{variable.record.unit}]" if variable.record.unit else ""
    column = np.dtype(variable.type)
    if column.kind == "f":
        return f"{many}a number{unit}"
    small = f" from {np.iinfo(column).min} to {np.iinfo(column).max}" if column.itemsize < 8 else ""
    return f"{many}a whole number{small}{unit}"


def _plain(values: tuple) -> tuple:
    return tuple(v.tolist() if isinstance(v, np.ndarray) else v for v in values)
