"""The EsoF engine: one reading per bar.

Rules of this file: no state and no clock; the reading is a function of the bar's market time, so a
replay at any speed sees the same moon. Prices are not looked at.

Not here: any use of the reading. It is published beside the signal and changes nothing yet.
Level D.
"""

from dataclasses import dataclass

from dolphin.esof.harmonics import TemporalHarmonics, temporal_harmonics
from dolphin.esof.lunar import LunarPhase, lunar_phase
from dolphin.feed.bar import Bar

__all__ = ["EsofEngine", "EsofReading"]


@dataclass(frozen=True, slots=True)
class EsofReading:
    """The moon and the calendar at a bar."""

    bar_index: int
    lunar: LunarPhase
    harmonics: TemporalHarmonics


class EsofEngine:
    """Turns bars into esoteric factors."""

    def update(self, bar: Bar) -> EsofReading:
        """Return the factors of the bar's market time."""
        return EsofReading(
            bar_index=bar.index,
            lunar=lunar_phase(bar.market_time_ms),
            harmonics=temporal_harmonics(bar.market_time_ms),
        )
