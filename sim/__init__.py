"""AI rollout across an enterprise, as an agent-based model.

``RolloutModel`` is a Mesa model; ``rule`` marks a behaviour that the compiled engine may use.
"""

from __future__ import annotations

from sim import _numba  # noqa: F401  (first: it says how the rest is compiled)
from sim.model import RolloutModel
from sim.parameters import InvalidInput, Parameters
from sim.rules import rule

__version__ = "0.1.0"

__all__ = ["InvalidInput", "Parameters", "RolloutModel", "rule", "__version__"]
