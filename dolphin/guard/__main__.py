"""The guard's process: ``python -m dolphin.guard RUN_FOLDER``.

Rules of this file:

*   The kernel is heard before every order of a worker: what the fence has ended cannot slip past on
    another channel.
*   Kernel and venue are waited for by nobody: a lost connection is tried again each turn, and while
    one is missing the heartbeat of EXECUTION stays away, which the kernel sees.
*   A worker's channel is read a few messages a turn; a flood fills the flooder's own socket.

Not here: any judgement (``guard``).
"""

import json
import select
import signal
import sys
import time
from collections import deque
from pathlib import Path
from types import FrameType
from typing import Any

from dolphin.guard.guard import Guard
from dolphin.link.channel import BadMessage, Channel, ChannelClosed, LinkError, Listener, connect
from dolphin.link.config import PERMIT_KEY, VENUE_KEY, BadConfig, Config, load
from dolphin.link.process import Measure, die_with_parent, harden, measures
from kernel.constants import Partition

TURN_MESSAGES = 16
TURN_MS = 20
HEARTBEAT_MS = 250
BOOKS_MS = 500
# Exit codes: what a new start would find again, and what may have passed by then.
UNUSABLE = 2
TRY_AGAIN = 1
# Which workers may speak on which path.
CLIENTS: dict[str, tuple[int, ...]] = {"alpha": (0,), "prober": (2, 3, 4, 5, 6, 7)}


