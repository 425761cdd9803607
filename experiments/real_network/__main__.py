"""``python -m experiments.real_network edges=PATH labels=PATH``."""

from experiments.lab.config import main
from experiments.real_network import real_network

main("real_network", real_network)
