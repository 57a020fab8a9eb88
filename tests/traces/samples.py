"""Journals for tests: walked at random through the kernel, written by the real writer.

Not a test. ``walk`` gives steps; ``write`` journals them; ``sample`` does both.
"""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from kernel.constants import PPM, Profile
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ConfirmFence,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    RecordHeartbeat,
    ReportFill,
    ReportForewarner,
    ReportGrid,
    RequestOrder,
    RequestPeakReset,
    RequestRearm,
    RestoreJournal,
    UpdateMark,
)
from kernel.outcome import Accepted, Outcome
from kernel.slots import flat
from kernel.state import State, opening_ledger
from kernel.step import step
from tests.kernel.sessions import (
    BTC_LOT,
    HEALTHY_BOOK,
    OPENING_CASH,
    limits_of,
    one_event,
    rare_event,
)
from traces.checksums import key_id
from traces.header import Header, new_header
from traces.journal import JournalWriter

KEY = bytes(range(32))
Step = tuple[State, Event, Outcome]


def header_of(
    profile: Profile = Profile.BIBLE,
    *,
    key: bytes | None = None,
    every: int = 100,
    grid_in_use: bool = False,
) -> Header:
    """A header of this version for a session of 25,000 USDT."""
    return new_header(
        "sample",
        limits_of(profile, grid_in_use=grid_in_use),
        opening_ledger(OPENING_CASH),
        0,
        0,
        stand_ins={"forewarner": "volatility of the bars"},
        anchor_every=every if key else 0,
        anchor_key=key_id(key) if key else "",
    )


def healthy(state: State) -> Iterator[Event]:
    """What a healthy session says around one bar."""
    bible = state.limits.profile == Profile.BIBLE
    yield AdvanceTime(process_time_ms=state.clock.process_time_ms + 5_000)
    for partition in range(4):
        yield RecordHeartbeat(partition=partition)
    yield ReportForewarner(status=0)
    yield HEALTHY_BOOK
    yield CloseBar(market_time_ms=state.clock.market_time_ms + (300_000 if bible else 60_000))


def purposeful(rng: random.Random, state: State) -> Iterator[Event]:
    """What leads somewhere: re-arm, confirm, claim, trade within the bounds, fill, close."""
    ks = state.killswitch
    if ks.latched_checksum or ks.latched_desync or ks.latched_operator:
        yield RestoreJournal()
        yield RequestRearm(operator=1, reason=7)
        yield AdvanceTime(process_time_ms=state.clock.process_time_ms + 10_000)
        yield ConfirmRearm(operator=1, reason=7)
    if not state.gate.fence_confirmed:
        yield ConfirmFence(epoch=state.gate.fence_epoch)
    if state.ledger.drawdown_ppm > 30_000 and flat(state.gate):
        yield RequestPeakReset(operator=1, reason=8)
        yield AdvanceTime(process_time_ms=state.clock.process_time_ms + 10_000)
        yield ConfirmPeakReset(operator=1, reason=8)
    if state.limits.grid_in_use and ks.grid_members == 0:
        yield ReportGrid(members=3)
    worker = rng.randrange(8)
    slot = state.gate.slots[worker]
    price = BTC_LOT + rng.randrange(-BTC_LOT // 100, BTC_LOT // 100)
    if slot.permit_kind:
        lots = rng.randint(1, abs(slot.permit_quantity))
        fill = ReportFill(worker=worker, quantity=lots, price=price, fee=rng.randrange(50_000))
        yield fill if rng.random() < 0.8 else CloseOrder(worker=worker)
    elif slot.instrument == 0:
        yield ClaimInstrument(worker=worker, instrument=worker + 1)
    elif slot.mark == 0 or rng.random() < 0.3:
        yield UpdateMark(instrument=slot.instrument, price=price)
    else:
        market = rng.random() < 0.5
        yield RequestOrder(
            worker=worker,
            instrument=slot.instrument,
            side=(-1 if slot.quantity > 0 else 1) if slot.quantity else rng.choice((-1, 1)),
            reduce_only=slot.quantity != 0,
            market=market,
            quantity=rng.randint(1, max(1, abs(slot.quantity) or 150)),
            limit_price=0 if market else price,
            leverage_ppm=rng.choice((500_000, PPM, 2 * PPM)),
        )


def walk(seed: int, count: int, state: State, chaos: float = 0.03) -> Iterator[Step]:
    """``count`` steps from ``state``: health and purpose, and ``chaos`` of anything at all."""
    rng = random.Random(seed)
    pending: list[Event] = []
    for _ in range(count):
        if rng.random() < chaos:
            event = rare_event(rng, state) if rng.random() < 0.2 else one_event(rng, state)
        else:
            if not pending:
                source = healthy(state) if rng.random() < 0.35 else purposeful(rng, state)
                pending = list(source)[::-1]
            event = pending.pop()
        outcome = step(state, event)
        yield state, event, outcome
        if isinstance(outcome, Accepted):
            state = outcome.state


def write(path: Path, header: Header, steps: Iterable[Step], key: bytes | None = None) -> Path:
    """Journal the steps and close."""
    with JournalWriter.create(path, header, key=key) as journal:
        for before, event, outcome in steps:
            journal.record(before, event, outcome)
    return path


def sample(
    path: Path,
    seed: int,
    count: int,
    profile: Profile = Profile.BIBLE,
    key: bytes | None = None,
    chaos: float = 0.03,
) -> Path:
    """A closed journal of ``count`` random steps."""
    header = header_of(profile, key=key)
    return write(path, header, walk(seed, count, header.opening_state(), chaos), key)
