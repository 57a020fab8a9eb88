"""Channels, listeners and waiting at their edges: the longest message, the last moment, each word.

Rule of this file: no test waits for the clock to be right. ``Seconds`` are a time to wait whose end
the test decides; what is measured is compared with what was measured in the same run.

Not here: whole conversations (``test_channel``), a client's questions (``test_client``).
"""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from dolphin.link.channel import (
    MESSAGE_BYTES_MAX,
    PATH_BYTES_MAX,
    BadMessage,
    Channel,
    ChannelClosed,
    LinkError,
    Listener,
    connect,
    parse,
    ready,
)

SHORT_S = 0.05
LONGEST_S = 2_147_483.0  # in ms just below 2**31, the longest that a poller takes
ROUNDS = 3


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
        self.looks.append(time.monotonic())
        assert self.left, "looked again after the end"
        self.then()
        return self.left.pop(0)


def taken_s(call: Callable[[], object]) -> float:
    """Return how long a call took."""
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def shortest_s(call: Callable[[], object]) -> float:
    """Return how long a call took at its quickest: the machine is shared."""
    return min(taken_s(call) for _ in range(ROUNDS))


def message_of_bytes(count: int) -> dict[str, str]:
    """Return a message that is so long on the wire."""
    return {"a": "x" * (count - len('{"a":""}'))}


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel and the raw socket at its other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield Channel(ours), theirs


# --- one message ----------------------------------------------------------------------------------


@pytest.mark.req("LNK-002", "LNK-003")
def test_a_message_has_at_most_64_kib() -> None:
    assert MESSAGE_BYTES_MAX == 65_536


@pytest.mark.req("LNK-003")
def test_send_takes_the_longest_message_and_writes_it_without_blanks(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, raw = pair
    assert channel.send(message_of_bytes(65_536)) is True
    assert raw.recv(70_000) == b'{"a":"' + b"x" * 65_528 + b'"}'
    assert channel.send({"a": [1, None], "b": "ü"}) is True
    assert raw.recv(70_000) == b'{"a":[1,null],"b":"\\u00fc"}'


@pytest.mark.req("LNK-003")
def test_send_says_how_long_the_message_was_that_it_does_not_send(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, raw = pair
    with pytest.raises(ValueError, match=r"^message of 65537 bytes, at most 65536 pass$"):
        channel.send(message_of_bytes(65_537))
    raw.setblocking(False)
    with pytest.raises(BlockingIOError):
        raw.recv(1)


@pytest.mark.req("LNK-005")
@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_send_to_a_peer_that_is_gone_raises_what_the_system_says_and_no_signal(
    kind: socket.SocketKind,
) -> None:
    """Linux has a signal for streams alone; a stream shows that ``send`` asks for none."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    theirs.close()
    signals: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _frame: signals.append(number))
    try:
        with ours, pytest.raises(ChannelClosed) as found:
            Channel(ours).send({"a": 1})
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert str(found.value) == "[Errno 32] Broken pipe"
    assert signals == []


@pytest.mark.req("LNK-001", "LNK-002")
def test_recv_hears_the_longest_message_whole(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    raw.send(b'{"a":"' + b"x" * 65_528 + b'"}')
    assert channel.recv() == message_of_bytes(65_536)


@pytest.mark.req("LNK-002")
@pytest.mark.parametrize("count", [65_537, 65_538, 70_000])
def test_recv_calls_one_byte_more_too_long(pair: tuple[Channel, socket.socket], count: int) -> None:
    channel, raw = pair
    raw.send(b"{}" + b" " * (count - 2))
    with pytest.raises(BadMessage) as found:
        channel.recv()
    assert str(found.value) == "too long"


@pytest.mark.req("LNK-005")
def test_recv_says_that_the_stream_has_ended(pair: tuple[Channel, socket.socket]) -> None:
    channel, raw = pair
    raw.close()
    with pytest.raises(ChannelClosed) as found:
        channel.recv()
    assert str(found.value) == "end of stream"


@pytest.mark.req("LNK-002")
@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"[1]", "not an object"),
        (b"null", "not an object"),
    ],
)
def test_parse_names_what_is_no_message(data: bytes, word: str) -> None:
    with pytest.raises(BadMessage) as found:
        parse(data)
    assert str(found.value) == word


# --- waiting for a message ------------------------------------------------------------------------


@pytest.mark.req("LNK-006")
def test_wait_takes_nothing_that_comes_when_no_time_is_left(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, raw = pair
    assert channel.wait(Seconds(0.0, then=lambda: raw.send(b'{"late":1}'))) is None
    assert channel.recv() == {"late": 1}


@pytest.mark.req("LNK-006")
@pytest.mark.parametrize("left", [0.5, 1.0, LONGEST_S])
def test_wait_takes_what_comes_while_time_is_left(
    pair: tuple[Channel, socket.socket], left: float
) -> None:
    channel, raw = pair
    assert channel.wait(Seconds(left, then=lambda: raw.send(b'{"soon":1}'))) == {"soon": 1}


@pytest.mark.req("LNK-006")
def test_wait_sleeps_through_the_time_that_is_left(pair: tuple[Channel, socket.socket]) -> None:
    channel, _raw = pair
    seconds = Seconds(SHORT_S, 0.0)
    assert channel.wait(seconds) is None
    first, last = seconds.looks
    assert last - first >= SHORT_S


@pytest.mark.req("LNK-006")
def test_ready_waits_as_long_as_it_is_told_and_not_at_all_for_no_time(
    pair: tuple[Channel, socket.socket],
) -> None:
    descriptors = [pair[0].fileno()]
    assert ready(descriptors, SHORT_S) == set()
    waited = taken_s(lambda: ready(descriptors, SHORT_S))
    assert waited >= SHORT_S
    assert shortest_s(lambda: ready(descriptors, 0.0)) * 5 < waited
    assert shortest_s(lambda: ready(descriptors, -1.0)) * 5 < waited


@pytest.mark.req("LNK-006")
def test_ready_names_those_that_can_be_read_however_long_it_may_wait(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, raw = pair
    raw.send(b"{}")
    descriptors = [raw.fileno(), channel.fileno()]
    assert ready(descriptors, LONGEST_S) == {channel.fileno()}
    assert ready(descriptors, 0.0) == {channel.fileno()}


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


@pytest.mark.req("LNK-007")
def test_accept_goes_through_eight_at_a_time_and_keeps_the_newest_of_them(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    clients = [connect(tmp_path / "s", 0.0) for _ in range(9)]
    for newest in (7, 8):
        accepted = listener.accept()
        assert accepted is not None
        accepted.send({"to": newest})
        assert clients[newest].recv() == {"to": newest}
    assert listener.accept() is None
    for client in clients[:7]:
        with pytest.raises(ChannelClosed):
            client.recv()
    listener.close()


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
