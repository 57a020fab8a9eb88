"""What happened in a session, read from its journal: trades, marks, operators' acts.

Rules of this file:

*   Everything is folded from the journal's own steps by the kernel again, as an audit would; only
    the reason for an entry or exit is the alpha's word, from the driver's bars.
*   A trade runs from flat to flat of one worker. Its result is the value sold less the value
    bought less fees, in whole micro-USDT, computed from the fills alone; so the results must add
    up to the change of the ledger's cash, and the report compares the two.
*   What the session did to itself on purpose is a drill and is named as one: an operator's act
    whose words begin with "drill:", a trip that a drill of that bar asked for, an order of a worker
    that only the prober has.
*   Bars are the played ones, counted from 0: a step belongs to the last bar that had closed.

Not here: counts and trips (``dolphin/shell/history.py``), what had to be shown (``collect``).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dolphin.alpha.exits import HOLD_BARS_MAX, TAKE_PROFIT, ExitReason
from dolphin.alpha.signal import THRESHOLD
from dolphin.link.config import Config
from dolphin.shell.history import MARKED
from dolphin.shell.snapshot import causes
from kernel.constants import Permit, Posture
from kernel.events import (
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    ReportFill,
    RequestPeakReset,
    RequestRearm,
    TripKillSwitch,
)
from kernel.outcome import Accepted, Outcome
from kernel.state import Slot, State
from traces.frames import Tag, scan
from traces.notes import operator_words
from traces.reader import opened
from traces.replay import Replay, advance

ALPHA = 0
DRILL = "drill:"
ACTS: dict[type[Event], str] = {
    TripKillSwitch: "kill",
    RequestRearm: "re-arm, first step",
    ConfirmRearm: "re-arm, second step",
    RequestPeakReset: "peak reset, first step",
    ConfirmPeakReset: "peak reset, second step",
}
EXITS = {
    ExitReason.FIXED_TP.value: f"take profit: the gain reached {100 * TAKE_PROFIT:g} %",
    ExitReason.MAX_HOLD.value: f"time: held for {HOLD_BARS_MAX} bars",
    "SESSION_END": "the session ended",
}


@dataclass
class Trade:
    """One position from flat to flat. Values in micro-USDT, quantities in lots, times in ms."""

    worker: int
    instrument: int
    side: int
    opened_ms: int
    closed_ms: int | None = None
    entry_lots: int = 0
    entry_value: int = 0
    exit_lots: int = 0
    exit_value: int = 0
    fees: int = 0
    flattened: str = ""

    @property
    def result(self) -> int:
        """Return what the trade earned after fees, once it is closed."""
        return self.side * (self.exit_value - self.entry_value) - self.fees


@dataclass
class Chronicle:
    """All of it so far. ``marks`` and ``acts`` carry ``market_time_ms`` until bars are known."""

    trades: list[Trade] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    acts: list[dict[str, Any]] = field(default_factory=list)
    cash_first: int | None = None
    cash_last: int = 0
    _open: dict[int, Trade] = field(default_factory=dict)

    def see(
        self, before: State, event: Event, outcome: Outcome, words: tuple[str, str] | None
    ) -> None:
        """Take one step, and an operator's words where it was theirs."""
        if self.cash_first is None:
            self.cash_first = before.ledger.cash
        self.cash_last = before.ledger.cash
        who, why = words or ("", "")
        if type(event) in ACTS:
            said = "accepted" if isinstance(outcome, Accepted) else outcome.reason.name
            self.acts.append(
                {
                    "market_time_ms": before.clock.market_time_ms,
                    "act": ACTS[type(event)],
                    "who": who,
                    "why": why,
                    "outcome": said,
                }
            )
        if not isinstance(outcome, Accepted):
            return
        after = outcome.state
        self.cash_last = after.ledger.cash
        name = type(event).__name__
        if after.killswitch.killed and not before.killswitch.killed:
            self._mark(after, "trip", "+".join(causes(after)), who, why)
        if isinstance(event, ReportFill):
            self._fill(before.gate.slots[event.worker], event, after)
        if outcome.effects.flatten_positions:
            self._mark(after, "flatten", because(after), "", "")
        if name in MARKED:
            kind, text = MARKED[name]
            self._mark(after, kind, text, who, why)

    def _fill(self, before: Slot, event: ReportFill, after: State) -> None:
        slot = after.gate.slots[event.worker]
        moved = slot.quantity - before.quantity
        if moved == 0:
            return  # a fill that was never permitted: the kernel killed and booked nothing
        now = after.clock.market_time_ms
        trade = self._open.get(event.worker)
        if trade is None:
            trade = Trade(event.worker, slot.instrument, 1 if moved > 0 else -1, now)
            self._open[event.worker] = trade
            self.trades.append(trade)
        value = event.quantity * event.price
        trade.fees += event.fee
        if moved * trade.side > 0:
            trade.entry_lots += event.quantity
            trade.entry_value += value
        else:
            trade.exit_lots += event.quantity
            trade.exit_value += value
            if before.permit_kind == Permit.FLATTEN:
                trade.flattened = because(after)
        if slot.quantity == 0:
            trade.closed_ms = now
            del self._open[event.worker]

    def _mark(self, after: State, kind: str, text: str, who: str, why: str) -> None:
        self.marks.append(
            {
                "market_time_ms": after.clock.market_time_ms,
                "kind": kind,
                "text": text,
                "who": who,
                "why": why,
            }
        )


