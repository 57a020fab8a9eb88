"""``step(state, event)``: one event, one answer.

Rules of this file:

*   It only dispatches; ``answers.py`` judges ranges and the table's cell and calls the handler.
*   Its contract is the kernel's promise: from a state that satisfies ``Inv`` every event leads to
    a state that satisfies ``Inv``, by a step that satisfies ``StepProperties``. The contract is on
    in production (``contracts.py``).
*   An event's class is asked for one after the other, the most frequent first.

``step_bare`` is the same function without the contract: for replay, which checks every digest
anyway, and for ``make bench``, which shows what the contract costs.

Not here: any rule of trading. Spec module: Kernel (Next).
"""

from kernel.answers import (
    on_bar,
    on_book,
    on_claim,
    on_closing,
    on_fence,
    on_fill,
    on_forewarner,
    on_grid,
    on_heartbeat,
    on_journal_loss,
    on_journal_return,
    on_mark,
    on_order,
    on_rearm,
    on_rearm_request,
    on_reset,
    on_reset_request,
    on_restart,
    on_shock,
    on_time,
    on_trip,
    on_view,
    refused,
)
from kernel.contracts import ensure, ensure_proof, require, require_proof
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
from kernel.invariants import Inv
from kernel.outcome import Outcome, Reason
from kernel.promises import outcome_keeps_promises
from kernel.state import State


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step_bare(state: State, event: Event) -> Outcome:
    """Answer one event, without checking the contract. See ``step``."""
    # KRN-RNG-018, KRN-STEP-002, KRN-STEP-003, KRN-STEP-010, KRN-STEP-011
    if isinstance(event, AdvanceTime):
        return on_time(state, event)
    if isinstance(event, UpdateMark):
        return on_mark(state, event)
    if isinstance(event, RequestOrder):
        return on_order(state, event)
    if isinstance(event, RecordHeartbeat):
        return on_heartbeat(state, event)
    return step_sensors(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step_sensors(state: State, event: Event) -> Outcome:
    """Answer what the sensors and the driver say."""
    if isinstance(event, CloseBar):
        return on_bar(state, event)
    if isinstance(event, ReportBook):
        return on_book(state, event)
    if isinstance(event, ReportForewarner):
        return on_forewarner(state, event)
    if isinstance(event, ReportShock):
        return on_shock(state, event)
    if isinstance(event, ReportGrid):
        return on_grid(state, event)
    return step_execution(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step_execution(state: State, event: Event) -> Outcome:
    """Answer what workers claim and what execution reports."""
    if isinstance(event, ReportFill):
        return on_fill(state, event)
    if isinstance(event, CloseOrder):
        return on_closing(state, event)
    if isinstance(event, ConfirmFence):
        return on_fence(state, event)
    if isinstance(event, ReconcileLedger):
        return on_view(state, event)
    if isinstance(event, ClaimInstrument):
        return on_claim(state, event)
    return step_operator(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step_operator(state: State, event: Event) -> Outcome:  # KRN-REARM-011, KRN-RNG-018
    """Answer the operator and the kernel's own shell; what is no event at all is malformed."""
    if isinstance(event, TripKillSwitch):
        return on_trip(state, event)
    if isinstance(event, RequestRearm):
        return on_rearm_request(state, event)
    if isinstance(event, ConfirmRearm):
        return on_rearm(state, event)
    if isinstance(event, RequestPeakReset):
        return on_reset_request(state, event)
    if isinstance(event, ConfirmPeakReset):
        return on_reset(state, event)
    return step_shell(state, event)


@require_proof(lambda state: Inv(state))
@ensure_proof(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step_shell(state: State, event: Event) -> Outcome:  # KRN-RNG-017
    """Answer the kernel's own shell; what is no event at all is malformed."""
    if isinstance(event, FailJournal):
        return on_journal_loss(state, event)
    if isinstance(event, RestoreJournal):
        return on_journal_return(state, event)
    if isinstance(event, RestartKernel):
        return on_restart(state, event)
    return refused(Reason.MALFORMED)


@require(lambda state: Inv(state))
@ensure(lambda state, event, result: outcome_keeps_promises(state, event, result))
def step(state: State, event: Event) -> Outcome:  # KRN-STEP-004, KRN-STEP-007, KRN-STEP-008
    """Answer one event.

    ``state`` satisfies ``Inv``. Returns ``Accepted`` with a state that satisfies ``Inv`` and the
    effects, or ``Refused`` with the reason. Raises ``icontract.ViolationError`` if the kernel broke
    its own promise; the shell then stops and its journal says where.
    """
    return step_bare(state, event)
