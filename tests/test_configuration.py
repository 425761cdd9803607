"""A configuration is checked as a whole: every bad value is refused by name, before anything runs."""

from __future__ import annotations

import math
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest

from sim import InvalidInput, RolloutModel
from sim.configuration import as_record, from_mapping, resolve
from sim.parameters import BUCKETS, RECORDS, Parameters, Shares
from sim.schema import frozen

NUMERIC = {name: record for name, record in RECORDS.items() if record.kind in ("number", "count")}
CHOICES = {name: record.choices for name, record in RECORDS.items() if record.kind == "choice"}


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"pilot": "named"}, "strategy.pilot_unit"),
        ({"order": "listed"}, "strategy.listed"),
        ({"order": "listed", "listed": ["Japan", "Japan"]}, "strategy.listed"),
        ({"listed": "Japan"}, "strategy.listed"),
        ({"name": 5}, "strategy.name"),
        ({"name": "a\0b"}, "strategy.name"),
        ({"name": "a" * 5000}, "strategy.name"),
        ({"name": "a\nb"}, "strategy.name"),
        ({"name": "a\u202eb"}, "strategy.name"),
        ({"description": "a\u2066b"}, "strategy.description"),
        ({"listed": ["a\u200bb"]}, "strategy.listed"),
        ({"gate_weeks": 60, "gate_deadline": 59}, "strategy.gate_deadline"),
    ],
)
def test_what_hangs_together_is_checked_together(given, key):
    assert refused({"strategy": given}).key == key


# --------------------------------------------------------------------------- records


@pytest.mark.parametrize("name", RECORDS)
def test_every_parameter_has_its_record(name):
    record = RECORDS[name]
    default = record.default
    assert record.note and record.source in ("documented", "measured", "calibrated", "judged")
    assert record.check(name, default) == default
    if name in NUMERIC:
        assert record.unit and -math.inf < record.low < record.high < math.inf
        assert (record.check(name, record.low), record.check(name, record.high)) == (record.low, record.high)  # ends belong to it
    elif record.kind == "choice":
        assert len(set(record.choices)) == len(record.choices) > 1


def test_parameters_are_frozen_and_what_the_engines_read_is_read_only():
    p = from_mapping({})
    with pytest.raises(InvalidInput, match="frozen"):
        p.trust.loss = 0.5
    with pytest.raises(ValueError, match="read-only"):
        as_record(p)["weeks"] = 5


# --------------------------------------------------------------------------- values that are refused


def nested(name: str, value: Any) -> Any:
    """``{"trust": {"loss": value}}`` for ``trust.loss``."""
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


def refused(values: Any) -> InvalidInput:
    """What a mapping is refused with, in one line."""
    with pytest.raises(InvalidInput) as error:
        from_mapping(values)
    assert "\n" not in str(error.value) and len(str(error.value)) < 1000
    return error.value


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.fault(
    "configuration", "NaN, infinity, negative, out of range, text or true for a number: every numeric parameter", "refused in one line"
)
def test_numbers_out_of_range_or_of_another_kind_are_refused(name, record_property):
    record = NUMERIC[name]
    whole = record.kind == "count"
    low, high = (
        (record.low - 1, record.high + 1) if whole else (math.nextafter(record.low, -math.inf), math.nextafter(record.high, math.inf))
    )
    bad = [low, high, math.nan, math.inf, -math.inf, "7", "", True, np.True_, None, [1], {"a": 1}, 1j, np.array(1.0)]
    bad += [8.0, np.float64(8)] if whole else []
    bad += [-1] if record.low >= 0 else []
    record_property("injected", len(bad))
    for value in bad:
        error = refused(nested(name, value))
        assert (error.key, error.allowed) == (name, record.allowed) and error.value is value
        assert str(error).startswith(f"{name}: ") and record.allowed in str(error)


@pytest.mark.parametrize("name", ["weeks", "trust.loss"])
@pytest.mark.parametrize("digits", [400, 5000])
@pytest.mark.fault("configuration", "numbers of hundreds and thousands of digits", "refused in one line")
def test_numbers_of_many_digits_are_refused(name, digits):
    """More than a float holds, and more than Python prints."""
    assert refused(nested(name, 10**digits)).key == name


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.fault("configuration", "unknown alternative", "refused, the known ones listed")
def test_unknown_alternatives_are_refused(name):
    for value in ("", "Fixed ", CHOICES[name][0].upper(), 0, True, None, [CHOICES[name][0]]):
        error = refused(nested(name, value))
        assert (error.key, error.value) == (name, value) and all(choice in error.allowed for choice in CHOICES[name])


