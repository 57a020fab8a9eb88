"""What the order gate must judge and do, guard by guard and field by field.

Rules of this file:

*   A judgement is read from its verdict: for each verdict, which guards passed and which failed. So
    every reason has its exact condition, and 0 has the whole of what an order needs.
*   Signs are compared, not multiplied: a reduction is an order against the position's side.
*   The bounds (capital, ceiling) come in as numbers, so that this file stands below the code.

Not here: the judgement itself (``gate.py``), what always holds (``invariants.py``). Spec module:
Gate.
"""

from kernel.constants import FRACTION_DIVISOR, PPM, Permit, Posture
from kernel.contract.outcome import effects_are, refused_as
from kernel.contract.parts import same_but_gate
from kernel.contract.slots import (
    flatten_issued,
    permit_freed,
    permit_is,
    same_holding,
    slot_is,
    slot_written,
)
from kernel.contracts import pure, require_part
from kernel.events import ClaimInstrument, CloseOrder, ConfirmFence, RequestOrder
from kernel.notional import leveraged, notional
from kernel.outcome import Accepted, Outcome, Reason
from kernel.ranges import claim_fits, closing_fits, order_fits
from kernel.slots import owner_of
from kernel.state import Ledger, Slot, Slots, State


@pure
def is_gate_reason(verdict: int) -> bool:
    """Whether the verdict is the number of a reason that ``request_verdict`` gives."""
    return (
        verdict == int(Reason.INSTRUMENT_NOT_CLAIMED)
        or verdict == int(Reason.POSITION_OPEN)
        or verdict == int(Reason.PERMIT_OUTSTANDING)
        or verdict == int(Reason.FENCE_UNCONFIRMED)
        or verdict == int(Reason.NO_MARK)
        or verdict == int(Reason.NOTHING_TO_REDUCE)
        or verdict == int(Reason.WOULD_GROW)
        or verdict == int(Reason.WOULD_FLIP)
        or verdict == int(Reason.POSTURE_FORBIDS_ENTRY)
        or verdict == int(Reason.LIMIT_ONLY)
        or verdict == int(Reason.LEVERAGE_ABOVE_CEILING)
        or verdict == int(Reason.NOTIONAL_ABOVE_FRACTION)
        or verdict == int(Reason.EXPOSURE_ABOVE_CEILING)
    )


@pure
def capital_right(ledger: Ledger, capital: int) -> bool:
    """Whether ``capital`` is cash less any unrealised loss, 0 at least."""
    after_loss = ledger.cash if ledger.unrealised_pnl >= 0 else ledger.cash + ledger.unrealised_pnl
    return (after_loss > 0 and capital == after_loss) or (after_loss <= 0 and capital == 0)


@pure
def against(slot: Slot, event: RequestOrder) -> bool:
    """Whether the order's side is against the position's."""
    return (slot.quantity > 0 and event.side < 0) or (slot.quantity < 0 and event.side > 0)


@pure
def within_position(slot: Slot, event: RequestOrder) -> bool:
    """Whether the order's lots are at most the position's."""
    return event.quantity <= slot.quantity or event.quantity <= -slot.quantity


@pure
def reduction_judged(slot: Slot, event: RequestOrder, verdict: int) -> bool:
    """Whether a reduce-only order got the verdict it must."""
    if verdict == int(Reason.NOTHING_TO_REDUCE):
        return slot.quantity == 0
    if verdict == int(Reason.WOULD_GROW):
        return slot.quantity != 0 and not against(slot, event)
    if verdict == int(Reason.WOULD_FLIP):
        return against(slot, event) and not within_position(slot, event)
    return verdict == 0 and against(slot, event) and within_position(slot, event)


@pure
def may_enter(posture: Posture, limit_only: bool, slot: Slot, event: RequestOrder) -> bool:
    """Whether the posture lets a flat slot enter with such an order."""
    return (
        slot.quantity == 0
        and (posture == Posture.STALKER or posture == Posture.APEX)
        and not (limit_only and event.market)
    )


@pure
def price_of(slot: Slot, event: RequestOrder) -> int:
    """Return the price the reservation is taken at, the higher one, micro-USDT."""
    if slot.mark > event.limit_price:
        return slot.mark
    return event.limit_price


