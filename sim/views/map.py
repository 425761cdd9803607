"""The organisation as a map: where units, teams and planners are drawn. Positions depend on sizes alone and are kept.

No spring layout, which takes seconds at a thousand nodes: units stand in rows, teams on a ring around
their unit, planners on a sunflower (Vogel 1979) in their team. So the same enterprise always looks the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.state import Sizes

GOLDEN = math.pi * (3 - math.sqrt(5))
#: Ties drawn in an open unit at most; more are a grey smear.
MOST_TIES = 1500
#: Units whose names and figures have room on the map.
MOST_NAMED = 40


@dataclass(frozen=True)
class Crowd:
    """An open unit: planners [n, 2], their teams' centres [t, 2] and radius, and the ties inside the unit [m, 2] by planner."""

    planners: np.ndarray
    teams: np.ndarray
    radius: float
    ties: np.ndarray
    of_team: np.ndarray


@dataclass(frozen=True)
class Organisation:
    """Where everything is drawn, in units of length of the map.

    Attributes:
        names: of the units.
        people: planners of each unit.
        units, unit_radius: centres [units, 2] and radii, areas in proportion to people.
        teams, team_radius, of_unit: the same of teams, and the unit each belongs to.
        half: half the width and half the height of all.
    """

    names: tuple[str, ...]
    people: np.ndarray
    units: np.ndarray
    unit_radius: np.ndarray
    teams: np.ndarray
    team_radius: np.ndarray
    team_people: np.ndarray
    of_unit: np.ndarray
    half: tuple[float, float]

    def crowd(self, unit: int, ties: np.ndarray) -> Crowd:
        """The inside of a unit, with ties between its planners as :func:`sim.state.ties_inside` gives them."""
        rows = np.nonzero(self.of_unit == unit)[0]
        sizes = self.team_people[rows]
        centres = _sunflower(len(rows)) * 2.2 if len(rows) > 1 else np.zeros((1, 2))
        spread = np.repeat(np.arange(len(rows)), sizes)
        inside = np.concatenate([_sunflower(int(n)) / max(1.0, math.sqrt(n)) for n in sizes])
        return Crowd(centres[spread] + inside * 0.92, centres, 1.0, ties[:: max(1, -(-len(ties) // MOST_TIES))], spread)


def organisation(sizes: Sizes) -> Organisation:
    """The map of an enterprise; positions of one shape of enterprise are computed once."""
    team_people, of_unit = np.array(sizes.people), np.repeat(np.arange(len(sizes.teams)), sizes.teams)
    people = np.bincount(of_unit, team_people).astype(int)
    places = _places(tuple(people.tolist()), sizes.teams, sizes.people)
    return Organisation(sizes.names, people, *places[:4], team_people, of_unit, places[4])


@lru_cache(maxsize=32)
def _places(
    people: tuple[int, ...], teams: tuple[int, ...], team_people: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]:
    largest, largest_team = max(people), max(team_people)
    radius = 0.30 * np.sqrt(np.array(people) / largest)
    units = _rows(len(people))
    ring, team_radius, row = [], [], 0
    for b, count in enumerate(teams):
        angle = np.arange(count) * 2 * np.pi / count + np.pi / 2
        ring.append(units[b] + 0.41 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
        room = 0.41 * math.sin(math.pi / count) * 0.86 if count > 2 else 0.085
        team_radius.append(min(0.085, room) * np.sqrt(np.array(team_people[row : row + count]) / largest_team))
        row += count
    half = (float(np.abs(units[:, 0]).max()) + 0.62, float(np.abs(units[:, 1]).max()) + 0.86)
    return units, radius, np.concatenate(ring), np.concatenate(team_radius), half


def _rows(n: int) -> np.ndarray:
    """Places of n units in rows as on a page, wider than high, row by row from the top left; few are left empty."""
    columns = min(math.ceil(math.sqrt(n * 1.3)), math.ceil(math.sqrt(n)), key=lambda c: -n % c)
    rows = math.ceil(n / columns)
    places = [(k % columns - (columns - 1) / 2, (rows - 1) / 2 - k // columns) for k in range(n)]
    return np.array(places, float) * (1.12, 1.4)


def _sunflower(n: int) -> np.ndarray:
    k = np.arange(n) + 0.5
    return np.sqrt(k)[:, None] * np.stack([np.cos(k * GOLDEN), np.sin(k * GOLDEN)], axis=1)
