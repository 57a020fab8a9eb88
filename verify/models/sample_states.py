"""Sample states from which graphs are replayed: reached by the kernel itself, one of each kind.

Rules of this file:

*   A seed is a history, not a guess: the list of events that leads to it from ``initial_state``, so
    it is reachable, and an exported test can start there.
*   Histories are random but guided (a calm market, a worker that trades, then something happens);
    the generator has a fixed seed, so the same seeds come out on every machine.
*   From four times as many states, the seeds are chosen turn by turn from every situation
    (``abstraction.py``), so that rare ones are not crowded out.
*   A state is kept when its ``kind`` was not seen yet: posture, causes, fence, counters, what each
    slot holds, pending request, journal, band of R. That is coverage by construction of what the
    guards read.

Not here: what is asked in a seed (``moves.py``), whether TLC agrees (``edges.py``).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from kernel import events as ev
from kernel.constants import PPM, Permit, Posture, Profile
from kernel.outcome import Accepted
from kernel.posture import called
from kernel.state import Limits, State, initial_state, opening_ledger
from kernel.step import step_bare
from traces.audit.coverage import Edge
from verify.models.abstraction import abstract_edge
from verify.models.moves import MARKET_TIME_MS, PRICE, USDT, Move, event_of

OPENING_CASH = 25_000 * USDT
PROCESS_AHEAD_MS = 1_000_000_000  # room for bars without a heartbeat growing old


@dataclass(frozen=True)
class Seed:
    """A reachable state and the events that lead to it."""

    state: State
    history: tuple[ev.Event, ...]


def replay_limits(profile: Profile) -> Limits:
    """Return the limits of the replayed graphs: live, a grid in use, a limit of its own each."""
    return Limits(
        profile=profile,
        live=True,
        grid_in_use=True,
        heartbeat_limit_ms=(30_000, 20_000, 10_000, 5_000),
        cooling_ms=5_000,
        confirm_window_ms=60_000,
        bar_ms_min=5_000,
        book_stale_ms=300_000,
    )


def opening_state(limits: Limits, cash: int = OPENING_CASH) -> State:
    """Return the state that every history begins in."""
    return initial_state(
        limits, opening_ledger(cash), MARKET_TIME_MS + PROCESS_AHEAD_MS, MARKET_TIME_MS
    )


def kind_of(state: State) -> tuple[object, ...]:
    """Return what of a state the guards read, coarsely: two states of one kind are judged alike."""
    switch, machine, gate = state.killswitch, state.machine, state.gate
    slots = tuple(
        (int(slot.permit_kind), (slot.quantity > 0) - (slot.quantity < 0), slot.instrument > 0)
        for slot in gate.slots[:2]
    )
    call = called(machine.posture, state.survival.multiplier_ppm, state.limits.profile)
    return (
        int(machine.posture), int(call), switch.killed, gate.fence_confirmed, slots,
        machine.bars_below > 0, machine.bars_above > 0, int(switch.operator_request),
        switch.journal_writable, switch.latched_checksum or switch.latched_desync,
        state.ledger.drawdown_ppm > 0, sum(slot.quantity != 0 for slot in gate.slots[2:]) > 4,
        any(slot.instrument > 0 and slot.mark == 0 for slot in gate.slots),
    )  # fmt: skip


class _Walk:
    """A kernel, the events it was told so far, and what it may be told next."""

    def __init__(self, profile: Profile, chance: random.Random) -> None:
        self.state = opening_state(replay_limits(profile))
        self.history: list[ev.Event] = []
        self.chance = chance

    def tell(self, event: ev.Event) -> bool:
        """Tell the kernel one event; refused ones leave no trace in the history."""
        outcome = step_bare(self.state, event)
        if not isinstance(outcome, Accepted):
            return False
        self.state = outcome.state
        self.history.append(event)
        return True

    def move(self, action: str, *arguments: object) -> bool:
        return self.tell(event_of(Move(action, arguments), self.state))

    def bar(self, dt: int = 300_000) -> None:
        """Let a bar close; process time is far ahead, so no heartbeat grows old on the way."""
        self.move("CloseBar", dt, False)

    def health(self) -> None:
        self.move("ReportGrid", 3)
        self.move("ReportForewarner", 0)
        self.move("ReportBook", PPM, PPM, 0, 0)


def _calm(walk: _Walk, wanted: Posture) -> Iterator[State]:
    """Climb in health until ``wanted``; yields every state on the way."""
    dt = 300_000 if walk.state.limits.profile == Profile.BIBLE else 60_000
    for _ in range(300):
        if walk.state.machine.posture >= wanted:
            return
        walk.health()
        walk.move("ConfirmFence", 0)
        walk.bar(dt)
        yield walk.state


def _crowd(walk: _Walk) -> Iterator[State]:
    """Let six workers fill the whole ceiling, so that a seventh's entry is one too many."""
    walk.move("ClaimInstrument", 0, 1)
    yield walk.state  # claimed and not marked
    walk.move("UpdateMark", 1, PRICE)
    lots = 99 if walk.state.machine.posture == Posture.STALKER else 299
    for worker in range(2, 7):
        walk.move("ClaimInstrument", worker, worker + 1)
        walk.move("UpdateMark", worker + 1, PRICE)
        walk.move("RequestOrder", worker, worker + 1, 1, False, False, lots, PRICE, PPM)
        walk.move("ReportFill", worker, lots, PRICE, 0)
        yield walk.state
    walk.move("UpdateMark", 7, PRICE - PRICE // 50)
    yield walk.state


def _disturb(walk: _Walk) -> None:
    """Tell the kernel one random thing of the kind that a session tells it."""
    chance = walk.chance
    pick = chance.randrange(25)
    if pick < 2:
        walk.move("UpdateMark", 1, PRICE + chance.choice((-6, -3, 0, 2, 5)) * PRICE // 100)
    elif pick < 4:
        walk.move("UpdateMark", 2, PRICE + chance.choice((-5, 0, 4)) * PRICE // 100)
    elif pick < 7:
        worker = chance.choice((0, 1))
        slot = walk.state.gate.slots[worker]
        reduce_only = slot.quantity != 0
        side = chance.choice((1, -1)) if not reduce_only else (-1 if slot.quantity > 0 else 1)
        most = abs(slot.quantity) if reduce_only else chance.choice((10, 40, 60, 20))
        market = chance.random() < 0.4
        walk.move(
            "RequestOrder", worker, worker + 1, side, reduce_only, market,
            chance.choice((most, max(1, most // 2))), 0 if market else PRICE, PPM,
        )  # fmt: skip
    elif pick < 11:
        worker = chance.choice((0, 1))
        most = abs(walk.state.gate.slots[worker].permit_quantity)
        if most:
            price = PRICE + chance.choice((-8, -1, 0, 1, 8)) * PRICE // 100
            walk.move("ReportFill", worker, chance.choice((most, max(1, most // 2))), price,
                      chance.choice((0, 50_000)))  # fmt: skip
    elif pick < 12:
        walk.move("CloseOrder", chance.choice((0, 1)))
    elif pick < 14:
        walk.bar(chance.choice((5_000, 300_000)))
    elif pick < 15:
        walk.move("ReportForewarner", chance.choice((0, 1, 2)))
    elif pick < 16:
        walk.move("ReportBook", *chance.choice(((PPM, PPM, 0, 0), (700_000, PPM, 250, 55),
                                               (0, PPM, 9_000, 900))))  # fmt: skip
    elif pick < 17:
        walk.move("ReportShock")
    elif pick < 19:
        walk.move("ConfirmFence", 0)
    elif pick == 19:
        walk.move(*chance.choice((("TripKillSwitch", 1), ("TripKillSwitch", 2),
                                  ("TripKillSwitch", 3), ("ReportGrid", 0), ("FailJournal",),
                                  ("AdvanceTime", 30_001), ("ReportFill", 5, 1, PRICE, 0),
                                  ("RestartKernel",))))  # fmt: skip
    elif pick == 20:
        walk.move("RequestRearm")
        walk.move("AdvanceTime", chance.choice((0, 5_000, 60_001)))
    elif pick == 21:
        walk.move("RestoreJournal")
        walk.move("ConfirmRearm")
        walk.move("ReportGrid", 2)
        for partition in range(4):
            walk.move("RecordHeartbeat", partition)
    elif pick == 22:
        walk.move("RequestPeakReset")
        walk.move("AdvanceTime", chance.choice((0, 5_000)))
    elif pick == 23:
        walk.move("ClaimInstrument", *chance.choice(((0, 0), (0, 1), (1, 2), (1, 0))))
    else:
        walk.move("ConfirmPeakReset")


def situation_of(state: State) -> Edge:
    """Return the situation of a state, as abstract edges have it."""
    slots = state.gate.slots
    return abstract_edge(
        state.machine.posture, state.killswitch.killed, state.gate.fence_confirmed,
        [slot.quantity for slot in slots], [slot.permit_kind for slot in slots], "", "",
    )  # fmt: skip


@lru_cache(maxsize=16)
def harvest(profile: Profile, most: int, seed: int = 20260601) -> tuple[Seed, ...]:
    """Return ``most`` seeds of distinct kinds, every situation in its turn."""
    waiting: dict[Edge, list[Seed]] = {}
    for one in reversed(wander(profile, 4 * most, seed)):
        waiting.setdefault(situation_of(one.state), []).append(one)
    chosen: list[Seed] = []
    while len(chosen) < most and any(waiting.values()):
        for name in sorted(waiting):
            if waiting[name] and len(chosen) < most:
                chosen.append(waiting[name].pop())
    return tuple(chosen)


def wander(profile: Profile, most: int, seed: int) -> list[Seed]:
    """Return up to ``most`` states of distinct kinds, in the order in which they were found."""
    chance = random.Random(f"{seed}/{int(profile)}")
    kinds: set[tuple[object, ...]] = set()
    found: list[Seed] = []

    def look(walk: _Walk) -> None:
        kind = kind_of(walk.state)
        if kind not in kinds and len(found) < most:
            kinds.add(kind)
            found.append(Seed(walk.state, tuple(walk.history)))

    first = _Walk(profile, chance)
    look(first)
    climbs: dict[Posture, tuple[State, tuple[ev.Event, ...]]] = {}
    first.health()
    for wanted in (Posture.TURTLE, Posture.STALKER, Posture.APEX):
        for _ in _calm(first, wanted):
            look(first)
        climbs[wanted] = (first.state, tuple(first.history))
    starts = tuple(climbs.values())
    for wanted in (Posture.STALKER, Posture.APEX):
        walk = _Walk(profile, chance)
        walk.state, walk.history = climbs[wanted][0], list(climbs[wanted][1])
        for _ in _crowd(walk):
            look(walk)
    for _ in range(40 * most):
        if len(found) >= most:
            break
        walk = _Walk(profile, chance)
        state, history = chance.choice(starts)
        walk.state, walk.history = state, list(history)
        for worker in (0, 1):
            walk.move("ClaimInstrument", worker, worker + 1)
            walk.move("UpdateMark", worker + 1, PRICE)
        for _ in range(chance.randrange(4, 40)):
            _disturb(walk)
            look(walk)
    return found


def holds(state: State) -> bool:
    """Return whether any slot has a position or a permit."""
    return any(slot.quantity or slot.permit_kind != Permit.NONE for slot in state.gate.slots)
