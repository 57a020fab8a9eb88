"""Operator commands: re-arm after a kill, and reset the equity peak. Two steps each.

Theory. What an operator undoes must be asked for, wait, and be confirmed: a cooling time between
the two steps, and a window after which the request is stale. One request waits at a time; a new one
replaces it. Who and why are numbers here and words beside them in the journal.

Rules of this file:

*   A re-arm clears latches and nothing else. The multiplier stays 0 and is earned back.
*   A peak reset needs a flat book, in both steps. Without resets a drawdown of 4.68 % would bar
    APEX for good and one of 8.34 % every entry, since a flat book earns nothing (docs/CURVES.md).
*   Neither is confirmed while the journal cannot be written: an operator's act needs a record.

Not here: the kill (``killswitch.py``). Spec module: KillSwitch (requests), Ledger (peak).
Sources: design 3.2, 3.3.
"""

from kernel.causes import latched
from kernel.constants import Pending
from kernel.contract.killswitch import same_ages, same_latches
from kernel.contract.rearm import (
    confirmation_judged,
    is_confirm_reason,
    peak_judged,
    rearm_judged,
    request_judged,
)
from kernel.contracts import ensure_part, pure, require_part
from kernel.equity import drawdown, equity
from kernel.events import ConfirmPeakReset, ConfirmRearm, RequestPeakReset, RequestRearm
from kernel.killswitch import settle, with_latches
from kernel.outcome import Outcome, Reason, Refused
from kernel.parts import accepted, with_killswitch, with_ledger
from kernel.slots import flat
from kernel.state import KillSwitch, Ledger, State
from kernel.survival import lower, readings_in_range


@ensure_part(
    lambda killswitch, request, result: (
        same_ages(killswitch, result)
        and same_latches(killswitch, result)
        and result.killed == killswitch.killed
        and result.operator_request == request
        and result.operator_request_age_ms == 0
    )
)
def with_request(killswitch: KillSwitch, request: Pending) -> KillSwitch:
    """Return the kill-switch with a request made just now (or none)."""
    return KillSwitch(
        heartbeat_age_ms=killswitch.heartbeat_age_ms,
        grid_members=killswitch.grid_members,
        latched_checksum=killswitch.latched_checksum,
        latched_desync=killswitch.latched_desync,
        latched_operator=killswitch.latched_operator,
        journal_writable=killswitch.journal_writable,
        killed=killswitch.killed,
        operator_request=request,
        operator_request_age_ms=0,
    )


@pure
@ensure_part(lambda state, request, result: confirmation_judged(state, request, result))
@ensure_part(lambda result: result == 0 or is_confirm_reason(result))
def confirm_verdict(state: State, request: Pending) -> int:
    """Return 0 where a confirmation of ``request`` may pass, else the reason."""
    # KRN-REARM-003, KRN-REARM-004, KRN-REARM-005, KRN-REARM-006, KRN-PEAK-003, KRN-PEAK-004,
    # KRN-PEAK-005
    killswitch = state.killswitch
    if killswitch.operator_request != request:
        return int(Reason.NO_REQUEST)
    if killswitch.operator_request_age_ms < state.limits.cooling_ms:
        return int(Reason.COOLING)
    if killswitch.operator_request_age_ms > state.limits.confirm_window_ms:
        return int(Reason.REQUEST_EXPIRED)
    if not killswitch.journal_writable:
        return int(Reason.JOURNAL_DOWN)
    return 0


@pure
@require_part(lambda verdict: is_confirm_reason(verdict))
@ensure_part(lambda verdict, result: int(result) == verdict)
def confirm_reason(verdict: int) -> Reason:
    """Return the reason a verdict of ``confirm_verdict`` stands for."""
    if verdict == int(Reason.NO_REQUEST):
        return Reason.NO_REQUEST
    if verdict == int(Reason.COOLING):
        return Reason.COOLING
    if verdict == int(Reason.REQUEST_EXPIRED):
        return Reason.REQUEST_EXPIRED
    return Reason.JOURNAL_DOWN


@ensure_part(
    lambda state, result: request_judged(
        state,
        Pending.REARM,
        0 if latched(state.killswitch) else int(Reason.NOTHING_TO_REARM),
        result,
    )
)
def request_rearm(state: State, event: RequestRearm) -> Outcome:
    """First step of the re-arm."""
    # KRN-REARM-001, KRN-REARM-002, KRN-REARM-009
    if not latched(state.killswitch):
        return Refused(reason=Reason.NOTHING_TO_REARM)
    return accepted(with_killswitch(state, with_request(state.killswitch, Pending.REARM)))


@ensure_part(
    lambda state, result: rearm_judged(state, confirm_verdict(state, Pending.REARM), result)
)
def confirm_rearm(state: State, event: ConfirmRearm) -> Outcome:
    """Second step of the re-arm: the latches clear."""
    # KRN-REARM-007, KRN-REARM-008, KRN-REARM-012
    verdict = confirm_verdict(state, Pending.REARM)
    if verdict != 0:
        return Refused(reason=confirm_reason(verdict))
    before = with_request(state.killswitch, Pending.NONE)
    return settle(with_killswitch(state, with_latches(before, False, False, False, True)))


@ensure_part(
    lambda state, result: request_judged(
        state, Pending.PEAK_RESET, 0 if flat(state.gate) else int(Reason.NOT_FLAT), result
    )
)
def request_peak_reset(state: State, event: RequestPeakReset) -> Outcome:
    """First step of the reset of the equity peak."""
    # KRN-PEAK-001, KRN-PEAK-002
    if not flat(state.gate):
        return Refused(reason=Reason.NOT_FLAT)
    return accepted(with_killswitch(state, with_request(state.killswitch, Pending.PEAK_RESET)))


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(
    lambda state, result: peak_judged(state, confirm_verdict(state, Pending.PEAK_RESET), result)
)
def confirm_peak_reset(state: State, event: ConfirmPeakReset) -> Outcome:
    """Second step of the reset: the peak is what equity is now."""
    # KRN-PEAK-006, KRN-PEAK-007, KRN-PEAK-008, KRN-LEDG-013
    verdict = confirm_verdict(state, Pending.PEAK_RESET)
    if verdict != 0:
        return Refused(reason=confirm_reason(verdict))
    if not flat(state.gate):
        return Refused(reason=Reason.NOT_FLAT)
    before = state.ledger
    peak = max(equity(before), 1)
    after = Ledger(
        cash=before.cash,
        contributed=before.contributed,
        realised_pnl=before.realised_pnl,
        fees=before.fees,
        unrealised_pnl=before.unrealised_pnl,
        equity_peak=peak,
        drawdown_ppm=drawdown(peak, equity(before)),
    )
    cleared = with_killswitch(state, with_request(state.killswitch, Pending.NONE))
    return accepted(lower(with_ledger(cleared, after)))
