"""Claims about the code itself: proofs, coverage, edges, mutants, requirements, constants.

Rules of this file:

*   A claim rests on one item of ``dolphin verify``: on its run here (``verify.json``), where it
    speaks of exactly these inputs and was more than a sample; else on its record
    (``standing.py``), where that counts. What neither gives is "not run".
*   What a file says of itself ("ok", "status") is not enough. Each claim is counted again from
    the figures, and its item must have held.
*   Of one item and the same inputs, a run here and a record that differ are both named, and the
    claim does not hold.
*   A record of a part never holds: it says which part. A figure that is missing is a claim that
    does not hold, never an empty cell.

Not here: running any of it (``dolphin verify``), what a record is worth (``standing.py``).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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
)
from certification.standing import IN_PART, NONE, RECORDED, RUN_HERE, STALE, Standing

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


def covered(figures: Figures, *names: str) -> tuple[bool, str]:
    said = []
    whole = True
    for name in names:
        met, total = number(figures, name, "met"), number(figures, name, "total")
        justified = number(figures, name, "justified")
        whole = whole and total > 0 and met + justified == total
        said.append(f"{name} {met}/{total}" + (f" ({justified} waived)" if justified else ""))
    return whole, ", ".join(said)


def executed(figures: Figures) -> tuple[bool, str]:
    return covered(figures, "statements", "branches")


def mcdc(figures: Figures) -> tuple[bool, str]:
    return covered(figures, "conditions", "mcdc")


def edges(figures: Figures) -> tuple[bool, str]:
    total, wrong = number(figures, "edges"), number(figures, "edge_mismatches")
    return total > 0 and not wrong, f"{total:,} edges, {wrong} on which model and code differ"


def mutants(kind: str) -> Ruling:
    """Return the ruling over the mutants of one kind."""

    def ruling(figures: Figures) -> tuple[bool, str]:
        total, killed = number(figures, kind, "total"), number(figures, kind, "killed")
        justified = number(figures, kind, "justified")
        said = f"{killed:,} of {total:,} killed, {justified:,} waived"
        found = figures[kind]
        for name in ("survived", "undecided"):
            if found.get(name):
                said += f", {found[name]:,} {name}"
        return total > 0 and killed + justified == total, said

    return ruling


def requirements(figures: Figures) -> tuple[bool, str]:
    total = number(figures, "total")
    wrong = {name: number(figures, name) for name in ("untested", "failing", "orphans")}
    said = ", ".join(f"{count} {name}" for name, count in wrong.items())
    return total > 0 and not any(wrong.values()), f"{total} requirements, {said}"


def constants(figures: Figures) -> tuple[bool, str]:
    runs, controls, edges = (number(figures, name) for name in ("runs", "controls", "edges"))
    return min(runs, controls, edges) > 0, f"{runs} runs, {controls} controls, {edges:,} edges"


# Claim, its sentence, the item and its section, what its figures must be.
RULINGS: tuple[tuple[str, str, str, str, Ruling], ...] = (
    ("CON-EDGES", "Every edge of the models' state graphs replays through the kernel with the same "
     "outcome", "edges", "models", edges),
    ("PRF-CONTRACTS", "Every function of the kernel is proved to keep its contract, the inductive "
     "invariant among them (Nagini)", "proofs", "proofs", proofs),
    ("PRF-CROSSHAIR", "CrossHair finds no violated contract", "crosshair", "crosshair", crosshair),
    ("PRF-ROCQ", "The mathematics of the survival curves is proved in Rocq, without axioms of ours",
     "rocq", "rocq", rocq),
    ("COV-BRANCH", "Requirement-based tests execute every statement and branch of level A code",
     "coverage", "coverage", executed),
    ("COV-MCDC", "Level A code has 100 % masking MC/DC by requirement-based tests", "coverage",
     "coverage", mcdc),
    ("MUT-CODE", "Every mutant of level A code is killed or waived",
     "mutants-code", "mutation", mutants("code")),
    ("MUT-SPEC", "Every mutant of the models is killed or waived",
     "spec-mutants", "mutation", mutants("spec")),
    ("MUT-TRACE", "Every forged journal is rejected at the forged record", "trace-mutants",
     "mutation", mutants("trace")),
    ("REQ-TRACED", "Every requirement has a test that was executed and passed; no orphan",
     "requirements", "requirements", requirements),
    ("CFG-CONSTANTS", "The constants that run have a passing model run on record", "constants",
     "constants", constants),
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a run or a record says of a claim: state, in one line, and what that rests on."""

    state: str
    detail: str
    basis: str
    figures: Figures = field(default_factory=dict)


