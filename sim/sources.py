"""Which sources, and which versions of NumPy and Numba, compute the model: what a results folder names as its version."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path


def _digest() -> str:
    digest = hashlib.sha256(f"{version('numba')} {version('numpy')}".encode())
    root = Path(__file__).resolve().parent
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in ("views", "play"):  # what shows the model or plays it decides no number
            digest.update(path.read_bytes())
    return digest.hexdigest()


#: SHA-256 of the model's sources and of the versions of NumPy and Numba.
SOURCES = _digest()
