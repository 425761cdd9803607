"""Experiments: one question a file, a thin Hydra entry each."""
