"""The prober's process: ``python -m dolphin.drills RUN_FOLDER``.

Rules of this file:

*   It is a client like any other, of the lowest level, with workers 2 to 7 and no heartbeat. What
    it tries is a drill's name, sent by the driver; what it saw goes back.
*   It leaves nothing behind: positions are closed, claims released, permits let expire.
*   Orders are as small as they can be, except where the bound is what is asked for.

Not here: when which drill is due (``dolphin/drills/plan.py``). Worker 2 trades instrument 2, and so
on.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from dolphin.drills.messages import TO_PROBER, DrillDone
from dolphin.link.client import Client
from dolphin.link.codec import Message, plain
from dolphin.link.config import Config, configured
from dolphin.link.loop import Loop
from dolphin.link.messages import (
    FROM_GUARD,
    KERNEL_ANSWERS,
    TEXT_MAX,
    Accepted,
    Answer,
    AskStatus,
    ClaimInstrument,
    CloseBar,
    Order,
    Passed,
    PresentPermit,
    Refused,
    ReportFill,
    RequestOrder,
    Slot,
    Status,
    StatusShown,
    Token,
    ToKernel,
)
from dolphin.link.process import die_with_parent
from kernel.constants import PPM, QUANTITY_MAX, Permit, Posture

WORKERS = (2, 3, 4, 5, 6, 7)
FIRST = 2
ANSWER_S = 1.0
CONNECT_S = 60.0
FRACTION_DIVISOR = 5
FLOOD = 400

Seen = set[str]


class Obey(Message):
    """Nothing that the kernel knows."""


class Prober:
    """Connections, and one method per drill."""

    def __init__(self, config: Config) -> None:
        """Connect to kernel, guard and driver."""
        self.config = config
        loop = Loop()
        self.kernel = Client(loop, config.socket("kernel.prober"), KERNEL_ANSWERS, CONNECT_S)
        self.guard = Client(loop, config.socket("guard.prober"), FROM_GUARD, CONNECT_S)
        self.driver = Client(loop, config.socket("driver.prober"), TO_PROBER, CONNECT_S)
        self.seen: Seen = set()
        self._held: Token | None = None
        self._claimed: set[int] = set()
        self._lost = False

    # --- asking ----------------------------------------------------------------------------------

    def say(self, message: ToKernel) -> Answer | None:
        """Say something to the kernel; keep the reason where it refused."""
        answer = self.kernel.ask(message, ANSWER_S)
        self._keep(answer)
        return answer

    def _keep(self, answer: Message | None) -> None:
        if answer is None:
            self.seen.add("NO_ANSWER")
        elif isinstance(answer, Refused):
            self.seen.add(answer.reason)

    def status(self) -> Status:
        """Return the kernel's status; raises ``TimeoutError``."""
        answer = self.kernel.ask(AskStatus(), ANSWER_S)
        if not isinstance(answer, StatusShown):
            raise TimeoutError("the kernel does not answer")
        return answer.status

    def slot(self, worker: int) -> Slot:
        """Return a worker's slot; raises ``TimeoutError``."""
        return self.status().slots[worker]

    def claim(self, worker: int, instrument: int) -> bool:
        """Claim an instrument (0 releases it)."""
        answer = self.say(ClaimInstrument(worker=worker, instrument=instrument))
        held = isinstance(answer, Accepted)
        if held and instrument:
            self._claimed.add(instrument)
        elif held:
            self._claimed.discard(worker)
        return held

    def order(self, worker: int = FIRST, **changes: Any) -> Token | None:
        """Ask for a permit: buy one lot at the market, unless told otherwise."""
        facts: dict[str, Any] = {
            "worker": worker,
            "instrument": worker,
            "side": 1,
            "reduce_only": False,
            "market": True,
            "quantity": 1,
            "limit_price": 0,
            "leverage_ppm": PPM,
        }
        answer = self.say(RequestOrder(order=Order(**(facts | changes))))
        return answer.permit if isinstance(answer, Accepted) else None

    def entry(self, status: Status, worker: int, quantity: int) -> Token | None:
        """Ask for an entry in the form that the profile takes now."""
        return self.order(worker, quantity=quantity, **self._form(status, worker))

    def _form(self, status: Status, worker: int) -> dict[str, Any]:
        if self.config.profile == "specification" and status.effective == Posture.STALKER:
            return {"market": False, "limit_price": status.slots[worker].mark}
        return {}

    def present(self, token: Token) -> bool:
        """Take a permit to the guard; keep the reason where it refused."""
        answer = self.guard.ask(PresentPermit(permit=token), ANSWER_S)
        self._keep(answer)
        return isinstance(answer, Passed)

    def until(self, holds: Callable[[Status], bool], seconds: float) -> bool:
        """Return whether ``holds`` came true of the kernel's status within ``seconds``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds(self.status()):
                return True
            time.sleep(0.02)
        return False

    # --- drills ----------------------------------------------------------------------------------

    def early(self) -> None:
        """In HIBERNATE nothing passes; and what is no right of ours is none at any time."""
        self.claim(FIRST, FIRST)
        self.order()
        self.order(quantity=0)
        self.order(side=3)
        self.claim(FIRST, 1)
        self.say(CloseBar(market_time_ms=1))
        self.say(ReportFill(worker=2, quantity=1, price=1, fee=0))
        self.order(0, instrument=1)
        self._keep(self.kernel.ask(Obey(), ANSWER_S))
        self.claim(FIRST, 0)

    def late(self) -> None:
        """The same of a kernel that has come up again."""
        self.early()

    def turtle_claim(self) -> None:
        """Ask for what is not claimed, then for what has no mark yet."""
        if self.slot(FIRST).instrument:
            self.claim(FIRST, 0)
        self.order()
        self.claim(FIRST, FIRST)
        self.order()

    def turtle_ask(self) -> None:
        """In TURTLE only exits pass, and there is nothing to exit from."""
        self.order()
        self.order(reduce_only=True)

    def limit_only(self) -> None:
        """A market entry where only limits pass."""
        self.order()

    def bounds_claim(self) -> None:
        """Claim an instrument for each worker; the next bar marks them."""
        for worker in WORKERS:
            self.claim(worker, worker)

    def bounds(self) -> None:
        """Ask beyond each of the three bounds; five permits at the second reach the third."""
        status = self.status()
        if any(status.slots[worker].mark == 0 for worker in WORKERS):
            return
        bound = status.capital * status.ceiling // FRACTION_DIVISOR
        self.order(leverage_ppm=status.ceiling * PPM + 1, **self._form(status, FIRST))
        mark = status.slots[FIRST].mark
        self.order(quantity=min(QUANTITY_MAX, bound // mark + 1), **self._form(status, FIRST))
        last: Token | None = None
        for worker in WORKERS:
            lots = min(QUANTITY_MAX, bound // status.slots[worker].mark)
            last = self.entry(status, worker, lots) or last
        # None is presented: the guard lets them expire and the kernel frees them.
        seconds = self.config.permit_ms / 1000 + 5.0
        self.until(lambda now: now.reserved_notional == 0, seconds)
        if last is not None:
            self.present(last)

    def position(self) -> None:
        """Open one small position, try all that must not be done with it, and close it."""
        status = self.status()
        if status.slots[FIRST].mark == 0:
            self.claim(FIRST, FIRST)
            return
        token = self.entry(status, FIRST, 4)
        if token is None:
            return
        permit = token.permit
        more = replace(permit.order, quantity=permit.order.quantity + 1)
        self.present(replace(token, permit=replace(permit, order=more)))
        self.claim(FIRST, 3)
        self.order()
        if not self.present(token):
            return
        self.present(token)
        self.until(lambda now: now.slots[FIRST].permit_kind == Permit.NONE, 3.0)
        if self.slot(FIRST).quantity == 0:
            return
        self.order()
        self.claim(FIRST, 3)
        self.order(reduce_only=True, side=1)
        self.order(reduce_only=True, side=-1, quantity=QUANTITY_MAX)
        self.leave(FIRST)

    def leave(self, worker: int) -> None:
        """Close what a worker holds, in as many orders as it takes."""
        for _ in range(6):
            held = self.slot(worker).quantity
            if held == 0:
                return
            side = -1 if held > 0 else 1
            token = self.order(worker, reduce_only=True, side=side, quantity=abs(held))
            if token is not None and self.present(token):
                self.until(lambda now: now.slots[worker].permit_kind == Permit.NONE, 3.0)

    def rest(self) -> None:
        """Leave a limit order at the venue, far from the market, for the fence to cancel."""
        mark = self.slot(FIRST + 1).mark
        if mark > 1:
            token = self.order(FIRST + 1, market=False, limit_price=mark // 2)
            if token is not None:
                self.present(token)

    def hold(self) -> None:
        """Get a permit and keep it, unused, for after a kill."""
        self._held = self.entry(self.status(), FIRST, 1)

    def present_held(self) -> None:
        """Come late with a permit of an older epoch."""
        if self._held is not None:
            self.present(self._held)
        self._held = None

    def lose_claim(self) -> None:
        """Claim what is to be lost with."""
        self.claim(FIRST, FIRST)

    def lose(self) -> None:
        """Sell short half of what the fraction allows, once."""
        status = self.status()
        slot = status.slots[FIRST]
        if self._lost or slot.mark == 0 or slot.quantity != 0:
            return
        bound = status.capital * status.ceiling // FRACTION_DIVISOR
        quantity = min(QUANTITY_MAX, bound // 2 // slot.mark)
        token = self.order(FIRST, side=-1, quantity=quantity, **self._form(status, FIRST))
        if token is not None:
            self._lost = self.present(token)

    def lose_low(self) -> None:
        """The same, where APEX was not to be had."""
        self.lose()

    def lose_leave(self) -> None:
        """Close it: the capital has spoken. In HIBERNATE the kernel's own flatten does."""
        self.leave(FIRST)
        self.claim(FIRST, 0)

    def lose_low_leave(self) -> None:
        """The same, below STALKER."""
        self.lose_leave()

    def fence_ask(self) -> None:
        """Ask while the fence is not confirmed."""
        self.order()

    def release(self) -> None:
        """Give every claim back."""
        for worker in WORKERS:
            self.claim(worker, 0)
        self._claimed.clear()

    def flood(self) -> None:
        """Say a few hundred things at once and wait for no answer; then be heard again."""
        for _ in range(FLOOD):
            self.kernel.tell(ClaimInstrument(worker=7, instrument=1))
        end = time.monotonic() + 5.0
        while self.kernel.ask(AskStatus(), ANSWER_S) is None and time.monotonic() < end:
            time.sleep(0.05)  # our own socket is full of what we said

    # --- the loop --------------------------------------------------------------------------------

    def run(self) -> None:
        """Do the drills that the driver names, one after the other."""
        while True:
            message = self.driver.wait(0.5)
            if message is None:
                if not self.driver.connected:
                    time.sleep(0.2)
                continue
            name = message.name
            self.seen = set()
            detail = ""
            try:
                if name in KNOWN:
                    getattr(self, name)()
            except TimeoutError as error:
                detail = str(error)
            self.driver.tell(
                DrillDone(
                    name=name,
                    seen=tuple(sorted(self.seen)),
                    watch=tuple(sorted(self._claimed)),
                    detail=plain(detail, TEXT_MAX),
                )
            )


KNOWN = frozenset(
    {
        "early", "late", "turtle_claim", "turtle_ask", "limit_only", "bounds_claim", "bounds",
        "position",        "rest", "hold", "present_held", "fence_ask", "release", "flood",
        "lose_claim", "lose", "lose_low", "lose_leave", "lose_low_leave",
    }
)  # fmt: skip


def main() -> None:
    """Probe the session in the folder named on the command line."""
    die_with_parent()
    Prober(configured("prober", sys.argv)).run()


if __name__ == "__main__":
    main()
