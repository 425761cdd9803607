"""The CSV files that describe an organisation of one's own: an example to be filled in, or what a table of staff says.

``python -m experiments.template my_company``, or ``python -m experiments.template my_company from=hr.csv
'columns={employee: Name, department: Dept, manager: Boss, status: Status, years: Tenure}' 'leavers=[Left]' unplaced=drop ties=reports``
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.lab.config import refuse
from sim.organisation.template import STAFF, from_staff, template, write_new
from sim.presets import parse_yaml
from sim.process import command
from sim.schema import InvalidInput, Record, nearest

SETTINGS = {
    "from": "a table of staff, a row per employee; without it an example is written",
    "columns": "what the table calls " + ", ".join(STAFF),
    "leavers": "statuses of people who have left and are dropped: a list, such as [Left,Retired]",
    "unplaced": "people without a department: refuse (the default) or drop",
    "ties": "drawn (the default: no ties.csv), or reports: those are tied who report to each other",
}
CHOICES = {"unplaced": ("refuse", "drop"), "ties": ("drawn", "reports")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files and say what to do next; returns the exit code, 2 for what cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.template",
        description=str(__doc__).splitlines()[0],
        epilog="settings, as name=value: " + "; ".join(f"{name}: {meaning}" for name, meaning in SETTINGS.items()),
    )
    parser.add_argument(
        "words", metavar="OUT or name=value", nargs="+", help="folder for the files; made if need be, nothing is overwritten"
    )
    words = parser.parse_args(arguments).words
    try:
        folder, settings = _settings(words)
        if "from" in settings:
            organised = from_staff(Path(settings["from"]), settings["columns"], settings["leavers"], settings["unplaced"] == "drop")
            written = write_new(folder, organised.files(settings["ties"] == "reports"))
            for note in organised.notes:
                print(f"note: {note}")
            sizes = f"{len(set(organised.units))} units, {len(set(organised.teams))} teams and {len(organised.users)} planners"
            print(f"made: {sizes}")
        else:
            written = template(folder)
    except InvalidInput as error:
        return refuse(error)
    for path in written:
        print(f"written: {path}")
    following = ["uv", "run", "python", "-m", "experiments.run", "enterprise=from_files", f"enterprise.folder={folder}"]
    print(f"next, when it is yours: {shlex.join(following)}")
    return 0


def _settings(words: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """The folder and the settings of a command line; without a folder, it is named as the table."""
    given: dict[str, str] = {}
    folders = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or "/" in name:
            folders.append(word)
        elif name not in SETTINGS:
            raise InvalidInput("command line", word, nearest(name, SETTINGS))
        elif name in given:
            raise InvalidInput(name, value, "each setting once")
        else:
            given[name] = value
    if "from" not in given and (given or not folders):
        raise InvalidInput("from", "", "the path of a table of staff, or a folder alone for an example")
    if len(folders) > 1:
        raise InvalidInput("command line", folders[1], "one folder")
    settings: dict[str, Any] = {**given}
    for name, choices in CHOICES.items():
        settings[name] = Record("choice", choices=choices).check(name, given.get(name, choices[0]))
    columns = parse_yaml(given.get("columns", ""), "columns")
    settings["columns"] = dict(Record("columns", choices=tuple(STAFF)).check("columns", columns))
    settings["leavers"] = leavers = parse_yaml(given["leavers"], "leavers") if "leavers" in given else None
    if leavers is not None:
        if not isinstance(leavers, list):
            raise InvalidInput("leavers", leavers, "a list, such as [Left,Retired]")
        settings["leavers"] = [str(status) for status in leavers]
    return Path(folders[0] if folders else Path(given["from"]).stem), settings


if __name__ == "__main__":
    command(main)
