"""Every parameter does what theory says it does.

The table has one row for each parameter of :data:`sim.parameters.RECORDS`: a low and a high
value, a measure close to the parameter's own mechanism, the direction in which the measure must move
from low to high, and why. Low and high meet the same luck (common random numbers), seed by seed. A
new parameter without a row fails the suite, so that none is dead.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from conftest import ALL_LIVE
from directions import (
    ALWAYS,
    BAD,
    CLASSED,
    DOWN,
    FAILING,
    FEW_LIVE,
    GOOD,
    NEVER,
    NEXT,
    PAIR,
    PARTLY,
    PILOT_ONLY,
    QUIET,
    READY,
    SEVERAL,
    STARTS,
    UP,
    WAITS,
    Row,
    champions_together,
    classed,
    degree,
    final,
    first_value,
    gate_week,
    largest_degree,
    mean,
    moved_shares,
    next_clean,
    number,
    on_time,
    outcome,
    pilot_clean,
    promotion,
    spread,
    spread_of_use_cases,
    stop_week,
    ties_between_units,
    unit_mean,
    use_by_experience,
)

from sim import RolloutModel
from sim.parameters import BUCKETS, CAPABILITIES, PHASES, RECORDS, UseCase
from sim.schema import walk

NUMERIC = {name: record for name, record in RECORDS.items() if record.kind in ("number", "count")}
CHOICES = {name: record.choices for name, record in RECORDS.items() if record.kind == "choice"}
#: Texts are names and paths, without a direction; where each of them is tested.
TEXTS = {
    "strategy.name": "test_strategies.py",
    "strategy.description": "test_strategies.py",
    "strategy.pilot_unit": "test_strategies.py",
    "strategy.listed": "test_strategies.py",
    "enterprise.folder": "the row of enterprise.source here; test_organisation.py",
    "network.edges": "the row of network.team_size here; test_edges.py",
    "network.labels": "the row of network.team_size here; test_edges.py",
    "network.columns": "test_edges.py",
    "strategy.portfolio.listed": "test_portfolio.py",
    "usecases": "test_portfolio.py, and here what stands in a use case",
}
SEEDS = range(1, 9)

# --------------------------------------------------------------------------- the table

# fmt: off
ROWS = [
    Row("weeks", 20, 40, lambda m: len(m.weekly), UP, "the horizon is the number of weekly records"),
    # the enterprise
    Row("enterprise.source", "generated", "files", number("users"), UP, "the files hold six planners, the sizes say two", {"enterprise.units": 2, "enterprise.teams": 1, "enterprise.users": 1}, **STARTS),
    Row("enterprise.units", 3, 6, number("units"), UP, "it is their number", **STARTS),
    Row("enterprise.teams", 2, 4, number("teams"), UP, "it is their number, per unit", **STARTS),
    Row("enterprise.users", 2, 4, number("users"), UP, "it is their number, per team", **STARTS),
    Row("enterprise.spend", 1e5, 2e5, mean("value"), UP, "value is proportional to what is planned, where the forecast is better", ALL_LIVE | GOOD),
    Row("enterprise.spend_spread", 0, 1, spread("units", "spend"), UP, "units differ more in size", **STARTS),
    Row("maturity.budget", 1, 3, mean("readiness_pipelines"), UP, "more person-weeks build more"),
    Row("maturity.completeness", 0.5, 0.9, unit_mean("clean"), UP, "fewer records are missing"),
    Row("maturity.lateness", 0.2, 3, on_time, DOWN, "late inputs make late forecasts", ALL_LIVE),
    Row("maturity.mismatch", 0.1, 0.6, mean("improvement"), DOWN, "items under the wrong parent add error"),
    Row("maturity.variants", 0, 4, unit_mean("fit"), DOWN, "more local ways of planning to change: the same effort redesigns less"),
    Row("maturity.fragmentation", 0, 3, mean("readiness_integration"), DOWN, "more systems to connect: the same effort gets less far"),
    Row("maturity.sponsorship", 0.2, 0.8, mean("sponsorship"), UP, "leaders start with more backing"),
    Row("maturity.fit", 0.2, 0.8, mean("users_using"), UP, "output that fits the workflow is easier to use", ALL_LIVE | GOOD),
    Row("maturity.trust", 0.2, 0.8, mean("trust"), UP, "planners start with more of it", ALL_LIVE | GOOD, 13),
    Row("maturity.readiness", 0, 0.6, unit_mean("clean"), UP, "pipelines that exist relieve data defects"),
    Row("maturity.core", 0, 0.8, mean("readiness_pipelines"), UP, "a shared core saves local effort, and is not built again"),
    Row("maturity.unit_spread", 0, 1, spread("units", "completeness"), UP, "units differ more", **STARTS),
    Row("maturity.team_spread", 0, 1.5, spread("teams", "fit"), UP, "teams differ more", **STARTS),
    Row("maturity.user_spread", 0, 1.5, spread("users", "trust"), UP, "planners differ more", **STARTS),
    # the network
    Row("network.kind", "small_world", "scale_free", largest_degree, UP, "preferential attachment makes hubs", **STARTS),
    Row("network.team_ties", 2, 6, degree, UP, "more ties inside teams are more ties", **STARTS),
    Row("network.unit_ties", 1, 5, degree, UP, "more ties between teams are more ties", **STARTS),
    Row("network.cross_ties", 0, 3, ties_between_units, UP, "more ties leave the unit", **STARTS),
    Row("network.ties", 4, 12, degree, UP, "a ring of more neighbours", {"network.kind": "small_world"}, **STARTS),
    Row("network.rewired", 0, 0.6, ties_between_units, UP, "rewired ties go anywhere, a ring's neighbours are colleagues", {"network.kind": "small_world"}, **STARTS),
    Row("network.team_size", 2, 6, number("teams"), DOWN, "the same planners make fewer teams", {"network.kind": "edges", "network.edges": "edges.txt", "network.labels": "labels.txt"}, **STARTS),
    Row("network.min_weight", 0, 2, degree, DOWN, "who wrote to each other once only are not tied", {"network.kind": "edges", "network.edges": "edges.txt", "network.labels": "labels.txt"}, **STARTS),
    Row("network.unplaced", "refuse", "drop", number("users"), DOWN, "planners of a graph who have no unit are left out", {"network": PARTLY}, **STARTS),
    # the strategy
    Row("strategy.pilot", "representative", "cleanest", pilot_clean, UP, "the cleanest unit is cleaner than the median one", **STARTS),
    Row("strategy.gate_weeks", 10, 40, gate_week, UP, "an open gate is passed when the pilot has lasted long enough", {"strategy.gate_improvement": -1, "strategy.gate_reliance": 0}),
    Row("strategy.gate_deadline", 30, 80, stop_week, UP, "a pilot that cannot pass ends at the deadline", {"strategy.gate_improvement": 1}, 100),
    Row("strategy.gate_improvement", -1, 0.9, gate_week, UP, "an improvement out of reach keeps the gate shut", {"strategy.gate_weeks": 0, "strategy.gate_reliance": 0}),
    Row("strategy.gate_reliance", 0, 0.95, gate_week, UP, "a use out of reach keeps the gate shut", {"strategy.gate_weeks": 0, "strategy.gate_improvement": -1}),
    Row("strategy.allocation", "fixed", "random", moved_shares, UP, "fixed shares are what the strategy says, drawn ones are not"),
    Row("strategy.core_first", 0, 1, mean(*(f"core_{c}" for c in CAPABILITIES)), UP, "effort goes to the core before the units"),
    Row("strategy.order", "random", "readiness", next_clean, UP, "the cleanest unit follows the pilot", **STARTS),
    Row("strategy.cadence", 4, 26, mean("units_live"), DOWN, "more weeks between waves: units go live later", ALL_LIVE | {"strategy.wave": 0.1}),
    Row("strategy.wave", 0.1, 0.5, mean("units_live"), UP, "larger waves: units go live sooner", ALL_LIVE),
    Row("strategy.readiness_gate", 0, 0.9, mean("units_live"), DOWN, "units wait until they are ready", ALL_LIVE),
    Row("strategy.approval", 0, 0.9, mean("units_live"), DOWN, "units wait until somebody answers for it", ALL_LIVE),
    Row("strategy.measure", "value", "accuracy", unit_mean("visible"), UP, "accuracy shows where nobody uses it", ALL_LIVE | GOOD | NEVER),
    Row("strategy.ownership", "technical", "business", mean("own_effort"), UP, "a unit works for what it owns"),
    Row("strategy.override", "forbidden", "free", mean("users_using"), UP, "planners accept a forecast they may adjust (Dietvorst et al. 2018)", ALL_LIVE | GOOD),
    Row("strategy.champions", 0, 0.5, mean("users_using"), UP, "champions start early", ALL_LIVE | GOOD, 13),
    Row("strategy.placement", "random", "clustered", champions_together, UP, "clusters fill whole teams", {"strategy.champions": 0.25}, **STARTS),
    Row("strategy.unit_reviews", 1, 6, mean("units_retired"), DOWN, "more failed reviews are forgiven", FAILING, 60),
    Row("strategy.initiative_reviews", 1, 6, stop_week, UP, "more failed reviews are forgiven", ALL_LIVE | {"strategy.initiative_floor": 1}, 60),
    Row("strategy.initiative_floor", 0, 1, stop_week, DOWN, "backing below the floor ends the initiative", ALL_LIVE | {"strategy.initiative_reviews": 1}),
    # the forecast
    Row("forecast.best", 0.2, 0.4, mean("improvement"), DOWN, "it is the error itself"),
    Row("forecast.planner", 0.3, 0.6, mean("improvement"), UP, "the error cut is measured against the planner's"),
    Row("forecast.planner_spread", 0, 0.6, spread("users", "log_own_error"), UP, "planners differ more in their own error", **STARTS),
    Row("forecast.difficulty_spread", 0, 0.8, spread("teams", "log_error"), UP, "teams' products differ more in difficulty", **STARTS),
    Row("forecast.usecase_spread", 0, 1, spread_of_use_cases, UP, "one of two has more to gain than the other", PAIR),
    Row("enterprise.number", 2, 3, spread_of_use_cases, UP, "in the third organisation the two lie further apart", PAIR | {"forecast.usecase_spread": 1}),
    Row("forecast.missing", 0, 2, mean("improvement"), DOWN, "missing records cost more accuracy"),
    Row("forecast.late", 0, 2, mean("improvement"), DOWN, "old inputs cost more accuracy"),
    Row("forecast.mapping", 0, 2, mean("improvement"), DOWN, "wrong parents cost more accuracy"),
    Row("forecast.mapping_totals", 0, 9, mean("improvement"), DOWN, "wrong parents cost totals more accuracy"),
    Row("forecast.totals", 0, 0.8, mean("improvement"), DOWN, "wrong parents cost totals more than items"),
    Row("forecast.missed", 0, 3, on_time, DOWN, "late inputs miss the cut-off more often", ALL_LIVE),
    Row("forecast.start", 0.5, 0.9, mean("quality"), UP, "quality starts higher"),
    Row("forecast.learning", 0, 0.05, mean("quality"), UP, "model work closes more of the gap"),
    Row("forecast.retraining", 0, 1, mean("freshness"), UP, "model work restores what has aged", ALL_LIVE | {"forecast.drift": 0.02}),
    Row("forecast.drift", 0, 0.02, mean("freshness"), DOWN, "models age faster", ALL_LIVE),
    Row("forecast.min_freshness", 0.2, 0.8, mean("freshness"), UP, "ageing stops sooner", ALL_LIVE | {"forecast.drift": 0.1}),
    # the platform
    *(Row(f"platform.core_{c}", 20, 400, mean(f"core_{c}"), DOWN, "a larger job takes longer") for c in CAPABILITIES),
    *(Row(f"platform.local_{c}", 4, 80, mean(f"readiness_{c}"), DOWN, "a larger job takes longer") for c in CAPABILITIES),
    Row("platform.reuse", 0, 0.9, mean("readiness_integration"), UP, "the core saves local effort", {"maturity.core": 0.5}),
    Row("platform.debt", 0, 4, mean("readiness_integration"), DOWN, "retrofit costs more", ALL_LIVE, 104),
    Row("platform.debt_weeks", 4, 500, mean("readiness_integration"), UP, "debt builds up more slowly", ALL_LIVE | {"platform.debt": 4}, 104),
    Row("platform.overrun_spread", 0, 1, spread("units", "overrun"), UP, "jobs differ more from their estimate", {"platform.swan": 0}, **STARTS),
    Row("platform.swan", 0, 0.8, mean("readiness_integration"), DOWN, "more jobs run over; none runs under because of it", {"platform.swan_size": 5}),
    Row("platform.swan_size", 0, 10, mean("readiness_integration"), DOWN, "black swans cost more", {"platform.swan": 0.5}),
    Row("platform.decay", 0, 0.03, mean("readiness_integration"), DOWN, "capabilities wear faster"),
    Row("platform.relief", 0, 1, unit_mean("clean"), UP, "pipelines remove more of the defects", {"maturity.readiness": 0.5}),
    Row("platform.dashboard", 0, 0.9, mean("users_using"), UP, "a better dashboard keeps more of the fit", ALL_LIVE | GOOD),
    Row("support.need", 0, 10, mean("support_ratio"), DOWN, "the same hands for more need", ALL_LIVE),
    Row("support.carrying", 0, 5, mean("support_ratio"), DOWN, "the same hands for more need", ALL_LIVE),
    Row("support.minimum", 0, 3, mean("support_ratio"), DOWN, "the same hands for more need", ALL_LIVE),
    Row("support.cap", 0.05, 0.95, mean("effort_support"), UP, "support may take more of the budget", ALL_LIVE),
    Row("support.relief", 0, 1, mean("improvement"), UP, "patched data have fewer defects", ALL_LIVE),
    Row("support.channel", 0, 1, mean("users_using"), UP, "output carried over by hand fits better", ALL_LIVE | GOOD),
    # planners: what they decide on
    Row("utility.trust", 0, 10, mean("users_using"), UP, "weight on trust above one half", ALL_LIVE | {"maturity.trust": 0.95, "maturity.user_spread": 0}, 4),
    Row("utility.fit", 0, 10, mean("users_using"), UP, "weight on fit above one half", ALL_LIVE | READY | {"maturity.fit": 0.95, "maturity.team_spread": 0}, 4),
    Row("utility.peer", 0, 10, mean("users_using"), DOWN, "in the first week no peer uses it yet", ALL_LIVE, 1),
    Row("utility.sponsor", 0, 10, mean("users_using"), UP, "weight on sponsorship above one half", ALL_LIVE | QUIET | {"maturity.sponsorship": 0.95}, 4),
    Row("utility.habit", 0, 10, mean("users_using"), DOWN, "at first the habit is the spreadsheet", ALL_LIVE, 1),
    Row("utility.norm", 0, 10, mean("users_using"), DOWN, "at first the norm is the spreadsheet", ALL_LIVE, 1),
    Row("utility.threshold", -2, 4, mean("users_using"), DOWN, "more must be overcome", ALL_LIVE),
    Row("utility.threshold_spread", 0, 4, spread("users", "reliance"), UP, "with dispositions alone at work, habits differ as they do", ALL_LIVE | {f"utility.{x}": 0 for x in ("trust", "peer", "habit", "norm")}),
    Row("utility.experience", 0, 0.4, use_by_experience, DOWN, "experienced planners take less advice (Logg et al. 2019)", ALL_LIVE | {"people.turnover": 0}),
    Row("utility.override", 0, 6, mean("users_using"), UP, "the freedom to adjust weighs more", ALL_LIVE | GOOD),
    Row("utility.load", 0, 4, mean("users_using"), DOWN, "too much change at once", ALL_LIVE | GOOD | {"disturbance.priority": 4}),
    Row("utility.saturation", 0.1, 1, mean("users_using"), DOWN, "a few peers persuade as well as all", ALL_LIVE | GOOD),
    Row("utility.min_peers", 1, 8, mean("users_using"), DOWN, "more peers are needed before any counts", ALL_LIVE | GOOD),
    # planners: what moves trust
    Row("trust.gain", 0.01, 0.3, mean("trust"), UP, "successes earn more", ALL_LIVE | GOOD),
    Row("trust.loss", 0.02, 0.5, mean("trust"), DOWN, "failures cost more", ALL_LIVE | GOOD),
    Row("trust.noise", 0, 3, mean("trust"), DOWN, "noise makes a sure win lose now and then, and losses weigh more", ALL_LIVE | GOOD | ALWAYS),
    Row("trust.unused", 0, 1, mean("trust"), UP, "non-users see the wins they missed", ALL_LIVE | GOOD | NEVER | READY),
    Row("trust.late", 0, 0.2, mean("trust"), DOWN, "a forecast that does not come is not trusted", ALL_LIVE | {"maturity.lateness": 3}),
    Row("trust.peer", 0, 0.2, mean("trust"), DOWN, "hearsay follows peers, none of whom uses it", ALL_LIVE | NEVER),
    Row("trust.governance", 0, 0.3, mean("trust"), UP, "governance pulls trust up to its anchor", ALL_LIVE | NEVER | READY | {"trust.anchor": 1}),
    Row("trust.accountable", 0, 1, mean("trust"), UP, "an error that is followed up costs less trust", ALL_LIVE | READY),
    Row("trust.anchor", 0.2, 0.9, mean("trust"), UP, "governance pulls trust to a higher anchor", ALL_LIVE | NEVER | READY),
    # planners: what use becomes
    Row("habit.pace", 0.02, 0.5, mean("reliance"), UP, "reliance follows use faster, from zero", ALL_LIVE | ALWAYS, 13),
    Row("habit.understanding", 0.01, 0.5, mean("friction"), DOWN, "use teaches faster: the dip is shorter", ALL_LIVE | ALWAYS),
    Row("habit.explained", 0, 0.5, mean("friction"), DOWN, "explanation teaches faster: the dip is shorter", ALL_LIVE | ALWAYS | READY),
    Row("habit.effort", 0, 1, mean("users_using"), DOWN, "those who do not know how lose more of the fit", ALL_LIVE | GOOD),
    Row("habit.dip", 0, 0.6, mean("friction"), UP, "learning costs more time", ALL_LIVE | ALWAYS),
    Row("people.turnover", 0, 3, mean("reliance"), DOWN, "newcomers have no habit", ALL_LIVE | ALWAYS),
    Row("people.newcomer_trust", 0, 0.9, mean("trust"), UP, "newcomers trust more", ALL_LIVE | {"people.turnover": 2}),
    Row("people.experience", 5, 25, final("users", "experience"), UP, "planners have been there longer", {"people.turnover": 0}, **STARTS),
    Row("people.newcomer_experience", 0, 30, mean("users_using"), DOWN, "experienced newcomers take less advice", ALL_LIVE | GOOD | {"people.turnover": 3, "utility.experience": 0.2}),
    Row("people.champion_trust", 0.5, 1, mean("trust"), UP, "champions trust more", ALL_LIVE | {"strategy.champions": 0.5}, 13),
    Row("people.champion_time", 0, 0.5, mean("friction"), UP, "champions spend time on it", ALL_LIVE | {"strategy.champions": 0.5}, 13),
    Row("people.champion_threshold", -6, 2, mean("users_using"), DOWN, "champions must overcome more", ALL_LIVE | {"strategy.champions": 0.5}, 13),
    # adjusting
    Row("override.share", 0, 1, mean("value"), DOWN, "more uses suffer a harmful adjustment", ALL_LIVE | GOOD | ALWAYS | {"override.harm": 1, "override.help": 0}),
    Row("override.justified", 0, 1, mean("value"), DOWN, "more harmful adjustments are left", ALL_LIVE | GOOD | ALWAYS | {"override.harm": 1, "override.help": 0, "strategy.override": "justified"}),
    Row("override.harm", 0, 0.8, mean("value"), DOWN, "small adjustments cost accuracy", ALL_LIVE | GOOD | ALWAYS),
    Row("override.help", 0, 0.8, mean("value"), UP, "large adjustments add accuracy", ALL_LIVE | GOOD | ALWAYS),
    # the team
    Row("team.redesign", 0.5, 100, unit_mean("fit"), DOWN, "the same effort redesigns less", ALL_LIVE),
    Row("team.capacity", 0.01, 2, unit_mean("fit"), UP, "teams can take up more", ALL_LIVE),
    Row("team.hurdle", 0, 0.6, unit_mean("fit"), DOWN, "more must be gained before a team redesigns its workflow", ALL_LIVE),
    Row("team.chain", 0, 1, mean("value"), DOWN, "gains are lost where supply does not follow", ALL_LIVE | GOOD),
    Row("team.decay", 0, 0.03, unit_mean("fit"), DOWN, "processes change away faster", ALL_LIVE),
    Row("team.norm", 0, 1, mean("users_using"), UP, "a norm that never moves stays at the spreadsheet", ALL_LIVE | GOOD | {"utility.norm": 5}),
    Row("team.reconciling", 0, 2, mean("friction"), UP, "two sets of numbers cost more time", ALL_LIVE),
    # management
    Row("sponsor.rate", 0, 0.2, mean("sponsorship"), UP, "backing lost to other priorities comes back sooner", ALL_LIVE | BAD),
    Row("sponsor.visible_unmonitored", 0, 1, unit_mean("visible"), UP, "more is seen without monitoring", ALL_LIVE | GOOD | ALWAYS),
    Row("sponsor.target", 0.02, 1, unit_mean("visible"), DOWN, "more is hoped for", ALL_LIVE | GOOD | ALWAYS),
    Row("sponsor.own_effort", 0, 3, mean("readiness_pipelines"), UP, "units help to build their pipelines", ALL_LIVE | {"strategy.ownership": "business"}),
    Row("review.every", 5, 26, mean("units_retired"), DOWN, "the third failed review comes later", FAILING, 60),
    Row("review.grace", 0, 100, mean("units_retired"), DOWN, "no unit is judged so early", FAILING, 60),
    Row("review.passing", 0, 1, mean("units_retired"), UP, "more success is asked for", FAILING, 60),
    Row("review.floor", 0, 1, mean("units_retired"), UP, "more backing is asked for", FAILING, 60),
    Row("review.relaunch", 0.2, 1, mean("units_live"), DOWN, "fewer new leaders take it up again", FAILING | {"disturbance.leader": 2}, 104),
    Row("disturbance.priority", 0, 8, mean("sponsorship"), DOWN, "each shock takes backing"),
    Row("disturbance.priority_drop", 0, 0.9, mean("sponsorship"), DOWN, "a shock takes more", {"disturbance.priority": 8}),
    Row("disturbance.priority_weeks", 0, 52, mean("own_effort"), DOWN, "the unit is busy elsewhere for longer", ALL_LIVE | {"disturbance.priority": 8, "strategy.ownership": "business"}),
    Row("disturbance.leader", 0, 12, mean("sponsorship"), DOWN, "who comes later judges by a record that is bad", ALL_LIVE | BAD | {"sponsor.rate": 0.2}),
    Row("disturbance.shift", 0, 8, mean("freshness"), DOWN, "more shifts take freshness", ALL_LIVE),
    Row("disturbance.shift_size", 0, 0.6, mean("freshness"), DOWN, "each shift takes more", ALL_LIVE | {"disturbance.shift": 8}),
    Row("correction.repair", 0, 0.2, final("units", "completeness"), UP, "corrections of use repair records", ALL_LIVE | ALWAYS | READY),
    Row("correction.refresh", 0, 0.5, mean("freshness"), UP, "drift that is seen is caught", ALL_LIVE | READY | {"forecast.drift": 0.02}),
    # money
    Row("value.worth", 0.02, 0.2, mean("value"), UP, "each point of error saved is worth more", ALL_LIVE | GOOD | ALWAYS),
    Row("value.realised", 0.1, 1, mean("value"), UP, "more of it reaches the accounts", ALL_LIVE | GOOD | ALWAYS),
    Row("value.person_week", 1000, 6000, mean("central_cost"), UP, "the central team costs more"),
    Row("value.planner_week", 500, 4000, mean("friction"), UP, "planners' time costs more", ALL_LIVE),
    Row("value.running", 0, 5000, mean("running_cost"), UP, "a live unit costs more", ALL_LIVE),
    Row("value.discount", 0, 0.3, outcome("net_discounted"), DOWN, "gains that come later are worth less", ALL_LIVE | GOOD | ALWAYS | {"value.person_week": 0, "value.planner_week": 0, "value.running": 0}, 156),
    Row("outcomes.trust", 0, 1, outcome("final_teams_trust_and_use"), DOWN, "fewer teams reach a higher threshold", ALL_LIVE | ALWAYS),
    Row("outcomes.reliance", 0, 1, outcome("final_teams_trust_and_use"), DOWN, "fewer teams reach a higher threshold", ALL_LIVE | GOOD | ALWAYS),
    Row("outcomes.purgatory", 0, 1, classed("pilot_purgatory"), UP, "more counts as purgatory", CLASSED),
    Row("outcomes.scaled", 0, 1, classed("scaled"), DOWN, "less counts as scaled", CLASSED),
    Row("outcomes.scaled_units", 0, 1, classed("scaled"), DOWN, "two of twelve units live are no longer enough", CLASSED),
    Row("outcomes.survival", 20, 100, outcome("survived_three_years"), DOWN, "retired after some forty weeks: more than 20, less than 100", FAILING, 104),
]

ROWS += [
    # several use cases
    Row("strategy.portfolio.most", 1, 2, outcome("use_cases_begun"), UP, "the second is begun at all", PAIR),
    Row("strategy.portfolio.at_once", 1, 2, outcome("use_cases_begun"), UP, "there is a place for the second", PAIR),
    Row("strategy.portfolio.order", "listed", "value", first_value, UP, "what is worth more comes first", {"usecases": ["demand", "price"], "usecases.price.value": 3.0, "strategy.portfolio.at_once": 1}, **STARTS),
    Row("strategy.portfolio.start", "rolled_out", "place", outcome("use_cases_begun"), UP, "nobody waits for the roll-out", SEVERAL),
    Row("strategy.portfolio.platform", "isolated", "shared", promotion("core_pipelines"), UP, "both build one core", PAIR),
    Row("strategy.portfolio.stop", "nobody", "failing", stop_week, DOWN, "a single failure makes room", WAITS, 120),
    Row("sharing.attention", 0, 1, mean("sponsorship"), DOWN, "two that are new divide the backing", PAIR | QUIET),
    Row("sharing.trust", 0, 1, promotion("trust"), UP, "a good forecast lends its trust to the next", NEXT | GOOD | ALWAYS | QUIET | {"maturity.trust": 0.2}),
    Row("sharing.backing", 0, 1, promotion("sponsorship"), UP, "a success lends its backing to the next", NEXT | GOOD | ALWAYS | QUIET | {"maturity.sponsorship": 0.2, "sponsor.rate": 0.2}),
]
#: What stands in a use case, of the second of two.
IN_A_USE_CASE = [Row(f"usecases.promotion.{name}", *rest) for name, *rest in (
    ("value", 0.5, 2, promotion("value"), UP, "each point of error is worth more", PAIR | ALL_LIVE | GOOD | ALWAYS),
    ("quality", 0.6, 0.9, promotion("quality"), UP, "its model starts better", PAIR),
    ("own_error", 0.8, 1.4, promotion("improvement"), UP, "planners do worse without it", PAIR),
    ("work", 0.2, 1, promotion("friction"), UP, "it concerns more of the week", PAIR | ALL_LIVE),
    *((f"needs.{c}", 0.2, 1, promotion(f"readiness_{c}"), DOWN, "what is needed more of takes longer", PAIR) for c in CAPABILITIES),
    ("common", 0, 1, promotion("readiness_integration"), UP, "what the other has built is found", PAIR | {"usecases": ["demand", {"name": "promotion"}]}),
    ("teams", 0.1, 1, lambda m: m.use_cases["promotion"].state.units["users"].sum(), UP, "more teams use it", PAIR),
)]

#: What a bucket buys, and the context that stays in one phase (all units are live after the first week).
BUYS = {"model": mean("quality"), "workflow": unit_mean("fit"), **{c: mean(f"core_{c}", f"readiness_{c}") for c in CAPABILITIES}}
STAYS = {"pilot": PILOT_ONLY, "rollout": FEW_LIVE, "run": ALL_LIVE}
ROWS += [
    Row(f"strategy.effort.{phase}.{bucket}", 0.05, 0.5, BUYS[bucket], UP, f"more of the effort of the {phase} phase goes there", STAYS[phase], 40)
    for phase in PHASES for bucket in BUCKETS
]
# fmt: on


def settings(name: str, value: Any) -> dict[str, Any]:
    """Overrides that set one parameter; a share takes what it gains from the other five in equal parts."""
    if (name, value) == ("enterprise.source", "files"):
        return {name: value, "enterprise.folder": "."}
    if not name.startswith("strategy.effort."):
        return {name: value}
    group, bucket = name.rsplit(".", 1)
    return {f"{group}.{other}": value if other == bucket else (1 - value) / (len(BUCKETS) - 1) for other in BUCKETS}


@pytest.fixture(scope="module")
def organisation(tmp_path_factory):
    """A folder with six planners in two units, and an edge list of twelve in two departments."""
    folder = tmp_path_factory.mktemp("organisation")
    people = [(i, "ab"[i // 3]) for i in range(6)]
    (folder / "units.csv").write_text("unit\na\nb\n")
    (folder / "teams.csv").write_text("team,unit\nta,a\ntb,b\n")
    (folder / "users.csv").write_text("user,team\n" + "".join(f"{i},t{unit}\n" for i, unit in people))
    (folder / "ties.csv").write_text("source,target\n0,1\n1,2\n3,4\n2,3\n")
    (folder / "edges.txt").write_text("".join(f"{i} {i + 1}\n" for i in range(11)))
    (folder / "labels.txt").write_text("".join(f"{i} {i // 6}\n" for i in range(12)))
    return folder


@pytest.mark.parametrize("row", ROWS + IN_A_USE_CASE, ids=lambda row: row.name)
def test_direction(row, organisation, monkeypatch):
    monkeypatch.chdir(organisation)

    def measured(value, seed):
        return row.measure(RolloutModel(rng=seed, **{"weeks": row.weeks, **row.given, **settings(row.name, value)}).run())

    moves = np.array([measured(row.high, seed) - measured(row.low, seed) for seed in SEEDS]) * row.sign
    assert moves.mean() > 0 and (moves > 0).mean() >= 0.6, f"{row.name}: {row.why}; moved by {row.sign * moves}"


def test_every_parameter_has_its_row():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert set(names) | set(TEXTS) == set(RECORDS) and not set(names) & set(TEXTS)
    inside = {f"usecases.promotion.{name}" for name, record in walk(UseCase) if record.kind != "text"}
    assert sorted(row.name for row in IN_A_USE_CASE) == sorted(inside)
    assert {RECORDS[name].kind for name in TEXTS} == {"text", "names", "columns", "groups"}  # no number hides among the texts


def test_rows_go_up_and_stay_in_range():
    """The signs mean something only if low is the lower value."""
    inside = {f"usecases.promotion.{name}": record for name, record in walk(UseCase)}
    for row in ROWS + IN_A_USE_CASE:
        record = (RECORDS | inside)[row.name]
        assert record.check(row.name, row.low) != record.check(row.name, row.high) and row.sign in (UP, DOWN)
        assert record.kind == "choice" or row.low < row.high


#: What an alternative needs beside its name.
NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    ("strategy.pilot", "named"): {"strategy.pilot_unit": "China"},
    ("strategy.order", "listed"): {"strategy.listed": ["Japan", "India", "Canada"]},
    ("enterprise.source", "files"): {"enterprise.folder": "."},
    ("network.kind", "edges"): {"network.edges": "edges.txt", "network.labels": "labels.txt"},
    ("network.kind", "graph"): {"network": nx.path_graph(40)},
}
CONTEXT = {
    "network.unplaced": {"network": PARTLY},
    "strategy.placement": {"strategy.champions": 0.2},
    "strategy.order": {"strategy.gate_weeks": 0, "strategy.gate_reliance": 0},
    "strategy.portfolio.order": {
        "usecases": ["demand", "price", "returns", "replenishment"],
        "usecases.price.value": 2.4,
        "usecases.replenishment.value": 1.5,
        "strategy.portfolio.at_once": 1,
    },
    "strategy.portfolio.start": {**SEVERAL, **ALL_LIVE, "strategy.gate_weeks": 9, "strategy.wave": 0.5},
    "strategy.portfolio.platform": PAIR,
    "strategy.portfolio.stop": WAITS,
}


@pytest.mark.parametrize("name", CHOICES)
def test_every_alternative_is_one(name, organisation, monkeypatch):
    monkeypatch.chdir(organisation)
    results = set()
    for alternative in CHOICES[name]:
        given = {**CONTEXT.get(name, {}), name: alternative, **NEEDS.get((name, alternative), {})}
        results.add(tuple(RolloutModel(rng=seed, weeks=60, **given).run().records.tobytes() for seed in (1, 2, 3)))
    assert len(results) == len(CHOICES[name])
