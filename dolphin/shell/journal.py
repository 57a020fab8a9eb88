"""The journal and the ledger file, as the kernel's process keeps them.

Rules of this file:

*   A journal that lies there already was in use when its kernel died: it is taken up, and the
    kernel is told (``RestartKernel``). One that was closed is not.
*   The ledger's book follows the journal: what a fill or a peak reset changed is posted after the
    event's effects have left. What a crash left unposted is posted when the journal is taken up.

Not here: bytes and chains (``traces``). Source: design 3.5, 3.6.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from dolphin.link.config import ANCHOR_KEY, Config
from kernel.constants import OPERATOR_MAX, REASON_MAX
from kernel.events import Event
from kernel.outcome import Outcome
from kernel.state import Ledger, State
from traces.checksums import key_id, number_of
from traces.header import new_header
from traces.journal import ANCHOR_EVERY, JournalFailure, JournalWriter
from traces.ledger import SESSION_BYTES, Entry, LedgerBook, Posting, postings_between
from traces.recovery import resume

__all__ = ["Journal", "JournalFailure", "numbers_of", "open_journal"]


def numbers_of(who: str, why: str) -> tuple[int, int]:
    """Return the numbers that stand for an operator's words in an event."""
    return number_of(who, OPERATOR_MAX), number_of(why, REASON_MAX)


class Journal:
    """One session's journal and book, open for writing."""

    def __init__(self, writer: JournalWriter, book: LedgerBook, session: str) -> None:
        """Take over both."""
        self._writer = writer
        self._book = book
        self._posted = book.ledger()
        self._session = blake2b(session.encode(), digest_size=SESSION_BYTES).digest()
        self._post_failures = 0

    def record(
        self, before: State, event: Event, outcome: Outcome, words: tuple[str, str] | None
    ) -> None:
        """Take one step, and an operator's words (who, why) where it was theirs."""
        if words is None:
            self._writer.record(before, event, outcome)
        else:
            self._writer.record_operator(before, event, outcome, who=words[0], why=words[1])

    # SHL-032
    def commit(self) -> None:
        """Hand what was recorded to the operating system; raises ``JournalFailure``, keeps it."""
        self._writer.commit()

    # SHL-034
    def post(self, ledger: Ledger, time_ms: int) -> None:
        """Post what changed since the last posting; what cannot be written is tried again."""
        postings = postings_between(self._posted, ledger, time_ms, self._session)
        if not postings:
            return
        try:
            self._book.append(postings)
        except OSError:
            self._post_failures += 1
        else:
            self._posted = ledger

    def account(self) -> dict[str, Any]:
        """Return what was written."""
        return {
            "records": self._writer.sequence,
            "event_records": self._writer.events,
            "ticks_coalesced": self._writer.coalesced,
            "postings": len(self._book.postings),
            "post_failures": self._post_failures,
        }

    def close(self) -> None:
        """Write the closing record."""
        self._writer.close()
        self._book.close()


# SHL-030, SHL-031, SHL-034
def open_journal(config: Config) -> tuple[Journal, State, bool]:
    """Return the session's journal, the state to go on from, and whether it was in use before.

    Raises ``traces.frames.JournalCorrupt`` where journal or book are corrupt: nothing starts on
    them.
    """
    path = config.run / "journal.bin"
    book = LedgerBook(config.run / "ledger.bin")
    key = config.key(ANCHOR_KEY)
    if not book.postings:
        book.append([Posting(Entry.DEPOSIT, config.cash, config.market_time_ms)])
    if path.exists():
        writer, recovery = resume(path, key=key)
        journal = Journal(writer, book, config.id)
        journal.post(recovery.state.ledger, recovery.state.clock.market_time_ms)
        return journal, recovery.state, True
    header = new_header(
        config.id,
        config.limits(),
        book.ledger(),
        0,
        config.market_time_ms,
        stand_ins=config.stand_ins,
        opened=datetime.now(UTC).isoformat(timespec="seconds"),
        anchor_every=ANCHOR_EVERY,
        anchor_key=key_id(key),
    )
    writer = JournalWriter.create(path, header, key=key)
    return Journal(writer, book, config.id), header.opening_state(), False
