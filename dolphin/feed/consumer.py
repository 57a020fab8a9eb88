"""A process that consumes bars: connects to the driver, answers each bar, sends heartbeats.

Rules of this file:

*   One bar, one answer (``done``), so that the driver can keep step; a bar that raises ends the
    process, and supervisord starts another. Nothing is caught that is not understood.
*   Bars marked ``past`` fill a respawned process's memory; they want no answer.
*   The heart beats from the same thread that works, and only once a bar has been worked: a hung or
    empty process is silent, and the kernel sees it.

Not here: what a partition does with a bar.
"""

import select
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from dolphin.feed.bar import Bar
from dolphin.link.client import Client
from dolphin.link.config import Config
from dolphin.link.process import die_with_parent

HEARTBEAT_S = 0.25
CONNECT_S = 60.0

Work = Callable[[Bar, dict[str, Any], bool], dict[str, Any]]


def bar_of(message: dict[str, Any]) -> Bar:
    """Return the bar that a driver's message carries."""
    return Bar(
        index=message["bar"],
        market_time_ms=message["market_time_ms"],
        closes=tuple(message["closes"]),
    )


class BarConsumer:
    """The loop of a partition that is fed bars."""

    def __init__(self, config: Config, name: str, partition: int | None) -> None:
        """Connect to the kernel (where there is a partition to beat for) and to the driver."""
        die_with_parent()
        self.config = config
        self.partition = partition
        self.kernel = (
            None if partition is None else Client(config.socket(f"kernel.{name}"), CONNECT_S)
        )
        self.driver = Client(config.socket(f"driver.{name}"), CONNECT_S)
        self._stop = False
        self._worked = False
        self._beat_at = 0.0
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop = True

    def beat(self) -> None:
        """Beat, if it is time and something has been worked."""
        if self.kernel is None or not self._worked or time.monotonic() < self._beat_at:
            return
        self._beat_at = time.monotonic() + HEARTBEAT_S
        self.kernel.tell({"event": "RecordHeartbeat", "partition": self.partition})

    def run(self, work: Work) -> None:
        """Answer bars until told to stop. ``work(bar, message, past)`` returns the answer."""
        while not self._stop:
            if not self.driver.again(0.2):
                continue
            message = self.driver.hear()
            if message is None:
                poller = select.poll()
                if self.driver.connected:
                    poller.register(self.driver.fileno(), select.POLLIN)
                if self.kernel is not None and self.kernel.connected:
                    poller.register(self.kernel.fileno(), select.POLLIN)
                poller.poll(100)
                self._drain()
                self.beat()
                continue
            if "bar" not in message:
                continue
            past = message.get("past") is True
            answer = work(bar_of(message), message, past)
            self._worked = self._worked or not past
            if not past:
                self.driver.tell({"done": message["bar"], **answer})
            self.beat()

    def _drain(self) -> None:
        """Throw away the kernel's answers to heartbeats."""
        if self.kernel is not None:
            self.kernel.again()
            while self.kernel.connected and self.kernel.hear() is not None:
                pass
