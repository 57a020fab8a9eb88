"""The suite's pace: longest pieces first, each file one piece, and a line on what runs."""

import json
import subprocess
import sys
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


def test_a_run_of_two_workers_hands_out_pieces_and_says_what_runs(tmp_path: Path) -> None:
    """A real run: the lone worker with the longest piece is named while it works."""
    (tmp_path / "build").mkdir()
    (tmp_path / "tests").mkdir()
    text = (ROOT / "tests" / "pacing.py").read_text("utf-8")
    assert text.count(f"SAY_EVERY_S = {SAY_EVERY_S}") == 1
    quick = text.replace(f"SAY_EVERY_S = {SAY_EVERY_S}", "SAY_EVERY_S = 0.3")
    (tmp_path / "tests" / "pacing.py").write_text(quick)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ("tests.pacing",)\n')
    waits = "import threading\ndef test_{0}():\n    threading.Event().wait({1})\n"
    for name, wait in (("a", 0.01), ("b", 0.01), ("c", 1.5)):
        (tmp_path / f"test_{name}.py").write_text(waits.format(name, wait))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of 3 done; now test_c.py::test_c (" in done.stdout
    kept = json.loads((tmp_path / "build" / "durations.json").read_text())
    assert max(kept, key=kept.__getitem__) == "test_c.py::test_c"
