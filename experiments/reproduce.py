"""Every published experiment run again, and its figures compared with those of ``results/reference/``, bit for bit.

``python -m experiments.reproduce`` runs small versions of all in a few minutes, ``--full`` also the sizes that the
documentation shows, but for what rests on a file that is not in this repository: the real network, and the response on sales of pasta.
Exit code 1 where a row differs. ``--write`` renews the reference (CONTRIBUTING.md says when).
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.lab.config import refuse
from experiments.lab.output import ROOT, shown, versions
from experiments.lab.progress import duration
from sim.process import command
from sim.schema import InvalidInput

REFERENCE, RESULTS = ROOT / "results" / "reference", ROOT / "results" / "reproduce"
VERSIONS = "versions.json"
COLUMNS = ["table", "row", "figure", "value"]


class Table(NamedTuple):
    """A file of a results folder: its columns that name a row, and those that are figures (empty: all others)."""

    file: str
    keys: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


class Published(NamedTuple):
    """A published experiment: name, command after ``python -m``, what it yields, and roughly how many seconds it takes on two cores."""

    name: str
    command: str
    tables: tuple[Table, ...]
    seconds: float
    full: bool = False


OUTCOME = Table("outcome.json", ("entry",))
YEARS = Table("weekly.parquet", ("week",), ("users_using", "reliance", "trust", "teams_trust_and_use", "units_live", "cumulative_net"))
SUMMARY = Table("summary.csv", ("maturity", "strategy", "measure"), ("estimate", "low", "high"))
PAIRED = Table("paired.csv", ("maturity", "a", "b", "measure"), ("difference", "low", "high", "a_wins"))
POINTS = Table("points.csv", ("point",), ("net", "net_low", "net_high", "final_reliance"))
IMPORTANCE = Table("importance.csv", ("parameter",), ("mu_star", "mu_star_low", "mu_star_high", "mu", "sigma"))
BOXES = Table("scores.csv", ("box", "set"), ("cases", "inside", "hits", "coverage", "density"))
CELLS = Table("cells.csv", ("cell",), ("winner", "lead", "lead_low", "lead_high"))
REGRET = Table("regret.csv", ("strategy",), ("mean", "mean_low", "mean_high", "regret_mean", "regret_p90", "best"))
TESTED = Table("test.csv", ("candidate", "objective"), ("search", "test", "test_low", "test_high"))
RESPONSE = Table("response.csv", ("forecaster", "level", "coefficient", "in_the_response"), ("estimate", "low", "high"))
ERRORS = Table("errors.csv", ("strategy", "baseline", "measure"), ("model", "off", "off_low", "off_high", "spread"))
DISTANCES = Table("distances.csv", ("source",))
FITTED = Table("targets.csv", ("target",), ("published", "model", "model_low", "model_high"))
POSTERIOR = Table("parameters.csv", ("parameter",), ("calibrated", "posterior_low", "posterior_high"))
LEVERS = Table("levers.csv", ("lever",), ("base", "effect", "effect_low", "effect_high"))
PATTERNS = Table("tests.csv", ("pattern", "test"), ("effect", "effect_low", "effect_high", "ablated", "verdict"))

_OVER = "'design.over=[trust.loss,forecast.late,strategy]' 'design.ranges={strategy:[integration_first,model_first]}'"
_BOXES = (
    "maturity=homogeneous 'over=[maturity.readiness,maturity.core,maturity.budget,maturity.completeness,maturity.fragmentation,enterprise.units,"
    "enterprise.spend,forecast.best]' 'ranges={maturity.readiness: [0, 0.9], maturity.core: [0, 0.9], enterprise.units: [2, 16], "
    "enterprise.spend: [50000, 1000000]}'"
)

#: What README and docs show, or a small version of it. The tables' files are those that the experiment writes.
PUBLISHED = (
    Published("run", "experiments.run", (OUTCOME, YEARS), 8),
    Published("run_model_first_low", "experiments.run strategy=model_first maturity=low seed=7", (OUTCOME, YEARS), 8),
    Published("run_textbook", "experiments.run enterprise=small weeks=104 engine=textbook", (OUTCOME, YEARS), 8),
    Published("compare_small", "experiments.compare replications=20", (SUMMARY, PAIRED), 20),
    Published("where_model_first_wins", "experiments.compare experiment=where_model_first_wins", (SUMMARY, PAIRED), 12),
    Published("forecast_steep", "experiments.compare population=article forecast=steep maturities=[middle] replications=40", (SUMMARY, PAIRED), 10),
    Published("sweep_small", f"experiments.sweep design=lhs design.samples=16 replications=4 {_OVER}", (POINTS,), 10),
    Published(
        "sensitivity_small",
        "experiments.sensitivity population=article trajectories=4 replications=2 "
        "'over=[trust.loss,forecast.late,maturity.budget,utility.threshold]'",
        (IMPORTANCE,),
        10,
    ),
    Published("discover_small", f"experiments.discover population=article {_BOXES} samples=200 replications=2", (BOXES,), 20),
    Published(
        "phase_small",
        "experiments.phase 'usecases=[demand]' x=enterprise.units 'x_range=[2,24]' y=maturity.budget levels=5 replications=4",
        (CELLS,),
        12,
    ),
    Published("robust_small", "experiments.robust 'usecases=[demand]' futures=12 replications=2", (REGRET,), 15),
    Published("optimise_small", "experiments.optimise 'usecases=[demand]' generations=3 trials=4 replications=4 test_replications=20", (TESTED,), 15),
    Published(
        "response_small",
        "experiments.response 'missing=[0.3]' 'late=[2]' 'mapping=[0.3]' 'units=[0.2]' 'promotions=[0.5]' weeks_tested=13 replications=3 held_out=1",
        (RESPONSE,),
        18,
    ),
    Published("baselines_small", "experiments.baselines seeds=6 organisations=10", (ERRORS, DISTANCES), 20),
    Published("levers_small", "experiments.levers seeds=4", (LEVERS,), 15),
    Published("patterns_small", "experiments.patterns seeds=4", (PATTERNS,), 45),
    Published(
        "calibrate_small",
        "experiments.calibrate enterprise=small surveyed.organisations=10 surveyed.asked=10 waves=1 points=20 draws=20",
        (FITTED,),
        25,
    ),
    Published("compare", "experiments.compare", (SUMMARY, PAIRED), 120, True),
    Published(
        "sweep", f"experiments.sweep design=lhs design.samples=40 replications=100 {_OVER.replace('forecast.late', 'utility.threshold')}",
        (POINTS,), 120, True,
    ),
    Published("sensitivity", "experiments.sensitivity population=article", (IMPORTANCE,), 330, True),
    Published("discover", f"experiments.discover population=article {_BOXES} samples=1000", (BOXES,), 260, True),
    Published(
        "phase", "experiments.phase 'usecases=[demand]' x=enterprise.units 'x_range=[2,24]' y=maturity.budget replications=60",
        (CELLS,), 260, True,
    ),
    Published("robust", "experiments.robust 'usecases=[demand]' replications=20", (REGRET,), 180, True),
    Published("optimise", "experiments.optimise 'usecases=[demand]' replications=60", (TESTED,), 80, True),
    Published("response", "experiments.response", (RESPONSE,), 600, True),
    Published("levers", "experiments.levers", (LEVERS,), 90, True),
    Published("patterns", "experiments.patterns", (PATTERNS,), 320, True),
    Published(
        "patterns_phase",
        "experiments.phase population=article maturity=homogeneous x=enterprise.units 'x_range=[1,16]' y=maturity.readiness 'y_range=[0,0.9]'"
        " levels=8 replications=30",
        (CELLS,),
        60,
        True,
    ),
    Published("baselines", "experiments.baselines", (ERRORS, DISTANCES), 240, True),
    Published("calibrate", "experiments.calibrate", (FITTED, POSTERIOR), 1900, True),
)  # fmt: skip


# --------------------------------------------------------------------------- figures


def read(folder: Path, tables: Sequence[Table]) -> pd.DataFrame:
    """The figures of a results folder as texts, one a row: table, row, figure, value.

    A number is the shortest text that reads back as the same bits, so equal texts are equal bits. Of weekly records,
    the last week of every year is taken.

    Raises:
        RuntimeError: where two rows have the same name, which then is no name.
    """
    found = []
    for table in tables:
        path = folder / table.file
        if path.suffix == ".json":
            entries = json.loads(path.read_text(encoding="utf-8"))
            frame = pd.DataFrame({"entry": list(entries), "value": [_text(value) for value in entries.values()]})
        elif path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            frame = frame[(frame["week"] + 1) % 52 == 0].map(_text)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        names = frame[list(table.keys)].agg(", ".join, axis=1)
        figures = table.figures or tuple(c for c in frame.columns if c not in table.keys)
        for row, values in zip(names, frame[list(figures)].itertuples(index=False), strict=True):
            found += [(table.file, row, figure, value) for figure, value in zip(figures, values, strict=True)]
    frame = pd.DataFrame(found, columns=COLUMNS)
    twice = frame[frame.duplicated(["table", "row", "figure"])]
    if len(twice):
        raise RuntimeError(f"two rows of {twice.iloc[0]['table']} are called «{twice.iloc[0]['row']}»: its keys do not name a row")
    return frame


def _text(value: object) -> str:
    value = value.item() if hasattr(value, "item") else value
    return repr(value) if isinstance(value, float) else "" if value is None else str(value)


def compare(was: pd.DataFrame, now: pd.DataFrame) -> Iterator[tuple[str, str, bool, str]]:
    """Table, row, whether it is identical, and in words how: row by row, in the order of the reference."""
    keys = ["table", "row", "figure"]
    before, after = (frame.set_index(keys)["value"] for frame in (was, now))
    index = before.index.append(after.index.difference(before.index, sort=False))
    both = pd.DataFrame({"was": before.reindex(index), "now": after.reindex(index)})
    for key, rows in both.groupby(level=["table", "row"], sort=False):
        table, row = key if isinstance(key, tuple) else (key, "")
        off = rows[(rows["was"] != rows["now"]) | rows.isna().any(axis=1)]
        if off.empty:
            yield str(table), str(row), True, f"{len(rows)} figure{'s' if len(rows) > 1 else ''}"
            continue
        first = off.iloc[0]
        figure = off.index[0][2]
        change = f"{figure}: {_or_none(first['was'])} before, {_or_none(first['now'])} now"
        sizes = [size for size in map(_relative, off["was"], off["now"]) if size is not None]
        by = f", by up to {max(sizes):.1e} of the value" if sizes else ""
        yield str(table), str(row), False, f"{len(off)} of {len(rows)} figures differ{by}; {change}"


def _or_none(value: object) -> str:
    return "nothing" if value is None or value != value else f"«{value}»"


def _relative(was: object, now: object) -> float | None:
    """How far two texts that are numbers lie apart, as a share of the first; None where one is no number."""
    try:
        a, b = float(str(was)), float(str(now))
    except ValueError:
        return None
    return abs(b - a) / abs(a) if a != 0 and math.isfinite(a - b) else None if not math.isfinite(a - b) else abs(b - a)


# --------------------------------------------------------------------------- running


def run(published: Published, keep: Path | None) -> pd.DataFrame:
    """The figures of a new run in a process and a folder of its own; its picture goes into ``keep``.

    Raises:
        RuntimeError: where the experiment does not end well; says its last line.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / published.name
        command = [sys.executable, "-m", *shlex.split(published.command), f"output={folder}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"exit code {done.returncode}: {(done.stderr.strip().splitlines() or ['nothing was said'])[-1]}")
        if keep is not None and (folder / "figure.png").is_file():
            shutil.copy(folder / "figure.png", keep / f"{published.name}.png")
        return read(folder, published.tables)


def reproduce(chosen: Sequence[Published], reference: Path, results: Path) -> int:
    """Run, compare and print, row by row; ``rows.csv`` and the pictures go into ``results``. Returns the exit code."""
    results.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, str, str, bool, str]] = []
    for published in following(chosen):
        print(f"{published.name}: python -m {published.command}")
        path = reference / f"{published.name}.csv"
        try:
            if not path.is_file():
                raise RuntimeError(f"{shown(path)} is not there; python -m experiments.reproduce --write --only {published.name} makes it")
            was = pd.read_csv(path, dtype=str, keep_default_na=False)
            verdicts = [(published.name, *verdict) for verdict in compare(was, run(published, results))]
        except RuntimeError as error:
            verdicts = [(published.name, "", "", False, str(error))]
        for _, table, row, same, how in verdicts:
            print(f"  {'identical' if same else 'DIFFERS  '}  {table} {row}: {how}".replace("  :", ""), flush=True)
        rows += verdicts
    frame = pd.DataFrame(rows, columns=["experiment", "table", "row", "identical", "how"])
    frame.to_csv(results / "rows.csv", index=False, lineterminator="\n")
    print()
    for name, of in frame.groupby("experiment", sort=False):
        print(f"{name}: {of['identical'].sum()} of {len(of)} rows identical")
    off = frame[~frame["identical"]]
    if off.empty:
        print(f"All {len(frame):,} rows of {len(chosen)} experiments are identical, bit for bit.")
        return 0
    first = off.iloc[0]
    print(f"{len(off):,} of {len(frame):,} rows differ; the first: {first['experiment']}, {first['table']} {first['row']}: {first['how']}")
    for line in other_versions(reference):
        print(line)
    return 1


