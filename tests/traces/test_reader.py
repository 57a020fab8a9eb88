"""A journal's file: its bytes, and where it is said that they cannot be read.

Not here: journals as lines (``audit/test_ndjson``).
"""

from pathlib import Path

import pytest

from traces.frames import Fault, Finding, JournalCorrupt
from traces.reader import opened


@pytest.mark.req("JNL-040")
def test_what_cannot_be_read_is_a_fault_before_the_first_record(tmp_path: Path) -> None:
    with pytest.raises(JournalCorrupt) as caught, opened(tmp_path / "absent"):
        raise AssertionError("it was opened")
    reason = "cannot be read: No such file or directory"
    assert caught.value.finding == Finding(Fault.UNREADABLE, -1, 0, reason)


@pytest.mark.req("JNL-040")
def test_a_file_that_cannot_be_read_is_a_fault_of_its_own(tmp_path: Path) -> None:
    absent, folder = tmp_path / "absent", tmp_path / "folder"
    folder.mkdir()
    for path, reason in ((absent, "No such file or directory"), (folder, "Is a directory")):
        with pytest.raises(JournalCorrupt) as caught, opened(path):
            raise AssertionError("it was opened")
        finding = caught.value.finding
        assert (finding.fault, finding.record) == (Fault.UNREADABLE, -1)
        assert finding.text == f"cannot be read: {reason}"


@pytest.mark.req("JNL-007")
def test_an_empty_file_is_empty_bytes(tmp_path: Path) -> None:
    path = tmp_path / "empty.bin"
    path.touch()
    with opened(path) as data:
        assert data == b""
