"""The organisation over the weeks as a film: ``python -m experiments.animate 'strategies=[integration_first,model_first]'``.

MP4 where ffmpeg is installed, else an animated GIF. Strategies run side by side with the same luck.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sim
from experiments.lab.config import main, refuse_several, take
from experiments.lab.organisations import organisation, population_record, take_population, with_given
from experiments.lab.output import Output, folder_name, input_files, shown
from experiments.lab.progress import weeks_bar
from sim import ENGINES
from sim.configuration import from_mapping
from sim.presets import load
from sim.schema import InvalidInput, to_mapping
from sim.state import Sizes, team_means, unit_means
from sim.views.figures.film import Frame, film
from sim.views.map import organisation as placed

MOST_STRATEGIES, MOST_PICTURES, MOST_TEAMS = 3, 600, 2_000
FORMATS = ("mp4", "gif")


def animate(values: dict[str, Any]) -> None:
    """Run, film, write the results folder."""
    engine, seed, output = take(values, "engine", "text"), take(values, "seed", "seed"), take(values, "output", "text")
    strategies = take(values, "strategies", "names")
    every, fps, kind = take(values, "every", "count", 1, 520), take(values, "fps", "count", 1, 60), take(values, "format", "text")
    if engine not in ENGINES:
        raise InvalidInput("engine", engine, "one of " + ", ".join(ENGINES))
    if not 1 <= len(strategies) <= MOST_STRATEGIES:
        raise InvalidInput("strategies", strategies, f"one to {MOST_STRATEGIES} strategies")
    if kind not in ("", *FORMATS):
        raise InvalidInput("format", kind, "mp4 or gif, or empty")
    if kind == "mp4" and shutil.which("ffmpeg") is None:
        raise InvalidInput("format", kind, "gif: ffmpeg, which writes MP4, is not installed")
    kind = kind or ("mp4" if shutil.which("ffmpeg") else "gif")
    population = take_population(values, usecases=False)
    bases = {name: from_mapping({**values, "strategy": load("strategy", name)}) for name in strategies}
    drawn = with_given(population, bases[strategies[0]])
    made = {name: organisation(drawn, base, seed) for name, base in bases.items()}
    parameters, who = {name: p for name, (p, _) in made.items()}, made[strategies[0]][1]
    first = parameters[strategies[0]]
    if first.weeks / every > MOST_PICTURES:
        raise InvalidInput("every", every, f"at least {-(-first.weeks // MOST_PICTURES)}: a film has at most {MOST_PICTURES} pictures")
    refuse_several(first, "a film shows one, say usecases=[promotion]; experiments.run shows a portfolio")
    models = {name: sim.RolloutModel(parameters=p, rng=seed, engine=engine) for name, p in parameters.items()}
    teams = len(models[strategies[0]].state.teams)
    if teams > MOST_TEAMS:
        raise InvalidInput("enterprise.teams", teams, f"at most {MOST_TEAMS:,} teams in all: more cannot be seen")
    cells = {name: to_mapping(p) for name, p in parameters.items()}
    configuration = {"cells": cells, "seed": seed, "every": every, "fps": fps, "format": kind, "input_files": input_files(first)}
    configuration |= {"population": population_record(drawn)} if drawn else {}
    of = [drawn.name] if drawn else []
    name = folder_name(["+".join(strategies), f"{first.weeks}w", *of, f"seed{seed}"], configuration)
    with Output("animate", name, output) as folder:
        with weeks_bar(first.weeks) as progress:
            told = frames(models, first.weeks, every, progress)
            place = placed(Sizes.of(models[strategies[0]].state))
            pictures = film(told, len(models), place, first.weeks, folder.folder / f"animation.{kind}", fps)
        size = (folder.folder / f"animation.{kind}").stat().st_size
        folder.manifest(configuration, engine=engine, seed=seed, organisation=who, pictures=pictures)
    print(who)
    print(f"{pictures} pictures, {size / 1e6:.1f} MB.")
    print(f"Written to {shown(folder.final)}: animation.{kind}, manifest.json")


def frames(
    models: Mapping[str, sim.RolloutModel], weeks: int, every: int, progress: Callable[[int], None]
) -> Iterator[tuple[int, dict[str, Frame]]]:
    """Run models at week 0 side by side up to the horizon: what to show of each at the start, every so many weeks, and at the end."""
    for week in (*range(0, weeks, every), weeks):
        for model in models.values():
            while model.week < week:
                model.step()
        yield week, {name: frame(model) for name, model in models.items()}
        progress(week)


def frame(model: sim.RolloutModel) -> Frame:
    """What a picture shows of a model now."""
    state, weekly = model.state, model.state.weekly[: model.week]
    of_units, of_teams = unit_means(state, "reliance"), team_means(state, "reliance")
    return Frame(of_units, of_teams, state.units["stage"].copy(), weekly["reliance"].copy(), weekly["cumulative_net"].copy())


if __name__ == "__main__":
    main("animate", animate)
