"""Client of the prover: a persistent process, a time limit per job, results as values.

Rules of this file:

*   A job of which nothing is heard in time ends the process; the next job starts another. What was
    not heard of is not proved, and the answer says so.
*   A member is verified where the back end said so, and never by the absence of an error.
*   Each single query of the prover has a limit too (``QUERY_MS``): by default it has none, and one
    hard product would hang for ever. What is not decided within it is not proved.
*   The prover comes from ``.venv-proof`` (``make env-proof``) and from nowhere else.

Not here: the other side (``worker.py``), which jobs (``run.py``).
"""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

WORKER = Path(__file__).with_name("worker.py")
QUERY_MS = 30_000
JOB_SECONDS = 600.0  # without a word
ENDED = "the prover's process ended: is Java 17 there?"
COMMAND = "make env-proof"


@dataclass(frozen=True)
class Member:
    """What the back end said of one function: where it stands, and whether it verified."""

    file: str
    line: int
    verified: bool
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What the prover said of a job. ``errors`` are its own lines."""

    proved: bool
    translated: bool
    seconds: float
    errors: tuple[str, ...]
    members: tuple[Member, ...] = ()


class ProverMissing(RuntimeError):
    """``.venv-proof`` or Java is not there: one line with the command that gets it."""


def python_of(root: Path) -> Path:
    """Return the prover's Python; raises ``ProverMissing``."""
    python = root / ".venv-proof" / "bin" / "python"
    if not (python.exists() and (python.parent / "nagini").exists()):
        raise ProverMissing(f"no prover in .venv-proof: {COMMAND}")
    return python


class Prover:
    """A warm prover over the proof files below ``base``."""

    def __init__(self, python: Path, base: Path, job_seconds: float = JOB_SECONDS) -> None:
        self.python = python
        self.base = base
        self.job_seconds = job_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.scratch: tempfile.TemporaryDirectory[str] | None = None
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> "Prover":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            # The solver is a child that may be in the middle of a query: end the whole group.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self.scratch is not None:
            self.scratch.cleanup()
            self.scratch = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            folder = str(self.python.parent)
            # A folder of its own: the type checker's cache lies where the process runs.
            self.scratch = tempfile.TemporaryDirectory(prefix="dolphin-prover-")
            self.process = subprocess.Popen(
                [str(self.python), "-W", "ignore", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.scratch.name,
                start_new_session=True,
                env=dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"),
            )
            assert self.process.stdout is not None
            self.lines = queue.SimpleQueue()
            threading.Thread(
                target=_read, args=(self.process.stdout, self.lines), daemon=True
            ).start()
        return self.process

    def prove(
        self,
        file: Path,
        select: tuple[str, ...] = (),
        query_ms: int = QUERY_MS,
        told: Callable[[Member], None] = lambda _: None,
    ) -> Answer:
        """Verify a proof file, or the functions named in it and in what it imports.

        ``told`` is called with each member of a Python file that the back end is done with.
        """
        process = self._started()
        assert process.stdin is not None
        job = {
            "file": str(file),
            "base": str(self.base),
            "select": sorted(select),
            "arguments": [f"--assertTimeout={query_ms}", "--numberOfParallelVerifiers=1"],
        }
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            self.stop()
            return Answer(False, False, 0.0, (ENDED,))
        members: list[Member] = []
        while True:
            try:
                line = self.lines.get(timeout=self.job_seconds)
            except queue.Empty:
                self.stop()
                why = f"not decided within {self.job_seconds:.0f} s"
                return Answer(False, bool(members), self.job_seconds, (why,), tuple(members))
            if not line:
                self.stop()
                return Answer(False, False, 0.0, (ENDED,), tuple(members))
            said: dict[str, Any] = json.loads(line)
            if "verified" in said:
                members.append(Member(**said))
                told(members[-1])
                continue
            return Answer(
                said["proved"],
                said["translated"],
                said["seconds"],
                tuple(said["errors"]),
                tuple(members),
            )


def _read(pipe: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    """Hand on the lines of a pipe, and an empty one at its end."""
    for line in pipe:
        lines.put(line)
    lines.put(b"")
