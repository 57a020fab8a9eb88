"""A market panel: closes by time and symbol, read from Parquet and validated before use.

Rules of this file:

*   Either a panel is good and comes back whole, or one ``PanelError`` says in one line which file,
    which column or row, and what was expected. Rows are counted from 0, as polars prints them.
*   This is the one judge. What the session derives from a panel (lots, prices in the kernel's
    range, bar lengths, the time before the first bar) is derived here first, before anything
    starts. The generated market is judged too.
*   Two layouts: *wide*, a ``timestamp`` column and one column of closes per symbol; *long*, the
    columns ``symbol``, ``timestamp``, ``close`` and perhaps ``volume``.
*   Names are normalised: ``BTC/USDT``, ``btc-usdt`` and ``BTC/USDT:USDT`` are all ``BTCUSDT``.
*   Every column is judged, also those the session will not use: a file with one bad column is not
    trusted for the others.
*   Up to 5 % missing closes in a column are gaps: they stay NaN, and readers count them
    (``gaps.py``). More is an error.

Which symbols. A session takes at most 50. BTCUSDT is always first. The others are the ones of
largest volume, summed over the file, if the file is long or a long file of the same family lies
beside it (same name up to the first underscore, first by name). Without any volume they are those
whose close moved on the most bars, as the best sign of trading that closes alone give. Ties go by
name, so the choice depends on the files and on nothing else. Symbols whose volume is not known come
after those whose volume is.

Not here: returns (``gaps.py``), the generated market (``market.py``).
"""

import glob
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dolphin.feed.bar import Bar
from dolphin.feed.lots import FIRST_CLOSE_MAX, FIRST_CLOSE_MIN, close_range, lot_ppm

__all__ = ["ANCHOR", "Panel", "PanelError", "judge", "load_panel", "normalise", "rows_needed"]

ANCHOR = "BTCUSDT"
SYMBOLS_MAX = 50  # the size of the sources' universe (bible 27.7)
GAP_SHARE_MAX = 0.05
TIMESTAMP = "timestamp"
LONG_COLUMNS = frozenset({"symbol", TIMESTAMP, "close"})
TIME_MS_MAX = 4_000_000_000_000  # 2096: the kernel's range for a clock reading
TIME_MS_MIN = 1_000_000_000_000  # 2001-09-09: before it, a number is seconds, or no time at all
DAY_MS = 86_400_000
STEP_MS_MIN = 1_000  # the kernel takes no bar that follows the last one sooner, if bars are longer
CADENCE_SHARE_MIN = 0.5
# Between two closes. The largest of a minute in the shared panels is 1.5; units differ by 1,000.
JUMP_FACTOR_MAX = 100.0
SYMBOL_LENGTH_MAX = 40
PARQUET_MAGIC = b"PAR1"
# What is wrong with the file is said by who reads it afterwards; this asks only whether one can.
READ = """
import sys, polars
try:
    polars.read_parquet(sys.argv[1], glob=False)
except (OSError, polars.exceptions.PolarsError):
    pass
"""


class PanelError(ValueError):
    """A panel that cannot be used. ``str`` is one line: file, column or row, what was expected."""

    def __init__(self, text: str) -> None:
        # Names of files, columns and types are the file's own words: they may hold anything.
        super().__init__("".join(each if each.isprintable() else "?" for each in text))


