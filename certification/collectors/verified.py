"""Claims about the code itself: proofs, MC/DC, mutants, requirements, constants.

Rules of this file:

*   The file is what ``dolphin verify --json`` leaves behind; the full lane's decides. The fast lane
    takes samples, and a sample is no claim: "not run".
*   What the file says of itself ("ok", "status") is not enough. Each claim is counted again from
    the figures of its section, and each needs its item to have held.
*   An item speaks of the inputs that it names by a hash. The hash is computed here again, over the
    same files; where it differs, the item speaks of another source: "not run".
*   A figure that is missing is a claim that does not hold, never an empty cell.

Not here: running any of it (``dolphin verify``).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from certification.artefacts import FileRef, Inputs
from certification.claims import (
    DOES_NOT_HOLD,
    HOLDS,
    NOT_RUN,
    PACKAGE,
    VERIFY,
    Claim,
    claim_over,
    listed,
)

Figures = Mapping[str, Any]
Ruling = Callable[[Figures], tuple[bool, str]]

EXCUSED_OF_FUNCTIONS = 20  # at most one in twenty (5 %) may be excused from proof
CONTROLS_MIN = 30
REJECTED_OF_TEN_MIN = 8


class Missing(Exception):
    """A figure that is not there: its name."""


def number(figures: Figures, *path: str) -> int:
    """Return a whole number of a section; raises ``Missing``."""
    found: Any = figures
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise Missing(".".join(path))
    return found


def proofs(figures: Figures) -> tuple[bool, str]:
    functions, proved = number(figures, "functions"), number(figures, "proved")
    excused = number(figures, "excused")
    total = number(figures, "negative_controls", "total")
    rejected = number(figures, "negative_controls", "rejected")
    whole = functions > 0 and proved + excused == functions
    few = excused * EXCUSED_OF_FUNCTIONS <= functions
    able = total >= CONTROLS_MIN and 10 * rejected >= REJECTED_OF_TEN_MIN * total
    return whole and few and able, (
        f"{proved} of {functions} functions proved, {excused} waived; "
        f"{rejected} of {total} mutants rejected by the prover alone"
    )


def crosshair(figures: Figures) -> tuple[bool, str]:
    conditions, confirmed = number(figures, "conditions"), number(figures, "confirmed")
    violated = number(figures, "violated")
    return conditions > 0 and violated == 0, (
        f"{conditions} conditions, {confirmed} confirmed over all paths, {violated} violated"
    )


def rocq(figures: Figures) -> tuple[bool, str]:
    theorems = number(figures, "theorems")
    admitted, axioms = number(figures, "admitted"), number(figures, "axioms")
    return theorems > 0 and admitted == axioms == 0, (
        f"{theorems} theorems, {admitted} admitted, {axioms} axioms beyond the reals'"
    )


def mcdc(figures: Figures) -> tuple[bool, str]:
    said = []
    whole = True
    for name in ("statements", "branches", "conditions", "mcdc"):
        met, total = number(figures, name, "met"), number(figures, name, "total")
        justified = number(figures, name, "justified")
        whole = whole and total > 0 and met + justified == total
        said.append(f"{name} {met}/{total}" + (f" ({justified} waived)" if justified else ""))
    return whole, ", ".join(said)


def mutation(figures: Figures) -> tuple[bool, str]:
    said = []
    whole = True
    for name in ("code", "spec", "trace"):
        total, killed = number(figures, name, "total"), number(figures, name, "killed")
        justified = number(figures, name, "justified")
        whole = whole and total > 0 and killed + justified == total
        said.append(f"{name} {killed}/{total}" + (f" ({justified} waived)" if justified else ""))
    return whole, ", ".join(said)


def requirements(figures: Figures) -> tuple[bool, str]:
    total = number(figures, "total")
    wrong = {name: number(figures, name) for name in ("untested", "failing", "orphans")}
    said = ", ".join(f"{count} {name}" for name, count in wrong.items())
    return total > 0 and not any(wrong.values()), f"{total} requirements, {said}"


def constants(figures: Figures) -> tuple[bool, str]:
    runs, controls, edges = (number(figures, name) for name in ("runs", "controls", "edges"))
    return min(runs, controls, edges) > 0, f"{runs} runs, {controls} controls, {edges:,} edges"


# Claim, its sentence, the section of the document, and what its figures must be.
RULINGS: tuple[tuple[str, str, str, Ruling], ...] = (
    ("PRF-CONTRACTS", "Every function of the kernel is proved to keep its contract, the inductive "
     "invariant among them (Nagini)", "proofs", proofs),
    ("PRF-CROSSHAIR", "CrossHair finds no violated contract", "crosshair", crosshair),
    ("PRF-ROCQ", "The mathematics of the survival curves is proved in Rocq, without axioms of ours",
     "rocq", rocq),
    ("COV-MCDC", "Level A code has 100 % masking MC/DC by requirement-based tests", "coverage",
     mcdc),
    ("MUT-KILLED", "Every mutant of code, specification and trace is killed or waived",
     "mutation", mutation),
    ("REQ-TRACED", "Every requirement has a test that was executed and passed; no orphan",
     "requirements", requirements),
    ("CFG-CONSTANTS", "The constants that run have a passing model run on record", "constants",
     constants),
)  # fmt: skip


def digest_of(root: Path, patterns: Iterable[str]) -> str:
    """Return one hash over names and bytes of the files that match, as ``dolphin verify`` does."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(found):
        if "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def ruled(section: str, document: Mapping[str, Any], root: Path, ruling: Ruling) -> tuple[str, str]:
    """Return state and detail of the claim that rests on a section."""
    items = [row for row in document["items"] if row["section"] == section]
    if not items:
        return NOT_RUN, "no item of this section was run"
    failing = [row for row in items if row["status"] == DOES_NOT_HOLD]
    if failing:
        finding = next((text for row in failing for text in row["findings"]), "")
        said = "; ".join(f"{row['name']}: {row['detail']}" for row in failing)
        return DOES_NOT_HOLD, f"{said}; {finding}".rstrip("; ")
    absent = [f"{row['name']}: {row['detail']}" for row in items if row["status"] != HOLDS]
    if absent:
        return NOT_RUN, listed(absent, 2)
    if document["lane"] != "full" or not document["whole"]:
        return NOT_RUN, "only a selection was run; the full lane decides"
    for row in items:
        if digest_of(root, row["inputs"]) != row["inputs_sha256"]:
            return NOT_RUN, f"{row['name']}: what it read has changed since"
    try:
        holds, detail = ruling(document.get(section) or {})
    except Missing as error:
        return DOES_NOT_HOLD, f"field '{section}.{error}' is missing"
    return HOLDS if holds else DOES_NOT_HOLD, detail


def verified_claims(inputs: Inputs) -> list[Claim]:
    """Return the claims that ``dolphin verify`` decides."""
    file: FileRef = inputs.verify_file
    claims = []
    for name, text, section, ruling in RULINGS:
        if inputs.verify is None:
            state: str = DOES_NOT_HOLD if file.present else NOT_RUN
            detail = (
                "not the file that the session recorded"
                if file.present
                else f"{file.short} is missing"
            )
        else:
            state, detail = ruled(section, inputs.verify, inputs.root, ruling)
        claims.append(claim_over(name, text, state, file, VERIFY, PACKAGE, detail))
    return claims
