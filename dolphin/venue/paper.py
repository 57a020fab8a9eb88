"""The paper venue: a small exchange that fills at the bar's close.

Rules of this file:

*   A market order fills at once at the last close; before an instrument's first close it waits. A
    limit order fills at its limit once a close reaches it, or at once, at the close, where that is
    already as good. It is over after ``LIMIT_BARS`` bars.
*   Fees per fill, rounded up: 0.05 % for a taker, 0.02 % for a maker.
*   Sometimes an order fills in two parts, and sometimes the second part never comes. Which, is a
    hash of the seed and of how many orders the worker sent before: the same session fills alike.
*   Its books are its own: cash and positions by worker, profit booked when a position reaches zero.
    They are compared with the kernel's; a difference kills.
*   Integers only: lots, micro-USDT per lot, micro-USDT.

Not here: latency, queue position, funding. Source of the fees: bible 8.1.
No spec module: the models let a fill come whenever a permit is out.
"""

from collections import Counter, deque
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

TAKER_PPM = 500
MAKER_PPM = 200
PPM = 1_000_000
LIMIT_BARS = 3
WORKERS = 8

# Of 16 orders: how many fill in two parts, and how many never get the second.
IN_PARTS = 3
CUT_SHORT = 1


@dataclass
class Order:
    """An order that works. ``limit_price`` 0 is a market order; ``maker`` once it has waited."""

    order: int
    worker: int
    instrument: int
    side: int
    left: int
    limit_price: int
    bars_left: int
    draw: int
    maker: bool = False


class PaperVenue:
    """Prices in, orders in, ``tells`` out: fills and ends of orders, in order."""

    def __init__(self, cash: int, seed: int) -> None:
        """Open with ``cash`` micro-USDT and no position."""
        self.cash = cash
        self.quantities = [0] * WORKERS
        self._costs = [0] * WORKERS
        self.prices: dict[int, int] = {}
        self.tells: deque[dict[str, Any]] = deque()
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._orders: dict[int, Order] = {}
        self._sent: Counter[int] = Counter()
        self._falsify = False
        self._hold = False
        self._held: deque[dict[str, Any]] = deque()

    # --- the market ------------------------------------------------------------------------------

    # VEN-001, VEN-003
    def on_bar(self, prices: dict[int, int]) -> None:
        """Take the closes of a bar, micro-USDT per lot by instrument; work what waits."""
        self.tells.extend(self._held)
        self._held.clear()
        self.prices.update(prices)
        for order in list(self._orders.values()):
            order.bars_left -= 1
            self._work(order)
            if order.order in self._orders and order.limit_price and order.bars_left <= 0:
                self._finish(order)

    # --- the guard's orders ----------------------------------------------------------------------

    def on_guard(self, message: dict[str, Any]) -> None:
        """Take one message of the guard's: submit, cancel_all, books."""
        do = message.get("do")
        if do == "submit":
            self._submit(message)
        elif do == "cancel_all":
            self._cancel_all(message)
        elif do == "books":
            self._show_books()

    # VEN-001
    def _submit(self, message: dict[str, Any]) -> None:
        worker = message["worker"]
        text = f"{self._seed}/{worker}/{self._sent[worker]}"
        self._sent[worker] += 1
        self.counts["orders"] += 1
        order = Order(
            order=message["order"],
            worker=worker,
            instrument=message["instrument"],
            side=message["side"],
            left=message["quantity"],
            limit_price=message["limit_price"],
            bars_left=LIMIT_BARS,
            draw=blake2b(text.encode(), digest_size=1).digest()[0] % 16,
        )
        self._orders[order.order] = order
        self._work(order)
        order.maker = True

    # VEN-001, VEN-003, VEN-004
    def _work(self, order: Order) -> None:
        """Fill what the last close allows."""
        price = self.prices.get(order.instrument)
        if price is None:
            return
        if order.limit_price:
            if (order.limit_price - price) * order.side < 0:
                return
            if order.maker:
                price = order.limit_price
        if order.draw < IN_PARTS and order.left > 1:
            first = order.left // 2
            self._fill(order, first, price)
            if order.draw < CUT_SHORT:
                self._finish(order)
                return
        self._fill(order, order.left, price)
        self._finish(order)

    # VEN-002, VEN-005
    def _fill(self, order: Order, quantity: int, price: int) -> None:
        rate = MAKER_PPM if order.maker and order.limit_price else TAKER_PPM
        fee = (quantity * price * rate + PPM - 1) // PPM
        order.left -= quantity
        worker = order.worker
        self.quantities[worker] += order.side * quantity
        self._costs[worker] += order.side * quantity * price
        self.cash -= fee
        if self.quantities[worker] == 0:
            self.cash -= self._costs[worker]
            self._costs[worker] = 0
        self.counts["fills"] += 1
        self.counts["maker_fills" if rate == MAKER_PPM else "taker_fills"] += 1
        self.tells.append(
            {
                "tells": "fill",
                "order": order.order,
                "worker": worker,
                "quantity": quantity,
                "price": price,
                "fee": fee,
            }
        )

    def _finish(self, order: Order) -> None:
        self._orders.pop(order.order, None)
        if order.left:
            self.counts["ended_unfilled"] += 1
        self.tells.append({"tells": "done", "order": order.order})

    # VEN-006
    def _cancel_all(self, message: dict[str, Any]) -> None:
        for order in list(self._orders.values()):
            self._finish(order)
        answer = {
            "tells": "all_cancelled",
            "sequence": message["sequence"],
            "close": message.get("close", []),
        }
        # A venue that is slow to confirm holds the fence open until its next bar (a drill).
        (self._held if self._hold else self.tells).append(answer)

    def _show_books(self) -> None:
        self.tells.append(
            {
                "tells": "books",
                "cash": self.cash + (1_000_000 if self._falsify else 0),
                "quantities": list(self.quantities),
            }
        )
        if self._falsify:
            self.counts["books_falsified"] += 1
        self._falsify = False

    # --- drills ----------------------------------------------------------------------------------

    def drill(self, name: str, on: bool) -> bool:
        """Misbehave on purpose: show books that are 1 USDT off, once; confirm cancels slowly."""
        if name == "falsify_books":
            self._falsify = on
            return True
        if name == "slow_cancels":
            self._hold = on
            if not on:
                self.tells.extend(self._held)
                self._held.clear()
            return True
        return False
