"""The same runs on Dask and under MPI: in a file that comes after the others, because Dask leaves threads behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import dask
import pandas as pd
import pytest
from distributed import LocalCluster
from test_runner import contents, plan, run

from experiments.lab import executors
from experiments.lab.executors import Workers
from experiments.lab.output import ROOT
from experiments.lab.storage import RUNS, read
from experiments.lab.worker import DIED
from sim import InvalidInput


def test_the_same_bytes_on_dask(tmp_path):
    assert contents(run(tmp_path / "dask", workers=Workers("dask", 2))) == contents(run(tmp_path / "serial"))


@pytest.mark.slow
@pytest.mark.fault("process", "a run that kills its Dask worker, each time", "found by halving, recorded; the others same bytes")
def test_a_run_that_kills_its_worker_is_found_on_a_dask_cluster_too(tmp_path):
    """A cluster of somebody else's, reached by its address; its workers load a model that kills them."""
    (tmp_path / "trap.py").write_text(
        "import os, time\nimport sim\nfrom sim import RolloutModel\n\n"
        "class Trap(RolloutModel):\n    def run(self, progress=None):\n"
        "        if self.seed_used == 3 and self.parameters.strategy.name == 'model_first':\n            time.sleep(1)\n            os._exit(9)\n"
        "        return super().run(progress)\n\nsim.RolloutModel = Trap\n"
    )
    which = plan(points=2, replications=3, chunk=2, weekly=0)  # one of the two points is model-first
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=50,
            preload=[str(tmp_path / "trap.py")],
        ) as cluster,
    ):
        cluster.adapt(minimum=1, maximum=1)  # replaces a worker whose nanny gave it up
        folder = run(tmp_path / "out", which, Workers("dask", address=cluster.scheduler_address))
    runs, calm = read(folder, RUNS), read(run(tmp_path / "calm", which), RUNS)
    failed = (runs["strategy"] == "model_first") & (runs["seed"] == 3)
    assert failed.sum() == 1 and runs.loc[failed, "error"].item() == DIED
    pd.testing.assert_frame_equal(runs[~failed], calm[~failed], check_dtype=False)


@pytest.mark.fault("process", "a scheduler that does not answer", "one line within half a minute")
def test_a_scheduler_that_does_not_answer_is_one_line_within_half_a_minute(monkeypatch):
    assert executors.ANSWERS <= 30
    monkeypatch.setattr(executors, "ANSWERS", 2)
    clock = time.monotonic()
    with pytest.raises(InvalidInput, match=r"executor\.address"), Workers("dask", address="tcp://127.0.0.1:9"):
        pass
    assert time.monotonic() - clock < 10


@pytest.mark.slow
def test_the_same_bytes_under_mpi(call, tmp_path):
    sweep = ["enterprise=small", "weeks=30", "design.over=[trust.loss]", "design.samples=8", "replications=6"]
    mpiexec = Path(sys.executable).with_name("mpiexec")
    command = [
        str(mpiexec),
        "-n",
        "3",
        sys.executable,
        "-m",
        "mpi4py.futures",
        "-m",
        "experiments.sweep",
        *sweep,
        "executor=mpi",
        "population=article",
        "output=mpi",
    ]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert call("sweep", *sweep, "executor=serial", "output=serial")[0] == 0
    assert contents(tmp_path / "mpi") == contents(tmp_path / "serial")
