"""The shell: record before effect, risk reduced even without a record, an answer to everything."""

from dataclasses import replace
from typing import Any

import icontract
import pytest

from dolphin.link.permit import permit_of
from dolphin.shell.journal import numbers_of
from dolphin.shell.roles import ROLES
from kernel.events import TripKillSwitch
from kernel.outcome import Accepted
from kernel.step import step_bare
from tests.dolphin.shell.conftest import KEY, Rig


@pytest.mark.req("SHL-001", "SHL-026", "SHL-028")
def test_the_record_is_committed_before_the_permit_leaves(apex: Rig) -> None:
    before = apex.journal.committed
    reply = apex.order()
    assert reply["ok"] is True
    assert apex.journal.committed == before + 1
    assert apex.journal.log == ["record RequestOrder", "commit"]
    permit = permit_of(reply["permit"], KEY)
    assert permit is not None
    assert (permit.worker, permit.side, permit.quantity, permit.epoch) == (0, -1, 100, 0)
    assert apex.shell.to_guard[-1] == {"do": "issued", "permit": reply["permit"]}


@pytest.mark.req("SHL-002", "SHL-005")
def test_a_permit_that_cannot_be_recorded_is_not_given(apex: Rig) -> None:
    apex.journal.failing = True
    reply = apex.order()
    assert reply == {"ok": False, "reason": "JOURNAL_DOWN"}
    assert not [message for message in apex.shell.to_guard if message["do"] == "issued"]
    # The failure killed, in the same breath, and the fence that frees the slot is on its way.
    assert apex.shell.state.killswitch.latched_checksum
    assert apex.shell.state.machine.posture == 0
    assert [message["do"] for message in apex.shell.to_guard] == ["cancel_all"]


@pytest.mark.req("SHL-003", "SHL-027")
def test_risk_is_reduced_without_a_record(apex: Rig) -> None:
    apex.order()
    apex.say("guard", "ReportFill", worker=0, quantity=100, price=1_000_000, fee=1)
    apex.shell.to_guard.clear()
    apex.journal.failing = True
    apex.say("operator", "TripKillSwitch", cause=3, operator=1, reason=1)
    epoch = apex.shell.state.gate.fence_epoch
    assert apex.shell.to_guard[0] == {"do": "cancel_all", "epoch": epoch}
    apex.say("guard", "ConfirmFence", epoch=epoch)
    flatten = apex.shell.to_guard[-1]
    assert flatten["do"] == "flatten"
    permit = permit_of(flatten["permits"][0], KEY)
    assert permit is not None
    assert (permit.side, permit.quantity, permit.reduce_only, permit.market) == (1, 100, True, True)


@pytest.mark.req("SHL-004", "SHL-005")
def test_what_waited_is_written_in_order_and_the_kernel_is_told(apex: Rig) -> None:
    apex.journal.failing = True
    apex.say("operator", "TripKillSwitch", cause=3, operator=1, reason=1)
    apex.shell.tick(1)
    assert not apex.shell.state.killswitch.journal_writable
    apex.journal.failing = False
    apex.shell.tick(2)
    status = apex.shell.take(ROLES[0], {"ask": "status"})["status"]
    assert status["journal_writable"] is True
    names = [type(event).__name__ for _before, event, _outcome in apex.journal.steps]
    assert names.count("FailJournal") == names.count("RestoreJournal") == 1
    assert names.index("FailJournal") < names.index("RestoreJournal")
    assert apex.journal.committed == len(apex.journal.steps)


@pytest.mark.req("SHL-005")
def test_the_kernel_is_told_though_a_message_was_written_first(apex: Rig) -> None:
    """Between two ticks a heartbeat may be the first record that can be written again."""
    apex.journal.failing = True
    apex.say("operator", "TripKillSwitch", cause=3, operator=1, reason=1)
    apex.journal.failing = False
    apex.say("sensors", "RecordHeartbeat", partition=3)
    assert not apex.shell.state.killswitch.journal_writable
    apex.shell.tick(1)
    assert apex.shell.state.killswitch.journal_writable


@pytest.mark.req("SHL-022", "SHL-035")
def test_the_journals_steps_are_the_states_history(apex: Rig) -> None:
    apex.order()
    apex.order(quantity=0)
    apex.shell.tick(10)
    state = apex.journal.steps[0][0]
    for before, event, outcome in apex.journal.steps:
        assert before == state
        assert step_bare(before, event) == outcome
        state = outcome.state if isinstance(outcome, Accepted) else state
    assert state == apex.shell.state


@pytest.mark.req("SHL-006")
def test_a_quiet_tick_is_recorded_and_not_committed(apex: Rig) -> None:
    apex.shell.tick(5)
    assert apex.journal.log == ["record AdvanceTime"]


