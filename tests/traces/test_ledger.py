"""The ledger's book: folds, restarts, torn tails, corruption."""

import random
from pathlib import Path

import pytest

from kernel.equity import drawdown
from kernel.outcome import Accepted
from kernel.state import opening_ledger
from tests.kernel.sessions import OPENING_CASH
from tests.traces.samples import header_of, walk
from traces.frames import Fault, JournalCorrupt
from traces.ledger import (
    POSTING_BYTES,
    PREFIX_BYTES,
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
