"""What the operator's two steps must judge and do, field by field.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   It stands below the code that it speaks about.

Not here: the judgement itself (``rearm.py``). Spec module: KillSwitch (requests), Ledger (peak).
"""

from kernel.constants import Pending
from kernel.contract.killswitch import (
    killed_right,
    latches_are,
    same_ages,
    same_latches,
    trip_follows,
)
from kernel.contract.outcome import effects_are, refused_as
from kernel.contract.parts import same_but_killswitch
from kernel.contract.survival import lowered, same_readings
from kernel.contracts import pure
from kernel.equity import drawdown, equity
from kernel.outcome import Accepted, Outcome, Reason
from kernel.slots import flat
from kernel.state import Ledger, State
from kernel.survival import readings_in_range, target


@pure
def confirmation_judged(state: State, request: Pending, verdict: int) -> bool:
    """Return whether a confirmation of ``request`` got the verdict it must."""
    switch = state.killswitch
    waits = switch.operator_request == request
    cooled = waits and switch.operator_request_age_ms >= state.limits.cooling_ms
    fresh = cooled and switch.operator_request_age_ms <= state.limits.confirm_window_ms
    if verdict == int(Reason.NO_REQUEST):
        return not waits
    if verdict == int(Reason.COOLING):
        return waits and not cooled
    if verdict == int(Reason.REQUEST_EXPIRED):
        return cooled and not fresh
    if verdict == int(Reason.JOURNAL_DOWN):
        return fresh and not switch.journal_writable
    return verdict == 0 and fresh and switch.journal_writable


@pure
def is_confirm_reason(verdict: int) -> bool:
    """Return whether the verdict is the number of a reason that ``confirm_verdict`` gives."""
    return (
        verdict == int(Reason.JOURNAL_DOWN)
        or verdict == int(Reason.REQUEST_EXPIRED)
        or verdict == int(Reason.COOLING)
        or verdict == int(Reason.NO_REQUEST)
    )


@pure
def request_made(before: State, request: Pending, answer: Accepted) -> bool:
    """Return whether the operator's request waits from now, and nothing else moved."""
    was = before.killswitch
    now = answer.state.killswitch
    return (
        same_but_killswitch(before, answer.state)
        and effects_are(answer.effects, False, False, False)
        and same_ages(was, now)
        and same_latches(was, now)
        and now.killed == was.killed
        and now.operator_request == request
        and now.operator_request_age_ms == 0
    )


@pure
def request_judged(before: State, request: Pending, refusal: int, outcome: Outcome) -> bool:
    """The answer to a first step that is refused with ``refusal`` unless that is 0."""
    if refusal != 0:
        return refused_as(outcome, refusal)
    return isinstance(outcome, Accepted) and request_made(before, request, outcome)


@pure
def rearmed(before: State, answer: Accepted) -> bool:
    """The effect of an accepted ``ConfirmRearm``: the latches are clear, the request is done."""
    now = answer.state.killswitch
    return (
        killed_right(answer)
        and trip_follows(before, answer)
        and answer.state.clock is before.clock
        and same_ages(before.killswitch, now)
        and latches_are(now, False, False, False, True)
        and now.operator_request == Pending.NONE
        and now.operator_request_age_ms == 0
    )


@pure
def rearm_judged(before: State, verdict: int, outcome: Outcome) -> bool:
    """The reason and the effect of ``ConfirmRearm``, once its verdict is known."""
    if verdict != 0:
        return refused_as(outcome, verdict)
    return isinstance(outcome, Accepted) and rearmed(before, outcome)


@pure
def peak_moved(before: Ledger, after: Ledger) -> bool:
    """Return whether the peak is what equity is now (1 at least), and the accounts stay."""
    return (
        after.cash == before.cash
        and after.contributed == before.contributed
        and after.realised_pnl == before.realised_pnl
        and after.fees == before.fees
        and after.unrealised_pnl == before.unrealised_pnl
        and after.equity_peak == (equity(before) if equity(before) > 1 else 1)
        and after.drawdown_ppm == drawdown(after.equity_peak, equity(after))
    )


@pure
def peak_reset(before: State, answer: Accepted) -> bool:
    """The effect of an accepted ``ConfirmPeakReset``."""
    after = answer.state
    now = after.killswitch
    return (
        after.clock is before.clock
        and after.machine is before.machine
        and after.gate is before.gate
        and after.limits is before.limits
        and peak_moved(before.ledger, after.ledger)
        and same_ages(before.killswitch, now)
        and same_latches(before.killswitch, now)
        and now.killed == before.killswitch.killed
        and now.operator_request == Pending.NONE
        and now.operator_request_age_ms == 0
        and same_readings(before.survival, after.survival)
        and readings_in_range(after.survival, after.ledger)
        and lowered(before.survival, target(after), after.survival)
        and effects_are(answer.effects, False, False, False)
    )


@pure
def peak_judged(before: State, verdict: int, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``ConfirmPeakReset``, once its verdict is known."""
    if verdict != 0:
        return refused_as(outcome, verdict)
    if not flat(before.gate):
        return refused_as(outcome, int(Reason.NOT_FLAT))
    return isinstance(outcome, Accepted) and peak_reset(before, outcome)
