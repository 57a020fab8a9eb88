"""A session while it runs: its processes, the driver's word, and how it ends.

Rules of this file:

*   A session that ends before its market does (a signal, a driver that died) is killed first, as an
    operator would, and stopped when it is flat at the venue, or known not to be. The driver then
    leaves an account of the bars that were played.
*   A process that is down for good ends the session, with the last line of its log.
*   A wait has an end, and what did not happen until then is not shown.

Not here: what is added in a session with drills (``dolphin/drills/conductor.py``), how a session is
prepared (``preparation``), what it had to show (``collect``).
"""

import time
from collections.abc import Callable
from typing import Any

from dolphin.link.channel import LinkError
from dolphin.link.client import Client
from dolphin.link.codec import Codec, Message
from dolphin.link.config import Config
from dolphin.link.loop import Loop
from dolphin.link.messages import TO_RUNNER, Progress, SessionEnd, Status
from dolphin.ops.endings import Endings
from dolphin.ops.operator import NoSession, OperatorClient, me
from dolphin.ops.supervise import Supervised, down_for_good, last_line

CONNECT_S = 60.0
GLANCE_S = 0.3
SILENCE_S = 120.0
FLAT_WITHIN_S = 20.0
ACCOUNT_WITHIN_S = 20.0
# Without one of these there is no session; the others come back, or are done without.
NEEDED = ("kernel", "venue", "guard", "driver")

# Bars played; or in words, what the market waits for.
OnProgress = Callable[[Progress | str], None]


class Runner:
    """A running session: its processes, the driver's word, the operator's commands.

    ``heard`` reads what the driver says to the runner.
    """

    heard: Codec[Any] = TO_RUNNER

    def __init__(self, config: Config, progress: OnProgress, endings: Endings) -> None:
        """Start the processes and connect.

        Raises ``Unsupervised``, ``LinkError`` where a process does not come up, and ``Ended``.
        """
        self.config = config
        self._progress = progress
        self._endings = endings
        self._loop = Loop()
        self.tree = Supervised(config)
        try:
            self.driver: Client[Any] = self.reach("driver", "driver.runner", self.heard)
            self.operator = self._until_up("kernel", lambda: OperatorClient(config, GLANCE_S))
            self.more()
        except BaseException:
            self.tree.stop()
            raise

    def more(self) -> None:
        """Connect to whom else a kind of session speaks with; here, nobody."""

    def take(self, message: Message) -> None:
        """Take what the driver says beside progress and end; here, nothing."""

    def reach[Heard: Message](self, program: str, path: str, hears: Codec[Heard]) -> Client[Heard]:
        """Return a client of ``program`` once it listens; raises ``LinkError`` and ``Ended``."""
        return self._until_up(
            program, lambda: Client(self._loop, self.config.socket(path), hears, GLANCE_S)
        )

    def _until_up[T](self, program: str, connect: Callable[[], T]) -> T:
        """Return what ``connect`` gives once ``program`` listens, or raise ``LinkError``."""
        end = time.monotonic() + CONNECT_S
        while True:
            try:
                return connect()
            except (LinkError, NoSession):
                self._endings.check()
            if fallen := self.fallen():
                raise LinkError(fallen)
            if time.monotonic() > end:
                raise LinkError(f"the {program} did not come up within {CONNECT_S:.0f} s")

    def fallen(self) -> str:
        """Return which process is down for good and what it said last; empty where none is."""
        for row in self.tree.table():
            name = row["name"]
            if name in NEEDED and down_for_good(name, row["state"], row["exit"]):
                said = last_line(self.config.run / "logs" / f"{name}.log")
                return f"the {name} ended before the market did: {said or f'logs/{name}.log'}"
        return ""

    def play(self) -> str:
        """Follow the driver to its end; return why the session broke, or nothing."""
        heard = time.monotonic()
        looked = 0.0
        while True:
            self._endings.check()
            message = self.driver.wait(0.5) if self.driver.connected else None
            now = time.monotonic()
            if message is not None:
                heard = now
                if isinstance(message, SessionEnd):
                    return ""
                if isinstance(message, Progress):
                    self._progress(message)
                else:
                    self.take(message)
                    heard = time.monotonic()
            if now - looked > 1.0:
                looked = now
                if fallen := self.fallen():
                    return fallen
            if now - heard > SILENCE_S:
                return f"the driver said nothing for {SILENCE_S:.0f} s"
            if not self.driver.connected:
                return self.fallen() or "the driver is gone (logs/driver.log)"

    def come_flat(self, why: str) -> str:
        """Kill as an operator would; return whether the book is flat at the venue, in words."""
        try:
            self.operator.kill(me(), f"the run ends early: {why}")
            end = time.monotonic() + FLAT_WITHIN_S
            while time.monotonic() < end:
                now = self.operator.status()
                if now.flat and now.fence_confirmed:
                    return "killed, and flat"
                time.sleep(0.03)
        except NoSession as error:
            return f"NOT KNOWN TO BE FLAT: {error}"
        return f"NOT FLAT within {FLAT_WITHIN_S:.0f} s of the kill"

    def end_market(self) -> None:
        """Have the driver play no more and leave its account."""
        end = time.monotonic() + ACCOUNT_WITHIN_S
        if self.driver.connected and self.driver.tell(SessionEnd()):
            while self.driver.connected and time.monotonic() < end:
                if isinstance(self.driver.wait(0.5), SessionEnd):
                    return

    def until(self, holds: Callable[[Status], bool], seconds: float) -> bool:
        """Return whether ``holds`` came true of the status within ``seconds``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._endings.check()
            if holds(self.operator.status()):
                return True
            time.sleep(0.03)
        return False
