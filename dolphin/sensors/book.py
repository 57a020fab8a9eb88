"""Stand-in for the order book: depth, probability of a fill, latency and jitter, from bars.

Bars hold no book. What they hold is how violently BTCUSDT moves over a few bars compared with its
habit, and a book thins, slips and lags when it does. So:

*   ``depth_quality`` falls with the *range* of the last ``SHORT_BARS`` closes: a market that has
    travelled far has eaten its book.
*   ``fill_probability`` falls with their *root mean square* move: a maker's price is left behind.
*   ``latency_ms`` and ``jitter_ms`` grow with the square of the same two, from a calm base: at two
    and a half times the habit they reach the specification profile's deadbands, 200 and 50 ms.

The first two are ratios to their own trailing median, put through 1/(1 + (ratio/HALF)^SHARPNESS):
near 1 up to two and a half times the habit, 0.5 at ``HALF`` times. In calm both stand above 0.93 on
all but one bar in a hundred, so that the kernel's factor stays above 0.95.

Rules of this file:

*   A bar without a BTCUSDT close yields no reading at all: silence ages the book in the kernel,
    which is what a lost feed should do. Nothing is invented for it.
*   While there is less history than ``WARMUP_BARS`` the quality is 0: a book not yet known is thin.

Not here: the factor (``kernel/curves.py``), staleness (``kernel/survival.py``). Level C.
"""

from dataclasses import dataclass
from math import isnan, log

import numpy as np

from dolphin.feed.bar import Bar
from dolphin.sensors.trailing import Trailing, ratio, rms

__all__ = ["DESCRIPTION", "NAME", "BookReading", "BookStandIn"]

NAME = "book-stand-in"
DESCRIPTION = (
    "order-book depth, fill probability, latency and jitter from BTCUSDT's short-horizon range "
    "and volatility against their trailing medians"
)

SHORT_BARS = 10
HISTORY_BARS = 720
WARMUP_BARS = 60
HALF = 5.0
SHARPNESS = 6
LATENCY_BASE_MS = 30.0
JITTER_BASE_MS = 8.0
LATENCY_MS_MAX = 60_000  # the kernel's range
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class BookReading:
    """The kernel's four numbers (0..1e6 ppm, 0..60,000 ms), and the two ratios they came from."""

    bar_index: int
    depth_quality_ppm: int
    fill_probability_ppm: int
    latency_ms: int
    jitter_ms: int
    range_ratio: float
    volatility_ratio: float


def quality_ppm(times_habit: float) -> int:
    """Return 1/(1 + (x/5)^6) in ppm, rounded down. x >= 0, times the habit."""
    return int(PPM / (1.0 + (times_habit / HALF) ** SHARPNESS))


class BookStandIn:
    """One reading per bar that has a BTCUSDT close."""

    def __init__(self, traded: int) -> None:
        """traded: the position of BTCUSDT among the bar's closes."""
        self._traded = traded
        self._logs: list[float] = []
        self._ranges = Trailing(HISTORY_BARS)
        self._volatilities = Trailing(HISTORY_BARS)
        self.silent_bars = 0

    def update(self, bar: Bar) -> BookReading | None:
        """Take the next bar; return its reading, or None where BTCUSDT has no close."""
        close = bar.closes[self._traded]
        if isnan(close):
            self.silent_bars += 1
            return None
        self._logs.append(log(close))
        del self._logs[: -(SHORT_BARS + 1)]
        path = np.array(self._logs)
        reach = float(path.max() - path.min())
        rough = rms(np.diff(path))
        range_ratio = ratio(reach, self._ranges.median())
        volatility_ratio = ratio(rough, self._volatilities.median())
        warm = len(self._ranges) >= WARMUP_BARS
        if len(path) == SHORT_BARS + 1:
            self._ranges.push(reach)
            self._volatilities.push(rough)
        return BookReading(
            bar_index=bar.index,
            depth_quality_ppm=quality_ppm(range_ratio) if warm else 0,
            fill_probability_ppm=quality_ppm(volatility_ratio) if warm else 0,
            latency_ms=min(LATENCY_MS_MAX, round(LATENCY_BASE_MS * range_ratio**2)),
            jitter_ms=min(LATENCY_MS_MAX, round(JITTER_BASE_MS * volatility_ratio**2)),
            range_ratio=range_ratio,
            volatility_ratio=volatility_ratio,
        )
