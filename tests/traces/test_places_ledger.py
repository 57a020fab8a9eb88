"""The ledger's book, byte for byte, and where exactly each of its faults is found to stand.

Not here: what a posting means (``test_ledger_decisions``), random books (``test_ledger``).
"""

import struct
from pathlib import Path

import pytest

from kernel.state import opening_ledger
from tests.traces.test_ledger_decisions import POSTINGS, SESSION, book_at, largest_file, offset
from tests.traces.test_places_journal import no_umask
from traces import ledger as module
from traces.checksums import chain, crc32c
from traces.frames import Fault, Finding, JournalCorrupt, first_chain
from traces.ledger import (
    POSTING_BYTES,
    PREFIX_BYTES,
    SESSION_BYTES,
    Entry,
    LedgerBook,
    Posting,
    fold,
    postings_between,
    read,
)

PREFIX = b"DOLPHINL\1\0\0\0"


def finding_of(path: Path) -> Finding:
    """All that is said of a book that cannot be read."""
    with pytest.raises(JournalCorrupt) as caught:
        read(path)
    return caught.value.finding


@pytest.mark.req("JNL-035", "JNL-036")
def test_a_book_is_its_prefix_and_54_bytes_for_each_posting(tmp_path: Path) -> None:
    assert (PREFIX_BYTES, POSTING_BYTES, SESSION_BYTES) == (16, 54, 8)
    expected = PREFIX + struct.pack("<I", crc32c(PREFIX))
    head = first_chain(expected)
    for number, one in enumerate(POSTINGS):
        body = struct.pack("<QBqQ8s", number, one.entry, one.amount, one.time_ms, one.session)
        head = chain(head, body)
        sealed = body + head
        expected += sealed + struct.pack("<IB", crc32c(sealed), 0xA5)
    assert book_at(tmp_path / "book") == expected


@pytest.mark.req("JNL-037")
def test_a_book_is_its_owners_to_write_and_its_groups_to_read(tmp_path: Path) -> None:
    with no_umask():
        LedgerBook(tmp_path / "book").close()
    assert (tmp_path / "book").stat().st_mode & 0o7777 == 0o640


@pytest.mark.req("JNL-035", "JNL-037")
def test_the_least_deposit_opens_a_session() -> None:
    assert fold([Posting(Entry.DEPOSIT, 1, 1)]) == opening_ledger(1)


@pytest.mark.req("JNL-035")
def test_the_postings_between_two_ledgers_are_what_lies_between_them() -> None:
    sums = [fold(POSTINGS[:count]) for count in (3, 4)]
    more = (Posting(Entry.REALISED, 60, 9, SESSION), Posting(Entry.FEE, 5, 9, SESSION))
    for before in sums:
        assert postings_between(before, before, 9, SESSION) == []
    after = fold((*POSTINGS[:3], *more))
    assert postings_between(sums[0], after, 9, SESSION) == list(more)


@pytest.mark.req("JNL-036", "JNL-040")
def test_what_is_no_book_is_a_fault_before_the_first_posting(tmp_path: Path) -> None:
    path = tmp_path / "book"
    reason = "cannot be read: No such file or directory"
    assert finding_of(path) == Finding(Fault.UNREADABLE, -1, 0, reason)
    path.touch()
    assert finding_of(path) == Finding(Fault.EMPTY, -1, 0, "an empty file")


@pytest.mark.req("JNL-036")
@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_torn_posting_is_found_where_it_begins(tmp_path: Path, number: int) -> None:
    data = book_at(tmp_path / "book")
    text = f"posting {number}, the last, is torn"
    for torn in (data[: offset(number) + 1], data[: offset(number + 1) - 1] + b"\0"):
        with pytest.raises(JournalCorrupt) as caught:
            list(module._postings(torn))
        assert caught.value.finding == Finding(Fault.TORN, number, offset(number), text)


@pytest.mark.req("JNL-042")
@pytest.mark.parametrize("room", [0, 9])
def test_what_cannot_be_written_is_taken_back_and_nothing_before_it(
    tmp_path: Path, room: int
) -> None:
    path = tmp_path / "book"
    book = LedgerBook(path)
    book.append(POSTINGS[:1])
    book.append(POSTINGS[1:3])
    before = path.read_bytes()
    assert len(before) == offset(3)
    with largest_file(len(before) + room), pytest.raises(OSError):
        book.append(POSTINGS[3:])
    assert (path.read_bytes(), book.postings) == (before, POSTINGS[:3])
    book.append(POSTINGS[3:])
    book.close()
    assert path.read_bytes() == book_at(tmp_path / "sound")
