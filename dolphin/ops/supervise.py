"""The process tree under supervisord, the only process manager (bible 26.1).

Rules of this file:

*   supervisord's file is written for each session into the session's own place, its socket lies
    beside the others, and it dies with the runner.
*   The file is read as a language: ``%`` expands, ``;`` and ``#`` after a blank begin a comment,
    and a command is split as a shell splits it. So a path that a user chose stands in commands
    alone, with each character escaped that is not plain (``escaped``); all other paths are in the
    session's place, whose name is plain. What cannot be written at all (a line break, bytes that
    are not UTF-8) is refused before anything starts.
*   Each process is exec'd, never forked from another's memory; each dies with supervisord.
*   What dies is started again, but the driver: a market cannot be taken up in its middle. What
    refuses to start (exit 2), or dies five times at its start, is left alone.
*   Where supervisord does not come up there is no session (``Unsupervised``).

Not here: what the processes do.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from dolphin.link.config import UNUSABLE, Config

ROOT = Path(__file__).resolve().parent.parent.parent
UP_WITHIN_S = 30.0
LOGS = "logs"


@dataclass(frozen=True)
class Program:
    """A process of the session: module, assurance level, start order, and whether it comes back."""

    name: str
    module: str
    level: str
    priority: int
    restart: bool = True


PROGRAMS: tuple[Program, ...] = (
    Program("kernel", "dolphin.shell", "A", 10),
    Program("venue", "dolphin.venue", "C", 20),
    Program("guard", "dolphin.guard", "A", 30),
    Program("sensors", "dolphin.sensors", "C", 40),
    Program("alpha", "dolphin.alpha", "C", 50),
    Program("esof", "dolphin.esof", "D", 60),
    Program("prober", "dolphin.drills", "E", 70),
    Program("driver", "dolphin.feed", "C", 80, restart=False),
)
# What a demonstration runs in the place of a program of the same name.
WITH_DRILLS = {
    one.name: one
    for one in (
        Program("venue", "dolphin.drills.faulty_venue", "E", 20),
        Program("guard", "dolphin.drills.faulty_guard", "E", 30),
        Program("driver", "dolphin.drills.driver", "E", 80, restart=False),
    )
}


def programs(config: Config) -> tuple[Program, ...]:
    """Return the session's processes; without drills nobody probes."""
    if not config.demonstration:
        return tuple(one for one in PROGRAMS if one.name != "prober")
    return tuple(WITH_DRILLS.get(one.name, one) for one in PROGRAMS)


def environment() -> dict[str, str]:
    """Return what every process sees: one thread for numbers, and our own root."""
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",  # supervisord reads its file in the locale's encoding otherwise
    }


class Unsupervised(Exception):
    """supervisord did not come up; one line says why."""


def unwritable(text: str) -> str:
    """Return why ``text`` cannot stand in supervisord's file, or the empty text."""
    if any(mark in text for mark in "\r\n"):
        return "holds a line break"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def escaped(word: str) -> str:
    """Return a word of a command as supervisord's file must have it to read ``word`` again."""
    return re.sub(r"([^A-Za-z0-9_@+=:,./%-])", r"\\\1", word).replace("%", "%%")


def settings(config: Config, python: str = sys.executable) -> str:
    """Return supervisord's file for this session. Raises ``Unsupervised``."""
    for path in (python, config.folder):
        if fault := unwritable(path):
            raise Unsupervised(
                f"{path!a}: this path {fault}, which supervisord's file cannot express"
            )
    place = Path(config.sockets)
    logs = place / LOGS
    parts = [
        f"""[supervisord]
nodaemon=true
logfile={logs}/supervisord.log
logfile_maxbytes=0
loglevel=info
pidfile={place}/supervisord.pid
childlogdir={logs}
identifier=dolphin
strip_ansi=true

[unix_http_server]
file={place}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{place}/supervisor.sock
"""
    ]
    parts += [
        f"""[program:{one.name}]
command={escaped(python)} -m {one.module} {escaped(config.folder)}
priority={one.priority}
autostart=true
autorestart={"unexpected" if one.restart else "false"}
exitcodes=0,2
startsecs=1
startretries=5
stopsignal=TERM
stopwaitsecs=10
redirect_stderr=true
stdout_logfile={logs}/{one.name}.log
stdout_logfile_maxbytes=0
"""
        for one in programs(config)
    ]
    return "\n".join(parts)


def down_for_good(name: str, state: str, code: int) -> bool:
    """Return whether supervisord will not start a process again that it shows in ``state``.

    What died by a signal, or wants to be tried again, is shown as EXITED too, for the moment until
    its next start.
    """
    if state == "FATAL":
        return True
    (comes_back,) = (one.restart for one in PROGRAMS if one.name == name)
    return state == "EXITED" and (code == UNUSABLE or not comes_back)


def last_line(path: Path) -> str:
    """Return the last line of a log, the empty text where there is none."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@dataclass
class Supervised:
    """The session's processes, under supervisord, which is given ``up_within_s`` to come up."""

    config: Config
    up_within_s: float = UP_WITHIN_S
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Start supervisord; raises ``Unsupervised`` where it does not come up."""
        place = Path(self.config.sockets)
        path = place / "supervisord.conf"
        path.write_text(settings(self.config))
        # The logs' own path may hold anything: supervisord is told of this link instead.
        (place / LOGS).symlink_to(self.config.run / "logs")
        out_path = self.config.run / "logs" / "supervisord.out"
        supervisord = [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]
        with out_path.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dolphin.ops.die_with_parent", *supervisord],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(),
                cwd=ROOT,
                start_new_session=True,
            )
        end = time.monotonic() + self.up_within_s
        while True:
            try:
                self._call("getState")
                return
            except OSError:
                ended = self._process.poll() is not None
                if ended or time.monotonic() > end:
                    self._process.kill()
                    self._process.wait()
                    why = last_line(out_path) or f"nothing heard for {self.up_within_s:.0f} s"
                    raise Unsupervised(f"supervisord did not come up: {why}") from None
                time.sleep(0.05)

    def _call(self, name: str, *arguments: object) -> Any:
        # A proxy of its own for each call: a connection kept open breaks when supervisord is busy.
        transport = SupervisorTransport(None, None, f"unix://{self.config.sockets}/supervisor.sock")
        proxy = ServerProxy("http://127.0.0.1", transport=transport)
        return getattr(proxy.supervisor, name)(*arguments)

    def pid(self, name: str) -> int:
        """Return a process's number, 0 where it does not run."""
        return int(self._call("getProcessInfo", name)["pid"])

    def kill(self, name: str) -> int:
        """SIGKILL a process; supervisord starts it again."""
        pid = self.pid(name)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def table(self) -> list[dict[str, Any]]:
        """Return name, pid, state and exit of each process."""
        try:
            found = self._call("getAllProcessInfo")
        except (OSError, Fault):
            return []
        return [
            {
                "name": one["name"],
                "pid": one["pid"],
                "state": one["statename"],
                "exit": one["exitstatus"],
            }
            for one in found
        ]

    def stop(self) -> None:
        """Stop the processes in order, the kernel last, then supervisord."""
        try:
            for one in sorted(programs(self.config), key=lambda one: -one.priority):
                try:
                    self._call("stopProcess", one.name)
                except Fault:
                    continue  # it was not running
            self._call("shutdown")
        except OSError:
            self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def survivors(pids: Iterable[int]) -> list[int]:
    """Return those of ``pids`` that still run."""
    return [pid for pid in pids if pid and _running(pid)]
