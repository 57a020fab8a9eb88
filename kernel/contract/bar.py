"""What a bar must do when it closes, field by field.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   It stands below the code that it speaks about and above ``posture.py``.

Not here: thresholds (``posture.py``), the multiplier's rise (``survival.py``). Spec module:
Posture.
"""

from kernel.constants import Posture
from kernel.contract.outcome import effects_are, refused_as
from kernel.contract.parts import machine_is
from kernel.contract.posture import one_above
from kernel.contract.slots import fence_advanced
from kernel.contract.survival import multiplier_after_bar, readings_aged
from kernel.contracts import pure, require_part
from kernel.events import CloseBar
from kernel.outcome import Accepted, Effects, Outcome, Reason
from kernel.posture import called, down_after, may_climb, up_after
from kernel.state import Gate, PostureMachine, State
from kernel.survival import older, readings_in_range, recovery_step, target


@pure
def demotion_counted(
    before: PostureMachine, call: Posture, down: int, after: PostureMachine
) -> bool:
    """A lower call is counted, or believed when it is the ``down``-th in a row."""
    if before.bars_below + 1 >= down:
        return machine_is(after, call, 0, 0)
    return machine_is(after, before.posture, before.bars_below + 1, 0)


@pure
def promotion_counted(before: PostureMachine, up: int, after: PostureMachine) -> bool:
    """A higher call is counted, or believed one posture up when it is the ``up``-th in a row."""
    if before.bars_above + 1 < up:
        return machine_is(after, before.posture, 0, before.bars_above + 1)
    return (
        one_above(before.posture, after.posture) and after.bars_below == 0 and after.bars_above == 0
    )


@pure
def machine_counted(
    before: PostureMachine, call: Posture, climbs: bool, down: int, up: int, after: PostureMachine
) -> bool:
    """Whether the machine did what a bar that calls for ``call`` makes it do."""
    if call < before.posture:
        return demotion_counted(before, call, down, after)
    if before.posture < call and climbs:
        return promotion_counted(before, up, after)
    return machine_is(after, before.posture, 0, 0)


@pure
def fence_counted(before: State, call: Posture, down: int, after: Gate, effects: Effects) -> bool:
    """Whether the fence advanced, and orders are cancelled, exactly with a demotion."""
    if call < before.machine.posture and before.machine.bars_below + 1 >= down:
        return fence_advanced(before.gate, after) and effects_are(effects, True, False, False)
    return after is before.gate and effects_are(effects, False, False, False)


@pure
def bar_counted(
    before: State, call: Posture, climbs: bool, down: int, up: int, answer: Accepted
) -> bool:
    """The effect of ``counted``: machine, fence and effects; nothing else moved."""
    after = answer.state
    return (
        machine_counted(before.machine, call, climbs, down, up, after.machine)
        and fence_counted(before, call, down, after.gate, answer.effects)
        and after.clock is before.clock
        and after.killswitch is before.killswitch
        and after.survival is before.survival
        and after.ledger is before.ledger
        and after.limits is before.limits
    )


@pure
@require_part(lambda before, event: event.market_time_ms >= before.clock.market_time_ms)
@require_part(lambda answer: readings_in_range(answer.state.survival, answer.state.ledger))
def bar_measured(before: State, event: CloseBar, answer: Accepted) -> bool:
    """The effect of ``CloseBar`` on clock, ages and multiplier; machine and gate left out."""
    after = answer.state
    dt_ms = event.market_time_ms - before.clock.market_time_ms
    now_ppm = before.survival.multiplier_ppm
    called_for = target(after)
    return (
        after.clock.process_time_ms == before.clock.process_time_ms
        and after.clock.market_time_ms == event.market_time_ms
        and after.killswitch is before.killswitch
        and after.ledger is before.ledger
        and after.limits is before.limits
        and readings_aged(
            before.survival,
            older(before.survival.forewarner_age_ms, dt_ms),
            older(before.survival.book_age_ms, dt_ms),
            older(before.survival.shock_age_ms, dt_ms),
            after.survival,
        )
        and multiplier_after_bar(
            now_ppm,
            called_for,
            recovery_step(dt_ms, max(0, called_for - now_ppm), before.limits.profile),
            after.survival,
        )
    )


@pure
def bar_reason(state: State, event: CloseBar) -> int:
    """Return why the bar is refused (the first guard that fails), 0 if it is not."""
    if state.clock.market_time_ms > event.market_time_ms:
        return int(Reason.TIME_BACKWARDS)
    if event.market_time_ms < state.clock.market_time_ms + state.limits.bar_ms_min:
        return int(Reason.BAR_TOO_SHORT)
    if state.limits.live and state.clock.process_time_ms < event.market_time_ms:
        return int(Reason.MARKET_TIME_AHEAD)
    return 0


@pure
@require_part(lambda state, event: event.market_time_ms >= state.clock.market_time_ms)
def bar_closed(state: State, event: CloseBar, answer: Accepted) -> bool:
    """The effect of an accepted ``CloseBar``."""
    profile = state.limits.profile
    after = answer.state
    call = called(state.machine.posture, after.survival.multiplier_ppm, profile)
    down = down_after(profile)
    return (
        readings_in_range(after.survival, after.ledger)
        and bar_measured(state, event, answer)
        and machine_counted(
            state.machine, call, may_climb(state), down, up_after(profile), after.machine
        )
        and fence_counted(state, call, down, after.gate, answer.effects)
    )


@pure
def bar_judged(state: State, event: CloseBar, outcome: Outcome) -> bool:
    """The guard, the reason and the effect of ``CloseBar``."""
    if bar_reason(state, event) != 0:
        return refused_as(outcome, bar_reason(state, event))
    return isinstance(outcome, Accepted) and bar_closed(state, event, outcome)
