"""Who leads in a comparison: said once, so that picture and report agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.views.figures.compare import compare_figure
from sim.views.figures.style import handed_to
from sim.views.leads import Estimate, Lead, leader, leaders, read_table
from sim.views.report.say import answer
from sim.views.report.tables import pairs

SUMMARY = ["maturity", "strategy", "measure", "estimate", "low", "high"]
PAIRED = ["maturity", "a", "b", "measure", "pairs", "ties", "difference", "low", "high", "a_wins", "a_wins_low", "a_wins_high"]


def compared(means, differences, maturity="low"):
    """Both tables of a comparison, of mean net values by strategy, and differences with their intervals by pair, in millions."""
    summary = [(maturity, name, "net", value * 1e6, value * 1e6 - 1e6, value * 1e6 + 1e6) for name, value in means.items()]
    paired = [(maturity, *two, "net", 9, 0, *(1e6 * x for x in found), 0.9, 0.7, 1.0) for two, found in differences.items()]
    return pd.DataFrame(summary, columns=SUMMARY), pd.DataFrame(paired, columns=PAIRED)


def test_a_difference_is_told_from_the_leader_s_side():
    means = {"a": 1, "b": 9, "c": 4}
    summary, paired = compared(means, {("a", "b"): (-8, -9, -6), ("a", "c"): (-3, -4, -2), ("b", "c"): (5, 4, 7)})
    first = leader(summary, paired, "low")
    assert (first.best, first.rival, first.difference, first.wins, first.decided) == ("b", "c", (5e6, 4e6, 7e6), (0.9, 0.7, 1.0), True)
    turned = leader(summary[summary["strategy"] != "c"], paired, "low")
    assert (turned.best, turned.rival, turned.difference) == ("b", "a", (8e6, 6e6, 9e6))
    assert turned.wins == pytest.approx((0.1, 0.0, 0.3))
    rows = pairs(paired, [first], most=2)
    assert [(row["who"], row["difference"][0], row["decided"]) for row in rows] == [
        ("b − a", "€8.0M", "the first"),
        ("b − c", "€5.0M", "the first"),
    ]
    assert next((row["who"], row["decided"]) for row in pairs(paired, [first])) == ("a − b", "the second")


def test_a_lead_over_the_next_best_is_none_where_a_third_may_be_as_good():
    summary, paired = compared({"a": 9, "b": 8, "c": 7}, {("a", "b"): (1, 0.5, 1.5), ("a", "c"): (2, -1, 5), ("b", "c"): (1, -2, 4)})
    found = leader(summary, paired, "low")
    assert (found.best, found.rival, found.difference, found.decided) == ("a", "c", (2e6, -1e6, 5e6), False)
    assert found.sentence == "Low maturity: not decided between a and c"


def of_organisations(means, differences, often, within=(-1.0, 6.0)):
    """The tables of a comparison of many organisations, in which each strategy is best so often."""
    summary, paired = compared(means, differences)
    paired["difference_low"], paired["difference_high"] = (1e6 * x for x in within)
    best = pd.DataFrame(
        [("low", name, p, p - 0.05, p + 0.05) for name, p in often.items()],
        columns=["maturity", "strategy", "best", "best_low", "best_high"],
    )
    return summary, paired, best


def test_of_organisations_who_is_best_most_often_leads_whatever_the_means():
    summary, paired, best = of_organisations({"a": 9, "b": 5}, {("a", "b"): (4, 2, 6)}, {"a": 0.4, "b": 0.6})
    paired["a_wins"], paired["a_wins_low"], paired["a_wins_high"] = 0.4, 0.35, 0.45
    found = leader(summary, paired, "low", best)
    assert (found.best, found.rival, found.often.value, found.within) == ("b", "a", 0.6, (-6e6, 1e6))
    assert not found.decided  # on average the other is ahead
    assert leader(summary, paired, "low").best == "a"  # of one organisation the mean says who leads


def test_of_organisations_the_answer_says_for_how_many_and_where_one_may_end():
    summary, paired, best = of_organisations({"a": 9, "b": 5}, {("a", "b"): (4, 2, 6)}, {"a": 0.9, "b": 0.1})
    found = leader(summary, paired, "low", best)
    assert found.decided and found.sentence == "Low maturity: a is best in 90% of organisations, by €4.0M on average"
    said = answer([found], 52, 2)
    assert said == ("At low maturity a is best for 90% [85%, 95%] of organisations, €4.0M more than b on average, over 52 weeks.")


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (Lead("low", "a_b", Estimate(5e6, 4e6, 6e6), "c", Estimate(3e6, 2e6, 4e6)), "Low maturity: a-b earns most, €5.0M on average"),
        (Lead("low", "a_b", Estimate(-5e6, -6e6, -4e6), "c", Estimate(3e6, 2e6, 4e6)), "Low maturity: a-b loses least, €5.0M on average"),
        (Lead("low", "a_b", Estimate(5e6, 4e6, 6e6), "c", Estimate(3e6, -2e6, 8e6)), "Low maturity: not decided between a-b and c"),
        (Lead("low", "a_b", Estimate(5e6, 4e6, 6e6), "c", same=True), "Low maturity: a-b and c came to the same"),
        (Lead("low", "a_b", Estimate(5e6, 4e6, 6e6)), "Low maturity: a-b earns, €5.0M on average"),
    ],
)
def test_who_leads_is_said_in_a_line(lead, said):
    assert lead.sentence == said


def test_without_a_pair_of_runs_nothing_is_decided():
    summary, paired = compared({"a": 9, "b": 8}, {})
    found = leader(summary, paired, "low")
    assert found.rival == "b" and not found.decided and found.difference.written(str) == "–"
    assert "not decided" in found.sentence and "do not tell a and b apart (difference –)" in answer([found], 52, 2)


@pytest.mark.parametrize(("low", "decided"), [(-1, False), (0, False), (1, True)])
def test_picture_and_report_of_a_folder_say_the_same(tmp_path, low, decided):
    """Where the paired interval holds zero, neither names a leader, though the means differ."""
    summary, paired = compared({"nan": 9, "b": 6}, {("nan", "b"): (3, low, 6)})
    endings = [("low", name, "outcome_scaled", 1.0, 0.9, 1.0) for name in ("nan", "b")]
    pd.concat([summary, pd.DataFrame(endings, columns=SUMMARY)]).to_csv(tmp_path / "summary.csv", index=False)
    paired.to_csv(tmp_path / "paired.csv", index=False)
    week = np.tile(np.arange(4), 4)
    names = np.repeat(["nan", "b"], 8)
    weekly = pd.DataFrame({"maturity": "low", "strategy": names, "week": week, "cumulative_net": week * 1e6 + np.repeat([0, 1, 2, 3], 4)})
    weekly.to_parquet(tmp_path / "weekly")
    drawn = []
    with handed_to(drawn.append):
        compare_figure(tmp_path)
    picture = drawn[0].get_suptitle()
    report = answer(leaders(read_table(tmp_path / "summary.csv"), read_table(tmp_path / "paired.csv"), ["low"]), 4, 2)
    assert not (tmp_path / "figure.png").exists()
    if decided:
        assert picture == "Low maturity: nan earns most, €9.0M on average" and "nan earns €3.0M" in report
    else:
        assert picture == "Low maturity: not decided between nan and b" and "do not tell nan and b apart" in report
