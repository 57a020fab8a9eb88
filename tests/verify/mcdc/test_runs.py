"""A report is of the run that was asked about, or it says that there is none.

Rules of this file:

*   A run that leaves without a word leaves no data, and never that of the run before.
*   A child is not disturbed by being measured, and what there was no room for is said.
*   What two threads share is nobody's evidence.

Not here: which tests count (`test_plugin.py`), the children themselves (`test_children.py`).
"""

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CODE = "def f(a, b):\n    return bool(a and b)\n\n\n"
LONG = 8_500
GOOD = "import pk\nfor a in (0, 1):\n    for b in (0, 1): pk.f(a, b)\n"
MARKS = "[pytest]\nmarkers =\n    req\n    children\n    random\n"
PLUGIN = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.fixture
def project(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one decision, `pk.f`."""
    (tmp_path / "pk").mkdir()
    (tmp_path / "pk" / "__init__.py").write_text(CODE)
    (tmp_path / "pytest.ini").write_text(MARKS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(project_root)]))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


@pytest.fixture
def long_project(project: Path) -> Path:
    """The same, and a function, `pk.g`, with more statements than the smaller first block holds."""
    long = "def g(x):\n" + "    x += 1\n" * LONG + "    return x\n"
    (project / "pk" / "__init__.py").write_text(CODE + long)
    return project


def mcdc(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verify.mcdc", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def run_script(text: str) -> int:
    Path("program.py").write_text(text)
    return mcdc("run", "pk", "--", "program.py").returncode


def run_tests(text: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    Path("test_it.py").write_text("import os, sys, subprocess, threading, pytest, pk\n" + text)
    return mcdc("run", "pk", "--", *PLUGIN, *words, **more)


def document(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(mcdc("report", "--json", *words).stdout)
    return found


# --- ends without a word --------------------------------------------------------------------------

ENDINGS = {
    "os._exit": "import os, pk\npk.f(0, 0)\nos._exit(0)\n",
    "a signal": "import os, pk\npk.f(0, 0)\nos.kill(os.getpid(), 9)\n",
    "exec": "import os, sys, pk\npk.f(0, 0)\nos.execv(sys.executable, ['python', '-c', ''])\n",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_run_that_ends_without_a_word_has_no_data(project: Path, name: str) -> None:
    assert run_script(GOOD) == 0
    before = mcdc("report", "--count", "all")
    assert "program" in before.stdout
    run_script(ENDINGS[name])
    done = mcdc("report", "--count", "all")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "the last run began and never ended" in done.stderr


PLACES = {
    "in a test": ("test_it.py", "import os, pk\ndef test_a():\n    pk.f(0, 0)\n    os._exit(0)\n"),
    "while tests are collected": ("test_it.py", "import os\nos._exit(0)\n"),
    "in a conftest": ("conftest.py", "import os\nos._exit(0)\n"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_pytest_that_ends_without_a_word_has_no_data(project: Path, name: str) -> None:
    run_tests("@pytest.mark.req('R')\ndef test_a(): pk.f(0, 0)\n")
    assert document()["tests"] == {"requirement": 1}
    file, text = PLACES[name]
    Path(file).write_text(text)
    mcdc("run", "pk", "--", *PLUGIN)
    assert mcdc("report").returncode == 3


def test_a_run_that_raises_is_data_and_no_evidence(project: Path) -> None:
    assert run_script(GOOD + "raise ValueError('no')\n") == 1
    found = mcdc("report", "--count", "all", "--json")
    assert found.returncode == 3
    assert json.loads(found.stdout)["tests"] == {"failed": 1}


def test_a_fork_of_the_run_writes_nothing(project: Path) -> None:
    fork = "import os, sys, pk\nif os.fork() == 0:\n    pk.f(0, 0)\n    sys.exit(0)\nos.wait()\n"
    assert run_script(fork + GOOD) == 0
    assert document("--count", "all")["gaps"] == []


def test_a_fork_that_outlives_the_run_writes_nothing(project: Path) -> None:
    # It would be the last to write.
    os.mkfifo("go")
    late = (
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    os.closerange(0, 3)\n"
        "    open('pid', 'w').write(str(os.getpid()))\n"
        "    open('go').read()\n"
        "    sys.exit(0)\n"
        "while not os.path.exists('pid') or not open('pid').read(): pass\n"
    )
    assert run_script(late + GOOD) == 0
    assert document("--count", "all")["gaps"] == []
    written = Path("build/mcdc.json").read_bytes()
    ended = select.poll()
    ended.register(os.pidfd_open(int(Path("pid").read_text())), select.POLLIN)
    Path("go").write_text("")
    assert ended.poll(60_000), "the fork did not end"
    assert Path("build/mcdc.json").read_bytes() == written


def test_two_runs_on_one_file_leave_the_later_ones_data(project: Path) -> None:
    inner = (
        "import subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'verify.mcdc', 'run', 'pk', '--', 'b.py'])\n"
        "import pk\npk.f(0, 0)\nsys.exit(done.returncode)\n"
    )
    Path("b.py").write_text(GOOD)
    Path("a.py").write_text(inner)
    done = mcdc("run", "pk", "--", "a.py")
    assert done.returncode == 2
    assert "another run has begun there; this one's data is dropped" in done.stderr
    assert document("--count", "all")["gaps"] == []


def test_a_file_that_cannot_be_written_is_said_before_the_run(project: Path) -> None:
    Path("build").write_text("a file")
    Path("program.py").write_text("print('ran')\n")
    done = mcdc("run", "pk", "--", "program.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mcdc: build/mcdc.json: cannot be written (File exists)\n"


def test_a_source_that_is_no_python_is_named(project: Path) -> None:
    (project / "pk" / "later.py").write_text("x = 1\nmatch match case\n")
    assert run_script(GOOD) == 0
    done = mcdc("report", "--count", "all")
    assert done.returncode == 2
    assert done.stderr == f"mcdc: {Path('pk') / 'later.py'}:2: no Python: invalid syntax\n"


# --- threads --------------------------------------------------------------------------------------

LEFT = """
go, ended = threading.Event(), threading.Event()
def late():
    go.wait()
    pk.f(1, 0), pk.f(1, 1), pk.f(0, 1)
    ended.set()
@pytest.mark.req('R')
def test_leaves_a_thread(): threading.Thread(target=late, daemon=True).start()
@pytest.mark.req('R')
def test_gets_what_it_did():
    go.set()
    assert ended.wait(30)
@pytest.mark.req('R')
def test_own_threads_count():
    for thread in [t for t in threading.enumerate() if t._target is late]: thread.join()
"""
OWN = """
@pytest.mark.req('R')
def test_joins_its_threads():
    threads = [threading.Thread(target=pk.f, args=pair) for pair in ((1, 0), (1, 1), (0, 1))]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_what_a_thread_does_that_an_earlier_test_left_is_no_evidence(project: Path) -> None:
    assert run_tests(LEFT).returncode == 0
    found = document()
    assert found["tests"]["beside"] >= 1
    assert {gap["reached"] for gap in found["gaps"] if gap["function"] == "f"} == {"beside"}


def test_what_a_tests_own_threads_do_is_its_evidence(project: Path) -> None:
    assert run_tests(OWN).returncode == 0
    found = document()
    assert found["tests"] == {"requirement": 1}
    assert found["gaps"] == []


# --- children, and no room ------------------------------------------------------------------------

CHILD = """
CHILD = '''
import os, tempfile, pk
pk.f(1, 0), pk.f(1, 1), pk.f(0, 1)
{more}
print(pk.g(0))
'''
@pytest.mark.req('R')
@pytest.mark.children
def test_a():
    done = subprocess.run([sys.executable, '-c', CHILD], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, '8500\\n', ''), done
"""
FILL = """
fill = os.open(os.path.join(tempfile.gettempdir(), 'fill'), os.O_WRONLY | os.O_CREAT)
try:
    while True: os.write(fill, b'x' * 4096)
except OSError: pass
"""
SMALL = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({n}, {n}))\n"
CLOSES = """
os.closerange(3, 256)
mine = [os.open(f'mine-{n}', os.O_RDWR | os.O_CREAT) for n in range(20)]
sys_path_is_longer = __import__('pk.other')
"""


