"""The generated market: correlated prices with changing regimes, disturbances and one crash.

Theory. A one-factor model. The return of symbol i on a bar is

    vol_i × v × ( √ρ × f + √(1 − ρ) × e_i )

with a common factor f and the symbol's own e_i, all of unit variance. A *regime* sets ρ, how much
moves together; it changes every ``REGIME_BARS`` or so, and that is what the eigenvalues see. An
*episode* sets v, or moves one part of the market, and that is what the sensors see:

    thin    BTCUSDT alone is thrown to and fro: its book would be empty. The rest does not notice.
    shock   everything but BTCUSDT jumps within three bars. A DVOL spike.
    burn    everything but BTCUSDT moves more than twice as far for 90 bars, with no jump in it. It
            leaves the envelope slowly: what a forewarner is for.
    crash   the factor falls by a fifth in forty bars, everything together, and trembles after.
    squeeze everything climbs without a rest, and now and then a common pulse. A pulse lifts
            lambda_max, and lets it fall when it leaves the shortest window: short signals at full
            leverage into a rising market. No sensor sees it but the capital.

Rules of this file:

*   Everything follows from the arguments: the same call gives the same bytes.
*   The first quarter, up to ``WARM_BARS``, is calm: windows fill and trust is earned.
*   Between the end of an episode and the start of the next lie at least ``CALM_MIN`` minutes of
    market time, since 134 minutes pass from a shock to APEX (design 3). A session too short for
    all kinds keeps the crash; the squeeze, always last, comes where it fits after the crash.
*   Own noise has fat tails, the factor has not: a fat-tailed factor would be a shock by chance.
*   Volatility is given per minute and scaled with the root of the bar's length; episodes and
    regimes last bars, calm lasts minutes.
*   A disturbance moves the part of the market that one sensor watches and spares the others', so
    that a session shows which sensor a demotion came from. The crash spares nobody.

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
CORRELATIONS = (0.35, 0.50, 0.65)
VOLATILITY_MINUTE = 0.0011
TAIL_FREEDOM = 5  # Student t of a symbol's own noise
LENGTHS = {"thin": 12, "shock": 3, "burn": 90, "crash": 40, "squeeze": 520}
FIRST_KINDS = ("thin", "shock", "burn")
AFTERMATH_BARS = 120
SQUEEZE_TAIL_BARS = 240  # after it: time to come flat, reset the peak and climb again
SQUEEZE_LEAD_BARS = 50  # pulses only, until the first of them leaves a window of fifty
SQUEEZE_LOG_MOVE_BAR = 0.00045
PULSE_BARS = 15
PULSE_SIGMAS = 4.0
CRASH_LOG_MOVE = -0.22
BURN_VOLATILITY = 2.3
BURN_CORRELATION = 0.50
SQUEEZE_CORRELATION = 0.50
SHOCK_SIGMAS = 12.0
SHOCK_SHAPE = (1.0, 0.5, 0.3)
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
    past_crash = crash.start + crash.length + AFTERMATH_BARS
    always = [crash]
    end = bars
    squeeze_start = bars - SQUEEZE_TAIL_BARS - LENGTHS["squeeze"]
    if squeeze_start >= past_crash + ceil(CALM_MIN * minutes):
        always.append(Episode("squeeze", squeeze_start, LENGTHS["squeeze"]))
        end = squeeze_start - ceil(CALM_MIN * minutes)
    episodes: list[Episode] = []
    at = min(WARM_BARS, bars // 4)
    for number in range(bars):
        kind = FIRST_KINDS[number % 3]
        length = LENGTHS[kind]
        if at < past_crash and at + length + ceil(CALM_MIN * minutes) > crash.start:
            at = past_crash + calm()
        if at + length > end:
            break
        episodes.append(Episode(kind, at, length))
        at += length + calm()
    return tuple(sorted([*episodes, *always], key=lambda episode: episode.start))


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
    moves = _moves(chance, plan(seed, bars, cadence_ms), (bars, symbols), sqrt(cadence_ms / 60_000))
    start = np.concatenate([[60_000.0], np.exp(chance.uniform(-1.0, 6.0, symbols - 1))])
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


def _moves(
    chance: np.random.Generator,
    episodes: tuple[Episode, ...],
    shape: tuple[int, int],
    scale: float,
) -> NDArray[np.float64]:
    """Return the log returns, shape (bars, symbols), the first row 0.

    scale: the root of the bar's length in minutes.
    """
    bars, symbols = shape
    unit = VOLATILITY_MINUTE * scale
    correlation = _regimes(chance, bars)
    factor = chance.standard_normal(bars)
    own = chance.standard_t(TAIL_FREEDOM, shape) / sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2))
    # BTCUSDT trades: its own noise is Gaussian, so that only an episode empties its book.
    own[:, 0] = chance.standard_normal(bars)
    intensity = np.ones(bars)
    drift = np.zeros(bars)
    burning = np.full(bars, np.nan)
    for episode in episodes:
        inside = slice(episode.start, episode.start + episode.length)
        if episode.kind == "burn":
            intensity[inside] = BURN_VOLATILITY
            correlation[inside] = BURN_CORRELATION
            # Never a jump, never a rest: half to one and a half times the usual move, either way.
            size = chance.uniform(0.5, 1.5, episode.length)
            burning[inside] = size * chance.choice([-1.0, 1.0], episode.length)
        if episode.kind == "squeeze":
            correlation[inside] = SQUEEZE_CORRELATION
            pulses = slice(inside.start, inside.stop, PULSE_BARS)
            factor[pulses] = PULSE_SIGMAS * np.sign(factor[pulses])
            drift[inside.start + SQUEEZE_LEAD_BARS : inside.stop] = SQUEEZE_LOG_MOVE_BAR * scale
        if episode.kind == "crash":
            intensity[inside] = 4.0
            drift[inside] = CRASH_LOG_MOVE / episode.length
            correlation[inside] = 0.90
            after = slice(inside.stop, min(bars, inside.stop + AFTERMATH_BARS))
            fade = np.exp(-np.arange(after.stop - after.start) / (AFTERMATH_BARS / 3))
            intensity[after] = 1.0 + 3.0 * fade
    beta = np.concatenate([[1.0], chance.uniform(0.9, 1.8, symbols - 1)])
    shared = np.tile(factor[:, None], (1, symbols))
    burns = ~np.isnan(burning)
    shared[burns, 1:] = burning[burns, None]
    reach = np.tile(intensity[:, None], (1, symbols))
    reach[burns, 0] = 1.0
    mixed = np.sqrt(correlation)[:, None] * shared + np.sqrt(1.0 - correlation)[:, None] * own
    moves = beta * (unit * reach * mixed + drift[:, None])
    for episode in episodes:
        _disturb(chance, moves, episode, unit)
    moves[0] = 0.0
    return moves


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
        jump = SHOCK_SIGMAS * unit * np.array(SHOCK_SHAPE)
        moves[inside, 1:] += jump[:, None] * float(chance.choice([-1.0, 1.0]))
