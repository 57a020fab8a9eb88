"""The ledger's book: each posting, each way of being wrong, each way of not being written."""

import dataclasses
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kernel.state import Ledger
from traces.checksums import chain, crc32c
from traces.frames import Fault, JournalCorrupt, first_chain
from traces.ledger import (
    MAGIC,
    POSTING_BYTES,
    PREFIX_BYTES,
    SESSION_BYTES,
    Book,
    Entry,
    LedgerBook,
    Posting,
    fold,
    postings_between,
    read,
)

SESSION = bytes(range(SESSION_BYTES))
POSTINGS = (
    Posting(Entry.DEPOSIT, 1_000, 1),
    Posting(Entry.REALISED, -300, 2, SESSION),
    Posting(Entry.FEE, 7, 3, SESSION),
    Posting(Entry.PEAK, 900, 4, SESSION),
)
BODY = POSTING_BYTES - 21


def book_at(path: Path, postings: tuple[Posting, ...] = POSTINGS) -> bytes:
    """Write a book and return its bytes."""
    book = LedgerBook(path)
    book.append(postings)
    book.close()
    return path.read_bytes()


def fault_of(path: Path, data: bytes) -> tuple[Fault, int, int, str]:
    """What is wrong with a book of these bytes; opening it must leave it as it is."""
    path.write_bytes(data)
    with pytest.raises(JournalCorrupt) as caught:
        read(path)
    with pytest.raises(JournalCorrupt):
        LedgerBook(path)
    assert path.read_bytes() == data
    found = caught.value.finding
    return found.fault, found.record, found.offset, found.text


def offset(number: int) -> int:
    """Where a posting begins."""
    return PREFIX_BYTES + number * POSTING_BYTES


def resealed(data: bytes, number: int, body: bytes, head: bytes | None = None) -> bytes:
    """The book with one posting's body replaced, its chain value and checksum right."""
    if head is None:
        head = first_chain(data[:PREFIX_BYTES])
        for before in range(number):
            head = chain(head, data[offset(before) : offset(before) + BODY])
    sealed = body + chain(head, body)
    whole = sealed + crc32c(sealed).to_bytes(4, "little") + b"\xa5"
    return data[: offset(number)] + whole + data[offset(number + 1) :]


# --- folding -------------------------------------------------------------------------------------


@pytest.mark.req("JNL-035")
def test_a_book_comes_back_whole(tmp_path: Path) -> None:
    data = book_at(tmp_path / "book")
    head = first_chain(data[:PREFIX_BYTES])
    for number in range(4):
        head = chain(head, data[offset(number) : offset(number) + BODY])
    assert read(tmp_path / "book") == Book(POSTINGS, offset(4), head, "")
    again = LedgerBook(tmp_path / "book")
    assert (again.postings, again.cut) == (POSTINGS, "")
    assert again.ledger() == fold(POSTINGS)
    again.append([Posting(Entry.FEE, 1, 5)])
    again.close()
    assert read(tmp_path / "book").postings == (*POSTINGS, Posting(Entry.FEE, 1, 5))


@pytest.mark.req("JNL-035")
def test_each_posting_moves_what_it_moves() -> None:
    sums = [fold(POSTINGS[:count]) for count in (1, 2, 3, 4)]
    assert [(one.cash, one.contributed, one.realised_pnl, one.fees) for one in sums] == [
        (1_000, -1_000, 0, 0),
        (700, -1_000, 300, 0),
        (693, -1_000, 300, 7),
        (693, -1_000, 300, 7),
    ]
    assert [(one.equity_peak, one.drawdown_ppm) for one in sums] == [
        (1_000, 0),
        (1_000, 300_000),
        (1_000, 307_000),
        (900, 230_000),
    ]


