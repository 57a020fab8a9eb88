"""Which lines of the level-A code a test runs, and which functions the processes it starts run.

Rules of this file:

*   ``sys.monitoring``, one event for each place: a place that was seen once is switched off, so a
    test under observation is hardly slower than without.
*   A process that a test starts cannot be asked afterwards: it may be killed, and it may forbid
    itself to let files grow. So it writes each function it enters at once, by functions, not by
    lines, into a mapped file of its own that has its full size from the beginning.
*   What is outside of the tree it was given does not exist.

``begin_in_process`` is called by the ``sitecustomize`` of a worker's tree (``code_run.py``).
Not here: coverage as evidence, with conditions and requirements (``mcdc/``).
"""

import inspect
import mmap
import os
import random
import sys
from pathlib import Path
from types import CodeType, FrameType

TOOL = 4  # an id that neither coverage (1) nor mcdc takes
FILE_VARIABLE = "DOLPHIN_MUTATION_REACH"
TREE_VARIABLE = "DOLPHIN_MUTATION_TREE"
ROOM_BYTES = 1 << 20  # some thousand functions; the file is sparse

Span = tuple[str, int, int]


RANDOM = random.Random.__init__.__code__


def is_function(code: CodeType) -> bool:
    """Return whether a code object is a function's, not a module's or a class's body."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def span_of(code: CodeType, prefix: str) -> Span:
    """Return path below the tree, first and last line of a code object."""
    lines = [line for _, _, line in code.co_lines() if line is not None]
    path = code.co_filename.removeprefix(prefix)
    return path, code.co_firstlineno, max(lines, default=code.co_firstlineno)


class Reach:
    """Records, between ``begin`` and ``end``, lines by path and the functions entered."""

    def __init__(self, tree: Path) -> None:
        self._prefix = f"{tree}/"
        self.lines: dict[str, set[int]] = {}
        self.functions: set[Span] = set()
        self.random = False
        self.importing: set[Span] = set()
        self.helpers: set[Span] = set()
        self._file = ""

    def begin_importing(self, file: str) -> None:
        """Observe anew, for a test file that is about to be imported: ``importing``, ``helpers``.

        What another file runs when it is imported along the way belongs to no test file, and goes
        to ``helpers``: it will not be run again for the next one.
        """
        self.importing = set()
        self._file = file
        sys.monitoring.restart_events()

    def begin(self) -> None:
        """Observe from now on."""
        monitoring = sys.monitoring
        monitoring.use_tool_id(TOOL, "verify.mutation")
        monitoring.register_callback(TOOL, monitoring.events.LINE, self._line)
        monitoring.register_callback(TOOL, monitoring.events.PY_START, self._start)
        monitoring.set_events(TOOL, monitoring.events.LINE | monitoring.events.PY_START)
        monitoring.restart_events()

    def end(self) -> None:
        """Observe no more."""
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.free_tool_id(TOOL)

    def _line(self, code: CodeType, line: int) -> object:
        if code.co_filename.startswith(self._prefix):
            path = code.co_filename.removeprefix(self._prefix)
            self.lines.setdefault(path, set()).add(line)
        return sys.monitoring.DISABLE

    def _start(self, code: CodeType, _offset: int) -> object:
        if code is RANDOM:
            # A generator made by the tree's own code; others (tempfile's) draw no inputs.
            self.random = self.random or self._is_ours(sys._getframe(2))
            return None
        if code.co_filename.startswith(self._prefix) and is_function(code):
            span = span_of(code, self._prefix)
            self.functions.add(span)
            if self._file:
                (self.importing if self._at_home(sys._getframe(1)) else self.helpers).add(span)
        return sys.monitoring.DISABLE

    def _at_home(self, frame: FrameType | None) -> bool:
        """Return whether the innermost module that is being imported is the test file, or none."""
        while frame is not None:
            if frame.f_code.co_name == "<module>":
                name = frame.f_code.co_filename
                if name.startswith(self._prefix):
                    return name == self._file
            frame = frame.f_back
        return True

    def _is_ours(self, frame: FrameType | None) -> bool:
        return frame is not None and frame.f_code.co_filename.startswith(self._prefix)


def begin_in_process() -> None:
    """Write every function that this process enters to a file beside the environment's."""
    prefix = os.environ[TREE_VARIABLE] + "/"
    room = _room()

    def anew() -> None:
        nonlocal room
        room = _room()

    def start(code: CodeType, _offset: int) -> object:
        if code.co_filename.startswith(prefix) and is_function(code):
            path, first, last = span_of(code, prefix)
            room.write(f"{path}\t{first}\t{last}\n".encode())
        return sys.monitoring.DISABLE

    os.register_at_fork(after_in_child=anew)
    sys.monitoring.use_tool_id(TOOL, "verify.mutation")
    sys.monitoring.register_callback(TOOL, sys.monitoring.events.PY_START, start)
    sys.monitoring.set_events(TOOL, sys.monitoring.events.PY_START)


def _room() -> mmap.mmap:
    """Return this process's own mapped file."""
    file = os.open(f"{os.environ[FILE_VARIABLE]}.{os.getpid()}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(file, ROOM_BYTES)
        return mmap.mmap(file, ROOM_BYTES)
    finally:
        os.close(file)


def files_of(file: Path) -> list[Path]:
    """Return the files that processes have made for the one that the environment names."""
    return sorted(file.parent.glob(f"{file.name}.*"))


def functions_in(file: Path) -> set[Span]:
    """Return what processes wrote; empty where none did."""
    texts = [each.read_bytes().rstrip(b"\0").decode() for each in files_of(file)]
    rows = (line.split("\t") for text in texts for line in text.splitlines())
    return {(row[0], int(row[1]), int(row[2])) for row in rows if len(row) == 3}
