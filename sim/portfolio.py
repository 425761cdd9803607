"""How use cases of one portfolio meet: what they find of each other's platform, what they take from each other, and when the next begins.

``firms``, ``units`` and ``teams`` hold those of each use case, rows or agents; these functions serve both engines. With one use case
none of them is called. Use cases that have not begun take part in nothing.
"""

from __future__ import annotations

from sim.platform import effort_spent
from sim.rules import has_forecast, is_active, rule
from sim.state import LIVE, ONBOARDING, PILOT, K
from sim.strategy import phase_of, relaunch

PLACE, GATE, ROLLED_OUT = range(3)  # strategy.portfolio.start, as numbered in the parameters
SHARED = 1  # strategy.portfolio.platform


@rule
def left_over(firm):
    """Person-weeks of this week that a use case leaves to those begun after it."""
    return max(0.0, firm.capacity - effort_spent(firm))


@rule
def share_platform(firms, units, u, common, overlap, p):
    """What use case ``u`` has built is there for the others: the shared core, and of local readiness what is common, which is built first.

    ``common``: share of each use case's local readiness; ``overlap``: how much of it another one's covers, [use cases, others,
    capabilities]. Isolated experiments build pipes of their own, and find nothing.
    """
    if p.strategy.portfolio.platform != SHARED:
        return
    for v in range(len(firms)):
        if v == u or firms[v][0].begun < 0:
            continue
        for k in range(K):
            firms[v][0].core[k] = max(firms[v][0].core[k], firms[u][0].core[k])
            for b in range(len(units[v])):
                found = min(common[v], units[u][b].readiness[k] * overlap[v][u][k])
                units[v][b].readiness[k] = max(units[v][b].readiness[k], found)


@rule
def carry_trust(user, known, trust, p):
    """Whoever meets a new use case judges it by those known, good and bad, as far as they are known: ``known``, 0 to 1, and their ``trust``."""
    user.trust += p.sharing.trust * known * (1.0 - user.understanding) * (trust - user.trust)


@rule
def meet_new(firms, units, teams, users, week, p):
    """Planners of units that pilot a use case, or go live with it, this week carry over what they think of the others."""
    for u in range(len(firms)):
        if firms[u][0].begun < 0:
            continue
        for b in range(len(units[u])):
            unit = units[u][b]
            if unit.live_week != week or not has_forecast(unit):
                continue
            for i in range(teams[u][unit.first].first, teams[u][unit.last - 1].last):
                known = 0.0
                trust = 0.0
                for v in range(len(firms)):
                    if v != u and firms[v][0].begun >= 0:
                        other = users[v][i]
                        known += other.understanding
                        trust += other.understanding * other.trust
                if known > 0.0:
                    carry_trust(users[u][i], min(1.0, known), trust / known, p)


@rule
def inherit_backing(carrier, others, p):
    """A leader, or the executive, backs a new use case by what he thinks of those there are, good and bad: ``others``, his mean backing."""
    carrier.commitment += p.sharing.backing * (others - carrier.commitment)
    carrier.sponsorship = carrier.commitment


@rule
def is_new(unit, week, p):
    """Whether a use case is still new in the unit: it pilots, onboards, or has been live for less than the time of grace."""
    return unit.stage == PILOT or unit.stage == ONBOARDING or (unit.stage == LIVE and week - unit.live_week < p.review.grace)


@rule
def attention(new, p):
    """What is left of a leader's backing for each of ``new`` use cases that ask for it at the same time."""
    return 1.0 - p.sharing.attention * (1.0 - 1.0 / new) if new > 1 else 1.0


@rule
def rolling_out(firm, units):
    """Whether a use case takes a place: it goes on, and some unit has yet to go live."""
    return firm.begun >= 0 and firm.active == 1 and phase_of(firm, units) < 2


