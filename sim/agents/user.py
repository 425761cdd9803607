"""The planner: decides every week whether to plan on the forecast, and learns from what happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.agents.base import PlanningAgent
from sim.forecasting import WEEKS_PER_YEAR
from sim.rules import clip, rule
from sim.state import ADJUSTED, GOVERNANCE, LIVE, MONITORING, OWN, PILOT, RELIED, USER

if TYPE_CHECKING:
    from sim.agents.business_unit import BusinessUnit
    from sim.agents.team import Team

FORBIDDEN, JUSTIFIED, FREE = range(3)  # override policy, as numbered in the parameters


class User(PlanningAgent):
    """A planner with trust, habit, understanding and a spreadsheet method of their own.

    Fields are those of :data:`sim.state.USER`; ``team``, ``unit`` and ``peers`` are agents.
    """

    dtype = USER
    rules = ("join", "decide", "learn")
    team: Team
    unit: BusinessUnit

    def step(self) -> None:
        """One week of one planner. One uniform says whether they stay and, if so, what they choose."""
        model, p = self.model, self.model.p
        chance = model.chance[self.row]
        stays = chance >= p.people.turnover / WEEKS_PER_YEAR
        if not stays:
            self.join(chance, model.noise[self.row], p)
        if self.unit.stage == PILOT or self.unit.stage == LIVE:
            if stays:
                using = sum([peer.used for peer in self.peers])
                peers = len(self.peers)
                self.decide(self.team, self.unit, using, peers, chance, p)
                self.learn(self.team, self.unit, using, peers, model.noise[self.row], p)
        else:
            self.choice = OWN
        self.tally(self.team, p)

    @rule
    def join(user, chance, z, p):
        """A newcomer takes the seat and its spreadsheet: no experience with the forecast, no habit.

        ``chance`` is uniform below the weekly turnover; what it leaves is uniform again and says how
        experienced the newcomer is. ``z`` is standard normal: the newcomer's disposition.
        """
        left = chance / (p.people.turnover / WEEKS_PER_YEAR)
        user.trust = p.people.newcomer_trust
        user.reliance = 0.0
        user.understanding = 0.0
        user.champion = 0
        user.choice = OWN
        user.experience = 2.0 * left * p.people.newcomer_experience
        user.disposition = z
        user.threshold = (
            p.utility.threshold
            + p.utility.threshold_spread * z
            + p.utility.experience * (user.experience - p.people.experience)
        )

    @rule
    def decide(user, team, unit, using, peers, chance, p):
        """Plan on the forecast, adjust it, or fall back on the spreadsheet.

        The utility weighs trust, channel fit, peers, the team's norm, sponsorship and habit against
        a personal threshold, in the order that studies of technology acceptance report (UTAUT).
        Peers count from ``utility.reinforce`` users on (complex contagion, Centola 2010). A forecast
        that missed the cut-off cannot be used.
        """
        user.choice = OWN
        if unit.on_time == 0:
            return
        fit = team.channel_fit * (1.0 - p.habit.effort * (1.0 - user.understanding))
        v = (
            p.utility.trust * (user.trust - 0.5)
            + p.utility.fit * (fit - 0.5)
            + p.utility.sponsor * (unit.sponsorship - 0.5)
            + p.utility.habit * (user.reliance - 0.5)
            + p.utility.norm * (team.norm - 0.5)
            - user.threshold
        )
        if using >= p.utility.reinforce:
            v += p.utility.peer * (using / peers - 0.5)
        elif peers > 0:
            v -= 0.5 * p.utility.peer
        adjusting = 0.0
        if p.strategy.override != FORBIDDEN:
            v += p.utility.override
            adjusting = p.override.share
            if p.strategy.override == JUSTIFIED:
                adjusting *= p.override.justified
        quit_rate = p.people.turnover / WEEKS_PER_YEAR
        u = (chance - quit_rate) * (1.0 + math.exp(-v))  # below 1 - quit_rate: uses the forecast
        if u < 1.0 - quit_rate:
            user.choice = ADJUSTED if u < adjusting * (1.0 - quit_rate) else RELIED

    @rule
    def learn(user, team, unit, using, peers, z, p):
        """Realised errors move trust, failures more than successes; choices move habit and understanding.

        ``x = tanh((ln own error - ln forecast error + noise z) / 2)``: how clearly the forecast won
        this week. Non-users see it as far as monitoring shows it. Sources: asymmetry, Dietvorst,
        Simmons & Massey 2015; dip and recovery, McElheran et al. 2025.
        """
        governance = unit.readiness[GOVERNANCE]
        trust = user.trust
        used = 0.0
        if unit.on_time == 0:
            trust -= p.trust.late * trust
        else:
            x = math.tanh(0.5 * (user.log_skill - team.log_error + team.noise * z))
            if user.choice == OWN:
                x *= p.trust.unused * unit.readiness[MONITORING]
            else:
                used = 1.0
            trust += p.trust.gain * x * (1.0 - trust) if x > 0.0 else p.trust.loss * x * trust
        if peers > 0:
            trust += p.trust.peer * (using / peers - trust)
        trust += p.trust.governance * governance * (p.trust.anchor - trust)
        user.trust = clip(trust, 0.0, 1.0)
        user.reliance += p.habit.pace * (used - user.reliance)
        user.understanding += p.habit.understanding * used * (1.0 - user.understanding)
        user.understanding += p.habit.explained * governance * (1.0 - user.understanding)

    @rule
    def tally(user, team, p):
        """Add this week's choice to the team's sheet."""
        team.trust += user.trust
        team.reliance += user.reliance
        team.own += user.skill
        if user.choice != OWN:
            error = team.error
            if user.choice == ADJUSTED:
                error *= 1.0 + p.override.harm * user.trust - p.override.help * (1.0 - user.trust)
            team.using += 1.0
            team.saved += user.skill - error
            team.learning += 1.0 - user.understanding
