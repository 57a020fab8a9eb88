"""The survival functions where one unit more or less decides: rounding, ends, and the profile.

Not here: whole curves against their real-valued definitions (``test_curves.py``), what R does over
time (``test_survival.py``).
"""

from dataclasses import replace

import pytest

from kernel.constants import PPM, Posture, Profile
from kernel.equity import drawdown
from kernel.factors import environment_factor
from kernel.fixed import ERROR_MAX, EXP_UNIT, exp_down, exp_up
from kernel.survival import readings_in_range, recovery_step, target
from tests.kernel.sessions import until


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
