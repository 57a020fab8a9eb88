"""A client against listeners that answer, dawdle, lie and die: its own answer, or none in time.

Not here: channels (``test_channel``). Real sockets, one thread: a listener's backlog takes a
connection before anybody accepts it, so who speaks when is the test's to say.
"""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dolphin.link.channel import Channel, LinkError, Listener, connect
from dolphin.link.client import Client

SOON_S = 5.0


class Served:
    """A client and the channel that the listener's side has to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = Listener(path)
        self.client = Client(path, SOON_S)
        self.channel = self.accept()

    def accept(self) -> Channel:
        channel = self.listener.accept()
        assert channel is not None
        return channel

    def end(self) -> None:
        """Nobody listens any more, and who was connected is let go."""
        self.listener.close()
        self.path.unlink()
        self.channel.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "s")
    yield made
    made.listener.close()


@pytest.mark.req("LNK-008")
def test_where_nobody_listens_there_is_no_client(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="nobody listens there"):
        Client(tmp_path / "none", 0.05)


@pytest.mark.req("LNK-011")
def test_the_descriptor_is_there_while_the_connection_is(served: Served) -> None:
    assert served.client.fileno() >= 0
    assert served.client.connected
    served.client.lose()
    served.client.lose()
    assert served.client.fileno() == -1
    assert not served.client.connected


@pytest.mark.req("LNK-011")
def test_a_client_says_whether_it_stands_again(served: Served) -> None:
    assert served.client.again()
    served.client.lose()
    assert served.client.again(SOON_S)
    served.end()
    assert served.client.hear() is None
    assert not served.client.again()


@pytest.mark.req("LNK-005", "LNK-011")
def test_with_nobody_there_every_word_is_lost_and_none_is_waited_for(served: Served) -> None:
    served.end()
    assert served.client.tell({"a": 1}) is False, "the first to notice"
    assert served.client.tell({"a": 1}) is False, "nobody to connect to"
    assert served.client.hear() is None
    assert served.client.wait(SOON_S) is None
    assert served.client.ask({"a": 1}, SOON_S) is None
    assert not served.client.connected


@pytest.mark.req("LNK-004")
def test_a_listener_that_does_not_read_costs_the_word_and_not_the_client(served: Served) -> None:
    sent = 0
    while served.client.tell({"filler": "x" * 1000}):
        sent += 1
        assert sent < 100_000, "the buffer has no end, so nothing was tested"
    assert served.client.connected
    assert served.client.ask({"q": 1}, SOON_S) is None, "the question did not leave"


@pytest.mark.req("LNK-010")
def test_what_came_beside_the_answer_waits_in_order(served: Served) -> None:
    for news in (1, 2):
        served.channel.send({"news": news})
    served.channel.send({"id": 1})
    assert served.client.ask({"q": 1}, SOON_S) == {"id": 1}
    assert served.client.wait(SOON_S) == {"news": 1}
    assert served.client.hear() == {"news": 2}
    assert served.client.hear() is None
    served.channel.send({"news": 3})
    assert served.client.wait(SOON_S) == {"news": 3}


@pytest.mark.req("LNK-010")
def test_an_answer_after_its_deadline_is_thrown_away(served: Served) -> None:
    assert served.client.ask({"q": 1}, 0.0) is None
    assert served.client.ask({"q": 2}, 0.01) is None
    served.channel.send({"id": 1, "late": True})
    served.channel.send({"id": 2, "late": True})
    served.channel.send({"id": 3})
    assert served.client.ask({"q": 3}, SOON_S) == {"id": 3}
    assert not served.client.inbox


@pytest.mark.req("LNK-002")
def test_garbage_is_no_answer_and_no_news(tmp_path: Path) -> None:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    raw.bind(str(tmp_path / "s"))
    raw.listen(1)
    client = Client(tmp_path / "s", SOON_S)
    peer, _address = raw.accept()
    for _ in range(3):
        peer.send(b"{")
    peer.send(b'{"id":1}')
    assert client.hear() is None
    assert client.wait(SOON_S) is None
    assert client.ask({"q": 1}, SOON_S) == {"id": 1}
    assert client.connected
    raw.close()


@pytest.mark.req("LNK-005", "LNK-011")
def test_a_listener_that_dies_while_it_is_asked_is_found_out(served: Served) -> None:
    assert served.client.tell({"a": 1})
    served.channel.close()
    assert served.client.wait(SOON_S) is None
    assert not served.client.connected
    assert served.client.tell({"back": 1})
    assert served.accept().wait(SOON_S) == {"back": 1}


@pytest.mark.req("LNK-005")
def test_a_listener_that_takes_the_question_and_hangs_up_answers_none(served: Served) -> None:
    # Shut on its sending side only: the question still leaves, and the answer is the end.
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path = served.path.with_name("half")
    raw.bind(str(path))
    raw.listen(1)
    client = Client(path, SOON_S)
    peer, _address = raw.accept()
    peer.shutdown(socket.SHUT_WR)
    assert client.ask({"q": 1}, SOON_S) is None
    assert not client.connected
    raw.close()


@pytest.mark.req("LNK-008")
def test_a_listener_that_comes_late_is_waited_for_until_then(tmp_path: Path) -> None:
    """A path that nobody listens on yet: the connection is tried again until it is."""
    path = tmp_path / "s"
    refused = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    refused.bind(str(path))  # bound, and not listening: ECONNREFUSED
    with pytest.raises(LinkError, match="refused"):
        connect(path, 0.05)
    refused.listen(1)
    connect(path, SOON_S).close()
    refused.close()
