"""The instrument in the processes that a test starts: `@pytest.mark.children`.

Rules of this file:

*   A test that carries the marker runs with two variables set: one puts `bootstrap/` on the path of
    every Python process that inherits it, the other names a folder of this test. The child installs
    the hook before it imports anything of its own.
*   What a probe adds for the first time is written to a mapped file at once. A SIGKILL loses
    nothing, and a limit on the size of files (a drill of some programs) does not reach it, while
    there is room in the file's first block.
*   Its descriptors are its process's: each use looks first whether it is still the same file.
*   A mapped page for which the disk has no room is a SIGBUS for whoever touches it. So every block
    is allocated before it is mapped. Where that fails, the child records no more and leaves a file
    that says so; the run counts such children and names their number.
*   A child's evidence goes to the group of the test that started it. What it reaches after that
    test has ended counts for nothing: its folder is gone.
*   A child is never disturbed. Where the folder is gone, or a source is not the one that the run
    knows by path and hash, the child's module runs plain, and counts for nothing.
*   What a child runs while it imports a target goes to the test's group, not to "import".
*   Instrumented code is kept for the run's other children, outside the tree: they mostly load the
    same modules in the same order, and the probes' numbers depend on nothing else.

Not here: processes that are forked without a new interpreter, and children of
`python -m verify.mcdc run` without pytest. What they reach counts for nothing.
"""

import ast
import itertools
import json
import marshal
import mmap
import os
import shutil
import struct
import sys
import tempfile
from _thread import RLock
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from .runtime import BadInput, Data, Recorder, source_hash

FOLDER = "MCDC_CHILDREN"
PATH = "PYTHONPATH"
TARGETS = "targets.json"
BOOTSTRAP = Path(__file__).resolve().parent / "bootstrap"
FULL = ".full"
BLOCKS = (1 << 20, 1 << 16)  # bytes: the first for which there is room
RECORD = struct.Struct("<Q")  # a code plus one: zero is room that nobody has used


class Children:
    """The parent's side: a folder for each marked test, read when the test has ended."""

    def __init__(self, data: Data) -> None:
        """Collect into `data`, which names the targets; paths are taken as they are now."""
        self._data = data
        self._targets = {
            name: [str(Path(file).resolve()), data.hashes[name]]
            for name, file in data.files.items()
        }
        self._kept = tempfile.TemporaryDirectory(prefix="mcdc-kept-")
        self._folder: Path | None = None
        self._before: dict[str, str | None] = {}

    def begin(self) -> None:
        """Have the processes that are started from now on record."""
        document = {"kept": self._kept.name, "targets": self._targets}
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="mcdc-"))
            (self._folder / TARGETS).write_text(json.dumps(document), encoding="utf-8")
        except OSError:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._data.unrecorded += 1
            return
        self._before = {name: os.environ.get(name) for name in (FOLDER, PATH)}
        os.environ[FOLDER] = str(self._folder)
        os.environ[PATH] = os.pathsep.join(filter(None, [str(BOOTSTRAP), self._before[PATH]]))

    def end(self, group: str) -> None:
        """Count for `group` what they have reached, and let them go."""
        if self._folder is None:
            return
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for name, codes in found(self._folder):
            self._data.hits.setdefault(name, {}).setdefault(group, set()).update(codes)
        self._data.unrecorded += len(list(self._folder.glob(f"*{FULL}")))
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


def found(folder: Path) -> Iterator[tuple[str, set[int]]]:
    """Yield module and codes, counted from the module's start, of each child of a folder."""
    for index in sorted(folder.glob("*.index")):
        try:
            hits = index.with_suffix(".hits").read_bytes()
        except FileNotFoundError:
            continue  # the process got no further
        codes = sorted(code - 1 for (code,) in RECORD.iter_unpack(hits) if code)
        for line in index.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) != 4:
                continue  # torn: the process was killed, or could not write, in the midst of it
            name, first, end, _whole = words
            inside = codes[bisect_left(codes, int(first)) : bisect_left(codes, int(end))]
            yield name, {code - int(first) for code in inside}


