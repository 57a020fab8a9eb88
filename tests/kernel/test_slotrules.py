"""The rules of a slot at their edges, and what a reset of the peak may come down to.

Not here: that each rule is asked of every slot (``test_slots.py``).
"""

from dataclasses import replace

import pytest

from kernel.constants import QUANTITY_MAX, Permit, Posture
from kernel.equity import drawdown
from kernel.events import ConfirmPeakReset, RequestPeakReset
from kernel.outcome import Accepted
from kernel.rearm import confirm_peak_reset, request_peak_reset
from kernel.slotrules import entry_agrees, slot_in_range
from kernel.state import Slot
from tests.kernel.sessions import BTC_LOT, until


def slot(quantity: int, permit_quantity: int) -> Slot:
    return Slot(1, BTC_LOT, quantity, 0, Permit.ENTRY, permit_quantity, BTC_LOT)


@pytest.mark.req("KRN-STEP-013")
@pytest.mark.parametrize("sign", [1, -1])
def test_a_position_and_its_permit_reach_up_to_the_limit(sign: int) -> None:
    assert slot_in_range(slot(sign * (QUANTITY_MAX - 1), sign))
    assert not slot_in_range(slot(sign * (QUANTITY_MAX - 1), sign * 2))


@pytest.mark.req("KRN-GATE-028")
@pytest.mark.parametrize(
    ("quantity", "permit", "agrees"),
    [(1, -5, False), (-1, 5, False), (5, -1, False), (-5, 1, False), (0, 1, True), (0, -1, True),
     (1, 1, True), (-1, -1, True), (1, 0, True), (-1, 0, True)],
)  # fmt: skip
def test_one_lot_on_the_other_side_disagrees(quantity: int, permit: int, agrees: bool) -> None:
    assert entry_agrees(slot(quantity, permit)) == agrees


@pytest.mark.req("KRN-PEAK-007")
@pytest.mark.parametrize(("left", "peak"), [(2, 2), (1, 1), (0, 1), (-5, 1)])
def test_a_reset_takes_the_peak_down_to_equity_and_to_one_at_least(left: int, peak: int) -> None:
    state = until(Posture.APEX)
    ledger = state.ledger
    spent = ledger.cash - left  # fees, so that the accounts still sum to zero
    poor = replace(
        ledger,
        cash=left,
        fees=ledger.fees + spent,
        drawdown_ppm=drawdown(peak=ledger.equity_peak, now=left),
    )
    state = replace(state, ledger=poor, survival=replace(state.survival, multiplier_ppm=0))
    asked = request_peak_reset(state, RequestPeakReset(operator=1, reason=8))
    assert isinstance(asked, Accepted)
    waiting = replace(
        asked.state,
        killswitch=replace(asked.state.killswitch, operator_request_age_ms=60_000),
    )
    done = confirm_peak_reset(waiting, ConfirmPeakReset(operator=1, reason=8))
    assert isinstance(done, Accepted)
    assert done.state.ledger.equity_peak == peak
