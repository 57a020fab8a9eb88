"""Records as text that a TLA+ module can hold and TLC can read quickly.

Theory. Reading a module costs TLC about 10 µs and 1.6 kB per number it contains, whatever the
number is for; a string costs that once, however long it is. So a record is one string of digits in
base 32, and ``TraceKernel.tla`` takes it apart with ``SubSeq``: 100,000 records are 100,000 tokens.

    row     kind 1 | verdict 1 | effects 1 | fits 1 | 17 offsets of 2 | parameters | changed groups
    start   the 17 groups of a whole state, in order

An offset 0 says that the group is unchanged. A chunk is a start and the rows after it: the model
goes through it as one behaviour, and through many chunks in one run. That is sound because the
journal claims every state whole (design 5).

Rules of this file:

*   What the modules abstract is judged here, in ``Mapper``: the clocks move as the event says; an
    event's field that no module reads is in its range (``fits``). docs/KERNEL.md, "Scope".
*   A claimed value outside its variable's type is no state of the model: ``NotAState``.
*   A parameter outside 32 bits is clamped to a value that is out of its range as well, so that the
    verdict is the same.
*   Nothing here asks the kernel what is right.

Not here: how a number is written, which columns a group has (``layout``). Spec module: TraceKernel,
whose header holds the table of what is mapped to what.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kernel.constants import (
    AGE_MS_MAX,
    CASH_MAX,
    FEE_MAX,
    GRID_MEMBERS_MAX,
    INSTRUMENT_MAX,
    LATENCY_MS_MAX,
    OPERATOR_MAX,
    PPM,
    PRICE_MAX,
    QUANTITY_MAX,
    REASON_MAX,
    TIME_MS_MAX,
)
from traces.audit.layout import (
    GROUP_OF,
    GROUPS,
    HEAD_BYTES,
    OFFSET_BYTES,
    BeyondModel,
    money,
    signed_8,
    unsigned_1,
    unsigned_2,
)
from traces.codec import EventRecord
from traces.schema import COLUMNS


class NotAState(Exception):
    """A record claims a value that no state of the model has; the message names it."""


PROCESS, MARKET = 0, 1  # the two columns that no group has


def group_text(group: int, row: list[int]) -> str:
    """Return a group of a state's row as text. Raises ``NotAState`` and ``BeyondModel``."""
    parts = []
    for cell in GROUPS[group].cells:
        value = row[cell.code]
        if not cell.least <= value <= cell.most:
            span = f"{cell.least}..{cell.most}"
            raise NotAState(f"{cell.name} is {value}; its variable's type is {span}")
        parts.append(cell.width.encode(value))
    return "".join(parts)


def start_text(row: list[int]) -> str:
    """Return a whole state as text."""
    return "".join(group_text(group, row) for group in range(len(GROUPS)))


# --- events --------------------------------------------------------------------------------------


def _clamped(value: int, most: int, least: int = 0) -> str:
    """Return a parameter, moved to just outside its range where it lies further outside."""
    return signed_8(max(least - 1, min(value, most + 1)))


def _clamped_money(value: int, most: int, least: int = 0) -> str:
    return money(max(least - 1, min(value, most + 1)))


def _difference(later: int, earlier: int) -> str:
    return signed_8(max(-1, min(later - earlier, AGE_MS_MAX)))


def _act_fits(event: Any, least: int = 1) -> bool:
    return bool(least <= event.operator <= OPERATOR_MAX and 0 <= event.reason <= REASON_MAX)


_EPOCH_MAX: Final[int] = 2**30


def parameters(event: Any, row: list[int]) -> tuple[bool, str]:
    """Return whether the fields that no module reads are in range, and the others as text.

    ``row`` is the state before: the modules see differences where the event has clock readings.
    """
    name = type(event).__name__
    if name == "AdvanceTime":
        fits = 0 <= event.process_time_ms <= TIME_MS_MAX
        return fits, _difference(event.process_time_ms, row[PROCESS])
    if name == "CloseBar":
        fits = 0 <= event.market_time_ms <= TIME_MS_MAX
        ahead = unsigned_1(event.market_time_ms > row[PROCESS])
        return fits, _difference(event.market_time_ms, row[MARKET]) + ahead
    if name == "RecordHeartbeat":
        return True, _clamped(event.partition, 31)
    if name == "ReportGrid":
        return True, _clamped(event.members, GRID_MEMBERS_MAX)
    if name == "ReportForewarner":
        return True, _clamped(event.status, 31)
    if name == "ReportBook":
        return True, (
            _clamped(event.depth_quality_ppm, PPM)
            + _clamped(event.fill_probability_ppm, PPM)
            + _clamped(event.latency_ms, LATENCY_MS_MAX)
            + _clamped(event.jitter_ms, LATENCY_MS_MAX)
        )
    if name == "UpdateMark":
        return True, _clamped(event.instrument, INSTRUMENT_MAX) + _clamped_money(
            event.price, PRICE_MAX
        )
    return _order_parameters(name, event, row)


