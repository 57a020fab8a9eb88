"""What the kill-switch's handlers must do, field by field.

Rules of this file:

*   A predicate here is the effect of one function of ``killswitch.py``: the causes and the
    operator's request after it. What a trip does to the other groups is said once, by
    ``trip_follows``, and every handler of a cause states it.
*   Which causes make ``killed`` true is said in ``killswitch.py`` (``cause_active``), so that this
    file stands below the code it speaks about.
*   A refusal is judged whole: its guard failed, and its reason is the guard's.

Not here: what always holds (``invariants.py``), what no step does (``promises.py``). Spec module:
KillSwitch.
"""

from kernel.causes import cause_active
from kernel.constants import Cause, Pending, Posture
from kernel.contract.outcome import effects_are, reason_is
from kernel.contract.parts import machine_is
from kernel.contract.slots import fence_advanced
from kernel.contract.survival import multiplied
from kernel.contracts import pure, require_part
from kernel.events import AdvanceTime, RecordHeartbeat, ReportGrid, TripKillSwitch
from kernel.outcome import Accepted, Outcome, Reason, Refused
from kernel.state import Ages, KillSwitch, State
from kernel.survival import older


@pure
def ages_are(ages: Ages, alpha: int, execution: int, feed: int, sensors: int) -> bool:
    """Whether the four heartbeats have these ages."""
    return ages[0] == alpha and ages[1] == execution and ages[2] == feed and ages[3] == sensors


@pure
def same_ages(a: KillSwitch, b: KillSwitch) -> bool:
    """Whether heartbeats and grid are the same."""
    return a.grid_members == b.grid_members and a.heartbeat_age_ms is b.heartbeat_age_ms


@pure
def same_latches(a: KillSwitch, b: KillSwitch) -> bool:
    """Whether latches and the journal's state are the same."""
    return (
        a.latched_checksum == b.latched_checksum
        and a.latched_desync == b.latched_desync
        and a.latched_operator == b.latched_operator
        and a.journal_writable == b.journal_writable
    )


@pure
def latches_are(
    switch: KillSwitch, checksum: bool, desync: bool, by_operator: bool, writable: bool
) -> bool:
    """Whether latches and the journal's state are these."""
    return (
        switch.latched_checksum == checksum
        and switch.latched_desync == desync
        and switch.latched_operator == by_operator
        and switch.journal_writable == writable
    )


@pure
def same_request(a: KillSwitch, b: KillSwitch) -> bool:
    """Whether the operator's request is the same."""
    return (
        a.operator_request == b.operator_request
        and a.operator_request_age_ms == b.operator_request_age_ms
    )


@pure
def same_but_killed(a: KillSwitch, b: KillSwitch) -> bool:
    """Whether the two differ in ``killed`` alone, if at all."""
    return same_ages(a, b) and same_latches(a, b) and same_request(a, b)


@pure
def hibernated(before: State, fence: bool, after: State) -> bool:
    """Whether ``after`` is ``before`` in HIBERNATE with R at 0, behind a new fence if ``fence``."""
    return (
        after.clock is before.clock
        and after.killswitch is before.killswitch
        and after.ledger is before.ledger
        and after.limits is before.limits
        and multiplied(before.survival, 0, after.survival)
        and machine_is(after.machine, Posture.HIBERNATE, 0, 0)
        and (fence_advanced(before.gate, after.gate) if fence else after.gate is before.gate)
    )


@pure
def rose(before: KillSwitch, after: KillSwitch) -> bool:
    """Whether the kernel is killed now and was not."""
    return after.killed and not before.killed


@pure
def trip_follows(before: State, answer: Accepted) -> bool:
    """What the other groups do: nothing, or where ``killed`` rose, what a trip does to them."""
    after = answer.state
    trips = rose(before.killswitch, after.killswitch)
    fence = trips and before.machine.posture != Posture.HIBERNATE
    return (
        after.ledger is before.ledger
        and after.limits is before.limits
        and effects_are(answer.effects, fence, False, False)
        and (fence_advanced(before.gate, after.gate) if fence else after.gate is before.gate)
        and (
            multiplied(before.survival, 0, after.survival)
            and machine_is(after.machine, Posture.HIBERNATE, 0, 0)
            if trips
            else after.survival is before.survival and after.machine is before.machine
        )
    )


@pure
def killed_right(answer: Accepted) -> bool:
    """Return whether ``killed`` is exactly "some cause is active"."""
    return answer.state.killswitch.killed == cause_active(
        answer.state.killswitch, answer.state.limits
    )


@pure
def switch_settled(before: State, answer: Accepted) -> bool:
    """The effect of ``settle``, the value of ``killed`` left out."""
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and same_but_killed(before.killswitch, answer.state.killswitch)
    )


