"""The result of a step: ``Accepted(state, effects)`` or ``Refused(reason)``.

Rules of this file:

*   ``Refused`` has no state, so a refusal cannot change one.
*   A reason names the guard that failed; the order in which guards are judged is the spec's
    (docs/KERNEL.md), so a reason is a value that tests compare whole.
*   ``Effects`` are three questions in the order of execution: cancel, flatten, permit. Their
    particulars (which epoch, which permits) are in the state that comes with them. A step has at
    most one effect.

Spec modules: the verdict operators of KillSwitch, Survival, Posture, Gate and Ledger.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Union

from kernel.contracts import ensure_part
from kernel.state import State


class Reason(IntEnum):
    """Why an event was refused."""

    # KRN-CONF-001

    MALFORMED = 1
    TIME_BACKWARDS = 2
    BAR_TOO_SHORT = 3
    MARKET_TIME_AHEAD = 4
    INSTRUMENT_NOT_CLAIMED = 5
    INSTRUMENT_OWNED = 6
    POSITION_OPEN = 7
    PERMIT_OUTSTANDING = 8
    HIBERNATING = 9
    FENCE_UNCONFIRMED = 10
    NO_MARK = 11
    NOTHING_TO_REDUCE = 12
    WOULD_GROW = 13
    WOULD_FLIP = 14
    POSTURE_FORBIDS_ENTRY = 15
    LIMIT_ONLY = 16
    LEVERAGE_ABOVE_CEILING = 17
    NOTIONAL_ABOVE_FRACTION = 18
    EXPOSURE_ABOVE_CEILING = 19
    NO_PERMIT = 20
    STALE_EPOCH = 21
    NOTHING_TO_REARM = 22
    NO_REQUEST = 23
    COOLING = 24
    REQUEST_EXPIRED = 25
    JOURNAL_DOWN = 26
    NOT_FLAT = 27


@dataclass(frozen=True)
class Effects:
    """What the shell must do, in this order."""

    # KRN-STEP-009

    cancel_all_orders: bool
    flatten_positions: bool
    issue_permit: bool


@dataclass(frozen=True)
class Accepted:
    """The event took place."""

    state: State
    effects: Effects


@dataclass(frozen=True)
class Refused:
    """The event did not take place, and why."""

    # KRN-STEP-001

    reason: Reason


Outcome = Union[Accepted, Refused]


@ensure_part(
    lambda result: not (result.cancel_all_orders or result.flatten_positions or result.issue_permit)
)
def no_effects() -> Effects:
    """Return the effects of a step that asks nothing of the shell."""
    return Effects(cancel_all_orders=False, flatten_positions=False, issue_permit=False)