def _order_parameters(name: str, event: Any, row: list[int]) -> tuple[bool, str]:
    if name == "ClaimInstrument":
        return True, _clamped(event.worker, 31) + _clamped(event.instrument, INSTRUMENT_MAX)
    if name == "RequestOrder":
        return True, (
            _clamped(event.worker, 31)
            + _clamped(event.instrument, INSTRUMENT_MAX)
            + _clamped(event.side, 2, -2)
            + unsigned_1(event.reduce_only)
            + unsigned_1(event.market)
            + _clamped(_quantity_judged(event, row), QUANTITY_MAX)
            + _clamped_money(event.limit_price, PRICE_MAX)
            + _clamped(event.leverage_ppm, 2**30)
        )
    if name == "ReportFill":
        return True, (
            _clamped(event.worker, 31)
            + _clamped(event.quantity, QUANTITY_MAX)
            + _clamped_money(event.price, PRICE_MAX)
            + _clamped_money(event.fee, FEE_MAX)
        )
    if name == "CloseOrder":
        return True, _clamped(event.worker, 31)
    if name == "ConfirmFence":
        return True, _clamped(event.epoch, _EPOCH_MAX, -_EPOCH_MAX)
    if name == "ReconcileLedger":
        return _reconcile_parameters(event)
    if name == "TripKillSwitch":
        return _act_fits(event, 0), _clamped(event.cause, 31)
    if hasattr(event, "operator"):
        return _act_fits(event), ""
    return True, ""


_CASH: Final[int] = next(c.code for c in COLUMNS if c.name == "cash")
_MARKS: Final = tuple(c.code for c in COLUMNS if c.variable == "mark")
_NOTIONAL_MAX: Final[int] = 10**9 * PPM
_CASH_JUDGED: Final[int] = 8 * 10**8 * PPM


def _quantity_judged(event: Any, row: list[int]) -> int:
    """Return the entry's quantity, or a smaller one that is as far too large.

    A request may name a notional beyond 32 bits; any worker could so stop TLC. Above 10^9 USDT it
    exceeds every bound there is (capital × 6 / 5, with at most 8 × 10^8 USDT of cash), and what
    exceeds them is refused alike.
    """
    quantity: int = event.quantity
    if event.reduce_only or not 0 < quantity <= QUANTITY_MAX or not 0 <= event.worker < 8:
        return quantity
    price = max(event.limit_price, row[_MARKS[event.worker]])
    if price > PRICE_MAX or quantity * price <= _NOTIONAL_MAX:
        return quantity
    if row[_CASH] > _CASH_JUDGED:
        raise BeyondModel(f"a notional of {quantity * price} micro-USDT is beyond the models")
    most: int = _NOTIONAL_MAX // price
    return most


def _reconcile_parameters(event: Any) -> tuple[bool, str]:
    """Return a view's parameters: of a number beyond 32 bits, what matters is that it differs."""
    cash = _clamped_money(event.cash, CASH_MAX, -CASH_MAX)
    return True, cash + "".join(_clamped(one, 2**30, -(2**30)) for one in event.quantities)


# --- journals as chunks --------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a row came from: the journal's number in the batch, and the record's in the journal."""

    journal: int
    record: int


@dataclass
class Chunk:
    """A state and the rows after it. ``opening``: the state is the one the journal opens with."""

    journal: int
    opening: bool
    start: str
    rows: list[str] = field(default_factory=list)
    records: list[int] = field(default_factory=list)


_CURVE_COLUMNS: Final = {c.name: c.code for c in COLUMNS}
Points = dict[str, set[int]]


def new_points() -> Points:
    """Return the curves' inputs so far: none."""
    return {
        name: set()
        for name in (
            "CapitalCurve", "StructuralDecay", "EnvironmentCurve",
            "LatencyCurve", "JitterCurve", "DepthCurve",
        )
    }  # fmt: skip


