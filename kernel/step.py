"""``step(state, event)``: one event, one answer.

Rules of this file:

*   It only dispatches: ranges first, then the table's cell, then the handler.
*   Its contract is the kernel's promise: from a state that satisfies ``Inv`` every event leads to
    a state that satisfies ``Inv``, by a step that satisfies ``StepProperties``. The contract is on
    in production (``contracts.py``).
*   An event's class is asked for one after the other, the most frequent first.

``step_bare`` is the same function without the contract: for replay, which checks every digest
anyway, and for ``make bench``, which shows what the contract costs.

Not here: any rule of trading. Spec module: Kernel (Next).
"""

from kernel.contracts import ensure, require
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
from kernel.gate import claim_instrument, close_order, confirm_fence, request_order
from kernel.invariants import Inv
from kernel.killswitch import (
    advance_time,
    fail_journal,
    record_heartbeat,
    report_grid,
    restart_kernel,
    restore_journal,
    trip_kill_switch,
)
from kernel.ledger import reconcile_ledger, report_fill, update_mark
from kernel.outcome import Outcome, Reason, Refused
from kernel.posture import close_bar
from kernel.promises import outcome_keeps_promises
from kernel.ranges import (
    act_fits,
    bar_fits,
    book_fits,
    claim_fits,
    closing_fits,
    fill_fits,
    forewarner_fits,
    grid_fits,
    heartbeat_fits,
    mark_fits,
    order_fits,
    time_fits,
    trip_fits,
    view_fits,
)
from kernel.rearm import confirm_peak_reset, confirm_rearm, request_peak_reset, request_rearm
from kernel.state import State
from kernel.survival import report_book, report_forewarner, report_shock
from kernel.table import CONFIRM_REARM, REQUEST_ORDER, REQUEST_REARM, Cell


def refused(reason: Reason) -> Outcome:
    """Return a refusal."""
    return Refused(reason=reason)


def step_bare(state: State, event: Event) -> Outcome:
    """Answer one event, without checking the contract. See ``step``."""
    if isinstance(event, AdvanceTime):
        return on_time(state, event)
    if isinstance(event, UpdateMark):
        if not mark_fits(event):
            return refused(Reason.MALFORMED)
        return update_mark(state, event)
    if isinstance(event, RequestOrder):
        return on_order(state, event)
    if isinstance(event, RecordHeartbeat):
        if not heartbeat_fits(event):
            return refused(Reason.MALFORMED)
        return record_heartbeat(state, event)
    return step_sensors(state, event)


def on_time(state: State, event: AdvanceTime) -> Outcome:
    """Judge the range of a clock reading, then let time pass."""
    if not time_fits(event):
        return refused(Reason.MALFORMED)
    return advance_time(state, event)


def on_order(state: State, event: RequestOrder) -> Outcome:
    """Judge an order: its fields, the table's cell, then the gate."""
    if not order_fits(event):
        return refused(Reason.MALFORMED)
    if REQUEST_ORDER[int(state.machine.posture)] == Cell.NO:
        return refused(Reason.HIBERNATING)
    return request_order(state, event)


def step_sensors(state: State, event: Event) -> Outcome:
    """Answer what the sensors and the driver say."""
    if isinstance(event, CloseBar):
        if not bar_fits(event):
            return refused(Reason.MALFORMED)
        return close_bar(state, event)
    if isinstance(event, ReportBook):
        if not book_fits(event):
            return refused(Reason.MALFORMED)
        return report_book(state, event)
    if isinstance(event, ReportForewarner):
        if not forewarner_fits(event):
            return refused(Reason.MALFORMED)
        return report_forewarner(state, event)
    if isinstance(event, ReportShock):
        return report_shock(state, event)
    if isinstance(event, ReportGrid):
        if not grid_fits(event):
            return refused(Reason.MALFORMED)
        return report_grid(state, event)
    return step_execution(state, event)


def step_execution(state: State, event: Event) -> Outcome:
    """Answer what workers claim and what execution reports."""
    if isinstance(event, ReportFill):
        if not fill_fits(event):
            return refused(Reason.MALFORMED)
        return report_fill(state, event)
    if isinstance(event, CloseOrder):
        if not closing_fits(event):
            return refused(Reason.MALFORMED)
        return close_order(state, event)
    if isinstance(event, ConfirmFence):
        return confirm_fence(state, event)
    if isinstance(event, ReconcileLedger):
        if not view_fits(event):
            return refused(Reason.MALFORMED)
        return reconcile_ledger(state, event)
    if isinstance(event, ClaimInstrument):
        if not claim_fits(event):
            return refused(Reason.MALFORMED)
        return claim_instrument(state, event)
    return step_operator(state, event)


def step_operator(state: State, event: Event) -> Outcome:
    """Answer the operator and the kernel's own shell; what is no event at all is malformed."""
    if isinstance(event, TripKillSwitch):
        if not trip_fits(event):
            return refused(Reason.MALFORMED)
        return trip_kill_switch(state, event)
    if isinstance(event, RequestRearm):
        if not act_fits(event.operator, event.reason):
            return refused(Reason.MALFORMED)
        if REQUEST_REARM[int(state.machine.posture)] == Cell.NO:
            return refused(Reason.NOTHING_TO_REARM)
        return request_rearm(state, event)
    if isinstance(event, ConfirmRearm):
        if not act_fits(event.operator, event.reason):
            return refused(Reason.MALFORMED)
        if CONFIRM_REARM[int(state.machine.posture)] == Cell.NO:
            return refused(Reason.NO_REQUEST)
        return confirm_rearm(state, event)
    if isinstance(event, RequestPeakReset):
        if not act_fits(event.operator, event.reason):
            return refused(Reason.MALFORMED)
        return request_peak_reset(state, event)
    if isinstance(event, ConfirmPeakReset):
        if not act_fits(event.operator, event.reason):
            return refused(Reason.MALFORMED)
        return confirm_peak_reset(state, event)
    return step_shell(state, event)


def step_shell(state: State, event: Event) -> Outcome:
    """Answer the kernel's own shell; what is no event at all is malformed."""
    if isinstance(event, FailJournal):
        return fail_journal(state, event)
    if isinstance(event, RestoreJournal):
        return restore_journal(state, event)
    if isinstance(event, RestartKernel):
        return restart_kernel(state, event)
    return refused(Reason.MALFORMED)


@require(lambda state: Inv(state))
@ensure(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step(state: State, event: Event) -> Outcome:
    """Answer one event.

    ``state`` satisfies ``Inv``. Returns ``Accepted`` with a state that satisfies ``Inv`` and the
    effects, or ``Refused`` with the reason. Raises ``icontract.ViolationError`` if the kernel broke
    its own promise; the shell then stops and its journal says where.
    """
    return step_bare(state, event)