@pure
def desync_latched(before: State, answer: Accepted) -> bool:
    """The effect of ``desynchronised``."""
    was = before.killswitch
    now = answer.state.killswitch
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and same_ages(was, now)
        and same_request(was, now)
        and latches_are(now, was.latched_checksum, True, was.latched_operator, was.journal_writable)
    )


@pure
@require_part(lambda before, event: event.process_time_ms >= before.clock.process_time_ms)
def time_passed(before: State, event: AdvanceTime, answer: Accepted) -> bool:
    """The effect of an accepted ``AdvanceTime``."""
    was = before.killswitch
    now = answer.state.killswitch
    ages = was.heartbeat_age_ms
    dt_ms = event.process_time_ms - before.clock.process_time_ms
    waited_ms = 0 if was.operator_request == Pending.NONE else was.operator_request_age_ms + dt_ms
    return (
        trip_follows(before, answer)
        and answer.state.clock.process_time_ms == event.process_time_ms
        and answer.state.clock.market_time_ms == before.clock.market_time_ms
        and ages_are(
            now.heartbeat_age_ms,
            older(ages[0], dt_ms),
            older(ages[1], dt_ms),
            older(ages[2], dt_ms),
            older(ages[3], dt_ms),
        )
        and now.grid_members == was.grid_members
        and same_latches(was, now)
        and now.operator_request == was.operator_request
        and now.operator_request_age_ms == older(waited_ms, 0)
    )


@pure
def time_advanced(before: State, event: AdvanceTime, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``AdvanceTime``."""
    if event.process_time_ms < before.clock.process_time_ms:
        return isinstance(outcome, Refused) and reason_is(outcome, Reason.TIME_BACKWARDS)
    return isinstance(outcome, Accepted) and time_passed(before, event, outcome)


@pure
def heartbeat_recorded(before: State, event: RecordHeartbeat, answer: Accepted) -> bool:
    """The effect of ``RecordHeartbeat``."""
    was = before.killswitch
    now = answer.state.killswitch
    ages = was.heartbeat_age_ms
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and ages_are(
            now.heartbeat_age_ms,
            ages[0] if event.partition != 0 else 0,
            ages[1] if event.partition != 1 else 0,
            ages[2] if event.partition != 2 else 0,
            ages[3] if event.partition != 3 else 0,
        )
        and now.grid_members == was.grid_members
        and same_latches(was, now)
        and same_request(was, now)
    )


@pure
def grid_reported(before: State, event: ReportGrid, answer: Accepted) -> bool:
    """The effect of ``ReportGrid``."""
    was = before.killswitch
    now = answer.state.killswitch
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and now.heartbeat_age_ms is was.heartbeat_age_ms
        and now.grid_members == event.members
        and same_latches(was, now)
        and same_request(was, now)
    )


@pure
def cause_latched(before: State, event: TripKillSwitch, answer: Accepted) -> bool:
    """The effect of ``TripKillSwitch``: the named cause is latched, the others as they were."""
    was = before.killswitch
    now = answer.state.killswitch
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and same_ages(was, now)
        and same_request(was, now)
        and latches_are(
            now,
            True if event.cause == int(Cause.CHECKSUM) else was.latched_checksum,
            True if event.cause == int(Cause.DESYNC) else was.latched_desync,
            True if event.cause == int(Cause.OPERATOR) else was.latched_operator,
            was.journal_writable,
        )
    )


@pure
def journal_failed(before: State, answer: Accepted) -> bool:
    """The effect of ``FailJournal``."""
    was = before.killswitch
    now = answer.state.killswitch
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and same_ages(was, now)
        and same_request(was, now)
        and latches_are(now, True, was.latched_desync, was.latched_operator, False)
    )


@pure
def journal_restored(before: State, answer: Accepted) -> bool:
    """The effect of ``RestoreJournal``: the journal is back, and what it latched stays."""
    was = before.killswitch
    now = answer.state.killswitch
    return (
        trip_follows(before, answer)
        and answer.state.clock is before.clock
        and now.killed == was.killed
        and same_ages(was, now)
        and same_request(was, now)
        and latches_are(now, was.latched_checksum, was.latched_desync, was.latched_operator, True)
    )


@pure
def kernel_restarted(before: State, answer: Accepted) -> bool:
    """The effect of ``RestartKernel``, the value of ``killed`` left out."""
    was = before.killswitch
    after = answer.state
    return (
        after.clock is before.clock
        and after.ledger is before.ledger
        and after.limits is before.limits
        and multiplied(before.survival, 0, after.survival)
        and machine_is(after.machine, Posture.HIBERNATE, 0, 0)
        and fence_advanced(before.gate, after.gate)
        and effects_are(answer.effects, True, False, False)
        and ages_are(after.killswitch.heartbeat_age_ms, 0, 0, 0, 0)
        and after.killswitch.grid_members == was.grid_members
        and same_latches(was, after.killswitch)
        and after.killswitch.operator_request == Pending.NONE
        and after.killswitch.operator_request_age_ms == 0
    )
