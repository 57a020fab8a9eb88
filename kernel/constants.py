"""Every number of the kernel, with its source.

Rules of this file:

*   Integers only. Ratios in parts per million, money in micro-USDT, time in milliseconds.
*   The unit, then the qualifier, come last in a name: ``AGE_MS_MAX``.
*   A number from a source carries its section (``docs/sources/``); one of ours says why it has the
    value it has.
*   What a deployment may set lives in ``state.Limits`` and is bounded by what stands here.

The two profiles are the survival stacks of two sources: ``bible`` is the system as it ran (bible
11), ``specification`` the one that the aeronautical specification asks for (specification VI).

Not here: the curves (``curves.py``). Spec modules: all; these are their CONSTANTS.
"""

from enum import IntEnum
from typing import Final


class Profile(IntEnum):
    """Which of the two survival stacks is in force."""

    BIBLE = 0
    SPECIFICATION = 1


class Posture(IntEnum):
    """Operational postures, ordered by freedom (bible 11.5, specification VI.2)."""

    HIBERNATE = 0
    TURTLE = 1
    STALKER = 2
    APEX = 3


class Partition(IntEnum):
    """The partitions whose heartbeat the kill-switch watches."""

    ALPHA = 0
    EXECUTION = 1
    FEED = 2
    SENSORS = 3


class Cause(IntEnum):
    """Integrity causes of the kill-switch: they latch until an operator re-arms."""

    CHECKSUM = 1
    DESYNC = 2
    OPERATOR = 3


class Status(IntEnum):
    """MC-Forewarner status (bible 12)."""

    OK = 0
    ORANGE = 1
    RED = 2


class Permit(IntEnum):
    """What a slot's outstanding permit is for."""

    NONE = 0
    ENTRY = 1
    EXIT = 2
    FLATTEN = 3


class Pending(IntEnum):
    """The operator's request that waits for its confirmation."""

    NONE = 0
    REARM = 1
    PEAK_RESET = 2


# Raised whenever a number below, or one of the curves', changes. The kernel's process starts only
# with numbers that have a passing model run on record (constants.json, traces/constants.py).
CONSTANTS_VERSION: Final[int] = 1

PPM: Final[int] = 1_000_000

# Ranges. They bound what an event may say; the models and the journal's widths rely on them.
WORKERS: Final[int] = 8  # specification VIII MIG5
PARTITIONS: Final[int] = 4
AGE_MS_MAX: Final[int] = 1_000_000_000  # ages saturate: 11.6 days, past the end of every curve
AGE_S_MAX: Final[int] = 1_000_000
LATENCY_MS_MAX: Final[int] = 60_000
GRID_MEMBERS_MAX: Final[int] = 1_000
INSTRUMENT_MAX: Final[int] = 65_535
QUANTITY_MAX: Final[int] = 1_000_000  # lots
PRICE_MAX: Final[int] = 100_000_000_000  # micro-USDT per lot: 100,000 USDT
FEE_MAX: Final[int] = 1_000_000_000_000  # micro-USDT: 1,000,000 USDT
CASH_MAX: Final[int] = 1_000_000_000_000_000  # micro-USDT: 10^9 USDT, the most a session opens with
LEVERAGE_PPM_MAX: Final[int] = 100_000_000
TIME_MS_MAX: Final[int] = (
    4_000_000_000_000  # a clock reading: until the year 2096 if it is Unix time
)
OPERATOR_MAX: Final[int] = 65_535
REASON_MAX: Final[int] = 2**63 - 1  # an opaque number; the journal holds the words beside it

# Kill-switch (category 1).
HEARTBEAT_MS_MAX: Final[int] = 30_000  # bible 11.2: heartbeat older than 30 s

# Survival controller (categories 2 to 5): bible 11.2 and 11.3, specification VI.1 and VI.3.
STATUS_FACTOR_ORANGE_PPM: Final[int] = 500_000
STATUS_FACTOR_RED_PPM: Final[int] = 100_000
BOOK_STALE_FACTOR_PPM: Final[int] = 500_000
DEGRADED_BELOW_PPM: Final[int] = 800_000
DEGRADED_COUNT: Final[int] = 2

# Recovery. Bible 11.4: 2 % of the gap a minute, a third of a ppm for each millisecond. Its second
# bound, 5 % a minute, never binds, since a gap is at most 1. Specification VI.3: 1 % a minute.
RECOVERY_BIBLE_MS_PER_PPM: Final[int] = 3
RECOVERY_SPECIFICATION_MS_PER_PPM: Final[int] = 6
# Ours: a feed that was away for hours has not earned hours of trust.
RECOVERY_MS_MAX: Final[int] = 300_000

# Postures. Bible 11.5 and 11.6; specification VI.2, VI.3 (drops: bible 19.3; the return to APEX at
# 92 % is the specification's, and the other two keep its gap of seven points: ADR 0022).
BIBLE_APEX_PPM: Final[int] = 900_000
BIBLE_STALKER_PPM: Final[int] = 750_000
BIBLE_TURTLE_PPM: Final[int] = 500_000
BIBLE_DOWN_AFTER: Final[int] = 2
BIBLE_UP_AFTER: Final[int] = 5
SPECIFICATION_APEX_DROP_PPM: Final[int] = 850_000
SPECIFICATION_STALKER_DROP_PPM: Final[int] = 700_000
SPECIFICATION_TURTLE_DROP_PPM: Final[int] = 450_000
SPECIFICATION_APEX_RISE_PPM: Final[int] = 920_000
SPECIFICATION_STALKER_RISE_PPM: Final[int] = 770_000
SPECIFICATION_TURTLE_RISE_PPM: Final[int] = 520_000
SPECIFICATION_DOWN_AFTER: Final[int] = 1
SPECIFICATION_UP_AFTER: Final[int] = 1

# Order gate. Ceilings: specification VI.2 and bible 6.5, 11.7. A position is at most a fifth
# (fraction 0.20, bible 6.4 and 19.1) of capital times the ceiling.
CEILING_APEX: Final[int] = 6
CEILING_STALKER: Final[int] = 2
FRACTION_DIVISOR: Final[int] = 5
