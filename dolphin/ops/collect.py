"""``session.json``: what happened in a session, and whether it showed what it had to show.

Rules of this file:

*   Fields as in certification/ARTEFACTS.md. Everything is read from what the processes left: the
    journal's steps, the driver's bars, the guard's and the venue's accounts. What is missing is not
    shown; nothing is assumed.
*   A reason or cause that this session cannot meet is listed with why it cannot. It is not counted
    as shown, and its absence is not a failure.
*   A demotion belongs to the factor that lies lowest against its own best of the bars before.

Not here: the audit and the evidence package's verdict (``certification/``).
"""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from dolphin.link.config import Config
from dolphin.ops import chronicle
from dolphin.ops.supervise import ROOT
from dolphin.shell.history import History, of_journal
from kernel import constants
from kernel.constants import Posture
from kernel.outcome import Reason
from traces.frames import JournalCorrupt

ENTRIES_MIN = 20
SCHEMA = 1
ACCOUNTS = ("kernel", "guard", "venue", "driver")
FILES = ("journal.bin", "ledger.bin", "bars.parquet", "config.json")
ATTRIBUTION_BARS = 120
CAUSES = ("HEARTBEAT", "CHECKSUM", "DESYNC", "OPERATOR")
SENSORS = {
    "structural_ppm": "forewarner",
    "micro_ppm": "order book",
    "environment_ppm": "DVOL shock",
    "capital_ppm": "capital (drawdown)",
}


def not_applicable(config: Config) -> dict[str, str]:
    """Return the refusal reasons and causes that this session cannot meet, with why."""
    found = {
        "MARKET_TIME_AHEAD": "only live: in a replay market time may run ahead of process time",
        "GRID": "no data grid is in use",
    }
    if config.profile != "specification":
        found["LIMIT_ONLY"] = "only under the specification's profile"
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return document


def times_of(number: int) -> str:
    """Return a count of occurrences in words: "once", "7 times"."""
    return "once" if number == 1 else f"{number:,} times"


def _unaccounted(run: Path) -> str:
    """Return which process left no account, and so is not known to have ended; empty where none."""
    missing = [name for name in ACCOUNTS if not _read(run / f"{name}.json")]
    return f"no account of the {', the '.join(missing)}" if missing else ""


def _shown(name: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "ok": bool(ok), "detail": detail}


