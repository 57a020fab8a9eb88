"""What an event changes where no other test shows a condition to decide: states compared whole."""

import dataclasses

import pytest

from kernel.constants import Cause, Status
from kernel.events import ReportForewarner, TripKillSwitch
from kernel.state import State
from tests.kernel.sessions import accept, fresh

LATCH = {
    Cause.CHECKSUM: "latched_checksum",
    Cause.DESYNC: "latched_desync",
    Cause.OPERATOR: "latched_operator",
}


def tripped(state: State, cause: Cause) -> State:
    """The state after a trip for the cause."""
    return accept(state, TripKillSwitch(cause=int(cause), operator=1, reason=7))


@pytest.mark.req("KRN-KILL-006", "KRN-KILL-007", "KRN-KILL-008", "KRN-KILL-014")
@pytest.mark.parametrize("first", Cause)
@pytest.mark.parametrize("second", Cause)
def test_a_second_cause_latches_and_the_first_stays(first: Cause, second: Cause) -> None:
    once = tripped(fresh(), first)
    expected = {name: cause in (first, second) for cause, name in LATCH.items()}
    switch = dataclasses.replace(once.killswitch, **expected)
    assert tripped(once, second) == dataclasses.replace(once, killswitch=switch)


@pytest.mark.req("KRN-SURV-034")
@pytest.mark.parametrize("status", Status)
def test_a_status_is_taken_as_it_is_reported(status: Status) -> None:
    before = fresh()
    aged = dataclasses.replace(
        before, survival=dataclasses.replace(before.survival, forewarner_age_ms=60_000)
    )
    reading = dataclasses.replace(aged.survival, forewarner_status=status, forewarner_age_ms=0)
    after = accept(aged, ReportForewarner(status=int(status)))
    assert after == dataclasses.replace(aged, survival=reading)
