"""The business unit: a region that plans its own demand, with its data, its leader and its ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.agents.base import PlanningAgent
from sim.forecasting import WEEKS_PER_YEAR, age, channel, cleanliness, degrade, on_time_probability, refresh, residual_defects
from sim.rules import ACCURACY, USE, business_share, clip, has_forecast, is_active, new_commitment, rule, visibility
from sim.state import DEMAND_SHIFT, LEADER_LEFT, MONITORING, PRIORITY_SHOCK, UNIT_VARIABLES

if TYPE_CHECKING:
    from sim.agents.team import Team


class BusinessUnit(PlanningAgent):
    """A business unit: inputs of some quality, a sponsor, local platform capabilities, a ledger.

    Fields are those of :data:`sim.state.UNIT`; ``teams`` are its teams.
    """

    variables = UNIT_VARIABLES
    ties = ("row", "name", "teams")
    kind = "units"
    rules = ("disturb", "contribute", "forecast", "aggregate", "correct", "account", "update_sponsorship", "passes_review")
    teams: tuple[Team, ...]
    name: str
    sponsorship: float

    @rule
    def disturb(unit, shocks, week, p):
        """Priority shocks, leaders leaving and demand shifts; returns the kinds as bits.

        Who comes after a leader answers for the rollout as far as the business owns it.
        """
        happened = 0
        if shocks[0] < p.disturbance.priority / WEEKS_PER_YEAR:
            unit.sponsorship -= p.disturbance.priority_drop * unit.sponsorship
            unit.busy_until = week + p.disturbance.priority_weeks
            happened |= 1 << PRIORITY_SHOCK
        leaving = p.disturbance.leader / WEEKS_PER_YEAR
        if shocks[1] < leaving:
            unit.commitment = new_commitment(shocks[1] / leaving, p)  # what is left of the uniform is uniform again
            unit.sponsorship = unit.commitment
            unit.stake = business_share(p)
            happened |= 1 << LEADER_LEFT
        if has_forecast(unit) and shocks[2] < p.disturbance.shift / WEEKS_PER_YEAR:
            degrade(unit, p.disturbance.shift_size, p)
            happened |= 1 << DEMAND_SHIFT
        return happened

    @rule
    def contribute(unit, week, p):
        """Person-weeks the unit adds of its own this week: the business works for what it owns, while its leader sees that success is lacking."""
        unit.own_effort = 0.0
        if is_active(unit) and week >= unit.busy_until:
            unit.own_effort = business_share(p) * p.sponsor.own_effort * unit.sponsorship * (1.0 - unit.visible)

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
        """Where monitoring stands, drift is caught, and what users correct reaches the data: half of it where IT follows it up alone."""
        if has_forecast(unit):
            followed_up = 0.5 + 0.5 * business_share(p)
            repaired = p.correction.repair * unit.readiness[MONITORING] * unit.adjusting * followed_up
            unit.completeness += repaired * (1.0 - unit.completeness)
            unit.mismatch -= repaired * unit.mismatch
            refresh(unit, p.correction.refresh * unit.readiness[MONITORING])

    @rule
    def aggregate(unit, teams, p):
        """Close the week's sheet: who planned on the forecast, error offered and saved, time lost, success by the strategy's measure."""
        using = 0.0
        adjusting = 0.0
        saved = 0.0
        own = 0.0
        offered = 0.0
        lost = 0.0
        championing = p.people.champion_time if is_active(unit) else 0.0
        for t in range(unit.first, unit.last):
            team = teams[t]
            if team.uses == 0:
                continue
            using += team.using
            adjusting += team.adjusting
            saved += team.saved * team.aligned
            own += team.own
            offered += team.error * (team.last - team.first)
            lost += team.reconciling + p.habit.dip * team.learning + championing * team.champions
        unit.share = using / unit.users
        unit.adjusting = adjusting / unit.users
        unit.improvement = 1.0 - offered / own
        unit.saved = saved
        unit.lost = lost
        success = 0.0
        if has_forecast(unit):
            success = saved / (p.sponsor.target * own)
            if p.strategy.measure == ACCURACY:
                success = unit.improvement / p.sponsor.target
            elif p.strategy.measure == USE:
                success = unit.share
        unit.success += 0.1 * (clip(success, 0.0, 1.0) - unit.success)
        unit.visible = unit.success * visibility(unit, p)

    @rule
    def account(unit, p):
        """The week's ledger [EUR]: value of the error saved, less planners' time, running cost, own effort.

        Accuracy has a linear value: spend planned x worth of a point of WAPE x points saved, as far as it reaches the accounts.
        """
        unit.value = unit.spend * p.value.worth * p.value.realised * unit.saved
        unit.friction = p.value.planner_week * unit.work * unit.lost
        unit.running = p.value.running if has_forecast(unit) else 0.0
        unit.own_cost = unit.own_effort * p.value.person_week
        unit.net += unit.value - unit.friction - unit.running - unit.own_cost

    @rule
    def update_sponsorship(unit, p):
        """Sponsorship follows the success that is visible; while there is none to see, what the leader thinks of it anyway.

        Who answers for the rollout does not drop it for want of success (escalation of commitment, Staw 1976; Keil 1995). Use cases that
        are new at the same time divide the leader's attention.
        """
        aim = max(unit.visible, unit.stake * unit.commitment) if has_forecast(unit) else unit.commitment
        unit.sponsorship += p.sponsor.rate * (aim * unit.attention - unit.sponsorship)

    @rule
    def passes_review(unit, week, p):
        """What the quarterly review of a live unit would say this week: success is seen, or a leader who answers for it defends it."""
        unit.passed = 0
        defended = unit.stake * unit.sponsorship >= p.review.floor
        if week - unit.live_week < p.review.grace or unit.visible >= p.review.passing or defended:
            unit.passed = 1
