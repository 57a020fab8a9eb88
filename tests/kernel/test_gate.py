"""The order gate: every reason by name, the bounds to the unit, permits and the fence."""

from dataclasses import replace

import pytest

from kernel.constants import PPM, Permit, Posture, Profile
from kernel.events import (
    ClaimInstrument,
    CloseOrder,
    ConfirmFence,
    Event,
    ReportBook,
    ReportFill,
    ReportShock,
    RestartKernel,
    TripKillSwitch,
    UpdateMark,
)
from kernel.gate import capital, ceiling, entry_verdict, permit_price, reduce_verdict
from kernel.outcome import Accepted, Effects, Reason, Refused
from kernel.slots import flat, quantities
from kernel.state import Ledger, Slot, State, opening_ledger
from kernel.step import step
from tests.kernel.sessions import (
    BTC_LOT,
    HEALTHY_BOOK,
    accept,
    bar,
    claimed,
    confirm,
    drive,
    fresh,
    holding,
    order,
    until,
)

TRIP = TripKillSwitch(cause=3, operator=1, reason=0)


@pytest.fixture(scope="module")
def apex() -> State:
    return claimed(until(Posture.APEX))


@pytest.fixture(scope="module")
def stalker() -> State:
    return claimed(until(Posture.STALKER))


def refusal(state: State, event: Event) -> Reason:
    """The reason an event is refused for."""
    outcome = step(state, event)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


@pytest.mark.req("KRN-GATE-001")
def test_hibernating(apex: State) -> None:
    assert refusal(accept(apex, TRIP), order()) == Reason.HIBERNATING


@pytest.mark.req("KRN-GATE-001")
def test_an_exit_is_refused_in_hibernate_too(apex: State) -> None:
    killed = confirm(accept(holding(apex), TRIP))
    assert refusal(killed, order(side=1, reduce_only=True)) == Reason.HIBERNATING


def demoted(state: State) -> State:
    """Two bars of a thin book (R about .71): from APEX or STALKER down to TURTLE."""
    thin = ReportBook(
        depth_quality_ppm=620_000, fill_probability_ppm=PPM, latency_ms=0, jitter_ms=0
    )
    for _ in range(2):
        state = bar(accept(bar(accept(state, HEALTHY_BOOK), dt_ms=1_000), thin), healthy=False)
        state = bar(accept(state, thin), healthy=False)
        if state.machine.posture == Posture.TURTLE:
            return state
    raise AssertionError("was not demoted")


@pytest.mark.req("KRN-GATE-002", "KRN-POST-008")
def test_fence_unconfirmed(apex: State) -> None:
    turtle = demoted(apex)
    assert turtle.gate.fence_epoch == apex.gate.fence_epoch + 1
    assert not turtle.gate.fence_confirmed
    assert refusal(turtle, order()) == Reason.FENCE_UNCONFIRMED


@pytest.mark.req("KRN-GATE-009", "KRN-GATE-011")
def test_posture_forbids_entry_in_turtle_and_exits_pass(apex: State) -> None:
    turtle = confirm(demoted(holding(apex)))
    assert refusal(claimed(turtle, 1, 2), order(1, 2)) == Reason.POSTURE_FORBIDS_ENTRY
    assert isinstance(step(turtle, order(side=1, reduce_only=True)), Accepted)


@pytest.mark.req("KRN-GATE-009", "KRN-GATE-012", "KRN-POST-015")
def test_between_bars_an_entry_is_judged_by_what_is_called_for(apex: State) -> None:
    """A shock lowers R at once; the committed posture still says APEX."""
    shocked = accept(apex, ReportShock())
    assert shocked.machine.posture == Posture.APEX
    assert refusal(shocked, order()) == Reason.POSTURE_FORBIDS_ENTRY
    held = accept(holding(apex), ReportShock())
    assert isinstance(step(held, order(side=1, reduce_only=True)), Accepted)


@pytest.mark.req("KRN-GATE-003")
def test_instrument_not_claimed(apex: State) -> None:
    assert refusal(apex, order(0, 2)) == Reason.INSTRUMENT_NOT_CLAIMED
    assert refusal(apex, order(3, 1)) == Reason.INSTRUMENT_NOT_CLAIMED


@pytest.mark.req("KRN-GATE-005")
def test_no_mark(apex: State) -> None:
    unmarked = accept(apex, ClaimInstrument(worker=2, instrument=5))
    assert refusal(unmarked, order(2, 5)) == Reason.NO_MARK


