"""Stand-in for the DVOL spike: a shock is realised volatility many times its trailing median.

DVOL is an implied volatility that bars do not hold. What the kernel wants of it is one thing: that
a shock has happened (bible 11.2, category 4). Here: the root mean square move of the market
portfolio over ``SHORT_BARS`` bars, ``SPIKE`` times or more its trailing median.

Rules of this file:

*   Refractory: for ``QUIET_MS`` after a shock there is no second one, unless it is half as large
    again as the one reported. A shock restarts the kernel's hour, so one event reported on each of
    its bars would count as many.
*   The quiet time is market time, taken from the bars.
*   While there is less history than ``WARMUP_BARS`` nothing is reported: there is no habit to
    compare with, and the other stand-ins hold the multiplier down meanwhile.

Not here: what a shock costs and how it heals (``kernel/survival.py``). Level C.
"""

from dataclasses import dataclass

from dolphin.feed.bar import Bar
from dolphin.feed.gaps import LogReturns
from dolphin.sensors.trailing import Trailing, ratio, rms

__all__ = ["DESCRIPTION", "NAME", "ShockReading", "ShockStandIn"]

NAME = "dvol-stand-in"
DESCRIPTION = (
    "DVOL spike where the market portfolio's short-horizon realised volatility is at least five "
    "times its trailing median"
)

SHORT_BARS = 3
HISTORY_BARS = 720
WARMUP_BARS = 60
SPIKE = 5.0
QUIET_MS = 15 * 60_000
LARGER = 1.5


@dataclass(frozen=True, slots=True)
class ShockReading:
    """shock: report it. volatility_ratio: times the trailing median, dimensionless."""

    bar_index: int
    shock: bool
    volatility_ratio: float


class ShockStandIn:
    """One reading per bar; ``shock`` on the few where the kernel is to be told."""

    def __init__(self, symbols: int) -> None:
        """Expect bars of ``symbols`` closes."""
        self._returns = LogReturns(symbols)
        self._recent = Trailing(SHORT_BARS)
        self._volatilities = Trailing(HISTORY_BARS)
        self._shock_time_ms: int | None = None
        self._shock_ratio = 0.0
        self.shocks = 0

    def update(self, bar: Bar) -> ShockReading:
        """Take the next bar; say whether it is a shock."""
        returns = self._returns.update(bar)
        if returns is None:
            return ShockReading(bar.index, False, 1.0)
        self._recent.push(float(returns.values.mean()))
        volatility = rms(self._recent.values)
        times = ratio(volatility, self._volatilities.median())
        warm = len(self._volatilities) >= WARMUP_BARS
        if len(self._recent) == SHORT_BARS:
            self._volatilities.push(volatility)
        shock = warm and times >= SPIKE and self._awake(bar.market_time_ms, times)
        if shock:
            self._shock_time_ms = bar.market_time_ms
            self._shock_ratio = times
            self.shocks += 1
        return ShockReading(bar.index, shock, times if warm else 1.0)

    def _awake(self, market_time_ms: int, times: float) -> bool:
        if self._shock_time_ms is None or market_time_ms - self._shock_time_ms >= QUIET_MS:
            return True
        return times >= LARGER * self._shock_ratio
