"""Channels and listeners over Unix SOCK_SEQPACKET.

Rules of this file:

*   Every socket is non-blocking. ``send`` says whether the message left; ``recv`` says whether one
    was there. Waiting is a separate word, ``wait``, and always has an end.
*   A message is a JSON object of at most ``MESSAGE_BYTES_MAX`` bytes. Longer, truncated, not JSON,
    or not an object: ``BadMessage``, and the channel stays usable. The reader decides what a bad
    message costs its sender.
*   A full buffer is the sender's problem: ``send`` returns False and drops nothing by itself.
*   A listener keeps the newest connection. A respawned process gets through while its dead
    ancestor's socket still lingers.

Sequenced packets keep message borders, so no reader can be stuck in half a message. Not here: who
may say what (``dolphin/shell/roles.py``). No spec module: the models assume that messages may be
late, lost with their process, and never altered on the way to the guard (its MAC sees to that).
"""

import json
import os
import select
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

MESSAGE_BYTES_MAX = 65_536
PATH_BYTES_MAX = 100  # sun_path holds 108, the terminating zero and a margin taken off

Message = dict[str, Any]


class ChannelClosed(Exception):
    """The other end is gone."""


class BadMessage(Exception):
    """What came is no message: too long, not JSON, or not an object."""


class LinkError(Exception):
    """A path cannot be listened on or connected to."""


class Channel:
    """One end of a connection. Not thread-safe; one owner."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over ``sock``, a connected SOCK_SEQPACKET socket."""
        sock.setblocking(False)
        self._socket = sock

    def fileno(self) -> int:
        """Return the descriptor, for a poller; -1 once closed."""
        return self._socket.fileno()

    # LNK-003, LNK-004, LNK-005
    def send(self, message: Mapping[str, Any]) -> bool:
        """Send one message; False where the other end's buffer is full.

        Raises ``ChannelClosed`` where the other end is gone, ``ValueError`` for a message that no
        receiver would take.
        """
        data = json.dumps(message, separators=(",", ":")).encode()
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError(f"message of {len(data)} bytes, at most {MESSAGE_BYTES_MAX} pass")
        try:
            self._socket.send(data, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        return True

    # LNK-001, LNK-002, LNK-005
    def recv(self) -> Message | None:
        """Return the next message, None where none waits.

        Raises ``ChannelClosed`` and ``BadMessage``.
        """
        try:
            data = self._socket.recv(MESSAGE_BYTES_MAX + 1)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        if not data:
            raise ChannelClosed("end of stream")
        if len(data) > MESSAGE_BYTES_MAX:
            raise BadMessage("too long")
        return parse(data)

    # LNK-006
    def wait(self, seconds: float) -> Message | None:
        """Return the next message within ``seconds``, else None. Raises as ``recv``."""
        deadline = time.monotonic() + seconds
        while True:
            message = self.recv()
            if message is not None:
                return message
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            poller = select.poll()
            poller.register(self._socket, select.POLLIN)
            poller.poll(left * 1000)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


# LNK-002
def parse(data: bytes) -> Message:
    """Return the message in ``data``; raises ``BadMessage``."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadMessage("not JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("not an object")
    return message


# LNK-007, LNK-008, LNK-009
class Listener:
    """A path on which one role connects."""

    def __init__(self, path: Path) -> None:
        """Listen on ``path`` (replacing a dead socket there), for this user alone."""
        if len(os.fsencode(path)) > PATH_BYTES_MAX:
            raise LinkError(f"{path}: longer than {PATH_BYTES_MAX} bytes, no socket can lie there")
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        path.chmod(0o600)
        self._socket.listen(8)

    def fileno(self) -> int:
        """Return the descriptor, for a poller."""
        return self._socket.fileno()

    def accept(self) -> Channel | None:
        """Return the newest connection that waits, older ones closed; None where none waits."""
        newest: socket.socket | None = None
        for _ in range(8):
            try:
                connection, _address = self._socket.accept()
            except OSError:
                break
            if newest is not None:
                newest.close()
            newest = connection
        return None if newest is None else Channel(newest)

    def accept_next(self) -> Channel | None:
        """Return the oldest connection that waits, None where none does."""
        try:
            connection, _address = self._socket.accept()
        except OSError:
            return None
        return Channel(connection)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


# LNK-008
def connect(path: Path, seconds: float) -> Channel:
    """Return a channel to the listener at ``path``, waiting up to ``seconds`` for it to be there.

    Raises ``LinkError``.
    """
    deadline = time.monotonic() + seconds
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.connect(str(path))
        except OSError as error:
            sock.close()
            left = deadline - time.monotonic()
            if left <= 0:
                raise LinkError(f"{path}: nobody listens there ({error.strerror})") from error
            time.sleep(min(0.02, left))
            continue
        return Channel(sock)


def ready(descriptors: Iterable[int], seconds: float) -> set[int]:
    """Return those of ``descriptors`` that can be read within ``seconds``."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _events in poller.poll(max(0.0, seconds) * 1000)}
