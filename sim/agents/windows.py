"""What a user holds between weeks: agents whose variables are checked as they are set, whichever engine runs.

A window is a subclass of the agent's class. On the compiled engine it reads and writes the columns, and stays. On the textbook engine
it reads and writes the agent's own attributes, and is put off while a week runs, whose rules then meet ordinary attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.schema import InvalidInput
from sim.state import Variable

if TYPE_CHECKING:
    from sim.agents.base import Carrier


class Numbers(Sequence):
    """The numbers of a variable that holds several, as they are now; each is checked as it is set."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner, self._name = owner, name

    def _now(self) -> list[float]:
        holder, key = self._owner._cell(self._name)
        return list(map(float, holder[key]))

    def __len__(self) -> int:
        return len(self._now())

    def __getitem__(self, k: Any) -> Any:
        return self._now()[k]

    def __iter__(self) -> Iterator[float]:
        return iter(self._now())

    def __setitem__(self, k: Any, value: Any) -> None:
        numbers = np.array(self._now(), dtype=object)
        numbers[k] = value
        setattr(self._owner, self._name, numbers.tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._now(), dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._now() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._now())


class Window:
    """What windows share."""

    inner: type
    on_columns: bool

    def _cell(self, name: str) -> tuple[Any, Any]:
        """What holds a variable, and under which key."""
        own = self.__dict__
        return (own["_columns"][name], own["row"]) if self.on_columns else (own, name)

    def __reduce__(self) -> tuple:
        return _empty, (self.inner, self.on_columns), self.__dict__


def _empty(cls: type, on_columns: bool) -> Any:
    return object.__new__(window(cls, on_columns))


@lru_cache(maxsize=64)
def window(cls: type[Carrier], on_columns: bool) -> type[Carrier]:
    """The subclass of ``cls`` whose variables are checked as they are set."""
    fields: dict[str, Any] = {name: _variable(cls, name, v) for name, v in cls.variables.items()}
    fields |= {name: _tie(cls, name) for name in cls.ties}
    fields.update(inner=cls, on_columns=on_columns, __module__=cls.__module__, __qualname__=cls.__qualname__, __doc__=cls.__doc__)
    return type(cls.__name__, (Window, cls), fields)


def _variable(cls: type, name: str, variable: Variable) -> property:
    def read(self: Any) -> Any:
        holder, key = self._cell(name)
        value = holder[key]
        return Numbers(self, name) if variable.size else value.item() if isinstance(value, np.generic) else value

    def write(self: Any, value: Any) -> None:
        value = variable.check(f"{cls.__name__}.{name}", value)
        holder, key = self._cell(name)
        holder[key] = value
        if variable.log:
            holder, key = self._cell(variable.log)
            holder[key] = float(np.log(value))

    return property(read, write)


def _tie(cls: type, name: str) -> property:
    def read(self: Any) -> Any:
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"{cls.__name__}.{name} is not known while the agent is made") from None

    def write(self: Any, value: Any) -> None:
        raise InvalidInput(f"{cls.__name__}.{name}", value, "nothing: who belongs to whom and who sees whom is fixed in week 0")

    return property(read, write)
