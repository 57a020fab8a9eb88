"""Where the answer cannot be written the command says so by its exit code, and has no traceback.

Code 1 would say that something does not hold, and a script would believe it.

Not here: files that a user names (``test_outputs.py``).
"""

import subprocess
import sys
from pathlib import Path

import pytest

from dolphin.ops.supervise import ROOT
from tests.traces.samples import sample

# What prints through click, through rich, as a document, and help, of the program and a command.
COMMANDS = {
    "help": ("--help",),
    "help of a command": ("kill", "--help"),
    "an audit": ("audit", "--no-tlc", "{journal}"),
    "an audit's document": ("audit", "--no-tlc", "--json", "{journal}"),
    "a list": ("verify", "--list"),
}


def started(words: tuple[str, ...], journal: Path, out: int, err: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dolphin.cli", *(one.format(journal=journal) for one in words)],
        cwd=ROOT, stdout=out, stderr=err, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_one_line_and_no_verdict(tmp_path: Path, name: str) -> None:
    journal = sample(tmp_path / "a.journal", seed=1, count=9)
    with Path("/dev/full").open("w") as full:
        process = started(COMMANDS[name], journal, full.fileno(), subprocess.PIPE)
        _, err = process.communicate(timeout=120)
    assert err == "dolphin: output cannot be written: No space left on device\n"
    assert process.returncode == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_has_gone_is_no_verdict(tmp_path: Path, name: str) -> None:
    journal = sample(tmp_path / "a.journal", seed=1, count=9)
    process = started(COMMANDS[name], journal, subprocess.PIPE, subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=120) == 2


def test_a_mistake_keeps_its_code_where_its_line_cannot_be_written(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# a page")
    for words in (("swim",), ("audit", "{journal}")):
        with Path("/dev/full").open("w") as full:
            process = started(words, page, subprocess.PIPE, full.fileno())
            out, _ = process.communicate(timeout=120)
        assert (process.returncode, out) == (2, "")
