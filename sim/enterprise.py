"""The enterprise at week 0: its people and their state, drawn or given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from types import SimpleNamespace

import numpy as np

from sim import network, portfolio
from sim.configuration import ReadOnly, as_namespace, as_record
from sim.forecasting import cleanliness
from sim.layout import Layout
from sim.parameters import Parameters, UseCase
from sim.schema import InvalidInput
from sim.state import EVENT, FIRM, PILOT, TEAM, UNIT, UNIT_WEEK, USER, WEEK, K, States
from sim.strategy import choose_champions, choose_pilot, order_of_use_cases, wave_order
from sim.streams import PEOPLE, keys, stream

#: More bytes of records than this are refused before any memory is asked for.
MOST_RECORDED = 8 * 10**9


def create(p: Parameters, layout: Layout, seed: int) -> States:
    """Draw the state at week 0 for a layout, which is left as it is: who the planners are, and the use cases that begin."""
    names, cases = layout.unit_names, p.usecases
    if p.weeks * len(names) * len(cases) * UNIT_WEEK.itemsize > MOST_RECORDED:
        size = " x ".join(map(str, [p.weeks, len(names), *([len(cases)] if len(cases) > 1 else [])]))
        allowed = f"at most {MOST_RECORDED / 1e9:.0f} GB of weekly records"
        raise InvalidInput("weeks x units" + " x use cases" * (len(cases) > 1), size, allowed)
    ties = layout.ties if layout.ties is not None else network.draw_ties(p.network, layout, seed)
    peers_first, peers = network.adjacency(layout.n_users, ties)
    shocks = keys(seed, names)
    n, users = len(cases), layout.n_users
    people = (layout.user_last - layout.user_first).astype(float)
    states = States(
        names=tuple(case.name for case in cases),
        turn=_turn(p, layout, seed),
        common=np.array([case.common for case in cases]),
        overlap=_overlap(cases),
        firm=np.zeros((n, 1), FIRM),
        units=np.zeros((n, len(names)), UNIT),
        teams=np.zeros((n, len(layout.user_first)), TEAM),
        users=np.zeros((n, users), USER),
        order=np.zeros((n, len(names)), np.int64),
        keys=np.array([shocks, *(keys(seed, [f"{name}/{case.name}" for name in names]) for case in cases[1:])]),
        shocks=shocks,
        peers_first=peers_first,
        peers=peers,
        left=np.zeros(users, np.int8),
        weekly=np.zeros((n, p.weeks), WEEK),
        unit_weekly=np.zeros((n, p.weeks, len(names)), UNIT_WEEK),
        convinced=np.zeros(p.weeks),
        planners=np.array([float(np.sum(people * _concerned(case, layout))) for case in cases]),
        events=np.zeros((n, 16), EVENT),
        unit_names=names,
        team_names=layout.team_names,
        user_names=layout.user_names,
        notes=list(layout.notes),
        settings=tuple({} for _ in cases),
    )
    states.firm["begun"] = states.firm["launched"] = states.firm["stopped_week"] = -1
    _draw(states, 0, p, layout, seed)  # who the planners are
    if p.maturity.budget == 0:  # nothing goes on
        _begin(states, 0, 0, p, layout, seed, as_namespace(as_record(p)[0]))
    begin(states, 0, p, layout, seed)
    return states


def begin(states: States, week: int, p: Parameters, layout: Layout, seed: int) -> list[int]:
    """Let use cases begin in a week, as many as are due; returns their rows."""
    values, began = as_namespace(as_record(p)[0]), []
    while states.begins and (u := portfolio.next_to_begin(*_rows(states), states.turn.tolist(), values)) >= 0:
        _begin(states, u, week, p, layout, seed, values)
        began.append(u)
    if began and len(states.names) > 1:
        firms, units = _rows(states)
        portfolio.divide(firms, units, states.turn.tolist(), week, values)
        for name in ("budget", "portion", "waiting", "attention"):
            states.firm[name] = [[getattr(firm, name) for firm in row] for row in firms]
        states.units["attention"] = [[unit.attention for unit in row] for row in units]
    return began


def _rows(states: States) -> tuple[list[list[SimpleNamespace]], list[list[SimpleNamespace]]]:
    """The enterprise's and the units' rows of each use case as plain objects: rules in Python read these much faster than records."""

    def plain(table: np.ndarray) -> list[list[SimpleNamespace]]:
        names = table.dtype.names or ()
        return [[SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows] for rows in table.tolist()]

    return plain(states.firm), plain(states.units)


def _begin(states: States, u: int, week: int, p: Parameters, layout: Layout, seed: int, values: ReadOnly) -> None:
    """Let a use case begin in a week: its state drawn, with what there is of the others' platform and of what people think of them."""
    if week > 0 or u > 0:
        _draw(states, u, p, layout, seed)
    firm, units = states.firm[u, 0], states.units[u]
    firm["begun"] = firm["launched"] = week
    firm["active"] = firm["budget"] > 0
    if firm["active"]:
        units["stage"][firm["pilot"]] = PILOT
        units["live_week"][firm["pilot"]] = week
    others = [v for v in range(len(states.names)) if v != u and states.firm[v, 0]["begun"] >= 0]
    if not others:
        return
    if p.strategy.portfolio.platform == "shared":
        firm["core"] = states.firm["core"][others, 0].max(axis=0)
        for v in others:
            found = np.minimum(states.common[u], states.units[v]["readiness"] * states.overlap[u, v])
            units["readiness"] = np.maximum(units["readiness"], found)
    for rows in (states.units, states.firm):
        backing = np.mean(rows["sponsorship"][others], axis=0)
        for carrier, others_have in zip(rows[u].view(np.recarray), backing, strict=True):
            portfolio.inherit_backing(carrier, others_have, values)


