"""Published numbers against the model: the command ``check``."""

from experiments.check.study import check

__all__ = ["check"]
