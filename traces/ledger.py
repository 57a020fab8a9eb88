"""The ledger file: every posting since the first deposit, over all sessions.

Theory. A posting moves two of the four accounts by opposite amounts, so they always sum to zero.
What the kernel opens a session with is a fold of the book: cash, contributed, realised profit,
fees, and the equity peak. So capital, peak and drawdown survive restarts (specification I:
multi-session ledger integrity).

    prefix   magic "DOLPHINL" | version u32 | CRC-32C u32                               16 bytes
    posting  sequence u64 | kind u8 | amount i64 | time_ms u64 | session 8 | chain 16
             | CRC-32C u32 | mark 0xA5                                                  54 bytes

``session`` is the first half of the chain value of the journal the posting follows from.

Rules of this file:

*   Append only, fixed size; each record carries a CRC and the chain value of all before it.
*   A torn last record (its mark is missing and it ends the file) is cut off and reported. A wrong
    record anywhere else is corruption: ``JournalCorrupt``, and nothing starts on it.
*   ``append`` is all or nothing: one write, one sync, before it returns. Postings are few; this is
    not the hot path.

Not here: the accounts' meaning (``kernel.ledger``), the comparison with execution's own view (the
event ``ReconcileLedger``). Spec module: Ledger (ChainIsAppendOnly).
"""

import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from kernel.equity import drawdown
from kernel.state import Ledger
from traces.checksums import CHAIN_BYTES, chain, crc32c
from traces.frames import MARK, Fault, Finding, JournalCorrupt, first_chain

MAGIC: Final[bytes] = b"DOLPHINL"
VERSION: Final[int] = 1
SESSION_BYTES: Final[int] = 8
_PREFIX: Final = struct.Struct("<8sI")
_POSTING: Final = struct.Struct(f"<QBqQ{SESSION_BYTES}s")
_SEAL: Final = struct.Struct(f"<{CHAIN_BYTES}sIB")
PREFIX_BYTES: Final[int] = _PREFIX.size + 4
POSTING_BYTES: Final[int] = _POSTING.size + _SEAL.size


class Entry(IntEnum):
    """What a posting does. Amounts are micro-USDT."""

    DEPOSIT = 1  # cash + amount, contributed − amount; amount > 0
    REALISED = 2  # cash + amount, realised_pnl − amount; signed
    FEE = 3  # cash − amount, fees + amount; amount ≥ 0
    PEAK = 4  # the equity peak is amount: a new high, or an operator's reset; amount > 0


@dataclass(frozen=True)
class Posting:
    """One line of the book."""

    entry: Entry
    amount: int
    time_ms: int
    session: bytes = bytes(SESSION_BYTES)


@dataclass(frozen=True)
class Book:
    """A book that was read: its postings, where it ends, its head, and what was cut off."""

    postings: tuple[Posting, ...]
    end: int
    head: bytes
    cut: str


def _prefix() -> bytes:
    start = _PREFIX.pack(MAGIC, VERSION)
    return start + crc32c(start).to_bytes(4, "little")


# JNL-035, JNL-037, JNL-038
def fold(postings: Iterable[Posting]) -> Ledger:
    """Return the ledger after the postings, flat. Raises ``ValueError`` on one out of range."""
    cash = contributed = realised = fees = peak = 0
    for number, posting in enumerate(postings):
        amount = posting.amount
        if posting.entry == Entry.DEPOSIT:
            cash, contributed = cash + amount, contributed - amount
            peak += amount  # what is paid in is no profit: it must not hide a drawdown
        elif posting.entry == Entry.REALISED:
            cash, realised = cash + amount, realised - amount
        elif posting.entry == Entry.FEE:
            cash, fees = cash - amount, fees + amount
        else:
            peak = amount
        if posting.entry != Entry.REALISED and amount < (posting.entry != Entry.FEE):
            raise ValueError(f"posting {number}: {posting.entry.name} of {amount}")
    if peak <= 0:
        raise ValueError("the book holds no deposit")
    return Ledger(
        cash=cash,
        contributed=contributed,
        realised_pnl=realised,
        fees=fees,
        unrealised_pnl=0,
        equity_peak=max(peak, cash),
        drawdown_ppm=drawdown(max(peak, cash), cash),
    )


def postings_between(before: Ledger, after: Ledger, time_ms: int, session: bytes) -> list[Posting]:
    """Return the postings that lead from one ledger of a session to a later one."""
    realised = before.realised_pnl - after.realised_pnl
    fees = after.fees - before.fees
    found = []
    if realised:
        found.append(Posting(Entry.REALISED, realised, time_ms, session))
    if fees:
        found.append(Posting(Entry.FEE, fees, time_ms, session))
    if after.equity_peak != before.equity_peak:
        found.append(Posting(Entry.PEAK, after.equity_peak, time_ms, session))
    return found


