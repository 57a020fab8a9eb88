"""The suite's pace: longest pieces first, each file one piece, and a line on what runs."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.pacing import SAY_EVERY_S, Pace, Spread, longest_first, measured, piece_of

ROOT = Path(__file__).resolve().parent.parent


def whole_files(_: str) -> bool:
    return False


def test_longest_pieces_come_first_and_a_piece_stays_together() -> None:
    tests = ["a.py::one", "b.py::one", "a.py::two", "b.py::two"]
    seconds = {"a.py::one": 1.0, "a.py::two": 2.0, "b.py::one": 0.5, "b.py::two": 9.0}
    order = longest_first(tests, seconds, set(), whole_files)
    assert order == ["b.py::one", "b.py::two", "a.py::one", "a.py::two"]


def test_a_spread_file_is_many_pieces() -> None:
    tests = ["a.py::one", "b.py::one", "a.py::two"]
    seconds = {"a.py::one": 1.0, "b.py::one": 2.0, "a.py::two": 3.0}
    order = longest_first(tests, seconds, set(), lambda file: file == "a.py")
    assert order == ["a.py::two", "b.py::one", "a.py::one"]
    assert piece_of("b.py::one[x::y]", whole_files) == "b.py"


def test_what_was_never_measured_comes_first_and_slow_ones_before_it() -> None:
    tests = ["long.py::one", "new.py::one", "slow.py::one"]
    order = longest_first(tests, {"long.py::one": 900.0}, {"slow.py::one"}, whole_files)
    assert order == ["slow.py::one", "new.py::one", "long.py::one"]


def test_a_file_says_itself_that_its_tests_are_spread(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("pytestmark = pytest.mark.spread\n")
    (tmp_path / "b.py").write_text("pytestmark = pytest.mark.slow\n")
    spread = Spread(tmp_path)
    assert [spread(name) for name in ("a.py", "b.py", "absent.py")] == [True, False, False]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": "long"}'])
def test_durations_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "durations.json"
    assert measured(path) == {}
    path.write_text(text)
    assert measured(path) == {}


def test_the_line_says_how_far_and_what_runs_longest_first(pytestconfig: pytest.Config) -> None:
    pace = Pace(pytestconfig)
    pace.began, pace.total, pace.done = 100.0, 9, {"x", "y"}
    pace.running = {"late": 190.0, "early": 110.0}
    assert pace.line(200.0) == "[1:40] 2 of 9 done; now early (90 s), late (10 s)"


def run_of_two_workers(
    folder: Path, tests: dict[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a suite of its own under this pacing, which here speaks every 0.3 s."""
    (folder / "build").mkdir()
    (folder / "tests").mkdir()
    text = (ROOT / "tests" / "pacing.py").read_text("utf-8")
    assert text.count(f"SAY_EVERY_S = {SAY_EVERY_S}") == 1
    quick = text.replace(f"SAY_EVERY_S = {SAY_EVERY_S}", "SAY_EVERY_S = 0.3")
    (folder / "tests" / "pacing.py").write_text(quick)
    (folder / "conftest.py").write_text('pytest_plugins = ("tests.pacing",)\n')
    for name, source in tests.items():
        (folder / f"test_{name}.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider",
         *words],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def test_a_run_of_two_workers_hands_out_pieces_and_says_what_runs(tmp_path: Path) -> None:
    """A real run: the lone worker with the longest piece is named while it works."""
    waits = "import threading\ndef test_{0}():\n    threading.Event().wait({1})\n"
    seconds = {"a": 0.01, "b": 0.01, "c": 1.5}
    tests = {name: waits.format(name, wait) for name, wait in seconds.items()}
    done = run_of_two_workers(tmp_path, tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of 3 done; now test_c.py::test_c (" in done.stdout
    kept = json.loads((tmp_path / "build" / "durations.json").read_text())
    assert max(kept, key=kept.__getitem__) == "test_c.py::test_c"


def test_a_worker_that_is_killed_fails_its_test_once_and_what_it_left_is_run(
    tmp_path: Path,
) -> None:
    """While the other worker is kept busy, the one that comes instead gets a piece of one test."""
    tests = {
        "a": "import os, signal\n"
        "def test_1(): pass\n"
        "def test_2(): os.kill(os.getpid(), signal.SIGKILL)\n"
        "def test_3(): pass\n",
        "b": "import pathlib, threading, time\n"
        "def test_1():\n"
        "    until = time.monotonic() + 120\n"
        "    while not pathlib.Path('c-ran').exists():\n"
        "        assert time.monotonic() < until, 'nobody ran what the dead worker left'\n"
        "        threading.Event().wait(0.05)\n"
        "def test_2(): pass\n"
        "def test_3(): pass\n",
        "c": "import pathlib\ndef test_1(): pathlib.Path('c-ran').touch()\n",
    }
    done = run_of_two_workers(tmp_path, tests, "--junitxml=junit.xml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 6 passed" in done.stdout
    assert done.stdout.count("replacing crashed worker") == 1
    cases = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    failed = [(case.get("classname"), case.get("name")) for case in cases if len(case)]
    assert failed == [("test_a", "test_2")]
    kept = json.loads((tmp_path / "build" / "durations.json").read_text())
    assert "test_a.py::test_2" not in kept
    assert len(kept) == 6


def test_workers_sort_by_what_was_measured_as_the_run_began(tmp_path: Path) -> None:
    """A worker that comes later must collect the same order, though durations were kept since."""
    kept = {"test_a.py::test_1": 1.0, "test_a.py::test_2": 1.0, "test_b.py::test_1": 9.0}
    later = json.dumps(kept)
    tests = {
        "a": "import os, pathlib, signal\n"
        "def test_1():\n"
        f"    pathlib.Path('build/durations.json').write_text({later!r})\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "def test_2(): pass\n",
        "b": "def test_1(): pass\n",
    }
    done = run_of_two_workers(tmp_path, tests)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
