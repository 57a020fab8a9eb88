"""The shell's rarer turns, its journal and book, its history and what it shows.

Not here: the order of record and effect (``test_core``), sockets (``test_loop``).
"""

import resource
import shutil
from dataclasses import replace as changed
from pathlib import Path

import pytest
from msgspec.structs import replace

from dolphin.link.codec import Unreadable
from dolphin.link.config import Config
from dolphin.link.messages import Accepted, CancelAll, Issued, Refused
from dolphin.link.permit import permit_of
from dolphin.shell.core import GUARD_QUEUE_MAX, extract_operator_reason
from dolphin.shell.history import of_journal
from dolphin.shell.journal import Journal, numbers_of, open_journal
from dolphin.shell.snapshot import causes
from kernel.events import CloseBar, Event, TripKillSwitch
from kernel.state import State, initial_state, opening_ledger
from kernel.step import step
from tests.dolphin.said import ORDER, said
from tests.dolphin.shell.conftest import KEY, LIMITS, Rig
from tests.dolphin.shell.test_process import BAR_MS, config_in
from traces.frames import JournalCorrupt
from verify.mutation.forging import Forgery, forged, take_apart

# --- the shell ------------------------------------------------------------------------------------


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


# --- journal and book -----------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_in(tmp_path, str(tmp_path / "sockets"))


def play(journal: Journal, state: State, *events: Event) -> State:
    """Step and record, an operator's words with its trip."""
    for event in events:
        outcome = step(state, event)
        said = ("ada", "smoke") if isinstance(event, TripKillSwitch) else None
        journal.record(state, event, outcome, said)
        state = getattr(outcome, "state", state)
    journal.commit()
    return state


def crashed(config: Config, folder: Path) -> Config:
    """Return the configuration of a folder that holds what a crash would have left now."""
    shutil.copytree(config.run, folder)
    return replace(config, folder=str(folder))


@pytest.mark.req("SHL-031", "SHL-032", "SHL-034")
def test_a_journal_in_use_is_taken_up_and_what_was_not_posted_is(
    config: Config, tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal, state, restarted = open_journal(config)
    assert not restarted
    who, why = numbers_of("ada", "smoke")
    trip = TripKillSwitch(cause=3, operator=who, reason=why)
    state = play(journal, state, CloseBar(market_time_ms=BAR_MS), trip)
    again, found, restarted = open_journal(
        crashed(config, tmp_path_factory.mktemp("crash") / "run")
    )
    assert restarted
    assert found == state
    assert again.account()["postings"] == 1, "the deposit, once"
    again.close()
    journal.close()


@pytest.mark.req("SHL-034")
def test_what_changed_is_posted_and_what_the_machine_refused_is_posted_later(
    config: Config,
) -> None:
    journal, state, _restarted = open_journal(config)
    before = state.ledger
    journal.post(before, 1)
    assert journal.account()["postings"] == 1, "nothing changed, nothing posted"
    paid = changed(before, fees=before.fees + 5, cash=before.cash - 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        journal.post(paid, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (journal.account()["postings"], journal.account()["post_failures"]) == (1, 1)
    earned = changed(paid, realised_pnl=paid.realised_pnl - 7, cash=paid.cash + 7)
    journal.post(earned, 3)
    journal.post(earned, 4)
    assert (journal.account()["postings"], journal.account()["post_failures"]) == (3, 1)
    journal.close()


@pytest.mark.req("SHL-030")
def test_a_second_session_opens_with_the_first_ones_book(config: Config) -> None:
    journal, _state, _restarted = open_journal(config)
    journal.close()
    (config.run / "journal.bin").unlink()
    journal, state, restarted = open_journal(config)
    assert (restarted, state.ledger.cash) == (False, config.cash)
    assert journal.account()["postings"] == 1
    journal.close()
    book = config.run / "ledger.bin"
    book.write_bytes(b"no book of ours")
    with pytest.raises(JournalCorrupt, match="not a ledger book"):
        open_journal(config)


@pytest.mark.req("SHL-035")
def test_the_history_of_a_journal_ends_where_it_does_not_replay(config: Config) -> None:
    journal, state, _restarted = open_journal(config)
    play(journal, state, *(CloseBar(market_time_ms=BAR_MS * n) for n in (1, 2, 3)))
    journal.close()
    path = config.run / "journal.bin"
    assert of_journal(path).counts["CloseBar"] == 3
    original = take_apart(path)
    third = list(original.records.values())[2]
    path.write_bytes(forged(original, Forgery(changed(third, effects=third.effects ^ 1), "", "")))
    assert of_journal(path).counts["CloseBar"] == 2
