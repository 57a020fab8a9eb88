"""The sensors' process: ``python -m dolphin.sensors RUN_FOLDER``. Level C around it.

Rules of this file:

*   One process feeds all that the survival controller reads: forewarner, order book, DVOL shock.
    Where the data holds none of them, each is a stand-in computed from the bars, named as such.
*   A reading goes to the kernel before the bar is answered, so the bar's close counts it.
*   A status is reported when it changes, and again often enough to stay fresh: each bar under the
    specification's profile, whose forewarner decays within minutes, every fifth under the bible's.
*   The specification's structural factor reads the forewarner's age and no status. So under that
    profile an assessment that is not OK is not handed in as a fresh one: it ages, and decays.
*   A bar without a book reading reports none: in the kernel the book ages.

The grid: no data grid is in use here; its count is reported as 0, and the kernel is told by its
limits that none is in use. The capital sensor is the kernel's own ledger; the heartbeats come from
their partitions. Not here: the stand-ins (``dolphin/sensors``).
"""

import sys

from dolphin.feed.bar import Bar
from dolphin.feed.consumer import BarConsumer
from dolphin.link.config import Config, configured
from dolphin.link.messages import (
    PlayBar,
    ReportBook,
    ReportForewarner,
    ReportGrid,
    ReportShock,
    SensorsDone,
)
from dolphin.link.process import die_with_parent
from dolphin.sensors.book import BookStandIn
from dolphin.sensors.dvol import ShockStandIn
from dolphin.sensors.forewarner import ForewarnerStandIn
from kernel.constants import Partition, Status

ANSWER_S = 0.5
FRESH_BARS = {"bible": 5, "specification": 1}
GRID_BARS = 500


class Sensors:
    """The stand-ins and what they last said."""

    def __init__(self, config: Config) -> None:
        """Connect to driver and kernel."""
        self.fed = BarConsumer(config, "sensors", int(Partition.SENSORS))
        self._forewarner = ForewarnerStandIn(len(config.symbols))
        self._book = BookStandIn(0)
        self._shock = ShockStandIn(len(config.symbols))
        self._profile = config.profile
        self._fresh_bars = FRESH_BARS[config.profile]
        self._status = -1
        self._reported_at = -1

    def _tell(self, reading: ReportForewarner | ReportBook | ReportShock | ReportGrid) -> None:
        if self.fed.kernel is not None:
            self.fed.kernel.ask(reading, ANSWER_S)

    def work(self, bar: Bar, message: PlayBar) -> SensorsDone | None:
        """Take a bar; report what changed."""
        forewarner = self._forewarner.update(bar)
        book = self._book.update(bar)
        shock = self._shock.update(bar)
        if message.past:
            return None
        due = bar.index - self._reported_at >= self._fresh_bars
        vouched = forewarner.status == Status.OK or self._profile == "bible"
        if vouched and (due or forewarner.status != self._status):
            self._status, self._reported_at = forewarner.status, bar.index
            self._tell(ReportForewarner(status=int(forewarner.status)))
        if book is not None:
            self._tell(
                ReportBook(
                    depth_quality_ppm=book.depth_quality_ppm,
                    fill_probability_ppm=book.fill_probability_ppm,
                    latency_ms=book.latency_ms,
                    jitter_ms=book.jitter_ms,
                )
            )
        if shock.shock:
            self._tell(ReportShock())
        if bar.index % GRID_BARS == 0:
            self._tell(ReportGrid(members=0))
        return SensorsDone(
            bar=bar.index,
            forewarner_status=int(forewarner.status),
            book_silent=book is None,
            shock=bool(shock.shock),
        )


def main() -> None:
    """Run the sensors of the session in the folder named on the command line."""
    die_with_parent()
    sensors = Sensors(configured("sensors", sys.argv))
    sensors.fed.run(sensors.work)


if __name__ == "__main__":
    main()
