"""Log returns of bars in which closes may be missing.

Rules of this file:

*   A missing close carries the last known one forward, so the symbol's return is exactly 0 in the
    gap, and the whole move falls on the bar that ends it. No move is lost and none is invented.
*   Every hole is counted: in total, and for the bar at hand. A reader that wants to refuse a symbol
    with a hole can; a hole is never silent.
*   A symbol that has not yet had a close has return 0 and counts as a gap.

Theory. Carrying forward is the only rule that uses no later bar. Its cost is that a symbol in a gap
looks calm; that is why the count travels with the returns.

Not here: how much NaN a whole panel may hold (``panel.py``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dolphin.feed.bar import Bar

__all__ = ["LogReturns", "Returns"]


@dataclass(frozen=True, slots=True)
class Returns:
    """The log returns of one bar.

    values: float64, shape (symbols,), dimensionless. closes: the closes with gaps carried forward,
    same shape, NaN only before a symbol's first close. gaps: positions of the symbols without a
    close in this bar.
    """

    values: NDArray[np.float64]
    closes: NDArray[np.float64]
    gaps: tuple[int, ...]


class LogReturns:
    """Turns bars into log returns, one bar at a time, carrying closes over gaps."""

    def __init__(self, symbols: int) -> None:
        """Expect ``symbols`` closes per bar."""
        self._last = np.full(symbols, np.nan)
        self._bars = 0
        self.gaps_total = 0

    def update(self, bar: Bar) -> Returns | None:
        """Return the bar's log returns; None for the first bar, which has nothing before it.

        Raises ValueError if the bar does not hold one close per symbol.
        """
        if len(bar.closes) != len(self._last):
            raise ValueError(
                f"bar {bar.index}: {len(bar.closes)} closes, expected {len(self._last)}"
            )
        closes = np.array(bar.closes, dtype=np.float64)
        missing = np.isnan(closes)
        gaps = tuple(int(i) for i in np.flatnonzero(missing))
        self.gaps_total += len(gaps)
        closes[missing] = self._last[missing]
        values = np.log(closes) - np.log(self._last)
        values[np.isnan(values)] = 0.0
        self._last = closes
        self._bars += 1
        return None if self._bars == 1 else Returns(values, closes, gaps)
