"""Conformance: the records as a TLA+ module, checked by TLC against ``Kernel.tla``.

Theory. One run holds many journals of the same limits, cut into chunks (``rows``). TLC takes every
chunk's start as an initial state and walks its rows; a row that is no step has no successor and
prints why. TLC says "No error" and exits 0 on a rejected trace, so nothing is believed but counts:
accepted iff distinct = generated = chunks + rows, nothing was printed, and there was a row at all.

Rules of this file:

*   The rows are dealt to several JVMs, each with a folder of its own.
*   A curve's input that the model asks for and the table lacks is added and the run repeated: the
    tables depend on nothing that the kernel computed.
*   A run that ends otherwise (an overflow of TLC's 32 bits, no memory) is ``TlcFailed``: not run,
    never "accepted".

Not here: what a rejection means (``explain``). Spec modules: TraceKernel; TraceData is generated.
"""

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from kernel import constants as k
from kernel.constants import Profile
from kernel.outcome import Reason
from kernel.state import Limits
from traces.audit.curves import curve_value
from traces.audit.rows import Chunk, Place, Points, balanced, row_count
from traces.audit.tlatools import TLC_CLASS, ToolMissing, jar_path, jvm, tlc
from traces.provenance import SPEC_FOLDER
from traces.schema import KINDS

CHUNK_ROWS: Final[int] = 1_000
ROWS_PER_RUN: Final[int] = 60_000
ROUNDS_MAX: Final[int] = 20
_TABLES: Final[dict[str, str]] = {
    "CapitalCurve": "CAPITAL_TABLE",
    "StructuralDecay": "STRUCTURAL_TABLE",
    "EnvironmentCurve": "ENVIRONMENT_TABLE",
    "LatencyCurve": "LATENCY_TABLE",
    "JitterCurve": "JITTER_TABLE",
    "DepthCurve": "DEPTH_TABLE",
}


class TlcFailed(Exception):
    """TLC ended without an answer; the message holds its own first words."""


@dataclass(frozen=True)
class Rejection:
    """One row that is no step: where, what was false, and (name, model's value, journal's)."""

    place: Place
    what: str
    particulars: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What TLC said of a batch: the rows it was given, the rejections, the time, the JVMs."""

    rows: int
    rejections: tuple[Rejection, ...]
    seconds: float
    runs: int


def find_models() -> Path:
    """Return the folder of the models."""
    if not (SPEC_FOLDER / "TraceKernel.tla").is_file():
        raise ToolMissing(f"{SPEC_FOLDER}: the models are not there (they are in the source tree)")
    return SPEC_FOLDER


# --- the generated text --------------------------------------------------------------------------


def _sequence(values: Sequence[str]) -> str:
    return "<<" + ",\n".join(values) + ">>"


def _text(value: str) -> str:
    return f'"{value}"'


def _table(name: str, profile: Profile, points: set[int]) -> str:
    pairs = [f"<<{p}, {curve_value(name, profile, p)}>>" for p in sorted(points) if p >= 0]
    return f"{_TABLES[name]} == {_sequence(pairs or ['<<0, 0>>'])}"


def data_module(chunks: Sequence[Chunk], points: Points, profile: Profile) -> str:
    """Return the text of TraceData."""
    first, last, behind = [], [], 0
    for chunk in chunks:
        first.append(str(behind))
        behind += len(chunk.rows)
        last.append(str(behind))
    rows = [_text(row) for chunk in chunks for row in chunk.rows]
    parts = [
        "---- MODULE TraceData ----",
        "EXTENDS Integers",
        f"KINDS == {_sequence([_text(kind.name) for kind in KINDS])}",
        f"REASONS == {_sequence([_text(reason.name) for reason in Reason])}",
        *(_table(name, profile, points[name]) for name in _TABLES),
        f"STARTS == {_sequence([_text(chunk.start) for chunk in chunks])}",
        f"OPENS == {_sequence(['TRUE' if chunk.opening else 'FALSE' for chunk in chunks])}",
        f"FIRST == {_sequence(first)}",
        f"LAST == {_sequence(last)}",
        f"ROWS == {_sequence(rows)}",
        "====\n",
    ]
    return "\n".join(parts)


def _money(value: int) -> str:
    return f"<<{value // k.PPM}, {value % k.PPM}>>"


def _boolean(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def run_module(limits: Limits) -> str:
    """Return the text of the root module: TraceKernel and the limits that a cfg cannot spell."""
    ages = ", ".join(str(age) for age in limits.heartbeat_limit_ms)
    return "\n".join(
        (
            "---- MODULE TraceRun ----",
            "EXTENDS TraceKernel",
            f"RunHeartbeatLimits == LET limits == <<{ages}>> IN [p \\in 0..3 |-> limits[p + 1]]",
            f"RunPriceMax == {_money(k.PRICE_MAX)}",
            f"RunFeeMax == {_money(k.FEE_MAX)}",
            f"RunCashMax == {_money(k.CASH_MAX)}",
            "RunOpeningCash == <<1, 0>>",
            "====\n",
        )
    )


def configuration(limits: Limits) -> str:
    """Return the text of the cfg: the limits and the kernel's own constants, in real units."""
    bible = limits.profile == Profile.BIBLE
    down = k.BIBLE_DOWN_AFTER if bible else k.SPECIFICATION_DOWN_AFTER
    up = k.BIBLE_UP_AFTER if bible else k.SPECIFICATION_UP_AFTER
    lines = [
        "INIT TraceInit",
        "NEXT TraceNext",
        "CHECK_DEADLOCK FALSE",
        "CONSTANTS",
        "RT = 1000",
        f'profile = "{limits.profile.name.lower()}"',
        f"live = {_boolean(limits.live)}",
        f"grid_in_use = {_boolean(limits.grid_in_use)}",
        "heartbeat_limit_ms <- RunHeartbeatLimits",
        f"cooling_ms = {limits.cooling_ms}",
        f"confirm_window_ms = {limits.confirm_window_ms}",
        f"bar_ms_min = {limits.bar_ms_min}",
        f"book_stale_ms = {limits.book_stale_ms}",
        "Partitions <- TracePartitions",
        "Workers <- TraceWorkers",
        f"AGE_MS_MAX = {k.AGE_MS_MAX}",
        f"GRID_MEMBERS_MAX = {k.GRID_MEMBERS_MAX}",
        f"LATENCY_MS_MAX = {k.LATENCY_MS_MAX}",
        f"INSTRUMENT_MAX = {k.INSTRUMENT_MAX}",
        f"QUANTITY_MAX = {k.QUANTITY_MAX}",
        f"LEVERAGE_PPM_MAX = {k.LEVERAGE_PPM_MAX}",
        "PRICE_MAX <- RunPriceMax",
        "FEE_MAX <- RunFeeMax",
        "CASH_MAX <- RunCashMax",
        "OpeningCash <- RunOpeningCash",
        "SECOND_MS = 1000",
        f"RECOVERY_MS_MAX = {k.RECOVERY_MS_MAX}",
        f"DOWN_AFTER = {down}",
        f"UP_AFTER = {up}",
        "CapitalCurve <- TraceCapital",
        "StructuralDecay <- TraceStructural",
        "EnvironmentCurve <- TraceEnvironment",
        "LatencyCurve <- TraceLatency",
        "JitterCurve <- TraceJitter",
        "DepthCurve <- TraceDepth",
        "GainOver <- TraceGain",
        "NextEpoch <- TraceNextEpoch",
    ]
    return "\n".join(lines) + "\n"


