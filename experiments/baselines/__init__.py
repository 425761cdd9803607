"""Three simpler models, asked what the full model is asked: what would they have got wrong?"""

from experiments.baselines.study import baselines as baselines
