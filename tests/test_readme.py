"""README, CONTRIBUTING and docs: what they show is what the product does.

Every ``python -m experiments.…`` command of every page is really run, in this process and an empty folder. What would take long is
made small by settings put behind the page's own (:data:`SMALL`); what asks for a cluster, and the calibration, is run as a dry run. Every
Python block is run: those of the tutorial in its notebooks, all others here. Words in capitals and names of a reader's own files are files made here from the page's own examples.
"""

from __future__ import annotations

import contextlib
import functools
import html
import importlib.util
import itertools
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import as_csv
from nbclient import NotebookClient

import sim
from experiments import reproduce
from experiments.benchmark import many_runs, peers, planner_week
from experiments.lab import config as entry
from experiments.lab.designs import RECORDS
from experiments.lab.output import ROOT
from experiments.reproduce import PUBLISHED
from experiments.response import forecasters
from experiments.response.demand import generate_demand
from experiments.template import main as template
from sim import configuration, presets
from sim.views.words import millions

_SPEC = importlib.util.spec_from_file_location("documentation", ROOT / ".ci" / "documentation.py")
documentation = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(documentation)

PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in documentation.pages()}
README = PAGES["README.md"]
SNIPPETS = [
    (name, code)
    for name, text in PAGES.items()
    if name != "docs/tutorial.md"
    for code in re.findall(r"```python\n(.*?)```", text, re.S)
    if "NAME" not in code
]
SERIAL = ["enterprise=small", "weeks=30", "executor=serial"]
#: Settings put behind those of the page. With ``dry_run=true`` or a cluster in the command, nothing but the design is shrunk.
SMALL = {
    "run": ["weeks=30"],
    "compare": [*SERIAL, "replications=2"],
    "sweep": [*SERIAL, "replications=2"],
    "sensitivity": [*SERIAL, "trajectories=4", "replications=2", "over=[trust.loss,value.worth,utility.threshold]"],
    "discover": [*SERIAL, "samples=40", "replications=1", "over=[value.worth,trust.loss,utility.threshold]", "ranges=null"],
    "phase": [*SERIAL, "levels=3", "replications=2"],
    "robust": [*SERIAL, "futures=10", "replications=2", "over=[value.worth,trust.loss]"],
    "optimise": [*SERIAL, "generations=2", "trials=3", "replications=2", "test_replications=10"],
    "levers": ["executor=serial", "enterprise.units=4", "enterprise.teams=2", "enterprise.users=4", "weeks=110", "seeds=2"],
    "patterns": ["executor=serial", "enterprise.units=4", "enterprise.teams=2", "enterprise.users=4", "patterns=[tipping]", "seeds=3"],
    "check": ["enterprise=small", "weeks=260", "executor=serial", "replications=10"],
    "calibrate": ["enterprise=small", "executor=serial", "surveyed.organisations=10", "waves=1", "points=20", "draws=20",
                  "fitted={utility.threshold: [0, 3]}", "dry_run=true"],
    "baselines": ["enterprise=small", "weeks=110", "executor=serial", "seeds=3", "organisations=0"],
    "real_network": ["weeks=30", "executor=serial", "seeds=2", "maturities=[middle]", "networks=[blocks]", "placements=[central]", "shares=[0.5]"],
    "response": ["missing=[0.3]", "late=[2]", "mapping=[0.3]", "units=[0.2]", "promotions=[0.5]", "weeks_tested=13", "replications=3",
                 "held_out=1", "executor=serial"],
    "figures": [],
    "animate": ["enterprise=small", "weeks=12", "every=12", "format=gif", "fps=1"],
    "report": [],  # its folders are made small at the desk
    "reproduce": ["--only", "run_textbook", "--reference", "reference", "--results", "reproduced"],
}  # fmt: skip
#: Several seconds even so.
LONG = {"response", "reproduce", "benchmark"}


