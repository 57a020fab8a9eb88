"""Claims about recorded test runs and what they covered.

Rules of this file:

*   Skipped is not passed. A run in which nothing passed or failed is "not run".
*   A run that ended before a source file changed speaks of another source: "not run".

Not here: MC/DC, which is a claim of its own (``later.py``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from certification.artefacts import Inputs
from certification.claims import PACKAGE, TEST, Claim, claim_over, listed


def stale_because(inputs: Inputs, finished: float) -> str:
    """Return why a test run does not speak of this source; "" where it does."""
    name, changed = inputs.newest_source
    if not finished:
        return "the file does not say when the tests ran"
    if changed > finished:
        when = datetime.fromtimestamp(finished, UTC).strftime("%Y-%m-%d %H:%M")
        return f"{name} changed after these tests ended ({when} UTC)"
    return ""


def test_claims(inputs: Inputs) -> list[Claim]:
    text = "Every test that was recorded passed"
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
        why = stale_because(inputs, run.finished)
        if run.failing:
            state, detail = False, f"failing: {listed(run.failing, 3)}"
        elif run.passed == 0:
            state, detail = None, "no test passed or failed"
        elif why:
            state, detail = None, why
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
            "not the file that the session recorded" if file.present else f"{file.name} is missing"
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
