"""Equity: cash and open positions at their marks, and the drawdown from the peak.

Theory. Equity is cash and unrealised profit. The drawdown is what is missing from the highest
equity seen, rounded up, towards risk.

Rules of this file:

*   Integers; every rounding is up, so a loss never looks smaller than it is.

Not here: what moves equity (``ledger.py``). Spec module: Ledger. Sources: bible 8.3.
"""

from kernel.constants import PPM
from kernel.contracts import ensure_part, opaque, pure
from kernel.state import Ledger


@pure
def equity(ledger: Ledger) -> int:
    """Return cash and unrealised profit, micro-USDT."""
    return ledger.cash + ledger.unrealised_pnl


@pure
@opaque
@ensure_part(lambda result: 0 <= result <= PPM)
@ensure_part(lambda peak, now, result: (now < peak or result == 0) and (peak <= now or result > 0))
@ensure_part(lambda peak, now, result: peak <= now or now > 0 or result == PPM)
def drawdown(peak: int, now: int) -> int:  # KRN-LEDG-014, KRN-LEDG-015
    """Return what is missing from ``peak`` (> 0), ppm of it, rounded up, in 0 .. PPM."""
    if now >= peak:
        return 0
    if now <= 0:
        return PPM
    return ((peak - now) * PPM + peak - 1) // peak
