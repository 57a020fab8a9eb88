"""The lemmas that proofs of ``answers.py`` need, by event; for the prover only.

Rules of this file:

*   Contract text: no production code enters it. What it says is true of every answer; saying it is
    what makes a prover see what follows from it.
*   A lemma is asked only where what it requires holds; else there is nothing to say.

Not here: the lemmas (``lemmas.py``, ``lemmas_fence.py``). Spec module: Kernel.
"""

from kernel.constants import Posture
from kernel.contract.gate import price_of, slots_passed
from kernel.contract.ledger import permit_filled, signed_lots
from kernel.contract.lemmas import fill_sound, one_slot, same_notional
from kernel.contract.lemmas_fence import all_passed
from kernel.contract.slots import only_slot_moved, slot_is
from kernel.contracts import pure
from kernel.events import ReportFill, RequestOrder
from kernel.outcome import Accepted, Outcome, Refused
from kernel.ranges import fill_fits, order_fits
from kernel.state import State


@pure
def filled(before: State, event: ReportFill, outcome: Outcome) -> bool:
    """What follows for the slot that a permitted fill moved."""
    return isinstance(outcome, Refused) or slot_filled(before, event, outcome)


@pure
def slot_filled(before: State, event: ReportFill, answer: Accepted) -> bool:
    """The same, of the answer."""
    if not fill_fits(event):
        return True
    old = before.gate.slots[event.worker]
    new = answer.state.gate.slots[event.worker]
    lots = signed_lots(old, event)
    if not (0 < lots <= old.permit_quantity or old.permit_quantity <= lots < 0):
        return True
    if not slot_is(new, old.instrument, old.mark, old.quantity + lots, new.cost):
        return True
    if not ((new.quantity != 0 or new.cost == 0) and permit_filled(old, lots, new)):
        return True
    return fill_sound(old, lots, new)


@pure
def permit_priced(before: State, event: RequestOrder, outcome: Outcome) -> bool:
    """What follows for the room that a granted order takes."""
    return isinstance(outcome, Refused) or permit_slot_priced(before, event, outcome)


@pure
def permit_slot_priced(before: State, event: RequestOrder, answer: Accepted) -> bool:
    """The same, of the answer."""
    if not order_fits(event):
        return True
    new = answer.state.gate.slots[event.worker]
    price = price_of(before.gate.slots[event.worker], event)
    return same_notional(abs(new.permit_quantity), new.permit_price, event.quantity, price)


@pure
def moved_one(before: State, worker: int, outcome: Outcome) -> bool:
    """What follows from an accepted event that moved one worker's slot."""
    return isinstance(outcome, Refused) or moved_one_slot(before, worker, outcome)


@pure
def moved_one_slot(before: State, worker: int, answer: Accepted) -> bool:
    """The same, of the answer."""
    if not 0 <= worker <= 7:
        return True
    after = answer.state
    new = after.gate.slots[worker]
    if not only_slot_moved(before.gate.slots, worker, new, after.gate.slots):
        return True
    return one_slot(before.gate.slots, worker, after.gate.slots)


@pure
def moved_all(before: State, outcome: Outcome) -> bool:
    """What follows from an accepted event behind which all slots stand."""
    return isinstance(outcome, Refused) or moved_all_slots(before, outcome)


@pure
def moved_all_slots(before: State, answer: Accepted) -> bool:
    """The same, of the answer."""
    after = answer.state.gate.slots
    hibernates = before.machine.posture == Posture.HIBERNATE
    if not slots_passed(before.gate.slots, hibernates, after):
        return True
    return all_passed(before.gate.slots, hibernates, after)
