"""The team: one planning meeting, one workflow, one set of products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.agents.base import PlanningAgent
from sim.forecasting import forecast_error
from sim.rules import business_share, is_active, rule
from sim.state import TEAM_VARIABLES

if TYPE_CHECKING:
    from sim.agents.business_unit import BusinessUnit
    from sim.agents.user import User


class Team(PlanningAgent):
    """A planning team of a business unit.

    Fields are those of :data:`sim.state.TEAM`; ``unit`` is an agent, ``users`` its planners.
    """

    variables = TEAM_VARIABLES
    ties = ("row", "unit", "users")
    kind = "teams"
    rules = ("consider", "redesign", "prepare", "meet", "hand_over")
    unit: BusinessUnit
    users: tuple[User, ...]

    @rule
    def prepare(team, unit, quality, p):
        """Before the week's decisions: this week's forecast for the team's products, an empty sheet.

        Local ways of planning change, the faster the more of them there are.
        """
        team.fit -= min(1.0, p.team.decay * (1.0 + unit.variants)) * team.fit
        team.error = forecast_error(team.difficulty, team.defect, unit, quality, p)
        team.log_error = math.log(team.error)
        team.channel_fit = team.fit * unit.channel
        team.using = 0.0
        team.saved = 0.0
        team.own = 0.0
        team.adjusting = 0.0
        team.learning = 0.0
        team.champions = 0.0
        team.aligned = 1.0
        team.trust = 0.0
        team.reliance = 0.0

    @rule
    def consider(team, unit, week, p):
        """Whether the team would redesign its workflow: what it expects to gain, by its trust, against the hurdle.

        The hurdle is twice as high for what IT owns alone as for what the business owns, and rises with what else changes: other
        priorities, and redesign for another use case.
        """
        team.own_load = 0.0
        team.load = (1.0 if week < unit.busy_until else 0.0) + team.elsewhere
        hurdle = p.team.hurdle * (2.0 - business_share(p)) * (1.0 + team.load)
        team.willing = 1 if team.uses == 1 and is_active(unit) and team.trust * (1.0 - team.fit) >= hurdle else 0

    @rule
    def redesign(team, unit, effort, p):
        """Effort [person-weeks] fits the planning workflow to the forecast, with diminishing returns, and loads the team with change."""
        team.fit += (1.0 - team.fit) * (1.0 - math.exp(-effort / (p.team.redesign * (1.0 + unit.variants))))
        team.redesigned += effort
        team.own_load += effort / p.team.capacity
        team.load += effort / p.team.capacity

    @rule
    def meet(team, p):
        """The planning meeting: a team split between two sets of numbers pays for reconciling them.

        The cost, proportional to ``share x (1 - share)``, is least when all agree, either way.
        """
        planners = team.last - team.first
        team.share = team.using / planners
        team.reconciling = p.team.reconciling * team.share * (1.0 - team.share) * planners
        team.norm += p.team.norm * (team.share - team.norm)
        team.trust /= planners
        team.reliance /= planners

    @rule
    def hand_over(team, downstream, p):
        """The team's numbers go to the team ``downstream``; what is gained counts as far as that one plans on the same numbers.

        Where it does not, the two sets of numbers are reconciled, as within a team.
        """
        apart = 1.0 - downstream.share
        team.aligned = 1.0 - p.team.chain * apart
        team.reconciling += p.team.chain * p.team.reconciling * team.share * apart * (team.last - team.first)
