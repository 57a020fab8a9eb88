"""Channels: whole messages, no waiting; what a peer does wrong is an exception and no more.

Not here: what messages mean.
"""

import socket
import threading
from pathlib import Path

import pytest

from dolphin.link.channel import (
    MESSAGE_BYTES_MAX,
    BadMessage,
    Channel,
    ChannelClosed,
    LinkError,
    Listener,
    connect,
)
from dolphin.link.client import Client


@pytest.fixture
def pair() -> tuple[Channel, socket.socket]:
    """A channel and the raw socket at its other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(ours), theirs


@pytest.mark.req("LNK-001")
def test_a_message_arrives_whole_and_in_order(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    other = Channel(raw)
    for number in range(5):
        assert channel.send({"n": number, "list": [1, None, True, "ü"]})
    assert [(other.recv() or {})["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert other.recv() is None


@pytest.mark.req("LNK-002")
@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[1,2]",
        b"17",
        b"\xff\xfe",
        b"null",
        b"{" * 60_000,
        b"[" * 60_000,
        b'{"a":"' + b"x" * MESSAGE_BYTES_MAX + b'"}',
    ],
)
def test_what_is_no_message_is_named_and_the_next_one_is_heard(
    pair: tuple[Channel, socket.socket], data: bytes
) -> None:
    channel, raw = pair
    raw.send(data)
    raw.send(b'{"after":1}')
    with pytest.raises(BadMessage):
        channel.recv()
    assert channel.recv() == {"after": 1}


@pytest.mark.req("LNK-004")
def test_a_peer_that_never_reads_blocks_nobody(pair: tuple[Channel, socket.socket]) -> None:
    channel, _raw = pair
    sent = 0
    while channel.send({"filler": "x" * 1000}):
        sent += 1
        assert sent < 100_000, "the buffer has no end, so nothing was tested"
    assert sent > 0
    assert channel.send({"small": 1}) in (True, False)  # and still does not wait


@pytest.mark.req("LNK-005")
def test_a_closed_peer_is_an_exception_on_both_ways(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    raw.close()
    with pytest.raises(ChannelClosed):
        channel.recv()
    with pytest.raises(ChannelClosed):
        channel.send({"a": 1})


@pytest.mark.req("LNK-003")
def test_a_message_that_nobody_would_take_is_not_sent(pair: tuple[Channel, socket.socket]) -> None:
    channel, _raw = pair
    with pytest.raises(ValueError, match="at most"):
        channel.send({"a": "x" * MESSAGE_BYTES_MAX})


@pytest.mark.req("LNK-006")
def test_wait_ends(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    assert channel.wait(0.01) is None
    timer = threading.Timer(0.02, raw.send, (b'{"late":1}',))
    timer.start()
    assert channel.wait(5.0) == {"late": 1}
    timer.join()


@pytest.mark.req("LNK-007", "LNK-009")
def test_the_newest_connection_counts(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    old = connect(tmp_path / "s", 1.0)
    new = connect(tmp_path / "s", 1.0)
    accepted = listener.accept()
    assert accepted is not None
    accepted.send({"to": "new"})
    assert new.wait(1.0) == {"to": "new"}
    with pytest.raises(ChannelClosed):
        old.wait(1.0)
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600


@pytest.mark.req("LNK-008")
def test_paths_that_cannot_be_are_named(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="longer"):
        Listener(tmp_path / ("x" * 120))
    with pytest.raises(LinkError, match="nobody"):
        connect(tmp_path / "nobody", 0.0)


@pytest.mark.req("LNK-010")
def test_a_client_takes_only_its_own_answer(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    client = Client(tmp_path / "s", 1.0)
    channel = listener.accept()
    assert channel is not None

    def answer() -> None:
        question = channel.wait(5.0)
        assert question is not None
        channel.send({"news": 1})
        channel.send({"id": question["id"] - 1, "stale": True})
        channel.send({"id": question["id"], "right": True})

    thread = threading.Thread(target=answer)
    thread.start()
    assert client.ask({"q": 1}, 5.0) == {"id": 1, "right": True}
    thread.join()
    assert client.hear() == {"news": 1}
    channel.close()
    assert client.ask({"q": 2}, 0.05) is None


@pytest.mark.req("LNK-011")
def test_a_client_connects_again(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    client = Client(tmp_path / "s", 1.0)
    first = listener.accept()
    assert first is not None
    first.close()
    assert client.hear() is None
    assert not client.connected
    assert client.tell({"back": True})
    second = listener.accept()
    assert second is not None
    assert second.wait(1.0) == {"back": True}
