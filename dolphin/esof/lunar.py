"""The moon's phase at a moment of market time, from a real ephemeris.

Rules of this file:

*   A pure function of the moment. The ephemeris is PyEphem (libastro, planets by VSOP87); no mean
    month is used anywhere, since true ones differ by half a day.
*   Angles are geocentric and in degrees: the phase does not depend on where the observer stands.
*   ``phase_angle`` is the moon's ecliptic longitude less the sun's, in [0, 360): 0 at new moon, 90
    at the first quarter, 180 at full moon. It grows steadily, and so it also says waxing or waning,
    which illumination alone does not.

Not here: what any of it means for a market. No source says, and nothing in the kernel reads it.
Level D.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import degrees

import ephem

__all__ = ["LunarPhase", "lunar_phase"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LunarPhase:
    """illumination: lit share of the disc, 0..1. age_days: since the last new moon, 0..29.9.
    phase_angle_deg: elongation in ecliptic longitude, [0, 360)."""

    illumination: float
    age_days: float
    phase_angle_deg: float

    @property
    def waxing(self) -> bool:
        """Whether the moon grows."""
        return self.phase_angle_deg < 180.0


def lunar_phase(market_time_ms: int) -> LunarPhase:
    """Return the moon's phase at a moment, ms since 1970 UTC."""
    moment = ephem.Date((EPOCH + timedelta(milliseconds=market_time_ms)).replace(tzinfo=None))
    moon = ephem.Moon(moment)
    sun = ephem.Sun(moment)
    moon_longitude = degrees(float(ephem.Ecliptic(moon, epoch=moment).lon))
    sun_longitude = degrees(float(ephem.Ecliptic(sun, epoch=moment).lon))
    return LunarPhase(
        illumination=float(moon.moon_phase),
        age_days=float(moment - ephem.previous_new_moon(moment)),
        phase_angle_deg=(moon_longitude - sun_longitude) % 360.0,
    )
