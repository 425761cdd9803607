"""Where results go: one folder, written beside and renamed, with a manifest that says what made it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console

import sim
from sim.names import neutral
from sim.parameters import Parameters
from sim.schema import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "mesa",
    "numpy",
    "numba",
    "networkx",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "hydra-core",
    "salib",
    "ema-workbench",
    "optuna",
    "dask",
)
#: Folder below a results folder for what was found there and is none of it.
ASIDE = "set_aside"


def digest(configuration: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a configuration."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def folder_name(parts: list[str], configuration: dict[str, Any]) -> str:
    """A readable name that is the same for the same configuration, and another one for another."""
    readable = "-".join(re.sub(r"[^A-Za-z0-9_+]+", "_", part)[:60] for part in parts)
    return f"{readable[:120]}-{digest(configuration)[:8]}"


class Folder:
    """Writes tables and texts into ``self.folder``."""

    experiment: str
    folder: Path

    def parquet(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table with page checksums."""
        import pyarrow as pa  # where a configuration is only printed, nobody waits for it
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, self.folder / name, compression="zstd", write_page_checksum=True)

    def csv(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table as text; names that a spreadsheet would take for a formula are made harmless."""
        texts = frame.select_dtypes(include=["object", "string", "category"]).columns
        safe = frame.assign(**{c: frame[c].map(lambda v: neutral(v) if isinstance(v, str) else v) for c in texts})
        safe.to_csv(self.folder / name, index=False, lineterminator="\n")

    def text(self, name: str, text: str) -> None:
        """Write a text file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def manifest(self, configuration: dict[str, Any], **more: Any) -> None:
        """Write ``manifest.json``: configuration, versions, commit and the checksum of every file here."""
        files = {
            str(p.relative_to(self.folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(self.folder.rglob("*"))
            if p.suffix in (".parquet", ".csv", ".png", ".json", ".yaml")
            and not p.name.startswith(".")
            and p.name != "manifest.json"
            and ASIDE not in p.relative_to(self.folder).parts
        }
        content = {
            "experiment": self.experiment,
            "configuration": configuration,
            "configuration_sha256": digest(configuration),
            **more,
            "versions": versions(),
            "commit": commit(),
            "files_sha256": files,
        }
        self.text("manifest.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def checked_path(path: str) -> Path:
    """A path to write to, as the user gave it: no part of it may be blank, or begin or end with a blank, as nobody would see that."""
    if any(part != part.strip() for part in Path(path).parts) or not path.strip():
        raise InvalidInput("output", path, "a path whose names neither begin nor end with a blank")
    return Path(path)


def results_folder(experiment: str, name: str, path: str) -> Path:
    """Where an experiment's results go: ``path``, links followed, or a folder by their name below ``results/``."""
    try:
        folder = (checked_path(path).expanduser() if path else Path.cwd() / "results" / experiment / name).resolve()
        folder.exists()
        return folder
    except InvalidInput:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput("output", path, f"a path that a folder can have ({getattr(error, 'strerror', None) or error})") from None


class Output(Folder):
    """A results folder, as a context: files appear all at once when everything went well.

    Args:
        experiment: name of the experiment, the folder below ``results/``.
        name: the folder's name there, unless ``path`` is given.
        path: the folder itself, or empty.

    Raises:
        InvalidInput: where the folder cannot be written, or holds something else.
    """

    def __init__(self, experiment: str, name: str, path: str = "") -> None:
        self.final = results_folder(experiment, name, path)
        self.experiment = experiment
        if self.final.exists():
            if not self.final.is_dir():
                raise InvalidInput("output", str(self.final), "a folder")
            if any(self.final.iterdir()) and not self._ours():
                raise InvalidInput(
                    "output", str(self.final), f"a new folder, an empty one, or one with nothing but earlier results of {experiment}"
                )
            if self.final == Path.cwd().resolve() or self.final.is_mount():
                raise InvalidInput("output", str(self.final), "a folder that can be replaced, not the one you are in, nor a mount")
        self.made = [parent for parent in self.final.parents if not parent.exists()]  # the deepest first
        try:
            self.final.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f".{self.final.name[:40]}-", dir=self.final.parent))
        except OSError as error:
            raise InvalidInput("output", str(self.final), f"a folder that can be written ({error.strerror})") from None

    def _ours(self) -> bool:
        """Whether the folder holds what an earlier start wrote, and nothing else."""
        try:
            manifest = json.loads((self.final / "manifest.json").read_text(encoding="utf-8"))
            # the report shows the manifest, so the manifest cannot hold its checksum
            listed = {"manifest.json", "report.html", *manifest["files_sha256"]}
            return manifest["experiment"] == self.experiment and all(
                str(p.relative_to(self.final)) in listed for p in self.final.rglob("*") if not p.is_dir()
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # another run writes there by now
                for parent in self.made:
                    parent.rmdir()
            if isinstance(error, OSError):
                raise InvalidInput("output", str(self.final), f"a folder with room to write ({error.strerror})") from None
            return
        self.folder.chmod(0o755)
        earlier = Path(tempfile.mkdtemp(prefix=".old-", dir=self.final.parent))
        for attempt in range(10):  # another process may write the same results at the same time: the last one stays
            with contextlib.suppress(FileNotFoundError):
                self.final.rename(earlier / str(attempt))
            with contextlib.suppress(OSError):
                self.folder.rename(self.final)
                break
        else:
            raise InvalidInput(
                "output", str(self.final), f"a folder that can be replaced; results are in {self.folder}, earlier ones in {earlier}"
            )
        shutil.rmtree(earlier, ignore_errors=True)


def shown(folder: Path) -> str:
    """A path as people would type it here; of a link it is its own, wherever it leads."""
    here = Path.cwd().resolve()
    folder = Path(os.path.realpath(folder.parent), folder.name)
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def wide_console() -> Console:
    """The terminal, or 100 columns where output goes into a file; square brackets in names are text and no markup."""
    return Console(markup=False, width=None if sys.stdout.isatty() else 100)


def input_files(parameters: Parameters) -> dict[str, str]:
    """SHA-256 of every file the enterprise is read from, by what it is; they belong to the configuration."""
    size, network = parameters.enterprise, parameters.network
    paths = {path.name: path for path in sorted(Path(size.folder).glob("*.csv"))} if size.source == "files" else {}
    if network.kind == "edges":
        paths |= {"network.edges": Path(network.edges), "network.labels": Path(network.labels)}
    digests = {}
    for name, path in paths.items():
        try:
            digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InvalidInput(name, str(path), f"a file that can be read ({error.strerror})") from None
    return digests


def versions() -> dict[str, str]:
    """Versions of this product, Python, the machine's kind and the libraries that numbers depend on."""
    found = {"enterprise-ai-rollout": sim.__version__, "python": platform.python_version(), "machine": platform.machine()}
    return {**found, **{name: importlib.metadata.version(name) for name in LIBRARIES}}


def commit() -> str:
    """The commit of the checkout, with ``+changes`` where what computes differs from it; empty outside one."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True, env={**os.environ, "LC_ALL": "C"}
        )
        return done.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")) != ROOT:
            return ""
        return git("rev-parse", "HEAD") + (
            "+changes" if git("status", "--porcelain", "--", "sim", "experiments", "configs", "pyproject.toml") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return ""
