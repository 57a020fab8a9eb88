"""Each way in which a journal's bytes can be wrong is a fault with a name of its own."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.traces.making import header_record, journal_of, note_record
from tests.traces.samples import sample
from traces import frames
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


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound journal of forty records."""
    return sample(tmp_path_factory.mktemp("frames") / "a.journal", seed=3, count=60).read_bytes()


def fault_of(data: bytes) -> frames.Finding:
    """The first fault; fails where there is none."""
    with pytest.raises(JournalCorrupt) as caught:
        list(scan(data))
    assert str(caught.value) == caught.value.finding.text
    assert "\n" not in caught.value.finding.text
    return caught.value.finding


def places(data: bytes) -> list[Frame]:
    """The frames of a sound journal."""
    return list(scan(data))


def cut(data: bytes, one: Frame) -> bytes:
    """One frame's bytes."""
    return data[one.offset : one.end]


@pytest.mark.req("JNL-003", "JNL-017")
def test_a_sound_journal_has_no_fault(journal: bytes) -> None:
    found = places(journal)
    assert [one.sequence for one in found] == list(range(len(found)))
    assert found[0].tag == Tag.HEADER
    assert found[-1].tag == Tag.CLOSE


@pytest.mark.req("JNL-008")
def test_zeros_after_the_end_are_the_preallocation(journal: bytes) -> None:
    assert places(journal + bytes(5)) == places(journal)
    assert places(journal + bytes(100_000)) == places(journal)


@pytest.mark.req("JNL-004")
def test_every_flipped_bit_is_damage_and_names_its_record(
    journal: bytes, rng: random.Random
) -> None:
    found = places(journal)
    for _ in range(600):
        one = rng.choice(found)
        place, bit = rng.randrange(one.offset, one.end), 1 << rng.randrange(8)
        data = bytearray(journal)
        data[place] ^= bit
        finding = fault_of(bytes(data))
        assert (finding.fault, finding.record) == (Fault.DAMAGED, one.sequence), (place, bit)


@pytest.mark.req("JNL-004", "JNL-007")
def test_every_flipped_bit_of_the_prefix(journal: bytes) -> None:
    for place in range(frames.PREFIX_BYTES):
        for bit in range(8):
            data = bytearray(journal)
            data[place] ^= 1 << bit
            expected = Fault.FOREIGN if place < 8 else Fault.DAMAGED
            assert fault_of(bytes(data)).fault == expected


@pytest.mark.req("JNL-006")
@pytest.mark.parametrize("tail", [0, 1, 4096], ids=["cut", "one zero", "preallocated"])
def test_every_torn_last_record_is_torn(journal: bytes, tail: int) -> None:
    last = places(journal)[-1]
    for written in range(1, last.end - last.offset):
        data = journal[: last.offset + written] + bytes(tail)
        if used_bytes(data, last.offset) == last.offset:
            continue
        finding = fault_of(data)
        assert (finding.fault, finding.record) == (Fault.TORN, last.sequence), written


@pytest.mark.req("JNL-003", "JNL-005")
def test_a_dropped_record_is_missing(journal: bytes) -> None:
    found = places(journal)
    for one in found[:-1]:
        finding = fault_of(journal[: one.offset] + journal[one.end :])
        assert (finding.fault, finding.record) == (Fault.MISSING, one.sequence)
        assert "missing" in finding.text


@pytest.mark.req("JNL-003")
def test_several_dropped_records_are_counted(journal: bytes) -> None:
    found = places(journal)
    finding = fault_of(journal[: found[5].offset] + journal[found[9].offset :])
    assert finding.text.startswith("records 5 to 8 are missing")


@pytest.mark.req("JNL-017")
def test_a_dropped_last_record_leaves_no_fault_of_bytes(journal: bytes) -> None:
    # It is found one level up: the journal is not closed.
    last = places(journal)[-1]
    assert places(journal[: last.offset])[-1].tag != Tag.CLOSE


