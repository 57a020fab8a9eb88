"""Shell, guard and venue in one thread, their messages late in every way that keeps their order.

Theory. What the three promise each other does not depend on timing: whatever the interleaving, no
desync arises, no order of an older epoch fills after its fence is confirmed, no permit is left
behind, and a kill leads to flat. A seeded scheduler picks which queue moves next, while workers ask
for entries and exits, sensors scare the kernel, and operators kill.

The twin: a guard that confirms the fence at once, without waiting for the venue, breaks it. Not
here: sockets and processes (tests/dolphin/ops).

Eight rounds by default, 25 with ``--campaigns=whole`` (``make check``).
"""

import random
from collections import Counter, deque
from typing import Any

import pytest

from dolphin.guard.guard import Guard
from dolphin.link.messages import (
    Accepted,
    AskBooks,
    ConfirmFence,
    Filled,
    Flatten,
    Issued,
    PresentPermit,
    Token,
)
from dolphin.shell.roles import ROLES
from dolphin.venue.paper import PaperVenue
from tests.dolphin.said import said
from tests.dolphin.shell.conftest import BAR_MS, KEY, Rig

CASH = 25_000_000_000
BY_NAME = {role.name: role for role in ROLES}
STEPS = 1_500
ROUNDS, SAMPLE = 25, 8
ROUNDS_MAX = 100


class HastyGuard(Guard):
    """Confirms a fence before the venue has cancelled: what must not be done."""

    def _on_cancel_all(self, epoch: int) -> None:
        super()._on_cancel_all(epoch)
        self._fence = None
        self.to_kernel.append(ConfirmFence(epoch=epoch))


class World:
    """Three parts, the queues between them, and a scheduler."""

    def __init__(self, guard: Guard, rng: random.Random) -> None:
        self.rng = rng
        self.rig = Rig()
        self.shell = self.rig.shell
        self.guard = guard
        self.venue = PaperVenue(CASH, seed=rng.randrange(1000))
        self.now_ns = 10
        self.market_ms = 0
        self.price = 1_000_000
        self.tokens: deque[tuple[int, Token]] = deque()
        self.confirmed = -1
        self.late_fills = 0
        self.orders: dict[int, int] = {}
        self.shell.greet_guard()
        for worker in range(8):
            role = "alpha" if worker == 0 else "prober"
            self.say(role, "ClaimInstrument", worker=worker, instrument=worker + 1)

    # --- one move of each kind -------------------------------------------------------------------

    def kernel_to_guard(self) -> None:
        if self.shell.to_guard:
            message = self.shell.to_guard.popleft()
            tokens = message.permits if isinstance(message, Flatten) else ()
            tokens = (message.permit,) if isinstance(message, Issued) else tokens
            for token in tokens:
                self.orders[token.permit.permit_id] = token.permit.epoch
            self.guard.on_kernel(message)

    def guard_to_venue(self) -> None:
        if self.guard.to_venue:
            self.venue.on_guard(self.guard.to_venue.popleft())

    def venue_to_guard(self) -> None:
        if self.venue.tells:
            message = self.venue.tells.popleft()
            if isinstance(message, Filled) and self.orders[message.order_id] < self.confirmed:
                self.late_fills += 1
            self.guard.on_venue(message)

    def guard_to_kernel(self) -> None:
        if self.guard.to_kernel:
            event = self.guard.to_kernel.popleft()
            self.shell.take(BY_NAME["guard"], event)
            if isinstance(event, ConfirmFence):
                self.confirmed = max(self.confirmed, event.epoch)

    def worker_asks(self) -> None:
        worker = self.rng.choice([0, 2, 3])
        held = self.shell.state.gate.slots[worker].quantity
        limit = self.rng.random() < 0.5
        side = self.rng.choice([-1, 1])
        order = {
            "worker": worker,
            "instrument": worker + 1,
            "side": -1 if held > 0 else 1 if held < 0 else side,
            "reduce_only": held != 0,
            "market": not limit,
            "quantity": abs(held) or self.rng.randrange(1, 2_000),
            "limit_price": self.price + self.rng.randrange(-9_000, 9_000) if limit else 0,
            "leverage_ppm": 1_000_000,
        }
        reply = self.say("alpha" if worker == 0 else "prober", "RequestOrder", **order)
        if isinstance(reply, Accepted) and reply.permit is not None:
            self.tokens.append((worker, reply.permit))

    def worker_presents(self) -> None:
        if self.tokens:
            index = self.rng.randrange(len(self.tokens))
            worker, token = self.tokens[index]
            del self.tokens[index]
            if self.rng.random() < 0.2:
                self.tokens.append((worker, token))  # and once more, later
            self.guard.on_worker((worker,), PresentPermit(permit=token), self.now_ns)

    def time(self) -> None:
        self.now_ns += self.rng.randrange(10**8)
        self.guard.expire(self.now_ns)

    def bar(self) -> None:
        self.market_ms += BAR_MS
        self.price += self.rng.randrange(-5_000, 5_000)
        self.venue.on_bar(dict.fromkeys(range(1, 9), self.price))
        for worker in (0, 2, 3):
            self.say("driver", "UpdateMark", instrument=worker + 1, price=self.price)
        self.say("sensors", "ReportForewarner", status=0)
        poor = 500_000 if self.rng.random() < 0.02 else 1_000_000
        book = {"depth_quality_ppm": poor, "fill_probability_ppm": poor}
        self.say("sensors", "ReportBook", **book, latency_ms=0, jitter_ms=0)
        self.say("driver", "CloseBar", market_time_ms=self.market_ms)

    def books(self) -> None:
        self.guard.to_venue.append(AskBooks())

    def kill(self) -> None:
        self.say("operator", "TripKillSwitch", cause=3)

    def rearm(self) -> None:
        clock = self.shell.state.clock.process_time_ms
        self.say("operator", "RequestRearm")
        for late in range(0, 200, 100):
            self.rig.beat()
            self.shell.tick(clock + late + 100)
        self.say("operator", "ConfirmRearm")

    def say(self, role: str, message: str, **fields: Any) -> Any:
        return self.shell.take(BY_NAME[role], said(message, **fields))

    # --- the run ---------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let every queue run dry, in any order."""
        moves = (
            self.kernel_to_guard,
            self.guard_to_venue,
            self.venue_to_guard,
            self.guard_to_kernel,
        )
        for _ in range(20_000):
            waiting = self.shell.to_guard or self.guard.to_venue or self.venue.tells
            if not waiting and not self.guard.to_kernel:
                return
            self.rng.choice(moves)()
        raise AssertionError("the queues never run dry")

    def play(self) -> None:
        moves = [
            (self.kernel_to_guard, 20), (self.guard_to_venue, 20), (self.venue_to_guard, 20),
            (self.guard_to_kernel, 20), (self.worker_asks, 12), (self.worker_presents, 12),
            (self.time, 2), (self.bar, 12), (self.books, 1), (self.kill, 0.12), (self.rearm, 0.5),
        ]  # fmt: skip
        actions, weights = zip(*moves, strict=True)
        for _ in range(STEPS):
            self.rng.choices(actions, weights)[0]()


