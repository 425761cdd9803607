"""``python -m experiments.response``."""

from experiments.lab.config import main
from experiments.response import response

main("response", response)