def add_points(points: Points, row: list[int], dt_ms: int = 0) -> None:
    """Add the inputs at which the model will read its curves in this state, ``dt_ms`` later.

    A table that lacks one costs another run, no more (``tlc``).
    """
    at = _CURVE_COLUMNS
    forewarner, shock, book = (
        min(AGE_MS_MAX, row[at[name]] + dt_ms)
        for name in ("forewarner_age_ms", "shock_age_ms", "book_age_ms")
    )
    points["CapitalCurve"].add(row[at["drawdown_ppm"]])
    points["StructuralDecay"].add(-(-forewarner // 1000))
    points["EnvironmentCurve"].add(shock // 1000)
    points["LatencyCurve"].update((row[at["book_latency_ms"]], book, 0))
    points["JitterCurve"].add(row[at["book_jitter_ms"]])
    points["DepthCurve"].add(row[at["depth_quality_ppm"]])


_SURVIVAL_GROUP, _DRAWDOWN_GROUP = 2, len(GROUPS) - 1
_PARAMETERS_AT: Final[int] = HEAD_BYTES + OFFSET_BYTES * len(GROUPS)


# AUD-010
class Mapper:
    """Maps one journal's event records to chunks of rows, record by record."""

    def __init__(self, journal: int, row: list[int], points: Points, chunk_rows: int) -> None:
        self._journal = journal
        self._row = list(row)
        self._points = points
        self._chunk_rows = chunk_rows
        self.chunks = [Chunk(journal, True, start_text(row))]
        add_points(points, row)

    def take(self, record: EventRecord) -> None:
        """Map one record. Raises ``NotAState`` where its claim is none, or the clock is wrong."""
        if len(self.chunks[-1].rows) >= self._chunk_rows:
            self.chunks.append(Chunk(self._journal, False, start_text(self._row)))
        fits, given = parameters(record.event, self._row)
        if record.kind.name == "CloseBar":
            later: int = record.event.market_time_ms  # type: ignore[attr-defined]  # CloseBar's
            dt_ms = max(0, min(later - self._row[MARKET], AGE_MS_MAX))
            add_points(self._points, self._row, dt_ms)
        offsets, parts, position = ["00"] * len(GROUPS), [], _PARAMETERS_AT + len(given) + 1
        changed: list[int] = []
        clock = dict(record.changes[:2]) if record.changes and record.changes[0][0] <= 1 else {}
        self._check_clock(record, clock)
        for code, value in record.changes:
            self._row[code] = value
            if code > MARKET:
                group = GROUP_OF[code]
                if group not in changed:
                    changed.append(group)
        for group in changed:
            text = group_text(group, self._row)
            offsets[group] = unsigned_2(position)
            parts.append(text)
            position += len(text)
        if _SURVIVAL_GROUP in changed or _DRAWDOWN_GROUP in changed:
            add_points(self._points, self._row)
        head = (
            unsigned_1(record.kind.code)
            + unsigned_1(record.reason)
            + unsigned_1(record.effects)
            + unsigned_1(fits)
        )
        chunk = self.chunks[-1]
        chunk.rows.append(head + "".join(offsets) + given + "".join(parts))
        chunk.records.append(record.sequence)

    def _check_clock(self, record: EventRecord, clock: dict[int, int]) -> None:
        expected = {PROCESS: self._row[PROCESS], MARKET: self._row[MARKET]}
        if record.reason == 0:
            event: Any = record.event
            if record.kind.name == "AdvanceTime":
                expected[PROCESS] = event.process_time_ms
            if record.kind.name == "CloseBar":
                expected[MARKET] = event.market_time_ms
        for code, value in expected.items():
            claimed = clock.get(code, self._row[code])
            if claimed != value:
                raise NotAState(f"{COLUMNS[code].name} is {claimed}; the event says {value}")


def row_count(chunks: Sequence[Chunk]) -> int:
    """Return how many records the chunks hold."""
    return sum(len(chunk.rows) for chunk in chunks)


def balanced(chunks: Sequence[Chunk], parts: int) -> Iterator[list[Chunk]]:
    """Deal the chunks into at most ``parts`` lots of about the same number of rows."""
    lots: list[list[Chunk]] = [[] for _ in range(parts)]
    for chunk in sorted(chunks, key=lambda one: -len(one.rows)):
        min(lots, key=row_count).append(chunk)
    return (lot for lot in lots if lot)
