"""The shell in detail: permits field by field, counts one by one, postings to the ledger file.

Not here: the order of record and effect (``test_core``) and the rarer turns.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.link.messages import Accepted, CancelAll, Flatten, Issued, Permit
from dolphin.link.permit import permit_of
from dolphin.shell.core import GUARD_QUEUE_MAX, Shell
from dolphin.shell.journal import numbers_of
from dolphin.shell.roles import ALL, NOBODY, Role
from kernel.constants import Permit as Kind
from kernel.events import AdvanceTime
from kernel.state import Ledger
from tests.dolphin.said import ORDER, said
from tests.dolphin.shell.conftest import KEY, Memory, Rig

FIRST_PERMIT = 40
NOW_NS = 5_000
PERMIT_NS = 10**9
CLOCK = Role("clock", (AdvanceTime,), NOBODY, ALL, 1, 1, 1)


class Book(Memory):
    """A journal in memory that keeps what was posted, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[tuple[Ledger, int]] = []

    def post(self, ledger: Ledger, time_ms: int) -> None:
        super().post(ledger, time_ms)
        self.posts.append((ledger, time_ms))


class BookRig(Rig):
    """A shell in APEX with such a journal, and figures of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = self.book = Book()
        self.shell = Shell(
            self.shell.state, self.book, KEY, PERMIT_NS, FIRST_PERMIT, lambda: NOW_NS
        )
        self.to_apex()
        self.shell.to_guard.clear()
        self.shell.counts.clear()


@pytest.fixture
def booked() -> BookRig:
    return BookRig()


def signed(token: Any) -> Permit:
    permit = permit_of(token, KEY)
    assert permit is not None
    return permit


def fill(rig: Rig, quantity: int) -> Any:
    return rig.say("guard", "ReportFill", worker=0, quantity=quantity, price=1_000_000, fee=1)


@pytest.mark.req("SHL-026", "SHL-027", "SHL-028")
def test_sign_puts_every_field_into_a_permit_and_counts_it(booked: BookRig) -> None:
    """An entry of one lot and the flattens of what it bought, each permit whole."""
    shell = booked.shell
    entry = signed(booked.order(side=1, quantity=1, market=False, limit_price=999_999).permit)
    assert entry == Permit(
        permit_id=FIRST_PERMIT,
        epoch=0,
        order=replace(ORDER, side=1, market=False, quantity=1, limit_price=999_999),
        kind=Kind.ENTRY,
        expires_ns=NOW_NS + PERMIT_NS,
    )
    assert fill(booked, 1) == Accepted()
    booked.say("operator", "TripKillSwitch", cause=3)
    for number, (event, field) in enumerate(
        [("ConfirmFence", {"epoch": 1}), ("CloseOrder", {"worker": 0})], start=1
    ):
        shell.to_guard.clear()
        assert booked.say("guard", event, **field) == Accepted()
        (message,) = shell.to_guard
        assert isinstance(message, Flatten)
        assert [signed(token) for token in message.permits] == [
            Permit(
                permit_id=FIRST_PERMIT + number,
                epoch=1,
                order=replace(ORDER, reduce_only=True, quantity=1),
                kind=Kind.FLATTEN,
                expires_ns=NOW_NS + PERMIT_NS,
            )
        ]
    assert shell.counts == {"permits": 3}
    assert shell.account().counts["permits"] == 3
    shell.greet_guard()
    assert shell.to_guard[0].floor == FIRST_PERMIT + 3


@pytest.mark.req("SHL-034")
def test_apply_posts_the_ledger_of_a_fill_and_of_a_peak_reset_at_the_markets_time(
    booked: BookRig,
) -> None:
    booked.order()
    assert booked.book.posts == []
    fill(booked, 100)
    first = (booked.shell.state.ledger, booked.market_time_ms)
    assert booked.book.posts == [first]
    assert booked.market_time_ms > 0
    booked.order(side=1, reduce_only=True)
    fill(booked, 100)
    second = (booked.shell.state.ledger, booked.market_time_ms)
    booked.say("operator", "RequestPeakReset")
    booked.shell.tick(100)
    booked.bar()
    assert booked.say("operator", "ConfirmPeakReset") == Accepted()
    third = (booked.shell.state.ledger, booked.market_time_ms)
    assert third[1] > second[1]
    assert booked.book.posts == [first, second, third]


@pytest.mark.req("SHL-004", "SHL-005")
def test_commit_counts_every_failure_of_the_journal_and_forgets_it_when_one_succeeds(
    rig: Rig,
) -> None:
    rig.journal.failing = True
    for failures in (2, 3):  # the first is told to the kernel, in an event that fails as well
        assert rig.say("sensors", "RecordHeartbeat", partition=3) == Accepted(unwritten=True)
        assert rig.shell.counts == {"journal_write_failures": failures}
        assert rig.shell.account().counts["journal_write_failures"] == failures
    rig.journal.failing = False
    assert rig.say("sensors", "RecordHeartbeat", partition=3) == Accepted()
    assert rig.shell.counts == {"journal_write_failures": 3}


@pytest.mark.req("SHL-006", "SHL-022")
def test_a_fresh_shell_has_no_failure_to_tell_of(rig: Rig) -> None:
    """A quiet tick is not committed, so what it is answered is what the shell began with."""
    assert rig.shell.take(CLOCK, said("AdvanceTime", process_time_ms=1)) == Accepted()
    assert rig.journal.log == ["record AdvanceTime"]


@pytest.mark.req("SHL-008", "SHL-018")
def test_answer_counts_each_refusal_of_its_own_once(rig: Rig) -> None:
    for times in (1, 2):
        rig.take("driver", b'{"type":"Obey"}')
        rig.say("driver", "ReportShock")
        assert rig.shell.refusals == {"UNREADABLE": times, "NOT_PERMITTED": times}
    assert rig.shell.account().refusals == {"UNREADABLE": 2, "NOT_PERMITTED": 2}


@pytest.mark.req("SHL-013")
def test_apply_records_an_operators_words_and_nobody_elses(rig: Rig) -> None:
    rig.say("operator", "TripKillSwitch", cause=3, who="ada", why="smoke")
    rig.say("driver", "UpdateMark", instrument=1, price=1)
    assert rig.journal.words == [("ada", "smoke"), None]
    assert [getattr(event, "operator", None) for _before, event, _outcome in rig.journal.steps] == [
        numbers_of("ada", "smoke")[0],
        None,
    ]


@pytest.mark.req("SHL-029")
def test_the_guards_queue_holds_ten_thousand_and_each_more_is_counted(rig: Rig) -> None:
    assert GUARD_QUEUE_MAX == 10_000
    waiting = [CancelAll(epoch=number) for number in range(9_998)]
    rig.to_apex()
    rig.shell.to_guard.clear()
    rig.shell.to_guard.extend(waiting)
    token = rig.order().permit
    last = [Issued(permit=token), CancelAll(epoch=1)]
    rig.say("operator", "TripKillSwitch", cause=3)
    assert list(rig.shell.to_guard) == waiting + last
    assert rig.shell.counts["guard_messages_dropped"] == 0
    fill(rig, 100)
    for dropped, (event, field) in enumerate(
        [("ConfirmFence", {"epoch": 1}), ("CloseOrder", {"worker": 0})], start=1
    ):
        rig.say("guard", event, **field)
        assert rig.shell.counts["guard_messages_dropped"] == dropped
    assert list(rig.shell.to_guard) == waiting + last


@pytest.mark.req("SHL-035")
def test_an_account_names_each_cause_of_a_kill_once(rig: Rig) -> None:
    assert rig.shell.account().kill_causes == ()
    for _ in range(2):
        rig.say("operator", "TripKillSwitch", cause=3)
        rig.shell.tick(rig.shell.state.clock.process_time_ms + 500)
        for act in ("RequestRearm", "ConfirmRearm"):
            rig.beat()
            rig.shell.tick(rig.shell.state.clock.process_time_ms + 500)
            assert rig.say("operator", act) == Accepted()
    rig.shell.tick(5_000)
    account = rig.shell.account()
    assert account.kill_causes == ("OPERATOR", "HEARTBEAT")
    assert account.counts["trips"] == 3
