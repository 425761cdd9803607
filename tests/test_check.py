"""Published figures against the model: what is read, what is computed, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import only, plain

from sim import RolloutModel

SMALL = ["enterprise=small", "weeks=60", "executor=serial", "replications=12"]
FIGURES = """
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


def test_each_figure_is_asked_of_its_population(call, tmp_path):
    (tmp_path / "mine.yaml").write_text(FIGURES)
    code, out, err = call("check", *SMALL, "targets=mine.yaml")
    assert (code, err) == (0, "")
    rows = pd.read_csv(only(tmp_path / "results" / "check") / "targets.csv").set_index("name")

    def runs(**given):
        return pd.DataFrame([RolloutModel(enterprise="small", weeks=60, rng=seed, **given).run().outcome for seed in range(1, 13)])

    low, high, plain_runs = runs(maturity="low", strategy="model_first"), runs(maturity="high", **{"trust.loss": 0.2}), runs()
    assert rows["model"]["teams, low"] == pytest.approx(low["final_teams_trust_and_use"].mean())
    assert rows["model"]["half of them by week 40"] == pytest.approx((high["weeks_to_50"].astype(float) >= 40).mean())
    assert rows["model"]["net"] == pytest.approx(plain_runs["net"].mean())
    assert rows["model"]["purgatory"] == pytest.approx((low["outcome"] == "pilot_purgatory").mean())
    assert rows["within"].tolist() == [True, bool(rows["model"].iloc[1] == 0), False, True]
    assert f"{rows['within'].sum()} of 4 figures" in plain(out)
    assert np.allclose(rows["off"], rows["model"] - rows["value"])


def test_names_are_text_and_neither_markup_nor_formula(call, tmp_path):
    names = ["[/]", "[bold]x", "$x_$^", "=cmd()", "n" * 200]
    rows = [{"name": name, "source": "$^[/]", "measure": "net", "value": 1, "tolerance": 1} for name in names]
    (tmp_path / "mine.yaml").write_text(json.dumps(rows))
    code, out, _ = call("check", *SMALL, "targets=mine.yaml")
    folder = only(tmp_path / "results" / "check")
    assert code == 0 and all(name in out for name in names[:4]) and (folder / "figure.png").is_file()
    assert pd.read_parquet(folder / "targets.parquet")["name"].tolist() == names
    assert pd.read_csv(folder / "targets.csv")["name"].tolist()[3] == "'=cmd()"


@pytest.mark.fault("files", "a file of published figures that cannot be used", "one line with file, figure and key")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.yaml: None"),
        ("{}", "mine.yaml: {}"),
        ("- 3", "mine.yaml, figure 1: 3"),
        ("- {measure: nett, value: 1, tolerance: 1}", "mine.yaml, figure 1, measure: 'nett'"),
        ("- {measure: reason, value: 1, tolerance: 1}", "mine.yaml, figure 1, measure: 'reason'"),
        ("- {measure: net, value: 1, tolerance: 1, unit: EUR}", "mine.yaml, figure 1, unit: 'EUR'"),
        ("- {measure: net, value: many, tolerance: 1}", "mine.yaml, figure 1, value: 'many'"),
        ("- {measure: net, tolerance: 1}", "mine.yaml, figure 1, value: None"),
        ("- {measure: net, value: 1, tolerance: -1}", "mine.yaml, figure 1, tolerance: -1.0"),
        ("- {measure: final_reliance, value: 57, tolerance: 1}", "mine.yaml, figure 1, value: 57.0"),
        ("- {measure: scaled, value: 1.2, tolerance: 1}", "mine.yaml, figure 1, value: 1.2"),
        ("- {measure: net, value: 1, tolerance: 1, statistic: mode}", "mine.yaml, figure 1, statistic: 'mode'"),
        ("- {measure: net, value: 0.5, tolerance: 1, statistic: share}", "mine.yaml, figure 1, at_least: None"),
        ("- {measure: net, value: 1, tolerance: 1, population: low}", "mine.yaml, figure 1, population: 'low'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: lowest}}", "mine.yaml, figure 1, maturity: 'lowest'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.los: 1}}", "mine.yaml, figure 1, population: 'trust.los'"),
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.loss: 2}}", "mine.yaml, figure 1, trust.loss: 2"),
        ("- {measure: [net], value: 1, tolerance: 1}", "mine.yaml, figure 1, measure: ['net']"),
        ("- {measure: {a: b}, value: 1, tolerance: 1}", "mine.yaml, figure 1, measure: {'a': 'b'}"),
        ("- {measure: net, statistic: [mean], value: 1, tolerance: 1}", "mine.yaml, figure 1, statistic: ['mean']"),
        ("- {measure: scaled, statistic: median, value: 0.1, tolerance: 1}", "mine.yaml, figure 1, statistic: 'median'"),
        ("- {measure: net, at_least: 3, value: 1, tolerance: 1}", "mine.yaml, figure 1, at_least: 3"),
        ("- {measure: net, value: 1, tolerance: 1, population: {maturity: [low]}}", "mine.yaml, figure 1, maturity: ['low']"),
        ("- {measure: net, value: 1, tolerance: 1, population: {trust.loss: {a: 1}}}", "mine.yaml, figure 1, trust.loss: {'a': 1}"),
        ("- {measure: net, value: 1, tolerance: 1, population: {1: 2, trust.loss: 0.1}}", "mine.yaml, figure 1, population: 1"),
        ("- {measure: net, value: 1, tolerance: 1, population: {[1]: 2}}", "mine.yaml, line 1"),
        ("- {measure: net, value: .nan, tolerance: 1}", "mine.yaml, line 1"),
        ("- {measure: net, value: 1e400, tolerance: 1}", "mine.yaml, figure 1, value: inf"),
        ("- {name: [a], measure: net, value: 1, tolerance: 1}", "mine.yaml, figure 1, name: ['a']"),
        ('- {name: "\\e[2J", measure: net, value: 1, tolerance: 1}', "mine.yaml, figure 1, name: '\\x1b[2J'"),
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
    for given, said in (([], "targets: ''"), (["targets=nowhere.yaml"], "nowhere.yaml: 'No such file")):
        code, _, err = call("check", *SMALL, *given)
        assert code == 2 and err.startswith(f"error: {said}")
