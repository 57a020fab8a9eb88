"""Every message between two processes of a session: its class, its fields, who says it to whom.

Rules of this file:

*   A message is a frozen class with exactly these fields, of exactly these types (``codec`` refuses
    the rest). Numbers are integers of 64 bits; where a float stands, a strategy's reading is
    carried, and nothing of level A reads it. A missing reading is None, never NaN.
*   Kernel events keep the kernel's own names and fields. Two things differ on the wire: an operator
    says words (``who``, ``why``), which the shell turns into the event's numbers; and an order's
    facts are one ``Order``, which request, permit, guard and venue share.
*   Whether a value makes sense is not judged here: that is the kernel's, the guard's, the venue's.
*   The unions at the end say what may come in on each kind of path. Which of it a role may say is
    another question (``dolphin/shell/roles.py``).

Units as in the kernel: ppm, micro-USDT, ms, lots. Not here: bytes (``codec``), events (``events``),
the permit's MAC (``permit``). A test holds that TLA+ action, event, message and journal record have
one vocabulary (``tests/dolphin/link/test_events.py``).
"""

from typing import Annotated

from msgspec import Meta

from dolphin.link.codec import Codec, Integer, Message, Number, Part

WORKERS = 8
WORDS_MAX = 400
TEXT_MAX = 1_000