@pure
@require_part(lambda event: order_fits(event))
def entry_judged(
    posture: Posture,
    limit_only: bool,
    slot: Slot,
    event: RequestOrder,
    exposure: int,
    capital: int,
    ceiling: int,
    verdict: int,
) -> bool:
    """Whether an entry got the verdict it must; ``exposure`` is what is open and reserved."""
    enters = may_enter(posture, limit_only, slot, event)
    leverage_fits = ceiling * PPM >= event.leverage_ppm
    asked = notional(event.quantity, price_of(slot, event))
    bound = leveraged(capital, ceiling)
    fraction_fits = bound // FRACTION_DIVISOR >= asked
    if verdict == int(Reason.POSITION_OPEN):
        return slot.quantity != 0
    if verdict == int(Reason.POSTURE_FORBIDS_ENTRY):
        return slot.quantity == 0 and posture <= Posture.TURTLE
    if verdict == int(Reason.LIMIT_ONLY):
        return slot.quantity == 0 and posture > Posture.TURTLE and limit_only and event.market
    if verdict == int(Reason.LEVERAGE_ABOVE_CEILING):
        return enters and not leverage_fits
    if verdict == int(Reason.NOTIONAL_ABOVE_FRACTION):
        return enters and leverage_fits and not fraction_fits
    if verdict == int(Reason.EXPOSURE_ABOVE_CEILING):
        return enters and leverage_fits and fraction_fits and bound < exposure + asked
    return verdict == 0 and enters and leverage_fits and fraction_fits and exposure + asked <= bound


@pure
@require_part(lambda event: order_fits(event))
def permit_issued(before: State, event: RequestOrder, answer: Accepted) -> bool:
    """The effect of an accepted ``RequestOrder``: the permit in its slot, its notional reserved."""
    old = before.gate.slots[event.worker]
    new = answer.state.gate.slots[event.worker]
    return (
        same_but_gate(before, answer.state)
        and slot_written(before.gate, event.worker, new, answer.state.gate)
        and same_holding(old, new)
        and permit_is(
            new,
            Permit.EXIT if event.reduce_only else Permit.ENTRY,
            event.quantity if event.side == 1 else -event.quantity,
            price_of(old, event),
        )
        and effects_are(answer.effects, False, False, True)
    )


@pure
@require_part(lambda event: order_fits(event))
def order_judged(before: State, event: RequestOrder, verdict: int, outcome: Outcome) -> bool:
    """The answer to ``RequestOrder`` once its verdict is known."""
    if verdict != 0:
        return refused_as(outcome, verdict)
    return isinstance(outcome, Accepted) and permit_issued(before, event, outcome)


@pure
@require_part(lambda event: claim_fits(event))
def claim_reason(before: State, event: ClaimInstrument) -> int:
    """Return why the claim is refused, 0 if it is not."""
    slot = before.gate.slots[event.worker]
    owner = owner_of(before.gate, event.instrument)
    if slot.permit_kind != Permit.NONE:
        return int(Reason.PERMIT_OUTSTANDING)
    if slot.quantity < 0 or slot.quantity > 0:
        return int(Reason.POSITION_OPEN)
    if event.instrument > 0 and owner >= 0 and owner != event.worker:
        return int(Reason.INSTRUMENT_OWNED)
    return 0


@pure
@require_part(lambda event: claim_fits(event))
def claim_taken(before: State, event: ClaimInstrument, answer: Accepted) -> bool:
    """The effect of an accepted ``ClaimInstrument``; the mark stays where the claim does."""
    old = before.gate.slots[event.worker]
    new = answer.state.gate.slots[event.worker]
    return (
        same_but_gate(before, answer.state)
        and slot_written(before.gate, event.worker, new, answer.state.gate)
        and slot_is(
            new, event.instrument, 0 if event.instrument != old.instrument else old.mark, 0, 0
        )
        and permit_is(new, Permit.NONE, 0, 0)
        and effects_are(answer.effects, False, False, False)
    )


