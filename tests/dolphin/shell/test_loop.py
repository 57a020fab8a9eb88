"""The kernel's loop, turned by hand: one step at a time, with real sockets and a real journal.

Theory. ``Loop.step`` is all that the process does between two looks at the clock, so a test that
calls it decides who has said what before each turn. What a second process would make a matter of
luck (a peer that dies between its question and the answer) is a matter of order here. No time is
asserted; what must come about is waited for with a deadline.

Not here: the process itself, its death and its signals (``test_process``).
"""

import json
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from dolphin.drills.messages import DrillVenue
from dolphin.link.channel import Channel, ChannelClosed, connect
from dolphin.link.config import Config
from dolphin.link.messages import (
    KERNEL_ANSWERS,
    Accepted,
    AskStatus,
    CancelAll,
    Hello,
    Refused,
    StatusShown,
)
from dolphin.shell.__main__ import NEEDED, TURN_MESSAGES, Kernel
from dolphin.shell.core import GUARD_QUEUE_MAX
from dolphin.shell.history import of_journal
from dolphin.shell.roles import ROLES
from tests.dolphin.said import Heard, answers_of, said
from tests.dolphin.shell.test_process import BAR_MS, DEADLINE_S, config_in
from traces.frames import Tag, scan
from traces.reader import opened


class Watched(Kernel):
    """A kernel that is ended behind its test: its journal's thread would run beside the next."""

    made: ClassVar[list["Watched"]] = []

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.ended = False
        self.made.append(self)

    def end(self) -> None:
        self.ended = True
        super().end()


class Stage:
    """A loop and its clients, all in this thread."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.loop = Watched(config)
        self.clients: dict[str, Heard] = {}

    def join(self, *roles: str) -> None:
        for role in roles:
            channel = connect(self.config.socket(f"kernel.{role}"), DEADLINE_S)
            self.clients[role] = Heard(channel, answers_of(role))

    def open(self) -> None:
        """Everybody is there; process time begins."""
        self.join(*sorted(NEEDED), "operator")
        self.loop.gather(DEADLINE_S)
        self.loop.begin()

    def until(self, what: Callable[[], Any]) -> Any:
        """Step until something is so, and return it."""
        end = time.monotonic() + DEADLINE_S
        while not (found := what()):
            assert time.monotonic() < end, "it never came about"
            self.loop.step()
        return found

    def hear(self, role: str) -> Any:
        return self.until(self.clients[role].recv)

    def say(self, role: str, message: str, **fields: Any) -> Any:
        assert self.clients[role].send(said(message, **fields))
        return self.hear(role)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    """A configuration; its sockets' folder goes away at the end."""
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    yield config_in(tmp_path, sockets)
    while Watched.made:
        one = Watched.made.pop()
        if not one.ended:
            one.end()
    shutil.rmtree(sockets)


@pytest.fixture
def stage(config: Config) -> Stage:
    """A kernel whose parts are all there."""
    made = Stage(config)
    made.open()
    return made


# --- how it begins and ends -----------------------------------------------------------------------


@pytest.mark.req("SHL-021")
def test_process_time_begins_when_all_parts_are_there(config: Config) -> None:
    stage = Stage(config)
    stage.join("driver", "guard", "sensors")
    stage.loop.gather(0.0)
    stage.join("alpha", "operator")
    stage.loop.gather(DEADLINE_S)
    assert stage.loop.shell.state.clock.process_time_ms == 0
    stage.loop.begin()
    seen = [0]
    while seen[-1] < 4 * config.tick_ms:
        stage.loop.step()
        seen.append(stage.loop.shell.state.clock.process_time_ms)
    assert seen == sorted(seen)
    assert stage.say("operator", "AskStatus").status.process_time_ms >= seen[-1]


@pytest.mark.req("SHL-021")
def test_who_is_told_to_stop_while_it_waits_for_its_parts_waits_no_longer(config: Config) -> None:
    stage = Stage(config)
    stage.loop.stop()
    stage.loop.run()
    assert of_journal(config.run / "journal.bin").counts["events"] == 0


@pytest.mark.req("SHL-033")
def test_the_end_leaves_a_closing_record_and_an_account(stage: Stage) -> None:
    stage.say("driver", "CloseBar", market_time_ms=BAR_MS)
    stage.loop.stop()
    stage.loop.end()
    with opened(stage.config.run / "journal.bin") as data:
        assert list(scan(data))[-1].tag == Tag.CLOSE
    account = json.loads((stage.config.run / "kernel.json").read_text())
    assert account["turns"] > 0
    assert account["event_records"] > 0
    assert account["isolation"] == []


# --- the operator's own questions -----------------------------------------------------------------


@pytest.mark.req("SHL-022", "SHL-035")
def test_the_account_is_the_operators_to_ask(stage: Stage) -> None:
    stage.say("driver", "CloseBar", market_time_ms=BAR_MS)
    account = stage.say("operator", "AskAccount", id=7)
    assert account.id == 7
    assert account.counts["CloseBar"] == 1
    assert stage.say("sensors", "AskAccount", id=8) == Refused(reason="NOT_PERMITTED", id=8)


