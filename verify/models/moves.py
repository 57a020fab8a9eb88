"""Stimuli of the replayed graphs: events with parameters, as the models know them.

Rules of this file:

*   A ``Move`` is an event relative to the state it meets, as in docs/KERNEL.md "Scope": a clock
    event carries the difference ``dt`` (and ``ahead``), ``ConfirmFence`` the distance from the
    current epoch, ``ReconcileLedger`` which part differs. ``event_of`` makes the kernel's event,
    ``call_of`` the TLA+ call.
*   The stimuli reach every event, every cell of the table, every reason and both sides of every
    threshold; ``tests/conformance/test_edges.py`` counts them.
*   Operators and reasons are not modelled: every operator event says operator 7, reason 1.

Not here: states (``sample_states.py``), the module that TLC reads (``replay.py``).
"""

from dataclasses import dataclass

from kernel import events as ev
from kernel.constants import AGE_MS_MAX, PPM
from kernel.slots import quantities
from kernel.state import Clock, State
from verify.models.encoding import money, variables_of
from verify.models.values import tla

USDT = 1_000_000  # micro-USDT
PRICE = 100 * USDT  # per lot
OPERATOR, REASON = 7, 1
# Where the clock of a rebuilt state stands: anything that leaves room on both sides.
MARKET_TIME_MS = 1_500_000_000_000


@dataclass(frozen=True)
class Move:
    """One event with its parameters, relative to the state it meets."""

    action: str
    arguments: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"{self.action}({', '.join(map(str, self.arguments))})"


def clock_of(move: Move) -> Clock:
    """Return the clock that a rebuilt state gets so that ``ahead`` is what the move says.

    Not ahead: the bar ends exactly at process time, the latest it may.
    """
    if move.action == "CloseBar":
        dt, ahead = move.arguments
        assert isinstance(dt, int)
        process = MARKET_TIME_MS + dt - (1 if ahead else 0)
        return Clock(process_time_ms=process, market_time_ms=MARKET_TIME_MS)
    return Clock(process_time_ms=MARKET_TIME_MS, market_time_ms=MARKET_TIME_MS)


def event_of(move: Move, state: State) -> ev.Event:
    """Return the kernel's event for a move that meets ``state``."""
    name, given = move.action, move.arguments
    if name == "AdvanceTime":
        (dt,) = given
        assert isinstance(dt, int)
        return ev.AdvanceTime(process_time_ms=state.clock.process_time_ms + dt)
    if name == "CloseBar":
        dt = given[0]
        assert isinstance(dt, int)
        return ev.CloseBar(market_time_ms=state.clock.market_time_ms + dt)
    if name == "ConfirmFence":
        (distance,) = given
        assert isinstance(distance, int)
        return ev.ConfirmFence(epoch=state.gate.fence_epoch + distance)
    if name == "ReconcileLedger":
        cash_off, quantity_off = given
        assert isinstance(cash_off, int)
        assert isinstance(quantity_off, int)
        seen = list(quantities(state.gate))
        seen[1] += quantity_off
        return ev.ReconcileLedger(cash=state.ledger.cash + cash_off, quantities=tuple(seen))  # type: ignore[arg-type]  # eight of them
    if name == "TripKillSwitch":
        return ev.TripKillSwitch(cause=given[0], operator=OPERATOR, reason=REASON)  # type: ignore[arg-type]  # an int by its stimulus
    if name in ("RequestRearm", "ConfirmRearm", "RequestPeakReset", "ConfirmPeakReset"):
        return getattr(ev, name)(operator=OPERATOR, reason=REASON)  # type: ignore[no-any-return]  # one class of four
    return getattr(ev, name)(*given)  # type: ignore[no-any-return]  # fields in the class's order


