"""The kill-switch: each cause, at the same step; what latches and what clears."""

import dataclasses
from dataclasses import replace
from itertools import product

import pytest

from kernel.constants import AGE_MS_MAX, Cause, Partition, Posture, Profile, Status
from kernel.events import (
    AdvanceTime,
    Event,
    FailJournal,
    ReconcileLedger,
    RecordHeartbeat,
    ReportFill,
    ReportForewarner,
    ReportGrid,
    RestartKernel,
    RestoreJournal,
    TripKillSwitch,
)
from kernel.outcome import Accepted, Effects, Reason, Refused
from kernel.slots import quantities
from kernel.state import Ages, State, initial_state, opening_ledger
from kernel.step import step
from tests.kernel.sessions import (
    OPENING_CASH,
    accept,
    bar,
    confirm,
    drive,
    fresh,
    holding,
    limits_of,
    until,
)


@pytest.fixture(scope="module")
def apex() -> State:
    return until(Posture.APEX)


def assert_killed(state: State, before: State) -> None:
    """Everything a trip promises, in one step."""
    assert state.killswitch.killed
    assert state.survival.multiplier_ppm == 0
    assert state.machine.posture == Posture.HIBERNATE
    assert state.gate.fence_epoch == before.gate.fence_epoch + 1
    assert not state.gate.fence_confirmed


req = pytest.mark.req
CAUSES = [
    pytest.param(TripKillSwitch(cause=1, operator=0, reason=1), marks=req("KRN-KILL-006")),
    pytest.param(TripKillSwitch(cause=2, operator=0, reason=1), marks=req("KRN-KILL-007")),
    pytest.param(TripKillSwitch(cause=3, operator=1, reason=1), marks=req("KRN-KILL-008")),
    pytest.param(FailJournal(), marks=req("KRN-KILL-009")),
    pytest.param(
        ReconcileLedger(cash=1, quantities=(0, 0, 0, 0, 0, 0, 0, 0)), marks=req("KRN-LEDG-019")
    ),
    pytest.param(ReportFill(worker=0, quantity=1, price=1, fee=0), marks=req("KRN-LEDG-016")),
    pytest.param(AdvanceTime(process_time_ms=30_001), marks=req("KRN-KILL-001")),
]


@pytest.mark.req("KRN-KILL-011", "KRN-KILL-012", "KRN-FENCE-001", "KRN-FENCE-002")
@pytest.mark.parametrize("event", CAUSES, ids=lambda e: type(e).__name__)
def test_every_cause_trips_within_the_step(apex: State, event: Event) -> None:
    outcome = step(apex, event)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(True, False, False)
    assert_killed(outcome.state, apex)


@pytest.mark.req("KRN-KILL-003")
def test_a_heartbeat_at_its_limit_does_not_trip(apex: State) -> None:
    assert not accept(apex, AdvanceTime(process_time_ms=30_000)).killswitch.killed


@pytest.mark.req("KRN-KILL-001", "KRN-KILL-002", "KRN-KILL-016", "KRN-KILL-018", "KRN-KILL-019")
@pytest.mark.parametrize("partition", range(4))
def test_each_partition_is_watched(apex: State, partition: int) -> None:
    state = accept(apex, AdvanceTime(process_time_ms=30_000))
    for other in range(4):
        if other != partition:
            state = accept(state, RecordHeartbeat(partition=other))
    late = accept(state, AdvanceTime(process_time_ms=30_001))
    assert_killed(late, apex)
    back = accept(late, RecordHeartbeat(partition=partition))
    assert not back.killswitch.killed
    assert back.machine.posture == Posture.HIBERNATE
    assert back.survival.multiplier_ppm == 0


@pytest.mark.req("KRN-KILL-016", "KRN-POST-013")
def test_a_liveness_cause_that_clears_early_does_not_free_a_position(apex: State) -> None:
    held = holding(apex)
    late = accept(held, AdvanceTime(process_time_ms=30_001))
    back = drive(late, (RecordHeartbeat(partition=p) for p in range(4)))
    assert not back.killswitch.killed
    state = confirm(back)
    for _ in range(200):
        state = bar(state)
    assert state.survival.multiplier_ppm > 500_000
    assert state.machine.posture == Posture.HIBERNATE


@pytest.mark.req("KRN-KILL-004", "KRN-KILL-005", "KRN-KILL-018", "KRN-KILL-022", "KRN-INIT-002")
def test_the_grid_counts_only_where_it_is_in_use() -> None:
    assert not fresh().killswitch.killed
    assert not accept(fresh(), ReportGrid(members=0)).killswitch.killed
    opened = fresh(grid_in_use=True)
    assert opened.killswitch.killed, "no member has been seen yet"
    up = accept(opened, ReportGrid(members=1))
    assert not up.killswitch.killed
    assert accept(up, ReportGrid(members=0)).killswitch.killed