@pytest.mark.req("SHL-006")
def test_a_tick_that_trips_is_committed(apex: Rig) -> None:
    apex.shell.tick(5_000)
    assert apex.shell.state.killswitch.killed
    assert apex.journal.log == ["record AdvanceTime", "commit"]
    assert apex.shell.to_guard[0]["do"] == "cancel_all"
    assert apex.shell.history.trips[0]["causes"] == ["HEARTBEAT"]


@pytest.mark.req("SHL-008", "SHL-011", "SHL-018", "SHL-022")
@pytest.mark.parametrize(
    ("role", "message", "reason"),
    [
        ("prober", {"event": "CloseBar", "market_time_ms": 10**9}, "NOT_PERMITTED"),
        ("prober", {"event": "ClaimInstrument", "worker": 0, "instrument": 9}, "NOT_PERMITTED"),
        ("alpha", {"event": "RecordHeartbeat", "partition": 1}, "NOT_PERMITTED"),
        ("alpha", {"event": "RestartKernel"}, "NOT_PERMITTED"),
        ("sensors", {"event": "AdvanceTime", "process_time_ms": 10**9}, "NOT_PERMITTED"),
        ("alpha", {"event": "Obey"}, "UNREADABLE"),
        ("alpha", {"event": "ReportShock", "extra": 1}, "UNREADABLE"),
        ("alpha", {}, "UNREADABLE"),
        ("alpha", {"event": "ClaimInstrument", "worker": 9, "instrument": 1}, "MALFORMED"),
    ],
)
def test_what_may_not_be_said_changes_nothing(
    apex: Rig, role: str, message: dict[str, Any], reason: str
) -> None:
    state, recorded = apex.shell.state, len(apex.journal.steps)
    row = next(one for one in ROLES if one.name == role)
    reply = apex.shell.take(row, message | {"id": 4})
    assert reply["ok"] is False
    assert reply["reason"] == reason
    assert reply["id"] == 4
    assert apex.shell.state == state
    assert apex.shell.account()["refusals"][reason] >= 1
    # What the kernel itself refused has its record; what never was its to judge has none.
    assert len(apex.journal.steps) == recorded + (reason == "MALFORMED")


@pytest.mark.req("SHL-013")
def test_an_operators_words_become_the_events_numbers(apex: Rig) -> None:
    who, why = numbers_of("ada", "she saw smoke")
    apex.say("operator", "TripKillSwitch", cause=3, who="ada", why="she saw smoke")
    _before, event, _outcome = apex.journal.steps[-1]
    assert isinstance(event, TripKillSwitch)
    assert (event.operator, event.reason) == (who, why)
    assert apex.journal.words[-1] == ("ada", "she saw smoke")


@pytest.mark.req("SHL-013")
def test_nobody_else_has_words(apex: Rig) -> None:
    reply = apex.say("alpha", "ClaimInstrument", worker=0, instrument=1, who="me", why="so")
    assert reply["reason"] == "UNREADABLE"


@pytest.mark.req("SHL-025")
def test_a_guard_that_comes_anew_hears_where_things_stand(apex: Rig) -> None:
    apex.order()
    apex.shell.greet_guard()
    hello = apex.shell.to_guard[0]
    assert len(apex.shell.to_guard) == 1, "what was for its ancestor is gone"
    assert hello["outstanding"] == [0]
    assert hello["fence_confirmed"] is True
    assert hello["floor"] > 1


@pytest.mark.req("SHL-024")
def test_the_status_shows_the_five_factors(apex: Rig) -> None:
    row = next(one for one in ROLES if one.name == "operator")
    status = apex.shell.take(row, {"ask": "status"})["status"]
    assert status["posture"] == 3
    assert status["cat1_ppm"] == 1_000_000
    assert {"structural_ppm", "micro_ppm", "environment_ppm", "capital_ppm"} <= status.keys()
    apex.say("operator", "TripKillSwitch", cause=3, operator=1, reason=1)
    status = apex.shell.take(row, {"ask": "status"})["status"]
    assert (status["cat1_ppm"], status["causes"]) == (0, ["OPERATOR"])


@pytest.mark.req("SHL-023")
def test_a_broken_promise_stops_the_shell_and_nothing_of_it_leaves(apex: Rig) -> None:
    state = apex.shell.state
    apex.shell.state = replace(state, ledger=replace(state.ledger, cash=state.ledger.cash + 1))
    with pytest.raises(icontract.ViolationError):
        apex.order()
    assert apex.journal.log == []
    assert list(apex.shell.to_guard) == []
