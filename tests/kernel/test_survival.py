"""The survival controller: the figures of the sources, fast attack, slow recovery."""

import dataclasses
from dataclasses import replace

import pytest

from kernel.constants import PPM, Posture, Profile, Status
from kernel.equity import drawdown
from kernel.events import CloseBar, ReportBook, ReportForewarner, ReportShock
from kernel.factors import environment_factor
from kernel.fixed import ERROR_MAX, EXP_UNIT, exp_down, exp_up
from kernel.state import State
from kernel.survival import (
    environment,
    lower,
    microstructure,
    readings_in_range,
    recovery_step,
    structural,
    target,
)
from tests.kernel.sessions import HEALTHY_BOOK, accept, bar, confirm, drive, fresh, until


def reading(state: State, **changes: int) -> State:
    """The state with some survival fields as told."""
    return dataclasses.replace(state, survival=dataclasses.replace(state.survival, **changes))


@pytest.fixture(scope="module")
def healthy() -> State:
    """Perfect sensors, no shock for a day."""
    return reading(
        drive(fresh(), (ReportForewarner(status=0), HEALTHY_BOOK)), shock_age_ms=86_400_000
    )


@pytest.fixture(scope="module")
def strict() -> State:
    return reading(
        drive(fresh(Profile.SPECIFICATION), (ReportForewarner(status=0), HEALTHY_BOOK)),
        shock_age_ms=86_400_000,
    )


@pytest.mark.req("KRN-SURV-015", "KRN-SURV-016")
def test_without_drawdown_r_is_what_the_sigmoid_gives(healthy: State) -> None:
    """Not 1.0: the sigmoid is 0.9734 at no drawdown, though bible 11.2 calls it about 1."""
    assert target(healthy) == 973_402


@pytest.mark.req("KRN-SURV-001")
def test_orange_alone_is_hibernate(healthy: State) -> None:
    """R <= 0.487, though bible 12 takes ORANGE for half size."""
    orange = reading(healthy, forewarner_status=Status.ORANGE)
    assert structural(orange.survival, Profile.BIBLE) == 500_000
    assert target(orange) <= 487_000


@pytest.mark.req("KRN-SURV-006")
def test_a_stale_book_alone_is_hibernate(healthy: State) -> None:
    stale = reading(healthy, book_age_ms=600_001)
    assert microstructure(stale.survival, Profile.BIBLE, 600_000) == 500_000
    assert target(stale) <= 487_000
    fresh_enough = reading(healthy, book_age_ms=600_000)
    assert target(fresh_enough) == target(healthy)


@pytest.mark.req("KRN-SURV-005", "KRN-SURV-006")
def test_a_silent_book_is_never_worth_more_than_it_last_showed(healthy: State) -> None:
    bad = reading(healthy, depth_quality_ppm=0)
    silent = reading(bad, book_age_ms=600_001)
    assert microstructure(bad.survival, Profile.BIBLE, 600_000) == 300_000
    assert microstructure(silent.survival, Profile.BIBLE, 600_000) == 300_000


@pytest.mark.req("KRN-SURV-016", "KRN-SURV-017", "KRN-SURV-018", "KRN-SURV-024")
def test_two_degraded_sensors_halve(healthy: State) -> None:
    one = reading(healthy, depth_quality_ppm=700_000)
    two = reading(one, forewarner_status=Status.ORANGE)
    single = 973_402 * 500_000 // PPM * 790_000 // PPM
    assert target(two) == single // 2
    assert target(one) == 973_402 * 790_000 // PPM


