"""The page that Mesa's users expect: SolaraViz on one rollout of one exact organisation, with the model's own measures.

``uv run python -m sim.views.mesa_page`` opens it; :mod:`sim.views.page` is the page to show to others. Each
visitor has a model of their own, and Mesa's console, which runs what is typed into it, is left out. Views run no models;
this one has to make them all the same, for SolaraViz takes a model and steps it inside the page.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import matplotlib
import solara
from matplotlib.figure import Figure
from mesa.visualization import SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter

from sim import RolloutModel
from sim.play.levers import LEVERS
from sim.presets import available
from sim.process import command
from sim.state import Sizes, team_means, unit_means
from sim.views.colours import COLOURS
from sim.views.figures.film import draw_organisation
from sim.views.figures.style import STYLE
from sim.views.map import organisation

#: Levers on this page, which has room for few.
SHOWN = ("maturity.budget", "strategy.cadence", "strategy.champions", "trust.loss")


def parameters() -> dict[str, Any]:
    """What SolaraViz lets one set: strategy, maturity, luck and some levers."""
    made: dict[str, Any] = {
        "strategy": {"type": "Select", "value": "integration_first", "values": available("strategy"), "label": "Strategy"},
        "maturity": {"type": "Select", "value": "middle", "values": available("maturity"), "label": "Maturity"},
        "rng": {"type": "SliderInt", "value": 1, "min": 0, "max": 100, "step": 1, "label": "Luck (seed)"},
    }
    start = RolloutModel(rng=1).parameters
    for name in SHOWN:
        lever = LEVERS[name]
        kind = "SliderInt" if lever.record.kind == "count" else "SliderFloat"
        made[name] = {
            "type": kind,
            "value": lever.read(start),
            "min": lever.low,
            "max": lever.high,
            "step": lever.step,
            "label": lever.label,
        }
    return made


@solara.component
def Organisation(model: RolloutModel) -> None:
    """Units and their teams, the darker the more their planners rely on the forecast."""
    update_counter.get()
    place = organisation(Sizes.of(model.state))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 7 * place.half[1] / place.half[0]), layout="constrained")
        axes = figure.subplots()
        state = model.state
        draw_organisation(axes, place, unit_means(state, "reliance"), team_means(state, "reliance"), state.units["stage"])
        axes.set_title(f"week {model.week}: planners' habit of relying on the forecast")
    solara.FigureMatplotlib(figure, format="png")


def _curves(axes: Any) -> None:
    axes.set(xlabel="week", ylabel="share", ylim=(0, 1))


@solara.component
def Page() -> None:
    """A visitor's page: the model is made here, so that nobody shares one."""
    model = solara.use_memo(lambda: RolloutModel(strategy="integration_first", maturity="middle", rng=1), [])
    names = {"users_using": COLOURS[1], "reliance": COLOURS[0], "trust": COLOURS[2]}
    plot = make_plot_component(names, post_process=_curves)
    SolaraViz(model, components=[(Organisation, 0), plot], model_params=parameters(), name="AI rollout: one exact organisation")


def main() -> None:
    """Serve the page on this machine."""
    from solara.__main__ import cli

    parser = argparse.ArgumentParser(prog="python -m sim.views.mesa_page", description="Mesa's page of the rollout.", allow_abbrev=False)
    parser.add_argument("--address", default="127.0.0.1", help="where to listen; 127.0.0.1 is seen from this machine alone")
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--no-browser", action="store_true", help="only serve")
    given = parser.parse_args()
    words = ["run", "sim.views.mesa_page", "--host", given.address, "--port", str(given.port), "--production", "--no-check-version"]
    sys.exit(cli([*words, "--no-open" if given.no_browser else "--open"]))


if __name__ == "__main__":
    command(main)
