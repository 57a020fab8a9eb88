"""A process that consumes bars: connects to the driver, answers each bar, sends heartbeats.

Rules of this file:

*   One bar, one answer (``done``), so that the driver can keep step; a bar that raises ends the
    process, and supervisord starts another. Nothing is caught that is not understood.
*   Bars marked ``past`` fill a respawned process's memory; they want no answer.
*   The heart beats from the same thread that works, and only once a bar has been worked: a hung or
    empty process is silent, and the kernel sees it.

Not here: what a partition does with a bar.
"""

import signal
import time
from collections.abc import Callable
from math import nan
from types import FrameType

from dolphin.feed.bar import Bar
from dolphin.link.client import Client
from dolphin.link.codec import Message
from dolphin.link.config import Config
from dolphin.link.loop import Loop
from dolphin.link.messages import BARS, KERNEL_ANSWERS, Answer, PlayBar, RecordHeartbeat

HEARTBEAT_S = 0.25
CONNECT_S = 60.0
TURN_S = 0.1

Work = Callable[[Bar, PlayBar], Message | None]


def bar_of(message: PlayBar) -> Bar:
    """Return the bar that a driver's message carries."""
    return Bar(
        index=message.bar,
        market_time_ms=message.market_time_ms,
        closes=tuple(nan if close is None else close for close in message.closes),
    )


class BarConsumer:
    """The loop of a partition that is fed bars."""

    def __init__(self, config: Config, name: str, partition: int | None) -> None:
        """Connect to the kernel (where there is a partition to beat for) and to the driver."""
        self.config = config
        self.partition = partition
        self.loop = Loop()
        self.kernel: Client[Answer] | None = None
        if partition is not None:
            path = config.socket(f"kernel.{name}")
            self.kernel = Client(self.loop, path, KERNEL_ANSWERS, CONNECT_S)
        self.driver = Client(self.loop, config.socket(f"driver.{name}"), BARS, CONNECT_S)
        self._stop = False
        self._worked = False
        self._beat_at = 0.0
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop = True

    def beat(self) -> None:
        """Beat, if it is time and something has been worked."""
        if self.kernel is None or self.partition is None:
            return
        if self._worked and time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + HEARTBEAT_S
            self.kernel.tell(RecordHeartbeat(partition=self.partition))

    def run(self, work: Work) -> None:
        """Answer bars until told to stop: ``work`` returns the answer, None to a past bar."""
        while not self._stop:
            message = self.driver.hear()
            if message is None:
                self.loop.turn(time.monotonic() + TURN_S)
            else:
                answer = work(bar_of(message), message)
                self._worked = self._worked or not message.past
                if answer is not None:
                    self.driver.tell(answer)
            self.beat()