@pytest.mark.req("KRN-KILL-017")
def test_integrity_latches_and_a_heartbeat_does_not_clear_it(apex: State) -> None:
    killed = accept(apex, TripKillSwitch(cause=3, operator=1, reason=1))
    assert accept(killed, RecordHeartbeat(partition=0)).killswitch.killed


@pytest.mark.req("KRN-KILL-014", "KRN-KILL-013")
def test_a_second_cause_latches_too_but_the_fence_stays(apex: State) -> None:
    killed = accept(apex, TripKillSwitch(cause=3, operator=1, reason=1))
    outcome = step(killed, TripKillSwitch(cause=1, operator=0, reason=1))
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(False, False, False)
    assert outcome.state.killswitch.latched_checksum
    assert outcome.state.killswitch.latched_operator
    assert outcome.state.gate.fence_epoch == killed.gate.fence_epoch


@pytest.mark.req("KRN-KILL-013")
def test_a_trip_in_hibernate_leaves_a_flatten_in_flight_alone(apex: State) -> None:
    flattening = confirm(accept(holding(apex), AdvanceTime(process_time_ms=30_001)))
    back = drive(flattening, (RecordHeartbeat(partition=p) for p in range(4)))
    again = step(back, AdvanceTime(process_time_ms=70_000))
    assert isinstance(again, Accepted)
    assert again.state.killswitch.killed
    assert again.state.gate.fence_epoch == flattening.gate.fence_epoch
    assert again.state.gate.slots == flattening.gate.slots
    assert again.effects == Effects(False, False, False)


@pytest.mark.req("KRN-TIME-001", "KRN-TIME-002")
def test_time_never_runs_backwards(apex: State) -> None:
    later = accept(apex, AdvanceTime(process_time_ms=10))
    assert step(later, AdvanceTime(process_time_ms=9)) == Refused(Reason.TIME_BACKWARDS)
    assert isinstance(step(later, AdvanceTime(process_time_ms=10)), Accepted)


@pytest.mark.req("KRN-KILL-021", "KRN-KILL-020")
def test_ages_saturate(apex: State) -> None:
    old = accept(apex, AdvanceTime(process_time_ms=3 * AGE_MS_MAX))
    assert old.killswitch.heartbeat_age_ms == (AGE_MS_MAX,) * 4


@pytest.mark.req("KRN-KILL-009", "KRN-KILL-023", "KRN-KILL-017")
def test_a_failed_journal_kills_and_its_return_does_not_rearm(apex: State) -> None:
    down = accept(apex, FailJournal())
    assert not down.killswitch.journal_writable
    back = accept(down, RestoreJournal())
    assert back.killswitch.journal_writable
    assert back.killswitch.latched_checksum
    assert back.killswitch.killed


@pytest.mark.req("KRN-RST-001", "KRN-RST-002", "KRN-RST-003", "KRN-RST-004")
def test_a_restart_starts_in_hibernate_and_kills_older_permits(apex: State) -> None:
    outcome = step(holding(apex), RestartKernel())
    assert isinstance(outcome, Accepted)
    assert outcome.effects == Effects(True, False, False)
    assert outcome.state.machine.posture == Posture.HIBERNATE
    assert outcome.state.survival.multiplier_ppm == 0
    assert outcome.state.killswitch.heartbeat_age_ms == (0, 0, 0, 0)
    assert outcome.state.gate.slots[0].quantity == -10, "a restart forgets no position"


@pytest.mark.req("KRN-RST-004", "KRN-RST-005")
def test_a_restart_keeps_what_latched(apex: State) -> None:
    killed = accept(apex, TripKillSwitch(cause=3, operator=1, reason=1))
    assert accept(killed, RestartKernel()).killswitch.killed


@pytest.mark.req("KRN-LEDG-018", "KRN-LEDG-020")
def test_an_equal_view_changes_nothing(apex: State) -> None:
    held = holding(apex)
    view = ReconcileLedger(cash=held.ledger.cash, quantities=quantities(held.gate))
    assert step(held, view) == Accepted(held, Effects(False, False, False))
    wrong = ReconcileLedger(cash=held.ledger.cash, quantities=(0, 0, 0, 0, 0, 0, 0, 0))
    assert accept(held, wrong).killswitch.latched_desync


# --- one by one: every partition has its own age and its own limit -------------------------------


FOREVER_MS = 30_000


