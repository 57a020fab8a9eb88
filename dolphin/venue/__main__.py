"""The paper venue's process: ``python -m dolphin.venue RUN_FOLDER``.

Rules of this file:

*   Two paths: the guard's, where nothing is heard before the key, and the driver's, which brings
    bars.
*   The answer to a bar goes out after all that the bar filled.

Not here: the exchange itself (``venue``).
"""

import hmac
import json
import signal
import sys
import time
from collections import deque
from types import FrameType
from typing import Any

from dolphin.link.channel import Channel, LinkError
from dolphin.link.codec import Codec, Unreadable, encode
from dolphin.link.config import VENUE_KEY, BadConfig, Config, configured, unusable
from dolphin.link.loop import Loop, Rank
from dolphin.link.messages import (
    FROM_DRIVER_TO_VENUE,
    TO_VENUE,
    Accepted,
    Login,
    Refused,
    SetPrices,
    ToVenue,
)
from dolphin.link.process import die_with_parent
from dolphin.venue.paper import PaperVenue

TURN_S = 0.2


class VenueProcess:
    """Sockets around a ``PaperVenue``. Whose venue is another kind says so here."""

    venue_kind: type[PaperVenue] = PaperVenue
    driver_says: Codec[Any] = FROM_DRIVER_TO_VENUE

    def __init__(self, config: Config) -> None:
        """Listen for guard and driver."""
        self.config = config
        self.stopped = False
        self.venue = self.venue_kind(config.cash, config.seed)
        self._key = config.key(VENUE_KEY).hex()
        self._trusted = False
        self._told: deque[bytes] = deque()
        self.loop = Loop()
        self.guard = self.loop.listen(
            Rank("guard", TO_VENUE, self._take_guard, opened=self._on_guard),
            config.socket("venue.guard"),
        )
        self.loop.listen(
            Rank("driver", self.driver_says, self.take_driver), config.socket("venue.driver")
        )

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End after the turn that is under way."""
        self.stopped = True

    def run(self) -> None:
        """Trade until told to stop."""
        while not self.stopped:
            self.step()
        account = {
            "counts": dict(self.venue.counts),
            "cash": self.venue.cash,
            "quantities": self.venue.quantities,
        }
        (self.config.run / "venue.json").write_text(json.dumps(account, indent=1) + "\n")

    def step(self) -> None:
        """Hear everybody once."""
        self.loop.turn(time.monotonic() + TURN_S)
        self.tell()

    # VEN-008
    def _on_guard(self) -> None:
        """Who has just come hears nothing before its login; what waits, waits for that."""
        self._trusted = False
        self.guard.outbox = deque()

    # VEN-007, VEN-008
    def _take_guard(self, _channel: Channel, heard: ToVenue | Unreadable) -> None:
        if isinstance(heard, Unreadable):
            self.venue.counts["unreadable"] += 1
        elif isinstance(heard, Login):
            self._trusted = hmac.compare_digest(heard.key, self._key)
            self.guard.outbox = self._told if self._trusted else deque()
        elif self._trusted:
            self.venue.on_guard(heard)
        self.tell()

    # VEN-007
    def take_driver(self, channel: Channel, heard: SetPrices | Unreadable) -> None:
        """Take a bar of the driver's, and answer when all that it filled has been told."""
        answer: Accepted | Refused = Accepted(id=heard.id)
        if isinstance(heard, Unreadable):
            self.venue.counts["unreadable"] += 1
            answer = Refused(reason="NOT_DONE", id=heard.id)
        else:
            self.venue.on_bar(heard.prices)
        self.tell()
        channel.send(encode(answer))

    def tell(self) -> None:
        """Send the guard what it must hear; what it does not take waits for the next turn."""
        self._told.extend(encode(one) for one in self.venue.tells)
        self.venue.tells.clear()
        self.loop.flush(self.guard)


def serve(kind: type[VenueProcess]) -> None:
    """Play the venue of the session in the folder named on the command line."""
    die_with_parent()
    config = configured("venue", sys.argv)
    try:
        venue = kind(config)
    except (BadConfig, LinkError, OSError) as error:
        unusable("venue", str(error))
    signal.signal(signal.SIGTERM, venue.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    venue.run()


def main() -> None:
    """Play the paper venue."""
    serve(VenueProcess)


if __name__ == "__main__":
    main()
