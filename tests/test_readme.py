"""README and docs show what the commands print, their Python runs, and what they name exists."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from matplotlib.testing.compare import compare_images

from experiments.output import ROOT
from sim import presets

README = (ROOT / "README.md").read_text()
PAGES = {path.name: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
SNIPPETS = [
    (name, code)
    for name, text in PAGES.items()
    if name in ("README.md", "experiments.md")
    for code in re.findall(r"```python\n(.*?)```", text, re.S)
    if "NAME" not in code
]


@pytest.mark.slow
def test_the_output_shown_is_what_the_one_command_prints(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "experiments.compare", f"output={tmp_path / 'out'}"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    shown = re.search(r"<!-- output of: python -m experiments.compare -->\n```\n(.*?)\n```", README, re.S)[1]

    def figures(text):  # all but what was timed, and the folder
        return [line.rstrip() for line in re.split(r"\d+ runs \(", text)[0].strip().splitlines()]

    assert figures(done.stdout) == figures(shown)
    shown_picture, picture = ROOT / "docs" / "figures" / "compare.png", tmp_path / "out" / "figure.png"
    assert compare_images(str(shown_picture), str(picture), tol=1) is None  # fonts may differ by a hair elsewhere


@pytest.mark.parametrize(("name", "code"), SNIPPETS, ids=[f"{name}{k}" for k, (name, _) in enumerate(SNIPPETS)])
def test_the_python_shown_runs(name, code, capsys):
    exec(compile(code, name, "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out


def test_a_rule_is_changed_in_fewer_than_15_lines():
    code = next(c for c in re.findall(r"```python\n(.*?)```", README, re.S) if "StubbornUser" in c)
    assert len([line for line in code.splitlines() if line.strip()]) < 15


@pytest.mark.parametrize("name", PAGES)
def test_names_in_the_commands_shown_exist(name):
    for module in set(re.findall(r"python -m (experiments\.\w+)", PAGES[name])):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module
    for command in re.findall(r"python -m experiments.*", PAGES[name]):
        for group, value in re.findall(r"(?<![.\w])(strategy|maturity|enterprise|network|experiment)=([a-z_]+)", command):
            assert value in presets.available(group), (group, value)
    for path in re.findall(r"\]\(((?!http)[^)#]+)\)", PAGES[name]):
        assert (ROOT / ("docs" if name != "README.md" else "") / path).exists(), path


@pytest.mark.parametrize("name", PAGES)
def test_every_output_shown_was_printed(name):
    for command, shown in re.findall(r"<!-- output of: (.*?) -->\n(.*?)<!-- end -->", PAGES[name], re.S):
        assert shown.startswith("```\n") and len(shown.splitlines()) > 2, command
