"""What the enterprise and the three kinds of agent share: variables that are ordinary attributes, or windows on columns.

The textbook engine's weeks meet agents whose variables are ordinary Python attributes. The compiled engine
keeps them in columns, and makes agents only when somebody asks for them. What a user holds is a window
either way (:mod:`sim.agents.windows`), an instance of the class the model was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import mesa

from sim.schema import InvalidInput
from sim.state import FIRM_VARIABLES, Variable


class _BetweenWeeks:
    """Stands where a week's variates stand while it runs: costs nothing in the week, and refuses ``step`` outside it."""

    def __getitem__(self, row: int) -> float:
        raise InvalidInput("User.step", "between weeks", "model.step(), which steps all planners in their place in the week")

    def __reduce__(self) -> str:
        return "BETWEEN_WEEKS"  # a copied or unpickled model is told by the same object that it is between weeks


BETWEEN_WEEKS = _BetweenWeeks()


class Carrier:
    """Whoever carries state variables.

    Attributes:
        row: its row among those of its kind.
        variables: what it carries (see :mod:`sim.state`).
        ties: attributes that say who belongs to whom; set once.
    """

    variables: ClassVar[Mapping[str, Variable]]
    ties: ClassVar[tuple[str, ...]] = ("row",)
    row: int
    use_case: int = 0
    kind: ClassVar[str] = "firm"

    @property
    def use_cases(self) -> Mapping[str, Any]:
        """The same in each use case that has begun, by name: ``user.use_cases["promotion"].trust``."""
        return {name: case._same(self.kind, self.row) for name, case in self.model.use_cases.items()}

    if TYPE_CHECKING:  # the variables

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class Firm(Carrier):
    """The enterprise itself: central team, shared platform, what is decided for all. Its variables are :data:`sim.state.FIRM`."""

    variables = FIRM_VARIABLES

    def one_for_all(self, name: str) -> list[Firm]:
        """The enterprise in the other use cases, for a variable that all of them share: the central team's budget, the platform's core."""
        shared = ("budget", "core") if self.model.parameters.strategy.portfolio.platform == "shared" else ("budget",)
        return [firm for firm in self.use_cases.values() if firm.use_case != self.use_case] if name in shared else []


class PlanningAgent(Carrier, mesa.Agent):
    """A Mesa agent that is one row of the state.

    Attributes:
        rules: names of the behaviours a subclass may override.
    """

    rules: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model: Any, row: int) -> None:
        """Only the model makes agents, whose row and variables can be read before."""
        super().__init__(model)

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
