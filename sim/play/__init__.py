"""A scenario as a visitor of the live page plays it: models run here, without any web library. Nothing of the model depends on it."""
