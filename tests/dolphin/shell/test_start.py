"""The kernel's process where it cannot start, and its journal on a disk that is really full.

Rules of this file: nothing is pretended. A file is missing, a folder stands where a socket belongs,
a file system of a few megabytes is full. Where this user may not mount one, those tests are
skipped, and say so.

Not here: a machine that refuses to let files grow (``test_process``).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dolphin.link.config import ANCHOR_KEY, PERMIT_KEY, Config
from dolphin.ops.supervise import ROOT
from dolphin.shell.core import Shell
from dolphin.shell.history import of_journal
from dolphin.shell.journal import open_journal
from dolphin.shell.roles import ROLES
from tests.dolphin.said import said
from tests.dolphin.shell.conftest import KEY
from tests.dolphin.shell.test_process import config_in
from traces.frames import Tag, scan
from traces.journal import PREALLOCATE_BYTES
from traces.reader import opened

BY_NAME = {role.name: role for role in ROLES}


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    yield config_in(tmp_path, sockets)
    shutil.rmtree(sockets)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that holds the journal's first allocation and little more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = PREALLOCATE_BYTES + (256 << 10)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this user may not mount a file system: nothing was filled")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill a file system to its last byte; return the file that does."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return ballast


def start(config: Config) -> tuple[int, list[str]]:
    """Run the kernel's process to its end; return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "dolphin.shell", str(config.run)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.splitlines()


def no_configuration(config: Config) -> None:
    (config.run / "config.json").unlink()


def no_permit_key(config: Config) -> None:
    (config.run / "keys" / PERMIT_KEY).unlink()


def a_key_that_is_none(config: Config) -> None:
    (config.run / "keys" / ANCHOR_KEY).write_text("secret")


def limits_out_of_bounds(config: Config) -> None:
    replace(config, heartbeat_limit_ms=(60_000,) * 4).save()


def a_closed_journal(config: Config) -> None:
    journal, _state, _restarted = open_journal(config)
    journal.close()


def another_key(config: Config) -> None:
    journal, _state, _restarted = open_journal(config)
    shutil.copy(config.run / "journal.bin", config.run / "kept")
    journal.close()
    os.replace(config.run / "kept", config.run / "journal.bin")
    (config.run / "keys" / ANCHOR_KEY).write_text("00" * 32)


@pytest.mark.children
@pytest.mark.req("SHL-036", "SHL-030")
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (no_configuration, "config.json: no configuration can be read here"),
        (no_permit_key, "permit.key: no key can be read here"),
        (a_key_that_is_none, "anchor.key: a key in hexadecimal digits expected"),
        (limits_out_of_bounds, "config.json: limits: heartbeat_limit_ms[0] is 60000"),
        (a_closed_journal, "journal.bin: closed; a new session opens a new journal"),
        (another_key, "journal.bin: the key is not the one its header names"),
    ],
)
def test_what_a_new_start_would_find_again_is_one_line_and_exit_2(
    config: Config, spoil: Callable[[Config], None], says: str
) -> None:
    spoil(config)
    code, (line,) = start(config)
    assert code == 2
    assert line.startswith(f"kernel: {config.run}: ")
    assert says in line
    assert "secret" not in line


@pytest.mark.children
@pytest.mark.req("SHL-036", "LNK-008")
def test_where_it_cannot_listen_it_may_be_started_again(config: Config) -> None:
    config.socket("kernel.alpha").mkdir()
    code, (line,) = start(config)
    assert code == 1
    assert line.startswith(f"kernel: {config.run}: ")


@pytest.mark.children
@pytest.mark.req("SHL-036")
def test_a_journal_that_another_process_writes_is_left_to_it(config: Config) -> None:
    journal, _state, _restarted = open_journal(config)
    code, (line,) = start(config)
    assert (code, line.startswith(f"kernel: {config.run}: ")) == (1, True)
    journal.close()
    assert of_journal(config.run / "journal.bin").counts["events"] == 0


@pytest.mark.children
@pytest.mark.req("SHL-036")
def test_on_a_full_disk_the_kernel_does_not_start(small_disk: Path) -> None:
    config = config_in(small_disk, str(small_disk / "sockets"))
    (small_disk / "sockets").mkdir()
    journal, _state, _restarted = open_journal(config)
    journal.close()
    (config.run / "journal.bin").unlink()  # its book stays, as behind a session that ended
    fill(small_disk)
    code, (line,) = start(config)
    assert code == 1
    assert line == f"kernel: {config.run}: {config.run / 'journal.bin'}: No space left on device"


@pytest.mark.req("SHL-003", "SHL-004", "SHL-005")
def test_a_disk_that_fills_kills_and_what_waited_is_written_when_there_is_room(
    small_disk: Path,
) -> None:
    """ENOSPC in the midst of a session: killed, told, and without a gap once it can write again."""
    config = config_in(small_disk, str(small_disk / "sockets"))
    journal, state, _restarted = open_journal(config)
    shell = Shell(state, journal, KEY, 10**9, 1, lambda: 5)
    ballast = fill(small_disk)
    who, why = "ada" * 100, "smoke" * 80
    request = said("RequestRearm", who=who, why=why)
    sent = 0
    while shell.state.killswitch.journal_writable:
        # Answered, refused or not, each of them stands in the journal with its words.
        shell.take(BY_NAME["operator"], request)
        sent += 1
        assert sent < 20_000, "the disk never filled, so nothing was tested"
    assert shell.state.killswitch.latched_checksum
    assert shell.counts["journal_write_failures"] > 0
    shell.tick(1)
    assert not shell.state.killswitch.journal_writable, "still full"
    ballast.unlink()
    # The journal grows by whole allocations; the disk has to hold the next one.
    subprocess.run(
        ["mount", "-o", f"remount,size={4 * PREALLOCATE_BYTES}", str(small_disk)], check=True
    )
    shell.tick(2)
    assert shell.state.killswitch.journal_writable
    journal.close()
    history = of_journal(config.run / "journal.bin")
    assert history.counts["FailJournal"] == history.counts["RestoreJournal"] == 1
    told = history.counts["RequestRearm"] + sum(history.refusals.values())
    assert told == sent, "nothing is missing from the time it was full"
    with opened(config.run / "journal.bin") as data:
        assert list(scan(data))[-1].tag == Tag.CLOSE
