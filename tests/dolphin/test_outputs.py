"""An output is written whole to a new path or not at all, and a refusal is one line.

Not here: which commands use it (each command's own tests).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dolphin.commands.outputs import OutputRefused, expect_new, new_text_file, write_new


def test_a_new_file_holds_the_text_in_utf8_with_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    expect_new(path)
    write_new(path, "λ\r\n\n")
    assert path.read_bytes() == "λ\r\n\n".encode()
    with pytest.raises(OutputRefused, match="is there already and is not replaced"):
        write_new(path, "other")
    assert path.read_bytes() == "λ\r\n\n".encode()


def _file(path: Path) -> None:
    path.write_text("precious")


def _loose_link(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def _below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("precious")


REJECTED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file": (_file, "is there already"),
    "a folder": (Path.mkdir, "is there already"),
    "a link that leads nowhere": (_loose_link, "is there already"),
    "a link to a file": (lambda path: path.symlink_to(__file__), "is there already"),
    "no folder": (lambda path: path.parent.rmdir(), "does not exist"),
    "below a file": (_below_a_file, "out"),
}


@pytest.mark.parametrize("name", REJECTED)
@pytest.mark.parametrize("write", [expect_new, lambda path: write_new(path, "x")])
def test_what_cannot_be_a_new_file_is_refused_and_left_as_it_was(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    make, words = REJECTED[name]
    path = tmp_path / "out" / "a"
    path.parent.mkdir()
    make(path)
    before = _all_of(tmp_path)
    with pytest.raises(OutputRefused) as refusal:
        write(path)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)
    assert _all_of(tmp_path) == before


def _all_of(folder: Path) -> dict[str, str]:
    return {
        str(path): os.readlink(path) if path.is_symlink() else
        path.read_text() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }  # fmt: skip


@pytest.mark.parametrize("error", [RuntimeError("halfway"), KeyboardInterrupt()])
def test_a_file_that_was_not_finished_is_taken_away(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a"
    with pytest.raises(type(error)), new_text_file(path) as sink:  # noqa: PT012  (the first line counts)
        sink.write("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        # /dev/full answers every write with ENOSPC.
        with new_text_file(tmp_path / "a") as sink:
            os.dup2(os.open("/dev/full", os.O_WRONLY), sink.fileno())
            sink.write("x" * 100_000)

    with pytest.raises(OutputRefused, match="No space left on device"):
        fill()
    assert list(tmp_path.iterdir()) == []
