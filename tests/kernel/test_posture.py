"""The posture machine: thresholds, hysteresis, one at a time up, straight down."""

import dataclasses
from dataclasses import replace

import pytest

from kernel.bar import counted
from kernel.constants import PPM, Posture, Profile
from kernel.events import AdvanceTime, CloseBar, ReportForewarner
from kernel.outcome import Accepted, Effects, Reason, Refused
from kernel.posture import above, called, effective, gate_ppm, lower_of
from kernel.promises import SlowRecovery
from kernel.state import State
from kernel.step import step
from tests.kernel.sessions import HEALTHY_BOOK, accept, bar, confirm, drive, until

H, T, S, A = Posture


@pytest.mark.req("KRN-POST-001")
@pytest.mark.parametrize(
    ("ppm", "posture"),
    [
        (PPM, A),
        (900_000, A),
        (899_999, S),
        (750_000, S),
        (749_999, T),
        (500_000, T),
        (499_999, H),
        (0, H),
    ],
)
def test_bible_thresholds_do_not_depend_on_the_posture(ppm: int, posture: Posture) -> None:
    assert {called(p, ppm, Profile.BIBLE) for p in Posture} == {posture}


@pytest.mark.req("KRN-POST-002")
@pytest.mark.parametrize(
    ("level", "drop", "rise"), [(A, 850_000, 920_000), (S, 700_000, 770_000), (T, 450_000, 520_000)]
)
def test_specification_is_a_schmitt_gate(level: Posture, drop: int, rise: int) -> None:
    below = Posture(level - 1)
    assert called(level, drop, Profile.SPECIFICATION) == level
    assert called(level, drop - 1, Profile.SPECIFICATION) < level
    assert called(below, rise - 1, Profile.SPECIFICATION) == below
    assert called(below, rise, Profile.SPECIFICATION) == level


@pytest.mark.req("KRN-POST-003")
@pytest.mark.parametrize("profile", list(Profile))
def test_called_is_monotone_in_the_multiplier(profile: Profile) -> None:
    edges = sorted(
        {gate_ppm(level, p, profile) + d for level in Posture for p in Posture for d in (-1, 0, 1)}
    )
    for posture in Posture:
        calls = [called(posture, max(0, ppm), profile) for ppm in edges]
        assert calls == sorted(calls)


def at(state: State, posture: Posture, ppm: int, below: int = 0, up: int = 0) -> State:
    """The state with another posture, multiplier and counters."""
    return dataclasses.replace(
        state,
        machine=dataclasses.replace(
            state.machine, posture=posture, bars_below=below, bars_above=up
        ),
        survival=dataclasses.replace(state.survival, multiplier_ppm=ppm),
    )


@pytest.fixture(scope="module")
def apex() -> State:
    return until(Posture.APEX)


@pytest.mark.req("KRN-POST-004", "KRN-POST-007", "KRN-POST-008")
def test_down_after_two_bars_straight_to_what_is_called(apex: State) -> None:
    one = counted(at(apex, A, 400_000)).state
    assert (one.machine.posture, one.machine.bars_below) == (A, 1)
    two = counted(one)
    assert two.state.machine.posture == H
    assert two.effects == Effects(True, False, False)
    assert two.state.gate.fence_epoch == apex.gate.fence_epoch + 1


@pytest.mark.req("KRN-POST-011")
def test_a_bar_in_between_starts_the_count_again(apex: State) -> None:
    one = counted(at(apex, A, 400_000)).state
    steady = counted(at(one, A, 950_000, below=1)).state
    assert steady.machine.bars_below == 0


@pytest.mark.req("KRN-POST-005", "KRN-POST-009")
def test_up_after_five_bars_one_posture_at_a_time(apex: State) -> None:
    state = at(apex, T, 950_000)
    seen = []
    for _ in range(10):
        state = counted(state).state
        seen.append(state.machine.posture)
    assert seen == [T] * 4 + [S] * 5 + [A]


@pytest.mark.req("KRN-POST-013")
def test_hibernate_is_left_only_flat_and_fenced(apex: State) -> None:
    unfenced = dataclasses.replace(
        at(apex, H, 950_000), gate=dataclasses.replace(apex.gate, fence_confirmed=False)
    )
    for _ in range(20):
        unfenced = counted(unfenced).state
    assert (unfenced.machine.posture, unfenced.machine.bars_above) == (H, 0)


@pytest.mark.req("KRN-POST-009")
def test_above() -> None:
    assert [above(p) for p in Posture] == [T, S, A, A]


@pytest.mark.req("KRN-TIME-003", "KRN-TIME-004", "KRN-TIME-005", "KRN-TIME-006")
def test_close_bar_guards(apex: State) -> None:
    now = apex.clock.market_time_ms
    assert step(apex, CloseBar(market_time_ms=now - 1)) == Refused(Reason.TIME_BACKWARDS)
    assert step(apex, CloseBar(market_time_ms=now)) == Refused(Reason.BAR_TOO_SHORT)
    assert step(apex, CloseBar(market_time_ms=now + 999)) == Refused(Reason.BAR_TOO_SHORT)
    assert isinstance(step(apex, CloseBar(market_time_ms=now + 1_000)), Accepted)
    live = dataclasses.replace(apex, limits=dataclasses.replace(apex.limits, live=True))
    at_once = dataclasses.replace(
        live, clock=dataclasses.replace(live.clock, process_time_ms=now + 1_000)
    )
    assert step(live, CloseBar(market_time_ms=now + 1_000)) == Refused(Reason.MARKET_TIME_AHEAD)
    assert isinstance(step(at_once, CloseBar(market_time_ms=now + 1_000)), Accepted)
    assert step(at_once, CloseBar(market_time_ms=now + 1_001)) == Refused(Reason.MARKET_TIME_AHEAD)


@pytest.mark.req("KRN-POST-004", "KRN-POST-005", "KRN-POST-009")
def test_a_whole_fall_and_climb(apex: State) -> None:
    """RED for two bars: HIBERNATE; then health: TURTLE, STALKER, APEX in this order."""
    state = apex
    for _ in range(2):
        state = drive(state, (ReportForewarner(status=2), HEALTHY_BOOK))
        state = bar(state, healthy=False)
    assert state.machine.posture == H
    state = confirm(state)
    order = [H]
    while state.machine.posture != A:
        state = bar(state)
        if state.machine.posture != order[-1]:
            order.append(state.machine.posture)
    assert order == [H, T, S, A]
    assert accept(state, ReportForewarner(status=0)) is not None


# --- where the profile, the event or one unit decides --------------------------------------------


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
