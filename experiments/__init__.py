"""Experiments: one question a file, a thin Hydra entry each."""

import sim.views  # noqa: F401 (before anything imports matplotlib)
from sim.late import late

late("matplotlib", "pyarrow", "pyarrow.compute", "pyarrow.parquet", "scipy.optimize", "scipy.special", "scipy.stats")
