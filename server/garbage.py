"""Cyclic garbage, of which there is hardly any, is looked for seldom."""

import gc

YOUNG_OBJECTS = 50_000
"""Allocations between two looks: at 700, Python's own, they took 5 % of a loaded pod and a tenth of its imports."""


def collect_seldom() -> None:
    """Spares collections from now on."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def keep_all() -> None:
    """What is there stays, and no collection looks at it again: for the end of a start."""
    gc.freeze()
