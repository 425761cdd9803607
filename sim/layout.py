"""Who belongs where: units, their teams and their planners, and the ties between planners, as rows of arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from sim.parameters import Parameters
from sim.schema import InvalidInput

#: Ties as two arrays of planner rows.
Ties = tuple[np.ndarray, np.ndarray]
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
#: More planners than this are refused before any memory is asked for.
MOST_USERS = 20_000_000


#: Parameters in whose place a column stands that an organisation gives for all: its table and name.
DECIDED = {
    **{f"maturity.{name}": ("units", name) for name in ("completeness", "lateness", "mismatch", "fragmentation", "variants", "sponsorship",
                                                        "readiness")},
    "enterprise.spend": ("units", "spend"), "maturity.fit": ("teams", "fit"), "maturity.trust": ("users", "trust"),
    "forecast.planner": ("users", "own_error"), "utility.threshold": ("users", "threshold"),
}  # fmt: skip


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
        downstream: row of the team that plans on each team's numbers, -1 for none; None where nothing is known of it.
        notes: what was counted or dropped while reading, for people.
    """

    unit_names: list[str]
    team_first: np.ndarray
    team_last: np.ndarray
    user_first: np.ndarray
    user_last: np.ndarray
    known: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    ties: Ties | None = None
    team_names: list[str] | None = None
    user_names: list[str] | None = None
    downstream: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def decided(self) -> dict[str, float]:
        """Parameters in whose place a column without gaps stands, with the column's mean."""
        columns = {name: self.known.get(table, {}).get(column) for name, (table, column) in DECIDED.items()}
        return {name: float(values.mean()) for name, values in columns.items() if values is not None and not np.isnan(values).any()}

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
