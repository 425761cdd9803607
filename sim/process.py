"""A command as a process: what it prints is written or done without, signals end it as Ctrl-C does, and its exit code says how it went.

A reader that closes its end (``| head``), like a stream that was closed from the start, is no failure: results are files, the work goes
on to its end, and the exit code is the work's own, 0 where it went well. Output that a full device loses was wanted: one line, exit code 1.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import signal
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from sim.early import leave

#: What an encoding lacks, in ASCII; letters lose their accents, and everything else becomes a question mark.
ASCII = {
    "−": "-", "–": "-", "—": "-", "…": "...", "€": "EUR", "×": "x", "·": ".", "•": "*", "→": "->", "←": "<-", "≥": ">=", "≤": "<=",
    "≈": "~", "±": "+-", "÷": "/", "√": "sqrt", "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "ß": "ss",
    "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "Δ": "d", "°": " deg", "━": "-", "─": "-", "╸": "-", "╺": "-", "│": "|", "█": "#",
}  # fmt: skip
#: Name of the handler of encoding errors.
IN_ASCII = "sim.in_ascii"
#: Signals that ask a process to end, where the system has them.
SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: Seconds in which further signals are the same request: a terminal that closes sends two.
SAME = 5.0


class Stopped(KeyboardInterrupt):
    """Asked to end, by Ctrl-C or a signal.

    Args:
        words: what is kept, in a line.
        code: the exit code, 128 and the signal's number.
    """

    def __init__(self, words: str = "", code: int = 130) -> None:
        super().__init__(words)
        self.code = code


def code_of(asked: BaseException | None) -> int:
    """The exit code after a request to end: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return int(getattr(asked, "code", 130))


def command(task: Callable[[], int | None]) -> NoReturn:
    """Carry out ``task`` as what this process is for, and exit.

    Args:
        task: returns the exit code; None: 0.

    Raises:
        SystemExit: with the task's code; 130, 143 or 129 after Ctrl-C, SIGTERM or SIGHUP, said in one line; 1 where all else went well,
            but a full device lost what was printed.
    """
    code: Any = 0
    codecs.register_error(IN_ASCII, _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _for_text(stream.encoding):
            with contextlib.suppress(OSError):
                os.write(2, f"error: PYTHONIOENCODING: {stream.encoding!r} is not allowed; expected one for text, as utf-8\n".encode())
            sys.exit(2)
    with _signals(), _streams() as lost:
        try:
            code = task() or 0
        except KeyboardInterrupt as asked:
            print(str(asked) or "interrupted: nothing was written", file=sys.stderr)
            code = code_of(asked)
        except SystemExit as ended:  # of argparse
            code = ended.code
        full = lost()
        if full:
            print(f"error: what was printed could not be written ({full}); results are as if it had been", file=sys.stderr)
    sys.exit(code or bool(full))


# --------------------------------------------------------------------------- signals


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise :class:`Stopped`; what ``nohup`` ignores stays ignored."""
    told = -SAME

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal told
        if time.monotonic() - told > SAME:
            told = time.monotonic()
            raise Stopped(code=128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        if signal.getsignal(signal.SIGINT) is leave:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        before = {number: signal.signal(number, stop) for number in SIGNALS if signal.getsignal(number) in (signal.SIG_DFL, leave)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is leave else handler)  # something may be written by now


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside, Ctrl-C and signals wait until the end: what is half started cannot be ended."""
    asked: list[int] = []
    numbers = [number for number in (signal.SIGINT, *SIGNALS) if callable(signal.getsignal(number))]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.signal(number, lambda number, _: asked.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        signal.raise_signal(asked[0])


# --------------------------------------------------------------------------- streams


class _Patient(io.RawIOBase):
    """Writes as long as somebody takes it, and keeps the error of what it could not write."""

    def __init__(self, under: Any) -> None:
        self.under = under
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return not self.under.closed and bool(self.under.isatty())

    def fileno(self) -> int:
        return int(self.under.fileno())

    def write(self, content: Any) -> int | None:
        if self.error is None:
            try:
                return self.under.write(content)  # type: ignore[no-any-return]
            except OSError as error:
                self.error = error
        return len(content)


@contextlib.contextmanager
def _streams() -> Iterator[Callable[[], str]]:
    """Inside, standard output and error take every character and never raise; gives what says why a device lost some of it."""
    _fill_gaps()
    before, wrapped = (sys.stdout, sys.stderr), []
    for name, stream in zip(("stdout", "stderr"), before, strict=True):
        if stream is None:  # closed from the start
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (as long as the process)
        elif isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):
                stream.flush()
            raw = _Patient(getattr(stream.buffer, "raw", stream.buffer))
            wrapped.append(raw)
            text = io.TextIOWrapper(
                io.BufferedWriter(raw), stream.encoding, IN_ASCII, line_buffering=stream.line_buffering, write_through=stream.write_through
            )
            setattr(sys, name, text)

    def lost() -> str:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return next((str(raw.error.strerror) for raw in wrapped if raw.error and raw.error.errno not in (errno.EPIPE, errno.EBADF)), "")

    try:
        yield lost
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _fill_gaps() -> None:
    """Give closed standard streams a place, or the next file that is opened would be one of them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _for_text(encoding: str) -> bool:
    """Whether an encoding takes any text, line by line: some that Python has are for names in the internet or for tests."""
    lines = ("plain\n", "− äöü\n")
    try:
        encoder = codecs.getincrementalencoder(encoding)(IN_ASCII)
        written = b"".join(encoder.encode(line) for line in lines) + encoder.encode("", final=True)
        return "plain\n" in written.decode(encoding) and written.decode(encoding).count("\n") == len(lines)
    except (LookupError, UnicodeError, TypeError):
        return False


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks, as near as ASCII comes to it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    if character in ASCII:
        return ASCII[character]
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"