# --- one run -------------------------------------------------------------------------------------

_STATS = re.compile(r"^([\d,]+) states generated, ([\d,]+) distinct states found", re.MULTILINE)
_HUNDRED: Final[str] = '"HUNDRED"'  # TraceKernel says so after each hundred rows of a chunk
_REJECTED = re.compile(r'^<<"REJECTED", (\d+), (\d+), "(\w+)", (\{.*\})>>$')
_CURVE = re.compile(r'^<<"CURVE", "(\w+)", (-?\d+)>>$')
_TRIPLE = re.compile(r'<<"((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)">>')
_UNQUOTE = re.compile(r"\\(.)")
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Output:
    """What a run of TLC printed."""

    distinct: int
    generated: int
    rejected: tuple[tuple[int, int, str, str], ...]
    missing: tuple[tuple[str, int], ...]
    errors: tuple[str, ...]


def _unquoted(line: str) -> str:
    """PrintT of a text prints it as TLA+ writes it: in quotes, its own quotes escaped."""
    if line.startswith('"') and line.endswith('"'):
        return _UNQUOTE.sub(r"\1", line[1:-1])
    return line


def read_output(lines: Sequence[str]) -> Output:
    """Return what a run printed that counts."""
    rejected, missing, errors = [], [], []
    distinct = generated = -1
    for number, raw in enumerate(lines):
        line = _unquoted(raw)
        if match := _REJECTED.match(line):
            chunk, row, what, particulars = match.groups()
            rejected.append((int(chunk), int(row), what, particulars))
        elif match := _CURVE.match(line):
            missing.append((match.group(1), int(match.group(2))))
        elif match := _STATS.match(line):
            generated, distinct = (int(text.replace(",", "")) for text in match.groups())
        elif line.startswith(("Error:", "***", "Exception", "Fatal", "java.")):
            errors.append(" ".join(lines[number : number + 6]).strip())
    return Output(distinct, generated, tuple(rejected), tuple(missing), tuple(errors))


def _run_jvm(folder: Path, memory_mb: int, told: Progress | None) -> list[str]:
    # A run is over before Java's second compiler has paid: without it 60 rows take 1.1 s of a
    # processor and not 2.0, and 20,000 rows 10 s and not 19.
    options = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", f"-DTLA-Library={find_models()}")
    command = [
        *jvm(folder, stack="64m", memory_mb=memory_mb, options=options),
        "-cp", str(jar_path()), TLC_CLASS,
        *tlc(folder / "TraceRun.tla", folder / "TraceRun.cfg", folder),
    ]  # fmt: skip
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            hundreds = 0
            for line in process.stdout:
                if line.startswith(_HUNDRED):
                    hundreds += 1
                    if told is not None:
                        told(100 * hundreds)
                else:
                    lines.append(line.rstrip("\n"))
        finally:
            if process.poll() is None:
                process.kill()
    return lines


