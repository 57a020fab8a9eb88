"""The event loop: whom it hears, in which order, how much of each; who is let go, and when it ends.

Theory. Everything happens in one thread over real sockets: what was sent lies in the socket before
the turn begins, so the order of hearing is the loop's and never luck. Time is measured against time
of the same run.

Not here: what is said (``test_codec``), questions and answers (``test_client``).
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dolphin.link.channel import Channel, ChannelClosed, Listener, connect
from dolphin.link.codec import Unreadable, encode
from dolphin.link.loop import MESSAGES_A_TURN, OUTBOX_MAX, Loop, Rank
from dolphin.link.messages import TO_GUARD, CancelAll

SOON_S = 5.0
LATER_S = 60.0


def word(epoch: int) -> bytes:
    return encode(CancelAll(epoch=epoch))


class Tap:
    """A gate that a test opens and shuts. ``tokens`` is how many may be read."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.asked: list[float] = []

    def refill(self, now: float) -> bool:
        self.asked.append(now)
        return self.tokens > 0

    def spend(self) -> bool:
        self.tokens -= 1
        return self.tokens > 0


class Stage:
    """A loop, what it heard by rank, and clients by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.heard: list[tuple[str, Any]] = []

    def rank(self, name: str, **choices: Any) -> Rank[Any]:
        def take(_channel: Channel, heard: Any) -> None:
            self.heard.append((name, heard.epoch if isinstance(heard, CancelAll) else heard))

        return Rank(name, TO_GUARD, take, **choices)

    def listen(self, name: str, **choices: Any) -> Rank[Any]:
        return self.loop.listen(self.rank(name, **choices), self.folder / name)

    def client(self, name: str) -> Channel:
        """Connect, and be let in."""
        channel = connect(self.folder / name, SOON_S)
        self.turn()
        return channel

    def turn(self, hears: bool = True) -> list[tuple[str, Any]]:
        """Turn once, without waiting; return what was heard in it."""
        self.heard.clear()
        self.loop.turn(0.0, hears)
        return list(self.heard)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.loop.close()


# --- whom it hears, and in which order ------------------------------------------------------------


@pytest.mark.req("LNK-001", "LNK-024")
def test_ranks_are_heard_in_the_order_in_which_they_were_added(stage: Stage) -> None:
    for name in ("operator", "guard", "prober"):
        stage.listen(name)
    clients = {name: stage.client(name) for name in ("prober", "guard", "operator")}
    for epoch in (1, 2):
        for name in ("prober", "operator", "guard"):
            clients[name].send(word(epoch))
    assert stage.turn() == [
        ("operator", 1), ("operator", 2), ("guard", 1), ("guard", 2), ("prober", 1), ("prober", 2),
    ]  # fmt: skip
    assert stage.turn() == []


@pytest.mark.req("LNK-024")
def test_of_a_channel_a_turn_reads_no_more_than_its_rank_says(stage: Stage) -> None:
    assert MESSAGES_A_TURN == 64
    stage.listen("few", messages=3)
    stage.listen("usual")
    few, usual = stage.client("few"), stage.client("usual")
    assert all(few.send(word(number)) for number in range(5))
    assert all(usual.send(word(number)) for number in range(70))
    first, second = stage.turn(), stage.turn()
    assert [name for name, _ in first] == ["few"] * 3 + ["usual"] * 64
    assert [name for name, _ in second] == ["few"] * 2 + ["usual"] * 6


@pytest.mark.req("LNK-024")
def test_a_rank_may_be_heard_before_its_turn(stage: Stage) -> None:
    first = stage.listen("first", clients=2)
    one, other = stage.client("first"), stage.client("first")
    one.send(word(1))
    other.send(word(2))
    stage.loop.hear(first)
    assert stage.heard == [("first", 1), ("first", 2)]
    assert stage.turn() == []


@pytest.mark.req("LNK-002", "LNK-021", "LNK-026")
def test_what_is_no_message_is_handed_on_as_such_and_the_next_is_heard(stage: Stage) -> None:
    stage.listen("guard")
    client = stage.client("guard")
    for data in (b"{", b"\xff" * 70_000, word(3)):
        client.send(data)
    (_, cut), (_, long), last = stage.turn()
    assert isinstance(cut, Unreadable)
    assert isinstance(long, Unreadable)
    assert last == ("guard", 3)


@pytest.mark.req("LNK-023")
def test_a_turn_that_hears_nobody_lets_in_and_reads_nothing(stage: Stage) -> None:
    rank = stage.listen("guard", gate=Tap(9))
    client = connect(stage.folder / "guard", SOON_S)
    client.send(word(1))
    assert stage.turn(hears=False) == []
    assert len(rank.channels) == 1
    assert stage.turn(hears=False) == []
    assert stage.turn() == [("guard", 1)]


# --- gates ----------------------------------------------------------------------------------------


@pytest.mark.req("LNK-025")
def test_a_rank_whose_gate_is_shut_is_not_read_until_it_opens(stage: Stage) -> None:
    tap = Tap(2)
    stage.listen("prober", gate=tap)
    stage.listen("guard")
    prober, guard = stage.client("prober"), stage.client("guard")
    assert all(prober.send(word(number)) for number in range(4))
    assert stage.turn() == [("prober", 0), ("prober", 1)]
    guard.send(word(9))
    assert stage.turn() == [("guard", 9)]
    tap.tokens = 1
    assert stage.turn() == [("prober", 2)]
    assert stage.turn() == []
    tap.tokens = 5
    assert stage.turn() == [("prober", 3)]
    assert tap.asked == sorted(tap.asked)


@pytest.mark.req("LNK-023", "LNK-025")
def test_a_rank_whose_gate_is_shut_wakes_nobody(stage: Stage) -> None:
    """Unread words, and even an end, lie there: the turn waits for its deadline all the same."""
    tap = Tap(1)
    rank = stage.listen("prober", gate=tap)
    client = stage.client("prober")
    client.send(word(1))
    tap.tokens = 0
    client.close()
    assert waited_s(stage, 0.05) >= 0.05
    assert stage.heard == []
    assert len(rank.channels) == 1
    tap.tokens = 9
    assert stage.turn() == [("prober", 1)]
    assert rank.channels == []


# --- when a turn ends -----------------------------------------------------------------------------


def waited_s(stage: Stage, seconds: float) -> float:
    """Turn with a deadline so far away; return how long it took."""
    begun = time.monotonic()
    stage.loop.turn(begun + seconds)
    return time.monotonic() - begun


@pytest.mark.req("LNK-006", "LNK-023")
def test_a_turn_lasts_until_its_deadline_and_no_longer_where_something_is_there(
    stage: Stage,
) -> None:
    stage.listen("guard")
    client = stage.client("guard")
    quiet = waited_s(stage, 0.05)
    assert quiet >= 0.05
    client.send(word(1))
    assert waited_s(stage, LATER_S) < LATER_S / 2
    assert stage.heard == [("guard", 1)]
    connect(stage.folder / "guard", SOON_S)
    assert waited_s(stage, LATER_S) < LATER_S / 2, "who wants to connect is something, too"


@pytest.mark.req("LNK-006", "LNK-023")
def test_a_deadline_that_is_past_is_not_waited_for(stage: Stage) -> None:
    stage.listen("guard")
    quiet = waited_s(stage, 0.1)
    assert min(waited_s(stage, -SOON_S) for _ in range(3)) * 5 < quiet


# --- who stands, who goes -------------------------------------------------------------------------


@pytest.mark.req("LNK-007")
def test_the_newest_stand_and_the_oldest_goes(stage: Stage) -> None:
    came: list[int] = []
    rank = stage.listen("worker", clients=2, opened=lambda: came.append(len(came)))
    one, two, three = (stage.client("worker") for _ in range(3))
    assert (len(rank.channels), came) == (2, [0, 1, 2])
    with pytest.raises(ChannelClosed):
        one.recv()
    two.send(word(2))
    three.send(word(3))
    assert stage.turn() == [("worker", 2), ("worker", 3)]


@pytest.mark.req("LNK-005", "LNK-026")
def test_who_is_gone_is_dropped_alone(stage: Stage) -> None:
    worker, guard = stage.listen("worker", clients=2), stage.listen("guard")
    dead, alive, other = stage.client("worker"), stage.client("worker"), stage.client("guard")
    dead.send(word(1))
    dead.close()
    alive.send(word(2))
    other.send(word(3))
    assert stage.turn() == [("worker", 1), ("worker", 2), ("guard", 3)]
    assert (len(worker.channels), len(guard.channels)) == (1, 1)
    stage.loop.drop(worker, worker.channels[0])
    stage.loop.drop(guard, Channel(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)))
    assert (len(worker.channels), len(guard.channels)) == (0, 1)


@pytest.mark.req("LNK-026")
def test_an_answer_to_one_who_is_gone_drops_him_alone(stage: Stage) -> None:
    def answer(channel: Channel, _heard: Any) -> None:
        channel.send(b"yes")

    rank = stage.loop.listen(Rank("asks", TO_GUARD, answer, clients=2), stage.folder / "asks")
    dead, alive = stage.client("asks"), stage.client("asks")
    dead.send(word(1))
    alive.send(word(1))
    dead.close()
    stage.turn()
    assert len(rank.channels) == 1
    assert alive.recv() == b"yes"


@pytest.mark.req("LNK-007")
def test_control_nobody_who_hung_up_before_he_was_let_in_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = stage.listen("guard")
    connect(stage.folder / "guard", SOON_S)
    monkeypatch.setattr(Listener, "accept", lambda _self: None)
    assert stage.turn() == []
    assert rank.channels == []


# --- what waits to be sent ------------------------------------------------------------------------


@pytest.mark.req("LNK-001", "LNK-027")
def test_what_waits_leaves_in_order_once_somebody_is_there(stage: Stage) -> None:
    rank = stage.listen("guard")
    assert all(rank.put(CancelAll(epoch=epoch)) for epoch in range(3))
    stage.loop.flush(rank)
    assert len(rank.outbox) == 3, "nobody is there"
    client = stage.client("guard")
    assert [client.recv() for _ in range(3)] == [word(0), word(1), word(2)]
    assert client.recv() is None


@pytest.mark.req("LNK-004", "LNK-027")
def test_a_full_socket_keeps_the_rest_and_the_poller_says_when_there_is_room(stage: Stage) -> None:
    rank = stage.listen("guard")
    client = stage.client("guard")
    sent = 0
    while not rank.outbox:
        assert rank.put(CancelAll(epoch=sent))
        stage.loop.flush(rank)
        sent += 1
        assert sent < 9_000, "the socket has no end, so nothing was tested"
    assert waited_s(stage, 0.02) >= 0.02, "no room, nothing to do"
    heard = [client.recv() for _ in range(sent - len(rank.outbox))]
    assert waited_s(stage, LATER_S) < LATER_S / 2, "there is room"
    while (data := client.recv()) is not None:
        heard.append(data)
        stage.turn()
    assert heard == [word(number) for number in range(sent)]


@pytest.mark.req("LNK-027")
def test_an_outbox_is_bounded_and_who_takes_nothing_until_then_is_let_go(stage: Stage) -> None:
    assert OUTBOX_MAX == 10_000
    rank = stage.listen("guard", outbox_max=400)
    deaf = stage.client("guard")
    while rank.channels and rank.put(CancelAll(epoch=1)):
        stage.loop.flush(rank)
    assert (len(rank.outbox), rank.channels) == (400, [])
    assert rank.put(CancelAll(epoch=2)) is False
    assert len(rank.outbox) == 400
    assert deaf.recv() == word(1)
    rank.outbox.pop()
    rank.outbox.pop()
    deaf = stage.client("guard")
    assert rank.put(CancelAll(epoch=3)) is True


@pytest.mark.req("LNK-026", "LNK-027")
def test_what_waits_for_one_who_is_gone_waits_on(stage: Stage) -> None:
    rank = stage.listen("guard")
    stage.client("guard").close()
    rank.put(CancelAll(epoch=1))
    stage.loop.flush(rank)
    assert (len(rank.outbox), rank.channels) == (1, [])
    assert stage.client("guard").recv() == word(1)


@pytest.mark.req("LNK-025", "LNK-027")
def test_what_waits_leaves_though_the_rank_may_not_be_read(stage: Stage) -> None:
    tap = Tap(1)
    rank = stage.listen("guard", gate=tap)
    client = stage.client("guard")
    client.send(word(7))
    tap.tokens = 0
    rank.put(CancelAll(epoch=1))
    assert stage.turn() == []
    assert client.recv() == word(1)
    rank.put(CancelAll(epoch=2))
    rank.read = False
    stage.loop.turn(time.monotonic() + LATER_S)
    assert (client.recv(), stage.heard) == (word(2), [])


# --- connections outwards -------------------------------------------------------------------------


@pytest.mark.req("LNK-028")
def test_a_rank_that_connects_is_tried_again_each_turn_and_waited_for_by_nobody(
    stage: Stage,
) -> None:
    came: list[int] = []
    path = stage.folder / "kernel"
    rank = stage.loop.call(stage.rank("kernel", opened=lambda: came.append(1)), path)
    stage.turn()
    assert (rank.channels, came) == ([], [])
    listener = Listener(path)
    stage.turn()
    assert (len(rank.channels), came) == (1, [1])
    served = listener.accept()
    assert served is not None
    served.send(word(4))
    assert stage.turn() == [("kernel", 4)]
    served.close()
    stage.turn()
    stage.turn()
    assert (len(rank.channels), came) == (1, [1, 1])
    listener.close()


@pytest.mark.req("LNK-026")
def test_a_loop_that_is_closed_lets_everybody_go(stage: Stage) -> None:
    stage.listen("guard")
    client = stage.client("guard")
    listener = Listener(stage.folder / "kernel")
    stage.loop.call(stage.rank("kernel"), stage.folder / "kernel")
    stage.turn()
    stage.loop.close()
    with pytest.raises(ChannelClosed):
        client.recv()
    served = listener.accept()
    assert served is not None
    with pytest.raises(ChannelClosed):
        served.recv()
    assert stage.loop.ranks == []
    listener.close()
