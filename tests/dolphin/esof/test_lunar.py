"""The moon at moments that almanacs give, to the minute (UTC)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.esof.engine import EsofEngine
from dolphin.esof.lunar import lunar_phase
from dolphin.feed.bar import Bar


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# Moment, phase angle in degrees, illumination. The moon gains half a degree on the sun each hour.
ALMANAC = [
    ("2000-01-06T18:14", 0.0, 0.0),
    ("2024-01-11T11:57", 0.0, 0.0),
    ("2024-01-25T17:54", 180.0, 1.0),
    ("2024-04-08T18:21", 0.0, 0.0),  # total solar eclipse
    ("2025-06-03T03:41", 90.0, 0.5),
    ("2025-06-11T07:44", 180.0, 1.0),
    ("2025-06-25T10:31", 0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("moment", "angle", "illumination"), ALMANAC)
def test_almanac(moment: str, angle: float, illumination: float) -> None:
    phase = lunar_phase(ms(moment))
    away = (phase.phase_angle_deg - angle + 180.0) % 360.0 - 180.0
    assert abs(away) < 0.05
    assert phase.illumination == pytest.approx(illumination, abs=0.005)


def test_age_counts_from_the_last_new_moon() -> None:
    new = ms("2025-06-25T10:31")
    assert lunar_phase(new + 36 * 3_600_000).age_days == pytest.approx(1.5, abs=0.01)
    assert lunar_phase(new - 3_600_000).age_days == pytest.approx(29.27, abs=0.05)


def test_waxing_and_waning_differ_where_illumination_does_not() -> None:
    full = ms("2025-06-11T07:44")
    before, after = lunar_phase(full - 4 * 86_400_000), lunar_phase(full + 4 * 86_400_000)
    assert before.illumination == pytest.approx(after.illumination, abs=0.05)
    assert before.waxing
    assert not after.waxing


@given(st.integers(ms("2000-01-01T00:00"), ms("2060-01-01T00:00")))
def test_ranges(moment: int) -> None:
    phase = lunar_phase(moment)
    assert 0.0 <= phase.illumination <= 1.0
    assert 0.0 <= phase.age_days < 29.95
    assert 0.0 <= phase.phase_angle_deg < 360.0


def test_engine_reads_the_bars_time_and_nothing_else() -> None:
    moment = ms("2025-06-11T07:44")
    one = EsofEngine().update(Bar(3, moment, (1.0, 2.0)))
    other = EsofEngine().update(Bar(3, moment, (9.0, 0.1)))
    assert one == other
    assert one.lunar == lunar_phase(moment)
    assert one.harmonics.hour == 7
