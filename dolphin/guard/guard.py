"""The order guard: no order reaches the exchange without a permit that is valid now.

Theory. The kernel promises (permits), the guard enforces. A permit passes once, in its own epoch,
before its expiry, unaltered. When the kernel advances the fence, the guard refuses every older
epoch from that message on, has the venue cancel what works, forwards every fill that came before,
and only then confirms. So after ``ConfirmFence(epoch)`` nothing of an older epoch can fill, and the
kernel may size its flatten.

Rules of this file:

*   Messages in, messages out: ``to_kernel`` and ``to_venue`` are kept in order and never dropped.
    One channel carries fills, closed orders, the fence and the venue's books to the kernel, so the
    kernel never compares books across a fill that is still on the way.
*   Exactly one ``CloseOrder`` for an order that ends with an unfilled remainder, and for a permit
    that expires unused; none for an order that filled (the fill frees the permit), and none for an
    order that the fence ended (``ConfirmFence`` frees it). Flattens are the kernel's own orders and
    follow the same rule.
*   A refusal names the reason and is counted; the order is not sent.
*   Whatever a worker sends is judged by the MAC, not by what it says it is.

Names of refusals: FORGED (no permit of the kernel's), NOT_YOURS (another worker's), STALE_EPOCH,
EXPIRED, USED, UNKNOWN (issued before this guard came up, or never announced), NO_HELLO (a word of
a kernel's that has not said hello).

Not here: sockets (``__main__``). Spec module: Mesh (later); of Kernel, the actions ReportFill,
CloseOrder, ConfirmFence and ReconcileLedger are what this file sends.
"""

from collections import Counter, deque
from dataclasses import dataclass

from dolphin.link.codec import Unreadable
from dolphin.link.messages import (
    Accepted,
    CancelAll,
    CloseOrder,
    ConfirmFence,
    EndOrders,
    Filled,
    Flatten,
    FromVenue,
    Hello,
    Issued,
    OrderEnded,
    OrderOver,
    OrdersEnded,
    Passed,
    Permit,
    PresentPermit,
    ReconcileLedger,
    Refused,
    ReportFill,
    Said,
    Submit,
    ToGuard,
    ToVenue,
)
from dolphin.link.permit import permit_of

USED_KEPT_MAX = 100_000


@dataclass
class Working:
    """An order at the venue: its permit, what is left of it, and whether the fence has ended it."""

    permit: Permit
    left: int
    fenced: bool = False


