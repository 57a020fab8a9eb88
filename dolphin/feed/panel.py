"""A market panel: closes by time and symbol, read from Parquet and judged before anybody uses it.

Rules of this file:

*   Either a panel is good and comes back whole, or one ``PanelError`` says in one line which file,
    which column or row, and what was expected. Rows are counted from 0, as polars prints them.
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
name, so the choice depends on the files and on nothing else.

Not here: returns (``gaps.py``), the generated market (``market.py``).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dolphin.feed.bar import Bar

__all__ = ["ANCHOR", "Panel", "PanelError", "load_panel", "normalise", "rows_needed"]

ANCHOR = "BTCUSDT"
SYMBOLS_MAX = 50  # the size of the sources' universe (bible 27.7)
GAP_SHARE_MAX = 0.05
TIMESTAMP = "timestamp"
LONG_COLUMNS = frozenset({"symbol", TIMESTAMP, "close"})
TIME_MS_MAX = 4_000_000_000_000  # the kernel's range for a clock reading
PARQUET_MAGIC = b"PAR1"


class PanelError(ValueError):
    """A panel that cannot be used. ``str`` is one line: file, column or row, what was expected."""


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

    @property
    def rows_missing(self) -> int:
        """Number of whole bars that the time axis skips, by the panel's cadence."""
        steps = np.diff(self.timestamps)
        return int(np.maximum(np.rint(steps / self.cadence_ms).astype(np.int64) - 1, 0).sum())

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
    path: str | Path, *, symbols_max: int = SYMBOLS_MAX, rows_min: int = rows_needed((750,))
) -> Panel:
    """Read and judge a panel.

    rows_min: what the session's windows ask for, see ``rows_needed``. Raises PanelError.
    """
    file = Path(path)
    frame = _read(file)
    ranking: list[str] | None = None
    if set(frame.columns) >= LONG_COLUMNS:
        ranking = _volume_ranking(frame)
        frame = _widen(file, frame)
    timestamps = _timestamps(file, frame)
    columns = _columns(file, frame)
    if len(timestamps) < rows_min:
        raise PanelError(f"{file}: {len(timestamps)} rows, expected at least {rows_min}")
    closes = {symbol: _closes(file, frame[name], name) for symbol, name in columns.items()}
    if ranking is None:
        ranking = _ranking_beside(file, set(columns))
    if ranking is None:
        ranking = sorted(closes, key=lambda symbol: (-_moves(closes[symbol]), symbol))
    chosen = [ANCHOR, *(s for s in ranking if s != ANCHOR and s in closes)][:symbols_max]
    table = np.ascontiguousarray(np.column_stack([closes[symbol] for symbol in chosen]))
    steps, counts = np.unique(np.diff(timestamps), return_counts=True)
    table.setflags(write=False)
    timestamps.setflags(write=False)
    return Panel(
        source=str(file),
        timestamps=timestamps,
        symbols=tuple(chosen),
        closes=table,
        cadence_ms=int(steps[np.argmax(counts)]),
    )


def _read(file: Path) -> pl.DataFrame:
    if not file.exists():
        raise PanelError(f"{file}: no such file, expected a Parquet panel")
    if not file.is_file():
        raise PanelError(f"{file}: not a file, expected a Parquet panel")
    try:
        with file.open("rb") as stream:
            magic = stream.read(len(PARQUET_MAGIC))
        if magic != PARQUET_MAGIC:
            raise PanelError(f"{file}: not Parquet, expected the file to begin with PAR1")
        return pl.read_parquet(file)
    except OSError as error:
        raise PanelError(f"{file}: cannot be read ({error.strerror or 'damaged'})") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = " ".join(str(error).split())[:80]
        raise PanelError(f"{file}: damaged Parquet, expected a panel ({reason})") from error