def demotions(bars: pl.DataFrame, marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each demotion without a kill: its bar, postures, and the sensor it belongs to.

    It belongs to the factor that lies lowest against its own best of the last bars.
    """
    rows = bars.to_dicts()
    tripped = {mark["market_time_ms"] for mark in marks if mark["kind"] in ("trip", "restart")}
    found = []
    for index in range(1, len(rows)):
        now, before = rows[index], rows[index - 1]
        if now["posture"] >= before["posture"] or now["killed"] or before["killed"]:
            continue
        if before["market_time_ms"] in tripped or now["market_time_ms"] in tripped:
            continue
        window = rows[max(0, index - ATTRIBUTION_BARS) : index]
        falls = {name: now[name] / max(1, *(row[name] for row in window)) for name in SENSORS}
        name = min(falls, key=lambda name: falls[name])
        found.append(
            {
                "bar": now["bar"],
                "from": before["posture"],
                "to": now["posture"],
                "sensor": SENSORS[name],
                "fell_to": round(falls[name], 4),
            }
        )
    return found


def recovered_after(bars: pl.DataFrame, market_time_ms: int) -> int | None:
    """Return the first bar after ``market_time_ms`` that ended in APEX, None where none did."""
    later = bars.filter(
        (pl.col("market_time_ms") > market_time_ms) & (pl.col("posture") == int(Posture.APEX))
    )
    return None if later.is_empty() else int(later["bar"][0])


def _history(path: Path) -> tuple[dict[str, Any], str]:
    """Return what the journal tells, and why it tells nothing, if so."""
    try:
        return of_journal(path).account(), ""
    except JournalCorrupt as error:
        return History().account(), f"journal: {error.finding.text}"


def judge(
    config: Config, kernel: dict[str, Any], guard: dict[str, Any], bars: pl.DataFrame | None
) -> list[dict[str, Any]]:
    """Return what the session had to show, one entry each."""
    played = config.bars - config.lead_bars
    count = 0 if bars is None else bars.height
    shown = [_shown("bars", count == played, f"{count:,} of {played:,} bars played to their end")]
    counts = kernel.get("counts", {})
    refusals = kernel.get("refusals", {})
    if not config.demonstration or bars is None:
        return shown
    reached = set(bars["posture"].to_list())
    for posture in Posture:
        bars_in = int((bars["posture"] == int(posture)).sum())
        shown.append(_shown(f"posture {posture.name}", posture in reached, f"{bars_in} bars"))
    entries = counts.get("entries", 0)
    by_alpha = counts.get("entries_worker_0", 0)
    shown.append(
        _shown(
            "entries",
            by_alpha >= ENTRIES_MIN,
            f"{by_alpha} accepted of the alpha, {entries} in all; {ENTRIES_MIN} asked for",
        )
    )
    skipped = not_applicable(config)
    for reason in Reason:
        if reason.name not in skipped:
            times = refusals.get(reason.name, 0)
            shown.append(_shown(f"refusal {reason.name}", times > 0, times_of(times)))
    trips = kernel.get("trips", [])
    for cause in CAUSES:
        times = sum(1 for trip in trips if cause in trip["causes"])
        shown.append(_shown(f"trip {cause}", times > 0, times_of(times)))
    open_at_trip = sum(1 for trip in trips if trip["positions_open"])
    flattened = sum(1 for mark in kernel.get("marks", []) if mark["kind"] == "flatten")
    shown.append(
        _shown(
            "flatten",
            open_at_trip > 0 and flattened > 0,
            f"kills with an open position: {open_at_trip}; flattens: {flattened}",
        )
    )
    rearms = [mark for mark in kernel.get("marks", []) if mark["kind"] == "rearm"]
    shown.append(_shown("re-arm in two steps", bool(rearms), f"completed {times_of(len(rearms))}"))
    first = rearms[0]["market_time_ms"] if rearms else None
    back = None if first is None else recovered_after(bars, first)
    shown.append(
        _shown("recovery to APEX", back is not None, "after the first re-arm, at bar " + str(back))
    )
    resets = sum(1 for mark in kernel.get("marks", []) if mark["kind"] == "peak_reset")
    shown.append(_shown("peak reset in two steps", resets > 0, f"completed {times_of(resets)}"))
    restarts = sum(1 for mark in kernel.get("marks", []) if mark["kind"] == "restart")
    shown.append(
        _shown("kernel restart on its journal", restarts > 0, f"{times_of(restarts)} after SIGKILL")
    )
    throttled = counts.get("throttled_prober", 0)
    shown.append(_shown("a flood is throttled", throttled > 0, f"unheard {times_of(throttled)}"))
    stale = guard.get("refusals", {}).get("STALE_EPOCH", 0)
    shown.append(
        _shown(
            "no order of an older epoch",
            stale > 0,
            f"the guard refused one {times_of(stale)} after a kill",
        )
    )
    fallen = demotions(bars, kernel.get("marks", []))
    for sensor in SENSORS.values():
        where = [one["bar"] for one in fallen if one["sensor"] == sensor]
        detail = "at bars " + ", ".join(map(str, where)) if where else "none"
        shown.append(_shown(f"demotion by {sensor}", bool(where), detail))
    return shown


def machine() -> dict[str, str]:
    """Return what this ran on."""
    cpu = ""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    except OSError:
        cpu = platform.processor()
    return {
        "cpu": cpu,
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def revision() -> tuple[str, bool]:
    """Return the source's commit and whether files differ from it; empty where git is not there."""

    def git(*words: str) -> str:
        found = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
        )
        return found.stdout.strip() if found.returncode == 0 else ""

    try:
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except OSError:
        return "", False


def file_hash(path: Path) -> str:
    """Return a file's SHA-256, hex."""
    return sha256(path.read_bytes()).hexdigest()


NOT_HELD = (
    ("a user of its own for each partition", "all processes run as one user"),
    ("real-time priority and pinning", "ordinary scheduling"),
    ("Landlock and seccomp", "no filter on files and system calls"),
    ("cgroup limits on memory and processor", "none set"),
)


