"""A finding names its place: the whole of it, fault, record, byte and sentence, for each way of
being wrong; and the edges at which one way ends and the next begins.

Not here: that every kind of damage is found at all (``test_frames.py``), tails and what is missing
(``test_frames_decisions.py``).
"""

import struct

import pytest

from tests.traces.making import header_record, journal_of, note_record
from traces.checksums import chain, crc32c
from traces.frames import (
    HEAD_BYTES,
    MARK,
    PREFIX_BYTES,
    TAIL_BYTES,
    Fault,
    Finding,
    Frame,
    JournalCorrupt,
    Tag,
    check_prefix,
    first_chain,
    frame,
    prefix,
    scan,
    used_bytes,
)

LEAST = 34
FOREIGN = "not a journal: it does not begin with b'DOLPHINJ'"
ASK_ITS_WRITER = "audit it with the version that wrote it"


def found_in(data: bytes) -> Finding:
    """The finding of a journal that is broken."""
    with pytest.raises(JournalCorrupt) as caught:
        list(scan(data))
    return caught.value.finding


def prefix_finding(data: bytes) -> Finding:
    """The finding of a file whose first bytes are no prefix."""
    with pytest.raises(JournalCorrupt) as caught:
        check_prefix(data)
    return caught.value.finding


def journal() -> tuple[bytes, list[Frame]]:
    """A sound journal of a header and four notes, and its frames."""
    data = journal_of(header_record(), *(note_record(kind=f"note {n}") for n in range(4)))
    return data, list(scan(data))


def picked(*numbers: int) -> bytes:
    """The journal's prefix and these of its frames, in this order."""
    data, frames = journal()
    parts = [data[frames[number].offset : frames[number].end] for number in numbers]
    return data[:PREFIX_BYTES] + b"".join(parts)


def lengths(length: int, complement: int | None = None) -> bytes:
    """The first four bytes of a frame."""
    return struct.pack("<HH", length, length ^ 0xFFFF if complement is None else complement)


@pytest.mark.req("JNL-003", "JNL-006", "JNL-007")
def test_each_fault_keeps_its_number() -> None:
    assert {name: int(fault) for name, fault in Fault.__members__.items()} == {
        "EMPTY": 1, "FOREIGN": 2, "NEWER": 3, "TORN": 4, "DAMAGED": 5, "MISSING": 6,
        "REPEATED": 7, "SWAPPED": 8, "CHAIN_BROKEN": 9, "FORM": 10, "AFTER_CLOSE": 11,
        "NOT_CLOSED": 12, "UNREADABLE": 13,
    }  # fmt: skip


# --- the prefix ----------------------------------------------------------------------------------


@pytest.mark.req("JNL-007")
@pytest.mark.parametrize(
    ("data", "fault", "text"),
    [
        (b"", Fault.EMPTY, "an empty file"),
        (bytes(1), Fault.EMPTY, "nothing but zeros: it ended before its first record"),
        (bytes(70_000), Fault.EMPTY, "nothing but zeros: it ended before its first record"),
        (b"D", Fault.TORN, "torn within its first 16 bytes"),
        (b"DOLPHINJ\1\0\0\0\0\0\0", Fault.TORN, "torn within its first 16 bytes"),
        (b"PAR1", Fault.FOREIGN, FOREIGN),
        (b"\0\1", Fault.FOREIGN, FOREIGN),
        (b"DOLPHINX\1\0\0\0\0\0\0\0", Fault.FOREIGN, FOREIGN),
        (b"DOLPHINJ\1\0\0\0\0\0\0\0", Fault.DAMAGED,
         "damaged in its first 16 bytes: checksum does not fit"),
    ],
    ids=range(9),
)  # fmt: skip
def test_check_prefix_names_what_stands_where_no_journal_begins(
    data: bytes, fault: Fault, text: str
) -> None:
    assert prefix_finding(data) == Finding(fault, -1, 0, text)


@pytest.mark.req("JNL-007")
@pytest.mark.parametrize("version", [2, 2**31, 2**32 - 1])
def test_check_prefix_names_the_byte_of_a_newer_version(version: int) -> None:
    text = f"schema version {version}; this dolphin reads up to 1: {ASK_ITS_WRITER}"
    assert prefix_finding(prefix(version)) == Finding(Fault.NEWER, -1, 8, text)


@pytest.mark.req("JNL-007")
def test_check_prefix_names_the_byte_of_an_older_version() -> None:
    text = f"schema version 0; this dolphin reads 1 alone: {ASK_ITS_WRITER}"
    assert prefix_finding(prefix(0)) == Finding(Fault.NEWER, -1, 8, text)


