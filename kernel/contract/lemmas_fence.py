"""Lemmas about all eight slots at once: what holds of them behind the fence.

Theory. ``ConfirmFence`` frees every slot's permit or puts a flatten in its place. One slot first
(``one_passed``), then each thing that is said of all eight, by itself: small questions.

Rules of this file:

*   Contract text: no production code enters it. ``lemmas_answers.py`` names it for the prover.

Not here: a change of one slot (``lemmas.py``). Spec module: Gate.
"""

from kernel.contract.gate import slot_passed, slots_passed
from kernel.contract.lemmas import rules_said, shares_said
from kernel.contracts import ensure_part, opaque, pure, require_part, reveal
from kernel.slotrules import Rule, Share, claims_alone, every, share, slot_holds, total
from kernel.state import Slot, Slots


@pure
@opaque
@require_part(lambda before, flatten, after: slot_passed(before, flatten, after))
@ensure_part(
    lambda before, after: (
        not slot_holds(before, Rule.SOUND)
        or (
            slot_holds(after, Rule.SOUND)
            and slot_holds(after, Rule.NO_WORKER_PERMIT)
            and slot_holds(after, Rule.NO_ENTRY)
        )
    )
)
@ensure_part(lambda flatten, after: not flatten or slot_holds(after, Rule.FLATTENS))
@ensure_part(lambda flatten, after: flatten or slot_holds(after, Rule.NO_FLATTEN))
@ensure_part(
    lambda before, after: (
        share(after, Share.OPEN) == share(before, Share.OPEN)
        and share(after, Share.UNREALISED) == share(before, Share.UNREALISED)
        and share(after, Share.RESERVED) == 0
        and after.instrument == before.instrument
    )
)
@ensure_part(lambda result: result)
def one_passed(before: Slot, flatten: bool, after: Slot) -> bool:
    """What follows for one slot behind the fence."""
    return rules_said(before) and rules_said(after) and shares_said(before) and shares_said(after)


@pure
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(lambda result: result)
def each_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """What follows for each of the eight, said of each."""
    return (
        one_passed(before[0], flatten, after[0])
        and one_passed(before[1], flatten, after[1])
        and one_passed(before[2], flatten, after[2])
        and one_passed(before[3], flatten, after[3])
        and one_passed(before[4], flatten, after[4])
        and one_passed(before[5], flatten, after[5])
        and one_passed(before[6], flatten, after[6])
        and one_passed(before[7], flatten, after[7])
    )


@pure
@opaque
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(
    lambda before, after: not reveal(every(before, Rule.SOUND)) or reveal(every(after, Rule.SOUND))
)
@ensure_part(lambda result: result)
def soundness_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """Sound slots are sound behind the fence."""
    return each_passed(before, flatten, after)


@pure
@opaque
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(
    lambda before, after: (
        not reveal(every(before, Rule.SOUND)) or reveal(every(after, Rule.NO_WORKER_PERMIT))
    )
)
@ensure_part(
    lambda before, after: (
        not reveal(every(before, Rule.SOUND)) or reveal(every(after, Rule.NO_ENTRY))
    )
)
@ensure_part(lambda result: result)
def permits_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """No worker's permit is out behind the fence."""
    return each_passed(before, flatten, after)


@pure
@opaque
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(lambda flatten, after: not flatten or reveal(every(after, Rule.FLATTENS)))
@ensure_part(lambda flatten, after: flatten or reveal(every(after, Rule.NO_FLATTEN)))
@ensure_part(lambda result: result)
def flattens_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """Behind the fence every position has its flatten, or none has."""
    return each_passed(before, flatten, after)


@pure
@opaque
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(
    lambda before, after: (
        reveal(total(after, Share.OPEN)) == reveal(total(before, Share.OPEN))
        and reveal(total(after, Share.UNREALISED)) == reveal(total(before, Share.UNREALISED))
        and reveal(total(after, Share.RESERVED)) == 0
    )
)
@ensure_part(lambda result: result)
def totals_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """The totals behind the fence: nothing is reserved, the rest stays."""
    return each_passed(before, flatten, after)


@pure
@opaque
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 0)) == reveal(claims_alone(before, 0))
)
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 1)) == reveal(claims_alone(before, 1))
)
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 2)) == reveal(claims_alone(before, 2))
)
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 3)) == reveal(claims_alone(before, 3))
)
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 4)) == reveal(claims_alone(before, 4))
)
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 5)) == reveal(claims_alone(before, 5))
)
@ensure_part(
    lambda before, after: reveal(claims_alone(after, 6)) == reveal(claims_alone(before, 6))
)
@ensure_part(lambda result: result)
def claims_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """Claims stay as they are behind the fence."""
    return each_passed(before, flatten, after)


@pure
@require_part(lambda before, flatten, after: slots_passed(before, flatten, after))
@ensure_part(lambda result: result)
def all_passed(before: Slots, flatten: bool, after: Slots) -> bool:
    """All that follows behind the fence."""
    return (
        soundness_passed(before, flatten, after)
        and permits_passed(before, flatten, after)
        and flattens_passed(before, flatten, after)
        and totals_passed(before, flatten, after)
        and claims_passed(before, flatten, after)
    )
