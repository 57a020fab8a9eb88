"""The client side of a channel: a request, and its own reply within a deadline.

Rules of this file:

*   Every question carries a number, and only the answer with that number is taken for it; what else
    arrives meanwhile waits in ``inbox``. An answer that comes after its deadline is thrown away.
*   A lost connection is an answer too: None, and the next question connects again. Clients of the
    kernel live through its restart.

Not here: what is asked.
"""

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dolphin.link.channel import BadMessage, Channel, ChannelClosed, LinkError, Message, connect


class Client:
    """One connection to a listener, made again when lost."""

    def __init__(self, path: Path, seconds: float) -> None:
        """Connect to ``path``, waiting up to ``seconds``; raises ``LinkError``."""
        self._path = path
        self._channel: Channel | None = connect(path, seconds)
        self._number = 0
        self.inbox: deque[Message] = deque()

    def fileno(self) -> int:
        """Return the descriptor, -1 while not connected."""
        return -1 if self._channel is None else self._channel.fileno()

    @property
    def connected(self) -> bool:
        """Return whether the connection stands, as far as is known."""
        return self._channel is not None

    # LNK-011
    def again(self, seconds: float = 0.0) -> bool:
        """Connect again where the connection is lost; return whether it stands."""
        if self._channel is None:
            try:
                self._channel = connect(self._path, seconds)
            except LinkError:
                return False
        return True

    def lose(self) -> None:
        """Let go of the connection."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _standing(self) -> Channel | None:
        """Return the channel, made again where it was lost and somebody listens."""
        self.again()
        return self._channel

    def tell(self, message: Mapping[str, Any]) -> bool:
        """Send without waiting for an answer; return whether it left."""
        channel = self._standing()
        return channel is not None and self._send(channel, message)

    def _send(self, channel: Channel, message: Mapping[str, Any]) -> bool:
        try:
            return channel.send(message)
        except ChannelClosed:
            self.lose()
            return False

    def hear(self) -> Message | None:
        """Return the next message, from the inbox or the wire, without waiting."""
        if self.inbox:
            return self.inbox.popleft()
        channel = self._standing()
        if channel is None:
            return None
        try:
            return channel.recv()
        except BadMessage:
            return None
        except ChannelClosed:
            self.lose()
            return None

    def wait(self, seconds: float) -> Message | None:
        """Return the next message within ``seconds``, None where none came."""
        if self.inbox:
            return self.inbox.popleft()
        channel = self._standing()
        if channel is None:
            return None
        try:
            return channel.wait(seconds)
        except BadMessage:
            return None
        except ChannelClosed:
            self.lose()
            return None

    # LNK-010
    def ask(self, message: Mapping[str, Any], seconds: float) -> Message | None:
        """Send a question and return its answer, None where none came within ``seconds``."""
        self._number += 1
        number = self._number
        deadline = time.monotonic() + seconds
        channel = self._standing()
        if channel is None or not self._send(channel, {**message, "id": number}):
            return None
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                answer = channel.wait(left)
            except BadMessage:
                continue
            except ChannelClosed:
                self.lose()
                return None
            if answer is None:
                return None
            asked = answer.get("id")
            if asked == number:
                return answer
            if asked is None:
                self.inbox.append(answer)
