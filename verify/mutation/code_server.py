"""A pytest process that has everything imported, and forks itself for each mutant.

Rules of this file:

*   *Warm*: pytest collects the tests once; a fork then gives one function another body and runs
    the tests it is told, in their order, up to the first that fails. The function object stays, so
    whoever imported it, and icontract's wrapper around it, has the other body.
*   *Cold*: the fork comes before any module of the project is imported, and pytest collects in the
    fork. For what runs at import: constants, tables, functions called by them.
*   Both have the mutated text on disk as well, in the worker's own tree, for the processes that
    tests start. Each text has a time of its own, so that no cached byte code is taken for it.
*   A verdict is what the fork reported before it ended: a failed test by name, or that all passed.
    A fork that ended otherwise is a *timeout* where the kernel stopped it for its processor time or
    we for its time on the clock, else an *error*, which is no verdict.
*   Chance is fixed: the seed of the run, hypothesis derandomised and without shrinking.

Spoken over two pipes, a JSON document a line; the requests are the methods of ``Server``. Started
by ``code_run.py``, with the mode, the two pipes, the tree and the folders of the tests.
Not here: which mutants, which tests, in which order.
"""

import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TextIO

import pytest

from verify.mutation.code_memory import Memories, Remembered, together
from verify.mutation.code_reach import FILE_VARIABLE, Reach, Span, files_of, functions_in

MEMORY_BYTES_MAX = 4 << 30
GRACE_CPU_S = 20.0  # on top of a multiple of what the test took without a mutant
FACTOR_CPU = 10.0
FACTOR_CLOCK = 30.0  # the machine is shared: a wait on the clock says little
GRACE_CLOCK_S = 90.0
PRELOADED = ("hypothesis", "hypothesis.strategies", "numpy", "flint", "google_crc32c", "decimal")
MTIME_FIRST_S = 1_000_000_000

Cache = type(cache(lambda: None))
# Raised by pytest itself, to say something else than "failed".
PASSING = (pytest.skip.Exception, pytest.exit.Exception)
Report = Callable[[dict[str, Any]], None]


def cpu_s() -> float:
    """Return the processor time of this process and of its ended children, in seconds."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + others.ru_utime + others.ru_stime


def limit_cpu(seconds: float) -> None:
    """Let the system end this process after so much more of its own processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


