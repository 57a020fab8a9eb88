"""The guard: a permit passes once, in its epoch, in time, unaltered; the fence confirms last."""

from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.guard.guard import Guard
from dolphin.link.codec import Unreadable
from dolphin.link.messages import (
    Accepted,
    Books,
    CancelAll,
    CloseOrder,
    ConfirmFence,
    EndOrders,
    Filled,
    Flatten,
    Hello,
    Issued,
    Order,
    OrderEnded,
    OrderOver,
    OrdersEnded,
    Permit,
    PresentPermit,
    Refused,
    Submit,
    Token,
)
from dolphin.link.permit import token_of

KEY = bytes(range(32))
NOW = 1_000
ORDER = Order(
    worker=2, instrument=9, side=1, reduce_only=False, market=True, quantity=10, limit_price=0,
    leverage_ppm=1_000_000,
)  # fmt: skip
PERMIT = Permit(permit_id=50, epoch=4, order=ORDER, kind=1, expires_ns=NOW + 100)
HELLO = Hello(epoch=4, fence_confirmed=True, floor=10, outstanding=())


def judged(guard: Guard, token: Token, workers: tuple[int, ...] = (2,), now: int = NOW) -> str:
    """Present a permit; return the reason of the refusal, or "ok"."""
    answer = guard.on_worker(workers, PresentPermit(permit=token), now)
    return answer.reason if isinstance(answer, Refused) else "ok"


def ended(orders: Any) -> OrdersEnded:
    """Return the venue's answer to an order to end all."""
    assert isinstance(orders, EndOrders)
    return OrdersEnded(sequence=orders.sequence, close=orders.close)


class Rig:
    """A guard at epoch 4, and short words for who says what."""

    def __init__(self) -> None:
        self.guard = Guard(KEY)
        self.kernel(HELLO)
        self.venue_heard()
        self.guard.on_venue(OrdersEnded(sequence=1))

    def kernel(self, message: Any) -> None:
        self.guard.on_kernel(message)

    def issue(self, permit: Permit = PERMIT) -> Token:
        token = token_of(permit, KEY)
        self.kernel(Issued(permit=token))
        return token

    def order(self, token: Token, workers: tuple[int, ...] = (2,), now: int = NOW) -> str:
        return judged(self.guard, token, workers, now)

    def venue_heard(self) -> list[Any]:
        heard = list(self.guard.to_venue)
        self.guard.to_venue.clear()
        return heard

    def kernel_heard(self) -> list[tuple[str, int]]:
        heard = [
            (type(m).__name__, getattr(m, "worker", getattr(m, "epoch", -1)))
            for m in self.guard.to_kernel
        ]
        self.guard.to_kernel.clear()
        return heard

    def fill(self, quantity: int, order: int = 50, worker: int = 2) -> None:
        self.guard.on_venue(
            Filled(order_id=order, worker=worker, quantity=quantity, price=5, fee=1)
        )

    def done(self, order: int = 50) -> None:
        self.guard.on_venue(OrderEnded(order_id=order))

    def fence(self, epoch: int) -> int:
        self.kernel(CancelAll(epoch=epoch))
        return int(self.venue_heard()[-1].sequence)

    def cancelled(self, sequence: int) -> None:
        self.guard.on_venue(OrdersEnded(sequence=sequence))


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.req("GRD-007", "GRD-011")
def test_a_good_permit_passes_once(rig: Rig) -> None:
    token = rig.issue()
    assert rig.order(token) == "ok"
    (submitted,) = rig.venue_heard()
    assert submitted == Submit(order_id=50, order=ORDER)
    assert rig.order(token) == "USED"
    assert rig.venue_heard() == []


