"""Views: they read results and change nothing."""

import os

# Pictures go into files, which Agg draws whatever the backend. A name that matplotlib does not know would stop its import, and so every
# command; a notebook's own (module://…) shows what its cells draw, and stays.
if not os.environ.get("MPLBACKEND", "module://").startswith("module://"):
    os.environ["MPLBACKEND"] = "agg"
