"""What runs cost: the command ``benchmark``."""
