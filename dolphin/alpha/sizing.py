"""Position sizing: leverage as the cube of signal strength, on a fixed fraction of capital.

Rules of this file:

*   Ratios leave as integers in parts per million, rounded down: the kernel reads integers, and less
    is the safe side.
*   What is asked for is capped by the posture's own ceiling, so that the alpha does not ask what it
    knows it may not have. The kernel does not rely on it.

Source: bible 6.1, 6.2 (cubic, range 0.5 to 5), 6.5 (STALKER's cap 2.0), 19.1 (fraction 0.20). Bible
6.2's second line writes scaled_score³ where scaled_score is already a cube; 6.5 and 19.1 (convexity
3.0) say one cube, and that is what stands here (ADR 0011).

Not here: the layers of bible 6.4, which come with the whole engine.
"""

from dataclasses import dataclass

__all__ = ["Size", "leverage", "lots", "size"]

PPM = 1_000_000
LEVERAGE_MIN = 0.5
LEVERAGE_MAX = 5.0
LEVERAGE_ABSOLUTE_MAX = 6.0
LEVERAGE_STALKER_MAX = 2.0
CONVEXITY = 3
FRACTION_PPM = 200_000

STALKER = 2


@dataclass(frozen=True, slots=True)
class Size:
    """fraction_ppm of capital, leverage_ppm on it: notional = capital × fraction × leverage."""

    fraction_ppm: int
    leverage_ppm: int


def leverage(strength: float) -> float:
    """Return 0.5 + strength³ × 4.5, in [0.5, 5.0] (bible 6.2). strength in [0, 1]."""
    return LEVERAGE_MIN + strength**CONVEXITY * (LEVERAGE_MAX - LEVERAGE_MIN)


def size(strength: float, posture: int) -> Size:
    """Return the size for a signal's strength at a posture (0 HIBERNATE … 3 APEX)."""
    ceiling = LEVERAGE_STALKER_MAX if posture == STALKER else LEVERAGE_ABSOLUTE_MAX
    return Size(FRACTION_PPM, int(min(leverage(strength), ceiling) * PPM))


def lots(capital: int, size: Size, price: int) -> int:
    """Return how many lots fit: capital × fraction × leverage / price, rounded down; 0 if none.

    capital in micro-USDT, price in micro-USDT per lot; integers only, as the kernel's own bound.
    """
    if price <= 0:
        return 0
    return max(0, capital) * size.fraction_ppm * size.leverage_ppm // (PPM * PPM * price)