def _particulars(text: str) -> tuple[tuple[str, str, str], ...]:
    found = [tuple(_UNQUOTE.sub(r"\1", part) for part in one) for one in _TRIPLE.findall(text)]
    return tuple(sorted((a, b, c) for a, b, c in found))


# AUD-002
def judge_output(lot: Sequence[Chunk], output: Output) -> list[Rejection]:
    """Return the rejections; raises ``TlcFailed`` where the output is no answer."""
    starts, behind = [], 0
    for chunk in lot:
        starts.append(behind)
        behind += len(chunk.rows)
    rejections = []
    for number, row, what, text in output.rejected:
        chunk = lot[number - 1]
        place = row - 1 - starts[number - 1]
        record = 0 if what == "opening" else chunk.records[place]
        rejections.append(Rejection(Place(chunk.journal, record), what, _particulars(text)))
    expected = len(lot) + behind
    if output.errors and not rejections:
        raise TlcFailed(output.errors[0])
    if not rejections and (output.distinct != expected or output.generated != expected):
        raise TlcFailed(
            f"{output.distinct} distinct and {output.generated} generated states where "
            f"{expected} were expected, and no rejection was printed"
        )
    if output.errors:
        raise TlcFailed(output.errors[0])
    return rejections


def _run_lot(
    lot: Sequence[Chunk], points: Points, limits: Limits, memory_mb: int, told: Progress | None
) -> tuple[list[Rejection], int]:
    points = {name: set(values) for name, values in points.items()}
    with tempfile.TemporaryDirectory(prefix="dolphin-audit-") as scratch:
        folder = Path(scratch)
        (folder / "TraceRun.tla").write_text(run_module(limits), "ascii")
        (folder / "TraceRun.cfg").write_text(configuration(limits), "ascii")
        for round_ in range(1, ROUNDS_MAX + 1):
            (folder / "TraceData.tla").write_text(data_module(lot, points, limits.profile), "ascii")
            output = read_output(_run_jvm(folder, memory_mb, told))
            if not output.missing:
                return judge_output(lot, output), round_
            for name, point in output.missing:
                if point < 0:
                    raise TlcFailed(f"the model asks {name} for {point}")
                points[name].add(point)
    raise TlcFailed(f"the curves' tables were not complete after {ROUNDS_MAX} runs")


@dataclass(frozen=True)
class Batch:
    """Chunks of one ``limits``, and the curves' inputs that are known to occur in them."""

    limits: Limits
    chunks: tuple[Chunk, ...]
    points: Points


def _lots(batches: Sequence[Batch], workers: int) -> list[tuple[Batch, list[Chunk]]]:
    """Deal the chunks to runs of at most ``ROWS_PER_RUN``, at least one for each worker."""
    found = []
    for batch in batches:
        rows = row_count(batch.chunks)
        parts = max(1, -(-rows // ROWS_PER_RUN))
        if rows > 4 * CHUNK_ROWS and len(batches) < workers:
            parts = max(parts, workers)
        found += [(batch, lot) for lot in balanced(batch.chunks, parts)]
    return sorted(found, key=lambda one: -row_count(one[1]))


# AUD-009
def check(
    batches: Sequence[Batch],
    *,
    workers: int = 2,
    memory_mb: int = 2_500,
    progress: Progress | None = None,
) -> Answer:
    """Ask TLC about the chunks. Raises ``ToolMissing`` and ``TlcFailed``.

    ``progress`` is told, from several threads, how many rows have been judged in all.
    """
    begun = time.monotonic()
    lots = _lots(batches, workers)
    found: list[list[Rejection]] = [[] for _ in lots]
    done = [0] * len(lots)
    failures: list[Exception] = []
    waiting = iter(range(len(lots)))
    lock = threading.Lock()
    runs = 0

    def told(place: int, rows: int) -> None:
        done[place] = rows
        if progress is not None:
            progress(sum(done))

    def work() -> None:
        nonlocal runs
        while not failures:
            with lock:
                place = next(waiting, None)
            if place is None:
                return
            batch, lot = lots[place]
            try:
                found[place], rounds = _run_lot(
                    lot, batch.points, batch.limits, memory_mb, partial(told, place)
                )
            except (ToolMissing, TlcFailed, OSError) as error:
                failures.append(error)
                return
            with lock:
                runs += rounds
            told(place, row_count(lot))

    threads = [threading.Thread(target=work) for _ in range(min(workers, len(lots)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    rejections = sorted(
        (one for lot in found for one in lot), key=lambda r: (r.place.journal, r.place.record)
    )
    rows = sum(row_count(batch.chunks) for batch in batches)
    return Answer(rows, tuple(rejections), time.monotonic() - begun, runs)
