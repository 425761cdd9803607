"""The picture of a results folder as a paper needs it: ``python -m experiments.figures results/compare/FOLDER columns=1``.

Writes PDF (with letters as letters) and PNG (300 dots an inch) of one or two columns' width into ``figures/`` in that folder,
or into ``output=``. The title is left out and printed, because in a paper it belongs in the caption.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from experiments.lab.config import refuse, settings_of
from experiments.lab.output import shown
from sim.process import command
from sim.schema import InvalidInput
from sim.views.figures.papers import FIGURES, METADATA, NARROW, printed
from sim.views.report.read import refuse_surplus

SETTINGS = ("columns", "output")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files and say where they are; returns the exit code, 2 for a folder that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m experiments.figures", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", metavar="FOLDER", help="a results folder")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="columns=1 or 2 (the default); output=FOLDER")
    given = parser.parse_args(arguments)
    try:
        folder, settings = Path(given.results), settings_of(given.settings, SETTINGS)
        kind = kind_of(folder)
        columns = columns_of(settings.get("columns", "2"), kind)
        place = Path(settings.get("output") or folder / "figures")
        paths = [place / f"{kind}_{columns}.{suffix}" for suffix in METADATA]
        try:
            title, width = printed(kind, folder, columns, paths)
        except (FileNotFoundError, ValueError, KeyError, IndexError, TypeError):
            raise InvalidInput("results", str(folder), f"a results folder of {kind} with all of its tables") from None
        except OSError as error:
            raise InvalidInput("output", str(place), f"a folder that can be written ({error.strerror or error})") from None
    except InvalidInput as error:
        return refuse(error)
    if title:
        print(f"Caption: {title}")
    print(f"Written to {shown(place)}: {', '.join(path.name for path in paths)} ({width:.1f} inches wide)")
    return 0


def kind_of(folder: Path) -> str:
    """The experiment that a results folder is of."""
    wanted = f"a results folder with its manifest.json, of one of {', '.join(sorted(FIGURES))}"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        kind = manifest["experiment"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput("results", str(folder), wanted) from None
    if not isinstance(kind, str) or kind not in FIGURES:
        raise InvalidInput("results", str(folder), wanted)
    refuse_surplus(folder, manifest)
    return kind


def columns_of(text: str, kind: str) -> int:
    """One column or two, as far as the figure fits."""
    if text not in ("1", "2"):
        raise InvalidInput("columns", text, "1 or 2")
    if text == "1" and kind not in NARROW:
        raise InvalidInput("columns", text, f"2: the figure of {kind} is too wide for one column")
    return int(text)


if __name__ == "__main__":
    command(main)
