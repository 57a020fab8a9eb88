"""Taking up a journal: what goes on, what is cut off, and what is refused."""

import os
from pathlib import Path

import pytest

from kernel.events import RecordHeartbeat, ReportForewarner
from kernel.outcome import Accepted
from kernel.step import step
from tests.traces.making import (
    NO_MAC,
    anchored,
    event_records,
    header_record,
    journal_of,
    note_record,
    record,
    tags,
    write,
)
from tests.traces.samples import KEY, header_of
from traces.codec import pack_record, unpack_record
from traces.frames import Fault, Finding, JournalCorrupt, Tag, scan
from traces.journal import SYNC_SECONDS, JournalFailure
from traces.recovery import Recovery, resume

HEADER = header_of()


TWO = header_of(key=KEY, every=2)


BEAT = RecordHeartbeat(partition=0)


EVENTS = event_records(HEADER, BEAT, ReportForewarner(status=1))


def not_taken_up(path: Path, key: bytes | None = None) -> tuple[Fault, int, str]:
    """The fault for which a journal is not taken up; the file must stay as it is."""
    before = path.read_bytes()
    with pytest.raises(JournalCorrupt) as caught:
        resume(path, key=key)
    assert path.read_bytes() == before
    return caught.value.finding.fault, caught.value.finding.record, caught.value.finding.text


@pytest.mark.req("JNL-029")
def test_an_unclosed_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = write(tmp_path / "a", header_record(), *EVENTS)
    journal, recovery = resume(path)
    state = HEADER.opening_state()
    for event in (BEAT, ReportForewarner(status=1)):
        outcome = step(state, event)
        assert isinstance(outcome, Accepted)
        state = outcome.state
    assert recovery == Recovery(state=state, events=2, cut="")
    assert journal.sequence == 3
    record(journal, state, BEAT)
    journal.close()
    again = event_records(HEADER, BEAT, ReportForewarner(status=1), BEAT)
    sound = write(tmp_path / "b", header_record(), *again)
    assert path.read_bytes().startswith(sound.read_bytes())


@pytest.mark.req("JNL-029")
def test_a_torn_record_is_cut_off_and_a_torn_beginning_is_not(tmp_path: Path) -> None:
    whole = journal_of(header_record(), *EVENTS)
    frames = list(scan(whole))
    path = tmp_path / "a"
    path.write_bytes(whole[: frames[2].offset + 6])
    journal, recovery = resume(path)
    assert recovery.events == 1
    assert recovery.cut == "record 2, the last, is torn: 6 bytes of it were written"
    journal.abandon()
    assert path.read_bytes()[: frames[2].offset] == whole[: frames[2].offset]
    path.write_bytes(whole[: frames[0].offset + 5])
    text = "record 0, the last, is torn: 5 bytes of it were written"
    assert not_taken_up(path) == (Fault.TORN, 0, text)
    path.write_bytes(whole[:9])
    assert not_taken_up(path) == (Fault.TORN, -1, "torn within its first 16 bytes")


