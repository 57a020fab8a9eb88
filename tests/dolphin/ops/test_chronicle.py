"""Trades, marks and acts derived from a journal: they add up and are in the right places."""

import random
from pathlib import Path
from typing import Any

from dolphin.ops.chronicle import (
    Chronicle,
    acts_of,
    bar_at,
    marks_of,
    of_journal,
    trades_of,
)
from dolphin.shell.journal import numbers_of
from kernel.constants import Cause, Posture
from kernel.events import (
    ConfirmFence,
    Event,
    ReportFill,
    RequestOrder,
    RequestRearm,
    TripKillSwitch,
    UpdateMark,
)
from kernel.outcome import Accepted
from kernel.state import State
from kernel.step import step
from tests.dolphin.ops.test_collect import config
from tests.kernel.sessions import BTC_LOT, claimed, order, until
from tests.traces.samples import header_of, walk, write
from traces.journal import JournalWriter

T0 = 300_000


def told(state: State, *events: Event | tuple[Event, tuple[str, str]]) -> tuple[Chronicle, State]:
    """Return what these events, with or without an operator's words, told; and the state after."""
    found = Chronicle()
    for one in events:
        event, words = one if isinstance(one, tuple) else (one, None)
        outcome = step(state, event)
        found.see(state, event, outcome, words)
        if isinstance(outcome, Accepted):
            state = outcome.state
    return found, state


def test_trades_told_from_a_journal_equal_the_ledger(rng: random.Random, tmp_path: Path) -> None:
    """Whatever happened: the fills' own arithmetic gives what the double-entry ledger booked."""
    trades = 0
    header = header_of()
    start = header.opening_state()
    for number in range(2):
        steps = list(walk(rng.randrange(1 << 30), 1_500, start, chaos=0.002))
        state, _, outcome = steps[-1]
        last = outcome.state if isinstance(outcome, Accepted) else state
        found = of_journal(write(tmp_path / f"{number}.bin", header, steps))
        closed = sum(trade.result for trade in found.trades if trade.closed_ms is not None)
        open_fees = sum(trade.fees for trade in found.trades if trade.closed_ms is None)
        assert found.cash_first == start.ledger.cash
        assert found.cash_last == last.ledger.cash
        assert closed - open_fees == last.ledger.cash - start.ledger.cash
        held = {t.worker: t.side * (t.entry_lots - t.exit_lots) for t in found.trades
                if t.closed_ms is None}  # fmt: skip
        slots = {worker: slot.quantity for worker, slot in enumerate(last.gate.slots)
                 if slot.quantity != 0}  # fmt: skip
        assert held == slots
        trades += len(found.trades)
    assert trades > 3


def test_an_operators_words_are_read_from_the_journal(tmp_path: Path) -> None:
    path, header = tmp_path / "journal.bin", header_of()
    operator, reason = numbers_of("ann", "why not")
    kill = TripKillSwitch(cause=int(Cause.OPERATOR), operator=operator, reason=reason)
    state = header.opening_state()
    with JournalWriter.create(path, header) as journal:
        outcome = step(state, kill)
        journal.record_operator(state, kill, outcome, who="ann", why="why not")
        assert isinstance(outcome, Accepted)
        later = UpdateMark(1, BTC_LOT)
        journal.record(outcome.state, later, step(outcome.state, later))
    found = of_journal(path)
    (act,) = found.acts
    assert (act["act"], act["who"], act["why"]) == ("kill", "ann", "why not")
    (mark,) = found.marks
    assert (mark["kind"], mark["who"], mark["why"]) == ("trip", "ann", "why not")


SHORT = order(side=-1, quantity=10)
LEAVE = RequestOrder(0, 1, 1, True, True, 10, 0, 1_000_000)


def fill(quantity: int, price: int, fee: int = 7) -> ReportFill:
    return ReportFill(worker=0, quantity=quantity, price=price, fee=fee)


def rows(count: int, **asked: Any) -> list[dict[str, Any]]:
    """Return the driver's bars; ``asked`` by kind is the bar at which the alpha asked for it."""
    found = [
        {"market_time_ms": T0 * (1 + number), "asked": "", "why": "", "answer": "", "vel_div": -0.1}
        for number in range(count)
    ]
    for kind, (bar, why) in asked.items():
        found[bar] |= {"asked": kind, "why": why, "answer": "ok"}
    return found


def at(state: State) -> int:
    """Return the bar that had closed last, of bars every T0 that begin at T0."""
    return state.clock.market_time_ms // T0 - 1