def but_one(partition: Partition, own: int, others: Ages) -> Ages:
    """``others`` with one place replaced."""
    a, b, c, d = (own if place == partition else other for place, other in enumerate(others))
    return a, b, c, d


def with_limits(limits: Ages) -> State:
    """A session just opened, with these heartbeat limits, ms."""
    chosen = replace(limits_of(Profile.BIBLE), heartbeat_limit_ms=limits)
    return initial_state(chosen, opening_ledger(OPENING_CASH), 0, 0)


@pytest.mark.req("KRN-KILL-001", "KRN-KILL-002", "KRN-KILL-003")
@pytest.mark.parametrize("partition", list(Partition))
def test_each_partitions_heartbeat_has_its_own_limit(partition: Partition) -> None:
    """Only this one is as old as its limit, then older by 1 ms; the others have just beaten."""
    limits = but_one(partition, 10, (FOREVER_MS,) * 4)
    state = accept(with_limits(limits), AdvanceTime(process_time_ms=10))
    assert not state.killswitch.killed
    state = drive(state, [RecordHeartbeat(partition=p) for p in Partition if p != partition])
    assert accept(state, AdvanceTime(process_time_ms=11)).killswitch.killed


@pytest.mark.req("KRN-KILL-002")
@pytest.mark.parametrize("partition", list(Partition))
def test_a_partition_that_beats_is_not_killed_for_it(partition: Partition) -> None:
    """Its limit is short and it beats; the others are old, within their long ones."""
    limits = but_one(partition, 10, (FOREVER_MS,) * 4)
    state = accept(with_limits(limits), AdvanceTime(process_time_ms=10))
    state = accept(state, RecordHeartbeat(partition=partition))
    assert not accept(state, AdvanceTime(process_time_ms=20)).killswitch.killed


@pytest.mark.req("KRN-KILL-019", "KRN-KILL-020")
@pytest.mark.parametrize("partition", list(Partition))
def test_a_heartbeat_sets_its_own_age_to_zero(partition: Partition) -> None:
    state = fresh()
    for number, each in enumerate(Partition):
        state = accept(state, AdvanceTime(process_time_ms=state.clock.process_time_ms + 5 + number))
        state = accept(state, RecordHeartbeat(partition=each))
    state = accept(state, AdvanceTime(process_time_ms=state.clock.process_time_ms + 3))
    before = state.killswitch.heartbeat_age_ms
    assert before == (24, 18, 11, 3)
    after = accept(state, RecordHeartbeat(partition=partition))
    expected = but_one(partition, 0, before)
    assert after == replace(state, killswitch=replace(state.killswitch, heartbeat_age_ms=expected))


@pytest.mark.parametrize("causes", list(product((False, True), repeat=3)))
def test_each_cause_sets_its_own_latch(causes: tuple[bool, bool, bool]) -> None:
    state = fresh()
    for cause, wanted in zip(Cause, causes, strict=True):
        if wanted:
            state = accept(state, TripKillSwitch(cause=cause, operator=1, reason=2))
    switch = state.killswitch
    assert (switch.latched_checksum, switch.latched_desync, switch.latched_operator) == causes
    assert switch.killed == any(causes)
    assert switch.journal_writable


# --- what one event changes: states compared whole -----------------------------------------------


LATCH = {
    Cause.CHECKSUM: "latched_checksum",
    Cause.DESYNC: "latched_desync",
    Cause.OPERATOR: "latched_operator",
}


def tripped(state: State, cause: Cause) -> State:
    """The state after a trip for the cause."""
    return accept(state, TripKillSwitch(cause=int(cause), operator=1, reason=7))


@pytest.mark.req("KRN-KILL-006", "KRN-KILL-007", "KRN-KILL-008", "KRN-KILL-014")
@pytest.mark.parametrize("first", Cause)
@pytest.mark.parametrize("second", Cause)
def test_a_second_cause_latches_and_the_first_stays(first: Cause, second: Cause) -> None:
    once = tripped(fresh(), first)
    expected = {name: cause in (first, second) for cause, name in LATCH.items()}
    switch = dataclasses.replace(once.killswitch, **expected)
    assert tripped(once, second) == dataclasses.replace(once, killswitch=switch)


@pytest.mark.req("KRN-SURV-034")
@pytest.mark.parametrize("status", Status)
def test_a_status_is_taken_as_it_is_reported(status: Status) -> None:
    before = fresh()
    aged = dataclasses.replace(
        before, survival=dataclasses.replace(before.survival, forewarner_age_ms=60_000)
    )
    reading = dataclasses.replace(aged.survival, forewarner_status=status, forewarner_age_ms=0)
    after = accept(aged, ReportForewarner(status=int(status)))
    assert after == dataclasses.replace(aged, survival=reading)
