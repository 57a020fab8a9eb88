"""The client side of a channel: a request, and its own reply within a deadline.

Rules of this file:

*   Every message carries a number of its own, and only the answer with the number that is waited
    for is kept. What comes without a number is news and waits in ``inbox``; a late answer is thrown
    away.
*   While it waits, its loop turns, so whatever else the process listens to is heard meanwhile.
*   A lost connection is an answer too: None, and the loop connects again. Clients of the kernel
    live through its restart.
*   A full inbox is not read on: the sender's socket fills, and not this process.

Not here: what is asked (``messages``).
"""

import time
from collections import deque
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from dolphin.link.channel import Channel, ChannelClosed, connect
from dolphin.link.codec import Codec, Message, Unreadable, encode
from dolphin.link.loop import Loop, Rank

INBOX_MAX = 10_000


# LNK-029
class Room:
    """A gate: open while the inbox has room."""

    def __init__(self, inbox: deque[Any]) -> None:
        """Watch ``inbox``."""
        self._inbox = inbox

    def refill(self, now: float) -> bool:
        """Return whether there is room, whatever the time."""
        return self.spend()

    def spend(self) -> bool:
        """Return whether there is room."""
        return len(self._inbox) < INBOX_MAX


class Client[Heard: Message]:
    """One connection to a listener, made again when lost."""

    def __init__(self, loop: Loop, path: Path, hears: Codec[Heard], seconds: float) -> None:
        """Connect to ``path``, waiting up to ``seconds``; raises ``LinkError``."""
        self.inbox: deque[Heard] = deque()
        self._loop = loop
        self._rank: Rank[Heard] = Rank(path.name, hears, self._take, gate=Room(self.inbox))
        self._rank.channels.append(connect(path, seconds))
        self._number = self._asked = 0
        self._answer: Heard | None = None
        loop.call(self._rank, path)

    @property
    def connected(self) -> bool:
        """Return whether the connection stands, as far as is known."""
        return bool(self._rank.channels)

    # LNK-010
    def _take(self, _channel: Channel, heard: Heard | Unreadable) -> None:
        if isinstance(heard, Unreadable):
            return
        if heard.id == 0:
            self.inbox.append(heard)
        elif heard.id == self._asked:
            self._answer = heard

    # LNK-004, LNK-005, LNK-011
    def tell(self, message: Message) -> bool:
        """Send without waiting for an answer; return whether it left."""
        self._number += 1
        if not self._rank.channels:
            self._loop.turn(0.0)
        if not self._rank.channels:
            return False
        channel = self._rank.channels[0]
        try:
            return channel.send(encode(replace(message, id=self._number)))
        except ChannelClosed:
            self._loop.drop(self._rank, channel)
            return False

    # LNK-006, LNK-010, LNK-011
    def ask(self, message: Message, seconds: float) -> Heard | None:
        """Send a question and return its answer, None where none came within ``seconds``."""
        end = time.monotonic() + seconds
        self._answer = None
        if not self.tell(message):
            return None
        self._asked = self._number
        standing = list(self._rank.channels)
        while self._answer is None and self._rank.channels == standing and time.monotonic() < end:
            self._loop.turn(end)
        self._asked = 0
        return self._answer

    # LNK-006
    def wait(self, seconds: float) -> Heard | None:
        """Return the next piece of news within ``seconds``, None where none came."""
        end = time.monotonic() + seconds
        while not self.inbox:
            self._loop.turn(end)
            if time.monotonic() >= end or not self._rank.channels:
                break
        return self.inbox.popleft() if self.inbox else None

    def hear(self) -> Heard | None:
        """Return the next piece of news that is there, without waiting."""
        return self.wait(0.0)

    def lose(self) -> None:
        """Let go of the connection; the next turn connects again."""
        for channel in list(self._rank.channels):
            self._loop.drop(self._rank, channel)
