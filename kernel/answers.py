"""Dispatch of events: ranges, the cell of the transition table, the handler.

Rules of this file:

*   Ranges first (``MALFORMED``), then the table's cell, then the handler; nothing else is judged.
*   What the prover must be told first stands above the promise (``lemmas_answers.py``).
*   Each answer keeps the kernel's promise by itself: from a state that satisfies ``Inv`` to one
    that does, by a step that satisfies ``StepProperties``. The prover shows it here, event by
    event, from the handler's exact effect; at run time ``step`` asks it, once.

Not here: which event it is (``step.py``), any rule of trading. Spec module: Kernel (Next).
"""

from kernel.bar import close_bar
from kernel.contract.lemmas import flat_said
from kernel.contract.lemmas_answers import filled, moved_all, moved_one, permit_priced
from kernel.contract.outcome import refused_as
from kernel.contracts import ensure_part, ensure_proof, require_proof
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ConfirmFence,
    ConfirmPeakReset,
    ConfirmRearm,
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
from kernel.reports import report_book, report_forewarner, report_shock
from kernel.slots import owner_of
from kernel.state import State
from kernel.table import CONFIRM_REARM, REQUEST_ORDER, REQUEST_REARM, Cell


@ensure_part(lambda reason, result: refused_as(result, int(reason)))
def refused(reason: Reason) -> Outcome:
    """Return a refusal."""
    return Refused(reason=reason)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_time(state: State, event: AdvanceTime) -> Outcome:
    """Judge the range of a clock reading, then let time pass."""
    if not time_fits(event):
        return refused(Reason.MALFORMED)
    return advance_time(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(
    lambda state, event, result: moved_one(state, owner_of(state.gate, event.instrument), result)
)
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_mark(state: State, event: UpdateMark) -> Outcome:
    """Judge the range of a mark, then take it."""
    if not mark_fits(event):
        return refused(Reason.MALFORMED)
    return update_mark(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: moved_one(state, event.worker, result))
@ensure_proof(lambda state, event, result: permit_priced(state, event, result))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_order(state: State, event: RequestOrder) -> Outcome:  # KRN-GATE-001, KRN-RNG-018
    """Judge an order: its fields, the table's cell, then the gate."""
    if not order_fits(event):
        return refused(Reason.MALFORMED)
    if REQUEST_ORDER[int(state.machine.posture)] == Cell.NO:
        return refused(Reason.HIBERNATING)
    return request_order(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_heartbeat(state: State, event: RecordHeartbeat) -> Outcome:
    """Judge which partition it is, then take the heartbeat."""
    if not heartbeat_fits(event):
        return refused(Reason.MALFORMED)
    return record_heartbeat(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state: flat_said(state.gate))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_bar(state: State, event: CloseBar) -> Outcome:
    """Judge the range of a clock reading, then close the bar."""
    if not bar_fits(event):
        return refused(Reason.MALFORMED)
    return close_bar(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_book(state: State, event: ReportBook) -> Outcome:
    """Judge the ranges of a reading of the book, then take it."""
    if not book_fits(event):
        return refused(Reason.MALFORMED)
    return report_book(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_forewarner(state: State, event: ReportForewarner) -> Outcome:
    """Judge the status, then take it."""
    if not forewarner_fits(event):
        return refused(Reason.MALFORMED)
    return report_forewarner(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_shock(state: State, event: ReportShock) -> Outcome:
    """Take a shock."""
    return report_shock(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_grid(state: State, event: ReportGrid) -> Outcome:
    """Judge the count of members, then take it."""
    if not grid_fits(event):
        return refused(Reason.MALFORMED)
    return report_grid(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: moved_one(state, event.worker, result))
@ensure_proof(lambda state, event, result: filled(state, event, result))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_fill(state: State, event: ReportFill) -> Outcome:
    """Judge the ranges of a fill, then book it."""
    if not fill_fits(event):
        return refused(Reason.MALFORMED)
    return report_fill(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: moved_one(state, event.worker, result))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_closing(state: State, event: CloseOrder) -> Outcome:
    """Judge the worker, then free its permit."""
    if not closing_fits(event):
        return refused(Reason.MALFORMED)
    return close_order(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, result: moved_all(state, result))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_fence(state: State, event: ConfirmFence) -> Outcome:
    """Take the guard's word."""
    return confirm_fence(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_view(state: State, event: ReconcileLedger) -> Outcome:
    """Judge the range of execution's view, then compare."""
    if not view_fits(event):
        return refused(Reason.MALFORMED)
    return reconcile_ledger(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: moved_one(state, event.worker, result))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_claim(state: State, event: ClaimInstrument) -> Outcome:
    """Judge worker and instrument, then the claim."""
    if not claim_fits(event):
        return refused(Reason.MALFORMED)
    return claim_instrument(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_trip(state: State, event: TripKillSwitch) -> Outcome:
    """Judge the cause, then latch it."""
    if not trip_fits(event):
        return refused(Reason.MALFORMED)
    return trip_kill_switch(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_rearm_request(state: State, event: RequestRearm) -> Outcome:
    """Judge who and why, the table's cell, then the request."""
    if not act_fits(event.operator, event.reason):
        return refused(Reason.MALFORMED)
    if REQUEST_REARM[int(state.machine.posture)] == Cell.NO:
        return refused(Reason.NOTHING_TO_REARM)
    return request_rearm(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_rearm(state: State, event: ConfirmRearm) -> Outcome:
    """Judge who and why, the table's cell, then the confirmation."""
    if not act_fits(event.operator, event.reason):
        return refused(Reason.MALFORMED)
    if CONFIRM_REARM[int(state.machine.posture)] == Cell.NO:
        return refused(Reason.NO_REQUEST)
    return confirm_rearm(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_reset_request(state: State, event: RequestPeakReset) -> Outcome:
    """Judge who and why, then the request."""
    if not act_fits(event.operator, event.reason):
        return refused(Reason.MALFORMED)
    return request_peak_reset(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_reset(state: State, event: ConfirmPeakReset) -> Outcome:
    """Judge who and why, then the confirmation."""
    if not act_fits(event.operator, event.reason):
        return refused(Reason.MALFORMED)
    return confirm_peak_reset(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_journal_loss(state: State, event: FailJournal) -> Outcome:
    """The journal failed."""
    return fail_journal(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_journal_return(state: State, event: RestoreJournal) -> Outcome:
    """The journal is back."""
    return restore_journal(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def on_restart(state: State, event: RestartKernel) -> Outcome:
    """The process came up again."""
    return restart_kernel(state, event)
