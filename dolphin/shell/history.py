"""Statistics of a session, counted from the kernel's steps: live, or from a journal.

Rules of this file:

*   One step at a time, in order; nothing is kept that the steps do not say. So the shell's account
    of itself and a reader's account of its journal are the same function of the same steps.
*   A trip is a step in which ``killed`` rose; its causes are those active right after.

Not here: what was refused before it became an event (the shell counts that). Spec module: none.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from dolphin.shell.snapshot import causes
from kernel.constants import Posture
from kernel.events import Event, RequestOrder
from kernel.outcome import Accepted, Outcome
from kernel.state import State
from traces.frames import scan
from traces.reader import opened
from traces.replay import Replay, advance

MARKED = {
    "ConfirmRearm": ("rearm", "re-armed"),
    "ConfirmPeakReset": ("peak_reset", "equity peak reset"),
    "RestartKernel": ("restart", "kernel restarted on its journal"),
}


class History:
    """Counts, refusals by reason, trips, and the marks of a plot."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.trips: list[dict[str, Any]] = []
        self.marks: list[dict[str, Any]] = []

    def see(self, before: State, event: Event, outcome: Outcome) -> None:
        """Take one step."""
        name = type(event).__name__
        self.counts["events"] += 1
        if not isinstance(outcome, Accepted):
            self.refusals[outcome.reason.name] += 1
            return
        after = outcome.state
        self.counts[name] += 1
        if isinstance(event, RequestOrder):
            self.counts["exits" if event.reduce_only else "entries"] += 1
            if not event.reduce_only:
                self.counts[f"entries_worker_{event.worker}"] += 1
        if after.killswitch.killed and not before.killswitch.killed:
            self.counts["trips"] += 1
            self.trips.append(trip(name, before, after))
            self._mark(after, "trip", "+".join(causes(after)))
        if outcome.effects.flatten_positions:
            self.counts["flattens"] += 1
            self._mark(after, "flatten", "flatten")
        if name in MARKED:
            self._mark(after, *MARKED[name])
        if after.machine.posture < before.machine.posture:
            self.counts["demotions"] += 1

    def _mark(self, after: State, kind: str, text: str) -> None:
        time_ms = after.clock.market_time_ms
        self.marks.append({"market_time_ms": time_ms, "kind": kind, "text": text})

    def account(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "counts": dict(self.counts),
            "refusals": dict(self.refusals),
            "trips": self.trips,
            "marks": self.marks,
        }


def trip(name: str, before: State, after: State) -> dict[str, Any]:
    """Return what is to be said of a trip."""
    return {
        "market_time_ms": after.clock.market_time_ms,
        "process_time_ms": after.clock.process_time_ms,
        "event": name,
        "causes": causes(after),
        "posture_before": Posture(before.machine.posture).name,
        "positions_open": sum(1 for slot in after.gate.slots if slot.quantity != 0),
        "heartbeat_age_ms": list(after.killswitch.heartbeat_age_ms),
    }


# SHL-035
def of_journal(path: Path) -> History:
    """Return the history that a journal tells. Raises ``traces.frames.JournalCorrupt``."""
    history, replay = History(), Replay()
    with opened(path) as data:
        for frame in scan(data):
            advance(replay, frame, None, history.see)
            if replay.divergence is not None:
                break
    return history