def because(state: State) -> str:
    """Return why the kernel flattens in this state: a kill and its causes, or the posture."""
    if state.killswitch.killed:
        return f"killed by {'+'.join(causes(state))}"
    return f"the posture fell to {Posture(state.machine.posture).name}"


def of_journal(path: Path) -> Chronicle:
    """Return what a journal tells. Raises where its bytes are broken, as every reader does."""
    told, replay = Chronicle(), Replay()
    words: tuple[str, str] | None = None

    def watch(before: State, event: Event, outcome: Outcome) -> None:
        told.see(before, event, outcome, words)

    with opened(path) as data:
        for frame in scan(data):
            if frame.tag == Tag.NOTE:
                words = operator_words(frame.body) or words
            advance(replay, frame, None, watch)
            if frame.tag == Tag.EVENT:
                words = None
            if replay.divergence is not None:
                break
    return told


# --- with the bars and the drills beside it ------------------------------------------------------


def bar_at(times: Sequence[int], market_time_ms: int) -> int:
    """Return the played bar that had closed last at ``market_time_ms``; 0 before the first."""
    return max(0, bisect_right(times, market_time_ms) - 1)


def drill_of(mark: dict[str, Any], bar: int, log: Sequence[dict[str, Any]]) -> str:
    """Return the name of the drill that brought about a mark, "" where none did."""
    wanted = {"trip": set(mark["text"].split("+")), "restart": {"RESTARTED"}}.get(mark["kind"])
    if mark["who"]:
        return "an operator's act" if mark["why"].startswith(DRILL) else ""
    for row in log:
        if wanted and row["bar"] == bar and row["drill"].startswith("kill_"):
            if wanted & set(row["seen"]):
                return str(row["drill"]).replace("_", " ")
    return ""


def marks_of(
    told: Chronicle, times: Sequence[int], log: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the marks with their bars and drills; a flatten is a drill's where its kill was."""
    found = []
    kill = ""
    for mark in told.marks:
        bar = bar_at(times, mark["market_time_ms"])
        drill = drill_of(mark, bar, log)
        if mark["kind"] in ("trip", "restart"):
            kill = drill
        elif mark["kind"] == "flatten" and mark["text"].startswith("killed"):
            drill = kill
        found.append({"bar": bar, **{key: mark[key] for key in ("kind", "text", "who", "why")},
                      "drill": drill})  # fmt: skip
    return found


def acts_of(told: Chronicle, times: Sequence[int]) -> list[dict[str, Any]]:
    """Return the operators' acts with their bars, and whether a drill spoke."""
    return [
        {
            "bar": bar_at(times, act["market_time_ms"]),
            **{key: act[key] for key in ("act", "who", "why", "outcome")},
            "drill": act["why"].startswith(DRILL),
        }
        for act in told.acts
    ]


def asked_before(
    rows: Sequence[dict[str, Any]], bar: int, kind: str, since: int
) -> dict[str, Any] | None:
    """Return the alpha's last request of a kind at or before a bar, and not before ``since``."""
    for number in range(min(bar, len(rows) - 1), since - 1, -1):
        if rows[number]["asked"] == kind and rows[number]["answer"] == "ok":
            return rows[number]
    return None


def trades_of(
    told: Chronicle,
    config: Config,
    rows: Sequence[dict[str, Any]],
    log: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Return the trades for ``session.json``. ``rows`` are the driver's bars, from bar 0."""
    times = [row["market_time_ms"] for row in rows]
    marks = marks_of(told, times, log)
    found = []
    for trade in told.trades:
        start = bar_at(times, trade.opened_ms)
        end = None if trade.closed_ms is None else bar_at(times, trade.closed_ms)
        entry, exit_why, drill = "", "", ""
        if trade.worker == ALPHA:
            asked = asked_before(rows, start, "entry", 0)
            if asked is not None and asked["vel_div"] is not None:
                entry = f"signal: velocity divergence {asked['vel_div']:.4f}, below {THRESHOLD:g}"
                entry = entry.replace("-", "−")
            left = None if end is None else asked_before(rows, end, "exit", start)
            exit_why = "" if left is None else EXITS.get(left["why"], left["why"])
        else:
            drill = next(
                (row["drill"] for row in reversed(log)
                 if row["by"] == "prober" and row["bar"] <= start), "prober",
            ).replace("_", " ")  # fmt: skip
            entry, exit_why = "drill: an order of the prober's", "drill: the prober left"
        if trade.flattened:
            by = [mark for mark in marks if mark["kind"] == "trip" and mark["bar"] <= (end or 0)]
            why = f", {by[-1]['why']}" if by and by[-1]["why"] else ""
            killed = trade.flattened.startswith("killed")
            exit_why = f"flattened by the kernel: {trade.flattened}{why if killed else ''}"
            if killed and by and by[-1]["drill"]:
                exit_why += "" if "drill" in why else f" (drill: {by[-1]['drill']})"
        if end is None:
            exit_why = "still open when the journal ended"
        found.append(
            {
                "worker": trade.worker,
                "by": "alpha" if trade.worker == ALPHA else "prober",
                "instrument": config.symbols[trade.instrument - 1],
                "lot_ppm": config.lot_ppm[trade.instrument - 1],
                "side": "long" if trade.side > 0 else "short",
                "entry_bar": start,
                "exit_bar": end,
                "entry_lots": trade.entry_lots,
                "entry_value": trade.entry_value,
                "exit_lots": trade.exit_lots,
                "exit_value": trade.exit_value,
                "fees": trade.fees,
                "result": None if end is None else trade.result,
                "entry_why": entry or "not said",
                "exit_why": exit_why or "not said",
                "drill": drill,
            }
        )
    return found
