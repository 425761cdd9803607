"""The enterprise at week 0: its layout, its people and their state, drawn or read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from sim import network
from sim.forecasting import cleanliness
from sim.parameters import InvalidInput, Parameters
from sim.state import EVENT, FIRM, PILOT, TEAM, UNIT, UNIT_WEEK, USER, WEEK, K, State
from sim.strategy import choose_champions, choose_pilot, wave_order
from sim.streams import PEOPLE, Draws, stream

#: The twelve regions of the article's enterprise; further units are numbered.
REGIONS = (
    "Brazil",
    "Mexico",
    "United States",
    "Canada",
    "United Kingdom",
    "France",
    "Germany",
    "Nordics",
    "India",
    "China",
    "Japan",
    "Australia",
)
#: More planners, or more bytes of records, than this are refused before any memory is asked for.
MOST_USERS = 20_000_000
MOST_RECORDED = 8 * 10**9


@dataclass
class Layout:
    """Who belongs where, and what is known about them.

    Attributes:
        unit_names: unique names, which also name the units' random streams.
        team_first, team_last: rows of the teams of each unit.
        user_first, user_last: rows of the planners of each team.
        known: given values by table (``units``, ``teams``, ``users``) and column; NaN where not given.
        ties: planner rows, or None to draw them.
        team_names, user_names: names, where the organisation has them.
        notes: what was counted or dropped while reading, for people.
    """

    unit_names: list[str]
    team_first: np.ndarray
    team_last: np.ndarray
    user_first: np.ndarray
    user_last: np.ndarray
    known: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    ties: network.Ties | None = None
    team_names: list[str] | None = None
    user_names: list[str] | None = None
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of_sizes(cls, unit_names: list[str], teams: np.ndarray, users: np.ndarray, **more: Any) -> Layout:
        """From the number of teams of each unit and of planners of each team."""
        teams, users = np.asarray(teams, np.int64), np.asarray(users, np.int64)
        team_last, user_last = np.cumsum(teams), np.cumsum(users)
        return cls(unit_names, team_last - teams, team_last, user_last - users, user_last, **more)

    @property
    def n_users(self) -> int:
        """Number of planners."""
        return int(self.user_last[-1])

    def unit_users(self) -> tuple[np.ndarray, np.ndarray]:
        """First and past-the-last planner row of each unit."""
        return self.user_first[self.team_first], self.user_last[self.team_last - 1]

    @cached_property
    def unit_of_user(self) -> np.ndarray:
        """Unit row of each planner."""
        first, last = self.unit_users()
        return np.repeat(np.arange(len(first)), last - first)

    @cached_property
    def rows_by_unit_name(self) -> np.ndarray:
        """Planner rows with the units in order of their names, so that the order of units does not matter."""
        return np.argsort(np.argsort(np.argsort(self.unit_names))[self.unit_of_user], kind="stable")

    @cached_property
    def team_of_user(self) -> np.ndarray:
        """Team row of each planner."""
        return np.repeat(np.arange(len(self.user_first)), self.user_last - self.user_first)

    @cached_property
    def apart_in_unit(self) -> np.ndarray:
        """Chance that two planners of a unit, drawn at random, sit in different teams; per unit."""
        first, last = self.unit_users()
        sizes = ((self.user_last - self.user_first) ** 2).astype(float)
        return 1.0 - np.add.reduceat(sizes, self.team_first) / (last - first) ** 2

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All pairs of team-mates (rows i < j), 1 / (team size - 1) of each, and the number of pairs per unit."""
        sizes = self.user_last - self.user_first
        number = sizes * (sizes - 1) // 2
        i, j = np.empty(int(number.sum()), np.int32), np.empty(int(number.sum()), np.int32)
        start = np.cumsum(number) - number
        for size in np.unique(sizes):
            a, b = np.triu_indices(size, 1)
            of_size = np.nonzero(sizes == size)[0]
            at = start[of_size, None] + np.arange(len(a))
            i[at], j[at] = self.user_first[of_size, None] + a, self.user_first[of_size, None] + b
        chance = np.repeat(1.0 / np.maximum(sizes - 1, 1), number)
        return i, j, chance, np.add.reduceat(number, self.team_first)


def generated_layout(p: Parameters) -> Layout:
    """Units of equal size, as the configuration says."""
    size = p.enterprise
    total = size.units * size.teams * size.users
    if total > MOST_USERS:
        raise InvalidInput(
            "enterprise.units x teams x users", total, f"at most {MOST_USERS:,} planners (about {total * 200 / 1e9:,.0f} GB of memory)"
        )
    return _equal_layout(size.units, size.teams, size.users)


@lru_cache(maxsize=4)
def _equal_layout(units: int, teams: int, users: int) -> Layout:
    names = [REGIONS[b] if b < len(REGIONS) else f"Unit {b + 1}" for b in range(units)]
    return Layout.of_sizes(names, np.full(units, teams), np.full(units * teams, users))