@pytest.mark.req("JNL-003", "JNL-005")
def test_a_repeated_record_is_repeated(journal: bytes) -> None:
    for one in places(journal):
        finding = fault_of(journal[: one.end] + cut(journal, one) + journal[one.end :])
        assert (finding.fault, finding.record) == (Fault.REPEATED, one.sequence + 1)


@pytest.mark.req("JNL-003", "JNL-005")
def test_swapped_records_are_swapped(journal: bytes) -> None:
    found = places(journal)
    for a, b in ((1, 2), (3, 9), (0, 1), (len(found) - 2, len(found) - 1)):
        first, second = found[a], found[b]
        data = (
            journal[: first.offset]
            + cut(journal, second)
            + journal[first.end : second.offset]
            + cut(journal, first)
            + journal[second.end :]
        )
        finding = fault_of(data)
        assert (finding.fault, finding.record) == (Fault.SWAPPED, a)


@pytest.mark.req("JNL-005")
def test_a_replaced_record_breaks_the_chain(journal: bytes) -> None:
    one = places(journal)[4]
    other, _ = frame(4, Tag.NOTE, b'{"kind":"x"}', bytes(16))
    finding = fault_of(journal[: one.offset] + other + journal[one.end :])
    assert (finding.fault, finding.record) == (Fault.CHAIN_BROKEN, 4)


def newer(version: int) -> bytes:
    """A prefix of another version, its checksum right."""
    return prefix(version)


@pytest.mark.req("JNL-007")
@pytest.mark.parametrize(
    ("make", "fault", "words"),
    [
        (lambda j: b"", Fault.EMPTY, "empty"),
        (lambda j: bytes(4096), Fault.EMPTY, "zeros"),
        (lambda j: b"PAR1" + bytes(range(200)), Fault.FOREIGN, "not a journal"),
        (lambda j: b"DOLPHINX" + j[8:], Fault.FOREIGN, "not a journal"),
        (lambda j: b"\n", Fault.FOREIGN, "not a journal"),
        (lambda j: newer(2) + j[16:], Fault.NEWER, "schema version 2"),
        (lambda j: newer(0) + j[16:], Fault.NEWER, "schema version 0"),
        (lambda j: j[:11], Fault.TORN, "first 16 bytes"),
    ],
)
def test_what_is_no_journal(
    journal: bytes, make: Callable[[bytes], bytes], fault: Fault, words: str
) -> None:
    finding = fault_of(make(journal))
    assert finding.fault == fault
    assert words in finding.text


@pytest.mark.req("JNL-011")
def test_a_body_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        frame(0, Tag.NOTE, bytes(frames.BODY_BYTES_MAX + 1), bytes(16))
    whole, _ = frame(0, Tag.NOTE, bytes(frames.BODY_BYTES_MAX), bytes(16))
    assert len(whole) == frames.FRAME_BYTES_MAX


@pytest.mark.req("JNL-005")
def test_the_chain_is_over_all_that_came_before() -> None:
    start = first_chain(prefix())
    one, value = frame(0, Tag.NOTE, b"a", start)
    assert value == chain(start, one[: -frames.TAIL_BYTES])
    assert int.from_bytes(one[-5:-1], "little") == crc32c(one[:-5])
    assert frame(0, Tag.NOTE, b"a", value)[1] != value


@pytest.mark.req("JNL-008")
def test_zeros_are_looked_through_from_the_end() -> None:
    assert used_bytes(bytes(200_000), 0) == 0
    assert used_bytes(b"\1" + bytes(200_000), 0) == 1
    assert used_bytes(b"\1" + bytes(200_000), 1) == 1


def test_samples_are_written_where_asked(tmp_path: Path) -> None:
    assert sample(tmp_path / "x", seed=1, count=1).stat().st_size > 0


# --- torn or damaged, swapped or missing: each condition that tells them apart -------------------


RECORDS = [header_record(), *(note_record(kind=f"note {n}") for n in range(4))]
JOURNAL = journal_of(*RECORDS)
FRAMES = list(scan(JOURNAL))
LAST = FRAMES[-1]
LEAST = HEAD_BYTES + TAIL_BYTES


