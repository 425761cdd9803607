"""What a report says, in sentences and tables, of leads and records that are made up."""

from __future__ import annotations

import pandas as pd
import pytest

from sim.views.leads import Estimate, Lead
from sim.views.report.say import answer
from sim.views.report.tables import binding, cell


def lead(maturity="low", difference=(3e6, 2e6, 4e6), worth=(5e6, 4e6, 6e6), best="a_b", rival="c_d", same=False):
    return Lead(maturity, best, Estimate(*worth), rival, Estimate(*difference), Estimate(0.9, 0.8, 1.0), same)


@pytest.mark.parametrize(
    ("leads", "strategies", "said"),
    [
        ([lead()], 2, "At low maturity a-b earns €3.0M [€2.0M, €4.0M] more than c-d, over 52 weeks."),
        ([lead(worth=(-5e6, -6e6, -4e6))], 2, "At low maturity a-b loses €3.0M [€2.0M, €4.0M] less than c-d, over 52 weeks."),
        ([lead(difference=(1e6, -1e6, 3e6))], 2, "At low maturity these runs do not tell a-b and c-d apart (difference €1.0M [−€1.0M, €3.0M]), over 52 weeks."),
        ([lead(difference=(0, 0, 0), same=True)], 2, "At low maturity a-b and c-d came to the same, over 52 weeks."),
        ([lead(), lead("high", (1e6, 1e6, 2e6))], 2, "A-b earns more than c-d at every maturity compared: by €3.0M [€2.0M, €4.0M] at low maturity and by €1.0M [€1.0M, €2.0M] at high maturity, over 52 weeks."),
        ([lead(), lead("high", best="c_d", rival="a_b")], 2, "It depends on maturity: at low maturity a-b earns €3.0M [€2.0M, €4.0M] more than c-d; at high maturity c-d earns €3.0M [€2.0M, €4.0M] more than a-b, over 52 weeks."),
        ([lead(difference=(1e6, -1e6, 3e6)), lead("high", same=True, difference=(0, 0, 0))], 2, "These runs do not decide it: at low maturity these runs do not tell a-b and c-d apart (difference €1.0M [−€1.0M, €3.0M]); at high maturity a-b and c-d came to the same, over 52 weeks."),
        ([Lead("low", "a_b", Estimate(5e6, 4e6, 6e6))], 1, "A-b comes to €5.0M [€4.0M, €6.0M] at low maturity, after 52 weeks."),
    ],
)  # fmt: skip
def test_the_answer_is_one_sentence_with_its_uncertainty(leads, strategies, said):
    assert answer(leads, 52, strategies) == said


def test_a_leader_that_loses_everywhere_is_not_said_to_earn():
    said = answer([lead(worth=(-5e6, -6e6, -4e6)), lead("high", worth=(-5e6, -6e6, -4e6))], 52, 2)
    assert "earns" not in said and "loses" in said


def test_what_binds_is_said_in_spans():
    held = pd.DataFrame(
        [(13, "gate"), (13, "gate"), (26, "gate"), (26, "trust"), (39, "trust"), (39, "trust"), (52, "none"), (52, "none")],
        columns=["week", "binds"],
    )
    spans = [(span["from"], span["to"], span["what"], span["share"]) for span in binding(held)]
    assert spans == [(1, 26, "the pilot's gate", 0.75), (27, 39, "trust", 1.0), (40, 52, "nothing", 1.0)]


def test_an_interval_is_written_in_the_unit_of_its_measure():
    assert cell("net", Estimate(1e6, -2e6, 4e6)) == ("€1.0M", "−€2.0M to €4.0M")
    assert cell("final_reliance", Estimate(0.5, 0.25, 0.75)) == ("50%", "25% to 75%")
    assert cell("weeks_to_50", Estimate(80, 70, float("inf"))) == ("80", "70 to never")
    assert cell("weeks_to_50", Estimate(*[float("inf")] * 3)) == ("never", "")
