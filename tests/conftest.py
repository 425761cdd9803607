"""What the tests share."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import math
import os
import shutil
import sys
from pathlib import Path

import pytest

# The workers share the cores; second threads for small matrices would only stand in the way of each other. Before NumPy is imported.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
# The tests start some hundred processes. Where Python is told not to keep what it compiled, as in many containers, each of them would
# compile Mesa and pandas anew: 4 s instead of 1.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import numpy as np

from experiments.lab import config as entry
from experiments.response.demand import generate_demand
from sim import RolloutModel, presets
from sim.organisation.template import template

# Looking for circles among millions of objects that stay costs a quarter of the time that compiling takes.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="module", autouse=True)
def _settled():
    """What is here when a file's tests begin stays: nobody looks for circles in it again, least of all each worker that is forked."""
    gc.collect()
    gc.freeze()


#: Three units with two or three teams: every strategy reaches every phase on it within two years.
TINY = {"units": 3, "teams": 2, "users": 4}
#: Every unit is live from the first week and stays so: what people do is seen everywhere at once.
ALL_LIVE = {
    "strategy.gate_weeks": 0, "strategy.gate_improvement": -1, "strategy.gate_reliance": 0, "strategy.wave": 1,
    "strategy.readiness_gate": 0, "strategy.approval": 0, "strategy.unit_reviews": 1000, "strategy.initiative_reviews": 1000,
}  # fmt: skip


@pytest.fixture
def tiny():
    """Make a small model: ``tiny(strategy=…, rng=…, **{"trust.loss": …})``."""

    def make(**given):
        return RolloutModel(**{"enterprise": TINY, "weeks": 80, "rng": 1, **given})

    return make


#: Commands that draw organisations where nobody says another population.
DRAWING = ("baselines", "check", "compare", "discover", "optimise", "phase", "robust", "sensitivity", "sweep")


def on_one(experiment: str, arguments: tuple[str, ...]) -> list[str]:
    """The arguments, with one exact organisation where they name no population: what most tests of a command are about."""
    said = any(argument.startswith("population=") for argument in arguments) or experiment not in DRAWING
    return [*arguments] if said else [*arguments, "population=article"]


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    """Call an experiment as from the command line, in an empty folder; returns (exit code, stdout, stderr)."""
    monkeypatch.setattr("experiments.lab.progress.EVERY", math.inf)  # how far it is: only said on a slow machine

    def command(experiment, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [experiment, *on_one(experiment, arguments)])
        with pytest.raises(SystemExit) as stopped:
            entry.main(experiment, getattr(importlib.import_module(f"experiments.{experiment}"), experiment))
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return command


@pytest.fixture
def configs(tmp_path_factory, monkeypatch):
    """The presets in a folder of the test's own, where it may write some."""
    folder = tmp_path_factory.mktemp("presets") / "configs"
    shutil.copytree(presets.CONFIGS, folder)
    for module in (presets, entry):
        monkeypatch.setattr(module, "CONFIGS", folder)
    return folder


def made(experiment: str, folder: Path, *arguments: str) -> str:
    """Make a results folder as from the command line, for many tests to read; returns what was printed."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), pytest.raises(SystemExit) as stopped:
        patch.setattr(sys, "argv", [experiment, *on_one(experiment, arguments), f"output={folder}"])
        entry.main(experiment, getattr(importlib.import_module(f"experiments.{experiment}"), experiment))
    assert not stopped.value.code
    return said.getvalue()


@pytest.fixture
def undrawn(monkeypatch):
    """Comparisons without picture and report, for tests of their runs and tables: drawing takes most of the time."""
    monkeypatch.setattr("sim.views.figures.compare.compare_figure", lambda folder: None)
    monkeypatch.setattr("sim.views.report.pictures.CHARTS", {})
    monkeypatch.setattr("sim.views.report.render.write_report", lambda *_: None)


@pytest.fixture
def company(tmp_path, monkeypatch):
    """The template's organisation, in a folder with a name that has to be quoted."""
    name = "it's {mine}\\"
    monkeypatch.chdir(tmp_path)
    template(tmp_path / name)
    return name


