"""``python -m experiments.levers``: see :mod:`experiments.levers.study`."""

from experiments.lab.config import main
from experiments.levers.study import levers

if __name__ == "__main__":
    main("levers", levers)
