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
from typing import Any

from dolphin.alpha.engine import FLAT, AlphaEngine, Intent, PositionView
from dolphin.alpha.sizing import Size, lots
from dolphin.feed.bar import Bar
from dolphin.feed.consumer import CONNECT_S, BarConsumer
from dolphin.link.client import Client
from dolphin.link.config import Config, load
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
        self.guard = Client(config.socket("guard.alpha"), CONNECT_S)
        self.engine = AlphaEngine(config.symbols, config.windows)
        self._entry_bar = 0
        self._held = 0
        self._claimed = False

    def _kernel(self, message: dict[str, Any]) -> dict[str, Any] | None:
        return None if self.fed.kernel is None else self.fed.kernel.ask(message, ANSWER_S)

    def work(self, bar: Bar, message: dict[str, Any], past: bool) -> dict[str, Any]:
        """Take a bar; ask for at most one order."""
        if past:
            self.engine.on_bar(bar, FLAT, int(Posture.HIBERNATE))
            return {}
        if not self._claimed:
            claim = {"event": "ClaimInstrument", "worker": WORKER, "instrument": INSTRUMENT}
            answer = self._kernel(claim)
            self._claimed = answer is not None and (
                answer.get("ok") is True or answer.get("reason") == "POSITION_OPEN"
            )
        answer = self._kernel({"ask": "status"})
        if answer is None:
            return {"silent": "kernel"}
        status = answer["status"]
        view = self._view(bar, status)
        intents = self.engine.on_bar(bar, view, status["posture"])
        reading = self.engine.reading
        told: dict[str, Any] = {
            "vel_div": None if reading is None else reading.vel_div,
            "lambda_max": [] if reading is None else list(reading.lambda_max),
            "gaps": 0 if reading is None else reading.gaps,
            "signals": self.engine.signals,
            "watch": [INSTRUMENT] if self._claimed else [],
        }
        if message.get("wind_down") is True:
            intents = self._leave(bar, view)
        for intent in intents:
            told |= self._ask(intent, status)
        return told

    def _leave(self, bar: Bar, view: PositionView) -> list[Intent]:
        """Return the exit that ends the session flat."""
        if view.quantity == 0 or view.order_out:
            return []
        side = -1 if view.quantity > 0 else 1
        return [Intent("exit", "BTCUSDT", side, 0, 0, 0, "SESSION_END", bar.index)]

    def _view(self, bar: Bar, status: dict[str, Any]) -> PositionView:
        _instrument, _mark, quantity, cost, permit = status["slots"][WORKER]
        if quantity != 0 and self._held == 0:
            self._entry_bar = max(0, bar.index - 1)
        self._held = quantity
        if quantity == 0:
            return PositionView(0, 0.0, 0, permit != 0)
        price = cost / quantity / self.config.lot_ppm[0]
        return PositionView(quantity, price, self._entry_bar, permit != 0)

    def _ask(self, intent: Intent, status: dict[str, Any]) -> dict[str, Any]:
        mark = status["slots"][WORKER][1]
        if intent.kind == "entry":
            wanted = Size(intent.fraction_ppm, intent.leverage_ppm)
            quantity = min(lots(status["capital"], wanted, mark), QUANTITY_MAX)
            leverage = intent.leverage_ppm
        else:
            quantity = abs(status["slots"][WORKER][2])
            leverage = PPM
        patient = (
            intent.kind == "entry"
            and self.config.profile == "specification"
            and status["effective"] == Posture.STALKER
        )
        told: dict[str, Any] = {"asked": intent.kind, "why": intent.reason}
        if quantity < 1 or (patient and mark < 1):
            return told | {"answer": "TOO_SMALL"}
        answer = self._kernel(
            {
                "event": "RequestOrder",
                "worker": WORKER,
                "instrument": INSTRUMENT,
                "side": intent.side,
                "reduce_only": intent.kind == "exit",
                "market": not patient,
                "quantity": quantity,
                "limit_price": mark if patient else 0,
                "leverage_ppm": leverage,
            }
        )
        if answer is None:
            return told | {"answer": "NO_ANSWER"}
        if answer.get("ok") is not True:
            return told | {"answer": answer.get("reason", "?")}
        passed = self.guard.ask({"permit": answer["permit"]}, ANSWER_S)
        if passed is None or passed.get("ok") is not True:
            reason = "NO_ANSWER" if passed is None else passed.get("reason")
            return told | {"answer": f"guard: {reason}"}
        self._until_over(passed["order"])
        return told | {"answer": "ok", "quantity": quantity}

    def _until_over(self, order: int) -> None:
        """Wait, not for long, until the order is over: a market order is at once."""
        for _ in range(8):
            message = self.guard.wait(ANSWER_S / 4)
            if message is None:
                return
            if message is not None and message.get("over") == order:
                return


def main() -> None:
    """Run the alpha of the session in the folder named on the command line."""
    alpha = Alpha(load(sys.argv[1]))
    alpha.fed.run(alpha.work)


if __name__ == "__main__":
    main()