@pytest.mark.req("JNL-008")
@pytest.mark.parametrize("last", [b"X", b"\xff", b"\1"])
def test_used_bytes_takes_zeros_alone_for_unused(last: bytes) -> None:
    assert used_bytes(b"a" + last + bytes(9), 0) == 2
    assert used_bytes(b"a" + last + bytes(70_000), 0) == 2


# --- records -------------------------------------------------------------------------------------


@pytest.mark.req("JNL-003")
def test_out_of_order_names_the_byte_at_which_the_wrong_record_stands() -> None:
    second, third = len(picked(0)), len(picked(0, 1))
    assert found_in(picked(0, 1, 1, 2)) == Finding(
        Fault.REPEATED, 2, third, "record 1 is repeated where record 2 should be"
    )
    assert found_in(picked(0, 2, 1, 3)) == Finding(
        Fault.SWAPPED, 1, second, "records are swapped: record 2 stands before record 1"
    )
    assert found_in(picked(0, 2, 3, 4)) == Finding(
        Fault.MISSING, 1, second, "record 1 is missing: record 2 follows"
    )
    assert found_in(picked(0, 1, 4)) == Finding(
        Fault.MISSING, 2, third, "records 2 to 3 are missing: record 4 follows"
    )


@pytest.mark.req("JNL-004", "JNL-006")
@pytest.mark.parametrize("length", [LEAST, LEAST + 1, 200])
def test_incomplete_names_the_byte_at_which_a_torn_record_begins(length: int) -> None:
    data, _ = journal()
    end = len(data)
    assert found_in(data + lengths(length) + b"\2") == Finding(
        Fault.TORN, 5, end, "record 5, the last, is torn: 5 bytes of it were written"
    )
    assert found_in(data + lengths(length) + b"\2" * (length - 4)) == Finding(
        Fault.DAMAGED, 5, end, f"record 5 is damaged at byte {end}: its checksum does not fit"
    )


@pytest.mark.req("JNL-005")
def test_a_broken_chain_names_the_byte_at_which_its_record_begins() -> None:
    data = picked(0, 1)
    other, _ = frame(2, Tag.NOTE, b"x", bytes(16))
    text = "record 2 does not follow from the one before it: the chain is broken"
    assert found_in(data + other) == Finding(Fault.CHAIN_BROKEN, 2, len(data), text)


@pytest.mark.req("JNL-004")
def test_scan_takes_no_record_whose_length_stands_beside_a_wrong_complement() -> None:
    """Chain and checksum over the wrong complement are right: the complement is a check too."""
    start, length = prefix(), LEAST + 1
    content = struct.pack("<HHBQ", length, length ^ 0xFFFE, Tag.NOTE, 0) + b"x"
    sealed = content + chain(first_chain(start), content)
    data = start + sealed + struct.pack("<IB", crc32c(sealed), MARK)
    text = "record 0 is damaged at byte 16: its checksum does not fit"
    assert found_in(data) == Finding(Fault.DAMAGED, 0, 16, text)


# --- the search for a record that was swapped ----------------------------------------------------


@pytest.mark.req("JNL-003")
def test_numbers_from_walks_over_the_least_frame_and_reads_a_head_at_the_very_end() -> None:
    data, frames = journal()
    empty, _ = frame(3, Tag.NOTE, b"", bytes(16))
    assert len(empty) == LEAST == HEAD_BYTES + TAIL_BYTES
    head_of_one = data[frames[1].offset : frames[1].offset + HEAD_BYTES]
    swapped = Finding(
        Fault.SWAPPED, 1, frames[1].offset,
        "records are swapped: record 2 stands before record 1",
    )  # fmt: skip
    assert found_in(picked(0, 2) + empty + head_of_one) == swapped
    assert found_in(picked(0, 2) + head_of_one) == swapped
    missing = Finding(Fault.MISSING, 1, frames[1].offset, "record 1 is missing: record 2 follows")
    assert found_in(picked(0, 2) + head_of_one[:-1]) == missing


@pytest.mark.req("JNL-003")
@pytest.mark.parametrize(
    "between",
    [lengths(60, 60) + bytes(56), lengths(LEAST - 1) + bytes(LEAST - 5)],
    ids=["a wrong complement", "too short a length"],
)
def test_numbers_from_ends_at_a_length_that_does_not_hold(between: bytes) -> None:
    """Record 1 stands behind, just where the length that does not hold would lead."""
    data, frames = journal()
    behind = data[frames[1].offset : frames[1].end]
    found = found_in(picked(0, 2) + between + behind)
    assert found == Finding(
        Fault.MISSING, 1, frames[1].offset, "record 1 is missing: record 2 follows"
    )
