"""The order gate: judges each request for an order, and issues the permit that it needs.

Theory. A permit is a promise about exposure. While it is outstanding its notional counts as
reserved, so two requests can never be granted the same room. A permit dies with its epoch: when the
fence advances, the guard refuses the older ones, and the kernel waits for the guard's word
(``ConfirmFence``) before it frees their slots. Until then an order of theirs may still fill.

Rules of this file:

*   The request's word counts for nothing: notional and exposure come from the kernel's own
    positions and marks, and so does whether an order reduces.
*   ``request_verdict`` is the whole judgement, one chain; the first guard that fails names it.
*   No permit is issued while the fence is unconfirmed. So the permits outstanding are all of the
    current epoch or all of older ones, and no epoch needs to be kept beside a permit.
*   A reduce-only order can neither grow nor flip a position. One permit per worker, one worker per
    instrument: an entry can never stand against an exit that is still out.
*   In HIBERNATE the kernel's own flatten is the only order, sized when nothing older can fill.

Not here: fills (``ledger.py``); the MAC and the use count of a permit (the guard).
Spec module: Gate. Sources: specification VI.2, VII.1; bible 6.4, 6.5, 11.7, 13.2.
"""

from kernel.constants import (
    CEILING_APEX,
    CEILING_STALKER,
    FRACTION_DIVISOR,
    PPM,
    Permit,
    Posture,
    Profile,
)
from kernel.contract.gate import (
    capital_right,
    claim_judged,
    closing_judged,
    entry_judged,
    fence_judged,
    is_gate_reason,
    order_judged,
    price_of,
    reduction_judged,
    slot_passed,
    verdict_right,
)
from kernel.contracts import ensure_part, opaque, pure, require_part
from kernel.events import ClaimInstrument, CloseOrder, ConfirmFence, RequestOrder
from kernel.notional import leveraged, notional
from kernel.outcome import Accepted, Effects, Outcome, Reason, Refused
from kernel.parts import accepted, with_gate
from kernel.posture import effective
from kernel.ranges import claim_fits, closing_fits, order_fits
from kernel.slots import owner_of, with_flatten, with_slot, without_permit
from kernel.state import Gate, Ledger, Slot, State


@pure
@ensure_part(lambda ledger, result: capital_right(ledger, result))
def capital(ledger: Ledger) -> int:  # KRN-GATE-019
    """Return what the bounds are taken of, micro-USDT: cash, less any unrealised loss."""
    return max(0, ledger.cash + min(0, ledger.unrealised_pnl))


@pure
@ensure_part(
    lambda posture, result: (
        (posture < Posture.STALKER and result == 0)
        or (posture == Posture.STALKER and result == CEILING_STALKER)
        or (posture > Posture.STALKER and result == CEILING_APEX)
    )
)
def ceiling(posture: Posture) -> int:  # KRN-GATE-015
    """Return the leverage ceiling of a posture, times (specification VI.2, bible 11.7)."""
    if posture == Posture.APEX:
        return CEILING_APEX
    if posture == Posture.STALKER:
        return CEILING_STALKER
    return 0


@pure
@ensure_part(lambda slot, event, result: result is price_of(slot, event))
def permit_price(slot: Slot, event: RequestOrder) -> int:  # KRN-GATE-018
    """Return the price a reservation is taken at: the higher of limit and mark."""
    if event.limit_price >= slot.mark:
        return event.limit_price
    return slot.mark


@pure
@require_part(lambda event: order_fits(event))
@ensure_part(lambda slot, event, result: reduction_judged(slot, event, result))
def reduce_verdict(slot: Slot, event: RequestOrder) -> int:
    """Return 0 where a reduce-only order may pass, else the reason."""
    # KRN-GATE-006, KRN-GATE-007, KRN-GATE-008, KRN-GATE-009
    if slot.quantity == 0:
        return int(Reason.NOTHING_TO_REDUCE)
    if slot.quantity * event.side > 0:
        return int(Reason.WOULD_GROW)
    if event.quantity > abs(slot.quantity):
        return int(Reason.WOULD_FLIP)
    return 0