def isolation(
    config: Config, kernel: dict[str, Any], guard: dict[str, Any], how: str
) -> list[dict[str, Any]]:
    """Return the measures of isolation: held or not, and what that means."""
    found = [
        {"measure": "separate processes, exec'd", "held": True, "detail": f"started by {how}"},
        {"measure": "supervisord", "held": how == "supervisord", "detail": how},
    ]
    if config.demonstration:
        detail = "a demonstration: its guard, venue and driver have faults on request"
        found.append({"measure": "no drills in any process", "held": False, "detail": detail})
    for name, account in (("kernel", kernel), ("guard", guard)):
        found += [
            {**one, "measure": f"{name}: {one['measure']}"} for one in account.get("isolation", [])
        ]
    found += [
        {"measure": measure, "held": False, "detail": f"not in this session: {detail}"}
        for measure, detail in NOT_HELD
    ]
    return found


def collect(
    config: Config,
    *,
    command: Sequence[str],
    started: str,
    processes: list[dict[str, Any]],
    how: str,
    broken: str,
    rows: int,
) -> dict[str, Any]:
    """Write ``session.json``; return it. ``broken`` says why the session ended early, if so."""
    run = config.run
    shell, guard = _read(run / "kernel.json"), _read(run / "guard.json")
    kernel, unreadable = _history(run / "journal.bin")
    kernel["counts"] |= shell.get("counts", {})
    kernel["refusals"] |= shell.get("refusals", {})
    broken = broken or unreadable or _unaccounted(run)
    driver, venue = _read(run / "driver.json"), _read(run / "venue.json")
    bars: pl.DataFrame | None = None
    if (run / "bars.parquet").exists():
        bars = pl.read_parquet(run / "bars.parquet")
    shown = judge(config, kernel, guard, bars)
    missing = [one["name"] for one in shown if not one["ok"]]
    reason = broken or (f"not shown: {', '.join(missing)}" if missing else "")
    commit, dirty = revision()
    told = chronicle.Chronicle() if unreadable else chronicle.of_journal(run / "journal.bin")
    rows_played = [] if bars is None else bars.to_dicts()
    times = [row["market_time_ms"] for row in rows_played]
    log = driver.get("drills") or []
    data = None
    if config.data is not None:
        data = {"path": config.data, "sha256": config.panel_sha256, "rows": rows}
    gaps = 0 if bars is None else int(bars["gaps"].sum())
    firing = None
    if bars is not None and bars["signals"].drop_nulls().len():
        firing = int((bars["vel_div"].fill_null(0.0) < -0.02).sum())
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "id": config.id,
        "verdict": "FAIL" if reason else "PASS",
        "reason": reason,
        "command": list(command),
        "started": started,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "dirty": dirty,
        "profile": config.profile,
        "seed": config.seed,
        "windows": config.windows,
        "data": data,
        "constants": {
            name: getattr(constants, name)
            for name in ("HEARTBEAT_MS_MAX", "CEILING_APEX", "CEILING_STALKER", "FRACTION_DIVISOR")
        }
        | {
            "heartbeat_limit_ms": config.heartbeat_limit_ms,
            "cooling_ms": config.cooling_ms,
            "confirm_window_ms": config.confirm_window_ms,
            "permit_ms": config.permit_ms,
            "book_stale_ms": config.book_stale_ms,
            "bar_ms": config.bar_ms,
            "tick_ms": config.tick_ms,
        },
        "machine": machine(),
        "stand_ins": config.stand_ins,
        "processes": processes,
        "isolation": isolation(config, shell, guard, how),
        "shown": shown,
        "not_applicable": not_applicable(config),
        "counts": {
            **kernel.get("counts", {}),
            "bars": 0 if bars is None else bars.height,
            "gaps": gaps,
            "signals": firing,
            "journal_records": shell.get("records", 0),
            "tick_late_ms_max": shell.get("tick_late_ms_max"),
        },
        "refusals": {
            **{one.name: 0 for one in Reason},
            **kernel.get("refusals", {}),
        },
        "guard": guard,
        "venue": venue,
        "driver": {key: driver.get(key) for key in ("counts", "drills", "drills_undone")},
        "trips": kernel.get("trips", []),
        "demotions": [] if bars is None else demotions(bars, kernel.get("marks", [])),
        "drills": config.demonstration,
        "trades": chronicle.trades_of(told, config, rows_played, log),
        "cash": {"first": told.cash_first, "last": told.cash_last},
        "acts": chronicle.acts_of(told, times),
        "marks": chronicle.marks_of(told, times, log),
        "ended_with": driver.get("status"),
        "artefacts": {
            name: file_hash(run / name)
            for name in (*FILES, *(f"{account}.json" for account in ACCOUNTS))
            if (run / name).exists()
        },
    }
    (run / "session.json").write_text(json.dumps(document, indent=1) + "\n")
    return document
