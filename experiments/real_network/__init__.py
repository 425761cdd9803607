"""The model on a real network: do generated ones stand in for it, and where on it should champions sit?"""

from experiments.real_network.study import real_network as real_network
