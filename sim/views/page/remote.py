"""The visitors' sessions, in a process of their own.

Mesa and Numba take seconds to import. There they are imported while the server imports Bokeh and the browser fetches its scripts, and
the server answers while models run. What passes between the two are a visitor's acts and plain values; should the process of the models
die, another one takes up every session where it was: the same scenario has the same luck.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from typing import Any

from sim.play.session import Scenario, Session
from sim.state import Sizes

# --------------------------------------------------------------------------- in the process of the models

_SESSIONS: dict[str, Session] = {}


class _Unknown(Exception):
    """No such session: this process is younger than it."""


def _begin() -> None:
    """Import the model; Ctrl-C and a closed terminal are the server's business, SIGTERM ends it, as does the server's end."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # and not as the server ends, whose handler came along
    for name in ("SIGINT", "SIGHUP"):
        signal.signal(getattr(signal, name, signal.SIGINT), signal.SIG_IGN)
    server = multiprocessing.parent_process()
    if server is not None:
        threading.Thread(target=_outlive, args=(server,), daemon=True).start()
    gc.disable()  # importing makes much and drops little: not to look for garbage saves a tenth of its time
    import_module("sim.model")
    gc.freeze()
    gc.enable()


def _outlive(server: Any) -> None:
    server.join()
    os._exit(0)


def _open(key: str, scenario: Scenario, week: int, shown: str | None, opened: int | None) -> None:
    session = Session(scenario)
    session.go(week)
    session.look(shown, opened)
    _SESSIONS[key] = session


def _act(key: str, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What the session's method returns, and what the session is then."""
    session = _SESSIONS.get(key)
    if session is None:
        raise _Unknown
    answer = getattr(session, name)(*given, **named)
    return answer, {fact: getattr(session, fact) for fact in ("scenario", "week", "shown", "opened", "sizes")}


def _close(key: str) -> None:
    _SESSIONS.pop(key, None)


# --------------------------------------------------------------------------- in the server


class Models:
    """The process of the models, started at once.

    Attributes:
        ready: done when the model is imported.
    """

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.pool = ProcessPoolExecutor(1, initializer=_begin)
        self.ready = self.pool.submit(os.getpid)

    def do(self, work: Any, *given: Any) -> Any:
        """Have it done there. :class:`BrokenProcessPool` where the process died of it or before; then there is another one."""
        try:
            return self.pool.submit(work, *given).result()
        except BrokenProcessPool:
            self._start()
            raise


class RemoteSession:
    """One visitor's :class:`Session` in the process of the models: its methods are called there, its plain facts are kept here.

    Attributes:
        scenario, week, shown, opened: as the session's, which is made when it is first asked.
        sizes: as the session's, once it was asked.
    """

    scenario: Scenario
    week: int
    shown: str | None
    opened: int | None
    sizes: Sizes

    def __init__(self, models: Models, key: str, scenario: Scenario) -> None:
        self.models, self.key = models, key
        self.scenario, self.week, self.shown, self.opened = scenario, 0, None, None

    def _do(self, name: str, *given: Any, **named: Any) -> Any:
        for chance in (False, True):
            try:
                answer, facts = self.models.do(_act, self.key, name, given, named)
                break
            except (_Unknown, BrokenProcessPool):
                if chance:
                    raise
                self.models.do(_open, self.key, self.scenario, self.week, self.shown, self.opened)
        self.__dict__.update(facts)
        return answer

    def __getattr__(self, name: str) -> Any:
        if name not in ("change", "go", "step", "look", "view", "export", "configured"):
            raise AttributeError(name)
        return lambda *given, **named: self._do(name, *given, **named)

    def close(self) -> None:
        """Forget it there."""
        self.models.pool.submit(_close, self.key)
