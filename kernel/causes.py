"""The causes that trip the kill-switch, and whether any is active.

Theory. Integrity causes latch until an operator re-arms. Liveness causes are functions of ages and
counts. ``killed`` is true exactly while some cause is active; that is an invariant, and each
handler that may change a cause says so again.

Rules of this file:

*   Predicates only; nothing here changes a state.
*   A contract says the same in other words, so that a slip in one of the two is seen.

Not here: what a cause does (``killswitch.py``). Spec module: KillSwitch. Sources: bible 11.2.
"""

from kernel.contracts import ensure_part, opaque, pure
from kernel.state import Ages, KillSwitch, Limits


@pure
@opaque
def heartbeat_late(ages: Ages, limits: Ages) -> bool:  # KRN-KILL-001, KRN-KILL-002, KRN-KILL-003
    """Return whether some partition's heartbeat is older than its limit."""
    return ages[0] > limits[0] or ages[1] > limits[1] or ages[2] > limits[2] or ages[3] > limits[3]


@pure
@ensure_part(
    lambda killswitch, result: (
        result
        == (killswitch.latched_operator or killswitch.latched_desync or killswitch.latched_checksum)
    )
)
def latched(killswitch: KillSwitch) -> bool:
    """Return whether an integrity cause is latched."""
    return killswitch.latched_checksum or killswitch.latched_desync or killswitch.latched_operator


@pure
def cause_active(killswitch: KillSwitch, limits: Limits) -> bool:
    """Return whether any cause is active."""
    # KRN-KILL-004, KRN-KILL-005, KRN-KILL-010
    return (
        latched(killswitch)
        or heartbeat_late(killswitch.heartbeat_age_ms, limits.heartbeat_limit_ms)
        or (limits.grid_in_use and killswitch.grid_members < 1)
    )
