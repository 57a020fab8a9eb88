"""Lemmas about the eight slots, which the prover needs to be given.

Theory. Contracts are proved over opaque sums and conjunctions, or a solver unfolds eight slots for
each of them in every state. A lemma opens one of them once, and says what a change of one slot does
to it. Each is a function that returns True; what it says is its contract, and that is proved.

Rules of this file:

*   Contract text: no production code enters it; ``lemmas_answers.py`` names it for the prover.
*   A lemma is about a change that a handler makes to one slot.

Not here: all eight behind the fence (``lemmas_fence.py``), what holds (``invariants.py``), the
rules of a slot (``slotrules.py``). Spec module: Gate.
"""

from kernel.constants import Permit
from kernel.contract.ledger import permit_filled
from kernel.contract.slots import only_slot_moved, slot_is
from kernel.contracts import ensure_part, opaque, pure, require_part, reveal
from kernel.invariants import Inv, SilentBookIsBad, TwoImpairedSensorsHalve
from kernel.notional import notional
from kernel.slotrules import Rule, Share, claims_alone, every, share, slot_holds, sound, total
from kernel.slots import flat, open_of, reserved_of, unrealised_of
from kernel.state import Gate, Slot, Slots, State


@pure
@opaque
@ensure_part(lambda slot: reveal(slot_holds(slot, Rule.SOUND)) == sound(slot))
@ensure_part(
    lambda slot: (
        reveal(slot_holds(slot, Rule.FLATTENS))
        == (slot.quantity == 0 or slot.permit_kind == Permit.FLATTEN)
    )
)
@ensure_part(
    lambda slot: reveal(slot_holds(slot, Rule.NO_FLATTEN)) == (slot.permit_kind != Permit.FLATTEN)
)
@ensure_part(
    lambda slot: (
        reveal(slot_holds(slot, Rule.NO_WORKER_PERMIT))
        == (slot.permit_kind != Permit.ENTRY and slot.permit_kind != Permit.EXIT)
    )
)
@ensure_part(
    lambda slot: reveal(slot_holds(slot, Rule.NO_ENTRY)) == (slot.permit_kind != Permit.ENTRY)
)
@ensure_part(lambda result: result)
def rules_said(slot: Slot) -> bool:
    """What the rules of the invariant say of one slot."""
    return True


@pure
@opaque
@ensure_part(lambda slot: reveal(share(slot, Share.OPEN)) == open_of(slot))
@ensure_part(lambda slot: reveal(share(slot, Share.RESERVED)) == reserved_of(slot))
@ensure_part(lambda slot: reveal(share(slot, Share.UNREALISED)) == unrealised_of(slot))
@ensure_part(lambda result: result)
def shares_said(slot: Slot) -> bool:
    """What one slot contributes to each total."""
    return True


@pure
@opaque
@require_part(lambda worker: 0 <= worker <= 7)
@require_part(lambda before, worker, after: only_slot_moved(before, worker, after[worker], after))
@ensure_part(
    lambda before, worker, rule: not reveal(every(before, rule)) or slot_holds(before[worker], rule)
)
@ensure_part(
    lambda before, worker, after, rule: (
        not (reveal(every(before, rule)) and slot_holds(after[worker], rule))
        or reveal(every(after, rule))
    )
)
@ensure_part(lambda result: result)
def rule_kept(before: Slots, worker: int, after: Slots, rule: Rule) -> bool:
    """A rule that all eight keep is kept where the one that moved keeps it."""
    return True


@pure
@opaque
@require_part(lambda worker: 0 <= worker <= 7)
@require_part(lambda before, worker, after: only_slot_moved(before, worker, after[worker], after))
@ensure_part(
    lambda before, worker, after, of: (
        reveal(total(after, of))
        == reveal(total(before, of)) - share(before[worker], of) + share(after[worker], of)
    )
)
@ensure_part(lambda result: result)
def total_moved(before: Slots, worker: int, after: Slots, of: Share) -> bool:
    """A total moves by what the one that moved contributes."""
    return True


@pure
def pairs_differ(s: Slots) -> bool:
    """No two slots claim one instrument."""
    return (
        (s[0].instrument == 0 or others_differ(s, 0, s[0].instrument))
        and (s[1].instrument == 0 or others_differ(s, 1, s[1].instrument))
        and (s[2].instrument == 0 or others_differ(s, 2, s[2].instrument))
        and (s[3].instrument == 0 or others_differ(s, 3, s[3].instrument))
        and (s[4].instrument == 0 or others_differ(s, 4, s[4].instrument))
        and (s[5].instrument == 0 or others_differ(s, 5, s[5].instrument))
        and (s[6].instrument == 0 or others_differ(s, 6, s[6].instrument))
        and (s[7].instrument == 0 or others_differ(s, 7, s[7].instrument))
    )


