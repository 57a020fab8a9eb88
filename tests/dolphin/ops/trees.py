"""The processes of a session that a test has started: who they are, and a market that crawls.

Rules of this file: a crawling market is the real one. One process of level D is stopped, and the
driver waits a moment for it at each bar, as it does for any process that does not answer. So drills
and ends of markets come late, and the processors are free for what the test tries meanwhile.

Not here: the sessions.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dolphin.link.config import Config

CRAWLS = "dolphin.esof"


def pids_of(config: Config) -> list[int]:
    """Return the processes of a session, supervisord first."""
    supervisor = int((Path(config.sockets) / "supervisord.pid").read_text())
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text()
    return [supervisor, *map(int, children.split())]


def pid_of(config: Config, module: str) -> int:
    """Return the process of a session that runs ``module``."""
    (found,) = [
        pid
        for pid in pids_of(config)
        if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    ]
    return found


@contextmanager
def crawling(config: Config) -> Iterator[None]:
    """Have each bar wait a moment for a process that is stopped; nothing else changes."""
    pid = pid_of(config, CRAWLS)
    os.kill(pid, signal.SIGSTOP)
    yield
    with suppress(ProcessLookupError):  # the session may be gone
        os.kill(pid, signal.SIGCONT)
