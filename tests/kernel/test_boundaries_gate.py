"""The order gate at its ends: one lot, one micro-USDT, and sums that no float could hold."""

from dataclasses import replace

import pytest

from kernel.constants import PPM, Permit, Posture
from kernel.gate import capital, ceiling, entry_verdict, permit_price, reduce_verdict
from kernel.outcome import Reason
from kernel.state import Ledger, Slot, opening_ledger
from tests.kernel.sessions import order, until

SLOT = Slot(1, 100, 0, 0, Permit.NONE, 0, 0)


@pytest.mark.req("KRN-GATE-019")
@pytest.mark.parametrize(
    ("cash", "unrealised", "expected"),
    [(5, 0, 5), (5, 7, 5), (5, -1, 4), (5, -5, 0), (5, -6, 0), (0, 1, 0), (-3, 9, 0)],
)
def test_capital_counts_losses_and_no_gains(cash: int, unrealised: int, expected: int) -> None:
    ledger: Ledger = replace(opening_ledger(1), cash=cash, unrealised_pnl=unrealised)
    assert capital(ledger) == expected


@pytest.mark.req("KRN-GATE-015")
def test_ceilings_by_posture() -> None:
    assert [ceiling(posture) for posture in Posture] == [0, 0, 2, 6]


@pytest.mark.req("KRN-GATE-018")
def test_a_reservation_is_taken_at_the_higher_of_limit_and_mark() -> None:
    for limit, price in ((99, 100), (100, 100), (101, 101)):
        assert permit_price(SLOT, order(market=False, limit_price=limit)) == price


@pytest.mark.parametrize(
    ("held", "side", "lots", "expected"),
    [
        (0, 1, 1, Reason.NOTHING_TO_REDUCE),
        (1, 1, 1, Reason.WOULD_GROW),
        (-1, -1, 1, Reason.WOULD_GROW),
        (1, -1, 2, Reason.WOULD_FLIP),
        (-1, 1, 2, Reason.WOULD_FLIP),
        (1, -1, 1, 0),
        (-1, 1, 1, 0),
    ],
)
def test_one_lot_is_reduced_like_many(held: int, side: int, lots: int, expected: int) -> None:
    slot = replace(SLOT, quantity=held)
    assert reduce_verdict(slot, order(side=side, quantity=lots, reduce_only=True)) == expected


@pytest.mark.req("KRN-GATE-016")
def test_the_fraction_is_exact_where_a_float_is_not() -> None:
    """A notional of 72,057,594,038 × 10^6 micro-USDT: beyond 2^53, a multiple of 16. One less is
    the same number as a float."""
    event = order(quantity=1_000_000, market=False, limit_price=72_057_594_038, leverage_ppm=PPM)
    notional = event.quantity * event.limit_price
    assert float(notional - 1) == notional
    state = until(Posture.APEX)

    def verdict(fifth: int) -> int:
        cash = -(-5 * fifth // 6)
        assert 6 * cash // 5 == fifth
        ledger = replace(state.ledger, cash=cash, equity_peak=cash)
        return entry_verdict(replace(state, ledger=ledger), replace(SLOT, mark=1), event)

    assert verdict(notional) == 0
    assert verdict(notional - 1) == Reason.NOTIONAL_ABOVE_FRACTION
