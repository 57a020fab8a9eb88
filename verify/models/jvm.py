"""One JVM for many small runs of TLC, abandoned when anything unexpected happens.

Theory. Most of a small run is the start: a JVM, its own classes, TLC's. ``ManyModels.java`` keeps
the JVM and gives each run TLC's classes anew (shared ones gave wrong counts), which nearly halves
the processor time of a run of a second. What a run says is read from the same output, by the same
reader, as from a JVM of its own; nothing else is believed.

Rules of this file:

*   The source is compiled at first use, into a folder named by the hash of source and Java. Where
    that cannot be done ``open_many`` returns None, and every run has a JVM of its own.
*   A run that breaks, or passes its limit, ends the JVM: the caller runs it again by itself.
*   A JVM is replaced after ``RUNS`` runs, so that what TLC leaves behind stays bounded.

Not here: which runs are small (``checking.py``), what they say (``tlc.py``).
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from traces.audit.tlatools import jar_path, java_path, jvm

SOURCE = Path(__file__).with_name("ManyModels.java")
RUNS = 30
MEMORY_MB = 1000


@lru_cache(maxsize=4)
def compiled(cache: Path) -> Path | None:
    """Return the folder of the compiled class, made at first use; None where Java cannot."""
    java = java_path()
    javac = Path(java).with_name("javac")
    program = str(javac) if javac.is_file() else shutil.which("javac")
    if program is None:
        return None
    version = subprocess.run([java, "-version"], capture_output=True, check=False).stderr
    name = hashlib.sha256(SOURCE.read_bytes() + version).hexdigest()[:16]
    folder = cache / f"java-{name}"
    if (folder / "ManyModels.class").is_file():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="javac-") as draft:
        done = subprocess.run(
            [program, "-d", draft, str(SOURCE)], capture_output=True, check=False, timeout=300
        )
        if done.returncode:
            return None
        with suppress(OSError):  # another process was first
            os.rename(draft, folder)
            os.mkdir(draft)
    return folder if (folder / "ManyModels.class").is_file() else None


class Many:
    """A JVM that runs one model after another. Not for several threads at once."""

    def __init__(self, classes: Path) -> None:
        """Take the folder of the compiled class; the JVM starts with the first run."""
        self._classes = classes
        self._process: subprocess.Popen[str] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._runs = 0

    def run(
        self,
        arguments: Sequence[str],
        output: Path,
        time_limit_s: float,
        started: Callable[[subprocess.Popen[str]], None] | None = None,
    ) -> bool:
        """Run TLC with these arguments, its output into a file; return whether it ended by itself.

        False says nothing of the model: it has to be run again in a JVM of its own.
        """
        if self._process is None or self._runs >= RUNS:
            self.close()
            self._start()
            assert self._process is not None
            if started is not None:
                started(self._process)
        process = self._process
        self._runs += 1
        timer = threading.Timer(time_limit_s, process.kill)
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\t".join((str(output), *arguments)) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
        except OSError:
            answer = ""
        finally:
            timer.cancel()
        if answer != "ended":
            self.close()
        return answer == "ended"

    def _start(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="dolphin-many-")
        scratch = Path(self._scratch.name)
        options = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", f"-Dtlc.jar={jar_path()}")
        command = jvm(scratch, stack="16m", memory_mb=MEMORY_MB, options=options)
        self._process = subprocess.Popen(
            [*command, "-cp", str(self._classes), "ManyModels"], cwd=scratch, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._runs = 0

    def close(self) -> None:
        """End the JVM."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def open_many(cache: Path) -> Many | None:
    """Return a JVM for small runs, None where this machine's Java cannot compile its class."""
    try:
        classes = compiled(cache)
    except (OSError, subprocess.SubprocessError):
        return None
    return Many(classes) if classes is not None else None
