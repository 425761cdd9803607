"""Experiments: one question a file, a thin Hydra entry each."""

import sim.views  # noqa: F401 (before anything imports matplotlib)