@pure
@require_part(lambda event: claim_fits(event))
def claim_judged(before: State, event: ClaimInstrument, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``ClaimInstrument``."""
    if claim_reason(before, event) != 0:
        return refused_as(outcome, claim_reason(before, event))
    return isinstance(outcome, Accepted) and claim_taken(before, event, outcome)


@pure
def flattens_again(before: State, slot: Slot) -> bool:
    """Whether an order that is over leaves a position that HIBERNATE flattens again."""
    return not (
        slot.quantity == 0
        or before.machine.posture != Posture.HIBERNATE
        or not before.gate.fence_confirmed
    )


@pure
@require_part(lambda event: closing_fits(event))
def order_closed(before: State, event: CloseOrder, answer: Accepted) -> bool:
    """The effect of an accepted ``CloseOrder``."""
    old = before.gate.slots[event.worker]
    new = answer.state.gate.slots[event.worker]
    return (
        same_but_gate(before, answer.state)
        and slot_written(before.gate, event.worker, new, answer.state.gate)
        and (flatten_issued(old, new) if flattens_again(before, old) else permit_freed(old, new))
        and effects_are(answer.effects, False, flattens_again(before, old), False)
    )


@pure
@require_part(lambda event: closing_fits(event))
def closing_judged(before: State, event: CloseOrder, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``CloseOrder``."""
    slot = before.gate.slots[event.worker]
    if slot.permit_kind == Permit.NONE:
        return refused_as(outcome, int(Reason.NO_PERMIT))
    return isinstance(outcome, Accepted) and order_closed(before, event, outcome)


@pure
def slot_passed(before: Slot, flatten: bool, after: Slot) -> bool:
    """Whether a slot's older permit is gone, with a flatten in its place if ``flatten``."""
    if flatten:
        return flatten_issued(before, after)
    return permit_freed(before, after)


@pure
def slots_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """Whether all eight slots are behind the fence."""
    return (
        slot_passed(before[0], flatten, after[0])
        and slot_passed(before[1], flatten, after[1])
        and slot_passed(before[2], flatten, after[2])
        and slot_passed(before[3], flatten, after[3])
        and slot_passed(before[4], flatten, after[4])
        and slot_passed(before[5], flatten, after[5])
        and slot_passed(before[6], flatten, after[6])
        and slot_passed(before[7], flatten, after[7])
    )


@pure
def fence_passed(before: State, answer: Accepted) -> bool:
    """The effect of an accepted ``ConfirmFence``."""
    gate = answer.state.gate
    hibernating = before.machine.posture == Posture.HIBERNATE
    return (
        same_but_gate(before, answer.state)
        and gate.fence_epoch == before.gate.fence_epoch
        and gate.fence_confirmed
        and slots_passed(before.gate.slots, hibernating, gate.slots)
        and gate.reserved_notional == 0
        and gate.open_notional == before.gate.open_notional
        and effects_are(answer.effects, False, hibernating and before.gate.open_notional > 0, False)
    )


@pure
def fence_judged(before: State, event: ConfirmFence, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``ConfirmFence``."""
    if before.gate.fence_confirmed or event.epoch != before.gate.fence_epoch:
        return refused_as(outcome, int(Reason.STALE_EPOCH))
    return isinstance(outcome, Accepted) and fence_passed(before, outcome)


@pure
@require_part(lambda event: order_fits(event))
def verdict_right(state: State, event: RequestOrder, judged: int, verdict: int) -> bool:
    """Whether an order got the verdict it must; ``judged`` is that of its kind."""
    slot = state.gate.slots[event.worker]
    behind = state.gate.fence_confirmed
    claimed = behind and event.instrument == slot.instrument
    free = claimed and slot.permit_kind == Permit.NONE
    if verdict == int(Reason.FENCE_UNCONFIRMED):
        return not behind
    if verdict == int(Reason.INSTRUMENT_NOT_CLAIMED):
        return behind and not claimed
    if verdict == int(Reason.PERMIT_OUTSTANDING):
        return claimed and not free
    if verdict == int(Reason.NO_MARK):
        return free and slot.mark == 0
    return free and slot.mark != 0 and verdict == judged
