"""Published numbers against the model: what is read, what is computed, and what is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from experiments.check.seen import Seen, at_end, in_weeks
from experiments.check.study import verdict, with_targets
from experiments.check.targets import BINDS, STAGES, Target
from experiments.lab.output import ROOT
from experiments.lab.statistics import clustered, clustered_median, clustered_share, ratio
from sim import RolloutModel
from sim.parameters import Outcomes
from sim.population import read as population_of

SMALL = ["enterprise=small", "weeks=60", "executor=serial", "replications=12"]
TARGETS = """
- name: teams, low
  source: a report
  population: {maturity: low, strategy: model_first}
  measure: final_teams_trust_and_use
  value: 0.5
  tolerance: 0.6
- name: half of them by week 40
  population: {maturity: high, trust.loss: 0.2}
  measure: weeks_to_50
  statistic: share
  at_least: 40
  value: 0.0
  tolerance: 0.0
- name: net
  measure: net
  value: 1e9
  tolerance: 5
- name: purgatory
  population: {maturity: low, strategy: model_first}
  measure: pilot_purgatory
  value: 0.5
  tolerance: 1
"""


def test_each_target_is_asked_of_its_population(call, tmp_path):
    (tmp_path / "mine.yaml").write_text(TARGETS)
    code, out, err = call("check", *SMALL, "targets=mine.yaml")
    assert (code, err) == (0, "")
    rows = pd.read_csv(only(tmp_path / "results" / "check") / "targets.csv").set_index("name")

    def runs(**given):
        return pd.DataFrame([RolloutModel(enterprise="small", weeks=60, rng=seed, **given).run().outcome for seed in range(1, 13)])

    low, high, plain_runs = runs(maturity="low", strategy="model_first"), runs(maturity="high", **{"trust.loss": 0.2}), runs()
    assert rows["model"]["teams, low"] == pytest.approx(low["final_teams_trust_and_use"].mean())
    assert rows["model"]["half of them by week 40"] == pytest.approx((high["weeks_to_50"].astype(float).fillna(np.inf) >= 40).mean())
    assert rows["model"]["net"] == pytest.approx(plain_runs["net"].mean())
    assert rows["model"]["purgatory"] == pytest.approx((low["outcome"] == "pilot_purgatory").mean())
    assert rows["within"].tolist() == [True, bool(rows["model"].iloc[1] == 0), False, True]
    assert f"{rows['within'].sum()} of 4 targets" in plain(out)
    assert np.allclose(rows["off"], rows["model"] - rows["value"])


def runs_of(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"run": range(n), "draw": range(n), "share": 1.0, "outcome": "scaled", **columns})


def target(measure, statistic, value, tolerance, at_least=0.0, **more):
    return Target("it", "", (), measure, statistic, value, tolerance, at_least, **more)


def test_a_week_most_runs_never_reach_is_never_as_the_comparison_says():
    runs = runs_of(weeks_to_50=pd.array([70] * 67 + [pd.NA] * 133, "Int64"))
    row = target("weeks_to_50", "median", 74, 5).row(runs)
    assert row["model"] == row["off"] == np.inf and row["defined"] == 200 and not row["within"] and verdict({**row}) == "no"
    assert target("weeks_to_50", "median", 70, 5).row(runs[:100])["within"]  # 67 of 100 got there


def test_a_share_counts_a_run_that_never_got_there_as_late():
    runs = runs_of(weeks_to_50=pd.array([30, 50, pd.NA, pd.NA], "Int64"))
    assert target("weeks_to_50", "share", 0.75, 0.01, 40).row(runs)["model"] == 0.75


@pytest.mark.parametrize(
    ("measure", "statistic", "values"),
    [
        ("weeks_to_50", "mean", [70, 70, None]),  # the third got there late, if ever
        ("retrofit_share", "median", [0.2, 0.2, None]),  # the third has none
        ("survived_three_years", "share", [True, True, None]),  # the third's horizon is too short
    ],
)
def test_what_rests_on_a_part_of_the_runs_says_so_and_is_no_yes(measure, statistic, values):
    kind = {"weeks_to_50": "Int64", "retrofit_share": "Float64", "survived_three_years": "boolean"}[measure]
    published = {"weeks_to_50": 70, "retrofit_share": 0.2, "survived_three_years": 1}[measure]
    row = target(measure, statistic, published, 0.9, 1.0).row(runs_of(**{measure: pd.array(values, kind)}))
    assert row["off"] == 0 and row["defined"] == 2 and not row["within"] and not row["interval_within"]
    assert verdict(row) == "only 2 of 3 organisations have it"
    assert verdict(target(measure, statistic, published, 0.9, 1.0).row(runs_of(**{measure: pd.array([None] * 3, kind)}))) in (
        "no",
        "no organisation has it",
    )


ALONE = "- {name: high, population: {maturity: high, strategy: model_first}, measure: final_reliance, value: 0.9, tolerance: 0.1}\n"
OTHERS = """- {name: budget, population: {maturity.budget: 3}, measure: net, value: 0, tolerance: 1}
- {name: late, population: {trust.loss: 0.01, network: scale_free}, measure: net, value: 0, tolerance: 1}
"""


def test_no_population_changes_with_the_others(call, tmp_path):
    (tmp_path / "one.yaml").write_text(ALONE)
    (tmp_path / "all.yaml").write_text(ALONE + OTHERS)
    found = {}
    for name in ("one", "all"):
        assert call("check", *SMALL, f"targets={name}.yaml", f"output={name}", "override.share=0.2")[0] == 0
        found[name] = pd.read_csv(tmp_path / name / "targets.csv").set_index("name")
    assert found["all"].loc["high"].equals(found["one"].loc["high"])
    given = {"enterprise": "small", "weeks": 60, "override.share": 0.2}
    for name, own in (("budget", {"maturity.budget": 3}), ("late", {"trust.loss": 0.01, "network": "scale_free"})):
        nets = [RolloutModel(**given, **own, rng=seed).run().outcome["net"] for seed in range(1, 13)]
        assert found["all"]["model"][name] == pytest.approx(np.mean(nets))


def test_a_setting_that_a_preset_of_the_population_would_replace_is_refused(call, tmp_path):
    (tmp_path / "mine.yaml").write_text(ALONE)
    code, out, err = call("check", *SMALL, "targets=mine.yaml", "maturity.trust=0.3")
    assert (code, out) == (2, "") and err.startswith("error: maturity.trust: 0.3 is not allowed; expected no setting in maturity")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("given", ["maturity.budget=2", "maturity.budget=1.5"])  # the second is the preset's own: it would not be drawn
@pytest.mark.parametrize("population", ["article", "calibrated"])
def test_a_setting_of_one_maturity_is_no_setting_of_another(given, population, call, tmp_path):
    (tmp_path / "mine.yaml").write_text(ALONE)
    code, out, err = call("check", *SMALL, "targets=mine.yaml", given, f"population={population}")
    assert (code, out) == (2, "") and err.startswith("error: maturity.budget: ")
    assert "expected no setting in maturity, because a target's population names a preset of maturity" in err
    (tmp_path / "mine.yaml").write_text("- {measure: net, value: 0, tolerance: 1}")
    assert call("check", *SMALL, "targets=mine.yaml", given, f"population={population}", "dry_run=true")[0] == 0


def test_a_file_may_have_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a=b.yaml", "it's.yml"):
        (tmp_path / name).write_text(ALONE)
    assert with_targets(["a=b.yaml", "seed=3"]) == ["targets='a=b.yaml'", "seed=3"]
    assert with_targets(["it's.yml"]) == ["targets='it\\'s.yml'"]
    assert with_targets(["targets=a=b.yaml", "output=x.yaml"]) == ["targets=a=b.yaml", "output=x.yaml"]


def test_the_named_file_is_read(call, tmp_path, monkeypatch):
    for name in ("a=b.yaml", "it's.yml"):
        (tmp_path / name).write_text(ALONE)
        monkeypatch.chdir(tmp_path)
        code, out, err = call("check", *SMALL, *with_targets([name]), "dry_run=true")
        assert (code, err) == (0, "") and "12 runs" in plain(out)


def test_names_are_text_and_neither_markup_nor_formula(call, tmp_path):
    names = ["[/]", "[bold]x", "$x_$^", "=cmd()", "n" * 200]
    rows = [{"name": name, "source": "$^[/]", "measure": "net", "value": 1, "tolerance": 1} for name in names]
    (tmp_path / "mine.yaml").write_text(json.dumps(rows))
    code, out, _ = call("check", *SMALL, "targets=mine.yaml")
    folder = only(tmp_path / "results" / "check")
    assert code == 0 and all(name in out for name in names[:4]) and (folder / "figure.png").is_file()
    assert pd.read_parquet(folder / "targets.parquet")["name"].tolist() == names
    assert pd.read_csv(folder / "targets.csv")["name"].tolist()[3] == "'=cmd()"


MANY = str({(k + 1) / 200: 1 / 101 for k in range(101)})


@pytest.mark.fault("files", "a file of published numbers that cannot be used", "one line with file, target and key")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.yaml: None"),
        ("{}", "mine.yaml: {}"),
        ("- 3", "mine.yaml, target 1: 3"),
        ("- {measure: nett, value: 1, tolerance: 1}", "mine.yaml, target 1, measure: 'nett'"),
        ("- {measure: reason, value: 1, tolerance: 1}", "mine.yaml, target 1, measure: 'reason'"),
        ("- {measure: net, value: 1, tolerance: 1, unit: EUR}", "mine.yaml, target 1, unit: 'EUR'"),
        ("- {measure: net, value: many, tolerance: 1}", "mine.yaml, target 1, value: 'many'"),
        ("- {measure: net, tolerance: 1}", "mine.yaml, target 1, value: None"),
        ("- {measure: net, value: 1, tolerance: -1}", "mine.yaml, target 1, tolerance: -1.0"),
        ("- {measure: final_reliance, value: 57, tolerance: 1}", "mine.yaml, target 1, value: 57.0"),
        ("- {measure: scaled, value: 1.2, tolerance: 1}", "mine.yaml, target 1, value: 1.2"),
        ("- {measure: net, value: 1, tolerance: 1, statistic: mode}", "mine.yaml, target 1, statistic: 'mode'"),
        ("- {measure: net, value: 0.5, tolerance: 1, statistic: share}", "mine.yaml, target 1, at_least: None"),
        ("- {measure: net, value: 1, tolerance: 1, population: low}", "mine.yaml, target 1, population: 'low'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: lowest}}", "mine.yaml, target 1, maturity: 'lowest'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.los: 1}}", "mine.yaml, target 1, population: 'trust.los'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.loss: 2}}", "mine.yaml, target 1, trust.loss: 2"),
        ("- {measure: [net], value: 1, tolerance: 1}", "mine.yaml, target 1, measure: ['net']"),
        ("- {measure: {a: b}, value: 1, tolerance: 1}", "mine.yaml, target 1, measure: {'a': 'b'}"),
        ("- {measure: net, statistic: [mean], value: 1, tolerance: 1}", "mine.yaml, target 1, statistic: ['mean']"),
        ("- {measure: scaled, statistic: median, value: 0.1, tolerance: 1}", "mine.yaml, target 1, statistic: 'median'"),
        ("- {measure: net, at_least: 3, value: 1, tolerance: 1}", "mine.yaml, target 1, at_least: 3"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: [low]}}", "mine.yaml, target 1, maturity: ['low']"),
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.loss: {a: 1}}}", "mine.yaml, target 1, trust.loss: 'a'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {1: 2, trust.loss: 0.1}}", "mine.yaml, target 1, population: 1"),
        ("- {measure: net, value: 1, tolerance: 1, population: {[1]: 2}}", "mine.yaml, line 1"),
        (
            "- {measure: net, value: 1, tolerance: 1, population: {strategy.listed: [North]}}",
            "mine.yaml, target 1, strategy.listed: ['North']",
        ),
        ("- {measure: net, value: 1, tolerance: 1, population: {utility.enough: 1}}", "mine.yaml, target 1, population: 'utility.enough'"),
        ("- {measure: weeks_to_50, statistic: share, at_least: 61, value: 1, tolerance: 1}", "mine.yaml, target 1, at_least: 61.0"),
        ("- {measure: net, value: .nan, tolerance: 1}", "mine.yaml, line 1"),
        ("- {measure: net, value: 1e400, tolerance: 1}", "mine.yaml, target 1, value: inf"),
        ("- {name: [a], measure: net, value: 1, tolerance: 1}", "mine.yaml, target 1, name: ['a']"),
        ('- {name: "\\e[2J", measure: net, value: 1, tolerance: 1}', "mine.yaml, target 1, name: '\\x1b[2J'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: {low: 0.5, high: 0.4}}}", "mine.yaml, target 1, maturity: 0.9"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: {low: 1.5}}}", "mine.yaml, target 1, maturity, low: 1.5"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: {lowest: 1}}}", "mine.yaml, target 1, maturity: 'lowest'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: {}}}", "mine.yaml, target 1, maturity: 0"),
        (
            "- {measure: net, value: 1, tolerance: 1, population: {strategy.wave: " + MANY + "}}",
            "mine.yaml, target 1, population: {'strategy.wave'",
        ),
        ("- {measure: net, value: 1, tolerance: 1, ratio_to: low}", "mine.yaml, target 1, ratio_to: 'low'"),
        ("- {measure: net, value: 1, tolerance: 1, statistic: median, ratio_to: {}}", "mine.yaml, target 1, statistic: 'median'"),
        ("- {measure: net, value: 1, tolerance: 1, at_week: 0}", "mine.yaml, target 1, at_week: 0"),
        ("- {measure: net, value: 1, tolerance: 1, at_week: {a: 1}}", "mine.yaml, target 1, at_week: {'a': 1}"),
        ("- {measure: net, value: 1, tolerance: 1, at_week: [8, 9]}", "mine.yaml, target 1, at_week: [8, 9]"),
        ("- {measure: net, value: 1, tolerance: 1, at_week: [0, 61]}", "mine.yaml, target 1, at_week: [0, 61]"),
        ("- {measure: net, value: 1, tolerance: 1, at_week: 9, population: {weeks: 9}}", "mine.yaml, target 1, at_week: 9"),
        ("- {measure: gate_week, value: 1, tolerance: 1, at_week: [0, 9]}", "mine.yaml, target 1, measure: 'gate_week'"),
        (
            "- {measure: net, weight: use_cases_live, value: 1, tolerance: 1, at_week: [0, 9]}",
            "mine.yaml, target 1, weight: 'use_cases_live'",
        ),
        ("- {measure: net, of: units, value: 1, tolerance: 1}", "mine.yaml, target 1, of: 'units'"),
        ("- {measure: final_units_live, of: unit, value: 1, tolerance: 1}", "mine.yaml, target 1, of: 'unit'"),
        ("- {measure: final_units_live, of: units, value: 9, tolerance: 1}", "mine.yaml, target 1, value: 9.0"),
        ("- {measure: net, among: [scaled], value: 1, tolerance: 1}", "mine.yaml, target 1, among: ['scaled']"),
        ("- {measure: net, weight: net, value: 1, tolerance: 1}", "mine.yaml, target 1, weight: 'net'"),
        ("- {measure: scaled, at_most: 1, value: 1, tolerance: 1}", "mine.yaml, target 1, at_most: 1"),
        ("- {measure: net, statistic: share, at_least: 2, at_most: 1, value: 1, tolerance: 1}", "mine.yaml, target 1, at_most: 1.0"),
        ("- {measure: gate_week, statistic: share, at_most: 61, value: 1, tolerance: 1}", "mine.yaml, target 1, at_most: 61.0"),
        ("- &a {measure: net, value: 1, tolerance: 1}\n- *a", "mine.yaml, line 1: 'an anchor'"),
        ("- !!python/object:os.system {}", "mine.yaml, line 1: 'the tag"),
    ],
)
def test_refused_in_one_line_with_nothing_written(text, said, call, tmp_path):
    (tmp_path / "mine.yaml").write_text(text)
    code, out, err = call("check", *SMALL, "targets=mine.yaml")
    assert code == 2 and err.startswith(f"error: {said}") and err.count("\n") == 1 and out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_missing_file_is_refused(call, tmp_path):
    for given, said in (
        ([], "targets: ''"),
        (["targets=nowhere.yaml"], "file: 'nowhere.yaml' is not allowed; expected a file that can be read (No such file"),
    ):
        code, _, err = call("check", *SMALL, *given)
        assert code == 2 and err.startswith(f"error: {said}")


# --------------------------------------------------------------------------- what surveys publish

USE_CASES = "usecases=[demand,replenishment,promotion]"
PUBLISHED = """
- name: half scrapped
  population: {maturity: {low: 0.75, high: 0.25}, strategy: {model_first: 0.5, balanced: 0.5}}
  measure: use_cases_past_pilot
  of: use_cases_begun
  statistic: share
  at_least: 0.5
  value: 0.4
  tolerance: 0.1
