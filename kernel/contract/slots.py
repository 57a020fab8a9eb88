"""What is written into a slot, and what the totals do then.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   It stands below the code that it speaks about.

Not here: who may write what (``gate.py``, ``ledger.py``). Spec module: Gate.
"""

from kernel.constants import Permit
from kernel.contracts import pure, require_part
from kernel.notional import notional
from kernel.state import Gate, Slot, Slots


@pure
def entry_notional(slot: Slot) -> int:
    """What an entry permit reserves, micro-USDT."""
    if slot.permit_kind != Permit.ENTRY:
        return 0
    return notional(abs(slot.permit_quantity), slot.permit_price)


@pure
def position_notional(slot: Slot) -> int:
    """What a position is at its mark, micro-USDT."""
    return notional(abs(slot.quantity), slot.mark)


@pure
def same_holding(a: Slot, b: Slot) -> bool:
    """Whether the two slots differ in their permit alone, if at all."""
    return (
        a.instrument is b.instrument
        and a.mark is b.mark
        and a.quantity is b.quantity
        and a.cost is b.cost
    )


@pure
def permit_is(slot: Slot, kind: Permit, quantity: int, price: int) -> bool:
    """Whether the slot's permit is this one."""
    return (
        slot.permit_kind == kind and slot.permit_quantity == quantity and slot.permit_price == price
    )


@pure
def slot_is(slot: Slot, instrument: int, mark: int, quantity: int, cost: int) -> bool:
    """Whether the slot's claim, mark and position are these."""
    return (
        slot.instrument == instrument
        and slot.mark == mark
        and slot.quantity == quantity
        and slot.cost == cost
    )


@pure
def unclaimed(slots: Slots, instrument: int) -> bool:
    """Whether no slot claims the instrument."""
    return (
        slots[0].instrument != instrument
        and slots[1].instrument != instrument
        and slots[2].instrument != instrument
        and slots[3].instrument != instrument
        and slots[4].instrument != instrument
        and slots[5].instrument != instrument
        and slots[6].instrument != instrument
        and slots[7].instrument != instrument
    )


@pure
def only_slot_moved(before: Slots, worker: int, slot: Slot, after: Slots) -> bool:
    """Whether ``after`` is ``before`` with ``slot`` at ``worker`` and nothing else moved."""
    return (
        after[0] is (slot if worker == 0 else before[0])
        and after[1] is (slot if worker == 1 else before[1])
        and after[2] is (slot if worker == 2 else before[2])
        and after[3] is (slot if worker == 3 else before[3])
        and after[4] is (slot if worker == 4 else before[4])
        and after[5] is (slot if worker == 5 else before[5])
        and after[6] is (slot if worker == 6 else before[6])
        and after[7] is (slot if worker == 7 else before[7])
    )


@pure
def same_fence(a: Gate, b: Gate) -> bool:
    """Whether the two gates have the same fence."""
    return a.fence_epoch == b.fence_epoch and a.fence_confirmed == b.fence_confirmed


@pure
@require_part(lambda worker: 0 <= worker <= 7)
def slot_written(before: Gate, worker: int, slot: Slot, after: Gate) -> bool:
    """Whether ``after`` is ``before`` with one slot replaced and the totals moved with it."""
    old = before.slots[worker]
    return (
        same_fence(before, after)
        and only_slot_moved(before.slots, worker, slot, after.slots)
        and after.reserved_notional
        == before.reserved_notional - entry_notional(old) + entry_notional(slot)
        and after.open_notional
        == before.open_notional - position_notional(old) + position_notional(slot)
    )


@pure
def fence_advanced(before: Gate, after: Gate) -> bool:
    """Whether ``after`` is ``before`` in the next epoch, unconfirmed, and nothing else moved."""
    return (
        after.fence_epoch == before.fence_epoch + 1
        and not after.fence_confirmed
        and after.slots is before.slots
        and after.reserved_notional == before.reserved_notional
        and after.open_notional == before.open_notional
    )


@pure
def permit_freed(before: Slot, after: Slot) -> bool:
    """Whether ``after`` is ``before`` without its permit."""
    return same_holding(before, after) and permit_is(after, Permit.NONE, 0, 0)


@pure
def flatten_issued(before: Slot, after: Slot) -> bool:
    """Whether ``after`` is ``before`` with a flatten for its whole position, if it has one."""
    if before.quantity == 0:
        return permit_freed(before, after)
    return same_holding(before, after) and permit_is(
        after, Permit.FLATTEN, -before.quantity, before.mark
    )
