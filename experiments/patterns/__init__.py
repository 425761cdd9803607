"""The patterns that a credible model shows without being told to, each with the ablation that removes it."""

from experiments.patterns.study import patterns as patterns
