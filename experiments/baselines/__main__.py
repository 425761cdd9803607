"""``python -m experiments.baselines``."""

from experiments.baselines import baselines
from experiments.lab.config import main

main("baselines", baselines)
