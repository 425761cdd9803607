"""The article's sentences as rules and parameters, and what takes each away: all of it data, stated before it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.patterns.portfolios import CASES, portfolio
from sim.parameters import BUCKETS
from sim.presets import load


@dataclass(frozen=True)
class Lever:
    """One sentence.

    Attributes:
        name: what acts, in a word or two.
        sentence: what the article says, in short.
        rule: where it acts.
        without: settings that take it away, or turn it round.
        words: the same in words.
        measure: outcome it is measured by (:data:`sim.measures.MEASURES`); what was never reached counts as the horizon.
        sign: +1 where the measure should rise without it, -1 where it should fall.
        strategy, maturity: where.
        given: further settings, with and without it.
    """

    name: str
    sentence: str
    rule: str
    without: Mapping[str, Any]
    words: str
    measure: str
    sign: int
    strategy: str = "integration_first"
    maturity: str = "middle"
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The parameters that it hangs on; shares of effort as one."""
        effort = any(name.startswith("strategy.effort.") for name in self.without)
        return [*(["strategy.effort"] if effort else []), *(n for n in self.without if not n.startswith("strategy.effort."))]


def spared(*taken: str, strategy: str = "integration_first") -> dict[str, float]:
    """Shares of effort without some purposes: what these would get goes to the others, in proportion."""
    changes: dict[str, float] = {}
    for phase, shares in load("strategy", strategy)["effort"].items():
        left = sum(share for bucket, share in shares.items() if bucket not in taken)
        changes |= {f"strategy.effort.{phase}.{bucket}": 0.0 if bucket in taken else shares[bucket] / left for bucket in BUCKETS}
    return changes


#: The portfolio that what use cases share is looked at in, and that the strategies' difference is split in.
THREE = portfolio(*CASES[:3])

