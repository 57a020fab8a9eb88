"""A bar of market time closes: sensors age, the multiplier moves, the posture machine counts.

Theory. In ``bible`` time filters: a lower call is believed after 2 bars in a row, a higher one
after 5. In ``specification`` the gap between Drop and Rise filters and one bar suffices.

Rules of this file:

*   The machine moves only here; a trip (``killswitch.py``) is the one exception.
*   A demotion goes straight to the posture called for, and advances the fence, so that permits of
    the freer posture die. A promotion climbs one posture at a time (the sources leave both open;
    this is the safer reading).

Not here: thresholds and counts (``posture.py``), the multiplier (``survival.py``). Spec module:
Posture. Sources: bible 11.5, 11.6, 19.3; specification VI.2, VI.3; ADR 0022.
"""

from kernel.constants import Posture
from kernel.contract.bar import bar_counted, bar_judged
from kernel.contracts import ensure_part, require_part
from kernel.events import CloseBar
from kernel.outcome import Accepted, Effects, Outcome, Reason, Refused
from kernel.parts import accepted, with_clock, with_gate, with_machine
from kernel.posture import above, called, down_after, may_climb, up_after
from kernel.slots import advance_fence
from kernel.state import Clock, PostureMachine, State
from kernel.survival import aged, readings_in_range, recovered


@ensure_part(
    lambda state, result: bar_counted(
        state,
        called(state.machine.posture, state.survival.multiplier_ppm, state.limits.profile),
        may_climb(state),
        down_after(state.limits.profile),
        up_after(state.limits.profile),
        result,
    )
)
def counted(state: State) -> Accepted:
    """Let the posture machine count one bar at the multiplier as it now stands."""
    # KRN-POST-005, KRN-POST-009, KRN-POST-010, KRN-POST-011, KRN-POST-012, KRN-POST-014,
    # KRN-POST-016
    machine = state.machine
    profile = state.limits.profile
    call = called(machine.posture, state.survival.multiplier_ppm, profile)
    if call < machine.posture:
        return demoted(state, call)
    if call > machine.posture and may_climb(state):
        if machine.bars_above + 1 >= up_after(profile):
            climbed = PostureMachine(posture=above(machine.posture), bars_below=0, bars_above=0)
            return accepted(with_machine(state, climbed))
        counting = PostureMachine(
            posture=machine.posture, bars_below=0, bars_above=machine.bars_above + 1
        )
        return accepted(with_machine(state, counting))
    steady = PostureMachine(posture=machine.posture, bars_below=0, bars_above=0)
    return accepted(with_machine(state, steady))


@require_part(lambda state, call: call < state.machine.posture)
@ensure_part(
    lambda state, call, result: bar_counted(
        state, call, False, down_after(state.limits.profile), 1, result
    )
)
def demoted(state: State, call: Posture) -> Accepted:
    """Count a bar that called for the lower posture ``call``; drop to it after enough of them."""
    # KRN-POST-004, KRN-POST-007, KRN-POST-008, KRN-POST-012
    machine = state.machine
    if machine.bars_below + 1 < down_after(state.limits.profile):
        counting = PostureMachine(
            posture=machine.posture, bars_below=machine.bars_below + 1, bars_above=0
        )
        return accepted(with_machine(state, counting))
    dropped = PostureMachine(posture=call, bars_below=0, bars_above=0)
    return Accepted(
        state=with_gate(with_machine(state, dropped), advance_fence(state.gate)),
        effects=Effects(cancel_all_orders=True, flatten_positions=False, issue_permit=False),
    )


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(lambda state, event, result: bar_judged(state, event, result))
def close_bar(state: State, event: CloseBar) -> Outcome:
    """Close a bar of market time: sensors age, the multiplier moves, the machine counts."""
    # KRN-TIME-003, KRN-TIME-004, KRN-TIME-005, KRN-TIME-006, KRN-TIME-007
    dt_ms = event.market_time_ms - state.clock.market_time_ms
    if dt_ms < 0:
        return Refused(reason=Reason.TIME_BACKWARDS)
    if dt_ms < state.limits.bar_ms_min:
        return Refused(reason=Reason.BAR_TOO_SHORT)
    if state.limits.live and event.market_time_ms > state.clock.process_time_ms:
        return Refused(reason=Reason.MARKET_TIME_AHEAD)
    clock = Clock(process_time_ms=state.clock.process_time_ms, market_time_ms=event.market_time_ms)
    return counted(recovered(aged(with_clock(state, clock), dt_ms), dt_ms))