class Kept:
    """A descriptor that is kept open in somebody else's process.

    The process may close it (daemons close all they find), and its number may then be another
    file's, which must never be written to.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is = self._identity()

    def _identity(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_dev, found.st_ino

    def number(self) -> int:
        """Return it. Raises `OSError` where it is not what it was."""
        if self._identity() != self._is:
            raise OSError("the process has closed it")
        return self._descriptor


class ChildRecorder(Recorder):
    """The hook in a child. Its memory is a mapped file."""

    def __init__(self, folder: Path) -> None:
        """Open this process's files in `folder`. Raises `OSError` where the test has ended."""
        super().__init__(())
        document = json.loads((folder / TARGETS).read_text(encoding="utf-8"))
        self._kept = Path(document["kept"])
        # The instrument itself is loaded by now: a run that measures it has its parent only.
        for name, (file, digest) in document["targets"].items():
            if name not in sys.modules:
                self.data.files[name], self.data.hashes[name] = file, digest
        self._full = folder / f"{os.getpid()}{FULL}"
        self._said_full = False
        self._lock = RLock()
        self._blocks: list[tuple[int, mmap.mmap]] = []
        try:
            index, path = tempfile.mkstemp(".index", f"{os.getpid()}-", folder)
            self._index = Kept(index)
            file = Path(path).with_suffix(".hits")
            self._file = Kept(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL))
            self._grow(*BLOCKS)
        except OSError:
            self._say_full()
            raise
        self._own = True
        os.register_at_fork(after_in_child=self._forked)

    @property
    def _end(self) -> int:
        return sum(len(block) for _, block in self._blocks)

    def _grow(self, *sizes: int) -> None:
        """Allocate and map one more block, of the first size that there is room for.

        Raises `OSError`.
        """
        with self._lock:
            start, descriptor = self._end, self._file.number()
            for size in sizes:
                try:
                    os.posix_fallocate(descriptor, start, size)
                except OSError as error:
                    failure = error
                else:
                    self._blocks.append((start, mmap.mmap(descriptor, size, offset=start)))
                    return
        raise failure

    def _put(self, place: int, number: int) -> None:
        """Write one record. Raises `OSError`, `struct.error`."""
        while place >= self._end:
            self._grow(BLOCKS[-1])
        start, block = next(each for each in reversed(self._blocks) if each[0] <= place)
        RECORD.pack_into(block, place - start, number)

    def _say_full(self) -> None:
        """Leave word that not all is recorded; an empty file needs the least room."""
        if self._said_full:
            return
        self._said_full = True
        try:
            os.close(os.open(self._full, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError:
            return

    def _forked(self) -> None:
        # The file is the parent's, and so is the count of what stands in it.
        self._own = False
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def adder(self) -> Callable[[int], None]:
        """Return the probe: a record in the mapped file for what was not seen before."""
        seen, places = self.codes, itertools.count(0, RECORD.size)

        def add(code: int) -> None:
            if code in seen or not self._own:
                return
            seen.add(code)
            try:
                self._put(next(places), code + 1)
            except (OSError, struct.error):
                self._say_full()  # no room: what is not recorded does not count

        return add

    def importing(self) -> AbstractContextManager[None]:
        """Leave what runs now where it is: in the test's group."""
        return nullcontext()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Take a module only where it is the parent's own file."""
        spec = super().find_spec(fullname, path, target)
        same = spec is not None and str(Path(str(spec.origin)).resolve()) == (
            self.data.files.get(fullname)
        )
        return spec if same else None

    def compile(self, name: str, source: bytes, path: str) -> CodeType:
        """Return a module's instrumented code; plain code where it cannot be recorded."""
        first = self.next
        digest = source_hash(source)
        code = self._instrumented(name, source, path, digest)
        try:
            if digest != self.data.hashes[name]:
                raise OSError("another source")
            line = f"\n{name} {first} {self.next} whole".encode()
            if os.write(self._index.number(), line) < len(line):
                raise OSError("no room for the line")
        except OSError:
            if digest == self.data.hashes[name]:
                self._say_full()
            return compile(ast.parse(source, path), path, "exec", dont_inherit=True)
        return code

    def _instrumented(self, name: str, source: bytes, path: str, digest: str) -> CodeType:
        """Return instrumented code: what another child has kept, or else made here and kept."""
        numbers = f"{self.next}-{len(self.lists)}-{sys.implementation.cache_tag}"
        file = self._kept / f"{name}-{digest}-{numbers}"
        try:
            end, cells, code = marshal.loads(file.read_bytes())
        except (OSError, EOFError, ValueError, TypeError):
            made = super().compile(name, source, path)
            own = file.with_name(f"{file.name}.{os.getpid()}")
            try:
                own.write_bytes(marshal.dumps((self.next, len(self.lists[-1]), made)))
                os.replace(own, file)
            except OSError:
                own.unlink(missing_ok=True)
            return made
        self.next = end
        self.lists.append([0] * cells)
        kept: CodeType = code
        return kept


def begin() -> None:
    """Install the hook where the environment asks for it."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    try:
        ChildRecorder(Path(folder)).__enter__()
    except (OSError, ValueError, KeyError, TypeError, BadInput):
        return  # no folder, no room, or half a file of targets