@pytest.fixture(scope="session")
def market():
    """Demand of 15 items of three brands over 140 weeks."""
    return generate_demand(3, brands=3, items=15, weeks=140)


def as_csv(demand, promotions=True) -> str:
    """Demand as a file with a line a week and columns for each item."""
    names = [f"QTY_{item}" for item in demand.items] + [f"PROMO_{item}" for item in demand.items] * promotions
    values = np.hstack([demand.sales, demand.promotion]) if promotions else demand.sales
    lines = [f"{day}," + ",".join(f"{v:g}" for v in row) for day, row in zip(demand.monday, values, strict=True)]
    return "\n".join(["DATE," + ",".join(names), *lines]) + "\n"


@pytest.fixture
def weekly_file(tmp_path, market):
    """The small market as a file with a line a week."""
    path = tmp_path / "weekly.csv"
    path.write_text(as_csv(market))
    return path


def only(place: Path) -> Path:
    """The only folder in a place."""
    (folder,) = place.iterdir()
    return folder


def plain(text: str) -> str:
    """What was printed, as one line, wherever the console broke it."""
    return " ".join(text.split())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a results folder by name, but the ledger, which says when things happened."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "ledger" not in p.name}


# --------------------------------------------------------------------------- what was injected, and what came of it

FAULTS: dict[tuple[str, str, str], tuple[int, int]] = {}
HEAD = """# What was injected, and what came of it

Written by `uv run pytest --faults=docs/reliability.md`, which counts as it tests: a fault is detected where the test
saw it refused, repaired or recorded as the last column says, and silently wrong where it did not. Each row is one test;
the numbers count its cases.

A 0 under *silently wrong* says that no kind that is listed goes wrong unseen, and nothing of kinds that nobody thought of. What it is
worth can be told from how the last ones were found: thirty-one faults, four of them silently wrong, came from outside, from people who
attacked the commands and gave them files of their own, while this table stood at 0. Each kind of them is a row now, and the next
ones are to be expected from outside again.

| | fault | injected | detected | silently wrong | what happens |
|---|---|---|---|---|---|
"""


def pytest_configure(config):
    """Compile the weeks of one use case and of several once, before the workers start, which would each do it for themselves."""
    if getattr(config.option, "numprocesses", None) and not config.option.collectonly:
        for usecases in (["demand"], ["demand", "promotion"]):
            RolloutModel(usecases=usecases, enterprise="small", weeks=2, rng=1).run()


def pytest_addoption(parser):
    parser.addoption("--faults", metavar="FILE", help="write the table of injected faults into FILE")


def pytest_runtest_logreport(report):
    if report.when == "call" and "fault" in dict(report.user_properties):
        group, what, response = dict(report.user_properties)["fault"]
        count = dict(report.user_properties).get("injected", 1)
        injected, detected = FAULTS.get((group, what, response), (0, 0))
        FAULTS[group, what, response] = (injected + count, detected + (count if report.passed else 0))


@pytest.fixture(autouse=True)
def _fault(request, record_property):
    mark = request.node.get_closest_marker("fault")
    if mark:
        record_property("fault", mark.args)


def pytest_sessionfinish(session):
    path = session.config.getoption("--faults")
    if path and not hasattr(session.config, "workerinput"):  # the reports of all workers come to the controller
        rows = sorted(FAULTS.items(), key=lambda item: (["configuration", "files", "process"].index(item[0][0]), *item[0][1:]))
        lines = [f"| {group} | {what} | {n:,} | {ok:,} | {n - ok:,} | {response} |" for (group, what, response), (n, ok) in rows]
        n, ok = (sum(counts[k] for _, counts in rows) for k in (0, 1))
        lines.append(f"| | **all** | **{n:,}** | **{ok:,}** | **{n - ok:,}** | |")
        Path(path).write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


# --------------------------------------------------------------------------- a browser


@pytest.fixture(scope="session")
def browser():
    """Chromium: the machine's own, or Playwright's."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with api.sync_playwright() as playwright:
        own = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        try:
            found = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no browser that starts: {str(error).splitlines()[0]}")
        yield found
        found.close()
