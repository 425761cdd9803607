"""The baselines: curves that are known, parameters that switch off what they say, comparisons that are known, and the command."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import contents, plain

from experiments.baselines import study as command
from experiments.baselines.analysis import errors, ranking, shows
from experiments.baselines.models import BASELINES, SERIES, bass_fitted, bass_series, success_alone, well_mixed
from experiments.baselines.printing import sentence
from experiments.calibrate.targets import TARGETS
from experiments.lab.curves import bass
from sim import RolloutModel, population
from sim.agents import BusinessUnit, Team, User
from sim.configuration import from_mapping, resolve, vary
from sim.parameters import CAPABILITIES, Parameters
from sim.presets import available, load
from sim.state import WEEK

SMALL = ["enterprise.units=3", "enterprise.teams=2", "enterprise.users=4", "executor=serial"]


# --------------------------------------------------------------------------- the baselines


@pytest.mark.parametrize("known", [(0.8, 0.01, 0.3), (0.3, 0.05, 0.1)])
def test_a_bass_curve_is_found_again_and_goes_on_as_it_was(known):
    t = np.arange(1.0, 201)
    found = bass_fitted(bass(t[:60], *known))
    np.testing.assert_allclose(bass(t, *found), bass(t, *known), atol=0.01)
    assert bass(np.array([0.0, 1e4]), *known) == pytest.approx([0, known[0]])


def test_a_bass_curve_of_nothing_is_nothing():
    assert bass(np.arange(1.0, 261), *bass_fitted(np.zeros(26)))[-1] < 1e-3


def test_what_bass_says_keeps_what_was_seen_and_the_ratios_of_these_weeks():
    weekly = np.zeros(120, WEEK)
    weekly["reliance"] = bass(np.arange(1.0, 121), 0.6, 0.02, 0.2)
    weekly["teams_trust_and_use"] = 0.5 * weekly["reliance"]
    weekly["value"], weekly["friction"], weekly["central_cost"] = 900 * weekly["reliance"], 100 * weekly["reliance"], 50
    weekly["net"] = weekly["value"] - weekly["friction"] - weekly["central_cost"]
    cut = weekly.copy()
    for name in WEEK.names:
        cut[name][60:] = 0  # what is not seen is not used
    said, m = bass_series(cut, 60, 4)
    assert m == pytest.approx(0.6, abs=0.02)
    np.testing.assert_array_equal(said["reliance"][:60], weekly["reliance"][:60])
    np.testing.assert_allclose(said["reliance"], weekly["reliance"], atol=0.01)
    np.testing.assert_allclose(said["teams"], 0.5 * said["reliance"], atol=1e-9)
    np.testing.assert_allclose(said["net"][60:], 800 * said["reliance"][60:] - 50)
    assert (said["units_live"][60:] == np.where(said["reliance"][60:] > 0.25, 2, 1)).all()


@pytest.mark.parametrize("strategy", available("strategy"))
def test_with_success_alone_the_platform_and_all_but_the_sponsor_do_nothing(strategy):
    """Readiness given, networks, teams' fit and planners' trust changed: the same choices, week by week."""
    p = success_alone(resolve({"strategy": strategy, "enterprise": {"units": 3, "teams": 2, "users": 4}}, {"weeks": 80}))
    assert all(getattr(getattr(p.strategy.effort, phase), k) == 0 for phase in ("pilot", "rollout", "run") for k in CAPABILITIES)
    plain_run, given = RolloutModel(parameters=p, rng=3), RolloutModel(parameters=vary(p, {"network.kind": "scale_free"}), rng=3)
    given.agents_by_type[BusinessUnit].set("readiness", [0.9] * len(CAPABILITIES))
    given.agents_by_type[Team].set("fit", 0.99)
    given.agents_by_type[User].set("reliance", 0.5)
    use, other = (model.run().state.weekly["users_using"] for model in (plain_run, given))
    np.testing.assert_array_equal(use, other)


def test_with_success_alone_a_team_that_uses_it_counts():
    p = success_alone(resolve({"maturity": "high"}, {"weeks": 60}))
    model = RolloutModel(parameters=p, rng=1).run()
    using = (model.state.teams["reliance"] >= p.outcomes.reliance).mean()
    assert model.outcome["final_teams_trust_and_use"] == pytest.approx(using) and using > 0


def test_with_success_alone_use_follows_sponsorship():
    p = success_alone(resolve({"maturity": "high"}, {"weeks": 20}))
    low, high = (RolloutModel(parameters=p, rng=1) for _ in range(2))
    low.agents_by_type[BusinessUnit].set("sponsorship", 0.1)
    high.agents_by_type[BusinessUnit].set("sponsorship", 0.9)
    assert low.run().state.weekly["users_using"].max() < 0.5 * high.run().state.weekly["users_using"].max()


def test_the_mean_field_has_no_differences_and_everyone_sees_everyone():
    p = resolve({}, {"weeks": 10, "enterprise.units": 3})
    model = RolloutModel(parameters=well_mixed(p), rng=1)
    state = model.state
    assert len(state.users) == p.enterprise.units * p.enterprise.teams * p.enterprise.users and len(state.teams) == 3
    assert np.diff(state.peers_first).min() >= len(state.users) - 2
    alike = {
        "users": ("trust", "own_error", "threshold"),
        "teams": ("fit", "difficulty", "defect"),
        "units": ("spend", "completeness", "overrun"),
    }
    for table, names in alike.items():
        rows = getattr(state, table)
        assert all(np.ptp(rows[name], axis=0).max() == 0 for name in names)
    before, after = p.platform, well_mixed(p).platform
    assert after.local_pipelines == pytest.approx(before.local_pipelines * (1 + before.swan * before.swan_size)) and after.swan == 0


def test_a_mean_field_of_many_sees_a_thousand_of_them():
    p = well_mixed(resolve({"enterprise": "large"}, {"weeks": 1}))
    model = RolloutModel(parameters=p, rng=1)
    assert 900 < np.diff(model.state.peers_first).mean() <= 1000 < len(model.state.users)


# --------------------------------------------------------------------------- comparisons that are known


def constructed(**shifts):
    """Two strategies, of which a ends above b, and baselines that are the model's series and a shift of reliance and net."""
    rng = np.random.default_rng(1)
    found = {}
    base = {}
    for strategy, level in (("a", 0.5), ("b", 0.3)):
        reliance = np.clip(level + rng.normal(0, 0.02, (30, 1)) + np.zeros((30, 60)), 0, 1)
        net = np.cumsum(np.full((30, 60), level), axis=1) + 10 * reliance
        base[strategy] = {"reliance": reliance, "teams": reliance / 2, "net": net, "units_live": net * 0, "units_retired": net * 0}
        found["model", strategy] = base[strategy]
    for baseline in BASELINES:
        for strategy in "ab":
            shift = shifts.get(baseline, {}).get(strategy, 0.0)
            moved = {name: values.copy() for name, values in base[strategy].items()}
            moved["reliance"][:, 20:] += shift
            moved["net"][:, 20:] += shift * np.arange(1, 41)
            found[baseline, strategy] = moved
    return {key: found[key] for source in ("model", *BASELINES) for key in ((source, "a"), (source, "b"))}


