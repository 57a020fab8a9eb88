"""The paper venue: fees, limits, parts, and books kept the kernel's way."""

from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.link.messages import (
    EndOrders,
    Filled,
    OrderEnded,
    OrdersEnded,
    Submit,
)
from dolphin.venue.paper import LIMIT_BARS, PaperVenue
from tests.dolphin.said import ORDER


def draws(seed: int, worker: int, wanted: range) -> int:
    """Return how many orders to send before one whose draw lies in ``wanted``."""
    from hashlib import blake2b

    for number in range(1000):
        text = f"{seed}/{worker}/{number}"
        if blake2b(text.encode(), digest_size=1).digest()[0] % 16 in wanted:
            return number
    raise AssertionError("no such draw")


class Rig:
    """A venue at a price, and orders that all fill whole unless told otherwise."""

    def __init__(self) -> None:
        self.venue = PaperVenue(1_000_000_000, seed=3)
        self.venue.on_bar({1: 1_000_000})
        self.number = 0

    def send(self, worker: int = 0, wanted: range = range(3, 16), **changes: Any) -> int:
        order = replace(ORDER, **({"worker": worker, "side": 1, "quantity": 10} | changes))
        self.venue._sent[worker] = draws(3, worker, wanted)
        self.number += 1
        self.venue.on_guard(Submit(order_id=self.number, order=order))
        return self.number

    def told(self) -> list[Any]:
        told = list(self.venue.tells)
        self.venue.tells.clear()
        return told


def quantity(told: Any) -> int | None:
    """Return how much a fill filled, None for another word."""
    return told.quantity if isinstance(told, Filled) else None


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.req("VEN-001")
def test_a_market_order_fills_at_the_close_and_a_taker_pays(rig: Rig) -> None:
    rig.send()
    fill, done = rig.told()
    assert (type(fill), fill.quantity, fill.price) == (Filled, 10, 1_000_000)
    assert fill.fee == 10 * 1_000_000 * 5 // 10_000
    assert done == OrderEnded(order_id=1)
    assert rig.venue.cash == 1_000_000_000 - fill.fee


@pytest.mark.req("VEN-002")
def test_a_fee_is_rounded_up(rig: Rig) -> None:
    rig.venue.on_bar({1: 1_001})
    rig.send(quantity=1)
    assert rig.told()[0].fee == 1  # 0.5005 micro-USDT


@pytest.mark.req("VEN-001")
@pytest.mark.parametrize(
    ("side", "limit", "crossing"), [(1, 999_000, 998_000), (-1, 1_010_000, 1_020_000)]
)
def test_a_limit_order_waits_for_its_price_and_a_maker_pays_less(
    rig: Rig, side: int, limit: int, crossing: int
) -> None:
    rig.send(side=side, limit_price=limit)
    assert rig.told() == []
    rig.venue.on_bar({1: crossing})
    fill, _done = rig.told()
    assert fill.price == limit
    assert fill.fee == (10 * limit * 2 + 9_999) // 10_000


@pytest.mark.req("VEN-001")
def test_a_limit_that_is_already_good_takes(rig: Rig) -> None:
    rig.send(limit_price=1_050_000)
    fill, _done = rig.told()
    assert (fill.price, fill.fee) == (1_000_000, 5_000)


@pytest.mark.req("VEN-003")
def test_a_limit_order_does_not_wait_for_ever(rig: Rig) -> None:
    order = rig.send(limit_price=900_000)
    for _ in range(LIMIT_BARS):
        assert rig.told() == []
        rig.venue.on_bar({})
    assert rig.told() == [OrderEnded(order_id=order)]


@pytest.mark.req("VEN-001")
def test_an_order_waits_for_an_instruments_first_price(rig: Rig) -> None:
    rig.send(instrument=2)
    assert rig.told() == []
    rig.venue.on_bar({2: 5})
    assert [type(one) for one in rig.told()] == [Filled, OrderEnded]


@pytest.mark.req("VEN-003")
def test_some_orders_fill_in_parts_and_some_never_whole(rig: Rig) -> None:
    rig.send(wanted=range(1, 3))
    assert [quantity(one) for one in rig.told()] == [5, 5, None]
    rig.send(wanted=range(1))
    assert [quantity(one) for one in rig.told()] == [5, None]


@pytest.mark.req("VEN-004")
def test_the_same_session_fills_alike() -> None:
    def play() -> list[Any]:
        venue = PaperVenue(10**9, seed=11)
        venue.on_bar({1: 1_000_000})
        for number in range(40):
            order = replace(ORDER, worker=number % 3, side=1, quantity=7)
            venue.on_guard(Submit(order_id=number, order=order))
        return list(venue.tells)

    first = play()
    assert first == play()
    assert {quantity(one) for one in first} == {7, 3, 4, None}, "parts occur"


@pytest.mark.req("VEN-005")
def test_profit_is_booked_when_a_position_reaches_zero(rig: Rig) -> None:
    rig.send(side=-1)
    fee = rig.told()[0].fee
    rig.venue.on_bar({1: 900_000})
    rig.send(side=1, quantity=4)
    fee += rig.told()[0].fee
    assert rig.venue.cash == 1_000_000_000 - fee, "nothing is booked while the position is open"
    rig.send(side=1, quantity=6)
    fee += rig.told()[0].fee
    assert rig.venue.quantities[0] == 0
    assert rig.venue.cash == 1_000_000_000 - fee + 10 * 100_000


@pytest.mark.req("VEN-006")
def test_cancelling_ends_all_that_works_before_it_is_confirmed(rig: Rig) -> None:
    orders = [rig.send(limit_price=1), rig.send(worker=2, limit_price=2)]
    rig.venue.on_guard(EndOrders(sequence=9, close=(4,)))
    told = rig.told()
    assert told == [
        *(OrderEnded(order_id=order) for order in orders),
        OrdersEnded(sequence=9, close=(4,)),
    ]
    rig.venue.on_bar({1: 1})
    assert rig.told() == [], "what was cancelled does not fill"


@pytest.mark.req("VEN-007")
@pytest.mark.parametrize(
    "changes", [{"worker": 8}, {"worker": -1}, {"quantity": 0}, {"quantity": -4}, {"side": 3}],
    ids=str,
)  # fmt: skip
def test_what_is_no_order_ends_without_a_fill(rig: Rig, changes: dict[str, int]) -> None:
    order = replace(ORDER, **changes)
    rig.venue.on_guard(Submit(order_id=7, order=order))
    assert rig.told() == [OrderEnded(order_id=7)]
    assert rig.venue.counts == {"malformed": 1}
    assert (rig.venue.cash, rig.venue.quantities) == (1_000_000_000, [0] * 8)
