"""Messages and kernel events: one vocabulary, the same fields, nothing judged on the way."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.link.codec import INTEGER_MAX
from dolphin.link.events import EVENTS, event_of, is_event
from dolphin.link.messages import (
    TO_KERNEL,
    Order,
    Permit,
    ReconcileLedger,
    RequestOrder,
    Said,
    Spoken,
    TripKillSwitch,
)
from kernel import events
from kernel.events import Event
from tests.dolphin.link.near import drawn
from traces.schema import KINDS

MESSAGES = {kind.__name__: kind for kind in get_args(Said)}


def carried(message: Any) -> dict[str, Any]:
    """Return what a message says of its event: an order's facts, no words, no number."""
    source = message.order if isinstance(message, RequestOrder) else message
    beside = {"id", "show", "who", "why", "order"}
    names = [name for name in source.__struct_fields__ if name not in beside]
    return {name: getattr(source, name) for name in names}


@pytest.mark.req("LNK-012")
def test_action_event_message_and_record_have_one_vocabulary(project_root: Path) -> None:
    text = (project_root / "spec" / "tla" / "Kernel.tla").read_text()
    actions = set(re.findall(r"^(\w+)(?:\([^)]*\))? ==", text, re.MULTILINE))
    assert set(MESSAGES) == set(EVENTS) == {kind.name for kind in KINDS}
    assert set(EVENTS) <= actions
    assert len(EVENTS) == 22
    assert all(getattr(events, name) is event for name, event in EVENTS.items())


@pytest.mark.req("LNK-012")
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_message_has_its_events_fields_in_order_but_for_an_operators_numbers(name: str) -> None:
    names = [field.name for field in fields(EVENTS[name])]  # type: ignore[arg-type]  # each is one
    said = MESSAGES[name]
    own = Order if said is RequestOrder else said
    found = [one for one in own.__struct_fields__ if one not in ("id", "show")]
    if said in get_args(Spoken):
        found = ["operator" if one == "who" else "reason" if one == "why" else one for one in found]
    assert found == names


@pytest.mark.req("LNK-012")
@pytest.mark.parametrize("thing", [7, None, "RequestOrder", Permit, int, Event])
def test_what_is_no_class_of_an_event_is_not_in_the_vocabulary(thing: object) -> None:
    assert not is_event(thing)
    assert is_event(events.RequestOrder)


@pytest.mark.req("LNK-012", "LNK-013")
def test_an_order_a_view_and_a_kill_become_their_events() -> None:
    order = Order(
        worker=2, instrument=9, side=-1, reduce_only=True, market=False, quantity=4, limit_price=7,
        leverage_ppm=5,
    )  # fmt: skip
    assert event_of(RequestOrder(order=order)) == events.RequestOrder(
        2, 9, -1, True, False, 4, 7, 5
    )
    view = ReconcileLedger(cash=-3, quantities=(1, 2, 3, 4, 5, 6, 7, 8))
    assert event_of(view) == events.ReconcileLedger(-3, (1, 2, 3, 4, 5, 6, 7, 8))
    kill = TripKillSwitch(cause=3, who="ada", why="smoke")
    assert event_of(kill, (11, 12)) == events.TripKillSwitch(3, 11, 12)


@pytest.mark.random
@given(st.sampled_from(sorted(MESSAGES)).flatmap(lambda name: drawn(MESSAGES[name])))
def test_every_message_becomes_its_event(message: Any) -> None:
    event = event_of(message, (5, 6))
    assert type(event).__name__ == type(message).__name__
    words = {"operator": 5, "reason": 6} if isinstance(message, Spoken) else {}
    assert vars(event) == carried(message) | words


@pytest.mark.req("LNK-014", "LNK-015")
@pytest.mark.parametrize("value", [INTEGER_MAX, -INTEGER_MAX - 1, -5])
def test_out_of_range_is_an_event_for_the_kernel_to_refuse(value: int) -> None:
    assert INTEGER_MAX == 9_223_372_036_854_775_807
    data = b'{"type":"ClaimInstrument","worker":%d,"instrument":0}' % value
    message: Any = TO_KERNEL.decode(data)
    assert event_of(message) == events.ClaimInstrument(worker=value, instrument=0)
