"""The command line, the plugin, the waivers: real processes on a small project.

Rules of this file:

*   Each test writes a package and its tests into a fresh folder and runs the instrument there.
*   Exit codes: 0 holds, 1 does not, 2 bad input in one line, 3 no evidence. Each is provoked.
*   What counts and what does not is asked for each group: requirement, unmarked, random by marker,
    by fixture and by hypothesis, failed, skipped, and what runs while tests are collected.

Not here: which gaps there are (`test_gaps.py`).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CODE = '''"""A package."""
LIMIT = 3


def grade(x: int, strict: bool) -> str:
    """Doc."""
    if x > LIMIT and strict:
        return "high"
    return "low"
'''
FULL = "grade(4, True); grade(4, False); grade(1, True)"
PART = "grade(4, True); grade(1, True)"
REST = "grade(4, False)"


@pytest.fixture
def project(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "pack" / "grades.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(project_root)]))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


def mcdc(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verify.mcdc", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write_and_run(project: Path, *bodies: str, head: str = "", words: tuple[str, ...] = ()) -> None:
    """Write and run tests; a body is a marker or nothing, a signature, and calls."""
    text = "import pytest\nfrom hypothesis import given, strategies as st\n"
    text += f"from pack.grades import grade\n{head}\n" + "\n".join(bodies)
    (project / "test_pack.py").write_text(text, encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", *words]
    done = mcdc("run", "pack", "--", "-m", "pytest", *options)
    assert "mcdc: data in build/mcdc.json" in done.stdout, done.stdout + done.stderr


def marked(calls: str, name: str = "full") -> str:
    return f"@pytest.mark.req('R-1')\ndef test_{name}(): {calls}\n"


def report(*words: str) -> tuple[int, dict[str, Any]]:
    done = mcdc("report", "--json", *words)
    return done.returncode, json.loads(done.stdout)


def test_full_coverage_holds(project: Path) -> None:
    write_and_run(project, marked(FULL))
    code, document = report()
    assert (code, document["ok"], document["gaps"]) == (0, True, [])
    assert document["coverage"]["mcdc"] == {"total": 2, "covered": 2, "justified": 0}
    assert document["tests"] == {"requirement": 1}
    assert set(document["modules"]) == {"pack", "pack.grades"}


@pytest.mark.parametrize(
    ("test", "head", "group"),
    [
        (f"def test_more(): {REST}\n", "", "unmarked"),
        (f"@pytest.mark.random\n@pytest.mark.req('R')\ndef test_more(): {REST}\n", "", "random"),
        (f"@pytest.mark.req('R')\ndef test_more(rng): {REST}\n",
         "@pytest.fixture\ndef rng(): return 1\n", "random"),
        (f"@pytest.mark.req('R')\n@given(st.booleans())\ndef test_more(b): {REST}\n", "", "random"),
        (f"@pytest.mark.req('R')\ndef test_more(): {REST}; assert 0\n", "", "failed"),
        (f"@pytest.mark.req('R')\n@pytest.mark.xfail\ndef test_more(): {REST}; assert 0\n", "",
         "failed"),
        (f"@pytest.mark.req('R')\ndef test_more(): {REST}; pytest.skip('no data')\n", "",
         "skipped"),
        (f"@pytest.mark.req('R')\ndef test_more(late): {REST}; pytest.skip('no data')\n",
         "@pytest.fixture\ndef late():\n    yield\n    assert 0\n", "failed"),
        ("", REST, "outside"),
    ],
)  # fmt: skip
def test_what_does_not_count_is_reported_apart(
    project: Path, test: str, head: str, group: str
) -> None:
    write_and_run(project, marked(PART), test, head=head)
    code, document = report()
    assert code == 1
    (gap,) = document["gaps"]
    assert (gap["kind"], gap["item"], gap["reached"]) == ("condition", "2", group)
    assert report("--count", "all")[0] == (0 if group == "unmarked" else 1)


def test_workers_of_xdist_send_their_data(project: Path) -> None:
    write_and_run(project, marked(PART, "a"), marked(REST, "b"), words=("-n", "2"))
    code, document = report()
    assert (code, document["tests"]) == (0, {"requirement": 2})


def test_without_evidence_nothing_holds(project: Path) -> None:
    write_and_run(project, f"def test_more(): {FULL}\n")
    done = mcdc("report")
    assert done.returncode == 3
    assert "not run" in done.stderr


def test_a_program_can_be_run(project: Path) -> None:
    (project / "program.py").write_text(
        f"from pack.grades import grade\n{FULL}\nraise SystemExit(5)"
    )
    assert mcdc("run", "pack", "--", "program.py").returncode == 5
    assert report("--count", "all")[0] == 0
    assert report()[0] == 3


def test_no_source_and_no_byte_code_is_written(project: Path) -> None:
    write_and_run(project, marked(FULL))
    assert (project / "pack" / "grades.py").read_text(encoding="utf-8") == CODE
    assert not list((project / "pack").rglob("*.pyc"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("report", "--data", "none.json"), "none.json: no data"),
        (("run", "nopack", "--", "-m", "this"), "nopack: no module"),
        (("run", "pack", "--", "x.py"), "x.py: no such script"),
        (("run", "pack"), "expected `-- -m module"),
        (("report", "--justify", "none.toml"), "none.toml"),
    ],
)
def test_bad_input_is_one_line(project: Path, words: tuple[str, ...], says: str) -> None:
    write_and_run(project, marked(FULL))
    done = mcdc(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_source_that_changed_since_is_refused(project: Path) -> None:
    write_and_run(project, marked(FULL))
    (project / "pack" / "grades.py").write_text(CODE + "\n", encoding="utf-8")
    done = mcdc("report")
    assert done.returncode == 2
    assert "pack/grades.py: changed since the run" in done.stderr


def test_a_test_that_changed_since_is_refused(project: Path) -> None:
    write_and_run(project, marked(FULL))
    (project / "test_pack.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
    done = mcdc("report")
    assert done.returncode == 2
    assert "test_pack.py: changed since the run" in done.stderr


def test_data_of_another_instrument_is_refused(project: Path) -> None:
    write_and_run(project, marked(FULL))
    path = project / "build" / "mcdc.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"instrument": "0"}), encoding="utf-8")
    done = mcdc("report")
    assert done.returncode == 2
    assert "another instrument made it" in done.stderr


def test_runs_are_merged(project: Path) -> None:
    write_and_run(project, marked(PART))
    os.replace("build/mcdc.json", "build/first.json")
    (project / "test_more.py").write_text(
        "import pytest\nfrom pack.grades import grade\n" + marked(REST), encoding="utf-8"
    )
    mcdc("run", "pack", "--", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_more.py")
    assert report()[0] == 1
    code, document = report("--data", "build/first.json", "--data", "build/mcdc.json")
    assert (code, document["tests"]) == (0, {"requirement": 2})


def test_a_target_loaded_before_is_refused(project: Path) -> None:
    words = ["-p", "pack.grades", "-p", "verify.mcdc.pytest_plugin", "--mcdc", "pack"]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "imported before the instrument" in done.stderr


# --- justifications -------------------------------------------------------------------------------


def excuse(project: Path, **changes: str | int) -> str:
    """Fill in the stub of the one gap and return the file's name."""
    text = mcdc("report", "--stubs").stdout.replace('reason = ""', 'reason = "cannot be"')
    for name, value in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{name} =")]
        shown = f'"{value}"' if isinstance(value, str) else value
        text = "\n".join([*lines[:1], f"{name} = {shown}", *lines[1:]])
    (project / "why.toml").write_text(text, encoding="utf-8")
    return "why.toml"