LEVERS: tuple[Lever, ...] = (
    # the pilot, and what it hides
    Lever("cleanest pilot", "Pilots rely on cleaner data and fewer users.", "choose_pilot", {"strategy.pilot": "representative"},
          "the pilot runs in a typical unit", "gate_week", +1, "model_first", "low", {"strategy.gate_weeks": 0}),
    Lever("length of the pilot", "Many validate the pilot first and defer the harder questions.", "roll_out", {"strategy.gate_weeks": 4},
          "the pilot lasts 4 weeks", "net", -1, strategy="model_first"),
    Lever("manual help", "If something goes wrong, teams can intervene by hand.", "support", {"support.cap": 0.0},
          "nobody helps by hand", "final_users_using", -1),
    Lever("pace", "New dependencies emerge as they move toward production.", "roll_out", {"strategy.wave": 1.0, "strategy.cadence": 1},
          "all units at once", "lowest_support_ratio", -1, strategy="model_first"),
    # data and systems
    Lever("inconsistent data", "The data feeding the model is no longer consistent.", "forecast", {"maturity.completeness": 0.999},
          "all records are there", "net", +1, given={"strategy.pilot": "random", "strategy.order": "size"}),
    Lever("late data", "In certain regions, data arrives late.", "forecast", {"maturity.lateness": 0.0}, "nothing is late", "net", +1),
    Lever("hierarchies", "Product hierarchies differ by geography.", "residual_defects", {"forecast.totals": 0.0},
          "no part of the plan is made of totals", "net", +1),
    Lever("fragmented systems", "Integrations vary across systems.", "local_effort", {"maturity.fragmentation": 0.0},
          "one system everywhere", "weeks_to_50", -1),
    Lever("separate dashboard", "Recommendations sit in a separate dashboard.", "channel", {"platform.dashboard": 1.0},
          "a dashboard does as well", "final_users_using", +1, strategy="model_first"),
    Lever("shared core", "A platform turns the idea into something repeatable.", "local_effort", {"platform.reuse": 0.0},
          "every unit builds its own", "net", -1),
    Lever("retrofit debt", "Retrofitting scale is rarely efficient.", "upkeep", {"platform.debt": 0.0}, "retrofit costs no more", "net", +1,
          strategy="model_first"),
    Lever("readiness gate", "They do not treat production as a later concern.", "roll_out", {"strategy.readiness_gate": 0.6},
          "units go live when they are ready", "net", +1, strategy="model_first"),
    # people and teams
    Lever("peers", "Confidence built during the pilot begins to soften.", "social_influence",
          {"utility.peer": 0.0, "utility.norm": 0.0, "trust.peer": 0.0}, "nobody looks at colleagues", "net", -1),
    Lever("spreadsheets", "Teams continue relying on spreadsheets.", "decide", {"utility.habit": 0.0}, "no habits", "weeks_to_50", -1),
    Lever("permission to adjust", "Output can be trusted and acted on without friction.", "decide", {"strategy.override": "forbidden"},
          "nobody may adjust", "final_users_using", -1),
    Lever("local processes", "Business units maintain local processes.", "redesign, prepare", {"maturity.variants": 0.0},
          "one way of planning", "net", +1),
    Lever("workflow redesign", "Those with the strongest returns redesign workflows.", "consider, redesign", spared("workflow"),
          "no effort for redesign", "net", -1),
    Lever("competing priorities", "It coexists with competing operational priorities.", "disturb, consider", {"disturbance.priority": 0.0},
          "no other priorities", "net", +1),
    Lever("change load", "Teams that work in very different ways have to change at once.", "decide, practise", {"utility.load": 0.0},
          "load does not weigh", "weeks_to_50", -1),
    Lever("alignment", "Alignment across teams becomes harder.", "hand_over", {"team.chain": 0.0}, "no team depends on another", "net", +1),
    # ownership and management
    Lever("ownership", "Adoption stalls because the business never reorients around it.", "business_share", {"strategy.ownership": "technical"},
          "IT owns it, instead of the business", "final_users_using", -1, "business_led", "low"),
    Lever("sponsorship", "Clear potential creates internal momentum.", "update_sponsorship, decide", {"sponsor.own_effort": 0.0},
          "backing brings no effort of the units", "net", -1, "business_led"),
    Lever("leaders leave", "Ownership: who answers for it when it does not pay.", "disturb, update_sponsorship, passes_review",
          {"disturbance.leader": 0.0}, "no leader ever leaves", "weeks_in_production", +1, "model_first", "middle", {"strategy.measure": "value"}),
    Lever("measure of success", "It performs well enough to stay alive.", "aggregate, passes_review", {"strategy.measure": "value"},
          "reviews look at value, not accuracy", "weeks_in_production", -1, strategy="model_first"),
    Lever("new beginnings", "The idea was validated: it can be taken up again.", "succeed_executive, roll_out", {"review.relaunch": 1.0},
          "nobody takes it up again", "weeks_in_production", -1, "big_bang", "low", {"disturbance.leader": 0.5}),
    # monitoring and governance
    Lever("monitoring", "Monitoring tracks what happens after deployment.", "refresh, visibility", spared("monitoring"),
          "no effort for monitoring", "net", -1),
    Lever("corrections", "No mechanism feeds corrections back into the system.", "correct", {"correction.repair": 0.0},
          "corrections reach no data", "net", -1),
    Lever("governance", "Governance helps business teams trust what the system produces.", "learn, practise",
          spared("governance") | {"strategy.approval": 0.0}, "no effort for governance", "net", -1),
    Lever("accountability", "Operational accountability.", "learn", {"trust.accountable": 0.0}, "nobody answers for an error",
          "final_users_using", -1),
    Lever("approval", "How governance is established from the outset.", "roll_out", {"strategy.approval": 0.6},
          "approval asks for more than half of it", "weeks_in_production", -1, strategy="model_first"),
    # several use cases
    Lever("operational capability", "AI as an operational capability rather than a series of isolated experiments.", "share_platform",
          {"strategy.portfolio.platform": "isolated"}, "each use case builds its own pipes", "net", -1, given=THREE),
    Lever("one after the other", "A growing portfolio of use cases, optimized for proving a concept.", "next_to_begin, divide",
          {"strategy.portfolio.at_once": 3, "strategy.portfolio.start": "place"}, "all start at once", "net", -1, given=THREE),
    Lever("choice of use cases", "Initiatives selected on business value and technical feasibility.", "order_of_use_cases",
          {"strategy.portfolio.order": "random"}, "they come at random", "net", -1,
          given=portfolio(*CASES) | {"strategy.portfolio.order": "value_feasibility"}),
    Lever("leaders' attention", "The next step appears straightforward, for each of them.", "divide, update_sponsorship",
          {"sharing.attention": 0.0}, "leaders have attention for all", "net", +1,
          given=THREE | {"strategy.portfolio.at_once": 3, "strategy.portfolio.start": "place"}),
    Lever("trust that carries over", "Trust required to carry that capability into everyday operations.", "carry_trust",
          {"sharing.trust": 0.0}, "each use case begins anew", "final_users_using", -1, given=THREE),
    Lever("backing that carries over", "Strong enough to create real internal momentum.", "inherit_backing", {"sharing.backing": 0.0},
          "leaders judge each by itself", "net", -1, given=THREE),
)  # fmt: skip

#: What two strategies differ in, as groups of settings of which each belongs to one or to the other.
GROUPS: dict[str, tuple[str, ...]] = {
    "effort": ("strategy.effort.",),
    "gates": ("strategy.readiness_gate", "strategy.approval"),
    "ownership": ("strategy.ownership",),
    "measure": ("strategy.measure",),
    "pilot": ("strategy.pilot", "strategy.gate_improvement", "strategy.gate_reliance"),
    "pace and core": ("strategy.cadence", "strategy.core_first"),
    "portfolio": ("strategy.portfolio.",),
}
