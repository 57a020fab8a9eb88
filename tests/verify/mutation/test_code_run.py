"""Mutants run for real, in a project of a few lines: what kills, what does not, what is no verdict.

One project, one run of two workers (some seconds), looked at from several sides. Each function of
the module is there for one kind of verdict, and says so.
"""

import json
import mmap
import os
import shutil
import subprocess
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from verify.mutation.code_mutants import Mutant, mutants_of
from verify.mutation.code_run import Group, Result, Run, run_group, workers
from verify.mutation.code_server import MEMORY_BYTES_MAX, Child, clear
from verify.store import Store

MODULE = """
    import functools

    LAST = (1, 2, 3)[2]          # the index one further: cannot be imported
    UNSEEN = 7                   # no test looks at it
    STEP = 1

    def keep(function):
        @functools.wraps(function)
        def inner(*arguments):
            return function(*arguments)
        return inner

    @keep
    def next_of(a):              # decorated, killed by a plain test
        return a + STEP

    def larger(a, b):            # >= and > are the same here: equivalent
        return a if a >= b else b

    def unwatched(a):            # run by a test that looks at nothing
        return a + 1

    def unreached(a):            # run by no test
        return a + 1

    def down(n):                 # n -= 1 turned into n = 1 never ends
        while n > 0:
            n -= 1
        return n

    def drawn(a):                # only a test that draws its inputs looks
        return a * 2

    def elsewhere(a):            # only another process runs it
        return a - 1

    def early(a):                # the tests' module runs it when it is imported
        return a + 1
"""
TESTS = """
    import random
    import subprocess
    import sys

    import m

    EARLY = m.early(1)

    def test_next():
        assert m.LAST == 3
        assert m.next_of(1) == 2

    def test_larger():
        assert [m.larger(*pair) for pair in ((1, 2), (2, 1), (1, 1))] == [2, 2, 1]

    def test_nothing():
        m.unwatched(1)

    def test_down():
        assert m.down(3) == 0

    def test_drawn():
        a = random.Random(1).randrange(3, 9)
        assert m.drawn(a) == a + a

    def test_elsewhere():
        # Its files must not grow, as in the kernel's drill; what it enters is recorded anyway.
        code = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (0, 0)); "
        code += "import m, sys; sys.exit(m.elsewhere(1))"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    def test_early():
        assert m.early(1) == EARLY
"""
# An endless loop is ended after a grace of many seconds, for tests that are large; these are small.
CONFTEST = """
    import sys

    for name in ("__main__", "verify.mutation.code_server"):
        server = sys.modules.get(name)
        if hasattr(server, "GRACE_CPU_S"):
            server.GRACE_CPU_S = 3.0
"""
GROUP = Group("small", ("m.py",), ("tests/**/*.py",), ("m.py",))