def write(chosen: Sequence[Published], reference: Path) -> int:
    """Run and keep the figures as the reference, with the versions that made them; returns the exit code."""
    reference.mkdir(parents=True, exist_ok=True)
    for published in following(chosen):
        try:
            frame = run(published, None)
        except RuntimeError as error:
            print(f"error: {published.name}: {error}; its reference is left as it was", file=sys.stderr)
            return 1
        frame.to_csv(reference / f"{published.name}.csv", index=False, lineterminator="\n")
        print(f"written: {shown(reference / f'{published.name}.csv')}, {len(frame):,} figures", flush=True)
    (reference / VERSIONS).write_text(json.dumps(versions(), indent=1) + "\n", encoding="utf-8")
    return 0


def following(chosen: Sequence[Published]) -> Iterator[Published]:
    """The experiments one by one, saying on the terminal's other stream which is running and how much time is left."""
    clock, total, done = time.perf_counter(), sum(p.seconds for p in chosen), 0.0
    for k, published in enumerate(chosen):
        pace = (time.perf_counter() - clock) / done if done else 1.0
        left = duration(pace * (total - done))
        print(f"{k + 1} of {len(chosen)}: {published.name}, about {left} left in all", file=sys.stderr, flush=True)
        yield published
        done += published.seconds


