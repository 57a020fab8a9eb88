"""The kill-switch: category 1, the only binary one.

Theory. Two kinds of cause. Integrity causes (checksum, desync, operator) latch until an operator
re-arms in two steps (``rearm.py``). Liveness causes (a late heartbeat, an empty grid) are functions
of ages and counts, and go when those do. ``killed`` is true exactly while some cause is active.

Rules of this file:

*   ``settle`` is the only place where ``killed`` changes. When it rises the kernel trips within the
    same step: multiplier 0, HIBERNATE, and the fence advances. When it falls nothing else moves:
    the multiplier is earned back from 0, and HIBERNATE is left only when flat (``posture.py``), so
    a heartbeat that comes back cannot free a position from its flatten.
*   A trip in HIBERNATE leaves the fence where it is: no worker's permit of the current epoch is
    outstanding there, and advancing would starve a flatten in flight for as long as a heartbeat
    flaps (ADR 0023).
*   No damping, no hysteresis (specification VI.1 category 1, VI.3).

Not here: the re-arm (``rearm.py``), fills and views that do not match (``ledger.py``).
Spec module: KillSwitch. Sources: bible 11.2 (30 s, nodes < 1), specification VI.1.
"""

from kernel.causes import cause_active
from kernel.constants import Cause, Pending, Posture
from kernel.contract.killswitch import (
    cause_latched,
    desync_latched,
    grid_reported,
    heartbeat_recorded,
    hibernated,
    journal_failed,
    journal_restored,
    kernel_restarted,
    killed_right,
    latches_are,
    same_ages,
    same_but_killed,
    same_latches,
    same_request,
    switch_settled,
    time_advanced,
)
from kernel.contracts import ensure_part
from kernel.events import (
    AdvanceTime,
    FailJournal,
    RecordHeartbeat,
    ReportGrid,
    RestartKernel,
    RestoreJournal,
    TripKillSwitch,
)
from kernel.outcome import Accepted, Effects, Outcome, Reason, Refused
from kernel.parts import accepted, with_clock, with_killswitch
from kernel.slots import advance_fence
from kernel.state import Ages, Clock, KillSwitch, PostureMachine, State
from kernel.survival import older, with_multiplier


@ensure_part(lambda state, fence, result: hibernated(state, fence, result))
def hibernate(state: State, fence: bool) -> State:  # KRN-KILL-011, KRN-RST-001
    """Return the state in HIBERNATE with multiplier 0, behind a new fence if ``fence``."""
    return State(
        clock=state.clock,
        killswitch=state.killswitch,
        survival=with_multiplier(state.survival, 0),
        machine=PostureMachine(posture=Posture.HIBERNATE, bars_below=0, bars_above=0),
        gate=advance_fence(state.gate) if fence else state.gate,
        ledger=state.ledger,
        limits=state.limits,
    )


@ensure_part(
    lambda killswitch, killed, result: (
        result.killed == killed and same_but_killed(killswitch, result)
    )
)
def with_killed(killswitch: KillSwitch, killed: bool) -> KillSwitch:
    """Return the kill-switch with ``killed`` as told."""
    return KillSwitch(
        heartbeat_age_ms=killswitch.heartbeat_age_ms,
        grid_members=killswitch.grid_members,
        latched_checksum=killswitch.latched_checksum,
        latched_desync=killswitch.latched_desync,
        latched_operator=killswitch.latched_operator,
        journal_writable=killswitch.journal_writable,
        killed=killed,
        operator_request=killswitch.operator_request,
        operator_request_age_ms=killswitch.operator_request_age_ms,
    )


@ensure_part(
    lambda checksum, desync, by_operator, writable, result: latches_are(
        result, checksum, desync, by_operator, writable
    )
)
@ensure_part(
    lambda killswitch, result: (
        same_ages(killswitch, result)
        and same_request(killswitch, result)
        and result.killed == killswitch.killed
    )
)
def with_latches(
    killswitch: KillSwitch, checksum: bool, desync: bool, by_operator: bool, writable: bool
) -> KillSwitch:
    """Return the kill-switch with its latches and the journal's state as told."""
    return KillSwitch(
        heartbeat_age_ms=killswitch.heartbeat_age_ms,
        grid_members=killswitch.grid_members,
        latched_checksum=checksum,
        latched_desync=desync,
        latched_operator=by_operator,
        journal_writable=writable,
        killed=killswitch.killed,
        operator_request=killswitch.operator_request,
        operator_request_age_ms=killswitch.operator_request_age_ms,
    )


