"""Heartbeats, latches and causes one by one: every partition has its own age and its own limit."""

from dataclasses import replace
from itertools import product

import pytest

from kernel.constants import Cause, Partition, Profile
from kernel.events import AdvanceTime, RecordHeartbeat, TripKillSwitch
from kernel.state import Ages, State, initial_state, opening_ledger
from tests.kernel.sessions import OPENING_CASH, accept, drive, fresh, limits_of

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