@pytest.mark.req("GRD-003", "GRD-004", "GRD-005", "GRD-006", "GRD-008", "GRD-009")
def test_each_fault_has_its_name_and_no_order_leaves(rig: Rig) -> None:
    token = rig.issue()
    other = token_of(replace(PERMIT, permit_id=51), bytes(32))
    older = token_of(replace(PERMIT, permit_id=52, epoch=3), KEY)
    newer = token_of(replace(PERMIT, permit_id=53, epoch=5), KEY)
    unheard = token_of(replace(PERMIT, permit_id=54), KEY)
    before = token_of(replace(PERMIT, permit_id=9), KEY)
    rig.kernel(Issued(permit=before))
    more = replace(token, permit=replace(PERMIT, order=replace(ORDER, quantity=11)))
    assert rig.order(more) == "FORGED"
    assert rig.order(other) == "FORGED"
    assert rig.order(token, workers=(3, 4)) == "NOT_YOURS"
    assert rig.order(older) == "STALE_EPOCH"
    assert rig.order(newer) == "STALE_EPOCH"
    assert rig.order(token, now=PERMIT.expires_ns) == "EXPIRED"
    assert rig.order(unheard) == "UNKNOWN"
    assert rig.order(before) == "UNKNOWN"
    assert rig.venue_heard() == []
    assert rig.order(token) == "ok", "none of it used the good one up"
    assert sum(rig.guard.refusals.values()) == 8


@pytest.mark.req("GRD-010")
def test_before_the_kernel_has_spoken_nothing_passes() -> None:
    guard = Guard(KEY)
    assert judged(guard, token_of(PERMIT, KEY)) == "STALE_EPOCH"


@pytest.mark.req("GRD-005", "GRD-012")
def test_after_the_fence_no_order_of_an_older_epoch_passes_however_late(rig: Rig) -> None:
    token = rig.issue()
    sequence = rig.fence(5)
    assert rig.order(token) == "STALE_EPOCH"
    rig.cancelled(sequence)
    assert rig.order(token) == "STALE_EPOCH"
    assert rig.venue_heard() == []


@pytest.mark.req("GRD-013", "GRD-017")
def test_fills_are_told_before_the_fence_is_confirmed(rig: Rig) -> None:
    rig.order(rig.issue())
    sequence = rig.fence(5)
    rig.fill(4)
    assert rig.kernel_heard() == [("ReportFill", 2)]
    rig.done()
    assert rig.kernel_heard() == [], "the fence frees the rest: no CloseOrder, and not yet a fence"
    rig.cancelled(sequence)
    assert rig.kernel_heard() == [("ConfirmFence", 5)]


@pytest.mark.req("GRD-014")
def test_an_older_fences_end_confirms_nothing(rig: Rig) -> None:
    first = rig.fence(5)
    second = rig.fence(6)
    rig.cancelled(first)
    assert rig.kernel_heard() == []
    rig.cancelled(second)
    assert rig.kernel_heard() == [("ConfirmFence", 6)]
    rig.cancelled(second)
    assert rig.kernel_heard() == [], "once"


@pytest.mark.req("GRD-016")
def test_an_order_that_ends_unfilled_is_closed_exactly_once(rig: Rig) -> None:
    rig.order(rig.issue())
    rig.fill(3)
    rig.done()
    rig.done()
    rig.guard.expire(PERMIT.expires_ns + 1)
    assert rig.kernel_heard() == [("ReportFill", 2), ("CloseOrder", 2)]


@pytest.mark.req("GRD-017")
def test_an_order_that_fills_is_closed_by_its_fill(rig: Rig) -> None:
    rig.order(rig.issue())
    rig.fill(3)
    rig.fill(7)
    rig.done()
    assert rig.kernel_heard() == [("ReportFill", 2), ("ReportFill", 2)]


