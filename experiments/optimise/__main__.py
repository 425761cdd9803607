"""``python -m experiments.optimise``: see :mod:`experiments.optimise.study`."""

from experiments.lab.config import main
from experiments.optimise.study import optimise

if __name__ == "__main__":
    main("optimise", optimise)
