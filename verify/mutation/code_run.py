"""Running tests against mutants: which tests, in which order, with which outcome.

Rules of this file:

*   A mutant in a function is run with every test that reaches its statement: measured, test by
    test, each alone in a fork (``code_reach.py``). One that is run at import is run with all
    tests, those first that reach a function which names the constant.
*   Likely killers first: the one that killed it the last time, those that killed others of the same
    function or file, those that speak of it, then the cheap ones. Tests that draw their
    inputs come last: what only they kill is counted apart.
*   A result is kept under the hash of the mutant and of all files that it could depend on
    (``code_inputs.py``). When they have changed, the last killer is tried first, so that a second
    run is short though nothing stale is believed.
*   A test that starts processes or is cut off by the clock must fail twice, since a busy machine
    can do that too.
*   Each worker has a copy of the project in ``build/``. Nothing is changed in the checkout.

Not here: the operators (``code_mutants.py``), the forks (``code_server.py``).
"""

import ast
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from verify.mutation.code_inputs import Inputs
from verify.mutation.code_mutants import GENERATOR, Mutant
from verify.mutation.code_reach import TREE_VARIABLE, Span
from verify.store import Store, key_of
from verify.walk import reachable

# Part of every key: raise it when the same mutant could get another verdict.
HARNESS = 1
SEED = "4"
LEFT_OUT = {".git", ".venv", ".jars", "build", "runs", "dist", ".cache", "__pycache__"}
ARGUED_S = 5.0
COLD_AT_FIRST = 12  # tests of the first try of a mutant that needs an import of its own
HOME = Path(__file__).resolve().parents[2]  # where this package is found
SITE = """import os
if "DOLPHIN_MUTATION_REACH" in os.environ:
    from verify.mutation.code_reach import begin_in_process
    begin_in_process()
"""

KILLED, SURVIVED, ERROR, UNDECIDED = "killed", "survived", "error", "undecided"
Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Group:
    """Files that are mutated together, and the tests that have to kill them.

    ``depends`` are glob patterns of all that a verdict can depend on. ``waits``: so many workers
    for each job, since the tests start processes and wait for them more than they compute.
    """

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    depends: tuple[str, ...]
    waits: int = 1


@dataclass(frozen=True)
class Reached:
    """What one test reaches: lines by path in its process, functions in those that it starts."""

    test: str
    cpu: float
    random: bool
    processes: bool
    lines: dict[str, list[int]]
    functions: list[list[Any]]

    def reaches(self, mutant: Mutant) -> bool:
        """Return whether the test runs the statement that the mutant changes."""
        first, last = mutant.statement
        if any(first <= line <= last for line in self.lines.get(mutant.path, ())):
            return True
        return any(
            path == mutant.path and begin <= mutant.line <= end
            for path, begin, end in self.functions
        )


@dataclass(frozen=True)
class Result:
    """A mutant's verdict. ``by`` is the test that failed; ``how`` test, import or timeout."""

    mutant: str
    status: str
    how: str = ""
    by: str = ""
    error: str = ""
    text: str = ""
    random: bool = False
    tests: int = 0
    cpu: float = 0.0


@dataclass
class Baseline:
    """What all tests reach without a mutant, and what runs when a test file is imported.

    ``at_import`` is by test file; under the empty name what any other file runs.
    """

    tests: dict[str, Reached]
    at_import: dict[str, list[Span]]
    failing: list[str] = field(default_factory=list)


# --- a worker ------------------------------------------------------------------------------------


