"""Who wins where: on known numbers, and from the command line."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import made, only, plain

from experiments.lab.records import RunRecorder
from experiments.lab.statistics import mean
from experiments.lab.storage import read
from experiments.phase import crossings, winners
from sim import RolloutModel

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
PHASE = [*SMALL, "x=maturity.budget", "y=value.worth", "levels=4", "replications=3"]
ROBUST = [*SMALL, "over=[value.worth,trust.loss]", "futures=12", "replications=2", "strategies=[integration_first,model_first,adaptive]"]
SEARCH = [*SMALL, "generations=2", "population=3", "replications=2", "test_replications=10"]
EVERY = {"phase": PHASE, "robust": ROBUST, "optimise": SEARCH}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study of an experiment, which is only read: its folder and what was printed."""
    place = tmp_path_factory.mktemp("made")

    @lru_cache
    def of(experiment):
        return place / experiment, made(experiment, place / experiment, *EVERY[experiment])

    return of


def test_the_winner_leads_by_the_paired_difference():
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 50, 20)
    values = np.stack([luck + 3 + rng.normal(0, 0.1, 20), luck, luck - 8])[None]
    row = winners(values).iloc[0]
    assert (row["winner"], row["second"], row["decided"]) == (0, 1, True)
    assert (row["lead"], row["lead_low"], row["lead_high"]) == pytest.approx(mean(values[0, 0] - values[0, 1]))
    leads = np.sort(values[0, 0] - values[0, 1])
    assert (row["lead_below"], row["lead_above"]) == (leads[0], leads[18])  # each a value that occurs
    assert row["lead_high"] - row["lead_low"] < 1  # the luck they share is gone, fifty times larger though it is
    assert row["best_of_all"] == 1 and row["best_of_all_low"] < 1


def test_ties_are_shared_and_decide_nothing():
    row = winners(np.ones((1, 2, 8))).iloc[0]
    assert (row["lead"], row["best_of_all"], row["decided"]) == (0, 0.5, False)


def test_a_cell_with_a_failed_run_has_no_winner():
    values = np.ones((2, 2, 4))
    values[1, 0, 2] = np.nan
    found = winners(values)
    assert list(found["winner"]) == [0, -1] and np.isnan(found["lead"][1]) and not found["decided"][1]


def test_crossings_are_where_the_line_meets_zero():
    assert crossings(np.array([0.0, 1, 2, 3]), np.array([-1.0, 1, 3, -3])) == pytest.approx([0.5, 2.5])
    assert crossings(np.array([0.0, 1, 2]), np.array([1.0, np.nan, -1])) == []


def test_a_map_holds_what_single_runs_give(study):
    folder, out = study("phase")
    assert "16 cells" in plain(out)
    cells, runs = pd.read_csv(folder / "cells.csv"), read(folder, "runs")
    cell = cells.iloc[6]
    given = {"maturity.budget": float(cell["maturity.budget"]), "value.worth": float(cell["value.worth"])}
    nets = {
        s: np.array([RolloutModel(strategy=s, enterprise="small", weeks=50, rng=1 + r, **given).run().outcome["net"] for r in range(3)])
        for s in ("integration_first", "model_first")
    }
    ahead = nets[cell["winner"]] - nets[cell["second"]]
    assert cell["lead"] == pytest.approx(ahead.mean()) and ahead.mean() >= 0
    assert len(runs) == 16 * 2 * 3 and (folder / "figure.png").stat().st_size > 10_000
    each = pd.read_csv(folder / "strategies.csv")
    assert each[(each["cell"] == 6) & (each["strategy"] == "model_first")]["mean"].iloc[0] == pytest.approx(nets["model_first"].mean())


def test_three_strategies_share_a_map(call, tmp_path):
    code, _out, _ = call("phase", *PHASE, "strategies=[integration_first,model_first,adaptive]", "x=enterprise.units", "x_range=[2,5]")
    folder = only(tmp_path / "results" / "phase")
    assert code == 0 and set(pd.read_csv(folder / "cells.csv")["winner"]) <= {"integration_first", "model_first", "adaptive"}


def test_a_failed_run_leaves_its_cell_out(call, tmp_path, monkeypatch):
    break_run(monkeypatch, "broken")
    code, out, err = call("phase", *PHASE, "output=broken")
    cells = pd.read_csv(tmp_path / "broken" / "cells.csv")
    assert code == 1 and cells["winner"].isna().sum() == 1 and "1 cells are left out" in plain(out) and "planted" in err


def break_run(monkeypatch, place: str) -> None:
    """Let one run of the study in a folder of that name fail."""
    whole = RunRecorder.run

    def run(recorder, item):
        if item.run == 3 and Path.cwd().joinpath(place).exists():
            raise ArithmeticError("planted")
        return whole(recorder, item)

    monkeypatch.setattr(RunRecorder, "run", run)
