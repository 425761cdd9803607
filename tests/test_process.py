"""A command as a process: its streams, its signals and its exit code."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import psutil
import pytest

from experiments import parameters
from experiments.lab.output import ROOT
from sim import early, process
from sim.process import Stopped, command, uninterrupted

RUN = ["-m", "experiments.run", "enterprise=small", "weeks=8", "output=out"]
SWEEP = ["-m", "experiments.sweep", "enterprise=small", "weeks=100", "replications=5000", "design.over=[trust.loss]", "output=out"]


def ended(task) -> int:
    """The exit code of a task as a command."""
    with pytest.raises(SystemExit) as stopped:
        command(task)
    return int(stopped.value.code)


def stream(monkeypatch, under, encoding="utf-8", name="stdout"):
    monkeypatch.setattr(sys, name, io.TextIOWrapper(under, encoding=encoding))
    return under


def python(*arguments, **given):
    """A command in a process of its own, from an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **given.pop("env", {})}
    return subprocess.Popen([sys.executable, *arguments], env=environment, text=True, **given)


# --------------------------------------------------------------------------- encodings


@pytest.mark.fault("process", "output in cp1252, latin-1, ascii, cp037", "written as near as it comes, nothing lost")
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "cp037"])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_an_encoding_lacks_is_written_in_ascii(encoding, name, monkeypatch):
    said = stream(monkeypatch, io.BytesIO(), encoding, name)
    text = "−5 € … “Łódź” São ≥ \udcff 北" + "".join(process.ASCII)
    assert ended(lambda: print(text, file=getattr(sys, name))) == 0
    got = said.getvalue().decode(encoding)
    assert got.startswith("-5 ") and ("..." in got or "…" in got) and "dz" in got and "S" in got and "? ?" in got and got.endswith("\n")
    if encoding == "ascii":
        assert got.startswith('-5 EUR ... "?odz" Sao >= ? ?')


def test_an_encoding_that_has_it_gets_it(monkeypatch):
    said = stream(monkeypatch, io.BytesIO())
    assert ended(lambda: print("−5 € 北")) == 0
    assert said.getvalue().decode() == "−5 € 北\n"


@pytest.mark.fault("process", "run in an ASCII terminal, with a backend that matplotlib does not know", "all printed, the same picture")
def test_a_command_in_ascii_and_with_a_strange_backend(call, tmp_path):
    code, told, _ = call("run", *RUN[2:])
    picture = (tmp_path / "out" / "figure.png").read_bytes()
    strange = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "MPLBACKEND": "foo"}
    bare = python(*RUN, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=strange)
    out, err = bare.communicate(timeout=120)
    assert (code, bare.returncode, err) == (0, 0, "") and out.isascii() and not told.isascii()
    assert len(out.splitlines()) == len(told.splitlines())
    assert (tmp_path / "out" / "figure.png").read_bytes() == picture


def test_signals_are_answered_while_libraries_load_and_by_the_command_afterwards(monkeypatch, capfd):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(sys, "argv", ["-m", "enterprise=small"])
    monkeypatch.setattr(os, "_exit", lambda code: codes.append(code))
    codes: list[int] = []
    try:
        importlib.reload(early)
        signal.raise_signal(signal.SIGTERM)
        assert codes == [143] and capfd.readouterr().err == "interrupted: nothing was written\n"
        monkeypatch.setattr(process, "leave", early.leave)
        assert ended(lambda: signal.raise_signal(signal.SIGTERM)) == 143 and codes == [143]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.fault("process", "an encoding of output that is none for text", "one line with its name, exit code 2")
