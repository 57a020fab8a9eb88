"""The guard's words in full, its figures one by one, and what it is before anybody spoke to it.

Not here: the judgement, its promises and its rarer turns (``test_guard``), sockets
(``test_guard_loop``).
"""

from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.guard.guard import Guard, Working
from dolphin.link.messages import (
    Books,
    CancelAll,
    CloseOrder,
    ConfirmFence,
    EndOrders,
    Filled,
    Flatten,
    Issued,
    OrdersEnded,
    Permit,
    PresentPermit,
    ReconcileLedger,
    Refused,
    ReportFill,
    Submit,
)
from dolphin.link.permit import token_of
from tests.dolphin.guard.test_guard import HELLO, KEY, NOW, ORDER, PERMIT, Rig, judged


@pytest.fixture
def rig() -> Rig:
    return Rig()


def numbered(*numbers: int, **fields: Any) -> list[Permit]:
    return [replace(PERMIT, permit_id=number, **fields) for number in numbers]


def told(rig: Rig) -> list[Any]:
    """Return what the kernel is told, whole, and take it away."""
    heard = list(rig.guard.to_kernel)
    rig.guard.to_kernel.clear()
    return heard


# --- before the kernel has spoken -----------------------------------------------------------------


@pytest.mark.req("GRD-010")
@pytest.mark.parametrize("epoch", [-2, 0, 1, 2])
def test_before_hello_a_permit_of_any_epoch_is_stale_though_it_is_announced(epoch: int) -> None:
    guard = Guard(KEY)
    token = token_of(replace(PERMIT, epoch=epoch), KEY)
    guard.on_kernel(Issued(permit=token))
    guard.on_kernel(Flatten(permits=(token,)))
    answer = guard.on_worker((2,), PresentPermit(permit=token, id=3), NOW)
    assert answer == Refused(reason="STALE_EPOCH", id=3)
    assert dict(guard.refusals) == {"NO_HELLO": 2, "STALE_EPOCH": 1}
    assert not guard.to_venue


@pytest.mark.req("GRD-010")
def test_before_hello_a_kernels_fence_is_not_its_epoch() -> None:
    """A kernel that fences and announces without a hello is a wrong one: nothing passes."""
    guard = Guard(KEY)
    token = token_of(replace(PERMIT, epoch=4), KEY)
    guard.on_kernel(CancelAll(epoch=4))
    guard.on_kernel(Issued(permit=token))
    guard.on_kernel(Flatten(permits=(token,)))
    assert guard.epoch == -1
    assert judged(guard, token) == "STALE_EPOCH"
    assert dict(guard.refusals) == {"NO_HELLO": 3, "STALE_EPOCH": 1}
    assert not guard.to_venue


@pytest.mark.req("GRD-013")
def test_before_hello_the_end_of_a_cancel_confirms_no_fence() -> None:
    guard = Guard(KEY)
    guard.on_venue(OrdersEnded(sequence=0))
    assert not guard.to_kernel
    assert dict(guard.counts) == {}


# --- cancels and fences ---------------------------------------------------------------------------


@pytest.mark.req("GRD-012", "GRD-014", "GRD-021", "GRD-022")
def test_every_cancel_has_the_next_number_whatever_it_is_for() -> None:
    guard = Guard(KEY)
    for message in (
        replace(HELLO, outstanding=(2,)),
        HELLO,
        CancelAll(epoch=5),
        CancelAll(epoch=6),
        replace(HELLO, fence_confirmed=False, epoch=6),
        replace(HELLO, epoch=6),
    ):
        guard.on_kernel(message)
    assert list(guard.to_venue) == [
        EndOrders(sequence=1, close=(2,)),
        *(EndOrders(sequence=number) for number in range(2, 7)),
    ]


@pytest.mark.req("GRD-005", "GRD-012")
def test_from_cancel_all_on_its_epoch_is_the_one_that_passes(rig: Rig) -> None:
    rig.fence(5)
    assert rig.order(rig.issue(replace(PERMIT, epoch=5))) == "ok"
    assert rig.order(rig.issue(replace(PERMIT, permit_id=51, epoch=4))) == "STALE_EPOCH"
    assert [each.order_id for each in rig.venue_heard()] == [50]


@pytest.mark.req("GRD-013")
def test_every_fence_that_is_confirmed_is_told_with_its_epoch_and_counted(rig: Rig) -> None:
    for epoch in (5, 6, 7):
        rig.cancelled(rig.fence(epoch))
    assert told(rig) == [ConfirmFence(epoch=epoch) for epoch in (5, 6, 7)]
    assert dict(rig.guard.counts) == {"fences": 3}