def project(folder: Path, tests: str = TESTS) -> Path:
    """A folder with a module, its tests, and pytest's settings."""
    (folder / "tests").mkdir(parents=True)
    (folder / "m.py").write_text(textwrap.dedent(MODULE), encoding="utf-8")
    (folder / "tests" / "test_m.py").write_text(textwrap.dedent(tests), encoding="utf-8")
    (folder / "tests" / "conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    settings = '[tool.pytest.ini_options]\npythonpath = ["."]\n'
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return folder


def run(root: Path, mutants: list[Mutant], **options: Any) -> Run:
    store = Store(root / "store")
    return run_group(root, GROUP, mutants, store, lambda *_: None, 2, **options)


class Ran:
    """The project, its mutants and their verdicts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        slow = ("n -= 1 → n += 1",)  # one endless loop is enough
        self.mutants = [each for each in mutants_of(Path("m.py"), root) if each.change not in slow]
        self.run = run(root, self.mutants)

    def of(self, function: str) -> dict[str, Result]:
        """Verdict by change."""
        assert self.run.failing == []
        return {
            each.change: self.run.results[each.id]
            for each in self.mutants
            if each.function == function
        }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return Ran(project(tmp_path_factory.mktemp("mutated") / "project"))


def test_every_mutant_has_a_verdict(ran: Ran) -> None:
    assert set(ran.run.results) == {each.id for each in ran.mutants}
    assert {each.status for each in ran.run.results.values()} == {"killed", "survived"}


def test_a_test_kills_in_a_decorated_function(ran: Ran) -> None:
    result = ran.of("next_of")["a + STEP → a - STEP"]
    assert (result.status, result.how, result.by, result.error) == (
        "killed", "test", "tests/test_m.py::test_next", "AssertionError",
    )  # fmt: skip


def test_a_constant_is_another_for_all_who_import_it(ran: Ran) -> None:
    assert ran.of("STEP")["1 → 2"].by == "tests/test_m.py::test_next"


def test_a_module_that_cannot_be_imported_is_killed(ran: Ran) -> None:
    result = ran.of("LAST")["2 → 3"]
    assert (result.status, result.how, result.by) == ("killed", "import", "")


def test_an_endless_loop_is_killed_by_the_processor_time(ran: Ran) -> None:
    result = ran.of("down")["n -= 1 → n = 1"]
    assert (result.status, result.how, result.text) == ("killed", "timeout", "processor time")


def test_a_process_that_a_test_starts_has_the_mutant_too(ran: Ran) -> None:
    assert ran.of("elsewhere")["a - 1 → a + 1"].by == "tests/test_m.py::test_elsewhere"


def test_what_only_a_drawn_input_kills_is_marked(ran: Ran) -> None:
    assert ran.of("drawn")["a * 2 → a / 2"].random
    assert not ran.of("next_of")["a + STEP → a - STEP"].random


def test_control_an_equivalent_mutant_survives(ran: Ran) -> None:
    result = ran.of("larger")[">= b → > b"]
    assert (result.status, result.tests) == ("survived", 1)


def test_control_a_test_that_looks_at_nothing_kills_nothing(ran: Ran) -> None:
    assert {each.status for each in ran.of("unwatched").values()} == {"survived"}
    assert {each.status for each in ran.of("UNSEEN").values()} == {"survived"}


def test_control_what_no_test_reaches_survives_no_tests(ran: Ran) -> None:
    assert {(each.status, each.tests) for each in ran.of("unreached").values()} == {("survived", 0)}


def test_control_an_expectation_from_the_code_itself_kills_nothing(ran: Ran) -> None:
    """``EARLY`` comes from the mutant as well, so the test is no test; a fork that only exchanged
    the function would have compared the mutant with the original."""
    assert {each.status for each in ran.of("early").values()} == {"survived"}


def test_control_without_tests_everything_survives(tmp_path: Path) -> None:
    root = project(tmp_path / "project", "import m\n\ndef test_nothing():\n    pass\n")
    mutants = [m for m in mutants_of(Path("m.py"), root) if m.function in ("next_of", "drawn")]
    results = run(root, mutants).results.values()
    assert len(results) == len(mutants) > 0
    assert {each.status for each in results} == {"survived"}


def test_control_a_test_that_fails_anyway_is_no_killer(tmp_path: Path) -> None:
    root = project(
        tmp_path / "project", "import m\n\ndef test_no():\n    assert m.next_of(1) == 7\n"
    )
    found = run(root, mutants_of(Path("m.py"), root)[:3])
    assert found.results == {}
    assert found.failing == ["tests/test_m.py::test_no: assert 2 == 7"]


LEFT = """
    import os

    import m

    def test_next(tmp_path):
        assert tmp_path.parent.name == str(os.getpid()), "the folder is another fork's too"
        assert m.next_of(1) == 2
"""


def test_what_a_killed_test_leaves_is_in_no_other_ones_way(tmp_path: Path) -> None:
    root = project(tmp_path / "project", LEFT)
    mutants = [m for m in mutants_of(Path("m.py"), root) if m.function in ("next_of", "larger")]
    found = run(root, mutants)
    assert found.failing == []
    assert {each.by for each in found.results.values() if each.status == "killed"} == {
        "tests/test_m.py::test_next"
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")
def test_what_a_fork_has_mounted_and_left_goes_with_its_folder(tmp_path: Path) -> None:
    disk = tmp_path / "fork" / "test_disk0" / "disk"
    disk.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=False).returncode
    if mounted != 0:
        pytest.skip("this machine mounts nothing, root or not")
    with (disk / "open").open("w"):  # and somebody still writes there
        clear(tmp_path / "fork")
    assert not (tmp_path / "fork").exists()
    assert str(disk) not in Path("/proc/self/mounts").read_text("utf-8")


def test_what_a_killed_run_left_goes_with_the_next_one_and_a_living_one_keeps_its_own(
    tmp_path: Path,
) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f"run-{ended.pid}-left" / "worker-0").mkdir(parents=True)
    (tmp_path / f"run-{os.getpid()}-living").mkdir()
    with workers(tmp_path, tmp_path, (), 0):
        assert not (tmp_path / f"run-{ended.pid}-left").exists()
        assert len(list(tmp_path.glob("run-*"))) == 2  # the living one and its own
    assert [each.name for each in tmp_path.iterdir()] == [f"run-{os.getpid()}-living"]


def test_control_a_tool_that_breaks_has_killed_nothing() -> None:
    def breaks(_: object) -> None:
        raise RuntimeError("the harness itself")

    def vanishes(_: object) -> None:
        os._exit(0)

    assert Child(breaks, 10.0).verdict()["status"] == "error"
    assert "the harness itself" in Child(breaks, 10.0).verdict()["text"]
    assert Child(vanishes, 10.0).verdict()["status"] == "error"
    killed = Child(lambda tell: os.kill(os.getpid(), 9), 10.0).verdict()
    assert killed["status"] == "error"


def test_memory_is_limited_and_address_space_is_not() -> None:
    def takes(_: object) -> None:
        bytearray(MEMORY_BYTES_MAX + 1)

    def reserves(tell: Any) -> None:
        mmap.mmap(-1, 2 * MEMORY_BYTES_MAX, prot=0).close()
        tell({"passed": 1})

    assert "MemoryError" in Child(takes, 60.0).verdict()["text"]
    assert Child(reserves, 60.0).verdict()["status"] == "survived"


def test_a_second_run_takes_what_the_first_has_kept(ran: Ran) -> None:
    again = run(ran.root, ran.mutants)
    assert again.kept == len(ran.mutants)
    assert again.results == ran.run.results


def test_after_a_change_the_last_killer_is_tried_first_and_nothing_is_believed(
    ran: Ran, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    shutil.copytree(ran.root, root)
    mutants = [each for each in ran.mutants if each.function == "next_of"]
    file = root / "tests" / "test_m.py"
    file.write_text(file.read_text().replace("m.next_of(1) == 2", "m.next_of(3)"))
    weaker = run(root, mutants)
    assert weaker.kept == 0
    assert {each.status for each in weaker.results.values()} == {"survived"}


def test_a_new_test_takes_no_killed_mutant_and_every_survivor(ran: Ran, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(ran.root, root)
    mutants = [each for each in ran.mutants if each.function in ("next_of", "unwatched")]
    file = root / "tests" / "test_more.py"
    file.write_text("import m\n\ndef test_watched():\n    assert m.unwatched(1) == 2\n")
    stronger = run(root, mutants)
    assert stronger.kept == len([each for each in mutants if each.function == "next_of"])
    assert {each.status for each in stronger.results.values()} == {"killed"}


def test_a_budget_that_is_used_up_decides_nothing(ran: Ran, tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    mutants = [each for each in ran.mutants if each.function == "larger"]
    found = run(root, mutants, budget_s=0.0).results.values()
    assert {each.status for each in found} == {"undecided"}


def test_what_is_argued_to_be_equivalent_is_run_all_the_same(ran: Ran, tmp_path: Path) -> None:
    """A wrong argument for ``next_of`` does not keep its mutants from being killed."""
    root = project(tmp_path / "project")
    mutants = [each for each in ran.mutants if each.function in ("next_of", "larger")]
    found = run(root, mutants, argued={each.id for each in mutants})
    assert {each.id: found.results[each.id].status for each in mutants} == {
        each.id: ran.run.results[each.id].status for each in mutants
    }


def test_the_checkout_is_left_alone(ran: Ran) -> None:
    assert (ran.root / "m.py").read_text() == textwrap.dedent(MODULE)
    names = {path.name for path in ran.root.iterdir()}
    assert names == {"m.py", "tests", "pyproject.toml", "store", "build"}
    assert not list((ran.root / "build").rglob("tree"))


def test_results_are_documents(ran: Ran) -> None:
    result = next(iter(ran.run.results.values()))
    assert Result(**json.loads(json.dumps(result.__dict__))) == replace(result)
