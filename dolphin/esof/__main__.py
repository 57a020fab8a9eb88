"""The esoteric factors' process: ``python -m dolphin.esof RUN_FOLDER``. Level D.

Rules of this file: it has no path to the kernel, so it can neither ask nor delay. Its reading goes
to the driver, which keeps it beside the bar; nothing is decided by it yet.

Not here: the moon (``dolphin/esof``).
"""

import sys

from dolphin.esof.engine import EsofEngine
from dolphin.feed.bar import Bar
from dolphin.feed.consumer import BarConsumer
from dolphin.link.config import configured
from dolphin.link.messages import EsofDone, PlayBar
from dolphin.link.process import die_with_parent


def main() -> None:
    """Run the esoteric factors of the session in the folder named on the command line."""
    die_with_parent()
    config = configured("esof", sys.argv)
    engine = EsofEngine()

    def work(bar: Bar, message: PlayBar) -> EsofDone | None:
        if message.past:
            return None
        reading = engine.update(bar)
        return EsofDone(
            bar=bar.index,
            lunar_illumination=reading.lunar.illumination,
            lunar_age_days=reading.lunar.age_days,
            day_sin=reading.harmonics.day_sin,
            week_sin=reading.harmonics.week_sin,
        )

    BarConsumer(config, "esof", None).run(work)


if __name__ == "__main__":
    main()
