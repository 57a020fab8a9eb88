"""The kernel's state: seven frozen groups, one per part.

Rules of this file:

*   A field's name is the variable's name in the TLA+ modules and the column's in the journal.
*   State is immutable. A change is a new group, every field written out: the provers cannot follow
    ``dataclasses.replace``, and a reader sees what stays.
*   Ages, not instants: an age saturates, so the state space of the models is finite. The kernel
    computes them itself; no sender reports one.
*   Eight slots by worker (specification VIII MIG5), however many instruments: a worker has at most
    one position and one permit outstanding (bible 13.2: entries only when flat).

The meaning and the range of each field stand in docs/KERNEL.md. What always holds between them
stands in ``invariants.py``.
"""

from dataclasses import dataclass

from kernel.constants import Pending, Permit, Posture, Profile, Status

Ages = tuple[int, int, int, int]
Quantities = tuple[int, int, int, int, int, int, int, int]


@dataclass(frozen=True)
class Limits:
    """What a deployment fixes for a session. Never changes; stands in the journal's header."""

    profile: Profile
    live: bool
    grid_in_use: bool
    heartbeat_limit_ms: Ages
    cooling_ms: int
    confirm_window_ms: int
    bar_ms_min: int
    book_stale_ms: int


@dataclass(frozen=True)
class Clock:
    """The two clocks, ms. They never run backwards. The models see only differences."""

    process_time_ms: int
    market_time_ms: int


@dataclass(frozen=True)
class KillSwitch:
    """Category 1: causes, and the operator's request to lift them. Module KillSwitch."""

    heartbeat_age_ms: Ages
    grid_members: int
    latched_checksum: bool
    latched_desync: bool
    latched_operator: bool
    journal_writable: bool
    killed: bool
    operator_request: Pending
    operator_request_age_ms: int


@dataclass(frozen=True)
class Survival:
    """Categories 2 to 4 as last read, and the total risk multiplier. Module Survival."""

    forewarner_status: Status
    forewarner_age_ms: int
    book_age_ms: int
    shock_age_ms: int
    depth_quality_ppm: int
    fill_probability_ppm: int
    book_latency_ms: int
    book_jitter_ms: int
    multiplier_ppm: int


@dataclass(frozen=True)
class PostureMachine:
    """The committed posture and its hysteresis. Module Posture."""

    posture: Posture
    bars_below: int
    bars_above: int


@dataclass(frozen=True)
class Slot:
    """One worker's claim, position and permit. ``quantity`` and ``permit_quantity`` are signed."""

    instrument: int
    mark: int
    quantity: int
    cost: int
    permit_kind: Permit
    permit_quantity: int
    permit_price: int


Slots = tuple[Slot, Slot, Slot, Slot, Slot, Slot, Slot, Slot]


@dataclass(frozen=True)
class Gate:
    """The fence, the slots, and the two totals over them. Module Gate."""

    fence_epoch: int
    fence_confirmed: bool
    slots: Slots
    reserved_notional: int
    open_notional: int


@dataclass(frozen=True)
class Ledger:
    """Accounts (sum zero; credits are negative) and what is folded of them. Module Ledger."""

    cash: int
    contributed: int
    realised_pnl: int
    fees: int
    unrealised_pnl: int
    equity_peak: int
    drawdown_ppm: int


@dataclass(frozen=True)
class State:
    """All that the kernel knows."""

    clock: Clock
    killswitch: KillSwitch
    survival: Survival
    machine: PostureMachine
    gate: Gate
    ledger: Ledger
    limits: Limits


def empty_slot() -> Slot:
    """Return a slot that claims nothing."""
    return Slot(
        instrument=0,
        mark=0,
        quantity=0,
        cost=0,
        permit_kind=Permit.NONE,
        permit_quantity=0,
        permit_price=0,
    )


def opening_ledger(cash: int) -> Ledger:
    """Return the ledger of a first deposit, ``cash`` micro-USDT (1 .. ``CASH_MAX``)."""
    # KRN-INIT-003
    return Ledger(
        cash=cash,
        contributed=-cash,
        realised_pnl=0,
        fees=0,
        unrealised_pnl=0,
        equity_peak=cash,
        drawdown_ppm=0,
    )


def initial_state(
    limits: Limits, ledger: Ledger, process_time_ms: int, market_time_ms: int
) -> State:
    """Return the state a session opens with: HIBERNATE, multiplier 0, every sensor at its worst.

    Trust is earned, from the first bar. ``ledger`` is the last session's, flat
    (``unrealised_pnl`` 0), or ``opening_ledger``; the two times are the first readings of the two
    clocks, ms.
    """
    # KRN-INIT-001, KRN-INIT-002
    return State(
        clock=Clock(process_time_ms=process_time_ms, market_time_ms=market_time_ms),
        killswitch=KillSwitch(
            heartbeat_age_ms=(0, 0, 0, 0),
            grid_members=0,
            latched_checksum=False,
            latched_desync=False,
            latched_operator=False,
            journal_writable=True,
            killed=limits.grid_in_use,
            operator_request=Pending.NONE,
            operator_request_age_ms=0,
        ),
        survival=Survival(
            forewarner_status=Status.RED,
            forewarner_age_ms=0,
            book_age_ms=0,
            shock_age_ms=0,
            depth_quality_ppm=0,
            fill_probability_ppm=0,
            book_latency_ms=0,
            book_jitter_ms=0,
            multiplier_ppm=0,
        ),
        machine=PostureMachine(posture=Posture.HIBERNATE, bars_below=0, bars_above=0),
        gate=Gate(
            fence_epoch=0,
            fence_confirmed=False,
            slots=(
                empty_slot(),
                empty_slot(),
                empty_slot(),
                empty_slot(),
                empty_slot(),
                empty_slot(),
                empty_slot(),
                empty_slot(),
            ),
            reserved_notional=0,
            open_notional=0,
        ),
        ledger=ledger,
        limits=limits,
    )