def _turn(p: Parameters, layout: Layout, seed: int) -> np.ndarray:
    """Rows of the use cases in their turn."""
    loudest = np.zeros(len(p.usecases))
    if p.strategy.portfolio.order == "sponsor":
        for u, case in enumerate(p.usecases):
            units, teams, users = _people(p, layout, seed, case.name if u else "")
            _give(layout, units, teams, users)
            loudest[u] = units["sponsorship"].max()
    return order_of_use_cases(p.strategy, p.usecases, loudest, seed)


def _overlap(cases: Sequence[UseCase]) -> np.ndarray:
    """How much of a use case's need in a unit another's full readiness covers, [use cases, others, capabilities]."""
    needs = np.array([astuple(case.needs) for case in cases])
    return np.minimum(1.0, needs[None, :, :] / needs[:, None, :])


def _draw(states: States, u: int, p: Parameters, layout: Layout, seed: int) -> None:
    """The state of a use case before it begins. Who the planners are, and their data, stays as the first use case has it by now."""
    case = p.usecases[u]
    units, teams, users = _people(p, layout, seed, case.name if u else "")
    _give(layout, units, teams, users)
    users["own_error"] *= _own_error(u, p, layout, seed)
    first = states.of(0)
    drawn = bool(first.users["own_error"][0] > 0)
    if drawn:
        users["trust"] = np.where(users["disposition"] == first.users["disposition"], users["trust"], p.people.newcomer_trust)
        ratio = _own_error(u, p, layout, seed) / _own_error(0, p, layout, seed)
        users["own_error"] = first.users["own_error"] * ratio
        for rows, kept, names in ((units, first.units, ("completeness", "lateness", "mismatch", "busy_until")),
                                  (users, first.users, ("disposition", "experience", "threshold"))):  # fmt: skip
            for name in names:
                rows[name] = kept[name]
    users["log_own_error"] = np.log(users["own_error"])
    units["commitment"] = units["sponsorship"]
    units["spend"] *= case.value
    units["work"] = case.work
    units["overrun"] *= astuple(case.needs)
    units["clean"] = [_clean(unit, p) for unit in units[["completeness", "lateness", "mismatch", "readiness"]].tolist()]
    _concern(units, teams, _concerned(case, layout))
    pilot = choose_pilot(p.strategy, layout.unit_names, units["clean"], seed)
    states.order[u] = _order(p, layout, units, pilot, states.peers_first, states.peers, seed)
    _recruit(p, layout, users, states.peers_first, states.peers, seed)
    teams["trust"] = np.add.reduceat(users["trust"], teams["first"]) / (teams["last"] - teams["first"])
    firm = _firm(p, len(layout.unit_names), pilot, case)
    firm["events"] = states.firm[u, 0]["events"]
    if drawn:
        firm["budget"] = first.firm["budget"]
    states.firm[u] = firm
    states.units[u], states.teams[u], states.users[u] = units, teams, users


def _own_error(u: int, p: Parameters, layout: Layout, seed: int) -> float:
    """What planners' error in a use case is a multiple of: how much there is to gain from a model turns out when it is tried.

    Of the first use case, that is known where files give it.
    """
    case = p.usecases[u]
    if u == 0 and "own_error" in layout.known.get("users", {}):
        return case.own_error
    z: float = stream(p.enterprise.number or seed, PEOPLE, f"own error/{case.name}").standard_normal()
    return float(case.own_error * np.exp(p.forecast.usecase_spread * z))