@dataclass(frozen=True, eq=False)
class Panel:
    """Closes of several symbols on a common time axis.

    source: the file's path, or the generator's name and arguments. timestamps: int64, shape
    (rows,), ms UTC, strictly increasing. symbols: normalised names, BTCUSDT first. closes: float64,
    shape (rows, symbols), quote currency, > 0 or NaN in a gap; read-only. cadence_ms: the most
    common step.
    """

    source: str
    timestamps: NDArray[np.int64]
    symbols: tuple[str, ...]
    closes: NDArray[np.float64]
    cadence_ms: int

    @property
    def rows(self) -> int:
        """Number of bars."""
        return len(self.timestamps)

    @property
    def gaps(self) -> int:
        """Number of missing closes, over all symbols."""
        return int(np.isnan(self.closes).sum())

    def bar(self, index: int) -> Bar:
        """Return row ``index`` as a bar."""
        closes = tuple(float(close) for close in self.closes[index])
        return Bar(index=index, market_time_ms=int(self.timestamps[index]), closes=closes)

    def bars(self) -> Iterator[Bar]:
        """Yield every row in order."""
        for index in range(self.rows):
            yield self.bar(index)

    def digest(self) -> str:
        """Return the BLAKE2b-256 of what the session reads: names, times and closes, as hex."""
        fold = blake2b(digest_size=32)
        fold.update("\n".join(self.symbols).encode())
        fold.update(np.ascontiguousarray(self.timestamps, dtype="<i8").tobytes())
        fold.update(np.ascontiguousarray(self.closes, dtype="<f8").tobytes())
        return fold.hexdigest()


def normalise(name: str) -> str:
    """Return a column's name as a symbol: upper case, no separators, no settlement suffix."""
    return re.sub(r"[/\-_ ]", "", name.strip().upper().split(":")[0])


def rows_needed(windows: Sequence[int]) -> int:
    """Return how many bars give at least one signal: w returns are w + 1 closes, and a velocity is
    the difference of two eigenvalues, so one more."""
    return max(windows) + 2


def load_panel(
    path: str | Path,
    *,
    symbols_max: int = SYMBOLS_MAX,
    rows_min: int = rows_needed((750,)),
    isolated: bool = False,
) -> Panel:
    """Read and judge a panel.

    rows_min: what the session's windows ask for, see ``rows_needed``; at least 2. isolated: read it
    in a process of its own first: some damaged files end the process that reads them (one of 4,000
    tried), and more make the library write pages to stderr. Raises PanelError.
    """
    file = Path(path)
    frame = _read(file, isolated)
    try:
        return _load(file, frame, symbols_max, max(2, rows_min))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # Whatever a column of a kind that nobody thought of makes of the steps below.
        raise PanelError(
            f"{file}: a column that cannot be used, expected times and closes ({_brief(error)})"
        ) from error


def _load(file: Path, frame: pl.DataFrame, symbols_max: int, rows_min: int) -> Panel:
    ranking: list[str] | None = None
    if set(frame.columns) >= LONG_COLUMNS:
        ranking = _volume_ranking(file, frame)
        frame = _widen(file, frame)
    timestamps = _timestamps(file, frame)
    columns = _columns(file, frame)
    if len(timestamps) < rows_min:
        raise PanelError(f"{file}: {len(timestamps)} rows, expected at least {rows_min}")
    cadence_ms = judge_times(f"{file}: column {TIMESTAMP}", timestamps)
    closes = {symbol: _closes(file, frame[name], name) for symbol, name in columns.items()}
    if ranking is None:
        ranking = _ranking_beside(file, set(columns)) or []
    by_moves = sorted(closes, key=lambda symbol: (-_moves(closes[symbol]), symbol))
    order = dict.fromkeys([ANCHOR, *(s for s in ranking if s in closes), *by_moves])
    chosen = list(order)[:symbols_max]
    table = np.ascontiguousarray(np.column_stack([closes[symbol] for symbol in chosen]))
    table.setflags(write=False)
    timestamps.setflags(write=False)
    return Panel(
        source=str(file),
        timestamps=timestamps,
        symbols=tuple(chosen),
        closes=table,
        cadence_ms=cadence_ms,
    )


