"""Events as messages: what is of the right shape becomes an event, all else is told apart."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.link.events import EVENTS, INTEGER_MAX, NotAnEvent, event_of, message_of
from kernel import events

WHOLE: dict[str, Any] = {
    "event": "RequestOrder",
    "worker": 0,
    "instrument": 1,
    "side": 1,
    "reduce_only": False,
    "market": True,
    "quantity": 1,
    "limit_price": 0,
    "leverage_ppm": 1,
}


@pytest.mark.req("LNK-012")
def test_the_vocabulary_is_the_kernels() -> None:
    assert len(EVENTS) == 22
    assert all(getattr(events, name) is event for name, event in EVENTS.items())


@pytest.mark.req("LNK-012")
@given(st.data())
def test_every_event_comes_back_from_its_message(data: st.DataObject) -> None:
    cls = EVENTS[data.draw(st.sampled_from(sorted(EVENTS)))]
    integers = st.integers(-INTEGER_MAX - 1, INTEGER_MAX)
    kinds = {bool: st.booleans(), int: integers}
    event = cls(
        **{
            name: data.draw(
                kinds.get(hint, st.tuples(*[integers] * 8)),  # quantities are the only tuple
            )
            for name, hint in cls.__annotations__.items()
        }
    )
    message = json.loads(json.dumps(message_of(event)))
    assert event_of(message) == event


@pytest.mark.req("LNK-013", "LNK-014")
@pytest.mark.parametrize(
    "change",
    [
        {"event": "Obey"},
        {"event": None},
        {"event": ["RequestOrder"]},
        {"worker": True},
        {"worker": 1.0},
        {"worker": "0"},
        {"worker": None},
        {"worker": INTEGER_MAX + 1},
        {"reduce_only": 0},
        {"extra": 1},
    ],
)
def test_another_shape_is_no_event(change: dict[str, Any]) -> None:
    assert event_of(WHOLE)
    with pytest.raises(NotAnEvent):
        event_of(WHOLE | change)


@pytest.mark.req("LNK-013")
@pytest.mark.parametrize("field", sorted(WHOLE))
def test_a_missing_field_is_no_event(field: str) -> None:
    with pytest.raises(NotAnEvent):
        event_of({key: value for key, value in WHOLE.items() if key != field})


@pytest.mark.req("LNK-013")
@pytest.mark.parametrize("quantities", [[0] * 7, [0] * 9, "00000000", [0] * 7 + [True], None])
def test_a_view_has_eight_integers(quantities: Any) -> None:
    message = {"event": "ReconcileLedger", "cash": 1, "quantities": [0] * 8}
    assert event_of(message)
    with pytest.raises(NotAnEvent):
        event_of(message | {"quantities": quantities})


@pytest.mark.req("LNK-015")
def test_out_of_range_is_an_event_for_the_kernel_to_refuse() -> None:
    event = event_of(WHOLE | {"worker": -5})
    assert isinstance(event, events.RequestOrder)
    assert event.worker == -5