@pytest.mark.req("GRD-012", "GRD-017")
def test_what_works_is_known_with_what_is_left_and_whether_the_fence_ended_it(rig: Rig) -> None:
    rig.order(rig.issue())
    assert rig.guard.working == {50: Working(PERMIT, 10, False)}
    rig.fill(3)
    rig.fence(5)
    assert rig.guard.working == {50: Working(PERMIT, 7, True)}


# --- flattens -------------------------------------------------------------------------------------


@pytest.mark.req("GRD-009", "GRD-015")
def test_a_flatten_refuses_each_bad_permit_by_its_reason_and_sends_the_good_behind_it(
    rig: Rig,
) -> None:
    tokens = [token_of(each, bytes(32)) for each in numbered(50, 51, 52)]
    tokens += [token_of(each, KEY) for each in numbered(53, 54, epoch=3)]
    tokens += [token_of(each, KEY) for each in numbered(55, 55, 55, 56)]
    rig.kernel(Flatten(permits=tuple(tokens)))
    assert dict(rig.guard.refusals) == {"FORGED": 3, "STALE_EPOCH": 2, "USED": 2}
    assert [each.order_id for each in rig.venue_heard()] == [55, 56]


# --- orders ---------------------------------------------------------------------------------------


@pytest.mark.req("GRD-011")
def test_an_order_is_submitted_with_every_field_of_its_permit_and_counted(rig: Rig) -> None:
    orders = (
        replace(ORDER, market=False, limit_price=77),
        replace(ORDER, worker=3, instrument=4, side=-1, reduce_only=True),
    )
    first = replace(PERMIT, order=orders[0])
    second = replace(PERMIT, permit_id=51, order=orders[1])
    for permit in (first, second):
        assert rig.order(rig.issue(permit), workers=(2, 3)) == "ok"
    assert rig.venue_heard() == [
        Submit(order_id=50, order=orders[0]), Submit(order_id=51, order=orders[1]),
    ]  # fmt: skip
    assert dict(rig.guard.counts) == {"orders": 2}


@pytest.mark.req("GRD-008")
def test_the_floor_itself_is_an_id_of_this_guards_time(rig: Rig) -> None:
    below, at = numbered(9, 10)
    assert rig.order(rig.issue(below)) == "UNKNOWN"
    assert rig.order(rig.issue(at)) == "ok"


@pytest.mark.req("GRD-007", "GRD-024")
def test_a_hundred_thousand_spent_permits_stay_known_and_no_more(rig: Rig) -> None:
    rig.guard._used.update(dict.fromkeys(range(100, 100_100)))
    rig.order(rig.issue())
    assert len(rig.guard._used) == 100_000
    oldest, next_oldest = (token_of(each, KEY) for each in numbered(100, 101))
    assert (rig.order(oldest), rig.order(next_oldest)) == ("UNKNOWN", "USED")


@pytest.mark.req("GRD-018")
def test_every_permit_that_expires_unused_is_closed_to_its_worker_and_counted(rig: Rig) -> None:
    for worker, permit in enumerate(numbered(50, 51, 52), start=2):
        rig.issue(replace(permit, order=replace(ORDER, worker=worker)))
    rig.guard.expire(PERMIT.expires_ns)
    assert told(rig) == [CloseOrder(worker=worker) for worker in (2, 3, 4)]
    assert dict(rig.guard.counts) == {"expired": 3}


# --- from the venue -------------------------------------------------------------------------------


@pytest.mark.req("GRD-016", "GRD-017")
def test_an_order_with_one_lot_left_is_closed_and_one_with_none_is_not(rig: Rig) -> None:
    for number, filled in ((50, 9), (51, 10), (52, 8)):
        (permit,) = numbered(number)
        rig.order(rig.issue(permit))
        rig.fill(filled, order=number)
        told(rig)
        rig.done(number)
        expected = [CloseOrder(worker=2)] if filled < 10 else []
        assert told(rig) == expected
    assert dict(rig.guard.counts) == {"orders": 3, "fills": 3, "closed_unfilled": 2}


@pytest.mark.req("GRD-019", "GRD-020")
def test_fills_and_books_are_told_with_all_that_the_venue_said(rig: Rig) -> None:
    eight = (1, 2, 3, 4, 5, 6, 7, 8)
    rig.guard.on_venue(Filled(order_id=999, worker=5, quantity=3, price=7, fee=11))
    rig.guard.on_venue(Books(cash=1, quantities=eight))
    assert told(rig) == [
        ReportFill(worker=5, quantity=3, price=7, fee=11),
        ReconcileLedger(cash=1, quantities=eight),
    ]
