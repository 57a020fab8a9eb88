"""How often the signal and each stand-in sensor trigger on a panel of prices.

    python -m dolphin.sensors.firing ../shared/data/perp_close_1m_510.parquet
    python -m dolphin.sensors.firing PANEL --windows 10,30,60,150 --lag 3
    python -m dolphin.sensors.firing --seed 3 --bars 4500

Rules of this file:

*   It measures and decides nothing.
*   Rates are shares of the bars on which the thing could have fired at all: for the signal,
    those after the longest window was full; for a stand-in, those after its warm-up.
*   One JSON document on stdout. The figures of ADR 0010 and 0014 come from here, and
    tests/dolphin/sensors/test_firing.py holds them.

Not here: postures. What a reading costs is the kernel's to say.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence

from dolphin.alpha.signal import EXTREME, THRESHOLD
from dolphin.eigen.scanner import LAG, WINDOWS, EigenScanner
from dolphin.feed.market import generate
from dolphin.feed.panel import ANCHOR, Panel, PanelError, load_panel, rows_needed
from dolphin.sensors.book import BookStandIn
from dolphin.sensors.dvol import ShockStandIn
from dolphin.sensors.forewarner import ForewarnerStandIn

__all__ = ["firing_rates"]

DEGRADED_PPM = 930_000  # below it the kernel's microstructure factor is under 0.95
THIN_PPM = 714_285  # below it that factor is under 0.8: "degraded" in bible 11.3
STATUS_NAMES = ("ok", "orange", "red")


def firing_rates(
    panel: Panel, windows: Sequence[int] = WINDOWS, lag: int = LAG
) -> dict[str, float | int | str]:
    """Return counts and shares over one pass of the panel. Shares are in 0..1."""
    symbols = len(panel.symbols)
    scanner = EigenScanner(symbols, windows, lag)
    forewarner, shock = ForewarnerStandIn(symbols), ShockStandIn(symbols)
    book = BookStandIn(panel.symbols.index(ANCHOR))
    divergences: list[float] = []
    status: Counter[int] = Counter()
    qualities: list[int] = []
    for bar in panel.bars():
        divergence = scanner.update(bar).vel_div
        if divergence is not None:
            divergences.append(divergence)
        warning = forewarner.update(bar)
        if warning.warm:
            status[warning.status] += 1
        shock.update(bar)
        depth = book.update(bar)
        if depth is not None and depth.depth_quality_ppm + depth.fill_probability_ppm > 0:
            qualities.append(min(depth.depth_quality_ppm, depth.fill_probability_ppm))
    days = (int(panel.timestamps[-1]) - int(panel.timestamps[0])) / 86_400_000
    result: dict[str, float | int | str] = {
        "source": panel.source,
        "bars": panel.rows,
        "symbols": symbols,
        "windows": ",".join(str(window) for window in windows),
        "lag": lag,
        "gaps": panel.gaps,
        "signal_bars": len(divergences),
        "signal_share": _share(sum(v < THRESHOLD for v in divergences), len(divergences)),
        "signal_extreme_share": _share(sum(v <= EXTREME for v in divergences), len(divergences)),
        "shocks": shock.shocks,
        "shocks_per_day": round(shock.shocks / days, 3),
        "book_degraded_share": _share(sum(q < DEGRADED_PPM for q in qualities), len(qualities)),
        "book_thin_share": _share(sum(q < THIN_PPM for q in qualities), len(qualities)),
    }
    for code, name in enumerate(STATUS_NAMES):
        result[f"forewarner_{name}_share"] = _share(status[code], sum(status.values()))
    return result


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _windows(text: str) -> list[int]:
    try:
        return [int(window) for window in text.split(",")]
    except ValueError:
        raise ValueError(f"--windows {text}: expected bars like 50,150,300,750") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command. Exit code 2 for a panel that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m dolphin.sensors.firing")
    parser.add_argument("panel", nargs="?", help="Parquet panel; without it, a generated market")
    parser.add_argument("--windows", default=",".join(str(window) for window in WINDOWS))
    parser.add_argument("--lag", type=int, default=LAG)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bars", type=int, default=4_500)
    options = parser.parse_args(arguments)
    try:
        windows = _windows(options.windows)
        if options.panel is None:
            panel = generate(options.seed, options.bars)
        else:
            panel = load_panel(options.panel, rows_min=rows_needed(windows))
        result = firing_rates(panel, windows, options.lag)
    except (PanelError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
