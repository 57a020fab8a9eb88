"""Notional values and exposure bounds: the products that gate and ledger use.

Theory. A notional is what a bound is taken of, so it has no sign; a worth has the position's.

Rules of this file:

*   The only products of two unknowns outside the curves. Proofs use their contracts alone, since a
    solver is lost among many products; that is why they are functions.

Not here: whose lots, which price (``slots.py``). Spec module: Gate.
"""

from kernel.contracts import ensure_part, opaque, pure, require_part


@pure
@opaque
@require_part(lambda lots: lots >= 0)
@ensure_part(lambda lots, price, result: lots != 0 or result == 0)
@ensure_part(lambda lots, price, result: price < 0 or result >= 0)
@ensure_part(lambda lots, price, result: lots <= 0 or price <= 0 or result > 0)
def notional(lots: int, price: int) -> int:
    """Return what ``lots`` (unsigned) come to at ``price``, micro-USDT."""
    return lots * price


@pure
@opaque
@ensure_part(lambda quantity, result: quantity != 0 or result == 0)
def worth(quantity: int, price: int) -> int:
    """Return what a position of ``quantity`` lots (signed) is worth at ``price``, micro-USDT."""
    return quantity * price


@pure
@opaque
@ensure_part(lambda capital, ceiling, result: capital < 0 or ceiling < 0 or result >= 0)
def leveraged(capital: int, ceiling: int) -> int:
    """Return what ``capital`` bears at the leverage ``ceiling`` (times), micro-USDT."""
    return capital * ceiling
