"""The models' curve tables are the kernel's curves, at both scales."""

from itertools import pairwise

import pytest

from kernel import curves
from kernel.constants import PPM
from tests.kernel.curve_check import BY_NAME
from tests.spec.bands import band_values, bands
from verify.models.tables import CURVES, curve_table


def test_the_same_curves_as_are_checked() -> None:
    assert {name: curve.last for name, curve in CURVES.items()} == {
        name: subject.last for name, subject in BY_NAME.items()
    }


def test_a_table_is_sorted_and_is_the_kernels() -> None:
    assert curve_table("capital", [50_000, 0, 50_000]) == [
        (0, curves.capital(0)),
        (50_000, curves.capital(50_000)),
    ]
    assert curve_table("micro_bible", [7]) == [(7, curves.micro_bible(7, PPM))]
    assert curve_table("capital", []) == []


@pytest.mark.parametrize(
    ("name", "point"), [("capital", -1), ("capital", PPM + 1), ("latency_specification", 60_001)]
)
def test_an_input_outside_the_domain_is_named(name: str, point: int) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: input {point} is outside 0\.\."):
        curve_table(name, [0, point])


def test_an_unknown_curve_is_named() -> None:
    with pytest.raises(ValueError, match="no curve named 'sigmoid'; expected one of structural"):
        curve_table("sigmoid", [0])


@pytest.mark.parametrize("one", [1, 2, 4, 16])
@pytest.mark.parametrize("name", CURVES)
def test_bands_are_exactly_where_the_small_value_changes(name: str, one: int) -> None:
    curve = CURVES[name]

    def small(point: int) -> int:
        return round(curve.code(point) * one / PPM + 1e-9)  # no tie comes near 1e-9

    found = bands(name, one)
    assert found[0][0] == 0
    values = band_values(name, one)
    steps = [b - a for a, b in pairwise(values)]
    assert all(step > 0 if BY_NAME[name].rises else step < 0 for step in steps)
    ends = [first - 1 for first, _ in found[1:]] + [curve.last]
    for (first, value), end in zip(found, ends, strict=True):
        assert small(first) == small(end) == value


def test_small_scales_reach_the_top() -> None:
    """Else no model could be in APEX: 0.9734 and 0.999999 must count as 1."""
    for name in CURVES:
        assert max(band_values(name, 4)) == 4
        assert max(band_values(name, 2)) == 2
    assert band_values("capital", 4) == (4, 3, 2, 1, 0)
    assert band_values("environment_specification", 4) == (1, 2, 3, 4)
