"""The guard's rarer turns: words of the wrong kernel, permits spent, fences over open orders.

Not here: the judgement on a good day and its promises (``test_guard``), sockets
(``test_guard_loop``).
"""

from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.guard.guard import Guard
from dolphin.link.codec import Unreadable
from dolphin.link.messages import (
    Accepted,
    EndOrders,
    Flatten,
    Hello,
    Issued,
    OrderOver,
    Refused,
)
from dolphin.link.permit import token_of
from tests.dolphin.guard.test_guard import HELLO, KEY, NOW, PERMIT, Rig, ended, judged


@pytest.fixture
def rig() -> Rig:
    return Rig()


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
