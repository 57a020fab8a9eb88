"""The shell: record before effect, risk reduced even without a record, an answer to everything."""

import dataclasses
from typing import Any

import icontract
import pytest
from msgspec.structs import replace

from dolphin.link.messages import (
    WORDS_MAX,
    Accepted,
    AskStatus,
    CancelAll,
    Flatten,
    Issued,
    Refused,
)
from dolphin.link.permit import permit_of
from dolphin.shell.journal import numbers_of
from dolphin.shell.roles import ROLES
from kernel import outcome as kernel
from kernel.events import TripKillSwitch
from kernel.step import step_bare
from tests.dolphin.said import ORDER, said
from tests.dolphin.shell.conftest import KEY, Rig


@pytest.mark.req("SHL-001", "SHL-026", "SHL-028")
def test_the_record_is_committed_before_the_permit_leaves(apex: Rig) -> None:
    before = apex.journal.committed
    reply = apex.order()
    assert isinstance(reply, Accepted)
    assert apex.journal.committed == before + 1
    assert apex.journal.log == ["record RequestOrder", "commit"]
    permit = permit_of(reply.permit, KEY)
    assert permit is not None
    assert permit.order == ORDER
    assert permit.epoch == 0
    assert apex.shell.to_guard[-1] == Issued(permit=reply.permit)


@pytest.mark.req("SHL-002", "SHL-005")
def test_a_permit_that_cannot_be_recorded_is_not_given(apex: Rig) -> None:
    apex.journal.failing = True
    reply = apex.order()
    assert reply == Refused(reason="JOURNAL_DOWN")
    assert not [message for message in apex.shell.to_guard if isinstance(message, Issued)]
    # The failure killed, in the same breath, and the fence that frees the slot is on its way.
    assert apex.shell.state.killswitch.latched_checksum
    assert apex.shell.state.machine.posture == 0
    assert [type(message) for message in apex.shell.to_guard] == [CancelAll]


@pytest.mark.req("SHL-003", "SHL-027")
def test_risk_is_reduced_without_a_record(apex: Rig) -> None:
    apex.order()
    apex.say("guard", "ReportFill", worker=0, quantity=100, price=1_000_000, fee=1)
    apex.shell.to_guard.clear()
    apex.journal.failing = True
    apex.say("operator", "TripKillSwitch", cause=3)
    epoch = apex.shell.state.gate.fence_epoch
    assert apex.shell.to_guard[0] == CancelAll(epoch=epoch)
    apex.say("guard", "ConfirmFence", epoch=epoch)
    flatten = apex.shell.to_guard[-1]
    assert isinstance(flatten, Flatten)
    permit = permit_of(flatten.permits[0], KEY)
    assert permit is not None
    assert permit.order == replace(ORDER, side=1, reduce_only=True)


@pytest.mark.req("SHL-004", "SHL-005")
def test_what_waited_is_written_in_order_and_the_kernel_is_told(apex: Rig) -> None:
    apex.journal.failing = True
    apex.say("operator", "TripKillSwitch", cause=3)
    apex.shell.tick(1)
    assert not apex.shell.state.killswitch.journal_writable
    apex.journal.failing = False
    apex.shell.tick(2)
    status = apex.shell.take(ROLES[0], AskStatus()).status
    assert status.journal_writable is True
    names = [type(event).__name__ for _before, event, _outcome in apex.journal.steps]
    assert names.count("FailJournal") == names.count("RestoreJournal") == 1
    assert names.index("FailJournal") < names.index("RestoreJournal")
    assert apex.journal.committed == len(apex.journal.steps)


@pytest.mark.req("SHL-005")
def test_the_kernel_is_told_though_a_message_was_written_first(apex: Rig) -> None:
    """Between two ticks a heartbeat may be the first record that can be written again."""
    apex.journal.failing = True
    apex.say("operator", "TripKillSwitch", cause=3)
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
        state = outcome.state if isinstance(outcome, kernel.Accepted) else state
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
    assert isinstance(apex.shell.to_guard[0], CancelAll)
    assert apex.shell.history.trips[0]["causes"] == ["HEARTBEAT"]


