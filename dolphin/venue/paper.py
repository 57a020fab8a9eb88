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

from dolphin.link.messages import (
    AskBooks,
    Books,
    EndOrders,
    Filled,
    FromVenue,
    Order,
    OrderEnded,
    OrdersEnded,
    Submit,
)

TAKER_PPM = 500
MAKER_PPM = 200
PPM = 1_000_000
LIMIT_BARS = 3
WORKERS = 8

# Of 16 orders: how many fill in two parts, and how many never get the second.
IN_PARTS = 3
CUT_SHORT = 1


@dataclass
class Working:
    """An order that works: its facts, what is left of it; ``maker`` once it has waited."""

    order_id: int
    order: Order
    left: int
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
        self.tells: deque[FromVenue] = deque()
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._orders: dict[int, Working] = {}
        self._sent: Counter[int] = Counter()

    # --- the market ------------------------------------------------------------------------------

    # VEN-001, VEN-003
    def on_bar(self, prices: dict[int, int]) -> None:
        """Take the closes of a bar, micro-USDT per lot by instrument; work what waits."""
        self.prices.update(prices)
        for working in list(self._orders.values()):
            working.bars_left -= 1
            self._work(working)
            limited = working.order.limit_price != 0
            if working.order_id in self._orders and limited and working.bars_left <= 0:
                self._finish(working)

    # --- the guard's orders ----------------------------------------------------------------------

    def on_guard(self, message: Submit | EndOrders | AskBooks) -> None:
        """Take one message of the guard's."""
        if isinstance(message, Submit):
            self._submit(message)
        elif isinstance(message, EndOrders):
            self._end_orders(message)
        else:
            self._show_books()

    # VEN-001, VEN-007
    def _submit(self, message: Submit) -> None:
        order = message.order
        if not 0 <= order.worker < WORKERS or order.quantity < 1 or abs(order.side) != 1:
            # No order of a guard's: it ends without a fill.
            self.counts["malformed"] += 1
            self.tells.append(OrderEnded(order_id=message.order_id))
            return
        text = f"{self._seed}/{order.worker}/{self._sent[order.worker]}"
        self._sent[order.worker] += 1
        self.counts["orders"] += 1
        working = Working(
            order_id=message.order_id,
            order=order,
            left=order.quantity,
            bars_left=LIMIT_BARS,
            draw=blake2b(text.encode(), digest_size=1).digest()[0] % 16,
        )
        self._orders[working.order_id] = working
        self._work(working)
        working.maker = True

    # VEN-001, VEN-003, VEN-004
    def _work(self, working: Working) -> None:
        """Fill what the last close allows."""
        order = working.order
        price = self.prices.get(order.instrument)
        if price is None:
            return
        if order.limit_price:
            if (order.limit_price - price) * order.side < 0:
                return
            if working.maker:
                price = order.limit_price
        if working.draw < IN_PARTS and working.left > 1:
            first = working.left // 2
            self._fill(working, first, price)
            if working.draw < CUT_SHORT:
                self._finish(working)
                return
        self._fill(working, working.left, price)
        self._finish(working)

    # VEN-002, VEN-005
    def _fill(self, working: Working, quantity: int, price: int) -> None:
        order = working.order
        rate = MAKER_PPM if working.maker and order.limit_price else TAKER_PPM
        fee = (quantity * price * rate + PPM - 1) // PPM
        working.left -= quantity
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
            Filled(
                order_id=working.order_id, worker=worker, quantity=quantity, price=price, fee=fee
            )
        )

    def _finish(self, working: Working) -> None:
        self._orders.pop(working.order_id, None)
        if working.left:
            self.counts["ended_unfilled"] += 1
        self.tells.append(OrderEnded(order_id=working.order_id))

    # VEN-006
    def _end_orders(self, message: EndOrders) -> None:
        for working in list(self._orders.values()):
            self._finish(working)
        self.tells.append(OrdersEnded(sequence=message.sequence, close=message.close))

    def _show_books(self) -> None:
        one, two, three, four, five, six, seven, eight = self.quantities
        self.tells.append(
            Books(
                cash=self.cash,
                quantities=(one, two, three, four, five, six, seven, eight),
            )
        )
