"""Whatever a Parquet file holds: a panel that a session can use whole, or one line.

Rules of the check: hypothesis makes files, small and odd. A column of a good panel is replaced by
one of any type polars has, single values by any number; a file's bytes are changed.
What comes back as a panel is held against everything that the session takes for granted.
"""

import math
import random
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing.parametric import series

from dolphin.feed import panel
from dolphin.feed.lots import lot_ppm
from dolphin.feed.panel import TIME_MS_MAX, TIME_MS_MIN, PanelError, load_panel
from dolphin.feed.session_market import lot_ppm_of, price_of
from kernel.constants import PRICE_MAX

ROWS = 24
T0 = 1_700_000_000_000
NAMES = st.sampled_from(["timestamp", "BTCUSDT", "ETHUSDT", "symbol", "close", "volume", "", "é"])
NUMBERS = st.one_of(
    st.floats(),
    st.floats(1e-13, 1e13),
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from([0, -1, T0, T0 // 1000, 1e-310, 1e308, 2**63, 1e12, 4e12, 5e-324]),
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def wide() -> dict[str, list[Any]]:
    """Columns of a good wide panel."""
    return {
        "timestamp": [T0 + 60_000 * row for row in range(ROWS)],
        "BTCUSDT": [100.0 + row % 7 for row in range(ROWS)],
        "ETHUSDT": [10.0 + row % 5 for row in range(ROWS)],
    }


def long() -> dict[str, list[Any]]:
    """Columns of a good long panel."""
    return {
        "timestamp": [T0 + 60_000 * row for row in range(ROWS)] * 2,
        "symbol": ["BTCUSDT"] * ROWS + ["ETHUSDT"] * ROWS,
        "close": [10.0 + row % 5 for row in range(2 * ROWS)],
        "volume": [1.0] * (2 * ROWS),
    }


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """A panel with something odd in it, or nothing."""
    data = draw(st.sampled_from([wide, long]))()
    length = len(data["timestamp"])
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(data)))
        row = draw(st.integers(0, length - 1))
        data[name][row] = draw(st.one_of(NUMBERS, st.none(), st.sampled_from(data[name])))
    columns = [pl.Series(name, values, strict=False) for name, values in data.items()]
    frame = pl.DataFrame(columns)
    for _ in range(draw(st.integers(0, 2))):
        odd = draw(series(min_size=frame.height, max_size=frame.height)).alias(draw(NAMES))
        frame = frame.with_columns(odd)
    return frame.head(draw(st.sampled_from([frame.height, frame.height, 1, 0])))


def judged(path: Path, isolated: bool = False) -> bool:
    """Load a file: True where it is a panel, and then a good one; False where it is refused."""
    try:
        found = load_panel(path, rows_min=2, isolated=isolated)
    except PanelError as error:
        line = str(error)
        assert line.startswith(f"{path}: ")
        assert line.isprintable()
        assert "expected" in line
        return False
    times = [int(time) for time in found.timestamps]
    assert TIME_MS_MIN <= times[0] < times[-1] <= TIME_MS_MAX
    assert all(later - sooner >= min(1_000, found.cadence_ms) for sooner, later in pairwise(times))
    assert 1 <= found.cadence_ms <= 86_400_000
    assert len(set(found.symbols)) == len(found.symbols) >= 2
    assert found.symbols[0] == "BTCUSDT"
    assert found.closes.dtype == np.float64
    for position, lot in enumerate(lot_ppm_of(found)):
        closes = [float(each) for each in found.closes[:, position]]
        assert lot == lot_ppm(next(each for each in closes if not math.isnan(each)))
        for close in closes:
            price = price_of(close, lot)
            assert (price is None) == math.isnan(close)
            assert price is None or 1 <= price <= PRICE_MAX
    return True


@QUICK
@given(frames())
def test_any_columns_are_a_panel_or_one_line(frame: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        try:
            frame.write_parquet(path)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return  # a type that Parquet does not have
        judged(path)


def test_any_damage_is_a_panel_or_one_line(
    tmp_path: Path, rng: random.Random, capfd: pytest.CaptureFixture[str]
) -> None:
    pl.DataFrame(wide()).write_parquet(tmp_path / "good.parquet")
    good = (tmp_path / "good.parquet").read_bytes()
    path = tmp_path / "panel.parquet"
    for _ in range(20):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(4, len(data))] ^= rng.randint(1, 255)
        path.write_bytes(data)
        judged(path, isolated=True)
    assert "panicked" not in capfd.readouterr().err


def test_control_a_file_that_ends_its_reader_is_refused(tmp_path: Path) -> None:
    # About one in four thousand: it asks for so much memory that the library aborts.
    pl.DataFrame(wide()).write_parquet(tmp_path / "panel.parquet")
    path = tmp_path / "panel.parquet"
    killer = panel.READ
    try:
        panel.READ = "import os; os.abort()"
        with pytest.raises(PanelError, match="damaged Parquet, expected a panel"):
            load_panel(path, rows_min=2, isolated=True)
    finally:
        panel.READ = killer
    assert load_panel(path, rows_min=2, isolated=True).rows == ROWS


@pytest.mark.parametrize("columns", [wide, long])
def test_control_the_good_panels_are_panels(tmp_path: Path, columns: Any) -> None:
    pl.DataFrame(columns()).write_parquet(tmp_path / "panel.parquet")
    assert judged(tmp_path / "panel.parquet")
