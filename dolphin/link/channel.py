"""Channels and listeners over Unix SOCK_SEQPACKET: whole messages as bytes, and no waiting.

Rules of this file:

*   Every socket is non-blocking. ``send`` says whether the bytes left; ``recv`` says whether some
    were there. Waiting is the loop's (``loop``), and always has an end.
*   A packet is a message. One that is longer than a message may be comes cut, and longer still than
    the longest (``codec`` says so); the channel stays usable.
*   A full buffer is the sender's problem: ``send`` returns False and drops nothing by itself.
*   A role is a path. A dead socket that lies there is replaced, and the path is this user's alone.

Sequenced packets keep message borders, so no reader can be stuck in half a message. Not here: what
the bytes mean (``codec``, ``messages``), who may say what (``dolphin/shell/roles.py``). No spec
module: the models assume that messages may be late, lost with their process, and never altered on
the way to the guard (its MAC sees to that).
"""

import os
import socket
import time
from pathlib import Path

from dolphin.link.codec import MESSAGE_BYTES_MAX

PATH_BYTES_MAX = 100  # sun_path holds 108, the terminating zero and a margin taken off
WAITING_MAX = 8
RETRY_S = 0.02


class ChannelClosed(Exception):
    """The other end is gone."""


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

    # LNK-004, LNK-005
    def send(self, data: bytes) -> bool:
        """Send one message; False where the other end's buffer is full.

        Raises ``ChannelClosed`` where the other end is gone.
        """
        try:
            self._socket.send(data, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        return True

    # LNK-001, LNK-002, LNK-005
    def recv(self) -> bytes | None:
        """Return the next message, None where none waits. Raises ``ChannelClosed``."""
        try:
            data = self._socket.recv(MESSAGE_BYTES_MAX + 1)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        if not data:
            raise ChannelClosed("end of stream")
        return data

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


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
        self._socket.listen(WAITING_MAX)

    def fileno(self) -> int:
        """Return the descriptor, for a poller."""
        return self._socket.fileno()

    def accept(self) -> Channel | None:
        """Return the connection that has waited longest, None where none waits."""
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
            time.sleep(min(RETRY_S, left))
            continue
        return Channel(sock)