@pytest.mark.req("GRD-018", "GRD-007")
def test_a_permit_that_nobody_uses_is_closed_at_its_expiry_once(rig: Rig) -> None:
    token = rig.issue()
    rig.guard.expire(PERMIT.expires_ns - 1)
    assert rig.kernel_heard() == []
    rig.guard.expire(PERMIT.expires_ns)
    rig.guard.expire(PERMIT.expires_ns + 1)
    assert rig.kernel_heard() == [("CloseOrder", 2)]
    assert rig.order(token, now=PERMIT.expires_ns - 1) == "USED", "and cannot be used any more"


@pytest.mark.req("GRD-018")
def test_a_permit_that_the_fence_ended_is_not_closed(rig: Rig) -> None:
    rig.issue()
    rig.fence(5)
    rig.guard.expire(PERMIT.expires_ns)
    assert rig.kernel_heard() == []


@pytest.mark.req("GRD-015", "GRD-016")
def test_the_kernels_flatten_needs_no_worker_but_its_mac_and_epoch(rig: Rig) -> None:
    flatten = replace(PERMIT, kind=3, order=replace(ORDER, reduce_only=True))
    good = token_of(flatten, KEY)
    forged = token_of(replace(flatten, permit_id=51), bytes(32))
    stale = token_of(replace(flatten, permit_id=52, epoch=3), KEY)
    rig.kernel(Flatten(permits=(good, forged, stale)))
    assert [one.order_id for one in rig.venue_heard()] == [50]
    rig.done()
    assert rig.kernel_heard() == [("CloseOrder", 2)], "so that the kernel flattens again"


@pytest.mark.req("GRD-019")
def test_a_fill_of_an_order_nobody_knows_is_told(rig: Rig) -> None:
    rig.fill(3, order=999, worker=5)
    assert rig.kernel_heard() == [("ReportFill", 5)]


@pytest.mark.req("GRD-008", "GRD-021")
def test_a_guard_that_comes_anew_ends_what_it_does_not_know(rig: Rig) -> None:
    guard = Guard(KEY)
    guard.on_kernel(replace(HELLO, floor=60, outstanding=(2,)))
    (cancel,) = guard.to_venue
    guard.on_kernel(Issued(permit=token_of(PERMIT, KEY)))
    assert judged(guard, token_of(PERMIT, KEY)) == "UNKNOWN", "issued below the floor"
    guard.on_venue(ended(cancel))
    assert list(guard.to_kernel) == [CloseOrder(worker=2)]


@pytest.mark.req("GRD-022")
def test_a_guard_that_finds_the_fence_open_closes_it(rig: Rig) -> None:
    guard = Guard(KEY)
    guard.on_kernel(Hello(epoch=7, fence_confirmed=False, floor=60, outstanding=(2,)))
    guard.on_venue(ended(guard.to_venue[-1]))
    assert list(guard.to_kernel) == [ConfirmFence(epoch=7)]


@pytest.mark.req("GRD-020")
def test_books_travel_behind_the_fills(rig: Rig) -> None:
    rig.order(rig.issue())
    rig.fill(10)
    rig.guard.on_venue(Books(cash=1, quantities=(0,) * 8))
    assert [name for name, _ in rig.kernel_heard()] == ["ReportFill", "ReconcileLedger"]


# --- rarer turns: the wrong kernel, permits spent, fences over open orders -----------------------


@pytest.mark.req("GRD-008")
@pytest.mark.parametrize(
    "message",
    [
        Issued(permit=token_of(PERMIT, bytes(32))),
        Issued(permit=token_of(replace(PERMIT, epoch=3), KEY)),
        Accepted(permit=token_of(PERMIT, KEY)),
        Accepted(),
        Refused(reason="MALFORMED"),
    ],
    ids=range(5),
)
def test_what_the_kernel_did_not_announce_does_not_pass(rig: Rig, message: Any) -> None:
    rig.kernel(message)
    assert rig.order(token_of(PERMIT, KEY)) == "UNKNOWN"
    assert rig.venue_heard() == []


