"""Events as messages, to the last integer that fits, and every refusal word for word.

Not here: each event there and back, drawn (``test_events``).
"""

from dataclasses import fields
from typing import Any

import pytest

from dolphin.link.events import EVENTS, INTEGER_MAX, NotAnEvent, event_of, message_of
from kernel import events

VIEW: dict[str, Any] = {"event": "ReconcileLedger", "cash": 1, "quantities": [0] * 8}
ORDER: dict[str, Any] = {
    "event": "RequestOrder", "worker": 0, "instrument": 1, "side": 1, "reduce_only": False,
    "market": True, "quantity": 1, "limit_price": 0, "leverage_ppm": 1,
}  # fmt: skip


@pytest.mark.req("LNK-014")
def test_the_largest_integer_is_that_of_64_bits() -> None:
    assert INTEGER_MAX == 9_223_372_036_854_775_807


@pytest.mark.req("LNK-014")
@pytest.mark.parametrize("value", [9_223_372_036_854_775_807, -9_223_372_036_854_775_808])
def test_event_of_takes_the_last_integers_of_64_bits(value: int) -> None:
    assert event_of(ORDER | {"quantity": value}) == events.RequestOrder(
        0, 1, 1, False, True, value, 0, 1
    )
    assert event_of(VIEW | {"quantities": [value] * 8}) == events.ReconcileLedger(1, (value,) * 8)


@pytest.mark.req("LNK-014")
@pytest.mark.parametrize("value", [9_223_372_036_854_775_808, -9_223_372_036_854_775_809])
def test_event_of_refuses_the_first_integers_beyond(value: int) -> None:
    with pytest.raises(NotAnEvent) as found:
        event_of(ORDER | {"quantity": value})
    assert str(found.value) == "RequestOrder: quantity: an integer of 64 bits expected"
    with pytest.raises(NotAnEvent) as found:
        event_of(VIEW | {"quantities": [0] * 7 + [value]})
    assert str(found.value) == "ReconcileLedger: quantities: eight integers expected"


@pytest.mark.req("LNK-012")
def test_every_event_of_the_kernel_comes_back_from_its_message() -> None:
    classes = {one for one in vars(events).values() if isinstance(one, type)}
    of_kernel = {one for one in classes if issubclass(one, events.Event)} - {events.Event}
    assert set(EVENTS.values()) == of_kernel
    for name, event in EVENTS.items():
        given: dict[str, Any] = {
            field.name: True if field.type is bool else number
            for number, field in enumerate(fields(event))  # type: ignore[arg-type]  # every event is a dataclass
        }
        if "quantities" in given:
            given["quantities"] = list(range(8))
        made = event_of({"event": name, "id": 4, **given})
        assert type(made) is event
        assert message_of(made) == {"event": name, **given} | (
            {"quantities": tuple(range(8))} if "quantities" in given else {}
        )


@pytest.mark.req("LNK-013")
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({}, "no event of that name"),
        ({"event": "Event"}, "no event of that name"),
        (VIEW | {"more": 1}, "ReconcileLedger: fields ['cash', 'quantities'] expected"),
        ({"event": "CloseBar"}, "CloseBar: fields ['market_time_ms'] expected"),
        (VIEW | {"quantities": [0] * 7}, "ReconcileLedger: quantities: eight integers expected"),
        (VIEW | {"cash": True}, "ReconcileLedger: cash: an integer of 64 bits expected"),
        (ORDER | {"reduce_only": 0}, "RequestOrder: reduce_only: a boolean expected"),
        (ORDER | {"market": None}, "RequestOrder: market: a boolean expected"),
    ],
)
def test_event_of_says_what_was_expected(message: dict[str, Any], words: str) -> None:
    with pytest.raises(NotAnEvent) as found:
        event_of(message)
    assert str(found.value) == words