Name = Annotated[str, Meta(max_length=100)]
Words = Annotated[str, Meta(max_length=WORDS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Mac = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Key = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Quantities = tuple[Integer, Integer, Integer, Integer, Integer, Integer, Integer, Integer]
Workers = Annotated[tuple[Integer, ...], Meta(max_length=WORKERS)]

# --- an order -------------------------------------------------------------------------------------


class Order(Part):
    """An order's facts. ``side`` is +1 or -1; ``limit_price`` is 0 iff ``market``."""

    worker: Integer
    instrument: Integer
    side: Integer
    reduce_only: bool
    market: bool
    quantity: Integer
    limit_price: Integer
    leverage_ppm: Integer


class Permit(Part):
    """One order that may pass, once, until CLOCK_MONOTONIC reads ``expires_ns``.

    ``kind`` is ``kernel.constants.Permit``.
    """

    permit_id: Integer
    epoch: Integer
    order: Order
    kind: Integer
    expires_ns: Integer


class Token(Part):
    """A permit as it is carried: with its MAC (``dolphin/link/permit.py``)."""

    permit: Permit
    mac: Mac


# --- kernel events: to the kernel -----------------------------------------------------------------


class AdvanceTime(Message):
    """The shell's own; on no path (as are the journal's two, and the restart)."""

    process_time_ms: Integer


class CloseBar(Message):
    """``show``: the answer is to carry the status after."""

    market_time_ms: Integer
    show: bool = False


class RecordHeartbeat(Message):
    """As the kernel's event."""

    partition: Integer


class ReportGrid(Message):
    """As the kernel's event."""

    members: Integer


class ReportForewarner(Message):
    """As the kernel's event."""

    status: Integer


class ReportBook(Message):
    """As the kernel's event."""

    depth_quality_ppm: Integer
    fill_probability_ppm: Integer
    latency_ms: Integer
    jitter_ms: Integer


class ReportShock(Message):
    """As the kernel's event."""


class UpdateMark(Message):
    """As the kernel's event."""

    instrument: Integer
    price: Integer


class ClaimInstrument(Message):
    """As the kernel's event."""

    worker: Integer
    instrument: Integer


class RequestOrder(Message):
    """As the kernel's event, whose fields are those of ``order``."""

    order: Order


class ReportFill(Message):
    """As the kernel's event."""

    worker: Integer
    quantity: Integer
    price: Integer
    fee: Integer


class CloseOrder(Message):
    """As the kernel's event."""

    worker: Integer


class ConfirmFence(Message):
    """As the kernel's event."""

    epoch: Integer


class ReconcileLedger(Message):
    """As the kernel's event."""

    cash: Integer
    quantities: Quantities


class TripKillSwitch(Message):
    """As the kernel's event, with an operator's words."""

    cause: Integer
    who: Words
    why: Words


class RequestRearm(Message):
    """As the kernel's event, with an operator's words."""

    who: Words
    why: Words


class ConfirmRearm(Message):
    """As the kernel's event, with an operator's words."""

    who: Words
    why: Words


class RequestPeakReset(Message):
    """As the kernel's event, with an operator's words."""

    who: Words
    why: Words


class ConfirmPeakReset(Message):
    """As the kernel's event, with an operator's words."""

    who: Words
    why: Words


class FailJournal(Message):
    """As the kernel's event."""


class RestoreJournal(Message):
    """As the kernel's event."""


class RestartKernel(Message):
    """As the kernel's event."""


# --- other questions to the kernel, and its answers -----------------------------------------------


class AskStatus(Message):
    """What is the state?"""


class AskAccount(Message):
    """What happened so far? (The operator's to ask.)"""


class Slot(Part):
    """A worker's slot. ``permit_kind`` is ``kernel.constants.Permit``."""

    instrument: Integer
    mark: Integer
    quantity: Integer
    cost: Integer
    permit_kind: Integer


class Status(Part):
    """The kernel's state as it is shown (``dolphin/shell/snapshot.py``). Slots by worker."""

    market_time_ms: Integer
    process_time_ms: Integer
    posture: Integer
    effective: Integer
    multiplier_ppm: Integer
    target_ppm: Integer
    cat1_ppm: Integer
    structural_ppm: Integer
    micro_ppm: Integer
    environment_ppm: Integer
    capital_ppm: Integer
    killed: bool
    causes: tuple[Name, ...]
    operator_request: Integer
    operator_request_age_ms: Integer
    journal_writable: bool
    fence_epoch: Integer
    fence_confirmed: bool
    flat: bool
    ceiling: Integer
    cash: Integer
    equity: Integer
    capital: Integer
    equity_peak: Integer
    drawdown_ppm: Integer
    fees: Integer
    open_notional: Integer
    reserved_notional: Integer
    slots: tuple[Slot, ...]


class Accepted(Message):
    """The kernel took the event, or did what was asked.

    ``unwritten``: the record waits for a journal that fails. ``permit`` answers an order.
    """

    unwritten: bool = False
    permit: Token | None = None
    status: Status | None = None


class Refused(Message):
    """It did not: ``reason`` is one of a fixed vocabulary, ``detail`` what was expected."""

    reason: Name
    detail: Text = ""


class StatusShown(Message):
    """The answer to ``AskStatus``."""

    status: Status


class AccountShown(Message):
    """The answer to ``AskAccount``: counts by name, and the causes that kills had so far."""

    counts: dict[Name, Integer]
    refusals: dict[Name, Integer]
    kill_causes: tuple[Name, ...]


# --- the kernel to the guard ----------------------------------------------------------------------


class Hello(Message):
    """Where things stand. Permits below ``floor`` are of before this guard's time."""

    epoch: Integer
    fence_confirmed: bool
    floor: Integer
    outstanding: Workers


class CancelAll(Message):
    """The fence advances to ``epoch``."""

    epoch: Integer


class Flatten(Message):
    """The kernel's own orders, one for each position."""

    permits: Annotated[tuple[Token, ...], Meta(max_length=WORKERS)]


class Issued(Message):
    """A worker was given this permit."""

    permit: Token


# --- workers and the guard ------------------------------------------------------------------------


class PresentPermit(Message):
    """A worker has its order sent."""

    permit: Token


class Passed(Message):
    """The order is at the venue."""

    order_id: Integer


class OrderOver(Message):
    """An order of the worker's has ended, ``left`` lots of it unfilled."""

    order_id: Integer
    left: Integer


# --- the guard and the venue ----------------------------------------------------------------------


class Login(Message):
    """Nothing is heard before it."""

    key: Key


class Submit(Message):
    """An order for the book, under its permit's number."""

    order_id: Integer
    order: Order


class EndOrders(Message):
    """End every order, then say so: ``sequence`` and ``close`` come back."""

    sequence: Integer
    close: Workers = ()


class AskBooks(Message):
    """What are the cash and the positions?"""


class Filled(Message):
    """Part of an order filled."""

    order_id: Integer
    worker: Integer
    quantity: Integer
    price: Integer
    fee: Integer


class OrderEnded(Message):
    """An order is over; every fill of it was told before."""

    order_id: Integer


class OrdersEnded(Message):
    """The answer to ``EndOrders``."""

    sequence: Integer
    close: Workers = ()


class Books(Message):
    """The answer to ``AskBooks``."""

    cash: Integer
    quantities: Quantities


# --- the driver and whom it feeds -----------------------------------------------------------------


class SetPrices(Message):
    """To the venue: the closes of a bar, micro-USDT per lot, by instrument; gaps are left out."""

    bar: Number
    prices: dict[Integer, Integer]


class PlayBar(Message):
    """To a worker: a bar's closes in USDT by symbol, None in a gap.

    ``past``: it fills the memory of a process that came up anew, and wants no answer.
    ``wind_down``: the session ends soon; positions are to be closed.
    """

    bar: Number
    market_time_ms: Integer
    closes: tuple[float | None, ...]
    past: bool = False
    wind_down: bool = False


class BarDone(Message):
    """A bar is worked. What answers one is this and a reading."""

    bar: Number


class AlphaDone(BarDone):
    """The alpha's answer to a bar: its reading, what it asked for and why, and what came of it."""

    vel_div: float | None = None
    lambda_max: tuple[float | None, ...] = ()
    signals: Integer | None = None
    watch: tuple[Integer, ...] = ()
    asked: Name = ""
    why: Text = ""
    answer: Text = ""


class SensorsDone(BarDone):
    """The sensors' answer to a bar."""

    forewarner_status: Integer
    book_silent: bool
    shock: bool


class EsofDone(BarDone):
    """The esoteric factors' answer to a bar."""

    lunar_illumination: float
    lunar_age_days: float
    day_sin: float
    week_sin: float


class Progress(Message):
    """To the runner: bars played so far, of all."""

    bar: Integer
    of: Integer
    posture: Integer
    equity: Integer


class SessionEnd(Message):
    """To the runner: no more bars are played. To the driver: play no more."""


# --- what may come in, by path --------------------------------------------------------------------

Said = (
    AdvanceTime | CloseBar | RecordHeartbeat | ReportGrid | ReportForewarner | ReportBook
    | ReportShock | UpdateMark | ClaimInstrument | RequestOrder | ReportFill | CloseOrder
    | ConfirmFence | ReconcileLedger | TripKillSwitch | RequestRearm | ConfirmRearm
    | RequestPeakReset | ConfirmPeakReset | FailJournal | RestoreJournal | RestartKernel
)  # fmt: skip
Spoken = TripKillSwitch | RequestRearm | ConfirmRearm | RequestPeakReset | ConfirmPeakReset
ToKernel = Said | AskStatus | AskAccount
Answer = Accepted | Refused | StatusShown | AccountShown
ToGuard = Hello | CancelAll | Flatten | Issued | Accepted | Refused
ToVenue = Login | Submit | EndOrders | AskBooks
FromVenue = Filled | OrderEnded | OrdersEnded | Books
FromGuard = Passed | Refused | OrderOver | Accepted

TO_KERNEL: Codec[ToKernel] = Codec(ToKernel)
KERNEL_ANSWERS: Codec[Answer] = Codec(Answer)
TO_GUARD: Codec[ToGuard] = Codec(ToGuard)
TO_VENUE: Codec[ToVenue] = Codec(ToVenue)
FROM_VENUE: Codec[FromVenue] = Codec(FromVenue)
FROM_WORKERS_TO_GUARD: Codec[PresentPermit] = Codec(PresentPermit)
FROM_GUARD: Codec[FromGuard] = Codec(FromGuard)
FROM_DRIVER_TO_VENUE: Codec[SetPrices] = Codec(SetPrices)
VENUE_ANSWERS: Codec[Accepted | Refused] = Codec(Accepted | Refused)
BARS: Codec[PlayBar] = Codec(PlayBar)
FROM_ALPHA: Codec[AlphaDone] = Codec(AlphaDone)
FROM_SENSORS: Codec[SensorsDone] = Codec(SensorsDone)
FROM_ESOF: Codec[EsofDone] = Codec(EsofDone)
TO_RUNNER: Codec[Progress | SessionEnd] = Codec(Progress | SessionEnd)
FROM_RUNNER: Codec[SessionEnd] = Codec(SessionEnd)
