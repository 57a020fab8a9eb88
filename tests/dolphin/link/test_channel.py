"""Channels and listeners: whole messages, no waiting; what a peer does wrong is its own loss.

Not here: what the bytes mean (``test_codec``), who is heard when (``test_loop``).
"""

import signal
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from dolphin.link.channel import (
    PATH_BYTES_MAX,
    Channel,
    ChannelClosed,
    LinkError,
    Listener,
    connect,
)

ROUNDS = 3
SOON_S = 5.0


class Seconds(float):
    """Seconds to wait, and what is left of them at each look at the clock: one look too many fails.

    ``then`` is done at every look, before the rest of the time begins. ``looks`` are the looks, in
    seconds of the real clock.
    """

    left: list[float]
    looks: list[float]
    then: Callable[[], object]

    def __new__(cls, *left: float, then: Callable[[], object] = lambda: None) -> "Seconds":
        made = super().__new__(cls, left[0])
        made.left, made.looks, made.then = [*left], [], then
        return made

    def __radd__(self, _now: float) -> float:
        return self

    def __sub__(self, _now: float) -> float:
        self.looks.append(monotonic())
        assert self.left, "looked again after the end"
        self.then()
        return self.left.pop(0)


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel and the raw socket at its other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield Channel(ours), theirs


# --- one message ----------------------------------------------------------------------------------