@pytest.mark.req("KRN-SURV-018")
def test_exactly_eight_tenths_is_not_degraded(healthy: State) -> None:
    depth = next(d for d in range(714_000, 715_000) if 300_000 + 700_000 * d // PPM == 800_000)
    edge = reading(healthy, depth_quality_ppm=depth, forewarner_status=Status.ORANGE)
    below = reading(edge, depth_quality_ppm=depth - 2)
    assert target(below) * 2 <= target(edge) <= target(below) * 2 + 3


@pytest.mark.req("KRN-SURV-002", "KRN-SURV-004", "KRN-SURV-012", "KRN-SURV-014")
def test_ages_round_towards_risk(healthy: State) -> None:
    """A forewarner's age up, the time since a shock down."""
    six_hours = 6 * 3_600_000
    assert structural(reading(healthy, forewarner_age_ms=six_hours).survival, Profile.BIBLE) == PPM
    later = reading(healthy, forewarner_age_ms=six_hours + 1)
    assert structural(later.survival, Profile.BIBLE) < PPM
    soon = reading(healthy, shock_age_ms=999)
    assert environment(soon.survival, Profile.BIBLE) == 300_000


@pytest.mark.req(
    "KRN-SURV-003",
    "KRN-SURV-007",
    "KRN-SURV-008",
    "KRN-SURV-009",
    "KRN-SURV-010",
    "KRN-SURV-011",
    "KRN-SURV-013",
)
def test_specification_sensors(strict: State) -> None:
    spec = Profile.SPECIFICATION
    assert structural(reading(strict, forewarner_age_ms=30_000).survival, spec) == PPM
    assert structural(reading(strict, forewarner_age_ms=30_001).survival, spec) < PPM
    assert structural(reading(strict, forewarner_age_ms=7_200_000).survival, spec) in (
        99_999,
        100_000,
    )
    assert microstructure(reading(strict, book_latency_ms=200).survival, spec, 0) == PPM
    assert microstructure(reading(strict, book_latency_ms=201).survival, spec, 0) < PPM
    assert microstructure(reading(strict, book_age_ms=1_200).survival, spec, 1_199) < 368_000
    assert microstructure(reading(strict, book_age_ms=1_200).survival, spec, 1_200) == PPM
    assert microstructure(reading(strict, book_jitter_ms=51).survival, spec, 0) < PPM
    assert microstructure(reading(strict, depth_quality_ppm=799_999).survival, spec, 0) < PPM
    assert environment(reading(strict, shock_age_ms=3_600_000).survival, spec) == PPM
    assert environment(reading(strict, shock_age_ms=3_599_999).survival, spec) < PPM


@pytest.mark.req("KRN-SURV-019", "KRN-SURV-024")
def test_the_specification_is_a_product(strict: State) -> None:
    worn = reading(strict, depth_quality_ppm=400_000, shock_age_ms=1_800_000)
    assert target(worn) == target(strict) * 650_000 // PPM * 500_000 // PPM


@pytest.mark.req("KRN-SURV-026")
def test_fast_attack_on_every_sensor() -> None:
    apex = until(Posture.APEX)
    bad_book = ReportBook(
        depth_quality_ppm=100_000, fill_probability_ppm=PPM, latency_ms=0, jitter_ms=0
    )
    for event in (ReportForewarner(status=2), ReportShock(), bad_book):
        after = accept(apex, event)
        assert after.survival.multiplier_ppm == target(after) < apex.survival.multiplier_ppm


@pytest.mark.req("KRN-SURV-027", "KRN-SURV-034")
def test_a_better_reading_raises_nothing_before_the_bar() -> None:
    apex = until(Posture.APEX)
    bad = accept(apex, ReportForewarner(status=2))
    good = accept(bad, ReportForewarner(status=0))
    assert good.survival.multiplier_ppm == bad.survival.multiplier_ppm
    risen = accept(good, CloseBar(market_time_ms=good.clock.market_time_ms + 5_000))
    assert risen.survival.multiplier_ppm > bad.survival.multiplier_ppm


@pytest.mark.req("KRN-SURV-027")
def test_a_flood_of_readings_earns_nothing() -> None:
    state = confirm(fresh())
    flooded = drive(state, (ReportForewarner(status=0) for _ in range(1_000)))
    assert flooded.survival.multiplier_ppm == 0


@pytest.mark.req("KRN-SURV-028", "KRN-SURV-029", "KRN-SURV-030")
def test_recovery_steps() -> None:
    assert recovery_step(5_000, PPM, Profile.BIBLE) == 1_666
    assert recovery_step(60_000, PPM, Profile.BIBLE) == 20_000
    assert recovery_step(60_000, 500_000, Profile.BIBLE) == 10_000
    assert recovery_step(60_000, PPM, Profile.SPECIFICATION) == 10_000
    assert recovery_step(60_000, 5, Profile.SPECIFICATION) == 5
    assert recovery_step(9_000_000, PPM, Profile.BIBLE) == 100_000, "a gap earns no more"


def minutes_to_apex(state: State, bar_ms: int) -> float:
    """Market minutes of healthy bars until APEX is committed, from here."""
    start = state.clock.market_time_ms
    while state.machine.posture != Posture.APEX:
        passed = state.clock.market_time_ms - start
        state = bar(state, dt_ms=bar_ms, healthy=passed % 60_000 == 0)
    return (state.clock.market_time_ms - start) / 60_000


@pytest.mark.req("KRN-SURV-028", "KRN-SURV-032")
@pytest.mark.parametrize("bar_ms", [5_000, 60_000])
def test_apex_takes_129_minutes_from_zero(healthy: State, bar_ms: int) -> None:
    """The figure design 3 gives, before the five bars of hysteresis."""
    at_zero = confirm(lower(healthy))
    hysteresis = 5 * bar_ms / 60_000
    assert minutes_to_apex(at_zero, bar_ms) == pytest.approx(129, abs=2 + hysteresis)


def hour(healthy: State, bar_ms: int) -> list[State]:
    """Each minute's last state in an hour of recovery by bars of a length."""
    state, path = confirm(healthy), []
    for _ in range(60):
        for number in range(60_000 // bar_ms):
            # Readings stay good for minutes: fresh ones once a minute are enough.
            state = bar(state, dt_ms=bar_ms, healthy=number == 0)
        path.append(state)
    return path


@pytest.fixture(scope="module")
def by_seconds(healthy: State) -> list[State]:
    """An hour of recovery by bars of a second."""
    return hour(healthy, 1_000)


@pytest.mark.req("KRN-SURV-032")
def test_the_path_depends_on_the_bars_length_by_less_than_a_hundredth(
    healthy: State, by_seconds: list[State]
) -> None:
    """Stated amount: 1 % of full scale between 1 s and 60 s bars, at any minute of recovery."""
    hours = {1_000: by_seconds} | {length: hour(healthy, length) for length in (5_000, 60_000)}
    paths = {
        bar_ms: [state.survival.multiplier_ppm for state in path] for bar_ms, path in hours.items()
    }
    for bar_ms in (1_000, 5_000):
        gaps = [abs(a - b) for a, b in zip(paths[bar_ms], paths[60_000], strict=True)]
        assert max(gaps) < PPM // 100


@pytest.mark.req("KRN-SURV-032")
def test_recovery_does_not_freeze(by_seconds: list[State]) -> None:
    """In bars of a second, where a minute's gain is cut into sixty, within four hours."""
    state = by_seconds[-1]
    assert state.machine.posture != Posture.APEX
    for second in range(60 * 60 * 3):
        state = bar(state, dt_ms=1_000, healthy=second % 60 == 0)
        if state.machine.posture == Posture.APEX:
            break
    assert state.machine.posture == Posture.APEX


# --- where one unit decides: rounding, ends, and the profile -------------------------------------


@pytest.mark.req("KRN-LEDG-014", "KRN-LEDG-015")
@pytest.mark.parametrize(
    ("peak", "now", "expected"),
    [(2, 1, 500_000), (3, 1, 666_667), (1, 0, PPM), (2, -1, PPM), (2, 2, 0), (2, 3, 0)],
)
def test_drawdown_of_a_few_micro_usdt(peak: int, now: int, expected: int) -> None:
    assert drawdown(peak, now) == expected


@pytest.mark.req("KRN-SURV-012", "KRN-SURV-013")
@pytest.mark.parametrize("profile", list(Profile))
def test_a_shock_cools_by_whole_seconds(profile: Profile) -> None:
    factors = [environment_factor(age, profile) for age in (1_000, 1_001, 1_500, 1_999)]
    assert len(set(factors)) == 1
    assert environment_factor(2_000, profile) > factors[0]


@pytest.mark.req("KRN-SURV-022")
@pytest.mark.parametrize("n", [1, EXP_UNIT, 10 * EXP_UNIT])
def test_the_upper_exponential_is_thirteen_units_higher(n: int) -> None:
    """The rounding of nine digits loses less than thirteen units (the header of ``fixed.py``)."""
    assert ERROR_MAX == 13
    assert exp_up(n) - exp_down(n) == 13


@pytest.mark.req("KRN-SURV-028", "KRN-SURV-029")
@pytest.mark.parametrize(
    ("profile", "expected"), [(Profile.SPECIFICATION, 9_999), (Profile.BIBLE, 19_999)]
)
def test_a_step_of_recovery_is_a_whole_number(profile: Profile, expected: int) -> None:
    step = recovery_step(59_999, PPM, profile)
    assert step == expected
    assert isinstance(step, int)


@pytest.mark.req("KRN-SURV-002")
def test_under_specification_an_older_forewarner_is_trusted_less() -> None:
    state = until(Posture.APEX, profile=Profile.SPECIFICATION)
    older = replace(state, survival=replace(state.survival, forewarner_age_ms=400_000))
    assert target(older) < target(state)


@pytest.mark.req("KRN-STEP-013")
@pytest.mark.parametrize("field", ["depth_quality_ppm", "fill_probability_ppm"])
def test_readings_reach_up_to_one(field: str) -> None:
    state = until(Posture.APEX)

    def fits(value: int) -> bool:
        return readings_in_range(replace(state.survival, **{field: value}), state.ledger)

    assert [fits(value) for value in (-1, 0, PPM, PPM + 1)] == [False, True, True, False]


@pytest.mark.req("KRN-STEP-013")
def test_drawdown_reaches_up_to_one() -> None:
    state = until(Posture.APEX)

    def fits(value: int) -> bool:
        return readings_in_range(state.survival, replace(state.ledger, drawdown_ppm=value))

    assert [fits(value) for value in (-1, 0, PPM, PPM + 1)] == [False, True, True, False]
