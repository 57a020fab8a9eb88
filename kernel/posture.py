"""The posture machine: which posture the multiplier calls for, and after how many bars.

Theory. A Schmitt gate per posture: to stay, R must not fall below Drop; to climb, it must reach
Rise. In ``bible`` the two are equal and time does the filtering: a lower call is believed after 2
bars in a row, a higher one after 5. In ``specification`` the gap filters and one bar suffices.

Rules of this file:

*   The machine moves only in ``CloseBar``; a trip (``killswitch.py``) is the one exception.
*   A demotion goes straight to the posture called for, and advances the fence, so that permits of
    the freer posture die. A promotion climbs one posture at a time (the sources leave both open;
    this is the safer reading).
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
from kernel.contract.posture import call_right, one_above, threshold_right
from kernel.contracts import ensure_part, opaque, pure
from kernel.slots import flat
from kernel.state import State


@pure
@ensure_part(
    lambda level, posture, profile, result: threshold_right(level, posture, profile, result)
)
def gate_ppm(level: Posture, posture: Posture, profile: Profile) -> int:
    """Return the R that ``level`` needs when the committed posture is ``posture``, ppm."""
    # KRN-POST-001, KRN-POST-002
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
@ensure_part(
    lambda posture, multiplier_ppm, profile, result: call_right(
        multiplier_ppm >= gate_ppm(Posture.APEX, posture, profile),
        multiplier_ppm >= gate_ppm(Posture.STALKER, posture, profile),
        multiplier_ppm >= gate_ppm(Posture.TURTLE, posture, profile),
        result,
    )
)
def called(posture: Posture, multiplier_ppm: int, profile: Profile) -> Posture:  # KRN-POST-003
    """Return the highest posture whose gate the multiplier passes."""
    if multiplier_ppm >= gate_ppm(Posture.APEX, posture, profile):
        return Posture.APEX
    if multiplier_ppm >= gate_ppm(Posture.STALKER, posture, profile):
        return Posture.STALKER
    if multiplier_ppm >= gate_ppm(Posture.TURTLE, posture, profile):
        return Posture.TURTLE
    return Posture.HIBERNATE


@pure
@ensure_part(lambda a, b, result: result <= a and result <= b and (result == a or result == b))
def lower_of(a: Posture, b: Posture) -> Posture:
    """Return the posture with less freedom."""
    return a if a <= b else b


@pure
@opaque
@ensure_part(lambda state, result: result <= state.machine.posture)
def effective(state: State) -> Posture:  # KRN-POST-015
    """Return the posture by which an entry is judged now."""
    posture = state.machine.posture
    return lower_of(posture, called(posture, state.survival.multiplier_ppm, state.limits.profile))


@pure
@ensure_part(lambda posture, result: one_above(posture, result))
def above(posture: Posture) -> Posture:  # KRN-POST-009
    """Return the next freer posture (APEX stays)."""
    if posture == Posture.HIBERNATE:
        return Posture.TURTLE
    if posture == Posture.TURTLE:
        return Posture.STALKER
    return Posture.APEX


@pure
@ensure_part(
    lambda profile, result: (
        result
        == (SPECIFICATION_DOWN_AFTER if profile == Profile.SPECIFICATION else BIBLE_DOWN_AFTER)
    )
)
def down_after(profile: Profile) -> int:  # KRN-POST-004, KRN-POST-006
    """Return after how many bars in a row a lower call is believed."""
    return BIBLE_DOWN_AFTER if profile == Profile.BIBLE else SPECIFICATION_DOWN_AFTER


@pure
@ensure_part(
    lambda profile, result: (
        result == (SPECIFICATION_UP_AFTER if profile == Profile.SPECIFICATION else BIBLE_UP_AFTER)
    )
)
def up_after(profile: Profile) -> int:  # KRN-POST-005, KRN-POST-006
    """Return after how many bars in a row a higher call is believed."""
    return BIBLE_UP_AFTER if profile == Profile.BIBLE else SPECIFICATION_UP_AFTER


@pure
@ensure_part(
    lambda state, result: (
        result
        != (
            state.machine.posture == Posture.HIBERNATE
            and not (state.gate.fence_confirmed and flat(state.gate))
        )
    )
)
def may_climb(state: State) -> bool:  # KRN-POST-013
    """Return whether bars count towards a promotion: HIBERNATE holds until flat and fenced."""
    return state.machine.posture != Posture.HIBERNATE or (
        flat(state.gate) and state.gate.fence_confirmed
    )
