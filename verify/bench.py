"""``make bench``: how fast the kernel decides, the journal writes, and the audit judges.

Side by side in one run, on one session:

*   kernel steps per second, bare and with the contract that is on in production;
*   journal records per second, encoded and handed to the operating system;
*   audit records per second, intact and replayed, and through TLC on two JVMs.

Rules of this file: the best of three rounds for what takes under a second, since the machine is
shared; one round for TLC. Nothing is asserted: numbers of a shared machine are not a gate. What is
printed says machine, commit and command, or it is worth nothing.

Not here: latency between processes, detection of a kill (the session's own report).
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.table import Table

from kernel.constants import PPM, Permit, Profile
from kernel.contracts import PARTS_CHECKED
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    CloseBar,
    ConfirmFence,
    Event,
    RecordHeartbeat,
    ReportBook,
    ReportFill,
    ReportForewarner,
    RequestOrder,
    UpdateMark,
)
from kernel.outcome import Accepted, Outcome
from kernel.state import Limits, State, opening_ledger
from kernel.step import step, step_bare
from traces.audit.judge import audit_journals
from traces.header import Header, new_header
from traces.journal import JournalWriter
from traces.provenance import ROOT, writer_version

Step = tuple[State, Event, Outcome]


@dataclass(frozen=True)
class Figure:
    """A figure that another package adds: its name, its line in the table, what measures it."""

    key: str
    label: str
    note: str
    per_second: Callable[[], float]


PRICE = 60_000_000  # micro-USDT a lot: 0.001 BTC at 60,000
ROUNDS = 3
GOAL_RATIO = 20
GOAL_TLC_SECONDS = 60


def _header() -> Header:
    limits = Limits(
        profile=Profile.BIBLE,
        live=False,
        grid_in_use=False,
        heartbeat_limit_ms=(30_000, 30_000, 30_000, 30_000),
        cooling_ms=10_000,
        confirm_window_ms=600_000,
        bar_ms_min=1_000,
        book_stale_ms=600_000,
    )
    return new_header("bench", limits, opening_ledger(25_000 * PPM), 0, 0)


def _bar(state: State, number: int) -> Iterator[Event]:
    """What a healthy session says around one bar: nine events, and an order where it trades."""
    price = PRICE + (number * 7_919_017 % 2_001 - 1_000) * PRICE // 400_000
    yield AdvanceTime(process_time_ms=state.clock.process_time_ms + 5_000)
    for partition in range(4):
        yield RecordHeartbeat(partition=partition)
    if not state.gate.fence_confirmed:
        yield ConfirmFence(epoch=state.gate.fence_epoch)
    yield ReportForewarner(status=0)
    yield ReportBook(
        depth_quality_ppm=PPM,
        fill_probability_ppm=PPM - number % 50_000,
        latency_ms=20,
        jitter_ms=5,
    )
    yield UpdateMark(instrument=1, price=price)
    slot = state.gate.slots[0]
    if slot.permit_kind != Permit.NONE:
        lots = abs(slot.permit_quantity)
        yield ReportFill(worker=0, quantity=lots, price=price, fee=lots * price // 5_000)
    elif slot.instrument == 0:
        yield ClaimInstrument(worker=0, instrument=1)
    elif number % 5 == 0:
        yield RequestOrder(
            worker=0, instrument=1, side=1 if slot.quantity < 0 else -1,
            reduce_only=slot.quantity != 0, market=True, quantity=abs(slot.quantity) or 20,
            limit_price=0, leverage_ppm=PPM,
        )  # fmt: skip
    yield CloseBar(market_time_ms=state.clock.market_time_ms + 300_000)


def session(header: Header, count: int) -> list[Step]:
    """Return ``count`` steps of a session that trades."""
    state, number = header.opening_state(), 0
    steps: list[Step] = []
    while len(steps) < count:
        number += 1
        for event in _bar(state, number):
            outcome = step_bare(state, event)
            steps.append((state, event, outcome))
            if isinstance(outcome, Accepted):
                state = outcome.state
    return steps[:count]


def _best(action: Callable[[], Any], rounds: int = ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def _write(path: Path, header: Header, steps: list[Step]) -> None:
    path.unlink(missing_ok=True)
    with JournalWriter.create(path, header) as journal:
        for number, (before, event, outcome) in enumerate(steps):
            journal.record(before, event, outcome)
            if number % 100 == 99:
                journal.commit()


def _steps(answer: Callable[[State, Event], Outcome], steps: list[Step]) -> None:
    """Play the events as a kernel does: each from the state that the answer before it gave."""
    state = steps[0][0]
    for _, event, _ in steps:
        outcome = answer(state, event)
        if isinstance(outcome, Accepted):
            state = outcome.state


def measure(records: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return every figure; ``records`` go through TLC. Raises what the audit raises."""
    header = _header()
    steps = session(header, records)
    few = steps[:20_000]
    tell("kernel steps")
    bare = len(few) / _best(lambda: _steps(step_bare, few))
    contracts = len(few) / _best(lambda: _steps(step, few))
    with tempfile.TemporaryDirectory(prefix="dolphin-bench-") as folder:
        path = Path(folder) / "bench.journal"
        tell("journal")
        written = len(few) / _best(lambda: _write(path, header, few))
        _write(path, header, steps)
        size = path.stat().st_size
        tell("audit: intact and replayed")
        read = 0.0
        for _ in range(ROUNDS):
            audit = audit_journals([path], tlc=False)
            read = max(read, audit.records / audit.read_seconds)
        tell("audit: TLC")
        audit = audit_journals([path], workers=2)
    return {
        "kernel_steps_per_s_bare": round(bare),
        "kernel_steps_per_s_contracts": round(contracts),
        "journal_records_per_s": round(written),
        "journal_bytes_per_record": round(size / len(steps)),
        "audit_records_per_s_replay": round(read),
        "audit_records_per_s_tlc": round(audit.rows_judged / max(audit.tlc_seconds, 1e-9)),
        "audit_ratio": round(read * audit.tlc_seconds / max(1, audit.rows_judged), 1),
        "tlc_records": audit.rows_judged,
        "tlc_seconds": round(audit.tlc_seconds, 1),
        # Its journal has no anchors: whether it is authentic is not asked.
        "audit_ok": all(audit.answer(name) for name in ("intact", "replayed", "conformant")),
        "audit_not_run": audit.not_run,
        "inner_contracts": bool(PARTS_CHECKED),
    }


