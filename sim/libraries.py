"""Mesa and Numba, loaded without looking for garbage: they make a hundred thousand objects, and drop next to none.

To look through these time and again takes a tenth of the time it takes to load them, and later more of a short run. So they are left out of
later looks, too, and their memory stays shared where workers are forked.
"""

from __future__ import annotations

import gc

COLLECTS = gc.isenabled()
gc.disable()

import mesa  # noqa: E402, F401
import numba  # noqa: E402, F401

gc.freeze()
if COLLECTS:
    gc.enable()