def judge_times(where: str, values: NDArray[np.int64]) -> int:
    """Return the most common step of a time axis, ms. Raises PanelError; ``where`` begins its line.

    values: ms since 1970, at least two.
    """
    outside = np.flatnonzero((values < TIME_MS_MIN) | (values > TIME_MS_MAX))
    if len(outside):
        row = int(outside[0])
        raise PanelError(_no_time(where, int(values[row]), row))
    steps = np.diff(values)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise PanelError(f"{where}: row {row} is before row {row - 1}, expected sorted times")
    if (steps == 0).any():
        row = int(np.argmax(steps == 0)) + 1
        raise PanelError(f"{where}: row {row} repeats row {row - 1}, expected distinct times")
    lengths, counts = np.unique(steps, return_counts=True)
    cadence_ms = int(lengths[np.argmax(counts)])
    if counts.max() < CADENCE_SHARE_MIN * len(steps):
        row = int(np.argmax(steps != cadence_ms)) + 1
        raise PanelError(
            f"{where}: no step from row to row is that of most rows (row {row} comes "
            f"{steps[row - 1]} ms after row {row - 1}), expected bars of one length"
        )
    if cadence_ms > DAY_MS:
        raise PanelError(f"{where}: bars of {cadence_ms} ms, expected at most {DAY_MS} (a day)")
    short = steps < min(STEP_MS_MIN, cadence_ms)
    if short.any():
        row = int(np.argmax(short)) + 1
        raise PanelError(
            f"{where}: row {row} comes {steps[row - 1]} ms after row {row - 1}, "
            f"expected at least {min(STEP_MS_MIN, cadence_ms)} ms"
        )
    return cadence_ms


def _no_time(where: str, value: float, row: int) -> str:
    units = {"seconds": 1e3, "microseconds": 1e-3, "nanoseconds": 1e-6}
    fits = [unit for unit, ms in units.items() if TIME_MS_MIN <= value * ms <= TIME_MS_MAX]
    guess = f" ({fits[0]}?)" if fits else ""
    return (
        f"{where}: {value} in row {row}{guess}, expected milliseconds since 1970, from 2001 to 2096"
    )


def judge_closes(where: str, values: NDArray[np.float64]) -> None:
    """Judge one symbol's closes, NaN in a gap. Raises PanelError; ``where`` begins its line."""
    missing = np.isnan(values)
    if missing.all():
        raise PanelError(f"{where}: all NaN, expected closes")
    unfit = ~missing & ~((values > 0) & np.isfinite(values))
    if unfit.any():
        row = int(np.argmax(unfit))
        raise PanelError(f"{where}: {values[row]:g} in row {row}, expected a price above zero")
    share = float(missing.mean())
    if share > GAP_SHARE_MAX:
        raise PanelError(
            f"{where}: {100 * share:.1f} % NaN, first in row {int(np.argmax(missing))}, "
            f"expected at most {100 * GAP_SHARE_MAX:.0f} %"
        )
    rows = np.flatnonzero(~missing)
    first = float(values[rows[0]])
    if not FIRST_CLOSE_MIN <= first <= FIRST_CLOSE_MAX:
        raise PanelError(
            f"{where}: {first:g} in row {rows[0]}, "
            f"expected a price from {FIRST_CLOSE_MIN:g} to {FIRST_CLOSE_MAX:g} USDT"
        )
    known = values[rows]
    moves = np.abs(np.diff(np.log(known)))
    if (moves > np.log(JUMP_FACTOR_MAX)).any():
        at = int(np.argmax(moves > np.log(JUMP_FACTOR_MAX)))
        raise PanelError(
            f"{where}: {known[at + 1]:g} in row {rows[at + 1]} after {known[at]:g} in row "
            f"{rows[at]}, expected less than a factor of {JUMP_FACTOR_MAX:g} from close to close "
            "(another unit, or another coin?)"
        )
    least, most = close_range(lot_ppm(first))
    outside = (known < least) | (known > most)
    if outside.any():
        at = int(np.argmax(outside))
        raise PanelError(
            f"{where}: {known[at]:g} in row {rows[at]}, expected {least:g} to {most:g}: the "
            f"kernel's range of prices in lots that fit the first close, {first:g}"
        )


