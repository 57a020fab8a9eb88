"""Predicates over a result: which reason, which effects.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   It stands below the code that it speaks about.

Not here: the answers (``outcome.py``). Spec module: Kernel.
"""

from kernel.contracts import pure
from kernel.outcome import Effects, Outcome, Reason, Refused


@pure
def effects_are(effects: Effects, cancel: bool, flatten: bool, permit: bool) -> bool:
    """Whether the effects are these three."""
    return (
        effects.cancel_all_orders == cancel
        and effects.flatten_positions == flatten
        and effects.issue_permit == permit
    )


@pure
def reason_is(refusal: Refused, reason: Reason) -> bool:
    """Whether the refusal names this reason."""
    return refusal.reason == reason


@pure
def reason_numbered(refusal: Refused, number: int) -> bool:
    """Whether the refusal's reason has this number."""
    return int(refusal.reason) == number


@pure
def refused_as(outcome: Outcome, number: int) -> bool:
    """Whether the outcome is a refusal whose reason has this number."""
    return isinstance(outcome, Refused) and reason_numbered(outcome, number)