def _concerned(case: UseCase, layout: Layout) -> np.ndarray:
    """Which teams use it, 0 or 1: of each unit a share, counted from the last one, which is its supply team."""
    number = layout.team_last - layout.team_first
    place = np.arange(len(layout.user_first)) - np.repeat(layout.team_first, number)
    return (place >= np.repeat(number - np.maximum(1, np.rint(case.teams * number)), number)).astype(np.int64)


def _concern(units: np.ndarray, teams: np.ndarray, uses: np.ndarray) -> None:
    """Write down which teams use it, which of them hand on their numbers, and how many planners of each unit that concerns."""
    teams["uses"] = uses
    teams["downstream"][(uses == 0) | ((teams["downstream"] >= 0) & (uses[teams["downstream"]] == 0))] = -1
    units["users"] = np.add.reduceat((teams["last"] - teams["first"]) * uses, units["first"])


def _give(layout: Layout, units: np.ndarray, teams: np.ndarray, users: np.ndarray) -> None:
    """Put what the organisation knows of itself in the place of what was drawn."""
    difficulty = layout.known.get("teams", {}).get("difficulty")
    if difficulty is not None:  # hard products are hard for planners too
        ratio = np.where(np.isnan(difficulty), 1.0, difficulty / teams["difficulty"])
        users["own_error"] *= np.repeat(ratio, layout.user_last - layout.user_first)
    for table, rows in (("units", units), ("teams", teams), ("users", users)):
        for column, values in layout.known.get(table, {}).items():
            given = ~np.isnan(values)
            rows[column][given] = values[given]


def _order(
    p: Parameters, layout: Layout, units: np.ndarray, pilot: int, peers_first: np.ndarray, peers: np.ndarray, seed: int
) -> np.ndarray:
    """Rows of the units in wave order."""
    first, last = layout.unit_users()
    reach = np.zeros(len(units))
    if p.strategy.order == "network":
        unit_of = layout.unit_of_user
        source = np.repeat(unit_of, np.diff(peers_first))
        reach = np.bincount(source[source != unit_of[peers]], minlength=len(units)).astype(float)
    return wave_order(p.strategy, pilot, layout.unit_names, units["clean"], units["spend"] * (last - first), reach, seed)


def _recruit(p: Parameters, layout: Layout, users: np.ndarray, peers_first: np.ndarray, peers: np.ndarray, seed: int) -> None:
    """Make champions of the planners that the strategy chooses."""
    by_paths = p.strategy.placement == "between" and p.strategy.champions > 0
    centrality = network.betweenness(peers_first, peers) if by_paths else np.diff(peers_first)
    champions = choose_champions(p.strategy, layout.unit_names, *layout.unit_users(), centrality, seed)
    users["champion"][champions] = 1
    users["trust"][champions] = np.maximum(users["trust"][champions], p.people.champion_trust)
    users["threshold"][champions] = np.minimum(users["threshold"][champions], p.people.champion_threshold)


def _firm(p: Parameters, units: int, pilot: int, case: UseCase) -> np.ndarray:
    """The enterprise's own row for a use case that has not begun."""
    firm = np.zeros(1, FIRM)
    firm["budget"] = p.maturity.budget * units
    firm["portion"] = firm["attention"] = 1.0
    firm["begun"] = firm["launched"] = -1
    firm["quality"] = min(1.0, p.forecast.start * case.quality)
    firm["core"] = p.maturity.core
    firm["support_ratio"] = 1.0
    firm["pilot"], firm["gate_week"], firm["stopped_week"], firm["entered"] = pilot, -1, -1, 1
    firm["commitment"] = firm["sponsorship"] = p.maturity.sponsorship
    firm["stake"] = 1.0
    return firm


def _clean(unit: tuple, p: Parameters) -> float:
    names = ("completeness", "lateness", "mismatch", "readiness")
    return cleanliness(SimpleNamespace(**dict(zip(names, unit, strict=True))), p)


def _downstream(p: Parameters, layout: Layout) -> np.ndarray:
    """Row of the team that plans on each team's numbers, -1 for none: as the organisation says, or the last team of each unit, its supply team."""
    if layout.downstream is not None:
        return layout.downstream
    supply = np.repeat(layout.team_last - 1, layout.team_last - layout.team_first)
    return np.where(np.arange(len(supply)) == supply, -1, supply)