@ensure_part(
    lambda killswitch, heartbeat_age_ms, request_age_ms, result: (
        result.heartbeat_age_ms is heartbeat_age_ms
        and result.grid_members == killswitch.grid_members
        and same_latches(killswitch, result)
        and result.killed == killswitch.killed
        and result.operator_request == killswitch.operator_request
        and result.operator_request_age_ms == request_age_ms
    )
)
def with_ages(killswitch: KillSwitch, heartbeat_age_ms: Ages, request_age_ms: int) -> KillSwitch:
    """Return the kill-switch with its ages as told."""
    return KillSwitch(
        heartbeat_age_ms=heartbeat_age_ms,
        grid_members=killswitch.grid_members,
        latched_checksum=killswitch.latched_checksum,
        latched_desync=killswitch.latched_desync,
        latched_operator=killswitch.latched_operator,
        journal_writable=killswitch.journal_writable,
        killed=killswitch.killed,
        operator_request=killswitch.operator_request,
        operator_request_age_ms=request_age_ms,
    )


@ensure_part(lambda state, result: killed_right(result) and switch_settled(state, result))
def settle(state: State) -> Accepted:
    """Recompute ``killed`` after the causes may have changed; trip if it rose."""
    # KRN-KILL-010, KRN-KILL-011, KRN-KILL-012, KRN-KILL-013, KRN-KILL-016, KRN-KILL-018
    killed = cause_active(state.killswitch, state.limits)
    if killed == state.killswitch.killed:
        return accepted(state)
    after = with_killswitch(state, with_killed(state.killswitch, killed))
    if not killed:
        return accepted(after)
    fence = state.machine.posture != Posture.HIBERNATE
    return Accepted(
        state=hibernate(after, fence),
        effects=Effects(cancel_all_orders=fence, flatten_positions=False, issue_permit=False),
    )


@ensure_part(lambda state, result: killed_right(result) and desync_latched(state, result))
def desynchronised(state: State) -> Accepted:
    """Latch DESYNC: execution did something the kernel did not permit, or holds another book."""
    # KRN-LEDG-016, KRN-LEDG-019, KRN-LEDG-020, KRN-KILL-014
    before = state.killswitch
    after = with_latches(
        before, before.latched_checksum, True, before.latched_operator, before.journal_writable
    )
    return settle(with_killswitch(state, after))


@ensure_part(lambda result: isinstance(result, Refused) or killed_right(result))
@ensure_part(lambda state, event, result: time_advanced(state, event, result))
def advance_time(state: State, event: AdvanceTime) -> Outcome:
    """Let process time pass; a heartbeat that gets too old trips the kernel in this very step."""
    # KRN-TIME-001, KRN-TIME-002, KRN-TIME-007, KRN-TIME-008, KRN-KILL-001, KRN-KILL-020,
    # KRN-KILL-021, KRN-REARM-010
    dt_ms = event.process_time_ms - state.clock.process_time_ms
    if dt_ms < 0:
        return Refused(reason=Reason.TIME_BACKWARDS)
    before = state.killswitch
    ages = before.heartbeat_age_ms
    pending = before.operator_request != Pending.NONE
    after = with_ages(
        before,
        (
            older(ages[0], dt_ms),
            older(ages[1], dt_ms),
            older(ages[2], dt_ms),
            older(ages[3], dt_ms),
        ),
        older(before.operator_request_age_ms, dt_ms) if pending else 0,
    )
    clock = Clock(process_time_ms=event.process_time_ms, market_time_ms=state.clock.market_time_ms)
    return settle(with_clock(with_killswitch(state, after), clock))