@pytest.mark.req("GRD-015", "GRD-007")
def test_a_flatten_that_was_sent_is_not_sent_again(rig: Rig) -> None:
    token = token_of(replace(PERMIT, kind=3), KEY)
    rig.kernel(Flatten(permits=(token,)))
    rig.kernel(Flatten(permits=(token,)))
    assert [one.order_id for one in rig.venue_heard()] == [50]
    assert rig.guard.refusals == {"USED": 1}


@pytest.mark.req("GRD-007", "GRD-024")
def test_the_last_permits_that_were_spent_stay_known_and_their_number_is_bounded() -> None:
    guard = Guard(KEY, used_kept=3)
    guard.on_kernel(HELLO)
    for number in range(50, 55):
        token = token_of(replace(PERMIT, permit_id=number), KEY)
        guard.on_kernel(Issued(permit=token))
        assert judged(guard, token) == "ok"
    for number, reason in ((51, "UNKNOWN"), (52, "USED"), (54, "USED")):
        token = token_of(replace(PERMIT, permit_id=number), KEY)
        assert judged(guard, token) == reason
    for number in range(60, 65):
        token = token_of(replace(PERMIT, permit_id=number), KEY)
        guard.on_kernel(Issued(permit=token))
    guard.expire(PERMIT.expires_ns)
    for number, reason in ((54, "UNKNOWN"), (62, "USED"), (64, "USED")):
        token = token_of(replace(PERMIT, permit_id=number), KEY)
        assert judged(guard, token) == reason


@pytest.mark.req("GRD-017", "GRD-021")
def test_a_kernel_that_comes_anew_ends_what_works_and_does_not_close_it(rig: Rig) -> None:
    rig.order(rig.issue())
    rig.venue_heard()
    rig.kernel(Hello(epoch=5, fence_confirmed=True, floor=60, outstanding=(2,)))
    (cancel,) = rig.venue_heard()
    assert cancel == EndOrders(sequence=2, close=(2,))
    rig.done()
    assert rig.kernel_heard() == [], "its end is not an order's, but the new kernel's"
    rig.guard.on_venue(ended(cancel))
    assert rig.kernel_heard() == [("CloseOrder", 2)]


@pytest.mark.req("GRD-016", "GRD-017")
def test_the_worker_hears_how_its_order_ended_whoever_ended_it(rig: Rig) -> None:
    rig.order(rig.issue())
    rig.fill(4)
    rig.done()
    rig.order(rig.issue(replace(PERMIT, permit_id=51)))
    rig.fence(5)
    rig.done(51)
    assert list(rig.guard.to_workers) == [
        (2, OrderOver(order_id=50, left=6)),
        (2, OrderOver(order_id=51, left=10)),
    ]


@pytest.mark.req("GRD-009")
def test_what_the_venue_says_and_nobody_knows_changes_nothing(rig: Rig) -> None:
    rig.order(rig.issue())
    rig.done(99)
    rig.cancelled(99)
    assert rig.kernel_heard() == []
    assert list(rig.guard.working) == [50]


@pytest.mark.req("GRD-009", "GRD-028")
def test_what_a_worker_said_and_is_no_message_is_refused_under_its_number(rig: Rig) -> None:
    heard = Unreadable(expected="`object` expected", id=8, data=b"[]")
    answer = rig.guard.on_worker((2,), heard, NOW)
    assert answer == Refused(reason="UNREADABLE", detail="`object` expected", id=8)
    assert rig.guard.refusals == {"UNREADABLE": 1}
    assert rig.venue_heard() == []


@pytest.mark.req("GRD-028")
def test_every_refusal_of_the_kernels_is_counted_by_its_reason(rig: Rig) -> None:
    for reason in ("MALFORMED", "STALE_EPOCH", "MALFORMED"):
        rig.kernel(Refused(reason=reason))
    expected = {"kernel_refused_MALFORMED": 2, "kernel_refused_STALE_EPOCH": 1}
    assert dict(rig.guard.counts) == expected
