"""Building blocks for kernel tests: limits, healthy states, and seeded random event sequences.

Not a test. ``drive`` folds events and insists that each is accepted; ``random_events`` walks the
kernel with events that are plausible often enough to reach every posture, permit kind and refusal.
"""

import random
from collections.abc import Iterable, Iterator
from functools import cache

from kernel.constants import PPM, Posture, Profile
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ConfirmFence,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    FailJournal,
    ReconcileLedger,
    RecordHeartbeat,
    ReportBook,
    ReportFill,
    ReportForewarner,
    ReportGrid,
    ReportShock,
    RequestOrder,
    RequestPeakReset,
    RequestRearm,
    RestartKernel,
    RestoreJournal,
    TripKillSwitch,
    UpdateMark,
)
from kernel.outcome import Accepted, Outcome
from kernel.slots import quantities
from kernel.state import Limits, State, initial_state, opening_ledger
from kernel.step import step

BAR_MS = 300_000
OPENING_CASH = 25_000_000_000  # 25,000 USDT (specification I)
BTC_LOT = 100_000_000  # 100 USDT: 0.001 BTC at 100,000


def limits_of(
    profile: Profile = Profile.BIBLE, *, live: bool = False, grid_in_use: bool = False
) -> Limits:
    """Limits as a deployment would set them."""
    return Limits(
        profile=profile,
        live=live,
        grid_in_use=grid_in_use,
        heartbeat_limit_ms=(30_000, 30_000, 30_000, 30_000),
        cooling_ms=10_000,
        confirm_window_ms=600_000,
        bar_ms_min=1_000,
        book_stale_ms=600_000,
    )


def fresh(profile: Profile = Profile.BIBLE, **options: bool) -> State:
    """The state of a session just opened."""
    return initial_state(limits_of(profile, **options), opening_ledger(OPENING_CASH), 0, 0)


def accept(state: State, event: Event) -> State:
    """The state after an event that must be accepted."""
    outcome = step(state, event)
    assert isinstance(outcome, Accepted), (event, outcome)
    return outcome.state


def drive(state: State, events: Iterable[Event]) -> State:
    """The state after events that must all be accepted."""
    for event in events:
        state = accept(state, event)
    return state


HEALTHY_BOOK = ReportBook(
    depth_quality_ppm=PPM, fill_probability_ppm=PPM, latency_ms=0, jitter_ms=0
)


def bar(state: State, *, dt_ms: int = BAR_MS, healthy: bool = True) -> State:
    """The state after one bar, with fresh sensors where ``healthy``."""
    if healthy:
        state = drive(state, (ReportForewarner(status=0), HEALTHY_BOOK))
    if state.limits.profile == Profile.SPECIFICATION:
        dt_ms = min(dt_ms, 60_000)  # its forewarner must be fresher than five minutes for APEX
    return accept(state, CloseBar(market_time_ms=state.clock.market_time_ms + dt_ms))


def confirm(state: State) -> State:
    """The state with the fence confirmed."""
    if state.gate.fence_confirmed:
        return state
    return accept(state, ConfirmFence(epoch=state.gate.fence_epoch))


@cache
def reached(posture: Posture, profile: Profile) -> State:
    """The state in which a healthy session reaches the posture; a state never changes."""
    return until(posture, fresh(profile))


def until(posture: Posture, state: State | None = None, profile: Profile = Profile.BIBLE) -> State:
    """Healthy bars until the posture is reached; at most a week of market time."""
    if state is None:
        return reached(posture, profile)
    state = confirm(state)
    for _ in range(2016):
        if state.machine.posture == posture:
            return state
        state = bar(state)
    raise AssertionError(f"{posture.name} was not reached")


def claimed(state: State, worker: int = 0, instrument: int = 1, price: int = BTC_LOT) -> State:
    """The state with a claimed and marked instrument."""
    return drive(
        state,
        (
            ClaimInstrument(worker=worker, instrument=instrument),
            UpdateMark(instrument=instrument, price=price),
        ),
    )


def order(worker: int = 0, instrument: int = 1, **changes: int | bool) -> RequestOrder:
    """A short entry of ten lots at market, or what ``changes`` make of it."""
    fields: dict[str, int | bool] = {
        "worker": worker,
        "instrument": instrument,
        "side": -1,
        "reduce_only": False,
        "market": True,
        "quantity": 10,
        "limit_price": 0,
        "leverage_ppm": PPM,
    }
    fields.update(changes)
    return RequestOrder(**fields)  # type: ignore[arg-type]  # ints and bools by name, as above


