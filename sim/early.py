"""From the first moment of a command: who asks it to end while its libraries load is told so, as later (:mod:`sim.process`)."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

#: What Python does on a signal of its own accord.
UNHANDLED = (signal.SIG_DFL, signal.default_int_handler)


def leave(number: int, _: FrameType | None) -> None:
    """End at once: nothing is begun yet."""
    with suppress(OSError):
        os.write(2, b"interrupted: nothing was written\n")
    os._exit(128 + number)


if sys.argv[:1] == ["-m"]:  # so it is while Python looks for the module of a command, in this package or beside it
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if signal.getsignal(number := getattr(signal, name, signal.SIGINT)) in UNHANDLED:
            signal.signal(number, leave)
