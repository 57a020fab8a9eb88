"""The eight slots, one by one: each rule holds of every one of them.

A test that only ever looks at worker 0 lets seven slots be wrong. Each test here walks all eight,
with lots, marks and instruments that differ, so that no slot can stand in for another.
"""

from dataclasses import replace
from functools import cache

import pytest

from kernel.constants import PPM, Permit, Posture
from kernel.events import (
    ClaimInstrument,
    ConfirmFence,
    ReportBook,
    ReportFill,
    TripKillSwitch,
    UpdateMark,
)
from kernel.invariants import OneWorkerPerInstrument
from kernel.outcome import Accepted, Effects
from kernel.slotrules import Rule, Share, claims_alone, every, share, slot_holds, total
from kernel.slots import flat, owner_of, put, quantities, slot_is_flat, with_slot
from kernel.state import Slot, Slots, State, empty_slot
from kernel.step import step
from tests.kernel.sessions import BTC_LOT, accept, bar, drive, order, until

WORKERS = range(8)
THIN = ReportBook(depth_quality_ppm=620_000, fill_probability_ppm=PPM, latency_ms=0, jitter_ms=0)
TRIP = TripKillSwitch(cause=3, operator=1, reason=0)


def lots(worker: int) -> int:
    return 3 + worker


def instrument(worker: int) -> int:
    return 40 + worker


def price(worker: int) -> int:
    return BTC_LOT + 1_000 * worker


@cache
def holding_all() -> State:
    """APEX; every worker is short ``lots(worker)`` of its own instrument."""
    state = until(Posture.APEX)
    for worker in WORKERS:
        state = drive(
            state,
            (
                ClaimInstrument(worker=worker, instrument=instrument(worker)),
                UpdateMark(instrument=instrument(worker), price=price(worker)),
                order(worker, instrument(worker), quantity=lots(worker)),
                ReportFill(worker=worker, quantity=lots(worker), price=price(worker), fee=0),
            ),
        )
    return state


@cache
def asking_all() -> State:
    """APEX; every worker has an entry permit out."""
    state = until(Posture.APEX)
    for worker in WORKERS:
        state = drive(
            state,
            (
                ClaimInstrument(worker=worker, instrument=instrument(worker)),
                UpdateMark(instrument=instrument(worker), price=price(worker)),
                order(worker, instrument(worker), quantity=lots(worker)),
            ),
        )
    return state


@pytest.mark.req("KRN-FENCE-005", "KRN-FENCE-006", "KRN-FENCE-007")
def test_a_confirmed_fence_in_hibernate_flattens_every_worker() -> None:
    killed = accept(holding_all(), TRIP)
    outcome = step(killed, ConfirmFence(epoch=killed.gate.fence_epoch))
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(False, True, False)
    gate = outcome.state.gate
    assert gate.slots == tuple(
        replace(
            before,
            permit_kind=Permit.FLATTEN,
            permit_quantity=lots(worker),
            permit_price=price(worker),
        )
        for worker, before in enumerate(holding_all().gate.slots)
    )
    assert (gate.reserved_notional, gate.open_notional) == (0, killed.gate.open_notional)


@pytest.mark.req("KRN-FENCE-005", "KRN-FENCE-008")
def test_a_confirmed_fence_outside_hibernate_frees_every_workers_permit() -> None:
    state = asking_all()
    for _ in range(2):  # a thin book: R about .71, between the ends of STALKER and TURTLE
        state = bar(accept(bar(state, dt_ms=1_000), THIN), healthy=False)
        state = bar(accept(state, THIN), healthy=False)
        if state.machine.posture != Posture.APEX:
            break
    assert state.machine.posture == Posture.TURTLE
    assert all(slot.permit_kind == Permit.ENTRY for slot in state.gate.slots)
    outcome = step(state, ConfirmFence(epoch=state.gate.fence_epoch))
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(False, False, False)
    gate = outcome.state.gate
    assert gate.slots == tuple(
        replace(slot, permit_kind=Permit.NONE, permit_quantity=0, permit_price=0)
        for slot in asking_all().gate.slots
    )
    assert (gate.reserved_notional, gate.fence_confirmed) == (0, True)


@pytest.mark.req("KRN-FENCE-007")
def test_the_smallest_open_position_is_flattened_and_said_so() -> None:
    """One lot at one micro-USDT: an open notional of 1."""
    state = accept(holding_all(), UpdateMark(instrument=instrument(0), price=1))
    gate = state.gate
    for worker in WORKERS:
        before = gate.slots[worker]
        kept = 1 if worker == 0 else 0
        slot = replace(before, quantity=-kept, cost=-kept * before.mark)
        gate = with_slot(gate, worker, slot)
    assert gate.open_notional == 1
    unrealised = sum(slot.quantity * slot.mark - slot.cost for slot in gate.slots)
    ledger = replace(state.ledger, unrealised_pnl=unrealised)
    ledger = replace(
        ledger,
        equity_peak=ledger.cash + unrealised,
        drawdown_ppm=0,
    )
    killed = accept(replace(state, gate=gate, ledger=ledger), TRIP)
    outcome = step(killed, ConfirmFence(epoch=killed.gate.fence_epoch))
    assert isinstance(outcome, Accepted)
    assert outcome.effects.flatten_positions


