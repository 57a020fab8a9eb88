"""The tests: every test in the tree was run on this source and passed.

Rules of this file:

*   What ``make test`` recorded (``build/junit.xml``) is read where it speaks of this source, by
    hash (``certification/junit.py`` writes it down). Where it does not, the full lane runs the
    tests; the fast lane runs the kernel's alone, names what fails, and else is "not run".
*   Skipped is not passed, and is said by number.

Not here: which requirement a test verifies (``requirements.py``).
"""

import ast
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from verify.inputs import files_of
from verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from verify.records import recorded

JUNIT = "build/junit.xml"
SOURCES_SAID = "sources_sha256"
KERNEL_JUNIT = "build/junit-kernel.xml"
KERNEL_TESTS = ("tests/kernel", "tests/conformance/test_names.py")


def stale(root: Path, suite: ElementTree.Element) -> str:
    """Return why a run does not speak of this source; "" where it does.

    Raises ``RecordsUnreadable``.
    """
    said = [one.get("value") for one in suite.iter("property") if one.get("name") == SOURCES_SAID]
    if not said:
        return f"{JUNIT} does not say of which sources it is"
    now = recorded(root, [ITEM.name])[ITEM.name].inputs_sha256
    return "" if said == [now] else f"{JUNIT} is of other sources"


def read(root: Path, name: str = JUNIT) -> ElementTree.Element | None:
    """Return the recorded suite, None where there is none that can be read."""
    try:
        tree = ElementTree.parse(root / name)
    except (OSError, ElementTree.ParseError):
        return None
    return tree.getroot().find("testsuite")


def written_down(root: Path) -> set[tuple[str, str]]:
    """Return (module or class, name) of each test that a file below ``tests/`` writes down."""
    found = set()
    for path in (root / "tests").rglob("test_*.py"):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        body = ast.parse(path.read_text(encoding="utf-8")).body
        owners = [(module, body)]
        owners += [
            (f"{module}.{node.name}", node.body)
            for node in body
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
        ]
        found |= {
            (owner, node.name)
            for owner, inner in owners
            for node in inner
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        }
    return found


def said_of(case: ElementTree.Element) -> str:
    """Return one line on a test that failed: its name, and the first line of what it said."""
    problem = next(child for child in case if child.tag in ("failure", "error"))
    lines = problem.get("message", "").splitlines()
    return f"{case.get('classname')}::{case.get('name')}: {lines[0] if lines else 'failed'}"[:300]


def judged(suite: ElementTree.Element, expected: set[tuple[str, str]]) -> Outcome:
    """Return what a recorded suite says; ``expected`` are the tests that it must have."""
    cases = suite.findall("testcase")
    recorded = {
        (str(case.get("classname")), str(case.get("name")).partition("[")[0]) for case in cases
    }
    absent = sorted(expected - recorded)
    skipped = [case for case in cases if case.find("skipped") is not None]
    failing = [
        case for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]  # fmt: skip
    passed = len(cases) - len(skipped) - len(failing)
    figures = {"passed": passed, "failing": len(failing), "skipped": len(skipped)}
    detail = f"{passed:,} passed, {len(failing)} failing, {len(skipped)} skipped (not passed)"
    findings = tuple(said_of(case) for case in failing)
    if failing:
        return Outcome(DOES_NOT_HOLD, detail, figures, findings)
    if absent:
        first = ", ".join("::".join(name) for name in absent[:3])
        return Outcome(NOT_RUN, f"{len(absent)} tests of the tree were not run: {first}", figures)
    return Outcome(HOLDS if passed else NOT_RUN, detail, figures)


def tested(context: Context, junit: str, *what: str) -> ElementTree.Element | None:
    """Run pytest, now; return the suite that it recorded."""
    context.tell(0, 1, "pytest")
    (context.root / junit).unlink(missing_ok=True)
    words = ["-m", "pytest", "-q", "-n", str(context.jobs), "--dist", "loadfile", *what]
    subprocess.run(
        [sys.executable, *words, f"--junitxml={junit}"],
        cwd=context.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return read(context.root, junit)


def run(context: Context) -> Outcome:
    """Read the record; where there is none of this source, run the tests that the lane affords."""
    suite = read(context.root)
    why = f"no {JUNIT}" if suite is None else stale(context.root, suite)
    if why and context.lane == FULL:
        suite = tested(context, JUNIT)
        why = f"no {JUNIT}" if suite is None else stale(context.root, suite)
    elif why:
        of_kernel = tested(context, KERNEL_JUNIT, *KERNEL_TESTS)
        found = None if of_kernel is None else judged(of_kernel, set())
        if found is not None and found.status == DOES_NOT_HOLD:
            return found
        passed = 0 if found is None else found.figures["passed"]
        why += f"; {passed} tests of the kernel passed"
    if suite is None or why:
        return Outcome(NOT_RUN, f"{why}; `make test` makes it", {"not_run": why})
    return judged(suite, written_down(context.root))


ITEM = Item(
    name="tests",
    claim="Every test was run on this source and passed",
    section="tests",
    inputs=(JUNIT, *files_of("tests")),
    seconds={FAST: 1.0, FULL: 600.0},
    run=run,
)