def test_errors_are_those_put_in():
    found = constructed(bass={"a": -0.2}, mixed={"b": 0.1})
    found["success", "a"]["reliance"] = 0.5 + 3 * (found["model", "a"]["reliance"] - 0.5)
    found["bass", "a"]["net"] += 1000  # of the weeks seen: known, and no error
    rows = errors(found, ["a", "b"], 20).set_index(["baseline", "strategy", "measure"])
    assert rows.loc[("bass", "a", "by_week"), "absolute"] == pytest.approx(0.2)
    assert rows.loc[("bass", "a", "reliance"), "off"] == pytest.approx(-0.2) and rows.loc[
        ("bass", "a", "reliance"), "spread"
    ] == pytest.approx(1)
    assert rows.loc[("bass", "a", "net"), "off"] == pytest.approx(-0.2 * 40)
    assert rows.loc[("mixed", "b", "reliance"), "off"] == pytest.approx(0.1) and rows.loc[("mixed", "a", "reliance"), "absolute"] == 0
    wide: dict = rows.loc[("success", "a", "reliance")].to_dict()
    assert wide["spread_low"] <= wide["spread"] == pytest.approx(3) and wide["absolute_low"] < wide["absolute"] < wide["absolute_high"]


def test_behaviour_and_ranking_are_those_put_in():
    found = constructed(bass={"a": -0.4}, mixed={"a": 0.01})
    for key, values in found.items():
        if key[0] == "success":
            values["units_retired"][:, -1] = 1
            values["reliance"][:, 40:] = 0.01  # falls from .5 or .3
    p = from_mapping({"outcomes": {"purgatory": 0.2, "scaled": 0.6}})
    rows = shows(found, ["a", "b"], p).set_index(["source", "strategy", "behaviour"])["share"]
    assert rows["model", "a", "partial"] == 1 and rows["model", "a", "plateau"] == 1 and rows["model", "a", "decay"] == 0
    assert rows["bass", "a", "partial"] == 0 and rows["success", "b", "decay"] == 1 and rows["success", "b", "retirement"] == 1
    ranked = ranking(found, ["a", "b"], 20).set_index(["source", "measure"])
    assert ranked.loc[("model", "net"), "order"] == "a > b" and ranked.loc[("bass", "net"), "order"] == "b > a"
    assert not ranked.loc[("bass", "net"), "as_model"] and ranked.loc[("bass", "net"), "agreed"] < 0.1
    assert ranked.loc[("mixed", "net"), "as_model"] and ranked.loc[("mixed", "net"), "agreed"] == 1


