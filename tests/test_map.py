"""The map of an organisation: where units, teams and planners are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from sim import RolloutModel
from sim.state import Sizes, ties_inside
from sim.views.map import organisation


@pytest.mark.parametrize("enterprise", ["article", "small", {"units": 1, "teams": 1, "users": 1}, {"units": 40, "teams": 12, "users": 5}])
def test_nothing_on_the_map_overlaps_and_areas_are_people(enterprise):
    model = RolloutModel(enterprise=enterprise, rng=1)
    place = organisation(Sizes.of(model.state))
    apart = np.linalg.norm(place.units[:, None] - place.units[None], axis=2) + 9 * np.eye(len(place.units))
    assert (apart > 2 * place.unit_radius.max()).all()
    np.testing.assert_allclose(place.unit_radius**2 / place.unit_radius.max() ** 2, place.people / place.people.max())
    of = np.linalg.norm(place.teams - place.units[place.of_unit], axis=1)
    assert (of - place.team_radius >= place.unit_radius[place.of_unit] - 1e-9).all() or len(place.teams) == 1
    assert (np.abs(place.teams) + place.team_radius[:, None] <= np.array(place.half) + 1e-9).all()


def test_an_open_unit_shows_its_planners_in_their_teams_with_their_ties():
    model = RolloutModel(enterprise="small", rng=1)
    place = organisation(Sizes.of(model.state))
    for unit in range(len(place.names)):
        crowd = place.crowd(unit, ties_inside(model.state, unit))
        assert len(crowd.planners) == place.people[unit]
        assert (np.linalg.norm(crowd.planners - crowd.teams[crowd.of_team], axis=1) < crowd.radius).all()
        first = int(model.state.teams["first"][model.state.units["first"][unit]])
        for a, b in crowd.ties[:20]:
            assert model.network.has_edge(first + int(a), first + int(b))


def test_positions_are_kept_and_the_same_for_the_same_sizes():
    a, b = (organisation(Sizes.of(RolloutModel(enterprise="small", rng=seed).state)) for seed in (1, 1))
    assert a.units is b.units