class Loop:
    """Sockets and clocks around a ``Guard``. ``isolation`` is what holds its process apart."""

    def __init__(self, config: Config) -> None:
        """Listen for the workers and, for drills, for the session's runner."""
        self.config = config
        self.isolation: list[Measure] = []
        self.stopped = False
        self.guard = Guard(config.key(PERMIT_KEY))
        self._venue_key = config.key(VENUE_KEY).hex()
        names = [*CLIENTS, *(["runner"] if config.drills else [])]
        self._listeners = {name: Listener(config.socket(f"guard.{name}")) for name in names}
        self._clients: dict[str, Channel] = {}
        self._kernel: Channel | None = None
        self._venue: Channel | None = None
        self._beat_at_ms = self._books_at_ms = 0.0

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End after the step that is under way."""
        self.stopped = True

    def run(self) -> None:
        """Guard until told to stop."""
        while not self.stopped:
            self.step()
        self.end()

    # GRD-026
    def step(self) -> None:
        """Hear everybody once, and say what there is to say."""
        self._connect()
        self._turn()
        now_ms = time.monotonic() * 1000
        self.guard.expire(time.monotonic_ns())
        if self._kernel is not None and self._venue is not None:
            if now_ms >= self._beat_at_ms:
                self._beat_at_ms = now_ms + HEARTBEAT_MS
                self.guard.to_kernel.append(
                    {"event": "RecordHeartbeat", "partition": int(Partition.EXECUTION)}
                )
            if now_ms >= self._books_at_ms:
                self._books_at_ms = now_ms + BOOKS_MS
                self.guard.to_venue.append({"do": "books"})
        self._flush()

    # GRD-026
    def _connect(self) -> None:
        if self._kernel is None:
            self._kernel = self._try("kernel.guard")
            if self._kernel is not None:
                # What was for a kernel that is gone, the new one must find in the books.
                self.guard.to_kernel.clear()
        if self._venue is None:
            self._venue = self._try("venue.guard")
            if self._venue is not None:
                self.guard.to_venue.appendleft({"login": self._venue_key})

    def _try(self, name: str) -> Channel | None:
        try:
            return connect(self.config.socket(name), 0.0)
        except LinkError:
            return None

    # GRD-029, GRD-030
    def _turn(self) -> None:
        poller = select.poll()
        for listener in self._listeners.values():
            poller.register(listener, select.POLLIN)
        for client in self._clients.values():
            poller.register(client, select.POLLIN)
        for channel in (self._kernel, self._venue):
            if channel is not None:
                poller.register(channel, select.POLLIN)
        poller.poll(TURN_MS)
        self._hear_kernel()
        self._hear_venue()
        for name, listener in self._listeners.items():
            fresh = listener.accept()
            if fresh is not None:
                old = self._clients.pop(name, None)
                if old is not None:
                    old.close()
                self._clients[name] = fresh
        for name in list(self._clients):
            self._hear_client(name)

    def _hear_kernel(self) -> None:
        while self._kernel is not None:
            try:
                message = self._kernel.recv()
            except ChannelClosed:
                self._kernel.close()
                self._kernel = None
                return
            except BadMessage:
                continue
            if message is None:
                return
            if message.get("ok") is False:
                self.guard.counts[f"kernel_refused_{message.get('reason')}"] += 1
            self.guard.on_kernel(message)

    def _hear_venue(self) -> None:
        while self._venue is not None:
            try:
                message = self._venue.recv()
            except ChannelClosed:
                self._venue.close()
                self._venue = None
                return
            except BadMessage:
                continue
            if message is None:
                return
            self.guard.on_venue(message)

    # GRD-028, GRD-030
    def _hear_client(self, name: str) -> None:
        channel = self._clients[name]
        for _ in range(TURN_MESSAGES):
            try:
                try:
                    message = channel.recv()
                except BadMessage:
                    self.guard.refusals["UNREADABLE"] += 1
                    message = {}
                if message is None:
                    return
                self._hear_kernel()
                answer = self._answer(name, message)
                if isinstance(message.get("id"), int):
                    answer["id"] = message["id"]
                channel.send(answer)
                self._flush()
            except ChannelClosed:
                channel.close()
                self._clients.pop(name, None)
                return

    # GRD-025
    def _answer(self, name: str, message: dict[str, Any]) -> dict[str, Any]:
        if name == "runner":
            if message.get("ask") == "account":
                return {"account": self._account()}
            return {"ok": self.guard.drill(str(message.get("drill")))}
        return self.guard.on_worker(CLIENTS[name], message, time.monotonic_ns())

    # GRD-027
    def _flush(self) -> None:
        """Hand on what waits, in order, as far as it is taken; the kernel first."""
        if not self._send(self._kernel, self.guard.to_kernel):
            self._kernel = None
        if not self._send(self._venue, self.guard.to_venue):
            self._venue = None
        while self.guard.to_workers:
            worker, message = self.guard.to_workers.popleft()
            for name, workers in CLIENTS.items():
                channel = self._clients.get(name)
                if worker in workers and channel is not None:
                    try:
                        channel.send(message)
                    except ChannelClosed:
                        channel.close()
                        self._clients.pop(name, None)

    @staticmethod
    def _send(channel: Channel | None, queue: deque[dict[str, Any]]) -> bool:
        """Return whether the channel still stands."""
        if channel is None:
            return True
        try:
            while queue and channel.send(queue[0]):
                queue.popleft()
        except ChannelClosed:
            channel.close()
            return False
        return True

    def _account(self) -> dict[str, Any]:
        return {
            "refusals": dict(self.guard.refusals),
            "counts": dict(self.guard.counts),
            "isolation": measures(self.isolation),
        }

    # GRD-031
    def end(self) -> None:
        """Leave the account of this process."""
        path: Path = self.config.run / "guard.json"
        path.write_text(json.dumps(self._account(), indent=1) + "\n")


# GRD-031
def main() -> None:
    """Guard the session in the folder named on the command line."""
    tied = die_with_parent()
    folder = sys.argv[1]
    try:
        loop = Loop(load(folder))
    except BadConfig as error:
        sys.stderr.write(f"guard: {folder}: {error}\n")
        sys.exit(UNUSABLE)
    except (LinkError, OSError) as error:
        sys.stderr.write(f"guard: {folder}: {error}\n")
        sys.exit(TRY_AGAIN)
    loop.isolation = [tied, *harden()]
    signal.signal(signal.SIGTERM, loop.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.run()


if __name__ == "__main__":
    main()