def test_the_sentence_says_what_the_numbers_say():
    found = constructed(bass={"a": -0.2})
    p = from_mapping({"outcomes": {"purgatory": 0.4, "scaled": 0.6}})
    behaviour = shows(found, ["a", "b"], p).groupby(["source", "behaviour"])["share"].mean().to_dict()
    ranked = ranking(found, ["a", "b"], 20).set_index(["source", "measure"]).to_dict("index")
    more = {"bass": (0.1, 0.05, 0.15), "success": (-0.1, -0.15, -0.05), "mixed": (0.0, -0.05, 0.05)}
    away = {b: {"distance": 0.1 + m, "more": m, "more_low": low, "more_high": high} for b, (m, low, high) in more.items()}
    said = {b: sentence(b, errors(found, ["a", "b"], 20), behaviour, ranked, away) for b in BASELINES}
    assert (
        "under a, where it errs most, 20 points too low" in said["bass"]
        and "20 points from the published numbers, further off than the model (by +10 [+5, +15])" in said["bass"]
    )
    assert "partial adoption (0%, model 50%) in fewer runs" in said["bass"]
    assert ", nearer than the model" in said["success"] and "not clearly nearer or further" in said["mixed"]
    assert "It ranks the strategies as the model does" in said["mixed"]


# --------------------------------------------------------------------------- the command


def test_the_command_compares_and_goes_on_with_the_same_bytes(call, tmp_path):
    options = [*SMALL, "seeds=2", "organisations=10", "strategies=[integration_first,model_first]", "output=out"]
    code, out, err = call("baselines", *options)
    assert code == 0, err
    assert "Bass curve" in out and "mean distance, points" in plain(out)
    folder = tmp_path / "out"
    first = contents(folder)
    code, again, _ = call("baselines", *options)
    assert code == 0 and contents(folder) == first
    assert again.split(" runs; ")[0] == out.split(" runs; ")[0]
    (folder / "runs/part-000000.parquet").unlink()
    code, _, err = call("baselines", *options)
    assert code == 0 and "done again" in err and contents(folder) == first

    runs = pd.read_parquet(folder / "runs")
    assert (runs["error"] == "").all() and set(runs["source"]) == {"model", *BASELINES}
    one = runs[(runs["part"] == "strategies") & (runs["source"] == "model") & (runs["strategy"] == "model_first") & (runs["seed"] == 2)]
    model = RolloutModel(strategy="model_first", enterprise={"units": 3, "teams": 2, "users": 4}, rng=2).run()
    np.testing.assert_array_equal(one["reliance"], model.weekly["reliance"])
    np.testing.assert_allclose(one["net"], model.weekly["cumulative_net"])
    targets = pd.read_csv(folder / "targets.csv")
    assert len(targets) == 4 * sum(not target.bound for target in TARGETS) and targets["value"].between(0, 1).all()
    away = pd.read_csv(folder / "distances.csv").set_index("source")
    for source, rows in targets.groupby("source"):
        assert away.loc[source, "distance"] == pytest.approx((rows["value"] - rows["published"]).abs().mean())
    assert away.loc["model", ["more", "more_low", "more_high"]].tolist() == [0, 0, 0]
    listed = pd.read_csv(folder / "data_dictionary.csv")
    assert set(listed.loc[listed["dataset"] == "runs", "column"]) == set(runs.columns) and listed["meaning"].notna().all()
    assert (folder / "figure.png").stat().st_size > 20_000