def create(p: Parameters, layout: Layout, seed: int) -> State:
    """Draw the state at week 0 for a layout, which is left as it is."""
    recorded = p.weeks * len(layout.unit_names) * UNIT_WEEK.itemsize
    if recorded > MOST_RECORDED:
        raise InvalidInput(
            "weeks x units", f"{p.weeks} x {len(layout.unit_names)}", f"at most {MOST_RECORDED / 1e9:.0f} GB of weekly records"
        )
    units, teams, users = _people(p, layout, seed)
    category = layout.known.get("teams", {}).get("category")
    if category is not None:  # hard products are hard for planners too
        ratio = np.where(np.isnan(category), 1.0, category / teams["category"])
        users["skill"] *= np.repeat(ratio, layout.user_last - layout.user_first)
    for table, rows in (("units", units), ("teams", teams), ("users", users)):
        for column, values in layout.known.get(table, {}).items():
            given = ~np.isnan(values)
            rows[column][given] = values[given]
    users["log_skill"] = np.log(users["skill"])

    peers_first, peers = network.adjacency(
        layout.n_users, layout.ties if layout.ties is not None else network.draw_ties(p.network, layout, seed)
    )
    first, last = layout.unit_users()
    clean = np.array([_clean(unit, p) for unit in units[["completeness", "lateness", "mismatch", "readiness"]].tolist()])
    units["clean"] = clean
    names = layout.unit_names
    pilot = choose_pilot(p.strategy, names, clean, seed)
    reach = np.zeros(len(units))
    if p.strategy.order == "network":
        unit_of = layout.unit_of_user
        source = np.repeat(unit_of, np.diff(peers_first))
        reach = np.bincount(source[source != unit_of[peers]], minlength=len(units)).astype(float)
    order = wave_order(p.strategy, pilot, names, clean, units["spend"] * (last - first), reach, seed)

    by_paths = p.strategy.placement == "between" and p.strategy.champions > 0
    centrality = network.betweenness(peers_first, peers) if by_paths else np.diff(peers_first)
    champions = choose_champions(p.strategy, names, first, last, centrality, seed)
    users["champion"][champions] = 1
    users["trust"][champions] = np.maximum(users["trust"][champions], p.people.champion_trust)
    users["threshold"][champions] = np.minimum(users["threshold"][champions], p.people.champion_threshold)

    firm = np.zeros(1, FIRM)
    firm["budget"] = p.maturity.budget * len(units)
    firm["quality"] = p.forecast.start
    firm["core"] = p.maturity.core
    firm["support_ratio"] = 1.0
    firm["pilot"], firm["gate_week"], firm["stopped_week"], firm["entered"] = pilot, -1, -1, 1
    if p.maturity.budget > 0:
        firm["active"] = 1
        units["stage"][pilot] = PILOT
        units["live_week"][pilot] = 0

    return State(
        firm,
        units,
        teams,
        users,
        order,
        peers_first,
        peers,
        names,
        layout.team_names,
        layout.user_names,
        weekly=np.zeros(p.weeks, WEEK),
        unit_weekly=np.zeros((p.weeks, len(units)), UNIT_WEEK),
        draws=Draws(seed, names, first, last),
        notes=list(layout.notes),
        events=np.zeros(16, EVENT),
    )


def _clean(unit: tuple, p: Parameters) -> float:
    names = ("completeness", "lateness", "mismatch", "readiness")
    return cleanliness(SimpleNamespace(**dict(zip(names, unit, strict=True))), p)


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
    z_unit, z_tail, u_tail = np.empty((n_units, 6)), np.empty((n_units, K)), np.empty((n_units, 2 * K))
    z_team, z_user, u_user = np.empty((n_teams, 3)), np.empty((n_users, 3)), np.empty(n_users)
    for b, name in enumerate(layout.unit_names):
        generator = stream(seed, PEOPLE, name)
        t, s = layout.team_first[b], layout.team_last[b]
        i, j = first[b], last[b]
        z = generator.standard_normal(6 + K + 3 * (s - t) + 3 * (j - i))
        u = generator.random(2 * K + (j - i))
        z_unit[b], z_tail[b], u_tail[b] = z[:6], z[6 : 6 + K], u[: 2 * K]
        z_team[t:s] = z[6 + K : 6 + K + 3 * (s - t)].reshape(-1, 3)
        z_user[i:j] = z[6 + K + 3 * (s - t) :].reshape(-1, 3)
        u_user[i:j] = u[2 * K :]

    units = np.zeros(n_units, UNIT)
    units["completeness"] = _between(m.completeness, m.unit_spread, z_unit[:, 0])
    units["lateness"] = _around(m.lateness, m.unit_spread, z_unit[:, 1])
    units["mismatch"] = _between(m.mismatch, m.unit_spread, z_unit[:, 2])
    units["fragmentation"] = _around(m.fragmentation, m.unit_spread, z_unit[:, 3])
    units["sponsorship"] = _between(m.sponsorship, m.unit_spread, z_unit[:, 4])
    units["spend"] = _around(p.enterprise.spend, p.enterprise.spend_spread, z_unit[:, 5])
    units["readiness"] = m.readiness
    swan = u_tail[:, :K] < p.platform.swan
    units["tail"] = _around(1.0, p.platform.tail_spread, z_tail) * (1.0 - swan * p.platform.swan_size * np.log1p(-u_tail[:, K:]))
    units["freshness"] = 1.0
    units["live_week"] = -1
    units["users"] = last - first
    units["first"], units["last"] = layout.team_first, layout.team_last

    teams = np.zeros(n_teams, TEAM)
    teams["fit"] = _between(m.fit, m.team_spread, z_team[:, 0])
    teams["category"] = _around(1.0, p.forecast.category_spread, z_team[:, 1])
    teams["defect"] = _around(1.0, m.team_spread, z_team[:, 2])
    teams["first"], teams["last"] = layout.user_first, layout.user_last

    users = np.zeros(n_users, USER)
    category = np.repeat(teams["category"], layout.user_last - layout.user_first)
    users["trust"] = _between(m.trust, m.user_spread, z_user[:, 0])
    users["skill"] = category * _around(p.forecast.planner, p.forecast.planner_spread, z_user[:, 1])
    users["disposition"] = z_user[:, 2]
    users["experience"] = np.minimum(45.0, -p.people.experience * np.log1p(-u_user))
    users["threshold"] = (
        p.utility.threshold
        + p.utility.threshold_spread * users["disposition"]
        + p.utility.experience * (users["experience"] - p.people.experience)
    )
    return units, teams, users
