"""What is written to the session's journal and ledger file, record by record, and taken up again.

Not here: the formats (``tests/traces``).
"""

import resource
import shutil
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.link.config import Config
from dolphin.shell import journal as module
from dolphin.shell.history import of_journal
from dolphin.shell.journal import Journal, numbers_of, open_journal
from kernel.events import CloseBar, Event, TripKillSwitch
from kernel.state import State
from kernel.step import step
from tests.dolphin.shell.test_process import BAR_MS, config_in
from traces.frames import JournalCorrupt, Tag, scan
from traces.header import read_header
from traces.ledger import SESSION_BYTES, Entry, LedgerBook, Posting
from verify.mutation.forging import Forgery, forged, take_apart


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_in(tmp_path, str(tmp_path / "sockets"))


@pytest.mark.req("SHL-030")
def test_what_the_module_gives_to_others() -> None:
    assert module.__all__ == ["Journal", "JournalFailure", "numbers_of", "open_journal"]
    assert all(hasattr(module, name) for name in module.__all__)


class Told:
    """A writer that keeps what it is told, in the place of the journal's."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def record(self, *words: Any) -> None:
        """Keep an event."""
        self.heard.append(words)

    def record_operator(self, *words: Any, who: str, why: str) -> None:
        """Keep an operator's event."""
        self.heard.append((*words, who, why))


@pytest.mark.req("SHL-031")
def test_a_step_is_handed_on_with_the_state_before_it_and_the_operators_words(
    config: Config,
) -> None:
    journal, state, _ = open_journal(config)
    journal.close()
    told = Told()
    kept = Journal(told, LedgerBook(config.run / "ledger.bin"), "s")  # type: ignore[arg-type]  # keeps
    who, why = numbers_of("ada", "smoke")
    trip = TripKillSwitch(cause=3, operator=who, reason=why)
    outcome = step(state, trip)
    kept.record(state, trip, outcome, ("ada", "smoke"))
    kept.record(state, trip, outcome, None)
    assert told.heard == [(state, trip, outcome, "ada", "smoke"), (state, trip, outcome)]


@pytest.mark.req("SHL-031", "SHL-034")
def test_an_account_of_a_journal_names_what_was_written(config: Config) -> None:
    journal, state, _ = open_journal(config)
    bar = CloseBar(market_time_ms=BAR_MS)
    journal.record(state, bar, step(state, bar), None)
    journal.commit()
    assert journal.account() == {
        "records": 2, "event_records": 1, "ticks_coalesced": 0, "postings": 1, "post_failures": 0,
    }  # fmt: skip
    journal.close()


@pytest.mark.req("SHL-034")
def test_what_the_book_lacks_is_posted_at_the_journals_time_under_the_sessions_name(
    config: Config,
) -> None:
    journal, state, _ = open_journal(config)
    bar = CloseBar(market_time_ms=BAR_MS)
    journal.record(state, bar, step(state, bar), None)
    journal.commit()
    journal._writer.abandon()
    journal._book.close()
    # As if the book had taken a fee that the journal knows nothing of.
    book = LedgerBook(config.run / "ledger.bin")
    book.append([Posting(Entry.FEE, 5, 1)])
    book.close()
    again, _, restarted = open_journal(config)
    assert restarted
    again.close()
    session = blake2b(config.id.encode(), digest_size=SESSION_BYTES).digest()
    assert LedgerBook(config.run / "ledger.bin").postings[-1] == Posting(
        Entry.FEE, -5, BAR_MS, session
    )


@pytest.mark.req("SHL-030")
def test_a_journals_header_names_the_stand_ins_and_when_it_was_opened(config: Config) -> None:
    named = replace(config, stand_ins={"book": "a table"})
    journal, _, _ = open_journal(named)
    journal.close()
    first = next(scan((config.run / "journal.bin").read_bytes()))
    assert first.tag == Tag.HEADER
    header = read_header(first.body)
    assert header.stand_ins == {"book": "a table"}
    age = datetime.now(UTC) - datetime.fromisoformat(header.opened)
    assert timedelta(0) <= age < timedelta(hours=1)


@pytest.mark.req("SHL-034")
def test_each_posting_that_the_machine_refuses_is_counted(config: Config) -> None:
    journal, state, _restarted = open_journal(config)
    paid = changed(state.ledger, fees=state.ledger.fees + 5, cash=state.ledger.cash - 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        journal.post(paid, 2)
        journal.post(paid, 3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.account()["post_failures"] == 2
    journal.close()


# --- what the next session takes up of a journal and of the book ---------------------------------


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
