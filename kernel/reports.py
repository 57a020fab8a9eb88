"""Sensor reports: forewarner, order book, shock. Each can lower the multiplier at once.

Rules of this file:

*   A report replaces the reading and sets its age to 0; then ``lower`` takes R down to what the
    sensors now call for (fast attack). No report ever raises R.
*   A report is never refused: its range was judged before (``ranges.py``).
*   Each handler's effect stands above it, every field of the state after. An invariant alone lets
    most mutants live.

Not here: ages (``aged``, when a bar closes), what the readings call for (``survival.py``). Spec
module: Survival. Sources: bible 9.3, 11.2 and 12.
"""

from kernel.constants import Status
from kernel.contract.reports import (
    attacked,
    book_reported,
    forewarner_reported,
    shock_reported,
    status_is,
)
from kernel.contracts import ensure_part, pure, require_part
from kernel.events import ReportBook, ReportForewarner, ReportShock
from kernel.outcome import Accepted
from kernel.parts import accepted, with_survival
from kernel.ranges import book_fits
from kernel.state import State, Survival
from kernel.survival import lower, readings_in_range


@pure
@ensure_part(lambda status, result: status_is(result, status))
def status_of(status: int) -> Status:
    """Return the status an event's integer names (0 OK, 1 ORANGE, else RED)."""
    if status == 0:
        return Status.OK
    if status == 1:
        return Status.ORANGE
    return Status.RED


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(lambda state, event, result: forewarner_reported(state, event, result))
@ensure_part(lambda state, result: attacked(state, result))
def report_forewarner(state: State, event: ReportForewarner) -> Accepted:  # KRN-SURV-034
    """Take a fresh forewarner assessment."""
    before = state.survival
    reading = Survival(
        forewarner_status=status_of(event.status),
        forewarner_age_ms=0,
        book_age_ms=before.book_age_ms,
        shock_age_ms=before.shock_age_ms,
        depth_quality_ppm=before.depth_quality_ppm,
        fill_probability_ppm=before.fill_probability_ppm,
        book_latency_ms=before.book_latency_ms,
        book_jitter_ms=before.book_jitter_ms,
        multiplier_ppm=before.multiplier_ppm,
    )
    return accepted(lower(with_survival(state, reading)))


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@require_part(lambda event: book_fits(event))
@ensure_part(lambda state, event, result: book_reported(state, event, result))
@ensure_part(lambda state, result: attacked(state, result))
def report_book(state: State, event: ReportBook) -> Accepted:  # KRN-SURV-035
    """Take a fresh reading of the order book."""
    before = state.survival
    reading = Survival(
        forewarner_status=before.forewarner_status,
        forewarner_age_ms=before.forewarner_age_ms,
        book_age_ms=0,
        shock_age_ms=before.shock_age_ms,
        depth_quality_ppm=event.depth_quality_ppm,
        fill_probability_ppm=event.fill_probability_ppm,
        book_latency_ms=event.latency_ms,
        book_jitter_ms=event.jitter_ms,
        multiplier_ppm=before.multiplier_ppm,
    )
    return accepted(lower(with_survival(state, reading)))


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(lambda state, result: shock_reported(state, result))
@ensure_part(lambda state, result: attacked(state, result))
def report_shock(state: State, event: ReportShock) -> Accepted:  # KRN-SURV-036
    """Take a shock: the environment factor is at its least from now."""
    before = state.survival
    reading = Survival(
        forewarner_status=before.forewarner_status,
        forewarner_age_ms=before.forewarner_age_ms,
        book_age_ms=before.book_age_ms,
        shock_age_ms=0,
        depth_quality_ppm=before.depth_quality_ppm,
        fill_probability_ppm=before.fill_probability_ppm,
        book_latency_ms=before.book_latency_ms,
        book_jitter_ms=before.book_jitter_ms,
        multiplier_ppm=before.multiplier_ppm,
    )
    return accepted(lower(with_survival(state, reading)))