def _between(mean: float, spread: float, z: np.ndarray) -> np.ndarray:
    """Logit-normal: between 0 and 1, ``mean`` as its median, ``spread`` in logits."""
    return 1.0 / (1.0 + np.exp(-(np.log(mean / (1.0 - mean)) + spread * z)))


def _around(mean: float, spread: float, z: np.ndarray) -> np.ndarray:
    """Log-normal with the given mean; ``spread`` is the sd of the log."""
    return mean * np.exp(spread * z - 0.5 * spread**2)


def _people(p: Parameters, layout: Layout, seed: int, case: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units, teams and planners, each unit from its own stream; what a further use case has of its own, from one for this ``case``."""
    m = p.maturity
    n_units, n_teams, n_users = len(layout.unit_names), len(layout.user_first), layout.n_users
    first, last = layout.unit_users()
    z_unit, z_overrun, u_overrun = np.empty((n_units, 7)), np.empty((n_units, K)), np.empty((n_units, 2 * K))
    z_team, z_user, u_user = np.empty((n_teams, 3)), np.empty((n_users, 3)), np.empty(n_users)
    for b, name in enumerate(layout.unit_names):
        generator = stream(seed, PEOPLE, name)
        t, s = layout.team_first[b], layout.team_last[b]
        i, j = first[b], last[b]
        z = generator.standard_normal(7 + K + 3 * (s - t) + 3 * (j - i))
        u = generator.random(2 * K + (j - i))
        z_unit[b], z_overrun[b], u_overrun[b] = z[:7], z[7 : 7 + K], u[: 2 * K]
        z_team[t:s] = z[7 + K : 7 + K + 3 * (s - t)].reshape(-1, 3)
        z_user[i:j] = z[7 + K + 3 * (s - t) :].reshape(-1, 3)
        u_user[i:j] = u[2 * K :]
        if case:  # another leader's heart may beat for it, other software is in the way, and it fits other teams
            generator = stream(seed, PEOPLE, f"{name}/{case}")
            z, u_overrun[b] = generator.standard_normal(1 + K + s - t), generator.random(2 * K)
            z_unit[b, 4], z_overrun[b], z_team[t:s, 0] = z[0], z[1 : 1 + K], z[1 + K :]

    units = np.zeros(n_units, UNIT)
    units["completeness"] = _between(m.completeness, m.unit_spread, z_unit[:, 0])
    units["lateness"] = _around(m.lateness, m.unit_spread, z_unit[:, 1])
    units["mismatch"] = _between(m.mismatch, m.unit_spread, z_unit[:, 2])
    units["fragmentation"] = _around(m.fragmentation, m.unit_spread, z_unit[:, 3])
    units["sponsorship"] = _between(m.sponsorship, m.unit_spread, z_unit[:, 4])
    units["variants"] = _around(m.variants, m.unit_spread, z_unit[:, 6])
    units["stake"] = 1.0
    units["spend"] = _around(p.enterprise.spend, p.enterprise.spend_spread, z_unit[:, 5])
    units["readiness"] = m.readiness
    swan = u_overrun[:, :K] < p.platform.swan
    units["overrun"] = _around(1.0, p.platform.overrun_spread, z_overrun) * (
        1.0 - swan * p.platform.swan_size * np.log1p(-u_overrun[:, K:])
    )
    units["freshness"] = units["attention"] = 1.0
    units["live_week"] = -1
    units["users"] = last - first
    units["first"], units["last"] = layout.team_first, layout.team_last

    teams = np.zeros(n_teams, TEAM)
    teams["fit"] = _between(m.fit, m.team_spread, z_team[:, 0])
    teams["difficulty"] = _around(1.0, p.forecast.difficulty_spread, z_team[:, 1])
    teams["defect"] = _around(1.0, m.team_spread, z_team[:, 2])
    teams["first"], teams["last"] = layout.user_first, layout.user_last
    teams["downstream"] = _downstream(p, layout)

    users = np.zeros(n_users, USER)
    difficulty = np.repeat(teams["difficulty"], layout.user_last - layout.user_first)
    users["trust"] = _between(m.trust, m.user_spread, z_user[:, 0])
    users["own_error"] = difficulty * _around(p.forecast.planner, p.forecast.planner_spread, z_user[:, 1])
    users["disposition"] = z_user[:, 2]
    users["experience"] = np.minimum(45.0, -p.people.experience * np.log1p(-u_user))
    users["threshold"] = (
        p.utility.threshold
        + p.utility.threshold_spread * users["disposition"]
        + p.utility.experience * (users["experience"] - p.people.experience)
    )
    return units, teams, users
