"""The agents: business units, teams and planners, each with its attributes and its rules."""

from sim.agents.business_unit import BusinessUnit
from sim.agents.team import Team
from sim.agents.user import User

__all__ = ["BusinessUnit", "Team", "User"]
