"""``python -m experiments.patterns``."""

from experiments.lab.config import main
from experiments.patterns import patterns

main("patterns", patterns)
