"""What bad data do to forecasts, measured: the command ``response``."""

from experiments.response.study import response

__all__ = ["response"]
