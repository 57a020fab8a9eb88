"""The registry of running sessions: how each is entered, found, and known to be running.

Rules of this file:

*   Each session has a folder of its own below one folder per user (``home``), whatever the folder
    it was started from: its sockets, a copy of its configuration, supervisord's file.
*   A session runs while its runner holds the lock on that folder (``flock``). The machine itself
    lets go of the lock when the runner dies, however it dies, so no entry can be stale and pass for
    a running session: no process number is trusted, which another process may have by now, and no
    clock. The age shown is taken from the clock that counts since the machine was booted.
*   What nobody holds is left over from a runner that was killed. It is cleared by whoever starts
    the next session or lists them. Entries are made and cleared under the lock on ``home``; finding
    a session waits for no lock, so a kill is never kept waiting.
*   ``home`` belongs to this user alone, or is refused: whoever could put a socket there would be
    taken for the kernel.

Not here: what is asked of a session (``operator``).
"""

import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dolphin.link.config import BadConfig, Config, load

HOME_VARIABLE = "DOLPHIN_SESSIONS"
ENTRY = "entry.json"
# A Unix socket's path holds 108 bytes: this leaves room for a folder and the longest name in it,
# which is that of supervisord's socket while it is made.
HOME_BYTES_MAX = 64
# supervisord's file names these paths: what it reads as its own marks cannot stand in them.
PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")


class NoRegistry(Exception):
    """Sessions cannot be entered; one line says which folder, and what was expected."""


@dataclass(frozen=True)
class Running:
    """A session that runs. ``pid`` is its runner's, ``age_s`` counts from its start."""

    config: Config
    pid: int
    age_s: float

    @property
    def name(self) -> str:
        """The session's name: its folder's."""
        return self.config.id

    @property
    def folder(self) -> str:
        """The session's folder."""
        return self.config.folder


def home() -> Path:
    """Return the folder of this user's sessions; the same from everywhere, unless told otherwise.

    Not below ``XDG_RUNTIME_DIR``: it is set in a login and not in a service or under sudo, and a
    session must be found from either.
    """
    return Path(os.environ.get(HOME_VARIABLE) or f"/tmp/dolphin-{os.getuid()}")


def _fault(folder: Path) -> str:
    """Return why ``folder`` cannot hold sessions, or the empty text."""
    if len(os.fsencode(folder)) > HOME_BYTES_MAX or not PLAIN.fullmatch(str(folder)):
        return f"expected a path of at most {HOME_BYTES_MAX} plain characters"
    try:
        found = folder.lstat()
    except OSError as error:
        return error.strerror or "cannot be read"
    if not stat.S_ISDIR(found.st_mode):
        return "expected a folder"
    if found.st_uid != os.getuid():
        return "belongs to another user; expected a folder of this user's"
    if found.st_mode & 0o022:
        return "others may write there; expected mode 0700"
    return ""


def _locked(folder: Path, *, wait: bool) -> int | None:
    """Return a descriptor that holds the lock on ``folder``; None where another holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _held(folder: Path) -> bool:
    """Return whether a runner holds ``folder``: whether its session runs."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look at once do not take each other for a runner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _clear() -> None:
    """Take away what killed runners left behind. The caller holds the lock on ``home``."""
    for entry in home().iterdir():
        if not entry.is_symlink() and entry.is_dir() and not _held(entry):
            shutil.rmtree(entry, ignore_errors=True)


class Place:
    """A session's own folder, held for as long as the session runs."""

    def __init__(self) -> None:
        """Make the folder and hold it; raises ``NoRegistry``."""
        top = home()
        try:
            while True:
                top.mkdir(mode=0o700, exist_ok=True)
                if fault := _fault(top):
                    raise NoRegistry(f"{top}: {fault}")
                held = _locked(top, wait=True)
                assert held is not None
                try:
                    # One that ended meanwhile may have taken the empty folder away.
                    if not top.exists() or top.stat().st_ino != os.fstat(held).st_ino:
                        continue
                    _clear()
                    self.path = Path(tempfile.mkdtemp(dir=top, prefix=""))
                    self._lock = _locked(self.path, wait=True)
                    return
                finally:
                    os.close(held)
        except OSError as error:
            raise NoRegistry(f"{top}: {error.strerror or error}") from None

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Let nobody else be named or entered meanwhile; raises ``OSError``.

        Two sessions that begin in one second would find the same name free.
        """
        held = _locked(home(), wait=True)
        assert held is not None
        try:
            yield
        finally:
            os.close(held)

    def enter(self, config: Config) -> None:
        """Let the session be found; raises ``OSError``."""
        (self.path / "config.json").write_bytes((config.run / "config.json").read_bytes())
        entry = {"pid": os.getpid(), "boottime_ms": _boottime_ms()}
        made = self.path / f"{ENTRY}.new"
        made.write_text(json.dumps(entry) + "\n")
        made.rename(self.path / ENTRY)

    def leave(self) -> None:
        """Take the folder away, and ``home`` with it where it was the last."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        try:
            home().rmdir()
        except OSError:
            pass  # others run, or it is gone


def _boottime_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _entry(folder: Path) -> Running | None:
    """Return the running session that is entered in ``folder``, None where there is none."""
    if not _held(folder):
        return None
    try:
        entry = json.loads((folder / ENTRY).read_text())
        config = load(folder)
        age_ms = _boottime_ms() - int(entry["boottime_ms"])
        return Running(config, int(entry["pid"]), max(0, age_ms) / 1000)
    except (OSError, ValueError, KeyError, TypeError, BadConfig):
        return None  # it is being made or taken away


def running() -> list[Running]:
    """Return this user's running sessions, the oldest first; raises ``NoRegistry``."""
    top = home()
    if not top.exists():
        return []
    if fault := _fault(top):
        raise NoRegistry(f"{top}: {fault}")
    try:
        entries = sorted(top.iterdir())
        found = [one for one in map(_entry, entries) if one is not None]
        if len(found) < len(entries) and (held := _locked(top, wait=False)) is not None:
            try:
                _clear()
            finally:
                os.close(held)
    except FileNotFoundError:
        return []  # the last one ended while we looked
    return sorted(found, key=lambda one: (-one.age_s, one.name))


def free_name(wanted: str) -> str:
    """Return ``wanted``, or with a number behind it, so that no running session has the name."""
    taken = {one.name for one in running()}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