def digest_of(root: Path, patterns: Iterable[str]) -> str:
    """Return one hash over names and bytes of the files that match, as ``dolphin verify`` does."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(found):
        if "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def ruled(figures: Figures, ruling: Ruling) -> tuple[str, str]:
    """Return state and detail that the figures give."""
    try:
        holds, detail = ruling(figures)
    except Missing as error:
        return DOES_NOT_HOLD, f"field '{error}' is missing"
    return HOLDS if holds else DOES_NOT_HOLD, detail


def said_by(
    document: Mapping[str, Any] | None, file: FileRef, item: str, section: str, root: Path,
    ruling: Ruling,
) -> Said:  # fmt: skip
    """Return what one ``verify.json`` says of an item that was run here."""
    if document is None:
        if file.present:
            return Said(DOES_NOT_HOLD, "not the file that the session recorded", RUN_HERE)
        return Said(NOT_RUN, "not run here, no record", NOT_RUN)
    row = next((row for row in document["items"] if row["name"] == item), None)
    if row is None or row.get("basis", RUN_HERE) == RECORDED:
        return Said(NOT_RUN, "not run here, no record", NOT_RUN)
    if digest_of(root, row["inputs"]) != row["inputs_sha256"]:
        return Said(NOT_RUN, "run here of other inputs: what it read has changed", STALE)
    if row["status"] == DOES_NOT_HOLD:
        finding = next(iter(row["findings"]), "")
        return Said(DOES_NOT_HOLD, f"{row['detail']}; {finding}".rstrip("; "), RUN_HERE)
    if row["status"] != HOLDS:
        return Said(NOT_RUN, row["detail"], NOT_RUN)
    if not row.get("decides", document["lane"] == "full"):
        return Said(NOT_RUN, f"only a sample was run here: {row['detail']}", NOT_RUN)
    figures = row.get("figures") or document.get(section) or {}
    return Said(*ruled(figures, ruling), RUN_HERE, figures)


def run_here(inputs: Inputs, item: str, section: str, ruling: Ruling) -> tuple[Said, FileRef]:
    """Return what was run here of an item, and the file: the first that gives an outcome."""
    found = [
        (said_by(document, file, item, section, inputs.root, ruling), file)
        for document, file in zip(inputs.verify, inputs.verify_files, strict=True)
    ]
    stale = [one for one in found if one[0].basis == STALE]
    told = [one for one in found if one[1].present]
    return next((one for one in found if one[0].state != NOT_RUN), (stale or told or found)[0])


def by_record(told: Standing, ruling: Ruling) -> Said:
    """Return what an item's record says, as far as it counts here."""
    if told.state == STALE:
        return Said(NOT_RUN, f"{told.why} ({told.told['detail']})", STALE)
    state, detail = ruled(told.figures, ruling)
    place = f"recorded {told.when} at {told.told['ran']['commit'][:9]}, not run here"
    if told.told["status"] == DOES_NOT_HOLD:
        finding = next(iter(told.told["findings"]), told.told["detail"])
        return Said(DOES_NOT_HOLD, f"{finding}; {place}", told.state)
    if told.state == IN_PART:
        return Said(NOT_RUN, f"in part: {told.told['detail']}; {told.why}", IN_PART)
    return Said(state, f"{detail}; {place}", RECORDED)


def differing(here: Said, told: Standing, item: str, names: Iterable[str]) -> str:
    """Return how a run here and a record of the same inputs differ; "" where they agree."""
    if told.state != RECORDED or here.basis != RUN_HERE or here.state == NOT_RUN:
        return ""
    place = f"certification/records/{item}.json"
    if here.state != told.told["status"]:
        return f"run here: {here.state}; {place}: {told.told['status']}: one of them is false"
    for name in names:
        now, before = figure(here.figures, name), figure(told.figures, name)
        if now != before:
            return f"{name}: {now} as run here, {before} in {place}: one of them is false"
    return ""


def figure(figures: Figures, name: str) -> Any:
    """Return a figure by its dotted name, None where it is not there."""
    found: Any = figures
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def verified_claims(inputs: Inputs) -> list[Claim]:
    """Return the claims that ``dolphin verify`` decides."""
    claims = []
    for name, text, item, section, ruling in RULINGS:
        here, file = run_here(inputs, item, section, ruling)
        told = inputs.standings.get(item) or Standing(item, NONE, here.detail)
        said = here
        wrong = differing(here, told, item, inputs.compared.get(item, ()))
        if wrong:
            said = Said(DOES_NOT_HOLD, wrong, RUN_HERE)
        elif here.state == NOT_RUN:
            said = by_record(told, ruling) if told.record is not None else here
            file = inputs.record_files[item] if told.record is not None else file
        claims.append(
            claim_over(name, text, said.state, file, VERIFY, PACKAGE, said.detail, said.basis)
        )
    return claims