@pytest.mark.parametrize(
    ("name", "key", "near"),
    [
        ("trust.lost", "trust.lost", "trust.loss"),
        ("trsut.loss", "trsut", "trust"),
        ("week", "week", "weeks"),
        ("strategy.effort.pilot.modle", "strategy.effort.pilot.modle", "strategy.effort.pilot.model"),
        ("strategy.effort.rolout.model", "strategy.effort.rolout", "strategy.effort.rollout"),
        ("nothing like it", "nothing like it", "trust"),
    ],
)
@pytest.mark.fault("configuration", "unknown key", "refused, the nearest one named")
def test_unknown_names_are_refused_with_the_nearest_one(name, key, near):
    error = refused(nested(name, 1))
    assert error.key == key and near in error.allowed
    with pytest.raises(InvalidInput, match=error.allowed.replace("?", r"\?")):
        RolloutModel(**{name: 1})


@pytest.mark.parametrize("name", ["a\nb", "a" * 9000, 5, None])
@pytest.mark.fault("configuration", "keys with line breaks, thousands of characters, no text", "refused in one line")
def test_odd_names_are_refused_in_one_line(name):
    refused({name: 1})


@pytest.mark.parametrize("values", [[1], "trust", 3, None, {"trust": 3}, {"trust": [0.1]}, {"strategy": {"effort": {"pilot": 1}}}])
def test_groups_are_mappings(values):
    assert "mapping" in refused(values).allowed


@pytest.mark.parametrize("shares", [{"model": 0.5}, {"model": 0.5, "workflow": 0.51}, dict.fromkeys(BUCKETS, 0.17), {}])
@pytest.mark.fault("configuration", "shares that do not add up to 1", "refused, never rescaled")
def test_shares_add_up_to_one(shares):
    error = refused({"strategy": {"effort": {"run": shares}}})
    assert error.key == "strategy.effort.run" and "add up to 1" in error.allowed
    assert error.value == pytest.approx(sum(shares.values()))


def test_shares_of_thirds_add_up_to_one():
    thirds = frozen({"model": 1 / 3, "pipelines": 1 / 3, "workflow": 1 / 3}, Shares)  # rounding is no error
    assert thirds.model == 1 / 3


@pytest.mark.parametrize("seed", [-1, True, 1.5, 7.0, "7", 2**64, math.nan, math.inf, [1]])
@pytest.mark.fault("configuration", "seed negative, fractional, text, too large", "refused in one line")
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(InvalidInput) as error:
        RolloutModel(enterprise="small", rng=seed)
    assert error.value.key == "seed" and error.value.value is seed


def test_the_largest_seed_is_one():
    first, last = (RolloutModel(enterprise="small", weeks=9, rng=seed).run() for seed in (0, 2**64 - 1))
    assert last.seed_used == 2**64 - 1 and first.outcome != last.outcome


@pytest.mark.parametrize("engine", ["fast", "", "Compiled", None, 1, ["compiled"]])
def test_unknown_engines_are_refused(engine):
    with pytest.raises(InvalidInput, match=r"engine: .* expected one of compiled, textbook"):
        RolloutModel(engine=engine)


@pytest.mark.parametrize("name", ["units", "users", "teams"])
@pytest.mark.fault("configuration", "zero units, teams or planners", "refused in one line")
def test_an_enterprise_of_nobody_is_refused(name):
    with pytest.raises(InvalidInput, match=f"enterprise.{name}: 0"):
        RolloutModel(enterprise={name: 0})


