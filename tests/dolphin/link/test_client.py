"""A client against listeners that answer, dawdle, lie and die: its own answer, or none in time.

Not here: channels (``test_channel``), turns (``test_loop``). Real sockets, one thread: a listener's
backlog takes a connection before anybody accepts it, so who speaks when is the test's to say.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dolphin.link import client as client_module
from dolphin.link.channel import Channel, ChannelClosed, LinkError, Listener
from dolphin.link.client import INBOX_MAX, Client
from dolphin.link.codec import encode
from dolphin.link.loop import Loop
from dolphin.link.messages import FROM_GUARD, AskBooks, OrderOver, Passed, Refused

SOON_S = 5.0
ASKED = b'{"type":"AskBooks","id":%d}'


def over(order_id: int, number: int = 0) -> bytes:
    return encode(OrderOver(order_id=order_id, left=0, id=number))


def news(order_id: int) -> OrderOver:
    return OrderOver(order_id=order_id, left=0)


class Served:
    """A client and the channel that the listener's side has to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = Listener(path)
        self.loop = Loop()
        self.client = Client(self.loop, path, FROM_GUARD, SOON_S)
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
    made.loop.close()
    made.listener.close()


@pytest.mark.req("LNK-008")
def test_where_nobody_listens_there_is_no_client(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="nobody listens there"):
        Client(Loop(), tmp_path / "none", FROM_GUARD, 0.05)


@pytest.mark.req("LNK-005", "LNK-011")
def test_with_nobody_there_every_word_is_lost_and_none_is_waited_for(served: Served) -> None:
    served.end()
    assert served.client.connected, "as far as is known"
    assert served.client.tell(AskBooks()) is False, "the first to notice"
    assert not served.client.connected
    assert served.client.tell(AskBooks()) is False, "nobody to connect to"
    assert served.client.hear() is None
    assert served.client.wait(0.05) is None
    assert served.client.ask(AskBooks(), SOON_S) is None


@pytest.mark.req("LNK-004")
def test_a_listener_that_does_not_read_costs_the_word_and_not_the_client(served: Served) -> None:
    sent = 0
    while served.client.tell(AskBooks()):
        sent += 1
        assert sent < 100_000, "the buffer has no end, so nothing was tested"
    assert served.client.connected
    assert served.client.ask(AskBooks(), SOON_S) is None, "the question did not leave"


@pytest.mark.req("LNK-010")
def test_a_client_takes_the_answer_to_its_own_question(served: Served) -> None:
    served.channel.send(over(1))
    served.channel.send(encode(Passed(order_id=9, id=2)))  # an answer to nothing
    served.channel.send(encode(Refused(reason="USED", id=1)))
    served.channel.send(over(2))
    assert served.client.ask(AskBooks(), SOON_S) == Refused(reason="USED", id=1)
    assert served.channel.recv() == ASKED % 1
    assert served.client.wait(SOON_S) == news(1)
    assert served.client.hear() == news(2)
    assert served.client.hear() is None
    served.channel.send(over(3))
    assert served.client.wait(SOON_S) == news(3)


@pytest.mark.req("LNK-010")
def test_what_is_told_is_numbered_too_and_its_answer_is_no_news(served: Served) -> None:
    assert served.client.tell(AskBooks())
    assert served.channel.recv() == ASKED % 1
    served.channel.send(encode(Passed(order_id=1, id=1)))
    assert served.client.hear() is None
    assert not served.client.inbox


@pytest.mark.req("LNK-006", "LNK-010")
def test_an_answer_after_its_deadline_is_thrown_away(served: Served) -> None:
    assert served.client.ask(AskBooks(), 0.0) is None
    assert served.client.ask(AskBooks(), 0.01) is None
    for number in (1, 2, 3):
        served.channel.send(encode(Passed(order_id=number, id=number)))
    assert served.client.ask(AskBooks(), SOON_S) == Passed(order_id=3, id=3)
    assert not served.client.inbox


class Spent:
    """A deadline and clock: what is done when the clock is looked at, and what it then says."""

    def __init__(self, *looks: tuple[float, Callable[[], object]]) -> None:
        self.looks = list(looks)

    def monotonic(self) -> float:
        now, then = self.looks.pop(0)
        then()
        return now


def nothing() -> None:
    pass


@pytest.mark.req("LNK-006", "LNK-010")
@pytest.mark.parametrize("last", [10.0, 11.0])
def test_control_ask_throws_away_an_answer_that_comes_when_no_time_is_left(
    served: Served, monkeypatch: pytest.MonkeyPatch, last: float
) -> None:
    late = encode(Passed(order_id=1, id=1))
    clock = Spent((9.0, nothing), (last, lambda: served.channel.send(late)))
    monkeypatch.setattr(client_module, "time", clock)
    assert served.client.ask(AskBooks(), 1.0) is None
    assert clock.looks == []


@pytest.mark.req("LNK-002")
def test_garbage_is_no_answer_and_no_news(served: Served) -> None:
    for data in (b"{", b"[]", b"\xff", b'{"type":"Hello","id":1}'):
        served.channel.send(data)
    served.channel.send(encode(Passed(order_id=1, id=1)))
    assert served.client.ask(AskBooks(), SOON_S) == Passed(order_id=1, id=1)
    assert served.client.hear() is None
    assert served.client.connected


@pytest.mark.req("LNK-005", "LNK-011")
def test_a_connection_that_is_lost_is_made_again_with_the_next_word(served: Served) -> None:
    served.channel.close()
    assert served.client.wait(SOON_S) is None
    assert not served.client.connected
    assert served.client.tell(AskBooks())
    assert served.accept().recv() == ASKED % 1
    served.client.lose()
    served.client.lose()
    assert not served.client.connected
    assert served.client.hear() is None
    assert served.client.connected


@pytest.mark.req("LNK-005", "LNK-011")
def test_control_a_listener_that_hangs_up_on_the_question_answers_none(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hung up in the very wait: None at once, though there is time and the path is there."""
    turn = served.loop.turn

    def hang_up(until: float, hears: bool = True) -> None:
        served.channel.close()
        turn(until, hears)

    monkeypatch.setattr(served.loop, "turn", hang_up)
    assert served.client.ask(AskBooks(), SOON_S) is None


@pytest.mark.req("LNK-011")
def test_control_a_question_that_fails_in_the_sending_is_none(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_self: Channel, _data: bytes) -> bool:
        raise ChannelClosed("gone")

    monkeypatch.setattr(Channel, "send", gone)
    assert served.client.ask(AskBooks(), SOON_S) is None
    assert not served.client.connected


@pytest.mark.req("LNK-029")
def test_an_inbox_that_is_full_is_not_read_on(served: Served) -> None:
    filler: list[Any] = [news(0)] * (INBOX_MAX - 2)
    served.client.inbox.extend(filler)
    for number in (1, 2, 3):
        served.channel.send(over(number))
    for _ in range(3):
        served.loop.turn(0.0)
    assert len(served.client.inbox) == INBOX_MAX
    assert served.client.inbox[-1] == news(2)
    served.client.inbox.clear()
    assert served.client.wait(SOON_S) == news(3)