@pytest.mark.req("JNL-030")
def test_a_journal_without_its_header_is_not_taken_up(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    with pytest.raises(ValueError) as caught:
        resume(path)
    assert str(caught.value) == f"{path}: it ended before its header; begin a new journal"


@pytest.mark.req("JNL-016", "JNL-030")
@pytest.mark.parametrize("name", ["process_time_ms", "market_time_ms"])
def test_a_header_beyond_64_bits_is_not_taken_up(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a", header_record(**{name: 2**63}))
    text = "record 0: header: values out of range"
    assert not_taken_up(path) == (Fault.FORM, 0, text)


@pytest.mark.req("JNL-030")
def test_a_journal_that_does_not_replay_is_not_taken_up(tmp_path: Path) -> None:
    sound = unpack_record(1, EVENTS[0][1])
    flat = [part for change in sound.changes for part in change]
    forged = pack_record(sound.event, 0, 1, sound.digest, flat)
    path = write(tmp_path / "a", header_record(), (int(Tag.EVENT), forged))
    text = (
        "does not replay: record 1, RecordHeartbeat: "
        "cancel_all_orders is True, the kernel says False"
    )
    assert not_taken_up(path) == (Fault.FORM, 1, text)


@pytest.mark.req("JNL-030")
def test_a_journal_with_another_key_is_not_taken_up(tmp_path: Path) -> None:
    named = write(tmp_path / "named", header_record(TWO))
    plain = write(tmp_path / "plain", header_record())
    for path, key in ((named, None), (named, bytes(32)), (plain, KEY)):
        with pytest.raises(ValueError) as caught:
            resume(path, key=key)
        assert str(caught.value) == f"{path}: the key is not the one its header names"


@pytest.mark.req("JNL-020", "JNL-030")
def test_a_journal_with_a_forged_anchor_is_not_taken_up(tmp_path: Path) -> None:
    records = [header_record(TWO), *event_records(TWO, BEAT, BEAT)]
    path = write(tmp_path / "forged", *records, (int(Tag.ANCHOR), NO_MAC))
    assert not_taken_up(path, KEY) == (Fault.FORM, 3, "record 3: the anchor is not the key's")
    silent = write(tmp_path / "silent", header_record(TWO, anchor_every=0))
    assert not_taken_up(silent, KEY) == (Fault.FORM, 0, "record 0: the anchor is not the key's")
    sound = write(tmp_path / "sound", *records, anchored(*records))
    journal, recovery = resume(sound, key=KEY)
    assert recovery.events == 2
    journal.abandon()


@pytest.mark.req("JNL-031")
def test_the_anchor_that_is_due_is_made_up_and_no_other(tmp_path: Path) -> None:
    records = [header_record(TWO), *event_records(TWO, BEAT, BEAT)]
    for count, expected in ((2, [1, 2, 5]), (3, [1, 2, 2, 4, 5])):
        path = write(tmp_path / str(count), *records[:count])
        journal, _ = resume(path, key=KEY)
        if count == 3:
            journal.close()
            assert tags(path) == expected
        else:
            assert journal.sequence == 2
            journal.abandon()
    plain = write(tmp_path / "plain", header_record(), note_record(kind="x"))
    journal, _ = resume(plain)
    journal.close()
    assert tags(plain) == [1, 3, 5]


# --- where each fault stands, and the writer that goes on ----------------------------------------


def finding_of(path: Path, key: bytes | None = None) -> Finding:
    """All that is said of a journal that is not taken up."""
    with pytest.raises(JournalCorrupt) as caught:
        resume(path, key=key)
    return caught.value.finding


@pytest.mark.req("JNL-030")
def test_a_record_that_does_not_replay_is_found_where_it_begins(tmp_path: Path) -> None:
    sound = unpack_record(2, EVENTS[1][1])
    flat = [part for change in sound.changes for part in change]
    forged = pack_record(sound.event, 0, 1, sound.digest, flat)
    path = write(tmp_path / "a", header_record(), EVENTS[0], (int(Tag.EVENT), forged))
    text = (
        "does not replay: record 2, ReportForewarner: "
        "cancel_all_orders is True, the kernel says False"
    )
    start = len(journal_of(header_record(), EVENTS[0]))
    assert finding_of(path) == Finding(Fault.FORM, 2, start, text)


@pytest.mark.req("JNL-020", "JNL-030")
def test_a_forged_anchor_is_a_fault_of_the_whole_journal(tmp_path: Path) -> None:
    records = [header_record(TWO), *event_records(TWO, BEAT, BEAT), (int(Tag.ANCHOR), NO_MAC)]
    path = write(tmp_path / "a", *records)
    text = "record 3: the anchor is not the key's"
    assert finding_of(path, KEY) == Finding(Fault.FORM, 3, 0, text)


@pytest.mark.req("JNL-024", "JNL-029")
def test_the_writer_that_goes_on_is_a_writer_of_the_same_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a", header_record(), *EVENTS)
    for asked, expected in (({}, SYNC_SECONDS), ({"sync_seconds": 600.0}, 600.0)):
        journal, _ = resume(path, **asked)  # type: ignore[arg-type]  # by name
        assert journal.path == path
        assert journal.failed is False
        assert journal._syncer._seconds == expected
        assert os.readlink(f"/proc/self/fd/{journal._syncer._descriptor}") == str(path)
        journal.abandon()


@pytest.mark.req("JNL-025", "JNL-029", "JNL-041")
def test_the_writer_that_goes_on_names_its_file_where_it_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "a", header_record(), *EVENTS)
    journal, _ = resume(path)
    journal._syncer.failure = OSError(5, "Input/output error")
    with pytest.raises(JournalFailure) as caught:
        journal.commit()
    assert str(caught.value) == f"{path}: sync: Input/output error"
    journal.close()
    assert [each.tag for each in scan(path.read_bytes())] == [1, 2, 2, 5]
