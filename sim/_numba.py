"""How Numba compiles the model, and where it keeps the result: a folder named after the sources.

Numba's cache notices a change in the file of the cached function only, not in the rules it calls.
Naming the folder after all sources makes a changed rule take effect at once.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from numba import njit as njit  # from here, so that what is said below holds for all that is compiled
from numba.core import config
from numba.extending import register_jitable as register_jitable

from sim.sources import SOURCES


def _folder() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for parent in (base, Path(tempfile.gettempdir())):
        folder = parent / "enterprise-ai-rollout" / SOURCES[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="enterprise-ai-rollout-"))


if not os.environ.get("NUMBA_CACHE_DIR"):
    config.CACHE_DIR = str(_folder())  # type: ignore[attr-defined]
