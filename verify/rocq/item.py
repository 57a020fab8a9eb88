"""The mathematics in Rocq: theorems proved, nothing admitted, and the Python's values the same.

Rules of this file:

*   ``verify/rocq/check.py`` decides; it is started as the program it is. The fast lane compiles and
    asks for axioms; the full lane adds coqchk and the comparison with the Python on every input.
*   Without coqc (and, for the comparison, OCaml's zarith) it is "not run", with what installs them.

Not here: the proofs (``spec/rocq/``).
"""

import json
import subprocess
import sys
from typing import Any

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

NOT_THERE = 3
INSTALLS = "`make env` installs it where root and apt are there"


def told(context: Context, script: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run one of Rocq's programs; return exit code, its document and its last words."""
    done = subprocess.run(
        [sys.executable, str(context.root / "verify" / "rocq" / script), "--json", *arguments],
        capture_output=True, text=True, check=False, cwd=context.root,
    )  # fmt: skip
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = {}
    words = " ".join(done.stderr.split())[-300:]
    return done.returncode, document if isinstance(document, dict) else {}, words


def figures_of(document: dict[str, Any]) -> dict[str, object]:
    """Return the section's figures from the document of ``verify/rocq/check.py``."""
    names = ("theorems", "admitted", "axioms", "coqchk")
    return {name: document[name] for name in names if name in document}


def run(context: Context) -> Outcome:
    """Ask Rocq, and in the full lane compare with the Python."""
    full = context.lane == FULL
    steps = 2 if full else 1
    context.tell(0, steps, "coqc" if not full else "coqc, coqchk")
    code, document, words = told(context, "check.py", *([] if full else ["--no-coqchk"]))
    if code == NOT_THERE:
        return Outcome(NOT_RUN, f"{words}; {INSTALLS}", {"not_run": words})
    problems = tuple(f"spec/rocq: {text}" for text in document.get("problems", ()))
    if code != 0 or not document:
        return Outcome(
            DOES_NOT_HOLD, words or "the proofs are not whole", figures_of(document),
            problems or (f"verify/rocq/check.py: exit {code}: {words}",),
        )  # fmt: skip
    figures = figures_of(document)
    detail = (
        f"{document['theorems']} theorems, {document['admitted']} admitted, "
        f"{document['axioms']} axioms beyond the reals'"
    )
    if not full:
        return Outcome(HOLDS, f"{detail}; coqchk and the comparison are in the full lane", figures)
    context.tell(1, steps, "every input of the curves, beside the Python")
    code, compared, words = told(context, "compare.py")
    if code == NOT_THERE:
        return Outcome(NOT_RUN, f"{detail}; comparison {words}; {INSTALLS}", figures)
    figures["compared"] = compared.get("inputs", compared)
    if code != 0:
        return Outcome(
            DOES_NOT_HOLD, f"{detail}; the Python differs", figures,
            (f"verify/rocq/compare.py: {words or compared}",),
        )  # fmt: skip
    return Outcome(HOLDS, f"{detail}; coqchk clean; the Python is the same on every input", figures)


ITEM = Item(
    name="rocq",
    claim="The survival functions' mathematics is proved in Rocq, with no axiom beyond the reals'",
    section="rocq",
    inputs=("spec/rocq/*", "spec/rocq/extracted/*", "kernel/**/*.py", "verify/rocq/*.py"),
    seconds={FAST: 60.0, FULL: 200.0},
    run=run,
    samples=True,
)
