"""Properties of a single step: predicates over the state before and after.

Rules of this file:

*   A function here has the name of a step property of the models and says the same; a test compares
    the names. ``StepProperties`` is their conjunction.
*   ``ExposureWithinCeiling`` can only be a step property: a demotion or a loss lowers the ceiling
    under an open position, so no state invariant of that shape holds.
*   Effects are a function of the step; the last group says which.

Not here: invariants of single states (``invariants.py``), liveness (the models).
Spec module: Kernel (properties of the form [][...]_vars).
"""

from kernel.constants import WORKERS, Permit, Posture
from kernel.contracts import pure
from kernel.events import CloseBar, ConfirmPeakReset, Event, ReportFill, RequestOrder
from kernel.gate import capital, ceiling
from kernel.invariants import Inv
from kernel.notional import leveraged
from kernel.outcome import Accepted, Effects, Outcome, Refused
from kernel.posture import above, effective
from kernel.ranges import within
from kernel.slots import flat
from kernel.state import State
from kernel.survival import readings_in_range, recovery_step, target

# Names in capitals are the models'.


@pure
def FastAttack(before: State, after: State) -> bool:
    """Where the sensors call for less, R is there at once."""
    return readings_in_range(after.survival, after.ledger) and (
        after.survival.multiplier_ppm <= target(after)
    )


@pure
def SlowRecovery(before: State, event: Event, after: State) -> bool:
    """R rises only when a bar closes, and by no more than its length earns."""
    rise = after.survival.multiplier_ppm - before.survival.multiplier_ppm
    if rise <= 0:
        return True
    if not isinstance(event, CloseBar) or not FastAttack(before, after):
        return False
    dt_ms = after.clock.market_time_ms - before.clock.market_time_ms
    gap = target(after) - before.survival.multiplier_ppm
    return dt_ms >= 0 and rise <= recovery_step(dt_ms, gap, before.limits.profile)


@pure
def PromotionClimbsOne(before: State, event: Event, after: State) -> bool:
    """A freer posture comes only with a bar, one at a time."""
    if after.machine.posture <= before.machine.posture:
        return True
    return isinstance(event, CloseBar) and after.machine.posture == above(before.machine.posture)


@pure
def LeaveHibernateOnlyFlat(before: State, after: State) -> bool:
    """HIBERNATE is left only when flat, behind a confirmed fence, with nothing killed."""
    leaves = (
        before.machine.posture == Posture.HIBERNATE and after.machine.posture != Posture.HIBERNATE
    )
    return not leaves or (
        flat(before.gate) and before.gate.fence_confirmed and not before.killswitch.killed
    )


@pure
def DemotionAdvancesFence(before: State, after: State) -> bool:
    """A demotion kills every permit of the freer posture."""
    return after.machine.posture >= before.machine.posture or (
        after.gate.fence_epoch == before.gate.fence_epoch + 1 and not after.gate.fence_confirmed
    )


@pure
def EpochOnlyAdvances(before: State, after: State) -> bool:
    """The epoch stays or is the next one."""
    return (
        after.gate.fence_epoch == before.gate.fence_epoch
        or after.gate.fence_epoch == before.gate.fence_epoch + 1
    )


@pure
def ExposureWithinCeiling(before: State, event: Event, after: State) -> bool:
    """No accepted entry ends above the ceiling in force."""
    if not isinstance(event, RequestOrder):
        return True
    if not within(event.worker, 0, WORKERS - 1):
        return False
    if after.gate.slots[event.worker].permit_kind != Permit.ENTRY:
        return True
    exposure = after.gate.open_notional + after.gate.reserved_notional
    return exposure <= leveraged(capital(before.ledger), ceiling(effective(before)))


@pure
def RearmIsTwoStep(before: State, after: State) -> bool:
    """Latches clear only from a request that has cooled and has not expired."""
    cleared = (
        (before.killswitch.latched_checksum and not after.killswitch.latched_checksum)
        or (before.killswitch.latched_desync and not after.killswitch.latched_desync)
        or (before.killswitch.latched_operator and not after.killswitch.latched_operator)
    )
    age_ms = before.killswitch.operator_request_age_ms
    return not cleared or (
        before.limits.cooling_ms <= age_ms <= before.limits.confirm_window_ms
        and before.killswitch.journal_writable
    )


@pure
def PeakResetOnlyFlat(before: State, event: Event, after: State) -> bool:
    """The peak falls only by an operator's reset, and only when flat."""
    if after.ledger.equity_peak >= before.ledger.equity_peak:
        return True
    return isinstance(event, ConfirmPeakReset) and flat(before.gate)


@pure
def MarksNeverMoveCash(before: State, event: Event, after: State) -> bool:
    """Cash moves only by a fill; what was contributed never moves."""
    return after.ledger.contributed == before.ledger.contributed and (
        after.ledger.cash == before.ledger.cash or isinstance(event, ReportFill)
    )


@pure
def ClocksOnlyAdvance(before: State, after: State) -> bool:  # KRN-STEP-012
    """Neither clock runs backwards, and the limits are the session's."""
    return (
        after.clock.process_time_ms >= before.clock.process_time_ms
        and after.clock.market_time_ms >= before.clock.market_time_ms
        and after.limits == before.limits
    )


@pure
def FlattenWaitsForFence(after: State, effects: Effects) -> bool:
    """A flatten is sized only when no older order can fill."""
    return not effects.flatten_positions or (
        after.machine.posture == Posture.HIBERNATE and after.gate.fence_confirmed
    )


@pure
def PermitWaitsForFence(before: State, effects: Effects) -> bool:
    """A worker's permit is issued only behind a confirmed fence."""
    return not effects.issue_permit or before.gate.fence_confirmed


@pure
def EffectsFollowTheStep(before: State, event: Event, after: State, effects: Effects) -> bool:
    """Cancel exactly where the epoch moved; a permit exactly for an accepted order."""
    return effects.cancel_all_orders == (
        after.gate.fence_epoch != before.gate.fence_epoch
    ) and effects.issue_permit == isinstance(event, RequestOrder)


@pure
def StepProperties(before: State, event: Event, after: State, effects: Effects) -> bool:
    """The conjunction of all step properties; ``FastAttack`` is in ``Inv`` of the state after."""
    # KRN-STEP-005
    return (
        SlowRecovery(before, event, after)
        and PromotionClimbsOne(before, event, after)
        and LeaveHibernateOnlyFlat(before, after)
        and DemotionAdvancesFence(before, after)
        and EpochOnlyAdvances(before, after)
        and ExposureWithinCeiling(before, event, after)
        and RearmIsTwoStep(before, after)
        and PeakResetOnlyFlat(before, event, after)
        and MarksNeverMoveCash(before, event, after)
        and ClocksOnlyAdvance(before, after)
        and FlattenWaitsForFence(after, effects)
        and PermitWaitsForFence(before, effects)
        and EffectsFollowTheStep(before, event, after, effects)
    )


@pure
def answer_keeps_promises(state: State, event: Event, answer: Accepted) -> bool:
    """Whether the kernel may accept ``event`` in ``state`` with this answer."""
    return Inv(answer.state) and StepProperties(state, event, answer.state, answer.effects)


@pure
def outcome_keeps_promises(state: State, event: Event, outcome: Outcome) -> bool:
    """Whether the kernel may answer ``event`` in ``state`` with ``outcome``."""
    if isinstance(outcome, Refused):
        return True
    return answer_keeps_promises(state, event, outcome)
