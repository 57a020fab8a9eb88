"""Every (event, posture) cell of the table is shown by the kernel doing what it says."""

import dataclasses

import pytest

from kernel import events as ev
from kernel import table
from kernel.constants import Posture, Profile
from kernel.outcome import Accepted, Reason, Refused
from kernel.state import State
from kernel.step import step
from kernel.table import Cell
from tests.kernel.sessions import (
    BTC_LOT,
    accept,
    bar,
    claimed,
    confirm,
    drive,
    holding,
    order,
    until,
)

EVENTS = [
    c
    for c in vars(ev).values()
    if isinstance(c, type) and issubclass(c, ev.Event) and c is not ev.Event
]


def row_name(event_class: type) -> str:
    """The table's row for an event class: its name in capitals."""
    name = event_class.__name__
    return "".join(("_" + c if c.isupper() and i else c) for i, c in enumerate(name)).upper()


def in_posture(posture: Posture) -> State:
    """A state committed to the posture, with an instrument claimed and the fence confirmed."""
    state = claimed(until(Posture.APEX))
    if posture == Posture.APEX:
        return state
    if posture == Posture.HIBERNATE:
        return confirm(accept(state, ev.TripKillSwitch(cause=3, operator=1, reason=0)))
    # A loss takes R below a gate: 5.5 % of equity for STALKER, 10 % for TURTLE.
    share = 55 if posture == Posture.STALKER else 100
    state = holding(state, lots=250)
    loss = state.ledger.cash * share // 1000
    state = accept(state, ev.UpdateMark(instrument=1, price=state.gate.slots[0].mark + loss // 250))
    while state.machine.posture != posture:
        state = confirm(bar(state))
    return claimed(state, worker=1, instrument=2)


@pytest.fixture(scope="module")
def states() -> dict[Posture, State]:
    return {posture: in_posture(posture) for posture in Posture}


def in_range(event_class: type, state: State) -> ev.Event:
    """An event whose fields are in range."""
    samples: dict[str, ev.Event] = {
        "AdvanceTime": ev.AdvanceTime(process_time_ms=state.clock.process_time_ms),
        "CloseBar": ev.CloseBar(market_time_ms=state.clock.market_time_ms + 5_000),
        "RecordHeartbeat": ev.RecordHeartbeat(partition=0),
        "ReportGrid": ev.ReportGrid(members=1),
        "ReportForewarner": ev.ReportForewarner(status=2),
        "ReportBook": ev.ReportBook(
            depth_quality_ppm=1, fill_probability_ppm=1, latency_ms=1, jitter_ms=1
        ),
        "ReportShock": ev.ReportShock(),
        "UpdateMark": ev.UpdateMark(instrument=1, price=1),
        "ClaimInstrument": ev.ClaimInstrument(worker=5, instrument=9),
        "RequestOrder": order(worker=1, instrument=2, quantity=1),
        "ReportFill": ev.ReportFill(worker=7, quantity=1, price=1, fee=0),
        "CloseOrder": ev.CloseOrder(worker=7),
        "ConfirmFence": ev.ConfirmFence(epoch=state.gate.fence_epoch),
        "ReconcileLedger": ev.ReconcileLedger(cash=0, quantities=(0, 0, 0, 0, 0, 0, 0, 0)),
        "TripKillSwitch": ev.TripKillSwitch(cause=3, operator=1, reason=0),
        "RequestRearm": ev.RequestRearm(operator=1, reason=0),
        "ConfirmRearm": ev.ConfirmRearm(operator=1, reason=0),
        "RequestPeakReset": ev.RequestPeakReset(operator=1, reason=0),
        "ConfirmPeakReset": ev.ConfirmPeakReset(operator=1, reason=0),
        "FailJournal": ev.FailJournal(),
        "RestoreJournal": ev.RestoreJournal(),
        "RestartKernel": ev.RestartKernel(),
    }
    return samples[event_class.__name__]


NO_REASON = {
    "RequestOrder": Reason.HIBERNATING,
    "RequestRearm": Reason.NOTHING_TO_REARM,
    "ConfirmRearm": Reason.NO_REQUEST,
}


@pytest.mark.req("KRN-TAB-001")
def test_the_table_has_a_row_for_every_event_and_no_other() -> None:
    rows = {n for n, v in vars(table).items() if isinstance(v, tuple) and n.isupper()}
    assert rows == {row_name(c) for c in EVENTS}
    assert all(len(getattr(table, name)) == len(Posture) for name in rows)


@pytest.mark.req("KRN-TAB-002", "KRN-TAB-003")
@pytest.mark.parametrize("posture", list(Posture), ids=lambda p: p.name)
@pytest.mark.parametrize("event_class", EVENTS, ids=lambda c: c.__name__)
def test_cell(event_class: type, posture: Posture, states: dict[Posture, State]) -> None:
    state = states[posture]
    assert state.machine.posture == posture
    cell = getattr(table, row_name(event_class))[int(posture)]
    outcome = step(state, in_range(event_class, state))
    if cell == Cell.GO:
        assert isinstance(outcome, Accepted)
    if cell == Cell.NO:
        assert outcome == Refused(NO_REASON[event_class.__name__])


def judged(state: State) -> dict[str, tuple[list[ev.Event], list[ev.Event], Reason]]:
    """For each judged event: a history after which its last is accepted, and one for a refusal."""
    market, process = state.clock.market_time_ms, state.clock.process_time_ms
    held = [w for w in range(8) if state.gate.slots[w].quantity]
    flatten: list[ev.Event] = [
        ev.ReportFill(worker=w, quantity=abs(state.gate.slots[w].quantity), price=1, fee=0)
        for w in held
        if state.gate.slots[w].permit_quantity
    ]
    exits: list[ev.Event] = []
    for w in held:
        if not state.gate.slots[w].permit_quantity:
            lots = abs(state.gate.slots[w].quantity)
            exits.append(order(w, 1, side=1, reduce_only=True, quantity=lots))
            exits.append(ev.ReportFill(worker=w, quantity=lots, price=BTC_LOT, fee=0))
    go_flat = flatten + exits
    restart: list[ev.Event] = [ev.RestartKernel()]
    ask = ev.RequestPeakReset(operator=1, reason=0)
    cool: list[ev.Event] = [ask]
    for second in range(1, 11):
        cool.append(ev.AdvanceTime(process_time_ms=process + second * 1_000))
        cool.extend(ev.RecordHeartbeat(partition=p) for p in range(4))
    entry = order(7, 77, quantity=1)
    slot_seven: list[ev.Event] = [
        ev.ClaimInstrument(worker=7, instrument=77),
        ev.UpdateMark(instrument=77, price=BTC_LOT),
    ]
    can_order = state.machine.posture > Posture.TURTLE
    some_order: list[ev.Event] = [*slot_seven, entry, ev.CloseOrder(worker=7)]
    some_exit: list[ev.Event] = [
        order(0, 1, side=1, reduce_only=True, quantity=1),
        ev.CloseOrder(worker=0),
    ]
    rearm: list[ev.Event] = [ev.TripKillSwitch(cause=3, operator=1, reason=0)]
    return {
        "AdvanceTime": (
            [ev.AdvanceTime(process_time_ms=process + 1)],
            [
                ev.AdvanceTime(process_time_ms=process + 1),
                ev.AdvanceTime(process_time_ms=process),
            ],
            Reason.TIME_BACKWARDS,
        ),
        "CloseBar": (
            [ev.CloseBar(market_time_ms=market + 1_000)],
            [ev.CloseBar(market_time_ms=market + 999)],
            Reason.BAR_TOO_SHORT,
        ),
        "UpdateMark": (
            [ev.UpdateMark(instrument=1, price=BTC_LOT)],
            [ev.UpdateMark(instrument=99, price=BTC_LOT)],
            Reason.INSTRUMENT_NOT_CLAIMED,
        ),
        "ClaimInstrument": (
            [ev.ClaimInstrument(worker=6, instrument=9)],
            [ev.ClaimInstrument(worker=6, instrument=1)],
            Reason.INSTRUMENT_OWNED,
        ),
        "RequestOrder": (
            [*slot_seven, entry] if can_order else some_exit[:1],
            [order(7, 78)],
            Reason.INSTRUMENT_NOT_CLAIMED,
        ),
        "CloseOrder": (
            some_order if can_order else some_exit,
            [ev.CloseOrder(worker=6)],
            Reason.NO_PERMIT,
        ),
        "ConfirmFence": (
            [*restart, ev.ConfirmFence(epoch=state.gate.fence_epoch + 1)],
            [ev.ConfirmFence(epoch=state.gate.fence_epoch)],
            Reason.STALE_EPOCH,
        ),
        "RequestRearm": ([*rearm, ev.RequestRearm(operator=1, reason=0)], [], Reason.MALFORMED),
        "ConfirmRearm": (
            [
                *rearm,
                ev.RequestRearm(operator=1, reason=0),
                *cool[1:],
                ev.ConfirmRearm(operator=1, reason=0),
            ],
            [ev.ConfirmRearm(operator=1, reason=0)],
            Reason.NO_REQUEST,
        ),
        "RequestPeakReset": (
            [*go_flat, ask],
            [*slot_seven, entry, ask] if can_order else [ask] if held else [],
            Reason.NOT_FLAT,
        ),
        "ConfirmPeakReset": (
            [*go_flat, *cool, ev.ConfirmPeakReset(operator=1, reason=0)],
            [ev.ConfirmPeakReset(operator=1, reason=0)],
            Reason.NO_REQUEST,
        ),
    }


JUDGED = [c for c in EVENTS if Cell.IF in getattr(table, row_name(c))]


@pytest.mark.req("KRN-TAB-004")
@pytest.mark.parametrize("posture", list(Posture), ids=lambda p: p.name)
@pytest.mark.parametrize("event_class", JUDGED, ids=lambda c: c.__name__)
def test_a_judged_cell_both_accepts_and_refuses(
    event_class: type, posture: Posture, states: dict[Posture, State]
) -> None:
    """An IF cell that always passes, or never does, is a wrong cell."""
    if getattr(table, row_name(event_class))[int(posture)] != Cell.IF:
        return
    passing, failing, reason = judged(states[posture])[event_class.__name__]
    if event_class is ev.CloseOrder and posture == Posture.HIBERNATE:
        state = confirm(accept(holding(states[Posture.APEX], worker=3, instrument=3), TRIP))
        assert isinstance(step(state, ev.CloseOrder(worker=3)), Accepted)
    elif event_class is ev.RequestPeakReset and posture == Posture.HIBERNATE:
        state = confirm(accept(holding(states[Posture.APEX], worker=3, instrument=3), TRIP))
        assert step(state, passing[-1]) == Refused(Reason.NOT_FLAT)
        assert isinstance(drive(states[posture], passing), State)
        return
    else:
        drive(states[posture], passing)
        assert isinstance(passing[-1], event_class)
    if failing:
        assert isinstance(failing[-1], event_class)
        before = drive(states[posture], failing[:-1])
        assert step(before, failing[-1]) == Refused(reason)
    else:
        assert event_class is ev.RequestRearm
        liveness = drive(until(Posture.HIBERNATE), [ev.AdvanceTime(process_time_ms=30_001)])
        assert step(liveness, passing[-1]) == Refused(Reason.NOTHING_TO_REARM)


TRIP = ev.TripKillSwitch(cause=3, operator=1, reason=0)


@pytest.mark.req("KRN-TAB-002", "KRN-TAB-003")
@pytest.mark.random
def test_go_and_no_cells_hold_on_random_walks() -> None:
    """A GO cell never refuses what is in range, and a NO cell never accepts."""
    for state, event, outcome in WALKS:
        cell = getattr(table, row_name(type(event)))[int(state.machine.posture)]
        malformed = isinstance(outcome, Refused) and outcome.reason == Reason.MALFORMED
        if cell == Cell.GO and not malformed:
            assert isinstance(outcome, Accepted), (state.machine.posture, event, outcome)
        if cell == Cell.NO:
            assert isinstance(outcome, Refused), (state.machine.posture, event)


def walks() -> list[tuple[State, ev.Event, object]]:
    from tests.kernel.sessions import fresh, random_events

    found: list[tuple[State, ev.Event, object]] = []
    for profile in Profile:
        for posture in Posture:
            start = in_posture(posture) if profile == Profile.BIBLE else fresh(profile)
            found.extend(random_events(int(posture) + 10 * profile, 1_500, start))
    return found


WALKS = walks()


@pytest.mark.req("KRN-RNG-018", "KRN-RNG-017")
def test_a_malformed_event_is_malformed_in_every_posture(states: dict[Posture, State]) -> None:
    bad: tuple[ev.Event, ...] = (
        ev.AdvanceTime(process_time_ms=-1),
        ev.CloseBar(market_time_ms=-1),
        ev.RecordHeartbeat(partition=4),
        ev.ReportGrid(members=-1),
        ev.ReportForewarner(status=3),
        ev.ReportBook(depth_quality_ppm=-1, fill_probability_ppm=0, latency_ms=0, jitter_ms=0),
        ev.ReportBook(depth_quality_ppm=0, fill_probability_ppm=-1, latency_ms=0, jitter_ms=0),
        ev.ReportBook(depth_quality_ppm=0, fill_probability_ppm=0, latency_ms=-1, jitter_ms=0),
        ev.ReportBook(depth_quality_ppm=0, fill_probability_ppm=0, latency_ms=0, jitter_ms=60_001),
        ev.UpdateMark(instrument=0, price=1),
        ev.UpdateMark(instrument=1, price=0),
        ev.ClaimInstrument(worker=8, instrument=1),
        ev.ClaimInstrument(worker=0, instrument=-1),
        order(worker=-1),
        order(instrument=0),
        order(side=0),
        order(side=2),
        order(quantity=0),
        order(limit_price=-1, market=False),
        order(limit_price=1, market=True),
        order(limit_price=0, market=False),
        order(leverage_ppm=0),
        ev.ReportFill(worker=8, quantity=1, price=1, fee=0),
        ev.ReportFill(worker=0, quantity=0, price=1, fee=0),
        ev.ReportFill(worker=0, quantity=1, price=0, fee=0),
        ev.ReportFill(worker=0, quantity=1, price=1, fee=-1),
        ev.CloseOrder(worker=8),
        ev.ReconcileLedger(cash=10**16, quantities=(0, 0, 0, 0, 0, 0, 0, 0)),
        ev.TripKillSwitch(cause=0, operator=1, reason=0),
        ev.TripKillSwitch(cause=4, operator=1, reason=0),
        ev.TripKillSwitch(cause=3, operator=-1, reason=0),
        ev.TripKillSwitch(cause=3, operator=1, reason=-1),
        ev.RequestRearm(operator=0, reason=0),
        ev.ConfirmRearm(operator=0, reason=0),
        ev.RequestPeakReset(operator=1, reason=-1),
        ev.ConfirmPeakReset(operator=65_536, reason=0),
        ev.Event(),
    )
    for state in states.values():
        for event in bad:
            assert step(state, event) == Refused(Reason.MALFORMED), event


@pytest.mark.req("KRN-STEP-001")
def test_a_refusal_is_a_value_without_a_state() -> None:
    assert [f.name for f in dataclasses.fields(Refused)] == ["reason"]


def test_drive_insists() -> None:
    """The negative control of this file's tool: a refusal does not pass for an acceptance."""
    with pytest.raises(AssertionError):
        drive(until(Posture.APEX), (ev.CloseOrder(worker=7),))
