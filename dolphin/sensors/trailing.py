"""Trailing statistics that the stand-ins share.

Rules of this file:

*   A window of fixed length over the last values; older ones are forgotten, so yesterday's crash
    does not make today look calm for ever.
*   The value at hand is compared with what came *before* it, then added: a spike never hides in its
    own yardstick.
*   A ratio to a median of zero is 1 if the value is zero too, else ``RATIO_MAX``: a market that was
    frozen and moves is as far from its habit as can be said.

Not here: what a ratio means (``forewarner.py``, ``book.py``, ``dvol.py``).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATIO_MAX", "Trailing", "ratio", "rms"]

RATIO_MAX = 1000.0


class Trailing:
    """The last ``length`` values of a series."""

    def __init__(self, length: int) -> None:
        """length: at least one."""
        self._values = np.zeros(length)
        self._count = 0

    def __len__(self) -> int:
        """Return how many values are held, at most ``length``."""
        return min(self._count, len(self._values))

    def push(self, value: float) -> None:
        """Add a value; the oldest leaves when full."""
        self._values[self._count % len(self._values)] = value
        self._count += 1

    @property
    def values(self) -> NDArray[np.float64]:
        """The values held, in no particular order. Shape (len,)."""
        return self._values[: len(self)]

    def median(self) -> float:
        """Return the median of what is held; 0 when empty."""
        return float(np.median(self.values)) if self._count else 0.0


def ratio(value: float, median: float) -> float:
    """Return value / median, both >= 0, at most ``RATIO_MAX``."""
    if median <= 0.0:
        return 1.0 if value <= 0.0 else RATIO_MAX
    return min(RATIO_MAX, value / median)


def rms(values: NDArray[np.float64]) -> float:
    """Return the root of the mean square; 0 when empty."""
    return float(np.sqrt(np.mean(values * values))) if len(values) else 0.0
