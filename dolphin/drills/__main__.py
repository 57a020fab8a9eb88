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

from dolphin.link.client import Client
from dolphin.link.config import Config, load
from dolphin.link.process import die_with_parent
from kernel.constants import PPM, QUANTITY_MAX, Permit, Posture

WORKERS = (2, 3, 4, 5, 6, 7)
FIRST = 2
ANSWER_S = 1.0
CONNECT_S = 60.0
FRACTION_DIVISOR = 5
FLOOD = 400

Seen = set[str]


class Prober:
    """Connections, and one method per drill."""

    def __init__(self, config: Config) -> None:
        """Connect to kernel, guard and driver."""
        die_with_parent()
        self.config = config
        self.kernel = Client(config.socket("kernel.prober"), CONNECT_S)
        self.guard = Client(config.socket("guard.prober"), CONNECT_S)
        self.driver = Client(config.socket("driver.prober"), CONNECT_S)
        self.seen: Seen = set()
        self._held: dict[str, Any] | None = None
        self._claimed: set[int] = set()
        self._lost = False

    # --- asking ----------------------------------------------------------------------------------

    def say(self, message: dict[str, Any]) -> dict[str, Any]:
        """Say something to the kernel; keep the reason where it refused."""
        answer = self.kernel.ask(message, ANSWER_S) or {"ok": False, "reason": "NO_ANSWER"}
        if answer.get("ok") is False:
            self.seen.add(str(answer.get("reason")))
        return answer

    def status(self) -> dict[str, Any]:
        """Return the kernel's status; raises ``TimeoutError``."""
        answer = self.kernel.ask({"ask": "status"}, ANSWER_S)
        if answer is None:
            raise TimeoutError("the kernel does not answer")
        status: dict[str, Any] = answer["status"]
        return status

    def claim(self, worker: int, instrument: int) -> bool:
        """Claim an instrument (0 releases it)."""
        event = {"event": "ClaimInstrument", "worker": worker, "instrument": instrument}
        held = self.say(event).get("ok") is True
        if held and instrument:
            self._claimed.add(instrument)
        elif held:
            self._claimed.discard(worker)
        return held

    def order(self, worker: int = FIRST, **changes: Any) -> dict[str, Any]:
        """Ask for a permit: buy one lot at the market, unless told otherwise."""
        event = {
            "event": "RequestOrder",
            "worker": worker,
            "instrument": worker,
            "side": 1,
            "reduce_only": False,
            "market": True,
            "quantity": 1,
            "limit_price": 0,
            "leverage_ppm": PPM,
        }
        return self.say(event | changes)

    def entry(self, status: dict[str, Any], worker: int, quantity: int) -> dict[str, Any]:
        """Ask for an entry in the form that the profile takes now."""
        mark = status["slots"][worker][1]
        limit = self.config.profile == "specification" and status["effective"] == Posture.STALKER
        if limit:
            return self.order(worker, quantity=quantity, market=False, limit_price=mark)
        return self.order(worker, quantity=quantity)

    def present(self, permit: dict[str, Any]) -> dict[str, Any]:
        """Take a permit to the guard; keep the reason where it refused."""
        answer = self.guard.ask({"permit": permit}, ANSWER_S) or {"ok": False, "reason": "?"}
        if answer.get("ok") is False:
            self.seen.add(str(answer.get("reason")))
        return answer

    def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float) -> bool:
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
        self.say({"event": "CloseBar", "market_time_ms": 1})
        self.say({"event": "ReportFill", "worker": 2, "quantity": 1, "price": 1, "fee": 0})
        self.order(0, instrument=1)
        self.say({"event": "RequestOrder", "worker": "two"})
        self.say({"event": "Obey"})
        self.claim(FIRST, 0)

    def late(self) -> None:
        """The same of a kernel that has come up again."""
        self.early()

    def turtle_claim(self) -> None:
        """Ask for what is not claimed, then for what has no mark yet."""
        if self.status()["slots"][FIRST][0]:
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
        if any(status["slots"][worker][1] == 0 for worker in WORKERS):
            return
        ceiling = status["ceiling"]
        bound = status["capital"] * ceiling // FRACTION_DIVISOR
        self.order(leverage_ppm=ceiling * PPM + 1, **self._form(status, FIRST))
        mark = status["slots"][FIRST][1]
        self.order(quantity=min(QUANTITY_MAX, bound // mark + 1), **self._form(status, FIRST))
        last: dict[str, Any] | None = None
        for worker in WORKERS:
            mark = status["slots"][worker][1]
            answer = self.entry(status, worker, min(QUANTITY_MAX, bound // mark))
            last = answer.get("permit", last)
        # None is presented: the guard lets them expire and the kernel frees them.
        seconds = self.config.permit_ms / 1000 + 5.0
        self.until(lambda now: now["reserved_notional"] == 0, seconds)
        if last is not None:
            self.present(last)

    def _form(self, status: dict[str, Any], worker: int) -> dict[str, Any]:
        if self.config.profile == "specification" and status["effective"] == Posture.STALKER:
            return {"market": False, "limit_price": status["slots"][worker][1]}
        return {}

    def position(self) -> None:
        """Open one small position, try all that must not be done with it, and close it."""
        status = self.status()
        if status["slots"][FIRST][1] == 0:
            self.claim(FIRST, FIRST)
            return
        permit = self.entry(status, FIRST, 4).get("permit")
        if permit is None:
            return
        self.present(permit | {"quantity": permit["quantity"] + 1})
        self.claim(FIRST, 3)
        self.order()
        if self.present(permit).get("ok") is not True:
            return
        self.present(permit)
        self.until(lambda now: now["slots"][FIRST][4] == Permit.NONE, 3.0)
        if self.status()["slots"][FIRST][2] == 0:
            return
        self.order()
        self.claim(FIRST, 3)
        self.order(reduce_only=True, side=1)
        self.order(reduce_only=True, side=-1, quantity=QUANTITY_MAX)
        self.leave(FIRST)

    def leave(self, worker: int) -> None:
        """Close what a worker holds, in as many orders as it takes."""
        for _ in range(6):
            held = self.status()["slots"][worker][2]
            if held == 0:
                return
            side = -1 if held > 0 else 1
            permit = self.order(worker, reduce_only=True, side=side, quantity=abs(held)).get(
                "permit"
            )
            if permit is not None and self.present(permit).get("ok") is True:
                self.until(lambda now: now["slots"][worker][4] == Permit.NONE, 3.0)

    def rest(self) -> None:
        """Leave a limit order at the venue, far from the market, for the fence to cancel."""
        mark = self.status()["slots"][FIRST + 1][1]
        if mark > 1:
            permit = self.order(FIRST + 1, market=False, limit_price=mark // 2).get("permit")
            if permit is not None:
                self.present(permit)

    def hold(self) -> None:
        """Get a permit and keep it, unused, for after a kill."""
        self._held = self.entry(self.status(), FIRST, 1).get("permit")

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
        mark = status["slots"][FIRST][1]
        if self._lost or mark == 0 or status["slots"][FIRST][2] != 0:
            return
        bound = status["capital"] * status["ceiling"] // FRACTION_DIVISOR
        quantity = min(QUANTITY_MAX, bound // 2 // mark)
        permit = self.order(FIRST, side=-1, quantity=quantity, **self._form(status, FIRST)).get(
            "permit"
        )
        if permit is not None:
            self._lost = self.present(permit).get("ok") is True

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
            self.kernel.tell({"event": "ClaimInstrument", "worker": 7, "instrument": 1})
        end = time.monotonic() + 5.0
        while self.kernel.ask({"ask": "status"}, ANSWER_S) is None and time.monotonic() < end:
            time.sleep(0.05)  # our own socket is full of what we said
        self.kernel.inbox.clear()

    # --- the loop --------------------------------------------------------------------------------

    def run(self) -> None:
        """Do the drills that the driver names, one after the other."""
        while True:
            if not self.driver.again(0.2):
                continue
            message = self.driver.wait(0.5)
            if message is None or "drill" not in message:
                continue
            name = message["drill"]
            self.seen = set()
            detail = ""
            try:
                if name in DRILLS:
                    getattr(self, name)()
            except TimeoutError as error:
                detail = str(error)
            self.driver.tell(
                {
                    "drilled": name,
                    "seen": sorted(self.seen),
                    "watch": sorted(self._claimed),
                    "detail": detail,
                }
            )


DRILLS = frozenset(
    {
        "early", "late", "turtle_claim", "turtle_ask", "limit_only", "bounds_claim", "bounds",
        "position",        "rest", "hold", "present_held", "fence_ask", "release", "flood",
        "lose_claim", "lose", "lose_low", "lose_leave", "lose_low_leave",
    }
)  # fmt: skip


def main() -> None:
    """Probe the session in the folder named on the command line."""
    Prober(load(sys.argv[1])).run()


if __name__ == "__main__":
    main()