def commands():
    """Every distinct command of the pages: (module, arguments); the part after an ellipsis is left to the reader."""
    found = {}
    for text in PAGES.values():
        text = re.sub(r"^(```+)diff\n.*?\n\1$", "", text, flags=re.S | re.M)  # what a walk-through adds is run where it is added
        for line in re.findall(r"python -m (?:mpi4py\.futures -m )?(experiments\.\w[^\n`]*)", text):
            words = shlex.split(line.split(" -->")[0], comments=True)
            found[words[0].removeprefix("experiments."), tuple(word for word in words[1:] if word not in ("…", "..."))] = None
    return sorted(found, key=lambda command: (command[0] == "reproduce" and "--write" not in command[1], command))


COMMANDS = commands()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A reader's folder: an organisation, a network, published figures, demand, and presets that the pages write."""
    folder = tmp_path_factory.mktemp("desk")
    assert template([str(folder / "my_company")]) == 0
    own = PAGES["docs/organisation.md"]
    with contextlib.chdir(folder):  # a table of staff, a log of messages, and the organisation that the page makes of them
        exec(compile(re.search(r"```python\n(# makes staff\.csv.*?)```", own, re.S)[1], "docs/organisation.md", "exec"), {})
        assert template(shlex.split(re.search(r"experiments\.template (our_planners .*)", own)[1])) == 0
    (folder / "targets.yaml").write_text(re.search(r"```yaml\n(- name.*?)```", PAGES["docs/validation.md"], re.S)[1])
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "targets.yaml", folder / "docs")
    people = ["Doe, Ann", "Roe, Bob", "Poe, Cy", "Loe, Di  M.", "Moe, Ed", "Noe, Flo"]
    pd.DataFrame({
        "Employee_Name": people, "ManagerName": ["Board", "Ann Doe", "Bob Roe", "Ann Doe", "Ann Doe", "Bob Roe"],
        "Department": list("XXYYXY"), "EmploymentStatus": [*["Active"] * 4, "Voluntarily Terminated", "Terminated for Cause"],
        "DateofHire": "7/5/2011",
    }).to_csv(folder / "HRDataset_v14.csv", index=False)  # fmt: skip
    with contextlib.chdir(folder):
        exec(compile(re.search(r"```python\n(import pandas as pd\n\nhr = .*?)```", own, re.S)[1], "docs/organisation.md", "exec"), {})
    (folder / "edges.txt").write_text("17 4\n17 23\n4 23\n")
    (folder / "labels.txt").write_text("4 Logistics\n17 17\n23 17\n")
    (folder / "pasta-daily-sales.csv").write_text(as_csv(generate_demand(3, brands=3, items=15, weeks=140)))
    with contextlib.chdir(folder):  # and the same demand with a row per date and item
        exec(
            compile(re.search(r"```python\n(# makes pasta-long.*?)```", PAGES["docs/response.md"], re.S)[1], "docs/response.md", "exec"), {}
        )
    shutil.copytree(presets.CONFIGS, folder / "configs")
    for text in PAGES.values():
        for group, name, content in re.findall(r"`configs/(strategy|usecase)/(\w+)\.yaml`[^`]*?```yaml\n(.*?)```", text, re.S):
            (folder / "configs" / group / f"{name}.yaml").write_text(content)
        for name, content in re.findall(r"\+\+\+ b/configs/strategy/(\w+)\.yaml\n@@[^\n]*\n((?:\+[^\n]*\n)+)", text):
            lines = [line.removeprefix("+") for line in content.splitlines()]
            (folder / "configs" / "strategy" / f"{name}.yaml").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def at_the_desk(desk, monkeypatch):
    monkeypatch.chdir(desk)
    for module in (presets, entry):
        monkeypatch.setattr(module, "CONFIGS", desk / "configs")
    return desk


# --------------------------------------------------------------------------- commands


