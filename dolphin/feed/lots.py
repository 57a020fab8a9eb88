"""Lots: how a price in quote currency becomes the kernel's integer, and which prices can.

Rules of this file:

*   A lot is a power of ten of coins, such that one costs 1 to 10 USDT at the symbol's first close:
    a cheap coin and a dear one fit the kernel's range alike.
*   A price outside the kernel's range is no gap. A gap says that nothing was traded; this says that
    the market is somewhere the kernel cannot follow. So the panel is judged against the range
    before anything starts (``panel.py``), and ``price_per_lot`` raises where it was not.

Theory. 1 to 10 USDT are 10^6 to 10^7 micro-USDT. The range ends at 10^11, so a symbol may rise
10,000 times above its first close, and fall to a millionth of it, with all its digits or fewer.

Not here: what a position in lots is worth (``kernel``).
"""

from kernel.constants import PRICE_MAX

__all__ = ["FIRST_CLOSE_MAX", "FIRST_CLOSE_MIN", "close_range", "lot_ppm", "price_per_lot"]

LOT_PPM_MAX = 10**18  # a whole number that every reader holds in 64 bits
FIRST_CLOSE_MIN = 1_000_000 / LOT_PPM_MAX
FIRST_CLOSE_MAX = float(PRICE_MAX)


def lot_ppm(first_close: float) -> int:
    """Return the size of a lot, ppm of a coin; ``first_close`` in USDT a coin.

    Raises ``ValueError`` outside FIRST_CLOSE_MIN to FIRST_CLOSE_MAX.
    """
    if not FIRST_CLOSE_MIN <= first_close <= FIRST_CLOSE_MAX:
        raise ValueError(
            f"{first_close:g} USDT: expected {FIRST_CLOSE_MIN:g} to {FIRST_CLOSE_MAX:g}"
        )
    lot = 1
    while first_close * lot < 1_000_000:
        lot *= 10
    return lot


def close_range(lot: int) -> tuple[float, float]:
    """Return the least and the greatest close, USDT a coin, that the kernel takes in such lots."""
    return 1 / lot, PRICE_MAX / lot


def price_per_lot(close: float, lot: int) -> int:
    """Return a close, USDT a coin, as micro-USDT a lot.

    Raises ``ValueError`` where it is outside the kernel's range: no price may be made of that.
    """
    price = round(close * lot)
    if not 1 <= price <= PRICE_MAX:
        raise ValueError(f"{close:g} USDT in lots of {lot} ppm: outside the kernel's range")
    return price
