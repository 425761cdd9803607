"""An example of the four CSV files that describe an organisation of one's own, to be filled in.

``python -m experiments.template my_company``
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.lab.config import refuse
from sim.organisation import template
from sim.schema import InvalidInput


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the template and say what to do next; returns the exit code, 2 for a folder that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m experiments.template", description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="OUT", type=Path, help="folder for the files; made if need be, nothing is overwritten")
    folder = parser.parse_args(arguments).folder
    try:
        written = template(folder)
    except InvalidInput as error:
        return refuse(error)
    for path in written:
        print(f"written: {path}")
    following = ["uv", "run", "python", "-m", "experiments.run", "enterprise=from_files", f"enterprise.folder={folder}"]
    print(f"next, when it is yours: {shlex.join(following)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
