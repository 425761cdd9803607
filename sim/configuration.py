"""A configuration of the model: checked once, frozen, varied, told apart, and as the engines read it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from sim import presets
from sim.parameters import Parameters
from sim.schema import InvalidInput, Record, dtype_of, frozen, group_of, nearest, row_of, to_mapping


def from_mapping(values: Mapping[str, Any]) -> Parameters:
    """Check a nested mapping and freeze it.

    Missing fields keep their defaults; unknown keys, wrong types, values out of range and shares
    that do not add up raise :class:`sim.schema.InvalidInput`, which names the key. Use cases may be named.
    """
    usecases = values.get("usecases") if isinstance(values, Mapping) else None
    if isinstance(usecases, list | tuple):
        values = {**values, "usecases": [_use_case(each) if isinstance(each, str) else each for each in usecases]}
    return marked(frozen(values, Parameters))


def _use_case(name: str) -> dict[str, Any]:
    """What the file of a use case says."""
    if name not in presets.available("usecase"):
        raise InvalidInput("usecases", name, nearest(name, presets.available("usecase")))
    return {**presets.load("usecase", name), "name": name}


def vary(parameters: Parameters, changes: Mapping[str, Any]) -> Parameters:
    """Checked parameters with other values for some dotted names, ``{"trust.loss": 0.1}``; checks the changed groups only."""
    tree: dict[str, Any] = {}
    for name, value in changes.items():
        node = tree
        *path, last = name.split(".")
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return marked(frozen(tree, Parameters, "", parameters))


def marked(parameters: Parameters) -> Parameters:
    """Parameters whose groups were all checked, marked as such."""
    object.__setattr__(parameters, "_checked", True)  # copies made by dataclasses.replace do not carry it
    return parameters


def checked(parameters: Any) -> Parameters:
    """Complete parameters as they are if :func:`from_mapping` made them, and through it if somebody else did."""
    if not isinstance(parameters, Parameters):
        raise InvalidInput("parameters", parameters, "a sim.parameters.Parameters")
    return parameters if hasattr(parameters, "_checked") else from_mapping(to_mapping(parameters))


# --------------------------------------------------------------------------- from presets


def resolve(groups: Mapping[str, Any], overrides: Mapping[str, Any]) -> Parameters:
    """Parameters from presets (names, or mappings of values) and dotted overrides, checked."""
    key = tuple((group, groups.get(group, presets.DEFAULTS[group])) for group in presets.GROUPS)
    if all(isinstance(value, str) for _, value in key):
        stamp = tuple(presets.changed(group, name) for group, name in key)
        try:
            return _resolve_cached(key, stamp, tuple((k, type(v), v) for k, v in overrides.items()))
        except TypeError:  # an override that cannot be hashed
            pass
    return _resolve(key, tuple(overrides.items()))


def with_presets(parameters: Parameters, chosen: Mapping[str, str]) -> Parameters:
    """Parameters with whole groups as presets have them, by group and name; what a preset leaves open is the default."""
    groups = {group: frozen(presets.load(group, name), group_of(Parameters, group), f"{group}.") for group, name in chosen.items()}
    made = dataclasses.replace(parameters, **groups)
    made.validate("")
    return marked(made)


def _resolve(groups: tuple[tuple[str, Any], ...], overrides: tuple[tuple[str, Any], ...]) -> Parameters:
    values: dict[str, Any] = {}
    of_use_cases = {str(key): value for key, value in overrides if str(key).startswith("usecases.")}  # usecases.promotion.value
    overrides = tuple((key, value) for key, value in overrides if str(key) not in of_use_cases)
    for group, preset in groups:
        values[group] = presets.load(group, preset) if isinstance(preset, str) else preset
        if not isinstance(values[group], Mapping):
            raise InvalidInput(group, preset, "the name of a preset or a mapping of values: " + ", ".join(presets.available(group)))
        values[group] = _deep(values[group])
    for key, value in sorted(overrides, key=lambda item: str(item[0]).count(".")):  # a whole group before its members
        node = values
        *path, last = str(key).split(".")
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise InvalidInput(str(key), value, "the dotted name of a parameter")
        node[last] = _deep(value) if isinstance(value, Mapping) else value
    parameters = from_mapping(values)
    return vary(parameters, of_use_cases) if of_use_cases else parameters


@lru_cache(maxsize=512)
def _resolve_cached(groups: tuple, _stamp: tuple, overrides: tuple) -> Parameters:
    return _resolve(groups, tuple((k, v) for k, _, v in overrides))


def _deep(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _deep(v) if isinstance(v, Mapping) else v for k, v in values.items()}


# --------------------------------------------------------------------------- told apart


def studied_range(record: Record, value: float) -> tuple[float, float]:
    """The range a number is varied over where nobody says another, inside what is allowed.

    The one its source gives, where it holds the value. Else half to double; of what lies between 0 and 1, half to double the
    odds. A zero goes up to a twentieth of the allowed range. An assumption as good as the value it surrounds, and no better.
    """
    if record.studied and record.studied[0] <= value <= record.studied[1]:
        return record.studied
    if value == 0:
        low, high = record.low, record.low + min(record.high - record.low, 1.0 if record.kind == "number" else 20.0) / 20
    elif record.low >= 0 and record.high <= 1 and value < 1:
        low, high = (value * odds / (1 - value + value * odds) for odds in (0.5, 2.0))
    else:
        low, high = sorted((value / 2, value * 2))
    low, high = max(record.low, low), min(record.high, high)
    return (math.floor(low), math.ceil(high)) if record.kind == "count" else (low, high)


def fingerprint(parameters: Parameters) -> str:
    """SHA-256 (hex) of the canonical JSON of all values: the same for the same model, however it was described."""
    groups = (f"{json.dumps(f.name)}:{_canonical(getattr(parameters, f.name))}" for f in dataclasses.fields(parameters))
    return hashlib.sha256(("{" + ",".join(groups) + "}").encode()).hexdigest()


@lru_cache(maxsize=4096)
def _canonical(group: Any) -> str:
    if isinstance(group, tuple):
        return "[" + ",".join(map(_canonical, group)) + "]"
    return json.dumps(to_mapping(group) if dataclasses.is_dataclass(group) else group, separators=(",", ":"))


# --------------------------------------------------------------------------- what the engines read

PARAMETER_DTYPE = dtype_of(Parameters)


@lru_cache(maxsize=256)
def as_record(parameters: Parameters) -> np.ndarray:
    """The numbers as a structured array of one row (choices as their index), read-only."""
    record = np.array([row_of(parameters)], dtype=PARAMETER_DTYPE)
    record.flags.writeable = False
    return record


class ReadOnly(SimpleNamespace):
    """Numbers that nobody changes: one engine would follow, the other would not.

    Args:
        prefix: dotted name of the group, with a dot at its end, for messages; empty for all parameters.
        values: the numbers by name.
    """

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str, /, **values: Any) -> None:
        super().__init__(**values)
        object.__setattr__(self, "_prefix", prefix)

    def __setattr__(self, name: str, value: Any) -> None:
        raise InvalidInput(f"{self._prefix}{name}", value, "model.change({name: value}), which acts from the next week on; p is read-only")

    def __delattr__(self, name: str) -> None:
        raise InvalidInput(f"{self._prefix}{name}", "del", "model.change({name: value}); p is read-only")

    def __reduce__(self):
        return partial(type(self), self._prefix, **vars(self)), ()


def as_namespace(record: np.void, prefix: str = "") -> ReadOnly:
    """The same numbers as plain Python objects with the same names, arrays as tuples; ``prefix``: their group, for messages."""
    result: dict[str, Any] = {}
    for name in record.dtype.names or ():
        value = record[name]
        result[name] = as_namespace(value, f"{prefix}{name}.") if value.dtype.names else _tuples(value.tolist())
    return ReadOnly(prefix, **result)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
