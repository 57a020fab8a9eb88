"""Keys, files, versions: what the machine below may refuse, and what is then said."""

import shutil
from pathlib import Path

import pytest

from kernel import events as kernel_events
from kernel.constants import Posture
from traces import provenance, schema
from traces.checksums import KEY_VARIABLE, KeyUnusable, find_key, load_key
from traces.frames import Fault, JournalCorrupt
from traces.provenance import ABSENT, hash_files
from traces.reader import opened


def key_file(folder: Path, text: str) -> Path:
    """A key's file."""
    path = folder / "key"
    path.write_text(text, encoding="latin-1")
    return path


def unusable(path: Path) -> str:
    """What is said of a key that cannot be used."""
    with pytest.raises(KeyUnusable) as caught:
        load_key(path)
    return str(caught.value)


@pytest.mark.req("JNL-039")
@pytest.mark.parametrize("length", [32, 33, 64])
def test_a_key_of_32_to_64_bytes_is_read(tmp_path: Path, length: int) -> None:
    key = bytes(range(length))
    assert load_key(key_file(tmp_path, f"{key.hex()}\n")) == key


@pytest.mark.req("JNL-039")
@pytest.mark.parametrize("length", [0, 31, 65])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    path = key_file(tmp_path, "ab" * length)
    expected = f"{path}: a key of {length} bytes; expected 32 to 64 as hexadecimal"
    assert unusable(path) == expected


@pytest.mark.req("JNL-039")
def test_a_key_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    expected = "expected 64 to 128 hexadecimal digits"
    absent = tmp_path / "absent"
    assert unusable(absent) == f"{absent}: No such file or directory; {expected}"
    for text in ("xy" * 32, "\xe9" * 64):
        path = key_file(tmp_path, text)
        assert unusable(path) == f"{path}: not hexadecimal text; {expected}"


@pytest.mark.req("JNL-022", "JNL-039")
def test_a_key_is_named_by_path_or_by_the_environment_or_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = key_file(tmp_path, "ab" * 32)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert (find_key(path), find_key()) == (b"\xab" * 32, None)
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    assert find_key() == b"\xab" * 32
    monkeypatch.setenv(KEY_VARIABLE, "")
    assert find_key() is None


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


# --- which version wrote it ----------------------------------------------------------------------


@pytest.mark.req("JNL-015")
def test_a_hash_is_over_names_and_contents_in_the_order_of_names(tmp_path: Path) -> None:
    one, two = tmp_path / "a", tmp_path / "b"
    one.write_text("x"), two.write_text("y")
    first = hash_files([one, two])
    assert first == hash_files([two, one])
    assert first != hash_files([one])
    two.write_text("z")
    assert first != hash_files([one, two])
    assert hash_files([]) == ABSENT


@pytest.mark.req("JNL-015")
def test_kernel_and_constants_hash_as_their_files(project_root: Path) -> None:
    folder = project_root / "kernel"
    assert provenance.kernel_hash.__wrapped__() == hash_files(folder.rglob("*.py"))
    numbers = [folder / "constants.py", folder / "curves.py"]
    assert provenance.constants_hash.__wrapped__() == hash_files(numbers)


@pytest.mark.req("JNL-044")
def test_control_models_that_are_not_there_hash_to_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = provenance.spec_hash()
    for name in provenance.MODELS:
        shutil.copy(provenance.SPEC_FOLDER / f"{name}.tla", tmp_path)
    monkeypatch.setattr(provenance, "SPEC_FOLDER", tmp_path)
    assert provenance.spec_hash.__wrapped__() == whole
    (tmp_path / "Money.tla").unlink()
    assert provenance.spec_hash.__wrapped__() not in (whole, ABSENT)
    monkeypatch.setattr(provenance, "SPEC_FOLDER", tmp_path / "nowhere")
    assert provenance.spec_hash.__wrapped__() == ABSENT


@pytest.mark.req("JNL-044")
def test_control_the_version_says_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _, commit = provenance.writer_version().partition("+")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.writer_version.__wrapped__() == name, "no repository"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.writer_version.__wrapped__() == name, "no git"
    monkeypatch.undo()
    distribution = "a distribution that nobody has installed"
    looked_up = provenance.version
    monkeypatch.setattr(provenance, "version", lambda _: looked_up(distribution))
    expected = f"0+{commit}" if commit else "0"
    assert provenance.writer_version.__wrapped__() == expected


# --- the schema follows the kernel's classes -----------------------------------------------------


@pytest.mark.req("JNL-013")
def test_a_type_without_a_width_has_no_place_in_the_schema() -> None:
    assert [schema._kind_name(each) for each in (int, bool, Posture)] == ["int", "bool", "Posture"]
    for wrong in (str, float, list[int], None):
        with pytest.raises(TypeError) as caught:
            schema._kind_name(wrong)
        assert str(caught.value) == f"{wrong!r}: the journal has no width for this type"


@pytest.mark.req("JNL-013")
def test_control_what_is_no_event_class_has_no_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema._event_classes()
    assert before == [kind.event for kind in schema.KINDS]
    monkeypatch.setattr(kernel_events, "Other", int, raising=False)
    monkeypatch.setattr(kernel_events, "other", 3, raising=False)
    assert schema._event_classes() == before
