"""Exits: at a gain of 0.95 %, or after 120 bars.

Rules of this file: one function, conditions in the order of bible 7.1. The stop of bible 19.1 is
100 % and cannot bind for a short before the kernel has flattened; it is left out (ADR 0011). The
order-book exits (7.1, third place) come with the book itself.

Source: bible 7.1, 19.1. Assurance level C.
"""

from enum import StrEnum

__all__ = ["ExitReason", "evaluate", "gain"]

TAKE_PROFIT = 0.0095
HOLD_BARS_MAX = 120


class ExitReason(StrEnum):
    """Why a position is left; the names are the sources'."""

    FIXED_TP = "FIXED_TP"
    MAX_HOLD = "MAX_HOLD"


def gain(quantity: int, entry_price: float, price: float) -> float:
    """Return the gain as a share of the entry price; a short gains when the price falls."""
    change = (price - entry_price) / entry_price
    return change if quantity > 0 else -change


def evaluate(gain_now: float, bars_held: int) -> ExitReason | None:
    """Return the first reason that holds, or None to stay."""
    if gain_now >= TAKE_PROFIT:
        return ExitReason.FIXED_TP
    if bars_held >= HOLD_BARS_MAX:
        return ExitReason.MAX_HOLD
    return None
