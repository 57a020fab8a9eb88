"""The paper venue's process: ``python -m dolphin.venue RUN_FOLDER``.

Rules of this file:

*   Two paths: the guard's, where nothing is heard before the key, and the driver's, which brings
    bars (and drills, where the session has them).
*   The answer to a bar goes out after all that the bar filled.

Not here: the exchange itself (``venue``).
"""

import hmac
import json
import select
import signal
import sys
from types import FrameType
from typing import Any

from dolphin.link.channel import BadMessage, Channel, ChannelClosed, Listener
from dolphin.link.config import VENUE_KEY, Config, load
from dolphin.link.process import die_with_parent
from dolphin.venue.paper import PaperVenue

TURN_MS = 200


class Loop:
    """Sockets around a ``PaperVenue``."""

    def __init__(self, config: Config) -> None:
        """Listen for guard and driver."""
        die_with_parent()
        self.config = config
        self.venue = PaperVenue(config.cash, config.seed)
        self._key = config.key(VENUE_KEY).hex()
        self._trusted = False
        self._listeners = {
            name: Listener(config.socket(f"venue.{name}")) for name in ("guard", "driver")
        }
        self._channels: dict[str, Channel] = {}
        self._stop = False
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop = True

    def run(self) -> None:
        """Trade until told to stop."""
        while not self._stop:
            poller = select.poll()
            for listener in self._listeners.values():
                poller.register(listener, select.POLLIN)
            for channel in self._channels.values():
                poller.register(channel, select.POLLIN)
            poller.poll(TURN_MS)
            for name, listener in self._listeners.items():
                fresh = listener.accept()
                if fresh is not None:
                    self._drop(name)
                    self._channels[name] = fresh
            for name in list(self._channels):
                self._hear(name)
        path = self.config.run / "venue.json"
        path.write_text(
            json.dumps(
                {
                    "counts": dict(self.venue.counts),
                    "cash": self.venue.cash,
                    "quantities": self.venue.quantities,
                },
                indent=1,
            )
            + "\n"
        )

    def _drop(self, name: str) -> None:
        old = self._channels.pop(name, None)
        if old is not None:
            old.close()
        if name == "guard":
            self._trusted = False

    def _hear(self, name: str) -> None:
        channel = self._channels[name]
        while True:
            try:
                try:
                    message = channel.recv()
                except BadMessage:
                    continue
                if message is None:
                    return
                if name == "guard":
                    self._hear_guard(message)
                    self._tell()
                else:
                    answer = self._hear_driver(message)
                    if isinstance(message.get("id"), int):
                        answer["id"] = message["id"]
                    self._tell()
                    channel.send(answer)
            except ChannelClosed:
                self._drop(name)
                return

    def _hear_guard(self, message: dict[str, Any]) -> None:
        if "login" in message:
            self._trusted = hmac.compare_digest(str(message["login"]), self._key)
        elif self._trusted:
            self.venue.on_guard(message)

    def _hear_driver(self, message: dict[str, Any]) -> dict[str, Any]:
        if "bar" in message:
            self.venue.on_bar({int(key): value for key, value in message["prices"].items()})
            return {"done": message["bar"]}
        if self.config.drills and "drill" in message:
            return {"ok": self.venue.drill(str(message["drill"]), message.get("on") is True)}
        return {"ok": False}

    def _tell(self) -> None:
        """Send the guard what it must hear; what it does not take waits for the next turn."""
        channel = self._channels.get("guard")
        tells = self.venue.tells
        if channel is None or not self._trusted:
            return
        try:
            while tells and channel.send(tells[0]):
                tells.popleft()
        except ChannelClosed:
            self._drop("guard")


def main() -> None:
    """Play the venue of the session in the folder named on the command line."""
    Loop(load(sys.argv[1])).run()


if __name__ == "__main__":
    main()