def arguments(module, given):
    """A command's arguments as they are run here."""
    given = [
        word.replace("edges=PATH", "edges=edges.txt")
        .replace("labels=PATH", "labels=labels.txt")
        .replace("results/compare/FOLDER", "compared")
        .replace("results/sensitivity/FOLDER", "analysed")
        .replace("email-Eu-core.txt", "edges.txt")
        .replace("email-Eu-core-department-labels.txt", "labels.txt")
        for word in given
    ]
    flags = [word for word in given if word.startswith("-")]
    if module == "benchmark":
        return given or ["--quick"]
    if module not in SMALL or (flags and module != "reproduce"):  # a flag of Hydra's shows something and ends
        return given
    more = [*SMALL[module]]
    if module == "run" and "enterprise=from_files" not in given and "network=edges" not in given:
        more.append("enterprise=small")
    if module == "sweep":
        text = " ".join(given)
        more += ["design.levels=2"] if "design=grid" in text else ["design.samples=4"]
        if "dry_run=true" in text or "executor=dask" in text or "executor=mpi" in text:
            more = [m for m in more if not m.startswith("executor")] + ["dry_run=true"]
        if "design.over=" not in text:
            more.append("design.over=[trust.loss]")
    if module == "compare" and not any(word.startswith(("maturities=", "experiment=")) for word in given):
        more.append("maturities=[middle]")
    if any(word.startswith("executor.workers=") for word in given):
        more = [*(m for m in more if m != "executor=serial"), "executor.workers=2"]
    if any(word.startswith("enterprise.units") or word in ("x=enterprise.units", "enterprise=from_files") for word in given):
        more = [m for m in more if m != "enterprise=small"]
    if module == "response" and any(word.startswith("demand=") for word in given):
        more.append("years=last")
    return [*given, *more]


def comparison_and_analysis(desk, monkeypatch):
    """Small results folders of one enterprise, for what is made from results; once."""
    for name, more in (("compared", ["compare", "maturities=[middle]"]), ("analysed", ["sensitivity"])):
        if not (desk / name).exists():
            monkeypatch.setattr(sys, "argv", [more[0], *SMALL[more[0]], *more[1:], f"output={name}"])
            with pytest.raises(SystemExit) as stopped:
                runpy.run_module(f"experiments.{more[0]}", run_name="__main__", alter_sys=False)
            assert not stopped.value.code


def shorten_the_trees(monkeypatch):
    """That demand is read and all is written shows with forecasts of a few boosted trees, too."""
    whole = forecasters.HistGradientBoostingRegressor
    monkeypatch.setattr(forecasters, "HistGradientBoostingRegressor", lambda **given: whole(**{**given, "max_iter": 3}))


def shorten_the_benchmark(monkeypatch):
    """That it works shows with few runs of small enterprises, too."""
    monkeypatch.setitem(presets.DEFAULTS, "enterprise", "small")
    for part in (planner_week, many_runs):
        monkeypatch.setattr(part, "Parameters", lambda: configuration.resolve({}, {"weeks": 30}))
    monkeypatch.setattr(planner_week, "SIZES", {768: (3, 2, 4), 1_000: (2, 3, 4), 10_000: (4, 3, 4), 100_000: (5, 3, 4)})
    monkeypatch.setattr(planner_week.benchmark, "__defaults__", (4, 1, 2))  # weeks, rounds, replications
    monkeypatch.setattr(many_runs.many_runs, "__defaults__", (100, 100, 2))  # runs of a sweep, of a large one, of batch_run
    monkeypatch.setattr(many_runs, "BARE", 10)
    monkeypatch.setattr(many_runs, "WORKERS", 1)
    monkeypatch.setattr(many_runs, "alone", functools.cache(many_runs.alone))  # one start for one size
    monkeypatch.setattr(peers.measured, "__defaults__", (2, 1))  # weeks, rounds
    monkeypatch.setattr(peers, "SimpleModel", sim.RolloutModel)  # nothing to compile
    monkeypatch.setattr(peers, "MOST", 10_000)


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
@pytest.mark.parametrize(
    ("module", "given"),
    [
        pytest.param(module, given, id=f"{module} {' '.join(given)}"[:60], marks=[pytest.mark.slow] * (module in LONG))
        for module, given in COMMANDS
    ],
)
def test_every_command_shown_runs(module, given, at_the_desk, monkeypatch, capsys, request):
    if module == "template":
        shutil.rmtree("mine", ignore_errors=True)
        given = ["mine", *given[1:]]  # the reader's own folder is there already
    if module in ("report", "figures"):
        comparison_and_analysis(at_the_desk, monkeypatch)
    if module == "figures":
        given = ["results/compare/FOLDER", *given[1:]]  # whatever folder the page means
    for word in given:  # a name that the page's own run of it has taken
        if word.startswith("save_as="):
            group = {"response": "forecast", "calibrate": "experiment", "optimise": "strategy"}[module]
            (at_the_desk / "configs" / group / f"{word.removeprefix('save_as=')}.yaml").unlink(missing_ok=True)
    used = arguments(module, list(given))
    if module == "reproduce" and "--write" not in used and not Path("reference").exists():
        assert reproduce.main(["--write", *used]) == 0
    monkeypatch.setattr(generate_demand, "__defaults__", (2, 8, 120))  # brands, items, weeks
    if module == "benchmark":
        shorten_the_benchmark(monkeypatch)
    if module == "response":
        shorten_the_trees(monkeypatch)
    if module == "compare" and given and "usecases=" not in " ".join(given):  # drawn once of one use case, and of several
        request.getfixturevalue("undrawn")
    monkeypatch.setattr(sys, "argv", [module, *used])
    code = 0
    try:
        runpy.run_module(f"experiments.{module}", run_name="__main__", alter_sys=False)
    except SystemExit as stopped:
        code = stopped.code or 0
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out.strip()
    if "from=staff.csv" in used:  # what the page shows of it
        assert [
            line for line in out.splitlines() if line.startswith(("note:", "made:")) and line not in PAGES["docs/organisation.md"]
        ] == []
    if "output=" in " ".join(used) and "dry_run=true" not in used:
        made = at_the_desk / re.search(r"output=(\S+)", " ".join(used))[1]
        assert (made if module == "report" else made / "manifest.json").is_file()


