"""Children of a test: recorded when the test asks for it, killed or not, and never disturbed.

Rules of this file:

*   One run of one small project. Each row of the tables has a function of its own in the project's
    package; a test of the project has a child call it, and the report says whether it counted.
*   What must not count is a control: it shows that a child is no better than its test.

Not here: the instrument itself (`test_gaps.py`), groups without children (`test_plugin.py`).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAD = """\
import os, subprocess, sys
import pytest

LATE = []


def child(call, *, first="0", last="0", env=None):
    code = f"{first}\\nfrom pack import rows\\n{call}\\n{last}"
    return subprocess.run([sys.executable, "-c", code], env=env).returncode
"""
ASKED = ("children", "req('R')")
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))"
KILLED = "import os; os.kill(os.getpid(), 9)"
INNER = "from pack import rows; rows.grandchild(1); rows.grandchild(0)"
FORKED = (
    "import os\nif os.fork() == 0:\n    rows.forked(1), rows.forked(0)\n    os._exit(0)\n"
    "assert os.wait()[1] == 0"
)
# The function's name: the markers of the test, and its body. CALLS stands for the function's calls.
COUNTS: dict[str, tuple[tuple[str, ...], str]] = {
    "plain": (ASKED, "assert child(CALLS) == 0"),
    "killed": (ASKED, f"assert child(CALLS, last={KILLED!r}) == -9"),
    "grandchild": (
        ASKED,
        f"inner = {INNER!r}; assert child('import subprocess, sys; subprocess.run("
        "[sys.executable, \"-c\", ' + repr(inner) + '], check=True)') == 0",
    ),
    "by_name": (ASKED, "assert subprocess.run([sys.executable, '-m', 'pack']).returncode == 3"),
    "small_files": (ASKED, f"assert child({LIMIT!r} + ';' + CALLS) == 0"),
    "theirs_too": (ASKED, "assert child(CALLS, last='import sys; assert sys.mine == 1') == 0"),
}  # fmt: skip
# Likewise, and the group that the report names for what was reached.
DOES_NOT_COUNT: dict[str, tuple[tuple[str, ...], str, str]] = {
    "not_asked": (("req('R')",), "assert child(CALLS) == 0", ""),
    "no_requirement": (("children",), "assert child(CALLS) == 0", "unmarked"),
    "by_chance": (("children", "random", "req('R')"), "assert child(CALLS) == 0", "random"),
    "not_passed": (ASKED, "assert child(CALLS) == 1", "failed"),
    "forked": (ASKED, f"assert child({FORKED!r}) == 0", ""),
    "unrecorded": (ASKED, f"assert child(CALLS, first={LIMIT!r}) == 0", ""),
    "another_source": (
        ASKED, "assert child(CALLS, first=\"import sys; sys.path.insert(0, 'other')\") == 0", "",
    ),
    "folder_gone": (
        ASKED, "assert child(CALLS, env=dict(os.environ) | {'MCDC_CHILDREN': '/none'}) == 0", "",
    ),
    "after_its_test": (
        ASKED,
        "LATE.append(subprocess.Popen([sys.executable, '-c', 'from pack import rows\\ninput()\\n'"
        " + CALLS + '\\nprint(1)'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))",
        "",
    ),
}  # fmt: skip
LAST = """
@pytest.mark.children
@pytest.mark.req('R')
def test_the_late_one_ends():
    assert LATE[0].communicate('go\\n')[0] == '1\\n'


@pytest.mark.req('R')
def test_the_environment_is_as_before():
    assert 'MCDC_CHILDREN' not in os.environ
    assert 'bootstrap' not in os.environ['PYTHONPATH']
"""


def calls(name: str) -> str:
    return f"rows.{name}(1); rows.{name}(0)"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> dict[str, Any]:
    """Run the project and return its report."""
    folder = tmp_path_factory.mktemp("children")
    table = {name: row[:2] for name, row in (COUNTS | DOES_NOT_COUNT).items()}
    rows = "".join(f"def {n}(x):\n    if x:\n        return 1\n    return 0\n\n\n" for n in table)
    tests = [
        "".join(f"@pytest.mark.{mark}\n" for mark in marks)
        + f"def test_{name}():\n    {body.replace('CALLS', repr(calls(name)))}\n"
        for name, (marks, body) in table.items()
    ]
    for package in (folder / "pack", folder / "other" / "pack"):
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "rows.py").write_text(rows)
    (folder / "pack" / "__main__.py").write_text(
        f"import sys\nfrom pack import rows\n{calls('by_name')}\nsys.exit(3)\n"
    )
    (folder / "sitecustomize.py").write_text("import sys\nsys.mine = 1\n")
    (folder / "test_pack.py").write_text("\n\n".join([HEAD, *tests, LAST]))
    env = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(folder), str(project_root)])}
    env.pop("PYTEST_ADDOPTS", None)

    def mcdc(*words: str) -> str:
        command = [sys.executable, "-m", "verify.mcdc", *words]
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    said = mcdc("run", "pack", "--", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 failed, 16 passed" in said, said
    found: dict[str, Any] = json.loads(mcdc("report", "--json"))
    return found


def reached(document: dict[str, Any], name: str) -> set[str]:
    """Return for each gap of a function who has reached it without counting."""
    return {gap["reached"] for gap in document["gaps"] if gap["function"] == name}


@pytest.mark.parametrize("name", COUNTS)
def test_what_a_child_reaches_counts_for_its_test(document: dict[str, Any], name: str) -> None:
    assert reached(document, name) == set()


@pytest.mark.parametrize("name", DOES_NOT_COUNT)
def test_control_a_child_is_no_better_than_its_test(document: dict[str, Any], name: str) -> None:
    assert reached(document, name) == {DOES_NOT_COUNT[name][2]}


def test_a_module_that_only_a_child_loads_has_its_figures(document: dict[str, Any]) -> None:
    figures = document["modules"]["pack.__main__"]["statements"]
    assert figures["covered"] == figures["total"] == 5
