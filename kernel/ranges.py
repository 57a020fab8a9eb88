"""Ranges of the fields of events.

Rules of this file:

*   One predicate per event that has fields; ``step`` asks it before anything else, and what fails
    is ``MALFORMED`` in every posture.
*   Ranges are the constants' (``constants.py``), so the models' and the journal's widths hold for
    whatever a hostile partition sends.

Not here: any judgement that reads the state. Spec module: Kernel (the first guard of a verdict).
"""

from kernel.constants import (
    CASH_MAX,
    FEE_MAX,
    GRID_MEMBERS_MAX,
    INSTRUMENT_MAX,
    LATENCY_MS_MAX,
    LEVERAGE_PPM_MAX,
    OPERATOR_MAX,
    PARTITIONS,
    PPM,
    PRICE_MAX,
    QUANTITY_MAX,
    REASON_MAX,
    TIME_MS_MAX,
    WORKERS,
    Cause,
)
from kernel.contracts import pure
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ReconcileLedger,
    RecordHeartbeat,
    ReportBook,
    ReportFill,
    ReportForewarner,
    ReportGrid,
    RequestOrder,
    TripKillSwitch,
    UpdateMark,
)


@pure
def within(value: int, least: int, most: int) -> bool:
    """Return whether ``least <= value <= most``."""
    # KRN-RNG-019
    return least <= value <= most


@pure
def time_fits(event: AdvanceTime) -> bool:
    """Return whether the reading of the process clock is in range."""
    # KRN-RNG-001
    return within(event.process_time_ms, 0, TIME_MS_MAX)


@pure
def bar_fits(event: CloseBar) -> bool:
    """Return whether the reading of the market clock is in range."""
    # KRN-RNG-002
    return within(event.market_time_ms, 0, TIME_MS_MAX)


@pure
def heartbeat_fits(event: RecordHeartbeat) -> bool:
    """Return whether the partition exists."""
    # KRN-RNG-003
    return within(event.partition, 0, PARTITIONS - 1)


@pure
def grid_fits(event: ReportGrid) -> bool:
    """Return whether the member count is in range."""
    # KRN-RNG-004
    return within(event.members, 0, GRID_MEMBERS_MAX)


@pure
def forewarner_fits(event: ReportForewarner) -> bool:
    """Return whether the status exists."""
    # KRN-RNG-005
    return within(event.status, 0, 2)


@pure
def book_fits(event: ReportBook) -> bool:
    """Return whether the book's readings are in range."""
    # KRN-RNG-006
    return (
        within(event.depth_quality_ppm, 0, PPM)
        and within(event.fill_probability_ppm, 0, PPM)
        and within(event.latency_ms, 0, LATENCY_MS_MAX)
        and within(event.jitter_ms, 0, LATENCY_MS_MAX)
    )


@pure
def mark_fits(event: UpdateMark) -> bool:
    """Return whether the mark is in range."""
    # KRN-RNG-007
    return within(event.instrument, 1, INSTRUMENT_MAX) and within(event.price, 1, PRICE_MAX)


@pure
def claim_fits(event: ClaimInstrument) -> bool:
    """Return whether worker and instrument exist."""
    # KRN-RNG-008
    return within(event.worker, 0, WORKERS - 1) and within(event.instrument, 0, INSTRUMENT_MAX)


@pure
def order_fits(event: RequestOrder) -> bool:
    """Return whether an order's fields are in range and agree with each other."""
    # KRN-RNG-009, KRN-RNG-010, KRN-RNG-011
    return (
        within(event.worker, 0, WORKERS - 1)
        and within(event.instrument, 1, INSTRUMENT_MAX)
        and (event.side == 1 or event.side == -1)
        and within(event.quantity, 1, QUANTITY_MAX)
        and within(event.limit_price, 0, PRICE_MAX)
        and event.market == (event.limit_price == 0)
        and within(event.leverage_ppm, 1, LEVERAGE_PPM_MAX)
    )


@pure
def fill_fits(event: ReportFill) -> bool:
    """Return whether a fill's fields are in range."""
    # KRN-RNG-012
    return (
        within(event.worker, 0, WORKERS - 1)
        and within(event.quantity, 1, QUANTITY_MAX)
        and within(event.price, 1, PRICE_MAX)
        and within(event.fee, 0, FEE_MAX)
    )


@pure
def closing_fits(event: CloseOrder) -> bool:
    """Return whether the worker exists."""
    # KRN-RNG-013
    return within(event.worker, 0, WORKERS - 1)


@pure
def view_fits(event: ReconcileLedger) -> bool:
    """Return whether execution's view is in range."""
    # KRN-RNG-014
    return within(event.cash, -CASH_MAX, CASH_MAX)


@pure
def act_fits(operator: int, reason: int) -> bool:
    """Return whether an operator's act names who and why."""
    # KRN-RNG-016
    return within(operator, 1, OPERATOR_MAX) and within(reason, 0, REASON_MAX)


@pure
def trip_fits(event: TripKillSwitch) -> bool:
    """Return whether the cause exists. The shell itself is operator 0."""
    # KRN-RNG-015
    return (
        within(event.cause, int(Cause.CHECKSUM), int(Cause.OPERATOR))
        and within(event.operator, 0, OPERATOR_MAX)
        and within(event.reason, 0, REASON_MAX)
    )
