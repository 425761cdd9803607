"""How far long work is: said soon where it takes long, and not at all where it does not."""

from __future__ import annotations

import io
import sys

import pytest

from experiments.lab import progress
from experiments.lab.progress import ProgressReport, weeks_bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test turns: ``clock[0]`` is now."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_elsewhere_than_on_a_terminal_the_first_line_comes_once_it_is_known_to_take_long(clock, capsys):
    with ProgressReport("runs", 276, 6) as report:
        for seconds, done, failed, said in (
            (4, 2, 0, ""),  # too early to say
            (8, 2, 0, "10 of 276 runs, 9 min left\n"),
            (37, 20, 1, ""),
            (39, 20, 0, "50 of 276 runs, 1 failed, 3 min left\n"),
            (68, 200, 0, ""),
        ):
            clock[0] = 100 + seconds
            report.advance(done, failed)
            assert capsys.readouterr() == ("", said)


def test_what_is_done_within_half_a_minute_is_not_told_of(clock, capsys):
    with ProgressReport("runs", 10) as report:
        for seconds in range(2, 22, 2):
            clock[0] = 100 + seconds
            report.advance(1)
    assert capsys.readouterr() == ("", "")


def test_weeks_are_told_as_they_are_done(clock, capsys):
    with weeks_bar(260) as told:
        told(0)
        clock[0] += 10
        told(13)
    assert capsys.readouterr() == ("", "13 of 260 weeks, 3 min left\n")


def test_on_a_terminal_the_bar_is_there_before_anything_is_done(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with ProgressReport("measurements", 276):
        assert "measurements" in terminal.getvalue() and "0/276" in terminal.getvalue()


def test_a_film_says_how_far_it_is(call, monkeypatch):
    monkeypatch.setattr(progress, "SURE", -1)
    monkeypatch.setattr(progress, "EVERY", 0)
    code, _, err = call("animate", "enterprise=small", "weeks=8", "every=4", "format=gif", "fps=1", "output=out")
    assert code == 0 and "4 of 8 weeks, " in err
