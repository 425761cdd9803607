"""What a user holds between weeks: agents whose variables are checked as they are set, whichever engine runs.

A window is a subclass of the agent's class. On the compiled engine it reads and writes the columns, and stays. On the textbook engine
it reads and writes the agent's own attributes, and is put off while a week runs, whose rules then meet ordinary attributes.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.schema import InvalidInput, nearest
from sim.state import Variable

if TYPE_CHECKING:
    from sim.agents.base import Carrier


#: What an agent is, by one of its ties.
KINDS = {"teams": "unit", "users": "team", "peers": "planner"}


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
        return self._now()[self._place(k)]

    def _place(self, k: Any) -> Any:
        """A place or a slice that is there; an IndexError beyond the end, as sequences have it."""
        most = len(self) - 1
        key, allowed = f"{self._owner.inner.__name__}.{self._name}", f"a place from 0 to {most}, or a slice of them"
        if isinstance(k, slice):
            return k
        if isinstance(k, bool) or not hasattr(k, "__index__"):
            raise InvalidInput(key, k, allowed)
        if not -most - 2 < (place := operator.index(k)) <= most:
            raise IndexError(str(InvalidInput(key, k, allowed)))
        return place

    def __iter__(self) -> Iterator[float]:
        return iter(self._now())

    def __setitem__(self, k: Any, value: Any) -> None:
        numbers = self._now()
        places = range(len(numbers))[self._place(k)]
        if isinstance(places, range):
            values = list(value) if isinstance(value, Sequence | np.ndarray) else [value] * len(places)
            if len(values) != len(places):
                raise InvalidInput(f"{self._owner.inner.__name__}.{self._name}", value, f"{len(places)} numbers for as many places, or one")
        else:
            places, values = [places], [value]  # type: ignore[assignment]
        for place, number in zip(places, values, strict=True):
            numbers[place] = number
        setattr(self._owner, self._name, numbers)

    def __delitem__(self, k: Any) -> None:
        raise InvalidInput(f"{self._owner.inner.__name__}.{self._name}", f"del [{k}]", f"{len(self)} numbers, always")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._now(), dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._now() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._now())


class Window:
    """What windows share."""

    inner: Any
    on_columns: bool
    use_case: int

    def _cell(self, name: str) -> tuple[Any, Any]:
        """What holds a variable, and under which key."""
        own = self.__dict__
        return (own["_columns"][name], own["row"]) if self.on_columns else (own, name)

    def _value(self, name: str) -> Any:
        """A variable as a plain number or a list of its own."""
        holder, key = self._cell(name)
        value = holder[key]
        return value.tolist() if isinstance(value, np.ndarray | np.generic) else list(value) if isinstance(value, list) else value

    def _made(self) -> bool:
        """Whether everybody is tied to whom they belong; before that, an ``__init__`` of one's own may run."""
        return all(name in self.__dict__ for name in self.inner.ties)

    def _log(self, name: str, before: Any) -> None:
        """Tell the model, whose events say what was set."""
        own, ties = self.__dict__, self.inner.ties
        kind = next((kind for tie, kind in KINDS.items() if tie in ties), "enterprise")
        unit = own["row"] if kind == "unit" else own["unit"].row if "unit" in ties else -1
        state = own["model"]._states.of(self.use_case)
        state.log_setting(own["model"].week, kind, name, unit, own["row"], before, self._value(name))

    def _sharing(self, name: str) -> list[Any]:
        """Who carries the same variable in other use cases, where it is one for all of them."""
        return self.inner.one_for_all(self, name) if hasattr(self.inner, "one_for_all") else []

    def __setattr__(self, name: str, value: Any) -> None:
        cls, key = self.inner, f"{self.inner.__name__}.{name}"
        if name in (*getattr(cls, "rules", ()), "step"):
            raise InvalidInput(key, value, "a method in a subclass that the model is given (docs/own-rule.md)")
        if self._made() and name in ("model", "unique_id", "use_case", "__class__", "inner", "on_columns"):
            raise InvalidInput(key, value, "nothing: it says which agent this is")
        known = hasattr(type(self), name) or name in self.__dict__ or any(name in inspect.get_annotations(c) for c in cls.__mro__)
        if self._made() and not known:
            settable = [variable for variable, v in cls.variables.items() if v.settable]
            raise InvalidInput(key, value, f"{nearest(name, settable)}; an attribute of your own is declared in a subclass")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in (*self.inner.variables, *self.inner.ties, "model", "unique_id", "use_case"):
            raise InvalidInput(f"{self.inner.__name__}.{name}", "del", "an agent that has all of its attributes")
        super().__delattr__(name)

    def __copy__(self) -> Any:
        """A copy apart from the model: it keeps its values, and what is set on it changes nobody else."""
        other = _empty(self.inner, False)
        other.__dict__.update({name: value for name, value in self.__dict__.items() if name != "_columns"}, _apart=True)
        other.__dict__.update({name: self._value(name) for name in self.inner.variables})
        return other

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
        if not self._made():  # on the compiled engine that is whenever somebody asks for the agents
            raise InvalidInput(f"{cls.__name__}.{name}", value, "no value while agents are made; set it once the model is made")
        before = self._value(name)
        holder, key = self._cell(name)
        holder[key] = value
        if "_apart" not in self.__dict__:
            if value != before:
                self._log(name, before)
            for other in self._sharing(name):
                holder, key = other._cell(name)
                holder[key] = list(value) if variable.size else value
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
