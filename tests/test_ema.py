"""The model in the EMA Workbench and in Mesa's own batch run."""

from __future__ import annotations

import json
import subprocess
import sys

import mesa
import numpy as np
import pytest

from experiments.ema import ema_model, workbench
from sim import RolloutModel
from sim.schema import InvalidInput

OVER = {"trust.loss": [0.1, 0.2], "strategy.cadence": None, "maturity": ["low", "high"]}


def small(**given):
    return ema_model(OVER, outcomes=["net", "gate_week"], weekly=["reliance"], replications=2, enterprise="small", weeks=30, **given)


@pytest.fixture
def experiments():
    model = small()
    return model, *workbench.perform_experiments(model, scenarios=4, policies=2)


def test_an_experiment_is_the_mean_of_runs_with_its_values(experiments):
    _, table, outcomes = experiments
    assert len(table) == 8 and set(table["strategy"]) == {"integration_first", "model_first"}
    for k in (0, 5):
        row = table.iloc[k]
        runs = [
            RolloutModel(
                strategy=row["strategy"], maturity=row["maturity"], enterprise="small", weeks=30, rng=seed,
                **{"trust.loss": float(row["trust__loss"]), "strategy.cadence": int(row["strategy__cadence"])},
            ).run()
            for seed in (1, 2)
        ]  # fmt: skip
        assert outcomes["net"][k] == pytest.approx(np.mean([run.outcome["net"] for run in runs]))
        np.testing.assert_allclose(outcomes["reliance_weekly"][k], np.mean([run.weekly["reliance"] for run in runs], axis=0))


def test_a_week_never_reached_is_no_value(experiments):
    _, _, outcomes = experiments
    assert np.isnan(outcomes["gate_week"]).any() and (outcomes["gate_week"][~np.isnan(outcomes["gate_week"])] >= 0).all()


def test_its_processes_give_the_same(experiments, tmp_path):
    _model, table, outcomes = experiments
    script = """
import json, sys
from ema_workbench import MultiprocessingEvaluator, Sample
from experiments.ema import ema_model
if __name__ == "__main__":
    rows = json.loads(sys.argv[1])
    model = ema_model(json.loads(sys.argv[2]), outcomes=["net"], replications=2, enterprise="small", weeks=30)
    scenarios = [Sample(str(k), **row) for k, row in enumerate(rows)]
    with MultiprocessingEvaluator(model, n_processes=2) as evaluator:
        table, outcomes = evaluator.perform_experiments(scenarios, policies=[Sample("p", strategy="model_first")])
    order = sorted(range(len(table)), key=lambda k: table["scenario"][k])
    print(json.dumps([float(outcomes["net"][k]) for k in order]))
"""
    chosen = table[table["strategy"] == "model_first"]
    rows = [{"trust__loss": float(r["trust__loss"]), "strategy__cadence": int(r["strategy__cadence"]), "maturity": r["maturity"]} for _, r in chosen.iterrows()]  # fmt: skip
    (tmp_path / "run.py").write_text(script)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py"), json.dumps(rows), json.dumps(OVER)], capture_output=True, text=True, timeout=300, check=False,
        env={**__import__("os").environ, "PYTHONPATH": str(__import__("pathlib").Path(__file__).parent.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == pytest.approx(outcomes["net"][chosen.index].tolist())


def test_ranges_are_the_parameters_own_unless_given():
    model = ema_model(["trust.loss", "network.kind"] if False else ["trust.loss", "override.share"])
    loss = model.uncertainties["trust__loss"]
    assert loss.lower_bound < 0.13 < loss.upper_bound
    assert small().uncertainties["trust__loss"].upper_bound == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"over": ["trust.los"]}, "over"),
        ({"over": {"trust.loss": [0.2, 0.1]}}, "over['trust.loss']"),
        ({"over": ["strategy"]}, "strategies"),
        ({"over": ["trust.loss"], "strategies": []}, "strategies"),
        ({"over": ["trust.loss"], "strategies": ["modelfirst"]}, "strategy"),
        ({"over": ["trust.loss"], "outcomes": ["reason"]}, "outcomes"),
        ({"over": ["trust.loss"], "weekly": ["nett"]}, "weekly"),
        ({"over": ["trust.loss"], "replications": 0}, "replications"),
        ({"over": ["trust.loss"], "trust.gains": 0.1}, "trust.gains"),
    ],
)
def test_what_cannot_be_used_is_named(given, key):
    with pytest.raises(InvalidInput) as error:
        ema_model(**given)
    assert error.value.key == key


def test_mesas_batch_run_works():
    rows = mesa.batch_run(
        RolloutModel, {"strategy": ["integration_first", "model_first"], "enterprise": ["small"], "weeks": [20]},
        rng=[1, 2], max_steps=20, data_collection_period=-1, display_progress=False,
    )  # fmt: skip
    assert len(rows) == 4
    for row in rows:
        mine = RolloutModel(strategy=row["strategy"], enterprise="small", weeks=20, rng=row["seed"] if "seed" in row else row["rng"]).run()
        assert row["cumulative_net"] == mine.outcome["net"]
