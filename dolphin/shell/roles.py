"""Access rights: which events each role may send to the kernel; one role per socket path.

Rules of this file:

*   The role is the path a client connected to. A message's own word about its sender counts for
    nothing.
*   A role's rights are a row of the table below; what is not in the row is refused as
    ``NOT_PERMITTED`` before the kernel sees it. It changes nothing, so it is no event and has no
    journal record; the shell counts it and the session's account shows the count.
*   ``AdvanceTime``, ``FailJournal``, ``RestoreJournal`` and ``RestartKernel`` are in no row: they
    are the shell's own.

Budgets: tokens a second and burst. A role out of tokens is not read until it has one again, so a
flood fills the flooder's own socket and nothing else.

Which of these paths a session opens, its configuration says (``closed_paths``).

Not here: the ranges and guards of the events themselves (``kernel``).
"""

from dataclasses import dataclass

from kernel.constants import Cause, Partition
from kernel.events import (
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ConfirmFence,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    ReconcileLedger,
    RecordHeartbeat,
    ReportBook,
    ReportFill,
    ReportForewarner,
    ReportGrid,
    ReportShock,
    RequestOrder,
    RequestPeakReset,
    RequestRearm,
    TripKillSwitch,
    UpdateMark,
)


# SHL-007, SHL-009, SHL-020
@dataclass(frozen=True)
class Role:
    """A row: what may be said on one path, and how much of it.

    ``partition`` is the one whose heartbeat this role may give (-1: none); ``workers`` are the ones
    it may speak for; ``per_second`` and ``burst`` are messages; ``clients`` connections may stand
    at once, the newest ones.
    """

    name: str
    events: tuple[type[Event], ...]
    partition: int
    workers: tuple[int, ...]
    per_second: int
    burst: int
    clients: int


WORKER = (ClaimInstrument, RequestOrder)
OPERATOR = (TripKillSwitch, RequestRearm, ConfirmRearm, RequestPeakReset, ConfirmPeakReset)
SENSORS = (RecordHeartbeat, ReportGrid, ReportForewarner, ReportBook, ReportShock)
EXECUTION = (RecordHeartbeat, ReportFill, CloseOrder, ConfirmFence, ReconcileLedger)
DRIVER = (RecordHeartbeat, UpdateMark, CloseBar)
NOBODY = -1
ALL = (0, 1, 2, 3, 4, 5, 6, 7)
PROBER = (2, 3, 4, 5, 6, 7)

# In the order in which they are read: what reduces risk before what takes it.
# fmt: off
#         name        events                      heartbeat of         workers  /s  burst clients
ROLES: tuple[Role, ...] = (
    Role("operator", OPERATOR,                   NOBODY,              (),      1000,  200, 8),
    Role("guard",    EXECUTION,                  Partition.EXECUTION, ALL,     5000, 2000, 1),
    Role("driver",   DRIVER,                     Partition.FEED,      (),     20000, 4000, 1),
    Role("sensors",  SENSORS,                    Partition.SENSORS,   (),      2000,  500, 1),
    Role("alpha",    (RecordHeartbeat, *WORKER), Partition.ALPHA,     (0,),    1000,  200, 1),
    Role("prober",   WORKER,                     NOBODY,              PROBER,   500,  100, 1),
)
# fmt: on


# SHL-008, SHL-010, SHL-011, SHL-012
def permitted(role: Role, event: Event) -> bool:
    """Return whether ``role`` may say ``event``."""
    if not isinstance(event, role.events):
        return False
    if isinstance(event, RecordHeartbeat):
        return event.partition == role.partition
    if isinstance(event, TripKillSwitch):
        # An operator kills as operator; the other causes are the shell's to find.
        return event.cause == Cause.OPERATOR
    if isinstance(event, (ClaimInstrument, RequestOrder, ReportFill, CloseOrder)):
        # A worker nobody has is left to the kernel, which calls it malformed.
        return event.worker in role.workers or not 0 <= event.worker < len(ALL)
    return True


# SHL-014, SHL-015
class TokenBucket:
    """Tokens that come back with time."""

    def __init__(self, per_second: int, burst: int) -> None:
        """Start full: ``burst`` tokens."""
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def refill(self, now: float) -> bool:
        """Take the time ``now`` (seconds); return whether a token is there."""
        earned = (now - self._at) * self._per_second
        self._tokens = min(float(self._burst), self._tokens + max(0.0, earned))
        self._at = now
        return self._tokens >= 1

    def spend(self) -> bool:
        """Spend one token; return whether another is left."""
        self._tokens -= 1
        return self._tokens >= 1
