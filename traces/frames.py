"""The journal's bytes: a prefix, frames, zeros; and each way in which they can be damaged.

    prefix   magic "DOLPHINJ" | schema version u32 | CRC-32C u32                        16 bytes
    frame    length u16 | ~length u16 | tag u8 | sequence u64 | body | chain 16 | CRC u32 | 0xA5
    zeros    what was preallocated and not used

The length counts the whole frame. The chain value is BLAKE2b over the chain value before and
head + body; before the first frame it is that of the prefix. The CRC covers head, body and chain.

Rules of this file:

*   Each way of being wrong has its own ``Fault``, so that an operator learns what happened and not
    only that something did. tests/traces/test_frames.py makes each of them.
*   A *torn* frame was not written to its end: its closing mark 0xA5 is missing and nothing but
    zeros follows. It can only be the last; the writer never acknowledged it; it may be cut off. A
    frame with a closing mark and a wrong checksum was damaged, wherever it stands.
*   The length stands beside its complement: a flipped bit in a length is a damaged frame and never
    looks like a torn one.
*   Sequence numbers run from 0 without a gap, over frames of every tag. Order is the number, not
    the clock (design 3.6).

Not here: what a body says (``codec``, ``header``), who writes (``journal``).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from traces.checksums import CHAIN_BYTES, chain, crc32c
from traces.schema import SCHEMA_VERSION

MAGIC: Final[bytes] = b"DOLPHINJ"
MARK: Final[int] = 0xA5
_PREFIX: Final = struct.Struct("<8sII")
_HEAD: Final = struct.Struct("<HHBQ")
_LENGTHS: Final = struct.Struct("<HH")
_CRC: Final = struct.Struct("<IB")
PREFIX_BYTES: Final[int] = _PREFIX.size
HEAD_BYTES: Final[int] = _HEAD.size
TAIL_BYTES: Final[int] = CHAIN_BYTES + _CRC.size
FRAME_BYTES_MAX: Final[int] = 0xFFFF
BODY_BYTES_MAX: Final[int] = FRAME_BYTES_MAX - HEAD_BYTES - TAIL_BYTES


class Tag(IntEnum):
    """What a frame holds."""

    HEADER = 1
    EVENT = 2
    NOTE = 3
    ANCHOR = 4
    CLOSE = 5


# JNL-003, JNL-006, JNL-007
class Fault(IntEnum):
    """What is wrong with a journal's bytes."""

    EMPTY = 1
    FOREIGN = 2
    NEWER = 3
    TORN = 4
    DAMAGED = 5
    MISSING = 6
    REPEATED = 7
    SWAPPED = 8
    CHAIN_BROKEN = 9
    FORM = 10
    AFTER_CLOSE = 11
    NOT_CLOSED = 12
    UNREADABLE = 13


@dataclass(frozen=True)
class Finding:
    """One fault: which, at which record (-1 before the first), at which byte, and a sentence."""

    fault: Fault
    record: int
    offset: int
    text: str


class JournalCorrupt(Exception):
    """The bytes are no intact journal; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


class Frame(NamedTuple):
    """One frame: its number, tag and body; the chain value before it and its own."""

    sequence: int
    tag: int
    body: bytes
    before: bytes
    chain: bytes
    offset: int
    end: int


def prefix(version: int = SCHEMA_VERSION) -> bytes:
    """Return the first 16 bytes of a journal of the given schema version."""
    head = _PREFIX.pack(MAGIC, version, 0)[:-4]
    return head + crc32c(head).to_bytes(4, "little")


def first_chain(start: bytes) -> bytes:
    """Return the chain value before the first frame; ``start`` is the prefix."""
    return chain(bytes(CHAIN_BYTES), start)


def head(sequence: int, tag: int, body_bytes: int) -> bytes:
    """Return the head of a frame whose body has that many bytes."""
    length = HEAD_BYTES + body_bytes + TAIL_BYTES
    return _HEAD.pack(length, length ^ 0xFFFF, tag, sequence)


# JNL-005
def frame(sequence: int, tag: int, body: bytes, before: bytes) -> tuple[bytes, bytes]:
    """Return a frame's bytes and its chain value. Raises ``ValueError`` on a body too long."""
    length = HEAD_BYTES + len(body) + TAIL_BYTES
    if length > FRAME_BYTES_MAX:
        raise ValueError(f"record {sequence}: {len(body)} bytes; at most {BODY_BYTES_MAX} fit")
    content = _HEAD.pack(length, length ^ 0xFFFF, tag, sequence) + body
    value = chain(before, content)
    sealed = content + value
    return sealed + _CRC.pack(crc32c(sealed), MARK), value


def _broken(fault: Fault, record: int, offset: int, text: str) -> JournalCorrupt:
    return JournalCorrupt(Finding(fault, record, offset, text))


# JNL-008
def used_bytes(data: bytes, start: int) -> int:
    """Return where the bytes that are not zero end, looking back to ``start``."""
    end = len(data)
    while end > start:
        low = max(start, end - 65_536)
        rest = data[low:end].rstrip(b"\0")
        if rest:
            return low + len(rest)
        end = low
    return start


_FOREIGN: Final[str] = f"not a journal: expected a file that begins with {MAGIC.decode()}"