def _broken(fault: Fault, record: int, offset: int, text: str) -> JournalCorrupt:
    return JournalCorrupt(Finding(fault, record, offset, text))


# JNL-036
def _postings(data: bytes) -> Iterator[tuple[Posting, bytes]]:
    head = first_chain(data[:PREFIX_BYTES])
    for offset in range(PREFIX_BYTES, len(data), POSTING_BYTES):
        number = (offset - PREFIX_BYTES) // POSTING_BYTES
        whole = data[offset : offset + POSTING_BYTES]
        last = offset + POSTING_BYTES >= len(data)
        if last and (len(whole) < POSTING_BYTES or whole[-1] == 0):
            raise _broken(Fault.TORN, number, offset, f"posting {number}, the last, is torn")
        value, crc, mark = _SEAL.unpack_from(whole, _POSTING.size)
        if mark != MARK or crc32c(whole[:-5]) != crc:
            text = f"posting {number} is damaged: its checksum does not fit"
            raise _broken(Fault.DAMAGED, number, offset, text)
        sequence, entry, amount, time_ms, session = _POSTING.unpack_from(whole)
        if sequence != number:
            text = f"posting {sequence} stands where posting {number} should be"
            raise _broken(Fault.SWAPPED, number, offset, text)
        head = chain(head, whole[: _POSTING.size])
        if value != head:
            text = f"posting {number} does not follow from the one before it: the chain is broken"
            raise _broken(Fault.CHAIN_BROKEN, number, offset, text)
        if entry not in Entry:
            raise _broken(
                Fault.FORM, number, offset, f"posting {number}: no entry has code {entry}"
            )
        yield Posting(Entry(entry), amount, time_ms, session), head


def read(path: Path) -> Book:
    """Read a book; a torn last posting is named in ``cut``. Raises ``JournalCorrupt``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
        raise _broken(Fault.UNREADABLE, -1, 0, text) from None
    if not data:
        raise _broken(Fault.EMPTY, -1, 0, "an empty file")
    if data[:PREFIX_BYTES] != _prefix():
        version = int.from_bytes(data[len(MAGIC) : _PREFIX.size], "little")
        if data[: len(MAGIC)] == MAGIC and version > VERSION:
            text = f"book version {version}; this dolphin reads {VERSION}"
            raise _broken(Fault.NEWER, -1, 0, text)
        text = f"not a ledger book: expected a file that begins with {MAGIC.decode()}"
        raise _broken(Fault.FOREIGN, -1, 0, text)
    found: list[Posting] = []
    head, cut = first_chain(data[:PREFIX_BYTES]), ""
    try:
        for posting, head in _postings(data):  # noqa: B007  # the last head is the book's
            found.append(posting)
    except JournalCorrupt as error:
        if error.finding.fault != Fault.TORN:
            raise
        cut = error.finding.text
    return Book(tuple(found), PREFIX_BYTES + len(found) * POSTING_BYTES, head, cut)


class LedgerBook:
    """The book of one account, open for appending. One writer, held by a lock."""

    def __init__(self, path: Path) -> None:
        """Open or begin the book at ``path``; cuts off a torn last posting.

        Raises ``JournalCorrupt`` on corruption and ``BlockingIOError`` where another process has
        it.
        """
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o640)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(self._descriptor).st_size == 0:
                os.write(self._descriptor, _prefix())
                os.fsync(self._descriptor)
            book = read(path)
            os.ftruncate(self._descriptor, book.end)
        except BaseException:
            os.close(self._descriptor)
            raise
        self.cut = book.cut
        self._postings = list(book.postings)
        self._head = book.head
        self._end = book.end

    @property
    def postings(self) -> tuple[Posting, ...]:
        """Return the postings so far."""
        return tuple(self._postings)

    def ledger(self) -> Ledger:
        """Return what a session opens with. Raises ``ValueError`` on a book without a deposit."""
        return fold(self._postings)

    # JNL-035, JNL-037, JNL-042
    def append(self, postings: Iterable[Posting]) -> None:
        """Add postings; returns when they are on the disk. Raises ``OSError``, nothing added."""
        data, head, number = b"", self._head, len(self._postings)
        new = list(postings)
        for posting in new:
            line = _POSTING.pack(
                number, posting.entry, posting.amount, posting.time_ms, posting.session
            )
            head = chain(head, line)
            sealed = line + head
            data += sealed + crc32c(sealed).to_bytes(4, "little") + bytes((MARK,))
            number += 1
        try:
            if os.write(self._descriptor, data) != len(data):
                raise OSError(f"{self.path}: written in part")
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._postings += new
        self._head, self._end = head, self._end + len(data)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)
