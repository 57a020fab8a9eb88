"""The eigenvalue scanner: one reading per bar, from all windows in one pass.

Rules of this file:

*   All windows are computed from the same bar in the same call (bible 27.1: two cycles at two
    speeds once paired fresh short windows with stale long ones).
*   Nothing is said before the longest window is full: the reading is not ``ready``, and its
    numbers are absent rather than zero.
*   Returns are kept in one buffer of twice the longest window, so each window is one slice.

Not here: the matrix (``correlation.py``), the formula of velocity (``velocity.py``, ADR 0010).
Assurance level C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dolphin.eigen.correlation import correlation_matrix, lambda_max
from dolphin.eigen.velocity import vel_div, velocity
from dolphin.feed.bar import Bar
from dolphin.feed.gaps import LogReturns

__all__ = ["WINDOWS", "EigenReading", "EigenScanner"]

WINDOWS = (50, 150, 300, 750)  # bible 3.1
WINDOW_MIN = 5
LAG = 1  # ADR 0010


@dataclass(frozen=True, slots=True)
class EigenReading:
    """What one bar says. Tuples have one entry per window, shortest first.

    lambda_max: in 1..symbols; empty until the longest window is full. velocity: per bar; empty,
    and vel_div None, until ``ready``. frozen: symbols without variance, by window. gaps: symbols
    without a close in this bar. gaps_total: such holes so far.
    """

    bar_index: int
    lambda_max: tuple[float, ...]
    velocity: tuple[float, ...]
    vel_div: float | None
    frozen: tuple[int, ...]
    gaps: int
    gaps_total: int

    @property
    def ready(self) -> bool:
        """Whether every window is full and there is a divergence."""
        return self.vel_div is not None


class EigenScanner:
    """Correlation, lambda_max and velocity over several windows, bar by bar."""

    def __init__(self, symbols: int, windows: Sequence[int] = WINDOWS, lag: int = LAG) -> None:
        """windows: bars of returns, increasing, at least two. lag: bars. ValueError else."""
        if len(windows) < 2 or windows[0] < WINDOW_MIN or list(windows) != sorted(set(windows)):
            raise ValueError(
                f"windows {tuple(windows)}: expected at least two, increasing, each >= {WINDOW_MIN}"
            )
        if lag < 1:
            raise ValueError(f"lag {lag}: expected at least one bar")
        self.windows = tuple(windows)
        self.lag = lag
        self.returns = LogReturns(symbols)
        self._longest = self.windows[-1]
        self._buffer = np.zeros((2 * self._longest, symbols))
        self._end = 0
        self._history: list[tuple[float, ...]] = []

    def update(self, bar: Bar) -> EigenReading:
        """Take the next bar and return its reading."""
        returns = self.returns.update(bar)
        gaps = sum(1 for close in bar.closes if close != close)
        if returns is not None:
            self._push(returns.values)
        if self._end < self._longest:
            return EigenReading(bar.index, (), (), None, (), gaps, self.returns.gaps_total)
        lambdas: list[float] = []
        frozen: list[int] = []
        for window in self.windows:
            matrix, still = correlation_matrix(self._buffer[self._end - window : self._end])
            lambdas.append(lambda_max(matrix))
            frozen.append(still)
        now = tuple(lambdas)
        self._history.append(now)
        velocities: tuple[float, ...] = ()
        divergence: float | None = None
        if len(self._history) > self.lag:
            before = self._history.pop(0)
            velocities = tuple(velocity(a, b, self.lag) for a, b in zip(now, before, strict=True))
            divergence = vel_div(velocities)
        return EigenReading(
            bar.index, now, velocities, divergence, tuple(frozen), gaps, self.returns.gaps_total
        )

    def _push(self, values: np.typing.NDArray[np.float64]) -> None:
        if self._end == len(self._buffer):
            # The older half has left every window; move the newer half to the front.
            self._buffer[: self._longest] = self._buffer[self._longest :]
            self._end = self._longest
        self._buffer[self._end] = values
        self._end += 1
