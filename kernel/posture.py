"""The posture machine: what the multiplier calls for, and how fast it is believed.

Theory. A Schmitt gate per posture: to stay, R must not fall below Drop; to climb, it must reach
Rise. In ``bible`` the two are equal and time does the filtering: a lower call is believed after 2
bars in a row, a higher one after 5. In ``specification`` the gap filters and one bar suffices.

Rules of this file:

*   The machine moves only in ``CloseBar``; a trip (``killswitch.py``) is the one exception.
*   A demotion goes straight to the posture called for, and advances the fence, so that permits of
    the freer posture die. A promotion climbs one posture at a time (the seeds leave both open; this
    is the safer reading).
*   HIBERNATE is left only when flat and behind a confirmed fence, and bars count only then.
*   Between bars an entry is judged by ``effective``: the lower of committed and called.

Not here: the multiplier (``survival.py``). Spec module: Posture.
Sources: bible 11.5, 11.6, 19.3; specification VI.2, VI.3; ADR 0022.
"""

from kernel.constants import (
    BIBLE_APEX_PPM,
    BIBLE_DOWN_AFTER,
    BIBLE_STALKER_PPM,
    BIBLE_TURTLE_PPM,
    BIBLE_UP_AFTER,
    SPECIFICATION_APEX_DROP_PPM,
    SPECIFICATION_APEX_RISE_PPM,
    SPECIFICATION_DOWN_AFTER,
    SPECIFICATION_STALKER_DROP_PPM,
    SPECIFICATION_STALKER_RISE_PPM,
    SPECIFICATION_TURTLE_DROP_PPM,
    SPECIFICATION_TURTLE_RISE_PPM,
    SPECIFICATION_UP_AFTER,
    Posture,
    Profile,
)
from kernel.contracts import pure
from kernel.events import CloseBar
from kernel.outcome import Accepted, Effects, Outcome, Reason, Refused
from kernel.parts import accepted, with_clock, with_gate, with_machine
from kernel.slots import advance_fence, flat
from kernel.state import Clock, PostureMachine, State
from kernel.survival import aged, recovered


@pure
def gate_ppm(level: Posture, posture: Posture, profile: Profile) -> int:
    """Return the R that ``level`` needs when the committed posture is ``posture``, ppm."""
    stays = level <= posture
    if level == Posture.APEX:
        if profile == Profile.BIBLE:
            return BIBLE_APEX_PPM
        return SPECIFICATION_APEX_DROP_PPM if stays else SPECIFICATION_APEX_RISE_PPM
    if level == Posture.STALKER:
        if profile == Profile.BIBLE:
            return BIBLE_STALKER_PPM
        return SPECIFICATION_STALKER_DROP_PPM if stays else SPECIFICATION_STALKER_RISE_PPM
    if level == Posture.TURTLE:
        if profile == Profile.BIBLE:
            return BIBLE_TURTLE_PPM
        return SPECIFICATION_TURTLE_DROP_PPM if stays else SPECIFICATION_TURTLE_RISE_PPM
    return 0


@pure
def called(posture: Posture, multiplier_ppm: int, profile: Profile) -> Posture:
    """Return the highest posture whose gate the multiplier passes."""
    if multiplier_ppm >= gate_ppm(Posture.APEX, posture, profile):
        return Posture.APEX
    if multiplier_ppm >= gate_ppm(Posture.STALKER, posture, profile):
        return Posture.STALKER
    if multiplier_ppm >= gate_ppm(Posture.TURTLE, posture, profile):
        return Posture.TURTLE
    return Posture.HIBERNATE


@pure
def lower_of(a: Posture, b: Posture) -> Posture:
    """Return the posture with less freedom."""
    return a if a <= b else b


@pure
def effective(state: State) -> Posture:
    """Return the posture by which an entry is judged now."""
    posture = state.machine.posture
    return lower_of(posture, called(posture, state.survival.multiplier_ppm, state.limits.profile))


@pure
def above(posture: Posture) -> Posture:
    """Return the next freer posture (APEX stays)."""
    if posture == Posture.HIBERNATE:
        return Posture.TURTLE
    if posture == Posture.TURTLE:
        return Posture.STALKER
    return Posture.APEX


@pure
def down_after(profile: Profile) -> int:
    """Return after how many bars in a row a lower call is believed."""
    return BIBLE_DOWN_AFTER if profile == Profile.BIBLE else SPECIFICATION_DOWN_AFTER


@pure
def up_after(profile: Profile) -> int:
    """Return after how many bars in a row a higher call is believed."""
    return BIBLE_UP_AFTER if profile == Profile.BIBLE else SPECIFICATION_UP_AFTER


@pure
def may_climb(state: State) -> bool:
    """Return whether bars count towards a promotion: HIBERNATE holds until flat and fenced."""
    return state.machine.posture != Posture.HIBERNATE or (
        flat(state.gate) and state.gate.fence_confirmed
    )


def counted(state: State) -> Accepted:
    """Let the posture machine count one bar at the multiplier as it now stands."""
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


def demoted(state: State, call: Posture) -> Accepted:
    """Count a bar that called for the lower posture ``call``; drop to it after enough of them."""
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


def close_bar(state: State, event: CloseBar) -> Outcome:
    """Close a bar of market time: sensors age, the multiplier moves, the machine counts."""
    dt_ms = event.market_time_ms - state.clock.market_time_ms
    if dt_ms < 0:
        return Refused(reason=Reason.TIME_BACKWARDS)
    if dt_ms < state.limits.bar_ms_min:
        return Refused(reason=Reason.BAR_TOO_SHORT)
    if state.limits.live and event.market_time_ms > state.clock.process_time_ms:
        return Refused(reason=Reason.MARKET_TIME_AHEAD)
    clock = Clock(process_time_ms=state.clock.process_time_ms, market_time_ms=event.market_time_ms)
    return counted(recovered(aged(with_clock(state, clock), dt_ms), dt_ms))
