"""The registry of running sessions: entered, found, distinguished from remains of killed ones."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dolphin.link.config import Config
from dolphin.ops.registry import HOME_VARIABLE, NoRegistry, Place, free_name, home, running
from dolphin.ops.supervise import ROOT
from tests.dolphin.ops.test_collect import config

# A process that enters a session, says so, and waits for its end.
RUNNER = """
import sys
from dolphin.link.config import load
from dolphin.ops.registry import Place
place = Place()
place.enter(load(sys.argv[1]))
print(place.path, flush=True)
sys.stdin.read()
"""


def session(folder: Path, name: str) -> Config:
    """A session's folder with its configuration."""
    run = folder / name
    run.mkdir(parents=True)
    made = replace(config(), id=name, folder=str(run))
    made.save()
    return made


@pytest.fixture
def entered(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the session ``older``."""
    made = session(tmp_path, "older")
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, made.folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_a_session_is_found_while_its_runner_lives(
    entered: subprocess.Popen[str], tmp_path: Path
) -> None:
    (found,) = running()
    assert (found.name, found.folder) == ("older", str(tmp_path / "older"))
    assert found.pid == entered.pid
    assert found.age_s >= 0


def test_control_a_runner_that_was_killed_leaves_no_session_and_is_cleared_away(
    entered: subprocess.Popen[str],
) -> None:
    (place,) = home().iterdir()
    entered.kill()
    entered.wait()
    assert running() == []
    assert not place.exists()


def test_an_entry_is_not_believed_for_the_number_of_a_process_that_lives(
    entered: subprocess.Popen[str],
) -> None:
    (place,) = home().iterdir()
    text = (place / "entry.json").read_text().replace(str(entered.pid), str(os.getpid()))
    entered.kill()
    entered.wait()
    (place / "entry.json").write_text(text)
    assert running() == []


def test_the_folder_of_a_session_that_runs_may_go(
    entered: subprocess.Popen[str], tmp_path: Path
) -> None:
    (tmp_path / "older" / "config.json").unlink()
    assert [one.name for one in running()] == ["older"]


def test_two_sessions_stand_in_the_order_of_their_start(
    entered: subprocess.Popen[str], tmp_path: Path
) -> None:
    place = Place()
    place.enter(session(tmp_path, "a-newer"))
    assert [one.name for one in running()] == ["older", "a-newer"]
    place.leave()
    assert [one.name for one in running()] == ["older"]


def test_a_name_is_given_to_one_running_session_alone(
    entered: subprocess.Popen[str],
) -> None:
    assert free_name("older") == "older-2"
    assert free_name("other") == "other"


def test_a_place_that_is_left_leaves_nothing() -> None:
    place = Place()
    assert place.path.stat().st_mode & 0o777 == 0o700
    assert home().stat().st_mode & 0o777 == 0o700
    place.leave()
    assert not home().exists()


def test_a_place_that_is_being_made_is_no_session_yet_and_is_not_cleared() -> None:
    place = Place()
    assert running() == []
    assert place.path.exists()
    place.leave()


def test_the_home_is_the_same_from_every_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(HOME_VARIABLE)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert home() == Path(f"/tmp/dolphin-{os.getuid()}")


def test_a_home_that_others_could_write_to_is_refused() -> None:
    home().mkdir()
    home().chmod(0o777)
    with pytest.raises(NoRegistry, match="mode 0700"):
        Place()
    with pytest.raises(NoRegistry, match="mode 0700"):
        running()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_home_of_another_user_is_refused() -> None:
    home().mkdir(mode=0o700)
    os.chown(home(), 12_345, -1)
    with pytest.raises(NoRegistry, match="another user"):
        Place()


def test_a_home_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    home().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoRegistry, match="expected a folder"):
        Place()


@pytest.mark.parametrize("name", ["a b", "a;b", "a%b", "ä", "x" * 80])
def test_a_home_that_no_socket_and_no_supervisor_can_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, f"{home().parent}/{name}")
    with pytest.raises(NoRegistry, match="plain characters"):
        Place()


def test_finding_a_session_waits_for_no_lock(
    entered: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Who holds the home's lock, and hangs, keeps no kill from its session."""
    text = "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDONLY)"
    text += "; fcntl.flock(fd, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", text, str(home())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        begun = time.monotonic()
        assert [one.name for one in running()] == ["older"]
        assert time.monotonic() - begun < 60
    finally:
        holder.kill()
        holder.wait()
