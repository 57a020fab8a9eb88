"""Operator commands: two steps, a cooling time, a window, and what each needs."""

import pytest

from kernel.constants import Pending, Posture
from kernel.events import (
    AdvanceTime,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    FailJournal,
    RecordHeartbeat,
    ReportFill,
    RequestPeakReset,
    RequestRearm,
    RestoreJournal,
    TripKillSwitch,
    UpdateMark,
)
from kernel.outcome import Reason, Refused
from kernel.slots import flat
from kernel.state import State
from kernel.step import step
from tests.kernel.sessions import (
    BTC_LOT,
    accept,
    bar,
    confirm,
    drive,
    fresh,
    holding,
    until,
)

KILL = TripKillSwitch(cause=3, operator=1, reason=1)
ASK = RequestRearm(operator=1, reason=2)
CONFIRM = ConfirmRearm(operator=2, reason=2)
ASK_PEAK = RequestPeakReset(operator=1, reason=3)
CONFIRM_PEAK = ConfirmPeakReset(operator=2, reason=3)


def passing(state: State, ms: int) -> State:
    """Process time passes with every heart beating."""
    end = state.clock.process_time_ms + ms
    while state.clock.process_time_ms < end:
        at = min(end, state.clock.process_time_ms + 10_000)
        state = accept(state, AdvanceTime(process_time_ms=at))
        state = drive(state, (RecordHeartbeat(partition=p) for p in range(4)))
    return state


@pytest.fixture(scope="module")
def killed() -> State:
    return confirm(accept(until(Posture.APEX), KILL))


def refusal(state: State, event: Event) -> Reason:
    outcome = step(state, event)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


@pytest.mark.req(
    "KRN-REARM-002",
    "KRN-REARM-003",
    "KRN-REARM-004",
    "KRN-REARM-007",
    "KRN-REARM-012",
)
def test_rearm_in_two_steps(killed: State) -> None:
    assert refusal(killed, CONFIRM) == Reason.NO_REQUEST
    asked = accept(killed, ASK)
    assert asked.killswitch.operator_request == Pending.REARM
    assert refusal(passing(asked, 9_999), CONFIRM) == Reason.COOLING
    cooled = passing(asked, 10_000)
    armed = accept(cooled, CONFIRM)
    assert not armed.killswitch.killed
    assert armed.machine.posture == Posture.HIBERNATE
    assert armed.survival.multiplier_ppm == 0
    assert refusal(armed, CONFIRM) == Reason.NO_REQUEST
    assert until(Posture.APEX, armed).machine.posture == Posture.APEX


@pytest.mark.req("KRN-REARM-005")
def test_the_window_closes(killed: State) -> None:
    asked = accept(killed, ASK)
    assert refusal(passing(asked, 600_001), CONFIRM) == Reason.REQUEST_EXPIRED
    assert not accept(passing(asked, 600_000), CONFIRM).killswitch.killed


@pytest.mark.req("KRN-REARM-009", "KRN-REARM-003", "KRN-REARM-010")
def test_a_new_request_replaces_the_old_one(killed: State) -> None:
    asked = passing(accept(killed, ASK), 9_000)
    again = passing(accept(asked, ASK), 9_000)
    assert refusal(again, CONFIRM) == Reason.COOLING
    other = passing(accept(asked, ASK_PEAK), 10_000)
    assert refusal(other, CONFIRM) == Reason.NO_REQUEST


@pytest.mark.req("KRN-REARM-001")
def test_nothing_to_rearm_where_only_a_heartbeat_is_late() -> None:
    late = accept(until(Posture.APEX), AdvanceTime(process_time_ms=30_001))
    assert late.killswitch.killed
    assert refusal(late, ASK) == Reason.NOTHING_TO_REARM


@pytest.mark.req("KRN-REARM-008", "KRN-REARM-007")
def test_a_rearm_does_not_lift_a_liveness_cause(killed: State) -> None:
    asked = accept(killed, ASK)
    late = accept(asked, AdvanceTime(process_time_ms=31_000))
    armed = accept(late, CONFIRM)
    assert not armed.killswitch.latched_operator
    assert armed.killswitch.killed


@pytest.mark.req("KRN-REARM-006", "KRN-PEAK-005")
def test_no_operator_act_is_confirmed_without_a_journal() -> None:
    down = accept(until(Posture.APEX), FailJournal())
    cooled = passing(accept(down, ASK), 10_000)
    assert refusal(cooled, CONFIRM) == Reason.JOURNAL_DOWN
    back = accept(cooled, RestoreJournal())
    assert not accept(back, CONFIRM).killswitch.killed
    peak = passing(accept(down, ASK_PEAK), 10_000)
    assert refusal(peak, CONFIRM_PEAK) == Reason.JOURNAL_DOWN


def in_drawdown() -> State:
    """A flat book 6 % below its peak: APEX is barred for good."""
    state = holding(until(Posture.APEX), lots=300)
    price = BTC_LOT + state.ledger.cash * 6 // 100 // 300
    state = accept(state, UpdateMark(instrument=1, price=price))
    state = confirm(accept(state, KILL))
    state = accept(state, ReportFill(worker=0, quantity=300, price=price, fee=0))
    assert flat(state.gate)
    return accept(passing(accept(state, ASK), 10_000), CONFIRM)


@pytest.mark.req("KRN-PEAK-007", "KRN-PEAK-008")
def test_a_peak_reset_lets_a_flat_book_reach_apex_again() -> None:
    state = in_drawdown()
    for _ in range(400):
        state = bar(state)
    assert state.machine.posture == Posture.STALKER, "the sigmoid holds it below 0.90"
    cooled = passing(accept(state, ASK_PEAK), 10_000)
    reset = accept(cooled, CONFIRM_PEAK)
    assert reset.ledger.drawdown_ppm == 0
    assert reset.ledger.equity_peak == reset.ledger.cash
    assert reset.survival.multiplier_ppm == cooled.survival.multiplier_ppm, "not before the bar"
    assert until(Posture.APEX, reset).machine.posture == Posture.APEX


@pytest.mark.req("KRN-PEAK-001", "KRN-PEAK-006")
def test_a_peak_reset_needs_a_flat_book_in_both_steps() -> None:
    apex = until(Posture.APEX)
    assert refusal(holding(apex), ASK_PEAK) == Reason.NOT_FLAT
    asked = passing(accept(apex, ASK_PEAK), 9_000)
    held = passing(holding(asked), 1_000)
    assert refusal(held, CONFIRM_PEAK) == Reason.NOT_FLAT


@pytest.mark.req("KRN-PEAK-003", "KRN-PEAK-004")
def test_a_peak_reset_cools_and_expires() -> None:
    asked = accept(fresh(), ASK_PEAK)
    assert refusal(asked, CONFIRM_PEAK) == Reason.COOLING
    assert refusal(passing(asked, 600_001), CONFIRM_PEAK) == Reason.REQUEST_EXPIRED
    assert refusal(fresh(), CONFIRM_PEAK) == Reason.NO_REQUEST
