"""Coalescing of ticks that change nothing but the clock.

Theory. The shell tells the kernel the time each millisecond: 86 million events a day. Two such
steps with nothing between them are one: AdvanceTime(t1) then AdvanceTime(t2) from a state leads
where AdvanceTime(t2) alone leads, as long as neither trips anything, since ages add up and saturate
alike. So of a run of *quiet* ticks only the last is written, before the next event.

Rules of this file:

*   Quiet means: accepted, and nothing differs but the process clock, the heartbeats' ages and the
    pending request's age. A tick that trips, or is refused, is written as it is.
*   A pending tick is written before any other event, so the journal's order is the kernel's and
    its fold the kernel's state. tests/traces/test_ticks.py holds that as a property.
*   What is lost with a pending tick in a crash is time in which nothing happened: no effect was
    released on it, and a restart sets the heartbeats' ages to 0 anyway.

Not here: the writer (``journal``).
"""

from kernel.events import AdvanceTime, Event
from kernel.outcome import Accepted, Outcome
from kernel.state import State


# JNL-027, JNL-028
def is_quiet(before: State, event: Event, outcome: Outcome) -> bool:
    """Return whether the step only let process time pass."""
    if type(event) is not AdvanceTime or not isinstance(outcome, Accepted):
        return False
    after = outcome.state
    old, new = before.killswitch, after.killswitch
    return (
        new.killed == old.killed
        and after.survival is before.survival
        and after.machine is before.machine
        and after.gate is before.gate
        and after.ledger is before.ledger
    )


class Ticks:
    """Holds back the last quiet tick until something else happens."""

    def __init__(self) -> None:
        self._pending: tuple[Event, Outcome] | None = None
        self.coalesced = 0

    # JNL-027
    def take(
        self, before: State, event: Event, outcome: Outcome
    ) -> tuple[tuple[Event, Outcome], ...]:
        """Return what must be written now, in order, given the step just made from ``before``."""
        if is_quiet(before, event, outcome):
            if self._pending is not None:
                self.coalesced += 1
            self._pending = (event, outcome)
            return ()
        return (*self.flush(), (event, outcome))

    def flush(self) -> tuple[tuple[Event, Outcome], ...]:
        """Return the pending tick, if any, and forget it."""
        pending, self._pending = self._pending, None
        return () if pending is None else (pending,)
