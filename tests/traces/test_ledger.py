"""The ledger file: each posting, each kind of damage, each failure to write."""

import dataclasses
import random
import struct
from pathlib import Path

import pytest

from kernel.equity import drawdown
from kernel.outcome import Accepted
from kernel.state import Ledger, opening_ledger
from tests.kernel.sessions import OPENING_CASH
from tests.traces.making import largest_file
from tests.traces.samples import header_of, walk
from tests.traces.test_writer import no_umask
from traces import ledger as module
from traces.checksums import chain, crc32c
from traces.frames import Fault, Finding, JournalCorrupt, first_chain
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

DEPOSIT = Posting(Entry.DEPOSIT, OPENING_CASH, 1)


def book_of(path: Path, count: int, rng: random.Random) -> Path:
    """A book of a deposit and ``count`` random postings."""
    book = LedgerBook(path)
    book.append([DEPOSIT])
    for number in range(count):
        entry = rng.choice((Entry.REALISED, Entry.FEE))
        amount = rng.randrange(10**9) - (10**8 if entry == Entry.REALISED else 0)
        book.append([Posting(entry, amount, number)])
    book.close()
    return path


@pytest.mark.req("JNL-035")
def test_the_fold_is_the_double_entry() -> None:
    ledger = fold(
        [
            DEPOSIT,
            Posting(Entry.REALISED, 5_000_000, 2),
            Posting(Entry.PEAK, OPENING_CASH + 5_000_000, 2),
            Posting(Entry.REALISED, -700_000_000, 3),
            Posting(Entry.FEE, 40, 3),
        ]
    )
    assert ledger.cash == OPENING_CASH - 695_000_040
    assert ledger.cash + ledger.contributed + ledger.realised_pnl + ledger.fees == 0
    assert ledger.equity_peak == OPENING_CASH + 5_000_000
    assert ledger.drawdown_ppm == drawdown(ledger.equity_peak, ledger.cash) > 0


@pytest.mark.req("KRN-INIT-003", "JNL-035")
def test_a_first_deposit_opens_like_the_kernels() -> None:
    assert fold([DEPOSIT]) == opening_ledger(OPENING_CASH)


@pytest.mark.req("JNL-038")
def test_a_deposit_hides_no_drawdown() -> None:
    lost = [DEPOSIT, Posting(Entry.REALISED, -OPENING_CASH // 10, 2)]
    assert fold([*lost, Posting(Entry.DEPOSIT, 10**9, 3)]).drawdown_ppm > 90_000


@pytest.mark.req("JNL-035")
def test_a_session_is_posted_and_survives_restarts(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "book"
    book = LedgerBook(path)
    book.append([DEPOSIT])
    state = header_of().opening_state()
    for before, _, outcome in walk(seed, 3_000, state, chaos=0.0):
        after = outcome.state if isinstance(outcome, Accepted) else before
        if after.ledger != before.ledger:
            book.append(postings_between(before.ledger, after.ledger, 0, bytes(8)))
            book.close()
            book = LedgerBook(path)
            held, told = book.ledger(), after.ledger
            assert (held.cash, held.contributed, held.realised_pnl, held.fees) == (
                told.cash, told.contributed, told.realised_pnl, told.fees,
            )  # fmt: skip
            # Flat, equity is the cash: a loss that is still open is not in the book.
            assert held.equity_peak == max(told.equity_peak, told.cash)
    assert len(book.postings) > 3, "the session did nothing that a book would hold"
    book.close()


@pytest.mark.req("JNL-036")
def test_every_torn_tail_is_cut_off_and_reported(tmp_path: Path, rng: random.Random) -> None:
    whole = book_of(tmp_path / "book", 5, rng).read_bytes()
    for cut in range(1, POSTING_BYTES):
        path = tmp_path / "torn"
        path.write_bytes(whole[:-cut])
        book = LedgerBook(path)
        assert "torn" in book.cut
        assert len(book.postings) == 5
        book.append([Posting(Entry.FEE, 1, 9)])
        book.close()
        assert read(path).cut == ""


@pytest.mark.req("JNL-036")
def test_every_flipped_bit_is_corruption(tmp_path: Path, rng: random.Random) -> None:
    whole = book_of(tmp_path / "book", 8, rng).read_bytes()
    path = tmp_path / "flipped"
    for _ in range(300):
        place = rng.randrange(PREFIX_BYTES, len(whole))
        data = bytearray(whole)
        data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        with pytest.raises(JournalCorrupt) as caught:
            LedgerBook(path)
        assert caught.value.finding.record == (place - PREFIX_BYTES) // POSTING_BYTES
        assert path.read_bytes() == bytes(data), "a book that is refused must not be changed"


@pytest.mark.req("JNL-036")
def test_dropped_doubled_and_moved_postings_are_found(tmp_path: Path, rng: random.Random) -> None:
    whole = book_of(tmp_path / "book", 8, rng).read_bytes()
    lines = [
        whole[at : at + POSTING_BYTES] for at in range(PREFIX_BYTES, len(whole), POSTING_BYTES)
    ]
    path = tmp_path / "wrong"
    for wrong in (lines[:3] + lines[4:], [*lines[:4], lines[3], *lines[4:]], lines[::-1]):
        path.write_bytes(whole[:PREFIX_BYTES] + b"".join(wrong))
        with pytest.raises(JournalCorrupt) as caught:
            read(path)
        assert caught.value.finding.fault == Fault.SWAPPED


@pytest.mark.req("JNL-036")
@pytest.mark.parametrize(
    ("data", "fault"),
    [(b"", Fault.EMPTY), (b"PAR1....", Fault.FOREIGN), (b"DOLPHINL\x02\0\0\0....", Fault.NEWER)],
)
def test_what_is_no_book(tmp_path: Path, data: bytes, fault: Fault) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(JournalCorrupt) as caught:
        read(tmp_path / "x")
    assert caught.value.finding.fault == fault
    with pytest.raises(JournalCorrupt):
        read(tmp_path / "absent")


@pytest.mark.req("JNL-037")
def test_one_writer_per_book(tmp_path: Path) -> None:
    book = LedgerBook(tmp_path / "book")
    with pytest.raises(BlockingIOError):
        LedgerBook(tmp_path / "book")
    book.close()


@pytest.mark.req("JNL-037")
@pytest.mark.parametrize(
    "postings",
    [[], [Posting(Entry.FEE, 1, 1)], [DEPOSIT, Posting(Entry.FEE, -1, 1)],
     [Posting(Entry.DEPOSIT, 0, 1)], [DEPOSIT, Posting(Entry.PEAK, 0, 1)]],
)  # fmt: skip
def test_a_book_that_cannot_open_a_session(postings: list[Posting]) -> None:
    with pytest.raises(ValueError):
        fold(postings)


# --- a small book, posting by posting ------------------------------------------------------------


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


FOREIGN = "not a ledger book: expected a file that begins with DOLPHINL"


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


# --- byte for byte, and where exactly each fault is found to stand -------------------------------


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
