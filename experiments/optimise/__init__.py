"""A search over a strategy's levers: the command ``optimise``."""

from experiments.optimise.study import optimise

__all__ = ["optimise"]