def judge(panel: Panel) -> Panel:
    """Return a panel that was not read from a file, if it is good too. Raises PanelError."""
    cadence_ms = judge_times(panel.source, panel.timestamps)
    if cadence_ms != panel.cadence_ms:
        raise PanelError(f"{panel.source}: bars of {cadence_ms} ms, expected {panel.cadence_ms}")
    for position, symbol in enumerate(panel.symbols):
        judge_closes(f"{panel.source}: {symbol}", panel.closes[:, position])
    return panel


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:80]


def _try_apart(file: Path) -> None:
    """Read a file in another process. Raises PanelError where that process does not survive it."""
    done = subprocess.run([sys.executable, "-P", "-c", READ, str(file)], capture_output=True)
    if done.returncode:
        raise PanelError(
            f"{file}: damaged Parquet, expected a panel (reading it breaks the reader)"
        )


def _read(file: Path, isolated: bool) -> pl.DataFrame:
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise PanelError(
            f"{str(file)!a}: this path is not UTF-8, and the Parquet reader takes no other; "
            "expected a name in UTF-8"
        ) from None
    try:
        if not file.exists():
            raise PanelError(f"{file}: no such file, expected a Parquet panel")
        if not file.is_file():
            raise PanelError(f"{file}: not a file, expected a Parquet panel")
        with file.open("rb") as stream:
            magic = stream.read(len(PARQUET_MAGIC))
        if magic != PARQUET_MAGIC:
            raise PanelError(f"{file}: not Parquet, expected the file to begin with PAR1")
        if isolated:
            _try_apart(file)
        return pl.read_parquet(file, glob=False)
    except OSError as error:
        raise PanelError(
            f"{file}: cannot be read ({error.strerror or 'damaged'}), expected a Parquet panel"
        ) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise PanelError(f"{file}: damaged Parquet, expected a panel ({_brief(error)})") from error


