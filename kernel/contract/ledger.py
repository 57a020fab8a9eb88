"""What the ledger's functions must do, field by field.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   It stands below the code that it speaks about and above ``equity.py``.

Not here: what always holds (``invariants.py``). Spec module: Ledger.
"""

from kernel.constants import Permit
from kernel.contract.killswitch import desync_latched, killed_right
from kernel.contract.outcome import effects_are, refused_as
from kernel.contract.slots import permit_is, slot_is, slot_written
from kernel.contract.survival import lowered, same_readings
from kernel.contracts import pure, require_part
from kernel.equity import drawdown, equity
from kernel.events import ReconcileLedger, ReportFill, UpdateMark
from kernel.outcome import Accepted, Outcome, Reason
from kernel.ranges import fill_fits
from kernel.slots import owner_of, unrealised_of
from kernel.state import Ledger, Slot, State
from kernel.survival import readings_in_range, target


@pure
def equity_settled(
    before: Ledger, profit: int, fee: int, unrealised_pnl: int, after: Ledger
) -> bool:
    """Return whether profit and fee are booked, and peak and drawdown follow equity."""
    return (
        after.cash == before.cash + profit - fee
        and after.contributed == before.contributed
        and after.realised_pnl == before.realised_pnl - profit
        and after.fees == before.fees + fee
        and after.unrealised_pnl == unrealised_pnl
        and after.equity_peak
        == (equity(after) if equity(after) > before.equity_peak else before.equity_peak)
        and after.drawdown_ppm == drawdown(after.equity_peak, equity(after))
    )


@pure
@require_part(lambda worker: 0 <= worker <= 7)
def slot_moved(before: State, worker: int, slot: Slot, profit: int, fee: int, after: State) -> bool:
    """Return whether one slot moved, and totals, equity and multiplier moved with it."""
    gained = unrealised_of(slot) - unrealised_of(before.gate.slots[worker])
    return (
        after.clock is before.clock
        and after.killswitch is before.killswitch
        and after.machine is before.machine
        and after.limits is before.limits
        and slot_written(before.gate, worker, slot, after.gate)
        and equity_settled(
            before.ledger, profit, fee, before.ledger.unrealised_pnl + gained, after.ledger
        )
        and same_readings(before.survival, after.survival)
        and readings_in_range(after.survival, after.ledger)
        and lowered(before.survival, target(after), after.survival)
    )


@pure
@require_part(lambda worker: 0 <= worker <= 7)
def marked(before: State, worker: int, price: int, answer: Accepted) -> bool:
    """The effect of an accepted ``UpdateMark``."""
    old = before.gate.slots[worker]
    new = answer.state.gate.slots[worker]
    return (
        slot_moved(before, worker, new, 0, 0, answer.state)
        and slot_is(new, old.instrument, price, old.quantity, old.cost)
        and permit_is(new, old.permit_kind, old.permit_quantity, old.permit_price)
        and effects_are(answer.effects, False, False, False)
    )


@pure
def mark_judged(before: State, event: UpdateMark, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``UpdateMark``."""
    worker = owner_of(before.gate, event.instrument)
    if worker == -1:
        return refused_as(outcome, int(Reason.INSTRUMENT_NOT_CLAIMED))
    return isinstance(outcome, Accepted) and marked(before, worker, event.price, outcome)


@pure
def signed_lots(slot: Slot, event: ReportFill) -> int:
    """Return the fill's lots with the permit's sign."""
    return -event.quantity if slot.permit_quantity <= 0 else event.quantity


@pure
def permit_filled(before: Slot, lots: int, after: Slot) -> bool:
    """Return whether the permit is down by the lots, and gone where none are left."""
    if before.permit_quantity == lots:
        return permit_is(after, Permit.NONE, 0, 0)
    return permit_is(after, before.permit_kind, before.permit_quantity - lots, before.permit_price)


@pure
@require_part(lambda event: fill_fits(event))
def fill_booked(before: State, event: ReportFill, answer: Accepted) -> bool:
    """The effect of a fill that was permitted; at zero lots the profit is booked."""
    old = before.gate.slots[event.worker]
    new = answer.state.gate.slots[event.worker]
    lots = signed_lots(old, event)
    cost = old.cost + lots * event.price
    closed = old.quantity + lots == 0
    return (
        slot_moved(before, event.worker, new, -cost if closed else 0, event.fee, answer.state)
        and slot_is(new, old.instrument, old.mark, old.quantity + lots, 0 if closed else cost)
        and permit_filled(old, lots, new)
        and effects_are(answer.effects, False, False, False)
    )


@pure
@require_part(lambda event: fill_fits(event))
def fill_judged(before: State, event: ReportFill, answer: Accepted) -> bool:
    """The effect of ``ReportFill``: booked where it was permitted, else a desync."""
    old = before.gate.slots[event.worker]
    if old.permit_quantity >= event.quantity or -old.permit_quantity >= event.quantity:
        return fill_booked(before, event, answer)
    return killed_right(answer) and desync_latched(before, answer)


@pure
def books_agree(state: State, event: ReconcileLedger) -> bool:
    """Return whether execution holds the same cash and the same positions."""
    return (
        state.ledger.cash == event.cash
        and state.gate.slots[0].quantity == event.quantities[0]
        and state.gate.slots[1].quantity == event.quantities[1]
        and state.gate.slots[2].quantity == event.quantities[2]
        and state.gate.slots[3].quantity == event.quantities[3]
        and state.gate.slots[4].quantity == event.quantities[4]
        and state.gate.slots[5].quantity == event.quantities[5]
        and state.gate.slots[6].quantity == event.quantities[6]
        and state.gate.slots[7].quantity == event.quantities[7]
    )


@pure
def books_compared(before: State, event: ReconcileLedger, answer: Accepted) -> bool:
    """The effect of ``ReconcileLedger``: none where the books agree, else a desync."""
    if books_agree(before, event):
        return answer.state is before and effects_are(answer.effects, False, False, False)
    return killed_right(answer) and desync_latched(before, answer)
