"""Views: they read results and change nothing."""