def _widen(file: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Pivot a long panel; a (symbol, timestamp) pair that appears twice has no single close."""
    frame = frame.with_columns(pl.col("symbol").cast(pl.String))
    if frame["symbol"].null_count():
        row = int(frame["symbol"].is_null().arg_max() or 0)
        raise PanelError(f"{file}: column symbol: no name in row {row}, expected one per row")
    if not frame["close"].dtype.is_numeric():
        raise PanelError(f"{file}: column close: {frame['close'].dtype}, expected numbers")
    frame = frame.with_columns(_milliseconds(file, frame[TIMESTAMP]))
    twice = frame.select(pl.struct("symbol", TIMESTAMP).is_duplicated().alias("twice"))["twice"]
    if twice.any():
        row = int(twice.arg_max() or 0)
        raise PanelError(
            f"{file}: column {TIMESTAMP}: row {row} ({frame['symbol'][row]}) is there twice, "
            "expected one close per symbol and time"
        )
    wide = frame.pivot(on="symbol", index=TIMESTAMP, values="close", maintain_order=True)
    return wide.sort(TIMESTAMP)


def _milliseconds(file: Path, column: pl.Series) -> pl.Series:
    """Return a column of times as whole ms since 1970, 64 bits. Raises PanelError."""
    where = f"{file}: column {TIMESTAMP}"
    kind = column.dtype
    if not (kind.is_numeric() or isinstance(kind, pl.Datetime)) or kind.is_decimal():
        raise PanelError(f"{where}: {kind}, expected a datetime or integer milliseconds")
    # Floats pass only when whole: that is how a NaN time most often reaches a file.
    bad = column.is_null() | column.is_nan() if kind.is_float() else column.is_null()
    if bad.any():
        raise PanelError(f"{where}: no time in row {bad.arg_max()}, expected one in every row")
    if isinstance(kind, pl.Datetime):
        return column.dt.timestamp("ms")
    # Before the cast: an infinite or a huge one has no 64 bits. Below 2^53 a float is exact.
    rough = column.cast(pl.Float64)
    outside = (rough < TIME_MS_MIN) | (rough > TIME_MS_MAX)
    if outside.any():
        row = int(outside.arg_max() or 0)
        raise PanelError(_no_time(where, column[row], row))
    if kind.is_float() and not (column == column.round()).all():
        raise PanelError(f"{where}: fractions, expected whole milliseconds or a datetime")
    return column.cast(pl.Int64)


def _timestamps(file: Path, frame: pl.DataFrame) -> NDArray[np.int64]:
    if TIMESTAMP not in frame.columns:
        raise PanelError(f"{file}: column {TIMESTAMP} is missing, expected times and closes")
    return _milliseconds(file, frame[TIMESTAMP]).to_numpy().astype(np.int64)


def _columns(file: Path, frame: pl.DataFrame) -> dict[str, str]:
    """Return symbol → column name, in the file's order."""
    columns: dict[str, str] = {}
    for name in frame.columns:
        if name == TIMESTAMP:
            continue
        symbol = normalise(name)
        if not 0 < len(symbol) <= SYMBOL_LENGTH_MAX or not symbol.isprintable():
            raise PanelError(
                f"{file}: column {name[:SYMBOL_LENGTH_MAX]!r}, expected a symbol of 1 to "
                f"{SYMBOL_LENGTH_MAX} characters"
            )
        if symbol in columns:
            raise PanelError(
                f"{file}: columns {columns[symbol]} and {name} are both {symbol}, expected one"
            )
        columns[symbol] = name
    if ANCHOR not in columns:
        raise PanelError(f"{file}: column {ANCHOR} is missing, expected its closes")
    if len(columns) < 2:
        raise PanelError(f"{file}: only {ANCHOR}, expected at least two symbols to correlate")
    return columns


def _closes(file: Path, column: pl.Series, name: str) -> NDArray[np.float64]:
    where = f"{file}: column {name}"
    if not column.dtype.is_numeric():
        if column.null_count() == len(column):
            raise PanelError(f"{where}: empty, expected closes")
        raise PanelError(f"{where}: {column.dtype}, expected numbers")
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    judge_closes(where, values)
    return values


def _moves(closes: NDArray[np.float64]) -> int:
    """Return on how many bars the close differs from the one before; a gap is no move."""
    step = np.diff(closes)
    return int(((step != 0) & ~np.isnan(step)).sum())


def _volume_ranking(file: Path, frame: pl.DataFrame) -> list[str] | None:
    """Return the symbols of a long panel by total volume, largest first; None without volume.

    Raises PanelError on a volume that cannot be summed and compared: NaN has no place in an order.
    """
    if "volume" not in frame.columns or not frame["volume"].dtype.is_numeric():
        return None
    volume = frame["volume"].cast(pl.Float64)
    bad = volume.is_not_null() & ~((volume >= 0) & volume.is_finite())
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise PanelError(
            f"{file}: column volume: {volume[row]:g} in row {row}, expected zero or more"
        )
    totals: dict[str, float] = {}
    names = frame["symbol"].cast(pl.String)
    sums = pl.DataFrame({"symbol": names, "volume": volume}).group_by("symbol").sum()
    for name, total in sums.drop_nulls().sort("symbol").iter_rows():
        symbol = normalise(name)
        totals[symbol] = totals.get(symbol, 0.0) + total
    return sorted(totals, key=lambda symbol: (-totals[symbol], symbol))


def _ranking_beside(file: Path, symbols: set[str]) -> list[str] | None:
    """Return the volume ranking of the long panel of the same family beside ``file``, if any.

    A neighbour that cannot be used, or that knows none of the symbols, is no reason to fail: it was
    not what the user asked to load.
    """
    family = glob.escape(file.name.split("_")[0])
    for neighbour in sorted(file.parent.glob(f"{family}_*.parquet")):
        if neighbour == file:
            continue
        try:
            names = set(pl.read_parquet_schema(neighbour))
            if not LONG_COLUMNS | {"volume"} <= names:
                continue
            frame = pl.read_parquet(neighbour, columns=["symbol", "volume"], glob=False)
            ranking = _volume_ranking(neighbour, frame)
        except (OSError, PanelError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            continue
        if ranking is not None and symbols & set(ranking):
            return ranking
    return None