@pure
def others_differ(s: Slots, worker: int, instrument: int) -> bool:
    """No other slot than the worker's claims the instrument."""
    return (
        (worker == 0 or s[0].instrument != instrument)
        and (worker == 1 or s[1].instrument != instrument)
        and (worker == 2 or s[2].instrument != instrument)
        and (worker == 3 or s[3].instrument != instrument)
        and (worker == 4 or s[4].instrument != instrument)
        and (worker == 5 or s[5].instrument != instrument)
        and (worker == 6 or s[6].instrument != instrument)
        and (worker == 7 or s[7].instrument != instrument)
    )


@pure
@opaque
@ensure_part(
    lambda s: (
        (
            reveal(claims_alone(s, 0))
            and reveal(claims_alone(s, 1))
            and reveal(claims_alone(s, 2))
            and reveal(claims_alone(s, 3))
            and reveal(claims_alone(s, 4))
            and reveal(claims_alone(s, 5))
            and reveal(claims_alone(s, 6))
        )
        == pairs_differ(s)
    )
)
@ensure_part(lambda result: result)
def claims_said(s: Slots) -> bool:
    """The seven of ``OneWorkerPerInstrument`` say it of all pairs."""
    return True


@pure
@opaque
@require_part(lambda worker: 0 <= worker <= 7)
@require_part(lambda before, worker, after: only_slot_moved(before, worker, after[worker], after))
@ensure_part(
    lambda before, worker, after: (
        not pairs_differ(before)
        or not (
            after[worker].instrument == 0
            or after[worker].instrument == before[worker].instrument
            or others_differ(before, worker, after[worker].instrument)
        )
        or pairs_differ(after)
    )
)
@ensure_part(lambda result: result)
def claim_kept(before: Slots, worker: int, after: Slots) -> bool:
    """Claims stay alone where the one that moved claims what it had, nothing, or what was free."""
    return True


@pure
@require_part(lambda worker: 0 <= worker <= 7)
@require_part(lambda before, worker, after: only_slot_moved(before, worker, after[worker], after))
@ensure_part(lambda result: result)
def one_slot(before: Slots, worker: int, after: Slots) -> bool:
    """All that follows where one slot moved."""
    return (
        rules_said(before[worker])
        and rules_said(after[worker])
        and shares_said(before[worker])
        and shares_said(after[worker])
        and rule_kept(before, worker, after, Rule.SOUND)
        and rule_kept(before, worker, after, Rule.FLATTENS)
        and rule_kept(before, worker, after, Rule.NO_FLATTEN)
        and rule_kept(before, worker, after, Rule.NO_WORKER_PERMIT)
        and rule_kept(before, worker, after, Rule.NO_ENTRY)
        and total_moved(before, worker, after, Share.OPEN)
        and total_moved(before, worker, after, Share.RESERVED)
        and total_moved(before, worker, after, Share.UNREALISED)
        and claims_said(before)
        and claims_said(after)
        and claim_kept(before, worker, after)
    )


@pure
@opaque
@ensure_part(lambda gate: not reveal(flat(gate)) or reveal(every(gate.slots, Rule.NO_FLATTEN)))
@ensure_part(lambda result: result)
def flat_said(gate: Gate) -> bool:
    """A gate that is flat has no flatten out."""
    return (
        rules_said(gate.slots[0])
        and rules_said(gate.slots[1])
        and rules_said(gate.slots[2])
        and rules_said(gate.slots[3])
        and rules_said(gate.slots[4])
        and rules_said(gate.slots[5])
        and rules_said(gate.slots[6])
        and rules_said(gate.slots[7])
    )


@pure
@opaque
@require_part(lambda lots, other_lots: lots >= 0 and other_lots >= 0)
@ensure_part(
    lambda lots, price, other_lots, other_price: (
        lots != other_lots
        or price != other_price
        or reveal(notional(lots, price)) == reveal(notional(other_lots, other_price))
    )
)
@ensure_part(lambda result: result)
def same_notional(lots: int, price: int, other_lots: int, other_price: int) -> bool:
    """Equal lots at equal prices come to the same: the prover compares objects, not numbers."""
    return True


@pure
@opaque
@require_part(
    lambda before, lots: 0 < lots <= before.permit_quantity or before.permit_quantity <= lots < 0
)
@require_part(
    lambda before, lots, after: slot_is(
        after, before.instrument, before.mark, before.quantity + lots, after.cost
    )
)
@require_part(lambda after: after.quantity != 0 or after.cost == 0)
@require_part(lambda before, lots, after: permit_filled(before, lots, after))
@ensure_part(lambda before, after: not sound(before) or sound(after))
@ensure_part(lambda result: result)
def fill_sound(before: Slot, lots: int, after: Slot) -> bool:
    """A sound slot is sound after a fill of its permit."""
    return True


@pure
@opaque
@ensure_part(lambda state: not Inv(state) or TwoImpairedSensorsHalve(state))
@ensure_part(lambda state: not Inv(state) or SilentBookIsBad(state))
@ensure_part(lambda result: result)
def the_rest_follows(state: State) -> bool:
    """The two invariants that ``Inv`` does not ask follow from those that it asks."""
    return True
