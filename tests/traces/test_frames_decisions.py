"""Torn or damaged, swapped or missing: each condition by which ``frames`` tells them apart."""

import struct

import pytest

from tests.traces.making import header_record, journal_of, note_record
from traces.frames import (
    HEAD_BYTES,
    PREFIX_BYTES,
    TAIL_BYTES,
    Fault,
    Frame,
    JournalCorrupt,
    Tag,
    first_chain,
    frame,
    prefix,
    scan,
)

RECORDS = [header_record(), *(note_record(kind=f"note {n}") for n in range(4))]
JOURNAL = journal_of(*RECORDS)
FRAMES = list(scan(JOURNAL))
LAST = FRAMES[-1]
LEAST = HEAD_BYTES + TAIL_BYTES


def fault_of(data: bytes) -> tuple[Fault, int, str]:
    """The first fault: which, at which record, and its sentence."""
    with pytest.raises(JournalCorrupt) as caught:
        list(scan(data))
    return caught.value.finding.fault, caught.value.finding.record, caught.value.finding.text


def lengths(length: int, complement: int | None = None) -> bytes:
    """The first four bytes of a frame."""
    return struct.pack("<HH", length, length ^ 0xFFFF if complement is None else complement)


def damaged(record: int, offset: int) -> tuple[Fault, int, str]:
    """A damaged record, as ``fault_of`` gives it."""
    text = f"record {record} is damaged at byte {offset}: its checksum does not fit"
    return Fault.DAMAGED, record, text


def torn(record: int, written: int) -> tuple[Fault, int, str]:
    """A torn record, as ``fault_of`` gives it."""
    text = f"record {record}, the last, is torn: {written} bytes of it were written"
    return Fault.TORN, record, text


END = len(JOURNAL)


@pytest.mark.req("JNL-006", "JNL-008")
@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"\1", torn(5, 1)),
        (b"\1" + bytes(100), torn(5, 1)),
        (b"\0\0\0\1" + bytes(100), damaged(5, END)),
        (b"\0\0" + b"\0\0\0\1" + bytes(100), damaged(5, END)),
        (lengths(200) + b"\2\2" + bytes(300), torn(5, 6)),
        (lengths(200) + b"\2" * 100, torn(5, 104)),
        (lengths(200) + b"\2" * 196, damaged(5, END)),
        (lengths(200) + b"\2" * 296, damaged(5, END)),
        (lengths(LEAST - 1) + b"\2" * 100, damaged(5, END)),
        (lengths(LEAST - 1) + b"\2" + bytes(100), damaged(5, END)),
        (lengths(200, 200) + b"\2" + bytes(300), damaged(5, END)),
        (lengths(200, 200) + b"\2", damaged(5, END)),
    ],
    ids=range(12),
)
def test_a_tail_is_torn_only_where_a_writer_could_have_stopped(
    tail: bytes, expected: tuple[Fault, int, str]
) -> None:
    assert fault_of(JOURNAL + tail) == expected


@pytest.mark.req("JNL-008")
@pytest.mark.parametrize("zeros", [0, 1, LEAST - 1, LEAST, 10_000])
def test_zeros_end_a_journal_wherever_it_was_preallocated_to(zeros: int) -> None:
    assert list(scan(JOURNAL + bytes(zeros))) == FRAMES


@pytest.mark.req("JNL-006")
def test_the_least_frame_has_no_body() -> None:
    chain = first_chain(prefix())
    whole, _ = frame(0, Tag.NOTE, b"", chain)
    assert len(whole) == LEAST
    assert [one.body for one in scan(prefix() + whole)] == [b""]


@pytest.mark.req("JNL-007")
@pytest.mark.parametrize("length", [1, PREFIX_BYTES, 200_000])
def test_a_file_of_zeros_is_empty_and_one_byte_makes_it_foreign(length: int) -> None:
    text = "nothing but zeros: it ended before its first record"
    assert fault_of(bytes(length)) == (Fault.EMPTY, -1, text)
    foreign = "not a journal: it does not begin with b'DOLPHINJ'"
    assert fault_of(bytes(length) + b"\1") == (Fault.FOREIGN, -1, foreign)


def without(*numbers: int) -> list[Frame]:
    """The journal's frames but some."""
    return [one for one in FRAMES if one.sequence not in numbers]


def joined(frames: list[Frame], tail: bytes = b"") -> bytes:
    """A journal of frames as they were, and a tail."""
    return JOURNAL[:PREFIX_BYTES] + b"".join(JOURNAL[f.offset : f.end] for f in frames) + tail


@pytest.mark.req("JNL-003")
def test_what_is_missing_is_told_from_what_is_swapped() -> None:
    gone = (Fault.MISSING, 1, "record 1 is missing: record 2 follows")
    swapped = "records are swapped: record 2 stands before record 1"
    assert fault_of(joined(without(1))) == gone
    assert fault_of(joined([*without(1), FRAMES[1]])) == (Fault.SWAPPED, 1, swapped)
    missing = "records 1 to 2 are missing: record 3 follows"
    assert fault_of(joined(without(1, 2))) == (Fault.MISSING, 1, missing)


@pytest.mark.req("JNL-003")
@pytest.mark.parametrize(
    "tail",
    [
        lengths(60, 60) + bytes(60),
        lengths(LEAST - 1) + bytes(60),
        lengths(60) + b"\3",
        bytes(100),
    ],
    ids=["no length", "too short a length", "cut off", "zeros"],
)
def test_the_search_for_a_swapped_record_ends_where_frames_end(tail: bytes) -> None:
    """What stands behind is walked by lengths alone, and only as far as they hold."""
    behind = JOURNAL[FRAMES[1].offset : FRAMES[1].end]
    found = fault_of(joined(without(1), tail + behind))
    assert found == (Fault.MISSING, 1, "record 1 is missing: record 2 follows")
