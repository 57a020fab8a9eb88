"""The plan of drills: what the demonstration session has to show, and when.

Rules of this file:

*   A drill is a row: who does it, from which played bar on, under which condition, after which
    other drill, and what must be seen for it to be done. What is not seen is tried again at the
    next occasion, ``TRIES_MAX`` times.
*   A drill makes the session show something; whether it was shown is not its own to say. That is
    judged from the kernel's counts afterwards (``collect``).
*   Conditions read the kernel's own status, never the drill's memory.

Kills are placed where the market is calm, so that a demotion by a sensor stays one by that sensor.
Not here: how a drill is done (``driver``, ``session``, ``dolphin/drills``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dolphin.feed.market import Episode
from dolphin.link.messages import Status
from kernel.constants import Pending, Permit, Posture

TRIES_MAX = 12

Condition = Callable[[Status], bool]


@dataclass(frozen=True)
class Drill:
    """A row. ``hand`` is driver, prober, venue, guard or runner; ``shows`` what must be seen."""

    name: str
    hand: str
    from_bar: int
    when: Condition
    after: str
    shows: tuple[str, ...]


def always(_status: Status) -> bool:
    """Any time."""
    return True


def hibernating(status: Status) -> bool:
    """In HIBERNATE."""
    return bool(status.posture == Posture.HIBERNATE)


def turtle(status: Status) -> bool:
    """In TURTLE, behind a confirmed fence."""
    return bool(status.posture == Posture.TURTLE and status.fence_confirmed)


def awake(status: Status) -> bool:
    """In any posture but HIBERNATE, nothing latched."""
    return bool(status.posture > Posture.HIBERNATE and not status.killed)


def open_for_entries(status: Status) -> bool:
    """Entries pass: effective STALKER or APEX, behind a confirmed fence."""
    return bool(status.effective >= Posture.STALKER and status.fence_confirmed)


def limit_only(status: Status) -> bool:
    """Effective STALKER, where the specification takes limit orders alone."""
    return bool(status.effective == Posture.STALKER and status.fence_confirmed)


def fence_open(status: Status) -> bool:
    """The fence has advanced and is not confirmed, outside HIBERNATE."""
    return bool(status.posture > Posture.HIBERNATE and not status.fence_confirmed)


def alpha_holds(status: Status) -> bool:
    """The alpha has a position, and no order out."""
    slot = status.slots[0]
    return bool(
        slot.quantity != 0 and slot.permit_kind == Permit.NONE and status.fence_confirmed
    ) and awake(status)


def apex(status: Status) -> bool:
    """In APEX, behind a confirmed fence."""
    return bool(status.effective == Posture.APEX and status.fence_confirmed)


def below_apex(status: Status) -> bool:
    """Below APEX."""
    return bool(status.posture < Posture.APEX)


def below_stalker(status: Status) -> bool:
    """Below STALKER."""
    return bool(status.posture < Posture.STALKER)


def flat_and_quiet(status: Status) -> bool:
    """Flat, not killed, and no operator's request pending."""
    return bool(status.flat and not status.killed and status.operator_request == Pending.NONE)


def start_of(episodes: tuple[Episode, ...], kinds: tuple[str, ...], otherwise: int) -> int:
    """Return the first bar of the first episode of ``kinds``."""
    return next((one.start for one in episodes if one.kind in kinds), otherwise)


