"""The recorded tests speak for this source only if they ran on it, all of them."""

import os
from pathlib import Path

import pytest

from verify.item import DOES_NOT_HOLD, FAST, HOLDS, NOT_RUN, Context, Outcome
from verify.store import Store
from verify.suite import JUNIT, run

CASE = '<testcase classname="tests.test_x" name="{name}" time="0.1">{inside}</testcase>'
OLD, NEW = 1_700_000_000, 1_900_000_000


def outcome(root: Path, cases: str, when: str = "2026-11-21T06:00:00+00:00") -> Outcome:
    (root / "build").mkdir(exist_ok=True)
    (root / JUNIT).write_text(
        f'<testsuites><testsuite name="pytest" timestamp="{when}">{cases}</testsuite></testsuites>'
    )
    return run(Context(FAST, root, Store(root / "store"), lambda done, total, what: None))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    test = tmp_path / "tests" / "test_x.py"
    test.parent.mkdir()
    test.write_text("def test_a(): ...\nclass TestB:\n    def test_c(self): ...\n")
    os.utime(test, (OLD, OLD))
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


def test_control_a_source_that_changed_since_is_not_run(house: Path) -> None:
    os.utime(house / "tests" / "test_x.py", (NEW, NEW))
    found = outcome(house, A + C)
    assert found.status == NOT_RUN
    assert "tests/test_x.py changed after the tests began" in found.detail


def test_no_record_is_not_run(house: Path) -> None:
    found = run(Context(FAST, house, Store(house / "store"), lambda done, total, what: None))
    assert found.status == NOT_RUN
    assert "`make test` makes it" in found.detail


def test_all_skipped_is_not_run(house: Path) -> None:
    inside = '><skipped message="no data"/></t'
    found = outcome(house, (A + C).replace("></t", inside))
    assert found.status == NOT_RUN
