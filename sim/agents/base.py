"""What the three kinds of agent share: fields that are ordinary attributes, or windows on columns.

The textbook engine makes agents whose fields are ordinary Python attributes. The compiled engine
keeps them in columns; its agents read and write these through properties, and are made only when
somebody asks for them. Either way they are instances of the class the model was given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import mesa
import numpy as np

from sim.schema import InvalidInput


class _BetweenWeeks:
    """Stands where a week's variates stand while it runs: costs nothing in the week, and refuses ``step`` outside it."""

    def __getitem__(self, row: int) -> float:
        raise InvalidInput("User.step", "between weeks", "model.step(), which steps all planners in their place in the week")


BETWEEN_WEEKS = _BetweenWeeks()


class PlanningAgent(mesa.Agent):
    """A Mesa agent that is one row of the state.

    Attributes:
        row: its row among the agents of its kind.
        dtype: its fields (see :mod:`sim.state`).
        rules: names of the behaviours a subclass may override.
    """

    dtype: ClassVar[np.dtype]
    rules: ClassVar[tuple[str, ...]] = ()
    row: int

    if TYPE_CHECKING:  # the fields named by dtype

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, model: Any, row: int, values: tuple | None) -> None:
        super().__init__(model)
        self.row = row
        if values is not None:
            self.__dict__.update(zip(self.dtype.names or (), values, strict=True))

    def step(self) -> None:
        """Refused: units and teams act in several phases of the week."""
        raise InvalidInput(f"{type(self).__name__}.step", f"agent {self.unique_id}", "model.step(), which runs the phases of the week")

    def remove(self) -> None:
        """Refused: people leave by turnover, which fills their seat, and units by retirement."""
        raise InvalidInput(
            f"{type(self).__name__}.remove", f"agent {self.unique_id}", "a fixed population: agents are replaced, not removed"
        )

    @classmethod
    def create_agents(cls, model: Any, n: int, *args: Any, **kwargs: Any) -> Any:
        """Refused: the enterprise's sizes are parameters."""
        raise InvalidInput(f"{cls.__name__}.create_agents", n, "a fixed population: its size is enterprise.units, teams and users")


@lru_cache(maxsize=64)
def window[A: PlanningAgent](cls: type[A]) -> type[A]:
    """The subclass of ``cls`` whose fields are windows on the columns of a compiled model."""

    def field(name: str) -> property:
        def read(self: Any) -> Any:
            value = self.columns[name][self.row]
            return value if isinstance(value, np.ndarray) else value.item()

        def write(self: Any, value: Any) -> None:
            self.columns[name][self.row] = value

        return property(read, write)

    fields: dict[str, Any] = {name: field(name) for name in cls.dtype.names or ()}
    fields.update(__module__=cls.__module__, __qualname__=cls.__qualname__, __doc__=cls.__doc__, columns=None)
    return type(cls.__name__, (cls,), fields)
