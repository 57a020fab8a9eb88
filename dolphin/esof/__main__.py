"""The esoteric factors' process: ``python -m dolphin.esof RUN_FOLDER``. Level D.

Rules of this file: it has no path to the kernel, so it can neither ask nor delay. Its reading goes
to the driver, which keeps it beside the bar; nothing is decided by it yet.

Not here: the moon (``dolphin/esof``).
"""

import sys
from dataclasses import asdict
from typing import Any

from dolphin.esof.engine import EsofEngine
from dolphin.feed.bar import Bar
from dolphin.feed.consumer import BarConsumer
from dolphin.link.config import load


def main() -> None:
    """Run the esoteric factors of the session in the folder named on the command line."""
    engine = EsofEngine()

    def work(bar: Bar, _message: dict[str, Any], past: bool) -> dict[str, Any]:
        if past:
            return {}
        reading = engine.update(bar)
        return {"lunar": asdict(reading.lunar), "harmonics": asdict(reading.harmonics)}

    BarConsumer(load(sys.argv[1]), "esof", None).run(work)


if __name__ == "__main__":
    main()
