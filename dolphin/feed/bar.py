"""One bar of market data, the only thing that the feed passes on.

Rules of this file:

*   A bar is a value: frozen, built from plain integers and floats, so that it crosses a process
    boundary as it is.
*   ``closes[i]`` belongs to ``symbols[i]`` of the panel; a bar does not repeat the names.
*   A missing close is NaN. Nobody upstream invents one: what a gap is worth is decided by whoever
    reads it (``gaps.py``).
*   Market time is an integer of milliseconds since 1970-01-01T00:00Z. No clock is read here.

Not here: files (``panel.py``), returns (``gaps.py``).
"""

from dataclasses import dataclass

__all__ = ["Bar"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the panel.

    index: row number, from 0. market_time_ms: the row's timestamp, ms UTC. closes: one price in
    quote currency per symbol, in the order of the panel's symbols; NaN where there was none.
    """

    index: int
    market_time_ms: int
    closes: tuple[float, ...]