def test_the_pages_have_commands_of_every_experiment():
    files = [*(ROOT / "experiments").glob("*.py"), *(ROOT / "experiments").glob("*/__main__.py")]
    runnable = {
        p.parent.name if p.stem == "__main__" else p.stem for p in files if p.stem == "__main__" or "\nif __name__ ==" in p.read_text()
    }
    assert {module for module, _ in COMMANDS} == runnable


def test_what_reproduce_calls_the_documentation_s_size_is_what_the_pages_show():
    for published in PUBLISHED:
        words = shlex.split(published.command)
        assert not published.full or (words[0].removeprefix("experiments."), tuple(words[1:])) in COMMANDS, published.command


def test_the_output_shown_is_of_the_reference_and_in_the_words_of_the_command(call, undrawn):
    """Its figures are those of results/reference/compare.csv, which ``reproduce --full`` makes again."""
    shown = re.search(r"<!-- output of: python -m experiments.compare -->\n```\n(.*?)\n```", README, re.S)[1]
    reference = pd.read_csv(ROOT / "results" / "reference" / "compare.csv").set_index(["row", "figure"])["value"]
    for maturity, strategy in itertools.product(("low", "middle", "high"), ("integration_first", "model_first")):
        estimate, low, high = (millions(float(reference[f"{maturity}, {strategy}, net", name])) for name in ("estimate", "low", "high"))
        assert f"{estimate}  [{low}, {high}]" in shown, (maturity, strategy)
    code, out, err = call("compare", "population=calibrated", *SERIAL, "weeks=260", "replications=4", "output=out")
    assert code == 0, err

    def rows(text):  # of the tables: all measures, not the endings that occur
        return {cell for line in text.splitlines() if line.startswith("│") and not (cell := line.split("│")[1]).startswith("   ")}

    assert {name.strip() for name in rows(out)} == {name.strip() for name in rows(shown)}


SERVED = sorted({c for text in PAGES.values() for c in re.findall(r"python -m sim\.views\.(page[^`\n]*|mesa_page[^`\n]*)", text)})


@pytest.mark.slow
@pytest.mark.parametrize("command", SERVED)
def test_every_page_shown_is_served(command, at_the_desk):
    arguments = [sys.executable, "-m", *shlex.split(f"sim.views.{command} --port 0 --no-browser")]
    server = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert "http://127.0.0.1:" in server.stdout.readline()
    finally:
        server.kill()
        server.communicate()


