"""``python -m experiments.check targets.yaml``: see :mod:`experiments.check.study`."""

import sys

from experiments.check.study import check, with_targets
from experiments.lab.config import main

if __name__ == "__main__":
    sys.argv[1:] = with_targets(sys.argv[1:])
    main("check", check)
