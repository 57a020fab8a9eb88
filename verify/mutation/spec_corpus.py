"""The conformance corpus: steps of the kernel, as rows that TraceKernel judges.

Theory. The kernel and the model agree on every row here; that is shown with the unchanged modules
before a mutant is asked. So a mutant that does not allow a row differs from the model at a step
that the kernel takes.

    golden      the golden journals, record by record
    edges       every edge of ``spec/tla/edges.json``
    covering    the first edge of each kind, and both sides of every threshold of the models

Rules of this file:

*   Every row is what ``step_bare`` answers, never what somebody expects.
*   A state at a threshold need not be reachable, but the invariants hold of it: in others the
    kernel's table answers before the guards do.
*   A threshold is met at, just below, just above, and nearly a percent away on both sides, so that
    a constant off by one in either of its two numbers gives another answer.

Not here: asking TLC (``spec_killers.py``).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from kernel.constants import (
    AGE_MS_MAX,
    CASH_MAX,
    FEE_MAX,
    GRID_MEMBERS_MAX,
    INSTRUMENT_MAX,
    LATENCY_MS_MAX,
    LEVERAGE_PPM_MAX,
    PPM,
    PRICE_MAX,
    QUANTITY_MAX,
    Pending,
    Posture,
    Profile,
    Status,
)
from kernel.equity import drawdown
from kernel.events import Event
from kernel.outcome import Accepted
from kernel.state import Limits, State
from kernel.step import step_bare
from traces.audit.rows import Chunk, Mapper, Points, new_points, row_count
from traces.audit.tlc import configuration, data_module, run_module
from traces.codec import DeltaEncoder, EventRecord, state_columns, unpack_record
from traces.frames import Tag, scan
from traces.header import read_header
from verify.models.edges import FIXPOINT, Plan, explored, plans, posed
from verify.models.moves import PRICE, Move
from verify.models.sample_states import harvest

GATES = (450_000, 500_000, 520_000, 700_000, 750_000, 770_000, 850_000, 900_000, 920_000)
AWAY = (-4_000, -1, 0, 1, 4_000)
BOUND_STATES = 12
Step = tuple[tuple[object, ...], State, Event]


@dataclass(frozen=True)
class Corpus:
    """Steps of one set of limits, as TraceKernel reads them. ``sha256`` is of all of it."""

    name: str
    limits: Limits
    chunks: tuple[Chunk, ...]
    points: Points
    sha256: str

    @property
    def rows(self) -> int:
        """How many steps it holds."""
        return row_count(self.chunks)


def _corpus(name: str, limits: Limits, chunks: Sequence[Chunk], points: Points) -> Corpus:
    text = data_module(chunks, points, limits.profile) + configuration(limits) + run_module(limits)
    return Corpus(name, limits, tuple(chunks), points, hashlib.sha256(text.encode()).hexdigest())


def golden_corpus(path: Path) -> Corpus:
    """Return a journal's records, one behaviour."""
    points = new_points()
    mapper: Mapper | None = None
    limits: Limits | None = None
    for one in scan(path.read_bytes()):
        if one.tag == Tag.HEADER:
            state = read_header(one.body).opening_state()
            limits = state.limits
            mapper = Mapper(0, state_columns(state), points, 1_000)
        if one.tag == Tag.EVENT and mapper is not None:
            mapper.take(unpack_record(one.sequence, one.body))
    assert mapper is not None
    assert limits is not None
    return _corpus(path.stem, limits, mapper.chunks, points)


def corpus_of(name: str, limits: Limits, steps: Iterable[Step]) -> Corpus:
    """Return steps as rows, one of each kind.

    A kind is what the step says of itself, its answer and effects, the posture, and which columns
    change.
    """
    points = new_points()
    chunks: list[Chunk] = []
    refused: dict[str, Chunk] = {}
    seen: set[tuple[object, ...]] = set()
    for number, (said, state, event) in enumerate(steps, 1):
        record = _record(number, state, event)
        columns = tuple(code for code, _ in record.changes)
        kind = (*said, record.reason, record.effects, state.machine.posture, columns)
        if kind in seen:
            continue
        seen.add(kind)
        mapper = Mapper(len(chunks), state_columns(state), points, 1)
        mapper.take(record)
        (chunk,) = mapper.chunks
        chunk.opening = False
        # A refusal stays where it is, so those of one state are one behaviour.
        if record.reason and chunk.start in refused:
            refused[chunk.start].rows += chunk.rows
            refused[chunk.start].records += chunk.records
            continue
        if record.reason:
            refused[chunk.start] = chunk
        chunks.append(chunk)
    return _corpus(name, limits, chunks, points)