@pytest.mark.req("KRN-GATE-004", "KRN-GATE-031")
def test_permit_outstanding(apex: State) -> None:
    asked = accept(apex, order())
    assert refusal(asked, order()) == Reason.PERMIT_OUTSTANDING
    assert refusal(asked, ClaimInstrument(worker=0, instrument=3)) == Reason.PERMIT_OUTSTANDING


@pytest.mark.req("KRN-GATE-004")
def test_an_entry_cannot_stand_against_an_exit_that_is_out(apex: State) -> None:
    leaving = accept(holding(apex), order(side=1, reduce_only=True))
    assert refusal(leaving, order(side=1)) == Reason.PERMIT_OUTSTANDING
    assert refusal(leaving, order(side=-1)) == Reason.PERMIT_OUTSTANDING


@pytest.mark.req("KRN-GATE-010", "KRN-GATE-032", "KRN-GATE-033")
def test_instrument_owned_and_position_open(apex: State) -> None:
    assert refusal(apex, ClaimInstrument(worker=1, instrument=1)) == Reason.INSTRUMENT_OWNED
    held = holding(apex)
    assert refusal(held, ClaimInstrument(worker=0, instrument=2)) == Reason.POSITION_OPEN
    assert refusal(held, order()) == Reason.POSITION_OPEN


@pytest.mark.req("KRN-GATE-035")
def test_two_workers_may_release_to_zero(apex: State) -> None:
    released = accept(apex, ClaimInstrument(worker=1, instrument=0))
    assert isinstance(step(released, ClaimInstrument(worker=0, instrument=0)), Accepted)


@pytest.mark.req("KRN-GATE-034")
def test_a_new_claim_has_no_mark_and_the_same_claim_keeps_it(apex: State) -> None:
    same = accept(apex, ClaimInstrument(worker=0, instrument=1))
    assert same.gate.slots[0].mark == BTC_LOT
    other = accept(apex, ClaimInstrument(worker=0, instrument=2))
    assert other.gate.slots[0].mark == 0


@pytest.mark.req("KRN-GATE-007", "KRN-GATE-008")
@pytest.mark.parametrize(
    ("side", "lots", "reason"),
    [
        (-1, 10, Reason.WOULD_GROW),
        (1, 11, Reason.WOULD_FLIP),
    ],
)
def test_reduce_only_neither_grows_nor_flips(
    apex: State, side: int, lots: int, reason: Reason
) -> None:
    held = holding(apex)
    assert refusal(held, order(side=side, reduce_only=True, quantity=lots)) == reason


@pytest.mark.req("KRN-GATE-008", "KRN-GATE-009")
def test_reduce_only_of_exactly_the_position_passes(apex: State) -> None:
    assert isinstance(step(holding(apex), order(side=1, reduce_only=True)), Accepted)


@pytest.mark.req("KRN-GATE-006")
def test_nothing_to_reduce(apex: State) -> None:
    assert refusal(apex, order(side=1, reduce_only=True)) == Reason.NOTHING_TO_REDUCE


@pytest.mark.req("KRN-GATE-014", "KRN-GATE-015")
def test_leverage_above_ceiling_to_the_unit(apex: State, stalker: State) -> None:
    assert isinstance(step(apex, order(leverage_ppm=6 * PPM)), Accepted)
    assert refusal(apex, order(leverage_ppm=6 * PPM + 1)) == Reason.LEVERAGE_ABOVE_CEILING
    assert isinstance(step(stalker, order(leverage_ppm=2 * PPM)), Accepted)
    assert refusal(stalker, order(leverage_ppm=2 * PPM + 1)) == Reason.LEVERAGE_ABOVE_CEILING


@pytest.mark.req("KRN-GATE-015", "KRN-GATE-016")
def test_notional_above_fraction_to_the_lot(apex: State, stalker: State) -> None:
    """25,000 USDT x 0.20 x 6 = 30,000 USDT = 300 lots at APEX; 100 lots at STALKER."""
    assert isinstance(step(apex, order(quantity=300)), Accepted)
    assert refusal(apex, order(quantity=301)) == Reason.NOTIONAL_ABOVE_FRACTION
    assert isinstance(step(stalker, order(quantity=100)), Accepted)
    assert refusal(stalker, order(quantity=101)) == Reason.NOTIONAL_ABOVE_FRACTION