def test_a_justified_gap_is_none(project: Path) -> None:
    write_and_run(project, marked(PART))
    code, document = report("--justify", excuse(project))
    assert (code, document["gaps"], document["findings"]) == (0, [], [])
    assert document["coverage"]["mcdc"] == {"total": 2, "covered": 1, "justified": 1}
    assert [each["excuse"] for each in document["justified"]] == ["cannot be"]


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ('"low"', '"lower"', False),
        ("x > LIMIT", "x >= LIMIT", False),
        ('"""Doc."""', '"""Another text."""', True),
        ('    return "low"', '    # a comment\n    return "low"', True),
        ("x > LIMIT and strict", "(x > LIMIT) and (strict)", True),
    ],
)
def test_an_excuse_is_void_once_the_code_changes(
    project: Path, old: str, new: str, holds: bool
) -> None:
    write_and_run(project, marked(PART))
    name = excuse(project)
    (project / "pack" / "grades.py").write_text(CODE.replace(old, new), encoding="utf-8")
    write_and_run(project, marked(PART))
    code, document = report("--justify", name)
    assert code == (0 if holds else 1)
    assert holds or any(word in document["findings"][0] for word in ("void", "no such code"))


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [("@keep", "@other", True), ("x > LIMIT", "x >= LIMIT", False)],
)
def test_a_decorator_does_not_void_an_excuse_of_the_body(
    project: Path, old: str, new: str, holds: bool
) -> None:
    path = project / "pack" / "grades.py"
    code = CODE.replace("def grade", "keep = other = lambda f: f\n\n\n@keep\ndef grade")
    path.write_text(code, encoding="utf-8")
    write_and_run(project, marked(PART))
    name = excuse(project)
    path.write_text(code.replace(old, new), encoding="utf-8")
    write_and_run(project, marked(PART))
    assert report("--justify", name)[0] == (0 if holds else 1)


