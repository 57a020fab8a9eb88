"""pytest's plugin, in runs of pytest: real outcomes, unknown ids, xdist, runs that add up."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = """
import os
import pytest

req = pytest.mark.req

@req("KRN-KILL-001", "SYS-002")
def test_good():
    pass

@req("KRN-KILL-002")
def test_bad():
    assert os.environ.get("MENDED")

@req("KRN-KILL-003")
@pytest.mark.skip(reason="a sample of what is left out")
def test_left_out():
    pass

@req("KRN-KILL-004")
@pytest.mark.xfail(strict=False)
def test_expected_to_fail():
    assert False

@req("KRN-KILL-005")
@pytest.mark.xfail(strict=False)
def test_passes_though_expected_to_fail():
    pass

@pytest.fixture
def torn():
    yield
    raise ValueError

@req("KRN-KILL-006")
def test_torn_down(torn):
    pass

@pytest.fixture
def unset():
    raise ValueError

@req("KRN-KILL-007")
def test_not_set_up(unset):
    pass

@pytest.mark.parametrize("n", [pytest.param(8, marks=req("KRN-KILL-008")), 9])
def test_by_parameter(n):
    pass

def test_without():
    pass
"""
EXPECTED = {
    "test_good": ("passed", ["KRN-KILL-001", "SYS-002"]),
    "test_bad": ("failed", ["KRN-KILL-002"]),
    "test_left_out": ("skipped", ["KRN-KILL-003"]),
    "test_expected_to_fail": ("xfailed", ["KRN-KILL-004"]),
    "test_passes_though_expected_to_fail": ("xpassed", ["KRN-KILL-005"]),
    "test_torn_down": ("failed", ["KRN-KILL-006"]),
    "test_not_set_up": ("failed", ["KRN-KILL-007"]),
    "test_by_parameter[8]": ("passed", ["KRN-KILL-008"]),
}


def play(
    folder: Path, *words: str, sample: str = SAMPLE, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pytest over the sample."""
    (folder / "test_sample.py").write_text(sample)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "certification.requirements.plugin"]
    return subprocess.run(
        [*command, "--rootdir", str(folder), "-p", "no:cacheprovider", str(folder), *words],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **(env or {})},
    )  # fmt: skip


def left(folder: Path) -> dict[str, Any]:
    """Return what the run left."""
    found: dict[str, Any] = json.loads((folder / "build" / "requirements.json").read_text())
    return found


def outcomes(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Return outcome and ids by the test's own name."""
    return {
        name.partition("::")[2]: (row["outcome"], row["requirements"])
        for name, row in left(folder)["tests"].items()
    }


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_outcomes_are_what_happened(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = play(tmp_path, *words)
    assert outcomes(tmp_path) == EXPECTED, done.stdout
    document = left(tmp_path)
    assert document["started"] <= document["finished"]
    assert document["exit_status"] == done.returncode == 1


def test_a_deselected_test_was_not_run(tmp_path: Path) -> None:
    play(tmp_path, "-k", "good")
    assert outcomes(tmp_path) == {"test_good": EXPECTED["test_good"]}


def test_runs_of_the_same_sources_add_up_and_remember_a_failure(tmp_path: Path) -> None:
    play(tmp_path, "-k", "good or bad")
    play(tmp_path, "-k", "bad or by_parameter", env={"MENDED": "1"})
    assert {name: found[0] for name, found in outcomes(tmp_path).items()} == {
        "test_good": "passed", "test_bad": "passed", "test_by_parameter[8]": "passed",
    }  # fmt: skip
    bad = next(row for name, row in left(tmp_path)["tests"].items() if "test_bad" in name)
    assert bad["also_failed"] is True


def test_a_run_of_other_sources_begins_anew(tmp_path: Path) -> None:
    play(tmp_path, "-k", "good")
    path = tmp_path / "build" / "requirements.json"
    path.write_text(json.dumps(left(tmp_path) | {"sources": "of another day"}))
    play(tmp_path, "-k", "by_parameter")
    assert outcomes(tmp_path).keys() == {"test_by_parameter[8]"}


REJECTED = {
    "unknown": ('@pytest.mark.req("KRN-KILL-999")', "no requirement has the id 'KRN-KILL-999'"),
    "no id": ("@pytest.mark.req()", 'expected @pytest.mark.req("ID", …)'),
    "no text": ("@pytest.mark.req([7])", "no requirement has the id [7]"),
    "keyword": ('@pytest.mark.req(id="SYS-001")', 'expected @pytest.mark.req("ID", …)'),
}


@pytest.mark.parametrize(
    ("name", "words"),
    [*((name, ()) for name in REJECTED), ("unknown", ("-n", "2")), ("unknown", ("-k", "good"))],
    ids=[*REJECTED, "xdist", "deselected"],
)
def test_control_a_wrong_mark_ends_the_run_and_names_the_test(
    tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    mark, said = REJECTED[name]
    sample = f"import pytest\n\n{mark}\ndef test_marked(): pass\n\ndef test_good(): pass\n"
    done = play(tmp_path, *words, sample=sample)
    assert done.returncode != 0
    assert f"test_sample.py::test_marked: {said}" in done.stdout
    assert " passed" not in done.stdout


def test_a_worker_that_dies_is_a_failure(tmp_path: Path) -> None:
    sample = (
        'import os, signal, pytest\n\n@pytest.mark.req("SYS-001")\n'
        "def test_dies(): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    play(tmp_path, "-n", "1", "--max-worker-restart", "0", sample=sample)
    assert {name: found[0] for name, found in outcomes(tmp_path).items()} == {"test_dies": "failed"}


def test_collecting_alone_records_nothing(tmp_path: Path) -> None:
    play(tmp_path, "--collect-only")
    assert not (tmp_path / "build").exists()
