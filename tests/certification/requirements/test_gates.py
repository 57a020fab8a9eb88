"""Each gate holds of a sound project, and is shown to fail where what it guards is broken."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certification.requirements.__main__ import main
from certification.requirements.links import ids_in, marks, model_links, python_links
from tests.certification.requirements import a_project
from tests.certification.requirements.a_project import CODE, MODEL, TABLE, TEST, put, record


def asked(root: Path, *words: str) -> Result:
    """Ask the command."""
    place = ["--root", str(root)]
    return CliRunner().invoke(main, ["--check", *place, *words])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return a_project.write(tmp_path)


def test_a_sound_project_holds(project: Path) -> None:
    done = asked(project, "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["ok"], said["findings"]) == (0, True, [])
    assert (said["total"], said["low"], said["high"], said["kernel"]) == (3, 2, 1, 2)
    assert (said["untested"], said["failing"], said["orphans"], said["dangling"]) == (0, 0, 0, 0)
    assert said["verified"] == 2
    one = next(row for row in said["requirements"] if row["id"] == "KRN-KILL-001")
    assert one["code"] == [{"file": "kernel/lamp.py", "line": 4, "where": "put_out"}]
    assert one["spec"] == [{"file": "spec/tla/Lamp.tla", "line": 2, "where": "PutOut"}]
    assert one["tests"] == {"tests/test_lamp.py::test_out": "passed"}
    two = next(row for row in said["requirements"] if row["id"] == "KRN-KILL-002")
    assert two["code"] == [{"file": "kernel/lamp.py", "line": 11, "where": "put_on"}]


def a_table(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        assert old in TABLE
        put(root, "certification/requirements/lamp.toml", TABLE.replace(old, new, 1))
        record(root)

    return change


def a_file(name: str, text: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        assert old in text
        put(root, name, text.replace(old, new, 1))
        record(root)

    return change


LOST = 'parent = "SYS-001"\n\n[KRN-KILL-002]'
OUT, ON = "tests/test_lamp.py::test_out", "tests/test_lamp.py::test_on"
LONELY = '[SYS-001]\ntext = "It shall be lonely."\nparent = "none"\n\n[SYS-009]'
# What is broken → the finding that names it, whole.
REJECTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "parent that is none": (
        a_table(LOST, 'parent = "none"\n\n[KRN-KILL-002]'),
        "certification/requirements/lamp.toml:11: orphan: KRN-KILL-001: no high-level parent none",
    ),
    "parent that is low": (
        a_table(LOST, 'parent = "KRN-KILL-002"\n\n[KRN-KILL-002]'),
        "lamp.toml:11: orphan: KRN-KILL-001: no high-level parent KRN-KILL-002",
    ),
    "parent that is not there": (
        a_table(LOST, 'parent = "SYS-007"\n\n[KRN-KILL-002]'),
        "lamp.toml:11: orphan: KRN-KILL-001: no high-level parent SYS-007",
    ),
    "high-level without a child": (
        a_table(
            "[KRN-KILL-001]",
            f"{LONELY.split('[SYS-009]')[0].replace('SYS-001', 'SYS-002')}[KRN-KILL-001]",
        ),
        "lamp.toml:11: unrefined: SYS-002: no requirement refines it",
    ),
    "id in code that none has": (
        a_file("kernel/lamp.py", CODE, "# KRN-KILL-001", "# KRN-KILL-001, KRN-KILL-007"),
        "kernel/lamp.py:4: dangling: KRN-KILL-007: no requirement has it (code)",
    ),
    "id in a model that none has": (
        a_file("spec/tla/Lamp.tla", MODEL, "PutOn", "\\* ABC-123\nPutOn"),
        "spec/tla/Lamp.tla:4: dangling: ABC-123: no requirement has it (spec)",
    ),
    "id on a test that none has": (
        a_file("tests/test_lamp.py", TEST, '"SYS-001"', '"SYS-001", "SYS-004"'),
        "tests/test_lamp.py:7: dangling: SYS-004: no requirement has it (test)",
    ),
    "no code": (
        a_file("kernel/lamp.py", CODE, "# KRN-KILL-001\n", ""),
        "lamp.toml:11: uncarried: KRN-KILL-001: no code names it",
    ),
    "no model": (
        a_file("spec/tla/Lamp.tla", MODEL, "\\* KRN-KILL-001\n", ""),
        "lamp.toml:11: uncarried: KRN-KILL-001: its method says model, and no module names it",
    ),
    "failing test": (
        lambda root: record(root, {OUT: "failed"}),
        f"tests/test_lamp.py:1: failing: {OUT}: failed (KRN-KILL-001)",
    ),
    "test that should have failed": (
        lambda root: record(root, {OUT: "xpassed"}),
        f"tests/test_lamp.py:1: failing: {OUT}: xpassed (KRN-KILL-001)",
    ),
    "skipped test": (
        lambda root: record(root, {OUT: "skipped"}),
        "untested: KRN-KILL-001: of 1 tests that name it none passed (skipped)",
    ),
    "expected failure": (
        lambda root: record(root, {OUT: "xfailed"}),
        "untested: KRN-KILL-001: of 1 tests that name it none passed (xfailed)",
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_control_each_gate_names_what_is_broken(project: Path, name: str) -> None:
    change, line = REJECTED[name]
    change(project)
    done = asked(project)
    assert done.exit_code == 1
    (found,) = [row for row in done.output.splitlines() if line in row]
    assert found.endswith(line)


def test_control_a_removed_test_is_named_though_nothing_was_run(project: Path) -> None:
    mark = '@pytest.mark.req("KRN-KILL-001")\n'
    put(project, "tests/test_lamp.py", TEST.replace(mark, ""))
    done = asked(project)
    assert done.exit_code == 1
    assert "untested: KRN-KILL-001: no test names it" in done.output
    assert "recorded with other sources" in done.output


def _without(root: Path) -> None:
    (root / "build" / "requirements.json").unlink()


def _garbage(root: Path) -> None:
    put(root, "build/requirements.json", "{")


def _foreign(root: Path) -> None:
    put(root, "build/requirements.json", '{"schema": 1}')


def _newer(root: Path) -> None:
    put(root, "build/requirements.json", '{"schema": 2}')


NOT_RUN = {
    "no outcomes": (_without, "no outcomes"),
    "no JSON": (_garbage, "no JSON document"),
    "another document": (_foreign, "not the plugin's document"),
    "another schema": (_newer, "schema 2, expected 1"),
    "another catalogue": (
        lambda root: put(root, "certification/requirements/lamp.toml", TABLE + "\n"),
        "another catalogue",
    ),
    "other sources": (
        lambda root: put(root, "kernel/lamp.py", CODE + "\n"),
        "other sources",
    ),
    "a test that was not executed": (
        lambda root: record(root, {OUT: "absent"}),
        "no test was executed of KRN-KILL-001",
    ),
}


@pytest.mark.parametrize("name", NOT_RUN)
def test_without_an_outcome_of_these_sources_it_is_not_run(project: Path, name: str) -> None:
    change, words = NOT_RUN[name]
    change(project)
    done = asked(project, "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["ok"], said["status"]) == (3, False, "not run")
    assert words in said["reason"]


def test_bad_input_is_one_line_and_writes_nothing(project: Path, tmp_path: Path) -> None:
    put(project, "certification/requirements/lamp.toml", TABLE.replace("shall", "may", 1))
    place = ["--root", str(project)]
    done = CliRunner().invoke(main, [*place, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("requirements: lamp.toml:7: [SYS-001] text: expected")
    assert not (tmp_path / "out").exists()


def test_a_high_level_requirement_is_as_good_as_its_worst_child(project: Path) -> None:
    record(project, {ON: "failed"})
    said = json.loads(asked(project, "--json").stdout)
    stati = {row["id"]: row["status"] for row in said["requirements"]}
    assert stati == {"SYS-001": "failing", "KRN-KILL-001": "verified", "KRN-KILL-002": "failing"}


def test_what_looks_like_an_id() -> None:
    assert ids_in("KRN-KILL-001, SYS-002; SHA-256 UTF-8 DO-178C KRN-KILL-01 AKRN-KILL-001-X") == [
        "KRN-KILL-001", "SYS-002",
    ]  # fmt: skip


def test_a_comment_belongs_to_what_it_stands_in_or_right_above() -> None:
    text = (
        "# SYS-001\n\nx = 1  # SYS-002\n\n\n# SYS-003\n# and more\n@d\ndef f():\n"
        "    # SYS-004\n    return 1\n\n\nclass C:\n    # SYS-005\n    def g(self):\n        pass\n"
        "\n\ny = 'SYS-006'\n"
    )
    found = {link.requirement: link.where for link in python_links("k.py", text)}
    assert found == {"SYS-001": "", "SYS-002": "", "SYS-003": "f", "SYS-004": "f", "SYS-005": "C.g"}


def test_marks_are_read_wherever_they_stand() -> None:
    text = (
        'pytestmark = pytest.mark.req("SYS-001")\nP = [pytest.param(1, marks=req("SYS-002"))]\n'
        '@pytest.mark.req(\n    "SYS-003",\n    "SYS-004",\n)\ndef test_a(): pass\n'
    )
    found = {link.requirement: (link.line, link.where) for link in marks("t.py", text)}
    assert found == {
        "SYS-001": (1, ""), "SYS-002": (2, ""), "SYS-003": (4, "test_a"), "SYS-004": (5, "test_a"),
    }  # fmt: skip


def test_a_models_comment_belongs_to_its_operator() -> None:
    text = "\\* SYS-001\n\\* more\nF(x, y) ==\n  /\\ x  \\* SYS-002\n(* SYS-003 *)\nG == 1\n"
    found = {link.requirement: link.where for link in model_links("M.tla", text)}
    assert found == {"SYS-001": "F", "SYS-002": "F", "SYS-003": "G"}
    text = "(* SYS-004 *)\nLemma below_true : forall x, x = x.\nProof. (* SYS-005 *)\n"
    found = {link.requirement: link.where for link in model_links("M.v", text)}
    assert found == {"SYS-004": "below_true", "SYS-005": "below_true"}
