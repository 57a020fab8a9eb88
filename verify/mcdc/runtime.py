"""Run time: the import hook, the probes, and the data of a run.

Rules of this file:

*   A probe adds an integer to one set. Between tests the set is poured into the group of the test
    that ran, so a probe never asks who is running. Threads share the set.
*   Instrumented code is never written to `__pycache__`, and no source file is changed.
*   What a target runs while it is imported is kept as "import": every test needs it, none asked
    for it. What runs outside of tests otherwise is "outside", and is no evidence.
*   Data is of one run. Where a run begins, a mark with its number takes the place of what the run
    before has left; where it ends, its data takes the place of the mark. A run that ends without a
    word (`os._exit`, a signal, `exec`) leaves the mark, which is no data. A process that was forked
    from the run writes nothing.
*   A module that cannot be instrumented (nested too deeply for the compiler) runs plain, and is one
    gap after the other.
*   The data names each source by hash, and so each file of the tests that was loaded from below
    the working folder. A report over one that has changed since is refused, as is data that another
    instrument made: codes are numbered by it.

Not here: child processes (`child`). Without it they run plain, and count for nothing.
"""

import ast
import builtins
import hashlib
import importlib.util
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from . import instrument
from .instrument import Instrument, Inventory

SCHEMA = 3
DEPTH = 100_000  # of Python calls while a tree is instrumented; plain code may be nested as deeply
# Types whose truth runs no foreign code.
PLAIN = {int, float, complex, str, bytes, tuple, list, dict, set, frozenset, type(None), range}


class BadInput(Exception):
    """The user's mistake, in one line."""


class NotRun(Exception):
    """There is no data to judge, in one line."""


@contextmanager
def deep() -> Iterator[None]:
    """Let the walk over a tree go as deep as the tree, and its text hold numbers of any length.

    Long sums and chains of `elif` are deep; a literal in hexadecimal has no limit of digits.
    """
    before, digits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
    sys.setrecursionlimit(max(before, DEPTH))
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        sys.set_int_max_str_digits(digits)


def source_hash(source: bytes) -> str:
    """Return the hash that binds a run's data to a source file."""
    return hashlib.blake2b(source, digest_size=16).hexdigest()


INSTRUMENT = source_hash(Path(instrument.__file__).read_bytes())


def loaded_below(folder: Path, targets: Iterable[str]) -> dict[str, str]:
    """Return the hash of each source loaded from below a folder that is neither target nor ours."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "")
        ours = f"{name}.".startswith(f"{__package__}.") or name in targets
        if ours or path.suffix != ".py" or "site-packages" in path.parts:
            continue
        if path.is_relative_to(folder) and path.is_file():
            found[str(path.relative_to(folder))] = source_hash(path.read_bytes())
    return found


def survey(source: bytes, first: int = 0, contracts: Iterable[str] = ()) -> Inventory:
    """Return what a module has to cover."""
    worker = Instrument(first, 0, frozenset(contracts))
    with deep():
        worker.module(ast.parse(source))
    return worker.inventory


def written(source: bytes) -> str:
    """Return a source's text as Python reads it: its encoding, its byte order mark, its ends."""
    return importlib.util.decode_source(source)


