"""The planner: decides every week whether to plan on the forecast, and learns from what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.agents.base import PlanningAgent
from sim.arithmetic import exp, where
from sim.forecasting import WEEKS_PER_YEAR
from sim.rules import clip, has_forecast, rule
from sim.state import ADJUSTED, GOVERNANCE, MONITORING, OWN, RELIED, USER_VARIABLES

if TYPE_CHECKING:
    from sim.agents.business_unit import BusinessUnit
    from sim.agents.team import Team

FORBIDDEN, JUSTIFIED, FREE = range(3)  # override policy, as numbered in the parameters


@rule
def social_influence(using, peers, p):
    """The share of peers planning on the forecast that counts with a planner; -1 without peers.

    ``using`` of ``peers`` did so last week. Below ``utility.min_peers`` users nobody counts: complex
    contagion needs reinforcement (Centola 2010). From the share ``utility.saturation`` on, more add nothing; near
    0 this is simple contagion, where one source convinces as well as many (Centola & Macy 2007).
    """
    share = clip(using / (peers if peers > 0 else 1.0) / p.utility.saturation, 0.0, 1.0)
    return (share if using >= p.utility.min_peers else 0.0) if peers > 0 else -1.0


class User(PlanningAgent):
    """A planner with trust, habit, understanding and a spreadsheet method of their own.

    Fields are those of :data:`sim.state.USER`; ``team``, ``unit`` and ``peers`` are agents.
    """

    variables = USER_VARIABLES
    ties = ("row", "unit", "team", "peers")
    kind = "users"
    rules = ("join", "decide", "learn", "practise", "abstain", "accumulate")
    team: Team
    unit: BusinessUnit

    def step(self) -> None:
        """One week of one planner. One uniform says whether they stay and, if so, what they choose."""
        model, p, team, unit = self.model, self.model.p, self.team, self.unit
        chance, noise = model.chance[self.row], model.noise[self.row]
        leaving = p.people.turnover / WEEKS_PER_YEAR
        if chance < leaving:
            self.join(chance / leaving, noise, p)
        elif has_forecast(unit) and team.uses:
            using = sum([peer.used for peer in self.peers])
            seen = social_influence(using, len(self.peers), p)
            self.decide(team, unit, seen, (chance - leaving) / (1.0 - leaving), p)
            self.learn(team, unit, seen, noise, p)
            self.practise(team, unit, p)
        else:
            self.abstain(p)
        self.accumulate(team, p)

    @rule
    def join(user, chance, z, p):
        """A newcomer takes the seat and its spreadsheet: no experience with the forecast, no habit.

        ``chance`` is uniform and says how experienced the newcomer is; ``z`` is standard normal, the
        newcomer's disposition. In the first week nobody plans on the forecast.
        """
        user.trust = p.people.newcomer_trust
        user.reliance = 0.0
        user.understanding = 0.0
        user.champion = 0
        user.choice = OWN
        user.experience = 2.0 * chance * p.people.newcomer_experience
        user.disposition = z
        user.threshold = (
            p.utility.threshold + p.utility.threshold_spread * z + p.utility.experience * (user.experience - p.people.experience)
        )

    @rule
    def decide(user, team, unit, seen, chance, p):
        """Plan on the forecast, adjust it, or fall back on the spreadsheet.

        The utility weighs trust, channel fit, what peers do (``seen``, see :func:`social_influence`), the team's
        norm, sponsorship and habit against a personal threshold, in the order that studies of
        technology acceptance report (UTAUT). Too much change at once raises it. That they may adjust a forecast
        counts with planners who do not know it yet. ``chance`` is uniform. A forecast that missed the cut-off cannot be used.
        """
        fit = team.channel_fit * (1.0 - p.habit.effort * (1.0 - user.understanding))
        v = (
            p.utility.trust * (user.trust - 0.5)
            + p.utility.fit * (fit - 0.5)
            + p.utility.sponsor * (unit.sponsorship - 0.5)
            + p.utility.habit * (user.reliance - 0.5)
            + p.utility.norm * (team.norm - 0.5)
            - user.threshold
            - p.utility.load * team.load
        )
        v += p.utility.peer * (seen - 0.5) if seen >= 0.0 else 0.0
        adjusting = 0.0
        if p.strategy.override != FORBIDDEN:
            v += p.utility.override * (1.0 - user.understanding)
            adjusting = p.override.share
            if p.strategy.override == JUSTIFIED:
                adjusting *= p.override.justified
        u = chance * (1.0 + exp(-v))  # uses the forecast where chance < logistic(v)
        user.choice = where(unit.on_time == 0 or u >= 1.0, OWN, ADJUSTED if u < adjusting else RELIED)

    @rule
    def learn(user, team, unit, seen, z, p):
        """Realised errors move trust, failures more than successes.

        ``x = tanh((ln own error - ln forecast error + noise z) / 2)``: how clearly the forecast won
        this week (tanh is written with exp, which is twice as fast). Non-users see it as far as monitoring
        shows it. Source of the asymmetry: Dietvorst, Simmons & Massey 2015. Hearsay and the institution's word
        hold for those who do not understand the forecast yet; then its record counts (McKnight et al. 1998;
        Lee & See 2004). Where somebody answers for the errors, a failure costs less trust.
        """
        governance = unit.readiness[GOVERNANCE]
        trust = user.trust
        used = where(user.choice != OWN, 1.0, 0.0)
        x = 1.0 - 2.0 / (1.0 + exp(user.log_own_error - team.log_error + p.trust.noise * z))
        rise = p.trust.gain * (1.0 - trust)
        fall = p.trust.loss * trust * (1.0 - p.trust.accountable * governance)
        watched = used + (1.0 - used) * p.trust.unused * unit.readiness[MONITORING]
        trust += where(unit.on_time == 0, -p.trust.late * trust, watched * x * (rise if x > 0.0 else fall))
        inexperience = 1.0 - user.understanding
        trust += p.trust.peer * inexperience * (seen - trust) if seen >= 0.0 else 0.0
        trust += p.trust.governance * inexperience * governance * (p.trust.anchor - trust)
        user.trust = clip(trust, 0.0, 1.0)

    @rule
    def practise(user, team, unit, p):
        """What was done this week becomes habit, and use and explanations become understanding, the slower the more else changes.

        Source of the dip while it is learnt, and of the recovery: McElheran et al. 2025.
        """
        used = where(user.choice != OWN, 1.0, 0.0)
        user.reliance += p.habit.pace * (used - user.reliance)
        user.understanding += p.habit.understanding / (1.0 + team.load) * used * (1.0 - user.understanding)
        user.understanding += p.habit.explained * unit.readiness[GOVERNANCE] * (1.0 - user.understanding)

    @rule
    def abstain(user, p):
        """A week in a unit without the forecast: planning by the own method, and the habit fades."""
        user.choice = OWN
        user.reliance -= p.habit.pace * user.reliance

    @rule
    def accumulate(user, team, p):
        """Add this week's choice to the team's sheet. Small adjustments cost accuracy, large ones help a little.

        How far a planner departs from the forecast follows from how little they trust it.
        """
        used = where(user.choice != OWN, 1.0, 0.0)
        adjusted = 1.0 if user.choice == ADJUSTED else 0.0
        adjustment = p.override.harm * user.trust - p.override.help * (1.0 - user.trust)
        team.trust += user.trust
        team.reliance += user.reliance
        team.own += user.own_error
        team.using += used
        team.adjusting += adjusted
        team.saved += used * (user.own_error - team.error * (1.0 + adjusted * adjustment))
        team.learning += used * (1.0 - user.understanding)
        team.champions += user.champion