def test_the_defaults_that_the_pages_name_are_the_defaults():
    rows = re.findall(
        r"^\| (`[a-z]+\.[^|]*) \| ([^|]*\d[^|]*) \|",
        PAGES["docs/organisation.md"].split("| parameter | default |")[1].split("\n\n")[0],
        re.M,
    )
    assert len(rows) == 6
    for named, shown in rows:
        names = [
            name for text in re.findall(r"`(\w+\.\w+\*?)`", named) for name in RECORDS if re.fullmatch(text.replace("*", r"\w+"), name)
        ]
        numbers = [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", shown)]
        assert [RECORDS[name].default for name in names] == numbers[: len(names)], named


#: Per cents and euros of the prose that no output of their page prints, and where they are from.
FROM_ELSEWHERE = {("docs/patterns.md", "70%"): "a design that the pattern declares"}


@pytest.mark.parametrize("name", ["README.md", "docs/validation.md", "docs/patterns.md", "docs/baselines.md", "docs/experiments.md"])
def test_every_number_of_the_prose_is_one_that_a_command_prints(name):
    """Per cents and euros, at the digits that the prose gives."""
    blocks = re.compile(r"^```.*?^```", re.M | re.S)
    outputs, prose = "".join(blocks.findall(PAGES[name])), blocks.sub("", PAGES[name])
    for pattern in (r"(\d[\d,]*(?:\.\d+)?)%", r"€(\d[\d,]*(?:\.\d+)?)"):
        printed = [float(number.replace(",", "")) for number in re.findall(pattern, outputs)]
        for found in re.finditer(pattern, prose):
            digits = len(found[1].partition(".")[2])
            said = float(found[1].replace(",", "")) in [round(number, digits) for number in printed]
            assert said or (name, found[0]) in FROM_ELSEWHERE, f"{name}: {found[0]}"


# --------------------------------------------------------------------------- Python and notebooks


@pytest.mark.parametrize(("name", "code"), SNIPPETS, ids=[f"{name}{k}" for k, (name, _) in enumerate(SNIPPETS)])
def test_the_python_shown_runs(name, code, at_the_desk, capsys):
    exec(compile(code, name, "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out or "print(" not in code


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_it_is_said_how_python_is_run_before_any_is_shown(name):
    assert "`uv run python mine.py`" in PAGES[name].partition("```python")[0]


def test_a_rule_is_changed_in_fewer_than_15_lines():
    code = next(c for c in re.findall(r"```python\n(.*?)```", README, re.S) if "StubbornUser" in c)
    assert len([line for line in code.splitlines() if line.strip()]) < 15


NOTEBOOKS = documentation.notebooks()


def test_the_notebooks_are_the_tutorial():
    assert {p.name for p in documentation.NOTEBOOKS.glob("*.ipynb")} == set(NOTEBOOKS) and len(NOTEBOOKS) == 4
    for name, made in NOTEBOOKS.items():
        assert nbformat.read(documentation.NOTEBOOKS / name, as_version=4) == made, f"{name} is stale: run .ci/readme tables"


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebooks_run(name, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # a copy, or a link, would be compiled anew
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(documentation.NOTEBOOKS / name, as_version=4)
    for cell in notebook.cells:  # fewer and shorter runs, in the notebook's own process
        cell.source = cell.source.replace('"weeks": 156', '"weeks": 40')
        cell.source = re.sub(r"replications=\d+", "replications=3", re.sub(r"range\((8|12|20)\)", "range(3)", cell.source))
        cell.source = re.sub(r"^!python -m (experiments\.(?!run\b).*)$", r"%run -e -m \1 executor=serial", cell.source, flags=re.M)
        cell.source = re.sub(r"^!python -m (experiments\.run\b.*)$", r"%run -e -m \1", cell.source, flags=re.M)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not [output["text"] for output in shown if re.search(r"^error: |Traceback", output.get("text", ""), re.M)]


# --------------------------------------------------------------------------- names, links, what is made from the code


@pytest.mark.parametrize("name", PAGES)
def test_names_in_the_commands_shown_exist(name, desk):
    for command in re.findall(r"python -m experiments.*", PAGES[name]):
        for group, value in re.findall(r"(?<![.\w])(strategy|maturity|enterprise|network|experiment)=([a-z_]+)", command):
            assert (desk / "configs" / group / f"{value}.yaml").is_file(), (group, value)


@pytest.mark.parametrize("name", PAGES)
def test_links_and_pictures_exist(name):
    for path in re.findall(r"\]\(((?!http)[^)#]+)", PAGES[name]) + re.findall(r"<!-- picture: (\S+) -->", PAGES[name]):
        base = ROOT if "<!-- picture: " + path in PAGES[name] else (ROOT / name).parent
        assert (base / path).exists(), path


@pytest.mark.parametrize("name", PAGES)
def test_every_output_shown_was_printed(name):
    for command, shown in re.findall(r"<!-- output of:? ?(.*?) -->\n(.*?)<!-- end -->", PAGES[name], re.S):
        assert shown.startswith("```\n") and len(shown.splitlines()) > 2, command


@pytest.mark.parametrize("name", PAGES)
def test_tables_are_what_the_code_says(name):
    assert documentation.with_tables(PAGES[name]) == PAGES[name], "a table is stale: run .ci/readme tables"


def test_every_state_variable_has_a_meaning():
    rows = [row.split(" | ") for row in documentation.state_table().splitlines()[2:]]
    assert len(rows) > 80 and all(len(row[4].strip(" |")) > 4 for row in rows)


@pytest.mark.parametrize("name", documentation.PICTURES)
def test_pictures_of_the_code_are_what_the_code_says(name, tmp_path):
    documentation.PICTURES[name](tmp_path / name)

    def words(path):  # the texts, not the shapes of their letters, which may differ by a hair elsewhere
        return [html.unescape(text) for text in re.findall(r"<!-- (.*?) -->", path.read_text())]

    assert len(words(tmp_path / name)) > 10
    assert words(tmp_path / name) == words(ROOT / "docs" / "figures" / name), "a picture is stale: run .ci/readme tables"


def test_the_week_s_chart_knows_which_steps_pause():
    assert documentation.pictures.while_active() == {"2", "3", "4", "13"}


def test_the_site_builds_without_a_warning(tmp_path):
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, env=environment, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {str(p.relative_to(tmp_path / "site")): p.read_text() for p in (tmp_path / "site").rglob("*.html")}
    assert {"index.html", "tutorial.html", "odd.html", "reference/parameters.html", "architecture.html", "contributing.html"} <= set(pages)
    assert "utility.threshold" in pages["reference/parameters.html"] and "RolloutModel" in pages["reference/the-model.html"]
    loaded = [url for text in pages.values() for url in re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?://[^"]+)"', text)]
    assert loaded == []  # it is read offline


# --------------------------------------------------------------------------- for the next engineer


@pytest.mark.slow
def test_the_walk_throughs_of_contributing_apply_and_what_they_add_works(tmp_path):
    """All diffs on a copy of the project; then the new strategy, rule, outcome and experiment with their tests."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not name.startswith(("docs/figures", "results")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    diffs = [diff for _, diff in re.findall(r"^(```+)diff\n(.*?\n)\1$", PAGES["CONTRIBUTING.md"], re.S | re.M)]
    assert len(diffs) == 4
    for number, diff in enumerate(diffs):
        (tmp_path / f"{number}.diff").write_text(diff)
        done = subprocess.run(["git", "apply", "-C1", "--recount", f"{number}.diff"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (diff, done.stderr)
    added = ["tests/test_luck.py", "tests/test_parameters.py", "tests/test_agents.py", "tests/test_strategies.py", "tests/test_engines.py"]
    chosen = "quantiles or habit.forgetting or peak or late_starter"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--junitxml=done.xml", *added, "-k", chosen],
        cwd=tmp_path, capture_output=True, text=True, timeout=400, env={**os.environ, "NUMBA_OPT": "0"},  # compiled for a few runs only
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    ran = re.findall(r'<testcase [^>]*name="([^"]+)"', (tmp_path / "done.xml").read_text())
    for part in ("quantiles", "habit.forgetting", "peak", "late_starter"):
        assert any(part in name for name in ran), (part, ran)


def test_pre_commit_s_configuration_is_valid():
    done = subprocess.run([sys.executable, "-m", "pre_commit", "validate-config"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