@pytest.mark.req("LNK-001")
def test_a_message_arrives_whole_and_in_order(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    other = Channel(raw)
    said = [str(number).encode() * 1000 for number in range(5)]
    assert all(channel.send(one) for one in said)
    assert [other.recv() for _ in said] == said
    assert other.recv() is None


@pytest.mark.req("LNK-001", "LNK-002")
@pytest.mark.parametrize(("sent", "heard"), [(65_536, 65_536), (65_537, 65_537), (99_000, 65_537)])
def test_what_is_too_long_comes_cut_and_longer_than_the_longest_message(
    pair: tuple[Channel, socket.socket], sent: int, heard: int
) -> None:
    channel, raw = pair
    raw.send(b"x" * sent)
    raw.send(b"after")
    assert channel.recv() == b"x" * heard
    assert channel.recv() == b"after"


@pytest.mark.req("LNK-004")
def test_a_peer_that_never_reads_blocks_nobody(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    sent = 0
    while channel.send(b"x" * 1000):
        sent += 1
        assert sent < 100_000, "the buffer has no end, so nothing was tested"
    assert sent > 0
    other = Channel(raw)
    assert sum(1 for _ in iter(other.recv, None)) == sent


@pytest.mark.req("LNK-005")
def test_the_end_of_a_peer_is_an_exception_on_both_ways(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, raw = pair
    raw.close()
    with pytest.raises(ChannelClosed, match=r"^end of stream$"):
        channel.recv()
    with pytest.raises(ChannelClosed, match="Broken pipe"):
        channel.send(b"a")


@pytest.mark.req("LNK-005")
def test_a_peer_that_hangs_up_on_unread_words_is_gone(pair: tuple[Channel, socket.socket]) -> None:
    """Not an end of stream but ECONNRESET: the machine's own word for what was lost."""
    channel, raw = pair
    assert channel.send(b"never read")
    raw.close()
    with pytest.raises(ChannelClosed, match="reset"):
        channel.recv()


@pytest.mark.req("LNK-005")
@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_send_to_a_peer_that_is_gone_asks_for_no_signal(kind: socket.SocketKind) -> None:
    """Linux has a signal for streams alone; a stream shows that ``send`` asks for none."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    theirs.close()
    signals: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _frame: signals.append(number))
    try:
        with ours, pytest.raises(ChannelClosed) as found:
            Channel(ours).send(b"a")
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert str(found.value) == "[Errno 32] Broken pipe"
    assert signals == []


@pytest.mark.req("LNK-005")
def test_a_channel_that_is_closed_is_gone_both_ways(pair: tuple[Channel, socket.socket]) -> None:
    channel, _raw = pair
    assert channel.fileno() >= 0
    channel.close()
    assert channel.fileno() == -1
    with pytest.raises(ChannelClosed):
        channel.recv()
    with pytest.raises(ChannelClosed):
        channel.send(b"a")


# --- paths ----------------------------------------------------------------------------------------


def path_of_bytes(folder: Path, count: int) -> Path:
    """Return a path in the folder that has so many bytes."""
    path = folder / ("s" * (count - len(str(folder)) - 1))
    assert len(str(path)) == count
    return path


@pytest.mark.req("LNK-008")
def test_a_listener_takes_a_path_of_100_bytes(tmp_path: Path) -> None:
    assert PATH_BYTES_MAX == 100
    path = path_of_bytes(tmp_path, 100)
    listener = Listener(path)
    connect(path, 0.0).close()
    listener.close()


@pytest.mark.req("LNK-008")
def test_a_listener_names_a_path_of_one_byte_more(tmp_path: Path) -> None:
    path = path_of_bytes(tmp_path, 101)
    with pytest.raises(LinkError) as found:
        Listener(path)
    assert str(found.value) == f"{path}: longer than 100 bytes, no socket can lie there"


@pytest.mark.req("LNK-009")
def test_a_path_is_this_users_alone_and_a_dead_socket_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    Listener(path).close()
    listener = Listener(path)
    assert path.stat().st_mode & 0o777 == 0o600
    connect(path, 0.0).close()
    listener.close()
    assert listener.fileno() == -1


@pytest.mark.req("LNK-007")
def test_who_waited_longest_is_taken_first_and_none_where_nobody_waits(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    assert listener.accept() is None
    clients = [connect(tmp_path / "s", SOON_S) for _ in range(3)]
    for client in clients:
        accepted = listener.accept()
        assert accepted is not None
        accepted.send(b"you")
        assert client.recv() == b"you"
    assert listener.accept() is None
    listener.close()
    assert listener.accept() is None


def waiting_on(path: Path) -> int:
    """Return how many connections wait on the path when the next one is turned away."""
    taken: list[socket.socket] = []
    try:
        while True:
            taken.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            taken[-1].setblocking(False)
            try:
                taken[-1].connect(str(path))
            except BlockingIOError:
                return len(taken) - 1
            assert len(taken) < 1000, "nobody is turned away"
    finally:
        for each in taken:
            each.close()


@pytest.mark.req("LNK-007")
def test_a_listener_lets_as_many_wait_as_a_backlog_of_eight(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.bind(str(tmp_path / "other"))
        other.listen(8)
        ours = Listener(tmp_path / "ours")
        assert waiting_on(tmp_path / "ours") == waiting_on(tmp_path / "other")
        ours.close()


@pytest.mark.req("LNK-006", "LNK-008")
def test_connect_does_not_try_again_when_no_time_is_left(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with pytest.raises(LinkError) as found:
        connect(path, Seconds(0.0, then=lambda: Listener(path)))
    assert str(found.value) == f"{path}: nobody listens there (No such file or directory)"


@pytest.mark.req("LNK-006", "LNK-008")
@pytest.mark.parametrize("left", [0.5, 1.0])
def test_connect_tries_again_while_time_is_left(tmp_path: Path, left: float) -> None:
    made: list[Listener] = []
    path = tmp_path / "s"
    seconds = Seconds(left, then=lambda: made.append(Listener(path)))
    connect(path, seconds).close()
    assert len(seconds.looks) == 1
    made[0].close()


@pytest.mark.req("LNK-008")
def test_connect_tries_again_long_before_the_time_is_over(tmp_path: Path) -> None:
    left = 1.0
    seconds = Seconds(*[left] * ROUNDS, 0.0)
    with pytest.raises(LinkError):
        connect(tmp_path / "s", seconds)
    looks = seconds.looks
    assert min(later - look for look, later in pairwise(looks)) < left


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