def copy_tree(root: Path, folder: Path) -> None:
    """Make a fresh copy of the project, with links to the environment and the jars."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    for name in (".venv", ".jars"):
        if (root / name).exists():
            (folder / name).symlink_to((root / name).resolve())
    (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")


class Asked:
    """A server process and the pipes to it."""

    def __init__(self, mode: str, tree: Path, tests: Sequence[str], log: Path) -> None:
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        environment = {
            **os.environ,
            "PYTHONPATH": f"{tree}{os.pathsep}{HOME}",
            "DOLPHIN_SEED": SEED,
            TREE_VARIABLE: str(tree),
            # The tree is below the checkout and is none: its tests must not find that repository.
            "GIT_CEILING_DIRECTORIES": str(tree.parent),
        }
        environment.pop("ICONTRACT_SLOW", None)  # tests/conftest.py sets it, for its own process
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "verify.mutation.code_server",
                    mode,
                    str(to_read),
                    str(from_write),
                    str(tree),
                    *tests,
                ],
                cwd=tree,
                env=environment,
                pass_fds=(to_read, from_write),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        os.close(to_read)
        os.close(from_write)
        self.requests = os.fdopen(to_write, "w", encoding="utf-8")
        self.answers = os.fdopen(from_read, encoding="utf-8")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return the answer. Raises RuntimeError where the server is gone."""
        try:
            self.requests.write(json.dumps(request) + "\n")
            self.requests.flush()
            line = self.answers.readline()
        except OSError:
            line = ""
        if not line:
            raise RuntimeError(f"the server of mutants ended; its last words are in {self.log}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the server."""
        with suppress(OSError):
            self.requests.close()
        self.answers.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Worker:
    """A tree of its own, a warm server, and a cold one from the first need of it."""

    def __init__(self, root: Path, folder: Path, tests: Sequence[str]) -> None:
        self.tree = folder / "tree"
        self.log = folder / "log.txt"
        self._tests = tests
        folder.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        copy_tree(root, self.tree)
        self.warm = Asked("warm", self.tree, tests, self.log)
        self._cold: Asked | None = None

    @property
    def cold(self) -> Asked:
        """Return the cold server."""
        if self._cold is None:
            self._cold = Asked("cold", self.tree, self._tests, self.log)
        return self._cold

    def close(self) -> None:
        """End the servers and take the tree away."""
        self.warm.close()
        if self._cold is not None:
            self._cold.close()
        shutil.rmtree(self.tree, ignore_errors=True)


@contextmanager
def workers(root: Path, folder: Path, tests: Sequence[str], count: int) -> Iterator[list[Worker]]:
    """Start workers in folders of this run's own, end them; what went wrong leaves its log.

    What runs that were killed left there is taken away first: the name says whose a folder is.
    """
    from verify.mutation.code_server import clear  # here: it needs pytest

    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("run-*"):
        if not Path("/proc", left.name.split("-")[1]).exists():
            clear(left)
    own = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=folder))
    with ExitStack() as stack:
        started = []
        for number in range(count):
            worker = Worker(root, own / f"worker-{number}", tests)
            stack.callback(worker.close)
            started.append(worker)
        yield started
    shutil.rmtree(own, ignore_errors=True)


