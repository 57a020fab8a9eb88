"""Cycles without a seam, sessions by the clock."""

from datetime import UTC, datetime
from math import cos, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.esof.harmonics import temporal_harmonics


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_tuesday_noon_by_hand() -> None:
    now = temporal_harmonics(ms("2025-06-17T12:00"))
    assert (now.weekday, now.hour, now.week_of_year) == (1, 12, 25)
    assert (now.day_sin, now.day_cos) == pytest.approx((0.0, -1.0), abs=1e-12)
    week = 2 * pi * 1.5 / 7
    assert (now.week_sin, now.week_cos) == pytest.approx((sin(week), cos(week)))
    year = 2 * pi * (167.5 / 365)
    assert (now.year_sin, now.year_cos) == pytest.approx((sin(year), cos(year)))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-06-17T03:00", ("asia",)),
        ("2025-06-17T07:30", ("asia", "europe")),
        ("2025-06-17T14:00", ("europe", "america")),
        ("2025-06-17T22:00", ()),
        ("2025-06-21T14:00", ()),  # a Saturday
    ],
)
def test_sessions(moment: str, expected: tuple[str, ...]) -> None:
    assert temporal_harmonics(ms(moment)).sessions == expected


@pytest.mark.parametrize("seam", ["2025-06-17T00:00", "2025-06-16T00:00", "2025-01-01T00:00"])
def test_no_seam(seam: str) -> None:
    before, after = temporal_harmonics(ms(seam) - 1), temporal_harmonics(ms(seam))
    for name in ("day_sin", "day_cos", "week_sin", "week_cos", "year_sin", "year_cos"):
        assert getattr(before, name) == pytest.approx(getattr(after, name), abs=1e-6)


@given(st.integers(0, ms("2090-01-01T00:00")))
def test_each_pair_lies_on_the_circle(moment: int) -> None:
    now = temporal_harmonics(moment)
    for cycle in ("day", "week", "year"):
        radius = getattr(now, f"{cycle}_sin") ** 2 + getattr(now, f"{cycle}_cos") ** 2
        assert radius == pytest.approx(1.0)
    assert now.weekday == datetime.fromtimestamp(moment / 1000, UTC).weekday()
