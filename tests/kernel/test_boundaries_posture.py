"""Posture and promises where the profile, the event or one unit decides.

Not here: the machine's own bars and gates (``test_posture.py``).
"""

from dataclasses import replace

import pytest

from kernel.constants import Posture, Profile
from kernel.events import AdvanceTime, CloseBar
from kernel.posture import effective, lower_of
from kernel.promises import SlowRecovery
from kernel.state import State
from tests.kernel.sessions import until


@pytest.mark.req("KRN-POST-015")
@pytest.mark.parametrize("a", list(Posture))
@pytest.mark.parametrize("b", list(Posture))
def test_the_lower_of_two_postures(a: Posture, b: Posture) -> None:
    assert lower_of(a, b) == min(a, b)


@pytest.mark.req("KRN-POST-001", "KRN-POST-002", "KRN-POST-015")
@pytest.mark.parametrize(
    ("profile", "expected"),
    [(Profile.BIBLE, Posture.STALKER), (Profile.SPECIFICATION, Posture.APEX)],
)
def test_an_entry_is_judged_by_the_profiles_gates(profile: Profile, expected: Posture) -> None:
    """0.86 keeps APEX under specification (0.85) and loses it under bible (0.90)."""
    state = until(Posture.APEX, profile=profile)
    state = replace(state, survival=replace(state.survival, multiplier_ppm=860_000))
    assert effective(state) == expected


def rising(dt_ms: int, rise: int) -> tuple[State, State]:
    """An APEX state at R = 0.5, and the same after so much market time with R higher."""
    state = until(Posture.APEX)
    before = replace(state, survival=replace(state.survival, multiplier_ppm=500_000))
    after = replace(
        before,
        clock=replace(before.clock, market_time_ms=before.clock.market_time_ms + dt_ms),
        survival=replace(before.survival, multiplier_ppm=500_000 + rise),
    )
    return before, after


@pytest.mark.req("KRN-SURV-025", "KRN-SURV-027")
def test_r_rises_with_a_bar_and_with_nothing_else() -> None:
    before, after = rising(60_000, 1)
    assert SlowRecovery(before, CloseBar(after.clock.market_time_ms), after)
    assert not SlowRecovery(before, AdvanceTime(1), after)


@pytest.mark.req("KRN-SURV-028", "KRN-SURV-030")
def test_a_minute_earns_a_fiftieth_of_what_is_missing() -> None:
    """The sensors call for nearly 1, so about half is missing: a minute earns at most 10,000."""
    before, after = rising(60_000, 9_000)
    assert SlowRecovery(before, CloseBar(after.clock.market_time_ms), after)
    before, after = rising(60_000, 10_001)
    assert not SlowRecovery(before, CloseBar(after.clock.market_time_ms), after)
