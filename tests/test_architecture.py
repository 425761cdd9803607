"""The house as CONTRIBUTING describes it: arrows one way, no circles, no private names across files, nothing too long to hold in the head."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

from experiments.lab.output import ROOT

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("sim", "experiments")
    for path in sorted((ROOT / package).rglob("*.py"))
}
#: Who may import whom, layer by layer; a layer may import itself.
MAY = {"commands": {"lab", "views", "sim"}, "lab": {"sim"}, "views": {"sim", "play"}, "play": {"sim"}, "sim": set()}
LONGEST_FILE, LONGEST_FUNCTION, WIDEST = 450, 60, 150


def layer(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "experiments":
        return "lab" if parts[1:2] == ["lab"] else "commands"
    return parts[1] if parts[1:2] in (["views"], ["play"]) else "sim"


def imports(path: Path) -> dict[str, set[str]]:
    """Modules imported when a file is, or later on, and the names taken from each; not those for type hints alone."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), {}
    hints = {
        id(n) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) for n in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in hints:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.setdefault(inner if inner in FILES else node.module, set()).add(alias.name)
    return {name: names for name, names in found.items() if name in FILES}


def test_arrows_run_one_way():
    wrong = [
        (name, other)
        for name, path in FILES.items()
        for other in imports(path)
        if layer(other) != layer(name) and layer(other) not in MAY[layer(name)]
    ]
    assert wrong == []


def test_there_are_no_circles():
    graph = nx.DiGraph()
    for name, path in FILES.items():
        top = ast.parse(path.read_text(encoding="utf-8"))
        for node in top.body:  # what is imported late is no circle
            if isinstance(node, ast.ImportFrom) and node.module in FILES:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    graph.add_edge(name, inner if inner in FILES else node.module)
    assert [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1] == []


def test_private_names_stay_in_their_files():
    taken = [(name, other, n) for name, path in FILES.items() for other, names in imports(path).items() for n in names if n.startswith("_")]
    assert {(other, n) for _, other, n in taken} <= {("sim._numba", "_numba")}


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_too_long_to_hold_in_the_head(name):
    text = FILES[name].read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= LONGEST_FILE
    assert [k for k, line in enumerate(lines, 1) if len(line) > WIDEST] == []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("command", ["run", "compare", "sweep", "phase", "calibrate.study"])
def test_a_command_loads_little_before_it_has_work(command):
    """Its settings, help and errors are answered without the model, its pictures and its reports."""
    heavy = {"mesa.model", "numba", "networkx", "matplotlib", "scipy.sparse", "jinja2"}
    code = f"import sys, experiments.{command}; print(*sorted({heavy!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