def test_of_a_population_every_seed_is_an_organisation_of_its_own(call, tmp_path):
    code, out, err = call(
        "baselines", *SMALL, "population=calibrated", "seeds=2", "organisations=10", "strategies=[model_first]", "output=out"
    )
    assert code == 0, err
    assert "Each run is of another organisation of the population «calibrated»" in plain(out)
    assert "given, and not drawn" not in plain(out)
    runs = pd.read_parquet(tmp_path / "out/runs")
    kept = population.read("calibrated", load("population", "calibrated"))
    for part, number in (("strategies", 1), ("population", 20)):
        rows = runs[(runs["part"] == part) & (runs["source"] == "model") & (runs["number"] == number)]
        maturity = {"strategies": "middle", "population": "high"}[part]
        p = resolve({"strategy": rows["strategy"].iloc[0], "maturity": maturity, "enterprise": {"units": 3, "teams": 2, "users": 4}}, {})
        p = vary(p, kept.organisation(int(rows["seed"].iloc[0]), p, maturity))
        model = RolloutModel(parameters=p, rng=int(rows["seed"].iloc[0])).run()
        np.testing.assert_array_equal(rows["reliance"], model.weekly["reliance"][rows["week"]])


def test_a_short_horizon_goes_without_the_published_numbers(call, tmp_path):
    code, out, err = call("baselines", *SMALL, "seeds=2", "weeks=60", "organisations=0", "strategies=[balanced]", "output=out")
    assert code == 0, err
    assert "Published" not in out and not (tmp_path / "out/targets.csv").exists()


def test_a_run_that_fails_leaves_its_seed_out(call, tmp_path, monkeypatch):
    whole = command.run_source

    def planted(p, source, seed, observed):
        if seed == 2 and source == "mixed":
            raise RuntimeError("planted")
        return whole(p, source, seed, observed)

    monkeypatch.setattr(command, "run_source", planted)
    code, out, err = call("baselines", *SMALL, "seeds=3", "weeks=60", "organisations=0", "strategies=[balanced,model_first]", "output=out")
    assert code == 1 and "planted" in err and "2 organisations" in plain(out)
    assert (tmp_path / "out/failures.csv").is_file()
    assert set(SERIES) <= set(pd.read_csv(tmp_path / "out/failures.csv").columns)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("observed=260", "observed"),
        ("observed=2", "observed"),
        ("strategies=[nonesuch]", "strategy"),
        ("weeks=100", "organisations=0"),
        ("organisations=3", "organisations"),
        ("seeds=1", "seeds"),
        ("network=edges", "enterprise.source"),
        ("usecases=[demand,promotion]", "one use case"),
        ("usecases=[promotion]", "a use case of all teams"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line_and_writes_nothing(call, tmp_path, argument, words):
    code, out, err = call("baselines", *SMALL, argument)
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1 and out == ""
    assert not (tmp_path / "results").exists()


def test_the_configuration_is_what_is_recorded(call, tmp_path):
    call("baselines", *SMALL, "seeds=2", "weeks=60", "organisations=0", "strategies=[balanced]", "trust.loss=0.2", "output=out")
    recorded = json.loads((tmp_path / "out/manifest.json").read_text())["configuration"]
    assert recorded["parameters"]["trust"]["loss"] == 0.2 != Parameters().trust.loss and recorded["observed"] == 26
