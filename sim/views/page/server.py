"""The server of the live page: it gives every visitor a board of their own, and says so while the model is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.models import Div
from bokeh.server.server import Server
from tornado.web import RequestHandler

from sim.play.session import Scenario
from sim.views.page.board import Board
from sim.views.page.remote import Models, RemoteSession

MOST_SESSIONS = 20
#: Bytes of one message from a browser; the largest honest one is a choice of strategies.
LARGEST_MESSAGE = 256 * 1024


class Start(RequestHandler):
    """Shown until the model is imported, and turns into the page then: the page's scripts are there already."""

    def initialize(self, models: Models) -> None:
        """What is waited for."""
        self.models = models

    def get(self) -> None:
        """The page itself where nothing is to be waited for."""
        if self.models.ready.done():
            self.redirect("./")
            return
        application: Any = self.application  # Bokeh's, which knows the very addresses that the page names
        scripts = "\n".join(f'<script src="{file}"></script>' for file in application.resources().js_files)
        self.write((Path(__file__).parent / "start.html").read_text(encoding="utf-8").replace("{scripts}", scripts))


def serve(models: Models, scenario: Scenario, address: str, port: int) -> Server:
    """A server of the page that begins with a scenario, not yet started; port 0 takes a free one."""
    open_now: dict[str, RemoteSession] = {}

    def visit(doc: Document) -> None:
        visitor = doc.session_context.id if doc.session_context else ""
        if len(open_now) >= MOST_SESSIONS:
            doc.add_root(Div(text=f"This page has {MOST_SESSIONS} visitors already, and takes no more. Close one and reload."))
            return
        open_now[visitor] = RemoteSession(models, visitor, scenario)
        doc.on_session_destroyed(lambda _context: open_now.pop(visitor).close())
        Board(doc, open_now[visitor])

    return Server(
        {"/": visit},
        address=address,
        port=port,
        websocket_max_message_size=LARGEST_MESSAGE,
        unused_session_lifetime_milliseconds=5000,
        extra_patterns=[("/start", Start, {"models": models})],
    )
