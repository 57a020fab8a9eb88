"""Which items there are, in the order in which they run.

Rules of this file:

*   Cheap and telling first: what a typo breaks is said before what takes an hour.
*   A module of this package exposes ``ITEM`` or ``ITEMS``. What is not in ``MODULES`` does not
    exist; a test compares the list with the folder.
*   A lane is what an item's ``seconds`` name: the fast lane is part of ``make test``, the full one
    is ``make check-all``.

Not here: running them (``running.py``).
"""

import importlib
from difflib import get_close_matches

from verify.item import FAST, FULL, Item

LANES = (FAST, FULL)
MODULES = (
    "verify.constants",
    "verify.checking",
    "verify.suite",
    "verify.requirements",
    "verify.coverage",
    "verify.crosshair.item",
    "verify.rocq.item",
    "verify.proof.run",
    "verify.mutation.code",
    "verify.mutation.trace",
    "verify.mutation.spec",
)


class UnknownItem(ValueError):
    """A name that is no item's: one line that names the nearest."""


def items(lane: str) -> tuple[Item, ...]:
    """Return the items of a lane, in order."""
    found: list[Item] = []
    for name in MODULES:
        module = importlib.import_module(name)
        found += getattr(module, "ITEMS", None) or [module.ITEM]
    return tuple(item for item in found if lane in item.seconds)


def chosen(lane: str, only: tuple[str, ...]) -> tuple[Item, ...]:
    """Return the items named, or all of the lane; raises ``UnknownItem``."""
    every = items(lane)
    known = [item.name for item in every]
    for name in only:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
            raise UnknownItem(f"--only {name}: no such item in the {lane} lane; {hint}")
    return tuple(item for item in every if not only or item.name in only)
