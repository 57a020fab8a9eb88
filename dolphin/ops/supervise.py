"""The process tree: supervisord, and what stands in where it cannot run.

Rules of this file:

*   supervisord is the only process manager (bible 26.1). Its file is written for each session, its
    socket lies beside the others, and it dies with the runner.
*   Each process is exec'd, never forked from another's memory; each dies with supervisord.
*   What dies is started again, but the driver: a market cannot be taken up in its middle. What
    refuses to start (exit 2), or dies five times at its start, is left alone.
*   Where supervisord does not come up, ``DirectTree`` starts and restarts the processes itself, and
    the session's account says so.

Not here: what the processes do.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from dolphin.link.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent
UP_WITHIN_S = 30.0


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
    Program("venue", "dolphin.execution.venue_process", "A", 20),
    Program("guard", "dolphin.execution.guard_process", "A", 30),
    Program("sensors", "dolphin.ops.sensors_process", "C", 40),
    Program("alpha", "dolphin.ops.alpha_process", "C", 50),
    Program("esof", "dolphin.ops.esof_process", "D", 60),
    Program("prober", "dolphin.prober", "E", 70),
    Program("driver", "dolphin.ops.driver", "C", 80, restart=False),
)


def programs(config: Config) -> tuple[Program, ...]:
    """Return the session's processes; without drills nobody probes."""
    return tuple(one for one in PROGRAMS if config.drills or one.name != "prober")


def environment() -> dict[str, str]:
    """Return what every process sees: one thread for numbers, and our own root."""
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def settings(config: Config) -> str:
    """Return supervisord's file for this session."""
    run, sockets = config.run, Path(config.sockets)
    parts = [
        f"""[supervisord]
nodaemon=true
logfile={run}/logs/supervisord.log
logfile_maxbytes=0
loglevel=info
pidfile={run}/supervisord.pid
childlogdir={run}/logs
identifier={config.id}
strip_ansi=true

[unix_http_server]
file={sockets}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{sockets}/supervisor.sock
"""
    ]
    parts += [
        f"""[program:{one.name}]
command={sys.executable} -m {one.module} {run}
directory={ROOT}
priority={one.priority}
autostart=true
autorestart={"unexpected" if one.restart else "false"}
exitcodes=0,2
startsecs=1
startretries=5
stopsignal=TERM
stopwaitsecs=10
redirect_stderr=true
stdout_logfile={run}/logs/{one.name}.log
stdout_logfile_maxbytes=0
"""
        for one in programs(config)
    ]
    return "\n".join(parts)


class Tree(Protocol):
    """The session's processes."""

    how: str

    def kill(self, name: str) -> int:
        """SIGKILL a process; return the pid that was killed, 0 where none ran."""

    def table(self) -> list[dict[str, Any]]:
        """Return name, pid, state and exit of each process."""

    def stop(self) -> None:
        """Stop every process, the kernel last."""


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@dataclass
class Supervised:
    """Processes under supervisord."""

    config: Config
    how: str = "supervisord"
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Start supervisord; raises ``OSError`` where it does not come up."""
        path = self.config.run / "supervisord.conf"
        path.write_text(settings(self.config))
        supervisord = [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]
        with (self.config.run / "logs" / "supervisord.out").open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dolphin.ops.tether", *supervisord],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(),
                cwd=ROOT,
                start_new_session=True,
            )
        end = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                self._call("getState")
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    self._process.kill()
                    self._process.wait()
                    raise
                time.sleep(0.05)

    def _call(self, name: str, *arguments: object) -> Any:
        # A proxy of its own for each call: a connection kept open breaks when supervisord is busy.
        transport = SupervisorTransport(None, None, f"unix://{self.config.sockets}/supervisor.sock")
        proxy = ServerProxy("http://127.0.0.1", transport=transport)
        return getattr(proxy.supervisor, name)(*arguments)

    def kill(self, name: str) -> int:
        """SIGKILL a process; supervisord starts it again."""
        pid = int(self._call("getProcessInfo", name)["pid"])
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


@dataclass
class Direct:
    """Processes under the runner itself: only where supervisord cannot run."""

    config: Config
    how: str = "the runner (supervisord did not come up)"
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start every process."""
        for one in programs(self.config):
            self._start(one)

    def _start(self, one: Program) -> None:
        with (self.config.run / "logs" / f"{one.name}.log").open("ab") as out:
            self._running[one.name] = subprocess.Popen(
                [sys.executable, "-m", one.module, str(self.config.run)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(),
                cwd=ROOT,
            )

    def kill(self, name: str) -> int:
        """SIGKILL a process; it is started again when the table is next looked at."""
        process = self._running[name]
        if process.poll() is None:
            process.kill()
            process.wait()
        return process.pid

    def table(self) -> list[dict[str, Any]]:
        """Return the processes, those that died started again."""
        rows = []
        for one in programs(self.config):
            code = self._running[one.name].poll()
            if code is not None and one.restart:
                self._start(one)
                code = None
            rows.append(
                {
                    "name": one.name,
                    "pid": self._running[one.name].pid,
                    "state": "RUNNING" if code is None else "EXITED",
                    "exit": code or 0,
                }
            )
        return rows

    def stop(self) -> None:
        """Stop the processes in order, the kernel last."""
        for one in sorted(programs(self.config), key=lambda one: -one.priority):
            process = self._running[one.name]
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start(config: Config) -> Tree:
    """Start the session's processes, under supervisord where that is possible."""
    try:
        return Supervised(config)
    except OSError:
        return Direct(config)


def survivors(pids: Iterable[int]) -> list[int]:
    """Return those of ``pids`` that still run."""
    return [pid for pid in pids if pid and _running(pid)]
