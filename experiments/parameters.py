"""Every parameter with its default, unit, range and source: ``python -m experiments.parameters``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence

from sim.parameters import RECORDS, UseCase
from sim.process import command
from sim.schema import walk

COLUMNS = ("parameter", "default", "unit", "range", "source", "note")


def rows() -> list[tuple[str, ...]]:
    """One row per parameter, as texts; those of a use case stand after the portfolio."""
    result: list[tuple[str, ...]] = []
    of_use_cases = {f"usecases.{{name}}.{name}": record for name, record in walk(UseCase)}
    known = {
        name: record
        for key, value in RECORDS.items()
        for name, record in [(key, value), *(of_use_cases.items() if key == "usecases" else ())]
    }
    for name, record in known.items():
        default = [case.name for case in record.default] if record.kind == "groups" else record.default
        shown = str(list(default)) if isinstance(default, tuple | list) else f"{default:g}" if isinstance(default, float) else str(default)
        if record.kind == "choice":
            allowed = " | ".join(record.choices)
        elif record.kind in ("number", "count"):
            allowed = f"{record.low:g} to {record.high:g}" + (" (whole)" if record.kind == "count" else "")
        else:
            allowed = "names or mappings" if record.kind == "groups" else record.kind
        source = record.source if record.kind in ("number", "count") else "choice"
        result.append((name, shown, record.unit, allowed, source, record.note))
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as aligned text, Markdown or CSV."""
    parser = argparse.ArgumentParser(prog="python -m experiments.parameters", description=__doc__)
    parser.add_argument("--format", choices=("text", "markdown", "csv"), default="text")
    form = parser.parse_args(arguments).format
    table = rows()
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(table)
    elif form == "markdown":
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
        for row in table:
            print("| " + " | ".join(text.replace("|", "\\|") for text in row) + " |")
    else:
        widths = [max(len(row[c]) for row in [COLUMNS, *table]) for c in range(len(COLUMNS) - 1)]
        for row in [COLUMNS, *table]:
            print("  ".join(text.ljust(width) for text, width in zip(row, [*widths, 0], strict=True)))


if __name__ == "__main__":
    command(main)