def drills(
    profile: str, episodes: tuple[Episode, ...], played: int, lead: int
) -> tuple[Drill, ...]:
    """Return the plan of a built-in session of ``played`` bars after ``lead`` bars of history."""
    shock = start_of(episodes, ("shock",), lead + played // 3) - lead
    crash = start_of(episodes, ("crash",), lead + played * 3 // 5) - lead
    tail = start_of(episodes, ("squeeze",), lead + played - 300) - lead
    # fmt: off
    rows = [
        #     name             by        from bar    when               after
        Drill("early",         "prober", 2,          hibernating,       "",
              ("HIBERNATING", "MALFORMED", "INSTRUMENT_OWNED", "NOT_PERMITTED", "UNREADABLE")),
        Drill("clock",         "driver", 4,          always,            "",
              ("TIME_BACKWARDS", "BAR_TOO_SHORT")),
        Drill("stale_fence",   "guard",  5,          always,            "", ("STALE_EPOCH",)),
        Drill("close_nothing", "guard",  6,          always,            "", ("NO_PERMIT",)),
        Drill("turtle_claim",  "prober", 8,          turtle,            "",
              ("INSTRUMENT_NOT_CLAIMED", "NO_MARK")),
        Drill("turtle_ask",    "prober", 9,          turtle,            "turtle_claim",
              ("POSTURE_FORBIDS_ENTRY", "NOTHING_TO_REDUCE")),
        Drill("rearm_nothing", "runner", 10,         awake,             "",
              ("NOTHING_TO_REARM", "NO_REQUEST")),
        Drill("bounds_claim",  "prober", 10,         open_for_entries,  "turtle_claim", ()),
        Drill("bounds",        "prober", 11,         open_for_entries,  "bounds_claim",
              ("LEVERAGE_ABOVE_CEILING", "NOTIONAL_ABOVE_FRACTION", "EXPOSURE_ABOVE_CEILING",
               "EXPIRED")),
        Drill("position",      "prober", 11,         open_for_entries,  "bounds",
              ("POSITION_OPEN", "WOULD_GROW", "WOULD_FLIP", "PERMIT_OUTSTANDING", "FORGED",
              "USED")),
        Drill("not_flat",      "runner", 12,         alpha_holds,       "bounds", ("NOT_FLAT",)),
        Drill("kill_operator", "runner", 12,         alpha_holds,       "position",
              ("OPERATOR", "COOLING", "STALE_EPOCH", "REARMED")),
        Drill("kill_alpha",    "runner", 12,         awake,             "kill_operator",
              ("HEARTBEAT",)),
        Drill("kill_desync",   "runner", shock + 30, awake,             "kill_alpha",
              ("DESYNC", "REQUEST_EXPIRED", "REARMED")),
        Drill("kill_journal",  "runner", crash + 60, awake,             "kill_desync",
              ("CHECKSUM", "JOURNAL_DOWN", "REARMED")),
        Drill("kill_kernel",   "runner", crash + 60, awake,             "kill_journal",
              ("RESTARTED",)),
        Drill("late",          "prober", crash + 60, hibernating,       "kill_kernel",
              ("HIBERNATING", "MALFORMED", "NOT_PERMITTED", "UNREADABLE")),
        Drill("flood",         "prober", crash + 60, always,            "late", ()),
        Drill("slow_cancels",  "venue",  12,         awake,             "kill_alpha", ()),
        Drill("fence_ask",     "prober", 12,         fence_open,        "slow_cancels",
              ("FENCE_UNCONFIRMED",)),
        Drill("prompt_again",  "venue",  12,         always,            "fence_ask", ()),
        # A worker that loses, in a market that climbs without a rest: capital alone demotes it.
        Drill("lose_claim",    "prober", tail + 30,  open_for_entries,  "prompt_again", ()),
        Drill("lose",          "prober", tail + 31,  apex,              "lose_claim", ()),
        Drill("lose_low",      "prober", tail + 150, limit_only,        "lose_claim", ()),
        Drill("lose_leave",    "prober", tail + 32,  below_apex,        "lose", ()),
        Drill("lose_low_leave", "prober", tail + 151, below_stalker,    "lose_low", ()),
        Drill("peak_reset",    "runner", tail + 380, flat_and_quiet,    "", ("PEAK_RESET",)),
    ]
    # fmt: on
    if profile == "specification":
        rows.append(Drill("limit_only", "prober", 10, limit_only, "turtle_claim", ("LIMIT_ONLY",)))
    return tuple(rows)


class Plan:
    """Which drills are due, which are done."""

    def __init__(self, rows: tuple[Drill, ...]) -> None:
        """Begin with none done."""
        self._left = list(rows)
        self._tries: dict[str, int] = {}
        self.done: set[str] = set()
        self.log: list[dict[str, Any]] = []

    def due(self, bar: int, status: Status) -> list[Drill]:
        """Return the drills whose time and condition have come, in the table's order."""
        return [
            row
            for row in self._left
            if bar >= row.from_bar
            and (not row.after or row.after in self.done)
            and row.when(status)
        ]

    def tried(self, row: Drill, bar: int, seen: set[str], detail: str) -> None:
        """Note what a try showed; it is done when all was seen, or tried often enough."""
        missing = sorted(set(row.shows) - seen)
        self._tries[row.name] = self._tries.get(row.name, 0) + 1
        self.log.append(
            {
                "bar": bar,
                "drill": row.name,
                "by": row.hand,
                "seen": sorted(seen),
                "missing": missing,
                "detail": detail,
            }
        )
        if not missing or self._tries[row.name] >= TRIES_MAX:
            self._left.remove(row)
            self.done.add(row.name)

    @property
    def undone(self) -> list[str]:
        """Return the drills that never came to their end."""
        return [row.name for row in self._left]