# JNL-007
def check_prefix(data: bytes) -> bytes:
    """Return the prefix; raises ``JournalCorrupt`` where it is of no version known here."""
    if len(data) == 0:
        raise _broken(Fault.EMPTY, -1, 0, "an empty file")
    start = data[:PREFIX_BYTES]
    if not any(data[:1]) and used_bytes(data, 0) == 0:
        raise _broken(Fault.EMPTY, -1, 0, "nothing but zeros: it ended before its first record")
    if len(start) < PREFIX_BYTES:
        if MAGIC.startswith(start[:8]):
            raise _broken(Fault.TORN, -1, 0, "torn within its first 16 bytes")
        raise _broken(Fault.FOREIGN, -1, 0, _FOREIGN)
    magic, version, crc = _PREFIX.unpack(start)
    if magic != MAGIC:
        raise _broken(Fault.FOREIGN, -1, 0, _FOREIGN)
    if crc32c(start[:-4]) != crc:
        raise _broken(Fault.DAMAGED, -1, 0, "damaged in its first 16 bytes: checksum does not fit")
    if version > SCHEMA_VERSION:
        raise _broken(
            Fault.NEWER, -1, 8,
            f"schema version {version}; this dolphin reads up to {SCHEMA_VERSION}: "
            "audit it with the version that wrote it",
        )  # fmt: skip
    if version != SCHEMA_VERSION:
        raise _broken(
            Fault.NEWER, -1, 8,
            f"schema version {version}; this dolphin reads {SCHEMA_VERSION} alone: "
            "audit it with the version that wrote it",
        )  # fmt: skip
    return start


def _numbers_from(data: bytes, offset: int) -> Iterator[int]:
    """Walk frames by their lengths alone and yield their numbers, until one does not hold."""
    while offset + HEAD_BYTES <= len(data):
        length, complement, _, number = _HEAD.unpack_from(data, offset)
        if length ^ complement != 0xFFFF or length < HEAD_BYTES + TAIL_BYTES:
            return
        yield number
        offset += length


# JNL-003
def _out_of_order(data: bytes, offset: int, end: int, expected: int, found: int) -> JournalCorrupt:
    """Name what happened where ``found`` stands in the place of record ``expected``."""
    if found < expected:
        return _broken(
            Fault.REPEATED, expected, offset,
            f"record {found} is repeated where record {expected} should be",
        )  # fmt: skip
    if expected in _numbers_from(data, end):
        return _broken(
            Fault.SWAPPED, expected, offset,
            f"records are swapped: record {found} stands before record {expected}",
        )  # fmt: skip
    gone = (
        f"record {expected} is"
        if found == expected + 1
        else (f"records {expected} to {found - 1} are")
    )
    return _broken(Fault.MISSING, expected, offset, f"{gone} missing: record {found} follows")


# JNL-006
def _incomplete(data: bytes, offset: int, expected: int) -> JournalCorrupt:
    """Name what is wrong where no whole, sound frame stands: torn, or damaged."""
    used = used_bytes(data, offset)
    torn = _broken(
        Fault.TORN, expected, offset,
        f"record {expected}, the last, is torn: {used - offset} bytes of it were written",
    )  # fmt: skip
    if used - offset < _LENGTHS.size:
        return torn
    length, complement = _LENGTHS.unpack_from(data, offset)
    if length ^ complement == 0xFFFF and length >= HEAD_BYTES + TAIL_BYTES:
        if used < offset + length:
            return torn
    return _broken(
        Fault.DAMAGED, expected, offset,
        f"record {expected} is damaged at byte {offset}: its checksum does not fit",
    )  # fmt: skip


# JNL-003, JNL-004, JNL-005
def scan(data: bytes) -> Iterator[Frame]:
    """Yield the frames in order, each checked: length, mark, CRC, number, chain.

    Ends at the zeros or at the end of the data. Raises ``JournalCorrupt`` at the first fault; what
    was yielded before it is sound.
    """
    before = first_chain(check_prefix(data))
    offset, expected, size = PREFIX_BYTES, 0, len(data)
    unpack, least = _HEAD.unpack_from, HEAD_BYTES + TAIL_BYTES
    while offset < size:
        if size - offset < least:
            if used_bytes(data, offset) == offset:
                return
            raise _incomplete(data, offset, expected)
        length, complement, tag, number = unpack(data, offset)
        if length == 0 and complement == 0 and used_bytes(data, offset) == offset:
            return
        end = offset + length
        if length ^ complement != 0xFFFF or length < least or end > size:
            raise _incomplete(data, offset, expected)
        whole = data[offset:end]
        crc, mark = _CRC.unpack_from(whole, length - _CRC.size)
        if mark != MARK or crc32c(whole[: -_CRC.size]) != crc:
            raise _incomplete(data, offset, expected)
        if number != expected:
            raise _out_of_order(data, offset, end, expected, number)
        value = chain(before, whole[:-TAIL_BYTES])
        if whole[-TAIL_BYTES : -_CRC.size] != value:
            raise _broken(
                Fault.CHAIN_BROKEN, expected, offset,
                f"record {expected} does not follow from the one before it: the chain is broken",
            )  # fmt: skip
        yield Frame(number, tag, whole[HEAD_BYTES:-TAIL_BYTES], before, value, offset, end)
        before, offset, expected = value, end, expected + 1
