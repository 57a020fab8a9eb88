"""What is written to the session's journal and ledger file, record by record.

Not here: what survives a crash (``test_core_rest.py``), the formats (``tests/traces``).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from dolphin.link.config import Config
from dolphin.shell import journal as module
from dolphin.shell.journal import Journal, numbers_of, open_journal
from kernel.events import CloseBar, TripKillSwitch
from kernel.step import step
from tests.dolphin.shell.test_process import BAR_MS, config_in
from traces.frames import Tag, scan
from traces.header import read_header
from traces.ledger import SESSION_BYTES, Entry, LedgerBook, Posting


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_in(tmp_path, "places-journal")


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
    named = structs.replace(config, stand_ins={"book": "a table"})
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
    paid = replace(state.ledger, fees=state.ledger.fees + 5, cash=state.ledger.cash - 5)
    try:
        journal.fail(True)
        journal.post(paid, 2)
        journal.post(paid, 3)
    finally:
        journal.fail(False)
    assert journal.account()["post_failures"] == 2
    journal.close()
