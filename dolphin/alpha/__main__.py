"""The alpha's process: ``python -m dolphin.alpha RUN_FOLDER``. Level C around it.

Rules of this file:

*   It asks whenever the engine wants something, whatever the posture: what it may not have, the
    kernel refuses, and the journal shows it.
*   Positions, capital and marks come from the kernel's own word, never from memory: a respawned
    alpha knows what it holds.
*   Every wait has an end. An alpha that gets no answer goes on to the next bar.

A market order, except in STALKER under the specification's profile, where entries are limit orders
at the mark (specification VI.2). Not here: signal, size and exit (``dolphin/alpha``).
"""

import sys

from msgspec.structs import replace

from dolphin.alpha.engine import FLAT, AlphaEngine, Intent, PositionView
from dolphin.alpha.sizing import Size, lots
from dolphin.feed.bar import Bar
from dolphin.feed.consumer import CONNECT_S, BarConsumer
from dolphin.link.client import Client
from dolphin.link.config import Config, configured
from dolphin.link.messages import (
    FROM_GUARD,
    Accepted,
    AlphaDone,
    Answer,
    AskStatus,
    ClaimInstrument,
    Order,
    OrderOver,
    Passed,
    PlayBar,
    PresentPermit,
    Refused,
    RequestOrder,
    Status,
    StatusShown,
    ToKernel,
)
from dolphin.link.process import die_with_parent
from kernel.constants import PPM, QUANTITY_MAX, Partition, Posture

WORKER = 0
INSTRUMENT = 1  # BTCUSDT, the first of every panel
ANSWER_S = 0.5


class Alpha:
    """The engine, its orders, and what it believes about them."""

    def __init__(self, config: Config) -> None:
        """Connect to driver, kernel and guard, and claim the instrument."""
        self.config = config
        self.fed = BarConsumer(config, "alpha", int(Partition.ALPHA))
        self.guard = Client(self.fed.loop, config.socket("guard.alpha"), FROM_GUARD, CONNECT_S)
        self.engine = AlphaEngine(config.symbols, config.windows)
        self._entry_bar = 0
        self._held = 0
        self._claimed = False

    def _kernel(self, message: ToKernel) -> Answer | None:
        return None if self.fed.kernel is None else self.fed.kernel.ask(message, ANSWER_S)

    def work(self, bar: Bar, message: PlayBar) -> AlphaDone | None:
        """Take a bar; ask for at most one order."""
        if message.past:
            self.engine.on_bar(bar, FLAT, int(Posture.HIBERNATE))
            return None
        if not self._claimed:
            answer = self._kernel(ClaimInstrument(worker=WORKER, instrument=INSTRUMENT))
            self._claimed = isinstance(answer, Accepted) or (
                isinstance(answer, Refused) and answer.reason == "POSITION_OPEN"
            )
        answer = self._kernel(AskStatus())
        if not isinstance(answer, StatusShown):
            return AlphaDone(bar=bar.index, why="the kernel is silent")
        status = answer.status
        view = self._view(bar, status)
        intents = self.engine.on_bar(bar, view, status.posture)
        reading = self.engine.reading
        told = AlphaDone(
            bar=bar.index,
            vel_div=None if reading is None else reading.vel_div,
            lambda_max=() if reading is None else reading.lambda_max,
            signals=self.engine.signals,
            watch=(INSTRUMENT,) if self._claimed else (),
        )
        if message.wind_down:
            intents = self._leave(bar, view)
        for intent in intents:
            told = self._ask(intent, status, told)
        return told

    def _leave(self, bar: Bar, view: PositionView) -> list[Intent]:
        """Return the exit that ends the session flat."""
        if view.quantity == 0 or view.order_out:
            return []
        side = -1 if view.quantity > 0 else 1
        return [Intent("exit", "BTCUSDT", side, 0, 0, "SESSION_END", bar.index)]

    def _view(self, bar: Bar, status: Status) -> PositionView:
        slot = status.slots[WORKER]
        order_out = slot.permit_kind != 0
        if slot.quantity != 0 and self._held == 0:
            self._entry_bar = max(0, bar.index - 1)
        self._held = slot.quantity
        if slot.quantity == 0:
            return PositionView(0, 0.0, 0, order_out)
        price = slot.cost / slot.quantity / self.config.lot_ppm[0]
        return PositionView(slot.quantity, price, self._entry_bar, order_out)

    def _ask(self, intent: Intent, status: Status, told: AlphaDone) -> AlphaDone:
        """Ask for the order; return what was told, and what came of it."""
        slot = status.slots[WORKER]
        told = replace(told, asked=intent.kind, why=intent.reason)
        if intent.kind == "entry":
            wanted = Size(intent.fraction_ppm, intent.leverage_ppm)
            quantity = min(lots(status.capital, wanted, slot.mark), QUANTITY_MAX)
            leverage = intent.leverage_ppm
        else:
            quantity = abs(slot.quantity)
            leverage = PPM
        patient = (
            intent.kind == "entry"
            and self.config.profile == "specification"
            and status.effective == Posture.STALKER
        )
        if quantity < 1 or (patient and slot.mark < 1):
            return replace(told, answer="TOO_SMALL")
        order = Order(
            worker=WORKER,
            instrument=INSTRUMENT,
            side=intent.side,
            reduce_only=intent.kind == "exit",
            market=not patient,
            quantity=quantity,
            limit_price=slot.mark if patient else 0,
            leverage_ppm=leverage,
        )
        return replace(told, answer=self._send(order))

    def _send(self, order: Order) -> str:
        """Have an order permitted and sent; return "ok", or who refused it and why."""
        answer = self._kernel(RequestOrder(order=order))
        if not isinstance(answer, Accepted) or answer.permit is None:
            return answer.reason if isinstance(answer, Refused) else "NO_ANSWER"
        passed = self.guard.ask(PresentPermit(permit=answer.permit), ANSWER_S)
        if not isinstance(passed, Passed):
            reason = passed.reason if isinstance(passed, Refused) else "NO_ANSWER"
            return f"guard: {reason}"
        self._until_over(passed.order_id)
        return "ok"

    def _until_over(self, order_id: int) -> None:
        """Wait, not for long, until the order is over: a market order is at once."""
        for _ in range(8):
            message = self.guard.wait(ANSWER_S / 4)
            if message is None:
                return
            if isinstance(message, OrderOver) and message.order_id == order_id:
                return


def main() -> None:
    """Run the alpha of the session in the folder named on the command line."""
    die_with_parent()
    alpha = Alpha(configured("alpha", sys.argv))
    alpha.fed.run(alpha.work)


if __name__ == "__main__":
    main()
