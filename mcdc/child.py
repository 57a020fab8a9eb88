"""The instrument in the processes that a test starts: `@pytest.mark.children`.

Rules of this file:

*   A test that carries the marker runs with two variables set: one puts `bootstrap/` on the path of
    every Python process that inherits it, the other names a folder of this test. The child installs
    the hook before it imports anything of its own.
*   What a probe adds is written to a mapped file at once. A SIGKILL loses nothing, and a limit on
    the size of files (a drill of some programs) does not reach it.
*   A child's evidence goes to the group of the test that started it. What it reaches after that
    test has ended counts for nothing: its folder is gone.
*   A child is never disturbed. Where the folder is gone, or a source is not the one that the run
    knows by path and hash, the child's module runs plain, and counts for nothing.
*   What a child runs while it imports a target goes to the test's group, not to "import".

Not here: processes that are forked without a new interpreter (they stop recording modules that they
load themselves), and children of `python -m mcdc run` without pytest. Those run plain.
"""

import ast
import json
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from mcdc.runtime import BadInput, Data, Recorder, source_hash

FOLDER = "MCDC_CHILDREN"
PATH = "PYTHONPATH"
TARGETS = "targets.json"
BOOTSTRAP = Path(__file__).resolve().parent / "bootstrap"
BLOCK = 1 << 18


class Children:
    """The parent's side: a folder for each marked test, read when the test has ended."""

    def __init__(self, data: Data) -> None:
        """Collect into `data`, which names the targets; paths are taken as they are now."""
        self._data = data
        self._targets = {
            name: [str(Path(file).resolve()), data.hashes[name]]
            for name, file in data.files.items()
        }
        self._folder: Path | None = None
        self._before: dict[str, str | None] = {}

    def begin(self) -> None:
        """Have the processes that are started from now on record."""
        self._folder = Path(tempfile.mkdtemp(prefix="mcdc-"))
        (self._folder / TARGETS).write_text(json.dumps(self._targets), encoding="utf-8")
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
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


def found(folder: Path) -> Iterator[tuple[str, set[int]]]:
    """Yield module and codes, counted from the module's start, of each child of a folder."""
    for index in sorted(folder.glob("*.index")):
        hits = index.with_suffix(".hits").read_bytes()
        for line in index.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) != 4:
                continue  # torn: the process was killed, or could not write, in the midst of it
            name, first, end, _whole = words
            part = hits[int(first) : int(end)]
            yield name, {place for place, byte in enumerate(part) if byte}


class ChildRecorder(Recorder):
    """The hook in a child. Its memory is a mapped file."""

    def __init__(self, folder: Path) -> None:
        """Open this process's files in `folder`. Raises `OSError` where the test has ended."""
        super().__init__(())
        targets = json.loads((folder / TARGETS).read_text(encoding="utf-8"))
        # The instrument itself is loaded by now: a run that measures it has its parent only.
        for name, (file, digest) in targets.items():
            if name not in sys.modules:
                self.data.files[name], self.data.hashes[name] = file, digest
        self._index, path = tempfile.mkstemp(".index", f"{os.getpid()}-", folder)
        self._size = BLOCK
        descriptor = os.open(Path(path).with_suffix(".hits"), os.O_RDWR | os.O_CREAT | os.O_EXCL)
        os.ftruncate(descriptor, self._size)
        self._hits = mmap.mmap(descriptor, self._size)
        os.close(descriptor)
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def adder(self) -> Callable[[int], None]:
        """Return the probe: a byte in the mapped file."""
        hits = self._hits

        def add(code: int) -> None:
            hits[code] = 1

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
        code = super().compile(name, source, path)
        try:
            if source_hash(source) != self.data.hashes[name]:
                raise OSError("another source")
            if self.next > self._size:
                size = (self.next // BLOCK + 1) * BLOCK
                self._hits.resize(size)
                self._size = size
            line = f"\n{name} {first} {self.next} whole".encode()
            if os.write(self._index, line) < len(line):
                raise OSError("no room for the line")
        except OSError:
            return compile(ast.parse(source, path), path, "exec", dont_inherit=True)
        return code


def begin() -> None:
    """Install the hook where the environment asks for it."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    try:
        ChildRecorder(Path(folder)).__enter__()
    except (OSError, BadInput):
        return
