"""The kernel's inputs: twenty-two events.

Rules of this file:

*   An event's class name is the TLA+ action's name and the journal's ``"event"``.
*   Imperatives: an event asks, the kernel answers. Frozen, integers and booleans only.
*   Events carry what was observed, not what follows from it: no ages, notionals or drawdowns.
*   An event may say anything; ``step`` judges the ranges and answers ``MALFORMED``. So the shell
    hands over what a hostile partition sent without judging it first.

The order below is the order of docs/KERNEL.md: time, sensors, orders, execution, the operator, the
kernel's own shell.
"""

from dataclasses import dataclass

from kernel.state import Quantities


class Event:
    """Base of all events; has no fields (the prover drops inherited ones)."""


@dataclass(frozen=True)
class AdvanceTime(Event):
    """Process time, stamped by the kernel's shell each millisecond."""

    process_time_ms: int


@dataclass(frozen=True)
class CloseBar(Event):
    """A bar of market time closed (driver's channel alone)."""

    market_time_ms: int


@dataclass(frozen=True)
class RecordHeartbeat(Event):
    """A watched partition is alive."""

    partition: int


@dataclass(frozen=True)
class ReportGrid(Event):
    """How many members the data grid has."""

    members: int


@dataclass(frozen=True)
class ReportForewarner(Event):
    """A fresh MC-Forewarner assessment (bible 12): 0 OK, 1 ORANGE, 2 RED."""

    status: int


@dataclass(frozen=True)
class ReportBook(Event):
    """A fresh reading of the order book (bible 9.3; specification VI.1 category 3)."""

    depth_quality_ppm: int
    fill_probability_ppm: int
    latency_ms: int
    jitter_ms: int


@dataclass(frozen=True)
class ReportShock(Event):
    """An exogenous shock: a DVOL spike or a taker ratio crash."""


@dataclass(frozen=True)
class UpdateMark(Event):
    """The mark price of an instrument, micro-USDT per lot."""

    instrument: int
    price: int


@dataclass(frozen=True)
class ClaimInstrument(Event):
    """A worker claims an instrument (0 releases)."""

    worker: int
    instrument: int


@dataclass(frozen=True)
class RequestOrder(Event):
    """A worker asks for a permit. ``side`` is +1 or -1; ``limit_price`` is 0 iff ``market``."""

    worker: int
    instrument: int
    side: int
    reduce_only: bool
    market: bool
    quantity: int
    limit_price: int
    leverage_ppm: int


@dataclass(frozen=True)
class ReportFill(Event):
    """Execution filled part of a worker's permitted order; ``quantity`` is unsigned."""

    worker: int
    quantity: int
    price: int
    fee: int


@dataclass(frozen=True)
class CloseOrder(Event):
    """A worker's permitted order is over, its remainder unfilled."""

    worker: int


@dataclass(frozen=True)
class ConfirmFence(Event):
    """The guard: no order of an older epoch can reach the venue any more."""

    epoch: int


@dataclass(frozen=True)
class ReconcileLedger(Event):
    """Execution's own view of the cash and of every position."""

    cash: int
    quantities: Quantities


@dataclass(frozen=True)
class TripKillSwitch(Event):
    """Kill, with an integrity cause (``constants.Cause``)."""

    cause: int
    operator: int
    reason: int


@dataclass(frozen=True)
class RequestRearm(Event):
    """First step of the re-arm."""

    operator: int
    reason: int


@dataclass(frozen=True)
class ConfirmRearm(Event):
    """Second step of the re-arm, after the cooling time."""

    operator: int
    reason: int


@dataclass(frozen=True)
class RequestPeakReset(Event):
    """First step of the reset of the equity peak."""

    operator: int
    reason: int


@dataclass(frozen=True)
class ConfirmPeakReset(Event):
    """Second step of the reset of the equity peak."""

    operator: int
    reason: int


@dataclass(frozen=True)
class FailJournal(Event):
    """The shell could not write the journal."""


@dataclass(frozen=True)
class RestoreJournal(Event):
    """The shell can write the journal again."""


@dataclass(frozen=True)
class RestartKernel(Event):
    """The kernel's process came up on a journal that was in use."""
