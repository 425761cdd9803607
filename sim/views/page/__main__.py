"""The live page: choose a scenario, play it week by week, and see what holds each strategy back.

``python -m sim.views.page`` opens it. Served by Bokeh, the server and figures that Panel is built on: tried side by side,
its first picture came two seconds before Panel's and three before Solara's, steps were as quick, and all three work offline.
Mesa's own page, by Solara, is :mod:`sim.views.mesa_page`; what is seen here is :mod:`sim.views.page.board`.
"""

from __future__ import annotations

import argparse
import gc
import sys

from sim.play.session import Scenario, notes, own
from sim.process import command
from sim.schema import InvalidInput
from sim.views.page.remote import Models


def main() -> None:
    """Serve the page on this machine, and open it in the browser."""
    parser = argparse.ArgumentParser(prog="python -m sim.views.page", description="The live page of the rollout.", allow_abbrev=False)
    parser.add_argument("--address", default="127.0.0.1", help="where to listen; 127.0.0.1 is seen from this machine alone")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument(
        "--organisation", metavar="FOLDER", help="show the organisation of units.csv, teams.csv and users.csv in this folder"
    )
    parser.add_argument("--no-browser", action="store_true", help="only serve")
    given = parser.parse_args()
    try:
        if not 0 <= given.port <= 65535:
            raise InvalidInput("--port", given.port, "a whole number from 0 to 65535")
        scenario = Scenario() if given.organisation is None else own(given.organisation)
        for note in notes(scenario):
            print(f"note: {note}", file=sys.stderr)
        models = Models()
        gc.disable()  # as in the models' process, which is on its way
        from sim.views.page.server import serve

        gc.freeze()
        gc.enable()
        try:
            server = serve(models, scenario, given.address, given.port)
        except (OSError, ValueError) as error:
            raise InvalidInput("--address, --port", f"{given.address}:{given.port}", f"a free port of this machine ({error})") from None
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    url = f"http://{given.address}:{server.port}/"
    print(f"The page is at {url} (stop it with Ctrl+C)", flush=True)
    server.start()
    if not given.no_browser:
        server.io_loop.add_callback(server.show, "/start")
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    command(main)