@pytest.mark.req("SHL-008", "SHL-011", "SHL-018", "SHL-022")
@pytest.mark.parametrize(
    ("role", "heard", "reason"),
    [
        ("prober", said("CloseBar", market_time_ms=10**9, id=4), "NOT_PERMITTED"),
        ("prober", said("ClaimInstrument", worker=0, instrument=9, id=4), "NOT_PERMITTED"),
        ("alpha", said("RecordHeartbeat", partition=1, id=4), "NOT_PERMITTED"),
        ("alpha", said("RestartKernel", id=4), "NOT_PERMITTED"),
        ("alpha", said("TripKillSwitch", cause=3, id=4), "NOT_PERMITTED"),
        ("alpha", said("AskAccount", id=4), "NOT_PERMITTED"),
        ("sensors", said("AdvanceTime", process_time_ms=10**9, id=4), "NOT_PERMITTED"),
        ("alpha", b'{"type":"Obey","id":4}', "UNREADABLE"),
        ("alpha", b'{"type":"ReportShock","extra":1,"id":4}', "UNREADABLE"),
        ("alpha", b'{"id":4}', "UNREADABLE"),
        ("alpha", said("ClaimInstrument", worker=9, instrument=1, id=4), "MALFORMED"),
    ],
    ids=str,
)
def test_what_may_not_be_said_changes_nothing(
    apex: Rig, role: str, heard: Any, reason: str
) -> None:
    state, recorded = apex.shell.state, len(apex.journal.steps)
    reply = apex.take(role, heard)
    assert (reply.reason, reply.id) == (reason, 4)
    assert bool(reply.detail) == (reason == "UNREADABLE"), "what was expected is said"
    assert apex.shell.state == state
    assert apex.shell.account().refusals[reason] >= 1
    # What the kernel itself refused has its record; what never was its to judge has none.
    assert len(apex.journal.steps) == recorded + (reason == "MALFORMED")


# --- the operator's kill --------------------------------------------------------------------------


@pytest.mark.req("SHL-042")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            b'{"type":"TripKillSwitch","cause":3,"who":"ada","why":"M\xe4rkte"}',
            '{"type":"TripKillSwitch","cause":3,"who":"ada","why":"M\\xe4rkte"}',
        ),
        (
            b'{"type":"TripKillSwitch","cause":3,"who":"ada","why":"\\ud800"}',
            '{"type":"TripKillSwitch","cause":3,"who":"ada","why":"\\ud800"}',
        ),
        (b'{"type": "TripKillSwitch"}', '{"type": "TripKillSwitch"}'),
        (b'{"event":"TripKillSwitch","cause":7', '{"event":"TripKillSwitch","cause":7'),
        (
            b'{"type":"TripKillSwitch","cause":3,"who":"ada","why":"' + b"x" * 70_000,
            '{"type":"TripKillSwitch","cause":3,"who":"ada","why":"' + "x" * 346,
        ),
        (b"[" * 300 + b"TripKillSwitch", "[" * 300 + "TripKillSwitch"),
    ],
    ids=range(6),
)
def test_a_kill_that_cannot_be_read_trips_and_says_what_was_there(
    apex: Rig, data: bytes, why: str
) -> None:
    assert apex.take("operator", data) == Accepted()
    assert apex.shell.state.killswitch.latched_operator
    _before, event, _outcome = apex.journal.steps[-1]
    assert (event.operator, event.reason) == numbers_of("unreadable", why)
    assert apex.journal.words[-1] == ("unreadable", why)
    assert len(why) <= WORDS_MAX == 400


@pytest.mark.req("SHL-012", "SHL-042")
@pytest.mark.parametrize(
    ("role", "data"),
    [
        ("alpha", b'{"type":"TripKillSwitch","cause":3,"who":"ada","why":"\xe4"}'),
        ("guard", b'{"type":"TripKillSwitch"'),
        ("operator", b'{"type":"RequestRearm","who":"ada","why":"\xe4"}'),
        ("operator", b"\xff"),
        ("operator", said("TripKillSwitch", cause=1)),
    ],
    ids=range(5),
)
def test_only_an_operators_kill_is_one(apex: Rig, role: str, data: Any) -> None:
    assert isinstance(apex.take(role, data), Refused)
    assert not apex.shell.state.killswitch.killed


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
    words = b'{"type":"ClaimInstrument","worker":0,"instrument":1,"who":"me","why":"so"}'
    reply = apex.take("alpha", words)
    assert (reply.reason, "`who`" in reply.detail) == ("UNREADABLE", True)


@pytest.mark.req("SHL-025")
def test_a_guard_that_comes_anew_hears_where_things_stand(apex: Rig) -> None:
    apex.order()
    apex.shell.greet_guard()
    hello = apex.shell.to_guard[0]
    assert len(apex.shell.to_guard) == 1, "what was for its ancestor is gone"
    assert hello.outstanding == (0,)
    assert hello.fence_confirmed is True
    assert hello.floor > 1


@pytest.mark.req("SHL-024")
def test_the_status_shows_the_five_factors(apex: Rig) -> None:
    row = next(one for one in ROLES if one.name == "operator")
    status = apex.shell.take(row, AskStatus()).status
    assert status.posture == 3
    assert status.cat1_ppm == 1_000_000
    apex.say("operator", "TripKillSwitch", cause=3)
    status = apex.shell.take(row, AskStatus()).status
    assert (status.cat1_ppm, status.causes) == (0, ("OPERATOR",))


@pytest.mark.req("SHL-023")
def test_a_broken_promise_stops_the_shell_and_nothing_of_it_leaves(apex: Rig) -> None:
    state = apex.shell.state
    ledger = dataclasses.replace(state.ledger, cash=state.ledger.cash + 1)
    apex.shell.state = dataclasses.replace(state, ledger=ledger)
    with pytest.raises(icontract.ViolationError):
        apex.order()
    assert apex.journal.log == []
    assert list(apex.shell.to_guard) == []
