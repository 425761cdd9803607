"""Tables of the response, and the preset that it becomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from test_response_fit import linear, made_up

from experiments.response.tables import as_preset, checks, joint, responses
from sim.configuration import from_mapping
from sim.parameters import Parameters
from sim.presets import load


def test_a_response_that_the_model_cannot_take_makes_no_preset():
    strong = made_up(lambda d: 20 * d.missing)
    assert as_preset(strong, {"seed": 1}, "") == "" and "missing: 0.2" in as_preset(made_up(linear), {"seed": 1}, "")


def test_a_coefficient_below_0_is_held_there_by_the_fit_and_not_by_the_writer():
    found = made_up(lambda d: 0.2 * d.missing + 0.05 * d.late - 0.1 * d.mapping, noise=0.005)
    free, bounded = found.coefficients["boosting", "item"], found.bounded
    assert free[2, 0] < 0 == bounded[2, 0] and (bounded[:, 1] >= 0).all() and found.at_bound.tolist() == [False, False, True]
    x, y = found.measured.defects.loc[found.used, ["missing", "late"]], found.measured.relative["item"][found.used, :8, 2].mean(axis=1)
    np.testing.assert_allclose(bounded[:2, 0], np.linalg.lstsq(x.to_numpy(float), y, rcond=None)[0])
    np.testing.assert_allclose(bounded[:, 2] - bounded[:, 0], free[:, 2] - free[:, 0])
    assert (
        abs(bounded[:2, 0] - free[:2, 0]).min() > 1e-4
        and (responses(found).query("best and coefficient == 'mapping'")["estimate"] < 0).all()
    )
    preset = as_preset(found, {"seed": 1}, "")
    assert (
        "mapping: 0.000  # 0.000 [0.000, " in preset
        and preset.count("at its bound of 0") == 1
        and f"missing: {bounded[0, 0]:.3f}" in preset
    )
    unknown = replace(found, coefficients={**found.coefficients, ("boosting", "item"): free * np.array([1, np.nan, 1])})
    assert as_preset(unknown, {"seed": 1}, "") == ""


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
