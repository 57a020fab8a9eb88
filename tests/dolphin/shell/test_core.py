"""The shell: record before effect, risk reduced even without a record, an answer to everything."""

import dataclasses
from dataclasses import replace as changed
from typing import Any

import icontract
import pytest
from msgspec.structs import replace

from dolphin.link.codec import Unreadable
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
from dolphin.shell.core import GUARD_QUEUE_MAX, extract_operator_reason
from dolphin.shell.journal import numbers_of
from dolphin.shell.roles import ROLES
from dolphin.shell.snapshot import causes
from kernel import outcome as kernel
from kernel.events import TripKillSwitch
from kernel.state import initial_state, opening_ledger
from kernel.step import step_bare
from tests.dolphin.said import ORDER, said
from tests.dolphin.shell.conftest import KEY, LIMITS, Rig


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


# --- its rarer turns, its history and what it shows ----------------------------------------------


@pytest.mark.req("SHL-022", "SHL-024")
def test_who_asks_to_be_shown_gets_the_state_behind_the_answer(rig: Rig) -> None:
    assert rig.say("driver", "CloseBar", market_time_ms=60_000).status is None
    reply = rig.say("driver", "CloseBar", market_time_ms=120_000, show=True)
    assert reply.status.market_time_ms == 120_000


@pytest.mark.req("SHL-021")
def test_a_tick_at_a_time_that_is_known_is_none(rig: Rig) -> None:
    rig.shell.tick(5)
    rig.shell.tick(5)
    rig.shell.tick(4)
    assert rig.journal.log == ["record AdvanceTime"]
    assert rig.shell.state.clock.process_time_ms == 5


@pytest.mark.req("SHL-018")
def test_what_was_no_message_is_counted(rig: Rig) -> None:
    state = rig.shell.state
    heard = Unreadable(expected="a message expected", id=0, data=b"{")
    assert rig.take("prober", heard) == Refused(reason="UNREADABLE", detail="a message expected")
    assert rig.shell.account().refusals == {"UNREADABLE": 1}
    assert rig.shell.state == state


@pytest.mark.req("SHL-031")
def test_a_restart_fences_and_is_recorded(apex: Rig) -> None:
    apex.shell.restart()
    assert apex.journal.log[0] == "record RestartKernel"
    assert apex.shell.to_guard[0] == CancelAll(epoch=1)
    assert apex.shell.history.marks[-1]["text"] == "kernel restarted on its journal"


@pytest.mark.req("SHL-029")
def test_what_is_beyond_the_guards_queue_is_dropped_and_counted(apex: Rig) -> None:
    first = [CancelAll(epoch=number) for number in range(GUARD_QUEUE_MAX - 1)]
    apex.shell.to_guard.extend(first)
    token = apex.order().permit
    apex.say("operator", "TripKillSwitch", cause=3)
    assert apex.shell.counts["guard_messages_dropped"] == 1
    assert list(apex.shell.to_guard) == [*first, Issued(permit=token)]


@pytest.mark.req("SHL-026", "SHL-027", "SHL-028")
def test_a_flatten_is_for_the_slots_whose_permit_the_step_gave(apex: Rig) -> None:
    """A confirmed fence flattens both positions; one that ended unfilled is flattened alone."""
    shell = apex.shell
    apex.say("prober", "ClaimInstrument", worker=2, instrument=2)
    apex.say("driver", "UpdateMark", instrument=2, price=1_000_000)
    apex.order()
    second = {"worker": 2, "instrument": 2, "side": 1, "quantity": 50}
    assert isinstance(apex.say("prober", "RequestOrder", **second), Accepted)
    for worker, quantity in ((0, 100), (2, 50)):
        fill = {"worker": worker, "quantity": quantity, "price": 1_000_000, "fee": 1}
        assert apex.say("guard", "ReportFill", **fill) == Accepted()
    apex.say("operator", "TripKillSwitch", cause=3)
    shell.to_guard.clear()
    apex.say("guard", "ConfirmFence", epoch=1)
    both = [permit_of(token, KEY) for token in shell.to_guard.pop().permits]
    back = replace(ORDER, side=1, reduce_only=True)
    assert [(p.order, p.epoch) for p in both if p] == [
        (back, 1),
        (replace(back, worker=2, instrument=2, side=-1, quantity=50), 1),
    ]
    for worker in (2, 0):
        apex.say("guard", "CloseOrder", worker=worker)
        (token,) = shell.to_guard.pop().permits
        permit = permit_of(token, KEY)
        assert permit is not None
        assert permit.order.worker == worker
        assert permit.permit_id not in [p.permit_id for p in both if p]


@pytest.mark.req("SHL-013")
def test_words_are_an_operators_alone() -> None:
    assert extract_operator_reason(said("RequestRearm", who="ada", why="smoke")) == ("ada", "smoke")
    assert extract_operator_reason(said("ReportShock")) is None


@pytest.mark.req("SHL-035")
def test_the_history_tells_entries_from_exits(apex: Rig) -> None:
    apex.order()
    apex.say("guard", "ReportFill", worker=0, quantity=100, price=1_000_000, fee=1)
    assert isinstance(apex.order(side=1, reduce_only=True), Accepted)
    counts = apex.shell.history.counts
    assert (counts["entries"], counts["exits"], counts["entries_worker_0"]) == (1, 1, 1)


@pytest.mark.req("SHL-024")
@pytest.mark.parametrize(
    ("in_use", "members", "active"), [(True, 0, True), (True, 1, False), (False, 0, False)]
)
def test_an_empty_grid_is_a_cause_where_the_grid_is_in_use(
    in_use: bool, members: int, active: bool
) -> None:
    state = initial_state(changed(LIMITS, grid_in_use=in_use), opening_ledger(10**9), 0, 0)
    state = changed(state, killswitch=changed(state.killswitch, grid_members=members))
    assert ("GRID" in causes(state)) == active