def test_a_child_with_little_room_records_what_it_can_and_says_so(long_project: Path) -> None:
    # 100 kB are room for the smaller first block, and not for a second.
    done = run_tests(SMALL.format(n=100_000) + CHILD.format(more=""))
    assert done.returncode == 0, done.stdout
    assert "1 child processes had no room to record in" in done.stdout
    found = document()
    assert found["unrecorded"] == 1
    assert {gap["function"] for gap in found["gaps"]} == {"g"}


def test_a_child_without_room_records_nothing_and_says_so(long_project: Path) -> None:
    done = run_tests(SMALL.format(n=30_000) + CHILD.format(more=""))
    assert done.returncode == 0, done.stdout
    found = document()
    assert found["unrecorded"] == 1
    assert {gap["function"] for gap in found["gaps"]} == {"f", "g"}


def test_a_childs_own_files_are_never_written_to(long_project: Path) -> None:
    # It closes all that it finds, as a daemon does; the numbers are then its own files'.
    (long_project / "pk" / "other.py").write_text("x = 1\n")
    done = run_tests(CHILD.format(more=CLOSES))
    assert done.returncode == 0, done.stdout
    assert [(long_project / f"mine-{n}").read_bytes() for n in range(20)] == [b""] * 20


def test_a_child_outlives_a_full_disk(long_project: Path) -> None:
    # To touch a mapped page for which a full disk has no room is a bus error.
    (long_project / "tmp").mkdir()
    (long_project / "test_it.py").write_text(
        "import os, sys, subprocess, threading, pytest, pk\n" + CHILD.format(more=FILL)
    )
    words = [sys.executable, "-m", "verify.mcdc", "run", "pk", "--", *PLUGIN]
    mounted = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(long_project / "tmp")]
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "-rm", *mounted], capture_output=True).returncode
    ):
        pytest.skip("this machine lets nobody mount a small disk of his own")
    script = 'mount -t tmpfs -o size=512k tmpfs "$0" && exec "$@"'
    done = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, str(long_project / "tmp"), *words],
        capture_output=True, text=True, check=False,
        env=dict(os.environ) | {"TMPDIR": str(long_project / "tmp")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert document()["unrecorded"] == 1


# --- somewhere else -------------------------------------------------------------------------------


def test_the_folder_works_under_any_name(long_project: Path, project_root: Path) -> None:
    home = long_project / "theirs"
    shutil.copytree(project_root / "verify" / "mcdc", home / "coverage_tool")
    (long_project / "test_it.py").write_text(
        "import os, sys, subprocess, threading, pytest, pk\n" + CHILD.format(more="")
    )
    env = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(long_project), str(home)])}
    words = [sys.executable, "-m", "coverage_tool"]
    done = subprocess.run([*words, "run", "pk", "--", *PLUGIN], env=env, check=False)
    assert done.returncode == 0
    told = subprocess.run([*words, "report"], env=env, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, ""), told