def share[T](crew: list[Worker], work: Iterable[T], do: Callable[[Worker, T], None]) -> None:
    """Let the workers take the work, one piece after another. Raises what a piece raised."""
    waiting: Queue[T] = Queue()
    for piece in work:
        waiting.put(piece)
    raised: list[Exception] = []

    def loop(worker: Worker) -> None:
        while not raised:
            try:
                do(worker, waiting.get_nowait())
            except Empty:
                return
            except Exception as error:  # noqa: BLE001  (raised again below, in the caller's thread)
                raised.append(error)

    threads = [threading.Thread(target=loop, args=(worker,)) for worker in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


# --- what reaches what ---------------------------------------------------------------------------


def measure(crew: list[Worker], store: Store, tell: Tell, inputs: Inputs) -> Baseline:
    """Return what each test reaches; run those alone that were not run with these inputs."""
    listed = crew[0].warm.ask(do="list")
    names = list(listed["tests"])
    baseline = Baseline({}, listed["at_import"])
    lock = threading.Lock()
    found: dict[str, Reached] = {}

    def keep(name: str, document: dict[str, Any]) -> None:
        with lock:
            found[name] = Reached(**document)
            tell(len(found), len(names), "what each test reaches")

    def one(worker: Worker, name: str) -> None:
        answer = worker.warm.ask(do="reach", test=name)
        if answer["status"] != SURVIVED:
            with lock:
                baseline.failing.append(f"{name}: {answer.get('text') or answer['status']}")
            return
        fields = ("cpu", "random", "processes", "lines", "functions")
        document = {"test": name, **{key: answer[key] for key in fields}}
        store.put(reach_key(name, inputs), document)
        keep(name, document)

    missing = []
    for name in names:
        kept = store.get(reach_key(name, inputs))
        if kept is None:
            missing.append(name)
        else:
            keep(name, kept)
    share(crew, missing, one)
    # Threads finish in any order; the order of the tests is pytest's.
    baseline.tests = {name: found[name] for name in names if name in found}
    return baseline


class Names:
    """Which functions name a module's constant, through imports and other constants."""

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        self._spans: dict[str, set[tuple[str, int, int]]] = {}
        self._constants: dict[str, set[str]] = {}
        for path in paths:
            self._read(path, ast.parse((root / path).read_text(encoding="utf-8")))

    def _read(self, path: str, tree: ast.Module) -> None:
        for node in tree.body:
            self._statement(path, node)

    def _statement(self, path: str, node: ast.stmt) -> None:
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        used |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                self._statement(path, each)
        elif isinstance(node, ast.FunctionDef):
            for name in used:
                self._spans.setdefault(name, set()).add(
                    (path, node.lineno, node.end_lineno or node.lineno)
                )
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                for name in used - {target.id}:
                    self._constants.setdefault(name, set()).add(target.id)

    def functions(self, name: str) -> set[tuple[str, int, int]]:
        """Return path, first and last line of each function that names it."""
        named = reachable(name, lambda each: self._constants.get(each, ()))
        return {span for each in named for span in self._spans.get(each, ())}


class Mentions:
    """Which names a test speaks, and which its file does: who names a function looks at it."""

    def __init__(self, root: Path, files: Iterable[str]) -> None:
        self._files: dict[str, set[str]] = {}
        self._tests: dict[tuple[str, str], set[str]] = {}
        for name in files:
            path = root / name
            if path.suffix != ".py" or not path.is_file():
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            self._files[name] = _spoken(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    self._tests[name, node.name] = _spoken(node)

    def weight(self, test: str, name: str) -> int:
        """Return how much rather to try a test for a function of that name."""
        if self.speaks(test, name):
            return 30
        return 6 if name in self._files.get(test.partition("::")[0], ()) else 1

    def speaks(self, test: str, name: str) -> bool:
        """Return whether the test itself speaks a name."""
        file, _, rest = test.partition("::")
        return name in self._tests.get((file, rest.split("[")[0].split("::")[-1]), ())


def _spoken(tree: ast.AST) -> set[str]:
    names = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    names |= {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    return names | {each.name for each in ast.walk(tree) if isinstance(each, ast.alias)}


# --- the order of tests --------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Tests to be run one after another, in a warm or in a cold fork."""

    tests: list[str]
    cold: bool


class Selection:
    """Chooses the tests of a mutant and learns which ones kill."""

    def __init__(self, baseline: Baseline, names: Names, mentions: Mentions) -> None:
        self._baseline = baseline
        self._names = names
        self._mentions = mentions
        self._killers: dict[str, Counter[str]] = {}

    def learn(self, mutant: Mutant, result: Result) -> None:
        """Note what killed."""
        if result.by:
            for where in (mutant.path, f"{mutant.path}:{mutant.function}"):
                self._killers.setdefault(where, Counter())[result.by] += 1

    def parts(self, mutant: Mutant, last_killer: str) -> list[Part]:
        """Return the tests of a mutant in the order in which to run them.

        First those that draw nothing; of them first the warm ones.
        """
        near, rest = self._near(mutant)
        of_function = self._killers.get(f"{mutant.path}:{mutant.function}", Counter())
        of_file = self._killers.get(mutant.path, Counter())
        name = mutant.function.split(".")[-1]

        def rank(test: Reached) -> float:
            known = 1 + 10 * of_function[test.test] + min(10, of_file[test.test])
            own = 10 if _is_own(test, mutant) else 1
            return test.cpu / known / max(own, self._mentions.weight(test.test, name))

        ordered = [*sorted(near, key=rank), *sorted(rest, key=rank)]
        ordered.sort(key=lambda test: test.test != last_killer)
        always = mutant.at_import or self._runs("", mutant)
        cold = {file for file in self._baseline.at_import if always or self._runs(file, mutant)}
        parts = [
            Part(
                [t.test for t in ordered if t.random == drawn and (_file(t) in cold) == is_cold],
                is_cold,
            )
            for drawn in (False, True)
            for is_cold in (False, True)
        ]
        return [part for part in parts if part.tests]

    def _runs(self, file: str, mutant: Mutant) -> bool:
        """Return whether importing the test file runs the function that the mutant changes."""
        return any(
            path == mutant.path and first <= mutant.line <= last
            for path, first, last in self._baseline.at_import.get(file, ())
        )

    def _near(self, mutant: Mutant) -> tuple[list[Reached], list[Reached]]:
        """Return the tests that reach the mutant, and for one that runs at import the others."""
        tests = self._baseline.tests.values()
        if not mutant.at_import and not self._runs("", mutant):
            stale = {file for file in self._baseline.at_import if self._runs(file, mutant)}
            return [test for test in tests if test.reaches(mutant) or _file(test) in stale], []
        name = mutant.function.split(".")[-1]
        spans = self._names.functions(name)

        def names(test: Reached) -> bool:
            return any(
                any(first <= line <= last for line in test.lines.get(path, ()))
                for path, first, last in spans
            )

        near = [
            test
            for test in tests
            if _is_own(test, mutant)
            or self._mentions.speaks(test.test, name)
            or names(test)
            or test.reaches(mutant)
        ]
        chosen = {test.test for test in near}
        return near, [test for test in tests if test.test not in chosen]


def within(parts: list[Part], tests: dict[str, Reached], budget_s: float) -> list[Part]:
    """Return the parts up to where the tests would take more than so much processor time."""
    kept: list[Part] = []
    for part in parts:
        names: list[str] = []
        for name in part.tests:
            budget_s -= tests[name].cpu
            if budget_s < 0:
                return [*kept, Part(names, part.cold)] if names else kept
            names.append(name)
        kept.append(part)
    return kept


def _file(test: Reached) -> str:
    return test.test.split("::")[0]


def _is_own(test: Reached, mutant: Mutant) -> bool:
    """Return whether a test's file is named after the mutant's: test_…_gate.py."""
    return _file(test).endswith(f"_{Path(mutant.path).stem}.py")


# --- the run -------------------------------------------------------------------------------------


def judge(
    worker: Worker, mutant: Mutant, parts: Sequence[Part], tests: dict[str, Reached]
) -> Result:
    """Run a mutant against tests in this order and return its verdict."""
    spent = 0.0
    ran = 0
    left = list(parts)
    while left:
        part = left.pop(0)
        if part.cold and len(part.tests) > COLD_AT_FIRST and ran == 0:
            left.insert(0, Part(part.tests[COLD_AT_FIRST:], True))
            part = Part(part.tests[:COLD_AT_FIRST], True)
        answer = _ask(worker, mutant, part, tests)
        if answer["status"] == "cold":  # a function that cannot be given another body
            left = [Part(each.tests, True) for each in (part, *left)]
            continue
        spent += answer["cpu"]
        if answer["status"] == ERROR:
            return Result(mutant.id, ERROR, text=answer["text"], cpu=round(spent, 3))
        if answer["status"] == SURVIVED:
            ran += len(part.tests)
            continue
        by = answer.get("test", "")
        if _could_be_the_machine(answer, tests):
            again = _ask(worker, mutant, Part([by], part.cold), tests)
            if again["status"] != KILLED:
                ran += part.tests.index(by) + 1
                left.insert(0, Part(part.tests[part.tests.index(by) + 1 :], part.cold))
                left = [each for each in left if each.tests]
                continue
        return Result(
            mutant.id,
            KILLED,
            how=answer["how"],
            by=by,
            error=answer.get("error", ""),
            text=answer.get("text", ""),
            random=by in tests and tests[by].random,
            tests=ran + (part.tests.index(by) + 1 if by in part.tests else 0),
            cpu=round(spent, 3),
        )
    return Result(mutant.id, SURVIVED, tests=ran, cpu=round(spent, 3))


def _ask(worker: Worker, mutant: Mutant, part: Part, tests: dict[str, Reached]) -> dict[str, Any]:
    server = worker.cold if part.cold else worker.warm
    return server.ask(
        do="mutant",
        path=mutant.path,
        function=mutant.function,
        source=mutant.mutated_source,
        tests=part.tests,
        limits={name: tests[name].cpu for name in part.tests},
    )


def _could_be_the_machine(answer: dict[str, Any], tests: dict[str, Reached]) -> bool:
    """Return whether a busy machine could have failed the test, rather than the mutant."""
    by = answer.get("test", "")
    on_the_clock = answer["how"] == "timeout" and answer.get("text") == "clock"
    return by in tests and (on_the_clock or tests[by].processes)


@dataclass
class Run:
    """The verdicts of a group, and what was asked for but is not there."""

    results: dict[str, Result]
    failing: list[str]
    kept: int


def reach_key(test: str, inputs: Inputs) -> str:
    """Return the key of what a test reaches."""
    return key_of("reach", HARNESS, test, inputs.of(test))


def killed_key(mutant: Mutant, by: str, inputs: Inputs) -> str:
    """Return the key of a mutant that a test killed, or without a test: that the import did."""
    text = key_of(mutant.mutated_source)
    depends = inputs.of(by) if by else inputs.all
    return key_of("killed", HARNESS, GENERATOR, mutant.id, text, by, depends)


def alive_key(mutant: Mutant, argued: bool, inputs: Inputs) -> str:
    """Return the key of a mutant that no test killed."""
    text = key_of(mutant.mutated_source)
    return key_of("alive", HARNESS, GENERATOR, mutant.id, text, argued, inputs.all)


def kept_result(store: Store, mutant: Mutant, argued: bool, inputs: Inputs) -> Result | None:
    """Return a verdict of an earlier run that is still one."""
    kept = store.get(killed_key(mutant, last_killer(store, mutant), inputs))
    if kept is None:
        kept = store.get(alive_key(mutant, argued, inputs))
    return None if kept is None else Result(**kept)


def keep_result(store: Store, mutant: Mutant, argued: bool, inputs: Inputs, result: Result) -> None:
    """Keep a verdict, and the killer as a hint for later runs."""
    if result.status == KILLED:
        store.put(killed_key(mutant, result.by, inputs), asdict(result))
        store.put(hint_key(mutant), {"by": result.by})
    elif result.status == SURVIVED:
        store.put(alive_key(mutant, argued, inputs), asdict(result))


def hint_key(mutant: Mutant) -> str:
    """Return the key of a mutant's last killer, which outlives changes elsewhere."""
    return key_of("killer", mutant.id, mutant.function_hash, mutant.original, mutant.mutated)


def last_killer(store: Store, mutant: Mutant) -> str:
    """Return the test that killed a mutant the last time, "" where none is known."""
    found: dict[str, str] = store.get(hint_key(mutant)) or {"by": ""}
    return found["by"]


def run_group(
    root: Path,
    group: Group,
    mutants: Sequence[Mutant],
    store: Store,
    tell: Tell,
    jobs: int,
    budget_s: float = math.inf,
    argued: Collection[str] = (),
) -> Run:
    """Give each mutant a verdict: kept ones, then the others by ``jobs`` workers.

    With a budget, in processor seconds of tests, a mutant that lives so long is undecided.
    ``argued``: mutants that are said to be equivalent. No test can kill them if that is right, and
    all tests would take minutes for each; so they get those of ``ARGUED_S``, likely killers first.
    """
    inputs = Inputs(root, (*group.depends, *group.tests))
    results: dict[str, Result] = {}
    pending = []
    for mutant in mutants:
        kept = kept_result(store, mutant, mutant.id in argued, inputs)
        if kept is None:
            pending.append(mutant)
        else:
            results[mutant.id] = kept
    run = Run(results, [], len(results))
    if not pending:
        return run
    crew_size = max(1, min(jobs * group.waits, len(pending)))
    with workers(root, root / "build" / "mutation", _folders(group), crew_size) as crew:
        baseline = measure(crew, store.below("reach"), tell, inputs)
        if baseline.failing:
            run.failing = sorted(baseline.failing)
            return run
        selection = Selection(
            baseline,
            Names(root, {each.path for each in mutants}),
            Mentions(root, {_file(test) for test in baseline.tests.values()}),
        )
        lock = threading.Lock()
        total = len(mutants)

        def one(worker: Worker, mutant: Mutant) -> None:
            hint = last_killer(store, mutant)
            with lock:
                parts = selection.parts(mutant, hint)
            is_argued = mutant.id in argued
            affordable = within(parts, baseline.tests, ARGUED_S if is_argued else budget_s)
            result = judge(worker, mutant, affordable, baseline.tests)
            if result.status == SURVIVED and affordable != parts and not is_argued:
                result = replace(result, status=UNDECIDED)
            with lock:
                selection.learn(mutant, result)
                results[mutant.id] = result
                tell(len(results), total, mutant.id)
            keep_result(store, mutant, is_argued, inputs, result)

        share(crew, pending, one)
    return run


def _folders(group: Group) -> list[str]:
    """Return the folders that pytest is given: the patterns without their tails."""
    return sorted({pattern.split("/**")[0] for pattern in group.tests})