@rule
def next_to_begin(firms, units, turn, p):
    """Row of the use case that begins next week, -1: none. Places are given in the order of turn."""
    taken = 0
    ready = True
    for k in range(min(len(turn), p.strategy.portfolio.most)):
        u = turn[k]
        firm = firms[u][0]
        if firm.begun < 0:
            return u if ready and taken < p.strategy.portfolio.at_once and firms[0][0].budget > 0.0 else -1
        if rolling_out(firm, units[u]):
            taken += 1
            if p.strategy.portfolio.start == ROLLED_OUT or (p.strategy.portfolio.start == GATE and firm.gate_week < 0):
                ready = False
    return -1


@rule
def at_work(firm, units):
    """Units that keep the central team busy with a use case: they pilot, onboard or are live."""
    count = 0
    if firm.begun >= 0 and firm.active == 1:
        for b in range(len(units)):
            count += is_active(units[b])
    return count


@rule
def divide(firms, units, turn, week, p):
    """Share out next week's central team among the use cases, by the units at work, and each leader's attention.

    Use cases wait for those that are being rolled out where none of them begins next week.
    """
    active = 0
    new = 0
    begun = 0
    for u in range(len(firms)):
        active += at_work(firms[u][0], units[u])
        new += rolling_out(firms[u][0], units[u])
        begun += firms[u][0].begun >= 0
    waiting = max(0, min(len(firms), p.strategy.portfolio.most) - begun) if next_to_begin(firms, units, turn, p) < 0 else 0
    for u in range(len(firms)):
        firm = firms[u][0]
        firm.budget = firms[0][0].budget
        firm.portion = at_work(firm, units[u]) / active if active > 0 else 1.0 / len(firms)
        rolled = not rolling_out(firm, units[u])
        firm.waiting = 0 if rolled else waiting
        firm.attention = 1.0 if rolled else attention(new, p)
    for b in range(len(units[0])):
        new = 0
        for u in range(len(firms)):
            new += firms[u][0].begun >= 0 and is_new(units[u][b], week, p)
        for u in range(len(firms)):
            if firms[u][0].begun >= 0:
                units[u][b].attention = attention(new, p) if is_new(units[u][b], week, p) else 1.0


@rule
def load_teams(firms, teams):
    """What each team changes for the other use cases is load, next week."""
    for t in range(len(teams[0])):
        load = 0.0
        for u in range(len(teams)):
            if firms[u][0].begun >= 0:
                load += teams[u][t].own_load
        for u in range(len(teams)):
            if firms[u][0].begun >= 0:
                teams[u][t].elsewhere = load - teams[u][t].own_load


@rule
def take_up_again(firms, units, turn, events, week, p):
    """What was stopped is taken up again when another use case is seen to succeed, there is a place that none that waits will take, and the
    time of grace has passed."""
    if next_to_begin(firms, units, turn, p) >= 0:
        return
    taken = 0
    for u in range(len(firms)):
        taken += rolling_out(firms[u][0], units[u])
    for u in range(len(firms)):
        firm = firms[u][0]
        if firm.begun < 0 or firm.stopped_week < 0 or week - firm.stopped_week < p.review.grace or taken >= p.strategy.portfolio.at_once:
            continue
        backing = 0.0
        for v in range(len(firms)):
            other = firms[v][0]
            if other.begun >= 0 and other.active == 1 and other.visible >= p.review.relaunch:
                backing = max(backing, other.sponsorship)
        if backing > 0.0:
            firm.commitment = backing
            firm.sponsorship = backing
            relaunch(firm, units[u], events[u], week)
            taken += 1


@rule
def share_convinced(firms, teams, p):
    """Share of teams that trust some use case and use it."""
    convinced = 0
    for t in range(len(teams[0])):
        for u in range(len(firms)):
            team = teams[u][t]
            if firms[u][0].begun >= 0 and team.uses == 1 and team.trust >= p.outcomes.trust and team.reliance >= p.outcomes.reliance:
                convinced += 1
                break
    return convinced / len(teams[0])
