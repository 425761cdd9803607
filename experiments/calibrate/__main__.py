"""``python -m experiments.calibrate``: see :mod:`experiments.calibrate.study`."""

from experiments.calibrate.study import calibrate
from experiments.lab.config import main

if __name__ == "__main__":
    main("calibrate", calibrate)
