"""Hook of the documentation site: pages that stand outside ``docs/``, and reference pages made from the code at every build."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ci")]

from documentation import TABLES  # noqa: E402

#: Page of the site: the file it is made from.
OUTSIDE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
MODULES = {
    "The model": ("sim.model", "sim.agents.user", "sim.agents.team", "sim.agents.business_unit", "sim.rules"),
    "What it stands on": (
        "sim.schema",
        "sim.parameters",
        "sim.configuration",
        "sim.measures",
        "sim.presets",
        "sim.state",
        "sim.streams",
        "sim.outcomes",
    ),
    "The enterprise": (
        "sim.layout",
        "sim.enterprise",
        "sim.organisation",
        "sim.organisation.files",
        "sim.organisation.edges",
        "sim.organisation.graphs",
        "sim.organisation.teams",
        "sim.names",
        "sim.tables",
        "sim.organisation.template",
        "sim.network",
        "sim.platform",
        "sim.strategy",
        "sim.forecasting",
    ),
    "Experiments from Python": tuple(
        f"experiments.{name}"
        for name in (
            "lab.designs",
            "lab.work",
            "lab.plan",
            "lab.study",
            "lab.tables",
            "lab.executors",
            "lab.storage",
            "lab.statistics",
            "ema",
        )
    ),
}
HEADS = {
    "parameters": "# Parameters\n\nEvery number of the model, made from `sim/parameters.py` when this page was built. "
    "`python -m experiments.parameters` prints the same.",
    "state": "# State variables\n\nWhat the enterprise, its units, teams and planners carry from week to week, made from `sim/state.py`.",
    "outcomes": "# Outcomes\n\nWhat a run came to: the entries of `model.outcome`, made from `sim/measures.py`.",
    "rules": "# Rules\n\nWhat agents do, made from `sim/agents/`; [your own rule](../own-rule.md) says how to override one.",
    "usecases": "# Use cases\n\nThe files in `configs/usecase/`; what their numbers mean: [parameters](parameters.md), under `usecases.{name}`.",
    "strategies": "# Strategies\n\nEvery file in `configs/strategy/`, in its own words.",
}


def at_the_site(text: str) -> str:
    """Links of a page in the project's folder, as they are from the site's first page."""
    text = re.sub(r"\]\((docs/)?README\.md", "](index.md", text)
    text = text.replace("](docs/", "](").replace("](CONTRIBUTING.md", "](contributing.md").replace("](CHANGELOG.md", "](changelog.md")
    return re.sub(r"\[([^\]]+)\]\((CITATION\.cff|LICENSE)\)", r"`\2`", text)


def api(modules: tuple[str, ...]) -> str:
    """A page of the code's own documentation."""
    return "\n\n".join(f"::: {name}\n    options:\n      heading_level: 2" for name in modules)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    made = {page: at_the_site((ROOT / source).read_text(encoding="utf-8")) for page, source in OUTSIDE.items()}
    made |= {f"reference/{name}.md": f"{HEADS[name]}\n\n{table()}\n" for name, table in TABLES.items()}
    made |= {f"reference/{head.lower().replace(' ', '-')}.md": f"# {head}\n\n{api(modules)}\n" for head, modules in MODULES.items()}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Pages in ``docs/`` name the files outside by where they are in the project."""
    return (
        markdown.replace("](../README.md", "](index.md")
        .replace("](../CONTRIBUTING.md", "](contributing.md")
        .replace("](../CHANGELOG.md", "](changelog.md")
    )


def on_page_content(html: str, **_: object) -> str:
    """Docstrings mark what they name in Sphinx's way; the mark is not for readers."""
    return re.sub(r":(mod|class|meth|func|data):(?=<code>)", "", html)
