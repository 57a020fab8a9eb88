"""The recorded tests speak for this source only if they ran on it, all of them."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from certification.standing import Now, reads
from tests.tidy.findings import ROOT
from verify.item import DOES_NOT_HOLD, FAST, HOLDS, NOT_RUN, Context, Outcome
from verify.store import Store
from verify.suite import JUNIT, SOURCES_SAID, run

CASE = '<testcase classname="tests.test_x" name="{name}" time="0.1">{inside}</testcase>'


def outcome(root: Path, cases: str, sources: str | None = None) -> Outcome:
    (root / "build").mkdir(exist_ok=True)
    said = Now(root).inputs(reads(root)["tests"]) if sources is None else sources
    told = f'<property name="{SOURCES_SAID}" value="{said}"/>' if said else ""
    (root / JUNIT).write_text(
        f'<testsuites><testsuite name="pytest"><properties>{told}</properties>{cases}'
        "</testsuite></testsuites>"
    )
    return run(Context(FAST, root, Store(root / "store"), lambda done, total, what: None))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    test = tmp_path / "tests" / "test_x.py"
    test.parent.mkdir()
    test.write_text("def test_a(): ...\nclass TestB:\n    def test_c(self): ...\n")
    table = tmp_path / "certification" / "inputs.toml"
    table.parent.mkdir()
    table.write_text('[item.tests]\nexact = true\nfiles = ["tests/**/*.py"]\n')
    return tmp_path


A = CASE.format(name="test_a[1]", inside="")
C = CASE.format(name="test_c", inside="").replace("tests.test_x", "tests.test_x.TestB")


def test_all_run_and_passed_holds(house: Path) -> None:
    found = outcome(house, A + C)
    assert (found.status, found.figures["passed"]) == (HOLDS, 2)


def test_a_failure_is_named(house: Path) -> None:
    bad = CASE.format(name="test_a[2]", inside='<failure message="no"/>')
    found = outcome(house, A + C + bad)
    assert found.status == DOES_NOT_HOLD
    assert found.findings == ("tests.test_x::test_a[2]: no",)


def test_control_a_test_that_was_left_out_is_not_run(house: Path) -> None:
    found = outcome(house, A)
    assert found.status == NOT_RUN
    assert "tests.test_x.TestB::test_c" in found.detail


def test_control_a_run_of_other_sources_is_not_run_and_times_say_nothing(house: Path) -> None:
    test = house / "tests" / "test_x.py"
    now = Now(house).inputs(reads(house)["tests"])
    os.utime(test, (1_900_000_000, 1_900_000_000))
    assert outcome(house, A + C, now).status == HOLDS
    test.write_text(test.read_text() + "# one more line\n")
    found = outcome(house, A + C, now)
    assert found.status == NOT_RUN
    assert f"{JUNIT} is of other sources" in found.detail
    assert f"{JUNIT} does not say of which sources" in outcome(house, A + C, "").detail


def test_what_pytest_leaves_says_of_which_sources_it_is(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    words = ["-q", "-n", "2", "-p", "certification.junit", f"--junitxml={junit}", str(tmp_path)]
    (tmp_path / "test_one.py").write_text("def test_it(): ...\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--rootdir", str(tmp_path), "-c", "/dev/null"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    found = ElementTree.parse(junit).getroot().iter("property")
    said = {one.get("name"): one.get("value") for one in found}
    assert said == {SOURCES_SAID: Now(ROOT).inputs(reads(ROOT)["tests"])}


def test_no_record_is_not_run(house: Path) -> None:
    found = run(Context(FAST, house, Store(house / "store"), lambda done, total, what: None))
    assert found.status == NOT_RUN
    assert "`make test` makes it" in found.detail


def test_all_skipped_is_not_run(house: Path) -> None:
    inside = '><skipped message="no data"/></t'
    found = outcome(house, (A + C).replace("></t", inside))
    assert found.status == NOT_RUN
