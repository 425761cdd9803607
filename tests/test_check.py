"""Published numbers against the model: what is read, what is computed, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from experiments.check import Target, verdict, with_targets
from sim import RolloutModel

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
    return pd.DataFrame({**columns, "outcome": "scaled"})


def target(measure, statistic, value, tolerance, at_least=0.0):
    return Target("it", "", (), measure, statistic, at_least, value, tolerance)


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
    assert verdict(row) == "only 2 of 3 runs have it"
    assert verdict(target(measure, statistic, published, 0.9, 1.0).row(runs_of(**{measure: pd.array([None] * 3, kind)}))) in (
        "no",
        "no run has it",
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
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.loss: {a: 1}}}", "mine.yaml, target 1, trust.loss: {'a': 1}"),
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
