"""The last screen of ``dolphin run``: what ran, what it showed, for a reader who is new here.

Rules of this file:

*   Every figure is one of ``session.json`` or of the audit's document; nothing is computed that the
    report does not show too.
*   Whole sentences and the field's own words. What was not run is said to be not run.
*   What did not happen as it must stands first and is named; a drill is called a drill.

Not here: the evidence package, which its own process judges and prints (``certification/``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

MICRO = 1_000_000
WIDTH = 11
MISSING_MAX = 6


def usdt(micro: int) -> str:
    """Return an amount of micro-USDT in USDT, with its sign where it is negative."""
    return f"{micro / MICRO:,.2f}".replace("-", "−")


def several(number: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 trade", "7 trades"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(milliseconds: int) -> str:
    """Return a market time to the minute, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _row(name: str, text: str) -> str:
    # An operator's words are among it: what steers a terminal is shown, not obeyed.
    plain = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
    return f"  {name:{WIDTH}} {plain}"


@dataclass(frozen=True)
class Bars:
    """What the last screen says of all bars: their market times, ms, and the deepest drawdown."""

    first_ms: int
    last_ms: int
    drawdown_ppm: int


def bars_of(folder: Path) -> Bars | None:
    """Return what ``bars.parquet`` says; None where the session left none."""
    path = folder / "bars.parquet"
    if not path.exists():
        return None
    columns = pl.read_parquet(path, columns=["market_time_ms", "drawdown_ppm"])
    times = columns["market_time_ms"].to_list()
    return Bars(times[0], times[-1], max(columns["drawdown_ppm"].to_list())) if times else None


def _played(session: dict[str, Any], bars: Bars | None) -> str:
    data = session.get("data")
    market = f"of {data['path']}" if data else f"of a generated market (seed {session['seed']})"
    when = f", {moment(bars.first_ms)} to {moment(bars.last_ms)} UTC" if bars else ""
    return f"{several(session['counts'].get('bars', 0), 'bar')} {market}{when}"


def _result(session: dict[str, Any], bars: Bars | None) -> str | None:
    cash = session.get("cash") or {}
    first, last = cash.get("first"), (session.get("ended_with") or {}).get("equity")
    if not first or last is None:
        return None
    change = f"{100 * (last - first) / first:+.2f} %".replace("-", "−")
    fees = sum(trade["fees"] for trade in session.get("trades", []))
    deepest = f"; deepest drawdown {bars.drawdown_ppm / 10_000:.2f} %" if bars else ""
    return f"{usdt(first)} → {usdt(last)} USDT ({change}), fees {usdt(fees)} among it{deepest}"


def _trades(trades: Sequence[dict[str, Any]]) -> str:
    if not trades:
        return "none"
    closed = [trade["result"] for trade in trades if trade["result"] is not None]
    won = sum(result > 0 for result in closed)
    drills = sum(bool(trade["drill"]) for trade in trades)
    still = len(trades) - len(closed)
    text = f"{len(trades):,}: {won} won, {len(closed) - won} lost"
    text += f", {still} still open" if still else ""
    return text + (f"; {drills} of them by drills" if drills else "")


def _kinds(marks: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [mark for mark in marks if mark["kind"] == kind]


def _kills(marks: Sequence[dict[str, Any]]) -> str:
    trips = _kinds(marks, "trip")
    if not trips:
        return "none"
    drills = sum(bool(mark["drill"]) for mark in trips)
    said = "all by drills" if drills == len(trips) else f"{drills} of them by drills"
    causes = ", ".join(
        mark["text"] + (f" ({mark['who']}: {mark['why']})" if mark["why"] else "") for mark in trips
    )
    return f"{len(trips)}, {said if drills else 'no drill'}: {causes}"


def _audit(audit: dict[str, Any] | None, asked: bool) -> str:
    if not asked:
        return "NOT RUN: left out (--no-audit)"
    if audit is None:
        return "NOT RUN: the audit gave no answer"
    records = several(audit.get("records") or 0, "record")
    if audit.get("intact") is False:
        return f"FAIL: the journal is damaged ({records})"
    if audit.get("replayed") is False:
        return "FAIL: the kernel, given the same events again, answers otherwise"
    if audit.get("conformant") is False:
        return "FAIL: the journal holds a step that the TLA+ model does not allow"
    if audit.get("conformant") is None:
        return "NOT RUN in part: whether the TLA+ model allows each step was not asked"
    text = f"PASS: {records} intact; replayed to the same states; the TLA+ model allows each step"
    return text if audit.get("ok") is True else "FAIL: the audit as a whole does not hold"


def next_steps(report: Path | None, ok: bool, folder: Path) -> list[str]:
    """Return where to look and what to do after a run."""
    lines = [
        'Next     make run ARGS="--seed 1"              another generated market',
        '         make run ARGS="--data PANEL.parquet"  a recorded market, without drills',
        "         make help                             every other target, and how long it takes",
    ]
    if not ok:
        lines.append(f"Logs     {(folder / 'logs').resolve()}")
    if report is not None:
        lines.append(f"Report   {report.resolve()}")
    return lines


def last_screen(
    session: dict[str, Any],
    audit: dict[str, Any] | None,
    *,
    audit_asked: bool,
    bars: Bars | None,
) -> list[str]:
    """Return the lines about the session and its audit; ``bars`` None where none was recorded."""
    shown = session["shown"]
    missing = [one for one in shown if not one["ok"]]
    lines = ["", f"Session {session['verdict']}   {session['id']}, profile {session['profile']}"]
    if session["reason"] and not session["reason"].startswith("not shown: "):
        lines.append(_row("aborted", session["reason"]))
    lines.append(_row("played", _played(session, bars)))
    result = _result(session, bars)
    lines.append(_row("result", result or "not known: the session did not reach its end"))
    lines.append(_row("trades", _trades(session.get("trades", []))))
    lines.append(_row("kills", _kills(session.get("marks", []))))
    refused = sum(session["refusals"].values())
    given = sum(1 for count in session["refusals"].values() if count)
    lines.append(
        _row("refusals", f"the kernel refused {several(refused, 'request')}, "
             f"for {given} of its {len(session['refusals'])} reasons")
    )  # fmt: skip
    lines.append(
        _row("showed", f"{len(shown) - len(missing)} of the {several(len(shown), 'thing')} "
             "that this session had to show")
    )  # fmt: skip
    for one in missing[:MISSING_MAX]:
        lines.append(_row("", f"not shown: {one['name']} ({one['detail']})"))
    if len(missing) > MISSING_MAX:
        lines.append(_row("", f"and {len(missing) - MISSING_MAX} more, in the report"))
    lines.append(f"Audit {_audit(audit, audit_asked)}")
    return lines
