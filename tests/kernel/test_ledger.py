"""The ledger: double entry, exact profit, peak and drawdown, and what counts as a desync."""

import pytest

from kernel.constants import PPM, Permit, Posture
from kernel.equity import drawdown, equity
from kernel.events import CloseOrder, ReportFill, TripKillSwitch, UpdateMark
from kernel.state import State
from tests.kernel.sessions import BTC_LOT, accept, claimed, confirm, drive, holding, order, until


@pytest.fixture(scope="module")
def apex() -> State:
    return claimed(until(Posture.APEX))


@pytest.mark.req("KRN-LEDG-014", "KRN-LEDG-015")
@pytest.mark.parametrize(
    ("peak", "now", "ppm"),
    [
        (100, 100, 0),
        (100, 101, 0),
        (100, 99, 10_000),
        (3, 2, 333_334),  # rounded up, towards risk
        (10**15, 10**15 - 1, 1),
        (100, 0, PPM),
        (100, -5, PPM),
        (1, 0, PPM),
    ],
)
def test_drawdown_rounds_towards_risk(peak: int, now: int, ppm: int) -> None:
    assert drawdown(peak, now) == ppm


@pytest.mark.req(
    "KRN-LEDG-002",
    "KRN-LEDG-003",
    "KRN-LEDG-004",
    "KRN-LEDG-005",
    "KRN-LEDG-006",
    "KRN-LEDG-007",
)
def test_partial_fills_book_exact_profit(apex: State) -> None:
    """Short 3 lots at two prices, back in two parts: no division, no average price."""
    state = accept(apex, order(quantity=3))
    state = drive(
        state,
        (
            ReportFill(worker=0, quantity=1, price=BTC_LOT + 1, fee=3),
            ReportFill(worker=0, quantity=2, price=BTC_LOT - 1, fee=4),
        ),
    )
    slot = state.gate.slots[0]
    assert (slot.quantity, slot.cost) == (-3, -(3 * BTC_LOT - 1))
    assert slot.permit_kind == Permit.NONE
    assert state.ledger.realised_pnl == 0
    state = accept(state, order(side=1, reduce_only=True, quantity=3))
    state = accept(state, ReportFill(worker=0, quantity=2, price=BTC_LOT - 10, fee=0))
    assert state.ledger.cash == apex.ledger.cash - 7, "profit waits until the position is flat"
    state = accept(state, ReportFill(worker=0, quantity=1, price=BTC_LOT - 13, fee=0))
    profit = (3 * BTC_LOT - 1) - (2 * (BTC_LOT - 10) + (BTC_LOT - 13))
    assert state.ledger.cash == apex.ledger.cash + profit - 7
    assert state.ledger.realised_pnl == -profit
    assert state.ledger.fees == 7
    assert state.gate.slots[0].cost == 0


@pytest.mark.req(
    "KRN-LEDG-008",
    "KRN-LEDG-010",
    "KRN-LEDG-011",
    "KRN-LEDG-012",
    "KRN-LEDG-014",
    "KRN-SURV-026",
)
def test_marks_move_equity_peak_and_drawdown_but_not_cash(apex: State) -> None:
    held = holding(apex, lots=100)
    won = accept(held, UpdateMark(instrument=1, price=BTC_LOT - 1_000_000))
    assert won.ledger.cash == held.ledger.cash
    assert won.ledger.unrealised_pnl == 100_000_000
    assert won.ledger.equity_peak == held.ledger.equity_peak + 100_000_000
    lost = accept(won, UpdateMark(instrument=1, price=BTC_LOT + 10_000_000))
    assert lost.ledger.equity_peak == won.ledger.equity_peak
    missing = won.ledger.equity_peak - equity(lost.ledger)
    assert missing == 1_100_000_000
    assert lost.ledger.drawdown_ppm == -(-missing * PPM // won.ledger.equity_peak)
    assert lost.survival.multiplier_ppm < held.survival.multiplier_ppm, "drawdown attacks at once"


@pytest.mark.req("KRN-LEDG-016")
def test_a_fill_without_a_permit_or_beyond_it_is_a_desync(apex: State) -> None:
    lost = accept(apex, ReportFill(worker=0, quantity=1, price=BTC_LOT, fee=0))
    assert lost.killswitch.latched_desync
    assert lost.ledger == apex.ledger
    asked = accept(apex, order(quantity=5))
    beyond = accept(asked, ReportFill(worker=0, quantity=6, price=BTC_LOT, fee=0))
    assert beyond.killswitch.latched_desync
    assert beyond.gate.slots == asked.gate.slots, "it is never half believed"
    exact = accept(asked, ReportFill(worker=0, quantity=5, price=BTC_LOT, fee=0))
    assert not exact.killswitch.latched_desync


@pytest.mark.req("KRN-LEDG-017", "KRN-FENCE-006")
def test_an_order_that_outlived_its_epoch_may_still_fill_before_the_fence(apex: State) -> None:
    asked = accept(apex, order(quantity=5))
    killed = accept(asked, TripKillSwitch(cause=3, operator=1, reason=0))
    filled = accept(killed, ReportFill(worker=0, quantity=5, price=BTC_LOT, fee=0))
    assert filled.gate.slots[0].quantity == -5
    fenced = confirm(filled)
    assert fenced.gate.slots[0].permit_kind == Permit.FLATTEN


@pytest.mark.req("KRN-GATE-040", "KRN-FENCE-006")
def test_an_order_closed_before_the_fence_leaves_the_flatten_to_the_fence(apex: State) -> None:
    asked = accept(holding(apex), order(side=1, reduce_only=True, quantity=4))
    killed = accept(asked, TripKillSwitch(cause=3, operator=1, reason=0))
    closed = accept(killed, CloseOrder(worker=0))
    assert closed.gate.slots[0].permit_kind == Permit.NONE
    assert confirm(closed).gate.slots[0].permit_quantity == 10
