"""What the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim import RolloutModel

#: Three units with two or three teams: every strategy reaches every phase on it within two years.
TINY = {"units": 3, "teams": 2, "users": 4}


@pytest.fixture
def tiny():
    """Make a small model: ``tiny(strategy=…, rng=…, **{"trust.loss": …})``."""

    def make(**given):
        return RolloutModel(**{"enterprise": TINY, "weeks": 80, "rng": 1, **given})

    return make


# --------------------------------------------------------------------------- what was injected, and what came of it

FAULTS: dict[tuple[str, str, str], tuple[int, int]] = {}
HEAD = """# What was injected, and what came of it

Written by `uv run pytest --faults=docs/reliability.md`, which counts as it tests: a fault is detected where the test
saw it refused, repaired or recorded as the last column says, and silently wrong where it did not. Each row is one test;
the numbers count its cases.

| | fault | injected | detected | silently wrong | what happens |
|---|---|---|---|---|---|
"""


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
    if path:
        rows = sorted(FAULTS.items(), key=lambda item: (["configuration", "files", "process"].index(item[0][0]), item[0][1]))
        lines = [f"| {group} | {what} | {n:,} | {ok:,} | {n - ok:,} | {response} |" for (group, what, response), (n, ok) in rows]
        n, ok = (sum(counts[k] for _, counts in rows) for k in (0, 1))
        lines.append(f"| | **all** | **{n:,}** | **{ok:,}** | **{n - ok:,}** | |")
        Path(path).write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