def first_fault(data: bytes) -> tuple[Fault, int, str]:
    """The first fault: which, at which record, and its sentence."""
    with pytest.raises(JournalCorrupt) as caught:
        list(scan(data))
    return caught.value.finding.fault, caught.value.finding.record, caught.value.finding.text


def lengths(length: int, complement: int | None = None) -> bytes:
    """The first four bytes of a frame."""
    return struct.pack("<HH", length, length ^ 0xFFFF if complement is None else complement)


def damaged(record: int, offset: int) -> tuple[Fault, int, str]:
    """A damaged record, as ``first_fault`` gives it."""
    text = f"record {record} is damaged at byte {offset}: its checksum does not fit"
    return Fault.DAMAGED, record, text


def torn(record: int, written: int) -> tuple[Fault, int, str]:
    """A torn record, as ``first_fault`` gives it."""
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
    assert first_fault(JOURNAL + tail) == expected


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
    assert first_fault(bytes(length)) == (Fault.EMPTY, -1, text)
    foreign = "not a journal: expected a file that begins with DOLPHINJ"
    assert first_fault(bytes(length) + b"\1") == (Fault.FOREIGN, -1, foreign)


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
    assert first_fault(joined(without(1))) == gone
    assert first_fault(joined([*without(1), FRAMES[1]])) == (Fault.SWAPPED, 1, swapped)
    missing = "records 1 to 2 are missing: record 3 follows"
    assert first_fault(joined(without(1, 2))) == (Fault.MISSING, 1, missing)


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
    found = first_fault(joined(without(1), tail + behind))
    assert found == (Fault.MISSING, 1, "record 1 is missing: record 2 follows")


# --- a finding names its place: fault, record, byte and sentence, all of it ----------------------


LEAST_WRITTEN = 34
FOREIGN = "not a journal: expected a file that begins with DOLPHINJ"
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


def five_records() -> tuple[bytes, list[Frame]]:
    """A sound journal of a header and four notes, and its frames."""
    data = journal_of(header_record(), *(note_record(kind=f"note {n}") for n in range(4)))
    return data, list(scan(data))


def picked(*numbers: int) -> bytes:
    """The journal's prefix and these of its frames, in this order."""
    data, frames = five_records()
    parts = [data[frames[number].offset : frames[number].end] for number in numbers]
    return data[:PREFIX_BYTES] + b"".join(parts)


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
@pytest.mark.parametrize("length", [LEAST_WRITTEN, LEAST_WRITTEN + 1, 200])
def test_incomplete_names_the_byte_at_which_a_torn_record_begins(length: int) -> None:
    data, _ = five_records()
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
    start, length = prefix(), LEAST_WRITTEN + 1
    content = struct.pack("<HHBQ", length, length ^ 0xFFFE, Tag.NOTE, 0) + b"x"
    sealed = content + chain(first_chain(start), content)
    data = start + sealed + struct.pack("<IB", crc32c(sealed), MARK)
    text = "record 0 is damaged at byte 16: its checksum does not fit"
    assert found_in(data) == Finding(Fault.DAMAGED, 0, 16, text)


# --- the search for a record that was swapped ----------------------------------------------------


@pytest.mark.req("JNL-003")
def test_numbers_from_walks_over_the_least_frame_and_reads_a_head_at_the_very_end() -> None:
    data, frames = five_records()
    empty, _ = frame(3, Tag.NOTE, b"", bytes(16))
    assert len(empty) == LEAST_WRITTEN == HEAD_BYTES + TAIL_BYTES
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
    [lengths(60, 60) + bytes(56), lengths(LEAST_WRITTEN - 1) + bytes(LEAST_WRITTEN - 5)],
    ids=["a wrong complement", "too short a length"],
)
def test_numbers_from_ends_at_a_length_that_does_not_hold(between: bytes) -> None:
    """Record 1 stands behind, just where the length that does not hold would lead."""
    data, frames = five_records()
    behind = data[frames[1].offset : frames[1].end]
    found = found_in(picked(0, 2) + between + behind)
    assert found == Finding(
        Fault.MISSING, 1, frames[1].offset, "record 1 is missing: record 2 follows"
    )