def stimuli() -> tuple[Move, ...]:
    """Return the whole set of stimuli of the Kernel's replay, in the order of docs/KERNEL.md."""
    good, fair, thin = (PPM, PPM, 0, 0), (600_000, 700_000, 300, 60), (0, PPM, 60_000, 60_000)
    moves = [Move("AdvanceTime", (dt,)) for dt in (-1, 0, 5_000, 30_001, AGE_MS_MAX)]
    moves += [
        Move("CloseBar", pair)
        for pair in (
            (-1, False), (4_999, False), (5_000, False), (5_000, True), (60_000, False),
            (300_000, False), (300_001, False), (7_200_000, False),
        )
    ]  # fmt: skip
    moves += [Move("RecordHeartbeat", (partition,)) for partition in (0, 1, 2, 3, 4, -1)]
    moves += [Move("ReportGrid", (members,)) for members in (0, 1, 1_001)]
    moves += [Move("ReportForewarner", (status,)) for status in (0, 1, 2, 3)]
    moves += [Move("ReportBook", book) for book in (good, fair, thin, (PPM + 1, 0, 0, 0))]
    moves += [Move("ReportBook", (PPM, -1, 0, 0)), Move("ReportBook", (PPM, PPM, 60_001, 0))]
    moves.append(Move("ReportShock"))
    moves += [
        Move("UpdateMark", pair)
        for pair in (
            (1, PRICE), (1, PRICE - PRICE // 20), (1, PRICE + PRICE // 10), (2, PRICE),
            (3, PRICE), (1, 0), (0, PRICE),
        )
    ]  # fmt: skip
    moves += [
        Move("ClaimInstrument", pair)
        for pair in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (7, 3), (8, 1), (0, -1))
    ]

    def order(worker: int, instrument: int, side: int, reduce_only: bool, market: bool,
              quantity: int, leverage: int, price: int = PRICE) -> Move:  # fmt: skip
        limit = 0 if market else price
        return Move("RequestOrder", (worker, instrument, side, reduce_only, market, quantity,
                                     limit, leverage))  # fmt: skip

    x1, x2, x3, x7 = PPM, 2 * PPM, 2 * PPM + 1, 6 * PPM + 1
    moves += [
        order(0, 1, 1, False, True, 10, x1),
        order(0, 1, -1, False, False, 40, x2),
        order(0, 1, 1, False, False, 60, x2, PRICE + PRICE // 10),
        order(0, 1, 1, False, False, 301, x1),
        order(0, 1, 1, False, True, 10, x3),
        order(0, 1, 1, False, True, 10, x7),
        order(0, 1, 1, False, False, 10, x3),
        order(0, 1, 1, False, False, 10, x7),
        order(1, 2, 1, False, False, 20, x2),
        order(1, 2, -1, False, True, 250, x3),
        order(1, 1, 1, False, False, 20, x2),
        order(7, 3, 1, False, False, 20, x2),
        order(0, 1, -1, True, True, 10, x1),
        order(0, 1, -1, True, False, 4, x1),
        order(0, 1, 1, True, True, 10, x1),
        order(0, 1, -1, True, True, 61, x1),
        order(0, 1, 1, True, True, 61, x1),
        order(1, 2, -1, True, False, 20, x1),
        order(8, 1, 1, False, True, 10, x1),
        order(0, 1, 0, False, True, 10, x1),
        order(0, 1, 1, False, True, 0, x1),
        order(0, 1, 1, False, True, 10, 0),
        Move("RequestOrder", (0, 1, 1, False, True, 10, PRICE, x1)),
        Move("RequestOrder", (0, 1, 1, False, False, 10, 0, x1)),
    ]
    moves += [
        Move("ReportFill", fill)
        for fill in (
            (0, 4, PRICE, 0), (0, 10, PRICE + PRICE // 50, 40_000), (0, 10, PRICE - PRICE // 5, 0),
            (0, 40, PRICE, 1), (0, 61, PRICE, 0), (1, 20, PRICE, 123), (1, 1, PRICE, 0),
            (5, 1, PRICE, 0), (0, 0, PRICE, 0), (8, 1, PRICE, 0), (0, 1, PRICE, -1),
        )
    ]  # fmt: skip
    moves += [Move("CloseOrder", (worker,)) for worker in (0, 1, 5, 8)]
    moves += [Move("ConfirmFence", (distance,)) for distance in (0, -1, 1)]
    moves += [Move("ReconcileLedger", pair) for pair in ((0, 0), (1, 0), (0, 1))]
    moves += [Move("TripKillSwitch", (cause,)) for cause in (1, 2, 3, 0, 4)]
    moves += [
        Move(name)
        for name in (
            "RequestRearm", "ConfirmRearm", "RequestPeakReset", "ConfirmPeakReset",
            "FailJournal", "RestoreJournal", "RestartKernel",
        )
    ]  # fmt: skip
    return tuple(moves)


ORDER = (
    "instrument", "side", "reduce_only", "market", "quantity", "limit_price", "leverage_ppm",
)  # fmt: skip
MONEY_ARGUMENTS = {"UpdateMark": (1,), "ReportFill": (2, 3), "RequestOrder": (6,)}


def arguments_of(move: Move) -> tuple[object, ...]:
    """Return a move's arguments as the modules take them: money in limbs."""
    as_money = MONEY_ARGUMENTS.get(move.action, ())
    return tuple(
        money(value) if place in as_money and isinstance(value, int) else value
        for place, value in enumerate(move.arguments)
    )


def call_of(move: Move) -> str:
    """Return the argument list of the move's TLA+ call, in parentheses, or nothing."""
    if move.action == "ConfirmFence":
        (distance,) = move.arguments
        return f"(fence_epoch + {tla(distance)})" if distance else "(fence_epoch)"
    if move.action == "ReconcileLedger":
        cash_off, quantity_off = move.arguments
        assert isinstance(cash_off, int)
        seen = f"Add(cash, {tla(money(cash_off))})" if cash_off else "cash"
        held = f"[quantity EXCEPT ![1] = @ + {quantity_off}]" if quantity_off else "quantity"
        return f"({seen}, {held})"
    given = arguments_of(move)
    if move.action == "RequestOrder":
        order = ", ".join(
            f"{name} |-> {tla(value)}" for name, value in zip(ORDER, given[1:], strict=True)
        )
        return f"({tla(given[0])}, [{order}])"
    return "(" + ", ".join(map(tla, given)) + ")" if given else ""


__all__ = [
    "MARKET_TIME_MS",
    "Move",
    "arguments_of",
    "call_of",
    "clock_of",
    "event_of",
    "stimuli",
    "variables_of",
]  # fmt: skip
