"""The eight workers' slots, and what each adds to the totals.

Rules of this file:

*   ``put`` is the only function that writes a slot; ``with_slot`` the only one that writes it into
    the gate, so the totals ``reserved_notional`` and ``open_notional`` are kept in one place. Its
    contract is the change of the totals.
*   No loop: eight is small, and the provers like it.

Not here: who may write what (``gate.py``, ``ledger.py``). Spec module: Gate.
"""

from kernel.constants import Permit
from kernel.contract.slots import (
    entry_notional,
    fence_advanced,
    flatten_issued,
    only_slot_moved,
    permit_freed,
    position_notional,
    slot_written,
    unclaimed,
)
from kernel.contracts import ensure_part, opaque, pure, require_part
from kernel.notional import notional, worth
from kernel.state import Gate, Quantities, Slot, Slots


@pure
@ensure_part(lambda slot, result: result == entry_notional(slot))
def reserved_of(slot: Slot) -> int:  # KRN-GATE-025
    """Return what the slot's entry permit reserves, micro-USDT."""
    if slot.permit_kind != Permit.ENTRY:
        return 0
    return notional(abs(slot.permit_quantity), slot.permit_price)


@pure
@ensure_part(lambda slot, result: result == position_notional(slot))
def open_of(slot: Slot) -> int:  # KRN-GATE-026
    """Return the notional of the slot's position at its mark, micro-USDT."""
    return notional(abs(slot.quantity), slot.mark)


@pure
def unrealised_of(slot: Slot) -> int:  # KRN-LEDG-011
    """Return the profit of the slot's position at its mark, micro-USDT, signed."""
    return worth(slot.quantity, slot.mark) - slot.cost


@pure
def slot_is_flat(slot: Slot) -> bool:
    """Return whether the slot has neither a position nor a permit."""
    return slot.quantity == 0 and slot.permit_kind == Permit.NONE


@pure
@opaque
def flat(gate: Gate) -> bool:
    """Return whether every slot is flat."""
    return (
        slot_is_flat(gate.slots[0])
        and slot_is_flat(gate.slots[1])
        and slot_is_flat(gate.slots[2])
        and slot_is_flat(gate.slots[3])
        and slot_is_flat(gate.slots[4])
        and slot_is_flat(gate.slots[5])
        and slot_is_flat(gate.slots[6])
        and slot_is_flat(gate.slots[7])
    )


@pure
def quantities(gate: Gate) -> Quantities:
    """Return the signed positions by worker, lots."""
    return (
        gate.slots[0].quantity,
        gate.slots[1].quantity,
        gate.slots[2].quantity,
        gate.slots[3].quantity,
        gate.slots[4].quantity,
        gate.slots[5].quantity,
        gate.slots[6].quantity,
        gate.slots[7].quantity,
    )


@pure
@opaque
@ensure_part(lambda result: -1 <= result <= 7)
@ensure_part(
    lambda gate, instrument, result: result < 0 or gate.slots[result].instrument == instrument
)
@ensure_part(lambda gate, instrument, result: (result < 0) == unclaimed(gate.slots, instrument))
def owner_of(gate: Gate, instrument: int) -> int:
    """Return the worker that claims the instrument, or -1."""
    if gate.slots[0].instrument == instrument:
        return 0
    if gate.slots[1].instrument == instrument:
        return 1
    if gate.slots[2].instrument == instrument:
        return 2
    if gate.slots[3].instrument == instrument:
        return 3
    if gate.slots[4].instrument == instrument:
        return 4
    if gate.slots[5].instrument == instrument:
        return 5
    if gate.slots[6].instrument == instrument:
        return 6
    if gate.slots[7].instrument == instrument:
        return 7
    return -1


@pure
@require_part(lambda worker: 0 <= worker <= 7)
@ensure_part(lambda slots, worker, slot, result: only_slot_moved(slots, worker, slot, result))
def put(slots: Slots, worker: int, slot: Slot) -> Slots:
    """Return the slots with one of them replaced."""
    return (
        slot if worker == 0 else slots[0],
        slot if worker == 1 else slots[1],
        slot if worker == 2 else slots[2],
        slot if worker == 3 else slots[3],
        slot if worker == 4 else slots[4],
        slot if worker == 5 else slots[5],
        slot if worker == 6 else slots[6],
        slot if worker == 7 else slots[7],
    )


@require_part(lambda worker: 0 <= worker <= 7)
@ensure_part(lambda gate, worker, slot, result: slot_written(gate, worker, slot, result))
def with_slot(gate: Gate, worker: int, slot: Slot) -> Gate:  # KRN-GATE-025, KRN-GATE-026
    """Return the gate with one slot replaced and the totals moved by the difference."""
    before = gate.slots[worker]
    return Gate(
        fence_epoch=gate.fence_epoch,
        fence_confirmed=gate.fence_confirmed,
        slots=put(gate.slots, worker, slot),
        reserved_notional=gate.reserved_notional - reserved_of(before) + reserved_of(slot),
        open_notional=gate.open_notional - open_of(before) + open_of(slot),
    )


@ensure_part(lambda gate, result: fence_advanced(gate, result))
def advance_fence(gate: Gate) -> Gate:  # KRN-FENCE-001, KRN-FENCE-002, KRN-FENCE-010
    """Return the gate in the next epoch. Permits stay: until confirmed, their orders may fill."""
    return Gate(
        fence_epoch=gate.fence_epoch + 1,
        fence_confirmed=False,
        slots=gate.slots,
        reserved_notional=gate.reserved_notional,
        open_notional=gate.open_notional,
    )


@ensure_part(lambda slot, result: permit_freed(slot, result))
def without_permit(slot: Slot) -> Slot:
    """Return the slot with its permit freed."""
    return Slot(
        instrument=slot.instrument,
        mark=slot.mark,
        quantity=slot.quantity,
        cost=slot.cost,
        permit_kind=Permit.NONE,
        permit_quantity=0,
        permit_price=0,
    )


@ensure_part(lambda slot, result: flatten_issued(slot, result))
def with_flatten(slot: Slot) -> Slot:  # KRN-FENCE-006
    """Return the slot with a flatten permit for its whole position (freed when it has none)."""
    if slot.quantity == 0:
        return without_permit(slot)
    return Slot(
        instrument=slot.instrument,
        mark=slot.mark,
        quantity=slot.quantity,
        cost=slot.cost,
        permit_kind=Permit.FLATTEN,
        permit_quantity=-slot.quantity,
        permit_price=slot.mark,
    )