@pytest.mark.req("JNL-037")
@pytest.mark.parametrize(
    ("postings", "expected"),
    [
        ((), "the book holds no deposit"),
        ((Posting(Entry.FEE, 0, 1),), "the book holds no deposit"),
        ((Posting(Entry.DEPOSIT, 0, 1),), "posting 0: DEPOSIT of 0"),
        ((POSTINGS[0], Posting(Entry.FEE, -1, 2)), "posting 1: FEE of -1"),
        ((POSTINGS[0], Posting(Entry.PEAK, 0, 2)), "posting 1: PEAK of 0"),
    ],
)
def test_a_book_that_cannot_open_a_session_says_why(
    postings: tuple[Posting, ...], expected: str
) -> None:
    with pytest.raises(ValueError) as caught:
        fold(postings)
    assert str(caught.value) == expected


@pytest.mark.req("JNL-035")
def test_a_loss_of_nothing_and_a_fee_of_nothing_are_postings() -> None:
    nothing = [POSTINGS[0], Posting(Entry.FEE, 0, 2), Posting(Entry.REALISED, 0, 2)]
    assert fold(nothing) == fold(POSTINGS[:1])


@pytest.mark.req("JNL-035")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"unrealised_pnl": 5, "cash": 1}, []),
        ({"realised_pnl": -40}, [Posting(Entry.REALISED, 40, 9, SESSION)]),
        ({"realised_pnl": 40}, [Posting(Entry.REALISED, -40, 9, SESSION)]),
        ({"fees": 3}, [Posting(Entry.FEE, 3, 9, SESSION)]),
        ({"equity_peak": 1_200}, [Posting(Entry.PEAK, 1_200, 9, SESSION)]),
        (
            {"realised_pnl": -40, "fees": 3, "equity_peak": 1_037},
            [
                Posting(Entry.REALISED, 40, 9, SESSION),
                Posting(Entry.FEE, 3, 9, SESSION),
                Posting(Entry.PEAK, 1_037, 9, SESSION),
            ],
        ),
    ],
    ids=str,
)
def test_what_a_session_changed_becomes_postings(
    changes: dict[str, int], expected: list[Posting]
) -> None:
    before = fold(POSTINGS[:1])
    after: Ledger = dataclasses.replace(before, **changes)
    assert postings_between(before, after, 9, SESSION) == expected


# --- what is wrong with a book -------------------------------------------------------------------


@pytest.mark.req("JNL-036")
def test_a_posting_is_torn_only_at_the_end(tmp_path: Path) -> None:
    data = book_at(tmp_path / "book")
    path = tmp_path / "wrong"
    for torn in (data[:-1], data[: offset(3) + 1], data[:-1] + b"\0"):
        path.write_bytes(torn)
        found = read(path)
        assert (found.postings, found.cut) == (POSTINGS[:3], "posting 3, the last, is torn")
        book = LedgerBook(path)
        assert (book.postings, book.cut) == (POSTINGS[:3], found.cut)
        book.close()
        assert path.read_bytes() == data[: offset(3)]
    damaged = "is damaged: its checksum does not fit"
    middle = data[: offset(2) - 1] + b"\0" + data[offset(2) :]
    assert fault_of(path, middle) == (Fault.DAMAGED, 1, offset(1), f"posting 1 {damaged}")
    end = data[:-1] + b"\1"
    assert fault_of(path, end) == (Fault.DAMAGED, 3, offset(3), f"posting 3 {damaged}")


