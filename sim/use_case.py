"""One use case of a running model: its records, its outcome, and the agents as they are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim import outcomes
from sim.schema import InvalidInput
from sim.state import State

if TYPE_CHECKING:
    import pandas as pd

    from sim.model import RolloutModel


class UseCase:
    """A use case that has begun, as ``model.use_cases["promotion"]``.

    Attributes:
        name: of the use case.
        firm, units, teams, users: the enterprise and the agents, as they are in it.
        weekly, unit_weekly, events: pandas frames of what happened so far.
        outcome: the record of the run so far.
        state: the columns and records, read-only.
    """

    def __init__(self, model: RolloutModel, row: int) -> None:
        self._model, self._row = model, row
        self.name: str = model.parameters.usecases[row].name

    @property
    def state(self) -> State:
        """The columns, the records and the network: read-only, and as they are now."""
        return self._own().read_only()

    def _own(self) -> State:
        self._model._gather()
        return self._model._states.of(self._row)

    def _same(self, kind: str, row: int) -> Any:
        """The agent of a row, or the enterprise."""
        people = self._model._people(self._row)
        return people.firm if kind == "firm" else getattr(people, kind)[row]

    @property
    def firm(self) -> Any:
        """The enterprise, as it deals with this use case."""
        return self._model._people(self._row).firm

    @property
    def units(self) -> tuple[Any, ...]:
        """Business units, in the order of their rows."""
        return tuple(self._model._people(self._row).units)

    @property
    def teams(self) -> tuple[Any, ...]:
        """Teams."""
        return tuple(self._model._people(self._row).teams)

    @property
    def users(self) -> tuple[Any, ...]:
        """Planners: the same people as in the other use cases."""
        return tuple(self._model._people(self._row).users)

    @property
    def weekly(self) -> pd.DataFrame:
        """The use case week by week, zeros before it began (see :data:`sim.state.WEEK`)."""
        return outcomes.weekly_frame(self._own().weekly[: self._model.week])

    @property
    def unit_weekly(self) -> pd.DataFrame:
        """The units week by week (see :data:`sim.state.UNIT_WEEK`)."""
        return outcomes.unit_frame(self._own(), self._model.week)

    @property
    def events(self) -> pd.DataFrame:
        """What happened in it: week, event, unit, value, and words."""
        return outcomes.event_frame(self._own())

    @property
    def outcome(self) -> dict[str, Any]:
        """The record of the use case so far (see :func:`sim.outcomes.outcome`)."""
        if self._model.week == 0:
            raise InvalidInput("outcome", 0, "a model that has run for at least one week")
        return outcomes.outcome(self._own(), self._model.week, self._model.parameters)

    def __repr__(self) -> str:
        return f"UseCase({self.name!r})"


__all__ = ["UseCase"]
