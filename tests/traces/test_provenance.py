"""Which version wrote a journal: the hash by its definition, and what git is asked.

And what is said where models, distribution or repository are missing.
"""

import hashlib
import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from traces import provenance
from traces.provenance import ABSENT, hash_files, writer_version


@pytest.mark.req("JNL-044", "AUD-007")
def test_what_is_not_installed_hashes_to_absent() -> None:
    assert (ABSENT, hash_files([])) == ("absent", "absent")


@pytest.mark.req("JNL-015", "AUD-007")
def test_a_hash_is_of_128_bits_over_names_lengths_and_contents(tmp_path: Path) -> None:
    for folder, name, text in (("z", "a", "first"), ("a", "b", "")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    paths = [tmp_path / "a" / "b", tmp_path / "z" / "a"]
    expected = hashlib.blake2b(b"a\0005\0first" + b"b\0000\0", digest_size=16).hexdigest()
    assert hash_files(paths) == hash_files(reversed(paths)) == expected
    assert len(expected) == 32


@pytest.mark.req("JNL-044")
def test_control_a_distribution_that_is_not_there_was_looked_up_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def version(name: str) -> str:
        asked.append(name)
        raise PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", version)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert writer_version.__wrapped__() == "0"
    assert asked == ["dolphin-nautilus"]


@pytest.mark.req("JNL-044")
def test_control_a_git_that_does_not_answer_is_given_up_after_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float | None] = []

    def run(command: list[str], *, timeout: float | None = None, **_: Any) -> None:
        waited.append(timeout)
        raise subprocess.TimeoutExpired(command, timeout or 0.0)

    monkeypatch.setattr(subprocess, "run", run)
    assert "+" not in writer_version.__wrapped__()
    assert waited == [10]


@pytest.mark.req("JNL-015", "JNL-044")
def test_control_a_source_tree_that_is_a_repository_names_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in os.environ if each.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@example.org")

    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message", "the first")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    _, plus, commit = writer_version.__wrapped__().partition("+")
    assert (plus, commit) == ("+", git("rev-parse", "HEAD")[:12])


# --- what is missing -----------------------------------------------------------------------------


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
