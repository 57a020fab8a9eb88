"""What the posture machine must do when a bar closes, field by field.

Rules of this file:

*   ``bar_counted`` is the whole of the hysteresis: what the multiplier calls for, against what is
    committed, gives the machine, the fence and the effects after.
*   ``bar_closed`` is the whole effect of ``CloseBar``: clock, ages, multiplier, then the count.
*   Thresholds and counts come in as numbers, so that this file stands below the code.

Not here: the thresholds (``posture.py``), the multiplier's rise (``survival.py``). Spec module:
Posture.
"""

from kernel.constants import (
    BIBLE_APEX_PPM,
    BIBLE_STALKER_PPM,
    BIBLE_TURTLE_PPM,
    SPECIFICATION_APEX_DROP_PPM,
    SPECIFICATION_APEX_RISE_PPM,
    SPECIFICATION_STALKER_DROP_PPM,
    SPECIFICATION_STALKER_RISE_PPM,
    SPECIFICATION_TURTLE_DROP_PPM,
    SPECIFICATION_TURTLE_RISE_PPM,
    Posture,
    Profile,
)
from kernel.contracts import pure


@pure
def bible_right(level: Posture, ppm: int) -> bool:
    """Whether ``ppm`` is the bible's threshold of a level."""
    return (
        (level == Posture.APEX and ppm == BIBLE_APEX_PPM)
        or (level == Posture.STALKER and ppm == BIBLE_STALKER_PPM)
        or (level == Posture.TURTLE and ppm == BIBLE_TURTLE_PPM)
        or (level == Posture.HIBERNATE and ppm == 0)
    )


@pure
def rise_right(level: Posture, ppm: int) -> bool:
    """Whether ``ppm`` is what the specification asks for to climb to a level."""
    return (
        (level == Posture.APEX and ppm == SPECIFICATION_APEX_RISE_PPM)
        or (level == Posture.STALKER and ppm == SPECIFICATION_STALKER_RISE_PPM)
        or (level == Posture.TURTLE and ppm == SPECIFICATION_TURTLE_RISE_PPM)
        or (level == Posture.HIBERNATE and ppm == 0)
    )


@pure
def drop_right(level: Posture, ppm: int) -> bool:
    """Whether ``ppm`` is what the specification asks for to stay at a level."""
    return (
        (level == Posture.APEX and ppm == SPECIFICATION_APEX_DROP_PPM)
        or (level == Posture.STALKER and ppm == SPECIFICATION_STALKER_DROP_PPM)
        or (level == Posture.TURTLE and ppm == SPECIFICATION_TURTLE_DROP_PPM)
        or (level == Posture.HIBERNATE and ppm == 0)
    )


@pure
def threshold_right(level: Posture, posture: Posture, profile: Profile, ppm: int) -> bool:
    """Whether ``ppm`` is the multiplier that ``level`` needs, seen from ``posture``."""
    if profile == Profile.BIBLE:
        return bible_right(level, ppm)
    if posture < level:
        return rise_right(level, ppm)
    return drop_right(level, ppm)


@pure
def call_right(apex: bool, stalker: bool, turtle: bool, call: Posture) -> bool:
    """Whether ``call`` is the highest of the levels whose gate passes."""
    return (
        (call == Posture.APEX) == apex
        and (call == Posture.STALKER) == (stalker and not apex)
        and (call == Posture.TURTLE) == (turtle and not stalker and not apex)
    )


@pure
def one_above(posture: Posture, higher: Posture) -> bool:
    """Whether ``higher`` is the next freer posture; APEX is its own."""
    return (
        (posture == Posture.HIBERNATE and higher == Posture.TURTLE)
        or (posture == Posture.TURTLE and higher == Posture.STALKER)
        or (posture == Posture.STALKER and higher == Posture.APEX)
        or (posture == Posture.APEX and higher == Posture.APEX)
    )