@pytest.mark.req("SHL-038")
def test_the_kernel_listens_for_its_roles_and_for_nobody_else(stage: Stage) -> None:
    listening = {path.name for path in Path(stage.config.sockets).glob("kernel.*")}
    assert listening == {f"kernel.{role.name}" for role in ROLES}


@pytest.mark.req("SHL-044")
@pytest.mark.parametrize("demonstration", [True, False])
def test_the_probers_path_is_open_in_a_demonstration_alone(
    config: Config, demonstration: bool
) -> None:
    stage = Stage(replace(config, demonstration=demonstration))
    stage.open()
    listening = {path.name for path in Path(config.sockets).glob("kernel.*")}
    others = {"kernel.operator", "kernel.guard", "kernel.driver", "kernel.sensors", "kernel.alpha"}
    assert listening - others == ({"kernel.prober"} if demonstration else set())
    assert listening >= others
    assert stage.say("alpha", "ClaimInstrument", worker=0, instrument=1) == Accepted()
    claim = stage.say("alpha", "ClaimInstrument", worker=2, instrument=2)
    assert claim == Refused(reason="NOT_PERMITTED"), "the prober's workers are nobody else's"


@pytest.mark.req("SHL-038")
@pytest.mark.parametrize("role", ["operator", "alpha", "driver"])
def test_nobody_can_make_the_journal_fail_by_a_message(stage: Stage, role: str) -> None:
    assert stage.clients[role].send(DrillVenue(name="journal", on=True))
    assert stage.hear(role).reason == "UNREADABLE"
    assert stage.say("driver", "CloseBar", market_time_ms=BAR_MS) == Accepted()