class Run:
    """One run's claim on the file that its data goes to."""

    def __init__(self, path: Path) -> None:
        """Take away what the run before has left. Raises `BadInput` where it cannot be."""
        self.path = path
        self.number = secrets.token_hex(8)
        self.process = os.getpid()
        mark = {"schema": SCHEMA, "instrument": INSTRUMENT, "run": self.number, "ended": False}
        try:
            self._put(mark)
        except OSError as error:
            raise BadInput(f"{path}: cannot be written ({error.strerror})") from error

    def _put(self, document: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{self.number}")
        try:
            draft.write_text(json.dumps(document, indent=1), encoding="utf-8")
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    @property
    def ours(self) -> bool:
        """Return whether this is the process that began the run, and not one forked from it."""
        return os.getpid() == self.process

    def end(self, data: "Data") -> None:
        """Write the run's data. Raises `BadInput` where it cannot be, or another run has begun."""
        try:
            there = json.loads(self.path.read_text(encoding="utf-8"))["run"]
        except (OSError, ValueError, KeyError, TypeError):
            there = self.number  # taken away or overwritten by hand: nobody else's run
        if there != self.number:
            raise BadInput(f"{self.path}: another run has begun there; this one's data is dropped")
        try:
            self._put({**data.document(), "run": self.number, "ended": True})
        except OSError as error:
            raise BadInput(f"{self.path}: cannot be written ({error.strerror})") from error


@dataclass
class Data:
    """What a run saw: for each module its file, its hash, and the codes of each group.

    `witnesses` are the hashes of the files that asked: tests, and what they are helped by.
    `unrecorded` counts the processes whose evidence is not whole, since there was no room for it.
    """

    files: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    hits: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    tests: dict[str, int] = field(default_factory=dict)
    witnesses: dict[str, str] = field(default_factory=dict)
    unrecorded: int = 0

    def document(self) -> dict[str, Any]:
        """Return the data as JSON's types."""
        return {
            "schema": SCHEMA,
            "instrument": INSTRUMENT,
            "tests": dict(sorted(self.tests.items())),
            "witnesses": dict(sorted(self.witnesses.items())),
            "unrecorded": self.unrecorded,
            "modules": {
                name: {
                    "file": self.files[name],
                    "hash": self.hashes[name],
                    "hits": {g: sorted(v) for g, v in sorted(self.hits.get(name, {}).items())},
                }
                for name in sorted(self.files)
            },
        }

    def merge(self, document: dict[str, Any]) -> None:
        """Add another run's data. Raises `BadInput` where the two saw different sources."""
        for name, module in document["modules"].items():
            self.files.setdefault(name, module["file"])
            if self.hashes.setdefault(name, module["hash"]) != module["hash"]:
                raise BadInput(f"{module['file']}: changed between the runs that are to be merged")
            groups = self.hits.setdefault(name, {})
            for group, codes in module["hits"].items():
                groups.setdefault(group, set()).update(codes)
        for group, count in document["tests"].items():
            self.tests[group] = self.tests.get(group, 0) + count
        self.unrecorded += document["unrecorded"]
        for file, found in document["witnesses"].items():
            if self.witnesses.setdefault(file, found) != found:
                raise BadInput(f"{file}: changed between the runs that are to be merged")

    @classmethod
    def read(cls, path: Path) -> "Data":
        """Read what a run wrote. Raises `BadInput`; `NotRun` where it has not come to its end."""
        data = cls()
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document.get("schema") != SCHEMA:
                raise BadInput(f"{path}: schema is not {SCHEMA}: make the data again")
            if document["instrument"] != INSTRUMENT:
                raise BadInput(f"{path}: another instrument made it: make the data again")
            if document["ended"] is not True:
                raise NotRun(
                    f"{path}: not run: the last run began and never ended (os._exit, a signal, "
                    "exec, or it is still running), so it has left no data"
                )
            data.merge(document)
        except OSError as error:
            raise BadInput(f"{path}: no data of a run here ({error.strerror})") from error
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise BadInput(f"{path}: not the data of a run: {error!r}") from error
        return data


def modules_of(target: str) -> dict[str, Path]:
    """Return every module of a package or module, imported or not. Raises `BadInput`."""
    path: Sequence[str] | None = None
    name, spec = "", None
    for part in target.split("."):
        name = f"{name}.{part}".lstrip(".")
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            raise BadInput(f"{target}: no module of this name on the path")
        path = list(spec.submodule_search_locations or [])
    assert spec is not None
    found = {} if not spec.has_location else {target: Path(str(spec.origin))}
    for folder in path or []:
        for file in sorted(Path(folder).rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join([target, *parts])] = file
    if not found or any(file.suffix != ".py" for file in found.values()):
        raise BadInput(f"{target}: has no Python source")
    return found


class Recorder(MetaPathFinder):
    """The hook and the run's memory. One at a time in a process."""

    def __init__(self, targets: Sequence[str]) -> None:
        self.targets = tuple(targets)
        self.codes: set[int] = set()
        self.groups: dict[str, set[int]] = {}
        self.places: list[tuple[str, int, int]] = []
        self.next = 0
        self.depth = 0
        self.lists: list[list[object]] = []
        self.data = Data()
        self.outer: dict[str, Any] = {}

    def __enter__(self) -> "Recorder":
        """Install the hook. Raises `BadInput` where a target is loaded already."""
        for target in self.targets:
            for name, file in modules_of(target).items():
                self.data.files[name] = shorten(file)
                self.data.hashes[name] = source_hash(file.read_bytes())
        loaded = sorted(self.data.files.keys() & sys.modules.keys())
        if loaded:
            raise BadInput(f"{loaded[0]}: imported before the instrument; load the plugin with -p")
        mine = self.probes()
        self.outer = {name: vars(builtins)[name] for name in mine if name in vars(builtins)}
        vars(builtins).update(mine)
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the hook away. What is loaded keeps its probes; an outer run gets its own back."""
        vars(builtins).update(self.outer)
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def adder(self) -> Callable[[int], None]:
        """Return the probe that records one code."""
        return self.codes.add

    def importing(self) -> AbstractContextManager[None]:
        """Return a context in which what runs is of group "import"."""
        return self._importing()

    @contextmanager
    def _importing(self) -> Iterator[None]:
        before = self.codes.copy()
        if self.depth == 0:
            self.codes.clear()
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            if self.depth == 0:
                self.pour("import")
                self.codes.update(before)

    def probes(self) -> dict[str, Any]:
        """Return the functions that instrumented code calls."""
        add = self.adder()

        def put[T](cells: list[Any], index: int, value: T) -> T:
            cells[index] = value
            return value

        def value[T](code: int, unit: int, result: T) -> T:
            if result is True:
                add(code + 2 * unit)
            elif result is False:
                add(code + unit)
            else:
                truth = quiet_truth(result)
                add(code if truth is None else code + (2 * unit if truth else unit))
            return result

        return {
            instrument.ADD: add, instrument.PUT: put,
            instrument.VALUE: value, instrument.LISTS: self.lists,
        }  # fmt: skip

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give a target's source to the instrumenting loader; leave the rest to others."""
        if fullname not in self.data.files:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(self, spec.loader.name, str(spec.origin))
        return spec

    def compile(self, name: str, source: bytes, path: str) -> CodeType:
        """Return a module's instrumented code; plain code where it cannot be instrumented."""
        worker = Instrument(self.next, len(self.lists))
        try:
            with deep():
                tree = worker.module(ast.parse(source, path))
                code = compile(tree, path, "exec", dont_inherit=True)
        except (RecursionError, MemoryError):
            return compile(source, path, "exec", dont_inherit=True)
        self.places.append((name, worker.inventory.first, worker.inventory.end))
        self.next = worker.inventory.end
        self.lists.append([0] * worker.scope.cells)
        return code

    def pour(self, group: str) -> None:
        """Count what was recorded since the last time for `group`."""
        self.groups.setdefault(group, set()).update(self.codes)
        self.codes.clear()

    def finish(self) -> Data:
        """Return the run's data, codes counted from each module's own start."""
        self.pour("outside")
        for name, first, end in self.places:
            for group, codes in self.groups.items():
                inside = {code - first for code in codes if first <= code < end}
                if inside:
                    self.data.hits.setdefault(name, {}).setdefault(group, set()).update(inside)
        self.data.witnesses = loaded_below(Path.cwd(), self.data.files)
        return self.data


class Loader(SourceFileLoader):
    """Load one target, instrumented."""

    def __init__(self, recorder: Recorder, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self.recorder = recorder

    def get_code(self, fullname: str) -> CodeType | None:
        """Compile from source: the cache of plain byte code is neither read nor written."""
        path = self.get_filename(fullname)
        return self.recorder.compile(fullname, self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module; what runs now is of group "import"."""
        with self.recorder.importing():
            super().exec_module(module)


def quiet_truth(value: object) -> bool | None:
    """Return a value's truth if asking runs no foreign code, else None."""
    kind = type(value)
    if kind in PLAIN or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")):
        return bool(value)
    return None if hasattr(kind, "__bool__") or hasattr(kind, "__len__") else True


def shorten(path: Path) -> str:
    """Return a path relative to the working folder where it lies inside."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def walk(data: Data) -> Iterator[tuple[str, Path, bytes]]:
    """Yield module, path and source. Raises `BadInput` where a source changed since the run."""
    for name, file in sorted(data.files.items()):
        yield name, Path(file), unchanged(file, data.hashes[name])


def unchanged(file: str, expected: str) -> bytes:
    """Return a file's content. Raises `BadInput` where it is not what the run saw."""
    if not Path(file).is_file():
        raise BadInput(f"{file}: gone since the run; run the tests again")
    content = Path(file).read_bytes()
    if source_hash(content) != expected:
        raise BadInput(f"{file}: changed since the run; run the tests again")
    return content
