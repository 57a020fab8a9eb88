"""The one event loop: ranks of channels, a poller that is kept, deadlines, bounded work a turn.

Theory. A process of a session is a loop around a judge that waits for nobody. Each path that it
listens on, or connects to, is a *rank*; ranks are heard in the order in which they were added, so
whoever reduces risk comes first. One turn waits until a deadline of the monotonic clock at most,
hears each rank once, takes who wants to connect, and hands on what waits to be sent.

Rules of this file:

*   Of one channel a turn reads at most ``messages``; a rank whose gate is shut is not read, nor
    polled for reading, until it opens. So a flood fills the flooder's own socket.
*   Whatever bytes come, ``take`` gets a message or ``Unreadable``; a channel that is gone is
    dropped, alone. On a rank the newest connections stand, the oldest goes first.
*   What must not be lost waits in a rank's ``outbox``, encoded once, in order, for the first
    channel that stands. It is bounded: who takes nothing until it is full is let go.
*   A rank that connects is tried again each turn while its connection is lost, and not waited for.

Not here: what is said (``messages``), questions and answers (``client``). No spec module.
"""

import select
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from dolphin.link.channel import Channel, ChannelClosed, LinkError, Listener, connect
from dolphin.link.codec import Codec, Message, Unreadable, encode

MESSAGES_A_TURN = 64
OUTBOX_MAX = 10_000


class Gate(Protocol):
    """How much may be read of a rank."""

    def refill(self, now: float) -> bool:
        """Take the time ``now`` (seconds); return whether the rank may be read."""

    def spend(self) -> bool:
        """One message was read; return whether another may be."""


class Rank[Heard: Message]:
    """A path, and who stands on it. Made by ``Loop.listen`` and ``Loop.call``."""

    def __init__(
        self,
        name: str,
        hears: Codec[Heard],
        take: Callable[[Channel, Heard | Unreadable], None],
        *,
        clients: int = 1,
        messages: int = MESSAGES_A_TURN,
        gate: Gate | None = None,
        opened: Callable[[], None] | None = None,
        outbox_max: int = OUTBOX_MAX,
    ) -> None:
        """``take`` may send on the channel it is given, and let ``ChannelClosed`` pass.

        ``clients`` may stand at once; ``opened`` is told of each that has come.
        """
        self.name = name
        self.hears = hears
        self.take = take
        self.clients = clients
        self.messages = messages
        self.gate = gate
        self.opened = opened
        self.outbox_max = outbox_max
        self.listener: Listener | None = None
        self.path: Path | None = None
        self.channels: list[Channel] = []
        self.outbox: deque[bytes] = deque()
        self.read = True

    # LNK-027
    def put(self, message: Message) -> bool:
        """Let ``message`` wait to be sent; False where the outbox is full and it does not."""
        if len(self.outbox) >= self.outbox_max:
            return False
        self.outbox.append(encode(message))
        return True


class Loop:
    """Ranks, and the turns in which they are heard. One owner, one thread."""

    def __init__(self) -> None:
        """Begin with no rank."""
        self.ranks: list[Rank[Any]] = []
        self._poller = select.poll()
        self._polled: dict[int, int] = {}

    # LNK-023
    def listen[Heard: Message](self, rank: Rank[Heard], path: Path) -> Rank[Heard]:
        """Add a rank that listens on ``path``. Raises ``LinkError`` and ``OSError``."""
        rank.listener = Listener(path)
        self._poller.register(rank.listener, select.POLLIN)
        self.ranks.append(rank)
        return rank

    # LNK-023, LNK-028
    def call[Heard: Message](self, rank: Rank[Heard], path: Path) -> Rank[Heard]:
        """Add a rank that connects to ``path``, from the next turn on."""
        rank.path = path
        self.ranks.append(rank)
        return rank

    # LNK-006, LNK-023, LNK-024, LNK-025, LNK-026
    def turn(self, until: float, hears: bool = True) -> None:
        """Wait until the monotonic clock reads ``until`` at most; hear each rank once, in order.

        Without ``hears`` it only takes who wants to connect, and sends.
        """
        now = time.monotonic()
        for rank in self.ranks:
            if rank.path is not None and not rank.channels:
                self._connect(rank, rank.path)
            rank.read = hears and (rank.gate is None or rank.gate.refill(now))
            events = (select.POLLIN if rank.read else 0) | (select.POLLOUT if rank.outbox else 0)
            for channel in rank.channels:
                self._poll(channel.fileno(), events)
        left = max(0.0, until - time.monotonic())
        found = {descriptor for descriptor, _events in self._poller.poll(left * 1000)}
        for rank in self.ranks:
            for channel in list(rank.channels):
                if rank.read and channel.fileno() in found:
                    self._hear(rank, channel)
        for rank in self.ranks:
            if rank.listener is not None and rank.listener.fileno() in found:
                self._accept(rank, rank.listener)
            self.flush(rank)

    # LNK-024
    def hear(self, rank: Rank[Any]) -> None:
        """Hear a rank out of its order: what it has sent by now comes before what follows."""
        for channel in list(rank.channels):
            self._hear(rank, channel)

    # LNK-021, LNK-024, LNK-025
    def _hear(self, rank: Rank[Any], channel: Channel) -> None:
        for _ in range(rank.messages):
            try:
                data = channel.recv()
                if data is None:
                    return
                rank.take(channel, rank.hears.decode(data))
            except ChannelClosed:
                self.drop(rank, channel)
                return
            if rank.gate is not None and not rank.gate.spend():
                return

    # LNK-007
    def _accept(self, rank: Rank[Any], listener: Listener) -> None:
        fresh = listener.accept()
        if fresh is not None:
            self._stand(rank, fresh)

    # LNK-028
    def _connect(self, rank: Rank[Any], path: Path) -> None:
        try:
            fresh = connect(path, 0.0)
        except LinkError:
            return
        self._stand(rank, fresh)

    # LNK-007
    def _stand(self, rank: Rank[Any], fresh: Channel) -> None:
        rank.channels.append(fresh)
        if len(rank.channels) > rank.clients:
            self.drop(rank, rank.channels[0])
        if rank.opened is not None:
            rank.opened()

    # LNK-027
    def flush(self, rank: Rank[Any]) -> None:
        """Hand on what waits, as far as it is taken."""
        if not rank.channels:
            return
        channel = rank.channels[0]
        try:
            while rank.outbox and channel.send(rank.outbox[0]):
                rank.outbox.popleft()
        except ChannelClosed:
            self.drop(rank, channel)
            return
        if len(rank.outbox) >= rank.outbox_max:
            self.drop(rank, channel)

    # LNK-026
    def drop(self, rank: Rank[Any], channel: Channel) -> None:
        """Close a channel, and forget it."""
        if channel in rank.channels:
            rank.channels.remove(channel)
            self._poll(channel.fileno(), 0)
            channel.close()

    def _poll(self, descriptor: int, events: int) -> None:
        """Have the poller look for ``events`` of a descriptor, 0: for nothing."""
        if self._polled.get(descriptor, 0) == events:
            return
        if events:
            self._poller.register(descriptor, events)
            self._polled[descriptor] = events
        else:
            self._poller.unregister(descriptor)
            del self._polled[descriptor]

    def close(self) -> None:
        """Let go of every channel and listener."""
        for rank in self.ranks:
            for channel in list(rank.channels):
                self.drop(rank, channel)
            if rank.listener is not None:
                self._poller.unregister(rank.listener)
                rank.listener.close()
        self.ranks.clear()