@pytest.mark.parametrize(
    ("size", "key"),
    [
        ({"enterprise.units": 1000, "enterprise.teams": 1000, "enterprise.users": 1000}, "enterprise.units x teams x users"),
        ({"enterprise.units": 100_000, "enterprise.teams": 10_000, "enterprise.users": 10_000}, "enterprise.units x teams x users"),
        ({"enterprise.units": 10_000, "enterprise.teams": 1, "enterprise.users": 1, "weeks": 5200}, "weeks x units"),
    ],
)
@pytest.mark.fault("configuration", "more planners or weeks than memory holds", "refused with the estimate, before any is allocated")
def test_what_would_not_fit_memory_is_refused_before_any_is_asked_for(size, key):
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput) as error:
            RolloutModel(rng=1, **size)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
    assert error.value.key == key


@pytest.mark.parametrize("value", [3, "text", 10**30, math.nan, [1, {"a": None}], None])
def test_invalid_input_survives_pickling(value):
    """Worker processes send it back."""
    error = InvalidInput("trust.loss", value, "a number")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is InvalidInput and isinstance(again, ValueError)
    assert (again.key, again.allowed, str(again), repr(again.value)) == (error.key, error.allowed, str(error), repr(value))


def test_messages_stay_short():
    assert len(str(InvalidInput("trust.loss", "x" * 10_000, "a number"))) < 200


# --------------------------------------------------------------------------- what resembles each other


@pytest.mark.parametrize(
    ("name", "right", "wrong"), [("weeks", 1, True), ("weeks", 1, 1.0), ("trust.loss", 1, True), ("trust.loss", 0.0, False)]
)
@pytest.mark.fault("configuration", "true after 1, 1.0 after 1 (equal for a cache)", "refused in one line")
def test_a_value_checked_before_does_not_let_its_double_pass(name, right, wrong):
    """1 == True == 1.0 with one hash: a cache must not take one for the other."""
    RolloutModel(enterprise="small", **{name: right})
    with pytest.raises(InvalidInput) as error:
        RolloutModel(enterprise="small", **{name: wrong})
    assert error.value.value is wrong
    RolloutModel(enterprise="small", **{name: right})


def test_numpy_numbers_are_numbers():
    p = from_mapping({"weeks": np.int16(9), "trust": {"loss": np.float32(0.25), "gain": np.int64(1)}})
    assert (type(p.weeks), type(p.trust.loss), type(p.trust.gain)) == (int, float, float)
    assert (p.weeks, p.trust.loss, p.trust.gain) == (9, 0.25, 1.0)


def test_overrides_beat_presets_and_leave_them_as_they_are():
    changed = resolve({"strategy": "balanced"}, {"strategy.cadence": 33})
    assert changed.strategy.cadence == 33 != resolve({"strategy": "balanced"}, {}).strategy.cadence
    mine = {"cadence": 20}
    assert resolve({"strategy": mine}, {"strategy.cadence": 33}).strategy.cadence == 33 and mine == {"cadence": 20}


def test_overrides_leave_their_mappings_as_they_are():
    mine = {"gain": 0.1}
    resolve({}, {"trust": mine, "trust.loss": 0.2})
    assert mine == {"gain": 0.1}


def test_overrides_of_a_group_and_of_its_member_both_count_in_any_order():
    one, other = resolve({}, {"trust": {"gain": 0.1}, "trust.loss": 0.2}), resolve({}, {"trust.loss": 0.2, "trust": {"gain": 0.1}})
    assert (other.trust.gain, other.trust.loss) == (one.trust.gain, one.trust.loss) == (0.1, 0.2)


@pytest.mark.parametrize("given", [{"weeks": 3}, Parameters(weeks=-3), Parameters(weeks=2.5)], ids=["mapping", "negative", "kind"])
def test_complete_parameters_are_checked_too(given):
    with pytest.raises(InvalidInput):
        RolloutModel(parameters=given)


def test_a_run_refuses_other_numbers_by_their_full_names(tiny):
    p = tiny().p
    for change, name in (
        (lambda: setattr(p.trust, "loss", 0.5), "trust.loss"),
        (lambda: setattr(p, "weeks", 5), "weeks"),
        (lambda: delattr(p.habit, "pace"), "habit.pace"),
    ):
        with pytest.raises(InvalidInput, match="read-only") as error:
            change()
        assert error.value.key == name
    again = pickle.loads(pickle.dumps(p))
    assert again == p
    with pytest.raises(InvalidInput, match=r"trust\.loss"):
        again.trust.loss = 0.5