def test_owner_of_finds_every_worker_and_nobody() -> None:
    gate = holding_all().gate
    assert [owner_of(gate, instrument(worker)) for worker in WORKERS] == list(WORKERS)
    assert owner_of(gate, 39) == -1
    assert owner_of(gate, 48) == -1


def test_quantities_are_by_worker() -> None:
    assert quantities(holding_all().gate) == (-3, -4, -5, -6, -7, -8, -9, -10)


@pytest.mark.parametrize("worker", WORKERS)
def test_put_replaces_one_slot(worker: int) -> None:
    before = holding_all().gate.slots
    after = put(before, worker, empty_slot())
    assert after[worker] == empty_slot()
    assert [after[w] for w in WORKERS if w != worker] == [before[w] for w in WORKERS if w != worker]


EMPTY: Slots = (empty_slot(),) * 8
POSITION = Slot(9, BTC_LOT, -5, -5 * BTC_LOT, Permit.NONE, 0, 0)
PERMIT = Slot(9, BTC_LOT, 0, 0, Permit.ENTRY, -5, BTC_LOT)


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("slot", [POSITION, PERMIT])
def test_one_worker_with_a_position_or_a_permit_is_not_flat(worker: int, slot: Slot) -> None:
    gate = replace(holding_all().gate, slots=EMPTY)
    assert flat(gate)
    assert not slot_is_flat(slot)
    assert not flat(replace(gate, slots=put(EMPTY, worker, slot)))


# One slot that breaks the rule, and is as near as can be to one that keeps it.
BROKEN = {
    Rule.FLAT_HAS_NO_COST: replace(POSITION, quantity=0, cost=1),
    Rule.NEEDS_CLAIM: replace(POSITION, mark=0),
    Rule.REDUCES: replace(POSITION, permit_kind=Permit.EXIT, permit_quantity=6, permit_price=1),
    Rule.ENTRY_AGREES: replace(POSITION, permit_kind=Permit.ENTRY, permit_quantity=1),
    Rule.PERMIT_CONSISTENT: replace(POSITION, permit_price=1),
    Rule.FLATTENS: POSITION,
    Rule.NO_FLATTEN: replace(POSITION, permit_kind=Permit.FLATTEN, permit_quantity=5),
    Rule.NO_WORKER_PERMIT: PERMIT,
    Rule.NO_ENTRY: PERMIT,
    Rule.IN_RANGE: replace(POSITION, mark=-1),
    Rule.SOUND: replace(empty_slot(), cost=1),
    Rule.FLATTEN_WHOLE: replace(POSITION, permit_kind=Permit.FLATTEN, permit_quantity=4),
    Rule.UNCLAIMED_UNMARKED: replace(empty_slot(), mark=1),
}


def test_control_every_rule_has_a_slot_that_breaks_it() -> None:
    assert set(BROKEN) == set(Rule)
    assert not any(slot_holds(slot, rule) for rule, slot in BROKEN.items())


@pytest.mark.parametrize("rule", list(Rule), ids=lambda rule: rule.name)
@pytest.mark.parametrize("worker", WORKERS)
def test_a_rule_is_asked_of_every_worker(rule: Rule, worker: int) -> None:
    assert every(EMPTY, rule)
    assert not every(put(EMPTY, worker, BROKEN[rule]), rule)


@pytest.mark.parametrize("of", list(Share), ids=lambda of: of.name)
@pytest.mark.parametrize("worker", WORKERS)
def test_every_worker_has_its_share_of_a_total(of: Share, worker: int) -> None:
    slot = Slot(9, 7, -5, -11, Permit.ENTRY, -3, 13)
    assert total(EMPTY, of) == 0
    assert share(slot, of) == {Share.OPEN: 35, Share.RESERVED: 39, Share.UNREALISED: -24}[of]
    assert total(put(EMPTY, worker, slot), of) == share(slot, of)
    assert total((slot,) * 8, of) == 8 * share(slot, of)


@pytest.mark.req("KRN-GATE-036")
@pytest.mark.parametrize("first", WORKERS)
@pytest.mark.parametrize("second", WORKERS)
def test_two_workers_never_share_an_instrument(first: int, second: int) -> None:
    """For each pair; an earlier worker's claim is asked once, by the earlier one."""
    if first >= second:
        return
    slots = holding_all().gate.slots
    assert all(claims_alone(slots, worker) for worker in WORKERS)
    twice = put(slots, second, replace(slots[second], instrument=instrument(first)))
    assert [claims_alone(twice, worker) for worker in WORKERS] == [
        worker != first for worker in WORKERS
    ]
    state = holding_all()
    assert not OneWorkerPerInstrument(replace(state, gate=replace(state.gate, slots=twice)))


def test_workers_without_a_claim_are_alone() -> None:
    assert all(claims_alone(EMPTY, worker) for worker in WORKERS)