@pytest.mark.req("JNL-036")
def test_a_changed_byte_is_damage(tmp_path: Path) -> None:
    data = book_at(tmp_path / "book")
    for place in range(offset(1), offset(2)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        text = "posting 1 is damaged: its checksum does not fit"
        expected = (Fault.DAMAGED, 1, offset(1), text)
        assert fault_of(tmp_path / "wrong", changed) == expected


@pytest.mark.req("JNL-036")
def test_a_posting_in_anothers_place_is_swapped(tmp_path: Path) -> None:
    data = book_at(tmp_path / "book")
    without = data[: offset(1)] + data[offset(2) :]
    text = "posting 2 stands where posting 1 should be"
    assert fault_of(tmp_path / "wrong", without) == (Fault.SWAPPED, 1, offset(1), text)


@pytest.mark.req("JNL-036")
def test_a_replaced_posting_breaks_the_chain(tmp_path: Path) -> None:
    data = book_at(tmp_path / "book")
    body = data[offset(1) : offset(1) + BODY]
    text = "posting 1 does not follow from the one before it: the chain is broken"
    wrong = resealed(data, 1, body, head=bytes(16))
    assert fault_of(tmp_path / "wrong", wrong) == (Fault.CHAIN_BROKEN, 1, offset(1), text)
    assert resealed(data, 1, body) == data


@pytest.mark.req("JNL-036")
def test_a_posting_that_no_entry_names_is_a_fault_of_form(tmp_path: Path) -> None:
    data = book_at(tmp_path / "book")
    body = data[offset(3) : offset(3) + BODY]
    wrong = resealed(data, 3, body[:8] + b"\5" + body[9:])
    text = "posting 3: no entry has code 5"
    assert fault_of(tmp_path / "wrong", wrong) == (Fault.FORM, 3, offset(3), text)


FOREIGN = f"not a ledger book: expected {MAGIC!r} first"


@pytest.mark.req("JNL-036")
@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (MAGIC[:3], (Fault.FOREIGN, FOREIGN)),
        (MAGIC, (Fault.FOREIGN, FOREIGN)),
        (MAGIC + b"\1", (Fault.FOREIGN, FOREIGN)),
        (MAGIC + b"\1\0\0\0" + bytes(4), (Fault.FOREIGN, FOREIGN)),
        (b"DOLPHINJ\2\0\0\0" + bytes(4), (Fault.FOREIGN, FOREIGN)),
        (MAGIC + b"\2\0\0\0" + bytes(4), (Fault.NEWER, "book version 2; this dolphin reads 1")),
        (MAGIC + b"\0\1\0\0" + bytes(4), (Fault.NEWER, "book version 256; this dolphin reads 1")),
    ],
    ids=range(7),
)
def test_what_does_not_begin_as_a_book_is_none(
    tmp_path: Path, start: bytes, expected: tuple[Fault, str]
) -> None:
    fault, text = expected
    assert fault_of(tmp_path / "x", start) == (fault, -1, 0, text)


@pytest.mark.req("JNL-036", "JNL-040")
def test_a_book_that_is_empty_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for make, fault, text in (
        (lambda: None, Fault.UNREADABLE, "cannot be read: No such file or directory"),
        (path.touch, Fault.EMPTY, "an empty file"),
    ):
        make()
        with pytest.raises(JournalCorrupt) as caught:
            read(path)
        assert (caught.value.finding.fault, caught.value.finding.text) == (fault, text)
    book = LedgerBook(path)
    assert book.postings == ()
    with pytest.raises(ValueError, match="the book holds no deposit"):
        book.ledger()
    book.close()


# --- what cannot be written ----------------------------------------------------------------------


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows past ``size``: what a full disk does to the book."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.req("JNL-042")
@pytest.mark.parametrize(
    ("room", "says"),
    [(0, "[Errno 27] File too large"), (POSTING_BYTES + 9, "written in part")],
    ids=["nothing", "in part"],
)
def test_a_posting_that_cannot_be_written_whole_is_not_in_the_book(
    tmp_path: Path, room: int, says: str
) -> None:
    path = tmp_path / "book"
    before = book_at(path, POSTINGS[:2])
    book = LedgerBook(path)
    with largest_file(len(before) + room), pytest.raises(OSError) as caught:
        book.append(POSTINGS[2:])
    assert str(caught.value) == (says if room == 0 else f"{path}: {says}")
    assert (path.read_bytes(), book.postings) == (before, POSTINGS[:2])
    book.append(POSTINGS[2:])
    book.close()
    assert path.read_bytes() == book_at(tmp_path / "sound")
