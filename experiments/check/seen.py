"""What of the runs a target is asked of: organisations at their end, or at every week of a range, with the shares of a mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.check.targets import BINDS, PAST_PILOT, STAGES, Mix, Population
from sim.measures import CLASSES
from sim.parameters import Outcomes

#: Outcomes that are seen in any week, and their weekly records.
OF_WEEK = {
    "final_users_using": "users_using", "final_reliance": "reliance", "final_teams_trust_and_use": "teams_trust_and_use",
    "final_trust": "trust", "final_units_live": "units_live", "units_retired": "units_retired", "net": "cumulative_net",
}  # fmt: skip
#: What does not change from week to week.
CONSTANT = ("users", "units", "teams")
#: What a target may be asked in a random week.
ANY_WEEK = (*OF_WEEK, "net_last_year", *CONSTANT, *STAGES, PAST_PILOT)


@dataclass(frozen=True)
class Seen:
    """The runs of all populations.

    Attributes:
        runs: a row per run that did not fail: outcomes, ``run``, ``point``, ``replication`` and ``draw``.
        weekly: weekly records of these runs; without rows where none were kept.
        points: the point of each population.
        outcomes: of each point, where stages end.
        every: weeks between two weekly records; a divisor of 52.
    """

    runs: pd.DataFrame
    weekly: pd.DataFrame
    points: Mapping[Population, int]
    outcomes: Sequence[Outcomes]
    every: int = 1

    def of(self, mix: Mix, at_week: int | tuple[int, int] | None) -> pd.DataFrame:
        """The organisations of a mix: of each member those of its population, with its share.

        Each organisation is seen once as every member, so that shares are as stated, whatever the seed, and members have the same luck.
        """
        parts = []
        for share, population in mix:
            point = self.points[population]
            rows = self.runs[self.runs["point"] == point]
            if isinstance(at_week, tuple):
                part = in_weeks(rows, self.weekly, at_week, self.outcomes[point], 52 // self.every)
            else:
                part = at_end(rows)
            parts.append(part.assign(share=share))
        return pd.concat(parts, ignore_index=True)


def at_end(runs: pd.DataFrame) -> pd.DataFrame:
    """Organisations at the end of their run, with all that they are or are not."""
    past, gate, scaled = runs["weeks_to_production"].notna(), runs["gate_week"].notna(), runs["outcome"] == "scaled"
    made = {name: runs["outcome"] == name for name in CLASSES} | stages(gate, past, scaled)
    if "binds" in runs:
        made |= {name: runs["binds"] == name.removeprefix("held_back_by_") for name in BINDS}
    return runs.assign(**{name: np.asarray(values, float) for name, values in made.items()})


def stages(gate: pd.Series, past: pd.Series, scaled: pd.Series) -> dict[str, pd.Series]:
    """How far organisations have come: one stage each, and whether they are past the pilot.

    Args:
        gate: whether a pilot has passed its gate.
        past: whether a unit beyond the pilot has ever been live.
        scaled: whether they now are, as the ending of that name has it.
    """
    return {
        "experimenting": ~gate & ~scaled, "piloting": gate & ~past & ~scaled, "scaling": past & ~scaled, "scaled": scaled, PAST_PILOT: past,
    }  # fmt: skip


def in_weeks(runs: pd.DataFrame, weekly: pd.DataFrame, ages: tuple[int, int], outcomes: Outcomes, a_year: int) -> pd.DataFrame:
    """Organisations in each recorded week of a range, ``ages[0]`` to before ``ages[1]``: the measures of :data:`ANY_WEEK`, a row per week.

    ``a_year``: records that a year has.
    """
    columns = ["run", "draw", *CONSTANT, "gate_week", "weeks_to_production"]
    rows = weekly.merge(runs[columns], on="run", validate="many_to_one").sort_values(["run", "week"], kind="stable")
    rows = rows.rename(columns={record: name for name, record in OF_WEEK.items()})
    week, net = rows["week"].to_numpy(), rows["net"].to_numpy()
    before = rows.groupby("run")["net"].shift(a_year, fill_value=0.0).to_numpy()
    scaled = (rows["final_reliance"] >= outcomes.scaled) & (rows["final_units_live"] / rows["units"] >= outcomes.scaled_units)
    gate, past = (rows[name].astype("Float64").to_numpy(float, na_value=np.inf) <= week for name in ("gate_week", "weeks_to_production"))
    made = stages(pd.Series(gate, rows.index), pd.Series(past, rows.index), scaled)
    rows = rows.assign(net_last_year=net - before, **{name: values.astype(float) for name, values in made.items()})
    return rows[(rows["week"] >= ages[0]) & (rows["week"] < ages[1])]
