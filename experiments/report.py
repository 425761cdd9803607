"""A file to leave behind: one page, made from the results folder of a comparison.

``python -m experiments.report results/compare/FOLDER`` writes ``report.html`` there (``compare`` has done so already);
``sensitivity=results/sensitivity/FOLDER`` adds what would change the answer, ``output=FILE.html`` writes it elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.lab.config import refuse, settings_of
from experiments.lab.output import checked_path, shown
from experiments.lab.storage import differences
from experiments.sensitivity import findings
from sim.process import command
from sim.schema import InvalidInput
from sim.views.figures.sensitivity import compared
from sim.views.report.read import Sensitivity, read_manifest
from sim.views.report.render import NAME, report

SETTINGS = ("sensitivity", "output")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page and say where it is; returns the exit code, 2 for a folder that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m experiments.report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", metavar="FOLDER", help="a results folder of compare")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="sensitivity=FOLDER, of the same enterprise; output=FILE.html")
    given = parser.parse_args(arguments)
    try:
        settings = settings_of(given.settings, SETTINGS)
        folder = Path(given.results)
        manifest = read_manifest(folder, "compare")
        path = _path(settings.get("output", ""), folder)
        page = report(folder, analysed(Path(settings["sensitivity"]), manifest) if "sensitivity" in settings else None)
        write(page, path)
    except InvalidInput as error:
        return refuse(error)
    print(f"Written to {shown(path)} ({path.stat().st_size / 1e6:.1f} MB): open it in a browser, or print it on A4")
    return 0


def _path(output: str, folder: Path) -> Path:
    """Where the page goes: ``report.html`` in the folder, or a file that is none or an HTML page yet."""
    if not output:
        return folder / NAME
    path = checked_path(output)
    if path.suffix.lower() not in (".html", ".htm") or path.is_dir() or not path.parent.is_dir():
        raise InvalidInput("output", output, "a file ending in .html, in a folder that exists")
    return path


def write(page: str, path: Path) -> None:
    """The page appears whole or not at all."""
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(page)
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInput("output", str(path), f"a file that can be written ({error.strerror})") from None


def analysed(folder: Path, comparison: dict[str, Any]) -> Sensitivity:
    """What a sensitivity analysis adds to the report of a comparison.

    Raises:
        InvalidInput: where the folder is not one of ``sensitivity``, is not finished, or is of another enterprise, horizon or
            strategy than any that the comparison looked at.
    """
    try:
        read_manifest(folder, "sensitivity")
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        importance, summary = pd.read_parquet(folder / "importance.parquet"), pd.read_parquet(folder / "summary.parquet").iloc[0]
        _same_base(folder, plan, comparison["configuration"])
        strategy = plan["parameters"]["strategy"]["name"]
        said = [line.replace("•: ", "") for line in findings(importance, summary, strategy, plan["versus"], str(summary["outcome"]))]
        where = next(c["maturity"] for c in comparison["configuration"]["cells"] if not _differ(plan, c))
        return Sensitivity(folder, f"{compared(plan)} at {where} maturity", said)
    except InvalidInput as error:
        raise InvalidInput("sensitivity", error.value, error.allowed) from None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise InvalidInput("sensitivity", str(folder), "a finished results folder of sensitivity") from None


def _same_base(folder: Path, plan: dict[str, Any], configuration: dict[str, Any]) -> None:
    cells, versus = configuration["cells"], plan["versus"]
    if versus and versus not in {cell["strategy"] for cell in cells}:
        raise InvalidInput("sensitivity", str(folder), f"an analysis of strategies that are compared, not of {versus}")
    if plan["input_files"] != configuration["input_files"]:
        raise InvalidInput("sensitivity", str(folder), "an analysis of the same enterprise: its files differ")
    nearest_cell = min((_differ(plan, cell) for cell in cells), key=len)
    if nearest_cell:
        key, theirs, ours = nearest_cell[0]
        raise InvalidInput("sensitivity", str(folder), f"an analysis of the same base: there {key} is {theirs!r}, here {ours!r}")


def _differ(plan: dict[str, Any], cell: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return list(differences(plan["parameters"], cell["parameters"]))


if __name__ == "__main__":
    command(main)