def problems(world: World) -> list[str]:
    """Play a world to its end; return what went against the promises."""
    found = []
    world.play()
    if world.shell.state.killswitch.latched_desync:
        found.append("a desync")
    if world.late_fills:
        found.append(f"{world.late_fills} fills of an older epoch behind its fence")
    world.kill()
    for _ in range(12):
        world.settle()
        world.bar()
    world.settle()
    state = world.shell.state
    if any(slot.quantity or slot.permit_quantity for slot in state.gate.slots):
        found.append("not flat after a kill")
    world.books()
    world.settle()
    if world.shell.state.killswitch.latched_desync and not found:
        found.append("the books differ at the end")
    return found


def seen_in(world: World) -> dict[str, int]:
    """Return how often what must happen for a round to be worth something has happened."""
    history = world.shell.history
    return {
        "fills": history.counts["ReportFill"],
        "closed orders": history.counts["CloseOrder"],
        "flattens": history.counts["flattens"],
        "fences": history.counts["ConfirmFence"],
        "stale orders": world.guard.refusals["STALE_EPOCH"],
        "used twice": world.guard.refusals["USED"],
        "kills": history.counts["trips"],
    }


@pytest.mark.campaign
@pytest.mark.req("GRD-023")
def test_the_three_keep_their_promises_in_any_order(rng: random.Random, whole: bool) -> None:
    """As many rounds as it takes until each thing that is worth something was seen."""
    seen: Counter[str] = Counter()
    rounds = 0
    while rounds < (ROUNDS if whole else SAMPLE) or len(+seen) < len(seen):
        assert rounds < ROUNDS_MAX, f"never happened: {seen}"
        world = World(Guard(KEY), rng)
        assert problems(world) == [], f"in round {rounds}"
        seen.update(seen_in(world))
        rounds += 1


@pytest.mark.req("GRD-023")
def test_a_guard_that_confirms_too_soon_is_found(rng: random.Random) -> None:
    assert any(problems(World(HastyGuard(KEY), rng)) for _ in range(ROUNDS_MAX))
