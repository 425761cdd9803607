"""The business unit: a region that plans its own demand, with its data, its leader and its ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.agents.base import PlanningAgent
from sim.forecasting import WEEKS_PER_YEAR, age, channel, cleanliness, degrade, on_time_probability, refresh, residual_defects
from sim.rules import clip, has_forecast, is_active, rule
from sim.state import DEMAND_SHIFT, LEADER_LEFT, MONITORING, PRIORITY_SHOCK, SUDDEN_DRIFT, UNIT_VARIABLES

if TYPE_CHECKING:
    from sim.agents.team import Team

TECHNICAL, SHARED, BUSINESS = range(3)  # ownership, as numbered in the parameters


class BusinessUnit(PlanningAgent):
    """A business unit: inputs of some quality, a sponsor, local platform capabilities, a ledger.

    Fields are those of :data:`sim.state.UNIT`; ``teams`` are its teams.
    """

    variables = UNIT_VARIABLES
    ties = ("row", "name", "teams")
    rules = ("disturb", "contribute", "forecast", "aggregate", "correct", "account", "update_sponsorship", "passes_review")
    teams: tuple[Team, ...]
    name: str
    sponsorship: float

    @rule
    def disturb(unit, shocks, week, p):
        """Priority shocks, leaders leaving, demand shifts and sudden drift; returns the kinds as bits."""
        happened = 0
        if shocks[0] < p.disturbance.priority / WEEKS_PER_YEAR:
            unit.sponsorship -= p.disturbance.priority_drop * unit.sponsorship
            unit.busy_until = week + p.disturbance.priority_weeks
            happened |= 1 << PRIORITY_SHOCK
        leaving = p.disturbance.leader / WEEKS_PER_YEAR
        if shocks[1] < leaving:
            # what is left of the uniform is uniform again: the new leader's backing, twice the usual at most
            unit.sponsorship = clip(2.0 * p.maturity.sponsorship * shocks[1] / leaving, 0.0, 1.0)
            happened |= 1 << LEADER_LEFT
        if has_forecast(unit):
            if shocks[2] < p.disturbance.shift / WEEKS_PER_YEAR:
                degrade(unit, p.disturbance.shift_size, p)
                happened |= 1 << DEMAND_SHIFT
            if shocks[3] < p.forecast.sudden / WEEKS_PER_YEAR:
                degrade(unit, p.forecast.sudden_size, p)
                happened |= 1 << SUDDEN_DRIFT
        return happened

    @rule
    def contribute(unit, week, p):
        """Person-weeks the unit adds of its own this week: the business works for what it owns."""
        owns = 0.0
        if p.strategy.ownership == BUSINESS:
            owns = 1.0
        elif p.strategy.ownership == SHARED:
            owns = 0.5
        if week < unit.busy_until or not is_active(unit):
            owns = 0.0
        unit.own_effort = owns * p.sponsor.own_effort * unit.sponsorship

    @rule
    def forecast(unit, chance, p):
        """What is left of the data defects, how output reaches planners, and whether it is on time."""
        unit.clean = cleanliness(unit, p)
        residual_defects(unit, p)
        unit.channel = channel(unit, p)
        unit.on_time = 0
        if has_forecast(unit):
            age(unit, p)
            if chance < on_time_probability(unit, p):
                unit.on_time = 1

    @rule
    def correct(unit, p):
        """Where monitoring stands, users' corrections repair data, and drift is caught."""
        if has_forecast(unit):
            repaired = p.correction.repair * unit.readiness[MONITORING] * unit.share
            unit.completeness += repaired * (1.0 - unit.completeness)
            unit.mismatch -= repaired * unit.mismatch
            refresh(unit, p.correction.refresh * unit.readiness[MONITORING])

    @rule
    def aggregate(unit, teams, p):
        """Close the week's sheet: who planned on the forecast, error offered and saved, time lost."""
        using = 0.0
        saved = 0.0
        own = 0.0
        offered = 0.0
        lost = 0.0
        championing = p.people.champion_time if is_active(unit) else 0.0
        for t in range(unit.first, unit.last):
            team = teams[t]
            using += team.using
            saved += team.saved
            own += team.own
            offered += team.error * (team.last - team.first)
            lost += team.reconciling + p.habit.dip * team.learning + championing * team.champions
        unit.share = using / unit.users
        unit.improvement = 1.0 - offered / own
        unit.saved = saved
        unit.lost = lost
        unit.quarter_saved += saved
        unit.quarter_own += own

    @rule
    def account(unit, p):
        """The week's ledger [EUR]: value of the error saved, less planners' time, running cost, own effort.

        Accuracy has a linear value: spend planned x worth of a point of WAPE x points saved.
        """
        unit.value = unit.spend * p.value.worth * unit.saved
        unit.friction = p.value.planner_week * unit.lost
        unit.running = p.value.running if has_forecast(unit) else 0.0
        unit.own_cost = unit.own_effort * p.value.person_week
        unit.net += unit.value - unit.friction - unit.running - unit.own_cost

    @rule
    def update_sponsorship(unit, p):
        """Sponsorship follows the value that is visible, and fades where the business does not own it."""
        if has_forecast(unit):
            success = 0.0
            if unit.quarter_own > 0.0:
                success = clip(unit.quarter_saved / (p.sponsor.target * unit.quarter_own), 0.0, 1.0)
            unit.visible = success * (p.sponsor.visible_unmonitored + (1.0 - p.sponsor.visible_unmonitored) * unit.readiness[MONITORING])
            unit.sponsorship += p.sponsor.rate * (unit.visible - unit.sponsorship)
        if p.strategy.ownership == TECHNICAL:
            unit.sponsorship -= p.sponsor.technical * unit.sponsorship
        elif p.strategy.ownership == SHARED:
            unit.sponsorship -= p.sponsor.shared * unit.sponsorship

    @rule
    def passes_review(unit, week, p):
        """What the quarterly review of a live unit would say this week."""
        unit.passed = 0
        if week - unit.live_week < p.review.grace or unit.visible >= p.review.passing or unit.sponsorship >= p.review.floor:
            unit.passed = 1
