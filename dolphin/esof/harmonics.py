"""Time of day, week and year as phases of a cycle.

Rules of this file:

*   A pure function of the moment, UTC, integers until the last step.
*   A cycle is given as sine and cosine, so that 23:59 is next to 00:00: two numbers, no seam.
*   Phases are exact to the millisecond: Tuesday noon is 1.5/7 of the week, not "day 1".
*   Week and year: the week begins on Monday (ISO 8601). The year's phase runs through its weeks, by
    the share of the calendar year gone, so that a leap year has no seam either.
*   Sessions are the usual trading hours of three centres in UTC, without daylight saving: crypto
    has no closing bell, and a stated convention is worth more than a guess at habits.

Not here: the moon (``lunar.py``). Level D.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, pi, sin

__all__ = ["SESSIONS", "TemporalHarmonics", "temporal_harmonics"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
MONDAY_OFFSET_MS = 3 * DAY_MS  # 1970-01-01 was a Thursday

# Name, first hour, hour after the last; UTC, on weekdays.
SESSIONS: tuple[tuple[str, int, int], ...] = (
    ("asia", 0, 8),
    ("europe", 7, 16),
    ("america", 13, 21),
)


@dataclass(frozen=True, slots=True)
class TemporalHarmonics:
    """Sine and cosine of the phase in day, week and year, each in −1..1; and the open sessions."""

    day_sin: float
    day_cos: float
    week_sin: float
    week_cos: float
    year_sin: float
    year_cos: float
    hour: int
    weekday: int
    week_of_year: int
    sessions: tuple[str, ...]


def temporal_harmonics(market_time_ms: int) -> TemporalHarmonics:
    """Return the harmonics of a moment, ms since 1970 UTC. weekday: Monday is 0."""
    moment = EPOCH + timedelta(milliseconds=market_time_ms)
    day = (market_time_ms % DAY_MS) / DAY_MS
    week = ((market_time_ms + MONDAY_OFFSET_MS) % WEEK_MS) / WEEK_MS
    begin = datetime(moment.year, 1, 1, tzinfo=UTC)
    year = (moment - begin) / (datetime(moment.year + 1, 1, 1, tzinfo=UTC) - begin)
    hour, weekday = moment.hour, moment.weekday()
    open_now = tuple(name for name, first, end in SESSIONS if weekday < 5 and first <= hour < end)
    return TemporalHarmonics(
        day_sin=sin(2 * pi * day),
        day_cos=cos(2 * pi * day),
        week_sin=sin(2 * pi * week),
        week_cos=cos(2 * pi * week),
        year_sin=sin(2 * pi * year),
        year_cos=cos(2 * pi * year),
        hour=hour,
        weekday=weekday,
        week_of_year=moment.isocalendar().week,
        sessions=open_now,
    )