def _record(number: int, state: State, event: Event) -> EventRecord:
    return unpack_record(number, DeltaEncoder(state).body(event, step_bare(state, event)))


def edge_steps(plan: Plan, *, covering: bool) -> Iterator[Step]:
    """Yield a plan's edges; ``covering``: each says no more of itself than its move."""
    states = explored(plan) if plan.depth >= FIXPOINT else list(plan.seeds)
    for number, state in enumerate(states):
        for move in plan.moves:
            yield ((move,) if covering else (move, number)), *posed(state, move)


def edge_corpus(plan: Plan) -> Corpus:
    """Return every edge of a plan."""
    return corpus_of(plan.name, plan.limits, edge_steps(plan, covering=False))


def covering_corpus(name: str) -> Corpus:
    """Return an edge of each kind of the plan ``name`` and of those under its limits.

    With a plan of a whole kernel, both sides of every threshold as well.
    """
    listed = plans()
    (first,) = (plan for plan in listed if plan.name == name)
    same = [plan for plan in listed if plan.limits == first.limits]
    steps: list[Iterable[Step]] = [edge_steps(plan, covering=True) for plan in same]
    if first.depth == 1:
        steps.insert(0, threshold_steps(first.limits.profile))
    return corpus_of(f"covering-{name}", first.limits, chain.from_iterable(steps))


@dataclass(frozen=True)
class Source:
    """A corpus that is drawn up when it is first asked: its name, whether it is small, and how."""

    name: str
    small: bool
    draw: Callable[[], Corpus]
    golden: bool = False


def sources(golden: Sequence[Path]) -> tuple[Source, ...]:
    """Return every corpus, the small ones first. The names of the plans are ``edges.plans``'s."""

    def edges(name: str) -> Corpus:
        return edge_corpus(next(plan for plan in plans() if plan.name == name))

    covering = ("kernel-bible", "kernel-specification", "killswitch-whole")
    return (
        *(Source(path.stem, True, partial(golden_corpus, path), golden=True) for path in golden),
        *(Source(f"covering-{name}", True, partial(covering_corpus, name)) for name in covering),
        *(Source(name, False, partial(edges, name)) for name in (*covering, "gate-whole")),
    )


# --- thresholds ----------------------------------------------------------------------------------


def threshold_steps(profile: Profile) -> Iterator[Step]:
    """Yield steps at both sides of every threshold, under the limits of the replayed graphs."""
    base = _apex(profile)
    bounds = _bounds(base.limits.profile)
    steps = chain(_gates(base), _sensors(base), _ages(base), _peaks(base), bounds)
    for number, (state, move) in enumerate(steps):
        yield ("threshold", number), *posed(state, move)


def _apex(profile: Profile) -> State:
    """Return a healthy state at APEX: fence confirmed, flat, worker 0 on a marked instrument."""
    for seed in harvest(profile, 240):
        state, slot = seed.state, seed.state.gate.slots[0]
        if (
            state.machine.posture == Posture.APEX
            and state.gate.fence_confirmed
            and not state.killswitch.killed
            and slot.instrument == 1
            and slot.mark == PRICE
            and not any(one.quantity or one.permit_quantity for one in state.gate.slots)
        ):
            return state
    raise AssertionError(f"no seed of {profile.name} is healthy, flat and marked at APEX")


def _healthy(state: State, **survival: object) -> State:
    fields = {
        "forewarner_status": Status(0), "forewarner_age_ms": 0, "book_age_ms": 0,
        "depth_quality_ppm": PPM, "fill_probability_ppm": PPM, "book_latency_ms": 0,
        "book_jitter_ms": 0, **survival,
    }  # fmt: skip
    return replace(state, survival=replace(state.survival, **fields))  # type: ignore[arg-type]  # by name


def _gates(base: State) -> Iterator[tuple[State, Move]]:
    """Bars that end with R at a gate, in every posture, counters one short and not; and entries."""
    bar = Move("CloseBar", (5_000, False))
    down = 2 if base.limits.profile == Profile.BIBLE else 1
    up = 5 if base.limits.profile == Profile.BIBLE else 1
    counters = {(below, 0) for below in range(down)} | {(0, above) for above in range(up)}
    for gate in GATES:
        for away in AWAY:
            risen = _risen_to(base, gate + away, bar)
            for posture in Posture:
                for below, above in sorted(counters):
                    machine = replace(
                        base.machine, posture=posture, bars_below=below, bars_above=above
                    )
                    if risen is not None:
                        yield replace(risen, machine=machine), bar
                entering = _healthy(base, multiplier_ppm=gate + away)
                machine = replace(base.machine, posture=posture, bars_below=0, bars_above=0)
                entering = replace(entering, machine=machine)
                levered = (2 * PPM, 2 * PPM + 1, 6 * PPM, 6 * PPM + 1) if away == 0 else ()
                for leverage in (PPM, *levered):
                    order = (0, 1, 1, False, False, 10, PRICE, leverage)
                    yield entering, Move("RequestOrder", order)


