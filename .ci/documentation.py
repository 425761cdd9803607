"""Fills what the documentation shows of the product: outputs, pictures, tables and notebooks. Nothing of it is written by hand.

In a page, ``<!-- output of: COMMAND -->`` … ``<!-- end -->`` holds what a command prints, ``<!-- output of the code above -->`` …
``<!-- end -->`` what the Python block before it prints; ``<!-- picture: docs/figures/NAME.png -->`` after either names the picture
that it makes (``figure.png`` of the results, or ``results/NAME.png``); ``<!-- table: NAME -->`` … ``<!-- end -->`` holds a table made from the code, and
``<!-- excerpt: PAGE.md «TITLE» -->`` … ``<!-- end -->`` a part of another page's output, from the line that begins with the title. Use: ``.ci/readme [REGEX]``; without
an argument all, with one only the commands, ``code`` blocks or ``tables`` that it matches. A command whose results are there already
is refused: it would go on with them, and what it says of its time would be of no run.
"""

from __future__ import annotations

import inspect
import operator
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ci")]

import pictures  # noqa: E402

from experiments.parameters import COLUMNS, rows  # noqa: E402
from sim import configuration, presets, state  # noqa: E402
from sim.agents import BusinessUnit, Team, User  # noqa: E402
from sim.measures import MEASURES  # noqa: E402
from sim.parameters import UseCase  # noqa: E402
from sim.schema import walk  # noqa: E402

OUTPUT = re.compile(r"<!-- output of: (.*?) -->\n.*?<!-- end -->(\n<!-- picture: (\S+) -->)?", re.S)
CODE = re.compile(r"```python\n((?:(?!```).)*?)```\n\n<!-- output of the code above -->\n.*?<!-- end -->(\n<!-- picture: (\S+) -->)?", re.S)
TABLE = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- end -->", re.S)
EXCERPT = re.compile(r"<!-- excerpt: (\S+) «(.+?)»( again)? -->\n.*?<!-- end -->", re.S)
NOTEBOOKS = ROOT / "docs" / "notebooks"
TUTORIAL = ROOT / "docs" / "tutorial.md"


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


# --------------------------------------------------------------------------- tables, from the code


def markdown(head: tuple[str, ...], body: Sequence[tuple[str, ...]]) -> str:
    """A table; bars in cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in body])


def parameters_table() -> str:
    """Every parameter, a row each."""
    return markdown(tuple(COLUMNS), [(f"`{row[0]}`", *row[1:]) for row in rows()])


def state_table() -> str:
    """Every state variable, with its type, unit and meaning, and the range it may be set to."""
    types = {"f8": "number", "i8": "whole number", "i1": "whole number"}
    body = []
    for entity, name in (("Enterprise", "FIRM"), ("BusinessUnit", "UNIT"), ("Team", "TEAM"), ("User", "USER")):
        for variable, v in getattr(state, f"{name}_VARIABLES").items():
            shape = f"{v.size} numbers" if v.size else types[v.type]
            may = f"{v.record.low:g} to {v.record.high:g}" if v.settable else ""
            body.append((entity, f"`{variable}`", shape, v.record.unit, v.record.note, may))
    return markdown(("entity", "variable", "type", "range or unit", "meaning", "may be set to"), body)


def outcomes_table() -> str:
    """Every entry of the outcome record."""
    return markdown(("entry", "type", "unit", "meaning"), [(f"`{name}`", m.kind, m.unit, m.meaning) for name, m in MEASURES.items()])


def rules_table() -> str:
    """Every rule that a subclass may override, with its arguments and the first line of what it says of itself."""
    found = []
    for cls in (User, Team, BusinessUnit):
        for name in cls.rules:
            function = getattr(cls, name)
            said = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
            found.append((f"`{cls.__name__}`", f"`{name}({', '.join(inspect.signature(function).parameters)})`", said))
    return markdown(("class", "rule", "what it does"), found)


def strategies_table() -> str:
    """Every strategy, in its own words."""
    return markdown(
        ("strategy", "what management does"),
        [(f"`{name}`", configuration.resolve({"strategy": name}, {}).strategy.description) for name in presets.available("strategy")],
    )


def use_cases_table() -> str:
    """What the shipped use cases are, parameter by parameter."""
    cases = configuration.from_mapping({"usecases": presets.available("usecase")}).usecases
    cases = tuple(sorted(cases, key=lambda case: case.name != "demand"))
    names = [name for name, record in walk(UseCase) if record.kind == "number"]
    body = [(f"`{name}`", *(f"{operator.attrgetter(name)(case):g}" for case in cases)) for name in names]
    return markdown(("parameter", *(case.name for case in cases)), body)


TABLES: dict[str, Callable[[], str]] = {
    "usecases": use_cases_table,
    "parameters": parameters_table,
    "state": state_table,
    "outcomes": outcomes_table,
    "rules": rules_table,
    "strategies": strategies_table,
}

#: Drawn from the code, into ``docs/figures``.
PICTURES: dict[str, Callable[[Path], None]] = {"week.svg": pictures.week_picture, "architecture.svg": pictures.architecture_picture}


def with_tables(text: str) -> str:
    """A page's text with its tables and excerpts made anew."""
    text = TABLE.sub(lambda found: f"<!-- table: {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->", text)
    return EXCERPT.sub(
        lambda found: f"{found[0].splitlines()[0]}\n```\n{excerpt(found[1], found[2], bool(found[3]))}\n```\n<!-- end -->", text
    )


