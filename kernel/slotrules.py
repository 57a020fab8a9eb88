"""Invariants of one worker's slot, and of all eight.

Rules of this file:

*   A rule speaks of one slot; ``every`` asks it of all eight. A rule is named by a number
    (``Rule``), since the provers take no function as an argument.
*   ``total`` adds up what the slots contribute to a scalar of the gate or the ledger.

Not here: the invariants that use these (``invariants.py``). Spec module: Gate.
"""

from enum import IntEnum

from kernel.constants import INSTRUMENT_MAX, PRICE_MAX, QUANTITY_MAX, Permit
from kernel.contracts import opaque, pure, require_part
from kernel.ranges import within
from kernel.slots import open_of, reserved_of, unrealised_of
from kernel.state import Slot, Slots


class Rule(IntEnum):
    """The rules of a slot."""

    FLAT_HAS_NO_COST = 0
    NEEDS_CLAIM = 1
    REDUCES = 2
    ENTRY_AGREES = 3
    PERMIT_CONSISTENT = 4
    FLATTENS = 5
    NO_FLATTEN = 6
    NO_WORKER_PERMIT = 7
    NO_ENTRY = 8
    IN_RANGE = 9
    SOUND = 10
    FLATTEN_WHOLE = 11
    UNCLAIMED_UNMARKED = 12


class Share(IntEnum):
    """What a slot contributes to a total."""

    OPEN = 0
    RESERVED = 1
    UNREALISED = 2


@pure
def flat_has_no_cost(slot: Slot) -> bool:
    """A position of 0 lots has no cost."""
    return slot.quantity != 0 or slot.cost == 0


@pure
def needs_claim(slot: Slot) -> bool:
    """A position or a permit needs a claimed and marked instrument."""
    idle = slot.quantity == 0 and slot.permit_kind == Permit.NONE
    return idle or (slot.instrument > 0 and slot.mark > 0)


@pure
def reduces(slot: Slot) -> bool:
    """An exit or a flatten can neither grow nor flip the position."""
    if slot.permit_kind != Permit.EXIT and slot.permit_kind != Permit.FLATTEN:
        return True
    return -slot.quantity <= slot.permit_quantity < 0 or 0 < slot.permit_quantity <= -slot.quantity


@pure
def entry_agrees(slot: Slot) -> bool:
    """What is left of an entry has the side of what it has filled."""
    return (
        slot.permit_kind != Permit.ENTRY
        or (slot.permit_quantity >= 0 and slot.quantity >= 0)
        or (slot.permit_quantity <= 0 and slot.quantity <= 0)
    )


@pure
def permit_consistent(slot: Slot) -> bool:
    """No permit, no lots and no price; a permit has both."""
    none = slot.permit_kind == Permit.NONE
    return none == (slot.permit_quantity == 0) and none == (slot.permit_price == 0)


@pure
def flatten_whole(slot: Slot) -> bool:
    """A flatten is for the whole position."""
    return slot.permit_kind != Permit.FLATTEN or slot.permit_quantity == -slot.quantity


@pure
def slot_in_range(slot: Slot) -> bool:
    """Every field of a slot is in its range."""
    return (
        within(slot.instrument, 0, INSTRUMENT_MAX)
        and within(slot.mark, 0, PRICE_MAX)
        and within(slot.quantity, -QUANTITY_MAX, QUANTITY_MAX)
        and within(slot.permit_quantity, -QUANTITY_MAX, QUANTITY_MAX)
        and within(slot.permit_price, 0, PRICE_MAX)
        and abs(slot.quantity + slot.permit_quantity) <= QUANTITY_MAX
    )


@pure
def sound(slot: Slot) -> bool:
    """The rules that hold in every posture, at once; a slot that claims nothing is all zeros."""
    if slot.instrument == 0:
        return (
            slot.mark == 0
            and slot.quantity == 0
            and slot.cost == 0
            and slot.permit_kind == Permit.NONE
            and slot.permit_quantity == 0
            and slot.permit_price == 0
        )
    return (
        slot_in_range(slot)
        and flat_has_no_cost(slot)
        and needs_claim(slot)
        and reduces(slot)
        and entry_agrees(slot)
        and permit_consistent(slot)
        and flatten_whole(slot)
    )


@pure
@opaque
def slot_holds(slot: Slot, rule: Rule) -> bool:
    """Whether the slot keeps the rule."""
    if rule == Rule.SOUND:
        return sound(slot)
    if rule == Rule.FLAT_HAS_NO_COST:
        return flat_has_no_cost(slot)
    if rule == Rule.NEEDS_CLAIM:
        return needs_claim(slot)
    if rule == Rule.REDUCES:
        return reduces(slot)
    if rule == Rule.ENTRY_AGREES:
        return entry_agrees(slot)
    if rule == Rule.PERMIT_CONSISTENT:
        return permit_consistent(slot)
    if rule == Rule.FLATTENS:
        return slot.quantity == 0 or slot.permit_kind == Permit.FLATTEN
    if rule == Rule.NO_FLATTEN:
        return slot.permit_kind != Permit.FLATTEN
    if rule == Rule.NO_WORKER_PERMIT:
        return slot.permit_kind != Permit.ENTRY and slot.permit_kind != Permit.EXIT
    if rule == Rule.FLATTEN_WHOLE:
        return flatten_whole(slot)
    if rule == Rule.UNCLAIMED_UNMARKED:
        return slot.instrument != 0 or slot.mark == 0
    if rule == Rule.NO_ENTRY:
        return slot.permit_kind != Permit.ENTRY
    return slot_in_range(slot)


@pure
@opaque
def every(s: Slots, rule: Rule) -> bool:
    """Whether all eight slots keep the rule."""
    return (
        slot_holds(s[0], rule)
        and slot_holds(s[1], rule)
        and slot_holds(s[2], rule)
        and slot_holds(s[3], rule)
        and slot_holds(s[4], rule)
        and slot_holds(s[5], rule)
        and slot_holds(s[6], rule)
        and slot_holds(s[7], rule)
    )


@pure
@opaque
def share(slot: Slot, of: Share) -> int:
    """What the slot contributes, micro-USDT."""
    if of == Share.OPEN:
        return open_of(slot)
    if of == Share.RESERVED:
        return reserved_of(slot)
    return unrealised_of(slot)


@pure
@opaque
def total(s: Slots, of: Share) -> int:
    """What all eight slots contribute, micro-USDT."""
    return (
        share(s[0], of)
        + share(s[1], of)
        + share(s[2], of)
        + share(s[3], of)
        + share(s[4], of)
        + share(s[5], of)
        + share(s[6], of)
        + share(s[7], of)
    )


@pure
@opaque
@require_part(lambda worker: 0 <= worker <= 7)
def claims_alone(s: Slots, worker: int) -> bool:
    """No later slot claims the instrument of ``worker``'s."""
    own = s[worker]
    return own.instrument == 0 or (
        (worker >= 1 or s[1].instrument != own.instrument)
        and (worker >= 2 or s[2].instrument != own.instrument)
        and (worker >= 3 or s[3].instrument != own.instrument)
        and (worker >= 4 or s[4].instrument != own.instrument)
        and (worker >= 5 or s[5].instrument != own.instrument)
        and (worker >= 6 or s[6].instrument != own.instrument)
        and (worker >= 7 or s[7].instrument != own.instrument)
    )