@pure
@opaque
@require_part(lambda event: order_fits(event))
@ensure_part(
    lambda posture, limit_only, slot, event, exposure, funds, result: entry_judged(
        posture, limit_only, slot, event, exposure, funds, ceiling(posture), result
    )
)
def bounded_verdict(
    posture: Posture, limit_only: bool, slot: Slot, event: RequestOrder, exposure: int, funds: int
) -> int:
    """Return 0 where an entry may pass at this posture, exposure and capital, else the reason."""
    # KRN-GATE-010, KRN-GATE-011, KRN-GATE-013, KRN-GATE-014, KRN-GATE-016, KRN-GATE-017
    if slot.quantity != 0:
        return int(Reason.POSITION_OPEN)
    if posture < Posture.STALKER:
        return int(Reason.POSTURE_FORBIDS_ENTRY)
    if limit_only and event.market:
        return int(Reason.LIMIT_ONLY)
    if event.leverage_ppm > ceiling(posture) * PPM:
        return int(Reason.LEVERAGE_ABOVE_CEILING)
    asked = notional(event.quantity, permit_price(slot, event))
    bound = leveraged(funds, ceiling(posture))
    if asked > bound // FRACTION_DIVISOR:
        return int(Reason.NOTIONAL_ABOVE_FRACTION)
    if exposure + asked > bound:
        return int(Reason.EXPOSURE_ABOVE_CEILING)
    return 0


@pure
@require_part(lambda event: order_fits(event))
def entry_verdict(state: State, slot: Slot, event: RequestOrder) -> int:  # KRN-GATE-012
    """Return 0 where an entry may pass, else the reason."""
    posture = effective(state)
    return bounded_verdict(
        posture,
        state.limits.profile == Profile.SPECIFICATION and posture == Posture.STALKER,
        slot,
        event,
        state.gate.open_notional + state.gate.reserved_notional,
        capital(state.ledger),
    )


@pure
@require_part(lambda event: order_fits(event))
@ensure_part(
    lambda state, event, result: verdict_right(
        state,
        event,
        reduce_verdict(state.gate.slots[event.worker], event)
        if event.reduce_only
        else entry_verdict(state, state.gate.slots[event.worker], event),
        result,
    )
)
@ensure_part(lambda result: result == 0 or is_gate_reason(result))
def request_verdict(state: State, event: RequestOrder) -> int:
    """Return 0 where the order may have a permit, else the reason."""
    # KRN-GATE-002, KRN-GATE-003, KRN-GATE-004, KRN-GATE-005, KRN-GATE-020
    slot = state.gate.slots[event.worker]
    if not state.gate.fence_confirmed:
        return int(Reason.FENCE_UNCONFIRMED)
    if slot.instrument != event.instrument:
        return int(Reason.INSTRUMENT_NOT_CLAIMED)
    if slot.permit_kind != Permit.NONE:
        return int(Reason.PERMIT_OUTSTANDING)
    if slot.mark == 0:
        return int(Reason.NO_MARK)
    if event.reduce_only:
        return reduce_verdict(slot, event)
    return entry_verdict(state, slot, event)


@pure
@require_part(lambda verdict: is_gate_reason(verdict))
@ensure_part(lambda verdict, result: int(result) == verdict)
def reason_of(verdict: int) -> Reason:
    """Return the reason a verdict of ``request_verdict`` stands for."""
    if verdict == int(Reason.FENCE_UNCONFIRMED):
        return Reason.FENCE_UNCONFIRMED
    if verdict == int(Reason.INSTRUMENT_NOT_CLAIMED):
        return Reason.INSTRUMENT_NOT_CLAIMED
    if verdict == int(Reason.PERMIT_OUTSTANDING):
        return Reason.PERMIT_OUTSTANDING
    if verdict == int(Reason.NO_MARK):
        return Reason.NO_MARK
    if verdict == int(Reason.NOTHING_TO_REDUCE):
        return Reason.NOTHING_TO_REDUCE
    if verdict == int(Reason.WOULD_GROW):
        return Reason.WOULD_GROW
    if verdict == int(Reason.WOULD_FLIP):
        return Reason.WOULD_FLIP
    if verdict == int(Reason.POSITION_OPEN):
        return Reason.POSITION_OPEN
    if verdict == int(Reason.POSTURE_FORBIDS_ENTRY):
        return Reason.POSTURE_FORBIDS_ENTRY
    if verdict == int(Reason.LIMIT_ONLY):
        return Reason.LIMIT_ONLY
    if verdict == int(Reason.LEVERAGE_ABOVE_CEILING):
        return Reason.LEVERAGE_ABOVE_CEILING
    if verdict == int(Reason.NOTIONAL_ABOVE_FRACTION):
        return Reason.NOTIONAL_ABOVE_FRACTION
    return Reason.EXPOSURE_ABOVE_CEILING


