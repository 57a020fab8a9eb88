"""Every way a journal's bytes can be wrong is told apart, and by name."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.traces.samples import sample
from traces import frames
from traces.checksums import chain, crc32c
from traces.frames import (
    Fault,
    Frame,
    JournalCorrupt,
    Tag,
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
