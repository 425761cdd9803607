"""Pictures of results folders: one file per experiment, with the experiment's name."""