def holding(state: State, worker: int = 0, instrument: int = 1, lots: int = 10) -> State:
    """The state with a short position of ``lots`` at the mark."""
    state = claimed(state, worker, instrument)
    state = accept(state, order(worker, instrument, quantity=lots))
    return accept(state, ReportFill(worker=worker, quantity=lots, price=BTC_LOT, fee=0))


def one_event(rng: random.Random, state: State) -> Event:
    """One random event, mostly plausible in ``state``, sometimes nonsense."""
    worker = rng.randrange(3)
    slot = state.gate.slots[worker]
    roll = rng.random()
    if roll < 0.28:
        return CloseBar(
            market_time_ms=state.clock.market_time_ms
            + rng.choice((-1, 0, 999, 1_000, 60_000, 300_000, 300_000, 300_000, 9_000_000))
        )
    if roll < 0.36:
        return AdvanceTime(
            process_time_ms=state.clock.process_time_ms
            + rng.choice((-1, 0, 1, 1_000, 9_000, 12_000))
        )
    if roll < 0.46:
        return RecordHeartbeat(partition=rng.choice((0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4)))
    if roll < 0.54:
        return ReportForewarner(status=rng.choice((0, 0, 0, 0, 0, 0, 1, 2, 3)))
    if roll < 0.62:
        good = rng.random() < 0.85
        return ReportBook(
            depth_quality_ppm=PPM if good else rng.randrange(-1, PPM + 2),
            fill_probability_ppm=PPM if good else rng.randrange(PPM),
            latency_ms=0 if good else rng.randrange(60_001),
            jitter_ms=0 if good else rng.randrange(2_000),
        )
    if roll < 0.66:
        return ConfirmFence(epoch=state.gate.fence_epoch + rng.choice((0, 0, 0, 0, 1, -1)))
    if roll < 0.70:
        return UpdateMark(
            instrument=rng.randrange(0, 4),
            price=max(0, BTC_LOT + rng.randrange(-BTC_LOT // 50, BTC_LOT // 50)),
        )
    if roll < 0.74:
        return ClaimInstrument(worker=worker, instrument=rng.randrange(0, 4))
    if roll < 0.86:
        market = rng.random() < 0.5
        exit_wanted = slot.quantity != 0 and rng.random() < 0.8
        return RequestOrder(
            worker=worker,
            instrument=slot.instrument if rng.random() < 0.9 else rng.randrange(5),
            side=(-1 if slot.quantity > 0 else 1) if exit_wanted else rng.choice((-1, 1)),
            reduce_only=exit_wanted or rng.random() < 0.1,
            market=market,
            quantity=rng.choice((1, 10, max(1, abs(slot.quantity)), 100, 300, 2_000)),
            limit_price=0 if market else BTC_LOT,
            leverage_ppm=rng.choice((500_000, PPM, 2 * PPM, 5 * PPM, 7 * PPM)),
        )
    if roll < 0.93 and slot.permit_quantity != 0:
        return ReportFill(
            worker=worker,
            quantity=rng.choice(
                (abs(slot.permit_quantity), rng.randint(1, abs(slot.permit_quantity)))
            ),
            price=BTC_LOT + rng.randrange(-1_000_000, 1_000_000),
            fee=rng.randrange(1_000_000),
        )
    return rng.choice(
        (
            CloseOrder(worker=worker),
            CloseOrder(worker=worker),
            ReconcileLedger(cash=state.ledger.cash, quantities=quantities(state.gate)),
            ReconcileLedger(cash=state.ledger.cash, quantities=quantities(state.gate)),
            ReportGrid(members=rng.randrange(3)),
            RequestRearm(operator=1, reason=7),
            ConfirmRearm(operator=1, reason=7),
            ConfirmRearm(operator=1, reason=7),
            RequestPeakReset(operator=1, reason=8),
            ConfirmPeakReset(operator=1, reason=8),
            RestoreJournal(),
            rare_event(rng, state),
        )
    )


def rare_event(rng: random.Random, state: State) -> Event:
    """One of the events that hurt."""
    return rng.choice(
        (
            ReportShock(),
            FailJournal(),
            RestartKernel(),
            TripKillSwitch(cause=rng.randrange(0, 5), operator=1, reason=9),
            ReconcileLedger(cash=state.ledger.cash + 1, quantities=quantities(state.gate)),
            ReportFill(worker=rng.randrange(8), quantity=1, price=BTC_LOT, fee=0),
        )
    )


def random_events(seed: int, count: int, state: State) -> Iterator[tuple[State, Event, Outcome]]:
    """Walk ``count`` random events from ``state``; yields state before, event, outcome."""
    rng = random.Random(seed)
    for _ in range(count):
        event = one_event(rng, state)
        outcome = step(state, event)
        yield state, event, outcome
        if isinstance(outcome, Accepted):
            state = outcome.state