def _risen_to(base: State, wanted: int, bar: Move) -> State | None:
    """Return a healthy state whose R is ``wanted`` after a bar, None where none is near."""
    for below in range(4_000):
        state = _healthy(base, multiplier_ppm=wanted - below)
        outcome = step_bare(*posed(state, bar))
        if isinstance(outcome, Accepted):
            found = outcome.state.survival.multiplier_ppm
            if found == wanted:
                return state
            if found < wanted:
                return None
    return None


def _sensors(base: State) -> Iterator[tuple[State, Move]]:
    """Readings whose factors stand at the bands that count: impaired, silent, late."""
    shock = Move("ReportShock")
    bars = (Move("CloseBar", (5_000, False)), Move("CloseBar", (300_001, False)))
    # Whole seconds, and a millisecond more where a second more is worth less.
    ages = (0, 999, 1_000, 1_001, 60_001, 6 * 3_600_000, 6 * 3_600_000 + 1, 7_200_000)
    books = (0, 285_714, 714_284, 714_285, 714_286, 714_300, 708_000, 720_000, PPM)
    for status in (0, 1, 2):
        for depth in books:
            state = _healthy(base, forewarner_status=Status(status), depth_quality_ppm=depth)
            state = replace(state, survival=replace(state.survival, multiplier_ppm=PPM))
            yield state, shock
            yield from ((state, each) for each in bars)
            yield state, Move("ReportForewarner", (status,))
    stale = base.limits.book_stale_ms
    for age in (stale - 1, stale, stale + 1, stale + 5_000):
        for fill in (0, 285_713, 285_715, 600_000, PPM):
            for multiplier in (0, PPM):
                state = _healthy(
                    base, book_age_ms=age, fill_probability_ppm=fill, multiplier_ppm=multiplier
                )
                yield state, Move("ReportForewarner", (0,))
                yield from ((state, each) for each in bars)
    for age in ages:
        state = _healthy(base, forewarner_age_ms=age, multiplier_ppm=PPM)
        yield state, Move("ReportBook", (PPM, PPM, 0, 0))
        state = _healthy(base, shock_age_ms=age, multiplier_ppm=PPM)
        yield state, Move("ReportBook", (PPM, PPM, 0, 0))
        yield state, Move("ReportForewarner", (0,))


def _ages(base: State) -> Iterator[tuple[State, Move]]:
    """Requests at the ends of their window, heartbeats at their limits, ages that saturate."""
    limits = base.limits
    window = (limits.cooling_ms, limits.confirm_window_ms)
    for pending in Pending:
        for age in sorted({edge + away for edge in window for away in (-1, 0, 1)}):
            for writable in (True, False):
                waiting = pending != Pending.NONE
                latched = pending == Pending.REARM or not writable
                switch = replace(
                    base.killswitch, operator_request=pending,
                    operator_request_age_ms=age if waiting else 0,
                    latched_checksum=latched, journal_writable=writable,
                )  # fmt: skip
                state = _killed(replace(base, killswitch=switch), killed=latched)
                yield state, Move("ConfirmRearm")
                yield state, Move("ConfirmPeakReset")
                yield state, Move("AdvanceTime", (1,))
    for partition, limit in enumerate(limits.heartbeat_limit_ms):
        for late in (limit - 1, limit, limit + 1):
            ages = [0, 0, 0, 0]
            ages[partition] = late
            switch = replace(base.killswitch, heartbeat_age_ms=tuple(ages))  # type: ignore[arg-type]  # four of them
            state = _killed(replace(base, killswitch=switch), killed=late > limit)
            yield state, Move("AdvanceTime", (0,))
            yield state, Move("AdvanceTime", (1,))
            yield state, Move("RecordHeartbeat", (partition,))
            yield state, Move("ReportGrid", (1,))
    for age in (AGE_MS_MAX - 5_001, AGE_MS_MAX - 5_000, AGE_MS_MAX - 4_999, AGE_MS_MAX):
        survival = replace(base.survival, forewarner_age_ms=age, book_age_ms=age, shock_age_ms=age)
        yield replace(base, survival=survival), Move("CloseBar", (5_000, False))


