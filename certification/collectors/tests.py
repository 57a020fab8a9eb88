"""Claims about recorded test runs and what they covered.

Rules of this file:

*   A test that the tree writes down and no run records was not run: a selection of the
    tests is no run of all of them.
*   Skipped is not passed. A run in which nothing passed or failed is "not run".
*   A run that began before a source file changed speaks of another source: "not run".
*   The corpus of edges holds when the replay drew it up again as it is committed: by its own
    output, else by the one test that does it, passed in a run that speaks of this source.

Not here: MC/DC, which is a claim of its own (``verified.py``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from certification.artefacts import FAILED, PASSED, FileRef, Inputs
from certification.claims import CORPUS, PACKAGE, TEST, Claim, claim_over, listed


def stale_because(inputs: Inputs, started: float) -> str:
    """Return why a test run does not speak of this source; "" where it does."""
    name, changed = inputs.newest_source
    if not started:
        return "the file does not say when the tests ran"
    if changed > started:
        when = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d %H:%M")
        return f"{name} changed after these tests began ({when} UTC)"
    return ""


def missing_tests(inputs: Inputs) -> tuple[str, ...]:
    """Return the tests that the tree writes down and no run records."""
    recorded = {
        (owner, name.partition("[")[0]) for run in inputs.tests for owner, name, _ in run.cases
    }
    return tuple(
        f"{owner}::{name}" for owner, name in inputs.declared_tests if (owner, name) not in recorded
    )


def test_claims(inputs: Inputs) -> list[Claim]:
    text = "Every test in the tree was run and passed"
    tampered = [ref for ref in inputs.junit_files if ref.tampered]
    if tampered:
        return [
            claim_over(
                "TST-PASS",
                text,
                False,
                tampered[0],
                TEST,
                PACKAGE,
                "not the file that the session recorded",
            )
        ]
    if not inputs.tests:
        return [
            claim_over(
                "TST-PASS",
                text,
                None,
                inputs.junit_files[0],
                TEST,
                PACKAGE,
                f"{inputs.junit_files[0].name} is missing",
            )
        ]
    claims = []
    for number, run in enumerate(inputs.tests, 1):
        name = "TST-PASS" if len(inputs.tests) == 1 else f"TST-PASS-{number}"
        detail = f"{run.passed:,} passed, {run.skipped} skipped (not counted as passed)"
        state: bool | None = True
        why = stale_because(inputs, run.started)
        absent = missing_tests(inputs)
        if run.failing:
            state, detail = False, f"failing: {listed(run.failing, 3)}"
        elif run.passed == 0:
            state, detail = None, "no test passed or failed"
        elif why:
            state, detail = None, why
        elif absent:
            state, detail = None, f"not run: {listed(absent, 3)}"
        claims.append(claim_over(name, text, state, run.file, TEST, PACKAGE, detail))
    return claims


def uncovered(coverage: Mapping[str, Any], folder: str) -> tuple[int, tuple[str, ...]]:
    """Return how many files of ``folder`` were measured, and those not wholly executed."""
    measured = 0
    short = []
    for name, data in sorted(coverage["files"].items()):
        if name.replace("\\", "/").split("/")[0] != folder:
            continue
        measured += 1
        summary = data.get("summary", {})
        lines = summary.get("missing_lines", 1)
        branches = summary.get("missing_branches", 1)
        if lines or branches:
            short.append(f"{name} ({lines} lines, {branches} branches)")
    return measured, tuple(short)


def coverage_claims(inputs: Inputs) -> list[Claim]:
    text = "The tests execute every statement and branch of kernel/ (MC/DC is a claim of its own)"
    file, coverage = inputs.coverage_file, inputs.coverage
    command = "coverage run -m pytest && coverage json"
    if coverage is None:
        why = (
            "not the file that the session recorded" if file.present else f"{file.short} is missing"
        )
        return [
            claim_over(
                "COV-BRANCH", text, False if file.present else None, file, command, PACKAGE, why
            )
        ]
    measured, short = uncovered(coverage, "kernel")
    state = None if not measured else not short
    detail = listed(short, 3) if short else f"{measured} files"
    return [claim_over("COV-BRANCH", text, state, file, command, PACKAGE, detail)]


EDGE_TEST = ("tests.conformance.test_edges", "test_every_edge_is_the_kernels_too")


def _edge_tests(inputs: Inputs) -> tuple[bool | None, FileRef, str]:
    """Return state, file and detail of the corpus, from the one test that replays it."""
    owner, stem = EDGE_TEST
    for run in inputs.tests:
        outcomes = [
            found for where, name, found in run.cases if where == owner and name.startswith(stem)
        ]
        if FAILED in outcomes:
            return False, run.file, "the replay's test fails"
        if PASSED in outcomes:
            why = stale_because(inputs, run.started)
            return (None, run.file, why) if why else (True, run.file, "")
    return None, inputs.corpus_file, "neither the replay's output nor its test is recorded"


def corpus_claims(inputs: Inputs) -> list[Claim]:
    """Return the claim that kernel and models agree on every edge."""
    text = "Every edge of the models' state graphs replays through the kernel with the same outcome"
    pinned = inputs.pinned_corpus
    edges = sum(graph["edges"] for graph in (pinned or {}).get("graphs", []))
    state: bool | None
    if inputs.corpus_file.tampered:
        state, file, detail = False, inputs.corpus_file, "not the file that the session recorded"
    elif pinned is None:
        state, file = None, inputs.corpus_file
        detail = f"{inputs.pinned_corpus_file.name} is missing"
    elif inputs.corpus is not None:
        state, file = inputs.corpus == pinned, inputs.corpus_file
        detail = "" if state else f"differs from {inputs.pinned_corpus_file.name}"
    else:
        state, file, detail = _edge_tests(inputs)
    if state and not edges:
        state, detail = None, "the corpus holds no edge"
    return [
        claim_over("CON-EDGES", text, state, file, CORPUS, PACKAGE, detail or f"{edges:,} edges")
    ]
