"""The enterprise at week 0: its people and their state, drawn or given."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from sim import network
from sim.forecasting import cleanliness
from sim.layout import Layout
from sim.parameters import Parameters
from sim.schema import InvalidInput
from sim.state import EVENT, FIRM, PILOT, TEAM, UNIT, UNIT_WEEK, USER, WEEK, K, State
from sim.strategy import choose_champions, choose_pilot, wave_order
from sim.streams import PEOPLE, keys, stream

#: More bytes of records than this are refused before any memory is asked for.
MOST_RECORDED = 8 * 10**9


def create(p: Parameters, layout: Layout, seed: int) -> State:
    """Draw the state at week 0 for a layout, which is left as it is."""
    names = layout.unit_names
    if p.weeks * len(names) * UNIT_WEEK.itemsize > MOST_RECORDED:
        raise InvalidInput("weeks x units", f"{p.weeks} x {len(names)}", f"at most {MOST_RECORDED / 1e9:.0f} GB of weekly records")
    units, teams, users = _people(p, layout, seed)
    _give(layout, units, teams, users)
    users["log_own_error"] = np.log(users["own_error"])
    units["commitment"] = units["sponsorship"]
    ties = layout.ties if layout.ties is not None else network.draw_ties(p.network, layout, seed)
    peers_first, peers = network.adjacency(layout.n_users, ties)
    units["clean"] = [_clean(unit, p) for unit in units[["completeness", "lateness", "mismatch", "readiness"]].tolist()]
    pilot = choose_pilot(p.strategy, names, units["clean"], seed)
    order = _order(p, layout, units, pilot, peers_first, peers, seed)
    _recruit(p, layout, users, peers_first, peers, seed)
    teams["trust"] = np.add.reduceat(users["trust"], teams["first"]) / (teams["last"] - teams["first"])
    if p.maturity.budget > 0:
        units["stage"][pilot] = PILOT
        units["live_week"][pilot] = 0
    return State(
        _firm(p, len(names), pilot), units, teams, users, order, peers_first, peers, names, layout.team_names, layout.user_names,
        weekly=np.zeros(p.weeks, WEEK),
        unit_weekly=np.zeros((p.weeks, len(units)), UNIT_WEEK),
        keys=keys(seed, names),
        notes=list(layout.notes),
        events=np.zeros(16, EVENT),
    )  # fmt: skip


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


def _firm(p: Parameters, units: int, pilot: int) -> np.ndarray:
    """The enterprise's own row; without a budget there is no initiative."""
    firm = np.zeros(1, FIRM)
    firm["budget"] = p.maturity.budget * units
    firm["quality"] = p.forecast.start
    firm["core"] = p.maturity.core
    firm["support_ratio"] = 1.0
    firm["pilot"], firm["gate_week"], firm["stopped_week"], firm["entered"] = pilot, -1, -1, 1
    firm["active"] = p.maturity.budget > 0
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


def _people(p: Parameters, layout: Layout, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units, teams and planners, each unit from its own stream."""
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
    units["freshness"] = 1.0
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
