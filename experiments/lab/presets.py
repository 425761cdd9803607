"""What an experiment finds, kept among the presets of ``configs/`` under a name that the user gives (``save_as``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from experiments.lab.output import digest
from sim import presets
from sim.schema import InvalidInput


def mark(experiment: str, configuration: Mapping[str, Any]) -> str:
    """The line by which a preset says which run made it."""
    return f"# Found by experiments.{experiment}, configuration {digest(dict(configuration))[:12]}"


def check_name(group: str, name: str, marked: str) -> None:
    """Refuse a name that no file of the group can have, or that a preset has which another run or a person made."""
    if not name:
        return
    presets.check_name("save_as", name)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
        raise InvalidInput("save_as", name, "a name of small letters, digits and _")
    place = presets.CONFIGS / group / f"{name}.yaml"
    if place.exists() and marked not in place.read_text(encoding="utf-8", errors="replace"):
        raise InvalidInput("save_as", name, f"a name that no other {group} has")


def save(group: str, name: str, text: str, kind: str = "yaml") -> None:
    """Write a preset, or a table beside it; it is one from then on, for all experiments."""
    (presets.CONFIGS / group / f"{name}.{kind}").write_text(text, encoding="utf-8")