@pytest.mark.req("KRN-GATE-018")
def test_a_limit_above_the_mark_counts_at_the_limit(apex: State) -> None:
    above = order(market=False, limit_price=2 * BTC_LOT, quantity=151)
    assert refusal(apex, above) == Reason.NOTIONAL_ABOVE_FRACTION
    below = order(market=False, limit_price=BTC_LOT // 2, quantity=301)
    assert refusal(apex, below) == Reason.NOTIONAL_ABOVE_FRACTION


@pytest.mark.req("KRN-GATE-017", "KRN-GATE-025", "KRN-GATE-026", "KRN-GATE-038")
def test_exposure_above_ceiling_counts_reserved_and_open(apex: State) -> None:
    """Five positions of a fifth fill the ceiling; the sixth has no room, not for one lot."""
    state = apex
    for worker in range(5):
        state = claimed(state, worker, worker + 1)
        state = accept(state, order(worker, worker + 1, quantity=300))
        if worker % 2:  # some open, some still reserved
            state = accept(state, ReportFill(worker=worker, quantity=300, price=BTC_LOT, fee=0))
    state = claimed(state, 5, 6)
    assert state.gate.open_notional + state.gate.reserved_notional == 6 * state.ledger.cash
    assert refusal(state, order(5, 6, quantity=1)) == Reason.EXPOSURE_ABOVE_CEILING
    freed = accept(state, CloseOrder(worker=0))
    assert isinstance(step(freed, order(5, 6, quantity=300)), Accepted)


@pytest.mark.req("KRN-GATE-019")
def test_the_bounds_are_taken_of_capital_less_unrealised_loss(apex: State) -> None:
    held = holding(apex, lots=100)
    losing = accept(held, UpdateMark(instrument=1, price=BTC_LOT + 1_000_000))
    other = claimed(losing, 1, 2)
    assert losing.ledger.unrealised_pnl == -100 * 1_000_000
    assert refusal(other, order(1, 2, quantity=299)) == Reason.NOTIONAL_ABOVE_FRACTION
    assert isinstance(step(other, order(1, 2, quantity=298)), Accepted)


@pytest.mark.req("KRN-GATE-013")
def test_limit_only_in_stalker_of_the_specification() -> None:
    stalker = claimed(until(Posture.STALKER, profile=Profile.SPECIFICATION))
    assert refusal(stalker, order(market=True)) == Reason.LIMIT_ONLY
    assert isinstance(step(stalker, order(market=False, limit_price=BTC_LOT)), Accepted)
    apex = claimed(until(Posture.APEX, profile=Profile.SPECIFICATION))
    assert isinstance(step(apex, order(market=True)), Accepted)


@pytest.mark.req("KRN-GATE-021", "KRN-GATE-023", "KRN-GATE-025")
def test_a_permit_reserves_and_says_so(apex: State) -> None:
    outcome = step(apex, order(quantity=7))
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(False, False, True)
    slot = outcome.state.gate.slots[0]
    assert (slot.permit_kind, slot.permit_quantity, slot.permit_price) == (
        Permit.ENTRY,
        -7,
        BTC_LOT,
    )
    assert outcome.state.gate.reserved_notional == 7 * BTC_LOT


@pytest.mark.req("KRN-GATE-022")
def test_an_exit_reserves_nothing(apex: State) -> None:
    leaving = accept(holding(apex), order(side=1, reduce_only=True))
    assert leaving.gate.slots[0].permit_kind == Permit.EXIT
    assert leaving.gate.reserved_notional == 0


@pytest.mark.req("KRN-GATE-037", "KRN-GATE-038")
def test_close_order_frees_the_permit_and_twice_is_refused(apex: State) -> None:
    closed = accept(accept(apex, order()), CloseOrder(worker=0))
    assert closed.gate == apex.gate
    assert refusal(closed, CloseOrder(worker=0)) == Reason.NO_PERMIT


@pytest.mark.req(
    "KRN-FENCE-001",
    "KRN-FENCE-006",
    "KRN-FENCE-007",
    "KRN-FENCE-009",
    "KRN-GATE-039",
    "KRN-LEDG-003",
)
def test_the_flatten_waits_for_the_fence_and_is_renewed_until_flat(apex: State) -> None:
    state = accept(holding(apex), order(side=1, reduce_only=True, quantity=4))
    outcome = step(state, TRIP)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(True, False, False)
    killed = outcome.state
    assert killed.gate.slots[0].permit_kind == Permit.EXIT, "the older order may still fill"
    killed = accept(killed, ReportFill(worker=0, quantity=3, price=BTC_LOT, fee=0))
    fenced = step(killed, ConfirmFence(epoch=killed.gate.fence_epoch))
    assert isinstance(fenced, Accepted)
    assert fenced.effects == Effects(False, True, False)
    slot = fenced.state.gate.slots[0]
    assert (slot.permit_kind, slot.permit_quantity) == (Permit.FLATTEN, 7)
    part = accept(fenced.state, ReportFill(worker=0, quantity=5, price=BTC_LOT, fee=0))
    again = step(part, CloseOrder(worker=0))
    assert isinstance(again, Accepted)
    assert again.effects == Effects(False, True, False)
    assert again.state.gate.slots[0].permit_quantity == 2
    done = accept(again.state, ReportFill(worker=0, quantity=2, price=BTC_LOT, fee=0))
    assert flat(done.gate)
    assert quantities(done.gate) == (0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.req("KRN-RST-003", "KRN-FENCE-006")
def test_a_restart_puts_a_new_fence_before_a_flatten_that_is_out(apex: State) -> None:
    """What the model found: the flatten may still fill until the guard confirms the new epoch."""
    flattening = confirm(accept(holding(apex), TRIP))
    restarted = accept(flattening, RestartKernel())
    assert restarted.gate.slots[0].permit_kind == Permit.FLATTEN
    assert not restarted.gate.fence_confirmed
    part = accept(restarted, ReportFill(worker=0, quantity=4, price=BTC_LOT, fee=0))
    again = confirm(part)
    assert again.gate.slots[0].permit_quantity == 6


@pytest.mark.req("KRN-FENCE-005", "KRN-FENCE-007")
def test_a_confirmed_fence_without_positions_flattens_nothing(apex: State) -> None:
    killed = accept(apex, TRIP)
    outcome = step(killed, ConfirmFence(epoch=killed.gate.fence_epoch))
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(False, False, False)


@pytest.mark.req("KRN-FENCE-003", "KRN-FENCE-004")
def test_stale_epoch(apex: State) -> None:
    assert refusal(apex, ConfirmFence(epoch=apex.gate.fence_epoch)) == Reason.STALE_EPOCH
    restarted = accept(accept(apex, RestartKernel()), RestartKernel())
    late = ConfirmFence(epoch=apex.gate.fence_epoch + 1)
    assert refusal(restarted, late) == Reason.STALE_EPOCH


@pytest.mark.req("KRN-FENCE-005", "KRN-FENCE-008")
def test_a_fence_confirmed_outside_hibernate_frees_permits_without_flattening(apex: State) -> None:
    asked = accept(holding(apex), order(side=1, reduce_only=True))
    turtle = demoted(asked)
    assert turtle.gate.slots[0].permit_kind == Permit.EXIT
    outcome = step(turtle, ConfirmFence(epoch=turtle.gate.fence_epoch))
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(False, False, False)
    assert outcome.state.gate.slots[0].permit_kind == Permit.NONE
    assert outcome.state.gate.slots[0].quantity == -10


@pytest.mark.req("KRN-LEDG-009")
def test_a_mark_for_nobody_is_refused() -> None:
    assert refusal(fresh(), UpdateMark(instrument=1, price=1)) == Reason.INSTRUMENT_NOT_CLAIMED


@pytest.mark.req("KRN-LEDG-002", "KRN-LEDG-005", "KRN-LEDG-007", "KRN-LEDG-008")
def test_drive_through_a_whole_trade(apex: State) -> None:
    state = drive(
        apex,
        (
            order(quantity=10),
            ReportFill(worker=0, quantity=10, price=BTC_LOT, fee=500_000),
            UpdateMark(instrument=1, price=BTC_LOT - 2_000_000),
            order(side=1, reduce_only=True, quantity=10),
            ReportFill(worker=0, quantity=10, price=BTC_LOT - 2_000_000, fee=500_000),
        ),
    )
    assert state.ledger.cash == apex.ledger.cash + 20_000_000 - 1_000_000
    assert flat(state.gate)


# --- at the ends: one lot, one micro-USDT, sums that no float could hold -------------------------


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
