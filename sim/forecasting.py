"""The forecast: what bad inputs do to its error, when it arrives, and how it ages."""

from __future__ import annotations

import math

from sim.rules import clip, rule
from sim.state import INTEGRATION, PIPELINES

WEEKS_PER_YEAR = 52.0


@rule
def cleanliness(unit, p):
    """Share of a unit's data that needs no patching, after its pipelines and before support.

    The three defects count alike; inputs four weeks late count as a defect of one.
    """
    dirt = ((1.0 - unit.completeness) + min(1.0, unit.lateness / 4.0) + unit.mismatch) / 3.0
    return 1.0 - dirt * (1.0 - p.platform.relief * unit.readiness[PIPELINES])


@rule
def residual_defects(unit, p):
    """What pipelines and support leave of a unit's defects: error share, and weeks late.

    Items in the wrong parent hardly touch the forecast of the items, and spoil that of the totals, of which part of the plan is made.
    """
    left = (1.0 - p.platform.relief * unit.readiness[PIPELINES]) * (1.0 - p.support.relief * unit.support)
    unit.late = unit.lateness * left
    mapping = (1.0 - p.forecast.totals) * p.forecast.mapping + p.forecast.totals * p.forecast.mapping_totals
    unit.defects = left * (p.forecast.missing * (1.0 - unit.completeness) + p.forecast.late * unit.lateness + mapping * unit.mismatch)


@rule
def channel(unit, p):
    """How directly the output meets the planner: 1 inside the planning system, less in a dashboard.

    Support carries part of it over by hand, while it lasts.
    """
    integration = unit.readiness[INTEGRATION]
    carried = p.platform.dashboard + (1.0 - p.platform.dashboard) * p.support.channel * unit.support
    return integration + (1.0 - integration) * carried


@rule
def on_time_probability(unit, p):
    """Chance that the forecast arrives before the planning cut-off."""
    return math.exp(-p.forecast.missed * unit.late)


@rule
def forecast_error(difficulty, defect, unit, quality, p):
    """WAPE of the forecast for one team's products.

    ``best x difficulty x (1 + defects) / (quality x freshness)``; the coefficients of the defects are
    parameters that were measured on real demand.
    """
    return p.forecast.best * difficulty * (1.0 + defect * unit.defects) / (quality * unit.freshness)


@rule
def age(unit, p):
    """Gradual drift: a model loses a share of its freshness every week, down to ``forecast.min_freshness``."""
    unit.freshness = max(p.forecast.min_freshness, unit.freshness * (1.0 - p.forecast.drift))


@rule
def degrade(unit, size, p):
    """A demand shift takes a share of the freshness at once."""
    unit.freshness = max(p.forecast.min_freshness, unit.freshness * (1.0 - size))


@rule
def refresh(unit, share):
    """Restore a share of the freshness lost."""
    unit.freshness += clip(share, 0.0, 1.0) * (1.0 - unit.freshness)
