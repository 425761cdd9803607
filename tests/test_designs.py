"""Designs: where the points lie, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from experiments.lab import designs
from experiments.lab.designs import Factor, factors, from_file, make
from sim import InvalidInput
from sim.configuration import from_mapping, studied_range
from sim.parameters import RECORDS
from sim.presets import available


def test_ranges_come_from_the_records_and_hold_the_value():
    for name, record in RECORDS.items():
        if record.kind in ("number", "count"):
            low, high = studied_range(record, record.default)
            assert record.low <= low < high <= record.high and low <= record.default <= high, name


def test_half_to_double_the_odds():
    record = RECORDS["trust.loss"]
    low, high = studied_range(record, 0.2)
    assert (low / (1 - low), high / (1 - high)) == pytest.approx((0.125, 0.5))


def test_ranges_surround_the_configured_value():
    base = from_mapping({"trust": {"loss": 0.4}})
    (f,) = factors(["trust.loss"], None, base)
    assert f.low < 0.4 < f.high and f.low > studied_range(RECORDS["trust.loss"], 0.13)[0]


def test_a_grid_holds_every_combination_once():
    made = factors(["trust.loss", "strategy", "enterprise.units"], {"strategy": ["balanced", "adaptive"], "enterprise.units": [2, 3]})
    points = make("grid", made, 0, 4, 1)
    seen = {tuple(points.at(i).values()) for i in range(len(points))}
    assert len(points) == len(seen) == 4 * 2 * 2
    assert {p[1] for p in seen} == {"balanced", "adaptive"} and {p[2] for p in seen} == {2, 3}
    assert min(p[0] for p in seen) == made[0].low and max(p[0] for p in seen) == made[0].high


@pytest.mark.parametrize("kind", ["lhs", "sobol"])
def test_samples_fill_each_axis_evenly_and_repeat_with_their_seed(kind):
    made = factors(["trust.loss", "forecast.late", "maturity"], None)
    points, again, other = (make(kind, made, 64, 0, seed) for seed in (1, 1, 2))
    for column in points.columns[:2]:
        counts, _ = np.histogram(column, 64 if kind == "lhs" else 16, (column.min(), column.max()))
        assert counts.max() <= (2 if kind == "lhs" else 8)
    assert np.bincount(points.columns[2]).min() >= 64 // len(available("maturity")) - 4
    assert all(np.array_equal(a, b) for a, b in zip(points.columns, again.columns, strict=True))
    assert not np.array_equal(points.columns[0], other.columns[0])
    unit = np.column_stack([(c - f.low) / (f.high - f.low) for c, f in zip(points.columns[:2], made[:2], strict=True)])
    random = np.random.Generator(np.random.SFC64(1)).random((64, 2))
    assert qmc.discrepancy(unit) < qmc.discrepancy(random)


def test_a_latin_hypercube_has_one_point_a_row():
    (f,) = factors(["trust.loss"], None)
    points = make("lhs", (f,), 50, 0, 3)
    rows = np.floor((points.columns[0] - f.low) / (f.high - f.low) * 50)
    assert sorted(rows) == list(range(50))


def test_morris_changes_one_factor_at_a_time():
    made = factors(["trust.loss", "forecast.late", "trust.gain"], None)
    points = make("morris", made, 5, 4, 1)
    table = np.column_stack(points.columns).reshape(5, 4, 3)
    changed = (np.abs(np.diff(table, axis=1)) > 1e-12).sum(axis=2)
    assert (changed == 1).all()


def test_whole_numbers_are_whole_and_equally_likely():
    f = Factor("enterprise.units", "count", 2, 5)
    values = f.at(np.linspace(0, 1, 4001))
    assert values.dtype.kind == "i" and np.abs(np.bincount(values)[2:] - 1000).max() <= 1


def test_a_design_file_is_taken_as_it_is(tmp_path):
    (tmp_path / "p.csv").write_text("trust.loss,strategy,enterprise.units\n0.1,balanced,3\n0.2,adaptive,4\n")
    points = from_file(str(tmp_path / "p.csv"))
    assert [points.at(i) for i in range(2)] == [
        {"trust.loss": 0.1, "strategy": "balanced", "enterprise.units": 3},
        {"trust.loss": 0.2, "strategy": "adaptive", "enterprise.units": 4},
    ]


def test_whole_numbers_may_be_written_as_software_writes_them(tmp_path):
    (tmp_path / "p.csv").write_text("enterprise.units\n3.0\n4\n1e1\n")
    points = from_file(str(tmp_path / "p.csv"))
    assert [points.at(i)["enterprise.units"] for i in range(3)] == [3, 4, 10] and type(points.at(0)["enterprise.units"]) is int


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("trust.los\n0.1\n", "line 1", "trust.loss"),
        ("trust.loss\n0.1\nnan\n", "line 3, trust.loss", "0 to 1"),
        ("trust.loss\nx\n", "line 2, trust.loss", "0 to 1"),
        ("trust.loss\n7\n", "line 2, trust.loss", "0 to 1"),
        ("trust.loss,weeks\n0.1\n", "line 2", "one per column"),
        ("trust.loss,trust.loss\n0.1,0.2\n", "line 1", "once"),
        ("strategy\nbalnced\n", "line 2, strategy", "balanced"),
        ("enterprise.folder\nx\n", "line 1", "not a text"),
        ("enterprise.units\ninf\n", "line 2, enterprise.units", "whole number"),
        ("trust.loss\n1e-400\n", "line 2, trust.loss", "0, or a number"),
        ("enterprise.units\n1e999\n", "line 2, enterprise.units", "whole number"),
        ("enterprise.units\n2.5\n", "line 2, enterprise.units", "whole number"),
        ("trust.loss\n", "design.file", "line per point"),
        ("", "design.file", "head line"),
    ],
)
@pytest.mark.fault("files", "design files: unknown columns, NaN, wrong numbers, missing values", "refused with file and line")
def test_design_files_that_are_refused(text, where, hint, tmp_path):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InvalidInput) as error:
        from_file(str(tmp_path / "p.csv"))
    assert where in error.value.key and hint in error.value.allowed


def test_a_design_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "p.csv").write_bytes("trust.loss\n0,5é".encode("latin-1"))
    with pytest.raises(InvalidInput, match="UTF-8"):
        from_file(str(tmp_path / "p.csv"))


@pytest.mark.parametrize(
    ("over", "ranges", "hint"),
    [
        (["trust.los"], None, "trust.loss"),
        ([], None, "a list of parameters"),
        (["trust.loss", "trust.loss"], None, "without repetition"),
        (["trust.loss"], {"trust.loss": [0.1, 0.1]}, "low below high"),
        (["trust.loss"], {"trust.loss": [0.3, 0.1]}, "low below high"),
        (["trust.loss"], {"trust.loss": []}, "a range"),
        (["trust.loss"], {"trust.loss": [0, 2]}, "0 to 1"),
        (["trust.loss"], {"trust.loss": [float("nan"), 1]}, "0 to 1"),
        (["strategy"], {"strategy": ["balanced"]}, "two values"),
        (["strategy"], {"strategy": ["balnced", "adaptive"]}, "balanced"),
        (["strategy", "strategy.cadence"], None, "either strategy"),
        (["strategy.listed"], None, "not a text"),
        ("trust.loss", [1], "a mapping"),
    ],
)
@pytest.mark.fault("configuration", "designs: unknown parameters, empty and one-point ranges, contradictions", "refused in one line")
def test_designs_that_are_refused(over, ranges, hint):
    with pytest.raises(InvalidInput) as error:
        factors(over, ranges)
    assert hint in error.value.allowed


def test_sizes_that_are_refused():
    made = factors(["trust.loss", "trust.gain", "forecast.late"], None)
    for kind, samples, levels, hint in (
        ("sobol", 100, 0, "power of two"), ("morris", 5, 3, "even"), ("grid", 0, 1000, "at most"), ("lhs", 10**9, 0, "at most"), ("lsh", 5, 5, "one of grid"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as error:
            make(kind, made, samples, levels, 1)
        assert hint in error.value.allowed


def test_a_parameter_that_is_no_group_can_be_varied():
    (f,) = designs.factors(["weeks"], {"weeks": [10, 20]})
    assert (f.name, f.kind, f.low, f.high) == ("weeks", "count", 10, 20)
