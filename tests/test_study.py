"""What every study of many runs does alike: goes on where it was stopped, can be asked its size, describes its tables, refuses in one line."""

from __future__ import annotations

import shutil
from functools import lru_cache

import pandas as pd
import pytest
from conftest import contents, made, plain

from experiments.lab import runner
from experiments.lab.records import RunRecorder

SMALL = ["enterprise=small", "weeks=50", "executor=serial"]
OVER = "over=[forecast.planner,value.worth,utility.threshold]"
#: A small study of each experiment.
EVERY = {
    "compare": [*SMALL, "maturities=[low]", "strategies=[integration_first,model_first]", "replications=12"],
    "sweep": [*SMALL, "design.over=[trust.loss,strategy]", "design.samples=8", "replications=3", "weekly=10"],
    "sensitivity": [*SMALL, OVER, "trajectories=6", "replications=2"],
    "discover": [*SMALL, OVER, "samples=60", "replications=1"],
    "phase": [*SMALL, "x=maturity.budget", "y=value.worth", "levels=4", "replications=3"],
    "robust": [
        *SMALL,
        "over=[value.worth,trust.loss]",
        "futures=12",
        "replications=2",
        "strategies=[integration_first,model_first,adaptive]",
    ],
}


def simply(patch):
    """Several shards even of these few runs, and no report of a comparison, whose bytes are a matter of its own tests."""
    patch.setattr("experiments.lab.plan.Plan.shard_size", 7)
    patch.setattr("sim.views.report.pictures.CHARTS", {})
    patch.setattr("sim.views.report.render.write_report", lambda *_: None)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study of an experiment, which is only read: its folder."""
    place = tmp_path_factory.mktemp("made")

    @lru_cache
    def of(experiment):
        with pytest.MonkeyPatch.context() as patch:
            simply(patch)
            made(experiment, place / experiment, *EVERY[experiment])
        return place / experiment

    return of


@pytest.mark.parametrize("experiment", EVERY)
def test_started_again_or_interrupted_the_bytes_are_the_same(experiment, call, tmp_path, monkeypatch, study):
    shutil.copytree(study(experiment), tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    simply(monkeypatch)
    assert call(experiment, *EVERY[experiment], "output=whole")[0] == 0
    assert contents(tmp_path / "whole") == whole
    honest, done = runner.work, []

    def work(task):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        return honest(task)

    monkeypatch.setattr(runner, "work", work)
    code, _, err = call(experiment, *EVERY[experiment], "output=again")
    assert code == 130 and "interrupted after" in err and "the same command goes on" in err
    assert not (tmp_path / "again" / "manifest.json").exists() and len(list((tmp_path / "again" / "runs").iterdir())) >= 2
    monkeypatch.setattr(runner, "work", honest)
    assert call(experiment, *EVERY[experiment], "output=again")[0] == 0
    assert contents(tmp_path / "again") == whole


@pytest.mark.parametrize("experiment", EVERY)
def test_every_column_of_every_table_is_described(experiment, study):
    folder = study(experiment)
    words = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False)
    known = set(zip(words["dataset"], words["column"], strict=True))
    for table in (*folder.glob("*.parquet"), folder / "runs"):
        for column in pd.read_parquet(table):
            assert (table.stem, column) in known
    assert (words["meaning"] != "").all()


@pytest.mark.parametrize("experiment", EVERY)
def test_a_dry_run_writes_nothing(experiment, call, tmp_path):
    code, out, _ = call(experiment, *EVERY[experiment], "dry_run=true")
    assert code == 0 and "Nothing was written" in plain(out) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("experiment", EVERY)
def test_where_every_run_fails_a_second_start_says_so_too(experiment, call, tmp_path, monkeypatch):
    def fail(self, item):
        raise ArithmeticError("planted")

    monkeypatch.setattr(RunRecorder, "run", fail)
    for _ in range(2):
        code, out, err = call(experiment, *EVERY[experiment], "output=broken")
        assert code == 1 and "nothing can be said" in plain(out) and "planted" in err and err.count("\n") == 1
    assert not (tmp_path / "broken" / "figure.png").exists()


@pytest.mark.fault("configuration", "settings of studies that cannot be used", "one line with key, value and what is allowed")
@pytest.mark.parametrize(
    ("experiment", "arguments", "said"),
    [
        ("sensitivity", ["method=fast"], "method: 'fast' is not allowed; expected one of morris, sobol"),
        ("sensitivity", ["over=some"], "over: 'some' is not allowed; expected all, judged, measured, documented, or a list"),
        ("sensitivity", ["over=[trust.lost]"], "over: 'trust.lost' is not allowed; expected one of the known names; did you mean trust.loss"),
        ("sensitivity", ["over=[maturity]"], "over: 'maturity' is not allowed; expected parameters that are numbers"),
        ("sensitivity", ["over=[strategy.champions]"], "over: 'strategy.champions' is not allowed; expected no parameter of the strategy"),
        ("sensitivity", ["ranges={trust.loss:[0.3,0.1]}"], "ranges.trust.loss: [0.3, 0.1] is not allowed"),
        ("sensitivity", ["versus=integration_first"], "versus: 'integration_first' is not allowed; expected another strategy"),
        ("sensitivity", ["versus=integration"], "strategy: 'integration' is not allowed; expected one of the known names"),
        ("sensitivity", ["strategy.champions=0.2"], "strategy: 'integration_first with changes' is not allowed"),
        ("sensitivity", ["outcome=payback_week", OVER], "outcome: 'payback_week' is not allowed"),
        ("sensitivity", ["outcome=net_104", OVER], "outcome: 'net_104' is not allowed; expected an outcome that a run of 50 weeks has"),
        ("sensitivity", ["trajectories=1"], "trajectories: 1 is not allowed"),
        ("sensitivity", ["levels=5"], "levels: 5 is not allowed; expected an even number"),
        ("sensitivity", ["method=sobol", "samples=100"], "samples: 100 is not allowed; expected a power of two"),
        ("sensitivity", ["trajectories=100000"], "trajectories: 100000 is not allowed; expected at most 10,000,000 points"),
        ("sensitivity", ["replications=auto"], "replications: 'auto' is not allowed"),
        ("phase", ["x=maturity.budgets"], "x: 'maturity.budgets'"),
        ("phase", ["x=strategy.cadence"], "x: 'strategy.cadence'"),
        ("phase", ["y=override.share", "y_range=[0.5,0.5]"], "y_range: [0.5, 0.5]"),
        ("phase", ["x=maturity.budget", "y=maturity.budget"], "y: 'maturity.budget'"),
        ("phase", ["levels=1"], "levels: 1"),
        ("phase", ["levels=201"], "levels: 201"),
        ("phase", ["strategies=[adaptive]"], "strategies: ['adaptive']"),
        ("phase", ["strategies=[adaptive,modelfirst]"], "strategy: 'modelfirst'"),
        ("phase", ["outcome=effort"], "outcome: 'effort'"),
        ("phase", ["outcome=net_104"], "outcome: 'net_104'"),
        ("phase", ["replications=1"], "replications: 1"),
        ("phase", ["strategy.cadence=3"], "strategy.cadence: '3'"),
        ("robust", ["strategies=adaptive"], "strategies: 'adaptive'"),
        ("robust", ["strategies=[adaptive]"], "strategies: ['adaptive']"),
        ("robust", ["futures=1"], "futures: 1"),
        ("robust", ["satisficing={nett: 0}"], "satisficing.nett: 0"),
        ("robust", ["satisficing={net: many}"], "satisficing.net: 'many'"),
        ("robust", ["satisficing={}"], "satisficing: {}"),
        ("robust", ["futures_file=nowhere.csv"], "futures_file: 'nowhere.csv'"),
        ("robust", ["over=[network.kind]"], "over: 'network.kind'"),
        ("discover", ["question=wins"], "question: 'wins' is not allowed; expected one of loses, purgatory"),
        ("discover", ["versus=''"], "versus: '' is not allowed; expected a strategy to lose against"),
        ("discover", ["by=chance"], "by: 'chance' is not allowed"),
        ("discover", ["samples=3"], "samples: 3 is not allowed"),
        ("discover", ["density=80"], "density: 80 is not allowed; expected a number from 0.01 to 1"),
        ("discover", ["over=[network]"], "over: 'network' is not allowed"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(call, tmp_path, experiment, arguments, said):
    code, out, err = call(experiment, *SMALL, *arguments)
    assert code == 2 and err.startswith(f"error: {said}") and err.count("\n") == 1 and out == ""
    assert not (tmp_path / "results").exists()