def excerpt(page: str, title: str, again: bool) -> str:
    """A table of another page's output with its title, or the lines that are set in below it; the title's second one where ``again``."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    first = [k for k, line in enumerate(lines) if line.startswith(title)][again]
    end = first + 1
    while lines[end].startswith(("┏", "┃", "┡", "│", "├", "└", "  ")):
        end += 1
    return "\n".join(lines[first:end])


# --------------------------------------------------------------------------- notebooks, from the tutorial


def notebooks() -> dict[str, nbformat.NotebookNode]:
    """One notebook for each step of the tutorial, by file name; pictures and outputs appear when it is run."""
    _, *steps = re.split(r"^(?=## Step \d)", TUTORIAL.read_text(encoding="utf-8"), flags=re.M)
    made = {}
    for number, step in enumerate(steps, 1):
        text = re.sub(r"\n<!-- output of.*?<!-- end -->(\n<!-- picture: \S+ -->\n\n!\[[^\n]*)?", "", step, flags=re.S)
        first = 'import os\nfrom pathlib import Path\n\nif Path.cwd().name == "notebooks":\n    os.chdir("../..")  # commands are given from the project\'s folder'
        cells = [nbformat.v4.new_code_cell(first, id="start")]
        for k, part in enumerate(re.split(r"^(```\w*\n.*?^```$)", text, flags=re.M | re.S)):
            fence = re.fullmatch(r"```(\w*)\n(.*?)\n```", part, re.S)
            if fence and fence[1] == "python":
                cells.append(nbformat.v4.new_code_cell(fence[2], id=f"cell-{k}"))
            elif fence and "python -m" in fence[2]:
                lines = [f"!{line.strip().removeprefix('uv run ')}" for line in fence[2].splitlines()]
                folder = re.search(r"output=(\S+)", fence[2])
                if folder:
                    lines += ["", "from IPython.display import Image", "", f'Image("{folder[1]}/figure.png")']
                cells.append(nbformat.v4.new_code_cell("\n".join(lines), id=f"cell-{k}"))
            elif part.strip():
                cells.append(nbformat.v4.new_markdown_cell(linked(part.strip()), id=f"cell-{k}"))
        kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        made[f"step{number}.ipynb"] = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    return made


def linked(text: str) -> str:
    """Links of a page in ``docs/`` as they are from ``docs/notebooks/``."""
    return re.sub(r"\]\((?!https?:|#)([^)]+)\)", r"](../\1)", text)


# --------------------------------------------------------------------------- filling


def shell(command: str) -> str:
    """What a command prints, run from the project's folder by the interpreter that runs this."""
    print(command, flush=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if done.returncode != 0:
        sys.exit(done.stderr)
    printed = "\n".join(line.rstrip() for line in done.stdout.rstrip().lstrip("\n").splitlines())
    if re.search(r"this\s+start\s+took", printed) and not re.search(r"\d\s+s\s+on\s+\d+\s+workers", printed):
        folder = re.search(r"^Written to (\S+):", printed, re.M)
        sys.exit(f"{folder[1] if folder else 'results'} holds the runs already: remove it, so that the page shows a run of its own")
    return printed


def filled(text: str, pattern: str) -> str:
    """A page's text with the outputs that ``pattern`` matches made anew, and their pictures written."""

    def output(found: re.Match) -> str:
        command, picture = found[1], found[3]
        if not re.search(pattern, command):
            return found[0]
        printed = shell(command)
        if picture:
            folder = re.search(r"^Written to (\S+):", printed, re.M)[1]  # type: ignore[index]
            shutil.copy(ROOT / folder / "figure.png", ROOT / picture)
        return f"<!-- output of: {command} -->\n```\n{printed}\n```\n<!-- end -->{found[2] or ''}"

    def code(found: re.Match) -> str:
        if not re.search(pattern, "code"):
            return found[0]
        print(found[1].splitlines()[0], "…", flush=True)
        done = subprocess.run([sys.executable, "-c", found[1]], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        if found[3]:
            shutil.copy(ROOT / "results" / Path(found[3]).name, ROOT / found[3])
        shown = f"<!-- output of the code above -->\n```\n{done.stdout.rstrip().lstrip(chr(10))}\n```\n<!-- end -->"
        return f"```python\n{found[1]}```\n\n{shown}{found[2] or ''}"

    return CODE.sub(code, OUTPUT.sub(output, text))


def main(pattern: str) -> None:
    """Fill every page, then write the notebooks."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        changed = filled(text, pattern)
        if re.search(pattern, "tables"):
            changed = with_tables(changed)
        if changed != text:
            page.write_text(changed, encoding="utf-8")
    for name, draw in PICTURES.items():
        draw(ROOT / "docs" / "figures" / name)
    NOTEBOOKS.mkdir(exist_ok=True)
    for name, notebook in notebooks().items():
        nbformat.write(notebook, NOTEBOOKS / name)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