@ensure_part(lambda result: killed_right(result))
@ensure_part(lambda state, event, result: heartbeat_recorded(state, event, result))
def record_heartbeat(state: State, event: RecordHeartbeat) -> Accepted:
    """A partition is alive: its age is 0."""
    # KRN-KILL-018, KRN-KILL-019
    before = state.killswitch
    ages = before.heartbeat_age_ms
    fresh = (
        0 if event.partition == 0 else ages[0],
        0 if event.partition == 1 else ages[1],
        0 if event.partition == 2 else ages[2],
        0 if event.partition == 3 else ages[3],
    )
    return settle(with_killswitch(state, with_ages(before, fresh, before.operator_request_age_ms)))


@ensure_part(lambda result: killed_right(result))
@ensure_part(lambda state, event, result: grid_reported(state, event, result))
def report_grid(state: State, event: ReportGrid) -> Accepted:  # KRN-KILL-004, KRN-KILL-022
    """Take the number of grid members; none trips, where a grid is in use."""
    before = state.killswitch
    after = KillSwitch(
        heartbeat_age_ms=before.heartbeat_age_ms,
        grid_members=event.members,
        latched_checksum=before.latched_checksum,
        latched_desync=before.latched_desync,
        latched_operator=before.latched_operator,
        journal_writable=before.journal_writable,
        killed=before.killed,
        operator_request=before.operator_request,
        operator_request_age_ms=before.operator_request_age_ms,
    )
    return settle(with_killswitch(state, after))


@ensure_part(lambda result: killed_right(result))
@ensure_part(lambda state, event, result: cause_latched(state, event, result))
def trip_kill_switch(state: State, event: TripKillSwitch) -> Accepted:
    """Latch the named cause."""
    # KRN-KILL-006, KRN-KILL-007, KRN-KILL-008, KRN-KILL-014, KRN-KILL-017
    before = state.killswitch
    after = with_latches(
        before,
        before.latched_checksum or event.cause == int(Cause.CHECKSUM),
        before.latched_desync or event.cause == int(Cause.DESYNC),
        before.latched_operator or event.cause == int(Cause.OPERATOR),
        before.journal_writable,
    )
    return settle(with_killswitch(state, after))


@ensure_part(lambda state, result: killed_right(result) and journal_failed(state, result))
def fail_journal(state: State, event: FailJournal) -> Accepted:  # KRN-KILL-009
    """The journal cannot be written: a checksum cause, since nothing after it is evidence."""
    before = state.killswitch
    after = with_latches(before, True, before.latched_desync, before.latched_operator, False)
    return settle(with_killswitch(state, after))


@ensure_part(lambda state, result: journal_restored(state, result))
def restore_journal(state: State, event: RestoreJournal) -> Accepted:  # KRN-KILL-023
    """The journal can be written again. What it latched stays latched."""
    before = state.killswitch
    after = with_latches(
        before,
        before.latched_checksum,
        before.latched_desync,
        before.latched_operator,
        True,
    )
    return accepted(with_killswitch(state, after))


@ensure_part(lambda state, result: killed_right(result) and kernel_restarted(state, result))
def restart_kernel(state: State, event: RestartKernel) -> Accepted:
    """The process came up again: HIBERNATE, multiplier 0, and every older permit dies."""
    # KRN-RST-001, KRN-RST-002, KRN-RST-003, KRN-RST-004, KRN-RST-005
    before = state.killswitch
    settled = KillSwitch(
        heartbeat_age_ms=(0, 0, 0, 0),
        grid_members=before.grid_members,
        latched_checksum=before.latched_checksum,
        latched_desync=before.latched_desync,
        latched_operator=before.latched_operator,
        journal_writable=before.journal_writable,
        killed=before.killed,
        operator_request=Pending.NONE,
        operator_request_age_ms=0,
    )
    after = with_killed(settled, cause_active(settled, state.limits))
    return Accepted(
        state=hibernate(with_killswitch(state, after), True),
        effects=Effects(cancel_all_orders=True, flatten_positions=False, issue_permit=False),
    )
