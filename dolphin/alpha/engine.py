"""The strategy's engine: bars in, order intents out.

Rules of this file:

*   No I/O, no clock, no chance: the same bars, views and postures give the same intents.
*   An intent is a wish. Lots, prices and permits are the caller's and the kernel's.
*   Exits first, then entries, as bible 13.2; an entry only when flat, with nothing outstanding, and
    on a later bar than the last exit.
*   One instrument, BTCUSDT (bible 13.3, asset selection off). SHORT only (bible 1).
*   On a bar without a BTCUSDT close nothing is asked: there is no price to ask at.
*   In HIBERNATE no exit is asked for: there the kernel's own flatten is the only order (design 3).
*   A posture that forbids entries does not silence the engine unless told so. What it would have
    done, and that it was refused, belongs in the journal; bible 11.7's halt is the kernel's to
    enforce (ADR 0012).

Not here: the eigenvalues (``dolphin/eigen``), the formulas (``signal.py``, ``sizing.py``,
``exits.py``). Assurance level C.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

from dolphin.alpha.exits import evaluate, gain
from dolphin.alpha.signal import generate
from dolphin.alpha.sizing import size
from dolphin.eigen.scanner import LAG, WINDOWS, EigenReading, EigenScanner
from dolphin.feed.bar import Bar

__all__ = ["FLAT", "AlphaEngine", "Intent", "PositionView"]

INSTRUMENT = "BTCUSDT"
LOOKBACK = 100  # bible 19.1: bars before the first entry
HIBERNATE, STALKER = 0, 2
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class PositionView:
    """What the caller knows of the position in the engine's instrument.

    quantity: lots, + long, − short, 0 flat. entry_price: quote currency, as in the bars; 0 when
    flat. entry_bar: index of the bar at which it was filled; 0 when flat. order_out: a permit is
    outstanding, so nothing may be asked.
    """

    quantity: int
    entry_price: float
    entry_bar: int
    order_out: bool


FLAT = PositionView(quantity=0, entry_price=0.0, entry_bar=0, order_out=False)


@dataclass(frozen=True, slots=True)
class Intent:
    """What the engine would like.

    side: −1 sell, +1 buy. For an exit, the whole position, reduce-only; fraction and leverage
    are then 0. reason: VEL_DIV for an entry, an ExitReason for an exit.
    """

    kind: Literal["entry", "exit"]
    instrument: str
    side: int
    fraction_ppm: int
    leverage_ppm: int
    reason: str
    bar_index: int


class AlphaEngine:
    """The first real version: four windows, one threshold, one instrument."""

    def __init__(
        self,
        symbols: Sequence[str],
        windows: Sequence[int] = WINDOWS,
        *,
        lag: int = LAG,
        ask_when_forbidden: bool = True,
    ) -> None:
        """symbols: the panel's, BTCUSDT among them. ValueError else."""
        if INSTRUMENT not in symbols:
            raise ValueError(f"{INSTRUMENT} is not among the {len(symbols)} symbols")
        self.scanner = EigenScanner(len(symbols), windows, lag)
        self.reading: EigenReading | None = None
        self.signals = 0
        self._traded = list(symbols).index(INSTRUMENT)
        self._bars = 0
        self._last_exit_bar = -1
        self._held = False
        self._ask_when_forbidden = ask_when_forbidden

    def on_bar(self, bar: Bar, position: PositionView, posture: int) -> list[Intent]:
        """Take the next bar; return at most one intent.

        posture: 0 HIBERNATE, 1 TURTLE, 2 STALKER, 3 APEX, as last heard from the kernel.
        """
        self.reading = self.scanner.update(bar)
        self._bars += 1
        if self._held and position.quantity == 0:
            self._last_exit_bar = bar.index
        self._held = position.quantity != 0
        divergence = self.reading.vel_div
        signal = None if divergence is None else generate(divergence)
        self.signals += signal is not None
        price = bar.closes[self._traded]
        if isnan(price) or position.order_out:
            return []
        if position.quantity != 0:
            return self._exit(bar, position, posture, price)
        if signal is None or self._bars < LOOKBACK or bar.index <= self._last_exit_bar:
            return []
        if posture < STALKER and not self._ask_when_forbidden:
            return []
        wanted = size(signal.strength, posture)
        return [
            Intent(
                kind="entry",
                instrument=INSTRUMENT,
                side=-1,
                fraction_ppm=wanted.fraction_ppm,
                leverage_ppm=wanted.leverage_ppm,
                reason="VEL_DIV",
                bar_index=bar.index,
            )
        ]

    def _exit(self, bar: Bar, position: PositionView, posture: int, price: float) -> list[Intent]:
        if posture == HIBERNATE:
            return []
        reason = evaluate(
            gain(position.quantity, position.entry_price, price), bar.index - position.entry_bar
        )
        if reason is None:
            return []
        return [
            Intent(
                kind="exit",
                instrument=INSTRUMENT,
                side=-1 if position.quantity > 0 else 1,
                fraction_ppm=0,
                leverage_ppm=0,
                reason=reason.value,
                bar_index=bar.index,
            )
        ]
