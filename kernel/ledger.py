"""The ledger: double-entry accounts in integers, and what is computed from them.

Theory. Four accounts sum to zero: ``cash`` (what is there), ``contributed`` (what was paid in, a
credit), ``realised_pnl`` (profit is a credit) and ``fees``. A position is not an account: its
``cost`` is the signed sum of lots times price over the fills since it was flat, and its profit at a
mark is ``quantity * mark - cost``, exact, with no division and no average price. It is booked when
the position reaches zero. Equity is cash and unrealised profit; the peak is the highest equity
seen; the drawdown is what is missing from the peak, rounded up, towards risk.

Rules of this file:

*   Cash moves only by a fill.
*   A fill that the kernel did not permit is a desync and kills; it is never half believed.
*   Whatever moves equity ends with ``settled_equity``: peak, drawdown, and the multiplier's fall.
*   Drawdown counts unrealised loss (design 3.4).

Not here: bytes, checksums and the chain of the ledger book (``traces/``): the kernel folds values
and is told of a mismatch by an event. Spec module: Ledger. Sources: specification I, II; bible 8.3.
"""

from kernel.constants import Permit
from kernel.contract.ledger import (
    books_compared,
    equity_settled,
    fill_judged,
    mark_judged,
    permit_filled,
    signed_lots,
    slot_moved,
)
from kernel.contract.slots import permit_is, slot_is
from kernel.contracts import ensure_part, require_part
from kernel.equity import drawdown
from kernel.events import ReconcileLedger, ReportFill, UpdateMark
from kernel.killswitch import desynchronised
from kernel.outcome import Accepted, Outcome, Reason, Refused
from kernel.parts import accepted, with_gate, with_ledger
from kernel.ranges import fill_fits
from kernel.slots import owner_of, quantities, unrealised_of, with_slot
from kernel.state import Ledger, Slot, State
from kernel.survival import lower, readings_in_range


@ensure_part(
    lambda ledger, profit, fee, unrealised_pnl, result: equity_settled(
        ledger, profit, fee, unrealised_pnl, result
    )
)
def settled_equity(ledger: Ledger, profit: int, fee: int, unrealised_pnl: int) -> Ledger:
    """Return the ledger with ``profit`` and ``fee`` booked, at marks giving ``unrealised_pnl``."""
    # KRN-LEDG-001, KRN-LEDG-007, KRN-LEDG-008, KRN-LEDG-012
    cash = ledger.cash + profit - fee
    peak = max(ledger.equity_peak, cash + unrealised_pnl)
    return Ledger(
        cash=cash,
        contributed=ledger.contributed,
        realised_pnl=ledger.realised_pnl - profit,
        fees=ledger.fees + fee,
        unrealised_pnl=unrealised_pnl,
        equity_peak=peak,
        drawdown_ppm=drawdown(peak, cash + unrealised_pnl),
    )


@require_part(lambda worker: 0 <= worker <= 7)
@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(
    lambda state, worker, slot, profit, fee, result: slot_moved(
        state, worker, slot, profit, fee, result
    )
)
def moved(state: State, worker: int, slot: Slot, profit: int, fee: int) -> State:
    """Return the state with one slot's position, mark or permit replaced and equity settled."""
    before = state.gate.slots[worker]
    unrealised = state.ledger.unrealised_pnl - unrealised_of(before) + unrealised_of(slot)
    after = with_gate(state, with_slot(state.gate, worker, slot))
    return lower(with_ledger(after, settled_equity(state.ledger, profit, fee, unrealised)))


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(lambda state, event, result: mark_judged(state, event, result))
def update_mark(state: State, event: UpdateMark) -> Outcome:  # KRN-LEDG-009, KRN-LEDG-010
    """Take the mark of a claimed instrument."""
    worker = owner_of(state.gate, event.instrument)
    if worker < 0:
        return Refused(reason=Reason.INSTRUMENT_NOT_CLAIMED)
    before = state.gate.slots[worker]
    slot = Slot(
        instrument=before.instrument,
        mark=event.price,
        quantity=before.quantity,
        cost=before.cost,
        permit_kind=before.permit_kind,
        permit_quantity=before.permit_quantity,
        permit_price=before.permit_price,
    )
    return accepted(moved(state, worker, slot, 0, 0))


@ensure_part(
    lambda slot, event, result: slot_is(
        result,
        slot.instrument,
        slot.mark,
        slot.quantity + signed_lots(slot, event),
        slot.cost + signed_lots(slot, event) * event.price,
    )
)
@ensure_part(lambda slot, event, result: permit_filled(slot, signed_lots(slot, event), result))
def filled(slot: Slot, event: ReportFill) -> Slot:  # KRN-LEDG-002, KRN-LEDG-003, KRN-LEDG-004
    """Return the slot after the fill, before a position that reached zero is booked."""
    lots = event.quantity if slot.permit_quantity > 0 else -event.quantity
    rest = slot.permit_quantity - lots
    return Slot(
        instrument=slot.instrument,
        mark=slot.mark,
        quantity=slot.quantity + lots,
        cost=slot.cost + lots * event.price,
        permit_kind=slot.permit_kind if rest != 0 else Permit.NONE,
        permit_quantity=rest,
        permit_price=slot.permit_price if rest != 0 else 0,
    )


@ensure_part(
    lambda slot, result: (
        slot_is(result, slot.instrument, slot.mark, slot.quantity, 0)
        and permit_is(result, slot.permit_kind, slot.permit_quantity, slot.permit_price)
    )
)
def without_cost(slot: Slot) -> Slot:
    """Return the slot with its cost booked away."""
    return Slot(
        instrument=slot.instrument,
        mark=slot.mark,
        quantity=slot.quantity,
        cost=0,
        permit_kind=slot.permit_kind,
        permit_quantity=slot.permit_quantity,
        permit_price=slot.permit_price,
    )


@require_part(lambda event: fill_fits(event))
@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(lambda state, event, result: fill_judged(state, event, result))
def report_fill(state: State, event: ReportFill) -> Accepted:
    """Book a fill of a permitted order; anything else is a desync."""
    # KRN-LEDG-005, KRN-LEDG-006, KRN-LEDG-007, KRN-LEDG-016, KRN-LEDG-017
    before = state.gate.slots[event.worker]
    if event.quantity > abs(before.permit_quantity):
        return desynchronised(state)
    slot = filled(before, event)
    if slot.quantity != 0:
        return accepted(moved(state, event.worker, slot, 0, event.fee))
    return accepted(moved(state, event.worker, without_cost(slot), -slot.cost, event.fee))


@ensure_part(lambda state, event, result: books_compared(state, event, result))
def reconcile_ledger(state: State, event: ReconcileLedger) -> Accepted:
    """Compare execution's view of cash and positions with the kernel's; a difference kills."""
    # KRN-LEDG-018, KRN-LEDG-019, KRN-LEDG-020
    if event.cash == state.ledger.cash and event.quantities == quantities(state.gate):
        return accepted(state)
    return desynchronised(state)
