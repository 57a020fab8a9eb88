"""Channels, listeners and events where the machine or a peer says no.

Not here: what a channel does on a good day (``test_channel``), clients (``test_client``).
"""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from dolphin.link.channel import Channel, ChannelClosed, Listener, connect, ready
from dolphin.link.events import EVENTS, INTEGER_MAX, NotAnEvent, event_of, is_event, message_of
from dolphin.link.permit import Permit
from kernel.events import Event, ReconcileLedger, RequestOrder

SOON_S = 5.0


def pair() -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(ours), theirs


@pytest.mark.req("LNK-005")
def test_a_peer_that_hangs_up_on_unread_words_is_gone() -> None:
    """Not an end of stream but ECONNRESET: the machine's own word for what was lost."""
    channel, raw = pair()
    assert channel.send({"never": "read"})
    raw.close()
    with pytest.raises(ChannelClosed, match="reset"):
        channel.recv()


@pytest.mark.req("LNK-005")
def test_a_channel_that_is_closed_is_gone_both_ways() -> None:
    channel, _raw = pair()
    assert channel.fileno() >= 0
    channel.close()
    assert channel.fileno() == -1
    with pytest.raises(ChannelClosed):
        channel.recv()
    with pytest.raises(ChannelClosed):
        channel.send({"a": 1})


@pytest.mark.req("LNK-007")
def test_where_nobody_waits_none_is_taken(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    assert listener.accept() is None
    assert listener.accept_next() is None
    listener.close()
    assert listener.fileno() == -1


@pytest.mark.req("LNK-007")
def test_of_a_full_backlog_the_newest_is_kept_and_one_by_one_the_oldest(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    waiting = [connect(tmp_path / "s", SOON_S) for _ in range(8)]
    taken = listener.accept()
    assert taken is not None
    assert taken.send({"to": "the newest"})
    assert waiting[-1].recv() == {"to": "the newest"}
    for other in waiting[:-1]:
        with pytest.raises(ChannelClosed):
            other.recv()
    first, _second = connect(tmp_path / "s", SOON_S), connect(tmp_path / "s", SOON_S)
    one = listener.accept_next()
    assert one is not None
    assert one.send({"to": "the oldest"})
    assert first.recv() == {"to": "the oldest"}


@pytest.mark.req("LNK-006")
def test_who_can_be_read_is_told_within_the_time() -> None:
    (channel, raw), (quiet, _other) = pair(), pair()
    assert ready([], 0.0) == set()
    assert ready([channel.fileno(), quiet.fileno()], -1.0) == set()
    raw.send(b"{}")
    assert ready([channel.fileno(), quiet.fileno()], SOON_S) == {channel.fileno()}


@pytest.mark.req("LNK-012")
@pytest.mark.parametrize("thing", [7, None, "RequestOrder", Permit, int, Event])
def test_what_is_no_class_of_an_event_is_not_in_the_vocabulary(thing: object) -> None:
    assert not is_event(thing)
    assert is_event(RequestOrder)


def sent(event: Event) -> dict[str, Any]:
    """Return the message of an event as it arrives."""
    message: dict[str, Any] = json.loads(json.dumps(message_of(event)))
    return message


@pytest.mark.req("LNK-012")
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_comes_back_from_its_message(name: str) -> None:
    cls = EVENTS[name]
    values = {int: 5, bool: True}
    event = cls(
        **{field: values.get(kind, (1,) * 8) for field, kind in cls.__annotations__.items()}
    )
    assert event_of(sent(event)) == event


@pytest.mark.req("LNK-014")
@pytest.mark.parametrize("value", [INTEGER_MAX, -INTEGER_MAX - 1])
def test_integers_reach_to_64_bits_and_no_further(value: int) -> None:
    message = sent(ReconcileLedger(cash=value, quantities=(value,) * 8))
    assert event_of(message) == ReconcileLedger(cash=value, quantities=(value,) * 8)
    beyond = value + (1 if value > 0 else -1)
    with pytest.raises(NotAnEvent, match="64 bits"):
        event_of(message | {"cash": beyond})
    with pytest.raises(NotAnEvent, match="eight integers"):
        event_of(message | {"quantities": [beyond] * 8})
