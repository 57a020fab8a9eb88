"""Claims about recorded test runs, and about the replay of the models' edges.

Rules of this file:

*   A test that the tree writes down and no run records was not run: a selection of the
    tests is no run of all of them.
*   Skipped is not passed. A run in which nothing passed or failed is "not run".
*   A run says of which sources it was, by hash. Of others, or of none, it is "not run", and then a
    record of exactly these sources stands for it. Times of files say nothing.
*   The edges are the item ``edges`` of ``dolphin verify``, run here or recorded.

Not here: coverage, proofs, mutants (``verified.py``).
"""

from certification.artefacts import Inputs, TestRun
from certification.claims import PACKAGE, TEST, Claim, claim_over, listed
from certification.standing import RECORDED, STALE


def stale_because(inputs: Inputs, run: TestRun) -> str:
    """Return why a test run does not speak of this source; "" where it does."""
    if not run.sources:
        return "the run does not say of which sources it was"
    if run.sources != inputs.sources_now:
        return "run of other sources than those on disk"
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
    fresh = [run for run in inputs.tests if not stale_because(inputs, run)]
    if not fresh:
        return [_recorded(inputs, text)]
    claims = []
    for number, run in enumerate(fresh, 1):
        name = "TST-PASS" if len(fresh) == 1 else f"TST-PASS-{number}"
        detail = f"{run.passed:,} passed, {run.skipped} skipped (not counted as passed)"
        state: bool | None = True
        absent = missing_tests(inputs)
        if run.failing:
            state, detail = False, f"failing: {listed(run.failing, 3)}"
        elif run.passed == 0:
            state, detail = None, "no test passed or failed"
        elif absent:
            state, detail = None, f"not run: {listed(absent, 3)}"
        claims.append(claim_over(name, text, state, run.file, TEST, PACKAGE, detail))
    return claims


def _recorded(inputs: Inputs, text: str) -> Claim:
    """Return what a record says where no run speaks of these sources."""
    why = [f"{run.file.name}: {stale_because(inputs, run)}" for run in inputs.tests]
    why = why or [f"{inputs.junit_files[0].name} is missing"]
    told = inputs.standings.get("tests")
    if told is None or told.record is None:
        return claim_over(
            "TST-PASS", text, None, inputs.junit_files[0], TEST, PACKAGE, listed(why, 2)
        )
    file = inputs.record_files["tests"]
    if told.state == RECORDED:
        detail = f"{told.told['detail']}; recorded {told.when} at {told.told['ran']['commit'][:9]}"
        return claim_over("TST-PASS", text, told.holds, file, TEST, PACKAGE, detail, RECORDED)
    return claim_over("TST-PASS", text, None, file, TEST, PACKAGE, told.why, STALE)
