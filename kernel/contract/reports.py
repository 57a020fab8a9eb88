"""What a sensor's report must do, field by field.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   It stands below the code that it speaks about and above ``survival.py``.

Not here: what the readings call for (``survival.py``). Spec module: Survival.
"""

from kernel.constants import Status
from kernel.contract.outcome import effects_are
from kernel.contract.parts import same_but_survival
from kernel.contract.survival import lowered, same_book, same_forewarner
from kernel.contracts import pure, require_part
from kernel.events import ReportBook, ReportForewarner
from kernel.outcome import Accepted
from kernel.state import State
from kernel.survival import readings_in_range, target


@pure
def only_readings(before: State, answer: Accepted) -> bool:
    """Whether nothing but the survival readings moved, and the shell has nothing to do."""
    return same_but_survival(before, answer.state) and effects_are(
        answer.effects, False, False, False
    )


@pure
def status_is(status: Status, named: int) -> bool:
    """Whether the status is the one an event's integer names; neither 0 nor 1 is RED."""
    if named == 0:
        return status == Status.OK
    if named == 1:
        return status == Status.ORANGE
    return status == Status.RED


@pure
@require_part(lambda answer: readings_in_range(answer.state.survival, answer.state.ledger))
def attacked(before: State, answer: Accepted) -> bool:
    """Whether R fell to what the sensors now call for, where it was above it."""
    return lowered(before.survival, target(answer.state), answer.state.survival)


@pure
def forewarner_reported(before: State, event: ReportForewarner, answer: Accepted) -> bool:
    """The effect of ``ReportForewarner``, the multiplier left out."""
    now = answer.state.survival
    return (
        only_readings(before, answer)
        and status_is(now.forewarner_status, event.status)
        and now.forewarner_age_ms == 0
        and same_book(before.survival, now)
        and now.shock_age_ms is before.survival.shock_age_ms
    )


@pure
def book_reported(before: State, event: ReportBook, answer: Accepted) -> bool:
    """The effect of ``ReportBook``, the multiplier left out."""
    now = answer.state.survival
    return (
        only_readings(before, answer)
        and same_forewarner(before.survival, now)
        and now.book_age_ms == 0
        and now.depth_quality_ppm == event.depth_quality_ppm
        and now.fill_probability_ppm == event.fill_probability_ppm
        and now.book_latency_ms == event.latency_ms
        and now.book_jitter_ms == event.jitter_ms
        and now.shock_age_ms is before.survival.shock_age_ms
    )


@pure
def shock_reported(before: State, answer: Accepted) -> bool:
    """The effect of ``ReportShock``, the multiplier left out."""
    now = answer.state.survival
    return (
        only_readings(before, answer)
        and same_forewarner(before.survival, now)
        and same_book(before.survival, now)
        and now.shock_age_ms == 0
    )
