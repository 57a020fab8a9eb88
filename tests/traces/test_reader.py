"""A journal's file by its name: lines or bytes, and where it is said that neither can be read.

Not here: the lines themselves (``test_ndjson``).
"""

from pathlib import Path

import pytest

from tests.traces.making import close_record, header_record, journal_of
from traces.audit.ndjson import lines_of
from traces.frames import Fault, Finding, JournalCorrupt
from traces.reader import NDJSON_SUFFIX, opened


@pytest.mark.req("JNL-033")
def test_a_file_is_read_as_lines_where_its_name_says_so(tmp_path: Path) -> None:
    data = journal_of(header_record(), close_record(0, 0))
    lines = "".join(f"{line}\n" for line in lines_of(data)).encode()
    assert NDJSON_SUFFIX == ".ndjson"
    (tmp_path / "a.ndjson").write_bytes(lines)
    with opened(tmp_path / "a.ndjson") as found:
        assert found == data
    for name, content in (("a.journal", data), ("b", data), ("b.NDJSON", lines)):
        (tmp_path / name).write_bytes(content)
        with opened(tmp_path / name) as found:
            assert found[:] == content


@pytest.mark.req("JNL-040")
@pytest.mark.parametrize("name", ["absent", "absent.ndjson"])
def test_what_cannot_be_read_is_a_fault_before_the_first_record(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalCorrupt) as caught, opened(tmp_path / name):
        raise AssertionError("it was opened")
    reason = "cannot be read: No such file or directory"
    assert caught.value.finding == Finding(Fault.UNREADABLE, -1, 0, reason)


# --- a file that cannot be read, and one that is empty -------------------------------------------


@pytest.mark.req("JNL-040")
@pytest.mark.parametrize("suffix", [".bin", ".ndjson"])
def test_a_file_that_cannot_be_read_is_a_fault_of_its_own(tmp_path: Path, suffix: str) -> None:
    absent, folder = tmp_path / f"absent{suffix}", tmp_path / f"folder{suffix}"
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
