"""Calibration to published numbers: the command ``calibrate``."""

from experiments.calibrate.study import calibrate

__all__ = ["calibrate"]