def _peaks(base: State) -> Iterator[tuple[State, Move]]:
    """Resets of the peak with a few micro-USDT left: it comes down to equity, to one at least."""
    ledger = base.ledger
    for left in (-1, 0, 1, 2):
        fees = ledger.fees + ledger.cash - left
        lost = drawdown(ledger.equity_peak, left)
        poor = replace(ledger, cash=left, fees=fees, drawdown_ppm=lost)
        switch = replace(
            base.killswitch,
            operator_request=Pending.PEAK_RESET,
            operator_request_age_ms=base.limits.cooling_ms,
        )
        state = _healthy(replace(base, ledger=poor, killswitch=switch), multiplier_ppm=0)
        yield state, Move("ConfirmPeakReset")


def _killed(state: State, *, killed: bool) -> State:
    """Return the state killed, with all that it means, or as it is."""
    if not killed:
        return state
    return replace(
        state,
        killswitch=replace(state.killswitch, killed=True),
        survival=replace(state.survival, multiplier_ppm=0),
        machine=replace(state.machine, posture=Posture.HIBERNATE, bars_below=0, bars_above=0),
    )


def _bounds(profile: Profile) -> Iterator[tuple[State, Move]]:
    """Every event, each parameter at both ends of its range, in states of many kinds."""
    moves = tuple(_bound_moves())
    seeds = harvest(profile, 240)
    for seed in seeds[:: len(seeds) // BOUND_STATES]:
        for move in moves:
            yield seed.state, move


def _bound_moves() -> Iterator[Move]:
    """Yield the events; of several parameters one at a time is at an end of its range."""

    def ends(least: int, most: int) -> tuple[int, ...]:
        return (least - 1, least, most, most + 1)

    def each(action: str, usual: tuple[object, ...], *ranges: tuple[int, ...]) -> Iterator[Move]:
        for place, values in enumerate(ranges):
            for value in values:
                yield Move(action, (*usual[:place], value, *usual[place + 1 :]))

    workers, instruments = ends(0, 7), (-1, 0, 1, 2, INSTRUMENT_MAX, INSTRUMENT_MAX + 1)
    prices, lots = (-1, *ends(1, PRICE_MAX)), (*ends(1, QUANTITY_MAX), 4, 10)
    yield from each("AdvanceTime", (0,), (-1, 0, 1, AGE_MS_MAX))
    for ahead in (True, False):
        for dt in (-1, 0, 1, 4_999, 5_000, 60_000, 300_000, 300_001):
            yield Move("CloseBar", (dt, ahead))
    yield from each("RecordHeartbeat", (0,), ends(0, 3))
    yield from each("ReportGrid", (0,), (*ends(0, GRID_MEMBERS_MAX), 1, 2))
    yield from each("ReportForewarner", (0,), ends(0, 2))
    ratios, latencies = ends(0, PPM), ends(0, LATENCY_MS_MAX)
    yield from each("ReportBook", (PPM, PPM, 0, 0), ratios, ratios, latencies, latencies)
    yield from each("UpdateMark", (1, PRICE), instruments, prices)
    yield from each("ClaimInstrument", (0, 1), workers, instruments)
    yield from each("ClaimInstrument", (1, 2), (), instruments)
    for reduce_only in (True, False):
        for side in (-1, 1):
            usual = (0, 1, side, reduce_only, False, 10, PRICE, PPM)
            yield from each(
                "RequestOrder", usual, workers, instruments, (-2, -1, 0, 1, 2), (), (), lots,
                (-1, 0, 1, PRICE, PRICE_MAX, PRICE_MAX + 1),
                (0, 1, 2 * PPM, 2 * PPM + 1, 6 * PPM, 6 * PPM + 1, LEVERAGE_PPM_MAX,
                 LEVERAGE_PPM_MAX + 1),
            )  # fmt: skip
            yield Move("RequestOrder", (0, 1, side, reduce_only, True, 10, 0, PPM))
            yield Move("RequestOrder", (0, 1, side, reduce_only, True, 10, PRICE, PPM))
    yield from each("ReportFill", (0, 1, PRICE, 0), workers, lots, prices, (*ends(0, FEE_MAX), 1))
    yield from each("CloseOrder", (0,), (*workers, 1))
    yield from each("ConfirmFence", (0,), (-1, 0, 1))
    for cash in (0, 1, -CASH_MAX, CASH_MAX, -2 * CASH_MAX, 2 * CASH_MAX):
        yield Move("ReconcileLedger", (cash, 0))
    yield Move("ReconcileLedger", (0, 1))
    yield from each("TripKillSwitch", (1,), (*ends(1, 3), 2))
    for action in (
        "ReportShock", "RequestRearm", "ConfirmRearm", "RequestPeakReset", "ConfirmPeakReset",
        "FailJournal", "RestoreJournal", "RestartKernel",
    ):  # fmt: skip
        yield Move(action)
