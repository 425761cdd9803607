"""What a report reads: a results folder of ``compare``, whole, and a sensitivity analysis beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.population import CHOSEN, NUMBER, VARIED
from sim.schema import InvalidInput
from sim.views.leads import Lead, best_of_population, leaders, read_table
from sim.views.words import strategy_label

FILES = ("manifest.json", "summary.csv", "paired.csv", "best.csv", "runs", "weekly", "units", "held")
#: Strategies drawn unit by unit; of more, the best of each maturity.
MOST_DRAWN = 4


@dataclass(frozen=True)
class Sensitivity:
    """What a sensitivity analysis of the same base adds: its folder, its findings in sentences, and what was analysed."""

    folder: Path
    compared: str
    findings: Sequence[str]


class Tables:
    """The tables of a results folder of ``compare``, each read when it is asked for: all that charts need, before there is a manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Estimates with their intervals."""
        return read_table(self.folder / "summary.csv")

    @cached_property
    def paired(self) -> pd.DataFrame:
        """Differences of pairs of runs with the same luck."""
        return read_table(self.folder / "paired.csv")

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs that did not fail."""
        runs = pd.read_parquet(self.folder / "runs")
        return runs[runs["error"] == ""]

    @cached_property
    def weekly(self) -> pd.DataFrame:
        """Cumulative net value by week."""
        return pd.read_parquet(self.folder / "weekly", columns=["maturity", "strategy", "week", "cumulative_net"])

    @cached_property
    def units(self) -> pd.DataFrame:
        """How each unit ended."""
        return pd.read_parquet(self.folder / "units")

    @cached_property
    def held(self) -> pd.DataFrame:
        """What held the first runs back, quarter by quarter."""
        return pd.read_parquet(self.folder / "held")

    @cached_property
    def maturities(self) -> list[str]:
        """Maturities with a run, in the order in which they were asked for."""
        return list(dict.fromkeys(self.summary["maturity"]))

    @cached_property
    def strategies(self) -> list[str]:
        """Strategies with a run, in the order in which they were asked for."""
        return list(dict.fromkeys(self.summary["strategy"]))

    @cached_property
    def leads(self) -> list[Lead]:
        """Who leads at each maturity."""
        return leaders(self.summary, self.paired, self.maturities, best_of_population(self.folder))

    @cached_property
    def best(self) -> pd.DataFrame:
        """How likely each strategy is best, and what is lost with it where it is not."""
        return read_table(self.folder / "best.csv")

    @cached_property
    def variance(self) -> pd.DataFrame:
        """Where the variance between organisations comes from; no rows where all runs are of one."""
        path = self.folder / "variance.csv"
        return pd.read_csv(path, comment="#") if path.exists() else pd.DataFrame(columns=["maturity", "of"])

    @property
    def drawn(self) -> list[str]:
        """Strategies drawn unit by unit."""
        few = len(self.strategies) <= MOST_DRAWN
        return self.strategies if few else list(dict.fromkeys(lead.best for lead in self.leads))[:MOST_DRAWN]

    def of(self, table: pd.DataFrame, maturity: str, strategy: str) -> pd.DataFrame:
        """The rows of a cell."""
        return table[(table["maturity"] == maturity) & (table["strategy"] == strategy)]


class Comparison(Tables):
    """A results folder of ``compare``: its manifest, and its tables.

    Raises:
        InvalidInput: where the folder is not one of ``compare``, or a file of it is missing.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.manifest = read_manifest(folder, "compare")
        missing = [name for name in FILES if not (folder / name).exists()]
        if missing:
            wanted = f"a whole results folder of compare; {missing[0]} is missing: run the comparison again"
            raise InvalidInput("results", str(folder), wanted)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """Maturity, strategy and parameters of each cell that was asked for."""
        return self.manifest["configuration"]["cells"]

    @property
    def use_cases(self) -> list[dict[str, Any]]:
        """The use cases that all figures are over: names and values."""
        return self.cells[0]["parameters"].get("usecases", [])

    @property
    def differing(self) -> frozenset[str]:
        """Parameters that differ between the organisations of a population; none where all runs are of one."""
        population = self.manifest["configuration"].get("population")
        if not population:
            return frozenset()
        names = {*population["fitted"], *(f"maturity.{name}" for name in VARIED), *CHOSEN, NUMBER}
        return frozenset(names - {*population["fixed"]}).intersection(self.runs.columns)

    def absent(self) -> list[str]:
        """What was asked for and has no run that did not fail."""
        there = set(zip(self.runs["maturity"], self.runs["strategy"], strict=True))
        lost = [cell for cell in self.cells if (cell["maturity"], cell["strategy"]) not in there]
        return [f"{strategy_label(cell['strategy'])} at {cell['maturity']} maturity" for cell in lost]

    def files(self) -> list[tuple[str, str, bool]]:
        """The folder's files with their checksums, and whether they are as they were written."""
        rows = []
        for name, checksum in self.manifest["files_sha256"].items():
            path = self.folder / name
            same = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == checksum
            rows.append((str(name), str(checksum), same))
        return rows


def refuse_surplus(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse a results folder in which a dataset holds what its manifest does not list: it would be read with the runs."""
    listed = manifest.get("files_sha256")
    shards = [Path(name) for name in listed if "/part-" in name] if isinstance(listed, dict) else []
    for dataset in sorted({shard.parent for shard in shards}):
        for path in sorted((folder / dataset).glob("*.parquet")):
            if dataset / path.name not in shards:
                raise InvalidInput(
                    "results",
                    str(path),
                    "a shard that manifest.json lists; start the command again that wrote the folder: it sets others aside",
                )


def read_manifest(folder: Path, experiment: str) -> dict[str, Any]:
    """The manifest of a results folder of an experiment; :class:`InvalidInput` where it is another thing."""
    wanted = f"a results folder of {experiment}, with its manifest.json"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        kind = manifest["experiment"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput("results", str(folder), wanted) from None
    if kind != experiment:
        raise InvalidInput("results", str(folder), f"{wanted}, not one of {kind}")
    refuse_surplus(folder, manifest)
    return dict(manifest)
