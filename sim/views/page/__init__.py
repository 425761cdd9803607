"""The live page: a server, what a visitor sees, and the process in which the models run."""

import os

os.environ["BOKEH_RESOURCES"] = "server"  # before Bokeh is imported: scripts come from this server, never from elsewhere
