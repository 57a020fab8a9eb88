"""The session's market: the panel that every process uses, and the size of a lot.

Rules of this file:

*   The same choices give the same panel; the runner reads it once to judge it, the driver once to
    play it, and what is played is what was judged, or nothing: the driver compares the digest of
    names, times and closes. Nobody else reads prices from anywhere but a bar.
*   Read or generated, it has passed the one judge (``panel``), so each of its closes has a price in
    the kernel's range: only a gap has none.

Not here: bars in step (``driver``), the size of a lot (``lots``).
"""

import hashlib
import os
from math import isnan

from dolphin.feed.lots import lot_ppm, price_per_lot
from dolphin.feed.market import generate
from dolphin.feed.panel import Panel, PanelError, judge, load_panel
from dolphin.link.config import Config

SYMBOLS = 16
BAR_MS = 60_000


def load_market(
    data: str | None, seed: int, bars: int, rows_min: int, *, isolated: bool = True
) -> Panel:
    """Return the panel of these choices; raises ``dolphin.feed.panel.PanelError``.

    isolated: see ``load_panel``; for who is the first to read a file.
    """
    if data is None:
        return judge(generate(seed, bars, SYMBOLS, BAR_MS))
    return load_panel(data, rows_min=rows_min, isolated=isolated)


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a panel's file, hex; raises ``PanelError``."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise PanelError(f"{path}: cannot be read ({error.strerror})") from None


def judged_market(data: str | None, seed: int, bars: int, rows_min: int) -> tuple[Panel, str]:
    """Return the panel of these choices and its file's SHA-256, empty for a generated market.

    Raises ``PanelError``, also where the file changed while it was read.
    """
    if data is None:
        return load_market(data, seed, bars, rows_min), ""
    before = file_sha256(data) if os.path.isfile(data) else ""
    panel = load_market(data, seed, bars, rows_min)
    if file_sha256(data) != before:
        raise PanelError(f"{data}: changed while it was read, expected a panel at rest")
    return panel, before


def market_of(config: Config) -> Panel:
    """Return the session's panel; raises ``PanelError`` where it is not the one that was judged."""
    panel = load_market(config.data, config.seed, config.bars, 1, isolated=False)
    if panel.digest() != config.market_digest:
        raise PanelError(
            f"{config.data or 'the generated market'}: changed since it was judged, "
            "expected the same names, times and closes"
        )
    return panel


def lot_ppm_of(panel: Panel) -> list[int]:
    """Return the size of a lot of each symbol, ppm of a coin (micro-USDT per lot and USDT)."""
    columns = (panel.closes[:, position] for position in range(len(panel.symbols)))
    firsts = (next(close for close in closes if not isnan(close)) for closes in columns)
    return [lot_ppm(float(first)) for first in firsts]


def price_of(close: float, lot: int) -> int | None:
    """Return a close as micro-USDT per lot, None in a gap and only there."""
    return None if isnan(close) else price_per_lot(close, lot)
