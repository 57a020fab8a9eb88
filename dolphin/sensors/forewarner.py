"""Stand-in for the MC-Forewarner: is the market still within what was validated?

The real forewarner asks a Monte-Carlo model how probable a catastrophe is for the day's
configuration (bible 12). Without that model two quantities of the same meaning come from the bars,
and the sources' own thresholds judge them:

*   ``catastrophic_probability``: the share of the last ``TAIL_BARS`` bars in which the market
    portfolio moved further than its own 99th percentile before. In a steady market it is 0.01.
*   ``envelope_score``: 1 − z/3, where z says by how many robust standard deviations the logarithm
    of the portfolio's realised volatility stands above its own median. 1 is the middle of the
    envelope, 0 three deviations out, −1 six.

RED: probability > 0.25 or score < −1. ORANGE: score < 0 or probability > 0.10. Else OK (bible 12).

Rules of this file: while there is less history than ``WARMUP_BARS`` the answer is ORANGE, since
what has not been judged is not known to be safe. A reading never looks ahead.

Not here: the factor that the status becomes, and its decay (``kernel/survival.py``). Level C.
"""

from dataclasses import dataclass
from math import log

import numpy as np

from dolphin.feed.bar import Bar
from dolphin.feed.gaps import LogReturns
from dolphin.sensors.trailing import Trailing, rms

__all__ = ["DESCRIPTION", "NAME", "ForewarnerReading", "ForewarnerStandIn", "status_of"]

NAME = "forewarner-stand-in"
DESCRIPTION = (
    "MC-Forewarner status from the market portfolio's realised volatility and tail moves "
    "against its own trailing history; bible 12 thresholds"
)

OK, ORANGE, RED = 0, 1, 2
VOLATILITY_BARS = 60
TAIL_BARS = 60
HISTORY_BARS = 1_440
WARMUP_BARS = 180
TAIL_QUANTILE = 0.99
DEVIATION_MIN = 0.20  # floor of the robust deviation of log volatility: a calm day is not a cage
SCORE_PER_DEVIATION = 1 / 3
NORMAL_MAD = 1.4826  # makes the median absolute deviation a standard deviation


@dataclass(frozen=True, slots=True)
class ForewarnerReading:
    """status: 0 OK, 1 ORANGE, 2 RED, the kernel's numbers. The rest says why, in ppm and raw.

    volatility_percentile_ppm: rank of the volatility in its history. warm: whether there was enough
    history to judge by.
    """

    bar_index: int
    status: int
    catastrophic_probability_ppm: int
    envelope_score: float
    volatility_percentile_ppm: int
    warm: bool


class ForewarnerStandIn:
    """One status per bar."""

    def __init__(self, symbols: int) -> None:
        """Expect bars of ``symbols`` closes."""
        self._returns = LogReturns(symbols)
        self._recent = Trailing(VOLATILITY_BARS)
        self._tail = Trailing(TAIL_BARS)
        self._moves = Trailing(HISTORY_BARS)
        self._volatilities = Trailing(HISTORY_BARS)

    def update(self, bar: Bar) -> ForewarnerReading:
        """Take the next bar; return the status it leaves."""
        returns = self._returns.update(bar)
        if returns is None:
            return ForewarnerReading(bar.index, ORANGE, 0, 0.0, 0, False)
        move = float(returns.values.mean())
        self._recent.push(move)
        volatility = rms(self._recent.values)
        warm = len(self._moves) >= WARMUP_BARS
        probability, score, percentile = 0.0, 0.0, 0.0
        if warm:
            limit = float(np.quantile(self._moves.values, TAIL_QUANTILE))
            self._tail.push(1.0 if abs(move) > limit else 0.0)
            probability = float(self._tail.values.mean()) if len(self._tail) == TAIL_BARS else 0.0
            score = self._score(volatility)
            percentile = float((self._volatilities.values <= volatility).mean())
        status = ORANGE
        if warm:
            status = status_of(probability, score)
        self._moves.push(abs(move))
        if len(self._recent) == VOLATILITY_BARS:
            self._volatilities.push(volatility)
        return ForewarnerReading(
            bar_index=bar.index,
            status=status,
            catastrophic_probability_ppm=int(probability * 1_000_000),
            envelope_score=score,
            volatility_percentile_ppm=int(percentile * 1_000_000),
            warm=warm,
        )

    def _score(self, volatility: float) -> float:
        known = self._volatilities.values
        known = np.log(known[known > 0.0])
        if not len(known) or volatility <= 0.0:
            return 1.0
        middle = float(np.median(known))
        deviation = NORMAL_MAD * float(np.median(np.abs(known - middle)))
        return 1.0 - SCORE_PER_DEVIATION * (log(volatility) - middle) / max(
            deviation, DEVIATION_MIN
        )


def status_of(catastrophic_probability: float, envelope_score: float) -> int:
    """Return the status by bible 12's gate."""
    if catastrophic_probability > 0.25 or envelope_score < -1.0:
        return RED
    if envelope_score < 0.0 or catastrophic_probability > 0.10:
        return ORANGE
    return OK