def test_a_trade_tells_prices_result_and_reasons() -> None:
    start = claimed(until(Posture.APEX))
    found, _ = told(
        start, SHORT, fill(4, BTC_LOT), fill(6, BTC_LOT + 10), LEAVE, fill(10, BTC_LOT - 1_000)
    )
    bar = at(start)
    played = rows(bar + 3, entry=(bar, "VEL_DIV"))
    played[bar + 1] |= {"asked": "exit", "why": "FIXED_TP", "answer": "ok"}
    found.trades[0].closed_ms = T0 * (bar + 2)  # the exit came a bar later
    (trade,) = trades_of(found, config(), played, [])
    assert (trade["side"], trade["entry_lots"], trade["exit_lots"]) == ("short", 10, 10)
    assert trade["instrument"] == "BTCUSDT"
    assert (trade["entry_bar"], trade["exit_bar"]) == (bar, bar + 1)
    assert trade["entry_value"] == 10 * BTC_LOT + 60
    assert trade["exit_value"] == 10 * BTC_LOT - 10_000
    assert trade["result"] == 10_060 - 21
    assert trade["entry_why"] == "signal: velocity divergence −0.1000, below −0.02"
    assert trade["exit_why"] == "take profit: the gain reached 0.95 %"
    assert trade["drill"] == ""


def test_a_position_still_open_has_no_result() -> None:
    found, _ = told(claimed(until(Posture.APEX)), SHORT, fill(10, BTC_LOT))
    (trade,) = trades_of(found, config(), [], [])
    assert (trade["exit_bar"], trade["result"]) == (None, None)
    assert trade["exit_why"] == "still open when the journal ended"


def killed(words: tuple[str, str]) -> tuple[Chronicle, State]:
    start = claimed(until(Posture.APEX))
    first, state = told(start, SHORT, fill(10, BTC_LOT))
    kill = TripKillSwitch(cause=int(Cause.OPERATOR), operator=1, reason=1)
    outcome = step(state, kill)
    assert isinstance(outcome, Accepted)
    fence = ConfirmFence(epoch=outcome.state.gate.fence_epoch)
    second, state = told(state, (kill, words), fence, fill(10, BTC_LOT),
                         (RequestRearm(operator=1, reason=1), words))  # fmt: skip
    first.marks, first.acts = second.marks, second.acts
    trade = first.trades[0]
    (rest,) = second.trades
    # The second chronicle saw the exit alone, as if it were an entry: join the halves.
    trade.exit_lots, trade.exit_value, trade.fees = rest.entry_lots, rest.entry_value, 14
    trade.closed_ms, trade.flattened = state.clock.market_time_ms, "killed by OPERATOR"
    return first, state


def test_an_operators_reason_is_told_and_a_drill_is_named() -> None:
    for words, drill in ((("ann", "it looks wrong"), ""),
                         (("root", "drill: a kill"), "an operator's act")):  # fmt: skip
        found, state = killed(words)
        times = [row["market_time_ms"] for row in rows(at(state) + 1)]
        trip, flatten = marks_of(found, times, [])
        assert (trip["kind"], trip["text"], trip["bar"]) == ("trip", "OPERATOR", at(state))
        assert (trip["who"], trip["why"], trip["drill"]) == (*words, drill)
        assert (flatten["kind"], flatten["drill"]) == ("flatten", drill)
        acts = acts_of(found, times)
        assert [(act["act"], act["outcome"]) for act in acts] == [
            ("kill", "accepted"), ("re-arm, first step", "accepted"),
        ]  # fmt: skip
        assert all((act["who"], act["why"]) == words for act in acts)
        assert all(act["drill"] == bool(drill) for act in acts)
        (trade,) = trades_of(found, config(), rows(at(state) + 1), [])
        assert trade["exit_why"] == f"flattened by the kernel: killed by OPERATOR, {words[1]}"


def test_control_a_trip_that_no_drill_asked_for_is_no_drill() -> None:
    mark = {"market_time_ms": T0, "kind": "trip", "text": "HEARTBEAT", "who": "", "why": ""}
    found = Chronicle(marks=[mark])
    log = [{"bar": 3, "drill": "kill_alpha", "by": "runner", "seen": ["HEARTBEAT"]}]
    assert marks_of(found, [T0 * n for n in range(-2, 9)], log)[0]["drill"] == "kill alpha"
    for other in (
        [{**log[0], "bar": 4}],
        [{**log[0], "seen": ["DESYNC"]}],
        [{**log[0], "drill": "flood"}],
    ):
        assert marks_of(found, [T0 * n for n in range(-2, 9)], other)[0]["drill"] == ""


def test_a_step_belongs_to_the_bar_that_had_closed_last() -> None:
    times = [10, 20, 30]
    assert [bar_at(times, at_ms) for at_ms in (0, 10, 19, 20, 30, 99)] == [0, 0, 0, 1, 2, 2]
    assert bar_at([], 5) == 0


def test_marks_of_a_trip_need_the_event_to_be_taken() -> None:
    found, _ = told(claimed(until(Posture.APEX)), UpdateMark(1, BTC_LOT))
    assert found.marks == []
    assert found.acts == []
