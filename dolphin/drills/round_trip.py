"""How fast an order goes round: asked for, permitted, presented, passed, closed, without a socket.

Rules of this file:

*   The parts are the real ones, a shell on an opened kernel and a guard, in one thread. Every word
    between them is encoded once and decoded once, as on its channel. The journal is left out: what
    it costs is a figure of its own (``verify/bench.py``).
*   Time is the process's own, and the best of a few rounds, since the machine is shared. A figure,
    not a gate.

Not here: latency between processes (the session's own report).
"""

import time

from dolphin.guard.guard import Guard
from dolphin.link.codec import Message, Unreadable, encode
from dolphin.link.messages import (
    FROM_GUARD,
    FROM_WORKERS_TO_GUARD,
    KERNEL_ANSWERS,
    TO_GUARD,
    TO_KERNEL,
    Accepted,
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ConfirmFence,
    Order,
    Passed,
    PresentPermit,
    RecordHeartbeat,
    ReportBook,
    ReportForewarner,
    RequestOrder,
    UpdateMark,
)
from dolphin.shell.core import Shell
from dolphin.shell.roles import ROLES
from kernel.constants import PPM, Posture, Profile
from kernel.events import Event
from kernel.outcome import Outcome
from kernel.state import Ledger, Limits, State, initial_state, opening_ledger

ROUNDS = 5
TRIPS = 400
KEY = bytes(32)
BAR_MS = 300_000
LIMITS = Limits(
    profile=Profile.BIBLE,
    live=False,
    grid_in_use=False,
    heartbeat_limit_ms=(30_000, 30_000, 30_000, 30_000),
    cooling_ms=100,
    confirm_window_ms=1_000,
    bar_ms_min=1_000,
    book_stale_ms=600_000,
)
ORDER = Order(
    worker=0, instrument=1, side=1, reduce_only=False, market=True, quantity=100, limit_price=0,
    leverage_ppm=PPM,
)  # fmt: skip


class Unrecorded:
    """A journal that keeps nothing."""

    def record(
        self, before: State, event: Event, outcome: Outcome, words: tuple[str, str] | None
    ) -> None:
        """Take one step."""

    def commit(self) -> None:
        """Keep nothing."""

    def post(self, ledger: Ledger, time_ms: int) -> None:
        """Keep nothing."""


class World:
    """A shell in APEX, a guard that it has greeted, and a worker."""

    def __init__(self) -> None:
        """Earn trust until APEX."""
        opening = initial_state(LIMITS, opening_ledger(25_000 * PPM), 0, 0)
        self.shell = Shell(opening, Unrecorded(), KEY, 10**12, 1, lambda: 5)
        self.guard = Guard(KEY)
        self.roles = {role.name: role for role in ROLES}
        self.shell.greet_guard()
        self.say("guard", ConfirmFence(epoch=0))
        self.say("alpha", ClaimInstrument(worker=0, instrument=1))
        self.say("driver", UpdateMark(instrument=1, price=PPM))
        bars = 0
        while self.shell.state.machine.posture < Posture.APEX:
            bars += 1
            for name, partition in (("alpha", 0), ("guard", 1), ("driver", 2), ("sensors", 3)):
                self.say(name, RecordHeartbeat(partition=partition))
            self.say("sensors", ReportForewarner(status=0))
            good = {"depth_quality_ppm": PPM, "fill_probability_ppm": PPM}
            self.say("sensors", ReportBook(**good, latency_ms=0, jitter_ms=0))
            self.say("driver", CloseBar(market_time_ms=bars * BAR_MS))

    def say(self, role: str, message: Message) -> object:
        """Say something to the kernel over the wire, and hear its answer."""
        answer = self.shell.take(self.roles[role], TO_KERNEL.decode(encode(message)))
        return KERNEL_ANSWERS.decode(encode(answer))

    def trip(self) -> bool:
        """Send one order round; return whether it passed."""
        answer = self.say("alpha", RequestOrder(order=ORDER))
        while self.shell.to_guard:
            heard = TO_GUARD.decode(encode(self.shell.to_guard.popleft()))
            if not isinstance(heard, Unreadable):
                self.guard.on_kernel(heard)
        if not isinstance(answer, Accepted) or answer.permit is None:
            return False
        word = FROM_WORKERS_TO_GUARD.decode(encode(PresentPermit(permit=answer.permit)))
        passed = FROM_GUARD.decode(encode(self.guard.on_worker((0,), word, 10)))
        self.guard.to_venue.clear()
        self.say("guard", CloseOrder(worker=0))
        return isinstance(passed, Passed)


def round_trips_per_s() -> float:
    """Return how many orders go round in a second of this process's time, at best."""
    world, best = World(), 0.0
    for _ in range(ROUNDS):
        begun = time.process_time()
        passed = sum(world.trip() for _ in range(TRIPS))
        best = max(best, passed / (time.process_time() - begun))
    return best
