"""The state that a session opens with, written out field by field.

Not here: what becomes of it (``test_step.py``), what a restart does (``test_rules.py``).
"""

import pytest

from kernel.constants import Pending, Posture, Status
from kernel.state import (
    Clock,
    Gate,
    KillSwitch,
    PostureMachine,
    Slot,
    State,
    Survival,
    initial_state,
    opening_ledger,
)
from tests.kernel.sessions import OPENING_CASH, limits_of


@pytest.mark.req("KRN-INIT-001", "KRN-INIT-002")
@pytest.mark.parametrize("grid", [False, True])
def test_every_field_of_the_initial_state(grid: bool) -> None:
    limits, ledger = limits_of(grid_in_use=grid), opening_ledger(OPENING_CASH)
    expected = State(
        clock=Clock(process_time_ms=5, market_time_ms=9),
        killswitch=KillSwitch(
            heartbeat_age_ms=(0, 0, 0, 0),
            grid_members=0,
            latched_checksum=False,
            latched_desync=False,
            latched_operator=False,
            journal_writable=True,
            killed=grid,
            operator_request=Pending.NONE,
            operator_request_age_ms=0,
        ),
        survival=Survival(Status.RED, 0, 0, 0, 0, 0, 0, 0, 0),
        machine=PostureMachine(posture=Posture.HIBERNATE, bars_below=0, bars_above=0),
        gate=Gate(
            fence_epoch=0,
            fence_confirmed=False,
            slots=(Slot(0, 0, 0, 0, 0, 0, 0),) * 8,  # type: ignore[arg-type]  # eight of them
            reserved_notional=0,
            open_notional=0,
        ),
        ledger=ledger,
        limits=limits,
    )
    opened = initial_state(limits, ledger, 5, 9)
    assert opened == expected
    assert opened.gate.fence_confirmed is False
