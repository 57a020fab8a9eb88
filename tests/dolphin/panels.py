"""Panels for tests: the real ones where they lie beside the project, small ones on the spot.

Rules of this file: a real panel that is absent skips the test and says which file it wanted. Small
panels are written to a folder of the test's own.

Not here: what a test expects of them.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
PERPETUALS = "perp_close_1m_510.parquet"
PERPETUALS_LONG = "perp_ohlcv_1m_top50.parquet"
CRASH = "spot_close_5m_crash_202105.parquet"
START = datetime(2025, 1, 6, tzinfo=UTC).replace(tzinfo=None)


def real(name: str) -> Path:
    """Return the path of a shared panel, or skip."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is absent: data of others, not part of the project")
    return path


def times(rows: int) -> list[datetime | None]:
    return [START + timedelta(minutes=row) for row in range(rows)]


def columns(rows: int) -> dict[str, list]:
    """Return the columns of a good small panel: three symbols, ``rows`` minutes."""
    return {
        "timestamp": times(rows),
        "BTC/USDT": [100.0 + (row % 7) for row in range(rows)],
        "ethusdt": [10.0 + (row % 5) / 10 for row in range(rows)],
        "SOL-USDT": [5.0 + (row % 3) / 10 for row in range(rows)],
    }


def write(folder: Path, data: dict[str, list], name: str = "panel.parquet") -> Path:
    """Write columns as Parquet and return the path."""
    path = folder / name
    pl.DataFrame(data, strict=False).write_parquet(path)
    return path
