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
import signal
import sys
import time
from collections import deque
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from dolphin.guard.guard import Guard
from dolphin.link.channel import Channel, LinkError
from dolphin.link.codec import Message, Unreadable, encode
from dolphin.link.config import PERMIT_KEY, VENUE_KEY, BadConfig, Config, folder_named, load
from dolphin.link.loop import Loop, Rank
from dolphin.link.messages import (
    FROM_VENUE,
    FROM_WORKERS_TO_GUARD,
    TO_GUARD,
    AskBooks,
    FromVenue,
    Login,
    PresentPermit,
    RecordHeartbeat,
    ToGuard,
)
from dolphin.link.process import Measure, die_with_parent, harden, measures
from kernel.constants import Partition

TURN_MESSAGES = 16
ALL_THERE = 1_000  # more messages than a socket holds
TURN_S = 0.02
HEARTBEAT_S = 0.25
BOOKS_S = 0.5
# Exit codes: what a new start would find again, and what may have passed by then.
UNUSABLE = 2
TRY_AGAIN = 1
# Which workers may speak on which path.
CLIENTS: dict[str, tuple[int, ...]] = {"alpha": (0,), "prober": (2, 3, 4, 5, 6, 7)}


class GuardProcess:
    """Sockets and clocks around a ``Guard``. ``isolation`` is what holds its process apart."""

    # GRD-025, GRD-033
    def __init__(self, config: Config) -> None:
        """Listen for the workers."""
        self.config = config
        self.isolation: list[Measure] = []
        self.stopped = False
        self.guard = Guard(config.key(PERMIT_KEY))
        self._login = Login(key=config.key(VENUE_KEY).hex())
        self._beat_at = self._books_at = 0.0
        self.loop = Loop()
        self.kernel = self.loop.call(
            Rank("kernel", TO_GUARD, self._take_kernel, messages=ALL_THERE, opened=self._on_kernel),
            config.socket("kernel.guard"),
        )
        self.venue = self.loop.call(
            Rank("venue", FROM_VENUE, self._take_venue, messages=ALL_THERE, opened=self._on_venue),
            config.socket("venue.guard"),
        )
        self.workers = {
            name: self.loop.listen(
                Rank(
                    name,
                    FROM_WORKERS_TO_GUARD,
                    partial(self._take_worker, workers),
                    messages=TURN_MESSAGES,
                ),
                config.socket(f"guard.{name}"),
            )
            for name, workers in CLIENTS.items()
            if name not in config.closed_paths
        }
        for rank in self.workers.values():
            rank.opened = rank.outbox.clear

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
        self.loop.turn(time.monotonic() + TURN_S)
        self.guard.expire(time.monotonic_ns())
        now = time.monotonic()
        if self.kernel.channels and self.venue.channels:
            if now >= self._beat_at:
                self._beat_at = now + HEARTBEAT_S
                self.guard.to_kernel.append(RecordHeartbeat(partition=int(Partition.EXECUTION)))
            if now >= self._books_at:
                self._books_at = now + BOOKS_S
                self.guard.to_venue.append(AskBooks())
        self.flush()

    # GRD-027
    def _on_kernel(self) -> None:
        """What was for a kernel that is gone, the new one must find in the books."""
        self.guard.to_kernel.clear()
        self.kernel.outbox.clear()

    # GRD-026
    def _on_venue(self) -> None:
        """The venue hears the key first."""
        self.venue.outbox.appendleft(encode(self._login))

    # GRD-028
    def _take_kernel(self, _channel: Channel, heard: ToGuard | Unreadable) -> None:
        if isinstance(heard, Unreadable):
            self.guard.refusals["UNREADABLE"] += 1
        else:
            self.guard.on_kernel(heard)

    # GRD-028
    def _take_venue(self, _channel: Channel, heard: FromVenue | Unreadable) -> None:
        if isinstance(heard, Unreadable):
            self.guard.refusals["UNREADABLE"] += 1
        else:
            self.guard.on_venue(heard)

    # GRD-028, GRD-029, GRD-030, GRD-032
    def _take_worker(
        self, workers: tuple[int, ...], channel: Channel, heard: PresentPermit | Unreadable
    ) -> None:
        """Judge an order; what the kernel has sent by now is heard before it."""
        self.loop.hear(self.kernel)
        answer = self.guard.on_worker(workers, heard, time.monotonic_ns())
        channel.send(encode(answer))
        self.flush()

    # GRD-027
    def flush(self) -> None:
        """Hand on what waits, in order, as far as it is taken; the kernel first."""
        self._hand_on(self.guard.to_kernel, self.kernel)
        self._hand_on(self.guard.to_venue, self.venue)
        while self.guard.to_workers:
            worker, message = self.guard.to_workers.popleft()
            for name, rank in self.workers.items():
                if worker in CLIENTS[name] and rank.channels:
                    rank.put(message)
                    self.loop.flush(rank)

    # GRD-027
    def _hand_on[Kind: Message](self, queue: deque[Kind], rank: Rank[Any]) -> None:
        while queue and rank.put(queue[0]):
            queue.popleft()
        self.loop.flush(rank)

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
def serve(kind: type[GuardProcess]) -> None:
    """Guard the session in the folder named on the command line."""
    tied = die_with_parent()
    folder = folder_named("guard", sys.argv)
    try:
        guard = kind(load(folder))
    except BadConfig as error:
        sys.stderr.write(f"guard: {folder}: {error}\n")
        sys.exit(UNUSABLE)
    except (LinkError, OSError) as error:
        sys.stderr.write(f"guard: {folder}: {error}\n")
        sys.exit(TRY_AGAIN)
    guard.isolation = [tied, *harden()]
    signal.signal(signal.SIGTERM, guard.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    guard.run()


def main() -> None:
    """Guard as the guard does."""
    serve(GuardProcess)


if __name__ == "__main__":
    main()
