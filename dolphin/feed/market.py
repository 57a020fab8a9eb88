"""A market from a seed: correlated, with regimes that change, disturbances, and exactly one crash.

Theory. A one-factor model. The return of symbol i on a bar is

    vol_i × v × ( √ρ × f + √(1 − ρ) × e_i )

with a common factor f and the symbol's own e_i, all of unit variance. A *regime* sets ρ, how much
moves together; it changes every ``REGIME_BARS`` or so, and that is what the eigenvalues see. An
*episode* sets v, or moves one part of the market, and that is what the sensors see:

    thin    BTCUSDT alone is thrown to and fro: its book would be empty. The rest does not notice.
    shock   everything but BTCUSDT jumps within three bars. A DVOL spike.
    burn    the factor's volatility is higher for an hour and a half, with no jump in it. It leaves
            the envelope slowly: what a forewarner is for.
    crash   the factor falls by a fifth in forty bars, everything together, and trembles after.

Rules of this file:

*   Everything follows from the arguments: the same call gives the same bytes.
*   The first quarter, up to ``WARM_BARS``, is calm: windows fill and trust is earned.
*   Between the end of an episode and the start of the next lie at least ``CALM_MIN`` minutes of
    market time, since 134 minutes pass from a shock to APEX (design 3). A session too short for the
    four kinds keeps the crash and drops the others from the end.
*   Own noise has fat tails, the factor has not: a fat-tailed factor would be a shock by chance.
*   Volatility is given per minute and scaled with the root of the bar's length; episodes and regimes
    last bars, calm lasts minutes.

Not here: book, DVOL, forewarner. None is generated; the stand-ins compute them from these bars.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from dolphin.feed.panel import ANCHOR, Panel

__all__ = ["Episode", "generate", "plan"]

START_MS = 1_736_121_600_000  # 2025-01-06T00:00Z, a Monday
BARS_MIN = 400
SYMBOLS_MIN = 4
WARM_BARS = 800
CALM_MIN = 210
CALM_SPAN_MIN = 60
REGIME_BARS = (30, 120)
CORRELATIONS = (0.20, 0.40, 0.60, 0.75)
VOLATILITY_MINUTE = 0.0011
TAIL_FREEDOM = 5  # Student t of a symbol's own noise
LENGTHS = {"thin": 12, "shock": 3, "burn": 90, "crash": 40}
FIRST_KINDS = ("thin", "shock", "burn")
AFTERMATH_BARS = 120
CRASH_LOG_MOVE = -0.22
BURN_VOLATILITY = 2.0
SHOCK_SIGMAS = 9.0
THIN_SIGMAS = 6.0
STREAM_PLAN, STREAM_MARKET = 1, 2


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of the market that is not calm. Bars start..start + length − 1."""

    kind: str
    start: int
    length: int