def _widen(file: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Pivot a long panel; a (symbol, timestamp) pair that appears twice has no single close."""
    frame = frame.with_columns(pl.col("symbol").cast(pl.String))
    if frame["symbol"].null_count():
        row = int(frame["symbol"].is_null().arg_max() or 0)
        raise PanelError(f"{file}: column symbol: no name in row {row}, expected one per row")
    if not frame["close"].dtype.is_numeric():
        raise PanelError(f"{file}: column close: {frame['close'].dtype}, expected numbers")
    twice = frame.select(pl.struct("symbol", TIMESTAMP).is_duplicated().alias("twice"))["twice"]
    if twice.any():
        row = int(twice.arg_max() or 0)
        raise PanelError(
            f"{file}: column {TIMESTAMP}: row {row} ({frame['symbol'][row]}) is there twice, "
            "expected one close per symbol and time"
        )
    wide = frame.pivot(on="symbol", index=TIMESTAMP, values="close", maintain_order=True)
    return wide.sort(TIMESTAMP)


def _timestamps(file: Path, frame: pl.DataFrame) -> NDArray[np.int64]:
    if TIMESTAMP not in frame.columns:
        raise PanelError(f"{file}: column {TIMESTAMP} is missing, expected times and closes")
    column = frame[TIMESTAMP]
    where = f"{file}: column {TIMESTAMP}"
    if column.dtype.is_float():
        # Floats pass only when whole: that is how a NaN time most often reaches a file.
        bad = column.is_null() | column.is_nan()
        if bad.any():
            raise PanelError(f"{where}: no time in row {bad.arg_max()}, expected one in every row")
        if not (column == column.round()).all():
            raise PanelError(f"{where}: fractions, expected whole milliseconds or a datetime")
        column = column.cast(pl.Int64)
    if column.null_count():
        row = column.is_null().arg_max()
        raise PanelError(f"{where}: no time in row {row}, expected one in every row")
    if column.dtype.is_integer():
        times = column.cast(pl.Int64)
    elif isinstance(column.dtype, pl.Datetime):
        times = column.dt.timestamp("ms")
    else:
        raise PanelError(f"{where}: {column.dtype}, expected a datetime or integer milliseconds")
    values = times.to_numpy().astype(np.int64)
    outside = np.flatnonzero((values < 0) | (values > TIME_MS_MAX))
    if len(outside):
        raise PanelError(
            f"{where}: {values[outside[0]]} ms in row {outside[0]}, expected 1970 to 2096"
        )
    steps = np.diff(values)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise PanelError(f"{where}: row {row} is before row {row - 1}, expected sorted times")
    if (steps == 0).any():
        row = int(np.argmax(steps == 0)) + 1
        raise PanelError(f"{where}: row {row} repeats row {row - 1}, expected distinct times")
    return values


def _columns(file: Path, frame: pl.DataFrame) -> dict[str, str]:
    """Return symbol → column name, in the file's order."""
    columns: dict[str, str] = {}
    for name in frame.columns:
        if name == TIMESTAMP:
            continue
        symbol = normalise(name)
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
    return values


def _moves(closes: NDArray[np.float64]) -> int:
    """Return on how many bars the close differs from the one before; a gap is no move."""
    step = np.diff(closes)
    return int(((step != 0) & ~np.isnan(step)).sum())


def _volume_ranking(frame: pl.DataFrame) -> list[str] | None:
    """Return the symbols of a long panel by total volume, largest first; None without volume."""
    if "volume" not in frame.columns or not frame["volume"].dtype.is_numeric():
        return None
    totals = (
        frame.group_by(pl.col("symbol").cast(pl.String)).agg(pl.col("volume").sum()).drop_nulls()
    )
    by_volume = sorted(totals.iter_rows(), key=lambda row: (-row[1], row[0]))
    return [normalise(symbol) for symbol, _ in by_volume]


def _ranking_beside(file: Path, symbols: set[str]) -> list[str] | None:
    """Return the volume ranking of the long panel of the same family beside ``file``, if any.

    A neighbour that cannot be read, or that knows none of the symbols, is no reason to fail: it was
    not what the user asked to load.
    """
    family = file.name.split("_")[0]
    for neighbour in sorted(file.parent.glob(f"{family}_*.parquet")):
        if neighbour == file:
            continue
        try:
            names = set(pl.read_parquet_schema(neighbour))
            if not LONG_COLUMNS | {"volume"} <= names:
                continue
            frame = pl.read_parquet(neighbour, columns=["symbol", "volume"])
        except (OSError, pl.exceptions.PolarsError):
            continue
        ranking = _volume_ranking(frame)
        if ranking is not None and symbols & set(ranking):
            return ranking
    return None
