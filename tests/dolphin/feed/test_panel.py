"""A panel is good and whole, or refused in one line that names file, place and expectation.

Rules of the check: each bad panel is the good one with a single thing wrong, so the good one is the
control. The message is compared in its parts, never the traceback.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dolphin.feed.market import generate
from dolphin.feed.panel import (
    DAY_MS,
    TIME_MS_MAX,
    TIME_MS_MIN,
    Panel,
    PanelError,
    judge,
    load_panel,
    normalise,
    rows_needed,
)
from dolphin.ops.preparation import STALE_BARS
from kernel import constants as kernel_constants
from kernel.constants import AGE_MS_MAX
from tests.dolphin.panels import (
    CRASH,
    PERPETUALS,
    PERPETUALS_LONG,
    START,
    columns,
    real,
    times,
    write,
)

ROWS = 200


def test_a_good_panel_comes_back_whole(tmp_path: Path) -> None:
    panel = load_panel(write(tmp_path, columns(ROWS)), rows_min=ROWS)
    assert panel.symbols[0] == "BTCUSDT"
    assert set(panel.symbols) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert panel.closes.shape == (ROWS, 3)
    assert panel.cadence_ms == 60_000
    assert panel.gaps == 0
    bar = panel.bar(9)
    assert bar.index == 9
    assert bar.market_time_ms == int(panel.timestamps[0]) + 9 * 60_000
    assert bar.closes[0] == 102.0
    assert [each.index for each in panel.bars()] == list(range(ROWS))


def test_closes_cannot_be_changed(tmp_path: Path) -> None:
    panel = load_panel(write(tmp_path, columns(ROWS)), rows_min=1)
    with pytest.raises(ValueError, match="read-only"):
        panel.closes[0, 0] = 1.0


@pytest.mark.parametrize("name", ["BTC/USDT", "btcusdt", "BTC-USDT", "BTC_USDT", "BTC/USDT:USDT"])
def test_names_are_normalised(name: str) -> None:
    assert normalise(name) == "BTCUSDT"


def _change(name: str, row: int, value: object) -> Callable[[dict[str, list]], None]:
    def change(data: dict[str, list]) -> None:
        data[name][row] = value

    return change


def _swap(data: dict[str, list]) -> None:
    stamps = data["timestamp"]
    stamps[20], stamps[21] = stamps[21], stamps[20]


def _repeat(data: dict[str, list]) -> None:
    data["timestamp"][31] = data["timestamp"][30]


def _drop(*names: str) -> Callable[[dict[str, list]], None]:
    def change(data: dict[str, list]) -> None:
        for name in names:
            del data[name]

    return change


def _fill(name: str, value: object, rows: int) -> Callable[[dict[str, list]], None]:
    def change(data: dict[str, list]) -> None:
        data[name][10 : 10 + rows] = [value] * rows

    return change


def _all(name: str, value: object) -> Callable[[dict[str, list]], None]:
    def change(data: dict[str, list]) -> None:
        data[name] = [value] * ROWS

    return change


def _slide(name: str, factor: float) -> Callable[[dict[str, list]], None]:
    def change(data: dict[str, list]) -> None:
        data[name] = [10.0 * factor**row for row in range(ROWS)]

    return change


def _times(time: Callable[[int], object]) -> Callable[[dict[str, list]], None]:
    def change(data: dict[str, list]) -> None:
        data["timestamp"] = [time(row) for row in range(ROWS)]

    return change


T0 = 1_700_000_000_000

BAD = [
    (_drop("timestamp"), ["column timestamp is missing", "expected"]),
    (_drop("BTC/USDT"), ["column BTCUSDT is missing", "expected"]),
    (_drop("ethusdt", "SOL-USDT"), ["only BTCUSDT", "at least two"]),
    (_change("ethusdt", 17, 0.0), ["column ethusdt", "0 in row 17", "above zero"]),
    (_change("SOL-USDT", 3, -2.5), ["column SOL-USDT", "-2.5 in row 3", "above zero"]),
    (_change("ethusdt", 5, math.inf), ["column ethusdt", "inf in row 5", "above zero"]),
    (_change("timestamp", 44, None), ["column timestamp", "no time in row 44"]),
    (_all("ethusdt", math.nan), ["column ethusdt", "all NaN"]),
    (_all("ethusdt", None), ["column ethusdt", "empty"]),
    (_fill("ethusdt", math.nan, 11), ["column ethusdt", "5.5 % NaN", "row 10", "at most 5 %"]),
    (_fill("ethusdt", None, 11), ["column ethusdt", "5.5 % NaN", "row 10", "at most 5 %"]),
    (_swap, ["column timestamp", "row 21", "before row 20", "sorted"]),
    (_repeat, ["column timestamp", "row 31 repeats row 30", "distinct"]),
    (_all("ethusdt", "dear"), ["column ethusdt", "String", "numbers"]),
    (_all("ethusdt", True), ["column ethusdt", "Boolean", "numbers"]),
    (_all("timestamp", "soon"), ["column timestamp", "String", "datetime"]),
    (lambda data: data.update({"BTCUSDT": [1.0] * ROWS}), ["BTC/USDT and BTCUSDT", "expected one"]),
    (
        lambda data: data.update(timestamp=[float(row) for row in range(ROWS - 1)] + [math.nan]),
        ["column timestamp", f"no time in row {ROWS - 1}"],
    ),
    (_times(lambda row: T0 + row + 0.5), ["column timestamp", "whole milliseconds"]),
    (_times(lambda row: row - 3), ["column timestamp", "-3 in row 0", "from 2001 to 2096"]),
    (_times(lambda row: 60_000 * row), ["column timestamp", "0 in row 0", "from 2001 to 2096"]),
    (_times(lambda row: T0 // 1000 + 60 * row), ["in row 0 (seconds?)", "milliseconds"]),
    (_times(lambda row: 1000 * (T0 + 60_000 * row)), ["in row 0 (microseconds?)"]),
    (_times(lambda row: 1_000_000 * (T0 + 60_000 * row)), ["in row 0 (nanoseconds?)"]),
    (_times(lambda row: T0 + 60_000 * row if row < 99 else math.inf), ["inf in row 99"]),
    (_times(lambda row: -math.inf if row == 7 else float(T0 + row)), ["-inf in row 7"]),
    (_times(lambda row: T0 + 60_000 * row if row < 99 else 2**63 + 5), ["in row 99", "2096"]),
    (_times(lambda row: 4_000_000_000_001), ["4000000000001 in row 0", "2096"]),
    (_times(lambda row: T0 + 7 * 86_400_000 * row), ["bars of 604800000 ms", "a day"]),
    (_times(lambda row: T0 + 60_000 * row - 59_500 * (row == 9)), ["row 9 comes 500 ms after"]),
    (_times(lambda row: T0 + 10_000 * row * row), ["bars of one length"]),
    (_times(lambda row: [row]), ["column timestamp", "List", "datetime"]),
    (_times(lambda row: Decimal(T0 + row)), ["column timestamp", "Decimal", "datetime"]),
    (_times(lambda row: START.date() + timedelta(days=row)), ["column timestamp", "Date,"]),
    (_all("ethusdt", [1.0]), ["column ethusdt", "List", "numbers"]),
    (_all("ethusdt", {"a\nb": 1.0}), ["column ethusdt", "Struct", "numbers"]),
    (_all("ethusdt", 1e-310), ["column ethusdt", "1e-310 in row 0", "from 1e-12 to 1e+11"]),
    (_all("ethusdt", 2e11), ["column ethusdt", "2e+11 in row 0", "from 1e-12 to 1e+11"]),
    (_change("ethusdt", 17, 1e5), ["100000 in row 17 after 10.1 in row 16", "factor of 100"]),
    (_change("ethusdt", 17, 1e-310), ["1e-310 in row 17 after 10.1 in row 16", "factor of 100"]),
    (_slide("ethusdt", 1.1), ["column ethusdt", "in row 121", "kernel's range", "1e-05 to 1e+06"]),
    (_slide("ethusdt", 0.9), ["column ethusdt", "in row 132", "kernel's range", "1e-05 to 1e+06"]),
    (lambda data: data.update({"": [1.0] * ROWS}), ["column ''", "expected a symbol"]),
    (lambda data: data.update({"A" * 41: [1.0] * ROWS}), ["AAAA", "expected a symbol"]),
    (lambda data: data.update({"A\nB": [1.0] * ROWS}), ["expected a symbol"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD)
def test_a_bad_panel_is_refused_in_one_line(
    tmp_path: Path, change: Callable[[dict[str, list]], None], words: list[str]
) -> None:
    data = columns(ROWS)
    change(data)
    path = write(tmp_path, data)
    with pytest.raises(PanelError) as refusal:
        load_panel(path, rows_min=ROWS)
    line = str(refusal.value)
    assert line.isprintable()
    assert "expected" in line
    for word in [str(path), *words]:
        assert word in line, line


def test_five_per_cent_of_nan_is_a_gap(tmp_path: Path) -> None:
    data = columns(ROWS)
    data["ethusdt"][50:60] = [math.nan] * 10
    panel = load_panel(write(tmp_path, data), rows_min=ROWS)
    assert panel.gaps == 10
    assert math.isnan(panel.bar(55).closes[panel.symbols.index("ETHUSDT")])


def test_missing_bars_are_not_filled_in(tmp_path: Path) -> None:
    data = columns(ROWS)
    for name in data:
        del data[name][100:103]
    panel = load_panel(write(tmp_path, data), rows_min=1)
    assert panel.rows == ROWS - 3
    assert panel.cadence_ms == 60_000
    assert panel.bar(100).market_time_ms - panel.bar(99).market_time_ms == 4 * 60_000


def test_too_few_rows_for_the_windows(tmp_path: Path) -> None:
    path = write(tmp_path, columns(ROWS))
    enough = rows_needed((50, ROWS - 2))
    assert load_panel(path, rows_min=enough).rows == ROWS
    with pytest.raises(PanelError, match="200 rows, expected at least 201"):
        load_panel(path, rows_min=enough + 1)


@pytest.mark.parametrize("damage", ["absent", "folder", "empty", "text", "cut", "flipped"])
def test_what_is_not_parquet_is_refused(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path, columns(ROWS))
    data = path.read_bytes()
    if damage == "absent":
        path = tmp_path / "nothing.parquet"
    elif damage == "folder":
        path = tmp_path
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("timestamp,BTCUSDT\n1,2\n")
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(data[:8] + bytes(byte ^ 0xFF for byte in data[8:-4]) + data[-4:])
    with pytest.raises(PanelError) as refusal:
        load_panel(path, rows_min=1)
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "expected" in str(refusal.value)


def _long(folder: Path, volumes: dict[str, float], name: str) -> Path:
    rows = [
        (symbol, time, 1.0 + index % 3, volume)
        for symbol, volume in volumes.items()
        for index, time in enumerate(times(ROWS))
    ]
    frame = pl.DataFrame(rows, schema=["symbol", "timestamp", "close", "volume"], orient="row")
    frame.write_parquet(folder / name)
    return folder / name


def test_volume_beside_the_panel_ranks_the_symbols(tmp_path: Path) -> None:
    path = write(tmp_path, columns(ROWS), "perp_close.parquet")
    alone = load_panel(path, rows_min=1, symbols_max=2)
    assert alone.symbols == ("BTCUSDT", "ETHUSDT")
    _long(tmp_path, {"ETHUSDT": 1.0, "SOLUSDT": 9.0, "BTCUSDT": 3.0}, "perp_ohlcv.parquet")
    assert load_panel(path, rows_min=1, symbols_max=2).symbols == ("BTCUSDT", "SOLUSDT")


def test_another_family_does_not_rank(tmp_path: Path) -> None:
    path = write(tmp_path, columns(ROWS), "perp_close.parquet")
    _long(tmp_path, {"SOLUSDT": 9.0, "BTCUSDT": 3.0}, "spot_ohlcv.parquet")
    assert load_panel(path, rows_min=1, symbols_max=2).symbols == ("BTCUSDT", "ETHUSDT")


def test_a_long_panel_is_read(tmp_path: Path) -> None:
    path = _long(tmp_path, {"ETHUSDT": 1.0, "SOLUSDT": 9.0, "BTCUSDT": 3.0}, "long.parquet")
    panel = load_panel(path, rows_min=1)
    assert panel.symbols == ("BTCUSDT", "SOLUSDT", "ETHUSDT")
    assert panel.closes[4].tolist() == [2.0, 2.0, 2.0]


def test_a_long_panel_with_a_row_twice_is_refused(tmp_path: Path) -> None:
    path = _long(tmp_path, {"ETHUSDT": 1.0, "BTCUSDT": 3.0}, "long.parquet")
    frame = pl.read_parquet(path)
    pl.concat([frame, frame[5:6]]).write_parquet(path)
    with pytest.raises(PanelError, match=r"row 5 \(ETHUSDT\) is there twice"):
        load_panel(path, rows_min=1)


def test_digest_sees_one_close(tmp_path: Path) -> None:
    data = columns(ROWS)
    first = load_panel(write(tmp_path, data), rows_min=1)
    again = load_panel(write(tmp_path, data), rows_min=1)
    data["ethusdt"][7] += 0.01
    other = load_panel(write(tmp_path, data), rows_min=1)
    assert first.digest() == again.digest() != other.digest()


def test_the_two_real_perpetual_panels_agree() -> None:
    wide, long = load_panel(real(PERPETUALS)), load_panel(real(PERPETUALS_LONG))
    assert wide.rows == 8_641
    assert len(wide.symbols) == 50
    assert wide.symbols[:2] == ("BTCUSDT", "ETHUSDT")
    assert wide.digest() == long.digest()


def test_the_real_crash_panel_loads() -> None:
    panel: Panel = load_panel(real(CRASH))
    assert (panel.rows, len(panel.symbols), panel.cadence_ms) == (1_728, 50, 300_000)
    low = int(np.argmin(panel.closes[:, 0]))
    crash = timedelta(milliseconds=int(panel.timestamps[low] - panel.timestamps[0]))
    assert timedelta(hours=60) < crash < timedelta(hours=62)


# --- what stands beside a panel, and in its names ------------------------------------------------


@pytest.mark.parametrize("volume", [math.nan, math.inf, -1.0])
def test_a_volume_that_has_no_place_in_an_order_is_refused(tmp_path: Path, volume: float) -> None:
    path = _long(tmp_path, {"ETHUSDT": volume, "BTCUSDT": 3.0}, "long.parquet")
    with pytest.raises(PanelError, match=r"column volume: .* in row 0, expected zero or more"):
        load_panel(path, rows_min=1)


@pytest.mark.parametrize("volume", [math.nan, math.inf, -1.0])
def test_a_bad_neighbour_does_not_rank(tmp_path: Path, volume: float) -> None:
    path = write(tmp_path, columns(ROWS), "perp_close.parquet")
    _long(tmp_path, {"SOLUSDT": volume, "BTCUSDT": 3.0}, "perp_ohlcv.parquet")
    assert load_panel(path, rows_min=1, symbols_max=2).symbols == ("BTCUSDT", "ETHUSDT")


def test_a_neighbour_that_knows_few_symbols_takes_none_away(tmp_path: Path) -> None:
    path = write(tmp_path, columns(ROWS), "perp_close.parquet")
    _long(tmp_path, {"SOLUSDT": 1.0, "SOL/USDT": 1.0, "BTCUSDT": 3.0}, "perp_ohlcv.parquet")
    assert load_panel(path, rows_min=1).symbols == ("BTCUSDT", "SOLUSDT", "ETHUSDT")


def test_a_folders_stars_and_brackets_are_no_pattern(tmp_path: Path) -> None:
    path = write(tmp_path, columns(ROWS), "[ab]*_close.parquet")
    assert load_panel(path, rows_min=1).rows == ROWS


@pytest.mark.parametrize("rows", [0, 1])
def test_a_panel_without_a_step_is_refused(tmp_path: Path, rows: int) -> None:
    path = write(tmp_path, {name: values[:rows] for name, values in columns(ROWS).items()})
    with pytest.raises(PanelError, match=rf"parquet: (column|{rows} rows, expected at least 2)"):
        load_panel(path, rows_min=0)


@pytest.mark.parametrize("name", ["x" * 300, "a/b", "a\0b"])
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PanelError, match="expected a Parquet panel"):
        load_panel(tmp_path / name)


def test_a_generated_market_passes_the_same_judge() -> None:
    panel = generate(3, 800)
    assert judge(panel) is panel
    with pytest.raises(PanelError, match=r"generated: .*: BTCUSDT: .* expected a price above zero"):
        judge(replace(panel, closes=-panel.closes))


def test_the_longest_bar_fits_what_the_session_makes_of_it() -> None:
    stale_ms = round(STALE_BARS * DAY_MS)
    assert stale_ms <= AGE_MS_MAX
    assert TIME_MS_MIN - DAY_MS >= 0
    assert TIME_MS_MAX <= kernel_constants.TIME_MS_MAX
