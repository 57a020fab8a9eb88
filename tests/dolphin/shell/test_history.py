"""What a history counts and marks, whole and word by word.

Not here: the history of a shell and of a journal (``test_core``, ``test_journal``).
"""

from dataclasses import replace

import pytest

from dolphin.shell.history import MARKED, History
from kernel.constants import PPM, Posture
from kernel.events import (
    AdvanceTime,
    CloseBar,
    ConfirmFence,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    RequestOrder,
    RequestPeakReset,
    RequestRearm,
    RestartKernel,
    TripKillSwitch,
)
from kernel.outcome import Accepted, no_effects
from kernel.slots import put
from kernel.state import State, initial_state, opening_ledger
from kernel.step import step
from tests.dolphin.shell.conftest import LIMITS

T0_MS = 7
TRIP = TripKillSwitch(cause=3, operator=1, reason=1)
ORDER = RequestOrder(
    worker=2, instrument=1, side=1, reduce_only=False, market=True, quantity=1, limit_price=0,
    leverage_ppm=PPM,
)  # fmt: skip


def opening() -> State:
    return initial_state(LIMITS, opening_ledger(10**9), 0, T0_MS)


def seen(*events: Event) -> History:
    """Return the history of these events from the opening state."""
    history, state = History(), opening()
    for event in events:
        outcome = step(state, event)
        history.see(state, event, outcome)
        state = outcome.state if isinstance(outcome, Accepted) else state
    return history


def in_posture(state: State, posture: Posture) -> State:
    return replace(state, machine=replace(state.machine, posture=posture))


def killed(state: State) -> State:
    """Killed by a late heartbeat of one partition and by an operator, two positions open."""
    ages = (31_000, 1, 2, 3)
    now = replace(state.killswitch, killed=True, latched_operator=True, heartbeat_age_ms=ages)
    slots = put(state.gate.slots, 0, replace(state.gate.slots[0], quantity=1))
    slots = put(slots, 4, replace(slots[4], quantity=-5))
    return replace(state, killswitch=now, gate=replace(state.gate, slots=slots))


def told(*steps: tuple[State, Event, State, bool]) -> dict[str, object]:
    """The account after these steps: before, event, after, whether it flattens."""
    history = History()
    for before, event, after, flattens in steps:
        effects = replace(no_effects(), flatten_positions=flattens)
        history.see(before, event, Accepted(state=after, effects=effects))
    return history.account()


@pytest.mark.req("SHL-035")
def test_see_counts_every_event_once_and_marks_what_an_operator_and_a_restart_did() -> None:
    history = seen(
        RequestPeakReset(operator=1, reason=1),
        AdvanceTime(process_time_ms=200),
        ConfirmPeakReset(operator=1, reason=1),
        ConfirmPeakReset(operator=1, reason=1),
        TripKillSwitch(cause=3, operator=1, reason=1),
        RequestRearm(operator=1, reason=1),
        AdvanceTime(process_time_ms=400),
        ConfirmRearm(operator=1, reason=1),
        RestartKernel(),
    )
    told = history.account()
    assert told["counts"] == {
        "events": 9,
        "RequestPeakReset": 1,
        "AdvanceTime": 2,
        "ConfirmPeakReset": 1,
        "TripKillSwitch": 1,
        "trips": 1,
        "RequestRearm": 1,
        "ConfirmRearm": 1,
        "RestartKernel": 1,
    }
    assert told["refusals"] == {"NO_REQUEST": 1}
    assert [(mark["market_time_ms"], mark["kind"], mark["text"]) for mark in told["marks"]] == [
        (T0_MS, "peak_reset", "equity peak reset"),
        (T0_MS, "trip", "OPERATOR"),
        (T0_MS, "rearm", "re-armed"),
        (T0_MS, "restart", "kernel restarted on its journal"),
    ]


@pytest.mark.req("SHL-035")
def test_what_is_marked_beside_trips_and_flattens_is_these_three_events() -> None:
    assert MARKED == {
        "ConfirmRearm": ("rearm", "re-armed"),
        "ConfirmPeakReset": ("peak_reset", "equity peak reset"),
        "RestartKernel": ("restart", "kernel restarted on its journal"),
    }


@pytest.mark.req("SHL-035")
@pytest.mark.parametrize(
    ("posture", "after", "demotions"),
    [
        (Posture.APEX, Posture.STALKER, 1),
        (Posture.TURTLE, Posture.HIBERNATE, 1),
        (Posture.STALKER, Posture.STALKER, 0),
        (Posture.HIBERNATE, Posture.HIBERNATE, 0),
        (Posture.TURTLE, Posture.STALKER, 0),
    ],
)
def test_see_counts_a_demotion_where_the_posture_fell(
    posture: Posture, after: Posture, demotions: int
) -> None:
    history, state = History(), opening()
    first, last = (in_posture(state, one) for one in (posture, after))
    history.see(first, CloseBar(market_time_ms=300_000), Accepted(state=last, effects=no_effects()))
    assert history.counts["demotions"] == demotions


@pytest.mark.req("SHL-035")
def test_what_happens_twice_is_counted_twice() -> None:
    state = initial_state(LIMITS, opening_ledger(10**9), 80, 70)
    state = in_posture(state, Posture.APEX)
    low = in_posture(state, Posture.STALKER)
    shut = replace(ORDER, reduce_only=True)
    fence = ConfirmFence(epoch=1)
    bar = CloseBar(market_time_ms=1)
    found = told(
        *[(state, ORDER, state, False)] * 2,
        *[(state, shut, state, False)] * 3,
        *[(state, bar, low, False)] * 2,
        *[(low, TRIP, killed(low), False)] * 2,
        *[(low, fence, low, True)] * 2,
    )
    assert found["counts"] == {
        "events": 11, "RequestOrder": 5, "entries": 2, "entries_worker_2": 2, "exits": 3,
        "CloseBar": 2, "demotions": 2, "TripKillSwitch": 2, "trips": 2, "ConfirmFence": 2,
        "flattens": 2,
    }  # fmt: skip
    one_trip = {
        "market_time_ms": 70, "process_time_ms": 80, "event": "TripKillSwitch",
        "causes": ["HEARTBEAT", "OPERATOR"], "posture_before": "STALKER", "positions_open": 2,
        "heartbeat_age_ms": [31_000, 1, 2, 3],
    }  # fmt: skip
    assert found["trips"] == [one_trip] * 2
    assert found["marks"] == [
        *[{"market_time_ms": 70, "kind": "trip", "text": "HEARTBEAT+OPERATOR"}] * 2,
        *[{"market_time_ms": 70, "kind": "flatten", "text": "flatten"}] * 2,
    ]
    assert sorted(found) == ["counts", "marks", "refusals", "trips"]
