"""The signal: sell short when the eigenvalue velocities' divergence falls below −0.02.

Rules of this file:

*   Pure functions of one divergence; no history, no state.
*   The champion is SHORT-only (bible 1); the LONG threshold of bible 4.1 is not here.
*   Direction confirmation (4.2) and the order-book terms (4.3) come with the whole engine. They are
    filters between ``generate`` and the size, so they need no change here.

Theory. A divergence below zero says that the short window's common mode fades faster than the long
one's: the market has begun to leave the regime it was in. The further below, the surer.

Source: bible 4.1, 6.1, 19.1. Assurance level C.
"""

from dataclasses import dataclass

__all__ = ["EXTREME", "THRESHOLD", "Signal", "generate", "strength"]

THRESHOLD = -0.02  # bible 19.1, vel_div_threshold
EXTREME = -0.05  # bible 19.1, vel_div_extreme
CONFIDENCE_MIN = 0.50
CONFIDENCE_SPAN = 0.40


@dataclass(frozen=True, slots=True)
class Signal:
    """A short signal. strength in [0, 1], confidence in [0.50, 0.90], both dimensionless."""

    vel_div: float
    strength: float
    confidence: float
    extreme: bool


def strength(vel_div: float) -> float:
    """Return (−0.02 − vel_div) / 0.03, held within [0, 1] (bible 6.1)."""
    if vel_div <= EXTREME:
        return 1.0
    return min(1.0, max(0.0, (THRESHOLD - vel_div) / (THRESHOLD - EXTREME)))


def generate(vel_div: float) -> Signal | None:
    """Return the short signal of a divergence, or None when it is not below the threshold.

    Strictly below: −0.02 itself is no signal (bible 4.1). Confidence is 0.50 + 0.40 × strength.
    """
    if not vel_div < THRESHOLD:
        return None
    ratio = strength(vel_div)
    return Signal(
        vel_div=vel_div,
        strength=ratio,
        confidence=CONFIDENCE_MIN + CONFIDENCE_SPAN * ratio,
        extreme=vel_div <= EXTREME,
    )