@require_part(lambda event: order_fits(event))
@ensure_part(
    lambda state, event, result: order_judged(state, event, request_verdict(state, event), result)
)
def request_order(state: State, event: RequestOrder) -> Outcome:
    """Judge a worker's order; where it may pass, reserve its notional and issue the permit."""
    # KRN-GATE-021, KRN-GATE-022, KRN-GATE-023, KRN-GATE-024
    verdict = request_verdict(state, event)
    if verdict != 0:
        return Refused(reason=reason_of(verdict))
    before = state.gate.slots[event.worker]
    slot = Slot(
        instrument=before.instrument,
        mark=before.mark,
        quantity=before.quantity,
        cost=before.cost,
        permit_kind=Permit.EXIT if event.reduce_only else Permit.ENTRY,
        permit_quantity=event.side * event.quantity,
        permit_price=permit_price(before, event),
    )
    return Accepted(
        state=with_gate(state, with_slot(state.gate, event.worker, slot)),
        effects=Effects(cancel_all_orders=False, flatten_positions=False, issue_permit=True),
    )


@require_part(lambda event: claim_fits(event))
@ensure_part(lambda state, event, result: claim_judged(state, event, result))
def claim_instrument(state: State, event: ClaimInstrument) -> Outcome:
    """Give a flat worker the instrument, if no other worker has it (specification VII.1)."""
    # KRN-GATE-031, KRN-GATE-032, KRN-GATE-033, KRN-GATE-034, KRN-GATE-035
    before = state.gate.slots[event.worker]
    if before.permit_kind != Permit.NONE:
        return Refused(reason=Reason.PERMIT_OUTSTANDING)
    if before.quantity != 0:
        return Refused(reason=Reason.POSITION_OPEN)
    owner = owner_of(state.gate, event.instrument)
    if event.instrument != 0 and owner != -1 and owner != event.worker:
        return Refused(reason=Reason.INSTRUMENT_OWNED)
    slot = Slot(
        instrument=event.instrument,
        mark=before.mark if before.instrument == event.instrument else 0,
        quantity=0,
        cost=0,
        permit_kind=Permit.NONE,
        permit_quantity=0,
        permit_price=0,
    )
    return accepted(with_gate(state, with_slot(state.gate, event.worker, slot)))


@require_part(lambda event: closing_fits(event))
@ensure_part(lambda state, event, result: closing_judged(state, event, result))
def close_order(state: State, event: CloseOrder) -> Outcome:
    """Free a permit whose order is over; in HIBERNATE, flatten what is still open again."""
    # KRN-GATE-037, KRN-GATE-038, KRN-GATE-039, KRN-GATE-040
    before = state.gate.slots[event.worker]
    if before.permit_kind == Permit.NONE:
        return Refused(reason=Reason.NO_PERMIT)
    again = (
        state.machine.posture == Posture.HIBERNATE
        and state.gate.fence_confirmed
        and before.quantity != 0
    )
    slot = with_flatten(before) if again else without_permit(before)
    return Accepted(
        state=with_gate(state, with_slot(state.gate, event.worker, slot)),
        effects=Effects(cancel_all_orders=False, flatten_positions=again, issue_permit=False),
    )


@ensure_part(lambda slot, flatten, result: slot_passed(slot, flatten, result))
def behind_the_fence(slot: Slot, flatten: bool) -> Slot:  # KRN-FENCE-005, KRN-FENCE-006
    """Return a slot whose older permit is dead, with a flatten permit if ``flatten``."""
    return with_flatten(slot) if flatten else without_permit(slot)


@ensure_part(lambda state, event, result: fence_judged(state, event, result))
def confirm_fence(state: State, event: ConfirmFence) -> Outcome:
    """Free every permit of an older epoch; in HIBERNATE, flatten every position."""
    # KRN-FENCE-003, KRN-FENCE-004, KRN-FENCE-005, KRN-FENCE-006, KRN-FENCE-007, KRN-FENCE-008,
    # KRN-FENCE-009
    gate = state.gate
    if gate.fence_confirmed or event.epoch != gate.fence_epoch:
        return Refused(reason=Reason.STALE_EPOCH)
    flatten = state.machine.posture == Posture.HIBERNATE
    after = Gate(
        fence_epoch=gate.fence_epoch,
        fence_confirmed=True,
        slots=(
            behind_the_fence(gate.slots[0], flatten),
            behind_the_fence(gate.slots[1], flatten),
            behind_the_fence(gate.slots[2], flatten),
            behind_the_fence(gate.slots[3], flatten),
            behind_the_fence(gate.slots[4], flatten),
            behind_the_fence(gate.slots[5], flatten),
            behind_the_fence(gate.slots[6], flatten),
            behind_the_fence(gate.slots[7], flatten),
        ),
        reserved_notional=0,
        open_notional=gate.open_notional,
    )
    return Accepted(
        state=with_gate(state, after),
        effects=Effects(
            cancel_all_orders=False,
            flatten_positions=flatten and gate.open_notional > 0,
            issue_permit=False,
        ),
    )
