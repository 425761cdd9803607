"""The team: one planning meeting, one workflow, one set of products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.agents.base import PlanningAgent
from sim.forecasting import forecast_error, seen_noise
from sim.rules import rule
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
    rules = ("prepare", "redesign", "meet")
    unit: BusinessUnit
    users: tuple[User, ...]

    @rule
    def prepare(team, unit, quality, p):
        """Before the week's decisions: this week's forecast for the team's products, an empty sheet."""
        team.fit -= p.team.decay * team.fit
        team.error = forecast_error(team.difficulty, team.defect, unit, quality, p)
        team.log_error = math.log(team.error)
        team.noise = seen_noise(unit, p)
        team.channel_fit = team.fit * unit.channel
        team.using = 0.0
        team.saved = 0.0
        team.own = 0.0
        team.learning = 0.0
        team.champions = 0.0
        team.trust = 0.0
        team.reliance = 0.0

    @rule
    def redesign(team, effort, p):
        """Effort [person-weeks] fits the planning workflow to the forecast, with diminishing returns."""
        team.fit += (1.0 - team.fit) * (1.0 - math.exp(-effort / p.team.redesign))
        team.redesigned += effort

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