class Guard:
    """The judge. ``now_ns`` is handed in with every message: the host's monotonic clock."""

    def __init__(self, key: bytes, used_kept: int = USED_KEPT_MAX) -> None:
        """Judge by ``key``. Until the kernel has said hello, nothing passes.

        The last ``used_kept`` ids of permits that are spent stay known as spent.
        """
        self._key = key
        self._used_kept = used_kept
        self.epoch = -1
        self._floor = 0
        self._issued: dict[int, Permit] = {}
        self._used: dict[int, None] = {}
        self.working: dict[int, Working] = {}
        self._fence: int | None = None
        self._fence_sequence = 0
        self.to_kernel: deque[Said] = deque()
        self.to_venue: deque[ToVenue] = deque()
        self.to_workers: deque[tuple[int, OrderOver]] = deque()
        self.refusals: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    # --- from the kernel -------------------------------------------------------------------------

    # GRD-010, GRD-012, GRD-015
    def on_kernel(self, message: ToGuard) -> None:
        """Take one message of the kernel's: hello, cancel all, flatten, issued, or an answer."""
        if isinstance(message, Hello):
            self._on_hello(message)
        elif isinstance(message, Refused):
            self.counts[f"kernel_refused_{message.reason}"] += 1
        elif isinstance(message, Accepted):
            return
        elif self.epoch < 0:  # GRD-010: until it has said hello, its words are nobody's
            self.refusals["NO_HELLO"] += 1
        elif isinstance(message, CancelAll):
            self._on_cancel_all(message.epoch)
        elif isinstance(message, Flatten):
            self._on_flatten(message)
        else:
            self._on_issued(message)

    # GRD-015
    def _on_flatten(self, message: Flatten) -> None:
        for token in message.permits:
            permit = permit_of(token, self._key)
            if permit is None or permit.epoch != self.epoch:
                self.refusals["FORGED" if permit is None else "STALE_EPOCH"] += 1
                continue
            self._submit(permit)

    def _on_issued(self, message: Issued) -> None:
        permit = permit_of(message.permit, self._key)
        if permit is not None and permit.epoch == self.epoch:
            self._issued[permit.permit_id] = permit

    # GRD-021, GRD-022
    def _on_hello(self, message: Hello) -> None:
        """A kernel is there. What was promised before is over: end it, then close it."""
        self.epoch = message.epoch
        self._floor = message.floor
        self._issued.clear()
        for order in self.working.values():
            order.fenced = True
        if not message.fence_confirmed:
            self._on_cancel_all(self.epoch)
            return
        # A guard that came up anew knows no order, but the venue may: end them all, and close what
        # the kernel still holds a permit for.
        self._fence_sequence += 1
        self._fence = None
        self.to_venue.append(EndOrders(sequence=self._fence_sequence, close=message.outstanding))

    # GRD-012
    def _on_cancel_all(self, epoch: int) -> None:
        self.epoch = epoch
        self._fence = epoch
        self._fence_sequence += 1
        self._issued.clear()
        for order in self.working.values():
            order.fenced = True
        self.to_venue.append(EndOrders(sequence=self._fence_sequence))

    # --- from workers ----------------------------------------------------------------------------

    # GRD-003, GRD-009, GRD-028
    def on_worker(
        self, workers: tuple[int, ...], heard: PresentPermit | Unreadable, now_ns: int
    ) -> Passed | Refused:
        """Judge an order of one of ``workers``; return the answer for its sender."""
        if isinstance(heard, Unreadable):
            self.refusals["UNREADABLE"] += 1
            return Refused(reason="UNREADABLE", detail=heard.expected, id=heard.id)
        permit = permit_of(heard.permit, self._key)
        reason = "FORGED" if permit is None else self._verdict(permit, workers, now_ns)
        if permit is None or reason:
            self.refusals[reason] += 1
            return Refused(reason=reason, id=heard.id)
        self._submit(permit)
        return Passed(order_id=permit.permit_id, id=heard.id)

    # GRD-004, GRD-005, GRD-006, GRD-007, GRD-008, GRD-010
    def _verdict(self, permit: Permit, workers: tuple[int, ...], now_ns: int) -> str:
        """Return the empty text where the order may pass, else the reason."""
        if permit.order.worker not in workers:
            return "NOT_YOURS"
        if permit.epoch != self.epoch:
            return "STALE_EPOCH"
        if permit.expires_ns <= now_ns:
            return "EXPIRED"
        if permit.permit_id in self._used:
            return "USED"
        if permit.permit_id < self._floor or permit.permit_id not in self._issued:
            return "UNKNOWN"
        return ""

    # GRD-007, GRD-011
    def _submit(self, permit: Permit) -> None:
        if permit.permit_id in self._used:
            self.refusals["USED"] += 1
            return
        self._issued.pop(permit.permit_id, None)
        self._spend(permit.permit_id)
        self.working[permit.permit_id] = Working(permit, permit.order.quantity)
        self.counts["orders"] += 1
        self.to_venue.append(Submit(order_id=permit.permit_id, order=permit.order))

    # GRD-024
    def _spend(self, permit_id: int) -> None:
        self._used[permit_id] = None
        if len(self._used) > self._used_kept:
            # Old ids are below the floor of any epoch that can come back; the oldest goes first.
            self._used.pop(next(iter(self._used)))

    # GRD-018
    def expire(self, now_ns: int) -> None:
        """Close the permits that nobody used in time."""
        for permit_id, permit in list(self._issued.items()):
            if permit.expires_ns <= now_ns:
                del self._issued[permit_id]
                self._spend(permit_id)
                self.counts["expired"] += 1
                self.to_kernel.append(CloseOrder(worker=permit.order.worker))

    # --- from the venue --------------------------------------------------------------------------

    # GRD-020
    def on_venue(self, message: FromVenue) -> None:
        """Take one message of the venue's: a fill, an order's end, a cancel's end, its books."""
        if isinstance(message, Filled):
            self._on_fill(message)
        elif isinstance(message, OrderEnded):
            self._on_done(message.order_id)
        elif isinstance(message, OrdersEnded):
            self._on_all_cancelled(message)
        else:
            self.to_kernel.append(ReconcileLedger(cash=message.cash, quantities=message.quantities))

    # GRD-019
    def _on_fill(self, fill: Filled) -> None:
        self.counts["fills"] += 1
        order = self.working.get(fill.order_id)
        if order is not None:
            order.left -= fill.quantity
        # A fill of an order the guard does not know goes to the kernel all the same: it is the
        # kernel that calls it a desync.
        self.to_kernel.append(
            ReportFill(worker=fill.worker, quantity=fill.quantity, price=fill.price, fee=fill.fee)
        )

    # GRD-016, GRD-017
    def _on_done(self, order_id: int) -> None:
        order = self.working.pop(order_id, None)
        if order is None:
            return
        worker = order.permit.order.worker
        self.to_workers.append((worker, OrderOver(order_id=order_id, left=order.left)))
        if order.fenced or order.left <= 0:
            return
        self.counts["closed_unfilled"] += 1
        # Before the worker hears of it: what it asks the kernel next finds its slot free.
        self.to_kernel.append(CloseOrder(worker=worker))

    # GRD-013, GRD-014, GRD-023
    def _on_all_cancelled(self, message: OrdersEnded) -> None:
        if message.sequence != self._fence_sequence:
            return  # an older fence; the newer one's end is still to come
        self.to_kernel.extend(CloseOrder(worker=worker) for worker in message.close)
        if self._fence is not None:
            epoch, self._fence = self._fence, None
            self.counts["fences"] += 1
            self.to_kernel.append(ConfirmFence(epoch=epoch))
