"""Our side of the prover: a warm process, a limit on each job, answers as values.

Rules of this file:

*   A job that is not answered in time ends the process; the next job starts another. Such a job is
    not proved, and says so.
*   Each single query of the prover has a limit too (``QUERY_MS``): by default it has none, and one
    hard product would hang for ever. What is not decided within it is not proved.
*   The prover comes from ``.venv-proof`` (``make env-proof``) and from nowhere else.

Not here: the other side (``worker.py``), which jobs (``run.py``).
"""

import json
import os
import selectors
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
QUERY_MS = 30_000
JOB_SECONDS = 900.0
COMMAND = "make env-proof"


@dataclass(frozen=True)
class Answer:
    """What the prover said of a job. ``errors`` are its own lines."""

    proved: bool
    translated: bool
    seconds: float
    errors: tuple[str, ...]


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

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            folder = str(self.python.parent)
            self.process = subprocess.Popen(
                [str(self.python), "-W", "ignore", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.base,
                start_new_session=True,
                env=dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"),
            )
        return self.process

    def prove(self, file: Path, select: tuple[str, ...] = (), query_ms: int = QUERY_MS) -> Answer:
        """Verify a proof file, or the functions named in it."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        job = {
            "file": str(file),
            "base": str(self.base),
            "select": sorted(select),
            "arguments": [f"--assertTimeout={query_ms}"],
        }
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            self.stop()
            return Answer(False, False, 0.0, ("the prover's process ended: is Java 17 there?",))
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            ready = waiting.select(self.job_seconds)
        line = process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            why = (
                "the prover's process ended: is Java 17 there?"
                if ready
                else f"not decided within {self.job_seconds:.0f} s"
            )
            return Answer(False, False, self.job_seconds, (why,))
        said: dict[str, Any] = json.loads(line)
        return Answer(said["proved"], said["translated"], said["seconds"], tuple(said["errors"]))