@pytest.mark.req("SHL-004", "SHL-017")
def test_what_cannot_be_written_is_answered_unwritten_until_it_can(stage: Stage) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        answer = stage.say("driver", "CloseBar", market_time_ms=BAR_MS)
        assert answer == Accepted(unwritten=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stage.say("driver", "CloseBar", market_time_ms=2 * BAR_MS) == Accepted()


# --- many, few, and who is first ------------------------------------------------------------------


@pytest.mark.req("SHL-019")
def test_the_newest_connection_of_a_role_replaces_the_oldest(stage: Stage) -> None:
    old = stage.clients["alpha"]
    stage.join("alpha")
    claim = {"worker": 0, "instrument": 1}
    assert stage.say("alpha", "ClaimInstrument", **claim) == Accepted()
    with pytest.raises(ChannelClosed):
        old.recv()


@pytest.mark.req("SHL-019")
def test_eight_operators_may_stand_and_the_ninth_replaces_the_first(stage: Stage) -> None:
    kept = [stage.clients["operator"]]
    first = kept[0]
    for _ in range(7):
        stage.join("operator")
        stage.say("operator", "AskStatus")
        kept.append(stage.clients["operator"])
    assert first.send(AskStatus())
    assert stage.until(first.recv).status.killed is False
    stage.join("operator")
    stage.say("operator", "AskStatus")
    with pytest.raises(ChannelClosed):
        first.recv()


@pytest.mark.req("SHL-020")
def test_a_turn_reads_the_operator_first_and_a_bounded_number_of_each(stage: Stage) -> None:
    stage.until(lambda: not stage.loop.shell.to_guard)
    asks = TURN_MESSAGES + 9
    assert all(stage.clients["sensors"].send(said("ReportShock")) for _ in range(asks))
    stage.clients["operator"].send(said("TripKillSwitch", cause=3))
    history = stage.loop.shell.history
    before = history.counts["TripKillSwitch"], history.counts["ReportShock"]
    stage.until(lambda: history.counts["TripKillSwitch"] > before[0])
    assert history.counts["ReportShock"] - before[1] == TURN_MESSAGES, "not all in that turn"
    stage.until(lambda: history.counts["ReportShock"] - before[1] == asks)
    replies = [stage.hear("sensors") for _ in range(asks)]
    assert replies == [Accepted()] * asks


@pytest.mark.req("SHL-014", "SHL-016")
def test_a_role_that_has_spent_its_budget_is_not_read_and_the_others_are(stage: Stage) -> None:
    flooder = connect(stage.config.socket("kernel.prober"), DEADLINE_S)
    counts, refusals = stage.loop.shell.counts, stage.loop.shell.refusals

    def flood() -> bool:
        while flooder.send(b'{"noise":1}'):
            pass
        return counts["throttled_prober"] > 2

    stage.until(flood)
    assert refusals["UNREADABLE"] > 0
    assert stage.say("driver", "CloseBar", market_time_ms=BAR_MS) == Accepted()


@pytest.mark.req("SHL-017")
def test_replies_that_are_not_taken_are_dropped_and_counted(stage: Stage) -> None:
    counts = stage.loop.shell.counts

    def more() -> bool:
        stage.clients["sensors"].send(AskStatus())
        return counts["replies_dropped"] > 0

    stage.until(more)
    assert stage.say("operator", "AskStatus").status.killed is False


# --- what comes is not what should ----------------------------------------------------------------


@pytest.mark.req("SHL-018")
def test_what_is_no_message_is_answered_and_the_connection_stays(stage: Stage) -> None:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    raw.connect(str(stage.config.socket("kernel.prober")))
    state = stage.loop.shell.state
    for data in (b"{", b"[]", b"\xff", b"{" * 60_000, b"x" * 70_000):
        raw.send(data)
    answers = Heard(Channel(raw), KERNEL_ANSWERS)
    for _ in range(5):
        answer = stage.until(answers.recv)
        assert (type(answer), answer.reason, answer.id) == (Refused, "UNREADABLE", 0)
        assert "expected" in answer.detail
    assert stage.loop.shell.refusals["UNREADABLE"] == 5
    assert stage.loop.shell.state.gate == state.gate
    answers.send(AskStatus())
    assert isinstance(stage.until(answers.recv), StatusShown)


@pytest.mark.req("SHL-016", "SHL-019")
def test_a_client_that_dies_before_its_answer_costs_its_own_channel(stage: Stage) -> None:
    stage.clients["sensors"].send(said("ReportShock"))
    stage.clients["sensors"].close()
    history = stage.loop.shell.history
    stage.until(lambda: history.counts["ReportShock"] == 1)
    assert stage.say("driver", "CloseBar", market_time_ms=BAR_MS) == Accepted()
    stage.join("sensors")
    assert stage.say("sensors", "ReportShock") == Accepted()


# --- the guard ------------------------------------------------------------------------------------


@pytest.mark.req("SHL-025")
def test_a_guard_that_comes_anew_hears_hello_first(stage: Stage) -> None:
    stage.join("guard")
    hello = stage.hear("guard")
    assert (type(hello), hello.epoch, hello.outstanding) == (Hello, 0, ())


@pytest.mark.req("SHL-003", "SHL-016")
def test_a_guard_that_dies_with_its_question_leaves_a_kernel_that_killed(stage: Stage) -> None:
    """It says what kills and is gone: the answer does not find it."""
    assert isinstance(stage.hear("guard"), Hello)
    assert stage.say("guard", "ConfirmFence", epoch=0) == Accepted()
    stage.clients["guard"].send(said("ReconcileLedger", cash=1, quantities=(0,) * 8))
    stage.clients["guard"].close()
    killed = stage.until(lambda: stage.loop.shell.state.killswitch.latched_desync)
    assert killed
    stage.join("guard")
    hello = stage.hear("guard")
    assert (type(hello), hello.epoch, hello.fence_confirmed) == (Hello, 0, True)
    assert stage.say("operator", "AskStatus").status.causes == ("DESYNC",)


@pytest.mark.req("SHL-029")
def test_a_guard_that_takes_nothing_keeps_its_messages_and_their_order(stage: Stage) -> None:
    assert isinstance(stage.hear("guard"), Hello)
    queue, rank = stage.loop.shell.to_guard, stage.loop.ranks["guard"]
    sent = 0
    while not rank.outbox:
        # More than its socket holds; the kernel polls until it can write again.
        queue.append(CancelAll(epoch=sent))
        sent += 1
        stage.loop.step()
        assert sent < 10_000, "the socket has no end, so nothing was tested"
    assert stage.say("driver", "CloseBar", market_time_ms=BAR_MS) == Accepted()
    heard = [stage.hear("guard").epoch for _ in range(sent)]
    assert heard == list(range(sent))
    assert stage.clients["guard"].recv() is None


@pytest.mark.req("SHL-025", "SHL-029")
def test_a_guard_that_never_takes_anything_is_let_go_and_greeted_anew(stage: Stage) -> None:
    deaf, rank = stage.clients["guard"], stage.loop.ranks["guard"]
    assert isinstance(stage.hear("guard"), Hello)
    while rank.channels:
        stage.loop.shell.to_guard.extend([CancelAll(epoch=0)] * 1_000)
        stage.loop.step()
    assert len(rank.outbox) == GUARD_QUEUE_MAX

    def empty() -> None:
        while deaf.recv() is not None:
            pass

    with pytest.raises(ChannelClosed):
        empty()
    stage.join("guard")
    assert isinstance(stage.hear("guard"), Hello)
    assert not stage.loop.shell.to_guard
    assert not rank.outbox


@pytest.mark.req("SHL-025", "SHL-029")
def test_what_waits_for_no_guard_waits_in_bounds_and_is_not_the_next_ones(stage: Stage) -> None:
    stage.clients["guard"].close()
    stage.until(lambda: not stage.loop.ranks["guard"].channels)
    queue = stage.loop.shell.to_guard
    queue.extend([CancelAll(epoch=0)] * GUARD_QUEUE_MAX)
    stage.loop.shell.restart()
    assert len(queue) == GUARD_QUEUE_MAX
    assert stage.loop.shell.counts["guard_messages_dropped"] == 1
    stage.join("guard")
    assert isinstance(stage.hear("guard"), Hello)
    assert not queue
