"""What lets a loop over planners run eight at a time: planners of a block as columns, everything else as plain values.

A rule reads ``user.trust`` and writes ``user.choice``, whatever ``user`` is. In the compiled loop over a block it is a place in a small
table whose columns lie one behind the other; units and parameters are copies that nothing writes to. LLVM then sees plain arithmetic on
columns, and makes vector instructions of the very rules that the textbook engine calls: IEEE arithmetic either way, so the same bits.
A rule that it cannot vectorise runs one planner at a time on the same table.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.errors import NumbaError
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, lower_getattr_generic, lower_setattr_generic, models, register_model

#: Planners in a block: its table stays in the first cache.
BLOCK = 256
#: From one column to the next: a line more than a block, so that columns do not compete for the same lines of the cache.
STRIDE = BLOCK + 8


# --------------------------------------------------------------------------- a place in the table


class Place(types.Type):
    """The type of one planner's place: the table's address, and where in the block; ``columns`` says which column holds a field."""

    def __init__(self, kind: str, columns: tuple[tuple[str, int, bool], ...], written: tuple[str, ...]) -> None:
        self.columns = {name: (column, whole) for name, column, whole in columns}
        self.written = written
        super().__init__(name=f"Place({kind}, {columns}, {written})")


@register_model(Place)
class _PlaceModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("table", types.CPointer(types.float64)), ("at", types.intp)])


@infer_getattr
class _PlaceFields(AttributeTemplate):
    key = Place

    def generic_resolve(self, place: Any, name: str) -> Any:  # type: ignore[override]
        if name in place.columns:
            return types.int64 if place.columns[name][1] else types.float64
        return None


def _slot(context: Any, builder: Any, place: Any, value: Any, name: str) -> Any:
    """The address of a field: columns begin ``STRIDE`` numbers after each other, which LLVM sees and so knows them apart."""
    column, whole = place.columns[name]
    table, at = builder.extract_value(value, 0), builder.extract_value(value, 1)
    address = builder.gep(builder.gep(table, [ir.Constant(ir.IntType(64), column * STRIDE)]), [at], inbounds=True)
    return builder.bitcast(address, ir.PointerType(ir.IntType(64))) if whole else address


@lower_getattr_generic(Place)
def _read(context: Any, builder: Any, place: Any, value: Any, name: str) -> Any:
    return builder.load(_slot(context, builder, place, value, name))


@lower_setattr_generic(Place)
def _write(context: Any, builder: Any, signature: Any, arguments: Any, name: str) -> Any:
    place, given = signature.args
    if name not in place.written:
        raise NumbaError(f"a planner's rule writes {name} of somebody else")
    wanted = types.int64 if place.columns[name][1] else types.float64
    builder.store(context.cast(builder, arguments[1], given, wanted), _slot(context, builder, place, arguments[0], name))


def place_of(
    kind: str, dtype: np.dtype, fields: Iterable[str], first: int, written: Iterable[str] = ()
) -> tuple[Callable, Callable, Callable, int]:
    """What deals with planners as places in a table that begins with column ``first``.

    Returns:
        ``at(table, i)``, the place; ``load(place, row)``, which copies ``fields`` from a row of ``dtype``, and ``store(place, row)``, which
        copies those ``written`` back; and the next free column.
    """
    columns = tuple((name, first + k, dtype[name].kind != "f") for k, name in enumerate(fields))
    place = Place(kind, columns, tuple(written))

    @intrinsic
    def at(context: Any, table: Any, i: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            made = builder.insert_value(ir.Constant(context.get_value_type(place), ir.Undefined), array.data, 0)
            return builder.insert_value(made, arguments[1], 1)

        return place(table, types.intp), code

    def copying(store: bool) -> Callable:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, row = signature.args
            for name in written if store else place.columns:
                whole = place.columns[name][1]
                held, slot = row.typeof(name), types.int64 if whole else types.float64
                if store:
                    value = context.cast(builder, _read(context, builder, place, arguments[0], name), slot, held)
                    context.get_setattr(name, _signature(row, held))(builder, (arguments[1], value))
                else:
                    value = context.get_getattr(row, name)(context, builder, row, arguments[1], name)
                    builder.store(context.cast(builder, value, held, slot), _slot(context, builder, place, arguments[0], name))
            return context.get_dummy_value()

        @intrinsic
        def copy(context: Any, place: Any, row: Any) -> Any:
            return types.void(place, row), code

        return copy

    return at, copying(False), copying(True), first + len(columns)


def _signature(row: Any, held: Any) -> Any:
    from numba.core.typing import signature

    return signature(types.void, row, held)


def touched(rules: Iterable[Callable], argument: int, dtype: np.dtype, write: bool = False) -> tuple[str, ...]:
    """Fields that rules read or write, or ``write`` only, of the agent that is their argument number ``argument``.

    Of a function that they call, all names count, whatever they belong to: more fields do no harm.
    """
    names: set[str] = set()
    seen: set[Any] = set()
    waiting: list[tuple[Any, int | None]] = [(rule, argument) for rule in rules]
    while waiting:
        function, place = waiting.pop()
        function = getattr(function, "py_func", function)
        if not isinstance(function, FunctionType) or (function, place) in seen:
            continue
        seen.add((function, place))
        agent = None if place is None else function.__code__.co_varnames[place]
        owner: Any = None  # what the next attribute belongs to
        added_to = set()  # attributes of the agent in x.a += …, which writes them after other steps
        for step in dis.get_instructions(function):
            if step.opname in ("LOAD_ATTR", "STORE_ATTR"):
                his = agent in (None, owner) or (step.opname == "STORE_ATTR" and step.argval in added_to)
                if his and (step.opname == "STORE_ATTR" or not write):
                    names.add(step.argval)
                if his:
                    added_to.add(step.argval)
            elif step.opname == "LOAD_GLOBAL":
                waiting.append((function.__globals__.get(step.argval), None))
            if step.opname != "COPY":
                owner = step.argval[-1] if isinstance(step.argval, tuple) else step.argval
    return tuple(name for name in dtype.names or () if name in names)


# --------------------------------------------------------------------------- rows that are only read


class ReadOnlyRow(types.Record):
    """The type of a row that nothing writes to, nor to what it holds."""

    def typeof(self, name: str) -> Any:
        """What a field is: rows and arrays in it are only read, too."""
        held = super().typeof(name)
        if isinstance(held, types.Record):
            return read_only(held)
        return ReadOnlyArray(held.dtype, held.shape) if isinstance(held, types.NestedArray) else held


class ReadOnlyArray(types.NestedArray):
    """The type of an array in such a row."""

    def __init__(self, dtype: Any, shape: tuple[int, ...]) -> None:
        super().__init__(dtype, shape)
        self.mutable = False


register_model(ReadOnlyRow)(models.RecordModel)
register_model(ReadOnlyArray)(models.NestedArrayModel)


def read_only(row: Any) -> ReadOnlyRow:
    """The type of a row, for reading."""
    return ReadOnlyRow([(name, field._asdict()) for name, field in row.fields.items()], row.size, row.aligned)


@lower_setattr_generic(ReadOnlyRow)
def _refuse(context: Any, builder: Any, signature: Any, arguments: Any, name: str) -> Any:
    raise NumbaError(f"{name} is only read here: a rule writes to its own agent")


def _private(context: Any, row: Any) -> Any:
    """A copy of a row for reading: as nothing else points to it, LLVM knows that it stays as it is while a loop runs."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = cgutils.alloca_once(builder, arguments[0].type.pointee)
        cgutils.raw_memcpy(builder, made, arguments[0], ir.Constant(ir.IntType(64), row.size), 1)
        return made

    return read_only(row)(row), code


#: In plain Python, where rows are records of NumPy, the row itself.
private: Any = (lambda row: row) if config.DISABLE_JIT else intrinsic(_private)  # type: ignore[attr-defined]
