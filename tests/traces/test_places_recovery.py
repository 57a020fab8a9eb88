"""Taking a journal up again: where each fault stands, and the writer that goes on.

Not here: what is refused and what is cut off (``test_writer_decisions``).
"""

import os
from pathlib import Path

import pytest

from tests.traces.making import NO_MAC, event_records, header_record, journal_of, write
from tests.traces.samples import KEY
from tests.traces.test_writer_decisions import BEAT, EVENTS, TWO
from traces.codec import pack_record, unpack_record
from traces.frames import Fault, Finding, JournalCorrupt, Tag, scan
from traces.journal import SYNC_SECONDS, JournalFailure
from traces.recovery import resume


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
