"""The requirements: each is implemented by code, and shown by tests that ran and passed.

Rules of this file:

*   The judge is ``python -m certification.requirements``, started as a process: it shares no code
    with what it judges. It also leaves the matrix and the exports in ``build/requirements/``.
*   Its word is taken whole: a gate that does not hold is a finding by name; outcomes of other
    sources are "not run".

Not here: the requirements, the gates (``certification/requirements/``).
"""

import json
import subprocess
import sys
from pathlib import Path

from verify.inputs import files_of
from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context, Item, Outcome

ROOT = Path(__file__).resolve().parents[1]
BAD_INPUT = 2
# What is counted before any test ran, and what only outcomes can say.
STATIC = ("total", "high", "low", "kernel", "orphans", "unrefined", "dangling", "uncarried",
          "unnamed_by_tests")  # fmt: skip
OUTCOMES = ("verified", "untested", "failing")


def run(context: Context) -> Outcome:
    """Start the judge and read its document."""
    context.tell(0, 1, "certification.requirements")
    words = ["-m", "certification.requirements", "--json", "--root", str(context.root)]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == BAD_INPUT:
        line = done.stderr.strip()
        return Outcome(DOES_NOT_HOLD, "the catalogue cannot be read", findings=(line,))
    try:
        said = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or ["no document"]
        return Outcome(NOT_RUN, f"the judge ended with {done.returncode}: {lines[-1]}")
    figures = {name: said[name] for name in STATIC} | {"links": said["links"]}
    if not said["reason"]:
        figures |= {name: said[name] for name in OUTCOMES} | {"tests": said["tests"]}
    findings = tuple(
        f"{one['file']}:{one['line']}: {one['gate']}: {one['subject']}: {one['text']}"
        for one in said["findings"]
    )
    detail = f"{said['total']} requirements, {said['kernel']} of them low-level of the kernel"
    if said["status"] == DOES_NOT_HOLD:
        return Outcome(DOES_NOT_HOLD, f"{detail}; {len(findings)} findings", figures, findings)
    if said["status"] == HOLDS and done.returncode == 0:
        return Outcome(HOLDS, f"{detail}, all verified", figures)
    return Outcome(NOT_RUN, f"{detail}; {said['reason']}", figures | {"not_run": said["reason"]})


ITEM = Item(
    name="requirements",
    claim="Every requirement is carried, and shown by a test that was executed and passed",
    section="requirements",
    inputs=("build/requirements.json", *files_of("requirements")),
    seconds={FAST: 3.0, FULL: 3.0},
    run=run,
)