class Processes:
    """Whether this process has started another since."""

    def __init__(self) -> None:
        self.started = False
        sys.addaudithook(self._audit)

    def _audit(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event in {"subprocess.Popen", "os.posix_spawn", "os.fork"}:
            self.started = True


def is_random(item: pytest.Item) -> bool:
    """Return whether a test draws its inputs: by its mark, its fixtures, or hypothesis."""
    fixtures: tuple[str, ...] = tuple(getattr(item, "fixturenames", ()))
    function = getattr(item, "obj", None)
    return (
        item.get_closest_marker("random") is not None
        or "rng" in fixtures
        or "seed" in fixtures
        or hasattr(function, "is_hypothesis_test")
    )


class Runner:
    """Runs tests in this process, up to the first failure."""

    def __init__(self) -> None:
        self._tell: Report = lambda _: None
        self._failed = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell what failed, and by which exception.

        Where a test was expected to fail or was skipped, pytest says what that comes to. Else a
        raised exception is a failure, and nothing more is asked of this process: rendering it
        would take longer than the test.
        """
        plain = item.get_closest_marker("xfail") is None
        if plain and call.excinfo is not None and not isinstance(call.excinfo.value, PASSING):
            self._note(item, call)
            os._exit(0)
        report = yield
        if report.failed and not self._failed:
            self._note(item, call)
        return report

    def _note(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        error = call.excinfo
        kind = type(error.value).__name__ if error is not None else "strict"
        text = str(error.value).strip().split("\n")[0][:200] if error is not None else ""
        self._failed = True
        self._tell({"failed": {"test": item.nodeid, "error": kind, "text": text}})

    def run(self, items: list[pytest.Item], limits: dict[str, float], tell: Report) -> None:
        """Run the tests in order, up to the first that fails."""
        self._tell = tell
        for item, following in zip(items, [*items[1:], None], strict=True):
            tell({"begun": item.nodeid})
            limit_cpu(limits.get(item.nodeid, 0.0) * FACTOR_CPU + GRACE_CPU_S)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return
        tell({"passed": len(items)})


class Child:
    """A fork: what it told, and how it ended."""

    def __init__(self, work: Callable[[Report], None], clock_s: float) -> None:
        reading, writing = os.pipe()
        self.told: list[dict[str, Any]] = []
        self.late = False
        started = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            self._child(work, reading, writing)
        os.close(writing)
        with suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self._listen(reading, started + clock_s)
        os.close(reading)

    @staticmethod
    def _child(work: Callable[[Report], None], reading: int, writing: int) -> None:
        code = 70
        try:
            os.close(reading)
            with suppress(OSError):
                os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            # Not the address space: a JVM that a test starts reserves more than it will ever use.
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))

            def tell(word: dict[str, Any]) -> None:
                os.write(writing, json.dumps(word).encode() + b"\n")

            try:
                work(tell)
            except BaseException:  # noqa: BLE001  (told to the parent, which calls it an error)
                tell({"broken": traceback.format_exc()[-2000:]})
            code = 0
        finally:
            os._exit(code)

    def _listen(self, reading: int, deadline: float) -> None:
        buffer = b""
        status = None
        while status is None:
            ready, _, _ = select.select([reading], [], [], 0.2)
            if ready:
                block = os.read(reading, 1 << 16)
                buffer += block
                if not block:
                    _, status = os.waitpid(self.pid, 0)
            elif time.monotonic() > deadline:
                self.late = True
                self._kill()
                _, status = os.waitpid(self.pid, 0)
            else:
                ended, code = os.waitpid(self.pid, os.WNOHANG)
                status = code if ended else None
        while select.select([reading], [], [], 0)[0] and (block := os.read(reading, 1 << 16)):
            buffer += block
        self._kill()  # what it started and left
        self.status = status
        for line in buffer.split(b"\n"):
            with suppress(ValueError):
                self.told.append(json.loads(line))

    def _kill(self) -> None:
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def word(self, key: str) -> Any:
        """Return the last thing told under the key, else None."""
        return next((word[key] for word in reversed(self.told) if key in word), None)

    def verdict(self) -> dict[str, Any]:
        """Return status, and by what or why."""
        failed, broken = self.word("failed"), self.word("broken")
        if failed is not None:
            return {"status": "killed", "how": "test", **failed}
        if self.word("uncollected") is not None:
            return {"status": "killed", "how": "import", "text": self.word("uncollected")}
        out_of_cpu = os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGXCPU
        if (self.late or out_of_cpu) and self.word("begun") is not None:
            how = "clock" if self.late else "processor time"
            return {"status": "killed", "how": "timeout", "test": self.word("begun"), "text": how}
        if self.word("passed") is not None and self.status == 0:
            return {"status": "survived", "tests": self.word("passed")}
        return {"status": "error", "text": broken or f"the fork ended with {self.status}"}


def clear(folder: Path) -> None:
    """Take away a fork's temporary folder, with what it mounted there and left when it was killed.

    A mount that stays keeps the folder: were it another's folder too, every test after it would
    fail, and kill.
    """
    with suppress(OSError):
        for line in Path("/proc/self/mounts").read_text("utf-8").splitlines():
            where = line.split()[1]
            if where.startswith(f"{folder}/"):
                subprocess.run(["umount", "--lazy", where], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


class Tree:
    """The worker's copy of the project: one file of it differs while a mutant is run."""

    def __init__(self, folder: Path, first_s: int) -> None:
        self.folder = folder
        self._time_s = first_s

    @contextmanager
    def holding(self, path: str, text: str) -> Iterator[None]:
        """Hold another text in a file, then the old one again."""
        file = self.folder / path
        before, times = file.read_bytes(), file.stat()
        self._time_s += 2
        try:
            file.write_text(text, encoding="utf-8")
            os.utime(file, (self._time_s, self._time_s))
            yield
        finally:
            file.write_bytes(before)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def code_named(code: CodeType, name: str, first: int) -> CodeType | None:
    """Return the code of the function with this qualified name and first line, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name and constant.co_firstlineno == first:
                return constant
            if name.startswith(constant.co_qualname + "."):
                found = code_named(constant, name, first)
                if found is not None:
                    return found
    return None


class Server:
    """Answers requests until there are no more. ``items`` is empty in a cold server."""

    def __init__(
        self, tree: Tree, requests: TextIO, answers: TextIO, arguments: list[str], scratch: Path
    ) -> None:
        self.tree = tree
        self.scratch = scratch
        self.requests, self.answers = requests, answers
        self.arguments = arguments
        self.items: dict[str, pytest.Item] = {}
        # By test file; under the empty name what helpers and the code itself run when imported.
        self.at_import: dict[str, list[Span]] = {}
        self.memories = Memories([], tree.folder, cpu_s)
        self.folders: Any = None  # pytest's maker of temporary folders, of a warm server's session
        self.functions: dict[tuple[str, str], list[FunctionType]] = {}
        self.runner = Runner()

    def serve(self) -> None:
        """Answer line by line."""
        for line in self.requests:
            request = json.loads(line)
            answer = getattr(self, f"on_{request.pop('do')}")(**request)
            self.answers.write(json.dumps(answer) + "\n")
            self.answers.flush()

    def on_list(self) -> dict[str, Any]:
        """Return the tests in pytest's order, and what ran when each file was imported."""
        tests = {name: is_random(item) for name, item in self.items.items()}
        return {"tests": tests, "at_import": self.at_import}

    def on_reach(self, test: str) -> dict[str, Any]:
        """Run one test alone, without a mutant, and return what it reached and used."""
        file = self.tree.folder / "reach.txt"
        for old in files_of(file):
            old.unlink()

        def work(tell: Report) -> None:
            self._settle()
            processes, reach = Processes(), Reach(self.tree.folder)
            os.environ[FILE_VARIABLE] = str(file)
            self.memories.clear(all_of_them=False)
            asked, before = self.memories.asked(), cpu_s()
            reach.begin()
            try:
                self.runner.run([self.items[test]], {test: 60.0}, tell)
            finally:
                reach.end()
            own = Remembered(reach.lines, reach.random, cpu_s() - before)
            hits, computed = asked()
            found = together(own, self.memories.of(hits))
            tell(
                {
                    "reach": {
                        "cpu": round(found.cpu, 4),
                        "processes": processes.started,
                        "random": found.random or is_random(self.items[test]),
                        "lines": {path: sorted(lines) for path, lines in found.lines.items()},
                    },
                    "computed": [] if processes.started else computed,
                }
            )

        child = self._forked(work, 600.0)
        self.memories.fill(child.word("computed") or ())
        return {
            **child.verdict(),
            **(child.word("reach") or {}),
            "functions": sorted(functions_in(file)),
        }

    def on_mutant(
        self, path: str, function: str, source: str, tests: list[str], limits: dict[str, float]
    ) -> dict[str, Any]:
        """Run tests with a file's text replaced, and return the verdict."""
        clock_s = GRACE_CLOCK_S + FACTOR_CLOCK * sum(limits.get(test, 0.0) for test in tests)
        before = cpu_s()
        with self.tree.holding(path, source):
            if self.items:
                patch = self._patch(path, function, source)
                if patch is None:
                    return {"status": "cold"}

                def work(tell: Report) -> None:
                    for target, code in patch:
                        target.__code__ = code
                    self.memories.clear(all_of_them=True)
                    self._settle()
                    chosen = [self.items[test] for test in tests]
                    self.runner.run(chosen, limits, tell)
            else:

                def work(tell: Report) -> None:
                    self._collect_and_run(tests, limits, tell)

            child = self._forked(work, clock_s)
        return {**child.verdict(), "cpu": round(cpu_s() - before, 4)}

    def _patch(
        self, path: str, function: str, source: str
    ) -> list[tuple[FunctionType, CodeType]] | None:
        """Return each function object with its new code, None where that is not possible."""
        file = str(self.tree.folder / path)
        module = compile(source, file, "exec", dont_inherit=True)
        changed = []
        for target in self.functions.get((file, function), []):
            old = target.__code__
            new = code_named(module, function, old.co_firstlineno)
            if new is None or new.co_freevars != old.co_freevars:
                return None
            if new != old:
                changed.append((target, new))
        return changed or None

    def index_functions(self) -> None:
        """Find every function object of the tree by file and qualified name, and every cache."""
        prefix = f"{self.tree.folder}/"
        for found in gc.get_objects():
            if isinstance(found, Cache):
                self.memories.caches.append(found)
            if isinstance(found, FunctionType) and found.__code__.co_filename.startswith(prefix):
                key = (found.__code__.co_filename, found.__code__.co_qualname)
                self.functions.setdefault(key, []).append(found)

    def _forked(self, work: Callable[[Report], None], clock_s: float) -> Child:
        """Work in a fork, and take away the temporary folder that it had for its own."""
        child = Child(work, clock_s)
        clear(self._folder_of(child.pid))
        return child

    def _folder_of(self, pid: int) -> Path:
        return self.scratch / str(pid)

    def _settle(self) -> None:
        """Let pytest, in this fork of a warm server, make folders in the fork's own."""
        self.folders._given_basetemp, self.folders._basetemp = self._folder_of(os.getpid()), None

    def _collect_and_run(self, tests: list[str], limits: dict[str, float], tell: Report) -> None:
        files = sorted({test.split("::")[0] for test in tests})
        limit_cpu(60.0)
        tell({"begun": "collection"})
        folder = f"--basetemp={self._folder_of(os.getpid())}"
        code = pytest.main(
            [*self.arguments, folder, *files], plugins=[Cold(self, tests, limits, tell)]
        )
        if code == pytest.ExitCode.USAGE_ERROR:  # a conftest that could not be imported
            tell({"uncollected": "a conftest could not be imported"})
        elif code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            tell({"broken": f"pytest ended with {code}"})


class Collected:
    """Keeps what failed to be collected, and settles hypothesis."""

    def __init__(self) -> None:
        self.uncollected: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Fix hypothesis, after tests/conftest.py chose the house's profile."""
        from hypothesis import Phase, settings

        settings.register_profile(
            "mutation",
            parent=settings.default,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
        )
        settings.load_profile("mutation")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a failure to import."""
        if report.failed:
            self.uncollected.append(f"{report.nodeid}: {str(report.longrepr)[-300:]}")


class Cold(Collected):
    """Runs the chosen tests of a fresh session; a file that cannot be imported is a verdict."""

    def __init__(
        self, server: Server, tests: list[str], limits: dict[str, float], tell: Report
    ) -> None:
        super().__init__()
        self.server, self.tests, self.limits, self.tell = server, tests, limits, tell

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell of a module that ends the process when it is imported: nobody can import it."""
        if isinstance(excinfo.value, SystemExit):
            self.tell({"uncollected": "SystemExit when a module was imported"})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests in the order asked for."""
        if self.uncollected:
            self.tell({"uncollected": self.uncollected[0]})
            return True
        items = {item.nodeid: item for item in session.items}
        runner = self.server.runner
        session.config.pluginmanager.register(runner)
        runner.run([items[test] for test in self.tests if test in items], self.limits, self.tell)
        return True


class Warm(Collected):
    """Serves from within pytest's own loop, with everything collected.

    What a test file computes when it is imported it has computed without the mutant. So each
    function that runs then is noted with the file, and for the file's tests a mutant of that
    function is a cold one.
    """

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self.reach = Reach(server.tree.folder)

    def pytest_collection(self) -> None:
        """Observe what runs while tests are collected."""
        self.reach.begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Note what one test file runs."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        prefix = f"{self.server.tree.folder}/"
        self.reach.begin_importing(str(collector.path))
        report = yield
        self.server.at_import[str(collector.path).removeprefix(prefix)] = sorted(
            self.reach.importing
        )
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve instead of running."""
        self.reach.end()
        server = self.server
        server.items = {item.nodeid: item for item in session.items}
        server.folders = session.config._tmp_path_factory  # type: ignore[attr-defined]  # pytest's
        server.at_import[""] = sorted(self.reach.helpers)
        if self.uncollected:
            raise pytest.UsageError(self.uncollected[0])
        session.config.pluginmanager.register(server.runner)
        server.index_functions()
        gc.freeze()
        server.serve()
        return True


def main(mode: str, reading: str, writing: str, tree: str, *tests: str) -> None:
    """Serve until the requests end."""
    scratch = Path(tree).parent / mode[0]  # a socket's path has a hundred bytes at most
    scratch.mkdir(exist_ok=True)
    arguments = ["-p", "no:xdist", "-s", "-q", "-rN", "--no-header"]
    arguments += ["-o", f"cache_dir={scratch}.cache"]
    with (
        os.fdopen(int(reading), encoding="utf-8") as requests,
        os.fdopen(int(writing), "w", encoding="utf-8") as answers,
    ):
        # Odd times for the one, even for the other: they share the tree.
        times = Tree(Path(tree), MTIME_FIRST_S + (mode == "cold"))
        server = Server(times, requests, answers, arguments, scratch)
        if mode == "warm":
            pytest.main([*arguments, f"--basetemp={scratch}/all", *tests], plugins=[Warm(server)])
            return
        os.environ["ICONTRACT_SLOW"] = "true"  # as tests/conftest.py does before its own import
        importlib.import_module("icontract")
        del os.environ["ICONTRACT_SLOW"]
        for name in PRELOADED:
            with suppress(ImportError):
                importlib.import_module(name)
        server.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