- {name: by week 40, population: {maturity: high}, measure: past_pilot, at_week: 40, value: 0.4, tolerance: 0.1}
- {name: all use cases, measure: use_cases_live, of: use_cases_begun, weight: use_cases_begun, value: 0.4, tolerance: 0.1}
- name: scaling, some week
  population: {maturity: {low: 0.5, high: 0.5}}
  measure: scaling
  at_week: [8, 56]
  value: 0.4
  tolerance: 0.1
- name: larger
  population: {enterprise.units: {8: 0.5, 12: 0.5}}
  ratio_to: {enterprise.units: 4}
  measure: net
  value: 2
  tolerance: 1
- {name: the gate, population: {maturity: low}, measure: held_back_by_gate, value: 0.5, tolerance: 0.1}
- name: positive
  population: {maturity: high}
  measure: net_last_year
  statistic: share
  at_least: 1
  at_week: [4, 60]
  value: 0.4
  tolerance: 0.1
- {name: when, population: {maturity: high}, measure: weeks_to_production, among: past_pilot, value: 30, tolerance: 9}
"""


def models(population=None, weeks=60, **given):
    """The runs as they are asked for, made one by one."""
    cases = ["demand", "replenishment", "promotion"]
    return [RolloutModel(**{"enterprise": "small", "weeks": weeks, "usecases": cases, "rng": seed, **given}).run() for seed in range(1, 13)]


def test_what_surveys_publish_is_what_the_runs_say(call, tmp_path):
    (tmp_path / "mine.yaml").write_text(PUBLISHED)
    code, out, err = call("check", *SMALL, USE_CASES, "targets=mine.yaml", "output=one")
    assert (code, err) == (0, "")
    assert call("check", *SMALL, USE_CASES, "targets=mine.yaml", "output=again", "executor=processes", "executor.workers=2")[0] == 0
    assert (tmp_path / "one" / "targets.csv").read_bytes() == (tmp_path / "again" / "targets.csv").read_bytes()
    found = pd.read_csv(tmp_path / "one" / "targets.csv").set_index("name")["model"]

    def past(m, part):
        return m.outcome["use_cases_past_pilot"] >= part * m.outcome["use_cases_begun"]

    of = {
        (m, s): np.mean([past(run, 0.5) for run in models(maturity=m, strategy=s)])
        for m in ("low", "high")
        for s in ("model_first", "balanced")
    }
    assert found["half scrapped"] == pytest.approx(sum((0.375 if m == "low" else 0.125) * value for (m, _), value in of.items()))
    high, low, middle = (models(maturity=m) for m in ("high", "low", "middle"))
    assert found["by week 40"] == pytest.approx(np.mean([(m.outcome["weeks_to_production"] or 99) < 40 for m in high]))
    live, begun = (sum(m.outcome[f"use_cases_{name}"] for m in middle) for name in ("live", "begun"))
    assert found["all use cases"] == pytest.approx(live / begun)

    def scaling(m):
        first, weekly = m.outcome["weeks_to_production"], m.weekly
        scaled = (weekly["reliance"] >= 0.6) & (weekly["units_live"] / m.outcome["units"] >= 0.75)
        return np.mean([first is not None and first <= w and not scaled[w] for w in range(8, 56, 4)])

    assert found["scaling, some week"] == pytest.approx(np.mean([scaling(m) for m in (*low, *high)]))
    nets = {units: np.mean([m.outcome["net"] for m in models(**{"enterprise.units": units})]) for units in (4, 8, 12)}
    assert found["larger"] == pytest.approx((nets[8] + nets[12]) / 2 / nets[4])
    assert found["the gate"] == pytest.approx(np.mean([m.bottleneck(60).constraint == "gate" for m in low]))
    nets = [[0.0] * 52 + m.weekly["cumulative_net"].tolist() for m in high]
    assert found["positive"] == pytest.approx(np.mean([net[w + 52] - net[w] >= 1 for net in nets for w in range(4, 60, 4)]))
    weeks = [m.outcome["weeks_to_production"] for m in high if m.outcome["weeks_to_production"] is not None]
    assert found["when"] == pytest.approx(np.mean(weeks)) and len(weeks) > 3
    assert "share of organisations, scaling, weeks 8 to 56" in " ".join(plain(out).replace("│", " ").split())


def test_what_came_of_use_cases_is_counted():
    """Against their own records, of runs in which many pilots fail and initiatives are stopped."""
    seen = set()
    for m in models(weeks=150, **{"strategy.gate_deadline": 30, "strategy.gate_reliance": 0.5, "maturity": "middle"}):
        said, past, ended = m.outcome, 0, 0
        for case in m.use_cases.values():
            stages = case.unit_weekly.pivot(index="week", columns="unit", values="stage")
            beyond = (stages.drop(columns=case.state.unit_names[case.state.firm["pilot"][0]]) == "live").any(axis=1)
            gone = case.outcome["outcome"] == "abandoned" or case.firm.stopped_week >= 0
            past, ended = past + beyond.any(), ended + gone
            seen |= {(bool(beyond.any()), bool(gone))}
        assert (said["use_cases_past_pilot"], said["use_cases_ended"]) == (past, ended)
        assert said["use_cases_scrapped"] == sum(
            c.outcome["weeks_to_production"] is None and (c.outcome["outcome"] == "abandoned" or c.firm.stopped_week >= 0)
            for c in m.use_cases.values()
        )
        assert (said["weeks_to_production"] is not None) == (said["weeks_in_production"] > 0) == (past > 0)
    assert {(False, True), (True, False)} <= seen


def test_every_organisation_is_in_one_stage():
    nan = pd.NA
    runs = pd.DataFrame({
        "weeks_to_production": pd.array([nan, nan, 30, 30], "Int64"), "gate_week": pd.array([nan, 20, 20, 20], "Int64"),
        "outcome": ["never_launched", "pilot_purgatory", "partial_adoption", "scaled"], "binds": ["gate", "waves", "none", "trust"],
    })  # fmt: skip
    seen = at_end(runs)
    assert seen[list(STAGES)].to_numpy().tolist() == np.eye(4).tolist() and seen["past_pilot"].tolist() == [0, 0, 1, 1]
    assert seen[list(BINDS)].to_numpy().sum() == 4 and seen["held_back_by_none"].tolist() == [0, 0, 1, 0]
    runs = pd.DataFrame({"run": [7], "draw": [0], "users": [4], "units": [2], "teams": [2], "gate_week": pd.array([1], "Int64"),
                         "weeks_to_production": pd.array([2], "Int64")})  # fmt: skip
    weekly = pd.DataFrame({"run": 7, "week": range(5), "users_using": 0.5, "reliance": [0, 0, 0, 0.7, 0.7], "teams_trust_and_use": 0.5,
                           "trust": 0.5, "units_live": [0, 1, 2, 2, 1], "units_retired": 0, "cumulative_net": [-1.0, -2, -3, 0, 5]})  # fmt: skip
    seen = in_weeks(runs, weekly, (0, 5), Outcomes(), 2)
    assert seen[list(STAGES)].to_numpy().argmax(axis=1).tolist() == [0, 1, 2, 3, 2]
    assert seen[list(STAGES)].to_numpy().sum() == 5 and seen["net_last_year"].tolist() == [-1, -2, -2, 2, 8]


def test_a_mix_has_the_shares_that_it_states_and_members_share_their_luck():
    runs = runs_of(net=pd.array([1.0, 2, 10, 20], "Float64"), weeks_to_production=pd.NA, gate_week=pd.NA)
    runs["point"], runs["draw"] = [0, 0, 1, 1], [0, 1, 0, 1]
    seen = Seen(runs.drop(columns="share"), pd.DataFrame(), {("a",): 0, ("b",): 1}, []).of(((0.9, ("a",)), (0.1, ("b",))), None)
    row = target("net", "mean", 2, 0.5).row(seen)
    assert row["model"] == pytest.approx(0.9 * 1.5 + 0.1 * 15) and row["runs"] == 4
    assert [row["model_low"], row["model_high"]] == pytest.approx(clustered(np.array([1.9, 3.8]), np.arange(2))[1:])


def test_a_weight_counts_as_so_many_organisations():
    """Interval and estimate of 2, 1 and 3 alike, which hang together, are those of one that counts so often."""
    x, cluster, weight = np.array([1.0, 0, 1, 0, 1, 0]), np.arange(6), np.array([2.0, 1, 3, 1, 1, 4])
    repeated = [np.repeat(values, weight.astype(int)) for values in (x, cluster)]
    assert clustered(x, cluster, weight) == pytest.approx(clustered(*repeated))
    assert clustered_share(x, cluster, weight) == pytest.approx(clustered_share(*repeated))
    ones = np.ones(len(repeated[0]))
    assert clustered_median(x, cluster, weight) == pytest.approx(clustered_median(*repeated, ones))
    assert clustered_share(np.zeros(6), cluster, weight)[2] == clustered_share(np.zeros(6), cluster)[2] > 0.3
    above, below = (3 * x + 1, cluster, weight), (np.ones(6), cluster, weight)
    assert ratio(above, below) == pytest.approx(clustered(*above)) and np.isnan(ratio(above, (x * 0, cluster, weight))[0])


def test_intervals_of_clusters_hold_what_they_promise():
    generator, hits, trials = np.random.Generator(np.random.PCG64(1)), {"median": 0, "ratio": 0, "share": 0}, 400
    for _ in range(trials):
        cluster = np.repeat(np.arange(60), 4)
        common, weight = np.repeat(generator.normal(0, 1, 60), 4), np.tile([0.1, 0.2, 0.3, 0.4], 60)
        x, y = (common + generator.normal(0, 1, 240) + 5 for _ in range(2))
        _, low, high = clustered_median(x, cluster, weight)
        hits["median"] += low <= 5 <= high
        _, low, high = ratio((x, cluster, weight), (y, cluster, weight))
        hits["ratio"] += low <= 1 <= high
        _, low, high = clustered_share((x > 5).astype(float), cluster, weight)
        hits["share"] += low <= 0.5 <= high
    for name, count in hits.items():
        assert abs(count / trials - 0.95) < 4 * np.sqrt(0.95 * 0.05 / trials), name


def test_organisations_of_a_draw_hang_together(call, tmp_path):
    """More organisations than draws: the interval is that of clusters."""
    (tmp_path / "mine.yaml").write_text(ALONE)
    assert (
        call("check", "enterprise=small", "weeks=10", "executor=serial", "replications=130", "population=calibrated", "targets=mine.yaml")[
            0
        ]
        == 0
    )
    folder = only(tmp_path / "results" / "check")
    runs, row = pd.read_parquet(folder / "runs"), pd.read_csv(folder / "targets.csv").iloc[0]
    size = population_of("calibrated", {}).size
    said = clustered(runs["final_reliance"].to_numpy(), runs["seed"].to_numpy() % size)
    assert size == 120 and [row["model"], row["model_low"], row["model_high"]] == pytest.approx(said)


def test_a_parameter_that_another_target_gives_is_still_drawn(call, tmp_path):
    """Even where it has, by chance, the value that all others start from."""
    rows = "- {measure: net, value: 1, tolerance: 1}\n- {population: {maturity.budget: 1.0}, measure: net, value: 1, tolerance: 1}\n"
    (tmp_path / "mine.yaml").write_text(rows)
    assert call("check", *SMALL, "targets=mine.yaml", "population=calibrated")[0] == 0
    runs = pd.read_parquet(only(tmp_path / "results" / "check") / "runs")
    assert runs.groupby("point")["maturity.budget"].nunique().tolist() == [12, 1]


def test_the_shipped_example_is_read_and_asked(call, tmp_path):
    shutil.copy(ROOT / "docs" / "targets.yaml", tmp_path)
    code, out, err = call("check", "enterprise=small", "executor=serial", "weeks=260", "replications=10", "targets=targets.yaml")
    assert (code, err) == (0, "") and "within their tolerance" in out