@pytest.mark.parametrize("encoding", ["idna", "punycode", "undefined"])
def test_an_encoding_that_is_none_for_text_is_refused(encoding, monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert ended(lambda: print("never")) == 2
    assert capfd.readouterr().err == f"error: PYTHONIOENCODING: '{encoding}' is not allowed; expected one for text, as utf-8\n"


def test_encodings_of_text_are_taken():
    for encoding in ("utf-8", "ascii", "cp1252", "cp037", "utf-16", "utf-7", "shift_jis", "gb18030", "utf-8-sig"):
        assert process._for_text(encoding), encoding


# --------------------------------------------------------------------------- closed and full


@pytest.mark.fault("process", "a reader that closes its end", "no traceback, the work goes on, exit code 0")
def test_a_closed_pipe_is_no_failure(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    stream(monkeypatch, io.BufferedWriter(io.FileIO(writing, "w")))
    done = []

    def task():
        parameters.main(["--format", "csv"])
        print("x" * 100_000)
        done.append("went on")

    assert ended(task) == 0 and done == ["went on"]


@pytest.mark.fault("process", "output onto a full device (stdout, stderr)", "one line, exit code 1, the work goes on")
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_full_device_is_one_line_and_exit_code_1(name, monkeypatch, capsys):
    done = []
    with io.FileIO("/dev/full", "w") as full:
        stream(monkeypatch, io.BufferedWriter(full), name=name)

        def task():
            print("some\n" * 5000, file=getattr(sys, name))
            done.append("went on")

        assert ended(task) == 1 and done == ["went on"]
        monkeypatch.undo()
    err = capsys.readouterr().err
    assert name == "stderr" or (err.count("\n") == 1 and "No space left on device" in err)


@pytest.mark.fault("process", "stdout and stderr closed from the start", "results are written, exit code as ever")
def test_with_closed_streams_results_are_written(tmp_path):
    closed = f'exec "{sys.executable}" {" ".join(RUN)} <&- >&- 2>&-'
    done = subprocess.run(["/bin/sh", "-c", closed], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
    assert done.returncode == 0 and len(pd.read_parquet(tmp_path / "out" / "weekly.parquet")) == 8


# --------------------------------------------------------------------------- signals


@pytest.mark.fault("process", "SIGTERM and SIGHUP while nothing is written yet", "one line, exit code 143 or 129")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_as_ctrl_c_does(number, code, capsys, monkeypatch):
    closed = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def task():
        try:
            signal.raise_signal(number)
            time.sleep(10)
        finally:
            if number != signal.SIGINT:
                signal.raise_signal(number)  # a terminal that closes sends two
            closed.append(True)

    try:
        assert ended(task) == code and closed
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "interrupted: nothing was written\n"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert ended(lambda: signal.raise_signal(signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_wait_while_something_half_started_could_not_be_ended():
    seen = []

    def task():
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            seen.append("started")
        seen.append("never")

    assert ended(task) == 143 and seen == ["started"]


def test_a_command_outside_the_main_thread_takes_no_signals():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(ended(lambda: 3)))
    thread.start()
    thread.join()
    assert codes == [3] and str(Stopped("kept")) == "kept"


@pytest.mark.fault("process", "SIGTERM (processes), SIGHUP (Dask)", "keeps what is finished, says how to go on, no worker is left")
@pytest.mark.parametrize(("number", "executor"), [(signal.SIGTERM, "processes"), (signal.SIGHUP, "dask")])
def test_a_study_that_is_told_to_end_says_how_to_go_on(number, executor, tmp_path):
    count = {"processes": 2, "dask": 1}[executor]  # each of Dask's takes seconds to start, and has a process that looks after it
    with python(*SWEEP, f"executor={executor}", f"executor.workers={count}", cwd=tmp_path, stderr=subprocess.PIPE) as study:
        ledger = tmp_path / "out" / "runs"
        deadline = time.monotonic() + 100
        while not list(ledger.glob("part-*")) and study.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        workers = psutil.Process(study.pid).children(recursive=True)
        study.send_signal(number)
        _, err = study.communicate(timeout=100)
    assert study.returncode == 128 + number
    last = err.splitlines()[-1]  # on a slow machine, after a line that says how far it is
    assert len(err.splitlines()) <= 2 and last.startswith("interrupted after ") and "which are kept; the same command goes on" in last
    assert len(workers) >= count
    psutil.wait_procs(workers, timeout=10)
    with contextlib.suppress(psutil.NoSuchProcess):
        assert not [w for w in workers if w.is_running() and w.status() != psutil.STATUS_ZOMBIE]
