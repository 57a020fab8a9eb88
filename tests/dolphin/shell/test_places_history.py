"""What a history counts and marks, whole and word by word.

Not here: the history of a shell and of a journal (``test_core_rest``).
"""

from dataclasses import replace

import pytest

from dolphin.shell.history import MARKED, History
from kernel.constants import Posture
from kernel.events import (
    AdvanceTime,
    CloseBar,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    RequestPeakReset,
    RequestRearm,
    RestartKernel,
    TripKillSwitch,
)
from kernel.outcome import Accepted, no_effects
from kernel.state import State, initial_state, opening_ledger
from kernel.step import step
from tests.dolphin.shell.conftest import LIMITS

T0_MS = 7


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
    first, last = (
        replace(state, machine=replace(state.machine, posture=one)) for one in (posture, after)
    )
    history.see(first, CloseBar(market_time_ms=300_000), Accepted(state=last, effects=no_effects()))
    assert history.counts["demotions"] == demotions
