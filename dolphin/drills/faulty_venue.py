"""The venue of a demonstration: when asked, it shows false books or confirms cancels slowly.

``python -m dolphin.drills.faulty_venue RUN_FOLDER``. Level E: a session without drills runs
``dolphin.venue``, which knows nothing of this.

Rules of this file: orders fill as at the paper venue, and its true books stay what they are. A
fault changes or delays one message to the guard.

Not here: when which fault is due (``plan``).
"""

from collections import deque

from msgspec.structs import replace

from dolphin.drills.messages import FROM_DRIVER_TO_VENUE, DrillVenue
from dolphin.link.channel import Channel
from dolphin.link.codec import Unreadable, encode
from dolphin.link.messages import (
    Accepted,
    AskBooks,
    Books,
    EndOrders,
    FromVenue,
    Refused,
    SetPrices,
    Submit,
)
from dolphin.venue.__main__ import VenueProcess, serve
from dolphin.venue.paper import PaperVenue

OFF_BY = 1_000_000  # 1 USDT


class FaultyVenue(PaperVenue):
    """A paper venue that can misbehave."""

    def __init__(self, cash: int, seed: int) -> None:
        """Begin without a fault."""
        super().__init__(cash, seed)
        self._falsify = False
        self._hold = False
        self._held: deque[FromVenue] = deque()

    def drill(self, name: str, on: bool) -> bool:
        """Show books that are 1 USDT off, once; or confirm cancels at the next bar alone."""
        if name == "falsify_books":
            self._falsify = on
        elif name == "slow_cancels":
            self._hold = on
            if not on:
                self._let_go()
        else:
            return False
        return True

    def on_bar(self, prices: dict[int, int]) -> None:
        """Say what was held back, then take the bar."""
        self._let_go()
        super().on_bar(prices)

    def on_guard(self, message: Submit | EndOrders | AskBooks) -> None:
        """Do as told, and spoil the answer where that is asked for."""
        super().on_guard(message)
        if isinstance(message, EndOrders) and self._hold:
            self._held.append(self.tells.pop())
        elif isinstance(message, AskBooks) and self._falsify:
            books = self.tells.pop()
            assert isinstance(books, Books)
            self.tells.append(replace(books, cash=books.cash + OFF_BY))
            self.counts["books_falsified"] += 1
            self._falsify = False

    def _let_go(self) -> None:
        self.tells.extend(self._held)
        self._held.clear()


class FaultyVenueProcess(VenueProcess):
    """Sockets around a ``FaultyVenue``."""

    venue_kind = FaultyVenue
    driver_says = FROM_DRIVER_TO_VENUE
    venue: FaultyVenue

    def take_driver(self, channel: Channel, heard: SetPrices | DrillVenue | Unreadable) -> None:
        """Take the driver's word, faults included."""
        if not isinstance(heard, DrillVenue):
            super().take_driver(channel, heard)
            return
        done = self.venue.drill(heard.name, heard.on)
        self.tell()
        answer = Accepted(id=heard.id) if done else Refused(reason="NOT_DONE", id=heard.id)
        channel.send(encode(answer))


def main() -> None:
    """Play the venue of the demonstration in the folder named on the command line."""
    serve(FaultyVenueProcess)


if __name__ == "__main__":
    main()