def test_what_a_decorator_decides_hangs_on_the_decorator(project: Path) -> None:
    path = project / "pack" / "grades.py"
    code = "def keep(on): return lambda f: f\n@keep(1 < 2)\ndef grade(x, y): return x\n"
    path.write_text(code, encoding="utf-8")
    write_and_run(project, marked(FULL))
    name = excuse(project)
    assert report("--justify", name)[0] == 0
    path.write_text(code.replace("@keep", "@(lambda on: keep(on))"), encoding="utf-8")
    write_and_run(project, marked(FULL))
    assert report("--justify", name)[0] == 1


def test_an_excuse_for_what_is_covered_is_an_error(project: Path) -> None:
    write_and_run(project, marked(PART))
    name = excuse(project)
    write_and_run(project, marked(FULL))
    code, document = report("--justify", name)
    assert code == 1
    assert "unused: the tests that count show it" in document["findings"][0]


def test_an_excuse_for_what_a_random_test_reached_is_an_error(project: Path) -> None:
    write_and_run(project, marked(PART), f"@pytest.mark.random\ndef test_more(): {REST}\n")
    code, document = report("--justify", excuse(project))
    assert code == 1
    assert "contradicted" in document["findings"][0]


def test_an_excuse_given_twice_is_an_error(project: Path) -> None:
    write_and_run(project, marked(PART))
    path = project / excuse(project)
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    code, document = report("--justify", str(path))
    assert code == 1
    assert "justified before" in document["findings"][0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reason": ""}, "justification 1: reason must be a non-empty str"),
        ({"hash": 3}, "justification 1: hash must be"),
        ({"kind": "line"}, "kind must be one of"),
        ({"colour": "red"}, "unknown field colour"),
    ],
)
def test_a_bad_entry_is_named(project: Path, changes: dict[str, str | int], says: str) -> None:
    write_and_run(project, marked(PART))
    done = mcdc("report", "--justify", excuse(project, **changes))
    assert done.returncode == 2
    assert says in done.stderr


def test_an_excuse_of_a_single_condition_covers_its_branch(project: Path) -> None:
    (project / "pack" / "grades.py").write_text("def grade(x):\n    if x:\n        return 1\n")
    write_and_run(project, marked("grade(1)"))
    stub = mcdc("report", "--stubs").stdout.split("\n\n")
    (entry,) = [each for each in stub if 'kind = "condition"' in each]
    (project / "why.toml").write_text(entry.replace('reason = ""', 'reason = "x is never false"'))
    code, document = report("--justify", "why.toml")
    assert (code, document["gaps"]) == (0, [])
    assert document["coverage"]["branches"] == {"total": 2, "covered": 1, "justified": 1}


def test_text_and_page_name_the_gap(project: Path) -> None:
    write_and_run(project, marked(PART))
    done = mcdc("report", "--html", "out/page.html")
    assert done.returncode == 1
    says = (
        "condition 2 of 2 `strict` never shown to decide: has it T, lacks it F with x &gt; LIMIT=T"
    )
    assert says.replace("&gt;", ">") in done.stdout
    page = (project / "out" / "page.html").read_text(encoding="utf-8")
    assert says in page
    assert "if x &gt; LIMIT and strict:" in page
    # A page that is there is not replaced.
    (project / "out" / "page.html").write_text("another")
    again = mcdc("report", "--html", "out/page.html")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "mcdc: out/page.html: is there already and is not replaced\n"
    assert (project / "out" / "page.html").read_text() == "another"