def other_versions(reference: Path) -> list[str]:
    """What to suspect where figures differ: identity is promised for the same versions and kind of machine only."""
    path = reference / VERSIONS
    was, now = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}, versions()
    other = [
        f"  {name}: {was.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]
    if not other:
        return ["The reference was made with these very versions: a rule, a default or the luck has changed since."]
    return ["Identity holds for the same versions and kind of machine. The reference was made with others:", *other]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line; returns the exit code: 1 where a row differs, 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m experiments.reproduce", description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also the experiments in the documentation's sizes (an hour or more)")
    parser.add_argument(
        "--only", metavar="NAMES", default="", help="only these, with commas between them: " + ", ".join(p.name for p in PUBLISHED)
    )
    parser.add_argument("--write", action="store_true", help="renew the reference instead: only where numbers are meant to change")
    parser.add_argument("--reference", metavar="FOLDER", type=Path, default=REFERENCE, help="where the reference is")
    parser.add_argument("--results", metavar="FOLDER", type=Path, default=RESULTS, help="where rows.csv and the pictures go")
    given = parser.parse_args(arguments)
    known, names = {p.name: p for p in PUBLISHED}, [name for name in given.only.split(",") if name]
    for name in names:
        if name not in known:
            return refuse(InvalidInput("--only", name, "one of " + ", ".join(known)))
    chosen = [known[name] for name in names] if names else [p for p in PUBLISHED if given.full or not p.full]
    for option, folder in (("--reference", given.reference), ("--results", given.results)):
        if folder.exists() and not folder.is_dir():
            return refuse(InvalidInput(option, str(folder), "a folder"))
    try:
        return write(chosen, given.reference) if given.write else reproduce(chosen, given.reference, given.results)
    except OSError as error:
        return refuse(InvalidInput("--reference or --results", str(error.filename), f"a folder that can be written ({error.strerror})"))


if __name__ == "__main__":
    command(main)
