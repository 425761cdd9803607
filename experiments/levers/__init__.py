"""What the article's sentences do in the model: the command ``levers``."""

from experiments.levers.study import levers

__all__ = ["levers"]
