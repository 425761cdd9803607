"""Tables of the response, and the preset that it becomes."""

from __future__ import annotations

import numpy as np
from test_response_fit import linear, made_up

from experiments.response.tables import as_preset, checks, joint
from sim.configuration import from_mapping
from sim.parameters import Parameters
from sim.presets import load


def test_a_response_that_the_model_cannot_take_makes_no_preset():
    strong = made_up(lambda d: 20 * d.missing)
    assert as_preset(strong, {"seed": 1}, "") == "" and "missing: 0.2" in as_preset(made_up(linear), {"seed": 1}, "")
    assert made_up(linear, noise=0.5).ratio("planner")[1] >= 0


def test_a_curved_response_fails_on_what_was_held_out_and_says_the_defects_are_less_than_additive():
    found = made_up(lambda d: 0.3 * np.sqrt(linear(d)), noise=0.005)
    held = checks(found).set_index(["forecaster", "cells_are"])
    assert held.loc[("boosting", "all that was held out"), "ratio"] > 3
    together = joint(found)
    assert (together["difference_high"][together["kind"] != "all"] < 0).all()


def test_the_measured_preset_is_one_that_the_model_takes():
    values = load("forecast", "measured")
    default = Parameters().forecast
    assert set(values) == {"missing", "late", "mapping"} and all(0 <= v <= 5 for v in values.values())
    assert from_mapping({"forecast": values}).forecast.best == default.best
