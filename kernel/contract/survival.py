"""What the survival controller's functions must do, field by field.

Rules of this file:

*   A predicate here is the whole effect of the function of the same noun in ``survival.py``: every
    field of the state after is said, what stays too. An invariant alone lets most mutants live.
*   What is computed elsewhere (what the sensors call for, how fast R may rise) comes in as a
    number, so that this file stands below the code it speaks about.
*   Groups that stay are compared whole; the prover reads that as "the same object".

Not here: the values (``survival.py``), what always holds (``invariants.py``). Spec module:
Survival.
"""

from kernel.contracts import pure
from kernel.state import Survival


@pure
def same_forewarner(a: Survival, b: Survival) -> bool:
    """Whether the forewarner's reading is the same."""
    return a.forewarner_status is b.forewarner_status and a.forewarner_age_ms is b.forewarner_age_ms


@pure
def same_book(a: Survival, b: Survival) -> bool:
    """Whether the book's reading is the same."""
    return (
        a.book_age_ms is b.book_age_ms
        and a.depth_quality_ppm is b.depth_quality_ppm
        and a.fill_probability_ppm is b.fill_probability_ppm
        and a.book_latency_ms is b.book_latency_ms
        and a.book_jitter_ms is b.book_jitter_ms
    )


@pure
def same_readings(a: Survival, b: Survival) -> bool:
    """Whether the two differ in the multiplier alone, if at all."""
    return same_forewarner(a, b) and same_book(a, b) and a.shock_age_ms is b.shock_age_ms


@pure
def multiplied(before: Survival, multiplier_ppm: int, after: Survival) -> bool:
    """Whether ``after`` is ``before`` with this multiplier."""
    return same_readings(before, after) and after.multiplier_ppm == multiplier_ppm


@pure
def lowered(before: Survival, called_for: int, after: Survival) -> bool:
    """Whether the multiplier fell to what is called for, where it was above it (fast attack)."""
    if before.multiplier_ppm > called_for:
        return after.multiplier_ppm == called_for
    return after.multiplier_ppm == before.multiplier_ppm


@pure
def readings_aged(
    before: Survival, forewarner: int, book: int, shock: int, after: Survival
) -> bool:
    """Whether the three sensors have these ages and nothing else of the readings moved."""
    return (
        after.forewarner_status is before.forewarner_status
        and after.forewarner_age_ms == forewarner
        and after.book_age_ms == book
        and after.shock_age_ms == shock
        and after.depth_quality_ppm is before.depth_quality_ppm
        and after.fill_probability_ppm is before.fill_probability_ppm
        and after.book_latency_ms is before.book_latency_ms
        and after.book_jitter_ms is before.book_jitter_ms
    )


@pure
def multiplier_after_bar(now: int, called_for: int, rise: int, after: Survival) -> bool:
    """Whether R went down at once or up by ``rise`` (slow recovery)."""
    if called_for <= now:
        return after.multiplier_ppm == called_for
    return after.multiplier_ppm == now + rise