def plan(seed: int, bars: int, cadence_ms: int) -> tuple[Episode, ...]:
    """Return the episodes of the market that ``generate`` makes, in order; one is the crash."""
    chance = np.random.default_rng([STREAM_PLAN, seed])
    minutes = 60_000 / cadence_ms

    def calm() -> int:
        return ceil((CALM_MIN + chance.uniform(0, CALM_SPAN_MIN)) * minutes)

    crash_start = int(bars * chance.uniform(0.55, 0.65))
    crash = Episode("crash", crash_start, LENGTHS["crash"])
    episodes: list[Episode] = []
    at = min(WARM_BARS, bars // 4)
    for number in range(bars):
        kind = FIRST_KINDS[number % 3]
        length = LENGTHS[kind]
        before_crash = at + length + ceil(CALM_MIN * minutes) <= crash.start
        if not before_crash and at < crash.start:
            at = crash.start + crash.length + AFTERMATH_BARS + calm()
        if at + length > bars:
            break
        episodes.append(Episode(kind, at, length))
        at += length + calm()
    return tuple(sorted([*episodes, crash], key=lambda episode: episode.start))


def generate(seed: int, bars: int, symbols: int = 16, cadence_ms: int = 60_000) -> Panel:
    """Return a generated panel: BTCUSDT and ``symbols − 1`` others, ``bars`` rows, no gaps.

    seed: any integer >= 0. cadence_ms: the length of a bar. Raises ValueError where an argument is
    out of range.
    """
    if seed < 0:
        raise ValueError(f"seed {seed}: expected 0 or more")
    if bars < BARS_MIN:
        raise ValueError(f"bars {bars}: expected at least {BARS_MIN}")
    if symbols < SYMBOLS_MIN:
        raise ValueError(f"symbols {symbols}: expected at least {SYMBOLS_MIN}")
    if cadence_ms < 1:
        raise ValueError(f"cadence_ms {cadence_ms}: expected at least 1")
    chance = np.random.default_rng([STREAM_MARKET, seed])
    episodes = plan(seed, bars, cadence_ms)
    correlation = _regimes(chance, bars)
    intensity = np.ones(bars)
    drift = np.zeros(bars)
    for episode in episodes:
        inside = slice(episode.start, episode.start + episode.length)
        if episode.kind == "burn":
            # It rises over a third of its length, so that no single bar is a jump.
            rise = np.minimum(1.0, np.arange(1, episode.length + 1) / (episode.length / 3))
            intensity[inside] = 1.0 + (BURN_VOLATILITY - 1.0) * rise
        if episode.kind == "crash":
            intensity[inside] = 4.0
            drift[inside] = CRASH_LOG_MOVE / episode.length
            correlation[inside] = 0.90
            after = slice(inside.stop, min(bars, inside.stop + AFTERMATH_BARS))
            fade = np.exp(-np.arange(after.stop - after.start) / (AFTERMATH_BARS / 3))
            intensity[after] = 1.0 + 3.0 * fade
    unit = VOLATILITY_MINUTE * sqrt(cadence_ms / 60_000)
    beta = np.concatenate([[1.0], chance.uniform(0.9, 1.8, symbols - 1)])
    factor = chance.standard_normal(bars)
    own = chance.standard_t(TAIL_FREEDOM, (bars, symbols)) / sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2))
    # BTCUSDT trades: its own noise is Gaussian, so that only an episode empties its book.
    own[:, 0] = chance.standard_normal(bars)
    common = np.sqrt(correlation) * factor
    noise = np.sqrt(1.0 - correlation)[:, None] * own
    moves = unit * intensity[:, None] * (common[:, None] + noise) + drift[:, None]
    moves *= beta
    for episode in episodes:
        _disturb(chance, moves, episode, unit)
    start = np.concatenate([[60_000.0], np.exp(chance.uniform(-1.0, 6.0, symbols - 1))])
    moves[0] = 0.0
    prices = start * np.exp(np.cumsum(moves, axis=0))
    # Ticks: a tenth of a dollar for BTCUSDT, and about six digits for the others.
    tick = np.concatenate([[0.1], 10.0 ** (np.floor(np.log10(start[1:])) - 5)])
    closes = np.maximum(np.round(prices / tick), 1.0) * tick
    closes.setflags(write=False)
    timestamps = START_MS + cadence_ms * np.arange(bars, dtype=np.int64)
    timestamps.setflags(write=False)
    return Panel(
        source=f"generated: seed {seed}, {bars} bars of {cadence_ms} ms, {symbols} symbols",
        timestamps=timestamps,
        symbols=(ANCHOR, *(f"ALT{number:02d}USDT" for number in range(1, symbols))),
        closes=closes,
        cadence_ms=cadence_ms,
    )


def _regimes(chance: np.random.Generator, bars: int) -> NDArray[np.float64]:
    """Return ρ for each bar: a new one of ``CORRELATIONS`` each time, never the same twice."""
    correlation = np.empty(bars)
    at, now = 0, int(chance.integers(len(CORRELATIONS)))
    while at < bars:
        length = int(chance.integers(REGIME_BARS[0], REGIME_BARS[1] + 1))
        correlation[at : at + length] = CORRELATIONS[now]
        at += length
        now = (now + int(chance.integers(1, len(CORRELATIONS)))) % len(CORRELATIONS)
    return correlation


def _disturb(
    chance: np.random.Generator, moves: NDArray[np.float64], episode: Episode, unit: float
) -> None:
    """Add what an episode does to single symbols. moves: (bars, symbols), changed in place."""
    inside = slice(episode.start, episode.start + episode.length)
    if episode.kind == "thin":
        # To and fro, so that the price comes back: an empty book moves far and means little.
        swing = THIN_SIGMAS * unit * chance.uniform(0.8, 1.2, episode.length)
        moves[inside, 0] += swing * np.where(np.arange(episode.length) % 2 == 0, 1.0, -1.0)
    if episode.kind == "shock":
        jump = SHOCK_SIGMAS * unit * chance.uniform(0.9, 1.1, episode.length)
        moves[inside, 1:] += jump[:, None] * float(chance.choice([-1.0, 1.0]))
