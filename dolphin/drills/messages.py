"""The messages that exist only in a demonstration, beside those of every session.

Rules of this file: as in ``dolphin/link/messages.py``, whose classes these join on the paths of a
demonstration's own processes. No process of level A reads one of them.

Not here: the messages of every session (``dolphin/link/messages.py``).
"""

from dolphin.link.codec import Codec, Integer, Message
from dolphin.link.messages import Name, Progress, SessionEnd, SetPrices, Text


class DrillGuard(Message):
    """To the faulty guard: say something wrong."""

    name: Name


class DrillVenue(Message):
    """To the faulty venue: misbehave, or stop misbehaving."""

    name: Name
    on: bool


class DoDrill(Message):
    """To the prober or the runner: do what this drill is, and say what it showed."""

    name: Name


class DrillDone(Message):
    """What a drill showed. ``watch`` are the instruments whose marks its doer needs."""

    name: Name
    seen: tuple[Name, ...]
    watch: tuple[Integer, ...] = ()
    detail: Text = ""


FROM_RUNNER_TO_GUARD: Codec[DrillGuard] = Codec(DrillGuard)
FROM_DRIVER_TO_VENUE: Codec[SetPrices | DrillVenue] = Codec(SetPrices | DrillVenue)
TO_PROBER: Codec[DoDrill] = Codec(DoDrill)
FROM_PROBER: Codec[DrillDone] = Codec(DrillDone)
TO_RUNNER: Codec[DoDrill | Progress | SessionEnd] = Codec(DoDrill | Progress | SessionEnd)
FROM_RUNNER: Codec[DrillDone | SessionEnd] = Codec(DrillDone | SessionEnd)