def _commit() -> str:
    try:
        changed = subprocess.run(
            ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        changed = ""
    return writer_version() + (" with changes" if changed else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _program() -> str:
    name = Path(sys.argv[0]).name
    return "python -m verify.bench" if name == "bench.py" else name


def _show(figures: dict[str, Any], about: dict[str, Any], more: Sequence[Figure]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("per second", justify="right")
    table.add_column("")
    ratio, seconds = figures["audit_ratio"], figures["tlc_seconds"]
    rows = (
        ("kernel steps, bare", "kernel_steps_per_s_bare", ""),
        ("kernel steps, with contracts", "kernel_steps_per_s_contracts", "as in production"),
        (
            "journal records written",
            "journal_records_per_s",
            f"{figures['journal_bytes_per_record']} bytes each",
        ),
        (
            "audit, intact and replayed",
            "audit_records_per_s_replay",
            f"{ratio} × TLC's (goal: at least {GOAL_RATIO})",
        ),
        (
            "audit, through TLC",
            "audit_records_per_s_tlc",
            f"{figures['tlc_records']:,} records in {seconds} s (goal: 100,000 in about "
            f"{GOAL_TLC_SECONDS})",
        ),
        *((one.label, one.key, one.note) for one in more),
    )
    for name, key, note in rows:
        table.add_row(name, f"{figures[key]:,}", note)
    console = Console(file=sys.stdout)
    console.print(table)
    for name, value in about.items():
        console.print(f"{name}: {value}", highlight=False, soft_wrap=True)
    if figures["audit_not_run"]:
        console.print(f"not run: {figures['audit_not_run']}", soft_wrap=True)


def run(records: int, as_json: bool, more: Sequence[Figure] = ()) -> NoReturn:
    """Measure, print, and exit: 0 where the journal holds, 1 where not, 3 where TLC was not run."""

    def tell(what: str) -> None:
        click.echo(f"measuring: {what}", err=True)

    about = {
        "machine": f"{_processor()}, {os.cpu_count()} processors, load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}",
        "commit": _commit(),
        "command": " ".join([_program(), *sys.argv[1:]]),
    }
    figures = measure(records, tell)
    for one in more:
        tell(one.label)
        figures[one.key] = round(one.per_second())
    if as_json:
        click.echo(json.dumps(figures | about, indent=2))
    else:
        _show(figures, about, more)
    if figures["audit_not_run"]:
        raise SystemExit(3)
    raise SystemExit(0 if figures["audit_ok"] else 1)


def bench(more: Sequence[Figure] = ()) -> click.Command:
    """Return the command ``bench``, with the figures that others add."""

    @click.command(name="bench")
    @click.option(
        "--records",
        default=100_000,
        type=click.IntRange(min=1_000, max=10_000_000),
        show_default=True,
        help="How many records TLC is given.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    def command(records: int, as_json: bool) -> None:
        """Measure kernel steps, journal records and audit records per second, side by side."""
        run(records, as_json, more)

    return command


command = bench()

if __name__ == "__main__":
    command()
